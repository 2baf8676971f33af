/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/secrets.h - access keys, tokens, passwords and private keys found in text, and masked.
 *
 * What to find is said by rules in a text of lines; built-in rules cover some eighty kinds (share/secrets.rules). Each
 * names bytes that every secret of its kind begins with or stands beside (anchors) and the shape of what is around them.
 * All anchors of all rules are searched for at once (lanewise/scan.h); only where one lies is a shape looked at.
 *
 * Rules
 *
 * A line is a word and what it is given; empty lines and those that begin with # say nothing, nor does the white space
 * at the beginning and end of lines.
 *
 *     let NAME SHAPE       from here on, $NAME in shapes stands for this shape, in parentheses unless it is one set
 *     stop WORD ...        before the first rule: for all rules; what contains one of the words, in whatever case of
 *     stop-whole WORD ...  letters, or equals one, is no secret
 *     rule NAME            a rule; the lines that follow, up to the next, are about it
 *
 *     about TEXT           what it finds, for people
 *     anchor WORD ...      one or more; \s in one is a space and \\ a backslash
 *     shape SHAPE          around the anchor, which is an @ in it
 *     run SET{m,n}         instead of the two: what is found is m to n bytes of the set with no more before and behind
 *     regex EXPRESSION     instead of a shape, or beside one that has to fit too; to the end of the line, 4,096 bytes
 *                          at most
 *     window BEFORE BEHIND how much the expression sees: so many bytes before and behind the anchor, 128 and 512 unless
 *                          they are given, 4096 at most
 *     ignore-case          letters in anchors, shape and expression match in either case (ASCII)
 *     entropy NUMBER       the secret has at least so many bits of entropy a byte
 *     need CLASS ...       the secret has a byte of each class: digit, letter, lower, upper, symbol
 *     stop, stop-whole     as above, for this rule
 *     optional             the rule is left out unless the option of that name is given
 *     true TEXT            examples, in which the rule finds a secret, or does not; %{36 a-z0-9} in them are so many
 *     false TEXT           bytes of a set, \n a line's end, \t a tab, \\ a backslash
 *
 * Shapes are written like regular expressions. White space between parts means nothing.
 *
 *     a 0 " = -            these bytes; the bytes \ [ ] ( ) { } < > | ? * + . @ ! $ # and space need a \ before them
 *     \n \r \t \x7f        line feed, carriage return, tab, any byte by its number
 *     [a-z0-9_] [^"\s]     one byte of a set, or not of it; \s white space, \d digits, \w letters, digits and _
 *     .                    any byte but a line feed
 *     ? * + {3} {3,} {3,9} behind a byte or set: so many of it
 *     ( ... | ... )        the first alternative that fits; ( ... )? or nothing
 *     \b                   between a letter, digit or _ and something else, also the text's end
 *     !X                   X, a byte, a set or an alternative in parentheses, does not follow
 *     < ... >              the secret, in what is found; without these it is all of it
 *     @                    the anchor; once, in no parentheses
 *
 * Each part takes as many bytes as it can and gives none back: [a-z]*z fits nothing. The parts before the @ are matched
 * from it to the left, so there it is those at the right that take first. * and + and {3,} take up to 16,384 bytes.
 * So a shape has one way to match, and the time for all candidates of a rule is linear in the text, whatever is in it.
 *
 * Entropy and the words of `stop` are looked for in the first 256 bytes of a secret.
 *
 * Expressions
 *
 * What shapes cannot say, as they never go back, a regular expression may. This library has none; an engine for them
 * comes in the options, that of lanewise/regex.h (PCRE2) or another. Without one, rules with expressions are refused.
 *
 * The expression is tried around each anchor of its rule, on the window alone: the anchor, and so many bytes before and
 * behind it, fewer where the text begins or ends. It sees nothing else, so a match cannot be longer than the window. ^ holds
 * at the window's beginning and $ at its end only where these are the text's; \A, \z, \b and what looks behind or ahead
 * take the window for all there is, so give it a byte more than these need. Matches are looked for from the left, each
 * behind the one before, empty ones not at all; the first that contains the anchor is what the rule matched, and the
 * secret is its first capture group, or all of it if there is none or it took no part. With a shape beside it, the shape
 * has to fit and says nothing about the secret.
 *
 * What a candidate costs is bounded by its expression and window alone, and by the engine: what that gives up is undecided.
 * That is not reported as a finding but counted (lanewise_secrets_n_undecided), and functions that return a status say it.
 * Behind LANEWISE_SECRETS_UNDECIDED of them, a rule's other candidates in the text are undecided untried.
 *
 * Which findings are reported
 *
 * Of findings whose secrets overlap, that of the earlier rule stays, so rules for certain kinds come before general
 * ones; of the same rule's, that whose anchor comes first. Those reported are disjoint and in order of the text: one whose
 * secret stands before its anchor is not reported if it begins before the end of one that was, and masks cover what of it
 * is not written yet.
 *
 * Rules made ready are immutable and may be shared between threads; scratch may not.
 */
#ifndef LANEWISE_SECRETS_H
#define LANEWISE_SECRETS_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ rules */

#define LANEWISE_SECRETS_RULES 1024 /* at most, in all */

enum {
	LANEWISE_SECRETS_WINDOW = 4096, /* bytes that an expression may see before or behind the anchor */
	LANEWISE_SECRETS_UNDECIDED = 16 /* candidates of a rule in a text, before it is given up there */
};

enum {
	LANEWISE_REGEX_IGNORE_CASE = 1, /* to compile: ASCII letters match in either case */
	LANEWISE_REGEX_NOT_BEGIN = 2,   /* to search: there is text before the window, so ^ does not hold there */
	LANEWISE_REGEX_NOT_END = 4      /* or behind it, and $ does not */
};

/*
 * What regular expressions of rules are compiled and searched by. All functions may be called from several threads at once,
 * `search` and `begin` with a scratch for each, and get the struct's `context`. The struct is copied; what `context`
 * points to must outlive the rules.
 */
typedef struct lanewise_regex_engine {
	size_t struct_size; /* sizeof(lanewise_regex_engine) */
	void *context;

	/*
	 * Compiles an expression of n_bytes bytes, which are not needed afterwards, into *compiled; `flags` is 0 or
	 * LANEWISE_REGEX_IGNORE_CASE. LANEWISE_ERROR_DATA if it is wrong: error->offset (a byte of it) and error->what say
	 * how. LANEWISE_ERROR_NO_MEMORY. `allocator` may be NULL and outlives what is compiled.
	 */
	lanewise_status (*compile)(void *context, const char *expression, size_t n_bytes, uint32_t flags,
	                           const lanewise_allocator *allocator, void **compiled, lanewise_error *error);
	void (*release)(void *context, void *compiled);

	/* Bytes of scratch for all searches of one thread, and how they are made ready; aligned as by malloc. */
	size_t (*scratch_size)(void *context);
	void (*begin)(void *context, void *scratch);

	/*
	 * Looks for matches in window[0 ... n_bytes) from the left, each from the end of the one before on, none of them
	 * empty. 1 and range = { begin, end, begin and end of the first group, or SIZE_MAX twice } of the first with
	 * begin <= anchor_begin and anchor_end <= end; 0 if there is none; negative if that was given up. No byte outside
	 * the window is read, no memory allocated, and the time bounded, whatever expression and window are.
	 */
	int32_t (*search)(void *context, const void *compiled, const char *window, size_t n_bytes, size_t anchor_begin,
	                  size_t anchor_end, uint32_t flags, void *scratch, size_t range[4]);
} lanewise_regex_engine;

typedef struct lanewise_secrets_options {
	size_t struct_size;                 /* sizeof(lanewise_secrets_options) */
	int32_t with_builtin;               /* nonzero: the built-in rules behind those that are given */
	int32_t optional;                   /* nonzero: also the rules marked `optional` */
	const lanewise_regex_engine *regex; /* NULL: rules with expressions are refused */
} lanewise_secrets_options;

typedef struct lanewise_secrets lanewise_secrets;

/*
 * Makes rules ready: `rules`, or the built-in ones if that is NULL. `options` NULL means the defaults (all zero),
 * `allocator` NULL the C library's. The text is not needed afterwards.
 *
 * LANEWISE_ERROR_DATA: what is wrong with the rules and in which line; the error's offset is a byte of `rules`.
 * LANEWISE_ERROR_UNSUPPORTED: a rule has an expression, also one that is left out, and there is no engine; likewise.
 * LANEWISE_ERROR_TOO_LARGE: over LANEWISE_SECRETS_RULES rules, or too many other things in them.
 * LANEWISE_ERROR_ARGUMENT: `secrets` NULL, another struct_size, of the engine too. LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_secrets_create(const char *rules, size_t n_bytes,
                                                     const lanewise_secrets_options *options,
                                                     const lanewise_allocator *allocator, lanewise_secrets **secrets,
                                                     lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_secrets_destroy(lanewise_secrets *secrets);

/* The text of the built-in rules, without a NUL behind it; its size into *n_bytes. */
LANEWISE_API const char *lanewise_secrets_builtin_rules(size_t *n_bytes);

/* Rules are numbered from 0 in the order of their text, those that are left out not counted. */
LANEWISE_API size_t lanewise_secrets_n_rules(const lanewise_secrets *secrets);

/* The name of a rule, and what it finds ("" if it does not say); NULL if there is no such rule. */
LANEWISE_API const char *lanewise_secrets_rule_name(const lanewise_secrets *secrets, size_t rule);
LANEWISE_API const char *lanewise_secrets_rule_about(const lanewise_secrets *secrets, size_t rule);

/*
 * Tries the examples in `rules` (or in the built-in ones if it is NULL) with these rules, all of them, optional ones too,
 * and nothing else. *n_examples, which may be NULL, becomes their number; `regex` may be NULL as in the options.
 *
 * LANEWISE_ERROR_DATA: an example is not what it says, or an expression cannot decide it; the error names its line. Other
 * errors as from lanewise_secrets_create.
 */
LANEWISE_API lanewise_status lanewise_secrets_check_examples(const char *rules, size_t n_bytes,
                                                             const lanewise_regex_engine *regex,
                                                             const lanewise_allocator *allocator, size_t *n_examples,
                                                             lanewise_error *error);

/* --------------------------------------------------------------- scanning */

typedef struct lanewise_secret {
	uint64_t begin, end;             /* the secret: byte offsets in the text */
	uint64_t match_begin, match_end; /* all that the rule matched, the secret within */
	uint32_t rule;
	uint32_t reserved; /* 0 */
} lanewise_secret;

/*
 * A text that is searched.
 *
 *     lanewise_secrets_search *search = lanewise_secrets_begin(secrets, text, n_bytes, scratch);
 *     while ((n = lanewise_secrets_next(search, found, capacity)) > 0) ...
 */
typedef struct lanewise_secrets_search lanewise_secrets_search;

/* Bytes of scratch for one search: some 160,000 with the built-in rules; the engine's comes to it if it is needed. */
LANEWISE_API size_t lanewise_secrets_scratch_size(const lanewise_secrets *secrets);

/*
 * Begins a search of text[0 ... n_bytes), any bytes, in `scratch`, aligned as by malloc. Rules and text must outlive it;
 * there is nothing to end or free. NULL if an argument is: secrets or scratch NULL, scratch not aligned, text NULL
 * although n_bytes is not 0.
 */
LANEWISE_API lanewise_secrets_search *lanewise_secrets_begin(const lanewise_secrets *secrets, const char *text,
                                                             size_t n_bytes, void *scratch);

/* The next findings, at most `capacity` (not 0), and how many; 0 after the last. */
LANEWISE_API size_t lanewise_secrets_next(lanewise_secrets_search *search, lanewise_secret *found, size_t capacity);

/* How many candidates were left undecided so far; always 0 without expressions. */
LANEWISE_API uint64_t lanewise_secrets_n_undecided(const lanewise_secrets_search *search);

/*
 * Whether there is a secret in the text: *found becomes 1 or 0. It reads up to the first and not much further.
 * LANEWISE_ERROR_TOO_LARGE: none was found, but candidates are undecided; *found is 0. LANEWISE_ERROR_ARGUMENT: what
 * lanewise_secrets_begin refuses, or found NULL.
 */
LANEWISE_API lanewise_status lanewise_secrets_any(const lanewise_secrets *secrets, const char *text, size_t n_bytes,
                                                  void *scratch, int32_t *found);

/*
 * Which rules have findings in the text: bit i mod 64 of present[i / 64] for rule i, in (n_rules + 63) / 64 words; the
 * other bits are 0. *n_found, which may be NULL, is the number of findings. LANEWISE_ERROR_TOO_LARGE: candidates are
 * undecided, and both tell of the others. LANEWISE_ERROR_ARGUMENT as for lanewise_secrets_any.
 */
LANEWISE_API lanewise_status lanewise_secrets_types(const lanewise_secrets *secrets, const char *text, size_t n_bytes,
                                                    void *scratch, uint64_t *present, uint64_t *n_found);

/* ---------------------------------------------------------------- masking */

typedef struct lanewise_mask_options {
	size_t struct_size; /* sizeof(lanewise_mask_options) */
	int32_t replace;    /* nonzero: a secret becomes [REDACTED:name of the rule] */
	int32_t byte;       /* otherwise so many of these; 0 means '*' */
	size_t keep_first;  /* bytes of the secret that stay; of one that has not at least twice */
	size_t keep_last;   /* as many as both together, none does */
} lanewise_mask_options;

/*
 * Writes the text with its secrets masked to out[0 ... *n_out). Everything that any rule finds is masked, also what is
 * not reported because it overlaps something else, but for secrets before their anchors as said above; characters of UTF-8
 * are masked as a whole or not at all.
 * `options` NULL means the defaults. *n_masked, which may be NULL, is the number of places. Without `replace` the
 * result is as long as the text. `out` must not overlap the text.
 *
 * LANEWISE_ERROR_CAPACITY: more than `capacity` bytes; *n_out is how many, and what is in `out` means nothing; `out`
 * may be NULL if capacity is 0. LANEWISE_ERROR_TOO_LARGE: the text is there, but candidates are undecided, and nothing is
 * masked for them. LANEWISE_ERROR_ARGUMENT: what lanewise_secrets_begin refuses, another struct_size, a
 * byte that is not 0 ... 255, a NULL pointer to something not empty.
 */
LANEWISE_API lanewise_status lanewise_secrets_mask(const lanewise_secrets *secrets,
                                                   const lanewise_mask_options *options, const char *text,
                                                   size_t n_bytes, void *scratch, char *out, size_t capacity,
                                                   size_t *n_out, uint64_t *n_masked);

/* ---------------------------------------------------------------- streams */

/*
 * A text that comes in pieces, cut anywhere: what is found and what is masked is the same as in the whole text.
 *
 *     lanewise_secrets_stream *stream = lanewise_secrets_stream_begin(secrets, &mask, scratch);
 *     for each piece:
 *         lanewise_secrets_stream_feed(stream, piece, n_bytes);
 *         while ((n = lanewise_secrets_stream_mask(stream, out, capacity)) > 0) ...
 *     lanewise_secrets_stream_finish(stream);
 *     while ((n = lanewise_secrets_stream_mask(stream, out, capacity)) > 0) ...
 *
 * or the same with lanewise_secrets_stream_next, if findings are wanted and not the text; a stream gives one of the two.
 * Nearly all text is done with at once. What is held back is what may be a secret, or the beginning of an anchor, or, where
 * a rule has its secret before the anchor, what may be that: of prose some bytes at the end. Of rules with expressions,
 * the bytes of the largest window before the anchor are always held back, and behind an anchor all of its window.
 */
typedef struct lanewise_secrets_stream lanewise_secrets_stream;

/* Bytes of scratch for one stream: some 360,000 with the built-in rules, as private keys are long. No text needs more. */
LANEWISE_API size_t lanewise_secrets_stream_scratch_size(const lanewise_secrets *secrets);

/*
 * Begins a text in `scratch`, aligned as by malloc. The rules must outlive it; there is nothing to end or free. `options`
 * are those of masks, NULL means the defaults. NULL if an argument forbids it: secrets or scratch NULL, scratch not
 * aligned, options that lanewise_secrets_mask refuses.
 */
LANEWISE_API lanewise_secrets_stream *
lanewise_secrets_stream_begin(const lanewise_secrets *secrets, const lanewise_mask_options *options, void *scratch);

/*
 * The next piece; it must stay as it is until stream_next or stream_mask has returned 0, which must come before the next
 * call of feed or finish. `bytes` may be NULL if n_bytes is 0.
 */
LANEWISE_API void lanewise_secrets_stream_feed(lanewise_secrets_stream *stream, const void *bytes, size_t n_bytes);

/* The text has ended; what its end decides comes from stream_next or stream_mask. */
LANEWISE_API void lanewise_secrets_stream_finish(lanewise_secrets_stream *stream);

/* The next findings, at most `capacity` (not 0), and how many; less than that, or 0, if more text is needed. */
LANEWISE_API size_t lanewise_secrets_stream_next(lanewise_secrets_stream *stream, lanewise_secret *found,
                                                 size_t capacity);

/* The next bytes of the masked text, at most `capacity` (not 0), and how many; 0 if more text is needed. */
LANEWISE_API size_t lanewise_secrets_stream_mask(lanewise_secrets_stream *stream, char *out, size_t capacity);

/*
 * The text before this offset is done with: once stream_next or stream_mask has returned 0, no secret to come begins before
 * it, and stream_mask has given all before it, masked. It is not within a character of UTF-8.
 */
LANEWISE_API uint64_t lanewise_secrets_stream_safe(const lanewise_secrets_stream *stream);

/* How many findings there were so far. */
LANEWISE_API uint64_t lanewise_secrets_stream_n_found(const lanewise_secrets_stream *stream);

/* How many candidates were left undecided so far. */
LANEWISE_API uint64_t lanewise_secrets_stream_n_undecided(const lanewise_secrets_stream *stream);

/* ---------------------------------------------------------- parts of this */

/* A place in a text. All zeros is its beginning, before it was moved for the first time. */
typedef struct lanewise_place {
	uint64_t offset;
	uint64_t line;       /* from 1 */
	uint64_t line_begin; /* offset of the line's first byte: the column, from 1, is offset - line_begin + 1 */
} lanewise_place;

/*
 * Moves to an offset in text[0 ... n_bytes], counting the line feeds on the way: for offsets in ascending order all
 * moves together read the text once. An offset before the place begins again; one behind the text is its end.
 */
LANEWISE_API void lanewise_place_move(lanewise_place *place, const char *text, size_t n_bytes, uint64_t offset);

/*
 * Shannon's entropy of the bytes' frequencies, in bits a byte: 0 for equal bytes (and none), at most 8. The same bits on
 * every CPU.
 */
LANEWISE_API double lanewise_shannon_entropy(const void *bytes, size_t n_bytes);

/*
 * The first longest run of bytes of a set (byte b is in it if set[b / 8] has bit b mod 8) in text[from ... n_bytes) that
 * has at least `min_bytes`, not 0: 1 and its range, or 0. A run that begins before `from` is cut there. Where most
 * bytes are in no long run, only every min_bytes-th is read.
 */
LANEWISE_API int32_t lanewise_next_run(const uint8_t set[32], const char *text, size_t n_bytes, size_t from,
                                       size_t min_bytes, size_t *begin, size_t *end);

#ifdef __cplusplus
}
#endif

#endif
