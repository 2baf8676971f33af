/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise info: what was built, what this machine is, and which code runs on it. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <lanewise/lanewise.h>

#include "json.h"
#include "machine.h"
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
	     "Tells the version and compiler, the CPU and its features, for each tier of kernels why it is or is not\n"
	     "in use, for each kernel which implementation runs, and the machine's cores, caches and memory nodes.\n"
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

static void print_number(const char *name, uint64_t number)
{
	if (number)
		printf("  %-20s %llu\n", name, (unsigned long long)number);
}

static void print_machine(void)
{
	struct machine machine;
	char bytes[TOOL_COUNT_BYTES];

	machine_describe(&machine);
	printf("Machine, as told by %s\n", machine.source);
	print_number("packages", machine.packages);
	print_number("cores", machine.cores);
	print_number("hardware threads", machine.threads);
	print_number("usable by this one", machine.usable_threads);
	print_number("NUMA nodes", machine.numa_nodes);
	printf("  %-20s %s\n", "memory", tool_bytes(bytes, machine.memory_bytes));
	for (int i = 0; i < machine.n_caches; i++) {
		const struct machine_cache *cache = &machine.caches[i];

		printf("  %-20s %llu KiB, lines of %llu bytes", cache->name, (unsigned long long)cache->bytes / 1024,
		       (unsigned long long)cache->line_bytes);
		if (cache->count)
			printf(", %llu of them", (unsigned long long)cache->count);
		putchar('\n');
	}
}

static void print_text(int only_kernels)
{
	char model[TEXT_BYTES], features[TEXT_BYTES];

	if (!only_kernels) {
		lanewise_cpu_model(model, sizeof model);
		lanewise_cpu_features_text(features, sizeof features);
		printf("lanewise %s\n", lanewise_version());
		printf("  %-20s %s, %s\n", "compiler", COMPILER, LW_BUILD_TYPE);
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
	struct machine machine;

	machine_describe(&machine);
	printf("{\"source\":");
	json_write_string(stdout, machine.source, strlen(machine.source));
	json_number_member("packages", machine.packages);
	json_number_member("cores", machine.cores);
	json_number_member("threads", machine.threads);
	json_number_member("usable_threads", machine.usable_threads);
	json_number_member("numa_nodes", machine.numa_nodes);
	json_number_member("memory_bytes", machine.memory_bytes);
	printf(",\"caches\":[");
	for (int i = 0; i < machine.n_caches; i++) {
		printf("%s{\"name\":\"%s\"", i ? "," : "", machine.caches[i].name);
		json_number_member("bytes", machine.caches[i].bytes);
		json_number_member("line_bytes", machine.caches[i].line_bytes);
		json_number_member("count", machine.caches[i].count);
		putchar('}');
	}
	printf("]}");
}

static void print_json(void)
{
	char text[TEXT_BYTES];

	printf("{\"version\":\"%s\"", lanewise_version());
	json_member("compiler", COMPILER);
	json_member("build_type", LW_BUILD_TYPE);
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
