/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/seen.h against arrays that are searched from end to end: every kind, batches of any size, on every tier; then
 * limits, memory, false duplicates, files, and hashes chosen to meet.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <lanewise/seen.h>

#include "counting_allocator.h"
#include "test.h"

enum { MOST = 3000 };

static uint64_t seed = 1;

/* -------------------------------------------------------------------- truth */

/* The last `window` different ones (0: all); is_new tells of each hash. */
struct truth {
	lanewise_hash128 known[MOST];
	size_t first, end, window;
};

static int knows(const struct truth *t, lanewise_hash128 hash)
{
	for (size_t i = t->first; i < t->end; i++)
		if (t->known[i].low == hash.low && t->known[i].high == hash.high)
			return 1;
	return 0;
}

static int insert_truth(struct truth *t, lanewise_hash128 hash)
{
	if (knows(t, hash))
		return 1;
	t->known[t->end++] = hash;
	if (t->window && t->end - t->first > t->window)
		t->first++;
	return 0;
}

static int bit(const uint64_t *bits, size_t i) { return (int)(bits[i / 64] >> i % 64 & 1); }

/* ---------------------------------------------------------------- sequences */

static lanewise_hash128 hashes[MOST];

/* `kinds` different ones in random order, among them 0, all ones, and pairs that share a half. */
static void make_hashes(size_t kinds)
{
	for (size_t i = 0; i < MOST; i++) {
		uint64_t which = test_random(&seed) % kinds;

		hashes[i].low = which < 2 ? 0 - which : which * 0xd6e8feb86659fd93;
		hashes[i].high = test_random(&seed) % 2;
	}
}

static lanewise_status insert(lanewise_seen *seen, int wide, size_t at, size_t n, uint64_t *bits, size_t *taken)
{
	uint64_t low[MOST];

	if (wide)
		return lanewise_seen_insert_128(seen, hashes + at, n, bits, taken);
	for (size_t i = 0; i < n; i++)
		low[i] = hashes[at + i].low;
	return lanewise_seen_insert_64(seen, low, n, bits, taken);
}

static lanewise_status find(const lanewise_seen *seen, int wide, size_t at, size_t n, uint64_t *bits)
{
	uint64_t low[MOST];

	if (wide)
		return lanewise_seen_find_128(seen, hashes + at, n, bits);
	for (size_t i = 0; i < n; i++)
		low[i] = hashes[at + i].low;
	return lanewise_seen_find_64(seen, low, n, bits);
}

static lanewise_hash128 seen_as(int wide, size_t i)
{
	return wide ? hashes[i] : (lanewise_hash128) { hashes[i].low, 0 };
}

/* Everything in batches of 1 ... 400, each asked for before and after. */
static void follow(lanewise_seen *seen, int wide, size_t window)
{
	static struct truth truth;
	uint64_t bits[MOST / 64 + 1];
	size_t wrong = 0;

	truth = (struct truth) { .window = window };
	for (size_t at = 0, n, taken; at < MOST; at += n) {
		n = 1 + test_random(&seed) % 400;
		n = n < MOST - at ? n : MOST - at;
		CHECK_EQUAL(find(seen, wide, at, n, bits), LANEWISE_OK);
		for (size_t i = 0; i < n; i++)
			wrong += bit(bits, i) != knows(&truth, seen_as(wide, at + i));
		memset(bits, 0xff, sizeof bits);
		CHECK_EQUAL(insert(seen, wide, at, n, bits, &taken), LANEWISE_OK);
		CHECK_EQUAL(taken, n);
		for (size_t i = 0; i < n; i++)
			wrong += bit(bits, i) != insert_truth(&truth, seen_as(wide, at + i));
		for (size_t i = n; i % 64; i++)
			wrong += bit(bits, i);
		CHECK_EQUAL(lanewise_seen_count(seen), truth.end - truth.first);
	}
	CHECK_EQUAL(wrong, 0);
}

static lanewise_seen *create(lanewise_seen_options options)
{
	lanewise_seen *seen = NULL;
	lanewise_error error;

	options.struct_size = sizeof options;
	if (!CHECK(lanewise_seen_create(&options, NULL, &seen, &error) == LANEWISE_OK))
		fprintf(stderr, "%s\n", error.what);
	return seen;
}

static void test_kinds(void)
{
	static const size_t kinds[] = { 1, 10, 300, 100000 };

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		make_hashes(kinds[k]);
		for (int wide = 0; wide < 2; wide++)
			for (int reserved = 0; reserved < 2; reserved++) {
				lanewise_seen *seen = create((lanewise_seen_options) {
				        .kind = wide ? LANEWISE_SEEN_SET128 : LANEWISE_SEEN_SET64,
				        .expected = reserved ? MOST : 0 });

				follow(seen, wide, 0);
				lanewise_seen_clear(seen);
				CHECK_EQUAL(lanewise_seen_count(seen), 0);
				follow(seen, wide, 0);
				lanewise_seen_destroy(seen);
			}
		for (size_t window = 1; window < 2000; window = 3 * window + 1) {
			lanewise_seen *seen =
			        create((lanewise_seen_options) { .kind = LANEWISE_SEEN_WINDOW, .window = window });

			follow(seen, 0, window);
			lanewise_seen_clear(seen);
			follow(seen, 0, window);
			CHECK_EQUAL(lanewise_seen_kind(seen), LANEWISE_SEEN_WINDOW);
			CHECK_EQUAL(lanewise_seen_capacity(seen), window);
			lanewise_seen_destroy(seen);
		}
	}
}

/* ------------------------------------------------------------------- limits */

static void test_refuse(void)
{
	struct counter counter = { 0 };
	const lanewise_allocator allocator = counting_allocator(&counter);
	lanewise_seen_options options = { .struct_size = sizeof options, .max_bytes = 8192 };

	make_hashes(1000000);
	for (int wide = 0; wide < 2; wide++) {
		lanewise_seen *seen;
		uint64_t bits[MOST / 64 + 1];
		size_t taken, capacity;

		options.kind = wide;
		CHECK_EQUAL(lanewise_seen_create(&options, &allocator, &seen, NULL), LANEWISE_OK);
		capacity = (size_t)lanewise_seen_capacity(seen);
		CHECK(capacity >= 8192 / (wide ? 32 : 16) && capacity < MOST);
		CHECK_EQUAL(insert(seen, wide, 0, MOST, bits, &taken), LANEWISE_ERROR_CAPACITY);
		CHECK(taken >= capacity && taken < MOST);
		CHECK_EQUAL(lanewise_seen_count(seen), capacity);
		CHECK(counter.n_bytes <= 8192 + 1024);
		CHECK_EQUAL(lanewise_seen_memory(seen), 8192);
		/* What is in is still told, what is not is refused. */
		CHECK_EQUAL(insert(seen, wide, 0, taken, bits, &taken), LANEWISE_OK);
		for (size_t i = 0; i < taken; i++)
			CHECK(bit(bits, i));
		CHECK_EQUAL(insert(seen, wide, taken, 1, bits, &taken), LANEWISE_ERROR_CAPACITY);
		CHECK_EQUAL(taken, 0);
		lanewise_seen_destroy(seen);
		CHECK_EQUAL(counter.n_bytes, 0);
	}
}

/* Answers of a set that forgets: none is false, and the last half of its capacity is always told. */
static void test_forget(void)
{
	make_hashes(3000);
	for (int wide = 0; wide < 2; wide++)
		for (size_t most = 1; most < 1000; most = 4 * most + 7) {
			lanewise_seen *seen = create((lanewise_seen_options) {
			        .kind = wide, .when_full = LANEWISE_SEEN_FORGET, .max_bytes = 4096, .is_seeded = 1 });
			size_t half = (size_t)lanewise_seen_capacity(seen) / 2, wrong = 0;
			static struct truth all, last;
			uint64_t bits[MOST / 64 + 1];

			all = (struct truth) { 0 };
			last = (struct truth) { .window = half };
			for (size_t at = 0, n; at < MOST; at += n) {
				n = 1 + test_random(&seed) % most;
				n = n < MOST - at ? n : MOST - at;
				CHECK_EQUAL(insert(seen, wide, at, n, bits, NULL), LANEWISE_OK);
				for (size_t i = 0; i < n; i++) {
					lanewise_hash128 hash = seen_as(wide, at + i);
					int known = insert_truth(&last, hash);

					wrong += known && !bit(bits, i);
					wrong += bit(bits, i) && !knows(&all, hash);
					insert_truth(&all, hash);
				}
				CHECK(lanewise_seen_count(seen) <= lanewise_seen_capacity(seen));
			}
			CHECK_EQUAL(wrong, 0);
			CHECK_EQUAL(lanewise_seen_memory(seen), 4096);
			CHECK(lanewise_seen_count(seen) >= half);
			lanewise_seen_destroy(seen);
		}
}

/* However a sequence is cut into batches, the answers are the same, also where something is forgotten. */
static void test_cuts(void)
{
	uint64_t whole[MOST / 64 + 1], part[MOST / 64 + 1];
	size_t wrong = 0;

	make_hashes(1500);
	for (int wide = 0; wide < 2; wide++) {
		lanewise_seen_options options = { .kind = wide, .when_full = LANEWISE_SEEN_FORGET, .max_bytes = 4096 };
		lanewise_seen *a = create(options), *b = create(options);

		CHECK_EQUAL(insert(a, wide, 0, MOST, whole, NULL), LANEWISE_OK);
		for (size_t i = 0; i < MOST; i++) {
			insert(b, wide, i, 1, part, NULL);
			wrong += bit(part, 0) != bit(whole, i);
		}
		CHECK_EQUAL(lanewise_seen_count(a), lanewise_seen_count(b));
		lanewise_seen_destroy(a);
		lanewise_seen_destroy(b);
	}
	CHECK_EQUAL(wrong, 0);
}

/* -------------------------------------------------------------------- Bloom */

/* False duplicates among new hashes, of n that are not in, per cent. */
static double false_duplicates(const lanewise_seen *seen, size_t n)
{
	size_t n_false = 0;

	for (size_t i = 0; i < n; i += 64) {
		uint64_t fresh[64], bits;

		for (size_t k = 0; k < 64; k++)
			fresh[k] = test_random(&seed) | 1;
		CHECK_EQUAL(lanewise_seen_find_64(seen, fresh, 64, &bits), LANEWISE_OK);
		n_false += (size_t)__builtin_popcountll(bits);
	}
	return 100.0 * (double)n_false / (double)n;
}

static void test_bloom(void)
{
	enum { N = 1 << 17 };
	static const struct {
		uint32_t bits;
		double most;
	} rates[] = { { 8, 5.5 }, { 12, 1.3 }, { 16, 0.4 }, { 24, 0.1 } };
	static uint64_t keys[N], bits[N / 64];

	for (size_t i = 0; i < N; i++)
		keys[i] = test_random(&seed) & ~(uint64_t)1;
	for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
		lanewise_seen *seen = create((lanewise_seen_options) { .kind = LANEWISE_SEEN_BLOOM,
		                                                       .expected = N,
		                                                       .bits_per_hash = rates[r].bits,
		                                                       .is_seeded = 1,
		                                                       .seed = 5 });
		size_t missed = 0;
		double rate;

		CHECK_EQUAL(lanewise_seen_insert_64(seen, keys, N, bits, NULL), LANEWISE_OK);
		CHECK(lanewise_seen_count(seen) > N * 0.97 && lanewise_seen_count(seen) <= N);
		CHECK_EQUAL(lanewise_seen_find_64(seen, keys, N, bits), LANEWISE_OK);
		for (size_t i = 0; i < N / 64; i++)
			missed += bits[i] != UINT64_MAX;
		CHECK_EQUAL(missed, 0);
		rate = false_duplicates(seen, N);
		printf("bloom, %u bits: %.3f %% false duplicates\n", rates[r].bits, rate);
		CHECK(rate < rates[r].most);
		CHECK(lanewise_seen_memory(seen) <= N / 8 * rates[r].bits + 64);
		lanewise_seen_destroy(seen);
	}
}

/* -------------------------------------------------------------------- files */

static lanewise_status save(const lanewise_seen *seen, const char *path)
{
	lanewise_file_writer *writer;
	lanewise_status status = lanewise_file_writer_create(path, NULL, &writer, NULL);

	if (status == LANEWISE_OK)
		status = lanewise_seen_write(seen, writer, NULL);
	if (status == LANEWISE_OK)
		status = lanewise_file_writer_commit(writer, NULL);
	lanewise_file_writer_destroy(writer);
	return status;
}

static lanewise_seen *load(const char *path, const lanewise_seen_options *options, lanewise_status expected)
{
	lanewise_file *file;
	lanewise_seen *seen = NULL;

	if (!CHECK(lanewise_file_open(path, NULL, &file, NULL) == LANEWISE_OK))
		return NULL;
	CHECK_EQUAL(lanewise_seen_open(file, options, NULL, &seen, NULL), expected);
	lanewise_file_destroy(file);
	return seen;
}

static void test_files(void)
{
	char path[] = "/tmp/lanewise_seen_XXXXXX";
	int descriptor = mkstemp(path);
	static const lanewise_seen_options all[] = {
		{ .kind = LANEWISE_SEEN_SET64 },
		{ .kind = LANEWISE_SEEN_SET128 },
		{ .kind = LANEWISE_SEEN_BLOOM, .expected = 5000 },
		{ .kind = LANEWISE_SEEN_BLOOM, .expected = 3, .bits_per_hash = 64 },
		{ .kind = LANEWISE_SEEN_WINDOW, .window = 700 },
		{ .kind = LANEWISE_SEEN_SET64, .when_full = LANEWISE_SEEN_FORGET, .max_bytes = 4096 },
	};

	make_hashes(2500);
	for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
		int wide = all[k].kind == LANEWISE_SEEN_SET128;
		lanewise_seen *seen = create(all[k]), *back;
		uint64_t before[MOST / 64 + 1], after[MOST / 64 + 1];

		CHECK_EQUAL(insert(seen, wide, 0, MOST / 2, before, NULL), LANEWISE_OK);
		CHECK_EQUAL(save(seen, path), LANEWISE_OK);
		back = load(path, NULL, LANEWISE_OK);
		if (!CHECK(back != NULL)) {
			lanewise_seen_destroy(seen);
			continue;
		}
		CHECK_EQUAL(lanewise_seen_count(back), lanewise_seen_count(seen));
		find(seen, wide, 0, MOST, before);
		find(back, wide, 0, MOST, after);
		CHECK(memcmp(before, after, (MOST + 63) / 64 * 8) == 0);
		if (all[k].max_bytes == 0) { /* and it goes on alike */
			insert(seen, wide, MOST / 2, MOST / 2, before, NULL);
			insert(back, wide, MOST / 2, MOST / 2, after, NULL);
			CHECK(memcmp(before, after, (MOST / 2 + 63) / 64 * 8) == 0);
		}
		lanewise_seen_destroy(back);
		lanewise_seen_destroy(seen);
	}

	/* Other limits. */
	lanewise_seen *seen = create((lanewise_seen_options) { .kind = LANEWISE_SEEN_WINDOW, .window = 700 }), *back;
	lanewise_seen_options options = { .struct_size = sizeof options, .kind = LANEWISE_SEEN_WINDOW, .window = 10 };
	uint64_t bits[MOST / 64 + 1];

	insert(seen, 0, 0, MOST, bits, NULL);
	CHECK_EQUAL(save(seen, path), LANEWISE_OK);
	back = load(path, &options, LANEWISE_OK);
	CHECK_EQUAL(lanewise_seen_count(back), 10);
	lanewise_seen_destroy(back);
	options.kind = LANEWISE_SEEN_SET64;
	options.window = 0;
	CHECK(load(path, &options, LANEWISE_ERROR_ARGUMENT) == NULL);
	lanewise_seen_destroy(seen);

	seen = create((lanewise_seen_options) { .expected = MOST });
	insert(seen, 0, 0, MOST, bits, NULL);
	CHECK_EQUAL(save(seen, path), LANEWISE_OK);
	options.max_bytes = 4096;
	CHECK(load(path, &options, LANEWISE_ERROR_CAPACITY) == NULL);
	options.when_full = LANEWISE_SEEN_FORGET;
	back = load(path, &options, LANEWISE_OK);
	CHECK(back && lanewise_seen_memory(back) == 4096);
	lanewise_seen_destroy(back);
	lanewise_seen_destroy(seen);
	close(descriptor);
	unlink(path);
}

/* --------------------------------------------------------------------- map */

struct things {
	const uint32_t *thing; /* number -> thing */
	size_t asked;
};

static int32_t same_thing(void *context, uint64_t a, uint64_t b)
{
	struct things *things = context;

	things->asked++;
	return things->thing[a] == things->thing[b];
}

static void test_map(void)
{
	static uint64_t keys[MOST], numbers[MOST], first[MOST];
	static uint32_t thing[MOST];

	/* Up to three things of one hash; or one thing for each, told by the hash alone. */
	for (int verify = 0; verify < 2; verify++) {
		struct things things = { .thing = thing };
		lanewise_seen_map *map;
		size_t wrong = 0, n_things = 0, taken;

		CHECK_EQUAL(lanewise_seen_map_create(0, NULL, &map, NULL), LANEWISE_OK);
		for (size_t i = 0; i < MOST; i++) {
			thing[i] = (uint32_t)(test_random(&seed) % 900);
			keys[i] = verify ? thing[i] / 3 : thing[i];
			numbers[i] = i;
		}
		for (size_t at = 0, n; at < MOST; at += n) {
			n = 1 + test_random(&seed) % 200;
			n = n < MOST - at ? n : MOST - at;
			CHECK_EQUAL(lanewise_seen_map_insert(map, keys + at, numbers + at, n,
			                                     verify ? same_thing : NULL, &things, first + at, &taken),
			            LANEWISE_OK);
			CHECK_EQUAL(taken, n);
		}
		for (size_t i = 0; i < MOST; i++) {
			size_t k = 0;

			while (thing[k] != thing[i])
				k++;
			n_things += k == i;
			wrong += first[i] != k;
		}
		CHECK_EQUAL(wrong, 0);
		CHECK_EQUAL(lanewise_seen_map_count(map), n_things);
		lanewise_seen_map_destroy(map);
	}

	/* All of one hash, all different: a few are kept, and time is not spent on the others. */
	struct things things = { .thing = thing };
	lanewise_seen_map *map;

	CHECK_EQUAL(lanewise_seen_map_create(MOST, NULL, &map, NULL), LANEWISE_OK);
	for (size_t i = 0; i < MOST; i++) {
		keys[i] = 77;
		thing[i] = (uint32_t)i;
	}
	CHECK_EQUAL(lanewise_seen_map_insert(map, keys, numbers, MOST, same_thing, &things, first, NULL), LANEWISE_OK);
	for (size_t i = 0; i < MOST; i++)
		CHECK(first[i] == i);
	CHECK_EQUAL(lanewise_seen_map_count(map), LANEWISE_MAP_SHARE);
	CHECK(things.asked <= (size_t)MOST * LANEWISE_MAP_SHARE);
	numbers[5] = UINT64_MAX;
	CHECK_EQUAL(lanewise_seen_map_insert(map, keys, numbers, MOST, NULL, NULL, first, NULL),
	            LANEWISE_ERROR_ARGUMENT);
	lanewise_seen_map_destroy(map);
}

/* ------------------------------------------------------------------ hostile */

static double seconds_for(uint64_t first, uint64_t step)
{
	enum { N = 1 << 18 };
	static uint64_t keys[N], bits[N / 64];
	struct timespec begin, end;
	lanewise_seen *seen = create((lanewise_seen_options) { 0 });

	for (uint64_t i = 0; i < N; i++)
		keys[i] = first + i * step;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	CHECK_EQUAL(lanewise_seen_insert_64(seen, keys, N, bits, NULL), LANEWISE_OK);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	CHECK_EQUAL(lanewise_seen_count(seen), N);
	lanewise_seen_destroy(seen);
	return (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
}

/* Hashes that differ only above, only below, or by any power of two: no minutes of it, which a broken mix would take. */
static void test_patterns(void)
{
	for (int shift = 0; shift <= 46; shift += 2)
		CHECK(seconds_for(test_random(&seed), (uint64_t)1 << shift) < 5);
}

static void test_arguments(void)
{
	lanewise_seen *seen;
	lanewise_error error = { 0 };
	uint64_t hash = 1, bits;
	lanewise_hash128 wide = { 1, 2 };
	lanewise_seen_options o = { .struct_size = sizeof o };
	static const lanewise_seen_options wrong[] = {
		{ .kind = 4 },
		{ .kind = -1 },
		{ .when_full = 2 },
		{ .when_full = LANEWISE_SEEN_FORGET },
		{ .kind = LANEWISE_SEEN_BLOOM, .when_full = LANEWISE_SEEN_FORGET, .max_bytes = 5000 },
		{ .max_bytes = 100 },
		{ .window = 3 },
		{ .kind = LANEWISE_SEEN_WINDOW },
		{ .kind = LANEWISE_SEEN_WINDOW, .window = 5, .max_bytes = 5000 },
		{ .kind = LANEWISE_SEEN_BLOOM },
		{ .bits_per_hash = 3 },
		{ .bits_per_hash = 65 },
		{ .is_seeded = 2 },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		lanewise_seen_options bad = wrong[i];

		bad.struct_size = sizeof bad;
		error.what[0] = 0;
		CHECK_EQUAL(lanewise_seen_create(&bad, NULL, &seen, &error), LANEWISE_ERROR_ARGUMENT);
		CHECK(error.what[0] != 0 && seen == NULL);
	}
	CHECK_EQUAL(lanewise_seen_create(&(lanewise_seen_options) { 0 }, NULL, &seen, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_seen_create(NULL, NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	o.expected = UINT64_MAX;
	CHECK_EQUAL(lanewise_seen_create(&o, NULL, &seen, &error), LANEWISE_ERROR_TOO_LARGE);
	o.kind = LANEWISE_SEEN_BLOOM;
	CHECK_EQUAL(lanewise_seen_create(&o, NULL, &seen, &error), LANEWISE_ERROR_TOO_LARGE);
	o = (lanewise_seen_options) { .struct_size = sizeof o, .max_bytes = UINT64_MAX };
	CHECK_EQUAL(lanewise_seen_create(&o, NULL, &seen, &error), LANEWISE_ERROR_TOO_LARGE);

	CHECK_EQUAL(lanewise_seen_create(NULL, NULL, &seen, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_seen_insert_128(seen, &wide, 1, &bits, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_seen_find_128(seen, &wide, 1, &bits), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_seen_insert_64(seen, NULL, 1, &bits, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_seen_insert_64(seen, &hash, 1, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_seen_insert_64(seen, NULL, 0, NULL, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_seen_find_64(seen, NULL, 0, NULL), LANEWISE_OK);
	lanewise_seen_destroy(seen);
	lanewise_seen_destroy(NULL);
	lanewise_seen_map_destroy(NULL);
}

int main(void)
{
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (!lanewise_tier_supported(tier))
			continue;
		lanewise_set_tier(tier);
		test_kinds();
		test_refuse();
		test_forget();
		test_cuts();
		test_files();
	}
	test_bloom();
	test_map();
	test_patterns();
	test_arguments();
	return test_result();
}
