/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fuzz targets share. A target is tests/fuzz/fuzz_<family>.c with LLVMFuzzerTestOneInput(); tools/fuzz builds it
 * for libFuzzer, and the tests replay tests/fuzz/corpus/<family>/ through replay.c with any compiler.
 */
#ifndef LW_FUZZ_H
#define LW_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input. */
#define FUZZ_REQUIRE(condition) \
	((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort()))

/* The input, taken apart from its front; zeros when it is used up. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

static inline void fuzz_bytes(struct fuzz_input *in, void *out, size_t n)
{
	size_t there = n < in->size ? n : in->size;

	memset(out, 0, n);
	if (there)
		memcpy(out, in->data, there);
	in->data += there;
	in->size -= there;
}

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
	uint8_t value;

	fuzz_bytes(in, &value, sizeof value);
	return value;
}

static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
	uint16_t value;

	fuzz_bytes(in, &value, sizeof value);
	return value;
}

/* Memory of exactly n bytes, never NULL, so that the sanitizer sees its ends. */
static inline void *fuzz_allocate(size_t n)
{
	void *p = malloc(n ? n : 1);

	FUZZ_REQUIRE(p != NULL);
	return p;
}

#endif
