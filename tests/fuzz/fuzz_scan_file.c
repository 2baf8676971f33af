/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved pattern sets with changes in their sections and the checksums put right: they are refused by section and place,
 * or scans with them stay where they may. The first byte chooses a set, then come changes of six bytes each, as many as the
 * second byte says; the rest is the text.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "fuzz.h"

#include "../scan_image.h"
#include "scan/scan_walk.h"

enum { SETS = 4, SECTIONS = 16, MAX_TEXT = 2 * LW_SCAN_BLOCK /* scan_walk reads half */, MANY = 100, LONG = 100 };

static lanewise_scan_set *create(const lanewise_pattern *patterns, size_t n, int ignore_case)
{
	lanewise_scan_set_options options = { sizeof options, ignore_case };
	lanewise_scan_set *set = NULL;

	FUZZ_REQUIRE(lanewise_scan_set_create(patterns, n, &options, NULL, &set, NULL) == LANEWISE_OK);
	return set;
}

/* So many states of 256 classes that the set is compact: patterns of any bytes, the last ones alike but at the end. */
static lanewise_scan_set *create_large(void)
{
	static unsigned char bytes[MANY][LONG];
	lanewise_pattern patterns[MANY];
	uint32_t x = 1;

	for (size_t i = 0; i < MANY; i++) {
		for (size_t j = 0; j < LONG; j++)
			bytes[i][j] = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
		if (i > MANY - 8)
			memcpy(bytes[i], bytes[i - 1], LONG - 2);
		patterns[i] = (lanewise_pattern) { bytes[i], LONG - i % 3 };
	}
	return create(patterns, MANY, 0);
}

static struct scan_image make_image(int number)
{
	static const lanewise_pattern few[] = { { "e", 1 }, { "tea", 3 }, { "te", 2 }, { "at", 2 } };
	static const lanewise_pattern rare[] = { { "Qxyz", 4 }, { "zqkv!", 5 }, { "qx", 2 }, { "yzyz", 4 } };
	lanewise_scan_set *set = number == 3   ? create_large()
	                         : number == 2 ? create(rare + 3, 1, 0)
	                                       : create(number ? rare : few, 4, number);
	struct scan_image image = scan_image_of(set);

	FUZZ_REQUIRE(image.bytes != NULL);
	lanewise_scan_set_destroy(set);
	return image;
}

/* In a section, from its beginning or end: a byte, or a word that becomes another one of the section, or a little more. */
static void change(const struct scan_image *image, struct fuzz_input *in)
{
	uint8_t what = fuzz_u8(in);
	size_t at = fuzz_u16(in), from = fuzz_u16(in);
	uint8_t value = fuzz_u8(in);
	struct lw_file_entry entry = scan_image_section(image, what % SECTIONS);
	size_t n_bytes = (size_t)entry.n * entry.element_bytes, n_words = n_bytes / 4;
	unsigned char *section = image->bytes + entry.offset;
	uint32_t word;

	if (n_words == 0)
		return;
	if (what & 0x80) {
		section[at % n_bytes] = value;
		return;
	}
	at = what & 0x40 ? n_words - 1 - at % n_words : at % n_words;
	from = what & 0x20 ? n_words - 1 - from % n_words : from % n_words;
	memcpy(&word, section + 4 * from, sizeof word);
	word += (uint32_t)(int8_t)value;
	memcpy(section + 4 * at, &word, sizeof word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scan_image originals[SETS];
	struct fuzz_input in = { data, size };
	int number = fuzz_u8(&in) % SETS, n_changes = fuzz_u8(&in) % 32;
	lanewise_scan_set *set = NULL;
	lanewise_error error = { .offset = UINT64_MAX };

	if (!originals[number].bytes)
		originals[number] = make_image(number);

	struct scan_image image = { fuzz_allocate(originals[number].n_bytes), originals[number].n_bytes };

	memcpy(image.bytes, originals[number].bytes, image.n_bytes);
	for (int i = 0; i < n_changes; i++)
		change(&image, &in);
	repair_file(image.bytes, image.n_bytes);

	lanewise_status status = lanewise_scan_set_from_image(image.bytes, image.n_bytes, NULL, &set, &error);

	if (status == LANEWISE_OK) {
		unsigned char text[MAX_TEXT];
		size_t n = 0;

		for (; n < MAX_TEXT && in.size > 0; n++)
			text[n] = in.data[n % in.size];
		lanewise_tier best = lanewise_active_tier();

		for (lanewise_tier tier = 0; tier < lanewise_tier_count(); tier++)
			if (lanewise_set_tier(tier) == LANEWISE_OK)
				FUZZ_REQUIRE(scan_image_is_safe(set, text, n, n / 2));
		lanewise_set_tier(best);
	} else {
		FUZZ_REQUIRE(!set && (status == LANEWISE_ERROR_DATA || status == LANEWISE_ERROR_UNSUPPORTED));
		FUZZ_REQUIRE(error.status == status && error.offset < image.n_bytes && strstr(error.what, "scan."));
	}
	lanewise_scan_set_destroy(set);
	free(image.bytes);
	return 0;
}
