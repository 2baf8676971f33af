/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gear hash of FastCDC 2020: h = 2 * h + table[byte], a cut where h has no bit of the mask.
 *
 * What a byte adds has been shifted out of the 64 bits after 64 more, so the hash at any place can be had from the 64
 * bytes before it. That makes two independent chains of additions out of one: two halves of a stretch are scanned side
 * by side, and a cut in the second counts if the first has none. Within a chain two bytes are taken at a time, as the
 * paper does: the hash is shifted once by two, and the first byte is looked up, and the mask applied, shifted by one.
 *
 * Vectors do not help. The table is random, so that lookups are gathers, which lose to loads; and the mask's bits lie in
 * the middle of the word, so that carries from all 48 bits matter.
 */
#include "chunk/chunk.h"

enum {
	WARM_UP = 64, /* bytes that make up the hash */
	HALF = 1024,  /* bytes of a chain in one stretch; a multiple of 2 */
	LEAST_HALF = 128
};

/* Rolls a pair of bytes into h and goes to `even` or `odd` if the first or the second of them cuts. */
#define ROLL(h, q, even, odd) \
	do { \
		h = (h << 2) + tables->two[(q)[0]]; \
		if (LW_UNLIKELY(!(h & mask_2))) \
			goto even; \
		h += tables->one[(q)[1]]; \
		if (LW_UNLIKELY(!(h & mask))) \
			goto odd; \
	} while (0)

static size_t scan_one(const struct lw_fastcdc_tables *tables, const uint8_t *p, size_t n, uint64_t mask,
                       uint64_t *hash)
{
	const uint64_t mask_2 = mask << 1;
	uint64_t h = *hash;
	size_t i;

	for (i = 0; i < n; i += 2)
		ROLL(h, p + i, even, odd);
	*hash = h;
	return n;
even:
	return i;
odd:
	return i + 1;
}

/* 2 * half bytes. */
static size_t scan_halves(const struct lw_fastcdc_tables *tables, const uint8_t *p, size_t half, uint64_t mask,
                          uint64_t *hash)
{
	const uint64_t mask_2 = mask << 1;
	const uint8_t *end = p + half, *q = p;
	uint64_t h = *hash, k = 0;
	size_t found, cut;

	for (size_t i = half - WARM_UP; i < half; i += 2)
		k = (k << 2) + tables->two[p[i]] + tables->one[p[i + 1]];
	for (; q < end; q += 2) {
		ROLL(h, q, even, odd);
		ROLL(k, q + half, second_even, second_odd);
	}
	*hash = k;
	return 2 * half;
even:
	return (size_t)(q - p);
odd:
	return (size_t)(q - p) + 1;
second_even:
	found = (size_t)(q - p);
	goto rest;
second_odd:
	found = (size_t)(q - p) + 1;
rest:
	/* That counts if what is left of the first half has no cut. */
	q += 2;
	cut = scan_one(tables, q, (size_t)(end - q), mask, &h);
	return cut < (size_t)(end - q) ? (size_t)(q - p) + cut : half + found;
}

#undef ROLL

size_t lanewise_fastcdc_scan(const struct lw_fastcdc_tables *tables, const uint8_t *p, size_t n, uint64_t mask,
                             uint64_t *hash)
{
	size_t at = 0;

	while (n - at >= 2 * LEAST_HALF) {
		size_t half = n - at >= 2 * HALF ? HALF : (n - at) / 4 * 2;
		size_t cut = scan_halves(tables, p + at, half, mask, hash);

		if (cut != 2 * half)
			return at + cut;
		at += cut;
	}
	return at + scan_one(tables, p + at, n - at, mask, hash);
}
