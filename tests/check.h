/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: runs every implementation of every kernel that this CPU supports and compares it with scalar, bit for bit,
 * in memory that faults, or shows it, when anything outside a buffer is touched.
 *
 * Each kernel of kernel_table.def has a function lanewise_check_<kernel>, in check_<family>.c, that goes through its
 * cases; a kernel without one does not link. Such a function, for each case:
 *
 *   computes what is expected with c->reference,
 *   lays inputs and outputs into guarded memory (lanewise_check_input, lanewise_check_output),
 *   tells which case this is (c->where) and calls the same kernel of c->subject,
 *   compares (lanewise_check_same) and closes the case (lanewise_check_after).
 *
 * The first fault of a kernel leaves its function by a long jump, so a function must hold nothing that needs freeing;
 * c->scratch[] is its working memory. A fault signal or a hang in a kernel comes back the same way.
 *
 * The cases must depend on nothing but the seed: the digests of all results are kept in tests/digests.txt. (Beware of
 * two random numbers in one expression or argument list: C leaves their order open.)
 */
#ifndef LW_CHECK_H
#define LW_CHECK_H

#include <setjmp.h>
#include <stdio.h>

#include "dispatch.h"

/* ------------------------------------------------------------ running it */

/* A table of kernels to judge under a name, instead of the library's. */
struct lw_check_subject {
	const char *name;
	const struct lw_kernels *kernels;
};

struct lw_check_options {
	uint64_t seed;           /* of all random choices; 0 is a seed like any other */
	unsigned repeat;         /* how many seeds to run, counted up from `seed`; 0 is one */
	const char *kernel;      /* a glob that kernel names must match, or NULL */
	const char *tier;        /* only this tier; "active" for the table that calls use now; or NULL */
	const char *expect_tier; /* fail unless this tier is the active one, or NULL */
	const char *digest_file; /* compare digests with this file, or NULL */
	FILE *out;               /* NULL is stdout */
	int quick;               /* fewer cases: seconds in all */
	int skip_reference;      /* unless it is all there is, do not compare scalar with itself */
	int list;                /* only list what would run */
	int digest;              /* print a digest of each kernel's results over a fixed set of cases */
	int quiet;               /* print failures and the last line only */

	const struct lw_check_subject *subjects; /* judge these instead of the library's tiers, or NULL */
	size_t n_subjects;
};

/* 0 if all passed, 1 if one failed or nothing ran, 77 if the tier asked for cannot run on this CPU. */
int lanewise_check_run(const struct lw_check_options *options);

/* --------------------------------------------------------- for check_*.c */

/* Where a buffer begins: right behind an unmapped page, so that it ends right before one, or 0 ... 63 past a multiple of 64. */
enum { LW_AT_FRONT = -2, LW_AT_BACK = -1 };

enum { LW_CHECK_BUFFERS = 4, LW_CHECK_SCRATCH = 6, LW_CHECK_MAX_BYTES = 8 << 20 };

#define LW_CHECK_UNUSED ((size_t)-1)

/* Which case runs; what a kernel has no use for stays LW_CHECK_UNUSED or NULL. */
struct lw_check_where {
	const char *pattern;
	size_t length, rows, ld, k, capacity;
	int place;
};

struct lw_check_buffer {
	unsigned char *base, *p; /* mapped memory, unmapped pages on either side; the buffer in it */
	size_t n_bytes;
	const unsigned char *data; /* what an input must still hold after the call */
};

struct lw_check {
	const struct lw_check_options *options;
	const char *kernel, *tier;
	const struct lw_kernels *reference, *subject;
	struct lw_check_where where;
	uint64_t random; /* state of test_random() */
	int quick;

	void *scratch[LW_CHECK_SCRATCH]; /* LW_CHECK_MAX_BYTES each */
	struct lw_check_buffer buffers[LW_CHECK_BUFFERS];
	unsigned char *comb;
	size_t comb_rows, comb_row_bytes, comb_start;
	const unsigned char *comb_data;
	size_t comb_data_stride;

	unsigned long n_cases;
	uint64_t digest, seed;
	int digesting;
	char what[400]; /* of a failure */
	sigjmp_buf give_up;
};

/* Lays a copy of data[0 ... n_bytes) into buffer number `slot`; n_bytes <= LW_CHECK_MAX_BYTES - 1 MiB. */
void *lanewise_check_input(struct lw_check *c, int slot, const void *data, size_t n_bytes, int place);

/* The same for a buffer that the kernel may change. */
void *lanewise_check_inout(struct lw_check *c, int slot, const void *data, size_t n_bytes, int place);

/* Makes buffer number `slot` an output of n_bytes, filled with 0xa5. */
void *lanewise_check_output(struct lw_check *c, int slot, size_t n_bytes, int place);

/*
 * Rows, each on a page of its own between unmapped pages, beginning (LW_AT_FRONT) or ending (LW_AT_BACK) flush with
 * them; so even a read of the gap between rows faults. Up to LW_CHECK_COMB_ROWS rows of `row_bytes` <= 4096. Returns
 * the first row; `stride_bytes` gets the distance of rows. data_stride is that of the rows in data.
 */
enum { LW_CHECK_COMB_ROWS = 36 };
void *lanewise_check_comb(struct lw_check *c, const void *data, size_t data_stride, size_t n_rows, size_t row_bytes,
                          int place, int may_change, size_t *stride_bytes);

/* Two results that must be equal in every byte; `item_bytes` is the size of an element, for the message. */
void lanewise_check_same(struct lw_check *c, const char *what, const void *expected, const void *actual, size_t n_bytes,
                         size_t item_bytes);

/* A case is over: whether inputs and all memory around buffers are as they were. Buffers begin anew. */
void lanewise_check_after(struct lw_check *c);

/* Fails the kernel under check; does not return. */
_Noreturn void lanewise_check_fail(struct lw_check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Random numbers. Never two of these in one list of arguments or one assignment: compilers differ in what they take
 * first, and then the cases, and with them the digests, are not the same everywhere.
 */
uint64_t lanewise_check_random(struct lw_check *c);
size_t lanewise_check_below(struct lw_check *c, size_t n);     /* 0 ... n - 1; n > 0 */
size_t lanewise_check_sometimes(struct lw_check *c, size_t n); /* 0 half of the time, else 0 ... n - 1 */
int lanewise_check_random_place(struct lw_check *c, size_t alignment);

/* Floats of one kind: see the list in check.c. */
extern const int lanewise_check_patterns;
const char *lanewise_check_pattern_name(int pattern);
void lanewise_check_fill(struct lw_check *c, float *v, size_t n, int pattern);

#define LW_KERNEL(kernel, scalar, avx2, avx512_clx, avx512, neon, neon_dot) \
	void lanewise_check_##kernel(struct lw_check *c);
#include "kernel_table.def"
#undef LW_KERNEL

#endif
