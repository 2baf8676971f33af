/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `lanewise scan` share. */
#ifndef LW_TOOL_SCAN_H
#define LW_TOOL_SCAN_H

#include <pthread.h>

#include <lanewise/scan.h>
#include <lanewise/secrets.h>

#include "ignore.h"
#include "tool.h"

/* A file to be scanned, or - for standard input, and what is to be printed of it before its turn. */
struct scan_file {
	char *path, *output;
	size_t n_output;
	int named, done;
};

/* Everything about one call. Threads only read it but for what the mutex guards. */
struct scan_run {
	const char *patterns_path, *rules_path, *baseline_path;
	int secrets_mode, check, mask, redact, entropy, ignore_case, word, count, json, fingerprints;
	int hidden, binary, no_ignore, gitignore;
	uint32_t n_threads;
	struct ignore_list exclude;

	lanewise_secrets *secrets;
	lanewise_scan_set *set;
	lanewise_pattern *patterns;
	size_t n_kinds, scratch_bytes;
	struct buffer pattern_text;
	uint64_t *known; /* fingerprints, sorted */
	size_t n_known, known_capacity;

	struct scan_file *files;
	size_t n_files, files_capacity;

	pthread_mutex_t mutex;
	pthread_cond_t turned;
	size_t next_file, turn; /* the next to be scanned, and to be printed */
	uint64_t *counts;       /* by rule or pattern */
	int any, trouble;
};

/* The file, with all of it in `text`; 0, and errno, if it cannot be read. */
int scan_read_file(const char *path, struct buffer *text);

/* Says that something of this name could not be read, by errno. */
void scan_trouble(struct scan_run *run, const char *path);

/* Says that the rules' expressions could not decide so many candidates. */
void scan_undecided(struct scan_run *run, const char *path, uint64_t n);

/* Adds a path that was named to the files: itself, or all that is below it and not passed over. */
void scan_add_path(struct scan_run *run, const char *path);

/* Scans all files and prints what is found, in their order. */
void scan_all(struct scan_run *run);

#endif
