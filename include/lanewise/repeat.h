/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/repeat.h - signs that a language model goes round in circles, beside lanewise_loop (dedup.h), which finds exact
 * cycles of tokens.
 *
 *   lanewise_ngrams            how often a run of n tokens occurs among the last so many
 *   lanewise_guard             sentences and blocks of text that come again and again within one answer
 *   lanewise_thoughts          thoughts, or other short texts, that repeat earlier ones, word for word or nearly
 *   lanewise_circular_phrases  "let me check", "i need to read" and the like
 *   lanewise_call_signatures   equal tool calls have equal signatures, whatever the order of their arguments
 *
 * Any bytes and any tokens are fine. How a stream is cut into pieces makes no difference. One at a time may use a state.
 */
#ifndef LANEWISE_REPEAT_H
#define LANEWISE_REPEAT_H

#include "base.h"
#include "hash.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------- n-grams */

/*
 * Counts runs of n tokens within a window that holds the last `window` of them. Runs are compared token by token, so no
 * count is too high. A token costs O(n), whatever the tokens are.
 */
typedef struct lanewise_ngrams lanewise_ngrams;

/* Bytes of scratch, or 0 if an argument is out of range: n from 1 to 64, window from 1 to 2^24. */
LANEWISE_API size_t lanewise_ngrams_scratch_size(uint32_t n, uint32_t window);

/* Begins in `scratch`, aligned as by malloc. NULL if it is not or is NULL, or an argument is out of range. */
LANEWISE_API lanewise_ngrams *lanewise_ngrams_begin(void *scratch, uint32_t n, uint32_t window);

/*
 * The next tokens, up to and with the first that ends a run which then occurs at least `threshold` times in the window
 * (itself counted): that number is returned, and how many tokens were taken goes to *n_taken, which may be NULL. 0 if there
 * is none; then all were taken.
 */
LANEWISE_API uint32_t lanewise_ngrams_push(lanewise_ngrams *ngrams, const uint32_t *tokens, size_t n_tokens,
                                           uint32_t threshold, size_t *n_taken);

/* As after lanewise_ngrams_begin. */
LANEWISE_API void lanewise_ngrams_reset(lanewise_ngrams *ngrams);

/* ------------------------------------------------------------------- guard */

/*
 * Looks at the last window_bytes of a text, each time that check_every more bytes have come, for
 *   a segment   that occurs at least segment_repeats times: what stands between newlines, or whitespace behind one of . ! ?;
 *   a block     the last block_bytes, which occur at least block_repeats times, not overlapping.
 * Both are compared without regard to the case of A-Z and the amount of whitespace (as Python's \\s has it), and count only
 * if they have min_segment bytes, as written and in that form. These are the rules of Victor's repetition guard, in bytes
 * and not characters. A check takes O(window_bytes).
 */
typedef struct lanewise_guard lanewise_guard;

typedef struct lanewise_guard_options {
	size_t struct_size;       /* sizeof(lanewise_guard_options) */
	uint32_t window_bytes;    /* 0: 4000; at most 2^20 */
	uint32_t check_every;     /* 0: 512 */
	uint32_t min_segment;     /* 0: 24 */
	uint32_t segment_repeats; /* 0: 6 */
	uint32_t block_bytes;     /* 0: 256; at most window_bytes */
	uint32_t block_repeats;   /* 0: 3 */
} lanewise_guard_options;

enum { LANEWISE_GUARD_FINE = 0, LANEWISE_GUARD_SEGMENT = 1, LANEWISE_GUARD_BLOCK = 2 };

typedef struct lanewise_guard_repeat {
	uint64_t begin,
	        end; /* of the segment's first occurrence in the window, or the last block, without whitespace at the ends */
	uint32_t kind;  /* LANEWISE_GUARD_SEGMENT or _BLOCK */
	uint32_t count; /* of a segment: how often it occurs; of a block: at least so often */
} lanewise_guard_repeat;

/* Bytes of scratch, or 0 if an option is out of range; NULL options are all zeros. */
LANEWISE_API size_t lanewise_guard_scratch_size(const lanewise_guard_options *options);

/* Begins in `scratch`, aligned as by malloc. NULL if it is not or is NULL, or an option is out of range. */
LANEWISE_API lanewise_guard *lanewise_guard_begin(void *scratch, const lanewise_guard_options *options);

/*
 * The next piece of the text. Returns LANEWISE_GUARD_FINE, or what repeats, and more about it in *repeat, which may be NULL;
 * from then on all calls return the same and the text is not looked at any more.
 */
LANEWISE_API int32_t lanewise_guard_push(lanewise_guard *guard, const char *text, size_t n_bytes,
                                         lanewise_guard_repeat *repeat);

/* As after lanewise_guard_begin: a new text. */
LANEWISE_API void lanewise_guard_reset(lanewise_guard *guard);

/* ---------------------------------------------------------------- thoughts */

/*
 * Goes through whole texts, one after the other, and says of each whether it is
 *   a stall     its first sentence (of its first line) begins with "let me", "i'll", "i will", "i need to", "i should", "now"
 *               or "first", in any case, and so did those of the texts before it, stall_threshold in all;
 *   a repeat    with whitespace collapsed, it has come repeat_threshold times, this one counted, stalls not;
 *   similar     the Jaccard similarity of its keywords is at least similarity_threshold with repeat_threshold - 1 of the
 *               last `window` texts.
 * The first that applies counts, in this order. Keywords are words as text.h has them, but split at underscores too, of at
 * least 4 bytes, without function words of English. These are the rules of Victor's ThinkingDetector.
 *
 * A text that repeats one of the last max_texts only counts as a repeat; texts are compared by hashes of 128 bits, keywords by
 * hashes of 64. Memory: 16 bytes for each of max_texts, a few for each of the keywords of the last `window` texts, and about
 * the longest text. A text of n bytes takes O(n log n + max_texts + window * keywords).
 */
typedef struct lanewise_thoughts lanewise_thoughts;

typedef struct lanewise_thoughts_options {
	size_t struct_size;          /* sizeof(lanewise_thoughts_options) */
	uint32_t repeat_threshold;   /* 0: 3; at least 2 */
	uint32_t stall_threshold;    /* 0: 2 */
	uint32_t window;             /* 0: 10; at most 1000 */
	uint32_t max_texts;          /* 0: 4096; at most 65536 */
	double similarity_threshold; /* 0: 0.65; at most 1 */
} lanewise_thoughts_options;

enum {
	LANEWISE_THOUGHT_FINE = 0,
	LANEWISE_THOUGHT_STALL = 1,
	LANEWISE_THOUGHT_REPEAT = 2,
	LANEWISE_THOUGHT_SIMILAR = 3
};

typedef struct lanewise_thought {
	int32_t kind;      /* LANEWISE_THOUGHT_... */
	uint32_t count;    /* stalls in a row; times that it has come; similar ones and itself */
	double similarity; /* the greatest with one of the last `window`; 0 for stalls and repeats */
} lanewise_thought;

/* LANEWISE_ERROR_ARGUMENT, with an error that names the option; LANEWISE_ERROR_NO_MEMORY. NULL options are all zeros. */
LANEWISE_API lanewise_status lanewise_thoughts_create(const lanewise_thoughts_options *options,
                                                      const lanewise_allocator *allocator, lanewise_thoughts **thoughts,
                                                      lanewise_error *error);
LANEWISE_API void lanewise_thoughts_destroy(lanewise_thoughts *thoughts);

/* LANEWISE_ERROR_ARGUMENT: a NULL pointer; LANEWISE_ERROR_NO_MEMORY, and the text counts as not seen. */
LANEWISE_API lanewise_status lanewise_thoughts_record(lanewise_thoughts *thoughts, const char *text, size_t n_bytes,
                                                      lanewise_thought *thought);

/* All texts are forgotten. */
LANEWISE_API void lanewise_thoughts_reset(lanewise_thoughts *thoughts);

/*
 * How often a text says what it is about to do: the number of phrases like "let me check" or "i need to read" (the 31 of
 * Victor's list), in any case of A-Z, wherever they stand. They do not overlap; the one that ends first counts. Where the
 * first begins goes to *first, which may be NULL, if there is one. Other phrases: lanewise_scan (scan.h).
 */
LANEWISE_API size_t lanewise_circular_phrases(const char *text, size_t n_bytes, size_t *first);

/* -------------------------------------------------------------- signatures */

typedef struct lanewise_argument {
	const char *key, *value; /* the value as text, rendered by the caller */
	size_t key_bytes, value_bytes;
} lanewise_argument;

typedef struct lanewise_call {
	const char *name;
	size_t name_bytes;
	const lanewise_argument *arguments;
	size_t n_arguments;
} lanewise_call;

/*
 * out[i] = XXH3, 128 bits, seed 0, of "name:key=value,key=value" of call i, the arguments sorted by key, byte by byte (equal
 * keys stay in order). `scratch` has room for as many numbers as the call with the most arguments has arguments. Victor's
 * signatures are the lower half as 16 digits of hexadecimal. O(n log n) in the arguments of a call.
 */
LANEWISE_API void lanewise_call_signatures(const lanewise_call *calls, size_t n_calls, size_t *scratch,
                                           lanewise_hash128 *out);

#ifdef __cplusplus
}
#endif

#endif
