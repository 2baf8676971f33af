/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches in texts that come in pieces. A buffer holds what of the text may still matter, and the search goes on in it
 * as if that were all; what more text has to decide waits. Room is there for the longest that a candidate can wait for.
 */
#include <string.h>

#include "common.h"
#include "secrets/secrets_search.h"

struct lanewise_secrets_stream {
	lanewise_secrets_search *search;
	struct lw_masking masking;
	int masks, finished;
	uint8_t *buffer;
	size_t capacity;
	const uint8_t *piece; /* what is not in the buffer yet */
	size_t n_piece;
	uint64_t safe, n_found;
};

static size_t buffer_size(const lanewise_secrets *secrets)
{
	const struct lw_secret_reach *reach = &secrets->reach;

	return (size_t)(lanewise_secrets_cover_most(secrets) + reach->before + 2 * reach->anchor + reach->after +
	                reach->run + 2 * LW_SECRET_CHUNK);
}

size_t lanewise_secrets_stream_scratch_size(const lanewise_secrets *secrets)
{
	return lw_secrets_round_up(sizeof(struct lanewise_secrets_stream)) + lanewise_secrets_scratch_size(secrets) +
	       lw_secrets_round_up(buffer_size(secrets));
}

lanewise_secrets_stream *lanewise_secrets_stream_begin(const lanewise_secrets *secrets,
                                                       const lanewise_mask_options *options, void *scratch)
{
	if (!secrets || !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT)
		return NULL;

	lanewise_secrets_stream *stream = scratch;
	char *behind = (char *)scratch + lw_secrets_round_up(sizeof *stream);

	*stream = (struct lanewise_secrets_stream) { .capacity = buffer_size(secrets) };
	stream->search = lanewise_secrets_begin(secrets, NULL, 0, behind);
	stream->search->matcher.ended = 0;
	stream->buffer = (uint8_t *)behind + lanewise_secrets_scratch_size(secrets);
	stream->search->matcher.text = stream->buffer;
	return lanewise_secrets_begin_masking(&stream->masking, options, stream->search) ? stream : NULL;
}

void lanewise_secrets_stream_feed(lanewise_secrets_stream *stream, const void *bytes, size_t n_bytes)
{
	LW_ASSERT(stream->n_piece == 0 && !stream->finished);
	stream->piece = bytes;
	stream->n_piece = n_bytes;
}

void lanewise_secrets_stream_finish(lanewise_secrets_stream *stream)
{
	LW_ASSERT(stream->n_piece == 0);
	stream->finished = 1;
}

/* The search has found all that it can in the text that it has. */
static void set_safe(lanewise_secrets_stream *stream)
{
	uint64_t safe = lanewise_secrets_safe(stream->search);

	safe = lanewise_secrets_character_begin(stream->search, safe);
	if (safe > stream->safe)
		stream->safe = safe;
}

/* Moves what still matters to the beginning of the buffer. */
static void make_room(lanewise_secrets_stream *stream)
{
	lanewise_secrets_search *search = stream->search;
	uint64_t before = search->matcher.secrets->reach.before + LW_CHARACTER_BYTES;
	uint64_t from = lanewise_secrets_candidates_from(search);

	from = from > before ? from - before : 0;
	if (from > stream->safe)
		from = stream->safe;
	if (from > search->chunk)
		from = search->chunk;
	if (from <= search->origin)
		return;

	size_t shift = (size_t)(from - search->origin);

	memmove(stream->buffer, stream->buffer + shift, search->matcher.n - shift);
	lanewise_secrets_move(search, from, stream->buffer);
}

/* Text of the piece into the buffer, or its end; 0 if there is neither. */
static int take_text(lanewise_secrets_stream *stream)
{
	struct lw_secret_matcher *matcher = &stream->search->matcher;
	size_t n = stream->n_piece < LW_SECRET_CHUNK ? stream->n_piece : LW_SECRET_CHUNK;

	if (n == 0) {
		int ends = stream->finished && !matcher->ended;

		matcher->ended = stream->finished;
		return ends;
	}
	if (stream->capacity - matcher->n < n)
		make_room(stream);
	if (n > stream->capacity - matcher->n)
		n = stream->capacity - matcher->n;
	LW_ASSERT(n > 0);
	memcpy(stream->buffer + matcher->n, stream->piece, n);
	matcher->n += n;
	stream->piece += n;
	stream->n_piece -= n;
	return 1;
}

size_t lanewise_secrets_stream_next(lanewise_secrets_stream *stream, lanewise_secret *found, size_t capacity)
{
	struct lw_covered covered;
	size_t n = 0;

	LW_ASSERT(!stream->masks);
	for (;;) {
		while (n < capacity && lanewise_secrets_next_covered(stream->search, &covered))
			if (covered.reported)
				found[n++] = covered.secret;
		if (n == capacity)
			break;
		set_safe(stream);
		if (!take_text(stream))
			break;
	}
	stream->n_found += n;
	return n;
}

size_t lanewise_secrets_stream_mask(lanewise_secrets_stream *stream, char *out, size_t capacity)
{
	struct lw_masking *masking = &stream->masking;
	struct lw_covered covered;
	size_t n = 0;

	stream->masks = 1;
	for (;;) {
		n += lanewise_secrets_write_queue(masking, out + n, capacity - n);
		if (masking->n_queued > 0)
			break;
		if (lanewise_secrets_next_covered(stream->search, &covered)) {
			stream->n_found += (uint64_t)covered.reported;
			lanewise_secrets_mask_covered(masking, &covered);
			continue;
		}
		set_safe(stream);
		lanewise_secrets_keep_text(masking, stream->safe);
		if (masking->n_queued == 0 && !take_text(stream))
			break;
	}
	return n;
}

uint64_t lanewise_secrets_stream_safe(const lanewise_secrets_stream *stream) { return stream->safe; }

uint64_t lanewise_secrets_stream_n_found(const lanewise_secrets_stream *stream) { return stream->n_found; }

uint64_t lanewise_secrets_stream_n_undecided(const lanewise_secrets_stream *stream)
{
	return lanewise_secrets_n_undecided(stream->search);
}
