/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which lines came before, for `lanewise dedup --lines` without limits: all that stays is remembered, so nothing needs
 * to be forgotten, and nobody asks which line it was that came before. lanewise/dedup.h can do both, at twice the cost.
 */
#ifndef LW_LINES_H
#define LW_LINES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	LINES_SLACK = 128,       /* bytes that may be read behind the lines */
	LINES_HASH_WORDS = 2,    /* of a line, at most */
	LINES_LONGEST = 16 << 20 /* without the newline: longer ones are not to be given */
};

struct lines;

struct lines_options {
	int hash;        /* remember 128-bit hashes, not texts */
	uint64_t weaken; /* for tests: bits of the hash of a text that are ignored */
};

/* What stays goes to `out`, what goes to `dropped`; each may be NULL. */
struct lines *lines_create(const struct lines_options *options, FILE *out, FILE *dropped);
void lines_free(struct lines *lines);

/* So many bytes of lines will come. */
void lines_expect(struct lines *lines, uint64_t n_bytes);

/*
 * Hashes of n lines of data, LINES_HASH_WORDS * n words at most: the first begins at `begin`, each ends at a newline, at
 * ends[i]. It may be called by another thread while others do anything with `lines` but free it.
 */
void lines_hash(const struct lines *lines, const char *data, size_t begin, const uint32_t *ends, size_t n,
                uint64_t *hash);

/* Takes memory ahead from the system, which takes time: for another thread, one at a time, now and then. */
void lines_prepare(struct lines *lines);

/*
 * n lines of data with their hashes: the first begins at `begin`, each ends at a newline, at ends[i]. Returns how many
 * were taken. If these are fewer, two lines of equal hash differ. That never happens by chance: whoever wrote the lines
 * wants to make this slow, and the caller goes on with lanewise/dedup.h, which is proof against it.
 */
size_t lines_take(struct lines *lines, const char *data, size_t begin, const uint32_t *ends, const uint64_t *hash,
                  size_t n);

/* Writes what was not written yet; without the last newline if the last line that was taken had none and stayed. */
void lines_write(struct lines *lines, int has_no_newline);

uint64_t lines_kept(const struct lines *lines);
uint64_t lines_dropped(const struct lines *lines);

/* All texts that stayed, in pieces of whole lines, to a function. */
void lines_texts(const struct lines *lines, void (*take)(void *context, const char *text, size_t n), void *context);

#endif
