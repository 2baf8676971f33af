/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of n-grams in a window, for lanewise/repeat.h. Each different n-gram in the window has a node in a chained hash
 * table; the node knows where the n-gram occurred last, which is where its tokens still are. The hash is keyed, so that no
 * stream of tokens makes chains long; counts do not depend on the key.
 */
#define _DEFAULT_SOURCE
#include <lanewise/repeat.h>

#include "common.h"
#include "secret.h"

enum { MAX_N = 64, MAX_WINDOW = 1 << 24 };
#define NO_NODE UINT32_MAX

struct node {
	uint64_t last; /* where the n-gram begins that occurred last */
	uint32_t next, count, bucket;
};

struct lanewise_ngrams {
	uint64_t key[2];
	uint32_t n, window, n_buckets, free;
	uint64_t n_tokens;     /* in all */
	uint64_t tokens_begin; /* the number of tokens[0] */
	size_t capacity;       /* of `tokens`, twice what the window needs */
	struct node *nodes;    /* window */
	uint32_t *tokens;
	uint32_t *heads; /* n_buckets */
	uint32_t *ring;  /* window: the node of the n-gram that begins at i modulo window */
};

static int is_valid(uint32_t n, uint32_t window) { return n >= 1 && n <= MAX_N && window >= 1 && window <= MAX_WINDOW; }

static uint32_t buckets_for(uint32_t window)
{
	uint32_t n = 16;

	while (n < window)
		n *= 2;
	return n;
}

static size_t capacity_for(uint32_t n, uint32_t window) { return 2 * ((size_t)window + n); }

size_t lanewise_ngrams_scratch_size(uint32_t n, uint32_t window)
{
	if (!is_valid(n, window))
		return 0;
	return sizeof(struct lanewise_ngrams) + window * sizeof(struct node) +
	       (capacity_for(n, window) + buckets_for(window) + window) * sizeof(uint32_t);
}

lanewise_ngrams *lanewise_ngrams_begin(void *scratch, uint32_t n, uint32_t window)
{
	lanewise_ngrams *ngrams = scratch;

	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !is_valid(n, window))
		return NULL;
	ngrams->n = n;
	ngrams->window = window;
	ngrams->n_buckets = buckets_for(window);
	ngrams->capacity = capacity_for(n, window);
	ngrams->nodes = (struct node *)(ngrams + 1);
	ngrams->tokens = (uint32_t *)(ngrams->nodes + window);
	ngrams->heads = ngrams->tokens + ngrams->capacity;
	ngrams->ring = ngrams->heads + ngrams->n_buckets;
	lw_make_secret(ngrams->key);
	lanewise_ngrams_reset(ngrams);
	return ngrams;
}

void lanewise_ngrams_reset(lanewise_ngrams *ngrams)
{
	ngrams->n_tokens = ngrams->tokens_begin = 0;
	for (uint32_t i = 0; i < ngrams->n_buckets; i++)
		ngrams->heads[i] = NO_NODE;
	for (uint32_t i = 0; i < ngrams->window; i++)
		ngrams->nodes[i].next = i + 1 < ngrams->window ? i + 1 : NO_NODE;
	ngrams->free = 0;
}

static void append(lanewise_ngrams *ngrams, uint32_t token)
{
	size_t used = (size_t)(ngrams->n_tokens - ngrams->tokens_begin), kept = ngrams->capacity / 2;

	if (used == ngrams->capacity) {
		memcpy(ngrams->tokens, ngrams->tokens + used - kept, kept * sizeof *ngrams->tokens);
		ngrams->tokens_begin += used - kept;
		used = kept;
	}
	ngrams->tokens[used] = token;
	ngrams->n_tokens++;
}

/* The n-gram that has left the window. */
static void forget(lanewise_ngrams *ngrams, uint32_t number)
{
	struct node *node = &ngrams->nodes[number];
	uint32_t *link;

	if (--node->count > 0)
		return;
	for (link = &ngrams->heads[node->bucket]; *link != number;)
		link = &ngrams->nodes[*link].next;
	*link = node->next;
	node->next = ngrams->free;
	ngrams->free = number;
}

static uint32_t find(const lanewise_ngrams *ngrams, const uint32_t *tokens, uint32_t bucket)
{
	uint32_t number = ngrams->heads[bucket];

	while (number != NO_NODE) {
		const uint32_t *last = ngrams->tokens + (ngrams->nodes[number].last - ngrams->tokens_begin);

		if (memcmp(last, tokens, ngrams->n * sizeof *tokens) == 0)
			break;
		number = ngrams->nodes[number].next;
	}
	return number;
}

/* How often the n-gram that begins at `begin` occurs, now that it is counted. */
static uint32_t count(lanewise_ngrams *ngrams, uint64_t begin)
{
	const uint32_t *tokens = ngrams->tokens + (begin - ngrams->tokens_begin);
	uint64_t hash = lw_siphash13(tokens, ngrams->n * sizeof *tokens, ngrams->key);
	uint32_t bucket = (uint32_t)hash & (ngrams->n_buckets - 1), number = find(ngrams, tokens, bucket);
	struct node *node;

	if (number == NO_NODE) {
		number = ngrams->free;
		node = &ngrams->nodes[number];
		ngrams->free = node->next;
		*node = (struct node) { .next = ngrams->heads[bucket], .bucket = bucket };
		ngrams->heads[bucket] = number;
	}
	node = &ngrams->nodes[number];
	node->last = begin;
	ngrams->ring[begin % ngrams->window] = number;
	return ++node->count;
}

uint32_t lanewise_ngrams_push(lanewise_ngrams *ngrams, const uint32_t *tokens, size_t n_tokens, uint32_t threshold,
                              size_t *n_taken)
{
	uint32_t found = 0;
	size_t i = 0;

	while (i < n_tokens && !found) {
		uint64_t begin;

		append(ngrams, tokens[i++]);
		if (ngrams->n_tokens < ngrams->n)
			continue;
		begin = ngrams->n_tokens - ngrams->n;
		if (begin >= ngrams->window)
			forget(ngrams, ngrams->ring[begin % ngrams->window]);
		found = count(ngrams, begin);
		if (found < threshold)
			found = 0;
	}
	if (n_taken)
		*n_taken = i;
	return found;
}
