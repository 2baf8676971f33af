/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of calls, for lanewise/repeat.h. */
#include <lanewise/repeat.h>

#include "common.h"

/* By key, byte by byte, then by number. */
static int is_before(const lanewise_argument *arguments, size_t i, size_t j)
{
	const lanewise_argument *a = &arguments[i], *b = &arguments[j];
	size_t n = a->key_bytes < b->key_bytes ? a->key_bytes : b->key_bytes;
	int order = n ? memcmp(a->key, b->key, n) : 0;

	if (order == 0)
		return a->key_bytes != b->key_bytes ? a->key_bytes < b->key_bytes : i < j;
	return order < 0;
}

static void sink(const lanewise_argument *arguments, size_t *order, size_t root, size_t n)
{
	size_t value = order[root];

	for (size_t child; (child = 2 * root + 1) < n; root = child) {
		child += child + 1 < n && is_before(arguments, order[child], order[child + 1]);
		if (is_before(arguments, order[child], value))
			break;
		order[root] = order[child];
	}
	order[root] = value;
}

static void sort(const lanewise_argument *arguments, size_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t root = n / 2; root > 0; root--)
		sink(arguments, order, root - 1, n);
	for (size_t left = n; left > 1; left--) {
		size_t greatest = order[0];

		order[0] = order[left - 1];
		order[left - 1] = greatest;
		sink(arguments, order, 0, left - 1);
	}
}

static lanewise_hash128 sign(const lanewise_call *call, const size_t *order)
{
	_Alignas(max_align_t) char scratch[1024];
	lanewise_xxh3 *hash = lanewise_xxh3_begin(scratch, 0);

	lanewise_xxh3_feed(hash, call->name, call->name_bytes);
	lanewise_xxh3_feed(hash, ":", 1);
	for (size_t i = 0; i < call->n_arguments; i++) {
		const lanewise_argument *argument = &call->arguments[order[i]];

		if (i > 0)
			lanewise_xxh3_feed(hash, ",", 1);
		lanewise_xxh3_feed(hash, argument->key, argument->key_bytes);
		lanewise_xxh3_feed(hash, "=", 1);
		lanewise_xxh3_feed(hash, argument->value, argument->value_bytes);
	}
	return lanewise_xxh3_value_128(hash);
}

void lanewise_call_signatures(const lanewise_call *calls, size_t n_calls, size_t *scratch, lanewise_hash128 *out)
{
	LW_ASSERT(lanewise_xxh3_scratch_size() <= 1024);
	for (size_t i = 0; i < n_calls; i++) {
		sort(calls[i].arguments, scratch, calls[i].n_arguments);
		out[i] = sign(&calls[i], scratch);
	}
}
