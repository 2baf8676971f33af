/* SPDX-License-Identifier: Apache-2.0 */
/* By hwloc where the build found it, else by what the C library and Linux's /sys tell. */
#include "machine.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

static uint64_t usable_threads(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? (uint64_t)CPU_COUNT(&set) : 0;
}

#if LW_HAVE_HWLOC

#include <hwloc.h>

static uint64_t count_of(hwloc_topology_t topology, hwloc_obj_type_t type)
{
	int n = hwloc_get_nbobjs_by_type(topology, type);

	return n > 0 ? (uint64_t)n : 0;
}

static void add_cache(struct machine *machine, hwloc_topology_t topology, hwloc_obj_type_t type, const char *name)
{
	hwloc_obj_t cache = hwloc_get_obj_by_type(topology, type, 0);

	if (cache)
		machine->caches[machine->n_caches++] =
		        (struct machine_cache) { name, cache->attr->cache.size, cache->attr->cache.linesize,
			                         count_of(topology, type) };
}

static int ask_hwloc(struct machine *machine)
{
	hwloc_topology_t topology;
	int good;

	if (hwloc_topology_init(&topology) != 0)
		return 0;
	/* The whole machine, also what this process may not use. */
	hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
	hwloc_topology_set_icache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL);
	good = hwloc_topology_load(topology) == 0;
	if (good) {
		machine->source = "hwloc";
		machine->packages = count_of(topology, HWLOC_OBJ_PACKAGE);
		machine->cores = count_of(topology, HWLOC_OBJ_CORE);
		machine->threads = count_of(topology, HWLOC_OBJ_PU);
		machine->numa_nodes = count_of(topology, HWLOC_OBJ_NUMANODE);
		machine->memory_bytes = hwloc_get_root_obj(topology)->total_memory;
		add_cache(machine, topology, HWLOC_OBJ_L1CACHE, "L1d");
		add_cache(machine, topology, HWLOC_OBJ_L1ICACHE, "L1i");
		add_cache(machine, topology, HWLOC_OBJ_L2CACHE, "L2");
		add_cache(machine, topology, HWLOC_OBJ_L3CACHE, "L3");
		add_cache(machine, topology, HWLOC_OBJ_L4CACHE, "L4");
	}
	hwloc_topology_destroy(topology);
	return good;
}

#else

static int ask_hwloc(struct machine *machine)
{
	(void)machine;
	return 0;
}

#endif

/* ------------------------------------------------------------------- sysconf */

static uint64_t ask(int name)
{
	long answer = sysconf(name);

	return answer > 0 ? (uint64_t)answer : 0;
}

static void ask_system(struct machine *machine)
{
	static const struct {
		const char *name;
		int size, line;
	} caches[] = {
#ifdef _SC_LEVEL1_DCACHE_SIZE
		{ "L1d", _SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL1_DCACHE_LINESIZE },
		{ "L1i", _SC_LEVEL1_ICACHE_SIZE, _SC_LEVEL1_ICACHE_LINESIZE },
		{ "L2", _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL2_CACHE_LINESIZE },
		{ "L3", _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL3_CACHE_LINESIZE },
		{ "L4", _SC_LEVEL4_CACHE_SIZE, _SC_LEVEL4_CACHE_LINESIZE },
#endif
		{ NULL, 0, 0 },
	};

	machine->source = "sysconf (built without hwloc, so packages, cores and NUMA nodes are not known)";
	machine->threads = ask(_SC_NPROCESSORS_ONLN);
	machine->memory_bytes = ask(_SC_PHYS_PAGES) * ask(_SC_PAGESIZE);
	for (int i = 0; caches[i].name; i++) {
		uint64_t bytes = ask(caches[i].size);

		if (bytes)
			machine->caches[machine->n_caches++] =
			        (struct machine_cache) { caches[i].name, bytes, ask(caches[i].line), 0 };
	}
}

void machine_describe(struct machine *machine)
{
	memset(machine, 0, sizeof *machine);
	if (!ask_hwloc(machine))
		ask_system(machine);
	machine->usable_threads = usable_threads();
}
