/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernels of JSON trees share, for templates: what is within escapes, numbers and words. */
#ifndef LW_JSON_TREE_H
#define LW_JSON_TREE_H

#include <lanewise/json.h>

#include "block.h"
#include "json_masks.h"
#include "json_run.h"

/* Whether the two halves of surrogate pairs are in turn; at their second digits, 8 or more behind a d, there is a bit. */
static LW_NOINLINE int check_surrogates(const uint8_t *text, size_t at, uint64_t seconds, struct lw_json_scan *s)
{
	for (; seconds; seconds &= seconds - 1) {
		size_t begin = at + (size_t)__builtin_ctzll(seconds) - 3;
		int is_low, value;

		if (s->n_text - begin < 6)
			return 0;
		value = lw_json_read_hex(text + begin + 2);
		is_low = value >= 0xdc00;
		if (value < 0 || is_low != (s->low_at == begin))
			return 0;
		s->low_at = is_low ? 0 : begin + 6;
		if (is_low)
			continue;
		if (s->n_text - begin < 12 || text[begin + 6] != '\\' || text[begin + 7] != 'u' ||
		    lw_json_read_hex(text + begin + 8) >> 10 != 0xdc00 >> 10)
			return 0;
	}
	return 1;
}

/* The bytes that may stand behind a backslash; `quote` and `backslash` are two of them. */
LW_INLINE uint64_t escape_letters(blk b, uint64_t quote, uint64_t backslash)
{
	static const uint8_t letters[16] = { 0xff, 0xff, 'b',  0xff, 't',  'u',  'f', 0xff,
		                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'n', '/' };

	return blk_in_table(b, v8_table(letters)) | blk_eq(b, 'r') | quote | backslash;
}

/* The digits behind `u`, and whether surrogates come in pairs. */
static LW_NOINLINE uint64_t wrong_in_units(blk b, uint64_t u, const uint8_t *text, size_t at, struct lw_json_scan *s)
{
	blk lower = blk_or(b, 0x20);
	uint64_t digit = blk_below(b, '9' + 1) & ~blk_below(b, '0');
	uint64_t hex = digit | (blk_below(lower, 'f' + 1) & ~blk_below(lower, 'a'));
	uint64_t d = (u << 1 | (s->unit & 1)) & blk_eq(lower, 'd');
	uint64_t seconds = (d << 1 | s->unit >> 1) & hex & ~blk_below(b, '8');
	uint64_t wrong = (u << 1 | u << 2 | u << 3 | u << 4 | s->hex) & ~hex;

	s->hex = (uint8_t)(u >> 63 | u >> 62 | u >> 61 | u >> 60);
	s->unit = (uint8_t)(u >> 63 | (d >> 63) << 1);
	if (LW_UNLIKELY(seconds) && !s->allow_lone_surrogates)
		wrong |= !check_surrogates(text, at, seconds, s);
	return wrong;
}

/* Escapes in strings: `escaped` are the bytes behind their backslashes. */
LW_INLINE uint64_t wrong_in_escapes(blk b, uint64_t escaped, uint64_t quote, uint64_t backslash, const uint8_t *text,
                                    size_t at, struct lw_json_scan *s)
{
	uint64_t wrong = escaped & ~escape_letters(b, quote, backslash), u = escaped & blk_eq(b, 'u');

	if (LW_UNLIKELY(u | s->hex | s->unit))
		wrong |= wrong_in_units(b, u, text, at, s);
	return wrong;
}

/* Numbers and words, of which the bytes of `scalar` are; *behind are those behind fractions and exponents. */
LW_INLINE uint64_t wrong_in_scalars(blk b, uint64_t scalar, struct lw_json_scan *s, uint64_t *behind)
{
	struct lw_json_number_bits *bits = &s->number;
	struct number_masks m = { .digit = scalar & blk_below(b, '9' + 1) & ~blk_below(b, '0'),
		                  .zero = scalar & blk_eq(b, '0'),
		                  .point = scalar & blk_eq(b, '.'),
		                  .minus = scalar & blk_eq(b, '-') };
	struct number_seen seen;
	uint64_t rest = scalar & ~(m.digit | m.point | m.minus), wrong;

	if (LW_LIKELY(!(rest | bits->e | bits->e_sign | bits->exponent | s->letter))) {
		wrong = wrong_in_plain(&m, bits, &seen);
		*behind = seen.behind;
		return wrong;
	}

	blk lower = blk_or(b, 0x20);
	uint64_t number_before;

	m.plus = rest & blk_eq(b, '+');
	m.e = rest & blk_eq(lower, 'e') & (m.digit << 1 | bits->digit);
	rest &= ~(m.plus | m.e);

	uint64_t letter = rest & blk_below(lower, 'z' + 1) & ~blk_below(lower, 'a'), number = scalar & ~rest;

	number_before = number << 1 | bits->within;
	wrong = (rest & ~letter) | (letter & number_before) | (number & (letter << 1 | s->letter));
	s->letter = (uint8_t)(letter >> 63);
	wrong |= wrong_in_any(&m, bits, &seen);
	*behind = seen.behind;
	return wrong;
}

/* A group of tokens, a bit for each. */
struct group {
	uint64_t open, close;         /* quotes */
	uint64_t scalar, space, word; /* word: of the scalars, those that are no number */
	uint64_t object, array, object_end, array_end, comma, colon;
	uint64_t name; /* of the opening quotes */
};

/*
 * By the bytes of tokens. *in_string, all bits or none, tells what the quotes before were; its bits become what they are behind
 * each.
 */
LW_INLINE struct group read_group(blk b, uint64_t valid, uint64_t *in_string)
{
	struct group g;
	uint64_t quote = blk_eq(b, '"') & valid, parity = prefix_parity(quote) ^ *in_string;

	g.open = quote & parity;
	g.close = quote & ~parity;
	g.object = blk_eq(b, '{') & valid;
	g.array = blk_eq(b, '[') & valid;
	g.object_end = blk_eq(b, '}') & valid;
	g.array_end = blk_eq(b, ']') & valid;
	g.comma = blk_eq(b, ',') & valid;
	g.colon = blk_eq(b, ':') & valid;
	g.space = blk_in_table(b, v8_table(lw_json_spaces)) & valid;
	g.scalar = valid & ~(quote | g.object | g.array | g.object_end | g.array_end | g.comma | g.colon | g.space);
	g.word = g.scalar & ~(blk_below(b, '9' + 1) & ~blk_below(b, '0')) & ~blk_eq(b, '-');
	g.name = g.open & g.colon >> 2;
	*in_string = parity;
	return g;
}

/*
 * What is wrong by the tokens nearby. A comma is one of members if a name follows; behind a value that is no
 * container, it must be so just if there is a colon before that value.
 */
LW_INLINE uint64_t wrong_in_group(const struct group *g)
{
	uint64_t leaf = g->open | g->scalar, begin = leaf | g->object | g->array;
	uint64_t leaf_end = g->close | g->scalar | g->space, end = leaf_end | g->object_end | g->array_end;
	uint64_t of_member = leaf & g->colon << 1, of_scalar = of_member & g->scalar;
	uint64_t member_end = (of_member & g->open) << 1 | of_scalar | (of_scalar << 1 & g->space);
	uint64_t wrong = (end << 1 & begin) | (g->colon & ~(g->close << 1));

	wrong |= (g->comma | g->colon) << 1 & ~begin;
	wrong |= g->object << 1 & ~(g->name | g->object_end);
	wrong |= g->array << 1 & ~(begin | g->array_end);
	wrong |= g->name & ~((g->object | g->comma) << 1);
	wrong |= (g->comma & member_end << 1) << 1 & ~g->name;
	wrong |= (g->comma & (leaf_end & ~member_end) << 1) << 1 & g->name;
	return wrong;
}

LW_INLINE int32_t position_of(uint32_t token) { return (int32_t)token >> 8; }

/* Words have the right size, first byte and last four. */
LW_INLINE int check_words(const uint8_t *text, size_t base, const uint32_t *tokens, uint64_t words)
{
	enum { T = 't' >> 3, F = 'f' >> 3, N = 'n' >> 3 };
	static const struct {
		int32_t size;
		uint8_t first, last[4];
	} known[16] = { [T] = { 4, 't', "true" }, [F] = { 5, 'f', "alse" }, [N] = { 4, 'n', "null" } };
	uint32_t wrong = 0;

	while (words) {
		const uint32_t *token = tokens + take_bit(&words);
		unsigned kind = *token >> 3 & 15;
		int32_t size = position_of(token[1]) - position_of(*token);
		uint32_t last, expected;

		if (LW_UNLIKELY(size != known[kind].size || size == 0))
			return 0;
		memcpy(&last, text + (base + (size_t)position_of(token[1]) - 4), sizeof last);
		memcpy(&expected, known[kind].last, sizeof expected);
		wrong |= (last ^ expected) | ((uint8_t)*token ^ (uint32_t)known[kind].first);
	}
	return wrong == 0;
}

/* The brackets of 64 tokens, of which the first `end` are there; rank: the number of the first node that begins among them. */
struct brackets {
	uint64_t all, opens, of_objects;
	uint64_t begins;                        /* of nodes */
	uint64_t commas_behind, members_behind; /* commas and commas of members just behind the tokens */
	uint32_t rank;
	size_t end;
};

/* Opens and closes containers, whose nodes are there already; returns whether something is wrong. */
LW_INLINE int link_brackets(const uint32_t *tokens, uint32_t base, const struct brackets *b, struct lw_json_tree *t)
{
	uint64_t left = b->all;
	uint32_t container = t->container, depth = t->depth, wrong = 0;
	lanewise_json_node *nodes = t->nodes;

	while (left) {
		uint32_t bit = take_bit(&left);
		uint64_t before = ((uint64_t)1 << bit) - 1;
		uint32_t n = b->rank + (uint32_t)__builtin_popcountll(b->begins & before);

		if (b->opens >> bit & 1) {
			nodes[n].next = container;
			container = n;
			depth++;
			wrong |= depth > t->max_depth;
			continue;
		}
		if (LW_UNLIKELY(depth == 0))
			return 1;

		lanewise_json_node *closed = &nodes[container];

		wrong |= (closed->type == LANEWISE_JSON_OBJECT) ^ (b->of_objects >> bit & 1);
		container = closed->next;
		closed->n_bytes = base + (uint32_t)position_of(tokens[bit]) + 1 - closed->offset;
		closed->next = n;
		if (LW_UNLIKELY(--depth == 0)) {
			t->done = 1;
			wrong |= bit + 1 != b->end;
			break;
		}
		wrong |= (b->commas_behind >> bit & 1) &
		         ((nodes[container].type == LANEWISE_JSON_OBJECT) ^ (b->members_behind >> bit & 1));
	}
	t->container = container;
	t->depth = depth;
	return (int)wrong;
}

/* Those of a group, of which the tokens of `active` are there. */
LW_INLINE struct brackets brackets_of(const struct group *g, uint64_t active, uint64_t begins, size_t rank)
{
	uint64_t opens = g->object | g->array;

	return (struct brackets) { .all = (opens | g->object_end | g->array_end) & active,
		                   .opens = opens,
		                   .of_objects = g->object | g->object_end,
		                   .begins = begins,
		                   .commas_behind = g->comma >> 1,
		                   .members_behind = g->name >> 2,
		                   .rank = (uint32_t)rank,
		                   .end = 64 - (size_t)__builtin_clzll(active) };
}

#endif
