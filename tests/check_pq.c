/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels of lanewise/pq.h. */
#include "check.h"

#include <math.h>
#include <string.h>

static void judge_nearest(struct lw_check *c, size_t n, size_t width, size_t n_lanes, size_t n_centroids, int pattern)
{
	float *points = c->scratch[0], *centroids = c->scratch[1];
	uint8_t *expected = c->scratch[2];
	size_t ld = width + lanewise_check_sometimes(c, 5), stride = 1 + lanewise_check_sometimes(c, 4);
	size_t point_bytes = n ? ((n - 1) * ld + width) * sizeof *points : 0, code_bytes = n ? (n - 1) * stride + 1 : 0;

	c->where.pattern = lanewise_check_pattern_name(pattern);
	c->where.length = width;
	c->where.rows = n;
	c->where.k = n_lanes;
	lanewise_check_fill(c, points, n * ld, pattern);
	for (size_t i = 0; i < width; i++) {
		lanewise_check_fill(c, centroids + i * n_lanes, n_lanes, pattern);
		/* Some centroids twice: the lower number must win. */
		if (n_centroids > 3)
			centroids[i * n_lanes + n_centroids - 1] = centroids[i * n_lanes + 1];
		for (size_t j = n_centroids; j < n_lanes; j++)
			centroids[i * n_lanes + j] = INFINITY;
	}
	if (n > 2 && n_centroids > 3)
		for (size_t i = 0; i < width; i++)
			points[2 * ld + i] = centroids[i * n_lanes + 1];
	memset(expected, 0xa5, code_bytes); /* what outputs are filled with */
	c->reference->pq_nearest(points, n, ld, centroids, width, n_lanes, expected, stride);

	const float *p = lanewise_check_input(c, 0, points, point_bytes, LW_AT_BACK);
	const float *t = lanewise_check_input(c, 1, centroids, width * n_lanes * sizeof *t, LW_AT_BACK);
	uint8_t *code = lanewise_check_output(c, 2, code_bytes, LW_AT_BACK);

	c->subject->pq_nearest(p, n, ld, t, width, n_lanes, code, stride);
	lanewise_check_same(c, "code", expected, code, code_bytes, 1);
	lanewise_check_after(c);
}

void lanewise_check_pq_nearest(struct lw_check *c)
{
	for (size_t n_lanes = 16; n_lanes <= 256; n_lanes += 16)
		for (int pattern = 0; pattern < lanewise_check_patterns; pattern++)
			for (int i = 0; i < (c->quick ? 1 : 4); i++) {
				size_t n = lanewise_check_below(c, 40), width = lanewise_check_below(c, 20);
				size_t n_centroids = n_lanes - lanewise_check_below(c, 16);

				judge_nearest(c, n, width, n_lanes, n_centroids, pattern);
			}
}

void lanewise_check_pq_sums(struct lw_check *c)
{
	uint8_t *tables = c->scratch[0], *block = c->scratch[1];
	uint16_t expected[128];

	for (size_t n_parts = 0; n_parts <= 256; n_parts += c->quick ? 1 + lanewise_check_below(c, 30) : 1)
		for (int kind = 0; kind < 3; kind++) {
			for (size_t i = 0; i < n_parts * 16; i++)
				tables[i] = kind ? (uint8_t)lanewise_check_random(c) : 255;
			for (size_t i = 0; i < n_parts * 64; i++)
				block[i] = (uint8_t)lanewise_check_random(c);
			c->where.length = n_parts;
			c->reference->pq_sums(tables, block, n_parts, expected);

			const uint8_t *t = lanewise_check_input(c, 0, tables, n_parts * 16, LW_AT_FRONT + kind);
			const uint8_t *b = lanewise_check_input(c, 1, block, n_parts * 64, LW_AT_FRONT + kind);
			uint16_t *sums = lanewise_check_output(c, 2, sizeof expected, LW_AT_BACK);

			c->subject->pq_sums(t, b, n_parts, sums);
			lanewise_check_same(c, "sums", expected, sums, sizeof expected, sizeof *sums);
			lanewise_check_after(c);
		}
}
