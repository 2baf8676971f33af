/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Betweenness against its definition: distances and numbers of paths between all pairs by dynamic programming, and for each
 * node the sum over all pairs. Sampling must be unbiased, the same for the same seed, and all nodes for n samples.
 */
#include <lanewise/graph.h>

#include <math.h>
#include <stdlib.h>

#include "test.h"

enum { MAX_N = 24, MAX_M = 90, FAR = 1000000 };

static uint64_t seed = 7;

static uint32_t below(uint32_t n) { return n ? (uint32_t)(test_random(&seed) % n) : 0; }

struct sample {
	uint32_t n, m, src[MAX_M], dst[MAX_M];
	lanewise_graph *graph;
	int distance[MAX_N][MAX_N];
	double paths[MAX_N][MAX_N];
};

static void draw(struct sample *s)
{
	s->n = below(MAX_N + 1);
	s->m = s->n ? below(below(2) ? MAX_M : s->n + 1) : 0;
	for (uint32_t i = 0; i < s->m; i++) {
		s->src[i] = below(s->n);
		s->dst[i] = below(s->n);
	}
	s->graph = NULL;
	CHECK_EQUAL(lanewise_graph_create(s->n, s->src, s->dst, NULL, s->m, NULL, NULL, &s->graph, NULL), LANEWISE_OK);
}

/* All distances, then the paths by growing distance: those to v are those to the nodes just before it. */
static void count_paths(struct sample *s)
{
	for (uint32_t a = 0; a < s->n; a++)
		for (uint32_t b = 0; b < s->n; b++)
			s->distance[a][b] = a == b ? 0 : FAR;
	for (uint32_t round = 0; round < s->n; round++)
		for (uint32_t a = 0; a < s->n; a++)
			for (uint32_t i = 0; i < s->m; i++)
				if (s->distance[a][s->src[i]] + 1 < s->distance[a][s->dst[i]])
					s->distance[a][s->dst[i]] = s->distance[a][s->src[i]] + 1;
	memset(s->paths, 0, sizeof s->paths);
	for (uint32_t a = 0; a < s->n; a++) {
		s->paths[a][a] = 1;
		for (int d = 1; d < (int)s->n; d++)
			for (uint32_t i = 0; i < s->m; i++)
				if (s->distance[a][s->dst[i]] == d && s->distance[a][s->src[i]] == d - 1)
					s->paths[a][s->dst[i]] += s->paths[a][s->src[i]];
	}
}

static double by_definition(const struct sample *s, uint32_t u)
{
	double sum = 0;

	for (uint32_t a = 0; a < s->n; a++)
		for (uint32_t b = 0; b < s->n; b++)
			if (a != b && a != u && b != u && s->distance[a][b] < FAR &&
			    s->distance[a][u] + s->distance[u][b] == s->distance[a][b])
				sum += s->paths[a][u] * s->paths[u][b] / s->paths[a][b];
	return sum;
}

static void compute(const lanewise_graph *graph, size_t n_samples, uint64_t random, int normalized, double *out)
{
	lanewise_betweenness_options options = { sizeof options, n_samples, random, normalized };
	size_t n_bytes = lanewise_graph_betweenness_scratch_size(graph);
	void *scratch = malloc(n_bytes);

	memset(scratch, 0xa5, n_bytes);
	CHECK_EQUAL(lanewise_graph_betweenness(graph, &options, scratch, out, NULL), LANEWISE_OK);
	free(scratch);
}

static void test_definition(struct sample *s)
{
	double found[MAX_N], normal[MAX_N], again[MAX_N];

	count_paths(s);
	compute(s->graph, 0, 0, 0, found);
	compute(s->graph, 0, 1, 1, normal);
	compute(s->graph, s->n, 99, 1, again);
	for (uint32_t u = 0; u < s->n; u++) {
		double expected = by_definition(s, u), pairs = s->n > 2 ? (s->n - 1.0) * (s->n - 2.0) : 1;

		CHECK(fabs(found[u] - expected) <= 1e-12 * (1 + expected));
		CHECK(fabs(normal[u] * pairs - expected) <= 1e-12 * (1 + expected));
	}
	CHECK(!s->n || !memcmp(normal, again, s->n * sizeof *normal));
}

static void test_sampling(struct sample *s)
{
	enum { DRAWS = 4000 };
	double exact[MAX_N], one[MAX_N], again[MAX_N], mean[MAX_N] = { 0 }, largest = 0, sum_mean = 0, sum_exact = 0;
	size_t k;
	int differ = 0;

	while (s->n < 8 || s->m < 40) {
		lanewise_graph_destroy(s->graph);
		draw(s);
	}
	k = 1 + below(s->n - 1);
	compute(s->graph, 0, 0, 0, exact);
	for (uint64_t i = 0; i < DRAWS; i++) {
		compute(s->graph, k, i, 0, one);
		compute(s->graph, k, i, 0, again);
		CHECK(!memcmp(one, again, s->n * sizeof *one));
		differ |= memcmp(one, exact, s->n * sizeof *one) != 0;
		for (uint32_t u = 0; u < s->n; u++)
			mean[u] += one[u] / DRAWS;
	}
	for (uint32_t u = 0; u < s->n; u++) {
		largest = exact[u] > largest ? exact[u] : largest;
		sum_mean += mean[u];
		sum_exact += exact[u];
	}
	CHECK(differ || largest == 0);
	/* A source gives a node at most n, so a mean of 4000 is off by more than n * n * 5 / sqrt(4000) about never. */
	for (uint32_t u = 0; u < s->n; u++)
		CHECK(fabs(mean[u] - exact[u]) < 0.08 * s->n * s->n);
	CHECK(fabs(sum_mean - sum_exact) <= 0.05 * sum_exact);
}

/* A chain is right in closed form: u nodes before times n - 1 - u behind. */
static void test_deep(uint32_t n)
{
	uint32_t *src = malloc(n * sizeof *src), *dst = malloc(n * sizeof *dst);
	double *found = malloc(n * sizeof *found);
	lanewise_betweenness_options options = { sizeof options, 1, 3, 0 };
	lanewise_graph *chain = NULL;
	uint32_t source = 0;

	for (uint32_t i = 0; i + 1 < n; i++) {
		src[i] = i;
		dst[i] = i + 1;
	}
	CHECK_EQUAL(lanewise_graph_create(n, src, dst, NULL, n - 1, NULL, NULL, &chain, NULL), LANEWISE_OK);

	void *scratch = malloc(lanewise_graph_betweenness_scratch_size(chain));

	CHECK_EQUAL(lanewise_graph_betweenness(chain, &options, scratch, found, NULL), LANEWISE_OK);
	while (source < n && found[source] == 0)
		source++;
	for (uint32_t u = source; u < n; u += 1 + n / 100)
		CHECK(found[u] == (double)(n - 1 - u) * n); /* one source in n */
	lanewise_graph_destroy(chain);
	free(scratch), free(src), free(dst), free(found);
}

/* Diamonds one behind the other double the number of paths; 999 of them are fine, 1001 are not. */
static void test_many_paths(uint32_t n_diamonds, lanewise_status expected)
{
	uint32_t n = 3 * n_diamonds + 1, *src = malloc(4 * n * sizeof *src), *dst = malloc(4 * n * sizeof *dst), m = 0;
	double *found = malloc(n * sizeof *found);
	lanewise_graph *graph = NULL;
	lanewise_error error = { 0 };

	for (uint32_t i = 0; i < n_diamonds; i++)
		for (uint32_t side = 1; side <= 2; side++) {
			src[m] = 3 * i;
			dst[m++] = 3 * i + side;
			src[m] = 3 * i + side;
			dst[m++] = 3 * i + 3;
		}
	CHECK_EQUAL(lanewise_graph_create(n, src, dst, NULL, m, NULL, NULL, &graph, NULL), LANEWISE_OK);

	void *scratch = malloc(lanewise_graph_betweenness_scratch_size(graph));

	CHECK_EQUAL(lanewise_graph_betweenness(graph, NULL, scratch, found, &error), expected);
	if (expected == LANEWISE_OK)
		for (uint32_t u = 0; u < n; u++) /* half of all paths for the sides, all of them for the ends */
			CHECK(u % 3 ? found[u] < 0.51 : found[u] > 0 || u == 0 || u == n - 1);
	else
		CHECK(error.status == expected && error.offset == 0 && strstr(error.what, "node 0"));
	lanewise_graph_destroy(graph);
	free(scratch), free(src), free(dst), free(found);
}

static void test_arguments(void)
{
	lanewise_betweenness_options options = { 1, 0, 0, 0 };
	lanewise_graph *graph = NULL;
	uint64_t scratch[64];
	uint32_t ends[] = { 0, 1 };
	double out[2];

	lanewise_graph_create(2, ends, ends + 1, NULL, 1, NULL, NULL, &graph, NULL);
	CHECK(lanewise_graph_betweenness_scratch_size(graph) <= sizeof scratch);
	CHECK_EQUAL(lanewise_graph_betweenness(NULL, NULL, scratch, out, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_graph_betweenness(graph, NULL, NULL, out, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_graph_betweenness(graph, NULL, scratch, NULL, NULL), LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_graph_betweenness(graph, &options, scratch, out, NULL), LANEWISE_ERROR_ARGUMENT);
	lanewise_graph_destroy(graph);
}

int main(void)
{
	static struct sample s;
	const char *deep = getenv("LANEWISE_TEST_DEPTH"); /* emulators are slow */

	for (int round = 0; round < 1500; round++) {
		draw(&s);
		test_definition(&s);
		if (round % 500 == 0)
			test_sampling(&s);
		lanewise_graph_destroy(s.graph);
	}
	test_deep(deep ? (uint32_t)strtoul(deep, NULL, 10) : 10000000);
	test_many_paths(999, LANEWISE_OK);
	test_many_paths(1001, LANEWISE_ERROR_TOO_LARGE);
	test_many_paths(1500, LANEWISE_ERROR_TOO_LARGE);
	test_arguments();
	return test_result();
}
