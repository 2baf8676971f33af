// SPDX-License-Identifier: Apache-2.0
// FAISS on one thread. Its result handlers are templates, compiled here for this very CPU, which is better than what
// Debian's library holds inside; the rest is the library's own code.
#include <faiss/Index.h>
#include <faiss/IndexPQ.h>
#include <faiss/IndexPQFastScan.h>
#include <faiss/impl/ResultHandler.h>
#include <faiss/utils/distances.h>
#include <omp.h>

#include <string>

#include "peer.h"

namespace
{

using largest = faiss::CMin<float, int64_t>;

template <class handler> void run_handler(const float *scores, size_t n, size_t k, int64_t *index, float *score)
{
	handler h(1, score, index, k);

	h.begin_multiple(0, 1);
	h.add_results(0, n, scores);
	h.end_multiple();
}

// The handler that FAISS chooses for this k: a heap for few, a reservoir for many.
void topk_f32(const float *scores, size_t n, size_t k, int64_t *index, float *score)
{
	if (k < static_cast<size_t>(faiss::distance_compute_min_k_reservoir))
		run_handler<faiss::HeapResultHandler<largest>>(scores, n, k, index, score);
	else
		run_handler<faiss::ReservoirResultHandler<largest>>(scores, n, k, index, score);
}

void scan_topk_f32(const float *query, const float *rows, size_t n_rows, size_t dim, size_t k, int64_t *index,
                   float *score)
{
	faiss::float_minheap_array_t result = { 1, k, index, score };

	faiss::knn_inner_product(query, rows, dim, 1, n_rows, &result);
}

void scan_topk_f32_queries(const float *queries, size_t n_queries, const float *rows, size_t n_rows, size_t dim,
                           size_t k, int64_t *index, float *score)
{
	faiss::float_minheap_array_t result = { n_queries, k, index, score };

	faiss::knn_inner_product(queries, rows, dim, n_queries, n_rows, &result);
}

void dot_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	if (ld == dim)
		faiss::fvec_inner_products_ny(out, query, rows, dim, n_rows);
	else
		for (size_t r = 0; r < n_rows; r++)
			out[r] = faiss::fvec_inner_product(query, rows + r * ld, dim);
}

void l2sq_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	if (ld == dim)
		faiss::fvec_L2sqr_ny(out, query, rows, dim, n_rows);
	else
		for (size_t r = 0; r < n_rows; r++)
			out[r] = faiss::fvec_L2sqr(query, rows + r * ld, dim);
}

void norm_f32_rows(const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	for (size_t r = 0; r < n_rows; r++)
		faiss::fvec_norms_L2(out + r, rows + r * ld, dim, 1);
}

void normalize_f32_rows(float *rows, size_t n_rows, size_t dim, size_t ld)
{
	if (ld == dim)
		faiss::fvec_renorm_L2(dim, n_rows, rows);
	else
		for (size_t r = 0; r < n_rows; r++)
			faiss::fvec_renorm_L2(dim, 1, rows + r * ld);
}

// A flat index of whole bytes, or of half bytes that are looked up with SIMD.
struct quantized {
	faiss::IndexPQ bytes;
	faiss::IndexPQFastScan halves;
	bool is_halves;
};

void *pq_create(size_t dim, size_t n_parts, size_t n_centroids, const float *centroids, const float *rows,
                size_t n_rows)
{
	auto *q = new quantized;

	q->is_halves = n_centroids == 16;
	if (q->is_halves)
		q->halves = faiss::IndexPQFastScan(static_cast<int>(dim), n_parts, 4, faiss::METRIC_INNER_PRODUCT, 32);
	q->bytes = faiss::IndexPQ(static_cast<int>(dim), n_parts, q->is_halves ? 4 : 8, faiss::METRIC_INNER_PRODUCT);

	faiss::ProductQuantizer &pq = q->is_halves ? q->halves.pq : q->bytes.pq;
	faiss::Index &index = q->is_halves ? static_cast<faiss::Index &>(q->halves) : q->bytes;

	pq.centroids.assign(centroids, centroids + dim * n_centroids);
	q->bytes.pq.centroids = pq.centroids;
	index.is_trained = true;
	index.add(static_cast<int64_t>(n_rows), rows);
	return q;
}

void pq_encode(void *context, const float *rows, size_t n_rows, uint8_t *codes)
{
	static_cast<quantized *>(context)->bytes.pq.compute_codes(rows, codes, n_rows);
}

void pq_search(void *context, const float *query, size_t k, int64_t *index, float *score)
{
	auto *q = static_cast<quantized *>(context);

	if (q->is_halves)
		q->halves.search(1, query, static_cast<int64_t>(k), score, index);
	else
		q->bytes.search(1, query, static_cast<int64_t>(k), score, index);
}

void pq_destroy(void *context) { delete static_cast<quantized *>(context); }

} // namespace

const bench_peer *bench_peer_get(void)
{
	static bench_peer peer = {};
	static const std::string version = std::to_string(FAISS_VERSION_MAJOR) + "." +
	                                   std::to_string(FAISS_VERSION_MINOR) + "." +
	                                   std::to_string(FAISS_VERSION_PATCH);

	omp_set_num_threads(1);
	peer.name = "faiss";
	peer.version = version.c_str();
	peer.topk_f32 = topk_f32;
	peer.scan_topk_f32 = scan_topk_f32;
	peer.scan_topk_f32_queries = scan_topk_f32_queries;
	peer.neighbours_f32 = scan_topk_f32_queries;
	peer.pq_create = pq_create;
	peer.pq_encode = pq_encode;
	peer.pq_search = pq_search;
	peer.pq_destroy = pq_destroy;
	peer.dot_f32_rows = dot_f32_rows;
	peer.l2sq_f32_rows = l2sq_f32_rows;
	peer.norm_f32_rows = norm_f32_rows;
	peer.normalize_f32_rows = normalize_f32_rows;
	peer.dot_f32 = faiss::fvec_inner_product;
	peer.l2sq_f32 = faiss::fvec_L2sqr;
	return &peer;
}
