/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise_loop: is the end of a token stream one block several times in a row?
 *
 * For every period p it counts for how many tokens in a row each has equalled the one p before it. The last p * count
 * tokens are one block repeated exactly if that count is at least p * (count - 1). A token changes all counts by one
 * rule - one more, or zero - so a step is one pass over the periods, whatever the tokens are: there is nothing that a
 * stream could do to make it slow, where comparing blocks takes time quadratic in the period for streams that nearly
 * repeat.
 *
 * The history lies backwards, newest token first, so that period p reads at p - 1 places from its front, and grows
 * towards lower addresses; when there is no more room, as much of it as counts is moved to the end.
 */
#include <lanewise/dedup.h>

#include "common.h"

enum {
	MAX_COUNT = 65535,   /* what a 16-bit counter holds */
	HISTORY_PERIODS = 8, /* moved once in so many times the longest period */
	PLACE_ALIGNMENT = 64
};

struct lanewise_loop {
	uint32_t min_period, count;
	size_t n_periods, n_lanes; /* lane i is period min_period + i; lanes are padded to LW_LOOP_LANES */
	size_t history_capacity, reach;
	uint32_t *newest; /* in `history` */
	uint32_t *history;
	uint16_t *run, *threshold;
	uint64_t n_tokens;
};

static size_t lanes_of(uint32_t min_period, uint32_t max_period)
{
	size_t n = (size_t)max_period - min_period + 1;

	return (n + LW_LOOP_LANES - 1) / LW_LOOP_LANES * LW_LOOP_LANES;
}

static int is_valid(uint32_t min_period, uint32_t max_period, uint32_t count)
{
	return min_period >= 1 && min_period <= max_period && count >= 2 &&
	       (uint64_t)max_period * (count - 1) <= MAX_COUNT;
}

/* Tokens that a step may read, padded lanes included. */
static size_t reach_of(uint32_t min_period, uint32_t max_period)
{
	return min_period - 1 + lanes_of(min_period, max_period);
}

static size_t round_up(size_t n) { return (n + PLACE_ALIGNMENT - 1) / PLACE_ALIGNMENT * PLACE_ALIGNMENT; }

size_t lanewise_loop_scratch_size(uint32_t min_period, uint32_t max_period, uint32_t count)
{
	if (!is_valid(min_period, max_period, count))
		return 0;

	size_t history = (HISTORY_PERIODS + 1) * reach_of(min_period, max_period) * sizeof(uint32_t);

	return PLACE_ALIGNMENT + round_up(sizeof(struct lanewise_loop)) + round_up(history) +
	       2 * lanes_of(min_period, max_period) * sizeof(uint16_t);
}

lanewise_loop *lanewise_loop_begin(void *scratch, uint32_t min_period, uint32_t max_period, uint32_t count)
{
	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !is_valid(min_period, max_period, count))
		return NULL;

	unsigned char *p = (unsigned char *)scratch + (0 - (uintptr_t)scratch) % PLACE_ALIGNMENT;
	struct lanewise_loop *loop = (void *)p;

	loop->min_period = min_period;
	loop->count = count;
	loop->n_periods = (size_t)max_period - min_period + 1;
	loop->n_lanes = lanes_of(min_period, max_period);
	loop->reach = reach_of(min_period, max_period);
	loop->history_capacity = (HISTORY_PERIODS + 1) * loop->reach;
	loop->history = (void *)(p + round_up(sizeof *loop));
	loop->run = (void *)(p + round_up(sizeof *loop) + round_up(loop->history_capacity * sizeof *loop->history));
	loop->threshold = loop->run + loop->n_lanes;
	for (size_t i = 0; i < loop->n_lanes; i++)
		loop->threshold[i] = (uint16_t)(i < loop->n_periods ? (min_period + i) * (count - 1) : MAX_COUNT);
	lanewise_loop_reset(loop);
	return loop;
}

void lanewise_loop_reset(lanewise_loop *loop)
{
	memset(loop->run, 0, loop->n_lanes * sizeof *loop->run);
	loop->newest = loop->history + loop->history_capacity - loop->reach;
	memset(loop->newest, 0, loop->reach * sizeof *loop->newest);
	loop->n_tokens = 0;
}

static void make_room(struct lanewise_loop *loop)
{
	uint32_t *to = loop->history + loop->history_capacity - loop->reach;

	memcpy(to, loop->newest, loop->reach * sizeof *to);
	loop->newest = to;
}

/*
 * The period of the loop that a token completes, or 0. Before the first token there are zeros, which tokens may equal;
 * a loop of p * count tokens that were there is not touched by that.
 */
static uint32_t push_one(struct lanewise_loop *loop, uint32_t token)
{
	size_t lane = lw_kernels()->loop_step(loop->newest + loop->min_period - 1, token, loop->n_lanes, loop->run,
	                                      loop->threshold);

	if (loop->newest == loop->history)
		make_room(loop);
	*--loop->newest = token;
	loop->n_tokens++;
	if (LW_LIKELY(lane >= loop->n_periods))
		return 0;

	uint32_t period = loop->min_period + (uint32_t)lane;

	return (uint64_t)period * loop->count <= loop->n_tokens ? period : 0;
}

uint32_t lanewise_loop_push(lanewise_loop *loop, const uint32_t *tokens, size_t n, size_t *n_taken)
{
	uint32_t period = 0;
	size_t i = 0;

	while (i < n && period == 0)
		period = push_one(loop, tokens[i++]);
	if (n_taken)
		*n_taken = i;
	return period;
}
