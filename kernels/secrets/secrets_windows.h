/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of secrets_filter.h looked up by the halves of bytes. */
#ifndef LW_SECRETS_WINDOWS_H
#define LW_SECRETS_WINDOWS_H

#include "vec.h"

#include "secrets/secrets_filter.h"

struct windows {
	vq low[LW_SECRET_PLACES], high;
};

/* The bytes at p, loaded once: most loads reach over the end of a cache line, and compilers repeat them for each use. */
LW_INLINE vq load_once(const uint8_t *p)
{
	vq v = vq_load(p);

#if defined(__GNUC__) && !defined(__clang__) && defined(__AVX2__) && !defined(LW_NEON_VIA_SIMDE)
	__asm__("" : "+v"(v));
#endif
	return v;
}

LW_INLINE struct windows windows_of(const struct lw_secret_windows *windows)
{
	struct windows t;

	for (int j = 0; j < LW_SECRET_PLACES; j++)
		t.low[j] = vq_repeat16(windows->low[j]);
	t.high = vq_repeat16(windows->high);
	return t;
}

LW_INLINE uint64_t windows_at(const struct windows *t, const uint8_t *p)
{
	uint64_t word = 0;

	_Static_assert(LW_SECRET_PLACES == 4 && LW_SECRET_SHARP == 2, "written out");
#pragma GCC unroll 4
	for (int v = 0; v < 64 / VQ_LANES; v++, p += VQ_LANES) {
		vq third = load_once(p + 2);
		vq a = vq_and3(vq_lookup(t->low[0], vq_ascii_index(vq_load(p))),
		               vq_lookup(t->low[1], vq_ascii_index(vq_load(p + 1))),
		               vq_lookup(t->low[2], vq_ascii_index(third)));
		vq b = vq_and(vq_lookup(t->high, vq_high_half(third)),
		              vq_lookup(t->low[3], vq_low_half(vq_load(p + 3))));

		word |= vq_common_bits(a, b) << (v * VQ_LANES & 63);
	}
	return word;
}

#endif
