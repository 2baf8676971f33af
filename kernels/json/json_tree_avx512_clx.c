/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels of json_tree_simd.c with vectors of 64 bytes. There a mask is a word; here eight of them are a vector, so that
 * what would be done to a mask is done to those of eight blocks of the text, or of eight groups of tokens.
 */
#include "json_tree.h"
#include "json_words.h"

/* ----------------------------------------------------------------- tokens */

enum { BLOCKS = 8 };

struct words {
	uint64_t quote[BLOCKS], backslash[BLOCKS], op[BLOCKS], space[BLOCKS], control[BLOCKS];
	uint64_t digit[BLOCKS], zero[BLOCKS], point[BLOCKS], minus[BLOCKS], wide[BLOCKS];
	uint64_t begins[BLOCKS], escaped[BLOCKS], scalar[BLOCKS], tokens[BLOCKS], flags[BLOCKS];
};

LW_INLINE __m512i load_words(const uint64_t *words) { return _mm512_load_si512(words); }
LW_INLINE __m512i and_not(__m512i a, __m512i b) { return _mm512_andnot_si512(b, a); }
LW_INLINE int any_bit(__m512i x) { return _mm512_test_epi64_mask(x, x) != 0; }

/* Of the blocks before: their last bits matter. */
struct past {
	__m512i scalar, rest;
	struct number_past number;
};

LW_INLINE void read_past(struct past *past, const struct lw_json_scan *s)
{
	past->scalar = with_last_bit(s->in_scalar);
	past->rest = with_last_bit(s->letter);
	past->number.digit = with_last_bit(s->number.digit);
	past->number.point = with_last_bit(s->number.point);
	past->number.minus = with_last_bit(s->number.sign);
	past->number.zero = with_last_bit(s->number.zero);
	past->number.fraction = s->number.fraction;
}

LW_INLINE void keep_past(const struct past *past, struct lw_json_scan *s)
{
	s->in_scalar = last_bit(past->scalar);
	s->letter = last_bit(past->rest);
	s->number.digit = last_bit(past->number.digit);
	s->number.point = last_bit(past->number.point);
	s->number.sign = last_bit(past->number.minus);
	s->number.lead = s->number.sign & !s->number.e_sign;
	s->number.zero = last_bit(past->number.zero);
	s->number.fraction = past->number.fraction;
	s->number.within = s->in_scalar & !s->letter;
}

LW_INLINE void fill_with_spaces(struct words *w)
{
	uint64_t *const none[] = { w->quote, w->backslash, w->op,    w->control, w->digit,
		                   w->zero,  w->point,     w->minus, w->wide };

#pragma GCC unroll 9
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		_mm512_store_si512(none[i], _mm512_setzero_si512());
	_mm512_store_si512(w->space, _mm512_set1_epi64(-1));
}

LW_INLINE void classify_words(__m512i b, size_t i, struct words *w)
{
	__m512i lower = _mm512_or_si512(b, _mm512_set1_epi8(0x20));
	__m512i digit = _mm512_xor_si512(b, _mm512_set1_epi8('0'));

	w->quote[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('"'));
	w->backslash[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('\\'));
	w->control[i] = _mm512_cmplt_epu8_mask(b, _mm512_set1_epi8(0x20));
	w->space[i] = _mm512_cmpeq_epi8_mask(b, _mm512_shuffle_epi8(v8_table(lw_json_spaces), b));
	w->op[i] = _mm512_cmpeq_epi8_mask(lower, _mm512_shuffle_epi8(v8_table(lw_json_operators), lower));
	w->digit[i] = _mm512_cmplt_epu8_mask(digit, _mm512_set1_epi8(10));
	w->zero[i] = _mm512_testn_epi8_mask(digit, digit);
	w->point[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('.'));
	w->minus[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('-'));
	w->wide[i] = _mm512_movepi8_mask(b);
}

/* The same as find_escapes where backslashes stand in rows. */
static LW_NOINLINE void find_escapes_in_words(struct words *w, struct lw_json_scan *s)
{
	uint64_t carry = s->escaped;

	for (size_t i = 0; i < BLOCKS; i++) {
		w->escaped[i] = carry;
		w->begins[i] = find_escapes(w->backslash[i], &w->escaped[i], &carry);
	}
	s->escaped = (uint8_t)carry;
}

/* Which backslashes begin escapes; *escaped are the bytes behind these. */
LW_INLINE __m512i begins_of_escapes(struct words *w, struct lw_json_scan *s, __m512i *escaped)
{
	__m512i backslash = load_words(w->backslash), behind = bits_behind(with_last_bit(s->escaped), backslash);

	if (LW_UNLIKELY(any_bit(_mm512_and_si512(backslash, behind)))) {
		find_escapes_in_words(w, s);
		*escaped = load_words(w->escaped);
		return load_words(w->begins);
	}
	s->escaped = last_bit(backslash);
	*escaped = behind;
	_mm512_store_si512(w->escaped, behind);
	return backslash;
}

/* Goes through the blocks that have escapes, or the digits of one from the block before. */
LW_INLINE uint64_t wrong_escapes_in_words(const uint8_t *bytes, const uint8_t *text, size_t at, const struct words *w,
                                          struct lw_json_scan *s)
{
	unsigned blocks = _mm512_test_epi64_mask(load_words(w->escaped), load_words(w->escaped));
	uint64_t wrong = 0;

	if (s->hex | s->unit)
		blocks |= 1;
	while (blocks) {
		size_t i = (size_t)__builtin_ctz(blocks);
		blk b = blk_load(bytes + 64 * i);

		wrong |= wrong_in_escapes(b, w->escaped[i], w->quote[i], w->backslash[i], text, at + 64 * i, s);
		blocks &= blocks - 1;
		if ((s->hex | s->unit) && i + 1 < BLOCKS)
			blocks |= 2u << i;
	}
	return wrong;
}

static LW_NOINLINE uint64_t wrong_scalars_in_words(const uint8_t *bytes, struct words *w, struct lw_json_scan *s)
{
	uint64_t wrong = 0, behind;

	for (size_t i = 0; i < BLOCKS; i++) {
		if (w->scalar[i] | s->in_scalar) {
			wrong |= wrong_in_scalars(blk_load(bytes + 64 * i), w->scalar[i], s, &behind);
			w->flags[i] |= behind;
		}
		s->in_scalar = (uint8_t)(w->scalar[i] >> 63);
	}
	return wrong;
}

/* The same as wrong_in_plain; 0 if there is more than that: exponents, a number beside a letter. */
LW_INLINE int plain_words(const struct words *w, __m512i scalar, __m512i scalar_before,
                          const struct lw_json_number_bits *bits, struct past *past, __m512i *behind, __m512i *wrong)
{
	const struct number_group n = { .digit = _mm512_and_si512(load_words(w->digit), scalar),
		                        .zero = _mm512_and_si512(load_words(w->zero), scalar),
		                        .point = _mm512_and_si512(load_words(w->point), scalar),
		                        .minus = _mm512_and_si512(load_words(w->minus), scalar) };
	__m512i rest = and_not(scalar, _mm512_or_si512(_mm512_or_si512(n.digit, n.point), n.minus));
	__m512i change = _mm512_xor_si512(rest, bits_behind(past->rest, rest));

	change = _mm512_and_si512(_mm512_and_si512(scalar, scalar_before), change);
	if (LW_UNLIKELY(any_bit(change) | bits->e | bits->e_sign | bits->exponent))
		return 0;
	*wrong = _mm512_or_si512(*wrong, wrong_in_plain_group(&n, scalar_before, &past->number, behind));
	past->scalar = scalar;
	past->rest = rest;
	return 1;
}

/* Fills tokens and flags. `bytes` are the blocks' bytes, at `at` of the text. */
LW_INLINE void scan_words(const uint8_t *bytes, const uint8_t *text, size_t at, struct words *w, struct lw_json_scan *s,
                          struct past *past, __m512i *wrong)
{
	__m512i quote = load_words(w->quote), flags = _mm512_setzero_si512(), begins = flags, escaped = flags;
	__m512i in_string, behind = _mm512_setzero_si512();
	int escapes = any_bit(load_words(w->backslash)) || s->escaped || s->escapes || s->hex || s->unit;

	if (escapes) {
		begins = begins_of_escapes(w, s, &escaped);
		quote = and_not(quote, escaped);
	}
	in_string = group_parities(quote, &s->in_string);
	*wrong = _mm512_or_si512(*wrong, _mm512_and_si512(load_words(w->control), in_string));
	if (escapes) {
		uint64_t bad = wrong_escapes_in_words(bytes, text, at, w, s);

		*wrong = _mm512_or_si512(*wrong, _mm512_set1_epi64((int64_t)bad));
		begins = _mm512_and_si512(begins, in_string);
		flags = _mm512_and_si512(behind_group_runs(begins, in_string, &s->escapes), quote);
	}

	__m512i outside = and_not(_mm512_set1_epi64(-1), _mm512_or_si512(in_string, quote));
	__m512i op = and_not(_mm512_and_si512(load_words(w->op), outside), load_words(w->control));
	__m512i space = _mm512_and_si512(load_words(w->space), outside);
	__m512i scalar = and_not(outside, _mm512_or_si512(op, space)),
	        scalar_before = bits_behind(past->scalar, scalar);
	__m512i tokens = _mm512_or_si512(_mm512_or_si512(op, quote), _mm512_and_si512(space, scalar_before));

	*wrong = _mm512_or_si512(*wrong, _mm512_and_si512(scalar, load_words(w->wide)));
	_mm512_store_si512(w->tokens, _mm512_or_si512(tokens, and_not(scalar, scalar_before)));
	if (LW_LIKELY(plain_words(w, scalar, scalar_before, &s->number, past, &behind, wrong))) {
		_mm512_store_si512(w->flags, _mm512_or_si512(flags, behind));
	} else {
		_mm512_store_si512(w->scalar, scalar);
		_mm512_store_si512(w->flags, flags);
		keep_past(past, s);
		*wrong = _mm512_or_si512(*wrong, _mm512_set1_epi64((int64_t)wrong_scalars_in_words(bytes, w, s)));
		read_past(past, s);
	}
}

/* Bytes at the inside of a string, in whole blocks, before the first quote, backslash or control character. */
LW_INLINE size_t skip_plain(const uint8_t *p, size_t n, __m512i *all)
{
	size_t at = 0;

	for (; n - at >= 64; at += 64) {
		blk b = blk_load(p + at);

		if (blk_eq(b, '"') | blk_eq(b, '\\') | blk_below(b, 0x20))
			break;
		*all = v8_or(*all, b.v[0]);
	}
	return at;
}

/* Less than all blocks, the last filled up with spaces, also to `bytes`; returns their number. */
LW_INLINE size_t classify_rest(const uint8_t *text, size_t n, uint8_t *bytes, struct words *w)
{
	size_t count = 0;

	fill_with_spaces(w);
	for (size_t at = 0; at < n; at += 64, count++) {
		__m512i b = n - at < 64 ? blk_load_first(text + at, n - at).v[0] : _mm512_loadu_si512(text + at);

		_mm512_store_si512(bytes + at, b);
		classify_words(b, count, w);
	}
	return count;
}

/* Marks those bytes of tokens that are to be flagged, in a copy. */
LW_INLINE const uint8_t *flag_bytes(const uint8_t *bytes, size_t n_blocks, const uint64_t *flags, uint8_t *copy)
{
	for (size_t i = 0; i < n_blocks; i++) {
		__m512i b = _mm512_loadu_si512(bytes + 64 * i),
		        flagged = _mm512_or_si512(b, _mm512_set1_epi8((char)LW_JSON_TOKEN_FLAG));

		_mm512_store_si512(copy + 64 * i, _mm512_mask_mov_epi8(b, flags[i], flagged));
	}
	return copy;
}

/* The tokens of a block, whose bytes are at `bytes`, and which is at `at`. */
LW_INLINE size_t write_tokens(uint64_t bits, const uint8_t *bytes, uint32_t at, uint32_t *tokens)
{
	const __m512i first = _mm512_slli_epi32(vu_iota(0), 8), step = _mm512_set1_epi32(16 << 8);
	__m512i places = _mm512_add_epi32(first, _mm512_set1_epi32((int)(at << 8)));
	size_t count = 0;

#pragma GCC unroll 4
	for (int part = 0; part < 4; part++) {
		__m512i x = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(bytes + 16 * part)));
		uint32_t mask = (uint32_t)(bits >> 16 * part) & 0xffff;

		x = _mm512_maskz_compress_epi32((__mmask16)mask, _mm512_or_si512(x, places));
		_mm512_storeu_si512(tokens + count, x);
		count += (size_t)__builtin_popcount(mask);
		places = _mm512_add_epi32(places, step);
	}
	return count;
}

/* Blocks whose tokens are found but not yet written. */
struct found {
	_Alignas(64) uint64_t tokens[BLOCKS];
	_Alignas(64) uint8_t copy[64 * BLOCKS]; /* of the bytes, if these had to be changed or filled up */
	const uint8_t *bytes;
	size_t n_blocks;
	uint32_t at;
};

LW_INLINE size_t write_found(const struct found *f, uint32_t *tokens)
{
	size_t count = 0;

	for (size_t i = 0; i < f->n_blocks; i++)
		if (f->tokens[i])
			count += write_tokens(f->tokens[i], f->bytes + 64 * i, f->at + (uint32_t)(64 * i),
			                      tokens + count);
	return count;
}

/*
 * Tokens of blocks are written while the next blocks are classified: what is between the two is one long chain, in whose time
 * there would be little else to do.
 */
size_t LW_FN(json_tokens)(const uint8_t *text, size_t begin, size_t end, struct lw_json_scan *scan, uint32_t *tokens)
{
	_Alignas(64) struct words w;
	struct found found[2];
	struct found *now = &found[0], *before_now = &found[1];
	struct past past;
	__m512i wrong = _mm512_setzero_si512(), wide = wrong, skipped = wrong;
	size_t count = 0;

	read_past(&past, scan);
	before_now->n_blocks = 0;
	for (size_t at = begin, next; at < end; at = next) {
		struct found *other = before_now;
		__m512i in_tokens;

		now->bytes = text + at;
		now->n_blocks = BLOCKS;
		now->at = (uint32_t)(at - begin);
		next = at + sizeof now->copy;
		if (LW_LIKELY(end - at >= sizeof now->copy)) {
#pragma GCC unroll 8
			for (size_t i = 0; i < BLOCKS; i++)
				classify_words(_mm512_loadu_si512(text + at + 64 * i), i, &w);
		} else {
			now->n_blocks = classify_rest(text + at, end - at, now->copy, &w);
			now->bytes = now->copy;
			next = end;
		}
		count += write_found(before_now, tokens + count);
		scan_words(now->bytes, text, at, &w, scan, &past, &wrong);
		wide = _mm512_or_si512(wide, load_words(w.wide));
		in_tokens = load_words(w.tokens);
		_mm512_store_si512(now->tokens, in_tokens);
		if (any_bit(_mm512_and_si512(load_words(w.flags), in_tokens)))
			now->bytes = flag_bytes(now->bytes, now->n_blocks, w.flags, now->copy);
		if (!any_bit(in_tokens) && scan->in_string && !(scan->escaped | scan->hex | scan->unit))
			next += skip_plain(text + next, end - next, &skipped);
		before_now = now;
		now = other;
	}
	count += write_found(before_now, tokens + count);
	keep_past(&past, scan);
	scan->wide |= (uint8_t)(any_bit(wide) || v8_any_high(skipped));
	scan->bad |= (uint8_t)any_bit(wrong);
	return count;
}

/* ------------------------------------------------------------------ nodes */

/*
 * Tokens go through a window, the first and last few of which are only there to be looked at: whether a string is a name is
 * told by the colon two tokens on, say.
 */
enum { AROUND = LW_JSON_TOKENS_BEFORE, WINDOW = 64 * BLOCKS };

struct token_words {
	uint64_t quote[BLOCKS], object[BLOCKS], array[BLOCKS], object_end[BLOCKS], array_end[BLOCKS];
	uint64_t comma[BLOCKS], colon[BLOCKS], space[BLOCKS], number[BLOCKS];
	/* What is found out about them: */
	uint64_t begins[BLOCKS], names[BLOCKS], words[BLOCKS]; /* words: true, false, null */
	uint64_t opens[BLOCKS], brackets[BLOCKS], of_objects[BLOCKS];
	uint64_t commas_behind[BLOCKS], members_behind[BLOCKS]; /* of brackets; the commas are of members */
};

/* n_valid tokens, of which n are to be done, those behind the first `back`. */
struct window {
	const uint32_t *tokens;
	size_t back, n_valid, n;
};

/* The number of the last token before the next window, if one will follow. */
LW_INLINE size_t before_next(const struct window *window)
{
	return window->n > AROUND ? window->back + window->n - AROUND - 1 : 0;
}

/* The window's first values and names: their tokens and those behind them. */
struct pairs {
	size_t count;
	uint32_t x[WINDOW + 16], y[WINDOW + 16];
};

LW_INLINE __m512i up(__m512i x) { return bits_behind(_mm512_setzero_si512(), x); }

LW_INLINE __m512i down(__m512i x, unsigned places)
{
	__m512i upper = _mm512_alignr_epi64(_mm512_setzero_si512(), x, 1);

	return _mm512_or_si512(_mm512_srli_epi64(x, places), _mm512_slli_epi64(upper, 64 - places));
}

/* The first n bits. */
LW_INLINE __m512i first_bits(size_t n)
{
	__m512i count = _mm512_sub_epi64(_mm512_set1_epi64((int64_t)n),
	                                 _mm512_slli_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), 6));

	count = _mm512_max_epi64(count, _mm512_setzero_si512());
	return _mm512_xor_si512(_mm512_sllv_epi64(_mm512_set1_epi64(-1), count), _mm512_set1_epi64(-1));
}

/* The bytes of 64 tokens, without flags. */
LW_INLINE __m512i load_bytes(const uint32_t *tokens)
{
	__m512i low = _mm512_set1_epi32(0x7f);
	__m512i a = _mm512_and_si512(_mm512_loadu_si512(tokens), low);
	__m512i b = _mm512_and_si512(_mm512_loadu_si512(tokens + 16), low);
	__m512i c = _mm512_and_si512(_mm512_loadu_si512(tokens + 32), low);
	__m512i d = _mm512_and_si512(_mm512_loadu_si512(tokens + 48), low);
	__m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	__m512i bytes = _mm512_packus_epi16(_mm512_packus_epi32(a, b), _mm512_packus_epi32(c, d));

	return _mm512_permutexvar_epi32(order, bytes);
}

LW_INLINE void classify_tokens(__m512i b, size_t i, struct token_words *w)
{
	/* By the low four bits: digits and the minus sign. */
	static const uint8_t numbers[16] = { '0', '1', '2',  '3',  '4',  '5', '6',  '7',
		                             '8', '9', 0xff, 0xff, 0xff, '-', 0xff, 0xff };

	w->quote[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('"'));
	w->object[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('{'));
	w->array[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('['));
	w->object_end[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8('}'));
	w->array_end[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8(']'));
	w->comma[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8(','));
	w->colon[i] = _mm512_cmpeq_epi8_mask(b, _mm512_set1_epi8(':'));
	w->space[i] = _mm512_cmpeq_epi8_mask(b, _mm512_shuffle_epi8(v8_table(lw_json_spaces), b));
	w->number[i] = _mm512_cmpeq_epi8_mask(b, _mm512_shuffle_epi8(v8_table(numbers), b));
}

LW_INLINE void read_tokens(const struct window *window, struct token_words *w)
{
	size_t n_groups = (window->n_valid + 63) / 64;
	uint64_t *const all[] = { w->quote, w->object, w->array, w->object_end, w->array_end,
		                  w->comma, w->colon,  w->space, w->number };

	if (n_groups < BLOCKS) {
#pragma GCC unroll 9
		for (size_t i = 0; i < sizeof all / sizeof *all; i++)
			_mm512_store_si512(all[i], _mm512_setzero_si512());
	}
	for (size_t i = 0; i < n_groups; i++)
		classify_tokens(load_bytes(window->tokens + 64 * i), i, w);
}

/*
 * Which tokens are what, and whether something is wrong by the tokens nearby. A comma is one of members if a name follows;
 * behind a value that is no container, it must be so just if there is a colon before that value.
 */
LW_INLINE int wrong_in_window(const struct window *window, struct token_words *w, uint64_t *in_string)
{
	size_t behind = before_next(window);
	__m512i valid = first_bits(window->n_valid);
	__m512i active = and_not(first_bits(window->back + window->n), first_bits(window->back));
	__m512i quote = _mm512_and_si512(load_words(w->quote), valid), parity = group_parities(quote, in_string);
	__m512i open = _mm512_and_si512(quote, parity), close = and_not(quote, parity);
	__m512i object = _mm512_and_si512(load_words(w->object), valid);
	__m512i array = _mm512_and_si512(load_words(w->array), valid);
	__m512i object_end = _mm512_and_si512(load_words(w->object_end), valid);
	__m512i array_end = _mm512_and_si512(load_words(w->array_end), valid);
	__m512i comma = _mm512_and_si512(load_words(w->comma), valid);
	__m512i colon = _mm512_and_si512(load_words(w->colon), valid);
	__m512i space = _mm512_and_si512(load_words(w->space), valid);
	__m512i opens = _mm512_or_si512(object, array), ends = _mm512_or_si512(object_end, array_end);
	__m512i others = _mm512_or_si512(_mm512_or_si512(quote, opens),
	                                 _mm512_or_si512(ends, _mm512_or_si512(comma, _mm512_or_si512(colon, space))));
	__m512i scalar = and_not(valid, others), name = _mm512_and_si512(open, down(colon, 2));

	__m512i leaf = _mm512_or_si512(open, scalar), begin = _mm512_or_si512(leaf, opens);
	__m512i leaf_end = _mm512_or_si512(close, _mm512_or_si512(scalar, space)),
	        end = _mm512_or_si512(leaf_end, ends);
	__m512i of_member = _mm512_and_si512(leaf, up(colon)), of_scalar = _mm512_and_si512(of_member, scalar);
	__m512i member_end = _mm512_or_si512(up(_mm512_and_si512(of_member, open)),
	                                     _mm512_or_si512(of_scalar, _mm512_and_si512(up(of_scalar), space)));
	__m512i wrong = _mm512_or_si512(_mm512_and_si512(up(end), begin), and_not(colon, up(close)));

	wrong = _mm512_or_si512(wrong, and_not(up(_mm512_or_si512(comma, colon)), begin));
	wrong = _mm512_or_si512(wrong, and_not(up(object), _mm512_or_si512(name, object_end)));
	wrong = _mm512_or_si512(wrong, and_not(up(array), _mm512_or_si512(begin, array_end)));
	wrong = _mm512_or_si512(wrong, and_not(name, up(_mm512_or_si512(object, comma))));
	wrong = _mm512_or_si512(wrong, and_not(up(_mm512_and_si512(comma, up(member_end))), name));
	wrong = _mm512_or_si512(wrong,
	                        _mm512_and_si512(up(_mm512_and_si512(comma, up(and_not(leaf_end, member_end)))), name));

	_mm512_store_si512(w->quote, parity);
	*in_string = (uint64_t)0 - (w->quote[behind / 64] >> behind % 64 & 1);

	_mm512_store_si512(w->begins, _mm512_and_si512(begin, active));
	_mm512_store_si512(w->names, name);
	_mm512_store_si512(w->words, _mm512_and_si512(and_not(scalar, load_words(w->number)), active));
	_mm512_store_si512(w->opens, opens);
	_mm512_store_si512(w->brackets, _mm512_and_si512(_mm512_or_si512(opens, ends), active));
	_mm512_store_si512(w->of_objects, _mm512_or_si512(object, object_end));
	_mm512_store_si512(w->commas_behind, down(comma, 1));
	_mm512_store_si512(w->members_behind, down(name, 2));
	return any_bit(_mm512_and_si512(wrong, active));
}

/* 16 tokens, those that are names flagged, which no token is that a value begins with. */
LW_INLINE __m512i with_names(const uint32_t *tokens, __mmask16 names)
{
	__m512i x = _mm512_loadu_si512(tokens);

	return _mm512_mask_or_epi32(x, names, x, _mm512_set1_epi32(LW_JSON_TOKEN_FLAG));
}

LW_INLINE void gather_pairs(const struct window *window, const struct token_words *w, struct pairs *pairs)
{
	size_t n_groups = (window->back + window->n + 63) / 64, count = 0;

	for (size_t i = 0; i < n_groups; i++)
#pragma GCC unroll 4
		for (size_t part = 0; part < 4; part++) {
			const uint32_t *tokens = window->tokens + 64 * i + 16 * part;
			__mmask16 begins = (__mmask16)(w->begins[i] >> 16 * part);
			__m512i x = with_names(tokens, (__mmask16)(w->names[i] >> 16 * part));
			__m512i y = _mm512_loadu_si512(tokens + 1);

			_mm512_storeu_si512(pairs->x + count, _mm512_maskz_compress_epi32(begins, x));
			_mm512_storeu_si512(pairs->y + count, _mm512_maskz_compress_epi32(begins, y));
			count += (size_t)__builtin_popcount((unsigned)begins);
		}
	pairs->count = count;
}

/* Nodes n ... n + count (at most 16) for tokens x with those behind them, y; nodes[n ... n + room) may be written. */
LW_INLINE void write_16(__m512i x, __m512i y, size_t count, uint32_t base, lanewise_json_node *nodes, size_t n,
                        size_t room)
{
	/* By the byte / 8: the type; the flags; which flag changes with the next token's; whether that belongs to the value. */
	enum {
		STRING = LANEWISE_JSON_STRING | LANEWISE_JSON_ESCAPES << 16 | 1 << 24,
		NUMBER = LANEWISE_JSON_NUMBER | LANEWISE_JSON_INTEGER << 8 | LANEWISE_JSON_INTEGER << 16
	};
	const __m512i kinds =
	        _mm512_setr_epi32(0, 0, 0, 0, STRING, NUMBER, NUMBER, NUMBER, 0, 0, 0, LANEWISE_JSON_ARRAY,
	                          LANEWISE_JSON_FALSE, LANEWISE_JSON_NULL, LANEWISE_JSON_TRUE, LANEWISE_JSON_OBJECT);
	const __m512i flag = _mm512_set1_epi32(LW_JSON_TOKEN_FLAG);
	const __m512i low_pairs = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
	const __m512i high_pairs = _mm512_add_epi32(low_pairs, _mm512_set1_epi32(8));
	const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11),
	              high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
	__m512i next = _mm512_add_epi32(_mm512_set1_epi32((int)(uint32_t)(n + 1)), vu_iota(0));
	__m512i kind = _mm512_permutexvar_epi32(_mm512_srli_epi32(x, 3), kinds), at = _mm512_srai_epi32(x, 8);
	__m512i size = _mm512_add_epi32(_mm512_sub_epi32(_mm512_srai_epi32(y, 8), at), _mm512_srli_epi32(kind, 24));
	__m512i flags = _mm512_and_si512(_mm512_srli_epi32(kind, 8), _mm512_set1_epi32(0xff00));
	__m512i type = _mm512_and_si512(kind, _mm512_set1_epi32(0xffff));

	type = _mm512_mask_xor_epi32(type, _mm512_test_epi32_mask(y, flag), type, flags);
	type = _mm512_mask_or_epi32(type, _mm512_test_epi32_mask(x, flag), type,
	                            _mm512_set1_epi32(LANEWISE_JSON_NAME << 8));
	at = _mm512_add_epi32(at, _mm512_set1_epi32((int)base));

	__m512i a = _mm512_permutex2var_epi32(at, low_pairs, size);
	__m512i b = _mm512_permutex2var_epi32(next, low_pairs, type);
	__m512i c = _mm512_permutex2var_epi32(at, high_pairs, size);
	__m512i d = _mm512_permutex2var_epi32(next, high_pairs, type);
	__m512i parts[4] = { _mm512_permutex2var_epi64(a, low, b), _mm512_permutex2var_epi64(a, high, b),
		             _mm512_permutex2var_epi64(c, low, d), _mm512_permutex2var_epi64(c, high, d) };
	uint64_t kept = ((uint64_t)1 << 2 * count) - 1;

#pragma GCC unroll 4
	for (int part = 0; part < 4; part++) {
		if (LW_LIKELY(room >= 16))
			_mm512_storeu_si512(nodes + n + 4 * part, parts[part]);
		else
			_mm512_mask_storeu_epi64(nodes + n + 4 * part, (__mmask8)(kept >> 8 * part), parts[part]);
	}
}

/* Nodes for pairs, the first of them number n; nodes[n ... n + room) may be written. */
LW_INLINE void write_nodes(const struct pairs *p, uint32_t base, lanewise_json_node *nodes, size_t n, size_t room)
{
	for (size_t i = 0; i < p->count; i += 16)
		write_16(_mm512_loadu_si512(p->x + i), _mm512_loadu_si512(p->y + i),
		         p->count - i < 16 ? p->count - i : 16, base, nodes, n + i, room - i);
}

/* link_brackets for all groups of the window. */
LW_INLINE int link_window(const struct window *window, const struct token_words *w, uint32_t base,
                          struct lw_json_tree *t)
{
	size_t end = window->back + window->n;
	size_t rank = t->n_nodes;
	int wrong = 0;

	for (size_t i = 0; 64 * i < end; i++) {
		struct brackets brackets = {
			w->brackets[i],      w->opens[i],          w->of_objects[i], w->begins[i],
			w->commas_behind[i], w->members_behind[i], (uint32_t)rank,   end - 64 * i
		};

		wrong |= link_brackets(window->tokens + 64 * i, base, &brackets, t);
		rank += (size_t)__builtin_popcountll(w->begins[i]);
	}
	return wrong;
}

/* Whether true, false and null are that, and nothing else. */
LW_INLINE int check_window_words(const uint8_t *text, size_t base, const struct window *window,
                                 const struct token_words *w)
{
	size_t last = window->n_valid - 1;

	if (w->words[last / 64] >> last % 64 & 1)
		return 0; /* it has no end */
	for (size_t i = 0; i <= last / 64; i++)
		if (w->words[i] && !check_words(text, base, window->tokens + 64 * i, w->words[i]))
			return 0;
	return 1;
}

/*
 * A tree whose tokens are at most 64, which is common where texts are small: no vectors of words, and nodes written without
 * being gathered first, since either means waiting for stores. Returns whether something is wrong.
 */
static int grow_small(const uint8_t *text, size_t base, const uint32_t *tokens, size_t n_tokens, struct lw_json_tree *t)
{
	uint64_t valid = ~(uint64_t)0 >> (64 - n_tokens), in_string = 0, begins;
	struct group g = read_group((blk) { { load_bytes(tokens) } }, valid, &in_string);
	size_t n = 0, count;

	begins = g.open | g.scalar | g.object | g.array;
	if (wrong_in_group(&g) || (size_t)__builtin_popcountll(begins) > t->capacity || !((g.object | g.array) & 1))
		return 1;
	if (g.word && ((g.word & ~(valid >> 1)) || !check_words(text, base, tokens, g.word)))
		return 1;
#pragma GCC unroll 4
	for (int part = 0; part < 4; part++) {
		__mmask16 of_part = (__mmask16)(begins >> 16 * part);
		__m512i x, y;

		if (!of_part)
			continue;
		x = with_names(tokens + 16 * part, (__mmask16)(g.name >> 16 * part));
		y = _mm512_loadu_si512(tokens + 16 * part + 1);
		count = (size_t)__builtin_popcount((unsigned)of_part);
		write_16(_mm512_maskz_compress_epi32(of_part, x), _mm512_maskz_compress_epi32(of_part, y), count,
		         (uint32_t)base, t->nodes, n, t->capacity - n);
		n += count;
	}

	struct brackets brackets = brackets_of(&g, valid, begins, 0);

	if (link_brackets(tokens, (uint32_t)base, &brackets, t))
		return 1;
	t->n_nodes = n;
	return 0;
}

/*
 * The tree is not copied: its parts were written one by one just now, perhaps, and reading them at once would have to wait for
 * that.
 */
size_t LW_FN(json_nodes)(const uint8_t *text, size_t base, const uint32_t *tokens, size_t n_tokens, int last,
                         struct lw_json_tree *t)
{
	_Alignas(64) struct token_words w;
	struct pairs pairs;
	uint32_t offset = (uint32_t)base;
	size_t at = 0;

	if (t->n_nodes == 0 && n_tokens && (uint8_t)*tokens != '{' && (uint8_t)*tokens != '[')
		t->bad = 1;
	if (last && !t->bad && t->n_nodes == 0 && n_tokens && n_tokens <= 64) {
		t->bad = (uint32_t)grow_small(text, base, tokens, n_tokens, t) || !t->done;
		return n_tokens;
	}
	while (!t->bad && (last ? at < n_tokens : n_tokens - at >= LW_JSON_TOKENS_LEFT)) {
		size_t left = n_tokens - at, back = t->n_nodes ? AROUND : 0;
		struct window window = { tokens + at - back, back, WINDOW, WINDOW - AROUND - back };

		if (left <= WINDOW - back) {
			window.n_valid = back + left;
			window.n = last ? left : left - AROUND;
		}
		read_tokens(&window, &w);
		t->bad = wrong_in_window(&window, &w, &t->in_string) || t->done ||
		         !check_window_words(text, base, &window, &w);
		if (t->bad)
			break;
		gather_pairs(&window, &w, &pairs);
		if (pairs.count > t->capacity - t->n_nodes) {
			t->bad = 1;
			break;
		}
		write_nodes(&pairs, offset, t->nodes, t->n_nodes, t->capacity - t->n_nodes);
		t->bad = (uint32_t)link_window(&window, &w, offset, t);
		t->n_nodes += pairs.count;
		at += window.n;
	}
	if (last && !t->done)
		t->bad = 1;
	return at;
}
