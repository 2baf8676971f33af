/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of a lanewise file, version 1, which file.c reads and file_writer.c writes.
 *
 *     header          64 bytes
 *     sections        one after the other, each beginning at a multiple of 64: its elements, then zeros up to the
 *                     next multiple of 64 (none if it ends on one)
 *     section table   64 bytes per section, in the order of the sections; the file ends with it
 *
 * The table comes last because the sections are streamed: what is known only at the end is written at the end, and
 * then the header over the 64 zeros that kept its place. Numbers have the byte order of the machine that wrote them,
 * as the sections have; the header says which.
 *
 * Header
 *      0  magic           8 bytes 89 4c 57 46 0d 0a 1a 0a: no text file begins so, and a transfer that rewrites line
 *                         ends or clears the eighth bit destroys it
 *      8  format version  u32, 1
 *     12  byte order      u32, 0x01020304
 *     16  file size       u64, in bytes
 *     24  table offset    u64, which is file size - 64 * section count
 *     32  section count   u32, at most 1024
 *     36  zero            4 bytes
 *     40  table checksum  u64, XXH3-64 of the whole section table
 *     48  zero            8 bytes
 *     56  header checksum u64, XXH3-64 of bytes 0 to 55
 *
 * Table entry
 *      0  name            16 bytes: 1 to 15 of printable ASCII, then zeros
 *     16  offset          u64, from the beginning of the file: 64 for the first section, for the others where the
 *                         padding of the one before ends
 *     24  elements        u64, their number
 *     32  element bytes   u32, at least 1
 *     36  zero            4 bytes
 *     40  checksum        u64, of the section with its padding, see below
 *     48  zero            16 bytes
 *
 * A section's checksum is made from the XXH3-64 hashes of its blocks of 1 MiB (the last may be shorter, and a section
 * of no elements has no block): c = 0, then for each block in order c = XXH3-64 of the 16 bytes {c, hash of the block}.
 * So a writer needs one block of memory, and a reader may hash blocks in any order or in parallel.
 *
 * Each byte of the file is thus under exactly one of: header checksum, the header checksum itself, table checksum,
 * section checksum. Offsets could be left out, as they follow from the sizes; they are there to be compared.
 */
#ifndef LW_FILE_FORMAT_H
#define LW_FILE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include <lanewise/file.h>
#include <lanewise/hash.h>

enum { LW_FILE_VERSION = 1, LW_FILE_BYTE_ORDER = 0x01020304, LW_FILE_ALIGNMENT = 64, LW_FILE_BLOCK = 1 << 20 };

static const unsigned char LW_FILE_MAGIC[8] = { 0x89, 'L', 'W', 'F', '\r', '\n', 0x1a, '\n' };

struct lw_file_header {
	unsigned char magic[8];
	uint32_t version, byte_order;
	uint64_t file_size, table_offset;
	uint32_t n_sections, zero;
	uint64_t table_checksum, zero2, header_checksum;
};

struct lw_file_entry {
	char name[LANEWISE_FILE_NAME_BYTES];
	uint64_t offset, n;
	uint32_t element_bytes, zero;
	uint64_t checksum, zero2[2];
};

_Static_assert(sizeof(struct lw_file_header) == 64 && offsetof(struct lw_file_header, header_checksum) == 56, "layout");
_Static_assert(sizeof(struct lw_file_entry) == 64 && offsetof(struct lw_file_entry, checksum) == 40, "layout");

/* Reports that a system call failed with this errno. */
lanewise_status lanewise_file_system_error(lanewise_error *error, const char *call, int number);

/* A section of a file that is made in memory (file_image.c): its name, of 1 to 15 characters, and elements. */
struct lw_file_part {
	const char *name;
	size_t element_bytes, n;
	const void *elements;
};

size_t lanewise_file_image_size(const struct lw_file_part *parts, size_t n_parts);
void lanewise_file_image_write(const struct lw_file_part *parts, size_t n_parts, unsigned char *image);

/* The checksum of a section after one more block. */
static inline uint64_t lw_file_fold(uint64_t checksum, const void *block, size_t n_bytes)
{
	uint64_t pair[2] = { checksum, lanewise_xxh3_64(block, n_bytes, 0) };

	return lanewise_xxh3_64(pair, sizeof pair, 0);
}

/* Whether checksums were compared when the file was opened: then its reader can afford to go through all elements. */
int lanewise_file_is_verified(const lanewise_file *file);

#endif
