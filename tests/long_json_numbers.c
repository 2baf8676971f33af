/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of JSON: floats written with as few digits as can be and read back, one by one and as arrays, against the C
 * library's strtof and strtod. All 2^32 floats take about an hour of one core, 10^9 doubles half of one.
 */
#include <lanewise/json.h>

#include <math.h>

#include "workers.h"

enum { BLOCK = 4096, NUMBER_ROOM = 1200, TEXT_ROOM = BLOCK * 64 };

static const char usage[] = "usage: long_json_numbers [--f32 COUNT] [--f64 COUNT] [--seed SEED] [--jobs N]\n"
                            "  --f32 COUNT  floats, evenly spaced over all 2^32 (100000)\n"
                            "  --f64 COUNT  random doubles; and some 2 % as many other numbers (100000)\n"
                            "  --jobs N     processes (one for each core)\n";

struct plan {
	uint64_t n_f32, n_f64, seed;
};

/* An array of numbers as text, and what the C library reads there. */
struct block {
	size_t n_bytes, n;
	char text[TEXT_ROOM + NUMBER_ROOM];
	double f64[BLOCK];
	float f32[BLOCK];
};

static struct block block;

static void begin_block(void)
{
	block.n = 0;
	block.n_bytes = 1;
	block.text[0] = '[';
}

static char *next_place(void) { return block.text + block.n_bytes; }

static int is_full(void) { return block.n == BLOCK || block.n_bytes > TEXT_ROOM; }

/* The number at next_place() has so many bytes. */
static void take(size_t n_bytes)
{
	block.n_bytes += n_bytes;
	block.text[block.n_bytes++] = ',';
	block.n++;
}

static void finish_block(void)
{
	block.text[block.n_bytes - 1] = ']';
	block.text[block.n_bytes] = '\0';
}

/* ---------------------------------------------------------------- reading */

static void tell(const char *what, size_t i, const lanewise_json_node *numbers)
{
	fprintf(stderr, "%s, tier %s: %.*s\n", what, lanewise_tier_name(lanewise_active_tier()),
	        (int)numbers[i].n_bytes, block.text + numbers[i].offset);
}

static int same_f64(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }
static int same_f32(float a, float b) { return memcmp(&a, &b, sizeof a) == 0; }

static void read_one_by_one(const lanewise_json_node *numbers, int with_f64, int with_f32)
{
	for (size_t i = 0; i < block.n; i++) {
		double f64 = 0;
		float f32 = 0;

		if (with_f64) {
			lanewise_status status = lanewise_json_f64(block.text, &numbers[i], &f64);

			if (!CHECK(same_f64(f64, block.f64[i]) && (status == LANEWISE_OK) == (isinf(f64) == 0)))
				tell("f64", i, numbers);
		}
		if (with_f32) {
			lanewise_status status = lanewise_json_f32(block.text, &numbers[i], &f32);

			if (!CHECK(same_f32(f32, block.f32[i]) && (status == LANEWISE_OK) == (isinf(f32) == 0)))
				tell("f32", i, numbers);
		}
	}
}

/* Arrays end before the first element that is too large. */
static void read_arrays(const lanewise_json_node *numbers, int with_f64, int with_f32)
{
	static const lanewise_json_options options = { .struct_size = sizeof options,
		                                       .flags = LANEWISE_JSON_NUMBER_ARRAYS };
	static double f64[BLOCK];
	static float f32[BLOCK];
	lanewise_json_node array;
	size_t n_nodes, n, end = 0;

	CHECK_EQUAL(lanewise_json_parse(block.text, block.n_bytes, &options, &array, 1, &n_nodes, NULL), LANEWISE_OK);
	if (with_f64) {
		while (end < block.n && !isinf(block.f64[end]))
			end++;
		CHECK_EQUAL(lanewise_json_f64_array(block.text, &array, 0, f64, BLOCK, &n),
		            end == block.n ? LANEWISE_OK : LANEWISE_ERROR_TOO_LARGE);
		CHECK_EQUAL(n, end);
		for (size_t i = 0; i < n; i++)
			if (!CHECK(same_f64(f64[i], block.f64[i])))
				tell("f64 of an array", i, numbers);
	}
	if (with_f32) {
		for (end = 0; end < block.n && !isinf(block.f32[end]);)
			end++;
		CHECK_EQUAL(lanewise_json_f32_array(block.text, &array, 0, f32, BLOCK, &n),
		            end == block.n ? LANEWISE_OK : LANEWISE_ERROR_TOO_LARGE);
		CHECK_EQUAL(n, end);
		for (size_t i = 0; i < n; i++)
			if (!CHECK(same_f32(f32[i], block.f32[i])))
				tell("f32 of an array", i, numbers);
	}
}

static void next_tier(void)
{
	static lanewise_tier tier;

	do
		tier = (tier + 1) % lanewise_tier_count();
	while (lanewise_set_tier(tier) != LANEWISE_OK);
}

/* What the C library makes of the text must be what this one does; as an array, on another tier with every block. */
static void read_block(int with_f64, int with_f32)
{
	static lanewise_json_node nodes[BLOCK + 1];
	size_t n_nodes = 0;

	finish_block();
	if (!CHECK(lanewise_json_parse(block.text, block.n_bytes, NULL, nodes, BLOCK + 1, &n_nodes, NULL) ==
	           LANEWISE_OK) ||
	    !CHECK(n_nodes == block.n + 1))
		return;
	for (size_t i = 0; i < block.n; i++) {
		const char *number = block.text + nodes[i + 1].offset;

		if (with_f64)
			block.f64[i] = strtod(number, NULL);
		if (with_f32)
			block.f32[i] = strtof(number, NULL);
	}
	read_one_by_one(nodes + 1, with_f64, with_f32);
	next_tier();
	read_arrays(nodes + 1, with_f64, with_f32);
}

/* ------------------------------------------------------------- round trips */

/* The digits of a number that was written, which is digits * 10^exponent, without zeros at the end. */
static int take_apart(const char *p, size_t n, uint64_t *digits)
{
	int exponent = 0, behind_point = 0, written = 0;

	*digits = 0;
	for (; n > 0 && *p != 'e'; p++, n--) {
		exponent -= behind_point && *p != '-';
		if (*p == '.')
			behind_point = 1;
		else if (*p != '-')
			*digits = 10 * *digits + (uint64_t)(*p - '0');
	}
	for (size_t i = 1; i < n; i++)
		written = p[i] == '-' || p[i] == '+' ? 0 : 10 * written + (p[i] - '0');
	for (; *digits % 10 == 0; *digits /= 10)
		exponent++;
	return exponent + (n > 1 && p[1] == '-' ? -written : written);
}

/* The other way. */
static size_t put_together(int negative, uint64_t digits, int exponent, char out[40])
{
	char *end = out + 40, *p = end;
	int left = abs(exponent);

	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	if (exponent < 0)
		*--p = '-';
	*--p = 'e';
	do
		*--p = (char)('0' + digits % 10);
	while (digits /= 10);
	if (negative)
		*--p = '-';
	memmove(out, p, (size_t)(end - p));
	return (size_t)(end - p);
}

static int reads_as(const char *text, size_t n, const void *value, size_t size)
{
	lanewise_json_node node = { .n_bytes = (uint32_t)n, .type = LANEWISE_JSON_NUMBER };
	double f64;
	float f32;

	if (size == sizeof f64)
		lanewise_json_f64(text, &node, &f64);
	else
		lanewise_json_f32(text, &node, &f32);
	return memcmp(size == sizeof f64 ? (void *)&f64 : (void *)&f32, value, size) == 0;
}

/*
 * For every eighth value, that there are as few digits as can be: what reads back as the value lies together, so if a
 * number with fewer digits did, one of the two next to this one would. And, for some, that no other as short is nearer, as
 * printf has it; except at a power of two, where what printf has need not read back.
 */
static void check_shortest(const char *text, size_t n, const void *value, size_t size, int is_power_of_two)
{
	static unsigned count;
	char other[40], printed[64];
	uint64_t digits, nearest = 0;
	int exponent, n_digits = 0;

	if (++count % 8 != 0)
		return;
	exponent = take_apart(text, n, &digits);

	for (uint64_t above = 0; above < 2 && digits >= 10; above++) {
		size_t n_other = put_together(*text == '-', digits / 10 + above, exponent + 1, other);

		if (!CHECK(!reads_as(other, n_other, value, size)))
			fprintf(stderr, "%.*s could be %.*s\n", (int)n, text, (int)n_other, other);
	}
	if (count % 64 != 0 || is_power_of_two)
		return;

	double f64;
	float f32;

	memcpy(&f64, value, size == sizeof f64 ? sizeof f64 : 0);
	if (size == sizeof f32) {
		memcpy(&f32, value, sizeof f32);
		f64 = (double)f32;
	}
	for (uint64_t left = digits; left; left /= 10)
		n_digits++;
	snprintf(printed, sizeof printed, "%.*e", n_digits - 1, f64);
	if (!CHECK(take_apart(printed, strlen(printed), &nearest) == exponent && nearest == digits))
		fprintf(stderr, "%.*s is not as near as %s\n", (int)n, text, printed);
}

/* Floats number first, first + stride, ... of which there are n. */
static void test_f32(uint64_t first, uint64_t stride, size_t n)
{
	static float written[BLOCK];

	begin_block();
	for (size_t i = 0; i < n; i++) {
		uint32_t bits = (uint32_t)(first + i * stride);
		float value;

		memcpy(&value, &bits, sizeof value);

		size_t n_bytes = lanewise_json_write_f32(value, next_place());

		CHECK((n_bytes > 0) == (isfinite(value) != 0) && n_bytes <= LANEWISE_JSON_NUMBER_BYTES);
		if (n_bytes) {
			if (value != 0)
				check_shortest(next_place(), n_bytes, &value, sizeof value, !(bits & 0x7fffff));
			written[block.n] = value;
			take(n_bytes);
		}
	}
	if (!block.n)
		return;
	read_block(0, 1);
	if (!CHECK(memcmp(written, block.f32, block.n * sizeof *written) == 0))
		fprintf(stderr, "f32 written wrongly between %" PRIu64 " and %" PRIu64 "\n", first, first + n * stride);
}

static void test_f64(uint64_t *random)
{
	static double written[BLOCK];

	begin_block();
	while (!is_full()) {
		uint64_t bits = test_random(random);
		double value;

		memcpy(&value, &bits, sizeof value);

		size_t n_bytes = lanewise_json_write_f64(value, next_place());

		CHECK((n_bytes > 0) == (isfinite(value) != 0) && n_bytes <= LANEWISE_JSON_NUMBER_BYTES);
		if (n_bytes) {
			if (value != 0)
				check_shortest(next_place(), n_bytes, &value, sizeof value, !(bits & 0xfffffffffffff));
			written[block.n] = value;
			take(n_bytes);
		}
	}
	read_block(1, 0);
	if (!CHECK(memcmp(written, block.f64, block.n * sizeof *written) == 0))
		fprintf(stderr, "f64 written wrongly\n");
}

/* The middle between two neighbours, at which rounding turns, exactly, or a little above. */
static size_t write_middle(char *out, uint64_t *random)
{
	uint64_t bits = test_random(random), how = test_random(random);
	long double middle = 1;

	if (how % 2) {
		uint32_t bits32 = (uint32_t)(bits % 0x7f000000);
		float low;

		memcpy(&low, &bits32, sizeof low);
		middle = ((long double)low + (long double)nextafterf(low, INFINITY)) / 2;
	} else {
		double low;

		bits = 1000 * (UINT64_C(1) << 52) + bits % (46 * (UINT64_C(1) << 52)); /* not too many digits */
		memcpy(&low, &bits, sizeof low);
		middle = ((long double)low + (long double)nextafter(low, INFINITY)) / 2;
	}

	int n = snprintf(out, NUMBER_ROOM, "%.*Le", how / 2 % 4 ? 150 : (int)(how / 8 % 40) + 1, middle);

	if (how / 512 % 2)
		strchr(out, 'e')[-1] = '1';
	return (size_t)n;
}

/* A number as nobody's printing would write it, any number of digits. */
static size_t write_decimal(char *out, uint64_t *random)
{
	uint64_t digits = test_random(random), more = test_random(random), how = test_random(random);
	unsigned n_bits = (unsigned)(how >> 32) % 64;

	switch (how % 8) {
	case 0:
		return (size_t)sprintf(out, "%" PRIu64 "e%d", digits >> n_bits, (int)(more % 700) - 360);
	case 1:
		return (size_t)sprintf(out, "%" PRIu64 ".%020" PRIu64, digits >> n_bits, more);
	case 2:
		return (size_t)sprintf(out, "-%" PRIu64 ".%" PRIu64 "E-%d", digits >> n_bits, more,
		                       (int)(how >> 40) % 60);
	case 3:
		return (size_t)sprintf(out, "0.%" PRIu64 "%" PRIu64, digits, more);
	case 4:
		return (size_t)sprintf(out, "-0.0%" PRIu64, digits % 1000000000000000000);
	case 5:
		return (size_t)sprintf(out, "%" PRIu64, digits >> n_bits);
	default:
		return write_middle(out, random);
	}
}

static void test_decimals(uint64_t *random)
{
	begin_block();
	while (!is_full())
		take(write_decimal(next_place(), random));
	read_block(1, 1);
}

/* ------------------------------------------------------------------- work */

static void work(int worker, int n_workers, const void *context)
{
	const struct plan *plan = context;
	uint64_t every = (UINT64_C(1) << 32) / (plan->n_f32 ? plan->n_f32 : 1), step = (uint64_t)n_workers * BLOCK;
	uint64_t random = plan->seed + (uint64_t)worker * 0x123456789abcdef, n = 0;

	for (uint64_t i = (uint64_t)worker * BLOCK; i < plan->n_f32; i += step)
		test_f32(i * every, every, plan->n_f32 - i < BLOCK ? (size_t)(plan->n_f32 - i) : BLOCK);
	for (uint64_t i = (uint64_t)worker * BLOCK; i < plan->n_f64; i += step, n++) {
		test_f64(&random);
		if (n % 64 == 0)
			test_decimals(&random);
	}
}

int main(int argc, char **argv)
{
	static const char *const options[] = { "--f32", "--f64", "--seed", "--jobs", NULL };
	struct plan plan;

	check_options(argc, argv, options, usage);
	plan.n_f32 = number_option(argc, argv, "--f32", 100000);
	plan.n_f64 = number_option(argc, argv, "--f64", 100000);
	plan.seed = number_option(argc, argv, "--seed", 1);
	if (plan.n_f32 > UINT64_C(1) << 32) {
		fprintf(stderr, "there are 4294967296 floats\n");
		return 2;
	}

	int n_workers = (int)number_option(argc, argv, "--jobs", (uint64_t)default_workers());
	int n_failed = run_workers(n_workers, work, &plan);

	printf("%" PRIu64 " f32, %" PRIu64 " f64: %s\n", plan.n_f32, plan.n_f64,
	       n_failed ? "FAILED" : "as strtod has them");
	return n_failed != 0 || n_workers == 0;
}
