/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line becomes steps, and a path is matched by all ways to go through these at once, so that no line takes long however
 * many stars it has.
 */
#include "ignore.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum step_kind {
	STEP_BYTE,
	STEP_ANY,         /* ? */
	STEP_SET,         /* [a-z] */
	STEP_STAR,        /* * */
	STEP_EVERYTHING,  /* ** at the end */
	STEP_DIRECTORIES, /* **, a slash, at a directory's beginning; and the next step within one */
	STEP_IN_DIRECTORY
};

struct step {
	enum step_kind kind;
	uint8_t byte;
	uint8_t set[32];
};

struct ignore_line {
	struct step *steps;
	size_t n;
	int negated, directories_only;
};

static void add_step(struct ignore_line *line, enum step_kind kind, uint8_t byte)
{
	line->steps = tool_reallocate(line->steps, line->n + 1, sizeof *line->steps);
	line->steps[line->n++] = (struct step) { .kind = kind, .byte = byte };
}

/* [...], of which at[0] is the bracket; returns what is behind, or NULL if it has no end. */
static const char *add_set(struct ignore_line *line, const char *at, const char *end)
{
	struct step step = { .kind = STEP_SET };
	const char *p = at + 1;
	int inverted = p < end && (*p == '!' || *p == '^'), first = 1;

	for (p += inverted; p < end && (*p != ']' || first); first = 0) {
		uint8_t low, high;

		p += *p == '\\' && p + 1 < end;
		low = high = (uint8_t)*p++;
		if (end - p >= 2 && *p == '-' && p[1] != ']') {
			p += 1 + (p[1] == '\\' && end - p > 2);
			high = (uint8_t)*p++;
		}
		for (unsigned b = low; b <= high; b++)
			step.set[b / 8] |= (uint8_t)(1 << b % 8);
	}
	if (p >= end)
		return NULL;
	for (int i = 0; inverted && i < 32; i++)
		step.set[i] = (uint8_t)~step.set[i];
	step.set['/' / 8] &= (uint8_t)~(1 << '/' % 8);
	add_step(line, STEP_SET, 0);
	line->steps[line->n - 1] = step;
	return p + 1;
}

static const char *add_stars(struct ignore_line *line, const char *at, const char *begin, const char *end)
{
	const char *behind = at;

	while (behind < end && *behind == '*')
		behind++;
	if (behind - at < 2 || (at > begin && at[-1] != '/') || (behind < end && *behind != '/')) {
		add_step(line, STEP_STAR, 0);
		return behind;
	}
	if (behind == end) {
		add_step(line, STEP_EVERYTHING, 0);
		return behind;
	}
	add_step(line, STEP_DIRECTORIES, 0);
	add_step(line, STEP_IN_DIRECTORY, 0);
	return behind + 1;
}

static void add_steps(struct ignore_line *line, const char *begin, const char *end)
{
	for (const char *at = begin; at < end;) {
		const char *behind = *at == '[' ? add_set(line, at, end) : NULL;

		if (behind) {
			at = behind;
		} else if (*at == '*') {
			at = add_stars(line, at, begin, end);
		} else if (*at == '?') {
			add_step(line, STEP_ANY, 0);
			at++;
		} else {
			at += *at == '\\' && at + 1 < end;
			add_step(line, STEP_BYTE, (uint8_t)*at++);
		}
	}
}

void ignore_add_line(struct ignore_list *list, const char *text, size_t n)
{
	const char *at = text, *end = text + n;
	struct ignore_line line = { 0 };

	while (end > at && (end[-1] == ' ' || end[-1] == '\r') && !(end - at > 1 && end[-2] == '\\'))
		end--;
	if (at == end || *at == '#')
		return;
	line.negated = *at == '!';
	at += line.negated;
	if (end > at && end[-1] == '/') {
		line.directories_only = 1;
		end--;
	}
	if (at == end)
		return;
	if (!memchr(at, '/', (size_t)(end - at))) {
		add_step(&line, STEP_DIRECTORIES, 0);
		add_step(&line, STEP_IN_DIRECTORY, 0);
	} else if (*at == '/') {
		at++;
	}
	add_steps(&line, at, end);
	if (list->n == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 16;
		list->lines = tool_reallocate(list->lines, list->capacity, sizeof *list->lines);
	}
	list->lines[list->n++] = line;
}

void ignore_add_lines(struct ignore_list *list, const char *text, size_t n)
{
	const char *at = text, *end = text + n;

	while (at < end) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));

		ignore_add_line(list, at, (size_t)((feed ? feed : end) - at));
		at = feed ? feed + 1 : end;
	}
}

/* Marks a step, and what can be reached from it without a byte. */
static void reach(const struct ignore_line *line, uint8_t *at, size_t i)
{
	for (;;) {
		at[i] = 1;
		if (i == line->n)
			return;
		if (line->steps[i].kind == STEP_DIRECTORIES)
			i += 2;
		else if (line->steps[i].kind == STEP_STAR || line->steps[i].kind == STEP_EVERYTHING)
			i++;
		else
			return;
	}
}

/* From step i by one byte. */
static void go(const struct ignore_line *line, uint8_t *next, size_t i, uint8_t byte)
{
	const struct step *step = &line->steps[i];

	switch (step->kind) {
	case STEP_BYTE:
		if (byte == step->byte)
			reach(line, next, i + 1);
		break;
	case STEP_ANY:
		if (byte != '/')
			reach(line, next, i + 1);
		break;
	case STEP_SET:
		if (step->set[byte / 8] >> byte % 8 & 1)
			reach(line, next, i + 1);
		break;
	case STEP_STAR:
		if (byte != '/')
			reach(line, next, i);
		break;
	case STEP_EVERYTHING:
		reach(line, next, i);
		break;
	case STEP_DIRECTORIES:
		next[byte == '/' ? i : i + 1] = 1;
		break;
	case STEP_IN_DIRECTORY:
		if (byte == '/')
			reach(line, next, i - 1);
		else
			next[i] = 1;
		break;
	}
}

static int line_matches(const struct ignore_line *line, const char *path)
{
	uint8_t *at = tool_allocate(2 * (line->n + 1), 1), *next = at + line->n + 1;
	int matches;

	memset(at, 0, line->n + 1);
	reach(line, at, 0);
	for (const char *p = path; *p; p++) {
		memset(next, 0, line->n + 1);
		for (size_t i = 0; i < line->n; i++)
			if (at[i])
				go(line, next, i, (uint8_t)*p);
		memcpy(at, next, line->n + 1);
	}
	matches = at[line->n];
	free(at);
	return matches;
}

int ignore_decides(const struct ignore_list *list, const char *path, int is_directory)
{
	for (size_t i = list->n; i-- > 0;) {
		const struct ignore_line *line = &list->lines[i];

		if ((is_directory || !line->directories_only) && line_matches(line, path))
			return !line->negated;
	}
	return -1;
}

void ignore_free(struct ignore_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->lines[i].steps);
	free(list->lines);
	*list = (struct ignore_list) { 0 };
}
