/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `lanewise dedup --lines` where hashes of different lines are equal, which they never are by chance: with its own hash, of
 * which all but a few bits are ignored, lines must still be told apart, also behind the point where lanewise/dedup.h goes
 * on, wherever that is, with one thread and with two. Compared with a search through all lines before.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "test.h"

/* So that a second thread has something to do, and hands it over in many parts. */
#define LINES_PIECE      1500
#define LINES_FEW_BYTES  1
#define LINES_PART_BYTES 1000

#include "../tools/lanewise/lines.c"
#include "../tools/lanewise/lines_ahead.c"
#include "../tools/lanewise/near.c"
#include "../tools/lanewise/support.c"

static uint64_t weaken;

static struct lines *create_weak(const struct lines_options *options, FILE *out, FILE *dropped)
{
	struct lines_options weak = *options;

	weak.weaken = weaken;
	return lines_create(&weak, out, dropped);
}

static int n_given_up, n_given_up_ahead;

static void count_texts(const struct lines *l, void (*take)(void *, const char *, size_t), void *context)
{
	n_given_up++;
	lines_texts(l, take, context);
}

#define lines_create create_weak
#define lines_texts  count_texts

static int end_ahead(struct lines_ahead *ahead, struct buffer *rest)
{
	n_given_up_ahead += ahead->is_given;
	return lines_ahead_end(ahead, rest);
}

#define lines_ahead_end end_ahead
#include "../tools/lanewise/dedup.c"

struct text {
	char *data;
	size_t n;
};

static struct text read_file(const char *path)
{
	FILE *stream = fopen(path, "rb");
	struct text text = { tool_allocate(1, 4 << 20), 0 };

	CHECK(stream != NULL);
	if (stream) {
		text.n = fread(text.data, 1, 4 << 20, stream);
		fclose(stream);
	}
	return text;
}

/* Runs the command with its output in the file `out`. */
static void run_dedup(char **argv, int argc, const char *out)
{
	int saved = dup(STDOUT_FILENO), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	fflush(stdout);
	dup2(to, STDOUT_FILENO);
	close(to);
	optind = 0;
	CHECK_EQUAL(tool_dedup(argc, argv), TOOL_OK);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
}

/* Lines of both files: what stays and what goes. The first ends in a newline or gets one. */
struct expected {
	struct text kept, dropped;
};

static int came_before(const struct text *kept, const char *line, size_t n)
{
	for (size_t at = 0; at < kept->n;) {
		const char *end = memchr(kept->data + at, '\n', kept->n - at);
		size_t length = (size_t)(end + 1 - kept->data) - at;

		if (length == n && memcmp(kept->data + at, line, n) == 0)
			return 1;
		at += length;
	}
	return 0;
}

static void append_text(struct text *text, const char *data, size_t n)
{
	memcpy(text->data + text->n, data, n);
	text->n += n;
}

static struct expected expect(const struct text *input)
{
	struct expected e = { { tool_allocate(1, input->n + 1), 0 }, { tool_allocate(1, input->n + 1), 0 } };

	for (size_t at = 0; at < input->n;) {
		const char *end = memchr(input->data + at, '\n', input->n - at);
		size_t n = (size_t)(end + 1 - input->data) - at;
		struct text *to = came_before(&e.kept, input->data + at, n) ? &e.dropped : &e.kept;

		append_text(to, input->data + at, n);
		at += n;
	}
	return e;
}

static int is_same(const char *path, const struct text *expected, size_t n)
{
	struct text text = read_file(path);
	int same = text.n == n && memcmp(text.data, expected->data, n) == 0;

	free(text.data);
	return same;
}

static void write_file(const char *path, const char *data, size_t n)
{
	FILE *stream = fopen(path, "wb");

	CHECK(stream != NULL && fwrite(data, 1, n, stream) == n && fclose(stream) == 0);
}

/* Lines of various lengths, some of them long; half of them repeat. */
static struct text make_text(size_t n_lines, uint64_t *state)
{
	struct text text = { tool_allocate(1, 4 << 20), 0 };

	for (size_t i = 0; i < n_lines; i++) {
		uint64_t value = test_random(state) % (n_lines / 2 + 1);
		size_t n = value % 97 == 0 ? 5000 : value % 40;

		text.n += (size_t)sprintf(text.data + text.n, "%x ", (unsigned)value);
		memset(text.data + text.n, (int)('a' + value % 26), n);
		text.n += n;
		text.data[text.n++] = '\n';
	}
	return text;
}

static void test_text(size_t n_lines, uint64_t bits, int is_open, uint64_t seed, char *n_threads)
{
	char name[] = "dedup", dropped[] = "--dropped", gone[] = "test_lines_tool.gone", a[] = "test_lines_tool.a",
	     b[] = "test_lines_tool.b", threads[] = "--threads";
	char *argv[] = { name, dropped, gone, threads, n_threads, a, b, NULL };
	uint64_t state = seed;
	struct text text = make_text(n_lines, &state);
	struct expected e = expect(&text);
	size_t cut = text.n / 2;

	/* The first file ends with a whole line, whose newline may be missing, and so may that of the second. */
	while (cut > 0 && text.data[cut - 1] != '\n')
		cut--;
	weaken = bits;
	write_file(a, text.data, cut - (cut > 0 && is_open));
	write_file(b, text.data + cut, text.n - cut - (size_t)is_open);
	run_dedup(argv, 7, "test_lines_tool.out");

	/* A newline that the last line did not have is not written, where that stays. */
	int last_stays = is_open && text.n > 0 && e.dropped.n < text.n &&
	                 (e.dropped.n == 0 || memcmp(text.data + text.n - 2, e.kept.data + e.kept.n - 2, 2) == 0);
	CHECK(is_same("test_lines_tool.out", &e.kept, e.kept.n) ||
	      (last_stays && is_same("test_lines_tool.out", &e.kept, e.kept.n - 1)));
	if (!is_open)
		CHECK(is_same(gone, &e.dropped, e.dropped.n));
	free(text.data);
	free(e.kept.data);
	free(e.dropped.data);
}

int main(void)
{
	/* All lines in one place with one tag; a few places; one tag; a few; the hash as it is. */
	static const uint64_t weak[] = { UINT64_MAX, (uint64_t)-4, 0xffff, 0xfffffffffff0, 0 };
	static const size_t n_lines[] = { 1, 2, 300, 1000, 3000, 15000 };

	char one[] = "1", two[] = "2";

	for (size_t w = 0; w < sizeof weak / sizeof *weak; w++) {
		int before = n_given_up;

		for (size_t i = 0; i < sizeof n_lines / sizeof *n_lines; i++) {
			if (w < 4 && i == 5)
				continue;
			for (int is_open = 0; is_open < 2; is_open++) {
				test_text(n_lines[i], weak[w], is_open, 1000 * w + i, one);
				test_text(n_lines[i], weak[w], is_open, 1000 * w + i, two);
			}
			CHECK(weak[w] || n_given_up == before);
		}
	}
	CHECK(n_given_up > 10);
	CHECK(n_given_up_ahead > 3);
	remove("test_lines_tool.a");
	remove("test_lines_tool.b");
	remove("test_lines_tool.gone");
	remove("test_lines_tool.out");
	return test_result();
}
