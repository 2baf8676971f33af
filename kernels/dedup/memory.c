/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came before: a hash table from hashes to entries, the entries in order of age, and for VERIFY the texts, in
 * chunks in order of age too, so that forgetting the oldest frees memory from the front.
 *
 * Strangers choose the texts, and must not be able to make this slow. Places in the table depend on a secret. XXH3 has
 * collisions for every seed, so in VERIFY mode many different texts of equal hash could make every search long; but
 * the first such pair is seen, since the texts are compared, and never happens by chance. Then all that is remembered
 * is hashed again with SipHash under the secret, once, and so is what comes. Answers do not depend on it.
 *
 * A table in memory costs a cache miss per unit, an entry another and a text a third. They are fetched in three passes
 * over a batch before it is gone through.
 */
#define _DEFAULT_SOURCE /* getrandom */
#include "dedup.h"

#include <sys/random.h>
#include <time.h>

#include "common.h"
#include "siphash.h"
#include "support.h"

#include "seen/seen_object.h"

enum {
	MIN_SLOTS = 2048,
	MIN_ENTRIES = 512,
	FAST_UP_TO = 1 << 14,   /* slots */
	AHEAD = 16,             /* entries whose slots are fetched */
	CHUNK_BYTES = 32 << 10, /* the first; then a quarter of what is there, up to MAX_CHUNK_BYTES */
	MAX_CHUNK_BYTES = 16 << 20,
	FETCHED_BYTES = 256,    /* of a text; the processor goes on by itself */
	MOST_EXPECTED = 1 << 18 /* units that room is made for by guess: 16 MB */
};

struct span {
	const unsigned char *p;
	size_t n;
};

struct lw_seen_chunk {
	struct lw_seen_chunk *next;
	size_t capacity, used;
	uint64_t end; /* number behind the last entry whose text is here */
	unsigned char text[];
};

/* ------------------------------------------------------------------- memory */

static int may_allocate(const struct lw_seen *seen, size_t n_bytes)
{
	return !seen->max_bytes || seen->n_bytes + n_bytes <= seen->max_bytes;
}

static void *allocate(struct lw_seen *seen, size_t n_bytes)
{
	void *p = lanewise_seen_allocate(seen->allocator, n_bytes, LW_SEEN_NO_FILL);

	if (p)
		seen->n_bytes += n_bytes;
	return p;
}

static void release(struct lw_seen *seen, void *p, size_t n_bytes)
{
	if (!p)
		return;
	seen->n_bytes -= n_bytes;
	lw_release(seen->allocator, p, n_bytes);
}

static void make_secret(uint64_t secret[4])
{
	if (getrandom(secret, 32, GRND_NONBLOCK) == 32)
		return;

	/* Early after boot there may be nothing better than what is hard to guess from outside. */
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	secret[0] = (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)secret;
	secret[1] = (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)&make_secret;
	secret[2] = secret[0] * 0x9e3779b97f4a7c15;
	secret[3] = secret[1] * 0xbf58476d1ce4e5b9;
}

/* -------------------------------------------------------------------- table */

static uint64_t mix(const struct lw_seen *seen, uint64_t hash)
{
	return (hash ^ seen->secret[2]) * (seen->secret[3] | 1);
}

static size_t home_of(const struct lw_seen *seen, uint64_t hash) { return (size_t)(mix(seen, hash) >> seen->shift); }

/* A slot but for the entry: bits of the hash that say little about its place, where that has been mixed. */
static uint64_t tag_of(uint64_t hash) { return (hash | 1) << 32; }

static int has_tag(uint64_t slot, uint64_t tag) { return (slot ^ tag) <= UINT32_MAX; }

/* A number's lower half says which entry it is, as there are never more than 2^32. */
static struct lw_seen_entry *entry_of(const struct lw_seen *seen, uint64_t number)
{
	return &seen->entries[number & (seen->n_entries - 1)];
}

/* A first empty slot for a hash; there is one. */
static void put_slot(struct lw_seen *seen, uint64_t hash, uint64_t number)
{
	size_t i = home_of(seen, hash);

	while (seen->slots[i])
		i = (i + 1) & (seen->n_slots - 1);
	seen->slots[i] = tag_of(hash) | (uint32_t)number;
}

/* All entries into an empty table. */
static void fill_slots(struct lw_seen *seen)
{
	for (uint64_t i = seen->first; i < seen->end; i++) {
		__builtin_prefetch(&seen->slots[home_of(seen, entry_of(seen, i + AHEAD)->hash)], 1);
		put_slot(seen, entry_of(seen, i)->hash, i);
	}
}

static lanewise_status set_slots(struct lw_seen *seen, size_t n_slots)
{
	uint64_t *slots = allocate(seen, n_slots * sizeof *slots);

	if (!slots)
		return LANEWISE_ERROR_NO_MEMORY;
	memset(slots, 0, n_slots * sizeof *slots);
	release(seen, seen->slots, seen->n_slots * sizeof *seen->slots);
	seen->slots = slots;
	seen->n_slots = n_slots;
	seen->shift = 64 - __builtin_ctzll(n_slots);
	fill_slots(seen);
	return LANEWISE_OK;
}

static lanewise_status set_entries(struct lw_seen *seen, size_t n_entries)
{
	struct lw_seen_entry *old = seen->entries, *entries = allocate(seen, n_entries * sizeof *entries);
	size_t n_old = seen->n_entries;

	if (!entries)
		return LANEWISE_ERROR_NO_MEMORY;
	for (uint64_t i = seen->first; i < seen->end; i++)
		entries[i & (n_entries - 1)] = old[i & (n_old - 1)];
	seen->entries = entries;
	seen->n_entries = n_entries;
	release(seen, old, n_old * sizeof *old);
	return LANEWISE_OK;
}

/*
 * Empties slot i without breaking searches: what follows it in its run moves up, unless that would bring it before its
 * home.
 */
static void remove_slot(struct lw_seen *seen, size_t i)
{
	size_t mask = seen->n_slots - 1;

	for (size_t j = (i + 1) & mask; seen->slots[j]; j = (j + 1) & mask) {
		size_t home = home_of(seen, entry_of(seen, seen->slots[j])->hash);

		if (((j - home) & mask) >= ((j - i) & mask)) {
			seen->slots[i] = seen->slots[j];
			i = j;
		}
	}
	seen->slots[i] = 0;
}

/* -------------------------------------------------------------------- hash */

static uint64_t hash_of(const struct lw_seen *seen, const unsigned char *text, size_t n_bytes)
{
	if (seen->keyed)
		return (seen->test_keyed_hash ? seen->test_keyed_hash : lw_siphash13)(text, n_bytes, seen->secret);
	if (seen->test_hash)
		return seen->test_hash(text, n_bytes, seen->secret);
	return lw_kernels()->xxh3_64(text, n_bytes, seen->mode == LANEWISE_DEDUP_VERIFY ? seen->secret[0] : 0);
}

static struct span form_of(const struct lw_seen_batch *batch, size_t i)
{
	return (struct span) { batch->base + batch->begin[i], (size_t)(batch->end[i] - batch->begin[i]) };
}

/* Hashes of units; `high` only in HASH128 mode. The others' come in a batch. */
static void hash_units(const struct lw_seen *seen, const struct lw_seen_batch *batch, uint64_t *hash, uint64_t *high)
{
	uint64_t seed = seen->mode == LANEWISE_DEDUP_VERIFY ? seen->secret[0] : 0, value[2];

	if (seen->mode == LANEWISE_DEDUP_HASH128) {
		for (size_t i = 0; i < batch->n; i++) {
			struct span form = form_of(batch, i);

			lw_kernels()->xxh3_128(form.p, form.n, 0, value);
			hash[i] = value[0];
			high[i] = value[1];
		}
	} else if (seen->keyed || seen->test_hash) {
		for (size_t i = 0; i < batch->n; i++) {
			struct span form = form_of(batch, i);

			hash[i] = hash_of(seen, form.p, form.n);
		}
	} else {
		lw_kernels()->xxh3_64_batch(batch->base, batch->begin, batch->end, batch->n, seed, hash);
	}
}

/* What is retained of a text. */
static struct span text_of(const struct lw_seen_entry *entry)
{
	struct span text = { entry->text + sizeof(size_t), 0 };

	memcpy(&text.n, entry->text, sizeof text.n);
	return text;
}

/* All that is remembered, hashed anew. */
static void rehash_keyed(struct lw_seen *seen)
{
	seen->keyed = 1;
	for (uint64_t i = seen->first; i < seen->end; i++) {
		struct span text = text_of(entry_of(seen, i));

		entry_of(seen, i)->hash = hash_of(seen, text.p, text.n);
	}
	memset(seen->slots, 0, seen->n_slots * sizeof *seen->slots);
	fill_slots(seen);
}

/* ------------------------------------------------------------------ forget */

static void release_chunks(struct lw_seen *seen)
{
	while (seen->oldest && seen->oldest->end <= seen->first) {
		struct lw_seen_chunk *chunk = seen->oldest;

		seen->oldest = chunk->next;
		if (!seen->oldest)
			seen->newest = NULL;
		release(seen, chunk, sizeof *chunk + chunk->capacity);
	}
}

static void forget_oldest(struct lw_seen *seen)
{
	size_t i = home_of(seen, entry_of(seen, seen->first)->hash);

	while (!seen->slots[i] || (uint32_t)seen->slots[i] != (uint32_t)seen->first)
		i = (i + 1) & (seen->n_slots - 1);
	remove_slot(seen, i);
	seen->first++;
	release_chunks(seen);
}

/* ---------------------------------------------------------------- remember */

enum room { ROOM, TRY_AGAIN, NO_ROOM, NO_MEMORY };

/* What to do where something may not grow. */
static enum room forget_or_give_up(struct lw_seen *seen)
{
	if (seen->first == seen->end)
		return NO_ROOM;
	forget_oldest(seen);
	return TRY_AGAIN;
}

/* A small table grows faster, where memory is not limited: to fill it anew is most of the work. */
static size_t grown_slots(const struct lw_seen *seen)
{
	return seen->n_slots < FAST_UP_TO && !seen->max_bytes ? 4 * seen->n_slots : 2 * seen->n_slots;
}

static enum room room_in_table(struct lw_seen *seen)
{
	if (seen->end - seen->first < seen->n_slots / 8 * 3)
		return ROOM;
	if (!may_allocate(seen, 2 * seen->n_slots * sizeof *seen->slots))
		return forget_or_give_up(seen);
	return set_slots(seen, grown_slots(seen)) == LANEWISE_OK ? TRY_AGAIN : NO_MEMORY;
}

static enum room room_in_entries(struct lw_seen *seen)
{
	if (seen->end - seen->first < seen->n_entries)
		return ROOM;
	if (!may_allocate(seen, 2 * seen->n_entries * sizeof *seen->entries))
		return forget_or_give_up(seen);
	if (seen->n_entries > UINT32_MAX)
		return NO_MEMORY; /* a slot cannot number more */
	return set_entries(seen, 2 * seen->n_entries) == LANEWISE_OK ? TRY_AGAIN : NO_MEMORY;
}

static enum room room_for_text(struct lw_seen *seen, size_t n_bytes)
{
	size_t capacity = (size_t)(seen->n_bytes / 4);
	struct lw_seen_chunk *chunk = seen->newest;

	if (chunk && chunk->capacity - chunk->used >= n_bytes)
		return ROOM;
	capacity = capacity < CHUNK_BYTES ? CHUNK_BYTES : capacity > MAX_CHUNK_BYTES ? MAX_CHUNK_BYTES : capacity;
	if (seen->max_bytes && capacity > seen->max_bytes / 8)
		capacity = (size_t)(seen->max_bytes / 8);
	if (capacity < n_bytes)
		capacity = n_bytes;
	if (!may_allocate(seen, sizeof *chunk + capacity))
		return forget_or_give_up(seen);
	chunk = allocate(seen, sizeof *chunk + capacity);
	if (!chunk)
		return NO_MEMORY;
	*chunk = (struct lw_seen_chunk) { .capacity = capacity, .end = seen->end };
	if (seen->newest)
		seen->newest->next = chunk;
	else
		seen->oldest = chunk;
	seen->newest = chunk;
	return ROOM;
}

/* Whether a text could be retained at all, if all else were forgotten. */
static int could_retain(const struct lw_seen *seen, size_t n_text)
{
	uint64_t fixed = seen->n_slots * sizeof *seen->slots + seen->n_entries * sizeof *seen->entries;

	return !seen->max_bytes || n_text + sizeof(struct lw_seen_chunk) + fixed <= seen->max_bytes;
}

/* Makes room for one more unit. Each turn grows something or forgets something, so it ends. */
static enum room make_room(struct lw_seen *seen, size_t n_text)
{
	int retains = seen->mode == LANEWISE_DEDUP_VERIFY;
	enum room room;

	if (retains && !could_retain(seen, n_text))
		return NO_ROOM;
	do {
		room = room_in_table(seen);
		if (room == ROOM)
			room = room_in_entries(seen);
		if (room == ROOM && retains)
			room = room_for_text(seen, n_text);
	} while (room == TRY_AGAIN);
	return room;
}

static const unsigned char *retain_text(struct lw_seen *seen, const unsigned char *text, size_t n_bytes)
{
	unsigned char *copy = seen->newest->text + seen->newest->used;

	memcpy(copy, &n_bytes, sizeof n_bytes);
	if (n_bytes)
		memcpy(copy + sizeof n_bytes, text, n_bytes);
	seen->newest->used += sizeof n_bytes + n_bytes;
	seen->newest->end = seen->end + 1;
	return copy;
}

static lanewise_status remember(struct lw_seen *seen, const lanewise_dedup_unit *unit, struct span form, uint64_t hash,
                                uint64_t high)
{
	int retains = seen->mode == LANEWISE_DEDUP_VERIFY;

	if (seen->window && seen->end - seen->first >= seen->window)
		forget_oldest(seen);

	enum room room = make_room(seen, sizeof(size_t) + form.n);

	if (room == NO_MEMORY)
		return LANEWISE_ERROR_NO_MEMORY;
	if (room == NO_ROOM)
		return LANEWISE_OK;

	struct lw_seen_entry *entry = entry_of(seen, seen->end);

	entry->hash = hash;
	if (retains)
		entry->text = retain_text(seen, form.p, form.n);
	else
		entry->high = high;
	entry->number = unit->number;
	entry->begin = unit->begin;
	put_slot(seen, hash, seen->end);
	seen->end++;
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------ search */

static int is_text(const struct lw_seen_entry *entry, struct span form)
{
	struct span text = text_of(entry);

	return text.n == form.n && (text.n == 0 || memcmp(text.p, form.p, text.n) == 0);
}

/* An entry that equals the unit, or NULL; `collides` if one of equal hash does not. */
static const struct lw_seen_entry *find(const struct lw_seen *seen, struct span form, uint64_t hash, uint64_t high,
                                        int *collides)
{
	uint64_t tag = tag_of(hash), slot;
	size_t mask = seen->n_slots - 1;

	for (size_t i = home_of(seen, hash); (slot = seen->slots[i]) != 0; i = (i + 1) & mask) {
		if (!has_tag(slot, tag))
			continue;

		const struct lw_seen_entry *entry = entry_of(seen, slot);

		if (entry->hash != hash)
			continue;
		if (seen->mode == LANEWISE_DEDUP_HASH64 ||
		    (seen->mode == LANEWISE_DEDUP_HASH128 && entry->high == high))
			return entry;
		if (seen->mode != LANEWISE_DEDUP_VERIFY)
			continue;
		if (is_text(entry, form))
			return entry;
		*collides = 1;
		if (!seen->keyed)
			return NULL;
	}
	return NULL;
}

/* Three passes, since each place is known only when the one before is there. */
static void fetch_batch(const struct lw_seen *seen, const struct lw_seen_batch *batch, const uint64_t *hash)
{
	const struct lw_seen_entry *entry[LW_SEEN_BATCH];
	uint16_t unit[LW_SEEN_BATCH];
	size_t n = batch->n, n_entries = 0, mask = seen->n_slots - 1;

	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&seen->slots[home_of(seen, hash[i])]);
	for (size_t i = 0; i < n; i++) {
		size_t at = home_of(seen, hash[i]);
		uint64_t tag = tag_of(hash[i]), slot;

		while ((slot = seen->slots[at]) != 0 && !has_tag(slot, tag))
			at = (at + 1) & mask;
		entry[n_entries] = entry_of(seen, slot);
		unit[n_entries] = (uint16_t)i;
		__builtin_prefetch(entry[n_entries]);
		n_entries += slot != 0;
	}
	for (size_t i = 0; seen->mode == LANEWISE_DEDUP_VERIFY && i < n_entries; i++) {
		size_t n_bytes = sizeof(size_t) + form_of(batch, unit[i]).n;

		for (size_t at = 0; at < n_bytes && at < FETCHED_BYTES; at += 64)
			__builtin_prefetch(entry[i]->text + at);
		__builtin_prefetch(entry[i]->text + (n_bytes < FETCHED_BYTES ? n_bytes : FETCHED_BYTES) - 1);
	}
}

LW_INLINE lanewise_status judge(struct lw_seen *seen, lanewise_dedup_unit *unit, struct span form, uint64_t hash,
                                uint64_t high)
{
	int collides = 0;
	const struct lw_seen_entry *entry = find(seen, form, hash, high, &collides);

	if (collides && !seen->keyed) {
		rehash_keyed(seen);
		hash = hash_of(seen, form.p, form.n);
		entry = find(seen, form, hash, high, &collides);
	}
	if (!entry)
		return remember(seen, unit, form, hash, high);
	unit->first = entry->number;
	unit->first_begin = entry->begin;
	return LANEWISE_OK;
}

LW_NOINLINE static lanewise_status judge_apart(struct lw_seen *seen, lanewise_dedup_unit *unit, struct span form,
                                               uint64_t hash, uint64_t high)
{
	return judge(seen, unit, form, hash, high);
}

/* Room for n more units, if nothing limits what is remembered and nothing else is needed for them. */
static int makes_room(struct lw_seen *seen, size_t n)
{
	uint64_t in_use = seen->end - seen->first;

	if (seen->mode == LANEWISE_DEDUP_VERIFY || seen->window || seen->max_bytes)
		return 0;
	while (in_use + n > seen->n_slots / 8 * 3)
		if (set_slots(seen, grown_slots(seen)) != LANEWISE_OK)
			return 0;
	while (in_use + n > seen->n_entries)
		if (seen->n_entries > UINT32_MAX || set_entries(seen, 2 * seen->n_entries) != LANEWISE_OK)
			return 0;
	return 1;
}

/*
 * Which of the next few slots from `home` on may end a search, the lowest bit for the first. So few that all are looked at,
 * since how many it takes is anyone's guess: a branch on it would be mispredicted.
 */
enum { FEW_SLOTS = 4 };
LW_INLINE uint32_t look_at_slots(const struct lw_seen *seen, size_t home, uint64_t tag)
{
	uint32_t ends = 0;

#pragma GCC unroll 4
	for (unsigned i = 0; i < FEW_SLOTS; i++) {
		uint64_t slot = seen->slots[(home + i) & (seen->n_slots - 1)];

		ends |= (uint32_t)((slot == 0) | has_tag(slot, tag)) << i;
	}
	return ends;
}

/*
 * What judge() does by hashes alone where there is room: whether a unit came before is anyone's guess, so that no branch may
 * depend on it, nor on which of the next few slots ends the search. An entry is written in any case, and counts if it is new.
 */
static lanewise_status judge_hashes(struct lw_seen *seen, const struct lw_seen_batch *batch, const uint64_t *hash,
                                    const uint64_t *high)
{
	const size_t mask = seen->n_slots - 1;

	for (size_t i = 0; i < batch->n; i++) {
		const uint64_t tag = tag_of(hash[i]), end = seen->end;
		const size_t home = home_of(seen, hash[i]);
		const uint32_t ends = look_at_slots(seen, home, tag);
		const size_t at = (home + (size_t)__builtin_ctz(ends | 1 << FEW_SLOTS)) & mask;
		lanewise_dedup_unit *unit = batch->unit[i];
		const uint64_t slot = seen->slots[at], if_new = (uint64_t)0 - (slot == 0);
		const struct lw_seen_entry *entry = entry_of(seen, slot | (end & if_new));

		*entry_of(seen, end) = (struct lw_seen_entry) {
			.hash = hash[i], .high = high[i], .number = unit->number, .begin = unit->begin
		};
		if (LW_UNLIKELY(!ends || entry->hash != hash[i] || entry->high != high[i])) {
			lanewise_status status = judge_apart(seen, unit, form_of(batch, i), hash[i], high[i]);

			if (status != LANEWISE_OK)
				return status;
			continue;
		}
		seen->slots[at] = slot | ((tag | (uint32_t)end) & if_new);
		seen->end = end + (if_new & 1);
		unit->first = entry->number;
		unit->first_begin = entry->begin;
	}
	return LANEWISE_OK;
}

lanewise_status lanewise_dedup_look_up(struct lw_seen *seen, const struct lw_seen_batch *batch)
{
	uint64_t hash[LW_SEEN_BATCH], high[LW_SEEN_BATCH];
	int keyed = seen->keyed;

	if (batch->n == 0)
		return LANEWISE_OK;
	memset(high, 0, batch->n * sizeof *high);
	hash_units(seen, batch, hash, high);
	if (seen->n_slots >= LW_SEEN_FETCHED)
		fetch_batch(seen, batch, hash);
	if (makes_room(seen, batch->n))
		return judge_hashes(seen, batch, hash, high);
	for (size_t i = 0; i < batch->n; i++) {
		struct span form = form_of(batch, i);

		if (seen->keyed != keyed) /* a unit before this one changed the hash */
			hash[i] = hash_of(seen, form.p, form.n);

		lanewise_status status = judge(seen, batch->unit[i], form, hash[i], high[i]);

		if (status != LANEWISE_OK)
			return status;
	}
	return LANEWISE_OK;
}

/* ------------------------------------------------------------ begin and end */

static size_t power_of_two_from(size_t n)
{
	size_t power = 1;

	while (power < n)
		power *= 2;
	return power;
}

static size_t slots_for(uint64_t n_units) { return power_of_two_from((size_t)n_units / 3 * 8 + 8); }

lanewise_status lanewise_dedup_memory_begin(struct lw_seen *seen, uint64_t expected)
{
	size_t n_slots = MIN_SLOTS, n_entries = MIN_ENTRIES;
	lanewise_status status;

	make_secret(seen->secret);
	if (seen->window && expected > seen->window)
		expected = seen->window;
	if (expected > SIZE_MAX / 1024)
		return LANEWISE_ERROR_TOO_LARGE;
	if (expected > MIN_ENTRIES) {
		n_slots = slots_for(expected);
		n_entries = power_of_two_from((size_t)expected);
	}
	if (!may_allocate(seen, n_slots * sizeof *seen->slots + n_entries * sizeof *seen->entries)) {
		n_slots = MIN_SLOTS;
		n_entries = MIN_ENTRIES;
	}
	status = set_slots(seen, n_slots);
	return status == LANEWISE_OK ? set_entries(seen, n_entries) : status;
}

void lanewise_dedup_memory_expect(struct lw_seen *seen, uint64_t n_units)
{
	n_units = n_units < MOST_EXPECTED ? n_units : MOST_EXPECTED;
	if (seen->end > 0 || seen->max_bytes || seen->window || n_units <= seen->n_entries)
		return;
	/* It was only a guess, so if there is no memory for it, the tables grow as they are needed. */
	if (set_slots(seen, slots_for(n_units)) == LANEWISE_OK)
		(void)set_entries(seen, power_of_two_from((size_t)n_units));
}

void lanewise_dedup_memory_end(struct lw_seen *seen)
{
	while (seen->oldest) {
		struct lw_seen_chunk *chunk = seen->oldest;

		seen->oldest = chunk->next;
		release(seen, chunk, sizeof *chunk + chunk->capacity);
	}
	release(seen, seen->entries, seen->n_entries * sizeof *seen->entries);
	release(seen, seen->slots, seen->n_slots * sizeof *seen->slots);
}
