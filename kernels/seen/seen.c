/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/seen.h but for windows (window.c), maps (map.c) and files (seen_file.c): memory, growth and limits around the
 * kernels. A batch goes to them in parts for which there is room.
 */
#define _DEFAULT_SOURCE /* getrandom, madvise */
#include <sys/mman.h>

#include <lanewise/seen.h>

#include "secret.h"
#include "support.h"

#include "seen_object.h"

enum {
	PART = 4096,     /* hashes that go to a kernel at once */
	MIN_LINES = 64,  /* of a table that grows */
	MIN_BYTES = 4096 /* of max_bytes */
};

#define HUGE_PAGE    ((size_t)2 << 20)
#define LINE_BYTES   (LW_SEEN_LINE * sizeof(uint64_t))
#define MOST_LINES   (SIZE_MAX / 16 / LINE_BYTES)
#define MOST_WINDOW  ((uint64_t)1 << 40)
#define DEFAULT_BITS 16

/* ------------------------------------------------------------------- memory */

/* A miss in a table on small pages costs a second one for the page's address; so large ones ask for huge pages. */
void *lanewise_seen_allocate(const lanewise_allocator *allocator, size_t n_bytes, int fill)
{
	unsigned char *p;

	if (allocator || n_bytes < HUGE_PAGE || n_bytes > SIZE_MAX - HUGE_PAGE) {
		p = lw_allocate(allocator, n_bytes);
	} else {
		p = aligned_alloc(HUGE_PAGE, (n_bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
		if (p)
			madvise(p, n_bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	}
	if (p && fill != LW_SEEN_NO_FILL)
		memset(p, fill, n_bytes);
	return p;
}

static size_t table_bytes(const struct lw_seen_table *table) { return (size_t)table->n_lines * LINE_BYTES; }

static lanewise_status allocate_table(const lanewise_seen *seen, struct lw_seen_table *table, uint64_t n_lines)
{
	if (n_lines > MOST_LINES)
		return LANEWISE_ERROR_TOO_LARGE;
	table->words = lanewise_seen_allocate(lw_seen_allocator(seen), (size_t)n_lines * LINE_BYTES, 0);
	table->n_lines = n_lines;
	return table->words ? LANEWISE_OK : LANEWISE_ERROR_NO_MEMORY;
}

static void release_table(const lanewise_seen *seen, struct lw_seen_table *table)
{
	lw_release(lw_seen_allocator(seen), table->words, table_bytes(table));
}

static void empty_table(struct lw_seen_table *table)
{
	if (table->words)
		memset(table->words, 0, table_bytes(table));
	table->n = table->has_zero = 0;
}

void lanewise_seen_make_secret(uint64_t secret[3], const uint64_t *seed)
{
	uint64_t key[2] = { 0, 0 };

	if (seed)
		key[0] = *seed;
	else
		lw_make_secret(key);
	for (uint64_t i = 0; i < 3; i++)
		secret[i] = lw_siphash13(&(unsigned char) { (unsigned char)i }, 1, key) | (i > 0);
}

/* -------------------------------------------------------------------- growth */

static int is_wide(const lanewise_seen *seen) { return seen->kind == LANEWISE_SEEN_SET128; }

/* Six of eight places. */
static uint64_t limit_of(const lanewise_seen *seen, uint64_t n_lines) { return n_lines * (is_wide(seen) ? 3 : 6); }

/* Five of eight where there is a choice: that is faster. */
static uint64_t lines_for(const lanewise_seen *seen, uint64_t n) { return n / 5 * (is_wide(seen) ? 2 : 1) + MIN_LINES; }

/* A hash that is not there to the first free place from its line on. */
LW_INLINE void put(struct lw_seen_table *to, size_t per_line, uint64_t m, uint64_t high)
{
	for (uint64_t line = lw_seen_line(m, to->n_lines);; line = line + 1 == to->n_lines ? 0 : line + 1) {
		uint64_t *words = to->words + line * LW_SEEN_LINE;

		for (size_t i = 0; i < per_line; i++)
			if (words[i] == 0 && (per_line == 8 || words[4 + i] == 0)) {
				words[i] = m;
				if (per_line == 4)
					words[4 + i] = high;
				return;
			}
	}
}

/*
 * What a line of the old table has goes to two lines of the new one, twice as long, and each fits there: dealt out
 * without a branch on which. Not so what came to the old line from a full one before it, or where such hashes were put
 * into the new lines already.
 */
LW_INLINE void move_line(struct lw_seen_table *to, const struct lw_seen_table *from, uint64_t line, size_t per_line)
{
	const uint64_t *old = from->words + line * LW_SEEN_LINE;
	uint64_t *both = to->words + 2 * line * LW_SEEN_LINE;
	size_t used[2] = { 0, 0 };
	int is_taken = (both[0] | both[8]) != 0 || (per_line == 4 && (both[4] | both[12]) != 0);

	for (size_t i = 0; i < per_line && (old[i] || (per_line == 4 && old[4 + i])); i++) {
		uint64_t m = old[i], high = per_line == 4 ? old[4 + i] : 0, place = lw_seen_line(m, to->n_lines);
		size_t which = place & 1;

		if (is_taken || place >> 1 != line) {
			put(to, per_line, m, high);
			is_taken |= place >> 1 != line;
			continue;
		}
		both[LW_SEEN_LINE * which + used[which]] = m;
		if (per_line == 4)
			both[LW_SEEN_LINE * which + 4 + used[which]] = high;
		used[which]++;
	}
}

/* Both tables are gone through from front to back, as their order is the same. */
static void move_all(const lanewise_seen *seen, struct lw_seen_table *to)
{
	if (is_wide(seen))
		for (uint64_t line = 0; line < seen->table.n_lines; line++)
			move_line(to, &seen->table, line, 4);
	else
		for (uint64_t line = 0; line < seen->table.n_lines; line++)
			move_line(to, &seen->table, line, 8);
}

static lanewise_status grow(lanewise_seen *seen)
{
	struct lw_seen_table grown = seen->table;
	lanewise_status status = allocate_table(seen, &grown, 2 * seen->table.n_lines);

	if (status != LANEWISE_OK)
		return status;
	move_all(seen, &grown);
	release_table(seen, &seen->table);
	seen->table = grown;
	seen->limit = limit_of(seen, grown.n_lines);
	return LANEWISE_OK;
}

/* How many of n hashes may go to the table now. 0: none, and *status says why. */
static size_t make_room(lanewise_seen *seen, size_t n, lanewise_status *status)
{
	n = n < PART ? n : PART;
	while (!seen->max_bytes && seen->limit - seen->table.n < n) {
		*status = grow(seen);
		if (*status != LANEWISE_OK)
			break;
	}
	if (seen->limit == seen->table.n && seen->max_bytes && seen->when_full == LANEWISE_SEEN_FORGET) {
		struct lw_seen_table emptied = seen->old;

		seen->old = seen->table;
		seen->table = emptied;
		empty_table(&seen->table);
		seen->n_in_both = 0;
	}
	uint64_t room = seen->limit - seen->table.n;

	return room < n ? (size_t)room : n;
}

/* ------------------------------------------------------------------ batches */

static size_t insert_part(lanewise_seen *seen, struct lw_seen_table *table, const uint64_t *hashes, size_t n,
                          size_t first, uint64_t *duplicates)
{
	const struct lw_kernels *kernels = lw_kernels();

	return (seen->kind == LANEWISE_SEEN_SET64    ? kernels->seen_insert_64
	        : seen->kind == LANEWISE_SEEN_SET128 ? kernels->seen_insert_128
	                                             : kernels->seen_insert_bloom)(table, hashes, n, first, duplicates);
}

static void find_part(const lanewise_seen *seen, const struct lw_seen_table *table, const uint64_t *hashes, size_t n,
                      size_t first, uint64_t *found)
{
	const struct lw_kernels *kernels = lw_kernels();

	if (table->n == 0 && seen->kind != LANEWISE_SEEN_BLOOM)
		return;
	(seen->kind == LANEWISE_SEEN_SET64    ? kernels->seen_find_64
	 : seen->kind == LANEWISE_SEEN_SET128 ? kernels->seen_find_128
	                                      : kernels->seen_find_bloom)(table, hashes, n, first, found);
}

static size_t count_bits(const uint64_t *bits, size_t first, size_t n)
{
	size_t count = 0;

	for (size_t i = first; i < first + n;) {
		size_t skipped = i % 64, here = 64 - skipped < first + n - i ? 64 - skipped : first + n - i;
		uint64_t word = bits[i / 64] >> skipped;

		count += (size_t)__builtin_popcountll(here < 64 ? word & (((uint64_t)1 << here) - 1) : word);
		i += here;
	}
	return count;
}

/* Full: duplicates from `first` on are still told. Returns how many of at most PART there are before a new hash. */
static size_t tell_duplicates(const lanewise_seen *seen, const uint64_t *hashes, size_t n, size_t first, uint64_t *bits)
{
	uint64_t found[PART / 64] = { 0 };
	size_t n_found = 0;

	n = n < PART ? n : PART;
	find_part(seen, &seen->table, hashes, n, 0, found);
	while (n_found < n && (found[n_found / 64] >> n_found % 64 & 1)) {
		bits[(first + n_found) / 64] |= (uint64_t)1 << (first + n_found) % 64;
		n_found++;
	}
	return n_found;
}

static lanewise_status insert_all(lanewise_seen *seen, const uint64_t *hashes, size_t n, uint64_t *duplicates,
                                  size_t *n_taken)
{
	size_t words = is_wide(seen) ? 2 : 1, i = 0;
	lanewise_status status = LANEWISE_OK;

	memset(duplicates, 0, (n / 64 + (n % 64 != 0)) * sizeof *duplicates);
	if (seen->kind == LANEWISE_SEEN_BLOOM) {
		insert_part(seen, &seen->table, hashes, n, 0, duplicates);
		i = n;
	}
	while (i < n) {
		size_t part = make_room(seen, n - i, &status), n_fresh;

		if (part == 0) {
			part = tell_duplicates(seen, hashes + i * words, n - i, i, duplicates);
			i += part;
			if (part == 0)
				break;
			continue;
		}
		status = LANEWISE_OK; /* there is some room, if not for all */
		if (seen->old.words)
			find_part(seen, &seen->old, hashes + i * words, part, i, duplicates);
		n_fresh = insert_part(seen, &seen->table, hashes + i * words, part, i, duplicates);
		if (seen->old.n > 0)
			seen->n_in_both += n_fresh - (part - count_bits(duplicates, i, part));
		i += part;
	}
	if (n_taken)
		*n_taken = i;
	return i == n ? LANEWISE_OK : status != LANEWISE_OK ? status : LANEWISE_ERROR_CAPACITY;
}

lanewise_status lanewise_seen_insert_64(lanewise_seen *seen, const uint64_t *hashes, size_t n, uint64_t *duplicates,
                                        size_t *n_taken)
{
	if (n_taken)
		*n_taken = 0;
	if (!seen || is_wide(seen) || (n > 0 && (!hashes || !duplicates)))
		return LANEWISE_ERROR_ARGUMENT;
	if (n == 0)
		return LANEWISE_OK;
	return seen->kind == LANEWISE_SEEN_WINDOW ? lanewise_seen_window_insert(seen, hashes, n, duplicates, n_taken)
	                                          : insert_all(seen, hashes, n, duplicates, n_taken);
}

_Static_assert(sizeof(lanewise_hash128) == 16 && offsetof(lanewise_hash128, high) == 8, "the kernels see two words");

lanewise_status lanewise_seen_insert_128(lanewise_seen *seen, const lanewise_hash128 *hashes, size_t n,
                                         uint64_t *duplicates, size_t *n_taken)
{
	if (n_taken)
		*n_taken = 0;
	if (!seen || !is_wide(seen) || (n > 0 && (!hashes || !duplicates)))
		return LANEWISE_ERROR_ARGUMENT;
	return n == 0 ? LANEWISE_OK : insert_all(seen, &hashes->low, n, duplicates, n_taken);
}

static lanewise_status find_all(const lanewise_seen *seen, const uint64_t *hashes, size_t n, uint64_t *found)
{
	memset(found, 0, (n / 64 + (n % 64 != 0)) * sizeof *found);
	if (seen->kind == LANEWISE_SEEN_WINDOW) {
		lanewise_seen_window_find(seen, hashes, n, found);
		return LANEWISE_OK;
	}
	find_part(seen, &seen->table, hashes, n, 0, found);
	if (seen->old.words)
		find_part(seen, &seen->old, hashes, n, 0, found);
	return LANEWISE_OK;
}

lanewise_status lanewise_seen_find_64(const lanewise_seen *seen, const uint64_t *hashes, size_t n, uint64_t *found)
{
	if (!seen || is_wide(seen) || (n > 0 && (!hashes || !found)))
		return LANEWISE_ERROR_ARGUMENT;
	return n == 0 ? LANEWISE_OK : find_all(seen, hashes, n, found);
}

lanewise_status lanewise_seen_find_128(const lanewise_seen *seen, const lanewise_hash128 *hashes, size_t n,
                                       uint64_t *found)
{
	if (!seen || !is_wide(seen) || (n > 0 && (!hashes || !found)))
		return LANEWISE_ERROR_ARGUMENT;
	return n == 0 ? LANEWISE_OK : find_all(seen, &hashes->low, n, found);
}

/* ----------------------------------------------------------------- properties */

int32_t lanewise_seen_kind(const lanewise_seen *seen) { return seen->kind; }

uint64_t lanewise_seen_count(const lanewise_seen *seen)
{
	return seen->kind == LANEWISE_SEEN_WINDOW ? seen->end - seen->first
	                                          : seen->table.n + seen->old.n - seen->n_in_both;
}

uint64_t lanewise_seen_capacity(const lanewise_seen *seen)
{
	return seen->kind == LANEWISE_SEEN_WINDOW ? seen->window : seen->limit * (seen->old.words ? 2 : 1);
}

uint64_t lanewise_seen_memory(const lanewise_seen *seen)
{
	return table_bytes(&seen->table) + (seen->old.words ? table_bytes(&seen->old) : 0) +
	       (seen->n_ring + seen->n_slots) * sizeof(uint64_t);
}

void lanewise_seen_clear(lanewise_seen *seen)
{
	empty_table(&seen->table);
	empty_table(&seen->old);
	seen->n_in_both = seen->first = seen->end = 0;
	if (seen->slots)
		memset(seen->slots, 0, seen->n_slots * sizeof *seen->slots);
}

/* ---------------------------------------------------------- create and destroy */

#define WRONG(...) lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, __VA_ARGS__)

static lanewise_status check_options(const lanewise_seen_options *o, lanewise_error *error)
{
	if (o->struct_size != sizeof *o)
		return WRONG("struct_size is %zu, not %zu", o->struct_size, sizeof *o);
	if (o->kind < LANEWISE_SEEN_SET64 || o->kind > LANEWISE_SEEN_WINDOW)
		return WRONG("there is no kind %d", (int)o->kind);
	if (o->when_full != LANEWISE_SEEN_REFUSE && o->when_full != LANEWISE_SEEN_FORGET)
		return WRONG("there is no when_full %d", (int)o->when_full);
	if (o->when_full == LANEWISE_SEEN_FORGET && (o->kind > LANEWISE_SEEN_SET128 || o->max_bytes == 0))
		return WRONG("when_full: only a set with max_bytes forgets");
	if (o->max_bytes != 0 && o->max_bytes < MIN_BYTES)
		return WRONG("max_bytes is below %d", (int)MIN_BYTES);
	if (o->kind == LANEWISE_SEEN_WINDOW ? o->window == 0 || o->window > MOST_WINDOW : o->window != 0)
		return WRONG("window: 1 to 2^40 for a window, 0 for others");
	if (o->kind == LANEWISE_SEEN_WINDOW && o->max_bytes != 0)
		return WRONG("max_bytes: a window is limited by its length");
	if (o->kind == LANEWISE_SEEN_BLOOM && o->expected == 0 && o->max_bytes == 0)
		return WRONG("expected and max_bytes are 0: how large shall the Bloom filter be?");
	if (o->bits_per_hash != 0 && (o->bits_per_hash < 4 || o->bits_per_hash > 64))
		return WRONG("bits_per_hash is %u, not 4 to 64", (unsigned)o->bits_per_hash);
	if (o->is_seeded > 1)
		return WRONG("is_seeded is %u", (unsigned)o->is_seeded);
	return LANEWISE_OK;
}

static lanewise_status allocate_bloom(lanewise_seen *seen, const lanewise_seen_options *o)
{
	uint64_t bits = o->bits_per_hash ? o->bits_per_hash : DEFAULT_BITS, n_lines = o->max_bytes / LINE_BYTES;

	if (o->expected > UINT64_MAX / 128)
		return LANEWISE_ERROR_TOO_LARGE;
	if (o->max_bytes == 0)
		n_lines = o->expected * bits / 512 + 1;
	seen->limit = o->expected;
	if (seen->limit == 0)
		seen->limit = n_lines > UINT64_MAX / 512 ? UINT64_MAX : n_lines * 512 / bits;
	return allocate_table(seen, &seen->table, n_lines);
}

static lanewise_status allocate_set(lanewise_seen *seen, const lanewise_seen_options *o)
{
	int forgets = o->when_full == LANEWISE_SEEN_FORGET;
	uint64_t n_lines;
	lanewise_status status;

	if (o->expected > UINT64_MAX / 4)
		return LANEWISE_ERROR_TOO_LARGE;
	/* With one part more than expected, the last one does not make it grow. */
	n_lines = o->max_bytes  ? o->max_bytes / LINE_BYTES / (forgets ? 2 : 1)
	          : o->expected ? lines_for(seen, o->expected + PART)
	                        : MIN_LINES;
	seen->limit = limit_of(seen, n_lines);
	status = allocate_table(seen, &seen->table, n_lines);
	if (status == LANEWISE_OK && forgets)
		status = allocate_table(seen, &seen->old, n_lines);
	return status;
}

lanewise_status lanewise_seen_create(const lanewise_seen_options *options, const lanewise_allocator *allocator,
                                     lanewise_seen **seen, lanewise_error *error)
{
	const lanewise_seen_options defaults = { .struct_size = sizeof defaults };
	lanewise_seen *made;
	lanewise_status status;

	if (!seen)
		return WRONG("seen is NULL");
	*seen = NULL;
	options = options ? options : &defaults;
	status = check_options(options, error);
	if (status != LANEWISE_OK)
		return status;
	made = lw_allocate(allocator, sizeof *made);
	if (!made)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the object");
	*made = (lanewise_seen) { .kind = options->kind,
		                  .when_full = options->when_full,
		                  .max_bytes = options->max_bytes,
		                  .window = options->window };
	if (allocator)
		made->allocator = *allocator;
	lanewise_seen_make_secret(made->table.secret, options->is_seeded ? &options->seed : NULL);
	memcpy(made->old.secret, made->table.secret, sizeof made->old.secret);
	if (options->kind == LANEWISE_SEEN_WINDOW)
		status = lanewise_seen_window_begin(made);
	else if (options->kind == LANEWISE_SEEN_BLOOM)
		status = allocate_bloom(made, options);
	else
		status = allocate_set(made, options);
	if (status != LANEWISE_OK) {
		lanewise_seen_destroy(made);
		return lw_fail(error, status, LANEWISE_NO_OFFSET, "no memory for expected %llu, max_bytes %llu",
		               (unsigned long long)options->expected, (unsigned long long)options->max_bytes);
	}
	*seen = made;
	return LANEWISE_OK;
}

void lanewise_seen_destroy(lanewise_seen *seen)
{
	lanewise_allocator copy;

	if (!seen)
		return;
	copy = seen->allocator;
	release_table(seen, &seen->table);
	release_table(seen, &seen->old);
	lw_release(lw_seen_allocator(seen), seen->ring, seen->n_ring * sizeof *seen->ring);
	lw_release(lw_seen_allocator(seen), seen->slots, seen->n_slots * sizeof *seen->slots);
	lw_release(copy.allocate ? &copy : NULL, seen, sizeof *seen);
}
