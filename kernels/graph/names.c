/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers for names, by a hash table whose places depend on a secret, so that nobody can choose names that collide. Nothing
 * of the secret shows: numbers are given in order of first mention.
 *
 * While the table is made, its entries refer to the first mention of each name in the caller's text; then the names are
 * copied out of it, one behind the other. A slot holds part of the hash, so that most others are told apart, and the
 * table enlarged, without a look at the text.
 */
#define _DEFAULT_SOURCE /* for secret.h */

#include "graph/graph.h"

#include <string.h>

#include "secret.h"

struct slot {
	uint32_t hash, number; /* LW_NONE: free */
};

struct lanewise_names {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	uint64_t key[2];
	struct slot *slots;
	size_t n_slots; /* a power of two */
	uint32_t n;
	size_t *begin; /* n + 1 */
	char *text;
};

enum { FEWEST_SLOTS = 16 };

static size_t at_least_one(size_t n) { return n ? n : 1; }

/* ------------------------------------------------------------------- table */

static struct slot *allocate_slots(const lanewise_allocator *allocator, size_t n)
{
	struct slot *slots =
	        n > SIZE_MAX / sizeof *slots ? NULL : lanewise_graph_allocate(allocator, n * sizeof *slots);

	if (slots)
		memset(slots, 0xff, n * sizeof *slots);
	return slots;
}

static int grow(lanewise_names *names, const lanewise_allocator *allocator)
{
	struct slot *slots = allocate_slots(allocator, 2 * names->n_slots);
	size_t mask = 2 * names->n_slots - 1;

	if (!slots)
		return 0;
	for (size_t i = 0; i < names->n_slots; i++)
		if (names->slots[i].number != LW_NONE) {
			size_t at = names->slots[i].hash & mask;

			while (slots[at].number != LW_NONE)
				at = (at + 1) & mask;
			slots[at] = names->slots[i];
		}
	lw_release(allocator, names->slots, names->n_slots * sizeof *slots);
	names->slots = slots;
	names->n_slots *= 2;
	return 1;
}

/* A name in the caller's text while the table is made, in `text` afterwards. */
struct source {
	const char *text;
	const size_t *begin;
	const uint32_t *mention; /* [number] which element of `begin`; NULL: the number itself */
};

/* The slot of a name, or the free one where it belongs. */
static struct slot *find_slot(const lanewise_names *names, const struct source *source, const char *text,
                              size_t n_bytes, uint32_t hash)
{
	size_t mask = names->n_slots - 1, at = hash & mask;

	for (;; at = (at + 1) & mask) {
		struct slot *slot = &names->slots[at];

		if (slot->number == LW_NONE)
			return slot;
		if (slot->hash != hash)
			continue;

		size_t i = source->mention ? source->mention[slot->number] : slot->number;
		size_t begin = source->begin[i];

		if (source->begin[i + 1] - begin == n_bytes &&
		    (!n_bytes || !memcmp(source->text + begin, text, n_bytes)))
			return slot;
	}
}

static uint32_t hash_name(const lanewise_names *names, const char *text, size_t n_bytes)
{
	return (uint32_t)lw_siphash13(text, n_bytes, names->key);
}

/* ---------------------------------------------------------------- creation */

/* mention[k] becomes the first mention of name k. 0: no memory. */
static int number_mentions(lanewise_names *names, const char *text, const size_t *begin, size_t n_mentions,
                           uint32_t *mention, uint32_t *number, const lanewise_allocator *allocator)
{
	const struct source source = { text, begin, mention };

	for (size_t i = 0; i < n_mentions; i++) {
		const char *name = text ? text + begin[i] : NULL;
		size_t n_bytes = begin[i + 1] - begin[i];
		uint32_t hash = hash_name(names, name, n_bytes);
		struct slot *slot = find_slot(names, &source, name, n_bytes, hash);

		if (slot->number == LW_NONE) {
			mention[names->n] = (uint32_t)i;
			*slot = (struct slot) { hash, names->n++ };
			number[i] = names->n - 1;
			if (names->n > names->n_slots / 2 && !grow(names, allocator))
				return 0;
		} else {
			number[i] = slot->number;
		}
	}
	return 1;
}

static int copy_names(lanewise_names *names, const char *text, const size_t *begin, const uint32_t *mention,
                      const lanewise_allocator *allocator)
{
	size_t n_bytes = 0;

	for (uint32_t k = 0; k < names->n; k++)
		n_bytes += begin[mention[k] + (size_t)1] - begin[mention[k]];
	names->begin = lanewise_graph_allocate(allocator, ((size_t)names->n + 1) * sizeof *names->begin);
	if (!names->begin)
		return 0;
	names->begin[names->n] = n_bytes;
	names->text = lanewise_graph_allocate(allocator, at_least_one(n_bytes));
	if (!names->text)
		return 0;
	n_bytes = 0;
	for (uint32_t k = 0; k < names->n; k++) {
		size_t from = begin[mention[k]], n = begin[mention[k] + (size_t)1] - from;

		names->begin[k] = n_bytes;
		if (n)
			memcpy(names->text + n_bytes, text + from, n);
		n_bytes += n;
	}
	return 1;
}

static lanewise_status check_mentions(const char *text, const size_t *begin, size_t n_mentions, lanewise_error *error)
{
	if (n_mentions > UINT32_MAX - 1)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "more than UINT32_MAX - 1 names");
	for (size_t i = 0; i < n_mentions; i++)
		if (begin[i + 1] < begin[i])
			return lw_fail(error, LANEWISE_ERROR_DATA, i, "name %llu ends before it begins",
			               (unsigned long long)i);
	if (!text && n_mentions && begin[n_mentions] > begin[0])
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "text is NULL");
	return LANEWISE_OK;
}

lanewise_status lanewise_names_create(const char *text, const size_t *begin, size_t n_mentions,
                                      const lanewise_allocator *allocator, lanewise_names **names, uint32_t *number,
                                      lanewise_error *error)
{
	lanewise_names *made;
	lanewise_status status;
	uint32_t *mention;
	int done;

	if (!names || (n_mentions && (!begin || !number)))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "names, begin or number is NULL");
	status = check_mentions(text, begin, n_mentions, error);
	if (status)
		return status;
	made = lw_allocate(allocator, sizeof *made);
	if (!made)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "out of memory");
	memset(made, 0, sizeof *made);
	if (allocator)
		made->allocator = *allocator;
	lw_make_secret(made->key);
	made->n_slots = FEWEST_SLOTS;
	made->slots = allocate_slots(allocator, made->n_slots);
	mention = lanewise_graph_allocate(allocator, at_least_one(n_mentions) * sizeof *mention);
	done = made->slots && mention && number_mentions(made, text, begin, n_mentions, mention, number, allocator) &&
	       copy_names(made, text, begin, mention, allocator);
	lw_release(allocator, mention, at_least_one(n_mentions) * sizeof *mention);
	if (!done) {
		lanewise_names_destroy(made);
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "out of memory");
	}
	*names = made;
	return LANEWISE_OK;
}

void lanewise_names_destroy(lanewise_names *names)
{
	if (!names)
		return;

	lanewise_allocator copy = names->allocator;
	const lanewise_allocator *allocator = lw_graph_allocator(&copy);

	lw_release(allocator, names->text, names->begin ? at_least_one(names->begin[names->n]) : 0);
	lw_release(allocator, names->begin, ((size_t)names->n + 1) * sizeof *names->begin);
	lw_release(allocator, names->slots, names->n_slots * sizeof *names->slots);
	lw_release(allocator, names, sizeof *names);
}

/* ------------------------------------------------------------------ access */

size_t lanewise_names_count(const lanewise_names *names) { return names->n; }

const char *lanewise_names_get(const lanewise_names *names, uint32_t number, size_t *n_bytes)
{
	if (number >= names->n)
		return NULL;
	*n_bytes = names->begin[number + (size_t)1] - names->begin[number];
	return names->text + names->begin[number];
}

uint32_t lanewise_names_find(const lanewise_names *names, const char *text, size_t n_bytes)
{
	const struct source source = { names->text, names->begin, NULL };

	return find_slot(names, &source, text, n_bytes, hash_name(names, text, n_bytes))->number;
}
