/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/text.h - words of UTF-8 text: splitting, case folding, stop words, stems, and a vector made of them.
 *
 * What a word is
 *
 * A run of letters, numbers and underscores (Unicode's general categories L* and N*), case-folded by Unicode's full
 * folding: "STRASSE" and "straße" both give "strasse". As Unicode's word boundaries (UAX #29) have it,
 *   - combining marks (M*) after such a character belong to the word; on their own they are no word;
 *   - ideographs and hiragana are words of one character each, and katakana joins katakana only;
 *   - format characters (Cf but U+200B: soft hyphen, joiners, direction marks) within or after a word belong to it,
 *     but are left out of the folded word.
 * Unlike UAX #29, an apostrophe, period or comma between letters or digits ends a word as everything else does:
 * "don't" is "don", "t" and "3.14" is "3", "14". So the rule needs no look-ahead, "foo.bar" can be found by "bar", and
 * except for marks, format characters and CJK the words are those of the regular expression \w+. Text is not
 * normalised: "e" followed by U+0301 is not the same word as U+00E9. Thai, Lao, Khmer and Burmese, which write no
 * spaces, are split at marks of punctuation only.
 *
 * Bytes that are no valid UTF-8 (as Unicode's table 3-7 defines it: no surrogates, overlong forms or values beyond
 * U+10FFFF) are separators, each of them, a truncated character at the end too. Any bytes are fine; NUL is a separator.
 *
 * A folded word has at most LANEWISE_WORD_BYTES bytes: of a longer one its first characters count that fit, and the
 * rest of it is passed over.
 *
 * The tables are Unicode 14.0's; ideographs added to planes 2 and 3 since are known too.
 *
 * Everything here is reentrant, works on the calling thread in caller memory, and takes O(n_bytes).
 */
#ifndef LANEWISE_TEXT_H
#define LANEWISE_TEXT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The longest folded word, in bytes. */
#define LANEWISE_WORD_BYTES 255

typedef struct lanewise_word {
	const char *text;    /* folded; not NUL-terminated */
	size_t n_bytes;      /* of `text`, 1 ... LANEWISE_WORD_BYTES */
	uint64_t begin, end; /* byte offsets of the word as written, [begin, end), from the beginning of the text */
} lanewise_word;

/* ------------------------------------------------------------- analyzers */

/*
 * An analyzer is a rule of words other than the one above, a choice among them, and stems in their place. The functions
 * above and below that take none, or NULL, keep to the rule above.
 */
typedef struct lanewise_analyzer lanewise_analyzer;

typedef enum lanewise_word_rule {
	/*
	 * The words of Python's regular expression \w+: runs of letters, numbers and underscores, of whatever script. Marks
	 * and format characters separate words as everything else does, and text without spaces is one word.
	 */
	LANEWISE_WORDS_RUNS = 0,
	/* The rule above, as the functions without an analyzer have it. */
	LANEWISE_WORDS_SEGMENTS = 1
} lanewise_word_rule;

/* Zeros are the defaults: each folded run of \w, whatever it is. */
typedef struct lanewise_analyzer_options {
	size_t struct_size; /* sizeof(lanewise_analyzer_options) */
	lanewise_word_rule rule;
	int32_t keep_case;    /* 1: words are not folded */
	int32_t drop_numbers; /* 1: words of digits and other numbers (category N*) alone are dropped; "x2" is not */
	/* Words of fewer or more characters, folded, are dropped; at most LANEWISE_WORD_BYTES, 0 is no limit. */
	uint32_t min_characters, max_characters;
	/*
	 * A list of words to drop by name, or NULL: "english" is the 33 words of Lucene's and bm25s's. And a list of the
	 * caller's, of which only `text` and `n_bytes` are read: each is split and folded as texts are, and all words of it
	 * are dropped.
	 */
	const char *stop;
	const lanewise_word *stop_words;
	size_t n_stop_words;
	/*
	 * The Snowball algorithm by which words that are left become stems, or NULL: "english" (Porter2), "porter",
	 * "german", "french" and others, by the names of libstemmer, which does the work where it is installed. The
	 * algorithms are made for folded words.
	 */
	const char *stemmer;
} lanewise_analyzer_options;

/*
 * Words are first split and folded, then chosen by length, numbers and stop words, then stemmed. `options` NULL means the
 * defaults. Offsets are always those of the word as written. Indexes made with an analyzer keep it as long as they
 * need it, so it may be destroyed before them; the allocator's context must last as long.
 *
 * Immutable, shareable between threads.
 *
 * LANEWISE_ERROR_ARGUMENT: analyzer NULL, another struct_size, an option outside its range, an unknown name, a stop word
 * that is NULL but not empty, stop words of more than 16 MiB in all; `error` (NULL is fine) says which.
 * LANEWISE_ERROR_UNSUPPORTED: a stemmer that libstemmer does not know, or the library was built without libstemmer, or it
 * is not installed.
 * LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_analyzer_create(const lanewise_analyzer_options *options,
                                                      const lanewise_allocator *allocator, lanewise_analyzer **analyzer,
                                                      lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_analyzer_destroy(lanewise_analyzer *analyzer);

/* ------------------------------------------------------------- streaming */

/*
 * Words of a text that comes in pieces, cut anywhere, inside a character too: the words and their offsets are those
 * of the whole text.
 *
 *     lanewise_words *words = lanewise_words_begin(scratch);
 *     for each piece:
 *         lanewise_words_feed(words, piece, n_bytes);
 *         while (lanewise_words_next(words, &word)) ...
 *     lanewise_words_finish(words);
 *     while (lanewise_words_next(words, &word)) ...
 */
typedef struct lanewise_words lanewise_words;

/* Bytes of scratch for one text under way; it does not depend on the text and is below 512. */
LANEWISE_API size_t lanewise_words_scratch_size(void);

/* Begins a text in `scratch`, aligned as by malloc; NULL if it is not or is NULL. There is nothing to end or free. */
LANEWISE_API lanewise_words *lanewise_words_begin(void *scratch);

/* The same with an analyzer, which must outlive the text; NULL is none. */
LANEWISE_API lanewise_words *lanewise_words_begin_analyzed(void *scratch, const lanewise_analyzer *analyzer);

/*
 * The next piece of the text; it must stay as it is until lanewise_words_next has returned 0, which must come before
 * the next call of feed or finish. `text` may be NULL if n_bytes is 0.
 */
LANEWISE_API void lanewise_words_feed(lanewise_words *words, const char *text, size_t n_bytes);

/* The text has ended; the words that only its end completes come from lanewise_words_next. */
LANEWISE_API void lanewise_words_finish(lanewise_words *words);

/*
 * 1 and the next complete word, or 0 if more text is needed. `word->text` lies in the scratch and is valid until the
 * next call.
 */
LANEWISE_API int32_t lanewise_words_next(lanewise_words *words, lanewise_word *word);

/* ------------------------------------------------------------ whole texts */

/* No text of n_bytes bytes has more words, or more bytes of folded words (SIZE_MAX if that overflows). */
LANEWISE_API size_t lanewise_text_words_bound(size_t n_bytes);
LANEWISE_API size_t lanewise_text_folded_bound(size_t n_bytes);

/*
 * All words of a text, in order, their count into `n_words`. The folded words are written one after another into
 * `folded`, where `words[i].text` points.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty. LANEWISE_ERROR_CAPACITY: more than `words_capacity`
 * words or `folded_capacity` bytes of them; the bounds above always suffice.
 */
LANEWISE_API lanewise_status lanewise_text_words(const char *text, size_t n_bytes, lanewise_word *words,
                                                 size_t words_capacity, char *folded, size_t folded_capacity,
                                                 size_t *n_words);

/* The same with an analyzer, or NULL. */
LANEWISE_API lanewise_status lanewise_analyze(const lanewise_analyzer *analyzer, const char *text, size_t n_bytes,
                                              lanewise_word *words, size_t words_capacity, char *folded,
                                              size_t folded_capacity, size_t *n_words);

/* ---------------------------------------------------------------- vector */

/*
 * Writes the embedded default's vector of a text to out[0 ... dim): signed feature hashing (Weinberger et al., "Feature
 * hashing for large scale multitask learning", 2009) of its folded words and pairs of neighbouring words, L2-normalised
 * as lanewise_normalize_f32_rows does; zeros if there is no word.
 *
 * With h the XXH3 hash, seed 0, of a word or of a pair "a b" joined by one space, each occurrence of the feature adds
 * its weight to element (h >> 1) mod dim, negated if h is odd. A word of c characters, folded, weighs min(c, 8) / 8; a
 * pair a quarter of the product of its words' weights. A single text does not know which words are rare; long ones
 * tend to be, and on the Cranfield and CISI collections these weights raised nDCG@10 from about .25 and .13 to .36 and
 * .18. The same bits on every CPU: features are added in order of the text, each pair after its second word.
 *
 * LANEWISE_ERROR_ARGUMENT: dim = 0, out NULL, text NULL while n_bytes is not 0.
 */
LANEWISE_API lanewise_status lanewise_text_embed_f32(const char *text, size_t n_bytes, size_t dim, float *out);

#ifdef __cplusplus
}
#endif

#endif
