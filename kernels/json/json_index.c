/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a text in pieces: the kernels for UTF-8 and for positions, one after the other over parts that stay in
 * the L1 cache.
 */
#include <lanewise/json.h>

#include "common.h"
#include "support.h"

enum { PART = 4096, FAILED_UTF8 = 1, FAILED_CONTROL = 2 };

static lanewise_status report(const lanewise_json_index_state *state, lanewise_error *error)
{
	if (!state->failed)
		return LANEWISE_OK;
	return lw_fail(error, LANEWISE_ERROR_DATA, state->failed_at,
	               state->failed == FAILED_UTF8 ? "not valid UTF-8" : "a control character in a string");
}

/* Notes an error unless there is one that lies before it. */
static void note(lanewise_json_index_state *state, uint8_t what, uint64_t offset)
{
	if (state->failed && state->failed_at <= offset)
		return;
	state->failed = what;
	state->failed_at = offset;
}

/* What is seen of a part; `carry` is as behind it. */
static void finish_part(lanewise_json_index_state *state, const uint8_t *text, size_t n, struct lw_json_carry carry,
                        struct lw_json_seen seen)
{
	if (!seen.wide && !state->utf8.n_partial)
		state->utf8.n_valid += n;
	else if (lanewise_utf8_feed(&state->utf8, text, n, NULL) != LANEWISE_OK)
		note(state, FAILED_UTF8, state->utf8.n_valid);
	if (seen.control < n)
		note(state, FAILED_CONTROL, state->n_bytes + seen.control);
	state->in_string = carry.in_string;
	state->escaped = carry.escaped;
	state->in_scalar = carry.in_scalar;
	state->n_bytes += n;
}

/* Indexes one part; returns the number of positions, to which `base` is added. */
static size_t index_part(lanewise_json_index_state *state, const uint8_t *text, size_t n, uint32_t base,
                         uint32_t *index)
{
	struct lw_json_carry carry = { state->in_string, state->escaped, state->in_scalar };
	struct lw_json_seen seen;
	uint64_t begin = state->n_bytes;
	size_t count = lw_kernels()->json_index(text, n, &carry, base, index, &seen);

	finish_part(state, text, n, carry, seen);
	while (LW_UNLIKELY(state->failed) && count && begin + (index[count - 1] - base) > state->failed_at)
		count--;
	return count;
}

lanewise_status lanewise_json_index_feed(lanewise_json_index_state *state, const char *text, size_t n_bytes,
                                         uint32_t *index, size_t capacity, size_t *n_index, size_t *n_taken,
                                         lanewise_error *error)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t taken = 0, count = 0;

	if (!state || (!text && n_bytes) || (!index && n_bytes) || !n_index || !n_taken)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a NULL pointer");
	if (n_bytes > UINT32_MAX)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a piece of more than 4 GiB");
	if (capacity < n_bytes && capacity < LANEWISE_JSON_INDEX_CAPACITY)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: capacity %zu", capacity);
	while (taken < n_bytes && !state->failed) {
		size_t left = n_bytes - taken, room = capacity - count, part = left < PART ? left : PART;

		if (part > room) {
			if (room < LANEWISE_JSON_INDEX_CAPACITY)
				break;
			part = room;
		}

		count += index_part(state, p + taken, part, (uint32_t)taken, index + count);
		taken += part;
	}
	*n_index = count;
	*n_taken = taken;
	return report(state, error);
}

lanewise_status lanewise_json_index_bits(lanewise_json_index_state *state, const char *text, size_t n_bytes,
                                         uint64_t *bits, lanewise_error *error)
{
	const uint8_t *p = (const uint8_t *)text;

	if (!state || (!text && n_bytes) || (!bits && n_bytes))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a NULL pointer");
	for (size_t at = 0; at < n_bytes; at += PART) {
		size_t n = n_bytes - at < PART ? n_bytes - at : PART;
		struct lw_json_carry carry = { state->in_string, state->escaped, state->in_scalar };
		struct lw_json_seen seen;
		uint64_t begin = state->n_bytes;

		if (state->failed) {
			memset(bits + at / 64, 0, (n + 63) / 64 * sizeof *bits);
			continue;
		}
		lw_kernels()->json_bits(p + at, n, &carry, bits + at / 64, &seen);
		finish_part(state, p + at, n, carry, seen);
		if (state->failed) {
			size_t behind = state->failed_at < begin ? 0 : (size_t)(state->failed_at - begin) + 1;

			for (size_t i = behind; i < n; i++)
				bits[(at + i) / 64] &= ~((uint64_t)1 << (at + i) % 64);
		}
	}
	return report(state, error);
}

lanewise_status lanewise_json_index_finish(const lanewise_json_index_state *state, lanewise_error *error)
{
	if (state->failed)
		return report(state, error);
	if (state->utf8.n_partial)
		return lanewise_utf8_finish(&state->utf8, error);
	if (state->in_string)
		return lw_fail(error, LANEWISE_ERROR_DATA, state->n_bytes, "the text ends within a string");
	return LANEWISE_OK;
}
