/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise index: documents into a file that lanewise search reads (collection.h).
 *
 * Each document goes through once. Its vector goes straight into the file; its text, which has its place behind all
 * vectors, into a temporary file of its own until then. In memory are the ids, two numbers a document, and what the
 * index of words needs.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lanewise/lanewise.h>

#include "analysis.h"
#include "collection.h"
#include "documents.h"
#include "npy.h"
#include "tool.h"

enum { HASHED_DIM = 384 };

static void print_help(void)
{
	puts("Usage: lanewise index PATH... -o FILE [options]\n"
	     "\n"
	     "Makes an index FILE of documents for 'lanewise search'. A PATH is a text file, a JSON Lines file, a\n"
	     "directory (all files in it and below, except hidden ones, symbolic links and binary files), or - for\n"
	     "standard input. An existing FILE is replaced at the end, in one step; if the command is killed before,\n"
	     "the FILE.tmp-... that it leaves can be deleted.\n"
	     "\n"
	     "  -o, --output FILE    the index to write\n"
	     "      --format FORMAT  text or jsonl; otherwise files named .jsonl or .ndjson are JSON Lines,\n"
	     "                       the others text\n"
	     "      --per file|line  what is a document of a text file: all of it (the default), with its path as id,\n"
	     "                       or each line that is not blank, with path:line as id\n"
	     "      --vectors X.NPY  the documents' vectors, one row each in the order of the documents:\n"
	     "                       two-dimensional, C order, float32, float64 or float16, "
	     "little-endian\n" ANALYSIS_HELP "  -q, --quiet          no summary\n"
	     "      --help           this text\n"
	     "\n"
	     "A line of JSON Lines is an object with \"id\" (a string or a number), \"text\" and, in all lines or in\n"
	     "none, \"vector\" (an array of numbers). Other members are ignored, blank lines too. Ids must be unique.\n"
	     "Text must be UTF-8.\n"
	     "\n"
	     "Without vectors given, each document gets one of 384 dimensions made by signed feature hashing of its\n"
	     "words and pairs of words. It knows nothing of meaning: the vectors of a real embedding model, given by\n"
	     "--vectors or \"vector\", find much more. All vectors are scaled to length 1.\n"
	     "\n"
	     "Exit status: 0 done, 1 an error in the data or the system (FILE is as before), 2 wrong usage.");
}

/* ------------------------------------------------------------------- state */

struct options {
	const char *output, *vectors;
	enum document_format format;
	int per_line, quiet;
	struct analysis analysis;
};

struct place {
	uint32_t file;
	uint64_t line;
};

struct indexing {
	const struct options *options;
	struct document_files files;
	lanewise_file_writer *writer;
	lanewise_bm25_builder *bm25;
	lanewise_analyzer *analyzer;
	struct npy npy; /* stream NULL if there is none */
	FILE *texts;    /* the temporary file */
	uint32_t vectors_from;
	size_t n, capacity, dim;
	struct buffer ids;
	uint64_t *id_ends, *text_ends;
	struct place *places; /* where each document came from, to say so if two have one id */
	float *vector;
};

/* What exit has to remove; see tool.h. */
static lanewise_file_writer *unfinished;

static void remove_unfinished(void)
{
	lanewise_file_writer_destroy(unfinished);
	unfinished = NULL;
}

static void check(const struct indexing *indexing, lanewise_status status, const lanewise_error *error)
{
	if (status)
		tool_fail("%s: %s", indexing->options->output, error ? error->what : lanewise_status_text(status));
}

/* --------------------------------------------------------------- a document */

static void grow(struct indexing *indexing)
{
	size_t capacity = indexing->capacity ? 2 * indexing->capacity : 1024;

	indexing->id_ends = tool_reallocate(indexing->id_ends, capacity, sizeof *indexing->id_ends);
	indexing->text_ends = tool_reallocate(indexing->text_ends, capacity, sizeof *indexing->text_ends);
	indexing->places = tool_reallocate(indexing->places, capacity, sizeof *indexing->places);
	indexing->capacity = capacity;
}

static const char *place_of(const struct indexing *indexing, const struct document *document)
{
	return documents_place(&indexing->files, document->file, document->line);
}

/* The first document decides where vectors come from and how long they are. */
static void decide_vectors(struct indexing *indexing, const struct document *document)
{
	int given = indexing->npy.stream || document->vector;

	indexing->vectors_from = given ? VECTORS_GIVEN : VECTORS_HASHED;
	indexing->dim = indexing->npy.stream ? indexing->npy.dim : document->vector ? document->dim : HASHED_DIM;
	indexing->vector = tool_allocate(indexing->dim, sizeof(float));
}

static void require_vector(const struct indexing *indexing, const struct document *document)
{
	int wanted = indexing->vectors_from == VECTORS_GIVEN && !indexing->npy.stream;

	if (indexing->npy.stream && document->vector)
		tool_fail("%s: the document has a \"vector\", and so has --vectors", place_of(indexing, document));
	if (wanted && !document->vector)
		tool_fail("%s: there is no \"vector\", but the documents before have one",
		          place_of(indexing, document));
	if (!wanted && document->vector)
		tool_fail("%s: there is a \"vector\", but the documents before have none",
		          place_of(indexing, document));
	if (document->vector && document->dim != indexing->dim)
		tool_fail("%s: \"vector\" has %zu numbers, those before have %zu", place_of(indexing, document),
		          document->dim, indexing->dim);
}

static void take_vector(struct indexing *indexing, const struct document *document)
{
	const float *given = document->vector;
	lanewise_error error;

	if (indexing->n == 0)
		decide_vectors(indexing, document);
	require_vector(indexing, document);
	if (indexing->npy.stream) {
		given = npy_next(&indexing->npy);
		if (!given)
			tool_fail("%s has %llu rows, but there are more documents; the first without one is %s",
			          indexing->npy.path, (unsigned long long)indexing->npy.n_rows,
			          place_of(indexing, document));
	}
	if (given) {
		memcpy(indexing->vector, given, indexing->dim * sizeof(float));
		lanewise_normalize_f32_rows(indexing->vector, 1, indexing->dim, indexing->dim);
	} else {
		check(indexing,
		      lanewise_text_embed_f32(document->text, document->text_bytes, indexing->dim, indexing->vector),
		      NULL);
	}
	check(indexing, lanewise_file_writer_append(indexing->writer, indexing->vector, indexing->dim, &error), &error);
}

static void take_document(void *context, const struct document *document)
{
	struct indexing *indexing = context;
	size_t i = indexing->n;

	if (i == UINT32_MAX)
		tool_fail("%s: more than %u documents", place_of(indexing, document), UINT32_MAX);
	if (i == indexing->capacity)
		grow(indexing);
	take_vector(indexing, document);
	check(indexing, lanewise_bm25_builder_add_text(indexing->bm25, document->text, document->text_bytes), NULL);
	if (fwrite(document->text, 1, document->text_bytes, indexing->texts) != document->text_bytes)
		tool_fail("%s: writing a temporary file: %s", indexing->options->output, strerror(errno));
	buffer_append(&indexing->ids, document->id, document->id_bytes);
	indexing->id_ends[i] = indexing->ids.n;
	indexing->text_ends[i] = (i ? indexing->text_ends[i - 1] : 0) + document->text_bytes;
	indexing->places[i] = (struct place) { document->file, document->line };
	indexing->n++;
	tool_progress("Reading documents:", indexing->n);
	tool_check_signals();
}

/* ------------------------------------------------------------ duplicate ids */

static const struct indexing *sorting; /* qsort has no context */

static int compare_ids(uint32_t a, uint32_t b)
{
	uint64_t a_begin = a ? sorting->id_ends[a - 1] : 0, b_begin = b ? sorting->id_ends[b - 1] : 0;
	size_t a_bytes = (size_t)(sorting->id_ends[a] - a_begin), b_bytes = (size_t)(sorting->id_ends[b] - b_begin);
	int order =
	        memcmp(sorting->ids.data + a_begin, sorting->ids.data + b_begin, a_bytes < b_bytes ? a_bytes : b_bytes);

	return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int by_id(const void *a, const void *b)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int order = compare_ids(i, j);

	return order ? order : (i > j) - (i < j);
}

/* By sorting, which takes n log n steps for any ids; a hash table would not for some. */
static void refuse_duplicate_ids(const struct indexing *indexing)
{
	uint32_t *numbers = tool_allocate(indexing->n, sizeof *numbers);
	uint32_t first = 0, second = UINT32_MAX;

	for (size_t i = 0; i < indexing->n; i++)
		numbers[i] = (uint32_t)i;
	sorting = indexing;
	qsort(numbers, indexing->n, sizeof *numbers, by_id);
	/* Of all that repeat an id, the document that comes first. */
	for (size_t i = 1; i < indexing->n; i++)
		if (numbers[i] < second && compare_ids(numbers[i - 1], numbers[i]) == 0) {
			first = numbers[i - 1];
			second = numbers[i];
		}
	free(numbers);
	if (second == UINT32_MAX)
		return;

	uint64_t begin = second ? indexing->id_ends[second - 1] : 0;
	size_t n_bytes = (size_t)(indexing->id_ends[second] - begin);
	const struct place *places = indexing->places;

	tool_fail("%s: id %.*s%s occurs a second time; the first is at %s",
	          documents_place(&indexing->files, places[second].file, places[second].line),
	          (int)(n_bytes < 200 ? n_bytes : 200), indexing->ids.data + begin, n_bytes < 200 ? "" : "...",
	          documents_place(&indexing->files, places[first].file, places[first].line));
}

/* ------------------------------------------------------------------ writing */

/* A file that is gone when it is closed, on the disk where the index will be. */
static FILE *open_temporary(const char *output)
{
	size_t length = strlen(output);
	char *path = tool_allocate(length + 16, 1);
	FILE *stream;
	int fd;

	snprintf(path, length + 16, "%s.tmp-XXXXXX", output);
	fd = mkstemp(path);
	if (fd >= 0)
		unlink(path);
	stream = fd >= 0 ? fdopen(fd, "w+b") : NULL;
	if (!stream)
		tool_fail("%s: creating a temporary file: %s", output, strerror(errno));
	free(path);
	return stream;
}

static void put_section(struct indexing *indexing, const char *name, size_t element_bytes, const void *elements,
                        size_t n)
{
	lanewise_error error;
	lanewise_status status = lanewise_file_writer_section(indexing->writer, name, element_bytes, &error);

	if (!status)
		status = lanewise_file_writer_append(indexing->writer, elements, n, &error);
	check(indexing, status, &error);
}

static void put_texts(struct indexing *indexing)
{
	enum { PIECE = 1 << 16 };
	char *piece = tool_allocate(PIECE, 1);
	uint64_t copied = 0;
	lanewise_error error;

	put_section(indexing, "text", 1, NULL, 0);
	if (fflush(indexing->texts) != 0 || fseeko(indexing->texts, 0, SEEK_SET) != 0)
		tool_fail("%s: writing a temporary file: %s", indexing->options->output, strerror(errno));
	for (size_t n; (n = fread(piece, 1, PIECE, indexing->texts)) > 0; copied += n)
		check(indexing, lanewise_file_writer_append(indexing->writer, piece, n, &error), &error);
	if (ferror(indexing->texts) || copied != indexing->text_ends[indexing->n - 1])
		tool_fail("%s: reading a temporary file: %s", indexing->options->output, strerror(errno));
	free(piece);
}

static void put_bm25(struct indexing *indexing)
{
	lanewise_bm25 *bm25;
	lanewise_error error;

	check(indexing, lanewise_bm25_create(indexing->bm25, NULL, &bm25), NULL);
	check(indexing, lanewise_bm25_write(bm25, indexing->writer, &error), &error);
	lanewise_bm25_destroy(bm25);
}

static void begin_file(struct indexing *indexing)
{
	lanewise_error error;

	check(indexing, lanewise_file_writer_create(indexing->options->output, NULL, &indexing->writer, &error),
	      &error);
	unfinished = indexing->writer;
	atexit(remove_unfinished);
	indexing->texts = open_temporary(indexing->options->output);
	indexing->bm25 = analysis_builder(&indexing->options->analysis, indexing->analyzer);
	put_section(indexing, "vectors", sizeof(float), NULL, 0);
}

static void finish_file(struct indexing *indexing)
{
	struct collection_header header = {
		.version = COLLECTION_VERSION, .vectors = indexing->vectors_from, .n = indexing->n, .dim = indexing->dim
	};
	lanewise_error error;

	put_section(indexing, "collection", sizeof header, &header, 1);
	put_section(indexing, "id.end", sizeof(uint64_t), indexing->id_ends, indexing->n);
	put_section(indexing, "id", 1, indexing->ids.data, indexing->ids.n);
	put_section(indexing, "text.end", sizeof(uint64_t), indexing->text_ends, indexing->n);
	put_texts(indexing);
	put_bm25(indexing);
	tool_check_signals();
	check(indexing, lanewise_file_writer_commit(indexing->writer, &error), &error);
	remove_unfinished();
}

/* ------------------------------------------------------------------ command */

static void add_count(struct buffer *text, uint64_t count, const char *what)
{
	char number[TOOL_COUNT_BYTES], part[128];

	if (count == 0)
		return;
	snprintf(part, sizeof part, "%s%s %s", text->n ? ", " : "", tool_count(number, count), what);
	buffer_append(text, part, strlen(part));
}

static void print_summary(const struct indexing *indexing, double seconds)
{
	const struct document_files *files = &indexing->files;
	char n[TOOL_COUNT_BYTES], size[TOOL_COUNT_BYTES];
	struct buffer skipped = { 0 };
	struct stat about = { 0 };

	stat(indexing->options->output, &about);
	printf("%s: %s documents, vectors of %zu dimensions (%s), %s, %.1f s\n", indexing->options->output,
	       tool_count(n, indexing->n), indexing->dim,
	       indexing->vectors_from == VECTORS_HASHED ? "hashed words and word pairs" : "given",
	       tool_bytes(size, (uint64_t)about.st_size), seconds);
	add_count(&skipped, files->binary, "binary");
	add_count(&skipped, files->empty, "empty");
	add_count(&skipped, files->hidden, "hidden");
	add_count(&skipped, files->links, "symbolic links");
	add_count(&skipped, files->special, "special");
	if (skipped.n)
		printf("Files passed over: %.*s\n", (int)skipped.n, skipped.data);
	buffer_free(&skipped);
}

static void free_indexing(struct indexing *indexing)
{
	documents_free(&indexing->files);
	lanewise_bm25_builder_destroy(indexing->bm25);
	lanewise_analyzer_destroy(indexing->analyzer);
	npy_close(&indexing->npy);
	fclose(indexing->texts);
	buffer_free(&indexing->ids);
	free(indexing->id_ends);
	free(indexing->text_ends);
	free(indexing->places);
	free(indexing->vector);
}

static int run(const struct options *options, char **paths, int n_paths)
{
	struct indexing indexing = { .options = options };
	double start = tool_seconds();

	for (int i = 0; i < n_paths; i++)
		if (tool_same_file(paths[i], options->output))
			tool_fail("%s: -o would replace what is read", paths[i]);
	if (options->vectors && tool_same_file(options->vectors, options->output))
		tool_fail("%s: -o would replace what is read", options->vectors);
	tool_catch_signals();
	indexing.analyzer = analysis_create(&options->analysis);
	if (options->vectors)
		npy_open(&indexing.npy, options->vectors);
	for (int i = 0; i < n_paths; i++)
		documents_find(&indexing.files, paths[i]);
	begin_file(&indexing);
	documents_read(&indexing.files, options->format, options->per_line, take_document, &indexing);
	if (indexing.n == 0)
		tool_fail("there is no document in %s%s", paths[0], n_paths > 1 ? " and the other paths" : "");
	if (indexing.npy.stream && indexing.npy.row < indexing.npy.n_rows)
		tool_fail("%s has %llu rows, but there are only %zu documents", options->vectors,
		          (unsigned long long)indexing.npy.n_rows, indexing.n);
	refuse_duplicate_ids(&indexing);
	finish_file(&indexing);
	tool_progress_end();
	if (!options->quiet)
		print_summary(&indexing, tool_seconds() - start);
	free_indexing(&indexing);
	return TOOL_OK;
}

static enum document_format parse_format(const char *name)
{
	if (strcmp(name, "text") == 0)
		return FORMAT_TEXT;
	if (strcmp(name, "jsonl") == 0)
		return FORMAT_JSONL;
	tool_fail_usage("index", "--format is text or jsonl, not %s", name);
}

static int parse_per(const char *name)
{
	if (strcmp(name, "file") != 0 && strcmp(name, "line") != 0)
		tool_fail_usage("index", "--per is file or line, not %s", name);
	return strcmp(name, "line") == 0;
}

int tool_index(int argc, char **argv)
{
	enum { FORMAT = 256, PER, VECTORS, HELP };
	static const struct option long_options[] = {
		{ "output", required_argument, NULL, 'o' }, { "format", required_argument, NULL, FORMAT },
		{ "per", required_argument, NULL, PER },    { "vectors", required_argument, NULL, VECTORS },
		{ "quiet", no_argument, NULL, 'q' },        ANALYSIS_OPTIONS,
		{ "help", no_argument, NULL, HELP },        { NULL, 0, NULL, 0 },
	};
	struct options options = { .format = FORMAT_BY_NAME };

	for (int option; (option = getopt_long(argc, argv, "o:q", long_options, NULL)) != -1;)
		switch (option) {
		case 'o':
			options.output = optarg;
			break;
		case 'q':
			options.quiet = 1;
			break;
		case FORMAT:
			options.format = parse_format(optarg);
			break;
		case PER:
			options.per_line = parse_per(optarg);
			break;
		case VECTORS:
			options.vectors = optarg;
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			if (analysis_take(&options.analysis, "index", option, optarg))
				break;
			fputs("Try 'lanewise index --help'.\n", stderr);
			return TOOL_USAGE;
		}
	if (optind == argc)
		tool_fail_usage("index", "no PATH to index");
	if (!options.output)
		tool_fail_usage("index", "no -o FILE to write");
	return run(&options, argv + optind, argc - optind);
}
