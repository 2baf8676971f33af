/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command's reader of JSON on the files of JSONTestSuite (by Nicolas Seriot): those whose names begin with y_ are
 * JSON, those with n_ are not, those with i_ may be either. Their place is LANEWISE_SHARED_DATA or ../shared/data beside
 * the source tree; without them this test is skipped.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <stdlib.h>

#include "test.h"
#include "tool_json.h"

static char *read_text(const char *path, size_t *n_bytes)
{
	FILE *stream = fopen(path, "rb");
	struct buffer text = { 0 };

	CHECK(stream != NULL);
	text.n = stream ? fread(buffer_reserve(&text, 1 << 20), 1, 1 << 20, stream) : 0;
	if (stream)
		fclose(stream);
	*buffer_reserve(&text, 1) = '\0';
	*n_bytes = text.n;
	return text.data;
}

static void test_file(const char *directory, const char *name)
{
	char path[4096];
	size_t n_bytes;

	snprintf(path, sizeof path, "%s/%s", directory, name);

	char *text = read_text(path, &n_bytes);
	int expected = name[0] == 'y', found = is_json(text, n_bytes);

	if (name[0] != 'i' && !CHECK(found == expected))
		fprintf(stderr, "%s\n", name);
	free(text);
}

static DIR *open_suite(char *directory, size_t n_bytes)
{
	const char *data = getenv("LANEWISE_SHARED_DATA");

	snprintf(directory, n_bytes, "%s/JSONTestSuite/test_parsing", data ? data : LW_TEST_DATA);
	return opendir(directory);
}

int main(void)
{
	char directory[2048];
	DIR *suite = open_suite(directory, sizeof directory);
	int n = 0;

	if (!suite) {
		printf("skipped: there is no %s\n", directory);
		return 77;
	}
	for (struct dirent *entry; (entry = readdir(suite));)
		if (strlen(entry->d_name) > 2 && entry->d_name[1] == '_' && strchr("yni", entry->d_name[0])) {
			test_file(directory, entry->d_name);
			n++;
		}
	closedir(suite);
	CHECK(n > 300);
	return test_result();
}
