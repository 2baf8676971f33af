/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise_seen_map: lines as in seen.h, with four mixed hashes and then their four numbers; a number of UINT64_MAX is a
 * free place. The table is never more than 5/8 full.
 */
#include "support.h"

#include "seen_object.h"

enum { PER_LINE = 4, FIRST_LINES = 64 };

#define FREE_PLACE UINT64_MAX
#define LINE_BYTES (LW_SEEN_LINE * sizeof(uint64_t))
#define MOST_LINES (SIZE_MAX / 16 / LINE_BYTES)

struct lanewise_seen_map {
	lanewise_allocator allocator;
	struct lw_seen_table table;
};

static const lanewise_allocator *allocator_of(const lanewise_seen_map *map)
{
	return map->allocator.allocate ? &map->allocator : NULL;
}

static uint64_t *line_at(const struct lw_seen_table *table, uint64_t line)
{
	return table->words + line * LW_SEEN_LINE;
}

static uint64_t limit_of(const struct lw_seen_table *table) { return table->n_lines / 2 * 5; }

static void put(struct lw_seen_table *table, uint64_t m, uint64_t number)
{
	uint64_t line = lw_seen_line(m, table->n_lines);

	for (;; line = line + 1 == table->n_lines ? 0 : line + 1)
		for (size_t i = 0; i < PER_LINE; i++) {
			uint64_t *place = line_at(table, line) + i;

			if (place[PER_LINE] != FREE_PLACE)
				continue;
			place[0] = m;
			place[PER_LINE] = number;
			return;
		}
}

static lanewise_status set_lines(lanewise_seen_map *map, uint64_t n_lines)
{
	struct lw_seen_table grown = map->table, *old = &map->table;

	if (n_lines > MOST_LINES)
		return LANEWISE_ERROR_TOO_LARGE;
	grown.n_lines = n_lines;
	grown.words = lanewise_seen_allocate(allocator_of(map), (size_t)n_lines * LINE_BYTES, 0xff);
	if (!grown.words)
		return LANEWISE_ERROR_NO_MEMORY;
	for (uint64_t line = 0; line < old->n_lines; line++)
		for (size_t i = 0; i < PER_LINE; i++) {
			const uint64_t *place = line_at(old, line) + i;

			if (place[PER_LINE] != FREE_PLACE)
				put(&grown, place[0], place[PER_LINE]);
		}
	lw_release(allocator_of(map), old->words, (size_t)old->n_lines * LINE_BYTES);
	*old = grown;
	return LANEWISE_OK;
}

lanewise_status lanewise_seen_map_create(uint64_t expected, const lanewise_allocator *allocator,
                                         lanewise_seen_map **map, lanewise_error *error)
{
	lanewise_seen_map *made;
	lanewise_status status;

	if (!map)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "map is NULL");
	*map = NULL;
	made = lw_allocate(allocator, sizeof *made);
	if (!made)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the map");
	*made = (lanewise_seen_map) { .allocator = allocator ? *allocator : (lanewise_allocator) { 0 } };
	lanewise_seen_make_secret(made->table.secret, NULL);
	status = expected > MOST_LINES ? LANEWISE_ERROR_TOO_LARGE : set_lines(made, expected / 5 * 2 + FIRST_LINES);
	if (status != LANEWISE_OK) {
		lanewise_seen_map_destroy(made);
		return lw_fail(error, status, LANEWISE_NO_OFFSET, "no memory for %llu hashes",
		               (unsigned long long)expected);
	}
	*map = made;
	return LANEWISE_OK;
}

void lanewise_seen_map_destroy(lanewise_seen_map *map)
{
	lanewise_allocator copy;

	if (!map)
		return;
	copy = map->allocator;
	lw_release(allocator_of(map), map->table.words, (size_t)map->table.n_lines * LINE_BYTES);
	lw_release(copy.allocate ? &copy : NULL, map, sizeof *map);
}

struct question {
	uint64_t m, number;
	lanewise_seen_equal_fn *equal;
	void *context;
};

/* The number remembered for the same thing, or FREE_PLACE; *n_share of equal hashes are something else. */
static uint64_t find(const struct lw_seen_table *table, const struct question *q, size_t *n_share)
{
	uint64_t line = lw_seen_line(q->m, table->n_lines);

	*n_share = 0;
	for (;; line = line + 1 == table->n_lines ? 0 : line + 1)
		for (size_t i = 0; i < PER_LINE; i++) {
			const uint64_t *place = line_at(table, line) + i;

			if (place[PER_LINE] == FREE_PLACE)
				return FREE_PLACE;
			if (place[0] != q->m)
				continue;
			if (!q->equal || q->equal(q->context, place[PER_LINE], q->number))
				return place[PER_LINE];
			if (++*n_share == LANEWISE_MAP_SHARE)
				return FREE_PLACE;
		}
}

static lanewise_status insert_one(lanewise_seen_map *map, const struct question *q, uint64_t *first)
{
	size_t n_share;
	uint64_t found = find(&map->table, q, &n_share);

	*first = found == FREE_PLACE ? q->number : found;
	if (found != FREE_PLACE || n_share == LANEWISE_MAP_SHARE)
		return LANEWISE_OK;
	if (map->table.n >= limit_of(&map->table)) {
		lanewise_status status = set_lines(map, 2 * map->table.n_lines);

		if (status != LANEWISE_OK)
			return status;
	}
	put(&map->table, q->m, q->number);
	map->table.n++;
	return LANEWISE_OK;
}

static void fetch(const struct lw_seen_table *table, uint64_t hash)
{
	__builtin_prefetch(line_at(table, lw_seen_line(lw_seen_mix(table->secret, hash), table->n_lines)), 1);
}

lanewise_status lanewise_seen_map_insert(lanewise_seen_map *map, const uint64_t *hashes, const uint64_t *numbers,
                                         size_t n, lanewise_seen_equal_fn *equal, void *context, uint64_t *first,
                                         size_t *n_taken)
{
	struct question q = { .equal = equal, .context = context };

	if (n_taken)
		*n_taken = 0;
	if (!map || (n > 0 && (!hashes || !numbers || !first)))
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 0; i < n; i++)
		if (numbers[i] == FREE_PLACE)
			return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 0; i < n && i < LW_SEEN_AHEAD; i++)
		fetch(&map->table, hashes[i]);
	for (size_t i = 0; i < n; i++) {
		if (n - i > LW_SEEN_AHEAD)
			fetch(&map->table, hashes[i + LW_SEEN_AHEAD]);
		q.m = lw_seen_mix(map->table.secret, hashes[i]);
		q.number = numbers[i];

		lanewise_status status = insert_one(map, &q, &first[i]);

		if (status != LANEWISE_OK)
			return status;
		if (n_taken)
			*n_taken = i + 1;
	}
	return LANEWISE_OK;
}

uint64_t lanewise_seen_map_count(const lanewise_seen_map *map) { return map->table.n; }
