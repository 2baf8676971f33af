/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of lanewise/scan.h. Filters come from sets of patterns made of few letters, so that near misses are frequent. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "scan/scan_evens.h"
#include "scan/scan_join.h"
#include "scan/scan_pairs.h"
#include "scan/scan_set.h"

enum { MAX_PATTERNS = 24, MAX_PATTERN = 9, LONGEST = 4 * 64 + 3 };

/* A filter of random patterns of at least `width` bytes, from `alphabet`. */
static void make_filter(struct lw_check *c, struct lw_scan_filter *filter, uint32_t width, const char *alphabet)
{
	unsigned char bytes[MAX_PATTERNS][MAX_PATTERN];
	lanewise_pattern patterns[MAX_PATTERNS];
	size_t n = 1 + lanewise_check_below(c, MAX_PATTERNS), n_letters = strlen(alphabet);
	float passes;
	struct lanewise_scan_set set = { .n_patterns = (uint32_t)n, .min_length = width };

	for (size_t i = 0; i < n; i++) {
		patterns[i] = (lanewise_pattern) { bytes[i], width + lanewise_check_below(c, MAX_PATTERN - width) };
		for (size_t j = 0; j < patterns[i].n_bytes; j++)
			bytes[i][j] = (unsigned char)alphabet[lanewise_check_below(c, n_letters)];
	}
	if (!lanewise_scan_build_filter(&set, patterns, (int)lanewise_check_below(c, 2), filter, &passes))
		lanewise_check_fail(c, "no filter for %zu patterns", n);
}

static void fill_text(struct lw_check *c, unsigned char *text, size_t n, const char *alphabet)
{
	size_t n_letters = strlen(alphabet);

	for (size_t i = 0; i < n; i++)
		text[i] = (unsigned char)alphabet[lanewise_check_below(c, n_letters)];
}

static void judge(struct lw_check *c, const struct lw_scan_filter *filter, const unsigned char *text, size_t n,
                  size_t enough, int place)
{
	uint16_t *expected = c->scratch[1];
	size_t n_expected_read = n, n_read = n, room = enough - 1 < n ? enough - 1 + LW_SCAN_PART : n;

	c->where.length = n;
	c->where.place = place;
	room = room < n ? room : n;

	size_t n_expected = c->reference->scan_candidates(filter, text, &n_expected_read, enough, expected);
	const void *p = lanewise_check_input(c, 0, text, n + filter->width - 1, place);
	uint16_t *actual = lanewise_check_output(c, 1, room * sizeof *actual, place < 0 ? place : place & ~1);
	size_t n_actual = c->subject->scan_candidates(filter, p, &n_read, enough, actual);

	lanewise_check_same(c, "number of candidates", &n_expected, &n_actual, sizeof n_actual, sizeof n_actual);
	lanewise_check_same(c, "positions looked at", &n_expected_read, &n_read, sizeof n_read, sizeof n_read);
	lanewise_check_same(c, "candidates", expected, actual, n_expected * sizeof *actual, sizeof *actual);
	lanewise_check_after(c);
}

void lanewise_check_scan_candidates(struct lw_check *c)
{
	static const char *const alphabets[] = { "ab", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
		                                 "\x01\x7f\x80\xff\xf0\x0f", "aAzZ@`[{", "abcdefghijklmnopqrstuvwxyz" };
	enum { ALPHABETS = sizeof alphabets / sizeof *alphabets };
	struct lw_scan_filter *filter = c->scratch[0];
	unsigned char *text = c->scratch[2];

	for (size_t n = 0; n <= LONGEST; n += c->quick && n > 70 ? 1 + lanewise_check_below(c, 20) : 1)
		for (uint32_t width = 1; width <= LW_SCAN_WIDTH; width++)
			for (int a = 0; a < ALPHABETS; a++) {
				c->where.pattern = alphabets[a];
				make_filter(c, filter, width, alphabets[a]);
				fill_text(c, text, n + width - 1, alphabets[a]);
				for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : c->quick ? 23 : 7)
					judge(c, filter, text, n, n + 1, place);
			}
	for (int i = 0; i < (c->quick ? 8 : 100); i++) {
		size_t n = lanewise_check_below(c, 65536);
		size_t enough = 1 + lanewise_check_below(c, i % 2 ? 2000 : 65536);
		uint32_t width = 1 + (uint32_t)i % LW_SCAN_WIDTH;

		make_filter(c, filter, width, alphabets[i / 4 % ALPHABETS]);
		fill_text(c, text, n + width - 1, alphabets[i / 4 % ALPHABETS]);
		judge(c, filter, text, n, enough, lanewise_check_random_place(c, 2));
	}
}

void lanewise_check_scan_pairs(struct lw_check *c)
{
	static const char *const alphabets[] = { "ab", "abcdefghijklmnopqrstuvwxyz -_", "\x01\x7f\x80\xff\xf0\x0f" };
	_Alignas(16) struct lw_scan_pairs pairs;
	unsigned char text[LW_SCAN_PAIRS_MAX];

	for (int i = 0; i < (c->quick ? 300 : 3000); i++) {
		const char *alphabet = alphabets[i % 3];
		size_t n = 1 + lanewise_check_below(c, LW_SCAN_PAIRS_MAX);

		c->where.pattern = alphabet;
		c->where.length = n;
		memset(&pairs, 0, sizeof pairs);
		for (int k = 0; k < 8; k++) {
			uint8_t byte = (uint8_t)alphabet[lanewise_check_below(c, strlen(alphabet))];

			pairs.low[k & 1][byte & 15] |= (uint8_t)(1 << k / 2);
			pairs.high[k & 1][byte >> 4] |= (uint8_t)(1 << k / 2);
		}
		for (int k = 0; k < 256; k++)
			pairs.firsts[k] = lw_scan_groups(&pairs, 0, (uint8_t)k);
		fill_text(c, text, n, alphabet);
		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : 13) {
			uint32_t random = (uint32_t)lanewise_check_below(c, 512), before = random < 256 ? random : 0;
			uint32_t expected = c->reference->scan_pairs(&pairs, text, n, before);
			const void *p = lanewise_check_input(c, 0, text, n, place);
			uint32_t actual;

			c->where.place = place;
			actual = c->subject->scan_pairs(&pairs, p, n, before);
			lanewise_check_same(c, "pairs", &expected, &actual, sizeof actual, sizeof actual);
			lanewise_check_after(c);
		}
	}
}

void lanewise_check_scan_join(struct lw_check *c)
{
	enum { PIECES = 40, CAPACITY = 600 };
	unsigned char *text = c->scratch[0], *expected = c->scratch[1];
	lanewise_scan_piece pieces[PIECES];

	for (int i = 0; i < (c->quick ? 300 : 3000); i++) {
		size_t longest = i % 3 == 0 ? 8 : i % 3 == 1 ? 40 : 200, n_text = 0, n_expected = 0, n_actual = 0;
		size_t n = lanewise_check_below(c, PIECES), n_taken, taken;
		size_t capacity = lanewise_check_below(c, CAPACITY);

		for (size_t k = 0; k < n; k++) {
			pieces[k].n_bytes = lanewise_check_below(c, longest + 1);
			n_text += pieces[k].n_bytes;
		}
		c->where.length = n_text;
		fill_text(c, text, n_text, "abcdefgh\x80\xff");
		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : 23) {
			const uint8_t *p = lanewise_check_input(c, 0, text, n_text, place);
			uint8_t *actual = lanewise_check_output(c, 1, capacity + LW_SCAN_JOIN_MAX, place);

			c->where.place = place;
			for (size_t k = 0; k < n; p += pieces[k++].n_bytes)
				pieces[k].bytes = p;
			n_taken = c->reference->scan_join(pieces, n, expected, capacity, &n_expected);
			taken = c->subject->scan_join(pieces, n, actual, capacity, &n_actual);
			lanewise_check_same(c, "pieces", &n_taken, &taken, sizeof taken, sizeof taken);
			lanewise_check_same(c, "bytes", &n_expected, &n_actual, sizeof n_actual, sizeof n_actual);
			lanewise_check_same(c, "text", expected, actual, n_expected, 1);
			lanewise_check_after(c);
		}
	}
}

void lanewise_check_scan_classes(struct lw_check *c)
{
	unsigned char *text = c->scratch[0], *expected = c->scratch[1];
	unsigned char class_of[256];

	for (size_t n = 0; n <= 300; n += c->quick && n > 70 ? 1 + lanewise_check_below(c, 20) : 1) {
		/* From one byte with a class to all. */
		size_t some = lanewise_check_below(c, 257), first = lanewise_check_below(c, 256);

		for (size_t i = 0; i < 256; i++)
			class_of[(first + i) % 256] = i < some ? (unsigned char)lanewise_check_below(c, 256) : 0;
		for (size_t i = 0; i < n; i++)
			text[i] = (unsigned char)lanewise_check_below(c, 256);
		c->where.length = n;
		c->reference->scan_classes(class_of, text, n, expected);
		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : c->quick ? 23 : 7) {
			const void *p = lanewise_check_input(c, 0, text, n, place);
			void *actual = lanewise_check_output(c, 1, n, place);

			c->where.place = place;
			c->subject->scan_classes(class_of, p, n, actual);
			lanewise_check_same(c, "classes", expected, actual, n, 1);
			lanewise_check_after(c);
		}
	}
}

/* Tables with few to all bits set; a text of few letters has each of its grams often. */
void lanewise_check_scan_evens(struct lw_check *c)
{
	enum { NEAR_LOG = 6, NEAR = 1 << NEAR_LOG, MOST = 3000, SPARE = 64 };
	unsigned char *text = c->scratch[0], *bits = c->scratch[3];
	struct lw_scan_near near[NEAR];
	uint16_t *expected = c->scratch[1];

	for (size_t n = 0; n <= MOST; n += n < 300 ? 1 : 1 + lanewise_check_below(c, 200)) {
		uint32_t fold = lanewise_check_below(c, 2) ? 0x20202020 : 0;
		struct lw_scan_cells cells = { .low = { 0 } };
		struct lw_scan_evens evens = { bits, near, lanewise_check_below(c, 4) ? &cells : NULL, 32 - NEAR_LOG,
			                       fold };
		size_t letters = 1 + lanewise_check_below(c, 256), of_8 = lanewise_check_below(c, 9);
		size_t most = lanewise_check_below(c, 2) ? 8 : 2000; /* so that some cells stay empty */

		for (size_t i = 0; i < n + 4; i++)
			text[i] = (unsigned char)lanewise_check_below(c, letters);
		for (size_t i = 0; i < LW_SCAN_EVENS_BYTES; i++) {
			bits[i] = 0;
			for (uint32_t k = 0; k < 8; k++)
				if (lanewise_check_below(c, most) < of_8) {
					bits[i] |= (unsigned char)(1u << k);
					lw_scan_set_cells(&cells, k * LW_SCAN_EVENS_BYTES + (uint32_t)i);
				}
		}
		for (size_t i = 0; i < NEAR; i++) {
			near[i].before = (uint32_t)lanewise_check_below(c, UINT64_C(1) << 32);
			near[i].after = UINT32_MAX - (uint32_t)lanewise_check_below(c, 1 << 20);
		}
		c->where.length = n;

		size_t n_expected = c->reference->scan_evens(&evens, text, n, expected);

		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : c->quick ? 23 : 7) {
			const void *p = lanewise_check_input(c, 0, text, n + 4, place);
			size_t room = (n / 2 + SPARE) * sizeof *expected;
			uint16_t *actual = lanewise_check_output(c, 1, room, place < 0 ? place : place & ~1);
			size_t n_actual;

			c->where.place = place;
			n_actual = c->subject->scan_evens(&evens, p, n, actual);
			lanewise_check_same(c, "number of places", &n_expected, &n_actual, sizeof n_actual,
			                    sizeof n_actual);
			lanewise_check_same(c, "places", expected, actual, n_expected * sizeof *actual, sizeof *actual);
			lanewise_check_after(c);
		}
	}
}

/* What scan_walk is to do, one step at a time: its scalar body is made to be fast. */
static size_t walk_plainly(const lanewise_scan_set *set, struct lw_scan_walk *walk, const unsigned char *classes,
                           struct lw_scan_hit *hits)
{
	size_t n = 0;

	for (uint32_t i = 0; i < LW_SCAN_BLOCK; i++) {
		struct lw_scan_to to = lw_scan_step_compact(&set->table, walk->state, classes[i]);

		if (to.slot != LW_SCAN_NONE)
			hits[n++] = (struct lw_scan_hit) { i + 1, to.slot };
		walk->state = to.state;
	}
	return n;
}

/* Sets of a few letters, so that patterns end often, of all lengths that the kernel takes, and texts of their parts. */
void lanewise_check_scan_walk(struct lw_check *c)
{
	enum { SETS = 40, PATTERNS = 60, BEHIND = LW_SCAN_WALK_BEHIND };
	static unsigned char bytes[PATTERNS][LW_SCAN_WALK_FAR_MAX + 1];
	unsigned char *classes = c->scratch[0];
	struct lw_scan_hit *expected = c->scratch[1];
	lanewise_pattern patterns[PATTERNS];

	for (int i = 0; i < (c->quick ? SETS / 4 : SETS); i++) {
		size_t longest = i % 3 ? 1 + lanewise_check_below(c, 12) : LW_SCAN_WALK_FAR_MAX + 1;
		size_t letters = 1 + lanewise_check_below(c, i % 4 ? 4 : 256);
		lanewise_scan_set *set = NULL;

		for (size_t k = 0; k < PATTERNS; k++) {
			patterns[k] =
			        (lanewise_pattern) { bytes[k], k ? 1 + lanewise_check_below(c, longest) : longest };
			for (size_t j = 0; j < patterns[k].n_bytes; j++)
				bytes[k][j] = (unsigned char)lanewise_check_below(c, letters);
		}
		if (lanewise_scan_set_create_with(patterns, PATTERNS, NULL, 0, NULL, &set, NULL) || !set->walks) {
			lanewise_check_fail(c, "no set of patterns up to %zu bytes", longest);
			lanewise_scan_set_destroy(set);
			return;
		}
		for (size_t at = 0; at < LW_SCAN_BLOCK + BEHIND;) {
			const lanewise_pattern *p = &patterns[lanewise_check_below(c, PATTERNS)];
			size_t n = lanewise_check_below(c, p->n_bytes + 1);

			for (size_t j = 0; j < n && at < LW_SCAN_BLOCK + BEHIND; j++)
				classes[at++] = set->class_of[((const unsigned char *)p->bytes)[j]];
			if (at < LW_SCAN_BLOCK + BEHIND)
				classes[at++] = set->class_of[lanewise_check_below(c, 256)];
		}

		struct lw_scan_walk walk = { set->table.narrow, set->table.state_bits, set->max_length - 1,
			                     LW_SCAN_ROOT };

		/* Begins where a part of a pattern was read. */
		for (size_t j = 0; j < longest / 2; j++)
			walk.state = lw_scan_step(set, walk.state, bytes[0][j]).state;

		struct lw_scan_walk plain = walk;
		size_t n_expected = walk_plainly(set, &plain, classes, expected);

		for (int place = LW_AT_FRONT; place < 64; place += place < 0 ? 1 : 23) {
			const void *p = lanewise_check_input(c, 0, classes, LW_SCAN_BLOCK + BEHIND, place);
			struct lw_scan_hit *actual = lanewise_check_output(c, 1, LW_SCAN_BLOCK * sizeof *actual,
			                                                   place < 0 ? place : place & ~3);
			struct lw_scan_walk subject = walk;
			size_t n_actual;

			c->where.place = place;
			n_actual = c->subject->scan_walk(&subject, p, actual);
			lanewise_check_same(c, "number of hits", &n_expected, &n_actual, sizeof n_actual,
			                    sizeof n_actual);
			lanewise_check_same(c, "hits", expected, actual, n_expected * sizeof *actual, sizeof *actual);
			lanewise_check_same(c, "state", &plain.state, &subject.state, sizeof walk.state,
			                    sizeof walk.state);
			lanewise_check_after(c);
		}
		lanewise_scan_set_destroy(set);
	}
}
