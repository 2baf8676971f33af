/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Anchors in a chunk of text, by the kernel secret_candidates and the places that anchors are found by. An anchor that
 * ends in a block is found there, or in the one before if its place is; so what is found early waits for its turn in the
 * order of ends.
 */
#include "secrets/secrets_search.h"

#include <string.h>

enum {
	MIN_BYTES = 512, /* of a chunk; of less, the sets find them as fast */
	DENSE_EVERY = 8  /* so many positions to a candidate are too few to gain anything */
};

static int is_word_at(const lanewise_secrets_search *s, uint64_t at)
{
	return lw_secret_is_word(s->matcher.text[at - s->origin]);
}

static int same_bytes(const uint8_t *text, const uint8_t *bytes, size_t n, int ignore_case)
{
	if (!ignore_case)
		return memcmp(text, bytes, n) == 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t letter = text[i] | 0x20;
		int differ = text[i] ^ bytes[i];

		if (differ && (differ != 0x20 || letter < 'a' || letter > 'z'))
			return 0;
	}
	return 1;
}

static int comes_before(const lanewise_match *a, const lanewise_match *b)
{
	if (a->end != b->end)
		return a->end < b->end;
	if (a->begin != b->begin)
		return a->begin < b->begin;
	return a->reserved != b->reserved ? a->reserved < b->reserved : a->pattern < b->pattern;
}

/* Puts an anchor where it belongs in the order; 0 if there is no room. */
static int insert(struct lw_secret_found *found, const lanewise_match *match)
{
	size_t i = found->n;

	if (i == LW_SECRET_FOUND)
		return 0;
	for (; i > 0 && comes_before(match, &found->anchors[i - 1]); i--)
		found->anchors[i] = found->anchors[i - 1];
	found->anchors[i] = *match;
	found->n++;
	return 1;
}

/* Anchors are wanted that end in (from, end]. */
struct range {
	uint64_t from, end;
};

/* The eight bytes before a place and those from it on; what is not known before it is anything. */
struct near {
	uint64_t before, behind;
};

static struct near near_of(const lanewise_secrets_search *s, uint64_t position)
{
	const uint8_t *text = s->matcher.text + (position - s->origin);
	size_t n_before = position - s->origin < 8 ? (size_t)(position - s->origin) : 8;
	struct near near = { 0, 0 };

	if (n_before == 8)
		memcpy(&near.before, text - 8, 8);
	else
		memcpy((char *)&near.before + 8 - n_before, text - n_before, n_before);
	memcpy(&near.behind, text, 8);
	return near;
}

/* Whether a place's anchor, whose bytes next to `position` are right, stands there in full and ends where anchors are wanted. */
static int stands_at(const lanewise_secrets_search *s, const struct lw_secret_place *place, uint64_t position,
                     struct range range)
{
	uint64_t end = position - place->offset + place->count;

	if (position < s->origin + place->offset)
		return 0;
	return end > range.from && end <= range.end &&
	       (!place->is_long ||
	        same_bytes(s->matcher.text + (position - place->offset - s->origin),
	                   lw_secrets_pool(s->matcher.secrets) + place->bytes, place->count, (int)place->ignore_case));
}

/* The anchors of one key at a position that may be candidates; 0 if there are too many. */
static int look_up(lanewise_secrets_search *s, uint32_t key, uint64_t position, struct near near, struct range range)
{
	const lanewise_secrets *secrets = s->matcher.secrets;
	const struct lw_secret_finder *finder = secrets->finder;
	const struct lw_secret_place *place = (const struct lw_secret_place *)finder->places.items + finder->first[key];

	for (; place->key == key; place++) {
		if (LW_LIKELY(((near.before ^ place->near[0]) & place->near_mask[0]) |
		              ((near.behind ^ place->near[1]) & place->near_mask[1])) ||
		    !stands_at(s, place, position, range))
			continue;

		uint64_t begin = position - place->offset;
		const struct lw_secret_rule *rule =
		        &lw_secrets_rules(secrets)[lw_secrets_anchors(secrets)[place->anchor].rule];
		lanewise_match match = { begin, begin + place->count, place->anchor, place->set };

		if (lw_secrets_may_match(secrets, rule, s->matcher.text, (size_t)(begin - s->origin),
		                         (size_t)(match.end - s->origin), s->matcher.n) &&
		    !insert(&s->found, &match))
			return 0;
	}
	return 1;
}

static int has_key(const uint64_t *table, uint32_t key) { return table[key / 64] >> key % 64 & 1; }

/* The anchors at a candidate; 0 if there are too many. */
static int look_at(lanewise_secrets_search *s, uint64_t position, struct range range)
{
	const struct lw_secret_filter *filter = &s->matcher.secrets->finder->filter;
	uint32_t bytes = lw_secret_bytes(s->matcher.text + (position - s->origin));
	uint32_t wide = lw_secret_key(bytes), narrow = lw_secret_key(lw_secret_narrow(bytes));
	struct near near = near_of(s, position);

	if (has_key(filter->wide, wide) && !look_up(s, wide, position, near, range))
		return 0;
	if (has_key(filter->narrow, narrow) && !(narrow == wide && has_key(filter->wide, wide)) &&
	    !look_up(s, narrow, position, near, range))
		return 0;
	return look_up(s, lw_secret_deep_key((uint32_t)(near.before >> 32) | LW_SECRET_FOLD, bytes), position, near,
	               range);
}

/* Looks at all candidates of a block; 0 if they are too many. */
static int find_in_block(lanewise_secrets_search *s, uint64_t block, size_t n, struct range range)
{
	const struct lw_secret_filter *filter = &s->matcher.secrets->finder->filter;
	uint16_t positions[LW_SECRET_POSITIONS];
	const uint8_t *text = s->matcher.text + (block - s->origin);
	size_t n_found = lw_kernels()->secret_candidates(filter, text, n, block > s->origin && is_word_at(s, block - 1),
	                                                 positions);

	if (n_found > n / DENSE_EVERY)
		return 0;
	for (size_t i = 0; i < n_found; i++)
		if (!look_at(s, block + positions[i], range))
			return 0;
	return 1;
}

uint64_t lanewise_secrets_find_anchors(lanewise_secrets_search *s, uint64_t from, uint64_t end)
{
	uint64_t known = s->origin + s->matcher.n, anchor = s->matcher.secrets->reach.anchor, at, aligned, found;
	struct range range = { from, end };

	s->found.n = s->found.next = 0;
	if (end - from < MIN_BYTES || lw_kernels() == lanewise_kernels_of(0))
		return from;
	/* Anchors under way: their places may be before. */
	at = from - (anchor < from - s->origin ? anchor : from - s->origin);
	aligned = (uintptr_t)(s->matcher.text + (at - s->origin)) % 64;
	at -= aligned <= at - s->origin ? aligned : 0;
	found = from;
	while (at < end && known - at > LW_SECRET_AHEAD) {
		uint64_t n = known - at - LW_SECRET_AHEAD;

		if (n > end - at)
			n = (end - at + 63) / 64 * 64 <= n ? (end - at + 63) / 64 * 64 : n;
		n = n < LW_SECRET_POSITIONS ? n / 64 * 64 : LW_SECRET_POSITIONS;
		if (n == 0 || !find_in_block(s, at, (size_t)n, range))
			break;
		at += n;
		if (at > found)
			found = at < end ? at : end;
	}
	while (s->found.n > 0 && s->found.anchors[s->found.n - 1].end > found)
		s->found.n--;
	return found;
}
