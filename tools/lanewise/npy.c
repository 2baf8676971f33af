/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The format is NumPy's (numpy/lib/format.py describes it): "\x93NUMPY", two bytes of version, the header's length in
 * two bytes (version 1) or four, the header: a Python dictionary of 'descr', 'fortran_order' and 'shape', then the
 * elements.
 */
#include "npy.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_HEADER = 1 << 16 };

/* ------------------------------------------------------------------- header */

/* A place in the header's text, which is NUL-terminated; `file_offset` is where the text begins in the file. */
struct scanner {
	const char *path, *text, *at;
	size_t file_offset;
};

static _Noreturn void bad(const struct scanner *scanner, const char *what)
{
	tool_fail("%s: header: %s at byte %zu", scanner->path, what,
	          scanner->file_offset + (size_t)(scanner->at - scanner->text));
}

static void skip_spaces(struct scanner *scanner)
{
	while (*scanner->at == ' ' || *scanner->at == '\n')
		scanner->at++;
}

/* Consumes the character if it comes next. */
static int accept(struct scanner *scanner, char c)
{
	skip_spaces(scanner);
	if (*scanner->at != c)
		return 0;
	scanner->at++;
	return 1;
}

/* A quoted string without escapes; returns where it begins and sets its length. */
static const char *scan_string(struct scanner *scanner, size_t *length)
{
	skip_spaces(scanner);

	char quote = *scanner->at;
	const char *begin = scanner->at + 1, *end;

	if (quote != '\'' && quote != '"')
		bad(scanner, "expected a string");
	end = begin + strcspn(begin, quote == '"' ? "\"\\" : "'\\");
	if (*end != quote)
		bad(scanner, "a string does not end");
	scanner->at = end + 1;
	*length = (size_t)(end - begin);
	return begin;
}

static int is(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

static void scan_descr(struct scanner *scanner, struct npy *npy)
{
	size_t length;

	skip_spaces(scanner);

	const char *begin = scanner->at;
	const char *descr = scan_string(scanner, &length);

	npy->element_bytes = is(descr, length, "<f4")   ? 4
	                     : is(descr, length, "<f8") ? 8
	                     : is(descr, length, "<f2") ? 2
	                                                : 0;
	scanner->at = begin;
	if (npy->element_bytes == 0)
		bad(scanner, "'descr' is not '<f4', '<f8' or '<f2' (little-endian floats)");
	scan_string(scanner, &length);
}

static void scan_order(struct scanner *scanner)
{
	skip_spaces(scanner);
	if (strncmp(scanner->at, "True", 4) == 0)
		bad(scanner, "'fortran_order' is True; save the array in C order");
	if (strncmp(scanner->at, "False", 5) != 0)
		bad(scanner, "'fortran_order' is neither True nor False");
	scanner->at += 5;
}

static uint64_t scan_size(struct scanner *scanner)
{
	uint64_t size = 0;

	skip_spaces(scanner);
	if (*scanner->at < '0' || *scanner->at > '9')
		bad(scanner, "'shape' is not a tuple of sizes");
	for (; *scanner->at >= '0' && *scanner->at <= '9'; scanner->at++) {
		if (size > (UINT64_MAX - 9) / 10)
			bad(scanner, "'shape' has a size beyond 64 bits");
		size = 10 * size + (uint64_t)(*scanner->at - '0');
	}
	return size;
}

static void scan_shape(struct scanner *scanner, struct npy *npy)
{
	uint64_t sizes[2] = { 0, 0 };
	int n = 0;

	skip_spaces(scanner);
	if (!accept(scanner, '('))
		bad(scanner, "'shape' is not a tuple of sizes");
	while (!accept(scanner, ')')) {
		if (n == 2)
			bad(scanner, "'shape' has more than two dimensions");
		sizes[n++] = scan_size(scanner);
		if (!accept(scanner, ',')) {
			if (!accept(scanner, ')'))
				bad(scanner, "'shape' is not a tuple of sizes");
			break;
		}
	}
	if (n == 0)
		bad(scanner, "'shape' has no dimension");
	npy->n_rows = n == 2 ? sizes[0] : 1;
	if (sizes[n - 1] == 0 || sizes[n - 1] > NPY_MAX_DIM)
		bad(scanner, "'shape' gives the rows no element or more than 1,048,576");
	npy->dim = (size_t)sizes[n - 1];
}

static void scan_header(struct scanner *scanner, struct npy *npy)
{
	enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
	int seen = 0;

	if (!accept(scanner, '{'))
		bad(scanner, "expected '{'");
	while (!accept(scanner, '}')) {
		size_t length;
		const char *key = scan_string(scanner, &length);
		int which = is(key, length, "descr")           ? DESCR
		            : is(key, length, "fortran_order") ? ORDER
		            : is(key, length, "shape")         ? SHAPE
		                                               : 0;

		if (!which)
			bad(scanner, "unknown key");
		if (seen & which)
			bad(scanner, "a key occurs twice");
		seen |= which;
		if (!accept(scanner, ':'))
			bad(scanner, "expected ':'");
		if (which == DESCR)
			scan_descr(scanner, npy);
		else if (which == ORDER)
			scan_order(scanner);
		else
			scan_shape(scanner, npy);
		if (!accept(scanner, ',')) {
			if (!accept(scanner, '}'))
				bad(scanner, "expected ',' or '}'");
			break;
		}
	}
	skip_spaces(scanner);
	if (*scanner->at)
		bad(scanner, "something follows the dictionary");
	if (seen != (DESCR | ORDER | SHAPE))
		bad(scanner, "'descr', 'fortran_order' or 'shape' is missing");
}

/* --------------------------------------------------------------------- file */

static void read_exactly(struct npy *npy, void *to, size_t n_bytes, const char *what)
{
	if (fread(to, 1, n_bytes, npy->stream) == n_bytes)
		return;
	if (ferror(npy->stream))
		tool_fail("%s: %s", npy->path, strerror(errno));
	tool_fail("%s: the file ends in its %s", npy->path, what);
}

/* Reads everything before the elements, and returns how many bytes that is. */
static size_t read_header(struct npy *npy)
{
	unsigned char start[12];
	char *text;

	read_exactly(npy, start, 10, "header");
	if (memcmp(start, "\x93NUMPY", 6) != 0)
		tool_fail("%s: magic at byte 0: this is no .npy file", npy->path);
	if (start[6] < 1 || start[6] > 3 || start[7] != 0)
		tool_fail("%s: version %d.%d at byte 6 is unknown", npy->path, start[6], start[7]);

	size_t length = start[8] | (size_t)start[9] << 8, before = 10;

	if (start[6] > 1) {
		read_exactly(npy, start + 10, 2, "header");
		length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
		before = 12;
	}
	if (length > MAX_HEADER)
		tool_fail("%s: header length at byte 8 is %zu, the limit %d", npy->path, length, MAX_HEADER);
	text = tool_allocate(length + 1, 1);
	read_exactly(npy, text, length, "header");
	text[length] = '\0';

	struct scanner scanner = { npy->path, text, text, before };

	if (strlen(text) != length)
		tool_fail("%s: header: NUL at byte %zu", npy->path, before + strlen(text));
	scan_header(&scanner, npy);
	free(text);
	return before + length;
}

void npy_open(struct npy *npy, const char *path)
{
	struct stat about;

	*npy = (struct npy) { .path = path, .stream = fopen(path, "rb") };
	if (!npy->stream || fstat(fileno(npy->stream), &about) != 0)
		tool_fail("%s: %s", path, strerror(errno));

	size_t header_bytes = read_header(npy), row_bytes = npy->dim * npy->element_bytes;

	if (S_ISREG(about.st_mode)) {
		uint64_t data_bytes = (uint64_t)about.st_size - header_bytes;

		if (npy->n_rows != data_bytes / row_bytes || data_bytes % row_bytes)
			tool_fail(
			        "%s: %llu rows of %zu elements of %zu bytes do not make the %llu bytes after byte %zu",
			        path, (unsigned long long)npy->n_rows, npy->dim, npy->element_bytes,
			        (unsigned long long)data_bytes, header_bytes);
	}
	npy->raw = tool_allocate(npy->dim, npy->element_bytes);
	npy->values = tool_allocate(npy->dim, sizeof(float));
}

static uint64_t little_endian(const unsigned char *p, size_t n_bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n_bytes; i++)
		value |= (uint64_t)p[i] << 8 * i;
	return value;
}

static float from_half(uint32_t half)
{
	uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
	float magnitude = exponent == 31  ? (fraction ? NAN : INFINITY)
	                  : exponent == 0 ? ldexpf((float)fraction, -24)
	                                  : ldexpf((float)(fraction | 1024), (int)exponent - 25);

	return half & 0x8000 ? -magnitude : magnitude;
}

static float element(const unsigned char *p, size_t n_bytes)
{
	uint64_t bits = little_endian(p, n_bytes);
	uint32_t bits32 = (uint32_t)bits;
	double wide;
	float single;

	if (n_bytes == 2)
		return from_half(bits32);
	if (n_bytes == 4) {
		memcpy(&single, &bits32, sizeof single);
		return single;
	}
	memcpy(&wide, &bits, sizeof wide);
	return (float)wide;
}

const float *npy_next(struct npy *npy)
{
	if (npy->row == npy->n_rows)
		return NULL;
	read_exactly(npy, npy->raw, npy->dim * npy->element_bytes, "elements");
	for (size_t i = 0; i < npy->dim; i++) {
		npy->values[i] = element(npy->raw + i * npy->element_bytes, npy->element_bytes);
		if (!isfinite(npy->values[i]))
			tool_fail("%s: row %llu, column %zu (from 0) is not a finite float", npy->path,
			          (unsigned long long)npy->row, i);
	}
	npy->row++;
	return npy->values;
}

void npy_close(struct npy *npy)
{
	if (npy->stream)
		fclose(npy->stream);
	free(npy->raw);
	free(npy->values);
	*npy = (struct npy) { 0 };
}
