/* SPDX-License-Identifier: Apache-2.0 */
/* For vec_avx2.h and vec_avx512.h: tables of 32 and 64 bytes where one instruction looks up 16. */
#ifndef LW_VEC_LOOKUP_H
#define LW_VEC_LOOKUP_H

typedef struct {
	vq part[2];
} vq32;
LW_INLINE vq32 vq32_load(const uint8_t *p) { return (vq32) { { vq_repeat16(p), vq_repeat16(p + 16) } }; }
/* What is 16 or more before 0x70 is added has its upper bit set behind, and finds 0. */
LW_INLINE vq vq_lookup_from(vq32 t, vq v, uint8_t low)
{
	vq first = vq_sub(v, vq_set1(low)), second = vq_sub(v, vq_set1((uint8_t)(low + 16)));

	return vq_or(vq_lookup(t.part[0], vq_add_saturated(first, vq_set1(0x70))),
	             vq_lookup(t.part[1], vq_add_saturated(second, vq_set1(0x70))));
}
/* An index beyond the first part finds something there too, which is taken away. */
LW_INLINE vq vq_lookup32(vq32 t, vq i)
{
	vq change = vq_xor(t.part[0], t.part[1]);

	return vq_xor(vq_lookup(t.part[0], i), vq_lookup(change, vq_sub(i, vq_set1(16))));
}
/* Each part but the first has what differs from the one before: an index that goes beyond its part finds that too. */
typedef struct {
	vq part[4];
} vq64;
LW_INLINE vq64 vq64_load(const uint8_t *p)
{
	vq64 t;

	for (int i = 0; i < 4; i++)
		t.part[i] = i > 0 ? vq_xor(vq_repeat16(p + 16 * i), vq_repeat16(p + 16 * i - 16)) : vq_repeat16(p);
	return t;
}
LW_INLINE vq vq_lookup64(vq64 t, vq i)
{
	vq found = vq_lookup(t.part[0], i);

	for (int part = 1; part < 4; part++) {
		i = vq_sub(i, vq_set1(16));
		found = vq_xor(found, vq_lookup(t.part[part], i));
	}
	return found;
}

#endif
