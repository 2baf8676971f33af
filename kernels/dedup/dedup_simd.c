/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels behind lanewise/dedup.h for every vector tier, over blocks of 64 bytes.
 *
 * byte_index: a block's hits are a mask. Few blocks have more than a handful, so the first few places are always
 * written, hits or not, and only blocks with more take a loop: a branch on whether there are any, or on their number,
 * would be mispredicted.
 *
 * block_index: the same for the few bytes that end a blank line or make three backticks.
 *
 * fold_text: whitespace becomes spaces; a space is dropped if the byte before it is one: `spaces & (spaces << 1 | carry)`.
 * Few blocks of prose lose more than one byte, and whether one or none is not branched upon, as it would be mispredicted.
 * In others what is kept is moved together eight bytes at a time by a shuffle.
 * Whitespace beyond ASCII and control characters that are to go are rare: what lies before one is done as part of a
 * block, then they are done byte by byte, and the next block begins where that ended.
 */
#include "whitespace.h"

#include "vec.h"

/* ------------------------------------------------------------------- index */

/* A place is written in any case; bit 63 stands in when none is left. */
LW_INLINE uint64_t append_bit(uint32_t *to, uint64_t bits, uint32_t at)
{
	*to = at + (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
	return bits & (bits - 1);
}

/* The rest of a block's hits. */
LW_INLINE void append_rest(uint32_t *to, uint64_t bits, uint32_t at)
{
	while (LW_UNLIKELY(bits)) {
		*to++ = at + (uint32_t)__builtin_ctzll(bits);
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
		if (LW_UNLIKELY(capacity - used < LW_INDEX_BLOCK)) {
			if (bits == 0)
				continue;
			*n_index = used;
			return i;
		}

		uint32_t *to = index + used, at = first + (uint32_t)i;

		used += (size_t)__builtin_popcountll(bits);
		bits = append_bit(to, bits, at);
		bits = append_bit(to + 1, bits, at);
		bits = append_bit(to + 2, bits, at);
		append_rest(to + 3, bits, at);
	}
	*n_index = used;
	return n;
}

/* ------------------------------------------------------------------ blocks */

size_t LW_FN(block_index)(const unsigned char *data, size_t n, uint32_t before, uint32_t first, uint32_t *index,
                          size_t *n_index, size_t capacity)
{
	/* Bits 63 and 62 of the block before, as bits 1 and 0. */
	uint64_t newlines = (uint64_t)(((before & 255) == '\n') << 1 | (before >> 8 == '\n'));
	uint64_t ticks = (uint64_t)(((before & 255) == '`') << 1 | (before >> 8 == '`'));
	uint64_t returns = (before & 255) == '\r';
	size_t used = *n_index, i = 0;

	for (; i < n; i += LW_INDEX_BLOCK) {
		size_t rest = n - i;
		vc x = LW_LIKELY(rest >= 64) ? vc_load(data + i) : vc_load_first(data + i, rest);
		uint64_t newline = vc_bits_eq(x, '\n'), tick = vc_bits_eq(x, '`'), is_return = vc_bits_eq(x, '\r');

		__builtin_prefetch((const void *)((uintptr_t)data + i + 4096));
		if (LW_UNLIKELY(rest < 64)) { /* there are zeros behind */
			newline &= ((uint64_t)1 << rest) - 1;
			tick &= ((uint64_t)1 << rest) - 1;
		}

		uint64_t after_newline = newline << 1 | newlines >> 1, after_two = newline << 2 | newlines;
		uint64_t after_return = is_return << 1 | returns;
		uint64_t bits = newline & (after_newline | (after_return & after_two));

		bits |= tick & (tick << 1 | ticks >> 1) & (tick << 2 | ticks);
		if (LW_LIKELY(capacity - used >= LW_INDEX_BLOCK)) {
			uint32_t *to = index + used, at = first + (uint32_t)i;

			used += (size_t)__builtin_popcountll(bits);
			append_rest(to + 1, append_bit(to, bits, at), at);
		} else if (bits != 0) {
			*n_index = used;
			return i;
		}
		newlines = newline >> 62;
		ticks = tick >> 62;
		returns = is_return >> 63;
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

/* The rare character at f->at and those that follow it. */
LW_NOINLINE static void fold_rare(struct fold *f)
{
	do {
		fold_one(f);
	} while (f->at < f->n && (lw_is_control(f->text[f->at]) ||
	                          (f->text[f->at] >= 0xc2 && f->text[f->at] <= 0xe3 &&
	                           lw_whitespace_length(f->text + f->at, f->n - f->at, f->flags) > 0)));
}

/*
 * Where whitespace beyond ASCII begins (lw_whitespace_length), or, in the last two bytes, might: it is C2 with 85 or A0,
 * E1 9A 80, E2 80 with 80-8A, A8, A9 or AF, E2 81 9F, E3 80 80.
 */
LW_INLINE uint64_t wide_spaces(vc x, uint64_t two, uint64_t three)
{
	uint64_t b80 = vc_bits_eq(x, 0x80), at_end = (uint64_t)3 << 62, found;

	found = vc_bits_eq(x, 0xc2) & (vc_bits_eq(x, 0x85) | vc_bits_eq(x, 0xa0)) >> 1;
	found |= vc_bits_eq(x, 0xe1) & vc_bits_eq(x, 0x9a) >> 1 & b80 >> 2;
	found |= vc_bits_eq(x, 0xe2) & b80 >> 1 &
	         (vc_bits_range(x, 0x80, 11) | vc_bits_range(x, 0xa8, 2) | vc_bits_eq(x, 0xaf)) >> 2;
	found |= vc_bits_eq(x, 0xe2) & vc_bits_eq(x, 0x81) >> 1 & vc_bits_eq(x, 0x9f) >> 2;
	found |= vc_bits_eq(x, 0xe3) & b80 >> 1 & b80 >> 2;
	return found | (two & at_end) | (three & at_end);
}

/* Where characters begin that a vector cannot do; the last two bytes may be there without need. */
LW_INLINE uint64_t rare_bits(vc x, uint32_t flags)
{
	uint64_t rare = 0, two, three;

	if (flags & LANEWISE_NORMALIZE_STRIP_CONTROL)
		rare = (vc_bits_range(x, 0, 0x20) | vc_bits_eq(x, 0x7f)) & ~vc_bits_range(x, '\t', 5);
	if (!(flags & (LANEWISE_WHITESPACE_UNICODE | LANEWISE_WHITESPACE_PYTHON)))
		return rare;
	two = vc_bits_eq(x, 0xc2);
	three = vc_bits_range(x, 0xe1, 3);
	return LW_LIKELY((two | three) == 0) ? rare : rare | wide_spaces(x, two, three);
}

/* The bytes in `valid`, which are the block's first. */
LW_INLINE void fold_block(struct fold *f, vc x, uint64_t valid, uint32_t flags)
{
	uint64_t keep = valid;

	if (flags & LANEWISE_NORMALIZE_LOWER)
		x = vc_add_range(x, 'A', 26, 'a' - 'A');
	if (flags & LANEWISE_NORMALIZE_COLLAPSE) {
		x = vc_fill_range(x, '\t', 5, ' ');
		if (flags & LANEWISE_WHITESPACE_PYTHON)
			x = vc_fill_range(x, 0x1c, 4, ' ');

		uint64_t spaces = vc_bits_eq(x, ' ') & valid;

		keep &= ~(spaces & (spaces << 1 | f->after_space));
		f->after_space = (spaces & (valid ^ valid >> 1)) != 0;
	}

	uint64_t dropped = valid & ~keep;

	if (LW_LIKELY((dropped & (dropped - 1)) == 0))
		vc_store(f->out + f->used, vc_drop_one(x, dropped));
	else
		vc_compress_store(f->out + f->used, x, keep);
	f->used += (size_t)__builtin_popcountll(keep);
}

/* Whole blocks up to one that has something rare, or the end. Calls nothing, so that constants stay in registers. */
LW_INLINE uint64_t fold_blocks(struct fold *whole, uint32_t flags)
{
	struct fold f = *whole;
	uint64_t rare = 0;

	while (f.n - f.at >= 64) {
		vc x = vc_load(f.text + f.at);

		rare = rare_bits(x, flags);
		if (LW_UNLIKELY(rare))
			break;
		fold_block(&f, x, ~(uint64_t)0, flags);
		f.at += 64;
	}
	*whole = f;
	return rare;
}

/* Part of a block, before something rare or the end of the text. */
LW_INLINE void fold_part(struct fold *f, size_t n, uint32_t flags)
{
	if (n == 0)
		return;
	fold_block(f, vc_load_first(f->text + f->at, n), ((uint64_t)1 << n) - 1, flags);
	f->at += n;
}

LW_INLINE size_t fold(struct fold *f, uint32_t flags)
{
	for (;;) {
		uint64_t rare = fold_blocks(f, flags);
		size_t rest = f->n - f->at;

		if (!rare && rest > 0)
			rare = rare_bits(vc_load_first(f->text + f->at, rest), flags) & (((uint64_t)1 << rest) - 1);
		if (!rare) {
			fold_part(f, rest, flags);
			return f->used;
		}
		fold_part(f, (size_t)__builtin_ctzll(rare), flags);
		fold_rare(f);
	}
}

/* The flags that are used most have code of their own, without a question per block. */
size_t LW_FN(fold_text)(const unsigned char *text, size_t n, uint32_t flags, unsigned char *out)
{
	const uint32_t usual = LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER;
	struct fold f = { .text = text, .n = n, .flags = flags, .out = out };

	flags &= usual | LANEWISE_NORMALIZE_STRIP_CONTROL | LANEWISE_WHITESPACE_UNICODE | LANEWISE_WHITESPACE_PYTHON;
	if (flags == usual)
		return fold(&f, usual);
	if (flags == (usual | LANEWISE_WHITESPACE_UNICODE))
		return fold(&f, usual | LANEWISE_WHITESPACE_UNICODE);
	return fold(&f, flags);
}
