/* SPDX-License-Identifier: Apache-2.0 */
/* From a tree to one of its nodes: JSON pointers (RFC 6901) and paths such as choices[0].delta.content. */
#include <lanewise/json.h>

#include "common.h"
#include "support.h"

enum { POINTER, DOTTED };

/* Where a path is being read. */
struct reader {
	const char *path;
	size_t n, at;
	int kind;
	lanewise_error *error;
};

static lanewise_status fail(const struct reader *r, const char *what)
{
	return lw_fail(r->error, LANEWISE_ERROR_ARGUMENT, r->at, "json: path: %s", what);
}

/* The digits from `at` on as an index without leading zeros; UINT32_MAX if they are none. */
static uint32_t read_index(const char *path, size_t at, size_t end)
{
	uint64_t index = 0;

	if (at == end || end - at > 10 || (path[at] == '0' && end - at > 1))
		return UINT32_MAX;
	for (; at < end; at++) {
		if (path[at] < '0' || path[at] > '9')
			return UINT32_MAX;
		index = 10 * index + (uint64_t)(path[at] - '0');
	}
	return index < UINT32_MAX ? (uint32_t)index : UINT32_MAX;
}

/* The name of a pointer's step, ~0 and ~1 decoded. */
static lanewise_status read_pointer_step(struct reader *r, lanewise_json_step *step, char *names)
{
	size_t begin = ++r->at;

	for (; r->at < r->n && r->path[r->at] != '/'; r->at++) {
		char c = r->path[r->at];

		if (c == '~') {
			if (r->at + 1 == r->n || (r->path[r->at + 1] != '0' && r->path[r->at + 1] != '1'))
				return fail(r, "~ is followed by neither 0 nor 1");
			c = r->path[++r->at] == '0' ? '~' : '/';
		}
		names[step->offset + step->n_bytes++] = c;
	}
	step->index = read_index(r->path, begin, r->at);
	return LANEWISE_OK;
}

static lanewise_status read_dotted_step(struct reader *r, lanewise_json_step *step, char *names)
{
	size_t begin;

	if (r->path[r->at] == '[') {
		begin = ++r->at;
		while (r->at < r->n && r->path[r->at] != ']')
			r->at++;
		step->index = read_index(r->path, begin, r->at);
		if (r->at == r->n || step->index == UINT32_MAX)
			return fail(r, "[ is not followed by an index and ]");
		step->only_index = 1;
		r->at++;
		return LANEWISE_OK;
	}
	if (r->at > 0 && r->path[r->at] != '.')
		return fail(r, "neither . nor [ behind a step");
	r->at += r->at > 0;
	for (begin = r->at; r->at < r->n && r->path[r->at] != '.' && r->path[r->at] != '['; r->at++)
		names[step->offset + step->n_bytes++] = r->path[r->at];
	return r->at == begin ? fail(r, "a name without letters") : LANEWISE_OK;
}

lanewise_status lanewise_json_path(const char *path, size_t n_bytes, lanewise_json_step *steps, size_t capacity,
                                   size_t *n_steps, char *names, lanewise_error *error)
{
	struct reader r = { path, n_bytes, 0, n_bytes && path && path[0] == '/' ? POINTER : DOTTED, error };
	uint32_t n_names = 0;
	size_t n = 0;

	if (((!path || !names) && n_bytes) || (!steps && capacity) || !n_steps)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "json: a NULL pointer");
	if (n_bytes > UINT32_MAX)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "json: a path of %zu bytes",
		               n_bytes);
	while (r.at < r.n) {
		lanewise_json_step step = { .offset = n_names, .index = UINT32_MAX };
		lanewise_status status =
		        r.kind == POINTER ? read_pointer_step(&r, &step, names) : read_dotted_step(&r, &step, names);

		if (status != LANEWISE_OK)
			return status;
		if (n == capacity)
			return lw_fail(error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET, "json: more than %zu steps",
			               n);
		n_names += step.n_bytes;
		steps[n++] = step;
	}
	*n_steps = n;
	return LANEWISE_OK;
}

static size_t element(const lanewise_json_node *nodes, size_t array, uint32_t index)
{
	size_t at = array + 1;

	for (; at < nodes[array].next && index > 0; index--)
		at = nodes[at].next;
	return at < nodes[array].next ? at : SIZE_MAX;
}

size_t lanewise_json_follow(const char *text, const lanewise_json_node *nodes, size_t node,
                            const lanewise_json_step *steps, size_t n_steps, const char *names)
{
	for (size_t i = 0; i < n_steps && node != SIZE_MAX; i++) {
		const lanewise_json_step *step = &steps[i];

		if (nodes[node].type == LANEWISE_JSON_ARRAY && step->index != UINT32_MAX)
			node = element(nodes, node, step->index);
		else if (nodes[node].type == LANEWISE_JSON_OBJECT && !step->only_index)
			node = lanewise_json_member(text, nodes, node, names + step->offset, step->n_bytes);
		else
			node = SIZE_MAX;
	}
	return node;
}
