/* SPDX-License-Identifier: Apache-2.0 */
/* The examples in a text of rules, tried. */
#include "secrets/secrets.h"

#include <string.h>

#include "common.h"
#include "support.h"

enum { MAX_EXAMPLE = 1 << 16 };

/* Where things are tried: one block of memory, of n_bytes. */
struct trial {
	const lanewise_secrets *secrets;
	void *scratch;
	char *example; /* as text, MAX_EXAMPLE bytes */
	size_t n_example;
	lanewise_error *error;
	size_t n_examples;
};

/* splitmix64: the same bytes everywhere. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* %{36 a-z}, of which %{ was read: so many bytes of the set, each chosen by chance, but not twice the same in a row. */
static void add_random(struct lw_rules_reader *reader, struct trial *trial, uint64_t *state)
{
	uint8_t set[32], bytes[256];
	size_t n = 0, n_bytes = 0;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && n < MAX_EXAMPLE)
		n = n * 10 + (size_t)(*reader->at++ - '0');
	if (reader->at == reader->end || *reader->at++ != ' ' || n > MAX_EXAMPLE - trial->n_example) {
		lanewise_secrets_wrong(reader, "in examples %%{ begins a number, a space, a set and }");
		return;
	}
	if (!lanewise_secrets_read_set(reader, '}', set))
		return;
	for (int b = 0; b < 256; b++)
		if (lw_set_has(set, (uint8_t)b))
			bytes[n_bytes++] = (uint8_t)b;
	for (size_t i = 0, last = n_bytes; i < n; i++) {
		size_t chosen = next_random(state) % n_bytes;

		if (chosen == last && n_bytes > 1)
			chosen = (chosen + 1) % n_bytes;
		last = chosen;
		trial->example[trial->n_example++] = (char)bytes[chosen];
	}
}

/* Turns the rest of the line into the text that it stands for. */
static void read_example(struct lw_rules_reader *reader, struct trial *trial)
{
	uint64_t state = (uint64_t)(reader->end - reader->at);

	trial->n_example = 0;
	while (reader->at < reader->end && reader->status == LANEWISE_OK) {
		char c = *reader->at++, next = reader->at < reader->end ? *reader->at : '\0';

		if (c == '%' && next == '{') {
			reader->at++;
			add_random(reader, trial, &state);
			continue;
		}
		if (c == '\\') {
			reader->at++;
			if (next != 'n' && next != 't' && next != '\\')
				lanewise_secrets_wrong(reader, "in examples a backslash is \\\\");
			c = next == 'n' ? '\n' : next == 't' ? '\t' : '\\';
		}
		if (trial->n_example == MAX_EXAMPLE)
			lanewise_secrets_wrong(reader, "an example of more than %d bytes", MAX_EXAMPLE);
		else
			trial->example[trial->n_example++] = c;
	}
}

/* 1 or 0; -1: an expression was given up, so nobody knows. */
static int finds(const struct trial *trial, uint32_t rule)
{
	lanewise_secrets_search *search =
	        lanewise_secrets_begin(trial->secrets, trial->example, trial->n_example, trial->scratch);
	lanewise_secret found;
	int there = 0;

	while (lanewise_secrets_next(search, &found, 1) > 0)
		there |= found.rule == rule;
	return there || !lanewise_secrets_n_undecided(search) ? there : -1;
}

/* One line of rules that were read before without an error; `rule` counts them. */
static void try_line(struct lw_rules_reader *reader, struct trial *trial, uint32_t *rule)
{
	const char *begin;
	size_t n;

	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
		reader->at++;
	while (reader->end > reader->at && strchr(" \t\r", reader->end[-1]))
		reader->end--;
	begin = reader->at;
	while (reader->at < reader->end && *reader->at != ' ' && *reader->at != '\t')
		reader->at++;
	n = (size_t)(reader->at - begin);
	if (n == 4 && memcmp(begin, "rule", n) == 0)
		++*rule;

	int is_true = n == 4 && memcmp(begin, "true", n) == 0, is_false = n == 5 && memcmp(begin, "false", n) == 0;

	if (!is_true && !is_false)
		return;
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
		reader->at++;
	read_example(reader, trial);
	trial->n_examples++;
	if (reader->status != LANEWISE_OK)
		return;

	int found = finds(trial, *rule);

	if (found == is_true)
		return;
	reader->at = begin;
	lanewise_secrets_wrong(reader, "%s %s this example", lanewise_secrets_rule_name(trial->secrets, *rule),
	                       found < 0 ? "cannot decide"
	                       : is_true ? "finds no secret in"
	                                 : "finds a secret in");
}

static lanewise_status try_text(struct trial *trial, const char *text, size_t n_bytes)
{
	struct lw_rules_reader reader = { .text = text, .error = trial->error };
	uint32_t rule = UINT32_MAX;

	for (const char *at = text, *end = text + n_bytes; at < end && reader.status == LANEWISE_OK;) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));

		reader.at = at;
		reader.end = line_end ? line_end : end;
		at = line_end ? line_end + 1 : end;
		try_line(&reader, trial, &rule);
	}
	return reader.status;
}

lanewise_status lanewise_secrets_check_examples(const char *rules, size_t n_bytes, const lanewise_regex_engine *regex,
                                                const lanewise_allocator *allocator, size_t *n_examples,
                                                lanewise_error *error)
{
	lanewise_secrets_options options = { sizeof options, 0, 1, regex };
	struct trial trial = { .error = error };
	lanewise_secrets *secrets;
	lanewise_status status;

	if (!rules)
		rules = lanewise_secrets_builtin_rules(&n_bytes);
	status = lanewise_secrets_create(rules, n_bytes, &options, allocator, &secrets, error);
	if (status != LANEWISE_OK)
		return status;

	size_t n_scratch = lanewise_secrets_scratch_size(secrets);

	trial.secrets = secrets;
	trial.scratch = lw_allocate(allocator, n_scratch + MAX_EXAMPLE);
	if (trial.scratch) {
		trial.example = (char *)trial.scratch + n_scratch;
		status = try_text(&trial, rules, n_bytes);
		lw_release(allocator, trial.scratch, n_scratch + MAX_EXAMPLE);
	} else {
		status = lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for examples");
	}
	lanewise_secrets_destroy(secrets);
	if (n_examples)
		*n_examples = trial.n_examples;
	return status;
}
