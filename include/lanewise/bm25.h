/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/bm25.h - BM25 ranking over an inverted index of words.
 *
 * Words are those of lanewise/text.h, in documents and queries alike, or of an analyzer given there. With N documents (empty
 * ones too), df of them holding a word, tf the word's count in a document, dl the document's number of words and avgdl the mean
 * of it, a document's score is the sum over the distinct words of the query
 *
 *     n * idf * tf / (tf + k1 * (1 - b + b * dl / avgdl)),    idf = ln(1 + (N - df + 0.5) / (df + 0.5)),
 *
 * n times for a word that the query has n times. This is the formula of Lucene since 8.0 (Robertson and Zaragoza, "The
 * probabilistic relevance framework: BM25 and beyond", 2009, without the constant factor k1 + 1, which changes no
 * order), but with exact document lengths. Every score is positive. Other formulas are options: lanewise_bm25_variant.
 *
 * Counts. An index can be made without them: its file takes 4.65 instead of 6.25 bytes a posting for a million documents of
 * 80 words. Opening it takes memory besides, 8 bytes a word and 6 for each segment of 65,536 documents that has the
 * word: 0.9 bytes a posting there. Parts of scores are then rounded to 16 bits: (floor(part * s) + 0.5) * (1 / s) instead
 * of the part, s being 65535 / the greatest part that the variant can have: 1 for LUCENE and ROBERTSON, 23 for TF_IDF,
 * delta + k1 + 1 for PLUS, k1 + 1 for others. All else holds for these indexes too, so results are the same bits on every
 * CPU; but scores in double need counts.
 *
 * Bits. idf is computed in double and rounded to float; k1 * (1 - b) and k1 * b / avgdl likewise; the rest is float
 * arithmetic in the order (n * idf) * (tf / (tf + (k1 * (1 - b) + (k1 * b / avgdl) * dl))), summed in the order in
 * which the words first occur in the query. So scores are the same, bit for bit, on every CPU, and an index depends on
 * its documents alone: the same texts give byte-identical saved sections.
 */
#ifndef LANEWISE_BM25_H
#define LANEWISE_BM25_H

#include "base.h"
#include "file.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The formulas. With K = k1 * (1 - b + b * dl / avgdl), a word adds n * idf * part to a document that has it, and nothing
 * to others:
 *
 *                   idf                                    part
 *     LUCENE        ln(1 + (N - df + 0.5) / (df + 0.5))    tf / (tf + K)
 *     ROBERTSON     ln((N - df + 0.5) / (df + 0.5))        tf / (tf + K)
 *     ATIRE         ln(N / df)                             tf * (k1 + 1) / (tf + K)
 *     L             ln((N + 1) / (df + 0.5))               (k1 + 1) * c / (k1 + c), c = tf / (1 - b + b * dl / avgdl) + delta
 *     PLUS          ln((N + 1) / df)                       delta + tf * (k1 + 1) / (tf + K)
 *     TF_IDF        ln(N / df)                             1 + ln(tf)
 *     OKAPI         as ROBERTSON; epsilon * mean if < 0    tf * (k1 + 1) / (tf + K)
 *
 * Sources: Robertson et al., "Okapi at TREC-3", 1994; Trotman, Jia and Crane, "Towards an efficient and effective search
 * engine", 2012 (ATIRE); Lv and Zhai, "When documents are very long, BM25 fails!" (L) and "Lower-bounding term frequency
 * normalization" (PLUS), 2011, where delta is 0.5 and 1; Manning, Raghavan and Schuetze, "Introduction to information
 * retrieval", 2008, section 6.4 (TF_IDF). OKAPI is what the Python package rank_bm25 computes as BM25Okapi, with the mean
 * idf over all words of the documents, negative ones too, and epsilon 0.25, k1 1.5; in float here, unless scores are asked
 * for in double (lanewise_bm25_score_all_f64).
 *
 * Words whose idf is not at least 2^-40 are passed over, so ROBERTSON ignores words that half of the documents have, and
 * OKAPI those whose idf is negative where epsilon * mean is too. The order of float operations is that of the table;
 * parts with k1 + 1 are multiplied before they are divided.
 */
typedef enum lanewise_bm25_variant {
	LANEWISE_BM25_LUCENE = 0,
	LANEWISE_BM25_ROBERTSON = 1,
	LANEWISE_BM25_ATIRE = 2,
	LANEWISE_BM25_L = 3,
	LANEWISE_BM25_PLUS = 4,
	LANEWISE_BM25_TF_IDF = 5,
	LANEWISE_BM25_OKAPI = 6
} lanewise_bm25_variant;

typedef struct lanewise_bm25_options {
	size_t struct_size;            /* sizeof(lanewise_bm25_options) */
	float k1;                      /* default 1.2; 0 ... 1000 */
	float b;                       /* default 0.75; 0 ... 1 */
	lanewise_bm25_variant variant; /* default LUCENE */
	float delta;                   /* default 0; 0 ... 1000; of L and PLUS */
	float epsilon;                 /* default 0; 0 ... 1; of OKAPI */
	int32_t without_counts;        /* default 0; 1: see Counts, above */
} lanewise_bm25_options;

/* Collects documents. One thread at a time. */
typedef struct lanewise_bm25_builder lanewise_bm25_builder;

/* An index. Immutable, shareable between threads. */
typedef struct lanewise_bm25 lanewise_bm25;

/*
 * `options` NULL means the defaults, `allocator` NULL the C library's; both are copied.
 *
 * LANEWISE_ERROR_ARGUMENT: builder NULL, an option outside its range, another struct_size. LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_bm25_builder_create(const lanewise_bm25_options *options,
                                                          const lanewise_allocator *allocator,
                                                          lanewise_bm25_builder **builder);

/*
 * Words of texts are those of an analyzer (lanewise/text.h) from now on, or again those of no analyzer if it is NULL. The
 * indexes that are made keep it, also in files, and apply it to queries. Before the first document only.
 *
 * LANEWISE_ERROR_ARGUMENT: builder NULL, or it has documents.
 */
LANEWISE_API lanewise_status lanewise_bm25_builder_use_analyzer(lanewise_bm25_builder *builder,
                                                                const lanewise_analyzer *analyzer);

/*
 * Adds the next document; the first is number 0. A text without words is a document too. O(n_bytes) amortised, for any
 * text: the table of words is keyed with a secret drawn for each builder. On failure the builder is as it was before.
 *
 * LANEWISE_ERROR_ARGUMENT: builder NULL, text NULL while n_bytes is not 0. LANEWISE_ERROR_NO_MEMORY.
 * LANEWISE_ERROR_TOO_LARGE: over UINT32_MAX documents, over UINT32_MAX different words in all, or over INT32_MAX words
 * in this document.
 */
LANEWISE_API lanewise_status lanewise_bm25_builder_add_text(lanewise_bm25_builder *builder, const char *text,
                                                            size_t n_bytes);

/*
 * The same for n texts that lie one after the other: text i ends before byte ends[i] of `texts`, and the first begins at
 * byte 0. Stops at the first that cannot be added; lanewise_bm25_builder_n_documents tells how many were.
 *
 * LANEWISE_ERROR_ARGUMENT, and nothing is added: builder NULL, ends NULL while n is not 0, ends that descend, texts NULL
 * while they have bytes. The others as above.
 */
LANEWISE_API lanewise_status lanewise_bm25_builder_add_texts(lanewise_bm25_builder *builder, const char *texts,
                                                             const size_t *ends, size_t n);

/*
 * The same for a document that was made words elsewhere: stemmed, without stop words, by another tokenizer. Only `text`
 * and `n_bytes` of the words are read; they may be any bytes. Queries of such an index need words made in the same way:
 * lanewise_bm25_search_words.
 *
 * LANEWISE_ERROR_ARGUMENT: builder NULL, words NULL while n_words is not 0, a word that is NULL, empty or longer than
 * LANEWISE_WORD_BYTES. The others as above.
 */
LANEWISE_API lanewise_status lanewise_bm25_builder_add_words(lanewise_bm25_builder *builder, const lanewise_word *words,
                                                             size_t n_words);

/* The number of documents added, removed ones included unless the builder was made compact since. */
LANEWISE_API size_t lanewise_bm25_builder_n_documents(const lanewise_bm25_builder *builder);

/*
 * Removes a document from what indexes are made of: they never return it, and scores are as if it had not been added.
 * The other documents keep their numbers; its own is not used again. To replace a document, remove it and add it anew.
 *
 * LANEWISE_ERROR_ARGUMENT: builder NULL, no such document, or it was removed before.
 */
LANEWISE_API lanewise_status lanewise_bm25_builder_remove(lanewise_bm25_builder *builder, size_t document);

/*
 * Gives up the numbers and the postings of removed documents: the others, in their order, are numbered from 0, and the
 * next index is, byte for byte, that of a builder to which only they were added. Memory is kept for documents to come,
 * words too. Linear in documents and postings.
 */
LANEWISE_API void lanewise_bm25_builder_compact(lanewise_bm25_builder *builder);

/* NULL is fine. */
LANEWISE_API void lanewise_bm25_builder_destroy(lanewise_bm25_builder *builder);

/*
 * The index of what was added so far; the builder stays usable, and may be destroyed before the index. Linear in the
 * postings (pairs of a word and a document that holds it), and n log n in the number of different words.
 *
 * LANEWISE_ERROR_ARGUMENT: builder or bm25 NULL. LANEWISE_ERROR_NO_MEMORY. LANEWISE_ERROR_TOO_LARGE: the different words
 * have over UINT32_MAX bytes, or there are over UINT32_MAX pairs of a word and a segment of 65,536 documents with it.
 */
LANEWISE_API lanewise_status lanewise_bm25_create(const lanewise_bm25_builder *builder,
                                                  const lanewise_allocator *allocator, lanewise_bm25 **bm25);

/*
 * Appends the index's sections, whose names begin with "bm25.", to a file under construction. At most one index per
 * file. Errors are those of the writer; LANEWISE_ERROR_ARGUMENT: bm25 or writer NULL.
 */
LANEWISE_API lanewise_status lanewise_bm25_write(const lanewise_bm25 *bm25, lanewise_file_writer *writer,
                                                 lanewise_error *error);

/*
 * An index over the sections of an open file, which must outlive it. They are not copied; memory is taken for what makes
 * searches fast, a small part of the file's size. Every count, offset and number
 * in the sections is checked in one pass over them: no file, whatever is in it, makes a search read outside it.
 *
 * LANEWISE_ERROR_ARGUMENT: file or bm25 NULL. LANEWISE_ERROR_DATA: a section is missing or wrong; the error names it
 * and the element, and its offset is that element's in the file. LANEWISE_ERROR_UNSUPPORTED: the index was made by a
 * version with other rules of words or other sections, or with a stemmer that is not there (lanewise_analyzer_create).
 * LANEWISE_ERROR_NO_MEMORY.
 */
LANEWISE_API lanewise_status lanewise_bm25_open(const lanewise_file *file, const lanewise_allocator *allocator,
                                                lanewise_bm25 **bm25, lanewise_error *error);

/* NULL is fine. */
LANEWISE_API void lanewise_bm25_destroy(lanewise_bm25 *bm25);

/* The number of documents, and of different words in them. */
LANEWISE_API size_t lanewise_bm25_n_documents(const lanewise_bm25 *bm25);
LANEWISE_API size_t lanewise_bm25_n_terms(const lanewise_bm25 *bm25);

/* 1 if the index has counts, 0 if it was made without them. */
LANEWISE_API int32_t lanewise_bm25_has_counts(const lanewise_bm25 *bm25);

/*
 * Bytes of scratch that a search for k needs; one scratch per thread. It grows with the number of different words,
 * with the number of documents up to 65,536, and with k up to the number of documents. 0 if k is 0 or beyond
 * UINT32_MAX, or the size overflows.
 */
LANEWISE_API size_t lanewise_bm25_scratch_size(const lanewise_bm25 *bm25, size_t k);

/*
 * The best k documents for the words of a query: numbers into `index`, scores into `score` (room for min(k,
 * n_documents)), best first, ties by ascending number, their count into `n_found`. Documents without any of the words
 * are never returned; a query without words, or with none that the index knows, finds nothing.
 *
 * `scratch`: lanewise_bm25_scratch_size(bm25, k) bytes, aligned as by malloc. It needs no preparation and keeps nothing
 * from one search to the next; a search touches only what its words and k need of it.
 *
 * Sums of 16-bit integers, of which it is known how far they can be from the scores, choose the documents that are
 * scored, and words that by themselves cannot matter are looked up for these only. The result is the same, to the last
 * bit, as if every document were scored.
 *
 * Time is linear in the query's bytes (times the logarithm of the number of different words), the postings of its
 * distinct words, and the segments of 65,536 documents with the documents in those that its words touch. Nothing is allocated.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer (query may be NULL if n_bytes is 0), k = 0, scratch not aligned.
 * LANEWISE_ERROR_TOO_LARGE: k beyond UINT32_MAX.
 */
LANEWISE_API lanewise_status lanewise_bm25_search(const lanewise_bm25 *bm25, const char *query, size_t n_bytes,
                                                  size_t k, void *scratch, uint32_t *index, float *score,
                                                  size_t *n_found);

/*
 * The same among the documents whose bit in `filter` is 1: document d in bit d % 64 of filter[d / 64]. The numbers N,
 * df and avgdl stay those of all documents, so a document's score does not depend on the filter. NULL lets all through.
 */
LANEWISE_API lanewise_status lanewise_bm25_search_filtered(const lanewise_bm25 *bm25, const char *query, size_t n_bytes,
                                                           const uint64_t *filter, size_t k, void *scratch,
                                                           uint32_t *index, float *score, size_t *n_found);

/*
 * The same for the words of a query, as they are in the index (lanewise_bm25_builder_add_words); only `text` and
 * `n_bytes` of them are read.
 *
 * LANEWISE_ERROR_ARGUMENT also for words NULL while n_words is not 0, or a word that is NULL.
 */
LANEWISE_API lanewise_status lanewise_bm25_search_words(const lanewise_bm25 *bm25, const lanewise_word *words,
                                                        size_t n_words, const uint64_t *filter, size_t k, void *scratch,
                                                        uint32_t *index, float *score, size_t *n_found);

/*
 * The score of every document, in order, 0 for those without any of the words; the bits are those of a search. `score`
 * has room for n_documents, `scratch` is lanewise_bm25_scratch_size(bm25, 1) bytes, aligned as by malloc. Time is linear
 * in the documents and in the postings of the words.
 *
 * LANEWISE_ERROR_ARGUMENT: as for a search.
 */
LANEWISE_API lanewise_status lanewise_bm25_score_all(const lanewise_bm25 *bm25, const char *query, size_t n_bytes,
                                                     void *scratch, float *score);

/*
 * The same in double, from idf to sum, for comparing with implementations in double, such as the package rank_bm25: with
 * OKAPI, k1 1.5, b 0.75 and epsilon 0.25, which floats hold exactly, scores are those of its BM25Okapi but for rounding, a
 * relative 1e-9 at most. Words with an idf of 0 are not passed over here, nor those of OKAPI whose weight, epsilon times
 * the mean idf, is negative; so scores can be. Such a word takes time linear in the number of different words.
 *
 * LANEWISE_ERROR_ARGUMENT: as for a search. LANEWISE_ERROR_UNSUPPORTED: the index was made without counts.
 */
LANEWISE_API lanewise_status lanewise_bm25_score_all_f64(const lanewise_bm25 *bm25, const char *query, size_t n_bytes,
                                                         void *scratch, double *score);
LANEWISE_API lanewise_status lanewise_bm25_score_all_words_f64(const lanewise_bm25 *bm25, const lanewise_word *words,
                                                               size_t n_words, void *scratch, double *score);

/*
 * The score_all above for n_documents documents, for reranking: document documents[i]'s score in score[i]. Time is linear in
 * n_documents, times the query's distinct words and the logarithm of a run's length, and in the segments.
 *
 * LANEWISE_ERROR_ARGUMENT: as for a search; documents that do not ascend (equal ones may follow each other), or that the
 * index does not have.
 */
LANEWISE_API lanewise_status lanewise_bm25_score_documents(const lanewise_bm25 *bm25, const char *query, size_t n_bytes,
                                                           const uint32_t *documents, size_t n_documents, void *scratch,
                                                           float *score);

#ifdef __cplusplus
}
#endif

#endif
