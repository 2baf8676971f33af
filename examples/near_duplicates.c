/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the command line's texts are nearly the same as one before?
 *
 *     ./near_duplicates "the quick brown fox jumps over the lazy dog" "The quick brown fox jumped over the lazy dog!" ...
 */
#include <stdio.h>
#include <string.h>

#include <lanewise/lanewise.h>

enum { K = 128, MOST_SHINGLES = 10000 };

int main(int argc, char **argv)
{
	static uint64_t shingles[MOST_SHINGLES];
	static int argument_of[1000];
	uint32_t a[K], b[K], signature[K];
	lanewise_lsh_options options = {
		.struct_size = sizeof options, .n_hashes = K, .threshold = 0.6, .max_items = 1000
	};
	lanewise_lsh_match match;
	lanewise_lsh *lsh;
	lanewise_error error;
	size_t n;

	if (lanewise_lsh_create(&options, NULL, &lsh, &error) != LANEWISE_OK) {
		fprintf(stderr, "%s\n", error.what);
		return 1;
	}
	lanewise_minhash_mul32_parameters(1, a, b, K);
	for (int i = 1; i < argc; i++) {
		/* What does not fit is left out: a few thousand shingles tell enough. */
		if (lanewise_shingles_chars(argv[i], strlen(argv[i]), 5, 0, shingles, MOST_SHINGLES, &n) ==
		    LANEWISE_ERROR_ARGUMENT)
			return 1;
		lanewise_minhash_begin(signature, K);
		lanewise_minhash_mul32(shingles, n, a, b, K, signature);
		if (lanewise_lsh_keep_first(lsh, signature, NULL, NULL, &match) != LANEWISE_OK)
			return 1;
		if (match.similarity < 0)
			argument_of[match.item] = i;
		else
			printf("text %d is like text %d, about %.0f %%\n", i, argument_of[match.item],
			       100 * match.similarity);
	}
	lanewise_lsh_destroy(lsh);
	return 0;
}
