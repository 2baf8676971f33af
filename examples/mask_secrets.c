/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tool printed goes to a language model: are there keys and passwords in it, and what is the text without them?
 */
#include <lanewise/secrets.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	/* The parts of the key are apart so that it is none here. */
	static const char text[] = "user: build\naws_access_key_id = AKIA"
	                           "QX7Z5R2TN4LMW3PD\nregion: eu-west-1\n";
	static const char expected[] = "user: build\naws_access_key_id = [REDACTED:";
	lanewise_mask_options options = { .struct_size = sizeof options, .replace = 1 };
	lanewise_secret found[8];
	lanewise_secrets *secrets;
	lanewise_error error;
	char masked[2 * sizeof text];
	size_t n_found, n_masked;

	if (lanewise_secrets_create(NULL, 0, NULL, NULL, &secrets, &error) != LANEWISE_OK) {
		fprintf(stderr, "%s\n", error.what);
		return 1;
	}

	void *scratch = malloc(lanewise_secrets_scratch_size(secrets));
	lanewise_secrets_search *search = lanewise_secrets_begin(secrets, text, sizeof text - 1, scratch);

	if (!search)
		return 1;
	while ((n_found = lanewise_secrets_next(search, found, 8)) > 0)
		for (size_t i = 0; i < n_found; i++)
			printf("%s at byte %d: %s\n", lanewise_secrets_rule_name(secrets, found[i].rule),
			       (int)found[i].begin, lanewise_secrets_rule_about(secrets, found[i].rule));
	if (lanewise_secrets_mask(secrets, &options, text, sizeof text - 1, scratch, masked, sizeof masked, &n_masked,
	                          NULL) != LANEWISE_OK)
		return 1;
	printf("%.*s", (int)n_masked, masked);
	free(scratch);
	lanewise_secrets_destroy(secrets);
	return n_masked > sizeof expected && memcmp(masked, expected, sizeof expected - 1) == 0 ? 0 : 1;
}
