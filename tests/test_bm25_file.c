/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved BM25 indexes: what comes back is what was saved, the same texts give the same bytes, and whatever numbers a
 * file with right checksums holds, it is refused by section and place or can be searched safely.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "bm25/bm25.h"
#include "bm25_image.h"
#include "test.h"

#include <math.h>

#define S(literal) literal, sizeof(literal) - 1

enum { MAX_FOUND = 512 };

struct results {
	size_t n;
	uint32_t index[MAX_FOUND];
	float score[MAX_FOUND];
};

static void search(const lanewise_bm25 *bm25, const char *query, size_t n_bytes, struct results *results)
{
	size_t n_scratch = lanewise_bm25_scratch_size(bm25, MAX_FOUND);
	void *scratch = aligned_alloc(64, (n_scratch + 63) / 64 * 64);

	memset(results, 0, sizeof *results);
	CHECK_EQUAL(lanewise_bm25_search(bm25, query, n_bytes, MAX_FOUND, scratch, results->index, results->score,
	                                 &results->n),
	            LANEWISE_OK);
	free(scratch);
}

static lanewise_bm25 *build(size_t n_documents, uint64_t seed, int without_counts)
{
	const lanewise_bm25_options options = {
		.struct_size = sizeof options, .k1 = 1.2f, .b = 0.75f, .without_counts = without_counts
	};
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;

	CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < n_documents; d++) {
		char text[512];
		size_t n = 0;

		for (uint64_t words = test_random(&seed) % 20; words > 0; words--)
			n += (size_t)snprintf(text + n, sizeof text - n, "w%u ",
			                      (unsigned)(test_random(&seed) % 12 * (test_random(&seed) % 12)));
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, text, n), LANEWISE_OK);
	}
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	return bm25;
}

/* Documents under way in test_changes: a text, and its number in the builder. */
struct kept {
	char text[128];
	uint32_t number;
};

static void add_kept(lanewise_bm25_builder *builder, struct kept *kept, uint64_t *seed)
{
	size_t n = 0;

	for (uint64_t words = test_random(seed) % 12; words > 0; words--)
		n += (size_t)snprintf(kept->text + n, sizeof kept->text - n, "w%u ",
		                      (unsigned)(test_random(seed) % 9 * (test_random(seed) % 9)));
	kept->text[n] = '\0';
	kept->number = (uint32_t)lanewise_bm25_builder_n_documents(builder);
	CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, kept->text, n), LANEWISE_OK);
}

/* The builder's index finds the documents of a rebuilt one under their numbers; made compact, it is the same bytes. */
static void compare_rebuilt(lanewise_bm25_builder *builder, const lanewise_bm25_options *options, struct kept *kept,
                            size_t n_kept, int compact)
{
	static struct results found, expected;
	lanewise_bm25_builder *fresh = NULL;
	lanewise_bm25 *changed = NULL, *rebuilt = NULL;

	if (compact)
		lanewise_bm25_builder_compact(builder);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &changed), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_create(options, NULL, &fresh), LANEWISE_OK);
	for (size_t i = 0; i < n_kept; i++)
		CHECK_EQUAL(lanewise_bm25_builder_add_text(fresh, kept[i].text, strlen(kept[i].text)), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(fresh, NULL, &rebuilt), LANEWISE_OK);
	for (size_t i = 0; compact && i < n_kept; i++)
		kept[i].number = (uint32_t)i;
	search(changed, S("w0 w8 w1 w12 w64 w0 w35"), &found);
	search(rebuilt, S("w0 w8 w1 w12 w64 w0 w35"), &expected);
	CHECK_EQUAL(found.n, expected.n);
	for (size_t i = 0; i < found.n && i < expected.n; i++)
		CHECK(found.index[i] == kept[expected.index[i]].number && found.score[i] == expected.score[i]);
	CHECK_EQUAL(lanewise_bm25_n_terms(changed), lanewise_bm25_n_terms(rebuilt));

	struct image image = image_of(changed), image_rebuilt = image_of(rebuilt);
	lanewise_bm25 *opened = NULL;
	lanewise_file *file = NULL;

	if (compact)
		CHECK(image.n_bytes == image_rebuilt.n_bytes &&
		      !memcmp(image.bytes, image_rebuilt.bytes, image.n_bytes));
	CHECK_EQUAL(image_open(&image, &file, NULL), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_open(file, NULL, &opened, NULL), LANEWISE_OK);
	search(opened, S("w0 w8 w1 w12 w64 w0 w35"), &expected);
	CHECK(!memcmp(&found, &expected, sizeof found));
	lanewise_bm25_destroy(opened);
	lanewise_file_destroy(file);
	free(image.bytes);
	free(image_rebuilt.bytes);
	lanewise_bm25_destroy(changed);
	lanewise_bm25_destroy(rebuilt);
	lanewise_bm25_builder_destroy(fresh);
}

/* Documents added and removed in random order, the builder made compact now and then. */
static void test_changes(void)
{
	static struct kept kept[400];
	uint64_t seed = 21;

	for (int round = 0; round < 14; round++) {
		lanewise_bm25_options options = {
			sizeof options, 1.5f, 0.75f, (lanewise_bm25_variant)(round % 7), 1, 0.25f, round >= 7
		};
		lanewise_bm25_builder *builder = NULL;
		size_t n_kept = 0;

		CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_OK);
		for (int step = 0; step < 300; step++) {
			if (n_kept == 0 || test_random(&seed) % 5 < 3) {
				add_kept(builder, &kept[n_kept++], &seed);
			} else {
				size_t i = test_random(&seed) % n_kept;
				uint32_t number = kept[i].number;

				CHECK_EQUAL(lanewise_bm25_builder_remove(builder, number), LANEWISE_OK);
				CHECK_EQUAL(lanewise_bm25_builder_remove(builder, number), LANEWISE_ERROR_ARGUMENT);
				memmove(&kept[i], &kept[i + 1], (--n_kept - i) * sizeof *kept);
			}
			if (step % 40 == 39)
				compare_rebuilt(builder, &options, kept, n_kept, step % 80 == 79);
		}
		while (n_kept)
			CHECK_EQUAL(lanewise_bm25_builder_remove(builder, kept[--n_kept].number), LANEWISE_OK);
		compare_rebuilt(builder, &options, kept, 0, 0);
		compare_rebuilt(builder, &options, kept, 0, 1);
		CHECK_EQUAL(lanewise_bm25_builder_n_documents(builder), 0);
		CHECK_EQUAL(lanewise_bm25_builder_remove(builder, 0), LANEWISE_ERROR_ARGUMENT);
		CHECK_EQUAL(lanewise_bm25_builder_remove(NULL, 0), LANEWISE_ERROR_ARGUMENT);
		lanewise_bm25_builder_destroy(builder);
	}
}

static void test_round_trip(int without_counts)
{
	static const char query[] = "w0 w6 w9 w9 w16 nothing w121";
	static const size_t sizes[] = { 0, 1, 2, 50, 400 };

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		lanewise_bm25 *made = build(sizes[i], i, without_counts), *again = build(sizes[i], i, without_counts),
		              *opened = NULL, *reopened = NULL;
		struct image image = image_of(made), same = image_of(again), third;
		struct results expected, actual;
		lanewise_file *file = NULL;
		lanewise_error error = { .what = "" };

		CHECK(image.n_bytes > 0 && image.n_bytes == same.n_bytes &&
		      !memcmp(image.bytes, same.bytes, same.n_bytes));
		CHECK_EQUAL(image_open(&image, &file, &error), LANEWISE_OK);
		if (!CHECK(lanewise_bm25_open(file, NULL, &opened, &error) == LANEWISE_OK)) {
			fprintf(stderr, "%s\n", error.what);
			continue;
		}
		CHECK_EQUAL(lanewise_bm25_n_documents(opened), sizes[i]);
		CHECK_EQUAL(lanewise_bm25_n_terms(opened), lanewise_bm25_n_terms(made));
		CHECK_EQUAL(lanewise_bm25_has_counts(made), !without_counts);
		CHECK_EQUAL(lanewise_bm25_has_counts(opened), !without_counts);
		search(made, S(query), &expected);
		search(opened, S(query), &actual);
		CHECK(!memcmp(&expected, &actual, sizeof expected));
		CHECK(sizes[i] < 50 || actual.n > 10);

		/* Saving what was opened gives the same bytes again. */
		third = image_of(opened);
		CHECK(third.n_bytes == image.n_bytes && !memcmp(third.bytes, image.bytes, image.n_bytes));
		CHECK_EQUAL(lanewise_bm25_open(file, NULL, &reopened, NULL), LANEWISE_OK);
		lanewise_bm25_destroy(opened);
		search(reopened, S(query), &actual);
		CHECK(!memcmp(&expected, &actual, sizeof expected));
		lanewise_bm25_destroy(reopened);
		lanewise_file_destroy(file);
		lanewise_bm25_destroy(made);
		lanewise_bm25_destroy(again);
		free(image.bytes);
		free(same.bytes);
		free(third.bytes);
	}
}

/* Opens a changed image. If it is refused, the error must name a section and lie in the file; if not, search it. */
static lanewise_status try_image(const struct image *image, lanewise_error *error)
{
	lanewise_file *file = NULL;
	lanewise_bm25 *bm25 = NULL;
	lanewise_status status;
	struct results results;

	image_seal(image);
	memset(error, 0, sizeof *error);
	if (!CHECK(image_open(image, &file, error) == LANEWISE_OK)) {
		fprintf(stderr, "%s\n", error->what);
		return LANEWISE_ERROR_SYSTEM;
	}
	status = lanewise_bm25_open(file, NULL, &bm25, error);
	if (status) {
		CHECK(bm25 == NULL);
		CHECK(status == LANEWISE_ERROR_DATA || status == LANEWISE_ERROR_UNSUPPORTED);
		CHECK_EQUAL(error->status, status);
		CHECK(strstr(error->what, "bm25.") != NULL);
		CHECK(error->offset < image->n_bytes);
	} else {
		search(bm25, S("w0 w1 w2 w3 w4 w6 w8 w9 w10 w99 w110 w121 zzz"), &results);
		for (size_t i = 0; i < results.n; i++)
			CHECK(results.index[i] < lanewise_bm25_n_documents(bm25) && results.score[i] > 0);
	}
	lanewise_bm25_destroy(bm25);
	lanewise_file_destroy(file);
	return status;
}

static size_t find_section(const struct image *image, const char *name)
{
	size_t n = image_n_sections(image), i = 0;

	while (i < n && strcmp(image_section(image, i).name, name))
		i++;
	return CHECK(i < n) ? i : 0;
}

/* Every element of every section becomes each of these, one at a time. */
static void test_every_number(const struct image *image, int without_counts)
{
	size_t n_refused = 0, n_opened = 0;

	for (size_t i = 0; i < image_n_sections(image); i++) {
		struct lw_file_entry entry = image_section(image, i);
		size_t width = entry.element_bytes == sizeof(struct lw_bm25_header) ? 4 : entry.element_bytes;

		for (uint64_t at = entry.offset; at < entry.offset + entry.n * entry.element_bytes; at += width) {
			uint64_t old = 0;

			memcpy(&old, image->bytes + at, width);

			const uint64_t values[] = { 0,
				                    1,
				                    old - 1,
				                    old + 1,
				                    old ^ 0x80,
				                    UINT32_MAX,
				                    UINT64_MAX,
				                    UINT64_MAX / 2 + 1,
				                    image->n_bytes,
				                    old << 32 };

			for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
				lanewise_error error;

				memcpy(image->bytes + at, &values[v], width);
				if (try_image(image, &error))
					n_refused++;
				else
					n_opened++;
			}
			memcpy(image->bytes + at, &old, width);
		}
	}
	/* Most changes cannot be right; some, of a letter say, can. Without counts any quantum is. */
	CHECK((without_counts || n_refused > 10 * n_opened / 2) && n_refused > n_opened && n_opened > 0);
	image_seal(image);
}

static void expect(const struct image *image, const char *what, uint64_t offset)
{
	lanewise_error error;

	CHECK_EQUAL(try_image(image, &error), LANEWISE_ERROR_DATA);
	if (!CHECK(strstr(error.what, what) != NULL))
		fprintf(stderr, "the error is: %s; expected: %s\n", error.what, what);
	CHECK_EQUAL(error.offset, offset);
}

/* The message and the place, for one fault of each kind. */
static void test_messages(const struct image *image)
{
	struct {
		const char *section;
		size_t at, width; /* in the section, in bytes */
		uint64_t value;
		const char *what;
	} faults[] = {
		{ "bm25.header", offsetof(struct lw_bm25_header, n_documents), 8, 9, "bm25.header, n_documents: 9" },
		{ "bm25.header", offsetof(struct lw_bm25_header, n_terms), 8, 9, "bm25.header, n_terms: 9" },
		{ "bm25.header", offsetof(struct lw_bm25_header, n_terms), 8, UINT64_MAX, "bm25.header, n_terms" },
		{ "bm25.header", offsetof(struct lw_bm25_header, n_postings), 8, 9, "bm25.header, n_postings: 9" },
		{ "bm25.header", offsetof(struct lw_bm25_header, k1), 4, 0x7fc00000, "bm25.header, k1: nan" },
		{ "bm25.header", offsetof(struct lw_bm25_header, b), 4, 0x40000000, "bm25.header, b: 2" },
		{ "bm25.header", offsetof(struct lw_bm25_header, n_removed), 4, 99, "bm25.header, n_removed: 99" },
		{ "bm25.header", offsetof(struct lw_bm25_header, variant), 4, 7, "bm25.header, variant: 7" },
		{ "bm25.header", offsetof(struct lw_bm25_header, delta), 4, 0xbf800000, "bm25.header, delta: -1" },
		{ "bm25.header", offsetof(struct lw_bm25_header, floor), 4, 0x7f800000, "bm25.header, floor: inf" },
		{ "bm25.lengths", 8, 4, INT32_MAX, "bm25.lengths, element 2: the sum" },
		{ "bm25.lengths", 8, 4, 1u << 31, "bm25.lengths, element 2: 2147483648" },
		{ "bm25.quanta", 4, 2, 0xffff, "bm25.quanta, element 2: 65535 instead of" },
		{ "bm25.counts", 2, 1, 0, "bm25.counts, element 2: 0" },
		{ "bm25.counts", 2, 1, 254, "bm25.counts, element 2: 254 in a document of" },
		{ "bm25.counts", 2, 1, 255, "bm25.counts, element 2: 255, but no such number in bm25.large_at" },
		{ "bm25.run_at", 0, 4, 1, "bm25.run_at, element 0: 1 instead of 0" },
		{ "bm25.run_at", 8, 4, 0, "bm25.run_at, element 2: 0 after" },
		{ "bm25.runs", 4, 2, 0xffff, "bm25.runs, element 1: 65536 postings of the" },
		{ "bm25.most", 2, 2, 0xffff, "bm25.most, element 1: 65535 instead of" },
		{ "bm25.term_at", 0, 4, 1, "bm25.term_at, element 0: 1 instead of 0" },
		{ "bm25.term_at", 8, 4, 0, "bm25.term_at, element 2: 0 after" },
		{ "bm25.term_at", 8, 4, 1u << 30, "bm25.term_at, element 2: 1073741824 after" },
		{ "bm25.terms", 0, 1, 'z', "bm25.terms, element 2: word 1 does not come after word 0" },
		{ "bm25.posting_at", 0, 8, 1, "bm25.posting_at, element 0: 1 instead of 0" },
		{ "bm25.posting_at", 24, 8, 0, "bm25.posting_at, element 3: 0 after" },
		{ "bm25.documents", 2, 2, 0, "bm25.documents, element 1: 0 after" },
		{ "bm25.documents", 2, 2, 30, "bm25.documents, element 1: 30 of 30 documents" },
	};

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		unsigned char *section =
		        image->bytes + image_section(image, find_section(image, faults[i].section)).offset;
		uint64_t old = 0, place = (uint64_t)(section - image->bytes) + faults[i].at;

		memcpy(&old, section + faults[i].at, faults[i].width);
		memcpy(section + faults[i].at, &faults[i].value, faults[i].width);
		/* The fault of a changed letter shows where the next word, of two letters, begins. */
		expect(image, faults[i].what, strcmp(faults[i].section, "bm25.terms") ? place : place + 2);
		memcpy(section + faults[i].at, &old, faults[i].width);
	}
	/* A sum that is too small is seen at the end. */
	size_t lengths = find_section(image, "bm25.lengths");
	struct lw_file_entry entry = image_section(image, lengths);
	uint32_t *length = (uint32_t *)(void *)(image->bytes + entry.offset);
	size_t at = 0;

	while (length[at] == 0)
		at++;
	length[at]--;
	expect(image, "bm25.lengths, element 29: the sum", entry.offset + 29 * 4);
	length[at]++;
	image_seal(image);
}

/* Sections that are missing, or have elements of another size or number. */
static void test_sections(const struct image *image)
{
	for (size_t i = 0; i < image_n_sections(image); i++) {
		struct lw_file_entry entry = image_section(image, i), changed = entry;
		lanewise_error error;

		changed.name[5] = 'X';
		memcpy(image_entry(image, i), &changed, sizeof changed);
		CHECK_EQUAL(try_image(image, &error), LANEWISE_ERROR_DATA);
		CHECK(strstr(error.what, entry.name) != NULL);

		/* Half as many elements of twice the size, or the other way round. */
		changed = entry;
		if (changed.element_bytes > 1) {
			changed.element_bytes /= 2;
			changed.n *= 2;
		} else {
			changed.element_bytes = (uint32_t)changed.n;
			changed.n = 1;
		}
		memcpy(image_entry(image, i), &changed, sizeof changed);
		CHECK_EQUAL(try_image(image, &error), LANEWISE_ERROR_DATA);
		memcpy(image_entry(image, i), &entry, sizeof entry);

		/* One element less, with the same padding. */
		uint64_t end = entry.n * entry.element_bytes, padded = (end + 63) / 64;
		unsigned char last[64];
		unsigned char *element;

		if (entry.n == 0 || (end - entry.element_bytes + 63) / 64 != padded ||
		    entry.element_bytes > sizeof last)
			continue;
		element = image->bytes + entry.offset + end - entry.element_bytes;
		memcpy(last, element, entry.element_bytes);
		memset(element, 0, entry.element_bytes);
		changed = entry;
		changed.n--;
		memcpy(image_entry(image, i), &changed, sizeof changed);
		CHECK_EQUAL(try_image(image, &error), LANEWISE_ERROR_DATA);
		memcpy(element, last, entry.element_bytes);
		memcpy(image_entry(image, i), &entry, sizeof entry);
	}
	image_seal(image);
}

/* Words of other rules, and the formats before and after. */
static void test_unsupported(const struct image *image)
{
	const size_t fields[] = { offsetof(struct lw_bm25_header, word_rules),
		                  offsetof(struct lw_bm25_header, format) };
	lanewise_error error;

	for (size_t i = 0; i < 2; i++) {
		uint64_t place = image_section(image, find_section(image, "bm25.header")).offset + fields[i];

		for (int change = -1; change <= 1; change += 2) {
			unsigned char old = image->bytes[place];

			/* The rules of an index with an analyzer, for which this one lacks a section, are the next, and so
			 * is the format without counts. */
			change += change > 0;

			image->bytes[place] = (unsigned char)(old + change);
			CHECK_EQUAL(try_image(image, &error), LANEWISE_ERROR_UNSUPPORTED);
			CHECK_EQUAL(error.offset, place);
			CHECK(strstr(error.what, i ? "format: " : "word_rules: ") != NULL);
			image->bytes[place] = old;
		}
	}
	image_seal(image);
}

/* Two segments: what holds between a word's runs. */
static void test_runs(void)
{
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;
	lanewise_error error;
	struct image image;

	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	for (size_t d = 0; d < LW_BM25_SEGMENT + 10; d++)
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, "both", d % LW_BM25_SEGMENT < 3 ? 4 : 0),
		            LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	image = image_of(bm25);

	uint64_t place = image_section(&image, find_section(&image, "bm25.runs")).offset;
	uint32_t runs[2];

	memcpy(runs, image.bytes + place, sizeof runs);
	CHECK(runs[0] == 2 && runs[1] == (1u << 16 | 2));

	static const struct {
		uint32_t runs[2];
		const char *what;
	} faults[] = {
		{ { 2, 2 }, "bm25.runs, element 1: segment 0 after 0" },
		{ { 2, 2u << 16 | 2 }, "bm25.documents, element 3: 131072 of 65546" },
		{ { 1u << 16 | 2, 2u << 16 | 2 }, "bm25.documents, element 3: 131072" },
		{ { 5, 1u << 16 | 2 }, "bm25.runs, element 0: 6 postings of the 6 left" },
		{ { 2, 1u << 16 | 1 }, "bm25.runs, element 1: 2 postings of the 3 left" },
		{ { 3, 1u << 16 | 1 }, "bm25.documents, element 3: 0 after 2" },
	};

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		memcpy(image.bytes + place, faults[i].runs, sizeof runs);
		CHECK_EQUAL(try_image(&image, &error), LANEWISE_ERROR_DATA);
		if (!CHECK(strstr(error.what, faults[i].what) != NULL))
			fprintf(stderr, "the error is: %s; expected: %s\n", error.what, faults[i].what);
	}
	free(image.bytes);
	lanewise_bm25_destroy(bm25);
	lanewise_bm25_builder_destroy(builder);
}

/* Counts that do not fit a byte: kept, saved, checked, and scored as they are. */
static void test_large(void)
{
	static const size_t counts[] = { 254, 255, 256, 70000, 1 };
	static char text[2 * 70000];
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL, *opened = NULL;
	lanewise_file *file = NULL;
	struct results expected, results;
	lanewise_error error;
	struct image image;

	for (size_t i = 0; i < sizeof text; i += 2)
		memcpy(text + i, "a ", 2);
	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), LANEWISE_OK);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, text, 2 * counts[i]), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, S("b")), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	search(bm25, S("a"), &expected);
	CHECK_EQUAL(expected.n, 5);
	for (size_t i = 0; i < expected.n; i++) {
		double tf = (double)counts[expected.index[i]], mean = (254 + 255 + 256 + 70000 + 1 + 1) / 6.0;
		double part = tf / (tf + (double)1.2f * (0.25 + 0.75 * tf / mean)), idf = log(1 + 1.5 / 5.5);

		CHECK(fabs((double)expected.score[i] - idf * part) < 1e-6 * idf);
	}
	image = image_of(bm25);
	CHECK_EQUAL(image_open(&image, &file, &error), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_open(file, NULL, &opened, &error), LANEWISE_OK);
	search(opened, S("a"), &results);
	CHECK(!memcmp(&expected, &results, sizeof expected));
	lanewise_bm25_destroy(opened);
	lanewise_file_destroy(file);

	static const struct {
		const char *section;
		size_t at, width;
		uint64_t value;
		const char *what;
	} faults[] = {
		{ "bm25.counts", 1, 1, 200, "bm25.quanta, element 1" },
		{ "bm25.large_at", 0, 8, 0, "bm25.counts, element 1: 255, but no such number" },
		{ "bm25.large_at", 16, 8, 4, "bm25.counts, element 3: 255, but no such number" },
		{ "bm25.large", 0, 4, 254, "bm25.large, element 0: 254" },
		{ "bm25.large", 4, 4, 257, "bm25.large, element 1: 257" },
		{ "bm25.large", 8, 4, 300, "bm25.quanta, element 3" },
	};

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		unsigned char *place = image.bytes + faults[i].at +
		                       image_section(&image, find_section(&image, faults[i].section)).offset;
		uint64_t old;

		memcpy(&old, place, faults[i].width);
		memcpy(place, &faults[i].value, faults[i].width);
		CHECK_EQUAL(try_image(&image, &error), LANEWISE_ERROR_DATA);
		if (!CHECK(strstr(error.what, faults[i].what) != NULL))
			fprintf(stderr, "the error is: %s; expected: %s\n", error.what, faults[i].what);
		memcpy(place, &old, faults[i].width);
	}
	free(image.bytes);
	lanewise_bm25_destroy(bm25);
	lanewise_bm25_builder_destroy(builder);
}

static void *allocate_nothing(void *context, size_t n_bytes, size_t alignment)
{
	(void)context, (void)n_bytes, (void)alignment;
	return NULL;
}

static void release_nothing(void *context, void *p, size_t n_bytes)
{
	(void)context, (void)n_bytes;
	CHECK(p == NULL); /* there is nothing to give back */
}

static void test_arguments(const struct image *image, const lanewise_bm25 *made)
{
	lanewise_allocator nothing = { allocate_nothing, release_nothing, NULL };
	lanewise_bm25 *bm25 = NULL;
	lanewise_file *file = NULL;
	lanewise_error error;

	CHECK_EQUAL(image_open(image, &file, &error), LANEWISE_OK);
	CHECK_EQUAL(lanewise_bm25_open(NULL, NULL, &bm25, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_open(file, NULL, NULL, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_open(file, &nothing, &bm25, &error), LANEWISE_ERROR_NO_MEMORY);
	CHECK_EQUAL(error.status, LANEWISE_ERROR_NO_MEMORY);
	CHECK_EQUAL(lanewise_bm25_write(made, NULL, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_bm25_write(NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK(bm25 == NULL);
	lanewise_file_destroy(file);
}

/* Three segments, so that there are runs of all sizes and words with several. */
static lanewise_bm25 *build_segments(void)
{
	const lanewise_bm25_options options = { sizeof options, 1.2f, 0.75f, LANEWISE_BM25_LUCENE, 0, 0, 1 };
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;

	CHECK_EQUAL(lanewise_bm25_builder_create(&options, NULL, &builder), LANEWISE_OK);
	for (uint32_t d = 0; d < 2 * LW_BM25_SEGMENT + 300; d++) {
		char text[32] = "";

		if (d < 300 || d % LW_BM25_SEGMENT < 2)
			snprintf(text, sizeof text, d % 2 ? "common" : "common w%u", (unsigned)(d / 2 % 3));
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, text, strlen(text)), LANEWISE_OK);
	}
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	return bm25;
}

/* What is wrong with the sections of runs that only these files have. */
static void test_short_runs(void)
{
	lanewise_bm25 *bm25 = build_segments();
	struct image image = image_of(bm25);
	static const struct {
		const char *section;
		size_t at, width;
		uint64_t value;
		const char *what;
	} faults[] = {
		{ "bm25.segments", 2, 2, 0, "bm25.segments, element 1: 0 after 0 of word 0" },
		{ "bm25.segments", 4, 2, 9, "bm25.documents, element 302: 589824 of 131372 documents" },
		{ "bm25.sizes", 0, 1, 254, "bm25.segments, element 3" },
		{ "bm25.sizes", 1, 1, 255, "bm25.sizes, element 1: 255, but section bm25.large_runs has only 1" },
		{ "bm25.sizes", 1, 1, 254, "bm25.sizes" },
		{ "bm25.large_runs", 0, 2, 254, "bm25.large_runs, element 0: 254" },
		{ "bm25.large_runs", 0, 2, 65535, "bm25.sizes, element 0: 65536 postings of the" },
		{ "bm25.run_at", 0, 4, 1, "bm25.run_at, element 0" },
	};
	lanewise_error error;

	CHECK(image.n_bytes && try_image(&image, &error) == LANEWISE_OK);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		unsigned char *place = image.bytes +
		                       image_section(&image, find_section(&image, faults[i].section)).offset +
		                       faults[i].at;
		uint64_t old = 0;

		memcpy(&old, place, faults[i].width);
		memcpy(place, &faults[i].value, faults[i].width);
		CHECK_EQUAL(try_image(&image, &error), LANEWISE_ERROR_DATA);
		if (i != 2 && i != 4 && !CHECK(strstr(error.what, faults[i].what) != NULL))
			fprintf(stderr, "the error is: %s; expected: %s\n", error.what, faults[i].what);
		memcpy(place, &old, faults[i].width);
	}
	free(image.bytes);
	lanewise_bm25_destroy(bm25);
}

static void test_without_counts(void)
{
	lanewise_bm25 *made = build(30, 2, 1), *whole = build(30, 2, 0);
	struct image image = image_of(made), larger = image_of(whole);
	lanewise_error error;

	CHECK(image.n_bytes > 0 && image.n_bytes < larger.n_bytes);
	CHECK_EQUAL(try_image(&image, &error), LANEWISE_OK);
	test_every_number(&image, 1);
	test_sections(&image);
	test_arguments(&image, made);
	test_short_runs();
	CHECK_EQUAL(try_image(&image, &error), LANEWISE_OK);
	free(image.bytes);
	free(larger.bytes);
	lanewise_bm25_destroy(made);
	lanewise_bm25_destroy(whole);
}

int main(void)
{
	test_round_trip(0);
	test_round_trip(1);
	test_changes();

	lanewise_bm25 *made = build(30, 2, 0);
	struct image image = image_of(made);
	lanewise_error error;

	if (!CHECK(image.n_bytes > 0 && try_image(&image, &error) == LANEWISE_OK))
		return test_result();
	test_messages(&image);
	test_every_number(&image, 0);
	test_sections(&image);
	test_unsupported(&image);
	test_runs();
	test_large();
	test_arguments(&image, made);
	CHECK_EQUAL(try_image(&image, &error), LANEWISE_OK);
	free(image.bytes);
	lanewise_bm25_destroy(made);
	test_without_counts();
	return test_result();
}
