/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The benchmark harness: contenders that do the same work are run in turn, A B C A B C, in one process on one core,
 * and compared round by round. See docs/benchmarking.md for what is measured and how to add a family.
 *
 * A family file defines one `void bench_<family>(struct bench *)`, listed at the end here, that for every workload does
 *
 *	struct bench_case *c = bench_case_begin(bench, "dot_f32_rows", "l2", "row");
 *	if (!c) return;                                 (not asked for)
 *	... fill c->workload, c->units, c->bytes, c->out ...
 *	bench_add_tiers(c, run, context); bench_add(c, BENCH_PEER, "openblas", run_peer, other_context);
 *	bench_case_run(c);
 */
#ifndef LW_BENCH_HARNESS_H
#define LW_BENCH_HARNESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <lanewise/lanewise.h>

#include "peers/peer.h"

enum { BENCH_MAX_CONTENDERS = 24, BENCH_MAX_ROUNDS = 501, BENCH_MAX_PEERS = 16 };

enum bench_kind {
	BENCH_OURS,     /* the library, at one tier */
	BENCH_PEER,     /* other code for the same job */
	BENCH_REFERENCE /* a bound or a part of the job, such as reading the same bytes: no competitor */
};

enum bench_size { BENCH_L1, BENCH_L2, BENCH_L3, BENCH_DRAM, BENCH_SIZES };
enum bench_format { BENCH_TABLE, BENCH_JSON, BENCH_CSV };

typedef void bench_fn(void *context);

/* A median and the quartiles around it. */
struct bench_spread {
	double p25, median, p75;
};

struct bench_contender {
	const char *name;
	enum bench_kind kind;
	lanewise_tier tier; /* BENCH_OURS only: made active before each sample */
	bench_fn *run;
	void *context;

	/* Set by bench_case_measure(). */
	size_t calls;                /* in one sample */
	struct bench_spread seconds; /* of one call */
	int wrong;                   /* its output differs from the first contender's */
};

struct bench_case {
	struct bench *bench;
	const char *kernel, *size, *unit;
	char workload[64];
	double units, bytes; /* of one call: rows or elements done, and bytes of input it must read */

	/* What every contender writes, so that the harness can see that all do the same job; NULL: not compared. */
	float *out;
	size_t n_out;
	double tolerance; /* relative to the largest magnitude in the output */

	/*
	 * Data in parts: before each sample the harness sets *part to a number below n_parts, and the contenders do that
	 * part, so that `units` and `bytes` are those of one. NULL: there is only one. Two uses:
	 * - Data too large for short samples. The parts of successive samples differ, so that none finds what the one
	 *   before it left in the cache.
	 * - `part_per_round`: the same work at other addresses. How well data fits a cache depends on the physical pages
	 *   that it happens to have, so one address does not tell enough.
	 */
	size_t *part, n_parts;
	int part_per_round;

	size_t n_contenders, n_rounds;
	int quiet; /* only quiet rounds are counted; if there were too few of them, all are */
	struct bench_contender contender[BENCH_MAX_CONTENDERS];
	double (*seconds)[BENCH_MAX_CONTENDERS]; /* [round][contender], of one call */
};

struct bench {
	/* What was asked for. */
	const char *kernel_glob, *tier_name;
	uint64_t families; /* bit set of those of BENCH_FAMILIES; 0: all */
	unsigned sizes;    /* bit set of enum bench_size */
	double seconds;    /* time for one case */
	size_t rounds;     /* 0: as many as fit into `seconds` */
	double patience;   /* how often `seconds` may be spent while quiet rounds are missing */
	int use_peers, list, cold, bars, strict;
	enum bench_format format;
	int cpu; /* the one to run on, or -1 */

	/* What was found. */
	size_t cache_bytes[3]; /* of L1d, L2, L3 as one core sees them */
	size_t n_peers;
	const struct bench_peer *peer[BENCH_MAX_PEERS];
	unsigned char *eviction; /* larger than L3, walked to empty the caches; with --cold only */

	size_t n_cases, n_listed, n_wrong; /* contenders with a different result */
	struct bench_case current;
};

/* ------------------------------------------------------------------ cases */

extern const char *const bench_size_names[BENCH_SIZES];

/* Bytes of data that lie comfortably in that level, or for BENCH_DRAM in none. */
size_t bench_size_bytes(const struct bench *bench, enum bench_size size);

/* A case to fill and run, or NULL if the options do not ask for it. */
struct bench_case *bench_case_begin(struct bench *bench, const char *kernel, enum bench_size size, const char *unit);

struct bench_contender *bench_add(struct bench_case *c, enum bench_kind kind, const char *name, bench_fn *run,
                                  void *context);

/*
 * One contender for every tier asked for that this CPU runs and that has an implementation of its own of `kernel`, a
 * name in the kernel table.
 */
void bench_add_tiers(struct bench_case *c, const char *kernel, bench_fn *run, void *context);

/*
 * A contender for every peer that has the function at `member` of struct bench_peer, doing `job`, which is copied to jobs[]
 * with the peer put in at its byte `peer_at`.
 */
void bench_add_peers(struct bench_case *c, void *jobs, const void *job, size_t job_bytes, size_t peer_at, bench_fn *run,
                     size_t member);

/* Measures without a report; bench_case_run() measures and reports. */
void bench_case_measure(struct bench_case *c);
void bench_case_run(struct bench_case *c);

/* The spread of the per-round ratios time(a) / time(b): above 1 where b is faster. */
struct bench_spread bench_ratio(const struct bench_case *c, size_t a, size_t b);

/* The index of the contender of that name, or -1. */
int bench_find(const struct bench_case *c, const char *name);

/* ----------------------------------------------------------------- memory */

/* Zeroed, on huge pages where the system gives them; ends the program with a message when there is none left. */
void *bench_alloc(size_t n_bytes);
void bench_free(void *p);

/* Reproducible floats, uniform in [-1, 1). */
void bench_fill_f32(float *p, size_t n, uint64_t seed);

uint64_t bench_random(uint64_t *state);

/* ------------------------------------------------------------ read limit */

/*
 * Several ways to read memory and do nothing else; bench_read_best() tries all that this CPU runs on the given bytes
 * and gives the numbers of the fastest, best first. The first few are close together, so where the bound matters all
 * of them are measured.
 */
enum { BENCH_BEST_READS = 3 };
const char *bench_read_name(size_t variant);
void bench_read_best(const void *p, size_t n_bytes, size_t best[BENCH_BEST_READS]);

/* A contender that reads `n_bytes` at `data` with `variant`. */
struct bench_read_job {
	const void *data;
	size_t n_bytes, variant;
};
void bench_read_run(void *job);

/* ------------------------------------------------------------------ noise */

/*
 * Seconds that a fixed piece of arithmetic takes right now, about 20 microseconds. The best of this process is what an
 * undisturbed core needs; far above it, a program runs on the other hardware thread of the core, perhaps one of
 * another guest of which this system's counters know nothing. Wide vector code just before costs clock rate, up to a
 * fifth: that still counts as quiet.
 */
double bench_probe(void);
void bench_find_best_probe(void); /* tries for a third of a second */
int bench_is_quiet(double probe);

/* ------------------------------------------------------------------ parts */

void bench_report_begin(struct bench *bench);
void bench_report_case(const struct bench_case *c);
void bench_report_end(struct bench *bench);

void bench_load_peers(struct bench *bench);

/* The goals of the project; the number of those missed. */
int bench_bars(struct bench *bench);

/* Cases of which the goals need particular sizes. */
void bench_dot_rows_case(struct bench_case *c, size_t n_rows, size_t dim);
void bench_scan_topk_case(struct bench_case *c, size_t n_rows, size_t dim, size_t k);
void bench_topk_random_case(struct bench_case *c, size_t n, size_t k);

/* Every family, for its prototype here and the list in main.c: a new one is a file and a line here. */
#define BENCH_FAMILIES(BENCH_FAMILY) \
	BENCH_FAMILY(vector) \
	BENCH_FAMILY(compact) \
	BENCH_FAMILY(pairs) \
	BENCH_FAMILY(topk) \
	BENCH_FAMILY(hash) \
	BENCH_FAMILY(dedup) \
	BENCH_FAMILY(chunk) \
	BENCH_FAMILY(index) \
	BENCH_FAMILY(bytes) \
	BENCH_FAMILY(json) \
	BENCH_FAMILY(graph) \
	BENCH_FAMILY(bm25) \
	BENCH_FAMILY(scan) \
	BENCH_FAMILY(near) \
	BENCH_FAMILY(text)

#define BENCH_FAMILY(name) void bench_##name(struct bench *bench);
BENCH_FAMILIES(BENCH_FAMILY)
#undef BENCH_FAMILY

int lanewise_bench_main(int argc, char **argv);

#endif
