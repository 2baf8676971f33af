/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second JSON parser, by recursive descent after the grammar of RFC 8259, to judge the first by: it shares nothing
 * with it, is slow, and writes the tree as a list of (offset, size, type) in the order of the text.
 */
#ifndef LW_JSON_REFERENCE_H
#define LW_JSON_REFERENCE_H

#include <lanewise/json.h>

#include <string.h>

enum { REFERENCE_DEPTH = 64 };

/* What random texts are made of: strung together, few are JSON. */
static const char *const reference_parts[] = { "[",
	                                       "]",
	                                       "{",
	                                       "}",
	                                       ",",
	                                       ":",
	                                       "\"a\"",
	                                       "\"\\n\\u00e9\"",
	                                       "1",
	                                       "-0.5e+3",
	                                       "0",
	                                       "1e",
	                                       "2E+1",
	                                       "true",
	                                       "null",
	                                       "false",
	                                       "nul",
	                                       " ",
	                                       "\t",
	                                       "\r\n",
	                                       "\"\xe4\xb8\xad\"",
	                                       "\\",
	                                       "\"",
	                                       "\x01",
	                                       "\xff",
	                                       "[1,2]",
	                                       "{\"k\":[]}",
	                                       "\"\\ud83d\\ude00\"",
	                                       "\"\\ud83d\"",
	                                       "\xef\xbb\xbf",
	                                       "[0.5, -17, 3e8]" };

struct reference_parser {
	const unsigned char *p, *begin, *end;
	lanewise_json_node *nodes; /* room for one per byte, and one */
	size_t n_nodes;
	int depth;
};

static int reference_peek(const struct reference_parser *r) { return r->p < r->end ? *r->p : -1; }

static void reference_space(struct reference_parser *r)
{
	while (r->p < r->end && strchr(" \t\n\r", *r->p) && *r->p)
		r->p++;
}

static int reference_take(struct reference_parser *r, int c)
{
	if (reference_peek(r) != c)
		return 0;
	r->p++;
	return 1;
}

static int reference_digits(struct reference_parser *r)
{
	const unsigned char *begin = r->p;

	while (reference_peek(r) >= '0' && reference_peek(r) <= '9')
		r->p++;
	return r->p > begin;
}

/* Returns LANEWISE_JSON_INTEGER, 0 for another number, -1 for none. */
static int reference_number(struct reference_parser *r)
{
	int flags = LANEWISE_JSON_INTEGER;

	reference_take(r, '-');
	if (!reference_take(r, '0') && !reference_digits(r))
		return -1;
	if (reference_take(r, '.')) {
		flags = 0;
		if (!reference_digits(r))
			return -1;
	}
	if (reference_take(r, 'e') || reference_take(r, 'E')) {
		flags = 0;
		if (!reference_take(r, '+'))
			reference_take(r, '-');
		if (!reference_digits(r))
			return -1;
	}
	return flags;
}

static long reference_hex4(struct reference_parser *r)
{
	long value = 0;

	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		int c = reference_peek(r);
		const char *digit = c > 0 ? strchr(digits, c) : NULL;

		if (!digit)
			return -1;
		value = value * 16 + (digit - digits) % 16;
		r->p++;
	}
	return value;
}

static int reference_character(struct reference_parser *r)
{
	int c = *r->p, length = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
	unsigned long value;

	if (c < 0x20 || !length || r->end - r->p < length)
		return 0;
	value = length == 1 ? (unsigned long)c : (unsigned long)(c & (0x7f >> length));
	for (int i = 1; i < length; i++) {
		if (r->p[i] >> 6 != 2)
			return 0;
		value = value << 6 | (r->p[i] & 63u);
	}
	if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000) || (length == 2 && value < 0x80) ||
	    (length == 3 && value < 0x800) || (length == 4 && value < 0x10000))
		return 0;
	r->p += length;
	return 1;
}

/* Returns 0 or LANEWISE_JSON_ESCAPES, -1 if there is no string. */
static int reference_string(struct reference_parser *r)
{
	int flags = 0;

	if (!reference_take(r, '"'))
		return -1;
	while (!reference_take(r, '"')) {
		if (r->p == r->end)
			return -1;
		if (!reference_take(r, '\\')) {
			if (!reference_character(r))
				return -1;
			continue;
		}
		flags = LANEWISE_JSON_ESCAPES;
		if (reference_take(r, 'u')) {
			long value = reference_hex4(r);

			if (value < 0 || (value >= 0xdc00 && value <= 0xdfff))
				return -1;
			if (value >= 0xd800 && value <= 0xdbff) {
				if (!reference_take(r, '\\') || !reference_take(r, 'u'))
					return -1;
				value = reference_hex4(r);
				if (value < 0xdc00 || value > 0xdfff)
					return -1;
			}
		} else if (reference_peek(r) <= 0 || !strchr("\"\\/bfnrt", *r->p)) {
			return -1;
		} else {
			r->p++;
		}
	}
	return flags;
}

static int reference_value(struct reference_parser *r);

static size_t reference_begin(struct reference_parser *r, int type)
{
	lanewise_json_node *node = &r->nodes[r->n_nodes];

	memset(node, 0, sizeof *node);
	node->offset = (uint32_t)(r->p - r->begin);
	node->type = (uint8_t)type;
	return r->n_nodes++;
}

static int reference_finish(struct reference_parser *r, size_t number, int flags)
{
	lanewise_json_node *node = &r->nodes[number];

	if (flags < 0)
		return 0;
	node->n_bytes = (uint32_t)(r->p - r->begin) - node->offset;
	node->next = (uint32_t)r->n_nodes;
	node->flags = (uint8_t)flags;
	return 1;
}

static int reference_name(struct reference_parser *r)
{
	size_t number = reference_begin(r, LANEWISE_JSON_STRING);
	int flags = reference_string(r);

	return reference_finish(r, number, flags < 0 ? -1 : flags | LANEWISE_JSON_NAME);
}

static int reference_container(struct reference_parser *r, int close)
{
	size_t number = reference_begin(r, close == ']' ? LANEWISE_JSON_ARRAY : LANEWISE_JSON_OBJECT);

	if (r->depth++ == REFERENCE_DEPTH)
		return 0;
	r->p++;
	reference_space(r);
	if (!reference_take(r, close)) {
		do {
			reference_space(r);
			if (close == '}') {
				if (!reference_name(r))
					return 0;
				reference_space(r);
				if (!reference_take(r, ':'))
					return 0;
			}
			if (!reference_value(r))
				return 0;
		} while (reference_take(r, ','));
		if (!reference_take(r, close))
			return 0;
	}
	r->depth--;
	return reference_finish(r, number, 0);
}

static int reference_word(struct reference_parser *r, const char *word, int type)
{
	size_t number = reference_begin(r, type);

	if ((size_t)(r->end - r->p) < strlen(word) || memcmp(r->p, word, strlen(word)) != 0)
		return 0;
	r->p += strlen(word);
	return reference_finish(r, number, 0);
}

/* A value and the white space around it. */
static int reference_value(struct reference_parser *r)
{
	int ok;
	size_t number;

	reference_space(r);
	switch (reference_peek(r)) {
	case '[':
		ok = reference_container(r, ']');
		break;
	case '{':
		ok = reference_container(r, '}');
		break;
	case '"':
		number = reference_begin(r, LANEWISE_JSON_STRING);
		ok = reference_finish(r, number, reference_string(r));
		break;
	case 't':
		ok = reference_word(r, "true", LANEWISE_JSON_TRUE);
		break;
	case 'f':
		ok = reference_word(r, "false", LANEWISE_JSON_FALSE);
		break;
	case 'n':
		ok = reference_word(r, "null", LANEWISE_JSON_NULL);
		break;
	default:
		if (r->p == r->end)
			return 0;
		number = reference_begin(r, LANEWISE_JSON_NUMBER);
		ok = reference_finish(r, number, reference_number(r));
		break;
	}
	reference_space(r);
	return ok;
}

/* Whether the text is JSON no deeper than REFERENCE_DEPTH; its nodes and their number. */
static int reference_parse(const void *text, size_t n, lanewise_json_node *nodes, size_t *n_nodes)
{
	struct reference_parser r = { .p = text, .begin = text, .nodes = nodes };
	int ok;

	r.end = r.p + n;
	ok = n > 0 && reference_value(&r) && r.p == r.end;
	*n_nodes = r.n_nodes;
	return ok;
}

/* A tree as LANEWISE_JSON_NUMBER_ARRAYS has it; returns the number of nodes. `places` has room for one more than there are. */
static inline size_t reference_fold(lanewise_json_node *nodes, size_t n_nodes, uint32_t *places)
{
	size_t n = 0;

	for (size_t i = 0; i < n_nodes; i++) {
		size_t child = i + 1, next = nodes[i].next;

		places[i] = (uint32_t)n;
		nodes[n] = nodes[i];
		while (child < next && nodes[child].type == LANEWISE_JSON_NUMBER)
			child++;
		if (nodes[n].type == LANEWISE_JSON_ARRAY && next > i + 1 && child == next) {
			nodes[n].flags |= LANEWISE_JSON_NUMBERS;
			i = next - 1;
		}
		n++;
	}
	places[n_nodes] = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		nodes[i].next = places[nodes[i].next];
	return n;
}

#endif
