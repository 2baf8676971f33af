/* SPDX-License-Identifier: Apache-2.0 */
/* A program outside the project, in the common part of C11 and C++17, built against an installation. */
#include <lanewise/lanewise.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
	float a[5] = { 1, 2, 3, 4, 5 }, b[5] = { 5, 4, 3, 2, 1 };
	char version[32];

	snprintf(version, sizeof version, "%d.%d.%d", LANEWISE_VERSION_MAJOR, LANEWISE_VERSION_MINOR,
	         LANEWISE_VERSION_PATCH);
	if (strcmp(version, lanewise_version()) != 0) {
		fprintf(stderr, "the headers are of %s, the library of %s\n", version, lanewise_version());
		return 1;
	}
	if (lanewise_dot_f32(a, b, 5) != 35.0f || lanewise_l2sq_f32(a, b, 5) != 40.0f) {
		fprintf(stderr, "wrong sums\n");
		return 1;
	}
#if defined(WITH_PARALLEL)
	if (lanewise_default_threads() < 1) {
		fprintf(stderr, "no threads\n");
		return 1;
	}
#endif
#if defined(WITH_REGEX)
	char engine[100];

	if (lanewise_regex_about(engine, sizeof engine) == 0 ||
	    (lanewise_regex_pcre2() == NULL) != (strcmp(engine, "none in this build") == 0)) {
		fprintf(stderr, "no engine, or one that it does not tell of\n");
		return 1;
	}
#endif
	printf("lanewise %s, tier %s\n", lanewise_version(), lanewise_tier_name(lanewise_active_tier()));
	return 0;
}
