/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds a fuzz target every file of a corpus directory, and every front part of it in a few steps, then random bytes:
 * what a compiler without libFuzzer can do. Usage: fuzz_replay_<family> [DIRECTORY]
 */
#include <dirent.h>
#include <errno.h>

#include "fuzz.h"
#include "test.h"

enum { MAX_FILE = 1 << 20, RANDOM_INPUTS = 300 };

static uint8_t buffer[MAX_FILE];

/* The target gets memory of its own size, so that a sanitizer sees reads beyond it. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_allocate(size);

	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int replay_file(const char *directory, const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", directory, name);

	FILE *file = fopen(path, "rb");

	if (!file) {
		fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
		return 1;
	}
	size_t size = fread(buffer, 1, sizeof buffer, file);

	fclose(file);
	for (size_t part = 1; part <= 4; part++)
		feed(buffer, size * part / 4);
	return 0;
}

static int replay_directory(const char *path, unsigned long *n_files)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int failed = 0;

	if (!directory) {
		fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.') {
			failed |= replay_file(path, entry->d_name);
			++*n_files;
		}
	closedir(directory);
	return failed;
}

int main(int argc, char **argv)
{
	unsigned long n_files = 0;
	uint64_t state = 1;

	for (int i = 1; i < argc; i++)
		if (replay_directory(argv[i], &n_files) != 0)
			return 1;
	for (int i = 0; i < RANDOM_INPUTS; i++) {
		size_t size = (size_t)(test_random(&state) % 2000);

		for (size_t j = 0; j < size; j++)
			buffer[j] = (uint8_t)(test_random(&state) >> 11);
		feed(buffer, size);
	}
	printf("%lu files and %d random inputs, no failure\n", n_files, RANDOM_INPUTS);
	return 0;
}
