/* SPDX-License-Identifier: Apache-2.0 */
/* lanewise/lanewise.h - the whole public interface. Each header also stands alone. */
#ifndef LANEWISE_LANEWISE_H
#define LANEWISE_LANEWISE_H

#include "activation.h"
#include "base.h"
#include "base64.h"
#include "bits.h"
#include "bm25.h"
#include "chunk.h"
#include "classify.h"
#include "dedup.h"
#include "evaluate.h"
#include "file.h"
#include "filter.h"
#include "fusion.h"
#include "graph.h"
#include "half.h"
#include "hash.h"
#include "index.h"
#include "int8.h"
#include "json.h"
#include "near.h"
#include "pairs.h"
#include "parallel.h"
#include "pq.h"
#include "repeat.h"
#include "scan.h"
#include "secrets.h"
#include "sse.h"
#include "text.h"
#include "text_chunk.h"
#include "timestamp.h"
#include "topk.h"
#include "utf8.h"
#include "vector.h"

#endif
