/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sequences take first, so that a walk looks at one byte before it tries an alternative, and at none of a shape that
 * cannot follow its anchor.
 */
#include "secrets/secrets.h"

#include <string.h>

enum { MAX_SETS = 1 << 16 };

/* The bytes that a sequence or part may take first; and whether it may take none. */
struct first {
	uint8_t set[32];
	int empty;
};

/* How the sequences of a rule are read. */
struct reading {
	const lanewise_secrets *secrets;
	int ignore_case, backward;
};

static void add_byte(struct first *first, uint8_t byte) { first->set[byte / 8] |= (uint8_t)(1 << byte % 8); }

static struct first first_of_sequence(const struct reading *r, uint32_t node);

static struct first first_of_part(const struct reading *r, const struct lw_node *part)
{
	const struct lw_node *nodes = lw_secrets_nodes(r->secrets);
	struct first first = { .empty = 1 };

	if (part->kind == LW_NODE_BYTES && part->count > 0) {
		uint8_t byte = lw_secrets_pool(r->secrets)[part->first + (r->backward ? part->count - 1 : 0)];
		uint8_t folded = byte | 0x20;

		first.empty = 0;
		add_byte(&first, byte);
		if (r->ignore_case && folded >= 'a' && folded <= 'z') {
			add_byte(&first, folded);
			add_byte(&first, folded & 0xdf);
		}
	} else if (part->kind == LW_NODE_SET) {
		first.empty = part->first == 0;
		memcpy(first.set, lw_secrets_set(r->secrets, part->set), sizeof first.set);
	} else if (part->kind == LW_NODE_GROUP) {
		first.empty = part->optional;
		for (uint32_t i = part->child; i != LW_NODE_NONE; i = nodes[i].next) {
			struct first other = first_of_sequence(r, nodes[i].child);

			first.empty |= other.empty;
			for (int k = 0; k < 32; k++)
				first.set[k] |= other.set[k];
		}
	}
	return first;
}

static struct first first_of_sequence(const struct reading *r, uint32_t node)
{
	const struct lw_node *nodes = lw_secrets_nodes(r->secrets);
	struct first sum = { .empty = 1 };

	for (; node != LW_NODE_NONE && sum.empty; node = nodes[node].next) {
		struct first first = first_of_part(r, &nodes[node]);

		sum.empty = first.empty;
		for (int k = 0; k < 32; k++)
			sum.set[k] |= first.set[k];
	}
	return sum;
}

/* The number of a set that says what a sequence takes first; LW_NODE_NONE if it may take none, or with no memory. */
static uint32_t keep_first(struct lw_rules_reader *reader, const struct reading *r, uint32_t node)
{
	struct lw_list *sets = &reader->secrets->sets;
	struct first first = first_of_sequence(r, node);
	struct lw_byte_set *items = sets->items;

	if (first.empty)
		return LW_NODE_NONE;
	for (uint32_t i = 0; i < sets->n; i++)
		if (memcmp(items[i].bits, first.set, sizeof first.set) == 0)
			return i;
	items = lanewise_secrets_list_add(reader, sets, 1, MAX_SETS);
	if (!items)
		return LW_NODE_NONE;
	memcpy(items->bits, first.set, sizeof first.set);
	return (uint32_t)(sets->n - 1);
}

/* Of all alternatives in a sequence. */
static void keep_firsts(struct lw_rules_reader *reader, const struct reading *r, uint32_t node)
{
	struct lw_node *nodes = reader->secrets->nodes.items;

	for (; node != LW_NODE_NONE; node = nodes[node].next)
		for (uint32_t i = nodes[node].child; i != LW_NODE_NONE; i = nodes[i].next) {
			nodes[i].set = keep_first(reader, r, nodes[i].child);
			keep_firsts(reader, r, nodes[i].child);
		}
}

int lanewise_secrets_find_firsts(struct lw_rules_reader *reader)
{
	lanewise_secrets *secrets = reader->secrets;
	struct lw_secret_rule *rules = secrets->rules.items;

	for (size_t i = 0; i < secrets->rules.n; i++) {
		struct reading forward = { secrets, rules[i].ignore_case, 0 };
		struct reading backward = { secrets, rules[i].ignore_case, 1 };

		rules[i].first = keep_first(reader, &forward, rules[i].after);
		rules[i].last = keep_first(reader, &backward, rules[i].before);
		keep_firsts(reader, &forward, rules[i].after);
		keep_firsts(reader, &backward, rules[i].before);
	}
	return reader->status == LANEWISE_OK;
}
