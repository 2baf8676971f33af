/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels behind lanewise/seen.h: tables nearly empty and nearly full, of one line and of many. */
#include "check.h"

#include "seen/seen.h"

enum { MOST_LINES = 60, MOST_HASHES = 700, MOST_FIRST = 200 };

struct seen_case {
	struct lw_seen_table table; /* whose words are in scratch[0] */
	uint64_t hashes[2 * MOST_HASHES];
	size_t n, first;
	size_t width; /* 1 or 2 words */
};

/* Some of few values, so that there are duplicates; one that is mixed to zero; for two words also halves that are equal. */
static void fill_hashes(struct lw_check *c, struct seen_case *s, size_t kinds)
{
	uint64_t base = lanewise_check_random(c);

	for (size_t i = 0; i < s->n; i++) {
		size_t which = lanewise_check_below(c, kinds);
		uint64_t high = lanewise_check_below(c, 3);

		s->hashes[s->width * i] = which == 0 ? s->table.secret[0] : base + which * 0x9e3779b97f4a7c15;
		if (s->width == 2)
			s->hashes[2 * i + 1] = high;
	}
}

static void make_case(struct lw_check *c, struct seen_case *s, lanewise_seen_insert_fn *insert, size_t width)
{
	uint64_t bits[(MOST_HASHES + MOST_FIRST) / 64 + 2] = { 0 };
	size_t room;

	memset(s, 0, sizeof *s);
	s->width = width;
	s->table.n_lines = 1 + lanewise_check_below(c, MOST_LINES);
	s->table.words = c->scratch[0];
	s->table.secret[0] = lanewise_check_random(c);
	s->table.secret[1] = lanewise_check_random(c) | 1;
	s->table.secret[2] = lanewise_check_random(c) | 1;
	memset(s->table.words, 0, s->table.n_lines * 64);
	/* At least one place stays free. */
	room = (size_t)s->table.n_lines * LW_SEEN_LINE / width - 1;
	room = room < MOST_HASHES ? room : MOST_HASHES;
	s->n = lanewise_check_below(c, room + 1);
	fill_hashes(c, s, 1 + s->n);
	insert(&s->table, s->hashes, s->n, 0, bits);
	if (s->n > 0) { /* some of the old ones, some new */
		size_t skipped = lanewise_check_below(c, s->n);

		memmove(s->hashes, s->hashes + width * skipped, width * (s->n - skipped) * sizeof *s->hashes);
	}
	s->n = lanewise_check_below(c, room - s->n + 1);
	for (size_t i = s->n / 2; i < s->n; i++)
		s->hashes[width * i] = lanewise_check_random(c);
	s->first = lanewise_check_below(c, MOST_FIRST);
}

/* Bits that are there already stay. */
static size_t make_bits(struct lw_check *c, const struct seen_case *s, uint64_t *bits)
{
	size_t n_words = (s->first + s->n + 63) / 64;

	for (size_t i = 0; i < n_words; i++)
		bits[i] = i < s->first / 64 ? lanewise_check_random(c) : 0;
	return n_words;
}

/* `insert` is the reference's, which also fills the table; the one judged inserts or finds. */
static void judge(struct lw_check *c, size_t width, lanewise_seen_insert_fn *insert,
                  lanewise_seen_insert_fn *subject_insert, lanewise_seen_find_fn *find,
                  lanewise_seen_find_fn *subject_find)
{
	static struct seen_case s;
	static uint64_t before[(MOST_HASHES + MOST_FIRST) / 64 + 2], expected[(MOST_HASHES + MOST_FIRST) / 64 + 2];

	make_case(c, &s, insert, width);

	size_t n_words = make_bits(c, &s, before), table_bytes = (size_t)s.table.n_lines * 64, n_new = 0, got_new = 0;
	struct lw_seen_table judged = s.table;

	c->where.length = s.n;
	c->where.rows = (size_t)s.table.n_lines;
	judged.words = lanewise_check_inout(c, 0, s.table.words, table_bytes, lanewise_check_random_place(c, 64));
	memcpy(expected, before, n_words * sizeof *expected);

	const uint64_t *hashes =
	        lanewise_check_input(c, 1, s.hashes, width * s.n * sizeof *hashes, lanewise_check_random_place(c, 8));
	uint64_t *bits = lanewise_check_inout(c, 2, before, n_words * sizeof *bits, lanewise_check_random_place(c, 8));

	if (subject_insert) {
		n_new = insert(&s.table, s.hashes, s.n, s.first, expected);
		got_new = subject_insert(&judged, hashes, s.n, s.first, bits);
	} else {
		find(&s.table, s.hashes, s.n, s.first, expected);
		subject_find(&judged, hashes, s.n, s.first, bits);
	}
	lanewise_check_same(c, "the number of new ones", &n_new, &got_new, sizeof n_new, sizeof n_new);
	lanewise_check_same(c, "the bits", expected, bits, n_words * sizeof *bits, sizeof *bits);
	lanewise_check_same(c, "the table", s.table.words, judged.words, table_bytes, sizeof(uint64_t));
	lanewise_check_same(c, "n", &s.table.n, &judged.n, sizeof judged.n, sizeof judged.n);
	lanewise_check_same(c, "has_zero", &s.table.has_zero, &judged.has_zero, sizeof(uint64_t), sizeof(uint64_t));
	lanewise_check_after(c);
}

static int turns(const struct lw_check *c) { return c->quick ? 200 : 4000; }

void lanewise_check_seen_insert_64(struct lw_check *c)
{
	for (int i = 0; i < turns(c); i++)
		judge(c, 1, c->reference->seen_insert_64, c->subject->seen_insert_64, NULL, NULL);
}

void lanewise_check_seen_find_64(struct lw_check *c)
{
	for (int i = 0; i < turns(c); i++)
		judge(c, 1, c->reference->seen_insert_64, NULL, c->reference->seen_find_64, c->subject->seen_find_64);
}

void lanewise_check_seen_insert_128(struct lw_check *c)
{
	for (int i = 0; i < turns(c); i++)
		judge(c, 2, c->reference->seen_insert_128, c->subject->seen_insert_128, NULL, NULL);
}

void lanewise_check_seen_find_128(struct lw_check *c)
{
	for (int i = 0; i < turns(c); i++)
		judge(c, 2, c->reference->seen_insert_128, NULL, c->reference->seen_find_128,
		      c->subject->seen_find_128);
}

void lanewise_check_seen_insert_bloom(struct lw_check *c)
{
	for (int i = 0; i < turns(c); i++)
		judge(c, 1, c->reference->seen_insert_bloom, c->subject->seen_insert_bloom, NULL, NULL);
}

void lanewise_check_seen_find_bloom(struct lw_check *c)
{
	for (int i = 0; i < turns(c); i++)
		judge(c, 1, c->reference->seen_insert_bloom, NULL, c->reference->seen_find_bloom,
		      c->subject->seen_find_bloom);
}
