/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any rules, or the built-in ones, and any text: findings are disjoint and in order, `any`, `types` and masks agree with
 * them, streams with the whole, and nothing outside the text is read. With PCRE2, where it is built in. The rules end at
 * the first NUL byte; the first byte has options.
 */
#include "fuzz.h"

#include <lanewise/regex.h>

/* The built-in rules with and without the optional ones, made once: that takes longer than most texts. */
static lanewise_secrets *builtin(int32_t optional)
{
	static lanewise_secrets *made[2];
	lanewise_secrets_options options = { sizeof options, 0, optional, NULL };

	if (!made[optional])
		FUZZ_REQUIRE(lanewise_secrets_create(NULL, 0, &options, NULL, &made[optional], NULL) == LANEWISE_OK);
	return made[optional];
}

static lanewise_secrets *make(uint8_t flags, const char *rules, size_t n)
{
	lanewise_secrets_options options = { sizeof options, (flags & 0xc1) == 0xc1, flags >> 1 & 1,
		                             lanewise_regex_pcre2() };
	lanewise_error error = { .offset = 0 };
	lanewise_secrets *secrets;
	lanewise_status status = lanewise_secrets_create(rules, n, &options, NULL, &secrets, &error);

	FUZZ_REQUIRE(status == LANEWISE_OK || (secrets == NULL && error.status == status && error.what[0]));
	FUZZ_REQUIRE(status == LANEWISE_OK || error.offset <= n || error.offset == LANEWISE_NO_OFFSET);
	if (status == LANEWISE_OK && flags & 8)
		lanewise_secrets_check_examples(rules, n, lanewise_regex_pcre2(), NULL, NULL, NULL);
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

	lanewise_status status = lanewise_secrets_n_undecided(search) ? LANEWISE_ERROR_TOO_LARGE : LANEWISE_OK;

	FUZZ_REQUIRE(lanewise_secrets_any(secrets, text, n, scratch, &any) == (n_expected ? LANEWISE_OK : status));
	FUZZ_REQUIRE(any == (n_expected > 0));
	FUZZ_REQUIRE(lanewise_secrets_types(secrets, text, n, scratch, present, &n_found) == status);
	FUZZ_REQUIRE(n_found == n_expected && memcmp(present, expected, 8 * n_words) == 0);

	lanewise_secrets_mask(secrets, &options, text, n, scratch, NULL, 0, &n_out, NULL);
	FUZZ_REQUIRE(options.replace || n_out == n);

	char *out = fuzz_allocate(n_out);

	FUZZ_REQUIRE(lanewise_secrets_mask(secrets, &options, text, n, scratch, out, n_out, &n_again, NULL) == status);
	FUZZ_REQUIRE(n_again == n_out);
	for (size_t i = 0; i < n_out && !options.replace; i++)
		FUZZ_REQUIRE(out[i] == text[i] || out[i] == '*');
	free(out);
	free(expected);
	free(present);
	free(scratch);
}

/* The same text in pieces gives the same findings and the same masked text. */
static void check_stream(const lanewise_secrets *secrets, uint8_t flags, const char *text, size_t n, int masks)
{
	void *scratch = fuzz_allocate(lanewise_secrets_stream_scratch_size(secrets));
	void *other = fuzz_allocate(lanewise_secrets_scratch_size(secrets));
	lanewise_mask_options options = { sizeof options, flags >> 4 & 1, 0, flags >> 5 & 3, flags >> 5 & 3 };
	lanewise_secrets_stream *stream = lanewise_secrets_stream_begin(secrets, &options, scratch);
	lanewise_secrets_search *search = lanewise_secrets_begin(secrets, text, n, other);
	size_t n_masked = 0, n_out = 0, at = 0;
	char *masked = NULL;
	uint32_t random = flags;

	if (masks) {
		lanewise_secrets_mask(secrets, &options, text, n, other, NULL, 0, &n_masked, NULL);
		masked = fuzz_allocate(n_masked);
		lanewise_secrets_mask(secrets, &options, text, n, other, masked, n_masked, &n_masked, NULL);
	}
	for (int ended = 0; !ended;) {
		uint64_t safe = lanewise_secrets_stream_safe(stream);
		lanewise_secret found, expected;
		char out[7];

		random = random * 1664525 + 1013904223;
		ended = at == n;
		if (ended) {
			lanewise_secrets_stream_finish(stream);
		} else {
			size_t piece = 1 + (random >> 24) % (random >> 20 & 15 ? 9 : 200);

			piece = piece < n - at ? piece : n - at;
			lanewise_secrets_stream_feed(stream, text + at, piece);
			at += piece;
		}
		while (!masks && lanewise_secrets_stream_next(stream, &found, 1)) {
			FUZZ_REQUIRE(lanewise_secrets_next(search, &expected, 1) == 1);
			FUZZ_REQUIRE(memcmp(&found, &expected, sizeof found) == 0 && found.begin >= safe);
		}
		for (size_t k; masks && (k = lanewise_secrets_stream_mask(stream, out, sizeof out)) > 0; n_out += k)
			FUZZ_REQUIRE(k <= n_masked - n_out && memcmp(out, masked + n_out, k) == 0);
		FUZZ_REQUIRE(lanewise_secrets_stream_safe(stream) >= safe &&
		             lanewise_secrets_stream_safe(stream) <= at);
		FUZZ_REQUIRE(!ended || lanewise_secrets_stream_safe(stream) == n);
	}
	FUZZ_REQUIRE(n_out == n_masked);
	FUZZ_REQUIRE(masks || lanewise_secrets_next(search, &(lanewise_secret) { 0 }, 1) == 0);
	free(masked);
	free(other);
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
	if (secrets) {
		check_text(secrets, flags, text, n_text);
		check_stream(secrets, flags, text, n_text, 0);
		check_stream(secrets, flags, text, n_text, 1);
	}
	if (!(flags & 4))
		lanewise_secrets_destroy(secrets);
	free(rules);
	free(text);
	return 0;
}
