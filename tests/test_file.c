/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/file.h: round trips; that every cut and every flipped bit is noticed; tables that lie with right checksums;
 * that the old file survives whatever goes wrong; allocators that fail.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <dirent.h>
#include <unistd.h>

#include <lanewise/file.h>
#include <lanewise/hash.h>

#include "counting_allocator.h"
#include "file/file_format.h"
#include "test.h"

static char directory[64], path[128];

/* ------------------------------------------------------------------- helpers */

static int files_in_directory(void)
{
	DIR *stream = opendir(directory);
	int n = 0;

	for (struct dirent *entry; stream && (entry = readdir(stream));)
		n += entry->d_name[0] != '.';
	if (stream)
		closedir(stream);
	return n;
}

static unsigned char *read_whole(const char *name, size_t *n_bytes)
{
	FILE *stream = fopen(name, "rb");
	unsigned char *bytes = malloc(4 << 20);

	*n_bytes = stream && bytes ? fread(bytes, 1, 4 << 20, stream) : 0;
	if (stream)
		fclose(stream);
	return bytes;
}

static void write_whole(const char *name, const void *bytes, size_t n_bytes)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	CHECK(fd >= 0 && write(fd, bytes, n_bytes) == (ssize_t)n_bytes);
	close(fd);
}

/* A small file of three sections: 5 x u32, an empty one, and 70 bytes; appended so many elements at a time. */
static void write_small_by(const char *name, size_t piece)
{
	const uint32_t numbers[5] = { 1, 2, 3, 0xffffffff, 5 };
	char text[70];
	lanewise_file_writer *writer;
	lanewise_error error;

	memset(text, 'x', sizeof text);
	CHECK_EQUAL(lanewise_file_writer_create(name, NULL, &writer, &error), 0);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "numbers", 4, &error), 0);
	for (size_t i = 0; i < 5; i += piece)
		CHECK_EQUAL(lanewise_file_writer_append(writer, numbers + i, 5 - i < piece ? 5 - i : piece, &error), 0);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "empty", 16, &error), 0);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "text", 1, &error), 0);
	for (size_t i = 0; i < 70; i += piece)
		CHECK_EQUAL(lanewise_file_writer_append(writer, text, 70 - i < piece ? 70 - i : piece, &error), 0);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, &error), 0);
	lanewise_file_writer_destroy(writer);
}

static void write_small(const char *name) { write_small_by(name, 1000); }

static int opens(const char *name)
{
	lanewise_file *file;
	lanewise_status status = lanewise_file_open(name, NULL, &file, NULL);

	lanewise_file_destroy(file);
	return status == LANEWISE_OK;
}

/* What opening these bytes in memory of exactly their size gives. */
static lanewise_status open_copy(const void *bytes, size_t n_bytes, lanewise_error *error)
{
	unsigned char *copy = NULL;
	lanewise_file *file = NULL;

	if (!CHECK(posix_memalign((void **)&copy, 64, n_bytes + (n_bytes == 0)) == 0))
		return LANEWISE_ERROR_NO_MEMORY;
	memcpy(copy, bytes, n_bytes);

	lanewise_status status = lanewise_file_open_memory(copy, n_bytes, NULL, &file, error);

	CHECK((file != NULL) == (status == LANEWISE_OK));
	lanewise_file_destroy(file);
	free(copy);
	return status;
}

/* That opening these bytes fails, with a text that contains `what` and an offset inside the file or at its end. */
static void expect_error(const void *bytes, size_t n_bytes, lanewise_status status, const char *what)
{
	lanewise_file *file;
	lanewise_error error = { 0 }, in_memory = { 0 };

	write_whole(path, bytes, n_bytes);
	CHECK_EQUAL(lanewise_file_open(path, NULL, &file, &error), status);
	CHECK(file == NULL);
	CHECK_EQUAL(open_copy(bytes, n_bytes, &in_memory), status);
	CHECK(memcmp(&in_memory, &error, sizeof error) == 0);
	CHECK_EQUAL(error.status, status);
	CHECK(error.offset <= n_bytes || error.offset < sizeof(struct lw_file_header));
	if (!CHECK(strstr(error.what, what) != NULL))
		fprintf(stderr, "\"%s\" does not contain \"%s\"\n", error.what, what);
	lanewise_file_destroy(file);
}

/* ---------------------------------------------------------------- round trips */

static void test_small(void)
{
	lanewise_file *file;
	lanewise_error error;
	const void *elements;
	size_t n;

	write_small(path);
	CHECK_EQUAL(files_in_directory(), 1);
	CHECK_EQUAL(lanewise_file_open(path, NULL, &file, &error), 0);
	CHECK_EQUAL(lanewise_file_section(file, "numbers", 4, &elements, &n, &error), 0);
	CHECK_EQUAL(n, 5);
	CHECK_EQUAL((uintptr_t)elements % 64, 0);
	CHECK_EQUAL(((const uint32_t *)elements)[3], 0xffffffff);
	CHECK_EQUAL(lanewise_file_section(file, "empty", 16, &elements, &n, &error), 0);
	CHECK_EQUAL(n, 0);
	CHECK(elements != NULL);
	CHECK_EQUAL(lanewise_file_section(file, "text", 1, &elements, &n, &error), 0);
	CHECK_EQUAL(n, 70);
	CHECK_EQUAL(((const char *)elements)[69], 'x');
	CHECK_EQUAL(lanewise_file_offset(file, elements), 128);
	CHECK_EQUAL(lanewise_file_offset(file, (const char *)elements + 69), 128 + 69);
	CHECK(lanewise_file_offset(file, NULL) == LANEWISE_NO_OFFSET);
	CHECK(lanewise_file_offset(file, &n) == LANEWISE_NO_OFFSET);
	CHECK_EQUAL(lanewise_file_section(file, "numbers", 8, &elements, &n, &error), LANEWISE_ERROR_DATA);
	CHECK(strstr(error.what, "section numbers: element bytes is 4, expected 8") != NULL);
	CHECK_EQUAL(error.offset, 64 + 64 + 128 + offsetof(struct lw_file_entry, element_bytes));
	CHECK_EQUAL(lanewise_file_section(file, "number", 4, &elements, &n, &error), LANEWISE_ERROR_DATA);
	CHECK(strstr(error.what, "no section number") != NULL);
	CHECK_EQUAL(lanewise_file_section(file, NULL, 4, &elements, &n, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_section(file, "no", 4, &elements, &n, NULL), LANEWISE_ERROR_DATA);
	lanewise_file_destroy(file);
}

/* Random sections, around the block size too, appended in random pieces. */
static void test_round_trip(uint64_t *seed)
{
	enum { MOST = 3 * LW_FILE_BLOCK };
	static const size_t sizes[] = {
		0, 1, 63, 64, 65, LW_FILE_BLOCK - 1, LW_FILE_BLOCK, LW_FILE_BLOCK + 1, 2 * LW_FILE_BLOCK
	};
	unsigned char *bytes = malloc(MOST);
	size_t length[12];
	int n_sections = 1 + (int)(test_random(seed) % 12);
	lanewise_file_writer *writer;
	lanewise_file *file;
	char name[16];

	for (size_t i = 0; i < MOST; i++)
		bytes[i] = (unsigned char)(i * 2654435761u >> 13);
	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	for (int s = 0; s < n_sections; s++) {
		length[s] = test_random(seed) % 2 ? sizes[test_random(seed) % 9] : test_random(seed) % 5000;
		snprintf(name, sizeof name, "section%d", s);
		CHECK_EQUAL(lanewise_file_writer_section(writer, name, 1, NULL), 0);
		for (size_t done = 0; done < length[s];) {
			size_t most = test_random(seed) % 2 ? 100000 : MOST;
			size_t n = 1 + test_random(seed) % most;

			n = n < length[s] - done ? n : length[s] - done;
			CHECK_EQUAL(lanewise_file_writer_append(writer, bytes + s + done, n, NULL), 0);
			done += n;
		}
	}
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), 0);
	lanewise_file_writer_destroy(writer);

	CHECK_EQUAL(lanewise_file_open(path, NULL, &file, NULL), 0);
	for (int s = 0; s < n_sections; s++) {
		const void *elements;
		size_t n;

		snprintf(name, sizeof name, "section%d", s);
		CHECK_EQUAL(lanewise_file_section(file, name, 1, &elements, &n, NULL), 0);
		CHECK_EQUAL(n, length[s]);
		CHECK(memcmp(elements, bytes + s, n) == 0);
	}
	lanewise_file_destroy(file);
	free(bytes);
}

/* The bytes of a file do not depend on how it was cut into appends. */
static void test_memory(void)
{
	size_t n_bytes, n;
	unsigned char *bytes, *aligned = NULL;
	lanewise_file *file = NULL;
	lanewise_error error;
	const void *elements = NULL;

	write_small(path);
	bytes = read_whole(path, &n_bytes);
	if (!CHECK(posix_memalign((void **)&aligned, 64, n_bytes + 64) == 0))
		return;
	memcpy(aligned, bytes, n_bytes);
	CHECK_EQUAL(lanewise_file_open_memory(aligned, n_bytes, NULL, &file, &error), LANEWISE_OK);
	CHECK_EQUAL(lanewise_file_section(file, "text", 1, &elements, &n, &error), LANEWISE_OK);
	CHECK(n == 70 && elements == aligned + 128 && lanewise_file_offset(file, elements) == 128);
	lanewise_file_destroy(file);
	CHECK(memcmp(aligned, bytes, n_bytes) == 0);
	memmove(aligned + 32, aligned, n_bytes);
	CHECK_EQUAL(lanewise_file_open_memory(aligned + 32, n_bytes, NULL, &file, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK(strstr(error.what, "aligned") != NULL);
	CHECK_EQUAL(lanewise_file_open_memory(NULL, n_bytes, NULL, &file, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_open_memory(aligned, n_bytes, NULL, NULL, &error), LANEWISE_ERROR_ARGUMENT);
	free(aligned);
	free(bytes);
}

static void test_same_bytes(void)
{
	size_t n_a, n_b;
	unsigned char *a, *b;

	write_small(path);
	a = read_whole(path, &n_a);
	for (size_t piece = 1; piece < 8; piece++) {
		write_small_by(path, piece);
		b = read_whole(path, &n_b);
		CHECK(n_a == n_b && memcmp(a, b, n_a) == 0);
		free(b);
	}
	free(a);
}

static void test_no_sections(void)
{
	lanewise_file_writer *writer;

	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), 0);
	lanewise_file_writer_destroy(writer);
	CHECK(opens(path));
}

static void test_many_sections(void)
{
	lanewise_file_writer *writer;
	char name[16];

	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	for (int i = 0; i < LANEWISE_FILE_MAX_SECTIONS; i++) {
		snprintf(name, sizeof name, "%d", i);
		CHECK_EQUAL(lanewise_file_writer_section(writer, name, 1, NULL), 0);
		CHECK_EQUAL(lanewise_file_writer_append(writer, name, strlen(name), NULL), 0);
	}
	CHECK_EQUAL(lanewise_file_writer_section(writer, "more", 1, NULL), LANEWISE_ERROR_TOO_LARGE);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), 0);
	lanewise_file_writer_destroy(writer);
	CHECK(opens(path));
}

/* -------------------------------------------------------------------- damage */

static void test_truncation(void)
{
	size_t n_bytes;
	unsigned char *bytes;

	write_small(path);
	bytes = read_whole(path, &n_bytes);
	CHECK_EQUAL(n_bytes, 64 + 64 + 128 + 3 * 64);
	for (size_t n = 0; n < n_bytes; n++)
		expect_error(bytes, n, LANEWISE_ERROR_DATA,
		             n < 64 ? "header: the file ends after" : "header: file size");
	free(bytes);
}

static void test_extension(void)
{
	size_t n_bytes;
	unsigned char *bytes;

	write_small(path);
	bytes = read_whole(path, &n_bytes);
	memset(bytes + n_bytes, 0, 64);
	expect_error(bytes, n_bytes + 1, LANEWISE_ERROR_DATA, "header: file size");
	expect_error(bytes, n_bytes + 64, LANEWISE_ERROR_DATA, "header: file size");
	free(bytes);
}

/* What the error for damage at this byte of the small file must name. */
static const char *field_at(size_t byte)
{
	if (byte < 8)
		return "header: magic";
	if (byte >= 12 && byte < 16)
		return "header: byte order";
	if (byte < 64)
		return "header: checksum";
	if (byte < 128)
		return "section numbers: checksum";
	return byte < 256 ? "section text: checksum" : "section table: checksum";
}

static void test_bit_flips(void)
{
	size_t n_bytes;
	unsigned char *bytes;

	write_small(path);
	bytes = read_whole(path, &n_bytes);
	for (size_t bit = 0; bit < 8 * n_bytes; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		expect_error(bytes, n_bytes, LANEWISE_ERROR_DATA, field_at(bit / 8));
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	write_whole(path, bytes, n_bytes);
	CHECK(opens(path));
	free(bytes);
}

/* Without checksums of sections, damage is noticed where it is in the header or table, and elsewhere when it is asked for. */
static void test_map(void)
{
	lanewise_file *file;
	lanewise_error error;
	size_t n_bytes, n;
	unsigned char *bytes;
	const void *elements;

	write_small(path);
	bytes = read_whole(path, &n_bytes);
	CHECK_EQUAL(lanewise_file_map(path, NULL, &file, &error), LANEWISE_OK);
	CHECK_EQUAL(lanewise_file_verify(file, &error), LANEWISE_OK);
	lanewise_file_destroy(file);
	for (size_t byte = 0; byte < n_bytes; byte++) {
		int in_section = byte >= 64 && byte < 256;

		bytes[byte] ^= 0x20;
		write_whole(path, bytes, n_bytes);
		CHECK_EQUAL(lanewise_file_map(path, NULL, &file, &error),
		            in_section ? LANEWISE_OK : LANEWISE_ERROR_DATA);
		if (in_section && file) {
			CHECK_EQUAL(lanewise_file_verify(file, &error), LANEWISE_ERROR_DATA);
			CHECK(strncmp(error.what, field_at(byte), strlen(field_at(byte))) == 0);
			CHECK_EQUAL(lanewise_file_section(file, "numbers", 4, &elements, &n, &error), LANEWISE_OK);
		} else {
			CHECK(file == NULL);
		}
		lanewise_file_destroy(file);
		bytes[byte] ^= 0x20;
	}
	CHECK_EQUAL(lanewise_file_map(NULL, NULL, &file, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_verify(NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	free(bytes);
}

/* ------------------------------------------------------- tables that lie */

/* The small file, to be changed by a test, and then given checksums that hold. */
static struct forgery {
	struct lw_file_header header;
	unsigned char sections[192];
	struct lw_file_entry entries[3];
} forged;

static void begin_forgery(void)
{
	size_t n_bytes;
	unsigned char *bytes;

	write_small(path);
	bytes = read_whole(path, &n_bytes);
	CHECK_EQUAL(n_bytes, sizeof forged);
	memcpy(&forged, bytes, sizeof forged);
	free(bytes);
}

static void expect_forgery_error(lanewise_status status, const char *what)
{
	size_t n = forged.header.n_sections < 3 ? forged.header.n_sections : 3;

	forged.header.table_checksum = lanewise_xxh3_64(forged.entries + 3 - n, n * sizeof forged.entries[0], 0);
	forged.header.header_checksum = lanewise_xxh3_64(&forged.header, 56, 0);
	expect_error(&forged, sizeof forged, status, what);
	begin_forgery();
}

static void test_forged_headers(void)
{
	static const uint64_t sizes[] = { 0, 1, 63, 64, sizeof forged - 1, sizeof forged + 1, UINT64_MAX, INT64_MAX };

	begin_forgery();
	forged.header.version = 2;
	expect_forgery_error(LANEWISE_ERROR_UNSUPPORTED, "header: format version is 2");
	forged.header.version = 0;
	expect_forgery_error(LANEWISE_ERROR_UNSUPPORTED, "header: format version is 0");
	forged.header.byte_order = 0x04030201;
	expect_forgery_error(LANEWISE_ERROR_UNSUPPORTED, "header: byte order");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		forged.header.file_size = sizes[i];
		expect_forgery_error(LANEWISE_ERROR_DATA, "header: file size");
		forged.header.table_offset = sizes[i];
		expect_forgery_error(LANEWISE_ERROR_DATA, "header: table offset");
	}
	forged.header.n_sections = 4;
	expect_forgery_error(LANEWISE_ERROR_DATA, "header: table offset");
	forged.header.n_sections = 0;
	expect_forgery_error(LANEWISE_ERROR_DATA, "header: table offset");
	forged.header.n_sections = 7;
	expect_forgery_error(LANEWISE_ERROR_DATA, "header: section count is 7");
	forged.header.n_sections = UINT32_MAX;
	expect_forgery_error(LANEWISE_ERROR_DATA, "header: section count");
	forged.header.n_sections = 1025;
	expect_forgery_error(LANEWISE_ERROR_DATA, "header: section count is 1025, the limit");
	forged.header.zero = 1;
	expect_forgery_error(LANEWISE_ERROR_DATA, "header: a reserved field");
	forged.header.zero2 = 1;
	expect_forgery_error(LANEWISE_ERROR_DATA, "header: a reserved field");
	/* One section fewer, the table shorter: its first entry now lies where the last section ends. */
	forged.header.n_sections = 2;
	forged.header.table_offset += 64;
	expect_forgery_error(LANEWISE_ERROR_DATA, "section empty: offset");
}

static void test_forged_names(void)
{
	static const char names[][17] = { "", "sixteen bytes 16", "tab\there", "high\x80", "del\x7f" };

	begin_forgery();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		memcpy(forged.entries[1].name, names[i], 16);
		expect_forgery_error(LANEWISE_ERROR_DATA, "section table: entry 1: name is not");
	}
	forged.entries[1].name[10] = 'x';
	expect_forgery_error(LANEWISE_ERROR_DATA, "section table: entry 1: name is not");
	memcpy(forged.entries[2].name, "numbers\0", 8);
	expect_forgery_error(LANEWISE_ERROR_DATA, "section table: entry 2: name numbers occurs twice");
}

static void test_forged_entries(void)
{
	static const uint64_t counts[] = { UINT64_MAX, UINT64_MAX / 4,    UINT64_MAX / 4 + 2, (uint64_t)1 << 62,
		                           49,         (uint64_t)1 << 63, INT64_MAX };
	static const uint64_t offsets[] = { 0, 32, 63, 65, 64 + 192, sizeof forged, UINT64_MAX, UINT64_MAX - 63 };

	begin_forgery();
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		forged.entries[0].n = counts[i];
		expect_forgery_error(LANEWISE_ERROR_DATA, "section numbers:");
	}
	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
		forged.entries[0].offset = offsets[i];
		expect_forgery_error(LANEWISE_ERROR_DATA, "section numbers: offset");
	}
	/* The last section over the one before it, and one long enough to cover the next. */
	forged.entries[2].offset = 64;
	expect_forgery_error(LANEWISE_ERROR_DATA, "section text: offset is 64, but the section before ends at 128");
	forged.entries[0].n = 17;
	expect_forgery_error(LANEWISE_ERROR_DATA, "section empty: offset is 128");
	/* A gap, and bytes between the last section and the table. */
	forged.entries[2].offset = 192;
	expect_forgery_error(LANEWISE_ERROR_DATA, "section text: offset");
	forged.entries[2].n = 1;
	expect_forgery_error(LANEWISE_ERROR_DATA, "header: table offset is 256, but the last section ends at 192");
	forged.entries[0].element_bytes = 0;
	expect_forgery_error(LANEWISE_ERROR_DATA, "section numbers: element bytes is 0");
	forged.entries[0].element_bytes = UINT32_MAX;
	expect_forgery_error(LANEWISE_ERROR_DATA, "section numbers: 5 elements of 4294967295 bytes");
	forged.entries[0].zero = 1;
	expect_forgery_error(LANEWISE_ERROR_DATA, "section numbers: a reserved field");
	forged.entries[0].zero2[1] = 1;
	expect_forgery_error(LANEWISE_ERROR_DATA, "section numbers: a reserved field");
	forged.entries[1].checksum = 1;
	expect_forgery_error(LANEWISE_ERROR_DATA, "section empty: checksum");
}

/* ---------------------------------------------------------------- replacement */

static void test_abort_keeps_old(void)
{
	lanewise_file_writer *writer;
	size_t before, after;
	unsigned char *old, *new;

	write_small(path);
	old = read_whole(path, &before);
	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "other", 1, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_append(writer, "abc", 3, NULL), 0);
	CHECK_EQUAL(files_in_directory(), 2);
	lanewise_file_writer_destroy(writer);
	CHECK_EQUAL(files_in_directory(), 1);
	new = read_whole(path, &after);
	CHECK(before == after && memcmp(old, new, before) == 0);
	free(old);
	free(new);
}

/* Writes 3 MiB in a process whose files may have `limit` bytes, and exits with 0 if that failed as it should. */
static int fail_at_limit(rlim_t limit)
{
	struct rlimit rlimit = { limit, limit };
	static unsigned char bytes[LW_FILE_BLOCK];
	lanewise_file_writer *writer;
	lanewise_error error = { 0 }, again = { 0 };
	lanewise_status status = 0;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &rlimit);
	if (lanewise_file_writer_create(path, NULL, &writer, &error) ||
	    lanewise_file_writer_section(writer, "bytes", 1, &error))
		return 1;
	for (int i = 0; i < 3 && !status; i++)
		status = lanewise_file_writer_append(writer, bytes, sizeof bytes, &error);
	if (!status)
		status = lanewise_file_writer_commit(writer, &error);
	if (status != LANEWISE_ERROR_SYSTEM || strncmp(error.what, "write: ", 7) != 0)
		return 2;
	/* The failure stays. */
	if (lanewise_file_writer_append(writer, bytes, 1, &again) != status || strcmp(again.what, error.what) != 0 ||
	    lanewise_file_writer_section(writer, "more", 1, NULL) != status ||
	    lanewise_file_writer_commit(writer, NULL) != status)
		return 3;
	lanewise_file_writer_destroy(writer);
	return 0;
}

static void test_write_failure(void)
{
	static const rlim_t limits[] = {
		0, 64, 65, 1000, LW_FILE_BLOCK, 3 * LW_FILE_BLOCK, 3 * LW_FILE_BLOCK + 64, 3 * LW_FILE_BLOCK + 127
	};

	write_small(path);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		pid_t child = fork();
		int status = 0;

		if (child == 0)
			_exit(fail_at_limit(limits[i]));
		CHECK(child > 0 && waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status));
		CHECK_EQUAL(WEXITSTATUS(status), 0);
		CHECK_EQUAL(files_in_directory(), 1);
		CHECK(opens(path));
	}
}

/* A reader of the old file keeps it while it is replaced. */
static void test_replace_under_reader(void)
{
	lanewise_file_writer *writer;
	lanewise_file *file;
	const void *elements;
	size_t n;

	write_small(path);
	CHECK_EQUAL(lanewise_file_open(path, NULL, &file, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_append(writer, "x", 1, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "x", 1, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), LANEWISE_ERROR_ARGUMENT);
	lanewise_file_writer_destroy(writer);
	CHECK_EQUAL(lanewise_file_section(file, "numbers", 4, &elements, &n, NULL), 0);
	CHECK_EQUAL(((const uint32_t *)elements)[4], 5);
	lanewise_file_destroy(file);
}

/* ---------------------------------------------------------------- misuse, system */

static void test_arguments(void)
{
	lanewise_file_writer *writer;
	lanewise_file *file;
	lanewise_error error;

	CHECK_EQUAL(lanewise_file_writer_create(NULL, NULL, &writer, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_create("", NULL, &writer, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_create("/tmp/", NULL, &writer, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_open(NULL, NULL, &file, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_open(path, NULL, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	lanewise_file_destroy(NULL);
	lanewise_file_writer_destroy(NULL);

	CHECK_EQUAL(lanewise_file_writer_create(path, NULL, &writer, NULL), 0);
	CHECK_EQUAL(lanewise_file_writer_append(writer, "x", 1, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "", 1, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "sixteen bytes 16", 1, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "a\n", 1, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "a", 0, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "fifteen bytes 1", 1, &error), 0);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "fifteen bytes 1", 1, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_append(writer, NULL, 1, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_append(writer, NULL, 0, &error), 0);
	CHECK_EQUAL(lanewise_file_writer_section(writer, "wide", 16, &error), 0);
	CHECK_EQUAL(lanewise_file_writer_append(writer, "x", SIZE_MAX / 8, &error), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_file_writer_commit(writer, NULL), 0);
	lanewise_file_writer_destroy(writer);
	CHECK(opens(path));
}

static void expect_system_error(const char *name, const char *open_error, const char *create_error)
{
	lanewise_file_writer *writer = NULL;
	lanewise_file *file = NULL;
	lanewise_error error = { 0 };

	CHECK_EQUAL(lanewise_file_open(name, NULL, &file, &error), LANEWISE_ERROR_SYSTEM);
	CHECK(strstr(error.what, open_error) != NULL);
	CHECK(error.offset == LANEWISE_NO_OFFSET);
	CHECK_EQUAL(lanewise_file_writer_create(name, NULL, &writer, &error), LANEWISE_ERROR_SYSTEM);
	CHECK(strstr(error.what, create_error) != NULL);
}

static void test_system_errors(void)
{
	char name[5000];

	snprintf(name, sizeof name, "%s/missing/file", directory);
	expect_system_error(name, "open: No such file", "open of the directory: No such file");
	expect_system_error(directory, "not a regular file", "no regular file");
	expect_system_error("/dev/null", "not a regular file", "no regular file");
	snprintf(name, sizeof name, "%s/fifo", directory);
	CHECK_EQUAL(mkfifo(name, 0666), 0);
	expect_system_error(name, "not a regular file", "no regular file");
	unlink(name);
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	expect_system_error(name, "File name too long", "File name too long");
	name[255] = '\0'; /* a good name, but the temporary file's would be too long */
	CHECK_EQUAL(lanewise_file_writer_create(name, NULL, &(lanewise_file_writer *) { NULL }, NULL),
	            LANEWISE_ERROR_SYSTEM);
}

/* ------------------------------------------------------------------ allocators */

static void test_allocators(void)
{
	struct counter counter = { .fail_from = 1 };
	lanewise_allocator allocator = counting_allocator(&counter);
	lanewise_file_writer *writer;
	lanewise_file *file;
	lanewise_error error = { 0 };

	write_small(path);
	CHECK_EQUAL(lanewise_file_open(path, &allocator, &file, &error), LANEWISE_ERROR_NO_MEMORY);
	CHECK_EQUAL(error.status, LANEWISE_ERROR_NO_MEMORY);
	CHECK_EQUAL(lanewise_file_writer_create(path, &allocator, &writer, &error), LANEWISE_ERROR_NO_MEMORY);
	CHECK_EQUAL(files_in_directory(), 1);
	counter.fail_from = 0;
	CHECK_EQUAL(lanewise_file_open(path, &allocator, &file, &error), 0);
	CHECK_EQUAL(lanewise_file_writer_create(path, &allocator, &writer, &error), 0);
	CHECK_EQUAL(counter.n_held, 2);
	lanewise_file_destroy(file);
	lanewise_file_writer_destroy(writer);
	CHECK_EQUAL(lanewise_file_open("/nowhere/at/all", &allocator, &file, &error), LANEWISE_ERROR_SYSTEM);
	CHECK_EQUAL(lanewise_file_writer_create("/nowhere/at/all", &allocator, &writer, &error), LANEWISE_ERROR_SYSTEM);
	CHECK_EQUAL(counter.n_held, 0);
	CHECK_EQUAL(counter.n_bytes, 0);
}

int main(void)
{
	uint64_t seed = 1;

	snprintf(directory, sizeof directory, "/tmp/lanewise-test-file-%ld", (long)getpid());
	if (mkdir(directory, 0700) != 0) {
		perror(directory);
		return 1;
	}
	snprintf(path, sizeof path, "%s/a file", directory);
	test_small();
	for (int i = 0; i < 30; i++)
		test_round_trip(&seed);
	test_memory();
	test_same_bytes();
	test_no_sections();
	test_many_sections();
	test_truncation();
	test_extension();
	test_bit_flips();
	test_map();
	test_forged_headers();
	test_forged_names();
	test_forged_entries();
	test_abort_keeps_old();
	test_write_failure();
	test_replace_under_reader();
	test_arguments();
	test_system_errors();
	test_allocators();
	CHECK_EQUAL(files_in_directory(), 1);
	unlink(path);
	rmdir(directory);
	return test_result();
}
