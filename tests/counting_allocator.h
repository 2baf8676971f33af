/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LW_COUNTING_ALLOCATOR_H
#define LW_COUNTING_ALLOCATOR_H

#include <stddef.h>
#include <stdlib.h>

/* The context of an allocator that counts the bytes that are out, and fails when `left` allocations are done. */
struct counter {
	size_t n_bytes, left;
};

static inline void *counting_allocate(void *context, size_t n_bytes, size_t alignment)
{
	struct counter *counter = context;

	if (counter->left == 0)
		return NULL;
	counter->left--;
	counter->n_bytes += n_bytes;
	return aligned_alloc(alignment, (n_bytes + alignment - 1) / alignment * alignment);
}

static inline void counting_release(void *context, void *p, size_t n_bytes)
{
	struct counter *counter = context;

	counter->n_bytes -= n_bytes;
	free(p);
}

#endif
