/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy's .npy files of vectors: two-dimensional, C order, little-endian float16, float32 or float64. */
#ifndef LW_TOOL_NPY_H
#define LW_TOOL_NPY_H

#include "tool.h"

/* The most dimensions a vector may have, here and in JSON. */
enum { NPY_MAX_DIM = 1 << 20 };

struct npy {
	const char *path;
	FILE *stream;
	uint64_t n_rows, row; /* in the file, and read so far */
	size_t dim, element_bytes;
	unsigned char *raw; /* one row as it lies in the file */
	float *values;      /* the row read last */
};

/* Opens a file and checks its header and size. An array of one dimension counts as one row. Fails with the reason. */
void npy_open(struct npy *npy, const char *path);

/* The next row; NULL after the last. Fails on a value that is not finite. Valid until the next call. */
const float *npy_next(struct npy *npy);

void npy_close(struct npy *npy);

#endif
