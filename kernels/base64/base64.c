/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public functions of lanewise/base64.h. The kernels take whole groups; here is what remains: the last group, and,
 * one character at a time, everything that is not a character of the alphabet.
 */
#include <inttypes.h>

#include <lanewise/base64.h>

#include "common.h"
#include "support.h"

#include "base64_tables.h"

size_t lanewise_base64_encoded_size(size_t n_bytes, uint32_t flags)
{
	size_t groups = n_bytes / 3, rest = n_bytes % 3;

	if (groups >= SIZE_MAX / 4)
		return SIZE_MAX;
	if (!rest)
		return 4 * groups;
	return 4 * groups + (flags & LANEWISE_BASE64_UNPADDED ? rest + 1 : 4);
}

size_t lanewise_base64_decoded_bound(size_t n_bytes)
{
	size_t rest = n_bytes % 4;

	return n_bytes / 4 * 3 + (rest ? rest - 1 : 0);
}

size_t lanewise_base64_encode(const void *data, size_t n_bytes, uint32_t flags, char *text)
{
	const uint8_t *in = data;
	uint8_t *out = (uint8_t *)text;
	int url = (flags & LANEWISE_BASE64_URL) != 0;
	size_t groups = n_bytes / 3, rest = n_bytes % 3, size = lanewise_base64_encoded_size(n_bytes, flags);

	lw_kernels()->base64_encode(in, groups, url, out);
	if (rest) {
		uint8_t last[3] = { in[3 * groups], rest == 2 ? in[3 * groups + 1] : 0, 0 };
		uint8_t letters[4];

		lw_base64_encode_group(last, letters, url);
		for (size_t i = rest + 1; i < 4; i++)
			letters[i] = '=';
		memcpy(out + 4 * groups, letters, size - 4 * groups);
	}
	return size;
}

/* -------------------------------------------------------------- decoding */

enum phase { GROUPS, PADDING, OVER, FAILED };

/* One call: the state, the piece and the room for what it decodes to. */
struct decoding {
	lanewise_base64_state *state;
	const uint8_t *text;
	size_t n, at; /* at: the next character */
	uint8_t *data;
	size_t capacity, n_decoded;
	uint32_t flags;
	lanewise_error *error;
};

static lanewise_status fail_data(const struct decoding *d, uint64_t offset, const char *what)
{
	return lw_fail(d->error, LANEWISE_ERROR_DATA, offset, "base64: %s", what);
}

/* In the whole text. */
static uint64_t place(const struct decoding *d) { return d->state->n_bytes + d->at; }

static int is_url(const struct decoding *d) { return (d->flags & LANEWISE_BASE64_URL) != 0; }

static int may_skip(const struct decoding *d, uint8_t c)
{
	if (d->flags & LANEWISE_BASE64_LAX)
		return 1;
	return (d->flags & LANEWISE_BASE64_FORGIVING) && (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r');
}

/* The bytes of the group under way, complete or not. */
static lanewise_status write_group(struct decoding *d)
{
	lanewise_base64_state *s = d->state;
	size_t n_bytes = s->n_characters - 1u;

	if (d->capacity - d->n_decoded < n_bytes)
		return lw_fail(d->error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET,
		               "base64: more than the %zu bytes there is room for", d->capacity);
	s->bits <<= 6 * (4 - s->n_characters);
	if (!(d->flags & (LANEWISE_BASE64_FORGIVING | LANEWISE_BASE64_LAX)) &&
	    (s->bits & ((1u << (24 - 8 * n_bytes)) - 1)))
		return fail_data(d, s->last_at, "bits of the last character are set that belong to no byte");
	for (size_t i = 0; i < n_bytes; i++)
		d->data[d->n_decoded++] = (uint8_t)(s->bits >> (16 - 8 * i));
	s->bits = 0;
	s->n_characters = 0;
	return LANEWISE_OK;
}

/* Whole groups, as many as there are in one piece and room for. */
static void read_groups(struct decoding *d)
{
	size_t groups = (d->n - d->at) / 4, room = (d->capacity - d->n_decoded) / 3, done;

	if (groups == 0 || room == 0)
		return;
	done = lw_kernels()->base64_decode(d->text + d->at, groups < room ? groups : room, is_url(d),
	                                   d->data + d->n_decoded);
	d->at += 4 * done;
	d->n_decoded += 3 * done;
}

static lanewise_status read_letter(struct decoding *d, uint32_t value)
{
	lanewise_base64_state *s = d->state;
	size_t before = d->at;

	if (s->n_characters == 0)
		read_groups(d);
	if (d->at != before)
		return LANEWISE_OK;
	s->bits = s->bits << 6 | value;
	s->n_pads = 0;
	s->last_at = place(d);
	d->at++;
	return ++s->n_characters < 4 ? LANEWISE_OK : write_group(d);
}

/* A '=': it must complete a group, alone or with others. */
static lanewise_status read_pad(struct decoding *d)
{
	lanewise_base64_state *s = d->state;

	if (d->flags & LANEWISE_BASE64_LAX) {
		d->at++;
		if (s->n_characters < 2 || s->n_characters + ++s->n_pads < 4)
			return LANEWISE_OK;
		s->phase = OVER;
		return write_group(d);
	}
	if (s->phase == GROUPS) {
		if (s->n_characters < 2)
			return fail_data(d, place(d), "padding where no group can end");
		s->missing = (uint8_t)(4 - s->n_characters);
		s->phase = PADDING;
	}
	if (!s->missing)
		return fail_data(d, place(d), "something behind the padding");
	d->at++;
	return --s->missing ? LANEWISE_OK : write_group(d);
}

static lanewise_status read_character(struct decoding *d)
{
	uint8_t c = d->text[d->at];
	uint32_t value = lw_base64_value(c, is_url(d));
	lanewise_base64_state *s = d->state;

	if (s->phase == GROUPS && value < 64)
		return read_letter(d, value);
	if (c == '=')
		return read_pad(d);
	if (!may_skip(d, c))
		return fail_data(d, place(d),
		                 s->phase == GROUPS ? "a character that is not of the alphabet"
		                 : s->missing       ? "incomplete padding"
		                                    : "something behind the padding");
	d->at++;
	return LANEWISE_OK;
}

static lanewise_status read_piece(struct decoding *d)
{
	lanewise_status status = LANEWISE_OK;

	while (status == LANEWISE_OK && d->at < d->n && d->state->phase != OVER)
		status = read_character(d);
	d->state->n_bytes += d->n;
	return status;
}

/* What the last group may be without padding. */
static lanewise_status read_end(struct decoding *d)
{
	const lanewise_base64_state *s = d->state;

	if (s->missing)
		return fail_data(d, s->n_bytes, "incomplete padding");
	if (s->n_characters == 0)
		return LANEWISE_OK;
	if (s->n_characters == 1 || !(d->flags & (LANEWISE_BASE64_UNPADDED | LANEWISE_BASE64_FORGIVING)))
		return fail_data(d, s->n_bytes, "the text ends within a group");
	return write_group(d);
}

static lanewise_status check_call(const struct decoding *d, const size_t *n_decoded)
{
	const uint32_t both = LANEWISE_BASE64_FORGIVING | LANEWISE_BASE64_LAX;

	if (!d->state || (!d->text && d->n) || (!d->data && d->capacity) || !n_decoded)
		return lw_fail(d->error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "base64: a NULL pointer");
	if (d->flags > (both | LANEWISE_BASE64_URL | LANEWISE_BASE64_UNPADDED) || (d->flags & both) == both)
		return lw_fail(d->error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "base64: flags %" PRIu32,
		               d->flags);
	if (d->state->phase == FAILED)
		return lw_fail(d->error, LANEWISE_ERROR_DATA, LANEWISE_NO_OFFSET, "base64: there was an error before");
	return LANEWISE_OK;
}

lanewise_status lanewise_base64_decode(const char *text, size_t n_bytes, uint32_t flags, void *data, size_t capacity,
                                       size_t *n_decoded, lanewise_error *error)
{
	lanewise_base64_state state = { 0 };
	struct decoding d = { &state, (const uint8_t *)text, n_bytes, 0, data, capacity, 0, flags, error };
	lanewise_status status = check_call(&d, n_decoded);

	if (status == LANEWISE_OK)
		status = read_piece(&d);
	if (status == LANEWISE_OK)
		status = read_end(&d);
	if (status == LANEWISE_OK)
		*n_decoded = d.n_decoded;
	return status;
}

/* The end of a call for a text in pieces. */
static lanewise_status leave(const struct decoding *d, lanewise_status status, size_t *n_decoded)
{
	*n_decoded = d->n_decoded;
	if (status != LANEWISE_OK)
		d->state->phase = FAILED;
	return status;
}

lanewise_status lanewise_base64_feed(lanewise_base64_state *state, const char *text, size_t n_bytes, uint32_t flags,
                                     void *data, size_t capacity, size_t *n_decoded, lanewise_error *error)
{
	struct decoding d = { state, (const uint8_t *)text, n_bytes, 0, data, capacity, 0, flags, error };
	lanewise_status status = check_call(&d, n_decoded);

	return status == LANEWISE_OK ? leave(&d, read_piece(&d), n_decoded) : status;
}

lanewise_status lanewise_base64_finish(lanewise_base64_state *state, uint32_t flags, void *data, size_t capacity,
                                       size_t *n_decoded, lanewise_error *error)
{
	struct decoding d = { .state = state, .data = data, .capacity = capacity, .flags = flags, .error = error };
	lanewise_status status = check_call(&d, n_decoded);

	return status == LANEWISE_OK ? leave(&d, read_end(&d), n_decoded) : status;
}

/* -------------------------------------------------------------- data URLs */

static int equals_ignoring_case(const char *text, const char *lower, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]) != lower[i])
			return 0;
	return 1;
}

lanewise_status lanewise_data_url_parse(const char *text, size_t n_bytes, lanewise_data_url *url, lanewise_error *error)
{
	static const char scheme[] = "data:", base64[] = ";base64";
	enum { N_SCHEME = sizeof scheme - 1, N_BASE64 = sizeof base64 - 1 };
	const char *comma;
	size_t end;

	if ((!text && n_bytes) || !url)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "data URL: a NULL pointer");
	if (n_bytes < N_SCHEME || !equals_ignoring_case(text, scheme, N_SCHEME))
		return lw_fail(error, LANEWISE_ERROR_DATA, 0, "data URL: it does not begin with data:");
	comma = memchr(text, ',', n_bytes);
	if (!comma)
		return lw_fail(error, LANEWISE_ERROR_DATA, n_bytes, "data URL: no comma before the data");
	end = (size_t)(comma - text);
	*url = (lanewise_data_url) { .type_begin = N_SCHEME, .type_end = end, .data_begin = end + 1 };
	if (end >= N_SCHEME + N_BASE64 && equals_ignoring_case(comma - N_BASE64, base64, N_BASE64)) {
		url->is_base64 = 1;
		url->type_end -= N_BASE64;
	}
	return LANEWISE_OK;
}
