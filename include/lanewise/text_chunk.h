/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/text_chunk.h - text cut into overlapping passages for retrieval, by paragraphs, sentences, lines or characters,
 * and an estimate of how many tokens a text has. (Data cut by content, for deduplication: chunk.h.)
 *
 * A chunk holds as many whole units as fit. A unit that does not fit by itself is taken apart: a paragraph into sentences, a
 * sentence or line into words with the white space behind them, a word into characters. The next chunk begins with the
 * last of these parts as far as they fit into `overlap`, and into the chunk with what follows. Units have the white space
 * behind them, so chunks without their overlaps are the whole text, unless they are trimmed.
 *
 * Cuts are between characters: a valid one of UTF-8 (Unicode's table 3-7) or a single byte that belongs to none. Any bytes are
 * fine. White space is Unicode's White_Space.
 *
 *   Lines        end after '\n'.
 *   Paragraphs   end where white space has two '\n' or more, behind the last of them: at blank lines.
 *   Sentences    end like paragraphs, or after . ! ? or U+2026, closing quotes and brackets and white space, unless a small
 *                letter follows; and not after a period that stands behind an abbreviation, a single letter ("J. S. Bach") or
 *                the number of a list's item. Behind marks of scripts that write no spaces, such as U+3002, they end at once;
 *                so they do at U+061F, U+06D4, U+0964, U+0965 and U+1362.
 *
 * Everything here is reentrant, works on the calling thread in caller memory and takes O(n_bytes), whatever the text and
 * however large the overlap, with some 100 ns more for each chunk.
 */
#ifndef LANEWISE_TEXT_CHUNK_H
#define LANEWISE_TEXT_CHUNK_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LANEWISE_TEXT_CHUNK_CHARACTERS = 0,
	LANEWISE_TEXT_CHUNK_LINES = 1,
	LANEWISE_TEXT_CHUNK_SENTENCES = 2,
	LANEWISE_TEXT_CHUNK_PARAGRAPHS = 3
};

/* What `size` and `overlap` count: characters, or tokens as lanewise_text_tokens estimates them. */
enum { LANEWISE_TEXT_CHUNK_CODE_POINTS = 0, LANEWISE_TEXT_CHUNK_TOKENS = 1 };

/* The most bytes of a list of abbreviations. */
#define LANEWISE_TEXT_CHUNK_ABBREVIATIONS 4096

typedef struct lanewise_text_chunk_options {
	size_t struct_size; /* sizeof(lanewise_text_chunk_options) */
	int32_t unit;       /* LANEWISE_TEXT_CHUNK_CHARACTERS ... _PARAGRAPHS; default PARAGRAPHS */
	int32_t measure;    /* LANEWISE_TEXT_CHUNK_CODE_POINTS or _TOKENS; default CODE_POINTS */
	uint32_t size;      /* the most of a chunk, but a character that is more than that stands alone; default 1344 */
	uint32_t overlap;   /* the most that a chunk shares with the one before, less than size; default 128 */
	uint32_t trim;      /* 1: chunks without the white space at their ends, none of white space alone; default 0 */
	uint32_t single; /* 1: chunks hold one unit, or a part of one, and share nothing with other units; default 0 */

	/*
	 * What a period does not end a sentence after: words in small letters without the last period, "dr e.g prof",
	 * separated by spaces, NUL-terminated, compared without regard to the case of A-Z. NULL is a list for English: titles,
	 * months, e.g., i.e., fig., vol., vs. and their like.
	 */
	const char *abbreviations;
} lanewise_text_chunk_options;

/* Writes the defaults to *options. */
LANEWISE_API void lanewise_text_chunk_options_default(lanewise_text_chunk_options *options);

/* Byte offsets in the text, begin < end, both ascending from chunk to chunk; [begin, fresh) was in the chunk before too. */
typedef struct lanewise_text_chunk {
	uint64_t begin, end;
	uint64_t fresh;
} lanewise_text_chunk;

/*
 *     lanewise_text_chunker_begin(scratch, text, n_bytes, &options, &chunker, &error);
 *     while ((n = lanewise_text_chunker_next(chunker, chunks, capacity)) > 0) ...
 */
typedef struct lanewise_text_chunker lanewise_text_chunker;

/* Bytes of scratch for one text under way; below 512. */
LANEWISE_API size_t lanewise_text_chunker_scratch_size(void);

/*
 * Begins a text in `scratch`, aligned as by malloc, and gives it out as *chunker; text and abbreviations must stay as they
 * are meanwhile. `options` NULL is the defaults. There is nothing to end or free.
 *
 * LANEWISE_ERROR_ARGUMENT, with an error that names it: an option out of range, a NULL pointer to something not empty,
 * scratch that is not aligned.
 */
LANEWISE_API lanewise_status lanewise_text_chunker_begin(void *scratch, const char *text, size_t n_bytes,
                                                         const lanewise_text_chunk_options *options,
                                                         lanewise_text_chunker **chunker, lanewise_error *error);

/* The next chunks, at most `capacity` > 0, in the order of the text, into `chunks`; how many. 0: there are no more. */
LANEWISE_API size_t lanewise_text_chunker_next(lanewise_text_chunker *chunker, lanewise_text_chunk *chunks,
                                               size_t capacity);

/*
 * About how many tokens a byte-pair vocabulary of a present-day language model makes of the text; 0 for the empty one. A rule
 * of thumb that needs no vocabulary: it was made for English prose and program text, and true counts may well be a fifth
 * less or more, and farther off in other languages. The sum, rounded up, of these in 64ths of a token:
 *
 *     letter a-z A-Z            48, after another 6         space, tab    0, after white space of ASCII 2
 *     digit                     44, after another 14        LF, CR        40, after another 4
 *     other byte of ASCII       56, after an equal one 8    characters of 2, 3, 4 bytes 32, 64, 160; a byte of none 64
 */
LANEWISE_API uint64_t lanewise_text_tokens(const char *text, size_t n_bytes);

#ifdef __cplusplus
}
#endif

#endif
