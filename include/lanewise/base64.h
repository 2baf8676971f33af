/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/base64.h - base64 as RFC 4648 has it, both alphabets, strict or not.
 *
 * Sizes are in bytes; inputs and outputs may have any alignment and must not overlap; a pointer to 0 bytes may be NULL.
 * Nothing outside of them is touched. Everything is reentrant, runs on the calling thread and takes O(n_bytes).
 */
#ifndef LANEWISE_BASE64_H
#define LANEWISE_BASE64_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Flags, to be combined. Without any, decoding is strict: only characters of the alphabet, padding with = to a multiple
 * of four, unused bits of the last character 0. So each sequence of bytes has one text.
 *
 * LANEWISE_BASE64_URL       the alphabet with - and _ instead of + and /
 * LANEWISE_BASE64_UNPADDED  encoding: no padding; decoding: it may be there or not, but not in part
 * LANEWISE_BASE64_FORGIVING decoding as the WHATWG's Infra standard has it ("forgiving-base64 decode"): space, tab, LF,
 *                           FF and CR are skipped, padding may be there or not, unused bits may be anything
 * LANEWISE_BASE64_LAX       decoding as Python's base64.b64decode(validate=False) has it: every character that is not of
 *                           the alphabet is skipped, a complete padding ends the text, whatever follows, unused bits
 *                           may be anything; without padding, and without LANEWISE_BASE64_UNPADDED, an incomplete last
 *                           group is an error. Text that ends "A" or "AA" behind complete groups, say.
 */
enum { LANEWISE_BASE64_URL = 1, LANEWISE_BASE64_UNPADDED = 2, LANEWISE_BASE64_FORGIVING = 4, LANEWISE_BASE64_LAX = 8 };

/* The bytes of text that encoding n_bytes bytes makes; SIZE_MAX if there is no such size. */
LANEWISE_API size_t lanewise_base64_encoded_size(size_t n_bytes, uint32_t flags);

/* No text of n_bytes bytes decodes to more bytes than this. */
LANEWISE_API size_t lanewise_base64_decoded_bound(size_t n_bytes);

/*
 * Encodes to text[0 ... lanewise_base64_encoded_size()), without a NUL behind it, and returns that size. Only the flags
 * URL and UNPADDED matter here. Data may come in pieces: those of a multiple of three bytes, and a last one of any size,
 * give the pieces of the whole's text.
 */
LANEWISE_API size_t lanewise_base64_encode(const void *data, size_t n_bytes, uint32_t flags, char *text);

/*
 * Decodes text of n_bytes bytes; the number of bytes goes to `n_decoded`. `data` has room for `capacity` bytes; the bound
 * above suffices, and so does the true size. On an error there may be anything in it.
 *
 * LANEWISE_ERROR_DATA: the error's offset is that of the first character that cannot be where it is; n_bytes if the
 * text ends too early. LANEWISE_ERROR_CAPACITY: more than `capacity` bytes. LANEWISE_ERROR_ARGUMENT: unknown flags, both
 * FORGIVING and LAX, or a NULL pointer to something not empty.
 */
LANEWISE_API lanewise_status lanewise_base64_decode(const char *text, size_t n_bytes, uint32_t flags, void *data,
                                                    size_t capacity, size_t *n_decoded, lanewise_error *error);

/*
 * Text in pieces, cut anywhere. All zeros is the beginning; one state is for one text and one set of flags.
 *
 *     lanewise_base64_state state = { 0 };
 *     for each piece:
 *         status = lanewise_base64_feed(&state, piece, n_bytes, flags, data, capacity, &n_decoded, &error);
 *     status = lanewise_base64_finish(&state, flags, last, 2, &n_decoded, &error);
 *
 * Each call writes the bytes that it completes, a piece at most lanewise_base64_decoded_bound(n_bytes + 3). Together they
 * are those of the whole text, and so are errors, whose offsets count from its beginning. After an error every
 * further call returns LANEWISE_ERROR_DATA, also if that was LANEWISE_ERROR_CAPACITY.
 */
typedef struct lanewise_base64_state {
	uint64_t n_bytes;     /* of text so far */
	uint64_t last_at;     /* where the last character of a group that is not complete was, */
	uint32_t bits;        /* the bits of its characters, */
	uint8_t n_characters; /* and how many there are */
	uint8_t n_pads;       /* LAX: padding since then */
	uint8_t missing;      /* padding that is still to come */
	uint8_t phase;        /* 0 groups, 1 padding, 2 the text is over, 3 there was an error */
} lanewise_base64_state;

LANEWISE_API lanewise_status lanewise_base64_feed(lanewise_base64_state *state, const char *text, size_t n_bytes,
                                                  uint32_t flags, void *data, size_t capacity, size_t *n_decoded,
                                                  lanewise_error *error);
LANEWISE_API lanewise_status lanewise_base64_finish(lanewise_base64_state *state, uint32_t flags, void *data,
                                                    size_t capacity, size_t *n_decoded, lanewise_error *error);

/*
 * A data: URL (RFC 2397): where its media type (which may be empty; with parameters, without ";base64") and its data are
 * in the text, and whether these are base64: if so, decode them with LANEWISE_BASE64_FORGIVING, else they are
 * percent-encoded. The scheme may be in either case.
 */
typedef struct lanewise_data_url {
	size_t type_begin, type_end, data_begin;
	int32_t is_base64;
} lanewise_data_url;

/* LANEWISE_ERROR_DATA: it does not begin with "data:", or there is no comma. LANEWISE_ERROR_ARGUMENT: a NULL pointer. */
LANEWISE_API lanewise_status lanewise_data_url_parse(const char *text, size_t n_bytes, lanewise_data_url *url,
                                                     lanewise_error *error);

#ifdef __cplusplus
}
#endif

#endif
