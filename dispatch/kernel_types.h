/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature of every kernel, as lanewise_<kernel>_fn. Kernels cannot fail and check nothing; what they may
 * suppose stands here. Meaning and order of summation: the public header of the family.
 */
#ifndef LW_KERNEL_TYPES_H
#define LW_KERNEL_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* --- vector.h: ld >= dim; `prefetch` is nonzero if the rows are streamed from beyond the L2 cache */

typedef float lanewise_dot_f32_fn(const float *a, const float *b, size_t n);
typedef float lanewise_cosine_f32_fn(const float *a, const float *b, size_t n);
typedef float lanewise_l2sq_f32_fn(const float *a, const float *b, size_t n);
typedef void lanewise_dot_f32_rows_fn(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                      int prefetch, float *out);
typedef void lanewise_cosine_f32_rows_fn(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                         int prefetch, float *out);
typedef void lanewise_l2sq_f32_rows_fn(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                       int prefetch, float *out);
typedef void lanewise_norm_f32_rows_fn(const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                                       float *out);
typedef void lanewise_normalize_f32_rows_fn(float *rows, size_t n_rows, size_t dim, size_t ld);

/*
 * Memory in which a kernel keeps queries as it likes them, for calls that differ in rows alone: is_packed is 0 before the
 * first. Of less than lw_f32_panel_floats (common.h) a kernel makes less use.
 */
struct lw_f32_panel {
	float *floats;
	size_t n_floats;
	int is_packed;
};

/*
 * out[q * out_ld + r] is the score of query q, at queries + q * query_ld, and row r; query_ld >= dim, out_ld >= n_rows.
 * `prefetch` as for rows. The panel may be NULL: it makes scores of 16 queries or more faster.
 */
enum { LW_F32_QUERIES = 96 }; /* at most so many queries */
typedef void lanewise_dot_f32_queries_fn(const float *queries, size_t n_queries, size_t query_ld, const float *rows,
                                         size_t n_rows, size_t dim, size_t ld, int prefetch, struct lw_f32_panel *panel,
                                         float *out, size_t out_ld);
typedef void lanewise_cosine_f32_queries_fn(const float *queries, size_t n_queries, size_t query_ld, const float *rows,
                                            size_t n_rows, size_t dim, size_t ld, int prefetch,
                                            struct lw_f32_panel *panel, float *out, size_t out_ld);
typedef void lanewise_l2sq_f32_queries_fn(const float *queries, size_t n_queries, size_t query_ld, const float *rows,
                                          size_t n_rows, size_t dim, size_t ld, int prefetch,
                                          struct lw_f32_panel *panel, float *out, size_t out_ld);

/* --- half.h: ld >= dim; `prefetch` as for vector.h */

typedef float lanewise_dot_f16_fn(const uint16_t *a, const uint16_t *b, size_t n);
typedef void lanewise_dot_f16_rows_fn(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                      int prefetch, float *out);
typedef float lanewise_cosine_f16_fn(const uint16_t *a, const uint16_t *b, size_t n);
typedef void lanewise_cosine_f16_rows_fn(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                         int prefetch, float *out);
typedef float lanewise_l2sq_f16_fn(const uint16_t *a, const uint16_t *b, size_t n);
typedef void lanewise_l2sq_f16_rows_fn(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                       int prefetch, float *out);
typedef float lanewise_dot_bf16_fn(const uint16_t *a, const uint16_t *b, size_t n);
typedef void lanewise_dot_bf16_rows_fn(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                       int prefetch, float *out);
typedef float lanewise_cosine_bf16_fn(const uint16_t *a, const uint16_t *b, size_t n);
typedef void lanewise_cosine_bf16_rows_fn(const float *query, const uint16_t *rows, size_t n_rows, size_t dim,
                                          size_t ld, int prefetch, float *out);
typedef float lanewise_l2sq_bf16_fn(const uint16_t *a, const uint16_t *b, size_t n);
typedef void lanewise_l2sq_bf16_rows_fn(const float *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld,
                                        int prefetch, float *out);
/* In no tier's table: see lanewise_bf16_kernel() in dispatch.h. */
typedef void lanewise_dot_bf16_approx_rows_fn(const uint16_t *query, const uint16_t *rows, size_t n_rows, size_t dim,
                                              size_t ld, int prefetch, float *out);
typedef void lanewise_f16_to_f32_fn(const uint16_t *x, size_t n, float *out);
typedef void lanewise_bf16_to_f32_fn(const uint16_t *x, size_t n, float *out);
typedef void lanewise_f32_to_f16_fn(const float *x, size_t n, uint16_t *out);
typedef void lanewise_f32_to_bf16_fn(const float *x, size_t n, uint16_t *out);

/* --- bits.h: ld >= n_bytes */

typedef void lanewise_hamming_rows_fn(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes,
                                      size_t ld, uint32_t *out);
/* The numbers of bits set in both, and in either. */
typedef void lanewise_bit_overlap_rows_fn(const uint8_t *query, const uint8_t *rows, size_t n_rows, size_t n_bytes,
                                          size_t ld, uint32_t *both, uint32_t *either);

/* --- activation.h */

/* out[i] = exp(x[i] - shift), of which none is above 0; out may be x. Returns their sum. */
typedef float lanewise_exp_f32_fn(const float *x, size_t n, float shift, float *out);
/* Of the rows whose mask is not 0 (all if mask is NULL), element by element; ld >= dim. */
typedef void lanewise_masked_sum_f32_fn(const float *rows, size_t n_rows, size_t dim, size_t ld, const uint8_t *mask,
                                        float *out);

/* --- topk.h */

/*
 * Appends scores[i] >= bound, and first_index + i, to kept[*n_kept ...) and kept_index[*n_kept ...), in order of i;
 * a NaN bound keeps none, and NaN is never kept. Goes through the scores in blocks of LW_TOPK_BLOCK (the last may be
 * shorter) and stops before a block that has something to append when fewer than LW_TOPK_BLOCK places are left below
 * `capacity`. Returns the number of scores gone through. May write anything to kept[*n_kept ... capacity) beyond what
 * it appends.
 */
enum { LW_TOPK_BLOCK = 64 };
typedef size_t lanewise_topk_filter_f32_fn(const float *scores, size_t n, uint32_t first_index, float bound,
                                           float *kept, uint32_t *kept_index, size_t *n_kept, size_t capacity);

/* The k-th largest of v[0 ... n), 1 <= k <= n, no NaN among them; a zero is returned as +0. */
typedef float lanewise_topk_select_f32_fn(const float *v, size_t n, size_t k);

/*
 * Keeps, in order, the elements of v[0 ... n) greater than kth and the first of those equal to it, k in all (v has at
 * least k elements >= kth and fewer than k greater), with their indices, at the front of both arrays. May write
 * anything behind them, below n.
 */
typedef void lanewise_topk_compact_f32_fn(float *v, uint32_t *index, size_t n, float kth, size_t k);

/* --- bm25.h: candidates are a sum in the upper, a document of the segment in the lower 16 bits */

/* `found` has room for so many more. */
enum { LW_BM25_SPARE = 64 };
/*
 * The sum of posting i is 1 + (quanta[i] * weight >> 16). Candidates of postings with a sum of `bound` or more go to
 * `found`, in order; returns how many. weight < 2^16, 1 <= bound < 2^16; room for n and LW_BM25_SPARE more.
 */
typedef size_t lanewise_bm25_filter_fn(const uint16_t *documents, const uint16_t *quanta, size_t n, uint32_t weight,
                                       uint32_t bound, uint32_t *found);
/* Adds the sums of postings to those of their documents, modulo 2^16; no document twice. */
typedef void lanewise_bm25_add_fn(const uint16_t *documents, const uint16_t *quanta, size_t n, uint32_t weight,
                                  uint16_t *sums);
/* Candidates for sums[i] of document i, n <= 65536; sets all sums to 0. */
typedef size_t lanewise_bm25_scan_fn(uint16_t *sums, size_t n, uint32_t bound, uint32_t *found);
/*
 * at[i]: where among n ascending documents is wanted[i] % 2^16, n if it is not there. `skips` is NULL, or skips[b] for
 * b < 65536 >> shift is the number of documents below b << shift.
 */
typedef void lanewise_bm25_find_fn(const uint16_t *documents, size_t n, const uint16_t *skips, unsigned shift,
                                   const uint32_t *wanted, size_t n_wanted, uint32_t *at);

/* --- hash.h */

typedef uint64_t lanewise_xxh3_64_fn(const void *data, size_t n_bytes, uint64_t seed);
typedef void lanewise_xxh3_128_fn(const void *data, size_t n_bytes, uint64_t seed, uint64_t value[2]); /* low, high */

/* `state` is an XXH3_state_t of xxHash, the same on every tier; n_bytes > 0. */
typedef void lanewise_xxh3_feed_fn(void *state, const void *data, size_t n_bytes);
typedef void lanewise_xxh3_64_batch_fn(const void *data, const uint64_t *begin, const uint64_t *end, size_t n,
                                       uint64_t seed, uint64_t *out);

/* --- dedup.h */

/*
 * Appends first + i for every data[i] that is a or b, in order, to index[*n_index ...). Goes through the data in blocks
 * of LW_INDEX_BLOCK bytes (the last may be shorter) and stops before a block that has something to append when fewer
 * than LW_INDEX_BLOCK places are left below `capacity`. Returns the number of bytes gone through; first + n must not
 * pass 2^32. May write anything to index[*n_index ... capacity) beyond what it appends.
 */
enum { LW_INDEX_BLOCK = 64 };
typedef size_t lanewise_byte_index_fn(const unsigned char *data, size_t n, unsigned char a, unsigned char b,
                                      uint32_t first, uint32_t *index, size_t *n_index, size_t capacity);

/*
 * The same for where a block may end: every newline behind a newline, with a '\r' between them or not, and every backtick
 * behind two. `before` is what comes before the data: the last byte, and 256 times the one before that, 0 for none.
 */
typedef size_t lanewise_block_index_fn(const unsigned char *data, size_t n, uint32_t before, uint32_t first,
                                       uint32_t *index, size_t *n_index, size_t capacity);

/*
 * What lanewise_normalize does inside a text, by LANEWISE_NORMALIZE_COLLAPSE, _LOWER, _STRIP_CONTROL and the whitespace
 * set among `flags`; the ends are left alone. Returns the number of bytes written to `out`, which has n + LW_FOLD_PAD
 * bytes and may hold anything behind the result.
 */
enum { LW_FOLD_PAD = 64 };
typedef size_t lanewise_fold_text_fn(const unsigned char *text, size_t n, uint32_t flags, unsigned char *out);

/*
 * The same for a text of many units, n + LW_FOLD_PAD bytes at `out`, and on the way the ends of units: every newline, or
 * with `of_blocks` what block_index finds. `ends` has n + LW_INDEX_BLOCK places and may hold anything behind the last.
 * Runs of whitespace go on across ends, and from one call to the next by `after_space`. n is below 2^32.
 */
struct lw_fold_end {
	uint32_t at, used; /* text[at] is the end; behind it `used` bytes are written */
};

struct lw_fold {
	const unsigned char *text;
	size_t n;
	uint32_t flags;
	uint32_t before; /* as for block_index */
	int of_blocks;
	int after_space; /* whether the byte before the text was whitespace; and then whether the last one is */
	unsigned char *out;
	size_t used; /* set */
	struct lw_fold_end *ends;
	size_t n_ends; /* set */
};
typedef void lanewise_fold_units_fn(struct lw_fold *fold);

/*
 * For every lane i: run[i] becomes run[i] + 1, at most 65535, if history[i] is the token, else 0. Returns the first lane
 * with run[i] >= threshold[i] after that, or n_lanes, a multiple of LW_LOOP_LANES, if there is none.
 */
enum { LW_LOOP_LANES = 32 };
typedef size_t lanewise_loop_step_fn(const uint32_t *history, uint32_t token, size_t n_lanes, uint16_t *run,
                                     const uint16_t *threshold);

/*
 * --- seen.h: n hashes (of 128 bits: twice as many words, low before high) into a table that has room for them; sets bit
 * first + i of the map for each that was there, and leaves its other bits. Inserting returns how many were new.
 */

struct lw_seen_table;
typedef size_t lanewise_seen_insert_fn(struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                                       uint64_t *duplicates);
typedef void lanewise_seen_find_fn(const struct lw_seen_table *table, const uint64_t *hashes, size_t n, size_t first,
                                   uint64_t *found);
typedef lanewise_seen_insert_fn lanewise_seen_insert_64_fn, lanewise_seen_insert_128_fn, lanewise_seen_insert_bloom_fn;
typedef lanewise_seen_find_fn lanewise_seen_find_64_fn, lanewise_seen_find_128_fn, lanewise_seen_find_bloom_fn;

/* --- int8.h: ld >= dim, dim <= LANEWISE_DOT_I8_MAX_DIM; `prefetch` as for vector.h */

typedef void lanewise_dot_i8_rows_fn(const int8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld,
                                     int prefetch, int32_t *out);
/* Any dim; modulo 2^32. */
typedef void lanewise_dot_u8i8_rows_fn(const uint8_t *query, const int8_t *rows, size_t n_rows, size_t dim, size_t ld,
                                       int prefetch, int32_t *out);
typedef void lanewise_dot_i8u8_rows_fn(const int8_t *query, const uint8_t *rows, size_t n_rows, size_t dim, size_t ld,
                                       int prefetch, int32_t *out);

/* out[q * out_ld + r] is the dot product of query q, at queries + q * query_ld, and row r; out_ld >= n_rows. */
enum { LW_DOT_I8_QUERIES = 48 }; /* at most so many queries */
typedef void lanewise_dot_i8_queries_fn(const int8_t *queries, size_t n_queries, size_t query_ld, const int8_t *rows,
                                        size_t n_rows, size_t dim, size_t ld, int prefetch, int32_t *out,
                                        size_t out_ld);

/*
 * The pairs of a query and a row whose dot product, times the row's scale, reaches the query's `least`: those with
 * (float)dot * scale[r] >= least[q]. Pairs of query q go to found + q * LW_I8_ROWS, rows ascending, and their number to
 * n_found[q]. dim is a multiple of 64. `prefetch`: what follows the rows comes next and should be fetched meanwhile.
 */
enum { LW_I8_QUERIES = 96, LW_I8_ROWS = 256 }; /* at most so many of each */
struct lw_i8_found {
	uint32_t row;
	int32_t dot;
};
struct lw_i8_queries {
	const int8_t *codes;
	size_t n, dim, ld;
	/*
	 * lw_i8_panel_bytes (common.h) for a kernel to keep the queries in another order; is_packed: they are there, 0 at
	 * first.
	 */
	uint8_t *panel;
	int is_packed;
};
typedef void lanewise_dot_i8_above_fn(struct lw_i8_queries *queries, const int8_t *rows, size_t n_rows, size_t ld,
                                      int prefetch, const float *scale, const float *least, struct lw_i8_found *found,
                                      size_t *n_found);

/*
 * Rows of 4-bit codes n[i], adjacent, each of n_blocks blocks of 64 bytes: byte j of a block has the codes of the block's
 * elements j and 64 + j, the latter in its upper half. A code stands for 16 * n - 120.5. The query, 128 * n_blocks
 * elements of magnitude at most 127, has the sum Q:
 *
 *     out[r] = the sum of query[i] * 16 * n[i], less 120 * Q, less Q / 2 rounded down, modulo 2^32
 *
 * which wraps for no row of the index. `prefetch` as for vector.h.
 */
typedef void lanewise_dot_i4_rows_fn(const int8_t *query, const uint8_t *rows, size_t n_rows, size_t n_blocks,
                                     int prefetch, int32_t *out);

/*
 * Codes and scale of each row as lanewise_quantize_i8_rows has them, and beside them the canonical sums of x[i]^2 and
 * of e[i]^2, where e[i] = fma(-scale, codes[i], x[i]). Where the row is not finite both sums are the canonical NaN.
 */
typedef void lanewise_quantize_i8_rows_fn(const float *rows, size_t n_rows, size_t dim, size_t ld, int8_t *codes,
                                          size_t codes_ld, float *scale, float *square, float *error_square);

/* --- index.h */

/* What turns an integer dot product into an interval that holds the score; kernels/index/sketch.h derives it. */
struct lw_sketch_query {
	float scale;         /* of the integer dot product, beside the row's */
	float error_weight;  /* of the row's error */
	float norm_weight;   /* of the row's norm, in the interval's radius */
	float square_weight; /* of the square of the row's norm, in the middle */
	float square_radius; /* the same, in the radius */
	float base, base_radius;
};

/*
 * For each of n rows, with square = norm * norm:
 *
 *     middle = fma(dot, scale * row_scale, fma(square_weight, square, base))
 *     radius = fma(error_weight, error, fma(norm_weight, norm, fma(square_radius, square, base_radius)))
 *     upper = middle + radius, lower = middle - radius
 *
 * Those with upper >= bound are appended, in order, to upper, lower and row (first_row + i) at *n_kept. The three have
 * room for n, rounded up to a multiple of 16, more; anything may be written there. A NaN is never kept.
 */
typedef void lanewise_sketch_filter_fn(const struct lw_sketch_query *query, const int32_t *dot, const float *row_scale,
                                       const float *error, const float *norm, size_t n, uint32_t first_row, float bound,
                                       float *upper, float *lower, uint32_t *row, size_t *n_kept);
/* --- utf8.h */

/* The length of the longest prefix of text[0 ... n) that consists of complete, valid characters. */
typedef size_t lanewise_utf8_prefix_fn(const uint8_t *text, size_t n);

/* The bytes of text[0 ... n) that are no continuations (80 ... bf). */
typedef size_t lanewise_utf8_count_fn(const uint8_t *text, size_t n);

/*
 * Positions i < n where a character begins (as above) and the bytes from there on, zeros behind the text's end, are in
 * the range (kernels/utf8/utf8_range.h): how many, and the first, n if there is none.
 */
struct lw_utf8_range;
typedef size_t lanewise_utf8_count_range_fn(const uint8_t *text, size_t n, const struct lw_utf8_range *range);
typedef size_t lanewise_utf8_find_range_fn(const uint8_t *text, size_t n, const struct lw_utf8_range *range);

/* --- base64.h: `url` is 0 or 1, for the second alphabet */

/* n_groups groups of three bytes to four characters each. */
typedef void lanewise_base64_encode_fn(const uint8_t *in, size_t n_groups, int url, uint8_t *out);

/*
 * Groups of four characters to three bytes each, up to the first with a character that is not of the alphabet; returns
 * how many were decoded. May write anything to out[3 * that ... 3 * n_groups).
 */
typedef size_t lanewise_base64_decode_fn(const uint8_t *in, size_t n_groups, int url, uint8_t *out);

/* --- json.h */

/* The length of the prefix without '"', '\' and bytes below 0x20. */
typedef size_t lanewise_json_plain_fn(const uint8_t *text, size_t n);

/* What an index needs to know of the bytes before: each 0 or 1. All zeros before the first. */
struct lw_json_carry {
	uint8_t in_string; /* within a string */
	uint8_t escaped;   /* the last byte was a backslash that takes the next with it, in or outside strings */
	uint8_t in_scalar; /* the last byte was none of white space, {}[]:, or an unescaped quote */
};

/* What an index has seen on the way. */
struct lw_json_seen {
	size_t control; /* the position, without the base, of the first byte below 0x20 within a string, or n */
	int wide;       /* whether there was a byte above 0x7f: 0 or 1 */
};

/*
 * The positions, ascending, in text[0 ... n), n <= UINT32_MAX, of: {}[]:, outside strings; unescaped quotes; backslashes
 * within strings that begin an escape; outside strings, other bytes but space, tab, LF and CR, that do not follow one
 * of their kind. Returns how many there are; room for n is needed, and anything may be written there. `base` is added to
 * each position; base + n <= UINT32_MAX.
 */
typedef size_t lanewise_json_index_fn(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint32_t base,
                                      uint32_t *index, struct lw_json_seen *seen);

/* The same as bits: bit i % 64 of words[i / 64] tells whether position i is indexed; those from n on are 0. */
typedef void lanewise_json_bits_fn(const uint8_t *text, size_t n, struct lw_json_carry *carry, uint64_t *words,
                                   struct lw_json_seen *seen);

/*
 * The inside of a string, whose escapes are valid, decoded; returns the size. Surrogates that are no pair become U+FFFD.
 * `out` has room for n bytes, and anything may be written there.
 */
typedef size_t lanewise_json_unescape_fn(const uint8_t *text, size_t n, uint8_t *out);

/* Quotes, backslashes and bytes below 0x20 escaped; returns the size. `out` has room for 6 * n bytes, all may be written. */
typedef size_t lanewise_json_escape_fn(const uint8_t *text, size_t n, uint8_t *out);

/* What blocks of numbers need to know of the bytes before: each 0 or 1. */
struct lw_json_number_bits {
	uint8_t within, digit, point, e, sign,
	        zero; /* the last byte is of a number; is what; `zero`: its first digit, 0 */
	uint8_t lead; /* ... is a number's minus */
	uint8_t e_sign;
	uint8_t fraction, exponent; /* ... is a digit of one */
	uint8_t value;              /* the last of commas and numbers is a number */
	uint8_t bad;                /* not 0 if something was wrong */
};

/*
 * What json_tokens keeps of the text before. All zeros before the first piece, but for n_text and the flags. A tier reads
 * only what it has written itself.
 */
struct lw_json_scan {
	uint64_t in_string; /* all bits or none */
	size_t low_at;      /* where the second half of a surrogate pair must stand, if it is not 0 */
	size_t n_text;      /* bytes of the whole text */
	struct lw_json_number_bits number;
	uint8_t escaped, in_scalar; /* the last byte begins an escape; is of a number or word */
	uint8_t escapes;            /* the string so far has escapes */
	uint8_t hex;                /* which of the next bytes must be digits of \u */
	uint8_t unit;               /* 1: the last byte is the u of \u, 2: the d behind it */
	uint8_t letter;             /* the last byte is a word's */
	uint8_t allow_lone_surrogates;
	uint8_t wide; /* whether there was a byte above 0x7f */
	uint8_t bad;  /* whether there was an error */
};

/*
 * Tokens of JSON: {}[]:, and quotes outside and around strings, the first bytes of numbers and words, and white space that
 * directly follows one of these. Each is its position, counted from `begin`, times 256, and its byte; a closing quote has
 * LW_JSON_TOKEN_FLAG set too if the string has escapes, what follows a number if that has a fraction or exponent.
 */
enum { LW_JSON_TOKEN_FLAG = 0x80, LW_JSON_TOKENS_ROOM = 80 };

/*
 * The tokens of text[begin ... end), a part of the whole of at most 1 MiB that follows the one before; returns their
 * number. Sets `bad` by what is wrong within tokens that have ended: escapes, control characters in strings, numbers.
 * Words are not looked at: these may be of any bytes. Then `tokens` mean nothing. UTF-8 is not checked, nor how the text
 * ends. Room for end - begin + LW_JSON_TOKENS_ROOM tokens is needed, and anything may be written there. Parts but the
 * last have a multiple of 512 bytes.
 */
typedef size_t lanewise_json_tokens_fn(const uint8_t *text, size_t begin, size_t end, struct lw_json_scan *scan,
                                       uint32_t *tokens);

/* A tree that grows. All zeros before the first token, but for nodes, capacity, max_depth. */
struct lw_json_tree {
	struct lanewise_json_node *nodes;
	size_t capacity, n_nodes;
	uint32_t container; /* the innermost open one */
	uint32_t depth, max_depth;
	uint32_t done;     /* the value has ended */
	uint32_t bad;      /* whether there was an error */
	uint32_t expected; /* private to a tier, as is in_string */
	uint64_t in_string;
};

enum { LW_JSON_TOKENS_BEFORE = 4, LW_JSON_TOKENS_LEFT = 64 };

/*
 * Tokens to nodes, whose offsets are the tokens' positions (signed 24-bit numbers) plus `base`. Returns how many are done:
 * all if `last`, else all but less than LW_JSON_TOKENS_LEFT, which must come again before those that follow. `text` is the
 * one that offsets count in; words in it are looked at. tokens[-LW_JSON_TOKENS_BEFORE ... 0) must be the tokens before,
 * or ':' for none, and LW_JSON_TOKENS_LEFT places behind the tokens must be readable. Sets `bad` if this is not the
 * beginning of JSON (if `last`, not JSON), or the value is neither array nor object, or for lack of capacity.
 */
typedef size_t lanewise_json_nodes_fn(const uint8_t *text, size_t base, const uint32_t *tokens, size_t n_tokens,
                                      int last, struct lw_json_tree *tree);

/* Where in an array of numbers a text ends. */
enum {
	LW_NUMBERS_AT_START, /* nothing but white space so far */
	LW_NUMBERS_AFTER_COMMA,
	LW_NUMBERS_AFTER_VALUE, /* and white space */
	LW_NUMBERS_AT_SIGN,     /* within numbers, behind the byte: from here ... */
	LW_NUMBERS_AT_ZERO,     /* the first digit, 0 */
	LW_NUMBERS_AT_WHOLE,
	LW_NUMBERS_AT_POINT,
	LW_NUMBERS_AT_FRACTION,
	LW_NUMBERS_AT_E,
	LW_NUMBERS_AT_E_SIGN,
	LW_NUMBERS_AT_EXPONENT, /* ... to here */
	LW_NUMBERS_BAD
};

struct lw_json_numbers {
	size_t stop; /* the position of the first byte that is no white space, comma, digit, + - . e E; or n; 0 if bad */
	uint8_t state;
};

/*
 * The inside of an array of numbers checked up to `stop`. state is LW_NUMBERS_AT_START before the first piece, and goes from
 * piece to piece.
 */
typedef void lanewise_json_numbers_fn(const uint8_t *text, size_t n, struct lw_json_numbers *numbers);

/*
 * The positions of commas and bytes below 0x21 in text[0 ... n) that follow another byte, with `base` added; returns
 * their number. `within` tells whether the byte before the text is another; it becomes whether the last one is. Room for n
 * positions is needed, and anything may be written there. base + n <= UINT32_MAX.
 */
typedef size_t lanewise_json_ends_fn(const uint8_t *text, size_t n, int *within, uint32_t base, uint32_t *ends);

/*
 * The numbers, as JSON has them, that end before text[ends[i]], ascending: their digits as an integer to w[i], how many of
 * them are behind the point to scale[i], or -1 - that if the number is negative; or 127 for those to be read otherwise,
 * with any w[i]. text[0] is of no number. Read are those that end at or behind text[33], have no exponent, and without
 * their sign at most 16 bytes; or at most 31, of which the last 16 are digits and the digits before them give at most
 * 1843.
 */
typedef void lanewise_json_decimals_fn(const uint8_t *text, const uint32_t *ends, size_t n, uint64_t *w, int8_t *scale);

/*
 * Such numbers to the nearest floats, from number `begin` on, up to the first that is to be read otherwise or that one
 * product of doubles does not settle (lw_product_f32); returns its number, or n. out[begin ... n) may hold anything from
 * there on.
 */
typedef size_t lanewise_json_round_f32_fn(const uint64_t *w, const int8_t *scale, size_t begin, size_t n, float *out);

/* A number that json_floats leaves to be read otherwise: which one, and the position behind it. */
struct lw_json_unread {
	uint32_t number, end;
};

/*
 * The numbers in text[begin ... end) to the nearest floats; returns how many they are. Between them are commas and bytes below
 * 0x21, and there is one, or an end of the array, before `begin` and at `end`; text[0] is of no number. Those that
 * json_decimals does not read or lw_product_f32 does not settle go to `unread`, and their floats are anything. Room for
 * (end - begin + 1) / 2 floats and unread numbers is needed.
 */
typedef size_t lanewise_json_floats_fn(const uint8_t *text, uint32_t begin, uint32_t end, float *out,
                                       struct lw_json_unread *unread, size_t *n_unread);

/* --- graph.h */

/*
 * Groups of 16 rows. Group g has steps from offset[g] to offset[g + 1] - 1; at step t its row l takes entry 16 * t + l
 * of `column` and `weight` (NULL: no weights): sums[16 * g + l] = the sum over t, in order, of x[column] or
 * weight * x[column], each product and each sum rounded, beginning with +0.
 */
typedef void lanewise_rank_sums_f64_fn(const uint32_t *column, const double *weight, const size_t *offset,
                                       size_t n_groups, const double *x, double *sums);

/* The same for 16 vectors side by side: element c of vector j is x[16 * c + j], sum r of it sums[16 * r + j]. */
typedef void lanewise_rank_sums16_f64_fn(const uint32_t *column, const double *weight, const size_t *offset,
                                         size_t n_groups, const double *x, double *sums);

/*
 * Rows of 16 vectors side by side, as above. For each row, with no operation fused and sums and factors that are not
 * negative:
 *
 *     new = damping * sums, and, if the row's bit in any_wanted is set, + teleport * wanted
 *     change[row mod 8] += |new - rank|;   lost[row mod 8] += new, if factor is 0
 *     rank = new;   element place[row] of next = new * factor
 */
struct lw_rank_slice {
	size_t n_rows;
	const double *sums, *wanted;
	const uint64_t *any_wanted; /* bits; where one is 0, wanted is not read */
	const double *factor;
	const uint32_t *place;
	double damping;
	const double *teleport; /* [16] */
	double *rank, *next;
	double *change, *lost; /* [8][16] */
	int streamed;          /* next is aligned to 64 bytes and may be written past the caches; shows in no result */
};
typedef void lanewise_rank_renew16_f64_fn(const struct lw_rank_slice *slice);

/*
 * --- scan.h: which positions i < *n (*n <= 65536) of a text are the first of filter->width bytes that are one of the
 * filter's windows (kernels/scan/scan_filter.h), in order; how many. Positions are looked at in parts of LW_SCAN_PART
 * until `enough` (1 or more) or all are found; *n becomes how many were looked at. The text has *n + width - 1 bytes,
 * `positions` room for enough - 1 + LW_SCAN_PART numbers, or *n.
 */

struct lw_scan_filter;
typedef size_t lanewise_scan_candidates_fn(const struct lw_scan_filter *filter, const uint8_t *text, size_t *n,
                                           size_t enough, uint16_t *positions);

/* classes[i] = class_of[text[i]] for i < n. */
typedef void lanewise_scan_classes_fn(const uint8_t class_of[256], const uint8_t *text, size_t n, uint8_t *classes);

/*
 * The even places i < n (n <= 65536) of a text at which a gram may stand, by its bit and by the bytes around it
 * (kernels/scan/scan_evens.h), in order; how many. 0 passes by its bit alone. The text has n + 4 bytes; `places` has room
 * for n / 2 + 64 numbers.
 */
struct lw_scan_evens;
typedef size_t lanewise_scan_evens_fn(const struct lw_scan_evens *evens, const uint8_t *text, size_t n,
                                      uint16_t *places);

/*
 * Puts pieces one behind another into out[0 ... *n_bytes), as many from the first on as have `capacity` bytes or fewer
 * together; how many. Up to 32 bytes behind these are written too.
 */
struct lanewise_scan_piece;
typedef size_t lanewise_scan_join_fn(const struct lanewise_scan_piece *pieces, size_t n, uint8_t *out, size_t capacity,
                                     size_t *n_bytes);

/*
 * Whether bytes[0 ... n), 1 <= n <= 16, have a pair of bytes that is one by `pairs` (kernels/scan/scan_pairs.h), the first of
 * them with the byte before them, whose groups as a first are `before`: LW_SCAN_PAIR. If not, the last byte's groups as a
 * first.
 */
struct lw_scan_pairs;
typedef uint32_t lanewise_scan_pairs_fn(const struct lw_scan_pairs *pairs, const uint8_t *bytes, size_t n,
                                        uint32_t before);

/*
 * Reads the classes of LW_SCAN_BLOCK bytes (kernels/scan/scan_walk.h), behind which LW_SCAN_WALK_BEHIND more can be read, by
 * an automaton; the numbers of its transitions with output go to hits[i].output, `hits` having room for LW_SCAN_BLOCK; how
 * many. The state that it leaves depends on the last walk->far bytes alone.
 */
struct lw_scan_walk;
struct lw_scan_hit;
typedef size_t lanewise_scan_walk_fn(struct lw_scan_walk *walk, const uint8_t *classes, struct lw_scan_hit *hits);

/*
 * --- secrets.h: which positions i < n (n <= 16384, a multiple of 64) of a text are candidates by the filter
 * (kernels/secrets/secrets_filter.h), in order; how many, `positions` having room for n. The text has n + 64 bytes;
 * after_word: whether a byte of a word stands before it.
 */
struct lw_secret_filter;
typedef size_t lanewise_secret_candidates_fn(const struct lw_secret_filter *filter, const uint8_t *text, size_t n,
                                             int after_word, uint16_t *positions);

/*
 * --- text.h: text[0 ... n), n <= 65535, up to the first byte from 0x80 on; returns how many bytes that are. They go to
 * `out`, with capitals made small if `fold`. Where letters, digits and underscores begin and end to follow each other,
 * by turns, goes to `edges`, and the number of these positions to *n_edges: it is odd if a run goes on to the last of
 * the bytes. `out` and `edges` have room for n + LW_WORDS_PAD, and may hold anything behind the results.
 */
enum { LW_WORDS_PAD = 64 };
typedef size_t lanewise_ascii_words_fn(const unsigned char *text, size_t n, int fold, unsigned char *out,
                                       uint16_t *edges, size_t *n_edges);

/*
 * Folds the case of UTF-8 whose A-Z are a-z already, into the n bytes at `out`, up to the first character whose folding has
 * another length than it; returns the bytes before that. `out` is the text, or before it, or does not overlap it; what is
 * behind the bytes written stays as it is.
 */
typedef size_t lanewise_fold_case_fn(const unsigned char *text, size_t n, unsigned char *out);

/* --- pq.h */

/*
 * code[p * code_stride] = the number of the centroid nearest to point p (width floats at points + p * ld), the lowest of
 * several, 0 if none has a distance below infinity. Dimension i of centroid c is centroids[i * n_lanes + c]; n_lanes is a
 * multiple of 16, at most 256. Squared distances are sums of fused multiply-adds in order of dimension, from +0.
 */
typedef void lanewise_pq_nearest_fn(const float *points, size_t n, size_t ld, const float *centroids, size_t width,
                                    size_t n_lanes, uint8_t *code, size_t code_stride);

/*
 * sums[r], r < 128, = the sum over parts of tables[part * 16 + code]; the code is the lower half of block[part * 64 + r]
 * for r < 64, the upper half of block[part * 64 + r - 64] beyond. n_parts <= 256.
 */
typedef void lanewise_pq_sums_fn(const uint8_t *tables, const uint8_t *block, size_t n_parts, uint16_t *sums);

/* --- near.h: n, k > 0 for MinHash */

typedef void lanewise_minhash_mul32_fn(const uint64_t *hashes, size_t n, const uint32_t *a, const uint32_t *b, size_t k,
                                       uint32_t *signature);
typedef void lanewise_minhash_mul64_fn(const uint64_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                                       uint32_t *signature);
typedef void lanewise_minhash_mod61_fn(const uint32_t *hashes, size_t n, const uint64_t *a, const uint64_t *b, size_t k,
                                       uint32_t *signature);
typedef void lanewise_minhash_matches_fn(const uint32_t *signature, const uint32_t *rows, size_t n_rows, size_t k,
                                         size_t ld, uint32_t *out);

/* sums[j] = how many of the words, n <= 2^20, have bit j set, or the sum of the weights, n <= 2^16, of those that do. */
typedef void lanewise_bit_sums_fn(const uint64_t *words, size_t n, uint32_t sums[64]);
typedef void lanewise_weighted_bit_sums_fn(const uint64_t *words, const uint16_t *weights, size_t n, uint32_t sums[64]);

/*
 * --- chunk.h: the first i with from <= i < to after which the rule (kernels/chunk/chunk.h) lets a chunk end, or `to`.
 * data[from - 31 ... end) may be read; to <= end, limit <= 32768.
 */

struct lw_cdc_rule;
typedef size_t lanewise_cdc_find_fn(const struct lw_cdc_rule *rule, const uint8_t *data, size_t from, size_t to,
                                    size_t end, uint32_t limit);

#endif
