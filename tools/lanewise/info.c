/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise info: what was built, what this machine is, and which code runs on it. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <lanewise/lanewise.h>
#include <lanewise/regex.h>

#include "json.h"
#include "tool.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

static void print_help(void)
{
	puts("Usage: lanewise info [--kernels] [--json]\n"
	     "\n"
	     "Tells the version and compiler, the engine for regular expressions in rules, the CPU and its features,\n"
	     "for each tier of kernels why it is or is not in use, for each kernel which implementation runs, and the\n"
	     "machine's cores, caches and memory nodes.\n"
	     "The environment variable LANEWISE_TIER caps the tier.\n"
	     "\n"
	     "      --kernels   only the tiers and kernels\n"
	     "      --json      one JSON object instead, always with everything\n"
	     "      --help      this text");
}

enum { TEXT_BYTES = 512 };

/* ---------------------------------------------------------------------- text */

static void print_tiers_and_kernels(void)
{
	char reason[TEXT_BYTES];
	lanewise_tier active = lanewise_active_tier();

	puts("Tiers");
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		lanewise_tier_reason(t, reason, sizeof reason);
		printf("  %-20s %s\n", lanewise_tier_name(t), reason);
	}
	printf("Kernels, as tier %s runs them\n", lanewise_tier_name(active));
	for (int32_t k = 0; k < lanewise_kernel_count(); k++)
		printf("  %-20s %s\n", lanewise_kernel_name(k), lanewise_kernel_implementation(k, active));
}

static lanewise_topology topology(void)
{
	lanewise_topology told = { .struct_size = sizeof told };

	lanewise_topology_get(&told);
	return told;
}

/* Sizes that nobody could tell are 0 and left out. */
static void print_cache(const char *name, uint64_t n_bytes)
{
	if (n_bytes)
		printf("  %-20s %llu KiB\n", name, (unsigned long long)n_bytes / 1024);
}

static void print_machine(void)
{
	lanewise_topology told = topology();
	char bytes[TOOL_COUNT_BYTES];

	printf("Machine, as told by %s\n", told.source);
	printf("  %-20s %u usable, %u hardware threads\n", "cores", told.physical_cores, told.logical_cpus);
	if (told.numa_nodes)
		printf("  %-20s %u\n", "NUMA nodes", told.numa_nodes);
	print_cache("L1 data cache", told.l1d_bytes);
	print_cache("L2 cache", told.l2_bytes);
	print_cache("L3 cache", told.l3_bytes);
	if (told.memory_bytes)
		printf("  %-20s %s\n", "memory", tool_bytes(bytes, told.memory_bytes));
	printf("  %-20s %s\n", "threads", lanewise_has_threads() ? "OpenMP" : "none in this build");
}

static void print_text(int only_kernels)
{
	char model[TEXT_BYTES], features[TEXT_BYTES], regex[TEXT_BYTES];

	if (!only_kernels) {
		lanewise_cpu_model(model, sizeof model);
		lanewise_cpu_features_text(features, sizeof features);
		lanewise_regex_about(regex, sizeof regex);
		printf("lanewise %s\n", lanewise_version());
		printf("  %-20s %s, %s\n", "compiler", COMPILER, LW_BUILD_TYPE);
		printf("  %-20s %s\n", "expressions", regex);
		printf("  %-20s %s\n", "CPU", model);
		printf("  %-20s %s\n", "features", features);
	}
	print_tiers_and_kernels();
	if (!only_kernels)
		print_machine();
}

/* ---------------------------------------------------------------------- JSON */

static void json_member(const char *name, const char *value)
{
	printf(",\"%s\":", name);
	json_write_string(stdout, value, strlen(value));
}

static void json_number_member(const char *name, uint64_t number)
{
	if (number)
		printf(",\"%s\":%llu", name, (unsigned long long)number);
	else
		printf(",\"%s\":null", name);
}

static void print_json_tiers(void)
{
	char reason[TEXT_BYTES];

	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++) {
		lanewise_tier_reason(t, reason, sizeof reason);
		printf("%s{\"name\":\"%s\",\"supported\":%s,\"active\":%s", t ? "," : "", lanewise_tier_name(t),
		       lanewise_tier_supported(t) ? "true" : "false", t == lanewise_active_tier() ? "true" : "false");
		json_member("reason", reason);
		putchar('}');
	}
}

static void print_json_kernels(void)
{
	for (int32_t k = 0; k < lanewise_kernel_count(); k++)
		printf("%s{\"name\":\"%s\",\"implementation\":\"%s\"}", k ? "," : "", lanewise_kernel_name(k),
		       lanewise_kernel_implementation(k, lanewise_active_tier()));
}

static void print_json_machine(void)
{
	lanewise_topology told = topology();

	printf("{\"source\":\"%s\"", told.source);
	json_number_member("cores", told.physical_cores);
	json_number_member("hardware_threads", told.logical_cpus);
	json_number_member("numa_nodes", told.numa_nodes);
	json_number_member("memory_bytes", told.memory_bytes);
	json_number_member("cache_line_bytes", told.cache_line_bytes);
	json_number_member("l1d_bytes", told.l1d_bytes);
	json_number_member("l2_bytes", told.l2_bytes);
	json_number_member("l3_bytes", told.l3_bytes);
	printf(",\"openmp\":%s}", lanewise_has_threads() ? "true" : "false");
}

static void print_json(void)
{
	char text[TEXT_BYTES];

	printf("{\"version\":\"%s\"", lanewise_version());
	json_member("compiler", COMPILER);
	json_member("build_type", LW_BUILD_TYPE);
	lanewise_regex_about(text, sizeof text);
	json_member("expressions", text);
	lanewise_cpu_model(text, sizeof text);
	json_member("cpu", text);
	lanewise_cpu_features_text(text, sizeof text);
	json_member("features", text);
	printf(",\"tier\":\"%s\",\"tiers\":[", lanewise_tier_name(lanewise_active_tier()));
	print_json_tiers();
	printf("],\"kernels\":[");
	print_json_kernels();
	printf("],\"machine\":");
	print_json_machine();
	puts("}");
}

int tool_info(int argc, char **argv)
{
	enum { KERNELS = 256, JSON, HELP };
	static const struct option long_options[] = {
		{ "kernels", no_argument, NULL, KERNELS },
		{ "json", no_argument, NULL, JSON },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	int json = 0, only_kernels = 0;

	for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
		switch (option) {
		case KERNELS:
			only_kernels = 1;
			break;
		case JSON:
			json = 1;
			break;
		case HELP:
			print_help();
			return TOOL_OK;
		default:
			fputs("Try 'lanewise info --help'.\n", stderr);
			return TOOL_USAGE;
		}
	if (optind < argc)
		tool_fail_usage("info", "unexpected argument %s", argv[optind]);
	if (json)
		print_json();
	else
		print_text(only_kernels);
	return TOOL_OK;
}
