/* SPDX-License-Identifier: Apache-2.0 */
/* A search under way, in a whole text or in a part that moves along it, and how what it finds is masked. */
#ifndef LW_SECRETS_SEARCH_H
#define LW_SECRETS_SEARCH_H

#include "common.h"
#include "secrets/secrets.h"

enum { LW_SECRET_MATCHES = 64, LW_SECRET_CHUNK = 1 << 15, LW_SECRET_FOUND = 256 };

/* A finding, all that it and those it beat cover, and whether it is reported or only covers. */
struct lw_covered {
	lanewise_secret secret;
	uint64_t begin, end;
	int reported;
};

enum lw_run_state { LW_RUN_NONE, LW_RUN_OPEN, LW_RUN_FOUND };

/* The next run for a rule of runs: none in the text known; one that goes on at its end; one that is right. */
struct lw_run_ahead {
	enum lw_run_state state;
	int inside;          /* the text known ends in a run that is too long */
	uint64_t begin, end; /* unless there is none */
	uint64_t from, seen; /* where the next may begin; how much text was known the last time */
};

/* The anchors of one set. All sources have the same part of the text. */
struct lw_secret_source {
	lanewise_scan *scan;
	const uint32_t *numbers;
	size_t n_matches, next;
	lanewise_match matches[LW_SECRET_MATCHES];
};

/* The anchors that the finder found in a chunk, by end and so on as the sources give them. */
struct lw_secret_found {
	size_t n, next;
	lanewise_match anchors[LW_SECRET_FOUND]; /* `pattern` is the anchor, `reserved` its set */
};

struct lanewise_secrets_search {
	struct lw_secret_matcher matcher;
	uint64_t origin; /* of matcher.text in the whole text */
	struct lw_secret_source sources[LW_SECRET_SETS];
	uint32_t n_sources, last_source; /* that gave the candidate under way; n_sources: the finder */
	uint64_t chunk, fed;             /* the chunk that was searched begins and ends here */
	uint64_t sources_from,
	        sources_fed; /* the sources' anchors count that end behind the one; they know text up to the other */
	struct lw_run_ahead ahead[LW_SECRET_RUN_RULES];
	int blocked; /* more text has to decide an anchor that is known */

	struct lw_covered held, second; /* `second` comes next, if there is one */
	int is_held, has_second;
	uint64_t reported_end; /* of the last finding that was reported */

	struct lw_secret_found found; /* last, so that it need not be cleared */
};

static inline size_t lw_secrets_round_up(size_t n)
{
	return (n + LW_SCRATCH_ALIGNMENT - 1) / LW_SCRATCH_ALIGNMENT * LW_SCRATCH_ALIGNMENT;
}

/* The next finding or cover; 0 if there is none, or, unless the text has ended, none without more text. */
int lanewise_secrets_next_covered(lanewise_secrets_search *search, struct lw_covered *out);

/* The status of a search that is over: whether all candidates were decided. */
lanewise_status lanewise_secrets_decided(const lanewise_secrets_search *search);

/* After that has returned 0: no candidate to come begins before this, nor any secret before the second. */
uint64_t lanewise_secrets_candidates_from(const lanewise_secrets_search *search);
uint64_t lanewise_secrets_safe(const lanewise_secrets_search *search);

/*
 * Finds anchors that end in [from, end) of the whole text, of which the search has all that matters, into search->found,
 * and returns the end of where it has: less than `end` if there is too little text behind, or if they are many.
 */
uint64_t lanewise_secrets_find_anchors(lanewise_secrets_search *search, uint64_t from, uint64_t end);

/* The text up to `origin` is given up, and what is left lies at `text` now. */
void lanewise_secrets_move(lanewise_secrets_search *search, uint64_t origin, const uint8_t *text);

/* The longest cover, about; longer ones are two. */
uint64_t lanewise_secrets_cover_most(const lanewise_secrets *secrets);

/* ---------------------------------------------------------------- masking */

struct lw_segment {
	const char *bytes; /* or NULL for the byte of masks */
	size_t n;
};

struct lw_masking {
	const lanewise_secrets_search *search;
	lanewise_mask_options options;
	uint64_t done, masked_end; /* text before `done` is in the queue or gone; the last mask's end */
	uint64_t n_masked;
	struct lw_segment queue[8];
	int n_queued, first;
};

/* Whether the options can be used. */
int lanewise_secrets_begin_masking(struct lw_masking *masking, const lanewise_mask_options *options,
                                   const lanewise_secrets_search *search);

/* Puts text and mask up to the end of what is covered, or text up to `end`, into the queue, which is empty. */
void lanewise_secrets_mask_covered(struct lw_masking *masking, const struct lw_covered *covered);
void lanewise_secrets_keep_text(struct lw_masking *masking, uint64_t end);

/* Writes as much of the queue as fits, and returns how much that is. */
size_t lanewise_secrets_write_queue(struct lw_masking *masking, char *out, size_t capacity);

/* Where the character of UTF-8 begins that `at` stands within, or `at`; what follows the text known may be anything. */
uint64_t lanewise_secrets_character_begin(const lanewise_secrets_search *search, uint64_t at);

#endif
