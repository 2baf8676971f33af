/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xxh3_64_batch with 512-bit vectors.
 *
 * What XXH3 repeats is a step over 16 bytes: both halves are xored with key material and multiplied to 128 bits, and
 * the halves of the product are xored ("fold"). There is no such multiplication of vectors; four of 32 bits and a
 * dozen additions and shifts give eight of them at once, and it is used in two ways:
 *   17 ... 128 bytes: XXH3 takes up to four steps from the front and as many from the back. One string's eight steps
 *       are the eight lanes; steps that a shorter string does not have are masked out at the load. So all lengths take
 *       the same time, and if most strings of a round are such, these are not dealt out. Eight strings' lanes are then added
 *       up as a transposition.
 *   4 ... 16 and 129 ... 240 bytes: eight strings of one class, step by step.
 * Masked loads neither read nor fault outside their strings.
 */
#include <immintrin.h>

#include "hash_batch.h"

/* Constants of the specification. */
#define PRIME64_1       0x9E3779B185EBCA87
#define PRIME_AVALANCHE 0x165667919E3779F9
#define PRIME_MX2       0x9FB21C651E98DF25

LW_INLINE uint64_t secret_at(size_t offset)
{
	uint64_t word;

	memcpy(&word, XXH3_kSecret + offset, sizeof word);
	return word;
}

LW_INLINE __m512i set1(uint64_t x) { return _mm512_set1_epi64((int64_t)x); }

/* The 128-bit products of eight pairs, each xored in its halves. */
LW_INLINE __m512i fold_products(__m512i a, __m512i b)
{
	const __m512i low_half = _mm512_set1_epi64(0xffffffff);
	__m512i a_high = _mm512_srli_epi64(a, 32), b_high = _mm512_srli_epi64(b, 32);
	__m512i low = _mm512_mul_epu32(a, b), high = _mm512_mul_epu32(a_high, b_high);
	__m512i cross_1 = _mm512_mul_epu32(a, b_high), cross_2 = _mm512_mul_epu32(a_high, b);
	__m512i middle = _mm512_add_epi64(_mm512_srli_epi64(low, 32), _mm512_and_si512(cross_1, low_half));

	middle = _mm512_add_epi64(middle, cross_2);
	high = _mm512_add_epi64(high, _mm512_srli_epi64(cross_1, 32));
	high = _mm512_add_epi64(high, _mm512_srli_epi64(middle, 32));
	low = _mm512_mask_blend_epi32(0x5555, _mm512_slli_epi64(middle, 32), low);
	return _mm512_xor_si512(low, high);
}

LW_INLINE __m512i avalanche(__m512i h)
{
	h = _mm512_xor_si512(h, _mm512_srli_epi64(h, 37));
	h = _mm512_mullo_epi64(h, set1(PRIME_AVALANCHE));
	return _mm512_xor_si512(h, _mm512_srli_epi64(h, 32));
}

/* ------------------------------------------------------ eight strings */

/* Eight strings of one class; a list's last group repeats strings. */
struct eight {
	uint16_t number[8];
	const unsigned char *begin[8], *end[8];
	__m512i length;
};

LW_INLINE void take_eight(struct eight *e, const struct round *r, int class, size_t at)
{
	uint64_t length[8];

#pragma GCC unroll 8
	for (size_t k = 0; k < 8; k++) {
		size_t i = e->number[k] = r->list[class][at + k];

		e->begin[k] = string_of(r, i);
		e->end[k] = r->data + r->end[i];
		length[k] = length_of(r, i);
	}
	e->length = _mm512_loadu_si512(length);
}

LW_INLINE void put_eight(const struct eight *e, const struct round *r, __m512i hash)
{
	uint64_t h[8];

	_mm512_storeu_si512(h, hash);
#pragma GCC unroll 8
	for (int k = 0; k < 8; k++)
		r->out[e->number[k]] = h[k];
}

/* Fills a list up to a multiple of eight with its last string; returns the padded length. */
LW_INLINE size_t pad_list(struct round *r, int class)
{
	size_t n = r->n[class], padded = (n + 7) / 8 * 8;

	for (size_t j = n; j < padded; j++)
		r->list[class][j] = r->list[class][n - 1];
	return padded;
}

/* 16 bytes of each of eight strings as first and second halves; lanes are strings 0 4 1 5 2 6 3 7. */
LW_INLINE void load_halves(const unsigned char *const p[8], ptrdiff_t offset, __m512i *first, __m512i *second)
{
	__m512i a = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(p[0] + offset)));
	__m512i b = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(p[4] + offset)));

	a = _mm512_inserti64x2(a, _mm_loadu_si128((const __m128i *)(p[1] + offset)), 1);
	b = _mm512_inserti64x2(b, _mm_loadu_si128((const __m128i *)(p[5] + offset)), 1);
	a = _mm512_inserti64x2(a, _mm_loadu_si128((const __m128i *)(p[2] + offset)), 2);
	b = _mm512_inserti64x2(b, _mm_loadu_si128((const __m128i *)(p[6] + offset)), 2);
	a = _mm512_inserti64x2(a, _mm_loadu_si128((const __m128i *)(p[3] + offset)), 3);
	b = _mm512_inserti64x2(b, _mm_loadu_si128((const __m128i *)(p[7] + offset)), 3);
	*first = _mm512_unpacklo_epi64(a, b);
	*second = _mm512_unpackhi_epi64(a, b);
}

LW_INLINE __m512i step(const unsigned char *const p[8], ptrdiff_t offset, size_t secret, uint64_t seed)
{
	__m512i first, second;

	load_halves(p, offset, &first, &second);
	return fold_products(_mm512_xor_si512(first, set1(secret_at(secret) + seed)),
	                     _mm512_xor_si512(second, set1(secret_at(secret + 8) - seed)));
}

LW_INLINE __m512i hash_4_to_8(const struct eight *e, uint64_t seed)
{
	uint64_t seed_mixed = seed ^ (uint64_t)__builtin_bswap32((uint32_t)seed) << 32;
	uint64_t flip = (secret_at(8) ^ secret_at(16)) - seed_mixed;
	uint32_t front[8], back[8];

#pragma GCC unroll 8
	for (int k = 0; k < 8; k++) {
		memcpy(&front[k], e->begin[k], 4);
		memcpy(&back[k], e->end[k] - 4, 4);
	}

	__m512i high = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)front));
	__m512i low = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)back));
	__m512i h = _mm512_xor_si512(_mm512_add_epi64(low, _mm512_slli_epi64(high, 32)), set1(flip));

	h = _mm512_ternarylogic_epi64(h, _mm512_rol_epi64(h, 49), _mm512_rol_epi64(h, 24), 0x96); /* xor of three */
	h = _mm512_mullo_epi64(h, set1(PRIME_MX2));
	h = _mm512_xor_si512(h, _mm512_add_epi64(_mm512_srli_epi64(h, 35), e->length));
	h = _mm512_mullo_epi64(h, set1(PRIME_MX2));
	return _mm512_xor_si512(h, _mm512_srli_epi64(h, 28));
}

LW_INLINE __m512i hash_9_to_16(const struct eight *e, uint64_t seed)
{
	const __m512i swap =
	        _mm512_broadcast_i32x4(_mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
	uint64_t flip_1 = (secret_at(24) ^ secret_at(32)) + seed, flip_2 = (secret_at(40) ^ secret_at(48)) - seed;
	uint64_t front[8], back[8];

#pragma GCC unroll 8
	for (int k = 0; k < 8; k++) {
		memcpy(&front[k], e->begin[k], 8);
		memcpy(&back[k], e->end[k] - 8, 8);
	}

	__m512i low = _mm512_xor_si512(_mm512_loadu_si512(front), set1(flip_1));
	__m512i high = _mm512_xor_si512(_mm512_loadu_si512(back), set1(flip_2));
	__m512i sum = _mm512_add_epi64(e->length, _mm512_shuffle_epi8(low, swap));

	return avalanche(_mm512_add_epi64(sum, _mm512_add_epi64(high, fold_products(low, high))));
}

LW_INLINE __m512i hash_129_to_240(const struct eight *e, uint64_t seed, int n_steps)
{
	/* To the order of lanes that load_halves has. */
	const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
	__m512i sum = _mm512_mullo_epi64(_mm512_permutexvar_epi64(order, e->length), set1(PRIME64_1));

	for (int i = 0; i < 8; i++)
		sum = _mm512_add_epi64(sum, step(e->begin, 16 * i, 16 * (size_t)i, seed));
	sum = avalanche(sum);
	/* From the ninth step on the key material begins anew, three bytes in; the last step is 17 from its minimum's end. */
	for (int i = 8; i < n_steps; i++)
		sum = _mm512_add_epi64(sum, step(e->begin, 16 * i, 16 * (size_t)(i - 8) + 3, seed));
	sum = _mm512_add_epi64(sum, step(e->end, -16, 136 - 17, seed));
	return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), avalanche(sum));
}

static void hash_4_list(struct round *r)
{
	size_t n = pad_list(r, CLASS_4);
	struct eight e;

	for (size_t j = 0; j < n; j += 8) {
		take_eight(&e, r, CLASS_4, j);
		put_eight(&e, r, hash_4_to_8(&e, r->seed));
	}
}

static void hash_9_list(struct round *r)
{
	size_t n = pad_list(r, CLASS_9);
	struct eight e;

	for (size_t j = 0; j < n; j += 8) {
		take_eight(&e, r, CLASS_9, j);
		put_eight(&e, r, hash_9_to_16(&e, r->seed));
	}
}

static void hash_129_list(struct round *r, int class)
{
	size_t n = pad_list(r, class);
	struct eight e;

	for (size_t j = 0; j < n; j += 8) {
		take_eight(&e, r, class, j);
		put_eight(&e, r, hash_129_to_240(&e, r->seed, 8 + class - CLASS_129));
	}
}

/* ---------------------------------------------- one string of 17 ... 128 */

/*
 * The steps of a string as lanes: 128-bit block j of the first vector is the j-th step from the front, block j of the
 * second the (3 - j)-th from the back, and unpacking them makes lane 2j a front step's half and lane 2j + 1 a back
 * step's.
 */
struct one_keys {
	__m512i first, second;
};

static struct one_keys make_one_keys(uint64_t seed)
{
	uint64_t first[8], second[8];

	for (size_t j = 0; j < 4; j++) {
		size_t front = 32 * j, back = 32 * (3 - j) + 16;

		first[2 * j] = secret_at(front) + seed;
		second[2 * j] = secret_at(front + 8) - seed;
		first[2 * j + 1] = secret_at(back) + seed;
		second[2 * j + 1] = secret_at(back + 8) - seed;
	}
	return (struct one_keys) { _mm512_loadu_si512(first), _mm512_loadu_si512(second) };
}

/* By (length - 1) / 32: which words to load from the front and from the back, and which lanes are steps. Last: none. */
enum { NOT_ONE = 4 };
static const struct {
	uint8_t front, back, steps;
} one_masks[5] = {
	{ 0x03, 0xc0, 0x81 }, { 0x0f, 0xf0, 0xa5 }, { 0x3f, 0xfc, 0xbd }, { 0xff, 0xff, 0xff }, { 0, 0, 0 }
};

LW_INLINE __m512i one_steps(const unsigned char *p, const unsigned char *back_p, size_t m, const struct one_keys *keys)
{
	__m512i front = _mm512_maskz_loadu_epi64(one_masks[m].front, p);
	__m512i back = _mm512_maskz_loadu_epi64(one_masks[m].back, back_p);
	__m512i first = _mm512_unpacklo_epi64(front, back), second = _mm512_unpackhi_epi64(front, back);

	/* A factor of zero makes a lane without a step add nothing. */
	first = _mm512_maskz_xor_epi64(one_masks[m].steps, first, keys->first);
	return fold_products(first, _mm512_xor_si512(second, keys->second));
}

/* Lane i of the result is the sum of v[i]'s lanes. */
LW_INLINE __m512i sum_lanes(const __m512i v[8])
{
	__m512i pair[4], quad[2];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		pair[i] = _mm512_add_epi64(_mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]),
		                           _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]));
#pragma GCC unroll 2
	for (int i = 0; i < 2; i++)
		quad[i] = _mm512_add_epi64(_mm512_shuffle_i64x2(pair[2 * i], pair[2 * i + 1], 0x88),
		                           _mm512_shuffle_i64x2(pair[2 * i], pair[2 * i + 1], 0xdd));
	return _mm512_add_epi64(_mm512_shuffle_i64x2(quad[0], quad[1], 0x88),
	                        _mm512_shuffle_i64x2(quad[0], quad[1], 0xdd));
}

static void hash_17_list(struct round *r, int class, const struct one_keys *keys)
{
	size_t n = pad_list(r, class);
	struct eight e;

	for (size_t j = 0; j < n; j += 8) {
		__m512i steps[8];

		take_eight(&e, r, class, j);
#pragma GCC unroll 8
		for (int k = 0; k < 8; k++)
			steps[k] = one_steps(e.begin[k], (const void *)((uintptr_t)e.end[k] - 64),
			                     ((size_t)(e.end[k] - e.begin[k]) - 1) / 32, keys);
		put_eight(&e, r,
		          avalanche(_mm512_add_epi64(sum_lanes(steps), _mm512_mullo_epi64(e.length, set1(PRIME64_1)))));
	}
}

/* Strings i ... i + n - 1 of a round, n <= 8: those of 17 ... 128 bytes; returns which they were. */
LW_INLINE uint32_t hash_ones(const struct round *r, size_t i, size_t n, const struct one_keys *keys)
{
	static const unsigned char nothing[64];
	const __m512i data = set1((uint64_t)(uintptr_t)r->data), elsewhere = set1((uint64_t)(uintptr_t)nothing);
	__mmask8 there = (__mmask8)(0xff >> (8 - n)), is_one;
	__m512i begin = _mm512_maskz_loadu_epi64(there, r->begin + i);
	__m512i end = _mm512_maskz_loadu_epi64(there, r->end + i), length = _mm512_sub_epi64(end, begin), row, steps[8];
	const unsigned char *front[8], *back[8];
	uint64_t m[8];

	is_one = _mm512_mask_cmple_epu64_mask(there, _mm512_sub_epi64(length, set1(17)), set1(128 - 17));
	if (is_one == 0)
		return 0;
	row = _mm512_srli_epi64(_mm512_sub_epi64(length, set1(1)), 5);
	/* Others are nowhere, since loads without a lane are slow where there is no memory. */
	_mm512_storeu_si512(m, _mm512_mask_blend_epi64(is_one, set1(NOT_ONE), row));
	_mm512_storeu_si512(front, _mm512_mask_add_epi64(elsewhere, is_one, begin, data));
	_mm512_storeu_si512(back, _mm512_mask_add_epi64(elsewhere, is_one, _mm512_sub_epi64(end, set1(64)), data));
#pragma GCC unroll 8
	for (int k = 0; k < 8; k++)
		steps[k] = one_steps(front[k], back[k], m[k], keys);
	_mm512_mask_storeu_epi64(
	        r->out + i, is_one,
	        avalanche(_mm512_add_epi64(sum_lanes(steps), _mm512_mullo_epi64(length, set1(PRIME64_1)))));
	return is_one;
}

/* --------------------------------------------------------------- kernel */

/* Whether most strings of a round have 17 ... 128 bytes, by its first ones. */
static int has_many_ones(const struct round *r, size_t n)
{
	size_t n_sample = n < 64 ? n / 8 * 8 : 64, n_ones = 0;

	for (size_t i = 0; i < n_sample; i += 8) {
		__m512i length = _mm512_sub_epi64(_mm512_loadu_si512(r->end + i), _mm512_loadu_si512(r->begin + i));

		n_ones += (size_t)__builtin_popcount(
		        _mm512_cmple_epu64_mask(_mm512_sub_epi64(length, set1(17)), set1(128 - 17)));
	}
	return n_ones > n_sample / 4 * 3;
}

/* Hashes those strings, where they are most, and deals out the others. */
static void hash_most(struct round *r, size_t n, const struct one_keys *keys)
{
	for (int c = 0; c < CLASSES; c++)
		r->n[c] = 0;
	for (size_t i = 0; i < n; i += 8) {
		size_t n_part = n - i < 8 ? n - i : 8;

		for (uint32_t rest = (0xffu >> (8 - n_part)) & ~hash_ones(r, i, n_part, keys); rest; rest &= rest - 1) {
			size_t k = i + (size_t)__builtin_ctz(rest), length = length_of(r, k);

			uint8_t c = class_of_length[length < 255 ? length : 255];

			r->list[c][r->n[c]++] = (uint16_t)k;
		}
	}
}

void LW_FN(xxh3_64_batch)(const void *data, const uint64_t *begin, const uint64_t *end, size_t n, uint64_t seed,
                          uint64_t *out)
{
	const struct one_keys keys = make_one_keys(seed);
	struct round r;

	for (size_t at = 0; at < n; at += ROUND) {
		r.data = data;
		r.begin = begin + at;
		r.end = end + at;
		r.seed = seed;
		r.out = out + at;

		size_t n_round = n - at < ROUND ? n - at : ROUND;

		if (has_many_ones(&r, n_round))
			hash_most(&r, n_round, &keys);
		else
			deal_out(&r, n_round, n - at);
		hash_tiny_list(&r);
		hash_4_list(&r);
		hash_9_list(&r);
		for (int c = CLASS_17; c < CLASS_129; c++)
			hash_17_list(&r, c, &keys);
		for (int c = CLASS_129; c < CLASS_LONG; c++)
			hash_129_list(&r, c);
		hash_long_list(&r);
	}
}
