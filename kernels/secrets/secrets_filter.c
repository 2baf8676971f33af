/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From rules to the filter of secrets_filter.h. An anchor is found by its run if its shape has one and begins where words
 * do; else by a window in it, rare or shared with other anchors. Windows are put into eight groups so that few bytes pass
 * where they are mixed. Frequencies are a guess about the text; they decide nothing but speed.
 */
#include "secrets/secrets.h"

#include <string.h>

#include "scan/scan_filter.h"
#include "support.h"

enum {
	MAX_ANCHORS = 1024, /* of more, the sets find them */
	MAX_WINDOWS = 128,
	MAX_RUN_WINDOWS = 120, /* of more, all that begins a run passes */
	MAX_CHAIN = 32,        /* anchors with the same key */
	MAX_CHOICES = 4096,
	GROUPS = 8
};

/* -------------------------------------------------------------------- runs */

static int is_of_run(uint8_t byte) { return byte >= LW_SECRET_RUN_LEAST && byte < 0x80; }

/* The least bytes of runs that something begins with, and whether it can be all of it. */
struct span {
	uint32_t least;
	int whole;
};

static struct span span_of_bytes(const uint8_t *bytes, uint32_t n)
{
	struct span span = { 0, 1 };

	while (span.least < n && is_of_run(bytes[span.least]))
		span.least++;
	span.whole = span.least == n;
	return span;
}

static struct span span_of_set(const uint8_t set[32], uint32_t least)
{
	struct span span = { least, 1 };

	for (int byte = 0; byte < 256; byte++)
		span.whole &= !lw_set_has(set, (uint8_t)byte) || is_of_run((uint8_t)byte);
	if (!span.whole)
		span.least = 0;
	return span;
}

static struct span span_of_sequence(const lanewise_secrets *secrets, uint32_t node);

static struct span span_of_group(const lanewise_secrets *secrets, const struct lw_node *group)
{
	const struct lw_node *nodes = lw_secrets_nodes(secrets);
	struct span span = { UINT32_MAX, 1 };

	for (uint32_t i = group->child; i != LW_NODE_NONE; i = nodes[i].next) {
		struct span other = span_of_sequence(secrets, nodes[i].child);

		span.least = other.least < span.least ? other.least : span.least;
		span.whole &= other.whole;
	}
	if (group->optional || group->child == LW_NODE_NONE)
		span.least = 0;
	return span;
}

static struct span span_of_sequence(const lanewise_secrets *secrets, uint32_t node)
{
	const struct lw_node *nodes = lw_secrets_nodes(secrets);
	struct span sum = { 0, 1 };

	for (; node != LW_NODE_NONE && sum.whole && sum.least < LW_SECRET_RUN_BYTES; node = nodes[node].next) {
		const struct lw_node *part = &nodes[node];
		struct span span = { 0, 1 };

		if (part->kind == LW_NODE_BYTES)
			span = span_of_bytes(lw_secrets_pool(secrets) + part->first, part->count);
		else if (part->kind == LW_NODE_SET)
			span = span_of_set(lw_secrets_set(secrets, part->set), part->first);
		else if (part->kind == LW_NODE_GROUP)
			span = span_of_group(secrets, part);
		sum.least += span.least;
		sum.whole = span.whole;
	}
	return sum;
}

/* Whether the shape wants an edge of a word right before the anchor. */
static int has_edge_before(const lanewise_secrets *secrets, const struct lw_secret_rule *rule)
{
	const struct lw_node *nodes = lw_secrets_nodes(secrets);

	for (uint32_t i = rule->before; i != LW_NODE_NONE; i = nodes[i].next)
		if (nodes[i].kind == LW_NODE_EDGE)
			return 1;
		else if (nodes[i].kind != LW_NODE_OPEN && nodes[i].kind != LW_NODE_CLOSE)
			return 0;
	return 0;
}

/* Whether a word begins at a byte of the anchor and what follows from there is a run. */
static int has_run(const lanewise_secrets *secrets, const struct lw_secret_anchor *anchor, uint32_t at)
{
	const struct lw_secret_rule *rule = &lw_secrets_rules(secrets)[anchor->rule];
	const uint8_t *bytes = lw_secrets_pool(secrets) + anchor->first;

	if (!lw_secret_is_word(bytes[at]) || (at ? lw_secret_is_word(bytes[at - 1]) : !has_edge_before(secrets, rule)))
		return 0;

	struct span span = span_of_bytes(bytes + at, anchor->count - at);

	if (span.whole)
		span.least += span_of_sequence(secrets, rule->after).least;
	return span.least >= LW_SECRET_RUN_BYTES;
}

/* ----------------------------------------------------------------- windows */

/* A place in an anchor where a window may be. */
struct choice {
	uint32_t anchor, offset, bytes;
	int narrow;
	float cost;
};

/*
 * A group of windows: which lower halves their bytes have at each place, and which upper ones at LW_SECRET_SHARP; and
 * which classes they have.
 */
struct group {
	uint64_t classes[LW_SECRET_PLACES];
	uint16_t low[LW_SECRET_PLACES], high;
};

struct draft {
	struct lw_rules_reader *reader;
	lanewise_secrets *secrets;
	struct lw_secret_finder *finder;
	uint8_t done[MAX_ANCHORS]; /* anchors that have their place */
	uint8_t n_with_key[2 << LW_SECRET_KEY_BITS];
	struct choice choices[MAX_CHOICES];
	struct group run_windows[MAX_RUN_WINDOWS];
	size_t n_choices, n_run_windows, n_windows, n_groups;
	struct group windows[MAX_WINDOWS], groups[MAX_WINDOWS];
	uint8_t group_of[MAX_WINDOWS];
	int by_classes; /* how groups are formed: by classes, or by halves of bytes */
	float follows[128][128], passes[MAX_WINDOWS], more[MAX_WINDOWS][MAX_WINDOWS];
};

static void add_byte(struct group *group, int place, uint8_t byte)
{
	group->classes[place] |= UINT64_C(1) << byte % LW_SECRET_CLASSES;
	group->low[place] |= (uint16_t)(1 << (byte & 15));
	if (place == LW_SECRET_SHARP)
		group->high |= (uint16_t)(1 << (byte >> 4));
}

static int ignores_case(const lanewise_secrets *secrets, const struct lw_secret_anchor *anchor)
{
	return lw_secrets_rules(secrets)[anchor->rule].ignore_case;
}

/* A choice's bytes, in both cases if the rule ignores them, into a group. */
static void add_window(const struct draft *d, const struct choice *choice, struct group *group)
{
	const struct lw_secret_anchor *anchor = &lw_secrets_anchors(d->secrets)[choice->anchor];
	const uint8_t *bytes = lw_secrets_pool(d->secrets) + anchor->first + choice->offset;

	for (int j = 0; j < LW_SECRET_PLACES - choice->narrow; j++) {
		uint8_t folded = bytes[j] | 0x20;

		add_byte(group, j, bytes[j]);
		if (folded >= 'a' && folded <= 'z' && ignores_case(d->secrets, anchor)) {
			add_byte(group, j, folded);
			add_byte(group, j, folded & 0xdf);
		}
	}
	if (choice->narrow) {
		group->classes[LW_SECRET_PLACES - 1] = UINT64_MAX;
		group->low[LW_SECRET_PLACES - 1] = 0xffff;
	}
}

/* Adds an anchor at one of its bytes to those that are looked up there; 0 if it cannot be. */
static int add_place(struct draft *d, uint32_t number, uint32_t offset, int narrow)
{
	const struct lw_secret_anchor *anchor = &lw_secrets_anchors(d->secrets)[number];
	const uint8_t *begin = lw_secrets_pool(d->secrets) + anchor->first, *bytes = begin + offset;
	uint8_t four[LW_SECRET_PLACES] = { bytes[0], bytes[1], bytes[2], narrow ? 0 : bytes[3] };
	uint32_t folded = lw_secret_bytes(four), key = lw_secret_key(narrow ? lw_secret_narrow(folded) : folded);
	uint32_t place_key = narrow || offset < 4 ? key : lw_secret_deep_key(lw_secret_bytes(bytes - 4), folded);
	struct lw_secret_place *place =
	        d->n_with_key[place_key] < MAX_CHAIN
	                ? lanewise_secrets_list_add(d->reader, &d->finder->places, 1, MAX_ANCHORS)
	                : NULL;

	if (!place)
		return 0;
	*place = (struct lw_secret_place) {
		.offset = (uint16_t)offset,
		.count = (uint16_t)anchor->count,
		.anchor = number,
		.bytes = anchor->first,
		.ignore_case = (uint16_t)ignores_case(d->secrets, anchor),
		.set = (uint16_t)lanewise_secrets_set_of(d->secrets, anchor),
		.key = place_key,
	};
	for (uint32_t i = 0; i < anchor->count; i++)
		if (i + 8 >= offset && i < offset + 8) {
			uint32_t k = i + 8 - offset;
			uint8_t letter = begin[i] | 0x20;
			uint64_t bits = place->ignore_case && letter >= 'a' && letter <= 'z' ? 0xdf : 0xff;

			place->near[k / 8] |= (uint64_t)begin[i] << k % 8 * 8;
			place->near_mask[k / 8] |= bits << k % 8 * 8;
		} else {
			place->is_long = 1;
		}
	d->n_with_key[place_key]++;
	(narrow ? d->finder->filter.narrow : d->finder->filter.wide)[key / 64] |= UINT64_C(1) << key % 64;
	d->done[number] = 1;
	return 1;
}

/* How often a text has such bytes. */
static float cost_of(const uint8_t *bytes, uint32_t n, int ignore_case)
{
	float cost = lanewise_scan_frequency_of(bytes, n, ignore_case);

	for (uint32_t i = 1; i < n; i++)
		if (bytes[i] == bytes[i - 1] && ((bytes[i] | 0x20) < 'a' || (bytes[i] | 0x20) > 'z'))
			cost *= 0.5f / lanewise_scan_frequency(bytes[i]); /* rules of text are drawn with them */
	return cost;
}

/* d->follows[a][b]: how often b comes behind a. */
static void count_pairs(struct draft *d)
{
	for (int a = 0; a < 128; a++)
		for (int b = 0; b < 128; b++) {
			const uint8_t pair[2] = { (uint8_t)a, (uint8_t)b };

			d->follows[a][b] = lanewise_scan_frequency_of(pair, 2, 0) / lanewise_scan_frequency((uint8_t)a);
		}
}

/* The printable bytes of a group at a place; how many. Others are too rare to matter. */
static int bytes_at(const struct draft *d, const struct group *group, int place, uint8_t bytes[128])
{
	int n = 0;

	if (d->by_classes) {
		for (uint64_t left = group->classes[place]; left; left &= left - 1) {
			uint8_t byte = (uint8_t)__builtin_ctzll(left);

			if (byte >= 32)
				bytes[n++] = byte;
			bytes[n++] = byte + LW_SECRET_CLASSES;
		}
		return n;
	}
	for (int half = 2; half < 8; half++)
		if (place != LW_SECRET_SHARP || group->high >> half & 1)
			for (uint32_t low = group->low[place]; low; low &= low - 1)
				bytes[n++] = (uint8_t)(half << 4 | __builtin_ctz(low));
	return n;
}

/* Whether a group may have any byte at a place. */
static int is_any(const struct draft *d, const struct group *group, int place)
{
	if (d->by_classes)
		return group->classes[place] == UINT64_MAX;
	return group->low[place] == 0xffff && place != LW_SECRET_SHARP;
}

/* How many of the places in a text pass, if a byte depends on the one before it only. */
static float passes(const struct draft *d, const struct group *group)
{
	float share[2][128], sum = 0;
	uint8_t bytes[2][128];
	int n = bytes_at(d, group, 0, bytes[0]), n_before;

	for (int i = 0; i < n; i++)
		share[0][i] = lanewise_scan_frequency(bytes[0][i]);
	for (int j = 1; j < LW_SECRET_PLACES; j++) {
		const float *before = share[(j - 1) % 2];

		if (is_any(d, group, j))
			break;
		n_before = n;
		n = bytes_at(d, group, j, bytes[j % 2]);
		for (int i = 0; i < n; i++) {
			share[j % 2][i] = 0;
			for (int k = 0; k < n_before; k++)
				share[j % 2][i] += before[k] * d->follows[bytes[(j - 1) % 2][k]][bytes[j % 2][i]];
		}
		sum = 0;
		for (int i = 0; i < n; i++)
			sum += share[j % 2][i];
	}
	return sum;
}

/* The anchor by its run, at the rarest place there is; 0 if none is. */
static int take_run(struct draft *d, uint32_t number)
{
	const struct lw_secret_anchor *anchor = &lw_secrets_anchors(d->secrets)[number];
	const uint8_t *bytes = lw_secrets_pool(d->secrets) + anchor->first;
	uint32_t best = LW_NODE_NONE;
	float least = 0;

	for (uint32_t at = 0; at + 3 <= anchor->count; at++) {
		float cost = cost_of(bytes + at, at + 4 <= anchor->count ? 4 : 3, 0);

		if (has_run(d->secrets, anchor, at) && (best == LW_NODE_NONE || cost < least)) {
			best = at;
			least = cost;
		}
	}
	if (best == LW_NODE_NONE || !add_place(d, number, best, best + 4 > anchor->count))
		return 0;

	const struct choice choice = { .anchor = number, .offset = best, .narrow = best + 4 > anchor->count };
	struct group window = { 0 };

	add_window(d, &choice, &window);
	for (size_t i = 0; i < d->n_run_windows && i < MAX_RUN_WINDOWS; i++)
		if (memcmp(d->run_windows[i].low, window.low, sizeof window.low) == 0 &&
		    d->run_windows[i].high == window.high)
			return 1;
	if (d->n_run_windows++ < MAX_RUN_WINDOWS)
		d->run_windows[d->n_run_windows - 1] = window;
	return 1;
}

static void list_choices(struct draft *d, uint32_t number)
{
	/* What a candidate costs that gets through the table, in places that do not. */
	const float price = 0.5f;
	const struct lw_secret_anchor *anchor = &lw_secrets_anchors(d->secrets)[number];
	const uint8_t *bytes = lw_secrets_pool(d->secrets) + anchor->first;
	int narrow = anchor->count < LW_SECRET_PLACES;
	uint32_t width = LW_SECRET_PLACES - (uint32_t)narrow;

	for (uint32_t at = 0; at + width <= anchor->count && d->n_choices < MAX_CHOICES; at++) {
		struct choice *choice = &d->choices[d->n_choices];
		struct group group = { 0 };
		uint8_t four[LW_SECRET_PLACES] = { 0 }, any = 0;

		memcpy(four, bytes + at, width);
		for (uint32_t j = 0; j < width; j++)
			any |= four[j];
		if (any >= 0x80)
			continue;
		*choice = (struct choice) { number, at, lw_secret_bytes(four), narrow, 0 };
		add_window(d, choice, &group);
		choice->cost = price * cost_of(four, width, ignores_case(d->secrets, anchor)) + passes(d, &group);
		d->n_choices++;
	}
}

static int same_window(const struct choice *a, const struct choice *b)
{
	return a->bytes == b->bytes && a->narrow == b->narrow;
}

static int comes_after(const struct choice *a, const struct choice *b)
{
	return a->narrow != b->narrow ? a->narrow > b->narrow : a->bytes > b->bytes;
}

/* By window, so that anchors with the same one stand together. */
static void sort_choices(struct draft *d)
{
	for (size_t gap = d->n_choices / 2; gap > 0; gap /= 2)
		for (size_t i = gap; i < d->n_choices; i++) {
			struct choice choice = d->choices[i];
			size_t j = i;

			for (; j >= gap && comes_after(&d->choices[j - gap], &choice); j -= gap)
				d->choices[j] = d->choices[j - gap];
			d->choices[j] = choice;
		}
}

/* The first of the choices with the same window, their end, and how many of their anchors have no place yet. */
struct window {
	size_t begin, end;
	uint32_t n_anchors;
};

static struct window window_of(const struct draft *d, size_t i)
{
	struct window window = { i, i, 0 };

	while (window.begin > 0 && same_window(&d->choices[window.begin - 1], &d->choices[i]))
		window.begin--;
	for (i = window.begin; i < d->n_choices && same_window(&d->choices[i], &d->choices[window.begin]); i++)
		window.n_anchors += !d->done[d->choices[i].anchor];
	window.end = i;
	return window;
}

/* The window of an anchor that is rarest for the anchors which it finds; it finds all of them. 0 if there is no room. */
static int take_window(struct draft *d, uint32_t number)
{
	struct window best = { 0 };
	float least = 0;

	for (size_t i = 0; i < d->n_choices; i++) {
		struct window window = d->choices[i].anchor == number ? window_of(d, i) : (struct window) { 0 };

		if (window.n_anchors > 0 &&
		    (best.n_anchors == 0 || d->choices[i].cost / (float)window.n_anchors < least)) {
			best = window;
			least = d->choices[i].cost / (float)window.n_anchors;
		}
	}
	if (best.n_anchors == 0 || d->n_windows == MAX_WINDOWS)
		return 0;

	struct group *group = &d->windows[d->n_windows++];

	for (size_t i = best.begin; i < best.end; i++) {
		const struct choice *choice = &d->choices[i];

		if (d->done[choice->anchor])
			continue;
		add_window(d, choice, group);
		if (!add_place(d, choice->anchor, choice->offset, choice->narrow))
			return 0;
	}
	return 1;
}

/* ------------------------------------------------------------------ groups */

static void add_group(struct group *sum, const struct group *group)
{
	for (int j = 0; j < LW_SECRET_PLACES; j++) {
		sum->classes[j] |= group->classes[j];
		sum->low[j] |= group->low[j];
	}
	sum->high |= group->high;
}

static struct group both(struct group a, const struct group *b)
{
	add_group(&a, b);
	return a;
}

/* The group of a number without one of its windows. */
static struct group group_without(const struct draft *d, size_t number, size_t window)
{
	struct group sum = { 0 };

	for (size_t i = 0; i < d->n_windows; i++)
		if (d->group_of[i] == number && i != window)
			add_group(&sum, &d->windows[i]);
	return sum;
}

/* Sets how much more passes if a group is joined with another. */
static void compare_group(struct draft *d, size_t a)
{
	d->passes[a] = passes(d, &d->groups[a]);
	for (size_t i = 0; i < d->n_groups; i++) {
		struct group sum = both(d->groups[i], &d->groups[a]);

		if (i != a)
			d->more[i][a] = d->more[a][i] = passes(d, &sum) - d->passes[a] - d->passes[i];
	}
}

static void join(struct draft *d, size_t a, size_t b)
{
	size_t last = --d->n_groups;

	add_group(&d->groups[a], &d->groups[b]);
	for (size_t i = 0; i < d->n_windows; i++)
		d->group_of[i] = (uint8_t)(d->group_of[i] == b ? a : d->group_of[i] == last ? b : d->group_of[i]);
	d->groups[b] = d->groups[last];
	d->passes[b] = d->passes[last];
	for (size_t i = 0; i < last; i++)
		d->more[b][i] = d->more[i][b] = d->more[last][i];
	compare_group(d, a);
}

/* The two groups that gain least from each other are joined until there are few enough. */
static void join_groups(struct draft *d)
{
	for (size_t i = 0; i < d->n_windows; i++) {
		d->groups[i] = d->windows[i];
		d->group_of[i] = (uint8_t)i;
		d->n_groups = i + 1;
		compare_group(d, i);
	}
	while (d->n_groups > GROUPS) {
		size_t a = 0, b = 1;

		for (size_t i = 0; i < d->n_groups; i++)
			for (size_t k = i + 1; k < d->n_groups; k++)
				if (d->more[i][k] < d->more[a][b]) {
					a = i;
					b = k;
				}
		join(d, a, b);
	}
}

/* Moves a window to the group where it adds least; 1 if that is another. */
static int move_window(struct draft *d, size_t window)
{
	size_t from = d->group_of[window], best = from;
	struct group rest = group_without(d, from, window);
	float least = passes(d, &d->groups[from]) - passes(d, &rest);

	for (size_t i = 0; i < d->n_groups; i++) {
		struct group sum = both(d->groups[i], &d->windows[window]);
		float more = passes(d, &sum) - passes(d, &d->groups[i]);

		if (i != from && more < least * 0.999f) {
			best = i;
			least = more;
		}
	}
	if (best == from)
		return 0;
	d->groups[from] = rest;
	add_group(&d->groups[best], &d->windows[window]);
	d->group_of[window] = (uint8_t)best;
	return 1;
}

static void form_groups(struct draft *d)
{
	enum { MOST_ROUNDS = 2 };
	int moved = 1;

	join_groups(d);
	for (int round = 0; moved && round < MOST_ROUNDS; round++) {
		moved = 0;
		for (size_t i = 0; i < d->n_windows; i++)
			moved |= move_window(d, i);
	}
}

static void write_groups(const struct draft *d, struct lw_secret_windows *windows)
{
	for (size_t i = 0; i < d->n_groups; i++)
		for (int half = 0; half < 16; half++) {
			for (int j = 0; j < LW_SECRET_PLACES; j++)
				windows->low[j][half] |= (uint8_t)((d->groups[i].low[j] >> half & 1) << i);
			windows->high[half] |= (uint8_t)((d->groups[i].high >> half & 1) << i);
		}
}

static void write_classes(const struct draft *d, uint8_t classes[LW_SECRET_PLACES][LW_SECRET_CLASSES])
{
	for (size_t i = 0; i < d->n_groups; i++)
		for (int j = 0; j < LW_SECRET_PLACES; j++)
			for (int c = 0; c < LW_SECRET_CLASSES; c++)
				classes[j][c] |= (uint8_t)((d->groups[i].classes[j] >> c & 1) << i);
}

/* Adds a window to the group where it adds least. */
static void add_to_best(struct draft *d, const struct group *window)
{
	size_t best = 0;
	float least = 0, sums[GROUPS];

	for (size_t i = 0; i < GROUPS; i++) {
		struct group sum = both(d->groups[i], window);

		sums[i] = passes(d, &sum);
		if (i == 0 || sums[i] - d->passes[i] < least) {
			best = i;
			least = sums[i] - d->passes[i];
		}
	}
	add_group(&d->groups[best], window);
	d->passes[best] = sums[best];
}

/* Where runs begin, all of their anchors' windows, or any bytes. */
static void write_runs(struct draft *d)
{
	struct lw_secret_windows *runs = &d->finder->filter.runs;

	if (d->n_run_windows > MAX_RUN_WINDOWS) {
		memset(runs, 0xff, sizeof *runs);
		return;
	}
	memset(d->groups, 0, sizeof d->groups);
	memset(d->passes, 0, sizeof d->passes);
	d->n_groups = GROUPS;
	for (size_t i = 0; i < d->n_run_windows; i++)
		add_to_best(d, &d->run_windows[i]);
	write_groups(d, runs);
}

/* Places with the same key stand together; 0 if there is no memory. */
static int sort_places(struct draft *d)
{
	struct lw_list *list = &d->finder->places;
	size_t n = list->n;
	struct lw_secret_place *places, *end = lanewise_secrets_list_add(d->reader, list, 1, MAX_ANCHORS + 1);

	if (!end)
		return 0;
	*end = (struct lw_secret_place) { .key = LW_NODE_NONE };
	places = list->items;
	for (size_t gap = n / 2; gap > 0; gap /= 2)
		for (size_t i = gap; i < n; i++) {
			struct lw_secret_place place = places[i];
			size_t j = i;

			for (; j >= gap && places[j - gap].key > place.key; j -= gap)
				places[j] = places[j - gap];
			places[j] = place;
		}
	for (size_t i = n; i-- > 0;)
		d->finder->first[places[i].key] = (uint16_t)i;
	return 1;
}

static int find_places(struct draft *d)
{
	uint32_t n = (uint32_t)d->secrets->anchors.n;

	count_pairs(d);
	for (uint32_t i = 0; i < n; i++)
		if (lw_secrets_anchors(d->secrets)[i].count < 3)
			return 0;
		else if (!take_run(d, i))
			list_choices(d, i);
	sort_choices(d);
	/* Short ones first: they have the least choice. */
	for (uint32_t length = 3; length <= d->secrets->reach.anchor; length++)
		for (uint32_t i = 0; i < n; i++)
			if (lw_secrets_anchors(d->secrets)[i].count == length && !d->done[i] && !take_window(d, i))
				return 0;
	d->by_classes = 1;
	form_groups(d);
	write_classes(d, d->finder->filter.classes);
	d->by_classes = 0;
	form_groups(d);
	write_groups(d, &d->finder->filter.windows);
	write_runs(d);
	return sort_places(d);
}

int lanewise_secrets_make_finder(struct lw_rules_reader *reader)
{
	lanewise_secrets *secrets = reader->secrets;
	const lanewise_allocator *allocator = reader->allocator;

	if (secrets->anchors.n == 0 || secrets->anchors.n > MAX_ANCHORS)
		return 1;

	struct draft *d = lw_allocate(allocator, sizeof *d);
	struct lw_secret_finder *finder = lw_allocate(allocator, sizeof *finder);
	int made = 0;

	if (d && finder) {
		memset(d, 0, sizeof *d);
		memset(finder, 0, sizeof *finder);
		finder->places.item_bytes = sizeof(struct lw_secret_place);
		d->reader = reader;
		d->secrets = secrets;
		d->finder = finder;
		made = find_places(d);
	} else {
		reader->status =
		        lw_fail(reader->error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for rules");
	}
	lw_release(allocator, d, sizeof *d);
	if (made) {
		secrets->finder = finder;
		return 1;
	}
	if (finder && d)
		lw_release(allocator, finder->places.items, finder->places.capacity * finder->places.item_bytes);
	lw_release(allocator, finder, sizeof *finder);
	return reader->status == LANEWISE_OK;
}
