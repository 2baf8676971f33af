/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/text.h - words of UTF-8 text. */
#ifndef LANEWISE_TEXT_H
#define LANEWISE_TEXT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Writes the embedded default's vector of a text to out[0 ... dim): signed feature hashing (Weinberger et al. 2009) of
 * its case-folded words and pairs of neighbouring words, L2-normalised; zeros if there is no word.
 */
LANEWISE_API lanewise_status lanewise_text_embed_f32(const char *text, size_t n_bytes, size_t dim, float *out);

#ifdef __cplusplus
}
#endif

#endif
