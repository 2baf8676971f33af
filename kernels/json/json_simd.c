/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of JSON text by 64-bit masks, one bit per byte: Langdale and Lemire, "Parsing gigabytes of JSON per second"
 * (2019). Blocks of 64 bytes become five masks (quotes, backslashes, {}[]:, and white space by table look-up, bytes
 * below 0x20); the rest is arithmetic on words, and what depends on earlier blocks is three bits.
 *
 *   escapes    backslashes after an even number of backslashes, and after each a byte that it takes with it
 *   in_string  1 from an opening quote up to before the closing one: bit i is the parity of the quotes 0 ... i, a prefix
 *              sum without carries, by six shifts
 *   scalars    neither white space nor {}[]:, nor quote; one begins where the byte before is none
 *
 * A block of less than 64 bytes at the end is filled up with spaces, and the three bits are those at its last byte.
 *
 * Where vectors have 64 bytes, whole groups of eight blocks take the arithmetic in vectors of eight words (json_words.h). Then
 * a text of up to PART bytes is gone through three times: for the masks, which go to memory, since from there eight words
 * are one load; for the words of the index; and for positions. That is less than one pass with all of it, where masks go to
 * general registers one by one.
 */
#include "block.h"
#include "json_escape.h"
#include "json_masks.h"
#include "json_numbers.h"

#if V8_BYTES == 64
#include "json_words.h"
#include "vec_bytes.h"
#endif

struct state {
	uint64_t in_string; /* all bits or none */
	uint64_t escaped, in_scalar;
};

/* The mask of what is indexed; `last` is the number of the last byte that counts, 63 or less at the end. */
LW_INLINE uint64_t index_block(blk b, struct state *s, unsigned last, uint64_t *control)
{
	struct masks m = classify(b);
	uint64_t begins = 0, escaped = s->escaped;

	if (m.backslash)
		begins = find_escapes(m.backslash, &escaped, &s->escaped);
	else
		s->escaped = 0;

	uint64_t quote = m.quote & ~escaped;
	uint64_t in_string = prefix_parity(quote) ^ s->in_string;
	uint64_t scalar = ~(m.op | m.space | quote);
	uint64_t first = scalar & ~(scalar << 1 | s->in_scalar);

	if (last != 63)
		s->escaped = begins >> last & 1;
	s->in_string = (uint64_t)0 - (in_string >> last & 1);
	s->in_scalar = scalar >> last & 1;
	*control = m.control & in_string;
	return ((m.op | first) & ~in_string) | quote | (begins & in_string);
}

#if V8_BYTES == 64

/* Positions of set bits to index[0 ...): may write up to 64 places. Returns the number of bits. */
LW_INLINE size_t write_positions(uint64_t bits, uint32_t base, uint32_t *index)
{
	size_t at = 0;

#pragma GCC unroll 4
	for (int part = 0; part < 4; part++) {
		uint32_t mask = (uint32_t)(bits >> 16 * part) & 0xffff;

		vu_store(index + at, vu_compress(vu_iota(base + 16 * (uint32_t)part), mask));
		at += (size_t)__builtin_popcount(mask);
	}
	return at;
}

#else

/* The same: eight and eight without asking whether there are so many, as there are seldom more. */
LW_INLINE size_t write_positions(uint64_t bits, uint32_t base, uint32_t *index)
{
	size_t count = (size_t)__builtin_popcountll(bits);

#pragma GCC unroll 8
	for (size_t i = 0; i < 8; i++)
		index[i] = base + take_bit(&bits);
	if (LW_UNLIKELY(count > 8)) {
#pragma GCC unroll 8
		for (size_t i = 8; i < 16; i++)
			index[i] = base + take_bit(&bits);
		for (size_t i = 16; i < count; i++)
			index[i] = base + take_bit(&bits);
	}
	return count;
}

#endif

/* Positions to `index` or, if that is NULL, masks to `words`. */
LW_INLINE size_t index_text(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                            uint64_t *words, struct lw_json_seen *seen)
{
	struct state s = { (uint64_t)0 - carry->in_string, carry->escaped, carry->in_scalar };
	uint64_t controls;
	size_t count = 0, at = 0, control = n;
	v8 all = v8_set1(0);

	for (; n - at >= 64; at += 64) {
		blk b = blk_load(text + at);
		uint64_t bits = index_block(b, &s, 63, &controls);

		all = v8_or(all, blk_join(b));
		if (LW_UNLIKELY(controls) && control == n)
			control = at + (size_t)__builtin_ctzll(controls);
		if (!index)
			words[at / 64] = bits;
		else if (bits)
			count += write_positions(bits, base + (uint32_t)at, index + count);
	}
	if (n > at) {
		blk b = blk_load_first(text + at, n - at);
		uint64_t bits = index_block(b, &s, (unsigned)(n - at - 1), &controls);

		all = v8_or(all, blk_join(b));
		if (controls && control == n)
			control = at + (size_t)__builtin_ctzll(controls);
		if (!index)
			words[at / 64] = bits;
		else if (n - count >= 64)
			count += write_positions(bits, base + (uint32_t)at, index + count);
		else
			for (; bits; bits &= bits - 1) /* one by one, so that nothing behind the index is written */
				index[count++] = base + (uint32_t)(at + (size_t)__builtin_ctzll(bits));
	}
	carry->in_string = s.in_string & 1;
	carry->escaped = s.escaped & 1;
	carry->in_scalar = s.in_scalar & 1;
	*seen = (struct lw_json_seen) { control, v8_any_high(all) };
	return count;
}

#if V8_BYTES == 64

enum { PART = 4096, PART_WORDS = PART / 64 };

/* The masks of a part; `op` has 0x0c and 0x1a too. */
struct mask_words {
	uint64_t quote[PART_WORDS], backslash[PART_WORDS], op[PART_WORDS], space[PART_WORDS], control[PART_WORDS];
};

/* Masks of n blocks; returns `all` with their bytes. Comparisons run on port 5 alone, what gets signs on port 0. */
LW_INLINE v8 classify_part(const uint8_t *text, size_t n, struct mask_words *w, v8 all)
{
	const v8 spaces = v8_table(lw_json_spaces), operators = v8_table(lw_json_operators);

#pragma GCC unroll 4
	for (size_t i = 0; i < n; i++) {
		v8 x = v8_load(text + 64 * i), lower = v8_or(x, v8_set1(0x20));

		all = v8_or(all, x);
		/* The next part, since the other two passes would let the CPU's own prefetching fall asleep. */
		_mm_prefetch((const char *)((uintptr_t)(text + 64 * i) + PART), _MM_HINT_T0);
		w->quote[i] = v8_bits_eq(x, v8_set1('"'));
		w->backslash[i] = v8_bits_eq(x, v8_set1('\\'));
		w->control[i] = _mm512_movepi8_mask(v8_subs(v8_set1(0x80 + 0x1f), x));
		w->space[i] = v8_bits_eq(v8_lookup(spaces, x), x);
		w->op[i] = v8_bits_eq(v8_lookup(operators, lower), lower);
	}
	return all;
}

LW_INLINE struct planes load_planes(const struct mask_words *w, size_t i)
{
	v8 control = v8_load(w->control + i);

	return (struct planes) { .quote = v8_load(w->quote + i),
		                 .backslash = v8_load(w->backslash + i),
		                 .op = _mm512_andnot_si512(control, v8_load(w->op + i)),
		                 .white = v8_load(w->space + i),
		                 .control = control };
}

/* Whole groups; positions to `index` or, if that is NULL, masks to `words`. */
static size_t index_groups(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                           uint64_t *words, struct lw_json_seen *seen)
{
	struct group_state s = group_begin(carry);
	_Alignas(64) struct mask_words masks;
	_Alignas(64) uint64_t part_words[PART_WORDS];
	size_t count = 0, control = n;
	v8 all = v8_set1(0);

	for (size_t at = 0; at < n; at += PART) {
		size_t n_words = (n - at < PART ? n - at : PART) / 64;
		uint64_t any = 0, *out = index ? part_words : words + at / 64;

		all = classify_part(text + at, n_words, &masks, all);
		for (size_t i = 0; i < n_words; i += WORDS) {
			v8 controls, bits = index_group(load_planes(&masks, i), &s, &controls);

			v8_store(out + i, bits);
			any |= (uint64_t)(_mm512_test_epi64_mask(bits, bits) != 0) << i;
			if (LW_UNLIKELY(_mm512_test_epi64_mask(controls, controls)) && control == n)
				control = at + 64 * i + first_bit(controls);
		}
		for (; index && any; any &= any - 1) { /* groups with bits */
			size_t i = (size_t)__builtin_ctzll(any);

			count += write_words(out + i, WORDS, base + (uint32_t)(at + 64 * i), index + count);
		}
	}
	group_end(&s, carry);
	*seen = (struct lw_json_seen) { control, v8_any_high(all) };
	return count;
}

#endif

/* Groups, and what remains by single words. */
LW_INLINE size_t index_all(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                           uint64_t *words, struct lw_json_seen *seen)
{
#if V8_BYTES == 64
	size_t grouped = n & ~(size_t)(GROUP - 1), count;
	struct lw_json_seen rest;

	if (grouped) {
		count = index_groups(text, grouped, carry, base, index, words, seen);
		if (n == grouped)
			return count;
		count += index_text(text + grouped, n - grouped, carry, base + (uint32_t)grouped,
		                    index ? index + count : NULL, words ? words + grouped / 64 : NULL, &rest);
		add_seen(seen, &rest, grouped);
		return count;
	}
#endif
	return index_text(text, n, carry, base, index, words, seen);
}

size_t LW_FN(json_index)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                         struct lw_json_seen *seen)
{
	return index_all(text, n, carry, base, index, NULL, seen);
}

void LW_FN(json_bits)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint64_t *words,
                      struct lw_json_seen *seen)
{
	index_all(text, n, carry, 0, NULL, words, seen);
}

size_t LW_FN(json_plain)(const uint8_t *text, size_t n)
{
	size_t at = 0;

	for (; at < n; at += 64) {
		blk b = n - at >= 64 ? blk_load(text + at) : blk_load_first(text + at, n - at);
		uint64_t bits = blk_eq(b, '"') | blk_eq(b, '\\') | blk_below(b, 0x20);

		if (bits)
			return at + (size_t)__builtin_ctzll(bits);
	}
	return n;
}

/* ---------------------------------------------------------------- strings */

/*
 * Escapes are few, and how many a block has is hard to predict. So two are supposed to be there without asking; for one that
 * is not, what is written lies behind the block's bytes, and the next block's go there. Only every fourth block is asked
 * whether it has any. Where vectors have 64 bytes, blocks with more have the backslashes taken out at a cost that does not
 * depend on how many they are.
 */
enum { SUPPOSED = 2, BLOCKS = 4 };

#if defined(__AVX2__) && !defined(LW_THIS_TIER_IS_neon)

/*
 * Four escapes of \u from p on, if these are there and are characters of three bytes, to out[0 ... 12); may read 28 bytes and
 * write 14.
 */
LW_INLINE int unescape_four(const uint8_t *p, uint8_t *out)
{
	__m256i x = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p)),
	                                    _mm_loadu_si128((const __m128i *)(p + 12)), 1);

	const __m256i mark = _mm256_setr_epi8('\\', 'u', 0, 0, 0, 0, '\\', 'u', 0, 0, 0, 0, 0, 0, 0, 0, '\\', 'u', 0, 0,
	                                      0, 0, '\\', 'u', 0, 0, 0, 0, 0, 0, 0, 0);
	const __m256i digits = _mm256_setr_epi8(2, 3, 4, 5, 8, 9, 10, 11, -1, -1, -1, -1, -1, -1, -1, -1, 2, 3, 4, 5, 8,
	                                        9, 10, 11, -1, -1, -1, -1, -1, -1, -1, -1);

	if ((_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, mark)) & 0x00c300c3) != 0x00c300c3)
		return 0;
	x = _mm256_shuffle_epi8(x, digits);

	/* A letter's low half is one for a: nine more, 8 and 1 by its bit 6. */
	__m256i nine = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(x, 3), _mm256_set1_epi8(8)),
	                               _mm256_and_si256(_mm256_srli_epi16(x, 6), _mm256_set1_epi8(1)));
	__m256i halves = _mm256_add_epi8(_mm256_and_si256(x, _mm256_set1_epi8(15)), nine);
	__m256i code = _mm256_madd_epi16(_mm256_maddubs_epi16(halves, _mm256_set1_epi16(0x0110)),
	                                 _mm256_set1_epi32(0x00010100));
	__m256i top = _mm256_and_si256(code, _mm256_set1_epi32(0xf800));
	__m256i other = _mm256_or_si256(_mm256_cmpeq_epi32(top, _mm256_setzero_si256()),
	                                _mm256_cmpeq_epi32(top, _mm256_set1_epi32(0xd800)));

	if (_mm256_movemask_epi8(other) & 0x00ff00ff)
		return 0;

	__m256i first = _mm256_srli_epi32(code, 12);
	__m256i second = _mm256_and_si256(_mm256_slli_epi32(code, 2), _mm256_set1_epi32(0x3f00));
	__m256i third = _mm256_and_si256(_mm256_slli_epi32(code, 16), _mm256_set1_epi32(0x3f0000));
	__m256i bytes =
	        _mm256_or_si256(_mm256_or_si256(first, second), _mm256_or_si256(third, _mm256_set1_epi32(0x8080e0)));

	bytes = _mm256_shuffle_epi8(bytes, _mm256_setr_epi8(0, 1, 2, 4, 5, 6, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0,
	                                                    1, 2, 4, 5, 6, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
	_mm_storel_epi64((__m128i *)out, _mm256_castsi256_si128(bytes));
	_mm_storel_epi64((__m128i *)(out + 6), _mm256_extracti128_si256(bytes, 1));
	return 1;
}

#else

LW_INLINE int unescape_four(const uint8_t *p, uint8_t *out)
{
	(void)p, (void)out;
	return 0;
}

#endif

/* Decodes escapes of \u at *p as long as one follows the other and 28 bytes are left. */
static uint8_t *unescape_units(const uint8_t **p, const uint8_t *end, uint8_t *out)
{
	const uint8_t *at = *p;

	while (end - at >= 28 && at[0] == '\\' && at[1] == 'u') {
		if (unescape_four(at, out)) {
			at += 24;
			out += 12;
		} else {
			out += lw_json_read_escape(&at, end, out);
		}
	}
	*p = at;
	return out;
}

/* Decodes one escape after the other, at least up to `stop`. */
static LW_NOINLINE uint8_t *unescape_until(const uint8_t **begin, const uint8_t *stop, const uint8_t *end, uint8_t *out)
{
	const uint8_t *p = *begin;

	while (p < stop) {
		uint64_t eight, hits;

		if (end - p >= 64) {
			blk b = blk_load(p);
			uint64_t bits = blk_eq(b, '\\');
			unsigned plain = take_bit(&bits);

			blk_store(out, b);
			p += plain;
			out += plain;
			if (plain == 64)
				continue;
		} else if (end - p >= 8) {
			memcpy(&eight, p, sizeof eight);
			memcpy(out, &eight, sizeof eight);
			hits = lw_json_find_byte(eight, '\\');
			p += hits ? __builtin_ctzll(hits) / 8 : 8;
			out += hits ? __builtin_ctzll(hits) / 8 : 8;
			if (!hits)
				continue;
		} else if (*p != '\\') {
			*out++ = *p++;
			continue;
		}
		out += lw_json_read_escape(&p, end, out);
		out = unescape_units(&p, end, out);
	}
	*begin = p;
	return out;
}

/* What the escape at p[bit] stands for to out[bit]. */
LW_INLINE void put_value(const uint8_t *p, uint8_t *out, unsigned bit) { out[bit] = lw_json_unescaped[p[bit + 1]]; }

#if V8_BYTES == 64

/* The bytes of x that are taken by an escape (not \u) become what they stand for. */
LW_INLINE v8 map_letters(v8 x, uint64_t taken)
{
	/* b f n r t are 0, 4, 12, 1, 3 of this once 'b' is subtracted and bit 4 has moved down to bit 0. */
	const v8 letters =
	        _mm512_broadcast_i32x4(_mm_setr_epi8('\b', '\r', 0, '\t', '\f', 0, 0, 0, 0, 0, 0, 0, '\n', 0, 0, 0));
	v8 behind_b = _mm512_sub_epi8(x, v8_set1('b'));
	v8 index =
	        _mm512_ternarylogic_epi64(behind_b, _mm512_srli_epi16(behind_b, 4), v8_set1(1), 0xf8); /* a | (b & c) */

	taken &= ~_mm512_movepi8_mask(behind_b); /* others stand for themselves, and are less than 'b' */
	return _mm512_mask_shuffle_epi8(x, taken, letters, index);
}

/* The bytes of x of which `keep` has bits, one behind the other; may write 64 bytes. */
static LW_NOINLINE void compact_block(v8 x, uint64_t keep, uint8_t *out)
{
	struct {
		uint8_t bytes[64], keep[8], before[8];
	} m;
	uint64_t counts = keep - (keep >> 1 & 0x5555555555555555);

	counts = (counts & 0x3333333333333333) + (counts >> 2 & 0x3333333333333333);
	counts = ((counts + (counts >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010100; /* of the bytes before */
	v8_store(m.bytes, x);
	memcpy(m.keep, &keep, sizeof keep);
	memcpy(m.before, &counts, sizeof counts);
	__asm__("" : "+m"(m)); /* otherwise gcc takes registers to pieces, which takes longer than memory */
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		__m128i eight = _mm_loadl_epi64((const __m128i *)(m.bytes + 8 * i));
		__m128i which = _mm_loadl_epi64((const __m128i *)&lw_compress_8[m.keep[i]]);

		_mm_storel_epi64((__m128i *)(out + m.before[i]), _mm_shuffle_epi8(eight, which));
	}
}

/* The escape at p[bit], if bit is not 64, and 64 bytes behind it. */
LW_INLINE void put_escape(const uint8_t *p, uint8_t *out, unsigned bit)
{
	put_value(p, out, bit);
	v8_store(out + bit + 1, v8_load(p + bit + 2));
}

/* BLOCKS blocks, or up to an escape of \u; returns whether there were any escapes. */
LW_INLINE int unescape_blocks(const uint8_t **begin, const uint8_t *end, uint8_t **out)
{
	const uint8_t *p = *begin;
	uint8_t *o = *out;
	uint64_t any = 0;

	for (int i = 0; i < BLOCKS; i++) {
		v8 x = v8_load(p);
		uint64_t backslash = v8_bits_eq(x, v8_set1('\\')), taken, cut = 0;
		uint64_t begins = find_escapes(backslash, &taken, &cut);

		any |= backslash;
		if (LW_UNLIKELY(v8_bits_eq(x, v8_set1('u')) & taken)) {
			o = unescape_until(&p, p + 64, end, o);
			break;
		}
		begins ^= cut << 63; /* it belongs to the next block, which begins with it */

		unsigned count = (unsigned)__builtin_popcountll(begins);

		if (LW_LIKELY(count <= SUPPOSED)) {
			v8_store(o, x);
			put_escape(p, o, take_bit(&begins));
			put_escape(p, o - (count > 0), take_bit(&begins));
		} else {
			compact_block(map_letters(x, taken), ~begins, o);
		}
		o += 64 - count;
		p += 64;
		if (LW_UNLIKELY(cut)) {
			o--;
			p--;
		}
	}
	*begin = p;
	*out = o;
	return any != 0;
}

#else

/* A block whose escapes begin at these bits, each of two bytes within it; returns behind what is written. */
LW_INLINE uint8_t *unescape_block(const uint8_t *p, vc x, uint64_t begins, uint8_t *out)
{
	unsigned count = (unsigned)__builtin_popcountll(begins);
	uint64_t second = begins & (begins - 1);

	x = vc_drop_behind(x, begins ^ (begins - 1));
	x = vc_drop_behind(x, (uint64_t)((int64_t)(second ^ (second - 1)) >> 1));
	vc_store(out, x);
	put_value(p, out, take_bit(&begins));
	put_value(p, out - (count > 0), take_bit(&begins));
	for (unsigned i = SUPPOSED; LW_UNLIKELY(i < count); i++) {
		unsigned bit = take_bit(&begins);

		put_value(p, out - i, bit);
		vc_store(out - i + bit + 1, vc_load(p + bit + 2));
	}
	return out + 64 - count;
}

/* BLOCKS blocks, or up to an escape that unescape_block cannot do; returns whether there were any escapes. */
LW_INLINE int unescape_blocks(const uint8_t **begin, const uint8_t *end, uint8_t **out)
{
	const uint8_t *p = *begin;
	uint8_t *o = *out;
	uint64_t any = 0;

	for (int i = 0; i < BLOCKS; i++) {
		vc x = vc_load(p);
		uint64_t begins = vc_bits_eq(x, '\\'), behind = begins << 1;

		any |= begins;
		/* Backslashes in a row or as the last byte, and \u. */
		if (LW_UNLIKELY(((vc_bits_eq(x, 'u') | begins) & behind) | begins >> 63)) {
			if ((vc_bits_eq(x, 'u') | begins) & behind) {
				o = unescape_until(&p, p + 64, end, o);
				break;
			}
			o = unescape_block(p, x, begins ^ (uint64_t)1 << 63, o) - 1;
			p += 63;
			continue;
		}
		o = unescape_block(p, x, begins, o);
		p += 64;
	}
	*begin = p;
	*out = o;
	return any != 0;
}

#endif

size_t LW_FN(json_unescape)(const uint8_t *text, size_t n, uint8_t *out)
{
	enum { ROOM = BLOCKS * 64 + 2 + 64 };
	const uint8_t *p = text, *end = text + n;
	uint8_t *o = out;
	int any = 0;

	while (end - p >= ROOM) {
		if (any) {
			any = unescape_blocks(&p, end, &o);
			continue;
		}

		vc x = vc_load(p);

		any = vc_bits_eq(x, '\\') != 0;
		if (!any) {
			vc_store(o, x);
			p += 64;
			o += 64;
		}
	}
	o = unescape_until(&p, end, end, o);
	return (size_t)(o - out);
}

static uint8_t *escape_rest(const uint8_t *p, const uint8_t *end, uint8_t *out)
{
	for (; p < end; p++) {
		const struct lw_json_escaped *escaped = &lw_json_escapes[*p];

		*out = *p;
		if (LW_UNLIKELY(escaped->n))
			memcpy(out, escaped->bytes, 6);
		out += escaped->n ? escaped->n : 1;
	}
	return out;
}

LW_INLINE uint64_t find_escapable(blk b) { return blk_eq(b, '"') | blk_eq(b, '\\') | blk_below(b, 0x20); }

/*
 * p[bit], if bit is not 64, is written as an escape, and what is behind it behind that; returns `out` as it is from there on.
 */
LW_INLINE uint8_t *escape_one(const uint8_t *p, uint8_t *out, unsigned bit)
{
	const struct lw_json_escaped *escaped = &lw_json_escapes[p[bit]];
	ptrdiff_t growth = (escaped->n - 1) & -(ptrdiff_t)(bit < 64);

	memcpy(out + bit, escaped, sizeof *escaped);
	blk_store(out + bit + 1 + growth, blk_load(p + bit + 1));
	return out + growth;
}

LW_INLINE int escape_blocks(const uint8_t *p, uint8_t **out)
{
	uint8_t *o = *out;
	uint64_t any = 0;

	for (int i = 0; i < BLOCKS; i++, p += 64, o += 64) {
		blk b = blk_load(p);
		uint64_t bits = find_escapable(b);
		unsigned count = (unsigned)__builtin_popcountll(bits);

		any |= bits;
		blk_store(o, b);
#pragma GCC unroll 2
		for (unsigned k = 0; k < SUPPOSED; k++)
			o = escape_one(p, o, take_bit(&bits));
		for (unsigned k = SUPPOSED; LW_UNLIKELY(k < count); k++)
			o = escape_one(p, o, take_bit(&bits));
	}
	*out = o;
	return any != 0;
}

size_t LW_FN(json_escape)(const uint8_t *text, size_t n, uint8_t *out)
{
	enum { ROOM = BLOCKS * 64 + 1 + 64 };
	const uint8_t *p = text, *end = text + n;
	uint8_t *o = out;
	int any = 0;

	while (end - p >= ROOM) {
		if (any) {
			any = escape_blocks(p, &o);
			p += 64 * BLOCKS;
			continue;
		}

		blk b = blk_load(p);

		any = find_escapable(b) != 0;
		if (!any) {
			blk_store(o, b);
			p += 64;
			o += 64;
		}
	}
	return (size_t)(escape_rest(p, end, o) - out);
}

/* ---------------------------------------------------------------- numbers */

static struct lw_json_number_bits unpack_state(int state)
{
	struct lw_json_number_bits s = { 0 };

	s.within = (uint8_t)lw_numbers_within(state);
	s.point = state == LW_NUMBERS_AT_POINT;
	s.e = state == LW_NUMBERS_AT_E;
	s.lead = state == LW_NUMBERS_AT_SIGN;
	s.e_sign = state == LW_NUMBERS_AT_E_SIGN;
	s.sign = s.lead | s.e_sign;
	s.zero = state == LW_NUMBERS_AT_ZERO;
	s.fraction = state == LW_NUMBERS_AT_FRACTION;
	s.exponent = state == LW_NUMBERS_AT_EXPONENT;
	s.digit = s.zero | s.fraction | s.exponent | (state == LW_NUMBERS_AT_WHOLE);
	s.value = s.within | (state == LW_NUMBERS_AFTER_VALUE);
	s.bad = state == LW_NUMBERS_BAD;
	return s;
}

static int pack_state(const struct lw_json_number_bits *s)
{
	if (s->bad)
		return LW_NUMBERS_BAD;
	if (!s->within)
		return s->value ? LW_NUMBERS_AFTER_VALUE : LW_NUMBERS_AFTER_COMMA;
	if (s->digit)
		return s->fraction   ? LW_NUMBERS_AT_FRACTION
		       : s->exponent ? LW_NUMBERS_AT_EXPONENT
		       : s->zero     ? LW_NUMBERS_AT_ZERO
		                     : LW_NUMBERS_AT_WHOLE;
	return s->point  ? LW_NUMBERS_AT_POINT
	       : s->e    ? LW_NUMBERS_AT_E
	       : s->lead ? LW_NUMBERS_AT_SIGN
	                 : LW_NUMBERS_AT_E_SIGN;
}

/* Numbers and commas must come in turn: their parity says which it is. */
LW_INLINE uint64_t out_of_turn(uint64_t begins, uint64_t comma, uint8_t *value)
{
	uint64_t parity = prefix_parity(begins | comma) ^ ((uint64_t)0 - *value);

	*value = (uint8_t)(parity >> 63);
	return (begins & ~parity) | (comma & parity);
}

/* Checks a block; 0 and nothing done if there is a foreign byte. *any: whether there is anything but white space. */
LW_INLINE int numbers_block(blk b, struct lw_json_number_bits *s, int *any)
{
	struct number_masks m = { .digit = blk_below(b, '9' + 1) & ~blk_below(b, '0'),
		                  .zero = blk_eq(b, '0'),
		                  .point = blk_eq(b, '.'),
		                  .minus = blk_eq(b, '-') };
	struct number_seen seen;
	uint64_t wrong, comma = blk_eq(b, ','), space = blk_in_table(b, v8_table(lw_json_spaces));
	uint64_t known = m.digit | m.point | m.minus | comma | space;

	*any = space != ~(uint64_t)0;
	if (LW_LIKELY(known == ~(uint64_t)0 && !(s->e | s->e_sign | s->exponent))) {
		wrong = wrong_in_plain(&m, s, &seen);
		s->bad = (wrong | out_of_turn(seen.begins, comma, &s->value)) != 0;
		return 1;
	}
	m.plus = blk_eq(b, '+');
	m.e = blk_eq(blk_or(b, 0x20), 'e');
	if ((known | m.plus | m.e) != ~(uint64_t)0)
		return 0;
	wrong = wrong_in_any(&m, s, &seen);
	s->bad = (wrong | out_of_turn(seen.begins, comma, &s->value)) != 0;
	return 1;
}

#if V8_BYTES == 64

enum { NUMBER_WORDS = 2 * WORDS };

struct number_words {
	uint64_t digit[NUMBER_WORDS], zero[NUMBER_WORDS], point[NUMBER_WORDS], minus[NUMBER_WORDS], comma[NUMBER_WORDS],
	        space[NUMBER_WORDS];
};

LW_INLINE void classify_numbers(const uint8_t *text, size_t n, struct number_words *w)
{
	const v8 spaces = v8_table(lw_json_spaces);

#pragma GCC unroll 2
	for (size_t i = 0; i < n; i++) {
		v8 x = v8_load(text + 64 * i);

		w->digit[i] = v8_bits_below(_mm512_sub_epi8(x, v8_set1('0')), v8_set1(10));
		w->zero[i] = v8_bits_eq(x, v8_set1('0'));
		w->point[i] = v8_bits_eq(x, v8_set1('.'));
		w->minus[i] = v8_bits_eq(x, v8_set1('-'));
		w->comma[i] = v8_bits_eq(x, v8_set1(','));
		w->space[i] = v8_bits_eq(v8_lookup(spaces, x), x);
	}
}

/* struct lw_json_number_bits for groups. */
struct number_state {
	v8 number; /* of the group before, the last bit */
	struct number_past past;
	uint64_t value; /* all bits or none */
};

/* wrong_in_plain and out_of_turn of a group; what is no byte of these is wrong too. */
LW_INLINE v8 wrong_in_group(const struct number_words *w, size_t i, v8 number, struct number_state *s)
{
	const struct number_group n = { v8_load(w->digit + i), v8_load(w->zero + i), v8_load(w->point + i),
		                        v8_load(w->minus + i) };
	v8 comma = v8_load(w->comma + i), number_before = bits_behind(s->number, number), behind;
	v8 begins = _mm512_andnot_si512(number_before, number);
	v8 wrong = wrong_in_plain_group(&n, number_before, &s->past, &behind);
	v8 parity = group_parities(v8_or(begins, comma), &s->value);

	s->number = number;
	return v8_or(wrong, _mm512_ternarylogic_epi64(parity, comma, begins, 0xca)); /* a ? b : c */
}

/*
 * Checks groups without exponents; returns their size. *n_blocks becomes the number of blocks behind them that must be gone
 * through one by one, since the last of them holds something else.
 */
static size_t numbers_groups(const uint8_t *text, size_t n, struct lw_json_number_bits *bits, size_t *n_blocks)
{
	struct number_state s = { .number = with_last_bit(bits->within),
		                  .past = { .digit = with_last_bit(bits->digit),
		                            .zero = with_last_bit(bits->zero),
		                            .point = with_last_bit(bits->point),
		                            .minus = with_last_bit(bits->sign),
		                            .fraction = bits->fraction },
		                  .value = (uint64_t)0 - bits->value };
	_Alignas(64) struct number_words w;
	v8 wrong = v8_set1(0);
	size_t at = 0;

	*n_blocks = WORDS;
	if (bits->e | bits->e_sign | bits->exponent)
		return 0;
	for (unsigned foreign = 0; n - at >= GROUP && !foreign;) {
		size_t n_words = n - at < 2 * GROUP ? WORDS : 2 * WORDS;

		classify_numbers(text + at, n_words, &w);
		for (size_t i = 0; i < n_words; i += WORDS) {
			v8 number = _mm512_ternarylogic_epi64(v8_load(w.digit + i), v8_load(w.point + i),
			                                      v8_load(w.minus + i), 0xfe);
			v8 other = _mm512_ternarylogic_epi64(number, v8_load(w.comma + i), v8_load(w.space + i), 0x01);

			foreign = _mm512_test_epi64_mask(other, other);
			if (LW_UNLIKELY(foreign)) {
				*n_blocks = (size_t)__builtin_ctz(foreign) + 1;
				break;
			}
			wrong = v8_or(wrong, wrong_in_group(&w, i, number, &s));
			at += GROUP;
		}
		if (LW_UNLIKELY(v8_any(wrong)))
			break;
	}
	bits->bad = v8_any(wrong);
	bits->within = last_bit(s.number);
	bits->digit = last_bit(s.past.digit);
	bits->point = last_bit(s.past.point);
	bits->sign = bits->lead = last_bit(s.past.minus);
	bits->zero = last_bit(s.past.zero);
	bits->value = s.value & 1;
	bits->fraction = s.past.fraction;
	return at;
}

#else

LW_INLINE size_t numbers_groups(const uint8_t *text, size_t n, struct lw_json_number_bits *bits, size_t *n_blocks)
{
	(void)text, (void)bits;
	*n_blocks = n / 64;
	return 0;
}

#endif

void LW_FN(json_numbers)(const uint8_t *text, size_t n, struct lw_json_numbers *numbers)
{
	struct lw_json_number_bits s = unpack_state(numbers->state);
	int any, blank = numbers->state == LW_NUMBERS_AT_START, foreign = 0;
	size_t at = 0, n_blocks = 1; /* there may be no more */

	while (n - at >= 64 && !s.bad && !foreign) {
		for (; n_blocks && n - at >= 64 && !s.bad && !foreign; n_blocks--) {
			foreign = !numbers_block(blk_load(text + at), &s, &any);
			if (!foreign) {
				blank &= !any;
				at += 64;
			}
		}
		n_blocks = 1;
		if (!blank && !s.bad && !foreign)
			at += numbers_groups(text + at, n - at, &s, &n_blocks);
	}
	numbers->state = (uint8_t)(blank && !s.bad ? LW_NUMBERS_AT_START : pack_state(&s));
	lw_numbers_scan(text, at, n, numbers);
}

size_t LW_FN(json_ends)(const uint8_t *text, size_t n, int *within, uint32_t base, uint32_t *ends)
{
	uint64_t before = (uint64_t)*within;
	size_t at = 0, count = 0;

	for (; n - at >= 64; at += 64) {
		blk b = blk_load(text + at);
		uint64_t between = blk_eq(b, ',') | blk_below(b, 0x21);

		count += write_positions(between & (~between << 1 | before), base + (uint32_t)at, ends + count);
		before = ~between >> 63;
	}
	for (; at < n; at++) {
		uint64_t inside = text[at] > ' ' && text[at] != ',';

		if (before & ~inside)
			ends[count++] = base + (uint32_t)at;
		before = inside;
	}
	*within = (int)before;
	return count;
}

#if defined(__AVX2__) && !defined(LW_THIS_TIER_IS_neon)

/* The value of sixteen digits, the first in the lowest byte. */
LW_INLINE uint64_t value_of_sixteen(__m128i digits)
{
	__m128i two = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));
	__m128i four = _mm_madd_epi16(two, _mm_set1_epi32(0x00010064));
	__m128i eight = _mm_madd_epi16(_mm_packus_epi32(four, four), _mm_set1_epi32(0x00012710));
	uint64_t both = (uint64_t)_mm_cvtsi128_si64(eight);

	return (both & 0xffffffff) * 100000000 + (both >> 32);
}

/*
 * The number that ends 16 bytes on from p, as far as it is there: its digits as bytes, those before a point moved up beside
 * those behind it, zeros before. Returns how many bytes it has there; *behind is the number of digits behind the point, 16
 * without one.
 */
LW_INLINE unsigned read_sixteen(const uint8_t *p, __m128i *digits, unsigned *behind)
{
	static const uint8_t keep[32] = { [16] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		                          0xff,        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const int8_t one_back[32] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
	__m128i places = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m128i d = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('0'));
	uint32_t is_digit = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d));
	uint32_t is_point = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(d, _mm_set1_epi8('.' - '0')));
	unsigned n = (unsigned)__builtin_clz((~(is_digit | is_point) & 0xffff) << 16 | 0x8000);

	*behind = (unsigned)__builtin_clz(is_point << 16 | 0x8000);
	*behind = *behind < n ? *behind : 16;
	d = _mm_and_si128(d, _mm_loadu_si128((const __m128i *)(keep + n)));
	*digits = _mm_shuffle_epi8(d, _mm_add_epi8(places, _mm_loadu_si128((const __m128i *)(one_back + *behind))));
	return n;
}

LW_INLINE int8_t read_decimal(const uint8_t *text, uint32_t end, uint64_t *w)
{
	const uint8_t *p = text + end;
	__m128i digits;
	unsigned behind, n, more, behind_more, scale;
	uint64_t high;

	*w = 0;
	if (LW_UNLIKELY(end < 33))
		return LW_UNREAD;
	n = read_sixteen(p - 16, &digits, &behind);
	*w = value_of_sixteen(digits);
	scale = behind == 16 ? 0 : behind;
	if (n == 16 && (more = read_sixteen(p - 32, &digits, &behind_more)) > 0) {
		high = value_of_sixteen(digits);
		if (LW_UNLIKELY(more == 16 || behind != 16 || high > 1843))
			return LW_UNREAD;
		*w += high * 10000000000000000;
		scale = behind_more == 16 ? 0 : 16 + behind_more;
		n += more;
	}
	p -= n;
	if (LW_UNLIKELY(lw_is_exponent(p)))
		return LW_UNREAD;
	return (int8_t)(p[-1] == '-' ? -1 - (int)scale : (int)scale);
}

#else

LW_INLINE int8_t read_decimal(const uint8_t *text, uint32_t end, uint64_t *w)
{
	const uint8_t *p = text + end, *first = p, *point = p;
	ptrdiff_t scale;

	*w = 0;
	if (end < 33)
		return LW_UNREAD;
	while (p - first < 32 && ((uint8_t)(first[-1] - '0') < 10 || first[-1] == '.'))
		if (*--first == '.')
			point = first;
	if (p - first > 31 || (p - first > 16 && p - point <= 16 && point < p) || lw_is_exponent(first))
		return LW_UNREAD;
	for (const uint8_t *at = first; at < p; at++) {
		if (p - at == 16 && *w > 1843)
			return LW_UNREAD;
		if (at != point)
			*w = 10 * *w + *at - '0';
	}
	scale = point < p ? p - point - 1 : 0;
	return (int8_t)(first[-1] == '-' ? -1 - scale : scale);
}

#endif

#if V8_BYTES == 64

/* Four times the 16 bytes before text[ends[i] - back]. */
LW_INLINE __m512i load_four(const uint8_t *text, const uint32_t *ends, size_t back)
{
	__m512i x = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(text + ends[0] - back - 16)));

	x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(text + ends[1] - back - 16)), 1);
	x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(text + ends[2] - back - 16)), 2);
	return _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(text + ends[3] - back - 16)), 3);
}

/* The values of 16 digits in each 128-bit part, in both its halves. */
LW_INLINE __m512i values_of_four(__m512i digits)
{
	__m512i two = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(0x010a));
	__m512i four = _mm512_madd_epi16(two, _mm512_set1_epi32(0x00010064));
	__m512i eight = _mm512_madd_epi16(_mm512_packus_epi32(four, four), _mm512_set1_epi32(0x00012710));

	return _mm512_add_epi64(_mm512_mul_epu32(eight, _mm512_set1_epi64(100000000)), _mm512_srli_epi64(eight, 32));
}

/* The fields of 16 bits as four integers. */
LW_INLINE __m128i widen_fields(uint64_t fields) { return _mm_cvtepu16_epi32(_mm_cvtsi64_si128((long long)fields)); }

/*
 * Four numbers at once, one in each 128-bit part, all up to 15 bytes or all longer; 0 if one of them has no point or an
 * exponent. Bits of the masks are in fields of 16, each for a number, and what is done to a field stays in it.
 */
LW_INLINE int read_four(const uint8_t *text, const uint32_t *ends, uint64_t *w, int8_t *scale)
{
	const uint64_t ones = 0x0001000100010001;
	__m512i x = load_four(text, ends, 0), d = _mm512_sub_epi8(x, _mm512_set1_epi8('0')), low = d;
	uint64_t is_digit = _mm512_cmplt_epu8_mask(d, _mm512_set1_epi8(10));
	int is_long = is_digit == ~(uint64_t)0;

	if (is_long) {
		low = values_of_four(d);
		x = load_four(text, ends, 16);
		d = _mm512_sub_epi8(x, _mm512_set1_epi8('0'));
		is_digit = _mm512_cmplt_epu8_mask(d, _mm512_set1_epi8(10));
	}

	uint64_t is_point = _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('.')), others = ~(is_digit | is_point);
	uint64_t minus = _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('-'));
	__mmask64 of_exponent = _kor_mask64(_mm512_cmpge_epu8_mask(x, _mm512_set1_epi8('E')),
	                                    _mm512_cmpeq_epi8_mask(x, _mm512_set1_epi8('+')));

	/* What is behind the last other byte is the number. */
	__m128i begin = _mm_sub_epi32(_mm_set1_epi32(32), _mm_lzcnt_epi32(widen_fields(others)));
	__m128i kept = _mm_and_si128(_mm_sllv_epi32(_mm_set1_epi32(0xffff), begin), _mm_set1_epi32(0xffff));
	uint64_t keep = (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi32(kept, kept));
	uint64_t point = is_point & keep, before = ~keep & (keep >> 1 | 0x8000 * ones);

	if (LW_UNLIKELY(of_exponent) || __builtin_popcountll(point) != 4 || __builtin_popcountll(before) != 4)
		return 0;
	d = _mm512_maskz_mov_epi8(keep, d);
	d = _mm512_mask_mov_epi8(d, point ^ (point - ones), _mm512_bslli_epi128(d, 1)); /* up to the point, one on */

	__m512i values = values_of_four(d);
	__m128i behind = _mm_sub_epi32(_mm_lzcnt_epi32(widen_fields(point)), _mm_set1_epi32(is_long ? 0 : 16));
	__m128i sign = widen_fields(minus & before);

	if (is_long) {
		if (LW_UNLIKELY(_mm512_cmpgt_epu64_mask(values, _mm512_set1_epi64(1843))))
			return 0;
		values = _mm512_add_epi64(low, _mm512_mullo_epi64(values, _mm512_set1_epi64(10000000000000000)));
	}
	behind = _mm_mask_xor_epi32(behind, _mm_test_epi32_mask(sign, sign), behind, _mm_set1_epi32(-1));
	values = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 0, 2, 4, 6), values);
	_mm256_storeu_si256((__m256i *)w, _mm512_castsi512_si256(values));
	_mm_storeu_si32(scale, _mm_cvtepi32_epi8(behind));
	return 1;
}

/* Eight numbers to floats; 0 if it is not settled for one of them. */
LW_INLINE int round_eight(const uint64_t *w, const int8_t *scale, float *out)
{
	static const double powers[16] = { 1e0,  1e-1, 1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,
		                           1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15 };
	__m512i x = _mm512_loadu_si512(w), s = _mm512_cvtepi8_epi64(_mm_loadl_epi64((const __m128i *)scale));
	__mmask8 negative = _mm512_movepi64_mask(s);
	__m512i index = _mm512_mask_xor_epi64(s, negative, s, _mm512_set1_epi64(-1));
	__m512d power = _mm512_permutex2var_pd(_mm512_loadu_pd(powers), index, _mm512_loadu_pd(powers + 8));
	__m512d product = _mm512_mul_pd(_mm512_cvtepi64_pd(x), power);
	__m512i bits = _mm512_castpd_si512(product);
	__m512i below = _mm512_sub_epi64(_mm512_and_si512(bits, _mm512_set1_epi64(0x1fffffff)),
	                                 _mm512_set1_epi64(0x10000000 - 8));

	if (LW_UNLIKELY(_mm512_cmple_epu64_mask(below, _mm512_set1_epi64(16)) |
	                _mm512_cmpgt_epu64_mask(index, _mm512_set1_epi64(15)) | _mm512_movepi64_mask(x)))
		return 0;
	product = _mm512_castsi512_pd(_mm512_mask_xor_epi64(bits, negative, bits, _mm512_set1_epi64(INT64_MIN)));
	_mm256_storeu_ps(out, _mm512_cvtpd_ps(product));
	return 1;
}

#else

LW_INLINE int read_four(const uint8_t *text, const uint32_t *ends, uint64_t *w, int8_t *scale)
{
	(void)text, (void)ends, (void)w, (void)scale;
	return 0;
}

LW_INLINE int round_eight(const uint64_t *w, const int8_t *scale, float *out)
{
	(void)w, (void)scale, (void)out;
	return 0;
}

#endif

void LW_FN(json_decimals)(const uint8_t *text, const uint32_t *ends, size_t n, uint64_t *w, int8_t *scale)
{
	for (size_t i = 0; i < n;) {
		if (n - i >= 4 && ends[i] >= 33 && read_four(text, ends + i, w + i, scale + i)) {
			i += 4;
			continue;
		}
		for (size_t stop = n - i < 4 ? n : i + 4; i < stop; i++)
			scale[i] = read_decimal(text, ends[i], &w[i]);
	}
}

size_t LW_FN(json_round_f32)(const uint64_t *w, const int8_t *scale, size_t begin, size_t n, float *out)
{
	size_t i = begin;

	while (i < n) {
		if (n - i >= 8 && round_eight(w + i, scale + i, out + i)) {
			i += 8;
			continue;
		}
		for (size_t stop = n - i < 8 ? n : i + 8; i < stop; i++)
			if (!lw_product_f32(w[i], scale[i], &out[i]))
				return i;
	}
	return i;
}
