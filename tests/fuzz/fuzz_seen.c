/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets, filters, windows and maps of hashes: every tier gives the same answers, in batches or one by one, which are those
 * of a search from end to end; a set that forgets never takes a new hash for an old one, nor forgets too early. A file
 * written gives the same answers when it is read; and whatever bytes are opened as one, what comes out can be used.
 */
#include "fuzz.h"

#include <lanewise/seen.h>

#include "memory_file.h"

enum { MOST = 600 };

struct sequence {
	size_t n;
	uint64_t low[MOST], high[MOST];
};

static void take_sequence(struct fuzz_input *in, struct sequence *s)
{
	s->n = 0;
	while (in->size > 0 && s->n < MOST) {
		uint16_t word = fuzz_u16(in);

		s->low[s->n] = word % 5 == 0 ? 0 : (uint64_t)(word % 701) << word % 48;
		s->high[s->n++] = word % 3;
	}
}

static lanewise_status insert(lanewise_seen *seen, int wide, const struct sequence *s, size_t at, size_t n,
                              uint64_t *bits)
{
	lanewise_hash128 both[MOST];
	size_t taken;
	lanewise_status status;

	for (size_t i = 0; i < n; i++)
		both[i] = (lanewise_hash128) { s->low[at + i], s->high[at + i] };
	status = wide ? lanewise_seen_insert_128(seen, both, n, bits, &taken)
	              : lanewise_seen_insert_64(seen, s->low + at, n, bits, &taken);
	FUZZ_REQUIRE(taken <= n && (taken == n) == (status == LANEWISE_OK));
	return status;
}

/* How many hashes lie between number i and the one before that equals it, counted as different ones; MOST if none does. */
static size_t age(const struct sequence *s, int wide, size_t i)
{
	size_t different = 0;

	for (size_t k = i; k-- > 0;) {
		size_t again = k + 1;

		if (s->low[k] == s->low[i] && (!wide || s->high[k] == s->high[i]))
			return different;
		while (again < i && !(s->low[again] == s->low[k] && (!wide || s->high[again] == s->high[k])))
			again++;
		different += again == i;
	}
	return MOST;
}

static int bit(const uint64_t *bits, size_t i) { return (int)(bits[i / 64] >> i % 64 & 1); }

static void require_answers(const lanewise_seen *seen, const lanewise_seen_options *o, const struct sequence *s,
                            const uint64_t *bits)
{
	int wide = o->kind == LANEWISE_SEEN_SET128;

	for (size_t i = 0; i < s->n && o->kind != LANEWISE_SEEN_WINDOW; i++) {
		size_t years = age(s, wide, i);

		if (years == MOST)
			FUZZ_REQUIRE(o->kind == LANEWISE_SEEN_BLOOM || !bit(bits, i));
		else if (o->when_full != LANEWISE_SEEN_FORGET || years < lanewise_seen_capacity(seen) / 2)
			FUZZ_REQUIRE(bit(bits, i));
	}
}

static void run(const lanewise_seen_options *options, const struct sequence *s, size_t step)
{
	int wide = options->kind == LANEWISE_SEEN_SET128;
	uint64_t first[MOST / 64 + 1], bits[MOST / 64 + 1], one;

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		lanewise_seen *whole, *cut;
		size_t n = s->n;

		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		FUZZ_REQUIRE(lanewise_seen_create(options, NULL, &whole, NULL) == LANEWISE_OK);
		FUZZ_REQUIRE(lanewise_seen_create(options, NULL, &cut, NULL) == LANEWISE_OK);
		memset(bits, 0, sizeof bits);
		if (insert(whole, wide, s, 0, n, bits) != LANEWISE_OK) {
			FUZZ_REQUIRE(options->max_bytes && lanewise_seen_count(whole) == lanewise_seen_capacity(whole));
			n = 0;
		} else {
			require_answers(whole, options, s, bits);
		}
		for (size_t at = 0; at < n; at++)
			if (step && at % step == 0) {
				size_t part = step < n - at ? step : n - at;
				uint64_t some[MOST / 64 + 1];

				FUZZ_REQUIRE(insert(cut, wide, s, at, part, some) == LANEWISE_OK);
				for (size_t i = 0; i < part; i++)
					FUZZ_REQUIRE(bit(some, i) == bit(bits, at + i));
			} else if (!step) {
				FUZZ_REQUIRE(insert(cut, wide, s, at, 1, &one) == LANEWISE_OK);
				FUZZ_REQUIRE((int)one == bit(bits, at));
			}
		FUZZ_REQUIRE(n == 0 || lanewise_seen_count(cut) == lanewise_seen_count(whole));
		if (tier == 0)
			memcpy(first, bits, sizeof bits);
		else
			FUZZ_REQUIRE(n == 0 || memcmp(first, bits, (n + 7) / 8) == 0);
		lanewise_seen_destroy(whole);
		lanewise_seen_destroy(cut);
	}
}

static int32_t equal(void *context, uint64_t a, uint64_t b)
{
	const struct sequence *s = context;

	return s->high[a] == s->high[b];
}

static void run_map(const struct sequence *s)
{
	uint64_t numbers[MOST], first[MOST];
	lanewise_seen_map *map;

	for (size_t i = 0; i < s->n; i++)
		numbers[i] = i;
	FUZZ_REQUIRE(lanewise_seen_map_create(0, NULL, &map, NULL) == LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_seen_map_insert(map, s->low, numbers, s->n, equal, (void *)(uintptr_t)s, first, NULL) ==
	             LANEWISE_OK);
	for (size_t i = 0; i < s->n; i++) {
		size_t k = 0;

		while (s->low[k] != s->low[i] || s->high[k] != s->high[i])
			k++;
		FUZZ_REQUIRE(first[i] == k);
	}
	lanewise_seen_map_destroy(map);
}

/* Bytes as a file, with its checksums put right, then the same object written and read again. */
static void run_file(const uint8_t *data, size_t size)
{
	unsigned char *bytes = aligned_alloc(64, (size + 63) / 64 * 64 + 64);
	lanewise_file *file;
	lanewise_seen *seen;
	uint64_t hashes[3] = { 0, 1, UINT64_MAX }, bits;
	lanewise_error error;

	FUZZ_REQUIRE(bytes != NULL);
	memcpy(bytes, data, size);
	if (size >= 64)
		repair_file(bytes, size);
	if (lanewise_file_open_memory(bytes, size, NULL, &file, NULL) == LANEWISE_OK) {
		if (lanewise_seen_open(file, NULL, NULL, &seen, &error) == LANEWISE_OK) {
			lanewise_seen_insert_64(seen, hashes, 3, &bits, NULL);
			lanewise_seen_find_64(seen, hashes, 3, &bits);
			(void)lanewise_seen_count(seen);
			lanewise_seen_destroy(seen);
		} else {
			FUZZ_REQUIRE(seen == NULL && error.what[0] != 0);
		}
		lanewise_file_destroy(file);
	}
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct sequence s;
	lanewise_seen_options o = { .struct_size = sizeof o };
	uint8_t flags = fuzz_u8(&in), step = fuzz_u8(&in);

	if (flags == LW_FILE_MAGIC[0]) { /* as a file begins */
		run_file(data, size);
		return 0;
	}
	take_sequence(&in, &s);
	o.kind = flags % 4;
	o.is_seeded = 1;
	o.seed = step / 16;
	o.window = o.kind == LANEWISE_SEEN_WINDOW ? 1 + step : 0;
	o.expected = o.kind == LANEWISE_SEEN_BLOOM ? 1 + step : step % 2 * 500;
	if (o.kind <= LANEWISE_SEEN_SET128 && flags & 4)
		o.max_bytes = 4096;
	if (o.max_bytes && flags & 8)
		o.when_full = LANEWISE_SEEN_FORGET;
	run(&o, &s, step % 40);
	run_map(&s);
	return 0;
}
