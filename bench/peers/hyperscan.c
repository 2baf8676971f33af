/* SPDX-License-Identifier: Apache-2.0 */
/* Hyperscan, or Vectorscan, which has its interface: literals and expressions in block mode, every match counted. */
#include <hs/hs.h>
#include <stdlib.h>

#include "peer.h"

struct scanner {
	hs_database_t *database;
	hs_scratch_t *scratch;
};

static void destroy(void *context)
{
	struct scanner *scanner = context;

	hs_free_scratch(scanner->scratch);
	hs_free_database(scanner->database);
	free(scanner);
}

static void *create(const struct lanewise_pattern *patterns, size_t n)
{
	struct scanner *scanner = calloc(1, sizeof *scanner);
	const char **texts = calloc(n, sizeof *texts);
	size_t *lengths = calloc(n, sizeof *lengths);
	unsigned *numbers = calloc(2 * n, sizeof *numbers), *flags = numbers ? numbers + n : NULL;
	hs_compile_error_t *error = NULL;
	int made = 0;

	if (scanner && texts && lengths && numbers) {
		for (size_t i = 0; i < n; i++) {
			texts[i] = patterns[i].bytes;
			lengths[i] = patterns[i].n_bytes;
			numbers[i] = (unsigned)i;
		}
		made = hs_compile_lit_multi(texts, flags, numbers, lengths, (unsigned)n, HS_MODE_BLOCK, NULL,
		                            &scanner->database, &error) == HS_SUCCESS &&
		       hs_alloc_scratch(scanner->database, &scanner->scratch) == HS_SUCCESS;
		hs_free_compile_error(error);
	}
	free(texts);
	free(lengths);
	free(numbers);
	if (!made && scanner) {
		destroy(scanner);
		scanner = NULL;
	}
	return scanner;
}

static void *create_regex(const char *const *expressions, const int *ignore_case, size_t n)
{
	struct scanner *scanner = calloc(1, sizeof *scanner);
	unsigned *numbers = calloc(2 * n, sizeof *numbers), *flags = numbers ? numbers + n : NULL;
	hs_compile_error_t *error = NULL;
	int made = 0;

	if (scanner && numbers) {
		for (size_t i = 0; i < n; i++) {
			numbers[i] = (unsigned)i;
			flags[i] = ignore_case[i] ? HS_FLAG_CASELESS : 0;
		}
		made = hs_compile_multi(expressions, flags, numbers, (unsigned)n, HS_MODE_BLOCK, NULL,
		                        &scanner->database, &error) == HS_SUCCESS &&
		       hs_alloc_scratch(scanner->database, &scanner->scratch) == HS_SUCCESS;
		hs_free_compile_error(error);
	}
	free(numbers);
	if (!made && scanner) {
		destroy(scanner);
		scanner = NULL;
	}
	return scanner;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
	(void)id, (void)from, (void)to, (void)flags;
	++*(uint64_t *)context;
	return 0;
}

static uint64_t count(void *context, const void *text, size_t n_bytes)
{
	const struct scanner *scanner = context;
	uint64_t n = 0;

	hs_scan(scanner->database, text, (unsigned)n_bytes, 0, scanner->scratch, on_match, &n);
	return n;
}

const struct bench_peer *bench_peer_get(void)
{
	static struct bench_peer peer = {
		.name = "hyperscan",
		.scan_create = create,
		.scan_count = count,
		.scan_destroy = destroy,
		.regex_create = create_regex,
	};

	peer.version = hs_version();
	return &peer;
}
