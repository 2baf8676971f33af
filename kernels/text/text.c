/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/text.h: one pass of a small state machine over the bytes.
 *
 * Its state is a UTF-8 character under way (what was read of it, and the range of its next byte, which is where
 * overlong forms and surrogates fall out) and a word under way (its class and its folded text). Nothing else lives
 * between two bytes, so a text may be cut anywhere. Runs of ASCII take a short loop of their own.
 */
#include <lanewise/hash.h>
#include <lanewise/text.h>
#include <lanewise/vector.h>

#include "common.h"
#include "text/text.h"
#include "text/unicode_tables.h"
#include "utf8/utf8_range.h"

_Static_assert(sizeof(struct lanewise_words) <= 512, "text.h promises less than 512 bytes");

size_t lanewise_words_scratch_size(void) { return sizeof(struct lanewise_words); }

/* What the classes of characters are by the rules of lanewise/text.h ... */
static const uint8_t segment_kinds[] = {
	[LW_CHAR_OTHER] = LW_CHAR_OTHER,   [LW_CHAR_LETTER] = LW_CHAR_LETTER,   [LW_CHAR_KATAKANA] = LW_CHAR_KATAKANA,
	[LW_CHAR_SINGLE] = LW_CHAR_SINGLE, [LW_CHAR_MARK] = LW_CHAR_MARK,       [LW_CHAR_IGNORED] = LW_CHAR_IGNORED,
	[LW_CHAR_NUMBER] = LW_CHAR_LETTER, [LW_CHAR_SOUND_MARK] = LW_CHAR_MARK,
};

/* ... and where words are runs of \w. */
static const uint8_t run_kinds[] = {
	[LW_CHAR_OTHER] = LW_CHAR_OTHER,   [LW_CHAR_LETTER] = LW_CHAR_LETTER,     [LW_CHAR_KATAKANA] = LW_CHAR_LETTER,
	[LW_CHAR_SINGLE] = LW_CHAR_LETTER, [LW_CHAR_MARK] = LW_CHAR_OTHER,        [LW_CHAR_IGNORED] = LW_CHAR_OTHER,
	[LW_CHAR_NUMBER] = LW_CHAR_LETTER, [LW_CHAR_SOUND_MARK] = LW_CHAR_LETTER,
};

static const unsigned char ascii_folded[256] = {
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7',
	['8'] = '8', ['9'] = '9', ['_'] = '_', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e',
	['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm',
	['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u',
	['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c',
	['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k',
	['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's',
	['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

static const unsigned char ascii_kept[256] = {
	['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7',
	['8'] = '8', ['9'] = '9', ['_'] = '_', ['A'] = 'A', ['B'] = 'B', ['C'] = 'C', ['D'] = 'D', ['E'] = 'E',
	['F'] = 'F', ['G'] = 'G', ['H'] = 'H', ['I'] = 'I', ['J'] = 'J', ['K'] = 'K', ['L'] = 'L', ['M'] = 'M',
	['N'] = 'N', ['O'] = 'O', ['P'] = 'P', ['Q'] = 'Q', ['R'] = 'R', ['S'] = 'S', ['T'] = 'T', ['U'] = 'U',
	['V'] = 'V', ['W'] = 'W', ['X'] = 'X', ['Y'] = 'Y', ['Z'] = 'Z', ['a'] = 'a', ['b'] = 'b', ['c'] = 'c',
	['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k',
	['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's',
	['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

lanewise_words *lanewise_words_begin_analyzed(void *scratch, const lanewise_analyzer *analyzer)
{
	struct lanewise_words *words = scratch;

	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT)
		return NULL;
	memset(words, 0, offsetof(struct lanewise_words, folded));
	words->analyzer = analyzer;
	words->kinds = lanewise_analyzer_splits_at_marks(analyzer) ? run_kinds : segment_kinds;
	words->keep_case = lanewise_analyzer_keeps_case(analyzer) != 0;
	words->ascii = words->keep_case ? ascii_kept : ascii_folded;
	return words;
}

lanewise_words *lanewise_words_begin(void *scratch) { return lanewise_words_begin_analyzed(scratch, NULL); }

void lanewise_words_feed(lanewise_words *words, const char *text, size_t n_bytes)
{
	LW_ASSERT(words->at == words->n && !words->held && !words->finished);
	words->piece_begin += words->n;
	words->text = (const unsigned char *)text;
	words->n = n_bytes;
	words->at = 0;
}

void lanewise_words_feed_last(lanewise_words *words, const char *text, size_t n_bytes)
{
	lanewise_words_feed(words, text, n_bytes);
	words->finished = 1;
}

void lanewise_words_finish(lanewise_words *words) { lanewise_words_feed_last(words, NULL, 0); }

/* ---------------------------------------------------------------- folding */

static const struct unicode_record *record_of(uint32_t code_point)
{
	const uint8_t *block = unicode_block_records[unicode_blocks[code_point >> LW_UNICODE_BLOCK_BITS]];

	return &unicode_records[block[code_point & ((1 << LW_UNICODE_BLOCK_BITS) - 1)]];
}

int lanewise_is_number(uint32_t code_point) { return record_of(code_point)->kind == LW_CHAR_NUMBER; }

static size_t utf8_encode(uint32_t code_point, uint8_t *bytes)
{
	if (code_point < 0x80) {
		bytes[0] = (uint8_t)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		bytes[0] = (uint8_t)(0xc0 | code_point >> 6);
		bytes[1] = (uint8_t)(0x80 | (code_point & 63));
		return 2;
	}
	if (code_point < 0x10000) {
		bytes[0] = (uint8_t)(0xe0 | code_point >> 12);
		bytes[1] = (uint8_t)(0x80 | (code_point >> 6 & 63));
		bytes[2] = (uint8_t)(0x80 | (code_point & 63));
		return 3;
	}
	bytes[0] = (uint8_t)(0xf0 | code_point >> 18);
	bytes[1] = (uint8_t)(0x80 | (code_point >> 12 & 63));
	bytes[2] = (uint8_t)(0x80 | (code_point >> 6 & 63));
	bytes[3] = (uint8_t)(0x80 | (code_point & 63));
	return 4;
}

/* The folding of a character, in `encoded` or the tables. */
static size_t find_folding(uint32_t code_point, const struct unicode_record *record, uint8_t encoded[4],
                           const uint8_t **bytes)
{
	if (record->expansion) {
		const uint16_t *start = &unicode_expansion_starts[record->expansion - 1];

		*bytes = &unicode_expansions[start[0]];
		return (size_t)(start[1] - start[0]);
	}
	*bytes = encoded;
	return utf8_encode(code_point + (uint32_t)record->difference, encoded);
}

static void append_folded(struct lanewise_words *words, uint32_t code_point, const struct unicode_record *record)
{
	uint8_t encoded[4];
	const uint8_t *bytes = encoded;
	size_t n;

	if (words->keep_case) {
		n = utf8_encode(code_point, encoded);
	} else {
		n = find_folding(code_point, record, encoded, &bytes);
	}
	if (words->full || words->length + n > LANEWISE_WORD_BYTES) {
		words->full = 1;
		return;
	}
	memcpy(words->folded + words->length, bytes, n);
	words->length = (uint8_t)(words->length + n);
}

/* The length of the character beyond ASCII at p, of which n > 0 bytes are there; 0 if there is none that is valid. */
LW_INLINE size_t utf8_decode(const unsigned char *p, size_t n, uint32_t *code_point)
{
	unsigned char lead = p[0], low = 0x80, high = 0xbf;
	size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t c = lead & (0x7fu >> length);

	if (lead < 0xc2 || lead > 0xf4 || length > n)
		return 0;
	if (lead == 0xe0 || lead == 0xf0)
		low = lead == 0xe0 ? 0xa0 : 0x90;
	if (lead == 0xed || lead == 0xf4)
		high = lead == 0xed ? 0x9f : 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	*code_point = c;
	return length;
}

_Static_assert((int)LW_FOLDED_BYTES == (int)LW_UNICODE_MAX_EXPANSION, "");

size_t lanewise_fold_character(const unsigned char *p, size_t n, unsigned char folded[LW_FOLDED_BYTES],
                               size_t *n_folded)
{
	const struct unicode_record *record;
	const uint8_t *bytes = p;
	uint8_t encoded[4];
	uint32_t code_point;
	size_t length = utf8_decode(p, n, &code_point);

	*n_folded = length > 0 ? length : 1;
	if (length > 0) {
		record = record_of(code_point);
		if (record->difference || record->expansion)
			*n_folded = find_folding(code_point, record, encoded, &bytes);
	}
	memcpy(folded, bytes, *n_folded);
	return length > 0 ? length : 1;
}

size_t lanewise_fold_case(const unsigned char *text, size_t n, unsigned char *out, size_t spare, size_t *n_taken)
{
	size_t at = 0, used = 0;

	while (at < n) {
		unsigned char folded[LW_FOLDED_BYTES];
		size_t n_folded, length = lw_kernels()->fold_case(text + at, n - at, out + used);

		at += length;
		used += length;
		if (at == n)
			break;
		length = lanewise_fold_character(text + at, n - at, folded, &n_folded);
		if (used + n_folded > at + length + spare)
			break;
		memcpy(out + used, folded, n_folded);
		at += length;
		used += n_folded;
	}
	*n_taken = at;
	return used;
}

/* -------------------------------------------------------------- splitting */

static void begin_word(struct lanewise_words *words, uint8_t kind, uint64_t begin)
{
	words->kind = kind;
	words->begin = begin;
	words->length = 0;
	words->full = 0;
}

/* 1 if there was a word under way, which is complete now. */
static int32_t end_word(struct lanewise_words *words, lanewise_word *word)
{
	if (words->kind == LW_CHAR_OTHER)
		return 0;
	words->kind = LW_CHAR_OTHER;
	word->text = words->folded;
	word->n_bytes = words->length;
	word->begin = words->begin;
	word->end = words->end;
	return 1;
}

/* Takes words->code_point, which ends at `end`. 1 if it completes a word, and is held if it begins another one. */
static int32_t take_character(struct lanewise_words *words, uint64_t end, lanewise_word *word)
{
	const struct unicode_record *record = record_of(words->code_point);
	uint8_t kind = words->kinds[record->kind];

	words->held = 0;
	if (kind == LW_CHAR_OTHER)
		return end_word(words, word);
	if (kind == LW_CHAR_MARK || kind == LW_CHAR_IGNORED) {
		if (words->kind == LW_CHAR_OTHER)
			return 0;
	} else if (words->kind == LW_CHAR_OTHER) {
		begin_word(words, kind, words->character_begin);
	} else if (words->kind != kind || kind == LW_CHAR_SINGLE) {
		words->held = 1;
		return end_word(words, word);
	}
	if (kind != LW_CHAR_IGNORED)
		append_folded(words, words->code_point, record);
	words->end = end;
	return 0;
}

/* Takes the ASCII byte at words->at and, if it is of a word, the word's bytes after it. */
static int32_t take_ascii(struct lanewise_words *words, lanewise_word *word)
{
	/* Copies, since for all that the compiler knows a byte stored into `folded` may change any member. */
	const unsigned char *text = words->text, *ascii = words->ascii;
	size_t at = words->at, n = words->n, length, limit;
	unsigned char folded = ascii[text[at]];

	if (!folded) {
		words->at++;
		return end_word(words, word);
	}
	if (words->kind != LW_CHAR_LETTER) {
		if (end_word(words, word))
			return 1;
		begin_word(words, LW_CHAR_LETTER, words->piece_begin + at);
	}
	/* Nothing more fits into a full word, even if it has a byte or two left. */
	length = words->length;
	limit = words->full ? length : LANEWISE_WORD_BYTES;
	for (; folded && length < limit; folded = ++at < n ? ascii[text[at]] : 0)
		words->folded[length++] = (char)folded;
	if (folded)
		words->full = 1;
	for (; folded; folded = ++at < n ? ascii[text[at]] : 0)
		;
	words->length = (uint8_t)length;
	words->at = at;
	words->end = words->piece_begin + at;
	return 0;
}

/* Begins a character of several bytes. 0 if no character begins with this byte. */
static int take_lead_byte(struct lanewise_words *words, unsigned char byte)
{
	words->low = 0x80;
	words->high = 0xbf;
	if (byte >= 0xc2 && byte <= 0xdf) {
		words->n_missing = 1;
		words->code_point = byte & 0x1f;
	} else if (byte >= 0xe0 && byte <= 0xef) {
		words->n_missing = 2;
		words->code_point = byte & 0x0f;
		if (byte == 0xe0)
			words->low = 0xa0;
		if (byte == 0xed)
			words->high = 0x9f;
	} else if (byte >= 0xf0 && byte <= 0xf4) {
		words->n_missing = 3;
		words->code_point = byte & 0x07;
		if (byte == 0xf0)
			words->low = 0x90;
		if (byte == 0xf4)
			words->high = 0x8f;
	} else {
		return 0;
	}
	words->character_begin = words->piece_begin + words->at;
	return 1;
}

/* Takes the byte at words->at, of a character of several bytes or of none; leaves it if it ends one too early. */
static int32_t take_byte(struct lanewise_words *words, lanewise_word *word)
{
	unsigned char byte = words->text[words->at];

	if (words->n_missing == 0) {
		int valid = take_lead_byte(words, byte);

		words->at++;
		return valid ? 0 : end_word(words, word);
	}
	if (byte < words->low || byte > words->high) {
		/* What was read of the character is separators; so is this byte unless something begins with it. */
		words->n_missing = 0;
		return end_word(words, word);
	}
	words->at++;
	words->low = 0x80;
	words->high = 0xbf;
	words->code_point = words->code_point << 6 | (byte & 0x3f);
	if (--words->n_missing)
		return 0;
	return take_character(words, words->piece_begin + words->at, word);
}

int32_t lanewise_words_next_folded(lanewise_words *words, lanewise_word *word)
{
	if (words->held && take_character(words, words->piece_begin + words->at, word))
		return 1;
	while (words->at < words->n) {
		int ascii = words->text[words->at] < 0x80 && words->n_missing == 0;

		if (ascii ? take_ascii(words, word) : take_byte(words, word))
			return 1;
	}
	if (!words->finished)
		return 0;
	words->n_missing = 0;
	return end_word(words, word);
}

int32_t lanewise_words_next(lanewise_words *words, lanewise_word *word)
{
	while (lanewise_words_next_folded(words, word))
		if (!words->analyzer || lanewise_analyzer_take(words->analyzer, word, words->folded))
			return 1;
	return 0;
}

/* ---------------------------------------------------------------- batches */

/* Text with a character beyond ASCII every few words is better taken word by word. */
enum { LEAST_BATCH = 64, PATIENCE = 16 };

void lanewise_words_next_batch(lanewise_words *words, struct lw_word_batch *batch)
{
	size_t left = words->n - words->at, n = left < LW_BATCH_BYTES ? left : LW_BATCH_BYTES, n_edges, gone;

	batch->n = 0;
	if (words->patience) {
		words->patience--;
		return;
	}
	/* Only between words and characters. */
	if (n == 0 || words->kind != LW_CHAR_OTHER || words->n_missing || words->held)
		return;
	gone = lw_kernels()->ascii_words(words->text + words->at, n, !words->keep_case, (unsigned char *)batch->text,
	                                 batch->edges, &n_edges);
	batch->begin = words->piece_begin + words->at;
	batch->n = n_edges / 2;
	if (gone < LEAST_BATCH && gone < n)
		words->patience = PATIENCE;
	if (n_edges % 2 && gone == left && words->finished) {
		batch->edges[n_edges++] = (uint16_t)gone;
		batch->n++;
	}
	/* A word that is not known to end here is left to the next call. */
	words->at += n_edges % 2 ? batch->edges[n_edges - 1] : gone;
}

/* ------------------------------------------------------------ whole texts */

size_t lanewise_text_words_bound(size_t n_bytes)
{
	/* Two words of one byte each have a separator between them, and characters that need none have three bytes. */
	return n_bytes / 2 + n_bytes % 2;
}

size_t lanewise_text_folded_bound(size_t n_bytes)
{
	/* tools/gen_unicode.py checks that no folding takes more than three times its character's bytes. */
	return n_bytes > SIZE_MAX / 3 ? SIZE_MAX : 3 * n_bytes;
}

lanewise_status lanewise_text_words(const char *text, size_t n_bytes, lanewise_word *words, size_t words_capacity,
                                    char *folded, size_t folded_capacity, size_t *n_words)
{
	return lanewise_analyze(NULL, text, n_bytes, words, words_capacity, folded, folded_capacity, n_words);
}

/* Where the words of a whole text go. */
struct listing {
	const lanewise_analyzer *analyzer;
	lanewise_word *words;
	char *folded;
	size_t n, capacity, n_folded, folded_capacity;
};

/* 0 if there is no room. */
static int list_word(struct listing *listing, lanewise_word *word)
{
	char *to;

	if (listing->n == listing->capacity || word->n_bytes > listing->folded_capacity - listing->n_folded)
		return 0;
	to = listing->folded + listing->n_folded;
	memcpy(to, word->text, word->n_bytes);
	word->text = to;
	listing->n_folded += word->n_bytes;
	listing->words[listing->n++] = *word;
	return 1;
}

/* The same for a word of a batch, with copies of a size that is known, since lengths cannot be predicted. */
LW_INLINE int list_short_word(struct listing *listing, lanewise_word *word)
{
	enum { SHORT = 16 };
	char *to;

	if (LW_UNLIKELY(word->n_bytes > SHORT || listing->folded_capacity - listing->n_folded < SHORT))
		return list_word(listing, word);
	if (listing->n == listing->capacity)
		return 0;
	to = listing->folded + listing->n_folded;
	memcpy(to, word->text, SHORT);
	word->text = to;
	listing->n_folded += word->n_bytes;
	listing->words[listing->n++] = *word;
	return 1;
}

static int list_batch(struct listing *listing, const struct lw_word_batch *batch)
{
	char stem[LANEWISE_WORD_BYTES];

	for (size_t i = 0; i < batch->n; i++) {
		size_t begin = batch->edges[2 * i], end = batch->edges[2 * i + 1], n_bytes = end - begin;
		lanewise_word word = { .text = batch->text + begin,
			               .n_bytes = n_bytes < LANEWISE_WORD_BYTES ? n_bytes : LANEWISE_WORD_BYTES,
			               .begin = batch->begin + begin,
			               .end = batch->begin + end };

		if (!listing->analyzer) {
			if (!list_short_word(listing, &word))
				return 0;
		} else if (lanewise_analyzer_take(listing->analyzer, &word, stem) && !list_word(listing, &word)) {
			return 0;
		}
	}
	return 1;
}

lanewise_status lanewise_analyze(const lanewise_analyzer *analyzer, const char *text, size_t n_bytes,
                                 lanewise_word *words, size_t words_capacity, char *folded, size_t folded_capacity,
                                 size_t *n_words)
{
	struct listing listing = { analyzer, words, folded, 0, words_capacity, 0, folded_capacity };
	struct lanewise_words state;
	struct lw_word_batch batch;
	lanewise_word word;

	if ((!text && n_bytes) || (!words && words_capacity) || (!folded && folded_capacity) || !n_words)
		return LANEWISE_ERROR_ARGUMENT;
	lanewise_words_begin_analyzed(&state, analyzer);
	lanewise_words_feed_last(&state, text, n_bytes);
	for (;;) {
		lanewise_words_next_batch(&state, &batch);
		if (!list_batch(&listing, &batch))
			return LANEWISE_ERROR_CAPACITY;
		if (batch.n)
			continue;
		if (!lanewise_words_next(&state, &word))
			break;
		if (!list_word(&listing, &word))
			return LANEWISE_ERROR_CAPACITY;
	}
	*n_words = listing.n;
	return LANEWISE_OK;
}

/* ----------------------------------------------------------------- vector */

/* The word before, if there is one, and the room to form the pair of it and the next. */
struct pair {
	char text[2 * LANEWISE_WORD_BYTES + 1];
	size_t n_before; /* bytes of the word before and a space; 0 if there is none */
	float weight_before;
};

/* Characters of a folded word, at most 8, in eighths. */
static float weight_of(const lanewise_word *word)
{
	int n = 0;

	for (size_t i = 0; i < word->n_bytes && n < 8; i++)
		n += ((unsigned char)word->text[i] & 0xc0) != 0x80;
	return (float)n * 0.125f;
}

static void add_feature(const char *bytes, size_t n_bytes, float weight, size_t dim, float *out)
{
	uint64_t hash = lanewise_xxh3_64(bytes, n_bytes, 0);

	out[(hash >> 1) % dim] += hash & 1 ? -weight : weight;
}

static void add_word(const lanewise_word *word, struct pair *pair, size_t dim, float *out)
{
	float weight = weight_of(word);

	add_feature(word->text, word->n_bytes, weight, dim, out);
	if (pair->n_before) {
		memcpy(pair->text + pair->n_before, word->text, word->n_bytes);
		add_feature(pair->text, pair->n_before + word->n_bytes, 0.25f * weight * pair->weight_before, dim, out);
	}
	memcpy(pair->text, word->text, word->n_bytes);
	pair->text[word->n_bytes] = ' ';
	pair->n_before = word->n_bytes + 1;
	pair->weight_before = weight;
}

lanewise_status lanewise_text_embed_f32(const char *text, size_t n_bytes, size_t dim, float *out)
{
	struct lanewise_words state;
	struct pair pair;
	lanewise_word word;

	if ((!text && n_bytes) || !out || dim == 0)
		return LANEWISE_ERROR_ARGUMENT;
	pair.n_before = 0;
	for (size_t i = 0; i < dim; i++)
		out[i] = 0.0f;
	lanewise_words_begin(&state);
	lanewise_words_feed(&state, text, n_bytes);
	while (lanewise_words_next(&state, &word))
		add_word(&word, &pair, dim, out);
	lanewise_words_finish(&state);
	while (lanewise_words_next(&state, &word))
		add_word(&word, &pair, dim, out);
	lanewise_normalize_f32_rows(out, 1, dim, dim);
	return LANEWISE_OK;
}
