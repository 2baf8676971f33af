/* SPDX-License-Identifier: Apache-2.0 */
/* What the long tests share: numbers from the command line, and work shared out among processes. */
#ifndef LW_WORKERS_H
#define LW_WORKERS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

/* The number behind the option, or `otherwise`; ends the program if there is something else. */
static inline uint64_t number_option(int argc, char **argv, const char *option, uint64_t otherwise)
{
	for (int i = 1; i + 1 < argc; i += 2)
		if (strcmp(argv[i], option) == 0) {
			char *end;
			uint64_t number = strtoull(argv[i + 1], &end, 10);

			if (end == argv[i + 1] || *end) {
				fprintf(stderr, "%s: %s takes a number\n", argv[0], option);
				exit(2);
			}
			return number;
		}
	return otherwise;
}

/* Ends the program if there is an option that is none of these. */
static inline void check_options(int argc, char **argv, const char *const *options, const char *usage)
{
	for (int i = 1; i < argc; i += 2) {
		size_t k = 0;

		while (options[k] && strcmp(argv[i], options[k]) != 0)
			k++;
		if (!options[k] || i + 1 == argc) {
			fprintf(stderr, "%s", usage);
			exit(2);
		}
	}
}

/*
 * Calls work(worker, n_workers, context) in so many processes, worker from 0; the process ends with test_result(). Returns
 * how many failed. Processes, because the tier in use is one for all threads.
 */
static inline int run_workers(int n_workers, void (*work)(int, int, const void *), const void *context)
{
	int n_failed = 0, status;

	fflush(NULL);
	for (int i = 0; i < n_workers; i++) {
		pid_t child = fork();

		if (child < 0) {
			perror("fork");
			return n_workers;
		}
		if (child == 0) {
			work(i, n_workers, context);
			exit(test_result());
		}
	}
	for (int i = 0; i < n_workers; i++) {
		while (wait(&status) < 0 && errno == EINTR)
			;
		n_failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	return n_failed;
}

static inline int default_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 256 ? 256 : (int)n;
}

#endif
