/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libstemmer, the library of Snowball's stemmers, without which lanewise works too. It is looked for when the first
 * analyzer with a stemmer is made, and not linked: so the library needs nothing but libc.
 */
#ifndef LW_SNOWBALL_H
#define LW_SNOWBALL_H

struct sb_stemmer; /* libstemmer's own name */

struct lw_snowball {
	const char **(*list)(void);
	struct sb_stemmer *(*create)(const char *algorithm, const char *encoding);
	void (*destroy)(struct sb_stemmer *stemmer);
	const unsigned char *(*stem)(struct sb_stemmer *stemmer, const unsigned char *word, int n_bytes);
	int (*length)(struct sb_stemmer *stemmer);
};

/* 0 if there is none: `why` says so in a few words. */
int lanewise_snowball_find(struct lw_snowball *snowball, const char **why);

#endif
