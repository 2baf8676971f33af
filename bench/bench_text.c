/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/text.h and the builder of bm25.h over made ASCII text: passages of words by a Zipf-Mandelbrot law, with
 * capitals and punctuation. Words are listed, counted by a table, or indexed for search. Peers do the first two with
 * the loops and the hash table that one writes first.
 */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VOCABULARY = 1 << 17, WORD_ROOM = 16, PASSAGE_WORDS = 64 };

struct text {
	char *bytes;
	size_t n_bytes;
	size_t *ends; /* of passages */
	size_t n_passages;
};

struct text_job {
	const struct text *text;
	const struct bench_peer *peer;
	lanewise_word *words;
	char *folded;
	size_t words_room, folded_room;
	int search; /* make a searchable index too */
	float *out; /* how many words, or how many different ones */
};

/* Words of two to about twelve letters: the more seldom, the longer. */
static size_t make_word(uint32_t number, char word[WORD_ROOM])
{
	static const char syllables[16][4] = { "ta", "en",  "ri", "so", "nel", "mi",  "ka",  "or",
		                               "lu", "ven", "de", "is", "pro", "chi", "bat", "u" };
	size_t n = 0;

	do {
		const char *syllable = syllables[number % 16];

		memcpy(word + n, syllable, strlen(syllable));
		n += strlen(syllable);
		number /= 16;
	} while (number && n < WORD_ROOM - 4);
	return n;
}

static uint32_t random_word(uint64_t *state)
{
	const double s = 0.07, q = 5, u = (double)(bench_random(state) >> 11) * 0x1p-53;
	const double first = pow(q, -s), last = pow(q + VOCABULARY, -s);

	return (uint32_t)(pow(first - u * (first - last), -1 / s) - q) % VOCABULARY;
}

static struct text make_text(size_t n_bytes)
{
	struct text text = { .bytes = bench_alloc(n_bytes + 2 * WORD_ROOM),
		             .ends = bench_alloc((n_bytes / PASSAGE_WORDS + 2) * sizeof(size_t)) };
	uint64_t state = 17;
	size_t n = 0;

	for (size_t i = 1; n < n_bytes; i++) {
		size_t length = make_word(random_word(&state), text.bytes + n);

		if (bench_random(&state) % 12 == 0)
			text.bytes[n] = (char)(text.bytes[n] - 'a' + 'A');
		n += length;
		if (bench_random(&state) % 9 == 0)
			text.bytes[n++] = ".,;:-"[bench_random(&state) % 5];
		text.bytes[n++] = ' ';
		if (i % PASSAGE_WORDS == 0)
			text.ends[text.n_passages++] = n;
	}
	text.ends[text.n_passages++] = n;
	text.n_bytes = n;
	return text;
}

static void free_text(struct text *text)
{
	bench_free(text->bytes);
	bench_free(text->ends);
}

static void run_words(void *context)
{
	struct text_job *job = context;
	size_t total = 0;

	for (size_t i = 0, begin = 0; i < job->text->n_passages; begin = job->text->ends[i++]) {
		const char *passage = job->text->bytes + begin;
		size_t n_bytes = job->text->ends[i] - begin, n = 0;

		if (job->peer)
			n = job->peer->split_words(passage, n_bytes, job->words, job->folded);
		else if (lanewise_text_words(passage, n_bytes, job->words, job->words_room, job->folded,
		                             job->folded_room, &n))
			abort();
		total += n;
	}
	*job->out = (float)total;
}

static void run_intern(void *context)
{
	struct text_job *job = context;
	lanewise_bm25_builder *builder = NULL;
	lanewise_bm25 *bm25 = NULL;

	if (job->peer) {
		void *table = job->peer->count_create();

		for (size_t i = 0, begin = 0; i < job->text->n_passages; begin = job->text->ends[i++])
			job->peer->count_words(table, job->text->bytes + begin, job->text->ends[i] - begin);
		*job->out = (float)job->peer->count_destroy(table);
		return;
	}
	if (lanewise_bm25_builder_create(NULL, NULL, &builder))
		abort();
	for (size_t i = 0, begin = 0; i < job->text->n_passages; begin = job->text->ends[i++])
		if (lanewise_bm25_builder_add_text(builder, job->text->bytes + begin, job->text->ends[i] - begin))
			abort();
	if (job->search) {
		if (lanewise_bm25_create(builder, NULL, &bm25))
			abort();
		*job->out = (float)lanewise_bm25_n_terms(bm25);
		lanewise_bm25_destroy(bm25);
	}
	lanewise_bm25_builder_destroy(builder);
}

static void run_case(struct bench *bench, struct bench_case *c, size_t n_bytes, bench_fn *run, int search,
                     float *expected)
{
	struct text text = make_text(n_bytes);
	struct text_job ours = { .text = &text, .words_room = 1 << 12, .folded_room = 1 << 14, .search = search };
	struct text_job jobs[BENCH_MAX_PEERS];

	ours.words = bench_alloc(ours.words_room * sizeof *ours.words);
	ours.folded = bench_alloc(ours.folded_room);
	ours.out = expected;
	snprintf(c->workload, sizeof c->workload, "%.1f MB of ASCII, passages of %d words", 1e-6 * (double)text.n_bytes,
	         PASSAGE_WORDS);
	c->units = (double)text.n_bytes;
	c->bytes = (double)text.n_bytes;
	c->out = run == run_words || search ? expected : NULL;
	c->n_out = 1;
	bench_add_tiers(c, "ascii_words", run, &ours);
	for (size_t i = 0; i < bench->n_peers && !search; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (run == run_words ? jobs[i].peer->split_words != NULL : jobs[i].peer->count_words != NULL)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run, &jobs[i]);
	}
	bench_case_run(c);
	bench_free(ours.words);
	bench_free(ours.folded);
	free_text(&text);
}

void bench_text(struct bench *bench)
{
	static const struct {
		const char *name;
		bench_fn *run;
		int search;
	} kinds[] = { { "text_words", run_words, 0 },
		      { "text_intern", run_intern, 0 },
		      { "text_index", run_intern, 1 } };
	static const struct {
		enum bench_size size;
		size_t n_bytes;
	} sizes[] = { { BENCH_L2, 500000 }, { BENCH_DRAM, 20000000 } };
	float out;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
			struct bench_case *c = bench_case_begin(bench, kinds[i].name, sizes[j].size, "byte");

			if (c)
				run_case(bench, c, sizes[j].n_bytes, kinds[i].run, kinds[i].search, &out);
		}
}
