/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First all mentions of names are collected, two for each edge and one for each node, their texts side by side; then they
 * are numbered in order of first mention, and edges get these numbers.
 */
#include "graph_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

struct reader {
	struct graph_file *file;
	const char *path;
	size_t *begin;           /* [mention] in names_text, and the end of the last */
	unsigned char *declared; /* [mention] */
	size_t n_mentions, capacity;
	size_t edge_capacity, n_weights;
};

/* --------------------------------------------------------------------- file */

static void read_all(struct buffer *text, const char *path)
{
	FILE *stream = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	size_t n;

	if (!stream)
		tool_fail("%s: %s", path, strerror(errno));
	while ((n = fread(buffer_reserve(text, 1 << 16), 1, 1 << 16, stream)) > 0)
		text->n += n;
	if (ferror(stream))
		tool_fail("%s: %s", path, strerror(errno));
	if (stream != stdin)
		fclose(stream);
	buffer_append(text, "", 1);
	text->n--;
}

/* ----------------------------------------------------------------- mentions */

/* What was appended to names_text since the last mention is a name. */
static uint32_t mention(struct reader *r, int declared)
{
	if (r->n_mentions + 1 >= r->capacity) {
		r->capacity = r->capacity ? 2 * r->capacity : 1024;
		r->begin = tool_reallocate(r->begin, r->capacity, sizeof *r->begin);
		r->declared = tool_reallocate(r->declared, r->capacity, sizeof *r->declared);
	}
	if (r->n_mentions == UINT32_MAX - 1)
		tool_fail("%s: too many edges", r->path);
	r->begin[0] = 0;
	r->declared[r->n_mentions] = (unsigned char)declared;
	r->begin[r->n_mentions + 1] = r->file->names_text.n;
	return (uint32_t)r->n_mentions++;
}

static uint32_t mention_text(struct reader *r, const char *text, size_t n_bytes, int declared)
{
	buffer_append(&r->file->names_text, text, n_bytes);
	return mention(r, declared);
}

/* An edge between two mentions. */
static void add_edge(struct reader *r, uint32_t src, uint32_t dst, double weight, size_t line)
{
	struct graph_file *file = r->file;

	if (file->n_edges == r->edge_capacity) {
		size_t capacity = r->edge_capacity = r->edge_capacity ? 2 * r->edge_capacity : 1024;

		file->src = tool_reallocate(file->src, capacity, sizeof *file->src);
		file->dst = tool_reallocate(file->dst, capacity, sizeof *file->dst);
		file->weight = tool_reallocate(file->weight, capacity, sizeof *file->weight);
		file->line = tool_reallocate(file->line, capacity, sizeof *file->line);
	}
	file->src[file->n_edges] = src;
	file->dst[file->n_edges] = dst;
	file->weight[file->n_edges] = weight;
	file->line[file->n_edges++] = line;
}

/* Names are numbered by their first mention, and edges get these numbers. */
static void number_names(struct reader *r)
{
	struct graph_file *file = r->file;
	uint32_t *number = tool_allocate(r->n_mentions, sizeof *number);
	lanewise_error error;

	if (lanewise_names_create(file->names_text.data, r->begin, r->n_mentions, NULL, &file->names, number, &error))
		tool_fail("%s: %s", r->path, error.what);
	file->n_names = lanewise_names_count(file->names);
	file->declared = tool_allocate(file->n_names, 1);
	for (size_t u = 0; u < file->n_names; u++)
		file->declared[u] = 0;
	for (size_t i = 0; i < r->n_mentions; i++)
		file->declared[number[i]] |= r->declared[i];
	for (size_t i = 0; i < file->n_edges; i++) {
		file->src[i] = number[file->src[i]];
		file->dst[i] = number[file->dst[i]];
	}
	free(number);
}

/* ---------------------------------------------------------------- edge list */

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* The next word before `end`, from *at on; its length, 0 if there is none. */
static size_t next_word(const char **at, const char *end)
{
	const char *p = *at, *begin;

	while (p < end && is_blank(*p))
		p++;
	for (begin = p; p < end && !is_blank(*p);)
		p++;
	*at = begin;
	return (size_t)(p - begin);
}

static void read_line(struct reader *r, const char *at, const char *end, size_t line)
{
	size_t n_bytes = next_word(&at, end);
	double weight = 1;
	uint32_t src, dst;

	if (n_bytes == 0 || *at == '#')
		return;
	src = mention_text(r, at, n_bytes, 1);
	at += n_bytes;
	n_bytes = next_word(&at, end);
	if (n_bytes == 0)
		return;
	dst = mention_text(r, at, n_bytes, 1);
	at += n_bytes;
	n_bytes = next_word(&at, end);
	if (n_bytes) {
		char *number_end;

		weight = strtod(at, &number_end);
		if (number_end != at + n_bytes)
			tool_fail("%s:%zu: the weight is no number", r->path, line);
		r->n_weights++;
		at += n_bytes;
		if (next_word(&at, end))
			tool_fail("%s:%zu: more than a source, a target and a weight", r->path, line);
	}
	add_edge(r, src, dst, weight, line);
}

static void read_list(struct reader *r)
{
	const char *at = r->file->text.data, *end = at + r->file->text.n;

	for (size_t line = 1; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;

		read_line(r, at, line_end, line);
		at = newline ? newline + 1 : end;
	}
}

/* --------------------------------------------------------------------- JSON */

/* A name: a string, or a number as it is written. */
static int read_name(struct reader *r, struct json_reader *json, int declared, uint32_t *number)
{
	size_t begin;

	if (json_peek(json) == '"') {
		if (!json_string(json, &r->file->names_text))
			return 0;
		*number = mention(r, declared);
		return 1;
	}
	if (!json_number(json, &begin))
		return 0;
	*number = mention_text(r, json->text + begin, json->at - begin, declared);
	return 1;
}

static int read_weight(struct reader *r, struct json_reader *json, double *weight)
{
	size_t begin;

	if (!json_number(json, &begin))
		return 0;
	*weight = strtod(json->text + begin, NULL);
	r->n_weights++;
	return 1;
}

/* Goes on after an element: 1 if there is another, 0 if not, -1 after an error. */
static int next_element(struct json_reader *json, char close)
{
	if (json_peek(json) == close)
		return json_expect(json, close, "the end") ? 0 : -1;
	return json_expect(json, ',', close == ']' ? "a comma or ]" : "a comma or }") ? 1 : -1;
}

/* Begins an array or object: 1 if it has an element, 0 if it is empty, -1 after an error. */
static int first_element(struct json_reader *json, char open, char close, const char *what)
{
	if (!json_expect(json, open, what))
		return -1;
	if (json_peek(json) == close)
		return json_expect(json, close, "the end") ? 0 : -1;
	return 1;
}

/* The key of a member, with its colon. */
static int read_key(struct json_reader *json, struct buffer *key)
{
	key->n = 0;
	if (!json_string(json, key))
		return 0;
	buffer_append(key, "", 1);
	return json_expect(json, ':', "a colon");
}

static int read_node(struct reader *r, struct json_reader *json, struct buffer *key)
{
	size_t begin = json->at;
	uint32_t number;
	int named = 0, more;

	if (json_peek(json) != '{')
		return read_name(r, json, 1, &number);
	for (more = first_element(json, '{', '}', "a node"); more > 0; more = next_element(json, '}')) {
		if (!read_key(json, key))
			return 0;
		if (strcmp(key->data, "id") == 0) {
			if (named++)
				return json_fail(json, "a second id", json->at);
			if (!read_name(r, json, 1, &number))
				return 0;
		} else if (!json_skip(json)) {
			return 0;
		}
	}
	return more == 0 && (named || json_fail(json, "a node without an id", begin));
}

static int read_edge_array(struct reader *r, struct json_reader *json)
{
	uint32_t src, dst;
	double weight = 1;

	if (!json_expect(json, '[', "an edge") || !read_name(r, json, 0, &src) || !json_expect(json, ',', "a comma") ||
	    !read_name(r, json, 0, &dst))
		return 0;
	if (json_peek(json) == ',' && (!json_expect(json, ',', "a comma") || !read_weight(r, json, &weight)))
		return 0;
	if (!json_expect(json, ']', "]"))
		return 0;
	add_edge(r, src, dst, weight, 0);
	return 1;
}

static int read_edge(struct reader *r, struct json_reader *json, struct buffer *key)
{
	enum { SOURCE = 1, TARGET = 2, WEIGHT = 4 };
	size_t begin = json->at;
	uint32_t src = 0, dst = 0;
	double weight = 1;
	int seen = 0, more;

	if (json_peek(json) == '[')
		return read_edge_array(r, json);
	for (more = first_element(json, '{', '}', "an edge"); more > 0; more = next_element(json, '}')) {
		int member, done;

		if (!read_key(json, key))
			return 0;
		member = strcmp(key->data, "source") == 0   ? SOURCE
		         : strcmp(key->data, "target") == 0 ? TARGET
		         : strcmp(key->data, "weight") == 0 ? WEIGHT
		                                            : 0;
		if (seen & member)
			return json_fail(json, "a second source, target or weight", json->at);
		seen |= member;
		done = member == SOURCE   ? read_name(r, json, 0, &src)
		       : member == TARGET ? read_name(r, json, 0, &dst)
		       : member == WEIGHT ? read_weight(r, json, &weight)
		                          : json_skip(json);
		if (!done)
			return 0;
	}
	if (more < 0)
		return 0;
	if ((seen & (SOURCE | TARGET)) != (SOURCE | TARGET))
		return json_fail(json, "an edge without a source or a target", begin);
	add_edge(r, src, dst, weight, 0);
	return 1;
}

static int read_array(struct reader *r, struct json_reader *json, struct buffer *key, const char *what,
                      int (*read)(struct reader *r, struct json_reader *json, struct buffer *key))
{
	int more;

	for (more = first_element(json, '[', ']', what); more > 0; more = next_element(json, ']'))
		if (!read(r, json, key))
			return 0;
	return more == 0;
}

static int read_object(struct reader *r, struct json_reader *json, struct buffer *key)
{
	int n_nodes = 0, n_edges = 0, more;

	for (more = first_element(json, '{', '}', "an object"); more > 0; more = next_element(json, '}')) {
		int done;

		if (!read_key(json, key))
			return 0;
		if (strcmp(key->data, "nodes") == 0 && n_nodes++ == 0)
			done = read_array(r, json, key, "an array of nodes", read_node);
		else if (strcmp(key->data, "edges") == 0 && n_edges++ == 0)
			done = read_array(r, json, key, "an array of edges", read_edge);
		else
			done = json_skip(json);
		if (!done)
			return 0;
	}
	r->file->declares = n_nodes > 0;
	if (n_nodes > 1 || n_edges != 1)
		return json_fail(json, "there must be one array \"edges\" and at most one \"nodes\"", json->at);
	return more == 0 && json_end(json);
}

static void read_json(struct reader *r)
{
	struct json_reader json;
	struct buffer key = { 0 };

	json_begin(&json, r->file->text.data, r->file->text.n);
	if (!read_object(r, &json, &key))
		tool_fail("%s: %s (at byte %zu)", r->path, json.error, json.error_at);
	buffer_free(&key);
	free(r->file->line);
	r->file->line = NULL;
}

/* ---------------------------------------------------------------- interface */

void graph_file_read(struct graph_file *file, const char *path)
{
	struct reader r = { .file = file, .path = path };
	size_t at = 0;

	memset(file, 0, sizeof *file);
	read_all(&file->text, path);
	while (at < file->text.n && strchr(" \t\r\n", file->text.data[at]) && file->text.data[at])
		at++;
	if (at < file->text.n && file->text.data[at] == '{')
		read_json(&r);
	else
		read_list(&r);
	number_names(&r);
	if (!r.n_weights) {
		free(file->weight);
		file->weight = NULL;
	}
	free(r.begin);
	free(r.declared);
}

lanewise_graph *graph_file_create(const struct graph_file *file, const char *path)
{
	lanewise_graph *graph = NULL;
	lanewise_error error;
	lanewise_status status = lanewise_graph_create(file->n_names, file->src, file->dst, file->weight, file->n_edges,
	                                               NULL, NULL, &graph, &error);

	if (status == LANEWISE_ERROR_DATA && file->line)
		tool_fail("%s:%zu: %s", path, file->line[error.offset], error.what);
	if (status)
		tool_fail("%s: %s", path, error.what);
	return graph;
}

uint32_t graph_file_find(const struct graph_file *file, const char *name)
{
	return lanewise_names_find(file->names, name, strlen(name));
}

void graph_file_free(struct graph_file *file)
{
	buffer_free(&file->text);
	buffer_free(&file->names_text);
	lanewise_names_destroy(file->names);
	free(file->declared);
	free(file->src);
	free(file->dst);
	free(file->weight);
	free(file->line);
}
