/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of kernels per tier, the choice among them, and the public functions that tell about both. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* secure_getenv */
#endif
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------- the tables */

#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) .kernel = lanewise_##kernel##_##scalar,
static const struct lw_kernels kernels_scalar = {
#include "kernel_table.def"
};
#undef LW_KERNEL

#if LW_HAVE_X86
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) .kernel = lanewise_##kernel##_##avx2,
static const struct lw_kernels kernels_avx2 = {
#include "kernel_table.def"
};
#undef LW_KERNEL
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) .kernel = lanewise_##kernel##_##avx512_clx,
static const struct lw_kernels kernels_avx512_clx = {
#include "kernel_table.def"
};
#undef LW_KERNEL
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) .kernel = lanewise_##kernel##_##avx512,
static const struct lw_kernels kernels_avx512 = {
#include "kernel_table.def"
};
#undef LW_KERNEL
#endif

#if LW_HAVE_NEON
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) .kernel = lanewise_##kernel##_##neon,
static const struct lw_kernels kernels_neon = {
#include "kernel_table.def"
};
#undef LW_KERNEL
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) .kernel = lanewise_##kernel##_##neon_dot,
static const struct lw_kernels kernels_neon_dot = {
#include "kernel_table.def"
};
#undef LW_KERNEL
#endif

enum {
#define LW_TIER(name, needs) TIER_##name,
#include "tiers.def"
#undef LW_TIER
	TIER_COUNT
};

static const struct {
	const char *name;
	uint32_t needs;
	const struct lw_kernels *kernels;
} tiers[TIER_COUNT] = {
#define LW_TIER(name, needs) { #name, needs, &kernels_##name },
#include "tiers.def"
#undef LW_TIER
};

/* What the cells of the table say, for lanewise_kernel_implementation(): by name, since a build has not every tier. */
struct implementations {
	const char *kernel;
	const char *scalar, *avx2, *avx512_clx, *avx512, *neon, *neon_dot;
};

static const struct implementations implementations[LW_KERNEL_COUNT] = {
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) \
	{ #kernel, #scalar, #avx2, #avx512_clx, #avx512, #neon, #neon_dot },
#include "kernel_table.def"
#undef LW_KERNEL
};

static const char *implementation_cell(const struct implementations *row, lanewise_tier tier)
{
	switch (tier) {
#define LW_TIER(name, needs) \
	case TIER_##name: \
		return row->name;
#include "tiers.def"
#undef LW_TIER
	default:
		return NULL;
	}
}

/* -------------------------------------------------------------- the choice */

_Atomic(const struct lw_kernels *) lanewise_active_kernels;

static int is_emulated(lanewise_tier tier)
{
#if LW_NEON_VIA_SIMDE
	return (tiers[tier].needs & LW_CPU_ASIMD) != 0;
#else
	(void)tier;
	return 0;
#endif
}

static int supported_with(lanewise_tier tier, uint32_t features) { return (tiers[tier].needs & ~features) == 0; }

lanewise_tier lanewise_choose_tier(uint32_t features, const char *cap)
{
	lanewise_tier best = 0, last = TIER_COUNT - 1;

	for (lanewise_tier t = 0; cap && t < TIER_COUNT; t++)
		if (strcmp(cap, tiers[t].name) == 0)
			last = t;
	for (lanewise_tier t = 0; t <= last; t++) {
		/* Emulated tiers are for tests: only by name. */
		if (is_emulated(t) && !(t == last && cap && strcmp(cap, tiers[t].name) == 0))
			continue;
		if (supported_with(t, features))
			best = t;
	}
	return best;
}

/* The features of this CPU; asked for once, since each CPUID costs microseconds in a virtual machine. */
static uint32_t cpu_features_once(void)
{
	static _Atomic uint64_t cached; /* bit 32 says that the lower half is known */
	const uint64_t known = (uint64_t)1 << 32;
	uint64_t value = atomic_load_explicit(&cached, memory_order_relaxed);

	if (!(value & known)) {
		value = lanewise_cpu_features() | known;
		atomic_store_explicit(&cached, value, memory_order_relaxed);
	}
	return (uint32_t)value;
}

const struct lw_kernels *lanewise_dispatch_init(void)
{
#if defined(__GLIBC__) || defined(__linux__)
	const char *cap = secure_getenv("LANEWISE_TIER");
#else
	const char *cap = getenv("LANEWISE_TIER");
#endif
	const struct lw_kernels *chosen = tiers[lanewise_choose_tier(cpu_features_once(), cap)].kernels;
	const struct lw_kernels *found = NULL;

	/* Whoever comes second keeps what is there: it may be lanewise_set_tier's. */
	if (atomic_compare_exchange_strong_explicit(&lanewise_active_kernels, &found, chosen, memory_order_acq_rel,
	                                            memory_order_acquire))
		return chosen;
	return found;
}

__attribute__((constructor)) static void choose_at_load(void) { lanewise_dispatch_init(); }

/* ----------------------------------------------------- the approximate one */

#if LW_HAVE_X86
static const char bf16_implementation[] = "avx512_bf16";
static lanewise_dot_bf16_approx_rows_fn *const bf16_kernel = lanewise_dot_bf16_approx_rows_avx512_bf16;
#elif LW_HAVE_NEON
static const char bf16_implementation[] = "neon_bf16";
static lanewise_dot_bf16_approx_rows_fn *const bf16_kernel = lanewise_dot_bf16_approx_rows_neon_bf16;
#else
static const char bf16_implementation[] = "none";
static lanewise_dot_bf16_approx_rows_fn *const bf16_kernel = NULL;
#endif

int lanewise_bf16_runs(uint32_t features, lanewise_tier tier)
{
	return (LW_CPU_BF16_NEEDS & ~features) == 0 && (LW_CPU_BF16_TIER & ~tiers[tier].needs) == 0;
}

lanewise_dot_bf16_approx_rows_fn *lanewise_bf16_kernel(void)
{
	return lanewise_bf16_runs(cpu_features_once(), lanewise_active_tier()) ? bf16_kernel : NULL;
}

int lanewise_gathers_are_fast(void) { return (cpu_features_once() & LW_CPU_AVX512_BF16) != 0; }

/* ---------------------------------------------------------------- public */

const struct lw_kernels *lanewise_kernels_of(lanewise_tier tier) { return tiers[tier].kernels; }

int32_t lanewise_tier_count(void) { return TIER_COUNT; }

const char *lanewise_tier_name(lanewise_tier tier) { return tier >= 0 && tier < TIER_COUNT ? tiers[tier].name : NULL; }

int32_t lanewise_tier_supported(lanewise_tier tier)
{
	return tier >= 0 && tier < TIER_COUNT && supported_with(tier, cpu_features_once());
}

lanewise_tier lanewise_active_tier(void)
{
	const struct lw_kernels *active = lw_kernels();
	lanewise_tier tier = 0;

	while (tiers[tier].kernels != active)
		tier++;
	return tier;
}

lanewise_status lanewise_set_tier(lanewise_tier tier)
{
	if (!lanewise_tier_supported(tier))
		return LANEWISE_ERROR_UNSUPPORTED;
	atomic_store_explicit(&lanewise_active_kernels, tiers[tier].kernels, memory_order_release);
	return LANEWISE_OK;
}

/* Appends to a text that may be cut; `length` counts the whole. */
static void append(char *text, size_t n_bytes, size_t *length, const char *piece)
{
	for (; *piece; piece++, ++*length)
		if (*length + 1 < n_bytes)
			text[*length] = *piece;
	if (n_bytes)
		text[*length < n_bytes ? *length : n_bytes - 1] = '\0';
}

static void append_features(char *text, size_t n_bytes, size_t *length, uint32_t features)
{
	const char *separator = "";

	for (int i = 0; i < LW_CPU_FEATURE_COUNT; i++)
		if (features >> i & 1) {
			append(text, n_bytes, length, separator);
			append(text, n_bytes, length, lanewise_cpu_feature_names[i]);
			separator = " ";
		}
}

size_t lanewise_tier_reason(lanewise_tier tier, char *text, size_t n_bytes)
{
	size_t length = 0;

	if (tier < 0 || tier >= TIER_COUNT) {
		append(text, n_bytes, &length, "there is no such tier in this build");
	} else if (!lanewise_tier_supported(tier)) {
		append(text, n_bytes, &length, "this CPU or operating system lacks ");
		append_features(text, n_bytes, &length, tiers[tier].needs & ~cpu_features_once());
	} else if (tier == lanewise_active_tier()) {
		append(text, n_bytes, &length, "active");
	} else if (is_emulated(tier)) {
		append(text, n_bytes, &length, "supported; emulated, runs only when named");
	} else if (tier < lanewise_active_tier()) {
		append(text, n_bytes, &length, "supported; a better tier is active");
	} else {
		append(text, n_bytes, &length, "supported; capped by LANEWISE_TIER or lanewise_set_tier");
	}
	return length;
}

size_t lanewise_cpu_features_text(char *text, size_t n_bytes)
{
	size_t length = 0;

	append(text, n_bytes, &length, "");
	append_features(text, n_bytes, &length, cpu_features_once());
	return length;
}

size_t lanewise_cpu_model(char *text, size_t n_bytes)
{
	char model[LW_CPU_MODEL_BYTES];
	size_t length = 0;

	lanewise_cpu_model_name(model);
	append(text, n_bytes, &length, model);
	return length;
}

/* The kernels of the table, and the approximate one behind them. */
int32_t lanewise_kernel_count(void) { return LW_KERNEL_COUNT + 1; }

const char *lanewise_kernel_name(int32_t kernel)
{
	if (kernel == LW_KERNEL_COUNT)
		return "dot_bf16_approx_rows";
	return kernel >= 0 && kernel < LW_KERNEL_COUNT ? implementations[kernel].kernel : NULL;
}

const char *lanewise_kernel_implementation(int32_t kernel, lanewise_tier tier)
{
	if (kernel == LW_KERNEL_COUNT) {
		if (tier >= 0 && tier < TIER_COUNT && lanewise_bf16_runs(cpu_features_once(), tier))
			return bf16_implementation;
		kernel = LW_KERNEL_dot_bf16_rows; /* what runs instead */
	}
	if (kernel < 0 || kernel >= LW_KERNEL_COUNT)
		return NULL;
	return implementation_cell(&implementations[kernel], tier);
}

#define TEXT_OF(x)                        #x
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *lanewise_version(void)
{
	return VERSION_TEXT(LANEWISE_VERSION_MAJOR, LANEWISE_VERSION_MINOR, LANEWISE_VERSION_PATCH);
}

const char *lanewise_status_text(lanewise_status status)
{
	switch (status) {
	case LANEWISE_OK:
		return "success";
	case LANEWISE_ERROR_ARGUMENT:
		return "invalid argument";
	case LANEWISE_ERROR_NO_MEMORY:
		return "out of memory";
	case LANEWISE_ERROR_TOO_LARGE:
		return "size too large";
	case LANEWISE_ERROR_CAPACITY:
		return "output buffer too small";
	case LANEWISE_ERROR_DATA:
		return "malformed data";
	case LANEWISE_ERROR_SYSTEM:
		return "system error";
	case LANEWISE_ERROR_UNSUPPORTED:
		return "unsupported";
	default:
		return "unknown status";
	}
}

size_t lanewise_l2_cache_bytes(void)
{
	static _Atomic size_t cached;
	size_t bytes = atomic_load_explicit(&cached, memory_order_relaxed);

	if (!bytes) {
#if defined(_SC_LEVEL2_CACHE_SIZE)
		long answer = sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
		long answer = 0;
#endif
		bytes = answer > 0 ? (size_t)answer : (size_t)1 << 20;
		atomic_store_explicit(&cached, bytes, memory_order_relaxed);
	}
	return bytes;
}
