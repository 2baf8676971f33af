/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of JSON without a branch per token, for texts that turn out to be JSON: what is wrong is only found to be so, and
 * json_parse.c finds out what.
 *
 * json_tokens goes through blocks of 64 bytes as masks, a bit for each byte, and checks by masks what is within tokens: the
 * digits of numbers, escapes. json_nodes goes through groups of tokens as masks again, now with a bit for each token:
 * the grammar is which token may stand behind which, so masks shifted by one or a few places. There is one exception, brackets and
 * the commas behind them, which need to know what is around them; these go one by one.
 */
#include "json_tree.h"

/* ----------------------------------------------------------------- tokens */

/* The mask of tokens; `flags` are to be flagged, if they are tokens. text[at] is the block's first byte. */
LW_INLINE uint64_t scan_block(blk b, const uint8_t *text, size_t at, struct lw_json_scan *s, uint64_t *flags,
                              uint64_t *wrong)
{
	struct masks m = classify(b);
	uint64_t begins = 0, escaped = s->escaped, carry = escaped, behind = 0, quote, in_string;

	*flags = 0;
	if (m.backslash)
		begins = find_escapes(m.backslash, &escaped, &carry);
	else
		carry = 0;
	s->escaped = (uint8_t)carry;
	quote = m.quote & ~escaped;
	in_string = prefix_parity(quote) ^ s->in_string;
	s->in_string = (uint64_t)0 - (in_string >> 63);
	*wrong |= m.control & in_string;
	if (LW_UNLIKELY(escaped | begins | s->escapes | s->hex | s->unit)) {
		/* Backslashes outside strings are wrong anyway, as bytes of scalars. */
		*flags = behind_runs(begins & in_string, in_string, &s->escapes) & quote;
		*wrong |= wrong_in_escapes(b, escaped, m.quote, m.backslash, text, at, s);
	}

	uint64_t outside = ~(in_string | quote), scalar = outside & ~(m.op | m.space);
	uint64_t scalar_before = scalar << 1 | s->in_scalar;

	if (scalar | s->in_scalar) {
		*wrong |= wrong_in_scalars(b, scalar, s, &behind);
		*flags |= behind;
	}
	s->in_scalar = (uint8_t)(scalar >> 63);
	return (outside & m.op) | quote | (scalar & ~scalar_before) | (outside & m.space & scalar_before);
}

LW_INLINE size_t write_tokens(uint64_t bits, uint64_t flags, const uint8_t *bytes, uint32_t at, uint32_t *tokens)
{
	size_t count = 0;

	for (uint64_t left = bits; left; count++) {
		uint32_t bit = take_bit(&left);

		tokens[count] = (at + bit) << 8 | bytes[bit];
	}
	for (flags &= bits; flags; flags &= flags - 1)
		tokens[__builtin_popcountll(bits & (flags ^ (flags - 1)) >> 1)] |= LW_JSON_TOKEN_FLAG;
	return count;
}

size_t LW_FN(json_tokens)(const uint8_t *text, size_t begin, size_t end, struct lw_json_scan *scan, uint32_t *tokens)
{
	struct lw_json_scan s = *scan;
	uint64_t wrong = 0, flags, bits;
	size_t count = 0, at = begin;
	v8 all = v8_set1(0);

	for (; end - at >= 64; at += 64) {
		blk b = blk_load(text + at);

		all = v8_or(all, blk_join(b));
		bits = scan_block(b, text, at, &s, &flags, &wrong);
		count += write_tokens(bits, flags, text + at, (uint32_t)(at - begin), tokens + count);
	}
	if (at < end) {
		blk b = blk_load_first(text + at, end - at);
		uint8_t bytes[64];

		blk_store(bytes, b);
		all = v8_or(all, blk_join(b));
		bits = scan_block(b, text, at, &s, &flags, &wrong);
		count += write_tokens(bits, flags, bytes, (uint32_t)(at - begin), tokens + count);
	}
	s.wide |= (uint8_t)v8_any_high(all);
	s.bad |= wrong != 0;
	*scan = s;
	return count;
}

/* ------------------------------------------------------------------ nodes */

enum { GROUP = 64, BEFORE = LW_JSON_TOKENS_BEFORE, DONE = GROUP - 2 * BEFORE };

#if V8_BYTES == 32

/* The bytes of 32 tokens. */
LW_INLINE v8 load_part(const uint32_t *tokens)
{
	__m256i low = _mm256_set1_epi32(0x7f);
	__m256i a = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)tokens), low);
	__m256i b = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(tokens + 8)), low);
	__m256i c = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(tokens + 16)), low);
	__m256i d = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(tokens + 24)), low);
	__m256i bytes = _mm256_packus_epi16(_mm256_packus_epi32(a, b), _mm256_packus_epi32(c, d));

	return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

LW_INLINE blk load_bytes(const uint32_t *tokens) { return (blk) { { load_part(tokens), load_part(tokens + 32) } }; }

#else

LW_INLINE blk load_bytes(const uint32_t *tokens)
{
	uint8_t bytes[GROUP];

	for (int i = 0; i < GROUP; i++)
		bytes[i] = tokens[i] & 0x7f;
	return blk_load(bytes);
}

#endif

LW_INLINE void write_nodes(const uint32_t *tokens, uint32_t base, uint64_t mask, const struct group *g,
                           struct lw_json_tree *t)
{
	/* By the byte / 8: type and flags, and which flag changes with the next token's. */
	static const uint8_t types[16] = {
		[4] = LANEWISE_JSON_STRING, [5] = LANEWISE_JSON_NUMBER, [6] = LANEWISE_JSON_NUMBER,
		[7] = LANEWISE_JSON_NUMBER, [11] = LANEWISE_JSON_ARRAY, [12] = LANEWISE_JSON_FALSE,
		[13] = LANEWISE_JSON_NULL,  [14] = LANEWISE_JSON_TRUE,  [15] = LANEWISE_JSON_OBJECT
	};
	static const uint8_t flags[16] = {
		[5] = LANEWISE_JSON_INTEGER, [6] = LANEWISE_JSON_INTEGER, [7] = LANEWISE_JSON_INTEGER
	};
	static const uint8_t changes[16] = { [4] = LANEWISE_JSON_ESCAPES,
		                             [5] = LANEWISE_JSON_INTEGER,
		                             [6] = LANEWISE_JSON_INTEGER,
		                             [7] = LANEWISE_JSON_INTEGER };
	size_t n = t->n_nodes;

	while (mask) {
		uint32_t bit = take_bit(&mask), x = tokens[bit], y = tokens[bit + 1], kind = x >> 3 & 15;
		uint8_t change = changes[kind] & (uint8_t)-(y >> 7 & 1);
		lanewise_json_node *node = &t->nodes[n++];

		node->offset = base + (uint32_t)position_of(x);
		node->n_bytes = (uint32_t)(position_of(y) - position_of(x)) + (g->open >> bit & 1);
		node->next = (uint32_t)n;
		node->type = types[kind];
		node->flags = (flags[kind] ^ change) | (uint8_t)((g->name >> bit & 1) * LANEWISE_JSON_NAME);
		node->reserved = 0;
	}
}

size_t LW_FN(json_nodes)(const uint8_t *text, size_t base, const uint32_t *tokens, size_t n_tokens, int last,
                         struct lw_json_tree *tree)
{
	struct lw_json_tree t = *tree;
	size_t at = 0;

	for (; last ? at < n_tokens : n_tokens - at >= DONE + BEFORE; at += DONE) {
		const uint32_t *group = tokens + at - BEFORE;
		size_t n_valid = n_tokens - at + BEFORE;
		uint64_t valid = n_valid >= GROUP ? ~(uint64_t)0 : ((uint64_t)1 << n_valid) - 1;
		uint64_t active = valid & (((uint64_t)1 << DONE) - 1) << BEFORE;
		struct group g = read_group(load_bytes(group), valid, &t.in_string);
		uint64_t begins = (g.open | g.scalar | g.object | g.array) & active, words = g.word & active;
		size_t n_begins = (size_t)__builtin_popcountll(begins);

		t.in_string = (uint64_t)0 - (t.in_string >> (DONE - 1) & 1);
		if ((wrong_in_group(&g) & active) || t.done || n_begins > t.capacity - t.n_nodes ||
		    (t.n_nodes == 0 && !((g.object | g.array) >> BEFORE & 1))) {
			t.bad = 1;
			break;
		}
		if (words && ((words & ~(valid >> 1)) || !check_words(text, base, group, words))) {
			t.bad = 1;
			break;
		}
		write_nodes(group, (uint32_t)base, begins, &g, &t);

		struct brackets brackets = brackets_of(&g, active, begins, t.n_nodes);

		if (LW_UNLIKELY(link_brackets(group, (uint32_t)base, &brackets, &t))) {
			t.bad = 1;
			break;
		}
		t.n_nodes += n_begins;
	}
	if (last && !t.done)
		t.bad = 1;
	*tree = t;
	return at < n_tokens ? at : n_tokens;
}
