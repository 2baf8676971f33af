/* SPDX-License-Identifier: Apache-2.0 */
/* The reference for the kernels behind lanewise/dedup.h: byte by byte. */
#include "whitespace.h"

#include "common.h"

size_t LW_FN(byte_index)(const unsigned char *data, size_t n, unsigned char a, unsigned char b, uint32_t first,
                         uint32_t *index, size_t *n_index, size_t capacity)
{
	size_t used = *n_index;

	for (size_t block = 0; block < n; block += LW_INDEX_BLOCK) {
		size_t end = n - block < LW_INDEX_BLOCK ? n : block + LW_INDEX_BLOCK, found = 0;

		for (size_t i = block; i < end; i++)
			found += data[i] == a || data[i] == b;
		if (found > 0 && capacity - used < LW_INDEX_BLOCK) {
			*n_index = used;
			return block;
		}
		for (size_t i = block; i < end; i++)
			if (data[i] == a || data[i] == b)
				index[used++] = first + (uint32_t)i;
	}
	*n_index = used;
	return n;
}

/* Byte i of the data, or of the two before it. */
static unsigned char byte_at(const unsigned char *data, size_t i, size_t back, uint32_t before)
{
	return i >= back ? data[i - back] : (unsigned char)(before >> 8 * (back - i - 1));
}

static int is_block_end(const unsigned char *data, size_t i, uint32_t before)
{
	unsigned char last = byte_at(data, i, 1, before), last_but_one = byte_at(data, i, 2, before);

	if (data[i] == '`')
		return last == '`' && last_but_one == '`';
	return data[i] == '\n' && (last == '\n' || (last == '\r' && last_but_one == '\n'));
}

size_t LW_FN(block_index)(const unsigned char *data, size_t n, uint32_t before, uint32_t first, uint32_t *index,
                          size_t *n_index, size_t capacity)
{
	size_t used = *n_index;

	for (size_t block = 0; block < n; block += LW_INDEX_BLOCK) {
		size_t end = n - block < LW_INDEX_BLOCK ? n : block + LW_INDEX_BLOCK, found = 0;

		for (size_t i = block; i < end; i++)
			found += (size_t)is_block_end(data, i, before);
		if (found > 0 && capacity - used < LW_INDEX_BLOCK) {
			*n_index = used;
			return block;
		}
		for (size_t i = block; i < end; i++)
			if (is_block_end(data, i, before))
				index[used++] = first + (uint32_t)i;
	}
	*n_index = used;
	return n;
}

/* Notes text[i] if a unit may end there; `used` bytes are written up to and with it. */
static void note_end(struct lw_fold *f, size_t i, size_t used)
{
	if (f->of_blocks ? is_block_end(f->text, i, f->before) : f->text[i] == '\n')
		f->ends[f->n_ends++] = (struct lw_fold_end) { (uint32_t)i, (uint32_t)used };
}

static void fold(struct lw_fold *f, int note_ends)
{
	const unsigned char *text = f->text;
	unsigned char *out = f->out;
	uint32_t flags = f->flags;
	size_t used = 0;
	int after_space = f->after_space;

	f->n_ends = 0;
	for (size_t i = 0; i < f->n;) {
		size_t begin = i, space = lw_whitespace_length(text + i, f->n - i, flags);

		if (space > 0 && (flags & LANEWISE_NORMALIZE_COLLAPSE)) {
			if (!after_space)
				out[used++] = ' ';
			after_space = 1;
			i += space;
		} else if (space > 0) {
			for (; space > 0; space--)
				out[used++] = text[i++];
			after_space = 1;
		} else if ((flags & LANEWISE_NORMALIZE_STRIP_CONTROL) && lw_is_control(text[i])) {
			i++;
		} else {
			int upper = (flags & LANEWISE_NORMALIZE_LOWER) && text[i] >= 'A' && text[i] <= 'Z';

			out[used++] = (unsigned char)(text[i++] + (upper ? 'a' - 'A' : 0));
			after_space = 0;
		}
		if (note_ends)
			note_end(f, begin, used);
	}
	f->used = used;
	f->after_space = after_space;
}

size_t LW_FN(fold_text)(const unsigned char *text, size_t n, uint32_t flags, unsigned char *out)
{
	struct lw_fold f = { .text = text, .n = n, .flags = flags, .out = out };

	fold(&f, 0);
	return f.used;
}

void LW_FN(fold_units)(struct lw_fold *f) { fold(f, 1); }
