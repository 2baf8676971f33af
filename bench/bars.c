/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The goals that the project has set itself, measured here and now: PASS or MISS with the numbers. A goal whose peer
 * is not there is skipped, and says so.
 */
#include "harness.h"

#include <string.h>

enum verdict { PASS, MISS, SKIPPED };

static const char *const verdict_names[] = { "PASS", "MISS", "SKIP" };

struct bar_list {
	size_t n, n_missed;
	char line[16][200];
};

static void note(struct bar_list *bars, enum verdict verdict, const char *goal, const char *measured)
{
	bars->n_missed += verdict == MISS;
	snprintf(bars->line[bars->n++], sizeof bars->line[0], "%s  %s: %s", verdict_names[verdict], goal, measured);
}

/* A goal of the form "time(other) / time(ours) is at least `least`". */
static void bar_at_least(struct bar_list *bars, const struct bench_case *c, const char *goal, int other, double least)
{
	char measured[120];

	if (other < 0) {
		note(bars, SKIPPED, goal, "nothing to compare with in this build");
		return;
	}
	struct bench_spread ratio = bench_ratio(c, (size_t)other, 0);

	snprintf(measured, sizeof measured, "%.3f [%.3f %.3f] of %.3f against %s, %.3f and %.3f ns/%s", ratio.median,
	         ratio.p25, ratio.p75, least, c->contender[other].name, c->contender[0].seconds.median * 1e9 / c->units,
	         c->contender[other].seconds.median * 1e9 / c->units, c->unit);
	note(bars, ratio.median >= least ? PASS : MISS, goal, measured);
}

static int find_reference(const struct bench_case *c)
{
	for (size_t i = 0; i < c->n_contenders; i++)
		if (c->contender[i].kind == BENCH_REFERENCE)
			return (int)i;
	return -1;
}

/* Only the peers that a goal names, and only the tier in use. */
static void restrict_contenders(struct bench *bench)
{
	static const char *const named[] = { "openblas", "faiss", "partial_sort" };
	size_t n = 0;

	for (size_t i = 0; i < bench->n_peers; i++)
		for (size_t j = 0; j < sizeof named / sizeof *named; j++)
			if (strcmp(bench->peer[i]->name, named[j]) == 0)
				bench->peer[n++] = bench->peer[i];
	bench->n_peers = n;
	bench->tier_name = lanewise_tier_name(lanewise_active_tier());
	bench->sizes = (1u << BENCH_SIZES) - 1;
	bench->kernel_glob = NULL;
}

static void rows_bars(struct bench *bench, struct bar_list *bars)
{
	struct bench_case *c = bench_case_begin(bench, "dot_f32_rows", BENCH_L2, "row");

	bench_dot_rows_case(c, 500, 384);
	bar_at_least(bars, c, "rows in L2 (500x384) over sgemv", bench_find(c, "openblas"), 1.8);

	c = bench_case_begin(bench, "dot_f32_rows", BENCH_DRAM, "row");
	bench_dot_rows_case(c, 1000000, 384);
	bar_at_least(bars, c, "rows in memory (1Mx384), share of the read bandwidth", find_reference(c), 0.85);
}

static void scan_bar(struct bench *bench, struct bar_list *bars)
{
	struct bench_case *c = bench_case_begin(bench, "scan_topk_f32", BENCH_DRAM, "row");

	bench_scan_topk_case(c, 1000000, 384, 10);
	bar_at_least(bars, c, "fused top-10 (1Mx384) at most 3 % over the bare scan", find_reference(c), 1 / 1.03);
}

static void topk_bars(struct bench *bench, struct bar_list *bars)
{
	static const struct {
		size_t k;
		double least;
		const char *goal;
	} goals[] = { { 10, 10, "top-10 of 1M random scores" },
		      { 100, 7, "top-100 of 1M random scores" },
		      { 1000, 3.5, "top-1000 of 1M random scores" } };

	for (size_t i = 0; i < sizeof goals / sizeof *goals; i++) {
		struct bench_case *c = bench_case_begin(bench, "topk_f32", BENCH_L3, "element");

		bench_topk_random_case(c, 1000000, goals[i].k);

		int faiss = bench_find(c, "faiss");

		bar_at_least(bars, c, goals[i].goal, faiss >= 0 ? faiss : bench_find(c, "partial_sort"),
		             goals[i].least);
	}
}

int bench_bars(struct bench *bench)
{
	struct bar_list bars = { 0 };

	restrict_contenders(bench);
	rows_bars(bench, &bars);
	scan_bar(bench, &bars);
	topk_bars(bench, &bars);
	if (bench->format == BENCH_TABLE)
		printf("\n");
	for (size_t i = 0; i < bars.n; i++)
		fprintf(bench->format == BENCH_TABLE ? stdout : stderr, "%s\n", bars.line[i]);
	return (int)bars.n_missed;
}
