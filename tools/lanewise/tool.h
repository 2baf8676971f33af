/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the lanewise command share: its subcommands, errors, messages and memory.
 *
 * A subcommand that cannot go on calls tool_fail, which exits; what must not be left behind is removed by functions
 * registered with atexit. So the code between reads as if nothing went wrong. Only what is also used apart from the
 * command (json, collection_open) returns its errors.
 */
#ifndef LW_TOOL_H
#define LW_TOOL_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TOOL_OK = 0, TOOL_FAILURE = 1, TOOL_USAGE = 2 };

/* Subcommands: arguments as main gets them, argv[0] the subcommand's name; the exit status. */
int tool_index(int argc, char **argv);
int tool_search(int argc, char **argv);
int tool_graph(int argc, char **argv);
int tool_dedup(int argc, char **argv);
int tool_chunk(int argc, char **argv);
int tool_filter(int argc, char **argv);
int tool_classify(int argc, char **argv);
int tool_scan(int argc, char **argv);
int tool_eval(int argc, char **argv);
int tool_json(int argc, char **argv);
int tool_info(int argc, char **argv);
int tool_selftest(int argc, char **argv);

/* ------------------------------------------------------------------ messages */

/* Prints "lanewise: " and the message, in which control characters become '?', to stderr; tool_fail then exits with 1. */
__attribute__((format(printf, 1, 2))) void tool_note(const char *format, ...);
_Noreturn __attribute__((format(printf, 1, 2))) void tool_fail(const char *format, ...);

/* An error in how the command was called: the message, where help is found, exit with 2. */
_Noreturn __attribute__((format(printf, 2, 3))) void tool_fail_usage(const char *command, const char *format, ...);

/*
 * For options of which only one may be given: `*chosen` is the name of the one that was, without its "--", or NULL, and becomes
 * `option`; an error as above if it is another.
 */
void tool_choose(const char *command, const char **chosen, const char *option);

/* A number with commas, "117,659", in `text`, which it returns. */
enum { TOOL_COUNT_BYTES = 32 };
const char *tool_count(char text[TOOL_COUNT_BYTES], uint64_t number);

/* A number of bytes, "180.7 MB". */
const char *tool_bytes(char text[TOOL_COUNT_BYTES], uint64_t bytes);

/* Columns of the terminal behind a stream, 0 if it is none. */
size_t tool_terminal_width(FILE *stream);

/* ----------------------------------------------------------- standard output */

/* Exits if something could not be written, and says why: for whoever would write on and on. */
void tool_check_output(void);

/* Writes what is left and closes it; 0, having said why, if that or what was before could not be written. */
int tool_end_output(void);

/* Whether both are names of one regular file, which would be read while it is written. */
int tool_same_file(const char *a, const char *b);

/* ------------------------------------------------------------------ progress */

/* Shows "<what> 12,345" on a terminal once half a second has passed; cheap enough to call for every document. */
void tool_progress(const char *what, uint64_t done);

/* Removes it. */
void tool_progress_end(void);

/* Seconds of a clock that only goes forward. */
double tool_seconds(void);

/* Exits if a signal has asked for that (set up by tool_catch_signals), after what atexit functions do. */
void tool_catch_signals(void);
void tool_check_signals(void);

/* The signals that are caught. */
void tool_signals(sigset_t *set);

/* ---------------------------------------------------------------------- files */

/*
 * The names in a directory without "." and "..", sorted by their bytes; they and the array are the caller's to free. If not
 * all can be read, those that were, and -1 with errno.
 */
int tool_list_directory(const char *path, char ***names, size_t *n);

/* "directory/name", the caller's to free. */
char *tool_join_path(const char *directory, const char *name);

/* -------------------------------------------------------------------- memory */

/* Never NULL: they fail the command. */
void *tool_allocate(size_t n, size_t element_bytes);
void *tool_reallocate(void *p, size_t n, size_t element_bytes);

/* Bytes that grow. All zeros is an empty one. */
struct buffer {
	char *data;
	size_t n, capacity;
};

/* Room for `n_bytes` more; returns where they go. */
char *buffer_reserve(struct buffer *buffer, size_t n_bytes);
void buffer_append(struct buffer *buffer, const void *data, size_t n_bytes);
void buffer_free(struct buffer *buffer);

#endif
