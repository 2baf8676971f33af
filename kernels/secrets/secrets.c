/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts searched for secrets. Candidates, which are anchors and runs, come in order; each that fits is a finding, and
 * one is held until no candidate to come can overlap it: of those that overlap, the earlier rule's stays. What loses is
 * not forgotten but makes the held one's cover larger, since masks cover everything that was found.
 */
#include <lanewise/secrets.h>

#include <string.h>

#include "common.h"
#include "secrets/secrets.h"

enum { N_MATCHES = 64, CHUNK = 1 << 15 };

/* A finding, all that it and those it beat cover, and whether it is reported or only covers. */
struct covered {
	lanewise_secret secret;
	uint64_t begin, end;
	int reported;
};

/* The next run for a rule of runs; begin is SIZE_MAX if there is none. */
struct run_ahead {
	size_t begin, end;
};

/* The anchors of one set. All sources have the same part of the text. */
struct source {
	lanewise_scan *scan;
	const uint32_t *numbers;
	size_t n_matches, next;
	lanewise_match matches[N_MATCHES];
};

struct lanewise_secrets_search {
	struct lw_secret_matcher matcher;
	struct source sources[LW_SECRET_SETS];
	uint32_t n_sources, last_source; /* that gave the candidate under way */
	size_t fed;                      /* text that the sources have */
	struct run_ahead ahead[LW_SECRET_RUN_RULES];

	struct covered held;
	int is_held;
	uint64_t reported_end; /* of the last finding that was reported */
};

static size_t round_up(size_t n)
{
	return (n + LW_SCRATCH_ALIGNMENT - 1) / LW_SCRATCH_ALIGNMENT * LW_SCRATCH_ALIGNMENT;
}

size_t lanewise_secrets_scratch_size(const lanewise_secrets *secrets)
{
	size_t n = round_up(sizeof(struct lanewise_secrets_search)) +
	           round_up(secrets->n_runs * sizeof(struct lw_secret_run));

	for (int k = 0; k < LW_SECRET_SETS; k++)
		n += secrets->set[k] ? round_up(lanewise_scan_scratch_size(secrets->set[k])) : 0;
	return n;
}

/* ------------------------------------------------------------- candidates */

/* Looks for the next run of a rule from `from`. */
static void look_ahead(lanewise_secrets_search *s, uint32_t k, size_t from)
{
	const lanewise_secrets *secrets = s->matcher.secrets;
	const struct lw_secret_rule *rule = &lw_secrets_rules(secrets)[secrets->run_rules[k]];
	struct run_ahead *ahead = &s->ahead[k];

	do {
		if (!lanewise_next_run(lw_secrets_set(secrets, rule->run_set), (const char *)s->matcher.text,
		                       s->matcher.n, from, rule->run_min, &ahead->begin, &ahead->end)) {
			ahead->begin = SIZE_MAX;
			return;
		}
		from = ahead->end;
	} while (ahead->end - ahead->begin > rule->run_max);
}

lanewise_secrets_search *lanewise_secrets_begin(const lanewise_secrets *secrets, const char *text, size_t n_bytes,
                                                void *scratch)
{
	if (!secrets || !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || (!text && n_bytes > 0))
		return NULL;

	lanewise_secrets_search *s = scratch;
	char *behind = (char *)scratch + round_up(sizeof *s);

	memset(s, 0, sizeof *s);
	s->matcher = (struct lw_secret_matcher) { secrets, (const uint8_t *)text, n_bytes,
		                                  (struct lw_secret_run *)(void *)behind };
	for (uint32_t i = 0; i < secrets->n_runs; i++)
		s->matcher.runs[i] = (struct lw_secret_run) { SIZE_MAX, 0, 0 };
	behind += round_up(secrets->n_runs * sizeof(struct lw_secret_run));
	for (int k = 0; k < LW_SECRET_SETS; k++)
		if (secrets->set[k]) {
			struct source *source = &s->sources[s->n_sources++];

			source->scan = lanewise_scan_begin(secrets->set[k], NULL, behind);
			source->numbers = secrets->numbers[k].items;
			behind += round_up(lanewise_scan_scratch_size(secrets->set[k]));
		}
	for (uint32_t k = 0; k < secrets->n_run_rules; k++)
		look_ahead(s, k, 0);
	return s;
}

/* A source's next match in the text that it has, or NULL. */
static const lanewise_match *next_match(struct source *source)
{
	if (source->next == source->n_matches) {
		source->next = 0;
		source->n_matches = lanewise_scan_next(source->scan, source->matches, N_MATCHES);
	}
	return source->n_matches > 0 ? &source->matches[source->next] : NULL;
}

static int comes_before(const lanewise_match *a, const lanewise_match *b)
{
	return a->end != b->end ? a->end < b->end : a->begin < b->begin;
}

/* Gives the sources the next chunk; 0 if there is none. */
static int feed_sources(lanewise_secrets_search *s)
{
	size_t n = s->matcher.n - s->fed < CHUNK ? s->matcher.n - s->fed : CHUNK;

	for (uint32_t k = 0; k < s->n_sources && n > 0; k++)
		lanewise_scan_feed(s->sources[k].scan, s->matcher.text + s->fed, n);
	s->fed += n;
	return n > 0;
}

/* The next anchor, which is not consumed, of all sources; NULL if there is none. Matches come by end, then begin. */
static const lanewise_match *next_anchor(lanewise_secrets_search *s)
{
	const lanewise_match *first = NULL;

	if (s->n_sources == 0)
		return NULL;
	do {
		for (uint32_t k = 0; k < s->n_sources; k++) {
			const lanewise_match *match = next_match(&s->sources[k]);

			if (match && (!first || comes_before(match, first))) {
				first = match;
				s->last_source = k;
			}
		}
	} while (!first && feed_sources(s));
	return first;
}

/* A candidate: an anchor, or the run of the k-th rule of runs. */
struct candidate {
	const lanewise_match *anchor;
	uint32_t k;
	uint64_t begin;
};

static int next_candidate(lanewise_secrets_search *s, struct candidate *candidate)
{
	uint32_t n = s->matcher.secrets->n_run_rules, best = 0;

	candidate->anchor = next_anchor(s);
	for (uint32_t k = 1; k < n; k++)
		if (s->ahead[k].begin < s->ahead[best].begin)
			best = k;
	candidate->k = best;
	if (n > 0 && s->ahead[best].begin != SIZE_MAX &&
	    (!candidate->anchor || s->ahead[best].begin < candidate->anchor->end)) {
		candidate->anchor = NULL;
		candidate->begin = s->ahead[best].begin;
		return 1;
	}
	if (candidate->anchor)
		candidate->begin = candidate->anchor->begin;
	return candidate->anchor != NULL;
}

/* Consumes a candidate; 1 if it is a finding. */
static int try_candidate(lanewise_secrets_search *s, const struct candidate *candidate, lanewise_secret *found)
{
	const lanewise_secrets *secrets = s->matcher.secrets;

	if (candidate->anchor) {
		const lanewise_match *anchor = candidate->anchor;

		struct source *source = &s->sources[s->last_source];

		source->next++;
		return lanewise_secrets_match(&s->matcher, source->numbers[anchor->pattern], (size_t)anchor->begin,
		                              (size_t)anchor->end, found);
	}

	uint32_t rule = secrets->run_rules[candidate->k];
	struct run_ahead run = s->ahead[candidate->k];

	look_ahead(s, candidate->k, run.end);
	*found = (lanewise_secret) { run.begin, run.end, run.begin, run.end, rule, 0 };
	return lanewise_secrets_judge(secrets, &lw_secrets_rules(secrets)[rule], s->matcher.text + run.begin,
	                              run.end - run.begin);
}

/* --------------------------------------------------------------- findings */

static void give(lanewise_secrets_search *s, const struct covered *covered, struct covered *out)
{
	*out = *covered;
	s->reported_end = covered->secret.end;
}

/* The held finding and one that overlaps it. */
static void merge(struct covered *held, const struct covered *other)
{
	if (other->secret.rule < held->secret.rule)
		held->secret = other->secret;
	held->begin = other->begin < held->begin ? other->begin : held->begin;
	held->end = other->end > held->end ? other->end : held->end;
}

/* Takes a finding; 1 if that makes something ready for `out`. */
static int take_finding(lanewise_secrets_search *s, const lanewise_secret *found, struct covered *out)
{
	struct covered fresh = { *found, found->begin, found->end, 1 };

	if (found->begin < s->reported_end) {
		*out = fresh;
		out->reported = 0;
		return 1;
	}
	if (!s->is_held) {
		s->held = fresh;
		s->is_held = 1;
		return 0;
	}
	if (found->end <= s->held.secret.begin) {
		give(s, &fresh, out);
		return 1;
	}
	if (found->begin >= s->held.secret.end) {
		give(s, &s->held, out);
		s->held = fresh;
		return 1;
	}
	merge(&s->held, &fresh);
	return 0;
}

/* The next finding or cover; 0 after the last. */
static int next_covered(lanewise_secrets_search *s, struct covered *out)
{
	struct candidate candidate;
	lanewise_secret found;

	while (next_candidate(s, &candidate)) {
		if (s->is_held && candidate.begin >= s->held.secret.end) {
			s->is_held = 0;
			give(s, &s->held, out);
			return 1;
		}
		if (try_candidate(s, &candidate, &found) && take_finding(s, &found, out))
			return 1;
	}
	if (!s->is_held)
		return 0;
	s->is_held = 0;
	give(s, &s->held, out);
	return 1;
}

size_t lanewise_secrets_next(lanewise_secrets_search *search, lanewise_secret *found, size_t capacity)
{
	struct covered covered;
	size_t n = 0;

	while (n < capacity && next_covered(search, &covered))
		if (covered.reported)
			found[n++] = covered.secret;
	return n;
}

lanewise_status lanewise_secrets_any(const lanewise_secrets *secrets, const char *text, size_t n_bytes, void *scratch,
                                     int32_t *found)
{
	lanewise_secrets_search *s = found ? lanewise_secrets_begin(secrets, text, n_bytes, scratch) : NULL;
	struct candidate candidate;
	lanewise_secret secret;

	if (!s)
		return LANEWISE_ERROR_ARGUMENT;
	*found = 0;
	while (!*found && next_candidate(s, &candidate))
		*found = try_candidate(s, &candidate, &secret);
	return LANEWISE_OK;
}

lanewise_status lanewise_secrets_types(const lanewise_secrets *secrets, const char *text, size_t n_bytes, void *scratch,
                                       uint64_t *present, uint64_t *n_found)
{
	lanewise_secrets_search *s = present ? lanewise_secrets_begin(secrets, text, n_bytes, scratch) : NULL;
	struct covered covered;
	uint64_t n = 0;

	if (!s)
		return LANEWISE_ERROR_ARGUMENT;
	memset(present, 0, (secrets->rules.n + 63) / 64 * sizeof *present);
	while (next_covered(s, &covered))
		if (covered.reported) {
			present[covered.secret.rule / 64] |= UINT64_C(1) << covered.secret.rule % 64;
			n++;
		}
	if (n_found)
		*n_found = n;
	return LANEWISE_OK;
}

/* ---------------------------------------------------------------- masking */

struct masking {
	const lanewise_secrets *secrets;
	lanewise_mask_options options;
	const uint8_t *text;
	size_t n, done; /* text before `done` is written */
	char *out;
	size_t capacity, n_out;
	uint64_t n_masked;
};

static int continues_character(const struct masking *m, size_t at) { return at < m->n && (m->text[at] & 0xc0) == 0x80; }

static int has_room(const struct masking *m, size_t n) { return n <= m->capacity && m->n_out <= m->capacity - n; }

static void write_bytes(struct masking *m, const void *bytes, size_t n)
{
	if (n && has_room(m, n))
		memcpy(m->out + m->n_out, bytes, n);
	m->n_out += n;
}

/* Text that stays, up to `end`. */
static void keep(struct masking *m, size_t end)
{
	if (end > m->done)
		write_bytes(m, m->text + m->done, end - m->done);
	m->done = end;
}

/* The nearest place at or behind `at`, or at or before it but not before `least`, where a character begins. */
static size_t character_behind(const struct masking *m, size_t at)
{
	for (int i = 0; i < 3 && continues_character(m, at); i++)
		at++;
	return at;
}

static size_t character_before(const struct masking *m, size_t at, size_t least)
{
	for (int i = 0; i < 3 && at > least && continues_character(m, at); i++)
		at--;
	return at;
}

static void hide(struct masking *m, size_t end)
{
	size_t n = end - m->done;

	if (has_room(m, n))
		memset(m->out + m->n_out, m->options.byte ? m->options.byte : '*', n);
	m->n_out += n;
	m->done = end;
}

static void name_rule(struct masking *m, uint32_t rule)
{
	const char *name = lanewise_secrets_rule_name(m->secrets, rule);

	write_bytes(m, "[REDACTED:", 10);
	write_bytes(m, name, strlen(name));
	write_bytes(m, "]", 1);
}

static void mask(struct masking *m, const struct covered *covered)
{
	const lanewise_mask_options *options = &m->options;
	size_t first = options->keep_first, last = options->keep_last;
	size_t begin = covered->begin > m->done ? (size_t)covered->begin : m->done;
	size_t end = character_behind(m, (size_t)covered->end);
	int continues = begin == m->done && m->n_masked > 0;

	if (end <= m->done)
		return;
	begin = character_before(m, begin, m->done);
	if (!options->replace && !continues && first <= end && last <= end && first + last <= (end - begin) / 2) {
		begin = character_before(m, begin + first, begin);
		end = character_behind(m, end - last);
	}
	keep(m, begin);
	m->n_masked += !continues;
	if (!options->replace)
		hide(m, end);
	else if (!continues)
		name_rule(m, covered->secret.rule);
	m->done = end;
}

lanewise_status lanewise_secrets_mask(const lanewise_secrets *secrets, const lanewise_mask_options *options,
                                      const char *text, size_t n_bytes, void *scratch, char *out, size_t capacity,
                                      size_t *n_out, uint64_t *n_masked)
{
	struct masking m = {
		.secrets = secrets, .text = (const uint8_t *)text, .n = n_bytes, .out = out, .capacity = capacity
	};
	lanewise_secrets_search *s = lanewise_secrets_begin(secrets, text, n_bytes, scratch);
	struct covered covered;

	if (options)
		m.options = *options;
	if (!s || !n_out || (!out && capacity > 0) || (options && options->struct_size != sizeof *options) ||
	    m.options.byte < 0 || m.options.byte > 255)
		return LANEWISE_ERROR_ARGUMENT;
	while (next_covered(s, &covered))
		mask(&m, &covered);
	keep(&m, n_bytes);
	*n_out = m.n_out;
	if (n_masked)
		*n_masked = m.n_masked;
	return m.n_out <= capacity ? LANEWISE_OK : LANEWISE_ERROR_CAPACITY;
}

/* ------------------------------------------------------------------ places */

void lanewise_place_move(lanewise_place *place, const char *text, size_t n_bytes, uint64_t offset)
{
	if (offset > n_bytes)
		offset = n_bytes;
	if (place->line == 0 || offset < place->offset)
		*place = (lanewise_place) { 0, 1, 0 };
	while (place->offset < offset) {
		const char *from = text + place->offset;
		const char *feed = memchr(from, '\n', (size_t)(offset - place->offset));

		if (!feed)
			break;
		place->line++;
		place->line_begin = place->offset = (uint64_t)(feed - text) + 1;
	}
	place->offset = offset;
}
