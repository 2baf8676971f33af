/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a kernel's name to the code that runs: kernel_table.def becomes a struct of function pointers, one constant
 * instance per tier, and one atomic pointer to the instance in use.
 *
 * A constructor sets the pointer at load time. Code that runs before it (other libraries' constructors) finds NULL
 * and sets the pointer itself; racing threads compute the same value.
 */
#ifndef LW_DISPATCH_H
#define LW_DISPATCH_H

#include <stdatomic.h>

#include <lanewise/base.h>

#include "cpu.h"
#include "kernel_types.h"

struct lw_kernels {
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) lanewise_##kernel##_fn *kernel;
#include "kernel_table.def"
#undef LW_KERNEL
};

/* The number of each kernel: LW_KERNEL_dot_f32 and so on. */
enum {
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) LW_KERNEL_##kernel,
#include "kernel_table.def"
#undef LW_KERNEL
	LW_KERNEL_COUNT
};

/* Prototypes of all implementations that the table names. */
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) \
	lanewise_##kernel##_fn lanewise_##kernel##_##scalar, lanewise_##kernel##_##avx2, \
	        lanewise_##kernel##_##avx512_clx, lanewise_##kernel##_##avx512, lanewise_##kernel##_##neon, \
	        lanewise_##kernel##_##neon_dot;
#include "kernel_table.def"
#undef LW_KERNEL

extern _Atomic(const struct lw_kernels *) lanewise_active_kernels;

/* Chooses the tier if none is chosen yet, and returns the kernels in use. */
const struct lw_kernels *lanewise_dispatch_init(void);

/* The kernels of one tier, whether or not this CPU can run them. */
const struct lw_kernels *lanewise_kernels_of(lanewise_tier tier);

/*
 * The tier to start with on a CPU with these features, where `cap` is the value of LANEWISE_TIER or NULL. The whole
 * rule of choice is here, so tests can ask it about any CPU.
 */
lanewise_tier lanewise_choose_tier(uint32_t features, const char *cap);

/*
 * The one kernel that is in no tier's table, because its bits depend on the CPU: dot products by bfloat16 instructions
 * (half.h). NULL if the CPU has none or the active tier is below the one that they extend; then the caller takes the exact
 * kernel of the active tier.
 */
lanewise_dot_bf16_approx_rows_fn lanewise_dot_bf16_approx_rows_avx512_bf16, lanewise_dot_bf16_approx_rows_neon_bf16;
lanewise_dot_bf16_approx_rows_fn *lanewise_bf16_kernel(void);

/*
 * Whether gathers take about as long as their loads. On Intel CPUs before Sapphire Rapids, where the microcode keeps
 * others from seeing what they bring (Gather Data Sampling), and on AMD's before Zen 4 they take several times as long.
 * Of CPUs with the tier avx512 the later ones have AVX512_BF16.
 */
int lanewise_gathers_are_fast(void);

/* Whether that kernel runs on a CPU with these features while `tier` is active; the whole rule, for tests. */
int lanewise_bf16_runs(uint32_t features, lanewise_tier tier);

/* Bytes of level-2 cache per core, asked of the system once; a usual size where it does not tell. */
size_t lanewise_l2_cache_bytes(void);

static inline const struct lw_kernels *lw_kernels(void)
{
	const struct lw_kernels *kernels = atomic_load_explicit(&lanewise_active_kernels, memory_order_acquire);

	return kernels ? kernels : lanewise_dispatch_init();
}

#endif
