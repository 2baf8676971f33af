/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/lanewise.h - the whole public interface. Each header also stands alone. */
#ifndef LANEWISE_LANEWISE_H
#define LANEWISE_LANEWISE_H

#include "base.h"
#include "bm25.h"
#include "evaluate.h"
#include "file.h"
#include "fusion.h"
#include "hash.h"
#include "parallel.h"
#include "text.h"
#include "topk.h"
#include "vector.h"

#endif
