/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmarks as a program of their own; `lanewise bench` is the same. */
#include "harness.h"

int main(int argc, char **argv) { return lanewise_bench_main(argc, argv); }
