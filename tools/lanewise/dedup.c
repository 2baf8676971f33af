/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise dedup: text without the lines or blocks that came before, in its order.
 *
 * The input is read in pieces into one buffer, which holds what the library has not decided about yet. What stays is
 * written in runs, as long as units that stay follow each other. With --near what is left is compared once more (near.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lanewise/dedup.h>
#include <lanewise/near.h>
#include <lanewise/parallel.h>

#include "lines.h"
#include "lines_ahead.h"
#include "near.h"
#include "tool.h"

enum { PIECE_BYTES = 1 << 20, UNITS = 1024, LINE_ENDS = 16 << 10, MAX_THREADS = 256 };

/* Tests have smaller ones. */
#ifndef LINES_PIECE
#define LINES_PIECE     (64 << 10) /* stays in L2 while it is gone through */
#define LINES_FEW_BYTES (1 << 20)  /* are not worth a thread */
#endif

static void print_help(void)
{
	puts("Usage: lanewise dedup [--lines|--blocks] [--near [--files]] [options] [FILE...]\n"
	     "\n"
	     "Writes the FILEs, or standard input (which is also -), without lines or blocks that came before. The "
	     "first\n"
	     "of equal ones stays; the order is kept. Several FILEs are deduplicated together.\n"
	     "\n"
	     "      --lines          line by line, compared as they are (the default)\n"
	     "      --blocks         by paragraphs and ``` fences, compared without regard to the case of A-Z, "
	     "spacing\n"
	     "                       and . , ; : at the end\n"
	     "      --ignore-case    without regard to the case of letters of any script, by Unicode's full "
	     "folding\n"
	     "      --near           also without those that are nearly the same as one that stayed\n"
	     "      --threshold S    how much of their shingles such texts share, above 0 to 1 (0.8)\n"
	     "      --shingle WHAT   chars:N or words:N, the runs of characters or words that are compared (chars:5; "
	     "for\n"
	     "                       whole files words:3); case and spacing do not count\n"
	     "      --files          with --near, compare whole FILEs and write the names of those that stay\n"
	     "      --min-length N   lines or blocks of fewer than N bytes always stay\n"
	     "      --max-length N   those of more than N bytes too (16777216), and as much blank text between "
	     "blocks\n"
	     "      --window N       compare with the last N that stayed only\n"
	     "      --memory N       use about N MiB; when they are full, the oldest are forgotten (with --near they "
	     "get\n"
	     "                       one half; the other is for comparing nearly, where the first are kept)\n"
	     "      --hash           remember 128-bit hashes instead of texts: less memory, but whoever can choose "
	     "the\n"
	     "                       text might make different lines count as equal\n"
	     "      --threads N      with 2 or more, a second thread reads lines ahead (one for each core)\n"
	     "      --count          write how many stayed and how many went, instead of the text\n"
	     "      --dropped FILE   write what went to FILE\n"
	     "      --help           this text\n"
	     "\n"
	     "Exit status: 0 done, 1 an error in the data or the system, 2 wrong usage.");
}

struct dedup {
	lanewise_dedup_options options;
	lanewise_dedup *dedup;
	struct lines *lines; /* in place of `dedup` where they can do it */
	struct near *near;   /* NULL without --near */
	int blocks, files, count_only;
	uint32_t n_threads;
	FILE *dropped;
	const char *dropped_path;

	struct buffer text;        /* the input from offset `text_begin` */
	uint64_t text_begin, read; /* offsets in this input */
	uint64_t decided;          /* up to here all has been written or dropped, or is in the run */
	uint64_t unit_end;         /* of the last unit, with its newline */
	uint64_t run_begin;        /* what stays and is not written yet: [run_begin, decided) */
	uint64_t n_kept, n_dropped, total_read;
	int last_byte; /* written to stdout, or EOF */
};

/* ------------------------------------------------------------------- output */

static void write_span(struct dedup *d, FILE *stream, uint64_t begin, uint64_t end)
{
	const char *p = d->text.data + (begin - d->text_begin);

	if (begin == end)
		return;
	fwrite(p, 1, (size_t)(end - begin), stream);
	if (stream == stdout)
		d->last_byte = (unsigned char)p[end - begin - 1];
}

static void write_run(struct dedup *d)
{
	if (!d->count_only)
		write_span(d, stdout, d->run_begin, d->decided);
	d->run_begin = d->decided;
}

static int is_near_duplicate(const struct dedup *d, const lanewise_dedup_unit *unit)
{
	if (!d->near || unit->flags != 0)
		return 0;
	return near_is_duplicate(d->near, d->text.data + (unit->begin - d->text_begin),
	                         (size_t)(unit->end - unit->begin));
}

/* What stays, whatever it turns out to be part of. */
static void keep_up_to(struct dedup *d, uint64_t end)
{
	if (end > d->decided)
		d->decided = end;
}

/*
 * A line goes with its newline. A block goes with what lies between it and the one before, so that a text without
 * repetition comes out as it was; unless that is more than would fit into the buffer.
 */
static void take_unit(struct dedup *d, const lanewise_dedup_unit *unit)
{
	uint64_t end = unit->end;

	if (!d->blocks && end < d->read)
		end++;
	if (unit->begin - d->unit_end > d->options.max_unit_bytes)
		keep_up_to(d, unit->begin);
	d->unit_end = end;
	if (unit->first == unit->number && !is_near_duplicate(d, unit)) {
		d->n_kept++;
		d->decided = end;
		return;
	}
	d->n_dropped++;
	write_run(d);
	if (d->dropped)
		write_span(d, d->dropped, d->decided, end);
	d->decided = d->run_begin = end;
}

static void take_ready(struct dedup *d)
{
	static lanewise_dedup_unit units[UNITS];
	size_t n;

	do {
		lanewise_status status = lanewise_dedup_next(d->dedup, units, UNITS, &n);

		if (status != LANEWISE_OK)
			tool_fail("dedup: %s", lanewise_status_text(status));
		for (size_t i = 0; i < n; i++)
			take_unit(d, &units[i]);
	} while (n > 0);
	/* Blank text that stays, or a unit that is too long to be compared: it need not be whole to be written. */
	if (lanewise_dedup_settled(d->dedup) - d->unit_end > d->options.max_unit_bytes)
		keep_up_to(d, lanewise_dedup_settled(d->dedup));
	write_run(d);
	tool_check_output();
}

/* -------------------------------------------------------------------- input */

static void forget_decided(struct dedup *d)
{
	size_t n = (size_t)(d->decided - d->text_begin);

	if (n == 0)
		return;
	memmove(d->text.data, d->text.data + n, d->text.n - n);
	d->text.n -= n;
	d->text_begin = d->decided;
}

/* 0 at the end. */
static size_t read_piece(struct dedup *d, int descriptor, const char *path, size_t n_bytes)
{
	char *to = buffer_reserve(&d->text, n_bytes + LINES_SLACK);
	ssize_t n;

	do {
		tool_check_signals();
		n = read(descriptor, to, n_bytes);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		tool_fail("%s: %s", path, strerror(errno));
	d->total_read += (uint64_t)n;
	tool_progress("Bytes read:", d->total_read);
	return (size_t)n;
}

/* Goes through what was read and not fed yet, of an input. */
static void feed_piece(struct dedup *d, size_t n_before)
{
	const char *piece = d->text.data + n_before;
	size_t n = d->text.n - n_before;

	d->read += n;
	lanewise_dedup_feed(d->dedup, piece, n);
	take_ready(d);
	forget_decided(d);
}

static void begin_input(struct dedup *d)
{
	d->text.n = 0;
	d->text_begin = d->read = d->decided = d->run_begin = d->unit_end = 0;
	/* The last line of the input before had no newline. */
	if (d->last_byte != EOF && d->last_byte != '\n') {
		putchar('\n');
		d->last_byte = '\n';
	}
}

static void dedup_rest(struct dedup *d, int descriptor, const char *path)
{
	size_t n;

	while ((n = read_piece(d, descriptor, path, PIECE_BYTES)) > 0) {
		d->text.n += n;
		feed_piece(d, d->text.n - n);
	}
	lanewise_dedup_finish(d->dedup);
	take_ready(d);
	/* What follows the last block: blank lines, or nothing. */
	if (!d->count_only)
		write_span(d, stdout, d->decided, d->read);
	if (lanewise_dedup_next_text(d->dedup) != LANEWISE_OK)
		tool_fail("dedup: out of order"); /* cannot happen */
}

static void dedup_input(struct dedup *d, int descriptor, const char *path)
{
	begin_input(d);
	dedup_rest(d, descriptor, path);
}

/* ----------------------------------------------------- lines without limits */

static void create_dedup(struct dedup *d)
{
	lanewise_error error;

	if (lanewise_dedup_create(&d->options, NULL, &d->dedup, &error) != LANEWISE_OK)
		tool_fail("dedup: %s", error.what);
}

static void learn_ready(struct dedup *d)
{
	static lanewise_dedup_unit units[UNITS];
	size_t n_units;

	do {
		lanewise_status status = lanewise_dedup_next(d->dedup, units, UNITS, &n_units);

		if (status != LANEWISE_OK)
			tool_fail("dedup: %s", lanewise_status_text(status));
	} while (n_units > 0);
}

/* Lines that stayed, to the one that has to know them from now on. */
static void hand_over(void *context, const char *text, size_t n)
{
	struct dedup *d = context;

	lanewise_dedup_feed(d->dedup, text, n);
	learn_ready(d);
}

/* Two lines of one hash differ: lanewise/dedup.h goes on, from the first that was not taken. */
static void give_up_lines(struct dedup *d, size_t n_taken)
{
	create_dedup(d);
	lines_write(d->lines, 0);
	lines_texts(d->lines, hand_over, d);
	lanewise_dedup_finish(d->dedup);
	learn_ready(d);
	if (lanewise_dedup_next_text(d->dedup) != LANEWISE_OK)
		tool_fail("dedup: out of order"); /* cannot happen */
	d->n_kept += lines_kept(d->lines);
	d->n_dropped += lines_dropped(d->lines);
	d->last_byte = d->n_kept ? '\n' : EOF;
	lines_free(d->lines);
	d->lines = NULL;
	memmove(d->text.data, d->text.data + n_taken, d->text.n - n_taken);
	d->text.n -= n_taken;
	d->text_begin = d->read = d->decided = d->run_begin = d->unit_end = 0;
}

/*
 * The lines that end in what was read, of which the first `searched` bytes have no newline. What begins behind the last
 * newline moves to the front. Returns 0 if `lines` had to give up.
 */
static int take_lines(struct dedup *d, size_t searched)
{
	static uint32_t ends[LINE_ENDS];
	static uint64_t hash[LINE_ENDS * LINES_HASH_WORDS];
	size_t begin = 0;

	while (searched < d->text.n) {
		size_t n_ends = 0, n_taken;

		searched += lanewise_line_ends(d->text.data + searched, d->text.n - searched, (uint32_t)searched, ends,
		                               LINE_ENDS, &n_ends);
		lines_hash(d->lines, d->text.data, begin, ends, n_ends, hash);
		n_taken = lines_take(d->lines, d->text.data, begin, ends, hash, n_ends);
		begin = n_taken ? (size_t)ends[n_taken - 1] + 1 : begin;
		if (n_taken < n_ends) {
			give_up_lines(d, begin);
			return 0;
		}
	}
	if (begin > 0)
		memmove(d->text.data, d->text.data + begin, d->text.n - begin);
	d->text.n -= begin;
	lines_write(d->lines, 0);
	return 1;
}

/* The last line of an input, without a newline, which it gets for the comparison. */
static int take_last_line(struct dedup *d)
{
	uint64_t n_kept = lines_kept(d->lines);
	uint64_t hash[LINES_HASH_WORDS];
	uint32_t end = (uint32_t)d->text.n;

	if (end == 0)
		return 1;
	d->text.data[end] = '\n';
	lines_hash(d->lines, d->text.data, 0, &end, 1, hash);
	if (lines_take(d->lines, d->text.data, 0, &end, hash, 1) == 0) {
		give_up_lines(d, 0);
		return 0;
	}
	lines_write(d->lines, lines_kept(d->lines) > n_kept);
	return 1;
}

/* A line too long to be compared stays. What follows it is left; 0 at the end of the input. */
static int pass_long_line(struct dedup *d, int descriptor, const char *path)
{
	const char *newline = NULL;
	size_t searched = LINES_LONGEST, n, n_line;

	d->n_kept++;
	do {
		newline = memchr(d->text.data + searched, '\n', d->text.n - searched);
		n_line = newline ? (size_t)(newline + 1 - d->text.data) : d->text.n;
		if (!d->count_only) {
			fwrite(d->text.data, 1, n_line, stdout);
			d->last_byte = newline ? '\n' : 0;
		}
		memmove(d->text.data, d->text.data + n_line, d->text.n - n_line);
		d->text.n -= n_line;
		searched = 0;
		if (newline)
			return 1;
		n = read_piece(d, descriptor, path, LINES_PIECE);
		d->text.n = n;
	} while (n > 0);
	return 0;
}

/* Whether what was read begins with a line that is too long, when `searched` bytes have no newline. */
static int is_long(const struct dedup *d, size_t searched)
{
	return d->text.n > LINES_LONGEST &&
	       !memchr(d->text.data + searched, '\n', (size_t)LINES_LONGEST + 1 - searched);
}

/* What was read, of which the first `searched` bytes have no newline; 0 if `lines` had to give up. */
static int take_piece(struct dedup *d, size_t searched, int descriptor, const char *path)
{
	if (is_long(d, searched)) {
		pass_long_line(d, descriptor, path);
		searched = 0;
	}
	if (!take_lines(d, searched))
		return 0;
	tool_check_output();
	return 1;
}

/* A part that was read ahead; how many lines were taken. */
static size_t take_part(struct dedup *d, const struct lines_part *part)
{
	size_t n_taken = lines_take(d->lines, part->text, 0, part->ends, part->hash, part->n_lines);

	lines_write(d->lines, 0);
	tool_check_output();
	tool_check_signals();
	d->total_read += (size_t)part->ends[part->n_lines - 1] + 1;
	tool_progress("Bytes read:", d->total_read);
	return n_taken;
}

/*
 * With a second thread, which reads ahead: until the input ends (returns 1), or goes on otherwise, with what was read in
 * the buffer, or `lines` had to give up.
 */
static int take_parts(struct dedup *d, int descriptor)
{
	struct lines_ahead *ahead = lines_ahead_begin(d->lines, descriptor, d->text.data, d->text.n);
	const struct lines_part *part;
	size_t n_taken = 0;
	int ended;

	if (!ahead)
		return 0;
	while ((part = lines_ahead_next(ahead)) && (n_taken = take_part(d, part)) == part->n_lines)
		;
	d->text.n = 0;
	if (part) {
		size_t begin = n_taken ? (size_t)part->ends[n_taken - 1] + 1 : 0;

		buffer_append(&d->text, part->text + begin, (size_t)part->ends[part->n_lines - 1] + 1 - begin);
	}
	ended = lines_ahead_end(ahead, &d->text);
	buffer_reserve(&d->text, LINES_SLACK);
	if (part)
		give_up_lines(d, 0);
	return ended;
}

static void dedup_lines(struct dedup *d, int descriptor, const char *path)
{
	uint64_t until_threads = d->n_threads > 1 ? d->total_read + LINES_FEW_BYTES : UINT64_MAX;
	struct stat file;
	size_t n;

	if (fstat(descriptor, &file) == 0 && S_ISREG(file.st_mode))
		lines_expect(d->lines, (uint64_t)file.st_size);
	begin_input(d);
	lines_write(d->lines, 0); /* the newline that was kept back */
	while ((n = read_piece(d, descriptor, path, LINES_PIECE)) > 0) {
		size_t searched = d->text.n;

		d->text.n += n;
		if (!take_piece(d, searched, descriptor, path))
			break;
		if (d->total_read < until_threads)
			continue;
		if (take_parts(d, descriptor) || !d->lines || !take_piece(d, 0, descriptor, path))
			break;
		until_threads = UINT64_MAX;
	}
	if (d->lines && take_last_line(d))
		return;
	feed_piece(d, 0);
	dedup_rest(d, descriptor, path);
}

static void dedup_whole(struct dedup *d, int descriptor, const char *path)
{
	size_t n;

	d->text.n = 0;
	while ((n = read_piece(d, descriptor, path, PIECE_BYTES)) > 0)
		near_feed(d->near, d->text.data, n);
	if (!near_finish(d->near)) {
		d->n_kept++;
		if (!d->count_only)
			puts(path);
		return;
	}
	d->n_dropped++;
	if (d->dropped)
		fprintf(d->dropped, "%s\n", path);
}

static void dedup_path(struct dedup *d, const char *path)
{
	int is_standard_input = strcmp(path, "-") == 0;
	int descriptor = is_standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0)
		tool_fail("%s: %s", path, strerror(errno));
	if (d->files)
		dedup_whole(d, descriptor, path);
	else if (d->lines)
		dedup_lines(d, descriptor, is_standard_input ? "standard input" : path);
	else
		dedup_input(d, descriptor, is_standard_input ? "standard input" : path);
	if (!is_standard_input)
		close(descriptor);
}

/* ------------------------------------------------------------------ command */

static void print_counts(const struct dedup *d)
{
	char kept[TOOL_COUNT_BYTES], dropped[TOOL_COUNT_BYTES];

	printf("%s %s stayed, %s went\n", tool_count(kept, d->n_kept),
	       d->files    ? "files"
	       : d->blocks ? "blocks"
	                   : "lines",
	       tool_count(dropped, d->n_dropped));
}

static void close_dropped(struct dedup *d)
{
	if (!d->dropped)
		return;
	int failed = ferror(d->dropped);

	if (fclose(d->dropped) != 0 || failed)
		tool_fail("%s: %s", d->dropped_path, strerror(errno));
}

/* Limits, blocks, normal forms and near duplicates are for lanewise/dedup.h. */
static void create(struct dedup *d)
{
	const lanewise_dedup_options *options = &d->options;

	if (options->normalize || d->near || options->window || options->max_bytes || options->min_length ||
	    options->max_unit_bytes != LINES_LONGEST)
		create_dedup(d);
	else
		d->lines = lines_create(&(struct lines_options) { .hash = options->mode == LANEWISE_DEDUP_HASH128 },
		                        d->count_only ? NULL : stdout, d->dropped);
}

static int run(struct dedup *d, char **paths, int n_paths)
{
	char standard_input[] = "-", *only_standard_input[] = { standard_input };

	for (int i = 0; i < n_paths && d->dropped_path; i++)
		if (tool_same_file(paths[i], d->dropped_path))
			tool_fail("%s: --dropped would overwrite what is read", paths[i]);
	tool_catch_signals();
	if (d->dropped_path && !(d->dropped = fopen(d->dropped_path, "wb")))
		tool_fail("%s: %s", d->dropped_path, strerror(errno));
	create(d);
	d->last_byte = EOF;
	if (n_paths == 0) {
		paths = only_standard_input;
		n_paths = 1;
	}
	for (int i = 0; i < n_paths; i++)
		dedup_path(d, paths[i]);
	tool_progress_end();
	if (d->lines) {
		d->n_kept += lines_kept(d->lines);
		d->n_dropped += lines_dropped(d->lines);
	}
	if (d->count_only)
		print_counts(d);
	close_dropped(d);
	lines_free(d->lines);
	lanewise_dedup_destroy(d->dedup);
	near_free(d->near);
	buffer_free(&d->text);
	return TOOL_OK;
}

static uint64_t parse_number(const char *name, const char *text, uint64_t most)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || number < 1 || number > most)
		tool_fail_usage("dedup", "%s is a number from 1 to %llu", name, (unsigned long long)most);
	return number;
}

static double parse_threshold(const char *text)
{
	char *end;
	double threshold = strtod(text, &end);

	if (end == text || *end || !(threshold > 0 && threshold <= 1))
		tool_fail_usage("dedup", "--threshold is a number above 0 and at most 1");
	return threshold;
}

static void parse_shingle(const char *text, struct near_options *near)
{
	near->words = strncmp(text, "words:", 6) == 0;
	if (!near->words && strncmp(text, "chars:", 6) != 0)
		tool_fail_usage("dedup", "--shingle is chars:N or words:N");
	near->width = (size_t)parse_number("N of --shingle", text + 6, LANEWISE_SHINGLE_MAX_WIDTH);
}

/* What --near needs, and which options only go with it or not at all. */
static void set_near(struct dedup *d, struct near_options *near, int is_near, lanewise_dedup_options *options)
{
	if (!is_near && (d->files || near->threshold > 0 || near->width > 0))
		tool_fail_usage("dedup", "--files, --threshold and --shingle need --near");
	if (!is_near)
		return;
	if (options->window)
		tool_fail_usage("dedup", "--window does not go with --near");
	if (d->files && options->min_length)
		tool_fail_usage("dedup", "--min-length does not go with --files");
	if (near->threshold <= 0)
		near->threshold = 0.8;
	if (near->width == 0) {
		near->words = d->files;
		near->width = d->files ? 3 : 5;
	}
	/* One half for exact duplicates, which are looked for first. */
	options->max_bytes /= 2;
	near->max_bytes = options->max_bytes;
	d->near = near_create(near);
}

int tool_dedup(int argc, char **argv)
{
	enum {
		LINES = 256,
		BLOCKS,
		MIN_LENGTH,
		MAX_LENGTH,
		WINDOW,
		MEMORY,
		HASH,
		COUNT,
		DROPPED,
		NEAR,
		THRESHOLD,
		SHINGLE,
		FILES,
		IGNORE_CASE,
		THREADS,
		HELP
	};
	static const struct option long_options[] = {
		{ "lines", no_argument, NULL, LINES },
		{ "blocks", no_argument, NULL, BLOCKS },
		{ "min-length", required_argument, NULL, MIN_LENGTH },
		{ "max-length", required_argument, NULL, MAX_LENGTH },
		{ "window", required_argument, NULL, WINDOW },
		{ "memory", required_argument, NULL, MEMORY },
		{ "hash", no_argument, NULL, HASH },
		{ "count", no_argument, NULL, COUNT },
		{ "dropped", required_argument, NULL, DROPPED },
		{ "near", no_argument, NULL, NEAR },
		{ "threshold", required_argument, NULL, THRESHOLD },
		{ "shingle", required_argument, NULL, SHINGLE },
		{ "files", no_argument, NULL, FILES },
		{ "ignore-case", no_argument, NULL, IGNORE_CASE },
		{ "threads", required_argument, NULL, THREADS },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	lanewise_dedup_options options = { .struct_size = sizeof options,
		                           .unit = LANEWISE_DEDUP_LINES,
		                           .max_unit_bytes = LINES_LONGEST };
	struct near_options near = { 0 };
	struct dedup dedup = { 0 };
	const char *unit = NULL;
	int is_near = 0;

	for (int option, i; (option = getopt_long(argc, argv, "", long_options, &i)) != -1;) {
		if (option == LINES || option == BLOCKS || option == FILES)
			tool_choose("dedup", &unit, long_options[i].name);
		switch (option) {
		case LINES:
			options.unit = LANEWISE_DEDUP_LINES;
			break;
		case BLOCKS:
			options.unit = LANEWISE_DEDUP_BLOCKS;
			break;
		case MIN_LENGTH:
			options.min_length = parse_number("--min-length", optarg, 1000000000);
			break;
		case MAX_LENGTH:
			options.max_unit_bytes = parse_number("--max-length", optarg, 1000000000);
			break;
		case WINDOW:
			options.window = parse_number("--window", optarg, 1000000000);
			break;
		case MEMORY:
			options.max_bytes = parse_number("--memory", optarg, 1000000) << 20;
			break;
		case HASH:
			options.mode = LANEWISE_DEDUP_HASH128;
			break;
		case COUNT:
			dedup.count_only = 1;
			break;
		case DROPPED:
			dedup.dropped_path = optarg;
			break;
		case NEAR:
			is_near = 1;
			break;
		case THRESHOLD:
			near.threshold = parse_threshold(optarg);
			break;
		case SHINGLE:
			parse_shingle(optarg, &near);
			break;
		case FILES:
			dedup.files = 1;
			break;
		case IGNORE_CASE:
			near.normalize = options.normalize = LANEWISE_NORMALIZE_FOLD;
			break;
		case THREADS:
			dedup.n_threads = (uint32_t)parse_number("--threads", optarg, MAX_THREADS);
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise dedup --help'.\n", stderr);
			return TOOL_USAGE;
		}
	}
	dedup.blocks = options.unit == LANEWISE_DEDUP_BLOCKS;
	if (dedup.blocks)
		options.normalize |= LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER | LANEWISE_NORMALIZE_TRIM |
		                     LANEWISE_NORMALIZE_TRIM_PUNCTUATION | LANEWISE_WHITESPACE_UNICODE;
	set_near(&dedup, &near, is_near, &options);
	dedup.options = options;
	if (dedup.n_threads == 0)
		dedup.n_threads = lanewise_default_threads();
	return run(&dedup, argv + optind, argc - optind);
}
