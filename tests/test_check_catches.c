/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernels broken on purpose, one fault each, put into a copy of the scalar table: check must fail exactly the kernel
 * that is broken, and pass the table without a fault. Each runs in a process of its own.
 */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "test.h"

static const struct lw_kernels *scalar;

/* A read that no compiler drops. */
static void touch(const float *p) { (void)*(const volatile float *)p; }

static float next_float(float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof bits);
	bits++;
	memcpy(&x, &bits, sizeof x);
	return x;
}

/* ------------------------------------------------------------ the culprits */

static float reads_past_end(const float *a, const float *b, size_t n)
{
	touch(a + n);
	return scalar->dot_f32(a, b, n);
}

static float reads_past_end_of_second(const float *a, const float *b, size_t n)
{
	if (n % 8 == 7)
		touch(b + n);
	return scalar->l2sq_f32(a, b, n);
}

static float reads_before_start(const float *a, const float *b, size_t n)
{
	touch(b - 1);
	return scalar->dot_f32(a, b, n);
}

static void writes_past_end(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                            float *out)
{
	scalar->dot_f32_rows(query, rows, n_rows, dim, ld, prefetch, out);
	out[n_rows] = 0;
}

static void writes_before_start(const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch, float *out)
{
	scalar->norm_f32_rows(rows, n_rows, dim, ld, prefetch, out);
	if (n_rows == 17)
		out[-1] = 0;
}

static float wrong_on_nan(const float *a, const float *b, size_t n)
{
	float answer = scalar->l2sq_f32(a, b, n);

	return answer != answer ? -answer : answer; /* a NaN still, but not the canonical one */
}

static float wrong_on_minus_zero(const float *a, const float *b, size_t n)
{
	float answer = scalar->dot_f32(a, b, n);

	return answer == 0 && n && signbit(a[0]) ? -0.0f : answer;
}

static float wrong_past_one_vector(const float *a, const float *b, size_t n)
{
	return n == 8 + 1 ? scalar->dot_f32(a, b, 8) : scalar->dot_f32(a, b, n);
}

static float ignores_the_offset(const float *a, const float *b, size_t n)
{
	const float *aligned = (const float *)((uintptr_t)a & ~(uintptr_t)15);

	return scalar->cosine_f32(n >= 4 ? aligned : a, b, n);
}

static float changes_its_input(const float *a, const float *b, size_t n)
{
	float answer = scalar->dot_f32(a, b, n);

	if (n)
		*(float *)((uintptr_t)a + 4 * (n / 2)) = 0;
	return answer;
}

static void wrong_with_gaps(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch,
                            float *out)
{
	(void)ld;
	scalar->cosine_f32_rows(query, rows, n_rows, dim, dim, prefetch, out);
}

static void reads_gaps(const float *rows, size_t n_rows, size_t dim, size_t ld, int prefetch, float *out)
{
	for (size_t r = 0; ld > dim && r + 1 < n_rows; r++)
		touch(rows + r * ld + dim);
	scalar->norm_f32_rows(rows, n_rows, dim, ld, prefetch, out);
}

static void writes_gaps(float *rows, size_t n_rows, size_t dim, size_t ld)
{
	scalar->normalize_f32_rows(rows, n_rows, dim, ld);
	if (ld > dim && n_rows > 1)
		rows[dim] = 0;
}

static void wrong_in_the_last_bit(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                  int prefetch, float *out)
{
	scalar->l2sq_f32_rows(query, rows, n_rows, dim, ld, prefetch, out);
	for (size_t r = 0; dim == 33 && r < n_rows; r++)
		if (isfinite(out[r]) && out[r] > 0)
			out[r] = next_float(out[r]);
}

static void wrong_when_prefetching(const float *query, const float *rows, size_t n_rows, size_t dim, size_t ld,
                                   int prefetch, float *out)
{
	scalar->dot_f32_rows(query, rows, prefetch ? n_rows - n_rows / 32 : n_rows, dim, ld, prefetch, out);
}

static void wrong_tie(float *v, uint32_t *index, size_t n, float kth, size_t k)
{
	size_t greater = 0, used = 0, equals_to_skip = 0;

	for (size_t i = 0; i < n; i++) {
		greater += v[i] > kth;
		equals_to_skip += v[i] == kth;
	}
	equals_to_skip -= k - greater; /* the last of the equals instead of the first */
	for (size_t i = 0; i < n; i++)
		if (v[i] > kth || (v[i] == kth && equals_to_skip-- == 0)) {
			equals_to_skip += v[i] == kth;
			v[used] = v[i];
			index[used++] = index[i];
		}
}

static float selects_minus_zero(const float *v, size_t n, size_t k)
{
	float kth = scalar->topk_select_f32(v, n, k);

	return kth == 0 ? -0.0f : kth;
}

static size_t overruns_the_reservoir(const float *scores, size_t n, uint32_t first_index, float bound, float *kept,
                                     uint32_t *kept_index, size_t *n_kept, size_t capacity)
{
	return scalar->topk_filter_f32(scores, n, first_index, bound, kept, kept_index, n_kept, capacity + 1);
}

static size_t keeps_too_little(const float *scores, size_t n, uint32_t first_index, float bound, float *kept,
                               uint32_t *kept_index, size_t *n_kept, size_t capacity)
{
	/* > instead of >= */
	return scalar->topk_filter_f32(scores, n, first_index, nextafterf(bound, INFINITY), kept, kept_index, n_kept,
	                               capacity);
}

static uint64_t wrong_at_odd_addresses(const void *data, size_t n_bytes, uint64_t seed)
{
	return scalar->xxh3_64(data, n_bytes, seed) + (n_bytes == 241 && (uintptr_t)data % 2);
}

static float illegal_instruction(const float *a, const float *b, size_t n)
{
	if (n == 100)
		raise(SIGILL);
	return scalar->dot_f32(a, b, n);
}

/* --------------------------------------------------------------- the court */

/* Runs check over this table, or one kernel of it, in a child; what it printed into `text`. Returns its exit status, 128 + signal if killed. */
static int check_table(const struct lw_kernels *kernels, const char *kernel, char *text, size_t n_bytes)
{
	FILE *out = tmpfile();
	pid_t child;
	int status;

	if (!out)
		exit(2);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		const struct lw_check_subject subject = { "planted", kernels };
		const struct lw_check_options options = { .seed = 7,
			                                  .kernel = kernel,
			                                  .quick = 1,
			                                  .quiet = 1,
			                                  .out = out,
			                                  .subjects = &subject,
			                                  .n_subjects = 1 };
		struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		dup2(fileno(out), 2);
		int answer = lanewise_check_run(&options);

		fflush(out);
		_exit(answer);
	}
	waitpid(child, &status, 0);
	rewind(out);
	size_t n = fread(text, 1, n_bytes - 1, out);

	text[n] = '\0';
	fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static size_t count(const char *text, const char *piece)
{
	size_t n = 0;

	for (; (text = strstr(text, piece)) != NULL; text++)
		n++;
	return n;
}

static void expect_caught(const char *fault, const char *kernel, const struct lw_kernels *kernels)
{
	static char text[1 << 20];
	char line[100];
	int status = check_table(kernels, kernel, text, sizeof text);

	snprintf(line, sizeof line, "FAIL %-19s planted ", kernel);
	if (!CHECK(status != 0) || !CHECK(strstr(text, line) != NULL) || !CHECK(count(text, "FAIL ") == 1) ||
	    !CHECK(strstr(text, " seed=7") != NULL))
		fprintf(stderr, "  %s: status %d, check said:\n%s\n", fault, status, text);
	else
		printf("caught %s: %.*s\n", fault, (int)strcspn(strstr(text, "FAIL"), "\n"), strstr(text, "FAIL"));
}

#define PLANT(kernel, fault) \
	do { \
		struct lw_kernels planted = *scalar; \
		planted.kernel = fault; \
		expect_caught(#fault, #kernel, &planted); \
	} while (0)

int main(void)
{
	static char text[1 << 20];

	scalar = lanewise_kernels_of(0);
	if (!CHECK(check_table(scalar, NULL, text, sizeof text) == 0))
		fprintf(stderr, "%s", text);

	PLANT(dot_f32, reads_past_end);
	PLANT(l2sq_f32, reads_past_end_of_second);
	PLANT(dot_f32, reads_before_start);
	PLANT(dot_f32_rows, writes_past_end);
	PLANT(norm_f32_rows, writes_before_start);
	PLANT(l2sq_f32, wrong_on_nan);
	PLANT(dot_f32, wrong_on_minus_zero);
	PLANT(dot_f32, wrong_past_one_vector);
	PLANT(cosine_f32, ignores_the_offset);
	PLANT(dot_f32, changes_its_input);
	PLANT(cosine_f32_rows, wrong_with_gaps);
	PLANT(norm_f32_rows, reads_gaps);
	PLANT(normalize_f32_rows, writes_gaps);
	PLANT(l2sq_f32_rows, wrong_in_the_last_bit);
	PLANT(dot_f32_rows, wrong_when_prefetching);
	PLANT(topk_compact_f32, wrong_tie);
	PLANT(topk_select_f32, selects_minus_zero);
	PLANT(topk_filter_f32, overruns_the_reservoir);
	PLANT(topk_filter_f32, keeps_too_little);
	PLANT(xxh3_64, wrong_at_odd_addresses);
	PLANT(dot_f32, illegal_instruction);
	return test_result();
}
