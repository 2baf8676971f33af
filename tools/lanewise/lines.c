/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that stay are copied to chunks one after the other: they are what later lines are compared with, and at the same
 * time what is written, in large parts. A table says where lines of some hash are: of eight lines, a cache line has 16
 * bits of the hash and 48 of the place each, so the table of ten million lines has some 128 MB.
 *
 * A line costs two cache misses, one in the table and, if it is a duplicate, one in the chunks. A batch of lines is gone
 * through in passes, each of which fetches what the next one needs. Nobody can predict which lines are duplicates, so the
 * passes make lists instead of taking branches.
 */
#include "lines.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <lanewise/dedup.h>
#include <lanewise/hash.h>
#include <lanewise/seen.h>

#include "tool.h"

enum {
	BATCH = 256,
	FEW_LINES = 512, /* from which their mean length is guessed */

	PER_HOME = 8,
	FIRST_HOMES = 1 << 11,
	MOST_EXPECTED = 1 << 19, /* homes before there are lines for them, 32 MB */
	LARGE_TABLE = 1 << 18,   /* homes; it grows fourfold below, and twofold from there on */
	CHUNK_BITS = 25,
	HUGE_PAGE = 2 << 20,
	PREPARED_BYTES = 2 * HUGE_PAGE,
	OUTPUT_BYTES = 1 << 20, /* of hashed lines */
	FETCHED_BYTES = 256,    /* of a text; the processor goes on by itself */
	FEW_COLLISIONS = 1000   /* of tags; by chance ten million lines have about as many */
};

#define CHUNK_BYTES ((size_t)1 << CHUNK_BITS)

struct home {
	uint16_t tag[PER_HOME]; /* 0: empty */
	unsigned char place[PER_HOME][6];
};

struct lines {
	struct lines_options options;
	FILE *out, *dropped;
	uint64_t n_kept, n_dropped;
	uint64_t seed, flip, factor; /* secret */
	struct home *homes;
	size_t n_homes; /* a power of two */
	int shift;
	uint64_t n_slots, n_collisions, expected_bytes;
	char **chunk;
	size_t *used;                    /* of each chunk */
	size_t n_chunks, written;        /* of the last chunk */
	_Atomic(uintptr_t) front, limit; /* of the last chunk: where the next line goes, and its end */
	uintptr_t prepared;              /* by lines_prepare alone */
	lanewise_seen *seen;             /* hashes of 128 bits */
	size_t hash_words;               /* of a line */
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

/* For lines_prepare. */
static void publish_front(struct lines *l)
{
	uintptr_t chunk = (uintptr_t)l->chunk[l->n_chunks - 1];

	atomic_store_explicit(&l->limit, chunk + CHUNK_BYTES, memory_order_relaxed);
	atomic_store_explicit(&l->front, chunk + l->used[l->n_chunks - 1], memory_order_relaxed);
}

/* What is between front and limit is filled with zeros by the system when it is first touched. */
void lines_prepare(struct lines *l)
{
#ifdef MADV_POPULATE_WRITE
	uintptr_t front = atomic_load_explicit(&l->front, memory_order_relaxed);
	uintptr_t limit = atomic_load_explicit(&l->limit, memory_order_relaxed);

	if (l->options.hash)
		return;
	if (l->prepared < front || l->prepared > limit)
		l->prepared = front & ~(uintptr_t)(HUGE_PAGE - 1);
	if (l->prepared < front + PREPARED_BYTES && l->prepared + HUGE_PAGE <= limit) {
		/* Changes no bytes, so it does no harm if the chunk was another. */
		madvise((void *)l->prepared, HUGE_PAGE, MADV_POPULATE_WRITE);
		l->prepared += HUGE_PAGE;
	}
#else
	(void)l;
#endif
}

static void add_chunk(struct lines *l)
{
	l->chunk = tool_reallocate(l->chunk, l->n_chunks + 1, sizeof *l->chunk);
	l->used = tool_reallocate(l->used, l->n_chunks + 1, sizeof *l->used);
	l->chunk[l->n_chunks] = map(CHUNK_BYTES);
	l->used[l->n_chunks] = l->written = 0;
	l->n_chunks++;
	publish_front(l);
}

static const char *text_at(const struct lines *l, uint64_t place)
{
	return l->chunk[place >> CHUNK_BITS] + (place & (CHUNK_BYTES - 1));
}

/* -------------------------------------------------------------------- output */

void lines_write(struct lines *l, int has_no_newline)
{
	char *text = l->chunk[l->n_chunks - 1];
	size_t *used = &l->used[l->n_chunks - 1], n = *used - l->written;

	n -= has_no_newline && n > 0;
	if (l->out && n > 0)
		fwrite(text + l->written, 1, n, l->out);
	l->written += n;
	if (l->options.hash) { /* nobody needs the texts any more */
		*used -= l->written;
		memmove(text, text + l->written, *used);
		l->written = 0;
	}
}

/* Room for n_bytes, and LINES_SLACK, at the end of what stays. */
static char *reserve(struct lines *l, size_t n_bytes)
{
	size_t limit = l->options.hash ? OUTPUT_BYTES : CHUNK_BYTES, used = l->used[l->n_chunks - 1];

	if (limit - (used < limit ? used : limit) < n_bytes + LINES_SLACK) {
		lines_write(l, 0);
		if (!l->options.hash)
			add_chunk(l);
	}
	return l->chunk[l->n_chunks - 1] + l->used[l->n_chunks - 1];
}

/* With up to LINES_SLACK bytes more, which saves the processor from guessing how many there are. */
static void copy(char *to, const char *from, size_t n_bytes)
{
	size_t i = 0;

	do {
		/* Smaller pieces, which are copied by vectors. */
#pragma GCC unroll 8
		for (size_t k = 0; k < LINES_SLACK; k += 16)
			memcpy(to + i + k, from + i + k, 16);
	} while ((i += LINES_SLACK) < n_bytes);
}

/* --------------------------------------------------------------------- table */

static uint16_t tag_of(uint64_t hash)
{
	uint16_t tag = (uint16_t)hash;

	return tag ? tag : 1;
}

static struct home *home_of(const struct lines *l, uint64_t hash) { return l->homes + (hash >> l->shift); }

static struct home *next_home(const struct lines *l, struct home *home)
{
	return home + 1 == l->homes + l->n_homes ? l->homes : home + 1;
}

/* A bit for each slot that has the tag. */
static unsigned look(const struct home *home, uint16_t tag)
{
#ifdef __SSE2__
	__m128i equal = _mm_cmpeq_epi16(_mm_loadu_si128((const __m128i *)home->tag), _mm_set1_epi16((short)tag));

	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
#else
	unsigned bits = 0;

	for (int i = 0; i < PER_HOME; i++)
		bits |= (unsigned)(home->tag[i] == tag) << i;
	return bits;
#endif
}

static uint64_t place_at(const struct home *home, int i)
{
	uint64_t place;

	/* With the two bytes before it, as there may be none behind it. */
	memcpy(&place, (const char *)home + offsetof(struct home, place) + i * sizeof home->place[0] - 2, sizeof place);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return place & (UINT64_MAX >> 16);
#else
	return place >> 16;
#endif
}

static void set_slot(struct home *home, int i, uint16_t tag, uint64_t place)
{
	home->tag[i] = tag;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	place <<= 16;
#endif
	memcpy(home->place[i], &place, sizeof home->place[i]);
}

/* Lines of which the first begins at `begin` and each ends at a newline, at ends[i]. */
static void find_lines(size_t begin, const uint32_t *ends, size_t n, uint64_t *begins, uint64_t *ends_wide)
{
	for (size_t i = 0; i < n; i++) {
		begins[i] = begin;
		ends_wide[i] = ends[i];
		begin = (size_t)ends[i] + 1;
	}
}

static void hash_batch(const struct lines *l, const char *data, const uint64_t *begin, const uint64_t *end, size_t n,
                       uint64_t *hash)
{
	lanewise_xxh3_64_batch(data, begin, end, n, l->seed, hash);
	for (size_t i = 0; i < n; i++)
		hash[i] = ((hash[i] & ~l->options.weaken) ^ l->flip) * l->factor;
}

void lines_hash(const struct lines *l, const char *data, size_t begin, const uint32_t *ends, size_t n, uint64_t *hash)
{
	uint64_t begins[BATCH], ends_wide[BATCH];

	for (size_t i = 0; i < n; i += BATCH) {
		size_t n_batch = n - i < BATCH ? n - i : BATCH;

		find_lines(begin, ends + i, n_batch, begins, ends_wide);
		if (l->options.hash)
			lanewise_xxh3_128_batch(data, begins, ends_wide, n_batch, 0,
			                        (lanewise_hash128 *)(void *)(hash + l->hash_words * i));
		else
			hash_batch(l, data, begins, ends_wide, n_batch, hash + l->hash_words * i);
		begin = (size_t)ends[i + n_batch - 1] + 1;
	}
}

/* Fetches the places of hashes. */
static void fetch_homes(const struct lines *l, const uint64_t *hash, size_t n)
{
	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(home_of(l, hash[i]), 1);
}

static void put(struct lines *l, uint64_t hash, uint64_t place)
{
	struct home *home = home_of(l, hash);
	unsigned empty;

	while (!(empty = look(home, 0)))
		home = next_home(l, home);
	set_slot(home, __builtin_ctz(empty), tag_of(hash), place);
}

/* Lines of a chunk to the table; `place` is where `text` is. */
static void put_chunk(struct lines *l, const char *text, size_t n_bytes, uint64_t place)
{
	uint64_t begin[BATCH], end[BATCH], hash[BATCH];
	uint32_t ends[BATCH + 64];
	size_t at = 0, line = 0;

	while (at < n_bytes) {
		size_t n = 0;

		at += lanewise_line_ends(text + at, n_bytes - at, (uint32_t)at, ends, BATCH, &n);
		find_lines(line, ends, n, begin, end);
		line = n ? (size_t)ends[n - 1] + 1 : line;
		hash_batch(l, text, begin, end, n, hash);
		fetch_homes(l, hash, n);
		for (size_t i = 0; i < n; i++)
			put(l, hash[i], place + begin[i]);
	}
}

static void make_homes(struct lines *l, size_t n_homes)
{
	l->homes = map(n_homes * sizeof *l->homes);
	l->n_homes = n_homes;
	l->shift = 64 - __builtin_ctzll(n_homes);
}

/* A slot does not know its hash, so the lines are hashed anew. */
static void grow(struct lines *l)
{
	munmap(l->homes, l->n_homes * sizeof *l->homes);
	make_homes(l, l->n_homes * (l->n_homes < LARGE_TABLE ? 4 : 2));
	for (size_t i = 0; i < l->n_chunks; i++)
		put_chunk(l, l->chunk[i], l->used[i], (uint64_t)i << CHUNK_BITS);
}

/* -------------------------------------------------------------------- batches */

struct batch {
	const char *data;
	uint32_t ends[BATCH + 1];
	const uint64_t *hash; /* of these lines, and of n_next that come next */
	size_t n_next;
	uint8_t stays[BATCH];
};

static void make_batch(struct batch *b, size_t begin, const uint32_t *ends, size_t n)
{
	b->ends[0] = (uint32_t)begin - 1;
	memcpy(b->ends + 1, ends, n * sizeof *ends);
}

static const char *text_of(const struct batch *b, size_t i) { return b->data + (uint32_t)(b->ends[i] + 1); }

/* With the newline. */
static size_t length_of(const struct batch *b, size_t i) { return b->ends[i + 1] - b->ends[i]; }

/* Lines of which another has the tag go to `found` (with its text), the others to `fresh`. */
struct lists {
	size_t n_found, n_fresh;
	const char *text[BATCH + 1];
	uint16_t found[BATCH + 1], fresh[BATCH + 1];
};

static void look_up(const struct lines *l, const struct batch *b, size_t n, struct lists *lists)
{
	size_t n_found = 0, n_fresh = 0;

	fetch_homes(l, b->hash + n, b->n_next);
	for (size_t i = 0; i < n; i++) {
		const struct home *home = home_of(l, b->hash[i]);
		unsigned bits = look(home, tag_of(b->hash[i]));
		int at = __builtin_ctz(bits | 1 << (PER_HOME - 1));
		uint64_t is_found = bits != 0, place = place_at(home, at) & (0 - is_found);
		const char *text = text_at(l, place);
		size_t n_bytes = length_of(b, i);

		lists->text[n_found] = text;
		lists->found[n_found] = (uint16_t)i;
		n_found += is_found;
		lists->fresh[n_fresh] = (uint16_t)i;
		n_fresh += !is_found;
		n_bytes = n_bytes < FETCHED_BYTES ? n_bytes : FETCHED_BYTES;
		__builtin_prefetch(text);
		__builtin_prefetch(text + n_bytes - 1);
		for (size_t k = 64; k + 64 < n_bytes; k += 64)
			__builtin_prefetch(text + k);
	}
	lists->n_found = n_found;
	lists->n_fresh = n_fresh;
}

/* A line that may be new: all that it might be is compared. */
static void take_fresh(struct lines *l, struct batch *b, size_t i)
{
	const char *line = text_of(b, i);
	size_t n_bytes = length_of(b, i);
	uint16_t tag = tag_of(b->hash[i]);
	uint64_t place;
	struct home *home = home_of(l, b->hash[i]);
	char *copied = reserve(l, n_bytes);
	unsigned empty;

	for (;; home = next_home(l, home)) {
		for (unsigned same = look(home, tag); same; same &= same - 1) {
			if (memcmp(text_at(l, place_at(home, __builtin_ctz(same))), line, n_bytes) == 0)
				return;
			l->n_collisions++;
		}
		empty = look(home, 0);
		if (empty)
			break;
	}
	place = ((uint64_t)(l->n_chunks - 1) << CHUNK_BITS) + l->used[l->n_chunks - 1];
	copy(copied, line, n_bytes);
	l->used[l->n_chunks - 1] += n_bytes;
	set_slot(home, __builtin_ctz(empty), tag, place);
	l->n_slots++;
	b->stays[i] = 1;
}

/* The lines of a tag that is known: those that are not its line after all are fresh. */
static void compare(const struct batch *b, struct lists *lists, size_t *n_others, uint16_t *others)
{
	for (size_t j = 0; j < lists->n_found; j++) {
		size_t i = lists->found[j];

		others[*n_others] = (uint16_t)i;
		*n_others += memcmp(lists->text[j], text_of(b, i), length_of(b, i)) != 0;
	}
}

static void take_batch(struct lines *l, struct batch *b, size_t n)
{
	struct lists lists;
	uint16_t others[BATCH + 1];
	size_t n_others = 0, j = 0, k = 0;

	if (l->n_slots + n > l->n_homes * PER_HOME / 8 * 5)
		grow(l);
	look_up(l, b, n, &lists);
	memset(b->stays, 0, n);
	compare(b, &lists, &n_others, others);
	/* In order, as lines of one batch may be equal. */
	while (j < lists.n_fresh || k < n_others)
		take_fresh(l, b,
		           k == n_others || (j < lists.n_fresh && lists.fresh[j] < others[k]) ? lists.fresh[j++]
		                                                                              : others[k++]);
}

/* Every line is copied, but the next over it if it does not stay: nobody can predict which do. */
static void take_hashed(struct lines *l, struct batch *b, size_t n)
{
	uint64_t duplicates[BATCH / 64];

	if (lanewise_seen_insert_128(l->seen, (const lanewise_hash128 *)(const void *)b->hash, n, duplicates, NULL) !=
	    LANEWISE_OK)
		tool_fail("dedup: out of memory");
	for (size_t i = 0; i < n; i++) {
		size_t n_bytes = length_of(b, i);

		b->stays[i] = !(duplicates[i / 64] >> i % 64 & 1);
		copy(reserve(l, n_bytes), text_of(b, i), n_bytes);
		l->used[0] += b->stays[i] ? n_bytes : 0;
	}
}

static void count_batch(struct lines *l, const struct batch *b, size_t n)
{
	size_t n_stay = 0;

	for (size_t i = 0; i < n; i++)
		n_stay += b->stays[i];
	l->n_kept += n_stay;
	l->n_dropped += n - n_stay;
	for (size_t i = 0; l->dropped && i < n; i++)
		if (!b->stays[i])
			fwrite(text_of(b, i), 1, length_of(b, i), l->dropped);
}

void lines_expect(struct lines *l, uint64_t n_bytes) { l->expected_bytes = n_bytes; }

/* A table for half of the lines that are expected, if they are like the first ones: it grows once or never. */
static void make_expected_homes(struct lines *l, size_t n_bytes, size_t n)
{
	uint64_t n_expected = l->expected_bytes / (n_bytes / n + 1) / 2, n_homes = FIRST_HOMES;

	while (n_homes < MOST_EXPECTED && n_homes * PER_HOME / 8 * 5 < n_expected)
		n_homes *= 2;
	l->expected_bytes = 0;
	if (n_homes <= l->n_homes || l->n_slots)
		return;
	munmap(l->homes, l->n_homes * sizeof *l->homes);
	make_homes(l, (size_t)n_homes);
}

size_t lines_take(struct lines *l, const char *data, size_t begin, const uint32_t *ends, const uint64_t *hash, size_t n)
{
	struct batch batch;

	batch.data = data;
	if (l->expected_bytes && n >= FEW_LINES && l->homes)
		make_expected_homes(l, ends[n - 1] - begin, n);
	if (!l->options.hash)
		fetch_homes(l, hash, n < BATCH ? n : BATCH);
	for (size_t i = 0; i < n; i += BATCH) {
		size_t n_batch = n - i < BATCH ? n - i : BATCH, n_rest = n - i - n_batch;

		if (l->n_collisions > FEW_COLLISIONS + (l->n_kept + l->n_dropped) / 1024)
			return i;
		make_batch(&batch, begin, ends + i, n_batch);
		batch.hash = hash + l->hash_words * i;
		batch.n_next = n_rest < BATCH ? n_rest : BATCH;
		if (l->options.hash)
			take_hashed(l, &batch, n_batch);
		else
			take_batch(l, &batch, n_batch);
		count_batch(l, &batch, n_batch);
		publish_front(l);
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

	*l = (struct lines) {
		.options = *options, .out = out, .dropped = dropped, .hash_words = options->hash ? 2 : 1
	};
	if (getrandom(secret, sizeof secret, 0) != sizeof secret)
		tool_fail("dedup: the system has no random numbers");
	l->seed = secret[0];
	l->flip = secret[1];
	l->factor = secret[2] | 1;
	add_chunk(l);
	if (!options->hash)
		make_homes(l, FIRST_HOMES);
	else if (lanewise_seen_create(&wide, NULL, &l->seen, NULL) != LANEWISE_OK)
		tool_fail("dedup: out of memory");
	return l;
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n_chunks; i++)
		munmap(l->chunk[i], CHUNK_BYTES);
	if (l->homes)
		munmap(l->homes, l->n_homes * sizeof *l->homes);
	lanewise_seen_destroy(l->seen);
	free(l->chunk);
	free(l->used);
	free(l);
}

uint64_t lines_kept(const struct lines *l) { return l->n_kept; }
uint64_t lines_dropped(const struct lines *l) { return l->n_dropped; }

void lines_texts(const struct lines *l, void (*take)(void *, const char *, size_t), void *context)
{
	for (size_t i = 0; i < l->n_chunks; i++)
		take(context, l->chunk[i], l->used[i]);
}
