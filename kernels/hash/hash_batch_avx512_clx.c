/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xxh3_64_batch with 512-bit vectors.
 *
 * XXH3 of a short string is a few nanoseconds of arithmetic behind a ladder of branches on the length. Where lengths
 * vary, as those of words and lines do, the processor mispredicts a branch for nearly every string, and that is most
 * of the time spent. Here strings are hashed eight at a time by code that takes any length of a class without a branch:
 *   0 ... 16 bytes: eight strings are the eight lanes. Bytes are loaded under a mask and shuffled, by a table, to where
 *       their length wants them; the three formulas that there are differ in constants, which are chosen by lane.
 *   17 ... 32: XXH3 repeats a step over 16 bytes: both halves are xored with key material and multiplied to 128 bits, and
 *       the halves of the product are xored ("fold"). There is no such multiplication of vectors, but four of 32 bits and
 *       additions make eight folds at once. Here they are two steps of eight strings.
 *   33 ... 128: up to four steps from the front and as many from the back, which are the eight lanes of one string. Steps
 *       that a shorter string does not have are masked out, so all lengths take the same time. The lanes of eight
 *       strings are added up as a transposition.
 *   129 ... 240: two such vectors for each string, eight steps and up to eight more.
 *   241 ... 512: the eight lanes are the accumulators that XXH3 has for long strings, for up to seven stripes and the last.
 *       What it folds in the end is done for two strings together.
 *   Longer ones are hashed one by one.
 * Where most strings are of one class they are hashed as they come. Otherwise, and those that are not, they are dealt out to
 * one list for each class; eight of a list are hashed together, and what is left over waits for more.
 *
 * Masked loads neither read nor fault outside their strings.
 */
#include <immintrin.h>

#define XXH_PREFETCH_DIST 4096 /* as in hash_simd.c */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common.h"

/* Constants of the specification. */
#define PRIME32_1       0x9E3779B1
#define PRIME32_2       0x85EBCA77
#define PRIME32_3       0xC2B2AE3D
#define PRIME64_1       0x9E3779B185EBCA87
#define PRIME64_2       0xC2B2AE3D27D4EB4F
#define PRIME64_3       0x165667B19E3779F9
#define PRIME64_4       0x85EBCA77C2B2AE63
#define PRIME64_5       0x27D4EB2F165667C5
#define PRIME_AVALANCHE 0x165667919E3779F9
#define PRIME_MX2       0x9FB21C651E98DF25

enum {
	TO_16,
	TO_32,
	TO_128,
	TO_240,
	TO_512,
	LONG,
	CLASSES,

	WINDOW = 64,       /* strings dealt out before lists are looked at */
	SHORT_WINDOW = 32, /* the same where they are long: they are to stay in L1 until then */
	LONG_STRING = 224,
	LONG_WINDOW = 128, /* the same where most are hashed as they come */
	LIST = LONG_WINDOW + 16,
	AHEAD = 64,    /* strings: how far ahead these are fetched */
	FAR = 1 << 16, /* bytes: a window of more than that is not fetched ahead as a whole */
	PART = 1 << 30 /* strings that numbers of 32 bits are used for */
};

/* Key material of the steps, in the order in which the lanes have them. */
struct keys {
	__m512i first, second;
};

struct list {
	uint32_t n;
	uint32_t number[LIST];
	uint64_t begin[LIST], length[LIST]; /* begin: an address */
};

struct batch {
	struct keys to_128, front_240, back_240;
	uint64_t data; /* an address: no pointer is formed where no string is */
	const uint64_t *begin, *end;
	uint64_t seed;
	uint64_t *out;
	uint64_t fetch; /* the address from which on the window after this one is fetched next */
	size_t fetch_times, fetch_step;
	struct list list[CLASSES];
	int n_to_16, n_to_128;     /* strings of a window that are in these classes */
	unsigned char secret[192]; /* for this seed, of strings of more than 240 bytes */
};

LW_INLINE uint64_t secret_at(size_t offset)
{
	uint64_t word;

	memcpy(&word, XXH3_kSecret + offset, sizeof word);
	return word;
}

LW_INLINE __m512i set1(uint64_t x) { return _mm512_set1_epi64((int64_t)x); }

LW_INLINE const void *at(uint64_t address) { return (const void *)(uintptr_t)address; }

/* The 128-bit products of eight pairs, each xored in its halves. */
LW_INLINE __m512i fold_products(__m512i a, __m512i b)
{
	__m512i a_high = _mm512_srli_epi64(a, 32), b_high = _mm512_srli_epi64(b, 32);
	__m512i low = _mm512_mul_epu32(a, b), high = _mm512_mul_epu32(a_high, b_high);
	__m512i part = _mm512_add_epi64(_mm512_srli_epi64(low, 32), _mm512_mul_epu32(a_high, b));
	__m512i middle = _mm512_add_epi64(part, _mm512_mul_epu32(a, b_high));
	__m512 low_bits = _mm512_castsi512_ps(low), middle_bits = _mm512_castsi512_ps(middle);

	/* The last sum may have gone around. */
	high = _mm512_mask_add_epi64(high, _mm512_cmplt_epu64_mask(middle, part), high, set1((uint64_t)1 << 32));
	high = _mm512_add_epi64(high, _mm512_srli_epi64(middle, 32));
	low = _mm512_castps_si512(_mm512_mask_moveldup_ps(low_bits, 0xaaaa, middle_bits));
	return _mm512_xor_si512(low, high);
}

LW_INLINE __m512i step(struct keys keys, __m512i first, __m512i second)
{
	return fold_products(_mm512_xor_si512(first, keys.first), _mm512_xor_si512(second, keys.second));
}

LW_INLINE __m512i avalanche(__m512i h)
{
	h = _mm512_xor_si512(h, _mm512_srli_epi64(h, 37));
	h = _mm512_mullo_epi64(h, set1(PRIME_AVALANCHE));
	return _mm512_xor_si512(h, _mm512_srli_epi64(h, 32));
}

/* ------------------------------------------------------------ 0 ... 16 bytes */

enum { NONE = 0x80 };
#define LW_FOUR(n) { n - 4, n - 3, n - 2, n - 1, 0, 1, 2, 3, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE }
#define LW_NINE(n) { 0, 1, 2, 3, 4, 5, 6, 7, n - 8, n - 7, n - 6, n - 5, n - 4, n - 3, n - 2, n - 1 }
#define LW_ONE(last, middle) \
	{ last, NONE, 0, middle, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE }

/*
 * What the formula for a length reads, as places in the string: for 9 ... 16 bytes the first eight and the last eight, for
 * 4 ... 8 the last four and the first four, for 1 ... 3 the last byte, one for the length, the first and the middle one.
 */
static const uint8_t places[17][16] = {
	LW_ONE(NONE, NONE), LW_ONE(0, 0), LW_ONE(1, 1), LW_ONE(2, 1), LW_FOUR(4),  LW_FOUR(5),
	LW_FOUR(6),         LW_FOUR(7),   LW_FOUR(8),   LW_NINE(9),   LW_NINE(10), LW_NINE(11),
	LW_NINE(12),        LW_NINE(13),  LW_NINE(14),  LW_NINE(15),  LW_NINE(16),
};

LW_INLINE __m128i masked_bytes(uint64_t begin, uint64_t length)
{
	return _mm_maskz_loadu_epi8((__mmask16)_bzhi_u32(0xffff, (uint32_t)length), at(begin));
}

LW_INLINE __m128i places_of(uint64_t length) { return _mm_loadu_si128((const __m128i *)places[length]); }

/* Every other of eight strings, put in place. */
LW_INLINE __m512i place_four(const uint64_t *begin, const uint64_t *length)
{
	__m512i bytes = _mm512_castsi128_si512(masked_bytes(begin[0], length[0]));
	__m512i order = _mm512_castsi128_si512(places_of(length[0]));

	bytes = _mm512_inserti64x2(bytes, masked_bytes(begin[2], length[2]), 1);
	order = _mm512_inserti64x2(order, places_of(length[2]), 1);
	bytes = _mm512_inserti64x2(bytes, masked_bytes(begin[4], length[4]), 2);
	order = _mm512_inserti64x2(order, places_of(length[4]), 2);
	bytes = _mm512_inserti64x2(bytes, masked_bytes(begin[6], length[6]), 3);
	order = _mm512_inserti64x2(order, places_of(length[6]), 3);
	return _mm512_shuffle_epi8(bytes, order);
}

/* What is multiplied last for 9 ... 16 bytes. */
LW_INLINE __m512i sum_to_16(__m512i front, __m512i back, __m512i length, uint64_t seed)
{
	const __m512i swap =
	        _mm512_broadcast_i32x4(_mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
	__m512i low = _mm512_xor_si512(front, set1((secret_at(24) ^ secret_at(32)) + seed));
	__m512i high = _mm512_xor_si512(back, set1((secret_at(40) ^ secret_at(48)) - seed));
	__m512i sum = _mm512_add_epi64(_mm512_add_epi64(length, _mm512_shuffle_epi8(low, swap)), high);

	sum = _mm512_add_epi64(sum, fold_products(low, high));
	return _mm512_xor_si512(sum, _mm512_srli_epi64(sum, 37));
}

LW_INLINE __m512i hash_to_16(const uint64_t *begin, const uint64_t *length_of, uint64_t seed)
{
	uint64_t seed_mixed = seed ^ (uint64_t)__builtin_bswap32((uint32_t)seed) << 32;
	uint64_t flip_0 = seed ^ secret_at(56) ^ secret_at(64);
	uint64_t flip_1 = (uint64_t)((uint32_t)secret_at(0) ^ (uint32_t)secret_at(4)) + seed;
	uint64_t flip_4 = (secret_at(8) ^ secret_at(16)) - seed_mixed;
	__m512i even = place_four(begin, length_of), odd = place_four(begin + 1, length_of + 1);
	__m512i front = _mm512_unpacklo_epi64(even, odd), back = _mm512_unpackhi_epi64(even, odd);
	__m512i length = _mm512_loadu_si512(length_of);
	__mmask8 is_9 = _mm512_cmpgt_epu64_mask(length, set1(8)), is_1 = _mm512_cmplt_epu64_mask(length, set1(4));
	__m512i flip = _mm512_mask_mov_epi64(set1(flip_4), is_1, set1(flip_1));
	__m512i factor = _mm512_mask_mov_epi64(set1(PRIME_MX2), is_1, set1(PRIME64_2)), h, turned;

	flip = _mm512_mask_mov_epi64(flip, _mm512_testn_epi64_mask(length, length), set1(flip_0));
	h = _mm512_mask_or_epi64(front, is_1, front, _mm512_slli_epi64(length, 8));
	h = _mm512_xor_si512(h, flip);
	turned = _mm512_xor_si512(_mm512_rol_epi64(h, 49), _mm512_rol_epi64(h, 24));
	turned = _mm512_mask_srli_epi64(turned, is_1, h, 33);
	h = _mm512_mullo_epi64(_mm512_xor_si512(h, turned), factor);
	turned = _mm512_add_epi64(_mm512_srli_epi64(h, 35), length);
	turned = _mm512_mask_srli_epi64(turned, is_1, h, 29);
	h = _mm512_xor_si512(h, turned);
	factor = _mm512_mask_mov_epi64(set1(PRIME_MX2), is_1, set1(PRIME64_3));
	h = _mm512_mask_mov_epi64(h, is_9, sum_to_16(front, back, length, seed));
	factor = _mm512_mask_mov_epi64(factor, is_9, set1(PRIME_AVALANCHE));
	h = _mm512_mullo_epi64(h, factor);
	return _mm512_xor_si512(h, _mm512_srlv_epi64(h, _mm512_mask_mov_epi64(set1(28), is_1 | is_9, set1(32))));
}

/* ----------------------------------------------------------- 17 ... 32 bytes */

/* 16 bytes of every other of eight strings. */
LW_INLINE __m512i load_four(const uint64_t *begin)
{
	__m512i v = _mm512_castsi128_si512(_mm_loadu_si128(at(begin[0])));

	v = _mm512_inserti64x2(v, _mm_loadu_si128(at(begin[2])), 1);
	v = _mm512_inserti64x2(v, _mm_loadu_si128(at(begin[4])), 2);
	return _mm512_inserti64x2(v, _mm_loadu_si128(at(begin[6])), 3);
}

LW_INLINE __m512i step_of_eight(const uint64_t *begin, size_t secret, uint64_t seed)
{
	__m512i even = load_four(begin), odd = load_four(begin + 1);
	struct keys keys = { set1(secret_at(secret) + seed), set1(secret_at(secret + 8) - seed) };

	return step(keys, _mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd));
}

LW_INLINE __m512i hash_to_32(const uint64_t *begin, const uint64_t *length_of, uint64_t seed)
{
	__m512i length = _mm512_loadu_si512(length_of), sum = _mm512_mullo_epi64(length, set1(PRIME64_1));
	uint64_t last[8];

	_mm512_storeu_si512(last, _mm512_add_epi64(_mm512_loadu_si512(begin), _mm512_sub_epi64(length, set1(16))));
	sum = _mm512_add_epi64(sum, step_of_eight(begin, 0, seed));
	return avalanche(_mm512_add_epi64(sum, step_of_eight(last, 16, seed)));
}

/* ------------------------------------------------- lanes that are steps of one */

/* Lane 2i of the result is the sum of v[i]'s even lanes, lane 2i + 1 that of its odd ones. */
LW_INLINE __m512i sum_pairs(const __m512i v[4])
{
	__m512i quad[2];

#pragma GCC unroll 2
	for (int i = 0; i < 2; i++)
		quad[i] = _mm512_add_epi64(_mm512_shuffle_i64x2(v[2 * i], v[2 * i + 1], 0x88),
		                           _mm512_shuffle_i64x2(v[2 * i], v[2 * i + 1], 0xdd));
	return _mm512_add_epi64(_mm512_shuffle_i64x2(quad[0], quad[1], 0x88),
	                        _mm512_shuffle_i64x2(quad[0], quad[1], 0xdd));
}

/* Lane i of the result is the sum of v[i]'s lanes. */
LW_INLINE __m512i sum_lanes(const __m512i v[8])
{
	__m512i pair[4];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		pair[i] = _mm512_add_epi64(_mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]),
		                           _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]));
	return sum_pairs(pair);
}

/* A factor of zero makes a lane without a step add nothing. */
LW_INLINE __m512i masked_steps(const struct keys *keys, __mmask8 is_step, __m512i a, __m512i b)
{
	__m512i first = _mm512_maskz_xor_epi64(is_step, _mm512_unpacklo_epi64(a, b), keys->first);

	return fold_products(first, _mm512_xor_si512(_mm512_unpackhi_epi64(a, b), keys->second));
}

/*
 * 17 ... 128 bytes, or none at all. 128-bit block j of the front is the j-th step, block j of the back the (3 - j)-th from
 * the end, and unpacking makes lane 2j a front step's half and lane 2j + 1 a back step's. The constants are the lengths
 * from which on a word, or a step, is there.
 */
LW_INLINE __m512i steps_to_128(const struct keys *keys, uint64_t begin, uint64_t length)
{
	const __m512i from_front = _mm512_setr_epi64(0, 0, 32, 32, 64, 64, 96, 96);
	const __m512i from_back = _mm512_setr_epi64(96, 96, 64, 64, 32, 32, 0, 0);
	const __m512i from_step = _mm512_setr_epi64(0, 96, 32, 64, 64, 32, 96, 0);
	__m512i n = set1(length);
	__m512i front = _mm512_maskz_loadu_epi64(_mm512_cmpgt_epu64_mask(n, from_front), at(begin));
	__m512i back = _mm512_maskz_loadu_epi64(_mm512_cmpgt_epu64_mask(n, from_back), at(begin + length - 64));

	return masked_steps(keys, _mm512_cmpgt_epu64_mask(n, from_step), front, back);
}

LW_INLINE __m512i hash_to_128(const struct batch *b, const uint64_t *begin, const uint64_t *length_of)
{
	__m512i steps[8], sum = _mm512_mullo_epi64(_mm512_loadu_si512(length_of), set1(PRIME64_1));

#pragma GCC unroll 8
	for (int k = 0; k < 8; k++)
		steps[k] = steps_to_128(&b->to_128, begin[k], length_of[k]);
	return avalanche(_mm512_add_epi64(sum, sum_lanes(steps)));
}

/* The first eight steps of 129 ... 240 bytes. */
LW_INLINE __m512i front_to_240(const struct keys *keys, uint64_t begin)
{
	__m512i a = _mm512_loadu_si512(at(begin)), b = _mm512_loadu_si512(at(begin + 64));

	return step(*keys, _mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

/* The others: whole ones, up to seven, and in the last lane the last 16 bytes. */
LW_INLINE __m512i back_to_240(const struct keys *keys, uint64_t begin, uint64_t length)
{
	const __m512i from_low = _mm512_setr_epi64(143, 143, 159, 159, 175, 175, 191, 191);
	const __m512i from_high = _mm512_setr_epi64(207, 207, 223, 223, 239, 239, 255, 255);
	const __m512i from_step = _mm512_setr_epi64(143, 207, 159, 223, 175, 239, 191, 0);
	__m512i n = set1(length);
	__m512i low = _mm512_maskz_loadu_epi64(_mm512_cmpgt_epu64_mask(n, from_low), at(begin + 128));
	__m512i high = _mm512_maskz_loadu_epi64(0xc0, at(begin + length - 64));

	high = _mm512_mask_loadu_epi64(high, _mm512_cmpgt_epu64_mask(n, from_high), at(begin + 192));
	return masked_steps(keys, _mm512_cmpgt_epu64_mask(n, from_step), low, high);
}

LW_INLINE __m512i hash_to_240(const struct batch *b, const uint64_t *begin, const uint64_t *length_of)
{
	__m512i steps[8], sum = _mm512_mullo_epi64(_mm512_loadu_si512(length_of), set1(PRIME64_1));

#pragma GCC unroll 8
	for (int k = 0; k < 8; k++)
		steps[k] = front_to_240(&b->front_240, begin[k]);
	sum = avalanche(_mm512_add_epi64(sum, sum_lanes(steps)));
#pragma GCC unroll 8
	for (int k = 0; k < 8; k++)
		steps[k] = back_to_240(&b->back_240, begin[k], length_of[k]);
	return avalanche(_mm512_add_epi64(sum, sum_lanes(steps)));
}

/* -------------------------------------------------------- 241 ... 512 bytes */

/* 64 bytes, or nothing where `is_there` is 0. */
LW_INLINE __m512i accumulate(__m512i sum, __mmask8 is_there, uint64_t begin, const unsigned char *secret)
{
	__m512i data = _mm512_maskz_loadu_epi64(is_there, at(begin));
	__m512i key = _mm512_maskz_xor_epi64(is_there, data, _mm512_loadu_si512(secret));

	sum = _mm512_add_epi64(sum, _mm512_shuffle_epi32(data, 0x4e)); /* halves of 16 bytes change places */
	return _mm512_add_epi64(sum, _mm512_mul_epu32(key, _mm512_srli_epi64(key, 32)));
}

/* The accumulators of a string behind its last stripe. */
LW_INLINE __m512i accumulated(const struct batch *b, uint64_t begin, uint64_t length)
{
	const __m512i n = set1(length);
	__m512i sum = _mm512_setr_epi64(PRIME32_3, (int64_t)PRIME64_1, (int64_t)PRIME64_2, (int64_t)PRIME64_3,
	                                (int64_t)PRIME64_4, PRIME32_2, (int64_t)PRIME64_5, PRIME32_1);

#pragma GCC unroll 7
	for (uint64_t i = 0; i < 7; i++) {
		__mmask8 is_there = i < 3 ? 0xff : _mm512_cmpgt_epu64_mask(n, set1(64 * (i + 1)));

		sum = accumulate(sum, is_there, begin + 64 * i, b->secret + 8 * i);
	}
	return accumulate(sum, 0xff, begin + length - 64, b->secret + sizeof b->secret - 64 - 7);
}

LW_INLINE __m512i hash_to_512(const struct batch *b, const uint64_t *begin, const uint64_t *length_of)
{
	__m512i key = _mm512_loadu_si512(b->secret + 11), folded[4];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		__m512i even = _mm512_xor_si512(accumulated(b, begin[2 * i], length_of[2 * i]), key);
		__m512i odd = _mm512_xor_si512(accumulated(b, begin[2 * i + 1], length_of[2 * i + 1]), key);

		folded[i] = fold_products(_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd));
	}

	__m512i sum = _mm512_mullo_epi64(_mm512_loadu_si512(length_of), set1(PRIME64_1));

	return avalanche(_mm512_add_epi64(sum, sum_pairs(folded)));
}

/* -------------------------------------------------------------------- lists */

/* Fetches a part of the next window: bursts of prefetches would wait for each other. */
LW_INLINE void fetch_part(struct batch *b)
{
	for (size_t i = 0; i < b->fetch_times; i++) {
#pragma GCC unroll 8
		for (int k = 0; k < 8; k++) {
			__builtin_prefetch(at(b->fetch));
			b->fetch += b->fetch_step;
		}
	}
}

LW_INLINE void put_eight(const struct batch *b, const uint32_t *number, __m512i hash)
{
	uint64_t h[8];

	_mm512_storeu_si512(h, hash);
#pragma GCC unroll 8
	for (int k = 0; k < 8; k++)
		b->out[number[k]] = h[k];
}

LW_INLINE __m512i hash_eight(const struct batch *b, int class, const uint64_t *begin, const uint64_t *length)
{
	return class == TO_16    ? hash_to_16(begin, length, b->seed)
	       : class == TO_32  ? hash_to_32(begin, length, b->seed)
	       : class == TO_128 ? hash_to_128(b, begin, length)
	       : class == TO_240 ? hash_to_240(b, begin, length)
	                         : hash_to_512(b, begin, length);
}

/* Hashes the list's strings as far as they make eights; the others become the first of the list. */
LW_INLINE void hash_list(struct batch *b, int class)
{
	struct list *list = &b->list[class];
	uint32_t j = 0;

	for (; j + 8 <= list->n; j += 8) {
		fetch_part(b);
		put_eight(b, list->number + j, hash_eight(b, class, list->begin + j, list->length + j));
	}
	memcpy(list->number, list->number + j, 8 * sizeof *list->number);
	memcpy(list->begin, list->begin + j, 8 * sizeof *list->begin);
	memcpy(list->length, list->length + j, 8 * sizeof *list->length);
	list->n -= j;
}

static LW_NOINLINE void hash_list_to_16(struct batch *b) { hash_list(b, TO_16); }
static LW_NOINLINE void hash_list_to_32(struct batch *b) { hash_list(b, TO_32); }
static LW_NOINLINE void hash_list_to_128(struct batch *b) { hash_list(b, TO_128); }
static LW_NOINLINE void hash_list_to_240(struct batch *b) { hash_list(b, TO_240); }
static LW_NOINLINE void hash_list_to_512(struct batch *b) { hash_list(b, TO_512); }

LW_INLINE void hash_lists(struct batch *b)
{
	if (b->list[TO_16].n >= 8)
		hash_list_to_16(b);
	if (b->list[TO_32].n >= 8)
		hash_list_to_32(b);
	if (b->list[TO_128].n >= 8)
		hash_list_to_128(b);
	if (b->list[TO_240].n >= 8)
		hash_list_to_240(b);
	if (b->list[TO_512].n >= 8)
		hash_list_to_512(b);
}

static LW_NOINLINE void hash_one_by_one(struct batch *b, struct list *list)
{
	for (uint32_t j = 0; j < list->n; j++)
		b->out[list->number[j]] = XXH3_64bits_withSeed(at(list->begin[j]), list->length[j], b->seed);
	list->n = 0;
}

/* What is left in the lists: filled up to eight with the last string, unless they are few. */
static void hash_rest(struct batch *b)
{
	enum { FEW = 2 };

	for (int c = 0; c < LONG; c++) {
		struct list *list = &b->list[c];
		uint32_t last = list->n - 1;

		if (list->n <= FEW) {
			hash_one_by_one(b, list);
			continue;
		}
		for (; list->n < 8; list->n++) {
			list->number[list->n] = list->number[last];
			list->begin[list->n] = list->begin[last];
			list->length[list->n] = list->length[last];
		}
	}
	b->fetch_times = 0;
	hash_lists(b);
}

/* ------------------------------------------------------------------ dealing */

struct lengths {
	__m512i begin, length; /* begin: addresses */
	__mmask8 to_16, to_128;
};

LW_INLINE struct lengths lengths_at(const struct batch *b, size_t i)
{
	struct lengths l;

	l.begin = _mm512_loadu_si512(b->begin + i);
	l.length = _mm512_sub_epi64(_mm512_loadu_si512(b->end + i), l.begin);
	l.begin = _mm512_add_epi64(l.begin, set1(b->data));
	l.to_16 = _mm512_cmple_epu64_mask(l.length, set1(16));
	l.to_128 = _mm512_cmple_epu64_mask(l.length, set1(128));
	return l;
}

LW_INLINE void put_list(struct list *list, const struct lengths *l, __m256i number, __mmask8 which)
{
	if (which == 0)
		return;
	_mm256_storeu_si256((__m256i *)(list->number + list->n), _mm256_maskz_compress_epi32(which, number));
	_mm512_storeu_si512(list->begin + list->n, _mm512_maskz_compress_epi64(which, l->begin));
	_mm512_storeu_si512(list->length + list->n, _mm512_maskz_compress_epi64(which, l->length));
	list->n += (uint32_t)_mm_popcnt_u32(which);
}

/* Those of eight strings, the first number i, that are among `which`. */
LW_INLINE void deal_out(struct batch *b, size_t i, const struct lengths *l, __mmask8 which)
{
	__m256i number = _mm256_add_epi32(_mm256_set1_epi32((int)i), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
	__mmask8 to_32 = _mm512_cmple_epu64_mask(l->length, set1(32));
	__mmask8 to_240 = _mm512_cmple_epu64_mask(l->length, set1(240)), to_512;

	put_list(&b->list[TO_16], l, number, which & l->to_16);
	put_list(&b->list[TO_32], l, number, which & (to_32 & ~l->to_16));
	put_list(&b->list[TO_128], l, number, which & (l->to_128 & ~to_32));
	put_list(&b->list[TO_240], l, number, which & (to_240 & ~l->to_128));
	which &= (__mmask8)~to_240;
	if (which == 0)
		return;
	to_512 = _mm512_cmple_epu64_mask(l->length, set1(512));
	put_list(&b->list[TO_512], l, number, which & to_512);
	put_list(&b->list[LONG], l, number, which & ~to_512);
}

LW_INLINE void count_classes(struct batch *b, const struct lengths *l)
{
	b->n_to_16 += _mm_popcnt_u32(l->to_16);
	b->n_to_128 += _mm_popcnt_u32(l->to_128 & ~l->to_16);
}

/* Eight strings of which those of a class, TO_16 or TO_128, are hashed here and now. */
LW_INLINE void hash_most(struct batch *b, size_t i, int class)
{
	struct lengths l = lengths_at(b, i);
	__mmask8 now = class == TO_16 ? l.to_16 : l.to_128 & ~l.to_16;
	uint64_t begin[8], length[8];

	count_classes(b, &l);
	if (now) {
		/* The others are empty here. */
		_mm512_storeu_si512(begin, l.begin);
		_mm512_storeu_si512(length, _mm512_maskz_mov_epi64(now, l.length));
		_mm512_mask_storeu_epi64(b->out + i, now, hash_eight(b, class, begin, length));
	}
	if (now != 0xff)
		deal_out(b, i, &l, (__mmask8)~now);
}

/* From now on the strings i ... i + n - 1 are fetched, if they are close together. */
LW_INLINE void begin_fetching(struct batch *b, size_t i, size_t n)
{
	uint64_t n_bytes = n ? b->end[i + n - 1] - b->begin[i] : 0;

	b->fetch_times = 0;
	if (n_bytes < FAR) {
		b->fetch = b->data + (n ? b->begin[i] : 0);
		b->fetch_times = n ? (size_t)(n_bytes + n * 64 - 1) / (n * 64) : 0;
		b->fetch_step = b->fetch_times ? (size_t)n_bytes / (n * b->fetch_times) + 1 : 0;
		return;
	}
	for (size_t j = 0; j < n; j++) {
		__builtin_prefetch(at(b->data + b->begin[i + j]));
		__builtin_prefetch(at(b->data + b->end[i + j]));
	}
}

/* Fetches eight strings from number i on, if they are next to each other and not longer than a line on the average. */
LW_INLINE void fetch_eight(const struct batch *b, size_t i, int n_lines)
{
	uint64_t from = b->begin[i], step = (b->begin[i + 8] - from) / (unsigned)n_lines;

#pragma GCC unroll 8
	for (int k = 0; k < n_lines; k++)
		__builtin_prefetch(at(b->data + from + (unsigned)k * step));
}

/* Strings i ... end - 1, n a multiple of eight. Functions of their own, since each needs all registers for constants. */
static LW_NOINLINE void window_to_16(struct batch *b, size_t i, size_t end, size_t n)
{
	for (; i < end; i += 8) {
		if (n - i > AHEAD + 8)
			fetch_eight(b, i + AHEAD, 2);
		hash_most(b, i, TO_16);
	}
}

static LW_NOINLINE void window_to_128(struct batch *b, size_t i, size_t end, size_t n)
{
	for (; i < end; i += 8) {
		if (n - i > AHEAD + 8)
			fetch_eight(b, i + AHEAD, 8);
		hash_most(b, i, TO_128);
	}
}

static LW_NOINLINE void window_dealt_out(struct batch *b, size_t i, size_t end)
{
	for (; i < end; i += 8) {
		struct lengths l = lengths_at(b, i);

		count_classes(b, &l);
		deal_out(b, i, &l, 0xff);
	}
}

/* The class, TO_16 or TO_128, that most of n strings had which were counted; LONG: none. */
LW_INLINE int class_of_most(const struct batch *b, size_t n)
{
	int most = (int)(n / 4 * 3);

	return b->n_to_16 > most ? TO_16 : b->n_to_128 > most ? TO_128 : LONG;
}

static void hash_part(struct batch *b, size_t n)
{
	size_t i = 0;
	int class = LONG;

	b->n_to_16 = b->n_to_128 = 0;
	if (n >= 8) {
		struct lengths l = lengths_at(b, 0);

		count_classes(b, &l);
		class = class_of_most(b, 8);
	}
	while (n - i >= 8) {
		size_t window = class != LONG                                   ? LONG_WINDOW
		                : b->end[i + 7] - b->begin[i] > 8 * LONG_STRING ? SHORT_WINDOW
		                                                                : WINDOW;
		size_t n_window = n - i < window ? (n - i) / 8 * 8 : window, next = i + n_window;

		b->n_to_16 = b->n_to_128 = 0;
		b->fetch_times = 0;
		if (class == TO_16) {
			window_to_16(b, i, next, n);
		} else if (class == TO_128) {
			window_to_128(b, i, next, n);
		} else {
			begin_fetching(b, next, n - next < window ? n - next : window);
			window_dealt_out(b, i, next);
		}
		hash_lists(b);
		if (b->list[LONG].n > 0)
			hash_one_by_one(b, &b->list[LONG]);
		class = class_of_most(b, n_window);
		i = next;
	}
	for (; i < n; i++)
		b->out[i] = XXH3_64bits_withSeed(at(b->data + b->begin[i]), b->end[i] - b->begin[i], b->seed);
	hash_rest(b);
}

/* -------------------------------------------------------------------- kernel */

LW_INLINE struct keys seeded(__m512i first, __m512i second, uint64_t seed)
{
	return (struct keys) { _mm512_add_epi64(first, set1(seed)), _mm512_sub_epi64(second, set1(seed)) };
}

LW_INLINE struct keys unpacked(__m512i a, __m512i b, uint64_t seed)
{
	return seeded(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b), seed);
}

static void make_keys(struct batch *b)
{
	const unsigned char *secret = XXH3_kSecret;
	__m512i s0 = _mm512_loadu_si512(secret), s1 = _mm512_loadu_si512(secret + 64), last;

	/* Blocks 0 2 4 6 of 16 bytes for steps from the front, 7 5 3 1 for those from the back. */
	b->to_128 = unpacked(_mm512_shuffle_i64x2(s0, s1, 0x88), _mm512_shuffle_i64x2(s1, s0, 0x77), b->seed);
	b->front_240 = unpacked(s0, s1, b->seed);
	/* From the ninth step on the key material begins anew, three bytes in; the last step is 17 from its minimum's end. */
	last = _mm512_mask_loadu_epi64(_mm512_loadu_si512(secret + 3 + 64), 0xc0, secret + 136 - 17 - 48);
	b->back_240 = unpacked(_mm512_loadu_si512(secret + 3), last, b->seed);
}

/* The key material of long strings: a seed is added to one half of 16 bytes and subtracted from the other. */
static void make_secret(struct batch *b)
{
	__m512i change = _mm512_mask_sub_epi64(set1(b->seed), 0xaa, _mm512_setzero_si512(), set1(b->seed));

	for (size_t i = 0; i < sizeof b->secret; i += 64)
		_mm512_storeu_si512(b->secret + i, _mm512_add_epi64(_mm512_loadu_si512(XXH3_kSecret + i), change));
}

void LW_FN(xxh3_64_batch)(const void *data, const uint64_t *begin, const uint64_t *end, size_t n, uint64_t seed,
                          uint64_t *out)
{
	struct batch b;

	b.data = (uintptr_t)data;
	b.seed = seed;
	make_keys(&b);
	make_secret(&b);
	for (int c = 0; c < CLASSES; c++)
		b.list[c].n = 0;
	for (size_t at = 0; at < n; at += PART) {
		b.begin = begin + at;
		b.end = end + at;
		b.out = out + at;
		hash_part(&b, n - at < PART ? n - at : PART);
	}
}
