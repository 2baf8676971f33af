/* SPDX-License-Identifier: Apache-2.0 */
/* A lanewise file made in memory, when all its sections are at hand: the bytes that the writer would write. */
#include <string.h>

#include "file_format.h"

static size_t padded(size_t n_bytes)
{
	return (n_bytes + LW_FILE_ALIGNMENT - 1) / LW_FILE_ALIGNMENT * LW_FILE_ALIGNMENT;
}

size_t lanewise_file_image_size(const struct lw_file_part *parts, size_t n_parts)
{
	size_t n_bytes = sizeof(struct lw_file_header) + n_parts * sizeof(struct lw_file_entry);

	for (size_t i = 0; i < n_parts; i++)
		n_bytes += padded(parts[i].n * parts[i].element_bytes);
	return n_bytes;
}

/* Writes a section where the table entry says. */
static void put_part(const struct lw_file_part *part, struct lw_file_entry *entry, unsigned char *image)
{
	size_t n_bytes = part->n * part->element_bytes, n_padded = padded(n_bytes);
	unsigned char *section = image + entry->offset;

	if (n_bytes)
		memcpy(section, part->elements, n_bytes);
	memset(section + n_bytes, 0, n_padded - n_bytes);
	for (size_t at = 0; at < n_padded; at += LW_FILE_BLOCK)
		entry->checksum = lw_file_fold(entry->checksum, section + at,
		                               n_padded - at < LW_FILE_BLOCK ? n_padded - at : LW_FILE_BLOCK);
}

void lanewise_file_image_write(const struct lw_file_part *parts, size_t n_parts, unsigned char *image)
{
	size_t n_bytes = lanewise_file_image_size(parts, n_parts), table_bytes = n_parts * sizeof(struct lw_file_entry);
	struct lw_file_header header = { .version = LW_FILE_VERSION,
		                         .byte_order = LW_FILE_BYTE_ORDER,
		                         .file_size = n_bytes,
		                         .table_offset = n_bytes - table_bytes,
		                         .n_sections = (uint32_t)n_parts };
	unsigned char *table = image + header.table_offset;
	size_t at = sizeof header;

	for (size_t i = 0; i < n_parts; i++) {
		struct lw_file_entry entry = { .offset = at,
			                       .n = parts[i].n,
			                       .element_bytes = (uint32_t)parts[i].element_bytes };

		memcpy(entry.name, parts[i].name, strlen(parts[i].name));
		put_part(&parts[i], &entry, image);
		memcpy(table + i * sizeof entry, &entry, sizeof entry);
		at += padded(parts[i].n * parts[i].element_bytes);
	}
	memcpy(header.magic, LW_FILE_MAGIC, sizeof header.magic);
	header.table_checksum = lanewise_xxh3_64(table, table_bytes, 0);
	header.header_checksum = lanewise_xxh3_64(&header, offsetof(struct lw_file_header, header_checksum), 0);
	memcpy(image, &header, sizeof header);
}
