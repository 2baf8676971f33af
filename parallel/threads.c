/* SPDX-License-Identifier: Apache-2.0 */
/* OpenMP, entered only where it is safe and asked for. */
#include "threads.h"

#include <lanewise/parallel.h>

#include <pthread.h>
#include <stdatomic.h>

#if defined(_OPENMP)
#include <omp.h>

/*
 * Set in a child after fork: its OpenMP runtime may believe in threads that only the parent has, and wait for them.
 * There is no way to start that runtime afresh, so the child stays serial.
 */
static _Atomic int in_forked_child;
static pthread_once_t fork_handler_once = PTHREAD_ONCE_INIT;

static void after_fork_in_child(void) { atomic_store_explicit(&in_forked_child, 1, memory_order_relaxed); }

static void install_fork_handler(void) { pthread_atfork(NULL, NULL, after_fork_in_child); }

int32_t lanewise_has_threads(void) { return 1; }

uint32_t lw_threads(uint32_t requested)
{
	if (requested == 1)
		return 1;
	pthread_once(&fork_handler_once, install_fork_handler);
	if (atomic_load_explicit(&in_forked_child, memory_order_relaxed) || omp_in_parallel())
		return 1;
	return requested ? requested : lanewise_default_threads();
}

void lw_parallel_for(size_t n_items, uint32_t n_threads, void (*body)(void *context, size_t item, uint32_t thread),
                     void *context)
{
	if (n_threads > n_items)
		n_threads = (uint32_t)n_items;
	if (n_threads <= 1) {
		for (size_t i = 0; i < n_items; i++)
			body(context, i, 0);
		return;
	}
#pragma omp parallel for schedule(dynamic, 1) num_threads((int)n_threads)
	for (size_t i = 0; i < n_items; i++)
		body(context, i, (uint32_t)omp_get_thread_num());
}

#else

int32_t lanewise_has_threads(void) { return 0; }

uint32_t lw_threads(uint32_t requested)
{
	(void)requested;
	return 1;
}

void lw_parallel_for(size_t n_items, uint32_t n_threads, void (*body)(void *context, size_t item, uint32_t thread),
                     void *context)
{
	(void)n_threads;
	for (size_t i = 0; i < n_items; i++)
		body(context, i, 0);
}

#endif
