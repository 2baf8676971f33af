/* SPDX-License-Identifier: Apache-2.0 */
/* A key for siphash.h that nobody can guess. Define _DEFAULT_SOURCE before the first header. */
#ifndef LW_SECRET_H
#define LW_SECRET_H

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>
#include <time.h>

#include "siphash.h"

/* Where the system has no random bytes to give, addresses and the clock are still something to guess. */
static inline void lw_make_secret(uint64_t key[2])
{
	struct timespec now = { 0, 0 };
	int saved_errno = errno;

	if (getrandom(key, 16, GRND_NONBLOCK) != 16) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		key[0] = (uint64_t)(uintptr_t)&now ^ (uint64_t)now.tv_nsec << 32;
		key[1] = (uint64_t)(uintptr_t)key ^ (uint64_t)now.tv_sec << 32;
		key[0] = lw_siphash13(&now, sizeof now, key);
	}
	errno = saved_errno;
}

#endif
