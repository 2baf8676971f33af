# SPDX-License-Identifier: Apache-2.0
"""SIMD kernels for retrieval and LLM text work: vectors, word search, patterns, duplicates, graphs, bytes.

Buffers (NumPy arrays, array.array, memoryview, bytes) are read where they lie; results are NumPy arrays where NumPy is
installed, else array.array. Every call releases the GIL while C code runs. Results are the same bits on every CPU.
"""

from . import evaluate, json
from ._library import DataError, UndecidedError
from ._threads import get_num_threads, set_num_threads
from .activation import mean_pool, sigmoid, softmax
from .chunk import Chunk, Chunker, ChunkStream, TextChunker, chunk_text, fastcdc, text_tokens
from .classify import Classification, Classifier, ClassScore
from .codec import (Event, EventStream, b64decode, b64encode, format_timestamp, parse_timestamp, parse_timestamps, utf8_count,
                    utf8_valid_prefix)
from .dedup import (XXH3, Deduplicator, LoopDetector, Unit, normalize_text, unique_blocks, unique_lines, xxh3_64, xxh3_64_batch,
                    xxh3_128)
from .graph import Graph, Schedule, parent_order
from .near import LSH, MinHash, Near, SimHash, near_duplicates, shingles
from .pairs import Pairs, dedup_rows, neighbours, pairs, similarity
from .pq import PQ
from .repeat import CircularPhrases, NGrams, Repeat, RepeatGuard, Thought, ThoughtDetector, call_signatures, circular_phrases
from .runtime import active_tier, selftest, set_tier, show_runtime, tiers, version
from .scan import Match, Matches, Part, PatternSet, PatternStream, StreamFilter, cut
from .secrets import Rule, Secret, SecretScanner, shannon_entropy
from .seen import SeenMap, SeenSet
from .small import (cosine_half, dot_bf16_approx, dot_half, dot_int8, from_half, hamming, jaccard_bits, l2sq_half,
                    quantize_int8, to_half)
from .template import Template
from .text import BM25, Analyzer, BM25Builder, Word, embed, fuse, fuse_scores, words
from .vector import Hits, Index, cosine, dot, l2sq, norm, normalize, search, search_many, topk

__version__ = "0.1.0"

__all__ = [
    "Analyzer", "BM25", "BM25Builder", "Chunk", "ChunkStream", "Chunker", "CircularPhrases", "ClassScore", "Classification",
    "Classifier", "DataError", "Deduplicator", "Event", "EventStream", "Graph", "Hits", "Index", "LSH", "LoopDetector",
    "Match", "Matches", "MinHash", "NGrams", "Near", "PQ", "Pairs", "Part", "PatternSet", "PatternStream", "Repeat",
    "RepeatGuard", "Rule", "Schedule", "Secret", "SecretScanner", "SeenMap", "SeenSet", "SimHash", "StreamFilter", "Template",
    "TextChunker", "Thought", "ThoughtDetector", "UndecidedError", "Unit", "Word", "XXH3", "active_tier", "b64decode", "b64encode",
    "call_signatures", "chunk_text",
    "circular_phrases", "cosine", "cosine_half", "cut", "dedup_rows", "dot", "dot_bf16_approx", "dot_half", "dot_int8",
    "embed", "evaluate",
    "fastcdc", "format_timestamp", "from_half", "fuse", "fuse_scores", "get_num_threads", "hamming", "jaccard_bits", "json",
    "l2sq", "l2sq_half", "mean_pool", "near_duplicates", "neighbours", "norm", "normalize", "normalize_text", "pairs",
    "parent_order", "parse_timestamp", "parse_timestamps", "quantize_int8", "search", "search_many", "selftest",
    "set_num_threads", "set_tier", "shannon_entropy", "shingles", "show_runtime", "sigmoid", "similarity", "softmax",
    "text_tokens", "tiers", "to_half", "topk", "unique_blocks", "unique_lines", "utf8_count", "utf8_valid_prefix",
    "version", "words", "xxh3_128", "xxh3_64", "xxh3_64_batch",
]
