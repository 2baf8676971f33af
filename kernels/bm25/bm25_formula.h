/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formulas of lanewise/bm25.h. A score is a sum of weight * part: the part is stored with a posting, the weight
 * comes from the number of documents that have the word, and from the query.
 */
#ifndef LW_BM25_FORMULA_H
#define LW_BM25_FORMULA_H

#include "bm25/bm25.h"
#include "log.h"

/* What parts need besides a word's count and a document's length. */
struct lw_bm25_formula {
	lanewise_bm25_variant variant;
	float base, scale; /* the norm is base + scale * length */
	float k1, k1_plus_1, delta;
	float step; /* the part of one quantum */
};

static inline int lw_bm25_has_counts(const struct lw_bm25_header *header)
{
	return header->format != LW_BM25_FORMAT_SHORT;
}

/* The documents that count. */
static inline double lw_bm25_n(const struct lw_bm25_header *header)
{
	return (double)(header->n_documents - header->n_removed);
}

/* No part is greater. */
static inline float lw_bm25_greatest_part(const struct lw_bm25_header *header)
{
	const float rounding = 1.000001f;

	switch (header->variant) {
	case LANEWISE_BM25_LUCENE:
	case LANEWISE_BM25_ROBERTSON:
		return 1;
	case LANEWISE_BM25_TF_IDF:
		return 23; /* 1 + ln(2^31) is 22.5 */
	case LANEWISE_BM25_PLUS:
		return (header->k1 + 1 + header->delta) * rounding;
	default:
		return (header->k1 + 1) * rounding;
	}
}

/* A part times this is its quantum, before rounding down. */
static inline double lw_bm25_quanta(const struct lw_bm25_header *header)
{
	return 65535.0 / (double)lw_bm25_greatest_part(header);
}

static inline struct lw_bm25_formula lw_bm25_formula_of(const struct lw_bm25_header *header)
{
	double k1 = (double)header->k1, b = (double)header->b;
	double factor = header->variant == LANEWISE_BM25_L ? 1.0 : k1;
	struct lw_bm25_formula formula = {
		.variant = (lanewise_bm25_variant)header->variant,
		.base = (float)(factor * (1.0 - b)),
		.k1 = header->k1,
		.k1_plus_1 = (float)(k1 + 1.0),
		.delta = header->delta,
		.step = (float)(1 / lw_bm25_quanta(header)),
	};

	if (header->total_length)
		formula.scale = (float)(factor * b / ((double)header->total_length / lw_bm25_n(header)));
	return formula;
}

static inline float lw_bm25_part(const struct lw_bm25_formula *f, uint32_t count, uint32_t length)
{
	float tf = (float)count, norm = f->base + f->scale * (float)length, c;

	switch (f->variant) {
	case LANEWISE_BM25_ATIRE:
	case LANEWISE_BM25_OKAPI:
		return tf * f->k1_plus_1 / (tf + norm);
	case LANEWISE_BM25_PLUS:
		return f->delta + tf * f->k1_plus_1 / (tf + norm);
	case LANEWISE_BM25_L:
		c = tf / norm + f->delta;
		return f->k1_plus_1 * c / (f->k1 + c);
	case LANEWISE_BM25_TF_IDF:
		return (float)(1.0 + lw_log_f64((double)count));
	case LANEWISE_BM25_LUCENE:
	case LANEWISE_BM25_ROBERTSON:
		break;
	}
	return tf / (tf + norm);
}

/* The count of posting number `posting`, whose byte says LW_BM25_LARGE. */
static inline uint32_t lw_bm25_large_count(const lanewise_bm25 *bm25, uint64_t posting)
{
	size_t low = 0, high = bm25->n_large;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (bm25->large_at[middle] <= posting)
			low = middle;
		else
			high = middle;
	}
	return bm25->large[low];
}

static inline uint32_t lw_bm25_count_at(const lanewise_bm25 *bm25, uint64_t posting)
{
	uint32_t count = bm25->counts[posting];

	return count == LW_BM25_LARGE ? lw_bm25_large_count(bm25, posting) : count;
}

/* The part of which no more is known than its quantum. */
static inline float lw_bm25_part_of_quantum(const struct lw_bm25_formula *f, uint16_t quantum)
{
	return ((float)quantum + 0.5f) * f->step;
}

/* The part of a posting in a document's score. */
static inline float lw_bm25_part_at(const lanewise_bm25 *bm25, const struct lw_bm25_formula *f, uint64_t posting,
                                    size_t document)
{
	return lw_bm25_part(f, lw_bm25_count_at(bm25, posting), bm25->lengths[document]);
}

/* The idf of a word that `frequency` of n documents have, which may be 0 or negative. */
static inline double lw_bm25_idf(uint32_t variant, double n, double frequency)
{
	switch (variant) {
	case LANEWISE_BM25_ROBERTSON:
	case LANEWISE_BM25_OKAPI:
		return lw_log_f64((n - frequency + 0.5) / (frequency + 0.5));
	case LANEWISE_BM25_ATIRE:
	case LANEWISE_BM25_TF_IDF:
		return lw_log_f64(n / frequency);
	case LANEWISE_BM25_L:
		return lw_log_f64((n + 1.0) / (frequency + 0.5));
	case LANEWISE_BM25_PLUS:
		return lw_log_f64((n + 1.0) / frequency);
	default:
		return lw_log_f64(1.0 + (n - frequency + 0.5) / (frequency + 0.5));
	}
}

/* What LANEWISE_BM25_OKAPI has for a negative idf: epsilon times the mean idf of all words; 0 in other variants. */
static inline double lw_bm25_floor(const struct lw_bm25_header *header, const uint64_t *posting_at)
{
	double sum = 0;

	if (header->variant != LANEWISE_BM25_OKAPI || header->n_terms == 0)
		return 0;
	for (size_t i = 0; i < header->n_terms; i++)
		sum += lw_bm25_idf(header->variant, lw_bm25_n(header), (double)(posting_at[i + 1] - posting_at[i]));
	return (double)header->delta * (sum / (double)header->n_terms);
}

#endif
