/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files are listed first and read then, so that what is read does not depend on what is written meanwhile (the index
 * may be in the directory that is indexed), and in order of their names' bytes, so that the same files give the same
 * index on every system.
 */
#include "documents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utf8.h"

/* ------------------------------------------------------------------- finding */

static void add_file(struct document_files *files, char *path, int named)
{
	if (files->n_files == UINT32_MAX)
		tool_fail("more than %u files", UINT32_MAX);
	if (files->n_files == files->capacity) {
		files->capacity = files->capacity ? 2 * files->capacity : 64;
		files->files = tool_reallocate(files->files, files->capacity, sizeof *files->files);
	}
	files->files[files->n_files++] = (struct document_file) { path, named };
}

static void find_in_directory(struct document_files *files, const char *directory)
{
	char **names;
	size_t n;

	if (tool_list_directory(directory, &names, &n) != 0)
		tool_fail("%s: %s", directory, strerror(errno));
	tool_check_signals();
	for (size_t i = 0; i < n; i++) {
		if (names[i][0] == '.') {
			files->hidden++;
			free(names[i]);
			continue;
		}

		char *path = tool_join_path(directory, names[i]);
		struct stat about;

		free(names[i]);
		if (lstat(path, &about) != 0)
			tool_fail("%s: %s", path, strerror(errno));
		if (S_ISREG(about.st_mode)) {
			add_file(files, path, 0);
			continue;
		}
		if (S_ISDIR(about.st_mode))
			find_in_directory(files, path);
		else if (S_ISLNK(about.st_mode))
			files->links++;
		else
			files->special++;
		free(path);
	}
	free(names);
}

void documents_find(struct document_files *files, const char *path)
{
	struct stat about;

	if (strcmp(path, "-") != 0 && stat(path, &about) != 0)
		tool_fail("%s: %s", path, strerror(errno));
	if (strcmp(path, "-") != 0 && S_ISDIR(about.st_mode)) {
		find_in_directory(files, path);
		return;
	}

	char *copy = tool_allocate(strlen(path) + 1, 1);

	memcpy(copy, path, strlen(path) + 1);
	add_file(files, copy, 1);
}

const char *documents_place(const struct document_files *files, uint32_t file, uint64_t line)
{
	static char texts[2][512];
	static int turn;
	char *text = texts[turn ^= 1];
	const char *path = files->files[file].path;

	/* Of a path that is too long the end says most. */
	if (strlen(path) > 400)
		path += strlen(path) - 400;
	if (line)
		snprintf(text, sizeof texts[0], "%s:%llu", path, (unsigned long long)line);
	else
		snprintf(text, sizeof texts[0], "%s", path);
	return text;
}

void documents_free(struct document_files *files)
{
	for (size_t i = 0; i < files->n_files; i++)
		free(files->files[i].path);
	free(files->files);
	*files = (struct document_files) { 0 };
}

/* ------------------------------------------------------------------- reading */

struct reading {
	struct document_files *files;
	uint32_t file;
	const char *path;
	FILE *stream;
	document_sink *sink;
	void *context;
};

static int has_suffix(const char *path, const char *suffix)
{
	size_t length = strlen(path), suffix_length = strlen(suffix);

	return length > suffix_length && strcasecmp(path + length - suffix_length, suffix) == 0;
}

static enum document_format format_of(const char *path)
{
	return has_suffix(path, ".jsonl") || has_suffix(path, ".ndjson") ? FORMAT_JSONL : FORMAT_TEXT;
}

/* Removes the byte order mark that some programs begin a file with. */
static size_t skip_mark(const char *text, size_t n_bytes)
{
	return n_bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* Text with a NUL byte is no text: an error if the file was named, else it is passed over. */
static void meet_binary(struct reading *reading, uint64_t at)
{
	if (reading->files->files[reading->file].named)
		tool_fail("%s: byte %llu is NUL: this is no text", reading->path, (unsigned long long)at);
	reading->files->binary++;
}

static int is_blank(const char *text, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++)
		if (text[i] == '\0' || !strchr(" \t\r\n\v\f", text[i]))
			return 0;
	return 1;
}

static void read_file(struct reading *reading)
{
	enum { PIECE = 1 << 16 };
	struct buffer text = { 0 };
	size_t n;

	do {
		n = fread(buffer_reserve(&text, PIECE), 1, PIECE, reading->stream);
		text.n += n;
		tool_check_signals();
	} while (n == PIECE);

	const char *nul = text.n ? memchr(text.data, '\0', text.n) : NULL;
	size_t mark = skip_mark(text.data, text.n);

	if (nul) {
		meet_binary(reading, (uint64_t)(nul - text.data));
	} else if (is_blank(text.data + mark, text.n - mark)) {
		reading->files->empty++;
	} else {
		size_t invalid = utf8_invalid_at(text.data, text.n);

		if (invalid < text.n)
			tool_fail("%s: invalid UTF-8 at byte %zu", reading->path, invalid);

		struct document document = { .id = reading->path,
			                     .id_bytes = strlen(reading->path),
			                     .text = text.data + mark,
			                     .text_bytes = text.n - mark,
			                     .file = reading->file };

		reading->sink(reading->context, &document);
	}
	buffer_free(&text);
}

/* Where the first NUL in the first 8 kB of a file is, or -1; a pipe is not looked into. */
static long nul_at_start(int fd)
{
	char start[8192];
	ssize_t n = pread(fd, start, sizeof start, 0);
	const char *nul = n > 0 ? memchr(start, '\0', (size_t)n) : NULL;

	return nul ? (long)(nul - start) : -1;
}

/* Lines and their numbers; `before` bytes of the first were passed over. */
typedef void line_function(struct reading *reading, struct jsonl_buffers *buffers, const char *line, size_t n_bytes,
                           size_t before, uint64_t number);

static void text_line(struct reading *reading, struct jsonl_buffers *buffers, const char *line, size_t n_bytes,
                      size_t before, uint64_t number)
{
	const char *nul = memchr(line, '\0', n_bytes);
	size_t invalid = utf8_invalid_at(line, n_bytes);

	if (nul || invalid < n_bytes)
		tool_fail("%s:%zu: %s", documents_place(reading->files, reading->file, number),
		          before + (nul ? (size_t)(nul - line) : invalid) + 1,
		          nul ? "a NUL byte in text" : "invalid UTF-8");

	/* The path and the line's number; documents_place would cut a long path. */
	struct buffer *id = &buffers->id;

	id->n = 0;
	buffer_append(id, reading->path, strlen(reading->path));
	id->n += (size_t)snprintf(buffer_reserve(id, 24), 24, ":%llu", (unsigned long long)number);

	struct document document = { .id = id->data,
		                     .id_bytes = id->n,
		                     .text = line,
		                     .text_bytes = n_bytes,
		                     .file = reading->file,
		                     .line = number };

	reading->sink(reading->context, &document);
}

static void jsonl_line(struct reading *reading, struct jsonl_buffers *buffers, const char *line, size_t n_bytes,
                       size_t before, uint64_t number)
{
	struct document document = { .file = reading->file, .line = number };
	size_t at;
	const char *error = jsonl_parse(line, n_bytes, buffers, &document, &at);

	if (error)
		tool_fail("%s:%zu: %s", documents_place(reading->files, reading->file, number), before + at + 1, error);
	reading->sink(reading->context, &document);
}

/* Calls `take` for every line that is not blank, without its line end. */
static void read_lines(struct reading *reading, line_function *take)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	struct jsonl_buffers buffers = { 0 };

	for (uint64_t number = 1; (length = getline(&line, &capacity, reading->stream)) >= 0; number++) {
		size_t n = (size_t)length, mark = number == 1 ? skip_mark(line, n) : 0;

		tool_check_signals();
		if (n && line[n - 1] == '\n')
			line[--n] = '\0';
		if (n && line[n - 1] == '\r')
			line[--n] = '\0';
		if (!is_blank(line + mark, n - mark))
			take(reading, &buffers, line + mark, n - mark, mark, number);
	}
	tool_check_signals();
	if (!feof(reading->stream))
		tool_fail("%s: %s", reading->path, strerror(errno));
	free(line);
	jsonl_free(&buffers);
}

static void read_stream(struct reading *reading, enum document_format format, int per_line)
{
	if (format == FORMAT_BY_NAME)
		format = format_of(reading->path);
	if (format == FORMAT_JSONL) {
		read_lines(reading, jsonl_line);
	} else if (!per_line) {
		read_file(reading);
	} else {
		long nul = nul_at_start(fileno(reading->stream));

		if (nul >= 0)
			meet_binary(reading, (uint64_t)nul);
		else
			read_lines(reading, text_line);
	}
	if (ferror(reading->stream))
		tool_fail("%s: %s", reading->path, strerror(errno));
}

void documents_read(struct document_files *files, enum document_format format, int per_line, document_sink *sink,
                    void *context)
{
	for (size_t i = 0; i < files->n_files; i++) {
		const char *path = files->files[i].path;
		int standard_input = strcmp(path, "-") == 0 && files->files[i].named;
		struct reading reading = { .files = files,
			                   .file = (uint32_t)i,
			                   .path = standard_input ? "stdin" : path,
			                   .stream = standard_input ? stdin : fopen(path, "rb"),
			                   .sink = sink,
			                   .context = context };

		if (!reading.stream)
			tool_fail("%s: %s", path, strerror(errno));
		read_stream(&reading, format, per_line);
		if (!standard_input)
			fclose(reading.stream);
	}
}
