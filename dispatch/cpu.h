/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU features as one bit set, read through a probe that tests can replace, so that any CPU, also one that lies, can
 * be presented to the dispatcher.
 *
 * Each architecture has its own bits and its own reader: cpu_x86.c and cpu_aarch64.c. What the operating system does
 * not save is not there: AVX bits are set only if XCR0 says that the registers survive a context switch.
 */
#ifndef LW_CPU_H
#define LW_CPU_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#define LW_HAVE_X86 1
#else
#define LW_HAVE_X86 0
#endif
/* On x86 the NEON tiers exist only in builds that emulate them through SIMDe, for tests. */
#if defined(__aarch64__) || LW_NEON_VIA_SIMDE
#define LW_HAVE_NEON 1
#else
#define LW_HAVE_NEON 0
#endif

/* LW_CPU_FEATURE(name): one bit each, in this order. */
#define LW_CPU_FEATURES_X86(LW_CPU_FEATURE) \
	LW_CPU_FEATURE(AVX2) \
	LW_CPU_FEATURE(FMA) \
	LW_CPU_FEATURE(F16C) \
	LW_CPU_FEATURE(BMI1) \
	LW_CPU_FEATURE(BMI2) \
	LW_CPU_FEATURE(LZCNT) \
	LW_CPU_FEATURE(POPCNT) \
	LW_CPU_FEATURE(MOVBE) \
	LW_CPU_FEATURE(PCLMULQDQ) \
	LW_CPU_FEATURE(AVX512F) \
	LW_CPU_FEATURE(AVX512BW) \
	LW_CPU_FEATURE(AVX512CD) \
	LW_CPU_FEATURE(AVX512DQ) \
	LW_CPU_FEATURE(AVX512VL) \
	LW_CPU_FEATURE(AVX512_VNNI) \
	LW_CPU_FEATURE(AVX512_IFMA) \
	LW_CPU_FEATURE(AVX512_VBMI) \
	LW_CPU_FEATURE(AVX512_VBMI2) \
	LW_CPU_FEATURE(AVX512_BITALG) \
	LW_CPU_FEATURE(AVX512_VPOPCNTDQ) \
	LW_CPU_FEATURE(GFNI) \
	LW_CPU_FEATURE(VPCLMULQDQ) \
	LW_CPU_FEATURE(AVX512_BF16)
#define LW_CPU_FEATURES_AARCH64(LW_CPU_FEATURE) \
	LW_CPU_FEATURE(ASIMD) \
	LW_CPU_FEATURE(ASIMDDP) \
	LW_CPU_FEATURE(BF16)

/* clang-format off */
enum {
#define LW_CPU_FEATURE(name) LW_CPU_INDEX_##name,
	LW_CPU_FEATURES_X86(LW_CPU_FEATURE)
	LW_CPU_FEATURES_AARCH64(LW_CPU_FEATURE)
#undef LW_CPU_FEATURE
	LW_CPU_FEATURE_COUNT
};

enum {
#define LW_CPU_FEATURE(name) LW_CPU_##name = 1 << LW_CPU_INDEX_##name,
	LW_CPU_FEATURES_X86(LW_CPU_FEATURE)
	LW_CPU_FEATURES_AARCH64(LW_CPU_FEATURE)
#undef LW_CPU_FEATURE

	/* What each tier needs: the sets that its compile flags allow. */
	LW_CPU_TIER_AVX2 = LW_CPU_AVX2 | LW_CPU_FMA | LW_CPU_F16C | LW_CPU_BMI1 | LW_CPU_BMI2 | LW_CPU_LZCNT |
	                   LW_CPU_POPCNT | LW_CPU_MOVBE | LW_CPU_PCLMULQDQ,
	LW_CPU_TIER_AVX512_CLX = LW_CPU_TIER_AVX2 | LW_CPU_AVX512F | LW_CPU_AVX512BW | LW_CPU_AVX512CD |
	                         LW_CPU_AVX512DQ | LW_CPU_AVX512VL | LW_CPU_AVX512_VNNI,
	LW_CPU_TIER_AVX512 = LW_CPU_TIER_AVX512_CLX | LW_CPU_AVX512_IFMA | LW_CPU_AVX512_VBMI | LW_CPU_AVX512_VBMI2 |
	                     LW_CPU_AVX512_BITALG | LW_CPU_AVX512_VPOPCNTDQ | LW_CPU_GFNI | LW_CPU_VPCLMULQDQ,
#if LW_NEON_VIA_SIMDE
	/* Emulated NEON is compiled with -mavx2 -mfma; its dot-product instructions are emulated as well. */
	LW_CPU_TIER_NEON = LW_CPU_ASIMD | LW_CPU_AVX2 | LW_CPU_FMA,
	LW_CPU_TIER_NEON_DOT = LW_CPU_TIER_NEON | LW_CPU_ASIMDDP,
#else
	LW_CPU_TIER_NEON = LW_CPU_ASIMD,
	LW_CPU_TIER_NEON_DOT = LW_CPU_TIER_NEON | LW_CPU_ASIMDDP,
#endif

	/*
	 * The dot products of bfloat16 give other bits than the tiers do, so they are no tier. What they need: the tier that
	 * must at least be active, and all features.
	 */
#if LW_HAVE_X86
	LW_CPU_BF16_TIER = LW_CPU_TIER_AVX512_CLX,
	LW_CPU_BF16_NEEDS = LW_CPU_BF16_TIER | LW_CPU_AVX512_BF16
#else
	LW_CPU_BF16_TIER = LW_CPU_TIER_NEON_DOT,
	LW_CPU_BF16_NEEDS = LW_CPU_BF16_TIER | LW_CPU_BF16
#endif
};
/* clang-format on */

/* "AVX2" for bit LW_CPU_INDEX_AVX2, and so on. */
extern const char *const lanewise_cpu_feature_names[LW_CPU_FEATURE_COUNT];

/* The source of facts about a CPU. */
struct lw_cpu_probe {
	/* x86: CPUID of a leaf and subleaf into EAX, EBX, ECX, EDX; and XCR0, asked for only if OSXSAVE is set. */
	void (*cpuid)(void *context, uint32_t leaf, uint32_t subleaf, uint32_t registers[4]);
	uint64_t (*xcr0)(void *context);
	/* aarch64 Linux: getauxval(AT_HWCAP) and getauxval(AT_HWCAP2). */
	uint64_t (*hwcap)(void *context);
	uint64_t (*hwcap2)(void *context);
	void *context;
};

/* The features that a probe shows, by each architecture's rules; both exist everywhere, for tests. */
uint32_t lanewise_cpu_features_x86(const struct lw_cpu_probe *probe);
uint32_t lanewise_cpu_features_aarch64(const struct lw_cpu_probe *probe);

/* The features of the CPU underneath. Costs several CPUID instructions: the dispatcher asks once. */
uint32_t lanewise_cpu_features(void);

/* The model name into text, NUL-terminated. */
enum { LW_CPU_MODEL_BYTES = 64 };
void lanewise_cpu_model_name(char text[LW_CPU_MODEL_BYTES]);

#endif
