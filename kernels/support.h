/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions around the kernels share: memory from the caller's allocator, and filling in an error. */
#ifndef LW_KERNELS_SUPPORT_H
#define LW_KERNELS_SUPPORT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <lanewise/base.h>

/* `n_bytes` (not 0) bytes aligned to 64 from `allocator`, or from the C library if that is NULL; NULL if there are none. */
static inline void *lw_allocate(const lanewise_allocator *allocator, size_t n_bytes)
{
	if (allocator)
		return allocator->allocate(allocator->context, n_bytes, 64);
	if (n_bytes > SIZE_MAX - 63)
		return NULL;
	return aligned_alloc(64, (n_bytes + 63) / 64 * 64);
}

/* Gives back what lw_allocate returned for the same allocator and size; NULL is fine. */
static inline void lw_release(const lanewise_allocator *allocator, void *p, size_t n_bytes)
{
	if (!p)
		return;
	if (allocator)
		allocator->release(allocator->context, p, n_bytes);
	else
		free(p);
}

/* Fills in `error`, if there is one, and returns `status`. */
__attribute__((format(printf, 4, 5))) static inline lanewise_status
lw_fail(lanewise_error *error, lanewise_status status, uint64_t offset, const char *format, ...)
{
	if (error) {
		va_list arguments;

		error->status = status;
		error->offset = offset;
		va_start(arguments, format);
		vsnprintf(error->what, sizeof error->what, format, arguments);
		va_end(arguments);
	}
	return status;
}

#endif
