/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/dedup.h - repeated text: lines and blocks that came before, and loops in generated tokens.
 *
 *   lanewise_line_ends       where lines end
 *   lanewise_normalize       text in the form in which it is compared
 *   lanewise_dedup           which lines or blocks of a stream came before, and where first
 *   lanewise_loop            whether a stream of tokens repeats itself
 *
 * Any bytes are fine everywhere, NUL and invalid UTF-8 too. Offsets are bytes. Time is linear in the bytes, whoever
 * chose them.
 */
#ifndef LANEWISE_DEDUP_H
#define LANEWISE_DEDUP_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------- lines */

/*
 * Appends first + i for every newline text[i] to ends[*n_ends ...), in order, adds their number to *n_ends and returns
 * how many bytes were gone through: all n_bytes, unless fewer than 64 places below `capacity` were left where newlines
 * were met. Who gets less makes room and goes on there. Places behind the last end may be overwritten. The offsets have 32
 * bits: first + n_bytes must not pass 2^32, so a larger text is done in parts.
 */
LANEWISE_API size_t lanewise_line_ends(const char *text, size_t n_bytes, uint32_t first, uint32_t *ends,
                                       size_t capacity, size_t *n_ends);

/* ------------------------------------------------------------- normal form */

/*
 * What normalising does, any of these together, always in this order; FOLD comes with LOWER. The characters of a
 * whitespace set are
 *   ASCII    space, \t \n \v \f \r; the set if no other is named
 *   UNICODE  those of White_Space: also U+0085 U+00A0 U+1680 U+2000-200A U+2028 U+2029 U+202F U+205F U+3000 (what
 *            Rust's char::is_whitespace knows too)
 *   PYTHON   those of UNICODE and U+001C-001F, as str.isspace() and \s of Python have it
 *
 * FOLD is Unicode's full case folding (CaseFolding.txt, statuses C and F; not T), character by character and by the tables of
 * lanewise/text.h: "STRASSE", "Straße" and "strasse" become "strasse". It is not a canonical form: "é" as one character and
 * as two stay different. Bytes that are no valid UTF-8 stay as they are. Folding can lengthen a text, at most threefold:
 * U+0390, two bytes, becomes three characters of two. ASCII costs little more than with LOWER.
 */
enum {
	LANEWISE_NORMALIZE_STRIP_CONTROL = 1, /* leave out bytes 0x00-0x1f and 0x7f that are no whitespace of the set */
	LANEWISE_NORMALIZE_COLLAPSE = 2,      /* a run of whitespace becomes one space */
	LANEWISE_NORMALIZE_LOWER = 4,         /* A-Z become a-z */
	LANEWISE_NORMALIZE_TRIM = 8,          /* no whitespace at the ends */
	LANEWISE_NORMALIZE_TRIM_PUNCTUATION = 16, /* none of . , ; : at the end */
	LANEWISE_WHITESPACE_UNICODE = 32,
	LANEWISE_WHITESPACE_PYTHON = 64,
	LANEWISE_NORMALIZE_FOLD = 128 /* letters lose their case, whatever the script; with or without LOWER */
};

/*
 * Bytes of room that a text of n_bytes needs, whatever the flags; SIZE_MAX if that overflows. Without
 * LANEWISE_NORMALIZE_FOLD nothing grows, and n_bytes + 64 are enough.
 */
LANEWISE_API size_t lanewise_normalize_bound(size_t n_bytes);

/*
 * Writes text[0 ... n_bytes) in its normal form to `out`, which does not overlap it, and its length to *n_out. `out` has
 * lanewise_normalize_bound(n_bytes) bytes (or n_bytes + 64, see there), of which those behind the result may be
 * overwritten.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer to something not empty, unknown flags. LANEWISE_ERROR_CAPACITY: `capacity` is
 * below that.
 */
LANEWISE_API lanewise_status lanewise_normalize(const char *text, size_t n_bytes, uint32_t flags, char *out,
                                                size_t capacity, size_t *n_out);

/* ------------------------------------------------------------------- dedup */

/*
 * Goes through a text in pieces, cut anywhere, and says of each unit - line or block - whether it came before. The first
 * stays, later ones are duplicates of it. The answers are those for the whole text, however it is cut.
 *
 *     lanewise_dedup_create(&options, NULL, &dedup, &error);
 *     for each piece, and at the end with lanewise_dedup_finish:
 *         lanewise_dedup_feed(dedup, piece, n_bytes);
 *         do
 *             status = lanewise_dedup_next(dedup, units, capacity, &n);
 *         while (status == LANEWISE_OK && n > 0);
 *     lanewise_dedup_destroy(dedup);
 *
 * Lines end at '\n', which does not belong to them; the last one need not have one. Every line is a unit, the empty one
 * too.
 *
 * Blocks are paragraphs and fences. Three backticks anywhere open a fence, and the next three close it; it runs from
 * the first to the last backtick, or to the end of the text if it is not closed. Outside fences a blank line - nothing
 * or one '\r' between two '\n' - ends a paragraph, and so does a fence; what stands beside a fence is a block of its
 * own. Blocks of whitespace alone (of the set that `normalize` names) are no units. Newlines between blocks belong to
 * none.
 */
typedef struct lanewise_dedup lanewise_dedup;

enum { LANEWISE_DEDUP_LINES = 0, LANEWISE_DEDUP_BLOCKS = 1 };

/*
 * How units are compared. VERIFY retains the normal form of every unit that stays and compares bytes: no unit is lost
 * to a hash, whoever wrote the text. The others retain hashes only and take equal hashes for equal units. XXH3 with 64
 * bits will confuse two of n different units with a probability of n^2 / 2^65 (0.03 % at 10^8) - and always where someone
 * wants it to, as colliding strings are published; 128 bits make chance negligible, but promise nothing against intent.
 */
enum {
	LANEWISE_DEDUP_VERIFY = 0,
	LANEWISE_DEDUP_HASH64 = 1,
	LANEWISE_DEDUP_HASH128 = 2,
	LANEWISE_DEDUP_NONE = 3 /* compares nothing: every unit stays. To split and normalise */
};

typedef struct lanewise_dedup_options {
	size_t struct_size; /* sizeof(lanewise_dedup_options) */
	int32_t unit;       /* LANEWISE_DEDUP_LINES or _BLOCKS */
	int32_t mode;       /* LANEWISE_DEDUP_VERIFY, _HASH64, _HASH128 or _NONE */
	uint32_t normalize; /* LANEWISE_NORMALIZE_* and LANEWISE_WHITESPACE_*: units are compared in this form */
	uint32_t count_code_points; /* min_length is in code points, not bytes */

	/* Units with less than this between the whitespace at their ends (of the set in `normalize`) always stay. */
	uint64_t min_length;

	/* Units longer than this many bytes always stay; 0 is 16 MiB. */
	uint64_t max_unit_bytes;

	/* Compare with the last `window` units that stayed (and were long and short enough to be compared); 0: with all. */
	uint64_t window;

	/*
	 * Memory for what is remembered, at least 64 KiB; when it is full, the oldest units are forgotten. 0: no limit. On
	 * top come some 300 KiB, and up to three times the longest unit and the piece's last, incomplete one; and where
	 * LANEWISE_NORMALIZE_FOLD makes a unit longer, some 200 KiB and three times the longest unit. With a limit it is the
	 * same bytes that decide on every machine and in every process.
	 */
	uint64_t max_bytes;

	uint64_t expected; /* about how many different units are expected: room from the start; may be 0 */
} lanewise_dedup_options;

enum {
	LANEWISE_DEDUP_SHORT = 1, /* below min_length: not compared */
	LANEWISE_DEDUP_LONG = 2   /* beyond max_unit_bytes: not compared */
};

typedef struct lanewise_dedup_unit {
	uint64_t begin, end;  /* as written, [begin, end) from the beginning of the text */
	uint64_t number;      /* units are counted from 0 */
	uint64_t first;       /* the unit of which this one is a duplicate, or `number` if this one stays */
	uint64_t first_begin; /* and where it began */
	uint32_t flags;       /* LANEWISE_DEDUP_SHORT or _LONG, or 0 */
	uint32_t reserved;    /* 0 */
} lanewise_dedup_unit;

/*
 * Makes a dedup into *dedup; NULL options are all zeros. One at a time may use it.
 *
 * LANEWISE_ERROR_ARGUMENT, with an error that names the field; LANEWISE_ERROR_NO_MEMORY; LANEWISE_ERROR_TOO_LARGE:
 * `expected` units do not fit into memory.
 */
LANEWISE_API lanewise_status lanewise_dedup_create(const lanewise_dedup_options *options,
                                                   const lanewise_allocator *allocator, lanewise_dedup **dedup,
                                                   lanewise_error *error);
LANEWISE_API void lanewise_dedup_destroy(lanewise_dedup *dedup);

/*
 * The next piece of the text; it must stay as it is until lanewise_dedup_next has given no more units, which must come
 * before the next call of feed or finish. LANEWISE_ERROR_ARGUMENT if it has not, if the text is finished, or if `text`
 * is NULL and n_bytes is not 0.
 */
LANEWISE_API lanewise_status lanewise_dedup_feed(lanewise_dedup *dedup, const char *text, size_t n_bytes);

/* The text has ended; the units that only its end completes come from lanewise_dedup_next. */
LANEWISE_API lanewise_status lanewise_dedup_finish(lanewise_dedup *dedup);

/*
 * Writes at most `capacity` > 0 units, in the order of the text, and their number; 0 of them means that more text is
 * needed. After LANEWISE_ERROR_NO_MEMORY the dedup can only be destroyed.
 */
LANEWISE_API lanewise_status lanewise_dedup_next(lanewise_dedup *dedup, lanewise_dedup_unit *units, size_t capacity,
                                                 size_t *n_units);

/* A unit's normal form, by `normalize`; NULL and 0 for those that are not compared (flags). Not terminated. */
typedef struct lanewise_dedup_form {
	const char *text;
	size_t n_bytes;
} lanewise_dedup_form;

/*
 * The same, and forms[i], the normal form of units[i]. They are there until the next call with this dedup. Fewer than
 * `capacity` units do not mean that there are no more; none do.
 */
LANEWISE_API lanewise_status lanewise_dedup_next_forms(lanewise_dedup *dedup, lanewise_dedup_unit *units,
                                                       lanewise_dedup_form *forms, size_t capacity, size_t *n_units);

/*
 * How far the text is settled when lanewise_dedup_next has given no more units: before this offset are units that were
 * given out, what lies between units, and as much as is sure to be of a unit under way that is too long to be compared, and
 * so will stay. Who keeps the text to write what stays need not keep more than what is behind it: max_unit_bytes + 3 bytes at
 * most. 0 for NULL.
 */
LANEWISE_API uint64_t lanewise_dedup_settled(const lanewise_dedup *dedup);

/*
 * From here on a new text with new offsets, its units counted on, is compared with what came before: so several
 * documents are deduplicated together. LANEWISE_ERROR_ARGUMENT if the text before is not finished and gone through.
 */
LANEWISE_API lanewise_status lanewise_dedup_next_text(lanewise_dedup *dedup);

/* ------------------------------------------------------------------- loops */

/*
 * Whether a stream of tokens has begun to repeat itself: whether its last p * count tokens are one block of p tokens,
 * `count` times, for a period p from min_period to max_period. The shortest such period counts. This is what vLLM's
 * repetition check looks for after every token.
 *
 * A token costs time proportional to max_period - min_period (amortised; 50 to 150 ns for 16 ... 1024 with AVX-512),
 * whatever the tokens are.
 */
typedef struct lanewise_loop lanewise_loop;

/*
 * Bytes of scratch, or 0 if an argument is out of range: 1 <= min_period <= max_period, count >= 2, and max_period *
 * (count - 1) at most 65535.
 */
LANEWISE_API size_t lanewise_loop_scratch_size(uint32_t min_period, uint32_t max_period, uint32_t count);

/* Begins in `scratch`, aligned as by malloc. NULL if it is not or is NULL, or an argument is out of range. */
LANEWISE_API lanewise_loop *lanewise_loop_begin(void *scratch, uint32_t min_period, uint32_t max_period,
                                                uint32_t count);

/*
 * The next n tokens (any values), up to and with the first that completes a loop: its period is returned, and how many
 * tokens were taken goes to *n_taken, which may be NULL. 0 if none of them does; then all n were taken. One may go on after
 * a loop: while it lasts, every token completes one.
 */
LANEWISE_API uint32_t lanewise_loop_push(lanewise_loop *loop, const uint32_t *tokens, size_t n, size_t *n_taken);

/* As after lanewise_loop_begin: a new stream. */
LANEWISE_API void lanewise_loop_reset(lanewise_loop *loop);

#ifdef __cplusplus
}
#endif

#endif
