/* SPDX-License-Identifier: Apache-2.0 */
#include "bm25/bm25.h"

#include <string.h>

#include <lanewise/text.h>

#include "pages/pages.h"
#include "support.h"

/* How much of each there is to make. */
struct amounts {
	size_t n_hints, n_skips, n_prefixes;
};

static size_t n_postings_of(const lanewise_bm25 *bm25, size_t term)
{
	return (size_t)(bm25->posting_at[term + 1] - bm25->posting_at[term]);
}

static size_t n_in_run(const lanewise_bm25 *bm25, uint64_t run) { return (bm25->runs[run] & 0xffff) + (size_t)1; }

static struct amounts count_amounts(const lanewise_bm25 *bm25)
{
	size_t n_terms = (size_t)bm25->header.n_terms;
	struct amounts amounts = { .n_prefixes =
		                           n_terms / LW_BM25_PREFIX_WORDS + (n_terms % LW_BM25_PREFIX_WORDS != 0) };

	for (size_t term = 0; term < n_terms; term++) {
		if (n_postings_of(bm25, term) < LW_BM25_HINT_LEAST)
			continue;
		amounts.n_hints++;
		for (uint64_t run = bm25->run_at[term]; run < bm25->run_at[term + 1]; run++)
			amounts.n_skips += lw_bm25_n_skips(n_in_run(bm25, run));
	}
	return amounts;
}

/* By how many quanta there are in each 256th of their range; so what is found is a little too small. */
static void find_kths(const uint16_t *quanta, size_t n, uint16_t kth[LW_BM25_KTHS])
{
	static const size_t ks[LW_BM25_KTHS] = LW_BM25_KTH_LIST;
	size_t counts[256] = { 0 }, above = 0, i = 0;

	for (size_t j = 0; j < n; j++)
		counts[quanta[j] >> 8]++;
	for (size_t part = 256; part > 0; part--) {
		above += counts[part - 1];
		for (; i < LW_BM25_KTHS && above >= ks[i]; i++)
			kth[i] = (uint16_t)((part - 1) << 8);
	}
	for (; i < LW_BM25_KTHS; i++)
		kth[i] = 0;
}

/* Returns how many it made. */
static size_t make_skips(const uint16_t *documents, const uint16_t *quanta, size_t n, uint16_t *skips, uint8_t *most)
{
	size_t n_skips = lw_bm25_n_skips(n), at = 0;

	for (size_t block = 0; block < n_skips; block++) {
		size_t first = block << lw_bm25_skip_shift(n);

		while (at < n && documents[at] < first)
			at++;
		skips[block] = (uint16_t)at; /* below 65536, since then a block has postings */
	}
	if (n_skips)
		memset(most, 0, n_skips);
	for (size_t i = 0; n_skips && i < n; i++) {
		size_t block = (size_t)documents[i] >> lw_bm25_skip_shift(n);
		uint8_t upper = (uint8_t)(quanta[i] >> 8);

		most[block] = upper > most[block] ? upper : most[block];
	}
	return n_skips;
}

static void fill(const lanewise_bm25 *bm25, struct lw_bm25_hint *hints, uint16_t *skips, uint8_t *most,
                 uint64_t *prefixes, uint32_t *at)
{
	size_t n_terms = (size_t)bm25->header.n_terms, n_skips = 0;
	const struct lw_bm25_hint *first = hints;

	for (size_t term = 0; term < n_terms; term += LW_BM25_PREFIX_WORDS)
		*prefixes++ = lw_bm25_prefix_of(bm25->terms + bm25->term_at[term],
		                                (size_t)(bm25->term_at[term + 1] - bm25->term_at[term]));
	for (size_t term = 0; term < n_terms; term++) {
		uint64_t posting = bm25->posting_at[term];

		if (term % LW_BM25_PREFIX_WORDS == 0)
			*at++ = (uint32_t)(hints - first);
		if (n_postings_of(bm25, term) < LW_BM25_HINT_LEAST)
			continue;
		hints->term = (uint32_t)term;
		hints->skips_at = n_skips;
		find_kths(bm25->quanta + posting, n_postings_of(bm25, term), hints->kth);
		hints++;
		for (uint64_t run = bm25->run_at[term]; run < bm25->run_at[term + 1]; run++) {
			n_skips += make_skips(bm25->documents + posting, bm25->quanta + posting, n_in_run(bm25, run),
			                      skips + n_skips, most + n_skips);
			posting += n_in_run(bm25, run);
		}
	}
}

lanewise_status lanewise_bm25_make_hints(lanewise_bm25 *bm25, const lanewise_allocator *allocator)
{
	struct amounts amounts = count_amounts(bm25);
	/* Each is far below a count of postings or words, of which there are arrays already. */
	size_t hints_bytes = amounts.n_hints * sizeof(struct lw_bm25_hint),
	       prefixes_bytes = amounts.n_prefixes * sizeof(uint64_t);
	size_t at_bytes = amounts.n_prefixes * sizeof(uint32_t);
	size_t n_bytes = hints_bytes + prefixes_bytes + at_bytes + (amounts.n_skips + 1) * 3;
	unsigned char *memory = lanewise_allocate_pages(allocator, n_bytes);

	if (!memory)
		return LANEWISE_ERROR_NO_MEMORY;

	struct lw_bm25_hint *hints = (struct lw_bm25_hint *)(void *)memory;
	uint64_t *prefixes = (uint64_t *)(void *)(memory + hints_bytes);
	uint32_t *at = (uint32_t *)(void *)(memory + hints_bytes + prefixes_bytes);
	uint16_t *skips = (uint16_t *)(void *)(memory + hints_bytes + prefixes_bytes + at_bytes);

	uint8_t *most = (uint8_t *)(skips + amounts.n_skips + 1);

	fill(bm25, hints, skips, most, prefixes, at);
	bm25->hints = (struct lw_bm25_hints) {
		memory, n_bytes, hints, skips, most, at, prefixes, amounts.n_prefixes,
	};
	return LANEWISE_OK;
}

const struct lw_bm25_hint *lanewise_bm25_hint_of(const lanewise_bm25 *bm25, size_t term)
{
	const struct lw_bm25_hint *hint = bm25->hints.hints + bm25->hints.at[term / LW_BM25_PREFIX_WORDS];

	if (n_postings_of(bm25, term) < LW_BM25_HINT_LEAST)
		return NULL;
	while (hint->term < term)
		hint++;
	return hint;
}

static int compare_word(const lanewise_bm25 *bm25, size_t term, const lanewise_word *word)
{
	uint64_t begin = bm25->term_at[term];
	size_t n_bytes = (size_t)(bm25->term_at[term + 1] - begin);
	int order = memcmp(bm25->terms + begin, word->text, n_bytes < word->n_bytes ? n_bytes : word->n_bytes);

	return order ? order : (n_bytes > word->n_bytes) - (n_bytes < word->n_bytes);
}

/* How many of n ascending prefixes are below one, or not above it. */
static size_t n_below(const uint64_t *prefixes, size_t n, uint64_t prefix, int or_equal)
{
	const uint64_t *at = prefixes;

	if (n == 0)
		return 0;
	for (; n > 1; n -= n / 2)
		at += at[n / 2 - 1] < prefix || (or_equal && at[n / 2 - 1] == prefix) ? n / 2 : 0;
	return (size_t)(at - prefixes) + (*at < prefix || (or_equal && *at == prefix));
}

/* The words among which one is, if it is there. */
struct range {
	size_t low, high;
};

static struct range range_of(const lanewise_bm25 *bm25, const lanewise_word *word)
{
	const struct lw_bm25_hints *hints = &bm25->hints;
	uint64_t prefix = lw_bm25_prefix_of(word->text, word->n_bytes);
	size_t below = n_below(hints->prefixes, hints->n_prefixes, prefix, 0), above = below;

	if (above < hints->n_prefixes && hints->prefixes[above] == prefix)
		above = n_below(hints->prefixes, hints->n_prefixes, prefix, 1);
	return (struct range) {
		.low = below ? (below - 1) * LW_BM25_PREFIX_WORDS : 0,
		.high = above < hints->n_prefixes ? above * LW_BM25_PREFIX_WORDS : (size_t)bm25->header.n_terms,
	};
}

static size_t find_in(const lanewise_bm25 *bm25, struct range range, const lanewise_word *word)
{
	while (range.low < range.high) {
		size_t middle = range.low + (range.high - range.low) / 2;
		int order = compare_word(bm25, middle, word);

		if (order == 0)
			return middle;
		if (order < 0)
			range.low = middle + 1;
		else
			range.high = middle;
	}
	return (size_t)bm25->header.n_terms;
}

enum { LINE = 64 };

static void fetch(const void *begin, size_t n_bytes)
{
	for (size_t at = 0; at < n_bytes + LINE - 1; at += LINE)
		__builtin_prefetch((const char *)begin + at);
}

/* What is in memory of a word is far apart, so each step fetches what the next one needs of all words. */
void lanewise_bm25_find_words(const lanewise_bm25 *bm25, const lanewise_word *words, size_t n, size_t *numbers)
{
	enum { MOST_TEXT = 8 * LINE };
	struct range ranges[LW_BM25_FIND_MOST];

	for (size_t i = 0; i < n; i++) {
		ranges[i] = range_of(bm25, &words[i]);
		fetch(bm25->term_at + ranges[i].low, LW_BM25_PREFIX_WORDS * sizeof *bm25->term_at);
	}
	for (size_t i = 0; i < n; i++) {
		size_t n_text = (size_t)(bm25->term_at[ranges[i].high] - bm25->term_at[ranges[i].low]);

		fetch(bm25->terms + bm25->term_at[ranges[i].low], n_text < MOST_TEXT ? n_text : MOST_TEXT);
	}
	for (size_t i = 0; i < n; i++) {
		numbers[i] = find_in(bm25, ranges[i], &words[i]);
		if (numbers[i] == bm25->header.n_terms)
			continue;
		__builtin_prefetch(bm25->posting_at + numbers[i]);
		__builtin_prefetch(bm25->run_at + numbers[i]);
		__builtin_prefetch(bm25->hints.at + numbers[i] / LW_BM25_PREFIX_WORDS);
	}
	for (size_t i = 0; i < n; i++) {
		if (numbers[i] == bm25->header.n_terms)
			continue;
		__builtin_prefetch(bm25->runs + bm25->run_at[numbers[i]]);
		__builtin_prefetch(bm25->most + bm25->run_at[numbers[i]]);
		fetch(bm25->hints.hints + bm25->hints.at[numbers[i] / LW_BM25_PREFIX_WORDS], 2 * LINE);
		fetch(bm25->documents + bm25->posting_at[numbers[i]], 2 * LINE);
		fetch(bm25->quanta + bm25->posting_at[numbers[i]], 2 * LINE);
	}
}
