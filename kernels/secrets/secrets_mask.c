/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with their secrets masked: what is covered becomes a queue of pieces of text and masks, which is written out. */
#include <string.h>

#include "common.h"
#include "secrets/secrets_search.h"

static uint8_t byte_at(const lanewise_secrets_search *s, uint64_t at) { return s->matcher.text[at - s->origin]; }

static uint64_t text_end(const lanewise_secrets_search *s) { return s->origin + s->matcher.n; }

/* How long the character is that such a byte begins; 0: it begins none. */
static uint64_t character_bytes(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	return lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

uint64_t lanewise_secrets_character_begin(const lanewise_secrets_search *s, uint64_t at)
{
	uint64_t back = 1, bytes = 0;

	if (at < text_end(s) ? (byte_at(s, at) & 0xc0) != 0x80 : s->matcher.ended)
		return at;
	for (; back < LW_CHARACTER_BYTES && back <= at - s->origin; back++) {
		bytes = character_bytes(byte_at(s, at - back));
		if (bytes)
			break;
	}
	return bytes > back ? at - back : at;
}

/* Where the character ends that `at` stands within, or `at`. */
static uint64_t character_end(const lanewise_secrets_search *s, uint64_t at)
{
	uint64_t begin = lanewise_secrets_character_begin(s, at);

	if (begin == at)
		return at;
	begin += character_bytes(byte_at(s, begin));
	while (at < begin && at < text_end(s) && (byte_at(s, at) & 0xc0) == 0x80)
		at++;
	return at;
}

static void put(struct lw_masking *m, const char *bytes, size_t n)
{
	if (n > 0)
		m->queue[m->n_queued++] = (struct lw_segment) { bytes, n };
}

void lanewise_secrets_keep_text(struct lw_masking *m, uint64_t end)
{
	if (end <= m->done)
		return;
	put(m, (const char *)m->search->matcher.text + (m->done - m->search->origin), (size_t)(end - m->done));
	m->done = end;
}

static void name_rule(struct lw_masking *m, uint32_t rule)
{
	const char *name = lanewise_secrets_rule_name(m->search->matcher.secrets, rule);

	put(m, "[REDACTED:", 10);
	put(m, name, strlen(name));
	put(m, "]", 1);
}

void lanewise_secrets_mask_covered(struct lw_masking *m, const struct lw_covered *covered)
{
	const lanewise_mask_options *options = &m->options;
	uint64_t first = options->keep_first, last = options->keep_last;
	uint64_t begin = covered->begin > m->done ? covered->begin : m->done;
	uint64_t end = character_end(m->search, covered->end);

	if (end <= m->done)
		return;
	begin = lanewise_secrets_character_begin(m->search, begin);
	begin = begin > m->done ? begin : m->done;

	int continues = m->n_masked > 0 && begin == m->masked_end;

	if (!options->replace && !continues && first <= end && last <= end && first + last <= (end - begin) / 2) {
		begin = lanewise_secrets_character_begin(m->search, begin + first);
		end = character_end(m->search, end - last);
	}
	lanewise_secrets_keep_text(m, begin);
	m->n_masked += !continues;
	if (!options->replace)
		put(m, NULL, (size_t)(end - begin));
	else if (!continues)
		name_rule(m, covered->secret.rule);
	m->done = m->masked_end = end;
}

size_t lanewise_secrets_write_queue(struct lw_masking *m, char *out, size_t capacity)
{
	size_t n_out = 0;

	while (m->first < m->n_queued) {
		struct lw_segment *segment = &m->queue[m->first];
		size_t n = segment->n < capacity - n_out ? segment->n : capacity - n_out;

		if (n == 0)
			return n_out;
		if (segment->bytes) {
			memcpy(out + n_out, segment->bytes, n);
			segment->bytes += n;
		} else {
			memset(out + n_out, m->options.byte ? m->options.byte : '*', n);
		}
		segment->n -= n;
		n_out += n;
		m->first += segment->n == 0;
	}
	m->first = m->n_queued = 0;
	return n_out;
}

int lanewise_secrets_begin_masking(struct lw_masking *m, const lanewise_mask_options *options,
                                   const lanewise_secrets_search *search)
{
	*m = (struct lw_masking) { .search = search };
	if (options)
		m->options = *options;
	return (!options || options->struct_size == sizeof *options) && m->options.byte >= 0 && m->options.byte <= 255;
}

/* The bytes of the queue that are not written yet, which is given up. */
static size_t drop_queue(struct lw_masking *m)
{
	size_t n = 0;

	for (; m->first < m->n_queued; m->first++)
		n += m->queue[m->first].n;
	m->first = m->n_queued = 0;
	return n;
}

lanewise_status lanewise_secrets_mask(const lanewise_secrets *secrets, const lanewise_mask_options *options,
                                      const char *text, size_t n_bytes, void *scratch, char *out, size_t capacity,
                                      size_t *n_out, uint64_t *n_masked)
{
	lanewise_secrets_search *s = lanewise_secrets_begin(secrets, text, n_bytes, scratch);
	struct lw_covered covered;
	struct lw_masking m;
	size_t written = 0, dropped = 0;
	int more;

	if (!lanewise_secrets_begin_masking(&m, options, s) || !s || !n_out || (!out && capacity > 0))
		return LANEWISE_ERROR_ARGUMENT;
	do {
		more = lanewise_secrets_next_covered(s, &covered);
		if (more)
			lanewise_secrets_mask_covered(&m, &covered);
		else
			lanewise_secrets_keep_text(&m, n_bytes);
		if (written < capacity && !dropped)
			written += lanewise_secrets_write_queue(&m, out + written, capacity - written);
		dropped += drop_queue(&m);
	} while (more);
	*n_out = written + dropped;
	if (n_masked)
		*n_masked = m.n_masked;
	return dropped ? LANEWISE_ERROR_CAPACITY : lanewise_secrets_decided(s);
}
