/* SPDX-License-Identifier: Apache-2.0 */
/* Rules read from their text, line by line, and made ready: the anchors of all become one set of patterns. */
#include "secrets/secrets.h"

#include <string.h>

#include "common.h"
#include "log.h"
#include "support.h"

enum {
	MAX_FRAGMENTS = 256,
	MAX_ANCHORS = 16384,
	MAX_ANCHOR_BYTES = 256,
	MAX_STOPS = 8192,
	MAX_POOL = 1 << 24,
	MAX_NAME = 64,
	WINDOW_BEFORE = 128, /* unless the rule says it */
	WINDOW_BEHIND = 512
};

/* ---------------------------------------------------------------- reading */

void *lanewise_secrets_list_add(struct lw_rules_reader *reader, struct lw_list *list, size_t count, size_t limit)
{
	if (reader->status != LANEWISE_OK)
		return NULL;
	if (count > limit - list->n) {
		lanewise_secrets_wrong(reader, "the rules are too many or too long");
		reader->status = LANEWISE_ERROR_TOO_LARGE;
		if (reader->error)
			reader->error->status = reader->status;
		return NULL;
	}
	if (list->n + count > list->capacity) {
		size_t capacity = 2 * list->capacity > list->n + count ? 2 * list->capacity : list->n + count + 16;
		void *items = lw_allocate(reader->allocator, capacity * list->item_bytes);

		if (!items) {
			reader->status = lw_fail(reader->error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET,
			                         "no memory for rules");
			return NULL;
		}
		if (list->n)
			memcpy(items, list->items, list->n * list->item_bytes);
		lw_release(reader->allocator, list->items, list->capacity * list->item_bytes);
		list->items = items;
		list->capacity = capacity;
	}
	list->n += count;
	return (char *)list->items + (list->n - count) * list->item_bytes;
}

static void list_free(const lanewise_allocator *allocator, struct lw_list *list)
{
	lw_release(allocator, list->items, list->capacity * list->item_bytes);
}

uint32_t lanewise_secrets_wrong(struct lw_rules_reader *reader, const char *format, ...)
{
	char what[200];
	va_list arguments;
	size_t line = 1, offset = (size_t)(reader->at - reader->text);

	if (reader->status != LANEWISE_OK)
		return LW_NODE_NONE;
	for (size_t i = 0; i < offset; i++)
		line += reader->text[i] == '\n';
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	for (char *p = what; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = '?';
	reader->status = lw_fail(reader->error, LANEWISE_ERROR_DATA, offset, "line %zu: %s", line, what);
	return LW_NODE_NONE;
}

static int is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* The next word of the line, or 0. */
static size_t next_word(struct lw_rules_reader *reader, const char **word)
{
	while (reader->at < reader->end && is_space(*reader->at))
		reader->at++;
	*word = reader->at;
	while (reader->at < reader->end && !is_space(*reader->at))
		reader->at++;
	return (size_t)(reader->at - *word);
}

/* What is left of the line, without white space around it. */
static size_t rest_of_line(struct lw_rules_reader *reader)
{
	while (reader->at < reader->end && is_space(*reader->at))
		reader->at++;
	while (reader->end > reader->at && is_space(reader->end[-1]))
		reader->end--;
	return (size_t)(reader->end - reader->at);
}

/* A copy in the pool with a NUL behind it. */
static uint32_t keep_text(struct lw_rules_reader *reader, const char *text, size_t n)
{
	struct lw_list *pool = &reader->secrets->pool;
	char *copy = lanewise_secrets_list_add(reader, pool, n + 1, MAX_POOL);

	if (!copy)
		return 0;
	if (n)
		memcpy(copy, text, n);
	copy[n] = '\0';
	return (uint32_t)(pool->n - n - 1);
}

/* ------------------------------------------------------------------ lines */

/* A rule under way. */
struct draft {
	struct lw_secret_rule rule;
	int open, optional, n_anchors;
	const char *shape, *shape_end, *run, *run_end, *regex, *regex_end;
	uint32_t window[2];
	int has_window;
	const char *begin;                     /* of its first line */
	uint32_t default_stops[2], first_rule; /* of this text */
};

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

/* stop and stop-whole: words kept folded. */
static void read_stops(struct lw_rules_reader *reader, struct draft *draft, int whole)
{
	const char *word;

	for (size_t n; (n = next_word(reader, &word)) > 0;) {
		uint32_t at = keep_text(reader, word, n);
		struct lw_secret_stop *stop = lanewise_secrets_list_add(reader, &reader->secrets->stops, 1, MAX_STOPS);

		if (!stop)
			return;
		for (size_t i = 0; i < n; i++) {
			char *c = (char *)reader->secrets->pool.items + at + i;

			*c = lower(*c);
		}
		*stop = (struct lw_secret_stop) { at, (uint32_t)n, whole };
		if (draft->open)
			draft->rule.stop[1][1]++;
		else
			draft->default_stops[1]++;
	}
}

/* Turns \s and \xHH and so on in a word that was kept into bytes, and returns their number. */
static size_t unescape(struct lw_rules_reader *reader, char *word, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (word[i] != '\\') {
			word[kept++] = word[i];
		} else if (i + 1 < n && (word[i + 1] == 's' || word[i + 1] == '\\')) {
			word[kept++] = word[++i] == 's' ? ' ' : '\\';
		} else {
			lanewise_secrets_wrong(reader, "in an anchor, a space is \\s and a backslash \\\\");
			return 0;
		}
	}
	return kept;
}

static void read_anchors(struct lw_rules_reader *reader, struct draft *draft)
{
	const char *word;

	for (size_t n; (n = next_word(reader, &word)) > 0; draft->n_anchors++) {
		if (n > MAX_ANCHOR_BYTES) {
			lanewise_secrets_wrong(reader, "an anchor of more than %d bytes", MAX_ANCHOR_BYTES);
			return;
		}

		uint32_t at = keep_text(reader, word, n);
		struct lw_secret_anchor *anchor =
		        lanewise_secrets_list_add(reader, &reader->secrets->anchors, 1, MAX_ANCHORS);

		if (!anchor)
			return;
		n = unescape(reader, (char *)reader->secrets->pool.items + at, n);
		*anchor = (struct lw_secret_anchor) { at, (uint32_t)n, (uint32_t)reader->secrets->rules.n };
	}
}

static void read_entropy(struct lw_rules_reader *reader, struct draft *draft)
{
	const char *word;
	size_t n = next_word(reader, &word);
	double value = 0, unit = 1;
	int fraction = 0, right = n > 0 && n < 8;

	for (size_t i = 0; i < n && right; i++) {
		if (word[i] == '.' && !fraction) {
			fraction = 1;
			continue;
		}
		right = word[i] >= '0' && word[i] <= '9';
		unit *= fraction ? 10 : 1;
		value = value * 10 + (word[i] - '0');
	}
	draft->rule.entropy = value / unit;
	if (!right || draft->rule.entropy > 8)
		lanewise_secrets_wrong(reader, "entropy is a number from 0 to 8 as 3.5 is");
}

static int is(const char *word, size_t n, const char *name) { return strlen(name) == n && memcmp(word, name, n) == 0; }

static void read_need(struct lw_rules_reader *reader, struct draft *draft)
{
	static const struct {
		const char *name;
		uint32_t need;
	} classes[] = { { "digit", LW_NEED_DIGIT },
		        { "letter", LW_NEED_LETTER },
		        { "lower", LW_NEED_LOWER },
		        { "upper", LW_NEED_UPPER },
		        { "symbol", LW_NEED_SYMBOL } };
	const char *word;

	for (size_t n; (n = next_word(reader, &word)) > 0;) {
		uint32_t need = 0;

		for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
			need |= is(word, n, classes[i].name) ? classes[i].need : 0;
		draft->rule.need |= need;
		if (!need)
			lanewise_secrets_wrong(reader, "classes are digit, letter, lower, upper and symbol");
	}
}

static uint32_t read_size(struct lw_rules_reader *reader)
{
	const char *word;
	size_t n = next_word(reader, &word);
	uint32_t value = 0;
	int right = n > 0 && n <= 4;

	for (size_t i = 0; i < n && right; i++) {
		right = word[i] >= '0' && word[i] <= '9';
		value = value * 10 + (uint32_t)(word[i] - '0');
	}
	if (!right || value > LANEWISE_SECRETS_WINDOW)
		lanewise_secrets_wrong(reader, "a window is two numbers of bytes, no more than %d",
		                       LANEWISE_SECRETS_WINDOW);
	return value;
}

static void read_window(struct lw_rules_reader *reader, struct draft *draft)
{
	if (draft->has_window)
		lanewise_secrets_wrong(reader, "a second window");
	draft->has_window = 1;
	draft->window[0] = read_size(reader);
	draft->window[1] = read_size(reader);
}

/* The rest of the line, to be read when the rule is complete. */
static void keep_line(struct lw_rules_reader *reader, const char **begin, const char **end)
{
	if (*begin)
		lanewise_secrets_wrong(reader, "a second shape, run or expression");
	rest_of_line(reader);
	*begin = reader->at;
	*end = reader->at = reader->end;
}

static void read_fragment_line(struct lw_rules_reader *reader)
{
	const char *name;
	size_t n = next_word(reader, &name);
	int right = n > 0 && n <= MAX_NAME;

	for (size_t i = 0; i < n && right; i++)
		right = (name[i] >= '0' && name[i] <= '9') || (lower(name[i]) >= 'a' && lower(name[i]) <= 'z') ||
		        name[i] == '_';
	for (size_t i = 0; i < reader->fragments.n && right; i++) {
		const struct lw_fragment *other = (const struct lw_fragment *)reader->fragments.items + i;

		right = other->name_bytes != n || memcmp(other->name, name, n) != 0;
	}
	if (!right || rest_of_line(reader) == 0) {
		lanewise_secrets_wrong(reader, "let NAME SHAPE: the name is of letters, digits and _, and new");
		return;
	}

	struct lw_fragment fragment = { name, reader->at, n, (size_t)(reader->end - reader->at) };

	if (!lanewise_secrets_check_fragment(reader))
		return;

	struct lw_fragment *added = lanewise_secrets_list_add(reader, &reader->fragments, 1, MAX_FRAGMENTS);

	if (added)
		*added = fragment;
}

/* ------------------------------------------------------------------ rules */

static void drop_anchors(struct lw_rules_reader *reader, const struct draft *draft)
{
	reader->secrets->anchors.n -= (size_t)draft->n_anchors;
}

static void read_shape_of(struct lw_rules_reader *reader, struct draft *draft)
{
	if (draft->run) {
		reader->at = draft->run;
		reader->end = draft->run_end;
		draft->rule.is_run = 1;
		lanewise_secrets_read_run(reader, &draft->rule.run_set, &draft->rule.run_min, &draft->rule.run_max);
	}
	if (draft->shape) {
		reader->at = draft->shape;
		reader->end = draft->shape_end;
		lanewise_secrets_read_shape(reader, &draft->rule.before, &draft->rule.after);
	}
	if (draft->regex && reader->status == LANEWISE_OK) {
		reader->at = draft->regex;
		reader->end = draft->regex_end;
		draft->rule.expression = lanewise_secrets_read_expression(
		        reader, (const char *)lw_secrets_pool(reader->secrets) + draft->rule.name, draft->window);
	}
}

/* Whether a rule has all that it needs, and no more. */
static int is_complete(const struct draft *draft)
{
	if (draft->run)
		return !draft->shape && !draft->regex && !draft->has_window && !draft->n_anchors;
	return draft->n_anchors && (draft->regex || (draft->shape && !draft->has_window));
}

static void add_rule(struct lw_rules_reader *reader, struct draft *draft)
{
	lanewise_secrets *secrets = reader->secrets;
	struct lw_secret_rule *rule = lanewise_secrets_list_add(reader, &secrets->rules, 1, LANEWISE_SECRETS_RULES);

	if (!rule)
		return;
	*rule = draft->rule;
	memcpy(rule->stop[0], draft->default_stops, sizeof rule->stop[0]);
	if (!rule->is_run)
		return;
	if (secrets->n_run_rules == LW_SECRET_RUN_RULES)
		lanewise_secrets_wrong(reader, "more than %d rules with a run", LW_SECRET_RUN_RULES);
	else
		secrets->run_rules[secrets->n_run_rules++] = (uint32_t)(secrets->rules.n - 1);
}

/* The rule under way has all its lines. */
static void end_rule(struct lw_rules_reader *reader, struct draft *draft, int with_optional)
{
	const char *at = reader->at, *end = reader->end;
	size_t n_expressions = reader->secrets->expressions.n;

	if (!draft->open || reader->status != LANEWISE_OK)
		return;
	reader->ignore_case = draft->rule.ignore_case;
	reader->at = draft->begin;
	if (!is_complete(draft))
		lanewise_secrets_wrong(reader, "a rule has anchors and a shape or an expression, or a run");
	else
		read_shape_of(reader, draft);
	if (reader->status != LANEWISE_OK)
		return;
	if (draft->optional && !with_optional) {
		drop_anchors(reader, draft);
		lanewise_secrets_release_expressions(reader->secrets, n_expressions);
	} else {
		add_rule(reader, draft);
	}
	reader->ignore_case = 0;
	reader->at = at;
	reader->end = end;
	draft->open = 0;
}

static void begin_rule(struct lw_rules_reader *reader, struct draft *draft)
{
	const lanewise_secrets *secrets = reader->secrets;
	const char *name;
	size_t n = next_word(reader, &name);
	const struct lw_secret_rule *rules = lw_secrets_rules(secrets);
	int right = n > 0 && n <= MAX_NAME;

	for (size_t i = 0; i < n && right; i++)
		right = name[i] > ' ' && name[i] < 0x7f && name[i] != ']';
	if (!right)
		lanewise_secrets_wrong(reader, "a rule needs a name of 1 to %d printable characters but ]", MAX_NAME);
	for (size_t i = draft->first_rule; i < secrets->rules.n; i++)
		if (is(name, n, (const char *)lw_secrets_pool(secrets) + rules[i].name))
			lanewise_secrets_wrong(reader, "a second rule of this name");
	draft->begin = name;
	draft->shape = draft->run = draft->regex = NULL;
	draft->window[0] = WINDOW_BEFORE;
	draft->window[1] = WINDOW_BEHIND;
	draft->optional = draft->n_anchors = draft->has_window = 0;
	draft->open = 1;
	draft->rule =
	        (struct lw_secret_rule) { .before = LW_NODE_NONE, .after = LW_NODE_NONE, .expression = LW_NODE_NONE };
	draft->rule.name = keep_text(reader, name, n);
	draft->rule.about = keep_text(reader, "", 0);
	draft->rule.stop[1][0] = (uint32_t)secrets->stops.n;
}

/* A line that belongs to a rule; 0 if it does not begin with such a word. */
static int read_rule_line(struct lw_rules_reader *reader, struct draft *draft, const char *word, size_t n)
{
	if (is(word, n, "anchor")) {
		read_anchors(reader, draft);
	} else if (is(word, n, "entropy")) {
		read_entropy(reader, draft);
	} else if (is(word, n, "need")) {
		read_need(reader, draft);
	} else if (is(word, n, "about")) {
		n = rest_of_line(reader);
		draft->rule.about = keep_text(reader, reader->at, n);
		reader->at = reader->end;
	} else if (is(word, n, "shape")) {
		keep_line(reader, &draft->shape, &draft->shape_end);
	} else if (is(word, n, "run")) {
		keep_line(reader, &draft->run, &draft->run_end);
	} else if (is(word, n, "regex")) {
		keep_line(reader, &draft->regex, &draft->regex_end);
	} else if (is(word, n, "window")) {
		read_window(reader, draft);
	} else if (is(word, n, "ignore-case")) {
		draft->rule.ignore_case = 1;
	} else if (is(word, n, "optional")) {
		draft->optional = 1;
	} else if (is(word, n, "true") || is(word, n, "false")) {
		reader->at = reader->end;
	} else {
		return 0;
	}
	return 1;
}

static void read_line(struct lw_rules_reader *reader, struct draft *draft, int with_optional)
{
	const char *word;
	size_t n = next_word(reader, &word);

	if (n == 0 || *word == '#')
		return;
	if (is(word, n, "let")) {
		read_fragment_line(reader);
		return;
	}
	if (is(word, n, "rule")) {
		end_rule(reader, draft, with_optional);
		begin_rule(reader, draft);
	} else if (is(word, n, "stop") || is(word, n, "stop-whole")) {
		read_stops(reader, draft, n > 4);
	} else if (!draft->open || !read_rule_line(reader, draft, word, n)) {
		reader->at = word;
		lanewise_secrets_wrong(reader, "%.*s: %s", (int)(n < 40 ? n : 40), word,
		                       draft->open ? "no such word" : "this stands in a rule, or nowhere");
		return;
	}
	if (reader->status == LANEWISE_OK && next_word(reader, &word) > 0)
		lanewise_secrets_wrong(reader, "too much in this line");
}

static lanewise_status read_text(lanewise_secrets *secrets, const lanewise_allocator *allocator, const char *text,
                                 size_t n_bytes, const lanewise_secrets_options *options, lanewise_error *error)
{
	int with_optional = options && options->optional;
	struct lw_rules_reader reader = { .secrets = secrets,
		                          .allocator = allocator,
		                          .text = text,
		                          .error = error,
		                          .regex = options ? options->regex : NULL };
	struct draft draft = { .first_rule = (uint32_t)secrets->rules.n,
		               .default_stops = { (uint32_t)secrets->stops.n, 0 } };
	const char *at = text, *end = text + n_bytes;

	reader.fragments.item_bytes = sizeof(struct lw_fragment);
	reader.at = text;
	while (at < end && reader.status == LANEWISE_OK) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));

		reader.at = at;
		reader.end = line_end ? line_end : end;
		at = line_end ? line_end + 1 : end;
		read_line(&reader, &draft, with_optional);
	}
	end_rule(&reader, &draft, with_optional);
	list_free(allocator, &reader.fragments);
	return reader.status;
}

/* ---------------------------------------------------------- making it ready */

uint32_t lanewise_secrets_set_of(const lanewise_secrets *secrets, const struct lw_secret_anchor *anchor)
{
	enum { SHORT_BYTES = 3 };

	if (lw_secrets_rules(secrets)[anchor->rule].ignore_case)
		return 1;
	return anchor->count <= SHORT_BYTES ? 0 : 2;
}

/* Set number k, of the anchors that belong to it; `patterns` has room for all. */
static lanewise_status make_set(struct lw_rules_reader *reader, uint32_t k, lanewise_pattern *patterns)
{
	lanewise_secrets *secrets = reader->secrets;
	const struct lw_secret_anchor *anchors = lw_secrets_anchors(secrets);
	lanewise_scan_set_options options = { sizeof options, k == 1 };
	size_t n = 0;

	for (uint32_t i = 0; i < secrets->anchors.n; i++) {
		uint32_t *number;

		if (lanewise_secrets_set_of(secrets, &anchors[i]) != k)
			continue;
		patterns[n++] = (lanewise_pattern) { lw_secrets_pool(secrets) + anchors[i].first, anchors[i].count };
		number = lanewise_secrets_list_add(reader, &secrets->numbers[k], 1, MAX_ANCHORS);
		if (!number)
			return reader->status;
		*number = i;
	}
	if (n == 0)
		return LANEWISE_OK;
	return lanewise_scan_set_create(patterns, n, &options, reader->allocator, &secrets->set[k], reader->error);
}

static lanewise_status make_sets(lanewise_secrets *secrets, const lanewise_allocator *allocator, lanewise_error *error)
{
	struct lw_rules_reader reader = { .secrets = secrets, .allocator = allocator, .error = error };
	size_t n_bytes = secrets->anchors.n * sizeof(lanewise_pattern);
	lanewise_pattern *patterns = n_bytes ? lw_allocate(allocator, n_bytes) : NULL;
	lanewise_status status = LANEWISE_OK;

	if (n_bytes && !patterns)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for rules");
	for (uint32_t k = 0; k < LW_SECRET_SETS && status == LANEWISE_OK; k++)
		status = make_set(&reader, k, patterns);
	if (status == LANEWISE_OK && !(lanewise_secrets_measure(&reader) && lanewise_secrets_find_firsts(&reader) &&
	                               lanewise_secrets_find_leads(&reader) && lanewise_secrets_make_finder(&reader)))
		status = reader.status;
	lw_release(allocator, patterns, n_bytes);
	return status;
}

static lanewise_status make(lanewise_secrets *secrets, const char *rules, size_t n_bytes,
                            const lanewise_secrets_options *options, const lanewise_allocator *allocator,
                            lanewise_error *error)
{
	int with_builtin = !rules || (options && options->with_builtin);
	lanewise_status status = LANEWISE_OK;

	if (rules)
		status = read_text(secrets, allocator, rules, n_bytes, options, error);
	if (status == LANEWISE_OK && with_builtin)
		status = read_text(secrets, allocator, lanewise_secrets_builtin_text, lanewise_secrets_builtin_bytes,
		                   options, error);
	return status == LANEWISE_OK ? make_sets(secrets, allocator, error) : status;
}

lanewise_status lanewise_secrets_create(const char *rules, size_t n_bytes, const lanewise_secrets_options *options,
                                        const lanewise_allocator *allocator, lanewise_secrets **out,
                                        lanewise_error *error)
{
	if (!out || (options && (options->struct_size != sizeof *options ||
	                         (options->regex && options->regex->struct_size != sizeof *options->regex))))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET,
		               out ? "options: unknown struct_size" : "secrets is NULL");
	*out = NULL;

	lanewise_secrets *secrets = lw_allocate(allocator, sizeof *secrets);

	if (!secrets)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for rules");
	memset(secrets, 0, sizeof *secrets);
	secrets->nodes.item_bytes = sizeof(struct lw_node);
	secrets->sets.item_bytes = sizeof(struct lw_byte_set);
	secrets->rules.item_bytes = sizeof(struct lw_secret_rule);
	secrets->anchors.item_bytes = sizeof(struct lw_secret_anchor);
	secrets->stops.item_bytes = sizeof(struct lw_secret_stop);
	secrets->holds.item_bytes = sizeof(struct lw_secret_hold);
	secrets->leads.item_bytes = 1;
	secrets->expressions.item_bytes = sizeof(struct lw_secret_expression);
	secrets->pool.item_bytes = 1;
	for (int k = 0; k < LW_SECRET_SETS; k++)
		secrets->numbers[k].item_bytes = sizeof(uint32_t);
	for (int i = 2; i <= LW_SECRET_JUDGED; i++)
		secrets->n_log_n[i] = i * (lw_log_f64(i) * 0x1.71547652b82fep+0 /* 1 / log 2 */);
	if (allocator) {
		secrets->allocator = *allocator;
		secrets->own_allocator = 1;
	}

	lanewise_status status = make(secrets, rules, n_bytes, options, allocator, error);

	if (status != LANEWISE_OK)
		lanewise_secrets_destroy(secrets);
	else
		*out = secrets;
	return status;
}

void lanewise_secrets_destroy(lanewise_secrets *secrets)
{
	if (!secrets)
		return;

	lanewise_allocator copy = secrets->allocator;
	const lanewise_allocator *allocator = secrets->own_allocator ? &copy : NULL;

	lanewise_secrets_release_expressions(secrets, 0);
	list_free(allocator, &secrets->expressions);
	for (int k = 0; k < LW_SECRET_SETS; k++) {
		lanewise_scan_set_destroy(secrets->set[k]);
		list_free(allocator, &secrets->numbers[k]);
	}
	if (secrets->finder) {
		list_free(allocator, &secrets->finder->places);
		lw_release(allocator, secrets->finder, sizeof *secrets->finder);
	}
	list_free(allocator, &secrets->nodes);
	list_free(allocator, &secrets->sets);
	list_free(allocator, &secrets->rules);
	list_free(allocator, &secrets->anchors);
	list_free(allocator, &secrets->stops);
	list_free(allocator, &secrets->holds);
	list_free(allocator, &secrets->leads);
	list_free(allocator, &secrets->pool);
	lw_release(allocator, secrets, sizeof *secrets);
}

const char *lanewise_secrets_builtin_rules(size_t *n_bytes)
{
	*n_bytes = lanewise_secrets_builtin_bytes;
	return lanewise_secrets_builtin_text;
}

size_t lanewise_secrets_n_rules(const lanewise_secrets *secrets) { return secrets->rules.n; }

const char *lanewise_secrets_rule_name(const lanewise_secrets *secrets, size_t rule)
{
	if (rule >= secrets->rules.n)
		return NULL;
	return (const char *)lw_secrets_pool(secrets) + lw_secrets_rules(secrets)[rule].name;
}

const char *lanewise_secrets_rule_about(const lanewise_secrets *secrets, size_t rule)
{
	if (rule >= secrets->rules.n)
		return NULL;
	return (const char *)lw_secrets_pool(secrets) + lw_secrets_rules(secrets)[rule].about;
}
