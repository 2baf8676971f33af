/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of lanewise/utf8.h. */
#include <lanewise/utf8.h>

#include "common.h"
#include "support.h"

#include "utf8_char.h"
#include "utf8_range.h"

static lanewise_status fail_at(uint64_t offset, int cut, lanewise_error *error)
{
	return lw_fail(error, LANEWISE_ERROR_DATA, offset,
	               cut ? "the text ends within a UTF-8 character" : "not valid UTF-8");
}

size_t lanewise_utf8_valid_prefix(const void *text, size_t n_bytes) { return lw_kernels()->utf8_prefix(text, n_bytes); }

size_t lanewise_utf8_count(const void *text, size_t n_bytes) { return lw_kernels()->utf8_count(text, n_bytes); }

/* ---------------------------------------------------------------- offsets */

enum { OFFSET_STEP = 512 };

static int is_continuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

/* From *at, where *index code points have begun before, to where the code point `wanted` >= *index begins. */
static void advance(const uint8_t *text, size_t n, size_t wanted, size_t *at, size_t *index)
{
	while (n - *at > OFFSET_STEP) {
		size_t count = lw_kernels()->utf8_count(text + *at, OFFSET_STEP);

		if (*index + count > wanted)
			break;
		*index += count;
		*at += OFFSET_STEP;
	}
	for (; *at < n; ++*at)
		if (!is_continuation(text[*at]) && (*index)++ == wanted) {
			--*index;
			break;
		}
}

size_t lanewise_utf8_offset(const void *text, size_t n_bytes, size_t index)
{
	size_t at = 0, reached = 0;

	advance(text, n_bytes, index, &at, &reached);
	return at;
}

static lanewise_status check_offsets(const void *text, size_t n_bytes, const uint64_t *from, size_t n,
                                     const uint64_t *to, uint64_t limit, lanewise_error *error)
{
	if ((n_bytes && !text) || (n && (!from || !to)))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "text or offsets are NULL");
	for (size_t i = 0; i < n; i++) {
		unsigned long long number = i, offset = from[i];

		if (i > 0 && from[i] < from[i - 1])
			return lw_fail(error, LANEWISE_ERROR_ARGUMENT, i,
			               "offset %llu, %llu, is less than the one before", number, offset);
		if (from[i] > limit)
			return lw_fail(error, LANEWISE_ERROR_ARGUMENT, i, "offset %llu, %llu, is beyond the end, %llu",
			               number, offset, (unsigned long long)limit);
	}
	return LANEWISE_OK;
}

lanewise_status lanewise_utf8_to_code_points(const void *text, size_t n_bytes, const uint64_t *from, size_t n,
                                             uint64_t *to, lanewise_error *error)
{
	lanewise_status status = check_offsets(text, n_bytes, from, n, to, n_bytes, error);
	size_t at = 0, count = 0;

	for (size_t i = 0; status == LANEWISE_OK && i < n; i++) {
		size_t end = (size_t)from[i];

		count += lw_kernels()->utf8_count((const uint8_t *)text + at, end - at);
		at = end;
		to[i] = count;
	}
	return status;
}

lanewise_status lanewise_utf8_to_bytes(const void *text, size_t n_bytes, const uint64_t *from, size_t n, uint64_t *to,
                                       lanewise_error *error)
{
	size_t n_code_points = n_bytes && !text ? 0 : lanewise_utf8_count(text, n_bytes), at = 0, index = 0;
	lanewise_status status = check_offsets(text, n_bytes, from, n, to, n_code_points, error);

	for (size_t i = 0; status == LANEWISE_OK && i < n; i++) {
		advance(text, n_bytes, (size_t)from[i], &at, &index);
		to[i] = at;
	}
	return status;
}

/* ----------------------------------------------------------------- ranges */

/* As UTF-8 has it, also for surrogates and 0x110000; how many bytes. */
static int encode(uint32_t c, uint8_t out[4])
{
	int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (int i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
	out[0] = (uint8_t)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
	while (n > 1 && out[n - 1] == 0x80)
		n--;
	return n;
}

static int make_range(uint32_t first, uint32_t last, struct lw_utf8_range *range)
{
	if (first > last || last > 0x10ffff)
		return 0;
	range->n_low = encode(first, range->low);
	range->n_end = encode(last + 1, range->end);
	return 1;
}

size_t lanewise_utf8_count_range(const void *text, size_t n_bytes, uint32_t first, uint32_t last)
{
	struct lw_utf8_range range;

	return make_range(first, last, &range) ? lw_kernels()->utf8_count_range(text, n_bytes, &range) : 0;
}

size_t lanewise_utf8_find_range(const void *text, size_t n_bytes, uint32_t first, uint32_t last)
{
	struct lw_utf8_range range;

	return make_range(first, last, &range) ? lw_kernels()->utf8_find_range(text, n_bytes, &range) : n_bytes;
}

/* ------------------------------------------------------------- validation */

lanewise_status lanewise_utf8_validate(const void *text, size_t n_bytes, lanewise_error *error)
{
	size_t valid = lanewise_utf8_valid_prefix(text, n_bytes);
	int cut;

	if (valid == n_bytes)
		return LANEWISE_OK;
	lw_utf8_length((const uint8_t *)text + valid, n_bytes - valid, &cut);
	return fail_at(valid, cut, error);
}

/* Completes the partial character with bytes of the piece; how many of them it took. */
static size_t complete_partial(lanewise_utf8_state *state, const uint8_t *text, size_t n)
{
	size_t taken = 0;

	while (state->n_partial && taken < n) {
		int cut;

		state->partial[state->n_partial++] = text[taken++];
		if (lw_utf8_length(state->partial, state->n_partial, &cut)) {
			state->n_valid += state->n_partial;
			state->n_partial = 0;
		} else if (!cut) {
			state->failed = 1;
			break;
		}
	}
	return taken;
}

lanewise_status lanewise_utf8_feed(lanewise_utf8_state *state, const void *text, size_t n_bytes, lanewise_error *error)
{
	const uint8_t *p = text;

	if (!state->failed) {
		size_t taken = complete_partial(state, p, n_bytes);

		if (!state->failed && taken < n_bytes) {
			p += taken;
			n_bytes -= taken;

			size_t valid = lanewise_utf8_valid_prefix(p, n_bytes);
			int cut = 0;

			state->n_valid += valid;
			if (valid < n_bytes) {
				lw_utf8_length(p + valid, n_bytes - valid, &cut);
				if (cut) {
					state->n_partial = (uint8_t)(n_bytes - valid);
					memcpy(state->partial, p + valid, n_bytes - valid);
				} else {
					state->failed = 1;
				}
			}
		}
	}
	return state->failed ? fail_at(state->n_valid, 0, error) : LANEWISE_OK;
}

lanewise_status lanewise_utf8_finish(const lanewise_utf8_state *state, lanewise_error *error)
{
	if (state->failed || state->n_partial)
		return fail_at(state->n_valid, !state->failed, error);
	return LANEWISE_OK;
}
