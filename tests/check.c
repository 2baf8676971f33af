/* SPDX-License-Identifier: Apache-2.0 */
/* The harness of check.h: guarded memory, patterns, signals, the loop over kernels and tiers, digests. */
#include "check.h"

#include <float.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "test.h"

/* AddressSanitizer then also sees reads of the bytes around a buffer that lies in the middle of a page. */
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#if defined(WITH_ASAN)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { AROUND = 128, CANARY = 0xc3, FRESH = 0xa5, EXIT_SKIP = 77, COMB = LW_CHECK_BUFFERS };

struct check_entry {
	const char *name;
	void (*run)(struct lw_check *c);
	size_t cell; /* where the kernel's pointer lies in struct lw_kernels */
};

static const struct check_entry entries[] = {
#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) \
	{ #kernel, lanewise_check_##kernel, offsetof(struct lw_kernels, kernel) },
#include "kernel_table.def"
#undef LW_KERNEL
};

/* ---------------------------------------------------------------- failing */

_Noreturn void lanewise_check_fail(struct lw_check *c, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(c->what, sizeof c->what, format, arguments);
	va_end(arguments);
	siglongjmp(c->give_up, 1);
}

void lanewise_check_same(struct lw_check *c, const char *what, const void *expected, const void *actual, size_t n_bytes,
                         size_t item_bytes)
{
	const unsigned char *e = expected, *a = actual;

	if (c->digesting)
		c->digest = c->reference->xxh3_64(actual, n_bytes, c->digest);
	if (n_bytes == 0 || memcmp(e, a, n_bytes) == 0)
		return;

	char e_hex[17] = "", a_hex[17] = "";
	size_t item = 0;

	while (memcmp(e + item * item_bytes, a + item * item_bytes, item_bytes) == 0)
		item++;
	for (size_t i = 0; i < item_bytes && i < 8; i++) { /* little-endian numbers, as they are written */
		snprintf(e_hex + 2 * i, 3, "%02x", e[(item + 1) * item_bytes - 1 - i]);
		snprintf(a_hex + 2 * i, 3, "%02x", a[(item + 1) * item_bytes - 1 - i]);
	}
	lanewise_check_fail(c, "%s[%zu] is 0x%s, scalar gives 0x%s", what, item, a_hex, e_hex);
}

/* ---------------------------------------------------------- guarded memory */

static size_t page_bytes(void)
{
	static size_t bytes;

	if (!bytes)
		bytes = (size_t)sysconf(_SC_PAGESIZE);
	return bytes;
}

static void *map(size_t n_bytes)
{
	void *p = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("check: mmap");
		exit(2);
	}
	return p;
}

static void forbid(void *p, size_t n_bytes)
{
	if (mprotect(p, n_bytes, PROT_NONE) != 0) {
		perror("check: mprotect");
		exit(2);
	}
}

static void create_memory(struct lw_check *c)
{
	size_t page = page_bytes();

	for (int i = 0; i < LW_CHECK_SCRATCH; i++)
		c->scratch[i] = map(LW_CHECK_MAX_BYTES);
	for (int i = 0; i < LW_CHECK_BUFFERS; i++) {
		unsigned char *p = map(LW_CHECK_MAX_BYTES + 2 * page);

		forbid(p, page);
		forbid(p + page + LW_CHECK_MAX_BYTES, page);
		c->buffers[i].base = p + page;
	}
	c->comb = map((2 * LW_CHECK_COMB_ROWS + 1) * page);
	for (size_t i = 0; i <= LW_CHECK_COMB_ROWS; i++)
		forbid(c->comb + 2 * i * page, page);
}

static void destroy_memory(struct lw_check *c)
{
	size_t page = page_bytes();

	for (int i = 0; i < LW_CHECK_SCRATCH; i++)
		munmap(c->scratch[i], LW_CHECK_MAX_BYTES);
	for (int i = 0; i < LW_CHECK_BUFFERS; i++)
		munmap(c->buffers[i].base - page, LW_CHECK_MAX_BYTES + 2 * page);
	munmap(c->comb, (2 * LW_CHECK_COMB_ROWS + 1) * page);
}

/* The mapped bytes before and after a range, up to AROUND of each. */
struct around {
	unsigned char *before, *after;
	size_t n_before, n_after;
};

static struct around around(unsigned char *base, size_t usable, unsigned char *p, size_t n_bytes)
{
	size_t before = (size_t)(p - base), after = usable - before - n_bytes;
	struct around a;

	a.n_before = before < AROUND ? before : AROUND;
	a.n_after = after < AROUND ? after : AROUND;
	a.before = p - a.n_before;
	a.after = p + n_bytes;
	return a;
}

static void paint(struct around a)
{
	memset(a.before, CANARY, a.n_before);
	memset(a.after, CANARY, a.n_after);
	ASAN_POISON_MEMORY_REGION(a.before, a.n_before);
	ASAN_POISON_MEMORY_REGION(a.after, a.n_after);
}

static int all_canaries(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == CANARY && memcmp(p, p + 1, n - 1) == 0);
}

static const char *const buffer_names[LW_CHECK_BUFFERS + 1] = { "buffer 0", "buffer 1", "buffer 2", "buffer 3",
	                                                        "a row" };

static void expect_painted(struct lw_check *c, int slot, struct around a)
{
	ASAN_UNPOISON_MEMORY_REGION(a.before, a.n_before);
	ASAN_UNPOISON_MEMORY_REGION(a.after, a.n_after);
	if (!all_canaries(a.before, a.n_before))
		lanewise_check_fail(c, "wrote before the start of %s", buffer_names[slot]);
	if (!all_canaries(a.after, a.n_after))
		lanewise_check_fail(c, "wrote past the end of %s", buffer_names[slot]);
}

static unsigned char *place_buffer(struct lw_check *c, int slot, size_t n_bytes, int place)
{
	struct lw_check_buffer *b = &c->buffers[slot];

	if (place == LW_AT_FRONT)
		b->p = b->base;
	else if (place == LW_AT_BACK)
		b->p = b->base + LW_CHECK_MAX_BYTES - n_bytes;
	else
		b->p = b->base + 2 * AROUND + place;
	b->n_bytes = n_bytes;
	b->data = NULL;
	paint(around(b->base, LW_CHECK_MAX_BYTES, b->p, n_bytes));
	return b->p;
}

void *lanewise_check_inout(struct lw_check *c, int slot, const void *data, size_t n_bytes, int place)
{
	unsigned char *p = place_buffer(c, slot, n_bytes, place);

	if (n_bytes)
		memcpy(p, data, n_bytes);
	return p;
}

void *lanewise_check_input(struct lw_check *c, int slot, const void *data, size_t n_bytes, int place)
{
	void *p = lanewise_check_inout(c, slot, data, n_bytes, place);

	c->buffers[slot].data = data;
	return p;
}

void *lanewise_check_output(struct lw_check *c, int slot, size_t n_bytes, int place)
{
	return memset(place_buffer(c, slot, n_bytes, place), FRESH, n_bytes);
}

static unsigned char *comb_page(const struct lw_check *c, size_t row) { return c->comb + (2 * row + 1) * page_bytes(); }

void *lanewise_check_comb(struct lw_check *c, const void *data, size_t data_stride, size_t n_rows, size_t row_bytes,
                          int place, int may_change, size_t *stride_bytes)
{
	size_t page = page_bytes();

	c->comb_rows = n_rows;
	c->comb_row_bytes = row_bytes;
	c->comb_start = place == LW_AT_FRONT ? 0 : page - row_bytes;
	c->comb_data = may_change ? NULL : data;
	c->comb_data_stride = data_stride;
	for (size_t r = 0; r < n_rows; r++) {
		unsigned char *p = comb_page(c, r) + c->comb_start;

		paint(around(comb_page(c, r), page, p, row_bytes));
		if (row_bytes)
			memcpy(p, (const unsigned char *)data + r * data_stride, row_bytes);
	}
	*stride_bytes = 2 * page;
	return comb_page(c, 0) + c->comb_start;
}

static void comb_after(struct lw_check *c)
{
	for (size_t r = 0; r < c->comb_rows; r++) {
		unsigned char *p = comb_page(c, r) + c->comb_start;

		expect_painted(c, COMB, around(comb_page(c, r), page_bytes(), p, c->comb_row_bytes));
		if (c->comb_data && c->comb_row_bytes &&
		    memcmp(p, c->comb_data + r * c->comb_data_stride, c->comb_row_bytes) != 0)
			lanewise_check_fail(c, "changed input row %zu", r);
	}
	c->comb_rows = 0;
}

void lanewise_check_after(struct lw_check *c)
{
	for (int slot = 0; slot < LW_CHECK_BUFFERS; slot++) {
		struct lw_check_buffer *b = &c->buffers[slot];

		if (!b->p)
			continue;
		expect_painted(c, slot, around(b->base, LW_CHECK_MAX_BYTES, b->p, b->n_bytes));
		if (b->data && b->n_bytes && memcmp(b->p, b->data, b->n_bytes) != 0)
			lanewise_check_fail(c, "changed input %d", slot);
		b->p = NULL;
	}
	comb_after(c);
	c->n_cases++;
}

/* After a failure: nothing is in use, nothing poisoned. */
static void forget_buffers(struct lw_check *c)
{
	for (int slot = 0; slot < LW_CHECK_BUFFERS; slot++) {
		ASAN_UNPOISON_MEMORY_REGION(c->buffers[slot].base, LW_CHECK_MAX_BYTES);
		c->buffers[slot].p = NULL;
	}
	for (size_t r = 0; r < LW_CHECK_COMB_ROWS; r++)
		ASAN_UNPOISON_MEMORY_REGION(comb_page(c, r), page_bytes());
	c->comb_rows = 0;
}

/* --------------------------------------------------------------- patterns */

uint64_t lanewise_check_random(struct lw_check *c) { return test_random(&c->random); }

size_t lanewise_check_below(struct lw_check *c, size_t n)
{
	return (size_t)((lanewise_check_random(c) >> 32) * (uint64_t)n >> 32);
}

size_t lanewise_check_sometimes(struct lw_check *c, size_t n)
{
	int zero = lanewise_check_below(c, 2) == 0;

	return zero ? 0 : lanewise_check_below(c, n);
}

int lanewise_check_random_place(struct lw_check *c, size_t alignment)
{
	size_t choice = lanewise_check_below(c, 2 + 64 / alignment);

	return choice < 2 ? (int)choice - 2 : (int)((choice - 2) * alignment);
}

static float from_bits(uint64_t bits)
{
	uint32_t low = (uint32_t)bits;
	float x;

	memcpy(&x, &low, sizeof x);
	return x;
}

/* PATTERN(name, element i from the random bits r); all arithmetic in here is exact or correctly rounded. */
#define PATTERNS(PATTERN) \
	PATTERN(random, (float)(int32_t)(r & 0xffffff) * 0x1p-23f - 1) \
	PATTERN(small_integers, (float)(int32_t)(r % 17) - 8) \
	PATTERN(all_equal, 0.7f) \
	PATTERN(zeros, 0.0f) \
	PATTERN(minus_zeros, -0.0f) \
	PATTERN(zeros_of_both_signs, r & 1 ? 0.0f : -0.0f) \
	PATTERN(greatest, FLT_MAX) \
	PATTERN(greatest_of_both_signs, i & 1 ? -FLT_MAX : FLT_MAX) \
	PATTERN(alternating_bits, from_bits(i & 1 ? 0x55555555 : 0xaaaaaaaa)) \
	PATTERN(bytes_80, from_bits(0x80808080)) \
	PATTERN(bytes_ff, from_bits(0xffffffff)) \
	PATTERN(subnormal, from_bits(r & 0x807fffff)) \
	PATTERN(near_1e25, ((float)(int32_t)(r & 0xffffff) * 0x1p-23f - 1) * 1e25f) \
	PATTERN(near_1e_25, ((float)(int32_t)(r & 0xffffff) * 0x1p-23f - 1) * 1e-25f) \
	PATTERN(any_finite, from_bits((r & 0x7f800000) == 0x7f800000 ? r ^ 0x40000000 : r)) \
	PATTERN(some_nan, r >> 32 & 15 ? (float)(r & 255) : from_bits(0x7f800001 | (r & 0x807fffff))) \
	PATTERN(one_nan, i == 0 ? from_bits(0xff800001 | (r & 0x7fffff)) : (float)(r & 255)) \
	PATTERN(some_infinite, r >> 32 & 15 ? (float)(r & 255) - 128 : r & 256 ? INFINITY : -INFINITY) \
	PATTERN(any_bits, from_bits(r)) \
	PATTERN(few_values, (float)(r & 3) - 1) \
	PATTERN(ascending, (float)i - 40) \
	PATTERN(descending, 40 - (float)i)

enum {
#define PATTERN(name, element) PATTERN_##name,
	PATTERNS(PATTERN)
#undef PATTERN
	        PATTERN_mixture,
	PATTERN_COUNT
};

const int lanewise_check_patterns = PATTERN_COUNT;

const char *lanewise_check_pattern_name(int pattern)
{
	static const char *const names[] = {
#define PATTERN(name, element) #name,
		PATTERNS(PATTERN)
#undef PATTERN
		        "mixture"
	};
	return names[pattern];
}

static float element_of(int pattern, size_t i, uint64_t r)
{
	switch (pattern) {
#define PATTERN(name, element) \
	case PATTERN_##name: \
		return (element);
		PATTERNS(PATTERN)
#undef PATTERN
	default:
		return 0;
	}
}

void lanewise_check_fill(struct lw_check *c, float *v, size_t n, int pattern)
{
	for (size_t i = 0; i < n; i++) {
		int one = pattern == PATTERN_mixture ? (int)lanewise_check_below(c, PATTERN_mixture) : pattern;

		v[i] = element_of(one, i, lanewise_check_random(c));
	}
}

/* ---------------------------------------------------------------- signals */

/*
 * A kernel that faults comes back through the handler. A clock ticks meanwhile; a case that goes on from one tick to
 * the next two is a hang, however slow the machine or emulator is with the whole.
 */
enum { TICK_SECONDS = 30 };

static struct lw_check *volatile running;
static volatile sig_atomic_t caught, ticks;
static volatile unsigned long cases_at_tick;

static const int fault_signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM };
enum { N_SIGNALS = sizeof fault_signals / sizeof *fault_signals };

static void on_signal(int number)
{
	struct lw_check *c = running;

	if (number == SIGALRM) {
		if (!c)
			return; /* the clock ticks between kernels too */
		ticks = cases_at_tick == c->n_cases ? ticks + 1 : 0;
		cases_at_tick = c->n_cases;
		if (ticks < 2)
			return;
	}
	if (!c) {
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	caught = number;
	siglongjmp(c->give_up, 1);
}

static void install_handlers(struct sigaction old[N_SIGNALS])
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal;
	sigemptyset(&action.sa_mask);
	for (int i = 0; i < N_SIGNALS; i++)
		sigaction(fault_signals[i], &action, &old[i]);
}

static void set_clock(long seconds)
{
	struct itimerval clock = { { seconds, 0 }, { seconds, 0 } };

	setitimer(ITIMER_REAL, &clock, NULL);
}

static const char *signal_text(int number)
{
	switch (number) {
	case SIGSEGV:
		return "SIGSEGV: touched memory outside its buffers";
	case SIGBUS:
		return "SIGBUS";
	case SIGILL:
		return "SIGILL: used an instruction that this CPU has not";
	case SIGFPE:
		return "SIGFPE";
	default:
		return "did not return";
	}
}

/* ------------------------------------------------------------- one kernel */

static void append(char *text, size_t n_bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t n_bytes, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, n_bytes - used, format, arguments);
	va_end(arguments);
}

static void append_size(char *text, size_t n_bytes, const char *name, size_t value)
{
	if (value != LW_CHECK_UNUSED)
		append(text, n_bytes, " %s=%zu", name, value);
}

static void describe_case(const struct lw_check *c, char *text, size_t n_bytes)
{
	const struct lw_check_where *w = &c->where;

	text[0] = '\0';
	append_size(text, n_bytes, "length", w->length);
	append_size(text, n_bytes, "rows", w->rows);
	append_size(text, n_bytes, "ld", w->ld);
	append_size(text, n_bytes, "k", w->k);
	append_size(text, n_bytes, "capacity", w->capacity);
	if (w->place == LW_AT_FRONT || w->place == LW_AT_BACK)
		append(text, n_bytes, " offset=%s", w->place == LW_AT_FRONT ? "behind-guard" : "before-guard");
	else
		append(text, n_bytes, " offset=%d", w->place);
	append(text, n_bytes, " pattern=%s", w->pattern ? w->pattern : "-");
}

#if defined(WITH_ASAN)
/* ASan ends the process: say at least where. */
static void on_death(void)
{
	char text[300];

	if (!running)
		return;
	describe_case(running, text, sizeof text);
	fprintf(stderr, "FAIL %-19s %-11s sanitizer report;%s seed=%" PRIu64 "\n", running->kernel, running->tier, text,
	        running->seed);
}
void __sanitizer_set_death_callback(void (*callback)(void));
#endif

/* 1 if the kernel passed. */
static int run_kernel(struct lw_check *c, const struct check_entry *entry, uint64_t seed)
{
	static const struct lw_check_where nowhere = {
		NULL, LW_CHECK_UNUSED, LW_CHECK_UNUSED, LW_CHECK_UNUSED, LW_CHECK_UNUSED, LW_CHECK_UNUSED, 0
	};

	c->kernel = entry->name;
	c->where = nowhere;
	c->n_cases = 0;
	c->seed = seed;
	c->digest = 0;
	/* Every kernel has its own stream of random numbers, so that --kernel does not change the cases. */
	c->random = seed ^ c->reference->xxh3_64(entry->name, strlen(entry->name), 0);
	caught = 0;
	ticks = 0;
	cases_at_tick = 0;
	if (sigsetjmp(c->give_up, 1) == 0) {
		running = c;
		entry->run(c);
		running = NULL;
		if (c->n_cases > 0)
			return 1;
		snprintf(c->what, sizeof c->what, "nothing was checked");
	} else {
		running = NULL;
		if (caught)
			snprintf(c->what, sizeof c->what, "%s", signal_text(caught));
	}

	char text[300];

	describe_case(c, text, sizeof text);
	fprintf(c->options->out, "FAIL %-19s %-11s %s;%s seed=%" PRIu64 "\n", c->kernel, c->tier, c->what, text, seed);
	forget_buffers(c);
	return 0;
}

/* --------------------------------------------------------------- all of it */

enum { MAX_SUBJECTS = 16, N_ENTRIES = sizeof entries / sizeof *entries };

struct run {
	struct lw_check_options options;
	struct lw_check_subject subjects[MAX_SUBJECTS];
	size_t n_subjects;
	unsigned long passed, failed;
	uint64_t known_digests[N_ENTRIES];
	int has_known_digest[N_ENTRIES];
};

static int same_cell(const struct check_entry *entry, const struct lw_kernels *a, const struct lw_kernels *b)
{
	return memcmp((const char *)a + entry->cell, (const char *)b + entry->cell, sizeof(void (*)(void))) == 0;
}

/* The subject before this one that runs the same code for the kernel, or NULL. */
static const char *borrowed_from(const struct run *run, size_t subject, const struct check_entry *entry)
{
	for (size_t i = 0; i < subject; i++)
		if (same_cell(entry, run->subjects[i].kernels, run->subjects[subject].kernels))
			return run->subjects[i].name;
	return NULL;
}

static int collect_subjects(struct run *run)
{
	const struct lw_check_options *o = &run->options;

	if (o->subjects) {
		for (size_t i = 0; i < o->n_subjects && i < MAX_SUBJECTS; i++)
			run->subjects[run->n_subjects++] = o->subjects[i];
		return 0;
	}
	if (o->tier && strcmp(o->tier, "active") == 0) {
		run->subjects[run->n_subjects++] =
		        (struct lw_check_subject) { lanewise_tier_name(lanewise_active_tier()), lw_kernels() };
		return 0;
	}

	int known = !o->tier;

	for (lanewise_tier t = 0; t < lanewise_tier_count() && t < MAX_SUBJECTS; t++) {
		if (o->tier && strcmp(o->tier, lanewise_tier_name(t)) != 0)
			continue;
		known = 1;
		if (lanewise_tier_supported(t))
			run->subjects[run->n_subjects++] =
			        (struct lw_check_subject) { lanewise_tier_name(t), lanewise_kernels_of(t) };
		else if (o->tier)
			fprintf(o->out, "check: skipped, this CPU cannot run tier %s\n", o->tier);
	}
	if (!known) {
		fprintf(o->out, "check: this build has no tier named %s\n", o->tier);
		return 1;
	}
	return run->n_subjects ? 0 : EXIT_SKIP;
}

static int expected_tier_is_active(const struct lw_check_options *o)
{
	const char *active = lanewise_tier_name(lanewise_active_tier());

	if (!o->expect_tier || strcmp(active, o->expect_tier) == 0)
		return 1;
	for (lanewise_tier t = 0; t < lanewise_tier_count(); t++)
		if (strcmp(lanewise_tier_name(t), o->expect_tier) == 0 && !lanewise_tier_supported(t))
			fprintf(o->out, "check: this CPU cannot run tier %s\n", o->expect_tier);
	fprintf(o->out, "check: the active tier is %s, expected %s\n", active, o->expect_tier);
	return 0;
}

static int read_digests(struct run *run)
{
	FILE *file = fopen(run->options.digest_file, "r");
	char line[200], name[100];
	uint64_t digest;

	if (!file) {
		fprintf(run->options.out, "check: cannot open %s\n", run->options.digest_file);
		return 1;
	}
	while (fgets(line, sizeof line, file))
		for (size_t e = 0; e < N_ENTRIES; e++)
			if (sscanf(line, "%99s %" SCNx64, name, &digest) == 2 && strcmp(name, entries[e].name) == 0) {
				run->known_digests[e] = digest;
				run->has_known_digest[e] = 1;
			}
	fclose(file);
	return 0;
}

/* With a file of digests, each tier is held to it; without, each tier to the first one. 1 if the digest is right. */
static int judge_digest(struct run *run, struct lw_check *c, size_t e)
{
	FILE *out = run->options.out;

	if (run->has_known_digest[e]) {
		if (run->known_digests[e] == c->digest)
			return 1;
		fprintf(out, "FAIL %-19s %-11s digest is %016" PRIx64 ", expected %016" PRIx64 "\n", c->kernel, c->tier,
		        c->digest, run->known_digests[e]);
		return 0;
	}
	if (run->options.digest_file) {
		fprintf(out, "FAIL %-19s %-11s no digest in %s\n", c->kernel, c->tier, run->options.digest_file);
		return 0;
	}
	run->known_digests[e] = c->digest;
	run->has_known_digest[e] = 1;
	fprintf(out, "%-19s %016" PRIx64 "\n", c->kernel, c->digest);
	return 1;
}

static void run_cell(struct run *run, struct lw_check *c, size_t subject, size_t e)
{
	const struct lw_check_options *o = &run->options;
	const char *lender = borrowed_from(run, subject, &entries[e]);

	c->tier = run->subjects[subject].name;
	c->subject = run->subjects[subject].kernels;
	if (o->skip_reference && c->subject == c->reference && run->n_subjects > 1)
		return;
	if (lender) {
		if (!o->quiet && !o->digest)
			fprintf(o->out, "same %-19s %-11s as %s\n", entries[e].name, c->tier, lender);
		return;
	}
	if (o->list) {
		fprintf(o->out, "%-19s %s\n", entries[e].name, c->tier);
		return;
	}

	int ok = run_kernel(c, &entries[e], o->digest ? 1 : o->seed);
	unsigned long n_cases = c->n_cases;

	for (unsigned i = 1; ok && !o->digest && i < o->repeat; i++) {
		ok = run_kernel(c, &entries[e], o->seed + i);
		n_cases += c->n_cases;
	}
	if (ok && o->digest)
		ok = judge_digest(run, c, e);
	else if (ok && !o->quiet)
		fprintf(o->out, "ok   %-19s %-11s %lu cases\n", entries[e].name, c->tier, n_cases);
	if (ok)
		run->passed++;
	else
		run->failed++;
	fflush(o->out);
}

static void run_all(struct run *run, struct lw_check *c)
{
	for (size_t e = 0; e < N_ENTRIES; e++)
		for (size_t s = 0; s < run->n_subjects; s++)
			if (!run->options.kernel || fnmatch(run->options.kernel, entries[e].name, 0) == 0)
				run_cell(run, c, s, e);
}

int lanewise_check_run(const struct lw_check_options *options)
{
	static struct lw_check check; /* sigjmp_buf: must outlive a jump, and is large */
	struct sigaction old[N_SIGNALS];
	struct run run;

	memset(&run, 0, sizeof run);
	run.options = *options;
	run.options.digest |= options->digest_file != NULL;
	if (!run.options.out)
		run.options.out = stdout;
	if (!expected_tier_is_active(&run.options))
		return 1;
	int answer = collect_subjects(&run);
	if (answer == 0 && options->digest_file)
		answer = read_digests(&run);
	if (answer)
		return answer;

	memset(&check, 0, sizeof check);
	check.options = &run.options;
	check.reference = lanewise_kernels_of(0);
	check.digesting = run.options.digest;
	check.quick = run.options.quick || run.options.digest;
	if (!run.options.digest && !run.options.list)
		fprintf(run.options.out, "seed %" PRIu64 "\n", run.options.seed);
	fflush(run.options.out);
	create_memory(&check);
	install_handlers(old);
#if defined(WITH_ASAN)
	__sanitizer_set_death_callback(on_death);
#endif
	set_clock(TICK_SECONDS);
	run_all(&run, &check);
	set_clock(0);
	for (int i = 0; i < N_SIGNALS; i++)
		sigaction(fault_signals[i], &old[i], NULL);
	destroy_memory(&check);
	if (run.options.list)
		return 0;
	if (!run.options.digest || run.failed || options->digest_file)
		fprintf(run.options.out, "%lu passed, %lu failed\n", run.passed, run.failed);
	if (run.passed + run.failed == 0)
		fprintf(run.options.out, "check: no kernel matches %s\n", options->kernel ? options->kernel : "*");
	return run.failed != 0 || run.passed == 0;
}
