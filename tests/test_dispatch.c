/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dispatcher before CPUs of every kind, lying ones too; the cap by environment; switching while others call; first
 * calls from many threads and from a constructor that runs before the library's; the texts about it all.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lanewise/topk.h>
#include <lanewise/vector.h>

#include "dispatch.h"
#include "test.h"

/* ---------------------------------------- a call from an early constructor */

static const float early_a[3] = { 1, 2, 3 }, early_b[3] = { 4, 5, 6 };
static float early_dot;
static int early_was_unset;

/* 101 is the first priority that programs may use; the library's constructor has none and runs after it. */
__attribute__((constructor(101))) static void call_early(void)
{
	early_was_unset = atomic_load(&lanewise_active_kernels) == NULL;
	early_dot = lanewise_dot_f32(early_a, early_b, 3);
}

static void test_early_call(void)
{
	CHECK(early_was_unset);
	CHECK(early_dot == 32);
}

/* ------------------------------------------------------------- mocked x86 */

enum {
	/* leaf 1, ECX */
	PCLMULQDQ = 1 << 1,
	FMA = 1 << 12,
	MOVBE = 1 << 22,
	POPCNT = 1 << 23,
	OSXSAVE = 1 << 27,
	AVX = 1 << 28,
	F16C = 1 << 29,
	/* leaf 0x80000001, ECX */
	LZCNT = 1 << 5,
	/* leaf 7, ECX */
	VBMI = 1 << 1,
	VBMI2 = 1 << 6,
	GFNI = 1 << 8,
	VPCLMULQDQ = 1 << 10,
	VNNI = 1 << 11,
	BITALG = 1 << 12,
	VPOPCNTDQ = 1 << 14,
	/* leaf 7, subleaf 1, EAX */
	BF16 = 1 << 5
};
/* leaf 7, EBX */
static const uint32_t BMI1 = 1u << 3, AVX2 = 1u << 5, BMI2 = 1u << 8, AVX512F = 1u << 16, AVX512DQ = 1u << 17,
                      AVX512IFMA = 1u << 21, AVX512PF_ER = 3u << 26, AVX512CD = 1u << 28, AVX512BW = 1u << 30,
                      AVX512VL = 1u << 31;

#define HASWELL_1   (PCLMULQDQ | FMA | MOVBE | POPCNT | OSXSAVE | AVX | F16C)
#define HASWELL_7   (BMI1 | AVX2 | BMI2)
#define SKYLAKE_X_7 (HASWELL_7 | AVX512F | AVX512DQ | AVX512CD | AVX512BW | AVX512VL)
#define ICE_LAKE_7  (SKYLAKE_X_7 | AVX512IFMA)
#define ICE_LAKE_7C (VBMI | VBMI2 | GFNI | VPCLMULQDQ | VNNI | BITALG | VPOPCNTDQ)
#define EXTENDED    0x80000008u

struct x86 {
	const char *name;
	uint32_t max_leaf, leaf1_ecx, leaf7_ebx, leaf7_ecx, max_extended, extended_ecx;
	uint64_t xcr0;
	const char *tier;
	uint32_t max_subleaf, leaf7_1_eax;
	int has_bf16; /* and may use it */
};

static void mocked_cpuid(void *context, uint32_t leaf, uint32_t subleaf, uint32_t registers[4])
{
	const struct x86 *cpu = context;

	/* What is beyond the maximum, or another subleaf, is garbage: here, all ones. */
	for (int i = 0; i < 4; i++)
		registers[i] = UINT32_MAX;
	if (leaf == 0)
		registers[0] = cpu->max_leaf;
	else if (leaf == 0x80000000)
		registers[0] = cpu->max_extended;
	else if (leaf == 1 && leaf <= cpu->max_leaf)
		registers[2] = cpu->leaf1_ecx;
	else if (leaf == 7 && subleaf == 0 && leaf <= cpu->max_leaf) {
		registers[0] = cpu->max_subleaf;
		registers[1] = cpu->leaf7_ebx;
		registers[2] = cpu->leaf7_ecx;
	} else if (leaf == 7 && subleaf == 1 && leaf <= cpu->max_leaf && cpu->max_subleaf >= 1) {
		registers[0] = cpu->leaf7_1_eax;
	} else if (leaf == 0x80000001 && leaf <= cpu->max_extended)
		registers[2] = cpu->extended_ecx;
}

static uint64_t mocked_xcr0(void *context)
{
	const struct x86 *cpu = context;

	if (!CHECK(cpu->leaf1_ecx & OSXSAVE)) /* the instruction would fault */
		fprintf(stderr, "  %s: XGETBV without OSXSAVE\n", cpu->name);
	return cpu->xcr0;
}

static const struct x86 *x86_cpus(size_t *n)
{
	static struct x86 cpus[100];
	size_t used = 0;

#define CPU(...) cpus[used++] = (struct x86) { __VA_ARGS__, 0, 0, 0 }
#define CPU_7_1(max_subleaf, leaf7_1_eax, has_bf16, ...) \
	cpus[used++] = (struct x86) { __VA_ARGS__, max_subleaf, leaf7_1_eax, has_bf16 }
	/* CPUs as they are. */
	CPU("Pentium III", 3, 0, 0, 0, 0, 0, 0, "scalar");
	CPU("Core 2", 10, 0, 0, 0, EXTENDED, 0, 0, "scalar");
	CPU("Nehalem", 11, POPCNT, 0, 0, EXTENDED, 0, 0, "scalar");
	CPU("Sandy Bridge", 13, POPCNT | OSXSAVE | AVX, 0, 0, EXTENDED, 0, 7, "scalar");
	CPU("Ivy Bridge", 13, POPCNT | OSXSAVE | AVX | F16C, 0, 0, EXTENDED, 0, 7, "scalar");
	CPU("Goldmont", 21, MOVBE | POPCNT | OSXSAVE, 0, 0, EXTENDED, 0, 3, "scalar");
	CPU("Tremont", 27, MOVBE | POPCNT | OSXSAVE, 0, GFNI, EXTENDED, 0, 3, "scalar");
	CPU("Bulldozer", 13, POPCNT | OSXSAVE | AVX, 0, 0, 0x8000001e, LZCNT, 7, "scalar");
	CPU("Piledriver", 13, POPCNT | OSXSAVE | AVX | FMA | F16C, BMI1, 0, 0x8000001e, LZCNT, 7, "scalar");
	CPU("Excavator", 13, HASWELL_1, HASWELL_7, 0, 0x8000001e, LZCNT, 7, "avx2");
	CPU("Haswell", 13, HASWELL_1, HASWELL_7, 0, EXTENDED, LZCNT, 7, "avx2");
	CPU("Skylake", 22, HASWELL_1, HASWELL_7, 0, EXTENDED, LZCNT, 0x1f, "avx2");
	CPU("Zen 2", 16, HASWELL_1, HASWELL_7, 0, 0x80000020, LZCNT, 7, "avx2");
	CPU("Zen 3", 16, HASWELL_1, HASWELL_7, VPCLMULQDQ, 0x80000023, LZCNT, 0x207, "avx2");
	CPU("Alder Lake", 32, HASWELL_1, HASWELL_7, GFNI | VPCLMULQDQ, EXTENDED, LZCNT, 0x207, "avx2");
	CPU("Alder Lake, AVX-512 on", 32, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0x2e7, "avx512");
	CPU("Sierra Forest", 35, HASWELL_1, HASWELL_7, GFNI | VPCLMULQDQ, EXTENDED, LZCNT, 0x207, "avx2");
	CPU("Knights Landing", 13, HASWELL_1, HASWELL_7 | AVX512F | AVX512CD | AVX512PF_ER, 0, EXTENDED, LZCNT, 0xe7,
	    "avx2");
	CPU("Knights Mill", 13, HASWELL_1, HASWELL_7 | AVX512F | AVX512CD | AVX512PF_ER, VPOPCNTDQ, EXTENDED, LZCNT,
	    0xe7, "avx2");
	CPU("Skylake-X, no VNNI", 22, HASWELL_1, SKYLAKE_X_7, 0, EXTENDED, LZCNT, 0xff, "avx2");
	CPU("Cannon Lake, no VNNI", 22, HASWELL_1, ICE_LAKE_7, VBMI, EXTENDED, LZCNT, 0xe7, "avx2");
	CPU("Cascade Lake", 22, HASWELL_1, SKYLAKE_X_7, VNNI, EXTENDED, LZCNT, 0x2ff, "avx512_clx");
	CPU_7_1(1, BF16, 1, "Cooper Lake", 22, HASWELL_1, SKYLAKE_X_7, VNNI, EXTENDED, LZCNT, 0x2e7, "avx512_clx");
	CPU("Ice Lake", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7, "avx512");
	CPU("Tiger Lake", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0x2e7, "avx512");
	CPU_7_1(2, BF16 | 0x1c10, 1, "Sapphire Rapids, with AMX", 32, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED,
	        LZCNT, 0x602e7, "avx512");
	CPU_7_1(1, BF16, 1, "Zen 4", 16, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, 0x80000028, LZCNT, 0x2e7, "avx512");
	CPU_7_1(1, BF16 | 0x10, 1, "Zen 5", 16, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, 0x80000028, LZCNT, 0x2e7, "avx512");
	CPU("Zhaoxin: AVX2, no FMA", 13, HASWELL_1 & ~FMA, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");

	/* One feature hidden, as emulators and hypervisors do. */
	CPU("Haswell without FMA", 13, HASWELL_1 & ~FMA, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell without PCLMULQDQ", 13, HASWELL_1 & ~PCLMULQDQ, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell without MOVBE", 13, HASWELL_1 & ~MOVBE, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell without POPCNT", 13, HASWELL_1 & ~POPCNT, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell without F16C", 13, HASWELL_1 & ~F16C, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell without LZCNT", 13, HASWELL_1, HASWELL_7, 0, EXTENDED, 0, 7, "scalar");
	CPU("Haswell without BMI1", 13, HASWELL_1, HASWELL_7 & ~BMI1, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell without BMI2", 13, HASWELL_1, HASWELL_7 & ~BMI2, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell without AVX2", 13, HASWELL_1, HASWELL_7 & ~AVX2, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Ice Lake without AVX2", 27, HASWELL_1, ICE_LAKE_7 & ~AVX2, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7, "scalar");
	CPU("Ice Lake without FMA", 27, HASWELL_1 & ~FMA, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7, "scalar");
	CPU("AVX-512F without BW", 27, HASWELL_1, ICE_LAKE_7 & ~AVX512BW, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7, "avx2");
	CPU("AVX-512F without DQ", 27, HASWELL_1, ICE_LAKE_7 & ~AVX512DQ, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7, "avx2");
	CPU("AVX-512F without CD", 27, HASWELL_1, ICE_LAKE_7 & ~AVX512CD, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7, "avx2");
	CPU("AVX-512F without VL", 27, HASWELL_1, ICE_LAKE_7 & ~AVX512VL, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7, "avx2");
	CPU("AVX-512BW without F", 27, HASWELL_1, ICE_LAKE_7 & ~AVX512F, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7, "avx2");
	CPU("Ice Lake without IFMA", 27, HASWELL_1, SKYLAKE_X_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7, "avx512_clx");
	CPU("Ice Lake without VNNI", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C & ~VNNI, EXTENDED, LZCNT, 0xe7, "avx2");
	CPU("Ice Lake without VBMI", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C & ~VBMI, EXTENDED, LZCNT, 0xe7,
	    "avx512_clx");
	CPU("Ice Lake without VBMI2", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C & ~VBMI2, EXTENDED, LZCNT, 0xe7,
	    "avx512_clx");
	CPU("Ice Lake without GFNI", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C & ~GFNI, EXTENDED, LZCNT, 0xe7,
	    "avx512_clx");
	CPU("Ice Lake without VPCLMULQDQ", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C & ~VPCLMULQDQ, EXTENDED, LZCNT, 0xe7,
	    "avx512_clx");
	CPU("Ice Lake without BITALG", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C & ~BITALG, EXTENDED, LZCNT, 0xe7,
	    "avx512_clx");
	CPU("Ice Lake without VPOPCNTDQ", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C & ~VPOPCNTDQ, EXTENDED, LZCNT, 0xe7,
	    "avx512_clx");

	/* Liars: feature bits without the operating system's part, and maxima that deny or invent leaves. */
	CPU("AVX2 without OSXSAVE", 13, HASWELL_1 & ~OSXSAVE, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("AVX-512 without OSXSAVE", 27, HASWELL_1 & ~OSXSAVE, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7,
	    "scalar");
	CPU("AVX2 without AVX", 13, HASWELL_1 & ~AVX, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("AVX2, XCR0 x87 only", 13, HASWELL_1, HASWELL_7, 0, EXTENDED, LZCNT, 1, "scalar");
	CPU("AVX2, XCR0 without AVX", 13, HASWELL_1, HASWELL_7, 0, EXTENDED, LZCNT, 3, "scalar");
	CPU("AVX2, XCR0 without SSE", 13, HASWELL_1, HASWELL_7, 0, EXTENDED, LZCNT, 5, "scalar");
	CPU("Ice Lake, XCR0 0x07", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0x07, "avx2");
	CPU("Ice Lake, XCR0 0x27", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0x27, "avx2");
	CPU("Ice Lake, XCR0 0x67", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0x67, "avx2");
	CPU("Ice Lake, XCR0 0xa7", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xa7, "avx2");
	CPU("Ice Lake, XCR0 0xc7", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xc7, "avx2");
	CPU("Ice Lake, XCR0 0xe2", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe2, "scalar");
	CPU("Ice Lake, XCR0 0xe4", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe4, "scalar");
	CPU("Ice Lake, XCR0 0xe6", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe6, "avx512");
	CPU("Cascade Lake, XCR0 0x07", 22, HASWELL_1, SKYLAKE_X_7, VNNI, EXTENDED, LZCNT, 0x07, "avx2");
	CPU("Haswell, maximum leaf 6", 6, HASWELL_1, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell, maximum leaf 3", 3, HASWELL_1, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell, maximum leaf 0", 0, HASWELL_1, HASWELL_7, 0, EXTENDED, LZCNT, 7, "scalar");
	CPU("Haswell, no extended leaves", 13, HASWELL_1, HASWELL_7, 0, 0x80000000, LZCNT, 7, "scalar");
	CPU("Haswell, extended maximum 0", 13, HASWELL_1, HASWELL_7, 0, 0, LZCNT, 7, "scalar");
	CPU("Haswell, extended maximum nonsense", 13, HASWELL_1, HASWELL_7, 0, 0xffffffff, LZCNT, 7, "scalar");
	CPU_7_1(1, ~(uint32_t)BF16, 0, "Ice Lake, subleaf 1 without BF16", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C,
	        EXTENDED, LZCNT, 0xe7, "avx512");
	CPU_7_1(0, BF16, 0, "Ice Lake, BF16 in a subleaf beyond the last", 27, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C,
	        EXTENDED, LZCNT, 0xe7, "avx512");
	CPU_7_1(1, BF16, 0, "Zen 4, XCR0 0x07", 16, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, 0x80000028, LZCNT, 0x07,
	        "avx2");
	CPU_7_1(1, BF16, 0, "Zen 4 without OSXSAVE", 16, HASWELL_1 & ~OSXSAVE, ICE_LAKE_7, ICE_LAKE_7C, 0x80000028,
	        LZCNT, 0x2e7, "scalar");
	CPU_7_1(1, BF16, 0, "BF16 without AVX-512BW", 16, HASWELL_1, ICE_LAKE_7 & ~AVX512BW, ICE_LAKE_7C, 0x80000028,
	        LZCNT, 0x2e7, "avx2");
	CPU_7_1(1, BF16, 0, "BF16 without AVX-512", 32, HASWELL_1, HASWELL_7, 0, EXTENDED, LZCNT, 0x2e7, "avx2");
	CPU_7_1(1, BF16, 0, "BF16, maximum leaf 6", 6, HASWELL_1, ICE_LAKE_7, ICE_LAKE_7C, EXTENDED, LZCNT, 0xe7,
	        "scalar");
	CPU("nothing set", 27, 0, 0, 0, EXTENDED, 0, 0, "scalar");
#undef CPU
#undef CPU_7_1
	*n = used;
	return cpus;
}

/* ------------------------------------------------------- what a tier means */

static lanewise_tier tier_named(const char *name)
{
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++)
		if (strcmp(lanewise_tier_name(t), name) == 0)
			return t;
	return -1;
}

static uint32_t needs_of(const char *tier)
{
#define LW_TIER(name, needs) \
	if (strcmp(tier, #name) == 0) \
		return needs;
#include "tiers.def"
#undef LW_TIER
	return UINT32_MAX;
}

/* The cell of the table for a kernel and tier, read here anew and by names. */
static const char *expected_implementation(const char *kernel, const char *tier)
{
#define COLUMN(name, cell) \
	if (strcmp(tier, #name) == 0) \
		return cell;
#define LW_KERNEL(k, scalar_, avx2_, avx512_clx_, avx512_, neon_, neon_dot_) \
	if (strcmp(kernel, #k) == 0) { \
		COLUMN(scalar, #scalar_) \
		COLUMN(avx2, #avx2_) \
		COLUMN(avx512_clx, #avx512_clx_) \
		COLUMN(avx512, #avx512_) \
		COLUMN(neon, #neon_) \
		COLUMN(neon_dot, #neon_dot_) \
	}
#include "kernel_table.def"
#undef LW_KERNEL
#undef COLUMN
	return "none";
}

/* Every kernel of a CPU's tier is the one the table names, and is made of nothing that the CPU lacks. */
static void check_kernels(const char *cpu, const char *tier, uint32_t features)
{
	lanewise_tier t = tier_named(tier);

	for (int32_t k = 0; k < LW_KERNEL_COUNT; k++) {
		const char *name = lanewise_kernel_name(k), *got = lanewise_kernel_implementation(k, t);

		if (!CHECK(got && strcmp(got, expected_implementation(name, tier)) == 0) ||
		    !CHECK((needs_of(got) & ~features) == 0))
			fprintf(stderr, "  %s, tier %s: %s runs %s\n", cpu, tier, name, got ? got : "nothing");
	}
}

/* The pointers in the tables are the functions that the cells name. */
static void test_tables(void)
{
#define EXPECT(tier, kernel, cell) CHECK(lanewise_kernels_of(tier_named(tier))->kernel == lanewise_##kernel##_##cell)
#if LW_HAVE_X86
#define EXPECT_X86(kernel, avx2_, avx512_clx_, avx512_) \
	EXPECT("avx2", kernel, avx2_); \
	EXPECT("avx512_clx", kernel, avx512_clx_); \
	EXPECT("avx512", kernel, avx512_)
#else
#define EXPECT_X86(kernel, avx2_, avx512_clx_, avx512_) ((void)0)
#endif
#if LW_HAVE_NEON
#define EXPECT_NEON(kernel, neon_, neon_dot_) \
	EXPECT("neon", kernel, neon_); \
	EXPECT("neon_dot", kernel, neon_dot_)
#else
#define EXPECT_NEON(kernel, neon_, neon_dot_) ((void)0)
#endif
#define LW_KERNEL(kernel, scalar_, avx2_, avx512_clx_, avx512_, neon_, neon_dot_) \
	EXPECT("scalar", kernel, scalar_); \
	EXPECT_X86(kernel, avx2_, avx512_clx_, avx512_); \
	EXPECT_NEON(kernel, neon_, neon_dot_);
#include "kernel_table.def"
#undef LW_KERNEL
}

/* ----------------------------------------------------------------- choices */

/* The best of the three x86 tiers by the sets of cpu.h, where the build itself has none. */
static const char *best_x86_tier(uint32_t features)
{
	return !(LW_CPU_TIER_AVX512 & ~features)       ? "avx512"
	       : !(LW_CPU_TIER_AVX512_CLX & ~features) ? "avx512_clx"
	       : !(LW_CPU_TIER_AVX2 & ~features)       ? "avx2"
	                                               : "scalar";
}

static uint32_t features_of(const struct x86 *cpu)
{
	const struct lw_cpu_probe probe = { mocked_cpuid, mocked_xcr0, NULL, NULL, (void *)(uintptr_t)cpu };

	return lanewise_cpu_features_x86(&probe);
}

static void expect_choice(const char *cpu, uint32_t features, const char *cap, const char *expected)
{
	const char *got = lanewise_tier_name(lanewise_choose_tier(features, cap));

	if (!CHECK(strcmp(got, expected) == 0))
		fprintf(stderr, "  %s, LANEWISE_TIER %s: chose %s, expected %s\n", cpu, cap ? cap : "unset", got,
		        expected);
}

#if LW_HAVE_X86 || defined(__aarch64__)
/* The instructions for bfloat16 run under the CPU's best tier and any other that is not below theirs. */
static void expect_bf16(const char *cpu, uint32_t features, int expected)
{
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		const char *tier = lanewise_tier_name(t);
		int above = strncmp(tier, "avx512", 6) == 0 || (!LW_HAVE_X86 && strcmp(tier, "neon_dot") == 0);

		if (!CHECK(lanewise_bf16_runs(features, t) == (expected && above)))
			fprintf(stderr, "  %s, tier %s\n", cpu, tier);
	}
}
#endif

static void test_x86_cpus(void)
{
	size_t n;
	const struct x86 *cpus = x86_cpus(&n);

	CHECK(n >= 40);
	for (size_t i = 0; i < n; i++) {
		uint32_t features = features_of(&cpus[i]);

		if (!CHECK(strcmp(best_x86_tier(features), cpus[i].tier) == 0))
			fprintf(stderr, "  %s: features %08x are %s, expected %s\n", cpus[i].name, (unsigned)features,
			        best_x86_tier(features), cpus[i].tier);
#if LW_HAVE_X86
		expect_choice(cpus[i].name, features, NULL, cpus[i].tier);
		check_kernels(cpus[i].name, cpus[i].tier, features);
		expect_bf16(cpus[i].name, features, cpus[i].has_bf16);
#endif
	}
}

struct aarch64 {
	const char *name;
	uint64_t hwcap, hwcap2;
	const char *tier;
	int has_bf16; /* and may use it */
};

static uint64_t mocked_hwcap(void *context) { return ((const struct aarch64 *)context)->hwcap; }
static uint64_t mocked_hwcap2(void *context) { return ((const struct aarch64 *)context)->hwcap2; }

static void test_aarch64_cpus(void)
{
	static const struct aarch64 cpus[] = {
		{ "no floating point", 0, 0, "scalar", 0 },
		{ "floating point without ASIMD", 0x1, 0, "scalar", 0 },
		{ "Cortex-A53", 0xff, 0, "neon", 0 },
		{ "Cortex-A72 without cryptography", 0x87, 0, "neon", 0 },
		{ "Neoverse N1", 0x10119fff, 0, "neon_dot", 0 },
		{ "Neoverse V1", 0xffffffff & ~(UINT64_C(1) << 31), 0x1e000 | 1 << 14, "neon_dot", 1 },
		{ "dot product without ASIMD", 1 << 20, 1 << 14, "scalar", 0 },
		{ "BF16 without the dot product", 0x2, 1 << 14, "neon", 0 },
		{ "the bits around BF16's", 0x10119fff, 1 << 13 | 1 << 15, "neon_dot", 0 },
		{ "ASIMD and the bits around the dot product's", 0x2 | 1 << 19 | 1 << 21, 0, "neon", 0 },
		{ "every bit", UINT64_MAX, UINT64_MAX, "neon_dot", 1 },
	};

	for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
		const struct lw_cpu_probe probe = { NULL, NULL, mocked_hwcap, mocked_hwcap2,
			                            (void *)(uintptr_t)&cpus[i] };
		uint32_t features = lanewise_cpu_features_aarch64(&probe);
		const char *best =
		        features & LW_CPU_ASIMD ? (features & LW_CPU_ASIMDDP ? "neon_dot" : "neon") : "scalar";

		if (!CHECK(strcmp(best, cpus[i].tier) == 0))
			fprintf(stderr, "  %s: features %08x\n", cpus[i].name, (unsigned)features);
#if defined(__aarch64__)
		expect_choice(cpus[i].name, features, NULL, cpus[i].tier);
		check_kernels(cpus[i].name, cpus[i].tier, features);
		expect_bf16(cpus[i].name, features, cpus[i].has_bf16);
#endif
	}
}

static void test_caps(void)
{
	const char *unknown[] = { "", "AVX2", "avx2 ", " avx2", "avx", "avx5122", "sse2", "0", "best", "neon_dotty" };

#if LW_HAVE_X86
	const uint32_t haswell = LW_CPU_TIER_AVX2, cascade_lake = LW_CPU_TIER_AVX512_CLX, ice_lake = LW_CPU_TIER_AVX512;
	const uint32_t neon = LW_CPU_ASIMD | LW_CPU_ASIMDDP;

	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		expect_choice("Ice Lake", ice_lake, unknown[i], "avx512");
	expect_choice("Ice Lake", ice_lake, "scalar", "scalar");
	expect_choice("Ice Lake", ice_lake, "avx2", "avx2");
	expect_choice("Ice Lake", ice_lake, "avx512_clx", "avx512_clx");
	expect_choice("Ice Lake", ice_lake, "avx512", "avx512");
	expect_choice("Cascade Lake", cascade_lake, "avx512", "avx512_clx");
	expect_choice("Haswell", haswell, "avx512", "avx2");
	expect_choice("Haswell", haswell, "avx512_clx", "avx2");
	expect_choice("Nehalem", 0, "avx512", "scalar");
	expect_choice("Nehalem", 0, "avx2", "scalar");
	/* The NEON tiers are in this build only if it emulates them, and then run only when named. */
	expect_choice("Ice Lake", ice_lake | neon, NULL, "avx512");
	expect_choice("Ice Lake", ice_lake | neon, "neon", LW_HAVE_NEON ? "neon" : "avx512");
	expect_choice("Ice Lake", ice_lake | neon, "neon_dot", LW_HAVE_NEON ? "neon_dot" : "avx512");
	expect_choice("Nehalem", neon, "neon", "scalar");
#elif defined(__aarch64__)
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		expect_choice("Neoverse N1", LW_CPU_TIER_NEON_DOT, unknown[i], "neon_dot");
	expect_choice("Neoverse N1", LW_CPU_TIER_NEON_DOT, "neon", "neon");
	expect_choice("Neoverse N1", LW_CPU_TIER_NEON_DOT, "scalar", "scalar");
	expect_choice("Neoverse N1", LW_CPU_TIER_NEON_DOT, "avx2", "neon_dot");
	expect_choice("Cortex-A53", LW_CPU_TIER_NEON, "neon_dot", "neon");
#else
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		expect_choice("other", 0, unknown[i], "scalar");
#endif
}

/* ------------------------------------------------------- children by fork */

/* Runs `body` in a child; whether it returned 0. */
static int in_child(int (*body)(const char *argument), const char *argument)
{
	int status;

	fflush(NULL);
	pid_t child = fork();

	if (child == 0)
		_exit(body(argument));
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The environment is read when the first call finds nothing chosen. */
static int environment_caps(const char *value)
{
	if (value)
		setenv("LANEWISE_TIER", value, 1);
	else
		unsetenv("LANEWISE_TIER");
	atomic_store(&lanewise_active_kernels, NULL);
	return lanewise_active_tier() != lanewise_choose_tier(lanewise_cpu_features(), value);
}

static void test_environment(void)
{
	CHECK(in_child(environment_caps, NULL));
	CHECK(in_child(environment_caps, ""));
	CHECK(in_child(environment_caps, "no such tier"));
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++)
		CHECK(in_child(environment_caps, lanewise_tier_name(t)));
}

enum { FIRST_CALLERS = 64 };
static pthread_barrier_t barrier;

static void *first_call(void *argument)
{
	float *answer = argument;

	pthread_barrier_wait(&barrier);
	*answer = lanewise_dot_f32(early_a, early_b, 3);
	return NULL;
}

static int first_calls(const char *unused)
{
	static float answers[FIRST_CALLERS];
	pthread_t threads[FIRST_CALLERS];
	const struct lw_kernels *before = lw_kernels();
	int failed = 0;

	(void)unused;
	pthread_barrier_init(&barrier, NULL, FIRST_CALLERS);
	atomic_store(&lanewise_active_kernels, NULL);
	for (int i = 0; i < FIRST_CALLERS; i++)
		if (pthread_create(&threads[i], NULL, first_call, &answers[i]) != 0)
			_exit(3);
	for (int i = 0; i < FIRST_CALLERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < FIRST_CALLERS; i++)
		failed |= answers[i] != 32;
	return failed | (atomic_load(&lanewise_active_kernels) != before);
}

static void test_first_calls(void)
{
	for (int i = 0; i < 10; i++)
		CHECK(in_child(first_calls, NULL));
}

/* ------------------------------------------------- switching under load */

enum { CALLERS = 4, DIM = 100, ROWS = 37 };
static float query[DIM], rows[ROWS * DIM], expected_scores[ROWS];
static uint32_t expected_index[5];
static _Atomic int stop;
static _Atomic unsigned long wrong_answers, answers;

static void top_five(float *scores, uint32_t *index)
{
	_Alignas(64) unsigned char scratch[8192];
	float best[5];

	if (lanewise_topk_scratch_size(5) > sizeof scratch)
		exit(2);
	lanewise_cosine_f32_rows(query, rows, ROWS, DIM, DIM, scores);
	lanewise_topk_f32(scores, ROWS, 5, scratch, index, best);
}

static void *keep_calling(void *unused)
{
	while (!atomic_load(&stop)) {
		float scores[ROWS];
		uint32_t index[5];

		top_five(scores, index);
		if (memcmp(scores, expected_scores, sizeof scores) != 0 ||
		    memcmp(index, expected_index, sizeof index) != 0)
			wrong_answers++;
		answers++;
	}
	return unused;
}

static void test_switching(void)
{
	pthread_t threads[CALLERS];
	lanewise_tier before = lanewise_active_tier();
	uint64_t state = 5;

	for (int i = 0; i < DIM; i++)
		query[i] = (float)(test_random(&state) >> 40) - 8e6f;
	for (int i = 0; i < ROWS * DIM; i++)
		rows[i] = (float)(test_random(&state) >> 40) - 8e6f;
	top_five(expected_scores, expected_index);
	for (int i = 0; i < CALLERS; i++)
		if (!CHECK(pthread_create(&threads[i], NULL, keep_calling, NULL) == 0))
			exit(1);
	for (int i = 0; i < 20000 || atomic_load(&answers) < 1000; i++) {
		lanewise_tier t = (lanewise_tier)(test_random(&state) % (uint64_t)lanewise_tier_count());

		if (lanewise_set_tier(t) == LANEWISE_OK)
			(void)lanewise_active_tier();
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQUAL(wrong_answers, 0);
	CHECK(lanewise_set_tier(before) == LANEWISE_OK);
}

static void test_set_tier(void)
{
	lanewise_tier before = lanewise_active_tier();

	CHECK(lanewise_set_tier(-1) == LANEWISE_ERROR_UNSUPPORTED);
	CHECK(lanewise_set_tier(lanewise_tier_count()) == LANEWISE_ERROR_UNSUPPORTED);
	CHECK(lanewise_set_tier(INT32_MAX) == LANEWISE_ERROR_UNSUPPORTED);
	CHECK(lanewise_set_tier(INT32_MIN) == LANEWISE_ERROR_UNSUPPORTED);
	CHECK_EQUAL(lanewise_active_tier(), before);
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		lanewise_status status = lanewise_set_tier(t);

		CHECK_EQUAL(status, lanewise_tier_supported(t) ? LANEWISE_OK : LANEWISE_ERROR_UNSUPPORTED);
		if (status == LANEWISE_OK)
			CHECK_EQUAL(lanewise_active_tier(), t);
	}
	CHECK(lanewise_set_tier(before) == LANEWISE_OK);
}

/* -------------------------------------------------------------------- texts */

typedef size_t text_fn(lanewise_tier tier, char *text, size_t n_bytes);

static size_t features_text(lanewise_tier unused, char *text, size_t n_bytes)
{
	(void)unused;
	return lanewise_cpu_features_text(text, n_bytes);
}

static size_t model_text(lanewise_tier unused, char *text, size_t n_bytes)
{
	(void)unused;
	return lanewise_cpu_model(text, n_bytes);
}

/* The text cut at every length: always terminated, the length of the whole returned, nothing written behind. */
static void check_cuts(text_fn *text_of, lanewise_tier tier)
{
	char whole[1000], cut[1000];
	size_t length = text_of(tier, whole, sizeof whole);

	CHECK(length < sizeof whole && strlen(whole) == length);
	CHECK_EQUAL(text_of(tier, NULL, 0), length);
	for (size_t n = 0; n <= length + 3; n++) {
		memset(cut, '#', sizeof cut);
		CHECK_EQUAL(text_of(tier, cut, n), length);

		size_t kept = n == 0 ? 0 : n - 1 < length ? n - 1 : length;

		CHECK(memcmp(cut, whole, kept) == 0);
		CHECK(n == 0 || cut[kept] == '\0');
		for (size_t i = n == 0 ? 0 : kept + 1; i < sizeof cut; i++)
			CHECK(cut[i] == '#');
	}
}

static int reason_begins(lanewise_tier tier, const char *beginning)
{
	char text[1000];

	lanewise_tier_reason(tier, text, sizeof text);
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

static void test_texts(void)
{
	lanewise_tier before = lanewise_active_tier();

	for (lanewise_tier t = -1; t <= lanewise_tier_count(); t++) {
		check_cuts(lanewise_tier_reason, t);
		if (t < 0 || t == lanewise_tier_count()) {
			CHECK(reason_begins(t, "there is no such tier"));
			CHECK(lanewise_tier_name(t) == NULL);
			CHECK(!lanewise_tier_supported(t));
			CHECK(lanewise_kernel_implementation(0, t) == NULL);
		} else if (!lanewise_tier_supported(t)) {
			CHECK(reason_begins(t, "this CPU or operating system lacks "));
		} else {
			CHECK(reason_begins(t, t == before ? "active" : "supported; "));
		}
	}
	check_cuts(features_text, 0);
	check_cuts(model_text, 0);

	lanewise_set_tier(0);
	CHECK(reason_begins(0, "active"));
	for (lanewise_tier t = 1; t < lanewise_tier_count(); t++)
		if (lanewise_tier_supported(t))
			CHECK(reason_begins(t, "supported; capped") || reason_begins(t, "supported; emulated"));
	lanewise_set_tier(before);

	CHECK(strcmp(lanewise_tier_name(0), "scalar") == 0);
	CHECK(lanewise_kernel_name(-1) == NULL && lanewise_kernel_name(lanewise_kernel_count()) == NULL);
	CHECK(lanewise_kernel_implementation(-1, 0) == NULL);
	CHECK(lanewise_kernel_implementation(lanewise_kernel_count(), 0) == NULL);
	for (lanewise_status s = -20; s <= 5; s++)
		CHECK(lanewise_status_text(s) != NULL && lanewise_status_text(s)[0] != '\0');
	CHECK(strcmp(lanewise_status_text(LANEWISE_ERROR_DATA), "malformed data") == 0);
	CHECK(lanewise_version()[0] >= '0' && lanewise_version()[0] <= '9');
}

int main(void)
{
	test_early_call();
	test_tables();
	test_x86_cpus();
	test_aarch64_cpus();
	test_caps();
	test_environment();
	test_first_calls();
	test_set_tier();
	test_texts();
	test_switching();
	return test_result();
}
