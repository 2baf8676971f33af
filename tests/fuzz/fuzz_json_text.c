/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as JSON: the verdict and tree of a second parser; the same on every tier, errors and their places too;
 * the index of pieces is that of the whole; numbers are strtod's; strings come back after escaping. The first bytes
 * choose flags and cuts.
 */
#include <lanewise/json.h>

#include "../json_reference.h"
#include "fuzz.h"

struct outcome {
	lanewise_status status;
	lanewise_error error;
	size_t n_nodes;
	lanewise_json_node *nodes;
};

static struct outcome parse(const char *text, size_t n, uint32_t flags)
{
	lanewise_json_options options = { .struct_size = sizeof options, .flags = flags, .max_depth = REFERENCE_DEPTH };
	size_t bound = lanewise_json_nodes_bound(n, &options);
	struct outcome o = { .nodes = fuzz_allocate(bound * sizeof(lanewise_json_node)) };

	o.status = lanewise_json_parse(text, n, &options, o.nodes, bound, &o.n_nodes, &o.error);
	FUZZ_REQUIRE(o.status == LANEWISE_OK || (o.status == LANEWISE_ERROR_DATA && o.error.offset <= n));
	return o;
}

static void check_number(const char *text, const lanewise_json_node *node)
{
	char *copy = fuzz_allocate(node->n_bytes + 1);
	double value = 0, expected;

	memcpy(copy, text + node->offset, node->n_bytes);
	copy[node->n_bytes] = '\0';
	expected = strtod(copy, NULL);
	lanewise_json_f64(text, node, &value);
	FUZZ_REQUIRE(memcmp(&value, &expected, sizeof value) == 0);

	float value32 = 0, expected32 = strtof(copy, NULL);

	lanewise_json_f32(text, node, &value32);
	FUZZ_REQUIRE(memcmp(&value32, &expected32, sizeof value32) == 0);
	free(copy);
}

static void check_string(const char *text, const lanewise_json_node *node)
{
	size_t n, room = node->n_bytes - 2;
	char *out = fuzz_allocate(room), *escaped = fuzz_allocate(6 * room + 2), *again = fuzz_allocate(6 * room);
	lanewise_json_node other;
	size_t n_escaped, n_again, n_nodes;

	FUZZ_REQUIRE(lanewise_json_string(text, node, out, room, &n) == LANEWISE_OK);
	n_escaped = lanewise_json_escape(out, n, escaped + 1, 6 * room);
	FUZZ_REQUIRE(n_escaped <= 6 * n);
	escaped[0] = escaped[n_escaped + 1] = '"';
	FUZZ_REQUIRE(lanewise_json_parse(escaped, n_escaped + 2, NULL, &other, 1, &n_nodes, NULL) == LANEWISE_OK);
	FUZZ_REQUIRE(lanewise_json_string(escaped, &other, again, 6 * room, &n_again) == LANEWISE_OK);
	FUZZ_REQUIRE(n_again == n && memcmp(again, out, n) == 0);
	free(out);
	free(escaped);
	free(again);
}

/* Arrays of numbers in one node each: the same verdict, the tree but for that, and the numbers. */
static void check_folded(const char *text, size_t n, lanewise_json_node *tree, size_t n_tree,
                         const struct outcome *plain)
{
	uint32_t *places = fuzz_allocate((n_tree + 1) * sizeof *places);
	double *all = fuzz_allocate(n * sizeof *all), one;
	size_t n_values, at = 0;

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		struct outcome o = parse(text, n, LANEWISE_JSON_NUMBER_ARRAYS);

		FUZZ_REQUIRE(o.status == plain->status);
		FUZZ_REQUIRE(o.status == LANEWISE_OK ||
		             (o.error.offset == plain->error.offset && !strcmp(o.error.what, plain->error.what)));
		for (size_t i = at = 0; o.status == LANEWISE_OK && i < o.n_nodes; i++, at++) {
			FUZZ_REQUIRE(o.nodes[i].offset == plain->nodes[at].offset);
			if (!(o.nodes[i].flags & LANEWISE_JSON_NUMBERS))
				continue;

			lanewise_status status = lanewise_json_f64_array(text, o.nodes, i, all, n, &n_values);

			for (size_t k = 0; k < n_values; k++) {
				FUZZ_REQUIRE(lanewise_json_f64(text, &plain->nodes[at + 1 + k], &one) == LANEWISE_OK);
				FUZZ_REQUIRE(memcmp(&one, &all[k], sizeof one) == 0);
			}
			FUZZ_REQUIRE(status == LANEWISE_OK || status == LANEWISE_ERROR_TOO_LARGE);
			FUZZ_REQUIRE((status == LANEWISE_OK) == (at + 1 + n_values == plain->nodes[at].next));
			at = plain->nodes[at].next - 1;
		}
		if (o.status == LANEWISE_OK && tier == 0)
			n_tree = reference_fold(tree, n_tree, places);
		FUZZ_REQUIRE(o.status != LANEWISE_OK ||
		             (o.n_nodes == n_tree && !memcmp(o.nodes, tree, n_tree * sizeof *tree)));
		free(o.nodes);
	}
	free(places);
	free(all);
}

static void check_parse(const char *text, size_t n)
{
	lanewise_json_node *expected = fuzz_allocate((n + 1) * sizeof *expected);
	size_t n_expected;
	int ok = reference_parse(text, n, expected, &n_expected);

	lanewise_set_tier(0);
	struct outcome first = parse(text, n, 0), lenient = parse(text, n, 3);

	FUZZ_REQUIRE(ok == (first.status == LANEWISE_OK));
	FUZZ_REQUIRE(!ok ||
	             (first.n_nodes == n_expected && !memcmp(first.nodes, expected, n_expected * sizeof *expected)));
	FUZZ_REQUIRE(!ok || lenient.status == LANEWISE_OK);
	for (lanewise_tier tier = 1; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		struct outcome o = parse(text, n, 0);

		FUZZ_REQUIRE(o.status == first.status);
		FUZZ_REQUIRE(ok ? o.n_nodes == n_expected && !memcmp(o.nodes, expected, n_expected * sizeof *expected)
		                : o.error.offset == first.error.offset && !strcmp(o.error.what, first.error.what));
		free(o.nodes);
	}
	check_folded(text, n, expected, ok ? n_expected : 0, &first);
	for (size_t i = 0; lenient.status == LANEWISE_OK && i < lenient.n_nodes; i++)
		if (lenient.nodes[i].type == LANEWISE_JSON_NUMBER)
			check_number(text, &lenient.nodes[i]);
		else if (lenient.nodes[i].type == LANEWISE_JSON_STRING)
			check_string(text, &lenient.nodes[i]);
	free(first.nodes);
	free(lenient.nodes);
	free(expected);
}

/* The index as text positions in pieces of `step`; with an error's offset behind it. */
static size_t index_pieces(const char *text, size_t n, size_t step, size_t capacity, uint64_t *positions)
{
	lanewise_json_index_state state = { 0 };
	lanewise_error error = { .offset = LANEWISE_NO_OFFSET };
	uint32_t *index = fuzz_allocate(capacity * sizeof *index);
	size_t count = 0, n_index, n_taken;

	for (size_t at = 0; at < n; at += n_taken) {
		size_t n_piece = n - at < step ? n - at : step;
		char *piece = fuzz_allocate(n_piece);

		memcpy(piece, text + at, n_piece);
		lanewise_status status =
		        lanewise_json_index_feed(&state, piece, n_piece, index, capacity, &n_index, &n_taken, &error);
		FUZZ_REQUIRE(status == LANEWISE_OK || status == LANEWISE_ERROR_DATA);
		FUZZ_REQUIRE(n_taken > 0 && n_taken <= n_piece);
		for (size_t i = 0; i < n_index; i++)
			positions[count++] = at + index[i];
		free(piece);
		if (status != LANEWISE_OK)
			break;
	}
	lanewise_json_index_finish(&state, &error);
	positions[count++] = error.offset;
	free(index);
	return count;
}

static void check_index(const char *text, size_t n, size_t step)
{
	uint64_t *whole = fuzz_allocate((n + 1) * sizeof *whole), *pieces = fuzz_allocate((n + 1) * sizeof *pieces);

	lanewise_set_tier(0);
	size_t count = index_pieces(text, n, n, n, whole);

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
		if (lanewise_set_tier(tier) == LANEWISE_OK) {
			FUZZ_REQUIRE(index_pieces(text, n, step, 64, pieces) == count);
			FUZZ_REQUIRE(memcmp(whole, pieces, count * sizeof *whole) == 0);
		}
	free(whole);
	free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	size_t step = fuzz_u8(&in) + 1, n = in.size;
	char *text = fuzz_allocate(n);

	fuzz_bytes(&in, text, n);
	check_parse(text, n);
	check_index(text, n, step);
	free(text);
	return 0;
}
