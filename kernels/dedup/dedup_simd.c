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
 * fold_text, fold_units: whitespace becomes spaces; a space is dropped if the byte before it is one: `spaces & (spaces << 1
 * | carry)`. All bytes of a whitespace character beyond ASCII become spaces, so that it is a run itself. Few blocks of prose
 * lose more than one byte, and whether one or none is not branched upon, as it would be mispredicted. In others, but for
 * code's indentation, what is kept is moved together eight bytes at a time by a shuffle. A character that begins in a
 * block and ends behind it is left to the next block, which begins with it.
 *
 * fold_units finds the ends in the same pass; what is written up to one is what is kept of the block up to its bit. To find
 * them bytes are compared with those one and two places before, loaded once more: fewer steps than to shift masks and carry
 * their ends from block to block, and no branch on backticks, of which some text is full.
 */
#include "whitespace.h"

#include "vec.h"
#if defined(__AVX512VBMI2__)
#include "append_bits_avx512.h"
#endif

/* ------------------------------------------------------------------- index */

/* The number of the lowest bit; any if there is none. Never a branch. */
LW_INLINE uint32_t first_bit(uint64_t bits)
{
#if defined(__BMI__)
	return (uint32_t)_tzcnt_u64(bits);
#else
	return (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
#endif
}

/* A place is written in any case. */
LW_INLINE uint64_t append_bit(uint32_t *to, uint64_t bits, uint32_t at)
{
	*to = at + first_bit(bits);
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

/* at plus the number of each bit, to 64 places that may hold anything behind those. */
#if defined(__AVX512VBMI2__)
LW_INLINE void append_places(uint32_t *to, uint64_t bits, uint32_t at) { lw_store_positions(bits, vu_set1(at), to); }
#else
LW_INLINE void append_places(uint32_t *to, uint64_t bits, uint32_t at)
{
	bits = append_bit(to, bits, at);
	bits = append_bit(to + 1, bits, at);
	bits = append_bit(to + 2, bits, at);
	append_rest(to + 3, bits, at);
}
#endif

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

		append_places(index + used, bits, first + (uint32_t)i);
		used += (size_t)__builtin_popcountll(bits);
	}
	*n_index = used;
	return n;
}

/* ------------------------------------------------------------------ blocks */

/*
 * Which of 64 bytes at p may end a block. The two before them are read too. A byte is that if it is a newline like the last,
 * or like the last but one where the last is a '\r', or a backtick like both.
 */
LW_INLINE uint64_t block_ends(const unsigned char *p)
{
	vc x = vc_load(p), last = vc_load(p - 1), last_but_one = vc_load(p - 2);
	vm like_last = vm_equal(x, last), like_last_but_one = vm_equal(x, last_but_one);
	vm newline = vm_eq(x, '\n'), tick = vm_and_eq(like_last, x, '`');
	vm apart = vm_or(tick, vm_and_eq(newline, last, '\r'));

	return vm_bits(vm_or(vm_and(newline, like_last), vm_and(apart, like_last_but_one)));
}

/* The same by masks of x, which the bytes `before` precede: nothing else is read, but it takes more steps. */
LW_INLINE uint64_t block_ends_behind(vc x, uint32_t before)
{
	uint64_t newline = vc_bits_eq(x, '\n'), cr = vc_bits_eq(x, '\r'), tick = vc_bits_eq(x, '`');
	uint64_t last = (before & 255) == '\n', last_but_one = (before >> 8 & 255) == '\n';
	uint64_t behind_newline = newline << 1 | last, two_behind = newline << 2 | last << 1 | last_but_one;
	uint64_t behind_cr = cr << 1 | ((before & 255) == '\r');
	uint64_t ticked = tick << 1 | ((before & 255) == '`');
	uint64_t twice_ticked = tick << 2 | (uint64_t)((before & 255) == '`') << 1 | ((before >> 8 & 255) == '`');

	return (newline & (behind_newline | (behind_cr & two_behind))) | (tick & ticked & twice_ticked);
}

/* Text that is not all there as block_ends reads it: n bytes of it, behind two and before zeros. */
struct edge {
	unsigned char bytes[2 + 64];
};

/* text[at ... at + n); at is 0, where `before` has the two bytes before, or at least 2. */
LW_INLINE const unsigned char *copy_edge(struct edge *edge, const unsigned char *text, size_t at, size_t n,
                                         uint32_t before)
{
	*edge = (struct edge) { { (unsigned char)(before >> 8), (unsigned char)before } };
	if (at > 0)
		memcpy(edge->bytes, text + at - 2, n + 2);
	else
		memcpy(edge->bytes + 2, text, n);
	return edge->bytes + 2;
}

size_t LW_FN(block_index)(const unsigned char *data, size_t n, uint32_t before, uint32_t first, uint32_t *index,
                          size_t *n_index, size_t capacity)
{
	size_t used = *n_index, i = 0;

	for (; i < n; i += LW_INDEX_BLOCK) {
		size_t rest = n - i < 64 ? n - i : 64;
		const unsigned char *p = data + i;
		struct edge edge;

		if (LW_UNLIKELY(i == 0 || rest < 64))
			p = copy_edge(&edge, data, i, rest, before);

		uint64_t bits = block_ends(p) & ~(uint64_t)0 >> (64 - rest);

		__builtin_prefetch((const void *)((uintptr_t)data + i + 4096));
		if (LW_LIKELY(capacity - used >= LW_INDEX_BLOCK)) {
			uint32_t *to = index + used, at = first + (uint32_t)i;

			used += (size_t)__builtin_popcountll(bits);
			append_rest(to + 1, append_bit(to, bits, at), at);
		} else if (bits != 0) {
			*n_index = used;
			return i;
		}
	}
	*n_index = used;
	return n;
}

/* -------------------------------------------------------------------- fold */

enum ends { NO_ENDS, LINE_ENDS, BLOCK_ENDS };

/*
 * Which bytes are of whitespace beyond ASCII (lw_whitespace_length): C2 with 85 or A0, E1 9A 80, E2 80 with 80-8A, A8, A9
 * or AF, E2 81 9F, E3 80 80. Of what begins at the end and goes on behind it nothing.
 */
LW_INLINE uint64_t wide_spaces(vc x, uint64_t c2)
{
	uint64_t b80 = vc_bits_eq(x, 0x80), two, three;

	two = c2 & (vc_bits_eq(x, 0x85) | vc_bits_eq(x, 0xa0)) >> 1;
	three = vc_bits_eq(x, 0xe1) & vc_bits_eq(x, 0x9a) >> 1 & b80 >> 2;
	three |= vc_bits_eq(x, 0xe2) & b80 >> 1 &
	         (vc_bits_range(x, 0x80, 11) | vc_bits_range(x, 0xa8, 2) | vc_bits_eq(x, 0xaf)) >> 2;
	three |= vc_bits_eq(x, 0xe2) & vc_bits_eq(x, 0x81) >> 1 & vc_bits_eq(x, 0x9f) >> 2;
	three |= vc_bits_eq(x, 0xe3) & b80 >> 1 & b80 >> 2;
	return two | two << 1 | three | three << 1 | three << 2;
}

/* Control characters that are no whitespace. */
LW_INLINE uint64_t control_bits(vc x, uint32_t flags)
{
	uint64_t bits = (vc_bits_range(x, 0, 0x20) | vc_bits_eq(x, 0x7f)) & ~vc_bits_range(x, '\t', 5);

	return flags & LANEWISE_WHITESPACE_PYTHON ? bits & ~vc_bits_range(x, 0x1c, 4) : bits;
}

/* Bytes behind whitespace, by this mask and that of the block before. */
LW_INLINE uint64_t behind(uint64_t spaces, uint64_t before) { return 2 * spaces + (before >> 63); }

/*
 * The same where control characters that are dropped do not count: a sum carries the bit at the first of a row of them to
 * behind the last; *over if that is in the next block.
 */
LW_INLINE uint64_t behind_dropped(uint64_t found, uint64_t control, int *over)
{
	uint64_t sum;

	*over = __builtin_add_overflow(found & control, control, &sum);
	return found | (sum & ~control);
}

/* What a block leaves to the next. */
struct fold {
	const unsigned char *text;
	unsigned char *out;
	struct lw_fold_end *ends;
	size_t at, used;
	uint64_t spaces; /* mask of the block before; bit 63 is the byte before this one */
};

/* The first bit's place and what is written up to it; anything if there is none. */
LW_INLINE void put_end(struct lw_fold_end *to, uint64_t bits, uint64_t keep, size_t at, size_t used)
{
	to->at = (uint32_t)at + first_bit(bits);
	to->used = (uint32_t)(used + (size_t)__builtin_popcountll(keep & (bits ^ (bits - 1))));
}

/* A block's ends. One place is written whether there is one or not: to branch on that would be to mispredict. */
LW_INLINE void put_ends(struct fold *f, uint64_t bits, uint64_t keep)
{
	struct lw_fold_end *to = f->ends;

	f->ends += __builtin_popcountll(bits);
	put_end(to, bits, keep, f->at, f->used);
	for (bits &= bits - 1; LW_UNLIKELY(bits); bits &= bits - 1)
		put_end(++to, bits, keep, f->at, f->used);
}

/* A character of two or three bytes of which not all are in the block: its first bit. */
LW_INLINE uint64_t cut_character(uint64_t two, uint64_t three)
{
	uint64_t cut = (two & (uint64_t)1 << 63) | (three & (uint64_t)3 << 62);

	return cut & (0 - cut);
}

/*
 * One block, x, of which the first `step` bytes are there, and which has those ends. If it is not the last, a character that is
 * cut at its end is left to the next.
 */
LW_INLINE void fold_block(struct fold *f, vc x, uint64_t ends, size_t step, int is_last, uint32_t flags, enum ends kind)
{
	const int collapse = (flags & LANEWISE_NORMALIZE_COLLAPSE) != 0;
	const int strip = (flags & LANEWISE_NORMALIZE_STRIP_CONTROL) != 0;
	const int wide = collapse && (flags & (LANEWISE_WHITESPACE_UNICODE | LANEWISE_WHITESPACE_PYTHON)) != 0;
	uint64_t control = strip ? control_bits(x, flags) : 0, valid = ~(uint64_t)0 >> (64 - step), keep;

	if (wide) {
		uint64_t two = vc_bits_eq(x, 0xc2), three = vc_bits_range(x, 0xe1, 3);

		if (LW_UNLIKELY(two | three)) {
			uint64_t cut = is_last ? 0 : cut_character(two, three);

			x = vc_fill_bits(x, wide_spaces(x, two), ' ');
			if (cut) {
				step = (size_t)__builtin_ctzll(cut);
				valid = cut - 1;
			}
		}
	}
	control &= valid;
	if (flags & LANEWISE_NORMALIZE_LOWER)
		x = vc_add_range(x, 'A', 26, 'a' - 'A');
	keep = valid & ~control;
	if (collapse) {
		uint64_t spaces, after;
		int over = 0;

		if (flags & LANEWISE_WHITESPACE_PYTHON)
			x = vc_fill_range(x, 0x1c, 4, ' ');
		x = vc_fill_white(x, &spaces);
		spaces &= valid;
		after = behind(spaces, f->spaces);
		if (strip)
			after = behind_dropped(after, control, &over);
		keep &= ~(spaces & after);
		f->spaces = step == 64 ? spaces : (after >> step & 1) << 63;
		if (strip)
			f->spaces |= (uint64_t)over << 63;
	}
	vc_store_without(f->out + f->used, x, valid & ~keep);
	if (kind != NO_ENDS)
		put_ends(f, ends & valid, keep);
	f->used += (size_t)__builtin_popcountll(keep);
	f->at += step;
}

/* The first block of a text or the last, which may be shorter. */
LW_INLINE void fold_edge(struct fold *f, size_t rest, uint32_t before, uint32_t flags, enum ends kind)
{
	size_t step = rest < 64 ? rest : 64;
	const unsigned char *p = f->text + f->at;
	vc x = step == 64 ? vc_load(p) : vc_load_first(p, step);
	uint64_t ends = 0;

	if (kind == LINE_ENDS)
		ends = vc_bits_eq(x, '\n');
	else if (kind == BLOCK_ENDS)
		ends = block_ends_behind(x, f->at >= 2 ? p[-1] | (uint32_t)p[-2] << 8 : before);
	fold_block(f, x, ends, step, rest <= 64, flags, kind);
}

/* Nothing in the inner loop is a call, so that constants stay in registers. */
LW_INLINE void fold(struct lw_fold *whole, uint32_t flags, enum ends kind)
{
	const size_t n = whole->n, last = n > 64 ? n - 64 : 0;
	struct fold f = { .text = whole->text,
		          .out = whole->out,
		          .ends = whole->ends,
		          .spaces = (uint64_t)(whole->after_space != 0) << 63 };

	while (f.at < n) {
		if ((kind == BLOCK_ENDS && f.at == 0) || f.at >= last)
			fold_edge(&f, n - f.at, whole->before, flags, kind);
		while (f.at < last) {
			const unsigned char *p = f.text + f.at;
			vc x = vc_load(p);
			uint64_t ends = kind == NO_ENDS ? 0 : kind == LINE_ENDS ? vc_bits_eq(x, '\n') : block_ends(p);

			__builtin_prefetch((const void *)((uintptr_t)p + 2048));
			fold_block(&f, x, ends, 64, 0, flags, kind);
		}
	}
	whole->used = f.used;
	whole->n_ends = kind == NO_ENDS ? 0 : (size_t)(f.ends - whole->ends);
	whole->after_space = (int)(f.spaces >> 63);
}

/* The flags that are used most have code of their own, without a question per block. */
LW_INLINE void fold_by_flags(struct lw_fold *f, enum ends kind)
{
	const uint32_t usual = LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER;
	uint32_t flags = f->flags & (usual | LANEWISE_NORMALIZE_STRIP_CONTROL | LANEWISE_WHITESPACE_UNICODE |
	                             LANEWISE_WHITESPACE_PYTHON);

	if (flags == usual)
		fold(f, usual, kind);
	else if (flags == (usual | LANEWISE_WHITESPACE_UNICODE))
		fold(f, usual | LANEWISE_WHITESPACE_UNICODE, kind);
	else
		fold(f, flags, kind);
}

size_t LW_FN(fold_text)(const unsigned char *text, size_t n, uint32_t flags, unsigned char *out)
{
	struct lw_fold f = { .text = text, .n = n, .flags = flags, .out = out };

	fold_by_flags(&f, NO_ENDS);
	return f.used;
}

void LW_FN(fold_units)(struct lw_fold *f)
{
	if (f->of_blocks)
		fold_by_flags(f, BLOCK_ENDS);
	else
		fold_by_flags(f, LINE_ENDS);
}
