/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops that one writes first, compiled more than once with different flags (PEER_NAME and PEER_FLAGS say which):
 * what a compiler makes of them is the least that hand-written kernels must beat.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

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

static void dot_u8i8_rows(const uint8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld, int32_t *out)
{
	for (size_t r = 0; r < n_rows; r++) {
		int32_t sum = 0;

		for (size_t i = 0; i < dim; i++)
			sum += query[i] * rows[r * ld + i];
		out[r] = sum;
	}
}

static void dot_i8u8_rows(const int8_t *query, const uint8_t *rows, size_t n_rows, size_t dim, size_t ld, int32_t *out)
{
	for (size_t r = 0; r < n_rows; r++) {
		int32_t sum = 0;

		for (size_t i = 0; i < dim; i++)
			sum += query[i] * rows[r * ld + i];
		out[r] = sum;
	}
}

static void sigmoid_f32(const float *x, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = 1 / (1 + expf(-x[i]));
}

static void softmax_f32(const float *x, size_t n, float *out)
{
	double sum = 0; /* a float would be off by more than rounding where n is large */
	float max = -INFINITY;

	for (size_t i = 0; i < n; i++)
		max = x[i] > max ? x[i] : max;
	for (size_t i = 0; i < n; i++) {
		out[i] = expf(x[i] - max);
		sum += out[i];
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (float)(out[i] / sum);
}

static void mean_pool_f32(const float *tokens, size_t n_tokens, size_t dim, const uint8_t *mask, float *out)
{
	size_t count = 0;

	for (size_t i = 0; i < dim; i++)
		out[i] = 0;
	for (size_t t = 0; t < n_tokens; t++) {
		if (!mask[t])
			continue;
		count++;
		for (size_t i = 0; i < dim; i++)
			out[i] += tokens[t * dim + i];
	}
	for (size_t i = 0; count && i < dim; i++)
		out[i] /= (float)count;
}

static void similarity_f32(const float *rows, size_t n, size_t dim, float *out)
{
	for (size_t i = 0; i < n; i++)
		dot_f32_rows(rows + i * dim, rows, n, dim, dim, out + i * n);
}

static size_t count_pairs_f32(const float *rows, size_t n, size_t dim, float threshold)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			count += dot_f32(rows + i * dim, rows + j * dim, dim) >= threshold;
	return count;
}

static size_t dedup_rows_f32(const float *rows, size_t n, size_t dim, float threshold)
{
	uint32_t *kept = malloc(n * sizeof *kept);
	size_t n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		while (j < n_kept && dot_f32(rows + i * dim, rows + kept[j] * dim, dim) < threshold)
			j++;
		if (j == n_kept)
			kept[n_kept++] = (uint32_t)i;
	}
	free(kept);
	return n_kept;
}

static void neighbours_f32(const float *queries, size_t n_queries, const float *rows, size_t n_rows, size_t dim,
                           size_t k, int64_t *index, float *score)
{
	for (size_t q = 0; q < n_queries; q++) {
		size_t n = 0;

		for (size_t r = 0; r < n_rows; r++) {
			float value = dot_f32(queries + q * dim, rows + r * dim, dim);
			size_t at;

			if (n == k && value <= score[q * k + k - 1])
				continue;
			at = n < k ? n++ : k - 1;
			for (; at > 0 && score[q * k + at - 1] < value; at--) {
				score[q * k + at] = score[q * k + at - 1];
				index[q * k + at] = index[q * k + at - 1];
			}
			score[q * k + at] = value;
			index[q * k + at] = (int64_t)r;
		}
	}
}

struct plain_pq {
	size_t dim, n_parts, n_centroids, n_rows;
	const float *centroids;
	uint8_t *codes;
	float *tables;
};

static void pq_encode(void *context, const float *rows, size_t n_rows, uint8_t *codes)
{
	const struct plain_pq *pq = context;
	size_t width = pq->dim / pq->n_parts;

	for (size_t r = 0; r < n_rows; r++)
		for (size_t part = 0; part < pq->n_parts; part++) {
			float least = INFINITY;

			for (size_t c = 0; c < pq->n_centroids; c++) {
				float distance = l2sq_f32(rows + r * pq->dim + part * width,
				                          pq->centroids + (part * pq->n_centroids + c) * width, width);

				if (distance < least) {
					least = distance;
					codes[r * pq->n_parts + part] = (uint8_t)c;
				}
			}
		}
}

static void *pq_create(size_t dim, size_t n_parts, size_t n_centroids, const float *centroids, const float *rows,
                       size_t n_rows)
{
	struct plain_pq *pq = malloc(sizeof *pq);

	*pq = (struct plain_pq) { dim,
		                  n_parts,
		                  n_centroids,
		                  n_rows,
		                  centroids,
		                  malloc(n_rows * n_parts),
		                  malloc(n_parts * n_centroids * sizeof(float)) };
	pq_encode(pq, rows, n_rows, pq->codes);
	return pq;
}

static void pq_search(void *context, const float *query, size_t k, int64_t *index, float *score)
{
	const struct plain_pq *pq = context;
	size_t width = pq->dim / pq->n_parts, n = 0;

	for (size_t part = 0; part < pq->n_parts; part++)
		dot_f32_rows(query + part * width, pq->centroids + part * pq->n_centroids * width, pq->n_centroids,
		             width, width, pq->tables + part * pq->n_centroids);
	for (size_t r = 0; r < pq->n_rows; r++) {
		float value = 0;
		size_t at;

		for (size_t part = 0; part < pq->n_parts; part++)
			value += pq->tables[part * pq->n_centroids + pq->codes[r * pq->n_parts + part]];
		if (n == k && value <= score[k - 1])
			continue;
		at = n < k ? n++ : k - 1;
		for (; at > 0 && score[at - 1] < value; at--) {
			score[at] = score[at - 1];
			index[at] = index[at - 1];
		}
		score[at] = value;
		index[at] = (int64_t)r;
	}
}

static void pq_destroy(void *context)
{
	struct plain_pq *pq = context;

	free(pq->codes);
	free(pq->tables);
	free(pq);
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

/* Words of ASCII, byte by byte. */
static int is_of_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t split_words(const char *text, size_t n_bytes, struct lanewise_word *words, char *folded)
{
	size_t n = 0;

	for (size_t at = 0; at < n_bytes;) {
		size_t begin;

		while (at < n_bytes && !is_of_word(text[at]))
			at++;
		if (at == n_bytes)
			break;
		for (begin = at; at < n_bytes && is_of_word(text[at]); at++)
			folded[at - begin] = (char)(text[at] >= 'A' && text[at] <= 'Z' ? text[at] | 0x20 : text[at]);
		words[n++] = (struct lanewise_word) { folded, at - begin, begin, at };
		folded += at - begin;
	}
	return n;
}

/* A table of words with their counts: FNV-1a, chains, a copy of each word. */
enum { CHAINS = 1 << 16, MAX_WORDS = 1 << 12 };

struct counted {
	struct counted *next;
	size_t count, n_bytes;
	char text[];
};

struct counts {
	struct counted *chains[CHAINS];
	size_t n;
	struct lanewise_word words[MAX_WORDS];
	char folded[1 << 14];
};

static void *count_create(void) { return calloc(1, sizeof(struct counts)); }

static void count_word(struct counts *counts, const struct lanewise_word *word)
{
	uint32_t hash = 2166136261;
	struct counted **place;

	for (size_t i = 0; i < word->n_bytes; i++)
		hash = (hash ^ (unsigned char)word->text[i]) * 16777619;
	for (place = &counts->chains[hash % CHAINS]; *place; place = &(*place)->next)
		if ((*place)->n_bytes == word->n_bytes && memcmp((*place)->text, word->text, word->n_bytes) == 0) {
			(*place)->count++;
			return;
		}
	*place = malloc(sizeof **place + word->n_bytes);
	(*place)->next = NULL;
	(*place)->count = 1;
	(*place)->n_bytes = word->n_bytes;
	memcpy((*place)->text, word->text, word->n_bytes);
	counts->n++;
}

static void count_words(void *table, const char *text, size_t n_bytes)
{
	struct counts *counts = table;
	size_t n = split_words(text, n_bytes, counts->words, counts->folded);

	for (size_t i = 0; i < n; i++)
		count_word(counts, &counts->words[i]);
}

static size_t count_destroy(void *table)
{
	struct counts *counts = table;
	size_t n = counts->n;

	for (size_t i = 0; i < CHAINS; i++)
		for (struct counted *word = counts->chains[i], *next; word; word = next) {
			next = word->next;
			free(word);
		}
	free(counts);
	return n;
}

/* Character by character. */
static size_t count_ideographs(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t count = 0;

	for (size_t i = 0; i < n;) {
		unsigned c = p[i];

		if (c < 0x80) {
			i++;
		} else if (c < 0xe0 || n - i < 3) {
			i += 2;
		} else if (c < 0xf0) {
			c = (c & 15) << 12 | (p[i + 1] & 63u) << 6 | (p[i + 2] & 63u);
			count += c >= 0x4e00 && c <= 0x9fff;
			i += 3;
		} else {
			i += 4;
		}
	}
	return count;
}

static void timestamps(const char *text, const uint64_t *begin, size_t n, int64_t *out)
{
	for (size_t i = 0; i < n; i++) {
		struct tm tm = { 0 };

		strptime(text + begin[i], "%Y-%m-%dT%H:%M:%SZ", &tm);
		out[i] = (int64_t)timegm(&tm) * 1000000000;
	}
}

/* ------------------------------------------------------------------- dedup */

static uint64_t hash64(const void *data, size_t n_bytes) { return XXH3_64bits(data, n_bytes); }

static void hash64_batch(const void *data, const uint64_t *begin, const uint64_t *end, size_t n, uint64_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = XXH3_64bits((const char *)data + begin[i], end[i] - begin[i]);
}

static size_t line_ends(const char *text, size_t n_bytes, uint32_t *ends)
{
	size_t n = 0;

	for (const char *p = text, *end = text + n_bytes; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		ends[n++] = (uint32_t)(p - text);
	return n;
}

static int is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* One block's normal form to `out`; its length. */
static size_t normalize_block(const char *text, size_t n, char *out)
{
	size_t used = 0;
	int after_space = 1;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (is_space(c)) {
			if (!after_space)
				out[used++] = ' ';
			after_space = 1;
			continue;
		}
		out[used++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		after_space = 0;
	}
	if (used > 0 && after_space)
		used--;
	while (used > 0 &&
	       (out[used - 1] == '.' || out[used - 1] == ',' || out[used - 1] == ';' || out[used - 1] == ':'))
		used--;
	return used;
}

/* The end of the block that begins at `at`. */
static size_t block_end(const char *text, size_t n, size_t at)
{
	while (at < n && !(text[at] == '\n' && at + 1 < n && text[at + 1] == '\n'))
		at++;
	return at;
}

static size_t normalize_blocks(const char *text, size_t n_bytes, char *out)
{
	size_t used = 0, n = 0;

	for (size_t at = 0; at < n_bytes;) {
		if (text[at] == '\n') {
			at++;
			continue;
		}
		size_t end = block_end(text, n_bytes, at);

		used += normalize_block(text + at, end - at, out + used);
		n++;
		at = end;
	}
	return used + n;
}

struct hash_table {
	uint64_t *slots; /* 0 is empty, which no hash of the data is */
	size_t n, n_slots;
};

static int table_insert(struct hash_table *table, uint64_t hash)
{
	size_t i = hash & (table->n_slots - 1);

	while (table->slots[i] && table->slots[i] != hash)
		i = (i + 1) & (table->n_slots - 1);
	if (table->slots[i])
		return 0;
	table->slots[i] = hash;
	table->n++;
	return 1;
}

static void table_grow(struct hash_table *table)
{
	struct hash_table grown = { .n_slots = 2 * table->n_slots };

	grown.slots = calloc(grown.n_slots, sizeof *grown.slots);
	for (size_t i = 0; i < table->n_slots; i++)
		if (table->slots[i])
			table_insert(&grown, table->slots[i]);
	free(table->slots);
	*table = grown;
}

static size_t unique_blocks(const char *text, size_t n_bytes, char *out)
{
	struct hash_table table = { .slots = calloc(1024, sizeof *table.slots), .n_slots = 1024 };

	for (size_t at = 0; at < n_bytes;) {
		if (text[at] == '\n') {
			at++;
			continue;
		}
		size_t end = block_end(text, n_bytes, at), n = normalize_block(text + at, end - at, out);

		if (2 * table.n >= table.n_slots)
			table_grow(&table);
		table_insert(&table, XXH3_64bits(out, n));
		at = end;
	}
	free(table.slots);
	return table.n;
}

static int is_loop(const uint32_t *end, size_t n, uint32_t period, uint32_t count)
{
	size_t length = (size_t)period * count;

	if (n < length)
		return 0;
	for (size_t i = 1; i <= length - period; i++)
		if (end[-(ptrdiff_t)i] != end[-(ptrdiff_t)(i + period)])
			return 0;
	return 1;
}

static uint64_t loop_periods(const uint32_t *tokens, size_t n, uint32_t min, uint32_t max, uint32_t count)
{
	uint64_t sum = 0;

	for (size_t i = 1; i <= n; i++) {
		uint32_t period = min;

		while (period <= max && !is_loop(tokens + i, i, period, count))
			period++;
		sum += period <= max ? period : 0;
	}
	return sum;
}

/* A set of which the hashes are what one already has: open addressing, one slot after the other. */
static void *set_create(size_t expected)
{
	struct hash_table *table = malloc(sizeof *table);

	*table = (struct hash_table) { .n_slots = 1024 };
	while (table->n_slots < 2 * expected)
		table->n_slots *= 2;
	table->slots = calloc(table->n_slots, sizeof *table->slots);
	return table;
}

static size_t set_insert(void *set, const uint64_t *hashes, size_t n)
{
	struct hash_table *table = set;
	size_t before = table->n;

	for (size_t i = 0; i < n; i++) {
		if (2 * table->n >= table->n_slots)
			table_grow(table);
		table_insert(table, hashes[i]);
	}
	return table->n - before;
}

static void set_destroy(void *set)
{
	free(((struct hash_table *)set)->slots);
	free(set);
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
		.dot_u8i8_rows = dot_u8i8_rows,
		.dot_i8u8_rows = dot_i8u8_rows,
#if defined(__FLT16_MAX__)
		.dot_f16_rows = dot_f16_rows,
#endif
		.dot_bf16_rows = dot_bf16_rows,
		.hamming_rows = hamming_rows,
		.hash64 = hash64,
		.hash64_batch = hash64_batch,
		.line_ends = line_ends,
		.normalize_blocks = normalize_blocks,
		.unique_blocks = unique_blocks,
		.loop_periods = loop_periods,
		.set_create = set_create,
		.set_insert = set_insert,
		.set_destroy = set_destroy,
		.fastcdc = fastcdc,
		.count_ideographs = count_ideographs,
		.timestamps = timestamps,
		.split_words = split_words,
		.count_create = count_create,
		.count_words = count_words,
		.count_destroy = count_destroy,
		.sigmoid_f32 = sigmoid_f32,
		.softmax_f32 = softmax_f32,
		.mean_pool_f32 = mean_pool_f32,
		.similarity_f32 = similarity_f32,
		.count_pairs_f32 = count_pairs_f32,
		.dedup_rows_f32 = dedup_rows_f32,
		.neighbours_f32 = neighbours_f32,
		.pq_create = pq_create,
		.pq_encode = pq_encode,
		.pq_search = pq_search,
		.pq_destroy = pq_destroy,
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
