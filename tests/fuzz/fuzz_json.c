/* SPDX-License-Identifier: Apache-2.0 */
/* The command's reader of JSON on any bytes, as a value and as a document; errors lie in the text or at its end. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>
#include <string.h>

#include "../tool_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
	char *text = malloc(n_bytes + 1); /* the reader wants a NUL after the text */
	struct jsonl_buffers buffers = { 0 };
	struct document document = { 0 };
	size_t error_at;

	if (!text)
		abort();
	if (n_bytes)
		memcpy(text, data, n_bytes);
	text[n_bytes] = '\0';

	int valid = is_json(text, n_bytes);
	const char *error = jsonl_parse(text, n_bytes, &buffers, &document, &error_at);

	if (error ? error_at > n_bytes : !valid || !document.id_bytes || (document.vector && !document.dim))
		abort();
	if (!error && (utf8_invalid_at(document.id, document.id_bytes) < document.id_bytes ||
	               utf8_invalid_at(document.text, document.text_bytes) < document.text_bytes))
		abort();
	jsonl_free(&buffers);
	free(text);
	return 0;
}
