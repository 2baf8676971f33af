/* SPDX-License-Identifier: Apache-2.0 */
/* See rotation.h. */
#include "index/rotation.h"

#include "common.h"
#include <stdint.h>
#include <string.h>

static size_t window_of(size_t dim)
{
	size_t p = 1;

	while (p <= dim / 2)
		p *= 2;
	return p;
}

static int turns_of(size_t dim) { return window_of(dim) == dim ? 2 : 4; }

/* 64 signs (splitmix64). */
static uint64_t signs_of(uint64_t n)
{
	uint64_t z = (n + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void flip_signs(float *v, size_t n, uint64_t turn)
{
	for (size_t i = 0; i < n; i += 64) {
		uint64_t signs = signs_of(turn << 32 | i / 64);

		for (size_t j = 0; j < 64 && i + j < n; j++)
			v[i + j] *= signs >> j & 1 ? -1.0f : 1.0f;
	}
}

static void butterflies(float *v, size_t n, size_t half)
{
	for (size_t i = 0; i < n; i += 2 * half)
		for (size_t j = i; j < i + half; j++) {
			float a = v[j], b = v[j + half];

			v[j] = a + b;
			v[j + half] = a - b;
		}
}

/* The first two steps at once, for the compiler's sake. */
static void butterflies_of_four(float *v, size_t n)
{
	for (size_t i = 0; i < n; i += 4) {
		float a = v[i] + v[i + 1], b = v[i] - v[i + 1], c = v[i + 2] + v[i + 3], d = v[i + 2] - v[i + 3];

		v[i] = a + c;
		v[i + 1] = b + d;
		v[i + 2] = a - c;
		v[i + 3] = b - d;
	}
}

static void transform(float *v, size_t n)
{
	float factor = (float)(1 / lw_sqrt((double)n));

	if (n == 2)
		butterflies(v, 2, 1);
	if (n >= 4)
		butterflies_of_four(v, n);
	for (size_t half = 4; half < n; half *= 2)
		butterflies(v, n, half);
	for (size_t i = 0; i < n; i++)
		v[i] *= factor;
}

void lanewise_rotate(const float *x, size_t dim, float *out)
{
	size_t window = window_of(dim);
	int turns = turns_of(dim);

	memcpy(out, x, dim * sizeof *out);
	for (int turn = 0; turn < turns; turn++) {
		float *v = turn % 2 ? out + dim - window : out;

		flip_signs(v, window, (uint64_t)turn);
		transform(v, window);
	}
}

double lanewise_rotation_error(size_t dim)
{
	int steps = 0;

	for (size_t p = window_of(dim); p > 1; p /= 2)
		steps++;
	return turns_of(dim) * (steps + 3) * 0x1p-23;
}
