/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: from hwloc where it was found at configure time, else from the operating system. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include <lanewise/parallel.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#if LW_HAVE_HWLOC
#include <hwloc.h>
#endif

static lanewise_topology machine;
static pthread_once_t machine_once = PTHREAD_ONCE_INIT;

static uint64_t ask(int name)
{
	long answer = sysconf(name);

	return answer > 0 ? (uint64_t)answer : 0;
}

static void read_system(lanewise_topology *t)
{
	cpu_set_t allowed;

	t->source = "sysconf";
	t->logical_cpus = (uint32_t)ask(_SC_NPROCESSORS_ONLN);
	if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
		t->logical_cpus = (uint32_t)CPU_COUNT(&allowed);
	t->physical_cores = t->logical_cpus;
	t->memory_bytes = ask(_SC_PHYS_PAGES) * ask(_SC_PAGESIZE);
#if defined(_SC_LEVEL1_DCACHE_SIZE)
	t->cache_line_bytes = (uint32_t)ask(_SC_LEVEL1_DCACHE_LINESIZE);
	t->l1d_bytes = ask(_SC_LEVEL1_DCACHE_SIZE);
	t->l2_bytes = ask(_SC_LEVEL2_CACHE_SIZE);
	t->l3_bytes = ask(_SC_LEVEL3_CACHE_SIZE);
#endif
}

#if LW_HAVE_HWLOC

static uint64_t cache_bytes(hwloc_topology_t hwloc, hwloc_obj_type_t type)
{
	hwloc_obj_t cache = hwloc_get_obj_by_type(hwloc, type, 0);

	return cache ? cache->attr->cache.size : 0;
}

static int read_hwloc(lanewise_topology *t)
{
	hwloc_topology_t hwloc;

	if (hwloc_topology_init(&hwloc) != 0)
		return -1;
	if (hwloc_topology_load(hwloc) != 0) {
		hwloc_topology_destroy(hwloc);
		return -1;
	}

	hwloc_cpuset_t allowed = hwloc_bitmap_alloc();
	hwloc_obj_t l1 = hwloc_get_obj_by_type(hwloc, HWLOC_OBJ_L1CACHE, 0);

	if (!allowed || hwloc_get_cpubind(hwloc, allowed, HWLOC_CPUBIND_PROCESS) != 0) {
		hwloc_bitmap_free(allowed);
		hwloc_topology_destroy(hwloc);
		return -1;
	}
	t->source = "hwloc";
	t->physical_cores = t->logical_cpus = 0;
	for (hwloc_obj_t core = NULL; (core = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_CORE, core));)
		t->physical_cores += (uint32_t)hwloc_bitmap_intersects(core->cpuset, allowed);
	for (hwloc_obj_t pu = NULL; (pu = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_PU, pu));)
		t->logical_cpus += (uint32_t)hwloc_bitmap_intersects(pu->cpuset, allowed);
	int nodes = hwloc_get_nbobjs_by_type(hwloc, HWLOC_OBJ_NUMANODE);
	t->numa_nodes = nodes > 0 ? (uint32_t)nodes : 0;
	t->cache_line_bytes = l1 ? l1->attr->cache.linesize : 0;
	t->l1d_bytes = cache_bytes(hwloc, HWLOC_OBJ_L1CACHE);
	t->l2_bytes = cache_bytes(hwloc, HWLOC_OBJ_L2CACHE);
	t->l3_bytes = cache_bytes(hwloc, HWLOC_OBJ_L3CACHE);
	t->memory_bytes = hwloc_get_root_obj(hwloc)->total_memory;
	hwloc_bitmap_free(allowed);
	hwloc_topology_destroy(hwloc);
	return 0;
}

#endif

static void read_machine(void)
{
	read_system(&machine);
#if LW_HAVE_HWLOC
	lanewise_topology told = machine;

	if (read_hwloc(&told) == 0)
		machine = told;
#endif
	if (machine.logical_cpus == 0)
		machine.logical_cpus = 1;
	if (machine.physical_cores == 0)
		machine.physical_cores = machine.logical_cpus;
}

lanewise_status lanewise_topology_get(lanewise_topology *topology)
{
	if (!topology || topology->struct_size < sizeof machine)
		return LANEWISE_ERROR_ARGUMENT;
	pthread_once(&machine_once, read_machine);

	size_t struct_size = topology->struct_size;

	*topology = machine;
	topology->struct_size = struct_size;
	return LANEWISE_OK;
}

uint32_t lanewise_default_threads(void)
{
	pthread_once(&machine_once, read_machine);
	return machine.physical_cores;
}
