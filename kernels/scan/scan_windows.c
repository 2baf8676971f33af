/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From patterns to the windows of scan_filter.h: of each pattern the part that is least frequent by a table of byte
 * frequencies in text and code, then windows into groups so that few bytes pass where they are mixed.
 *
 * Frequencies are a guess about the text; they decide nothing but speed.
 */
#include "scan/scan_filter.h"
#include "scan/scan_set.h"

enum { GROUPS = 8 /* in a bank */ };

/* Of 20,000 bytes of English, C, Python and Perl documentation. */
static const uint16_t frequencies[128] = {
	100, 1,   1,   1,   1,   1,   1,    1,   1,   56,  539,  1,   1,   1,    1,   1,   1,   1,   1,   1,   1,   1,
	1,   1,   1,   1,   1,   1,   1,    1,   1,   1,   4416, 5,   129, 69,   8,   10,  8,   239, 181, 182, 149, 15,
	260, 119, 185, 84,  85,  65,  48,   43,  25,  18,  26,   12,  20,  16,   93,  38,  28,  89,  37,  9,   6,   83,
	25,  84,  49,  120, 43,  34,  31,   89,  4,   13,  68,   49,  90,  71,   70,  5,   91,  106, 113, 50,  17,  22,
	31,  16,  19,  27,  55,  27,  4,    390, 7,   732, 170,  411, 424, 1407, 339, 198, 302, 788, 18,  73,  478, 293,
	774, 714, 306, 20,  765, 719, 1000, 320, 100, 113, 93,   145, 25,  15,   19,  15,  7,   1,
};

static float frequency(uint8_t byte) { return (byte < 128 ? frequencies[byte] : 1) / 20000.0f; }

/* Of a byte or, where case is ignored, of both spellings. */
static float frequency_of(uint8_t byte, int ignore_case)
{
	if (ignore_case && byte >= 'a' && byte <= 'z')
		return frequency(byte) + frequency(byte & 0xdf);
	return frequency(byte);
}

/* Which halves of bytes a group has at each place, and how often a text would pass it. */
struct group {
	uint16_t low[LW_SCAN_WIDTH], high[LW_SCAN_WIDTH];
	float passes;
};

struct draft {
	uint32_t windows[LW_SCAN_WINDOWS]; /* folded where case is ignored; the first byte is the lowest */
	struct group groups[LW_SCAN_WINDOWS];
	size_t n, n_windows; /* groups, and windows */
	uint32_t width;
	int ignore_case;
	uint16_t share[16][2][256]; /* by high half of a byte, which eight of the low halves, and a set of these */
};

static uint8_t pattern_byte(const lanewise_pattern *pattern, size_t i, int ignore_case)
{
	uint8_t byte = ((const uint8_t *)pattern->bytes)[i];

	return ignore_case ? lw_scan_fold(byte) : byte;
}

/* --------------------------------------------------------------- windows */

static size_t rarest_offset(const lanewise_pattern *pattern, uint32_t width, int ignore_case)
{
	size_t best = 0;
	float least = 2;

	for (size_t offset = 0; offset + width <= pattern->n_bytes && offset <= LW_SCAN_MAX_OFFSET; offset++) {
		float product = 1;

		for (uint32_t j = 0; j < width; j++)
			product *= frequency_of(pattern_byte(pattern, offset + j, ignore_case), ignore_case);
		if (product < least) {
			least = product;
			best = offset;
		}
	}
	return best;
}

/* Inserts a window in order of its bytes, unless it is there. */
static void add_window(struct draft *d, uint32_t window)
{
	size_t i = d->n;

	while (i > 0 && __builtin_bswap32(d->windows[i - 1]) > __builtin_bswap32(window))
		i--;
	if (i > 0 && d->windows[i - 1] == window)
		return;
	memmove(d->windows + i + 1, d->windows + i, (d->n - i) * sizeof *d->windows);
	d->windows[i] = window;
	d->n++;
}

static void choose_windows(struct draft *d, struct lanewise_scan_set *set, const lanewise_pattern *patterns)
{
	for (uint32_t i = 0; i < set->n_patterns; i++) {
		size_t offset = rarest_offset(&patterns[i], d->width, d->ignore_case);
		uint32_t window = 0;

		for (uint32_t j = 0; j < d->width; j++)
			window |= (uint32_t)pattern_byte(&patterns[i], offset + j, d->ignore_case) << 8 * j;
		add_window(d, window);
		if (offset > set->max_offset)
			set->max_offset = (uint32_t)offset;
	}
}

/* ----------------------------------------------------------------- groups */

/* What a row of sixteen bytes adds for every choice of its first and of its last eight. */
static void fill_shares(struct draft *d)
{
	for (uint32_t row = 0; row < 16; row++)
		for (uint32_t i = 1; i < 256; i++) {
			uint32_t bit = (uint32_t)__builtin_ctz(i), byte = 16 * row + bit;

			d->share[row][0][i] =
			        (uint16_t)(d->share[row][0][i & (i - 1)] + (byte < 128 ? frequencies[byte] : 1));
			byte += 8;
			d->share[row][1][i] =
			        (uint16_t)(d->share[row][1][i & (i - 1)] + (byte < 128 ? frequencies[byte] : 1));
		}
}

/* How often a byte passes the group at a place. */
static float passes_place(const struct draft *d, const struct group *g, uint32_t place)
{
	uint32_t sum = 0, low = g->low[place];

	for (uint32_t rows = g->high[place]; rows; rows &= rows - 1) {
		const uint16_t(*share)[256] = d->share[__builtin_ctz(rows)];

		sum += (uint32_t)share[0][low & 0xff] + share[1][low >> 8];
	}
	return (float)sum / 20000.0f;
}

static void rate(const struct draft *d, struct group *g)
{
	g->passes = 1;
	for (uint32_t j = 0; j < d->width; j++)
		g->passes *= passes_place(d, g, j);
}

static void mark_byte(struct group *g, uint32_t place, uint8_t byte)
{
	g->low[place] |= (uint16_t)(1u << (byte & 15));
	g->high[place] |= (uint16_t)(1u << (byte >> 4));
}

static void begin_group(const struct draft *d, struct group *g, uint32_t window)
{
	*g = (struct group) { .passes = 0 };
	for (uint32_t j = 0; j < d->width; j++) {
		uint8_t byte = (uint8_t)(window >> 8 * j);

		mark_byte(g, j, byte);
		if (d->ignore_case && byte >= 'a' && byte <= 'z')
			mark_byte(g, j, byte & 0xdf);
	}
	rate(d, g);
}

static struct group merged(const struct draft *d, const struct group *a, const struct group *b)
{
	struct group both = *a;

	for (uint32_t j = 0; j < d->width; j++) {
		both.low[j] |= b->low[j];
		both.high[j] |= b->high[j];
	}
	rate(d, &both);
	return both;
}

/* Joins the neighbours that it costs least to join, until there are `most` groups or fewer. */
static void form_groups(struct draft *d, size_t most)
{
	float cost[LW_SCAN_WINDOWS]; /* of joining group i with i + 1 */
	size_t n = d->n;

	for (size_t i = 0; i < n; i++)
		begin_group(d, &d->groups[i], d->windows[i]);
	for (size_t i = 0; i + 1 < n; i++)
		cost[i] = merged(d, &d->groups[i], &d->groups[i + 1]).passes - d->groups[i].passes -
		          d->groups[i + 1].passes;
	for (; n > most; n--) {
		size_t best = 0;

		for (size_t i = 1; i + 1 < n; i++)
			if (cost[i] < cost[best])
				best = i;
		d->groups[best] = merged(d, &d->groups[best], &d->groups[best + 1]);
		memmove(d->groups + best + 1, d->groups + best + 2, (n - best - 2) * sizeof *d->groups);
		memmove(cost + best, cost + best + 1, (n - best - 2) * sizeof *cost);
		for (size_t i = best ? best - 1 : 0; i <= best && i + 2 < n; i++)
			cost[i] = merged(d, &d->groups[i], &d->groups[i + 1]).passes - d->groups[i].passes -
			          d->groups[i + 1].passes;
	}
	d->n = n;
}

/*
 * Neighbours need not be alike behind their first byte. So each window is moved to the group where it costs least, as
 * long as that gains; what passes is then a third or so of what it was.
 */
struct placement {
	struct group alone[LW_SCAN_WINDOWS]; /* each window as a group */
	uint8_t in[LW_SCAN_WINDOWS];         /* the group it is in */
	size_t n;
};

static int is_within(const struct group *a, const struct group *b, uint32_t width)
{
	for (uint32_t j = 0; j < width; j++)
		if ((a->low[j] & ~b->low[j]) || (a->high[j] & ~b->high[j]))
			return 0;
	return 1;
}

/* The group `number` of all windows in it but one. */
static struct group without(const struct draft *d, const struct placement *p, uint8_t number, size_t left_out)
{
	struct group g = { .passes = 0 };

	for (size_t i = 0; i < p->n; i++)
		for (uint32_t j = 0; p->in[i] == number && i != left_out && j < d->width; j++) {
			g.low[j] |= p->alone[i].low[j];
			g.high[j] |= p->alone[i].high[j];
		}
	rate(d, &g);
	return g;
}

/* Moves a window to where it costs least; 1 if that is another group. */
static int move_window(struct draft *d, struct placement *p, size_t i)
{
	uint8_t from = p->in[i], to = from;
	struct group rest = without(d, p, from, i);
	float least = d->groups[from].passes - rest.passes;

	for (uint8_t k = 0; k < d->n; k++) {
		struct group both = merged(d, &d->groups[k], &p->alone[i]);

		/* A little better is not worth another round. */
		if (k != from && both.passes - d->groups[k].passes < 0.99f * least) {
			least = both.passes - d->groups[k].passes;
			to = k;
		}
	}
	if (to == from)
		return 0;
	d->groups[from] = rest;
	d->groups[to] = merged(d, &d->groups[to], &p->alone[i]);
	p->in[i] = to;
	return 1;
}

static void improve_groups(struct draft *d, size_t n_windows)
{
	enum { ROUNDS = 5 };
	struct placement p = { .n = n_windows };

	if (n_windows == d->n)
		return;
	for (size_t i = 0; i < n_windows; i++) {
		begin_group(d, &p.alone[i], d->windows[i]);
		while (!is_within(&p.alone[i], &d->groups[p.in[i]], d->width))
			p.in[i]++;
	}
	for (uint8_t k = 0; k < d->n; k++) /* a window may be within several: now each is in one only */
		d->groups[k] = without(d, &p, k, n_windows);
	for (int round = 0, moved = 1; round < ROUNDS && moved; round++) {
		moved = 0;
		for (size_t i = 0; i < n_windows; i++)
			moved |= move_window(d, &p, i);
	}
}

/* How often a text would pass any group, by the bytes at the places of which `places` has the bits. */
static float passes_at(const struct draft *d, uint32_t places)
{
	float sum = 0;

	for (size_t g = 0; g < d->n; g++) {
		float product = 1;

		for (uint32_t j = 0; j < d->width; j++)
			if (places >> j & 1)
				product *= passes_place(d, &d->groups[g], j);
		sum += product;
	}
	return sum;
}

/*
 * Each place costs the kernel about the same. Once fewer than one position in thirty thousand passes, a further place
 * would save less than it costs.
 */
static void choose_places(const struct draft *d, struct lw_scan_filter *filter)
{
	uint32_t chosen = 0, least = filter->n_banks == 2 ? 3 : 1; /* with two banks the kernel has but 3 and 4 */

	while (filter->n_places < d->width && (filter->n_places < least || passes_at(d, chosen) > 0.00003f)) {
		uint32_t best = LW_SCAN_WIDTH;

		for (uint32_t j = 0; j < d->width; j++)
			if (!(chosen >> j & 1) && (best == LW_SCAN_WIDTH ||
			                           passes_at(d, chosen | 1u << j) < passes_at(d, chosen | 1u << best)))
				best = j;
		filter->place[filter->n_places++] = best;
		chosen |= 1u << best;
	}
}

/* A single window is found by its two rarest bytes, compared; the same twice if it has but one. */
static void choose_bytes(const struct draft *d, struct lw_scan_filter *filter)
{
	uint32_t window = d->windows[0];
	uint32_t *place = filter->place;

	for (uint32_t j = 1; j < d->width; j++)
		if (frequency((uint8_t)(window >> 8 * j)) < frequency((uint8_t)(window >> 8 * place[0])))
			place[0] = j;
	place[1] = d->width > 1 && place[0] == 0 ? 1 : 0;
	for (uint32_t j = 0; j < d->width; j++)
		if (j != place[0] &&
		    frequency((uint8_t)(window >> 8 * j)) < frequency((uint8_t)(window >> 8 * place[1])))
			place[1] = j;
	for (int i = 0; i < 2; i++)
		filter->byte[i] = (uint8_t)(window >> 8 * place[i]);
}

static void write_tables(const struct draft *d, struct lw_scan_filter *filter)
{
	for (size_t g = 0; g < d->n; g++)
		for (uint32_t j = 0; j < filter->n_places; j++)
			for (int half = 0; half < 16; half++) {
				const struct group *group = &d->groups[g];

				uint8_t *low = &filter->low[g / GROUPS][j][half],
				        *high = &filter->high[g / GROUPS][j][half];

				*low |= (uint8_t)((group->low[filter->place[j]] >> half & 1) << g % GROUPS);
				*high |= (uint8_t)((group->high[filter->place[j]] >> half & 1) << g % GROUPS);
			}
}

/* ------------------------------------------------------------------ slots */

static int put_slot(struct lw_scan_filter *filter, uint8_t *n_used, uint32_t window)
{
	uint32_t i = window * filter->multiplier >> (32 - LW_SCAN_SLOT_BITS);

	if (n_used[i] == LW_SCAN_SLOT_DEPTH)
		return 0;
	filter->slot[i][n_used[i]++] = window;
	return 1;
}

/* A window in all its spellings: `places` has a bit for each byte that is a letter, and its subsets are the capitals. */
static int put_spellings(const struct draft *d, struct lw_scan_filter *filter, uint8_t *n_used, uint32_t window)
{
	uint32_t letters = 0;

	for (uint32_t j = 0; d->ignore_case && j < d->width; j++) {
		uint8_t byte = (uint8_t)(window >> 8 * j);

		if (byte >= 'a' && byte <= 'z')
			letters |= UINT32_C(0x20) << 8 * j;
	}
	for (uint32_t capitals = letters;; capitals = (capitals - 1) & letters) {
		if (!put_slot(filter, n_used, window ^ capitals))
			return 0;
		if (capitals == 0)
			return 1;
	}
}

/* With the next multiplier that leaves no slot too full; 0 if there is none among a few. */
static int fill_slots(const struct draft *d, struct lw_scan_filter *filter)
{
	for (uint32_t attempt = 0; attempt < 8; attempt++) {
		uint8_t n_used[1 << LW_SCAN_SLOT_BITS] = { 0 };
		size_t i = 0;

		filter->multiplier = UINT32_C(0x9e3779b1) + (attempt << 17);
		for (int s = 0; s < 1 << LW_SCAN_SLOT_BITS; s++)
			for (int k = 0; k < LW_SCAN_SLOT_DEPTH; k++)
				filter->slot[s][k] = d->windows[0];
		while (i < d->n && put_spellings(d, filter, n_used, d->windows[i]))
			i++;
		if (i == d->n)
			return 1;
	}
	return 0;
}

/* Puts windows into groups; how many positions will pass. */
static float group_windows(struct draft *d, size_t most)
{
	float passes = 0;

	d->n = d->n_windows;
	form_groups(d, most);
	improve_groups(d, d->n_windows);
	for (size_t g = 0; g < d->n; g++)
		passes += d->groups[g].passes;
	return passes;
}

int lanewise_scan_build_filter(struct lanewise_scan_set *set, const lanewise_pattern *patterns, int ignore_case,
                               struct lw_scan_filter *filter, int *pays)
{
	struct draft d = { .ignore_case = ignore_case };
	float passes = 0;

	*pays = 0;
	memset(filter, 0, sizeof *filter);
	if (set->n_patterns > LW_SCAN_WINDOWS)
		return 0;
	d.width = set->min_length < LW_SCAN_WIDTH ? set->min_length : LW_SCAN_WIDTH;
	filter->width = set->width = d.width;
	filter->mask = UINT32_MAX >> 8 * (4 - d.width);
	choose_windows(&d, set, patterns);
	d.n_windows = d.n;
	if (!fill_slots(&d, filter))
		return 0;
	/* Another bank makes the kernel a half slower, and what passes a tenth. */
	filter->n_banks = 1;
	fill_shares(&d);
	passes = group_windows(&d, GROUPS);
	if (d.n == GROUPS && d.width >= 3 && passes > 0.0015f) {
		filter->n_banks = 2;
		passes = group_windows(&d, 2 * GROUPS);
	}
	if (d.n == 1 && !ignore_case) {
		choose_bytes(&d, filter);
	} else {
		choose_places(&d, filter);
		write_tables(&d, filter);
	}
	*pays = passes < (set->all_rows ? 0.06f : 0.25f); /* an automaton of rows is read faster */
	return 1;
}
