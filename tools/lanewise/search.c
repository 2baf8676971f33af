/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise search: the best documents of an index by BM25, by vector, or by both, fused by reciprocal ranks.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lanewise/lanewise.h>

#include "collection.h"
#include "json.h"
#include "npy.h"
#include "tool.h"
#include "utf8.h"

enum { FUSED_DEPTH = 100 /* of each list, at least */, RANK_CONSTANT = 60, MAX_K = 1000000, MAX_THREADS = 256 };

static void print_help(void)
{
	puts("Usage: lanewise search FILE \"QUERY\" [options]\n"
	     "\n"
	     "Prints the documents of an index that fit a query best: rank, score, id and text, cut to the width of\n"
	     "the terminal, and the time it took.\n"
	     "\n"
	     "  -k N                 how many, 10 unless told\n"
	     "      --mode MODE      bm25: by the words of the query (BM25)\n"
	     "                       vector: by the query's vector (cosine similarity)\n"
	     "                       hybrid, the default: both lists, the best 100 or N of each, fused by reciprocal\n"
	     "                       ranks: a document's score is the sum of 1 / (60 + rank)\n"
	     "      --vector X.NPY   the query's vector, for an index made with vectors of your own; the query may be\n"
	     "                       left out in mode vector\n"
	     "      --threads N      how many threads compare vectors, 1 unless told\n"
	     "      --json           one JSON object instead: query, mode, documents, seconds, and results with rank,\n"
	     "                       score, id and the whole text\n"
	     "      --help           this text\n"
	     "\n"
	     "Where the index has vectors of your own and no --vector is given, hybrid searches by words alone and\n"
	     "says so.\n"
	     "\n"
	     "Exit status: 0 done, also if nothing was found, 1 an error in the data or the system, 2 wrong usage.");
}

/* ------------------------------------------------------------------- searching */

enum mode { MODE_BM25, MODE_VECTOR, MODE_HYBRID };

static const char *const mode_names[] = { "bm25", "vector", "hybrid" };

struct options {
	const char *path, *query, *vector;
	size_t k;
	enum mode mode;
	uint32_t n_threads;
	int json;
};

/* A ranked list, and what it took. */
struct hits {
	uint32_t *index;
	float *score;
	size_t n;
	double seconds;
};

static void check(const struct options *options, lanewise_status status)
{
	if (status)
		tool_fail("%s: searching: %s", options->path, lanewise_status_text(status));
}

static void allocate_hits(struct hits *hits, size_t n)
{
	hits->index = tool_allocate(n, sizeof *hits->index);
	hits->score = tool_allocate(n, sizeof *hits->score);
	hits->n = 0;
}

static void free_hits(struct hits *hits)
{
	free(hits->index);
	free(hits->score);
}

static struct hits search_bm25(const struct options *options, const struct collection *collection, size_t k)
{
	struct hits hits;
	void *scratch = tool_allocate(lanewise_bm25_scratch_size(collection->bm25, k), 1);
	double start;

	allocate_hits(&hits, k);
	start = tool_seconds();
	check(options, lanewise_bm25_search(collection->bm25, options->query, strlen(options->query), k, scratch,
	                                    hits.index, hits.score, &hits.n));
	hits.seconds = tool_seconds() - start;
	free(scratch);
	return hits;
}

static int is_zero(const float *vector, size_t dim)
{
	for (size_t i = 0; i < dim; i++)
		if (vector[i] != 0)
			return 0;
	return 1;
}

/* The query's vector, of length 1, or of zeros if it has no words. */
static float *query_vector(const struct options *options, const struct collection *collection)
{
	float *vector = tool_allocate(collection->dim, sizeof *vector);
	struct npy npy;

	if (!options->vector) {
		check(options,
		      lanewise_text_embed_f32(options->query, strlen(options->query), collection->dim, vector));
		return vector;
	}
	npy_open(&npy, options->vector);
	if (npy.n_rows != 1)
		tool_fail("%s: %llu rows, expected one vector", options->vector, (unsigned long long)npy.n_rows);
	if (npy.dim != collection->dim)
		tool_fail("%s: the vector has %zu dimensions, those of %s have %zu", options->vector, npy.dim,
		          options->path, collection->dim);
	memcpy(vector, npy_next(&npy), npy.dim * sizeof *vector);
	npy_close(&npy);
	lanewise_normalize_f32_rows(vector, 1, collection->dim, collection->dim);
	return vector;
}

static struct hits search_vectors(const struct options *options, const struct collection *collection, size_t k)
{
	struct hits hits;
	void *scratch = tool_allocate(lanewise_scan_topk_batch_scratch_size(k, options->n_threads), 1);
	double start = tool_seconds();
	float *query = query_vector(options, collection);

	allocate_hits(&hits, k);
	/* Nothing is like a vector of zeros; the scan would return the first k. */
	if (!is_zero(query, collection->dim))
		check(options,
		      lanewise_scan_topk_f32_batch(query, 1, collection->dim, collection->vectors, collection->n,
		                                   collection->dim, collection->dim, LANEWISE_METRIC_DOT, k, -INFINITY,
		                                   options->n_threads, scratch, hits.index, hits.score, &hits.n));
	hits.seconds = tool_seconds() - start;
	free(query);
	free(scratch);
	return hits;
}

static struct hits fuse(const struct options *options, const struct hits *a, const struct hits *b)
{
	const lanewise_ranking rankings[2] = { { a->index, a->n, 1 }, { b->index, b->n, 1 } };
	struct hits hits;
	void *scratch = tool_allocate(lanewise_fuse_rrf_scratch_size(rankings, 2), 1);
	double start = tool_seconds();

	allocate_hits(&hits, options->k);
	check(options,
	      lanewise_fuse_rrf(rankings, 2, RANK_CONSTANT, options->k, scratch, hits.index, hits.score, &hits.n));
	hits.seconds = tool_seconds() - start;
	free(scratch);
	return hits;
}

/* ------------------------------------------------------------------- printing */

static size_t decimal_digits(size_t number) { return (size_t)snprintf(NULL, 0, "%zu", number); }

/* Rank, score and id in columns, then the text, which gets what is left of the line. */
static void print_hits(const struct hits *hits, const struct collection *collection)
{
	enum { SCORE_COLUMNS = 9, LONGEST_ID = 24, LEAST_TEXT = 20 };
	size_t width = tool_terminal_width(stdout), rank_columns = decimal_digits(hits->n);

	for (size_t i = 0; i < hits->n; i++) {
		size_t id_bytes, text_bytes;
		const char *id = collection_string(&collection->ids, hits->index[i], &id_bytes);
		const char *text = collection_string(&collection->texts, hits->index[i], &text_bytes);
		size_t id_columns = id_bytes < LONGEST_ID ? id_bytes : LONGEST_ID;
		size_t used = rank_columns + 2 + SCORE_COLUMNS + 2 + id_columns + 2;

		printf("%*zu  %*.*g  ", (int)rank_columns, i + 1, SCORE_COLUMNS, 4, (double)hits->score[i]);
		utf8_print_line(stdout, id, id_bytes, width ? id_columns : 0);
		fputs("  ", stdout);
		utf8_print_line(stdout, text, text_bytes,
		                !width                      ? 0
		                : width > used + LEAST_TEXT ? width - used
		                                            : LEAST_TEXT);
		putchar('\n');
	}
}

static void print_json(const struct options *options, enum mode mode, const struct hits *hits,
                       const struct collection *collection, double seconds)
{
	fputs("{\"query\":", stdout);
	if (options->query)
		json_write_string(stdout, options->query, strlen(options->query));
	else
		fputs("null", stdout);
	printf(",\"mode\":\"%s\",\"documents\":%zu,\"seconds\":%.9f,\"results\":[", mode_names[mode], collection->n,
	       seconds);
	for (size_t i = 0; i < hits->n; i++) {
		size_t id_bytes, text_bytes;
		const char *id = collection_string(&collection->ids, hits->index[i], &id_bytes);
		const char *text = collection_string(&collection->texts, hits->index[i], &text_bytes);

		printf("%s{\"rank\":%zu,\"score\":%.9g,\"id\":", i ? "," : "", i + 1, (double)hits->score[i]);
		json_write_string(stdout, id, id_bytes);
		fputs(",\"text\":", stdout);
		json_write_string(stdout, text, text_bytes);
		putchar('}');
	}
	puts("]}");
}

/* -------------------------------------------------------------------- command */

/* What can be done with the vectors that the index has. */
static enum mode possible_mode(const struct options *options, const struct collection *collection)
{
	if (options->mode == MODE_BM25 || options->vector || collection->vectors_from == VECTORS_HASHED)
		return options->mode;
	if (options->mode == MODE_VECTOR)
		tool_fail("%s has vectors that lanewise did not make: give the query's by --vector", options->path);
	tool_note("%s has vectors that lanewise did not make, and no --vector is given: searching by words alone",
	          options->path);
	return MODE_BM25;
}

static void open_collection(const struct options *options, struct collection *collection)
{
	lanewise_error error;

	if (collection_open(collection, options->path, &error) == LANEWISE_OK)
		return;
	if (error.offset == LANEWISE_NO_OFFSET)
		tool_fail("%s: %s", options->path, error.what);
	tool_fail("%s: %s (at byte %llu)", options->path, error.what, (unsigned long long)error.offset);
}

static size_t at_most(size_t a, size_t b) { return a < b ? a : b; }

static int run(const struct options *options)
{
	struct collection collection;
	double start = tool_seconds();

	open_collection(options, &collection);

	double opened = tool_seconds();
	enum mode mode = possible_mode(options, &collection);
	size_t wanted = mode == MODE_HYBRID && options->k < FUSED_DEPTH ? FUSED_DEPTH : options->k;
	size_t depth = at_most(wanted, collection.n);
	struct hits lists[2] = { 0 }, fused = { 0 };

	if (mode != MODE_VECTOR)
		lists[MODE_BM25] = search_bm25(options, &collection, depth);
	if (mode != MODE_BM25)
		lists[MODE_VECTOR] = search_vectors(options, &collection, depth);
	if (mode == MODE_HYBRID)
		fused = fuse(options, &lists[MODE_BM25], &lists[MODE_VECTOR]);

	const struct hits *hits = mode == MODE_HYBRID ? &fused : &lists[mode];
	double seconds = lists[0].seconds + lists[1].seconds + fused.seconds;

	if (options->json) {
		print_json(options, mode, hits, &collection, seconds);
	} else {
		char count[TOOL_COUNT_BYTES];

		print_hits(hits, &collection);
		printf("%zu of %s documents in %.2f ms", hits->n, tool_count(count, collection.n), 1e3 * seconds);
		if (mode == MODE_HYBRID)
			printf(" (bm25 %.2f, vectors %.2f, fusion %.2f)", 1e3 * lists[MODE_BM25].seconds,
			       1e3 * lists[MODE_VECTOR].seconds, 1e3 * fused.seconds);
		printf("; opening and checking the file %.0f ms\n", 1e3 * (opened - start));
	}
	free_hits(&lists[0]);
	free_hits(&lists[1]);
	free_hits(&fused);
	collection_close(&collection);
	return TOOL_OK;
}

static uint32_t parse_number(const char *name, const char *text, uint32_t most)
{
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number == 0 || number > most)
		tool_fail_usage("search", "%s is a number from 1 to %u, not %s", name, most, text);
	return (uint32_t)number;
}

static enum mode parse_mode(const char *name)
{
	for (size_t i = 0; i < sizeof mode_names / sizeof *mode_names; i++)
		if (strcmp(name, mode_names[i]) == 0)
			return (enum mode)i;
	tool_fail_usage("search", "--mode is hybrid, bm25 or vector, not %s", name);
}

static void take_arguments(struct options *options, int n, char **arguments)
{
	if (n == 0)
		tool_fail_usage("search", "no FILE to search");
	if (n > 2)
		tool_fail_usage("search", "more than one query; put it in quotation marks");
	if (n == 1 && !(options->mode == MODE_VECTOR && options->vector))
		tool_fail_usage("search", "no query");
	options->path = arguments[0];
	options->query = n == 2 ? arguments[1] : NULL;
}

int tool_search(int argc, char **argv)
{
	enum { MODE = 256, VECTOR, THREADS, JSON, HELP };
	static const struct option long_options[] = {
		{ "mode", required_argument, NULL, MODE },
		{ "vector", required_argument, NULL, VECTOR },
		{ "threads", required_argument, NULL, THREADS },
		{ "json", no_argument, NULL, JSON },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .k = 10, .mode = MODE_HYBRID, .n_threads = 1 };

	for (int option; (option = getopt_long(argc, argv, "k:", long_options, NULL)) != -1;)
		switch (option) {
		case 'k':
			options.k = parse_number("-k", optarg, MAX_K);
			break;
		case MODE:
			options.mode = parse_mode(optarg);
			break;
		case VECTOR:
			options.vector = optarg;
			break;
		case THREADS:
			options.n_threads = parse_number("--threads", optarg, MAX_THREADS);
			break;
		case JSON:
			options.json = 1;
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise search --help'.\n", stderr);
			return TOOL_USAGE;
		}
	take_arguments(&options, argc - optind, argv + optind);
	return run(&options);
}
