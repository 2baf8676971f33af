/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes by their definition in lanewise/secrets.h, read anew from their text at every place: a slow matcher that shares
 * nothing with the library's. It knows bytes, sets, counts, groups, !, \b, < and >; no `let`.
 */
#ifndef LW_SECRETS_NAIVE_H
#define LW_SECRETS_NAIVE_H

#include <stdint.h>
#include <string.h>

struct naive {
	const char *text;
	int n;
	int open, close; /* -1: not met */
};

static int naive_word(const struct naive *m, int at)
{
	char c = at >= 0 && at < m->n ? m->text[at] : ' ';

	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The end of the part that begins at `part`, counts not included. */
static const char *naive_part_end(const char *part)
{
	int depth = 0;

	if (*part == '\\')
		return part + 2;
	if (*part == '!')
		return naive_part_end(part + 1);
	if (*part == '[') {
		while (*part != ']')
			part += *part == '\\' ? 2 : 1;
		return part + 1;
	}
	do {
		if (*part == '[' || *part == '\\') {
			part = naive_part_end(part);
			continue;
		}
		depth += *part == '(' ? 1 : *part == ')' ? -1 : 0;
		part++;
	} while (depth > 0);
	return part;
}

/* Counts behind a part; returns what is behind them. */
static const char *naive_counts(const char *p, int *min, int *max)
{
	*min = *max = 1;
	if (*p == '?')
		return *min = 0, p + 1;
	if (*p == '*')
		return *min = 0, *max = 16384, p + 1;
	if (*p == '+')
		return *max = 16384, p + 1;
	if (*p != '{')
		return p;
	*min = *max = (int)strtol(p + 1, (char **)(uintptr_t)&p, 10);
	if (*p == ',')
		*max = p[1] == '}' ? 16384 : (int)strtol(p + 1, NULL, 10);
	return strchr(p, '}') + 1;
}

static int naive_in_set(const char *set, char c)
{
	int inverted = set[1] == '^', in = 0;

	for (const char *p = set + 1 + inverted; *p != ']'; p++) {
		p += *p == '\\';
		if (p[1] == '-' && p[2] != ']') {
			in |= c >= p[0] && c <= p[2];
			p += 2;
		} else {
			in |= c == *p;
		}
	}
	return in != inverted;
}

static int naive_has(const char *part, char c)
{
	return *part == '['    ? naive_in_set(part, c)
	       : *part == '.'  ? c != '\n'
	       : *part == '\\' ? part[1] == c
	                       : *part == c;
}

static int naive_sequence(struct naive *m, const char *shape, const char *end, int at, int step);

/* The alternatives between two parentheses; the place behind, or -1. */
static int naive_group(struct naive *m, const char *inside, const char *end, int at, int step)
{
	struct naive before = *m;

	for (const char *from = inside; from <= end;) {
		const char *to = from;
		int got;

		while (to < end && *to != '|')
			to = naive_part_end(to);
		got = naive_sequence(m, from, to, at, step);
		if (got >= 0)
			return got;
		*m = before;
		from = to + 1;
	}
	return -1;
}

static int naive_part(struct naive *m, const char *part, int at, int step)
{
	const char *end = naive_part_end(part);
	int min, max, n = 0;

	naive_counts(end, &min, &max);
	if (*part == '<')
		return m->open = at;
	if (*part == '>')
		return m->close = at;
	if (*part == '\\' && part[1] == 'b')
		return naive_word(m, at - 1) != naive_word(m, at) ? at : -1;
	if (*part == '!') {
		struct naive copy = *m;
		int fits = part[1] == '(' ? naive_group(&copy, part + 2, end - 1, at, step)
		                          : naive_sequence(&copy, part + 1, end, at, step);

		return fits >= 0 ? -1 : at;
	}
	if (*part == '(') {
		int got = naive_group(m, part + 1, end - 1, at, step);

		return got < 0 && min == 0 ? at : got;
	}
	for (; n < max; n++) {
		int place = step > 0 ? at : at - 1;

		if (place < 0 || place >= m->n || !naive_has(part, m->text[place]))
			break;
		at += step;
	}
	return n < min ? -1 : at;
}

/* From left to right, or with step -1 the parts from right to left, each matched to the left. */
static int naive_sequence(struct naive *m, const char *shape, const char *end, int at, int step)
{
	const char *parts[64];
	int n = 0, min, max;

	for (const char *p = shape; p < end;) {
		if (*p == ' ') {
			p++;
			continue;
		}
		parts[n++] = p;
		p = naive_counts(naive_part_end(p), &min, &max);
	}
	for (int i = 0; i < n && at >= 0; i++)
		at = naive_part(m, parts[step > 0 ? i : n - 1 - i], at, step);
	return at;
}

/* Whether `shape` fits around text[begin ... end), which is the anchor; its ranges. */
static int naive_match(const char *shape, const char *text, int n, int begin, int end, uint64_t range[4])
{
	struct naive m = { text, n, -1, -1 };
	const char *at = strchr(shape, '@');
	int from = naive_sequence(&m, shape, at, begin, -1), to;

	if (from < 0)
		return 0;
	to = naive_sequence(&m, at + 1, at + strlen(at), end, 1);
	if (to < 0)
		return 0;
	range[0] = (uint64_t)(m.open < 0 ? from : m.open);
	range[1] = (uint64_t)(m.close < 0 ? to : m.close);
	range[2] = (uint64_t)from;
	range[3] = (uint64_t)to;
	return range[0] < range[1];
}

#endif
