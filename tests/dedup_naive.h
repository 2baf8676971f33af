/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/dedup.h as one would write it down: whole texts, one pass per step of the normal form, every unit compared
 * with every unit before it. The truth for test_dedup and fuzz_dedup.
 */
#ifndef LW_DEDUP_NAIVE_H
#define LW_DEDUP_NAIVE_H

#include <stdlib.h>
#include <string.h>

#include <lanewise/dedup.h>

#include "text/unicode_tables.h"

/* ------------------------------------------------------------- normal form */

static const char *const naive_spaces[] = {
	" ",
	"\t",
	"\n",
	"\v",
	"\f",
	"\r",
	"\xc2\x85",
	"\xc2\xa0",
	"\xe1\x9a\x80",
	"\xe2\x80\x80",
	"\xe2\x80\x81",
	"\xe2\x80\x82",
	"\xe2\x80\x83",
	"\xe2\x80\x84",
	"\xe2\x80\x85",
	"\xe2\x80\x86",
	"\xe2\x80\x87",
	"\xe2\x80\x88",
	"\xe2\x80\x89",
	"\xe2\x80\x8a",
	"\xe2\x80\xa8",
	"\xe2\x80\xa9",
	"\xe2\x80\xaf",
	"\xe2\x81\x9f",
	"\xe3\x80\x80",
	"\x1c",
	"\x1d",
	"\x1e",
	"\x1f",
};
enum { NAIVE_ASCII = 6, NAIVE_UNICODE = 25, NAIVE_PYTHON = 29 };

/* Bytes of the whitespace at p, 0 if there is none. */
static inline size_t naive_space(const char *p, size_t n, uint32_t flags)
{
	size_t n_spaces = flags & LANEWISE_WHITESPACE_PYTHON    ? NAIVE_PYTHON
	                  : flags & LANEWISE_WHITESPACE_UNICODE ? NAIVE_UNICODE
	                                                        : NAIVE_ASCII;

	for (size_t i = 0; i < n_spaces; i++)
		if (strlen(naive_spaces[i]) <= n && memcmp(p, naive_spaces[i], strlen(naive_spaces[i])) == 0)
			return strlen(naive_spaces[i]);
	return 0;
}

static inline size_t naive_trim_back(const char *p, size_t n, uint32_t flags)
{
	for (;;) {
		size_t length = 0;

		for (size_t i = 1; i <= 3 && i <= n; i++)
			if (naive_space(p + n - i, i, flags) == i)
				length = i;
		if (length == 0)
			return n;
		n -= length;
	}
}

static inline size_t naive_strip(char *out, size_t n, uint32_t flags)
{
	size_t used = 0;

	for (size_t i = 0; i < n;) {
		size_t space = naive_space(out + i, n - i, flags), length = space ? space : 1;

		if (space || !((unsigned char)out[i] < 0x20 || out[i] == 0x7f)) {
			memmove(out + used, out + i, length);
			used += length;
		}
		i += length;
	}
	return used;
}

/*
 * Whitespace is recognised in the text as it was: what only leaving out a control character would make one (0xc2,
 * 0x01, 0x85) is none. So runs are found in one pass with the stripping.
 */
static inline size_t naive_collapse(char *out, size_t n, uint32_t flags)
{
	int strip = (flags & LANEWISE_NORMALIZE_STRIP_CONTROL) != 0, in_run = 0;
	size_t used = 0;

	for (size_t i = 0; i < n;) {
		size_t space = naive_space(out + i, n - i, flags);

		if (space) {
			if (!in_run)
				out[used++] = ' ';
			in_run = 1;
			i += space;
			continue;
		}
		if (!(strip && ((unsigned char)out[i] < 0x20 || out[i] == 0x7f))) {
			out[used++] = out[i];
			in_run = 0;
		}
		i++;
	}
	return used;
}

/* The character at p and its length; 0 if there is none that is valid. */
static inline size_t naive_decode(const unsigned char *p, size_t n, uint32_t *c)
{
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
	const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (length == 0 || length > n)
		return 0;
	*c = length == 1 ? p[0] : p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
		*c = *c << 6 | (p[i] & 0x3fu);
	}
	return *c < least[length] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff) ? 0 : length;
}

static inline size_t naive_encode(uint32_t c, char *out)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = length; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[length] | c);
	return length;
}

static inline size_t naive_fold(const char *text, size_t n, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < n;) {
		uint32_t c = 0;
		size_t length = naive_decode((const unsigned char *)text + i, n - i, &c);
		const struct unicode_record *record;

		if (length == 0) {
			out[used++] = text[i++];
			continue;
		}
		record = &unicode_records[unicode_block_records[unicode_blocks[c >> LW_UNICODE_BLOCK_BITS]]
		                                               [c % (1 << LW_UNICODE_BLOCK_BITS)]];
		if (record->expansion) {
			const uint16_t *start = &unicode_expansion_starts[record->expansion - 1];

			memcpy(out + used, unicode_expansions + start[0], (size_t)(start[1] - start[0]));
			used += (size_t)(start[1] - start[0]);
		} else {
			used += naive_encode(c + (uint32_t)record->difference, out + used);
		}
		i += length;
	}
	return used;
}

/* `out` has room for n_bytes, and for three times as many if they are folded; returns the length. */
static inline size_t naive_normalize(const char *text, size_t n, uint32_t flags, char *out)
{
	size_t length;

	if (n)
		memcpy(out, text, n);
	if (flags & LANEWISE_NORMALIZE_COLLAPSE)
		n = naive_collapse(out, n, flags);
	else if (flags & LANEWISE_NORMALIZE_STRIP_CONTROL)
		n = naive_strip(out, n, flags);
	for (size_t i = 0; (flags & LANEWISE_NORMALIZE_LOWER) && i < n; i++)
		if (out[i] >= 'A' && out[i] <= 'Z')
			out[i] = (char)(out[i] - 'A' + 'a');
	if (flags & LANEWISE_NORMALIZE_FOLD) {
		char *written = malloc(n + 1);

		memcpy(written, out, n);
		n = naive_fold(written, n, out);
		free(written);
	}
	while ((flags & LANEWISE_NORMALIZE_TRIM) && n > 0 && (length = naive_space(out, n, flags)) > 0) {
		n -= length;
		memmove(out, out + length, n);
	}
	if (flags & LANEWISE_NORMALIZE_TRIM)
		n = naive_trim_back(out, n, flags);
	while ((flags & LANEWISE_NORMALIZE_TRIM_PUNCTUATION) && n > 0 && strchr(".,;:", out[n - 1]) && out[n - 1])
		n--;
	return n;
}

/* ------------------------------------------------------------------- dedup */

struct naive {
	lanewise_dedup_options options; /* mode, max_bytes and expected do not matter here */
	lanewise_dedup_unit *units;
	size_t n, n_remembered;
	char **form; /* of remembered units */
	size_t *form_length, *remembered;
};

static inline void naive_unit(struct naive *d, const char *text, size_t begin, size_t end)
{
	uint32_t flags = d->options.normalize;
	const char *p = text + begin;
	size_t n = end - begin, n_trimmed = n, skipped = 0, length, n_points = 0;
	lanewise_dedup_unit *unit = &d->units[d->n];
	uint64_t most = d->options.max_unit_bytes ? d->options.max_unit_bytes : (uint64_t)16 << 20;

	*unit = (lanewise_dedup_unit) { begin, end, d->n, d->n, begin, 0, 0 };
	if (n > most) {
		unit->flags = LANEWISE_DEDUP_LONG;
		d->n++;
		return;
	}
	while (skipped < n && (length = naive_space(p + skipped, n - skipped, flags)) > 0)
		skipped += length;
	n_trimmed = naive_trim_back(p + skipped, n - skipped, flags);
	if (n_trimmed == 0 && d->options.unit == LANEWISE_DEDUP_BLOCKS)
		return;
	d->n++;
	for (size_t i = 0; i < n_trimmed; i++)
		n_points += ((unsigned char)p[skipped + i] & 0xc0) != 0x80;
	if ((d->options.count_code_points ? n_points : n_trimmed) < d->options.min_length) {
		unit->flags = LANEWISE_DEDUP_SHORT;
		return;
	}

	char *form = malloc(3 * n + 1);
	size_t n_form = naive_normalize(p, n, flags, form);
	size_t oldest = d->options.window && d->n_remembered > d->options.window
	                        ? d->n_remembered - (size_t)d->options.window
	                        : 0;

	for (size_t i = oldest; i < d->n_remembered; i++)
		if (d->form_length[i] == n_form && memcmp(d->form[i], form, n_form) == 0) {
			unit->first = d->units[d->remembered[i]].number;
			unit->first_begin = d->units[d->remembered[i]].begin;
			free(form);
			return;
		}
	d->form[d->n_remembered] = form;
	d->form_length[d->n_remembered] = n_form;
	d->remembered[d->n_remembered++] = d->n - 1;
}

static inline void naive_lines(struct naive *d, const char *text, size_t n)
{
	size_t begin = 0;

	for (size_t i = 0; i < n; i++)
		if (text[i] == '\n') {
			naive_unit(d, text, begin, i);
			begin = i + 1;
		}
	if (begin < n)
		naive_unit(d, text, begin, n);
}

static inline int naive_is(const char *text, size_t n, size_t at, const char *what)
{
	return n - at >= strlen(what) && memcmp(text + at, what, strlen(what)) == 0;
}

/* Length of "\n" or "\r\n" at `at`. */
static inline size_t naive_empty_line(const char *text, size_t n, size_t at)
{
	return naive_is(text, n, at, "\r\n") ? 2 : naive_is(text, n, at, "\n") ? 1 : 0;
}

static inline void naive_blocks(struct naive *d, const char *text, size_t n)
{
	for (size_t at = 0; at < n;) {
		size_t end = at, next;

		if (naive_is(text, n, at, "```")) {
			end = at + 3;
			while (end < n && !naive_is(text, n, end, "```"))
				end++;
			end = end < n ? end + 3 : n;
			next = end;
		} else {
			while (end < n && !naive_is(text, n, end, "```") &&
			       !(text[end] == '\n' && naive_empty_line(text, n, end + 1)))
				end++;
			next = end;
			if (next < n && text[next] == '\n')
				for (next++; next < n && naive_empty_line(text, n, next);)
					next += naive_empty_line(text, n, next);
		}
		if (end > at)
			naive_unit(d, text, at, end);
		at = next;
	}
}

/* All units of a text, in d->units; naive_end frees them. */
static inline void naive_dedup(struct naive *d, const lanewise_dedup_options *options, const char *text, size_t n)
{
	*d = (struct naive) { .options = *options };
	d->units = malloc((n + 1) * sizeof *d->units);
	d->form = malloc((n + 1) * sizeof *d->form);
	d->form_length = malloc((n + 1) * sizeof *d->form_length);
	d->remembered = malloc((n + 1) * sizeof *d->remembered);
	if (options->unit == LANEWISE_DEDUP_LINES)
		naive_lines(d, text, n);
	else
		naive_blocks(d, text, n);
}

static inline void naive_end(struct naive *d)
{
	for (size_t i = 0; i < d->n_remembered; i++)
		free(d->form[i]);
	free(d->units);
	free(d->form);
	free(d->form_length);
	free(d->remembered);
}

#endif
