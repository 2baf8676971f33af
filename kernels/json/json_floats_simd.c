/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of arrays from their text to floats. Where vectors have 64 bytes and all numbers of a text have a point, a list tells
 * of each where it begins, its point, and its end, written from one mask of all three. With these the arithmetic is the same
 * for all numbers, eight at a time: 16 bytes each, the point taken out and what is before the number made zero by one
 * shuffle of bytes.
 *
 * All else goes by the ends alone: json_ends, json_decimals, and json_round_f32.
 */
#include "block.h"
#include "json_numbers.h"

#if V8_BYTES == 64
#include "json_words.h"
#endif

enum { PIECE = 1024 };

/* Numbers that end at ends[0 ... n), of which the first has this number. */
static void read_some(const uint8_t *text, const uint32_t *ends, size_t n, size_t number, float *out,
                      struct lw_json_unread *unread, size_t *n_unread)
{
	uint64_t w[PIECE];
	int8_t scale[PIECE];
	size_t i = 0;

	LW_FN(json_decimals)(text, ends, n, w, scale);
	for (;; i++) {
		i = LW_FN(json_round_f32)(w, scale, i, n, out);
		if (i == n)
			return;
		unread[(*n_unread)++] = (struct lw_json_unread) { (uint32_t)(number + i), ends[i] };
	}
}

/* The kernel, by ends alone. */
static LW_NOINLINE size_t read_by_ends(const uint8_t *text, uint32_t begin, uint32_t end, float *out,
                                       struct lw_json_unread *unread, size_t *n_unread)
{
	uint32_t ends[PIECE];
	size_t count = 0;
	int within = 0;

	for (uint32_t at = begin; at < end;) {
		uint32_t n = end - at < PIECE - 1 ? end - at : PIECE - 1;
		size_t n_ends = LW_FN(json_ends)(text + at, n, &within, at, ends);

		at += n;
		if (at == end && within)
			ends[n_ends++] = end;
		read_some(text, ends, n_ends, count, out + count, unread, n_unread);
		count += n_ends;
	}
	return count;
}

#if V8_BYTES == 64

/* A text has up to this many bytes, and half as many numbers. */
enum { LIST_WORDS = 32, LIST_BYTES = 64 * LIST_WORDS };

struct list {
	uint32_t at[LIST_BYTES + 64]; /* of each number: its first byte, its point, the byte behind it */
	uint64_t minus[LIST_WORDS];   /* bit i: number i has one */
	size_t n;                     /* of numbers */
};

struct list_words {
	uint64_t between[LIST_WORDS], point[LIST_WORDS], minus[LIST_WORDS], begins[LIST_WORDS], all[LIST_WORDS];
};

LW_INLINE void classify_word(v8 x, struct list_words *w, size_t i)
{
	w->between[i] = _kor_mask64(v8_bits_eq(x, v8_set1(',')), _mm512_movepi8_mask(v8_subs(v8_set1(0x80 + 0x20), x)));
	w->point[i] = v8_bits_eq(x, v8_set1('.'));
	w->minus[i] = v8_bits_eq(x, v8_set1('-'));
}

/* Bits of `of` at those of `at`, behind the n bits that `bits` has; bits from n on are 0. */
LW_INLINE void append_bits(uint64_t *bits, size_t n, uint64_t of, uint64_t at)
{
	uint64_t more = _pext_u64(of, at);
	size_t count = (size_t)__builtin_popcountll(at), shift = n % 64;

	bits[n / 64] |= more << shift;
	if (shift + count > 64)
		bits[n / 64 + 1] = more >> (64 - shift);
}

/* Lists numbers if they all have a point; text[end] is behind the last. */
static int list_numbers(const uint8_t *text, uint32_t begin, uint32_t end, struct list *list)
{
	size_t n = end - begin, n_words = n / 64 + 1, n_points = 0, n_begins = 0;
	_Alignas(64) struct list_words w;
	v8 before = _mm512_set1_epi64(-1);

	for (size_t i = 0; i < n / 64; i++)
		classify_word(v8_load(text + begin + 64 * i), &w, i);
	classify_word(blk_load_first(text + end - n % 64, n % 64).v[0], &w, n / 64);
	for (size_t i = n_words; i % WORDS; i++) {
		w.between[i] = UINT64_MAX;
		w.point[i] = w.minus[i] = 0;
	}
	for (size_t i = 0; i < n_words; i += WORDS) {
		v8 between = v8_load(w.between + i), behind = bits_behind(before, between);
		v8 begins = _mm512_andnot_si512(between, behind);

		before = between;
		v8_store(w.begins + i, begins);
		v8_store(w.all + i, v8_or(v8_xor(between, behind), v8_load(w.point + i)));
	}
	memset(list->minus, 0, sizeof list->minus);
	for (size_t i = 0; i < n_words; i++) {
		append_bits(list->minus, n_begins, w.minus[i], w.begins[i]);
		n_begins += (size_t)__builtin_popcountll(w.begins[i]);
		n_points += (size_t)__builtin_popcountll(w.point[i]);
	}
	list->n = n_begins;
	return n_points == n_begins && write_words(w.all, n_words, begin, list->at) == 3 * n_begins;
}

/* Four times the 16 bytes before text[at[0]], at[6], at[12], at[18]. */
LW_INLINE v8 load_every_other(const uint8_t *text, const uint32_t *at)
{
	v8 x = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(text + at[0] - 16)));

	x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(text + at[6] - 16)), 1);
	x = _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(text + at[12] - 16)), 2);
	return _mm512_inserti32x4(x, _mm_loadu_si128((const __m128i *)(text + at[18] - 16)), 3);
}

/*
 * Their digits by fours, as 32-bit numbers. `places` has two bytes for each number in every 128-bit part: where among the 16
 * its digits begin, and its point; `first` is the number of the former in every byte.
 */
LW_INLINE v8 digits_by_fours(v8 x, v8 places, v8 first, uint64_t *bad)
{
	const v8 number = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
	v8 begin = _mm512_shuffle_epi8(places, first), point = _mm512_shuffle_epi8(places, v8_or(first, v8_set1(1)));
	/* Up to the point, bytes come from the place before. */
	v8 from = _mm512_mask_sub_epi8(number, _mm512_cmple_epu8_mask(number, point), number, v8_set1(1));

	x = _mm512_sub_epi8(x, v8_set1('0'));
	x = _mm512_maskz_shuffle_epi8(_mm512_cmpgt_epu8_mask(number, begin), x, from);
	*bad |= _mm512_cmpgt_epu8_mask(x, v8_set1(9));
	return _mm512_madd_epi16(_mm512_maddubs_epi16(x, _mm512_set1_epi16(0x010a)), _mm512_set1_epi32(0x00010064));
}

/* Eight 32-bit numbers, every third from at[0] on, from at[1], from at[2]. */
LW_INLINE void load_thirds(const uint32_t *at, __m256i third[3])
{
	__m256i a = _mm256_loadu_si256((const __m256i *)at), b = _mm256_loadu_si256((const __m256i *)(at + 8)),
	        c = _mm256_loadu_si256((const __m256i *)(at + 16));

	third[0] = _mm256_blend_epi32(_mm256_blend_epi32(a, b, 0x92), c, 0x24);
	third[1] = _mm256_blend_epi32(_mm256_blend_epi32(a, b, 0x24), c, 0x49);
	third[2] = _mm256_blend_epi32(_mm256_blend_epi32(a, b, 0x49), c, 0x92);
	third[0] = _mm256_permutevar8x32_epi32(third[0], _mm256_setr_epi32(0, 3, 6, 1, 4, 7, 2, 5));
	third[1] = _mm256_permutevar8x32_epi32(third[1], _mm256_setr_epi32(1, 4, 7, 2, 5, 0, 3, 6));
	third[2] = _mm256_permutevar8x32_epi32(third[2], _mm256_setr_epi32(2, 5, 0, 3, 6, 1, 4, 7));
}

/* Whether the products are so near to a middle between two floats that they may round otherwise (lw_product_f32). */
LW_INLINE __mmask8 are_near_middles(__m512d product)
{
	v8 low = _mm512_and_si512(_mm512_castpd_si512(product), _mm512_set1_epi64(0x1fffffff));

	return _mm512_cmple_epu64_mask(_mm512_sub_epi64(low, _mm512_set1_epi64(0x10000000 - 8)), _mm512_set1_epi64(16));
}

/* Eight numbers from `number` on to floats; 0 if one of them has more than 16 bytes, an exponent, or is not settled. */
LW_INLINE int read_eight(const uint8_t *text, const struct list *list, size_t number, float *out)
{
	static const double powers[16] = { 1e0,  1e-1, 1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,
		                           1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15 };
	const v8 even = _mm512_set_epi64(0x0c0c0c0c0c0c0c0c, 0x0c0c0c0c0c0c0c0c, 0x0808080808080808, 0x0808080808080808,
	                                 0x0404040404040404, 0x0404040404040404, 0, 0);
	const __m256i sixteen = _mm256_set1_epi32(16);
	const uint32_t *at = list->at + 3 * number;
	__m256i third[3], begin, point;
	uint64_t bad = 0;
	uint16_t minus;

	memcpy(&minus, (const uint8_t *)list->minus + number / 8, sizeof minus);
	minus = (uint16_t)(minus >> number % 8);
	load_thirds(at, third);
	begin = _mm256_sub_epi32(sixteen, _mm256_sub_epi32(third[2], third[0]));
	point = _mm256_sub_epi32(sixteen, _mm256_sub_epi32(third[2], third[1]));

	int too_long = _mm256_movemask_ps(_mm256_castsi256_ps(begin));

	begin = _mm256_mask_add_epi32(begin, (__mmask8)minus, begin, _mm256_set1_epi32(1));

	v8 places = _mm512_broadcast_i32x4(_mm256_cvtepi32_epi16(_mm256_or_si256(begin, _mm256_slli_epi32(point, 8))));
	v8 a = digits_by_fours(load_every_other(text, at + 2), places, even, &bad);
	v8 b = digits_by_fours(load_every_other(text, at + 5), places, v8_or(even, v8_set1(2)), &bad);
	v8 halves = _mm512_madd_epi16(_mm512_packus_epi32(a, b), _mm512_set1_epi32(0x00012710));
	v8 w = _mm512_add_epi64(_mm512_mul_epu32(halves, _mm512_set1_epi64(100000000)), _mm512_srli_epi64(halves, 32));
	v8 scale = _mm512_cvtepu32_epi64(_mm256_sub_epi32(_mm256_set1_epi32(15), point));
	__m512d power = _mm512_permutex2var_pd(_mm512_loadu_pd(powers), scale, _mm512_loadu_pd(powers + 8));
	__m512d product = _mm512_mul_pd(_mm512_cvtepi64_pd(w), power);

	if (LW_UNLIKELY(bad | (unsigned)too_long | are_near_middles(product)))
		return 0;
	product = _mm512_mask_xor_pd(product, (__mmask8)minus, product, _mm512_set1_pd(-0.0));
	_mm256_storeu_ps(out, _mm512_cvtpd_ps(product));
	return 1;
}

static void read_list(const uint8_t *text, const struct list *list, float *out, struct lw_json_unread *unread,
                      size_t *n_unread)
{
	for (size_t done = 0, n = list->n; done < n;) {
		size_t first =
		        n - done < 8 && n >= 8 ? n - 8 : done; /* the last eight may be some for the second time */
		size_t stop = first + 8 < n ? first + 8 : n;
		uint32_t ends[8];

		if (n < 8 || list->at[3 * first + 2] < 33 || !read_eight(text, list, first, out + first)) {
			for (size_t i = done; i < stop; i++)
				ends[i - done] = list->at[3 * i + 2];
			read_some(text, ends, stop - done, done, out + done, unread, n_unread);
		}
		done = stop;
	}
}

#endif

size_t LW_FN(json_floats)(const uint8_t *text, uint32_t begin, uint32_t end, float *out, struct lw_json_unread *unread,
                          size_t *n_unread)
{
	*n_unread = 0;
#if V8_BYTES == 64
	struct list list;

	if (end - begin < LIST_BYTES && list_numbers(text, begin, end, &list)) {
		read_list(text, &list, out, unread, n_unread);
		return list.n;
	}
#endif
	return read_by_ends(text, begin, end, out, unread, n_unread);
}
