/* SPDX-License-Identifier: Apache-2.0 */
/* The command's reader of JSON, for tests that call it without the command. */
#ifndef LW_TEST_TOOL_JSON_H
#define LW_TEST_TOOL_JSON_H

#include "../tools/lanewise/json.c"
#include "../tools/lanewise/jsonl.c"
#include "../tools/lanewise/support.c"
#include "../tools/lanewise/utf8.c"

/* Whether the text, which a NUL byte follows, is JSON. */
static inline int is_json(const char *text, size_t n_bytes)
{
	struct json_reader reader;

	json_begin(&reader, text, n_bytes);

	int good = json_skip(&reader) && json_end(&reader);

	if (good != (reader.error == NULL) || reader.at > n_bytes || reader.error_at > n_bytes)
		abort();
	return good;
}

#endif
