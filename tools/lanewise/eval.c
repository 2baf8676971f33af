/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise eval: the quality of BM25, of the embedded vectors and of both fused, on a test collection. Everything is
 * kept in memory; a list is 1000 documents deep at most, as is usual.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <lanewise/lanewise.h>

#include "analysis.h"
#include "tool.h"

enum { DEPTH = 1000, NDCG_DEPTH = 10, RECALL_DEPTH = 100, RANK_CONSTANT = 60, DIM = 384 };

static void print_help(void)
{
	puts("Usage: lanewise eval DOCS QUERIES QRELS [options]\n"
	     "\n"
	     "Indexes documents in memory, searches for each query, and prints by the judgements how good the lists\n"
	     "are: nDCG@10, MAP, MRR and recall@100, means over the queries that have a relevant document, for BM25,\n"
	     "for vectors (those that lanewise makes itself), and for both fused by reciprocal ranks. Lists are cut\n"
	     "after 1000 documents.\n"
	     "\n"
	     "DOCS and QUERIES have lines of an id, a tab and the text. QRELS has lines of a query's id, a document's\n"
	     "id and a grade between tabs or spaces, without a grade 1, or with TREC's zero before the document.\n"
	     "Grades above 0 are relevant, and the gains of nDCG.\n"
	     "\n"
	     "      --binary         the gain of every relevant document is 1\n" ANALYSIS_HELP
	     "      --json           one JSON object instead\n"
	     "      --help           this text\n"
	     "\n"
	     "Exit status: 0 done, 1 an error in the data or the system, 2 wrong usage.");
}

/* --------------------------------------------------------------------- input */

/* Texts with ids; strings end with NUL. */
struct texts {
	const char *path;
	struct buffer bytes;
	size_t n, capacity;
	struct text {
		size_t id, text, text_bytes; /* places in `bytes` */
	} *items;
	struct id {
		const char *id;
		uint32_t number;
	} *ids; /* sorted */
};

struct judged {
	uint32_t query;
	lanewise_judgement judgement;
};

struct qrels {
	struct judged *items; /* by query */
	size_t n, capacity, n_foreign;
};

/* Calls `use` for each line, without its end. */
static void read_lines(const char *path, void (*use)(void *context, char *line, size_t n_bytes, size_t number),
                       void *context)
{
	FILE *stream = fopen(path, "rb");
	char *line = NULL;
	size_t capacity = 0, number = 0;
	ssize_t n;

	if (!stream)
		tool_fail("%s: %s", path, strerror(errno));
	while ((errno = 0, n = getline(&line, &capacity, stream)) >= 0) {
		number++;
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = '\0';
		if (n > 0)
			use(context, line, (size_t)n, number);
	}
	if (ferror(stream) || errno)
		tool_fail("%s: %s", path, strerror(errno));
	free(line);
	fclose(stream);
}

static void add_text(void *context, char *line, size_t n_bytes, size_t number)
{
	struct texts *texts = context;
	char *tab = memchr(line, '\t', n_bytes);

	if (!tab || tab == line)
		tool_fail("%s:%zu: no id and tab before the text", texts->path, number);
	if (memchr(line, '\0', (size_t)(tab - line)))
		tool_fail("%s:%zu: the id has a NUL", texts->path, number);
	if (texts->n == UINT32_MAX)
		tool_fail("%s: more than %u lines", texts->path, UINT32_MAX);
	if (texts->n == texts->capacity) {
		texts->capacity = texts->capacity ? 2 * texts->capacity : 1024;
		texts->items = tool_reallocate(texts->items, texts->capacity, sizeof *texts->items);
	}
	*tab = '\0';
	texts->items[texts->n++] = (struct text) { .id = texts->bytes.n,
		                                   .text = texts->bytes.n + (size_t)(tab + 1 - line),
		                                   .text_bytes = n_bytes - (size_t)(tab + 1 - line) };
	buffer_append(&texts->bytes, line, n_bytes + 1);
}

static const char *text_of(const struct texts *texts, size_t i) { return texts->bytes.data + texts->items[i].text; }

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct id *)a)->id, ((const struct id *)b)->id);
}

static void read_texts(struct texts *texts, const char *path)
{
	*texts = (struct texts) { .path = path };
	read_lines(path, add_text, texts);
	if (texts->n == 0)
		tool_fail("%s: no lines", path);
	texts->ids = tool_allocate(texts->n, sizeof *texts->ids);
	for (size_t i = 0; i < texts->n; i++)
		texts->ids[i] = (struct id) { texts->bytes.data + texts->items[i].id, (uint32_t)i };
	qsort(texts->ids, texts->n, sizeof *texts->ids, by_id);
	for (size_t i = 1; i < texts->n; i++)
		if (strcmp(texts->ids[i].id, texts->ids[i - 1].id) == 0)
			tool_fail("%s: two lines have the id %s", path, texts->ids[i].id);
}

static const struct id *find_id(const struct texts *texts, const char *id)
{
	struct id wanted = { id, 0 };

	return bsearch(&wanted, texts->ids, texts->n, sizeof *texts->ids, by_id);
}

static void free_texts(struct texts *texts)
{
	buffer_free(&texts->bytes);
	free(texts->items);
	free(texts->ids);
}

struct reading_qrels {
	const char *path;
	const struct texts *documents, *queries;
	int binary;
	struct qrels qrels;
};

static float grade_of(const struct reading_qrels *reading, const char *text, size_t number)
{
	char *end;
	float grade = strtof(text, &end);

	if (end == text || *end || !isfinite(grade))
		tool_fail("%s:%zu: the grade is %s", reading->path, number, text);
	return reading->binary ? (float)(grade > 0) : grade;
}

static void add_judgement(void *context, char *line, size_t n_bytes, size_t number)
{
	struct reading_qrels *reading = context;
	struct qrels *qrels = &reading->qrels;
	char *fields[5], *state;
	size_t n = 0;

	(void)n_bytes;
	for (char *field = strtok_r(line, "\t ", &state); field && n < 5; field = strtok_r(NULL, "\t ", &state))
		fields[n++] = field;
	if (n < 2 || n > 4)
		tool_fail("%s:%zu: not 2 to 4 fields", reading->path, number);

	const struct id *query = find_id(reading->queries, fields[0]);
	const struct id *document = find_id(reading->documents, fields[n == 4 ? 2 : 1]);
	float gain = n > 2 ? grade_of(reading, fields[n - 1], number) : 1;

	if (!query) {
		qrels->n_foreign++;
		return;
	}
	if (!document)
		tool_fail("%s:%zu: no document has the id %s", reading->path, number, fields[n == 4 ? 2 : 1]);
	if (qrels->n == qrels->capacity) {
		qrels->capacity = qrels->capacity ? 2 * qrels->capacity : 1024;
		qrels->items = tool_reallocate(qrels->items, qrels->capacity, sizeof *qrels->items);
	}
	qrels->items[qrels->n++] = (struct judged) { query->number, { document->number, gain } };
}

static int by_query(const void *a, const void *b)
{
	const struct judged *x = a, *y = b;

	if (x->query != y->query)
		return x->query < y->query ? -1 : 1;
	return x->judgement.document < y->judgement.document ? -1 : x->judgement.document > y->judgement.document;
}

static struct qrels read_qrels(const char *path, const struct texts *documents, const struct texts *queries, int binary)
{
	struct reading_qrels reading = { path, documents, queries, binary, { NULL, 0, 0, 0 } };
	struct qrels *qrels = &reading.qrels;

	read_lines(path, add_judgement, &reading);
	if (qrels->n == 0)
		tool_fail("%s: no judgements for these queries", path);
	qsort(qrels->items, qrels->n, sizeof *qrels->items, by_query);
	for (size_t i = 1; i < qrels->n; i++)
		if (by_query(&qrels->items[i - 1], &qrels->items[i]) == 0)
			tool_fail("%s: document %s is judged twice for query %s", path,
			          documents->bytes.data + documents->items[qrels->items[i].judgement.document].id,
			          queries->bytes.data + queries->items[qrels->items[i].query].id);
	return reading.qrels;
}

/* ----------------------------------------------------------------- searching */

enum { LISTS = 3 };
static const char *const list_names[LISTS] = { "bm25", "vector", "hybrid" };

struct list {
	uint32_t index[DEPTH];
	float score[DEPTH];
	size_t n;
};

struct sums {
	double ndcg, map, mrr, recall;
};

struct engine {
	size_t n;
	lanewise_bm25 *bm25;
	float *vectors, *query_vector;
	void *bm25_scratch, *scan_scratch, *fuse_scratch;
	struct list lists[LISTS];
};

static void check(lanewise_status status, const char *what)
{
	if (status)
		tool_fail("%s: %s", what, lanewise_status_text(status));
}

static void index_documents(struct engine *engine, const struct texts *documents, const struct analysis *analysis)
{
	lanewise_analyzer *analyzer = analysis_create(analysis);
	/* Two full lists are the most that fusion gets. */
	const lanewise_ranking fullest[2] = { { engine->lists[0].index, DEPTH, 1 },
		                              { engine->lists[1].index, DEPTH, 1 } };
	lanewise_bm25_builder *builder;

	engine->n = documents->n;
	engine->vectors = tool_allocate(documents->n, DIM * sizeof(float));
	engine->query_vector = tool_allocate(DIM, sizeof(float));
	builder = analysis_builder(analysis, analyzer);
	lanewise_analyzer_destroy(analyzer);
	for (size_t i = 0; i < documents->n; i++) {
		const char *text = text_of(documents, i);
		size_t n_bytes = documents->items[i].text_bytes;

		check(lanewise_bm25_builder_add_text(builder, text, n_bytes), documents->path);
		check(lanewise_text_embed_f32(text, n_bytes, DIM, engine->vectors + i * DIM), documents->path);
		tool_progress("Indexing", i + 1);
	}
	tool_progress_end();
	check(lanewise_bm25_create(builder, NULL, &engine->bm25), documents->path);
	lanewise_bm25_builder_destroy(builder);
	engine->bm25_scratch = tool_allocate(lanewise_bm25_scratch_size(engine->bm25, DEPTH), 1);
	engine->scan_scratch = tool_allocate(lanewise_scan_topk_scratch_size(DEPTH), 1);
	engine->fuse_scratch = tool_allocate(lanewise_fuse_rrf_scratch_size(fullest, 2), 1);
}

static void search(struct engine *engine, const char *query, size_t n_bytes)
{
	struct list *lists = engine->lists;
	int zero = 1;

	check(lanewise_bm25_search(engine->bm25, query, n_bytes, DEPTH, engine->bm25_scratch, lists[0].index,
	                           lists[0].score, &lists[0].n),
	      "searching");
	check(lanewise_text_embed_f32(query, n_bytes, DIM, engine->query_vector), "searching");
	for (size_t i = 0; i < DIM; i++)
		zero &= engine->query_vector[i] == 0;
	lists[1].n = 0;
	/* Nothing is like a vector of zeros. */
	if (!zero)
		check(lanewise_scan_topk_f32(engine->query_vector, engine->vectors, engine->n, DIM, DIM,
		                             LANEWISE_METRIC_DOT, DEPTH, -INFINITY, engine->scan_scratch,
		                             lists[1].index, lists[1].score, &lists[1].n),
		      "searching");

	const lanewise_ranking rankings[2] = { { lists[0].index, lists[0].n, 1 }, { lists[1].index, lists[1].n, 1 } };

	check(lanewise_fuse_rrf(rankings, 2, RANK_CONSTANT, DEPTH, engine->fuse_scratch, lists[2].index, lists[2].score,
	                        &lists[2].n),
	      "searching");
}

static void free_engine(struct engine *engine)
{
	lanewise_bm25_destroy(engine->bm25);
	free(engine->vectors);
	free(engine->query_vector);
	free(engine->bm25_scratch);
	free(engine->scan_scratch);
	free(engine->fuse_scratch);
}

/* ------------------------------------------------------------------- judging */

static lanewise_ranking_metrics metrics_of(const struct list *list, const lanewise_judgement *judgements, size_t n,
                                           size_t k, void *scratch)
{
	lanewise_ranking_metrics metrics;

	check(lanewise_evaluate_ranking(list->index, list->n, judgements, n, k, scratch, &metrics), "judging");
	return metrics;
}

/* Adds a query's metrics; 0 if it has no relevant document. */
static int add_metrics(const struct engine *engine, const lanewise_judgement *judgements, size_t n, void *scratch,
                       struct sums sums[LISTS])
{
	for (int i = 0; i < LISTS; i++) {
		const struct list *list = &engine->lists[i];
		lanewise_ranking_metrics all = metrics_of(list, judgements, n, DEPTH, scratch);

		if (all.n_relevant == 0)
			return 0;
		sums[i].map += all.average_precision;
		sums[i].mrr += all.reciprocal_rank;
		sums[i].ndcg += metrics_of(list, judgements, n, NDCG_DEPTH, scratch).ndcg;
		sums[i].recall += metrics_of(list, judgements, n, RECALL_DEPTH, scratch).recall;
	}
	return 1;
}

/* Searches for every query that has judgements; returns how many count. */
static size_t judge(struct engine *engine, const struct texts *queries, const struct qrels *qrels,
                    struct sums sums[LISTS])
{
	lanewise_judgement *judgements = tool_allocate(qrels->n, sizeof *judgements);
	void *scratch = tool_allocate(lanewise_evaluate_ranking_scratch_size(qrels->n), 1);
	size_t n_counted = 0;

	for (size_t at = 0; at < qrels->n;) {
		uint32_t query = qrels->items[at].query;
		size_t n = 0;

		for (; at < qrels->n && qrels->items[at].query == query; at++)
			judgements[n++] = qrels->items[at].judgement;
		search(engine, text_of(queries, query), queries->items[query].text_bytes);
		n_counted += (size_t)add_metrics(engine, judgements, n, scratch, sums);
		tool_progress("Searching", at);
	}
	tool_progress_end();
	free(judgements);
	free(scratch);
	return n_counted;
}

static void print_results(const struct sums sums[LISTS], size_t n, size_t n_documents, int json)
{
	double count = (double)n;

	if (json)
		printf("{\"documents\":%zu,\"queries\":%zu", n_documents, n);
	else
		printf("%-8s  nDCG@%d     MAP     MRR  recall@%d\n", "", NDCG_DEPTH, RECALL_DEPTH);
	for (int i = 0; i < LISTS; i++)
		printf(json ? ",\"%s\":{\"ndcg_at_10\":%.6f,\"map\":%.6f,\"mrr\":%.6f,\"recall_at_100\":%.6f}"
		            : "%-8s   %.4f  %.4f  %.4f      %.4f\n",
		       list_names[i], sums[i].ndcg / count, sums[i].map / count, sums[i].mrr / count,
		       sums[i].recall / count);
	if (json)
		puts("}");
	else
		printf("%zu documents, %zu queries with relevant ones\n", n_documents, n);
}

static int run(char **paths, const struct analysis *analysis, int binary, int json)
{
	static struct engine engine;
	struct sums sums[LISTS] = { { 0 } };
	struct texts documents, queries;
	struct qrels qrels;
	size_t n;

	read_texts(&documents, paths[0]);
	read_texts(&queries, paths[1]);
	qrels = read_qrels(paths[2], &documents, &queries, binary);
	if (qrels.n_foreign)
		tool_note("%s: passed over %zu judgements for queries that are not in %s", paths[2], qrels.n_foreign,
		          paths[1]);
	index_documents(&engine, &documents, analysis);
	n = judge(&engine, &queries, &qrels, sums);
	if (n == 0)
		tool_fail("%s: no query has a relevant document", paths[2]);
	print_results(sums, n, documents.n, json);
	free_engine(&engine);
	free(qrels.items);
	free_texts(&documents);
	free_texts(&queries);
	return TOOL_OK;
}

int tool_eval(int argc, char **argv)
{
	enum { BINARY = 256, JSON, HELP };
	static const struct option long_options[] = {
		{ "binary", no_argument, NULL, BINARY },
		{ "json", no_argument, NULL, JSON },
		ANALYSIS_OPTIONS,
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct analysis analysis = { .wanted = 0 };
	int binary = 0, json = 0;

	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
		switch (option) {
		case BINARY:
			binary = 1;
			break;
		case JSON:
			json = 1;
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			if (analysis_take(&analysis, "eval", option, optarg))
				break;
			fputs("Try 'lanewise eval --help'.\n", stderr);
			return TOOL_USAGE;
		}
	if (argc - optind != 3)
		tool_fail_usage("eval", "three files are wanted: DOCS QUERIES QRELS");
	return run(argv + optind, &analysis, binary, json);
}
