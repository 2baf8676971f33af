/* SPDX-License-Identifier: Apache-2.0 */
/* The one way in which this library uses several threads. */
#ifndef LW_THREADS_H
#define LW_THREADS_H

#include <stddef.h>
#include <stdint.h>

/* The number of threads a call gets: the default for 0, and 1 where more are not to be had. */
uint32_t lw_threads(uint32_t requested);

/*
 * Runs body(context, item, thread) for every item from 0 to n_items - 1, on at most n_threads threads (as given by
 * lw_threads), numbered from 0. Which thread gets which item is open, so results must not depend on it.
 */
void lw_parallel_for(size_t n_items, uint32_t n_threads, void (*body)(void *context, size_t item, uint32_t thread),
                     void *context);

#endif
