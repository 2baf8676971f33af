/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of the JSON kernels: byte by byte. */
#include <lanewise/json.h>

#include "common.h"

#include "json_numbers.h"

size_t LW_FN(json_plain)(const uint8_t *text, size_t n)
{
	size_t i = 0;

	while (i < n && text[i] >= 0x20 && text[i] != '"' && text[i] != '\\')
		i++;
	return i;
}

/* Whether text[0] is indexed; what it was like to `carry`. */
static int index_byte(const uint8_t *text, struct lw_json_carry *carry)
{
	uint8_t c = *text;
	int is_quote = c == '"' && !carry->escaped, begins_escape = c == '\\' && !carry->escaped;
	int is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
	int is_operator = c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ',';
	int is_scalar = !is_quote && !is_space && !is_operator;
	int indexed = is_quote || (carry->in_string ? begins_escape : is_operator || (is_scalar && !carry->in_scalar));

	carry->in_string ^= (uint8_t)is_quote;
	carry->escaped = (uint8_t)begins_escape;
	carry->in_scalar = (uint8_t)is_scalar;
	return indexed;
}

size_t LW_FN(json_index)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                         struct lw_json_seen *seen)
{
	size_t count = 0;

	*seen = (struct lw_json_seen) { n, 0 };
	for (size_t i = 0; i < n; i++) {
		if (carry->in_string && text[i] < 0x20 && seen->control == n)
			seen->control = i;
		seen->wide |= text[i] > 0x7f;
		if (index_byte(text + i, carry))
			index[count++] = base + (uint32_t)i;
	}
	return count;
}

void LW_FN(json_bits)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint64_t *words,
                      struct lw_json_seen *seen)
{
	*seen = (struct lw_json_seen) { n, 0 };
	for (size_t i = 0; i < n; i++) {
		if (carry->in_string && text[i] < 0x20 && seen->control == n)
			seen->control = i;
		seen->wide |= text[i] > 0x7f;
		if (i % 64 == 0)
			words[i / 64] = 0;
		words[i / 64] |= (uint64_t)index_byte(text + i, carry) << i % 64;
	}
}

static size_t write_utf8(uint32_t code, uint8_t *out)
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (uint8_t)code;
		return 1;
	}
	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		out[i] = (uint8_t)(0x80 | (code & 0x3f));
	out[0] = (uint8_t)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | code);
	return n;
}

static uint32_t read_hex(const uint8_t *p)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++)
		code = code << 4 | (p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return code;
}

/* The byte of `to` whose place is c's in `from`, or 0. */
static uint8_t mapped(uint8_t c, const char *from, const char *to)
{
	for (; *from; from++, to++)
		if ((uint8_t)*from == c)
			return (uint8_t)*to;
	return 0;
}

size_t LW_FN(json_unescape)(const uint8_t *text, size_t n, uint8_t *out)
{
	size_t size = 0;

	for (size_t i = 0; i < n;) {
		uint32_t code;

		if (text[i] != '\\') {
			out[size++] = text[i++];
		} else if (text[i + 1] != 'u') {
			uint8_t byte = mapped(text[i + 1], "bfnrt", "\b\f\n\r\t");

			out[size++] = byte ? byte : text[i + 1];
			i += 2;
		} else {
			code = read_hex(text + i + 2);
			i += 6;
			if (code >= 0xd800 && code < 0xdc00 && n - i >= 6 && text[i] == '\\' && text[i + 1] == 'u') {
				uint32_t low = read_hex(text + i + 2);

				if (low >= 0xdc00 && low < 0xe000) {
					code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
					i += 6;
				}
			}
			size += write_utf8(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, out + size);
		}
	}
	return size;
}

size_t LW_FN(json_escape)(const uint8_t *text, size_t n, uint8_t *out)
{
	static const char hex[] = "0123456789abcdef";
	size_t size = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t letter = mapped(text[i], "\b\f\n\r\t\"\\", "bfnrt\"\\");

		if (letter) {
			out[size++] = '\\';
			out[size++] = letter;
		} else if (text[i] < 0x20) {
			memcpy(out + size, "\\u00", 4);
			out[size + 4] = (uint8_t)hex[text[i] >> 4];
			out[size + 5] = (uint8_t)hex[text[i] & 15];
			size += 6;
		} else {
			out[size++] = text[i];
		}
	}
	return size;
}

void LW_FN(json_numbers)(const uint8_t *text, size_t n, struct lw_json_numbers *numbers)
{
	lw_numbers_scan(text, 0, n, numbers);
}

size_t LW_FN(json_ends)(const uint8_t *text, size_t n, int *within, uint32_t base, uint32_t *ends)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		int before = *within;

		*within = text[i] > ' ' && text[i] != ',';
		if (before && !*within)
			ends[count++] = base + (uint32_t)i;
	}
	return count;
}

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static int8_t read_decimal(const uint8_t *text, size_t end, uint64_t *w)
{
	size_t first = end, point = end, scale;

	*w = 0;
	while (is_digit(text[first - 1]) || text[first - 1] == '.')
		if (text[--first] == '.')
			point = first;
	if (end < 33 || end - first > 31 || (end - first > 16 && end - point <= 16 && point < end) ||
	    lw_is_exponent(text + first))
		return LW_UNREAD;
	for (size_t i = first; i < end; i++) {
		if (end - i == 16 && *w > 1843)
			return LW_UNREAD;
		if (i != point)
			*w = 10 * *w + text[i] - '0';
	}
	scale = point < end ? end - point - 1 : 0;
	return (int8_t)(text[first - 1] == '-' ? -1 - (int)scale : (int)scale);
}

void LW_FN(json_decimals)(const uint8_t *text, const uint32_t *ends, size_t n, uint64_t *w, int8_t *scale)
{
	for (size_t i = 0; i < n; i++)
		scale[i] = read_decimal(text, ends[i], &w[i]);
}

size_t LW_FN(json_round_f32)(const uint64_t *w, const int8_t *scale, size_t begin, size_t n, float *out)
{
	size_t i = begin;

	while (i < n && lw_product_f32(w[i], scale[i], &out[i]))
		i++;
	return i;
}

size_t LW_FN(json_floats)(const uint8_t *text, uint32_t begin, uint32_t end, float *out, struct lw_json_unread *unread,
                          size_t *n_unread)
{
	size_t count = 0;
	uint64_t w;

	*n_unread = 0;
	for (uint32_t at = begin; at < end; at++) {
		uint32_t behind = at + 1;
		int8_t scale;

		if (text[at] <= ' ' || text[at] == ',' || (behind < end && text[behind] > ' ' && text[behind] != ','))
			continue;
		scale = read_decimal(text, behind, &w);
		if (scale == LW_UNREAD || !lw_product_f32(w, scale, &out[count]))
			unread[(*n_unread)++] = (struct lw_json_unread) { (uint32_t)count, behind };
		count++;
	}
	return count;
}

/* ----------------------------------------------------------------- tokens */

static int is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static int is_letter(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static int is_one_of(uint8_t c, const char *bytes)
{
	while (*bytes && (uint8_t)*bytes != c)
		bytes++;
	return *bytes != 0;
}

/* Whether the escape whose backslash is at text[at] is one. */
static int is_escape(const uint8_t *text, size_t at, struct lw_json_scan *s)
{
	uint32_t value;
	int is_low;

	if (at + 1 == s->n_text)
		return 0;
	if (text[at + 1] != 'u')
		return is_one_of(text[at + 1], "\"\\/bfnrt");
	if (s->n_text - at < 6)
		return 0;
	for (size_t i = 2; i < 6; i++)
		if (!(text[at + i] >= '0' && text[at + i] <= '9') &&
		    !((text[at + i] | 0x20) >= 'a' && (text[at + i] | 0x20) <= 'f'))
			return 0;
	value = read_hex(text + at + 2);
	if (value < 0xd800 || value > 0xdfff || s->allow_lone_surrogates)
		return 1;
	is_low = value >= 0xdc00;
	if (is_low != (s->low_at == at))
		return 0;
	s->low_at = is_low ? 0 : at + 6;
	return is_low || (s->n_text - at >= 12 && text[at + 6] == '\\' && text[at + 7] == 'u' &&
	                  read_hex(text + at + 8) >= 0xdc00 && read_hex(text + at + 8) < 0xe000);
}

/* A byte of a string; returns whether it is a token, the quote at the end. */
static int scan_string(const uint8_t *text, size_t at, struct lw_json_scan *s, uint32_t *flag)
{
	uint8_t c = text[at];

	if (s->escaped) {
		s->escaped = 0;
		return 0;
	}
	s->bad |= c < 0x20;
	if (c == '\\') {
		s->escaped = s->escapes = 1;
		s->bad |= !is_escape(text, at, s);
	}
	if (c != '"')
		return 0;
	*flag = s->escapes ? LW_JSON_TOKEN_FLAG : 0;
	s->in_string = s->escapes = 0;
	return 1;
}

/* A byte of a number or word; number.value keeps the state of the former. */
static void scan_scalar(uint8_t c, struct lw_json_scan *s)
{
	int begins = !s->in_scalar, class = lw_numbers_class(c);

	if (begins)
		s->letter = (uint8_t)is_letter(c);
	if (s->letter) {
		s->bad |= !is_letter(c);
	} else {
		if (begins)
			s->number.value = LW_NUMBERS_AFTER_COMMA;
		s->number.value = class == LW_NUMBERS_FOREIGN ? LW_NUMBERS_BAD
		                                              : (uint8_t)lw_numbers_next((int)s->number.value, class);
		s->bad |= s->number.value == LW_NUMBERS_BAD;
	}
}

static int end_scalar(struct lw_json_scan *s, uint32_t *flag)
{
	int state = (int)s->number.value, is_number = s->in_scalar && !s->letter;

	if (is_number) {
		s->bad |= state == LW_NUMBERS_AT_SIGN || state == LW_NUMBERS_AT_POINT || state == LW_NUMBERS_AT_E ||
		          state == LW_NUMBERS_AT_E_SIGN;
		*flag = state == LW_NUMBERS_AT_FRACTION || state == LW_NUMBERS_AT_EXPONENT ? LW_JSON_TOKEN_FLAG : 0;
	}
	return s->in_scalar != 0;
}

/* Whether text[at] is a token. */
static int scan_byte(const uint8_t *text, size_t at, struct lw_json_scan *s, uint32_t *flag)
{
	uint8_t c = text[at];
	int scalar = 0, is_token = 1;

	*flag = 0;
	if (s->in_string)
		return scan_string(text, at, s, flag);
	if (is_space(c)) {
		is_token = end_scalar(s, flag);
	} else if (c == '"' || is_one_of(c, "{}[]:,")) {
		end_scalar(s, flag);
		s->in_string = c == '"';
	} else {
		is_token = !s->in_scalar;
		scan_scalar(c, s);
		scalar = 1;
	}
	s->in_scalar = (uint8_t)scalar;
	return is_token;
}

size_t LW_FN(json_tokens)(const uint8_t *text, size_t begin, size_t end, struct lw_json_scan *scan, uint32_t *tokens)
{
	size_t count = 0;
	uint32_t flag;

	for (size_t at = begin; at < end; at++) {
		scan->wide |= text[at] > 0x7f;
		if (scan_byte(text, at, scan, &flag))
			tokens[count++] = (uint32_t)(at - begin) << 8 | flag | text[at];
	}
	return count;
}

/* ------------------------------------------------------------------ nodes */

/* What may come, besides white space. */
enum {
	VALUE, /* as at the beginning */
	NAME_OR_END,
	NAME,
	COLON,
	VALUE_OR_END,
	COMMA_OR_END
};

static int32_t position_of(uint32_t token) { return (int32_t)token >> 8; }

static uint8_t type_of(const uint8_t *p, size_t n)
{
	if (*p == '"')
		return LANEWISE_JSON_STRING;
	if (n == 4 && memcmp(p, "true", 4) == 0)
		return LANEWISE_JSON_TRUE;
	if (n == 5 && memcmp(p, "false", 5) == 0)
		return LANEWISE_JSON_FALSE;
	if (n == 4 && memcmp(p, "null", 4) == 0)
		return LANEWISE_JSON_NULL;
	return is_digit(*p) || *p == '-' ? LANEWISE_JSON_NUMBER : UINT8_MAX;
}

static lanewise_json_node *push_node(struct lw_json_tree *t, uint32_t offset, uint8_t type)
{
	if (t->n_nodes == t->capacity) {
		t->bad = 1;
		return NULL;
	}
	t->nodes[t->n_nodes] = (lanewise_json_node) { offset, 1, (uint32_t)t->n_nodes + 1, type, 0, 0 };
	return &t->nodes[t->n_nodes++];
}

/* The value or name that begins with tokens[0] and, unless it is a container, ends with the next. */
static void take_value(const uint8_t *text, uint32_t base, const uint32_t *tokens, size_t n, struct lw_json_tree *t)
{
	uint32_t offset = base + (uint32_t)position_of(*tokens), is_name = t->expected == NAME;
	int flagged = n > 1 && tokens[1] & LW_JSON_TOKEN_FLAG;
	uint8_t c = *tokens & 0x7f;
	lanewise_json_node *node;

	t->expected = is_name ? COLON : COMMA_OR_END;
	if (c == '{' || c == '[') {
		node = push_node(t, offset, c == '{' ? LANEWISE_JSON_OBJECT : LANEWISE_JSON_ARRAY);
		if (!node)
			return;
		node->next = t->container;
		t->container = (uint32_t)t->n_nodes - 1;
		t->bad |= ++t->depth > t->max_depth;
		t->expected = c == '{' ? NAME_OR_END : VALUE_OR_END;
		return;
	}
	t->bad |= n < 2 || t->depth == 0;
	node = t->bad ? NULL : push_node(t, offset, 0);
	if (!node)
		return;
	node->n_bytes = (uint32_t)(position_of(tokens[1]) - position_of(*tokens)) + (c == '"');
	node->type = type_of(text + offset, node->n_bytes);
	t->bad |= node->type == UINT8_MAX;
	if (c == '"')
		node->flags = (flagged ? LANEWISE_JSON_ESCAPES : 0) | (is_name ? LANEWISE_JSON_NAME : 0);
	else if (node->type == LANEWISE_JSON_NUMBER)
		node->flags = flagged ? 0 : LANEWISE_JSON_INTEGER;
}

static void take_end(uint32_t base, uint32_t token, struct lw_json_tree *t)
{
	lanewise_json_node *node = &t->nodes[t->container];
	int object = (token & 0x7f) == '}';

	if (t->depth == 0 || object != (node->type == LANEWISE_JSON_OBJECT)) {
		t->bad = 1;
		return;
	}
	t->container = node->next;
	node->n_bytes = base + (uint32_t)position_of(token) + 1 - node->offset;
	node->next = (uint32_t)t->n_nodes;
	t->done = --t->depth == 0;
	t->expected = COMMA_OR_END;
}

static void take_token(const uint8_t *text, uint32_t base, const uint32_t *tokens, size_t n, struct lw_json_tree *t)
{
	uint8_t c = *tokens & 0x7f;

	if (t->in_string || is_space(c)) { /* the quote at an end, white space behind a number */
		t->in_string = 0;
		return;
	}
	t->bad |= t->done;
	if (c == '}' || c == ']') {
		t->bad |= t->expected != COMMA_OR_END && t->expected != (c == '}' ? NAME_OR_END : VALUE_OR_END);
		take_end(base, *tokens, t);
	} else if (c == ',') {
		t->bad |= t->expected != COMMA_OR_END;
		t->expected = t->nodes[t->container].type == LANEWISE_JSON_OBJECT ? NAME : VALUE;
	} else if (c == ':') {
		t->bad |= t->expected != COLON;
		t->expected = VALUE;
	} else {
		if (t->expected == NAME_OR_END)
			t->expected = NAME;
		t->bad |= t->expected == NAME ? c != '"' : t->expected != VALUE && t->expected != VALUE_OR_END;
		t->in_string = c == '"';
		if (!t->bad)
			take_value(text, base, tokens, n, t);
	}
}

size_t LW_FN(json_nodes)(const uint8_t *text, size_t base, const uint32_t *tokens, size_t n_tokens, int last,
                         struct lw_json_tree *tree)
{
	size_t at = 0;

	for (; at < n_tokens && !tree->bad && (last || n_tokens - at > 1); at++) {
		if (tree->n_nodes == 0 && (tokens[at] & 0x7f) != '{' && (tokens[at] & 0x7f) != '[')
			tree->bad = 1;
		else
			take_token(text, (uint32_t)base, tokens + at, n_tokens - at, tree);
	}
	tree->bad |= last && !tree->done;
	return at;
}
