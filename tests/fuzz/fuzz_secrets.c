/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any rules, or the built-in ones, and any text: findings are disjoint and in order, `any`, `types` and masks agree with
 * them, and nothing outside the text is read. The rules end at the first NUL byte; the first byte has options.
 */
#include "fuzz.h"

#include <lanewise/secrets.h>

/* The built-in rules with and without the optional ones, made once: that takes longer than most texts. */
static lanewise_secrets *builtin(int32_t optional)
{
	static lanewise_secrets *made[2];
	lanewise_secrets_options options = { sizeof options, 0, optional };

	if (!made[optional])
		FUZZ_REQUIRE(lanewise_secrets_create(NULL, 0, &options, NULL, &made[optional], NULL) == LANEWISE_OK);
	return made[optional];
}

static lanewise_secrets *make(uint8_t flags, const char *rules, size_t n)
{
	lanewise_secrets_options options = { sizeof options, (flags & 0xc1) == 0xc1, flags >> 1 & 1 };
	lanewise_error error = { .offset = 0 };
	lanewise_secrets *secrets;
	lanewise_status status = lanewise_secrets_create(rules, n, &options, NULL, &secrets, &error);

	FUZZ_REQUIRE(status == LANEWISE_OK || (secrets == NULL && error.status == status && error.what[0]));
	FUZZ_REQUIRE(status == LANEWISE_OK || error.offset <= n || error.offset == LANEWISE_NO_OFFSET);
	if (status == LANEWISE_OK && flags & 8)
		lanewise_secrets_check_examples(rules, n, NULL, NULL, NULL);
	return status == LANEWISE_OK ? secrets : NULL;
}

static void check_text(const lanewise_secrets *secrets, uint8_t flags, const char *text, size_t n)
{
	void *scratch = fuzz_allocate(lanewise_secrets_scratch_size(secrets));
	size_t n_rules = lanewise_secrets_n_rules(secrets), n_words = (n_rules + 63) / 64, n_out, n_again;
	uint64_t *present = fuzz_allocate(8 * n_words), *expected = fuzz_allocate(8 * n_words), n_found, n_expected = 0,
	         end = 0;
	lanewise_secrets_search *search = lanewise_secrets_begin(secrets, text, n, scratch);
	lanewise_mask_options options = { sizeof options, flags >> 4 & 1, 0, flags >> 5 & 3, flags >> 5 & 3 };
	lanewise_secret found[3];
	int32_t any;

	memset(expected, 0, 8 * n_words);
	for (size_t k; (k = lanewise_secrets_next(search, found, 3)) > 0;)
		for (size_t i = 0; i < k; i++) {
			FUZZ_REQUIRE(found[i].begin >= end && found[i].begin < found[i].end && found[i].end <= n);
			FUZZ_REQUIRE(found[i].rule < n_rules);
			FUZZ_REQUIRE(found[i].match_begin <= found[i].match_end && found[i].match_end <= n);
			end = found[i].end;
			expected[found[i].rule / 64] |= UINT64_C(1) << found[i].rule % 64;
			n_expected++;
		}
	FUZZ_REQUIRE(lanewise_secrets_any(secrets, text, n, scratch, &any) == LANEWISE_OK && any == (n_expected > 0));
	FUZZ_REQUIRE(lanewise_secrets_types(secrets, text, n, scratch, present, &n_found) == LANEWISE_OK);
	FUZZ_REQUIRE(n_found == n_expected && memcmp(present, expected, 8 * n_words) == 0);

	lanewise_secrets_mask(secrets, &options, text, n, scratch, NULL, 0, &n_out, NULL);
	FUZZ_REQUIRE(options.replace || n_out == n);

	char *out = fuzz_allocate(n_out);

	FUZZ_REQUIRE(lanewise_secrets_mask(secrets, &options, text, n, scratch, out, n_out, &n_again, NULL) ==
	             LANEWISE_OK);
	FUZZ_REQUIRE(n_again == n_out);
	for (size_t i = 0; i < n_out && !options.replace; i++)
		FUZZ_REQUIRE(out[i] == text[i] || out[i] == '*');
	free(out);
	free(expected);
	free(present);
	free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t flags = fuzz_u8(&in);
	const uint8_t *nul = in.size ? memchr(in.data, 0, in.size) : NULL;
	size_t n_rules = flags & 4 ? 0 : nul ? (size_t)(nul - in.data) : in.size;
	size_t n_text = flags & 4 ? in.size : nul ? in.size - n_rules - 1 : 0;
	char *rules = fuzz_allocate(n_rules), *text = fuzz_allocate(n_text);
	lanewise_secrets *secrets;

	if (n_rules)
		memcpy(rules, in.data, n_rules);
	if (n_text)
		memcpy(text, in.data + (in.size - n_text), n_text);
	secrets = flags & 4 ? builtin(flags >> 1 & 1) : make(flags, rules, n_rules);
	if (secrets)
		check_text(secrets, flags, text, n_text);
	if (!(flags & 4))
		lanewise_secrets_destroy(secrets);
	free(rules);
	free(text);
	return 0;
}
