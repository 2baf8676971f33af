/* SPDX-License-Identifier: Apache-2.0 */
/* How far rules look, and how far before its anchor a secret may begin: what a stream must keep of its text. */
#include "secrets/secrets.h"

#include <string.h>

#include "common.h"

static uint64_t sequence_reach(const struct lw_node *nodes, uint32_t node);

/* The most bytes that a part takes or looks at. */
static uint64_t part_reach(const struct lw_node *nodes, const struct lw_node *part)
{
	uint64_t most = 0;

	switch (part->kind) {
	case LW_NODE_BYTES:
	case LW_NODE_SET:
		return part->count;
	case LW_NODE_EDGE:
		return 1;
	case LW_NODE_GROUP:
	case LW_NODE_NOT:
		for (uint32_t i = part->child; i != LW_NODE_NONE; i = nodes[i].next) {
			uint64_t reach = sequence_reach(nodes, nodes[i].child);

			most = reach > most ? reach : most;
		}
		return most;
	default:
		return 0;
	}
}

static uint64_t sequence_reach(const struct lw_node *nodes, uint32_t node)
{
	uint64_t sum = 0;

	for (; node != LW_NODE_NONE; node = nodes[node].next)
		sum += part_reach(nodes, &nodes[node]);
	return sum;
}

/* Whether the beginning of the secret stands in the sequence, whatever alternative is taken. */
static int always_opens(const struct lw_node *nodes, uint32_t node)
{
	for (; node != LW_NODE_NONE; node = nodes[node].next) {
		int all = nodes[node].kind == LW_NODE_GROUP && !nodes[node].optional;

		if (nodes[node].kind == LW_NODE_OPEN)
			return 1;
		for (uint32_t i = nodes[node].child; all && i != LW_NODE_NONE; i = nodes[i].next)
			all = always_opens(nodes, nodes[i].child);
		if (all)
			return 1;
	}
	return 0;
}

/* Adds the bytes that a part can take, which is not to say that it takes any. */
static void add_bytes_of(const lanewise_secrets *secrets, const struct lw_node *part, int ignore_case, uint8_t set[32])
{
	const struct lw_node *nodes = lw_secrets_nodes(secrets);

	if (part->kind == LW_NODE_SET)
		for (int i = 0; i < 32; i++)
			set[i] |= lw_secrets_set(secrets, part->set)[i];
	for (uint32_t i = 0; part->kind == LW_NODE_BYTES && i < part->count; i++) {
		uint8_t byte = lw_secrets_pool(secrets)[part->first + i];

		set[byte / 8] |= (uint8_t)(1 << byte % 8);
		if (ignore_case && byte >= 'a' && byte <= 'z')
			set[(byte - 0x20) / 8] |= (uint8_t)(1 << byte % 8);
	}
	for (uint32_t i = part->child; part->kind == LW_NODE_GROUP && i != LW_NODE_NONE; i = nodes[i].next)
		for (uint32_t k = nodes[i].child; k != LW_NODE_NONE; k = nodes[k].next)
			add_bytes_of(secrets, &nodes[k], ignore_case, set);
}

/* What of a rule's secret may stand before the anchor. */
static struct lw_secret_hold hold_of(const lanewise_secrets *secrets, const struct lw_secret_rule *rule)
{
	const struct lw_node *nodes = lw_secrets_nodes(secrets);
	struct lw_secret_hold hold = { { 0 }, 0 };

	if (always_opens(nodes, rule->after))
		return hold;
	for (uint32_t i = rule->before; i != LW_NODE_NONE && nodes[i].kind != LW_NODE_OPEN; i = nodes[i].next)
		if (nodes[i].kind != LW_NODE_NOT && nodes[i].kind != LW_NODE_EDGE) {
			hold.most += part_reach(nodes, &nodes[i]);
			add_bytes_of(secrets, &nodes[i], rule->ignore_case, hold.set);
		}
	return hold;
}

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* Masks want to know where a character ends that begins in the window. */
static void measure_window(lanewise_secrets *secrets, uint32_t number)
{
	const struct lw_secret_expression *expression =
	        (const struct lw_secret_expression *)secrets->expressions.items + number;
	struct lw_secret_reach *reach = &secrets->reach;

	reach->before = larger(reach->before, expression->before);
	reach->window = larger(reach->window, expression->before);
	reach->after = larger(reach->after, (uint64_t)expression->behind + LW_CHARACTER_BYTES);
}

int lanewise_secrets_measure(struct lw_rules_reader *reader)
{
	enum { MAX_HOLDS = LANEWISE_SECRETS_RULES };
	lanewise_secrets *secrets = reader->secrets;
	struct lw_secret_reach *reach = &secrets->reach;

	for (uint32_t i = 0; i < secrets->rules.n; i++) {
		const struct lw_secret_rule *rule = &lw_secrets_rules(secrets)[i];

		if (rule->is_run) {
			reach->run = larger(reach->run, rule->run_max);
			continue;
		}
		reach->before = larger(reach->before, sequence_reach(lw_secrets_nodes(secrets), rule->before));
		reach->after = larger(reach->after, sequence_reach(lw_secrets_nodes(secrets), rule->after));

		if (rule->expression != LW_NODE_NONE) {
			measure_window(secrets, rule->expression);
			continue;
		}

		struct lw_secret_hold hold = hold_of(secrets, rule);
		struct lw_secret_hold *kept =
		        hold.most ? lanewise_secrets_list_add(reader, &secrets->holds, 1, MAX_HOLDS) : NULL;

		if (hold.most && !kept)
			return 0;
		if (kept)
			*kept = hold;
	}
	for (uint32_t i = 0; i < secrets->anchors.n; i++)
		reach->anchor = larger(reach->anchor, lw_secrets_anchors(secrets)[i].count);
	return 1;
}
