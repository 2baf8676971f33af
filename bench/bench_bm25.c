/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/bm25.h over synthetic documents: words by a Zipf-Mandelbrot law (exponent 1.07), a quarter of them
 * repetitions of the word before, queries of words of one document, with or without words that more than a tenth of
 * the documents have. The other contender adds precomputed scores, word by word, to an array of all documents and takes
 * the top-k of it, as bm25s does in Python; its float sums have the same order, so the scores must be the same bits.
 */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VOCABULARY = 1 << 18, MAX_TERMS = 8, N_QUERIES = 50, QUERY_BYTES = 96 };

struct corpus {
	size_t n, total;
	uint32_t *words, *ends; /* of each document */
	lanewise_bm25 *bm25;
	/* By word: where its postings end, and these. */
	uint32_t *list_end, *documents;
	float *scores;
};

struct query {
	uint32_t terms[MAX_TERMS];
	char text[QUERY_BYTES];
	size_t n_bytes;
};

struct bm25_job {
	const struct corpus *corpus;
	const struct query *queries;
	size_t n_terms, k;
	void *scratch, *topk_scratch;
	float *all, *score; /* score: N_QUERIES * k */
	uint32_t *index;
};

static uint32_t random_word(uint64_t *state)
{
	const double s = 0.07, q = 5, u = (double)(bench_random(state) >> 11) * 0x1p-53;
	const double first = pow(q, -s), last = pow(q + VOCABULARY, -s);

	return (uint32_t)(pow(first - u * (first - last), -1 / s) - q) % VOCABULARY;
}

static void make_words(struct corpus *corpus, size_t mean_length)
{
	uint64_t state = 11;
	size_t at = 0;

	for (size_t d = 0; d < corpus->n; d++) {
		size_t n = mean_length / 2 + bench_random(&state) % mean_length;

		for (size_t i = 0; i < n; i++, at++)
			corpus->words[at] =
			        i && bench_random(&state) % 4 == 0 ? corpus->words[at - 1] : random_word(&state);
		corpus->ends[d] = (uint32_t)at;
	}
	corpus->total = at;
}

static void make_index(struct corpus *corpus)
{
	lanewise_bm25_builder *builder = NULL;
	char *text = bench_alloc(1 << 16);

	if (lanewise_bm25_builder_create(NULL, NULL, &builder))
		abort();
	for (size_t d = 0, at = 0; d < corpus->n; d++) {
		size_t n = 0;

		for (; at < corpus->ends[d]; at++)
			n += (size_t)snprintf(text + n, 16, "w%u ", corpus->words[at]);
		if (lanewise_bm25_builder_add_text(builder, text, n))
			abort();
	}
	if (lanewise_bm25_create(builder, NULL, &corpus->bm25))
		abort();
	lanewise_bm25_builder_destroy(builder);
	bench_free(text);
}

/* How often a document has the word at `at`; 0 if it stands before in the document too. */
static size_t count_from(const struct corpus *corpus, size_t begin, size_t end, size_t at)
{
	size_t n = 0;

	for (size_t i = begin; i < at; i++)
		if (corpus->words[i] == corpus->words[at])
			return 0;
	for (size_t i = at; i < end; i++)
		n += corpus->words[i] == corpus->words[at];
	return n;
}

static size_t frequency_of(const struct corpus *corpus, uint32_t word)
{
	return corpus->list_end[word] - (word ? corpus->list_end[word - 1] : 0);
}

/* The lists of the other contender, with the arithmetic of lanewise/bm25.h but for idf, which libm gives. */
static void make_lists(struct corpus *corpus)
{
	float base = (float)((double)1.2f * (1.0 - 0.75)), scale;
	uint32_t *next = bench_alloc(VOCABULARY * sizeof *next), *last = bench_alloc(VOCABULARY * sizeof *last);

	scale = (float)((double)1.2f * 0.75 / ((double)corpus->total / (double)corpus->n));
	for (size_t d = 0, at = 0; d < corpus->n; d++)
		for (; at < corpus->ends[d]; at++)
			if (last[corpus->words[at]] != d + 1) {
				last[corpus->words[at]] = (uint32_t)d + 1;
				corpus->list_end[corpus->words[at]]++;
			}
	for (uint32_t word = 0, sum = 0; word < VOCABULARY; word++) {
		next[word] = sum;
		sum = corpus->list_end[word] += sum;
	}
	for (size_t d = 0, begin = 0; d < corpus->n; begin = corpus->ends[d++])
		for (size_t at = begin; at < corpus->ends[d]; at++) {
			float tf = (float)count_from(corpus, begin, corpus->ends[d], at);
			uint32_t word = corpus->words[at];
			double df = (double)frequency_of(corpus, word), n = (double)corpus->n;
			float norm = base + scale * (float)(corpus->ends[d] - begin);

			if (tf == 0)
				continue;
			corpus->documents[next[word]] = (uint32_t)d;
			corpus->scores[next[word]++] = (float)log(1 + (n - df + 0.5) / (df + 0.5)) * (tf / (tf + norm));
		}
	bench_free(next);
	bench_free(last);
}

static struct corpus make_corpus(size_t n, size_t mean_length)
{
	size_t most = n * mean_length * 3 / 2;
	struct corpus corpus = { .n = n,
		                 .words = bench_alloc(most * sizeof(uint32_t)),
		                 .ends = bench_alloc(n * sizeof(uint32_t)),
		                 .list_end = bench_alloc(VOCABULARY * sizeof(uint32_t)),
		                 .documents = bench_alloc(most * sizeof(uint32_t)),
		                 .scores = bench_alloc(most * sizeof(float)) };

	make_words(&corpus, mean_length);
	make_index(&corpus);
	make_lists(&corpus);
	return corpus;
}

static void free_corpus(struct corpus *corpus)
{
	lanewise_bm25_destroy(corpus->bm25);
	bench_free(corpus->words);
	bench_free(corpus->ends);
	bench_free(corpus->list_end);
	bench_free(corpus->documents);
	bench_free(corpus->scores);
}

/* Different words of one document; 0 if it has too few. */
static int make_query(const struct corpus *corpus, size_t document, size_t n_terms, int common, struct query *query)
{
	size_t begin = document ? corpus->ends[document - 1] : 0, n = 0;

	query->n_bytes = 0;
	for (size_t at = begin; at < corpus->ends[document] && n < n_terms; at++) {
		uint32_t word = corpus->words[at];

		if (count_from(corpus, begin, corpus->ends[document], at) == 0 ||
		    (!common && frequency_of(corpus, word) > corpus->n / 10))
			continue;
		query->terms[n++] = word;
		query->n_bytes += (size_t)snprintf(query->text + query->n_bytes, 12, "w%u ", word);
	}
	return n == n_terms;
}

static uint64_t postings_of(const struct bm25_job *job)
{
	uint64_t n = 0;

	for (size_t q = 0; q < N_QUERIES; q++)
		for (size_t i = 0; i < job->n_terms; i++)
			n += frequency_of(job->corpus, job->queries[q].terms[i]);
	return n;
}

static void run_search(void *context)
{
	const struct bm25_job *job = context;
	size_t n_found;

	memset(job->score, 0, N_QUERIES * job->k * sizeof *job->score);
	for (size_t q = 0; q < N_QUERIES; q++)
		lanewise_bm25_search(job->corpus->bm25, job->queries[q].text, job->queries[q].n_bytes, job->k,
		                     job->scratch, job->index, job->score + q * job->k, &n_found);
}

static void run_exhaustive(void *context)
{
	const struct bm25_job *job = context;
	const struct corpus *corpus = job->corpus;

	for (size_t q = 0; q < N_QUERIES; q++) {
		memset(job->all, 0, corpus->n * sizeof *job->all);
		for (size_t i = 0; i < job->n_terms; i++) {
			uint32_t word = job->queries[q].terms[i], end = corpus->list_end[word];

			for (uint32_t at = word ? corpus->list_end[word - 1] : 0; at < end; at++)
				job->all[corpus->documents[at]] += corpus->scores[at];
		}
		lanewise_topk_f32(job->all, corpus->n, job->k, job->topk_scratch, job->index, job->score + q * job->k);
	}
}

static void run_case(struct bench_case *c, const struct corpus *corpus, size_t n_terms, int common, size_t k)
{
	struct query queries[N_QUERIES];
	uint64_t state = 5;
	struct bm25_job job = { .corpus = corpus,
		                .queries = queries,
		                .n_terms = n_terms,
		                .k = k,
		                .scratch = bench_alloc(lanewise_bm25_scratch_size(corpus->bm25, k)),
		                .topk_scratch = bench_alloc(lanewise_topk_scratch_size(k)),
		                .all = bench_alloc(corpus->n * sizeof(float)),
		                .score = bench_alloc(N_QUERIES * k * sizeof(float)),
		                .index = bench_alloc(k * sizeof(uint32_t)) };

	for (size_t q = 0; q < N_QUERIES; q++)
		while (!make_query(corpus, bench_random(&state) % corpus->n, n_terms, common, &queries[q]))
			;
	snprintf(c->workload, sizeof c->workload, "%zu docs, %zu %swords, k=%zu", corpus->n, n_terms,
	         common ? "" : "uncommon ", k);
	c->units = N_QUERIES;
	c->bytes = (double)postings_of(&job) * 4;
	c->out = job.score;
	c->n_out = N_QUERIES * k;
	c->tolerance = 1e-6; /* libm's logarithm */
	bench_add_tiers(c, "bm25_filter", run_search, &job);
	bench_add(c, BENCH_PEER, "exhaustive", run_exhaustive, &job);
	bench_case_run(c);
	bench_free(job.scratch);
	bench_free(job.topk_scratch);
	bench_free(job.all);
	bench_free(job.score);
	bench_free(job.index);
}

void bench_bm25(struct bench *bench)
{
	static const struct {
		enum bench_size size;
		size_t n, length;
	} corpora[] = { { BENCH_L2, 10000, 40 }, { BENCH_DRAM, 1000000, 80 } };
	static const struct {
		size_t n_terms;
		int common;
	} kinds[] = { { 2, 0 }, { 4, 0 }, { 8, 0 }, { 4, 1 }, { 8, 1 } };
	static const size_t ks[] = { 10, 100, 1000 };

	for (size_t i = 0; i < sizeof corpora / sizeof *corpora; i++) {
		struct corpus corpus = { 0 };

		for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
			for (size_t j = 0; j < sizeof ks / sizeof *ks; j++) {
				struct bench_case *c = bench_case_begin(bench, "bm25_search", corpora[i].size, "query");

				if (!c)
					continue;
				if (corpus.n == 0)
					corpus = make_corpus(corpora[i].n, corpora[i].length);
				run_case(c, &corpus, kinds[kind].n_terms, kinds[kind].common, ks[j]);
			}
		if (corpus.n)
			free_corpus(&corpus);
	}
}
