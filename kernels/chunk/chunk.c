/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/chunk.h: options, and streams of pieces.
 *
 * A chunk is gone through in three parts: up to its minimum there is nothing to look for, from there to its normal size
 * cuts are rare, and beyond likelier, up to its maximum. `length` says how far one is, and each step does what is there of
 * the part that it is in.
 *
 * LANEWISE1 looks at 32 bytes before a cut. Those that lie in pieces gone by are kept, and the positions near the
 * beginning of a piece are searched in a copy of both. FASTCDC2020 goes by pairs of bytes; the crate does not look at
 * the last byte of the data if it is the first of a pair. So such a byte waits until another comes.
 */
#include <lanewise/chunk.h>

#include "chunk/chunk.h"
#include "chunk/gear_table.h"
#include "support.h"

enum { KEPT = LW_CDC_WINDOW - 1 };

struct lanewise_cdc {
	int fastcdc;
	uint64_t min, normal, max;
	uint64_t length;  /* bytes of the chunk so far, the waiting one not counted */
	uint64_t n_taken; /* bytes of the data, the waiting one counted */

	/* LANEWISE1 */
	struct lw_cdc_rule rule;
	uint32_t strict_limit, limit;
	uint8_t kept[KEPT]; /* the last bytes of the data */

	/* FASTCDC2020 */
	uint64_t strict_mask, mask, hash;
	uint8_t waiting[2];
	int has_waiting;
	struct lw_fastcdc_tables tables;
};

/* ----------------------------------------------------------------- options */

void lanewise_cdc_options_default(lanewise_cdc_options *options)
{
	*options = (lanewise_cdc_options) { .struct_size = sizeof *options,
		                            .method = LANEWISE_CDC_LANEWISE1,
		                            .level = 1,
		                            .min_size = 4096,
		                            .average_size = 16384,
		                            .max_size = 65536 };
}

static const lanewise_cdc_options *or_defaults(const lanewise_cdc_options *options, lanewise_cdc_options *defaults)
{
	lanewise_cdc_options_default(defaults);
	return options ? options : defaults;
}

static lanewise_status bad_option(lanewise_error *error, const char *what)
{
	return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s", what);
}

static int is_in(uint32_t value, uint32_t least, uint32_t most) { return value >= least && value <= most; }

static lanewise_status check_options(const lanewise_cdc_options *o, lanewise_error *error)
{
	if (o->struct_size != sizeof *o)
		return bad_option(error, "options.struct_size is not that of lanewise_cdc_options");
	if (o->method != LANEWISE_CDC_LANEWISE1 && o->method != LANEWISE_CDC_FASTCDC2020)
		return bad_option(error, "options.method is unknown");
	if (o->level > 3)
		return bad_option(error, "options.level is above 3");
	if (o->reserved != 0)
		return bad_option(error, "options.reserved is not 0");
	if (!is_in(o->min_size, LANEWISE_CDC_MIN_SIZE_LEAST, LANEWISE_CDC_MIN_SIZE_MOST))
		return bad_option(error, "options.min_size is not in 64 ... 1048576");
	if (!is_in(o->average_size, LANEWISE_CDC_AVERAGE_SIZE_LEAST, LANEWISE_CDC_AVERAGE_SIZE_MOST))
		return bad_option(error, "options.average_size is not in 256 ... 4194304");
	if (!is_in(o->max_size, LANEWISE_CDC_MAX_SIZE_LEAST, LANEWISE_CDC_MAX_SIZE_MOST))
		return bad_option(error, "options.max_size is not in 1024 ... 16777216");
	if (o->min_size >= o->average_size || o->average_size >= o->max_size)
		return bad_option(error, "options.min_size, average_size and max_size do not ascend");
	if (o->method == LANEWISE_CDC_FASTCDC2020 && ((o->min_size | o->average_size | o->max_size) & 1))
		return bad_option(error, "options: FASTCDC2020 needs even sizes");
	if (o->method == LANEWISE_CDC_LANEWISE1 &&
	    (o->average_size - o->min_size < 64 || o->max_size - o->average_size < 64))
		return bad_option(error, "options: LANEWISE1 needs sizes 64 bytes apart");
	return LANEWISE_OK;
}

static uint64_t split_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void set_lanewise1(struct lanewise_cdc *cdc, const lanewise_cdc_options *o)
{
	/*
	 * With a cut at any byte of probability 1 / (D 2^n) up to d bytes beyond the minimum and 2^n / D from there, chunks
	 * are 2^n d (1 - exp(-2^-n)) + 2^-n d exp(-2^-n) beyond it on average, if D = d. These are 65536 * d over that.
	 */
	static const uint32_t shares[4] = { 65536, 60114, 60710, 62396 };
	uint64_t state = o->key ^ 0x6c616e6577697365; /* "lanewise" */
	uint64_t d = (uint64_t)(o->average_size - o->min_size) * shares[o->level] / 65536, scaled = d << o->level;

	for (int i = 0; i < 3; i++)
		cdc->rule.multiplier[i] = (uint16_t)(split_mix(&state) | 1);
	cdc->rule.start = split_mix(&state);
	cdc->rule.factor = split_mix(&state) | 1;
	cdc->normal = o->min_size + d;
	cdc->strict_limit = (uint32_t)((65536 + scaled - 1) / scaled);
	cdc->limit = cdc->strict_limit << 2 * o->level;
	cdc->rule.threshold = ((uint64_t)1 << 48) / (scaled * cdc->strict_limit);
}

/* The masks of the crate by the number of bits that its averages stand for; more bits set, rarer cuts. */
static const uint64_t fastcdc_masks[26] = {
	[5] = 0x0000000001804110,  [6] = 0x0000000001803110,  [7] = 0x0000000018035100,  [8] = 0x0000001800035300,
	[9] = 0x0000019000353000,  [10] = 0x0000590003530000, [11] = 0x0000d90003530000, [12] = 0x0000d90103530000,
	[13] = 0x0000d90303530000, [14] = 0x0000d90313530000, [15] = 0x0000d90f03530000, [16] = 0x0000d90303537000,
	[17] = 0x0000d90703537000, [18] = 0x0000d90707537000, [19] = 0x0000d91707537000, [20] = 0x0000d91747537000,
	[21] = 0x0000d91767537000, [22] = 0x0000d93767537000, [23] = 0x0000d93777537000, [24] = 0x0000d93777577000,
	[25] = 0x0000db3777577000,
};

/* The base-2 logarithm, rounded: up from 2^(k + 1/2) on. */
static uint32_t rounded_log2(uint64_t x)
{
	uint32_t k = 63 - (uint32_t)__builtin_clzll(x);

	return k + (x * x > (uint64_t)2 << 2 * k);
}

static void set_fastcdc(struct lanewise_cdc *cdc, const lanewise_cdc_options *o)
{
	uint32_t bits = rounded_log2(o->average_size);

	cdc->normal = o->average_size;
	cdc->strict_mask = fastcdc_masks[bits + o->level];
	cdc->mask = fastcdc_masks[bits - o->level];
	for (int i = 0; i < 256; i++) {
		cdc->tables.one[i] = lw_gear[i] ^ o->key;
		cdc->tables.two[i] = cdc->tables.one[i] << 1;
	}
}

static void reset(struct lanewise_cdc *cdc)
{
	cdc->length = cdc->n_taken = cdc->hash = 0;
	cdc->has_waiting = 0;
}

static void set_up(struct lanewise_cdc *cdc, const lanewise_cdc_options *o)
{
	cdc->fastcdc = o->method == LANEWISE_CDC_FASTCDC2020;
	cdc->min = o->min_size;
	cdc->max = o->max_size;
	if (cdc->fastcdc)
		set_fastcdc(cdc, o);
	else
		set_lanewise1(cdc, o);
	reset(cdc);
}

size_t lanewise_cdc_scratch_size(void) { return sizeof(struct lanewise_cdc); }

lanewise_status lanewise_cdc_begin(void *scratch, const lanewise_cdc_options *options, lanewise_cdc **cdc,
                                   lanewise_error *error)
{
	lanewise_cdc_options defaults;
	lanewise_status status = check_options(options = or_defaults(options, &defaults), error);

	if (status != LANEWISE_OK)
		return status;
	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || !cdc)
		return bad_option(error, "scratch or cdc is NULL, or scratch is not aligned");
	set_up(scratch, options);
	*cdc = scratch;
	return LANEWISE_OK;
}

/* --------------------------------------------------------------- LANEWISE1 */

/* How many bytes of p[0 ... n) the chunk's present part takes, and with them up to where it may end. */
static size_t part_of(uint64_t length, uint64_t until, size_t n)
{
	return until - length < n ? (size_t)(until - length) : n;
}

/*
 * How many of data[at ... n) are gone through; *cut tells whether the chunk ended with the last of them. Position i is
 * byte length + i - at of the chunk, and there is none before it that the window does not have: min_size is more than
 * LW_CDC_WINDOW.
 */
static size_t search(const struct lanewise_cdc *cdc, const uint8_t *data, size_t at, size_t n, uint64_t until,
                     uint32_t limit, int *cut)
{
	lanewise_cdc_find_fn *find = lw_kernels()->cdc_find;
	size_t to = at + part_of(cdc->length, until, n - at), near = to < KEPT ? to : KEPT, found;

	if (at < near) { /* the window begins in pieces gone by */
		uint8_t both[2 * KEPT];

		memcpy(both, cdc->kept, KEPT);
		memcpy(both + KEPT, data, near);
		found = find(&cdc->rule, both, at + KEPT, near + KEPT, near + KEPT, limit) - KEPT;
		if (found < near) {
			*cut = 1;
			return found + 1 - at;
		}
	}
	if (to > KEPT) {
		found = find(&cdc->rule, data, at > KEPT ? at : KEPT, to, n, limit);
		*cut = found < to;
		return found + (found < to) - at;
	}
	return to - at;
}

/* One step: a part of a chunk, or what is there of it. */
static size_t step_lanewise1(struct lanewise_cdc *cdc, const uint8_t *data, size_t at, size_t n, int *cut)
{
	/* After byte number min - 1 the chunk is long enough. */
	if (cdc->length < cdc->min - 1)
		return part_of(cdc->length, cdc->min - 1, n - at);

	size_t gone = cdc->length < cdc->normal ? search(cdc, data, at, n, cdc->normal, cdc->strict_limit, cut)
	                                        : search(cdc, data, at, n, cdc->max, cdc->limit, cut);

	*cut |= cdc->length + gone == cdc->max;
	return gone;
}

static void keep_last(struct lanewise_cdc *cdc, const uint8_t *data, size_t n)
{
	if (n >= KEPT) {
		memcpy(cdc->kept, data + n - KEPT, KEPT);
	} else if (n > 0) {
		memmove(cdc->kept, cdc->kept + n, KEPT - n);
		memcpy(cdc->kept + KEPT - n, data, n);
	}
}

static size_t feed_lanewise1(struct lanewise_cdc *cdc, const uint8_t *data, size_t n, uint64_t *ends, size_t capacity,
                             size_t *n_ends)
{
	size_t at = 0;

	while (at < n && *n_ends < capacity) {
		int cut = 0;
		size_t gone = step_lanewise1(cdc, data, at, n, &cut);

		at += gone;
		cdc->length += gone;
		if (cut) {
			ends[(*n_ends)++] = cdc->n_taken + at;
			cdc->length = 0;
		}
	}
	keep_last(cdc, data, at);
	cdc->n_taken += at;
	return at;
}

/* ------------------------------------------------------------- FASTCDC2020 */

/* Looks for a cut in pairs of bytes; how many bytes the chunk takes, up to 2 * n_pairs. */
static size_t scan_pairs(struct lanewise_cdc *cdc, const uint8_t *p, size_t n, int *cut)
{
	int strict = cdc->length < cdc->normal;
	size_t part = part_of(cdc->length, strict ? cdc->normal : cdc->max, n / 2 * 2);
	size_t found = lanewise_fastcdc_scan(&cdc->tables, p, part, strict ? cdc->strict_mask : cdc->mask, &cdc->hash);

	*cut = found < part || cdc->length + part == cdc->max;
	return found;
}

/* The same with the pair that the waiting byte and *p make; a cut before *p leaves that byte to the next chunk. */
static size_t scan_waiting(struct lanewise_cdc *cdc, const uint8_t *p, int *cut)
{
	cdc->waiting[1] = *p;
	cdc->has_waiting = 0;
	return scan_pairs(cdc, cdc->waiting, 2, cut);
}

static void end_chunk(struct lanewise_cdc *cdc, uint64_t end, uint64_t *ends, size_t *n_ends)
{
	ends[(*n_ends)++] = end;
	cdc->length = cdc->hash = 0;
}

static size_t feed_fastcdc(struct lanewise_cdc *cdc, const uint8_t *data, size_t n, uint64_t *ends, size_t capacity,
                           size_t *n_ends)
{
	const uint64_t before = cdc->n_taken;
	size_t at = 0;

	while (at < n && *n_ends < capacity) {
		int cut = 0;
		size_t gone;

		if (cdc->has_waiting) {
			gone = scan_waiting(cdc, data + at, &cut);
			cdc->length += gone;
			if (cut)
				end_chunk(cdc, before + at - 1 + gone, ends, n_ends);
			/* What the cut left of the pair begins the next chunk, below its minimum. */
			cdc->length += 2 - gone;
			at++;
			continue;
		}
		if (cdc->length < cdc->min) {
			gone = part_of(cdc->length, cdc->min, n - at);
		} else if (n - at == 1) {
			cdc->waiting[0] = data[at++];
			cdc->has_waiting = 1;
			break;
		} else {
			gone = scan_pairs(cdc, data + at, n - at, &cut);
		}
		at += gone;
		cdc->length += gone;
		if (cut)
			end_chunk(cdc, before + at, ends, n_ends);
	}
	cdc->n_taken += at;
	return at;
}

/* ------------------------------------------------------------------ public */

size_t lanewise_cdc_feed(lanewise_cdc *cdc, const void *data, size_t n_bytes, uint64_t *ends, size_t capacity,
                         size_t *n_ends)
{
	*n_ends = 0;
	if (n_bytes == 0)
		return 0;
	return cdc->fastcdc ? feed_fastcdc(cdc, data, n_bytes, ends, capacity, n_ends)
	                    : feed_lanewise1(cdc, data, n_bytes, ends, capacity, n_ends);
}

int32_t lanewise_cdc_finish(lanewise_cdc *cdc, uint64_t *end)
{
	int32_t is_open = cdc->length > 0 || cdc->has_waiting;

	if (is_open)
		*end = cdc->n_taken;
	reset(cdc);
	return is_open;
}

size_t lanewise_cdc_bound(size_t n_bytes, const lanewise_cdc_options *options)
{
	lanewise_cdc_options defaults;

	options = or_defaults(options, &defaults);
	if (check_options(options, NULL) != LANEWISE_OK)
		return 0;
	return n_bytes / options->min_size + (n_bytes % options->min_size != 0);
}

lanewise_status lanewise_cdc_chunks(const void *data, size_t n_bytes, const lanewise_cdc_options *options,
                                    uint64_t *ends, size_t capacity, size_t *n_chunks, lanewise_error *error)
{
	lanewise_cdc_options defaults;
	lanewise_status status = check_options(options = or_defaults(options, &defaults), error);
	struct lanewise_cdc cdc;
	uint64_t last;

	if (status != LANEWISE_OK)
		return status;
	if (!n_chunks || (!data && n_bytes > 0) || (!ends && capacity > 0))
		return bad_option(error, "data, ends or n_chunks is NULL");
	set_up(&cdc, options);

	size_t taken = lanewise_cdc_feed(&cdc, data, n_bytes, ends, capacity, n_chunks);

	if (taken == n_bytes && !lanewise_cdc_finish(&cdc, &last))
		return LANEWISE_OK;
	if (*n_chunks == capacity)
		return lw_fail(error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET, "there are more than %zu chunks",
		               capacity);
	ends[(*n_chunks)++] = n_bytes;
	return LANEWISE_OK;
}
