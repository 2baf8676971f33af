/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise chunk: where files are cut by their content, with a hash of each chunk; or passages of text.
 *
 * Content-defined chunks come from a stream: the buffer holds the chunk under way and the piece read last.
 *
 * Of text the library wants to see all, as what is far behind can tell where a sentence or paragraph ends. Up to READ_BYTES it
 * is read into memory. A larger file is mapped, and a larger stream written to a temporary file that is: the system keeps no
 * more of these in memory than it has room for.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lanewise/chunk.h>
#include <lanewise/hash.h>
#include <lanewise/text_chunk.h>

#include "json.h"
#include "tool.h"
#include "utf8.h"

enum { PIECE_BYTES = 1 << 20, READ_BYTES = 32 << 20, CHUNKS = 1024 };

static void print_help(void)
{
	puts("Usage: lanewise chunk [--cdc|--fastcdc] [options] [FILE...]\n"
	     "       lanewise chunk --paragraphs|--sentences|--lines|--chars [options] [FILE...]\n"
	     "\n"
	     "Cuts the FILEs, or standard input (which is also -), into chunks and writes a line for each: its "
	     "offset,\n"
	     "length and XXH3-128 hash, and the FILE if there are several.\n"
	     "\n"
	     "Where the content says so, so that versions of a file have most chunks in common:\n"
	     "      --cdc            by the method LANEWISE1 (the default)\n"
	     "      --fastcdc        by FastCDC 2020, with the cuts of the Rust crate fastcdc\n"
	     "      --size N         bytes on average (16384)\n"
	     "      --min N          at least (a quarter of the size)\n"
	     "      --max N          at most (four times the size)\n"
	     "      --level N        0 to 3: how much sizes keep to the average (1)\n"
	     "      --key N          other keys cut elsewhere (0)\n"
	     "\n"
	     "Passages of text for retrieval, of whole units as far as they fit:\n"
	     "      --paragraphs, --sentences, --lines, --chars\n"
	     "                       what the units are\n"
	     "      --size N         characters of a chunk, at most (1344)\n"
	     "      --overlap N      characters that it may share with the one before (128, or a tenth of a smaller "
	     "size)\n"
	     "      --tokens         sizes are in tokens, estimated\n"
	     "      --trim           without white space at the ends of chunks\n"
	     "      --single         one unit for each chunk\n"
	     "More than 32 MiB of text that is no file is kept in a temporary one, in TMPDIR or /tmp.\n"
	     "\n"
	     "      --json           a JSON object for each chunk; of text with \"id\" and \"text\", as `lanewise "
	     "index`\n"
	     "                       reads it\n"
	     "      --count          only how many chunks there are, their average size, and how much is repeated;\n"
	     "                       with --json one object: chunks, bytes, repeated_bytes\n"
	     "      --help           this text\n"
	     "\n"
	     "Exit status: 0 done, 1 an error in the data or the system, 2 wrong usage.");
}

/* A chunk for --count. */
struct seen {
	lanewise_hash128 hash;
	uint64_t length;
};

struct chunk_run {
	int unit; /* LANEWISE_TEXT_CHUNK_..., or -1 for content-defined chunks */
	lanewise_cdc_options cdc;
	lanewise_text_chunk_options text;
	int json, count, several_files;

	const char *name; /* of the file under way */
	struct buffer data;
	uint64_t total_read;

	uint64_t n_chunks, n_bytes;
	struct buffer seen; /* struct seen */
};

/* ------------------------------------------------------------------- output */

static void write_json(const struct chunk_run *run, uint64_t offset, const char *p, size_t n, lanewise_hash128 hash)
{
	if (run->unit < 0) {
		fputs("{\"file\":", stdout);
		json_write_string(stdout, run->name, strlen(run->name));
		printf(",\"offset\":%" PRIu64 ",\"length\":%zu,\"hash\":\"%016" PRIx64 "%016" PRIx64 "\"}\n", offset, n,
		       hash.high, hash.low);
		return;
	}

	size_t id_bytes = strlen(run->name) + 24;
	char *id = tool_allocate(id_bytes, 1);

	snprintf(id, id_bytes, "%s:%" PRIu64, run->name, offset);
	fputs("{\"id\":", stdout);
	json_write_string(stdout, id, strlen(id));
	fputs(",\"file\":", stdout);
	json_write_string(stdout, run->name, strlen(run->name));
	printf(",\"offset\":%" PRIu64 ",\"length\":%zu,\"text\":", offset, n);
	json_write_string(stdout, p, n);
	fputs("}\n", stdout);
	free(id);
}

static void take_chunk(struct chunk_run *run, uint64_t offset, const char *p, size_t n)
{
	lanewise_hash128 hash = { 0, 0 };

	if (run->count || !run->json || run->unit < 0)
		hash = lanewise_xxh3_128(p, n, 0);
	run->n_chunks++;
	run->n_bytes += n;
	if (run->count) {
		struct seen seen = { hash, n };

		buffer_append(&run->seen, &seen, sizeof seen);
	} else if (run->json) {
		write_json(run, offset, p, n, hash);
	} else {
		printf("%" PRIu64 "\t%zu\t%016" PRIx64 "%016" PRIx64, offset, n, hash.high, hash.low);
		if (run->several_files) {
			putchar('\t');
			utf8_print_line(stdout, run->name, strlen(run->name), 0);
		}
		putchar('\n');
	}
	tool_check_output();
}

static int by_hash(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->hash.high != y->hash.high)
		return x->hash.high < y->hash.high ? -1 : 1;
	return x->hash.low < y->hash.low ? -1 : x->hash.low > y->hash.low;
}

static void print_count(struct chunk_run *run)
{
	struct seen *seen = (void *)run->seen.data;
	uint64_t repeated = 0;
	char text[TOOL_COUNT_BYTES];

	if (run->n_chunks == 0) {
		puts(run->json ? "{\"chunks\": 0, \"bytes\": 0, \"repeated_bytes\": 0}" : "0 chunks");
		return;
	}
	qsort(seen, run->n_chunks, sizeof *seen, by_hash);
	for (uint64_t i = 1; i < run->n_chunks; i++)
		repeated += by_hash(&seen[i - 1], &seen[i]) == 0 ? seen[i].length : 0;
	if (run->json) {
		printf("{\"chunks\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"repeated_bytes\": %" PRIu64 "}\n",
		       run->n_chunks, run->n_bytes, repeated);
		return;
	}
	printf("%s chunks", tool_count(text, run->n_chunks));
	printf(", %s bytes on average", tool_count(text, (run->n_bytes + run->n_chunks / 2) / run->n_chunks));
	printf(", %.2f %% of all bytes in chunks that came before\n", 100.0 * (double)repeated / (double)run->n_bytes);
}

/* -------------------------------------------------------------------- input */

/* Appends a piece of the file to the data; 0 at its end. */
static size_t read_piece(struct chunk_run *run, int descriptor)
{
	char *to = buffer_reserve(&run->data, PIECE_BYTES);
	ssize_t n;

	do {
		tool_check_signals();
		n = read(descriptor, to, PIECE_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		tool_fail("%s: %s", run->name, strerror(errno));
	run->data.n += (size_t)n;
	run->total_read += (uint64_t)n;
	tool_progress("Bytes read:", run->total_read);
	return (size_t)n;
}

static void cut_by_content(struct chunk_run *run, int descriptor)
{
	static uint64_t ends[CHUNKS];
	void *scratch = tool_allocate(lanewise_cdc_scratch_size(), 1);
	uint64_t begin = 0, last; /* of the chunk under way, in the file */
	uint64_t data_begin = 0;  /* of the buffer */
	size_t n, n_ends;
	lanewise_cdc *cdc;
	lanewise_error error;

	if (lanewise_cdc_begin(scratch, &run->cdc, &cdc, &error) != LANEWISE_OK)
		tool_fail("chunk: %s", error.what); /* checked before */
	while ((n = read_piece(run, descriptor)) > 0) {
		for (size_t done = 0; done < n;) {
			const char *piece = run->data.data + run->data.n - n;

			done += lanewise_cdc_feed(cdc, piece + done, n - done, ends, CHUNKS, &n_ends);
			for (size_t i = 0; i < n_ends; begin = ends[i++])
				take_chunk(run, begin, run->data.data + (begin - data_begin),
				           (size_t)(ends[i] - begin));
		}
		run->data.n -= (size_t)(begin - data_begin);
		memmove(run->data.data, run->data.data + (begin - data_begin), run->data.n);
		data_begin = begin;
	}
	if (lanewise_cdc_finish(cdc, &last))
		take_chunk(run, begin, run->data.data, (size_t)(last - begin));
	free(scratch);
}

/* A text of which there is more than what is in memory. */
struct mapped {
	void *p;
	size_t n_bytes;
};

static void note_bus_error(int number)
{
	static const char message[] = "lanewise: chunk: the file was cut off while it was read\n";

	(void)number;
	(void)!write(STDERR_FILENO, message, sizeof message - 1);
	_exit(TOOL_FAILURE);
}

static struct mapped map_file(const struct chunk_run *run, int descriptor, uint64_t n_bytes)
{
	struct sigaction action = { .sa_handler = note_bus_error };
	struct mapped mapped = { MAP_FAILED, (size_t)n_bytes };

	if (n_bytes <= SIZE_MAX)
		mapped.p = mmap(NULL, mapped.n_bytes, PROT_READ, MAP_SHARED, descriptor, 0);
	if (mapped.p == MAP_FAILED)
		tool_fail("%s: %s", run->name, strerror(errno));
	sigaction(SIGBUS, &action, NULL);
	return mapped;
}

/* A file of no name; it goes when it is closed. */
static int open_temporary(void)
{
	const char *directory = getenv("TMPDIR");
	char path[4096];
	int descriptor;

	snprintf(path, sizeof path, "%s/lanewise-XXXXXX", directory && *directory ? directory : "/tmp");
	descriptor = mkostemp(path, O_CLOEXEC);
	if (descriptor < 0)
		tool_fail("%s: %s", path, strerror(errno));
	unlink(path);
	return descriptor;
}

static void write_all(int descriptor, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t n_written = write(descriptor, p, n);

		if (n_written < 0 && errno == EINTR)
			continue;
		if (n_written < 0)
			tool_fail("a temporary file: %s", strerror(errno));
		p += n_written;
		n -= (size_t)n_written;
	}
}

/* What is in the buffer, and what follows it. */
static struct mapped map_stream(struct chunk_run *run, int descriptor)
{
	int temporary = open_temporary();
	uint64_t n_bytes = 0;
	struct mapped mapped;

	do {
		write_all(temporary, run->data.data, run->data.n);
		n_bytes += run->data.n;
		run->data.n = 0;
	} while (read_piece(run, descriptor) > 0);
	mapped = map_file(run, temporary, n_bytes);
	close(temporary);
	return mapped;
}

static void cut_chunks(struct chunk_run *run, const char *text, size_t n_bytes)
{
	static lanewise_text_chunk chunks[CHUNKS];
	void *scratch = tool_allocate(lanewise_text_chunker_scratch_size(), 1);
	lanewise_text_chunker *chunker;
	lanewise_error error;

	if (lanewise_text_chunker_begin(scratch, text, n_bytes, &run->text, &chunker, &error) != LANEWISE_OK)
		tool_fail("chunk: %s", error.what); /* checked before */
	for (size_t n; (n = lanewise_text_chunker_next(chunker, chunks, CHUNKS)) > 0; tool_check_signals())
		for (size_t i = 0; i < n; i++)
			take_chunk(run, chunks[i].begin, text + chunks[i].begin,
			           (size_t)(chunks[i].end - chunks[i].begin));
	free(scratch);
}

static void cut_text(struct chunk_run *run, int descriptor)
{
	struct mapped mapped;
	struct stat file;
	off_t at;

	while (run->data.n <= READ_BYTES)
		if (read_piece(run, descriptor) == 0) {
			cut_chunks(run, run->data.data, run->data.n);
			return;
		}
	at = lseek(descriptor, 0, SEEK_CUR);
	if (at >= (off_t)run->data.n && fstat(descriptor, &file) == 0 && S_ISREG(file.st_mode) && file.st_size >= at) {
		size_t begin = (size_t)at - run->data.n;

		mapped = map_file(run, descriptor, (uint64_t)file.st_size);
		buffer_free(&run->data);
		cut_chunks(run, (const char *)mapped.p + begin, mapped.n_bytes - begin);
	} else {
		mapped = map_stream(run, descriptor);
		buffer_free(&run->data);
		cut_chunks(run, mapped.p, mapped.n_bytes);
	}
	munmap(mapped.p, mapped.n_bytes);
}

static void cut_file(struct chunk_run *run, const char *path)
{
	int is_input = strcmp(path, "-") == 0;
	int descriptor = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	if (descriptor < 0)
		tool_fail("%s: %s", path, strerror(errno));
	run->name = is_input ? "standard input" : path;
	run->data.n = 0;
	if (run->unit < 0)
		cut_by_content(run, descriptor);
	else
		cut_text(run, descriptor);
	if (!is_input)
		close(descriptor);
}

static int run_all(struct chunk_run *run, char **paths, int n_paths)
{
	char standard_input[] = "-", *only_standard_input[] = { standard_input };

	tool_catch_signals();
	run->several_files = n_paths > 1;
	if (n_paths == 0) {
		paths = only_standard_input;
		n_paths = 1;
	}
	for (int i = 0; i < n_paths; i++)
		cut_file(run, paths[i]);
	tool_progress_end();
	if (run->count)
		print_count(run);
	buffer_free(&run->data);
	buffer_free(&run->seen);
	return TOOL_OK;
}

/* ------------------------------------------------------------------ options */

/* What was asked for; NONE where it was not. */
enum { NONE = -1 };
struct wishes {
	int64_t size, min, max, level, overlap;
	uint64_t key;
	int has_key, tokens, trim, single;
};

static uint64_t parse_number(const char *name, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || number < least || number > most)
		tool_fail_usage("chunk", "%s is a number from %llu to %llu", name, (unsigned long long)least,
		                (unsigned long long)most);
	return number;
}

static uint32_t within(int64_t value, int64_t least, int64_t most)
{
	return (uint32_t)(value < least ? least : value > most ? most : value);
}

static void check_size(const char *name, uint32_t size, uint32_t least, uint32_t most)
{
	if (size < least || size > most)
		tool_fail_usage("chunk", "%s is a number from %" PRIu32 " to %" PRIu32 " for --cdc and --fastcdc", name,
		                least, most);
}

static void set_cdc(struct chunk_run *run, const struct wishes *w)
{
	lanewise_cdc_options *o = &run->cdc;
	void *scratch;
	lanewise_cdc *cdc;
	lanewise_error error;
	lanewise_status status;

	if (w->overlap != NONE || w->tokens || w->trim || w->single)
		tool_fail_usage("chunk",
		                "--overlap, --tokens, --trim and --single are for --paragraphs, --sentences, --lines "
		                "and --chars");
	o->average_size = w->size == NONE ? o->average_size : (uint32_t)w->size;
	o->min_size = w->min != NONE ? (uint32_t)w->min
	                             : within(o->average_size / 8 * 2, LANEWISE_CDC_MIN_SIZE_LEAST,
	                                      LANEWISE_CDC_MIN_SIZE_MOST);
	o->max_size = w->max != NONE ? (uint32_t)w->max
	                             : within((int64_t)o->average_size * 4, LANEWISE_CDC_MAX_SIZE_LEAST,
	                                      LANEWISE_CDC_MAX_SIZE_MOST);
	o->level = w->level == NONE ? o->level : (uint32_t)w->level;
	o->key = w->key;
	check_size("--min", o->min_size, LANEWISE_CDC_MIN_SIZE_LEAST, LANEWISE_CDC_MIN_SIZE_MOST);
	check_size("--size", o->average_size, LANEWISE_CDC_AVERAGE_SIZE_LEAST, LANEWISE_CDC_AVERAGE_SIZE_MOST);
	check_size("--max", o->max_size, LANEWISE_CDC_MAX_SIZE_LEAST, LANEWISE_CDC_MAX_SIZE_MOST);
	if (o->min_size > o->average_size || o->average_size > o->max_size)
		tool_fail_usage("chunk", "--min %" PRIu32 ", --size %" PRIu32 " and --max %" PRIu32 " do not ascend",
		                o->min_size, o->average_size, o->max_size);
	if (o->method == LANEWISE_CDC_FASTCDC2020 && (o->min_size | o->average_size | o->max_size) & 1)
		tool_fail_usage("chunk", "--fastcdc needs even numbers for --min, --size and --max");
	scratch = tool_allocate(lanewise_cdc_scratch_size(), 1);
	status = lanewise_cdc_begin(scratch, o, &cdc, &error);
	free(scratch);
	if (status != LANEWISE_OK)
		tool_fail_usage("chunk", "%s", error.what);
}

static void set_text(struct chunk_run *run, const struct wishes *w)
{
	lanewise_text_chunk_options *o = &run->text;

	if (w->min != NONE || w->max != NONE || w->level != NONE || w->has_key)
		tool_fail_usage("chunk", "--min, --max, --level and --key are for --cdc and --fastcdc");
	o->unit = run->unit;
	o->measure = w->tokens ? LANEWISE_TEXT_CHUNK_TOKENS : LANEWISE_TEXT_CHUNK_CODE_POINTS;
	o->size = w->size == NONE ? o->size : (uint32_t)w->size;
	if (w->overlap != NONE)
		o->overlap = (uint32_t)w->overlap;
	else if (o->overlap > o->size / 10)
		o->overlap = o->size / 10;
	o->trim = (uint32_t)w->trim;
	o->single = (uint32_t)w->single;
	if (o->overlap >= o->size)
		tool_fail_usage("chunk", "--overlap must be less than --size");
}

int tool_chunk(int argc, char **argv)
{
	enum {
		CDC = 256,
		FASTCDC,
		PARAGRAPHS,
		SENTENCES,
		LINES,
		CHARS,
		SIZE,
		MIN,
		MAX,
		LEVEL,
		KEY,
		OVERLAP,
		TOKENS,
		TRIM,
		SINGLE,
		JSON,
		COUNT,
		HELP
	};
	static const struct option long_options[] = {
		{ "cdc", no_argument, NULL, CDC },
		{ "fastcdc", no_argument, NULL, FASTCDC },
		{ "paragraphs", no_argument, NULL, PARAGRAPHS },
		{ "sentences", no_argument, NULL, SENTENCES },
		{ "lines", no_argument, NULL, LINES },
		{ "chars", no_argument, NULL, CHARS },
		{ "size", required_argument, NULL, SIZE },
		{ "min", required_argument, NULL, MIN },
		{ "max", required_argument, NULL, MAX },
		{ "level", required_argument, NULL, LEVEL },
		{ "key", required_argument, NULL, KEY },
		{ "overlap", required_argument, NULL, OVERLAP },
		{ "tokens", no_argument, NULL, TOKENS },
		{ "trim", no_argument, NULL, TRIM },
		{ "single", no_argument, NULL, SINGLE },
		{ "json", no_argument, NULL, JSON },
		{ "count", no_argument, NULL, COUNT },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct chunk_run run = { .unit = NONE };
	struct wishes w = { .size = NONE, .min = NONE, .max = NONE, .level = NONE, .overlap = NONE };
	const char *way = NULL;

	lanewise_cdc_options_default(&run.cdc);
	lanewise_text_chunk_options_default(&run.text);
	for (int option, i; (option = getopt_long(argc, argv, "", long_options, &i)) != -1;) {
		if (option >= CDC && option <= CHARS)
			tool_choose("chunk", &way, long_options[i].name);
		switch (option) {
		case CDC:
		case FASTCDC:
			run.unit = NONE;
			run.cdc.method = option == CDC ? LANEWISE_CDC_LANEWISE1 : LANEWISE_CDC_FASTCDC2020;
			break;
		case PARAGRAPHS:
			run.unit = LANEWISE_TEXT_CHUNK_PARAGRAPHS;
			break;
		case SENTENCES:
			run.unit = LANEWISE_TEXT_CHUNK_SENTENCES;
			break;
		case LINES:
			run.unit = LANEWISE_TEXT_CHUNK_LINES;
			break;
		case CHARS:
			run.unit = LANEWISE_TEXT_CHUNK_CHARACTERS;
			break;
		case SIZE:
			w.size = (int64_t)parse_number("--size", optarg, 1, UINT32_MAX);
			break;
		case MIN:
			w.min = (int64_t)parse_number("--min", optarg, 1, UINT32_MAX);
			break;
		case MAX:
			w.max = (int64_t)parse_number("--max", optarg, 1, UINT32_MAX);
			break;
		case LEVEL:
			w.level = (int64_t)parse_number("--level", optarg, 0, 3);
			break;
		case KEY:
			w.key = parse_number("--key", optarg, 0, UINT64_MAX);
			w.has_key = 1;
			break;
		case OVERLAP:
			w.overlap = (int64_t)parse_number("--overlap", optarg, 0, UINT32_MAX);
			break;
		case TOKENS:
			w.tokens = 1;
			break;
		case TRIM:
			w.trim = 1;
			break;
		case SINGLE:
			w.single = 1;
			break;
		case JSON:
			run.json = 1;
			break;
		case COUNT:
			run.count = 1;
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise chunk --help'.\n", stderr);
			return TOOL_USAGE;
		}
	}
	if (run.unit == NONE)
		set_cdc(&run, &w);
	else
		set_text(&run, &w);
	return run_all(&run, argv + optind, argc - optind);
}
