/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops that one writes first, compiled more than once with different flags (PEER_NAME and PEER_FLAGS say which):
 * what a compiler makes of them is the least that hand-written kernels must beat.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

#include "../../kernels/chunk/gear_table.h"

static float dot_f32(const float *a, const float *b, size_t n)
{
	float sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static float l2sq_f32(const float *a, const float *b, size_t n)
{
	float sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (a[i] - b[i]) * (a[i] - b[i]);
	return sum;
}

static float cosine_f32(const float *a, const float *b, size_t n)
{
	float ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < n; i++) {
		ab += a[i] * b[i];
		aa += a[i] * a[i];
		bb += b[i] * b[i];
	}
	return ab / sqrtf(aa * bb);
}

static void dot_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	for (size_t r = 0; r < n_rows; r++)
		out[r] = dot_f32(query, rows + r * ld, dim);
}

#if defined(__FLT16_MAX__)
static void dot_f16_rows(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	for (size_t r = 0; r < n_rows; r++) {
		const uint16_t *row = rows + r * ld;
		float sum = 0;

		for (size_t i = 0; i < dim; i++) {
			_Float16 x;

			memcpy(&x, &row[i], sizeof x);
			sum += query[i] * (float)x;
		}
		out[r] = sum;
	}
}
#endif

static void dot_bf16_rows(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	for (size_t r = 0; r < n_rows; r++) {
		const uint16_t *row = rows + r * ld;
		float sum = 0;

		for (size_t i = 0; i < dim; i++) {
			uint32_t bits = (uint32_t)row[i] << 16;
			float x;

			memcpy(&x, &bits, sizeof x);
			sum += query[i] * x;
		}
		out[r] = sum;
	}
}

static void hamming_rows(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
                         uint32_t *out)
{
	for (size_t r = 0; r < n_rows; r++) {
		uint32_t n = 0;

		for (size_t i = 0; i < n_bytes; i++)
			n += (uint32_t)__builtin_popcount(query[i] ^ rows[r * ld + i]);
		out[r] = n;
	}
}

static void l2sq_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	for (size_t r = 0; r < n_rows; r++)
		out[r] = l2sq_f32(query, rows + r * ld, dim);
}

static void cosine_f32_rows(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	for (size_t r = 0; r < n_rows; r++)
		out[r] = cosine_f32(query, rows + r * ld, dim);
}

static void norm_f32_rows(const float *rows, size_t n_rows, size_t dim, size_t ld, float *out)
{
	for (size_t r = 0; r < n_rows; r++)
		out[r] = sqrtf(dot_f32(rows + r * ld, rows + r * ld, dim));
}

static void normalize_f32_rows(float *rows, size_t n_rows, size_t dim, size_t ld)
{
	for (size_t r = 0; r < n_rows; r++) {
		float *row = rows + r * ld;
		float factor = 1 / sqrtf(dot_f32(row, row, dim));

		for (size_t i = 0; i < dim; i++)
			row[i] *= factor;
	}
}

static void dot_i8_rows(const int8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld, int32_t *out)
{
	for (size_t r = 0; r < n_rows; r++) {
		int32_t sum = 0;

		for (size_t i = 0; i < dim; i++)
			sum += query[i] * rows[r * ld + i];
		out[r] = sum;
	}
}

static void pagerank_step(size_t n, const uint32_t *in_offset, const uint32_t *source, const double *inverse,
                          double damping, double *rank, double *share)
{
	for (size_t v = 0; v < n; v++) {
		double sum = 0;

		for (uint32_t i = in_offset[v]; i < in_offset[v + 1]; i++)
			sum += share[source[i]];
		rank[v] = (1 - damping) / (double)n + damping * sum;
	}
	for (size_t v = 0; v < n; v++)
		share[v] = rank[v] * inverse[v];
}

struct memmem_set {
	size_t n;
	const struct lanewise_pattern *patterns; /* the caller's */
};

static void *scan_create(const struct lanewise_pattern *patterns, size_t n)
{
	struct memmem_set *set = n <= 50 ? malloc(sizeof *set) : NULL; /* more take too long */

	if (set)
		*set = (struct memmem_set) { n, patterns };
	return set;
}

/* The C library's memmem, pattern after pattern. */
static uint64_t scan_count(void *context, const void *text, size_t n_bytes)
{
	const struct memmem_set *set = context;
	uint64_t count = 0;

	for (size_t i = 0; i < set->n; i++) {
		const char *at = text, *end = at + n_bytes;

		while ((at = memmem(at, (size_t)(end - at), set->patterns[i].bytes, set->patterns[i].n_bytes))) {
			count++;
			at++;
		}
	}
	return count;
}

static void scan_destroy(void *set) { free(set); }

static void minhash_mul32(const uint64_t *hashes, size_t n, const uint32_t *a, const uint32_t *b, size_t k,
                          uint32_t *signature)
{
	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < k; i++) {
			uint32_t value = a[i] * (uint32_t)hashes[t] + b[i];

			signature[i] = value < signature[i] ? value : signature[i];
		}
}

static void minhash_mul64(const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                          uint32_t *signature)
{
	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < k; i++) {
			uint32_t value = (uint32_t)((a[i] * hashes[t] + b[i]) >> 32);

			signature[i] = value < signature[i] ? value : signature[i];
		}
}

static void minhash_mod61(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                          uint32_t *signature)
{
	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < k; i++) {
			uint32_t value = (uint32_t)((a[i] * hashes[t] + b[i]) % (((uint64_t)1 << 61) - 1));

			signature[i] = value < signature[i] ? value : signature[i];
		}
}

static uint64_t simhash_64(const uint64_t *hashes, size_t n)
{
	int balance[64] = { 0 };
	uint64_t bits = 0;

	for (size_t i = 0; i < n; i++)
		for (int bit = 0; bit < 64; bit++)
			balance[bit] += hashes[i] >> bit & 1 ? 1 : -1;
	for (int bit = 0; bit < 64; bit++)
		bits |= (uint64_t)(balance[bit] > 0) << bit;
	return bits;
}

/* Two bytes at a time, as the paper has it. */
static size_t fastcdc_cut(const unsigned char *p, size_t n, const uint64_t gear_2[256])
{
	const uint64_t mask_s = 0x0000d90f03530000, mask_l = 0x0000d90303530000;
	size_t normal = 16384, at = 4096;
	uint64_t h = 0;

	if (n <= at)
		return n;
	n = n < 65536 ? n : 65536;
	normal = n < normal ? n : normal;
	for (; at + 1 < normal; at += 2) {
		h = (h << 2) + gear_2[p[at]];
		if (!(h & mask_s << 1))
			return at;
		h += lw_gear[p[at + 1]];
		if (!(h & mask_s))
			return at + 1;
	}
	for (; at + 1 < n; at += 2) {
		h = (h << 2) + gear_2[p[at]];
		if (!(h & mask_l << 1))
			return at;
		h += lw_gear[p[at + 1]];
		if (!(h & mask_l))
			return at + 1;
	}
	return n;
}

static size_t fastcdc(const unsigned char *data, size_t n_bytes)
{
	uint64_t gear_2[256];
	size_t n_chunks = 0;

	for (int i = 0; i < 256; i++)
		gear_2[i] = lw_gear[i] << 1;
	for (size_t at = 0; at < n_bytes; n_chunks++)
		at += fastcdc_cut(data + at, n_bytes - at, gear_2);
	return n_chunks;
}

const struct bench_peer *bench_peer_get(void)
{
	static const struct bench_peer peer = {
		.name = PEER_NAME,
		.version = PEER_FLAGS,
		.dot_f32_rows = dot_f32_rows,
		.cosine_f32_rows = cosine_f32_rows,
		.l2sq_f32_rows = l2sq_f32_rows,
		.norm_f32_rows = norm_f32_rows,
		.normalize_f32_rows = normalize_f32_rows,
		.dot_f32 = dot_f32,
		.cosine_f32 = cosine_f32,
		.l2sq_f32 = l2sq_f32,
		.dot_i8_rows = dot_i8_rows,
#if defined(__FLT16_MAX__)
		.dot_f16_rows = dot_f16_rows,
#endif
		.dot_bf16_rows = dot_bf16_rows,
		.hamming_rows = hamming_rows,
		.fastcdc = fastcdc,
		.pagerank_step = pagerank_step,
		.scan_create = scan_create,
		.scan_count = scan_count,
		.scan_destroy = scan_destroy,
		.minhash_mul32 = minhash_mul32,
		.minhash_mul64 = minhash_mul64,
		.minhash_mod61 = minhash_mod61,
		.simhash_64 = simhash_64,
	};

	return &peer;
}
