/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes random pattern sets, texts and what lanewise finds in them, for a comparison with another implementation; the
 * form is in src/main.rs. Small alphabets, patterns cut from texts, near misses, NULs and bytes from 128 on; texts in one
 * piece or in several.
 */
#include <stdio.h>
#include <stdlib.h>

#include <lanewise/scan.h>

#include "test.h"

enum { MAX_PATTERNS = 100, MAX_TEXT = 6000, MAX_MATCHES = 1 << 20 };

struct maker {
	uint64_t state;
	uint8_t text[MAX_TEXT], bytes[MAX_PATTERNS * 32];
	lanewise_pattern patterns[MAX_PATTERNS];
	size_t n, n_patterns;
	lanewise_match *matches;
};

static size_t below(struct maker *m, size_t n) { return (size_t)(test_random(&m->state) % n); }

static void put(uint32_t number)
{
	for (int i = 0; i < 4; i++)
		putchar((int)(number >> 8 * i & 0xff));
}

static void put_bytes(const void *bytes, size_t n)
{
	put((uint32_t)n);
	fwrite(bytes, 1, n, stdout);
}

static void make_text(struct maker *m)
{
	static const uint8_t alphabet[] = "abcABd \x00\xff\xe4zyxwvutsrqponmlkjihgfe";
	size_t n_letters = 2 + below(m, sizeof alphabet - 3);

	/* Most texts are small; where filters look, they are long. */
	m->n = below(m, below(m, 50) == 0 ? MAX_TEXT : below(m, 4) == 0 ? 400 : 40);
	for (size_t i = 0; i < m->n; i++)
		m->text[i] = alphabet[below(m, n_letters)];
}

static void make_patterns(struct maker *m)
{
	uint8_t *at = m->bytes;
	size_t least = 1 + below(m, 12) * (below(m, 3) == 0), most = least + below(m, 12);

	m->n_patterns = 1 + below(m, below(m, 20) == 0 ? MAX_PATTERNS : 8);
	for (size_t i = 0; i < m->n_patterns; i++) {
		size_t length = least + below(m, most - least + 1), from = m->n > length ? below(m, m->n - length) : 0;

		for (size_t k = 0; k < length; k++)
			at[k] = from + k < m->n ? m->text[from + k] : 'a';
		if (below(m, 4) == 0) {
			size_t place = below(m, length);

			at[place] = (uint8_t)"abz"[below(m, 3)];
		}
		m->patterns[i] = (lanewise_pattern) { at, length };
		at += length;
	}
}

static size_t find(struct maker *m, const lanewise_scan_set *set, int32_t semantics, void *scratch)
{
	lanewise_scan_options options = { sizeof options, semantics, 0 };
	lanewise_scan *scan = lanewise_scan_begin(set, &options, scratch);
	size_t n = 0, at = 0, piece = below(m, 2) ? m->n : 1 + below(m, 300);

	for (;;) {
		size_t size = piece < m->n - at ? piece : m->n - at;

		if (at == m->n)
			lanewise_scan_finish(scan);
		else
			lanewise_scan_feed(scan, m->text + at, size);
		for (size_t k; (k = lanewise_scan_next(scan, m->matches + n, MAX_MATCHES - n)) > 0;)
			n += k;
		if (at == m->n)
			return n;
		at += size;
	}
}

static void write_case(struct maker *m)
{
	lanewise_scan_set_options options = { sizeof options, below(m, 4) == 0 };
	int32_t semantics = (int32_t)below(m, 4);
	lanewise_scan_set *set;
	void *scratch;
	size_t n;

	make_text(m);
	make_patterns(m);
	if (lanewise_scan_set_create(m->patterns, m->n_patterns, &options, NULL, &set, NULL) != LANEWISE_OK)
		abort();
	scratch = malloc(lanewise_scan_scratch_size(set));
	if (!scratch)
		abort();
	n = find(m, set, semantics, scratch);
	putchar(semantics);
	putchar(options.ignore_case);
	put((uint32_t)m->n_patterns);
	for (size_t i = 0; i < m->n_patterns; i++)
		put_bytes(m->patterns[i].bytes, m->patterns[i].n_bytes);
	put_bytes(m->text, m->n);
	put((uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		put(m->matches[i].pattern);
		put((uint32_t)m->matches[i].begin);
		put((uint32_t)m->matches[i].end);
	}
	free(scratch);
	lanewise_scan_set_destroy(set);
}

int main(int argc, char **argv)
{
	static struct maker m = { .state = 20 };
	long n_cases = argc > 1 ? atol(argv[1]) : 1000;

	m.matches = malloc(MAX_MATCHES * sizeof *m.matches);
	if (!m.matches)
		return 1;
	for (long i = 0; i < n_cases && !ferror(stdout); i++)
		write_case(&m);
	free(m.matches);
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
