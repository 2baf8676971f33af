/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/bits.h for every vector tier. Rows of LONG_ROW bytes and more are counted by vectors: the bits of each byte by
 * looking its two halves up in a table of sixteen (Mula, Kurz and Lemire, "Faster population counts using AVX2
 * instructions", 2018; NEON has an instruction), summed as bytes for up to BYTE_STEPS vectors, as 8 bits each make at most
 * 248, and then over all bytes. Shorter rows, and the ends of long ones, go by words of 64 bits, whose population count is
 * one instruction.
 *
 * Rows of 32 bytes to LONG_ROW are prefetched by software, PREFETCH_BYTES ahead: a quarter to two fifths faster from memory,
 * at most 7 % slower in the caches. Others lose more there than they gain.
 */
#include "vec.h"

enum op { OP_XOR, OP_AND, OP_OR };
enum { LONG_ROW = 128, BYTE_STEPS = 31, LINE_BYTES = 64, PREFETCH_BYTES = 8192 };

LW_INLINE int is_prefetched(size_t n_bytes) { return n_bytes >= 32 && n_bytes < LONG_ROW; }

LW_INLINE void prefetch_row(const uint8_t *row, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i += LINE_BYTES)
		__builtin_prefetch(row + PREFETCH_BYTES + i);
}

LW_INLINE uint64_t combine_words(enum op op, uint64_t a, uint64_t b)
{
	return op == OP_XOR ? a ^ b : op == OP_AND ? a & b : a | b;
}

LW_INLINE vq combine_vectors(enum op op, vq a, vq b)
{
	return op == OP_XOR ? vq_xor(a, b) : op == OP_AND ? vq_and(a, b) : vq_or(a, b);
}

LW_INLINE uint32_t count_words(enum op op, const uint8_t *a, const uint8_t *b, size_t n)
{
	uint64_t x, y, sum = 0;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		sum += (uint64_t)__builtin_popcountll(combine_words(op, x, y));
	}
	if (i < n) {
		x = y = 0;
		memcpy(&x, a + i, n - i);
		memcpy(&y, b + i, n - i);
		sum += (uint64_t)__builtin_popcountll(combine_words(op, x, y));
	}
	return (uint32_t)sum;
}

LW_INLINE uint32_t count_long(enum op op, const uint8_t *a, const uint8_t *b, size_t n)
{
	uint32_t sum = 0;
	size_t i = 0;

	while (i + VQ_LANES <= n) {
		vq counts = vq_set1(0);

		for (int step = 0; step < BYTE_STEPS && i + VQ_LANES <= n; step++, i += VQ_LANES)
			counts = vq_add(counts, vq_bit_counts(combine_vectors(op, vq_load(a + i), vq_load(b + i))));
		sum += vq_sum_bytes(counts);
	}
	return sum + count_words(op, a + i, b + i, n - i);
}

LW_INLINE uint32_t count(enum op op, const uint8_t *a, const uint8_t *b, size_t n)
{
	return n < LONG_ROW ? count_words(op, a, b, n) : count_long(op, a, b, n);
}

/* Out of line and in two copies, since even a condition that never holds costs short rows a fifth. */
LW_INLINE void hamming_loop(int ahead, const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes,
                            size_t ld, uint32_t *out)
{
	for (size_t r = 0; r < n_rows; r++) {
		if (ahead)
			prefetch_row(rows + r * ld, n_bytes);
		out[r] = count(OP_XOR, query, rows + r * ld, n_bytes);
	}
}

static LW_NOINLINE void hamming_ahead(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes,
                                      size_t ld, uint32_t *out)
{
	if (n_bytes == 48) /* 384 bits, so common that it deserves a loop without a loop in it */
		hamming_loop(1, query, rows, n_rows, 48, ld, out);
	else
		hamming_loop(1, query, rows, n_rows, n_bytes, ld, out);
}

#if defined(LW_THIS_TIER_IS_avx512_clx)
#include "bits/hamming_48.h"
#else
static size_t hamming_48(const uint8_t *query, const uint8_t *rows, size_t n_rows, uint32_t *out)
{
	(void)query;
	(void)rows;
	(void)n_rows;
	(void)out;
	return 0;
}
#endif

void LW_FN(hamming_rows)(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                         uint32_t *out)
{
	size_t done = n_bytes == 48 && ld == 48 ? hamming_48(query, rows, n_rows, out) : 0;

	rows += done * ld;
	n_rows -= done;
	out += done;
	if (is_prefetched(n_bytes))
		hamming_ahead(query, rows, n_rows, n_bytes, ld, out);
	else
		hamming_loop(0, query, rows, n_rows, n_bytes, ld, out);
}

LW_INLINE void overlap_loop(int ahead, const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes,
                            size_t ld, uint32_t *both, uint32_t *either)
{
	for (size_t r = 0; r < n_rows; r++) {
		if (ahead)
			prefetch_row(rows + r * ld, n_bytes);
		both[r] = count(OP_AND, query, rows + r * ld, n_bytes);
		either[r] = count(OP_OR, query, rows + r * ld, n_bytes);
	}
}

static LW_NOINLINE void overlap_ahead(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes,
                                      size_t ld, uint32_t *both, uint32_t *either)
{
	overlap_loop(1, query, rows, n_rows, n_bytes, ld, both, either);
}

void LW_FN(bit_overlap_rows)(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                             uint32_t *both, uint32_t *either)
{
	if (is_prefetched(n_bytes))
		overlap_ahead(query, rows, n_rows, n_bytes, ld, both, either);
	else
		overlap_loop(0, query, rows, n_rows, n_bytes, ld, both, either);
}
