/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 with NEON's loads and stores of groups: vld3 and vst4 bring 16 groups of three bytes and four characters into
 * one vector per place in the group, so encoding is a few shifts and a look-up in a table of 64 bytes, and decoding
 * two look-ups in tables of 64.
 */
#include "block.h"

#include "base64_tables.h"

enum { GROUPS = 16 };

static uint8x16x4_t load_table(const uint8_t *p)
{
	uint8x16x4_t table;

	for (int i = 0; i < 4; i++)
		table.val[i] = vld1q_u8(p + 16 * i);
	return table;
}

void LW_FN(base64_encode)(const uint8_t *in, size_t n_groups, int url, uint8_t *out)
{
	const uint8x16x4_t table = load_table((const uint8_t *)lw_base64_alphabet[url]);
	const uint8x16_t six = vdupq_n_u8(63);
	size_t i = 0;

	for (; n_groups - i >= GROUPS; i += GROUPS) {
		uint8x16x3_t bytes = vld3q_u8(in + 3 * i);
		uint8x16x4_t text;

		text.val[0] = vshrq_n_u8(bytes.val[0], 2);
		text.val[1] = vandq_u8(vorrq_u8(vshlq_n_u8(bytes.val[0], 4), vshrq_n_u8(bytes.val[1], 4)), six);
		text.val[2] = vandq_u8(vorrq_u8(vshlq_n_u8(bytes.val[1], 2), vshrq_n_u8(bytes.val[2], 6)), six);
		text.val[3] = vandq_u8(bytes.val[2], six);
		for (int j = 0; j < 4; j++)
			text.val[j] = vqtbl4q_u8(table, text.val[j]);
		vst4q_u8(out + 4 * i, text);
	}
	for (; i < n_groups; i++)
		lw_base64_encode_group(in + 3 * i, out + 4 * i, url);
}

/* Values of characters 0 ... 63 and 64 ... 127, 0xff for those that have none. */
struct decoder {
	uint8x16x4_t low, high;
};

static struct decoder make_decoder(int url)
{
	uint8_t values[128];

	for (int c = 0; c < 128; c++) {
		uint32_t value = lw_base64_value((uint8_t)c, url);

		values[c] = (uint8_t)(value < 64 ? value : 0xff);
	}
	return (struct decoder) { load_table(values), load_table(values + 64) };
}

/*
 * A look-up gives 0 beyond its table, so the two do not disturb each other. Bytes from 0x80 on are beyond both, c - 64
 * too, and come through as they are: more than 63, as those without value.
 */
LW_INLINE uint8x16_t values_of(const struct decoder *d, uint8x16_t text)
{
	uint8x16_t low = vqtbl4q_u8(d->low, text), high = vqtbl4q_u8(d->high, vsubq_u8(text, vdupq_n_u8(64)));

	return vorrq_u8(vorrq_u8(low, high), vandq_u8(text, vdupq_n_u8(0x80)));
}

size_t LW_FN(base64_decode)(const uint8_t *in, size_t n_groups, int url, uint8_t *out)
{
	const struct decoder d = make_decoder(url);
	size_t i = 0;

	for (; n_groups - i >= GROUPS; i += GROUPS) {
		uint8x16x4_t text = vld4q_u8(in + 4 * i);
		uint8x16x3_t bytes;
		uint8x16_t all = vdupq_n_u8(0);

		for (int j = 0; j < 4; j++) {
			text.val[j] = values_of(&d, text.val[j]);
			all = vorrq_u8(all, text.val[j]);
		}
		if (LW_UNLIKELY(vmaxvq_u8(all) > 63))
			break;
		bytes.val[0] = vorrq_u8(vshlq_n_u8(text.val[0], 2), vshrq_n_u8(text.val[1], 4));
		bytes.val[1] = vorrq_u8(vshlq_n_u8(text.val[1], 4), vshrq_n_u8(text.val[2], 2));
		bytes.val[2] = vorrq_u8(vshlq_n_u8(text.val[2], 6), text.val[3]);
		vst3q_u8(out + 3 * i, bytes);
	}
	while (i < n_groups && lw_base64_decode_group(in + 4 * i, out + 3 * i, url))
		i++;
	return i;
}
