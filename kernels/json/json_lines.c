/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NDJSON, line by line. A newline is never part of a JSON value, except as white space, so lines are found first. Their
 * tokens are found for many lines at once, and each line's tree is made from its own; where something is wrong, lines are
 * parsed one by one.
 */
#include <string.h>

#include <lanewise/json.h>

#include "common.h"
#include "json_number.h"
#include "support.h"

static int is_blank(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return 0;
	return 1;
}

/* The value of a line. Only errors that concern more than the line are returned. */
static lanewise_status parse_line(const char *text, size_t n, const lanewise_json_options *options,
                                  lanewise_json_node *nodes, size_t capacity, lanewise_json_line *line)
{
	lanewise_error error = { 0 };
	size_t n_nodes = 0;
	lanewise_status status = lanewise_json_parse(text, n, options, nodes, capacity, &n_nodes, &error);

	line->n_bytes = (uint32_t)n;
	line->status = (int32_t)status;
	line->error_at = status == LANEWISE_ERROR_DATA ? error.offset : 0;
	line->n_nodes = n_nodes;
	return status == LANEWISE_ERROR_DATA ? LANEWISE_OK : status;
}

/* Lines whose tokens are there: text[begin ... end), if there is nothing wrong, from token `next` on. */
enum {
	BATCH = 16384,
	COUNTED = 16 /* tokens that are counted at a time; behind the last there are as many without end */
};

struct batch {
	size_t begin, end, next, n_tokens;
	int is_known;
	uint32_t max_depth;
	uint8_t allow_lone_surrogates;
	uint32_t tokens[LW_JSON_TOKENS_BEFORE + BATCH + LW_JSON_TOKENS_ROOM + LW_JSON_TOKENS_LEFT];
};

/* The size of the whole lines at the beginning; 0 if not even the first is there. */
static size_t whole_lines(const char *text, size_t n)
{
	unsigned newlines = 0;

	/* Compilers make vectors of this. */
	for (; n >= 64; n -= 64) {
		for (size_t i = n - 64; i < n; i++)
			newlines += text[i] == '\n';
		if (newlines)
			break;
	}
	while (n > 0 && text[n - 1] != '\n')
		n--;
	return n;
}

static int is_utf8(const char *text, size_t n)
{
	lanewise_utf8_state state = { 0 };

	return lanewise_utf8_feed(&state, text, n, NULL) == LANEWISE_OK && state.n_partial == 0;
}

/* How much of n bytes is worth it, where only so many lines and nodes will be taken. */
static size_t batch_size(size_t n, size_t n_lines, size_t n_nodes)
{
	if (n > BATCH)
		n = BATCH;
	if (n_lines < n / 256)
		n = 256 * n_lines;
	return n_nodes < n / 4 ? 4 * n_nodes : n;
}

/* The tokens of the lines within the first n_most of n bytes that begin with text[0], which is `at` in the text. */
static void next_batch(struct batch *b, const char *text, size_t n, size_t n_most, size_t at)
{
	struct lw_json_scan scan = { .n_text = n <= n_most ? n : whole_lines(text, n_most) };

	b->begin = at;
	b->end = at + scan.n_text;
	b->next = 0;
	b->is_known = 0;
	scan.allow_lone_surrogates = b->allow_lone_surrogates;
	if (scan.n_text == 0)
		return;
	b->n_tokens = lw_kernels()->json_tokens((const uint8_t *)text, 0, scan.n_text, &scan,
	                                        b->tokens + LW_JSON_TOKENS_BEFORE);
	memset(b->tokens + LW_JSON_TOKENS_BEFORE + b->n_tokens, 0xff, COUNTED * sizeof *b->tokens);
	b->is_known = !scan.bad && (!scan.wide || is_utf8(text, scan.n_text));
}

/* The tokens of the line text[at ... end), which is the next one; their number to *n. */
static uint32_t *line_tokens(struct batch *b, size_t at, size_t end, size_t *n)
{
	uint32_t *tokens = b->tokens + LW_JSON_TOKENS_BEFORE, limit = (uint32_t)(end - b->begin) << 8;
	size_t begin = b->next, next;
	uint32_t count;

	/* The end of the line before is a token if it directly follows one. */
	begin += tokens[begin] < (uint32_t)(at - b->begin) << 8;
	next = begin;
	do {
		count = 0;
		for (size_t i = 0; i < COUNTED; i++)
			count += tokens[next + i] < limit;
		next += count;
	} while (count == COUNTED);
	b->next = next;
	*n = next - begin;
	return tokens + begin;
}

/* The tree of text[begin ... end) by its tokens; 0 if it is none, or there is no room. */
static int grow_line(const struct batch *b, uint32_t *tokens, size_t n_tokens, const char *text, size_t begin,
                     lanewise_json_node *nodes, size_t capacity, size_t *n_nodes)
{
	struct lw_json_tree tree = { .nodes = nodes, .capacity = capacity, .max_depth = b->max_depth };

	for (size_t i = 1; i <= LW_JSON_TOKENS_BEFORE; i++)
		*(tokens - i) = ':';
	lw_kernels()->json_nodes((const uint8_t *)text + begin, b->begin - begin, tokens, n_tokens, 1, &tree);
	*n_nodes = tree.n_nodes;
	return !tree.bad;
}

/* Whether lines may be parsed by their tokens; if not, the options may be wrong. */
static int are_plain(const lanewise_json_options *options)
{
	static const uint32_t plain = LANEWISE_JSON_ALLOW_BOM | LANEWISE_JSON_ALLOW_LONE_SURROGATES;

	return lw_json_has_tree_kernels() &&
	       (!options || (options->struct_size >= sizeof *options && !(options->flags & ~plain)));
}

/* One line that is not blank, text[at ... end). */
static lanewise_status take_line(struct batch *b, uint32_t *tokens, size_t n_tokens, const char *text, size_t at,
                                 size_t end, const lanewise_json_options *options, lanewise_json_node *nodes,
                                 size_t capacity, lanewise_json_line *line)
{
	size_t n_line = end - at - (text[end - 1] == '\r'), n_nodes;

	line->begin = at;
	if (!tokens || !grow_line(b, tokens, n_tokens, text, at, nodes, capacity, &n_nodes))
		return parse_line(text + at, n_line, options, nodes, capacity, line);
	line->n_bytes = (uint32_t)n_line;
	line->status = LANEWISE_OK;
	line->error_at = 0;
	line->n_nodes = n_nodes;
	return LANEWISE_OK;
}

lanewise_status lanewise_json_parse_lines(const char *text, size_t n_bytes, const lanewise_json_options *options,
                                          lanewise_json_node *nodes, size_t node_capacity, lanewise_json_line *lines,
                                          size_t line_capacity, size_t *n_lines, size_t *n_taken)
{
	size_t at = 0, n = 0, n_nodes = 0;
	struct batch batch;

	if ((!text && n_bytes) || (!nodes && node_capacity) || (!lines && line_capacity) || !n_lines || !n_taken)
		return LANEWISE_ERROR_ARGUMENT;
	batch.end = 0;
	batch.is_known = 0;
	batch.max_depth = options && options->max_depth ? options->max_depth : LW_JSON_DEFAULT_DEPTH;
	batch.allow_lone_surrogates = options && (options->flags & LANEWISE_JSON_ALLOW_LONE_SURROGATES);
	while (at < n_bytes) {
		const char *newline = memchr(text + at, '\n', n_bytes - at);
		size_t end = newline ? (size_t)(newline - text) : n_bytes, n_tokens = 0;
		uint32_t *tokens = NULL;

		if (at >= batch.end && are_plain(options))
			next_batch(&batch, text + at, n_bytes - at,
			           batch_size(n_bytes - at, line_capacity - n, node_capacity - n_nodes), at);
		if (batch.is_known && at < batch.end)
			tokens = line_tokens(&batch, at, end, &n_tokens);
		if (tokens ? n_tokens > 0 : !is_blank(text + at, end - at)) {
			lanewise_status status = LANEWISE_ERROR_CAPACITY;

			if (n < line_capacity)
				status = take_line(&batch, tokens, n_tokens, text, at, end, options, nodes + n_nodes,
				                   node_capacity - n_nodes, &lines[n]);
			if (status != LANEWISE_OK) {
				if (n > 0)
					break; /* told when this line is the first */
				*n_lines = *n_taken = 0;
				return status;
			}
			lines[n].first_node = n_nodes;
			n_nodes += lines[n++].n_nodes;
		}
		at = end + (newline != NULL);
	}
	*n_lines = n;
	*n_taken = at;
	return LANEWISE_OK;
}
