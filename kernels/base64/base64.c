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

struct decoding {
	const uint8_t *text;
	size_t n, at; /* at: the next character */
	uint8_t *data;
	size_t capacity, n_decoded;
	uint32_t flags;
	uint32_t bits;       /* of the characters of a group that is not complete */
	size_t n_characters; /* how many those are, 0 ... 3 */
	size_t last_at;      /* where the last of them is */
	size_t n_pads;       /* LAX: padding since the last of them */
	lanewise_error *error;
};

static lanewise_status fail_data(const struct decoding *d, size_t offset, const char *what)
{
	return lw_fail(d->error, LANEWISE_ERROR_DATA, offset, "base64: %s", what);
}

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
	size_t n_bytes = d->n_characters - 1;

	if (d->capacity - d->n_decoded < n_bytes)
		return lw_fail(d->error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET,
		               "base64: more than the %zu bytes there is room for", d->capacity);
	d->bits <<= 6 * (4 - d->n_characters);
	if (!(d->flags & (LANEWISE_BASE64_FORGIVING | LANEWISE_BASE64_LAX)) &&
	    (d->bits & ((1u << (24 - 8 * n_bytes)) - 1)))
		return fail_data(d, d->last_at, "bits of the last character are set that belong to no byte");
	for (size_t i = 0; i < n_bytes; i++)
		d->data[d->n_decoded++] = (uint8_t)(d->bits >> (16 - 8 * i));
	d->bits = 0;
	d->n_characters = 0;
	return LANEWISE_OK;
}

/* At a '=' that is to complete the group: it must be a whole padding, and nothing but what may be skipped behind it. */
static lanewise_status read_padding(struct decoding *d)
{
	size_t missing = 4 - d->n_characters;

	if (d->n_characters < 2)
		return fail_data(d, d->at, "padding where no group can end");
	for (; d->at < d->n; d->at++) {
		uint8_t c = d->text[d->at];

		if (c == '=' && missing)
			missing--;
		else if (!may_skip(d, c))
			return fail_data(d, d->at, missing ? "incomplete padding" : "something behind the padding");
	}
	return missing ? fail_data(d, d->n, "incomplete padding") : write_group(d);
}

/* Whole groups, as many as there are in one piece and room for. */
static void read_groups(struct decoding *d)
{
	size_t groups = (d->n - d->at) / 4, room = (d->capacity - d->n_decoded) / 3;
	size_t done = lw_kernels()->base64_decode(d->text + d->at, groups < room ? groups : room, is_url(d),
	                                          d->data + d->n_decoded);

	d->at += 4 * done;
	d->n_decoded += 3 * done;
}

/* What the last group may be without padding. */
static lanewise_status read_end(struct decoding *d)
{
	if (d->n_characters == 0)
		return LANEWISE_OK;
	if (d->n_characters == 1 || !(d->flags & (LANEWISE_BASE64_UNPADDED | LANEWISE_BASE64_FORGIVING)))
		return fail_data(d, d->n, "the text ends within a group");
	return write_group(d);
}

static lanewise_status read_character(struct decoding *d, uint32_t value)
{
	d->bits = d->bits << 6 | value;
	d->n_pads = 0;
	d->last_at = d->at++;
	if (++d->n_characters < 4)
		return LANEWISE_OK;
	return write_group(d);
}

static lanewise_status decode(struct decoding *d)
{
	lanewise_status status;

	while (d->at < d->n) {
		uint8_t c = d->text[d->at];
		uint32_t value = lw_base64_value(c, is_url(d));

		if (value < 64) {
			size_t before = d->at;

			if (d->n_characters == 0)
				read_groups(d);
			if (d->at == before && (status = read_character(d, value)) != LANEWISE_OK)
				return status;
		} else if (c == '=' && (d->flags & LANEWISE_BASE64_LAX)) {
			d->at++;
			if (d->n_characters >= 2 && d->n_characters + ++d->n_pads >= 4)
				return write_group(d);
		} else if (c == '=') {
			return read_padding(d);
		} else if (may_skip(d, c)) {
			d->at++;
		} else {
			return fail_data(d, d->at, "a character that is not of the alphabet");
		}
	}
	return read_end(d);
}

lanewise_status lanewise_base64_decode(const char *text, size_t n_bytes, uint32_t flags, void *data, size_t capacity,
                                       size_t *n_decoded, lanewise_error *error)
{
	const uint32_t both = LANEWISE_BASE64_FORGIVING | LANEWISE_BASE64_LAX;
	struct decoding d = { .text = (const uint8_t *)text,
		              .n = n_bytes,
		              .data = data,
		              .capacity = capacity,
		              .flags = flags,
		              .error = error };

	if ((!text && n_bytes) || (!data && capacity) || !n_decoded)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "base64: a NULL pointer");
	if (flags > (both | LANEWISE_BASE64_URL | LANEWISE_BASE64_UNPADDED) || (flags & both) == both)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "base64: flags %" PRIu32, flags);
	if (n_bytes == 0) {
		*n_decoded = 0;
		return LANEWISE_OK;
	}

	lanewise_status status = decode(&d);

	if (status == LANEWISE_OK)
		*n_decoded = d.n_decoded;
	return status;
}
