/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time on texts that were made to cost it: the same few bytes over and over, near misses, marks that open and never close.
 * Every function that reads text must take about twice as long for twice as much, whatever it is. Ratios are those of the
 * best of several rounds of CPU time, the two sizes in turn; one that is too large is measured again.
 */
#include <lanewise/lanewise.h>

#include <ctype.h>

#include "workers.h"

static const char usage[] = "usage: long_hostile [--kibibytes N] [--percent LIMIT] [--rounds N] [--verbose 1]\n"
                            "  --kibibytes N     the smaller text (32)\n"
                            "  --percent LIMIT   the most that twice the text may take (350; what is aimed at is 220)\n"
                            "  --rounds N        of which the best counts (3)\n";

static struct {
	size_t n; /* the larger text's bytes */
	char *text, *out;
	void *scratch;
	size_t n_out, n_scratch;
} room;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ------------------------------------------------------------------- jobs */

typedef void run_fn(const char *text, size_t n);

static lanewise_json_node *nodes(void) { return room.scratch; }

static void run_json_parse(const char *text, size_t n)
{
	size_t n_nodes;

	lanewise_json_parse(text, n, NULL, nodes(), room.n_scratch / sizeof *nodes(), &n_nodes, NULL);
}

static void run_json_validate(const char *text, size_t n) { lanewise_json_validate(text, n, NULL, NULL); }

static void run_json_repair(const char *text, size_t n)
{
	for (uint32_t dialect = 0; dialect < 4; dialect++) {
		const lanewise_json_repair_options options = { sizeof options, 0, 0, dialect, 0 };
		lanewise_json_repair_result result;
		lanewise_status status =
		        lanewise_json_repair(text, n, &options, room.out, room.n_out, NULL, 0, &result, NULL);

		if (dialect != LANEWISE_JSON_DIALECT_VICTOR)
			CHECK(status == LANEWISE_OK &&
			      (!result.n_edits ||
			       lanewise_json_validate(room.out, result.n_out, NULL, NULL) == LANEWISE_OK));
	}
}

static void run_json_find(const char *text, size_t n)
{
	size_t n_found;

	CHECK(lanewise_json_find(text, n, NULL, room.scratch, room.n_scratch / sizeof(lanewise_json_span), &n_found,
	                         NULL) == LANEWISE_OK);
}

static void run_json_fences(const char *text, size_t n)
{
	size_t n_found;

	CHECK(lanewise_json_fences(text, n, room.scratch, room.n_scratch / sizeof(lanewise_json_fence), &n_found) ==
	      LANEWISE_OK);
}

static void run_json_partial(const char *text, size_t n)
{
	const lanewise_json_partial_options options = { .struct_size = sizeof options, .max_bytes = room.n };
	lanewise_json_partial *partial = lanewise_json_partial_begin(room.scratch, room.n_scratch, &options);
	lanewise_json_view view;

	CHECK(partial != NULL);
	for (size_t at = 0; partial && at < n; at += 16) {
		lanewise_json_partial_feed(partial, text + at, n - at < 16 ? n - at : 16, NULL);
		lanewise_json_partial_view(partial, &view);
	}
}

static void run_sse(const char *text, size_t n)
{
	size_t n_scratch = lanewise_sse_scratch_size(n);
	lanewise_sse *sse = lanewise_sse_begin(room.scratch, n_scratch);
	lanewise_sse_event event;

	CHECK(sse != NULL && n_scratch <= room.n_scratch);
	for (size_t at = 0; sse && at < n; at += 7) {
		lanewise_sse_feed(sse, text + at, n - at < 7 ? n - at : 7);
		while (lanewise_sse_next(sse, &event) > 0)
			;
	}
}

static void run_secrets(const char *text, size_t n)
{
	static lanewise_secrets *secrets;
	uint64_t present[LANEWISE_SECRETS_RULES / 64], n_found;

	if (!secrets)
		CHECK(lanewise_secrets_create(NULL, 0, NULL, NULL, &secrets, NULL) == LANEWISE_OK);
	CHECK(lanewise_secrets_types(secrets, text, n, room.scratch, present, &n_found) == LANEWISE_OK);
}

static void run_filter(const char *text, size_t n)
{
	static lanewise_filter *filter;
	size_t n_pairs, n_out;
	const lanewise_filter_pair *pairs = lanewise_filter_think_pairs(&n_pairs);

	if (!filter)
		CHECK(lanewise_filter_create(pairs, n_pairs, NULL, NULL, &filter, NULL) == LANEWISE_OK);
	CHECK(lanewise_filter_cut(filter, text, n, room.scratch, room.out, &n_out, NULL) == LANEWISE_OK);
}

static void run_classify(const char *text, size_t n)
{
	static const char rules[] =
	        "class a\n1 password\n2 a\nclass b\n1 think\n1 aaaaaaaaaaaaaaaab\nnegation a\noption words any\n";
	static lanewise_classifier *classifier;
	int32_t best;

	if (!classifier)
		CHECK(lanewise_classifier_parse(rules, strlen(rules), NULL, &classifier, NULL) == LANEWISE_OK);
	CHECK(lanewise_classify(classifier, text, n, room.scratch, NULL, &best) == LANEWISE_OK);
}

/* Sets with patterns within each other, with one far longer than the others, and with ends that differ. */
static lanewise_scan_set *make_set(int kind)
{
	enum { LONG = LANEWISE_SCAN_PATTERN_BYTES };
	static char a[LONG], names[500][40];
	lanewise_pattern patterns[600];
	lanewise_scan_set *set = NULL;
	size_t n = 0;

	memset(a, 'a', LONG);
	a[LONG - 1] = 'b';
	if (kind == 0) { /* nested */
		for (size_t length = 1; length <= 40; length++)
			patterns[n++] = (lanewise_pattern) { a, length };
	} else if (kind == 1) { /* what begins everywhere and is never there */
		patterns[n++] = (lanewise_pattern) { a, 1 };
		patterns[n++] = (lanewise_pattern) { a, LONG };
	} else {
		for (; n < 500; n++)
			patterns[n] =
			        (lanewise_pattern) { names[n],
				                     (size_t)sprintf(names[n], "aaaaaaaaaaaaaaaa.%zu.exam\"}", n) };
		patterns[n++] = (lanewise_pattern) { "```", 3 };
		patterns[n++] = (lanewise_pattern) { "{\"a\":[", 6 };
	}
	CHECK(lanewise_scan_set_create(patterns, n, NULL, NULL, &set, NULL) == LANEWISE_OK);
	return set;
}

/* In pieces, which is the worst for what has to be kept. */
static void run_scan(const char *text, size_t n)
{
	static lanewise_scan_set *sets[3];
	lanewise_match matches[64];

	for (int kind = 0; kind < 3; kind++) {
		if (!sets[kind])
			sets[kind] = make_set(kind);
		for (int32_t semantics = 0; sets[kind] && semantics < 4; semantics++) {
			const lanewise_scan_options options = { sizeof options, semantics, 0 };
			lanewise_scan *scan = lanewise_scan_begin(sets[kind], &options, room.scratch);

			CHECK(scan != NULL && lanewise_scan_scratch_size(sets[kind]) <= room.n_scratch);
			for (size_t at = 0; scan && at < n; at += 1000) {
				lanewise_scan_feed(scan, text + at, n - at < 1000 ? n - at : 1000);
				while (lanewise_scan_next(scan, matches, 64))
					;
			}
			lanewise_scan_finish(scan);
			while (lanewise_scan_next(scan, matches, 64))
				;
		}
	}
}

static void dedup(const char *text, size_t n, int32_t unit, uint32_t normalize)
{
	const lanewise_dedup_options options = { .struct_size = sizeof options, .unit = unit, .normalize = normalize };
	lanewise_dedup *made = NULL;
	lanewise_dedup_unit units[64];
	size_t n_units;

	if (!CHECK(lanewise_dedup_create(&options, NULL, &made, NULL) == LANEWISE_OK))
		return;
	for (size_t at = 0; at <= n; at += 4096) {
		if (at + 4096 > n) {
			lanewise_dedup_feed(made, text + at, n - at);
			while (lanewise_dedup_next(made, units, 64, &n_units) == LANEWISE_OK && n_units)
				;
			lanewise_dedup_finish(made);
		} else {
			lanewise_dedup_feed(made, text + at, 4096);
		}
		while (lanewise_dedup_next(made, units, 64, &n_units) == LANEWISE_OK && n_units)
			;
	}
	lanewise_dedup_destroy(made);
}

static void run_dedup_lines(const char *text, size_t n) { dedup(text, n, LANEWISE_DEDUP_LINES, 0); }

static void run_dedup_blocks(const char *text, size_t n)
{
	dedup(text, n, LANEWISE_DEDUP_BLOCKS,
	      LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER | LANEWISE_NORMALIZE_TRIM |
	              LANEWISE_NORMALIZE_TRIM_PUNCTUATION | LANEWISE_WHITESPACE_PYTHON);
}

static void run_text_chunk(const char *text, size_t n)
{
	for (int32_t unit = LANEWISE_TEXT_CHUNK_CHARACTERS; unit <= LANEWISE_TEXT_CHUNK_PARAGRAPHS; unit++) {
		lanewise_text_chunk_options options;
		lanewise_text_chunker *chunker;
		lanewise_text_chunk chunks[64];

		lanewise_text_chunk_options_default(&options);
		options.unit = unit;
		options.size = 200;
		options.overlap = 100;
		options.measure = unit % 2 ? LANEWISE_TEXT_CHUNK_TOKENS : LANEWISE_TEXT_CHUNK_CODE_POINTS;
		if (CHECK(lanewise_text_chunker_begin(room.scratch, text, n, &options, &chunker, NULL) == LANEWISE_OK))
			while (lanewise_text_chunker_next(chunker, chunks, 64))
				;
	}
}

static void run_repeats(const char *text, size_t n)
{
	lanewise_guard *guard = lanewise_guard_begin(room.scratch, NULL);

	for (size_t at = 0; at < n; at += 1000) {
		lanewise_guard_push(guard, text + at, n - at < 1000 ? n - at : 1000, NULL);
		lanewise_guard_reset(guard);
	}
	lanewise_circular_phrases(text, n, NULL);
}

static void run_words(const char *text, size_t n)
{
	lanewise_words *words = lanewise_words_begin(room.scratch);
	lanewise_word word;
	float out[64];

	lanewise_words_feed(words, text, n);
	while (lanewise_words_next(words, &word))
		;
	lanewise_words_finish(words);
	while (lanewise_words_next(words, &word))
		;
	lanewise_text_embed_f32(text, n, 64, out);
}

static void run_bytes(const char *text, size_t n)
{
	size_t n_out;
	lanewise_template *made;

	lanewise_utf8_valid_prefix(text, n);
	lanewise_utf8_count_range(text, n, 0x4e00, 0x9fff);
	lanewise_base64_decode(text, n, LANEWISE_BASE64_LAX, room.out, room.n_out, &n_out, NULL);
	lanewise_json_escape(text, n, room.out, room.n_out);
	lanewise_normalize(text, n, 31 | LANEWISE_WHITESPACE_UNICODE, room.out, room.n_out, &n_out);
	if (lanewise_template_create(text, n, LANEWISE_TEMPLATE_LITERAL, NULL, &made, NULL) == LANEWISE_OK)
		lanewise_template_destroy(made);
}

static void run_cdc(const char *text, size_t n)
{
	lanewise_cdc_options options;
	size_t n_chunks;

	lanewise_cdc_options_default(&options);
	CHECK(lanewise_cdc_chunks(text, n, &options, room.scratch, room.n_scratch / sizeof(uint64_t), &n_chunks,
	                          NULL) == LANEWISE_OK);
}

static void run_shingles(const char *text, size_t n)
{
	size_t n_shingles;

	lanewise_shingles_chars(text, n, 5, 0, room.scratch, room.n_scratch / sizeof(uint64_t), &n_shingles);
	lanewise_shingles_words(text, n, 3, 0, room.scratch, room.n_scratch / sizeof(uint64_t), &n_shingles);
}

static const struct {
	const char *name;
	run_fn *run;
} jobs[] = {
	{ "json_parse", run_json_parse },
	{ "json_validate", run_json_validate },
	{ "json_repair", run_json_repair },
	{ "json_find", run_json_find },
	{ "json_fences", run_json_fences },
	{ "json_partial", run_json_partial },
	{ "sse", run_sse },
	{ "secrets", run_secrets },
	{ "filter", run_filter },
	{ "classify", run_classify },
	{ "scan", run_scan },
	{ "dedup_lines", run_dedup_lines },
	{ "dedup_blocks", run_dedup_blocks },
	{ "text_chunk", run_text_chunk },
	{ "repeats", run_repeats },
	{ "words", run_words },
	{ "bytes", run_bytes },
	{ "cdc", run_cdc },
	{ "shingles", run_shingles },
};

/* Each is repeated; what is before \x1c comes once, at the beginning. */
static const char *const units[] = {
	"a",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac",
	" ",
	"\n",
	"\xff",
	"\xe4\xb8\xad",
	"[{\"",
	"\"",
	"[",
	"{\"a\":[",
	"\\",
	"\"\\u00e9",
	"{\"a\":1,",
	"[\0341,",
	"{'a': '",
	"/*",
	"[1] ",
	"\"a\" \"",
	"```",
	"```x\n\n",
	"x\n\n",
	"data: a\n",
	"data: {\n\n",
	"<think>",
	"<|begin_of_thinkin",
	"</think",
	"sk-",
	"password=",
	"AKIA",
	"eyJ.",
	"-----BEGIN RSA PRIVATE KEY-----",
	"://",
	"a:AA@",
	"e.g. ",
	"A. ",
	"word ",
	"let me ",
	"{{a}",
	"aaaaaaaaaaaaaaaa.1.exam\"",
};

/* --------------------------------------------------------------- measuring */

static void fill(const char *unit, size_t n)
{
	const char *begin = strchr(unit, '\x1c');
	size_t once = begin ? (size_t)(begin - unit) : 0, from = begin ? once + 1 : 0, length = strlen(unit) - from;

	memcpy(room.text, unit, once);
	for (size_t i = once; i < n; i++)
		room.text[i] = unit[from + (i - once) % length];
}

/* The time for the larger text by that for the smaller, and the larger's. */
static double measure(run_fn *run, uint64_t rounds, double *larger)
{
	double best[2] = { 1e9, 1e9 };

	for (uint64_t round = 0; round < rounds; round++)
		for (int k = 0; k < 2; k++) {
			double begin = seconds();

			run(room.text, k ? room.n : room.n / 2);
			best[k] = seconds() - begin < best[k] ? seconds() - begin : best[k];
		}
	*larger = best[1];
	return best[1] / (best[0] > 1e-9 ? best[0] : 1e-9);
}

static void tell(const char *name, const char *unit, double ratio, double larger)
{
	printf("%-14s %5.2f  %8.1f MB/s  ", name, ratio, (double)room.n / larger * 1e-6);
	for (; *unit; unit++)
		printf(isprint((unsigned char)*unit) ? "%c" : "\\x%02x", (unsigned char)*unit);
	putchar('\n');
}

int main(int argc, char **argv)
{
	static const char *const options[] = { "--kibibytes", "--percent", "--rounds", "--verbose", NULL };

	check_options(argc, argv, options, usage);
	room.n = (size_t)number_option(argc, argv, "--kibibytes", 32) << 11;

	double limit = (double)number_option(argc, argv, "--percent", 350) / 100, worst = 0;
	uint64_t rounds = number_option(argc, argv, "--rounds", 3), verbose = number_option(argc, argv, "--verbose", 0);

	room.n_out = lanewise_json_repair_bound(room.n + 16);
	room.n_scratch = (room.n + 4096) * sizeof(lanewise_json_node) + (2 << 20) + 8 * room.n;
	if (lanewise_json_partial_size(&(lanewise_json_partial_options) {
	            .struct_size = sizeof(lanewise_json_partial_options), .max_bytes = room.n }) > room.n_scratch)
		room.n_scratch = lanewise_json_partial_size(&(lanewise_json_partial_options) {
		        .struct_size = sizeof(lanewise_json_partial_options), .max_bytes = room.n });
	room.text = malloc(room.n);
	room.out = malloc(room.n_out);
	room.scratch = malloc(room.n_scratch);
	if (!room.text || !room.out || !room.scratch)
		return 1;
	for (size_t j = 0; j < sizeof jobs / sizeof *jobs; j++) {
		double most = 0;

		for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
			double larger, ratio;

			fill(units[u], room.n);
			ratio = measure(jobs[j].run, rounds, &larger);
			for (int again = 0; again < 4 && ratio > limit && larger > 1e-4; again++)
				ratio = measure(jobs[j].run, 3 * rounds, &larger);
			if (!CHECK(ratio <= limit || larger <= 1e-4) || verbose)
				tell(jobs[j].name, units[u], ratio, larger);
			most = ratio > most && larger > 1e-4 ? ratio : most;
		}
		printf("%-14s at most %.2f\n", jobs[j].name, most);
		fflush(stdout);
		worst = most > worst ? most : worst;
	}
	printf("twice the text takes at most %.2f times as long\n", worst);
	free(room.text);
	free(room.out);
	free(room.scratch);
	return test_result();
}
