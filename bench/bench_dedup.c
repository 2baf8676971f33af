/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/dedup.h and the batched hash: where lines end, blocks in their normal form, duplicate blocks and lines of a
 * whole text, XXH3 of strings of mixed lengths, loops in tokens. And sets of hashes (lanewise/seen.h).
 *
 * Text is made: words of 1 to 12 letters, capitals, some words beyond ASCII, doubled spaces, lines of some 70 bytes in
 * paragraphs of some 250, three in ten of which came before with other case and spacing. For case folding half of the
 * paragraphs are in other scripts.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

enum { UNITS = 4096, PAST_PARAGRAPHS = 1 << 14 };

struct text {
	char *bytes;
	size_t n, capacity;
	uint64_t random;
};

struct dedup_job {
	const struct bench_peer *peer; /* NULL: the library */
	const char *text;
	size_t n;
	uint32_t *ends;
	char *out;
	lanewise_dedup_options options;
	lanewise_dedup_unit *units;
	lanewise_dedup_form *forms;
	float *count; /* what contenders have in common */
};

/* --------------------------------------------------------------------- text */

static uint64_t below(struct text *t, uint64_t n) { return bench_random(&t->random) % n; }

static void put(struct text *t, char c)
{
	if (t->n < t->capacity)
		t->bytes[t->n++] = c;
}

static void put_word(struct text *t)
{
	size_t length = 1 + (size_t)below(t, 6) + (size_t)below(t, 7);

	if (below(t, 25) == 0) {
		for (size_t i = 0; i < length; i++) {
			put(t, (char)0xd0);
			put(t, (char)(0xb0 + below(t, 16)));
		}
		return;
	}
	for (size_t i = 0; i < length; i++)
		put(t, (char)((i == 0 && below(t, 8) == 0 ? 'A' : 'a') + below(t, 26)));
	if (below(t, 8) == 0)
		put(t, below(t, 3) ? ',' : '.');
}

static void put_paragraph(struct text *t)
{
	size_t line = t->n, end = t->n + 150 + (size_t)below(t, 200);

	while (t->n < end && t->n < t->capacity) {
		put_word(t);
		if (t->n - line > 70) {
			put(t, '\n');
			line = t->n;
		} else {
			put(t, ' ');
			if (below(t, 20) == 0)
				put(t, ' ');
		}
	}
	t->n--; /* the last space */
	put(t, below(t, 2) ? '.' : 'x');
}

/* One that was there, with other capitals and spaces. */
static void repeat_paragraph(struct text *t, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++) {
		char c = t->bytes[i];

		put(t, c >= 'a' && c <= 'z' && below(t, 30) == 0 ? (char)(c - 32) : c);
		if (c == ' ' && below(t, 30) == 0)
			put(t, ' ');
	}
}

static void make_text(char *bytes, size_t n)
{
	struct text t = { .bytes = bytes, .capacity = n, .random = 5 };
	static size_t begin[PAST_PARAGRAPHS], end[PAST_PARAGRAPHS];

	for (size_t i = 0; t.n + 1000 < n; i++) {
		size_t at = t.n, other = (size_t)below(&t, i < PAST_PARAGRAPHS ? i + 1 : PAST_PARAGRAPHS);

		if (i > 0 && other < i && below(&t, 10) < 3)
			repeat_paragraph(&t, begin[other], end[other]);
		else
			put_paragraph(&t);
		begin[i % PAST_PARAGRAPHS] = at;
		end[i % PAST_PARAGRAPHS] = t.n;
		put(&t, '\n');
		put(&t, '\n');
	}
	while (t.n < n)
		put(&t, 'x');
}

/* Lines of 5 to 100 bytes, half of which came before. */
static void make_lines(char *bytes, size_t n)
{
	struct text t = { .bytes = bytes, .capacity = n, .random = 6 };
	static size_t begin[PAST_PARAGRAPHS], end[PAST_PARAGRAPHS];

	for (size_t i = 0; t.n < n; i++) {
		size_t at = t.n, other = (size_t)below(&t, i < PAST_PARAGRAPHS ? i + 1 : PAST_PARAGRAPHS);

		if (i > 0 && other < i && below(&t, 2)) {
			for (size_t k = begin[other]; k < end[other]; k++)
				put(&t, t.bytes[k]);
		} else {
			for (size_t last = t.n + 5 + (size_t)below(&t, 80); t.n < last && t.n < n;) {
				put_word(&t);
				put(&t, ' ');
			}
		}
		begin[i % PAST_PARAGRAPHS] = at;
		end[i % PAST_PARAGRAPHS] = t.n;
		put(&t, '\n');
	}
}

/* A paragraph of words of one script, one in twelve with a capital: Latin, Cyrillic, Greek, kanji. */
static void put_script(struct text *t, int script)
{
	static const uint32_t first[] = { 0xe0, 0x430, 0x3b1, 0x4e00 }, n[] = { 0x17, 0x20, 0x19, 0x5000 };

	for (size_t end = t->n + 250; t->n < end && t->n < t->capacity; put(t, ' ')) {
		int capital = script < 3 && below(t, 12) == 0;

		for (size_t k = 0, length = 2 + (size_t)below(t, 9); k < length; k++) {
			uint32_t c = first[script] + (uint32_t)below(t, n[script]);

			if (script == 0 && below(t, 8))
				c = 'a' + (uint32_t)below(t, 26); /* few of a Latin word's letters have accents */
			c -= capital && k == 0 && c != 0x3c2 ? 32 : 0;
			if (c >= 0x800)
				put(t, (char)(0xe0 | c >> 12));
			if (c >= 0x80)
				put(t, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xc0 | c >> 6));
			put(t, (char)(c >= 0x80 ? 0x80 | (c & 63) : c));
		}
	}
	t->n--;
}

/* Half of the paragraphs are as above, the others in other scripts. */
static void make_scripts(char *bytes, size_t n)
{
	struct text t = { .bytes = bytes, .capacity = n, .random = 7 };

	while (t.n + 1000 < n) {
		int script = (int)below(&t, 8);

		if (script < 4)
			put_script(&t, script);
		else
			put_paragraph(&t);
		put(&t, '\n');
		put(&t, '\n');
	}
	while (t.n < n)
		put(&t, 'x');
}

/* ---------------------------------------------------------------- contenders */

static void run_line_ends(void *context)
{
	struct dedup_job *job = context;
	size_t n = 0;

	if (job->peer)
		n = job->peer->line_ends(job->text, job->n, job->ends);
	else
		lanewise_line_ends(job->text, job->n, 0, job->ends, job->n + 64, &n);
	job->count[0] = (float)(n % 1000003);
	job->count[1] = (float)(n ? job->ends[n / 2] % 1000003 : 0);
}

/* Blocks in their normal form, compared with nothing. */
static void run_normalize_blocks(void *context)
{
	struct dedup_job *job = context;
	size_t used = 0, n_blocks = 0, n;

	if (job->peer) {
		job->count[0] = (float)(job->peer->normalize_blocks(job->text, job->n, job->out) % 1000003);
		return;
	}
	lanewise_dedup *dedup;

	lanewise_dedup_create(&job->options, NULL, &dedup, NULL);
	lanewise_dedup_feed(dedup, job->text, job->n);
	for (int finished = 0; finished < 2; finished++) {
		while (lanewise_dedup_next_forms(dedup, job->units, job->forms, UNITS, &n) == LANEWISE_OK && n > 0) {
			for (size_t i = 0; i < n; i++)
				used += job->forms[i].n_bytes;
			n_blocks += n;
		}
		if (!finished)
			lanewise_dedup_finish(dedup);
	}
	lanewise_dedup_destroy(dedup);
	job->count[0] = (float)((used + n_blocks) % 1000003);
}

static void run_dedup(void *context)
{
	struct dedup_job *job = context;
	lanewise_dedup *dedup;
	size_t n, unique = 0;

	if (job->peer) {
		job->count[0] = (float)(job->peer->unique_blocks(job->text, job->n, job->out) % 1000003);
		return;
	}
	lanewise_dedup_create(&job->options, NULL, &dedup, NULL);
	lanewise_dedup_feed(dedup, job->text, job->n);
	for (int finished = 0; finished < 2; finished++) {
		while (lanewise_dedup_next(dedup, job->units, UNITS, &n) == LANEWISE_OK && n > 0)
			for (size_t i = 0; i < n; i++)
				unique += job->units[i].first == job->units[i].number;
		if (!finished)
			lanewise_dedup_finish(dedup);
	}
	lanewise_dedup_destroy(dedup);
	job->count[0] = (float)(unique % 1000003);
}

static int offers(const struct bench_peer *peer, bench_fn *run, int32_t unit)
{
	return (run == run_line_ends && peer->line_ends) || (run == run_normalize_blocks && peer->normalize_blocks) ||
	       (run == run_dedup && unit == LANEWISE_DEDUP_BLOCKS && peer->unique_blocks);
}

/* ------------------------------------------------------------------ workloads */

struct dedup_kind {
	const char *name, *tiers_of, *workload;
	bench_fn *run;
	void (*make)(char *bytes, size_t n);
	int32_t unit, mode;
	size_t n_out;
	uint32_t normalize; /* more than blocks are normalised anyway; peers do not know it */
};

static void bench_text_kind(struct bench *bench, const struct dedup_kind *kind, enum bench_size size)
{
	struct bench_case *c = bench_case_begin(bench, kind->name, size, "byte");

	if (!c)
		return;

	size_t n = bench_size_bytes(bench, size);
	char *text = bench_alloc(n), *out = bench_alloc(n + 4096);
	uint32_t *ends = kind->run == run_line_ends ? bench_alloc((n + 64) * sizeof *ends) : NULL;
	lanewise_dedup_unit *units = bench_alloc(UNITS * sizeof *units);
	lanewise_dedup_form *forms = bench_alloc(UNITS * sizeof *forms);
	float count[2] = { 0 };
	struct dedup_job jobs[BENCH_MAX_PEERS + 1];
	struct bench_read_job read;
	size_t best[BENCH_BEST_READS];

	kind->make(text, n);
	jobs[0] = (struct dedup_job) {
		.text = text, .n = n, .ends = ends, .out = out, .units = units, .forms = forms, .count = count
	};
	jobs[0].options = (lanewise_dedup_options) { .struct_size = sizeof jobs[0].options,
		                                     .unit = kind->unit,
		                                     .mode = kind->mode };
	if (kind->unit == LANEWISE_DEDUP_BLOCKS)
		jobs[0].options.normalize = LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER |
		                            LANEWISE_NORMALIZE_TRIM | LANEWISE_NORMALIZE_TRIM_PUNCTUATION |
		                            kind->normalize;
	snprintf(c->workload, sizeof c->workload, "%s, %zu KiB", kind->workload, n / 1024);
	c->units = c->bytes = (double)n;
	c->out = count;
	c->n_out = kind->n_out;
	bench_add_tiers(c, kind->tiers_of, kind->run, &jobs[0]);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i + 1] = jobs[0];
		jobs[i + 1].peer = bench->peer[i];
		if (kind->normalize == 0 && offers(bench->peer[i], kind->run, kind->unit))
			bench_add(c, BENCH_PEER, bench->peer[i]->name, kind->run, &jobs[i + 1]);
	}
	bench_read_best(text, n, best);
	read = (struct bench_read_job) { text, n, best[0] };
	bench_add(c, BENCH_REFERENCE, bench_read_name(read.variant), bench_read_run, &read);
	bench_case_run(c);
	bench_free(forms);
	bench_free(units);
	if (ends)
		bench_free(ends);
	bench_free(out);
	bench_free(text);
}

/* --------------------------------------------------------------- mixed strings */

struct batch_job {
	const struct bench_peer *peer;
	const unsigned char *data;
	uint64_t *begin, *end, *out;
	size_t n;
	float *sum;
};

static void run_batch(void *context)
{
	struct batch_job *job = context;
	uint64_t all = 0;

	if (job->peer)
		job->peer->hash64_batch(job->data, job->begin, job->end, job->n, job->out);
	else
		lanewise_xxh3_64_batch(job->data, job->begin, job->end, job->n, 0, job->out);
	for (size_t i = 0; i < job->n; i += 97)
		all ^= job->out[i];
	*job->sum = (float)(all >> 44);
}

static void bench_strings(struct bench *bench, size_t least, size_t most)
{
	enum { N = 1 << 17 };
	struct bench_case *c = bench_case_begin(bench, "xxh3_64_batch", BENCH_DRAM, "string");

	if (!c)
		return;

	uint64_t *offsets = bench_alloc((N + 1) * sizeof *offsets), *out = bench_alloc(N * sizeof *out), state = 9;
	unsigned char *data = bench_alloc(N * most);
	float sum;
	struct batch_job jobs[BENCH_MAX_PEERS + 1];

	for (size_t i = 0; i < N; i++)
		offsets[i + 1] = offsets[i] + least + bench_random(&state) % (most - least + 1);
	for (size_t i = 0; i < offsets[N]; i++)
		data[i] = (unsigned char)(i * 167 >> 3);
	jobs[0] = (struct batch_job) {
		.data = data, .begin = offsets, .end = offsets + 1, .out = out, .n = N, .sum = &sum
	};
	snprintf(c->workload, sizeof c->workload, "%d strings of %zu to %zu bytes", N, least, most);
	c->units = N;
	c->bytes = (double)offsets[N];
	c->out = &sum;
	c->n_out = 1;
	bench_add_tiers(c, "xxh3_64_batch", run_batch, &jobs[0]);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i + 1] = jobs[0];
		jobs[i + 1].peer = bench->peer[i];
		if (bench->peer[i]->hash64_batch)
			bench_add(c, BENCH_PEER, bench->peer[i]->name, run_batch, &jobs[i + 1]);
	}
	bench_case_run(c);
	bench_free(data);
	bench_free(out);
	bench_free(offsets);
}

/* ----------------------------------------------------------------------- loops */

struct loop_job {
	const struct bench_peer *peer;
	const uint32_t *tokens;
	size_t n;
	void *scratch;
	float *sum;
};

static void run_loop(void *context)
{
	struct loop_job *job = context;
	uint64_t sum = 0;

	if (job->peer) {
		sum = job->peer->loop_periods(job->tokens, job->n, 16, 1024, 4);
	} else {
		lanewise_loop *loop = lanewise_loop_begin(job->scratch, 16, 1024, 4);

		for (size_t i = 0, taken; i < job->n; i += taken)
			sum += lanewise_loop_push(loop, job->tokens + i, job->n - i, &taken);
	}
	*job->sum = (float)(sum % 1000003);
}

static void bench_loop(struct bench *bench, int skewed)
{
	enum { N = 20000 };
	struct bench_case *c = bench_case_begin(bench, "loop_step", BENCH_L2, "token");

	if (!c)
		return;

	uint32_t *tokens = bench_alloc(N * sizeof *tokens);
	uint64_t state = 11;
	float sum;
	struct loop_job jobs[BENCH_MAX_PEERS + 1];

	for (size_t i = 0; i < N; i++) {
		uint64_t r = bench_random(&state);

		/* Skewed: half of the tokens are one, a quarter another, ... */
		tokens[i] = skewed ? (uint32_t)__builtin_ctzll(r | (uint64_t)1 << 40) : (uint32_t)(r % 50000);
	}
	jobs[0] = (struct loop_job) { .tokens = tokens, .n = N, .sum = &sum };
	jobs[0].scratch = bench_alloc(lanewise_loop_scratch_size(16, 1024, 4));
	snprintf(c->workload, sizeof c->workload, "%s tokens, periods 16 ... 1024, 4 times",
	         skewed ? "skewed" : "random");
	c->units = N;
	c->bytes = N * sizeof *tokens;
	c->out = &sum;
	c->n_out = 1;
	bench_add_tiers(c, "loop_step", run_loop, &jobs[0]);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i + 1] = jobs[0];
		jobs[i + 1].peer = bench->peer[i];
		if (bench->peer[i]->loop_periods)
			bench_add(c, BENCH_PEER, bench->peer[i]->name, run_loop, &jobs[i + 1]);
	}
	bench_case_run(c);
	bench_free(jobs[0].scratch);
	bench_free(tokens);
}

/* ------------------------------------------------------------------------ sets */

struct set_job {
	const struct bench_peer *peer;
	const uint64_t *hashes;
	uint64_t *duplicates;
	size_t n, expected;
	float *n_different;
};

/* A set is made, filled and given up. */
static void run_set(void *context)
{
	struct set_job *job = context;
	size_t n;

	if (job->peer) {
		void *set = job->peer->set_create(job->expected);

		n = job->peer->set_insert(set, job->hashes, job->n);
		job->peer->set_destroy(set);
	} else {
		lanewise_seen_options options = { .struct_size = sizeof options, .expected = job->expected };
		lanewise_seen *seen;

		lanewise_seen_create(&options, NULL, &seen, NULL);
		lanewise_seen_insert_64(seen, job->hashes, job->n, job->duplicates, NULL);
		n = (size_t)lanewise_seen_count(seen);
		lanewise_seen_destroy(seen);
	}
	*job->n_different = (float)(n % 1000003);
}

/* Two of three hashes are new. */
static void fill_hashes(uint64_t *hashes, size_t n)
{
	uint64_t state = 12;

	for (size_t i = 0; i < n; i++) {
		uint64_t r = bench_random(&state);

		hashes[i] = i > 0 && r % 3 == 0 ? hashes[(r >> 8) % i] : bench_random(&state) | 1;
	}
}

static void bench_set(struct bench *bench, enum bench_size size, size_t n, int reserved)
{
	struct bench_case *c = bench_case_begin(bench, "seen_insert_64", size, "hash");

	if (!c)
		return;

	uint64_t *hashes = bench_alloc(n * sizeof *hashes), *duplicates = bench_alloc(n / 8 + 8);
	float n_different;
	struct set_job jobs[BENCH_MAX_PEERS + 1];

	fill_hashes(hashes, n);
	jobs[0] = (struct set_job) { NULL, hashes, duplicates, n, reserved ? n : 0, &n_different };
	snprintf(c->workload, sizeof c->workload, "%zu hashes, %s", n, reserved ? "reserved" : "growing");
	c->units = (double)n;
	c->bytes = (double)n * 8;
	c->out = &n_different;
	c->n_out = 1;
	bench_add_tiers(c, "seen_insert_64", run_set, &jobs[0]);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i + 1] = jobs[0];
		jobs[i + 1].peer = bench->peer[i];
		if (bench->peer[i]->set_create)
			bench_add(c, BENCH_PEER, bench->peer[i]->name, run_set, &jobs[i + 1]);
	}
	bench_case_run(c);
	bench_free(duplicates);
	bench_free(hashes);
}

void bench_dedup(struct bench *bench)
{
	static const struct dedup_kind kinds[] = {
		{ "line_ends", "byte_index", "lines", run_line_ends, make_lines, LANEWISE_DEDUP_LINES,
		  LANEWISE_DEDUP_VERIFY, 2, 0 },
		{ "normalize_blocks", "fold_units", "split and normalise", run_normalize_blocks, make_text,
		  LANEWISE_DEDUP_BLOCKS, LANEWISE_DEDUP_NONE, 1, 0 },
		{ "normalize_blocks", "fold_case", "split, normalise, fold case", run_normalize_blocks, make_scripts,
		  LANEWISE_DEDUP_BLOCKS, LANEWISE_DEDUP_NONE, 1, LANEWISE_NORMALIZE_FOLD },
		{ "dedup_blocks", "fold_units", "blocks, by hash", run_dedup, make_text, LANEWISE_DEDUP_BLOCKS,
		  LANEWISE_DEDUP_HASH64, 1, 0 },
		{ "dedup_blocks", "fold_units", "blocks, verified", run_dedup, make_text, LANEWISE_DEDUP_BLOCKS,
		  LANEWISE_DEDUP_VERIFY, 1, 0 },
		{ "dedup_lines", "byte_index", "lines, by hash", run_dedup, make_lines, LANEWISE_DEDUP_LINES,
		  LANEWISE_DEDUP_HASH64, 1, 0 },
		{ "dedup_lines", "byte_index", "lines, verified", run_dedup, make_lines, LANEWISE_DEDUP_LINES,
		  LANEWISE_DEDUP_VERIFY, 1, 0 },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (enum bench_size size = BENCH_L2; size < BENCH_SIZES; size++)
			bench_text_kind(bench, &kinds[i], size);
	bench_strings(bench, 1, 16);
	bench_strings(bench, 1, 32);
	bench_strings(bench, 17, 128);
	bench_strings(bench, 1, 128);
	bench_strings(bench, 1, 240);
	bench_loop(bench, 0);
	bench_loop(bench, 1);
	for (int reserved = 1; reserved >= 0; reserved--) {
		bench_set(bench, BENCH_L2, 10000, reserved);
		bench_set(bench, BENCH_L3, 1000000, reserved);
		bench_set(bench, BENCH_DRAM, 10000000, reserved);
	}
	bench_set(bench, BENCH_DRAM, 50000000, 1);
}
