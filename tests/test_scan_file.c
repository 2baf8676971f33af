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

#include "counting_allocator.h"
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

static size_t rows_bytes; /* 0: all sets are compact */

static lanewise_scan_set *create(int ignore_case)
{
	lanewise_scan_set_options options = { sizeof options, ignore_case };
	lanewise_scan_set *set = NULL;

	CHECK_EQUAL(lanewise_scan_set_create_with(patterns, n_patterns, &options, rows_bytes, NULL, &set, NULL),
	            LANEWISE_OK);
	return set;
}

enum { KINDS = 8 };

/* Random sets of all kinds: with and without filter, of few states and many, of many patterns, by grams. */
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
	int n_filters = 0, n_grams = 0, n_both = 0, n_rows = 0;

	for (int i = 0; i < 3 * KINDS; i++) {
		lanewise_scan_set *made = create_kind(i), *copied = NULL, *mapped = NULL;
		struct scan_image image = scan_image_of(made), unaligned = { malloc(image.n_bytes + 1), 0 };
		lanewise_error error = { .what = "" };

		n_filters += made->filter != NULL;
		n_rows += made->rows != NULL;
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
	CHECK(n_filters > 3 && n_filters < 3 * KINDS && n_grams > 6 && n_both > 3 && n_both < n_grams);
	CHECK(rows_bytes ? n_rows > 6 && n_rows < 3 * KINDS : n_rows == 0);
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

/* The sections in their order. */
enum {
	HEADER,
	TABLE,
	NEXT,
	LENGTH,
	FILTER,
	GRAMS,
	ENDS,
	BITS,
	BUCKET,
	ENTRY,
	NEAR,
	WIDE,
	RANK,
	OUTPUT,
	FAR,
	ROWS,
	SECTIONS
};

/* Bytes of a text of which try_sealed's second piece has a block, which scan_walk reads. */
enum { BLOCK_TEXT = LW_SCAN_BLOCK * 9 / 8 + 9 };

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
	CHECK(scan_image_is_safe(set, text, n, n / 9));
	lanewise_scan_set_destroy(set);
	return 1;
}

static void test_sealed_flips(const struct scan_image *image, size_t n_flips)
{
	static unsigned char text[BLOCK_TEXT + 200];
	size_t n_bits = 8 * (image->n_bytes - 64 - SECTIONS * sizeof(struct lw_file_entry)), n_opened = 0, n = 0;
	struct scan_image copy = { malloc(image->n_bytes), image->n_bytes };

	while (n < BLOCK_TEXT)
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

/* A word of the automaton changed to others that occur there: transitions bent. */
static void test_bent_transitions(const lanewise_scan_set *set, const struct scan_image *image)
{
	static unsigned char text[BLOCK_TEXT + 200];
	struct lw_file_entry entry = scan_image_section(image, set->rows ? ROWS : TABLE);
	uint32_t *words = (uint32_t *)(void *)(image->bytes + entry.offset);
	uint32_t check = set->rows ? 0 : ~((UINT32_C(2) << set->table.state_bits) - 1);
	size_t n_opened = 0, n = 0;

	CHECK(strcmp(entry.name, set->rows ? "scan.rows" : "scan.table") == 0);
	while (n < BLOCK_TEXT)
		n = make_text(text, sizeof text, 0);
	for (int i = 0; i < 200; i++) {
		size_t near = i % 2 ? entry.n / 2 : entry.n, near_from = i % 3 ? entry.n / 2 : entry.n;
		size_t at = entry.n - 1 - below(near), from = 0;
		uint32_t old = words[at], kept = i % 3 ? check : 0;

		from = entry.n - 1 - below(near_from);
		words[at] = (words[from] & ~kept) | (old & kept);
		words[at] += (uint32_t)(i % 5 == 0);
		n_opened += (size_t)try_sealed(image, text, n);
		words[at] = old;
	}
	CHECK(n_opened > 0 && n_opened < 200);
	repair_file(image->bytes, image->n_bytes);
}

/* ----------------------------------------------------------------- faults */

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

static void expect_state(const struct scan_image *image, uint32_t at, uint32_t value, const char *what)
{
	char text[128];

	snprintf(text, sizeof text, "section scan.table, element %u: %s", (unsigned)at, what);
	EXPECT(image, TABLE, 4 * (size_t)at, value, text);
}

static lanewise_scan_set *create_words(void)
{
	static const char *const words[] = { "ab", "abc", "b", "zzx", "ab" };

	n_patterns = pool_used = 0;
	for (size_t i = 0; i < 5; i++)
		add_pattern(words[i], strlen(words[i]));
	return create(0);
}

/* The image, changed, must be refused for this. */
static void expect_refused(const struct scan_image *image, const char *what)
{
	lanewise_scan_set *opened = NULL;
	lanewise_error error = { .what = "" };

	repair_file(image->bytes, image->n_bytes);
	CHECK_EQUAL(lanewise_scan_set_from_image(image->bytes, image->n_bytes, NULL, &opened, &error),
	            LANEWISE_ERROR_DATA);
	CHECK(strstr(error.what, what) != NULL && !opened);
}

/* What is wrong with rows. */
static void test_row_messages(void)
{
	lanewise_scan_set *set = create_words();
	struct scan_image image = scan_image_of(set);

	/* Classes: 0, a, b, c, x, z. States: the first, a, b, z, ab, zz, abc, zzx. */
	CHECK(set->rows && set->n_classes == 6 && set->n_words == 64);
	EXPECT(&image, HEADER, 8, 7, "section scan.header, n_classes: 7 with 64 words of rows");
	EXPECT(&image, HEADER, 12, 1, "section scan.header, state_bits: 1 with rows");
	EXPECT(&image, ROWS, 0, 1, "section scan.rows, element 0: a reach of 1 in the first state");
	EXPECT(&image, ROWS, 8, 3, "section scan.rows, element 2: there is no state 3");
	EXPECT(&image, ROWS, 8, 66, "section scan.rows, element 2: there is no state 66");
	EXPECT(&image, ROWS, 8, 0x8000000a, "section scan.rows, element 2: output 4294967295 of state 10, which the");
	EXPECT(&image, ROWS, 8, 18, "section scan.rows, element 2: output 2 of state 18, which the transition denies");
	EXPECT(&image, ROWS, 8, 42, "section scan.rows, element 2: to a reach of 2 from one of 0");
	/* An output that is too long shows where a transition leads to it. */
	uint32_t b = lw_scan_step(set, LW_SCAN_ROOT, 'b').slot;
	uint32_t *word = (uint32_t *)(void *)(image.bytes + scan_image_section(&image, ROWS).offset);

	CHECK_EQUAL(word[b - 1], 2);
	word[b - 1] = 1;
	expect_refused(&image, "pattern 1 cannot end in state");
	free(image.bytes);
	lanewise_scan_set_destroy(set);
}

static void test_messages(void)
{
	lanewise_scan_set *set = create_words();
	struct scan_image image = scan_image_of(set);
	const struct lw_scan_table *table = &set->table;
	uint32_t a = lw_scan_step(set, LW_SCAN_ROOT, 'a').state, ab = a + 1 + set->class_of['b'];
	uint32_t z = lw_scan_step(set, LW_SCAN_ROOT, 'z').state, zz = lw_scan_step(set, z, 'z').state;
	uint32_t root_a = LW_SCAN_ROOT + 1 + set->class_of['a'], to_a = table->narrow[root_a];
	uint32_t *word = (uint32_t *)(void *)(image.bytes + scan_image_section(&image, RANK).offset);

	/* Classes: 0, a, b, c, x, z. States: the first, a, z, ab, zz; b, abc and zzx are leaves. */
	CHECK(set->n_classes == 6 && table->check_mask == 7 && table->reach_shift < 31 && !set->rows);
	expect(&image, HEADER, 0, 4, LANEWISE_ERROR_UNSUPPORTED,
	       "section scan.header, format: 4, this version reads 5");
	EXPECT(&image, HEADER, 4, 6, "section scan.header, n_patterns: 6, but section scan.next has 5");
	EXPECT(&image, HEADER, 8, 257, "section scan.header, n_classes: 257");
	EXPECT(&image, HEADER, 12, 0, "section scan.header, state_bits: 0");
	EXPECT(&image, HEADER, 12, 29, "section scan.header, state_bits: 29");
	EXPECT(&image, HEADER, 12, UINT32_MAX, "section scan.header, state_bits: 4294967295");
	EXPECT(&image, HEADER, 16, 2, "section scan.header, min_length: 2 instead of 1");
	EXPECT(&image, HEADER, 20, 4, "section scan.header, max_length: 4 instead of 3");
	EXPECT(&image, HEADER, 24, 33, "section scan.header, max_offset: 33");
	EXPECT(&image, HEADER, 28, 1, "section scan.header, reserved: 1");
	EXPECT(&image, HEADER, 32, 6, "section scan.header, class_of[0]: 6 of 6");
	EXPECT(&image, LENGTH, 4, 0, "section scan.length, element 1: 0");
	EXPECT(&image, LENGTH, 4, 65537, "section scan.length, element 1: 65537");
	EXPECT(&image, NEXT, 0, 5, "section scan.next, element 0: 5 after 0");
	EXPECT(&image, NEXT, 0, 1, "section scan.next, element 0: 1 after 0");
	EXPECT(&image, NEXT, 16, 0, "section scan.next, element 4: 0 after 4");
	EXPECT(&image, OUTPUT, 0, 5, "section scan.output, element 0: 5 of 5 patterns");
	expect_state(&image, LW_SCAN_ROOT, table->narrow[a], "a reach of 1 in the first state");
	expect_state(&image, root_a, (uint32_t)set->n_words - 1 + (to_a - a), "no state ");
	expect_state(&image, root_a, to_a - a + ab, "no state ");
	expect_state(&image, root_a, to_a - a + zz, "to a reach of 2 from one of 0");
	expect_state(&image, root_a, to_a + (UINT32_C(2) << table->state_bits),
	             "no transition for class 1 of the first state");
	expect_state(&image, root_a, to_a | UINT32_C(1) << table->reach_shift,
	             "bits besides class, output and state: ");
	expect_state(&image, root_a, to_a | UINT32_C(1) << 30, "bits besides class, output and state: ");
	expect_state(&image, a, table->narrow[a] - LW_SCAN_ROOT + ab, "no state ");
	expect_state(&image, a, table->narrow[a] - LW_SCAN_ROOT + zz, "failing to a reach of 2 from one of 1");
	expect_state(&image, z, table->narrow[z] - LW_SCAN_ROOT + a, "failing to a reach of 1 from one of 1");
	CHECK(lw_scan_has_output(table, table->narrow[ab]));
	EXPECT(&image, RANK, 0, word[0] ^ 1, "section scan.rank, element 0: bits ");
	EXPECT(&image, RANK, 8, word[2] ^ 1, "section scan.rank, element 1: bits ");
	/* Too long a pattern for where it ends. */
	word = (uint32_t *)(void *)(image.bytes + scan_image_section(&image, OUTPUT).offset);
	word[lw_scan_rank_of(set->rank[0], LW_SCAN_ROOT + 1 + set->class_of['b'])] = 1;
	expect_refused(&image, "pattern 1 cannot end behind a reach of 0");
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
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, slot_shift), 32, "section scan.filter, slot_shift: 32");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, slot_shift), 30, "section scan.filter, slot_shift: 30");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, letters), 1, "section scan.filter, letters: 1");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, place[1]), 4, "section scan.filter, place[1]: 4");
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, slot[1][2]), 0x20202020,
	       "section scan.filter, slot[1][2]: 20202020");
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
	EXPECT(&image, GRAMS, 16, 1, "section scan.grams, fold: 0x1");
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
	snprintf(what, sizeof what, "section scan.filter, slot[1][2]: %" PRIx32 " is no window by classes",
	         halves_only(set->filter));
	EXPECT(&image, FILTER, offsetof(struct lw_scan_filter, slot[1][2]), halves_only(set->filter), what);
	free(image.bytes);
	lanewise_scan_set_destroy(set);
}

enum { LARGE = 1000 /* bytes of a pattern */ };

/* `n` patterns of random bytes, and a text of every seventh of them. */
static lanewise_scan_set *create_large(unsigned char *bytes, size_t n)
{
	lanewise_pattern *large = malloc(n * sizeof *large);
	lanewise_scan_set *set = NULL;

	for (size_t i = 0; i < n * LARGE; i++)
		bytes[i] = (unsigned char)below(256);
	for (size_t i = 0; i < n; i++)
		large[i] = (lanewise_pattern) { bytes + i * LARGE, LARGE };
	CHECK_EQUAL(lanewise_scan_set_create(large, n, NULL, NULL, &set, NULL), LANEWISE_OK);
	free(large);
	return set;
}

static void check_large(const lanewise_scan_set *set, const unsigned char *bytes, size_t n)
{
	void *scratch = make_scratch(set);
	lanewise_scan *scan = lanewise_scan_begin(set, NULL, scratch);
	lanewise_match match;

	for (size_t i = 0; i < n; i += 7)
		for (size_t at = 0; at < LARGE; at += LARGE / 2) {
			uint64_t end = (uint64_t)(i / 7) * LARGE + at + LARGE / 2;

			lanewise_scan_feed(scan, bytes + i * LARGE + at, LARGE / 2);
			CHECK_EQUAL(lanewise_scan_next(scan, &match, 1), at > 0);
			CHECK_EQUAL(lanewise_scan_next(scan, &match, 1), 0);
			/* Behind a pattern another may begin with its last bytes. */
			CHECK(at > 0 ? match.pattern == i && match.end == end && lanewise_scan_safe(scan) + 8 > end
			             : lanewise_scan_safe(scan) == end - LARGE / 2);
		}
	free(scratch);
}

/* The states of scan.far in another order. */
static void expect_order(const struct scan_image *image, const uint64_t *far)
{
	uint64_t *there = (uint64_t *)(void *)(image->bytes + scan_image_section(image, FAR).offset);
	lanewise_scan_set *set = NULL;
	lanewise_error error = { .what = "" };

	there[1] = far[0];
	repair_file(image->bytes, image->n_bytes);
	CHECK_EQUAL(lanewise_scan_set_from_image(image->bytes, image->n_bytes, NULL, &set, &error),
	            LANEWISE_ERROR_DATA);
	CHECK(!set && strncmp(error.what, "section scan.far, element 1: state ", 35) == 0);
	there[1] = far[1];
	repair_file(image->bytes, image->n_bytes);
}

/* Automata so large that states' reach does not fit their words, or that words have 64 bits. */
static void test_large_automata(void)
{
	for (int wide = 0; wide < 2; wide++) {
		size_t n = wide ? 2300 : 700;
		unsigned char *bytes = malloc(n * LARGE);
		lanewise_scan_set *set = create_large(bytes, n), *opened = NULL;
		struct scan_image image = scan_image_of(set);
		uint32_t first = lw_scan_step(set, LW_SCAN_ROOT, bytes[0]).state;
		uint64_t word = lw_scan_word(&set->table, first);

		CHECK((set->table.wide != NULL) == wide && (set->n_far > n * LARGE / 2) == !wide);
		check_large(set, bytes, n);
		if (CHECK(!lanewise_scan_set_from_image(image.bytes, image.n_bytes, NULL, &opened, NULL)))
			check_large(opened, bytes, n);
		lanewise_scan_set_destroy(opened);
		if (wide)
			EXPECT(&image, WIDE, 8 * (size_t)first, (uint32_t)word + 1, "section scan.wide, element ");
		else
			expect_order(&image, set->far);
		free(image.bytes);
		free(bytes);
		lanewise_scan_set_destroy(set);
	}
}

static void test_arguments(const lanewise_scan_set *made, const struct scan_image *image)
{
	struct counter counter = { 0 };
	lanewise_allocator few = counting_allocator(&counter);
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
	for (size_t n = 0; n < 3; n++) {
		fail_after(&counter, n);
		CHECK_EQUAL(lanewise_scan_set_from_image(image->bytes, image->n_bytes, &few, &set, &error),
		            LANEWISE_ERROR_NO_MEMORY);
		fail_after(&counter, n);
		CHECK_EQUAL(lanewise_scan_set_open(path, &few, &set, &error), LANEWISE_ERROR_NO_MEMORY);
		CHECK(set == NULL && counter.n_held == 0);
	}
	fail_after(&counter, 3);
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
		test_bent_transitions(set, &image);
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
	rows_bytes = LW_SCAN_ROWS_BYTES;
	test_row_messages();
	test_filter_messages();
	test_large_automata();
	test_gram_messages();
	test_direct_messages();
	test_even_messages();
	test_no_cells();
	for (int compact = 0; compact < 2; compact++) {
		rows_bytes = compact ? 0 : LW_SCAN_ROWS_BYTES;
		test_round_trip();
		test_small_set();
		test_large_sets();
	}
	test_messages();
	unlink(path);
	rmdir(directory);
	return test_result();
}
