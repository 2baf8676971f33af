/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A candidate's shape, in one walk without return, and whether what has it is a secret.
 *
 * Bytes that a node's set has taken are remembered until others are asked for, so that a million candidates in one long
 * run read it once. What else a candidate costs is bounded by its rule, and by LW_SECRET_JUDGED.
 */
#include "secrets/secrets.h"

#include <string.h>

#include "common.h"
#include "log.h"

/* One candidate's walk. */
struct walk {
	struct lw_secret_matcher *matcher;
	int ignore_case;
	size_t open, close; /* SIZE_MAX if not yet met */
};

static uint8_t fold(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte; }

static int is_word(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
	       byte == '_';
}

static int same_bytes(const uint8_t *text, const uint8_t *bytes, size_t n, int ignore_case)
{
	if (!ignore_case)
		return memcmp(text, bytes, n) == 0;
	for (size_t i = 0; i < n; i++)
		if (fold(text[i]) != fold(bytes[i]))
			return 0;
	return 1;
}

/* The text known ends where it would have to be read. */
static void touch_end(struct lw_secret_matcher *m) { m->touched |= !m->ended; }

/* How many bytes of the set stand at text[at ...), at most `limit`. */
static size_t run_forward(struct lw_secret_matcher *m, struct lw_secret_run *run, const uint8_t set[32], size_t at,
                          size_t limit)
{
	int cut = limit > m->n - at;

	if (cut)
		limit = m->n - at;
	if (at < run->from || at > run->to)
		*run = (struct lw_secret_run) { at, at, 0 };
	while (!run->ended && run->to - at < limit) {
		run->ended = !lw_set_has(set, m->text[run->to]);
		run->to += !run->ended;
	}
	if (cut && run->to - at >= limit)
		touch_end(m);
	return run->to - at < limit ? run->to - at : limit;
}

/* How many stand before `at`. What was remembered may end in what is read now: then the rest is known. */
static size_t run_backward(const struct lw_secret_matcher *m, struct lw_secret_run *run, const uint8_t set[32],
                           size_t at, size_t limit)
{
	size_t stop = limit < at ? at - limit : 0, from = at;
	int ended = 0, joined = 0;

	while (from > stop && !ended) {
		if (!joined && from <= run->to && from >= run->from) {
			joined = 1;
			from = run->from;
			ended = run->ended;
		} else {
			ended = !lw_set_has(set, m->text[from - 1]);
			from -= !ended;
		}
	}
	*run = (struct lw_secret_run) { from, at, ended };
	return from > stop ? at - from : at - stop;
}

static int walk_sequence(struct walk *w, uint32_t node, size_t *at, int backward);

static int walk_set(struct walk *w, const struct lw_node *node, size_t *at, int backward)
{
	struct lw_secret_run *run = &w->matcher->runs[node->run];
	const uint8_t *set = lw_secrets_set(w->matcher->secrets, node->set);
	size_t n;

	if (backward)
		n = run_backward(w->matcher, run, set, *at, node->count);
	else
		n = run_forward(w->matcher, run, set, *at, node->count);
	if (n < node->first)
		return 0;
	*at = backward ? *at - n : *at + n;
	return 1;
}

static int walk_bytes(const struct walk *w, const struct lw_node *node, size_t *at, int backward)
{
	struct lw_secret_matcher *m = w->matcher;
	size_t n = node->count, from = backward ? *at - n : *at;
	size_t there = backward || m->n - *at >= n ? n : m->n - *at;

	if (backward && *at < n)
		return 0;
	if (!same_bytes(m->text + from, lw_secrets_pool(m->secrets) + node->first, there, w->ignore_case))
		return 0;
	if (there < n) {
		touch_end(m);
		return 0;
	}
	*at = backward ? from : from + n;
	return 1;
}

static int walk_edge(const struct walk *w, size_t at)
{
	struct lw_secret_matcher *m = w->matcher;

	if (at == m->n)
		touch_end(m);

	int before = at > 0 && is_word(m->text[at - 1]), behind = at < m->n && is_word(m->text[at]);

	return before != behind;
}

/* Whether a sequence may take the byte that comes next; 1 where the text ends. */
static int may_begin(const struct walk *w, uint32_t set, size_t at, int backward)
{
	const struct lw_secret_matcher *m = w->matcher;

	if (set == LW_NODE_NONE || (backward ? at == 0 : at == m->n))
		return 1;
	return lw_set_has(lw_secrets_set(m->secrets, set), m->text[backward ? at - 1 : at]);
}

/* The first alternative that fits; `at` is behind it then. */
static int walk_group(struct walk *w, const struct lw_node *group, size_t *at, int backward)
{
	const struct lw_node *nodes = lw_secrets_nodes(w->matcher->secrets);
	size_t open = w->open, close = w->close, begin = *at;

	for (uint32_t i = group->child; i != LW_NODE_NONE; i = nodes[i].next) {
		if (!may_begin(w, nodes[i].set, begin, backward))
			continue;
		*at = begin;
		if (walk_sequence(w, nodes[i].child, at, backward))
			return 1;
		w->open = open;
		w->close = close;
	}
	*at = begin;
	return group->optional;
}

static int walk_not(struct walk *w, const struct lw_node *group, size_t at, int backward)
{
	size_t open = w->open, close = w->close;
	int fits = walk_group(w, group, &at, backward);

	w->open = open;
	w->close = close;
	return !fits;
}

static int walk_part(struct walk *w, const struct lw_node *node, size_t *at, int backward)
{
	switch (node->kind) {
	case LW_NODE_BYTES:
		return walk_bytes(w, node, at, backward);
	case LW_NODE_SET:
		return walk_set(w, node, at, backward);
	case LW_NODE_GROUP:
		return walk_group(w, node, at, backward);
	case LW_NODE_NOT:
		return walk_not(w, node, *at, backward);
	case LW_NODE_EDGE:
		return walk_edge(w, *at);
	case LW_NODE_OPEN:
		w->open = *at;
		return 1;
	default:
		w->close = *at;
		return 1;
	}
}

static int walk_sequence(struct walk *w, uint32_t node, size_t *at, int backward)
{
	const struct lw_node *nodes = lw_secrets_nodes(w->matcher->secrets);

	for (; node != LW_NODE_NONE; node = nodes[node].next)
		if (!walk_part(w, &nodes[node], at, backward))
			return 0;
	return 1;
}

/* ---------------------------------------------------------------- judging */

/* In bits a byte, of 1 to LW_SECRET_JUDGED bytes. */
static double entropy_of(const lanewise_secrets *secrets, const uint8_t *bytes, size_t n)
{
	uint16_t count[256] = { 0 };
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		count[bytes[i]]++;
	for (size_t i = 0; i < n; i++) {
		sum += secrets->n_log_n[count[bytes[i]]];
		count[bytes[i]] = 0;
	}
	return (secrets->n_log_n[n] - sum) / (double)n;
}

static uint32_t class_of(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return LW_NEED_DIGIT;
	if (byte >= 'a' && byte <= 'z')
		return LW_NEED_LETTER | LW_NEED_LOWER;
	if (byte >= 'A' && byte <= 'Z')
		return LW_NEED_LETTER | LW_NEED_UPPER;
	return byte >= 0x80 ? LW_NEED_LETTER : LW_NEED_SYMBOL;
}

static int has_classes(uint32_t need, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n && need; i++)
		need &= ~class_of(bytes[i]);
	return need == 0;
}

/* Whether one of the words is in the folded bytes, or is all of them. */
static int has_stop(const lanewise_secrets *secrets, const uint32_t range[2], const uint8_t *bytes, size_t n,
                    size_t whole)
{
	const struct lw_secret_stop *stops = secrets->stops.items;

	for (uint32_t k = range[0]; k < range[0] + range[1]; k++) {
		const struct lw_secret_stop *stop = &stops[k];
		const uint8_t *word = lw_secrets_pool(secrets) + stop->first;
		size_t last = stop->count <= n ? n - stop->count + 1 : 0;

		if (stop->whole) {
			if (whole == stop->count && n == whole && memcmp(word, bytes, n) == 0)
				return 1;
			continue;
		}
		for (size_t i = 0; i < last; i++)
			if (bytes[i] == word[0] && memcmp(bytes + i, word, stop->count) == 0)
				return 1;
	}
	return 0;
}

int lanewise_secrets_judge(const lanewise_secrets *secrets, const struct lw_secret_rule *rule, const uint8_t *secret,
                           size_t n_bytes)
{
	uint8_t folded[LW_SECRET_JUDGED];
	size_t n = n_bytes < LW_SECRET_JUDGED ? n_bytes : LW_SECRET_JUDGED;

	if (n == 0 || !has_classes(rule->need, secret, n))
		return 0;
	if (rule->entropy > 0 && entropy_of(secrets, secret, n) < rule->entropy)
		return 0;
	for (size_t i = 0; i < n; i++)
		folded[i] = fold(secret[i]);
	return !has_stop(secrets, rule->stop[0], folded, n, n_bytes) &&
	       !has_stop(secrets, rule->stop[1], folded, n, n_bytes);
}

int lanewise_secrets_match(struct lw_secret_matcher *matcher, uint32_t number, size_t begin, size_t end,
                           lanewise_secret *found)
{
	const lanewise_secrets *secrets = matcher->secrets;
	const struct lw_secret_anchor *anchor = &lw_secrets_anchors(secrets)[number];
	const struct lw_secret_rule *rule = &lw_secrets_rules(secrets)[anchor->rule];
	struct walk w = { matcher, rule->ignore_case, SIZE_MAX, SIZE_MAX };
	size_t anchor_begin = begin, anchor_end = end;

	matcher->touched = 0;
	/* The set of anchors ignores case if any rule does. */
	if (!rule->ignore_case &&
	    memcmp(matcher->text + begin, lw_secrets_pool(secrets) + anchor->first, end - begin) != 0)
		return 0;
	if (!lw_secrets_may_match(secrets, rule, matcher->text, begin, end, matcher->n) ||
	    !may_begin(&w, rule->first, end, 0) || !walk_sequence(&w, rule->before, &begin, 1))
		return 0;

	int fits = walk_sequence(&w, rule->after, &end, 0);

	if (matcher->touched)
		return -1;
	if (!fits)
		return 0;

	size_t from = w.open == SIZE_MAX ? begin : w.open, to = w.close == SIZE_MAX ? end : w.close;

	*found = (lanewise_secret) { from, to, begin, end, anchor->rule, 0 };
	if (rule->expression != LW_NODE_NONE) {
		fits = lanewise_secrets_match_expression(matcher, rule, anchor_begin, anchor_end, found);
		if (fits <= 0)
			return fits;
		from = (size_t)found->begin;
		to = (size_t)found->end;
	}
	if (from >= to || !lanewise_secrets_judge(secrets, rule, matcher->text + from, to - from))
		return 0;
	/* What masks it wants to know where the last character ends. */
	if (!matcher->ended && matcher->text[to - 1] >= 0x80 && matcher->n - to < LW_CHARACTER_BYTES)
		return -1;
	return 1;
}
