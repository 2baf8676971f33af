/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer offers: other libraries' (or plain compiled) code for the jobs that are measured. Every peer is a
 * shared module of its own, loaded at run time if it was built, so nothing depends on it.
 *
 * A module exports `const struct bench_peer *bench_peer_get(void)`. Members that it has no code for are NULL. A new
 * family adds its members here; existing peers then have NULL there.
 */
#ifndef LW_BENCH_PEER_H
#define LW_BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

#include <lanewise/scan.h>
#include <lanewise/text.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_peer {
	const char *name;
	const char *version;

	/* One query and rows, as in lanewise/vector.h. */
	void (*dot_f32_rows)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out);
	void (*cosine_f32_rows)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
	                        float *out);
	void (*l2sq_f32_rows)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, float *out);
	void (*norm_f32_rows)(const float *rows, size_t n_rows, size_t dim, size_t ld, float *out);
	void (*normalize_f32_rows)(float *rows, size_t n_rows, size_t dim, size_t ld);

	/* One pair. */
	float (*dot_f32)(const float *a, const float *b, size_t n);
	float (*cosine_f32)(const float *a, const float *b, size_t n);
	float (*l2sq_f32)(const float *a, const float *b, size_t n);

	/* The k largest, best first, with their indices. */
	void (*topk_f32)(const float *scores, size_t n, size_t k, int64_t *index, float *score);
	/* The k rows of largest dot product; rows are adjacent (ld = dim). */
	void (*scan_topk_f32)(const float *query, const float *rows, size_t n_rows, size_t dim, size_t k,
	                      int64_t *index, float *score);

	/* The same with 16-bit rows, and the bits that differ between a query and rows of so many bytes. */
	void (*dot_f16_rows)(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
	                     float *out);
	void (*dot_bf16_rows)(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
	                      float *out);
	void (*hamming_rows)(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes, size_t ld,
	                     uint32_t *out);
	/* The same for many queries, adjacent too; results one query after the other. */
	void (*scan_topk_f32_queries)(const float *queries, size_t n_queries, const float *rows, size_t n_rows,
	                              size_t dim, size_t k, int64_t *index, float *score);

	void (*dot_u8i8_rows)(const uint8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld,
	                      int32_t *out);
	void (*dot_i8u8_rows)(const int8_t *query, const uint8_t *rows, size_t n_rows, size_t dim, size_t ld,
	                      int32_t *out);
	void (*dot_i8_rows)(const int8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld,
	                    int32_t *out);

	/* Around a model; out[i] of mean_pool is the mean over the tokens whose mask is not 0. */
	void (*sigmoid_f32)(const float *x, size_t n, float *out);
	void (*softmax_f32)(const float *x, size_t n, float *out);
	void (*mean_pool_f32)(const float *tokens, size_t n_tokens, size_t dim, const uint8_t *mask, float *out);

	/*
	 * Rows with rows, adjacent: all dot products; the number of pairs that reach a threshold; the number of rows that
	 * are not like one kept before.
	 */
	void (*similarity_f32)(const float *rows, size_t n, size_t dim, float *out);
	size_t (*count_pairs_f32)(const float *rows, size_t n, size_t dim, float threshold);
	size_t (*dedup_rows_f32)(const float *rows, size_t n, size_t dim, float threshold);
	/* As scan_topk_f32_queries; apart, since plain loops have no place where that is measured. */
	void (*neighbours_f32)(const float *queries, size_t n_queries, const float *rows, size_t n_rows, size_t dim,
	                       size_t k, int64_t *index, float *score);

	/*
	 * A product quantiser (n_centroids is 16 or 256; centroids part by part, then one after the other) with the codes of
	 * rows; codes of rows, a byte or half of one each; the k rows of largest approximate dot product.
	 */
	void *(*pq_create)(size_t dim, size_t n_parts, size_t n_centroids, const float *centroids, const float *rows,
	                   size_t n_rows);
	void (*pq_encode)(void *pq, const float *rows, size_t n_rows, uint8_t *codes);
	void (*pq_search)(void *pq, const float *query, size_t k, int64_t *index, float *score);
	void (*pq_destroy)(void *pq);

	uint64_t (*hash64)(const void *data, size_t n_bytes);

	/*
	 * hash64 of data[begin[i] ... end[i]) for n strings. Where lines end (there is room). Blocks between blank lines,
	 * their whitespace collapsed and trimmed, A-Z lowered, without . , ; : at the end, one after another to `out`: their
	 * number and length together; the number of different ones among them. The shortest period of min ... max of which
	 * the last `count` blocks of n tokens are one, after every token: the sum of these.
	 */
	void (*hash64_batch)(const void *data, const uint64_t *begin, const uint64_t *end, size_t n, uint64_t *out);
	size_t (*line_ends)(const char *text, size_t n_bytes, uint32_t *ends);
	size_t (*normalize_blocks)(const char *text, size_t n_bytes, char *out);
	size_t (*unique_blocks)(const char *text, size_t n_bytes, char *out);
	uint64_t (*loop_periods)(const uint32_t *tokens, size_t n, uint32_t min, uint32_t max, uint32_t count);

	/* A set of 64-bit hashes with room for so many; inserting n, which returns how many were new. */
	void *(*set_create)(size_t expected);
	size_t (*set_insert)(void *set, const uint64_t *hashes, size_t n);
	void (*set_destroy)(void *set);

	/* The number of chunks by FastCDC 2020, level 1, with chunks of 4096, 16384 and 65536 bytes. */
	size_t (*fastcdc)(const unsigned char *data, size_t n_bytes);

	/*
	 * Text: whether it is UTF-8; the positions of JSON's tokens (kept by the peer); whether it is JSON, with a tree made.
	 */
	int (*utf8_valid)(const char *text, size_t n_bytes);
	void (*json_index)(const char *text, size_t n_bytes);
	int (*json_parse)(const char *text, size_t n_bytes);
	size_t (*count_ideographs)(const char *text, size_t n_bytes);

	/*
	 * JSON, each with the number of what was valid or found: documents text[begin[i], begin[i + 1] - 1) one by one; lines;
	 * the numbers of data[].embedding; the text of a document that is one string. And the bytes of all
	 * choices[0].delta.content in a stream of events, which is there as a whole.
	 */
	size_t (*json_documents)(const char *text, const size_t *begin, size_t n_documents);
	size_t (*json_lines)(const char *text, size_t n_bytes);
	size_t (*json_f32)(const char *text, size_t n_bytes, float *out);
	size_t (*json_f64)(const char *text, size_t n_bytes, double *out);
	size_t (*json_string)(const char *text, size_t n_bytes, char *out);
	size_t (*json_unescape)(const char *text, size_t n_bytes, char *out); /* of such a text, decoding alone */
	size_t (*json_escape)(const char *text, size_t n_bytes,
	                      char *out); /* without quotes; room for 6 * n_bytes + 64 */
	size_t (*sse_content)(const char *text, size_t n_bytes);

	/* Texts like 2026-11-21T04:30:00Z, from text[begin[i]] on, to nanoseconds. */
	void (*timestamps)(const char *text, const uint64_t *begin, size_t n, int64_t *out);

	/*
	 * The words of a text, folded, as lanewise_text_words has them for ASCII; there is room. And a table that counts
	 * them: made, fed, and given up with the number of different words.
	 */
	size_t (*split_words)(const char *text, size_t n_bytes, struct lanewise_word *words, char *folded);
	void *(*count_create)(void);
	void (*count_words)(void *table, const char *text, size_t n_bytes);
	size_t (*count_destroy)(void *table);

	/*
	 * One iteration of PageRank: edges to node v are in_offset[v] ... in_offset[v + 1] - 1, with their sources; share[u]
	 * is u's rank * inverse[u], here and afterwards.
	 */
	void (*pagerank_step)(size_t n, const uint32_t *in_offset, const uint32_t *source, const double *inverse,
	                      double damping, double *rank, double *share);

	/* A set of patterns, or NULL if the peer refuses them; the number of all their matches in a text. */
	void *(*scan_create)(const struct lanewise_pattern *patterns, size_t n_patterns);
	uint64_t (*scan_count)(void *set, const void *text, size_t n_bytes);
	void (*scan_destroy)(void *set);

	/* The same of regular expressions; ignore_case[i] is nonzero where letters of the i-th match in either case. */
	void *(*regex_create)(const char *const *expressions, const int *ignore_case, size_t n);

	/* Signatures and SimHash as in lanewise/near.h. */
	void (*minhash_mul32)(const uint64_t *hashes, size_t n, const uint32_t *a, const uint32_t *b, size_t k,
	                      uint32_t *signature);
	void (*minhash_mul64)(const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
	                      uint32_t *signature);
	void (*minhash_mod61)(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
	                      uint32_t *signature);
	uint64_t (*simhash_64)(const uint64_t *hashes, size_t n);
};

__attribute__((visibility("default"))) const struct bench_peer *bench_peer_get(void);

#ifdef __cplusplus
}
#endif

#endif
