/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shingles of lanewise/near.h. Runs of words or characters overlap, so where each begins and ends is collected for a
 * piece of the text, and the piece's runs are hashed in one batch. The last width - 1 go on into the next piece.
 */
#include <lanewise/hash.h>
#include <lanewise/near.h>
#include <lanewise/text.h>

#include "common.h"

struct output {
	uint64_t *hashes;
	size_t capacity, n;
	uint64_t seed;
};

static lanewise_status check(const char *text, size_t n_bytes, size_t width, const uint64_t *hashes, size_t capacity,
                             const size_t *n)
{
	int has_pointers = n && (text || n_bytes == 0) && (hashes || capacity == 0);

	if (!has_pointers || width < 1 || width > LANEWISE_SHINGLE_MAX_WIDTH)
		return LANEWISE_ERROR_ARGUMENT;
	return LANEWISE_OK;
}

static lanewise_status hash_runs(struct output *out, const char *data, const uint64_t *begin, const uint64_t *end,
                                 size_t n)
{
	size_t room = out->capacity - out->n, n_fit = n < room ? n : room;

	if (n_fit > 0)
		lanewise_xxh3_64_batch(data, begin, end, n_fit, out->seed, out->hashes + out->n);
	out->n += n_fit;
	return n_fit < n ? LANEWISE_ERROR_CAPACITY : LANEWISE_OK;
}

/* ------------------------------------------------------------------- words */

enum { PIECE_WORDS = 1024, PIECE_BYTES = 2 * LANEWISE_SHINGLE_MAX_WIDTH * (LANEWISE_WORD_BYTES + 1) };

/* Folded words, with one space after each. */
struct piece {
	char text[PIECE_BYTES];
	uint64_t begin[PIECE_WORDS], end[PIECE_WORDS];
	size_t n, n_bytes;
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

/* Hashes the runs that are complete; the words that later runs need move to the front. */
static lanewise_status hash_piece(struct piece *piece, size_t width, struct output *out)
{
	size_t n_runs = piece->n < width ? 0 : piece->n - width + 1;
	lanewise_status status = hash_runs(out, piece->text, piece->begin, piece->end + width - 1, n_runs);

	if (n_runs == 0)
		return status;

	size_t from = n_runs < piece->n ? piece->begin[n_runs] : piece->n_bytes;

	memmove(piece->text, piece->text + from, piece->n_bytes - from);
	piece->n_bytes -= from;
	piece->n -= n_runs;
	for (size_t i = 0; i < piece->n; i++) {
		piece->begin[i] = piece->begin[i + n_runs] - from;
		piece->end[i] = piece->end[i + n_runs] - from;
	}
	return status;
}

lanewise_status lanewise_shingles_words(const char *text, size_t n_bytes, size_t width, uint64_t seed, uint64_t *hashes,
                                        size_t capacity, size_t *n)
{
	lanewise_status status = check(text, n_bytes, width, hashes, capacity, n);
	struct output out = { hashes, capacity, 0, seed };
	_Alignas(max_align_t) char scratch[512];
	struct piece piece;
	lanewise_word word;
	size_t n_words = 0;

	if (status != LANEWISE_OK)
		return status;
	LW_ASSERT(lanewise_words_scratch_size() <= sizeof scratch);

	lanewise_words *words = lanewise_words_begin(scratch);

	piece.n = piece.n_bytes = 0;
	for (int finished = 0; finished < 2 && status == LANEWISE_OK; finished++) {
		if (finished)
			lanewise_words_finish(words);
		else
			lanewise_words_feed(words, text, n_bytes);
		while (status == LANEWISE_OK && lanewise_words_next(words, &word)) {
			n_words++;
			append_word(&piece, &word);
			if (is_full(&piece))
				status = hash_piece(&piece, width, &out);
		}
	}
	if (status == LANEWISE_OK)
		status = hash_piece(&piece, n_words > 0 && n_words < width ? n_words : width, &out);
	*n = out.n;
	return status;
}

/* -------------------------------------------------------------- characters */

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
		if (i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80)
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
