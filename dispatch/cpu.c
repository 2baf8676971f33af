/* SPDX-License-Identifier: Apache-2.0 */
/* The names of CPU features, and the feature set of architectures that have no reader of their own: none. */
#include "cpu.h"

#include <string.h>

const char *const lanewise_cpu_feature_names[LW_CPU_FEATURE_COUNT] = {
#define LW_CPU_FEATURE(name) #name,
	LW_CPU_FEATURES_X86(LW_CPU_FEATURE) LW_CPU_FEATURES_AARCH64(LW_CPU_FEATURE)
#undef LW_CPU_FEATURE
};

#if !defined(__x86_64__) && !defined(__aarch64__)

uint32_t lanewise_cpu_features(void) { return 0; }

void lanewise_cpu_model_name(char text[LW_CPU_MODEL_BYTES]) { strcpy(text, "unknown"); }

#endif
