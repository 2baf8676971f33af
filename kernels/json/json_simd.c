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
 */
#include "block.h"
#include "json_escape.h"

struct masks {
	uint64_t quote, backslash, op, space, control;
};

LW_INLINE struct masks classify(blk b)
{
	/* By the low four bits; [ ] and { } differ only in the bit 0x20, which 0x0c and 0x1a lack beside , and : */
	static const uint8_t spaces[16] = { ' ',  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		                            0xff, '\t', '\n', 0xff, 0xff, '\r', 0xff, 0xff };
	static const uint8_t operators[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		                               0xff, 0xff, ':',  '{',  ',',  '}',  0xff, 0xff };
	struct masks m;

	m.quote = blk_eq(b, '"');
	m.backslash = blk_eq(b, '\\');
	m.control = blk_below(b, 0x20);
	m.space = blk_in_table(b, v8_table(spaces));
	m.op = blk_in_table(blk_or(b, 0x20), v8_table(operators)) & ~m.control;
	return m;
}

LW_INLINE uint64_t prefix_parity(uint64_t bits)
{
#if defined(__PCLMUL__) /* the product of polynomials over two elements with the one of all ones is just that */
	__m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)bits), _mm_set1_epi8(-1), 0);

	return (uint64_t)_mm_cvtsi128_si64(product);
#endif
	for (int shift = 1; shift < 64; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

/*
 * Which backslashes begin an escape, and which bytes are taken by one. In each run of backslashes that begins at an
 * even place, the even ones begin escapes, and the other way round. A subtraction tells the two apart: taking the first
 * backslash of a run away from the even places (all but the run's own bits) borrows through the run.
 */
LW_INLINE uint64_t find_escapes(uint64_t backslash, uint64_t *escaped, uint64_t *carry)
{
	const uint64_t odd = 0xaaaaaaaaaaaaaaaa;
	uint64_t free_backslash = backslash & ~*carry; /* the first may be taken by the block before */
	uint64_t behind = free_backslash << 1;
	uint64_t begins_or_taken = (((behind | odd) - free_backslash) ^ odd);
	uint64_t begins = begins_or_taken & free_backslash;

	*escaped = begins << 1 | *carry;
	*carry = begins >> 63;
	return begins;
}

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

/* The lowest bit's number, 64 for no bits, and the bits without it. */
LW_INLINE uint32_t take_bit(uint64_t *bits)
{
#if defined(__BMI__)
	uint32_t bit = (uint32_t)_tzcnt_u64(*bits);
#else
	uint32_t bit = *bits ? (uint32_t)__builtin_ctzll(*bits) : 64;
#endif
	*bits &= *bits - 1;
	return bit;
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

LW_INLINE v8 blk_join(blk b)
{
	v8 all = b.v[0];

#pragma GCC unroll 4
	for (int i = 1; i < BLK_PARTS; i++)
		all = v8_or(all, b.v[i]);
	return all;
}

size_t LW_FN(json_index)(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base, uint32_t *index,
                         struct lw_json_seen *seen)
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
		if (bits)
			count += write_positions(bits, base + (uint32_t)at, index + count);
	}
	if (n > at) {
		blk b = blk_load_first(text + at, n - at);
		uint64_t bits = index_block(b, &s, (unsigned)(n - at - 1), &controls);

		all = v8_or(all, blk_join(b));
		if (controls && control == n)
			control = at + (size_t)__builtin_ctzll(controls);
		for (; bits; bits &= bits - 1) /* one by one, so that nothing behind the index is written */
			index[count++] = base + (uint32_t)(at + (size_t)__builtin_ctzll(bits));
	}
	carry->in_string = s.in_string & 1;
	carry->escaped = s.escaped & 1;
	carry->in_scalar = s.in_scalar & 1;
	*seen = (struct lw_json_seen) { control, v8_any_high(all) };
	return count;
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
 * whether it has any.
 */
enum { SUPPOSED = 2, BLOCKS = 4 };

#if defined(__AVX2__) && !defined(LW_THIS_TIER_IS_neon)

/* Four escapes of \u from p on, if these are there and are characters of three bytes, to out[0 ... 12); may read 28 bytes and write 14. */
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

/* p[bit], if bit is not 64, is written as an escape, and what is behind it behind that; returns `out` as it is from there on. */
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
