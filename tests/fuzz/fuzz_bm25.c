/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two inputs, told apart by the first byte. Even: lines of text become documents, the last one the query; exactly the
 * documents that share a word with it must be found, in order. Odd: the rest says which bytes of a saved index to
 * change; with the checksums put right it must be refused or searched without reading outside it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <lanewise/text.h>

#include "../bm25_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_DOCUMENTS = 64 };

static void require(int condition)
{
	if (!condition)
		abort();
}

static size_t search(const lanewise_bm25 *bm25, const char *query, size_t n_bytes, size_t k, uint32_t *index,
                     float *score)
{
	void *scratch = aligned_alloc(64, lanewise_bm25_scratch_size(bm25, k) / 64 * 64 + 64);
	size_t n_found = SIZE_MAX;

	require(lanewise_bm25_search(bm25, query, n_bytes, k, scratch, index, score, &n_found) == LANEWISE_OK);
	require(n_found <= k && n_found <= lanewise_bm25_n_documents(bm25));
	for (size_t i = 0; i < n_found; i++) {
		require(index[i] < lanewise_bm25_n_documents(bm25) && score[i] > 0);
		require(i == 0 || score[i] < score[i - 1] || (score[i] == score[i - 1] && index[i] > index[i - 1]));
	}
	free(scratch);
	return n_found;
}

/* ------------------------------------------------------------------- texts */

struct words {
	lanewise_word *words;
	char *folded;
	size_t n;
};

static struct words words_of(const char *text, size_t n_bytes)
{
	size_t capacity = lanewise_text_words_bound(n_bytes), folded_capacity = lanewise_text_folded_bound(n_bytes);
	struct words words = { malloc(capacity * sizeof(lanewise_word) + 1), malloc(folded_capacity + 1), 0 };

	require(lanewise_text_words(text, n_bytes, words.words, capacity, words.folded, folded_capacity, &words.n) ==
	        LANEWISE_OK);
	return words;
}

static int share_a_word(const struct words *a, const struct words *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (a->words[i].n_bytes == b->words[j].n_bytes &&
			    !memcmp(a->words[i].text, b->words[j].text, a->words[i].n_bytes))
				return 1;
	return 0;
}

static void check_texts(const char *text, size_t n_bytes)
{
	const char *documents[MAX_DOCUMENTS], *end = text + n_bytes;
	size_t sizes[MAX_DOCUMENTS], n_documents = 0, n_expected = 0, n_found;
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;
	uint32_t index[MAX_DOCUMENTS], few_index[3];
	float score[MAX_DOCUMENTS], few_score[3];

	require(lanewise_bm25_builder_create(NULL, NULL, &builder) == LANEWISE_OK);
	for (const char *newline; n_documents < MAX_DOCUMENTS && (newline = memchr(text, '\n', (size_t)(end - text)));
	     text = newline + 1) {
		documents[n_documents] = text;
		sizes[n_documents++] = (size_t)(newline - text);
		require(lanewise_bm25_builder_add_text(builder, text, (size_t)(newline - text)) == LANEWISE_OK);
	}
	require(lanewise_bm25_create(builder, NULL, &bm25) == LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);
	require(lanewise_bm25_n_documents(bm25) == n_documents);

	struct words query = words_of(text, (size_t)(end - text));
	unsigned char found[MAX_DOCUMENTS] = { 0 };

	n_found = search(bm25, text, (size_t)(end - text), MAX_DOCUMENTS, index, score);
	for (size_t i = 0; i < n_found; i++)
		found[index[i]] = 1;
	for (size_t d = 0; d < n_documents; d++) {
		struct words words = words_of(documents[d], sizes[d]);
		int shared = share_a_word(&words, &query);

		require(shared == found[d]);
		n_expected += (size_t)shared;
		free(words.words);
		free(words.folded);
	}
	require(n_found == n_expected);
	/* The best few are the first of all. */
	n_found = search(bm25, text, (size_t)(end - text), 3, few_index, few_score);
	require(n_found == (n_expected < 3 ? n_expected : 3));
	require(!memcmp(few_index, index, n_found * sizeof *index) &&
	        !memcmp(few_score, score, n_found * sizeof *score));
	free(query.words);
	free(query.folded);
	lanewise_bm25_destroy(bm25);
}

/* ------------------------------------------------------------------- files */

static struct image make_image(void)
{
	static const char *const texts[] = { "red green blue", "", "green sea, green tree", "a b c d e f g",
		                             "blue blue" };
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;

	require(lanewise_bm25_builder_create(NULL, NULL, &builder) == LANEWISE_OK);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		require(lanewise_bm25_builder_add_text(builder, texts[i], strlen(texts[i])) == LANEWISE_OK);
	require(lanewise_bm25_create(builder, NULL, &bm25) == LANEWISE_OK);
	lanewise_bm25_builder_destroy(builder);

	struct image image = image_of(bm25);

	require(image.n_bytes > 0);
	lanewise_bm25_destroy(bm25);
	return image;
}

/* Each three bytes: where, by 16 bits, and what. Only the sections themselves change. */
static void check_file(const uint8_t *changes, size_t n_bytes)
{
	static struct image original;
	struct image image;
	lanewise_file *file = NULL;
	lanewise_bm25 *bm25 = NULL;
	lanewise_error error = { .status = LANEWISE_OK };
	uint32_t index[16];
	float score[16];

	if (!original.bytes)
		original = make_image();
	image.n_bytes = original.n_bytes;
	image.bytes = malloc(image.n_bytes);
	memcpy(image.bytes, original.bytes, image.n_bytes);
	for (size_t i = 0; i + 3 <= n_bytes; i += 3) {
		struct lw_file_entry entry = image_section(&image, changes[i] % image_n_sections(&image));
		size_t section_bytes = (size_t)entry.n * entry.element_bytes;

		if (section_bytes) /* there are no large counts */
			image.bytes[entry.offset + changes[i + 1] % section_bytes] = changes[i + 2];
	}
	image_seal(&image);
	require(image_open(&image, &file, &error) == LANEWISE_OK);
	if (lanewise_bm25_open(file, NULL, &bm25, &error)) {
		require(error.status == LANEWISE_ERROR_DATA || error.status == LANEWISE_ERROR_UNSUPPORTED);
		require(strstr(error.what, "bm25.") != NULL && error.offset < image.n_bytes);
	} else {
		static const char query[] = "green blue a b c d e f g red sea tree \xc3\xa9 zzz";

		search(bm25, query, sizeof query - 1, 16, index, score);
		lanewise_bm25_destroy(bm25);
	}
	lanewise_file_destroy(file);
	free(image.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] % 2)
		check_file(data + 1, size - 1);
	else if (size <= 4096)
		check_texts((const char *)data + 1, size - 1);
	return 0;
}
