/* SPDX-License-Identifier: Apache-2.0 */
/* What the harness asks of the machine: memory, caches, random numbers, peers. */
#include "harness.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { HUGE_PAGE = 2 << 20 };

static size_t mapping_bytes(size_t n_bytes) { return (n_bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE; }

void *bench_alloc(size_t n_bytes)
{
	size_t size = mapping_bytes(n_bytes);
	void *p = NULL;

	if (posix_memalign(&p, HUGE_PAGE, size) != 0) {
		fprintf(stderr, "bench: no memory for %zu bytes\n", n_bytes);
		exit(1);
	}
#if defined(MADV_HUGEPAGE)
	madvise(p, size, MADV_HUGEPAGE);
#endif
	memset(p, 0, size);
	return p;
}

void bench_free(void *p) { free(p); }

static double best_probe = 1;

/*
 * Eight independent chains of additions keep the core's arithmetic units full, so that whoever shares them doubles the
 * time.
 */
double bench_probe(void)
{
	struct timespec start, end;
	uint64_t sum[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	clock_gettime(CLOCK_MONOTONIC_RAW, &start);
	for (int i = 0; i < 4000; i++)
		for (int j = 0; j < 8; j++) {
			sum[j] += (uint64_t)i;
			__asm__ volatile("" : "+r"(sum[j])); /* in a register of its own, and not by a vector unit */
		}
	clock_gettime(CLOCK_MONOTONIC_RAW, &end);

	double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;

	if (seconds < best_probe)
		best_probe = seconds;
	return seconds;
}

void bench_find_best_probe(void)
{
	const struct timespec pause = { 0, 3000000 };

	for (int i = 0; i < 100; i++) {
		bench_probe();
		nanosleep(&pause, NULL);
	}
}

int bench_is_quiet(double probe) { return probe < 1.3 * best_probe; }

uint64_t bench_random(uint64_t *state)
{
	/* splitmix64 */
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void bench_fill_f32(float *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (float)(int32_t)(bench_random(&seed) >> 32) * 0x1p-31f;
}

void bench_load_peers(struct bench *bench)
{
	const char *directory = getenv("LANEWISE_BENCH_PEERS");
	char names[] = LW_BENCH_PEERS, *rest = names;

	if (!directory)
		directory = LW_BENCH_PEER_DIR;
	for (char *name; (name = strtok_r(rest, " ", &rest)) && bench->n_peers < BENCH_MAX_PEERS;) {
		char path[4096];
		union {
			void *object;
			const struct bench_peer *(*function)(void);
		} get;

		snprintf(path, sizeof path, "%s/%s.so", directory, name);

		void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);

		if (!module) {
			fprintf(stderr, "bench: peer %s is left out: %s\n", name, dlerror());
			continue;
		}
		get.object = dlsym(module, "bench_peer_get");
		if (get.object)
			bench->peer[bench->n_peers++] = get.function();
	}
}
