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
#include <lanewise/json.h>

#include "block.h"
#include "json_masks.h"
#include "json_run.h"

/* ----------------------------------------------------------------- tokens */

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

/* Escapes in strings: `escaped` are the bytes behind their backslashes. */
static LW_NOINLINE uint64_t wrong_in_escapes(blk b, uint64_t escaped, uint64_t quote, uint64_t backslash,
                                             const uint8_t *text, size_t at, struct lw_json_scan *s)
{
	static const uint8_t letters[16] = { 0xff, 0xff, 'b',  0xff, 't',  'u',  'f', 0xff,
		                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'n', '/' };
	uint64_t known = blk_in_table(b, v8_table(letters)) | blk_eq(b, 'r') | quote | backslash;
	uint64_t wrong = escaped & ~known, u = escaped & blk_eq(b, 'u');

	if (!(u | s->hex | s->unit))
		return wrong;

	blk lower = blk_or(b, 0x20);
	uint64_t digit = blk_below(b, '9' + 1) & ~blk_below(b, '0');
	uint64_t hex = digit | (blk_below(lower, 'f' + 1) & ~blk_below(lower, 'a'));
	uint64_t d = (u << 1 | (s->unit & 1)) & blk_eq(lower, 'd');
	uint64_t seconds = (d << 1 | s->unit >> 1) & hex & ~blk_below(b, '8');

	wrong |= (u << 1 | u << 2 | u << 3 | u << 4 | s->hex) & ~hex;
	s->hex = (uint8_t)(u >> 63 | u >> 62 | u >> 61 | u >> 60);
	s->unit = (uint8_t)(u >> 63 | (d >> 63) << 1);
	if (LW_UNLIKELY(seconds) && !s->allow_lone_surrogates)
		wrong |= !check_surrogates(text, at, seconds, s);
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

#if V8_BYTES == 64

/* Those of 16 bytes; `places` are their positions. */
LW_INLINE size_t write_part_of_tokens(uint32_t bits, uint32_t flags, const uint8_t *bytes, __m512i places,
                                      int any_flags, uint32_t *tokens)
{
	__m512i x = _mm512_or_si512(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)bytes)), places);

	if (any_flags)
		x = _mm512_mask_or_epi32(x, (__mmask16)flags, x, _mm512_set1_epi32(LW_JSON_TOKEN_FLAG));
	_mm512_storeu_si512(tokens, _mm512_maskz_compress_epi32((__mmask16)bits, x));
	return (size_t)__builtin_popcount(bits & 0xffff);
}

LW_INLINE size_t write_tokens(uint64_t bits, uint64_t flags, const uint8_t *bytes, uint32_t at, uint32_t *tokens)
{
	const __m512i first = _mm512_slli_epi32(vu_iota(0), 8), step = _mm512_set1_epi32(16 << 8);
	__m512i places = _mm512_add_epi32(first, _mm512_set1_epi32((int)(at << 8)));
	size_t count = 0;

#pragma GCC unroll 4
	for (int part = 0; part < 4; part++) {
		count += write_part_of_tokens((uint32_t)(bits >> 16 * part), (uint32_t)(flags >> 16 * part),
		                              bytes + 16 * part, places, flags != 0, tokens + count);
		places = _mm512_add_epi32(places, step);
	}
	return count;
}

/*
 * With vectors of 64 bytes, eight blocks at a time: their masks are words of further vectors, so that what would be done to
 * a mask is done to eight. Each pass is short, and whether there are numbers in a block is not asked.
 */
enum { BLOCKS = 8 };

struct words {
	uint64_t quote[BLOCKS], backslash[BLOCKS], op[BLOCKS], space[BLOCKS], control[BLOCKS];
	uint64_t digit[BLOCKS], zero[BLOCKS], point[BLOCKS], minus[BLOCKS];
	uint64_t begins[BLOCKS], escaped[BLOCKS], scalar[BLOCKS], tokens[BLOCKS], flags[BLOCKS];
};

LW_INLINE __m512i load_words(const uint64_t *words) { return _mm512_load_si512(words); }
LW_INLINE __m512i and_not(__m512i a, __m512i b) { return _mm512_andnot_si512(b, a); }
LW_INLINE int any_bit(__m512i x) { return _mm512_test_epi64_mask(x, x) != 0; }
LW_INLINE uint8_t last_bit(__m512i x) { return _mm512_movepi64_mask(x) >> 7; }

/* Each bit one place on; the first becomes `carry`. */
LW_INLINE __m512i before(__m512i x, uint64_t carry)
{
	__m512i lower = _mm512_alignr_epi64(x, _mm512_set1_epi64((int64_t)(carry << 63)), 7);

	return _mm512_or_si512(_mm512_slli_epi64(x, 1), _mm512_srli_epi64(lower, 63));
}

LW_INLINE void fill_with_spaces(struct words *w)
{
	uint64_t *const none[] = { w->quote, w->backslash, w->op, w->control, w->digit, w->zero, w->point, w->minus };

#pragma GCC unroll 8
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		_mm512_store_si512(none[i], _mm512_setzero_si512());
	_mm512_store_si512(w->space, _mm512_set1_epi64(-1));
}

LW_INLINE void classify_words(const uint8_t *bytes, size_t i, struct words *w)
{
	__m512i b = _mm512_loadu_si512(bytes + 64 * i), lower = _mm512_or_si512(b, _mm512_set1_epi8(0x20));
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
	__m512i backslash = load_words(w->backslash), behind = before(backslash, s->escaped);

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

/* The same as behind_runs, through all words. */
LW_INLINE __m512i behind_runs_in_words(__m512i begins, __m512i runs, uint8_t *carry)
{
	__m512i sum = _mm512_add_epi64(begins, runs);
	unsigned over = (unsigned)_mm512_cmplt_epu64_mask(sum, runs) << 1 | *carry;
	unsigned full = _mm512_cmpeq_epi64_mask(sum, _mm512_set1_epi64(-1)), carries = over + full;

	*carry = (uint8_t)(carries >> 8);
	sum = _mm512_mask_add_epi64(sum, (__mmask8)(carries ^ full), sum, _mm512_set1_epi64(1));
	return and_not(sum, runs);
}

/* Goes through the blocks that have escapes, or the digits of one from the block before. */
static LW_NOINLINE uint64_t wrong_escapes_in_words(const uint8_t *bytes, const uint8_t *text, size_t at,
                                                   const struct words *w, struct lw_json_scan *s)
{
	unsigned blocks = _mm512_test_epi64_mask(load_words(w->escaped), load_words(w->escaped));
	uint64_t wrong = 0;

	if (s->hex | s->unit)
		blocks |= 1;
	while (blocks) {
		size_t i = (size_t)__builtin_ctz(blocks);
		blk b = blk_load(bytes + 64 * i);

		wrong |= wrong_in_escapes(b, w->escaped[i], blk_eq(b, '"'), w->backslash[i], text, at + 64 * i, s);
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
LW_INLINE int plain_words(const struct words *w, __m512i scalar, __m512i scalar_before, struct lw_json_scan *s,
                          __m512i *behind, __m512i *wrong)
{
	struct lw_json_number_bits *bits = &s->number;
	__m512i digit = _mm512_and_si512(load_words(w->digit), scalar);
	__m512i point = _mm512_and_si512(load_words(w->point), scalar);
	__m512i minus = _mm512_and_si512(load_words(w->minus), scalar);
	__m512i zero = _mm512_and_si512(load_words(w->zero), scalar);
	__m512i rest = and_not(scalar, _mm512_or_si512(_mm512_or_si512(digit, point), minus));
	int others = bits->e | bits->e_sign | bits->exponent;

	if (any_bit(rest) || s->letter) {
		__m512i change = _mm512_xor_si512(rest, before(rest, s->letter));

		others |= any_bit(_mm512_and_si512(_mm512_and_si512(scalar, scalar_before), change));
	}
	if (LW_UNLIKELY(others))
		return 0;

	__m512i digit_before = before(digit, bits->digit), point_before = before(point, bits->point);
	__m512i minus_before = before(minus, bits->sign);
	__m512i whole_zero = and_not(zero, _mm512_or_si512(digit_before, point_before));

	*behind = behind_runs_in_words(_mm512_and_si512(digit, point_before), digit, &bits->fraction);

	__m512i bad = and_not(point, digit_before);

	bad = _mm512_or_si512(bad, _mm512_and_si512(minus, scalar_before));
	bad = _mm512_or_si512(bad, and_not(_mm512_or_si512(point_before, minus_before), digit));
	bad = _mm512_or_si512(bad, _mm512_and_si512(before(whole_zero, bits->zero), digit));
	bad = _mm512_or_si512(bad, _mm512_and_si512(*behind, point));
	*wrong = _mm512_or_si512(*wrong, bad);
	bits->digit = last_bit(digit);
	bits->point = last_bit(point);
	bits->sign = bits->lead = last_bit(minus);
	bits->zero = last_bit(whole_zero);
	s->letter = last_bit(rest);
	bits->within = last_bit(scalar) & !s->letter;
	return 1;
}

/* The parity of all bits before, and of *in_string. */
LW_INLINE __m512i parity_of_words(__m512i x, uint64_t *in_string)
{
	unsigned tops, parities;

	x = _mm512_xor_si512(x, _mm512_slli_epi64(x, 1));
	x = _mm512_xor_si512(x, _mm512_slli_epi64(x, 2));
	x = _mm512_xor_si512(x, _mm512_slli_epi64(x, 4));
	x = _mm512_xor_si512(x, _mm512_slli_epi64(x, 8));
	x = _mm512_xor_si512(x, _mm512_slli_epi64(x, 16));
	x = _mm512_xor_si512(x, _mm512_slli_epi64(x, 32));
	tops = (unsigned)_mm512_movepi64_mask(x) << 1 | (unsigned)(*in_string & 1);
	parities = tops ^ tops << 1;
	parities ^= parities << 2;
	parities ^= parities << 4;
	parities ^= parities << 8;
	*in_string = (uint64_t)0 - (parities >> 8 & 1);
	return _mm512_mask_xor_epi64(x, (__mmask8)parities, x, _mm512_set1_epi64(-1));
}

/* Fills tokens and flags. `bytes` are the blocks' bytes, at `at` of the text. */
LW_INLINE void scan_words(const uint8_t *bytes, const uint8_t *text, size_t at, struct words *w, struct lw_json_scan *s,
                          __m512i *wrong)
{
	__m512i quote = load_words(w->quote), flags = _mm512_setzero_si512(), begins = flags, escaped = flags,
	        in_string;
	__m512i behind = flags;
	int escapes = any_bit(load_words(w->backslash)) || s->escaped || s->escapes || s->hex || s->unit;

	if (escapes) {
		begins = begins_of_escapes(w, s, &escaped);
		quote = and_not(quote, escaped);
	}
	in_string = parity_of_words(quote, &s->in_string);
	*wrong = _mm512_or_si512(*wrong, _mm512_and_si512(load_words(w->control), in_string));
	if (escapes) {
		uint64_t bad = wrong_escapes_in_words(bytes, text, at, w, s);

		*wrong = _mm512_or_si512(*wrong, _mm512_set1_epi64((int64_t)bad));
		begins = _mm512_and_si512(begins, in_string);
		flags = _mm512_and_si512(behind_runs_in_words(begins, in_string, &s->escapes), quote);
	}

	__m512i outside = and_not(_mm512_set1_epi64(-1), _mm512_or_si512(in_string, quote));
	__m512i op = and_not(_mm512_and_si512(load_words(w->op), outside), load_words(w->control));
	__m512i space = _mm512_and_si512(load_words(w->space), outside);
	__m512i scalar = and_not(outside, _mm512_or_si512(op, space)), scalar_before = before(scalar, s->in_scalar);
	__m512i tokens = _mm512_or_si512(_mm512_or_si512(op, quote), _mm512_and_si512(space, scalar_before));

	_mm512_store_si512(w->tokens, _mm512_or_si512(tokens, and_not(scalar, scalar_before)));
	if (LW_LIKELY(plain_words(w, scalar, scalar_before, s, &behind, wrong))) {
		s->in_scalar = last_bit(scalar);
		_mm512_store_si512(w->flags, _mm512_or_si512(flags, behind));
	} else {
		_mm512_store_si512(w->scalar, scalar);
		_mm512_store_si512(w->flags, flags);
		*wrong = _mm512_or_si512(*wrong, _mm512_set1_epi64((int64_t)wrong_scalars_in_words(bytes, w, s)));
	}
}

/* Bytes above 0x7f are none of a number, but their low bits may look so. */
static LW_NOINLINE int any_wide_scalar(const uint8_t *bytes, size_t n_blocks, const struct words *w)
{
	uint64_t wide = 0;

	for (size_t i = 0; i < n_blocks; i++)
		wide |= w->tokens[i] & _mm512_movepi8_mask(_mm512_loadu_si512(bytes + 64 * i));
	return wide != 0;
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

/* Blocks, the last filled up with spaces. */
LW_INLINE void copy_blocks(uint8_t *to, const uint8_t *from, size_t n)
{
	for (; n >= 64; n -= 64, to += 64, from += 64)
		blk_store(to, blk_load(from));
	if (n)
		blk_store(to, blk_load_first(from, n));
}

size_t LW_FN(json_tokens)(const uint8_t *text, size_t begin, size_t end, struct lw_json_scan *scan, uint32_t *tokens)
{
	_Alignas(64) struct words w;
	_Alignas(64) uint8_t rest[64 * BLOCKS];
	__m512i wrong = _mm512_setzero_si512(), all = wrong;
	size_t count = 0;
	int bad = 0;

	for (size_t at = begin, next; at < end; at = next) {
		const uint8_t *bytes = text + at;
		size_t n_blocks = BLOCKS, n_before = count;
		__m512i any = _mm512_setzero_si512();

		next = at + sizeof rest;
		if (end - at < sizeof rest) {
			next = end;
			n_blocks = (end - at + 63) / 64;
			copy_blocks(rest, bytes, end - at);
			bytes = rest;
			fill_with_spaces(&w);
		}
		for (size_t i = 0; i < n_blocks; i++) {
			any = _mm512_or_si512(any, _mm512_loadu_si512(bytes + 64 * i));
			classify_words(bytes, i, &w);
		}
		scan_words(bytes, text, at, &w, scan, &wrong);
		if (v8_any_high(any))
			bad |= any_wide_scalar(bytes, n_blocks, &w);
		all = _mm512_or_si512(all, any);
		for (size_t i = 0; i < n_blocks; i++) {
			uint32_t place = (uint32_t)(at - begin + 64 * i);

			if (w.flags[i] & w.tokens[i])
				count += write_tokens(w.tokens[i], w.flags[i], bytes + 64 * i, place, tokens + count);
			else if (w.tokens[i])
				count += write_tokens(w.tokens[i], 0, bytes + 64 * i, place, tokens + count);
		}
		if (count == n_before && scan->in_string && !(scan->escaped | scan->hex | scan->unit))
			next += skip_plain(text + next, end - next, &all);
	}
	scan->wide |= (uint8_t)v8_any_high(all);
	scan->bad |= (uint8_t)(bad || any_bit(wrong));
	return count;
}

#else

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

#endif

/* ------------------------------------------------------------------ nodes */

enum { GROUP = 64, BEFORE = LW_JSON_TOKENS_BEFORE, DONE = GROUP - 2 * BEFORE };

#if V8_BYTES == 64

LW_INLINE blk load_bytes(const uint32_t *tokens)
{
	__m512i low = _mm512_set1_epi32(0x7f);
	__m512i a = _mm512_and_si512(_mm512_loadu_si512(tokens), low);
	__m512i b = _mm512_and_si512(_mm512_loadu_si512(tokens + 16), low);
	__m512i c = _mm512_and_si512(_mm512_loadu_si512(tokens + 32), low);
	__m512i d = _mm512_and_si512(_mm512_loadu_si512(tokens + 48), low);
	__m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	__m512i bytes = _mm512_packus_epi16(_mm512_packus_epi32(a, b), _mm512_packus_epi32(c, d));

	return (blk) { { _mm512_permutexvar_epi32(order, bytes) } };
}

#elif V8_BYTES == 32

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

/* A group of tokens, a bit for each. */
struct group {
	uint64_t open, close;         /* quotes */
	uint64_t scalar, space, word; /* word: of the scalars, those that are no number */
	uint64_t object, array, object_end, array_end, comma, colon;
	uint64_t name; /* of the opening quotes */
};

LW_INLINE struct group read_group(const uint32_t *tokens, uint64_t valid, uint64_t *in_string)
{
	blk b = load_bytes(tokens);
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
	*in_string = (uint64_t)0 - (parity >> (DONE - 1) & 1);
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

#if V8_BYTES == 64

/* The nodes of tokens[0 ... 16) with a bit in `mask`; those of nodes[n ... n + room) may be written. */
LW_INLINE void write_part(const uint32_t *tokens, uint32_t base, uint32_t mask, uint32_t open, uint32_t name,
                          lanewise_json_node *nodes, size_t n, size_t room)
{
	/* By the byte / 8: the type and flags as they stand in a node, and which flag changes with the next token's. */
	__m512i types =
	        _mm512_setr_epi32(0, 0, 0, 0, LANEWISE_JSON_STRING, LANEWISE_JSON_NUMBER | LANEWISE_JSON_INTEGER << 8,
	                          LANEWISE_JSON_NUMBER | LANEWISE_JSON_INTEGER << 8,
	                          LANEWISE_JSON_NUMBER | LANEWISE_JSON_INTEGER << 8, 0, 0, 0, LANEWISE_JSON_ARRAY,
	                          LANEWISE_JSON_FALSE, LANEWISE_JSON_NULL, LANEWISE_JSON_TRUE, LANEWISE_JSON_OBJECT);
	__m512i changes =
	        _mm512_setr_epi32(0, 0, 0, 0, LANEWISE_JSON_ESCAPES << 8, LANEWISE_JSON_INTEGER << 8,
	                          LANEWISE_JSON_INTEGER << 8, LANEWISE_JSON_INTEGER << 8, 0, 0, 0, 0, 0, 0, 0, 0);
	__m512i x = _mm512_loadu_si512(tokens), y = _mm512_loadu_si512(tokens + 1), kind = _mm512_srli_epi32(x, 3);
	__m512i at = _mm512_srai_epi32(x, 8), size = _mm512_sub_epi32(_mm512_srai_epi32(y, 8), at);
	__m512i type = _mm512_permutexvar_epi32(kind, types);
	__mmask16 flagged = _mm512_test_epi32_mask(y, _mm512_set1_epi32(LW_JSON_TOKEN_FLAG));
	unsigned count = (unsigned)__builtin_popcount(mask);

	size = _mm512_mask_add_epi32(size, (__mmask16)open, size, _mm512_set1_epi32(1));
	type = _mm512_mask_xor_epi32(type, flagged, type, _mm512_permutexvar_epi32(kind, changes));
	type = _mm512_mask_or_epi32(type, (__mmask16)name, type, _mm512_set1_epi32(LANEWISE_JSON_NAME << 8));
	at = _mm512_add_epi32(at, _mm512_set1_epi32((int)base));
	at = _mm512_maskz_compress_epi32((__mmask16)mask, at);
	size = _mm512_maskz_compress_epi32((__mmask16)mask, size);
	type = _mm512_maskz_compress_epi32((__mmask16)mask, type);

	__m512i next = _mm512_add_epi32(_mm512_set1_epi32((int)(uint32_t)n),
	                                _mm512_setr_epi32(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16));
	__m512i pairs = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
	__m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
	__m512i first = _mm512_permutex2var_epi32(at, pairs, size);
	__m512i second = _mm512_permutex2var_epi32(next, pairs, type);
	uint64_t kept = room >= 16 ? ~(uint64_t)0 : ((uint64_t)1 << 2 * count) - 1;

	nodes += n;
	if (LW_LIKELY(room >= 16)) {
		_mm512_storeu_si512(nodes, _mm512_permutex2var_epi64(first, low, second));
		_mm512_storeu_si512(nodes + 4, _mm512_permutex2var_epi64(first, high, second));
		if (LW_LIKELY(count <= 8))
			return;
	} else {
		_mm512_mask_storeu_epi64(nodes, (__mmask8)kept, _mm512_permutex2var_epi64(first, low, second));
		_mm512_mask_storeu_epi64(nodes + 4, (__mmask8)(kept >> 8),
		                         _mm512_permutex2var_epi64(first, high, second));
		if (count <= 8)
			return;
	}
	pairs = _mm512_add_epi32(pairs, _mm512_set1_epi32(8));
	first = _mm512_permutex2var_epi32(at, pairs, size);
	second = _mm512_permutex2var_epi32(next, pairs, type);
	_mm512_mask_storeu_epi64(nodes + 8, (__mmask8)(kept >> 16), _mm512_permutex2var_epi64(first, low, second));
	_mm512_mask_storeu_epi64(nodes + 12, (__mmask8)(kept >> 24), _mm512_permutex2var_epi64(first, high, second));
}

LW_INLINE void write_nodes(const uint32_t *tokens, uint32_t base, uint64_t mask, const struct group *g,
                           struct lw_json_tree *t)
{
	size_t n = t->n_nodes;

#pragma GCC unroll 4
	for (int part = 0; part < 4; part++) {
		int shift = BEFORE + 16 * part;
		uint32_t of_part = mask >> shift & 0xffff;

		if (!of_part)
			continue;
		write_part(tokens + shift, base, of_part, (uint32_t)(g->open >> shift), (uint32_t)(g->name >> shift),
		           t->nodes, n, t->capacity - n);
		n += (size_t)__builtin_popcount(of_part);
	}
}

#else

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

#endif

/* Opens and closes containers, whose nodes are there already; returns whether something is wrong. */
LW_INLINE int link_brackets(const uint32_t *tokens, uint32_t base, uint64_t begins, uint64_t active,
                            const struct group *g, struct lw_json_tree *t)
{
	uint64_t open = g->object | g->array, close = g->object_end | g->array_end;
	uint64_t brackets = (open | close) & active, members = g->name >> 1; /* commas of members */
	uint32_t container = t->container, depth = t->depth, wrong = 0;
	lanewise_json_node *nodes = t->nodes;

	while (brackets) {
		uint32_t bit = take_bit(&brackets);
		uint64_t before = ((uint64_t)1 << bit) - 1;
		uint32_t rank = (uint32_t)(t->n_nodes + (size_t)__builtin_popcountll(begins & before));

		if (open >> bit & 1) {
			nodes[rank].next = container;
			container = rank;
			depth++;
			wrong |= depth > t->max_depth;
			continue;
		}
		if (LW_UNLIKELY(depth == 0))
			return 1;

		lanewise_json_node *closed = &nodes[container];

		wrong |= (closed->type == LANEWISE_JSON_OBJECT) ^ (g->object_end >> bit & 1);
		container = closed->next;
		closed->n_bytes = base + (uint32_t)position_of(tokens[bit]) + 1 - closed->offset;
		closed->next = rank;
		if (--depth == 0) {
			t->done = 1;
			wrong |= (active & ~before) >> bit >> 1 != 0;
			break;
		}
		wrong |= (g->comma >> bit >> 1 & 1) &
		         ((nodes[container].type == LANEWISE_JSON_OBJECT) ^ (members >> bit >> 1 & 1));
	}
	t->container = container;
	t->depth = depth;
	return (int)wrong;
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
		struct group g = read_group(group, valid, &t.in_string);
		uint64_t begins = (g.open | g.scalar | g.object | g.array) & active, words = g.word & active;
		size_t n_begins = (size_t)__builtin_popcountll(begins);

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
		if (LW_UNLIKELY(link_brackets(group, (uint32_t)base, begins, active, &g, &t))) {
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
