/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locality-sensitive hashing of signatures for lanewise/near.h.
 *
 * One hash table has the buckets of all bands. A slot names the first and last item of a bucket, and items of a bucket
 * are linked, band by band, in the order in which they came. Slots are found by a keyed hash, so nobody can make them
 * collide; whether a bucket is the right one is decided by comparing the band with that of its first item, so the key has no
 * influence on results.
 */
#define _DEFAULT_SOURCE
#include <lanewise/near.h>

#include "common.h"
#include "secret.h"
#include "sort.h"
#include "support.h"

enum { MAX_HASHES = 4096, DEFAULT_BUCKET = 64, FIRST_ITEMS = 64 };
#define NO_ITEM   UINT32_MAX
#define MAX_ITEMS ((uint64_t)UINT32_MAX - 1)

enum { BAND_BITS = 12, MAX_BUCKET = (1 << (32 - BAND_BITS)) - 1 };

struct slot {
	uint32_t hash;                                       /* of band and numbers */
	uint32_t band : BAND_BITS, n_items : 32 - BAND_BITS; /* no items: the slot is free */
	uint32_t first, last;
};

_Static_assert(sizeof(struct slot) == 16 && MAX_HASHES <= 1 << BAND_BITS, "a band's number fits");

struct lanewise_lsh {
	lanewise_allocator allocator;
	int has_allocator;
	uint32_t n_hashes, n_bands, n_rows, bucket_items;
	double threshold;
	uint64_t max_items, key[2];

	size_t n_items, capacity;
	uint32_t *signatures; /* n_hashes for each item */
	uint32_t *next;       /* n_bands for each: the next in its bucket */
	uint32_t *seen;       /* the last search that met an item */
	uint32_t *hashes;     /* of the bands of the signature at hand */
	uint32_t search;
	struct slot *slots;
	size_t n_slots, n_buckets; /* n_slots is a power of two */
};

/* ------------------------------------------------------------------- bands */

/* Integrals are sums over so many intervals by Simpson's rule, on either side of the threshold. */
enum { INTERVALS = 128, POINTS = INTERVALS + 1 };

struct curve {
	double threshold, weight;
	double s[2][POINTS];
	double power[2][POINTS]; /* s to the power of the rows looked at */
};

static double raise(double x, uint32_t power)
{
	double result = 1;

	for (; power > 0; power >>= 1, x *= x)
		if (power & 1)
			result *= x;
	return result;
}

/* The integral over one side of the chance that a pair is no candidate. */
static double missed(const struct curve *curve, int side, uint32_t n_bands)
{
	double sum = 0, length = side ? 1 - curve->threshold : curve->threshold;

	for (int i = 0; i < POINTS; i++) {
		double factor = i == 0 || i == INTERVALS ? 1 : i % 2 ? 4 : 2;

		sum += factor * raise(1 - curve->power[side][i], n_bands);
	}
	return sum * length / (3 * INTERVALS);
}

static double cost(const struct curve *curve, uint32_t n_bands)
{
	return curve->weight * (curve->threshold - missed(curve, 0, n_bands)) +
	       (1 - curve->weight) * missed(curve, 1, n_bands);
}

/*
 * The best number of bands up to `most`. Its cost falls first and then rises: its derivative is a sum of c * q^n_bands,
 * negative for all q below that at the threshold and positive for all above, and has one change of sign.
 */
static uint32_t best_bands(const struct curve *curve, uint32_t most)
{
	uint32_t low = 1, high = most;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (cost(curve, middle + 1) < cost(curve, middle))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

lanewise_status lanewise_lsh_choose(double threshold, uint32_t n_hashes, double false_positives, uint32_t *n_bands,
                                    uint32_t *n_rows)
{
	struct curve curve = { .threshold = threshold, .weight = false_positives };
	double least = 0;

	if (!(threshold > 0 && threshold <= 1) || !(false_positives > 0 && false_positives < 1) || n_hashes < 1 ||
	    n_hashes > MAX_HASHES || !n_bands || !n_rows)
		return LANEWISE_ERROR_ARGUMENT;
	for (int i = 0; i < POINTS; i++) {
		curve.s[0][i] = threshold * i / INTERVALS;
		curve.s[1][i] = threshold + (1 - threshold) * i / INTERVALS;
		curve.power[0][i] = curve.power[1][i] = 1;
	}
	for (uint32_t rows = 1; rows <= n_hashes; rows++) {
		for (int side = 0; side < 2; side++)
			for (int i = 0; i < POINTS; i++)
				curve.power[side][i] *= curve.s[side][i];

		uint32_t bands = best_bands(&curve, n_hashes / rows);
		double costs = cost(&curve, bands);

		if (rows == 1 || costs < least) {
			least = costs;
			*n_bands = bands;
			*n_rows = rows;
		}
	}
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------ memory */

static const lanewise_allocator *allocator_of(const lanewise_lsh *lsh)
{
	return lsh->has_allocator ? &lsh->allocator : NULL;
}

/* Slots for all buckets that so many items may have, filled to three quarters at most; 0 if that overflows. */
static size_t slots_for(const lanewise_lsh *lsh, uint64_t n_items)
{
	uint64_t buckets, n = 64;

	if (n_items > UINT64_MAX / 8 / lsh->n_bands)
		return 0;
	buckets = n_items * lsh->n_bands;
	while (n / 4 * 3 < buckets)
		n *= 2;
	/* A power of two of at most 32 bits, as hashes have. */
	return n >> 33 || n > SIZE_MAX / sizeof(struct slot) ? 0 : (size_t)n;
}

static uint32_t *grown(const lanewise_lsh *lsh, const uint32_t *old, size_t width, size_t capacity)
{
	uint32_t *new = lw_allocate(allocator_of(lsh), capacity * width * sizeof *new);

	if (new && lsh->n_items > 0)
		memcpy(new, old, lsh->n_items * width * sizeof *new);
	return new;
}

static lanewise_status grow_items(lanewise_lsh *lsh, uint64_t capacity)
{
	const lanewise_allocator *allocator = allocator_of(lsh);
	uint32_t *signatures, *next, *seen;

	if (capacity > SIZE_MAX / sizeof(uint32_t) / (lsh->n_hashes > lsh->n_bands ? lsh->n_hashes : lsh->n_bands))
		return LANEWISE_ERROR_TOO_LARGE;
	signatures = grown(lsh, lsh->signatures, lsh->n_hashes, (size_t)capacity);
	next = grown(lsh, lsh->next, lsh->n_bands, (size_t)capacity);
	seen = grown(lsh, lsh->seen, 1, (size_t)capacity);
	if (!signatures || !next || !seen) {
		lw_release(allocator, signatures, (size_t)capacity * lsh->n_hashes * sizeof *signatures);
		lw_release(allocator, next, (size_t)capacity * lsh->n_bands * sizeof *next);
		lw_release(allocator, seen, (size_t)capacity * sizeof *seen);
		return LANEWISE_ERROR_NO_MEMORY;
	}
	lw_release(allocator, lsh->signatures, lsh->capacity * lsh->n_hashes * sizeof *signatures);
	lw_release(allocator, lsh->next, lsh->capacity * lsh->n_bands * sizeof *next);
	lw_release(allocator, lsh->seen, lsh->capacity * sizeof *seen);
	lsh->signatures = signatures;
	lsh->next = next;
	lsh->seen = seen;
	lsh->capacity = (size_t)capacity;
	return LANEWISE_OK;
}

static lanewise_status grow_slots(lanewise_lsh *lsh, size_t n_slots)
{
	struct slot *slots;

	if (n_slots == 0)
		return LANEWISE_ERROR_TOO_LARGE;
	slots = lw_allocate(allocator_of(lsh), n_slots * sizeof *slots);
	if (!slots)
		return LANEWISE_ERROR_NO_MEMORY;
	memset(slots, 0, n_slots * sizeof *slots);
	for (size_t i = 0; i < lsh->n_slots; i++) {
		size_t to = (size_t)lsh->slots[i].hash & (n_slots - 1);

		if (lsh->slots[i].n_items == 0)
			continue;
		while (slots[to].n_items > 0)
			to = (to + 1) & (n_slots - 1);
		slots[to] = lsh->slots[i];
	}
	lw_release(allocator_of(lsh), lsh->slots, lsh->n_slots * sizeof *slots);
	lsh->slots = slots;
	lsh->n_slots = n_slots;
	return LANEWISE_OK;
}

/* Room for one more item. */
static lanewise_status reserve(lanewise_lsh *lsh)
{
	lanewise_status status = LANEWISE_OK;

	if (lsh->n_items == lsh->capacity) {
		uint64_t capacity = 2 * (uint64_t)lsh->capacity;

		status = grow_items(lsh, capacity < lsh->max_items ? capacity : lsh->max_items);
	}
	if (status == LANEWISE_OK && lsh->n_slots / 4 * 3 < lsh->n_buckets + lsh->n_bands)
		status = grow_slots(lsh, slots_for(lsh, lsh->n_buckets / lsh->n_bands + 2));
	return status;
}

/* ------------------------------------------------------------------ create */

static lanewise_status wrong(lanewise_error *error, const char *what)
{
	return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "lsh: %s", what);
}

static lanewise_status check_options(const lanewise_lsh_options *options, lanewise_error *error)
{
	if (!options || options->struct_size != sizeof *options)
		return wrong(error, "options is NULL or struct_size is not sizeof(lanewise_lsh_options)");
	if (options->n_hashes < 1 || options->n_hashes > MAX_HASHES)
		return wrong(error, "n_hashes is not from 1 to 4096");
	if ((options->n_bands == 0) != (options->n_rows == 0))
		return wrong(error, "n_bands and n_rows must both be 0 or neither");
	if ((uint64_t)options->n_bands * options->n_rows > options->n_hashes)
		return wrong(error, "n_bands * n_rows is above n_hashes");
	if (options->bucket_items > MAX_BUCKET)
		return wrong(error, "bucket_items is above 1048575");
	if (!(options->threshold > 0 && options->threshold <= 1))
		return wrong(error, "threshold is not above 0 and at most 1");
	if (!(options->false_positives >= 0 && options->false_positives < 1))
		return wrong(error, "false_positives is not from 0 to below 1");
	if (options->max_items > MAX_ITEMS)
		return wrong(error, "max_items is above 2^32 - 2");
	if (options->reserve_items > (options->max_items ? options->max_items : MAX_ITEMS))
		return wrong(error, "reserve_items is above max_items");
	return LANEWISE_OK;
}

static lanewise_lsh *allocate_lsh(const lanewise_allocator *allocator)
{
	lanewise_lsh *lsh = lw_allocate(allocator, sizeof *lsh);

	if (!lsh)
		return NULL;
	memset(lsh, 0, sizeof *lsh);
	lsh->has_allocator = allocator != NULL;
	if (allocator)
		lsh->allocator = *allocator;
	return lsh;
}

static void set_options(lanewise_lsh *lsh, const lanewise_lsh_options *options)
{
	double weight = options->false_positives > 0 ? options->false_positives : 0.1;

	lsh->n_hashes = options->n_hashes;
	lsh->n_bands = options->n_bands;
	lsh->n_rows = options->n_rows;
	if (options->n_bands == 0)
		lanewise_lsh_choose(options->threshold, options->n_hashes, weight, &lsh->n_bands, &lsh->n_rows);
	lsh->bucket_items = options->bucket_items ? options->bucket_items : DEFAULT_BUCKET;
	lsh->threshold = options->threshold;
	lsh->max_items = options->max_items ? options->max_items : MAX_ITEMS;
}

lanewise_status lanewise_lsh_create(const lanewise_lsh_options *options, const lanewise_allocator *allocator,
                                    lanewise_lsh **lsh, lanewise_error *error)
{
	lanewise_status status = check_options(options, error);
	uint64_t n_items;
	lanewise_lsh *new;

	if (status != LANEWISE_OK)
		return status;
	if (!lsh)
		return wrong(error, "lsh is NULL");
	new = allocate_lsh(allocator);
	if (!new)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "lsh: out of memory");
	set_options(new, options);
	new->hashes = lw_allocate(allocator, new->n_bands * sizeof *new->hashes);
	lw_make_secret(new->key);
	n_items = options->reserve_items ? options->reserve_items : FIRST_ITEMS;
	status = new->hashes ? grow_slots(new, slots_for(new, n_items)) : LANEWISE_ERROR_NO_MEMORY;
	if (status == LANEWISE_OK)
		status = grow_items(new, n_items);
	if (status != LANEWISE_OK) {
		lanewise_lsh_destroy(new);
		return lw_fail(error, status, LANEWISE_NO_OFFSET, "lsh: no memory for reserve_items");
	}
	*lsh = new;
	return LANEWISE_OK;
}

void lanewise_lsh_destroy(lanewise_lsh *lsh)
{
	lanewise_allocator allocator;
	int has_allocator;

	if (!lsh)
		return;
	lw_release(allocator_of(lsh), lsh->signatures, lsh->capacity * lsh->n_hashes * sizeof *lsh->signatures);
	lw_release(allocator_of(lsh), lsh->next, lsh->capacity * lsh->n_bands * sizeof *lsh->next);
	lw_release(allocator_of(lsh), lsh->seen, lsh->capacity * sizeof *lsh->seen);
	lw_release(allocator_of(lsh), lsh->slots, lsh->n_slots * sizeof *lsh->slots);
	lw_release(allocator_of(lsh), lsh->hashes, lsh->n_bands * sizeof *lsh->hashes);
	allocator = lsh->allocator;
	has_allocator = lsh->has_allocator;
	lw_release(has_allocator ? &allocator : NULL, lsh, sizeof *lsh);
}

uint64_t lanewise_lsh_count(const lanewise_lsh *lsh) { return lsh->n_items; }
uint32_t lanewise_lsh_n_bands(const lanewise_lsh *lsh) { return lsh->n_bands; }
uint32_t lanewise_lsh_n_rows(const lanewise_lsh *lsh) { return lsh->n_rows; }

/* ----------------------------------------------------------------- buckets */

/* Slots are all over the memory, so they are asked for together, before any is looked at. */
static void hash_bands(lanewise_lsh *lsh, const uint32_t *signature)
{
	for (uint32_t band = 0; band < lsh->n_bands; band++) {
		const uint32_t *numbers = signature + (size_t)band * lsh->n_rows;
		uint64_t key[2] = { lsh->key[0] ^ band, lsh->key[1] };

		lsh->hashes[band] = (uint32_t)lw_siphash13(numbers, lsh->n_rows * sizeof *numbers, key);
		__builtin_prefetch(&lsh->slots[(size_t)lsh->hashes[band] & (lsh->n_slots - 1)]);
	}
}

/* The slot of a band's bucket, or the free one where it belongs. hash_bands has seen the signature. */
static struct slot *find_slot(const lanewise_lsh *lsh, const uint32_t *signature, uint32_t band)
{
	size_t from = (size_t)band * lsh->n_rows, n_bytes = lsh->n_rows * sizeof *signature;
	uint32_t hash = lsh->hashes[band];

	for (size_t at = (size_t)hash & (lsh->n_slots - 1);; at = (at + 1) & (lsh->n_slots - 1)) {
		struct slot *slot = &lsh->slots[at];

		if (slot->n_items == 0)
			return slot;
		if (slot->hash == hash && slot->band == band &&
		    memcmp(signature + from, lsh->signatures + (size_t)slot->first * lsh->n_hashes + from, n_bytes) ==
		            0)
			return slot;
	}
}

static void add_to_bucket(lanewise_lsh *lsh, const uint32_t *signature, uint32_t band, uint32_t item)
{
	struct slot *slot = find_slot(lsh, signature, band);

	if (slot->n_items == 0) {
		*slot = (struct slot) {
			.hash = lsh->hashes[band], .band = band, .n_items = 1, .first = item, .last = item
		};
		lsh->n_buckets++;
	} else if (slot->n_items < lsh->bucket_items) {
		lsh->next[(size_t)slot->last * lsh->n_bands + band] = item;
		slot->last = item;
		slot->n_items++;
	}
}

/* hash_bands has seen the signature. */
static lanewise_status add(lanewise_lsh *lsh, const uint32_t *signature, uint64_t *item)
{
	lanewise_status status;
	uint32_t number;

	if (lsh->n_items == lsh->max_items)
		return LANEWISE_ERROR_CAPACITY;
	status = reserve(lsh);
	if (status != LANEWISE_OK)
		return status;
	number = (uint32_t)lsh->n_items++;
	memcpy(lsh->signatures + (size_t)number * lsh->n_hashes, signature, lsh->n_hashes * sizeof *signature);
	lsh->seen[number] = 0;
	for (uint32_t band = 0; band < lsh->n_bands; band++) {
		lsh->next[(size_t)number * lsh->n_bands + band] = NO_ITEM;
		add_to_bucket(lsh, signature, band, number);
	}
	if (item)
		*item = number;
	return LANEWISE_OK;
}

lanewise_status lanewise_lsh_add(lanewise_lsh *lsh, const uint32_t *signature, uint64_t *item)
{
	if (!lsh || !signature)
		return LANEWISE_ERROR_ARGUMENT;
	hash_bands(lsh, signature);
	return add(lsh, signature, item);
}

/* ------------------------------------------------------------------ search */

static void begin_search(lanewise_lsh *lsh)
{
	if (++lsh->search > 0)
		return;
	memset(lsh->seen, 0, lsh->n_items * sizeof *lsh->seen);
	lsh->search = 1;
}

/* Goes through the candidates of a signature, each once. */
struct walk {
	lanewise_lsh *lsh;
	const uint32_t *signature;
	uint32_t band, item; /* the next to look at */
};

static struct walk begin_walk(lanewise_lsh *lsh, const uint32_t *signature)
{
	hash_bands(lsh, signature);
	begin_search(lsh);
	return (struct walk) { lsh, signature, 0, NO_ITEM };
}

/* 1 and a candidate's number, or 0. */
static int next_candidate(struct walk *walk, uint32_t *item)
{
	lanewise_lsh *lsh = walk->lsh;

	for (;;) {
		while (walk->item == NO_ITEM) {
			const struct slot *slot;

			if (walk->band == lsh->n_bands)
				return 0;
			slot = find_slot(lsh, walk->signature, walk->band++);
			if (slot->n_items > 0)
				walk->item = slot->first;
		}
		*item = walk->item;
		walk->item = lsh->next[(size_t)*item * lsh->n_bands + (walk->band - 1)];
		if (lsh->seen[*item] != lsh->search) {
			lsh->seen[*item] = lsh->search;
			return 1;
		}
	}
}

size_t lanewise_lsh_candidates_bound(const lanewise_lsh *lsh)
{
	uint64_t most = (uint64_t)lsh->n_bands * lsh->bucket_items;

	return most < lsh->n_items ? (size_t)most : lsh->n_items;
}

lanewise_status lanewise_lsh_candidates(lanewise_lsh *lsh, const uint32_t *signature, uint64_t *items, size_t capacity,
                                        size_t *n)
{
	struct walk walk;
	uint32_t item;

	if (!lsh || !signature || !n || (!items && capacity > 0))
		return LANEWISE_ERROR_ARGUMENT;
	*n = 0;
	for (walk = begin_walk(lsh, signature); next_candidate(&walk, &item); ++*n)
		if (*n < capacity)
			items[*n] = item;
	if (*n > capacity)
		return LANEWISE_ERROR_CAPACITY;
	lw_sort_u64(items, *n);
	return LANEWISE_OK;
}

static int is_worse(lanewise_lsh_match a, lanewise_lsh_match b)
{
	return a.similarity < b.similarity || (a.similarity <= b.similarity && a.item > b.item);
}

/* Puts `match` into a heap whose worst is first, at `at` or below. */
static void sink(lanewise_lsh_match *heap, size_t n, size_t at, lanewise_lsh_match match)
{
	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n && is_worse(heap[child + 1], heap[child]);
		if (is_worse(match, heap[child]))
			break;
		heap[at] = heap[child];
	}
	heap[at] = match;
}

static void rise(lanewise_lsh_match *heap, size_t at, lanewise_lsh_match match)
{
	for (; at > 0 && is_worse(match, heap[(at - 1) / 2]); at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = match;
}

static double similarity_of(const lanewise_lsh *lsh, const uint32_t *signature, uint32_t item)
{
	return lanewise_minhash_similarity(signature, lsh->signatures + (size_t)item * lsh->n_hashes, lsh->n_hashes);
}

lanewise_status lanewise_lsh_find(lanewise_lsh *lsh, const uint32_t *signature, lanewise_lsh_similarity_fn *similarity,
                                  void *context, lanewise_lsh_match *matches, size_t capacity, size_t *n)
{
	struct walk walk;
	uint32_t item;

	if (!lsh || !signature || !n || (!matches && capacity > 0))
		return LANEWISE_ERROR_ARGUMENT;
	*n = 0;
	for (walk = begin_walk(lsh, signature); capacity > 0 && next_candidate(&walk, &item);) {
		lanewise_lsh_match match = { item, similarity ? similarity(context, item)
			                                      : similarity_of(lsh, signature, item) };

		if (!(match.similarity >= lsh->threshold))
			continue;
		if (*n < capacity)
			rise(matches, (*n)++, match);
		else if (is_worse(matches[0], match))
			sink(matches, *n, 0, match);
	}
	for (size_t left = *n; left > 1; left--) {
		lanewise_lsh_match worst = matches[0];

		sink(matches, left - 1, 0, matches[left - 1]);
		matches[left - 1] = worst;
	}
	return LANEWISE_OK;
}

lanewise_status lanewise_lsh_keep_first(lanewise_lsh *lsh, const uint32_t *signature,
                                        lanewise_lsh_similarity_fn *similarity, void *context,
                                        lanewise_lsh_match *match)
{
	size_t n;
	lanewise_status status =
	        match ? lanewise_lsh_find(lsh, signature, similarity, context, match, 1, &n) : LANEWISE_ERROR_ARGUMENT;

	if (status != LANEWISE_OK || n > 0)
		return status;
	match->similarity = -1;
	return add(lsh, signature, &match->item);
}
