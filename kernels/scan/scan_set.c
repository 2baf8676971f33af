/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From patterns to the automaton of scan_set.h.
 *
 * A trie is built level by level, without looking anything up: a node owns a range of the patterns, which is sorted by
 * the byte that follows the node's depth, so that each child owns a part of it. Children of a node are therefore
 * neighbours, and nodes are numbered by levels. A node's failure state, the longest proper suffix of its string that is
 * in the trie too, is found from its parent's in the same pass, since that one is on a level nearer to the root. Both take
 * time linear in the patterns' bytes. Then states get their places, those of the compact form after failures have come to
 * pass over leaves and states where nothing more is found, and the words are filled in.
 */
#include "scan/scan_filter.h"
#include "scan/scan_set.h"

#include "sort.h"
#include "support.h"

enum { SET_BYTES = (sizeof(struct lanewise_scan_set) + 63) / 64 * 64 };

struct node {
	uint32_t begin, end;  /* of the patterns that go through it, in order[] */
	uint32_t first_child; /* the others follow, ordered by class */
	uint32_t fail, output, depth;
	uint32_t state; /* in the rows or the table; there, of a leaf, that it fails to */
	uint16_t n_children;
	uint8_t byte_class; /* of the transition to it */
};

struct builder {
	const lanewise_pattern *patterns;
	struct lanewise_scan_set *set; /* what is known of it; moved to its own memory at the end */
	struct lw_scan_filter filter;
	struct lw_scan_grams grams;
	int use_filter, use_grams; /* see choose_way: both or grams alone where the set is direct, else one or none */
	uint8_t *offsets;          /* of grams: for each pattern, grams.stride of them */
	uint32_t *counts;          /* for lanewise_scan_build_gram_filter */
	size_t total_bytes;
	struct node *nodes;
	uint32_t *order, *spare; /* pattern numbers */
	uint32_t *next_output;
	size_t rows_bytes; /* the most */
	int has_rows;
	size_t n_nodes;
	size_t n_complete; /* so many of the first nodes are complete states, or leaves, where the form is compact */
	size_t n_words, n_far, n_outputs;
	const lanewise_allocator *allocator;
	uint64_t *used; /* bits of words of the table */
	size_t used_words;
};

static uint8_t class_at(const struct builder *b, uint32_t pattern, uint32_t depth)
{
	return b->set->class_of[((const uint8_t *)b->patterns[pattern].bytes)[depth]];
}

/* Patterns that end at this depth sort first, as 0; the others by class, from 1. */
static uint32_t sort_key(const struct builder *b, uint32_t pattern, uint32_t depth)
{
	return b->patterns[pattern].n_bytes == depth ? 0 : 1u + class_at(b, pattern, depth);
}

/* ---------------------------------------------------------------- classes */

/*
 * The most frequent bytes of text, in order: their transitions share a line of the cache with what else is at the
 * beginning of a row.
 */
#define OFTEN " etaoinsrhldcu"

/* Bytes that no pattern has are class 0, if there are any; every other byte has a class of its own. */
static void assign_classes(struct builder *b, int ignore_case)
{
	uint8_t used[256] = { 0 };
	uint32_t n_used = 0, next;

	for (size_t i = 0; i < b->set->n_patterns; i++) {
		const uint8_t *bytes = b->patterns[i].bytes;

		for (size_t j = 0; j < b->patterns[i].n_bytes; j++)
			used[ignore_case ? lw_scan_fold(bytes[j]) : bytes[j]] = 1;
	}
	for (int i = 0; i < 256; i++)
		n_used += used[i];
	next = n_used < 256;
	b->set->n_classes = n_used + next;
	memset(b->set->class_of, 0, sizeof b->set->class_of);
	for (const char *often = OFTEN; *often; often++)
		if (used[(uint8_t)*often])
			b->set->class_of[(uint8_t)*often] = (uint8_t)next++;
	for (int i = 0; i < 256; i++)
		if (used[i] && !memchr(OFTEN, i, sizeof OFTEN - 1))
			b->set->class_of[i] = (uint8_t)next++;
	for (int i = 'A'; ignore_case && i <= 'Z'; i++)
		b->set->class_of[i] = b->set->class_of[i | 0x20];
}

/* ------------------------------------------------------------------- trie */

/* Both sorts are stable: equal patterns stay in the order of their numbers. */
static void sort_small(struct builder *b, uint32_t begin, uint32_t end, uint32_t depth)
{
	for (uint32_t i = begin + 1; i < end; i++) {
		uint32_t pattern = b->order[i], key = sort_key(b, pattern, depth), j = i;

		for (; j > begin && sort_key(b, b->order[j - 1], depth) > key; j--)
			b->order[j] = b->order[j - 1];
		b->order[j] = pattern;
	}
}

static void sort_counting(struct builder *b, uint32_t begin, uint32_t end, uint32_t depth)
{
	uint32_t at[258] = { 0 };

	for (uint32_t i = begin; i < end; i++)
		at[sort_key(b, b->order[i], depth) + 1]++;
	for (int k = 0; k < 257; k++)
		at[k + 1] += at[k];
	for (uint32_t i = begin; i < end; i++)
		b->spare[at[sort_key(b, b->order[i], depth)]++] = b->order[i];
	memcpy(b->order + begin, b->spare, (end - begin) * sizeof *b->order);
}

static uint32_t child_of(const struct builder *b, uint32_t node, uint8_t byte_class)
{
	uint32_t low = b->nodes[node].first_child, high = low + b->nodes[node].n_children;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (b->nodes[middle].byte_class == byte_class)
			return middle;
		if (b->nodes[middle].byte_class < byte_class)
			low = middle + 1;
		else
			high = middle;
	}
	return LW_SCAN_NONE;
}

/* The node that the transition of this class leads to from `node` or, failing that, from where it fails to. */
static uint32_t resolve(const struct builder *b, uint32_t node, uint8_t byte_class)
{
	for (;;) {
		uint32_t child = child_of(b, node, byte_class);

		if (child != LW_SCAN_NONE)
			return child;
		if (node == 0)
			return 0;
		node = b->nodes[node].fail;
	}
}

static void add_child(struct builder *b, uint32_t parent, uint32_t begin, uint32_t end, uint8_t byte_class)
{
	struct node *node = &b->nodes[b->n_nodes];

	*node = (struct node) { .begin = begin, .end = end, .depth = b->nodes[parent].depth + 1 };
	node->byte_class = byte_class;
	node->output = LW_SCAN_NONE;
	if (parent != 0)
		node->fail = resolve(b, b->nodes[parent].fail, byte_class);
	b->nodes[parent].n_children++;
	b->n_nodes++;
}

/* The patterns order[begin ... end) end in `node`: they and what ends where it fails to are its output. */
static void set_output(struct builder *b, uint32_t node, uint32_t begin, uint32_t end)
{
	uint32_t shorter = node ? b->nodes[b->nodes[node].fail].output : LW_SCAN_NONE;

	b->nodes[node].output = begin < end ? b->order[begin] : shorter;
	for (uint32_t i = begin; i < end; i++)
		b->next_output[b->order[i]] = i + 1 < end ? b->order[i + 1] : shorter;
}

static void grow_node(struct builder *b, uint32_t node)
{
	uint32_t begin = b->nodes[node].begin, end = b->nodes[node].end, depth = b->nodes[node].depth;

	if (end - begin > 32)
		sort_counting(b, begin, end, depth);
	else
		sort_small(b, begin, end, depth);

	uint32_t i = begin;

	while (i < end && b->patterns[b->order[i]].n_bytes == depth)
		i++;
	set_output(b, node, begin, i);
	b->nodes[node].first_child = (uint32_t)b->n_nodes;
	while (i < end) {
		uint32_t part = i;
		uint8_t byte_class = class_at(b, b->order[i], depth);

		while (i < end && class_at(b, b->order[i], depth) == byte_class)
			i++;
		add_child(b, node, part, i, byte_class);
	}
}

static void build_trie(struct builder *b)
{
	for (uint32_t i = 0; i < b->set->n_patterns; i++)
		b->order[i] = i;
	b->nodes[0] = (struct node) { .end = b->set->n_patterns, .output = LW_SCAN_NONE };
	b->n_nodes = 1;
	for (uint32_t node = 0; node < b->n_nodes; node++)
		grow_node(b, node);
}

/* ------------------------------------------------------------------- rows */

/* Whether rows are the set's form; then they get their places. */
static int place_rows(struct builder *b)
{
	size_t row_words = b->set->n_classes + 2;

	b->has_rows = b->n_nodes * row_words * sizeof(uint32_t) <= b->rows_bytes;
	for (size_t i = 0; b->has_rows && i < b->n_nodes; i++)
		b->nodes[i].state = (uint32_t)(i * row_words + LW_SCAN_ROOT);
	b->n_words = b->has_rows ? b->n_nodes * row_words : 0;
	return b->has_rows;
}

/* Rows nearer to the root are filled in already; that of the failure state is one. */
static void fill_row(const struct builder *b, uint32_t *rows, uint32_t node)
{
	const struct node *n = &b->nodes[node];
	uint32_t *row = rows + n->state;
	const uint32_t *fail = rows + b->nodes[n->fail].state;

	row[-2] = n->n_children > 0 ? n->depth : fail[-2];
	row[-1] = n->output;
	for (uint32_t c = 0; c < b->set->n_classes; c++)
		row[c] = node ? fail[c] : LW_SCAN_ROOT;
	for (uint32_t i = 0; i < n->n_children; i++) {
		const struct node *child = &b->nodes[n->first_child + i];

		row[child->byte_class] = child->state | (child->output != LW_SCAN_NONE ? LW_SCAN_OUTPUT : 0);
	}
}

/* --------------------------------------------------------------- failures */

static int is_state(const struct builder *b, size_t node) { return node == 0 || b->nodes[node].n_children > 0; }

/* Whether every class that has a transition from `node` has one from `other` too. */
static int has_fewer(const struct builder *b, const struct node *node, const struct node *other)
{
	const struct node *a = &b->nodes[node->first_child], *c = &b->nodes[other->first_child];
	uint32_t i = 0, j = 0;

	while (i < node->n_children && j < other->n_children) {
		if (a[i].byte_class < c[j].byte_class)
			return 0;
		i += a[i].byte_class == c[j].byte_class;
		j++;
	}
	return i == node->n_children;
}

/*
 * Failures lead to states, of which those are passed over where nothing could be found; not many of these, so that it
 * takes no longer than it is worth. What a state fails to comes before it, so that it is right already.
 */
static void shorten_failures(struct builder *b)
{
	enum { MOST = 8 };

	for (size_t i = 1; i < b->n_nodes; i++) {
		struct node *node = &b->nodes[i];

		if (!is_state(b, node->fail))
			node->fail = b->nodes[node->fail].fail;
		for (int n = 0; is_state(b, i) && node->fail >= b->n_complete && n < MOST; n++) {
			if (!has_fewer(b, &b->nodes[node->fail], node))
				break;
			node->fail = b->nodes[node->fail].fail;
		}
	}
}

/* ----------------------------------------------------------------- places */

/*
 * How many of the first nodes are complete: whole levels, while they take no more than the other states or, where grams
 * find the places to read at, a third of that.
 */
static void choose_complete(struct builder *b)
{
	/* Words; LEAST_SHORT for patterns that it is to be fast for. */
	enum { LEVELS = 8, LEAST = 512, LEAST_SHORT = 4096 };
	size_t row = b->set->n_classes + 1, n_states = 0, n = 0, i = 0;
	size_t least = b->set->max_length <= LW_SCAN_SHORT_MAX ? LEAST_SHORT : LEAST, most;

	for (size_t node = 0; node < b->n_nodes; node++)
		n_states += (size_t)is_state(b, node);
	most = (n_states + b->n_nodes) / (b->set->min_length >= LW_SCAN_GRAM_PATTERN_MIN ? 3 : 1);
	most = most > least ? most : least;
	b->n_complete = 1;
	while (i < b->n_nodes && b->nodes[i].depth <= LEVELS) { /* what they fail to is followed for each transition */
		uint32_t depth = b->nodes[i].depth;

		for (; i < b->n_nodes && b->nodes[i].depth == depth; i++)
			n += (size_t)is_state(b, i);
		if (n * row > most)
			break;
		b->n_complete = i;
	}
}

/* Bits from `at` on. */
static uint64_t used_at(const struct builder *b, size_t at)
{
	const uint64_t *word = b->used + at / 64;

	return at % 64 ? word[0] >> at % 64 | word[1] << (64 - at % 64) : word[0];
}

static int reserve_used(struct builder *b, size_t n_words)
{
	size_t n = n_words / 64 + 2, grown = b->used_words ? b->used_words : 64;
	uint64_t *used;

	if (n <= b->used_words)
		return 1;
	while (grown < n)
		grown *= 2;
	used = lw_allocate(b->allocator, grown * sizeof *used);
	if (!used)
		return 0;
	memset(used, 0, grown * sizeof *used);
	if (b->used) {
		memcpy(used, b->used, b->used_words * sizeof *used);
		lw_release(b->allocator, b->used, b->used_words * sizeof *used);
	}
	b->used = used;
	b->used_words = grown;
	return 1;
}

/* Takes the words of a state at `at`: its first, and those of these classes. */
static void take_words(struct builder *b, size_t at, const uint8_t *classes, uint32_t n)
{
	b->used[at / 64] |= UINT64_C(1) << at % 64;
	for (uint32_t i = 0; i < n; i++)
		b->used[(at + 1 + classes[i]) / 64] |= UINT64_C(1) << (at + 1 + classes[i]) % 64;
	if (b->n_words < at + 1 + b->set->n_classes)
		b->n_words = at + 1 + b->set->n_classes;
}

/*
 * The first place for a state from about *from on, 64 places at a time. Where many are looked at in vain the search
 * begins farther on the next time, and this state is put behind all others: so the time is linear.
 */
static size_t find_place(const struct builder *b, size_t *from, const uint8_t *classes, uint32_t n)
{
	enum { MOST = 64, SKIP = 8 };

	while (*from < b->n_words && b->used[*from / 64] == UINT64_MAX)
		*from += 64;
	for (size_t i = 0, at = *from; i < MOST; i++, at += 64) {
		uint64_t used = used_at(b, at);

		for (uint32_t k = 0; k < n && ~used; k++)
			used |= used_at(b, at + 1 + classes[k]);
		if (~used)
			return at + (size_t)__builtin_ctzll(~used);
	}
	*from += (size_t)64 * SKIP;
	return b->n_words;
}

/* The transitions that a state has in the table, and the nodes that they lead to. */
struct edges {
	uint32_t n, to[256];
	uint8_t classes[256];
};

static void list_edges(const struct builder *b, size_t node, struct edges *edges)
{
	const struct node *n = &b->nodes[node];

	edges->n = node < b->n_complete ? b->set->n_classes : n->n_children;
	for (uint32_t i = 0; i < edges->n; i++) {
		edges->classes[i] = node < b->n_complete ? (uint8_t)i : b->nodes[n->first_child + i].byte_class;
		edges->to[i] = node < b->n_complete ? resolve(b, (uint32_t)node, (uint8_t)i) : n->first_child + i;
	}
}

/* 0 if there is no memory. */
static int place_states(struct builder *b)
{
	enum { AHEAD = 1 << 13 }; /* words, more than find_place looks at behind the last one */
	struct edges edges;
	/* For states of one transition, which fit nearly everywhere, and of more. */
	size_t from[2] = { LW_SCAN_ROOT, LW_SCAN_ROOT };

	for (size_t i = 0; i < b->n_nodes; i++) {
		struct node *node = &b->nodes[i];

		if (!is_state(b, i)) {
			node->state = b->nodes[node->fail].state;
			continue;
		}
		if (!reserve_used(b, b->n_words + AHEAD))
			return 0;

		list_edges(b, i, &edges);

		size_t at = find_place(b, &from[edges.n > 1], edges.classes, edges.n);

		take_words(b, at, edges.classes, edges.n);
		node->state = (uint32_t)at;
		for (uint32_t k = 0; k < edges.n; k++)
			b->n_outputs += b->nodes[edges.to[k]].output != LW_SCAN_NONE;
	}
	return 1;
}

static uint32_t bits_for(uint64_t n)
{
	uint32_t bits = 1;

	while (n >> bits)
		bits++;
	return bits;
}

/* The parts of the table's words; states' reach may take what is left. */
static void lay_out_words(const struct builder *b, struct lw_scan_table *table)
{
	uint32_t state_bits = bits_for(b->n_words - 1), check_bits = bits_for(b->set->n_classes);
	int wide = state_bits + 1 + check_bits > 32;

	table->state_bits = wide ? LW_SCAN_WIDE_STATE_BITS : state_bits;
	table->check_mask = wide ? LW_SCAN_WIDE_CHECK_MASK : (UINT32_C(1) << check_bits) - 1;
	table->reach_shift = wide ? LW_SCAN_WIDE_STATE_BITS + 1 + 16 : state_bits + 1 + check_bits;
	b->set->walks = !wide && b->set->max_length <= LW_SCAN_WALK_FAR_MAX + 1;
}

/* ------------------------------------------------------------------ table */

static int is_wide(const struct lw_scan_table *table) { return table->check_mask == LW_SCAN_WIDE_CHECK_MASK; }

/* The table being filled. */
struct filling {
	const struct builder *b;
	struct lw_scan_table table;
	uint32_t *narrow;
	uint64_t *wide;
	uint64_t *far;
	struct lw_scan_rank *rank;
	uint32_t *output;
	size_t n_far;
};

static void put_word(const struct filling *f, size_t at, uint64_t word)
{
	if (f->narrow)
		f->narrow[at] = (uint32_t)word;
	else
		f->wide[at] = word;
}

static uint64_t most_reach(const struct lw_scan_table *table)
{
	return (is_wide(table) ? UINT64_MAX : UINT32_MAX) >> table->reach_shift;
}

static void put_first_word(struct filling *f, size_t node)
{
	const struct node *n = &f->b->nodes[node];
	uint64_t most = most_reach(&f->table), reach = n->depth < most ? n->depth : most;

	put_word(f, n->state,
	         reach << f->table.reach_shift | (uint64_t)f->table.check_mask << f->table.state_bits << 1 |
	                 f->b->nodes[n->fail].state);
	if (n->depth >= most)
		f->far[f->n_far++] = (uint64_t)n->state << 32 | n->depth;
}

static void put_state(struct filling *f, size_t node)
{
	const struct builder *b = f->b;
	struct edges edges;

	put_first_word(f, node);
	list_edges(b, node, &edges);
	for (uint32_t i = 0; i < edges.n; i++) {
		const struct node *to = &b->nodes[edges.to[i]];
		uint64_t output = to->output != LW_SCAN_NONE;

		put_word(f, (size_t)b->nodes[node].state + 1 + edges.classes[i],
		         (uint64_t)edges.classes[i] << f->table.state_bits << 1 | output << f->table.state_bits |
		                 to->state);
	}
}

static void count_outputs(const struct filling *f)
{
	uint32_t n = 0;

	for (size_t i = 0; i <= f->b->n_words / 32; i++) {
		f->rank[i] = (struct lw_scan_rank) { 0, n };
		for (size_t at = 32 * i; at < 32 * i + 32 && at < f->b->n_words; at++) {
			uint64_t word = lw_scan_word(&f->table, at);

			if (lw_scan_has_output(&f->table, word) &&
			    lw_scan_check(&f->table, word) != f->table.check_mask)
				f->rank[i].bits |= UINT32_C(1) << at % 32;
		}
		n = lw_scan_rank_of(f->rank[i], 31) + (f->rank[i].bits >> 31);
	}
}

/* The outputs of a state's transitions. */
static void put_outputs(const struct filling *f, size_t node)
{
	const struct builder *b = f->b;
	struct edges edges;

	list_edges(b, node, &edges);
	for (uint32_t i = 0; i < edges.n; i++) {
		size_t slot = (size_t)b->nodes[node].state + 1 + edges.classes[i];
		struct lw_scan_rank rank = f->rank[slot / 32];

		if (b->nodes[edges.to[i]].output != LW_SCAN_NONE)
			f->output[lw_scan_rank_of(rank, (uint32_t)slot)] = b->nodes[edges.to[i]].output;
	}
}

static void fill_table(struct filling *f)
{
	for (size_t i = 0; i < f->b->n_words; i++)
		put_word(f, i, (uint64_t)f->table.check_mask << f->table.state_bits << 1);
	for (size_t i = 0; i < f->b->n_nodes; i++)
		if (is_state(f->b, i))
			put_state(f, i);
	lw_sort_u64(f->far, f->n_far);
	count_outputs(f);
	for (size_t i = 0; i < f->b->n_nodes; i++)
		if (is_state(f->b, i))
			put_outputs(f, i);
}

/* How many states have a reach that does not fit. */
static void count_far(struct builder *b, const struct lw_scan_table *table)
{
	for (size_t i = 0; i < b->n_nodes; i++)
		b->n_far += is_state(b, i) && b->nodes[i].depth >= most_reach(table);
}

size_t lanewise_scan_find_far(const struct lanewise_scan_set *set, uint32_t s)
{
	size_t low = 0, high = set->n_far;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->far[middle] >> 32 < s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* All of the compact form that needs no memory of the set yet; 0 if there is no memory. */
static int place_compactly(struct builder *b)
{
	choose_complete(b);
	shorten_failures(b);
	if (!place_states(b))
		return 0;
	lay_out_words(b, &b->set->table);
	count_far(b, &b->set->table);
	return 1;
}

/* ---------------------------------------------------------------- memory */

/* The parts of the set's memory, those of eight bytes first. */
struct parts {
	size_t filter, grams, far, table, rank, output, next_output, length, end;
};

static struct parts lay_out(const struct builder *b, const struct lw_scan_table *table)
{
	size_t n = b->set->n_patterns, word = is_wide(table) ? sizeof(uint64_t) : sizeof(uint32_t);
	struct parts p = { .filter = SET_BYTES };

	p.grams = p.filter + (b->use_filter ? lw_scan_filter_size(&b->filter) : 0);
	p.far = p.grams + (b->use_grams ? lanewise_scan_grams_size(&b->grams) : 0);
	p.table = p.far + b->n_far * sizeof(uint64_t);
	p.rank = p.table + b->n_words * word;
	p.output = p.rank + (b->has_rows ? 0 : b->n_words / 32 + 1) * sizeof(struct lw_scan_rank);
	p.next_output = p.output + b->n_outputs * sizeof(uint32_t);
	p.length = p.next_output + n * sizeof(uint32_t);
	p.end = p.length + n * sizeof(uint32_t);
	return p;
}

static void finish_rows(const struct builder *b, struct parts p, struct lanewise_scan_set *set)
{
	uint32_t *rows = (uint32_t *)((char *)set + p.table);

	for (uint32_t i = 0; i < b->n_nodes; i++)
		fill_row(b, rows, i);
	set->rows = rows;
	set->n_words = b->n_words;
}

static void finish_table(const struct builder *b, struct lw_scan_table table, struct parts p,
                         struct lanewise_scan_set *set)
{
	char *memory = (char *)set;
	struct filling f = { .b = b, .table = table };

	f.narrow = is_wide(&table) ? NULL : (uint32_t *)(memory + p.table);
	f.wide = is_wide(&table) ? (uint64_t *)(void *)(memory + p.table) : NULL;
	f.table.narrow = f.narrow;
	f.table.wide = f.wide;
	f.far = (uint64_t *)(void *)(memory + p.far);
	f.rank = (struct lw_scan_rank *)(memory + p.rank);
	f.output = (uint32_t *)(memory + p.output);
	fill_table(&f);
	set->table = f.table;
	set->far = f.far;
	set->rank = f.rank;
	set->output = f.output;
	set->n_words = b->n_words;
	set->n_far = b->n_far;
	set->n_outputs = b->n_outputs;
}

/* The finished set, in memory of its own of exactly the size it needs. */
static lanewise_status finish_set(struct builder *b, const lanewise_allocator *allocator, lanewise_scan_set **out)
{
	size_t n = b->set->n_patterns;
	struct lw_scan_table table = b->set->table;
	struct parts p = lay_out(b, &table);
	struct lanewise_scan_set *set = lw_allocate(allocator, p.end);

	if (!set)
		return LANEWISE_ERROR_NO_MEMORY;

	char *memory = (char *)set;
	uint32_t *next_output = (uint32_t *)(memory + p.next_output), *length = (uint32_t *)(memory + p.length);

	*set = *b->set;
	if (b->has_rows)
		finish_rows(b, p, set);
	else
		finish_table(b, table, p, set);
	memcpy(next_output, b->next_output, n * sizeof *next_output);
	for (size_t i = 0; i < n; i++)
		length[i] = (uint32_t)b->patterns[i].n_bytes;
	if (b->use_filter) {
		/* With its padding: it may be saved. */
		memcpy(memory + p.filter, &b->filter, lw_scan_filter_size(&b->filter));
		set->filter = (struct lw_scan_filter *)(void *)(memory + p.filter);
	}
	if (b->use_grams) {
		lanewise_scan_fill_grams(&b->grams, b->patterns, b->offsets, memory + p.grams);
		set->grams = b->grams;
		set->width = b->grams.width;
		set->max_offset = b->grams.stride - 1;
	}
	set->next_output = next_output;
	set->length = length;
	lanewise_scan_make_cells(set);
	set->n_bytes = p.end;
	*out = set;
	return LANEWISE_OK;
}

/* How many places of a text may pass a filter, of one, so that it is better than reading all by the automaton. */
static float most_to_pass(const struct builder *b)
{
	/*
	 * An automaton that is read in many places is fast. Of wide windows, which are parts of words, several times as
	 * many pass as if their bytes were independent.
	 */
	return !b->has_rows && !b->set->walks ? 0.25f : b->set->min_length > 2 ? 0.015f : 0.06f;
}

/*
 * The same for grams at even places. Of 500 words 0.0017 pass, and the automaton is fast; of 2,000 words, 0.0055; of 3,000
 * so many that comparing them takes as long as the automaton.
 */
static float most_evens_to_pass(const struct builder *b)
{
	return lw_scan_rows_are_near(b->has_rows, b->n_words) ? 0.002f : 0.006f;
}

/* Grams at even places are for many patterns, which are compared with the text where one is found. */
static int can_use_evens(const struct lanewise_scan_set *set)
{
	return set->n_patterns >= LW_SCAN_GRAM_PATTERNS_MIN && set->max_length <= LW_SCAN_DIRECT_MAX &&
	       set->min_length >= LW_SCAN_EVENS_WIDTH + LW_SCAN_EVENS_STRIDE - 1;
}

/* Chooses how the set's places are found. */
static void choose_way(struct builder *b, int ignore_case)
{
	struct lanewise_scan_set *set = b->set;
	struct lw_scan_grams by_stride, by_filter;
	float passes = 1;
	int has_filter = 0;
	int has_stride = lanewise_scan_plan_grams(set->n_patterns, set->min_length, ignore_case, &by_stride);

	set->direct = set->max_length <= LW_SCAN_DIRECT_MAX;
	lanewise_scan_plan_filter_grams(set->n_patterns, set->min_length, ignore_case, &by_filter);
	if (set->direct)
		has_filter = lanewise_scan_build_gram_filter(set, b->patterns, ignore_case, &by_filter, b->offsets,
		                                             b->counts, &b->filter, &passes);
	else if (!has_stride)
		has_filter = lanewise_scan_build_filter(set, b->patterns, ignore_case, &b->filter, &passes);
	b->use_filter = has_filter && passes < (has_stride ? 0.01f : most_to_pass(b));
	b->use_grams = b->use_filter ? set->direct : has_stride;
	b->grams = b->use_filter ? by_filter : by_stride;
	if (!b->use_filter && !has_stride && can_use_evens(set)) {
		passes = lanewise_scan_choose_evens(set->n_patterns, b->patterns, ignore_case, b->counts, b->offsets);
		if (passes < most_evens_to_pass(b)) {
			lanewise_scan_plan_evens(set->n_patterns, ignore_case, &b->grams);
			b->use_grams = set->direct = 1;
		}
	}
	set->direct &= b->use_grams;
	if (b->use_grams && !b->use_filter && !b->grams.by_evens)
		lanewise_scan_choose_grams(set, b->patterns, ignore_case, &b->grams, b->offsets);
}

static lanewise_status build_in(struct builder *b, const lanewise_allocator *allocator, int ignore_case,
                                lanewise_scan_set **out)
{
	size_t n = b->set->n_patterns, nodes_bytes = (b->total_bytes + 1) * sizeof *b->nodes;
	size_t n_bytes = nodes_bytes + (3 * n + LW_SCAN_COUNTS) * sizeof(uint32_t) + b->total_bytes;
	void *memory = lw_allocate(allocator, n_bytes);
	lanewise_status status;

	if (!memory)
		return LANEWISE_ERROR_NO_MEMORY;
	b->allocator = allocator;
	b->nodes = memory;
	b->order = (uint32_t *)((char *)memory + nodes_bytes);
	b->spare = b->order + n;
	b->next_output = b->spare + n;
	b->counts = b->next_output + n;
	b->offsets = (uint8_t *)(b->counts + LW_SCAN_COUNTS);
	assign_classes(b, ignore_case);
	build_trie(b);
	status = place_rows(b) || place_compactly(b) ? LANEWISE_OK : LANEWISE_ERROR_NO_MEMORY;
	if (!status) {
		choose_way(b, ignore_case);
		status = finish_set(b, allocator, out);
	}
	lw_release(allocator, b->used, b->used_words * sizeof *b->used);
	lw_release(allocator, memory, n_bytes);
	return status;
}

/* ----------------------------------------------------------------- public */

/* Whether the patterns keep to the limits; what is known of them into b. */
static lanewise_status measure(struct builder *b, size_t n_patterns, lanewise_error *error)
{
	if (!b->patterns || n_patterns == 0)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "a set needs at least one pattern");
	if (n_patterns > LANEWISE_SCAN_SET_BYTES)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
		               "%zu patterns; a set has at most %d", n_patterns, LANEWISE_SCAN_SET_BYTES);
	b->set->min_length = UINT32_MAX;
	for (size_t i = 0; i < n_patterns; i++) {
		size_t n = b->patterns[i].n_bytes;

		if (n == 0 || !b->patterns[i].bytes)
			return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "pattern %zu is %s", i,
			               n == 0 ? "empty" : "NULL");
		if (n > LANEWISE_SCAN_PATTERN_BYTES)
			return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
			               "pattern %zu has %zu bytes; the limit is %d", i, n, LANEWISE_SCAN_PATTERN_BYTES);
		b->total_bytes += n;
		if (b->total_bytes > LANEWISE_SCAN_SET_BYTES)
			return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
			               "patterns 0 to %zu have more than %d bytes together", i,
			               LANEWISE_SCAN_SET_BYTES);
		if (n < b->set->min_length)
			b->set->min_length = (uint32_t)n;
		if (n > b->set->max_length)
			b->set->max_length = (uint32_t)n;
	}
	b->set->n_patterns = (uint32_t)n_patterns;
	return LANEWISE_OK;
}

lanewise_status lanewise_scan_set_create(const lanewise_pattern *patterns, size_t n_patterns,
                                         const lanewise_scan_set_options *options, const lanewise_allocator *allocator,
                                         lanewise_scan_set **set, lanewise_error *error)
{
	int gathers = lw_scan_walk() != lanewise_kernels_of(0)->scan_walk;

	return lanewise_scan_set_create_with(patterns, n_patterns, options,
	                                     gathers ? LW_SCAN_ROWS_BYTES_IF_GATHERS : LW_SCAN_ROWS_BYTES, allocator,
	                                     set, error);
}

lanewise_status lanewise_scan_set_create_with(const lanewise_pattern *patterns, size_t n_patterns,
                                              const lanewise_scan_set_options *options, size_t rows_bytes,
                                              const lanewise_allocator *allocator, lanewise_scan_set **set,
                                              lanewise_error *error)
{
	struct lanewise_scan_set draft = { 0 };
	struct builder b = { .patterns = patterns, .set = &draft, .rows_bytes = rows_bytes };
	int ignore_case = options && options->ignore_case;

	if (!set || (options && options->struct_size != sizeof *options))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               set ? "options: unknown struct_size" : "set is NULL");
	*set = NULL;

	lanewise_status status = measure(&b, n_patterns, error);

	if (status != LANEWISE_OK)
		return status;
	if (allocator) {
		draft.allocator = *allocator;
		draft.own_allocator = 1;
	}
	status = build_in(&b, allocator, ignore_case, set);
	if (status != LANEWISE_OK)
		return lw_fail(error, status, LANEWISE_NO_OFFSET, "no memory for the automaton of %zu patterns",
		               n_patterns);
	return LANEWISE_OK;
}

void lanewise_scan_set_destroy(lanewise_scan_set *set)
{
	if (set) {
		lanewise_allocator allocator = set->allocator;

		lanewise_file_destroy(set->file);
		lw_release(set->own_allocator ? &allocator : NULL, set, set->n_bytes);
	}
}

size_t lanewise_scan_set_n_patterns(const lanewise_scan_set *set) { return set->n_patterns; }

size_t lanewise_scan_set_memory(const lanewise_scan_set *set) { return set->n_bytes; }
