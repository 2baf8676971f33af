/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes, as secrets.h in include/ has them, read into nodes. One function for each kind of part. */
#include "secrets/secrets.h"

#include <string.h>

#include "support.h"

enum { MAX_NODES = 1 << 16, MAX_SETS = 2048, MAX_POOL = 1 << 24 };

static const char special[] = "\\[](){}<>|?*+.@!$#";

static uint32_t read_alternatives(struct lw_rules_reader *reader, char closing);

static int is_word(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
	       byte == '_';
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static void skip_space(struct lw_rules_reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
		reader->at++;
}

static struct lw_node *node_at(struct lw_rules_reader *reader, uint32_t number)
{
	return (struct lw_node *)reader->secrets->nodes.items + number;
}

static uint32_t add_node(struct lw_rules_reader *reader, enum lw_node_kind kind)
{
	struct lw_list *nodes = &reader->secrets->nodes;
	struct lw_node *node = lanewise_secrets_list_add(reader, nodes, 1, MAX_NODES);

	if (!node)
		return LW_NODE_NONE;
	*node = (struct lw_node) { .kind = (uint8_t)kind, .next = LW_NODE_NONE, .child = LW_NODE_NONE };
	return (uint32_t)(nodes->n - 1);
}

/* ------------------------------------------------------------------- sets */

static void set_add(uint8_t set[32], uint8_t byte) { set[byte / 8] |= (uint8_t)(1 << byte % 8); }

static void set_fold(uint8_t set[32])
{
	for (int c = 'a'; c <= 'z'; c++) {
		int other = c - 'a' + 'A';

		if (lw_set_has(set, (uint8_t)c) || lw_set_has(set, (uint8_t)other)) {
			set_add(set, (uint8_t)c);
			set_add(set, (uint8_t)other);
		}
	}
}

static void set_invert(uint8_t set[32])
{
	for (int i = 0; i < 32; i++)
		set[i] = (uint8_t)~set[i];
}

/* \s \d \w; 0 if c is another. */
static int set_add_class(uint8_t set[32], char c)
{
	for (int b = 0; b < 256; b++) {
		int in = c == 's'   ? b == ' ' || (b >= '\t' && b <= '\r')
		         : c == 'd' ? is_digit((char)b)
		                    : is_word((uint8_t)b);

		if (in)
			set_add(set, (uint8_t)b);
	}
	return c == 's' || c == 'd' || c == 'w';
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that a backslash, which was read, and what follows stand for; -1 if they do for none. */
static int read_escape(struct lw_rules_reader *reader)
{
	if (reader->at == reader->end)
		return -1;

	char c = *reader->at++;

	if (c == 'n')
		return '\n';
	if (c == 'r')
		return '\r';
	if (c == 't')
		return '\t';
	if (c == 'x' && reader->end - reader->at >= 2 && hex_digit(reader->at[0]) >= 0 &&
	    hex_digit(reader->at[1]) >= 0) {
		reader->at += 2;
		return hex_digit(reader->at[-2]) << 4 | hex_digit(reader->at[-1]);
	}
	return is_word((uint8_t)c) || (uint8_t)c < ' ' || (uint8_t)c >= 0x7f ? -1 : (uint8_t)c;
}

/* One byte in a set, escaped or not; -1 if there is none. */
static int read_set_byte(struct lw_rules_reader *reader, char closing)
{
	if (reader->at == reader->end || *reader->at == closing)
		return -1;
	if (*reader->at == '\\') {
		reader->at++;
		return read_escape(reader);
	}
	return (uint8_t)*reader->at++;
}

int lanewise_secrets_read_set(struct lw_rules_reader *reader, char closing, uint8_t set[32])
{
	int inverted = reader->at < reader->end && *reader->at == '^';

	memset(set, 0, 32);
	reader->at += inverted;
	while (reader->at < reader->end && *reader->at != closing) {
		if (reader->end - reader->at >= 2 && reader->at[0] == '\\' && strchr("sdw", reader->at[1]) &&
		    reader->at[1]) {
			set_add_class(set, reader->at[1]);
			reader->at += 2;
			continue;
		}

		int first = read_set_byte(reader, closing), last = first;

		if (first >= 0 && reader->end - reader->at >= 2 && reader->at[0] == '-' && reader->at[1] != closing) {
			reader->at++;
			last = read_set_byte(reader, closing);
		}
		if (first < 0 || last < first) {
			lanewise_secrets_wrong(reader, "a set with a range or escape that is none");
			return 0;
		}
		for (int b = first; b <= last; b++)
			set_add(set, (uint8_t)b);
	}
	if (reader->at == reader->end) {
		lanewise_secrets_wrong(reader, "a set without %c", closing);
		return 0;
	}
	reader->at++;
	if (reader->ignore_case)
		set_fold(set);
	if (inverted)
		set_invert(set);
	for (int i = 0; i < 32; i++)
		if (set[i])
			return 1;
	lanewise_secrets_wrong(reader, "a set with nothing in it");
	return 0;
}

/* The number of a set, which is put with the others unless it is there. */
static uint32_t keep_set(struct lw_rules_reader *reader, const uint8_t set[32])
{
	struct lw_list *sets = &reader->secrets->sets;

	for (size_t i = 0; i < sets->n; i++)
		if (memcmp(lw_secrets_set(reader->secrets, (uint32_t)i), set, 32) == 0)
			return (uint32_t)i;

	struct lw_byte_set *added = lanewise_secrets_list_add(reader, sets, 1, MAX_SETS);

	if (!added)
		return LW_NODE_NONE;
	memcpy(added->bits, set, 32);
	return (uint32_t)(sets->n - 1);
}

/* --------------------------------------------------------- how many of it */

static uint32_t read_number(struct lw_rules_reader *reader)
{
	uint32_t number = 0;
	const char *begin = reader->at;

	while (reader->at < reader->end && is_digit(*reader->at) && number <= LW_SHAPE_MANY)
		number = number * 10 + (uint32_t)(*reader->at++ - '0');
	if (reader->at == begin || number > LW_SHAPE_MANY)
		return lanewise_secrets_wrong(reader, "a number from 0 to %d is missing", LW_SHAPE_MANY);
	return number;
}

static int take(struct lw_rules_reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return 0;
	reader->at++;
	return 1;
}

/* {m}, {m,} or {m,n}, of which the first brace was read. */
static int read_braces(struct lw_rules_reader *reader, uint32_t *min, uint32_t *max)
{
	*min = *max = read_number(reader);
	if (reader->status == LANEWISE_OK && take(reader, ','))
		*max = reader->at < reader->end && *reader->at == '}' ? LW_SHAPE_MANY : read_number(reader);
	if (reader->status == LANEWISE_OK && (!take(reader, '}') || *min > *max))
		lanewise_secrets_wrong(reader, "counts are {3}, {3,} or {3,9}");
	return reader->status == LANEWISE_OK;
}

/* 1 if a count was read. */
static int read_count(struct lw_rules_reader *reader, uint32_t *min, uint32_t *max)
{
	*min = *max = 1;
	if (take(reader, '?'))
		return *min = 0, 1;
	if (take(reader, '*'))
		return *min = 0, *max = LW_SHAPE_MANY, 1;
	if (take(reader, '+'))
		return *max = LW_SHAPE_MANY, 1;
	return take(reader, '{') && read_braces(reader, min, max);
}

/* ------------------------------------------------------------------ parts */

static uint32_t add_set(struct lw_rules_reader *reader, const uint8_t set[32])
{
	uint32_t number = keep_set(reader, set), node = add_node(reader, LW_NODE_SET), min, max;

	if (number == LW_NODE_NONE || node == LW_NODE_NONE)
		return LW_NODE_NONE;
	read_count(reader, &min, &max);
	node_at(reader, node)->set = number;
	node_at(reader, node)->first = min;
	node_at(reader, node)->count = max;
	node_at(reader, node)->run = reader->secrets->n_runs++;
	return reader->status == LANEWISE_OK ? node : LW_NODE_NONE;
}

static uint8_t fold(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte; }

/* A byte: of a string of bytes, or with a count a set. */
static uint32_t add_byte(struct lw_rules_reader *reader, uint8_t byte)
{
	if (reader->at < reader->end && *reader->at && strchr("?*+{", *reader->at)) {
		uint8_t set[32] = { 0 };

		set_add(set, byte);
		if (reader->ignore_case)
			set_fold(set);
		return add_set(reader, set);
	}

	uint8_t *p = lanewise_secrets_list_add(reader, &reader->secrets->pool, 1, MAX_POOL);
	uint32_t node = p ? add_node(reader, LW_NODE_BYTES) : LW_NODE_NONE;

	if (node == LW_NODE_NONE)
		return node;
	*p = reader->ignore_case ? fold(byte) : byte;
	node_at(reader, node)->first = (uint32_t)(reader->secrets->pool.n - 1);
	node_at(reader, node)->count = 1;
	return node;
}

static uint32_t add_group(struct lw_rules_reader *reader, enum lw_node_kind kind, uint32_t alternatives)
{
	uint32_t node = reader->status == LANEWISE_OK ? add_node(reader, kind) : LW_NODE_NONE;

	if (node == LW_NODE_NONE)
		return node;
	node_at(reader, node)->child = alternatives;
	if (kind == LW_NODE_GROUP)
		node_at(reader, node)->optional = (uint8_t)take(reader, '?');
	return node;
}

static uint32_t read_group(struct lw_rules_reader *reader, enum lw_node_kind kind)
{
	if (++reader->depth > LW_SHAPE_DEPTH)
		return lanewise_secrets_wrong(reader, "parentheses (and fragments) in more than %d others",
		                              LW_SHAPE_DEPTH);

	uint32_t alternatives = read_alternatives(reader, ')');

	reader->depth--;
	return add_group(reader, kind, alternatives);
}

/* The node of a fragment that is one byte of a set and nothing else, or NONE. */
static uint32_t lone_set(struct lw_rules_reader *reader, uint32_t alternatives)
{
	const struct lw_node *alternative = node_at(reader, alternatives);
	const struct lw_node *set = alternative->child != LW_NODE_NONE ? node_at(reader, alternative->child) : NULL;

	if (!set || alternative->next != LW_NODE_NONE || set->kind != LW_NODE_SET || set->next != LW_NODE_NONE ||
	    set->first != 1 || set->count != 1)
		return LW_NODE_NONE;
	return alternative->child;
}

/* $NAME, of which the $ was read: its shape is read as if it stood there in parentheses. */
static uint32_t read_fragment(struct lw_rules_reader *reader, enum lw_node_kind kind)
{
	const char *name = reader->at, *end = reader->end;
	const struct lw_fragment *fragment = reader->fragments.items, *found = NULL;

	while (reader->at < end && is_word((uint8_t)*reader->at))
		reader->at++;

	const char *behind = reader->at;
	size_t n = (size_t)(behind - name);

	for (size_t i = 0; i < reader->fragments.n && !found; i++)
		if (fragment[i].name_bytes == n && memcmp(fragment[i].name, name, n) == 0)
			found = &fragment[i];
	if (!found)
		return lanewise_secrets_wrong(reader, "$%.*s was not said to be anything", (int)(n < 60 ? n : 60),
		                              name);
	if (++reader->depth > LW_SHAPE_DEPTH)
		return lanewise_secrets_wrong(reader, "parentheses (and fragments) in more than %d others",
		                              LW_SHAPE_DEPTH);
	reader->at = found->shape;
	reader->end = found->shape + found->shape_bytes;
	reader->in_fragment++;

	uint32_t alternatives = read_alternatives(reader, '\0');

	if (reader->status != LANEWISE_OK)
		return LW_NODE_NONE;
	reader->in_fragment--;
	reader->depth--;
	reader->at = behind;
	reader->end = end;

	uint32_t set = kind == LW_NODE_GROUP ? lone_set(reader, alternatives) : LW_NODE_NONE, min, max;

	if (set == LW_NODE_NONE)
		return add_group(reader, kind, alternatives);
	read_count(reader, &min, &max);
	node_at(reader, set)->first = min;
	node_at(reader, set)->count = max;
	return reader->status == LANEWISE_OK ? set : LW_NODE_NONE;
}

static uint32_t read_backslash(struct lw_rules_reader *reader)
{
	uint8_t set[32] = { 0 };

	if (take(reader, 'b'))
		return add_node(reader, LW_NODE_EDGE);
	if (reader->at < reader->end && *reader->at && strchr("sdw", *reader->at)) {
		set_add_class(set, *reader->at++);
		return add_set(reader, set);
	}

	int byte = read_escape(reader);

	return byte < 0 ? lanewise_secrets_wrong(reader, "a backslash before what needs none")
	                : add_byte(reader, (uint8_t)byte);
}

static uint32_t read_anchor(struct lw_rules_reader *reader)
{
	if (reader->depth > 0 || reader->in_fragment)
		return lanewise_secrets_wrong(reader, "the anchor, @, stands in no parentheses and no `let`");
	reader->n_at++;
	return add_node(reader, LW_NODE_ANCHOR);
}

static uint32_t read_part(struct lw_rules_reader *reader);

/* !X */
static uint32_t read_not(struct lw_rules_reader *reader)
{
	skip_space(reader);
	if (take(reader, '('))
		return read_group(reader, LW_NODE_NOT);
	if (take(reader, '$'))
		return read_fragment(reader, LW_NODE_NOT);
	if (++reader->depth > LW_SHAPE_DEPTH)
		return lanewise_secrets_wrong(reader, "! behind ! too often");

	uint32_t part = reader->at < reader->end ? read_part(reader) : LW_NODE_NONE;
	uint32_t alternative = part != LW_NODE_NONE ? add_node(reader, LW_NODE_ALTERNATIVE) : LW_NODE_NONE;

	reader->depth--;
	if (alternative == LW_NODE_NONE)
		return lanewise_secrets_wrong(reader, "nothing behind a !");
	node_at(reader, alternative)->child = part;
	return add_group(reader, LW_NODE_NOT, alternative);
}

static uint32_t read_part(struct lw_rules_reader *reader)
{
	char c = *reader->at++;
	uint8_t set[32];

	switch (c) {
	case '[':
		return lanewise_secrets_read_set(reader, ']', set) ? add_set(reader, set) : LW_NODE_NONE;
	case '.':
		memset(set, 0xff, sizeof set);
		set['\n' / 8] &= (uint8_t)~(1 << '\n' % 8);
		return add_set(reader, set);
	case '(':
		return read_group(reader, LW_NODE_GROUP);
	case '$':
		return read_fragment(reader, LW_NODE_GROUP);
	case '!':
		return read_not(reader);
	case '<':
		return add_node(reader, LW_NODE_OPEN);
	case '>':
		return add_node(reader, LW_NODE_CLOSE);
	case '@':
		return read_anchor(reader);
	case '\\':
		return read_backslash(reader);
	default:
		break;
	}
	if (c == '\0' || strchr(special, c))
		return lanewise_secrets_wrong(reader, "%c where it means nothing (for the byte itself, \\%c)", c, c);
	return add_byte(reader, (uint8_t)c);
}

/* Bytes behind bytes become one node. */
static int join_bytes(struct lw_rules_reader *reader, uint32_t last, uint32_t part)
{
	struct lw_node *a = last != LW_NODE_NONE ? node_at(reader, last) : NULL, *b = node_at(reader, part);

	if (!a || a->kind != LW_NODE_BYTES || b->kind != LW_NODE_BYTES || a->first + a->count != b->first)
		return 0;
	a->count += b->count;
	reader->secrets->nodes.n--;
	return 1;
}

/* Parts up to | or `closing` (or the end); returns the first, or NONE if there is none. */
static uint32_t read_sequence(struct lw_rules_reader *reader, char closing)
{
	uint32_t first = LW_NODE_NONE, last = LW_NODE_NONE;

	for (skip_space(reader); reader->at < reader->end && *reader->at != '|'; skip_space(reader)) {
		if (*reader->at == closing)
			break;

		uint32_t part = read_part(reader);

		if (reader->status != LANEWISE_OK)
			return LW_NODE_NONE;
		if (join_bytes(reader, last, part))
			continue;
		if (last == LW_NODE_NONE)
			first = part;
		else
			node_at(reader, last)->next = part;
		last = part;
	}
	return first;
}

/* Sequences between |, up to `closing`, which is read (NUL: to the end). */
static uint32_t read_alternatives(struct lw_rules_reader *reader, char closing)
{
	uint32_t first = LW_NODE_NONE, last = LW_NODE_NONE;

	do {
		uint32_t alternative = add_node(reader, LW_NODE_ALTERNATIVE), child;

		if (alternative == LW_NODE_NONE)
			return alternative;
		child = read_sequence(reader, closing);
		if (reader->status != LANEWISE_OK)
			return LW_NODE_NONE;
		node_at(reader, alternative)->child = child;
		if (last == LW_NODE_NONE)
			first = alternative;
		else
			node_at(reader, last)->next = alternative;
		last = alternative;
	} while (take(reader, '|'));
	if (closing ? !take(reader, closing) : reader->at < reader->end)
		return lanewise_secrets_wrong(reader, "a parenthesis without the other");
	return first;
}

/* ----------------------------------------------------------------- shapes */

/* Links a sequence, and those of its groups, from right to left; returns what is the first then. */
static uint32_t reverse(struct lw_rules_reader *reader, uint32_t number)
{
	uint32_t before = LW_NODE_NONE;

	while (number != LW_NODE_NONE) {
		struct lw_node *node = node_at(reader, number);
		uint32_t next = node->next;

		if (node->kind == LW_NODE_GROUP || node->kind == LW_NODE_NOT)
			for (uint32_t i = node->child; i != LW_NODE_NONE; i = node_at(reader, i)->next)
				node_at(reader, i)->child = reverse(reader, node_at(reader, i)->child);
		node->next = before;
		before = number;
		number = next;
	}
	return before;
}

int lanewise_secrets_read_shape(struct lw_rules_reader *reader, uint32_t *before, uint32_t *after)
{
	uint32_t last = LW_NODE_NONE;

	reader->depth = reader->in_fragment = reader->n_at = 0;

	uint32_t first = read_sequence(reader, '\0'), anchor = first;

	if (reader->status == LANEWISE_OK && reader->at < reader->end)
		lanewise_secrets_wrong(reader, "alternatives stand in parentheses");
	if (reader->status == LANEWISE_OK && reader->n_at != 1)
		lanewise_secrets_wrong(reader, "a shape has one anchor, @");
	if (reader->status != LANEWISE_OK)
		return 0;
	for (; node_at(reader, anchor)->kind != LW_NODE_ANCHOR; anchor = node_at(reader, anchor)->next)
		last = anchor;
	*after = node_at(reader, anchor)->next;
	*before = LW_NODE_NONE;
	if (last != LW_NODE_NONE) {
		node_at(reader, last)->next = LW_NODE_NONE;
		*before = reverse(reader, first);
	}
	return 1;
}

int lanewise_secrets_check_fragment(struct lw_rules_reader *reader)
{
	size_t n_nodes = reader->secrets->nodes.n;
	uint32_t n_runs = reader->secrets->n_runs;

	reader->depth = reader->in_fragment = 1;
	read_alternatives(reader, '\0');
	reader->secrets->nodes.n = n_nodes;
	reader->secrets->n_runs = n_runs;
	return reader->status == LANEWISE_OK;
}

int lanewise_secrets_read_run(struct lw_rules_reader *reader, uint32_t *set, uint32_t *min, uint32_t *max)
{
	uint8_t bits[32];

	*set = LW_NODE_NONE;
	if (!take(reader, '['))
		lanewise_secrets_wrong(reader, "a run is [a set]{m,n}");
	else if (lanewise_secrets_read_set(reader, ']', bits))
		*set = keep_set(reader, bits);
	if (*set == LW_NODE_NONE)
		return 0;
	if (!take(reader, '{') || !read_braces(reader, min, max) || *min == 0 || reader->at < reader->end)
		lanewise_secrets_wrong(reader, "a run is [a set]{m,n}, and not empty");
	return reader->status == LANEWISE_OK;
}
