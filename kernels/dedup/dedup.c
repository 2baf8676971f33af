/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/dedup.h but for the kernels and what is remembered (memory.c).
 *
 * Splitting: a kernel finds the bytes that matter (newlines, or for blocks those that end a blank line, and third
 * backticks), and a small state machine goes from one to the next. Its state is offsets in the text, never addresses, so it
 * does not see where pieces are cut. Units that lie in one piece are taken where they are; one that is cut is put together
 * in `pending`. Units are gathered until there is a batch of them, and looked up together.
 *
 * Normalising: the same pass over a window of the piece writes it in its folded form to `folded`, and says how much was
 * written up to each of those bytes. A unit's normal form is what lies between two of them, without what its ends lose.
 * Whitespace between two units and at their ends is one run there, so this does not do for units whose runs of whitespace
 * are collapsed, but not trimmed; they are folded one by one. What is folded of a unit that is cut stays for the next piece.
 *
 * That pass knows the case of ASCII only. Letters beyond it are folded last, in the forms of a batch and where they are:
 * what they fold to is as long, but for a few. Trimming first makes no difference, as nothing folds to what is trimmed.
 */
#include "dedup.h"

#include "common.h"
#include "pages/pages.h"
#include "support.h"
#include "text/text.h"
#include "whitespace.h"

enum {
	WINDOW_BYTES = 32 << 10, /* searched at once; still in L1 or L2 when its units are hashed */
	FOLDED_BYTES = 8 << 10,  /* the same, where what is folded comes on top */
	BATCH_WINDOWS = 8,
	INDEX_PLACES = 4096 + LW_INDEX_BLOCK,
	END_PLACES = FOLDED_BYTES + LW_INDEX_BLOCK,
	FRONT_BYTES = 16,       /* before what is folded, so that one may look back from its beginning */
	KEPT_BYTES = 64,        /* of a long unit */
	BATCH_BYTES = 64 << 10, /* a batch is closed when it has so many */
	LONG_BYTES = 256 << 10,
	GUESSED_LINE = 128, /* bytes in a line, and in a block, that is not yet known */
	GUESSED_BLOCK = 512,
	FOLD_FLAGS = LANEWISE_NORMALIZE_STRIP_CONTROL | LANEWISE_NORMALIZE_COLLAPSE | LANEWISE_NORMALIZE_LOWER,
	ALL_FLAGS = FOLD_FLAGS | LANEWISE_NORMALIZE_TRIM | LANEWISE_NORMALIZE_TRIM_PUNCTUATION |
	            LANEWISE_WHITESPACE_UNICODE | LANEWISE_WHITESPACE_PYTHON | LANEWISE_NORMALIZE_FOLD,
	MOST_GROWTH = 3 /* times as many bytes after LANEWISE_NORMALIZE_FOLD */
};

#define DEFAULT_MAX_UNIT ((uint64_t)16 << 20)
#define LEAST_MAX_BYTES  ((uint64_t)64 << 10)

struct bytes {
	unsigned char *data;
	size_t n, capacity;
};

struct lanewise_dedup {
	lanewise_allocator allocator; /* a copy; `allocate` NULL for the C library's */
	lanewise_dedup_options options;
	struct lw_seen seen;
	lanewise_status failed;

	/* The piece at hand. */
	const unsigned char *piece;
	size_t n_piece, searched;
	uint64_t piece_begin;
	int finished, ended; /* no more pieces; no more units */

	/* The splitter. */
	uint64_t unit_begin;
	uint64_t fence_end; /* behind the last three backticks that opened or closed one */
	int in_fence;
	uint32_t before;      /* the two bytes before the piece, the last one in the lower bits */
	struct bytes pending; /* text [pending_begin, piece_begin): of the unit under way, or its last two bytes */
	uint64_t pending_begin;
	uint64_t n_units;

	/* Offsets of bytes that matter, from index_begin; with `folds`, how many bytes behind `folded_begin` are theirs. */
	uint64_t index_begin;
	size_t n_index, next_index;
	/* Folding what is searched. */
	int folds, after_space;
	struct bytes folded; /* FRONT_BYTES, then from the unit under way on */
	size_t folded_begin; /* of what was searched last */
	size_t folded_unit;  /* of the unit under way, if it began in this piece */

	/* A batch: what will be given out, and of these the ones to look up. */
	lanewise_dedup_unit *ready; /* room for LW_SEEN_BATCH: the caller's, or if that has less, `own` */
	size_t n_ready, next_ready, next_batch, batch_bytes;
	int batch_full, batch_is_normal;
	struct bytes normal; /* of units that are folded one by one */
	struct bytes grown;  /* of units of which one became longer by LANEWISE_NORMALIZE_FOLD */

	/* From here on nothing is read before it was written, but for the batch's size. */
	struct lw_seen_batch batch;
	lanewise_dedup_unit own[LW_SEEN_BATCH];
	union {
		uint32_t index[INDEX_PLACES];
		struct lw_fold_end ends[END_PLACES];
	};
};

/* ------------------------------------------------------------------- lines */

size_t lanewise_line_ends(const char *text, size_t n_bytes, uint32_t first, uint32_t *ends, size_t capacity,
                          size_t *n_ends)
{
	return lw_kernels()->byte_index((const unsigned char *)text, n_bytes, '\n', '\n', first, ends, n_ends,
	                                capacity);
}

/* ------------------------------------------------------------- normal form */

struct span {
	const unsigned char *p;
	size_t n;
};

static struct span trim_front(struct span text, uint32_t flags)
{
	size_t length;

	while (text.n > 0 && (length = lw_whitespace_length(text.p, text.n, flags)) > 0) {
		text.p += length;
		text.n -= length;
	}
	return text;
}

static struct span trim_back(struct span text, uint32_t flags)
{
	size_t length;

	while (text.n > 0 && (length = lw_whitespace_length_back(text.p, text.n, flags)) > 0)
		text.n -= length;
	return text;
}

static struct span trim_punctuation(struct span text)
{
	while (text.n > 0 && (text.p[text.n - 1] == '.' || text.p[text.n - 1] == ',' || text.p[text.n - 1] == ';' ||
	                      text.p[text.n - 1] == ':'))
		text.n--;
	return text;
}

/*
 * Of a text that is folded already. If whitespace is collapsed, spaces are all there is: what looks like a wide one came about
 * as a control character was left out.
 */
LW_INLINE struct span trim_folded(struct span text, uint32_t flags)
{
	if ((flags & LANEWISE_NORMALIZE_TRIM) && (flags & LANEWISE_NORMALIZE_COLLAPSE)) {
		size_t front = text.n > 0 && text.p[0] == ' ';

		text.p += front;
		text.n -= front;
		text.n -= text.n > 0 && text.p[text.n - 1] == ' ';
	} else if (flags & LANEWISE_NORMALIZE_TRIM) {
		text = trim_back(trim_front(text, flags), flags);
	}
	return text;
}

/* The normal form, in `out` (text.n + LW_FOLD_PAD bytes) or where the text is if nothing inside it changes. */
static struct span normalize(struct span text, uint32_t flags, unsigned char *out)
{
	if ((flags & FOLD_FLAGS) && text.n > 0)
		text = (struct span) { out, lw_kernels()->fold_text(text.p, text.n, flags, out) };
	text = trim_folded(text, flags);
	if (flags & LANEWISE_NORMALIZE_TRIM_PUNCTUATION)
		text = trim_punctuation(text);
	return text;
}

static int flags_are_known(uint32_t flags) { return (flags & ~(uint32_t)ALL_FLAGS) == 0; }

static size_t bound_of(size_t n_bytes, size_t growth)
{
	return n_bytes > (SIZE_MAX - LW_FOLD_PAD) / growth ? SIZE_MAX : growth * n_bytes + LW_FOLD_PAD;
}

size_t lanewise_normalize_bound(size_t n_bytes) { return bound_of(n_bytes, MOST_GROWTH); }

/* What the kernels are to do. */
static uint32_t with_lower(uint32_t flags)
{
	return flags & LANEWISE_NORMALIZE_FOLD ? flags | LANEWISE_NORMALIZE_LOWER : flags;
}

/*
 * Folds the n bytes at `out`, which has room for MOST_GROWTH times as many. What is left where a letter would grow too far
 * goes as far behind as it can grow, and comes back folded.
 */
static size_t fold_all(unsigned char *out, size_t n)
{
	size_t taken, used = lanewise_fold_case(out, n, out, 0, &taken), rest = n - taken;
	size_t spare = (MOST_GROWTH - 1) * rest;

	if (rest == 0)
		return used;
	memmove(out + used + spare, out + taken, rest);
	return used + lanewise_fold_case(out + used + spare, rest, out + used, spare, &taken);
}

lanewise_status lanewise_normalize(const char *text, size_t n_bytes, uint32_t flags, char *out, size_t capacity,
                                   size_t *n_out)
{
	if ((!text && n_bytes) || !out || !n_out || !flags_are_known(flags))
		return LANEWISE_ERROR_ARGUMENT;
	if (capacity < bound_of(n_bytes, flags & LANEWISE_NORMALIZE_FOLD ? MOST_GROWTH : 1))
		return LANEWISE_ERROR_CAPACITY;

	struct span written = { (const unsigned char *)(n_bytes ? text : out), n_bytes }; /* no arithmetic on NULL */
	struct span normal = normalize(written, with_lower(flags), (unsigned char *)out);

	if (normal.n > 0)
		memmove(out, normal.p, normal.n);
	*n_out = flags & LANEWISE_NORMALIZE_FOLD ? fold_all((unsigned char *)out, normal.n) : normal.n;
	return LANEWISE_OK;
}

/* ------------------------------------------------------------------ memory */

static const lanewise_allocator *allocator_of(const lanewise_dedup *dedup)
{
	return dedup->allocator.allocate ? &dedup->allocator : NULL;
}

/* Room for n_bytes in all. What is there is kept. */
static lanewise_status reserve(lanewise_dedup *dedup, struct bytes *bytes, size_t n_bytes)
{
	size_t capacity = bytes->capacity > SIZE_MAX / 2 ? SIZE_MAX : 2 * bytes->capacity;
	unsigned char *data;

	if (n_bytes <= bytes->capacity)
		return LANEWISE_OK;
	if (capacity < n_bytes)
		capacity = n_bytes;
	if (capacity < 4096)
		capacity = 4096;
	data = lanewise_allocate_pages(allocator_of(dedup), capacity);
	if (!data)
		return LANEWISE_ERROR_NO_MEMORY;
	if (bytes->n)
		memcpy(data, bytes->data, bytes->n);
	lw_release(allocator_of(dedup), bytes->data, bytes->capacity);
	bytes->data = data;
	bytes->capacity = capacity;
	return LANEWISE_OK;
}

static lanewise_status append(lanewise_dedup *dedup, struct bytes *bytes, const unsigned char *data, size_t n)
{
	lanewise_status status = reserve(dedup, bytes, bytes->n + n);

	if (status == LANEWISE_OK && n) {
		memcpy(bytes->data + bytes->n, data, n);
		bytes->n += n;
	}
	return status;
}

/* ------------------------------------------------------------------- units */

static size_t count_code_points(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += (text.p[i] & 0xc0) != 0x80;
	return n;
}

/* Where a unit's bytes are. One that began in an earlier piece is completed in `pending` and looked up by itself. */
LW_NOINLINE static lanewise_status find_text(lanewise_dedup *dedup, uint64_t begin, uint64_t end, struct span *text)
{
	text->n = (size_t)(end - begin);
	if (begin >= dedup->piece_begin) {
		text->p = dedup->piece + (begin - dedup->piece_begin);
		return LANEWISE_OK;
	}
	dedup->batch_full = 1;
	if (end > dedup->piece_begin) {
		lanewise_status status =
		        append(dedup, &dedup->pending, dedup->piece, (size_t)(end - dedup->piece_begin));

		if (status != LANEWISE_OK)
			return status;
	}
	text->p = dedup->pending.data + (begin - dedup->pending_begin);
	return LANEWISE_OK;
}

LW_INLINE lanewise_dedup_unit *give_out(lanewise_dedup *dedup, uint64_t begin, uint64_t end, uint32_t flags)
{
	lanewise_dedup_unit *unit = &dedup->ready[dedup->n_ready++];

	*unit = (lanewise_dedup_unit) { .begin = begin,
		                        .end = end,
		                        .number = dedup->n_units,
		                        .first = dedup->n_units,
		                        .first_begin = begin,
		                        .flags = flags };
	dedup->n_units++;
	return unit;
}

enum length { BLANK, TOO_SHORT, LONG_ENOUGH };

/* Of a text as written. */
LW_NOINLINE static enum length judge_length(const lanewise_dedup_options *options, struct span text)
{
	text = trim_front(text, options->normalize);
	if (text.n == 0 && options->unit == LANEWISE_DEDUP_BLOCKS)
		return BLANK;
	if (options->min_length == 0)
		return LONG_ENOUGH;
	text = trim_back(text, options->normalize);
	if (text.n < options->min_length ||
	    (options->count_code_points && count_code_points(text) < options->min_length))
		return TOO_SHORT;
	return LONG_ENOUGH;
}

/* Whether n bytes of normal form, but for punctuation, show that there are enough: nothing is longer in that form. */
LW_INLINE int is_long_enough(const lanewise_dedup_options *options, size_t n)
{
	if (options->unit == LANEWISE_DEDUP_LINES && options->min_length == 0)
		return 1;
	return (options->normalize & LANEWISE_NORMALIZE_TRIM) && n > 0 && n >= options->min_length &&
	       (options->min_length == 0 || !options->count_code_points);
}

/* What it is compared in lies in the batch's array. */
LW_INLINE void add_to_batch(lanewise_dedup *dedup, uint64_t begin, uint64_t end, struct span text)
{
	struct lw_seen_batch *batch = &dedup->batch;
	size_t i = batch->n++;

	batch->begin[i] = (uint64_t)(text.p - batch->base);
	batch->end[i] = batch->begin[i] + text.n;
	batch->unit[i] = give_out(dedup, begin, end, 0);
	dedup->batch_bytes += text.n;
	dedup->batch_full |= dedup->batch_bytes >= BATCH_BYTES;
}

/* Whether a unit of a certain length is one to look up; if not, it is given out unless it is blank. */
static int is_compared(lanewise_dedup *dedup, uint64_t begin, uint64_t end, enum length length)
{
	if (length == TOO_SHORT)
		give_out(dedup, begin, end, LANEWISE_DEDUP_SHORT);
	return length == LONG_ENOUGH;
}

/* A unit that is folded already. */
LW_INLINE lanewise_status close_folded(lanewise_dedup *dedup, uint64_t begin, uint64_t end, size_t folded_end)
{
	const lanewise_dedup_options *options = &dedup->options;
	struct span text = { dedup->folded.data + dedup->folded_unit, folded_end - dedup->folded_unit };

	text = trim_folded(text, options->normalize);
	if (!is_long_enough(options, text.n)) {
		struct span written = { 0 };
		lanewise_status status = find_text(dedup, begin, end, &written);

		if (status != LANEWISE_OK || !is_compared(dedup, begin, end, judge_length(options, written)))
			return status;
	}
	if (options->normalize & LANEWISE_NORMALIZE_TRIM_PUNCTUATION)
		text = trim_punctuation(text);
	dedup->batch_is_normal = 1;
	dedup->batch.base = dedup->folded.data;
	add_to_batch(dedup, begin, end, text);
	return LANEWISE_OK;
}

/* A unit has ended; where units are folded on the way, at folded_end. */
LW_INLINE lanewise_status close_unit(lanewise_dedup *dedup, uint64_t begin, uint64_t end, size_t folded_end)
{
	const lanewise_dedup_options *options = &dedup->options;
	lanewise_status status;
	struct span text;

	if (end - begin > options->max_unit_bytes) {
		give_out(dedup, begin, end, LANEWISE_DEDUP_LONG);
		return LANEWISE_OK;
	}
	if (dedup->folds)
		return close_folded(dedup, begin, end, folded_end);
	status = find_text(dedup, begin, end, &text);
	if (status != LANEWISE_OK)
		return status;
	if ((options->min_length > 0 || options->unit == LANEWISE_DEDUP_BLOCKS) &&
	    !is_compared(dedup, begin, end, judge_length(options, text)))
		return LANEWISE_OK;
	dedup->batch.base = begin >= dedup->piece_begin ? dedup->piece : dedup->pending.data;
	add_to_batch(dedup, begin, end, text);
	return LANEWISE_OK;
}

/* Units that are not folded yet, one after another. */
static lanewise_status normalize_batch(lanewise_dedup *dedup)
{
	struct lw_seen_batch *batch = &dedup->batch;
	const unsigned char *written = batch->base;
	uint32_t flags = dedup->options.normalize;
	size_t used = 0;

	if (flags & FOLD_FLAGS) {
		lanewise_status status = reserve(dedup, &dedup->normal, dedup->batch_bytes + batch->n * LW_FOLD_PAD);

		if (status != LANEWISE_OK)
			return status;
		batch->base = dedup->normal.data;
	}
	for (size_t i = 0; i < batch->n; i++) {
		struct span text = { written + batch->begin[i], (size_t)(batch->end[i] - batch->begin[i]) };

		/* An empty text lies in the same array too. */
		if ((flags & FOLD_FLAGS) && text.n == 0)
			text.p = batch->base + used;
		text = normalize(text, flags, flags & FOLD_FLAGS ? dedup->normal.data + used : NULL);
		batch->begin[i] = (uint64_t)(text.p - batch->base);
		batch->end[i] = batch->begin[i] + text.n;
		used = (size_t)batch->end[i];
		if (flags & FOLD_FLAGS)
			dedup->normal.data[used++] = ' '; /* no character of two forms */
	}
	return LANEWISE_OK;
}

/*
 * The forms of a batch from unit i on where they can grow: of unit i, `folded` bytes are folded already, and go on `skipped`
 * bytes behind.
 */
LW_NOINLINE static lanewise_status fold_elsewhere(lanewise_dedup *dedup, size_t i, size_t folded, size_t skipped)
{
	struct lw_seen_batch *batch = &dedup->batch;
	size_t used = 0, most = 0, taken;
	lanewise_status status;

	for (size_t k = 0; k < batch->n; k++)
		most += (k < i ? 1 : MOST_GROWTH) * (size_t)(batch->end[k] - batch->begin[k]);
	dedup->grown.n = 0;
	status = reserve(dedup, &dedup->grown, most);
	if (status != LANEWISE_OK)
		return status;
	for (size_t k = 0; k < batch->n; k++) {
		const unsigned char *form = batch->base + batch->begin[k];
		size_t n = (size_t)(batch->end[k] - batch->begin[k]), done = k < i ? n : k == i ? folded : 0;
		unsigned char *to = dedup->grown.data + used;

		memcpy(to, form, done);
		batch->begin[k] = used;
		used += done;
		if (k >= i) {
			size_t rest = n - done - (k == i ? skipped : 0);

			used += lanewise_fold_case(form + n - rest, rest, to + done, (MOST_GROWTH - 1) * rest, &taken);
		}
		batch->end[k] = used;
	}
	batch->base = dedup->grown.data;
	return LANEWISE_OK;
}

/*
 * Folds the letters beyond ASCII of a batch's forms, which lie one behind the other in an array of the dedup's own with
 * something of ASCII between them: nearly all at once, with what lies between, as they stay as long as they are.
 */
static lanewise_status fold_case(lanewise_dedup *dedup)
{
	struct lw_seen_batch *batch = &dedup->batch;
	unsigned char *base = dedup->folds ? dedup->folded.data : dedup->normal.data;
	size_t at = (size_t)batch->begin[0], last = (size_t)batch->end[batch->n - 1];

	for (size_t i = 0; (at += lw_kernels()->fold_case(base + at, last - at, base + at)) < last; i++) {
		size_t n, used, taken;

		while (batch->end[i] <= at)
			i++;
		/* Between two forms there may be what neither has. */
		at = at < batch->begin[i] ? (size_t)batch->begin[i] : at;
		n = (size_t)batch->end[i] - at;
		used = lanewise_fold_case(base + at, n, base + at, 0, &taken);
		if (taken < n)
			return fold_elsewhere(dedup, i, at + used - (size_t)batch->begin[i], taken - used);
		at = (size_t)batch->end[i];
		batch->end[i] -= n - used;
	}
	return LANEWISE_OK;
}

static lanewise_status judge_batch(lanewise_dedup *dedup)
{
	lanewise_status status = LANEWISE_OK;

	if (dedup->options.normalize && !dedup->batch_is_normal && dedup->batch.n > 0)
		status = normalize_batch(dedup);
	if (status == LANEWISE_OK && (dedup->options.normalize & LANEWISE_NORMALIZE_FOLD) && dedup->batch.n > 0)
		status = fold_case(dedup);
	if (status != LANEWISE_OK || dedup->options.mode == LANEWISE_DEDUP_NONE)
		return status;
	return lanewise_dedup_look_up(&dedup->seen, &dedup->batch);
}

/* ---------------------------------------------------------------- splitter */

/* The two bytes before piece[n]. */
static uint32_t bytes_before(const lanewise_dedup *dedup, size_t n)
{
	if (n >= 2)
		return dedup->piece[n - 1] | (uint32_t)dedup->piece[n - 2] << 8;
	return n == 1 ? dedup->piece[0] | (dedup->before & 255) << 8 : dedup->before;
}

/* The next window of n bytes; how many of them were gone through. */
static size_t search_window(lanewise_dedup *dedup, const unsigned char *data, size_t n)
{
	if (dedup->options.unit == LANEWISE_DEDUP_LINES)
		return lw_kernels()->byte_index(data, n, '\n', '\n', 0, dedup->index, &dedup->n_index, INDEX_PLACES);
	return lw_kernels()->block_index(data, n, bytes_before(dedup, dedup->searched), 0, dedup->index,
	                                 &dedup->n_index, INDEX_PLACES);
}

/*
 * Whether the unit under way, which has come as far as `end`, is too long to be compared: by more than the two bytes that may
 * turn out not to belong to it, backticks that begin the next, or the newline and '\r' before the newline that ends it.
 */
static int is_too_long(const lanewise_dedup *dedup, uint64_t end)
{
	return end - dedup->unit_begin > dedup->options.max_unit_bytes + 3;
}

/*
 * Gives up what is folded before the unit under way. It moves to the front, but not so often that a long one would be moved
 * again and again; of one that is too long to be compared only the end is kept, which may turn out to belong to the next.
 */
static void drop_folded(lanewise_dedup *dedup)
{
	struct bytes *folded = &dedup->folded;
	uint64_t here = dedup->piece_begin + dedup->searched;
	size_t begin, n;

	if (folded->n == 0)
		folded->n = dedup->folded_unit = FRONT_BYTES;
	begin = dedup->folded_unit;
	if (is_too_long(dedup, here))
		begin = folded->n < FRONT_BYTES + KEPT_BYTES ? FRONT_BYTES : folded->n - KEPT_BYTES;
	n = folded->n - begin;
	if (begin - FRONT_BYTES >= n) {
		memmove(folded->data + FRONT_BYTES, folded->data + begin, n);
		begin = FRONT_BYTES;
		folded->n = begin + n;
	}
	dedup->folded_unit = begin;
}

/* Whether whitespace is collapsed on the way. */
static int collapses(const lanewise_dedup *dedup)
{
	return dedup->folds && (dedup->options.normalize & LANEWISE_NORMALIZE_COLLAPSE) != 0;
}

/*
 * A character of whitespace beyond ASCII that is cut by the beginning of the piece: takes the rest of it, and a space in
 * place of what there was.
 */
static void join_cut_character(lanewise_dedup *dedup)
{
	const uint32_t flags = dedup->options.normalize;
	struct bytes *folded = &dedup->folded;
	unsigned char cut[5] = { (unsigned char)(dedup->before >> 8), (unsigned char)dedup->before };
	size_t n = dedup->n_piece < 2 ? dedup->n_piece : 2;

	if (n > 0)
		memcpy(cut + 2, dedup->piece, n);
	for (size_t there = 1; there <= 2; there++) {
		size_t length = lw_whitespace_length(cut + 2 - there, there + n, flags);

		if (length <= there || folded->n < dedup->folded_unit + there)
			continue;
		folded->n -= there;
		if (folded->n == dedup->folded_unit || folded->data[folded->n - 1] != ' ')
			folded->data[folded->n++] = ' ';
		dedup->after_space = 1;
		dedup->searched = length - there;
		return;
	}
}

/* Bytes of a window that ends with a whole character, as far as that matters: at most two bytes less. */
static size_t whole_characters(const unsigned char *data, size_t n)
{
	for (size_t i = 1; i <= 2 && i < n; i++)
		if (data[n - i] >= 0xc2)
			return n - i;
	return n;
}

/*
 * Room to ask for, for n bytes of a piece that has n_piece more. The form of a long unit would be copied again and again as it
 * grows; pages that are never written cost nothing, unless the memory is the caller's.
 */
static size_t room_for(const lanewise_dedup *dedup, size_t n, size_t n_piece)
{
	uint64_t most = dedup->options.max_unit_bytes;

	if (allocator_of(dedup) || dedup->folded.capacity < LONG_BYTES)
		return n;
	return n_piece < most ? n_piece : (size_t)most + n;
}

/* The same for what is folded on the way. */
static lanewise_status fold_window(lanewise_dedup *dedup, const unsigned char *data, size_t n)
{
	struct bytes *folded = &dedup->folded;
	struct lw_fold fold = { .text = data,
		                .n = n > FOLDED_BYTES ? whole_characters(data, FOLDED_BYTES) : n,
		                .flags = dedup->options.normalize,
		                .before = bytes_before(dedup, dedup->searched),
		                .of_blocks = dedup->options.unit == LANEWISE_DEDUP_BLOCKS,
		                .after_space = dedup->after_space,
		                .ends = dedup->ends };
	lanewise_status status =
	        reserve(dedup, folded, FRONT_BYTES + (BATCH_WINDOWS + 1) * (FOLDED_BYTES + LW_FOLD_PAD));

	if (status != LANEWISE_OK)
		return status;
	if (!dedup->batch_is_normal)
		drop_folded(dedup);
	if (folded->capacity - folded->n < fold.n + LW_FOLD_PAD)
		status = reserve(dedup, folded, folded->n + room_for(dedup, fold.n, n) + LW_FOLD_PAD);
	if (status != LANEWISE_OK)
		return status;
	fold.out = folded->data + folded->n;
	lw_kernels()->fold_units(&fold);
	dedup->folded_begin = folded->n;
	dedup->after_space = fold.after_space;
	folded->n += fold.used;
	dedup->n_index = fold.n_ends;
	dedup->searched += fold.n;
	return LANEWISE_OK;
}

/* Looks for bytes that matter until there are some or the piece ends. The batch is empty if folding is done on the way. */
static lanewise_status search(lanewise_dedup *dedup)
{
	lanewise_status status = LANEWISE_OK;

	dedup->n_index = dedup->next_index = 0;
	if (dedup->searched == 0 && dedup->n_piece > 0 && collapses(dedup))
		join_cut_character(dedup);
	while (status == LANEWISE_OK && dedup->n_index == 0 && dedup->searched < dedup->n_piece) {
		const unsigned char *data = dedup->piece + dedup->searched;
		size_t n = dedup->n_piece - dedup->searched;

		dedup->index_begin = dedup->piece_begin + dedup->searched;
		if (dedup->folds)
			status = fold_window(dedup, data, n);
		else
			dedup->searched += search_window(dedup, data, n < WINDOW_BYTES ? n : WINDOW_BYTES);
	}
	return status;
}

/* A blank line has ended: the newline before it ended the paragraph. */
LW_INLINE lanewise_status take_blank_line(lanewise_dedup *dedup, uint64_t at, size_t folded)
{
	uint64_t begin = dedup->unit_begin, end = at - 1;
	lanewise_status status = LANEWISE_OK;

	if (dedup->in_fence)
		return LANEWISE_OK;
	end -= (bytes_before(dedup, (size_t)(at - dedup->piece_begin)) & 255) == '\r';
	dedup->unit_begin = at + 1;
	if (end > begin) /* if whitespace is collapsed, one space for all that lies between is trimmed later */
		status = close_unit(dedup, begin, end,
		                    dedup->options.normalize & LANEWISE_NORMALIZE_COLLAPSE
		                            ? folded
		                            : folded - (size_t)(at + 1 - end));
	dedup->folded_unit = folded;
	return status;
}

/* A third backtick or one behind it; those that made a fence do not count again. */
static lanewise_status take_tick(lanewise_dedup *dedup, uint64_t at, size_t folded)
{
	uint64_t begin = dedup->unit_begin, end;
	lanewise_status status = LANEWISE_OK;

	if (at < dedup->fence_end + 2)
		return LANEWISE_OK;
	dedup->fence_end = at + 1;
	end = dedup->in_fence ? at + 1 : at - 2;
	folded -= dedup->in_fence ? 0 : 3;
	dedup->in_fence = !dedup->in_fence;
	dedup->unit_begin = end;
	if (end > begin)
		status = close_unit(dedup, begin, end, folded);
	dedup->folded_unit = folded;
	return status;
}

LW_INLINE lanewise_status take_line(lanewise_dedup *dedup, uint64_t at, size_t folded)
{
	uint64_t begin = dedup->unit_begin;
	lanewise_status status;

	dedup->unit_begin = at + 1;
	status = close_unit(dedup, begin, at, folded - !(dedup->options.normalize & LANEWISE_NORMALIZE_COLLAPSE));
	dedup->folded_unit = folded;
	return status;
}

/* The next of the bytes that matter. */
LW_INLINE lanewise_status take(lanewise_dedup *dedup)
{
	size_t i = dedup->next_index++, folded = 0;
	uint64_t at = dedup->index_begin;

	if (dedup->folds) {
		at += dedup->ends[i].at;
		folded = dedup->folded_begin + dedup->ends[i].used;
	} else {
		at += dedup->index[i];
	}
	if (dedup->options.unit == LANEWISE_DEDUP_LINES)
		return take_line(dedup, at, folded);
	return dedup->piece[at - dedup->piece_begin] == '`' ? take_tick(dedup, at, folded)
	                                                    : take_blank_line(dedup, at, folded);
}

/* How long the trimmed form of a unit must be to show that it is to be compared; none is if that does not show. */
static uint64_t least_form(const lanewise_dedup_options *options)
{
	if (options->min_length == 0)
		return options->unit == LANEWISE_DEDUP_BLOCKS;
	return options->count_code_points ? UINT64_MAX : options->min_length;
}

/* 1 for . , ; : */
static const unsigned char is_mark[256] = { ['.'] = 1, [','] = 1, [';'] = 1, [':'] = 1 };

/*
 * What take() does, for the units of a window that are folded and trimmed and nothing else, as most are: stops before the
 * first that is something else. What changes is in registers. Few branches depend on the text: where sentences and lines end
 * is anyone's guess.
 */
LW_INLINE void take_trimmed(lanewise_dedup *dedup, int of_blocks, int marks)
{
	struct lw_seen_batch *const batch = &dedup->batch;
	const unsigned char *const folded = dedup->folded.data;
	const uint64_t window_begin = dedup->index_begin, least = least_form(&dedup->options);
	const unsigned char *const window = dedup->piece + (window_begin - dedup->piece_begin);
	const size_t folded_begin = dedup->folded_begin, room = LW_SEEN_BATCH - dedup->n_ready;
	const struct lw_fold_end *at = dedup->ends + dedup->next_index, *last = dedup->ends + dedup->n_index;
	lanewise_dedup_unit *unit = dedup->ready + dedup->n_ready;
	size_t n = batch->n, form = dedup->folded_unit;
	uint64_t begin = dedup->unit_begin, number = dedup->n_units;

	if ((size_t)(last - at) > room)
		last = at + room;
	for (; at < last; at++) {
		const size_t next_form = folded_begin + at->used;
		const uint64_t newline = window_begin + at->at;
		uint64_t end = newline;

		if (of_blocks) {
			const unsigned char *p = window + at->at;

			if (*p == '`')
				break;
			end -= 1 + (p[-1] == '\r');
		}
		if (!of_blocks || LW_LIKELY(end > begin)) {
			size_t from = form + (folded[form] == ' '), to = next_form - (folded[next_form - 1] == ' ');

			to = !of_blocks && to < from ? from : to;
			if (LW_UNLIKELY((int64_t)(to - from) < (int64_t)least))
				break;
			if (marks) {
				to -= is_mark[folded[to - 1]] & (of_blocks || to > from);
				while (LW_UNLIKELY(is_mark[folded[to - 1]]) && to > from)
					to--;
			}
			unit->begin = unit->first_begin = begin;
			unit->end = end;
			unit->number = unit->first = number++;
			unit->flags = unit->reserved = 0;
			batch->begin[n] = from;
			batch->end[n] = to;
			batch->unit[n++] = unit++;
		}
		begin = newline + 1;
		form = next_form;
	}
	batch->base = n > batch->n ? folded : batch->base;
	dedup->batch_is_normal |= n > batch->n;
	dedup->batch_bytes += form - dedup->folded_unit;
	dedup->batch_full |= dedup->batch_bytes >= BATCH_BYTES;
	dedup->next_index = (size_t)(at - dedup->ends);
	dedup->n_ready = (size_t)(unit - dedup->ready);
	batch->n = n;
	dedup->folded_unit = form;
	dedup->unit_begin = begin;
	dedup->n_units = number;
}

static void take_folded(lanewise_dedup *dedup)
{
	const lanewise_dedup_options *options = &dedup->options;
	const int marks = (options->normalize & LANEWISE_NORMALIZE_TRIM_PUNCTUATION) != 0;
	const uint64_t searched = dedup->piece_begin + dedup->searched;

	/* What is before the window, and a unit that is long or began in an earlier piece, are looked at by take(). */
	if (dedup->in_fence || dedup->unit_begin < dedup->piece_begin || dedup->ends[dedup->next_index].at == 0 ||
	    searched - dedup->unit_begin > options->max_unit_bytes || least_form(options) > INT64_MAX)
		return;
	if (options->unit == LANEWISE_DEDUP_LINES)
		take_trimmed(dedup, 0, marks);
	else if (marks)
		take_trimmed(dedup, 1, 1);
	else
		take_trimmed(dedup, 1, 0);
}

/* The last unit, which nothing but the end of the text ends; the piece is empty. */
static lanewise_status take_end(lanewise_dedup *dedup)
{
	dedup->ended = 1;
	return dedup->piece_begin > dedup->unit_begin
	               ? close_unit(dedup, dedup->unit_begin, dedup->piece_begin, dedup->folded.n)
	               : LANEWISE_OK;
}

/*
 * Whether the form of the unit under way, as far as it is there, will do without the text: it is long enough whatever follows,
 * which may take away a cut character or two backticks, and a space before those.
 */
static int form_is_enough(const lanewise_dedup *dedup)
{
	size_t n = dedup->folded.n - dedup->folded_unit;

	if (!collapses(dedup) || dedup->folded.n == 0)
		return 0;
	return n >= 8 && n - 8 >= least_form(&dedup->options);
}

/*
 * The piece is used up: keeps what belongs to the unit under way. Of one that is too long to be compared, or whose form is
 * enough, those two bytes are kept.
 */
static lanewise_status keep_pending(lanewise_dedup *dedup)
{
	uint64_t end = dedup->piece_begin + dedup->n_piece, begin = dedup->unit_begin;
	lanewise_status status;

	if (dedup->n_piece == 0)
		return LANEWISE_OK;
	if (is_too_long(dedup, end) || begin < dedup->pending_begin || form_is_enough(dedup))
		begin = end - 2; /* and so on, once it was given up */
	if (begin >= dedup->piece_begin) {
		size_t skipped = (size_t)(begin - dedup->piece_begin);

		dedup->pending.n = 0;
		status = append(dedup, &dedup->pending, dedup->piece + skipped, dedup->n_piece - skipped);
	} else {
		size_t dropped = (size_t)(begin - dedup->pending_begin);

		/* Either nothing is dropped or no more than two bytes are left. */
		memmove(dedup->pending.data, dedup->pending.data + dropped, dedup->pending.n - dropped);
		dedup->pending.n -= dropped;
		status = append(dedup, &dedup->pending, dedup->piece, dedup->n_piece);
	}
	dedup->pending_begin = begin;
	dedup->before = bytes_before(dedup, dedup->n_piece);
	dedup->piece_begin = end;
	dedup->piece = NULL;
	dedup->n_piece = dedup->searched = 0;
	return status;
}

/* --------------------------------------------------------------- batches */

/*
 * Whether the batch may go on in the next window. Where memory is slow to look up, a large one is better, since all of it is
 * fetched at once; else a small one, whose text is still in L1. What is folded must not move.
 */
static int batch_goes_on(const lanewise_dedup *dedup)
{
	if (!dedup->batch_is_normal)
		return 1;
	return dedup->seen.n_slots >= LW_SEEN_FETCHED && dedup->options.mode != LANEWISE_DEDUP_NONE &&
	       dedup->folded.capacity - dedup->folded.n >= FOLDED_BYTES + LW_FOLD_PAD;
}

/* Gathers units until there is a batch or the piece is used up. */
static lanewise_status gather(lanewise_dedup *dedup)
{
	const int trims = collapses(dedup);
	lanewise_status status = LANEWISE_OK;

	dedup->n_ready = dedup->next_ready = dedup->batch.n = dedup->next_batch = dedup->batch_bytes = 0;
	dedup->batch_full = dedup->batch_is_normal = 0;
	while (status == LANEWISE_OK && dedup->n_ready < LW_SEEN_BATCH && !dedup->batch_full) {
		if (dedup->next_index == dedup->n_index) {
			if (!batch_goes_on(dedup))
				break;
			status = search(dedup);
			if (dedup->n_index > 0)
				continue;
			if (status == LANEWISE_OK && dedup->finished && !dedup->ended)
				return take_end(dedup);
			break;
		}
		if (trims) {
			take_folded(dedup);
			if (dedup->next_index == dedup->n_index || dedup->n_ready == LW_SEEN_BATCH || dedup->batch_full)
				continue;
		}
		status = take(dedup);
	}
	return status;
}

/* Makes units ready unless more text is needed for that. */
static lanewise_status make_ready(lanewise_dedup *dedup)
{
	lanewise_status status = gather(dedup);

	if (status == LANEWISE_OK)
		status = judge_batch(dedup);
	return status;
}

/* Whether all that can be said about the pieces fed so far has been given out. */
static int is_gone_through(const lanewise_dedup *dedup)
{
	return dedup->next_ready == dedup->n_ready && dedup->next_index == dedup->n_index &&
	       dedup->searched == dedup->n_piece && dedup->ended == dedup->finished;
}

/* And what is kept of the piece is kept. */
static int is_idle(const lanewise_dedup *dedup) { return is_gone_through(dedup) && dedup->n_piece == 0; }

/* Makes units ready if none are and there are any. */
static lanewise_status see_to_units(lanewise_dedup *dedup)
{
	while (dedup->next_ready == dedup->n_ready && !is_gone_through(dedup)) {
		dedup->failed = make_ready(dedup);
		if (dedup->failed != LANEWISE_OK)
			return dedup->failed;
	}
	return LANEWISE_OK;
}

/* Units that are ready, unless they were written where they are wanted. */
static size_t take_ready(lanewise_dedup *dedup, lanewise_dedup_unit *units, size_t capacity)
{
	size_t n = dedup->n_ready - dedup->next_ready;

	n = n < capacity ? n : capacity;
	if (dedup->ready != units)
		memcpy(units, dedup->ready + dedup->next_ready, n * sizeof *units);
	dedup->next_ready += n;
	return n;
}

/* Where the next batch's units go; none are ready. */
static void set_ready(lanewise_dedup *dedup, lanewise_dedup_unit *units, size_t capacity)
{
	if (dedup->next_ready == dedup->n_ready) {
		dedup->ready = capacity >= LW_SEEN_BATCH ? units : dedup->own;
		dedup->next_ready = dedup->n_ready = 0;
	}
}

lanewise_status lanewise_dedup_next(lanewise_dedup *dedup, lanewise_dedup_unit *units, size_t capacity, size_t *n_units)
{
	size_t n = 0, got = 1;

	if (!dedup || !units || !n_units || capacity == 0)
		return LANEWISE_ERROR_ARGUMENT;
	*n_units = 0;
	if (dedup->failed != LANEWISE_OK)
		return dedup->failed;
	while (n < capacity && got > 0) {
		lanewise_status status;

		set_ready(dedup, units + n, capacity - n);
		status = see_to_units(dedup);
		if (status != LANEWISE_OK)
			return status;
		got = take_ready(dedup, units + n, capacity - n);
		n += got;
	}
	if (is_gone_through(dedup))
		dedup->failed = keep_pending(dedup);
	*n_units = n;
	return LANEWISE_OK;
}

/* The forms of units[0 ... n), the next that are ready; those that are not compared have none. */
static void take_forms(lanewise_dedup *dedup, lanewise_dedup_form *forms, size_t first, size_t n)
{
	const struct lw_seen_batch *batch = &dedup->batch;
	const lanewise_dedup_unit *unit = dedup->ready + first;
	size_t next = dedup->next_batch;

	for (size_t i = 0; i < n; i++) {
		forms[i] = (lanewise_dedup_form) { NULL, 0 };
		if (next < batch->n && batch->unit[next] == unit + i) {
			forms[i].text = (const char *)batch->base + batch->begin[next];
			forms[i].n_bytes = (size_t)(batch->end[next] - batch->begin[next]);
			next++;
		}
	}
	dedup->next_batch = next;
}

lanewise_status lanewise_dedup_next_forms(lanewise_dedup *dedup, lanewise_dedup_unit *units, lanewise_dedup_form *forms,
                                          size_t capacity, size_t *n_units)
{
	size_t first, n;
	lanewise_status status;

	if (!dedup || !units || !forms || !n_units || capacity == 0)
		return LANEWISE_ERROR_ARGUMENT;
	*n_units = 0;
	if (dedup->failed != LANEWISE_OK)
		return dedup->failed;
	set_ready(dedup, units, capacity);
	status = see_to_units(dedup);
	if (status != LANEWISE_OK)
		return status;
	first = dedup->next_ready;
	n = take_ready(dedup, units, capacity);
	take_forms(dedup, forms, first, n);
	/* What is kept of the piece may move what the forms lie in, so that is done by a call that has none. */
	if (n == 0)
		dedup->failed = keep_pending(dedup);
	*n_units = n;
	return dedup->failed;
}

uint64_t lanewise_dedup_settled(const lanewise_dedup *dedup)
{
	if (!dedup)
		return 0;
	if (dedup->ended)
		return dedup->piece_begin;
	return is_too_long(dedup, dedup->piece_begin) ? dedup->piece_begin - 2 : dedup->unit_begin;
}

lanewise_status lanewise_dedup_feed(lanewise_dedup *dedup, const char *text, size_t n_bytes)
{
	if (!dedup || (!text && n_bytes) || dedup->finished || !is_idle(dedup))
		return LANEWISE_ERROR_ARGUMENT;
	if (dedup->failed != LANEWISE_OK)
		return dedup->failed;
	if (n_bytes > 0) {
		if (dedup->options.mode != LANEWISE_DEDUP_NONE)
			lanewise_dedup_memory_expect(
			        &dedup->seen,
			        n_bytes / (dedup->options.unit == LANEWISE_DEDUP_LINES ? GUESSED_LINE : GUESSED_BLOCK));
		dedup->piece = (const unsigned char *)text;
		dedup->n_piece = n_bytes;
		dedup->searched = 0;
	}
	return LANEWISE_OK;
}

lanewise_status lanewise_dedup_finish(lanewise_dedup *dedup)
{
	if (!dedup || dedup->finished || !is_idle(dedup))
		return LANEWISE_ERROR_ARGUMENT;
	dedup->finished = 1;
	return dedup->failed;
}

static void begin_text(lanewise_dedup *dedup)
{
	dedup->finished = dedup->ended = 0;
	dedup->piece_begin = dedup->unit_begin = dedup->pending_begin = 0;
	dedup->pending.n = 0;
	dedup->fence_end = 0;
	dedup->in_fence = 0;
	dedup->before = 0;
	dedup->after_space = 0;
	dedup->folded.n = dedup->folded_unit = 0;
}

lanewise_status lanewise_dedup_next_text(lanewise_dedup *dedup)
{
	if (!dedup || !dedup->finished || !is_idle(dedup))
		return LANEWISE_ERROR_ARGUMENT;
	if (dedup->failed == LANEWISE_OK)
		begin_text(dedup);
	return dedup->failed;
}

/* ------------------------------------------------------ create and destroy */

static lanewise_status check_options(const lanewise_dedup_options *options, lanewise_error *error)
{
	if (options->struct_size != sizeof *options)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "struct_size is %zu, not %zu",
		               options->struct_size, sizeof *options);
	if (options->unit != LANEWISE_DEDUP_LINES && options->unit != LANEWISE_DEDUP_BLOCKS)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "there is no unit %d",
		               (int)options->unit);
	if (options->mode < LANEWISE_DEDUP_VERIFY || options->mode > LANEWISE_DEDUP_NONE)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "there is no mode %d",
		               (int)options->mode);
	if (!flags_are_known(options->normalize))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "normalize has unknown flags, 0x%x",
		               (unsigned)options->normalize);
	if (options->max_bytes != 0 && options->max_bytes < LEAST_MAX_BYTES)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "max_bytes is below 64 KiB");
	if (options->max_unit_bytes > SIZE_MAX / 4)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "max_unit_bytes is too large");
	return LANEWISE_OK;
}

lanewise_status lanewise_dedup_create(const lanewise_dedup_options *options, const lanewise_allocator *allocator,
                                      lanewise_dedup **dedup, lanewise_error *error)
{
	const lanewise_dedup_options defaults = { .struct_size = sizeof defaults };
	lanewise_dedup *made;
	lanewise_status status;

	if (!dedup)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "dedup is NULL");
	*dedup = NULL;
	options = options ? options : &defaults;
	status = check_options(options, error);
	if (status != LANEWISE_OK)
		return status;
	made = lw_allocate(allocator, sizeof *made);
	if (!made)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the dedup");
	memset(made, 0, offsetof(struct lanewise_dedup, own));
	if (allocator)
		made->allocator = *allocator;
	made->options = *options;
	made->options.normalize = with_lower(options->normalize);
	if (made->options.max_unit_bytes == 0)
		made->options.max_unit_bytes = DEFAULT_MAX_UNIT;
	made->folds = (made->options.normalize & FOLD_FLAGS) && (!(options->normalize & LANEWISE_NORMALIZE_COLLAPSE) ||
	                                                         (options->normalize & LANEWISE_NORMALIZE_TRIM));
	made->seen.allocator = allocator_of(made);
	made->seen.mode = options->mode;
	made->seen.window = options->window;
	made->seen.max_bytes = options->max_bytes;
	begin_text(made);
	status = lanewise_dedup_memory_begin(&made->seen, options->expected);
	if (status != LANEWISE_OK) {
		lanewise_dedup_destroy(made);
		return lw_fail(error, status, LANEWISE_NO_OFFSET, "no memory for %llu units",
		               (unsigned long long)options->expected);
	}
	*dedup = made;
	return LANEWISE_OK;
}

void lanewise_dedup_destroy(lanewise_dedup *dedup)
{
	lanewise_allocator copy;

	if (!dedup)
		return;
	copy = dedup->allocator;
	lanewise_dedup_memory_end(&dedup->seen);
	lw_release(allocator_of(dedup), dedup->pending.data, dedup->pending.capacity);
	lw_release(allocator_of(dedup), dedup->folded.data, dedup->folded.capacity);
	lw_release(allocator_of(dedup), dedup->normal.data, dedup->normal.capacity);
	lw_release(allocator_of(dedup), dedup->grown.data, dedup->grown.capacity);
	lw_release(copy.allocate ? &copy : NULL, dedup, sizeof *dedup);
}

struct lw_seen *lanewise_dedup_seen(lanewise_dedup *dedup) { return &dedup->seen; }
