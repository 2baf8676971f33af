/* SPDX-License-Identifier: Apache-2.0 */
/* Phrases that announce an action, for lanewise/repeat.h. They are few and short: every end is tried. */
#include <lanewise/repeat.h>

#include "common.h"

#define PHRASE(text) { text, sizeof(text) - 1 }

static const struct phrase {
	const char *text;
	size_t length;
} phrases[] = {
	PHRASE("let me read"),         PHRASE("let me check"),      PHRASE("let me look at"),
	PHRASE("let me examine"),      PHRASE("let me see"),        PHRASE("i need to read"),
	PHRASE("i need to check"),     PHRASE("i need to look at"), PHRASE("i need to examine"),
	PHRASE("i need to see"),       PHRASE("first let me"),      PHRASE("now let me"),
	PHRASE("let me first"),        PHRASE("let me start by"),   PHRASE("i'll need to"),
	PHRASE("i will need to"),      PHRASE("i'll have to"),      PHRASE("i will have to"),
	PHRASE("let me actually use"), PHRASE("let me use the"),    PHRASE("i'll actually read"),
	PHRASE("i'll read"),           PHRASE("i will read"),       PHRASE("now i'll"),
	PHRASE("now i will"),          PHRASE("i should read"),     PHRASE("i should examine"),
	PHRASE("i should check"),      PHRASE("i should look"),     PHRASE("let me continue"),
	PHRASE("let me proceed"),
};

static char lower(char c) { return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c); }

/* The phrase that ends where text[0 ... n) does; its length, or 0. */
static size_t phrase_before(const char *text, size_t n)
{
	char last = lower(text[n - 1]);

	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
		const char *phrase = phrases[i].text;
		size_t length = phrases[i].length, k = 0;

		if (length > n || phrase[length - 1] != last)
			continue;
		while (k < length && lower(text[n - 1 - k]) == phrase[length - 1 - k])
			k++;
		if (k == length)
			return length;
	}
	return 0;
}

size_t lanewise_circular_phrases(const char *text, size_t n_bytes, size_t *first)
{
	size_t n = 0, from = 0;

	for (size_t end = 1; end <= n_bytes; end++) {
		size_t length = phrase_before(text + from, end - from);

		if (length == 0)
			continue;
		if (n++ == 0 && first)
			*first = end - length;
		from = end;
	}
	return n;
}
