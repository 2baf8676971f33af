/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of hashes and where the lines are that had them. Lines that stay are copied to chunks one after the other: they
 * are what later lines are compared with, and at the same time what is written, in large parts.
 *
 * A line costs two cache misses, one in the table and, if it is a duplicate, one in the chunks. They are fetched for a
 * batch of lines before the batch is gone through. A place in the table is one cache line with the hashes and the
 * addresses of four lines.
 */
#include "lines.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <lanewise/hash.h>
#include <lanewise/seen.h>

#include "tool.h"

enum {
	BATCH = 256,
	HUGE_PAGE = 2 << 20,
	FIRST_PLACES = 1 << 14,
	PER_PLACE = 4,
	FIRST_CHUNK = 1 << 20, /* the next is twice as large, up to LAST_CHUNK */
	LAST_CHUNK = 32 << 20,
	FETCHED_BYTES = 256 /* of a text; the processor goes on by itself */
};

struct place {
	uint64_t hash[PER_PLACE]; /* mixed; 0 where there is none */
	const char *text[PER_PLACE];
};

struct chunk {
	struct chunk *before;
	size_t capacity, used, written;
	char *text;
};

struct lines {
	struct lines_options options;
	FILE *out, *dropped;
	uint64_t n_kept, n_dropped;
	uint64_t seed, flip, factor; /* secret */
	struct place *places;
	size_t n_places; /* a power of two */
	int shift;
	uint64_t n_hashes;
	struct chunk *chunk;
	lanewise_seen *seen; /* hashes of 128 bits */
};

/* -------------------------------------------------------------------- memory */

/* Zeros, on huge pages. */
static void *map(size_t n_bytes)
{
	void *p = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tool_fail("dedup: out of memory");
	madvise(p, n_bytes, MADV_HUGEPAGE);
	return p;
}

static void add_chunk(struct lines *l, size_t n_bytes)
{
	size_t capacity = l->chunk ? 2 * l->chunk->capacity : FIRST_CHUNK;
	struct chunk *chunk = tool_allocate(1, sizeof *chunk);

	capacity = capacity > LAST_CHUNK ? LAST_CHUNK : capacity;
	if (capacity < n_bytes)
		capacity = (n_bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	*chunk = (struct chunk) { .before = l->chunk, .capacity = capacity, .text = map(capacity) };
	l->chunk = chunk;
}

static void make_places(struct lines *l, size_t n_places)
{
	l->places = map(n_places * sizeof *l->places);
	l->n_places = n_places;
	l->shift = 64 - __builtin_ctzll(n_places);
}

/* --------------------------------------------------------------------- table */

static uint64_t mix(const struct lines *l, uint64_t hash)
{
	uint64_t mixed = ((hash & ~l->options.weaken) ^ l->flip) * l->factor;

	return mixed ? mixed : 1;
}

static struct place *home_of(const struct lines *l, uint64_t hash) { return l->places + (hash >> l->shift); }

static struct place *next_place(const struct lines *l, struct place *place)
{
	return place + 1 == l->places + l->n_places ? l->places : place + 1;
}

/* Bits of the places that have the hash, and four above, those that are free. */
static unsigned look(const struct place *place, uint64_t hash)
{
	unsigned bits = 0;

#pragma GCC unroll 4
	for (int i = 0; i < PER_PLACE; i++)
		bits |= (unsigned)(place->hash[i] == hash) << i | (unsigned)(place->hash[i] == 0) << (PER_PLACE + i);
	return bits;
}

static void put(struct lines *l, uint64_t hash, const char *text)
{
	struct place *place = home_of(l, hash);
	unsigned bits;

	while (!(bits = look(place, 0) & 15))
		place = next_place(l, place);
	place->hash[__builtin_ctz(bits)] = hash;
	place->text[__builtin_ctz(bits)] = text;
}

/* Hashes come in the order of their homes, old and new, so both tables are gone through from front to back. */
static void grow(struct lines *l)
{
	struct place *old = l->places;
	size_t n_old = l->n_places;

	make_places(l, n_old < HUGE_PAGE / 4 ? 4 * n_old : 2 * n_old);
	for (size_t i = 0; i < n_old; i++)
		for (int j = 0; j < PER_PLACE; j++)
			if (old[i].hash[j])
				put(l, old[i].hash[j], old[i].text[j]);
	munmap(old, n_old * sizeof *old);
}

/* Fetches what a batch needs, in two passes, since where a text is is known when its place is there. */
static void fetch(const struct lines *l, const uint64_t *hash, const uint32_t *length, size_t n)
{
	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(home_of(l, hash[i]), 1);
	for (size_t i = 0; i < n; i++) {
		const struct place *place = home_of(l, hash[i]);
		unsigned at = (unsigned)__builtin_ctz(look(place, hash[i]) | 1 << PER_PLACE) % PER_PLACE;
		uintptr_t text = (uintptr_t)place->text[at];
		size_t n_bytes = length[i] < FETCHED_BYTES ? length[i] : FETCHED_BYTES;

		/* Harmless if it is another's, or none. */
		for (size_t k = 0; k < n_bytes; k += 64)
			__builtin_prefetch((const void *)(text + k));
		__builtin_prefetch((const void *)(text + n_bytes));
	}
}

/* -------------------------------------------------------------------- output */

void lines_write(struct lines *l, int has_no_newline)
{
	struct chunk *chunk = l->chunk;
	size_t n;

	if (!chunk)
		return;
	n = chunk->used - chunk->written;
	n -= has_no_newline && n > 0;
	if (l->out && n > 0)
		fwrite(chunk->text + chunk->written, 1, n, l->out);
	chunk->written += n;
	if (l->options.hash) { /* nobody needs the texts any more */
		chunk->used -= chunk->written;
		memmove(chunk->text, chunk->text + chunk->written, chunk->used);
		chunk->written = 0;
	}
}

/* Room for n_bytes at the end of what stays. */
static char *reserve(struct lines *l, size_t n_bytes)
{
	if (!l->chunk || l->chunk->capacity - l->chunk->used < n_bytes) {
		lines_write(l, 0);
		if (!l->chunk || l->chunk->capacity - l->chunk->used < n_bytes)
			add_chunk(l, n_bytes);
	}
	return l->chunk->text + l->chunk->used;
}

/* With up to LINES_SLACK bytes more, which saves the processor from guessing how many there are. */
static void copy(char *to, const char *from, size_t n_bytes)
{
	size_t i = 0;

	do
		memcpy(to + i, from + i, LINES_SLACK);
	while ((i += LINES_SLACK) < n_bytes);
}

static void drop(struct lines *l, const char *line, size_t n_bytes)
{
	l->n_dropped++;
	if (l->dropped)
		fwrite(line, 1, n_bytes, l->dropped);
}

/* -------------------------------------------------------------------- batches */

struct batch {
	uint64_t begin[BATCH], end[BATCH], hash[BATCH];
	uint32_t length[BATCH]; /* with the newline */
};

static void make_batch(struct batch *batch, size_t begin, const uint32_t *ends, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		batch->begin[i] = begin;
		batch->end[i] = ends[i];
		batch->length[i] = (uint32_t)(ends[i] + 1 - begin);
		begin = (size_t)ends[i] + 1;
	}
}

/* 0: another line has the same hash. */
static int take_line(struct lines *l, const char *line, size_t n_bytes, uint64_t hash)
{
	struct place *place = home_of(l, hash);
	char *copied = reserve(l, n_bytes + LINES_SLACK);
	unsigned bits, at;

	while (!(bits = look(place, hash)))
		place = next_place(l, place);
	at = (unsigned)__builtin_ctz(bits);
	if (at < PER_PLACE) {
		if (memcmp(place->text[at], line, n_bytes) != 0)
			return 0;
		drop(l, line, n_bytes);
		return 1;
	}
	copy(copied, line, n_bytes);
	l->chunk->used += n_bytes;
	place->hash[at - PER_PLACE] = hash;
	place->text[at - PER_PLACE] = copied;
	l->n_hashes++;
	l->n_kept++;
	return 1;
}

static size_t take_batch(struct lines *l, const char *data, struct batch *batch, size_t n)
{
	lanewise_xxh3_64_batch(data, batch->begin, batch->end, n, l->seed, batch->hash);
	for (size_t i = 0; i < n; i++)
		batch->hash[i] = mix(l, batch->hash[i]);
	if (l->n_hashes + n > l->n_places * PER_PLACE / 8 * 5)
		grow(l);
	fetch(l, batch->hash, batch->length, n);
	for (size_t i = 0; i < n; i++)
		if (!take_line(l, data + batch->begin[i], batch->length[i], batch->hash[i]))
			return i;
	return n;
}

/* Every line is copied, but the next over it if it does not stay: nobody can predict which do. */
static void take_hashed(struct lines *l, const char *data, const struct batch *batch, size_t n)
{
	lanewise_hash128 hash[BATCH];
	uint64_t duplicates[BATCH / 64];

	for (size_t i = 0; i < n; i++)
		hash[i] = lanewise_xxh3_128(data + batch->begin[i], batch->length[i] - 1, 0);
	if (lanewise_seen_insert_128(l->seen, hash, n, duplicates, NULL) != LANEWISE_OK)
		tool_fail("dedup: out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *line = data + batch->begin[i];
		size_t n_bytes = batch->length[i], is_duplicate = duplicates[i / 64] >> i % 64 & 1;

		copy(reserve(l, n_bytes + LINES_SLACK), line, n_bytes);
		l->chunk->used += is_duplicate ? 0 : n_bytes;
		l->n_kept += !is_duplicate;
		l->n_dropped += is_duplicate;
		if (l->dropped && is_duplicate)
			fwrite(line, 1, n_bytes, l->dropped);
	}
}

size_t lines_take(struct lines *l, const char *data, size_t begin, const uint32_t *ends, size_t n)
{
	struct batch batch;

	for (size_t i = 0; i < n; i += BATCH) {
		size_t n_batch = n - i < BATCH ? n - i : BATCH, n_taken = n_batch;

		make_batch(&batch, begin, ends + i, n_batch);
		if (l->options.hash)
			take_hashed(l, data, &batch, n_batch);
		else
			n_taken = take_batch(l, data, &batch, n_batch);
		if (n_taken < n_batch)
			return i + n_taken;
		begin = (size_t)ends[i + n_batch - 1] + 1;
	}
	return n;
}

/* ------------------------------------------------------------ begin and end */

struct lines *lines_create(const struct lines_options *options, FILE *out, FILE *dropped)
{
	struct lines *l = tool_allocate(1, sizeof *l);
	lanewise_seen_options wide = { .struct_size = sizeof wide, .kind = LANEWISE_SEEN_SET128 };
	uint64_t secret[3];

	*l = (struct lines) { .options = *options, .out = out, .dropped = dropped };
	if (getrandom(secret, sizeof secret, 0) != sizeof secret)
		tool_fail("dedup: the system has no random numbers");
	l->seed = secret[0];
	l->flip = secret[1];
	l->factor = secret[2] | 1;
	if (!options->hash)
		make_places(l, FIRST_PLACES);
	else if (lanewise_seen_create(&wide, NULL, &l->seen, NULL) != LANEWISE_OK)
		tool_fail("dedup: out of memory");
	return l;
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
	while (l->chunk) {
		struct chunk *chunk = l->chunk;

		l->chunk = chunk->before;
		munmap(chunk->text, chunk->capacity);
		free(chunk);
	}
	if (l->places)
		munmap(l->places, l->n_places * sizeof *l->places);
	lanewise_seen_destroy(l->seen);
	free(l);
}

uint64_t lines_kept(const struct lines *l) { return l->n_kept; }
uint64_t lines_dropped(const struct lines *l) { return l->n_dropped; }

static void give_texts(const struct chunk *chunk, void (*take)(void *, const char *, size_t), void *context)
{
	if (!chunk)
		return;
	give_texts(chunk->before, take, context);
	take(context, chunk->text, chunk->used);
}

void lines_texts(const struct lines *l, void (*take)(void *, const char *, size_t), void *context)
{
	give_texts(l->chunk, take, context);
}
