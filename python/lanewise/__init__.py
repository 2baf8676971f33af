# SPDX-License-Identifier: Apache-2.0
"""SIMD kernels for retrieval and LLM text work: vectors, word search, patterns, duplicates, graphs, bytes.

Buffers (NumPy arrays, array.array, memoryview, bytes) are read where they lie; results are NumPy arrays where NumPy is
installed, else array.array. Every call releases the GIL while C code runs. Results are the same bits on every CPU.
"""

from . import json
from ._library import DataError
from .codec import (Event, EventStream, b64decode, b64encode, format_timestamp, parse_timestamp, parse_timestamps, utf8_count,
                    utf8_valid_prefix)
from .dedup import Deduplicator, LoopDetector, Unit, unique_blocks, unique_lines, xxh3_64, xxh3_64_batch, xxh3_128
from .graph import Graph
from .runtime import active_tier, selftest, set_tier, show_runtime, tiers, version
from .scan import Match, Part, PatternSet, PatternStream, StreamFilter, cut
from .text import BM25, Word, embed, fuse, words
from .vector import Hits, Index, cosine, dot, l2sq, norm, normalize, search, topk

__version__ = "0.1.0"

__all__ = [
    "BM25", "DataError", "Deduplicator", "Event", "EventStream", "Graph", "Hits", "Index", "LoopDetector", "Match", "Part",
    "PatternSet", "PatternStream", "StreamFilter", "Unit", "Word", "active_tier", "b64decode", "b64encode", "cosine", "cut",
    "dot", "embed", "format_timestamp", "fuse", "json", "l2sq", "norm", "normalize", "parse_timestamp", "parse_timestamps",
    "search", "selftest", "set_tier", "show_runtime", "tiers", "topk", "unique_blocks", "unique_lines", "utf8_count",
    "utf8_valid_prefix", "version", "words", "xxh3_64", "xxh3_64_batch", "xxh3_128",
]
