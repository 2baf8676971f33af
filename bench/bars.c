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
	char line[16][300];
};

static void note(struct bar_list *bars, const struct bench_case *c, enum verdict verdict, const char *goal,
                 const char *measured, const char *bound)
{
	bars->n_missed += verdict == MISS;
	snprintf(bars->line[bars->n++], sizeof bars->line[0], "%s  %s: %s%s%s", verdict_names[verdict], goal, measured,
	         bound, c->quiet ? "" : "; core disturbed");
}

/* The fastest of the references. */
static int find_reference(const struct bench_case *c)
{
	int best = -1;

	for (size_t i = 0; i < c->n_contenders; i++)
		if (c->contender[i].kind == BENCH_REFERENCE &&
		    (best < 0 || c->contender[i].seconds.median < c->contender[best].seconds.median))
			best = (int)i;
	return best;
}

/* A goal of the form "time(other) / time(ours) is at least `least`". */
static void bar_at_least(struct bar_list *bars, const struct bench_case *c, const char *goal, int other, double least)
{
	char measured[120], bound[60] = "";
	int reference = find_reference(c);

	if (other < 0) {
		note(bars, c, SKIPPED, goal, "nothing to compare with in this build", "");
		return;
	}
	struct bench_spread ratio = bench_ratio(c, (size_t)other, 0);

	/* What a kernel would reach that cost nothing but the reading. */
	if (reference >= 0 && reference != other)
		snprintf(bound, sizeof bound, "; reading alone would give %.2f",
		         bench_ratio(c, (size_t)other, (size_t)reference).median);
	snprintf(measured, sizeof measured, "%.3f [%.3f %.3f], wanted %.3f; %.3f against %.3f ns/%s of %s",
	         ratio.median, ratio.p25, ratio.p75, least, c->contender[0].seconds.median * 1e9 / c->units,
	         c->contender[other].seconds.median * 1e9 / c->units, c->unit, c->contender[other].name);
	note(bars, c, ratio.median >= least ? PASS : MISS, goal, measured, bound);
}

/* Leaves only the peer of that name, if any, and returns the case to fill. */
static struct bench_case *begin(struct bench *bench, const struct bench *asked, const char *kernel,
                                enum bench_size size, const char *unit, const char *peer)
{
	bench->n_peers = 0;
	for (size_t i = 0; i < asked->n_peers; i++)
		if (strcmp(asked->peer[i]->name, peer) == 0)
			bench->peer[bench->n_peers++] = asked->peer[i];
	/* What runs through 1.5 GB at every call needs longer for as many rounds. */
	bench->seconds = asked->seconds * (size == BENCH_DRAM ? 10 : 3);
	return bench_case_begin(bench, kernel, size, unit);
}

static void rows_bars(struct bench *bench, const struct bench *asked, struct bar_list *bars)
{
	struct bench_case *c = begin(bench, asked, "dot_f32_rows", BENCH_L2, "row", "openblas");

	bench_dot_rows_case(c, 500, 384);
	bar_at_least(bars, c, "rows in L2 (500x384) over sgemv", bench_find(c, "openblas"), 1.8);

	c = begin(bench, asked, "dot_f32_rows", BENCH_DRAM, "row", "openblas");
	bench_dot_rows_case(c, 1000000, 384);
	bar_at_least(bars, c, "rows in memory (1Mx384), share of the read bandwidth", find_reference(c), 0.85);
}

static void scan_bar(struct bench *bench, const struct bench *asked, struct bar_list *bars)
{
	struct bench_case *c = begin(bench, asked, "scan_topk_f32", BENCH_DRAM, "row", "none");

	bench_scan_topk_case(c, 1000000, 384, 10);
	bar_at_least(bars, c, "fused top-10 (1Mx384) at most 3 % over the bare scan", find_reference(c), 1 / 1.03);
}

static int has_peer(const struct bench *bench, const char *name)
{
	for (size_t i = 0; i < bench->n_peers; i++)
		if (strcmp(bench->peer[i]->name, name) == 0)
			return 1;
	return 0;
}

static void topk_bars(struct bench *bench, const struct bench *asked, struct bar_list *bars)
{
	static const struct {
		size_t k;
		double least;
		const char *goal;
	} goals[] = { { 10, 10, "top-10 of 1M random scores" },
		      { 100, 7, "top-100 of 1M random scores" },
		      { 1000, 3.5, "top-1000 of 1M random scores" } };
	const char *peer = has_peer(asked, "faiss") ? "faiss" : "partial_sort";

	for (size_t i = 0; i < sizeof goals / sizeof *goals; i++) {
		struct bench_case *c = begin(bench, asked, "topk_f32", BENCH_L3, "element", peer);

		bench_topk_random_case(c, 1000000, goals[i].k);
		bar_at_least(bars, c, goals[i].goal, bench_find(c, peer), goals[i].least);
	}
}

int bench_bars(struct bench *bench)
{
	struct bar_list bars = { 0 };
	const struct bench asked = *bench;

	bench->tier_name = lanewise_tier_name(lanewise_active_tier());
	bench->sizes = (1u << BENCH_SIZES) - 1;
	bench->kernel_glob = NULL;
	bench->list = 0;
	rows_bars(bench, &asked, &bars);
	scan_bar(bench, &asked, &bars);
	topk_bars(bench, &asked, &bars);
	if (bench->format == BENCH_TABLE)
		printf("\n");
	for (size_t i = 0; i < bars.n; i++)
		fprintf(bench->format == BENCH_TABLE ? stdout : stderr, "%s\n", bars.line[i]);
	return (int)bars.n_missed;
}
