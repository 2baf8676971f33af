/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules for secrets as they are used.
 *
 * A shape is nodes in an array, linked by their numbers. Parts before the anchor are linked from right to left, in
 * groups too, and matched in that direction. No node gives back what it has taken, so matching is one walk, and what a
 * set takes is remembered per node (struct lw_secret_run): candidates whose runs overlap read the common part once.
 */
#ifndef LW_SECRETS_H
#define LW_SECRETS_H

#include <lanewise/scan.h>
#include <lanewise/secrets.h>

#include "secrets/secrets_filter.h"

enum {
	LW_SECRET_JUDGED = 256, /* bytes of a secret that entropy and stop words are looked for in */
	LW_SHAPE_MANY = 16384,  /* what * and + and {m,} take at most */
	LW_SHAPE_DEPTH = 24,    /* parentheses in parentheses, fragments included */
	LW_SECRET_RUN_RULES = 8,
	LW_SECRET_SETS = 3
};

#define LW_NODE_NONE UINT32_MAX

enum lw_node_kind {
	LW_NODE_BYTES,       /* `count` bytes in the pool, at `first` */
	LW_NODE_SET,         /* `first` to `count` bytes of set number `set`; `run` is its memory */
	LW_NODE_GROUP,       /* the first alternative that fits */
	LW_NODE_NOT,         /* none of the alternatives */
	LW_NODE_ALTERNATIVE, /* among a group's children: its child begins the sequence, which takes a byte of `set` first */
	LW_NODE_EDGE,
	LW_NODE_OPEN,
	LW_NODE_CLOSE,
	LW_NODE_ANCHOR
};

struct lw_node {
	uint8_t kind, optional;
	uint32_t first, count, set, run;
	uint32_t next, child;
};

struct lw_byte_set {
	uint8_t bits[32];
};

static inline int lw_set_has(const uint8_t set[32], uint8_t byte) { return set[byte / 8] >> byte % 8 & 1; }

enum { LW_NEED_DIGIT = 1, LW_NEED_LETTER = 2, LW_NEED_LOWER = 4, LW_NEED_UPPER = 8, LW_NEED_SYMBOL = 16 };

/* Sets of what a sequence takes first may be LW_NODE_NONE: any byte, or none. */
struct lw_secret_rule {
	uint32_t name, about; /* in the pool, NUL behind them */
	uint32_t before, after;
	uint32_t first, last; /* the sets of what `after` and, from right to left, `before` take first */
	uint32_t lead; /* the automaton of what may follow the anchor, in steps of LW_LEAD_STEP, or LW_NODE_NONE */
	uint32_t expression; /* or LW_NODE_NONE */
	int ignore_case, is_run;
	uint32_t need;
	double entropy;
	uint32_t run_set, run_min, run_max;
	uint32_t stop[2][2]; /* first and number of the default stop words and of its own */
};

/*
 * An automaton that a rule's anchors are tried with before anything else: the class of each of 256 bytes, then for each
 * state, from LW_LEAD_FIRST on, the next ones by class. LW_LEAD_NONE: it fits no more; LW_LEAD_ALL: nothing more is known.
 */
enum {
	LW_LEAD_NONE,
	LW_LEAD_ALL,
	LW_LEAD_FIRST,
	LW_LEAD_CLASS_BITS = 5,
	LW_LEAD_STEP = 64,
	LW_LEAD_BYTES = 64 /* of text that are looked at */
};

struct lw_secret_stop {
	uint32_t first, count; /* in the pool, folded */
	int whole;
};

/* A rule's regular expression, and how much of the text before and behind the anchor it sees. */
struct lw_secret_expression {
	void *compiled;
	uint32_t before, behind;
};

/* A rule's anchor. */
struct lw_secret_anchor {
	uint32_t first, count; /* in the pool */
	uint32_t rule;
};

/* An array that grows. */
struct lw_list {
	void *items;
	size_t n, capacity, item_bytes;
};

/* That some place is an anchor's, which begins so many bytes before it. */
struct lw_secret_place {
	/* What of the anchor lies in the eight bytes before the place and from it on; and the bits that count of it. */
	uint64_t near[2], near_mask[2];
	uint16_t offset, count; /* of the anchor's bytes */
	uint32_t anchor, bytes; /* in the pool */
	uint16_t ignore_case, set;
	uint32_t key;
	int is_long; /* more of the anchor than that */
};

/*
 * The key of the places in anchors that have four bytes or more before them: of these too, as many anchors may have the
 * same window, "token" say. All such keys are behind the others.
 */
static inline uint32_t lw_secret_deep_key(uint32_t before, uint32_t bytes)
{
	return 1u << LW_SECRET_KEY_BITS | lw_secret_key(before * 0x85ebca6bu ^ bytes);
}

/* How anchors are found without reading all of a text for each set of them. */
struct lw_secret_finder {
	struct lw_secret_filter filter;
	uint16_t first[2 << LW_SECRET_KEY_BITS]; /* by key: the first place; those with the same key follow */
	struct lw_list places;                   /* by key; behind the last is one with no key */
};

/*
 * A secret of some rule may begin up to `most` bytes before its anchor, all of this set; so of text whose anchors are yet
 * to come, a run of the set at the end may belong to a secret.
 */
struct lw_secret_hold {
	uint8_t set[32];
	uint64_t most;
};

/* The most bytes that rules look at or take, for streams. */
struct lw_secret_reach {
	uint64_t before, anchor, after; /* the anchor; before it, behind it */
	uint64_t window; /* of `before`, what expressions see: a secret may begin there, whatever it is */
	uint64_t run;    /* of a rule of runs */
};

struct lanewise_secrets {
	struct lw_list nodes, sets, rules, anchors, stops, pool;
	struct lw_list holds; /* struct lw_secret_hold */
	struct lw_list leads; /* bytes */
	struct lw_list expressions;
	lanewise_regex_engine regex; /* if there are any */
	struct lw_secret_reach reach;
	uint32_t n_runs;                         /* nodes of kind LW_NODE_SET */
	uint32_t run_rules[LW_SECRET_RUN_RULES]; /* the rules of runs */
	uint32_t n_run_rules;
	/*
	 * Anchors that are searched for together: short ones, those of rules that ignore case, others. One short anchor
	 * would shorten the windows by which all of a set are found, and one that ignores case double their spellings.
	 */
	lanewise_scan_set *set[LW_SECRET_SETS]; /* NULL: there are none */
	struct lw_list numbers[LW_SECRET_SETS]; /* uint32_t: the anchor that a pattern is */
	struct lw_secret_finder *finder;        /* or NULL: only the sets find anchors */
	double n_log_n[LW_SECRET_JUDGED + 1];   /* n * log2 n */
	lanewise_allocator allocator;
	int own_allocator;
};

static inline const struct lw_node *lw_secrets_nodes(const lanewise_secrets *secrets) { return secrets->nodes.items; }
static inline const struct lw_secret_rule *lw_secrets_rules(const lanewise_secrets *secrets)
{
	return secrets->rules.items;
}
static inline const struct lw_secret_anchor *lw_secrets_anchors(const lanewise_secrets *secrets)
{
	return secrets->anchors.items;
}
static inline const uint8_t *lw_secrets_pool(const lanewise_secrets *secrets) { return secrets->pool.items; }
static inline const uint8_t *lw_secrets_set(const lanewise_secrets *secrets, uint32_t set)
{
	return ((const struct lw_byte_set *)secrets->sets.items)[set].bits;
}

/* ---------------------------------------------------------------- reading rules */

/* A text of rules that is being read. */
struct lw_rules_reader {
	lanewise_secrets *secrets;
	const lanewise_allocator *allocator;
	const char *text, *at, *end; /* at ... end is what is left of the line, or of the fragment within */
	uint32_t line;
	lanewise_status status;
	lanewise_error *error;

	struct lw_list fragments; /* of the text: struct lw_fragment */
	const lanewise_regex_engine *regex;
	int ignore_case; /* of the rule under way */
	int depth, in_fragment, n_at;
};

struct lw_fragment {
	const char *name, *shape;
	size_t name_bytes, shape_bytes;
};

/* Room for `count` more items, or NULL with the reader's status set. */
void *lanewise_secrets_list_add(struct lw_rules_reader *reader, struct lw_list *list, size_t count, size_t limit);

/* Compiles the expression up to reader->end, of the rule of this name; its number. */
uint32_t lanewise_secrets_read_expression(struct lw_rules_reader *reader, const char *rule, const uint32_t window[2]);

/* Gives up the expressions from this number on. */
void lanewise_secrets_release_expressions(lanewise_secrets *secrets, size_t from);

/* Sets the reader's status and error, with the line and the place reader->at, unless there is one, and returns NONE. */
__attribute__((format(printf, 2, 3))) uint32_t lanewise_secrets_wrong(struct lw_rules_reader *reader,
                                                                      const char *format, ...);

/* Reads a set's inside up to `closing`, behind which reader->at is then; 0 if it is wrong. */
int lanewise_secrets_read_set(struct lw_rules_reader *reader, char closing, uint8_t set[32]);

/* Reads SET or a byte and {m,n}. */
int lanewise_secrets_read_run(struct lw_rules_reader *reader, uint32_t *set, uint32_t *min, uint32_t *max);

/* Reads a shape up to reader->end into the nodes before the anchor, from right to left, and behind it. */
int lanewise_secrets_read_shape(struct lw_rules_reader *reader, uint32_t *before, uint32_t *after);

/* Reads a fragment to see whether it is right. */
int lanewise_secrets_check_fragment(struct lw_rules_reader *reader);

/* Sets the reach and the holds of all rules; 0 if there is no memory. */
int lanewise_secrets_measure(struct lw_rules_reader *reader);

/* Sets what all rules' sequences take first; 0 if there is no memory. */
int lanewise_secrets_find_firsts(struct lw_rules_reader *reader);

/* The set of anchors that one belongs to. */
uint32_t lanewise_secrets_set_of(const lanewise_secrets *secrets, const struct lw_secret_anchor *anchor);

/* Sets all rules' leads; 0 if there is no memory. */
int lanewise_secrets_find_leads(struct lw_rules_reader *reader);

/* Makes secrets->finder, or leaves it NULL if anchors are too many or too short; 0 if there is no memory. */
int lanewise_secrets_make_finder(struct lw_rules_reader *reader);

/* ------------------------------------------------------------------- matching */

/* Whether a rule's anchor that lies at text[begin ... end) of n bytes known may be a candidate, as far as a few tell. */
static inline int lw_secrets_may_match(const lanewise_secrets *secrets, const struct lw_secret_rule *rule,
                                       const uint8_t *text, size_t begin, size_t end, size_t n)
{
	const uint8_t *class_of, *next;
	size_t state = LW_LEAD_FIRST, stop = n - end < LW_LEAD_BYTES ? n : end + LW_LEAD_BYTES;

	if (rule->last != LW_NODE_NONE && begin > 0 &&
	    !lw_set_has(lw_secrets_set(secrets, rule->last), text[begin - 1]))
		return 0;
	if (rule->lead == LW_NODE_NONE)
		return 1;
	class_of = (const uint8_t *)secrets->leads.items + (size_t)rule->lead * LW_LEAD_STEP;
	next = class_of + 256;
	for (size_t i = end; i < stop && state >= LW_LEAD_FIRST; i++)
		state = next[(state - LW_LEAD_FIRST) << LW_LEAD_CLASS_BITS | class_of[text[i]]];
	return state != LW_LEAD_NONE;
}

/* What a node's set took last: text[from ... to) is of the set; `ended` if no more is in the direction of reading. */
struct lw_secret_run {
	size_t from, to;
	int ended;
};

struct lw_secret_matcher {
	const lanewise_secrets *secrets;
	const uint8_t *text; /* the whole, or that part of it which may still matter */
	size_t n;
	int ended, touched;         /* the text ends at n; what is behind n would have decided the last candidate */
	int cut;                    /* there was text before this */
	struct lw_secret_run *runs; /* [n_runs], all with from > to at first */

	void *regex_scratch;
	uint32_t *undecided; /* by expression, no more than are tried */
	uint64_t n_undecided;
};

enum { LW_CHARACTER_BYTES = 4 }; /* of UTF-8 */

/*
 * Matches the rule of an anchor that lies at text[begin ... end); 1 and the finding, its offsets those in matcher->text,
 * or 0; -1 if that takes more text.
 */
int lanewise_secrets_match(struct lw_secret_matcher *matcher, uint32_t anchor, size_t begin, size_t end,
                           lanewise_secret *found);

/*
 * Tries the rule's expression on the window of the anchor at text[begin ... end); 1, and the secret and all that was matched
 * in `found`, or 0, or -1 as above.
 */
int lanewise_secrets_match_expression(struct lw_secret_matcher *matcher, const struct lw_secret_rule *rule,
                                      size_t begin, size_t end, lanewise_secret *found);

/* Whether what has the right shape is a secret. */
int lanewise_secrets_judge(const lanewise_secrets *secrets, const struct lw_secret_rule *rule, const uint8_t *secret,
                           size_t n_bytes);

/* The bytes of the built-in rules; made by the build from share/secrets.rules. */
extern const char lanewise_secrets_builtin_text[];
extern const size_t lanewise_secrets_builtin_bytes;

#endif
