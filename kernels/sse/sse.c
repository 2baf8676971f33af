/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-sent events. A line that lies in one piece is read where it is; otherwise its parts are gathered behind the data
 * of the event under way. The next LF and, before it, the next CR are looked for by memchr and remembered, so that neither
 * is looked for twice in the same bytes.
 */
#include "sse_state.h"

#include "common.h"

size_t lanewise_sse_scratch_size(size_t n_bytes)
{
	return n_bytes > SIZE_MAX - sizeof(struct lanewise_sse) ? SIZE_MAX : sizeof(struct lanewise_sse) + n_bytes;
}

lanewise_sse *lanewise_sse_begin(void *scratch, size_t n_scratch)
{
	lanewise_sse *sse = scratch;

	if (!scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT || n_scratch < sizeof *sse)
		return NULL;
	memset(sse, 0, sizeof *sse);
	sse->retry_ms = -1;
	sse->capacity = n_scratch - sizeof *sse;
	return sse;
}

void lanewise_sse_feed(lanewise_sse *sse, const void *bytes, size_t n_bytes)
{
	sse->at = bytes;
	sse->end = n_bytes ? sse->at + n_bytes : sse->at;
	sse->lf = sse->cr = NULL;
}

/* ------------------------------------------------------------------ fields */

static void keep_name(lanewise_sse *sse, struct name *name, const char *value, size_t n)
{
	if (n > LANEWISE_SSE_NAME_BYTES) {
		sse->failed = LANEWISE_ERROR_CAPACITY;
		return;
	}
	if (n)
		memcpy(name->text, value, n);
	name->text[n] = '\0';
	name->n = n;
}

/* There is room: the line it comes from would have fitted. It may lie in the buffer, where it is to go. */
static void append_data(lanewise_sse *sse, const char *value, size_t n)
{
	memmove(sse->buffer + sse->n_data, value, n);
	sse->n_data += n;
	sse->buffer[sse->n_data++] = '\n';
}

static void set_retry(lanewise_sse *sse, const char *value, size_t n)
{
	int64_t retry_ms = 0;

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)(value[i] - '0') > 9)
			return;
		if (retry_ms < INT64_MAX / 100) /* beyond, it stays what it is: longer than anyone waits */
			retry_ms = 10 * retry_ms + (value[i] - '0');
	}
	if (n)
		sse->retry_ms = retry_ms;
}

static int is_field(const char *line, size_t n, const char *name)
{
	return strlen(name) == n && !memcmp(line, name, n);
}

static void read_line(lanewise_sse *sse, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n), *value = colon ? colon + 1 : line + n;
	size_t n_name = colon ? (size_t)(colon - line) : n, n_value;

	if (value < line + n && *value == ' ')
		value++;
	n_value = (size_t)(line + n - value);
	if (is_field(line, n_name, "data"))
		append_data(sse, value, n_value);
	else if (is_field(line, n_name, "event"))
		keep_name(sse, &sse->type, value, n_value);
	else if (is_field(line, n_name, "id") && !memchr(value, '\0', n_value))
		keep_name(sse, &sse->id, value, n_value);
	else if (is_field(line, n_name, "retry"))
		set_retry(sse, value, n_value);
}

/* ------------------------------------------------------------------- lines */

/* Bytes of a line that goes on behind the piece, or that began before it. */
static void keep_part(lanewise_sse *sse, const char *part, size_t n)
{
	if (n == 0 || sse->is_comment)
		return;
	if (sse->n_line == 0 && *part == ':') {
		sse->is_comment = 1;
		return;
	}
	if (sse->capacity - sse->n_data - sse->n_line < n) {
		sse->failed = LANEWISE_ERROR_CAPACITY;
		return;
	}
	memcpy(sse->buffer + sse->n_data + sse->n_line, part, n);
	sse->n_line += n;
}

static const char *find(const char *known, const char *at, const char *end, char c)
{
	if (known && known >= at)
		return known;

	const char *found = memchr(at, c, (size_t)(end - at));

	return found ? found : end;
}

/* A line has ended with these bytes; 1 if it was the empty one behind an event. */
static int end_line(lanewise_sse *sse, const char *part, size_t n)
{
	if (sse->n_line || sse->is_comment) {
		keep_part(sse, part, n);
		if (!sse->is_comment && !sse->failed)
			read_line(sse, sse->buffer + sse->n_data, sse->n_line);
		sse->n_line = 0;
		sse->is_comment = 0;
		return 0;
	}
	if (n) {
		if (*part == ':')
			return 0;
		if (n > sse->capacity - sse->n_data) /* though it needs no room here: in pieces it would */
			sse->failed = LANEWISE_ERROR_CAPACITY;
		else
			read_line(sse, part, n);
		return 0;
	}
	if (sse->n_data)
		return 1;
	sse->type.n = 0;
	return 0;
}

/* Passes over a byte order mark, or gives its first bytes back to the line where it turns out to be none. */
static void skip_mark(lanewise_sse *sse)
{
	static const char mark[3] = { '\xef', '\xbb', '\xbf' };

	while (sse->n_seen < 3 && sse->at < sse->end) {
		if (*sse->at != mark[sse->n_seen]) {
			keep_part(sse, mark, sse->n_seen);
			sse->n_seen = 3;
			return;
		}
		sse->n_seen++;
		sse->at++;
	}
}

/* Goes on to the end of a line; 1 if there is an event. */
static int next_line(lanewise_sse *sse)
{
	if (sse->after_cr) {
		sse->after_cr = 0;
		if (*sse->at == '\n') {
			sse->at++;
			return 0;
		}
	}
	sse->lf = find(sse->lf, sse->at, sse->end, '\n');
	sse->cr = find(sse->cr, sse->at, sse->lf, '\r');

	const char *begin = sse->at, *stop = sse->cr;

	if (stop == sse->end) {
		sse->at = sse->end;
		keep_part(sse, begin, (size_t)(stop - begin));
		return 0;
	}
	sse->after_cr = *stop == '\r';
	sse->at = stop + 1;
	return end_line(sse, begin, (size_t)(stop - begin));
}

static void give(lanewise_sse *sse, lanewise_sse_event *event)
{
	if (sse->type.n == 0)
		memcpy(sse->type.text, "message", sizeof "message");
	event->data = sse->buffer;
	event->n_data = sse->n_data - 1; /* without the LF behind the last line */
	event->type = sse->type.text;
	event->n_type = sse->type.n ? sse->type.n : strlen("message");
	event->id = sse->id.text;
	event->n_id = sse->id.n;
	event->retry_ms = sse->retry_ms;
	sse->is_given = 1;
}

int32_t lanewise_sse_next(lanewise_sse *sse, lanewise_sse_event *event)
{
	lw_sse_clear_given(sse);
	skip_mark(sse);
	while (sse->at < sse->end && !sse->failed)
		if (next_line(sse)) {
			give(sse, event);
			return 1;
		}
	return sse->failed;
}
