/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saved pattern sets as bytes that tests and the fuzz target change, with checksums put right again, and scans with
 * whatever could be opened: under a sanitizer these show whether anything outside is touched.
 */
#ifndef LW_SCAN_IMAGE_H
#define LW_SCAN_IMAGE_H

#include <lanewise/scan.h>

#include "fuzz/memory_file.h"

struct scan_image {
	unsigned char *bytes;
	size_t n_bytes;
};

static inline struct scan_image scan_image_of(const lanewise_scan_set *set)
{
	struct scan_image image = { NULL, lanewise_scan_set_image_size(set) };

	image.bytes = malloc(image.n_bytes);
	if (image.bytes)
		lanewise_scan_set_to_image(set, image.bytes);
	return image;
}

static inline struct lw_file_entry scan_image_section(const struct scan_image *image, size_t i)
{
	struct lw_file_header header;
	struct lw_file_entry entry;

	memcpy(&header, image->bytes, sizeof header);
	memcpy(&entry, image->bytes + header.table_offset + i * sizeof entry, sizeof entry);
	return entry;
}

/*
 * Scans a text with every semantics, whole and in two pieces, in memory of exactly its size; 0 if matches are not in it,
 * out of order, or more than there can be.
 */
static inline int scan_image_is_safe(const lanewise_scan_set *set, const void *text, size_t n, size_t cut)
{
	void *scratch = malloc(lanewise_scan_scratch_size(set));
	unsigned char *copy = malloc(n + (n == 0));
	int safe = copy && scratch;

	memcpy(copy, text, n);
	for (int32_t i = 0; i < 8 && safe; i++) {
		lanewise_scan_options options = { sizeof options, i / 2, i % 2 };
		lanewise_scan *scan = lanewise_scan_begin(set, &options, scratch);
		uint64_t n_found = 0, last = 0;

		for (int piece = 0; piece < 3; piece++) {
			lanewise_match matches[32];
			size_t n_matches;

			if (piece < 2)
				lanewise_scan_feed(scan, copy + (piece ? cut : 0), piece ? n - cut : cut);
			else
				lanewise_scan_finish(scan);
			while (safe && (n_matches = lanewise_scan_next(scan, matches, 32)) > 0)
				for (size_t j = 0; j < n_matches; j++) {
					const lanewise_match *m = &matches[j];

					safe &= m->begin < m->end && m->end <= n && m->end >= last &&
					        m->pattern < lanewise_scan_set_n_patterns(set) &&
					        ++n_found <= n * lanewise_scan_set_n_patterns(set);
					last = m->end;
				}
			safe &= lanewise_scan_safe(scan) <= n;
		}
	}
	free(copy);
	free(scratch);
	return safe;
}

#endif
