/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Case folding of UTF-8 for every vector tier, by the tables of fold_tables.h.
 *
 * Nearly all letters fold to one as long as they are. So what a block of text folds to is the block and a change to each
 * byte, and blocks have fixed borders: a change to the first bytes of the next one is carried there. Text is read before what
 * is written could change it, also where the two are one.
 *
 * Pairs: every byte is taken for the first of a pair. A lookup gives its class (0 for what is no lead byte), and the class
 * and two bits of the byte behind it find the row of the tables for those sixteen characters: what is added to both bytes,
 * if the bit of the lower half of the second one is set. A first byte of a pair and a byte 0x80 ... 0xbf behind it are always a
 * character, whatever is before or behind them, so nothing else has to be valid.
 *
 * Longer characters: Latin ones, of Vietnamese say, fold by the lowest bit. In the rest only some scripts, rarely seen, have
 * case; whether a character may be theirs is asked of its first two bytes, and what may be is looked up one by one. That
 * passes over CJK, Hangul, the scripts of India, punctuation and most symbols.
 *
 * What is looked up and folds to something of another length ends it: the caller sees to that.
 */
#include "common.h"
#include "fold_tables.h"
#include "text.h"

#include "vec.h"

struct tables {
	vq32 classes, which, odd, leads;
	vq64 rows;
	vq first, second, bit, upper, lower;
	vq half, group, eighth; /* masks of bytes */
};

/* What changes in a block. */
struct changes {
	vq here, next, after_next; /* added to these bytes, and to those behind them */
	uint64_t odd;              /* where characters begin that are to be looked up */
};

/* Text that is not all there as blocks read it. */
enum { BEHIND = 2 };
struct edge {
	unsigned char bytes[VQ_LANES + BEHIND];
};

/* A constant that stays in a register or in memory: gcc makes it anew for each use, which is most of the work. */
LW_INLINE vq keep(vq v)
{
#if defined(__GNUC__) && !defined(__clang__) && defined(__AVX2__) && !defined(LW_NEON_VIA_SIMDE)
	__asm__("" : "+v"(v));
#endif
	return v;
}

LW_INLINE struct tables load_tables(void)
{
	static const uint8_t bits[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };

	return (struct tables) { .classes = vq32_load(fold_classes),
		                 .which = vq32_load(fold_which),
		                 .odd = vq32_load(fold_odd),
		                 .leads = vq32_load(fold_leads),
		                 .rows = vq64_load(fold_rows),
		                 .first = vq_repeat16(fold_first),
		                 .second = vq_repeat16(fold_second),
		                 .bit = vq_repeat16(bits),
		                 .upper = vq_repeat16(fold_upper),
		                 .lower = vq_repeat16(fold_lower),
		                 .half = keep(vq_set1(0x0f)),
		                 .group = keep(vq_set1(0x30)),
		                 .eighth = keep(vq_set1(0x10)) };
}

/* The n bytes at p, with zeros behind them. */
LW_NOINLINE static const unsigned char *copy_edge(struct edge *edge, const unsigned char *p, size_t n)
{
	*edge = (struct edge) { { 0 } };
	memcpy(edge->bytes, p, n);
	return edge->bytes;
}

/* Pairs by their first bytes' classes; y is what is behind those. */
LW_INLINE void change_pairs(struct changes *c, const struct tables *t, vq class, vq y)
{
	vq row = vq_continued(vq_lookup64(t->rows, vq_or(class, vq_and(y, t->group))), y);
	vq bit = vq_lookup(t->bit, vq_and(y, t->half));
	vq part = vq_or(row, vq_and(vq_add(y, y), t->eighth)); /* 16 more for the upper eight of a row */
	vq which = vq_and(vq_lookup32(t->which, part), bit);

	c->here = vq_where(vq_lookup(t->first, row), which);
	c->next = vq_where(vq_lookup(t->second, row), which);
	c->odd = vq_common_bits(vq_lookup32(t->odd, part), bit);
}

/*
 * Of two bytes, and each becomes an s: U+00DF, C3 9F. Too common in German to be looked up one by one, too rare elsewhere for
 * the tables.
 */
LW_INLINE void change_sharp_s(struct changes *c, vq x, vq y)
{
	uint64_t sharp = vq_equal_bits(x, vq_set1(0xc3), y, vq_set1(0x9f));

	c->odd &= ~sharp;
	c->here = vq_fill_bits(c->here, sharp, (uint8_t)('s' - 0xc3));
	c->next = vq_fill_bits(c->next, sharp, (uint8_t)('s' - 0x9f));
}

/* Longer characters by their first two bytes. */
LW_INLINE void find_rare(struct changes *c, const struct tables *t, vq x, vq y)
{
	vq upper = vq_lookup(t->upper, vq_high_half(y)), lower = vq_lookup(t->lower, vq_and(y, t->half));

	c->odd |= vq_nonzero_bits(vq_and3(vq_lookup_from(t->leads, x, 0xe0), upper, lower));
}

/* Latin characters of three bytes. */
LW_INLINE void change_latin(struct changes *c, vq x, vq y, vq z)
{
	const uint8_t n_seconds = LW_FOLD_EVEN_LAST - LW_FOLD_EVEN_SECOND + 1;
	const uint8_t n_thirds = LW_FOLD_ODD_LAST - LW_FOLD_ODD_THIRD + 1;
	uint64_t latin = vq_range_bits(x, LW_FOLD_EVEN_LEAD, 1) & vq_range_bits(y, LW_FOLD_EVEN_SECOND, n_seconds);
	uint64_t odd = latin & vq_range_bits(y, LW_FOLD_ODD_SECOND, 1) & vq_range_bits(z, LW_FOLD_ODD_THIRD, n_thirds);
	uint64_t even = latin & ~odd & vq_range_bits(z, 0x80, 0x40) & ~vq_common_bits(z, vq_set1(1));

	c->after_next = vq_fill_bits(c->after_next, even, 1);
	c->odd |= odd;
}

/*
 * Folds one by one, in `block`, what is odd in it: n of the `rest` bytes at p. Returns how many bytes are folded: n, or up to
 * three more if the last character goes on behind those, or fewer where a folding has another length.
 */
LW_NOINLINE static size_t fold_rest(const unsigned char *p, size_t rest, uint64_t odd, unsigned char *block, size_t n)
{
	size_t end = n;

	for (; odd; odd &= odd - 1) {
		const size_t begin = (size_t)__builtin_ctzll(odd);
		unsigned char folded[LW_FOLDED_BYTES];
		size_t n_folded, length = lanewise_fold_character(p + begin, rest - begin, folded, &n_folded);

		if (n_folded != length)
			return begin;
		if (memcmp(folded, p + begin, length) == 0)
			continue;
		memcpy(block + begin, folded, length);
		end = begin + length > end ? begin + length : end;
	}
	return end;
}

size_t LW_FN(fold_case)(const unsigned char *text, size_t n, unsigned char *out)
{
	const struct tables t = load_tables();
	const uint8_t n_leads = LW_FOLD_LAST_LEAD - LW_FOLD_FIRST_LEAD + 1;
	const vq none = vq_set1(0);
	vq next = none, after_next = none;
	int is_latin = 0; /* whether after_next may be anything but 0 */

	for (size_t at = 0; at < n;) {
		struct changes c = { none, none, none, 0 };
		const unsigned char *p = text + at;
		size_t rest = n - at;
		struct edge edge;

		if (LW_UNLIKELY(rest < VQ_LANES + BEHIND))
			p = copy_edge(&edge, p, rest);

		vq x = vq_load(p), folded = x;

		if (vq_any_range(x, 0x80, 0x80)) {
			vq y = vq_load(p + 1), class = vq_lookup_from(t.classes, x, 0xc0);
			const int was_latin = is_latin;

			is_latin = 0;

			if (vq_any(class)) {
				change_pairs(&c, &t, class, y);
				if (LW_UNLIKELY(c.odd))
					change_sharp_s(&c, x, y);
			}
			if (vq_any_range(x, LW_FOLD_FIRST_LEAD, n_leads)) {
				find_rare(&c, &t, x, y);
				is_latin = vq_any_range(x, LW_FOLD_EVEN_LEAD, 1);
				if (is_latin)
					change_latin(&c, x, y, vq_load(p + 2));
			}
			if (was_latin | is_latin)
				c.next = vq_add(c.next, vq_shift_in_1(after_next, c.after_next));
			folded = vq_add(x, vq_add(c.here, vq_shift_in_1(next, c.next)));
		}
		next = c.next;
		after_next = c.after_next;
		if (LW_LIKELY(c.odd == 0 && rest >= VQ_LANES)) {
			vq_store(out + at, folded);
			at += VQ_LANES;
			continue;
		}

		unsigned char block[VQ_LANES + 3];
		size_t there = rest < VQ_LANES ? rest : VQ_LANES, done;

		vq_store(block, folded);
		done = fold_rest(text + at, rest, c.odd, block, there);
		memcpy(out + at, block, done);
		at += done;
		if (done < there)
			return at;
	}
	return n;
}
