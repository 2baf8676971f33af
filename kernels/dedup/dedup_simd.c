/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels behind lanewise/dedup.h for every vector tier, over blocks of 64 bytes.
 *
 * byte_index: a block's hits are a mask. Few blocks have more than a handful, so the first few places are always
 * written, hits or not, and only blocks with more take a loop: a branch on the exact number would be mispredicted.
 *
 * fold_text: whitespace becomes spaces; a space is dropped if the byte before it is one: `spaces & (spaces << 1 | carry)`.
 * What is kept is moved together eight bytes at a time by a shuffle, always, since a branch for blocks that keep all
 * is mispredicted on real text. Whitespace beyond ASCII and control characters that are to go are rare: a block with one
 * of them is done byte by byte, and the next block begins where that ended.
 */
#include "whitespace.h"

#include "vec.h"

enum { ALWAYS = 4 }; /* places written for every block with a hit */

/* ------------------------------------------------------------------- index */

LW_INLINE void append_bits(uint32_t *to, uint64_t bits, uint32_t at)
{
	size_t n = (size_t)__builtin_popcountll(bits);

#pragma GCC unroll 4
	for (size_t i = 0; i < ALWAYS; i++) {
		/* Bit 63 stands in when none is left. */
		to[i] = at + (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
		bits &= bits - 1;
	}
	if (LW_UNLIKELY(n > ALWAYS))
		for (size_t i = ALWAYS; i < n; i++) {
			to[i] = at + (uint32_t)__builtin_ctzll(bits);
			bits &= bits - 1;
		}
}

size_t LW_FN(byte_index)(const unsigned char *data, size_t n, unsigned char a, unsigned char b, uint32_t first,
                         uint32_t *index, size_t *n_index, size_t capacity)
{
	size_t used = *n_index, i = 0;

	for (; i < n; i += LW_INDEX_BLOCK) {
		size_t rest = n - i;
		vc x = LW_LIKELY(rest >= 64) ? vc_load(data + i) : vc_load_first(data + i, rest);
		uint64_t bits = vc_bits_eq(x, a) | vc_bits_eq(x, b);

		__builtin_prefetch((const void *)((uintptr_t)data + i + 4096));
		if (LW_UNLIKELY(rest < 64))
			bits &= ((uint64_t)1 << rest) - 1;
		if (bits == 0)
			continue;
		if (LW_UNLIKELY(capacity - used < LW_INDEX_BLOCK)) {
			*n_index = used;
			return i;
		}
		append_bits(index + used, bits, first + (uint32_t)i);
		used += (size_t)__builtin_popcountll(bits);
	}
	*n_index = used;
	return n;
}

/* -------------------------------------------------------------------- fold */

struct fold {
	const unsigned char *text;
	size_t n, at;
	uint32_t flags;
	unsigned char *out;
	size_t used;
	uint64_t after_space; /* 0 or 1 */
};

/* One character. */
static void fold_one(struct fold *f)
{
	const unsigned char *p = f->text + f->at;
	size_t space = lw_whitespace_length(p, f->n - f->at, f->flags);

	if (space > 0) {
		if (f->flags & LANEWISE_NORMALIZE_COLLAPSE) {
			f->out[f->used] = ' ';
			f->used += !f->after_space;
		} else {
			memcpy(f->out + f->used, p, space);
			f->used += space;
		}
		f->after_space = 1;
		f->at += space;
		return;
	}
	f->at++;
	if ((f->flags & LANEWISE_NORMALIZE_STRIP_CONTROL) && lw_is_control(p[0]))
		return;
	f->out[f->used++] = (f->flags & LANEWISE_NORMALIZE_LOWER) && p[0] >= 'A' && p[0] <= 'Z' ? p[0] | 0x20 : p[0];
	f->after_space = 0;
}

LW_NOINLINE static void fold_slowly(struct fold *f, size_t end)
{
	while (f->at < end)
		fold_one(f);
}

/* Whether whitespace beyond ASCII begins in the block at f->at, of which `high` tells bytes from 0x80 on. */
LW_NOINLINE static int has_wide_space(const struct fold *f, uint64_t candidates)
{
	for (; candidates; candidates &= candidates - 1) {
		size_t at = f->at + (size_t)__builtin_ctzll(candidates);

		if (lw_whitespace_length(f->text + at, f->n - at, f->flags) > 0)
			return 1;
	}
	return 0;
}

/* Whether the block must be done byte by byte. */
LW_INLINE int is_rare(const struct fold *f, vc x, uint64_t valid)
{
	if (f->flags & LANEWISE_NORMALIZE_STRIP_CONTROL) {
		uint64_t plain = vc_bits_range(x, '\t', 5);

		if ((vc_bits_range(x, 0, 0x20) | vc_bits_eq(x, 0x7f)) & ~plain & valid)
			return 1;
	}
	if (!(f->flags & (LANEWISE_WHITESPACE_UNICODE | LANEWISE_WHITESPACE_PYTHON)) || !vc_bits_high(x))
		return 0;

	uint64_t candidates = (vc_bits_eq(x, 0xc2) | vc_bits_range(x, 0xe1, 3)) & valid;

	return candidates && has_wide_space(f, candidates);
}

LW_INLINE void fold_block(struct fold *f, vc x, uint64_t valid)
{
	uint64_t keep = valid;

	if (f->flags & LANEWISE_NORMALIZE_LOWER)
		x = vc_add_range(x, 'A', 26, 'a' - 'A');
	if (f->flags & LANEWISE_NORMALIZE_COLLAPSE) {
		x = vc_fill_range(x, '\t', 5, ' ');
		if (f->flags & LANEWISE_WHITESPACE_PYTHON)
			x = vc_fill_range(x, 0x1c, 4, ' ');

		uint64_t spaces = vc_bits_eq(x, ' ');

		keep &= ~(spaces & (spaces << 1 | f->after_space));
		f->after_space = spaces >> 63;
	}
	vc_compress_store(f->out + f->used, x, keep);
	f->used += (size_t)__builtin_popcountll(keep);
}

size_t LW_FN(fold_text)(const unsigned char *text, size_t n, uint32_t flags, unsigned char *out)
{
	struct fold f = { .text = text, .n = n, .flags = flags, .out = out };

	while (n - f.at >= 64) {
		vc x = vc_load(text + f.at);

		if (LW_UNLIKELY(is_rare(&f, x, ~(uint64_t)0))) {
			fold_slowly(&f, f.at + 64);
			continue;
		}
		fold_block(&f, x, ~(uint64_t)0);
		f.at += 64;
	}

	size_t rest = n - f.at;

	if (rest > 0) {
		uint64_t valid = ((uint64_t)1 << rest) - 1;
		vc x = vc_load_first(text + f.at, rest);

		if (is_rare(&f, x, valid))
			fold_slowly(&f, n);
		else
			fold_block(&f, x, valid);
	}
	return f.used;
}
