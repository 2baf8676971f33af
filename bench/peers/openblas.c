/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenBLAS on one thread: sgemv over row-major rows, sdot for a pair, snrm2 for norms, sgemm for many queries (with the
 * library's own top-k behind it, over blocks of rows whose scores stay in L2).
 */
#include <cblas.h>
#include <lanewise/topk.h>
#include <math.h>
#include <stdlib.h>

#include "peer.h"

static void dot_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	cblas_sgemv(CblasRowMajor, CblasNoTrans, (blasint)n_rows, (blasint)dim, 1.0f, rows, (blasint)ld, query, 1, 0.0f,
	            out, 1);
}

static float dot_f32(const float *a, const float *b, size_t n) { return cblas_sdot((blasint)n, a, 1, b, 1); }

static void norm_f32_rows(const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	for (size_t r = 0; r < n_rows; r++)
		out[r] = cblas_snrm2((blasint)dim, rows + r * ld, 1);
}

static void scan_topk_f32_queries(const float *queries, size_t n_queries, const float *rows, size_t n_rows, size_t dim,
                                  size_t k, int64_t *index, float *score)
{
	enum { BLOCK = 2048 };
	size_t topk_bytes = (lanewise_topk_scratch_size(k) + 63) / 64 * 64;
	unsigned char *topk = malloc(n_queries * topk_bytes);
	float *scores = malloc(n_queries * BLOCK * sizeof *scores);
	uint32_t *found = malloc(k * sizeof *found);

	for (size_t q = 0; q < n_queries; q++)
		lanewise_topk_begin(topk + q * topk_bytes, k, -INFINITY);
	for (size_t r = 0; r < n_rows; r += BLOCK) {
		size_t n = n_rows - r < BLOCK ? n_rows - r : BLOCK;

		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n_queries, (blasint)n, (blasint)dim, 1.0f,
		            queries, (blasint)dim, rows + r * dim, (blasint)dim, 0.0f, scores, (blasint)n);
		for (size_t q = 0; q < n_queries; q++)
			lanewise_topk_push_f32((lanewise_topk *)(void *)(topk + q * topk_bytes), scores + q * n, n,
			                       (uint32_t)r);
	}
	for (size_t q = 0; q < n_queries; q++) {
		size_t n = lanewise_topk_finish((lanewise_topk *)(void *)(topk + q * topk_bytes), found, score + q * k);

		for (size_t i = 0; i < n; i++)
			index[q * k + i] = found[i];
	}
	free(found);
	free(scores);
	free(topk);
}

static void similarity_f32(const float *rows, size_t n, size_t dim, float *out)
{
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n, (blasint)n, (blasint)dim, 1.0f, rows,
	            (blasint)dim, rows, (blasint)dim, 0.0f, out, (blasint)n);
}

const struct bench_peer *bench_peer_get(void)
{
	static struct bench_peer peer = {
		.name = "openblas",
		.dot_f32_rows = dot_f32_rows,
		.dot_f32 = dot_f32,
		.norm_f32_rows = norm_f32_rows,
		.scan_topk_f32_queries = scan_topk_f32_queries,
		.neighbours_f32 = scan_topk_f32_queries,
		.similarity_f32 = similarity_f32,
	};

	openblas_set_num_threads(1);
	peer.version = openblas_get_config();
	return &peer;
}
