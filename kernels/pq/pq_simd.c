/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels of lanewise/pq.h in the vocabulary of vec.h.
 *
 * Nearest centroid: a lane has a centroid, so distances need no sum across lanes. They are kept, the least of all is
 * found, and then the first lane that has it. A NaN is no least: a point with a NaN has the distance NaN to all.
 *
 * Sums of table entries: 16 bytes of a table serve all bytes of a vector (Andre, Kermarrec and Le Scouarnec, "Cache
 * locality is not enough: high-performance nearest neighbor search with product quantization fast scan", 2015). Sums have
 * 16 bits: bytes with even and odd numbers are added up apart.
 */
#include <math.h>

#include "vec.h"

enum { MAX_LANES = 256, SIDE_BY_SIDE = 4, BLOCK = 64 };

/* Distances of a point to `count` (a constant) vectors of centroids from lane `first` on; the lesser of them and least. */
LW_INLINE vf distances(int count, const float *point, const float *centroids, size_t width, size_t n_lanes,
                       size_t first, float *out, vf least)
{
	vf sums[SIDE_BY_SIDE];

#pragma GCC unroll 4
	for (int j = 0; j < count; j++)
		sums[j] = vf_zero();
	for (size_t i = 0; i < width; i++) {
		vf x = vf_set1(point[i]);

#pragma GCC unroll 4
		for (int j = 0; j < count; j++) {
			vf difference = vf_sub(x, vf_load(centroids + i * n_lanes + first + (size_t)j * VF_LANES));

			sums[j] = vf_fma(difference, difference, sums[j]);
		}
	}
#pragma GCC unroll 4
	for (int j = 0; j < count; j++) {
		vf_store(out + first + (size_t)j * VF_LANES, sums[j]);
		least = vf_select(vf_gt(least, sums[j]), sums[j], least);
	}
	return least;
}

LW_INLINE size_t nearest(const float *point, const float *centroids, size_t width, size_t n_lanes)
{
	float out[MAX_LANES], lanes[VF_LANES], value = INFINITY;
	vf least = vf_set1(INFINITY);
	size_t first = 0;

	for (; n_lanes - first >= SIDE_BY_SIDE * VF_LANES; first += SIDE_BY_SIDE * VF_LANES)
		least = distances(SIDE_BY_SIDE, point, centroids, width, n_lanes, first, out, least);
	for (; first < n_lanes; first += VF_LANES)
		least = distances(1, point, centroids, width, n_lanes, first, out, least);
	vf_store(lanes, least);
	for (int i = 0; i < VF_LANES; i++)
		value = lanes[i] < value ? lanes[i] : value;
	if (!(value < INFINITY))
		return 0;
	for (first = 0; first < n_lanes; first += VF_LANES) {
		uint32_t bits = vb_bits(vf_eq(vf_load(out + first), vf_set1(value)));

		if (bits)
			return first + (size_t)__builtin_ctz(bits);
	}
	return 0; /* not reached: some lane has the least */
}

void LW_FN(pq_nearest)(const float *points, size_t n, size_t ld, const float *centroids, size_t width, size_t n_lanes,
                       uint8_t *code, size_t code_stride)
{
	for (size_t p = 0; p < n; p++)
		code[p * code_stride] = (uint8_t)nearest(points + p * ld, centroids, width, n_lanes);
}

/* Even and odd bytes of `part` back in order. */
LW_INLINE void store_sums(vq even, vq odd, uint16_t *sums)
{
	uint16_t e[VQ_LANES / 2], o[VQ_LANES / 2];

	vq_store16(e, even);
	vq_store16(o, odd);
	for (size_t i = 0; i < VQ_LANES / 2; i++) {
		sums[2 * i] = e[i];
		sums[2 * i + 1] = o[i];
	}
}

void LW_FN(pq_sums)(const uint8_t *tables, const uint8_t *block, size_t n_parts, uint16_t *sums)
{
	for (size_t at = 0; at < BLOCK; at += VQ_LANES) {
		vq even[2] = { vq_set1(0), vq_set1(0) }, odd[2] = { vq_set1(0), vq_set1(0) };

		for (size_t part = 0; part < n_parts; part++) {
			vq table = vq_repeat16(tables + part * 16), both = vq_load(block + part * BLOCK + at);
			vq low = vq_lookup(table, vq_low_half(both)), high = vq_lookup(table, vq_high_half(both));

			even[0] = vq_add16(even[0], vq_even_bytes(low));
			odd[0] = vq_add16(odd[0], vq_odd_bytes(low));
			even[1] = vq_add16(even[1], vq_even_bytes(high));
			odd[1] = vq_add16(odd[1], vq_odd_bytes(high));
		}
		store_sums(even[0], odd[0], sums + at);
		store_sums(even[1], odd[1], sums + BLOCK + at);
	}
}
