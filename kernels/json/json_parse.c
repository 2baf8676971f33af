/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the index to a tree: one loop over tokens, no recursion, no memory but the nodes.
 *
 * The index comes in windows of the text, so that it stays in the L1 cache. Only where a value begins are there more than
 * two or three tokens to tell apart; elsewhere the code asks for the one that must follow, which branch predictors like.
 * The containers that are open form the stack by themselves: until it is closed, a container's `next` is the number of
 * the one around it.
 *
 * Strings need no second look: the index gives their closing quotes, and the escapes on the way there.
 */
#include <lanewise/json.h>

#include "common.h"
#include "json_number.h"
#include "json_run.h"
#include "support.h"

enum {
	WINDOW = 4096,
	SHORT_WINDOW = 256,
	NUMBERS_PIECE = 1 << 20,
	MAX_VALIDATED_DEPTH = LANEWISE_JSON_MAX_VALIDATED_DEPTH
};

#define NONE SIZE_MAX

struct parser {
	const uint8_t *text;
	size_t n;
	uint32_t flags, max_depth;
	lanewise_error *error;

	lanewise_json_node *nodes;
	size_t capacity, n_nodes;

	/* Which of the open containers are objects, a bit each: only where no nodes are kept. */
	uint64_t objects[MAX_VALIDATED_DEPTH / 64];

	/* The window of the index. */
	lanewise_json_index_state state;
	lanewise_status status; /* of the index; an error counts once its positions are used up */
	size_t indexed, base, count, window;
	uint32_t index[WINDOW];
};

/* The positions of the window that are left; apart from the parser, so that it stays in registers. */
struct cursor {
	const uint32_t *at, *end;
	size_t base;
};

static lanewise_status fail_at(const struct parser *p, size_t offset, const char *what)
{
	return lw_fail(p->error, LANEWISE_ERROR_DATA, offset, "json: %s", what);
}

/* ----------------------------------------------------------------- tokens */

/* Fills the window with positions, at least one; 0 if there are no more. */
static LW_NOINLINE int next_window(struct parser *p)
{
	do {
		size_t left = p->n - p->indexed, taken;

		if (left == 0 || p->status != LANEWISE_OK)
			return 0;
		p->base = p->indexed;
		p->status = lanewise_json_index_feed(&p->state, (const char *)p->text + p->base,
		                                     left < p->window ? left : p->window, p->index, WINDOW, &p->count,
		                                     &taken, p->error);
		p->window = WINDOW;
		p->indexed += taken;
	} while (p->count == 0);
	return 1;
}

/* The next position of the index, or NONE. */
LW_INLINE size_t next_position(struct parser *p, struct cursor *c)
{
	if (LW_UNLIKELY(c->at == c->end)) {
		if (!next_window(p))
			return NONE;
		c->at = p->index;
		c->end = p->index + p->count;
		c->base = p->base;
	}
	return c->base + *c->at++;
}

/* Why there are no more positions, where more are needed. */
static lanewise_status fail_at_end(struct parser *p)
{
	if (p->status == LANEWISE_OK)
		p->status = lanewise_json_index_finish(&p->state, p->error);
	if (p->status != LANEWISE_OK)
		return p->status;
	return fail_at(p, p->n, p->n_nodes ? "the text ends within a value" : "no value");
}

/* An error at a position, which may be NONE: one that the index has met before it counts first. */
static LW_NOINLINE lanewise_status fail(struct parser *p, size_t offset, const char *what)
{
	if (offset == NONE)
		return fail_at_end(p);
	/* A character that the window cuts may yet turn out not to be one. */
	if (p->status == LANEWISE_OK && p->state.utf8.n_partial && p->state.utf8.n_valid == offset)
		next_window(p);
	if (p->status != LANEWISE_OK && p->state.failed_at <= offset)
		return p->status;
	return fail_at(p, offset, what);
}

/* ---------------------------------------------------------------- scalars */

/* Whether a byte at `at` is of a word or number before it. */
LW_INLINE int goes_on(const struct parser *p, size_t at) { return at < p->n && !lw_json_ends_scalar(p->text[at]); }

LW_INLINE int is_word(const struct parser *p, size_t at, const char *word, size_t n_word)
{
	return p->n - at >= n_word && memcmp(p->text + at, word, n_word) == 0 && !goes_on(p, at + n_word);
}

/* Behind the number at `at`, or `at` if there is none. */
static size_t read_number(const struct parser *p, size_t at, uint8_t *flags)
{
	const uint8_t *text = p->text;
	size_t begin = at, digits;

	at += text[at] == '-';
	digits = at;
	at = lw_json_skip_digits(text, p->n, at);
	if (at == digits || (text[digits] == '0' && at - digits > 1))
		return begin;
	*flags = LANEWISE_JSON_INTEGER;
	if (at < p->n && text[at] == '.') {
		digits = at + 1;
		at = lw_json_skip_digits(text, p->n, digits);
		if (at == digits)
			return begin;
		*flags = 0;
	}
	if (at < p->n && (text[at] | 0x20) == 'e') {
		digits = at + 1;
		if (digits < p->n && (text[digits] == '+' || text[digits] == '-'))
			digits++;
		at = lw_json_skip_digits(text, p->n, digits);
		if (at == digits)
			return begin;
		*flags = 0;
	}
	return goes_on(p, at) ? begin : at;
}

/* The value of \uXXXX at `at`, or -1. */
static int read_u_escape(const uint8_t *text, size_t n, size_t at)
{
	if (n - at < 6 || text[at] != '\\' || text[at + 1] != 'u')
		return -1;
	return lw_json_read_hex(text + at + 2);
}

/*
 * Whether the escape at `at` is valid. `*low_at` is where the second half of a surrogate pair must stand, or NONE: both
 * halves are tokens, so the first only notes it and the second is recognised by it.
 */
static int check_escape(const struct parser *p, size_t at, size_t *low_at)
{
	static const uint8_t is_escape[256] = {
		['"'] = 1, ['\\'] = 1, ['/'] = 1, ['b'] = 1, ['f'] = 1, ['n'] = 1, ['r'] = 1, ['t'] = 1
	};
	int paired = *low_at == at, value;

	*low_at = NONE;
	if (p->n - at < 2)
		return 0;
	if (p->text[at + 1] != 'u')
		return is_escape[p->text[at + 1]];
	value = read_u_escape(p->text, p->n, at);
	if (value < 0)
		return 0;
	if (value < 0xd800 || value > 0xdfff || (p->flags & LANEWISE_JSON_ALLOW_LONE_SURROGATES))
		return 1;
	if (value >= 0xdc00)
		return paired;

	int low = read_u_escape(p->text, p->n, at + 6);

	*low_at = at + 6;
	return low >= 0xdc00 && low <= 0xdfff;
}

/* ------------------------------------------------------------------ nodes */

static LW_NOINLINE lanewise_status fail_capacity(const struct parser *p)
{
	return lw_fail(p->error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET,
	               "json: more than the %zu nodes there is room for", p->capacity);
}

/* A node behind the last one; NULL if there is no room. Without `keep` it is only counted. */
LW_INLINE lanewise_json_node *add_node(struct parser *p, int keep, size_t offset, size_t n_bytes, uint8_t type,
                                       uint8_t flags)
{
	if (!keep) {
		p->n_nodes = 1;
		return p->nodes;
	}
	if (LW_UNLIKELY(p->n_nodes == p->capacity))
		return NULL;

	lanewise_json_node *node = &p->nodes[p->n_nodes++];

	*node = (lanewise_json_node) { (uint32_t)offset, (uint32_t)n_bytes, (uint32_t)p->n_nodes, type, flags, 0 };
	return node;
}

LW_INLINE lanewise_status read_string(struct parser *p, int keep, struct cursor *c, size_t begin, uint8_t flags)
{
	size_t at = next_position(p, c), low_at = NONE;

	for (; at != NONE && p->text[at] == '\\'; at = next_position(p, c)) {
		flags |= LANEWISE_JSON_ESCAPES;
		if (LW_UNLIKELY(!check_escape(p, at, &low_at)))
			return fail(p, at, "not an escape");
	}
	if (LW_UNLIKELY(at == NONE))
		return fail_at_end(p);
	return add_node(p, keep, begin, at + 1 - begin, LANEWISE_JSON_STRING, flags) ? LANEWISE_OK : fail_capacity(p);
}

LW_INLINE lanewise_status read_scalar(struct parser *p, int keep, size_t at)
{
	uint8_t type = LANEWISE_JSON_NUMBER, flags = 0;
	size_t n_bytes;

	switch (p->text[at]) {
	case 't':
		type = LANEWISE_JSON_TRUE;
		n_bytes = is_word(p, at, "true", 4) ? 4 : 0;
		break;
	case 'f':
		type = LANEWISE_JSON_FALSE;
		n_bytes = is_word(p, at, "false", 5) ? 5 : 0;
		break;
	case 'n':
		type = LANEWISE_JSON_NULL;
		n_bytes = is_word(p, at, "null", 4) ? 4 : 0;
		break;
	default:
		n_bytes = read_number(p, at, &flags) - at;
		break;
	}
	if (LW_UNLIKELY(!n_bytes))
		return fail(p, at, "no value");
	return add_node(p, keep, at, n_bytes, type, flags) ? LANEWISE_OK : fail_capacity(p);
}

/*
 * If the array at `at` holds numbers and nothing else, the position of its closing bracket; or 0. Then the cursor goes behind
 * that bracket.
 */
static LW_NOINLINE size_t skip_numbers(struct parser *p, struct cursor *c, size_t at)
{
	struct lw_json_numbers numbers = { 0 };
	size_t end = at + 1, piece;

	do {
		piece = p->n - end < NUMBERS_PIECE ? p->n - end : NUMBERS_PIECE;
		lw_kernels()->json_numbers(p->text + end, piece, &numbers);
		end += numbers.stop;
	} while (numbers.stop == piece && piece > 0);
	if (numbers.state == LW_NUMBERS_BAD || end == p->n || p->text[end] != ']')
		return 0;
	switch (numbers.state) {
	case LW_NUMBERS_AFTER_VALUE:
	case LW_NUMBERS_AT_ZERO:
	case LW_NUMBERS_AT_WHOLE:
	case LW_NUMBERS_AT_FRACTION:
	case LW_NUMBERS_AT_EXPONENT:
		break;
	default:
		return 0;
	}
	while (c->at < c->end && c->base + *c->at <= end)
		c->at++;
	if (p->indexed <= end) { /* the index need not go through the rest of the array: it begins anew behind it */
		p->indexed = end + 1;
		p->window = SHORT_WINDOW; /* there may be another array soon */
		p->state = (lanewise_json_index_state) { .n_bytes = end + 1, .utf8.n_valid = end + 1 };
	}
	return end;
}

/*
 * The grammar as a machine whose states are labels: `container` is the innermost open one, `in_object` what it is. At
 * each label, `at` is the position of a token not yet used, or NONE.
 */
LW_INLINE lanewise_status parse(struct parser *p, int keep)
{
	const uint8_t *text = p->text;
	struct cursor cursor = { NULL, NULL, 0 };
	uint32_t container = 0, depth = 0;
	int in_object = 0;
	lanewise_status status;
	size_t at = next_position(p, &cursor);

value:
	if (LW_UNLIKELY(at == NONE))
		return fail_at_end(p);
	if (text[at] == '"') {
		status = read_string(p, keep, &cursor, at, 0);
	} else if (text[at] == '{' || text[at] == '[') {
		in_object = text[at] == '{';
		goto open;
	} else {
		status = read_scalar(p, keep, at);
	}
	if (LW_UNLIKELY(status != LANEWISE_OK))
		return status;

after_value:
	at = next_position(p, &cursor);
	if (LW_UNLIKELY(depth == 0))
		return at == NONE && p->status == LANEWISE_OK ? lanewise_json_index_finish(&p->state, p->error)
		                                              : fail(p, at, "something behind the value");
	if (LW_UNLIKELY(at == NONE))
		return fail_at_end(p);
	if (text[at] == ',') {
		at = next_position(p, &cursor);
		if (!in_object)
			goto value;
		goto name;
	}
	if (LW_LIKELY(text[at] == (in_object ? '}' : ']')))
		goto close;
	return fail(p, at, in_object ? "neither ',' nor '}' behind a member" : "neither ',' nor ']' behind an element");

name:
	if (LW_UNLIKELY(at == NONE || text[at] != '"'))
		return fail(p, at, "no name of a member");
	status = read_string(p, keep, &cursor, at, LANEWISE_JSON_NAME);
	if (LW_UNLIKELY(status != LANEWISE_OK))
		return status;
	at = next_position(p, &cursor);
	if (LW_UNLIKELY(at == NONE || text[at] != ':'))
		return fail(p, at, "no ':' behind a name");
	at = next_position(p, &cursor);
	goto value;

open:
	if (LW_UNLIKELY(depth == p->max_depth))
		return fail(p, at, "arrays and objects too deep within each other");

	lanewise_json_node *opened =
	        add_node(p, keep, at, 0, in_object ? LANEWISE_JSON_OBJECT : LANEWISE_JSON_ARRAY, 0);

	if (LW_UNLIKELY(!opened))
		return fail_capacity(p);
	if (keep && !in_object && (p->flags & LANEWISE_JSON_NUMBER_ARRAYS)) {
		size_t end = skip_numbers(p, &cursor, at);

		if (end) {
			opened->n_bytes = (uint32_t)(end + 1 - at);
			opened->flags = LANEWISE_JSON_NUMBERS;
			in_object = p->nodes[container].type == LANEWISE_JSON_OBJECT;
			goto after_value;
		}
	}
	if (keep) {
		opened->next = container;
		container = (uint32_t)(p->n_nodes - 1);
	} else {
		uint64_t bit = (uint64_t)1 << depth % 64, *word = &p->objects[depth / 64];

		*word = in_object ? *word | bit : *word & ~bit;
	}
	depth++;
	at = next_position(p, &cursor);
	if (at != NONE && text[at] == (in_object ? '}' : ']'))
		goto close;
	if (in_object)
		goto name;
	goto value;

close:
	depth--;
	if (!keep) {
		if (depth)
			in_object = (int)(p->objects[(depth - 1) / 64] >> (depth - 1) % 64 & 1);
		goto after_value;
	}

	lanewise_json_node *closed = &p->nodes[container];

	container = closed->next;
	closed->n_bytes = (uint32_t)(at + 1 - closed->offset);
	closed->next = (uint32_t)p->n_nodes;
	in_object = p->nodes[container].type == LANEWISE_JSON_OBJECT;
	goto after_value;
}

/* ------------------------------------------------------- without a branch */

enum { PIECE = 8192, MAX_PENDING = 1 << 22 };

/* Tokens of a piece, behind those that are left of the one before. */
struct pieces {
	struct lw_json_scan scan;
	lanewise_utf8_state utf8;
	uint32_t tokens[LW_JSON_TOKENS_BEFORE + LW_JSON_TOKENS_LEFT + PIECE + LW_JSON_TOKENS_ROOM];
};

static int is_utf8(lanewise_utf8_state *state, const uint8_t *text, size_t n, int wide)
{
	if (wide || state->n_partial)
		return lanewise_utf8_feed(state, text, n, NULL) == LANEWISE_OK;
	state->n_valid += n;
	return 1;
}

/* Moves tokens that are left, and those before them, to the front; positions count from the next piece then. */
static void keep_tokens(uint32_t *to, const uint32_t *from, size_t n, size_t n_piece)
{
	for (size_t i = 0; i < n; i++)
		to[i] = from[i] - (uint32_t)(n_piece << 8);
}

/*
 * The tree of an array or object by kernels that only tell whether something is wrong, in pieces that stay in the L1
 * cache. Returns 0 if something is, or if the text is none for them; then nothing is said about it.
 */
static LW_NOINLINE int parse_at_once(struct parser *p, struct pieces *s)
{
	struct lw_json_tree tree = { .nodes = p->nodes, .capacity = p->capacity, .max_depth = p->max_depth };
	uint32_t *tokens = s->tokens + LW_JSON_TOKENS_BEFORE;
	size_t count = 0;

	s->scan = (struct lw_json_scan) { .n_text = p->n };
	s->scan.allow_lone_surrogates = (p->flags & LANEWISE_JSON_ALLOW_LONE_SURROGATES) != 0;
	s->utf8 = p->state.utf8;
	for (size_t i = 0; i < LW_JSON_TOKENS_BEFORE; i++)
		s->tokens[i] = ':';
	for (size_t at = p->indexed;; at += PIECE) {
		size_t n = p->n - at < PIECE ? p->n - at : PIECE, used;
		int last = at + n == p->n;

		s->scan.wide = 0;
		count += lw_kernels()->json_tokens(p->text, at, at + n, &s->scan, tokens + count);
		if (s->scan.bad || !is_utf8(&s->utf8, p->text + at, n, s->scan.wide))
			return 0;
		used = lw_kernels()->json_nodes(p->text, at, tokens, count, last, &tree);
		if (tree.bad)
			return 0;
		if (last) {
			p->n_nodes = tree.n_nodes;
			return s->utf8.n_partial == 0;
		}
		count -= used;
		keep_tokens(s->tokens, s->tokens + used, count + LW_JSON_TOKENS_BEFORE, n);
		if (count && (int32_t)*tokens >> 8 < -MAX_PENDING)
			return 0;
	}
}

/* ----------------------------------------------------------------- public */

static uint32_t depth_of(const lanewise_json_options *options)
{
	return options && options->max_depth ? options->max_depth : LW_JSON_DEFAULT_DEPTH;
}

/* Of n bytes read, d of them brackets still open, at most (n + d + 1) / 2 begin a value or name. */
size_t lanewise_json_nodes_bound(size_t n_bytes, const lanewise_json_options *options)
{
	size_t bound = n_bytes / 2 + 1 + depth_of(options);

	return bound < n_bytes ? bound : n_bytes;
}

static lanewise_status begin(struct parser *p, const char *text, size_t n_bytes, const lanewise_json_options *options,
                             lanewise_error *error)
{
	static const uint32_t known =
	        LANEWISE_JSON_ALLOW_BOM | LANEWISE_JSON_ALLOW_LONE_SURROGATES | LANEWISE_JSON_NUMBER_ARRAYS;

	if (!text && n_bytes)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a NULL pointer");
	if (options && (options->struct_size < sizeof *options || (options->flags & ~known)))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: unknown options");
	if (n_bytes > UINT32_MAX)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "json: %zu bytes", n_bytes);

	size_t bom = options && (options->flags & LANEWISE_JSON_ALLOW_BOM) && n_bytes >= 3 &&
	                             memcmp(text, "\xef\xbb\xbf", 3) == 0
	                     ? 3
	                     : 0;

	p->text = (const uint8_t *)text;
	p->n = n_bytes;
	p->flags = options ? options->flags : 0;
	p->max_depth = depth_of(options);
	p->error = error;
	p->state = (lanewise_json_index_state) { .n_bytes = bom, .utf8.n_valid = bom };
	p->status = LANEWISE_OK;
	p->indexed = bom;
	p->base = p->count = 0;
	p->window = WINDOW;
	p->n_nodes = 0;
	return LANEWISE_OK;
}

/* The way without branches, if that is enough; otherwise, also for the error, there is the machine. */
static LW_NOINLINE int parse_tree(struct parser *p)
{
	struct pieces pieces;

	return p->n > 0 && lw_json_has_tree_kernels() && !(p->flags & LANEWISE_JSON_NUMBER_ARRAYS) &&
	       parse_at_once(p, &pieces);
}

/* In both, the parser is left as it is where it can be: clearing it would cost more than a small text. */
lanewise_status lanewise_json_parse(const char *text, size_t n_bytes, const lanewise_json_options *options,
                                    lanewise_json_node *nodes, size_t capacity, size_t *n_nodes, lanewise_error *error)
{
	struct parser p;
	lanewise_status status;

	if ((!nodes && capacity) || !n_nodes)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a NULL pointer");
	status = begin(&p, text, n_bytes, options, error);
	p.nodes = nodes;
	p.capacity = capacity;
	if (status == LANEWISE_OK && !parse_tree(&p))
		status = parse(&p, 1);
	if (status == LANEWISE_OK)
		*n_nodes = p.n_nodes;
	return status;
}

lanewise_status lanewise_json_validate(const char *text, size_t n_bytes, const lanewise_json_options *options,
                                       lanewise_error *error)
{
	struct parser p;
	lanewise_json_node any;
	lanewise_status status = begin(&p, text, n_bytes, options, error);

	if (status != LANEWISE_OK)
		return status;
	if (p.max_depth > MAX_VALIDATED_DEPTH)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: max_depth over %d",
		               MAX_VALIDATED_DEPTH);
	p.nodes = &any;
	p.capacity = 0;
	return parse(&p, 0);
}
