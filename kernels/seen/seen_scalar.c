/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for the kernels behind lanewise/seen.h: one hash after the other, word by word. */
#include "seen.h"

static void set_bit(uint64_t *bits, size_t i) { bits[i / 64] |= (uint64_t)1 << i % 64; }

/* Finds the place of a pair of words that are `distance` apart in their line, `per_line` pairs in it, or a free one. */
static uint64_t *find_place(const struct lw_seen_table *table, uint64_t line, size_t per_line, uint64_t low,
                            uint64_t high, int *is_there)
{
	for (;; line = line + 1 == table->n_lines ? 0 : line + 1) {
		uint64_t *words = table->words + line * LW_SEEN_LINE;

		for (size_t i = 0; i < per_line; i++) {
			uint64_t other = per_line == 4 ? words[4 + i] : 0;

			*is_there = words[i] == low && other == high;
			if (*is_there || (words[i] == 0 && other == 0))
				return words + i;
		}
	}
}

size_t LW_FN(seen_insert_64)(struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                             uint64_t *duplicates)
{
	size_t n_new = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t m = lw_seen_mix(table->secret, hashes[i]);
		int is_there = (int)table->has_zero;

		if (m == 0) {
			table->has_zero = 1;
		} else {
			*find_place(table, lw_seen_line(m, table->n_lines), 8, m, 0, &is_there) = m;
		}
		if (is_there)
			set_bit(duplicates, first + i);
		n_new += !is_there;
	}
	table->n += n_new;
	return n_new;
}

void LW_FN(seen_find_64)(const struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                         uint64_t *found)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t m = lw_seen_mix(table->secret, hashes[i]);
		int is_there = (int)table->has_zero;

		if (m != 0)
			find_place(table, lw_seen_line(m, table->n_lines), 8, m, 0, &is_there);
		if (is_there)
			set_bit(found, first + i);
	}
}

size_t LW_FN(seen_insert_128)(struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                              uint64_t *duplicates)
{
	size_t n_new = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t m = lw_seen_mix(table->secret, hashes[2 * i]), high = hashes[2 * i + 1];
		int is_there = (int)table->has_zero;

		if (m == 0 && high == 0) {
			table->has_zero = 1;
		} else {
			uint64_t *place = find_place(table, lw_seen_line(m, table->n_lines), 4, m, high, &is_there);

			place[0] = m;
			place[4] = high;
		}
		if (is_there)
			set_bit(duplicates, first + i);
		n_new += !is_there;
	}
	table->n += n_new;
	return n_new;
}

void LW_FN(seen_find_128)(const struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                          uint64_t *found)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t m = lw_seen_mix(table->secret, hashes[2 * i]), high = hashes[2 * i + 1];
		int is_there = (int)table->has_zero;

		if (m != 0 || high != 0)
			find_place(table, lw_seen_line(m, table->n_lines), 4, m, high, &is_there);
		if (is_there)
			set_bit(found, first + i);
	}
}

/* Whether all bits of a hash are set in its block; sets them if `set`. */
static int bloom(const struct lw_seen_table *table, uint64_t hash, int set)
{
	uint64_t m = lw_seen_mix(table->secret, hash), bits = lw_seen_bloom_bits(m);
	uint64_t *words = table->words + lw_seen_line(m, table->n_lines) * LW_SEEN_LINE;
	int all = 1;

	for (size_t i = 0; i < LW_SEEN_BLOOM_BITS; i++) {
		uint64_t bit = (uint64_t)1 << (bits >> 6 * i & 63);

		all &= (words[i] & bit) != 0;
		if (set)
			words[i] |= bit;
	}
	return all;
}

size_t LW_FN(seen_insert_bloom)(struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                                uint64_t *duplicates)
{
	size_t n_new = 0;

	for (size_t i = 0; i < n; i++)
		if (bloom(table, hashes[i], 1))
			set_bit(duplicates, first + i);
		else
			n_new++;
	table->n += n_new;
	return n_new;
}

void LW_FN(seen_find_bloom)(const struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                            uint64_t *found)
{
	for (size_t i = 0; i < n; i++)
		if (bloom(table, hashes[i], 0))
			set_bit(found, first + i);
}
