/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator that counts, and fails when it is told to. */
#ifndef LW_COUNTING_ALLOCATOR_H
#define LW_COUNTING_ALLOCATOR_H

#include <lanewise/base.h>

#include <stdint.h>
#include <stdlib.h>

#include "test.h"

/* All zeros never fails. */
struct counter {
	size_t n_held, n_bytes, most_bytes; /* of memory that is out */
	size_t n_allocations;               /* those that failed too */
	size_t fail_at;                     /* the allocation that fails, from 1 */
	size_t fail_from;                   /* this one and all after it */
};

/* After n more allocations there is no memory. */
static inline void fail_after(struct counter *counter, size_t n)
{
	counter->fail_from = counter->n_allocations + n + 1;
}

static inline void *counting_allocate(void *context, size_t n_bytes, size_t alignment)
{
	struct counter *counter = context;
	size_t number = ++counter->n_allocations;

	CHECK(n_bytes > 0 && alignment > 0);
	if (number == counter->fail_at || (counter->fail_from && number >= counter->fail_from))
		return NULL;
	counter->n_held++;
	counter->n_bytes += n_bytes;
	if (counter->most_bytes < counter->n_bytes)
		counter->most_bytes = counter->n_bytes;
	return aligned_alloc(alignment, (n_bytes + alignment - 1) / alignment * alignment);
}

static inline void counting_release(void *context, void *p, size_t n_bytes)
{
	struct counter *counter = context;

	CHECK(p != NULL && counter->n_held > 0 && counter->n_bytes >= n_bytes);
	counter->n_held--;
	counter->n_bytes -= n_bytes;
	free(p);
}

static inline lanewise_allocator counting_allocator(struct counter *counter)
{
	return (lanewise_allocator) { counting_allocate, counting_release, counter };
}

#endif
