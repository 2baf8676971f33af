/* SPDX-License-Identifier: Apache-2.0 */
/* Documents from files: one per file, one per line, or one per line of JSON; directories are searched for files. */
#ifndef LW_TOOL_DOCUMENTS_H
#define LW_TOOL_DOCUMENTS_H

#include "tool.h"

enum document_format { FORMAT_BY_NAME, FORMAT_TEXT, FORMAT_JSONL };

/* What is valid until the function that gets the document returns. */
struct document {
	const char *id, *text;
	size_t id_bytes, text_bytes;
	const float *vector; /* NULL if the document came without one */
	size_t dim;
	uint32_t file; /* number of its file in the list */
	uint64_t line; /* from 1; 0 if the document is the whole file */
};

typedef void document_sink(void *context, const struct document *document);

/* The files to read, in the order in which they are read, and what was passed over. */
struct document_files {
	struct document_file {
		char *path;
		int named; /* on the command line, so that it is not passed over */
	} *files;
	size_t n_files, capacity;
	uint64_t binary, empty, hidden, links, special;
};

/* Adds a path named on the command line: a file, "-" for standard input, or a directory and all that is in it. */
void documents_find(struct document_files *files, const char *path);

/* Reads all files and hands each document to `sink`. */
void documents_read(struct document_files *files, enum document_format format, int per_line, document_sink *sink,
                    void *context);

/* Where a document came from, "a.jsonl:12", for a message; the text is overwritten by the next call but one. */
const char *documents_place(const struct document_files *files, uint32_t file, uint64_t line);

void documents_free(struct document_files *files);

/*
 * One line of JSON Lines. `id`, `text` and `vector` of the document point into the buffers. Returns NULL, or what is
 * wrong and at which byte of the line.
 */
struct jsonl_buffers {
	struct buffer id, text, vector, key;
};
const char *jsonl_parse(const char *line, size_t n_bytes, struct jsonl_buffers *buffers, struct document *document,
                        size_t *error_at);
void jsonl_free(struct jsonl_buffers *buffers);

#endif
