/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shingles of lanewise/near.h. Runs of words or characters overlap, so where each begins and ends is collected for a
 * piece of the text, and the piece's runs are hashed in one batch. The last width - 1 go on into the next piece.
 *
 * Words are collected folded, so for them a text and a stream are the same. Characters stay as they are: those of a text
 * are hashed where they lie, those of a stream are collected like words.
 */
#include <lanewise/hash.h>
#include <lanewise/near.h>
#include <lanewise/text.h>

#include "common.h"

static lanewise_status check(const char *text, size_t n_bytes, size_t width, const uint64_t *hashes, size_t capacity,
                             const size_t *n)
{
	int has_pointers = n && (text || n_bytes == 0) && (hashes || capacity == 0);

	if (!has_pointers || width < 1 || width > LANEWISE_SHINGLE_MAX_WIDTH)
		return LANEWISE_ERROR_ARGUMENT;
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------ stream */

enum {
	PIECE_WORDS = 1024,
	PIECE_BYTES = 2 * LANEWISE_SHINGLE_MAX_WIDTH * (LANEWISE_WORD_BYTES + 1),
	MOST_CHARACTER = 4 /* bytes */
};

/* Folded words, with one space after each, or characters. */
struct piece {
	char text[PIECE_BYTES];
	uint64_t begin[PIECE_WORDS], end[PIECE_WORDS];
	size_t n, n_bytes;
};

struct lanewise_shingles {
	_Alignas(LW_SCRATCH_ALIGNMENT) char scratch[512]; /* of `words` */
	lanewise_words *words;                            /* NULL: characters */
	size_t width;
	uint64_t seed;
	const char *text; /* of characters, what is left of the text fed last */
	size_t n_text;
	size_t n_open;           /* bytes of a character that may go on, behind those of the piece */
	size_t next_run, n_runs; /* of the piece, those that are to be hashed */
	int finished, ended, any;
	struct piece piece;
};

static void append_word(struct piece *piece, const lanewise_word *word)
{
	memcpy(piece->text + piece->n_bytes, word->text, word->n_bytes);
	piece->begin[piece->n] = piece->n_bytes;
	piece->n_bytes += word->n_bytes;
	piece->end[piece->n++] = piece->n_bytes;
	piece->text[piece->n_bytes++] = ' ';
}

static int is_full(const struct piece *piece)
{
	return piece->n == PIECE_WORDS || PIECE_BYTES - piece->n_bytes < LANEWISE_WORD_BYTES + 1;
}

/* Whether the piece is full; else all that was fed is in it. */
static int collect_words(struct lanewise_shingles *s)
{
	lanewise_word word;

	while (!is_full(&s->piece) && lanewise_words_next(s->words, &word))
		append_word(&s->piece, &word);
	return is_full(&s->piece);
}

/* Whether a byte goes on with a character of so many bytes. */
static int goes_on(size_t n_open, char byte)
{
	return n_open > 0 && n_open < MOST_CHARACTER && ((unsigned char)byte & 0xc0) == 0x80;
}

static void close_character(struct piece *piece, size_t n_bytes)
{
	piece->begin[piece->n] = piece->n_bytes;
	piece->n_bytes += n_bytes;
	piece->end[piece->n++] = piece->n_bytes;
}

/* Eight bytes of ASCII, of which the last may go on: seven characters. */
static void append_ascii(struct piece *piece, const char *text)
{
	memcpy(piece->text + piece->n_bytes, text, 8);
	for (size_t i = 0; i < 7; i++) {
		piece->begin[piece->n + i] = piece->n_bytes + i;
		piece->end[piece->n + i] = piece->n_bytes + i + 1;
	}
	piece->n += 7;
	piece->n_bytes += 7;
}

static int is_ascii(const char *text)
{
	uint64_t eight;

	memcpy(&eight, text, sizeof eight);
	return (eight & 0x8080808080808080) == 0;
}

/* Characters have at most four bytes, so the piece is full when it has enough of them. */
static int collect_characters(struct lanewise_shingles *s)
{
	struct piece *piece = &s->piece;
	const char *text = s->text, *end = s->n_text ? text + s->n_text : text;
	size_t n_open = s->n_open;

	while (text < end && piece->n < PIECE_WORDS) {
		int ascii = end - text >= 8 && piece->n <= PIECE_WORDS - 8 && is_ascii(text);

		if (n_open > 0 && !goes_on(n_open, *text)) {
			close_character(piece, n_open);
			n_open = 0;
		}
		if (ascii) {
			append_ascii(piece, text);
			text += 8;
			n_open = 1;
		} else {
			piece->text[piece->n_bytes + n_open++] = *text++;
		}
	}
	s->text = text;
	s->n_text = (size_t)(end - text);
	if (s->finished && n_open > 0 && piece->n < PIECE_WORDS) {
		close_character(piece, n_open);
		n_open = 0;
	}
	s->n_open = n_open;
	return piece->n == PIECE_WORDS;
}

/* The runs that were hashed go; the words that later ones need move to the front. */
static void drop_runs(struct lanewise_shingles *s)
{
	struct piece *piece = &s->piece;
	size_t n_runs = s->n_runs, from = n_runs < piece->n ? piece->begin[n_runs] : piece->n_bytes;

	memmove(piece->text, piece->text + from, piece->n_bytes + s->n_open - from);
	piece->n_bytes -= from;
	piece->n -= n_runs;
	for (size_t i = 0; i < piece->n; i++) {
		piece->begin[i] = piece->begin[i + n_runs] - from;
		piece->end[i] = piece->end[i + n_runs] - from;
	}
	s->next_run = s->n_runs = 0;
}

/* Looks for runs until there are some; 0 if more text is needed for that, or there is none. */
static int find_runs(struct lanewise_shingles *s)
{
	while (s->next_run == s->n_runs) {
		if (s->n_runs > 0)
			drop_runs(s);
		if (s->ended)
			return 0;
		if (!(s->words ? collect_words : collect_characters)(s)) {
			if (!s->finished)
				return 0;
			s->ended = 1;
			if (!s->any && s->piece.n < s->width) /* fewer than one run are one */
				s->width = s->piece.n;
		}
		s->n_runs = s->piece.n < s->width || s->width == 0 ? 0 : s->piece.n - s->width + 1;
		s->any = 1;
	}
	return 1;
}

size_t lanewise_shingles_scratch_size(void) { return sizeof(struct lanewise_shingles); }

static void begin_shingles(struct lanewise_shingles *s, int32_t unit, size_t width, uint64_t seed)
{
	LW_ASSERT(lanewise_words_scratch_size() <= sizeof s->scratch);
	s->words = unit == LANEWISE_SHINGLES_WORDS ? lanewise_words_begin(s->scratch) : NULL;
	s->width = width;
	s->seed = seed;
	s->text = NULL;
	s->n_text = s->n_open = s->next_run = s->n_runs = 0;
	s->finished = s->ended = s->any = 0;
	s->piece.n = s->piece.n_bytes = 0;
}

lanewise_shingles *lanewise_shingles_begin(void *scratch, int32_t unit, size_t width, uint64_t seed)
{
	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || width < 1 || width > LANEWISE_SHINGLE_MAX_WIDTH ||
	    (unit != LANEWISE_SHINGLES_WORDS && unit != LANEWISE_SHINGLES_CHARS))
		return NULL;
	begin_shingles(scratch, unit, width, seed);
	return scratch;
}

void lanewise_shingles_feed(lanewise_shingles *s, const char *text, size_t n_bytes)
{
	if (s->words)
		lanewise_words_feed(s->words, text, n_bytes);
	s->text = text;
	s->n_text = n_bytes;
}

void lanewise_shingles_finish(lanewise_shingles *s)
{
	if (s->words)
		lanewise_words_finish(s->words);
	s->finished = 1;
}

size_t lanewise_shingles_next(lanewise_shingles *s, uint64_t *hashes, size_t capacity)
{
	size_t n = 0;

	while (n < capacity && find_runs(s)) {
		const uint64_t *begin = s->piece.begin + s->next_run, *end = s->piece.end + s->next_run + s->width - 1;
		size_t left = s->n_runs - s->next_run, n_now = left < capacity - n ? left : capacity - n;

		lanewise_xxh3_64_batch(s->piece.text, begin, end, n_now, s->seed, hashes + n);
		s->next_run += n_now;
		n += n_now;
	}
	return n;
}

/* What there is, behind *n others. */
static lanewise_status take_all(lanewise_shingles *s, uint64_t *hashes, size_t capacity, size_t *n)
{
	uint64_t more;

	if (*n < capacity)
		*n += lanewise_shingles_next(s, hashes + *n, capacity - *n);
	return lanewise_shingles_next(s, &more, 1) ? LANEWISE_ERROR_CAPACITY : LANEWISE_OK;
}

lanewise_status lanewise_shingles_words(const char *text, size_t n_bytes, size_t width, uint64_t seed, uint64_t *hashes,
                                        size_t capacity, size_t *n)
{
	lanewise_status status = check(text, n_bytes, width, hashes, capacity, n);
	struct lanewise_shingles s;

	if (status != LANEWISE_OK)
		return status;
	*n = 0;
	begin_shingles(&s, LANEWISE_SHINGLES_WORDS, width, seed);
	lanewise_shingles_feed(&s, text, n_bytes);
	status = take_all(&s, hashes, capacity, n);
	if (status == LANEWISE_OK) {
		lanewise_shingles_finish(&s);
		status = take_all(&s, hashes, capacity, n);
	}
	return status;
}

/* -------------------------------------------------------------- characters */

struct output {
	uint64_t *hashes;
	size_t capacity, n;
	uint64_t seed;
};

static lanewise_status hash_runs(struct output *out, const char *data, const uint64_t *begin, const uint64_t *end,
                                 size_t n)
{
	size_t room = out->capacity - out->n, n_fit = n < room ? n : room;

	if (n_fit > 0)
		lanewise_xxh3_64_batch(data, begin, end, n_fit, out->seed, out->hashes + out->n);
	out->n += n_fit;
	return n_fit < n ? LANEWISE_ERROR_CAPACITY : LANEWISE_OK;
}

lanewise_status lanewise_shingles_chars(const char *text, size_t n_bytes, size_t width, uint64_t seed, uint64_t *hashes,
                                        size_t capacity, size_t *n)
{
	enum { MARKS = 1024 };
	lanewise_status status = check(text, n_bytes, width, hashes, capacity, n);
	struct output out = { hashes, capacity, 0, seed };
	uint64_t mark[MARKS]; /* where characters begin, and in the end where the text ends */
	size_t n_marks = 0, n_chars = 0;

	if (status != LANEWISE_OK)
		return status;
	for (size_t i = 0; i < n_bytes && status == LANEWISE_OK; i++) {
		if (i > 0 && goes_on(i - (size_t)mark[n_marks - 1], text[i]))
			continue;
		n_chars++;
		mark[n_marks++] = i;
		if (n_marks == MARKS - 1) {
			status = hash_runs(&out, text, mark, mark + width, n_marks - width);
			memmove(mark, mark + n_marks - width, width * sizeof *mark);
			n_marks = width;
		}
	}
	if (status == LANEWISE_OK && n_chars > 0) {
		size_t run = n_chars < width ? n_chars : width;

		mark[n_marks++] = n_bytes;
		status = hash_runs(&out, text, mark, mark + run, n_marks - run);
	}
	*n = out.n;
	return status;
}
