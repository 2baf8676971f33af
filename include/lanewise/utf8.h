/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/utf8.h - whether bytes are valid UTF-8, where they are not, how many characters they are; offsets in bytes and
 * in code points; characters of a range, ideographs say.
 *
 * UTF-8 is what Unicode's table 3-7 says: no surrogates, no overlong forms, nothing beyond U+10FFFF. U+FEFF is a
 * character like any other.
 *
 * Any bytes are fine, at any alignment; `text` may be NULL if n_bytes is 0. Nothing is read outside of the text.
 * Everything is reentrant, runs on the calling thread and takes O(n_bytes).
 */
#ifndef LANEWISE_UTF8_H
#define LANEWISE_UTF8_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * LANEWISE_OK if the text is valid; else LANEWISE_ERROR_DATA, and the error's offset is that of the first byte that does
 * not belong to a complete, valid character: everything before it is valid. A character cut off at the end counts as
 * invalid from its first byte.
 */
LANEWISE_API lanewise_status lanewise_utf8_validate(const void *text, size_t n_bytes, lanewise_error *error);

/* Bytes before the first that is not valid, n_bytes if all are: the offset above, or the end. */
LANEWISE_API size_t lanewise_utf8_valid_prefix(const void *text, size_t n_bytes);

/*
 * The number of bytes that begin a character (all but 80 ... bf), which in valid text is the number of its code points.
 * Counts of pieces add up, wherever the text is cut.
 */
LANEWISE_API size_t lanewise_utf8_count(const void *text, size_t n_bytes);

/*
 * Where the code point number `index` (from 0) of valid text begins, in bytes; n_bytes if there are no more than `index`.
 */
LANEWISE_API size_t lanewise_utf8_offset(const void *text, size_t n_bytes, size_t index);

/*
 * Offsets from bytes to code points and back, for n offsets in ascending order: code_points[i] is the number of code
 * points that begin before byte_offsets[i], which is that of a code point if it is where one begins; byte_offsets[i] is
 * lanewise_utf8_offset of code_points[i]. `from` and `to` may be the same array. In all O(n_bytes + n).
 *
 * LANEWISE_ERROR_ARGUMENT: offsets that do not ascend or are beyond the text's end (the error's offset is the number of
 * the first such), or a NULL pointer to something not empty.
 */
LANEWISE_API lanewise_status lanewise_utf8_to_code_points(const void *text, size_t n_bytes, const uint64_t *from,
                                                          size_t n, uint64_t *to, lanewise_error *error);
LANEWISE_API lanewise_status lanewise_utf8_to_bytes(const void *text, size_t n_bytes, const uint64_t *from, size_t n,
                                                    uint64_t *to, lanewise_error *error);

/*
 * Characters from `first` to `last`, code points up to U+10FFFF, first <= last: how many there are, and where the first
 * of them begins, n_bytes if there is none. 0x4e00, 0x9fff are the CJK unified ideographs. In text that is not valid
 * the same bytes count as in valid text. 0 and n_bytes for a range that is none.
 */
LANEWISE_API size_t lanewise_utf8_count_range(const void *text, size_t n_bytes, uint32_t first, uint32_t last);
LANEWISE_API size_t lanewise_utf8_find_range(const void *text, size_t n_bytes, uint32_t first, uint32_t last);

/*
 * Text in pieces, cut anywhere, inside a character too; the offsets are those in the whole. All zeros is the beginning.
 *
 *     lanewise_utf8_state state = { 0 };
 *     for each piece:
 *         status = lanewise_utf8_feed(&state, piece, n_bytes, &error);
 *     status = lanewise_utf8_finish(&state, &error);
 *
 * After an error every further call returns it again. `finish` tells whether the text ended within a character; the
 * state may be fed on after it.
 */
typedef struct lanewise_utf8_state {
	uint64_t n_valid;   /* bytes of complete, valid characters so far */
	uint8_t partial[4]; /* the bytes of a character that the next piece may complete */
	uint8_t n_partial;  /* how many */
	uint8_t failed;     /* there was an error, at n_valid */
	uint8_t reserved[2];
} lanewise_utf8_state;

LANEWISE_API lanewise_status lanewise_utf8_feed(lanewise_utf8_state *state, const void *text, size_t n_bytes,
                                                lanewise_error *error);
LANEWISE_API lanewise_status lanewise_utf8_finish(const lanewise_utf8_state *state, lanewise_error *error);

#ifdef __cplusplus
}
#endif

#endif
