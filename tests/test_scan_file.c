/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved pattern sets: what comes back finds what was saved, the same patterns give the same bytes, every cut and every
 * flipped bit is noticed; and whatever a file with right checksums holds, it is refused by section and place, or scans
 * with it stay where they may.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <inttypes.h>

#include "scan/scan_set.h"
#include "scan_image.h"
#include "test.h"

enum { MAX_PATTERNS = 3000, MAX_TEXT = 9000 };

static uint64_t random_state = 8;

static size_t below(size_t n) { return (size_t)(test_random(&random_state) % n); }

static char path[64];

/* ------------------------------------------------------------------- sets */

static unsigned char pool[1 << 17];
static lanewise_pattern patterns[MAX_PATTERNS];
static size_t n_patterns, pool_used;

static void add_pattern(const void *bytes, size_t n)
{
	memcpy(pool + pool_used, bytes, n);
	patterns[n_patterns++] = (lanewise_pattern) { pool + pool_used, n };
	pool_used += n;
}

/* Of the first `n_letters` of an alphabet; 0: of all bytes. */
static unsigned char any_byte(size_t n_letters)
{
	return n_letters == 0 ? (unsigned char)below(256) : (unsigned char)"aAb cxyz_BCdefghijkl"[below(n_letters)];
}

static void make_patterns(size_t n, size_t shortest, size_t longest, size_t n_letters)
{
	unsigned char bytes[256];

	n_patterns = pool_used = 0;
	while (n_patterns < n) {
		size_t n_bytes = shortest + below(longest - shortest + 1);

		for (size_t i = 0; i < n_bytes; i++)
			bytes[i] = any_byte(n_letters);
		add_pattern(bytes, n_bytes);
	}
}

static lanewise_scan_set *create(int ignore_case)
{
	lanewise_scan_set_options options = { sizeof options, ignore_case };
	lanewise_scan_set *set = NULL;

	CHECK_EQUAL(lanewise_scan_set_create(patterns, n_patterns, &options, NULL, &set, NULL), LANEWISE_OK);
	return set;
}

enum { KINDS = 8 };

/* Random sets of all kinds: with and without filter, of rows alone and with other states, of many patterns, by grams. */
static lanewise_scan_set *create_kind(int kind)
{
	static const struct {
		size_t n, shortest, longest, n_letters;
	} kinds[KINDS] = { { 1, 1, 8, 10 },   { 12, 1, 12, 20 }, { 30, 1, 3, 3 },  { 700, 1, 6, 20 },
		           { 600, 1, 40, 0 }, { 90, 1, 100, 0 }, { 70, 8, 12, 4 }, { 1000, 12, 60, 20 } };

	kind %= 2 * KINDS;
	make_patterns(kinds[kind % KINDS].n, kinds[kind % KINDS].shortest, kinds[kind % KINDS].longest,
	              kinds[kind % KINDS].n_letters);
	if (kind % KINDS == 4) /* one state of many transitions */
		for (int i = 0; i < 200; i++) {
			unsigned char pattern[30] = "a long beginning of patterns ";

			pattern[29] = (unsigned char)i;
			add_pattern(pattern, 30);
		}
	return create(kind / KINDS);
}

static size_t make_text(unsigned char *text, size_t most, size_t n_letters)
{
	size_t n = below(most + 1);

	for (size_t i = 0; i < n; i++)
		text[i] = any_byte(n_letters);
	for (size_t i = 0; i < n / 40; i++) {
		const lanewise_pattern *pattern = &patterns[below(n_patterns)];

		if (pattern->n_bytes <= n)
			memcpy(text + below(n - pattern->n_bytes + 1), pattern->bytes, pattern->n_bytes);
	}
	return n;
}

/* ------------------------------------------------------------- round trips */

static void *make_scratch(const lanewise_scan_set *set) { return malloc(lanewise_scan_scratch_size(set)); }

struct expectation {
	lanewise_scan *scan; /* of the other set, which must give the same */
	int failed;
};

static int32_t on_match(void *context, const lanewise_match *match)
{
	struct expectation *e = context;
	lanewise_match other;

	if (lanewise_scan_next(e->scan, &other, 1) != 1 || memcmp(&other, match, sizeof other) != 0)
		e->failed = 1;
	return e->failed;
}

static void check_same_matches(const lanewise_scan_set *a, const lanewise_scan_set *b, const unsigned char *text,
                               size_t n)
{
	void *scratch = make_scratch(a), *other_scratch = make_scratch(b);
	lanewise_tier best = lanewise_active_tier();
	lanewise_match match;

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		for (int32_t i = 0; i < 8; i++) {
			lanewise_scan_options options = { sizeof options, i / 2, i % 2 };
			struct expectation e = { lanewise_scan_begin(b, &options, other_scratch), 0 };
			uint64_t counts[2];

			lanewise_scan_feed(e.scan, text, n);
			lanewise_scan_count(a, &options, text, n, scratch, &counts[0]);
			/* The last matches may need the end; on_match takes the others before. */
			if (i % 2 == 0 && i < 4) {
				CHECK_EQUAL(lanewise_scan_each(a, &options, text, n, scratch, on_match, &e),
				            LANEWISE_OK);
				CHECK(!e.failed && lanewise_scan_next(e.scan, &match, 1) == 0);
			}
			lanewise_scan_count(b, &options, text, n, other_scratch, &counts[1]);
			CHECK_EQUAL(counts[1], counts[0]);
		}
	}
	lanewise_set_tier(best);
	free(scratch);
	free(other_scratch);
}

static void check_image(const lanewise_scan_set *set, const struct scan_image *expected)
{
	struct scan_image image = scan_image_of(set);

	CHECK(image.n_bytes == expected->n_bytes && memcmp(image.bytes, expected->bytes, image.n_bytes) == 0);
	free(image.bytes);
}

static void check_file(const struct scan_image *expected)
{
	FILE *stream = fopen(path, "rb");
	unsigned char *bytes = malloc(expected->n_bytes + 1);

	CHECK(stream && fread(bytes, 1, expected->n_bytes + 1, stream) == expected->n_bytes);
	CHECK(memcmp(bytes, expected->bytes, expected->n_bytes) == 0);
	if (stream)
		fclose(stream);
	free(bytes);
}

static void test_round_trip(void)
{
	static unsigned char text[MAX_TEXT];
	int n_filters = 0, n_sparse = 0, n_grams = 0, n_both = 0;

	for (int i = 0; i < 3 * KINDS; i++) {
		lanewise_scan_set *made = create_kind(i), *copied = NULL, *mapped = NULL;
		struct scan_image image = scan_image_of(made), unaligned = { malloc(image.n_bytes + 1), 0 };
		lanewise_error error = { .what = "" };

		n_filters += made->filter != NULL;
		n_sparse += !made->all_rows;
		n_grams += made->grams.n_patterns > 0;
		n_both += made->grams.n_patterns > 0 && made->filter;
		memcpy(unaligned.bytes + 1, image.bytes, image.n_bytes);
		if (!CHECK(!lanewise_scan_set_from_image(unaligned.bytes + 1, image.n_bytes, NULL, &copied, &error) &&
		           !lanewise_scan_set_save(made, path, &error) &&
		           !lanewise_scan_set_open(path, NULL, &mapped, &error)))
			fprintf(stderr, "%d: %s\n", i, error.what);
		free(unaligned.bytes);
		check_file(&image);
		check_image(copied, &image);
		check_image(mapped, &image);
		CHECK_EQUAL(lanewise_scan_set_n_patterns(mapped), n_patterns);
		CHECK_EQUAL(lanewise_scan_scratch_size(mapped), lanewise_scan_scratch_size(made));
		for (int j = 0; j < 3; j++) {
			size_t n = make_text(text, j ? MAX_TEXT : 200, j == 2 ? 0 : 20);

			check_same_matches(made, copied, text, n);
			check_same_matches(made, mapped, text, n);
		}
		lanewise_scan_set_destroy(made);
		lanewise_scan_set_destroy(copied);
		lanewise_scan_set_destroy(mapped);
		free(image.bytes);
	}
	CHECK(n_filters > 3 && n_filters < 3 * KINDS && n_sparse > 3 && n_sparse < 3 * KINDS && n_grams > 6 &&
	      n_both > 3 && n_both < n_grams);
}

/* ----------------------------------------------------------------- damage */

static lanewise_status open_bytes(const unsigned char *bytes, size_t n, lanewise_scan_set **set, lanewise_error *error)
{
	unsigned char *exact = malloc(n + (n == 0));

	memcpy(exact, bytes, n);

	lanewise_status status = lanewise_scan_set_from_image(exact, n, NULL, set, error);

	free(exact);
	return status;
}

static void test_cuts(const struct scan_image *image)
{
	char name[64];
	int fd = memory_file(image->bytes, image->n_bytes, name);
	lanewise_scan_set *set;
	lanewise_error error;

	CHECK_EQUAL(lanewise_scan_set_open(name, NULL, &set, &error), LANEWISE_OK);
	lanewise_scan_set_destroy(set);
	for (size_t n = image->n_bytes; n-- > 0;) {
		error.offset = UINT64_MAX;
		CHECK_EQUAL(open_bytes(image->bytes, n, &set, &error), LANEWISE_ERROR_DATA);
		CHECK(!set && error.offset <= image->n_bytes);
		CHECK(ftruncate(fd, (off_t)n) == 0);
		CHECK_EQUAL(lanewise_scan_set_open(name, NULL, &set, &error), LANEWISE_ERROR_DATA);
		CHECK(!set && error.offset <= image->n_bytes);
	}
	close(fd);
}

static void test_flips(const struct scan_image *image, size_t step)
{
	for (size_t bit = 0; bit < 8 * image->n_bytes; bit += step) {
		lanewise_scan_set *set;
		lanewise_error error = { .offset = UINT64_MAX };

		image->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		CHECK(lanewise_scan_set_from_image(image->bytes, image->n_bytes, NULL, &set, &error) ==
		      LANEWISE_ERROR_DATA);
		CHECK(!set && error.offset <= image->n_bytes && error.what[0]);
		image->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

/* What a changed image with right checksums is: refused, or safe. */
static int try_sealed(const struct scan_image *image, const unsigned char *text, size_t n)
{
	lanewise_scan_set *set = NULL;
	lanewise_error error = { .offset = UINT64_MAX };

	repair_file(image->bytes, image->n_bytes);
	if (lanewise_scan_set_from_image(image->bytes, image->n_bytes, NULL, &set, &error)) {
		CHECK(error.status == LANEWISE_ERROR_DATA || error.status == LANEWISE_ERROR_UNSUPPORTED);
		if (!CHECK(!set && error.offset < image->n_bytes && strstr(error.what, "section")))
			fprintf(stderr, "%s at %" PRIu64 "\n", error.what, error.offset);
		return 0;
	}
	CHECK(scan_image_is_safe(set, text, n, n / 3));
	lanewise_scan_set_destroy(set);
	return 1;
}

static void test_sealed_flips(const struct scan_image *image, size_t n_flips)
{
	static unsigned char text[600];
	size_t n_bits = 8 * (image->n_bytes - 64 - 10 * sizeof(struct lw_file_entry)), n_opened = 0, n = 0;
	struct scan_image copy = { malloc(image->n_bytes), image->n_bytes };

	while (n < 400)
		n = make_text(text, sizeof text, below(2) ? 0 : 6);
	for (size_t i = 0; i < (n_flips ? n_flips : n_bits); i++) {
		size_t bit = 8 * 64 + (n_flips ? below(n_bits) : i);

		memcpy(copy.bytes, image->bytes, image->n_bytes);
		copy.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		n_opened += (size_t)try_sealed(&copy, text, n);
	}
	/* A large set is nearly all transitions, of which the wrong ones show. */
	CHECK((n_opened > 0 || image->n_bytes > 1 << 20) && n_opened < (n_flips ? n_flips : n_bits));
	free(copy.bytes);
}

/* A word of the table of a set with other states than rows, changed to others that occur there: transitions bent. */
static void test_bent_transitions(const struct scan_image *image)
{
	static unsigned char text[600];
	struct lw_file_entry entry = scan_image_section(image, 1);
	uint32_t *table = (uint32_t *)(void *)(image->bytes + entry.offset);
	size_t n_opened = 0, n = 0;

	CHECK(strcmp(entry.name, "scan.table") == 0);
	while (n < 400)
		n = make_text(text, sizeof text, 0);
	for (int i = 0; i < 200; i++) {
		size_t at = entry.n - 1 - below(i % 2 ? 4000 : entry.n),
		       from = entry.n - 1 - below(i % 3 ? 4000 : entry.n);
		uint32_t old = table[at];

		table[at] = table[from] + (uint32_t)(i % 5 == 0);
		n_opened += (size_t)try_sealed(image, text, n);
		table[at] = old;
	}
	CHECK(n_opened > 0 && n_opened < 200);
	repair_file(image->bytes, image->n_bytes);
}

/* ----------------------------------------------------------------- faults */

enum { HEADER, TABLE, NEXT, LENGTH, FILTER, GRAMS, ENDS, BITS, BUCKET, ENTRY, NEAR };

static void expect(const struct scan_image *image, int section, size_t at, uint32_t value, lanewise_status expected,
                   const char *what)
{
	unsigned char *place = image->bytes + scan_image_section(image, (size_t)section).offset + at;
	lanewise_scan_set *set = NULL;
	lanewise_error error = { .what = "" };
	uint32_t old;

	memcpy(&old, place, sizeof old);
	memcpy(place, &value, sizeof value);
	repair_file(image->bytes, image->n_bytes);
	CHECK_EQUAL(lanewise_scan_set_from_image(image->bytes, image->n_bytes, NULL, &set, &error), expected);
	if (!CHECK(!set && strncmp(error.what, what, strlen(what)) == 0 &&
	           error.offset == (uint64_t)(place - image->bytes)))
		fprintf(stderr, "%s at %" PRIu64 ", expected: %s at %td\n", error.what, error.offset, what,
		        place - image->bytes);
	memcpy(place, &old, sizeof old);
	repair_file(image->bytes, image->n_bytes);
}

#define EXPECT(image, section, at, value, what) expect(image, section, at, value, LANEWISE_ERROR_DATA, what)

static void test_messages(void)
{
	static const char *const words[] = { "ab", "abc", "b", "zzx", "ab" };

	n_patterns = pool_used = 0;
	for (size_t i = 0; i < 5; i++)
		add_pattern(words[i], strlen(words[i]));

	lanewise_scan_set *set = create(0);
	struct scan_image image = scan_image_of(set);
	uint32_t row = set->n_classes + 2, last = (set->rows_end / row - 1) * row;

	/* Classes: 0, a, b, c, x, z. States: the first, a, b, z, ab, zz, abc, zzx. */
	CHECK(row == 8 && last == 56 && set->all_rows);
	expect(&image, HEADER, 0, 5, LANEWISE_ERROR_UNSUPPORTED, "section scan.header, format: 5");
	EXPECT(&image, HEADER, 4, 6, "section scan.header, n_patterns: 6, but section scan.next has 5");
	EXPECT(&image, HEADER, 8, 257, "section scan.header, n_classes: 257");
	EXPECT(&image, HEADER, 12, 65, "section scan.header, rows_end: 65");
	EXPECT(&image, HEADER, 12, 72, "section scan.header, rows_end: 72");
	EXPECT(&image, HEADER, 16, 2, "section scan.header, min_length: 2 instead of 1");
	EXPECT(&image, HEADER, 20, 4, "section scan.header, max_length: 4 instead of 3");
	EXPECT(&image, HEADER, 24, 33, "section scan.header, max_offset: 33");
	EXPECT(&image, HEADER, 28, 1, "section scan.header, zero: 1");
	EXPECT(&image, HEADER, 32, 6, "section scan.header, class_of[0]: 6 of 6");
	EXPECT(&image, LENGTH, 4, 0, "section scan.length, element 1: 0");
	EXPECT(&image, LENGTH, 4, 65537, "section scan.length, element 1: 65537");
	EXPECT(&image, NEXT, 0, 5, "section scan.next, element 0: 5 after 0");
	EXPECT(&image, NEXT, 0, 1, "section scan.next, element 0: 1 after 0");
	EXPECT(&image, NEXT, 16, 0, "section scan.next, element 4: 0 after 4");
	EXPECT(&image, TABLE, 0, 1, "section scan.table, element 0: a reach of 1 in state 2");
	EXPECT(&image, TABLE, 4, 2, "section scan.table, element 1: output 2 in the first state");
	EXPECT(&image, TABLE, 8, 3, "section scan.table, element 2: there is no state 3 without output");
	EXPECT(&image, TABLE, 8, 58, "section scan.table, element 2: there is no state 58 without output");
	EXPECT(&image, TABLE, 8, 66, "section scan.table, element 2: there is no state 66 without output");
	EXPECT(&image, TABLE, 8, 0x8000000a, "section scan.table, element 2: there is no state 10 with output");
	EXPECT(&image, TABLE, 8, 42, "section scan.table, element 2: to a reach of 2 from one of 0");
	EXPECT(&image, TABLE, 8, 0x80000022, "section scan.table, element 2: to a reach of 2 from one of 0");
	/* An output that is too long shows where a transition leads to it. */
	uint32_t b = set->table[LW_SCAN_ROOT + set->class_of['b']] & ~LW_SCAN_OUTPUT;
	uint32_t *word = (uint32_t *)(void *)(image.bytes + scan_image_section(&image, TABLE).offset);
	lanewise_scan_set *opened = NULL;
	lanewise_error error = { .what = "" };

	CHECK_EQUAL(word[b - 1], 2);
	word[b - 1] = 1;
	repair_file(image.bytes, image.n_bytes);
	CHECK_EQUAL(lanewise_scan_set_from_image(image.bytes, image.n_bytes, NULL, &opened, &error),
	            LANEWISE_ERROR_DATA);
	CHECK(strstr(error.what, "pattern 1 cannot end in state") != NULL && !opened);
	free(image.bytes);
	lanewise_scan_set_destroy(set);
}

/* The fields of a filter. */
static void test_filter_messages(void)
{
	n_patterns = pool_used = 0;
	add_pattern("Qxyz", 4);
	add_pattern("Zqkv!", 5);

	lanewise_scan_set *set = create(0);
	struct scan_image image = scan_image_of(set);
	const struct lw_scan_filter *filter = set->filter;

	if (!CHECK(filter && filter->width == 4 && filter->n_places > 0))
		return;
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, width), 5, "section scan.filter, width: 5");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, width), 0, "section scan.filter, width: 0");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, mask), 0xffffff, "section scan.filter, mask: ffffff");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, n_places), 5, "section scan.filter, n_places: 5");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, n_banks), 0, "section scan.filter, n_banks: 0");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, n_banks), 3, "section scan.filter, n_banks: 3");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, letters), 1, "section scan.filter, letters: 1");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, place[1]), 4, "section scan.filter, place[1]: 4");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, slot[7][2]), 0x20202020,
	       "section scan.filter, slot[7][2]: 20202020");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, classes.n_places), 0,
	       "section scan.filter, classes.n_places: 0");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, classes.n_places), 5,
	       "section scan.filter, classes.n_places: 5");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, classes.n_banks), 0,
	       "section scan.filter, classes.n_banks: 0");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, classes.n_banks), 3,
	       "section scan.filter, classes.n_banks: 3");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, classes.place[3]), 4,
	       "section scan.filter, classes.place[3]: 4");
	free(image.bytes);
	lanewise_scan_set_destroy(set);
}

/* States that are no rows: the last ones of one transition, of more, and of none. */
struct sparse_states {
	uint32_t one, some, leaf;
	uint32_t other_leaf; /* of the same reach */
};

static struct sparse_states find_states(const lanewise_scan_set *set)
{
	struct sparse_states found = { 0, 0, 0, 0 };
	const uint32_t *table = set->table;
	unsigned char *begins = calloc(set->n_words, 1);

	for (uint32_t s = LW_SCAN_ROOT; s < set->rows_end; s += set->n_classes + 2)
		for (uint32_t c = 0; c < set->n_classes; c++)
			begins[table[s + c] & ~LW_SCAN_OUTPUT] = 1;
	for (uint32_t s = set->rows_end; s < set->n_words; s++) {
		uint32_t n = begins[s] ? table[s + 1] & 0xff : 0, first = s + 2 + (n > 1 ? (n + 3) / 4 : 0);

		for (uint32_t i = 0; i < n; i++)
			begins[table[first + i] & ~LW_SCAN_OUTPUT] = 1;
		if (begins[s])
			*(n == 0 ? &found.leaf : n == 1 ? &found.one : &found.some) = s;
	}
	for (uint32_t s = set->rows_end; s < found.leaf; s++)
		if (begins[s] && (table[s + 1] & 0xff) == 0 && table[s + 1] >> 16 == table[found.leaf + 1] >> 16)
			found.other_leaf = s;
	free(begins);
	return found;
}

static int passes_halves(const struct lw_scan_filter *filter, uint32_t window)
{
	uint8_t any = 0;

	for (uint32_t bank = 0; bank < filter->n_banks; bank++) {
		uint8_t groups = filter->high[bank][0][lw_scan_fifth_bits(window)];

		for (int j = 0; j < 4; j++)
			groups &= filter->low[bank][j][window >> 8 * j & 15];
		any |= groups;
	}
	return any != 0;
}

static int passes_classes(const struct lw_scan_classes *classes, uint32_t window)
{
	uint8_t any = 0;

	for (uint32_t bank = 0; bank < classes->n_banks; bank++) {
		uint8_t groups = 0xff;

		for (uint32_t j = 0; j < classes->n_places; j++)
			groups &= classes->groups[bank][j][(window >> 8 * classes->place[j]) % LW_SCAN_CLASSES];
		any |= groups;
	}
	return any != 0;
}

/* Four letters that pass by halves of bytes but not by classes, or 0. */
static uint32_t halves_only(const struct lw_scan_filter *filter)
{
	for (uint32_t i = 0; i < 26 * 26 * 26 * 26; i++) {
		uint32_t window = 0x61616161 + i % 26 + (i / 26 % 26 << 8) + (i / 676 % 26 << 16) + (i / 17576 << 24);

		if (passes_halves(filter, window) && !passes_classes(&filter->classes, window))
			return window;
	}
	return 0;
}

static void test_gram_messages(void)
{
	unsigned char pattern[300] = { 0 };

	make_patterns(1023, 9, 40, 20);
	add_pattern(pattern,
	            sizeof pattern); /* too long for a direct set; a stride of 4, so as many entries as buckets */

	lanewise_scan_set *set = create(0);
	struct scan_image image = scan_image_of(set);

	CHECK(set->grams.stride == 4 && set->grams.bucket_log == 12 && !set->direct);
	EXPECT(&image, GRAMS, 0, 9, "section scan.grams, width: 9");
	EXPECT(&image, GRAMS, 0, 0, "section scan.grams, width: 0");
	EXPECT(&image, GRAMS, 4, 5, "section scan.grams, stride: 5");
	EXPECT(&image, GRAMS, 4, 3, "section scan.grams, stride: 3, but scan.header has a max_offset of 3");
	EXPECT(&image, GRAMS, 8, 0, "section scan.grams, bucket_log: 0");
	EXPECT(&image, GRAMS, 8, 32, "section scan.grams, bucket_log: 32");
	EXPECT(&image, GRAMS, 8, 9, "section scan.grams, bucket_log: 9, but section scan.bucket has 4097 elements");
	EXPECT(&image, BUCKET, 0, 1, "section scan.bucket, element 0: 1 of 4096 entries");
	EXPECT(&image, BUCKET, 4096 * 4, 4097, "section scan.bucket, element 4096: 4097 of 4096 entries");
	EXPECT(&image, BUCKET, 4095 * 4, 5000, "section scan.bucket, element 4095: 5000 of 4096 entries");
	EXPECT(&image, ENTRY, 4095 * 4, 1024 << 8, "section scan.entry, element 4095: pattern 1024 of 1024");
	EXPECT(&image, ENTRY, 4095 * 4, 4, "section scan.entry, element 4095: offset 4 with a stride of 4");
	free(image.bytes);
	lanewise_scan_set_destroy(set);
}

/* Grams whose places the filter finds. */
static void test_direct_messages(void)
{
	char what[100];

	n_patterns = pool_used = 0;
	add_pattern("Qxyz1234567890abcdef", 20);
	add_pattern("Zqkv!Zq12", 9);

	lanewise_scan_set *set = create(0);
	struct scan_image image = scan_image_of(set);
	uint32_t delta = set->grams.delta;

	CHECK(set->direct && set->filter && set->grams.width == 8);
	EXPECT(&image, GRAMS, 12, 9 - set->filter->width, "section scan.grams, delta: ");
	EXPECT(&image, GRAMS, 12, UINT32_MAX, "section scan.grams, delta: 4294967295");
	EXPECT(&image, GRAMS, 4, 2, "section scan.grams, stride: 2, delta: ");
	EXPECT(&image, ENDS, 24, 9, "section scan.ends, element 0, tail_at: 9");
	EXPECT(&image, ENDS, 32 + 24, 2, "section scan.ends, element 1, tail_at: 2");
	EXPECT(&image, ENDS, 28, 21, "section scan.ends, element 0, length: 21 instead of 20");
	CHECK(delta <= 8 - set->filter->width);
	free(image.bytes);
	lanewise_scan_set_destroy(set);

	/* Windows of letters, which the other tables do not let pass. */
	make_patterns(40, 9, 20, 0);
	for (size_t i = 0; i < n_patterns; i++)
		for (size_t j = 0; j < patterns[i].n_bytes; j++)
			pool[(size_t)((const unsigned char *)patterns[i].bytes - pool) + j] =
			        (unsigned char)('a' + below(26));
	set = create(0);
	image = scan_image_of(set);
	CHECK(set->filter && set->filter->letters == 0x60);
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, letters), 0x20, "section scan.filter, letters: 32");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, place[1]), 2, "section scan.filter, place[1]: 2");
	CHECK(halves_only(set->filter));
	snprintf(what, sizeof what, "section scan.filter, slot[7][2]: %" PRIx32 " is no window by classes",
	         halves_only(set->filter));
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, slot[7][2]), halves_only(set->filter), what);
	free(image.bytes);
	lanewise_scan_set_destroy(set);
}

static void expect_state(const struct scan_image *image, uint32_t at, uint32_t value, const char *what)
{
	char text[128];

	snprintf(text, sizeof text, "section scan.table, element %u: %s", (unsigned)at, what);
	EXPECT(image, TABLE, 4 * (size_t)at, value, text);
}

/* A transition into the middle of a state: of the last row, one that led to the first state, so that none is lost. */
static void test_overlap(const lanewise_scan_set *set, const struct scan_image *image, uint32_t s)
{
	uint32_t row = set->rows_end - set->n_classes, c = 0, inside = s + 2;
	uint64_t section = scan_image_section(image, TABLE).offset;
	uint32_t *word;
	lanewise_scan_set *opened = NULL;
	lanewise_error error = { .what = "" };

	while (c < set->n_classes && set->table[row + c] != LW_SCAN_ROOT)
		c++;
	if (!CHECK(c < set->n_classes && set->table[inside + 1] >> 16 <= set->table[row - 2] + 1))
		return;
	word = (uint32_t *)(void *)(image->bytes + section + 4 * (size_t)(row + c));
	*word = inside;
	repair_file(image->bytes, image->n_bytes);
	CHECK_EQUAL(lanewise_scan_set_from_image(image->bytes, image->n_bytes, NULL, &opened, &error),
	            LANEWISE_ERROR_DATA);
	CHECK(strstr(error.what, " states, but transitions to ") != NULL && error.offset == section && !opened);
	*word = LW_SCAN_ROOT;
	repair_file(image->bytes, image->n_bytes);
}

static void test_sparse_messages(void)
{
	unsigned char beginning[181];

	make_patterns(700, 1, 200, 15);
	for (size_t i = 0; i < sizeof beginning; i++)
		beginning[i] = any_byte(15);
	for (int i = 0; i < 5; i++) {
		beginning[180] = (unsigned char)"aAb c"[i];
		add_pattern(beginning, sizeof beginning);
	}

	lanewise_scan_set *set = create(0);
	struct scan_image image = scan_image_of(set);
	struct sparse_states s = find_states(set);
	const uint32_t *table = set->table;
	uint32_t one = table[s.one + 1], some = table[s.some + 1], classes = table[s.some + 2];

	if (!CHECK(s.one > 0 && s.some > 0 && s.leaf > s.one && set->n_classes < 20))
		fprintf(stderr, "%u %u %u\n", (unsigned)s.one, (unsigned)s.some, (unsigned)s.leaf);
	expect_state(&image, s.one, s.one, "no state ");
	expect_state(&image, s.one, s.leaf, "no state ");
	expect_state(&image, s.one, 3, "no state 3 to fail to");
	expect_state(&image, s.one, LW_SCAN_ROOT | LW_SCAN_OUTPUT, "no state 2147483650 to fail to");
	expect_state(&image, s.leaf, s.one, "failing to a reach of ");
	CHECK(s.other_leaf > 0);
	expect_state(&image, s.leaf, s.other_leaf, "failing to a reach of ");
	expect_state(&image, s.one + 1, one + 64, "65 transitions");
	expect_state(&image, s.one + 1, (one & 0xffff00ff) | set->n_classes << 8, "class ");
	expect_state(&image, s.some + 1, some | 0x100, "class 1 of ");
	expect_state(&image, s.some + 2, (classes & 0xffff0000) | (classes >> 8 & 0xff) | (classes & 0xff) << 8,
	             "class ");
	expect_state(&image, s.some + 2, (classes & 0xffff00ff) | set->n_classes << 8, "class ");
	expect_state(&image, s.one + 2, s.one, "from state ");
	test_overlap(set, &image, s.one);
	expect_state(&image, s.one + 2, (uint32_t)set->n_words, "there is no state ");
	expect_state(&image, s.one + 2, (uint32_t)set->n_words - 1, "there is no state ");
	free(image.bytes);
	lanewise_scan_set_destroy(set);
}

static void *allocate_nothing(void *context, size_t n_bytes, size_t alignment)
{
	int *left = context;

	return (*left)-- > 0 ? aligned_alloc(alignment, (n_bytes + alignment - 1) / alignment * alignment) : NULL;
}

static void release(void *context, void *p, size_t n_bytes)
{
	(void)context, (void)n_bytes;
	free(p);
}

static void test_arguments(const lanewise_scan_set *made, const struct scan_image *image)
{
	int left;
	lanewise_allocator few = { allocate_nothing, release, &left };
	lanewise_scan_set *set = NULL;
	lanewise_error error;

	CHECK_EQUAL(lanewise_scan_set_save(NULL, path, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_scan_set_save(made, NULL, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_scan_set_save(made, "/nowhere/at/all", &error), LANEWISE_ERROR_SYSTEM);
	CHECK_EQUAL(lanewise_scan_set_open(NULL, NULL, &set, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_scan_set_open(path, NULL, NULL, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_scan_set_open("/nowhere/at/all", NULL, &set, &error), LANEWISE_ERROR_SYSTEM);
	CHECK_EQUAL(lanewise_scan_set_from_image(NULL, 1, NULL, &set, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_scan_set_from_image("", 0, NULL, NULL, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_scan_set_save(made, path, &error), LANEWISE_OK);
	for (int n = 0; n < 3; n++) {
		left = n;
		CHECK_EQUAL(lanewise_scan_set_from_image(image->bytes, image->n_bytes, &few, &set, &error),
		            LANEWISE_ERROR_NO_MEMORY);
		left = n;
		CHECK_EQUAL(lanewise_scan_set_open(path, &few, &set, &error), LANEWISE_ERROR_NO_MEMORY);
		CHECK(set == NULL);
	}
	left = 3;
	CHECK_EQUAL(lanewise_scan_set_open(path, &few, &set, &error), LANEWISE_OK);
	lanewise_scan_set_destroy(set);
}

/* All that can happen to a small file. */
static void test_small_set(void)
{
	n_patterns = pool_used = 0;
	add_pattern("e", 1);
	add_pattern("tea", 3);
	add_pattern("te", 2);

	lanewise_scan_set *set = create(1);
	struct scan_image image = scan_image_of(set);

	CHECK(set->filter == NULL && image.n_bytes < 4096);
	test_cuts(&image);
	test_flips(&image, 1);
	test_sealed_flips(&image, 0);
	test_arguments(set, &image);
	free(image.bytes);
	lanewise_scan_set_destroy(set);
}

static void test_large_sets(void)
{
	for (int kind = 1; kind < KINDS; kind++) {
		lanewise_scan_set *set = create_kind(kind);
		struct scan_image image = scan_image_of(set);

		/* Each try takes time in proportion to the image. */
		test_flips(&image, image.n_bytes / 250 | 1);
		test_sealed_flips(&image, image.n_bytes > 1 << 20 ? 60 : 400);
		if (!set->all_rows)
			test_bent_transitions(&image);
		free(image.bytes);
		lanewise_scan_set_destroy(set);
	}
}

/* Grams at even places; the set that is opened is saved as the same bytes. */
static void test_even_messages(void)
{
	lanewise_scan_set *opened = NULL;

	make_patterns(700, 5, 9, 0);

	lanewise_scan_set *set = create(0);
	struct scan_image image = scan_image_of(set);

	CHECK(set->grams.near && set->grams.by_evens && set->grams.bucket_log == 12 && set->direct);
	EXPECT(&image, GRAMS, 0, 3, "section scan.grams, width: 3, stride: 2, but there is a section scan.near");
	EXPECT(&image, ENTRY, 0, 700 << 8, "section scan.entry, element 0: pattern 700 of 700");
	if (CHECK(!lanewise_scan_set_from_image(image.bytes, image.n_bytes, NULL, &opened, NULL))) {
		struct scan_image again = scan_image_of(opened);

		CHECK(again.n_bytes == image.n_bytes && memcmp(again.bytes, image.bytes, image.n_bytes) == 0);
		CHECK(opened->grams.near && opened->grams.by_evens);
		CHECK(set->has_cells && opened->has_cells);
		CHECK(memcmp(&set->cells, &opened->cells, sizeof set->cells) == 0);
		free(again.bytes);
	}
	lanewise_scan_set_destroy(opened);
	free(image.bytes);
	lanewise_scan_set_destroy(set);
}

/* So many grams that cells tell few places apart. */
static void test_no_cells(void)
{
	make_patterns(3000, 5, 9, 0);

	lanewise_scan_set *set = create(0);

	CHECK(set->grams.near && !set->has_cells);
	lanewise_scan_set_destroy(set);
}

int main(void)
{
	char directory[] = "/tmp/lanewise-test-XXXXXX";

	if (!CHECK(mkdtemp(directory) != NULL))
		return test_result();
	snprintf(path, sizeof path, "%s/set", directory);
	test_round_trip();
	test_messages();
	test_filter_messages();
	test_sparse_messages();
	test_gram_messages();
	test_direct_messages();
	test_even_messages();
	test_no_cells();
	test_small_set();
	test_large_sets();
	unlink(path);
	rmdir(directory);
	return test_result();
}
