/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index's sections in a file, which are its arrays as they are in memory. A file is a stranger's: after
 * lanewise_bm25_open has seen each number in it, searching needs no checks.
 *
 *     bm25.header      one struct lw_bm25_header
 *     bm25.lengths     n_documents u32, at most LW_BM25_MAX_LENGTH
 *     bm25.term_at     n_terms + 1 u32: 0, ascending by 1 ... LANEWISE_WORD_BYTES
 *     bm25.terms       bytes: the words, ascending
 *     bm25.posting_at  n_terms + 1 u64: 0, ascending
 *     bm25.documents   n_postings u16, ascending within a run; segment and number below n_documents
 *     bm25.quanta      n_postings u16: what count and length give
 *     bm25.counts      n_postings u8: 1 ... LW_BM25_LARGE
 *     bm25.large_at    u64, ascending: the postings that have LW_BM25_LARGE
 *     bm25.large       u32, as many: their counts
 *     bm25.run_at      n_terms + 1 u32: 0, ascending
 *     bm25.runs        u32: the segment, ascending within a word, above the number of postings less 1, which add up to
 *                      the word's
 *     bm25.most        u16, as many: the greatest quantum in each run
 *
 * Without counts, bm25.lengths, posting_at, counts, large_at, large, runs and most are not there, but
 *
 *     bm25.segments    u16: each run's segment, ascending within a word
 *     bm25.sizes       u8, as many: the number of its postings less 1, or LARGE_SIZE
 *     bm25.large_runs  u16, at least LARGE_SIZE: this number of runs with LARGE_SIZE, in their order
 *
 * and quanta may be any. And
 *
 *     bm25.analysis    bytes: the analyzer (text/analyzer.c); only if word_rules is LW_WORD_RULES_ANALYZED
 */
#include "bm25/bm25.h"
#include "bm25/bm25_formula.h"

#include <inttypes.h>
#include <string.h>

#include <lanewise/text.h>

#include "pages/pages.h"
#include "support.h"
#include "text/text.h"

_Static_assert(sizeof(struct lw_bm25_header) == 64, "the header is part of the file format");

#define LARGE_SIZE 255

/* ---------------------------------------------------------------- writing */

static lanewise_status write_section(lanewise_file_writer *writer, const char *name, const void *elements, size_t n,
                                     size_t element_bytes, lanewise_error *error)
{
	lanewise_status status = lanewise_file_writer_section(writer, name, element_bytes, error);

	return status ? status : lanewise_file_writer_append(writer, elements, n, error);
}

/* One of the sections of runs of an index without counts. */
enum run_section { SEGMENTS, SIZES, LARGE_SIZES };

static lanewise_status write_run_section(lanewise_file_writer *writer, const lanewise_bm25 *bm25,
                                         enum run_section section, lanewise_error *error)
{
	static const char *const names[] = { "bm25.segments", "bm25.sizes", "bm25.large_runs" };
	enum { CHUNK = 1024 };
	size_t n_runs = (size_t)bm25->run_at[bm25->header.n_terms];
	lanewise_status status = lanewise_file_writer_section(writer, names[section], section == SIZES ? 1 : 2, error);
	uint16_t numbers[CHUNK];
	uint8_t sizes[CHUNK];

	for (size_t begin = 0; !status && begin < n_runs; begin += CHUNK) {
		size_t n = n_runs - begin < CHUNK ? n_runs - begin : CHUNK, n_here = 0;

		for (size_t i = 0; i < n; i++) {
			uint32_t run = bm25->runs[begin + i], size = run & 0xffff;

			sizes[i] = (uint8_t)(size < LARGE_SIZE ? size : LARGE_SIZE);
			numbers[n_here] = (uint16_t)(section == SEGMENTS ? run >> 16 : size);
			n_here += section != LARGE_SIZES || size >= LARGE_SIZE;
		}
		status = lanewise_file_writer_append(writer, section == SIZES ? (void *)sizes : numbers, n_here, error);
	}
	return status;
}

/* The sections that an index has without counts instead of others. */
static lanewise_status write_short(const lanewise_bm25 *bm25, lanewise_file_writer *writer, lanewise_error *error)
{
	const struct lw_bm25_header *header = &bm25->header;
	size_t n_terms = (size_t)header->n_terms, n_postings = (size_t)header->n_postings;
	lanewise_status status;

	if ((status = write_section(writer, "bm25.header", header, 1, sizeof *header, error)) ||
	    (status = write_section(writer, "bm25.term_at", bm25->term_at, n_terms + 1, 4, error)) ||
	    (status = write_section(writer, "bm25.terms", bm25->terms, (size_t)bm25->term_at[n_terms], 1, error)) ||
	    (status = write_section(writer, "bm25.documents", bm25->documents, n_postings, 2, error)) ||
	    (status = write_section(writer, "bm25.quanta", bm25->quanta, n_postings, 2, error)) ||
	    (status = write_section(writer, "bm25.run_at", bm25->run_at, n_terms + 1, 4, error)) ||
	    (status = write_run_section(writer, bm25, SEGMENTS, error)) ||
	    (status = write_run_section(writer, bm25, SIZES, error)))
		return status;
	return write_run_section(writer, bm25, LARGE_SIZES, error);
}

static lanewise_status write_whole(const lanewise_bm25 *bm25, lanewise_file_writer *writer, lanewise_error *error)
{
	const struct lw_bm25_header *header = &bm25->header;
	size_t n_terms = (size_t)header->n_terms, n_postings = (size_t)header->n_postings;
	size_t n_runs = (size_t)bm25->run_at[n_terms];
	lanewise_status status;

	if ((status = write_section(writer, "bm25.header", header, 1, sizeof *header, error)) ||
	    (status = write_section(writer, "bm25.lengths", bm25->lengths, (size_t)header->n_documents, 4, error)) ||
	    (status = write_section(writer, "bm25.term_at", bm25->term_at, n_terms + 1, 4, error)) ||
	    (status = write_section(writer, "bm25.terms", bm25->terms, (size_t)bm25->term_at[n_terms], 1, error)) ||
	    (status = write_section(writer, "bm25.posting_at", bm25->posting_at, n_terms + 1, 8, error)) ||
	    (status = write_section(writer, "bm25.documents", bm25->documents, n_postings, 2, error)) ||
	    (status = write_section(writer, "bm25.quanta", bm25->quanta, n_postings, 2, error)) ||
	    (status = write_section(writer, "bm25.counts", bm25->counts, n_postings, 1, error)) ||
	    (status = write_section(writer, "bm25.large_at", bm25->large_at, bm25->n_large, 8, error)) ||
	    (status = write_section(writer, "bm25.large", bm25->large, bm25->n_large, 4, error)) ||
	    (status = write_section(writer, "bm25.run_at", bm25->run_at, n_terms + 1, 4, error)) ||
	    (status = write_section(writer, "bm25.runs", bm25->runs, n_runs, 4, error)))
		return status;
	return write_section(writer, "bm25.most", bm25->most, n_runs, 2, error);
}

lanewise_status lanewise_bm25_write(const lanewise_bm25 *bm25, lanewise_file_writer *writer, lanewise_error *error)
{
	lanewise_status status;

	if (!bm25 || !writer)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               bm25 ? "writer" : "bm25");

	status = bm25->counts ? write_whole(bm25, writer, error) : write_short(bm25, writer, error);
	if (status || !bm25->analyzer)
		return status;

	size_t n_analysis;
	const unsigned char *analysis = lanewise_analyzer_bytes(bm25->analyzer, &n_analysis);

	return write_section(writer, "bm25.analysis", analysis, n_analysis, 1, error);
}

/* --------------------------------------------------------------- checking */

/* An index that is being opened. */
struct opening {
	const lanewise_file *file;
	lanewise_error *error;
	const struct lw_bm25_header *header; /* in the file */
	struct lanewise_bm25 bm25;
	/* Elements that the sections have. */
	size_t n_lengths, n_term_at, n_terms, n_posting_at, n_documents, n_quanta, n_counts, n_large, n_run_at, n_runs;
	size_t n_most;
	size_t large; /* the next of the large counts when postings are gone through */
	double quanta;
	struct lw_bm25_formula formula;
	/* Without counts. */
	const uint16_t *segments, *large_sizes;
	const uint8_t *sizes;
	size_t n_sizes, n_large_sizes;
	/* bm25.posting_at, runs and most, to be filled. */
	uint64_t *posting_at;
	uint32_t *runs;
	uint16_t *most;
};

/* What is wrong with element `i` of a section, which begins at `elements`. */
#define WRONG(opening, section, elements, i, format, ...) \
	lw_fail((opening)->error, LANEWISE_ERROR_DATA, lanewise_file_offset((opening)->file, &(elements)[i]), \
	        "section bm25." section ", element %zu: " format, (size_t)(i), __VA_ARGS__)

/* What is wrong with a field of the header. */
#define WRONG_FIELD(opening, field, format, ...) \
	lw_fail((opening)->error, LANEWISE_ERROR_DATA, \
	        lanewise_file_offset((opening)->file, &(opening)->header->field), \
	        "section bm25.header, " #field ": " format, __VA_ARGS__)

static lanewise_status find_header(struct opening *opening)
{
	const lanewise_file *file = opening->file;
	lanewise_error *error = opening->error;
	lanewise_bm25 *bm25 = &opening->bm25;
	const void *header = NULL;
	lanewise_status status;
	size_t n;

	if ((status = lanewise_file_section(file, "bm25.header", sizeof bm25->header, &header, &n, error)))
		return status;
	if (n != 1)
		return lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, header),
		               "section bm25.header: %zu elements instead of 1", n);
	opening->header = header;
	bm25->header = *opening->header;
	if (bm25->header.word_rules != LW_WORD_RULES && bm25->header.word_rules != LW_WORD_RULES_ANALYZED)
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED,
		               lanewise_file_offset(file, &opening->header->word_rules),
		               "section bm25.header, word_rules: %" PRIu32 ", this version has %d and %d",
		               bm25->header.word_rules, LW_WORD_RULES, LW_WORD_RULES_ANALYZED);
	if (bm25->header.format != LW_BM25_FORMAT && bm25->header.format != LW_BM25_FORMAT_SHORT)
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, lanewise_file_offset(file, &opening->header->format),
		               "section bm25.header, format: %" PRIu32
		               ", this version reads %d and %d; make the index again",
		               bm25->header.format, LW_BM25_FORMAT, LW_BM25_FORMAT_SHORT);
	return LANEWISE_OK;
}

/* Those of an index without counts. */
static lanewise_status find_short_sections(struct opening *opening)
{
	const void *term_at = NULL, *terms = NULL, *documents = NULL, *quanta = NULL, *run_at = NULL;
	const void *segments = NULL, *sizes = NULL, *large_sizes = NULL;
	const lanewise_file *file = opening->file;
	lanewise_error *error = opening->error;
	lanewise_bm25 *bm25 = &opening->bm25;
	lanewise_status status;

	if ((status = lanewise_file_section(file, "bm25.term_at", 4, &term_at, &opening->n_term_at, error)) ||
	    (status = lanewise_file_section(file, "bm25.terms", 1, &terms, &opening->n_terms, error)) ||
	    (status = lanewise_file_section(file, "bm25.documents", 2, &documents, &opening->n_documents, error)) ||
	    (status = lanewise_file_section(file, "bm25.quanta", 2, &quanta, &opening->n_quanta, error)) ||
	    (status = lanewise_file_section(file, "bm25.run_at", 4, &run_at, &opening->n_run_at, error)) ||
	    (status = lanewise_file_section(file, "bm25.segments", 2, &segments, &opening->n_runs, error)) ||
	    (status = lanewise_file_section(file, "bm25.sizes", 1, &sizes, &opening->n_sizes, error)) ||
	    (status = lanewise_file_section(file, "bm25.large_runs", 2, &large_sizes, &opening->n_large_sizes, error)))
		return status;
	bm25->term_at = term_at;
	bm25->terms = terms;
	bm25->documents = documents;
	bm25->quanta = quanta;
	bm25->run_at = run_at;
	opening->segments = segments;
	opening->sizes = sizes;
	opening->large_sizes = large_sizes;
	opening->n_most = opening->n_runs;
	opening->n_lengths = (size_t)bm25->header.n_documents;
	opening->n_counts = opening->n_documents;
	opening->n_posting_at = opening->n_term_at;
	return LANEWISE_OK;
}

static lanewise_status find_whole_sections(struct opening *opening)
{
	const void *lengths = NULL, *term_at = NULL, *terms = NULL, *posting_at = NULL;
	const void *documents = NULL, *quanta = NULL, *counts = NULL, *large_at = NULL, *large = NULL;
	const void *run_at = NULL, *runs = NULL, *most = NULL;
	const lanewise_file *file = opening->file;
	lanewise_error *error = opening->error;
	lanewise_bm25 *bm25 = &opening->bm25;
	lanewise_status status;

	if ((status = lanewise_file_section(file, "bm25.lengths", 4, &lengths, &opening->n_lengths, error)) ||
	    (status = lanewise_file_section(file, "bm25.term_at", 4, &term_at, &opening->n_term_at, error)) ||
	    (status = lanewise_file_section(file, "bm25.terms", 1, &terms, &opening->n_terms, error)) ||
	    (status = lanewise_file_section(file, "bm25.posting_at", 8, &posting_at, &opening->n_posting_at, error)) ||
	    (status = lanewise_file_section(file, "bm25.documents", 2, &documents, &opening->n_documents, error)) ||
	    (status = lanewise_file_section(file, "bm25.quanta", 2, &quanta, &opening->n_quanta, error)) ||
	    (status = lanewise_file_section(file, "bm25.counts", 1, &counts, &opening->n_counts, error)) ||
	    (status = lanewise_file_section(file, "bm25.large_at", 8, &large_at, &bm25->n_large, error)) ||
	    (status = lanewise_file_section(file, "bm25.large", 4, &large, &opening->n_large, error)) ||
	    (status = lanewise_file_section(file, "bm25.run_at", 4, &run_at, &opening->n_run_at, error)) ||
	    (status = lanewise_file_section(file, "bm25.runs", 4, &runs, &opening->n_runs, error)) ||
	    (status = lanewise_file_section(file, "bm25.most", 2, &most, &opening->n_most, error)))
		return status;
	bm25->lengths = lengths;
	bm25->term_at = term_at;
	bm25->terms = terms;
	bm25->posting_at = posting_at;
	bm25->documents = documents;
	bm25->quanta = quanta;
	bm25->counts = counts;
	bm25->large_at = large_at;
	bm25->large = large;
	bm25->run_at = run_at;
	bm25->runs = runs;
	bm25->most = most;
	return LANEWISE_OK;
}

static lanewise_status find_sections(struct opening *opening)
{
	return lw_bm25_has_counts(&opening->bm25.header) ? find_whole_sections(opening) : find_short_sections(opening);
}

static lanewise_status check_header(const struct opening *opening)
{
	const struct lw_bm25_header *header = &opening->bm25.header;

	if (header->n_documents > UINT32_MAX || header->n_documents != opening->n_lengths)
		return WRONG_FIELD(opening, n_documents, "%" PRIu64 ", but section bm25.lengths has %zu elements",
		                   header->n_documents, opening->n_lengths);
	if (header->n_terms >= UINT32_MAX || header->n_terms + 1 != opening->n_term_at)
		return WRONG_FIELD(opening, n_terms, "%" PRIu64 ", but section bm25.term_at has %zu elements",
		                   header->n_terms, opening->n_term_at);
	if (header->n_terms + 1 != opening->n_posting_at)
		return WRONG_FIELD(opening, n_terms, "%" PRIu64 ", but section bm25.posting_at has %zu elements",
		                   header->n_terms, opening->n_posting_at);
	if (header->n_postings != opening->n_documents)
		return WRONG_FIELD(opening, n_postings, "%" PRIu64 ", but section bm25.documents has %zu elements",
		                   header->n_postings, opening->n_documents);
	if (header->n_postings != opening->n_quanta)
		return WRONG_FIELD(opening, n_postings, "%" PRIu64 ", but section bm25.quanta has %zu elements",
		                   header->n_postings, opening->n_quanta);
	if (header->n_postings != opening->n_counts)
		return WRONG_FIELD(opening, n_postings, "%" PRIu64 ", but section bm25.counts has %zu elements",
		                   header->n_postings, opening->n_counts);
	if (header->n_terms + 1 != opening->n_run_at)
		return WRONG_FIELD(opening, n_terms, "%" PRIu64 ", but section bm25.run_at has %zu elements",
		                   header->n_terms, opening->n_run_at);
	if (!(header->k1 >= 0 && header->k1 <= LW_BM25_MAX_K1))
		return WRONG_FIELD(opening, k1, "%g", (double)header->k1);
	if (!(header->b >= 0 && header->b <= 1))
		return WRONG_FIELD(opening, b, "%g", (double)header->b);
	if (header->n_removed > header->n_documents)
		return WRONG_FIELD(opening, n_removed, "%" PRIu32 " of %" PRIu64 " documents", header->n_removed,
		                   header->n_documents);
	if (header->variant > LANEWISE_BM25_OKAPI)
		return WRONG_FIELD(opening, variant, "%" PRIu32, header->variant);
	if (!(header->delta >= 0 && header->delta <= LW_BM25_MAX_DELTA))
		return WRONG_FIELD(opening, delta, "%g", (double)header->delta);
	if (header->variant == LANEWISE_BM25_OKAPI && header->delta > 1)
		return WRONG_FIELD(opening, delta, "%g, which is epsilon here", (double)header->delta);
	return LANEWISE_OK;
}

/* The first of n numbers with which their sum passes `total`; n if they add up to it, n - 1 if they stay below. */
static size_t first_wrong(const uint32_t *values, size_t n, uint64_t total)
{
	for (size_t i = 0; i < n; i++) {
		if (values[i] > total)
			return i;
		total -= values[i];
	}
	return total && n ? n - 1 : n;
}

static lanewise_status check_lengths(const struct opening *opening)
{
	const struct lw_bm25_header *header = &opening->bm25.header;
	const uint32_t *lengths = opening->bm25.lengths;
	size_t n = opening->n_lengths, wrong = first_wrong(lengths, n, header->total_length);

	if (n == 0 && header->total_length)
		return WRONG_FIELD(opening, total_length, "%" PRIu64 " without documents", header->total_length);
	for (size_t i = 0; i < n; i++)
		if (lengths[i] > LW_BM25_MAX_LENGTH)
			return WRONG(opening, "lengths", lengths, i, "%" PRIu32, lengths[i]);
	if (wrong < n)
		return WRONG(opening, "lengths", lengths, wrong, "the sum is not the header's total_length, %" PRIu64,
		             header->total_length);
	return LANEWISE_OK;
}

static lanewise_status check_terms(const struct opening *opening)
{
	const uint32_t *at = opening->bm25.term_at;
	size_t n_terms = (size_t)opening->bm25.header.n_terms, n_before = 0;

	if (at[0] != 0)
		return WRONG(opening, "term_at", at, 0, "%" PRIu32 " instead of 0", at[0]);
	for (size_t i = 0; i < n_terms; i++) {
		if (at[i + 1] <= at[i] || at[i + 1] - at[i] > LANEWISE_WORD_BYTES || at[i + 1] > opening->n_terms)
			return WRONG(opening, "term_at", at, i + 1, "%" PRIu32 " after %" PRIu32 ", of %zu bytes",
			             at[i + 1], at[i], opening->n_terms);

		const char *word = opening->bm25.terms + at[i];
		size_t n = (size_t)(at[i + 1] - at[i]), shorter = n < n_before ? n : n_before;
		int order = i ? memcmp(word - n_before, word, shorter) : -1;

		if (order > 0 || (order == 0 && n_before >= n))
			return WRONG(opening, "terms", opening->bm25.terms, at[i],
			             "word %zu does not come after word %zu", i, i - 1);
		n_before = n;
	}
	if (at[n_terms] != opening->n_terms)
		return WRONG(opening, "term_at", at, n_terms, "%" PRIu32 " instead of %zu", at[n_terms],
		             opening->n_terms);
	return LANEWISE_OK;
}

/* That each word's postings lie within all, so that they can be read; the same for its runs. */
static lanewise_status check_posting_at(const struct opening *opening)
{
	const uint64_t *at = opening->bm25.posting_at;
	size_t n_terms = (size_t)opening->bm25.header.n_terms, n_postings = opening->n_documents;
	uint64_t n_counted = opening->bm25.header.n_documents - opening->bm25.header.n_removed;

	if (at[0] != 0)
		return WRONG(opening, "posting_at", at, 0, "%" PRIu64 " instead of 0", at[0]);
	for (size_t i = 0; i < n_terms; i++)
		if (at[i + 1] <= at[i] || at[i + 1] > n_postings)
			return WRONG(opening, "posting_at", at, i + 1, "%" PRIu64 " after %" PRIu64 ", of %zu postings",
			             at[i + 1], at[i], n_postings);
	for (size_t i = 0; i < n_terms; i++)
		if (at[i + 1] - at[i] > n_counted)
			return WRONG(opening, "posting_at", at, i + 1,
			             "%" PRIu64 " postings, but %" PRIu64 " documents", at[i + 1] - at[i], n_counted);
	if (at[n_terms] != n_postings)
		return WRONG(opening, "posting_at", at, n_terms, "%" PRIu64 " instead of %zu", at[n_terms], n_postings);
	return LANEWISE_OK;
}

/* That the weight of words with a negative idf is what the numbers of postings give. */
static lanewise_status check_floor(const struct opening *opening)
{
	const struct lw_bm25_header *header = &opening->bm25.header;
	float floor = (float)lw_bm25_floor(header, opening->bm25.posting_at) + 0.0f;

	if (header->floor == floor)
		return LANEWISE_OK;
	return WRONG_FIELD(opening, floor, "%g instead of %g", (double)header->floor, (double)floor);
}

static lanewise_status check_run_at(const struct opening *opening)
{
	const uint32_t *at = opening->bm25.run_at;
	size_t n_terms = (size_t)opening->bm25.header.n_terms, n_runs = opening->n_runs;

	if (at[0] != 0)
		return WRONG(opening, "run_at", at, 0, "%" PRIu32 " instead of 0", at[0]);
	for (size_t i = 0; i < n_terms; i++)
		if (at[i + 1] <= at[i] || at[i + 1] > n_runs)
			return WRONG(opening, "run_at", at, i + 1, "%" PRIu32 " after %" PRIu32 ", of %zu runs",
			             at[i + 1], at[i], n_runs);
	if (at[n_terms] != n_runs)
		return WRONG(opening, "run_at", at, n_terms, "%" PRIu32 " instead of %zu", at[n_terms], n_runs);
	if (opening->n_most != n_runs)
		return WRONG(opening, "run_at", at, n_terms, "%" PRIu32 ", but section bm25.most has %zu elements",
		             at[n_terms], opening->n_most);
	return LANEWISE_OK;
}

/* Posting i, of a document that there is: its count and quantum. Postings are checked one after the other. */
static lanewise_status check_count(struct opening *opening, uint64_t i, uint64_t document)
{
	const lanewise_bm25 *bm25 = &opening->bm25;
	uint32_t count = bm25->counts[i], length = bm25->lengths[document];

	if (count == 0)
		return WRONG(opening, "counts", bm25->counts, i, "%d", 0);
	if (count == LW_BM25_LARGE) {
		if (opening->large == bm25->n_large || bm25->large_at[opening->large] != i)
			return WRONG(opening, "counts", bm25->counts, i, "%d, but no such number in bm25.large_at",
			             (int)count);
		count = bm25->large[opening->large++];
		if (count < LW_BM25_LARGE || count > length)
			return WRONG(opening, "large", bm25->large, opening->large - 1, "%" PRIu32, count);
	}
	if (count > length)
		return WRONG(opening, "counts", bm25->counts, i, "%" PRIu32 " in a document of %" PRIu32 " words",
		             count, length);

	uint16_t quantum = (uint16_t)((double)lw_bm25_part(&opening->formula, count, length) * opening->quanta);

	if (bm25->quanta[i] != quantum)
		return WRONG(opening, "quanta", bm25->quanta, i, "%d instead of %d", bm25->quanta[i], quantum);
	return LANEWISE_OK;
}

/* The documents of the postings [begin, end) of a run, which lie within all; `most` is the greatest of their quanta. */
static lanewise_status check_documents(struct opening *opening, uint64_t run, uint64_t begin, uint64_t end,
                                       uint16_t *most)
{
	const lanewise_bm25 *bm25 = &opening->bm25;
	uint64_t first = (uint64_t)(bm25->runs[run] >> 16) * LW_BM25_SEGMENT;

	*most = 0;
	for (uint64_t i = begin; i < end; i++) {
		if (first + bm25->documents[i] >= bm25->header.n_documents)
			return WRONG(opening, "documents", bm25->documents, i, "%" PRIu64 " of %" PRIu64 " documents",
			             first + bm25->documents[i], bm25->header.n_documents);
		if (i > begin && bm25->documents[i] <= bm25->documents[i - 1])
			return WRONG(opening, "documents", bm25->documents, i, "%d after %d in run %" PRIu64,
			             bm25->documents[i], bm25->documents[i - 1], run);
		*most = bm25->quanta[i] > *most ? bm25->quanta[i] : *most;
	}
	return LANEWISE_OK;
}

/* The postings [begin, end) of a run, which lie within all. */
static lanewise_status check_run(struct opening *opening, uint64_t run, uint64_t begin, uint64_t end)
{
	const lanewise_bm25 *bm25 = &opening->bm25;
	uint64_t first = (uint64_t)(bm25->runs[run] >> 16) * LW_BM25_SEGMENT;
	lanewise_status status;
	uint16_t most;

	if ((status = check_documents(opening, run, begin, end, &most)))
		return status;
	for (uint64_t i = begin; i < end; i++)
		if ((status = check_count(opening, i, first + bm25->documents[i])))
			return status;
	if (bm25->most[run] != most)
		return WRONG(opening, "most", bm25->most, run, "%d instead of %d", bm25->most[run], most);
	return LANEWISE_OK;
}

static lanewise_status check_runs(struct opening *opening)
{
	const lanewise_bm25 *bm25 = &opening->bm25;
	const uint32_t *runs = bm25->runs;
	lanewise_status status;

	if (opening->n_large != bm25->n_large)
		return lw_fail(opening->error, LANEWISE_ERROR_DATA, lanewise_file_offset(opening->file, bm25->large),
		               "section bm25.large: %zu elements, but bm25.large_at has %zu", opening->n_large,
		               bm25->n_large);
	opening->formula = lw_bm25_formula_of(&bm25->header);
	opening->quanta = lw_bm25_quanta(&bm25->header);
	for (size_t term = 0; term < bm25->header.n_terms; term++) {
		uint64_t at = bm25->posting_at[term], end = bm25->posting_at[term + 1];
		uint64_t first = bm25->run_at[term], last = bm25->run_at[term + 1] - 1;

		for (uint64_t run = first; run <= last; run++) {
			uint64_t n = (uint64_t)(runs[run] & 0xffff) + 1;

			if (run > first && runs[run] >> 16 <= runs[run - 1] >> 16)
				return WRONG(opening, "runs", runs, run, "segment %d after %d of word %zu",
				             (int)(runs[run] >> 16), (int)(runs[run - 1] >> 16), term);
			if (run == last ? n != end - at : n >= end - at)
				return WRONG(opening, "runs", runs, run,
				             "%" PRIu64 " postings of the %" PRIu64 " left to word %zu", n, end - at,
				             term);
			if ((status = check_run(opening, run, at, at + n)))
				return status;
			at += n;
		}
	}
	if (opening->large < bm25->n_large)
		return WRONG(opening, "large_at", bm25->large_at, opening->large, "%" PRIu64 ", a posting without that",
		             bm25->large_at[opening->large]);
	return LANEWISE_OK;
}

/* Takes memory for what a file without counts does not have. */
static lanewise_status allocate_expanded(struct opening *opening, const lanewise_allocator *allocator)
{
	lanewise_bm25 *bm25 = &opening->bm25;
	size_t n_posting_at = opening->n_posting_at, n_runs = opening->n_runs;
	unsigned char *memory;

	if (n_posting_at > (SIZE_MAX - 8) / 16 || n_runs > (SIZE_MAX / 2 - 8) / 6)
		return lw_fail(opening->error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the index");
	bm25->expanded_bytes = n_posting_at * sizeof(uint64_t) + n_runs * (sizeof(uint32_t) + sizeof(uint16_t)) + 1;
	memory = lanewise_allocate_pages(allocator, bm25->expanded_bytes);
	if (!memory)
		return lw_fail(opening->error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the index");
	bm25->expanded = memory;
	opening->posting_at = (uint64_t *)(void *)memory;
	opening->runs = (uint32_t *)(void *)(opening->posting_at + n_posting_at);
	opening->most = (uint16_t *)(void *)(opening->runs + n_runs);
	bm25->posting_at = opening->posting_at;
	bm25->runs = opening->runs;
	bm25->most = opening->most;
	return LANEWISE_OK;
}

/* The number of a run's postings less 1; large ones are taken one after the other. */
static lanewise_status read_size(struct opening *opening, uint64_t run, uint32_t *size)
{
	*size = opening->sizes[run];
	if (*size < LARGE_SIZE)
		return LANEWISE_OK;
	if (opening->large == opening->n_large_sizes)
		return WRONG(opening, "sizes", opening->sizes, run,
		             "%d, but section bm25.large_runs has only %zu elements", LARGE_SIZE,
		             opening->n_large_sizes);
	*size = opening->large_sizes[opening->large++];
	if (*size < LARGE_SIZE)
		return WRONG(opening, "large_runs", opening->large_sizes, opening->large - 1, "%d", (int)*size);
	return LANEWISE_OK;
}

/* The runs of one word, of which the postings begin at `at`. */
static lanewise_status expand_word(struct opening *opening, size_t term, uint64_t at)
{
	const lanewise_bm25 *bm25 = &opening->bm25;
	const struct lw_bm25_header *header = &bm25->header;
	uint64_t begin = at, n_counted = header->n_documents - header->n_removed;
	lanewise_status status;
	uint32_t size;

	for (uint64_t run = bm25->run_at[term]; run < bm25->run_at[term + 1]; run++) {
		const uint16_t *segments = opening->segments;

		if (run > bm25->run_at[term] && segments[run] <= segments[run - 1])
			return WRONG(opening, "segments", segments, run, "%d after %d of word %zu", segments[run],
			             segments[run - 1], term);
		if ((status = read_size(opening, run, &size)))
			return status;
		if (size >= header->n_postings - at)
			return WRONG(opening, "sizes", opening->sizes, run,
			             "%" PRIu32 " postings of the %" PRIu64 " left", size + 1, header->n_postings - at);
		opening->runs[run] = (uint32_t)segments[run] << 16 | size;
		if ((status = check_documents(opening, run, at, at + size + 1, &opening->most[run])))
			return status;
		at += size + 1;
	}
	if (at - begin > n_counted)
		return WRONG(opening, "run_at", bm25->run_at, term, "%" PRIu64 " postings, but %" PRIu64 " documents",
		             at - begin, n_counted);
	opening->posting_at[term + 1] = at;
	return LANEWISE_OK;
}

/* Checks the runs and postings of an index without counts. */
static lanewise_status expand(struct opening *opening, const lanewise_allocator *allocator)
{
	const struct lw_bm25_header *header = &opening->bm25.header;
	lanewise_status status;

	if (opening->n_sizes != opening->n_runs)
		return lw_fail(opening->error, LANEWISE_ERROR_DATA, lanewise_file_offset(opening->file, opening->sizes),
		               "section bm25.sizes: %zu elements, but bm25.segments has %zu", opening->n_sizes,
		               opening->n_runs);
	if ((status = check_run_at(opening)) || (status = allocate_expanded(opening, allocator)))
		return status;
	opening->posting_at[0] = 0;
	for (size_t term = 0; term < header->n_terms; term++)
		if ((status = expand_word(opening, term, opening->posting_at[term])))
			return status;
	if (opening->posting_at[header->n_terms] != header->n_postings)
		return WRONG_FIELD(opening, n_postings, "%" PRIu64 ", but the runs have %" PRIu64, header->n_postings,
		                   opening->posting_at[header->n_terms]);
	if (opening->large < opening->n_large_sizes)
		return WRONG(opening, "large_runs", opening->large_sizes, opening->large, "%d, of no run",
		             opening->large_sizes[opening->large]);
	return check_floor(opening);
}

/* Lengths, postings and runs, when words are known to be right. */
static lanewise_status check_postings(struct opening *opening, const lanewise_allocator *allocator)
{
	lanewise_status status;

	if (!lw_bm25_has_counts(&opening->bm25.header))
		return expand(opening, allocator);
	if ((status = check_lengths(opening)) || (status = check_posting_at(opening)) ||
	    (status = check_floor(opening)) || (status = check_run_at(opening)))
		return status;
	return check_runs(opening);
}

/* The analyzer, where the index has one. */
static lanewise_status open_analyzer(struct opening *opening, const lanewise_allocator *allocator)
{
	const void *bytes;
	size_t n_bytes;
	lanewise_error why = { .what = "" };
	lanewise_status status;

	if (opening->header->word_rules != LW_WORD_RULES_ANALYZED)
		return LANEWISE_OK;
	if ((status = lanewise_file_section(opening->file, "bm25.analysis", 1, &bytes, &n_bytes, opening->error)))
		return status;
	if (!(status = lanewise_analyzer_load(bytes, n_bytes, allocator, &opening->bm25.analyzer, &why)))
		return status;
	if (why.offset != LANEWISE_NO_OFFSET)
		why.offset += lanewise_file_offset(opening->file, bytes);
	return lw_fail(opening->error, status, why.offset, "section bm25.analysis, %.200s", why.what);
}

/* The index itself, of what was found. */
static lanewise_status make_index(struct opening *opening, const lanewise_allocator *allocator, lanewise_bm25 **bm25)
{
	lanewise_bm25 *made = lw_allocate(allocator, sizeof *made);

	if (!made)
		return lw_fail(opening->error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the index");
	*made = opening->bm25;
	if (allocator)
		made->allocator = *allocator;
	if (lanewise_bm25_make_hints(made, allocator)) {
		lw_release(allocator, made, sizeof *made);
		return lw_fail(opening->error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the index");
	}
	*bm25 = made;
	return LANEWISE_OK;
}

lanewise_status lanewise_bm25_open(const lanewise_file *file, const lanewise_allocator *allocator, lanewise_bm25 **bm25,
                                   lanewise_error *error)
{
	struct opening opening = { .file = file, .error = error, .bm25.n_bytes = sizeof(struct lanewise_bm25) };
	lanewise_status status;

	if (!file || !bm25)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               file ? "bm25" : "file");
	if ((status = find_header(&opening)) || (status = find_sections(&opening)) ||
	    (status = check_header(&opening)) || (status = check_terms(&opening)) ||
	    (status = check_postings(&opening, allocator)) || (status = open_analyzer(&opening, allocator)) ||
	    (status = make_index(&opening, allocator, bm25))) {
		lanewise_analyzer_destroy(opening.bm25.analyzer);
		lw_release(allocator, opening.bm25.expanded, opening.bm25.expanded_bytes);
	}
	return status;
}
