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
 * URL and UNPADDED matter here.
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

#ifdef __cplusplus
}
#endif

#endif
