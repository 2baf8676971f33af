/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files scanned, some at once. Each is read in pieces, of which only what the library holds back is kept, so that a file
 * may be larger than memory. What a file prints waits until those before it are printed; if it is much, its thread does.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lanewise/hash.h>

#include "json.h"
#include "scan.h"
#include "utf8.h"

enum { BINARY_BYTES = 8192, N_FOUND = 256, PIECE = 1 << 18, MUCH = 1 << 20, FILES_AHEAD = 1024 };

struct worker {
	struct scan_run *run;
	pthread_t thread;
	void *scratch;
	uint64_t *counts;
	int any;

	size_t file;        /* its number */
	const char *path;   /* as it is printed */
	struct buffer text; /* from `base` on in the file */
	uint64_t base;
	lanewise_place place;
	FILE *out; /* to `output` */
	char *output;
	size_t n_output;
};

int scan_read_file(const char *path, struct buffer *text)
{
	int standard = strcmp(path, "-") == 0, fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	do {
		tool_check_signals();
		n = read(fd, buffer_reserve(text, PIECE), PIECE);
		if (n > 0)
			text->n += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));

	int error = errno;

	if (!standard)
		close(fd);
	errno = error;
	return n == 0;
}

/* As tool_check_signals, for threads: one of them ends the process. */
static void check_signals(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&mutex);
	tool_check_signals();
	pthread_mutex_unlock(&mutex);
}

/* ----------------------------------------------------------------- output */

static void reset_output(struct worker *w)
{
	rewind(w->out);
	w->n_output = 0;
}

/* Prints what there is, when it is the file's turn. */
static void print_early(struct worker *w)
{
	struct scan_run *run = w->run;

	pthread_mutex_lock(&run->mutex);
	while (run->turn != w->file)
		pthread_cond_wait(&run->turned, &run->mutex);
	pthread_mutex_unlock(&run->mutex);
	fflush(w->out);
	fwrite(w->output, 1, w->n_output, stdout);
	reset_output(w);
}

/* The file is done; what waits for nothing any more is printed. */
static void end_file(struct worker *w)
{
	struct scan_run *run = w->run;
	struct scan_file *file = &run->files[w->file];

	fflush(w->out);
	if (w->n_output > 0) {
		file->output = tool_allocate(w->n_output, 1);
		memcpy(file->output, w->output, w->n_output);
		file->n_output = w->n_output;
	}
	reset_output(w);
	pthread_mutex_lock(&run->mutex);
	file->done = 1;
	for (; run->turn < run->n_files && run->files[run->turn].done; run->turn++) {
		struct scan_file *next = &run->files[run->turn];

		if (next->n_output)
			fwrite(next->output, 1, next->n_output, stdout);
		free(next->output);
		next->output = NULL;
	}
	pthread_cond_broadcast(&run->turned);
	pthread_mutex_unlock(&run->mutex);
}

/* --------------------------------------------------------------- findings */

static void move_place(struct worker *w, uint64_t offset)
{
	const char *text = w->text.data + (w->place.offset - w->base);
	size_t n = (size_t)(offset - w->place.offset);
	uint64_t n_lines = 0;
	const char *last;

	for (size_t i = 0; i < n; i++)
		n_lines += text[i] == '\n';
	w->place.line += n_lines;
	if (n_lines && (last = memrchr(text, '\n', n)))
		w->place.line_begin = w->place.offset + (uint64_t)(last - text) + 1;
	w->place.offset = offset;
}

static uint64_t fingerprint_of(const struct worker *w, uint64_t begin, uint64_t end, size_t kind)
{
	const char *name = lanewise_secrets_rule_name(w->run->secrets, kind);
	uint64_t seed = lanewise_xxh3_64(name, strlen(name), 0);

	return lanewise_xxh3_64(w->text.data + (begin - w->base), (size_t)(end - begin), seed) >> 16;
}

static int is_known(const struct scan_run *run, uint64_t fingerprint)
{
	size_t low = 0, high = run->n_known;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (run->known[middle] < fingerprint)
			low = middle + 1;
		else
			high = middle;
	}
	return low < run->n_known && run->known[low] == fingerprint;
}

static void print_json(const struct worker *w, uint64_t n_bytes, size_t kind, uint64_t fingerprint)
{
	const struct scan_run *run = w->run;
	const char *type = run->secrets ? lanewise_secrets_rule_name(run->secrets, kind) : run->patterns[kind].bytes;
	size_t n = run->secrets ? strlen(type) : run->patterns[kind].n_bytes;

	fputs("{\"path\": ", w->out);
	json_write_string(w->out, w->path, strlen(w->path));
	fprintf(w->out,
	        ", \"line\": %" PRIu64 ", \"column\": %" PRIu64 ", \"offset\": %" PRIu64 ", \"bytes\": %" PRIu64
	        ", \"%s\": ",
	        w->place.line, w->place.offset - w->place.line_begin + 1, w->place.offset, n_bytes,
	        run->secrets ? "type" : "pattern");
	json_write_string(w->out, type, n);
	if (run->fingerprints)
		fprintf(w->out, ", \"fingerprint\": \"%012llx\"", (unsigned long long)fingerprint);
	fputs("}\n", w->out);
}

static void print_finding(const struct worker *w, size_t kind, uint64_t fingerprint)
{
	const struct scan_run *run = w->run;

	if (run->fingerprints)
		fprintf(w->out, "%012llx ", (unsigned long long)fingerprint);
	utf8_print_line(w->out, w->path, strlen(w->path), 0);
	fprintf(w->out, ":%" PRIu64 ":%" PRIu64 ":", w->place.line, w->place.offset - w->place.line_begin + 1);
	if (run->secrets)
		fputs(lanewise_secrets_rule_name(run->secrets, kind), w->out);
	else
		utf8_print_line(w->out, run->patterns[kind].bytes, run->patterns[kind].n_bytes, 0);
	fputc('\n', w->out);
}

static void report(struct worker *w, uint64_t begin, uint64_t end, size_t kind)
{
	const struct scan_run *run = w->run;
	uint64_t fingerprint = 0;

	if (run->fingerprints || run->n_known)
		fingerprint = fingerprint_of(w, begin, end, kind);
	if (run->n_known && is_known(run, fingerprint))
		return;
	w->any = 1;
	w->counts[kind]++;
	if (run->count)
		return;
	move_place(w, begin);
	if (run->json)
		print_json(w, end - begin, kind, fingerprint);
	else
		print_finding(w, kind, fingerprint);
}

/* ------------------------------------------------------------------ texts */

static uint64_t find_secrets(struct worker *w, lanewise_secrets_stream *stream)
{
	lanewise_secret found[N_FOUND];

	for (size_t n; (n = lanewise_secrets_stream_next(stream, found, N_FOUND)) > 0;)
		for (size_t i = 0; i < n; i++)
			report(w, found[i].begin, found[i].end, found[i].rule);
	return lanewise_secrets_stream_safe(stream);
}

static uint64_t write_masked(struct worker *w, lanewise_secrets_stream *stream)
{
	char out[1 << 14];

	for (size_t n; (n = lanewise_secrets_stream_mask(stream, out, sizeof out)) > 0;) {
		fwrite(out, 1, n, w->out);
		if (ftello(w->out) > MUCH)
			print_early(w);
	}
	w->any = 1;
	return lanewise_secrets_stream_safe(stream);
}

static uint64_t find_patterns(struct worker *w, lanewise_scan *scan)
{
	lanewise_match found[N_FOUND];

	for (size_t n; (n = lanewise_scan_next(scan, found, N_FOUND)) > 0;)
		for (size_t i = 0; i < n; i++)
			report(w, found[i].begin, found[i].end, found[i].pattern);
	return lanewise_scan_safe(scan);
}

/* A search of either kind, under way. */
struct search {
	lanewise_secrets_stream *secrets;
	lanewise_scan *scan;
};

static struct search begin_search(struct worker *w)
{
	const struct scan_run *run = w->run;
	lanewise_mask_options mask = { .struct_size = sizeof mask, .replace = run->redact };
	lanewise_scan_options options = { sizeof options, LANEWISE_SCAN_LEFTMOST_LONGEST, run->word };
	struct search search = { NULL, NULL };

	if (run->secrets)
		search.secrets = lanewise_secrets_stream_begin(run->secrets, &mask, w->scratch);
	else
		search.scan = lanewise_scan_begin(run->set, &options, w->scratch);
	return search;
}

/* The next piece, or, if it is NULL, the end; text before the offset that is returned is done with. */
static uint64_t search_piece(struct worker *w, const struct search *search, const char *piece, size_t n)
{
	if (search->scan) {
		piece ? lanewise_scan_feed(search->scan, piece, n) : lanewise_scan_finish(search->scan);
		return find_patterns(w, search->scan);
	}
	if (piece)
		lanewise_secrets_stream_feed(search->secrets, piece, n);
	else
		lanewise_secrets_stream_finish(search->secrets);
	return w->run->mask || w->run->redact ? write_masked(w, search->secrets) : find_secrets(w, search->secrets);
}

/* Gives up the text before `offset`. */
static void give_up(struct worker *w, uint64_t offset)
{
	const struct scan_run *run = w->run;
	size_t n = (size_t)(offset - w->base);

	if (run->mask || run->redact || run->count)
		w->place.offset = offset;
	else if (w->place.offset < offset)
		move_place(w, offset);
	if (n > 0 && w->text.n > n)
		memmove(w->text.data, w->text.data + n, w->text.n - n);
	w->text.n -= n;
	w->base = offset;
}

static int is_binary(const struct worker *w, const char *piece, size_t n)
{
	uint64_t at = w->base + w->text.n;
	size_t looked_at = at >= BINARY_BYTES ? 0 : BINARY_BYTES - (size_t)at;

	return !w->run->binary && looked_at && memchr(piece, '\0', looked_at < n ? looked_at : n);
}

/* 0, and errno, if the file cannot be read. */
static int scan_text(struct worker *w, int fd, int named)
{
	struct search search = begin_search(w);
	int live = fd == STDIN_FILENO;
	ssize_t n;

	w->text.n = 0;
	w->base = 0;
	w->place = (lanewise_place) { 0, 1, 0 };
	for (;;) {
		char *piece = buffer_reserve(&w->text, PIECE);

		check_signals();
		n = read(fd, piece, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (is_binary(w, piece, (size_t)n)) {
			if (named)
				tool_note("%s: a binary file is passed over (not with --binary)", w->path);
			return 1;
		}
		w->text.n += (size_t)n;
		give_up(w, search_piece(w, &search, piece, (size_t)n));
		if (live || ftello(w->out) > MUCH)
			print_early(w);
		if (live)
			fflush(stdout);
		if (ferror(stdout))
			return 1; /* nobody reads on; main says why */
	}
	if (n < 0)
		return 0;
	search_piece(w, &search, NULL, 0);
	if (search.secrets && lanewise_secrets_stream_n_undecided(search.secrets))
		scan_undecided(w->run, w->path, lanewise_secrets_stream_n_undecided(search.secrets));
	return 1;
}

static void scan_file(struct worker *w)
{
	const struct scan_file *file = &w->run->files[w->file];
	int standard = strcmp(file->path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(file->path, O_RDONLY | O_CLOEXEC);

	w->path = standard ? "stdin" : file->path;
	if (fd < 0 || !scan_text(w, fd, file->named))
		scan_trouble(w->run, w->path);
	if (fd >= 0 && !standard)
		close(fd);
	end_file(w);
}

/* ---------------------------------------------------------------- threads */

/* The next file's number; SIZE_MAX if there is none. */
static size_t next_file(struct scan_run *run)
{
	size_t file;

	pthread_mutex_lock(&run->mutex);
	while (run->next_file < run->n_files && run->next_file > run->turn + FILES_AHEAD)
		pthread_cond_wait(&run->turned, &run->mutex);
	file = run->next_file < run->n_files && !ferror(stdout) ? run->next_file++ : SIZE_MAX;
	pthread_mutex_unlock(&run->mutex);
	return file;
}

static void *work(void *context)
{
	struct worker *w = context;
	struct scan_run *run = w->run;

	w->scratch = tool_allocate(run->scratch_bytes, 1);
	w->counts = tool_allocate(run->n_kinds, sizeof *w->counts);
	memset(w->counts, 0, run->n_kinds * sizeof *w->counts);
	w->out = open_memstream(&w->output, &w->n_output);
	if (!w->out)
		tool_fail("out of memory");
	while ((w->file = next_file(run)) != SIZE_MAX)
		scan_file(w);
	pthread_mutex_lock(&run->mutex);
	for (size_t i = 0; i < run->n_kinds; i++)
		run->counts[i] += w->counts[i];
	run->any |= w->any;
	pthread_mutex_unlock(&run->mutex);
	fclose(w->out);
	free(w->output);
	free(w->counts);
	free(w->scratch);
	buffer_free(&w->text);
	return NULL;
}

void scan_all(struct scan_run *run)
{
	size_t n = run->n_threads < run->n_files ? run->n_threads : run->n_files, n_begun = 1;
	struct worker *workers = tool_allocate(n ? n : 1, sizeof *workers);

	for (size_t i = 0; i < n; i++)
		workers[i] = (struct worker) { .run = run };
	while (n_begun < n && pthread_create(&workers[n_begun].thread, NULL, work, &workers[n_begun]) == 0)
		n_begun++; /* fewer threads than were wanted do as well */
	if (n > 0)
		work(&workers[0]);
	for (size_t i = 1; i < n_begun; i++)
		pthread_join(workers[i].thread, NULL);
	free(workers);
}
