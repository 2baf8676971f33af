/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/classify.h - texts put into classes by weighted keywords, quickly and explainably: what kind of task a request
 * is, which queue a message belongs to.
 *
 * A classifier has classes, keywords, each of one class and with a weight, and negations: words such as "not" and "don't",
 * which turn round what a keyword behind them says.
 *
 * How a text of n bytes is rated
 *
 *   - Every occurrence of every keyword counts: whole words only (no ASCII letter, digit or underscore around it), the
 *     ASCII letters in either case, overlapping ones too. Options change each of these.
 *   - A keyword that begins at byte b adds weight * (1 + position_bonus * (1 - b / n)) to the sum of its class.
 *   - But if a negation begins before it, at most negation_window bytes, it adds weight * negated_factor.
 *   - A class's score is its sum, or 0 if that is negative. Its confidence is its score's share of all scores, 0 if they
 *     are all 0.
 *   - The text's class is the one with the greatest score, the first of equal ones; or LANEWISE_CLASS_NONE if the greatest
 *     score is 0 or below min_score, or its confidence is below min_confidence.
 *
 * Sums are of doubles, in the order of the occurrences' ends, then beginnings, then keywords, and rounded as IEEE 754 has
 * it: the same numbers on every CPU.
 *
 * Bytes are bytes: nothing is assumed about the encoding. Time is that of one or two scans (scan.h), linear in the
 * text and its matches.
 */
#ifndef LANEWISE_CLASSIFY_H
#define LANEWISE_CLASSIFY_H

#include "base.h"
#include "scan.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LANEWISE_CLASSES         65536 /* classes of a classifier, at most */
#define LANEWISE_NEGATION_WINDOW 1024  /* bytes, at most */
#define LANEWISE_CLASS_NONE      -1

typedef struct lanewise_keyword {
	const void *bytes;
	size_t n_bytes;       /* 1 ... LANEWISE_SCAN_PATTERN_BYTES */
	double weight;        /* -1e9 ... 1e9 */
	uint32_t class_index; /* below n_classes */
} lanewise_keyword;

/* What a classifier knows. Keywords may be equal, in one class or several; classes may have none. */
typedef struct lanewise_classifier_rules {
	size_t struct_size; /* sizeof(lanewise_classifier_rules) */
	const lanewise_keyword *keywords;
	size_t n_keywords; /* at least 1 */
	const lanewise_pattern *negations;
	size_t n_negations;
	const char *const *class_names; /* n_classes strings; NULL: the classes' numbers */
	size_t n_classes;               /* 1 ... LANEWISE_CLASSES */
} lanewise_classifier_rules;

typedef struct lanewise_classifier_options {
	size_t struct_size;       /* sizeof(lanewise_classifier_options) */
	int32_t match_case;       /* nonzero: A-Z and a-z are different; default 0 */
	int32_t substrings;       /* nonzero: keywords and negations count within words too; default 0 */
	int32_t non_overlapping;  /* nonzero: no two matches of a class, or of the negations, overlap; default 0.
	                             Always the match that ends first, the longest of those, as LANEWISE_SCAN_STANDARD. */
	int32_t last_of_equals;   /* nonzero: of classes with equal scores the last; default 0 */
	uint32_t negation_window; /* default 20; 0 ... LANEWISE_NEGATION_WINDOW, from beginning to beginning */
	double position_bonus;    /* default 0.1; -1e6 ... 1e6 */
	double negated_factor;    /* default -0.5; -1e6 ... 1e6 */
	double min_score;         /* default 0; 0 ... 1e300 */
	double min_confidence;    /* default 0.3; 0 ... 1 */
} lanewise_classifier_options;

/* The defaults, to change some of. */
LANEWISE_API lanewise_classifier_options lanewise_classifier_defaults(void);

/* Immutable, shareable between threads. */
typedef struct lanewise_classifier lanewise_classifier;

/*
 * `options` NULL means the defaults, `allocator` NULL the C library's. Everything is copied. Linear in the keywords' bytes.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, another struct_size, no keywords, an empty keyword or
 * negation, a number out of range; the error's text says which. LANEWISE_ERROR_TOO_LARGE: the limits of scan.h, for
 * keywords and negations together; more than LANEWISE_CLASSES. LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_classifier_create(const lanewise_classifier_rules *rules,
                                                        const lanewise_classifier_options *options,
                                                        const lanewise_allocator *allocator,
                                                        lanewise_classifier **classifier, lanewise_error *error);

/*
 * A classifier from rules as text, one statement to a line:
 *
 *     # What is to be done?             a comment; blank lines are nothing either
 *     class action                      a class, to which the keywords behind it belong, up to the next; their order
 *                                       is that of the classes' numbers
 *     1    run                          a keyword of it: its weight, as JSON writes numbers, then all of the line
 *     0.8  set up
 *     0.5  "C#"
 *     negation don't                    a negation
 *     option window 30                  an option, in the whole text
 *
 * Spaces and tabs stand between the parts of a statement, and around them mean nothing. Class names, keywords and
 * negations go to the end of the line, or are strings in JSON's form, between double quotes. Options:
 *
 *     case ignore|match     words whole|any       overlap yes|no        ties first|last
 *     window BYTES          bonus FACTOR          negated FACTOR        min-score SCORE       min-confidence SHARE
 *
 * LANEWISE_ERROR_DATA: anything else, or what lanewise_classifier_create refuses; the error gives the line in its text,
 * and the byte in the rules as offset. Other errors as there; LANEWISE_ERROR_TOO_LARGE also for rules over 1 GB.
 */
LANEWISE_API lanewise_status lanewise_classifier_parse(const char *rules, size_t n_bytes,
                                                       const lanewise_allocator *allocator,
                                                       lanewise_classifier **classifier, lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_classifier_destroy(lanewise_classifier *classifier);

LANEWISE_API size_t lanewise_classifier_n_classes(const lanewise_classifier *classifier);

/* A class's name, valid as long as the classifier; NULL if there is no such class. */
LANEWISE_API const char *lanewise_classifier_class_name(const lanewise_classifier *classifier, size_t class_index);

/* Bytes of memory that the classifier holds. */
LANEWISE_API size_t lanewise_classifier_memory(const lanewise_classifier *classifier);

/* ----------------------------------------------------------------- texts */

typedef struct lanewise_class_score {
	double score, confidence;
	uint64_t n_matches; /* keywords that counted, negated ones among them */
	uint64_t n_negated;
} lanewise_class_score;

/* Bytes of scratch for rating one text at a time: some 100,000, and more with long keywords and many classes. */
LANEWISE_API size_t lanewise_classify_scratch_size(const lanewise_classifier *classifier);

/*
 * Rates a text. `scores` (n_classes) may be NULL; `scratch`, aligned as by malloc, needs no preparation. *best becomes the
 * text's class or LANEWISE_CLASS_NONE.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, scratch not aligned.
 */
LANEWISE_API lanewise_status lanewise_classify(const lanewise_classifier *classifier, const void *text, size_t n_bytes,
                                               void *scratch, lanewise_class_score *scores, int32_t *best);

/*
 * The same for the n texts data[begin[i] ... end[i]), begin[i] <= end[i], one after the other with the same scratch. For
 * adjacent texts one array of n + 1 offsets serves as both: begin = offsets, end = offsets + 1. `scores` (n * n_classes, by
 * texts) may be NULL, best (n) not.
 */
LANEWISE_API lanewise_status lanewise_classify_batch(const lanewise_classifier *classifier, const void *data,
                                                     const uint64_t *begin, const uint64_t *end, size_t n,
                                                     void *scratch, lanewise_class_score *scores, int32_t *best);

#ifdef __cplusplus
}
#endif

#endif
