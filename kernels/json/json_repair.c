/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON from what is nearly JSON, in one pass from left to right.
 *
 * What is right is never written: an edit says which bytes of the text are replaced by what, and the bytes since the edit
 * before it are copied when it is made. So looking ahead costs nothing but the look. Between two values lies a gap of
 * white space, commas, comments and ellipses; it is looked through first and edited once it is known what follows.
 * Before each gap the state of the output is noted: where the text turns out to end too early, the output goes back to it.
 *
 * What is right, or wrong in a way that has one reading only, goes a way of its own (skip_plain), which makes the same edits
 * at a fraction of the cost. Where anything is unusual, it stops, and the general way takes over for a token.
 *
 * Linear time: a gap is passed at most three times; the look behind a quote goes through white space and at most
 * MAX_LOOK further bytes; the end of a string is looked for once and remembered. What skip_plain looks at in vain, a string
 * and the name behind it at most, the general way passes over before it is tried again.
 */
#include <lanewise/json.h>

#include "common.h"
#include "json_escape.h"
#include "support.h"

enum { DEFAULT_DEPTH = 1024, MAX_DEPTH = LANEWISE_JSON_MAX_VALIDATED_DEPTH, MAX_LOOK = 64 };

/* What a string is: that decides what can follow it. */
enum role { ROLE_NAME, ROLE_MEMBER, ROLE_ELEMENT, ROLE_TOP };

struct span {
	size_t at;         /* of the opening quote */
	size_t begin, end; /* of what is inside */
	size_t after;      /* behind the closing quote; `end` if there is none */
	int plain;         /* nothing inside needs an edit */
	int cut;           /* the text ends within it */
	enum role role;
};

struct mark {
	size_t n_out, n_edits, done, gap;
};

struct repair {
	const uint8_t *text;
	size_t n; /* where the value ends at the latest */
	uint32_t flags, dialect;
	size_t max_depth;
	int is_utf8, all_values; /* JSON_REPAIR, JSONREPAIR: several values are an array */

	char *out;
	size_t capacity;
	lanewise_json_edit *edits;
	size_t edit_capacity;
	size_t n_out, n_edits, done; /* the text is copied up to `done` */

	struct mark mark; /* before the last gap */
	int gap_is_plain; /* the gap looked through last: nothing in it but blanks and at most one comma */
	struct span last; /* the last string looked at */
	size_t depth, n_objects;
	uint64_t objects[MAX_DEPTH / 64];
};

/* ----------------------------------------------------------------- output */

static inline void put(struct repair *r, const void *bytes, size_t n)
{
	if (n && r->n_out <= r->capacity && n <= r->capacity - r->n_out)
		memcpy(r->out + r->n_out, bytes, n);
	r->n_out += n;
}

/* text[from, to) becomes `bytes`; what lies before it is copied. */
static void edit(struct repair *r, uint32_t kind, size_t from, size_t to, const void *bytes, size_t n)
{
	put(r, r->text + r->done, from - r->done);
	if (r->n_edits < r->edit_capacity)
		r->edits[r->n_edits] = (lanewise_json_edit) { from, to - from, r->n_out, n, kind, 0 };
	r->n_edits++;
	put(r, bytes, n);
	r->done = to;
}

static void replace(struct repair *r, uint32_t kind, size_t from, size_t to, const char *with)
{
	edit(r, kind, from, to, with, strlen(with));
}

static void set_mark(struct repair *r, size_t gap) { r->mark = (struct mark) { r->n_out, r->n_edits, r->done, gap }; }

static void back_to_mark(struct repair *r)
{
	r->n_out = r->mark.n_out;
	r->n_edits = r->mark.n_edits;
	r->done = r->mark.done;
}

/* ------------------------------------------------------------- containers */

static int is_object_at(const struct repair *r, size_t depth)
{
	return (int)(r->objects[(depth - 1) / 64] >> (depth - 1) % 64 & 1);
}

static int in_object(const struct repair *r) { return r->depth && is_object_at(r, r->depth); }

static void push(struct repair *r, int object)
{
	uint64_t bit = (uint64_t)1 << r->depth % 64, *word = &r->objects[r->depth / 64];

	*word = object ? *word | bit : *word & ~bit;
	r->depth++;
	r->n_objects += (size_t)object;
}

static char pop(struct repair *r)
{
	int object = in_object(r);

	r->depth--;
	r->n_objects -= (size_t)object;
	return object ? '}' : ']';
}

/* The text ends too early: everything since the last gap goes, and what is open is closed. */
static void finish_early(struct repair *r)
{
	char brackets[MAX_DEPTH];
	size_t n = 0;

	back_to_mark(r);
	while (r->depth)
		brackets[n++] = pop(r);
	edit(r, LANEWISE_JSON_EDIT_END, r->mark.gap, r->n, brackets, n);
}

static int is_python(const struct repair *r) { return r->dialect == LANEWISE_JSON_DIALECT_JSON_REPAIR; }

static int is_node(const struct repair *r) { return r->dialect == LANEWISE_JSON_DIALECT_JSONREPAIR; }

/* What a member has whose value lacks. */
static const char *no_value(const struct repair *r) { return is_python(r) ? "\"\"" : "null"; }

/* The text ends, and the member under way is kept: `rest` is what it has behind `from`. */
static void finish_member(struct repair *r, size_t from, const char *rest)
{
	char end[MAX_DEPTH + 8];
	size_t n = strlen(rest);

	memcpy(end, rest, n);
	while (r->depth)
		end[n++] = pop(r);
	edit(r, LANEWISE_JSON_EDIT_END, from, r->n, end, n);
}

/* The text ends within a member before its value, behind its colon or not; its name ended at `name`, or SIZE_MAX. */
static void finish_within_member(struct repair *r, size_t name, int colon)
{
	if (colon && (is_python(r) || is_node(r)))
		finish_member(r, r->n, no_value(r));
	else if (is_node(r))
		finish_member(r, name == SIZE_MAX ? r->n : name, ":null");
	else
		finish_early(r);
}

/* ------------------------------------------------------------------ looks */

static int is_blank(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static int is_letter(uint8_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

static int is_word_byte(uint8_t c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '$' || c == '-' || c == '+' || c == '.' || c >= 0x80;
}

/* Eight at a time: indentation is long. Where it stops, there may be more. */
static inline size_t skip_spaces(const struct repair *r, size_t at)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	while (at < r->n && r->n - at >= 8) {
		uint64_t others;

		memcpy(&others, r->text + at, sizeof others);
		others ^= 0x2020202020202020;
		if (others)
			return at + (size_t)__builtin_ctzll(others) / 8;
		at += 8;
	}
#endif
	return at;
}

static inline size_t skip_blank(const struct repair *r, size_t at)
{
	while (at < r->n && is_blank(r->text[at]))
		at = skip_spaces(r, at + 1);
	return at;
}

static inline int starts(const struct repair *r, size_t at, const char *what)
{
	size_t n = strlen(what);

	return at <= r->n && r->n - at >= n && memcmp(r->text + at, what, n) == 0;
}

/* The byte at `at`, or 0. */
static uint8_t peek(const struct repair *r, size_t at) { return at < r->n ? r->text[at] : 0; }

/* The size of a quote at `at`, or 0; `kind` becomes ", ', ` or, for a typographic one, the last byte of its class. */
static inline size_t quote_at(const struct repair *r, size_t at, uint8_t *kind)
{
	uint8_t c = peek(r, at);

	*kind = c;
	if (c == '"' || c == '\'')
		return 1;
	if (c < 0x60)
		return 0;
	if (c == '`')
		return starts(r, at, "```") ? 0 : 1;
	if (c != 0xe2 || peek(r, at + 1) != 0x80)
		return 0;
	*kind = 0x9c;
	if (peek(r, at + 2) >= 0x9c && peek(r, at + 2) <= 0x9f)
		return 3;
	*kind = 0x98;
	return peek(r, at + 2) >= 0x98 && peek(r, at + 2) <= 0x9b ? 3 : 0;
}

static size_t any_quote_at(const struct repair *r, size_t at)
{
	uint8_t kind;

	return quote_at(r, at, &kind);
}

/* The size of a quote at `at` that can close a string opened with `kind`, or 0. */
static size_t closing_at(const struct repair *r, size_t at, uint8_t kind)
{
	uint8_t found;
	size_t n = quote_at(r, at, &found);

	if (!n || found == kind)
		return n;
	return (kind == 0x9c && found == '"') || ((kind == 0x98 || kind == '`') && found == '\'') ? n : 0;
}

static size_t behind_comment(const struct repair *r, size_t at)
{
	const uint8_t *end;

	if (starts(r, at, "/*")) {
		for (size_t i = at + 2; (end = memchr(r->text + i, '*', r->n - i)) != NULL;) {
			i = (size_t)(end - r->text) + 1;
			if (peek(r, i) == '/')
				return i + 1;
			if (i >= r->n)
				break;
		}
		return r->n;
	}
	if (peek(r, at) != '#' && !starts(r, at, "//"))
		return at;
	while (at < r->n && r->text[at] != '\n' && r->text[at] != '\r')
		at++;
	return at;
}

/* Behind the comment at `at`, or `at`. */
static inline size_t skip_comment(const struct repair *r, size_t at)
{
	uint8_t c = peek(r, at);

	return c == '/' || c == '#' ? behind_comment(r, at) : at;
}

/* Whether a comment begins at `at`: where it ends may be far away. */
static inline int is_comment(const struct repair *r, size_t at)
{
	uint8_t c = peek(r, at);

	return c == '#' || (c == '/' && (peek(r, at + 1) == '/' || peek(r, at + 1) == '*'));
}

/* The size of white space at `at` that is none in JSON, or 0. */
static size_t odd_blank(const struct repair *r, size_t at)
{
	uint8_t c = peek(r, at);

	if (at < r->n && (c == '\f' || c == '\v' || c == 0))
		return 1;
	if (c == 0xc2 && peek(r, at + 1) == 0xa0)
		return 2;
	if (starts(r, at, "\xef\xbb\xbf") || starts(r, at, "\xe3\x80\x80"))
		return 3;
	return c == 0xe2 && peek(r, at + 1) == 0x80 && peek(r, at + 2) >= 0x80 && peek(r, at + 2) <= 0x8b ? 3 : 0;
}

static size_t ellipsis(const struct repair *r, size_t at)
{
	size_t i = at;

	if (peek(r, at) != '.' && peek(r, at) != 0xe2)
		return 0;
	if (starts(r, at, "\xe2\x80\xa6"))
		return 3;
	if (!starts(r, at, "..."))
		return 0;
	while (peek(r, i) == '.')
		i++;
	return i - at;
}

/* Whether a byte may be part of a gap, apart from blanks and commas, or a fence. */
static int may_be_gap(uint8_t c)
{
	return c == '/' || c == '#' || c == '.' || c == '`' || c == '\f' || c == '\v' || c == 0 || c >= 0xc2;
}

/* Commas in a gap: they end it, or all are taken out, or all but the first. */
enum commas { COMMAS_END, COMMAS_REMOVE, COMMAS_KEEP_ONE };

/*
 * Behind the gap at `at`. With `write`, what does not belong there is edited. A fence ends the text. `n_commas` may be
 * NULL.
 */
static size_t skip_gap(struct repair *r, size_t at, enum commas commas, int write, size_t *n_commas)
{
	size_t count = 0, next;
	int is_plain = 1;

	for (; at < r->n; at = next) {
		uint32_t kind = LANEWISE_JSON_EDIT_PROSE;
		const char *with = "";

		next = at + 1;
		if (is_blank(r->text[at])) {
			next = skip_spaces(r, next);
			continue;
		}
		if (r->text[at] == ',' && commas != COMMAS_END) {
			if (count++ == 0 && commas == COMMAS_KEEP_ONE)
				continue;
			kind = LANEWISE_JSON_EDIT_COMMA;
		} else if (!may_be_gap(r->text[at])) {
			break;
		} else if ((next = skip_comment(r, at)) > at) {
			kind = LANEWISE_JSON_EDIT_COMMENT;
		} else if ((next = at + ellipsis(r, at)) > at) {
			kind = LANEWISE_JSON_EDIT_ELLIPSIS;
		} else if ((next = at + odd_blank(r, at)) > at) {
			with = " ";
		} else {
			if (starts(r, at, "```"))
				r->n = at;
			break;
		}
		is_plain = 0;
		if (write)
			replace(r, kind, at, next, with);
	}
	r->gap_is_plain = is_plain;
	if (n_commas)
		*n_commas = count;
	return at;
}

/* Whether a name without quotes and a colon stand at `at`. */
static int is_bare_name(const struct repair *r, size_t at)
{
	size_t i = at, limit = r->n - at < MAX_LOOK ? r->n : at + MAX_LOOK;

	if (!is_letter(peek(r, at)) && peek(r, at) != '_' && peek(r, at) != '$')
		return 0;
	while (i < limit && is_word_byte(r->text[i]))
		i++;
	while (i < limit && is_blank(r->text[i]))
		i++;
	return i < limit && r->text[i] == ':';
}

/* What stands behind the short string at `at`; ':' where none ends near. */
static uint8_t behind_short_string(const struct repair *r, size_t at)
{
	uint8_t kind;
	size_t i = at + quote_at(r, at, &kind), limit = r->n - at < MAX_LOOK ? r->n : at + MAX_LOOK, n = 0;

	while (i < limit && !(n = closing_at(r, i, kind)))
		i += r->text[i] == '\\' ? 2 : 1;
	for (i += n; n && i < limit && is_blank(r->text[i]); i++)
		;
	return n && i < limit ? r->text[i] : ':';
}

/* ---------------------------------------------------------------- strings */

/* Whether a value or name of its role can follow the comma before `at`. */
static int follows_comma(const struct repair *r, size_t at, enum role role)
{
	uint8_t c = peek(r, at);

	if (at >= r->n || c == ',' || c == '}' || c == ']' || c == '{' || c == '.' || ellipsis(r, at) ||
	    is_comment(r, at))
		return 1;
	if (any_quote_at(r, at)) {
		uint8_t behind = role == ROLE_MEMBER ? behind_short_string(r, at) : ':';

		return !is_letter(behind) && behind != ',';
	}
	if (is_bare_name(r, at))
		return 1;
	return role == ROLE_ELEMENT && (is_digit(c) || c == '-' || c == '[' || c == 'N' || c == 'T' || c == 'F' ||
	                                starts(r, at, "null") || starts(r, at, "true") || starts(r, at, "false"));
}

/* Whether another string at `at` can follow a string that ended at `end`. */
static int follows_string(const struct repair *r, const struct span *s, size_t end, size_t at, int newline)
{
	if (at == end && end > s->begin + 1) {
		uint8_t c = peek(r, skip_blank(r, at + any_quote_at(r, at)));

		if (c == 0 || c == ',' || c == '}' || c == ']' || c == ':')
			return 0;
	}
	return s->role != ROLE_MEMBER || newline || behind_short_string(r, at) == ':';
}

/* Whether strings with a + between them are one. */
static int joins(const struct repair *r) { return !is_python(r); }

static int has_newline(const struct repair *r, size_t from, size_t to)
{
	return to > from && memchr(r->text + from, '\n', to - from) != NULL;
}

/* Whether a quote that ends at `end` is the closing one: whether what follows can follow a string. */
static int closes(const struct repair *r, const struct span *s, size_t end)
{
	size_t at = skip_blank(r, end);
	uint8_t c = peek(r, at);

	if (at >= r->n)
		return 1;
	if (s->role == ROLE_TOP)
		return 0;
	if (c == '}' || c == ']' || is_comment(r, at) || starts(r, at, "...") || starts(r, at, "```"))
		return c != '#' || at > end;
	if (s->role == ROLE_NAME)
		return c == ':' || c == '=' || c == ',' || c == '{' || c == '[' || any_quote_at(r, at) ||
		       (at > end && (is_digit(c) || c == '-' || starts(r, at, "true") || starts(r, at, "false") ||
		                     starts(r, at, "null")));
	if (c == ',')
		return follows_comma(r, skip_blank(r, at + 1), s->role);
	if (c == '+')
		return joins(r) && any_quote_at(r, skip_blank(r, at + 1));
	if (any_quote_at(r, at))
		return follows_string(r, s, end, at, has_newline(r, end, at));
	if (s->role == ROLE_ELEMENT)
		return c == '{' || c == '[' || c == ':';
	return has_newline(r, end, at) && is_bare_name(r, at);
}

/*
 * A value runs into the next name if its closing quote lacks: the quote before it, at `inner`, then opened that name.
 * Where the value ends: at the comma or line end before the name, or 0.
 */
static size_t end_before_name(const struct repair *r, const struct span *s, size_t inner)
{
	size_t at = inner, line = 0;

	for (; at > s->begin && is_blank(r->text[at - 1]); at--)
		if (r->text[at - 1] == '\n')
			line = at - 1;
	if (at > s->begin && r->text[at - 1] == ',')
		return at - 1;
	return line ? at : 0;
}

/* Bytes that a string of any kind has to look at. */
static int may_matter(uint8_t c) { return c < 0x20 || c == '\\' || c == '"' || c == '\'' || c == '`' || c == 0xe2; }

/* The bytes from `at` on that are neither ' nor " nor backslash nor below 0x20. */
static inline size_t single_run(const struct repair *r, size_t at)
{
	const uint8_t *p = r->text + at;
	size_t n = r->n - at, i = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t ones = 0x0101010101010101;

	/* The lowest byte of the eight whose high bit is set is such a one; above it there may be false ones. */
	for (; n - i >= 8; i += 8) {
		uint64_t x, quotes, backslash, hits;

		memcpy(&x, p + i, sizeof x);
		quotes = (x & ones * 0xfa) ^ ones * 0x22; /* 0x22 and 0x27, and 0x23, 0x26, which are looked at then */
		backslash = x ^ ones * '\\';
		hits = (((quotes - ones) & ~quotes) | ((backslash - ones) & ~backslash) | ((x - ones * 0x20) & ~x)) &
		       ones * 0x80;
		if (!hits)
			continue;
		i += (size_t)__builtin_ctzll(hits) / 8;
		if (p[i] == '#' || p[i] == '&')
			i -= 7; /* to the byte behind it, by the loop's step */
		else
			return i;
	}
#endif
	while (i < n && p[i] >= 0x20 && p[i] != '"' && p[i] != '\'' && p[i] != '\\')
		i++;
	return i;
}

/* The string at `at`, where a quote stands. */
static struct span find_string(struct repair *r, size_t at, enum role role)
{
	uint8_t kind;
	size_t i = at + quote_at(r, at, &kind), inner = 0, n;
	struct span s = { .at = at, .begin = i, .plain = r->is_utf8, .role = role };

	if (r->last.at == at && r->last.role == role && r->last.after)
		return r->last;
	while (i < r->n) {
		if (kind == '"')
			i += lw_json_run(r->text + i, r->n - i);
		else
			while (i < r->n && !may_matter(r->text[i]))
				i++;
		if (i >= r->n)
			break;
		n = closing_at(r, i, kind);
		if (!n) {
			s.plain &= r->text[i] == 0xe2 || r->text[i] == '\'' || r->text[i] == '`';
			i += r->text[i] == '\\' ? 2 : 1;
			continue;
		}
		if (closes(r, &s, i + n)) {
			s.end = i;
			s.after = i + n;
			return r->last = s;
		}
		if (role == ROLE_MEMBER && inner && peek(r, skip_blank(r, i + n)) == ':' &&
		    (s.end = end_before_name(r, &s, inner)) != 0) {
			s.after = s.end;
			return r->last = s;
		}
		s.plain = 0;
		inner = i;
		i += n;
	}
	s.end = s.after = r->n;
	s.cut = 1;
	s.plain = 0;
	return r->last = s;
}

/* The value of `n` hexadecimal digits at `at`, all before `end`, or -1. */
static int read_hex(const struct repair *r, size_t at, size_t n, size_t end)
{
	int value = 0;

	if (end < at || end - at < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int digit = lw_json_hex[r->text[at + i]] - 1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static void edit_unicode(struct repair *r, size_t from, size_t to, unsigned code)
{
	static const char hex[] = "0123456789abcdef";
	char bytes[6] = { '\\', 'u', hex[code >> 12 & 15], hex[code >> 8 & 15], hex[code >> 4 & 15], hex[code & 15] };

	edit(r, LANEWISE_JSON_EDIT_ESCAPE, from, to, bytes, sizeof bytes);
}

/* The escape \u at `at`; returns behind it. */
static size_t repair_u_escape(struct repair *r, size_t at, const struct span *s)
{
	int code = read_hex(r, at + 2, 4, s->end), low;

	if (code < 0) {
		if (s->cut && s->end - at < 6) { /* an escape cut off by the end */
			replace(r, LANEWISE_JSON_EDIT_END, at, s->end, "");
			return s->end;
		}
		replace(r, LANEWISE_JSON_EDIT_ESCAPE, at, at + 1, "\\\\");
		return at + 1;
	}
	if (code < 0xd800 || code > 0xdfff || (r->flags & LANEWISE_JSON_ALLOW_LONE_SURROGATES))
		return at + 6;
	low = s->end - at >= 12 && r->text[at + 6] == '\\' && r->text[at + 7] == 'u' ? read_hex(r, at + 8, 4, s->end)
	                                                                             : -1;
	if (code < 0xdc00 && low >= 0xdc00 && low <= 0xdfff)
		return at + 12;
	edit_unicode(r, at, at + 6, 0xfffd);
	return at + 6;
}

/* The escape at `at`; returns behind it. */
static size_t repair_escape(struct repair *r, size_t at, const struct span *s)
{
	uint8_t c;
	int code;

	if (s->end - at < 2) {
		if (s->cut)
			replace(r, LANEWISE_JSON_EDIT_END, at, at + 1, "");
		else
			replace(r, LANEWISE_JSON_EDIT_ESCAPE, at, at + 1, "\\\\");
		return at + 1;
	}
	c = r->text[at + 1];
	if (lw_json_unescaped[c])
		return at + 2;
	switch (c) {
	case 'u':
		return repair_u_escape(r, at, s);
	case '\'':
	case '`':
		replace(r, LANEWISE_JSON_EDIT_ESCAPE, at, at + 1, "");
		return at + 2;
	case '\n':
		replace(r, LANEWISE_JSON_EDIT_ESCAPE, at, at + 2, "");
		return at + 2;
	case 'x':
		code = read_hex(r, at + 2, 2, s->end);
		if (code >= 0) {
			edit_unicode(r, at, at + 4, (unsigned)code);
			return at + 4;
		}
		break;
	default:
		break;
	}
	replace(r, LANEWISE_JSON_EDIT_ESCAPE, at, at + 1, "\\\\");
	return at + 1;
}

/* text[from, to) holds no quotes, escapes or control characters: it is to be UTF-8 as well. */
static void repair_utf8(struct repair *r, size_t from, size_t to, const struct span *s)
{
	while (!r->is_utf8 && from < to) {
		from += lanewise_utf8_valid_prefix((const char *)r->text + from, to - from);
		if (from == to)
			break;
		if (s->cut && to == s->end && to - from < 4 && r->text[from] >= 0xc0) { /* a character cut off */
			replace(r, LANEWISE_JSON_EDIT_END, from, to, "");
			break;
		}
		replace(r, LANEWISE_JSON_EDIT_ESCAPE, from, from + 1, "\xef\xbf\xbd");
		from++;
	}
}

static void repair_inside(struct repair *r, const struct span *s)
{
	static const char controls[] = "\b\t\n\f\r", letters[] = "btnfr";

	for (size_t at = s->begin; at < s->end;) {
		size_t run = lw_json_run(r->text + at, s->end - at);

		repair_utf8(r, at, at + run, s);
		at += run;
		if (at == s->end)
			break;
		if (r->text[at] == '\\') {
			at = repair_escape(r, at, s);
		} else if (r->text[at] == '"') {
			replace(r, LANEWISE_JSON_EDIT_QUOTE, at, at + 1, "\\\"");
			at++;
		} else {
			const char *control = r->text[at] ? strchr(controls, r->text[at]) : NULL;

			if (control) {
				char bytes[2] = { '\\', letters[control - controls] };

				edit(r, LANEWISE_JSON_EDIT_ESCAPE, at, at + 1, bytes, 2);
			} else {
				edit_unicode(r, at, at + 1, r->text[at]);
			}
			at++;
		}
	}
}

static void repair_quote(struct repair *r, size_t from, size_t to)
{
	if (to - from != 1 || r->text[from] != '"')
		replace(r, LANEWISE_JSON_EDIT_QUOTE, from, to, "\"");
}

/* Writes the string and those joined to it; returns behind them. `cut` becomes whether the text ends within. */
static size_t repair_string(struct repair *r, size_t at, enum role role, int *cut)
{
	struct span s = find_string(r, at, role);

	repair_quote(r, s.at, s.begin);
	for (;;) {
		size_t plus, next;

		if (!s.plain)
			repair_inside(r, &s);
		plus = s.after > s.end && role != ROLE_NAME && joins(r) ? skip_blank(r, s.after) : r->n;
		next = peek(r, plus) == '+' ? skip_blank(r, plus + 1) : r->n;
		if (!any_quote_at(r, next))
			break;

		size_t end = s.end;

		s = find_string(r, next, role);
		replace(r, LANEWISE_JSON_EDIT_JOIN, end, s.begin, "");
	}
	repair_quote(r, s.end, s.after);
	*cut = s.cut;
	return s.after;
}

/* text[from, to) between quotes that it lacks. */
static void add_quotes(struct repair *r, size_t from, size_t to)
{
	struct span s = { .begin = from, .end = to, .after = to };

	replace(r, LANEWISE_JSON_EDIT_QUOTE, from, from, "\"");
	repair_inside(r, &s);
	replace(r, LANEWISE_JSON_EDIT_QUOTE, to, to, "\"");
}

/* ---------------------------------------------------------------- scalars */

/* What a word stands for, or NULL. At the end of the text, the beginning of a word will do, but not in every dialect. */
static const char *meaning(const struct repair *r, size_t from, size_t to)
{
	enum { NOT_PYTHON = 1 << LANEWISE_JSON_DIALECT_JSON_REPAIR, NOT_NODE = 1 << LANEWISE_JSON_DIALECT_JSONREPAIR };
	static const struct {
		const char *word, *value;
		int not_in;
	} words[] = { { "true", "true", 0 },
		      { "false", "false", 0 },
		      { "null", "null", 0 },
		      { "True", "true", 0 },
		      { "False", "false", 0 },
		      { "None", "null", 0 },
		      { "TRUE", "true", 0 },
		      { "FALSE", "false", 0 },
		      { "NULL", "null", 0 },
		      { "undefined", "null", NOT_PYTHON },
		      { "NaN", "null", NOT_NODE },
		      { "nan", "null", NOT_PYTHON | NOT_NODE },
		      { "Infinity", "null", NOT_NODE },
		      { "-Infinity", "null", NOT_NODE },
		      { "inf", "null", NOT_PYTHON | NOT_NODE },
		      { "-inf", "null", NOT_PYTHON | NOT_NODE },
		      { "nil", "null", NOT_PYTHON | NOT_NODE } };
	size_t n = to - from;
	int may_be_cut = to == r->n && r->dialect == LANEWISE_JSON_DIALECT_DEFAULT;

	if (n == 0 || is_digit(r->text[from]) || (r->text[from] == '-' && n > 1 && is_digit(r->text[from + 1])))
		return NULL;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t length;

		if (words[i].word[0] != (char)r->text[from] || (words[i].not_in >> r->dialect & 1))
			continue;
		length = strlen(words[i].word);
		if ((n == length || (n < length && may_be_cut)) && memcmp(r->text + from, words[i].word, n) == 0)
			return words[i].value;
	}
	return NULL;
}

static size_t skip_digits(const struct repair *r, size_t at, size_t to)
{
	while (at < to && is_digit(r->text[at]))
		at++;
	return at;
}

/* Writes text[from, to) as a number if it is nearly one. */
static int repair_number(struct repair *r, size_t from, size_t to)
{
	size_t sign = from, whole, zeros, point, fraction, exponent, digits, at;

	whole = sign + (sign < to && (r->text[sign] == '-' || r->text[sign] == '+'));
	point = skip_digits(r, whole, to);
	fraction = point + (point < to && r->text[point] == '.');
	exponent = skip_digits(r, fraction, to);
	at = exponent;
	digits = exponent;
	if (exponent < to && (r->text[exponent] | 0x20) == 'e') {
		digits = exponent + 1;
		digits += digits < to && (r->text[digits] == '-' || r->text[digits] == '+');
		at = skip_digits(r, digits, to);
	}
	for (zeros = whole; zeros + 1 < point && r->text[zeros] == '0'; zeros++)
		;
	if (at != to || (point == whole && exponent == fraction) || (zeros > whole && !is_python(r)) ||
	    (at == digits && digits > exponent && to != r->n))
		return 0;
	if (whole > sign && r->text[sign] == '+')
		replace(r, LANEWISE_JSON_EDIT_NUMBER, sign, whole, "");
	if (zeros > whole)
		replace(r, LANEWISE_JSON_EDIT_NUMBER, whole, zeros, "");
	if (point == whole)
		replace(r, LANEWISE_JSON_EDIT_NUMBER, whole, whole, "0");
	if (fraction > point && exponent == fraction)
		replace(r, LANEWISE_JSON_EDIT_NUMBER, fraction, fraction, "0");
	if (digits > exponent && at == digits)
		replace(r, LANEWISE_JSON_EDIT_NUMBER, exponent, to, "");
	return 1;
}

/* text[from, to) as a word or number, if it is one. */
static int repair_word(struct repair *r, size_t from, size_t to)
{
	const char *value = meaning(r, from, to);

	if (!value)
		return repair_number(r, from, to);
	if (strlen(value) != to - from || memcmp(r->text + from, value, to - from) != 0)
		replace(r, LANEWISE_JSON_EDIT_WORD, from, to, value);
	return 1;
}

/* Whether a word that is a value may end before `at`, white space passed over. */
static int may_end_word(const struct repair *r, size_t at)
{
	uint8_t c = peek(r, at);

	return at >= r->n || c == ',' || c == '}' || c == ']' || c == '{' || c == '[' || any_quote_at(r, at) ||
	       is_comment(r, at) || is_bare_name(r, at) || starts(r, at, "```") ||
	       (!in_object(r) && (is_digit(c) || c == '-'));
}

/* The value without quotes at `at`; returns behind it. */
static size_t repair_scalar(struct repair *r, size_t at)
{
	size_t end = at, next;

	while (end < r->n && is_word_byte(r->text[end]) && !starts(r, end, "\xe2\x80"))
		end++;
	next = skip_blank(r, end);
	if (end > at && (may_end_word(r, next) || has_newline(r, end, next)) && repair_word(r, at, end))
		return end;
	for (end = at; end < r->n && !strchr(",}]\n\r", r->text[end] ? r->text[end] : 'x'); end++)
		;
	for (next = end; next > at && is_blank(r->text[next - 1]); next--)
		;
	if (next == at) /* never empty: at least the byte that is there */
		next = at + 1;
	add_quotes(r, at, next);
	return next;
}

/* ------------------------------------------------------------ plain text */

/*
 * Tokens with one reading only: strings between " or ' that need no edit inside, names without quotes, numbers, words of
 * JSON and Python, each with what must follow it. All of it would be read and edited the same way by what is below.
 */

/* The size of the escape at `at` if it is to stay as it is, or 0. */
static size_t plain_escape(const struct repair *r, size_t at)
{
	int code;

	if (lw_json_unescaped[peek(r, at + 1)])
		return 2;
	code = r->n - at >= 6 && r->text[at + 1] == 'u' ? lw_json_read_hex(r->text + at + 2) : -1;
	return code < 0 || (code >= 0xd800 && code <= 0xdfff) ? 0 : 6;
}

/* Behind the string at `at`, where " or ' stands, or 0. */
static inline size_t plain_string(const struct repair *r, size_t at)
{
	uint8_t quote = r->text[at++];

	for (;;) {
		size_t escape;

		at += quote == '"' ? lw_json_run(r->text + at, r->n - at) : single_run(r, at);
		if (at >= r->n)
			return 0;
		if (r->text[at] == quote)
			return at + 1;
		if (r->text[at] != '\\' || (escape = plain_escape(r, at)) == 0)
			return 0;
		at += escape;
	}
}

struct plain_name {
	size_t at, end; /* with its quotes, if it has any */
	size_t value;
};

/* Whether a name and a colon stand at `at`. */
static inline int plain_name(const struct repair *r, size_t at, struct plain_name *name)
{
	uint8_t c = peek(r, at);
	size_t end = at, colon;

	if (c == '"' || c == '\'') {
		end = plain_string(r, at);
		if (end == 0)
			return 0;
		colon = skip_blank(r, end);
		if (peek(r, colon) != ':')
			return 0;
	} else {
		while (end < r->n && (is_letter(r->text[end]) || r->text[end] == '_' || is_digit(r->text[end])))
			end++;
		colon = skip_blank(r, end);
		if (end == at || is_digit(c) || peek(r, colon) != ':' || colon - at >= MAX_LOOK ||
		    has_newline(r, end, colon))
			return 0;
	}
	*name = (struct plain_name) { at, end, skip_blank(r, colon + 1) };
	return 1;
}

/* Behind the number or word at `at`, or 0; `*word` becomes what a word that JSON has not stands for, or NULL. */
static size_t plain_scalar(const struct repair *r, size_t at, const char **word)
{
	uint8_t c = peek(r, at);
	size_t digits;

	*word = NULL;
	if (c != '-' && !is_digit(c)) {
		*word = c == 'T' ? "true" : c == 'F' ? "false" : c == 'N' ? "null" : NULL;
		return starts(r, at, "null") || starts(r, at, "true") || starts(r, at, "True") || starts(r, at, "None")
		               ? at + 4
		       : starts(r, at, "false") || starts(r, at, "False") ? at + 5
		                                                          : 0;
	}
	at += c == '-';
	digits = at;
	at = skip_digits(r, at, r->n);
	if (at == digits || (at > digits + 1 && r->text[digits] == '0'))
		return 0;
	if (peek(r, at) == '.') {
		digits = at + 1;
		at = skip_digits(r, digits, r->n);
		if (at == digits)
			return 0;
	}
	return at;
}

/* Whether an element begins with `c`. */
static int plain_element(uint8_t c) { return c == '"' || c == '\'' || c == '{' || c == '[' || c == '-' || is_digit(c); }

/* The string or name text[from, to) gets double quotes if it has others or none. */
static inline void plain_quotes(struct repair *r, size_t from, size_t to)
{
	size_t n = r->text[from] == '\'';

	if (r->text[from] == '"')
		return;
	edit(r, LANEWISE_JSON_EDIT_QUOTE, from, from + n, "\"", 1);
	edit(r, LANEWISE_JSON_EDIT_QUOTE, to - n, to, "\"", 1);
}

enum plain_end { PLAIN_GAP, PLAIN_VALUE, PLAIN_ALL };

/*
 * Goes on from the gap at `*at`, behind an opening bracket if `*first`, as far as all is plain. Stops at the end of the
 * value, at a gap, or at a value, with everything set as if the general way had come there.
 */
static enum plain_end skip_plain(struct repair *r, size_t *place, int *first)
{
	size_t at = *place, value, next;
	struct plain_name name;
	const char *word;

gap:
	set_mark(r, at);
	next = skip_blank(r, at);
	if (peek(r, next) == (in_object(r) ? '}' : ']')) {
		pop(r);
		at = next + 1;
		*first = 0;
		if (r->depth)
			goto gap;
		*place = at;
		return PLAIN_ALL;
	}
	if (!*first) {
		if (peek(r, next) != ',')
			goto back;
		next = skip_blank(r, next + 1);
	}
	value = next;
	if (in_object(r)) {
		if (!plain_name(r, next, &name))
			goto back;
	name:
		plain_quotes(r, name.at, name.end);
		value = name.value;
	}

value:
	switch (peek(r, value)) {
	case '{':
	case '[':
		if (r->depth == r->max_depth)
			break;
		push(r, r->text[value] == '{');
		at = value + 1;
		*first = 1;
		goto gap;
	case '"':
	case '\'':
		at = plain_string(r, value);
		if (at == 0)
			break;
		next = skip_blank(r, at);
		if (peek(r, next) == ',') {
			next = skip_blank(r, next + 1);
			if (!in_object(r)) {
				if (!plain_element(peek(r, next)))
					break;
				plain_quotes(r, value, at);
				set_mark(r, at);
				*first = 0;
				value = next;
				goto value;
			}
			if (!plain_name(r, next, &name))
				break;
			plain_quotes(r, value, at);
			set_mark(r, at);
			*first = 0;
			goto name;
		}
		if (peek(r, next) != '}' && peek(r, next) != ']')
			break;
		plain_quotes(r, value, at);
		*first = 0;
		goto gap;
	default:
		at = plain_scalar(r, value, &word);
		if (at == 0)
			break;
		next = skip_blank(r, at);
		if (peek(r, next) != ',' && peek(r, next) != '}' && peek(r, next) != ']')
			break;
		if (word)
			edit(r, LANEWISE_JSON_EDIT_WORD, value, at, word, strlen(word));
		*first = 0;
		goto gap;
	}
	if (in_object(r) && (plain_element(peek(r, value)) || is_letter(peek(r, value)))) {
		*place = value;
		return PLAIN_VALUE;
	}

back:
	back_to_mark(r);
	*place = r->mark.gap;
	return PLAIN_GAP;
}

/* --------------------------------------------------------------- grammar */

/* The name at `at`, with or without quotes; returns behind it, or SIZE_MAX if the text ends within it. */
static size_t repair_name(struct repair *r, size_t at)
{
	size_t end = at, next;
	int cut;

	if (any_quote_at(r, at)) {
		end = repair_string(r, at, ROLE_NAME, &cut);
		return cut ? SIZE_MAX : end;
	}
	while (end < r->n && !strchr(":,{}[]=\"\n\r", r->text[end] ? r->text[end] : 'x') && !starts(r, end, "//"))
		end++;
	cut = end == r->n;
	if (cut && !is_node(r))
		return SIZE_MAX;
	for (next = end; next > at && is_blank(r->text[next - 1]); next--)
		;
	if (next == at)
		replace(r, LANEWISE_JSON_EDIT_VALUE, at, at, "\"\"");
	else
		add_quotes(r, at, next);
	return cut ? SIZE_MAX : next;
}

/*
 * The colon behind a name that ended at `at`; returns where the value stands, or SIZE_MAX if the text ends. If there is
 * no value, one is put in, and `*done` set; `*colon` is set if the text ends behind a colon.
 */
static size_t repair_colon(struct repair *r, size_t at, int *done, int *colon)
{
	size_t next = skip_gap(r, at, COMMAS_END, 0, NULL);
	uint8_t c = peek(r, next);

	*done = *colon = 0;
	if (next >= r->n)
		return SIZE_MAX;
	if (c == ',' || c == '}' || c == ']') {
		replace(r, LANEWISE_JSON_EDIT_VALUE, at, at, is_python(r) ? ":\"\"" : ":null");
		*done = 1;
		return at;
	}
	if (c != ':' && c != '=') {
		replace(r, LANEWISE_JSON_EDIT_COLON, at, at, ":");
		return skip_gap(r, at, COMMAS_END, 1, NULL);
	}
	skip_gap(r, at, COMMAS_END, 1, NULL);
	at = next + 1;
	if (c == '=') {
		at += peek(r, at) == '>';
		replace(r, LANEWISE_JSON_EDIT_COLON, next, at, ":");
	}
	next = skip_gap(r, at, COMMAS_END, 1, NULL);
	while (peek(r, next) == ':') {
		replace(r, LANEWISE_JSON_EDIT_COLON, next, next + 1, "");
		next = skip_gap(r, next + 1, COMMAS_END, 1, NULL);
	}
	if (next >= r->n) {
		*colon = 1;
		return SIZE_MAX;
	}
	c = peek(r, next);
	if (c == ',' || c == '}' || c == ']') {
		replace(r, LANEWISE_JSON_EDIT_VALUE, next, next, no_value(r));
		*done = 1;
	}
	return next;
}

/* The closing bracket at `next`, behind a gap at `gap`; what else is open is closed before it. */
static size_t repair_close(struct repair *r, size_t gap, size_t next)
{
	int object = r->text[next] == '}';
	size_t n_same = object ? r->n_objects : r->depth - r->n_objects;

	while (n_same && in_object(r) != object) {
		char bracket = pop(r);

		edit(r, LANEWISE_JSON_EDIT_BRACKET, gap, gap, &bracket, 1);
	}
	if (gap < next)
		skip_gap(r, gap, COMMAS_REMOVE, 1, NULL);

	char bracket = pop(r);

	if (!n_same)
		edit(r, LANEWISE_JSON_EDIT_BRACKET, next, next + 1, &bracket, 1);
	return next + 1;
}

/* Whether the name of a member stands at `at`, where an array within an object goes on: the array was not closed. */
static int is_name_of_parent(struct repair *r, size_t at)
{
	if (r->depth < 2 || in_object(r) || !is_object_at(r, r->depth - 1))
		return 0;
	if (!any_quote_at(r, at))
		return is_bare_name(r, at);

	struct span s = find_string(r, at, ROLE_ELEMENT);

	return !s.cut && peek(r, skip_blank(r, s.after)) == ':';
}

/* Takes out brackets that stand where a name should; returns where one may be. */
static size_t skip_brackets(struct repair *r, size_t at)
{
	while (at < r->n && (r->text[at] == '{' || r->text[at] == '[')) {
		replace(r, LANEWISE_JSON_EDIT_BRACKET, at, at + 1, "");
		at = skip_gap(r, at + 1, COMMAS_REMOVE, 1, NULL);
	}
	return at;
}

/* The value at `start`; returns behind it. */
static size_t repair_from(struct repair *r, size_t start)
{
	size_t at = start, next, name, n_commas;
	int done, cut, first, is_plain, colon;

	set_mark(r, start);

value:
	done = peek(r, at);
	if (done == '{' || done == '[') {
		if (r->depth == r->max_depth) {
			finish_early(r);
			return r->n;
		}
		push(r, done == '{');
		at++;
		first = 1;
		goto gap;
	}
	if (any_quote_at(r, at))
		at = repair_string(r, at, in_object(r) ? ROLE_MEMBER : ROLE_ELEMENT, &cut);
	else
		at = repair_scalar(r, at);

after_value:
	if (r->depth == 0)
		return at;
	first = 0;

gap:
	if (r->is_utf8) {
		enum plain_end end = skip_plain(r, &at, &first);

		if (end == PLAIN_ALL)
			return at;
		if (end == PLAIN_VALUE)
			goto value;
	}
	set_mark(r, at);
	next = skip_gap(r, at, COMMAS_KEEP_ONE, 0, &n_commas);
	is_plain = r->gap_is_plain;
	if (next >= r->n) {
		finish_early(r);
		return r->n;
	}
	if (r->text[next] == '}' || r->text[next] == ']') {
		at = repair_close(r, at, next);
		goto after_value;
	}
	if ((!first && is_name_of_parent(r, next)) ||
	    (in_object(r) && r->text[next] == '{' && r->depth > 1 && !is_object_at(r, r->depth - 1))) {
		char bracket = pop(r);

		edit(r, LANEWISE_JSON_EDIT_BRACKET, at, at, &bracket, 1);
		goto after_value;
	}
	if (!first && !n_commas)
		replace(r, LANEWISE_JSON_EDIT_COMMA, at, at, ",");
	if (is_plain && !(first && n_commas))
		at = next;
	else
		at = skip_gap(r, at, first ? COMMAS_REMOVE : COMMAS_KEEP_ONE, 1, NULL);
	if (!in_object(r))
		goto value;

	next = skip_brackets(r, at);
	if (next > at && (next >= r->n || r->text[next] == '}' || r->text[next] == ']')) {
		/* Nothing but brackets: the member that the comma promised is none. */
		back_to_mark(r);
		if (next >= r->n) {
			finish_early(r);
			return r->n;
		}
		replace(r, LANEWISE_JSON_EDIT_BRACKET, r->mark.gap, next, "");
		at = repair_close(r, next, next);
		goto after_value;
	}
	name = repair_name(r, next);
	at = name == SIZE_MAX ? SIZE_MAX : repair_colon(r, name, &done, &colon);
	if (at == SIZE_MAX) {
		finish_within_member(r, name, name != SIZE_MAX && colon);
		return r->n;
	}
	if (done)
		goto after_value;
	goto value;
}

/* ------------------------------------------------------------- beginning */

/* Whether the bracket at `at` looks like the beginning of JSON. */
static int is_beginning(const struct repair *r, size_t at)
{
	size_t next = skip_blank(r, at + 1);
	uint8_t c = peek(r, next);

	if (next >= r->n || any_quote_at(r, next))
		return 1;
	if (r->text[at] == '{')
		return c == '}' || c == '_' || c == '$' || is_letter(c) || is_comment(r, next) || c >= 0x80;
	if (is_digit(c)) { /* [1] alone, followed by text, is a reference */
		size_t end = skip_digits(r, next, r->n);

		return peek(r, end) != ']' || skip_blank(r, end + 1) == r->n;
	}
	return c == '{' || c == '[' || c == ']' || c == '-' || meaning(r, next, next + 4 < r->n ? next + 4 : r->n) ||
	       meaning(r, next, next + 5 < r->n ? next + 5 : r->n);
}

/* Behind the fence at `at`, its language and line end, if an array or object stands there; else 0. */
static size_t behind_fence(const struct repair *r, size_t at)
{
	at += 3;
	while (at < r->n && is_word_byte(r->text[at]))
		at++;
	at = skip_blank(r, at);
	return peek(r, at) == '{' || peek(r, at) == '[' ? at : 0;
}

/* Where the first array or object begins, or SIZE_MAX. */
static size_t find_beginning(const struct repair *r)
{
	size_t at = skip_blank(r, 0), found = SIZE_MAX, blank_to = 0;

	if (starts(r, at, "\xef\xbb\xbf"))
		at = skip_blank(r, at + 3);
	if (peek(r, at) == '{' || peek(r, at) == '[')
		return at;
	for (; at < r->n; at++) {
		uint8_t c = r->text[at];

		if (c == '`' && starts(r, at, "```") && at >= blank_to) {
			size_t fenced = behind_fence(r, at);

			if (fenced)
				return fenced;
			at += 2;
			blank_to = at;
		} else if ((c == '{' || c == '[') && found == SIZE_MAX && is_beginning(r, at)) {
			size_t next = skip_blank(r, at + 1);

			found = at;
			if (any_quote_at(r, next) || peek(r, next) == '{')
				return found;
		}
	}
	return found;
}

/* A text without array or object: a scalar, or all of it a string. */
static void repair_top_scalar(struct repair *r)
{
	size_t begin = skip_blank(r, 0), end = r->n;
	int cut;

	if (starts(r, begin, "\xef\xbb\xbf")) {
		replace(r, LANEWISE_JSON_EDIT_PROSE, begin, begin + 3, "");
		begin = skip_blank(r, begin + 3);
	}
	while (end > begin && is_blank(r->text[end - 1]))
		end--;
	r->n = end;
	if (begin == end)
		replace(r, LANEWISE_JSON_EDIT_VALUE, end, end, "null");
	else if (peek(r, begin) != '\'' && any_quote_at(r, begin))
		repair_string(r, begin, ROLE_TOP, &cut);
	else if (!repair_word(r, begin, end))
		add_quotes(r, begin, end);
}

/* Where another value begins behind the one that ended at `end`, if the dialect makes an array of them; else SIZE_MAX. */
static size_t find_another(const struct repair *r, size_t end)
{
	size_t at = skip_blank(r, end);

	if (is_node(r)) { /* lines of JSON, with commas or without */
		if (peek(r, at) == ',')
			at = skip_blank(r, at + 1);
		return (peek(r, at) == '{' || peek(r, at) == '[') && has_newline(r, end, at) ? at : SIZE_MAX;
	}
	if (!is_python(r))
		return SIZE_MAX;
	for (; at < r->n; at++)
		if ((r->text[at] == '{' || r->text[at] == '[') && is_beginning(r, at))
			return at;
	return SIZE_MAX;
}

/* Repairs the value at `begin`, or all from there on as an array; returns behind it, and where another is in `another`. */
static size_t repair_values(struct repair *r, size_t n, size_t begin, size_t *another)
{
	for (;;) {
		size_t end = repair_from(r, begin);

		if (r->done > end)
			end = r->done;
		r->n = n;
		*another = r->max_depth > 1 ? find_another(r, end) : SIZE_MAX;
		if (*another == SIZE_MAX || !r->all_values)
			return end;
		replace(r, LANEWISE_JSON_EDIT_PROSE, end, *another, ",");
		begin = *another;
	}
}

static void repair_text(struct repair *r)
{
	size_t n = r->n, begin = find_beginning(r), end, another;

	if (begin == SIZE_MAX) {
		if (is_python(r))
			replace(r, LANEWISE_JSON_EDIT_PROSE, 0, n, "\"\"");
		else
			repair_top_scalar(r);
		r->n = n;
	} else {
		if (skip_blank(r, 0) != begin)
			replace(r, LANEWISE_JSON_EDIT_PROSE, 0, begin, "");
		if (r->all_values) {
			replace(r, LANEWISE_JSON_EDIT_BRACKET, begin, begin, "[");
			r->max_depth--;
		}
		end = repair_values(r, n, begin, &another);
		if (another != SIZE_MAX) { /* there is more than one: again, with a bracket before the first */
			r->all_values = 1;
			r->n_out = r->n_edits = r->done = 0;
			repair_text(r);
			return;
		}
		if (r->all_values)
			replace(r, LANEWISE_JSON_EDIT_BRACKET, end, end, "]");
		if (skip_blank(r, end) != n)
			replace(r, LANEWISE_JSON_EDIT_PROSE, end, n, "");
	}
	put(r, r->text + r->done, n - r->done);
}

/* ------------------------------------------------------- Victor's dialect */

/* The string in single quotes at `at`; returns behind it. */
static size_t victor_string(struct repair *r, size_t at)
{
	replace(r, LANEWISE_JSON_EDIT_QUOTE, at, at + 1, "\"");
	for (at++; at < r->n && r->text[at] != '\''; at++) {
		if (r->text[at] == '"') {
			replace(r, LANEWISE_JSON_EDIT_QUOTE, at, at + 1, "\\\"");
		} else if (r->text[at] == '\\') {
			if (peek(r, at + 1) == '\'')
				replace(r, LANEWISE_JSON_EDIT_ESCAPE, at, at + 1, "");
			at++;
		}
	}
	if (at < r->n)
		replace(r, LANEWISE_JSON_EDIT_QUOTE, at, at + 1, "\"");
	return at + 1;
}

/* Single quotes, Python's words, commas before closing brackets, and nothing else: what comes of it may be no JSON. */
static void repair_as_victor(struct repair *r)
{
	for (size_t at = 0, next; at < r->n;) {
		const char *word = starts(r, at, "True") ? "true" : starts(r, at, "None") ? "null" : NULL;

		if (r->text[at] == '"') {
			for (at++; at < r->n && r->text[at] != '"'; at++)
				at += r->text[at] == '\\';
			at++;
		} else if (r->text[at] == '\'') {
			at = victor_string(r, at);
		} else if (word) {
			replace(r, LANEWISE_JSON_EDIT_WORD, at, at + 4, word);
			at += 4;
		} else if (starts(r, at, "False")) {
			replace(r, LANEWISE_JSON_EDIT_WORD, at, at + 5, "false");
			at += 5;
		} else {
			next = r->text[at] == ',' ? skip_blank(r, at + 1) : r->n;
			if (peek(r, next) == '}' || peek(r, next) == ']')
				replace(r, LANEWISE_JSON_EDIT_COMMA, at, at + 1, "");
			at++;
		}
	}
	put(r, r->text + r->done, r->n - r->done);
}

/* ------------------------------------------------------------- the whole */

/* Whether a look at the first and the last byte shows that the text is no JSON: most spoilt ones do. */
static int is_surely_broken(const uint8_t *text, size_t n)
{
	size_t begin = 0, end = n;

	while (begin < end && is_blank(text[begin]))
		begin++;
	while (end > begin && is_blank(text[end - 1]))
		end--;
	if (begin == end)
		return 1;

	uint8_t first = text[begin], last = text[end - 1];

	if (first == '{' || first == '[') {
		size_t next = begin + 1;

		while (next < end && is_blank(text[next]))
			next++;
		return last != (first == '{' ? '}' : ']') ||
		       (first == '{' && next < end && text[next] != '"' && text[next] != '}');
	}
	return first == '`' || first == '\'' || (is_letter(first) && first != 't' && first != 'f' && first != 'n');
}

size_t lanewise_json_repair_bound(size_t n_bytes)
{
	size_t bound;

	return __builtin_mul_overflow(n_bytes, 9, &bound) || __builtin_add_overflow(bound, MAX_DEPTH + 16, &bound)
	               ? SIZE_MAX
	               : bound;
}

lanewise_status lanewise_json_repair(const char *text, size_t n_bytes, const lanewise_json_repair_options *options,
                                     char *out, size_t capacity, lanewise_json_edit *edits, size_t edit_capacity,
                                     lanewise_json_repair_result *result, lanewise_error *error)
{
	lanewise_json_options valid = { sizeof valid, 0, 0 };
	struct repair r;
	lanewise_status status;

	if (!result || (!out && capacity) || (!edits && edit_capacity))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a NULL pointer");
	*result = (lanewise_json_repair_result) { 0, 0 };
	if (options && (options->struct_size < sizeof *options || options->dialect > LANEWISE_JSON_DIALECT_VICTOR))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: unknown options");
	if (options)
		valid = (lanewise_json_options) { sizeof valid, options->flags, options->max_depth };
	/* What is broken anyway is not read for it: a byte will do to check the options. */
	int is_broken = text && n_bytes <= UINT32_MAX && is_surely_broken((const uint8_t *)text, n_bytes);

	status = lanewise_json_validate(text, is_broken ? n_bytes > 0 : n_bytes, &valid, NULL);
	if (status == LANEWISE_OK && !is_broken)
		return status;
	if (status != LANEWISE_OK && status != LANEWISE_ERROR_DATA)
		return lanewise_json_validate(text, n_bytes, &valid, error);

	r.text = (const uint8_t *)text;
	r.n = n_bytes;
	r.flags = valid.flags;
	r.dialect = options ? options->dialect : LANEWISE_JSON_DIALECT_DEFAULT;
	r.max_depth = valid.max_depth ? valid.max_depth : DEFAULT_DEPTH;
	r.is_utf8 = lanewise_utf8_valid_prefix(text, n_bytes) == n_bytes;
	r.all_values = 0;
	r.out = out;
	r.capacity = capacity;
	r.edits = edits;
	r.edit_capacity = edit_capacity;
	r.n_out = r.n_edits = r.done = r.depth = r.n_objects = 0;
	r.last = (struct span) { .after = 0 };
	if (r.dialect == LANEWISE_JSON_DIALECT_VICTOR)
		repair_as_victor(&r);
	else
		repair_text(&r);
	result->n_out = r.n_out;
	result->n_edits = r.n_edits;
	if (r.n_edits == 0) /* VICTOR: nothing to repair, but no JSON */
		return lanewise_json_validate(text, n_bytes, &valid, error);
	if (r.n_out > capacity)
		return lw_fail(error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET,
		               "json: the repaired text has %zu bytes", r.n_out);
	return r.dialect == LANEWISE_JSON_DIALECT_VICTOR ? lanewise_json_validate(out, r.n_out, &valid, error)
	                                                 : LANEWISE_OK;
}
