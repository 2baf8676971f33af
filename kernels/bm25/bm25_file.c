/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index's sections in a file, which are its arrays as they are in memory. A file is a stranger's: after
 * lanewise_bm25_open has seen each number in it, searching needs no checks.
 *
 *     bm25.header      one struct lw_bm25_header
 *     bm25.lengths     n_documents u32
 *     bm25.term_at     n_terms + 1 u64: 0, ascending by 1 ... LANEWISE_WORD_BYTES
 *     bm25.terms       bytes: the words, ascending
 *     bm25.posting_at  n_terms + 1 u64: 0, ascending
 *     bm25.documents   n_postings u32, below n_documents, ascending within a word
 *     bm25.counts      n_postings u32, not 0
 */
#include "bm25/bm25.h"

#include <inttypes.h>
#include <string.h>

#include <lanewise/text.h>

#include "support.h"

_Static_assert(sizeof(struct lw_bm25_header) == 48, "the header is part of the file format");

/* ---------------------------------------------------------------- writing */

static lanewise_status write_section(lanewise_file_writer *writer, const char *name, const void *elements, size_t n,
                                     size_t element_bytes, lanewise_error *error)
{
	lanewise_status status = lanewise_file_writer_section(writer, name, element_bytes, error);

	return status ? status : lanewise_file_writer_append(writer, elements, n, error);
}

lanewise_status lanewise_bm25_write(const lanewise_bm25 *bm25, lanewise_file_writer *writer, lanewise_error *error)
{
	lanewise_status status;

	if (!bm25 || !writer)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL", bm25 ? "writer" : "bm25");

	const struct lw_bm25_header *header = &bm25->header;
	size_t n_terms = (size_t)header->n_terms, n_postings = (size_t)header->n_postings;

	if ((status = write_section(writer, "bm25.header", header, 1, sizeof *header, error)) ||
	    (status = write_section(writer, "bm25.lengths", bm25->lengths, (size_t)header->n_documents, 4, error)) ||
	    (status = write_section(writer, "bm25.term_at", bm25->term_at, n_terms + 1, 8, error)) ||
	    (status = write_section(writer, "bm25.terms", bm25->terms, (size_t)bm25->term_at[n_terms], 1, error)) ||
	    (status = write_section(writer, "bm25.posting_at", bm25->posting_at, n_terms + 1, 8, error)) ||
	    (status = write_section(writer, "bm25.documents", bm25->documents, n_postings, 4, error)))
		return status;
	return write_section(writer, "bm25.counts", bm25->counts, n_postings, 4, error);
}

/* --------------------------------------------------------------- checking */

/* How many elements the sections have, as the file says. */
struct sizes {
	size_t header, lengths, term_at, terms, posting_at, documents, counts;
};

#define WRONG(error, section, offset, ...)                                                                         \
	lw_fail(error, LANEWISE_ERROR_DATA, (uint64_t)(offset), "section bm25." section ": " __VA_ARGS__)

static lanewise_status find_sections(const lanewise_file *file, lanewise_bm25 *bm25, struct sizes *sizes,
                                     lanewise_error *error)
{
	const void *header = NULL, *lengths = NULL, *term_at = NULL, *terms = NULL, *posting_at = NULL;
	const void *documents = NULL, *counts = NULL;
	lanewise_status status;

	if ((status = lanewise_file_section(file, "bm25.header", sizeof bm25->header, &header, &sizes->header, error)))
		return status;
	if (sizes->header != 1)
		return WRONG(error, "header", 0, "%zu elements instead of 1", sizes->header);
	memcpy(&bm25->header, header, sizeof bm25->header);
	if (bm25->header.word_rules != LW_WORD_RULES)
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, offsetof(struct lw_bm25_header, word_rules),
		               "section bm25.header: made with word rules %" PRIu32 ", this version has %d",
		               bm25->header.word_rules, LW_WORD_RULES);
	if ((status = lanewise_file_section(file, "bm25.lengths", 4, &lengths, &sizes->lengths, error)) ||
	    (status = lanewise_file_section(file, "bm25.term_at", 8, &term_at, &sizes->term_at, error)) ||
	    (status = lanewise_file_section(file, "bm25.terms", 1, &terms, &sizes->terms, error)) ||
	    (status = lanewise_file_section(file, "bm25.posting_at", 8, &posting_at, &sizes->posting_at, error)) ||
	    (status = lanewise_file_section(file, "bm25.documents", 4, &documents, &sizes->documents, error)) ||
	    (status = lanewise_file_section(file, "bm25.counts", 4, &counts, &sizes->counts, error)))
		return status;
	bm25->lengths = lengths;
	bm25->term_at = term_at;
	bm25->terms = terms;
	bm25->posting_at = posting_at;
	bm25->documents = documents;
	bm25->counts = counts;
	return LANEWISE_OK;
}

static lanewise_status check_header(const lanewise_bm25 *bm25, const struct sizes *sizes, lanewise_error *error)
{
	const struct lw_bm25_header *header = &bm25->header;

	if (header->n_documents > UINT32_MAX || header->n_documents != sizes->lengths)
		return WRONG(error, "header", offsetof(struct lw_bm25_header, n_documents),
		             "n_documents is %" PRIu64 ", but bm25.lengths has %zu elements", header->n_documents,
		             sizes->lengths);
	if (header->n_terms >= UINT32_MAX || header->n_terms + 1 != sizes->term_at)
		return WRONG(error, "header", offsetof(struct lw_bm25_header, n_terms),
		             "n_terms is %" PRIu64 ", but bm25.term_at has %zu elements", header->n_terms, sizes->term_at);
	if (sizes->posting_at != sizes->term_at)
		return WRONG(error, "posting_at", 0, "%zu elements instead of %zu", sizes->posting_at, sizes->term_at);
	if (header->n_postings != sizes->documents)
		return WRONG(error, "header", offsetof(struct lw_bm25_header, n_postings),
		             "n_postings is %" PRIu64 ", but bm25.documents has %zu elements", header->n_postings,
		             sizes->documents);
	if (sizes->counts != sizes->documents)
		return WRONG(error, "counts", 0, "%zu elements instead of %zu", sizes->counts, sizes->documents);
	if (!(header->k1 >= 0 && header->k1 <= LW_BM25_MAX_K1))
		return WRONG(error, "header", offsetof(struct lw_bm25_header, k1), "k1 is %g", (double)header->k1);
	if (!(header->b >= 0 && header->b <= 1))
		return WRONG(error, "header", offsetof(struct lw_bm25_header, b), "b is %g", (double)header->b);
	if (header->reserved != 0)
		return WRONG(error, "header", offsetof(struct lw_bm25_header, reserved), "the reserved field is not 0");
	return LANEWISE_OK;
}

/* That n u32 add up to the total length of the documents; where they do not, the first that is too much. */
static int adds_up(const uint32_t *values, size_t n, uint64_t total, size_t *wrong)
{
	for (*wrong = 0; *wrong < n; ++*wrong) {
		if (values[*wrong] > total)
			return 0;
		total -= values[*wrong];
	}
	return total == 0;
}

static lanewise_status check_lengths(const lanewise_bm25 *bm25, const struct sizes *sizes, lanewise_error *error)
{
	size_t wrong;

	if (!adds_up(bm25->lengths, sizes->lengths, bm25->header.total_length, &wrong))
		return WRONG(error, "lengths", wrong * 4, "they do not add up to the %" PRIu64 " of the header",
		             bm25->header.total_length);
	return LANEWISE_OK;
}

static lanewise_status check_terms(const lanewise_bm25 *bm25, const struct sizes *sizes, lanewise_error *error)
{
	const uint64_t *at = bm25->term_at;
	size_t n_before = 0;

	if (at[0] != 0)
		return WRONG(error, "term_at", 0, "the first is %" PRIu64 " instead of 0", at[0]);
	for (size_t i = 0; i < bm25->header.n_terms; i++) {
		if (at[i + 1] <= at[i] || at[i + 1] - at[i] > LANEWISE_WORD_BYTES || at[i + 1] > sizes->terms)
			return WRONG(error, "term_at", (i + 1) * 8, "%" PRIu64 " after %" PRIu64 ", of %zu bytes", at[i + 1],
			             at[i], sizes->terms);

		const char *word = bm25->terms + at[i];
		size_t n = (size_t)(at[i + 1] - at[i]), shorter = n < n_before ? n : n_before;
		int order = i ? memcmp(word - n_before, word, shorter) : -1;

		if (order > 0 || (order == 0 && n_before >= n))
			return WRONG(error, "terms", at[i], "word %zu is not after the one before it", i);
		n_before = n;
	}
	if (at[bm25->header.n_terms] != sizes->terms)
		return WRONG(error, "term_at", bm25->header.n_terms * 8, "the last is %" PRIu64 " instead of %zu",
		             at[bm25->header.n_terms], sizes->terms);
	return LANEWISE_OK;
}

/* Bounds of the posting lists first, so that the postings can be read. */
static lanewise_status check_posting_at(const lanewise_bm25 *bm25, const struct sizes *sizes, lanewise_error *error)
{
	const uint64_t *at = bm25->posting_at;
	size_t n_terms = (size_t)bm25->header.n_terms;

	if (at[0] != 0)
		return WRONG(error, "posting_at", 0, "the first is %" PRIu64 " instead of 0", at[0]);
	for (size_t i = 0; i < n_terms; i++)
		if (at[i + 1] <= at[i] || at[i + 1] > sizes->documents)
			return WRONG(error, "posting_at", (i + 1) * 8, "%" PRIu64 " after %" PRIu64 ", of %zu postings",
			             at[i + 1], at[i], sizes->documents);
	if (at[n_terms] != sizes->documents)
		return WRONG(error, "posting_at", n_terms * 8, "the last is %" PRIu64 " instead of %zu", at[n_terms],
		             sizes->documents);
	return LANEWISE_OK;
}

static lanewise_status check_postings(const lanewise_bm25 *bm25, const struct sizes *sizes, lanewise_error *error)
{
	size_t wrong;

	for (size_t term = 0; term < bm25->header.n_terms; term++) {
		uint64_t next = 0; /* the least that the next document may be */

		for (uint64_t i = bm25->posting_at[term]; i < bm25->posting_at[term + 1]; i++) {
			uint32_t document = bm25->documents[i];

			if (document < next || document >= bm25->header.n_documents)
				return WRONG(error, "documents", i * 4,
				             "document %" PRIu32 " of word %zu is out of order or not below %" PRIu64, document,
				             term, bm25->header.n_documents);
			next = (uint64_t)document + 1;
		}
	}
	for (size_t i = 0; i < sizes->counts; i++)
		if (bm25->counts[i] == 0)
			return WRONG(error, "counts", i * 4, "a count is 0");
	if (!adds_up(bm25->counts, sizes->counts, bm25->header.total_length, &wrong))
		return WRONG(error, "counts", wrong * 4, "they do not add up to the %" PRIu64 " of the header",
		             bm25->header.total_length);
	return LANEWISE_OK;
}

lanewise_status lanewise_bm25_open(const lanewise_file *file, const lanewise_allocator *allocator, lanewise_bm25 **bm25,
                                   lanewise_error *error)
{
	struct lanewise_bm25 opened = { .n_bytes = sizeof opened };
	struct sizes sizes;
	lanewise_status status;

	if (!file || !bm25)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL", file ? "bm25" : "file");
	if ((status = find_sections(file, &opened, &sizes, error)) || (status = check_header(&opened, &sizes, error)) ||
	    (status = check_lengths(&opened, &sizes, error)) || (status = check_terms(&opened, &sizes, error)) ||
	    (status = check_posting_at(&opened, &sizes, error)) || (status = check_postings(&opened, &sizes, error)))
		return status;
	if (allocator)
		opened.allocator = *allocator;
	*bm25 = lw_allocate(allocator, sizeof opened);
	if (!*bm25)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the index");
	**bm25 = opened;
	return LANEWISE_OK;
}
