/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From patterns to the windows of scan_filter.h: of each pattern the part that is least frequent by a table of byte
 * frequencies in text and code, then windows into groups so that few bytes pass where they are mixed.
 *
 * Frequencies are a guess about the text; they decide nothing but speed. What is chosen does not depend on the kernel in
 * use, since a set is the same bytes wherever it is made: it is weighed by halves, which let about as much pass.
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

/* How often a letter follows another, in percent of how often it would if letters were independent; of prose and code. */
static const uint16_t pairs[26]
                           [26] = {
	                           { 1,   205, 217, 157, 3,   35,  174, 3,  57,  42, 295, 367, 230,
	                             331, 1,   123, 42,  256, 164, 246, 70, 263, 56, 94,  150, 75 },
	                           { 184, 57,  34, 20, 243, 30, 11, 2,   144, 2000, 17, 404, 34,
	                             10,  178, 17, 11, 125, 77, 11, 477, 12,  9,    21, 854, 195 },
	                           { 238, 12,  61, 12, 146, 9,  4,   508, 92, 3,  1074, 168, 29,
	                             5,   422, 71, 31, 78,  17, 191, 209, 26, 10, 22,   61,  17 },
	                           { 75, 39, 11, 76, 262, 18, 26, 5,   222, 1059, 5,  55, 13,
	                             7,  97, 11, 33, 34,  58, 7,  135, 36,  19,   14, 94, 5 },
	                           { 80,  30, 137, 282, 24,  144, 66, 8,  12,  16, 24,  140, 133,
	                             183, 10, 72,  443, 291, 192, 82, 10, 158, 77, 755, 80,  19 },
	                           { 100, 10,  13, 18, 59,  206, 6,  17,  349, 1, 3, 136, 6,
	                             7,   286, 8,  11, 121, 18,  57, 160, 3,   5, 4, 70,  4 },
	                           { 77, 16, 30, 9, 240, 12, 68, 219, 169, 7,  10, 90, 80,
	                             81, 62, 16, 1, 148, 82, 23, 169, 31,  11, 15, 84, 323 },
	                           { 316, 7,   3, 8, 527, 3,  2,  2,  244, 1,  11, 12, 19,
	                             5,   175, 5, 9, 45,  10, 46, 50, 7,   54, 4,  79, 3 },
	                           { 54,  147, 244, 124, 35, 253, 220, 1, 2,   11, 89,  203, 196,
	                             619, 164, 75,  73,  61, 211, 206, 8, 346, 1,  177, 1,   911 },
	                           { 111, 15,  21, 28,  325, 9,   6, 4,   14, 31, 210, 5, 59,
	                             4,   229, 90, 174, 2,   760, 4, 550, 26, 7,  5,   3, 5 },
	                           { 74, 25, 15, 14, 455, 26,  72, 10, 205, 13, 26, 41, 17,
	                             60, 20, 31, 35, 8,   119, 12, 67, 17,  80, 5,  76, 5 },
	                           { 201, 32,  17, 128, 249, 186, 15, 3,   268, 6,  70, 317, 13,
	                             3,   195, 27, 7,   4,   73,  55, 179, 61,  22, 6,  523, 47 },
	                           { 352, 341, 9,   97, 314, 10, 5, 1,   139, 3, 36, 36,  179,
	                             9,   180, 502, 31, 2,   48, 6, 124, 28,  3, 15, 535, 5 },
	                           { 92, 8,   186, 432, 114, 72,  828, 7,   67,  45, 139, 43, 12,
	                             20, 107, 21,  26,  3,   130, 217, 109, 110, 9,  8,   99, 60 },
	                           { 22,  130, 110, 169, 8,   473, 74, 4,   29,  48,  237, 124, 316,
	                             379, 46,  215, 7,   390, 61,  74, 336, 250, 378, 52,  18,  26 },
	                           { 288, 9,   23,  27, 209, 16, 14,  93,  90, 4,  41, 281, 28,
	                             20,  248, 199, 83, 274, 44, 102, 226, 21, 12, 14, 146, 154 },
	                           { 3, 9, 2,  12,   1,  10, 3, 1,    4,  1,   2,  713, 13,
	                             2, 1, 10, 1149, 43, 43, 8, 2000, 46, 565, 10, 1,   18 },
	                           { 154, 42,  64, 79, 259, 31,  155, 6,  184, 5,  211, 43,  120,
	                             86,  193, 34, 12, 64,  113, 74,  98, 85,  25, 4,   242, 4 },
	                           { 35, 9,   80,  5,   182, 12,  10,  174, 157, 4,  130, 25, 45,
	                             6,  105, 161, 550, 6,   116, 256, 207, 29,  43, 5,   93, 12 },
	                           { 124, 9,   32, 16, 175, 20, 5,  908, 202, 5,  7,  27,  21,
	                             2,   166, 37, 9,  130, 64, 27, 148, 11,  65, 21, 228, 22 },
	                           { 71,  452, 133, 81, 60,  68,  142, 1, 87, 4, 12, 281, 314,
	                             282, 12,  219, 1,  318, 310, 197, 3, 9,  1, 31, 5,   28 },
	                           { 389, 19,  16, 5, 619, 15, 10, 2, 331, 3,  5,  7,  36,
	                             7,   126, 9,  9, 4,   10, 6,  9, 6,   45, 25, 43, 27 },
	                           { 270, 13,  16, 26, 155, 6,  9, 759, 460, 2,  72, 38, 7,
	                             73,  213, 9,  3,  78,  43, 4, 6,   8,   49, 15, 21, 3 },
	                           { 52, 20, 239, 16, 116, 32, 6,   17, 131, 3,  3,   29,  91,
	                             6,  21, 713, 28, 5,   41, 377, 29, 22,  10, 304, 103, 129 },
	                           { 19, 34, 30,  15, 34, 5,  121, 2, 32, 3,   4,  49, 103,
	                             30, 88, 353, 14, 20, 96, 34,  6, 9,  198, 15, 6,  105 },
	                           { 170, 14, 9,  7,  585, 22, 4, 9,  243, 3,  9, 87,  41,
	                             3,   85, 14, 25, 5,   14, 7, 18, 11,  13, 3, 123, 820 },
                           };

float lanewise_scan_frequency(uint8_t byte) { return (byte < 128 ? frequencies[byte] : 1) / 20000.0f; }

/* Of a byte or, where case is ignored, of both spellings. */
static float frequency_of(uint8_t byte, int ignore_case)
{
	if (ignore_case && byte >= 'a' && byte <= 'z')
		return lanewise_scan_frequency(byte) + lanewise_scan_frequency(byte & 0xdf);
	return lanewise_scan_frequency(byte);
}

/*
 * What bytes a group has at each place, and how often a text would pass it. By halves of bytes, bits 0 to 15 of a set are
 * lower halves, bits 16 to 31 upper ones; or a bit is a class.
 */
struct group {
	uint64_t set[LW_SCAN_WIDTH];
	float passes;
};

struct draft {
	uint32_t windows[LW_SCAN_WINDOWS]; /* folded where case is ignored; the first byte is the lowest */
	struct group groups[LW_SCAN_WINDOWS];
	size_t n, n_windows; /* groups, and windows */
	uint32_t width;
	int ignore_case;
	int by_classes;             /* how groups are formed */
	uint16_t share[16][2][256]; /* by high half of a byte, which eight of the low halves, and a set of these */
	uint16_t class_share[LW_SCAN_CLASSES / 8][256]; /* by which eight of the classes, and a set of these */
};

static uint8_t pattern_byte(const lanewise_pattern *pattern, size_t i, int ignore_case)
{
	uint8_t byte = ((const uint8_t *)pattern->bytes)[i];

	return ignore_case ? lw_scan_fold(byte) : byte;
}

/* --------------------------------------------------------------- windows */

/* What a byte adds to the probability of the window, behind the one before it. */
static float follows(uint8_t before, uint8_t byte, int ignore_case)
{
	uint8_t a = lw_scan_fold(before), b = lw_scan_fold(byte);
	int letters = a >= 'a' && a <= 'z' && b >= 'a' && b <= 'z';

	return frequency_of(byte, ignore_case) * (float)(letters ? pairs[a - 'a'][b - 'a'] : 100) / 100;
}

float lanewise_scan_frequency_of(const uint8_t *bytes, size_t n, int ignore_case)
{
	float product = n ? frequency_of(bytes[0], ignore_case) : 1;

	for (size_t i = 1; i < n; i++)
		product *= follows(bytes[i - 1], bytes[i], ignore_case);
	return product;
}

static float probability(const struct draft *d, uint32_t window)
{
	float product = frequency_of((uint8_t)window, d->ignore_case);

	for (uint32_t j = 1; j < d->width; j++)
		product *= follows((uint8_t)(window >> 8 * (j - 1)), (uint8_t)(window >> 8 * j), d->ignore_case);
	return product;
}

static uint32_t window_at(const struct draft *d, const lanewise_pattern *pattern, size_t offset)
{
	uint32_t window = 0;

	for (uint32_t j = 0; j < d->width; j++)
		window |= (uint32_t)pattern_byte(pattern, offset + j, d->ignore_case) << 8 * j;
	return window;
}

/* How many patterns use a window, in a hash table where nothing is taken out again. */
enum { CHOICES = 3, LOOKED_AT = 2048, USES_LOG = 13, USES = 1 << USES_LOG };

struct uses {
	struct {
		uint32_t window;
		uint16_t known, n;
	} at[USES];
};

_Static_assert(USES > CHOICES * LOOKED_AT + LW_SCAN_WINDOWS, "the table is never full");

static uint32_t uses_of(const struct uses *uses, uint32_t window)
{
	size_t i = window * UINT32_C(0x9e3779b1) >> (32 - USES_LOG);

	while (uses->at[i].known && uses->at[i].window != window)
		i = (i + 1) % USES;
	return uses->at[i].known ? uses->at[i].n : 0;
}

static void change_use(struct uses *uses, uint32_t window, int by)
{
	size_t i = window * UINT32_C(0x9e3779b1) >> (32 - USES_LOG);

	while (uses->at[i].known && uses->at[i].window != window)
		i = (i + 1) % USES;
	uses->at[i].window = window;
	uses->at[i].known = 1;
	uses->at[i].n = (uint16_t)(uses->at[i].n + by);
}

/* The best window of a pattern, at most `limit` bytes behind its beginning: one in use anyway, or else the rarest. */
static uint16_t best_offset(const struct draft *d, const struct uses *uses, const lanewise_pattern *pattern,
                            size_t limit)
{
	float least = 2;
	uint16_t best = 0;

	for (uint16_t offset = 0; offset + d->width <= pattern->n_bytes && offset <= limit; offset++) {
		uint32_t window = window_at(d, pattern, offset);
		float cost = probability(d, window) * (uses_of(uses, window) ? 1e-3f : 1);

		if (cost < least) {
			least = cost;
			best = offset;
		}
	}
	return best;
}

/* Chooses windows, all again in view of the others' some times; returns how often a text would have one of them. */
static float choose_offsets(const struct draft *d, size_t n, const lanewise_pattern *patterns, size_t limit,
                            uint16_t *offsets)
{
	struct uses uses;
	float sum = 0;

	memset(&uses, 0, sizeof uses);
	for (int choice = 0; choice < CHOICES; choice++)
		for (size_t i = 0; i < n; i++) {
			if (choice > 0)
				change_use(&uses, window_at(d, &patterns[i], offsets[i]), -1);
			offsets[i] = best_offset(d, &uses, &patterns[i], limit);
			change_use(&uses, window_at(d, &patterns[i], offsets[i]), 1);
		}
	for (size_t i = 0; i < USES; i++)
		if (uses.at[i].n > 0)
			sum += probability(d, uses.at[i].window);
	return sum;
}

/*
 * How far from their patterns' beginnings windows may be: the farther, the rarer they are and the more patterns share one,
 * but the more the automaton reads for each candidate.
 */
static size_t choose_limit(const struct draft *d, size_t n, const lanewise_pattern *patterns, uint16_t *offsets)
{
	enum { STEPS = 24 }; /* what a candidate costs beside that, in steps of the automaton */
	size_t best = 0;
	float least = 0;

	for (size_t limit = 0; limit <= LW_SCAN_MAX_OFFSET; limit = limit ? 2 * limit : 2) {
		float cost = choose_offsets(d, n, patterns, limit, offsets) * (float)(STEPS + limit);

		if (limit == 0 || cost < least) {
			least = cost;
			best = limit;
		}
	}
	return best;
}

/* Inserts a window in order of its bytes, unless it is there; 0 if there is no room. */
static int add_window(struct draft *d, uint32_t window)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (d->windows[middle] == window)
			return 1;
		if (__builtin_bswap32(d->windows[middle]) < __builtin_bswap32(window))
			low = middle + 1;
		else
			high = middle;
	}
	if (d->n == LW_SCAN_WINDOWS)
		return 0;
	memmove(d->windows + low + 1, d->windows + low, (d->n - low) * sizeof *d->windows);
	d->windows[low] = window;
	d->n++;
	return 1;
}

static void choose_windows(struct draft *d, struct lanewise_scan_set *set, const lanewise_pattern *patterns)
{
	uint16_t offsets[LW_SCAN_WINDOWS];
	size_t limit = choose_limit(d, set->n_patterns, patterns, offsets);

	choose_offsets(d, set->n_patterns, patterns, limit, offsets);
	for (uint32_t i = 0; i < set->n_patterns; i++) {
		uint16_t offset = offsets[i];

		add_window(d, window_at(d, &patterns[i], offset));
		if (offset > set->max_offset)
			set->max_offset = (uint32_t)offset;
	}
}

/* ----------------------------------------------------------------- groups */

static uint16_t frequency_in_20000(uint32_t byte) { return byte < 128 ? frequencies[byte] : 1; }

/* What a row of sixteen bytes adds for every choice of its first and of its last eight; and so eight classes. */
static void fill_shares(struct draft *d)
{
	for (uint32_t i = 1; i < 256; i++) {
		uint32_t bit = (uint32_t)__builtin_ctz(i), rest = i & (i - 1);

		for (uint32_t row = 0; row < 16; row++)
			for (uint32_t half = 0; half < 2; half++)
				d->share[row][half][i] = (uint16_t)(d->share[row][half][rest] +
				                                    frequency_in_20000(16 * row + 8 * half + bit));
		for (uint32_t eight = 0; eight < LW_SCAN_CLASSES / 8; eight++) {
			uint32_t sum = d->class_share[eight][rest];

			for (uint32_t byte = 8 * eight + bit; byte < 256; byte += LW_SCAN_CLASSES)
				sum += frequency_in_20000(byte);
			d->class_share[eight][i] = (uint16_t)sum;
		}
	}
}

/* How often a byte passes the group at a place. */
static float passes_place(const struct draft *d, const struct group *g, uint32_t place)
{
	uint64_t set = g->set[place];
	uint32_t sum = 0;

	if (d->by_classes)
		for (uint32_t eight = 0; eight < LW_SCAN_CLASSES / 8; eight++)
			sum += d->class_share[eight][set >> 8 * eight & 0xff];
	else
		for (uint64_t rows = set >> 16; rows; rows &= rows - 1) {
			const uint16_t(*share)[256] = d->share[__builtin_ctzll(rows)];

			sum += (uint32_t)share[0][set & 0xff] + share[1][set >> 8 & 0xff];
		}
	return (float)sum / 20000.0f;
}

static void rate(const struct draft *d, struct group *g)
{
	g->passes = 1;
	for (uint32_t j = 0; j < d->width; j++)
		g->passes *= passes_place(d, g, j);
}

static void mark_byte(const struct draft *d, struct group *g, uint32_t place, uint8_t byte)
{
	g->set[place] |= d->by_classes ? UINT64_C(1) << byte % LW_SCAN_CLASSES
	                               : UINT64_C(1) << (byte & 15) | UINT64_C(0x10000) << (byte >> 4);
}

static void begin_group(const struct draft *d, struct group *g, uint32_t window)
{
	*g = (struct group) { .passes = 0 };
	for (uint32_t j = 0; j < d->width; j++) {
		uint8_t byte = (uint8_t)(window >> 8 * j);

		mark_byte(d, g, j, byte);
		if (d->ignore_case && byte >= 'a' && byte <= 'z')
			mark_byte(d, g, j, byte & 0xdf);
	}
	rate(d, g);
}

static struct group merged(const struct draft *d, const struct group *a, const struct group *b)
{
	struct group both = *a;

	for (uint32_t j = 0; j < d->width; j++)
		both.set[j] |= b->set[j];
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
		if (a->set[j] & ~b->set[j])
			return 0;
	return 1;
}

/* The group `number` of all windows in it but one. */
static struct group without(const struct draft *d, const struct placement *p, uint8_t number, size_t left_out)
{
	struct group g = { .passes = 0 };

	for (size_t i = 0; i < p->n; i++)
		for (uint32_t j = 0; p->in[i] == number && i != left_out && j < d->width; j++)
			g.set[j] |= p->alone[i].set[j];
	rate(d, &g);
	return g;
}

/* Moves a window to where it costs least; 1 if that is another group. */
static int move_window(struct draft *d, struct placement *p, size_t i)
{
	uint8_t from = p->in[i], to = from;
	struct group rest = without(d, p, from, i);
	float least = d->groups[from].passes - rest.passes;

	for (size_t k = 0; k < d->n; k++) {
		struct group both = merged(d, &d->groups[k], &p->alone[i]);

		/* A little better is not worth another round. */
		if (k != from && both.passes - d->groups[k].passes < 0.99f * least) {
			least = both.passes - d->groups[k].passes;
			to = (uint8_t)k;
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
	for (size_t k = 0; k < d->n; k++) /* a window may be within several: now each is in one only */
		d->groups[k] = without(d, &p, (uint8_t)k, n_windows);
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
 * A place costs the kernel one to four cycles for 64 positions, a position that passes some nine to twenty-five, the fewer
 * the faster the kernel is; and on text about three times as many pass as this says. So once fewer than 0.0006 do, a
 * further place would save less than it costs.
 */
static uint32_t choose_places(const struct draft *d, uint32_t n_banks, uint32_t *places)
{
	uint32_t chosen = 0, n = 0, least = n_banks == 2 ? 3 : 1; /* with two banks the kernel has but 3 and 4 */

	while (n < d->width && (n < least || passes_at(d, chosen) > 0.0006f)) {
		uint32_t best = LW_SCAN_WIDTH;

		for (uint32_t j = 0; j < d->width; j++)
			if (!(chosen >> j & 1) && (best == LW_SCAN_WIDTH ||
			                           passes_at(d, chosen | 1u << j) < passes_at(d, chosen | 1u << best)))
				best = j;
		places[n++] = best;
		chosen |= 1u << best;
	}
	return n;
}

/* A single window is found by its two rarest bytes, compared; the same twice if it has but one. */
static void choose_bytes(const struct draft *d, struct lw_scan_filter *filter)
{
	uint32_t window = d->windows[0];
	uint32_t *place = filter->place;

	for (uint32_t j = 1; j < d->width; j++)
		if (lanewise_scan_frequency((uint8_t)(window >> 8 * j)) <
		    lanewise_scan_frequency((uint8_t)(window >> 8 * place[0])))
			place[0] = j;
	place[1] = d->width > 1 && place[0] == 0 ? 1 : 0;
	for (uint32_t j = 0; j < d->width; j++)
		if (j != place[0] && lanewise_scan_frequency((uint8_t)(window >> 8 * j)) <
		                             lanewise_scan_frequency((uint8_t)(window >> 8 * place[1])))
			place[1] = j;
	for (int i = 0; i < 2; i++)
		filter->byte[i] = (uint8_t)(window >> 8 * place[i]);
}

static void write_tables(const struct draft *d, struct lw_scan_filter *filter)
{
	for (size_t g = 0; g < d->n; g++)
		for (uint32_t j = 0; j < filter->n_places; j++)
			for (int half = 0; half < 16; half++) {
				uint64_t set = d->groups[g].set[filter->place[j]];

				filter->low[g / GROUPS][j][half] |= (uint8_t)((set >> half & 1) << g % GROUPS);
				filter->high[g / GROUPS][j][half] |= (uint8_t)((set >> (16 + half) & 1) << g % GROUPS);
			}
}

static void write_classes(const struct draft *d, struct lw_scan_classes *classes)
{
	for (size_t g = 0; g < d->n; g++)
		for (uint32_t j = 0; j < classes->n_places; j++)
			for (int c = 0; c < LW_SCAN_CLASSES; c++)
				classes->groups[g / GROUPS][j][c] |=
				        (uint8_t)((d->groups[g].set[classes->place[j]] >> c & 1) << g % GROUPS);
}

static int is_letters(uint32_t window) { return (window & 0xe0e0e0e0) == 0x60606060; }

static int are_letters(const struct draft *d)
{
	for (size_t i = 0; i < d->n_windows; i++)
		if (d->width != LW_SCAN_WIDTH || !is_letters(d->windows[i]))
			return 0;
	return 1;
}

/* The tables for windows of letters, whose high halves are replaced. A window may be within several groups. */
static void write_letters(const struct draft *d, struct lw_scan_filter *filter)
{
	filter->letters = d->ignore_case ? 0x40 : 0x60;
	filter->n_places = LW_SCAN_WIDTH;
	for (uint32_t j = 0; j < LW_SCAN_WIDTH; j++)
		filter->place[j] = j;
	write_tables(d, filter);
	memset(filter->high, 0, sizeof filter->high);
	for (size_t i = 0; i < d->n_windows; i++) {
		uint32_t fifth = lw_scan_fifth_bits(d->windows[i]);
		struct group alone;

		begin_group(d, &alone, d->windows[i]);
		for (size_t g = 0; g < d->n; g++)
			if (is_within(&alone, &d->groups[g], d->width))
				filter->high[g / GROUPS][0][fifth] |= (uint8_t)(1u << g % GROUPS);
	}
}

/* ------------------------------------------------------------------ slots */

static int put_slot(struct lw_scan_filter *filter, uint8_t *n_used, uint32_t window)
{
	uint32_t i = window * filter->multiplier >> filter->slot_shift;

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

static int try_slots(const struct draft *d, struct lw_scan_filter *filter)
{
	uint8_t n_used[1 << LW_SCAN_SLOT_BITS] = { 0 };
	size_t i = 0;

	for (uint32_t s = 0; s < lw_scan_n_slots(filter); s++)
		for (int k = 0; k < LW_SCAN_SLOT_DEPTH; k++)
			filter->slot[s][k] = d->windows[0];
	while (i < d->n && put_spellings(d, filter, n_used, d->windows[i]))
		i++;
	return i == d->n;
}

/* As many slots as there are windows, or more, with the next multiplier that leaves none too full; 0 if there is none. */
static int fill_slots(const struct draft *d, struct lw_scan_filter *filter)
{
	uint32_t bits = 1;

	while (bits < LW_SCAN_SLOT_BITS && UINT32_C(1) << bits < d->n)
		bits++;
	for (; bits <= LW_SCAN_SLOT_BITS; bits++)
		for (uint32_t attempt = 0; attempt < 8; attempt++) {
			filter->slot_shift = 32 - bits;
			filter->multiplier = UINT32_C(0x9e3779b1) + (attempt << 17);
			if (try_slots(d, filter))
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

/*
 * Groups by halves or by classes, in one bank or, where much would pass, in two; returns how many. By halves another bank
 * makes the kernel a half slower; by classes it costs less, but what passes costs less too.
 */
static uint32_t fill_banks(struct draft *d, int by_classes, float *passes)
{
	d->by_classes = by_classes;
	*passes = group_windows(d, GROUPS);
	if (d->n < GROUPS || d->width < 3 || *passes <= (by_classes ? 0.003f : 0.0015f))
		return 1;
	*passes = group_windows(d, 2 * GROUPS);
	return 2;
}

static void make_classes(struct draft *d, struct lw_scan_classes *classes)
{
	float passes;

	classes->n_banks = fill_banks(d, 1, &passes);
	classes->n_places = choose_places(d, classes->n_banks, classes->place);
	write_classes(d, classes);
}

static void make_tables(struct draft *d, struct lw_scan_filter *filter, float *passes)
{
	filter->n_banks = fill_banks(d, 0, passes);
	if (d->n == 1 && !d->ignore_case) {
		choose_bytes(d, filter);
		return;
	}
	filter->n_places = choose_places(d, filter->n_banks, filter->place);
	if (filter->n_places == LW_SCAN_WIDTH && are_letters(d))
		write_letters(d, filter);
	else
		write_tables(d, filter);
	make_classes(d, &filter->classes);
}

/* Groups, places and tables of the windows in the draft; 0 if they are too many for the slots. */
static int finish_filter(struct draft *d, struct lw_scan_filter *filter, float *passes)
{
	d->n_windows = d->n;
	filter->width = d->width;
	filter->mask = UINT32_MAX >> 8 * (4 - d->width);
	if (!fill_slots(d, filter))
		return 0;
	fill_shares(d);
	make_tables(d, filter, passes);
	return 1;
}

int lanewise_scan_build_filter(struct lanewise_scan_set *set, const lanewise_pattern *patterns, int ignore_case,
                               struct lw_scan_filter *filter, float *passes)
{
	struct draft d = { .ignore_case = ignore_case };

	memset(filter, 0, sizeof *filter);
	if (set->n_patterns > LW_SCAN_WINDOWS)
		return 0;
	d.width = set->min_length < LW_SCAN_WIDTH ? set->min_length : LW_SCAN_WIDTH;
	set->width = d.width;
	choose_windows(&d, set, patterns);
	return finish_filter(&d, filter, passes);
}

/* ------------------------------------------------------------------ grams */

struct choice {
	const struct draft *draft;
	const lanewise_pattern *patterns;
	union {
		uint32_t *counts; /* of windows, by a hash */
		struct uses *uses;
	};
	uint8_t *offsets; /* of grams */
	size_t n, step;   /* patterns, of which one in so many is looked at */
	uint32_t width, delta;
};

static uint32_t *count_of(const struct choice *c, uint32_t window)
{
	return &c->counts[window * UINT32_C(0x9e3779b1) >> 18];
}

static uint32_t window_of(const struct choice *c, size_t i)
{
	return window_at(c->draft, &c->patterns[i], (size_t)c->offsets[i] + c->delta);
}

/* What a window more costs beside the places that have it, as a share of places. */
#define NEW_WINDOW 1e-6f

/* The gram of a pattern whose window is the best: rare, and one that others have or, once they have chosen, use. */
static uint8_t best_gram(const struct choice *c, const lanewise_pattern *pattern, int have_chosen)
{
	float least = 0;
	size_t best = 0;

	for (size_t at = 0; at + c->width <= pattern->n_bytes; at++) {
		uint32_t window = window_at(c->draft, pattern, at + c->delta);
		uint32_t others = have_chosen ? uses_of(c->uses, window) : *count_of(c, window);
		float cost = probability(c->draft, window);

		if (!have_chosen)
			cost = (cost + NEW_WINDOW) / (float)(others + 1);
		else
			cost = (others ? 1e-3f * cost : cost) + NEW_WINDOW / (float)(others + 1);
		if (at == 0 || cost < least) {
			least = cost;
			best = at;
		}
	}
	return (uint8_t)best;
}

/* Chooses some patterns' grams, again some times; how often a text would have one of the windows. */
static float choose_some(const struct choice *c)
{
	float sum = 0;

	_Static_assert(LW_SCAN_COUNTS == 1 << 14 && sizeof(struct uses) <= LW_SCAN_COUNTS * sizeof(uint32_t),
	               "what count_of and the uses need");
	memset(c->counts, 0, LW_SCAN_COUNTS * sizeof *c->counts);
	for (size_t i = 0; i < c->n; i += c->step)
		for (size_t at = 0; at + c->width <= c->patterns[i].n_bytes; at++)
			++*count_of(c, window_at(c->draft, &c->patterns[i], at + c->delta));
	for (size_t i = 0; i < c->n; i += c->step)
		c->offsets[i] = best_gram(c, &c->patterns[i], 0);
	memset(c->uses, 0, sizeof *c->uses);
	for (size_t i = 0; i < c->n; i += c->step)
		change_use(c->uses, window_of(c, i), 1);
	for (int choice = 1; choice < CHOICES; choice++)
		for (size_t i = 0; i < c->n; i += c->step) {
			change_use(c->uses, window_of(c, i), -1);
			c->offsets[i] = best_gram(c, &c->patterns[i], 1);
			change_use(c->uses, window_of(c, i), 1);
		}
	for (size_t i = 0; i < USES; i++)
		if (c->uses->at[i].n > 0)
			sum += probability(c->draft, c->uses->at[i].window);
	return sum;
}

/* All patterns' grams and windows, those not looked at yet being given what others use; 0 if windows are too many. */
static int choose_all(const struct choice *c, struct draft *d)
{
	for (size_t i = 0; i < c->n; i++) {
		if (i % c->step) {
			c->offsets[i] = best_gram(c, &c->patterns[i], 1);
			change_use(c->uses, window_of(c, i), 1);
		}
		if (!add_window(d, window_of(c, i)))
			return 0;
	}
	return 1;
}

/* The filter with windows of this width, and what it costs for a byte, about in cycles; negative if there is none. */
static float try_width(struct choice *c, uint32_t width, int ignore_case, struct lw_scan_filter *filter, float *passes)
{
	struct draft d = { .ignore_case = ignore_case, .width = width };
	float first, last, cost = -1;

	c->draft = &d;
	c->delta = 0;
	memset(filter, 0, sizeof *filter);
	first = choose_some(c);
	if (c->width > width) {
		c->delta = c->width - width;
		last = choose_some(c);
		if (first < last) {
			c->delta = 0;
			choose_some(c);
		}
	}
	if (choose_all(c, &d) && finish_filter(&d, filter, passes))
		cost = 0.06f * (float)(filter->n_banks * (filter->letters ? 3 : filter->n_places)) + 100 * *passes;
	c->draft = NULL;
	return cost;
}

int lanewise_scan_build_gram_filter(struct lanewise_scan_set *set, const lanewise_pattern *patterns, int ignore_case,
                                    struct lw_scan_grams *grams, uint8_t *offsets, uint32_t *counts,
                                    struct lw_scan_filter *filter, float *passes)
{
	struct choice c = { .patterns = patterns, .counts = counts, .offsets = offsets };
	uint32_t width = grams->width < LW_SCAN_WIDTH ? grams->width : LW_SCAN_WIDTH;
	float cost, narrow_cost = -1;

	c.n = set->n_patterns;
	c.width = grams->width;
	c.step = (c.n + LOOKED_AT - 1) / LOOKED_AT;
	cost = try_width(&c, width, ignore_case, filter, passes);
	if (width > 3 && c.n > GROUPS) {
		narrow_cost = try_width(&c, 3, ignore_case, filter, passes);
		if (narrow_cost < 0 || (cost >= 0 && cost <= narrow_cost))
			narrow_cost = try_width(&c, width, ignore_case, filter, passes);
	}
	grams->delta = c.delta;
	set->width = grams->width;
	return cost >= 0 || narrow_cost >= 0;
}

void lanewise_scan_choose_grams(const struct lanewise_scan_set *set, const lanewise_pattern *patterns, int ignore_case,
                                const struct lw_scan_grams *grams, uint8_t *offsets)
{
	for (size_t i = 0; i < set->n_patterns; i++, offsets += grams->stride) {
		float least[LW_SCAN_GRAM_STRIDE_MAX];

		for (size_t at = 0; at < grams->stride || (set->direct && at + grams->width <= patterns[i].n_bytes);
		     at++) {
			const uint8_t *bytes = (const uint8_t *)patterns[i].bytes + at;
			float cost = lanewise_scan_frequency_of(bytes, grams->width, ignore_case);

			if (at < grams->stride || cost < least[at % grams->stride]) {
				least[at % grams->stride] = cost;
				offsets[at % grams->stride] = (uint8_t)at;
			}
		}
	}
}

/* -------------------------------------------------------- grams at even places */

/* How many patterns use the gram at `bytes`; of a few grams with one hash, those of all. */
static uint32_t *users_of(uint32_t *counts, const uint8_t *bytes, int ignore_case)
{
	uint32_t gram = 0;

	for (int j = 0; j < LW_SCAN_EVENS_WIDTH; j++)
		gram |= (uint32_t)(ignore_case ? lw_scan_fold(bytes[j]) : bytes[j]) << 8 * j;

	_Static_assert(LW_SCAN_COUNTS == 1 << 14, "the hash has as many values");
	return &counts[gram * UINT32_C(0x9e3779b1) >> 18];
}

/* The offset of a pattern's gram, of those with the parity of `first`, that costs least in view of what others use. */
static uint8_t best_even(const lanewise_pattern *pattern, size_t first, int ignore_case, uint32_t *counts)
{
	const uint8_t *bytes = pattern->bytes;
	float least = 2;
	size_t best = first;

	for (size_t at = first; at + LW_SCAN_EVENS_WIDTH <= pattern->n_bytes; at += LW_SCAN_EVENS_STRIDE) {
		float cost = lanewise_scan_frequency_of(bytes + at, LW_SCAN_EVENS_WIDTH, ignore_case);

		/* A place that passes costs as much as two or three patterns to compare there. */
		cost *= *users_of(counts, bytes + at, ignore_case) ? 0.5f : 1.0f;
		if (cost < least) {
			least = cost;
			best = at;
		}
	}
	return (uint8_t)best;
}

float lanewise_scan_choose_evens(size_t n, const lanewise_pattern *patterns, int ignore_case, uint32_t *counts,
                                 uint8_t *offsets)
{
	enum { ROUNDS = 3 };
	float passes = 0;

	memset(counts, 0, LW_SCAN_COUNTS * sizeof *counts);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < LW_SCAN_EVENS_STRIDE * n; i++) {
			const lanewise_pattern *p = &patterns[i / LW_SCAN_EVENS_STRIDE];
			const uint8_t *bytes = p->bytes;

			if (round > 0)
				--*users_of(counts, bytes + offsets[i], ignore_case);
			offsets[i] = best_even(p, i % LW_SCAN_EVENS_STRIDE, ignore_case, counts);
			++*users_of(counts, bytes + offsets[i], ignore_case);
		}
	for (size_t i = 0; i < LW_SCAN_EVENS_STRIDE * n; i++) {
		const uint8_t *bytes = (const uint8_t *)patterns[i / LW_SCAN_EVENS_STRIDE].bytes + offsets[i];

		passes += lanewise_scan_frequency_of(bytes, LW_SCAN_EVENS_WIDTH, ignore_case) /
		          (float)*users_of(counts, bytes, ignore_case);
	}
	return passes / LW_SCAN_EVENS_STRIDE;
}
