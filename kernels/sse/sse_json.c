/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of JSON in server-sent events.
 *
 * The last few different shapes of data are kept as patterns: the text, its tree, and which strings and numbers differ
 * from event to event ("holes"). An event that has the same bytes between its holes and a valid string or number in
 * each has the same tree, so paths lead to the same nodes and nothing else needs to be looked at. Where an event lies in
 * the piece as a whole, with LF as its line ends, its frame is compared in the same way, and its bytes are never copied.
 * Anything else is read and parsed in full, and becomes a pattern.
 *
 * Most events differ from the one before in a single string. They have a way of their own, with nothing else in it than the
 * comparison of what is before and behind that string. What a piece ends with, if it is the beginning of such an event, is
 * kept and compared again when the next piece has brought the rest.
 */
#include "common.h"
#include "sse_state.h"
#include "support.h"

enum {
	MAX_BYTES = 1 << 20,
	N_PATTERNS = 4, /* chats begin with a role, go on with contents, and end with a reason and with counts */
	PATTERN_BYTES = 4096,
	PATTERN_NODES = 256,
	PATTERN_HOLES = 12,
	FRAME_BYTES = 64,
	KEPT_BYTES = 2048, /* of the beginning of an event, and as much again to compare it with what follows */
	SHORT_BYTES = 16,
	NO_NODE = PATTERN_NODES,
	NO_HOLE = PATTERN_HOLES,
	HOLE = 2,   /* times that a value must differ to be one: some do where one stream follows another, */
	SETTLED = 8 /* that is, behind so many events that were as expected */
};

static const char default_done[] = "[DONE]";

/* What fills a hole in the event at hand: the inside of a string, or a number. */
struct filling {
	size_t begin, end;
	int escapes;
};

/* Where a path leads to: a node, and the number of the hole that it is. */
struct target {
	uint16_t node, hole;
};

struct pattern {
	size_t n; /* bytes of data; 0: there is no pattern here */
	size_t n_nodes, n_holes;
	size_t n_frame;                             /* of what stands before the data in the stream; 0: not known */
	size_t n_matched;                           /* events since it was made or changed */
	uint16_t hole[PATTERN_HOLES];               /* their nodes */
	struct filling place[PATTERN_HOLES];        /* in `text`; */
	struct filling found[PATTERN_HOLES];        /* and in the event that was matched last */
	uint8_t differs[PATTERN_NODES];             /* how often running; from HOLE on, it is a hole */
	char text[FRAME_BYTES + PATTERN_BYTES + 2]; /* the frame, up to FRAME_BYTES; the data; two LF */
	lanewise_json_node nodes[PATTERN_NODES];
	int one_string;            /* the only hole is a string, and one path leads to it, the others nowhere; */
	size_t n_before, n_behind; /* so many bytes are around it, frame and line ends included */
};

struct lanewise_sse_json {
	const lanewise_sse_path *paths;
	size_t n_paths;
	uint32_t flags;
	const char *done;
	size_t n_done;
	int is_done, pending; /* pending: `event` was read, but not given out */
	lanewise_sse_event event;
	size_t n_nodes; /* room */
	lanewise_json_node *nodes;
	struct target *targets; /* of each pattern, one for each path */
	struct lanewise_sse *sse;
	unsigned latest; /* the pattern used last */
	size_t n_kept;   /* bytes of an event that began in an earlier piece */
	char kept[2 * KEPT_BYTES];
	struct pattern patterns[N_PATTERNS];
};

/* What is to be written for an event. */
struct output {
	char *out;
	size_t capacity;
	lanewise_sse_value *values;
	size_t value_capacity;
	lanewise_sse_json_result *result;
};

/* ------------------------------------------------------------------ begin */

struct layout {
	size_t targets, nodes, n_nodes, sse, n_sse, all;
};

static int add(size_t *at, size_t n_bytes, size_t *place)
{
	if (*at > SIZE_MAX - LW_SCRATCH_ALIGNMENT)
		return 0;
	*place = *at = (*at + LW_SCRATCH_ALIGNMENT - 1) / LW_SCRATCH_ALIGNMENT * LW_SCRATCH_ALIGNMENT;
	return !__builtin_add_overflow(*at, n_bytes, at);
}

static int find_layout(size_t n_paths, const lanewise_sse_json_options *options, struct layout *layout)
{
	size_t max_bytes = options && options->max_bytes ? options->max_bytes : MAX_BYTES, n_bytes;

	layout->all = sizeof(struct lanewise_sse_json);
	layout->n_sse = lanewise_sse_scratch_size(max_bytes);
	layout->n_nodes = lanewise_json_nodes_bound(max_bytes, NULL);
	if (options && (options->struct_size < sizeof *options || (options->flags & ~(uint32_t)LANEWISE_SSE_SKIP)))
		return 0;
	return layout->n_sse != SIZE_MAX &&
	       !__builtin_mul_overflow(n_paths, N_PATTERNS * sizeof(struct target), &n_bytes) &&
	       add(&layout->all, n_bytes, &layout->targets) &&
	       !__builtin_mul_overflow(layout->n_nodes, sizeof(lanewise_json_node), &n_bytes) &&
	       add(&layout->all, n_bytes, &layout->nodes) && add(&layout->all, layout->n_sse, &layout->sse);
}

size_t lanewise_sse_json_scratch_size(size_t n_paths, const lanewise_sse_json_options *options)
{
	struct layout layout;

	return find_layout(n_paths, options, &layout) ? layout.all : SIZE_MAX;
}

lanewise_sse_json *lanewise_sse_json_begin(void *scratch, size_t n_scratch, const lanewise_sse_path *paths,
                                           size_t n_paths, const lanewise_sse_json_options *options)
{
	struct lanewise_sse_json *events = scratch;
	unsigned char *bytes = scratch;
	struct layout layout;

	if (!find_layout(n_paths, options, &layout) || !scratch || (uintptr_t)scratch % LW_SCRATCH_ALIGNMENT ||
	    n_scratch < layout.all || (!paths && n_paths))
		return NULL;
	memset(events, 0, offsetof(struct lanewise_sse_json, kept));
	for (int i = 0; i < N_PATTERNS; i++)
		events->patterns[i].n = 0;
	events->paths = paths;
	events->n_paths = n_paths;
	events->flags = options ? options->flags : 0;
	events->done = options && options->done ? options->done : default_done;
	events->n_done = options && options->done ? options->n_done : sizeof default_done - 1;
	events->targets = (struct target *)(void *)(bytes + layout.targets);
	events->nodes = (lanewise_json_node *)(void *)(bytes + layout.nodes);
	events->n_nodes = layout.n_nodes;
	events->sse = lanewise_sse_begin(bytes + layout.sse, layout.n_sse);
	return events;
}

void lanewise_sse_json_feed(lanewise_sse_json *events, const void *bytes, size_t n_bytes)
{
	lanewise_sse_feed(events->sse, bytes, n_bytes);
}

/* --------------------------------------------------------------- patterns */

static int is_digit(char c) { return (unsigned char)(c - '0') < 10; }

static int is_hex(char c) { return is_digit(c) || (unsigned char)((c | 0x20) - 'a') < 6; }

/* The size of the escape at p; 0 if it is none, and for surrogates, which the parser judges. */
static size_t escape_size(const char *p, size_t n)
{
	if (n < 2)
		return 0;
	if (p[1] != 'u')
		return p[1] && strchr("\"\\/bfnrt", p[1]) ? 2 : 0;
	if (n < 6 || !is_hex(p[2]) || !is_hex(p[3]) || !is_hex(p[4]) || !is_hex(p[5]))
		return 0;
	return (p[2] | 0x20) == 'd' && p[3] >= '8' ? 0 : 6;
}

/* Bytes from p on that are neither quote nor backslash, nor below 0x20 or above 0x7f. */
static size_t plain_ascii(const char *p, size_t n)
{
	size_t at = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t ones = 0x0101010101010101;

	/* The lowest byte of the eight whose high bit is set is such a one; above it there may be false ones. */
	for (; n - at >= 8; at += 8) {
		uint64_t x, quote, backslash, hits;

		memcpy(&x, p + at, sizeof x);
		quote = x ^ ones * '"';
		backslash = x ^ ones * '\\';
		hits = (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((x - ones * 0x20) & ~x) | x) &
		       ones * 0x80;
		if (hits)
			return at + (size_t)__builtin_ctzll(hits) / 8;
	}
#endif
	while (at < n && (unsigned char)p[at] >= 0x20 && (unsigned char)p[at] < 0x80 && p[at] != '"' && p[at] != '\\')
		at++;
	return at;
}

static int is_continuation(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* Bytes of whole characters of two and three bytes at p, but for rare kinds. */
static size_t plain_wide(const char *p, size_t n)
{
	size_t at = 0;

	for (;;) {
		unsigned char lead = at < n ? (unsigned char)p[at] : 0;

		if (lead > 0xe0 && lead < 0xf0 && lead != 0xed && n - at >= 3 && is_continuation(p[at + 1]) &&
		    is_continuation(p[at + 2]))
			at += 3;
		else if (lead >= 0xc2 && lead < 0xe0 && n - at >= 2 && is_continuation(p[at + 1]))
			at += 2;
		else
			return at;
	}
}

/* The size of the inside of a string that begins at p, if it is valid and ends; else SIZE_MAX. */
static size_t string_size(const char *p, size_t n, int *escapes)
{
	size_t at = 0, size;
	int is_valid = 1;

	*escapes = 0;
	for (;;) {
		at += plain_ascii(p + at, n - at);
		if (at == n || (unsigned char)p[at] < 0x20)
			return SIZE_MAX;
		if (p[at] == '"')
			break;
		if (p[at] == '\\') {
			size = escape_size(p + at, n - at);
			if (size == 0)
				return SIZE_MAX;
			at += size;
			*escapes = 1;
			continue;
		}
		size = plain_wide(p + at, n - at);
		at += size;
		if (size == 0)
			for (is_valid = 0; at < n && (unsigned char)p[at] >= 0x80; at++)
				;
	}
	return is_valid || lanewise_utf8_valid_prefix(p, at) == at ? at : SIZE_MAX;
}

/* The size of the digits at p. */
static size_t digits_size(const char *p, size_t n)
{
	size_t at = 0;

	while (at < n && is_digit(p[at]))
		at++;
	return at;
}

/* The size of the number at p, or SIZE_MAX; what follows it is compared with what follows in the pattern. */
static size_t number_size(const char *p, size_t n)
{
	size_t at = n && *p == '-', digits = digits_size(p + at, n - at);

	if (digits == 0 || (p[at] == '0' && digits > 1))
		return SIZE_MAX;
	at += digits;
	if (at < n && p[at] == '.') {
		digits = digits_size(p + at + 1, n - at - 1);
		if (digits == 0)
			return SIZE_MAX;
		at += 1 + digits;
	}
	if (at < n && (p[at] | 0x20) == 'e') {
		at++;
		at += at < n && (p[at] == '+' || p[at] == '-');
		digits = digits_size(p + at, n - at);
		if (digits == 0)
			return SIZE_MAX;
		at += digits;
	}
	return at;
}

static int is_same(const char *a, const char *b, size_t n) { return memcmp(a, b, n) == 0; }

/* The size of what is at p if it is as the pattern's text[from, to), holes filled; else 0. */
static size_t match(struct pattern *pattern, size_t from, size_t to, const char *p, size_t n)
{
	size_t at = 0, same, size;

	for (size_t i = 0; i < pattern->n_holes; i++) {
		const struct filling *place = &pattern->place[i];
		struct filling *found = &pattern->found[i];

		same = place->begin - from;
		if (n - at < same || !is_same(pattern->text + from, p + at, same))
			return 0;
		at += same;
		found->escapes = 0;
		size = pattern->nodes[pattern->hole[i]].type == LANEWISE_JSON_STRING
		               ? string_size(p + at, n - at, &found->escapes)
		               : number_size(p + at, n - at);
		if (size == SIZE_MAX)
			return 0;
		found->begin = at;
		found->end = at += size;
		from = place->end;
	}
	same = to - from;
	return n - at >= same && is_same(pattern->text + from, p + at, same) ? at + same : 0;
}

/* Where the place `at` of the pattern's text, not within a hole, is in the event matched last, whose match began at `from`. */
static size_t place_in_event(const struct pattern *pattern, size_t from, size_t at)
{
	size_t moved = at - from;

	for (size_t i = 0; i < pattern->n_holes && pattern->place[i].end <= at; i++)
		moved = at - pattern->place[i].end + pattern->found[i].end;
	return moved;
}

/* Whether the trees differ in strings and numbers only; notes which do. */
static int is_like(struct pattern *pattern, const char *text, const lanewise_json_node *nodes, size_t n_nodes)
{
	uint8_t differs[PATTERN_NODES];
	size_t n_holes = 0;

	if (pattern->n == 0 || pattern->n_nodes != n_nodes)
		return 0;
	for (size_t i = 0; i < n_nodes; i++) {
		const lanewise_json_node *a = &pattern->nodes[i], *b = &nodes[i];
		int same;

		if (a->type != b->type || a->next != b->next || ((a->flags ^ b->flags) & LANEWISE_JSON_NAME))
			return 0;
		differs[i] = pattern->differs[i];
		if (a->type != LANEWISE_JSON_STRING && a->type != LANEWISE_JSON_NUMBER)
			continue;
		same = a->n_bytes == b->n_bytes &&
		       is_same(pattern->text + FRAME_BYTES + a->offset, text + b->offset, a->n_bytes);
		if (!same && (a->flags & LANEWISE_JSON_NAME))
			return 0;
		if (differs[i] < HOLE)
			differs[i] = same ? 0 : pattern->n_matched >= SETTLED ? 1 : (uint8_t)(differs[i] + 1);
		n_holes += differs[i] == HOLE;
	}
	if (n_holes > PATTERN_HOLES)
		return 0;
	memcpy(pattern->differs, differs, n_nodes);
	return 1;
}

static void set_holes(struct pattern *pattern)
{
	pattern->n_holes = 0;
	for (size_t i = 0; i < pattern->n_nodes; i++) {
		const lanewise_json_node *node = &pattern->nodes[i];
		size_t quote = node->type == LANEWISE_JSON_STRING;

		if (pattern->differs[i] < HOLE)
			continue;
		pattern->hole[pattern->n_holes] = (uint16_t)i;
		pattern->place[pattern->n_holes++] =
		        (struct filling) { FRAME_BYTES + node->offset + quote,
			                   FRAME_BYTES + node->offset + node->n_bytes - quote, 0 };
	}
}

static void set_targets(struct lanewise_sse_json *events, struct pattern *pattern)
{
	struct target *targets = events->targets + (size_t)(pattern - events->patterns) * events->n_paths;
	int is_there = 0;

	for (size_t i = 0; i < events->n_paths; i++) {
		const lanewise_sse_path *path = &events->paths[i];
		size_t node = lanewise_json_follow(pattern->text + FRAME_BYTES, pattern->nodes, 0, path->steps,
		                                   path->n_steps, path->names);
		uint16_t hole = 0;

		while (hole < pattern->n_holes && pattern->hole[hole] != node)
			hole++;
		targets[i].node = node == SIZE_MAX ? NO_NODE : (uint16_t)node;
		targets[i].hole = hole < pattern->n_holes ? hole : NO_HOLE;
	}
	pattern->one_string = pattern->n_frame && pattern->n_holes == 1 &&
	                      pattern->nodes[pattern->hole[0]].type == LANEWISE_JSON_STRING;
	for (size_t i = 0; i < events->n_paths && pattern->one_string; i++) {
		pattern->one_string = targets[i].node == NO_NODE || (targets[i].hole == 0 && !is_there);
		is_there |= targets[i].node != NO_NODE;
	}
	pattern->one_string &= is_there;
	if (pattern->one_string) {
		pattern->n_before = pattern->place[0].begin - (FRAME_BYTES - pattern->n_frame);
		pattern->n_behind = FRAME_BYTES + pattern->n + 2 - pattern->place[0].end;
	}
}

/* Makes a pattern of an event that was parsed. `frame` is what stands before the data where it lies, or NULL. */
static void learn(struct lanewise_sse_json *events, const char *text, size_t n, const lanewise_json_node *nodes,
                  size_t n_nodes, const char *frame, size_t n_frame)
{
	struct pattern *pattern = NULL;

	if (n > PATTERN_BYTES || n_nodes > PATTERN_NODES)
		return;
	for (unsigned i = 0; i < N_PATTERNS && !pattern; i++)
		if (is_like(&events->patterns[i], text, nodes, n_nodes)) {
			pattern = &events->patterns[i];
			events->latest = i;
		}
	if (!pattern) {
		events->latest = (events->latest + 1) % N_PATTERNS;
		pattern = &events->patterns[events->latest];
		memset(pattern->differs, 0, sizeof pattern->differs);
		pattern->n_frame = 0;
	}
	if (frame && n_frame <= FRAME_BYTES) {
		memcpy(pattern->text + FRAME_BYTES - n_frame, frame, n_frame);
		pattern->n_frame = n_frame;
	}
	pattern->n = n;
	memcpy(pattern->text + FRAME_BYTES, text, n);
	memcpy(pattern->text + FRAME_BYTES + n, "\n\n", 2);
	pattern->n_nodes = n_nodes;
	memcpy(pattern->nodes, nodes, n_nodes * sizeof *nodes);
	pattern->n_matched = 0;
	set_holes(pattern);
	set_targets(events, pattern);
}

/* ----------------------------------------------------------------- values */

/* Whether there is room for another event's values. */
static int has_room(const struct lanewise_sse_json *events, const struct output *o)
{
	return o->value_capacity - o->result->n_events * events->n_paths >= events->n_paths;
}

/* The value of a node, which is at text[node->offset]: 0 if there is no room, but what it takes is added in any case. */
static int put(struct output *o, lanewise_sse_value *value, const char *text, const lanewise_json_node *node)
{
	lanewise_sse_json_result *result = o->result;
	size_t quotes = node->type == LANEWISE_JSON_STRING ? 2 : 0, n = node->n_bytes - quotes, left;

	value->offset = result->n_out;
	value->type = node->type;
	value->flags = node->flags & LANEWISE_JSON_INTEGER;
	value->reserved = 0;
	left = result->n_out <= o->capacity ? o->capacity - result->n_out : 0;
	if (n <= left && (node->flags & LANEWISE_JSON_ESCAPES))
		lanewise_json_string(text, node, o->out + result->n_out, left, &n);
	else if (n && n <= left)
		memcpy(o->out + result->n_out, text + node->offset + quotes / 2, n);
	value->n_bytes = (uint32_t)n;
	result->n_out += n;
	return n <= left;
}

/* A string without escapes. */
static inline int put_plain(struct output *o, lanewise_sse_value *value, const char *text, size_t n)
{
	size_t at = o->result->n_out;

	*value = (lanewise_sse_value) { at, (uint32_t)n, LANEWISE_JSON_STRING, 0, 0 };
	o->result->n_out = at + n;
	if (at > o->capacity || n > o->capacity - at)
		return 0;
	if (n)
		memcpy(o->out + at, text, n);
	return 1;
}

static void put_nothing(struct output *o, lanewise_sse_value *value)
{
	*value = (lanewise_sse_value) { .offset = o->result->n_out, .type = LANEWISE_SSE_NOTHING };
}

static int is_integer(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_digit(text[i]) && text[i] != '-')
			return 0;
	return 1;
}

/* The value at a path in the event at p that was matched last, from the pattern's text[from] on. */
static int put_target(struct output *o, lanewise_sse_value *value, const struct pattern *pattern, struct target target,
                      size_t from, const char *p)
{
	lanewise_json_node node = pattern->nodes[target.node];

	if (target.hole != NO_HOLE) {
		const struct filling *found = &pattern->found[target.hole];
		size_t quote = node.type == LANEWISE_JSON_STRING, n = found->end - found->begin;

		if (quote && !found->escapes) /* by far the most */
			return put_plain(o, value, p + found->begin, n);

		node.flags = found->escapes ? LANEWISE_JSON_ESCAPES : 0;
		if (!quote && is_integer(p + found->begin, n))
			node.flags = LANEWISE_JSON_INTEGER;
		node.offset = (uint32_t)(found->begin - quote);
		node.n_bytes = (uint32_t)(n + 2 * quote);
		return put(o, value, p, &node);
	}
	if (node.type < LANEWISE_JSON_ARRAY)
		return put(o, value, pattern->text + FRAME_BYTES, &node);

	size_t begin = place_in_event(pattern, from, FRAME_BYTES + node.offset);

	node.n_bytes = (uint32_t)(place_in_event(pattern, from, FRAME_BYTES + node.offset + node.n_bytes) - begin);
	node.offset = (uint32_t)begin;
	return put(o, value, p, &node);
}

static int put_matched(struct lanewise_sse_json *events, struct pattern *pattern, size_t from, const char *p,
                       struct output *o)
{
	size_t number = (size_t)(pattern - events->patterns);
	const struct target *targets = events->targets + number * events->n_paths;
	lanewise_sse_value *value = o->values + o->result->n_events * events->n_paths;
	int good = 1;

	for (size_t i = 0; i < events->n_paths; i++)
		if (targets[i].node == NO_NODE)
			put_nothing(o, &value[i]);
		else
			good &= put_target(o, &value[i], pattern, targets[i], from, p);
	events->latest = (unsigned)number;
	pattern->n_matched++;
	return good;
}

static int put_parsed(struct lanewise_sse_json *events, const char *text, struct output *o)
{
	lanewise_sse_value *value = o->values + o->result->n_events * events->n_paths;
	int good = 1;

	for (size_t i = 0; i < events->n_paths; i++) {
		const lanewise_sse_path *path = &events->paths[i];
		size_t node = lanewise_json_follow(text, events->nodes, 0, path->steps, path->n_steps, path->names);

		if (node == SIZE_MAX)
			put_nothing(o, &value[i]);
		else
			good &= put(o, &value[i], text, &events->nodes[node]);
	}
	return good;
}

/* ----------------------------------------------------------------- events */

enum outcome { TAKEN, NO_ROOM, FAILED };

/* Counts the event, or takes back what was written of it. */
static enum outcome finish_event(struct output *o, size_t n_out_before, int good)
{
	if (good) {
		o->result->n_events++;
		return TAKEN;
	}
	if (o->result->n_events) /* else it is told how much it takes */
		o->result->n_out = n_out_before;
	return NO_ROOM;
}

/* An event that lies in the piece as a whole and is like a pattern: 1 if it was one; then `*outcome` is set. */
static int take_whole(struct lanewise_sse_json *events, struct output *o, enum outcome *outcome)
{
	struct lanewise_sse *sse = events->sse;
	size_t left = (size_t)(sse->end - sse->at);

	for (unsigned i = 0; i < N_PATTERNS; i++) {
		struct pattern *pattern = &events->patterns[(events->latest + i) % N_PATTERNS];
		size_t from = FRAME_BYTES - pattern->n_frame, n, before;

		if (pattern->n == 0 || pattern->n_frame == 0)
			continue;
		n = match(pattern, from, FRAME_BYTES + pattern->n + 2, sse->at, left);
		if (n == 0 || n > sse->capacity)
			continue;
		before = o->result->n_out;
		*outcome = finish_event(o, before, put_matched(events, pattern, from, sse->at, o));
		if (*outcome == TAKEN)
			sse->at += n;
		return 1;
	}
	return 0;
}

/* Whether n bytes, few, are UTF-8. */
static int is_utf8(const char *p, size_t n)
{
	size_t at = 0, size;

	while (at < n) {
		size = (unsigned char)p[at] < 0x80 ? 1 : plain_wide(p + at, n - at);
		if (size == 0)
			return lanewise_utf8_valid_prefix(p, n) == n;
		at += size;
	}
	return 1;
}

/* The size of a valid string without escapes at p, before a quote among its first 16 bytes, all of which are there; or SIZE_MAX. */
static inline size_t short_string_size(const char *p)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const uint64_t ones = 0x0101010101010101;
	uint64_t x[2], hits[2], wide;
	size_t n;

	memcpy(x, p, sizeof x);
	for (int i = 0; i < 2; i++) {
		uint64_t quote = x[i] ^ ones * '"', backslash = x[i] ^ ones * '\\';

		hits[i] = (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
		           ((x[i] - ones * 0x20) & ~x[i])) &
		          ones * 0x80;
	}
	if (!(hits[0] | hits[1]))
		return SIZE_MAX;
	/* Lengths are not to be foretold: no branch for each. */
	n = hits[0] ? (size_t)__builtin_ctzll(hits[0]) / 8 : 8 + (size_t)__builtin_ctzll(hits[1] | 1) / 8;
	wide = hits[0] ? x[0] & (hits[0] ^ (hits[0] - 1)) : x[0] | (x[1] & (hits[1] ^ (hits[1] - 1)));
	if (p[n] != '"' || ((wide & ones * 0x80) && !is_utf8(p, n)))
		return SIZE_MAX;
	return n;
#else
	(void)p;
	return SIZE_MAX;
#endif
}

/* Writes that n bytes at out[at] are what is at the paths: for each its own copy, which are there. */
static inline void set_values(lanewise_sse_value *values, const struct target *targets, size_t n_paths, size_t at,
                              size_t n)
{
	for (size_t i = 0; i < n_paths; i++)
		values[i] =
		        (lanewise_sse_value) { at, targets[i].node == NO_NODE ? 0 : (uint32_t)n,
			                       targets[i].node == NO_NODE ? LANEWISE_SSE_NOTHING : LANEWISE_JSON_STRING,
			                       0, 0 };
}

/* Decodes the inside of a valid string, n bytes, to `out`, where as much room is; returns the size. */
static size_t decode(const char *inside, size_t n, char *out)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	size_t at = 0, n_out = 0;

	for (; at < n; at++) {
		if (inside[at] == '\\') {
			if (inside[++at] == 'u')
				break;
			out[n_out++] = meanings[strchr(letters, inside[at]) - letters];
		} else {
			out[n_out++] = inside[at];
		}
	}
	if (at < n) {
		const lanewise_json_node node = { .n_bytes = (uint32_t)n + 2,
			                          .type = LANEWISE_JSON_STRING,
			                          .flags = LANEWISE_JSON_ESCAPES };

		lanewise_json_string(inside - 1, &node, out, n, &n_out);
	}
	return n_out;
}

/*
 * Takes events at p, at most `most`, that differ from the pattern in one string, as long as there is room;
 * returns their bytes.
 */
static inline size_t take_alike(struct lanewise_sse_json *events, struct pattern *pattern, const char *p, size_t left,
                                size_t most, struct output *o)
{
	const char *before = pattern->text + FRAME_BYTES - pattern->n_frame,
	           *behind = pattern->text + pattern->place[0].end, *const begin = p;
	const struct target *targets = events->targets + (size_t)(pattern - events->patterns) * events->n_paths;
	const size_t n_before = pattern->n_before, n_behind = pattern->n_behind, n_paths = events->n_paths,
	             longest = events->sse->capacity, capacity = o->capacity;
	size_t n_out = o->result->n_out, n_events = 0, n, all;
	lanewise_sse_value *values = o->values + o->result->n_events * n_paths;
	char *out = o->out;

	for (; n_events < most && left >= n_before + n_behind; p += all, left -= all, n_events++) {
		const char *string = p + n_before;
		int is_short = n_behind >= SHORT_BYTES, escapes = 0;

		if (!is_same(p, before, n_before))
			break;
		n = is_short ? short_string_size(string) : SIZE_MAX;
		if (n == SIZE_MAX) {
			is_short = 0;
			n = string_size(string, left - n_before, &escapes);
			if (n == SIZE_MAX)
				break;
		}
		all = n_before + n + n_behind;
		if (all > left || all > longest || n_out > capacity || n > capacity - n_out ||
		    !is_same(string + n, behind, n_behind))
			break;
		if (is_short && capacity - n_out >= SHORT_BYTES)
			memcpy(out + n_out, string, SHORT_BYTES);
		else if (escapes)
			n = decode(string, n, out + n_out);
		else if (n)
			memcpy(out + n_out, string, n);
		set_values(values, targets, n_paths, n_out, n);
		values += n_paths;
		n_out += n;
	}
	o->result->n_out = n_out;
	o->result->n_events += n_events;
	pattern->n_matched += n_events;
	return (size_t)(p - begin);
}

/* Whether the last bytes of a piece are the beginning of an event like the pattern, which has no end there. */
static int is_beginning(const struct pattern *pattern, const char *p, size_t left)
{
	size_t n = left < pattern->n_before ? left : pattern->n_before;

	return left > 0 && left <= KEPT_BYTES && is_same(p, pattern->text + FRAME_BYTES - pattern->n_frame, n) &&
	       (n == left || (!memchr(p + n, '\n', left - n) && !memchr(p + n, '\r', left - n)));
}

/* What was kept goes the way of all bytes. */
static void give_back(struct lanewise_sse_json *events)
{
	struct lanewise_sse *sse = events->sse;
	const char *at = sse->at, *end = sse->end;

	lanewise_sse_feed(sse, events->kept, events->n_kept);
	lanewise_sse_next(sse, &events->event); /* it has no empty line, so there is no event */
	events->n_kept = 0;
	lanewise_sse_feed(sse, at, (size_t)(end - at));
}

/* The event that began in an earlier piece, if it is alike and the piece has the rest; else it is given back. */
static void take_kept(struct lanewise_sse_json *events, struct output *o)
{
	struct lanewise_sse *sse = events->sse;
	struct pattern *pattern = &events->patterns[events->latest];
	size_t left = (size_t)(sse->end - sse->at), n = pattern->n_before + pattern->n_behind + KEPT_BYTES / 8, all;

	n = n < sizeof events->kept ? n : sizeof events->kept;
	n = n > events->n_kept ? n - events->n_kept : 0;
	n = n < left ? n : left;
	if (n)
		memcpy(events->kept + events->n_kept, sse->at, n);
	all = take_alike(events, pattern, events->kept, events->n_kept + n, 1, o);
	if (all > events->n_kept) {
		sse->at += all - events->n_kept;
		events->n_kept = 0;
	} else {
		give_back(events);
	}
}

/* Takes events like the latest pattern as long as there are some; what is behind them goes the general way. */
static void take_all_alike(struct lanewise_sse_json *events, struct output *o)
{
	struct lanewise_sse *sse = events->sse;
	struct pattern *pattern = &events->patterns[events->latest];
	size_t most;

	if (sse->at == sse->end || !has_room(events, o))
		return;
	if (events->n_kept)
		take_kept(events, o);
	if (events->pending || events->is_done || pattern->n == 0 || !pattern->one_string)
		return;
	if (sse->is_given)
		lw_sse_clear_given(sse);
	if (!lw_sse_is_between(sse))
		return;
	most = o->value_capacity - o->result->n_events * events->n_paths;
	most = events->n_paths ? most / events->n_paths : SIZE_MAX;
	sse->at += take_alike(events, pattern, sse->at, (size_t)(sse->end - sse->at), most, o);
	if (is_beginning(pattern, sse->at, (size_t)(sse->end - sse->at)) &&
	    (size_t)(sse->end - sse->at) <= sse->capacity) {
		events->n_kept = (size_t)(sse->end - sse->at);
		memcpy(events->kept, sse->at, events->n_kept);
		sse->at = sse->end;
	}
}

/* How many bytes before the data of n bytes an event has that is an optional line "event:" and one line of data, or 0. */
static size_t frame_size(const char *raw, size_t n_raw, size_t n)
{
	static const char event[] = "event:", data[] = "data:";
	size_t at = 0;

	if (n_raw < n + 2 || raw[n_raw - 1] != '\n' || raw[n_raw - 2] != '\n')
		return 0;
	n_raw -= n + 2;
	if (n_raw > sizeof event && is_same(raw, event, sizeof event - 1)) {
		const char *end = memchr(raw, '\n', n_raw);

		if (!end || memchr(raw, '\r', (size_t)(end - raw)))
			return 0;
		at = (size_t)(end - raw) + 1;
	}
	if (n_raw - at < sizeof data - 1 || !is_same(raw + at, data, sizeof data - 1))
		return 0;
	at += sizeof data - 1;
	at += at < n_raw && raw[at] == ' ';
	return at == n_raw ? at : 0;
}

/* The event read last; `raw` is where it lies as a whole in the piece, or NULL. */
static enum outcome take_event(struct lanewise_sse_json *events, const char *raw, struct output *o,
                               lanewise_status *status, lanewise_error *error)
{
	const char *text = events->event.data;
	size_t n = events->event.n_data, n_nodes, before = o->result->n_out, n_frame;

	if (n && n == events->n_done && is_same(text, events->done, n)) {
		events->is_done = 1;
		return TAKEN;
	}
	for (unsigned i = 0; i < N_PATTERNS; i++) {
		struct pattern *pattern = &events->patterns[(events->latest + i) % N_PATTERNS];

		if (pattern->n == 0 || (raw && pattern->n_frame)) /* compared where it lies */
			continue;
		if (n && match(pattern, FRAME_BYTES, FRAME_BYTES + pattern->n, text, n) == n)
			return finish_event(o, before, put_matched(events, pattern, FRAME_BYTES, text, o));
	}
	*status = lanewise_json_parse(text, n, NULL, events->nodes, events->n_nodes, &n_nodes, error);
	if (*status == LANEWISE_ERROR_DATA && (events->flags & LANEWISE_SSE_SKIP)) {
		o->result->n_skipped++;
		return TAKEN;
	}
	if (*status != LANEWISE_OK) {
		o->result->data = text;
		o->result->n_data = n;
		return FAILED;
	}
	n_frame = raw ? frame_size(raw, (size_t)(events->sse->at - raw), n) : 0;
	learn(events, text, n, events->nodes, n_nodes, n_frame ? raw : NULL, n_frame);
	return finish_event(o, before, put_parsed(events, text, o));
}

/* The next event: 1 if there was one, or an error. */
static int next_event(struct lanewise_sse_json *events, struct output *o, enum outcome *outcome,
                      lanewise_status *status, lanewise_error *error)
{
	struct lanewise_sse *sse = events->sse;
	const char *raw = NULL;

	if (events->is_done) {
		sse->at = sse->end;
		return 0;
	}
	if (!events->pending) {
		lw_sse_clear_given(sse);
		if (sse->at < sse->end && lw_sse_is_between(sse)) {
			if (take_whole(events, o, outcome))
				return 1;
			raw = sse->at;
		}

		int32_t there = lanewise_sse_next(sse, &events->event);

		if (there == 0)
			return 0;
		if (there < 0) {
			*status = lw_fail(error, LANEWISE_ERROR_TOO_LARGE, LANEWISE_NO_OFFSET,
			                  "sse: an event, its type or its id is too large");
			*outcome = FAILED;
			return 1;
		}
	}
	events->pending = 0;
	*outcome = take_event(events, raw, o, status, error);
	events->pending = *outcome == NO_ROOM;
	return 1;
}

int32_t lanewise_sse_json_read(lanewise_sse_json *events, char *out, size_t capacity, lanewise_sse_value *values,
                               size_t value_capacity, lanewise_sse_json_result *result, lanewise_error *error)
{
	struct output o = { out, capacity, values, value_capacity, result };
	lanewise_status status = LANEWISE_OK;
	enum outcome outcome = TAKEN;

	*result = (lanewise_sse_json_result) { .done = (uint32_t)events->is_done };
	if ((!out && capacity) || (!values && value_capacity))
		return lw_fail(error, LANEWISE_ERROR_ARGUMENT, LANEWISE_NO_OFFSET, "sse: a NULL pointer");
	while (outcome == TAKEN) {
		take_all_alike(events, &o);
		if (events->sse->at == events->sse->end && !events->pending)
			break;
		if (!has_room(events, &o)) {
			outcome = NO_ROOM;
			break;
		}
		if (!next_event(events, &o, &outcome, &status, error))
			break;
	}
	result->done = (uint32_t)events->is_done;
	if (outcome == FAILED)
		return status;
	if (outcome == TAKEN)
		return 0;
	return result->n_events ? 1
	                        : lw_fail(error, LANEWISE_ERROR_CAPACITY, LANEWISE_NO_OFFSET,
	                                  "sse: no room for an event's values, which take %zu bytes", result->n_out);
}
