/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/json.h and sse.h: the index, trees of large and small documents, lines, arrays of numbers, strings, events,
 * values that are still arriving, repair, and timestamps in columns. Texts are made here; those of the folder "json" in
 * LANEWISE_SHARED_DATA, and files named in LANEWISE_BENCH_JSON (separated by ':'), are measured besides.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static volatile size_t json_sink;
static float verdict; /* what the harness compares */

struct json_job {
	const char *text;
	size_t n;
	size_t piece; /* bytes fed at a time */
	uint32_t *index;
	uint64_t *bits;
	lanewise_json_node *nodes;
	size_t capacity;
	lanewise_json_line *lines;
	float *f32;
	double *f64;
	char *out;
	void *scratch;
	size_t n_scratch;
	const size_t *begin; /* of the documents, and the end of the last */
	size_t n_documents;
	const struct bench_peer *peer;
};

/*
 * A case with a workload and a size in bytes, which also counts as its units unless n_units is something else. `member` is
 * the offset of the peers' function, 0 (which is the name's) for none.
 */
static void run_case(struct bench *bench, const char *kernel, const char *workload, enum bench_size size,
                     const char *unit, size_t n_units, const struct json_job *job, bench_fn *run, size_t member)
{
	struct bench_case *c = bench_case_begin(bench, kernel, size, unit);
	struct json_job jobs[BENCH_MAX_PEERS], ours = *job;

	if (!c)
		return;
	snprintf(c->workload, sizeof c->workload, "%s", workload);
	c->units = (double)n_units;
	c->bytes = (double)job->n;
	c->out = &verdict;
	c->n_out = 1;
	bench_add_tiers(c, "json_index", run, &ours);
	if (member)
		bench_add_peers(c, jobs, job, sizeof *jobs, offsetof(struct json_job, peer), run, member);
	bench_case_run(c);
}

#define PEER(function) offsetof(struct bench_peer, function)

/* ---------------------------------------------------------- index and tree */

static void run_index(void *context)
{
	struct json_job *job = context;
	lanewise_json_index_state state = { 0 };
	size_t n_index, n_taken;

	verdict = 1;
	if (job->peer) {
		job->peer->json_index(job->text, job->n);
		return;
	}
	for (size_t at = 0; at < job->n; at += n_taken) {
		size_t left = job->n - at;

		lanewise_json_index_feed(&state, job->text + at, left < job->piece ? left : job->piece, job->index,
		                         job->n, &n_index, &n_taken, NULL);
		json_sink = n_index;
	}
	verdict = lanewise_json_index_finish(&state, NULL) == LANEWISE_OK;
}

static void run_bits(void *context)
{
	struct json_job *job = context;
	lanewise_json_index_state state = { 0 };

	verdict = 1;
	if (job->peer) {
		job->peer->json_index(job->text, job->n);
		return;
	}
	lanewise_json_index_bits(&state, job->text, job->n, job->bits, NULL);
	verdict = lanewise_json_index_finish(&state, NULL) == LANEWISE_OK;
}

static void run_parse(void *context)
{
	struct json_job *job = context;
	size_t n_nodes = 0;

	if (job->peer)
		verdict = (float)job->peer->json_parse(job->text, job->n);
	else
		verdict = lanewise_json_parse(job->text, job->n, NULL, job->nodes, job->capacity, &n_nodes, NULL) ==
		          LANEWISE_OK;
}

static void bench_index_and_tree(struct bench *bench, const char *name, const char *text, size_t n,
                                 enum bench_size size, int is_lines)
{
	struct json_job job = { .text = text, .n = n, .piece = UINT32_MAX };

	job.capacity = lanewise_json_nodes_bound(n, NULL);
	job.index = bench_alloc(n * sizeof *job.index + 64);
	job.nodes = bench_alloc(job.capacity * sizeof *job.nodes);
	run_case(bench, "json_index", name, size, "byte", n, &job, run_index, PEER(json_index));
	job.bits = (uint64_t *)job.index;
	run_case(bench, "json_bits", name, size, "byte", n, &job, run_bits, PEER(json_index));
	job.piece = 4096;
	run_case(bench, "json_index_4k", name, size, "byte", n, &job, run_index, PEER(json_index));
	if (!is_lines)
		run_case(bench, "json_parse", name, size, "byte", n, &job, run_parse, PEER(json_parse));
	bench_free(job.index);
	bench_free(job.nodes);
}

/* --------------------------------------------------------------- documents */

static void run_documents(void *context)
{
	struct json_job *job = context;
	size_t n_valid = 0, n_nodes;

	if (job->peer) {
		verdict = (float)job->peer->json_documents(job->text, job->begin, job->n_documents);
		return;
	}
	for (size_t i = 0; i < job->n_documents; i++)
		n_valid += lanewise_json_parse(job->text + job->begin[i], job->begin[i + 1] - job->begin[i] - 1, NULL,
		                               job->nodes, job->capacity, &n_nodes, NULL) == LANEWISE_OK;
	verdict = (float)n_valid;
}

static void run_lines(void *context)
{
	struct json_job *job = context;
	size_t n_valid = 0, n_lines, n_taken;

	if (job->peer) {
		verdict = (float)job->peer->json_lines(job->text, job->n);
		return;
	}
	/* In batches whose nodes stay in a cache. */
	for (size_t at = 0; at < job->n; at += n_taken) {
		lanewise_json_parse_lines(job->text + at, job->n - at, NULL, job->nodes, 1 << 14, job->lines, 1 << 10,
		                          &n_lines, &n_taken);
		for (size_t i = 0; i < n_lines; i++)
			n_valid += job->lines[i].status == LANEWISE_OK;
	}
	verdict = (float)n_valid;
}

/* A text of lines: as documents one by one, and as lines. */
static void bench_lines(struct bench *bench, const char *name, const char *text, size_t n)
{
	size_t n_documents = 0, at = 0, *begin = bench_alloc((n / 2 + 2) * sizeof *begin);
	struct json_job job = { .text = text, .n = n, .begin = begin };

	while (at < n) {
		const char *newline = memchr(text + at, '\n', n - at);

		begin[n_documents++] = at;
		at = newline ? (size_t)(newline - text) + 1 : n + 1;
	}
	begin[n_documents] = at;
	job.n_documents = n_documents;
	job.capacity = lanewise_json_nodes_bound(n, NULL);
	job.nodes = bench_alloc(job.capacity * sizeof *job.nodes);
	job.lines = bench_alloc((1 << 10) * sizeof *job.lines);
	run_case(bench, "json_documents", name, BENCH_L2, "document", n_documents, &job, run_documents,
	         PEER(json_documents));
	run_case(bench, "json_lines", name, BENCH_L2, "document", n_documents, &job, run_lines, PEER(json_lines));
	bench_free(job.lines);
	bench_free(job.nodes);
	bench_free(begin);
}

/* ----------------------------------------------------------------- numbers */

/* All arrays called "embedding" of data[]; the sum tells whether all read the same. */
static void run_floats(void *context)
{
	static const lanewise_json_options options = { .struct_size = sizeof options,
		                                       .flags = LANEWISE_JSON_NUMBER_ARRAYS };
	struct json_job *job = context;
	size_t n = 0, n_nodes, n_values = 0;

	if (job->peer) {
		n = job->f32 ? job->peer->json_f32(job->text, job->n, job->f32)
		             : job->peer->json_f64(job->text, job->n, job->f64);
	} else if (lanewise_json_parse(job->text, job->n, &options, job->nodes, job->capacity, &n_nodes, NULL) ==
	           LANEWISE_OK) {
		size_t data = lanewise_json_member(job->text, job->nodes, 0, "data", 4);

		for (size_t i = data + 1; i < job->nodes[data].next; i = job->nodes[i].next) {
			size_t array = lanewise_json_member(job->text, job->nodes, i, "embedding", 9);

			if (job->f32)
				lanewise_json_f32_array(job->text, job->nodes, array, job->f32 + n, job->n - n,
				                        &n_values);
			else
				lanewise_json_f64_array(job->text, job->nodes, array, job->f64 + n, job->n - n,
				                        &n_values);
			n += n_values;
		}
	}
	verdict = (float)(job->f32 ? (double)job->f32[n / 2] : job->f64[n / 2]) + (float)n;
}

static void bench_floats(struct bench *bench, const char *name, const char *text, size_t n, int is_f32)
{
	struct json_job job = { .text = text, .n = n };
	size_t n_numbers = 0;

	for (size_t i = 0; i < n; i++)
		n_numbers += text[i] == ',';
	job.capacity = lanewise_json_nodes_bound(n, NULL);
	job.nodes = bench_alloc(job.capacity * sizeof *job.nodes);
	if (is_f32)
		job.f32 = bench_alloc(n * sizeof *job.f32);
	else
		job.f64 = bench_alloc(n * sizeof *job.f64);
	run_case(bench, is_f32 ? "json_f32" : "json_f64", name, BENCH_L3, "number", n_numbers, &job, run_floats,
	         is_f32 ? PEER(json_f32) : PEER(json_f64));
	bench_free(job.nodes);
	bench_free(job.f32);
	bench_free(job.f64);
}

/* ----------------------------------------------------------------- strings */

static void run_escape(void *context)
{
	struct json_job *job = context;

	verdict = (float)(job->peer ? job->peer->json_escape(job->text, job->n, job->out)
	                            : lanewise_json_escape(job->text, job->n, job->out, 6 * job->n));
}

/* A document that is one string, to its text: parsing and decoding. */
static void run_unescape(void *context)
{
	struct json_job *job = context;
	size_t n_nodes, n_out = 0;

	if (job->peer)
		n_out = job->peer->json_string(job->text, job->n, job->out);
	else if (lanewise_json_parse(job->text, job->n, NULL, job->nodes, job->capacity, &n_nodes, NULL) == LANEWISE_OK)
		lanewise_json_string(job->text, job->nodes, job->out, job->n, &n_out);
	verdict = (float)n_out;
}

/* The same, parsed before: decoding alone. */
static void run_decode(void *context)
{
	struct json_job *job = context;
	size_t n_out = 0;

	if (job->peer)
		n_out = job->peer->json_unescape(job->text, job->n, job->out);
	else
		lanewise_json_string(job->text, job->nodes, job->out, job->n, &n_out);
	verdict = (float)n_out;
}

static void bench_string(struct bench *bench, const char *name, const struct json_job *job)
{
	size_t n_nodes;

	run_case(bench, "json_string", name, BENCH_L2, "byte", job->n - 2, job, run_unescape, PEER(json_string));
	if (lanewise_json_parse(job->text, job->n, NULL, job->nodes, job->capacity, &n_nodes, NULL) == LANEWISE_OK)
		run_case(bench, "json_unescape", name, BENCH_L2, "byte", job->n - 2, job, run_decode,
		         PEER(json_unescape));
}

static void bench_strings(struct bench *bench)
{
	enum { N = 1 << 18 };
	static const struct {
		const char *name, *part;
		size_t every;
	} kinds[] = { { "clean", "x", 1 }, { "1 % escapes", "\n", 96 }, { "2 % escapes", "\"", 48 } };
	char *plain = bench_alloc(N), *escaped = bench_alloc(6 * N + 2), *out = bench_alloc(6 * N + 64);
	lanewise_json_node node;
	struct json_job job = { .nodes = &node, .capacity = 1, .out = out };
	size_t n;

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		uint64_t seed = 5;

		for (size_t i = 0; i < N; i++)
			plain[i] = "etaoin shrdlu   "[bench_random(&seed) % 16];
		for (size_t i = 0; i < N; i += 1 + bench_random(&seed) % (2 * kinds[k].every))
			plain[i] = kinds[k].part[0];
		job.text = plain;
		job.n = N;
		job.out = out;
		run_case(bench, "json_escape", kinds[k].name, BENCH_L2, "byte", N, &job, run_escape, PEER(json_escape));
		escaped[0] = '"';
		n = lanewise_json_escape(plain, N, escaped + 1, 6 * N);
		escaped[n + 1] = '"';
		job.text = escaped;
		job.n = n + 2;
		bench_string(bench, kinds[k].name, &job);
	}
	for (size_t i = 0; i < N; i += 6)
		snprintf(escaped + 1 + i, 7, "\\u%04x", (unsigned)(0x4e00 + i * 7 % 20000));
	n = (N + 5) / 6 * 6;
	escaped[n + 1] = '"';
	job.text = escaped;
	job.n = n + 2;
	bench_string(bench, "units", &job);
	bench_free(plain);
	bench_free(escaped);
	bench_free(out);
}

/* ------------------------------------------------------------------ events */

static const char content_path[] = "choices[0].delta.content";

/* The bytes of all contents. */
static void run_content(void *context)
{
	struct json_job *job = context;
	size_t total = 0, n_steps;
	lanewise_json_step steps[8];
	char names[sizeof content_path];
	lanewise_sse_value values[128];
	lanewise_sse_json_result result;
	int32_t more;

	if (job->peer) {
		verdict = (float)job->peer->sse_content(job->text, job->n);
		return;
	}
	lanewise_json_path(content_path, sizeof content_path - 1, steps, 8, &n_steps, names, NULL);

	const lanewise_sse_path path = { steps, n_steps, names };
	const lanewise_sse_json_options options = { .struct_size = sizeof options, .done = "" };
	lanewise_sse_json *events = lanewise_sse_json_begin(job->scratch, job->n_scratch, &path, 1, &options);

	for (size_t at = 0; at < job->n; at += job->piece) {
		lanewise_sse_json_feed(events, job->text + at, job->n - at < job->piece ? job->n - at : job->piece);
		do {
			more = lanewise_sse_json_read(events, job->out, 1 << 16, values, 128, &result, NULL);
			for (size_t i = 0; i < result.n_events; i++)
				total += values[i].type == LANEWISE_JSON_STRING ? values[i].n_bytes : 0;
		} while (more > 0 || more == LANEWISE_ERROR_DATA);
	}
	verdict = (float)total;
}

static void bench_events(struct bench *bench, const char *name, const char *text, size_t n)
{
	static const size_t pieces[] = { 1400, 16384 };
	struct json_job job = { .text = text, .n = n };
	size_t n_events = 0;
	char workload[80];

	for (size_t i = 5; i < n; i++)
		n_events += memcmp(text + i - 5, "data:", 5) == 0;
	job.out = bench_alloc(1 << 16);
	job.n_scratch = lanewise_sse_json_scratch_size(1, NULL);
	job.scratch = bench_alloc(job.n_scratch);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		job.piece = pieces[i];
		snprintf(workload, sizeof workload, "%s in pieces of %zu", name, pieces[i]);
		run_case(bench, "sse_content", workload, BENCH_L3, "event", n_events, &job, run_content,
		         PEER(sse_content));
	}
	bench_free(job.scratch);
	bench_free(job.out);
}

/* Events as a service for chats sends them. */
static char *make_events(size_t n, size_t *length)
{
	static const char *const words[] = { "the ", "answer", " is", "\\n", " \xe6\xa3\x80\xe7\xb4\xa2", "42." };
	char *text = bench_alloc(n + 1024);
	uint64_t seed = 7;
	size_t at = 0;

	while (at < n)
		at += (size_t)snprintf(
		        text + at, 1024,
		        "data: {\"id\":\"chatcmpl-5b0c2d4f\",\"object\":\"chat.completion.chunk\","
		        "\"created\":1721075653,\"model\":\"small-2024-07-18\",\"choices\":[{\"index\":0,"
		        "\"delta\":{\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
		        words[bench_random(&seed) % 6]);
	*length = at;
	return text;
}

/* ----------------------------------------------------------------- partial */

static void run_partial(void *context)
{
	struct json_job *job = context;
	lanewise_json_partial *partial = lanewise_json_partial_begin(job->scratch, job->n_scratch, NULL);
	lanewise_json_view view = { 0 };
	size_t seen = 0;

	for (size_t at = 0; at < job->n; at += job->piece) {
		lanewise_json_partial_feed(partial, job->text + at, job->n - at < job->piece ? job->n - at : job->piece,
		                           NULL);
		lanewise_json_partial_view(partial, &view);
		seen += view.n_nodes;
	}
	verdict = (float)seen;
}

static void bench_partial(struct bench *bench)
{
	static const size_t sizes[] = { 1000, 16000 };
	char text[16384 + 128];
	struct json_job job = { .text = text, .piece = 4 };
	uint64_t seed = 9;

	job.n_scratch = lanewise_json_partial_size(NULL);
	job.scratch = bench_alloc(job.n_scratch);
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		char workload[64];

		job.n = (size_t)sprintf(text, "{\"path\": \"src/main.c\", \"edits\": [");
		while (job.n < sizes[s])
			job.n += (size_t)sprintf(text + job.n, "{\"line\": %u, \"text\": \"int x = %u;\\n\"}, ",
			                         (unsigned)(bench_random(&seed) % 900),
			                         (unsigned)(bench_random(&seed) % 9));
		snprintf(workload, sizeof workload, "%zu bytes by 4 with views", sizes[s]);
		run_case(bench, "json_partial", workload, BENCH_L1, "piece", (job.n + 3) / 4, &job, run_partial, 0);
	}
	bench_free(job.scratch);
}

/* ------------------------------------------------------------------ repair */

static void run_repair(void *context)
{
	struct json_job *job = context;
	lanewise_json_repair_result result;
	size_t total = 0;

	for (size_t i = 0; i < job->n_documents; i++) {
		lanewise_json_repair(job->text + job->begin[i], job->begin[i + 1] - job->begin[i], NULL, job->out,
		                     1 << 16, NULL, 0, &result, NULL);
		total += result.n_out;
	}
	verdict = (float)total;
}

/* Answers spoilt in the ways that are usual: a text that is an array of strings. */
static void bench_repair(struct bench *bench, const char *name, const char *text, size_t n)
{
	size_t capacity = lanewise_json_nodes_bound(n, NULL), n_nodes, at = 0, n_out;
	lanewise_json_node *nodes = bench_alloc(capacity * sizeof *nodes);
	char *documents = bench_alloc(n);
	size_t *begin = bench_alloc((n / 2 + 2) * sizeof *begin);
	struct json_job job = { .text = documents, .begin = begin };

	if (lanewise_json_parse(text, n, NULL, nodes, capacity, &n_nodes, NULL) == LANEWISE_OK)
		for (size_t i = 1; i < nodes[0].next; i = nodes[i].next) {
			begin[job.n_documents++] = at;
			if (lanewise_json_string(text, &nodes[i], documents + at, n - at, &n_out) == LANEWISE_OK)
				at += n_out;
		}
	begin[job.n_documents] = job.n = at;
	job.out = bench_alloc(1 << 16);
	if (job.n_documents)
		run_case(bench, "json_repair", name, BENCH_L3, "document", job.n_documents, &job, run_repair, 0);
	bench_free(job.out);
	bench_free(begin);
	bench_free(documents);
	bench_free(nodes);
}

/* -------------------------------------------------------------- timestamps */

struct times_job {
	const char *text;
	uint64_t *begin, *end;
	size_t n;
	int64_t *out;
	const struct bench_peer *peer;
};

static void run_times(void *context)
{
	struct times_job *job = context;

	if (job->peer)
		job->peer->timestamps(job->text, job->begin, job->n, job->out);
	else
		lanewise_timestamp_parse_batch(job->text, job->begin, job->end, job->n, NULL, job->out, NULL, NULL);
	verdict = (float)job->out[job->n / 2];
}

static void bench_times(struct bench *bench)
{
	enum { N = 4096, BYTES = 21 };
	struct bench_case *c = bench_case_begin(bench, "timestamp_batch", BENCH_L2, "text");
	struct times_job jobs[BENCH_MAX_PEERS], job = { .n = N };
	char *text;
	uint64_t seed = 11;

	if (!c)
		return;
	job.text = text = bench_alloc(N * BYTES + 64);
	job.begin = bench_alloc(N * sizeof *job.begin);
	job.end = bench_alloc(N * sizeof *job.end);
	job.out = bench_alloc(N * sizeof *job.out);
	for (size_t i = 0; i < N; i++) {
		uint64_t r = bench_random(&seed);

		job.begin[i] = i * BYTES;
		job.end[i] = i * BYTES + BYTES - 1;
		snprintf(text + i * BYTES, 64, "20%02u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)(r % 30),
		         (unsigned)(r >> 8) % 12 + 1, (unsigned)(r >> 16) % 28 + 1, (unsigned)(r >> 24) % 24,
		         (unsigned)(r >> 32) % 60, (unsigned)(r >> 40) % 60);
	}
	snprintf(c->workload, sizeof c->workload, "20 bytes each");
	c->units = N;
	c->bytes = N * BYTES;
	c->out = &verdict;
	c->n_out = 1;
	bench_add_tiers(c, "json_index", run_times, &job);
	for (size_t i = 0; i < bench->n_peers; i++) {
		if (!bench->peer[i]->timestamps)
			continue;
		jobs[i] = job;
		jobs[i].peer = bench->peer[i];
		bench_add(c, BENCH_PEER, bench->peer[i]->name, run_times, &jobs[i]);
	}
	bench_case_run(c);
	bench_free(text);
	bench_free(job.begin);
	bench_free(job.end);
	bench_free(job.out);
}

/* ------------------------------------------------------------------- texts */

/* Records in an array, with names, escapes, numbers and some CJK. */
static char *make_records(size_t n, size_t *length)
{
	static const char *const contents[] = { "The answer is 42.\\n", "He said \\\"no\\\" twice. ",
		                                "\xe6\xa3\x80\xe7\xb4\xa2", "retrieval augmented generation " };
	char *text = bench_alloc(n + 1024);
	size_t at = 1;
	uint64_t seed = 3;

	text[0] = '[';
	while (at < n) {
		uint64_t random = bench_random(&seed);

		at += (size_t)snprintf(
		        text + at, 1024,
		        "{\"id\": \"chatcmpl-%08x\", \"object\": \"chat.completion.chunk\", \"created\": %u, "
		        "\"choices\": [{\"index\": 0, \"delta\": {\"role\": \"assistant\", \"content\": \"%s%s\"}, "
		        "\"logprob\": -%u.%05u, \"finish_reason\": null}]},",
		        (unsigned)random, 1700000000 + (unsigned)(random >> 40), contents[random >> 8 & 3],
		        contents[random >> 10 & 3], (unsigned)(random >> 20) % 9, (unsigned)(random >> 30) % 100000);
	}
	text[at - 1] = ']';
	*length = at;
	return text;
}

static char *read_file(const char *path, size_t *n)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	long size;

	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	if (size > 0) {
		text = bench_alloc((size_t)size);
		*n = fread(text, 1, (size_t)size, file);
	}
	fclose(file);
	return text;
}

/* Several copies, so that no cache holds them. */
static void bench_large(struct bench *bench, const char *text, size_t n)
{
	enum { BYTES = 24 << 20 };
	size_t copies = BYTES / n + 1;
	char *large = bench_alloc(copies * n);

	for (size_t i = 0; i < copies; i++)
		memcpy(large + i * n, text, n);
	bench_index_and_tree(bench, "24 MB of messages", large, copies * n, BENCH_DRAM, 1);
	bench_free(large);
}

static void bench_named_file(struct bench *bench, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
	size_t n = 0;
	char *text = read_file(path, &n);

	if (!text)
		return;
	if (dot && strcmp(dot, ".sse") == 0) {
		bench_events(bench, name, text, n);
	} else if (dot && strcmp(dot, ".ndjson") == 0) {
		bench_index_and_tree(bench, name, text, n, BENCH_L3, 1);
		bench_lines(bench, name, text, n);
		if (strcmp(name, "llm_mix2k.ndjson") == 0)
			bench_large(bench, text, n);
	} else if (strcmp(name, "malformed.json") == 0) {
		bench_repair(bench, name, text, n);
	} else {
		bench_index_and_tree(bench, name, text, n, BENCH_L3, 0);
		if (strncmp(name, "embeddings_f", 12) == 0)
			bench_floats(bench, name, text, n, name[12] == '3');
	}
	bench_free(text);
}

static void bench_files(struct bench *bench)
{
	static const char *const names[] = { "twitter.json",        "citm_catalog.json",   "canada.json",
		                             "github_events.json",  "mesh.json",           "numbers.json",
		                             "random.json",         "twitterescaped.json", "embeddings_f32.json",
		                             "embeddings_f64.json", "embeddings_b64.json", "llm_small200.ndjson",
		                             "llm_mix2k.ndjson",    "llm_stream.sse",      "malformed.json" };
	const char *shared = getenv("LANEWISE_SHARED_DATA"), *files = getenv("LANEWISE_BENCH_JSON");
	char *list = files ? strdup(files) : NULL;

	for (size_t i = 0; shared && i < sizeof names / sizeof *names; i++) {
		char path[4096];

		if (snprintf(path, sizeof path, "%s/json/%s", shared, names[i]) < (int)sizeof path)
			bench_named_file(bench, path);
	}
	for (char *path = list ? strtok(list, ":") : NULL; path; path = strtok(NULL, ":"))
		bench_named_file(bench, path);
	free(list);
}

void bench_json(struct bench *bench)
{
	size_t n;
	char *text;

	for (enum bench_size size = BENCH_L1; size < BENCH_DRAM; size++) {
		text = make_records(bench_size_bytes(bench, size) / 6, &n);
		bench_index_and_tree(bench, "records", text, n, size, 0);
		bench_free(text);
	}
	bench_strings(bench);
	text = make_events(200000, &n);
	bench_events(bench, "events", text, n);
	bench_free(text);
	bench_partial(bench);
	bench_times(bench);
	bench_files(bench);
}
