/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may follow an anchor, as an automaton that turns most candidates away within a few bytes: no shape is walked for
 * them. It knows less than the shape: what stands in !, edges and most counts are left out, so it lets too much pass, and
 * nothing too little. As in a shape nothing is given back, all that a walk takes is also a match of the regular expression.
 *
 * A position is a byte that the shape may take somewhere, as in Glushkov's construction; sets of positions are words, and
 * the sets of those that may come next become states. Of counts so many positions are made as there is room for.
 */
#include "secrets/secrets.h"

#include <string.h>

#include "support.h"

enum {
	MOST_POSITIONS = 63,
	MOST_STATES = 96,
	MOST_CLASSES = 1 << LW_LEAD_CLASS_BITS,
	MOST_BYTES = 1 << 24,
	SET_BYTES = 32
};

static const uint64_t END = UINT64_C(1) << 63; /* of the shape, or of what is known of it */

struct builder {
	const lanewise_secrets *secrets;
	int ignore_case;
	uint32_t most_copies; /* of a set that is counted */
	int n, is_full;
	uint8_t set[MOST_POSITIONS][SET_BYTES];
	uint64_t follow[MOST_POSITIONS];

	uint64_t taken[256]; /* the positions that take a byte, then those of a class */
	uint8_t class_of[256];
	int n_classes, n_states;
	uint64_t expected[MOST_STATES];
	uint8_t next[MOST_STATES][MOST_CLASSES];
};

/* A part of a shape: the positions that it may begin and end with. */
struct fragment {
	uint64_t first, last;
	int may_be_empty;
};

static const struct fragment nothing = { 0, 0, 1 };

static struct fragment add_position(struct builder *b, const uint8_t set[SET_BYTES])
{
	if (b->n == MOST_POSITIONS) {
		b->is_full = 1;
		return nothing;
	}
	memcpy(b->set[b->n], set, SET_BYTES);
	b->follow[b->n] = 0;

	uint64_t bit = UINT64_C(1) << b->n++;

	return (struct fragment) { bit, bit, 0 };
}

static void follow_with(struct builder *b, uint64_t last, uint64_t first)
{
	for (int i = 0; i < b->n; i++)
		if (last >> i & 1)
			b->follow[i] |= first;
}

static void append(struct builder *b, struct fragment *sum, struct fragment part)
{
	follow_with(b, sum->last, part.first);
	if (sum->may_be_empty)
		sum->first |= part.first;
	sum->last = part.last | (part.may_be_empty ? sum->last : 0);
	sum->may_be_empty &= part.may_be_empty;
}

static struct fragment of_bytes(struct builder *b, const struct lw_node *node)
{
	struct fragment sum = nothing;

	for (uint32_t i = 0; i < node->count; i++) {
		uint8_t byte = lw_secrets_pool(b->secrets)[node->first + i], folded = byte | 0x20;
		uint8_t set[SET_BYTES] = { 0 };

		set[byte / 8] |= (uint8_t)(1 << byte % 8);
		if (b->ignore_case && folded >= 'a' && folded <= 'z') {
			set[folded / 8] |= (uint8_t)(1 << folded % 8);
			set[(folded & 0xdf) / 8] |= (uint8_t)(1 << folded % 8);
		}
		append(b, &sum, add_position(b, set));
	}
	return sum;
}

static struct fragment of_set(struct builder *b, const struct lw_node *node)
{
	const uint8_t *set = lw_secrets_set(b->secrets, node->set);
	uint32_t copies = node->first < b->most_copies ? node->first : b->most_copies;
	struct fragment sum = nothing, last = nothing;

	if (node->count == 0)
		return nothing;
	for (uint32_t i = 0; i < copies || i == 0; i++) {
		last = add_position(b, set);
		append(b, &sum, last);
	}
	if (node->count > (copies ? copies : 1)) /* and more of it */
		follow_with(b, last.last, last.first);
	sum.may_be_empty |= node->first == 0;
	return sum;
}

static struct fragment of_sequence(struct builder *b, uint32_t node);

static struct fragment of_group(struct builder *b, const struct lw_node *group)
{
	const struct lw_node *nodes = lw_secrets_nodes(b->secrets);
	struct fragment any = { 0, 0, group->optional };

	for (uint32_t i = group->child; i != LW_NODE_NONE; i = nodes[i].next) {
		struct fragment one = of_sequence(b, nodes[i].child);

		any.first |= one.first;
		any.last |= one.last;
		any.may_be_empty |= one.may_be_empty;
	}
	return any;
}

static struct fragment of_sequence(struct builder *b, uint32_t node)
{
	const struct lw_node *nodes = lw_secrets_nodes(b->secrets);
	struct fragment sum = nothing;

	for (; node != LW_NODE_NONE && !b->is_full; node = nodes[node].next)
		if (nodes[node].kind == LW_NODE_BYTES)
			append(b, &sum, of_bytes(b, &nodes[node]));
		else if (nodes[node].kind == LW_NODE_SET)
			append(b, &sum, of_set(b, &nodes[node]));
		else if (nodes[node].kind == LW_NODE_GROUP)
			append(b, &sum, of_group(b, &nodes[node]));
	return sum;
}

/* The positions of what follows an anchor; those expected first. 0 if there are too many. */
static uint64_t make_positions(struct builder *b, uint32_t node)
{
	static const uint32_t copies[] = { 12, 8, 6, 4, 2, 1 };

	for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
		b->n = b->is_full = 0;
		b->most_copies = copies[i];

		struct fragment all = of_sequence(b, node);

		if (b->is_full)
			continue;
		follow_with(b, all.last, END);
		return all.first | (all.may_be_empty ? END : 0);
	}
	return 0;
}

/* Bytes that the same positions take are a class; 0 if there are too many. */
static int make_classes(struct builder *b)
{
	b->n_classes = 0;
	for (int byte = 0; byte < 256; byte++) {
		uint64_t taken = 0;
		int class = 0;

		for (int i = 0; i < b->n; i++)
			taken |= (uint64_t)lw_set_has(b->set[i], (uint8_t)byte) << i;
		while (class < b->n_classes && b->taken[class] != taken)
			class ++;
		if (class == MOST_CLASSES)
			return 0;
		b->taken[class] = taken;
		b->class_of[byte] = (uint8_t)class;
		b->n_classes += class == b->n_classes;
	}
	return 1;
}

static uint8_t state_of(struct builder *b, uint64_t expected)
{
	if (expected == 0)
		return LW_LEAD_NONE;
	if (expected & END)
		return LW_LEAD_ALL;
	for (int i = LW_LEAD_FIRST; i < b->n_states; i++)
		if (b->expected[i] == expected)
			return (uint8_t)i;
	if (b->n_states == MOST_STATES)
		return LW_LEAD_ALL;
	b->expected[b->n_states] = expected;
	return (uint8_t)b->n_states++;
}

static uint64_t expected_after(const struct builder *b, uint64_t taken)
{
	uint64_t expected = 0;

	for (int i = 0; i < b->n; i++)
		if (taken >> i & 1)
			expected |= b->follow[i];
	return expected;
}

static int make_states(struct builder *b, uint64_t expected)
{
	b->n_states = LW_LEAD_FIRST;
	if (state_of(b, expected) != LW_LEAD_FIRST)
		return 0;
	for (int i = LW_LEAD_FIRST; i < b->n_states; i++)
		for (int class = 0; class < b->n_classes; class ++)
			b->next[i][class] = state_of(b, expected_after(b, b->expected[i] & b->taken[class]));
	return 1;
}

/* Writes down a rule's automaton, unless another's is the same. */
static uint32_t keep_lead(struct lw_rules_reader *reader, const struct builder *b)
{
	struct lw_list *leads = &reader->secrets->leads;
	size_t n_next = (size_t)(b->n_states - LW_LEAD_FIRST) * MOST_CLASSES, n = sizeof b->class_of + n_next;
	const uint8_t *there = leads->items;

	for (size_t at = 0; at + n <= leads->n; at += LW_LEAD_STEP)
		if (memcmp(there + at, b->class_of, sizeof b->class_of) == 0 &&
		    memcmp(there + at + sizeof b->class_of, b->next[LW_LEAD_FIRST], n_next) == 0)
			return (uint32_t)(at / LW_LEAD_STEP);

	size_t room = (n + LW_LEAD_STEP - 1) / LW_LEAD_STEP * LW_LEAD_STEP;
	uint8_t *lead = lanewise_secrets_list_add(reader, leads, room, MOST_BYTES);

	if (!lead)
		return LW_NODE_NONE;
	memset(lead + n, 0, room - n);
	memcpy(lead, b->class_of, sizeof b->class_of);
	memcpy(lead + sizeof b->class_of, b->next[LW_LEAD_FIRST], n_next);
	return (uint32_t)((size_t)(lead - (uint8_t *)leads->items) / LW_LEAD_STEP);
}

int lanewise_secrets_find_leads(struct lw_rules_reader *reader)
{
	struct lw_secret_rule *rules = reader->secrets->rules.items;
	struct builder *b = reader->secrets->rules.n ? lw_allocate(reader->allocator, sizeof *b) : NULL;

	if (!b && reader->secrets->rules.n)
		reader->status =
		        lw_fail(reader->error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for rules");
	for (size_t i = 0; b && i < reader->secrets->rules.n; i++) {
		uint64_t expected = 0;

		b->secrets = reader->secrets;
		b->ignore_case = rules[i].ignore_case;
		rules[i].lead = LW_NODE_NONE;
		if (!rules[i].is_run)
			expected = make_positions(b, rules[i].after);
		if (expected && !(expected & END) && make_classes(b) && make_states(b, expected))
			rules[i].lead = keep_lead(reader, b);
	}
	if (b)
		lw_release(reader->allocator, b, sizeof *b);
	return reader->status == LANEWISE_OK;
}
