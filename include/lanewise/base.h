/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanewise/base.h - what every other header of lanewise builds on: status codes, errors, allocators, versions, and
 * the tiers between which the library chooses at load time.
 *
 * Everything here may be called from any thread at any time, also before main() and from other libraries'
 * constructors.
 */
#ifndef LANEWISE_BASE_H
#define LANEWISE_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifndef LANEWISE_API
#if defined(LANEWISE_STATIC)
#define LANEWISE_API
#else
#define LANEWISE_API __attribute__((visibility("default")))
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- version */

#define LANEWISE_VERSION_MAJOR 0
#define LANEWISE_VERSION_MINOR 1
#define LANEWISE_VERSION_PATCH 0

/* The version of the library that runs, "0.1.0"; the macros above are those of the header compiled against. */
LANEWISE_API const char *lanewise_version(void);

/* ----------------------------------------------------------------- status */

/* What functions that meet data, capacity or the system return. 0 is success, errors are negative. */
typedef int32_t lanewise_status;

enum {
	LANEWISE_OK = 0,
	LANEWISE_ERROR_ARGUMENT = -1,   /* an argument is outside its documented range: NULL, k = 0, ld < dim */
	LANEWISE_ERROR_NO_MEMORY = -2,  /* the allocator returned NULL */
	LANEWISE_ERROR_TOO_LARGE = -3,  /* a size overflows or passes a documented limit */
	LANEWISE_ERROR_CAPACITY = -4,   /* the caller's output buffer is too small */
	LANEWISE_ERROR_DATA = -5,       /* the input is malformed; the error says what and at which byte */
	LANEWISE_ERROR_SYSTEM = -6,     /* the operating system refused: the error names the call and its reason */
	LANEWISE_ERROR_UNSUPPORTED = -7 /* this CPU, build or file version cannot do it */
};

/* A short English name, "malformed data" say; never NULL, also for values that are no status. */
LANEWISE_API const char *lanewise_status_text(lanewise_status status);

#define LANEWISE_NO_OFFSET UINT64_MAX

/*
 * Details of a failure, written by functions that take a `lanewise_error *` (which may be NULL). On success such a
 * function leaves it alone.
 */
typedef struct lanewise_error {
	lanewise_status status;
	uint64_t offset; /* byte offset in the input at which the fault lies, or LANEWISE_NO_OFFSET */
	char what[240];  /* NUL-terminated English that names the argument, field or file at fault */
} lanewise_error;

/* -------------------------------------------------------------- allocator */

/*
 * Where *_create() functions get memory from; NULL instead of one means the C library's. `allocate` returns `n_bytes`
 * (never 0) aligned to `alignment` (a power of two, at most 4096) or NULL; `release` gets back what `allocate`
 * returned, with the same `n_bytes`. Both may be called from several threads at once.
 */
typedef struct lanewise_allocator {
	void *(*allocate)(void *context, size_t n_bytes, size_t alignment);
	void (*release)(void *context, void *p, size_t n_bytes);
	void *context;
} lanewise_allocator;

/* ------------------------------------------------------------------ tiers */

/*
 * A tier is a set of CPU features for which kernels are compiled: "scalar", "avx2", "avx512_clx", "avx512", "neon",
 * "neon_dot". A tier number is an index from 0 (always "scalar") to lanewise_tier_count() - 1, worst to best, and
 * means nothing outside this process: store names, not numbers. All tiers give the same bits (half.h has the one exception).
 *
 * At load time the best tier that the CPU and the operating system support becomes active. The environment variable
 * LANEWISE_TIER caps the choice: the best supported tier that is no better than the named one. It is read once, is
 * ignored in set-user-id programs, and an unknown name is ignored.
 */
typedef int32_t lanewise_tier;

LANEWISE_API int32_t lanewise_tier_count(void);

/* The name, or NULL if there is no such tier in this build. */
LANEWISE_API const char *lanewise_tier_name(lanewise_tier tier);

/* 1 if this CPU and operating system can run the tier, else 0. */
LANEWISE_API int32_t lanewise_tier_supported(lanewise_tier tier);

/*
 * Why the tier is or is not in use, in English: "active", "supported; a better tier is active", "this CPU lacks
 * AVX512_VBMI". Writes at most `n_bytes` bytes including the NUL and returns the length of the whole text without it,
 * so a result >= n_bytes means that it was cut; `text` may be NULL if n_bytes is 0.
 */
LANEWISE_API size_t lanewise_tier_reason(lanewise_tier tier, char *text, size_t n_bytes);

/* The tier whose kernels calls use now. */
LANEWISE_API lanewise_tier lanewise_active_tier(void);

/*
 * Makes `tier` active for all threads. Calls that are under way finish with the kernels they began with; results are
 * the same bits either way, as above. LANEWISE_ERROR_UNSUPPORTED if this CPU cannot run it or there is no such tier.
 */
LANEWISE_API lanewise_status lanewise_set_tier(lanewise_tier tier);

/* The CPU features that were found and that matter to kernels, "AVX2 FMA F16C ..."; same convention as tier_reason. */
LANEWISE_API size_t lanewise_cpu_features_text(char *text, size_t n_bytes);

/* The CPU's model name as it reports itself, or the architecture's name; same convention as tier_reason. */
LANEWISE_API size_t lanewise_cpu_model(char *text, size_t n_bytes);

/* ---------------------------------------------------------------- kernels */

/* Kernels are numbered 0 ... lanewise_kernel_count() - 1; the name is "dot_f32" for lanewise_dot_f32, say. */
LANEWISE_API int32_t lanewise_kernel_count(void);

/* The name, or NULL if there is no such kernel. */
LANEWISE_API const char *lanewise_kernel_name(int32_t kernel);

/*
 * The implementation that `tier` runs for a kernel, named after the tier that it was written for: a tier may borrow
 * from a lower one. NULL if there is no such kernel or tier. The kernel whose results depend on the CPU,
 * dot_bf16_approx_rows, has "avx512_bf16" or "neon_bf16" where this CPU has the instructions, otherwise the exact kernel's.
 */
LANEWISE_API const char *lanewise_kernel_implementation(int32_t kernel, lanewise_tier tier);

#ifdef __cplusplus
}
#endif

#endif
