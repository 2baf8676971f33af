/* SPDX-License-Identifier: Apache-2.0 */
/* See scan_grams.h. */
#include "scan/scan_grams.h"

enum { MANY = 1000, BUCKET_LOG_MIN = 8, SPARSENESS_LOG = 5, BIT_LOG_MIN = 12, BIT_LOG_MAX = 22 };

static int log2_up(uint64_t n)
{
	int log = 0;

	while (UINT64_C(1) << log < n)
		log++;
	return log;
}

static void set_sizes(struct lw_scan_grams *grams, uint32_t n_patterns, uint32_t width, uint32_t stride,
                      int ignore_case)
{
	int bit_log;

	memset(grams, 0, sizeof *grams);
	grams->n_patterns = n_patterns;
	grams->width = width;
	grams->stride = stride;
	grams->mask = lw_scan_gram_mask(width);
	grams->fold = ignore_case ? LW_SCAN_GRAM_FOLD : 0;
	grams->bucket_log = log2_up((uint64_t)n_patterns * stride);
	if (grams->bucket_log < BUCKET_LOG_MIN)
		grams->bucket_log = BUCKET_LOG_MIN;
	bit_log = grams->bucket_log + SPARSENESS_LOG;
	if (bit_log < BIT_LOG_MIN)
		bit_log = BIT_LOG_MIN;
	if (bit_log > BIT_LOG_MAX)
		bit_log = BIT_LOG_MAX;
	grams->word_mask = (UINT64_C(1) << bit_log) / 64 - 1;
}

int lanewise_scan_plan_grams(uint32_t n_patterns, uint32_t min_length, int ignore_case, struct lw_scan_grams *grams)
{
	uint32_t width, stride;

	if (n_patterns < LW_SCAN_GRAM_PATTERNS_MIN || min_length < LW_SCAN_GRAM_PATTERN_MIN)
		return 0;
	width = min_length < 10 || n_patterns < MANY ? 6 : 8; /* a long gram tells more, a long stride costs less */
	stride = min_length - width + 1;
	set_sizes(grams, n_patterns, width, stride < LW_SCAN_GRAM_STRIDE_MAX ? stride : LW_SCAN_GRAM_STRIDE_MAX,
	          ignore_case);
	return 1;
}

void lanewise_scan_plan_filter_grams(uint32_t n_patterns, uint32_t min_length, int ignore_case,
                                     struct lw_scan_grams *grams)
{
	set_sizes(grams, n_patterns, min_length < LW_SCAN_GRAM_BYTES ? min_length : LW_SCAN_GRAM_BYTES, 1, ignore_case);
}

void lanewise_scan_plan_evens(uint32_t n_patterns, int ignore_case, struct lw_scan_grams *grams)
{
	set_sizes(grams, n_patterns, LW_SCAN_EVENS_WIDTH, LW_SCAN_EVENS_STRIDE, ignore_case);
	grams->word_mask = LW_SCAN_EVENS_BYTES / sizeof(uint64_t) - 1;
	grams->by_evens = 1;
	grams->bucket_log++; /* so that few grams share a bucket */
	if (grams->bucket_log > LW_SCAN_EVENS_BUCKET_LOG_MAX)
		grams->bucket_log = LW_SCAN_EVENS_BUCKET_LOG_MAX;
}

static size_t n_near(const struct lw_scan_grams *grams) { return grams->by_evens ? (size_t)1 << grams->bucket_log : 0; }

size_t lanewise_scan_grams_size(const struct lw_scan_grams *grams)
{
	size_t n_entries = (size_t)grams->n_patterns * grams->stride, n_buckets = (size_t)1 << grams->bucket_log;

	return grams->n_patterns * sizeof *grams->ends + ((size_t)grams->word_mask + 1) * sizeof *grams->bits +
	       n_near(grams) * sizeof *grams->near + (n_buckets + 1 + n_entries + 1) / 2 * 2 * sizeof *grams->entry;
}

/* The gram of a pattern from byte `at` on, which may be nearer than eight bytes to its end. */
static uint64_t hash_of(const struct lw_scan_grams *grams, const lanewise_pattern *pattern, uint32_t at)
{
	uint8_t bytes[LW_SCAN_GRAM_BYTES] = { 0 };

	memcpy(bytes, (const uint8_t *)pattern->bytes + at, grams->width);
	return lw_scan_gram_hash(grams, bytes);
}

static struct lw_scan_ends ends_of(const struct lw_scan_grams *grams, const lanewise_pattern *pattern)
{
	const uint8_t *bytes = pattern->bytes;
	size_t n = pattern->n_bytes, tail_at = 0;
	struct lw_scan_ends ends = { .mask = UINT64_MAX, .length = (uint32_t)n };

	if (n < LW_SCAN_GRAM_BYTES) {
		uint8_t padded[LW_SCAN_GRAM_BYTES] = { 0 };

		memcpy(padded, bytes, n);
		ends.mask = lw_scan_gram_mask((uint32_t)n);
		ends.head = ends.tail = lw_scan_gram_load(grams, padded) & ends.mask;
		return ends;
	}
	tail_at = n - LW_SCAN_GRAM_BYTES < LW_SCAN_GRAM_BYTES ? n - LW_SCAN_GRAM_BYTES : LW_SCAN_GRAM_BYTES;
	ends.head = lw_scan_gram_load(grams, bytes);
	ends.tail = lw_scan_gram_load(grams, bytes + tail_at);
	ends.tail_at = (uint32_t)tail_at;
	return ends;
}

static void set_bit(uint64_t *bits, const struct lw_scan_grams *grams, uint64_t hash)
{
	bits[lw_scan_gram_word(grams, hash)] |= UINT64_C(1) << lw_scan_gram_bit(hash);
}

/* A bit for the lower five bits of a byte, or all if there is none at `at`. */
static uint32_t near_bits(const lanewise_pattern *pattern, size_t at)
{
	return at < pattern->n_bytes ? UINT32_C(1) << (((const uint8_t *)pattern->bytes)[at] & 31) : UINT32_MAX;
}

/* What scan_evens knows of the pattern's gram from byte `at` on. */
static void add_even(const struct lw_scan_grams *grams, const lanewise_pattern *pattern, uint32_t at, uint64_t *bits,
                     struct lw_scan_near *near)
{
	struct lw_scan_evens evens = lw_scan_evens_of(grams);
	uint32_t gram = lw_scan_evens_load(&evens, (const uint8_t *)pattern->bytes + at);
	uint32_t hash = lw_scan_evens_hash(gram), i = lw_scan_evens_near_at(&evens, gram);

	((uint8_t *)bits)[hash % LW_SCAN_EVENS_BYTES] |= (uint8_t)(1u << hash / LW_SCAN_EVENS_BYTES);
	near[i].before |= near_bits(pattern, (size_t)at - 1);
	near[i].after |= near_bits(pattern, (size_t)at + LW_SCAN_EVENS_WIDTH);
}

void lanewise_scan_fill_grams(struct lw_scan_grams *grams, const lanewise_pattern *patterns, const uint8_t *offsets,
                              void *memory)
{
	size_t n_buckets = (size_t)1 << grams->bucket_log, n_words = (size_t)grams->word_mask + 1;
	int shift = 64 - grams->bucket_log;
	struct lw_scan_ends *ends = memory;
	uint64_t *bits = (uint64_t *)(ends + grams->n_patterns);
	struct lw_scan_near *near = (struct lw_scan_near *)(bits + n_words);
	uint32_t *bucket = (uint32_t *)(near + n_near(grams)), *entry = bucket + n_buckets + 1;
	uint32_t stride = grams->stride;

	memset(bits, 0, n_words * sizeof *bits);
	memset(near, 0, n_near(grams) * sizeof *near);
	memset(bucket, 0, (n_buckets + 1) * sizeof *bucket);
	for (size_t i = 0; i < grams->n_patterns; i++) {
		ends[i] = ends_of(grams, &patterns[i]);
		for (size_t r = 0; r < stride; r++) {
			uint64_t hash = hash_of(grams, &patterns[i], offsets[i * stride + r]);

			if (grams->by_evens)
				add_even(grams, &patterns[i], offsets[i * stride + r], bits, near);
			else
				set_bit(bits, grams, hash);
			bucket[(hash >> shift) + 1]++;
		}
	}
	for (size_t h = 0; h < n_buckets; h++)
		bucket[h + 1] += bucket[h];
	for (size_t i = grams->n_patterns; i-- > 0;) /* bucket[h + 1] goes down from its end to its beginning */
		for (size_t r = 0; r < stride; r++) {
			uint32_t at = offsets[i * stride + r];

			entry[--bucket[(hash_of(grams, &patterns[i], at) >> shift) + 1]] =
			        (uint32_t)i << LW_SCAN_GRAM_OFFSET_LOG | at;
		}
	memmove(bucket, bucket + 1, n_buckets * sizeof *bucket);
	bucket[n_buckets] = grams->n_patterns * stride;
	grams->ends = ends;
	grams->bits = bits;
	grams->near = grams->by_evens ? near : NULL;
	grams->bucket = bucket;
	grams->entry = entry;
}

/* Whether a match may have its gram at `place`: not if every pattern of the bucket differs from the text around it. */
LW_INLINE int may_match(const struct lw_scan_grams *grams, const uint8_t *text, size_t n_bytes, size_t place)
{
	if (place < LW_SCAN_GRAM_STRIDE_MAX || n_bytes - place < 2 * LW_SCAN_GRAM_BYTES)
		return 1;

	uint64_t hash = lw_scan_gram_hash(grams, text + place) >> (64 - grams->bucket_log);
	uint32_t begin = grams->bucket[hash], end = grams->bucket[hash + 1];

	if (end - begin > LW_SCAN_GRAM_BUCKET_MAX)
		return 1;
	for (; begin < end; begin++) {
		uint32_t entry = grams->entry[begin];
		const struct lw_scan_ends *ends = &grams->ends[entry >> LW_SCAN_GRAM_OFFSET_LOG];
		const uint8_t *first = text + place - (entry & (LW_SCAN_DIRECT_MAX - 1));

		if (lw_scan_gram_load(grams, first) == ends->head &&
		    lw_scan_gram_load(grams, first + ends->tail_at) == ends->tail)
			return 1;
	}
	return 0;
}

/* Adds a gram's bit to n. */
LW_INLINE size_t add_bit(const struct lw_scan_grams *grams, uint64_t hash, size_t n)
{
	uint64_t bit = lw_scan_gram_bit(hash), word = grams->bits[lw_scan_gram_word(grams, hash)];

#if defined(__x86_64__)
	__asm__("bt %2, %1\n\tadc $0, %0" : "+r"(n) : "r"(word), "r"(bit) : "cc"); /* compilers take three more */
	return n;
#else
	return n + (word >> bit & 1);
#endif
}

/* The places below `end`, where eight bytes can be read, whose bit is set; *place goes to the first that is left. */
LW_INLINE size_t find(struct lw_scan_grams grams, const uint8_t *text, size_t end, size_t *place, uint16_t *places)
{
	size_t stride = grams.stride, n = 0, at = 0;

	while (at + 3 * stride < end)
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++, at += stride) {
			places[n] = (uint16_t)at;
			n = add_bit(&grams, lw_scan_gram_hash(&grams, text + at), n);
		}
	for (; at < end; at += stride) {
		places[n] = (uint16_t)at;
		n = add_bit(&grams, lw_scan_gram_hash(&grams, text + at), n);
	}
	*place = at;
	return n;
}

/* find for grams that are eight bytes as they are, which the compiler makes faster. */
static size_t find_plain(struct lw_scan_grams grams, const uint8_t *text, size_t end, size_t *place, uint16_t *places)
{
	grams.fold = 0;
	grams.mask = UINT64_MAX;
	return find(grams, text, end, place, places);
}

static size_t find_places(const struct lw_scan_grams *grams, const uint8_t *text, size_t end, size_t *place,
                          uint16_t *places)
{
	return grams->width == LW_SCAN_GRAM_BYTES && !grams->fold ? find_plain(*grams, text, end, place, places)
	                                                          : find(*grams, text, end, place, places);
}

size_t lanewise_scan_find_grams(const struct lw_scan_grams *grams, const uint8_t *text, size_t n, uint16_t *places)
{
	size_t n_bytes = n + grams->width - 1, n_kept = 0, place, n_found;
	size_t readable = n_bytes < LW_SCAN_GRAM_BYTES ? 0 : n_bytes - LW_SCAN_GRAM_BYTES + 1;

	n_found = find_places(grams, text, readable < n ? readable : n, &place, places);
	for (size_t i = 0; i < n_found; i++) {
		places[n_kept] = places[i];
		n_kept += (size_t)may_match(grams, text, n_bytes, places[i]);
	}
	for (; place < n; place += grams->stride) /* fewer than eight bytes are left: no need to look */
		places[n_kept++] = (uint16_t)place;
	return n_kept;
}

size_t lanewise_scan_find_bits(const struct lw_scan_grams *grams, const uint8_t *text, size_t n, uint16_t *places)
{
	size_t place;

	return find_places(grams, text, n, &place, places);
}

size_t lanewise_scan_keep_bits(const struct lw_scan_grams *grams, const uint8_t *text, uint16_t *places, size_t n)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t hash = lw_scan_gram_hash(grams, text + places[i]);

		places[n_kept] = places[i];
		n_kept = add_bit(grams, hash, n_kept);
	}
	return n_kept;
}
