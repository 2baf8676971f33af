/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the kernels behind lanewise/bm25.h. */
#include "check.h"

#include <string.h>

#include "bm25/bm25_hints.h"

enum { SEGMENT = 65536 };

/* Ascending documents, dense or sparse, some in clusters; returns how many, at most n. */
static size_t make_documents(struct lw_check *c, uint16_t *documents, size_t n)
{
	size_t step = 1 + lanewise_check_sometimes(c, n ? SEGMENT / n : 1), made = 0;
	size_t document = lanewise_check_below(c, step);

	while (made < n && document < SEGMENT) {
		size_t gap = lanewise_check_below(c, 8) ? 1 + lanewise_check_below(c, 2 * step) : 1;

		documents[made++] = (uint16_t)document;
		document += lanewise_check_below(c, 20) ? gap : gap * 30;
	}
	return made;
}

static void make_quanta(struct lw_check *c, uint16_t *quanta, size_t n)
{
	static const uint16_t special[] = { 0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff };

	for (size_t i = 0; i < n; i++) {
		size_t choice = lanewise_check_below(c, 24);

		quanta[i] = choice < 6 ? special[choice] : (uint16_t)lanewise_check_random(c);
	}
}

static uint32_t random_below_65536(struct lw_check *c)
{
	static const uint32_t special[] = { 0, 1, 0x7fff, 0x8000, 0xffff };
	size_t choice = lanewise_check_below(c, 10);

	return choice < 5 ? special[choice] : (uint32_t)(lanewise_check_random(c) & 0xffff);
}

static uint32_t random_bound(struct lw_check *c)
{
	uint32_t bound = random_below_65536(c);

	return bound ? bound : 1;
}

/* The sizes to try: all small ones, then some up to a segment. */
static size_t next_size(const struct lw_check *c, size_t n)
{
	if (n < 150)
		return n + (c->quick ? 5 : 1);
	return n * 5 / 4 + 1;
}

static int place_of(struct lw_check *c, size_t i)
{
	return i % 3 == 0 ? LW_AT_FRONT : i % 3 == 1 ? LW_AT_BACK : lanewise_check_random_place(c, sizeof(uint32_t));
}

void lanewise_check_bm25_filter(struct lw_check *c)
{
	uint16_t *documents = c->scratch[0], *quanta = c->scratch[1];
	uint32_t *expected = c->scratch[2];

	for (size_t wanted = 0; wanted <= SEGMENT; wanted = next_size(c, wanted))
		for (size_t i = 0; i < 6; i++) {
			size_t n = make_documents(c, documents, wanted);
			uint32_t weight = random_below_65536(c), bound = random_bound(c);
			int place = place_of(c, i);

			make_quanta(c, quanta, n);
			if (i < 2) /* so that some are found, also by small weights */
				bound = 1 + weight / 2;

			size_t n_expected = c->reference->bm25_filter(documents, quanta, n, weight, bound, expected);

			c->where.length = n;
			c->where.place = place;

			const uint16_t *d = lanewise_check_input(c, 0, documents, n * sizeof *d, place);
			const uint16_t *q = lanewise_check_input(c, 1, quanta, n * sizeof *q, place);
			uint32_t *found = lanewise_check_output(c, 2, (n + LW_BM25_SPARE) * sizeof *found, LW_AT_BACK);
			size_t n_found = c->subject->bm25_filter(d, q, n, weight, bound, found);

			lanewise_check_same(c, "the count", &n_expected, &n_found, sizeof n_found, sizeof n_found);
			lanewise_check_same(c, "found", expected, found, n_found * sizeof *found, sizeof *found);
			lanewise_check_after(c);
		}
}

void lanewise_check_bm25_add(struct lw_check *c)
{
	uint16_t *documents = c->scratch[0], *quanta = c->scratch[1], *sums = c->scratch[2], *expected = c->scratch[3];

	for (size_t wanted = 0; wanted <= SEGMENT; wanted = next_size(c, wanted))
		for (size_t i = 0; i < 3; i++) {
			size_t n = make_documents(c, documents, wanted), n_sums = n ? documents[n - 1] + (size_t)1 : 0;
			uint32_t weight = random_below_65536(c);
			int place = place_of(c, i);

			make_quanta(c, quanta, n);
			make_quanta(c, sums, n_sums);
			if (n_sums)
				memcpy(expected, sums, n_sums * sizeof *sums);
			c->reference->bm25_add(documents, quanta, n, weight, expected);
			c->where.length = n;
			c->where.place = place;

			const uint16_t *d = lanewise_check_input(c, 0, documents, n * sizeof *d, place);
			const uint16_t *q = lanewise_check_input(c, 1, quanta, n * sizeof *q, place);
			uint16_t *s = lanewise_check_inout(c, 2, sums, n_sums * sizeof *s, place);

			c->subject->bm25_add(d, q, n, weight, s);
			lanewise_check_same(c, "sums", expected, s, n_sums * sizeof *s, sizeof *s);
			lanewise_check_after(c);
		}
}

void lanewise_check_bm25_scan(struct lw_check *c)
{
	uint16_t *sums = c->scratch[0], *zeros = c->scratch[1];
	uint32_t *expected = c->scratch[2];

	for (size_t n = 0; n <= SEGMENT; n = n < 60000 && next_size(c, n) > SEGMENT ? SEGMENT : next_size(c, n))
		for (size_t i = 0; i < 6; i++) {
			uint32_t bound = random_bound(c);
			size_t share = lanewise_check_sometimes(c, 500);
			int place = place_of(c, i);

			make_quanta(c, sums, n);
			/* Most blocks have nothing that counts. */
			for (size_t j = 0; share && j < n; j++)
				if (sums[j] >= bound && lanewise_check_below(c, share))
					sums[j] = (uint16_t)(bound - 1);
			memcpy(zeros, sums, n * sizeof *sums);

			size_t n_expected = c->reference->bm25_scan(zeros, n, bound, expected);

			c->where.length = n;
			c->where.place = place;

			uint16_t *s = lanewise_check_inout(c, 0, sums, n * sizeof *s, place);
			uint32_t *found = lanewise_check_output(c, 1, (n + LW_BM25_SPARE) * sizeof *found, LW_AT_BACK);
			size_t n_found = c->subject->bm25_scan(s, n, bound, found);

			lanewise_check_same(c, "the count", &n_expected, &n_found, sizeof n_found, sizeof n_found);
			lanewise_check_same(c, "found", expected, found, n_found * sizeof *found, sizeof *found);
			lanewise_check_same(c, "sums", zeros, s, n * sizeof *s, sizeof *s);
			lanewise_check_after(c);
		}
}

void lanewise_check_bm25_find(struct lw_check *c)
{
	uint16_t *documents = c->scratch[0], *skips = c->scratch[1];
	uint32_t *wanted = c->scratch[2], *expected = c->scratch[3];

	for (size_t size = 0; size <= SEGMENT; size = next_size(c, size))
		for (size_t i = 0; i < 4; i++) {
			size_t n = make_documents(c, documents, size), n_wanted = lanewise_check_below(c, 200);
			size_t n_skips = i == 3 ? 0 : lw_bm25_n_skips(n);
			unsigned shift = n_skips ? lw_bm25_skip_shift(n) : 16;
			int place = place_of(c, i);

			for (size_t block = 0, at = 0; block < n_skips; block++) {
				while (at < n && documents[at] < block << shift)
					at++;
				skips[block] = (uint16_t)at;
			}
			/* Half of what is looked for is there; the upper half of the number does not matter. */
			for (size_t j = 0; j < n_wanted; j++) {
				uint32_t upper = (uint32_t)lanewise_check_random(c) << 16;
				size_t hit = lanewise_check_below(c, 2), any = lanewise_check_below(c, SEGMENT);

				wanted[j] = upper | (hit && n ? documents[any % n] : (uint32_t)any);
			}
			c->reference->bm25_find(documents, n, NULL, 16, wanted, n_wanted, expected);
			c->where.length = n;
			c->where.k = n_wanted;
			c->where.place = place;

			const uint16_t *d = lanewise_check_input(c, 0, documents, n * sizeof *d, place);
			const uint16_t *s = lanewise_check_input(c, 1, skips, n_skips * sizeof *s, place);
			const uint32_t *w = lanewise_check_input(c, 2, wanted, n_wanted * sizeof *w, place);
			uint32_t *at = lanewise_check_output(c, 3, n_wanted * sizeof *at, place);

			c->subject->bm25_find(d, n, n_skips ? s : NULL, shift, w, n_wanted, at);
			lanewise_check_same(c, "at", expected, at, n_wanted * sizeof *at, sizeof *at);
			lanewise_check_after(c);
		}
}
