/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCRE2 as the engine for rules with regular expressions. A thread's scratch has what PCRE2 would allocate while it matches
 * (match data, and the frames to which its interpreter goes back) and a copy of the window.
 */
#include <lanewise/regex.h>

#include <stdio.h>
#include <string.h>

#if LW_HAVE_PCRE2

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "../kernels/support.h"

enum {
	ALIGNMENT = 16,
	/* The anchor has 256 bytes at most. */
	MOST_WINDOW = 2 * LANEWISE_SECRETS_WINDOW + 256,
	/* The machine code reads up to the next multiple of its vectors' size. */
	PADDING = 64,
	STEPS_IN_ALL = 1 << 23,
	STEPS_AT_LEAST = 1 << 14,
	FRAME_KIB = 320,
	FRAME_BYTES = (FRAME_KIB + 1) * 1024, /* PCRE2 compares whole KiB */
	SMALL_BYTES = 4096
};

/* ---------------------------------------------------------------- memory */

/* A block, which knows its size since PCRE2 does not tell it. */
struct block {
	_Alignas(ALIGNMENT) size_t n_bytes;
};

static void *allocate(size_t n_bytes, void *context)
{
	struct block *block = n_bytes > SIZE_MAX - sizeof *block ? NULL : lw_allocate(context, n_bytes + sizeof *block);

	if (!block)
		return NULL;
	block->n_bytes = n_bytes + sizeof *block;
	return block + 1;
}

static void release(void *p, void *context)
{
	struct block *block = p;

	if (block)
		lw_release(context, block - 1, block[-1].n_bytes);
}

/*
 * What PCRE2 allocates in a scratch: what stays, before the first match, then vectors of frames, of which there are two only
 * while one is copied to a larger one.
 */
struct arena {
	int begun, taken[2];
	size_t n_small;
	_Alignas(ALIGNMENT) unsigned char small[SMALL_BYTES], frames[2][FRAME_BYTES];
};

static void *arena_allocate(size_t n_bytes, void *context)
{
	struct arena *arena = context;
	int k = arena->taken[0];

	if (!arena->begun) {
		void *p = arena->small + arena->n_small;

		arena->n_small += (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
		return arena->n_small <= SMALL_BYTES ? p : NULL;
	}
	if (n_bytes > FRAME_BYTES || arena->taken[k])
		return NULL;
	arena->taken[k] = 1;
	return arena->frames[k];
}

static void arena_release(void *p, void *context)
{
	struct arena *arena = context;

	for (int k = 0; k < 2; k++)
		arena->taken[k] &= p != arena->frames[k];
}

struct scratch {
	pcre2_match_data *match;
	pcre2_match_context *limits;
	_Alignas(ALIGNMENT) unsigned char window[PADDING + MOST_WINDOW + PADDING];
	struct arena arena;
};

static size_t scratch_size(void *context)
{
	(void)context;
	return sizeof(struct scratch);
}

static void begin(void *context, void *memory)
{
	struct scratch *scratch = memory;
	pcre2_general_context *general;

	(void)context;
	scratch->arena.begun = scratch->arena.taken[0] = scratch->arena.taken[1] = 0;
	scratch->arena.n_small = 0;
	memset(scratch->window, 0, PADDING);
	/* The arena has room for these. */
	general = pcre2_general_context_create(arena_allocate, arena_release, &scratch->arena);
	scratch->match = pcre2_match_data_create(2, general);
	scratch->limits = pcre2_match_context_create(general);
	pcre2_set_heap_limit(scratch->limits, FRAME_KIB);
	scratch->arena.begun = 1;
}

/* ------------------------------------------------------------ expressions */

struct expression {
	pcre2_code *code;
	lanewise_allocator allocator;
	int own_allocator;
};

static const lanewise_allocator *allocator_of(struct expression *e) { return e->own_allocator ? &e->allocator : NULL; }

static void release_expression(void *context, void *compiled)
{
	struct expression *e = compiled;
	struct expression copy;

	(void)context;
	if (!e)
		return;
	pcre2_code_free(e->code);
	copy = *e;
	lw_release(allocator_of(&copy), e, sizeof *e);
}

static lanewise_status no_memory(lanewise_error *error)
{
	return lw_fail(error, LANEWISE_ERROR_NO_MEMORY, LANEWISE_NO_OFFSET, "no memory for an expression");
}

/* PCRE2's error as ours. */
static lanewise_status explain(int code, size_t offset, lanewise_error *error)
{
	PCRE2_UCHAR8 message[160] = "";

	if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED)
		return no_memory(error);
	pcre2_get_error_message(code, message, sizeof message);
	return lw_fail(error, LANEWISE_ERROR_DATA, offset, "%s", (const char *)message);
}

static lanewise_status compile_code(struct expression *e, pcre2_compile_context *limits, const char *text,
                                    size_t n_bytes, uint32_t flags, lanewise_error *error)
{
	uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_USE_OFFSET_LIMIT |
	                   (flags & LANEWISE_REGEX_IGNORE_CASE ? PCRE2_CASELESS : 0);
	int code = PCRE2_ERROR_NOMEMORY;
	size_t offset = 0;

	/* Whatever PCRE2 was built for. */
	if (limits) {
		pcre2_set_newline(limits, PCRE2_NEWLINE_LF);
		pcre2_set_bsr(limits, PCRE2_BSR_UNICODE);
		e->code = pcre2_compile((PCRE2_SPTR)text, n_bytes, options, &code, &offset, limits);
	}
	if (!e->code)
		return explain(code, offset, error);
	/* Without machine code, expressions are interpreted. */
	(void)pcre2_jit_compile(e->code, PCRE2_JIT_COMPLETE);
	return LANEWISE_OK;
}

static lanewise_status compile(void *context, const char *text, size_t n_bytes, uint32_t flags,
                               const lanewise_allocator *allocator, void **compiled, lanewise_error *error)
{
	struct expression *e = lw_allocate(allocator, sizeof *e);
	pcre2_general_context *general;
	pcre2_compile_context *limits = NULL;
	lanewise_status status;

	(void)context;
	*compiled = NULL;
	if (!e)
		return no_memory(error);
	*e = (struct expression) { .own_allocator = allocator != NULL };
	if (allocator)
		e->allocator = *allocator;
	general = pcre2_general_context_create(allocate, release, e->own_allocator ? &e->allocator : NULL);
	if (general)
		limits = pcre2_compile_context_create(general);
	status = compile_code(e, limits, text, n_bytes, flags, error);
	pcre2_compile_context_free(limits);
	pcre2_general_context_free(general);
	if (status != LANEWISE_OK)
		release_expression(NULL, e);
	else
		*compiled = e;
	return status;
}

/* ---------------------------------------------------------------- search */

/* The next match from `at` on, as pcre2_match says it; again without machine code if its stack is too small. */
static int next_match(const struct expression *e, struct scratch *scratch, size_t n_bytes, size_t at, uint32_t options)
{
	PCRE2_SPTR window = scratch->window + PADDING;
	int n = pcre2_match(e->code, window, n_bytes, at, options, scratch->match, scratch->limits);

	if (n == PCRE2_ERROR_JIT_STACKLIMIT)
		n = pcre2_match(e->code, window, n_bytes, at, options | PCRE2_NO_JIT, scratch->match, scratch->limits);
	return n;
}

static int32_t search(void *context, const void *compiled, const char *window, size_t n_bytes, size_t anchor_begin,
                      size_t anchor_end, uint32_t flags, void *memory, size_t range[4])
{
	struct scratch *scratch = memory;
	const size_t *found = pcre2_get_ovector_pointer(scratch->match);
	uint32_t options = PCRE2_NOTEMPTY | (flags & LANEWISE_REGEX_NOT_BEGIN ? PCRE2_NOTBOL : 0) |
	                   (flags & LANEWISE_REGEX_NOT_END ? PCRE2_NOTEOL : 0);
	size_t steps = STEPS_IN_ALL / (anchor_begin + 1);

	(void)context;
	if (n_bytes > MOST_WINDOW)
		return LANEWISE_ERROR_TOO_LARGE;
	memcpy(scratch->window + PADDING, window, n_bytes);
	memset(scratch->window + PADDING + n_bytes, 0, PADDING);
	/* PCRE2 counts anew for each place where a match may begin. */
	pcre2_set_match_limit(scratch->limits, (uint32_t)(steps > STEPS_AT_LEAST ? steps : STEPS_AT_LEAST));
	pcre2_set_offset_limit(scratch->limits, anchor_begin);
	for (size_t at = 0; at <= anchor_begin; at = found[1]) {
		int n = next_match(compiled, scratch, n_bytes, at, options);

		if (n == PCRE2_ERROR_NOMATCH)
			return 0;
		/* With \K in a lookaround a match may begin behind its end or end before `at`. */
		if (n < 0 || found[0] >= found[1] || found[1] <= at)
			return LANEWISE_ERROR_TOO_LARGE;
		if (found[0] <= anchor_begin && found[1] >= anchor_end) {
			range[0] = found[0];
			range[1] = found[1];
			range[2] = n == 1 || found[2] == PCRE2_UNSET ? SIZE_MAX : found[2];
			range[3] = range[2] == SIZE_MAX ? SIZE_MAX : found[3];
			return 1;
		}
	}
	return 0;
}

const lanewise_regex_engine *lanewise_regex_pcre2(void)
{
	static const lanewise_regex_engine engine = {
		.struct_size = sizeof engine,
		.compile = compile,
		.release = release_expression,
		.scratch_size = scratch_size,
		.begin = begin,
		.search = search,
	};

	return &engine;
}

size_t lanewise_regex_about(char *text, size_t n_bytes)
{
	char version[64] = "";
	uint32_t jit = 0;

	pcre2_config(PCRE2_CONFIG_JIT, &jit);
	if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof version)
		pcre2_config(PCRE2_CONFIG_VERSION, version);
	return (size_t)snprintf(text, n_bytes, "PCRE2 %s with%s JIT", version, jit ? "" : "out");
}

#else

const lanewise_regex_engine *lanewise_regex_pcre2(void) { return NULL; }

size_t lanewise_regex_about(char *text, size_t n_bytes)
{
	return (size_t)snprintf(text, n_bytes, "none in this build");
}

#endif
