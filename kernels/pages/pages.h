/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for large arrays. */
#ifndef LW_PAGES_H
#define LW_PAGES_H

#include <lanewise/base.h>

/*
 * lw_allocate, on huge pages where the system has them for those who ask: who goes all over an array misses the TLB at
 * each page of 4 KiB, which costs more than missing the cache; and the first touch of each page is a trap.
 */
void *lanewise_allocate_pages(const lanewise_allocator *allocator, size_t n_bytes);

#endif
