/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, progress, signals, names of files and memory of the lanewise command. */
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------ messages */

static void print_message(const char *format, va_list arguments)
{
	char text[2048];

	vsnprintf(text, sizeof text, format, arguments);
	/* File names and data are quoted in messages; they must not steer the terminal. */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	tool_progress_end();
	fprintf(stderr, "lanewise: %s\n", text);
}

void tool_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
}

void tool_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	exit(TOOL_FAILURE);
}

void tool_fail_usage(const char *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	fprintf(stderr, "Try 'lanewise %s --help'.\n", command);
	exit(TOOL_USAGE);
}

void tool_choose(const char *command, const char **chosen, const char *option)
{
	if (*chosen && strcmp(*chosen, option) != 0)
		tool_fail_usage(command, "--%s and --%s contradict each other", *chosen, option);
	*chosen = option;
}

const char *tool_count(char text[TOOL_COUNT_BYTES], uint64_t number)
{
	char *p = text + TOOL_COUNT_BYTES - 1;

	*p = '\0';
	for (int digits = 0; number || digits == 0; number /= 10, digits++) {
		if (digits && digits % 3 == 0)
			*--p = ',';
		*--p = (char)('0' + number % 10);
	}
	return memmove(text, p, strlen(p) + 1);
}

const char *tool_bytes(char text[TOOL_COUNT_BYTES], uint64_t bytes)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB", "EB" };
	double size = (double)bytes;
	int unit = 0;

	for (; size >= 1000; size /= 1000)
		unit++;
	snprintf(text, TOOL_COUNT_BYTES, "%.*f %s", unit ? 1 : 0, size, units[unit]);
	return text;
}

size_t tool_terminal_width(FILE *stream)
{
	struct winsize size;

	if (!isatty(fileno(stream)))
		return 0;
	return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

/* ----------------------------------------------------------- standard output */

int tool_end_output(void)
{
	/* What could not be written before fails again here, and says why; errno may have been changed since. */
	if (fflush(stdout) == 0 && !ferror(stdout) && close(STDOUT_FILENO) == 0)
		return 1;
	/* To whoever has closed the pipe there is nothing to say. */
	if (errno != EPIPE)
		tool_note("writing to standard output: %s", strerror(errno));
	return 0;
}

void tool_check_output(void)
{
	if (!ferror(stdout))
		return;
	tool_end_output();
	exit(TOOL_FAILURE);
}

int tool_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* ------------------------------------------------------------------ progress */

double tool_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double progress_next; /* when to show it; 0 before the first call */
static int progress_shown;

void tool_progress(const char *what, uint64_t done)
{
	char count[TOOL_COUNT_BYTES];
	double now = tool_seconds();

	if (progress_next == 0)
		progress_next = now + 0.5;
	if (now < progress_next || !isatty(STDERR_FILENO))
		return;
	progress_next = now + 0.1;
	progress_shown = 1;
	fprintf(stderr, "\r\033[K%s %s", what, tool_count(count, done));
	fflush(stderr);
}

void tool_progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = 0;
	progress_next = 0;
}

/* ------------------------------------------------------------------- signals */

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP };
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof *ending_signals };

static volatile sig_atomic_t caught;

static void catch_signal(int number) { caught = number; }

void tool_catch_signals(void)
{
	struct sigaction action = { .sa_flags = (int)SA_RESETHAND }; /* a second one kills */
	struct sigaction old;

	action.sa_handler = catch_signal;
	for (size_t i = 0; i < ENDING_SIGNALS; i++)
		/* A signal that whoever started us ignores (nohup) stays ignored. */
		if (sigaction(ending_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(ending_signals[i], &action, NULL);
}

void tool_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < ENDING_SIGNALS; i++)
		sigaddset(set, ending_signals[i]);
}

void tool_check_signals(void)
{
	if (!caught)
		return;
	tool_progress_end();
	exit(128 + caught);
}

/* ---------------------------------------------------------------------- files */

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int tool_list_directory(const char *path, char ***names, size_t *n)
{
	size_t capacity = 0;
	DIR *stream = opendir(path);
	struct dirent *entry;
	int error;

	*names = NULL;
	*n = 0;
	if (!stream)
		return -1;
	while ((errno = 0, entry = readdir(stream))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (*n == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			*names = tool_reallocate(*names, capacity, sizeof **names);
		}
		(*names)[*n] = tool_allocate(strlen(name) + 1, 1);
		memcpy((*names)[(*n)++], name, strlen(name) + 1);
	}
	error = errno;
	closedir(stream);
	if (*n)
		qsort(*names, *n, sizeof **names, by_name);
	errno = error;
	return error ? -1 : 0;
}

char *tool_join_path(const char *directory, const char *name)
{
	size_t n = strlen(directory);
	char *path = tool_allocate(n + strlen(name) + 2, 1);

	memcpy(path, directory, n);
	if (n > 0 && directory[n - 1] != '/')
		path[n++] = '/';
	memcpy(path + n, name, strlen(name) + 1);
	return path;
}

/* -------------------------------------------------------------------- memory */

void *tool_reallocate(void *p, size_t n, size_t element_bytes)
{
	void *moved = NULL;

	if (n <= SIZE_MAX / element_bytes)
		moved = realloc(p, n ? n * element_bytes : 1);
	if (!moved)
		tool_fail("out of memory");
	return moved;
}

void *tool_allocate(size_t n, size_t element_bytes) { return tool_reallocate(NULL, n, element_bytes); }

char *buffer_reserve(struct buffer *buffer, size_t n_bytes)
{
	if (n_bytes > SIZE_MAX / 2 || buffer->n > SIZE_MAX / 2 - n_bytes)
		tool_fail("out of memory");
	if (buffer->n + n_bytes > buffer->capacity) {
		size_t doubled = buffer->capacity < SIZE_MAX / 2 ? 2 * buffer->capacity : SIZE_MAX / 2;
		size_t needed = buffer->n + n_bytes;

		buffer->capacity = needed > doubled ? needed : doubled;
		buffer->data = tool_reallocate(buffer->data, buffer->capacity, 1);
	}
	return buffer->data + buffer->n;
}

void buffer_append(struct buffer *buffer, const void *data, size_t n_bytes)
{
	if (n_bytes == 0)
		return;
	memcpy(buffer_reserve(buffer, n_bytes), data, n_bytes);
	buffer->n += n_bytes;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer) { 0 };
}
