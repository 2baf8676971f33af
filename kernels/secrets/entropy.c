/* SPDX-License-Identifier: Apache-2.0 */
/* What finds secrets of unknown kinds: entropy of bytes, and runs of bytes of a set. */
#include <lanewise/secrets.h>

#include "log.h"
#include "secrets/secrets.h"

static double n_log2_n(double n) { return n * (lw_log_f64(n) * 0x1.71547652b82fep+0 /* 1 / log 2 */); }

double lanewise_shannon_entropy(const void *bytes, size_t n_bytes)
{
	const uint8_t *p = bytes;
	uint64_t count[256] = { 0 };
	double sum = 0;

	if (n_bytes == 0)
		return 0;
	for (size_t i = 0; i < n_bytes; i++)
		count[p[i]]++;
	for (int b = 0; b < 256; b++) {
		if (count[b] == n_bytes)
			return 0;
		if (count[b])
			sum += n_log2_n((double)count[b]);
	}
	return (n_log2_n((double)n_bytes) - sum) / (double)n_bytes;
}

int32_t lanewise_next_run(const uint8_t set[32], const char *text, size_t n_bytes, size_t from, size_t min_bytes,
                          size_t *begin, size_t *end)
{
	const uint8_t *p = (const uint8_t *)text;

	/* A run from `from` on would have the byte at from + min_bytes - 1, and all before it. */
	while (from <= n_bytes && n_bytes - from >= min_bytes) {
		size_t at = from + min_bytes;

		while (at > from && lw_set_has(set, p[at - 1]))
			at--;
		if (at > from) {
			from = at;
			continue;
		}
		for (at = from + min_bytes; at < n_bytes && lw_set_has(set, p[at]);)
			at++;
		*begin = from;
		*end = at;
		return 1;
	}
	return 0;
}
