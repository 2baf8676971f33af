/* SPDX-License-Identifier: Apache-2.0 */
/* PCRE2 with its JIT: a few expressions one after the other, each over the whole text. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "peer.h"

enum { MOST = 16 };

struct scanner {
	size_t n;
	pcre2_code *codes[MOST];
	pcre2_match_data *match;
};

static void destroy(void *context)
{
	struct scanner *scanner = context;

	for (size_t i = 0; i < scanner->n; i++)
		pcre2_code_free(scanner->codes[i]);
	pcre2_match_data_free(scanner->match);
	free(scanner);
}

/* Not for the hundred expressions of all rules, which nobody would search for so. */
static void *create(const char *const *expressions, const int *ignore_case, size_t n)
{
	struct scanner *scanner = n <= MOST ? calloc(1, sizeof *scanner) : NULL;

	if (!scanner)
		return NULL;
	scanner->match = pcre2_match_data_create(1, NULL);
	for (; scanner->n < n; scanner->n++) {
		int error;
		size_t offset, i = scanner->n;

		scanner->codes[i] = pcre2_compile((PCRE2_SPTR)expressions[i], PCRE2_ZERO_TERMINATED,
		                                  ignore_case[i] ? PCRE2_CASELESS : 0, &error, &offset, NULL);
		if (!scanner->codes[i] || pcre2_jit_compile(scanner->codes[i], PCRE2_JIT_COMPLETE) != 0) {
			pcre2_code_free(scanner->codes[i]);
			destroy(scanner);
			return NULL;
		}
	}
	return scanner;
}

static uint64_t count(void *context, const void *text, size_t n_bytes)
{
	const struct scanner *scanner = context;
	const size_t *range = pcre2_get_ovector_pointer(scanner->match);
	uint64_t n = 0;

	for (size_t i = 0; i < scanner->n; i++)
		for (size_t at = 0;
		     pcre2_jit_match(scanner->codes[i], text, n_bytes, at, PCRE2_NOTEMPTY, scanner->match, NULL) >= 0;
		     at = range[1])
			n++;
	return n;
}

const struct bench_peer *bench_peer_get(void)
{
	static char version[64];
	static struct bench_peer peer = {
		.name = "pcre2",
		.version = version,
		.scan_count = count,
		.scan_destroy = destroy,
		.regex_create = create,
	};

	if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof version)
		pcre2_config(PCRE2_CONFIG_VERSION, version);
	return &peer;
}
