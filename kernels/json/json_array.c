/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays of numbers from their text to buffers, in pieces that stay in the L1 cache and three short loops for each: where
 * numbers begin and end, their digits as integers, and these as what is asked for. In one loop all that would be one
 * long chain per number.
 */
#include <lanewise/json.h>

#include "common.h"
#include "support.h"

#include "json_number.h"

enum { PIECE = 1024, TEXT_PIECE = 2047 };

/* Some numbers of an array: `ends` count from its bracket, at `text`. */
struct numbers {
	const uint8_t *text;
	size_t n;
	uint32_t ends[PIECE];
	uint64_t w[PIECE];
	int8_t scale[PIECE];
};

/* To `values`; *n_done is how many were converted, all unless the status is an error. */
typedef lanewise_status convert_fn(const struct numbers *numbers, void *values, size_t *n_done);

static int is_separator(uint8_t c) { return c == ',' || c <= ' '; }

/* The number that ends before text[end], as it is written. */
static const char *find_number(const uint8_t *text, uint32_t end, size_t *n_bytes)
{
	uint32_t begin = end;

	while (begin > 1 && !is_separator(text[begin - 1]))
		begin--;
	*n_bytes = end - begin;
	return (const char *)text + begin;
}

static lanewise_status to_f32(const struct numbers *numbers, void *values, size_t *n_done)
{
	float *out = values;
	size_t i = 0, n_bytes;

	for (;; i++) {
		i = lw_kernels()->json_round_f32(numbers->w, numbers->scale, i, numbers->n, out);
		*n_done = i;
		if (i == numbers->n)
			return LANEWISE_OK;

		const char *number = find_number(numbers->text, numbers->ends[i], &n_bytes);
		uint32_t bits = (uint32_t)lanewise_json_float_bits(number, n_bytes, 24, 8);

		if (bits << 1 == 0xff000000)
			return LANEWISE_ERROR_TOO_LARGE;
		out[i] = lw_f32_from_bits(bits);
	}
}

static lanewise_status to_f64(const struct numbers *numbers, void *values, size_t *n_done)
{
	double *out = values;
	size_t i = 0, n_bytes;

	for (;; i++) {
		i = lanewise_json_round_f64(numbers->w, numbers->scale, i, numbers->n, out);
		*n_done = i;
		if (i == numbers->n)
			return LANEWISE_OK;

		const char *number = find_number(numbers->text, numbers->ends[i], &n_bytes);
		uint64_t bits = lanewise_json_float_bits(number, n_bytes, 53, 11);

		if (bits << 1 == 0xffe0000000000000)
			return LANEWISE_ERROR_TOO_LARGE;
		memcpy(&out[i], &bits, sizeof bits);
	}
}

static lanewise_status to_i64(const struct numbers *numbers, void *values, size_t *n_done)
{
	int64_t *out = values;
	lanewise_status status;
	size_t n_bytes;

	for (size_t i = 0; i < numbers->n; i++) {
		int8_t scale = numbers->scale[i];

		/* 0 or -1: with a sign or without, and no point, behind which there is a digit at least. */
		if ((scale == 0 || scale == -1) && numbers->w[i] <= INT64_MAX) {
			out[i] = (int64_t)(scale ? 0 - numbers->w[i] : numbers->w[i]);
			continue;
		}

		const char *number = find_number(numbers->text, numbers->ends[i], &n_bytes);

		status = lanewise_json_read_i64(number, n_bytes, &out[i]);
		if (status != LANEWISE_OK) {
			*n_done = i;
			return status;
		}
	}
	*n_done = numbers->n;
	return LANEWISE_OK;
}

/* Where the elements of an array are found: in the text, or by their nodes if they have some. */
struct source {
	int in_text, within;
	uint32_t begin, at, n; /* of the array in the text; the next byte and the closing bracket, counted from there */
	const lanewise_json_node *node, *end;
};

/* Fills `numbers` with those that are next; 0 at the end. *status tells whether there is something else behind them. */
static int find_numbers(struct source *s, struct numbers *numbers, lanewise_status *status)
{
	size_t n = 0;

	if (!s->in_text) {
		for (; s->node < s->end && n < PIECE; s->node++) {
			if (s->node->type != LANEWISE_JSON_NUMBER) {
				*status = LANEWISE_ERROR_ARGUMENT;
				break;
			}
			numbers->ends[n++] = s->node->offset + s->node->n_bytes - s->begin;
		}
	}
	while (s->in_text && s->at < s->n && n == 0) {
		uint32_t piece = s->n - s->at < PIECE - 1 ? s->n - s->at : PIECE - 1;

		n = lw_kernels()->json_ends(numbers->text + s->at, piece, &s->within, s->at, numbers->ends);
		s->at += piece;
		if (s->at == s->n && s->within)
			numbers->ends[n++] = s->n;
	}
	numbers->n = n;
	return n > 0;
}

static lanewise_status read_array(const char *text, const lanewise_json_node *nodes, size_t array, convert_fn *convert,
                                  void *values, size_t value_size, size_t capacity, size_t *n_values)
{
	const lanewise_json_node *node = &nodes[array];
	struct source source = { .in_text = (node->flags & LANEWISE_JSON_NUMBERS) != 0,
		                 .begin = node->offset,
		                 .at = 1,
		                 .n = node->n_bytes - 1,
		                 .node = node + 1,
		                 .end = nodes + node->next };
	struct numbers numbers;
	lanewise_status status = LANEWISE_OK, found = LANEWISE_OK;
	size_t count = 0, n_done;

	if (node->type != LANEWISE_JSON_ARRAY)
		return LANEWISE_ERROR_ARGUMENT;
	numbers.text = (const uint8_t *)text + node->offset;
	while (status == LANEWISE_OK && find_numbers(&source, &numbers, &found)) {
		if (numbers.n > capacity - count) {
			numbers.n = capacity - count;
			found = LANEWISE_ERROR_CAPACITY;
		}
		if (numbers.n) {
			lw_kernels()->json_decimals(numbers.text, numbers.ends, numbers.n, numbers.w, numbers.scale);
			status = convert(&numbers, (char *)values + count * value_size, &n_done);
			count += n_done;
		}
		if (status == LANEWISE_OK && found != LANEWISE_OK)
			break;
	}
	*n_values = count;
	if (status != LANEWISE_OK)
		return status;
	return found != LANEWISE_OK && count == capacity ? LANEWISE_ERROR_CAPACITY : found;
}

lanewise_status lanewise_json_f64_array(const char *text, const lanewise_json_node *nodes, size_t array, double *values,
                                        size_t capacity, size_t *n_values)
{
	return read_array(text, nodes, array, to_f64, values, sizeof *values, capacity, n_values);
}

/* Where a piece of an array's text ends that begins at `at`: at the last separator before at + TEXT_PIECE or, if a number goes
 * on from before it, behind that, or at the array's end. */
static uint32_t cut_piece(const uint8_t *text, uint32_t at, uint32_t n)
{
	uint32_t end = n - at > TEXT_PIECE ? at + TEXT_PIECE : n;

	if (end == n)
		return n;
	while (end > at && !is_separator(text[end]))
		end--;
	if (end == at)
		for (end = at + 1; end < n && !is_separator(text[end]);)
			end++;
	return end;
}

/* Numbers that the kernel json_floats has left out; *n becomes the number of the first that is too large. */
static lanewise_status read_unread(const uint8_t *text, const struct lw_json_unread *unread, size_t n_unread,
                                   float *values, size_t *n)
{
	for (size_t i = 0; i < n_unread; i++) {
		size_t n_bytes;
		const char *number = find_number(text, unread[i].end, &n_bytes);
		uint32_t bits = (uint32_t)lanewise_json_float_bits(number, n_bytes, 24, 8);

		if (unread[i].number >= *n)
			break;
		if (bits << 1 == 0xff000000) {
			*n = unread[i].number;
			return LANEWISE_ERROR_TOO_LARGE;
		}
		values[unread[i].number] = lw_f32_from_bits(bits);
	}
	return LANEWISE_OK;
}

/* An array of numbers that has no nodes for them; `text` is its bracket, text[n] the closing one. */
static lanewise_status read_floats(const uint8_t *text, uint32_t n, float *values, size_t capacity, size_t *n_values)
{
	enum { MOST = (TEXT_PIECE + 1) / 2 };
	struct lw_json_unread unread[MOST];
	float some[MOST];
	lanewise_status status = LANEWISE_OK;
	size_t count = 0;

	for (uint32_t at = 1, end; at < n && status == LANEWISE_OK; at = end) {
		end = cut_piece(text, at, n);

		int is_long = end - at > TEXT_PIECE; /* one number, at most */
		size_t room = capacity - count, n_unread, n_done;
		float *out = is_long || room < MOST ? some : values + count;

		n_done = lw_kernels()->json_floats(text, at, end, out, unread, &n_unread);
		if (n_done > room) {
			n_done = room;
			status = LANEWISE_ERROR_CAPACITY;
		}

		lanewise_status read = read_unread(text, unread, n_unread, out, &n_done);

		if (read != LANEWISE_OK)
			status = read;
		if (out == some && n_done)
			memcpy(values + count, some, n_done * sizeof *some);
		count += n_done;
	}
	*n_values = count;
	return status;
}

lanewise_status lanewise_json_f32_array(const char *text, const lanewise_json_node *nodes, size_t array, float *values,
                                        size_t capacity, size_t *n_values)
{
	const lanewise_json_node *node = &nodes[array];

	if (node->type == LANEWISE_JSON_ARRAY && node->flags & LANEWISE_JSON_NUMBERS)
		return read_floats((const uint8_t *)text + node->offset, node->n_bytes - 1, values, capacity, n_values);
	return read_array(text, nodes, array, to_f32, values, sizeof *values, capacity, n_values);
}

lanewise_status lanewise_json_i64_array(const char *text, const lanewise_json_node *nodes, size_t array,
                                        int64_t *values, size_t capacity, size_t *n_values)
{
	return read_array(text, nodes, array, to_i64, values, sizeof *values, capacity, n_values);
}
