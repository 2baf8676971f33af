/* SPDX-License-Identifier: Apache-2.0 */
/* What runs here: the CPU, each tier and why it is or is not in use, and the implementation of every kernel. */
#include <lanewise/base.h>

#include <stdio.h>

int main(void)
{
	char text[256];

	lanewise_cpu_model(text, sizeof text);
	printf("lanewise %s on %s\n", lanewise_version(), text);
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		lanewise_tier_reason(tier, text, sizeof text);
		printf("  %-12s %s\n", lanewise_tier_name(tier), text);
	}
	for (int32_t kernel = 0; kernel < lanewise_kernel_count(); kernel++)
		printf("  %-20s %s\n", lanewise_kernel_name(kernel),
		       lanewise_kernel_implementation(kernel, lanewise_active_tier()));

	/* Every tier that this CPU has can be made active, and gives the same bits. */
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++) {
		lanewise_status status = lanewise_set_tier(tier);

		if ((status == LANEWISE_OK) != (lanewise_tier_supported(tier) == 1))
			return 1;
		if (status == LANEWISE_OK && lanewise_active_tier() != tier)
			return 1;
	}
	return 0;
}
