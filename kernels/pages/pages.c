/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* madvise */

#include "pages/pages.h"

#include <errno.h>
#include <sys/mman.h>

#include "support.h"

void *lanewise_allocate_pages(const lanewise_allocator *allocator, size_t n_bytes)
{
	enum { HUGE_PAGE = 2 << 20 };
	void *p;

	if (allocator || n_bytes < HUGE_PAGE || n_bytes > SIZE_MAX - HUGE_PAGE)
		return lw_allocate(allocator, n_bytes);
	p = aligned_alloc(HUGE_PAGE, (n_bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
#if defined(MADV_HUGEPAGE)
	if (p) {
		int saved_errno = errno;

		madvise(p, n_bytes, MADV_HUGEPAGE); /* advice: that it may fail does not matter */
		errno = saved_errno;
	}
#endif
	return p;
}
