/* SPDX-License-Identifier: Apache-2.0 */
/* OpenBLAS on one thread: sgemv over row-major rows, sdot for a pair, snrm2 for norms. */
#include <cblas.h>

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

const struct bench_peer *bench_peer_get(void)
{
	static struct bench_peer peer = {
		.name = "openblas",
		.dot_f32_rows = dot_f32_rows,
		.dot_f32 = dot_f32,
		.norm_f32_rows = norm_f32_rows,
	};

	openblas_set_num_threads(1);
	peer.version = openblas_get_config();
	return &peer;
}
