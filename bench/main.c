/* SPDX-License-Identifier: Apache-2.0 */
/* Options, the core to run on, cache sizes, and the list of families. */
#include "harness.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if LW_HAVE_HWLOC
#include <hwloc.h>
#endif

static void (*const families[])(struct bench *) = {
#define BENCH_FAMILY(name) bench_##name,
	BENCH_FAMILIES(BENCH_FAMILY)
#undef BENCH_FAMILY
};

static const char *const family_names[] = {
#define BENCH_FAMILY(name) #name,
	BENCH_FAMILIES(BENCH_FAMILY)
#undef BENCH_FAMILY
};

static const char usage[] =
        "Usage: lanewise bench [options] [FAMILY...]\n"
        "\n"
        "Measures the kernels of lanewise against the scalar reference and against other libraries.\n"
        "\n"
        "  FAMILY            only that one, json say; --list-families names them\n"
        "  --kernel GLOB     only kernels whose name matches, 'dot*' say\n"
        "  --tier NAME|all   one tier, or all that this CPU runs; without it the one in use, and scalar\n"
        "  --size LIST       of l1,l2,l3,dram (all)\n"
        "  --seconds S       time for one case (1); up to three times that while quiet rounds are missing\n"
        "  --rounds N        rounds of one case, instead of a time\n"
        "  --cold            empty the caches before every sample\n"
        "  --cpu N           the core to run on (the one it happens to be on)\n"
        "  --no-peers        leave out other libraries; --peers is the default\n"
        "  --bars            the project's goals, PASS or MISS\n"
        "  --strict          with --bars: exit with 1 if one is missed\n"
        "  --list            the cases, unmeasured\n"
        "  --list-families   the families\n"
        "  --json, --csv     for programs\n"
        "  --help\n";

/* ---------------------------------------------------------------- machine */

static int pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		cpu = sched_getcpu();
	CPU_ZERO(&set);
	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return -1;
	CPU_SET((unsigned)cpu, &set);
	return sched_setaffinity(0, sizeof set, &set) == 0 ? cpu : -1;
}

static void caches_from_sysconf(size_t bytes[3])
{
#if defined(_SC_LEVEL1_DCACHE_SIZE)
	static const int names[3] = { _SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE };

	for (int level = 0; level < 3; level++) {
		long answer = sysconf(names[level]);

		if (answer > 0)
			bytes[level] = (size_t)answer;
	}
#else
	(void)bytes;
#endif
}

static void caches_from_hwloc(int cpu, size_t bytes[3])
{
#if LW_HAVE_HWLOC
	static const hwloc_obj_type_t types[3] = { HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE };
	hwloc_topology_t topology;

	if (hwloc_topology_init(&topology) != 0)
		return;
	if (hwloc_topology_load(topology) == 0) {
		hwloc_obj_t core = cpu < 0 ? NULL : hwloc_get_pu_obj_by_os_index(topology, (unsigned)cpu);

		for (int level = 0; level < 3; level++) {
			hwloc_obj_t cache = core ? hwloc_get_ancestor_obj_by_type(topology, types[level], core) : NULL;

			if (cache && cache->attr->cache.size > 0)
				bytes[level] = (size_t)cache->attr->cache.size;
		}
	}
	hwloc_topology_destroy(topology);
#else
	(void)cpu;
	(void)bytes;
#endif
}

/* What neither tells is assumed; a level must be larger than the one before it for the sizes to mean anything. */
static void find_caches(struct bench *bench)
{
	size_t *bytes = bench->cache_bytes;

	bytes[0] = 32u << 10;
	bytes[1] = 512u << 10;
	bytes[2] = 16u << 20;
	caches_from_sysconf(bytes);
	caches_from_hwloc(bench->cpu, bytes);
	for (int level = 1; level < 3; level++)
		if (bytes[level] <= bytes[level - 1])
			bytes[level] = 4 * bytes[level - 1];
}

/* ---------------------------------------------------------------- options */

static int complain(const char *what, const char *which)
{
	fprintf(stderr, "bench: %s%s; --help tells more\n", what, which);
	return -1;
}

static int parse_sizes(struct bench *bench, const char *list)
{
	char copy[64], *rest = copy;

	if (strlen(list) >= sizeof copy)
		return complain("--size: unknown ", list);
	strcpy(copy, list);
	bench->sizes = 0;
	for (char *name; (name = strtok_r(rest, ",", &rest));) {
		int size = 0;

		while (size < BENCH_SIZES && strcmp(name, bench_size_names[size]) != 0)
			size++;
		if (size == BENCH_SIZES)
			return complain("--size: unknown ", list);
		bench->sizes |= 1u << size;
	}
	return bench->sizes ? 0 : complain("--size: nothing in it", "");
}

static int parse_number(const char *option, const char *text, double least, double most, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	if (errno || *end || end == text || !(*value >= least && *value <= most)) {
		fprintf(stderr, "bench: %s needs a number from %g to %g, not '%s'\n", option, least, most, text);
		return -1;
	}
	return 0;
}

static int parse_tier(struct bench *bench, const char *name)
{
	bench->tier_name = name;
	if (strcmp(name, "all") == 0)
		return 0;
	for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
		if (strcmp(name, lanewise_tier_name(tier)) == 0)
			return lanewise_tier_supported(tier) ? 0 : complain("this CPU cannot run tier ", name);
	return complain("no such tier: ", name);
}

static int parse_valued(struct bench *bench, const char *option, const char *value)
{
	double number;

	if (!value)
		return complain(option, " needs a value");
	if (strcmp(option, "--kernel") == 0) {
		bench->kernel_glob = value;
		return 0;
	}
	if (strcmp(option, "--tier") == 0)
		return parse_tier(bench, value);
	if (strcmp(option, "--size") == 0)
		return parse_sizes(bench, value);
	if (strcmp(option, "--seconds") == 0)
		return parse_number(option, value, 0, 3600, &bench->seconds);
	if (strcmp(option, "--cpu") == 0) {
		if (parse_number(option, value, 0, CPU_SETSIZE - 1, &number) != 0)
			return -1;
		bench->cpu = (int)number;
		return 0;
	}
	if (parse_number(option, value, 1, BENCH_MAX_ROUNDS, &number) != 0)
		return -1;
	bench->rounds = (size_t)number;
	return 0;
}

static int parse_family(struct bench *bench, const char *name)
{
	for (size_t i = 0; i < sizeof family_names / sizeof *family_names; i++)
		if (strcmp(name, family_names[i]) == 0) {
			bench->families |= 1ull << i;
			return 0;
		}
	return complain("no such family: ", name);
}

static void list_families(void)
{
	for (size_t i = 0; i < sizeof family_names / sizeof *family_names; i++)
		puts(family_names[i]);
}

/* 0 to go on, 1 to end in peace, -1 for a mistake. */
static int parse(struct bench *bench, int argc, char **argv)
{
	static const char *const valued[] = { "--kernel", "--tier", "--size", "--seconds", "--rounds", "--cpu" };

	for (int i = 1; i < argc; i++) {
		const char *option = argv[i];
		int takes_value = 0;

		for (size_t j = 0; j < sizeof valued / sizeof *valued; j++)
			takes_value |= strcmp(option, valued[j]) == 0;
		if (takes_value) {
			if (parse_valued(bench, option, i + 1 < argc ? argv[i + 1] : NULL) != 0)
				return -1;
			i++;
		} else if (strcmp(option, "--help") == 0) {
			fputs(usage, stdout);
			return 1;
		} else if (strcmp(option, "--list-families") == 0) {
			list_families();
			return 1;
		} else if (strcmp(option, "--peers") == 0) {
			bench->use_peers = 1;
		} else if (strcmp(option, "--no-peers") == 0) {
			bench->use_peers = 0;
		} else if (strcmp(option, "--list") == 0) {
			bench->list = 1;
		} else if (strcmp(option, "--cold") == 0) {
			bench->cold = 1;
		} else if (strcmp(option, "--bars") == 0) {
			bench->bars = 1;
		} else if (strcmp(option, "--strict") == 0) {
			bench->strict = 1;
		} else if (strcmp(option, "--json") == 0) {
			bench->format = BENCH_JSON;
		} else if (strcmp(option, "--csv") == 0) {
			bench->format = BENCH_CSV;
		} else if (option[0] == '-') {
			return complain("unknown option ", option);
		} else if (parse_family(bench, option) != 0) {
			return -1;
		}
	}
	return 0;
}

int lanewise_bench_main(int argc, char **argv)
{
	static struct bench bench = {
		.seconds = 1, .patience = 3, .use_peers = 1, .sizes = (1u << BENCH_SIZES) - 1, .cpu = -1
	};
	int parsed = parse(&bench, argc, argv), missed = 0;

	if (parsed != 0)
		return parsed < 0 ? 2 : 0;
	int asked = bench.cpu;

	bench.cpu = pin(asked);
	if (asked >= 0 && bench.cpu < 0) {
		complain("--cpu: this process may not run on that core", "");
		return 2;
	}
	find_caches(&bench);
	if (bench.use_peers && !bench.list)
		bench_load_peers(&bench);
	if (bench.cold)
		bench.eviction = bench_alloc(2 * bench.cache_bytes[2]);
	if (!bench.list) {
		bench_find_best_probe();
		bench_report_begin(&bench);
	}
	if (bench.bars)
		missed = bench_bars(&bench);
	else
		for (size_t i = 0; i < sizeof families / sizeof *families; i++)
			if (!bench.families || bench.families >> i & 1)
				families[i](&bench);
	if (!bench.list)
		bench_report_end(&bench);
	if (!bench.bars && bench.n_cases + bench.n_listed == 0) {
		complain("no case matches", "");
		return 2;
	}
	if (bench.n_wrong) {
		fprintf(stderr, "bench: %zu contenders gave a different result\n", bench.n_wrong);
		return 1;
	}
	return bench.strict && missed ? 1 : 0;
}
