/* SPDX-License-Identifier: Apache-2.0 */
/* Rules with regular expressions: compiled by the engine in the options, and tried on a candidate's window. */
#include "secrets/secrets.h"

#include <string.h>

#include "common.h"

enum { MAX_EXPRESSION_BYTES = 4096 };

/* Gives the engine's words and place for what is wrong with an expression, with the line. */
static void explain(struct lw_rules_reader *reader, const lanewise_error *error)
{
	size_t n_bytes = (size_t)(reader->end - reader->at);
	unsigned long long offset = error->offset < n_bytes ? error->offset : n_bytes;

	reader->at += offset;
	lanewise_secrets_wrong(reader, "the expression is wrong at its byte %llu: %s", offset, error->what);
}

static void set_status(struct lw_rules_reader *reader, lanewise_status status)
{
	reader->status = status;
	if (reader->error)
		reader->error->status = status;
}

uint32_t lanewise_secrets_read_expression(struct lw_rules_reader *reader, const char *rule, const uint32_t window[2])
{
	lanewise_secrets *secrets = reader->secrets;
	size_t n_bytes = (size_t)(reader->end - reader->at);
	struct lw_secret_expression *expression;
	lanewise_error error = { 0 };
	lanewise_status status;

	if (n_bytes == 0 || n_bytes > MAX_EXPRESSION_BYTES)
		return lanewise_secrets_wrong(reader, "an expression has 1 to %d bytes", MAX_EXPRESSION_BYTES);
	if (!reader->regex) {
		lanewise_secrets_wrong(reader, "rule %s has a regular expression, and there is no engine for these",
		                       rule);
		set_status(reader, LANEWISE_ERROR_UNSUPPORTED);
		return LW_NODE_NONE;
	}
	expression = lanewise_secrets_list_add(reader, &secrets->expressions, 1, LANEWISE_SECRETS_RULES);
	if (!expression)
		return LW_NODE_NONE;
	*expression = (struct lw_secret_expression) { NULL, window[0], window[1] };
	secrets->regex = *reader->regex;
	status = secrets->regex.compile(secrets->regex.context, reader->at, n_bytes,
	                                reader->ignore_case ? LANEWISE_REGEX_IGNORE_CASE : 0, reader->allocator,
	                                &expression->compiled, &error);
	if (status != LANEWISE_OK) {
		secrets->expressions.n--;
		if (status == LANEWISE_ERROR_DATA)
			explain(reader, &error);
		else
			lanewise_secrets_wrong(reader, "the expression of rule %s: %s", rule, error.what);
		set_status(reader, status);
		return LW_NODE_NONE;
	}
	return (uint32_t)(secrets->expressions.n - 1);
}

void lanewise_secrets_release_expressions(lanewise_secrets *secrets, size_t from)
{
	const struct lw_secret_expression *expressions = secrets->expressions.items;

	for (size_t i = from; i < secrets->expressions.n; i++)
		secrets->regex.release(secrets->regex.context, expressions[i].compiled);
	secrets->expressions.n = from;
}

/* Counts a candidate that was given up. */
static int leave_undecided(struct lw_secret_matcher *m, uint32_t number)
{
	m->undecided[number] += m->undecided[number] < LANEWISE_SECRETS_UNDECIDED;
	m->n_undecided++;
	return 0;
}

/* Whether an engine's range is one that it may give. */
static int is_right(const size_t range[4], size_t anchor_begin, size_t anchor_end, size_t n)
{
	if (range[0] > anchor_begin || range[1] < anchor_end || range[1] > n)
		return 0;
	return range[2] == SIZE_MAX || (range[2] <= range[3] && range[3] <= n);
}

int lanewise_secrets_match_expression(struct lw_secret_matcher *m, const struct lw_secret_rule *rule, size_t begin,
                                      size_t end, lanewise_secret *found)
{
	const lanewise_regex_engine *regex = &m->secrets->regex;
	const struct lw_secret_expression *e =
	        (const struct lw_secret_expression *)m->secrets->expressions.items + rule->expression;
	size_t from = begin - (begin < e->before ? begin : e->before);
	size_t n = m->n - end < e->behind ? m->n - from : end + e->behind - from, range[4];
	uint32_t flags =
	        (from > 0 || m->cut ? LANEWISE_REGEX_NOT_BEGIN : 0) | (from + n < m->n ? LANEWISE_REGEX_NOT_END : 0);
	int32_t fits;

	/* Only with all of the window, and what masks want to know behind it, so that nothing is tried twice. */
	if (!m->ended && m->n - end < (size_t)e->behind + LW_CHARACTER_BYTES)
		return -1;
	if (m->undecided[rule->expression] == LANEWISE_SECRETS_UNDECIDED)
		return leave_undecided(m, rule->expression);
	fits = regex->search(regex->context, e->compiled, (const char *)m->text + from, n, begin - from, end - from,
	                     flags, m->regex_scratch, range);
	if (fits < 0 || (fits && !is_right(range, begin - from, end - from, n)))
		return leave_undecided(m, rule->expression);
	if (!fits)
		return 0;

	int grouped = range[2] != SIZE_MAX;

	found->match_begin = from + (grouped && range[2] < range[0] ? range[2] : range[0]);
	found->match_end = from + (grouped && range[3] > range[1] ? range[3] : range[1]);
	found->begin = from + (grouped ? range[2] : range[0]);
	found->end = from + (grouped ? range[3] : range[1]);
	return 1;
}
