/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise dedup: text without the lines or blocks that came before, in its order.
 *
 * The input is read in pieces into one buffer, which holds what the library has not decided about yet. What stays is
 * written in runs, as long as units that stay follow each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lanewise/dedup.h>

#include "tool.h"

enum { PIECE_BYTES = 1 << 20, UNITS = 1024 };

static void print_help(void)
{
	puts("Usage: lanewise dedup [--lines|--blocks] [options] [FILE...]\n"
	     "\n"
	     "Writes the FILEs, or standard input (which is also -), without lines or blocks that came before. The "
	     "first\n"
	     "of equal ones stays; the order is kept. Several FILEs are deduplicated together.\n"
	     "\n"
	     "      --lines          line by line, compared as they are (the default)\n"
	     "      --blocks         by paragraphs and ``` fences, compared without regard to the case of A-Z, "
	     "spacing\n"
	     "                       and . , ; : at the end\n"
	     "      --min-length N   lines or blocks of fewer than N bytes always stay\n"
	     "      --window N       compare with the last N that stayed only\n"
	     "      --memory N       use about N MiB; when they are full, the oldest are forgotten\n"
	     "      --hash           remember 128-bit hashes instead of texts: less memory, but whoever can choose "
	     "the\n"
	     "                       text might make different lines count as equal\n"
	     "      --count          write how many stayed and how many went, instead of the text\n"
	     "      --dropped FILE   write what went to FILE\n"
	     "      --help           this text\n"
	     "\n"
	     "Exit status: 0 done, 1 an error in the data or the system, 2 wrong usage.");
}

struct dedup {
	lanewise_dedup *dedup;
	int blocks, count_only;
	FILE *dropped;
	const char *dropped_path;

	struct buffer text;        /* the input from offset `text_begin` */
	uint64_t text_begin, read; /* offsets in this input */
	uint64_t decided;          /* up to here all has been written or dropped, or is in the run */
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

/*
 * A line goes with its newline. A block goes with what lies between it and the one before, so that a text without
 * repetition comes out as it was.
 */
static void take_unit(struct dedup *d, const lanewise_dedup_unit *unit)
{
	uint64_t end = unit->end;

	if (!d->blocks && end < d->read)
		end++;
	if (unit->first == unit->number) {
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
	write_run(d);
	if (ferror(stdout))
		exit(TOOL_FAILURE); /* main says why */
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
static size_t read_piece(struct dedup *d, int descriptor, const char *path)
{
	char *to = buffer_reserve(&d->text, PIECE_BYTES);
	ssize_t n;

	do {
		tool_check_signals();
		n = read(descriptor, to, PIECE_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		tool_fail("%s: %s", path, strerror(errno));
	return (size_t)n;
}

static void begin_input(struct dedup *d)
{
	d->text.n = 0;
	d->text_begin = d->read = d->decided = d->run_begin = 0;
	/* The last line of the input before had no newline. */
	if (d->last_byte != EOF && d->last_byte != '\n') {
		putchar('\n');
		d->last_byte = '\n';
	}
}

static void dedup_input(struct dedup *d, int descriptor, const char *path)
{
	size_t n;

	begin_input(d);
	while ((n = read_piece(d, descriptor, path)) > 0) {
		const char *piece = d->text.data + d->text.n;

		d->text.n += n;
		d->read += n;
		d->total_read += n;
		lanewise_dedup_feed(d->dedup, piece, n);
		take_ready(d);
		forget_decided(d);
		tool_progress("Bytes read:", d->total_read);
	}
	lanewise_dedup_finish(d->dedup);
	take_ready(d);
	/* What follows the last block: blank lines, or nothing. */
	if (!d->count_only)
		write_span(d, stdout, d->decided, d->read);
	if (lanewise_dedup_next_text(d->dedup) != LANEWISE_OK)
		tool_fail("dedup: out of order"); /* cannot happen */
}

static void dedup_path(struct dedup *d, const char *path)
{
	int descriptor;

	if (strcmp(path, "-") == 0) {
		dedup_input(d, STDIN_FILENO, "standard input");
		return;
	}
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		tool_fail("%s: %s", path, strerror(errno));
	dedup_input(d, descriptor, path);
	close(descriptor);
}

/* ------------------------------------------------------------------ command */

static void print_counts(const struct dedup *d)
{
	char kept[TOOL_COUNT_BYTES], dropped[TOOL_COUNT_BYTES];

	printf("%s %s stayed, %s went\n", tool_count(kept, d->n_kept), d->blocks ? "blocks" : "lines",
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

static int run(struct dedup *d, const lanewise_dedup_options *options, char **paths, int n_paths)
{
	char standard_input[] = "-", *only_standard_input[] = { standard_input };
	lanewise_error error;

	tool_catch_signals();
	if (lanewise_dedup_create(options, NULL, &d->dedup, &error) != LANEWISE_OK)
		tool_fail("dedup: %s", error.what);
	if (d->dropped_path && !(d->dropped = fopen(d->dropped_path, "wb")))
		tool_fail("%s: %s", d->dropped_path, strerror(errno));
	d->last_byte = EOF;
	if (n_paths == 0) {
		paths = only_standard_input;
		n_paths = 1;
	}
	for (int i = 0; i < n_paths; i++)
		dedup_path(d, paths[i]);
	tool_progress_end();
	if (d->count_only)
		print_counts(d);
	close_dropped(d);
	lanewise_dedup_destroy(d->dedup);
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

int tool_dedup(int argc, char **argv)
{
	enum { LINES = 256, BLOCKS, MIN_LENGTH, WINDOW, MEMORY, HASH, COUNT, DROPPED, HELP };
	static const struct option long_options[] = {
		{ "lines", no_argument, NULL, LINES },
		{ "blocks", no_argument, NULL, BLOCKS },
		{ "min-length", required_argument, NULL, MIN_LENGTH },
		{ "window", required_argument, NULL, WINDOW },
		{ "memory", required_argument, NULL, MEMORY },
		{ "hash", no_argument, NULL, HASH },
		{ "count", no_argument, NULL, COUNT },
		{ "dropped", required_argument, NULL, DROPPED },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	lanewise_dedup_options options = { .struct_size = sizeof options, .unit = LANEWISE_DEDUP_LINES };
	struct dedup dedup = { 0 };

	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
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
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise dedup --help'.\n", stderr);
			return TOOL_USAGE;
		}
	dedup.blocks = options.unit == LANEWISE_DEDUP_BLOCKS;
	if (dedup.blocks)
		options.normalize = LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER | LANEWISE_NORMALIZE_TRIM |
		                    LANEWISE_NORMALIZE_TRIM_PUNCTUATION | LANEWISE_WHITESPACE_UNICODE;
	return run(&dedup, &options, argv + optind, argc - optind);
}
