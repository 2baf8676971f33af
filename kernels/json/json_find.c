/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays and objects within other text, in linear time.
 *
 * From the first bracket on, the text is read as JSON. Where that fails, all containers that are open then have failed,
 * whichever of them one had begun with, since what may follow within a container does not depend on what is around it;
 * those closed before count. Reading goes on where it failed, unless a string is the last thing that was read whole: its
 * quote may have been none, so its inside is looked through again. That happens once or twice to a byte: within the
 * string no quote could begin another, but for escaped ones, which do not stand where strings may begin.
 */
#include <lanewise/json.h>

#include "common.h"
#include "json_escape.h"
#include "support.h"

enum { MAX_DEPTH = 1024 };

enum state { VALUE, FIRST_VALUE, NAME, FIRST_NAME, COLON, BEHIND };

struct open {
	size_t at, n_found; /* what is found within does not count once this one is closed */
	int object;
};

struct finder {
	const uint8_t *text;
	size_t n, max_depth;
	int is_utf8, lone_surrogates;
	lanewise_json_span *spans;
	size_t capacity, n_found;
	size_t string;   /* where the last string began, or SIZE_MAX */
	size_t last_end; /* of the container closed last */
	size_t depth;
	struct open open[MAX_DEPTH];
};

static int read_u_escape(const struct finder *f, size_t at)
{
	int value = 0;

	if (f->n - at < 6 || f->text[at] != '\\' || f->text[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		uint8_t c = f->text[i], letter = c | 0x20;

		if ((uint8_t)(c - '0') < 10)
			value = value << 4 | (c - '0');
		else if (letter >= 'a' && letter <= 'f')
			value = value << 4 | (letter - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* The size of the escape at `at`, or 0. */
static size_t escape_size(const struct finder *f, size_t at)
{
	int code, low;

	if (f->n - at < 2)
		return 0;
	if (f->text[at + 1] != 'u')
		return lw_json_unescaped[f->text[at + 1]] ? 2 : 0;
	code = read_u_escape(f, at);
	if (code < 0)
		return 0;
	if (code < 0xd800 || code > 0xdfff || f->lone_surrogates)
		return 6;
	low = f->n - at >= 12 ? read_u_escape(f, at + 6) : -1;
	return code < 0xdc00 && low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

/* Reads the string at *at and goes behind it, or to where it fails. */
static int read_string(struct finder *f, size_t *at)
{
	size_t i = *at + 1;

	f->string = *at;
	for (;;) {
		size_t run = lw_json_run(f->text + i, f->n - i), size = 0;

		if (!f->is_utf8) {
			size_t valid = lanewise_utf8_valid_prefix((const char *)f->text + i, run);

			if (valid < run) {
				*at = i + valid;
				return 0;
			}
		}
		i += run;
		if (i == f->n || f->text[i] < 0x20 || (f->text[i] == '\\' && !(size = escape_size(f, i)))) {
			*at = i;
			return 0;
		}
		if (f->text[i] == '"') {
			*at = i + 1;
			return 1;
		}
		i += size;
	}
}

static size_t skip_digits(const struct finder *f, size_t at)
{
	while (at < f->n && (uint8_t)(f->text[at] - '0') < 10)
		at++;
	return at;
}

/* Behind the digits at *at, of which there must be one. */
static int read_digits(const struct finder *f, size_t *at)
{
	size_t begin = *at;

	*at = skip_digits(f, begin);
	return *at > begin;
}

static int read_number(const struct finder *f, size_t *at)
{
	const uint8_t *text = f->text;
	size_t digits;

	*at += text[*at] == '-';
	digits = *at;
	if (!read_digits(f, at) || (text[digits] == '0' && *at - digits > 1))
		return 0;
	if (*at < f->n && text[*at] == '.') {
		++*at;
		if (!read_digits(f, at))
			return 0;
	}
	if (*at < f->n && (text[*at] | 0x20) == 'e') {
		++*at;
		if (*at < f->n && (text[*at] == '+' || text[*at] == '-'))
			++*at;
		return read_digits(f, at);
	}
	return 1;
}

static int read_word(const struct finder *f, size_t *at, const char *word)
{
	size_t n = strlen(word);

	if (f->n - *at < n || memcmp(f->text + *at, word, n) != 0)
		return 0;
	*at += n;
	return 1;
}

static int read_scalar(struct finder *f, size_t *at)
{
	switch (f->text[*at]) {
	case '"':
		return read_string(f, at);
	case 't':
		return read_word(f, at, "true");
	case 'f':
		return read_word(f, at, "false");
	case 'n':
		return read_word(f, at, "null");
	default:
		return (f->text[*at] == '-' || (uint8_t)(f->text[*at] - '0') < 10) && read_number(f, at);
	}
}

static int open_container(struct finder *f, size_t at)
{
	if (f->depth == f->max_depth)
		return 0;
	f->open[f->depth++] = (struct open) { at, f->n_found, f->text[at] == '{' };
	return 1;
}

static void close_container(struct finder *f, size_t end)
{
	const struct open *o = &f->open[--f->depth];

	f->n_found = o->n_found;
	if (f->n_found < f->capacity)
		f->spans[f->n_found] = (lanewise_json_span) { o->at, end - o->at };
	f->n_found++;
	f->last_end = end;
}

/* The token at *at, which is no white space; 0 if it cannot stand there. */
static int read_token(struct finder *f, size_t *at, enum state *state)
{
	uint8_t c = f->text[*at];
	int object = f->open[f->depth - 1].object;

	if (c == (object ? '}' : ']') && (*state == BEHIND || *state == FIRST_VALUE || *state == FIRST_NAME)) {
		close_container(f, ++*at);
		*state = BEHIND;
		return 1;
	}
	switch (*state) {
	case COLON:
		*state = VALUE;
		return c == ':' && ++*at;
	case BEHIND:
		*state = object ? NAME : VALUE;
		return c == ',' && ++*at;
	case NAME:
	case FIRST_NAME:
		*state = COLON;
		return c == '"' && read_string(f, at);
	case VALUE:
	case FIRST_VALUE:
	default:
		*state = BEHIND;
		if (c != '{' && c != '[')
			return read_scalar(f, at);
		*state = c == '{' ? FIRST_NAME : FIRST_VALUE;
		return open_container(f, *at) && ++*at;
	}
}

/* Reads what begins with the bracket at `at`; returns where to go on. */
static size_t read_from(struct finder *f, size_t at)
{
	enum state state = f->text[at] == '{' ? FIRST_NAME : FIRST_VALUE;

	f->string = SIZE_MAX;
	f->last_end = 0;
	f->depth = 0;
	open_container(f, at++);
	while (f->depth && at < f->n) {
		uint8_t c = f->text[at];

		if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
			at++;
		else if (!read_token(f, &at, &state))
			break;
	}
	if (f->depth == 0)
		return at;
	return f->string != SIZE_MAX && f->string >= f->last_end ? f->string + 1 : at;
}

lanewise_status lanewise_json_find(const char *text, size_t n_bytes, const lanewise_json_options *options,
                                   lanewise_json_span *spans, size_t capacity, size_t *n_found, lanewise_error *error)
{
	static const uint32_t known = LANEWISE_JSON_ALLOW_BOM | LANEWISE_JSON_ALLOW_LONE_SURROGATES;
	struct finder f;

	if ((!text && n_bytes) || (!spans && capacity) || !n_found)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a NULL pointer");
	if (options &&
	    (options->struct_size < sizeof *options || (options->flags & ~known) || options->max_depth > MAX_DEPTH))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: unknown options");
	f.text = (const uint8_t *)text;
	f.n = n_bytes;
	f.max_depth = options && options->max_depth ? options->max_depth : MAX_DEPTH;
	f.is_utf8 = lanewise_utf8_valid_prefix(text, n_bytes) == n_bytes;
	f.lone_surrogates = options && (options->flags & LANEWISE_JSON_ALLOW_LONE_SURROGATES);
	f.spans = spans;
	f.capacity = capacity;
	f.n_found = 0;
	for (size_t at = 0; at < n_bytes;)
		at = text[at] == '{' || text[at] == '[' ? read_from(&f, at) : at + 1;
	*n_found = f.n_found;
	return f.n_found > capacity ? lw_fail(error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET,
	                                      "json: %zu arrays and objects were found", f.n_found)
	                            : LANEWISE_OK;
}
