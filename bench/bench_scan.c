/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/scan.h: counting the matches of sets of patterns.
 *
 * Made text is there on every machine: the words of a small list, so that letters and pairs of letters have about their
 * usual frequencies; patterns are other words, which occur seldom.
 *
 * Real text is prose (the definitions of Debian's wordnet-base) and code (headers and Python files of the system), where
 * they are installed; patterns are the files p*.txt, one a line, of the directory that the environment variable
 * LANEWISE_BENCH_PATTERNS names.
 *
 * Peers count overlapping matches too.
 *
 * Texts of near misses, patterns of which one byte is another, are the worst for what looks for parts of patterns first.
 *
 * Streams: a text in pieces of 64 KiB beside the whole, and in pieces of 1 to 8 bytes, as language models give it.
 *
 * lanewise/classify.h: short texts put into classes by 70 keywords, ten of which occur often; beside it the same keyword by
 * keyword, each searched for with memmem.
 */
#include "harness.h"
#include "scan_text.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PATTERNS = 20000, MAX_FILE_PATTERNS = 5000 };

static const char *const words[] = {
	"the",     "of",      "and",      "to",      "in",     "that",   "was",    "his",      "with",    "as",
	"for",     "had",     "you",      "not",     "be",     "her",    "is",     "at",       "on",      "which",
	"have",    "from",    "all",      "this",    "were",   "but",    "they",   "would",    "there",   "been",
	"could",   "when",    "their",    "more",    "little", "before", "should", "through",  "morning", "against",
	"nothing", "whether", "question", "country", "window", "answer", "silver", "gathered", "value",   "exactly",
};

enum { N_WORDS = sizeof words / sizeof *words };

struct scan_job {
	lanewise_scan_set *set;
	void *scratch, *peer_set;
	const struct bench_peer *peer;
	const char *text;
	size_t n_bytes;
	float *count;
};

static void run_scan(void *context)
{
	const struct scan_job *job = context;
	uint64_t count = 0;

	if (job->peer)
		count = job->peer->scan_count(job->peer_set, job->text, job->n_bytes);
	else
		lanewise_scan_count(job->set, NULL, job->text, job->n_bytes, job->scratch, &count);
	*job->count = (float)count;
}

void bench_fill_made(char *text, size_t n)
{
	uint64_t seed = 3;
	size_t at = 0;

	while (at < n) {
		const char *word = words[bench_random(&seed) % N_WORDS];
		size_t length = strlen(word);

		if (bench_random(&seed) % 12 == 0 && at < n)
			text[at++] = "\n,.;<"[bench_random(&seed) % 5];
		for (size_t i = 0; i < length && at < n; i++)
			text[at++] = word[i];
		if (at < n)
			text[at++] = ' ';
	}
}

/* Words made of the first half of one and the second half of another, so that near misses are frequent. */
static void make_words(char (*bytes)[16], lanewise_pattern *patterns, size_t n)
{
	uint64_t seed = 7;

	for (size_t i = 0; i < n; i++) {
		const char *a = words[N_WORDS / 2 + bench_random(&seed) % (N_WORDS / 2)];
		const char *b = words[N_WORDS / 2 + bench_random(&seed) % (N_WORDS / 2)];
		size_t half = strlen(a) / 2, rest = strlen(b) - strlen(b) / 2;

		memcpy(bytes[i], a, half);
		bytes[i][half] = (char)('a' + bench_random(&seed) % 26);
		memcpy(bytes[i] + half + 1, b + strlen(b) / 2, rest);
		patterns[i] = (lanewise_pattern) { bytes[i], half + 1 + rest };
	}
}

typedef void fill_fn(char *text, size_t n);

static void bench_set(struct bench *bench, enum bench_size size, fill_fn *fill, const char *what,
                      const lanewise_pattern *patterns, size_t n_patterns)
{
	struct bench_case *c = bench_case_begin(bench, "scan_candidates", size, "byte");

	if (!c)
		return;

	size_t n = bench_size_bytes(bench, size);
	char *text = bench_alloc(n);
	float count = 0;
	struct scan_job ours = { .text = text, .n_bytes = n, .count = &count }, jobs[BENCH_MAX_PEERS];

	fill(text, n);
	snprintf(c->workload, sizeof c->workload, "%s, %zu KiB", what, n / 1024);
	c->units = c->bytes = (double)n;
	c->out = &count;
	c->n_out = 1;
	if (lanewise_scan_set_create(patterns, n_patterns, NULL, NULL, &ours.set, NULL) != LANEWISE_OK)
		abort();
	ours.scratch = bench_alloc(lanewise_scan_scratch_size(ours.set));
	bench_add_tiers(c, "scan_candidates", run_scan, &ours);
	for (size_t i = 0; i < bench->n_peers; i++) {
		jobs[i] = ours;
		jobs[i].peer = bench->peer[i];
		if (!jobs[i].peer->scan_create)
			continue;
		jobs[i].peer_set = jobs[i].peer->scan_create(patterns, n_patterns);
		if (jobs[i].peer_set)
			bench_add(c, BENCH_PEER, jobs[i].peer->name, run_scan, &jobs[i]);
	}
	bench_case_run(c);
	for (size_t i = 0; i < bench->n_peers; i++)
		if (bench->peer[i]->scan_create && jobs[i].peer_set)
			bench->peer[i]->scan_destroy(jobs[i].peer_set);
	lanewise_scan_set_destroy(ours.set);
	bench_free(ours.scratch);
	bench_free(text);
}

/* -------------------------------------------------------------- real text */

/* Files are gathered into this, as much as fits. */
static struct {
	char *text;
	size_t n, capacity;
	const char *endings; /* of the names of files that count, each with a space before and behind it */
	int definitions;     /* only what stands behind the first '|' of each line */
} gathered;

static void gather(const char *bytes, size_t n)
{
	if (n > gathered.capacity - gathered.n)
		n = gathered.capacity - gathered.n;
	memcpy(gathered.text + gathered.n, bytes, n);
	gathered.n += n;
}

static int gather_file(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	char ending[16], *line = NULL;
	const char *dot = strrchr(path, '.');
	size_t room = 0;
	FILE *file;

	(void)status, (void)where;
	if (kind != FTW_F || !dot || (size_t)snprintf(ending, sizeof ending, " %s ", dot) >= sizeof ending ||
	    !strstr(gathered.endings, ending) || !(file = fopen(path, "r")))
		return 0;
	for (ssize_t n; gathered.n < gathered.capacity && (n = getline(&line, &room, file)) > 0;) {
		const char *bar = gathered.definitions ? memchr(line, '|', (size_t)n) : line;

		if (bar)
			gather(bar, (size_t)(line + n - bar));
	}
	free(line);
	fclose(file);
	return gathered.n == gathered.capacity;
}

/* Whatever there is, repeated where it is not enough. */
static void repeat(char *text, size_t n, size_t n_there)
{
	for (size_t at = n_there; n_there && at < n; at += n_there)
		memcpy(text + at, text, n - at < n_there ? n - at : n_there);
}

void bench_fill_prose(char *text, size_t n)
{
	memset(&gathered, 0, sizeof gathered);
	gathered.text = text;
	gathered.capacity = n;
	gathered.endings = " .noun .verb .adj .adv ";
	gathered.definitions = 1;
	nftw("/usr/share/wordnet", gather_file, 16, FTW_PHYS);
	repeat(text, n, gathered.n);
}

void bench_fill_code(char *text, size_t n)
{
	memset(&gathered, 0, sizeof gathered);
	gathered.text = text;
	gathered.capacity = n / 2;
	gathered.endings = " .py ";
	nftw("/usr/lib/python3", gather_file, 16, FTW_PHYS);
	nftw("/usr/lib/python3.11", gather_file, 16, FTW_PHYS);
	gathered.capacity = n;
	gathered.endings = " .h .hpp ";
	nftw("/usr/include", gather_file, 16, FTW_PHYS);
	repeat(text, n, gathered.n);
}

/* The lines of a file, which is `*text` afterwards; how many, 0 if it is not there. */
static size_t read_patterns(const char *directory, const char *name, char **text, lanewise_pattern *patterns)
{
	char path[512];
	size_t n = 0, room = 0;
	ssize_t n_bytes;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s.txt", directory, name);
	file = fopen(path, "r");
	if (!file)
		return 0;
	n_bytes = getdelim(text, &room, 0, file);
	fclose(file);
	for (char *at = *text, *end = at + (n_bytes > 0 ? n_bytes : 0); at < end && n < MAX_FILE_PATTERNS;) {
		char *line_end = memchr(at, '\n', (size_t)(end - at));

		if (!line_end)
			line_end = end;
		if (line_end > at)
			patterns[n++] = (lanewise_pattern) { at, (size_t)(line_end - at) };
		at = line_end + 1;
	}
	return n;
}

static void bench_files(struct bench *bench, enum bench_size size)
{
	static const char *const names[] = { "p4think", "p12secret", "p20short", "p50",
		                             "p500",    "p500dom",   "p5000",    "p5000dom" };
	static lanewise_pattern patterns[MAX_FILE_PATTERNS];
	const char *directory = getenv("LANEWISE_BENCH_PATTERNS");

	for (size_t i = 0; directory && i < sizeof names / sizeof *names; i++) {
		char what[32], *text = NULL;
		size_t n = read_patterns(directory, names[i], &text, patterns);

		snprintf(what, sizeof what, "prose, %s", names[i]);
		if (n)
			bench_set(bench, size, bench_fill_prose, what, patterns, n);
		snprintf(what, sizeof what, "code, %s", names[i]);
		if (n)
			bench_set(bench, size, bench_fill_code, what, patterns, n);
		free(text);
	}
}

/* ------------------------------------------------------------ near misses */

static const lanewise_pattern *near_patterns;
static size_t n_near_patterns;

static void fill_near_misses(char *text, size_t n)
{
	uint64_t seed = 11;

	for (size_t at = 0; at < n;) {
		const lanewise_pattern *p = &near_patterns[bench_random(&seed) % n_near_patterns];
		size_t length = p->n_bytes < n - at ? p->n_bytes : n - at;

		memcpy(text + at, p->bytes, length);
		text[bench_random(&seed) % 2 ? at : at + length - 1] ^= 1;
		at += length;
	}
}

static void bench_near_misses(struct bench *bench, enum bench_size size, const char *what,
                              const lanewise_pattern *patterns, size_t n)
{
	near_patterns = patterns;
	n_near_patterns = n;
	bench_set(bench, size, fill_near_misses, what, patterns, n);
}

/* ----------------------------------------------------------------- streams */

struct stream_job {
	struct scan_job scan;
	size_t piece; /* bytes; 0: 1 to 8 */
};

static void run_stream(void *context)
{
	const struct stream_job *job = context;
	lanewise_scan *scan = lanewise_scan_begin(job->scan.set, NULL, job->scan.scratch);
	lanewise_match matches[64];
	uint64_t count = 0, seed = 5;

	for (size_t at = 0, n; at < job->scan.n_bytes; at += n) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		n = job->piece ? job->piece : 1 + (seed >> 61);
		n = n < job->scan.n_bytes - at ? n : job->scan.n_bytes - at;
		lanewise_scan_feed(scan, job->scan.text + at, n);
		for (size_t k; (k = lanewise_scan_next(scan, matches, 64)) > 0;)
			count += k;
	}
	lanewise_scan_finish(scan);
	for (size_t k; (k = lanewise_scan_next(scan, matches, 64)) > 0;)
		count += k;
	*job->scan.count = (float)count;
}

enum { AT_ONCE = 64 };

static void run_pieces(void *context)
{
	const struct stream_job *job = context;
	lanewise_scan *scan = lanewise_scan_begin(job->scan.set, NULL, job->scan.scratch);
	lanewise_scan_piece pieces[AT_ONCE];
	lanewise_match matches[64];
	uint64_t count = 0, seed = 5;

	for (size_t at = 0; at < job->scan.n_bytes;) {
		size_t n = 0;

		for (; n < AT_ONCE && at < job->scan.n_bytes; at += pieces[n++].n_bytes) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;

			size_t size = 1 + (seed >> 61), left = job->scan.n_bytes - at;

			pieces[n] = (lanewise_scan_piece) { job->scan.text + at, size < left ? size : left };
		}
		for (size_t i = 0; i < n;) {
			i += lanewise_scan_feed_pieces(scan, pieces + i, n - i);
			for (size_t k; (k = lanewise_scan_next(scan, matches, 64)) > 0;)
				count += k;
		}
	}
	lanewise_scan_finish(scan);
	for (size_t k; (k = lanewise_scan_next(scan, matches, 64)) > 0;)
		count += k;
	*job->scan.count = (float)count;
}

/* In pieces of 64 KiB or, if `piece` is 0, of 1 to 8 bytes, in one call for each or for AT_ONCE. */
static void bench_stream(struct bench *bench, enum bench_size size, size_t piece, int at_once, const char *what,
                         const lanewise_pattern *patterns, size_t n_patterns)
{
	struct bench_case *c = bench_case_begin(bench, "scan_stream", size, piece ? "byte" : "feed");
	size_t n = bench_size_bytes(bench, size);
	float count = 0;
	struct stream_job job = { .scan = { .n_bytes = n, .count = &count }, .piece = piece };
	char *text;

	if (!c)
		return;
	job.scan.text = text = bench_alloc(n);
	bench_fill_made(text, n);
	snprintf(c->workload, sizeof c->workload, "%s in pieces of %s", what,
	         piece     ? "64 KiB"
	         : at_once ? "1-8 bytes, 64 a call"
	                   : "1-8 bytes");
	c->bytes = (double)n;
	c->units = piece ? (double)n : (double)n / 4.5;
	c->out = &count;
	c->n_out = 1;
	if (lanewise_scan_set_create(patterns, n_patterns, NULL, NULL, &job.scan.set, NULL) != LANEWISE_OK)
		abort();
	job.scan.scratch = bench_alloc(lanewise_scan_scratch_size(job.scan.set));
	bench_add_tiers(c, "scan_candidates", at_once ? run_pieces : run_stream, &job);
	bench_add(c, BENCH_REFERENCE, "whole", run_scan, &job.scan);
	bench_case_run(c);
	lanewise_scan_set_destroy(job.scan.set);
	bench_free(job.scan.scratch);
	bench_free(text);
}

/* --------------------------------------------------------------- classify */

enum { TEXT_BYTES = 300, KEYWORDS = 70, NEGATIONS = 2, CLASSES = 5, MAX_FOUND = TEXT_BYTES };

struct classify_job {
	lanewise_classifier *classifier;
	lanewise_keyword keywords[KEYWORDS];
	lanewise_pattern negations[NEGATIONS];
	lanewise_classifier_options options;
	void *scratch;
	const char *text;
	uint64_t *offsets;
	size_t n_texts;
	int32_t *best;
	float *out;
};

static void run_classify(void *context)
{
	const struct classify_job *job = context;

	lanewise_classify_batch(job->classifier, job->text, job->offsets, job->offsets + 1, job->n_texts, job->scratch,
	                        NULL, job->best);
	for (size_t i = 0; i < job->n_texts; i++)
		job->out[i] = (float)job->best[i];
}

static int is_word_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Where the next whole word that equals `word` begins, from `at`; SIZE_MAX if there is none. */
static size_t next_word(const char *text, size_t at, const void *word, size_t n)
{
	const char *found;

	while (at < TEXT_BYTES && (found = memmem(text + at, TEXT_BYTES - at, word, n))) {
		size_t begin = (size_t)(found - text), end = begin + n;

		if (!(begin > 0 && is_word_byte(text[begin - 1])) && !(end < TEXT_BYTES && is_word_byte(text[end])))
			return begin;
		at = begin + 1;
	}
	return SIZE_MAX;
}

static float classify_plainly(const struct classify_job *job, const char *text)
{
	const lanewise_classifier_options *o = &job->options;
	double score[CLASSES] = { 0 }, total = 0;
	size_t negation[MAX_FOUND], n_negations = 0, best = 0;

	for (size_t i = 0; i < NEGATIONS; i++)
		for (size_t at = 0;
		     (at = next_word(text, at, job->negations[i].bytes, job->negations[i].n_bytes)) != SIZE_MAX; at++)
			negation[n_negations++] = at;
	for (size_t i = 0; i < KEYWORDS; i++) {
		const lanewise_keyword *k = &job->keywords[i];

		for (size_t at = 0; (at = next_word(text, at, k->bytes, k->n_bytes)) != SIZE_MAX; at++) {
			int negated = 0;

			for (size_t j = 0; j < n_negations; j++)
				negated |= negation[j] < at && at - negation[j] <= o->negation_window;
			score[k->class_index] +=
			        k->weight *
			        (negated ? o->negated_factor : 1 + o->position_bonus * (1 - (double)at / TEXT_BYTES));
		}
	}
	for (size_t i = 0; i < CLASSES; i++)
		total += score[i] > 0 ? score[i] : 0;
	for (size_t i = 1; i < CLASSES; i++)
		best = score[i] > score[best] ? i : best;
	return score[best] > 0 && score[best] >= total * o->min_confidence ? (float)best : LANEWISE_CLASS_NONE;
}

static void run_plain_classify(void *context)
{
	const struct classify_job *job = context;

	for (size_t i = 0; i < job->n_texts; i++)
		job->out[i] = classify_plainly(job, job->text + job->offsets[i]);
}

static void make_classifier(struct classify_job *job, const lanewise_pattern *rare)
{
	lanewise_classifier_rules rules = { .struct_size = sizeof rules,
		                            .keywords = job->keywords,
		                            .n_keywords = KEYWORDS,
		                            .negations = job->negations,
		                            .n_negations = NEGATIONS,
		                            .n_classes = CLASSES };

	for (uint32_t i = 0; i < KEYWORDS; i++) {
		const char *word = words[N_WORDS - 1 - i % 10];
		lanewise_pattern text = i < 10 ? (lanewise_pattern) { word, strlen(word) } : rare[i];

		job->keywords[i] = (lanewise_keyword) { text.bytes, text.n_bytes, 0.5 + 0.01 * i, i % CLASSES };
	}
	job->negations[0] = (lanewise_pattern) { "not", 3 };
	job->negations[1] = (lanewise_pattern) { "nothing", 7 };
	job->options = lanewise_classifier_defaults();
	job->options.match_case = 1;
	if (lanewise_classifier_create(&rules, &job->options, NULL, &job->classifier, NULL) != LANEWISE_OK)
		abort();
	job->scratch = bench_alloc(lanewise_classify_scratch_size(job->classifier));
}

static void bench_classify(struct bench *bench, enum bench_size size, const lanewise_pattern *rare)
{
	struct bench_case *c = bench_case_begin(bench, "classify", size, "text");
	struct classify_job job = { .n_texts = bench_size_bytes(bench, size) / TEXT_BYTES };
	char *text;

	if (!c)
		return;
	job.text = text = bench_alloc(job.n_texts * TEXT_BYTES);
	job.offsets = bench_alloc((job.n_texts + 1) * sizeof *job.offsets);
	job.best = bench_alloc(job.n_texts * sizeof *job.best);
	job.out = bench_alloc(job.n_texts * sizeof *job.out);
	bench_fill_made(text, job.n_texts * TEXT_BYTES);
	for (size_t i = 0; i <= job.n_texts; i++)
		job.offsets[i] = i * TEXT_BYTES;
	make_classifier(&job, rare);
	snprintf(c->workload, sizeof c->workload, "%d keywords, %zu texts of %d bytes", KEYWORDS, job.n_texts,
	         TEXT_BYTES);
	c->units = (double)job.n_texts;
	c->bytes = (double)(job.n_texts * TEXT_BYTES);
	c->out = job.out;
	c->n_out = job.n_texts;
	bench_add_tiers(c, "scan_candidates", run_classify, &job);
	bench_add(c, BENCH_PEER, "keyword by keyword", run_plain_classify, &job);
	bench_case_run(c);
	lanewise_classifier_destroy(job.classifier);
	bench_free(job.scratch);
	bench_free(job.out);
	bench_free(job.best);
	bench_free(job.offsets);
	bench_free(text);
}

/* ------------------------------------------------------------------- cases */

#define PATTERN(text) { text, sizeof text - 1 }

void bench_scan(struct bench *bench)
{
	static const lanewise_pattern one[] = { PATTERN("Sherlock Holmes") };
	static const lanewise_pattern tags[] = { PATTERN("<think>"), PATTERN("</think>"), PATTERN("<thinking>"),
		                                 PATTERN("</thinking>") };
	static const lanewise_pattern secrets[] = {
		PATTERN("AKIA"),        PATTERN("ASIA"),       PATTERN("ghp_"),  PATTERN("gho_"),
		PATTERN("sk-"),         PATTERN("sk_live_"),   PATTERN("xoxb-"), PATTERN("xoxp-"),
		PATTERN("github_pat_"), PATTERN("-----BEGIN"), PATTERN("eyJ"),   PATTERN("AIza"),
	};
	static char bytes[MAX_PATTERNS][16];
	static lanewise_pattern many[MAX_PATTERNS];

	make_words(bytes, many, MAX_PATTERNS);
	for (enum bench_size size = BENCH_L2; size < BENCH_SIZES; size++) {
		bench_set(bench, size, bench_fill_made, "one literal", one, 1);
		bench_set(bench, size, bench_fill_made, "4 tags", tags, 4);
		bench_set(bench, size, bench_fill_made, "12 secret prefixes", secrets, 12);
		bench_set(bench, size, bench_fill_made, "50 words", many, 50);
		bench_set(bench, size, bench_fill_made, "500 words", many, 500);
		bench_set(bench, size, bench_fill_made, "20,000 words", many, 20000);
		bench_near_misses(bench, size, "near misses of 12 prefixes", secrets, 12);
		bench_near_misses(bench, size, "near misses of 50 words", many, 50);
		bench_near_misses(bench, size, "near misses of 500 words", many, 500);
		bench_stream(bench, size, 1 << 16, 0, "12 secret prefixes", secrets, 12);
		for (int at_once = 0; at_once < 2; at_once++) {
			bench_stream(bench, size, 0, at_once, "12 secret prefixes", secrets, 12);
			bench_stream(bench, size, 0, at_once, "50 words", many, 50);
		}
		bench_secrets(bench, size);
		bench_files(bench, size);
		if (size == BENCH_L2)
			bench_classify(bench, size, many);
	}
}
