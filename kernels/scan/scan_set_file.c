/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pattern sets as lanewise files: the arrays of scan_set.h as they are in memory.
 *
 *     scan.header   one struct header
 *     scan.rows     u32, the automaton, or none, and then these have elements:
 *     scan.table    u32, the words of the compact automaton, or none, and then
 *     scan.wide     u64, the same
 *     scan.rank     struct lw_scan_rank, one for each 32 of these
 *     scan.output   u32
 *     scan.far      u64
 *     scan.next     n_patterns u32: next_output
 *     scan.length   n_patterns u32
 *     scan.filter   one struct lw_scan_filter in elements of 16 bytes, or none
 *     scan.grams    one struct grams, or none, in which case these have no elements; with a filter its stride is 1:
 *     scan.ends     n_patterns struct lw_scan_ends; scan.bits u64; scan.bucket, scan.entry u32
 *     scan.near     struct lw_scan_near, one for each bucket, for grams at even places, or none
 *
 * A file is a stranger's. What a scan relies on is checked here, so that it need not check anything:
 *
 *   - Transitions between rows lead to rows, and say whether these have an output.
 *   - Where a transition of a compact automaton leads to, a state's first word stands, and behind it as many words as
 *     there are classes. The root is complete. A word that is a transition for some class counts as one of the state that
 *     it would belong to, and has no bits but those of its parts, as scan_walk compares all but output and state at once.
 *   - After a step a state's reach, and the length of what ends there, are at most one more than the reach before; so
 *     neither is ever more than the bytes read. Failures lower the reach; so the time is linear.
 *   - Ranks are those of the transitions with output.
 *   - Outputs are numbers of patterns, and lists of them end, since each is shorter than the one before or, if it is as
 *     long, of a higher number.
 *   - The filter's windows lie in what scan_candidates may read, and pass both kinds of its tables.
 *   - Places in the grams' arrays lie in these, and windows in grams, and what is compared at the ends of patterns there.
 *
 * Whether the automaton finds the right patterns is not checked.
 */
#include <inttypes.h>

#include "scan/scan_set.h"

#include "file/file_format.h"
#include "support.h"

/* Raise it when the arrays or the filter come to mean something else. */
enum { FORMAT = 5, PARTS = 16 };

struct header {
	uint32_t format, n_patterns, n_classes;
	uint32_t state_bits; /* 0: rows */
	uint32_t min_length, max_length, max_offset, reserved;
	uint8_t class_of[256];
};

/* What struct lw_scan_grams has besides arrays. */
struct grams {
	uint32_t width, stride, bucket_log, delta;
	uint64_t fold;
};
_Static_assert(sizeof(struct grams) == 24 && sizeof(struct lw_scan_ends) == 32, "they are part of the file format");
_Static_assert(sizeof(struct header) == 288, "the header is part of the file format");
enum { FILTER_ELEMENT = 16 };
_Static_assert(offsetof(struct lw_scan_filter, slot) == 848, "the filter is part of the file format");

/* ---------------------------------------------------------------- writing */

static void list_parts(const struct lanewise_scan_set *set, struct header *header, struct grams *grams,
                       struct lw_file_part parts[PARTS])
{
	const struct lw_scan_grams *g = &set->grams;
	size_t n = set->n_patterns, n_grams = g->n_patterns;

	*header = (struct header) { .format = FORMAT,
		                    .n_patterns = set->n_patterns,
		                    .n_classes = set->n_classes,
		                    .state_bits = set->table.state_bits,
		                    .min_length = set->min_length,
		                    .max_length = set->max_length,
		                    .max_offset = set->max_offset };
	memcpy(header->class_of, set->class_of, sizeof header->class_of);
	parts[0] = (struct lw_file_part) { "scan.header", sizeof *header, 1, header };
	parts[1] = (struct lw_file_part) { "scan.table", sizeof(uint32_t), set->table.narrow ? set->n_words : 0,
		                           set->table.narrow };
	parts[2] = (struct lw_file_part) { "scan.next", sizeof(uint32_t), n, set->next_output };
	parts[3] = (struct lw_file_part) { "scan.length", sizeof(uint32_t), n, set->length };
	parts[4] = (struct lw_file_part) { "scan.filter", FILTER_ELEMENT,
		                           set->filter ? lw_scan_filter_size(set->filter) / FILTER_ELEMENT : 0,
		                           set->filter };
	*grams = (struct grams) { g->width, g->stride, (uint32_t)g->bucket_log, g->delta, g->fold };
	parts[5] = (struct lw_file_part) { "scan.grams", sizeof *grams, n_grams > 0, grams };
	parts[6] = (struct lw_file_part) { "scan.ends", sizeof *g->ends, n_grams, g->ends };
	parts[7] =
	        (struct lw_file_part) { "scan.bits", sizeof *g->bits, n_grams ? (size_t)g->word_mask + 1 : 0, g->bits };
	parts[8] = (struct lw_file_part) { "scan.bucket", sizeof *g->bucket,
		                           n_grams ? ((size_t)1 << g->bucket_log) + 1 : 0, g->bucket };
	parts[9] = (struct lw_file_part) { "scan.entry", sizeof *g->entry, n_grams * g->stride, g->entry };
	parts[10] = (struct lw_file_part) { "scan.near", sizeof *g->near, g->near ? (size_t)1 << g->bucket_log : 0,
		                            g->near };
	parts[11] = (struct lw_file_part) { "scan.wide", sizeof(uint64_t), set->table.wide ? set->n_words : 0,
		                            set->table.wide };
	parts[12] = (struct lw_file_part) { "scan.rank", sizeof *set->rank, set->rows ? 0 : set->n_words / 32 + 1,
		                            set->rank };
	parts[13] = (struct lw_file_part) { "scan.output", sizeof *set->output, set->n_outputs, set->output };
	parts[14] = (struct lw_file_part) { "scan.far", sizeof *set->far, set->n_far, set->far };
	parts[15] = (struct lw_file_part) { "scan.rows", sizeof(uint32_t), set->rows ? set->n_words : 0, set->rows };
}

size_t lanewise_scan_set_image_size(const lanewise_scan_set *set)
{
	struct header header;
	struct grams grams;
	struct lw_file_part parts[PARTS];

	list_parts(set, &header, &grams, parts);
	return lanewise_file_image_size(parts, PARTS);
}

void lanewise_scan_set_to_image(const lanewise_scan_set *set, void *image)
{
	struct header header;
	struct grams grams;
	struct lw_file_part parts[PARTS];

	list_parts(set, &header, &grams, parts);
	lanewise_file_image_write(parts, PARTS, image);
}

lanewise_status lanewise_scan_set_save(const lanewise_scan_set *set, const char *path, lanewise_error *error)
{
	struct header header;
	struct grams grams;
	struct lw_file_part parts[PARTS];
	lanewise_file_writer *writer = NULL;
	lanewise_status status;

	if (!set)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "set is NULL");
	list_parts(set, &header, &grams, parts);
	status = lanewise_file_writer_create(path, set->own_allocator ? &set->allocator : NULL, &writer, error);
	for (size_t i = 0; i < PARTS && !status; i++) {
		status = lanewise_file_writer_section(writer, parts[i].name, parts[i].element_bytes, error);
		if (!status)
			status = lanewise_file_writer_append(writer, parts[i].elements, parts[i].n, error);
	}
	if (!status)
		status = lanewise_file_writer_commit(writer, error);
	lanewise_file_writer_destroy(writer);
	return status;
}

/* --------------------------------------------------------------- checking */

/* A set that is being opened. */
struct opening {
	const lanewise_file *file;
	lanewise_error *error;
	const struct header *header; /* in the file */
	struct lanewise_scan_set set;
	const struct grams *grams;
	size_t n_next, n_length, n_filter, n_grams, n_ends, n_bits, n_bucket, n_entries, n_near;
	size_t n_rows, n_narrow, n_wide, n_rank;
	uint64_t *begins; /* bits by words of the automaton: a state begins there */
};

/* What is wrong with element `i` of a section, which begins at `elements`. */
#define WRONG(opening, section, elements, i, format, ...) \
	lw_fail((opening)->error, LANEWISE_ERROR_DATA, lanewise_file_offset((opening)->file, &(elements)[i]), \
	        "section scan." section ", element %zu: " format, (size_t)(i), __VA_ARGS__)

#define WRONG_WORD(opening, at, format, ...) \
	((opening)->set.table.narrow ? WRONG(opening, "table", (opening)->set.table.narrow, at, format, __VA_ARGS__) \
	                             : WRONG(opening, "wide", (opening)->set.table.wide, at, format, __VA_ARGS__))

/* What is wrong with a field of the header or the filter. */
#define WRONG_FIELD(opening, section, field, format, ...) \
	lw_fail((opening)->error, LANEWISE_ERROR_DATA, lanewise_file_offset((opening)->file, &(field)), \
	        "section scan." section ", " format, __VA_ARGS__)

static lanewise_status find_sections(struct opening *o)
{
	const void *header = NULL, *table = NULL, *next = NULL, *length = NULL, *filter = NULL, *grams = NULL;
	const void *ends = NULL, *bits = NULL, *bucket = NULL, *entry = NULL, *near = NULL;
	const void *wide = NULL, *rank = NULL, *output = NULL, *far = NULL, *rows = NULL;
	const lanewise_file *file = o->file;
	lanewise_error *error = o->error;
	lanewise_status status;
	size_t n;

	if ((status = lanewise_file_section(file, "scan.header", sizeof *o->header, &header, &n, error)))
		return status;
	if (n != 1)
		return lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, header),
		               "section scan.header: %zu elements instead of 1", n);
	o->header = header;
	if (o->header->format != FORMAT)
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, lanewise_file_offset(file, &o->header->format),
		               "section scan.header, format: %" PRIu32 ", this version reads %d; make the set again",
		               o->header->format, FORMAT);
	if ((status = lanewise_file_section(file, "scan.table", 4, &table, &o->n_narrow, error)) ||
	    (status = lanewise_file_section(file, "scan.rows", 4, &rows, &o->n_rows, error)) ||
	    (status = lanewise_file_section(file, "scan.wide", 8, &wide, &o->n_wide, error)) ||
	    (status = lanewise_file_section(file, "scan.rank", sizeof *o->set.rank, &rank, &o->n_rank, error)) ||
	    (status = lanewise_file_section(file, "scan.output", 4, &output, &o->set.n_outputs, error)) ||
	    (status = lanewise_file_section(file, "scan.far", 8, &far, &o->set.n_far, error)) ||
	    (status = lanewise_file_section(file, "scan.next", 4, &next, &o->n_next, error)) ||
	    (status = lanewise_file_section(file, "scan.length", 4, &length, &o->n_length, error)) ||
	    (status = lanewise_file_section(file, "scan.filter", FILTER_ELEMENT, &filter, &o->n_filter, error)) ||
	    (status = lanewise_file_section(file, "scan.grams", sizeof *o->grams, &grams, &o->n_grams, error)) ||
	    (status = lanewise_file_section(file, "scan.ends", sizeof *o->set.grams.ends, &ends, &o->n_ends, error)) ||
	    (status = lanewise_file_section(file, "scan.bits", 8, &bits, &o->n_bits, error)) ||
	    (status = lanewise_file_section(file, "scan.bucket", 4, &bucket, &o->n_bucket, error)) ||
	    (status = lanewise_file_section(file, "scan.entry", 4, &entry, &o->n_entries, error)) ||
	    (status = lanewise_file_section(file, "scan.near", sizeof *o->set.grams.near, &near, &o->n_near, error)))
		return status;
	o->set.rows = o->n_rows ? rows : NULL;
	o->set.table.narrow = o->n_narrow ? table : NULL;
	o->set.table.wide = o->n_rows || o->n_narrow ? NULL : wide;
	o->set.n_words = o->n_rows ? o->n_rows : o->n_narrow ? o->n_narrow : o->n_wide;
	o->set.rank = rank;
	o->set.output = output;
	o->set.far = far;
	o->set.next_output = next;
	o->set.length = length;
	o->set.filter = o->n_filter ? filter : NULL;
	o->grams = grams;
	o->set.grams.ends = ends;
	o->set.grams.bits = bits;
	o->set.grams.bucket = bucket;
	o->set.grams.entry = entry;
	o->set.grams.near = o->n_near ? near : NULL;
	return LANEWISE_OK;
}

static lanewise_status check_header(struct opening *o)
{
	const struct header *h = o->header;
	struct lanewise_scan_set *set = &o->set;

	if (h->n_patterns == 0 || h->n_patterns > LANEWISE_SCAN_SET_BYTES || h->n_patterns != o->n_next)
		return WRONG_FIELD(o, "header", h->n_patterns,
		                   "n_patterns: %" PRIu32 ", but section scan.next has %zu elements", h->n_patterns,
		                   o->n_next);
	if (h->n_patterns != o->n_length)
		return WRONG_FIELD(o, "header", h->n_patterns,
		                   "n_patterns: %" PRIu32 ", but section scan.length has %zu elements", h->n_patterns,
		                   o->n_length);
	if (h->n_classes == 0 || h->n_classes > 256)
		return WRONG_FIELD(o, "header", h->n_classes, "n_classes: %" PRIu32, h->n_classes);
	if (h->max_offset > LW_SCAN_MAX_OFFSET)
		return WRONG_FIELD(o, "header", h->max_offset, "max_offset: %" PRIu32, h->max_offset);
	if (h->reserved != 0)
		return WRONG_FIELD(o, "header", h->reserved, "reserved: %" PRIu32, h->reserved);
	for (int i = 0; i < 256; i++)
		if (h->class_of[i] >= h->n_classes)
			return WRONG_FIELD(o, "header", h->class_of[i], "class_of[%d]: %d of %" PRIu32, i,
			                   h->class_of[i], h->n_classes);
	set->n_patterns = h->n_patterns;
	set->n_classes = h->n_classes;
	set->min_length = h->min_length;
	set->max_length = h->max_length;
	set->walks = o->n_narrow > 0 && set->max_length <= LW_SCAN_WALK_FAR_MAX + 1;
	set->max_offset = h->max_offset;
	memcpy(set->class_of, h->class_of, sizeof set->class_of);
	return LANEWISE_OK;
}

static lanewise_status check_patterns(const struct opening *o)
{
	const uint32_t *length = o->set.length, *next = o->set.next_output;
	uint32_t least = UINT32_MAX, most = 0;

	for (size_t i = 0; i < o->n_length; i++) {
		if (length[i] == 0 || length[i] > LANEWISE_SCAN_PATTERN_BYTES)
			return WRONG(o, "length", length, i, "%" PRIu32, length[i]);
		least = length[i] < least ? length[i] : least;
		most = length[i] > most ? length[i] : most;
	}
	if (o->set.min_length != least)
		return WRONG_FIELD(o, "header", o->header->min_length, "min_length: %" PRIu32 " instead of %" PRIu32,
		                   o->set.min_length, least);
	if (o->set.max_length != most)
		return WRONG_FIELD(o, "header", o->header->max_length, "max_length: %" PRIu32 " instead of %" PRIu32,
		                   o->set.max_length, most);
	for (size_t i = 0; i < o->n_next; i++)
		if (next[i] != LW_SCAN_NONE && (next[i] >= o->n_next || length[next[i]] > length[i] ||
		                                (length[next[i]] == length[i] && next[i] <= i)))
			return WRONG(o, "next", next, i, "%" PRIu32 " after %zu", next[i], i);
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------- rows */

static int has_bit(const uint64_t *bits, size_t i) { return bits[i / 64] >> i % 64 & 1; }

#define WRONG_ROW(opening, at, format, ...) WRONG(opening, "rows", (opening)->set.rows, at, format, __VA_ARGS__)

/* That the words are whole rows, and nothing of the other form is there. */
static lanewise_status check_row_sizes(const struct opening *o)
{
	const struct lanewise_scan_set *set = &o->set;

	if (o->n_rows % (set->n_classes + 2) != 0 || o->n_rows >= LW_SCAN_OUTPUT)
		return WRONG_FIELD(o, "header", o->header->n_classes, "n_classes: %" PRIu32 " with %zu words of rows",
		                   set->n_classes, o->n_rows);
	if (o->header->state_bits != 0)
		return WRONG_FIELD(o, "header", o->header->state_bits, "state_bits: %" PRIu32 " with rows",
		                   o->header->state_bits);
	if (o->n_narrow || o->n_wide || o->n_rank || set->n_outputs || set->n_far)
		return WRONG_ROW(o, 0, "%zu words besides, %zu of scan.rank, %zu of scan.output, %zu of scan.far",
		                 o->n_narrow + o->n_wide, o->n_rank, set->n_outputs, set->n_far);
	return LANEWISE_OK;
}

/* The transition at rows[at], from a state of this reach. */
static lanewise_status check_row_transition(const struct opening *o, size_t at, uint32_t reach)
{
	const struct lanewise_scan_set *set = &o->set;
	uint32_t s = set->rows[at] & ~LW_SCAN_OUTPUT, output;

	if (s >= set->n_words || !has_bit(o->begins, s))
		return WRONG_ROW(o, at, "there is no state %" PRIu32, s);
	if (lw_scan_reach(set, s) > reach + 1)
		return WRONG_ROW(o, at, "to a reach of %" PRIu32 " from one of %" PRIu32, lw_scan_reach(set, s), reach);
	output = lw_scan_output(set, s);
	if ((set->rows[at] != s) != (output != LW_SCAN_NONE))
		return WRONG_ROW(o, at, "output %" PRIu32 " of state %" PRIu32 ", which the transition denies", output,
		                 s);
	if (output != LW_SCAN_NONE && (output >= set->n_patterns || set->length[output] > reach + 1))
		return WRONG_ROW(o, at, "pattern %" PRIu32 " cannot end in state %" PRIu32, output, s);
	return LANEWISE_OK;
}

static lanewise_status check_rows(struct opening *o)
{
	const struct lanewise_scan_set *set = &o->set;
	lanewise_status status = LANEWISE_OK;

	for (size_t s = LW_SCAN_ROOT; s < set->n_words; s += set->n_classes + 2)
		o->begins[s / 64] |= UINT64_C(1) << s % 64;
	if (set->rows[LW_SCAN_ROOT - 2] != 0)
		return WRONG_ROW(o, 0, "a reach of %" PRIu32 " in the first state", set->rows[0]);
	for (size_t s = LW_SCAN_ROOT; s < set->n_words && !status; s += set->n_classes + 2) {
		uint32_t reach = set->rows[s - 2];

		if (reach >= set->max_length)
			return WRONG_ROW(o, s - 2, "a reach of %" PRIu32 " in state %zu", reach, s);
		/* Most transitions are those of the first row, which has the least reach, so they need no other check. */
		for (uint32_t c = 0; c < set->n_classes && !status; c++)
			if (s == LW_SCAN_ROOT || set->rows[s + c] != set->rows[LW_SCAN_ROOT + c])
				status = check_row_transition(o, s + c, reach);
	}
	return status;
}

/* --------------------------------------------------------- compact states */

/* How words are divided, by what the header says; that they can be. */
static lanewise_status check_words(struct opening *o)
{
	struct lw_scan_table *table = &o->set.table;
	const struct header *h = o->header;
	size_t n = o->set.n_words, most = (size_t)UINT32_MAX - 512;

	if (o->set.rows)
		return check_row_sizes(o);
	if (o->n_narrow && o->n_wide)
		return lw_fail(o->error, LANEWISE_ERROR_DATA, lanewise_file_offset(o->file, table->narrow),
		               "section scan.table: %zu elements, but %zu in scan.wide", o->n_narrow, o->n_wide);
	if (n <= LW_SCAN_ROOT + h->n_classes || n > most)
		return WRONG_FIELD(o, "header", h->n_classes, "n_classes: %" PRIu32 " with %zu words of the automaton",
		                   h->n_classes, n);
	table->state_bits = h->state_bits;
	table->check_mask = 1;
	while (table->narrow && table->check_mask < h->n_classes)
		table->check_mask = 2 * table->check_mask + 1;
	if (table->wide)
		table->check_mask = LW_SCAN_WIDE_CHECK_MASK;
	table->reach_shift = h->state_bits + 1;
	for (uint32_t bits = table->check_mask; bits; bits >>= 1)
		table->reach_shift++;
	if (table->narrow ? h->state_bits == 0 || h->state_bits > 31 || table->reach_shift > 32
	                  : h->state_bits != LW_SCAN_WIDE_STATE_BITS)
		return WRONG_FIELD(o, "header", h->state_bits, "state_bits: %" PRIu32, h->state_bits);
	if (o->n_rank != n / 32 + 1)
		return WRONG(o, "rank", o->set.rank, 0, "%zu elements for %zu words", o->n_rank, n);
	for (size_t i = 0; i < o->set.n_outputs; i++)
		if (o->set.output[i] >= o->set.n_patterns)
			return WRONG(o, "output", o->set.output, i, "%" PRIu32 " of %" PRIu32 " patterns",
			             o->set.output[i], o->set.n_patterns);
	for (size_t i = 1; i < o->set.n_far; i++)
		if (o->set.far[i] >> 32 <= o->set.far[i - 1] >> 32)
			return WRONG(o, "far", o->set.far, i, "state %" PRIu64 " after %" PRIu64, o->set.far[i] >> 32,
			             o->set.far[i - 1] >> 32);
	return LANEWISE_OK;
}

/* Whether the word is a transition, of the state that so many words before it would be. */
static int is_transition(const struct opening *o, size_t at, size_t *state)
{
	uint32_t c = lw_scan_check(&o->set.table, lw_scan_word(&o->set.table, at));

	*state = at - 1 - c;
	return c < o->set.n_classes && at > c;
}

static lanewise_status check_rank(const struct opening *o)
{
	uint32_t n = 0;

	for (size_t i = 0; i < o->n_rank; i++) {
		struct lw_scan_rank rank = { 0, n };

		for (size_t at = 32 * i; at < 32 * i + 32 && at < o->set.n_words; at++) {
			uint64_t word = lw_scan_word(&o->set.table, at);
			size_t state;

			if (is_transition(o, at, &state) && lw_scan_has_output(&o->set.table, word)) {
				rank.bits |= UINT32_C(1) << at % 32;
				n++;
			}
		}
		if (o->set.rank[i].bits != rank.bits || o->set.rank[i].before != rank.before)
			return WRONG(o, "rank", o->set.rank, i,
			             "bits %" PRIx32 " and %" PRIu32 " before, instead of %" PRIx32 " and %" PRIu32,
			             o->set.rank[i].bits, o->set.rank[i].before, rank.bits, rank.before);
	}
	if (n != o->set.n_outputs)
		return lw_fail(o->error, LANEWISE_ERROR_DATA, lanewise_file_offset(o->file, o->set.rank),
		               "section scan.rank: %" PRIu32 " transitions with output, but %zu in scan.output", n,
		               o->set.n_outputs);
	return LANEWISE_OK;
}

/* A state's reach, if it is there: lw_scan_reach supposes that it is. */
static int find_reach(const struct opening *o, uint32_t s, uint32_t *reach)
{
	const struct lanewise_scan_set *set = &o->set;
	uint64_t most = (set->table.narrow ? UINT32_MAX : UINT64_MAX) >> set->table.reach_shift;
	size_t at;

	*reach = (uint32_t)(lw_scan_word(&set->table, s) >> set->table.reach_shift);
	if (*reach != most)
		return 1;
	at = lanewise_scan_find_far(set, s);
	if (at == set->n_far || set->far[at] >> 32 != s)
		return 0;
	*reach = (uint32_t)set->far[at];
	return 1;
}

/* Notes that a state begins at s; 0 if it cannot. */
static int note_state(struct opening *o, uint32_t s)
{
	const struct lw_scan_table *table = &o->set.table;
	uint32_t reach;

	if (s >= o->set.n_words - o->set.n_classes ||
	    lw_scan_check(table, lw_scan_word(table, s)) != table->check_mask || !find_reach(o, s, &reach))
		return 0;
	o->begins[s / 64] |= UINT64_C(1) << s % 64;
	return reach < o->set.max_length;
}

/* Where a state fails to is one too. */
static lanewise_status check_failure(const struct opening *o, uint32_t s)
{
	const struct lw_scan_table *table = &o->set.table;
	uint32_t fail = lw_scan_target(table, lw_scan_word(table, s)), reach = lw_scan_reach(&o->set, s);

	if (s == LW_SCAN_ROOT)
		return reach == 0 ? LANEWISE_OK : WRONG_WORD(o, s, "a reach of %" PRIu32 " in the first state", reach);
	if (fail >= o->set.n_words || !has_bit(o->begins, fail))
		return WRONG_WORD(o, s, "no state %" PRIu32 " to fail to", fail);
	if (lw_scan_reach(&o->set, fail) >= reach)
		return WRONG_WORD(o, s, "failing to a reach of %" PRIu32 " from one of %" PRIu32,
		                  lw_scan_reach(&o->set, fail), reach);
	return LANEWISE_OK;
}

/* The transition at `at`, from state s. */
static lanewise_status check_transition(const struct opening *o, size_t at, uint32_t s)
{
	const struct lanewise_scan_set *set = &o->set;
	uint64_t word = lw_scan_word(&set->table, at);
	uint32_t reach = lw_scan_reach(set, s), next_reach = lw_scan_reach(set, lw_scan_target(&set->table, word));

	if (word >> set->table.reach_shift)
		return WRONG_WORD(o, at, "bits besides class, output and state: %" PRIx64, word);
	if (next_reach > reach + 1)
		return WRONG_WORD(o, at, "to a reach of %" PRIu32 " from one of %" PRIu32, next_reach, reach);
	if (lw_scan_has_output(&set->table, word) && set->length[lw_scan_output(set, (uint32_t)at)] > reach + 1)
		return WRONG_WORD(o, at, "pattern %" PRIu32 " cannot end behind a reach of %" PRIu32,
		                  lw_scan_output(set, (uint32_t)at), reach);
	return LANEWISE_OK;
}

/* The first state has all transitions. */
static lanewise_status check_first(const struct opening *o)
{
	for (uint32_t c = 0; c < o->set.n_classes; c++)
		if (lw_scan_check(&o->set.table, lw_scan_word(&o->set.table, LW_SCAN_ROOT + 1 + c)) != c)
			return WRONG_WORD(o, LW_SCAN_ROOT + 1 + c,
			                  "no transition for class %" PRIu32 " of the first state", c);
	return LANEWISE_OK;
}

static lanewise_status check_states(struct opening *o)
{
	const struct lanewise_scan_set *set = &o->set;
	lanewise_status status;
	size_t state;

	if (!note_state(o, LW_SCAN_ROOT))
		return WRONG_WORD(o, LW_SCAN_ROOT, "no state %" PRIu32, LW_SCAN_ROOT);
	for (size_t at = 0; at < set->n_words; at++)
		if (is_transition(o, at, &state) &&
		    !note_state(o, lw_scan_target(&set->table, lw_scan_word(&set->table, at))))
			return WRONG_WORD(o, at, "no state %" PRIu32 " to lead to",
			                  lw_scan_target(&set->table, lw_scan_word(&set->table, at)));
	if ((status = check_first(o)) || (status = check_rank(o)))
		return status;
	for (size_t at = 0; at < set->n_words; at++) {
		if (is_transition(o, at, &state) && has_bit(o->begins, state) &&
		    (status = check_transition(o, at, (uint32_t)state)))
			return status;
		if (has_bit(o->begins, at) && (status = check_failure(o, (uint32_t)at)))
			return status;
	}
	return LANEWISE_OK;
}

/* ----------------------------------------------------------------- filter */

/* Whether the tables, or the two bytes, let a window pass. */
static int passes(const struct lw_scan_filter *f, uint32_t window)
{
	if (f->n_places == 0)
		return (uint8_t)(window >> 8 * f->place[0]) == f->byte[0] &&
		       (uint8_t)(window >> 8 * f->place[1]) == f->byte[1];
	for (uint32_t bank = 0; bank < f->n_banks; bank++) {
		uint8_t groups = 0xff;

		if (f->letters)
			groups &= f->high[bank][0][lw_scan_fifth_bits(window)];
		for (uint32_t j = 0; j < f->n_places; j++) {
			uint8_t byte = (uint8_t)(window >> 8 * f->place[j]);

			if (f->letters && (uint8_t)(byte - f->letters) >= 128)
				return 0;
			groups &= f->low[bank][j][byte & 15] & (f->letters ? 0xff : f->high[bank][j][byte >> 4]);
		}
		if (groups)
			return 1;
	}
	return 0;
}

static int passes_classes(const struct lw_scan_classes *classes, uint32_t window)
{
	for (uint32_t bank = 0; bank < classes->n_banks; bank++) {
		uint8_t groups = 0xff;

		for (uint32_t j = 0; j < classes->n_places; j++)
			groups &= classes->groups[bank][j][(window >> 8 * classes->place[j]) % LW_SCAN_CLASSES];
		if (groups)
			return 1;
	}
	return 0;
}

static lanewise_status check_window_classes(const struct opening *o)
{
	const struct lw_scan_filter *f = o->set.filter;
	const struct lw_scan_classes *classes = &f->classes;

	if (f->n_places == 0)
		return LANEWISE_OK;
	if (classes->n_places == 0 || classes->n_places > f->width)
		return WRONG_FIELD(o, "filter", classes->n_places, "classes.n_places: %" PRIu32, classes->n_places);
	if (classes->n_banks != 1 && (classes->n_banks != 2 || classes->n_places < 3))
		return WRONG_FIELD(o, "filter", classes->n_banks, "classes.n_banks: %" PRIu32, classes->n_banks);
	for (int j = 0; j < LW_SCAN_WIDTH; j++)
		if (classes->place[j] >= f->width)
			return WRONG_FIELD(o, "filter", classes->place[j], "classes.place[%d]: %" PRIu32, j,
			                   classes->place[j]);
	for (uint32_t i = 0; i < lw_scan_n_slots(f); i++)
		for (int j = 0; j < LW_SCAN_SLOT_DEPTH; j++)
			if (!passes_classes(classes, f->slot[i][j]))
				return WRONG_FIELD(o, "filter", f->slot[i][j],
				                   "slot[%" PRIu32 "][%d]: %" PRIx32 " is no window by classes", i, j,
				                   f->slot[i][j]);
	return LANEWISE_OK;
}

static lanewise_status check_filter(struct opening *o)
{
	const struct lw_scan_filter *f = o->set.filter;

	if (!f)
		return LANEWISE_OK;
	if (o->n_filter * FILTER_ELEMENT < offsetof(struct lw_scan_filter, slot))
		return lw_fail(o->error, LANEWISE_ERROR_DATA, lanewise_file_offset(o->file, f),
		               "section scan.filter: %zu elements", o->n_filter);
	if (f->slot_shift < 32 - LW_SCAN_SLOT_BITS || f->slot_shift > 31 ||
	    o->n_filter * FILTER_ELEMENT != lw_scan_filter_size(f))
		return WRONG_FIELD(o, "filter", f->slot_shift, "slot_shift: %" PRIu32 ", %zu elements", f->slot_shift,
		                   o->n_filter);
	if (f->width == 0 || f->width > LW_SCAN_WIDTH || f->width > o->set.min_length)
		return WRONG_FIELD(o, "filter", f->width, "width: %" PRIu32, f->width);
	if (f->mask != UINT32_MAX >> 8 * (4 - f->width))
		return WRONG_FIELD(o, "filter", f->mask, "mask: %" PRIx32, f->mask);
	if (f->n_places > f->width)
		return WRONG_FIELD(o, "filter", f->n_places, "n_places: %" PRIu32, f->n_places);
	if (f->n_banks != 1 && (f->n_banks != 2 || f->n_places < 3))
		return WRONG_FIELD(o, "filter", f->n_banks, "n_banks: %" PRIu32, f->n_banks);
	if ((f->letters && f->letters != 0x60 && f->letters != 0x40) ||
	    (f->letters && (f->n_places != LW_SCAN_WIDTH || f->width != LW_SCAN_WIDTH)))
		return WRONG_FIELD(o, "filter", f->letters, "letters: %" PRIu32, f->letters);
	for (int j = 0; j < LW_SCAN_WIDTH; j++)
		if (f->place[j] >= f->width || (f->letters && f->place[j] != (uint32_t)j))
			return WRONG_FIELD(o, "filter", f->place[j], "place[%d]: %" PRIu32, j, f->place[j]);
	for (uint32_t i = 0; i < lw_scan_n_slots(f); i++)
		for (int j = 0; j < LW_SCAN_SLOT_DEPTH; j++)
			if (f->slot[i][j] > f->mask || !passes(f, f->slot[i][j]))
				return WRONG_FIELD(o, "filter", f->slot[i][j],
				                   "slot[%" PRIu32 "][%d]: %" PRIx32 " is no window", i, j,
				                   f->slot[i][j]);
	o->set.width = f->width;
	return check_window_classes(o);
}

/* ------------------------------------------------------------------ grams */

static lanewise_status check_gram_sizes(const struct opening *o)
{
	const struct grams *g = o->grams;
	size_t n_patterns = o->set.n_patterns;

	if (o->n_ends != n_patterns)
		return WRONG(o, "ends", o->set.grams.ends, 0, "%zu elements for %zu patterns", o->n_ends, n_patterns);
	if (o->n_bits == 0 || (o->n_bits & (o->n_bits - 1)))
		return WRONG(o, "bits", o->set.grams.bits, 0, "%zu elements, not a power of two", o->n_bits);
	if (o->n_bucket != ((size_t)1 << g->bucket_log) + 1)
		return WRONG_FIELD(o, "grams", g->bucket_log,
		                   "bucket_log: %" PRIu32 ", but section scan.bucket has %zu elements", g->bucket_log,
		                   o->n_bucket);
	if (o->n_entries != n_patterns * g->stride)
		return WRONG(o, "entry", o->set.grams.entry, 0, "%zu elements for %zu patterns", o->n_entries,
		             n_patterns);
	return LANEWISE_OK;
}

static lanewise_status check_ends(const struct opening *o)
{
	const struct lw_scan_ends *ends = o->set.grams.ends;

	for (size_t i = 0; i < o->n_ends; i++) {
		uint32_t length = o->set.length[i];
		uint32_t room = length > LW_SCAN_GRAM_BYTES ? length - LW_SCAN_GRAM_BYTES : 0;

		if (ends[i].length != length)
			return WRONG_FIELD(o, "ends", ends[i].length,
			                   "element %zu, length: %" PRIu32 " instead of %" PRIu32, i, ends[i].length,
			                   length);
		if (ends[i].tail_at > LW_SCAN_GRAM_BYTES || ends[i].tail_at > room)
			return WRONG_FIELD(o, "ends", ends[i].tail_at, "element %zu, tail_at: %" PRIu32, i,
			                   ends[i].tail_at);
	}
	return LANEWISE_OK;
}

static lanewise_status check_gram_elements(const struct opening *o)
{
	const struct lw_scan_grams *g = &o->set.grams;
	uint32_t offset;

	for (size_t i = 0; i < o->n_bucket; i++)
		if (i == 0 ? g->bucket[i] != 0 : g->bucket[i] < g->bucket[i - 1] || g->bucket[i] > o->n_entries)
			return WRONG(o, "bucket", g->bucket, i, "%" PRIu32 " of %zu entries", g->bucket[i],
			             o->n_entries);
	for (size_t i = 0; i < o->n_entries; i++) {
		if (g->entry[i] >> LW_SCAN_GRAM_OFFSET_LOG >= o->set.n_patterns)
			return WRONG(o, "entry", g->entry, i, "pattern %" PRIu32 " of %" PRIu32,
			             g->entry[i] >> LW_SCAN_GRAM_OFFSET_LOG, o->set.n_patterns);
		offset = g->entry[i] & (LW_SCAN_DIRECT_MAX - 1);
		if (!o->set.direct && offset >= o->grams->stride)
			return WRONG(o, "entry", g->entry, i, "offset %" PRIu32 " with a stride of %" PRIu32, offset,
			             o->grams->stride);
	}
	return LANEWISE_OK;
}

/* What the kernel for even places relies on, if that is how grams are found. */
static lanewise_status check_near(const struct opening *o)
{
	const struct lw_scan_near *near = o->set.grams.near;

	if (!near)
		return LANEWISE_OK;
	if (o->n_near != o->n_bucket - 1 || o->n_near > (size_t)1 << LW_SCAN_EVENS_BUCKET_LOG_MAX)
		return WRONG(o, "near", near, 0, "%zu elements", o->n_near);
	if (o->n_bits != LW_SCAN_EVENS_BYTES / sizeof(uint64_t))
		return WRONG(o, "bits", o->set.grams.bits, 0, "%zu elements, but there is a section scan.near",
		             o->n_bits);
	if (o->grams->width != LW_SCAN_EVENS_WIDTH || o->grams->stride != LW_SCAN_EVENS_STRIDE || o->set.filter ||
	    !o->set.direct)
		return WRONG_FIELD(o, "grams", o->grams->width,
		                   "width: %" PRIu32 ", stride: %" PRIu32 ", but there is a section scan.near",
		                   o->grams->width, o->grams->stride);
	return LANEWISE_OK;
}

static lanewise_status check_grams(struct opening *o)
{
	const struct grams *g = o->grams;
	struct lw_scan_grams *grams = &o->set.grams;
	lanewise_status status;

	if (o->n_grams == 0) {
		grams->near = NULL;
		return LANEWISE_OK;
	}
	if (o->n_grams > 1)
		return lw_fail(o->error, LANEWISE_ERROR_DATA, lanewise_file_offset(o->file, g),
		               "section scan.grams: %zu elements", o->n_grams);
	o->set.direct = o->set.max_length <= LW_SCAN_DIRECT_MAX;
	if (g->width == 0 || g->width > 8)
		return WRONG_FIELD(o, "grams", g->width, "width: %" PRIu32, g->width);
	if (g->stride == 0 || g->stride > LW_SCAN_GRAM_STRIDE_MAX || g->width + g->stride - 1 > o->set.min_length)
		return WRONG_FIELD(o, "grams", g->stride, "stride: %" PRIu32, g->stride);
	if (g->bucket_log == 0 || g->bucket_log > 31)
		return WRONG_FIELD(o, "grams", g->bucket_log, "bucket_log: %" PRIu32, g->bucket_log);
	if (o->set.filter ? g->stride != 1 || !o->set.direct : g->delta != 0)
		return WRONG_FIELD(o, "grams", g->stride, "stride: %" PRIu32 ", delta: %" PRIu32 ", %d in scan.filter",
		                   g->stride, g->delta, o->set.filter != NULL);
	if (o->set.filter && (g->delta > g->width || g->delta + o->set.width > g->width))
		return WRONG_FIELD(o, "grams", g->delta, "delta: %" PRIu32, g->delta);
	if (o->set.max_offset != g->stride - 1)
		return WRONG_FIELD(o, "grams", g->stride,
		                   "stride: %" PRIu32 ", but scan.header has a max_offset of %" PRIu32, g->stride,
		                   o->set.max_offset);
	if (g->fold != 0 && g->fold != LW_SCAN_GRAM_FOLD)
		return WRONG_FIELD(o, "grams", g->fold, "fold: 0x%" PRIx64, g->fold);
	if ((status = check_gram_sizes(o)) || (status = check_ends(o)) || (status = check_gram_elements(o)) ||
	    (status = check_near(o)))
		return status;
	grams->n_patterns = o->set.n_patterns;
	grams->width = o->set.width = g->width;
	grams->stride = g->stride;
	grams->delta = g->delta;
	grams->bucket_log = (int)g->bucket_log;
	grams->word_mask = o->n_bits - 1;
	grams->fold = g->fold;
	grams->mask = lw_scan_gram_mask(g->width);
	grams->by_evens = o->n_near > 0;
	lanewise_scan_make_cells(&o->set);
	return LANEWISE_OK;
}

/* ---------------------------------------------------------------- opening */

/* Checks all of o->file and fills in o->set. */
static lanewise_status check_set(struct opening *o, const lanewise_allocator *allocator)
{
	lanewise_status status;

	if ((status = find_sections(o)) || (status = check_header(o)) || (status = check_words(o)) ||
	    (status = check_patterns(o)) || (status = check_filter(o)) || (status = check_grams(o)))
		return status;

	size_t n_bytes = (o->set.n_words / 64 + 1) * sizeof(uint64_t);

	o->begins = lw_allocate(allocator, n_bytes);
	if (!o->begins)
		return lw_fail(o->error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the set");
	memset(o->begins, 0, n_bytes);
	status = o->set.rows ? check_rows(o) : check_states(o);
	lw_release(allocator, o->begins, n_bytes);
	if (allocator) {
		o->set.allocator = *allocator;
		o->set.own_allocator = 1;
	}
	return status;
}

lanewise_status lanewise_scan_set_open(const char *path, const lanewise_allocator *allocator, lanewise_scan_set **set,
                                       lanewise_error *error)
{
	lanewise_file *file = NULL;
	lanewise_scan_set *made = NULL;

	if (!set)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "set is NULL");
	*set = NULL;

	lanewise_status status = lanewise_file_open(path, allocator, &file, error);
	struct opening opening = { .file = file, .error = error };

	if (!status)
		status = check_set(&opening, allocator);
	if (!status && !(made = lw_allocate(allocator, sizeof *made)))
		status = lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the set");
	if (status) {
		lanewise_file_destroy(file);
		return status;
	}
	*made = opening.set;
	made->file = file;
	made->n_bytes = sizeof *made;
	*set = made;
	return LANEWISE_OK;
}

lanewise_status lanewise_scan_set_from_image(const void *image, size_t n_bytes, const lanewise_allocator *allocator,
                                             lanewise_scan_set **set, lanewise_error *error)
{
	enum { SET_BYTES = (sizeof(lanewise_scan_set) + 63) / 64 * 64 };
	lanewise_file *file = NULL;

	if (!set || !image)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL", set ? "image" : "set");
	*set = NULL;

	lanewise_scan_set *made = n_bytes < SIZE_MAX / 2 ? lw_allocate(allocator, SET_BYTES + n_bytes) : NULL;

	if (!made)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the set");

	unsigned char *copy = (unsigned char *)made + SET_BYTES;

	memcpy(copy, image, n_bytes);

	lanewise_status status = lanewise_file_open_memory(copy, n_bytes, allocator, &file, error);
	struct opening opening = { .file = file, .error = error };

	if (!status)
		status = check_set(&opening, allocator);
	lanewise_file_destroy(file);
	if (status) {
		lw_release(allocator, made, SET_BYTES + n_bytes);
		return status;
	}
	*made = opening.set;
	made->n_bytes = SET_BYTES + n_bytes;
	*set = made;
	return LANEWISE_OK;
}
