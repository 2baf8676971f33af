/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words as the library itself takes them from texts: the state of a text under way, and what an analyzer does with a
 * word once it is folded.
 *
 * An analyzer's second part, the choice of words and their stems, depends on the folded word alone. So who keeps a
 * table of words, as the builder of an index does, has to ask it once for each different word.
 */
#ifndef LW_TEXT_H
#define LW_TEXT_H

#include <lanewise/text.h>

#include "common.h"

struct lanewise_words {
	/* The piece, its size and what was read of it. Aligned as scratch is wherever one is declared. */
	_Alignas(LW_SCRATCH_ALIGNMENT) const unsigned char *text;
	size_t n, at;
	uint64_t piece_begin; /* offset of the piece in the whole text */

	const lanewise_analyzer *analyzer; /* or NULL */
	const uint8_t *kinds;              /* the kind that a character's class has by the rule of words */
	const unsigned char *ascii;        /* what a byte of ASCII becomes; 0 for separators */

	uint64_t character_begin;
	uint32_t code_point;
	uint8_t n_missing; /* bytes of the character still to come, 0 between characters */
	uint8_t low, high; /* what the next of them may be */
	uint8_t held;      /* a character that was read but begins the next word */

	uint8_t kind; /* LW_CHAR_... of the word's last character but marks; OTHER if no word is under way */
	uint8_t keep_case;
	uint8_t full;     /* a character did not fit any more */
	uint8_t patience; /* so many words are taken one by one before words of ASCII are looked for again */
	uint8_t finished;
	uint8_t length; /* of `folded` */
	uint64_t begin, end;
	char folded[LANEWISE_WORD_BYTES];
};

/* The last piece of the text: feed and finish in one. */
void lanewise_words_feed_last(lanewise_words *words, const char *text, size_t n_bytes);

/* Words of ASCII text, many at once. */
enum { LW_BATCH_BYTES = 4096 };

struct lw_word_batch {
	size_t n;                                      /* words */
	uint64_t begin;                                /* of the batch, in the whole text */
	uint16_t edges[LW_BATCH_BYTES + LW_WORDS_PAD]; /* where each begins and ends, from there */
	char text[LW_BATCH_BYTES + LW_WORDS_PAD];      /* folded, with all between; may be read LW_WORDS_PAD further */
};

/*
 * The next words, if they are of ASCII alone, and one that follows has begun or the text has it that none does. If
 * there are none, so that batch->n is 0, lanewise_words_next_folded has the next word. Words may be longer than
 * LANEWISE_WORD_BYTES: of such a one so many bytes count.
 */
void lanewise_words_next_batch(lanewise_words *words, struct lw_word_batch *batch);

/* Whether no word follows, as is known of most texts after their batches. */
static inline int lanewise_words_are_over(const lanewise_words *words)
{
	return words->finished && words->at == words->n && !words->held && words->kind == 0 /* LW_CHAR_OTHER */;
}

/* lanewise_words_next without the analyzer's second part. */
int32_t lanewise_words_next_folded(lanewise_words *words, lanewise_word *word);

/* Whether texts of the analyzer (NULL: none) are split at marks, and keep their case. */
int lanewise_analyzer_splits_at_marks(const lanewise_analyzer *analyzer);
int lanewise_analyzer_keeps_case(const lanewise_analyzer *analyzer);

/*
 * The second part: 0 if the folded word is dropped, else 1. The word's text becomes `stem`, which has room for
 * LANEWISE_WORD_BYTES and may be where the text lies already, if its stem is another.
 */
int lanewise_analyzer_take(const lanewise_analyzer *analyzer, lanewise_word *word, char *stem);

/* Analyzers are counted: each retain needs a lanewise_analyzer_destroy of its own. NULL is fine. */
lanewise_analyzer *lanewise_analyzer_retain(const lanewise_analyzer *analyzer);

/* What is saved of an analyzer, the same bytes for the same rules. */
const unsigned char *lanewise_analyzer_bytes(const lanewise_analyzer *analyzer, size_t *n_bytes);

/*
 * An analyzer of bytes that may be a stranger's. LANEWISE_ERROR_DATA, _UNSUPPORTED or _NO_MEMORY with a message in
 * `error`, whose offset counts from the first byte.
 */
lanewise_status lanewise_analyzer_load(const void *bytes, size_t n_bytes, const lanewise_allocator *allocator,
                                       lanewise_analyzer **analyzer, lanewise_error *error);

/*
 * Writes a text, whose A-Z are a-z already, to `out` as Unicode's full case folding has it (the one of words); bytes that
 * are no valid UTF-8 stay. `out` may be the text itself, or anywhere before it, or not overlap it. Stops before a character
 * with which more than *n_taken + spare bytes would be written, where *n_taken are those of the text that were folded;
 * that does not happen if `spare` is twice n. Returns the bytes written.
 */
size_t lanewise_fold_case(const unsigned char *text, size_t n, unsigned char *out, size_t spare, size_t *n_taken);

/*
 * The full case folding of the character at p, of which n > 0 bytes are there, to `folded`, and its length to *n_folded.
 * Returns the character's length; a byte that is no valid UTF-8 is one that folds to itself, as A-Z do.
 */
enum { LW_FOLDED_BYTES = 6 };
size_t lanewise_fold_character(const unsigned char *p, size_t n, unsigned char folded[LW_FOLDED_BYTES],
                               size_t *n_folded);

/* Whether a code point is a number (Unicode's general categories N*, without ideographs). */
int lanewise_is_number(uint32_t code_point);

#endif
