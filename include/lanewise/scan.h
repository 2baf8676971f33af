/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/scan.h - many byte strings searched for at once, in whole texts and in streams.
 *
 * Patterns and text are bytes; nothing is assumed about their encoding, and NUL is a byte like any other. A match is a
 * pattern's number (in the order in which the patterns were given) and the range [begin, end) of bytes that equal it.
 * Equal patterns with different numbers are different patterns.
 *
 * Which matches are reported
 *
 *   LANEWISE_SCAN_OVERLAPPING        every match, ordered by end, then begin, then pattern
 *   LANEWISE_SCAN_STANDARD           no two overlap: always the match that ends first; of those that end there the
 *                                    longest; of equal patterns the first
 *   LANEWISE_SCAN_LEFTMOST_FIRST     no two overlap: always the match that begins first; of those that begin there the
 *                                    one of the lowest pattern number, as an alternation a|b|c in Perl takes it
 *   LANEWISE_SCAN_LEFTMOST_LONGEST   no two overlap: always the match that begins first; of those that begin there the
 *                                    longest; of equal patterns the first
 *
 * The latter three begin again at the end of each match that they report.
 *
 * With `ignore_case` the ASCII letters A-Z and a-z are equal, in patterns and text. With `whole_word` a match counts only
 * if neither the byte before it nor the byte behind it is an ASCII letter, digit or underscore; others are passed over
 * before the semantics above choose.
 *
 * Method. Aho and Corasick's automaton ("Efficient string matching", 1975) over classes of bytes reads the text. Where
 * few places can begin a match, vector code finds these by rare parts of the patterns, and there the patterns are
 * compared with the text, or the automaton reads; when there turn out to be many, it reads everything again. So the time is O(n_bytes + overlapping
 * matches) for any patterns and text, and the matches are the automaton's on every CPU.
 *
 * Everything here is reentrant. Sets are immutable and may be shared between threads; scratch may not.
 */
#ifndef LANEWISE_SCAN_H
#define LANEWISE_SCAN_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------- sets */

/* The longest pattern, and all patterns of a set together, in bytes. */
#define LANEWISE_SCAN_PATTERN_BYTES 65536
#define LANEWISE_SCAN_SET_BYTES     10000000

typedef struct lanewise_pattern {
	const void *bytes;
	size_t n_bytes; /* 1 ... LANEWISE_SCAN_PATTERN_BYTES */
} lanewise_pattern;

typedef struct lanewise_scan_set_options {
	size_t struct_size;  /* sizeof(lanewise_scan_set_options) */
	int32_t ignore_case; /* nonzero: ASCII letters match in either case */
} lanewise_scan_set_options;

/* Patterns made ready to search for. */
typedef struct lanewise_scan_set lanewise_scan_set;

/*
 * A set of `n_patterns` patterns, which are not needed afterwards. `options` NULL means the defaults (bytes must be
 * equal), `allocator` NULL the C library's; both are copied. Linear in the patterns' bytes; some 32 bytes of memory
 * for each while it is built.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer, no patterns, another struct_size, or an empty pattern; the error's text
 * gives its number. LANEWISE_ERROR_TOO_LARGE: a pattern or all together pass the limits above.
 * LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_scan_set_create(const lanewise_pattern *patterns, size_t n_patterns,
                                                      const lanewise_scan_set_options *options,
                                                      const lanewise_allocator *allocator, lanewise_scan_set **set,
                                                      lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_scan_set_destroy(lanewise_scan_set *set);

LANEWISE_API size_t lanewise_scan_set_n_patterns(const lanewise_scan_set *set);

/*
 * Bytes of memory that the set holds, all of it, without a file that it is mapped from: for each different beginning of a
 * pattern four for each different byte of patterns while that is four megabytes at most (one, where the set is made by the
 * tier avx512 on a CPU with AVX512_BF16, which gathers fast), and otherwise some 8, or up to 20 where patterns are longer
 * than hundreds of bytes; 12 for each pattern; and where these are looked for by parts of them 40 to 150 more for each.
 */
LANEWISE_API size_t lanewise_scan_set_memory(const lanewise_scan_set *set);

/* ------------------------------------------------------------- saved sets */

/*
 * A set can be saved and opened again, which is faster than creating it; one that is mapped from a file shares its memory between processes. The form is that of file.h, whose notes on files, mapping and errors
 * hold here: checksummed, versioned, read on machines of the same byte order. The same patterns and options give the same
 * bytes where the same tier is active on the same kind of CPU; any CPU reads them, and finds the same.
 *
 * An image that was forged can make scans give wrong matches, but all that could lead one out of its memory, or take
 * more than its linear time, is checked when it is opened.
 */

/* Writes the set to a file at `path`, which appears there, or replaces the one there, when it is complete. */
LANEWISE_API lanewise_status lanewise_scan_set_save(const lanewise_scan_set *set, const char *path,
                                                    lanewise_error *error);

/*
 * Maps a saved set and checks all of it; O(file size). LANEWISE_ERROR_DATA names the field or section and its byte offset
 * in the file; LANEWISE_ERROR_UNSUPPORTED: of another version of the format. Other errors as for lanewise_file_open.
 */
LANEWISE_API lanewise_status lanewise_scan_set_open(const char *path, const lanewise_allocator *allocator,
                                                    lanewise_scan_set **set, lanewise_error *error);

/* The bytes of the file that lanewise_scan_set_save writes: how many, and these to image[0 ... that many). */
LANEWISE_API size_t lanewise_scan_set_image_size(const lanewise_scan_set *set);
LANEWISE_API void lanewise_scan_set_to_image(const lanewise_scan_set *set, void *image);

/* A set from these bytes, which are copied and need no alignment. Errors as for lanewise_scan_set_open. */
LANEWISE_API lanewise_status lanewise_scan_set_from_image(const void *image, size_t n_bytes,
                                                          const lanewise_allocator *allocator, lanewise_scan_set **set,
                                                          lanewise_error *error);

/* --------------------------------------------------------------- scanning */

enum {
	LANEWISE_SCAN_OVERLAPPING = 0,
	LANEWISE_SCAN_STANDARD = 1,
	LANEWISE_SCAN_LEFTMOST_FIRST = 2,
	LANEWISE_SCAN_LEFTMOST_LONGEST = 3
};

typedef struct lanewise_scan_options {
	size_t struct_size; /* sizeof(lanewise_scan_options) */
	int32_t semantics;  /* default LANEWISE_SCAN_OVERLAPPING */
	int32_t whole_word; /* nonzero: see above */
} lanewise_scan_options;

typedef struct lanewise_match {
	uint64_t begin, end; /* byte offsets from the beginning of the text (of all pieces) */
	uint32_t pattern;
	uint32_t reserved; /* 0 */
} lanewise_match;

/*
 * A text under way, which comes in pieces, cut anywhere: the matches are those of the whole text.
 *
 *     lanewise_scan *scan = lanewise_scan_begin(set, &options, scratch);
 *     for each piece:
 *         lanewise_scan_feed(scan, piece, n_bytes);
 *         while ((n = lanewise_scan_next(scan, matches, capacity)) > 0) ...
 *     lanewise_scan_finish(scan);
 *     while ((n = lanewise_scan_next(scan, matches, capacity)) > 0) ...
 */
typedef struct lanewise_scan lanewise_scan;

/* Bytes of scratch for one text under way: some 46,000, and 10 for every byte of the longest pattern. */
LANEWISE_API size_t lanewise_scan_scratch_size(const lanewise_scan_set *set);

/*
 * Begins a text in `scratch`, aligned as by malloc, which needs no preparation. `options` NULL means the defaults. The set must
 * outlive it; there is nothing to end or free. NULL if an argument is: set or scratch NULL, scratch not aligned, an
 * option out of range, another struct_size.
 */
LANEWISE_API lanewise_scan *lanewise_scan_begin(const lanewise_scan_set *set, const lanewise_scan_options *options,
                                                void *scratch);

/*
 * Begins another text with the set, options and scratch of the one under way, which is given up if it has not ended. What
 * that one has shown about how frequent candidates are still counts, so many short texts are read in the better way.
 */
LANEWISE_API void lanewise_scan_restart(lanewise_scan *scan);

/*
 * The next piece; it must stay as it is until lanewise_scan_next has returned 0, which must come before the next call
 * of feed or finish. `bytes` may be NULL if n_bytes is 0.
 */
LANEWISE_API void lanewise_scan_feed(lanewise_scan *scan, const void *bytes, size_t n_bytes);

/* A piece of a text. */
typedef struct lanewise_scan_piece {
	const void *bytes;
	size_t n_bytes;
} lanewise_scan_piece;

/*
 * The next pieces, as many as were taken in this call: as if they had been fed one after another, with the matches of all
 * behind the last. For texts that come by the token this is faster than a call for each. At least one is
 * taken unless n_pieces is 0, and all whose bytes sum up to 4096 or less. They must stay as they are, and the calls in
 * between be made, as for lanewise_scan_feed. Offsets of matches tell their pieces.
 */
LANEWISE_API size_t lanewise_scan_feed_pieces(lanewise_scan *scan, const lanewise_scan_piece *pieces, size_t n_pieces);

/* The text has ended; the matches that only its end decides come from lanewise_scan_next. */
LANEWISE_API void lanewise_scan_finish(lanewise_scan *scan);

/*
 * The next matches, at most `capacity` (not 0), and how many; 0 if more text is needed. When it is, all matches that
 * further text cannot change were given: in the leftmost semantics those before which, and where, no longer pattern is
 * under way; with `whole_word` those behind which a byte was read.
 */
LANEWISE_API size_t lanewise_scan_next(lanewise_scan *scan, lanewise_match *matches, size_t capacity);

/*
 * The text before this offset is done with: once lanewise_scan_next has returned 0, no match to come begins before it.
 * From it to the end of what was fed, the text is the beginning of a longer pattern, and the longest such, or nothing;
 * with `whole_word` it may also be a pattern, as the byte behind decides. Once the text has ended it is the text's length.
 */
LANEWISE_API uint64_t lanewise_scan_safe(const lanewise_scan *scan);

/* ------------------------------------------------------------ whole texts */

/*
 * The number of matches in a text. `options` as for lanewise_scan_begin, `scratch` too.
 *
 * LANEWISE_ERROR_ARGUMENT: what lanewise_scan_begin refuses, or a NULL pointer to something not empty.
 */
LANEWISE_API lanewise_status lanewise_scan_count(const lanewise_scan_set *set, const lanewise_scan_options *options,
                                                 const void *bytes, size_t n_bytes, void *scratch, uint64_t *count);

/*
 * Calls `callback` with each match in a text, in the order of lanewise_scan_next, until it returns something other than 0.
 * Matches are found ahead of it, at first one, later up to 64. It may not use the scratch. Errors as for
 * lanewise_scan_count.
 */
typedef int32_t lanewise_scan_callback(void *context, const lanewise_match *match);

LANEWISE_API lanewise_status lanewise_scan_each(const lanewise_scan_set *set, const lanewise_scan_options *options,
                                                const void *bytes, size_t n_bytes, void *scratch,
                                                lanewise_scan_callback *callback, void *context);

/*
 * The first match in a text, in the order of its semantics; `*found` becomes 1, or 0 if there is none. The text is read
 * only as far as needed, in blocks of up to some 33,000 bytes. Errors as for lanewise_scan_count.
 */
LANEWISE_API lanewise_status lanewise_scan_first(const lanewise_scan_set *set, const lanewise_scan_options *options,
                                                 const void *bytes, size_t n_bytes, void *scratch,
                                                 lanewise_match *match, int32_t *found);

/*
 * Which patterns occur in a text: bit i mod 64 of present[i / 64] for pattern i, in (n_patterns + 63) / 64 words; the
 * other bits are 0. `*n_present`, which may be NULL, is how many. Matches may overlap. Errors as for lanewise_scan_count.
 */
LANEWISE_API lanewise_status lanewise_scan_presence(const lanewise_scan_set *set, int32_t whole_word, const void *bytes,
                                                    size_t n_bytes, void *scratch, uint64_t *present,
                                                    size_t *n_present);

/*
 * How often each pattern matches a text: counts[i] for pattern i, n_patterns numbers. With semantics without overlaps only
 * the matches that lanewise_scan_next would give count. Errors as for lanewise_scan_count.
 */
LANEWISE_API lanewise_status lanewise_scan_counts(const lanewise_scan_set *set, const lanewise_scan_options *options,
                                                  const void *bytes, size_t n_bytes, void *scratch, uint64_t *counts);

/* What patterns are worth, and for what. */
typedef struct lanewise_scan_weights {
	size_t struct_size;      /* sizeof(lanewise_scan_weights) */
	const double *weight;    /* of each pattern; NULL: 1 for all */
	const uint32_t *classes; /* the class of each pattern, below n_classes; NULL: 0 for all */
	uint32_t n_classes;      /* at least 1 */
	int32_t once;            /* nonzero: a pattern counts once, however often it matches */
} lanewise_scan_weights;

/*
 * From the counts of n_patterns patterns, lanewise_scan_counts', the score of each class: the sum of weight times count of
 * its patterns, in order of their numbers, so the same on every CPU. (Keywords with negations, whole words and the like
 * are classify.h's.)
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, another struct_size, no class, a class that is not below
 * n_classes.
 */
LANEWISE_API lanewise_status lanewise_scan_scores(const uint64_t *counts, size_t n_patterns,
                                                  const lanewise_scan_weights *weights, double *scores);

#ifdef __cplusplus
}
#endif

#endif
