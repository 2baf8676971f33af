/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dedup on every tier and in pieces of any size: the units and duplicates of the naive truth, also when the hashes are
 * so weak that hardly anything differs; with bounded memory no unit that is new is called a duplicate.
 */
#include "fuzz.h"

#include "dedup/dedup.h"
#include "dedup_naive.h"

static uint64_t weak_hash(const void *data, size_t n_bytes, const uint64_t key[2])
{
	(void)key;
	return n_bytes ? *(const unsigned char *)data & 1 : 0;
}

static size_t drain(lanewise_dedup *dedup, lanewise_dedup_unit *units, size_t n, size_t capacity)
{
	size_t got;

	do {
		FUZZ_REQUIRE(lanewise_dedup_next(dedup, units + n, capacity, &got) == LANEWISE_OK);
		n += got;
	} while (got > 0);
	return n;
}

static size_t run(lanewise_dedup *dedup, const char *text, size_t n, size_t step, lanewise_dedup_unit *units)
{
	size_t n_units = 0, turn = 0;

	for (size_t at = 0, size; at < n; at += size) {
		size = step + ++turn % 3;
		size = size < n - at ? size : n - at;

		char *piece = fuzz_allocate(size);

		memcpy(piece, text + at, size);
		FUZZ_REQUIRE(lanewise_dedup_feed(dedup, piece, size) == LANEWISE_OK);
		n_units = drain(dedup, units, n_units, 1 + turn % 5);
		free(piece);
	}
	FUZZ_REQUIRE(lanewise_dedup_finish(dedup) == LANEWISE_OK);
	return drain(dedup, units, n_units, 1);
}

static void require_truth(const lanewise_dedup_options *options, const char *text, size_t n, size_t step, int weak)
{
	lanewise_dedup_unit *units = fuzz_allocate((n + 8) * sizeof *units);
	lanewise_dedup *dedup;
	struct naive naive;

	FUZZ_REQUIRE(lanewise_dedup_create(options, NULL, &dedup, NULL) == LANEWISE_OK);
	if (weak) {
		lanewise_dedup_seen(dedup)->test_hash = weak_hash;
		lanewise_dedup_seen(dedup)->test_keyed_hash = weak > 1 ? weak_hash : NULL;
	}

	size_t n_units = run(dedup, text, n, step, units);

	naive_dedup(&naive, options, text, n);
	FUZZ_REQUIRE(n_units == naive.n);
	for (size_t i = 0; i < n_units; i++) {
		/* What was forgotten for lack of memory may stay once more. */
		if (options->max_bytes && units[i].first == i)
			continue;
		if (options->max_bytes)
			FUZZ_REQUIRE(naive.units[i].first != i);
		else
			FUZZ_REQUIRE(memcmp(&units[i], &naive.units[i], sizeof units[i]) == 0);
	}
	naive_end(&naive);
	lanewise_dedup_destroy(dedup);
	free(units);
}

/* Units compared with nothing, with their normal forms. */
static void require_forms(lanewise_dedup_options options, const char *text, size_t n)
{
	lanewise_dedup_unit unit;
	lanewise_dedup_form form;
	lanewise_dedup *dedup;
	struct naive naive;
	size_t n_units = 0, got;
	char *expected = fuzz_allocate(3 * n);

	options.mode = LANEWISE_DEDUP_NONE;
	naive_dedup(&naive, &options, text, n);
	FUZZ_REQUIRE(lanewise_dedup_create(&options, NULL, &dedup, NULL) == LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_dedup_feed(dedup, text, n) == LANEWISE_OK);
	for (int is_end = 0; is_end < 2; is_end++) {
		if (is_end)
			FUZZ_REQUIRE(lanewise_dedup_finish(dedup) == LANEWISE_OK);
		while (lanewise_dedup_next_forms(dedup, &unit, &form, 1, &got) == LANEWISE_OK && got > 0) {
			FUZZ_REQUIRE(n_units < naive.n && unit.begin == naive.units[n_units].begin &&
			             unit.end == naive.units[n_units].end && unit.flags == naive.units[n_units].flags);
			n_units++;
			if (unit.flags)
				continue;

			size_t n_expected = naive_normalize(text + unit.begin, (size_t)(unit.end - unit.begin),
			                                    options.normalize, expected);

			FUZZ_REQUIRE(form.n_bytes == n_expected &&
			             (n_expected == 0 || memcmp(form.text, expected, n_expected) == 0));
		}
	}
	FUZZ_REQUIRE(n_units == naive.n);
	lanewise_dedup_destroy(dedup);
	naive_end(&naive);
	free(expected);
}

static void require_normal(const char *text, size_t n, uint32_t flags)
{
	size_t capacity = lanewise_normalize_bound(n), n_out;
	char *out = fuzz_allocate(capacity), *expected = fuzz_allocate(3 * n);
	size_t n_expected = naive_normalize(text, n, flags, expected);

	FUZZ_REQUIRE(lanewise_normalize(text, n, flags, out, capacity, &n_out) == LANEWISE_OK);
	FUZZ_REQUIRE(n_out == n_expected && memcmp(out, expected, n_out) == 0);
	free(out);
	free(expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	lanewise_dedup_options options = { .struct_size = sizeof options };
	uint8_t kind = fuzz_u8(&in), small = fuzz_u8(&in);
	size_t step = 1 + fuzz_u8(&in);
	int weak = kind >> 3 & 3;

	options.unit = kind & 1;
	options.normalize = fuzz_u8(&in);
	options.mode = weak ? LANEWISE_DEDUP_VERIFY : small >> 6 & 3;
	options.mode = options.mode == 3 ? LANEWISE_DEDUP_VERIFY : options.mode;
	options.count_code_points = kind >> 1 & 1;
	options.window = small & 3;
	options.min_length = small >> 2 & 3;
	options.max_unit_bytes = small >> 4 & 1 ? 5 : 0;
	options.max_bytes = kind >> 5 & 1 && !options.window ? 65536 : 0;
	if (in.size > 20000)
		in.size = 20000; /* the truth takes quadratic time */

	char *text = fuzz_allocate(in.size);

	if (in.size)
		memcpy(text, in.data, in.size);
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		if (lanewise_set_tier(t) != LANEWISE_OK)
			continue;
		require_normal(text, in.size, options.normalize);
		require_forms(options, text, in.size);
		require_truth(&options, text, in.size, step, weak > 2 ? 0 : weak);
	}
	free(text);
	return 0;
}
