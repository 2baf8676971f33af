/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few macros that test programs share. CHECK goes on after a failure so that one run shows them all; end main()
 * with `return test_result();`.
 */
#ifndef LW_TEST_H
#define LW_TEST_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned long test_checks, test_failures;

#define CHECK(condition) \
	(test_checks++, \
	 (condition) ? 1 \
	             : (test_failures++, fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #condition), 0))

/* Two integers that must be equal, both shown if they are not. */
#define CHECK_EQUAL(actual, expected) \
	do { \
		intmax_t actual_ = (intmax_t)(actual), expected_ = (intmax_t)(expected); \
		test_checks++; \
		if (actual_ != expected_) { \
			test_failures++; \
			fprintf(stderr, "%s:%d: %s is %" PRIdMAX ", expected %" PRIdMAX "\n", __FILE__, __LINE__, \
			        #actual, actual_, expected_); \
		} \
	} while (0)

/* The program's exit status; a program that checked nothing fails. */
static inline int test_result(void)
{
	printf("%lu checks, %lu failed\n", test_checks, test_failures);
	return test_failures != 0 || test_checks == 0;
}

/* A small, good generator (splitmix64), so that every run of a seed is the same everywhere. */
static inline uint64_t test_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif
