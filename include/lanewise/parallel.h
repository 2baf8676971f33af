/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/parallel.h - work over several threads, and the machine they run on. These functions are a library of
 * their own, liblanewise_parallel, which needs OpenMP and hwloc where they were found when it was built; without
 * OpenMP it runs serially, without hwloc it asks the operating system.
 *
 * Threads. `n_threads` is how many threads a call may use: 1 never enters the OpenMP runtime, 0 means
 * lanewise_default_threads(). Results never depend on it. Calls from inside a parallel region run serially. After
 * fork() the child runs serially (a forked OpenMP runtime may wait for threads that no longer exist); exec restores
 * everything.
 */
#ifndef LANEWISE_PARALLEL_H
#define LANEWISE_PARALLEL_H

#include "base.h"
#include "bm25.h"
#include "index.h"
#include "pairs.h"
#include "pq.h"
#include "vector.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The machine as this process may use it. A number that nobody could tell is 0. */
typedef struct lanewise_topology {
	size_t struct_size;      /* set by the caller: sizeof(lanewise_topology) */
	const char *source;      /* who told: "hwloc" or "sysconf" */
	uint32_t physical_cores; /* cores on which this process may run */
	uint32_t logical_cpus;   /* hardware threads on which this process may run */
	uint32_t numa_nodes;
	uint32_t cache_line_bytes;
	uint64_t l1d_bytes; /* per core */
	uint64_t l2_bytes;  /* of the L2 that a core uses, likewise below */
	uint64_t l3_bytes;
	uint64_t memory_bytes;
} lanewise_topology;

/*
 * Fills in *topology, reading the machine once per process. LANEWISE_ERROR_ARGUMENT if it is NULL or its struct_size
 * is smaller than that of the first version of the structure.
 */
LANEWISE_API lanewise_status lanewise_topology_get(lanewise_topology *topology);

/* The number of physical cores on which this process may run, at least 1. */
LANEWISE_API uint32_t lanewise_default_threads(void);

/* 1 if this build can use more than one thread, else 0. */
LANEWISE_API int32_t lanewise_has_threads(void);

/* Bytes of scratch for lanewise_scan_topk_f32_batch, or 0 if k or the size is beyond what it can be. */
LANEWISE_API size_t lanewise_scan_topk_batch_scratch_size(size_t k, uint32_t n_threads);

/*
 * lanewise_scan_topk_f32 for each of n_queries queries over n_threads threads, which divide the queries or, where these are
 * few for so many threads and there is more than some 200 microseconds of work, the rows. Query j is at queries + j * query_ld
 * (query_ld >= dim). Its result goes to index + j * k, score + j * k and n_found[j], so `index` and `score` have room for
 * n_queries * k entries whatever n_rows is; places beyond n_found[j] are left alone. Bit for bit what single calls
 * give. `scratch`: lanewise_scan_topk_batch_scratch_size(k, n_threads) bytes with the same n_threads, aligned
 * as by malloc.
 *
 * Errors: those of lanewise_scan_topk_f32, found before anything is computed; LANEWISE_ERROR_ARGUMENT also for
 * query_ld < dim and for NULL queries, LANEWISE_ERROR_TOO_LARGE if n_queries * k or n_queries * query_ld overflows.
 */
LANEWISE_API lanewise_status lanewise_scan_topk_f32_batch(const float *queries, size_t n_queries, size_t query_ld,
                                                          const float *rows, size_t n_rows, size_t dim, size_t ld,
                                                          lanewise_metric metric, size_t k, float threshold,
                                                          uint32_t n_threads, void *scratch, uint32_t *index,
                                                          float *score, size_t *n_found);

/*
 * Bytes of scratch for lanewise_index_search_batch, or 0 as for lanewise_index_scratch_size; for a coarse one with
 * n_candidates in the place of k.
 */
LANEWISE_API size_t lanewise_index_search_batch_scratch_size(const lanewise_index *index, size_t k, uint32_t n_threads);

/*
 * lanewise_index_search for queries over n_threads threads, which divide the queries or, where these are fewer than 16 a
 * thread, the rows, so that one query has many threads too. What takes less than some 200 microseconds stays on the
 * calling thread. Bit for bit what single searches give; errors are the same. Results lie as there, so `row` and `score`
 * have room for n_queries * k entries. `scratch`: lanewise_index_search_batch_scratch_size(index, k, n_threads) bytes,
 * with the same n_threads and as many rows as the index has now, aligned as by malloc.
 */
LANEWISE_API lanewise_status lanewise_index_search_batch(const lanewise_index *index, const float *queries,
                                                         size_t n_queries, size_t query_ld, size_t k, float threshold,
                                                         const uint64_t *filter, uint32_t n_threads, void *scratch,
                                                         uint32_t *row, float *score, size_t *n_found);

/* The same for lanewise_index_search_coarse. */
LANEWISE_API lanewise_status lanewise_index_search_coarse_batch(const lanewise_index *index, const float *queries,
                                                                size_t n_queries, size_t query_ld, size_t k,
                                                                size_t n_candidates, float threshold,
                                                                const uint64_t *filter, uint32_t n_threads,
                                                                void *scratch, uint32_t *row, float *score,
                                                                size_t *n_found);

/* lanewise_similarity_f32 over n_threads threads: the same bits, the same errors. */
LANEWISE_API lanewise_status lanewise_similarity_f32_parallel(const float *a, size_t n_a, size_t a_ld, const float *b,
                                                              size_t n_b, size_t b_ld, size_t dim,
                                                              lanewise_metric metric, uint32_t n_threads, float *out,
                                                              size_t out_ld);

/*
 * The pairs of lanewise_pairs_f32 over n_threads threads, all in one call. *n_pairs says how many there are. Up to `capacity`
 * of them they are in `pairs`, in the same order and with the same bits; with more, `pairs` (capacity places) holds
 * nothing of use. With `pairs` NULL and capacity 0 they are only counted.
 *
 * LANEWISE_ERROR_ARGUMENT: a NULL pointer, ld < dim, an unknown metric, a NaN threshold.
 * LANEWISE_ERROR_TOO_LARGE: over UINT32_MAX rows, or n_rows * ld overflows.
 */
LANEWISE_API lanewise_status lanewise_pairs_f32_parallel(const float *rows, size_t n_rows, size_t dim, size_t ld,
                                                         lanewise_metric metric, float threshold, uint32_t n_threads,
                                                         lanewise_pair *pairs, size_t capacity, size_t *n_pairs);

/* Bytes of scratch for lanewise_neighbours_f32_parallel, or 0 as for lanewise_neighbours_scratch_size. */
LANEWISE_API size_t lanewise_neighbours_parallel_scratch_size(size_t k, uint32_t n_threads);

/*
 * lanewise_neighbours_f32 over n_threads threads: the same bits, the same errors. `scratch`:
 * lanewise_neighbours_parallel_scratch_size(k, n_threads) bytes with the same n_threads, aligned as by malloc.
 */
LANEWISE_API lanewise_status lanewise_neighbours_f32_parallel(const float *rows, size_t n_rows, size_t dim, size_t ld,
                                                              lanewise_metric metric, size_t first, size_t n, size_t k,
                                                              uint32_t n_threads, void *scratch, uint32_t *neighbour,
                                                              float *score, size_t *n_found);

/* lanewise_pq_encode over n_threads threads: the same codes. */
LANEWISE_API void lanewise_pq_encode_parallel(const lanewise_pq *pq, const float *rows, size_t n_rows, size_t ld,
                                              uint32_t n_threads, uint8_t *codes);

/* Bytes of scratch for lanewise_bm25_search_batch, or 0 as for lanewise_bm25_scratch_size. */
LANEWISE_API size_t lanewise_bm25_search_batch_scratch_size(const lanewise_bm25 *bm25, size_t k, uint32_t n_threads);

/*
 * lanewise_bm25_search_filtered for each of n_queries queries, query j of n_bytes[j] bytes at queries[j], over n_threads
 * threads. The result of query j goes to index + j * k, score + j * k and n_found[j], so `index` and `score` have room
 * for n_queries * k entries; places beyond n_found[j] are left alone. Bit for bit what single searches give. `filter`,
 * which may be NULL, is the same for all. `scratch`: lanewise_bm25_search_batch_scratch_size(bm25, k, n_threads) bytes
 * with the same n_threads, aligned as by malloc.
 *
 * Errors: those of single searches, found before anything is computed; LANEWISE_ERROR_TOO_LARGE also if n_queries * k
 * overflows.
 */
LANEWISE_API lanewise_status lanewise_bm25_search_batch(const lanewise_bm25 *bm25, const char *const *queries,
                                                        const size_t *n_bytes, size_t n_queries, const uint64_t *filter,
                                                        size_t k, uint32_t n_threads, void *scratch, uint32_t *index,
                                                        float *score, size_t *n_found);

#ifdef __cplusplus
}
#endif

#endif
