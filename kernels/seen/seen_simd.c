/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels behind lanewise/seen.h for every vector tier; seen.h says how tables are made.
 *
 * Hashes are mixed, and their lines fetched, LW_SEEN_AHEAD before their turn, so as many misses are under way. A line is
 * compared with the hash and with zero; the lowest bit of both masks together is the place where the hash is or
 * belongs, and it is stored there in any case: new hashes and duplicates come in random order, and no branch tells
 * them apart. Only a full line without the hash takes one.
 */
#include "seen.h"

#include "line.h"

enum how { SET_64, SET_128, BLOOM };

/* Hashes that wait for their lines. */
struct ahead {
	uint64_t mixed[LW_SEEN_AHEAD];
	uint64_t line[LW_SEEN_AHEAD];
};

LW_INLINE void fetch(const struct lw_seen_table *t, struct ahead *ahead, enum how how, const uint64_t *hashes, size_t i)
{
	uint64_t m = lw_seen_mix(t->secret, how == SET_128 ? hashes[2 * i] : hashes[i]);
	uint64_t line = lw_seen_line(m, t->n_lines);

	ahead->mixed[i % LW_SEEN_AHEAD] = m;
	ahead->line[i % LW_SEEN_AHEAD] = line;
	__builtin_prefetch(t->words + line * LW_SEEN_LINE, 1);
}

/* Whether the hash is in its line, as places; those of free ones 8 (or 4) bits above. 0: neither, look in the next. */
LW_INLINE uint32_t look(const uint64_t *words, enum how how, uint64_t m, uint64_t high)
{
	uint32_t equal, empty = line_eq(words, 0);

	if (how == SET_64)
		return line_eq(words, m) | empty << 8;
	equal = line_eq_halves(words, m, high);
	return (equal & equal >> 4 & 15) | (empty & empty >> 4 & 15) << 4;
}

/* 1 if it was there. Zeros go in like any other, but are not told from free places: see below. */
LW_INLINE int take_one(const struct lw_seen_table *t, enum how how, uint64_t line, uint64_t m, uint64_t high,
                       int insert)
{
	uint64_t *words = t->words + line * LW_SEEN_LINE;
	uint32_t places = look(words, how, m, high), place;

	while (LW_UNLIKELY(places == 0)) {
		line = line + 1 == t->n_lines ? 0 : line + 1;
		words = t->words + line * LW_SEEN_LINE;
		places = look(words, how, m, high);
	}
	place = (uint32_t)__builtin_ctz(places);
	if (how == SET_64) {
		if (insert)
			words[place & 7] = m;
		return place < 8;
	}
	if (insert) {
		words[place & 3] = m;
		words[4 + (place & 3)] = high;
	}
	return place < 4;
}

LW_INLINE uint64_t take(const struct lw_seen_table *t, uint64_t *has_zero, enum how how, uint64_t line, uint64_t m,
                        uint64_t high, int insert)
{
	if (how == BLOOM) {
		uint64_t *words = t->words + line * LW_SEEN_LINE, bits = lw_seen_bloom_bits(m);

		return (uint64_t)(insert ? line_set_bits(words, bits) : line_has_bits(words, bits));
	}
	if (LW_UNLIKELY(m == 0) && (how == SET_64 || high == 0)) {
		uint64_t was_there = *has_zero;

		*has_zero |= (uint64_t)insert;
		return was_there;
	}
	return (uint64_t)take_one(t, how, line, m, high, insert);
}

/* Sets the bits of those that were there; returns their number. */
LW_INLINE size_t go_through(const struct lw_seen_table *table, uint64_t *has_zero, enum how how, const uint64_t *hashes,
                            size_t n, size_t first, uint64_t *bits, int insert)
{
	const struct lw_seen_table t = *table;
	struct ahead ahead;
	size_t n_there = 0;

	for (size_t i = 0; i < n && i < LW_SEEN_AHEAD; i++)
		fetch(&t, &ahead, how, hashes, i);
	for (size_t i = 0; i < n; i++) {
		uint64_t m = ahead.mixed[i % LW_SEEN_AHEAD], line = ahead.line[i % LW_SEEN_AHEAD];

		if (LW_LIKELY(n - i > LW_SEEN_AHEAD))
			fetch(&t, &ahead, how, hashes, i + LW_SEEN_AHEAD);

		uint64_t there = take(&t, has_zero, how, line, m, how == SET_128 ? hashes[2 * i + 1] : 0, insert);

		bits[(first + i) / 64] |= there << (first + i) % 64;
		n_there += there;
	}
	return n_there;
}

/* Of n hashes; how many are new. */
LW_INLINE size_t insert(struct lw_seen_table *table, enum how how, const uint64_t *hashes, size_t n, size_t first,
                        uint64_t *duplicates)
{
	size_t n_new = n - go_through(table, &table->has_zero, how, hashes, n, first, duplicates, 1);

	table->n += n_new;
	return n_new;
}

LW_INLINE void find(const struct lw_seen_table *table, enum how how, const uint64_t *hashes, size_t n, size_t first,
                    uint64_t *found)
{
	uint64_t has_zero = table->has_zero;

	go_through(table, &has_zero, how, hashes, n, first, found, 0);
}

size_t LW_FN(seen_insert_64)(struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                             uint64_t *duplicates)
{
	return insert(table, SET_64, hashes, n, first, duplicates);
}

void LW_FN(seen_find_64)(const struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                         uint64_t *found)
{
	find(table, SET_64, hashes, n, first, found);
}

size_t LW_FN(seen_insert_128)(struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                              uint64_t *duplicates)
{
	return insert(table, SET_128, hashes, n, first, duplicates);
}

void LW_FN(seen_find_128)(const struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                          uint64_t *found)
{
	find(table, SET_128, hashes, n, first, found);
}

size_t LW_FN(seen_insert_bloom)(struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                                uint64_t *duplicates)
{
	return insert(table, BLOOM, hashes, n, first, duplicates);
}

void LW_FN(seen_find_bloom)(const struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                            uint64_t *found)
{
	find(table, BLOOM, hashes, n, first, found);
}
