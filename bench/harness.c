/* SPDX-License-Identifier: Apache-2.0 */
/* Cases, contenders, the measuring loop and its statistics. */
#include "harness.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MIN_ROUNDS = 5 };

/* One sample of a short job is repeated to about this long: far above the clock's cost, far below a scheduler's slice. */
static const double sample_seconds = 2e-3;

const char *const bench_size_names[BENCH_SIZES] = { "l1", "l2", "l3", "dram" };

/* ------------------------------------------------------------------ sizes */

size_t bench_size_bytes(const struct bench *bench, enum bench_size size)
{
	const size_t *cache = bench->cache_bytes;

	/* A part of each level, because the stack, the query and the output want room too and L3 has other users. */
	switch (size) {
	case BENCH_L1:
		return cache[0] / 4 * 3;
	case BENCH_L2:
		return cache[1] / 4 * 3;
	case BENCH_L3:
		return cache[1] * 4 < cache[2] / 2 ? cache[1] * 4 : cache[2] / 2;
	default:
		return cache[2] * 4 > (size_t)128 << 20 ? cache[2] * 4 : (size_t)128 << 20;
	}
}

/* ------------------------------------------------------------------ cases */

struct bench_case *bench_case_begin(struct bench *bench, const char *kernel, enum bench_size size, const char *unit)
{
	struct bench_case *c = &bench->current;

	if (!(bench->sizes >> size & 1) || (bench->kernel_glob && fnmatch(bench->kernel_glob, kernel, 0) != 0))
		return NULL;
	if (bench->list) {
		printf("%-24s %s\n", kernel, bench_size_names[size]);
		bench->n_listed++;
		return NULL;
	}
	memset(c, 0, sizeof *c);
	c->bench = bench;
	c->kernel = kernel;
	c->size = bench_size_names[size];
	c->n_parts = 1;
	c->unit = unit;
	return c;
}

struct bench_contender *bench_add(struct bench_case *c, enum bench_kind kind, const char *name, bench_fn *run,
                                  void *context)
{
	if (c->n_contenders == BENCH_MAX_CONTENDERS)
		return NULL;

	struct bench_contender *contender = &c->contender[c->n_contenders++];

	contender->name = name;
	contender->kind = kind;
	contender->tier = -1;
	contender->run = run;
	contender->context = context;
	return contender;
}

static int is_wanted_tier(const struct bench *bench, lanewise_tier tier)
{
	const char *wanted = bench->tier_name;

	if (!wanted) /* what programs use, and what it is compared with */
		return tier == 0 || tier == lanewise_active_tier();
	return strcmp(wanted, "all") == 0 || strcmp(wanted, lanewise_tier_name(tier)) == 0;
}

static int32_t kernel_number(const char *kernel)
{
	int32_t number = 0;

	while (lanewise_kernel_name(number) && strcmp(lanewise_kernel_name(number), kernel) != 0)
		number++;
	return number;
}

void bench_add_tiers(struct bench_case *c, const char *kernel, bench_fn *run, void *context)
{
	int32_t number = kernel_number(kernel);

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		const char *name = lanewise_tier_name(tier), *runs = lanewise_kernel_implementation(number, tier);

		if (!is_wanted_tier(c->bench, tier) || !lanewise_tier_supported(tier))
			continue;
		/* With all tiers, one that borrows everything would be measured twice. */
		if (c->bench->tier_name && strcmp(c->bench->tier_name, "all") == 0 && runs && strcmp(runs, name) != 0)
			continue;

		struct bench_contender *contender = bench_add(c, BENCH_OURS, name, run, context);

		if (contender)
			contender->tier = tier;
	}
}

void bench_add_peers(struct bench_case *c, void *jobs, const void *job, size_t job_bytes, size_t peer_at, bench_fn *run,
                     size_t member)
{
	for (size_t i = 0; i < c->bench->n_peers; i++) {
		char *own = (char *)jobs + i * job_bytes;
		const struct bench_peer *peer = c->bench->peer[i];
		void *function;

		memcpy(&function, (const char *)peer + member, sizeof function);
		if (!function)
			continue;
		memcpy(own, job, job_bytes);
		memcpy(own + peer_at, &peer, sizeof peer);
		bench_add(c, BENCH_PEER, peer->name, run, own);
	}
}

int bench_find(const struct bench_case *c, const char *name)
{
	for (size_t i = 0; i < c->n_contenders; i++)
		if (strcmp(c->contender[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* ------------------------------------------------------------- statistics */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts `values`. */
static struct bench_spread spread_of(double *values, size_t n)
{
	struct bench_spread s = { 0, 0, 0 };

	if (n == 0)
		return s;
	qsort(values, n, sizeof *values, compare_doubles);
	s.p25 = values[(n - 1) / 4];
	s.median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
	s.p75 = values[n - 1 - (n - 1) / 4];
	return s;
}

struct bench_spread bench_ratio(const struct bench_case *c, size_t a, size_t b)
{
	double values[BENCH_MAX_ROUNDS];

	for (size_t r = 0; r < c->n_rounds; r++)
		values[r] = c->seconds[r][a] / c->seconds[r][b];
	return spread_of(values, c->n_rounds);
}

/* -------------------------------------------------------------- measuring */

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Leaves nothing of the case's data in the caches. */
static void evict(struct bench *bench)
{
	size_t n = 2 * bench->cache_bytes[2];

	for (size_t i = 0; i < n; i += 64)
		bench->eviction[i]++;
}

static void make_active(const struct bench_contender *contender)
{
	if (contender->kind == BENCH_OURS)
		lanewise_set_tier(contender->tier);
}

/*
 * Seconds of one call. Warm samples use the thread's CPU time, which other programs on this core do not lengthen;
 * cold samples are single short calls, and the cheaper clock disturbs them less.
 */
static double sample(struct bench *bench, const struct bench_contender *contender, size_t calls)
{
	clockid_t clock = bench->cold ? CLOCK_MONOTONIC_RAW : CLOCK_THREAD_CPUTIME_ID;

	make_active(contender);
	if (bench->cold) {
		calls = 1;
		evict(bench);
	} else if (calls > 1) {
		contender->run(contender->context); /* what the contender before left in the caches */
	}

	double start = now(clock);

	for (size_t i = 0; i < calls; i++)
		contender->run(contender->context);
	return (now(clock) - start) / (double)calls;
}

static size_t calibrate(struct bench *bench, const struct bench_contender *contender)
{
	size_t calls = 1;

	/* The first calls also fault pages in and wake wide vector units. */
	for (;;) {
		double seconds = sample(bench, contender, calls) * (double)calls;

		if (bench->cold || seconds >= sample_seconds / 4 || calls > (size_t)1 << 40) {
			double wanted = (double)calls * sample_seconds / (seconds > 0 ? seconds : sample_seconds);

			return bench->cold || wanted < 1 ? 1 : (size_t)wanted;
		}
		calls *= 2;
	}
}

static void choose_part(struct bench_case *c, size_t number)
{
	if (c->part)
		*c->part = number % c->n_parts;
}

/* Whether all contenders do the same job: within rounding, which differs between orders of summation. */
static void compare_outputs(struct bench_case *c)
{
	if (!c->out || c->n_out == 0)
		return;

	float *expected = malloc(c->n_out * sizeof *expected);
	double largest = 0;
	int have_expected = 0;

	if (!expected)
		return;
	for (size_t i = 0; i < c->n_contenders; i++) {
		struct bench_contender *contender = &c->contender[i];

		if (contender->kind == BENCH_REFERENCE)
			continue;
		memset(c->out, 0, c->n_out * sizeof *c->out);
		make_active(contender);
		for (size_t part = 0; part < c->n_parts; part++) {
			choose_part(c, part);
			contender->run(contender->context);
		}
		if (!have_expected) {
			memcpy(expected, c->out, c->n_out * sizeof *c->out);
			for (size_t j = 0; j < c->n_out; j++)
				largest = fmax(largest, fabs((double)expected[j]));
			have_expected = 1;
		}
		for (size_t j = 0; j < c->n_out; j++)
			if (!(fabs((double)c->out[j] - (double)expected[j]) <= c->tolerance * largest))
				contender->wrong = 1;
		c->bench->n_wrong += (size_t)contender->wrong;
	}
	free(expected);
}

/* One sample of every contender, in turn; returns the slowest probe of the core before, between and after them. */
static double run_round(struct bench_case *c, double *seconds)
{
	double slowest = bench_probe();

	for (size_t i = 0; i < c->n_contenders; i++) {
		choose_part(c, c->part_per_round ? c->n_rounds : c->n_rounds * (c->n_contenders + 1) + i);
		seconds[i] = sample(c->bench, &c->contender[i], c->contender[i].calls);
		slowest = fmax(slowest, bench_probe());
	}
	return slowest;
}

static size_t count_quiet(const double *probes, size_t n)
{
	size_t quiet = 0;

	for (size_t r = 0; r < n; r++)
		quiet += bench_is_quiet(probes[r]);
	return quiet;
}

static int is_finished(const struct bench *bench, const double *probes, size_t n, double spent)
{
	if (bench->rounds)
		return n == bench->rounds;
	if (n < MIN_ROUNDS || spent < bench->seconds)
		return n == BENCH_MAX_ROUNDS;
	return n == BENCH_MAX_ROUNDS || spent > bench->seconds * bench->patience ||
	       count_quiet(probes, n) >= MIN_ROUNDS;
}

/* Drops the rounds in which the core was disturbed, if enough are left. */
static void keep_quiet_rounds(struct bench_case *c, const double *probes)
{
	size_t n = 0;

	c->quiet = count_quiet(probes, c->n_rounds) >= MIN_ROUNDS;
	for (size_t r = 0; c->quiet && r < c->n_rounds; r++)
		if (bench_is_quiet(probes[r]))
			memmove(c->seconds[n++], c->seconds[r], sizeof c->seconds[r]);
	if (c->quiet)
		c->n_rounds = n;
}

void bench_case_measure(struct bench_case *c)
{
	static double seconds[BENCH_MAX_ROUNDS][BENCH_MAX_CONTENDERS], probes[BENCH_MAX_ROUNDS];
	lanewise_tier before = lanewise_active_tier();

	compare_outputs(c);
	for (size_t i = 0; i < c->n_contenders; i++)
		c->contender[i].calls = calibrate(c->bench, &c->contender[i]);

	double start = now(CLOCK_MONOTONIC);

	c->seconds = seconds;
	for (c->n_rounds = 0; !is_finished(c->bench, probes, c->n_rounds, now(CLOCK_MONOTONIC) - start); c->n_rounds++)
		probes[c->n_rounds] = run_round(c, seconds[c->n_rounds]);
	keep_quiet_rounds(c, probes);
	for (size_t i = 0; i < c->n_contenders; i++) {
		double values[BENCH_MAX_ROUNDS];

		for (size_t r = 0; r < c->n_rounds; r++)
			values[r] = seconds[r][i];
		c->contender[i].seconds = spread_of(values, c->n_rounds);
	}
	lanewise_set_tier(before);
}

void bench_case_run(struct bench_case *c)
{
	if (c->n_contenders == 0)
		return;
	bench_case_measure(c);
	bench_report_case(c);
	c->bench->n_cases++;
}
