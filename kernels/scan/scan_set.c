/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From patterns to the automaton of scan_set.h.
 *
 * A trie is built level by level, without looking anything up: a node owns a range of the patterns, which is sorted by
 * the byte that follows the node's depth, so that each child owns a part of it. Children of a node are therefore
 * neighbours, and nodes are numbered by levels. A node's failure state, the longest proper suffix of its string that is
 * in the trie too, is found from its parent's in the same pass, since that one is on a level nearer to the root. Both take
 * time linear in the patterns' bytes. Then failures pass over leaves, states get their places in the table, and the table is filled.
 */
#include "scan/scan_filter.h"
#include "scan/scan_set.h"

#include "support.h"

enum { SET_BYTES = (sizeof(struct lanewise_scan_set) + 63) / 64 * 64 };

struct node {
	uint32_t begin, end;  /* of the patterns that go through it, in order[] */
	uint32_t first_child; /* the others follow, ordered by class */
	uint32_t fail, output, depth, reach;
	uint32_t state; /* in the table */
	uint16_t n_children;
	uint8_t byte_class; /* of the transition to it */
};

struct builder {
	const lanewise_pattern *patterns;
	struct lanewise_scan_set *set; /* what is known of it; moved to its own memory at the end */
	struct lw_scan_filter filter;
	struct lw_scan_grams grams;
	int use_filter, use_grams; /* both where the set is direct, else one or none */
	uint8_t *offsets;          /* of grams: for each pattern, grams.stride of them */
	uint32_t *counts;          /* for lanewise_scan_build_gram_filter */
	size_t total_bytes;
	struct node *nodes;
	uint32_t *order, *spare; /* pattern numbers */
	uint32_t *next_output;
	size_t n_nodes, n_dense; /* the first n_dense nodes are rows */
	size_t rows_end, n_words;
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

/* What a state fails to comes before it, so that it is right already. */
static void pass_over_leaves(struct builder *b)
{
	for (size_t i = 1; i < b->n_nodes; i++) {
		struct node *node = &b->nodes[i], *fail = &b->nodes[node->fail];

		if (fail->n_children == 0)
			node->fail = fail->fail;
		node->reach = node->n_children > 0 ? node->depth : b->nodes[node->fail].reach;
	}
}

/* ------------------------------------------------------------------ table */

static int is_row(const struct builder *b, size_t node)
{
	return node < b->n_dense || b->nodes[node].n_children > LW_SCAN_SPARSE_MAX;
}

static size_t class_words(const struct node *node) { return node->n_children > 1 ? (node->n_children + 3u) / 4 : 0; }

static void place_states(struct builder *b)
{
	size_t row_words = b->set->n_classes + 2, at = 0;
	int is_long = b->set->n_patterns >= LW_SCAN_GRAM_PATTERNS_MIN && b->set->min_length >= LW_SCAN_GRAM_PATTERN_MIN;

	b->n_dense = (is_long ? LW_SCAN_DENSE_GRAM_BYTES : LW_SCAN_DENSE_BYTES) / (row_words * sizeof(uint32_t));
	for (size_t i = 0; i < b->n_nodes; i++)
		if (is_row(b, i)) {
			b->nodes[i].state = (uint32_t)(at + 2);
			at += row_words;
		}
	b->rows_end = at;
	for (size_t i = 0; i < b->n_nodes; i++)
		if (!is_row(b, i)) {
			at += b->nodes[i].output != LW_SCAN_NONE;
			b->nodes[i].state = (uint32_t)at;
			at += 2 + class_words(&b->nodes[i]) + b->nodes[i].n_children;
		}
	b->n_words = at;
}

/* A child's state as transitions to it have it. */
static uint32_t target(const struct builder *b, uint32_t node)
{
	return b->nodes[node].state | (b->nodes[node].output != LW_SCAN_NONE ? LW_SCAN_OUTPUT : 0);
}

/* States nearer to the root are filled in already; the failure state is one. */
static void fill_row(const struct builder *b, uint32_t *table, uint32_t node)
{
	const struct node *n = &b->nodes[node];
	uint32_t *row = table + n->state, fail = b->nodes[n->fail].state;

	row[-2] = n->reach;
	row[-1] = n->output;
	for (uint32_t c = 0; c < b->set->n_classes; c++)
		row[c] = node ? lw_scan_step_class(table, (uint32_t)b->rows_end, fail, c) : LW_SCAN_ROOT;
	for (uint32_t i = 0; i < n->n_children; i++)
		row[b->nodes[n->first_child + i].byte_class] = target(b, n->first_child + i);
}

static void fill_sparse(const struct builder *b, uint32_t *table, uint32_t node)
{
	const struct node *n = &b->nodes[node];
	uint32_t *state = table + n->state, *next = state + 2 + class_words(n);
	uint8_t classes[LW_SCAN_SPARSE_MAX + 3] = { 0 };

	if (n->output != LW_SCAN_NONE)
		state[-1] = n->output;
	for (uint32_t i = 0; i < n->n_children; i++) {
		classes[i] = b->nodes[n->first_child + i].byte_class;
		next[i] = target(b, n->first_child + i);
	}
	state[0] = b->nodes[n->fail].state;
	state[1] = n->n_children | n->reach << 16 | (n->n_children == 1 ? (uint32_t)classes[0] << 8 : 0);
	memcpy(state + 2, classes, class_words(n) * sizeof *state);
}

static void fill_table(const struct builder *b, uint32_t *table)
{
	for (uint32_t i = 0; i < b->n_nodes; i++)
		if (is_row(b, i))
			fill_row(b, table, i);
		else
			fill_sparse(b, table, i);
}

/* ---------------------------------------------------------------- memory */

/* The finished set, in memory of its own of exactly the size it needs. */
static lanewise_status finish_set(struct builder *b, const lanewise_allocator *allocator, lanewise_scan_set **out)
{
	size_t n = b->set->n_patterns;
	size_t filter_bytes = b->use_filter ? sizeof(struct lw_scan_filter) : 0;
	size_t grams_bytes = b->use_grams ? lanewise_scan_grams_size(&b->grams) : 0;
	size_t n_bytes = SET_BYTES + filter_bytes + grams_bytes + (b->n_words + 2 * n) * sizeof(uint32_t);
	struct lanewise_scan_set *set = lw_allocate(allocator, n_bytes);

	if (!set)
		return LANEWISE_ERROR_NO_MEMORY;

	void *filter = (char *)set + SET_BYTES, *grams = (char *)filter + filter_bytes;
	uint32_t *table = (uint32_t *)((char *)grams + grams_bytes), *next_output = table + b->n_words,
	         *length = next_output + n;

	*set = *b->set;
	fill_table(b, table);
	memcpy(next_output, b->next_output, n * sizeof *next_output);
	for (size_t i = 0; i < n; i++)
		length[i] = (uint32_t)b->patterns[i].n_bytes;
	if (b->use_filter) {
		memcpy(filter, &b->filter, sizeof b->filter); /* with its padding: it may be saved */
		set->filter = filter;
	}
	if (b->use_grams) {
		lanewise_scan_fill_grams(&b->grams, b->patterns, b->offsets, grams);
		set->grams = b->grams;
		set->width = b->grams.width;
		set->max_offset = b->grams.stride - 1;
	}
	set->table = table;
	set->next_output = next_output;
	set->length = length;
	lanewise_scan_make_cells(set);
	set->n_words = b->n_words;
	set->rows_end = (uint32_t)b->rows_end;
	set->n_bytes = n_bytes;
	*out = set;
	return LANEWISE_OK;
}

/* How many places of a text may pass a filter, of one, so that it is better than reading all by the automaton. */
static float most_to_pass(const struct builder *b)
{
	/* An automaton of rows is read faster. Of wide windows, which are parts of words, several times as many pass as
	 * if their bytes were independent. */
	return !b->set->all_rows ? 0.25f : b->set->min_length > 2 ? 0.015f : 0.06f;
}

/*
 * The same for grams at even places. Of 500 words 0.0017 pass, and the automaton is fast; of 2,000 words, 0.0055; of 3,000
 * so many that comparing them takes as long as the automaton.
 */
static float most_evens_to_pass(const struct builder *b) { return b->n_words < LW_SCAN_SLOW_WORDS ? 0.002f : 0.006f; }

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
	b->nodes = memory;
	b->order = (uint32_t *)((char *)memory + nodes_bytes);
	b->spare = b->order + n;
	b->next_output = b->spare + n;
	b->counts = b->next_output + n;
	b->offsets = (uint8_t *)(b->counts + LW_SCAN_COUNTS);
	assign_classes(b, ignore_case);
	build_trie(b);
	pass_over_leaves(b);
	place_states(b);
	b->set->all_rows = b->rows_end == b->n_words;
	choose_way(b, ignore_case);
	status = finish_set(b, allocator, out);
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
	struct lanewise_scan_set draft = { 0 };
	struct builder b = { .patterns = patterns, .set = &draft };
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
