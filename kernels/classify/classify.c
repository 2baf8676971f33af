/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/classify.h. A negation that begins before a keyword may end behind it, so all that begin before it must be
 * known when it is rated.
 *
 * A short text with not too many matches is scanned once, for keywords and negations, the matches are kept, and rated
 * when all are there.
 *
 * Others go through two scans in pieces, and a second scan, which is for negations alone, is ahead by the longest one.
 * Where negations begin is kept in a ring of bits, as large as what a keyword of the piece can look back to and the scan
 * is ahead.
 */
#include <lanewise/classify.h>

#include "common.h"
#include "support.h"

enum { PIECE = 16384, MATCHES = 512 };

struct lanewise_classifier {
	lanewise_scan_set *words;     /* the keywords, then the negations */
	lanewise_scan_set *negations; /* NULL if there are none */
	lanewise_classifier_options options;
	uint32_t n_classes, n_keywords;
	size_t max_keyword, max_negation, ring_bits;
	/* Behind this struct: */
	const double *weight; /* both by keyword */
	const uint32_t *class_of;
	const char **names; /* and the strings */
	lanewise_allocator allocator;
	int own_allocator;
	size_t n_bytes; /* without the sets */
};

lanewise_classifier_options lanewise_classifier_defaults(void)
{
	return (lanewise_classifier_options) {
		.struct_size = sizeof(lanewise_classifier_options),
		.negation_window = 20,
		.position_bonus = 0.1,
		.negated_factor = -0.5,
		.min_confidence = 0.3,
	};
}

/* --------------------------------------------------------------- creation */

static int is_within(double x, double low, double high) { return x >= low && x <= high; }

static lanewise_status check_options(const lanewise_classifier_options *o, lanewise_error *error)
{
	const char *wrong = NULL;

	if (o->struct_size != sizeof *o)
		wrong = "unknown struct_size";
	else if (o->negation_window > LANEWISE_NEGATION_WINDOW)
		wrong = "negation_window is too large";
	else if (!is_within(o->position_bonus, -1e6, 1e6))
		wrong = "position_bonus is out of range";
	else if (!is_within(o->negated_factor, -1e6, 1e6))
		wrong = "negated_factor is out of range";
	else if (!is_within(o->min_score, 0, 1e300))
		wrong = "min_score is out of range";
	else if (!is_within(o->min_confidence, 0, 1))
		wrong = "min_confidence is out of range";
	return wrong ? lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "options: %s", wrong) : LANEWISE_OK;
}

/* `kind` is what the texts are, for the message. */
static lanewise_status check_text(const void *bytes, size_t n_bytes, const char *kind, size_t i, lanewise_error *error)
{
	if (n_bytes == 0 || !bytes)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s %zu is %s", kind, i,
		               n_bytes == 0 ? "empty" : "NULL");
	if (n_bytes > LANEWISE_SCAN_PATTERN_BYTES)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
		               "%s %zu has %zu bytes; the limit is %d", kind, i, n_bytes, LANEWISE_SCAN_PATTERN_BYTES);
	return LANEWISE_OK;
}

static lanewise_status check_keyword(const lanewise_classifier_rules *rules, size_t i, lanewise_error *error)
{
	const lanewise_keyword *keyword = &rules->keywords[i];

	if (!is_within(keyword->weight, -1e9, 1e9))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "the weight of keyword %zu is %g", i,
		               keyword->weight);
	if (keyword->class_index >= rules->n_classes)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               "keyword %zu is of class %u, and there are %zu", i, keyword->class_index,
		               rules->n_classes);
	return check_text(keyword->bytes, keyword->n_bytes, "keyword", i, error);
}

static lanewise_status check_sizes(const lanewise_classifier_rules *rules, lanewise_error *error)
{
	if (rules->struct_size != sizeof *rules)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "rules: unknown struct_size");
	if (rules->n_keywords == 0 || !rules->keywords || (rules->n_negations > 0 && !rules->negations))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               rules->n_keywords == 0 ? "there are no keywords" : "keywords or negations are NULL");
	if (rules->n_classes == 0 || rules->n_classes > LANEWISE_CLASSES)
		return lw_fail(error, rules->n_classes == 0 ? LANEWISE_ERROR_ARGUMENT : LANEWISE_ERROR_TOO_LARGE,
		               LANEWISE_NO_OFFSET, "%zu classes; there must be 1 to %d", rules->n_classes,
		               LANEWISE_CLASSES);
	if (rules->n_keywords > LANEWISE_SCAN_SET_BYTES || rules->n_negations > LANEWISE_SCAN_SET_BYTES)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
		               "more than %d keywords or negations", LANEWISE_SCAN_SET_BYTES);
	for (size_t i = 0; rules->class_names && i < rules->n_classes; i++)
		if (!rules->class_names[i])
			return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
			               "the name of class %zu is NULL", i);
	return LANEWISE_OK;
}

static lanewise_status check_rules(const lanewise_classifier_rules *rules, lanewise_error *error)
{
	lanewise_status status = check_sizes(rules, error);

	for (size_t i = 0; status == LANEWISE_OK && i < rules->n_keywords; i++)
		status = check_keyword(rules, i, error);
	for (size_t i = 0; status == LANEWISE_OK && i < rules->n_negations; i++)
		status = check_text(rules->negations[i].bytes, rules->negations[i].n_bytes, "negation", i, error);
	return status;
}

enum { NUMBER_BYTES = 8 }; /* of a name that is a class's number, with NUL */

static size_t names_bytes(const lanewise_classifier_rules *rules)
{
	size_t n = rules->n_classes * NUMBER_BYTES;

	if (rules->class_names) {
		n = 0;
		for (size_t i = 0; i < rules->n_classes; i++)
			n += strlen(rules->class_names[i]) + 1;
	}
	return n;
}

/* The arrays behind the struct. */
static void copy_rules(lanewise_classifier *c, const lanewise_classifier_rules *rules)
{
	double *weight = (double *)(c + 1);
	const char **names = (const char **)(weight + rules->n_keywords);
	uint32_t *class_of = (uint32_t *)(names + rules->n_classes);
	char *text = (char *)(class_of + rules->n_keywords);

	for (size_t i = 0; i < rules->n_keywords; i++) {
		weight[i] = rules->keywords[i].weight;
		class_of[i] = rules->keywords[i].class_index;
		if (rules->keywords[i].n_bytes > c->max_keyword)
			c->max_keyword = rules->keywords[i].n_bytes;
	}
	for (size_t i = 0; i < rules->n_negations; i++)
		if (rules->negations[i].n_bytes > c->max_negation)
			c->max_negation = rules->negations[i].n_bytes;
	for (size_t i = 0; i < rules->n_classes; i++) {
		names[i] = text;
		if (rules->class_names) {
			size_t n = strlen(rules->class_names[i]) + 1;

			memcpy(text, rules->class_names[i], n);
			text += n;
		} else {
			text += snprintf(text, NUMBER_BYTES, "%u", (unsigned)(uint16_t)i) + 1;
		}
	}
	c->weight = weight;
	c->names = names;
	c->class_of = class_of;
	c->n_keywords = (uint32_t)rules->n_keywords;
	c->n_classes = (uint32_t)rules->n_classes;
}

/* The least power of two that holds what the ring must. A keyword found behind a piece's first byte may end there. */
static size_t ring_bits(const lanewise_classifier *c)
{
	size_t n = 64, needed = c->options.negation_window + c->max_keyword + 1 + PIECE + c->max_negation;

	while (n < needed)
		n *= 2;
	return n;
}

static lanewise_status create_sets(lanewise_classifier *c, const lanewise_classifier_rules *rules,
                                   lanewise_error *error)
{
	lanewise_scan_set_options options = { sizeof options, !c->options.match_case };
	const lanewise_allocator *allocator = c->own_allocator ? &c->allocator : NULL;
	size_t n = rules->n_keywords + rules->n_negations, n_bytes = n * sizeof(lanewise_pattern);
	lanewise_pattern *patterns = lw_allocate(allocator, n_bytes);

	if (!patterns)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for %zu keywords",
		               rules->n_keywords);
	for (size_t i = 0; i < rules->n_keywords; i++)
		patterns[i] = (lanewise_pattern) { rules->keywords[i].bytes, rules->keywords[i].n_bytes };
	for (size_t i = 0; i < rules->n_negations; i++)
		patterns[rules->n_keywords + i] = rules->negations[i];

	lanewise_status status = lanewise_scan_set_create(patterns, n, &options, allocator, &c->words, error);

	lw_release(allocator, patterns, n_bytes);
	if (status == LANEWISE_OK && rules->n_negations > 0)
		status = lanewise_scan_set_create(rules->negations, rules->n_negations, &options, allocator,
		                                  &c->negations, error);
	return status;
}

lanewise_status lanewise_classifier_create(const lanewise_classifier_rules *rules,
                                           const lanewise_classifier_options *options,
                                           const lanewise_allocator *allocator, lanewise_classifier **classifier,
                                           lanewise_error *error)
{
	lanewise_classifier_options chosen = options ? *options : lanewise_classifier_defaults();

	if (classifier)
		*classifier = NULL;
	if (!rules || !classifier)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               rules ? "classifier" : "rules");

	lanewise_status status = check_options(&chosen, error);

	if (status == LANEWISE_OK)
		status = check_rules(rules, error);
	if (status != LANEWISE_OK)
		return status;

	size_t n_bytes = sizeof(lanewise_classifier) + rules->n_keywords * (sizeof(double) + sizeof(uint32_t)) +
	                 rules->n_classes * sizeof(char *) + names_bytes(rules);
	lanewise_classifier *c = lw_allocate(allocator, n_bytes);

	if (!c)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for %zu keywords",
		               rules->n_keywords);
	*c = (lanewise_classifier) { .options = chosen, .n_bytes = n_bytes, .own_allocator = allocator != NULL };
	if (allocator)
		c->allocator = *allocator;
	copy_rules(c, rules);
	c->ring_bits = ring_bits(c);
	status = create_sets(c, rules, error);
	if (status != LANEWISE_OK) {
		lanewise_classifier_destroy(c);
		return status;
	}
	*classifier = c;
	return LANEWISE_OK;
}

void lanewise_classifier_destroy(lanewise_classifier *classifier)
{
	if (classifier) {
		lanewise_allocator allocator = classifier->allocator;

		lanewise_scan_set_destroy(classifier->words);
		lanewise_scan_set_destroy(classifier->negations);
		lw_release(classifier->own_allocator ? &allocator : NULL, classifier, classifier->n_bytes);
	}
}

size_t lanewise_classifier_n_classes(const lanewise_classifier *classifier) { return classifier->n_classes; }

const char *lanewise_classifier_class_name(const lanewise_classifier *classifier, size_t class_index)
{
	return class_index < classifier->n_classes ? classifier->names[class_index] : NULL;
}

size_t lanewise_classifier_memory(const lanewise_classifier *classifier)
{
	return classifier->n_bytes + lanewise_scan_set_memory(classifier->words) +
	       (classifier->negations ? lanewise_scan_set_memory(classifier->negations) : 0);
}

/* ---------------------------------------------------------------- scratch */

/* A text being rated. */
struct rating {
	const lanewise_classifier *classifier;
	const uint8_t *text;
	size_t n;
	lanewise_match *matches; /* MATCHES of them */
	lanewise_scan *words, *negations;
	uint64_t n_ahead;       /* text read for negations */
	int any_negation;       /* found so far */
	uint64_t negation_free; /* with non_overlapping: where the last negation ended, and each class's last match */
	uint64_t *class_free;
	uint64_t *ring; /* bit i: a negation begins at the byte whose offset is i modulo the ring's size */
	lanewise_class_score *scores;
};

static size_t round_up(size_t n) { return (n + 63) / 64 * 64; }

size_t lanewise_classify_scratch_size(const lanewise_classifier *c)
{
	size_t n = round_up(lanewise_scan_scratch_size(c->words)) + MATCHES * sizeof(lanewise_match) +
	           c->n_classes * (sizeof(lanewise_class_score) + sizeof(uint64_t));

	return c->negations ? n + round_up(lanewise_scan_scratch_size(c->negations)) + c->ring_bits / 8 : n;
}

/* Divides the scratch, for any number of texts. */
static void begin_ratings(struct rating *r, const lanewise_classifier *c, char *scratch)
{
	lanewise_scan_options options = { sizeof options, LANEWISE_SCAN_OVERLAPPING, !c->options.substrings };

	*r = (struct rating) { .classifier = c };
	r->words = lanewise_scan_begin(c->words, &options, scratch);
	scratch += round_up(lanewise_scan_scratch_size(c->words));
	if (c->negations) {
		r->negations = lanewise_scan_begin(c->negations, &options, scratch);
		scratch += round_up(lanewise_scan_scratch_size(c->negations));
		r->ring = (uint64_t *)scratch;
		scratch += c->ring_bits / 8;
	}
	r->matches = (lanewise_match *)scratch;
	r->class_free = (uint64_t *)(r->matches + MATCHES);
}

static void begin_text(struct rating *r, const void *text, size_t n, lanewise_class_score *scores)
{
	size_t n_classes = r->classifier->n_classes;

	r->text = text;
	r->n = n;
	r->n_ahead = r->negation_free = 0;
	r->any_negation = 0;
	r->scores = scores ? scores : (lanewise_class_score *)(r->class_free + n_classes);
	memset(r->scores, 0, n_classes * sizeof *r->scores);
	if (r->classifier->options.non_overlapping)
		memset(r->class_free, 0, n_classes * sizeof *r->class_free);
}

/* -------------------------------------------------------------- negations */

/* The bits of [begin, end) in the word of the ring that has `begin`, and how many these are. */
static uint64_t word_bits(uint64_t begin, uint64_t end, uint64_t *n)
{
	uint64_t shift = begin % 64;

	*n = end - begin < 64 - shift ? end - begin : 64 - shift;
	return (*n == 64 ? UINT64_MAX : (UINT64_C(1) << *n) - 1) << shift;
}

static uint64_t *ring_word(const struct rating *r, uint64_t at)
{
	return &r->ring[(at & (r->classifier->ring_bits - 1)) / 64];
}

static void clear_ring(const struct rating *r, uint64_t begin, uint64_t end)
{
	for (uint64_t n; begin < end; begin += n)
		*ring_word(r, begin) &= ~word_bits(begin, end, &n);
}

static int is_negated(const struct rating *r, uint64_t begin)
{
	uint64_t window = r->classifier->options.negation_window, at = begin > window ? begin - window : 0;

	if (!r->any_negation)
		return 0;
	for (uint64_t n; at < begin; at += n)
		if (*ring_word(r, at) & word_bits(at, begin, &n))
			return 1;
	return 0;
}

static void take_negation(struct rating *r, const lanewise_match *match)
{
	if (match->begin < r->negation_free)
		return;
	if (r->classifier->options.non_overlapping)
		r->negation_free = match->end;
	*ring_word(r, match->begin) |= UINT64_C(1) << match->begin % 64;
	r->any_negation = 1;
}

static void take_negations(struct rating *r)
{
	for (size_t n; (n = lanewise_scan_next(r->negations, r->matches, MATCHES)) > 0;)
		for (size_t i = 0; i < n; i++)
			take_negation(r, &r->matches[i]);
}

/* Reads on until all negations are known that begin before a keyword that ends at `end` or before: these, and the byte
 * behind, which may decide that one is a word, lie before end + max_negation. */
static void read_negations(struct rating *r, uint64_t end)
{
	uint64_t ahead = end + r->classifier->max_negation;

	if (ahead > r->n)
		ahead = r->n;
	if (!r->negations || ahead == r->n_ahead)
		return;
	clear_ring(r, r->n_ahead, ahead);
	lanewise_scan_feed(r->negations, r->text + r->n_ahead, ahead - r->n_ahead);
	take_negations(r);
	r->n_ahead = ahead;
	if (ahead == r->n) {
		lanewise_scan_finish(r->negations);
		take_negations(r);
	}
}

/* --------------------------------------------------------------- keywords */

static void take_keyword(struct rating *r, const lanewise_match *match)
{
	const lanewise_classifier *c = r->classifier;
	uint32_t class_index = c->class_of[match->pattern];
	lanewise_class_score *score = &r->scores[class_index];
	int negated;

	if (c->options.non_overlapping) {
		if (match->begin < r->class_free[class_index])
			return;
		r->class_free[class_index] = match->end;
	}
	negated = is_negated(r, match->begin);
	score->n_matches++;
	score->n_negated += (uint64_t)negated;
	if (negated) {
		score->score += c->weight[match->pattern] * c->options.negated_factor;
	} else {
		double from_end = 1 - (double)match->begin / (double)r->n;

		score->score += c->weight[match->pattern] * (1 + c->options.position_bonus * from_end);
	}
}

static int is_keyword(const struct rating *r, const lanewise_match *match)
{
	return match->pattern < r->classifier->n_keywords;
}

static void take_keywords(struct rating *r)
{
	for (size_t n; (n = lanewise_scan_next(r->words, r->matches, MATCHES)) > 0;)
		for (size_t i = 0; i < n; i++)
			if (is_keyword(r, &r->matches[i]))
				take_keyword(r, &r->matches[i]);
}

/* All matches of a short text, unless they are too many; how many. */
static size_t keep_matches(struct rating *r)
{
	size_t n = 0, more;

	lanewise_scan_restart(r->words);
	lanewise_scan_feed(r->words, r->text, r->n);
	for (int last = 0; last < 2 && n < MATCHES; last++) {
		if (last)
			lanewise_scan_finish(r->words);
		while (n < MATCHES && (more = lanewise_scan_next(r->words, r->matches + n, MATCHES - n)) > 0)
			n += more;
	}
	return n;
}

/* In one scan; 0, and nothing was done, if the text is too long for it or has too many matches. */
static int rate_at_once(struct rating *r)
{
	size_t n = r->n > PIECE ? 0 : keep_matches(r);

	if (r->n > PIECE || n == MATCHES)
		return 0;
	if (r->negations)
		clear_ring(r, 0, r->n);
	for (size_t i = 0; i < n; i++)
		if (!is_keyword(r, &r->matches[i]))
			take_negation(r, &r->matches[i]);
	for (size_t i = 0; i < n; i++)
		if (is_keyword(r, &r->matches[i]))
			take_keyword(r, &r->matches[i]);
	return 1;
}

static void rate_in_pieces(struct rating *r)
{
	lanewise_scan_restart(r->words);
	if (r->negations)
		lanewise_scan_restart(r->negations);
	for (size_t at = 0; at < r->n; at += PIECE) {
		size_t n = r->n - at < PIECE ? r->n - at : PIECE;

		read_negations(r, at + n);
		lanewise_scan_feed(r->words, r->text + at, n);
		take_keywords(r);
	}
	lanewise_scan_finish(r->words);
	take_keywords(r);
}

/* -------------------------------------------------------------- decisions */

static int32_t choose_class(const lanewise_classifier *c, lanewise_class_score *scores)
{
	const lanewise_classifier_options *o = &c->options;
	double total = 0;
	uint32_t best = 0;

	for (uint32_t i = 0; i < c->n_classes; i++) {
		scores[i].score = scores[i].score > 0 ? scores[i].score : 0;
		total += scores[i].score;
	}
	for (uint32_t i = 0; i < c->n_classes; i++) {
		scores[i].confidence = total > 0 ? scores[i].score / total : 0;
		if (scores[i].score > scores[best].score ||
		    (o->last_of_equals && scores[i].score >= scores[best].score))
			best = i;
	}
	if (scores[best].score > 0 && scores[best].score >= o->min_score &&
	    scores[best].confidence >= o->min_confidence)
		return (int32_t)best;
	return LANEWISE_CLASS_NONE;
}

static int32_t rate_text(struct rating *r, const void *text, size_t n_bytes, lanewise_class_score *scores)
{
	begin_text(r, text, n_bytes, scores);
	if (!rate_at_once(r))
		rate_in_pieces(r);
	return choose_class(r->classifier, r->scores);
}

static int arguments_are_valid(const lanewise_classifier *classifier, const void *scratch)
{
	return classifier && scratch && (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT == 0;
}

lanewise_status lanewise_classify(const lanewise_classifier *classifier, const void *text, size_t n_bytes,
                                  void *scratch, lanewise_class_score *scores, int32_t *best)
{
	if (!arguments_are_valid(classifier, scratch) || (n_bytes > 0 && !text) || !best)
		return LANEWISE_ERROR_ARGUMENT;

	struct rating rating;

	begin_ratings(&rating, classifier, scratch);
	*best = rate_text(&rating, text, n_bytes, scores);
	return LANEWISE_OK;
}

lanewise_status lanewise_classify_batch(const lanewise_classifier *classifier, const void *data, const uint64_t *begin,
                                        const uint64_t *end, size_t n, void *scratch, lanewise_class_score *scores,
                                        int32_t *best)
{
	if (!arguments_are_valid(classifier, scratch) || (n > 0 && (!begin || !end || !best)))
		return LANEWISE_ERROR_ARGUMENT;
	for (size_t i = 0; i < n; i++)
		if (begin[i] > end[i] || (begin[i] < end[i] && !data))
			return LANEWISE_ERROR_ARGUMENT;

	struct rating rating;

	begin_ratings(&rating, classifier, scratch);
	for (size_t i = 0; i < n; i++)
		best[i] = rate_text(&rating, (const char *)data + (data ? begin[i] : 0), (size_t)(end[i] - begin[i]),
		                    scores ? scores + i * classifier->n_classes : NULL);
	return LANEWISE_OK;
}
