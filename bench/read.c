/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast this core can read memory: load and OR, nothing else. There is no one best way to do it; it depends on the
 * CPU and on where the data lies. Tried are vector widths, streams side by side (page after page, so that each
 * page's prefetcher works for one of them), and software prefetch, and the best of all counts.
 */
#include "harness.h"

#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { PAGE = 4096, LINE = 64 };

static volatile uint64_t read_sink;

#define READ_INLINE static inline __attribute__((always_inline))

/*
 * READ_LOOP(name, target, vector, load, or, fold): `streams` adjacent pages are read in parallel, one line of each in
 * turn; `ahead` bytes of prefetch, 0 for none. Both are constants where it is called.
 */
#define READ_LOOP(name, target, vector, load, or, zero, fold) \
	READ_INLINE __attribute__((target)) uint64_t name(const unsigned char *p, size_t n, size_t streams, \
	                                                  size_t ahead) \
	{ \
		vector sum[8] = { zero, zero, zero, zero, zero, zero, zero, zero }; \
		size_t i = 0; \
\
		for (; i + streams * PAGE <= n; i += streams * PAGE) \
			for (size_t at = 0; at < PAGE; at += 8 / streams * LINE) { \
				_Pragma("GCC unroll 8") for (size_t j = 0; j < 8; j++) \
				{ \
					size_t s = j / (8 / streams), line = j % (8 / streams); \
					const unsigned char *q = p + i + s * PAGE + at + line * LINE; \
\
					if (ahead) \
						__builtin_prefetch(q + ahead); \
					_Pragma("GCC unroll 8") for (size_t b = 0; b < LINE; b += sizeof(vector)) \
					        sum[j] = or (sum[j], load(q + b)); \
				} \
			} \
		for (; i + LINE <= n; i += LINE) \
			for (size_t b = 0; b < LINE; b += sizeof(vector)) \
				sum[0] = or (sum[0], load(p + i + b)); \
		for (size_t j = 1; j < 8; j++) \
			sum[0] = or (sum[0], sum[j]); \
		return fold(sum[0]); \
	}

#define LOAD_U64(p)  (*(const uint64_t *)(const void *)(p))
#define OR_U64(a, b) ((a) | (b))
#define FOLD_U64(a)  (a)
READ_LOOP(read_u64, unused, uint64_t, LOAD_U64, OR_U64, 0, FOLD_U64)

#if defined(__x86_64__)
#define LOAD_256(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define FOLD_256(a) ((uint64_t)_mm256_extract_epi64(a, 0) | (uint64_t)_mm256_extract_epi64(a, 2))
READ_LOOP(read_256, target("avx2"), __m256i, LOAD_256, _mm256_or_si256, _mm256_setzero_si256(), FOLD_256)

#define LOAD_512(p) _mm512_loadu_si512(p)
#define FOLD_512(a) ((uint64_t)_mm512_reduce_or_epi64(a))
READ_LOOP(read_512, target("avx512f"), __m512i, LOAD_512, _mm512_or_si512, _mm512_setzero_si512(), FOLD_512)
#endif

/* READ(width, streams, prefetch distance in KB) */
#define READS_OF(width) \
	READ(width, 1, 0) \
	READ(width, 1, 1) \
	READ(width, 1, 2) \
	READ(width, 1, 4) \
	READ(width, 1, 8) \
	READ(width, 2, 0) \
	READ(width, 2, 8) \
	READ(width, 4, 0) \
	READ(width, 4, 4) \
	READ(width, 4, 8) \
	READ(width, 4, 16)
#if defined(__x86_64__)
#define READS READS_OF(256) READS_OF(512) READS_OF(u64)
#else
#define READS READS_OF(u64)
#endif

#define TARGET_u64
#define TARGET_256 __attribute__((target("avx2")))
#define TARGET_512 __attribute__((target("avx512f")))
#define READ(width, streams, ahead) \
	TARGET_##width static uint64_t read_##width##_##streams##_##ahead(const void *p, size_t n) \
	{ \
		return read_##width(p, n, streams, (size_t)ahead * 1024); \
	}
READS
#undef READ

static const struct {
	const char *name, *needs;
	uint64_t (*read)(const void *p, size_t n_bytes);
} variants[] = {
#define READ(width, streams, ahead) \
	{ "read " #width "b x" #streams " +" #ahead "K", #width, read_##width##_##streams##_##ahead },
	READS
#undef READ
};

enum { VARIANTS = sizeof variants / sizeof *variants };

static int can_run(size_t variant)
{
#if defined(__x86_64__)
	if (variants[variant].needs[0] == '2')
		return __builtin_cpu_supports("avx2");
	if (variants[variant].needs[0] == '5')
		return __builtin_cpu_supports("avx512f");
#endif
	return variant < VARIANTS;
}

const char *bench_read_name(size_t variant) { return variants[variant].name; }

static uint64_t read_once(size_t variant, const void *p, size_t n_bytes) { return variants[variant].read(p, n_bytes); }

void bench_read_run(void *job)
{
	const struct bench_read_job *read = job;

	read_sink = read_once(read->variant, read->data, read->n_bytes);
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/*
 * In turn, several times over, by the fastest run of each: noise only ever slows. What is far behind is not
 * tried again.
 */
void bench_read_best(const void *p, size_t n_bytes, size_t best[BENCH_BEST_READS])
{
	/* A part of huge data tells as much as all of it. */
	size_t bytes = n_bytes < (size_t)128 << 20 ? n_bytes : (size_t)128 << 20;
	size_t calls = 1 + ((size_t)4 << 20) / (bytes + 1), first = 0;
	double least[VARIANTS];

	for (size_t v = 0; v < VARIANTS; v++)
		least[v] = 1e9;
	for (int round = 0; round < 8; round++)
		for (size_t v = 0; v < VARIANTS; v++) {
			if (!can_run(v) || (round >= 1 && least[v] > (round < 3 ? 1.5 : 1.2) * least[first]))
				continue;
			double start = cpu_seconds();

			for (size_t i = 0; i < calls; i++)
				read_sink = read_once(v, p, bytes);

			double seconds = cpu_seconds() - start;

			if (seconds < least[v])
				least[v] = seconds;
			if (least[v] < least[first])
				first = v;
		}
	for (size_t i = 0; i < BENCH_BEST_READS; i++) {
		best[i] = 0;
		for (size_t v = 1; v < VARIANTS; v++)
			if (least[v] < least[best[i]])
				best[i] = v;
		least[best[i]] = 1e10; /* not twice */
	}
}
