/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Validation of a text in pieces: what json_parse.c says of the whole, in constant memory. The index tells where tokens are,
 * `expects` which of them may come; of open containers there is a bit each. Words, numbers and escapes may be cut anywhere,
 * so they are read a byte at a time by machines that go on in the next piece.
 *
 * Of two errors the one that lies before the other counts, at the same byte that of the index. What is wrong with a character
 * that the piece cuts shows in the next one, so an error of the grammar at that character waits.
 */
#include <lanewise/json.h>

#include "common.h"
#include "json_escape.h"
#include "json_number.h"
#include "json_numbers.h"
#include "support.h"

enum { WINDOW = 4096, BOM_BYTES = 3 };

#define NONE UINT64_MAX

/* What the next byte of the index may be. Within SCALAR and ESCAPE there is none yet. */
enum expects { VALUE, FIRST_VALUE, NAME, FIRST_NAME, COLON, BEHIND, STRING, SCALAR, ESCAPE };

/* The state of a word; those of numbers are LW_NUMBERS_.... */
enum { WORD = LW_NUMBERS_BAD + 1 };

enum escape { ESCAPE_KIND, ESCAPE_HEX, LOW_BACKSLASH, LOW_U, LOW_HEX };

struct lanewise_json_validator {
	_Alignas(LW_SCRATCH_ALIGNMENT) lanewise_json_index_state index;
	uint64_t begin;  /* of the window in the text */
	uint64_t token;  /* where the scalar or escape under way begins */
	uint64_t low_at; /* of an escape that was read with the first half of its pair */
	uint32_t flags, max_depth, depth;
	uint32_t code; /* of the escape */
	uint8_t bom;   /* bytes of a byte order mark so far; BOM_BYTES: there is none, or it is passed over */
	uint8_t expects, in_object, is_name;
	uint8_t scalar, escape, n_hex;
	uint8_t has_begun; /* there is a value */
	const char *word;  /* what is to come of it */
	const char *waits; /* an error of the grammar at `waits_at` that waits, or NULL */
	uint64_t waits_at;
	lanewise_status failed;
	lanewise_error error;
	uint64_t objects[LANEWISE_JSON_MAX_VALIDATED_DEPTH / 64];
};

/* ----------------------------------------------------------------- errors */

static lanewise_status fail_now(lanewise_json_validator *v, uint64_t offset, const char *what)
{
	v->failed = lw_fail(&v->error, LANEWISE_ERROR_DATA, offset, "json: %s", what);
	return v->failed;
}

/* An error of the grammar. */
static LW_NOINLINE lanewise_status fail(lanewise_json_validator *v, uint64_t offset, const char *what)
{
	if (v->index.failed && v->index.failed_at <= offset)
		return v->failed = lanewise_json_index_finish(&v->index, &v->error);
	if (v->index.utf8.n_partial && v->index.utf8.n_valid == offset && !v->index.failed) {
		v->waits = what;
		v->waits_at = offset;
		return LANEWISE_ERROR_DATA;
	}
	return fail_now(v, offset, what);
}

/* ---------------------------------------------------------------- scalars */

static void begin_scalar(lanewise_json_validator *v, uint64_t at, uint8_t first)
{
	v->token = at;
	v->expects = SCALAR;
	v->scalar = WORD;
	if (first == 't')
		v->word = "true";
	else if (first == 'f')
		v->word = "false";
	else if (first == 'n')
		v->word = "null";
	else
		v->scalar = LW_NUMBERS_AFTER_COMMA;
}

static int is_complete(const lanewise_json_validator *v)
{
	switch (v->scalar) {
	case LW_NUMBERS_AT_ZERO:
	case LW_NUMBERS_AT_WHOLE:
	case LW_NUMBERS_AT_FRACTION:
	case LW_NUMBERS_AT_EXPONENT:
		return 1;
	case WORD:
		return *v->word == '\0';
	default:
		return 0;
	}
}

/* Goes on with a word in text[at ... n); where it was left. */
static size_t read_word(lanewise_json_validator *v, const uint8_t *text, size_t at, size_t n)
{
	while (at < n && *v->word && (uint8_t)*v->word == text[at]) {
		v->word++;
		at++;
	}
	return at;
}

static size_t read_number(lanewise_json_validator *v, const uint8_t *text, size_t at, size_t n)
{
	int state = v->scalar;

	for (; at < n; at++) {
		if (state == LW_NUMBERS_AT_WHOLE || state == LW_NUMBERS_AT_FRACTION ||
		    state == LW_NUMBERS_AT_EXPONENT) {
			at = lw_json_skip_digits(text, n, at);
			if (at == n)
				break;
		}
		if (lw_json_ends_scalar(text[at]))
			break;

		int class = lw_numbers_class(text[at]), next = LW_NUMBERS_BAD;

		if (class != LW_NUMBERS_FOREIGN)
			next = lw_numbers_next(state, class);
		state = next;
		if (state == LW_NUMBERS_BAD)
			break;
	}
	v->scalar = (uint8_t)state;
	return at;
}

/* Goes on with the scalar in text[at ... n). */
static lanewise_status read_scalar(lanewise_json_validator *v, const uint8_t *text, size_t at, size_t n)
{
	at = v->scalar == WORD ? read_word(v, text, at, n) : read_number(v, text, at, n);
	if (at == n)
		return LANEWISE_OK;
	if (!is_complete(v) || !lw_json_ends_scalar(text[at]))
		return fail(v, v->token, "no value");
	v->expects = BEHIND;
	return LANEWISE_OK;
}

/* ---------------------------------------------------------------- escapes */

static void begin_escape(lanewise_json_validator *v, uint64_t at)
{
	v->token = at;
	v->expects = ESCAPE;
	v->escape = ESCAPE_KIND;
}

static void begin_hex(lanewise_json_validator *v, enum escape escape)
{
	v->escape = (uint8_t)escape;
	v->n_hex = 0;
	v->code = 0;
}

/* The four digits are there; 0 if they are no character. */
static int take_code(lanewise_json_validator *v)
{
	int is_low = v->code >= 0xdc00 && v->code <= 0xdfff;

	if (v->escape == LOW_HEX) {
		v->expects = STRING;
		return is_low;
	}
	if (v->code < 0xd800 || v->code > 0xdfff || (v->flags & LANEWISE_JSON_ALLOW_LONE_SURROGATES)) {
		v->expects = STRING;
		return 1;
	}
	v->escape = LOW_BACKSLASH;
	v->low_at = v->token + 6;
	return !is_low;
}

/* A byte behind the backslash of an escape; 0 if it cannot stand there. */
static int take_escape_byte(lanewise_json_validator *v, uint8_t byte)
{
	int digit;

	switch (v->escape) {
	case ESCAPE_KIND:
		if (byte == 'u')
			begin_hex(v, ESCAPE_HEX);
		else
			v->expects = STRING;
		return byte == 'u' || lw_json_unescaped[byte];
	case LOW_BACKSLASH:
		v->escape = LOW_U;
		return byte == '\\';
	case LOW_U:
		begin_hex(v, LOW_HEX);
		return byte == 'u';
	default:
		digit = lw_json_hex[byte] - 1;
		v->code = v->code << 4 | ((uint32_t)digit & 15);
		return digit >= 0 && (++v->n_hex < 4 || take_code(v));
	}
}

/* Goes on with the escape in text[at ... n). */
static lanewise_status read_escape(lanewise_json_validator *v, const uint8_t *text, size_t at, size_t n)
{
	for (; at < n && v->expects == ESCAPE; at++)
		if (!take_escape_byte(v, text[at]))
			return fail(v, v->token, "not an escape");
	return LANEWISE_OK;
}

/* ----------------------------------------------------------------- tokens */

static void open_container(lanewise_json_validator *v, int is_object)
{
	uint64_t bit = (uint64_t)1 << v->depth % 64, *word = &v->objects[v->depth / 64];

	*word = is_object ? *word | bit : *word & ~bit;
	v->depth++;
	v->has_begun = 1;
	v->in_object = (uint8_t)is_object;
}

static void close_container(lanewise_json_validator *v)
{
	v->depth--;
	v->in_object = v->depth ? v->objects[(v->depth - 1) / 64] >> (v->depth - 1) % 64 & 1 : 0;
}

/* The window is used up. */
static lanewise_status suspend(lanewise_json_validator *v, enum expects expects)
{
	v->expects = (uint8_t)expects;
	return LANEWISE_OK;
}

/*
 * The tokens of a window of n bytes, at index[0 ... count). As in json_parse.c the states are labels, which may be left where
 * there is no token, and are come back to with the next window.
 */
static lanewise_status read_tokens(lanewise_json_validator *v, const uint8_t *text, size_t n, const uint32_t *index,
                                   size_t count)
{
	const uint32_t *end = index + count;
	lanewise_status status;
	size_t at;

	switch ((enum expects)v->expects) {
	case VALUE:
		goto value;
	case FIRST_VALUE:
		goto first_value;
	case NAME:
		goto name;
	case FIRST_NAME:
		goto first_name;
	case COLON:
		goto colon;
	case BEHIND:
		goto behind;
	case STRING:
		goto string;
	default: /* the window ended within the scalar or escape under way, whose second half may be a token */
		return LANEWISE_OK;
	}

first_value:
	if (index == end)
		return suspend(v, FIRST_VALUE);
	if (text[*index] == ']') {
		index++;
		goto closed;
	}
value:
	if (LW_UNLIKELY(index == end))
		return suspend(v, VALUE);
	at = *index++;
	if (text[at] == '"') {
		v->is_name = 0;
		v->low_at = NONE;
		goto string;
	}
	if (text[at] == '{' || text[at] == '[') {
		if (v->depth == v->max_depth)
			return fail(v, v->begin + at, "arrays and objects too deep within each other");
		open_container(v, text[at] == '{');
		if (v->in_object)
			goto first_name;
		goto first_value;
	}
	begin_scalar(v, v->begin + at, text[at]);
	status = read_scalar(v, text, at, n);
	if (LW_UNLIKELY(status != LANEWISE_OK || v->expects == SCALAR))
		return status;
	goto behind;

first_name:
	if (index == end)
		return suspend(v, FIRST_NAME);
	if (text[*index] == '}') {
		index++;
		goto closed;
	}
name:
	if (LW_UNLIKELY(index == end))
		return suspend(v, NAME);
	at = *index++;
	if (LW_UNLIKELY(text[at] != '"'))
		return fail(v, v->begin + at, "no name of a member");
	v->is_name = 1;
	v->low_at = NONE;

string:
	if (LW_UNLIKELY(index == end))
		return suspend(v, STRING);
	at = *index++;
	if (LW_UNLIKELY(text[at] != '"')) {
		if (v->begin + at == v->low_at)
			goto string;
		begin_escape(v, v->begin + at);
		status = read_escape(v, text, at + 1, n);
		if (LW_UNLIKELY(status != LANEWISE_OK || v->expects == ESCAPE))
			return status;
		goto string;
	}
	if (!v->is_name)
		goto behind;

colon:
	if (LW_UNLIKELY(index == end))
		return suspend(v, COLON);
	at = *index++;
	if (LW_UNLIKELY(text[at] != ':'))
		return fail(v, v->begin + at, "no ':' behind a name");
	goto value;

closed:
	close_container(v);
behind:
	if (LW_UNLIKELY(index == end))
		return suspend(v, BEHIND);
	at = *index++;
	if (LW_UNLIKELY(v->depth == 0))
		return fail(v, v->begin + at, "something behind the value");
	if (text[at] == ',') {
		if (v->in_object)
			goto name;
		goto value;
	}
	if (LW_LIKELY(text[at] == (v->in_object ? '}' : ']')))
		goto closed;
	return fail(v, v->begin + at,
	            v->in_object ? "neither ',' nor '}' behind a member" : "neither ',' nor ']' behind an element");
}

static lanewise_status read_window(lanewise_json_validator *v, const uint8_t *text, size_t n, const uint32_t *index,
                                   size_t count)
{
	lanewise_status status = LANEWISE_OK;

	if (v->expects == SCALAR)
		status = read_scalar(v, text, 0, n);
	else if (v->expects == ESCAPE)
		status = read_escape(v, text, 0, n);
	return status == LANEWISE_OK ? read_tokens(v, text, n, index, count) : status;
}

/* ----------------------------------------------------------------- public */

static lanewise_status feed(lanewise_json_validator *v, const char *text, size_t n_bytes)
{
	uint32_t index[WINDOW];

	while (n_bytes > 0) {
		size_t count, taken;
		lanewise_error error;
		lanewise_status status, indexed;

		v->begin = v->index.n_bytes;
		indexed = lanewise_json_index_feed(&v->index, text, n_bytes < WINDOW ? n_bytes : WINDOW, index, WINDOW,
		                                   &count, &taken, &error);
		if (v->waits)
			return indexed == LANEWISE_OK && v->index.utf8.n_partial && v->index.utf8.n_valid == v->waits_at
			               ? LANEWISE_OK
			               : fail(v, v->waits_at, v->waits);
		status = read_window(v, (const uint8_t *)text, taken, index, count);
		if (status != LANEWISE_OK && !v->waits)
			return status;
		if (indexed != LANEWISE_OK) {
			v->error = error;
			return v->failed = indexed;
		}
		text += taken;
		n_bytes -= taken;
	}
	return LANEWISE_OK;
}

static const char bom[BOM_BYTES + 1] = "\xef\xbb\xbf";

/* The bytes that might have begun a byte order mark did not. */
static lanewise_status feed_bom(lanewise_json_validator *v)
{
	size_t n = v->bom;

	v->bom = BOM_BYTES;
	return feed(v, bom, n);
}

/* Takes what there is of a byte order mark; returns how many bytes. */
static size_t skip_bom(lanewise_json_validator *v, const char *text, size_t n_bytes)
{
	size_t n = 0;

	while (n < n_bytes && v->bom < BOM_BYTES && text[n] == bom[v->bom]) {
		v->bom++;
		n++;
	}
	if (v->bom == BOM_BYTES && n > 0)
		v->index.n_bytes = v->index.utf8.n_valid = BOM_BYTES;
	return n;
}

size_t lanewise_json_validator_scratch_size(void) { return sizeof(lanewise_json_validator); }

lanewise_json_validator *lanewise_json_validator_begin(void *scratch, const lanewise_json_options *options)
{
	static const uint32_t known =
	        LANEWISE_JSON_ALLOW_BOM | LANEWISE_JSON_ALLOW_LONE_SURROGATES | LANEWISE_JSON_NUMBER_ARRAYS;
	lanewise_json_validator *v = scratch;

	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT ||
	    (options && (options->struct_size < sizeof *options || (options->flags & ~known) ||
	                 options->max_depth > LANEWISE_JSON_MAX_VALIDATED_DEPTH)))
		return NULL;
	memset(v, 0, sizeof *v);
	v->flags = options ? options->flags : 0;
	v->max_depth = options && options->max_depth ? options->max_depth : LW_JSON_DEFAULT_DEPTH;
	v->bom = v->flags & LANEWISE_JSON_ALLOW_BOM ? 0 : BOM_BYTES;
	v->low_at = NONE;
	return v;
}

static lanewise_status report(const lanewise_json_validator *v, lanewise_error *error)
{
	if (v->failed != LANEWISE_OK && error)
		*error = v->error;
	return v->failed;
}

lanewise_status lanewise_json_validator_feed(lanewise_json_validator *v, const char *text, size_t n_bytes,
                                             lanewise_error *error)
{
	if (!v || (!text && n_bytes))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a NULL pointer");
	if (v->failed == LANEWISE_OK && v->bom < BOM_BYTES && n_bytes > 0) {
		size_t n = skip_bom(v, text, n_bytes);

		text += n;
		n_bytes -= n;
		if (n_bytes > 0 && v->bom < BOM_BYTES)
			feed_bom(v);
	}
	if (v->failed == LANEWISE_OK)
		feed(v, text, n_bytes);
	return report(v, error);
}

static void finish(lanewise_json_validator *v)
{
	uint64_t n = v->index.n_bytes;

	if (v->waits) {
		fail_now(v, v->waits_at, v->waits);
	} else if (v->expects == SCALAR && !is_complete(v)) {
		fail_now(v, v->token, "no value");
	} else if (v->expects == ESCAPE) {
		fail_now(v, v->token, "not an escape");
	} else {
		v->failed = lanewise_json_index_finish(&v->index, &v->error);
		if (v->failed == LANEWISE_OK && (v->depth > 0 || (v->expects != BEHIND && v->expects != SCALAR)))
			fail_now(v, n, v->has_begun ? "the text ends within a value" : "no value");
	}
}

lanewise_status lanewise_json_validator_finish(lanewise_json_validator *v, lanewise_error *error)
{
	if (!v)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a NULL pointer");
	if (v->failed == LANEWISE_OK && v->bom < BOM_BYTES)
		feed_bom(v);
	if (v->failed == LANEWISE_OK)
		finish(v);
	return report(v, error);
}
