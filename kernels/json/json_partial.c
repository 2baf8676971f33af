/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of a JSON text that is still arriving. The text is kept and its tree grows as bytes come; a state says what
 * may come next. Of open containers there is a stack. To look at the value, the brackets that lack are put behind the last
 * byte that counts, over bytes that do not count yet, which come back before more is read: so a look costs as much as
 * there are open containers, and a byte is read once.
 */
#include <lanewise/json.h>

#include "common.h"
#include "json_escape.h"
#include "support.h"

enum { DEFAULT_DEPTH = 1024, DEFAULT_BYTES = 1 << 20 };

enum state {
	S_VALUE,
	S_FIRST_VALUE,
	S_NAME,
	S_FIRST_NAME,
	S_COLON,
	S_BEHIND,
	S_STRING,
	S_ESCAPE,
	S_HEX,
	S_LOW_BACKSLASH, /* the first half of a surrogate pair has been read */
	S_LOW_U,
	S_CHARACTER, /* within a character of several bytes */
	S_WORD,
	S_MINUS,
	S_ZERO,
	S_INTEGER,
	S_POINT,
	S_FRACTION,
	S_E,
	S_E_SIGN,
	S_EXPONENT
};

struct lanewise_json_partial {
	char *text, *saved;
	lanewise_json_node *nodes;
	uint32_t *open;                /* the numbers of the open containers' nodes */
	size_t capacity, max_nodes, n; /* n bytes of text */
	size_t n_nodes;                /* with a name that waits for its value */
	size_t n_kept, kept;           /* nodes that count; text up to behind the last whole value or open bracket */
	size_t begin, sound;     /* of the string or number under way: its first byte, behind its last sound one */
	size_t covered, n_saved; /* where the look has put brackets, over how many bytes */
	uint32_t depth, max_depth, flags;
	enum state state;
	uint8_t is_name, escapes, n_left, low, high; /* n_left bytes of a character or escape, the next low ... high */
	uint32_t code;                               /* of a \u escape; the other half of a pair above it */
	const char *word;
	lanewise_status failed;
	lanewise_error error;
};

struct layout {
	size_t nodes, open, text, saved, all;
};

static int lay_out(const lanewise_json_partial_options *options, struct layout *l)
{
	size_t depth = options && options->max_depth ? options->max_depth : DEFAULT_DEPTH;
	size_t n = options && options->max_bytes ? options->max_bytes : DEFAULT_BYTES, max_nodes = n / 2 + depth + 2;

	if (n > UINT32_MAX - depth - 2 || depth > UINT32_MAX / 2)
		return 0;
	l->nodes = (sizeof(struct lanewise_json_partial) + 15) & ~(size_t)15;
	l->open = l->nodes + max_nodes * sizeof(lanewise_json_node);
	l->text = l->open + depth * sizeof(uint32_t);
	l->saved = l->text + n + depth + 2;
	l->all = l->saved + depth + 2;
	return 1;
}

size_t lanewise_json_partial_size(const lanewise_json_partial_options *options)
{
	struct layout l;

	return lay_out(options, &l) ? l.all : SIZE_MAX;
}

lanewise_json_partial *lanewise_json_partial_begin(void *scratch, size_t n_scratch,
                                                   const lanewise_json_partial_options *options)
{
	static const uint32_t known = LANEWISE_JSON_PARTIAL_NUMBERS | LANEWISE_JSON_PARTIAL_WHOLE_STRINGS;
	lanewise_json_partial *p = scratch;
	struct layout l;

	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT ||
	    (options && (options->struct_size < sizeof *options || (options->flags & ~known))) ||
	    !lay_out(options, &l) || n_scratch < l.all)
		return NULL;
	memset(p, 0, sizeof *p);
	p->nodes = (lanewise_json_node *)((char *)scratch + l.nodes);
	p->open = (uint32_t *)((char *)scratch + l.open);
	p->text = (char *)scratch + l.text;
	p->saved = (char *)scratch + l.saved;
	p->max_depth = options && options->max_depth ? options->max_depth : DEFAULT_DEPTH;
	p->capacity = options && options->max_bytes ? options->max_bytes : DEFAULT_BYTES;
	p->max_nodes = p->capacity / 2 + p->max_depth + 2;
	p->flags = options ? options->flags : 0;
	p->state = S_VALUE;
	return p;
}

/* ---------------------------------------------------------------- reading */

static lanewise_status fail(lanewise_json_partial *p, size_t at, const char *what)
{
	p->n = at;
	return p->failed = lw_fail(&p->error, LANEWISE_ERROR_DATA, at, "json: %s", what);
}

static void add_node(lanewise_json_partial *p, size_t begin, size_t end, uint8_t type, uint8_t flags)
{
	LW_ASSERT(p->n_nodes < p->max_nodes);
	lanewise_json_node *node = &p->nodes[p->n_nodes++];

	*node = (lanewise_json_node) { (uint32_t)begin, (uint32_t)(end - begin), (uint32_t)p->n_nodes, type, flags, 0 };
}

/* What is read counts now, up to `end`. */
static void keep(lanewise_json_partial *p, size_t end)
{
	p->n_kept = p->n_nodes;
	p->kept = end;
	p->state = S_BEHIND;
}

static int is_object(const lanewise_json_partial *p)
{
	return p->depth && p->nodes[p->open[p->depth - 1]].type == LANEWISE_JSON_OBJECT;
}

static void close_container(lanewise_json_partial *p, size_t end)
{
	lanewise_json_node *node = &p->nodes[p->open[--p->depth]];

	node->n_bytes = (uint32_t)(end - node->offset);
	node->next = (uint32_t)p->n_nodes;
	keep(p, end);
}

static void end_string(lanewise_json_partial *p, size_t end)
{
	uint8_t flags = (uint8_t)((p->escapes ? LANEWISE_JSON_ESCAPES : 0) | (p->is_name ? LANEWISE_JSON_NAME : 0));

	add_node(p, p->begin, end, LANEWISE_JSON_STRING, flags);
	if (p->is_name)
		p->state = S_COLON;
	else
		keep(p, end);
}

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* The state after the byte c of a number; -1 if it is not of the number. */
static int number_state(enum state state, uint8_t c)
{
	switch (state) {
	case S_MINUS:
		return c == '0' ? S_ZERO : is_digit(c) ? S_INTEGER : -1;
	case S_ZERO:
	case S_INTEGER:
		if (is_digit(c))
			return state == S_INTEGER ? S_INTEGER : -1;
		return c == '.' ? S_POINT : (c | 0x20) == 'e' ? S_E : -1;
	case S_POINT:
	case S_FRACTION:
		return is_digit(c) ? S_FRACTION : state == S_FRACTION && (c | 0x20) == 'e' ? S_E : -1;
	case S_E:
		if (c == '+' || c == '-')
			return S_E_SIGN;
		return is_digit(c) ? S_EXPONENT : -1;
	default:
		return is_digit(c) ? S_EXPONENT : -1;
	}
}

static int is_sound_number(enum state state)
{
	return state == S_ZERO || state == S_INTEGER || state == S_FRACTION || state == S_EXPONENT;
}

static uint8_t number_flags(const lanewise_json_partial *p, size_t end)
{
	for (size_t i = p->begin; i < end; i++)
		if (p->text[i] == '.' || (p->text[i] | 0x20) == 'e')
			return 0;
	return LANEWISE_JSON_INTEGER;
}

/* Ends the number under way before `at`; 0 if it cannot end there. */
static int end_number(lanewise_json_partial *p, size_t at)
{
	if (!is_sound_number(p->state))
		return 0;
	add_node(p, p->begin, at, LANEWISE_JSON_NUMBER, number_flags(p, at));
	keep(p, at);
	return 1;
}

/* The first byte of a value. */
static lanewise_status begin_value(lanewise_json_partial *p, size_t at, uint8_t c)
{
	p->begin = p->sound = at;
	if (c == '"') {
		p->is_name = p->escapes = 0;
		p->sound = at + 1;
		p->state = S_STRING;
	} else if (c == '{' || c == '[') {
		if (p->depth == p->max_depth)
			return fail(p, at, "arrays and objects too deep within each other");
		p->open[p->depth++] = (uint32_t)p->n_nodes;
		add_node(p, at, at, c == '{' ? LANEWISE_JSON_OBJECT : LANEWISE_JSON_ARRAY, 0);
		keep(p, at + 1);
		p->state = c == '{' ? S_FIRST_NAME : S_FIRST_VALUE;
	} else if (c == '-' || is_digit(c)) {
		p->state = c == '-' ? S_MINUS : c == '0' ? S_ZERO : S_INTEGER;
		p->sound = c == '-' ? at : at + 1;
	} else if (c == 't' || c == 'f' || c == 'n') {
		p->word = c == 't' ? "rue" : c == 'f' ? "alse" : "ull";
		p->state = S_WORD;
	} else {
		return fail(p, at, "no value");
	}
	return LANEWISE_OK;
}

/* A byte between strings, words and numbers that is no white space. */
static lanewise_status read_token(lanewise_json_partial *p, size_t at, uint8_t c)
{
	switch (p->state) {
	case S_FIRST_VALUE:
	case S_VALUE:
		if (c == ']' && p->state == S_FIRST_VALUE) {
			close_container(p, at + 1);
			return LANEWISE_OK;
		}
		return begin_value(p, at, c);
	case S_FIRST_NAME:
	case S_NAME:
		if (c == '}' && p->state == S_FIRST_NAME) {
			close_container(p, at + 1);
			return LANEWISE_OK;
		}
		if (c != '"')
			return fail(p, at, "no name of a member");
		begin_value(p, at, c);
		p->is_name = 1;
		return LANEWISE_OK;
	case S_COLON:
		p->state = S_VALUE;
		return c == ':' ? LANEWISE_OK : fail(p, at, "no ':' behind a name");
	default:
		if (!p->depth)
			return fail(p, at, "something behind the value");
		if (c == (is_object(p) ? '}' : ']'))
			close_container(p, at + 1);
		else if (c == ',')
			p->state = is_object(p) ? S_NAME : S_VALUE;
		else
			return fail(p, at,
			            is_object(p) ? "neither ',' nor '}' behind a member"
			                         : "neither ',' nor ']' behind an element");
		return LANEWISE_OK;
	}
}

/* The first byte of a character of several. */
static int begin_character(lanewise_json_partial *p, uint8_t c)
{
	if (c < 0xc2 || c > 0xf4)
		return 0;
	p->n_left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	p->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	p->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	p->state = S_CHARACTER;
	return 1;
}

/* A digit of a \u escape. */
static int read_hex(lanewise_json_partial *p, size_t at, uint8_t c)
{
	int digit = lw_json_hex[c] - 1;
	uint32_t first = p->code >> 16;

	if (digit < 0)
		return 0;
	p->code = (first << 16) | ((p->code << 4 | (uint32_t)digit) & 0xffff);
	if (--p->n_left)
		return 1;

	uint32_t code = p->code & 0xffff;

	if (first ? code < 0xdc00 || code > 0xdfff : code >= 0xdc00 && code <= 0xdfff)
		return 0;
	if (!first && code >= 0xd800 && code <= 0xdbff) {
		p->code = code << 16;
		p->state = S_LOW_BACKSLASH;
		return 1;
	}
	p->state = S_STRING;
	p->sound = at + 1;
	return 1;
}

/* A byte of a string outside of plain runs; 0 if it cannot stand there. */
static int read_string_byte(lanewise_json_partial *p, size_t at, uint8_t c)
{
	switch (p->state) {
	case S_STRING:
		if (c == '"') {
			end_string(p, at + 1);
		} else if (c == '\\') {
			p->escapes = 1;
			p->state = S_ESCAPE;
		} else {
			return c >= 0x80 && begin_character(p, c);
		}
		return 1;
	case S_ESCAPE:
		if (!lw_json_unescaped[c] && c != 'u')
			return 0;
		p->code = 0;
		p->n_left = 4;
		p->state = c == 'u' ? S_HEX : S_STRING;
		p->sound = c == 'u' ? p->sound : at + 1;
		return 1;
	case S_HEX:
		return read_hex(p, at, c);
	case S_LOW_BACKSLASH:
		p->state = S_LOW_U;
		return c == '\\';
	case S_LOW_U:
		p->n_left = 4;
		p->state = S_HEX;
		return c == 'u';
	default: /* S_CHARACTER */
		if (c < p->low || c > p->high)
			return 0;
		p->low = 0x80;
		p->high = 0xbf;
		if (--p->n_left == 0) {
			p->state = S_STRING;
			p->sound = at + 1;
		}
		return 1;
	}
}

static lanewise_status read_word(lanewise_json_partial *p, size_t at, uint8_t c)
{
	if (c != (uint8_t)*p->word)
		return fail(p, at, "no value");
	if (*++p->word)
		return LANEWISE_OK;

	uint8_t first = (uint8_t)p->text[p->begin];

	add_node(p, p->begin, at + 1,
	         first == 't'   ? LANEWISE_JSON_TRUE
	         : first == 'f' ? LANEWISE_JSON_FALSE
	                        : LANEWISE_JSON_NULL,
	         0);
	keep(p, at + 1);
	return LANEWISE_OK;
}

/* Reads from *at on: one byte, or a run of plain ones. */
static lanewise_status read_some(lanewise_json_partial *p, size_t *at, size_t end)
{
	uint8_t c = (uint8_t)p->text[*at];

	if (p->state >= S_MINUS) {
		int next = number_state(p->state, c);

		if (next >= 0) {
			p->state = (enum state)next;
			++*at;
			p->sound = is_sound_number(p->state) ? *at : p->sound;
			return LANEWISE_OK;
		}
		if (!end_number(p, *at))
			return fail(p, *at, "no digit where a number needs one");
	}
	if (p->state == S_STRING && c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
		while (++*at < end) {
			c = (uint8_t)p->text[*at];
			if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
				break;
		}
		p->sound = *at;
		return LANEWISE_OK;
	}
	++*at;
	if (p->state == S_WORD)
		return read_word(p, *at - 1, c);
	if (p->state >= S_STRING)
		return read_string_byte(p, *at - 1, c) ? LANEWISE_OK
		                                       : fail(p, *at - 1, "a byte or escape that no string can hold");
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' ? LANEWISE_OK : read_token(p, *at - 1, c);
}

/* Mostly a few bytes, too few for a call. */
static void copy_few(char *to, const char *from, size_t n)
{
	uint64_t first, last;
	uint32_t first4, last4;

	if (n > 16) {
		memcpy(to, from, n);
	} else if (n >= 8) { /* the first and the last eight, which may overlap */
		memcpy(&first, from, 8);
		memcpy(&last, from + n - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + n - 8, &last, 8);
	} else if (n >= 4) {
		memcpy(&first4, from, 4);
		memcpy(&last4, from + n - 4, 4);
		memcpy(to, &first4, 4);
		memcpy(to + n - 4, &last4, 4);
	} else if (n) {
		char a = from[0], b = from[n / 2], c = from[n - 1];

		to[0] = a;
		to[n / 2] = b;
		to[n - 1] = c;
	}
}

static void uncover(lanewise_json_partial *p)
{
	copy_few(p->text + p->covered, p->saved, p->n_saved);
	p->n_saved = 0;
}

lanewise_status lanewise_json_partial_feed(lanewise_json_partial *p, const char *text, size_t n_bytes,
                                           lanewise_error *error)
{
	size_t at, end;

	uncover(p);
	if (p->failed == LANEWISE_OK && n_bytes > p->capacity - p->n)
		p->failed = lw_fail(&p->error, LANEWISE_ERROR_CAPACITY, p->n, "json: more than %zu bytes", p->capacity);
	if (p->failed == LANEWISE_OK && n_bytes) {
		copy_few(p->text + p->n, text, n_bytes);
		at = p->n;
		end = p->n += n_bytes;
		while (at < end && read_some(p, &at, end) == LANEWISE_OK)
			;
	}
	if (p->failed != LANEWISE_OK && error)
		*error = p->error;
	return p->failed;
}

lanewise_status lanewise_json_partial_finish(lanewise_json_partial *p, lanewise_error *error)
{
	uncover(p);
	if (p->failed == LANEWISE_OK && p->state >= S_MINUS && !p->depth)
		end_number(p, p->n);
	if (p->failed == LANEWISE_OK && (p->state != S_BEHIND || p->depth)) {
		p->failed = lw_fail(&p->error, LANEWISE_ERROR_DATA, p->n, "json: %s",
		                    p->n_nodes || p->state > S_BEHIND ? "the text ends within a value" : "no value");
	}
	if (p->failed != LANEWISE_OK && error)
		*error = p->error;
	return p->failed;
}

/* ---------------------------------------------------------------- looking */

/* The node of the value under way, if it counts; returns behind its text, with a quote that lacks not counted, or 0. */
static size_t view_unfinished(lanewise_json_partial *p, int *is_string)
{
	lanewise_json_node *node = &p->nodes[p->n_nodes];
	size_t size = p->sound - p->begin;

	*is_string = p->state >= S_STRING && p->state < S_WORD;
	if (*is_string && !p->is_name && !(p->flags & LANEWISE_JSON_PARTIAL_WHOLE_STRINGS)) {
		uint8_t escapes = memchr(p->text + p->begin, '\\', p->escapes ? size : 0) ? LANEWISE_JSON_ESCAPES : 0;

		*node = (lanewise_json_node) {
			(uint32_t)p->begin, (uint32_t)size + 1, 0, LANEWISE_JSON_STRING, escapes, 0
		};
	} else if (p->state >= S_MINUS && size && (p->flags & LANEWISE_JSON_PARTIAL_NUMBERS)) {
		*node = (lanewise_json_node) {
			(uint32_t)p->begin, (uint32_t)size, 0, LANEWISE_JSON_NUMBER, number_flags(p, p->sound), 0
		};
	} else {
		*is_string = 0;
		return 0;
	}
	node->next = (uint32_t)p->n_nodes + 1;
	return p->sound;
}

void lanewise_json_partial_view(lanewise_json_partial *p, lanewise_json_view *view)
{
	int is_string = 0;
	size_t end, n_nodes, n_added;

	uncover(p);
	end = view_unfinished(p, &is_string);
	n_nodes = end ? p->n_nodes + 1 : p->n_kept;
	if (!end)
		end = p->kept;
	n_added = p->depth + (size_t)is_string;

	p->covered = end;
	p->n_saved = n_added < p->n - end ? n_added : p->n - end;
	copy_few(p->saved, p->text + end, p->n_saved);
	if (is_string)
		p->text[end++] = '"';
	for (size_t d = p->depth; d > 0; d--) {
		lanewise_json_node *node = &p->nodes[p->open[d - 1]];

		p->text[end++] = node->type == LANEWISE_JSON_OBJECT ? '}' : ']';
		node->n_bytes = (uint32_t)(end - node->offset);
		node->next = (uint32_t)n_nodes;
	}
	*view = (lanewise_json_view) {
		p->text, end, p->nodes, n_nodes, p->state == S_BEHIND && !p->depth && p->failed == LANEWISE_OK, 0
	};
}
