/* SPDX-License-Identifier: Apache-2.0 */
#include "lines_ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lanewise/dedup.h>

#ifndef LINES_PART_BYTES /* tests have fewer */
#define LINES_PART_BYTES (128 << 10)
#endif

enum {
	PARTS = 8,
	PART_BYTES = LINES_PART_BYTES, /* read at a time */
	MOST_ENDS = PART_BYTES + 64    /* of lines in them; what finds ends wants 64 more */
};

struct part {
	struct lines_part lines;
	struct buffer text; /* the lines, then the begin of one that goes to the next part */
	size_t n_lines_bytes;
	uint32_t *ends;
	uint64_t *hash;
};

struct lines_ahead {
	struct lines *lines;
	int descriptor;
	pthread_t thread;
	sigset_t signals; /* of the thread that began it, before that */

	pthread_mutex_t mutex;
	pthread_cond_t filled, emptied;
	uint64_t n_filled, n_emptied; /* part number i is in place i % PARTS */
	int is_given, has_ended, is_stopped;

	int at_end;       /* of the input */
	const char *tail; /* what was read behind the lines of the parts */
	size_t n_tail;
	struct part parts[PARTS];
};

static struct part *part_at(struct lines_ahead *a, uint64_t i) { return &a->parts[i % PARTS]; }

/* ------------------------------------------------------------ in the thread */

/* Waits for an empty part; 0 if nobody wants more. When all are full it sleeps until half of them are not. */
static int wait_for_empty(struct lines_ahead *a)
{
	int goes_on;

	pthread_mutex_lock(&a->mutex);
	while (a->n_filled - a->n_emptied == PARTS && !a->is_stopped)
		pthread_cond_wait(&a->emptied, &a->mutex);
	goes_on = !a->is_stopped;
	pthread_mutex_unlock(&a->mutex);
	return goes_on;
}

/* Returns how many parts wait. */
static uint64_t hand_out(struct lines_ahead *a, int has_ended)
{
	uint64_t n;

	pthread_mutex_lock(&a->mutex);
	a->n_filled += !has_ended;
	a->has_ended = has_ended;
	n = a->n_filled - a->n_emptied;
	pthread_cond_signal(&a->filled);
	pthread_mutex_unlock(&a->mutex);
	return n;
}

/* Reads until there is a line, which is found and hashed with those that came with it; 0 if there is none. */
static int fill(struct lines_ahead *a, struct part *part)
{
	size_t n_ends = 0, searched;
	ssize_t n;

	while (n_ends == 0) {
		char *to = buffer_reserve(&part->text, PART_BYTES + LINES_SLACK);

		n = read(a->descriptor, to, PART_BYTES);
		a->at_end = n == 0;
		if (n <= 0)
			return 0;
		searched = part->text.n;
		part->text.n += (size_t)n;
		lanewise_line_ends(to, (size_t)n, (uint32_t)searched, part->ends, MOST_ENDS, &n_ends);
		if ((n_ends ? part->ends[0] : part->text.n) > LINES_LONGEST)
			return 0;
	}
	part->n_lines_bytes = (size_t)part->ends[n_ends - 1] + 1;
	lines_hash(a->lines, part->text.data, 0, part->ends, n_ends, part->hash);
	part->lines = (struct lines_part) { part->text.data, part->ends, part->hash, n_ends };
	return 1;
}

static void *read_ahead(void *context)
{
	struct lines_ahead *a = context;

	for (uint64_t i = 0; wait_for_empty(a); i++) {
		struct part *part = part_at(a, i);

		part->text.n = 0;
		buffer_append(&part->text, a->tail, a->n_tail);
		if (!fill(a, part)) {
			a->tail = part->text.data;
			a->n_tail = part->text.n;
			break;
		}
		a->tail = part->text.data + part->n_lines_bytes;
		a->n_tail = part->text.n - part->n_lines_bytes;
		/* Whoever has less to do takes memory: otherwise the one who decides gets it as it goes. */
		if (hand_out(a, 0) > PARTS / 2)
			lines_prepare(a->lines);
	}
	hand_out(a, 1);
	return NULL;
}

/* -------------------------------------------------------- in the one that asks */

/* Signals that end the command: with them blocked here the thread gets them, whose read they interrupt. */
static void leave_signals_to_thread(struct lines_ahead *a)
{
	sigset_t set;

	tool_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, &a->signals);
}

static void free_ahead(struct lines_ahead *a)
{
	for (int i = 0; i < PARTS; i++) {
		buffer_free(&a->parts[i].text);
		free(a->parts[i].ends);
		free(a->parts[i].hash);
	}
	pthread_mutex_destroy(&a->mutex);
	pthread_cond_destroy(&a->filled);
	pthread_cond_destroy(&a->emptied);
	free(a);
}

struct lines_ahead *lines_ahead_begin(struct lines *lines, int descriptor, const char *tail, size_t n_tail)
{
	struct lines_ahead *a = tool_allocate(1, sizeof *a);

	memset(a, 0, sizeof *a);
	a->lines = lines;
	a->descriptor = descriptor;
	pthread_mutex_init(&a->mutex, NULL);
	pthread_cond_init(&a->filled, NULL);
	pthread_cond_init(&a->emptied, NULL);
	for (int i = 0; i < PARTS; i++) {
		a->parts[i].ends = tool_allocate(MOST_ENDS, sizeof(uint32_t));
		a->parts[i].hash = tool_allocate(MOST_ENDS, LINES_HASH_WORDS * sizeof(uint64_t));
	}
	/* As the tail of a part before the first. */
	buffer_append(&a->parts[PARTS - 1].text, tail, n_tail);
	a->tail = a->parts[PARTS - 1].text.data;
	a->n_tail = n_tail;
	if (pthread_create(&a->thread, NULL, read_ahead, a) != 0) {
		free_ahead(a);
		return NULL;
	}
	leave_signals_to_thread(a);
	return a;
}

const struct lines_part *lines_ahead_next(struct lines_ahead *a)
{
	const struct lines_part *part = NULL;

	pthread_mutex_lock(&a->mutex);
	if (a->is_given)
		a->n_emptied++;
	if (a->n_filled - a->n_emptied == PARTS / 2)
		pthread_cond_signal(&a->emptied);
	while (a->n_filled == a->n_emptied && !a->has_ended)
		pthread_cond_wait(&a->filled, &a->mutex);
	a->is_given = a->n_filled > a->n_emptied;
	if (a->is_given)
		part = &part_at(a, a->n_emptied)->lines;
	pthread_mutex_unlock(&a->mutex);
	return part;
}

int lines_ahead_end(struct lines_ahead *a, struct buffer *rest)
{
	int at_end;

	pthread_mutex_lock(&a->mutex);
	a->is_stopped = 1;
	a->n_emptied += (uint64_t)a->is_given;
	pthread_cond_signal(&a->emptied);
	pthread_mutex_unlock(&a->mutex);
	pthread_join(a->thread, NULL);
	pthread_sigmask(SIG_SETMASK, &a->signals, NULL);
	at_end = a->at_end;
	for (; a->n_emptied < a->n_filled; a->n_emptied++) {
		const struct part *part = part_at(a, a->n_emptied);

		buffer_append(rest, part->text.data, part->n_lines_bytes);
	}
	buffer_append(rest, a->tail, a->n_tail);
	free_ahead(a);
	return at_end;
}
