/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged index files, opened by the code that `lanewise search` opens them with: every truncation and every flipped
 * bit of a small one gives an error with a place, and files that lie with right checksums never lead out of bounds.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "fuzz/memory_file.h"

#include "collection_search.h"
#include "test.h"

static char directory[64], path[96];
static unsigned char *bytes;
static size_t n_bytes;

/* ------------------------------------------------------------- a small index */

static const char *const texts[] = { "the quick brown fox", "jumps over", "a lazy dog, a brown dog" };
static const char *const ids[] = { "one", "two", "three" };
enum { N = 3, DIM = 2 };

static void section(lanewise_file_writer *writer, const char *name, size_t element_bytes, const void *elements,
                    size_t n)
{
	CHECK_EQUAL(lanewise_file_writer_section(writer, name, element_bytes, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_append(writer, elements, n, NULL), 0);
}

static void strings(lanewise_file_writer *writer, const char *ends_name, const char *name, const char *const *strings_)
{
	char all[256] = "";
	uint64_t ends[N];

	for (size_t i = 0; i < N; i++) {
		strcat(all, strings_[i]);
		ends[i] = strlen(all);
	}
	section(writer, ends_name, sizeof *ends, ends, N);
	section(writer, name, 1, all, strlen(all));
}

static void write_bm25(lanewise_file_writer *writer)
{
	lanewise_bm25_builder *builder;
	lanewise_bm25 *bm25;

	CHECK_EQUAL(lanewise_bm25_builder_create(NULL, NULL, &builder), 0);
	for (size_t i = 0; i < N; i++)
		CHECK_EQUAL(lanewise_bm25_builder_add_text(builder, texts[i], strlen(texts[i])), 0);
	CHECK_EQUAL(lanewise_bm25_create(builder, NULL, &bm25), 0);
	CHECK_EQUAL(lanewise_bm25_write(bm25, writer, NULL), 0);
	lanewise_bm25_destroy(bm25);
	lanewise_bm25_builder_destroy(builder);
}

static void write_index(void)
{
	const struct collection_header header = { COLLECTION_VERSION, VECTORS_HASHED, N, DIM, 0 };
	const float vectors[N * DIM] = { 1, 0, 0, 1, 0.6f, 0.8f };
	lanewise_file_writer *writer;

	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	section(writer, "vectors", sizeof *vectors, vectors, N * DIM);
	section(writer, "collection", sizeof header, &header, 1);
	strings(writer, "id.end", "id", ids);
	strings(writer, "text.end", "text", texts);
	write_bm25(writer);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), 0);
	lanewise_file_writer_destroy(writer);
}

static void read_index(void)
{
	FILE *stream = fopen(path, "rb");

	bytes = malloc(1 << 16);
	n_bytes = stream && bytes ? fread(bytes, 1, 1 << 16, stream) : 0;
	CHECK(n_bytes > 1000 && n_bytes < 1 << 14);
	if (stream)
		fclose(stream);
}

/* -------------------------------------------------------------------- damage */

static lanewise_status open_bytes(const unsigned char *data, size_t n, lanewise_error *error)
{
	struct collection collection;
	char name[64];
	int fd = memory_file(data, n, name);
	lanewise_status status = collection_open(&collection, name, error);

	if (!status) {
		search_collection(&collection, "brown dog");
		collection_close(&collection);
	}
	close(fd);
	return status;
}

/* The error names a field or section, and a byte that a reader can look at. */
static void expect_damage(const unsigned char *data, size_t n)
{
	lanewise_error error = { 0 };

	CHECK_EQUAL(open_bytes(data, n, &error), LANEWISE_ERROR_DATA);
	CHECK(strncmp(error.what, "header: ", 8) == 0 || strncmp(error.what, "section ", 8) == 0);
	CHECK(error.offset < n || error.offset < sizeof(struct lw_file_header));
}

static void test_undamaged(void)
{
	struct collection collection;
	lanewise_error error;
	size_t length;

	CHECK_EQUAL(collection_open(&collection, path, &error), 0);
	CHECK_EQUAL(collection.n, N);
	CHECK(memcmp(collection_string(&collection.ids, 2, &length), "three", 5) == 0);
	CHECK_EQUAL(length, 5);
	CHECK_EQUAL(search_collection(&collection, "brown dog"), N);
	collection_close(&collection);
}

static void test_truncations(void)
{
	for (size_t n = 0; n < n_bytes; n++)
		expect_damage(bytes, n);
}

static void test_bit_flips(void)
{
	for (size_t bit = 0; bit < 8 * n_bytes; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		expect_damage(bytes, n_bytes);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

/* ------------------------------------------------------------------- hostility */

/* The place of a section's elements in the file, so that a test can change them. */
static unsigned char *elements_of(unsigned char *data, const char *name, struct lw_file_entry *entry)
{
	struct lw_file_header header;

	memcpy(&header, data, sizeof header);
	for (size_t i = 0; i < header.n_sections; i++) {
		memcpy(entry, data + header.table_offset + i * sizeof *entry, sizeof *entry);
		if (strcmp(entry->name, name) == 0)
			return data + entry->offset;
	}
	abort(); /* the test names a section that is not there */
}

/* Sets 8 bytes of a section, with right checksums, and expects this error at that place. */
static void expect_lie(const char *name, size_t at, uint64_t value, const char *what)
{
	unsigned char *copy = malloc(n_bytes);
	struct lw_file_entry entry;
	lanewise_error error = { 0 };

	memcpy(copy, bytes, n_bytes);
	memcpy(elements_of(copy, name, &entry) + at, &value, sizeof value);
	repair_file(copy, n_bytes);
	CHECK_EQUAL(open_bytes(copy, n_bytes, &error), LANEWISE_ERROR_DATA);
	if (!CHECK(strstr(error.what, what) != NULL))
		fprintf(stderr, "\"%s\" does not contain \"%s\"\n", error.what, what);
	CHECK(error.offset == LANEWISE_NO_OFFSET || error.offset < n_bytes);
	free(copy);
}

static void test_lies(void)
{
	const size_t n_at = offsetof(struct collection_header, n), dim_at = offsetof(struct collection_header, dim);

	expect_lie("collection", 0, 0x0000000100000002, "section collection: version");
	expect_lie("collection", 0, 0x0000000900000001, "section collection: vectors");
	expect_lie("collection", n_at, 0, "section collection: n");
	expect_lie("collection", n_at, (uint64_t)1 << 32, "section collection: n");
	expect_lie("collection", n_at, 4, "section vectors: not n * dim");
	expect_lie("collection", n_at, UINT32_MAX, "section vectors: not n * dim");
	expect_lie("collection", n_at, 1, "section vectors: not n * dim");
	expect_lie("collection", dim_at, 0, "section collection: dim");
	expect_lie("collection", dim_at, UINT32_MAX, "section vectors: not n * dim");
	expect_lie("collection", dim_at, UINT64_MAX, "section collection: dim");
	expect_lie("collection", offsetof(struct collection_header, zero), 1, "section collection: a reserved field");
	expect_lie("id.end", 0, UINT64_MAX, "section id.end: an end before its beginning");
	expect_lie("id.end", 16, 12, "section id.end: the last end is not that of id");
	expect_lie("id.end", 16, 10, "section id.end: the last end is not that of id");
	expect_lie("text.end", 8, 1, "section text.end: an end before its beginning");
	expect_lie("text.end", 8, (uint64_t)1 << 40, "section text.end: an end before its beginning");
	expect_lie("text.end", 16, (uint64_t)1 << 40, "section text.end: the last end is not that of text");
}

/* Random changes with right checksums: whatever opens can be searched. */
static void test_random_lies(void)
{
	uint64_t seed = 7;
	unsigned char *copy = malloc(n_bytes);
	size_t opened = 0;

	for (int round = 0; round < 20000; round++) {
		lanewise_error error = { 0 };

		memcpy(copy, bytes, n_bytes);
		for (uint64_t changes = 1 + test_random(&seed) % 3; changes > 0; changes--) {
			static const uint64_t values[] = { 0,    1,          0x7f,       0x80,
				                           0xff, UINT32_MAX, UINT64_MAX, (uint64_t)1 << 62 };
			size_t at = 64 + test_random(&seed) % (n_bytes - 64 - 8);
			size_t width = (size_t)1 << test_random(&seed) % 4;

			memcpy(copy + at, &values[test_random(&seed) % 8], width);
		}
		repair_file(copy, n_bytes);
		opened += open_bytes(copy, n_bytes, &error) == LANEWISE_OK;
	}
	/* Changes of texts and vectors break nothing; a test in which nothing opens would show nothing. */
	CHECK(opened > 100);
	free(copy);
}

static void test_missing_sections(void)
{
	lanewise_file_writer *writer;
	struct collection collection;
	lanewise_error error = { 0 };

	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), 0);
	lanewise_file_writer_destroy(writer);
	CHECK_EQUAL(collection_open(&collection, path, &error), LANEWISE_ERROR_DATA);
	CHECK(strstr(error.what, "there is no section collection") != NULL);
	CHECK(collection.file == NULL);
}

int main(void)
{
	snprintf(directory, sizeof directory, "/tmp/lanewise-test-index-XXXXXX");
	if (!mkdtemp(directory)) {
		perror(directory);
		return 1;
	}
	snprintf(path, sizeof path, "%s/index", directory);
	write_index();
	read_index();
	test_undamaged();
	test_truncations();
	test_bit_flips();
	test_lies();
	test_random_lies();
	test_missing_sections();
	free(bytes);
	unlink(path);
	rmdir(directory);
	return test_result();
}
