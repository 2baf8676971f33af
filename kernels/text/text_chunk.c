/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/text_chunk.h.
 *
 * The text is one sequence of parts that no chunk takes apart: units that fit, sentences of paragraphs that do not, words of
 * those, characters of those. A cursor goes through it: it keeps where the element of each level that it is in ends, so
 * that each element is measured once, at its beginning, and one beyond the size makes it go a level down until that end.
 * Two cursors go over the text, one for where chunks end and one for where they begin, and the measure between them is
 * kept up to date. So an overlap, however large, costs one more pass over the text and no more.
 *
 * What a character counts may depend on the byte before (tokens). A chunk's first character has none; `first_difference`
 * is what that changes.
 */
#include <lanewise/dedup.h>
#include <lanewise/text_chunk.h>

#include "common.h"
#include "dedup/whitespace.h"
#include "support.h"
#include "utf8/utf8_char.h"

enum level { PARAGRAPH, SENTENCE, LINE, WORD, CHARACTER };
enum { LEVELS = 4, LONGEST_ABBREVIATION = 16 };

struct part {
	size_t end;
	uint64_t measure;
	int begins_unit;
};

struct cursor {
	size_t at;
	size_t end[LEVELS]; /* of the elements that `at` is in */
};

struct lanewise_text_chunker {
	_Alignas(LW_SCRATCH_ALIGNMENT) const uint8_t *text;
	size_t n;
	const char *abbreviations;
	enum level levels[LEVELS]; /* coarse to fine */
	int tokens, trim, single;
	uint64_t size, overlap;

	struct cursor front, back; /* behind the next part, and where the chunk begins */
	size_t end;                /* where the chunk ends so far */
	size_t last_begin;         /* where the last chunk began, trimmed */
	struct part next;          /* the part behind that; its end is 0 if it is not known yet */
	uint64_t measure;          /* from where the chunk begins to its end, as parts of the text */
};

_Static_assert(sizeof(struct lanewise_text_chunker) < 512, "text_chunk.h promises less than 512 bytes");

/* ------------------------------------------------------------- characters */

/* The bytes of the character at text[at]; one that is invalid is a byte. */
static size_t character_length(const uint8_t *text, size_t n, size_t at, int *valid)
{
	size_t length = text[at] < 0x80 ? 1 : lw_utf8_length(text + at, n - at, NULL);

	*valid = length != 0;
	return length ? length : 1;
}

/* How many there are in text[begin ... end), by kernels as far as it is valid. */
static uint64_t count_characters(const uint8_t *text, size_t begin, size_t end)
{
	enum { SLOW = 64 }; /* bytes from an invalid one on, where there may be more of them */
	const struct lw_kernels *kernels = lw_kernels();
	uint64_t count = 0;

	while (begin < end) {
		size_t n_valid = kernels->utf8_prefix(text + begin, end - begin);

		count += kernels->utf8_count(text + begin, n_valid);
		begin += n_valid;
		for (size_t slow_end = end - begin > SLOW ? begin + SLOW : end; begin < slow_end; count++) {
			int valid;

			begin += character_length(text, end, begin, &valid);
		}
	}
	return count;
}

/* Goes over at most `most` characters. */
static size_t skip_characters(const uint8_t *text, size_t begin, size_t end, uint64_t most)
{
	while (begin < end && most > 0) {
		/* No more bytes than characters wanted: they hold no more of them. */
		size_t n = end - begin < most ? end - begin : (size_t)most;
		size_t n_valid = n < 16 ? 0 : lw_kernels()->utf8_prefix(text + begin, n);
		int valid;

		if (n_valid == 0) {
			begin += character_length(text, end, begin, &valid);
			most--;
			continue;
		}
		most -= lw_kernels()->utf8_count(text + begin, n_valid);
		begin += n_valid;
	}
	return begin;
}

/* ----------------------------------------------------------------- tokens */

enum { TOKEN = 64, NOTHING = 256 };
enum kind { OTHER, LETTER, DIGIT, BLANK, NEWLINE, NOT_ASCII };

static const char ascii_kinds[] = "0000000003400400000000000000000030000000000000002222222222000000"
                                  "0111111111111111111111111110000001111111111111111111111111100000";

static enum kind kind_of(int byte) { return byte < 0x80 ? (enum kind)(ascii_kinds[byte] - '0') : NOT_ASCII; }

static int is_letter(int byte) { return kind_of(byte) == LETTER; }
static int is_digit(int byte) { return kind_of(byte) == DIGIT; }
static int is_blank(int byte) { return kind_of(byte) == BLANK; }

/* 64ths of a token for a byte of ASCII of the second kind after one of the first. */
static const uint8_t ascii_weights[NOT_ASCII + 1][NOT_ASCII] = {
	[OTHER] = { 56, 48, 44, 0, 40 }, [LETTER] = { 56, 6, 44, 0, 40 },  [DIGIT] = { 56, 48, 14, 0, 40 },
	[BLANK] = { 56, 48, 44, 2, 40 }, [NEWLINE] = { 56, 48, 44, 2, 4 }, [NOT_ASCII] = { 56, 48, 44, 0, 40 },
};
enum { AGAIN = 8 }; /* the same byte once more, neither letter nor digit nor white space */

/* The same for a character of `length` bytes that begins with `byte`; `before` is a byte or NOTHING. */
static uint32_t token_weight(int byte, size_t length, int valid, int before)
{
	static const uint8_t wide[5] = { [2] = 32, [3] = 64, [4] = 160 };
	enum kind kind = kind_of(byte);

	if (kind == NOT_ASCII)
		return valid ? wide[length] : TOKEN;
	return kind == OTHER && byte == before ? AGAIN : ascii_weights[kind_of(before)][kind];
}

static uint64_t count_tokens(const uint8_t *text, size_t n, size_t begin, size_t end, int before)
{
	enum kind kind_before = kind_of(before);
	uint64_t sum = 0;

	for (size_t at = begin, length; at < end; at += length) {
		int byte = text[at], valid;

		if (byte < 0x80) {
			enum kind kind = kind_of(byte);

			sum += kind == OTHER && byte == before ? AGAIN : ascii_weights[kind_before][kind];
			kind_before = kind;
			before = byte;
			length = 1;
			continue;
		}
		length = character_length(text, n, at, &valid);
		sum += token_weight(byte, length, valid, before);
		kind_before = NOT_ASCII;
		before = NOTHING;
	}
	return sum;
}

uint64_t lanewise_text_tokens(const char *text, size_t n_bytes)
{
	return (count_tokens((const uint8_t *)text, n_bytes, 0, n_bytes, NOTHING) + TOKEN - 1) / TOKEN;
}

/* ---------------------------------------------------------------- measure */

/* Of text[begin ... end) in its place. */
static uint64_t measure(const struct lanewise_text_chunker *c, size_t begin, size_t end)
{
	if (!c->tokens)
		return count_characters(c->text, begin, end);
	return count_tokens(c->text, c->n, begin, end, begin ? c->text[begin - 1] : NOTHING);
}

/* What is to be added to the measure of a text that begins at `at` if nothing stands before it. */
static int64_t first_difference(const struct lanewise_text_chunker *c, size_t at)
{
	int valid;

	if (!c->tokens || at == 0 || at == c->n)
		return 0;

	size_t length = character_length(c->text, c->n, at, &valid);

	return (int64_t)token_weight(c->text[at], length, valid, NOTHING) -
	       (int64_t)token_weight(c->text[at], length, valid, c->text[at - 1]);
}

/* --------------------------------------------------------------- elements */

static size_t space_length(const struct lanewise_text_chunker *c, size_t at)
{
	uint8_t byte = c->text[at];

	if (byte < 0x80)
		return byte == ' ' || (byte >= '\t' && byte <= '\r');
	return lw_whitespace_length(c->text + at, c->n - at, LANEWISE_WHITESPACE_UNICODE);
}

/* White space from `at` on: its end, and, if there is a blank line in it, where the text behind that begins, else 0. */
static size_t skip_space(const struct lanewise_text_chunker *c, size_t at, size_t *paragraph)
{
	size_t n_newlines = 0, behind_newline = 0, length;

	for (; at < c->n && (length = space_length(c, at)) > 0; at += length)
		if (c->text[at] == '\n') {
			n_newlines++;
			behind_newline = at + 1;
		}
	*paragraph = n_newlines < 2 ? 0 : at == c->n ? c->n : behind_newline;
	return at;
}

static size_t line_end(const struct lanewise_text_chunker *c, size_t at)
{
	const uint8_t *newline = memchr(c->text + at, '\n', c->n - at);

	return newline ? (size_t)(newline - c->text) + 1 : c->n;
}

static size_t paragraph_end(const struct lanewise_text_chunker *c, size_t at)
{
	while (at < c->n) {
		size_t next = line_end(c, at), paragraph;

		if (c->text[next - 1] != '\n')
			return c->n;
		at = skip_space(c, next - 1, &paragraph);
		if (paragraph)
			return paragraph;
	}
	return c->n;
}

/* White space up to the end of the line, or `limit`; *newline tells whether it had one. */
static size_t skip_line_space(const struct lanewise_text_chunker *c, size_t at, size_t limit, int *newline)
{
	size_t length;

	*newline = 0;
	for (; !*newline && at < limit && (length = space_length(c, at)) > 0; at += length)
		*newline = c->text[at] == '\n';
	return at;
}

/*
 * A word with the white space behind it on its line, and, if it is the first there, before it. `limit` is where what it is
 * in ends: a sentence in a script without spaces may be a small part of a very long word.
 */
static size_t word_end(const struct lanewise_text_chunker *c, size_t at, size_t limit)
{
	int newline, valid;

	at = skip_line_space(c, at, limit, &newline);
	if (newline)
		return at;
	while (at < limit && space_length(c, at) == 0)
		at += character_length(c->text, c->n, at, &valid);
	return skip_line_space(c, at, limit, &newline);
}

/* -------------------------------------------------------------- sentences */

/* The bytes of a mark that ends a sentence at text[at], or 0; *alone becomes 1 if it needs no white space behind it. */
static size_t terminator_length(const struct lanewise_text_chunker *c, size_t at, int *alone)
{
	/* U+2026, and those that stand for themselves: U+3002 U+FF01 U+FF1F U+FF61 U+0964 U+0965 U+1362 U+061F U+06D4. */
	static const char *const marks[] = { "\xe2\x80\xa6", "\xe3\x80\x82", "\xef\xbc\x81", "\xef\xbc\x9f",
		                             "\xef\xbd\xa1", "\xe0\xa5\xa4", "\xe0\xa5\xa5", "\xe1\x8d\xa2",
		                             "\xd8\x9f",     "\xdb\x94" };
	const uint8_t *p = c->text + at;
	size_t n = c->n - at;

	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return p[0] == '.' || p[0] == '!' || p[0] == '?';
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		size_t length = strlen(marks[i]);

		if (p[0] == (uint8_t)marks[i][0] && n >= length && memcmp(p, marks[i], length) == 0) {
			*alone |= i > 0;
			return length;
		}
	}
	return 0;
}

/* The same for what may stand between that and the white space: quotes and brackets that close. */
static size_t closer_length(const struct lanewise_text_chunker *c, size_t at)
{
	/* U+2019 U+201D U+00BB U+203A U+300D U+300F U+3011 U+FF09 U+FF3D */
	static const char *const marks[] = { "\xe2\x80\x99", "\xe2\x80\x9d", "\xc2\xbb",
		                             "\xe2\x80\xba", "\xe3\x80\x8d", "\xe3\x80\x8f",
		                             "\xe3\x80\x91", "\xef\xbc\x89", "\xef\xbc\xbd" };
	const uint8_t *p = c->text + at;
	size_t n = c->n - at;

	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return p[0] == '"' || p[0] == '\'' || p[0] == ')' || p[0] == ']' || p[0] == '}' || p[0] == '*' ||
		       p[0] == '_';
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		size_t length = strlen(marks[i]);

		if (n >= length && memcmp(p, marks[i], length) == 0)
			return length;
	}
	return 0;
}

/* a-z, and the small letters of Latin-1, Greek and Cyrillic. */
static int is_small_letter(const struct lanewise_text_chunker *c, size_t at)
{
	const uint8_t *p = c->text + at;

	if (p[0] < 0x80)
		return p[0] >= 'a' && p[0] <= 'z';
	if (c->n - at < 2 || p[1] < 0x80 || p[1] > 0xbf)
		return 0;

	uint32_t code_point = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);

	return p[0] >= 0xc3 && p[0] < 0xe0 &&
	       ((code_point >= 0xdf && code_point <= 0xff && code_point != 0xf7) ||
	        (code_point >= 0x3ac && code_point <= 0x3ce) || (code_point >= 0x430 && code_point <= 0x45f));
}

static int is_listed(const char *list, const char *word, size_t length)
{
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, " ");

		if (n == length && memcmp(p, word, n) == 0)
			return 1;
		p += n + strspn(p + n, " ");
	}
	return 0;
}

/* Whether the period at `at` belongs to what stands before it and says nothing about sentences. */
static int is_abbreviation(const struct lanewise_text_chunker *c, size_t at)
{
	char word[LONGEST_ABBREVIATION];
	size_t n = 0, begin = at;

	while (begin > 0 && n < sizeof word && (is_letter(c->text[begin - 1]) || c->text[begin - 1] == '.')) {
		begin--;
		n++;
	}
	if (n == 0 || n == sizeof word || (begin > 0 && c->text[begin - 1] >= 0x80))
		return 0;
	/* A letter by itself, or the last of several with periods. */
	if (is_letter(c->text[at - 1]) && (n == 1 || c->text[at - 2] == '.'))
		return 1;
	for (size_t i = 0; i < n; i++)
		word[i] = (char)(is_letter(c->text[begin + i]) ? c->text[begin + i] | 0x20 : c->text[begin + i]);
	return is_listed(c->abbreviations, word, n);
}

/* Whether a few digits before the period at `at` are all there is on the line: "  12. Item". */
static int is_list_number(const struct lanewise_text_chunker *c, size_t at)
{
	size_t begin = at, n_blanks = 0;

	while (begin > 0 && at - begin < 4 && is_digit(c->text[begin - 1]))
		begin--;
	if (begin == at)
		return 0;
	while (begin > 0 && n_blanks < 16 && is_blank(c->text[begin - 1])) {
		begin--;
		n_blanks++;
	}
	return begin == 0 || c->text[begin - 1] == '\n';
}

/* The marks at [mark, after) are followed by white space and, at `next`, more text. */
static int ends_sentence(const struct lanewise_text_chunker *c, size_t mark, size_t after, size_t next)
{
	if (is_small_letter(c, next))
		return 0;
	if (c->text[mark] != '.' || after - mark > 1)
		return 1;
	return !is_abbreviation(c, mark) && !is_list_number(c, mark);
}

/* The first byte from `at` on that may end a sentence. */
static size_t skip_plain(const struct lanewise_text_chunker *c, size_t at)
{
	static const uint8_t stops[128] = { ['\n'] = 1, ['.'] = 1, ['!'] = 1, ['?'] = 1 };

	while (at < c->n && c->text[at] < 0x80 && !stops[c->text[at]])
		at++;
	return at;
}

static size_t sentence_end(const struct lanewise_text_chunker *c, size_t at)
{
	while ((at = skip_plain(c, at)) < c->n) {
		size_t mark = at, length, after, paragraph;
		int alone = 0, valid;

		if (c->text[at] == '\n') {
			at = skip_space(c, at, &paragraph);
			if (paragraph)
				return paragraph;
			continue;
		}
		if (terminator_length(c, at, &alone) == 0) {
			at += character_length(c->text, c->n, at, &valid);
			continue;
		}
		while ((length = terminator_length(c, at, &alone)) > 0)
			at += length;
		after = at;
		while ((length = closer_length(c, at)) > 0)
			at += length;

		size_t next = skip_space(c, at, &paragraph);

		if (paragraph)
			return paragraph;
		if (next == c->n || alone || (next > at && ends_sentence(c, mark, after, next)))
			return next;
		at = next;
	}
	return c->n;
}

static size_t element_end(const struct lanewise_text_chunker *c, enum level level, size_t at, size_t limit)
{
	switch (level) {
	case PARAGRAPH:
		return paragraph_end(c, at);
	case SENTENCE:
		return sentence_end(c, at);
	case LINE:
		return line_end(c, at);
	default:
		return word_end(c, at, limit);
	}
}

/* ----------------------------------------------------------------- chunks */

/*
 * Characters that are parts by themselves, as many as `budget` allows, but at least one; tokens depend on the character
 * before, so one of those.
 */
static struct part next_characters(const struct lanewise_text_chunker *c, struct cursor *cursor, size_t end,
                                   uint64_t budget, int begins_unit)
{
	struct part part = { .begins_unit = begins_unit };
	int valid;

	if (c->tokens) {
		part.end = cursor->at + character_length(c->text, c->n, cursor->at, &valid);
		part.measure = measure(c, cursor->at, part.end);
	} else {
		part.end = skip_characters(c->text, cursor->at, end, budget ? budget : 1);
		part.measure = count_characters(c->text, cursor->at, part.end);
	}
	cursor->at = part.end;
	return part;
}

/*
 * The part at the cursor, which is not at the end of the text, or several of one character that come to no more than
 * `budget`; the cursor goes behind it.
 */
static struct part next_part(const struct lanewise_text_chunker *c, struct cursor *cursor, uint64_t budget)
{
	int begins_unit = cursor->at >= cursor->end[0];

	for (int i = 0;; i++) {
		if (cursor->at < cursor->end[i]) /* in an element that does not fit */
			continue;

		size_t limit = i > 0 ? cursor->end[i - 1] : c->n;

		if (c->levels[i] == CHARACTER)
			return next_characters(c, cursor, limit, c->single && i == 0 ? 1 : budget, begins_unit);

		size_t end = element_end(c, c->levels[i], cursor->at, limit);

		end = end < limit ? end : limit;

		uint64_t amount = measure(c, cursor->at, end);

		cursor->end[i] = end;
		if ((int64_t)amount + first_difference(c, cursor->at) <= (int64_t)c->size) {
			cursor->at = end;
			return (struct part) { end, amount, begins_unit };
		}
	}
}

/* The measure of the chunk with `more` beyond its end. */
static uint64_t chunk_measure(const struct lanewise_text_chunker *c, uint64_t more)
{
	return (uint64_t)((int64_t)(c->measure + more) + first_difference(c, c->back.at));
}

/* How much the chunk must lose at its beginning so that the next one can begin there. */
static uint64_t too_much(const struct lanewise_text_chunker *c)
{
	uint64_t now = chunk_measure(c, 0), then = chunk_measure(c, c->next.measure);
	uint64_t shared = now > c->overlap ? now - c->overlap : 0, beyond = then > c->size ? then - c->size : 0;
	uint64_t most = shared > beyond ? shared : beyond;

	if (c->single && c->next.begins_unit)
		return now + 1;
	return most == 0 && c->back.at <= c->last_begin ? 1 : most;
}

/* Lets the next chunk begin: behind where the last one did, and so that it takes at least the next part beyond its end. */
static void move_begin(struct lanewise_text_chunker *c)
{
	for (uint64_t more; c->back.at < c->end && (more = too_much(c)) > 0;)
		c->measure -= next_part(c, &c->back, more).measure;
}

/* Lets the chunk end behind as many parts as it holds. */
static void move_end(struct lanewise_text_chunker *c)
{
	for (;;) {
		if (!c->next.end) {
			uint64_t now = chunk_measure(c, 0);

			if (c->end == c->n)
				return;
			c->next = next_part(c, &c->front, now < c->size ? c->size - now : 0);
		}
		if (c->end > c->back.at &&
		    ((c->single && c->next.begins_unit) || chunk_measure(c, c->next.measure) > c->size))
			return;
		c->end = c->next.end;
		c->measure += c->next.measure;
		c->next.end = 0;
	}
}

/*
 * Takes white space off; whether anything that the chunk before did not have is left. Each byte is looked at twice at most,
 * however much chunks overlap: behind, those that are new, in front, those from where the last one began.
 */
static int trimmed(struct lanewise_text_chunker *c, lanewise_text_chunk *chunk)
{
	size_t length, begin = (size_t)chunk->begin, end = (size_t)chunk->end, fresh = (size_t)chunk->fresh;

	while (begin < end && (length = space_length(c, begin)) > 0)
		begin += length;
	while (end > fresh &&
	       (length = lw_whitespace_length_back(c->text + fresh, end - fresh, LANEWISE_WHITESPACE_UNICODE)) > 0)
		end -= length;
	chunk->begin = begin;
	chunk->end = end;
	chunk->fresh = fresh < begin ? begin : fresh;
	return chunk->fresh < end;
}

static int next_chunk(struct lanewise_text_chunker *c, lanewise_text_chunk *chunk)
{
	while (c->end < c->n) {
		chunk->fresh = c->end;
		move_begin(c);
		move_end(c);
		chunk->begin = c->back.at;
		chunk->end = c->end;

		int is_blank_chunk = c->trim && !trimmed(c, chunk);

		c->last_begin = (size_t)chunk->begin;
		if (!is_blank_chunk)
			return 1;
	}
	return 0;
}

size_t lanewise_text_chunker_next(lanewise_text_chunker *chunker, lanewise_text_chunk *chunks, size_t capacity)
{
	size_t n = 0;

	while (n < capacity && next_chunk(chunker, &chunks[n]))
		n++;
	return n;
}

/* ----------------------------------------------------------------- options */

void lanewise_text_chunk_options_default(lanewise_text_chunk_options *options)
{
	*options = (lanewise_text_chunk_options) { .struct_size = sizeof *options,
		                                   .unit = LANEWISE_TEXT_CHUNK_PARAGRAPHS,
		                                   .measure = LANEWISE_TEXT_CHUNK_CODE_POINTS,
		                                   .size = 1344,
		                                   .overlap = 128 };
}

static const char *fault_of(const lanewise_text_chunk_options *o)
{
	if (o->struct_size != sizeof *o)
		return "options.struct_size is not that of lanewise_text_chunk_options";
	if (o->unit < LANEWISE_TEXT_CHUNK_CHARACTERS || o->unit > LANEWISE_TEXT_CHUNK_PARAGRAPHS)
		return "options.unit is unknown";
	if (o->measure != LANEWISE_TEXT_CHUNK_CODE_POINTS && o->measure != LANEWISE_TEXT_CHUNK_TOKENS)
		return "options.measure is unknown";
	if (o->size == 0)
		return "options.size is 0";
	if (o->overlap >= o->size)
		return "options.overlap is not less than options.size";
	if (o->trim > 1 || o->single > 1)
		return "options.trim or options.single is neither 0 nor 1";
	if (o->abbreviations && strlen(o->abbreviations) > LANEWISE_TEXT_CHUNK_ABBREVIATIONS)
		return "options.abbreviations has more than 4096 bytes";
	return NULL;
}

static void set_up(struct lanewise_text_chunker *c, const lanewise_text_chunk_options *o)
{
	static const enum level levels[4][LEVELS] = { [LANEWISE_TEXT_CHUNK_CHARACTERS] = { CHARACTER },
		                                      [LANEWISE_TEXT_CHUNK_LINES] = { LINE, WORD, CHARACTER },
		                                      [LANEWISE_TEXT_CHUNK_SENTENCES] = { SENTENCE, WORD, CHARACTER },
		                                      [LANEWISE_TEXT_CHUNK_PARAGRAPHS] = { PARAGRAPH, SENTENCE, WORD,
		                                                                           CHARACTER } };
	static const char english[] = "mr mrs ms dr prof st mt ft rev hon gen col capt lt sgt sen rep gov pres "
	                              "e.g i.e eg ie cf viz vs al fig figs eq eqs sec ch no nos vol vols pp ed eds "
	                              "approx dept est ca resp incl "
	                              "jan feb mar apr jun jul aug sep sept oct nov dec";

	c->abbreviations = o->abbreviations ? o->abbreviations : english;
	memcpy(c->levels, levels[o->unit], sizeof c->levels);
	c->tokens = o->measure == LANEWISE_TEXT_CHUNK_TOKENS;
	c->trim = o->trim == 1;
	c->single = o->single == 1;
	c->size = (uint64_t)o->size * (c->tokens ? TOKEN : 1);
	c->overlap = (uint64_t)o->overlap * (c->tokens ? TOKEN : 1);
}

size_t lanewise_text_chunker_scratch_size(void) { return sizeof(struct lanewise_text_chunker); }

lanewise_status lanewise_text_chunker_begin(void *scratch, const char *text, size_t n_bytes,
                                            const lanewise_text_chunk_options *options, lanewise_text_chunker **chunker,
                                            lanewise_error *error)
{
	lanewise_text_chunk_options defaults;
	struct lanewise_text_chunker *c = scratch;
	const char *fault;

	lanewise_text_chunk_options_default(&defaults);
	options = options ? options : &defaults;
	if ((fault = fault_of(options)))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s", fault);
	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !chunker || (!text && n_bytes > 0))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "scratch, chunker or text is NULL, or scratch is not aligned");
	memset(c, 0, sizeof *c);
	c->text = (const uint8_t *)text;
	c->n = n_bytes;
	set_up(c, options);
	*chunker = c;
	return LANEWISE_OK;
}
