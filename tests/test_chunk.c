/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content-defined chunking against its definitions, computed byte by byte; against cuts that the Rust crate fastcdc 5.0
 * made (FASTCDC2020) and that are frozen (LANEWISE1); in pieces of any size; and what each saves on edited text.
 */
#include "test.h"

#include <stdlib.h>

#include <lanewise/lanewise.h>

#include "chunk/gear_table.h"

enum { MOST_CHUNKS = 1 << 16 };

static lanewise_cdc_options options_of(int32_t method, uint32_t level, uint32_t min_size, uint32_t average_size,
                                       uint32_t max_size, uint64_t key)
{
	lanewise_cdc_options options;

	lanewise_cdc_options_default(&options);
	options.method = method;
	options.level = level;
	options.min_size = min_size;
	options.average_size = average_size;
	options.max_size = max_size;
	options.key = key;
	return options;
}

/* Random words, least significant byte first. */
static void fill_random(unsigned char *p, size_t n, uint64_t seed)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++) {
		word = i % 8 ? word >> 8 : test_random(&seed);
		p[i] = (unsigned char)word;
	}
}

/* Few different bytes, in runs: many positions look alike. */
static void fill_poor(unsigned char *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n;) {
		unsigned char byte = (unsigned char)("ab\n "[test_random(&seed) % 4]);

		for (uint64_t run = 1 + (test_random(&seed) % 8 ? 0 : test_random(&seed) % 40); run > 0 && i < n; run--)
			p[i++] = byte;
	}
}

/* ------------------------------------------------------------- definitions */

/* The length of the first chunk of p[0 ... n) by FastCDC 2020, one byte at a time; log2 of the average is given. */
static size_t naive_fastcdc(const unsigned char *p, size_t n, const lanewise_cdc_options *o, uint64_t strict_mask,
                            uint64_t mask)
{
	uint64_t h = 0;

	if (n <= o->min_size)
		return n;
	n = n < o->max_size ? n : o->max_size;
	for (size_t i = o->min_size; i < n; i++) {
		h = (h << 1) + (lw_gear[p[i]] ^ o->key);
		if (!(h & (i < o->average_size ? strict_mask : mask)) && !(i + 1 == n && n % 2))
			return i;
	}
	return n;
}

static uint64_t naive_split_mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

struct naive_rule {
	uint16_t m[3];
	uint64_t start, factor, d, strict_limit, threshold;
};

static struct naive_rule naive_rule_of(const lanewise_cdc_options *o)
{
	static const uint64_t share[] = { 65536, 60114, 60710, 62396 };
	uint64_t state = o->key ^ 0x6c616e6577697365;
	struct naive_rule rule;

	for (int i = 0; i < 3; i++)
		rule.m[i] = (uint16_t)naive_split_mix(&state) | 1;
	rule.start = naive_split_mix(&state);
	rule.factor = naive_split_mix(&state) | 1;
	rule.d = (o->average_size - o->min_size) * share[o->level] / 65536;
	rule.strict_limit = (65536 + (rule.d << o->level) - 1) / (rule.d << o->level);
	rule.threshold = (UINT64_C(1) << 48) / ((rule.d << o->level) * rule.strict_limit);
	return rule;
}

static uint16_t naive_w(const unsigned char *last) { return (uint16_t)(last[-1] + 256 * last[0]); }
static uint16_t naive_a(const struct naive_rule *r, const unsigned char *last)
{
	return (uint16_t)((uint32_t)r->m[0] * naive_w(last) + naive_w(last - 2));
}
static uint16_t naive_b(const struct naive_rule *r, const unsigned char *last)
{
	return (uint16_t)((uint32_t)r->m[1] * naive_a(r, last) + naive_a(r, last - 4));
}
static uint16_t naive_c(const struct naive_rule *r, const unsigned char *last)
{
	return (uint16_t)((uint32_t)r->m[2] * naive_b(r, last) + naive_b(r, last - 8));
}

static int naive_passes(const struct naive_rule *r, const unsigned char *last)
{
	uint64_t h = r->start;
	int constant = 1;

	for (int word = 0; word < 4; word++) {
		uint64_t x = 0;

		for (int i = 7; i >= 0; i--)
			x = x << 8 | last[8 * word + i - 31];
		h = (h ^ x) * r->factor;
		h ^= h >> 32;
	}
	for (int i = 0; i < 32; i++)
		constant &= last[-i] == last[0];
	return h >> 32 < r->threshold && !constant;
}

static size_t naive_lanewise1(const unsigned char *p, size_t n, const lanewise_cdc_options *o,
                              const struct naive_rule *rule)
{
	for (size_t size = o->min_size; size <= n; size++) {
		uint64_t limit =
		        size <= o->min_size + rule->d ? rule->strict_limit : rule->strict_limit << 2 * o->level;

		if (size == o->max_size)
			return size;
		if ((uint16_t)(naive_c(rule, p + size - 1) + 32768u) < limit && naive_passes(rule, p + size - 1))
			return size;
	}
	return n;
}

/* The masks, for the averages of `configurations`. */
static uint64_t naive_mask(int bits)
{
	static const uint64_t masks[] = {
		[5] = 0x0000000001804110,  [6] = 0x0000000001803110,  [7] = 0x0000000018035100,
		[8] = 0x0000001800035300,  [9] = 0x0000019000353000,  [10] = 0x0000590003530000,
		[11] = 0x0000d90003530000, [12] = 0x0000d90103530000, [13] = 0x0000d90303530000,
		[14] = 0x0000d90313530000, [15] = 0x0000d90f03530000, [16] = 0x0000d90303537000,
		[17] = 0x0000d90703537000
	};

	return masks[bits];
}

static size_t naive_chunks(const unsigned char *p, size_t n, const lanewise_cdc_options *o, int log2_average,
                           uint64_t *ends)
{
	size_t n_chunks = 0;

	for (size_t at = 0; at < n;) {
		if (o->method == LANEWISE_CDC_FASTCDC2020) {
			at += naive_fastcdc(p + at, n - at, o, naive_mask(log2_average + (int)o->level),
			                    naive_mask(log2_average - (int)o->level));
		} else {
			struct naive_rule rule = naive_rule_of(o);

			at += naive_lanewise1(p + at, n - at, o, &rule);
		}
		ends[n_chunks++] = at;
	}
	return n_chunks;
}

static const struct {
	uint32_t min_size, average_size, max_size;
	int log2_average;
} configurations[] = {
	{ 64, 256, 1024, 8 },      { 64, 1000, 1064, 10 },    { 512, 1500, 2000, 11 },
	{ 1024, 4096, 16384, 12 }, { 900, 11500, 11600, 13 },
};
enum { CONFIGURATIONS = sizeof configurations / sizeof *configurations };

static void test_definitions(const unsigned char *data, size_t n)
{
	static uint64_t ends[MOST_CHUNKS], naive[MOST_CHUNKS];

	for (int i = 0; i < CONFIGURATIONS * 16; i++) {
		int k = i % CONFIGURATIONS;
		lanewise_cdc_options o = options_of(i & 1, (uint32_t)i / 2 % 4, configurations[k].min_size,
		                                    configurations[k].average_size, configurations[k].max_size,
		                                    i % 3 ? 0 : 0x1234567890abcdef * (uint64_t)(i + 1));
		size_t length = i % 7 ? n - (size_t)i : (size_t)i * 13;
		size_t n_naive = naive_chunks(data, length, &o, configurations[k].log2_average, naive), n_chunks;

		CHECK(lanewise_cdc_chunks(data, length, &o, ends, MOST_CHUNKS, &n_chunks, NULL) == LANEWISE_OK);
		CHECK_EQUAL(n_chunks, n_naive);
		CHECK(memcmp(ends, naive, n_naive * sizeof *ends) == 0);
		CHECK(n_chunks <= lanewise_cdc_bound(length, &o));
	}
}

/* ------------------------------------------------------------------ golden */

struct golden {
	lanewise_cdc_options options;
	uint64_t n_bytes;
	size_t n_sizes;
	uint32_t sizes[32];
};

static void test_golden(const struct golden *golden)
{
	static uint64_t ends[MOST_CHUNKS];
	unsigned char *data = malloc(golden->n_bytes);
	uint64_t end = 0;
	size_t n;

	fill_random(data, golden->n_bytes, 7);
	CHECK(lanewise_cdc_chunks(data, golden->n_bytes, &golden->options, ends, MOST_CHUNKS, &n, NULL) == LANEWISE_OK);
	CHECK_EQUAL(n, golden->n_sizes);
	for (size_t i = 0; i < n && i < golden->n_sizes; i++) {
		end += golden->sizes[i];
		CHECK_EQUAL(ends[i], end);
	}
	free(data);
}

/* Cuts by the crate fastcdc 5.0.0, module v2020, in the same random bytes. */
static void test_fastcdc_golden(void)
{
	const struct golden golden[] = {
		{ options_of(1, 1, 4096, 16384, 65536, 0), 400001, 22, { 13149, 18022, 8311,  24189, 6307,  11556,
		                                                         4908,  9114,  39493, 22686, 40475, 13096,
		                                                         35946, 7017,  6501,  17226, 32511, 18921,
		                                                         18867, 18132, 23420, 10154 } },
		{ options_of(1, 0, 2048, 8192, 32768, 0),
		  100000,
		  14,
		  { 10041, 3108, 6683, 7163, 4176, 8311, 24189, 6307, 8515, 3041, 4908, 3588, 5526, 4444 } },
		{ options_of(1, 2, 1024, 4096, 16384, 0),
		  60001,
		  14,
		  { 5630, 4411, 4769, 4213, 5019, 4265, 5369, 4823, 1955, 5452, 4547, 4533, 4603, 412 } },
		{ options_of(1, 3, 512, 1000, 4000, 666), 30003, 28, { 1029, 1011, 1170, 1078, 1049, 1032, 1089,
		                                                       1062, 1030, 1008, 1021, 1360, 1143, 1005,
		                                                       1217, 1192, 1032, 1044, 1041, 1070, 1012,
		                                                       1057, 1057, 1039, 1374, 1001, 1052, 728 } },
		{ options_of(1, 1, 16384, 65536, 262144, 666),
		  800000,
		  10,
		  { 83439, 71937, 69832, 68085, 78435, 44613, 84961, 134067, 119690, 44941 } },
		{ options_of(1, 2, 64, 256, 1024, 1),
		  5001,
		  18,
		  { 399, 264, 281, 201, 274, 274, 283, 492, 285, 374, 115, 338, 289, 257, 284, 316, 259, 16 } },
	};

	for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
		test_golden(&golden[i]);
}

/* LANEWISE1 is what it was when it was defined. */
static void test_own_golden(void)
{
	const struct golden golden[] = {
		{ options_of(0, 1, 4096, 16384, 65536, 0), 400001, 29, { 15500, 8330,  16611, 18641, 19226, 19740,
		                                                         9113,  14534, 11659, 19066, 13200, 14410,
		                                                         12814, 24194, 5555,  5353,  15201, 13574,
		                                                         7186,  23037, 28493, 9854,  11515, 6694,
		                                                         12488, 4711,  18034, 20662, 606 } },
		{ options_of(0, 0, 2048, 8192, 32768, 0),
		  100000,
		  13,
		  { 15500, 8330, 3092, 13519, 13961, 4680, 3828, 4849, 10549, 2617, 12545, 4578, 1952 } },
		{ options_of(0, 2, 1024, 4096, 16384, 12345),
		  60001,
		  14,
		  { 3793, 5110, 3875, 4370, 4298, 2236, 5087, 4317, 7635, 3206, 3958, 4497, 4376, 3243 } },
		{ options_of(0, 3, 512, 1000, 4000, 666), 20000, 20, { 1028, 985,  1034, 983,  989,  1056, 1078,
		                                                       1013, 1007, 1032, 1026, 984,  803,  1044,
		                                                       1000, 991,  1038, 1015, 1155, 739 } },
	};

	for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
		test_golden(&golden[i]);
}

/* --------------------------------------------------------------- any pieces */

static size_t feed_all(lanewise_cdc *cdc, const unsigned char *p, size_t n, size_t capacity, uint64_t *ends)
{
	unsigned char *piece = malloc(n ? n : 1); /* of just its size, for the sanitizer */
	size_t n_ends = 0;

	memcpy(piece, p, n);
	for (size_t done = 0, more; done < n; n_ends += more) {
		done += lanewise_cdc_feed(cdc, piece + done, n - done, ends + n_ends, capacity, &more);
		if (!CHECK(more <= capacity))
			break;
	}
	free(piece);
	return n_ends;
}

static void check_pieces(const lanewise_cdc_options *o, const unsigned char *data, size_t n, const size_t *cuts,
                         size_t n_cuts, size_t capacity, const uint64_t *expected, size_t n_expected)
{
	void *scratch = malloc(lanewise_cdc_scratch_size());
	uint64_t ends[1024];
	lanewise_cdc *cdc;
	size_t n_ends = 0;

	CHECK(lanewise_cdc_begin(scratch, o, &cdc, NULL) == LANEWISE_OK);
	for (size_t i = 0; i <= n_cuts; i++) {
		size_t begin = i == 0 ? 0 : cuts[i - 1], end = i == n_cuts ? n : cuts[i];

		n_ends += feed_all(cdc, data + begin, end - begin, capacity, ends + n_ends);
	}
	n_ends += (size_t)lanewise_cdc_finish(cdc, ends + n_ends);
	if (!CHECK(n_ends == n_expected && memcmp(ends, expected, n_ends * sizeof *ends) == 0))
		fprintf(stderr, "method %d, %zu pieces, the first of %zu bytes\n", (int)o->method, n_cuts + 1, cuts[0]);
	free(scratch);
}

static void test_pieces(const unsigned char *data, size_t n)
{
	for (int32_t method = 0; method < 2; method++)
		for (uint32_t level = 0; level < 4; level++) {
			lanewise_cdc_options o = options_of(method, level, 64, 256, 1024, level);
			uint64_t expected[1024], seed = level;
			size_t n_expected, every[2048], cuts[8];

			CHECK(lanewise_cdc_chunks(data, n, &o, expected, 1024, &n_expected, NULL) == LANEWISE_OK);
			for (size_t cut = 0; cut <= n; cut++)
				check_pieces(&o, data, n, &cut, 1, 1 + cut % 5, expected, n_expected);
			for (size_t length = n > 1500 ? n - 9 : n; length <= n;
			     length++) { /* every end, one byte at a time */
				size_t n_length;

				CHECK(lanewise_cdc_chunks(data, length, &o, expected, 1024, &n_length, NULL) ==
				      LANEWISE_OK);
				for (size_t i = 0; i < 2047; i++)
					every[i] = i + 1;
				size_t n_every = length < 2047 ? length - 1 : 2047;

				check_pieces(&o, data, length, every, n_every, 1, expected, n_length);
			}
			for (int round = 0; round < 200; round++) {
				for (int i = 0; i < 8; i++)
					cuts[i] = test_random(&seed) % (n + 1);
				for (int i = 1; i < 8; i++) /* ascending */
					for (int k = i; k > 0 && cuts[k] < cuts[k - 1]; k--) {
						size_t swap = cuts[k];

						cuts[k] = cuts[k - 1];
						cuts[k - 1] = swap;
					}
				check_pieces(&o, data, n, cuts, 8, 3, expected, n_expected);
			}
		}
}

/* -------------------------------------------------------------- properties */

static void test_constant_runs(void)
{
	static unsigned char data[40000];

	for (int byte = 0; byte < 256; byte++)
		for (uint64_t key = 0; key < 4; key++) {
			lanewise_cdc_options o = options_of(LANEWISE_CDC_LANEWISE1, (uint32_t)key, 64, 512, 4096, key);
			uint64_t ends[700];
			size_t n;

			memset(data, byte, sizeof data);
			CHECK(lanewise_cdc_chunks(data, sizeof data, &o, ends, 700, &n, NULL) == LANEWISE_OK);
			CHECK_EQUAL(n, 10);
			for (size_t i = 0; i + 1 < n; i++)
				CHECK_EQUAL(ends[i], 4096 * (i + 1));
		}
}

/* The chunks of random data have the average size that was asked for, and keys cut elsewhere. */
static void test_averages(void)
{
	enum { BYTES = 16 << 20 };
	unsigned char *data = malloc(BYTES);
	static uint64_t ends[MOST_CHUNKS], others[MOST_CHUNKS];

	fill_random(data, BYTES, 99);
	for (uint32_t level = 0; level < 4; level++) {
		lanewise_cdc_options o = options_of(LANEWISE_CDC_LANEWISE1, level, 512, 2048, 65536, 0);
		size_t n, n_others, same = 0;

		CHECK(lanewise_cdc_chunks(data, BYTES, &o, ends, MOST_CHUNKS, &n, NULL) == LANEWISE_OK);
		if (!CHECK(n > BYTES / 2048 * 0.97 && n < BYTES / 2048 * 1.03))
			fprintf(stderr, "level %u: %.1f bytes on average\n", level, (double)BYTES / (double)n);
		o.key = 1;
		CHECK(lanewise_cdc_chunks(data, BYTES, &o, others, MOST_CHUNKS, &n_others, NULL) == LANEWISE_OK);
		for (size_t i = 0, k = 0; i < n && k < n_others;) {
			same += ends[i] == others[k];
			ends[i] < others[k] ? i++ : k++;
		}
		CHECK(same < n / 100);
	}
	free(data);
}

static void test_arguments(void)
{
	lanewise_cdc_options good, o;
	unsigned char data[100] = { 0 };
	uint64_t end;
	size_t n;
	lanewise_error error;
	struct {
		lanewise_cdc_options options;
		const char *what;
	} bad[10];

	lanewise_cdc_options_default(&good);
	for (int i = 0; i < 10; i++)
		bad[i].options = good;
	bad[0].options.struct_size = 1, bad[0].what = "struct_size";
	bad[1].options.method = 2, bad[1].what = "method";
	bad[2].options.level = 4, bad[2].what = "level";
	bad[3].options.reserved = 1, bad[3].what = "reserved";
	bad[4].options.min_size = 63, bad[4].what = "min_size";
	bad[5].options.average_size = 255, bad[5].what = "average_size";
	bad[6].options.max_size = 1 << 25, bad[6].what = "max_size";
	bad[7].options.min_size = 16384, bad[7].what = "ascend";
	bad[8].options.method = LANEWISE_CDC_FASTCDC2020, bad[8].options.max_size = 65535, bad[8].what = "even";
	bad[9].options.min_size = 16384 - 63, bad[9].what = "apart";
	for (int i = 0; i < 10; i++) {
		CHECK(lanewise_cdc_chunks(data, 100, &bad[i].options, &end, 1, &n, &error) == LANEWISE_ERROR_ARGUMENT);
		if (!CHECK(strstr(error.what, bad[i].what) != NULL))
			fprintf(stderr, "%s\n", error.what);
		CHECK_EQUAL(lanewise_cdc_bound(100, &bad[i].options), 0);
	}

	o = good;
	CHECK(lanewise_cdc_chunks(NULL, 0, NULL, NULL, 0, &n, NULL) == LANEWISE_OK && n == 0);
	CHECK(lanewise_cdc_chunks(data, 100, &o, &end, 1, &n, NULL) == LANEWISE_OK && n == 1 && end == 100);
	CHECK(lanewise_cdc_chunks(data, 100, &o, &end, 0, &n, &error) == LANEWISE_ERROR_CAPACITY && n == 0);
	CHECK(lanewise_cdc_chunks(NULL, 1, &o, &end, 1, &n, NULL) == LANEWISE_ERROR_ARGUMENT);
	CHECK_EQUAL(lanewise_cdc_bound(0, NULL), 0);
	CHECK_EQUAL(lanewise_cdc_bound(4096, NULL), 1);
	CHECK_EQUAL(lanewise_cdc_bound(4097, NULL), 2);
	CHECK(lanewise_cdc_scratch_size() < 8192);
	CHECK(lanewise_cdc_begin(NULL, NULL, NULL, NULL) == LANEWISE_ERROR_ARGUMENT);
}

/* ----------------------------------------------------------------- savings */

enum { VERSIONS = 10, WORDS = 4000 };

struct corpus {
	unsigned char *data;
	size_t n, capacity, end[VERSIONS];
};

/* A line of words, few of which are frequent. */
static size_t write_line(unsigned char *to, uint64_t *seed)
{
	size_t n = 0;

	for (uint64_t words = 1 + test_random(seed) % 12; words > 0; words--) {
		uint64_t rank = test_random(seed) % WORDS, letters;

		rank = rank * (test_random(seed) % WORDS) / WORDS;
		letters = rank * 0x9e3779b97f4a7c15;
		for (uint64_t length = 2 + letters % 7; length > 0; length--, letters /= 26)
			to[n++] = (unsigned char)('a' + letters % 26);
		to[n++] = words == 1 ? '\n' : ' ';
	}
	return n;
}

/* The version before with some lines left out, some put in and some bytes changed. */
static void write_version(struct corpus *c, const unsigned char *before, size_t n, uint64_t *seed)
{
	for (size_t at = 0, length; at < n; at += length) {
		const unsigned char *newline = memchr(before + at, '\n', n - at);
		uint64_t chance = test_random(seed) % 400;

		length = newline ? (size_t)(newline - before) + 1 - at : n - at;
		if (chance == 0) {
			c->n += write_line(c->data + c->n, seed);
		} else if (chance == 1) {
			length = length + 300 < n - at ? length + 300 : n - at; /* also within lines */
			continue;
		}
		memcpy(c->data + c->n, before + at, length);
		if (chance == 2)
			c->data[c->n] = '#';
		c->n += length;
	}
}

static void make_corpus(struct corpus *c)
{
	uint64_t seed = 2024;

	c->capacity = 16 << 20;
	c->data = malloc(c->capacity);
	c->n = 0;
	while (c->n < 600000)
		c->n += write_line(c->data + c->n, &seed);
	c->end[0] = c->n;
	for (int v = 1; v < VERSIONS; v++) {
		size_t begin = v == 1 ? 0 : c->end[v - 2];

		write_version(c, c->data + begin, c->end[v - 1] - begin, &seed);
		c->end[v] = c->n;
	}
}

/* The part of the bytes that need not be stored again, in percent; and the average size of chunks. */
static double savings(const struct corpus *c, const lanewise_cdc_options *o, double *average)
{
	enum { TABLE = 1 << 17 };
	uint64_t *seen = calloc(TABLE, sizeof *seen), *ends = malloc(MOST_CHUNKS * sizeof *ends);
	size_t n_all = 0, duplicate = 0;

	for (int v = 0; v < VERSIONS; v++) {
		size_t begin = v == 0 ? 0 : c->end[v - 1], n, from = 0;

		CHECK(lanewise_cdc_chunks(c->data + begin, c->end[v] - begin, o, ends, MOST_CHUNKS, &n, NULL) ==
		      LANEWISE_OK);
		for (size_t i = 0; i < n; from = ends[i++]) {
			uint64_t hash = lanewise_xxh3_64(c->data + begin + from, ends[i] - from, 0) | 1;
			size_t slot = hash % TABLE;

			while (seen[slot] && seen[slot] != hash)
				slot = (slot + 1) % TABLE;
			duplicate += seen[slot] == hash ? ends[i] - from : 0;
			seen[slot] = hash;
		}
		n_all += n;
	}
	free(seen);
	free(ends);
	*average = (double)c->n / (double)n_all;
	return 100.0 * (double)duplicate / (double)c->n;
}

static void test_savings(void)
{
	static const uint32_t averages[] = { 1024, 2048, 4096 };
	struct corpus corpus;

	make_corpus(&corpus);
	for (size_t i = 0; i < 3; i++)
		for (uint32_t level = 0; level < 4; level++) {
			uint32_t a = averages[i];
			lanewise_cdc_options fast = options_of(LANEWISE_CDC_FASTCDC2020, level, a / 4, a, a * 4, 0);
			double fast_average, own_average, fast_savings = savings(&corpus, &fast, &fast_average), own;
			lanewise_cdc_options ours =
			        options_of(LANEWISE_CDC_LANEWISE1, level, a / 4, (uint32_t)fast_average, a * 4, 0);

			/* Cuts at the maximum, and text, make the average another than what was asked for. */
			for (int round = 0; round < 3; round++) {
				own = savings(&corpus, &ours, &own_average);
				ours.average_size = (uint32_t)(ours.average_size * fast_average / own_average);
			}
			own = savings(&corpus, &ours, &own_average);
			printf("level %u: FastCDC saves %.2f %% with %.0f bytes, ours %.2f %% with %.0f\n", level,
			       fast_savings, fast_average, own, own_average);
			CHECK(own_average > 0.95 * fast_average && own_average < 1.05 * fast_average);
			CHECK(own > fast_savings - 2);
			CHECK(fast_savings > 20 && fast_savings < 95); /* or this would show nothing */
		}
	free(corpus.data);
}

int main(void)
{
	enum { BYTES = 200000, SMALL = 3001 };
	unsigned char *data = malloc(BYTES);

	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		fill_random(data, BYTES, 1);
		test_definitions(data, BYTES);
		test_pieces(data, SMALL);
		fill_poor(data, BYTES, 2);
		test_definitions(data, BYTES);
		test_pieces(data, SMALL);
		test_fastcdc_golden();
		test_own_golden();
		test_constant_runs();
	}
	test_averages();
	test_arguments();
	test_savings();
	free(data);
	return test_result();
}
