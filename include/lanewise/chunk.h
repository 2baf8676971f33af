/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/chunk.h - content-defined chunking: data cut where its content says so, so that an edit moves the cuts near
 * it only, and most chunks of two versions are equal. For deduplication and synchronisation. (Text cut into passages
 * for retrieval: text_chunk.h.)
 *
 * Two methods. Both give chunks of min_size ... max_size bytes, the last one possibly less than min_size, and both look
 * at nothing but the bytes of the chunk itself and, for FastCDC, the one after it.
 *
 *   FASTCDC2020  the published algorithm (Xia et al., "The Design of Fast Content-Defined Chunking for Data
 *                Deduplication Based Storage Systems", 2020), with the gear table, the masks and the meaning of the
 *                options that the Rust crate fastcdc has in its module v2020: the same cuts, byte for byte.
 *   LANEWISE1    our own, several times faster, made for vector units. A cut comes after the byte that decides it, so
 *                that a chunk depends on nothing behind it. It is version 1 for ever: a better one would get a
 *                new name.
 *
 * LANEWISE1 in full. All arithmetic is unsigned and modulo the width. For the byte i of a chunk, with 16 bits:
 *
 *     w(i) = b[i - 1] + 256 * b[i]         A(i) = m1 * w(i) + w(i - 2)
 *     B(i) = m2 * A(i) + A(i - 4)          C(i) = m3 * B(i) + B(i - 8)
 *
 * and with 64 bits, over the four little-endian words that end at byte i, first to last: h = start; for each word x,
 * h = (h ^ x) * factor, h ^= h >> 32. The chunk ends after byte i if (C(i) + 32768) mod 2^16 < limit, the upper half of
 * h is below `threshold`, and the last 32 bytes are not all equal; at the latest after max_size bytes, and never below
 * min_size. With d = (average_size - min_size) * c[level] / 65536, c = 65536, 60114, 60710, 62396 (the second factor makes
 * random data average average_size, but for the cuts at max_size), and divisions rounding down: strict_limit =
 * ceil(65536 / (d << level)), threshold = 2^48 / ((d << level) * strict_limit), at most 2^32; `limit` is strict_limit for
 * chunks of up to min_size + d bytes, and strict_limit << (2 * level) for longer ones. m1, m2, m3, start and factor are the
 * first five outputs of SplitMix64 (Steele et al., 2014) from the state key ^ 0x6c616e6577697365, multipliers and factor
 * made odd by setting their lowest bit, the three of 16 bits from the lowest bits.
 *
 * Everything here is reentrant, works on the calling thread in caller memory and takes O(n_bytes), whatever the bytes.
 */
#ifndef LANEWISE_CHUNK_H
#define LANEWISE_CHUNK_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LANEWISE_CDC_LANEWISE1 = 0, LANEWISE_CDC_FASTCDC2020 = 1 };

/* In bytes. */
#define LANEWISE_CDC_MIN_SIZE_LEAST     64
#define LANEWISE_CDC_MIN_SIZE_MOST      1048576
#define LANEWISE_CDC_AVERAGE_SIZE_LEAST 256
#define LANEWISE_CDC_AVERAGE_SIZE_MOST  4194304
#define LANEWISE_CDC_MAX_SIZE_LEAST     1024
#define LANEWISE_CDC_MAX_SIZE_MOST      16777216

typedef struct lanewise_cdc_options {
	size_t struct_size; /* sizeof(lanewise_cdc_options) */
	int32_t method;     /* LANEWISE_CDC_LANEWISE1 or _FASTCDC2020; default LANEWISE1 */

	/*
	 * Normalised chunking, 0 (off) ... 3 (most): cuts are made rarer before the average size and likelier behind it, so
	 * that sizes vary less. Default 1, as in the crate.
	 */
	uint32_t level;

	/*
	 * Between the limits above, min_size < average_size < max_size; default 4096, 16384, 65536. For LANEWISE1 the sizes
	 * are 64 bytes apart at least, and random data gives chunks of average_size; for FASTCDC2020 they are even, it is a
	 * size beyond which cuts become likelier, and chunks are larger on average.
	 */
	uint32_t min_size, average_size, max_size;
	uint32_t reserved; /* 0 */

	/*
	 * Other keys cut elsewhere. Whoever does not know the key cannot tell from sizes of chunks which known data they come
	 * from, at least not easily; it is no encryption. For FASTCDC2020 the crate's seed. Default 0.
	 */
	uint64_t key;
} lanewise_cdc_options;

/* Writes the defaults to *options. */
LANEWISE_API void lanewise_cdc_options_default(lanewise_cdc_options *options);

/* ------------------------------------------------------------- whole data */

/*
 * The most chunks that n_bytes bytes may have: n_bytes / min_size, rounded up. `options` NULL is the defaults; 0 if they
 * are not valid.
 */
LANEWISE_API size_t lanewise_cdc_bound(size_t n_bytes, const lanewise_cdc_options *options);

/*
 * Writes where the chunks of `data` end, ascending, the last at n_bytes, to `ends`, and their number to *n_chunks. Empty
 * data has no chunks. `options` NULL is the defaults.
 *
 * LANEWISE_ERROR_ARGUMENT: an option out of range, which `error` names, or a NULL pointer to something not empty.
 * LANEWISE_ERROR_CAPACITY: more than `capacity` chunks, of which the first are written; the bound above always suffices.
 */
LANEWISE_API lanewise_status lanewise_cdc_chunks(const void *data, size_t n_bytes, const lanewise_cdc_options *options,
                                                 uint64_t *ends, size_t capacity, size_t *n_chunks,
                                                 lanewise_error *error);

/* --------------------------------------------------------------- streaming */

/*
 * Data in pieces, cut anywhere: the chunks are those of the whole. Nothing of the data is kept but the last few bytes.
 *
 *     lanewise_cdc_begin(scratch, &options, &cdc, &error);
 *     for each piece:
 *         for (done = 0; done < n_bytes; ...)
 *             done += lanewise_cdc_feed(cdc, piece + done, n_bytes - done, ends, capacity, &n_ends);
 *             ... n_ends chunks more have ended, at ends[0 ... n_ends) from the beginning of the data ...
 *     if (lanewise_cdc_finish(cdc, &end)) ... the last chunk ends at `end` ...
 */
typedef struct lanewise_cdc lanewise_cdc;

/* Bytes of scratch for one stream under way; below 8192. */
LANEWISE_API size_t lanewise_cdc_scratch_size(void);

/*
 * Begins a stream in `scratch`, aligned as by malloc, and gives it out as *cdc; `options` NULL is the defaults. There is
 * nothing to end or free. LANEWISE_ERROR_ARGUMENT: an option out of range, a NULL pointer, scratch that is not aligned.
 */
LANEWISE_API lanewise_status lanewise_cdc_begin(void *scratch, const lanewise_cdc_options *options, lanewise_cdc **cdc,
                                                lanewise_error *error);

/*
 * Goes through the next bytes until all are gone through or `capacity` > 0 chunks have ended; returns how many bytes that
 * were. Where chunks ended goes to ends[0 ... *n_ends). FASTCDC2020 may tell only now of a chunk that ended one byte before
 * `data`. `data` may be NULL if n_bytes is 0.
 */
LANEWISE_API size_t lanewise_cdc_feed(lanewise_cdc *cdc, const void *data, size_t n_bytes, uint64_t *ends,
                                      size_t capacity, size_t *n_ends);

/*
 * The data has ended: 1 and where, if a chunk was left open, or 0. Then the stream is as after lanewise_cdc_begin, ready
 * for other data.
 */
LANEWISE_API int32_t lanewise_cdc_finish(lanewise_cdc *cdc, uint64_t *end);

#ifdef __cplusplus
}
#endif

#endif
