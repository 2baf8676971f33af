/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The approximate dot products of lanewise/half.h: errors against the header's bound, from sums in double; pairs and rows,
 * the same bits in all places; memory between unmapped pages. On every tier, and for an emulation of VDPBF16PS in C, which
 * runs the loops of the x86 kernel on any CPU and on Intel's must give the bits of the instruction.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lanewise/half.h>

#define LW_THIS_TIER emulated
#include "scalar.h"
#include "test.h"

/* ---------------------------------------------------------------- emulation */

enum { VB_ELEMENTS = 32, LANES = VB_ELEMENTS / 2 };

typedef struct {
	uint16_t element[VB_ELEMENTS];
} vb;
typedef struct {
	float lane[LANES];
} vs;

static vb vb_load_first(const uint16_t *p, size_t n)
{
	vb v = { { 0 } };

	memcpy(v.element, p, n * sizeof *p);
	return v;
}

static vb vb_load(const uint16_t *p) { return vb_load_first(p, VB_ELEMENTS); }

static vs vs_zero(void) { return (vs) { { 0 } }; }

static vs vs_add(vs a, vs b)
{
	for (int i = 0; i < LANES; i++)
		a.lane[i] += b.lane[i];
	return a;
}

static float flush(float x) { return fabsf(x) < FLT_MIN ? copysignf(0, x) : x; }
static float widen(uint16_t x) { return lw_f32_from_bits((uint32_t)x << 16); }

/* Intel SDM, volume 2, VDPBF16PS. */
static vs vs_dot(vs sums, vb a, vb b)
{
	for (int i = 0; i < VB_ELEMENTS; i++) {
		int element = i ^ 1; /* of each pair the odd one first */
		float *sum = &sums.lane[i / 2];

		*sum = flush(
		        lw_fma_f32(flush(widen(a.element[element])), flush(widen(b.element[element])), flush(*sum)));
	}
	return sums;
}

/* The order of additions is that of bf16_approx_avx512_bf16.c. */
static void vs_sum4(const vs v[4], float *out)
{
	for (int r = 0; r < 4; r++) {
		float block[4];

		for (int i = 0; i < 4; i++) {
			const float *x = v[r].lane + 4 * i;

			block[i] = (x[0] + x[2]) + (x[1] + x[3]);
		}
		out[r] = (block[0] + block[2]) + (block[1] + block[3]);
	}
}

lanewise_dot_bf16_approx_rows_fn lanewise_dot_bf16_approx_rows_emulated;
#include "half/bf16_approx.h"

/* --------------------------------------------------------------------- data */

static uint64_t seed = 23;

enum { KINDS = 7 };

static uint16_t draw(int kind, size_t i)
{
	uint64_t random = test_random(&seed);
	uint16_t bits = (uint16_t)random, any_exponent = (uint16_t)(1 + (random >> 16) % 126 + 64);

	switch (kind) {
	case 0: /* 1/2 ... 2 */
		return (uint16_t)((bits & 0x80ff) | 0x3f00);
	case 1: /* positive */
		return (uint16_t)((bits & 0x00ff) | 0x3f00);
	case 2: /* of all magnitudes whose products are floats */
		return (uint16_t)((bits & 0x807f) | any_exponent << 7);
	case 3: /* sums near 0 */
		return (uint16_t)(i & 1 ? 0xbf80 | (bits & 1) : 0x3f80);
	case 4: /* products about the smallest floats */
		return (uint16_t)((bits & 0x807f) | (58 + (random >> 16) % 10) << 7);
	case 5: /* subnormals among others */
		return (uint16_t)(bits & 0x100 ? bits & 0x807f : (bits & 0x80ff) | 0x3f00);
	default:
		return (uint16_t)(bits & 0x8000);
	}
}

static int is_subnormal(uint16_t x) { return (x & 0x7f80) == 0 && (x & 0x7f) != 0; }

/* The header's bound; for a subnormal element, what it contributes may be there or not. */
static void check_bound(const uint16_t *a, const uint16_t *b, size_t n, float got)
{
	double sum = 0, magnitude = 0, uncertain = 0;

	for (size_t i = 0; i < n; i++) {
		double product = (double)widen(a[i]) * (double)widen(b[i]);

		sum += product;
		magnitude += fabs(product);
		if (is_subnormal(a[i]) || is_subnormal(b[i]))
			uncertain += fabs(product);
	}
	double bound = ((double)n / 16 + 8) * 0x1p-23 * magnitude + (double)n * 0x1p-125 + uncertain;

	if (!CHECK(fabs((double)got - sum) <= bound))
		fprintf(stderr, "  n %zu: %g for %g, allowed %g\n", n, (double)got, sum, bound);
}

/* -------------------------------------------------------------------- places */

enum { MAX_DIM = 400, MAX_ROWS = 9 };

/* Memory between two unmapped pages. */
struct guarded {
	unsigned char *base;
	size_t n_bytes, page;
};

static struct guarded guarded_create(size_t n_bytes)
{
	struct guarded g = { .page = (size_t)sysconf(_SC_PAGESIZE) };

	g.n_bytes = (n_bytes + g.page - 1) / g.page * g.page;
	g.base = mmap(NULL, g.n_bytes + 2 * g.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g.base == MAP_FAILED || mprotect(g.base, g.page, PROT_NONE) != 0 ||
	    mprotect(g.base + g.page + g.n_bytes, g.page, PROT_NONE) != 0)
		exit(2);
	return g;
}

/* A copy that ends, or else begins, flush with an unmapped page. */
static uint16_t *guarded_copy(const struct guarded *g, int at_end, const uint16_t *data, size_t n)
{
	unsigned char *p = g->base + g->page + (at_end ? g->n_bytes - n * sizeof *data : 0);

	memcpy(p, data, n * sizeof *data);
	return (uint16_t *)(void *)p;
}

/* One query and rows: within the bound; alone, prefetched, and at the edges of mapped memory the same bits. */
static void check_rows(lanewise_dot_bf16_approx_rows_fn *rows_fn, size_t dim, size_t n_rows, size_t ld, int kind)
{
	static struct guarded query_memory, row_memory;
	static uint16_t query[MAX_DIM], rows[MAX_ROWS * (MAX_DIM + 40)];
	float out[MAX_ROWS + 1], again[MAX_ROWS];
	size_t n = n_rows ? (n_rows - 1) * ld + dim : 0;

	if (!query_memory.base) {
		query_memory = guarded_create(sizeof query);
		row_memory = guarded_create(sizeof rows);
	}
	for (size_t i = 0; i < dim; i++)
		query[i] = draw(kind, i);
	memset(rows, 0xff, sizeof rows); /* NaN in the gaps */
	for (size_t r = 0; r < n_rows; r++)
		for (size_t i = 0; i < dim; i++)
			rows[r * ld + i] = draw(kind == 3 ? 1 : kind, i);
	memset(out, 0x5a, sizeof out);
	rows_fn(query, rows, n_rows, dim, ld, 0, out);
	CHECK_EQUAL(lw_f32_bits(out[n_rows]), 0x5a5a5a5a);
	for (int place = 0; place < 4; place++) {
		const uint16_t *q = guarded_copy(&query_memory, place & 1, query, dim);
		const uint16_t *r = guarded_copy(&row_memory, place >> 1, rows, n);

		rows_fn(q, r, n_rows, dim, ld, place & 1, again);
		CHECK(memcmp(out, again, n_rows * sizeof *out) == 0);
	}
	for (size_t r = 0; r < n_rows; r++) {
		check_bound(query, rows + r * ld, dim, out[r]);
		rows_fn(query, rows + r * ld, 1, dim, dim, 0, again);
		CHECK_EQUAL(lw_f32_bits(again[0]), lw_f32_bits(out[r]));
		if (rows_fn == lanewise_bf16_kernel())
			CHECK_EQUAL(lw_f32_bits(lanewise_dot_bf16_approx(query, rows + r * ld, dim)),
			            lw_f32_bits(out[r]));
	}
}

static void test_kernel(lanewise_dot_bf16_approx_rows_fn *rows_fn)
{
	for (size_t dim = 0; dim <= MAX_DIM; dim++)
		for (int kind = 0; kind < KINDS; kind++) {
			size_t n_rows = test_random(&seed) % (MAX_ROWS + 1), gap = test_random(&seed) % 40;

			check_rows(rows_fn, dim, n_rows, dim + (gap < 20 ? 0 : gap), kind);
		}
}

/* ------------------------------------------------------------------ functions */

static void public_rows(const uint16_t *query, const uint16_t *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                        float *out)
{
	(void)prefetch;
	lanewise_dot_bf16_approx_rows(query, rows, n_rows, dim, ld, out);
}

/* Rows that do not fit L2 and are long, alone and together. */
static void test_large(void)
{
	enum { DIM = 65536, ROWS_OF_IT = 40 };
	uint16_t *rows = malloc(sizeof *rows * DIM * ROWS_OF_IT);
	float out[ROWS_OF_IT];

	if (!rows)
		exit(2);
	for (size_t i = 0; i < (size_t)DIM * ROWS_OF_IT; i++)
		rows[i] = draw(i / DIM % 3 == 0, i);
	lanewise_dot_bf16_approx_rows(rows, rows, ROWS_OF_IT, DIM, DIM, out);
	for (size_t r = 0; r < ROWS_OF_IT; r++) {
		float alone = lanewise_dot_bf16_approx(rows, rows + r * DIM, DIM);

		CHECK_EQUAL(lw_f32_bits(out[r]), lw_f32_bits(alone));
		check_bound(rows, rows + r * DIM, DIM, out[r]);
	}
	free(rows);
}

/* Where the instructions are not used, the exact product is. */
static void test_exact(void)
{
	static uint16_t a[5000], b[sizeof a / sizeof *a];

	for (size_t n = 0; n <= sizeof a / sizeof *a; n += 1 + test_random(&seed) % 700) {
		float rows_of_one;

		for (size_t i = 0; i < n; i++) {
			a[i] = (uint16_t)test_random(&seed);
			b[i] = (uint16_t)test_random(&seed);
		}
		lanewise_dot_bf16_approx_rows(a, b, 1, n, n, &rows_of_one);
		CHECK_EQUAL(lw_f32_bits(rows_of_one), lw_f32_bits(lanewise_dot_bf16(a, b, n)));
		CHECK_EQUAL(lw_f32_bits(lanewise_dot_bf16_approx(a, b, n)), lw_f32_bits(lanewise_dot_bf16(a, b, n)));
	}
}

static void test_special(void)
{
	const uint16_t one = 0x3f80, zero = 0, minus_zero = 0x8000, infinity = 0x7f80, nan = 0xffc1;
	uint16_t a[70], b[70];
	float out = 7;

	CHECK_EQUAL(lw_f32_bits(lanewise_dot_bf16_approx(NULL, NULL, 0)), 0);
	lanewise_dot_bf16_approx_rows(NULL, NULL, 1, 0, 0, &out);
	CHECK_EQUAL(lw_f32_bits(out), 0);
	lanewise_dot_bf16_approx_rows(NULL, NULL, 0, 5, 5, NULL);
	for (size_t at = 0; at < 70; at++) {
		for (size_t i = 0; i < 70; i++)
			a[i] = b[i] = one;
		CHECK(lanewise_dot_bf16_approx(a, b, 70) == 70);
		a[at] = infinity;
		CHECK(lanewise_dot_bf16_approx(a, b, 70) == INFINITY);
		b[at] = zero;
		CHECK_EQUAL(lw_f32_bits(lanewise_dot_bf16_approx(a, b, 70)), 0x7fc00000);
		b[at] = nan;
		CHECK_EQUAL(lw_f32_bits(lanewise_dot_bf16_approx(a, b, 70)), 0x7fc00000);
	}
	CHECK_EQUAL(lw_f32_bits(lanewise_dot_bf16_approx(&minus_zero, &one, 1)), 0);
}

/* The last kernel by number; what is told is what runs. */
static void test_told(lanewise_tier tier)
{
	int32_t kernel = lanewise_kernel_count() - 1;
	const char *told = lanewise_kernel_implementation(kernel, tier);

	CHECK(strcmp(lanewise_kernel_name(kernel), "dot_bf16_approx_rows") == 0);
	if (lanewise_bf16_kernel())
		CHECK(strcmp(told, LW_HAVE_X86 ? "avx512_bf16" : "neon_bf16") == 0);
	else
		CHECK(strcmp(told, lanewise_kernel_implementation(LW_KERNEL_dot_bf16_rows, tier)) == 0);
}

/* Intel's instruction is what the emulation says. (AMD's may be; nobody has looked.) */
static void test_emulation(lanewise_dot_bf16_approx_rows_fn *hardware)
{
	static uint16_t a[MAX_DIM], b[4 * MAX_DIM];
	float expected[4], got[4];

	for (int round = 0; round < 20000; round++) {
		size_t dim = test_random(&seed) % (MAX_DIM + 1);
		int kind = (int)(test_random(&seed) % (KINDS + 1));

		for (size_t i = 0; i < 4 * dim; i++)
			b[i] = kind == KINDS ? (uint16_t)test_random(&seed) : draw(kind, i);
		for (size_t i = 0; i < dim; i++)
			a[i] = kind == KINDS ? (uint16_t)test_random(&seed) : draw(kind, i);
		lanewise_dot_bf16_approx_rows_emulated(a, b, 4, dim, dim, 0, expected);
		hardware(a, b, 4, dim, dim, 0, got);
		CHECK(memcmp(expected, got, sizeof got) == 0);
	}
}

int main(void)
{
	char model[LW_CPU_MODEL_BYTES];

	lanewise_cpu_model_name(model);
	test_kernel(lanewise_dot_bf16_approx_rows_emulated);
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		if (lanewise_set_tier(tier) != LANEWISE_OK)
			continue;
		test_told(tier);
		test_kernel(lanewise_bf16_kernel() ? lanewise_bf16_kernel() : public_rows);
		test_large();
		test_special();
		if (!lanewise_bf16_kernel())
			test_exact();
		else if (strstr(model, "Intel"))
			test_emulation(lanewise_bf16_kernel());
		printf("%s: %s\n", lanewise_tier_name(tier),
		       lanewise_bf16_kernel() ? "bfloat16 instructions" : "widened");
	}
	return test_result();
}
