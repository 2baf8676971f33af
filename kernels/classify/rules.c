/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From rules as text to a classifier. Every line has at most one keyword, negation or class, so the number of lines tells
 * how much memory is enough for all of them; numbers and strings in quotes are JSON's, and read as such.
 */
#include <lanewise/classify.h>
#include <lanewise/json.h>

#include "common.h"
#include "support.h"

enum { MAX_RULES = 1000000000 };

struct span {
	const char *text;
	size_t n;
};

struct parser {
	const char *rules, *end;
	size_t line; /* number of the line under way, from 1 */
	lanewise_error *error;
	struct span rest; /* of the line */

	lanewise_classifier_options options;
	lanewise_keyword *keywords;
	lanewise_pattern *negations;
	const char **names;
	size_t n_keywords, n_negations, n_classes;
	char *text; /* room for what strings become */
};

/* What is wrong with the line under way, at a place in the rules. */
__attribute__((format(printf, 3, 4))) static lanewise_status wrong_line(struct parser *p, const char *at,
                                                                        const char *format, ...)
{
	char what[160];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	return lw_fail(p->error, LANEWISE_ERROR_DATA, (uint64_t)(at - p->rules), "line %zu: %s", p->line, what);
}

/* ------------------------------------------------------------------ lines */

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static struct span trimmed(struct span s)
{
	while (s.n > 0 && is_blank(s.text[0])) {
		s.text++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.text[s.n - 1]))
		s.n--;
	return s;
}

/* Takes the first word off `s`. */
static struct span next_word(struct span *s)
{
	struct span word = { s->text, 0 };

	while (word.n < s->n && !is_blank(s->text[word.n]))
		word.n++;
	*s = trimmed((struct span) { s->text + word.n, s->n - word.n });
	return word;
}

static int is_word(struct span s, const char *word) { return s.n == strlen(word) && memcmp(s.text, word, s.n) == 0; }

/* A message's excerpt: a printf precision. */
static int shown(struct span s) { return s.n < 40 ? (int)s.n : 40; }

static lanewise_status read_number(struct parser *p, struct span s, const char *what, double low, double high,
                                   double *value)
{
	lanewise_json_node node;
	size_t n_nodes;

	if (lanewise_json_parse(s.text, s.n, NULL, &node, 1, &n_nodes, NULL) != LANEWISE_OK ||
	    node.type != LANEWISE_JSON_NUMBER)
		return wrong_line(p, s.text, "%s is no number: %.*s", what, shown(s), s.text);
	lanewise_json_f64(s.text, &node, value);
	if (!(*value >= low && *value <= high))
		return wrong_line(p, s.text, "%s is not in %g ... %g", what, low, high);
	*value += 0.0; /* -0 */
	return LANEWISE_OK;
}

/* The rest of the line as a text of its own, with a NUL behind it. */
static lanewise_status read_text(struct parser *p, const char *what, struct span *out)
{
	struct span s = p->rest;

	if (s.n > 0 && s.text[0] == '"') {
		lanewise_json_node node;
		lanewise_error error;
		size_t n_nodes;

		if (lanewise_json_parse(s.text, s.n, NULL, &node, 1, &n_nodes, &error) != LANEWISE_OK)
			return wrong_line(p, s.text + (error.offset < s.n ? error.offset : s.n), "%s in quotes: %s",
			                  what, error.what);
		lanewise_json_string(s.text, &node, p->text, s.n, &out->n);
	} else {
		memcpy(p->text, s.text, s.n);
		out->n = s.n;
	}
	if (out->n == 0)
		return wrong_line(p, s.text, "%s is missing", what);
	out->text = p->text;
	p->text += out->n;
	*p->text++ = '\0';
	return LANEWISE_OK;
}

/* ------------------------------------------------------------- statements */

static lanewise_status read_class(struct parser *p)
{
	struct span name = { "", 0 };
	lanewise_status status = read_text(p, "the class's name", &name);

	if (status != LANEWISE_OK)
		return status;
	if (strlen(name.text) < name.n)
		return wrong_line(p, p->rest.text, "the class's name has a NUL");
	if (p->n_classes == LANEWISE_CLASSES)
		return wrong_line(p, p->rest.text, "more than %d classes", LANEWISE_CLASSES);
	p->names[p->n_classes++] = name.text;
	return LANEWISE_OK;
}

static lanewise_status read_keyword(struct parser *p, struct span number)
{
	lanewise_keyword *keyword = &p->keywords[p->n_keywords];
	struct span text;
	lanewise_status status;

	if (p->n_classes == 0)
		return wrong_line(p, number.text, "a keyword before the first class");
	status = read_number(p, number, "the weight", -1e9, 1e9, &keyword->weight);
	if (status == LANEWISE_OK)
		status = read_text(p, "the keyword", &text);
	if (status != LANEWISE_OK)
		return status;
	keyword->bytes = text.text;
	keyword->n_bytes = text.n;
	keyword->class_index = (uint32_t)p->n_classes - 1;
	p->n_keywords++;
	return LANEWISE_OK;
}

static lanewise_status read_negation(struct parser *p)
{
	struct span text;
	lanewise_status status = read_text(p, "the negation", &text);

	if (status == LANEWISE_OK)
		p->negations[p->n_negations++] = (lanewise_pattern) { text.text, text.n };
	return status;
}

/* One of two words. */
static lanewise_status read_choice(struct parser *p, struct span value, const char *zero, const char *one, int32_t *out)
{
	if (!is_word(value, zero) && !is_word(value, one))
		return wrong_line(p, value.text, "the option's value is not %s or %s", zero, one);
	*out = is_word(value, one);
	return LANEWISE_OK;
}

static lanewise_status read_option(struct parser *p)
{
	lanewise_classifier_options *o = &p->options;
	struct span rest = p->rest, name = next_word(&rest), value = rest;
	double window = 0;

	if (is_word(name, "case"))
		return read_choice(p, value, "ignore", "match", &o->match_case);
	if (is_word(name, "words"))
		return read_choice(p, value, "whole", "any", &o->substrings);
	if (is_word(name, "overlap"))
		return read_choice(p, value, "yes", "no", &o->non_overlapping);
	if (is_word(name, "ties"))
		return read_choice(p, value, "first", "last", &o->last_of_equals);
	if (is_word(name, "bonus"))
		return read_number(p, value, "the bonus", -1e6, 1e6, &o->position_bonus);
	if (is_word(name, "negated"))
		return read_number(p, value, "the factor", -1e6, 1e6, &o->negated_factor);
	if (is_word(name, "min-score"))
		return read_number(p, value, "the score", 0, 1e300, &o->min_score);
	if (is_word(name, "min-confidence"))
		return read_number(p, value, "the confidence", 0, 1, &o->min_confidence);
	if (!is_word(name, "window"))
		return wrong_line(p, name.text, "there is no option %.*s", shown(name), name.text);

	lanewise_status status = read_number(p, value, "the window", 0, LANEWISE_NEGATION_WINDOW, &window);

	if (status == LANEWISE_OK && window > (uint32_t)window)
		return wrong_line(p, value.text, "the window is no whole number of bytes");
	o->negation_window = (uint32_t)window;
	return status;
}

static lanewise_status read_line(struct parser *p, struct span line)
{
	struct span word;

	p->rest = trimmed(line);
	if (p->rest.n == 0 || p->rest.text[0] == '#')
		return LANEWISE_OK;
	word = next_word(&p->rest);
	if (is_word(word, "class"))
		return read_class(p);
	if (is_word(word, "negation"))
		return read_negation(p);
	if (is_word(word, "option"))
		return read_option(p);
	if (word.text[0] == '-' || (word.text[0] >= '0' && word.text[0] <= '9'))
		return read_keyword(p, word);
	return wrong_line(p, word.text, "neither class, negation, option nor a keyword's weight: %.*s", shown(word),
	                  word.text);
}

static lanewise_status read_lines(struct parser *p)
{
	lanewise_status status = LANEWISE_OK;
	const char *at = p->rules;

	if (p->end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (at < p->end && status == LANEWISE_OK) {
		const char *newline = memchr(at, '\n', (size_t)(p->end - at)), *line_end = newline ? newline : p->end;

		p->line++;
		status = read_line(p, (struct span) { at, (size_t)(line_end - at) });
		at = newline ? newline + 1 : p->end;
	}
	if (status == LANEWISE_OK && p->n_keywords == 0)
		return lw_fail(p->error, LANEWISE_ERROR_DATA, (uint64_t)(p->end - p->rules), "there are no keywords");
	return status;
}

/* ----------------------------------------------------------------- public */

static lanewise_status create(struct parser *p, const lanewise_allocator *allocator, lanewise_classifier **classifier)
{
	lanewise_classifier_rules rules = {
		.struct_size = sizeof rules,
		.keywords = p->keywords,
		.n_keywords = p->n_keywords,
		.negations = p->negations,
		.n_negations = p->n_negations,
		.class_names = p->names,
		.n_classes = p->n_classes,
	};

	return lanewise_classifier_create(&rules, &p->options, allocator, classifier, p->error);
}

static size_t count_lines(const char *text, size_t n_bytes)
{
	size_t n = 1;

	for (const char *at = text, *end = text + n_bytes; at < end && (at = memchr(at, '\n', (size_t)(end - at)));
	     at++)
		n++;
	return n;
}

lanewise_status lanewise_classifier_parse(const char *rules, size_t n_bytes, const lanewise_allocator *allocator,
                                          lanewise_classifier **classifier, lanewise_error *error)
{
	if (classifier)
		*classifier = NULL;
	if (!classifier || (!rules && n_bytes > 0))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               classifier ? "rules" : "classifier");
	if (n_bytes > MAX_RULES)
		return lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET, "%zu bytes of rules", n_bytes);

	struct parser p = { .rules = rules ? rules : "", .error = error };
	size_t n_lines = count_lines(p.rules, n_bytes);
	size_t n_memory = n_lines * (sizeof *p.keywords + sizeof *p.negations + sizeof *p.names + 1) + n_bytes;
	void *memory = lw_allocate(allocator, n_memory);

	if (!memory)
		return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for the rules");
	p.end = p.rules + n_bytes;
	p.options = lanewise_classifier_defaults();
	p.keywords = memory;
	p.negations = (lanewise_pattern *)(p.keywords + n_lines);
	p.names = (const char **)(p.negations + n_lines);
	p.text = (char *)(p.names + n_lines);

	lanewise_status status = read_lines(&p);

	if (status == LANEWISE_OK)
		status = create(&p, allocator, classifier);
	lw_release(allocator, memory, n_memory);
	return status;
}
