/* SPDX-License-Identifier: Apache-2.0 */
/* What `lanewise info` tells of the machine besides its instruction set. */
#ifndef LW_TOOL_MACHINE_H
#define LW_TOOL_MACHINE_H

#include <stdint.h>

enum { MACHINE_CACHES = 8 };

/* A number that the system does not tell is 0. */
struct machine {
	const char *source; /* who was asked */
	uint64_t packages, cores, threads, usable_threads, numa_nodes, memory_bytes;
	struct machine_cache {
		const char *name;
		uint64_t bytes, line_bytes, count; /* of each; how many there are */
	} caches[MACHINE_CACHES];
	int n_caches;
};

void machine_describe(struct machine *machine);

#endif
