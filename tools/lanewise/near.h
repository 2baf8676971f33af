/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that are nearly the same, for `lanewise dedup --near`. */
#ifndef LW_TOOL_NEAR_H
#define LW_TOOL_NEAR_H

#include <stddef.h>
#include <stdint.h>

struct near_options {
	double threshold;   /* the Jaccard similarity of shingles from which texts count as the same */
	int words;          /* shingles of words, not characters */
	size_t width;       /* of a shingle */
	uint32_t normalize; /* LANEWISE_NORMALIZE_FOLD: not only the case of A-Z makes no difference to characters */
	uint64_t
	        max_bytes; /* about as much memory; texts that come when it is full are compared, but not remembered. 0: any */
};

struct near;

struct near *near_create(const struct near_options *options);
void near_free(struct near *near);

/* Whether a text is similar to one before that was not; if it is not, it is remembered. */
int near_is_duplicate(struct near *near, const char *text, size_t n_bytes);

/* The same of a text in pieces, cut anywhere; what is kept of them does not grow. */
void near_feed(struct near *near, const char *text, size_t n_bytes);
int near_finish(struct near *near);

#endif
