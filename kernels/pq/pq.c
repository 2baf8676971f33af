/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/pq.h. Centroids lie with one dimension of all of them side by side, a lane each, padded to whole vectors with
 * infinities, which nothing is nearest to. What is added up outside the kernels is added in a fixed order, so that
 * training gives the same quantiser everywhere.
 */
#include <lanewise/pq.h>

#include <float.h>
#include <math.h>

#include "common.h"
#include "support.h"

enum { MAX_PACKED_PARTS = 256, MAX_PACKED_CENTROIDS = 16, BATCH = 256, PACKED_BYTES = LANEWISE_PQ_BLOCK_ROWS / 2 };

struct lanewise_pq {
	lanewise_allocator allocator;
	size_t dim, n_parts, width, n_centroids, n_lanes, n_bytes;
	float *centroids; /* of part p: width * n_lanes floats, dimension by dimension */
};

static float *part_of(const lanewise_pq *pq, size_t part) { return pq->centroids + part * pq->width * pq->n_lanes; }

size_t lanewise_pq_dim(const lanewise_pq *pq) { return pq->dim; }

size_t lanewise_pq_n_parts(const lanewise_pq *pq) { return pq->n_parts; }

size_t lanewise_pq_n_centroids(const lanewise_pq *pq) { return pq->n_centroids; }

/* ---------------------------------------------------------------- training */

/* The rows, and what k-means knows of each of them. */
struct training {
	const float *rows; /* from the part's first dimension on */
	size_t n_rows, ld;
	uint64_t random;
	float *distance;
	uint8_t *code;
	double *sums; /* width for each centroid */
	size_t *counts;
};

/* splitmix64, as a number in [0, 1). */
static double random_fraction(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static void set_centroid(const lanewise_pq *pq, float *centroids, size_t c, const float *values)
{
	for (size_t i = 0; i < pq->width; i++)
		centroids[i * pq->n_lanes + c] = values[i];
}

/* Distances to the nearest of the centroids so far, of which `values` is the newest. */
static void update_distances(const lanewise_pq *pq, struct training *t, const float *values)
{
	for (size_t r = 0; r < t->n_rows; r++) {
		float sum = 0;

		for (size_t i = 0; i < pq->width; i++) {
			float difference = t->rows[r * t->ld + i] - values[i];
			float square = difference * difference;

			sum += square;
		}
		t->distance[r] = sum < t->distance[r] ? sum : t->distance[r];
	}
}

static size_t farthest(const struct training *t)
{
	size_t best = 0;

	for (size_t r = 1; r < t->n_rows; r++)
		if (t->distance[r] > t->distance[best])
			best = r;
	return best;
}

/* A row, with a probability in proportion to its distance; the last such row if rounding leads beyond it. */
static size_t random_far(struct training *t)
{
	double total = 0, at, sum = 0;
	size_t last = 0;

	for (size_t r = 0; r < t->n_rows; r++)
		total += (double)t->distance[r];
	at = random_fraction(&t->random) * total;
	for (size_t r = 0; r < t->n_rows; r++) {
		if (!(t->distance[r] > 0))
			continue;
		sum += (double)t->distance[r];
		last = r;
		if (sum > at)
			break;
	}
	return last;
}

static void choose_first_centroids(const lanewise_pq *pq, struct training *t, float *centroids, lanewise_pq_start start)
{
	size_t row = 0;

	for (size_t r = 0; r < t->n_rows; r++)
		t->distance[r] = INFINITY;
	for (size_t c = 0; c < pq->n_centroids; c++) {
		set_centroid(pq, centroids, c, t->rows + row * t->ld);
		update_distances(pq, t, t->rows + row * t->ld);
		row = start == LANEWISE_PQ_FARTHEST_FIRST ? farthest(t) : random_far(t);
	}
}

/* Each row's nearest centroid; returns whether any changed. */
static int assign(const lanewise_pq *pq, struct training *t, const float *centroids)
{
	int changed = 0;
	uint8_t code[BATCH];

	for (size_t r = 0; r < t->n_rows; r += BATCH) {
		size_t n = t->n_rows - r < BATCH ? t->n_rows - r : BATCH;

		lw_kernels()->pq_nearest(t->rows + r * t->ld, n, t->ld, centroids, pq->width, pq->n_lanes, code, 1);
		changed |= memcmp(code, t->code + r, n) != 0;
		memcpy(t->code + r, code, n);
	}
	return changed;
}

static void move_centroids(const lanewise_pq *pq, struct training *t, float *centroids)
{
	memset(t->sums, 0, pq->n_centroids * pq->width * sizeof *t->sums);
	memset(t->counts, 0, pq->n_centroids * sizeof *t->counts);
	for (size_t r = 0; r < t->n_rows; r++) {
		double *sums = t->sums + t->code[r] * pq->width;

		t->counts[t->code[r]]++;
		for (size_t i = 0; i < pq->width; i++)
			sums[i] += (double)t->rows[r * t->ld + i];
	}
	for (size_t c = 0; c < pq->n_centroids; c++)
		for (size_t i = 0; t->counts[c] && i < pq->width; i++)
			centroids[i * pq->n_lanes + c] = (float)(t->sums[c * pq->width + i] / (double)t->counts[c]);
}

static void train_part(const lanewise_pq *pq, struct training *t, float *centroids, const lanewise_pq_options *options)
{
	for (size_t i = 0; i < pq->width * pq->n_lanes; i++)
		centroids[i] = INFINITY;
	choose_first_centroids(pq, t, centroids, options->start);
	assign(pq, t, centroids);
	for (uint32_t round = 0; round < options->max_rounds; round++) {
		move_centroids(pq, t, centroids);
		if (!assign(pq, t, centroids))
			break;
	}
}

static lanewise_status check_rows(const float *rows, size_t n_rows, size_t dim, size_t ld, lanewise_error *error)
{
	for (size_t r = 0; r < n_rows; r++)
		for (size_t i = 0; i < dim; i++)
			if (!(fabsf(rows[r * ld + i]) <= FLT_MAX))
				return lw_fail(error, LANEWISE_ERROR_DATA, (r * ld + i) * sizeof *rows,
				               "rows: element %zu of row %zu is not finite", i, r);
	return LANEWISE_OK;
}

static lanewise_status check_options(const lanewise_pq_options *o, size_t dim, lanewise_error *error)
{
	const char *wrong = o->struct_size != sizeof *o                                         ? "struct_size"
	                    : o->n_parts == 0 || o->n_parts > LANEWISE_PQ_MAX_PARTS             ? "n_parts"
	                    : dim == 0 || dim % o->n_parts != 0                                 ? "n_parts"
	                    : o->n_centroids == 0 || o->n_centroids > LANEWISE_PQ_MAX_CENTROIDS ? "n_centroids"
	                    : o->start != LANEWISE_PQ_PLUS_PLUS && o->start != LANEWISE_PQ_FARTHEST_FIRST ? "start"
	                                                                                                  : NULL;

	return wrong ? lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "options: %s", wrong) : LANEWISE_OK;
}

/* Memory for training beside the quantiser: sums, counts, distances and codes, in this order. */
static size_t training_bytes(const lanewise_pq *pq, size_t n_rows)
{
	return pq->n_centroids * (pq->width * sizeof(double) + sizeof(size_t)) + n_rows * (sizeof(float) + 1);
}

lanewise_status lanewise_pq_train(const float *rows, size_t n_rows, size_t dim, size_t ld,
                                  const lanewise_pq_options *options, const lanewise_allocator *allocator,
                                  lanewise_pq **out, lanewise_error *error)
{
	lanewise_pq made = { .dim = dim };
	lanewise_status status;

	if (!out || !rows || !options || n_rows == 0 || ld < dim)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s",
		               !out          ? "pq is NULL"
		               : !rows       ? "rows is NULL"
		               : !options    ? "options is NULL"
		               : n_rows == 0 ? "n_rows is 0"
		                             : "ld is below dim");
	*out = NULL;
	if ((status = check_options(options, dim, error)))
		return status;
	if (n_rows > SIZE_MAX / sizeof(double) / ld || dim > SIZE_MAX / sizeof(double) / LANEWISE_PQ_MAX_CENTROIDS / 2)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "n_rows * ld or dim is too large");
	if ((status = check_rows(rows, n_rows, dim, ld, error)))
		return status;
	made.n_parts = options->n_parts;
	made.width = dim / options->n_parts;
	made.n_centroids = options->n_centroids;
	made.n_lanes = (options->n_centroids + 15) / 16 * 16;
	made.n_bytes = 64 * ((sizeof made + 63) / 64) + dim * made.n_lanes * sizeof(float);
	if (allocator)
		made.allocator = *allocator;

	lanewise_pq *pq = lw_allocate(allocator, made.n_bytes);
	unsigned char *memory = pq ? lw_allocate(allocator, training_bytes(&made, n_rows)) : NULL;

	if (!memory) {
		lw_release(allocator, pq, made.n_bytes);
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for training");
	}
	*pq = made;
	pq->centroids = (float *)(void *)((unsigned char *)pq + 64 * ((sizeof made + 63) / 64));

	struct training t = { .n_rows = n_rows, .ld = ld };

	t.sums = (double *)(void *)memory;
	t.counts = (size_t *)(void *)(t.sums + made.n_centroids * made.width);
	t.distance = (float *)(void *)(t.counts + made.n_centroids);
	t.code = (uint8_t *)(t.distance + n_rows);
	memset(t.code, 0, n_rows);
	for (size_t part = 0; part < pq->n_parts; part++) {
		t.rows = rows + part * pq->width;
		t.random = options->seed + part * 0x632be59bd9b4e019;
		train_part(pq, &t, part_of(pq, part), options);
	}
	lw_release(allocator, memory, training_bytes(&made, n_rows));
	*out = pq;
	return LANEWISE_OK;
}

void lanewise_pq_destroy(lanewise_pq *pq)
{
	if (!pq)
		return;

	lanewise_allocator allocator = pq->allocator;

	lw_release(allocator.allocate ? &allocator : NULL, pq, pq->n_bytes);
}

/* ------------------------------------------------------------------- codes */

void lanewise_pq_encode(const lanewise_pq *pq, const float *rows, size_t n_rows, size_t ld, uint8_t *codes)
{
	LW_ASSERT(ld >= pq->dim);
	for (size_t r = 0; r < n_rows; r += BATCH) {
		size_t n = n_rows - r < BATCH ? n_rows - r : BATCH;

		for (size_t part = 0; part < pq->n_parts; part++)
			lw_kernels()->pq_nearest(rows + r * ld + part * pq->width, n, ld, part_of(pq, part), pq->width,
			                         pq->n_lanes, codes + r * pq->n_parts + part, pq->n_parts);
	}
}

void lanewise_pq_decode(const lanewise_pq *pq, const uint8_t *codes, size_t n_rows, float *rows, size_t ld)
{
	LW_ASSERT(ld >= pq->dim);
	for (size_t r = 0; r < n_rows; r++)
		for (size_t part = 0; part < pq->n_parts; part++)
			for (size_t i = 0; i < pq->width; i++)
				rows[r * ld + part * pq->width + i] =
				        part_of(pq, part)[i * pq->n_lanes + codes[r * pq->n_parts + part]];
}

/* ------------------------------------------------------------------ scores */

lanewise_status lanewise_pq_tables(const lanewise_pq *pq, const float *query, lanewise_metric metric, float *tables)
{
	if (!pq || !query || !tables || (metric != LANEWISE_METRIC_DOT && metric != LANEWISE_METRIC_L2SQ))
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t part = 0; part < pq->n_parts; part++) {
		float *table = tables + part * pq->n_centroids;

		for (size_t c = 0; c < pq->n_centroids; c++)
			table[c] = 0;
		for (size_t i = 0; i < pq->width; i++) {
			const float *centroids = part_of(pq, part) + i * pq->n_lanes;
			float q = query[part * pq->width + i];

			for (size_t c = 0; c < pq->n_centroids; c++) {
				float a = metric == LANEWISE_METRIC_DOT ? q : q - centroids[c];
				float product = a * (metric == LANEWISE_METRIC_DOT ? centroids[c] : a);

				table[c] += product;
			}
		}
		for (size_t c = 0; c < pq->n_centroids; c++)
			table[c] = lw_f32_canonical(table[c]);
	}
	return LANEWISE_OK;
}

void lanewise_pq_scores(const lanewise_pq *pq, const float *tables, const uint8_t *codes, size_t n_rows, float *out)
{
	enum { ROWS = 8 }; /* side by side, to hide the latency of the additions */
	size_t n_parts = pq->n_parts, r = 0;

	for (; n_rows - r >= ROWS; r += ROWS) {
		const uint8_t *code = codes + r * n_parts;
		const float *table = tables;
		float sums[ROWS] = { 0 };

		for (size_t part = 0; part < n_parts; part++, table += pq->n_centroids)
			for (size_t i = 0; i < ROWS; i++)
				sums[i] += table[code[i * n_parts + part]];
		for (size_t i = 0; i < ROWS; i++)
			out[r + i] = lw_f32_canonical(sums[i]);
	}
	for (; r < n_rows; r++) {
		float sum = 0;

		for (size_t part = 0; part < n_parts; part++)
			sum += tables[part * pq->n_centroids + codes[r * n_parts + part]];
		out[r] = lw_f32_canonical(sum);
	}
}

/* ------------------------------------------------------------ packed codes */

static int has_packed(const lanewise_pq *pq)
{
	return pq->n_centroids <= MAX_PACKED_CENTROIDS && pq->n_parts <= MAX_PACKED_PARTS;
}

size_t lanewise_pq_packed_size(const lanewise_pq *pq, size_t n_rows)
{
	size_t n_blocks = n_rows / LANEWISE_PQ_BLOCK_ROWS + (n_rows % LANEWISE_PQ_BLOCK_ROWS != 0);

	if (!has_packed(pq) || n_blocks > SIZE_MAX / PACKED_BYTES / pq->n_parts)
		return 0;
	return n_blocks * PACKED_BYTES * pq->n_parts;
}

/* In a block, part by part: byte i has row i's code in its lower half and row i + 64's in its upper half. */
void lanewise_pq_pack(const lanewise_pq *pq, const uint8_t *codes, size_t n_rows, uint8_t *packed)
{
	LW_ASSERT(has_packed(pq));
	memset(packed, 0, lanewise_pq_packed_size(pq, n_rows));
	for (size_t r = 0; r < n_rows; r++) {
		uint8_t *block = packed + r / LANEWISE_PQ_BLOCK_ROWS * pq->n_parts * PACKED_BYTES;
		size_t at = r % LANEWISE_PQ_BLOCK_ROWS;

		for (size_t part = 0; part < pq->n_parts; part++)
			block[part * PACKED_BYTES + at % PACKED_BYTES] |=
			        (uint8_t)((codes[r * pq->n_parts + part] & 15) << (at < PACKED_BYTES ? 0 : 4));
	}
}

/* Tables of bytes: entry = base of its table + step * byte, about. Sums of bases go to *base. 0 if not finite. */
static int round_tables(const lanewise_pq *pq, const float *tables, uint8_t *bytes, double *step, double *base)
{
	double widest = 0;

	*base = 0;
	for (size_t part = 0; part < pq->n_parts; part++) {
		const float *table = tables + part * pq->n_centroids;
		float least = table[0], greatest = table[0];

		for (size_t c = 0; c < pq->n_centroids; c++) {
			if (!(fabsf(table[c]) <= FLT_MAX))
				return 0;
			least = table[c] < least ? table[c] : least;
			greatest = table[c] > greatest ? table[c] : greatest;
		}
		*base += (double)least;
		widest = (double)greatest - (double)least > widest ? (double)greatest - (double)least : widest;
	}
	*step = widest / 255;
	for (size_t part = 0; part < pq->n_parts; part++) {
		const float *table = tables + part * pq->n_centroids;
		float least = table[0];

		for (size_t c = 1; c < pq->n_centroids; c++)
			least = table[c] < least ? table[c] : least;
		for (size_t c = 0; c < MAX_PACKED_CENTROIDS; c++)
			bytes[part * MAX_PACKED_CENTROIDS + c] =
			        widest > 0 && c < pq->n_centroids
			                /* NOLINTNEXTLINE(bugprone-incorrect-roundings): it is positive */
			                ? (uint8_t)(((double)table[c] - (double)least) / *step + 0.5)
			                : 0;
	}
	return 1;
}

lanewise_status lanewise_pq_scores_packed(const lanewise_pq *pq, const float *tables, const uint8_t *packed,
                                          size_t n_rows, float *out)
{
	uint8_t bytes[MAX_PACKED_PARTS * MAX_PACKED_CENTROIDS];
	uint16_t sums[LANEWISE_PQ_BLOCK_ROWS];
	double step = 0, base = 0;

	if (!pq || !tables || !has_packed(pq) || (n_rows && (!packed || !out)))
		return LANEWISE_ERROR_ARGUMENT;

	int finite = round_tables(pq, tables, bytes, &step, &base);

	for (size_t r = 0; r < n_rows; r += LANEWISE_PQ_BLOCK_ROWS) {
		size_t n = n_rows - r < LANEWISE_PQ_BLOCK_ROWS ? n_rows - r : LANEWISE_PQ_BLOCK_ROWS;

		if (finite)
			lw_kernels()->pq_sums(bytes, packed, pq->n_parts, sums);
		for (size_t i = 0; i < n; i++)
			out[r + i] = finite ? (float)(base + step * (double)sums[i]) + 0.0f : lw_f32_canonical(NAN);
		packed += pq->n_parts * PACKED_BYTES;
	}
	return LANEWISE_OK;
}
