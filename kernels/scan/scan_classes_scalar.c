/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of scan_classes. */
#include "common.h"

void LW_FN(scan_classes)(const uint8_t class_of[256], const uint8_t *text, size_t n, uint8_t *classes)
{
	for (size_t i = 0; i < n; i++)
		classes[i] = class_of[text[i]];
}
