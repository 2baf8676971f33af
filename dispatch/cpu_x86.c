/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUID and XGETBV. Sources: Intel SDM volume 1 chapters 13-15 and volume 2 CPUID; AMD APM volume 3 appendix E.
 *
 * A feature bit alone is not enough. AVX registers may be used only if OSXSAVE is set (else XGETBV itself faults) and
 * XCR0 has bits 1 and 2 (SSE and AVX state); AVX-512 needs bits 5 to 7 besides (opmask, upper halves, upper
 * registers). The masks are tested whole: hypervisors have been seen to enable some bits only.
 */
#include "cpu.h"

#include <string.h>

enum { EAX, EBX, ECX, EDX };

enum { LEAF_7_1 = 0x70001 }; /* subleaf 1 of leaf 7 */
static const uint64_t XCR0_AVX = 0x06, XCR0_AVX512 = 0xe6;

struct feature_bit {
	uint32_t feature;
	uint32_t leaf, reg, bit;
	uint32_t needs_avx512_state;
};

/* clang-format off */
static const struct feature_bit feature_bits[] = {
	{ LW_CPU_PCLMULQDQ,        1,          ECX,  1, 0 },
	{ LW_CPU_FMA,              1,          ECX, 12, 0 },
	{ LW_CPU_MOVBE,            1,          ECX, 22, 0 },
	{ LW_CPU_POPCNT,           1,          ECX, 23, 0 },
	{ LW_CPU_F16C,             1,          ECX, 29, 0 },
	{ LW_CPU_LZCNT,            0x80000001, ECX,  5, 0 },
	{ LW_CPU_BMI1,             7,          EBX,  3, 0 },
	{ LW_CPU_AVX2,             7,          EBX,  5, 0 },
	{ LW_CPU_BMI2,             7,          EBX,  8, 0 },
	{ LW_CPU_AVX512F,          7,          EBX, 16, 1 },
	{ LW_CPU_AVX512DQ,         7,          EBX, 17, 1 },
	{ LW_CPU_AVX512_IFMA,      7,          EBX, 21, 1 },
	{ LW_CPU_AVX512CD,         7,          EBX, 28, 1 },
	{ LW_CPU_AVX512BW,         7,          EBX, 30, 1 },
	{ LW_CPU_AVX512VL,         7,          EBX, 31, 1 },
	{ LW_CPU_AVX512_VBMI,      7,          ECX,  1, 1 },
	{ LW_CPU_AVX512_VBMI2,     7,          ECX,  6, 1 },
	{ LW_CPU_GFNI,             7,          ECX,  8, 0 },
	{ LW_CPU_VPCLMULQDQ,       7,          ECX, 10, 0 },
	{ LW_CPU_AVX512_VNNI,      7,          ECX, 11, 1 },
	{ LW_CPU_AVX512_BITALG,    7,          ECX, 12, 1 },
	{ LW_CPU_AVX512_VPOPCNTDQ, 7,          ECX, 14, 1 },
	{ LW_CPU_AVX512_BF16,      LEAF_7_1,   EAX,  5, 1 },
};
/* clang-format on */

/* Leaves beyond the maximum that the CPU reports hold another leaf's data on old Intel CPUs: they count as zero. */
static void leaf_or_zero(const struct lw_cpu_probe *probe, uint32_t leaf, uint32_t registers[4])
{
	uint32_t base[4];

	probe->cpuid(probe->context, leaf & 0x80000000, 0, base);
	memset(registers, 0, 4 * sizeof *registers);
	if (base[EAX] >= leaf && base[EAX] - (leaf & 0x80000000) < 0x10000)
		probe->cpuid(probe->context, leaf, 0, registers);
}

uint32_t lanewise_cpu_features_x86(const struct lw_cpu_probe *probe)
{
	const uint32_t OSXSAVE = 1u << 27, AVX = 1u << 28;
	uint32_t leaf1[4], leaf7[4], leaf7_1[4] = { 0 }, extended[4], features = 0;

	leaf_or_zero(probe, 1, leaf1);
	leaf_or_zero(probe, 7, leaf7);
	leaf_or_zero(probe, 0x80000001, extended);
	if (leaf7[EAX] >= 1) /* its last subleaf */
		probe->cpuid(probe->context, 7, 1, leaf7_1);

	/* Everything listed is VEX-encoded or of no use without it, so no AVX state means nothing found. */
	if ((leaf1[ECX] & (OSXSAVE | AVX)) != (OSXSAVE | AVX))
		return 0;
	uint64_t xcr0 = probe->xcr0(probe->context);
	if ((xcr0 & XCR0_AVX) != XCR0_AVX)
		return 0;

	for (size_t i = 0; i < sizeof feature_bits / sizeof *feature_bits; i++) {
		const struct feature_bit *f = &feature_bits[i];
		const uint32_t *registers = f->leaf == 1          ? leaf1
		                            : f->leaf == 7        ? leaf7
		                            : f->leaf == LEAF_7_1 ? leaf7_1
		                                                  : extended;
		int usable = !f->needs_avx512_state || (xcr0 & XCR0_AVX512) == XCR0_AVX512;

		if (usable && (registers[f->reg] >> f->bit & 1))
			features |= f->feature;
	}
	return features;
}

#if LW_HAVE_X86

#include <cpuid.h>

static void real_cpuid(void *context, uint32_t leaf, uint32_t subleaf, uint32_t registers[4])
{
	(void)context;
	__cpuid_count(leaf, subleaf, registers[EAX], registers[EBX], registers[ECX], registers[EDX]);
}

static uint64_t real_xcr0(void *context)
{
	uint32_t low, high;

	(void)context;
	/* The instruction by its name needs -mxsave; it runs only after OSXSAVE was seen. */
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

uint32_t lanewise_cpu_features(void)
{
	static const struct lw_cpu_probe real = { real_cpuid, real_xcr0, NULL, NULL, NULL };
	uint32_t features = lanewise_cpu_features_x86(&real);

#if LW_NEON_VIA_SIMDE
	features |= LW_CPU_ASIMD | LW_CPU_ASIMDDP;
#endif
	return features;
}

void lanewise_cpu_model_name(char text[LW_CPU_MODEL_BYTES])
{
	uint32_t registers[4];
	char brand[49] = "";

	real_cpuid(NULL, 0x80000000, 0, registers);
	if (registers[EAX] >= 0x80000004)
		for (uint32_t i = 0; i < 3; i++) {
			real_cpuid(NULL, 0x80000002 + i, 0, registers);
			memcpy(brand + 16 * i, registers, 16);
		}
	const char *start = brand + strspn(brand, " ");
	size_t n = strlen(start);

	while (n > 0 && start[n - 1] == ' ')
		n--;
	if (n == 0) {
		start = "x86-64";
		n = strlen(start);
	}
	memcpy(text, start, n);
	text[n] = '\0';
}

#endif
