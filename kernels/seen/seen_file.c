/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lanewise/seen.h remembers, in a file:
 *
 *     seen.header  one struct header
 *     seen.hashes  for sets and windows: the hashes, n u64 or pairs of them; a window's from the oldest, and what a set
 *                  that forgets has in its older table comes before the rest, and may come again in that
 *     seen.bits    for BLOOM: blocks of 512 bits, as u64
 *
 * Hashes are inserted again when a file is read, under a new secret, so a forged file can hold nothing but other hashes.
 * Of a filter only the number of blocks could be wrong, and is the section's size.
 */
#include <inttypes.h>

#include "support.h"

#include "seen_object.h"

struct header {
	uint32_t version;
	int32_t kind;
	uint64_t window, n, limit; /* n and limit for BLOOM */
	uint64_t secret[3];        /* for BLOOM, else 0 */
	uint64_t zero;
};
_Static_assert(sizeof(struct header) == 64, "the header is part of the file format");

enum { VERSION = 1, PART = 1024 };

/* ------------------------------------------------------------------- writing */

struct writing {
	lanewise_file_writer *writer;
	lanewise_error *error;
	uint64_t inverse[3]; /* of the secret */
	size_t words;        /* of a hash */
	uint64_t part[2 * PART];
	size_t n;
};

/* x * odd == 1 modulo 2^64; each step doubles the bits that are right, of which the first has five. */
static uint64_t inverse_of(uint64_t odd)
{
	uint64_t x = 3 * odd ^ 2;

	for (int i = 0; i < 4; i++)
		x *= 2 - odd * x;
	return x;
}

static lanewise_status write_part(struct writing *w)
{
	lanewise_status status = lanewise_file_writer_append(w->writer, w->part, w->n, w->error);

	w->n = 0;
	return status;
}

/* A hash as it was before it was mixed. */
static lanewise_status write_hash(struct writing *w, uint64_t mixed, uint64_t high)
{
	uint64_t m = mixed * w->inverse[2];
	uint64_t *to = w->part + w->words * w->n;

	to[0] = (m ^ m >> 32) * w->inverse[1] ^ w->inverse[0];
	if (w->words == 2)
		to[1] = high;
	return ++w->n == PART ? write_part(w) : LANEWISE_OK;
}

static lanewise_status write_table(struct writing *w, const struct lw_seen_table *table)
{
	size_t per_line = w->words == 2 ? 4 : 8;
	lanewise_status status = table->has_zero ? write_hash(w, 0, 0) : LANEWISE_OK;

	if (!table->words)
		return status;
	for (uint64_t line = 0; line < table->n_lines; line++) {
		const uint64_t *words = table->words + line * LW_SEEN_LINE;

		for (size_t i = 0; !status && i < per_line && (words[i] || (per_line == 4 && words[4 + i])); i++)
			status = write_hash(w, words[i], per_line == 4 ? words[4 + i] : 0);
	}
	return status;
}

static lanewise_status write_hashes(const lanewise_seen *seen, struct writing *w)
{
	lanewise_status status =
	        lanewise_file_writer_section(w->writer, "seen.hashes", w->words * sizeof(uint64_t), w->error);

	if (status == LANEWISE_OK && seen->kind != LANEWISE_SEEN_WINDOW) {
		status = write_table(w, &seen->old);
		if (status == LANEWISE_OK)
			status = write_table(w, &seen->table);
	}
	for (uint64_t i = seen->first; status == LANEWISE_OK && i < seen->end; i++)
		status = write_hash(w, seen->ring[i & (seen->n_ring - 1)], 0);
	return status == LANEWISE_OK ? write_part(w) : status;
}

static lanewise_status write_bits(const lanewise_seen *seen, lanewise_file_writer *writer, lanewise_error *error)
{
	lanewise_status status = lanewise_file_writer_section(writer, "seen.bits", sizeof(uint64_t), error);

	if (status != LANEWISE_OK)
		return status;
	return lanewise_file_writer_append(writer, seen->table.words, (size_t)seen->table.n_lines * LW_SEEN_LINE,
	                                   error);
}

lanewise_status lanewise_seen_write(const lanewise_seen *seen, lanewise_file_writer *writer, lanewise_error *error)
{
	struct header header = { .version = VERSION };
	struct writing w = { .writer = writer, .error = error };
	lanewise_status status;

	if (!seen || !writer)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               seen ? "writer" : "seen");
	header.kind = seen->kind;
	header.window = seen->window;
	if (seen->kind == LANEWISE_SEEN_BLOOM) {
		header.n = seen->table.n;
		header.limit = seen->limit;
		memcpy(header.secret, seen->table.secret, sizeof header.secret);
	}
	status = lanewise_file_writer_section(writer, "seen.header", sizeof header, error);
	if (status == LANEWISE_OK)
		status = lanewise_file_writer_append(writer, &header, 1, error);
	if (status != LANEWISE_OK)
		return status;
	if (seen->kind == LANEWISE_SEEN_BLOOM)
		return write_bits(seen, writer, error);
	w.words = seen->kind == LANEWISE_SEEN_SET128 ? 2 : 1;
	w.inverse[0] = seen->table.secret[0];
	w.inverse[1] = inverse_of(seen->table.secret[1]);
	w.inverse[2] = inverse_of(seen->table.secret[2]);
	return write_hashes(seen, &w);
}

/* ------------------------------------------------------------------- reading */

static lanewise_status read_header(const lanewise_file *file, struct header *header, lanewise_error *error)
{
	const void *elements = NULL;
	size_t n;
	lanewise_status status = lanewise_file_section(file, "seen.header", sizeof *header, &elements, &n, error);

	if (status != LANEWISE_OK)
		return status;

	uint64_t offset = lanewise_file_offset(file, elements);

	if (n != 1)
		return lw_fail(error, LANEWISE_ERROR_DATA, offset, "section seen.header: %zu elements instead of 1", n);
	memcpy(header, elements, sizeof *header);
	if (header->version != VERSION)
		return lw_fail(error, LANEWISE_ERROR_UNSUPPORTED, offset,
		               "section seen.header, version: %" PRIu32 ", this library has %d", header->version,
		               (int)VERSION);
	if (header->kind < LANEWISE_SEEN_SET64 || header->kind > LANEWISE_SEEN_WINDOW || header->zero != 0)
		return lw_fail(error, LANEWISE_ERROR_DATA, offset, "section seen.header: kind %" PRId32, header->kind);
	return LANEWISE_OK;
}

static lanewise_status read_hashes(const lanewise_file *file, lanewise_seen *seen, lanewise_error *error)
{
	size_t words = seen->kind == LANEWISE_SEEN_SET128 ? 2 : 1, n;
	const void *elements = NULL;
	uint64_t duplicates[PART / 64];
	lanewise_status status =
	        lanewise_file_section(file, "seen.hashes", words * sizeof(uint64_t), &elements, &n, error);

	for (size_t i = 0; status == LANEWISE_OK && i < n; i += PART) {
		const uint64_t *part = (const uint64_t *)elements + words * i;
		size_t n_part = n - i < PART ? n - i : PART;

		status = words == 2 ? lanewise_seen_insert_128(seen, (const lanewise_hash128 *)part, n_part, duplicates,
		                                               NULL)
		                    : lanewise_seen_insert_64(seen, part, n_part, duplicates, NULL);
		if (status != LANEWISE_OK)
			return lw_fail(error, status, LANEWISE_NO_OFFSET, "no room for the %zu hashes of the file", n);
	}
	return status;
}

static lanewise_status read_bits(const lanewise_file *file, const struct header *header,
                                 const lanewise_allocator *allocator, lanewise_seen **out, lanewise_error *error)
{
	lanewise_seen_options options = { .struct_size = sizeof options, .kind = LANEWISE_SEEN_BLOOM };
	const void *elements = NULL;
	size_t n;
	lanewise_status status = lanewise_file_section(file, "seen.bits", sizeof(uint64_t), &elements, &n, error);

	if (status != LANEWISE_OK)
		return status;
	if (n == 0 || n % LW_SEEN_LINE != 0)
		return lw_fail(error, LANEWISE_ERROR_DATA, lanewise_file_offset(file, elements),
		               "section seen.bits: %zu elements, which are no blocks of %d", n, (int)LW_SEEN_LINE);
	/* As many blocks, by one hash of 64 bits for every word, which is one more than it needs. */
	options.expected = n - LW_SEEN_LINE;
	options.bits_per_hash = 64;
	options.max_bytes = n * sizeof(uint64_t) >= 4096 ? n * sizeof(uint64_t) : 0;
	options.expected += options.expected == 0;
	status = lanewise_seen_create(&options, allocator, out, error);
	if (status != LANEWISE_OK)
		return status;
	memcpy((*out)->table.words, elements, n * sizeof(uint64_t));
	memcpy((*out)->table.secret, header->secret, sizeof header->secret);
	(*out)->table.n = header->n;
	(*out)->limit = header->limit;
	return LANEWISE_OK;
}

lanewise_status lanewise_seen_open(const lanewise_file *file, const lanewise_seen_options *options,
                                   const lanewise_allocator *allocator, lanewise_seen **seen, lanewise_error *error)
{
	struct header header;
	lanewise_seen_options defaults = { .struct_size = sizeof defaults };
	lanewise_status status;

	if (seen)
		*seen = NULL;
	if (!file || !seen)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "%s is NULL",
		               file ? "seen" : "file");
	status = read_header(file, &header, error);
	if (status != LANEWISE_OK)
		return status;
	defaults.kind = header.kind;
	defaults.window = header.window;
	options = options ? options : &defaults;
	if (options->struct_size == sizeof *options && options->kind != header.kind)
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "kind is %d, the file's is %d",
		               (int)options->kind, (int)header.kind);
	if (header.kind == LANEWISE_SEEN_BLOOM)
		return read_bits(file, &header, allocator, seen, error);
	status = lanewise_seen_create(options, allocator, seen, error);
	if (status == LANEWISE_OK)
		status = read_hashes(file, *seen, error);
	if (status != LANEWISE_OK) {
		lanewise_seen_destroy(*seen);
		*seen = NULL;
	}
	return status;
}
