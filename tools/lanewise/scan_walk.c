/* SPDX-License-Identifier: Apache-2.0 */
/* Which files lanewise scan reads: trees in order of names, without what ignore files and options exclude. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scan.h"

/* A directory under way, with the ignore files in it. */
struct directory {
	const struct directory *up;
	struct ignore_list list;
	size_t path_bytes; /* up to what its entries are called in it */
};

void scan_trouble(struct scan_run *run, const char *path)
{
	tool_note("%s: %s", path, strerror(errno));
	pthread_mutex_lock(&run->mutex);
	run->trouble = 1;
	pthread_mutex_unlock(&run->mutex);
}

void scan_undecided(struct scan_run *run, const char *path, uint64_t n)
{
	tool_note("%s: expressions left %llu places undecided", path, (unsigned long long)n);
	pthread_mutex_lock(&run->mutex);
	run->trouble = 1;
	pthread_mutex_unlock(&run->mutex);
}

static void add_file(struct scan_run *run, const char *path, int named)
{
	size_t n = strlen(path) + 1;

	if (run->n_files == run->files_capacity) {
		run->files_capacity = run->files_capacity ? 2 * run->files_capacity : 256;
		run->files = tool_reallocate(run->files, run->files_capacity, sizeof *run->files);
	}
	run->files[run->n_files] = (struct scan_file) { .path = tool_allocate(n, 1), .named = named };
	memcpy(run->files[run->n_files++].path, path, n);
}

static void read_ignore_file(struct scan_run *run, const char *directory, const char *name, struct ignore_list *list)
{
	char *path = tool_join_path(directory, name);
	struct buffer text = { 0 };

	if (scan_read_file(path, &text))
		ignore_add_lines(list, text.data, text.n);
	else if (errno != ENOENT)
		scan_trouble(run, path);
	buffer_free(&text);
	free(path);
}

static int is_passed_over(const struct scan_run *run, const struct directory *directory, const char *path,
                          int is_directory)
{
	const struct directory *top = directory;

	while (top->up)
		top = top->up;
	if (ignore_decides(&run->exclude, path + top->path_bytes, is_directory) > 0)
		return 1;
	for (; directory; directory = directory->up) {
		int decided = ignore_decides(&directory->list, path + directory->path_bytes, is_directory);

		if (decided >= 0)
			return decided;
	}
	return 0;
}

static void add_directory(struct scan_run *run, const char *path, const struct directory *up)
{
	size_t n, length = strlen(path);
	char **names;
	struct directory directory = { .up = up, .path_bytes = length + !(length && path[length - 1] == '/') };

	if (tool_list_directory(path, &names, &n) != 0)
		scan_trouble(run, path);
	if (!run->no_ignore && run->gitignore)
		read_ignore_file(run, path, ".gitignore", &directory.list);
	if (!run->no_ignore)
		read_ignore_file(run, path, ".lanewiseignore", &directory.list);
	for (size_t i = 0; i < n; i++) {
		if (names[i][0] == '.' && !run->hidden) {
			free(names[i]);
			continue;
		}

		char *entry = tool_join_path(path, names[i]);
		struct stat about;

		free(names[i]);
		tool_check_signals();
		if (lstat(entry, &about) != 0)
			scan_trouble(run, entry);
		else if ((S_ISDIR(about.st_mode) || S_ISREG(about.st_mode)) &&
		         !is_passed_over(run, &directory, entry, S_ISDIR(about.st_mode)))
			S_ISDIR(about.st_mode) ? add_directory(run, entry, &directory) : add_file(run, entry, 0);
		free(entry);
	}
	free(names);
	ignore_free(&directory.list);
}

void scan_add_path(struct scan_run *run, const char *path)
{
	struct stat about;

	if (strcmp(path, "-") == 0)
		add_file(run, path, 1);
	else if (stat(path, &about) != 0)
		scan_trouble(run, path);
	else if (S_ISDIR(about.st_mode))
		add_directory(run, path, NULL);
	else
		add_file(run, path, 1);
}
