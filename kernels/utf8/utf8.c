/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of lanewise/utf8.h. */
#include <lanewise/utf8.h>

#include "common.h"
#include "support.h"

#include "utf8_char.h"

static lanewise_status fail_at(uint64_t offset, int cut, lanewise_error *error)
{
	return lw_fail(error, LANEWISE_ERROR_DATA, offset,
	               cut ? "the text ends within a UTF-8 character" : "not valid UTF-8");
}

size_t lanewise_utf8_valid_prefix(const void *text, size_t n_bytes) { return lw_kernels()->utf8_prefix(text, n_bytes); }

size_t lanewise_utf8_count(const void *text, size_t n_bytes) { return lw_kernels()->utf8_count(text, n_bytes); }

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
