/* SPDX-License-Identifier: Apache-2.0 */
/* Texts to search in, and what else bench_scan.c has from, or calls in, other files. */
#ifndef LW_BENCH_SCAN_TEXT_H
#define LW_BENCH_SCAN_TEXT_H

#include <stddef.h>

#include "harness.h"

/* Made words; prose and code of the system, as far as it has any (bench_scan.c). */
void bench_fill_made(char *text, size_t n);
void bench_fill_prose(char *text, size_t n);
void bench_fill_code(char *text, size_t n);

/* The rows of lanewise/secrets.h. */
void bench_secrets(struct bench *bench, enum bench_size size);

#endif
