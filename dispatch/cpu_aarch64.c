/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AT_HWCAP and AT_HWCAP2 of Linux on aarch64 (Documentation/arch/arm64/elf_hwcaps.rst of the kernel): the operating system's
 * word on what user code may use, so nothing else needs asking.
 */
#include "cpu.h"

#include <string.h>

uint32_t lanewise_cpu_features_aarch64(const struct lw_cpu_probe *probe)
{
	const uint64_t HWCAP_BIT_ASIMD = 1u << 1, HWCAP_BIT_ASIMDDP = 1u << 20, HWCAP2_BIT_BF16 = 1u << 14;
	uint64_t hwcap = probe->hwcap(probe->context), hwcap2 = probe->hwcap2(probe->context);
	uint32_t features = 0;

	if (hwcap & HWCAP_BIT_ASIMD)
		features |= LW_CPU_ASIMD;
	if (hwcap & HWCAP_BIT_ASIMDDP)
		features |= LW_CPU_ASIMDDP;
	if (hwcap2 & HWCAP2_BIT_BF16)
		features |= LW_CPU_BF16;
	return features;
}

#if defined(__aarch64__)

#if defined(__linux__)
#include <sys/auxv.h>
static uint64_t real_hwcap(void *context)
{
	(void)context;
	return getauxval(AT_HWCAP);
}

static uint64_t real_hwcap2(void *context)
{
	(void)context;
	return getauxval(AT_HWCAP2);
}
#else
/* ASIMD is part of the architecture's baseline; the rest needs each system's own question. */
static uint64_t real_hwcap(void *context)
{
	(void)context;
	return 1u << 1;
}

static uint64_t real_hwcap2(void *context)
{
	(void)context;
	return 0;
}
#endif

uint32_t lanewise_cpu_features(void)
{
	static const struct lw_cpu_probe real = { NULL, NULL, real_hwcap, real_hwcap2, NULL };

	return lanewise_cpu_features_aarch64(&real);
}

void lanewise_cpu_model_name(char text[LW_CPU_MODEL_BYTES]) { strcpy(text, "aarch64"); }

#endif
