/* SPDX-License-Identifier: Apache-2.0 */
/* The best documents for the terms of a query. */
#ifndef LW_BM25_RANK_H
#define LW_BM25_RANK_H

#include "bm25/bm25_list.h"
#include "topk/topk.h"

/* Bytes of scratch, aligned as by malloc, for finding the best k; 0 if that overflows. */
size_t lanewise_bm25_rank_bytes(const lanewise_bm25 *bm25, size_t k);

/*
 * Offers to `topk`, which looks for the best k, every document that can be among these, in ascending order, with its
 * exact score. `terms` are in the order of the query, at their first runs, and may be moved; `filter` may be NULL; k is
 * at most the number of documents.
 */
void lanewise_bm25_rank(const lanewise_bm25 *bm25, struct lw_bm25_term *terms, size_t n_terms, const uint64_t *filter,
                        size_t k, void *scratch, lanewise_topk *topk);

#endif
