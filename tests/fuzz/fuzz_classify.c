/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as rules of a classifier, up to the first 0xff, and the rest as a text. Rules are refused with a place, or the
 * text is rated: scores are what they may be, and the same alone, in a batch, and on every tier.
 */
#include <lanewise/classify.h>

#include "fuzz.h"

static void check_scores(const lanewise_class_score *scores, size_t n, int32_t best)
{
	double total = 0;

	FUZZ_REQUIRE(best >= LANEWISE_CLASS_NONE && best < (int32_t)n);
	for (size_t i = 0; i < n; i++) {
		FUZZ_REQUIRE(scores[i].score >= 0 && scores[i].confidence >= 0 && scores[i].confidence <= 1);
		FUZZ_REQUIRE(scores[i].n_negated <= scores[i].n_matches);
		FUZZ_REQUIRE(best < 0 || scores[i].score <= scores[best].score);
		total += scores[i].confidence;
	}
	FUZZ_REQUIRE(total < 1.0001);
}

static void rate(const lanewise_classifier *classifier, const uint8_t *text, size_t n)
{
	size_t n_classes = lanewise_classifier_n_classes(classifier),
	       n_bytes = n_classes * sizeof(lanewise_class_score);
	void *scratch = fuzz_allocate(lanewise_classify_scratch_size(classifier));
	lanewise_class_score *scores = fuzz_allocate(n_bytes), *again = fuzz_allocate(2 * n_bytes);
	uint64_t offsets[] = { 0, n, n };
	lanewise_tier best_tier = lanewise_active_tier();
	int32_t best, best_again[2];

	memset(scratch, 0xa5, lanewise_classify_scratch_size(classifier));
	FUZZ_REQUIRE(lanewise_classify(classifier, text, n, scratch, scores, &best) == LANEWISE_OK);
	check_scores(scores, n_classes, best);
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		FUZZ_REQUIRE(lanewise_classify_batch(classifier, text, offsets, offsets + 1, 2, scratch, again,
		                                     best_again) == LANEWISE_OK);
		FUZZ_REQUIRE(memcmp(again, scores, n_bytes) == 0 && best_again[0] == best);
		FUZZ_REQUIRE(best_again[1] == LANEWISE_CLASS_NONE);
	}
	lanewise_set_tier(best_tier);
	free(again);
	free(scores);
	free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
	size_t n_rules = end ? (size_t)(end - data) : size, n_text = end ? size - n_rules - 1 : 0;
	char *rules = fuzz_allocate(n_rules);
	uint8_t *text = fuzz_allocate(n_text);
	lanewise_classifier *classifier = NULL;
	lanewise_error error = { .offset = UINT64_MAX };

	if (n_rules)
		memcpy(rules, data, n_rules);
	if (n_text)
		memcpy(text, end + 1, n_text);
	if (lanewise_classifier_parse(rules, n_rules, NULL, &classifier, &error) == LANEWISE_OK)
		rate(classifier, text, n_text);
	else
		FUZZ_REQUIRE(!classifier && error.status == LANEWISE_ERROR_DATA && error.what[0] &&
		             error.offset <= n_rules);
	lanewise_classifier_destroy(classifier);
	free(rules);
	free(text);
	return 0;
}
