/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts searched for secrets. Candidates, which are anchors and runs, come in order; each that fits is a finding, and
 * one is held until no candidate to come can overlap it: of those that overlap, the earlier rule's stays. What loses is
 * not forgotten but makes the held one's cover larger, since masks cover everything that was found.
 */
#include <lanewise/secrets.h>

#include <string.h>

#include "common.h"
#include "scan/scan_set.h"
#include "secrets/secrets_search.h"

size_t lanewise_secrets_scratch_size(const lanewise_secrets *secrets)
{
	size_t n = lw_secrets_round_up(sizeof(struct lanewise_secrets_search)) +
	           lw_secrets_round_up(secrets->n_runs * sizeof(struct lw_secret_run));

	if (secrets->expressions.n)
		n += lw_secrets_round_up(secrets->expressions.n * sizeof(uint32_t)) +
		     lw_secrets_round_up(secrets->regex.scratch_size(secrets->regex.context));
	for (int k = 0; k < LW_SECRET_SETS; k++)
		n += secrets->set[k] ? lw_secrets_round_up(lanewise_scan_scratch_size(secrets->set[k])) : 0;
	return n;
}

/* ------------------------------------------------------------- candidates */

static uint64_t lesser(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t text_end(const lanewise_secrets_search *s) { return s->origin + s->matcher.n; }

static uint8_t byte_at(const lanewise_secrets_search *s, uint64_t at) { return s->matcher.text[at - s->origin]; }

/* Whether a run that ends here is known to, and where its last character does. */
static int run_is_closed(const lanewise_secrets_search *s, uint64_t end)
{
	uint64_t n = text_end(s);

	return s->matcher.ended || (end < n && (n - end >= LW_CHARACTER_BYTES || byte_at(s, end - 1) < 0x80));
}

/* The run that the text known ends in, shorter than the rule wants. */
static void look_at_end(const lanewise_secrets_search *s, const uint8_t set[32], struct lw_run_ahead *ahead)
{
	uint64_t begin = text_end(s);

	while (begin > ahead->from && lw_set_has(set, byte_at(s, begin - 1)))
		begin--;
	ahead->state = begin < text_end(s) && !s->matcher.ended ? LW_RUN_OPEN : LW_RUN_NONE;
	ahead->begin = ahead->from = begin;
	ahead->end = text_end(s);
}

/* Looks for a run that begins at ahead->from or later. */
static void find_run(const lanewise_secrets_search *s, const struct lw_secret_rule *rule, struct lw_run_ahead *ahead)
{
	const uint8_t *set = lw_secrets_set(s->matcher.secrets, rule->run_set);
	size_t begin, end;

	while (lanewise_next_run(set, (const char *)s->matcher.text, s->matcher.n, (size_t)(ahead->from - s->origin),
	                         rule->run_min, &begin, &end)) {
		ahead->begin = s->origin + begin;
		ahead->end = ahead->from = s->origin + end;
		ahead->inside = end - begin > rule->run_max && end == s->matcher.n;
		ahead->state = ahead->inside ? LW_RUN_NONE : run_is_closed(s, ahead->end) ? LW_RUN_FOUND : LW_RUN_OPEN;
		if (ahead->inside || ahead->state == LW_RUN_OPEN || end - begin <= rule->run_max)
			return;
	}
	look_at_end(s, set, ahead);
}

/* Goes on with what the text known ended in; 1 if that is no more under way and was nothing. */
static int continue_run(const lanewise_secrets_search *s, const struct lw_secret_rule *rule, struct lw_run_ahead *ahead)
{
	const uint8_t *set = lw_secrets_set(s->matcher.secrets, rule->run_set);
	uint64_t n = text_end(s), end = ahead->inside ? ahead->from : ahead->end;

	while (end < n && lw_set_has(set, byte_at(s, end)))
		end++;
	ahead->end = ahead->from = end;
	if (ahead->inside || end - ahead->begin > rule->run_max) {
		ahead->state = LW_RUN_NONE;
		ahead->inside = end == n;
		return !ahead->inside;
	}
	if (!run_is_closed(s, end))
		return 0;
	ahead->state = end - ahead->begin >= rule->run_min ? LW_RUN_FOUND : LW_RUN_NONE;
	return ahead->state == LW_RUN_NONE;
}

/* The next run of a rule, as far as the text known tells. */
static void look_ahead(lanewise_secrets_search *s, uint32_t k)
{
	const struct lw_secret_rule *rule = &lw_secrets_rules(s->matcher.secrets)[s->matcher.secrets->run_rules[k]];
	struct lw_run_ahead *ahead = &s->ahead[k];
	uint64_t seen = text_end(s) + (uint64_t)s->matcher.ended;

	if (ahead->state == LW_RUN_FOUND || ahead->seen == seen)
		return;
	ahead->seen = seen;
	if ((!ahead->inside && ahead->state == LW_RUN_NONE) || continue_run(s, rule, ahead))
		find_run(s, rule, ahead);
}

/* Returns what is behind. */
static char *begin_expressions(struct lw_secret_matcher *matcher, char *scratch)
{
	const lanewise_secrets *secrets = matcher->secrets;
	const lanewise_regex_engine *regex = &secrets->regex;
	size_t n = secrets->expressions.n * sizeof(uint32_t);

	if (n == 0)
		return scratch;
	matcher->undecided = (uint32_t *)(void *)scratch;
	memset(matcher->undecided, 0, n);
	matcher->regex_scratch = scratch + lw_secrets_round_up(n);
	regex->begin(regex->context, matcher->regex_scratch);
	return (char *)matcher->regex_scratch + lw_secrets_round_up(regex->scratch_size(regex->context));
}

lanewise_secrets_search *lanewise_secrets_begin(const lanewise_secrets *secrets, const char *text, size_t n_bytes,
                                                void *scratch)
{
	if (!secrets || !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || (!text && n_bytes > 0))
		return NULL;

	lanewise_secrets_search *s = scratch;
	char *behind = (char *)scratch + lw_secrets_round_up(sizeof *s);

	memset(s, 0, offsetof(lanewise_secrets_search, found.anchors));
	s->matcher = (struct lw_secret_matcher) { .secrets = secrets, .text = (const uint8_t *)text, .n = n_bytes };
	s->matcher.ended = 1;
	s->matcher.runs = (struct lw_secret_run *)(void *)behind;
	for (uint32_t i = 0; i < secrets->n_runs; i++)
		s->matcher.runs[i] = (struct lw_secret_run) { SIZE_MAX, 0, 0 };
	behind += lw_secrets_round_up(secrets->n_runs * sizeof(struct lw_secret_run));
	behind = begin_expressions(&s->matcher, behind);
	for (int k = 0; k < LW_SECRET_SETS; k++)
		if (secrets->set[k]) {
			struct lw_secret_source *source = &s->sources[s->n_sources++];

			source->scan = lanewise_scan_begin(secrets->set[k], NULL, behind);
			source->numbers = secrets->numbers[k].items;
			behind += lw_secrets_round_up(lanewise_scan_scratch_size(secrets->set[k]));
		}
	for (uint32_t k = 0; k < secrets->n_run_rules; k++)
		s->ahead[k].seen = UINT64_MAX;
	return s;
}

/* More of a source's matches in the text that it has, without those that the finder has found; 0 if there are none. */
static int read_matches(const lanewise_secrets_search *s, struct lw_secret_source *source)
{
	lanewise_match *to = source->matches + source->n_matches;
	size_t n = lanewise_scan_next(source->scan, to, LW_SECRET_MATCHES - source->n_matches), known = 0;

	while (known < n && to[known].end <= s->sources_from)
		known++;
	if (known > 0)
		memmove(to, to + known, (n - known) * sizeof *to);
	source->n_matches += n - known;
	return n > 0;
}

/* All matches in the text that the source has, if there is room for them. */
static void fill_matches(const lanewise_secrets_search *s, struct lw_secret_source *source)
{
	size_t left = source->n_matches - source->next;

	memmove(source->matches, source->matches + source->next, left * sizeof *source->matches);
	source->next = 0;
	source->n_matches = left;
	while (source->n_matches < LW_SECRET_MATCHES && read_matches(s, source))
		continue;
}

/* A source's next match in the text that it has, or NULL. */
static const lanewise_match *next_match(const lanewise_secrets_search *s, struct lw_secret_source *source)
{
	if (source->next == source->n_matches) {
		source->next = source->n_matches = 0;
		while (source->n_matches == 0 && read_matches(s, source))
			continue;
	}
	return source->n_matches > 0 ? &source->matches[source->next] : NULL;
}

static int comes_before(const lanewise_match *a, const lanewise_match *b)
{
	return a->end != b->end ? a->end < b->end : a->begin < b->begin;
}

/*
 * Gives the sources the text from where the finder has come to, and what an anchor that ends behind it may begin with,
 * unless they are there already.
 */
static void feed_sources(lanewise_secrets_search *s, uint64_t from, uint64_t end)
{
	uint64_t begin = from, anchor = s->matcher.secrets->reach.anchor;

	if (from != s->sources_fed) {
		begin -= lesser(anchor - 1, from - s->origin);
		s->chunk = lesser(s->chunk, begin);
	}
	for (uint32_t k = 0; k < s->n_sources; k++) {
		if (from != s->sources_fed)
			lanewise_scan_restart_at(s->sources[k].scan, begin);
		lanewise_scan_feed(s->sources[k].scan, s->matcher.text + (begin - s->origin), (size_t)(end - begin));
	}
	s->sources_from = from;
	s->sources_fed = end;
}

/* Searches the next chunk for anchors; 0 if there is none. */
static int search_chunk(lanewise_secrets_search *s)
{
	uint64_t end = s->fed + lesser(text_end(s) - s->fed, LW_SECRET_CHUNK), from = s->fed;

	if (end == from)
		return 0;
	s->chunk = from;
	if (s->matcher.secrets->finder)
		from = lanewise_secrets_find_anchors(s, from, end);
	if (from < end)
		feed_sources(s, from, end);
	s->fed = end;
	return 1;
}

/* The next anchor, which is not consumed; NULL if there is none. They come by end, then begin. */
static const lanewise_match *next_anchor(lanewise_secrets_search *s)
{
	const lanewise_match *first = NULL;

	if (s->n_sources == 0) {
		s->chunk = s->fed = text_end(s);
		return NULL;
	}
	do {
		if (s->found.next < s->found.n) {
			s->last_source = s->n_sources;
			return &s->found.anchors[s->found.next];
		}
		for (uint32_t k = 0; k < s->n_sources; k++) {
			const lanewise_match *match = next_match(s, &s->sources[k]);

			if (match && (!first || comes_before(match, first))) {
				first = match;
				s->last_source = k;
			}
		}
	} while (!first && search_chunk(s));
	return first;
}

/* A candidate: an anchor, or the run of the k-th rule of runs. */
struct candidate {
	const lanewise_match *anchor;
	uint32_t k;
	uint64_t begin;
};

/* 0 if there is none, or if it takes more text to know which is next. */
static int next_candidate(lanewise_secrets_search *s, struct candidate *candidate)
{
	uint32_t n = s->matcher.secrets->n_run_rules, best = n;

	candidate->anchor = next_anchor(s);
	s->blocked = 0;
	for (uint32_t k = 0; k < n; k++) {
		look_ahead(s, k);
		if (s->ahead[k].state != LW_RUN_NONE && (best == n || s->ahead[k].begin < s->ahead[best].begin))
			best = k;
	}
	candidate->k = best;
	if (best < n && (!candidate->anchor || s->ahead[best].begin < candidate->anchor->end)) {
		if (s->ahead[best].state == LW_RUN_OPEN) {
			s->blocked = candidate->anchor != NULL;
			return 0;
		}
		candidate->anchor = NULL;
		candidate->begin = s->ahead[best].begin;
		return 1;
	}
	if (candidate->anchor)
		candidate->begin = candidate->anchor->begin;
	return candidate->anchor != NULL;
}

static int try_anchor(lanewise_secrets_search *s, const lanewise_match *anchor, lanewise_secret *found)
{
	struct lw_secret_source *source = s->last_source < s->n_sources ? &s->sources[s->last_source] : NULL;
	uint32_t number = source ? source->numbers[anchor->pattern] : anchor->pattern;
	int fits = lanewise_secrets_match(&s->matcher, number, (size_t)(anchor->begin - s->origin),
	                                  (size_t)(anchor->end - s->origin), found);

	if (fits < 0) {
		s->blocked = 1;
		return fits;
	}
	if (source)
		source->next++;
	else
		s->found.next++;
	if (fits) {
		found->begin += s->origin;
		found->end += s->origin;
		found->match_begin += s->origin;
		found->match_end += s->origin;
	}
	return fits;
}

/* Consumes a candidate; 1 if it is a finding. Or it is left as it is, and -1 returned: more text has to decide it. */
static int try_candidate(lanewise_secrets_search *s, const struct candidate *candidate, lanewise_secret *found)
{
	const lanewise_secrets *secrets = s->matcher.secrets;

	if (candidate->anchor)
		return try_anchor(s, candidate->anchor, found);

	uint32_t rule = secrets->run_rules[candidate->k];
	struct lw_run_ahead *run = &s->ahead[candidate->k];

	run->state = LW_RUN_NONE;
	run->seen = UINT64_MAX;
	*found = (lanewise_secret) { run->begin, run->end, run->begin, run->end, rule, 0 };
	return lanewise_secrets_judge(secrets, &lw_secrets_rules(secrets)[rule],
	                              s->matcher.text + (run->begin - s->origin), (size_t)(run->end - run->begin));
}

/* --------------------------------------------------------------- findings */

static void give(lanewise_secrets_search *s, const struct lw_covered *covered, struct lw_covered *out)
{
	*out = *covered;
	s->reported_end = covered->secret.end;
}

/* The held finding and one that overlaps it; 0 if they are too much for one. */
static int merge(const lanewise_secrets *secrets, struct lw_covered *held, const struct lw_covered *other)
{
	uint64_t begin = other->begin < held->begin ? other->begin : held->begin;
	uint64_t end = other->end > held->end ? other->end : held->end;

	if (end - begin > lanewise_secrets_cover_most(secrets))
		return 0;
	if (other->secret.rule < held->secret.rule)
		held->secret = other->secret;
	held->begin = begin;
	held->end = end;
	return 1;
}

/* Takes a finding; 1 if that makes something ready for `out`. */
static int take_finding(lanewise_secrets_search *s, const lanewise_secret *found, struct lw_covered *out)
{
	struct lw_covered fresh = { *found, found->begin, found->end, 1 };

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
	if (merge(s->matcher.secrets, &s->held, &fresh))
		return 0;
	s->is_held = 0;
	give(s, &s->held, out);
	s->second = fresh;
	s->second.reported = 0;
	s->has_second = 1;
	return 1;
}

uint64_t lanewise_secrets_cover_most(const lanewise_secrets *secrets)
{
	const struct lw_secret_reach *reach = &secrets->reach;

	return 2 * (reach->before + reach->anchor + reach->after + reach->run) + LW_SECRET_CHUNK;
}

/* Where the anchors that a source has and those to come from it may begin. */
static uint64_t source_from(const lanewise_secrets_search *s, const struct lw_secret_source *source)
{
	uint64_t from = UINT64_MAX, last = 0, anchor = s->matcher.secrets->reach.anchor;

	for (size_t i = source->next; i < source->n_matches; i++) {
		from = lesser(from, source->matches[i].begin);
		last = source->matches[i].end;
	}
	if (source->n_matches == LW_SECRET_MATCHES) /* perhaps not all in the chunk */
		return lesser(from, last > anchor ? last - anchor : 0);
	return lesser(from, lanewise_scan_safe(source->scan));
}

uint64_t lanewise_secrets_candidates_from(const lanewise_secrets_search *s)
{
	const lanewise_secrets *secrets = s->matcher.secrets;
	uint64_t from = text_end(s);

	for (uint32_t k = 0; k < s->n_sources && !s->matcher.ended; k++)
		from = lesser(from, source_from(s, &s->sources[k]));
	for (size_t i = s->found.next; i < s->found.n; i++)
		from = lesser(from, s->found.anchors[i].begin);
	for (uint32_t k = 0; k < secrets->n_run_rules; k++)
		if (s->ahead[k].state != LW_RUN_NONE)
			from = lesser(from, s->ahead[k].begin);
	return from;
}

/* How many bytes of the hold's set stand before `at`, no more than count. */
static uint64_t held_before(const lanewise_secrets_search *s, const struct lw_secret_hold *hold, uint64_t at)
{
	uint64_t n = 0;

	while (n < hold->most && at - n > s->origin && lw_set_has(hold->set, byte_at(s, at - n - 1)))
		n++;
	return n;
}

uint64_t lanewise_secrets_safe(const lanewise_secrets_search *s)
{
	const lanewise_secrets *secrets = s->matcher.secrets;
	const struct lw_secret_hold *holds = secrets->holds.items;
	uint64_t from = lanewise_secrets_candidates_from(s);
	uint64_t most = s->matcher.ended ? 0 : lesser(secrets->reach.window, from - s->origin);

	for (size_t i = 0; i < secrets->holds.n && !s->matcher.ended; i++) {
		uint64_t n = held_before(s, &holds[i], from);

		most = n > most ? n : most;
	}
	from -= most;
	return s->is_held && s->held.begin < from ? s->held.begin : from;
}

void lanewise_secrets_move(lanewise_secrets_search *s, uint64_t origin, const uint8_t *text)
{
	size_t shift = (size_t)(origin - s->origin);

	for (uint32_t k = 0; k < s->n_sources; k++)
		lanewise_scan_move_text(s->sources[k].scan, s->matcher.text + shift, text);
	for (uint32_t i = 0; i < s->matcher.secrets->n_runs; i++) {
		struct lw_secret_run *run = &s->matcher.runs[i];

		if (run->from < shift || run->from > run->to)
			*run = (struct lw_secret_run) { SIZE_MAX, 0, 0 };
		else
			*run = (struct lw_secret_run) { run->from - shift, run->to - shift, run->ended };
	}
	s->matcher.text = text;
	s->matcher.n -= shift;
	s->matcher.cut |= shift > 0;
	s->origin = origin;
}

static int give_held(lanewise_secrets_search *s, struct lw_covered *out)
{
	s->is_held = 0;
	give(s, &s->held, out);
	return 1;
}

int lanewise_secrets_next_covered(lanewise_secrets_search *s, struct lw_covered *out)
{
	struct candidate candidate;
	lanewise_secret found;

	if (s->has_second) {
		s->has_second = 0;
		*out = s->second;
		return 1;
	}
	while (next_candidate(s, &candidate)) {
		if (s->is_held && candidate.begin >= s->held.secret.end)
			return give_held(s, out);

		int fits = try_candidate(s, &candidate, &found);

		if (fits < 0)
			break;
		if (fits && take_finding(s, &found, out))
			return 1;
	}
	for (uint32_t k = 0; k < s->n_sources && s->blocked; k++)
		fill_matches(s, &s->sources[k]);
	if (s->is_held && (s->matcher.ended || lanewise_secrets_candidates_from(s) >= s->held.secret.end))
		return give_held(s, out);
	return 0;
}

size_t lanewise_secrets_next(lanewise_secrets_search *search, lanewise_secret *found, size_t capacity)
{
	struct lw_covered covered;
	size_t n = 0;

	while (n < capacity && lanewise_secrets_next_covered(search, &covered))
		if (covered.reported)
			found[n++] = covered.secret;
	return n;
}

uint64_t lanewise_secrets_n_undecided(const lanewise_secrets_search *search) { return search->matcher.n_undecided; }

lanewise_status lanewise_secrets_decided(const lanewise_secrets_search *search)
{
	return search->matcher.n_undecided ? LANEWISE_ERROR_TOO_LARGE : LANEWISE_OK;
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
		*found = try_candidate(s, &candidate, &secret) > 0;
	return *found ? LANEWISE_OK : lanewise_secrets_decided(s);
}

lanewise_status lanewise_secrets_types(const lanewise_secrets *secrets, const char *text, size_t n_bytes, void *scratch,
                                       uint64_t *present, uint64_t *n_found)
{
	lanewise_secrets_search *s = present ? lanewise_secrets_begin(secrets, text, n_bytes, scratch) : NULL;
	struct lw_covered covered;
	uint64_t n = 0;

	if (!s)
		return LANEWISE_ERROR_ARGUMENT;
	memset(present, 0, (secrets->rules.n + 63) / 64 * sizeof *present);
	while (lanewise_secrets_next_covered(s, &covered))
		if (covered.reported) {
			present[covered.secret.rule / 64] |= UINT64_C(1) << covered.secret.rule % 64;
			n++;
		}
	if (n_found)
		*n_found = n;
	return lanewise_secrets_decided(s);
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
