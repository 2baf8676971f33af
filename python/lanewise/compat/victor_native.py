# SPDX-License-Identifier: Apache-2.0
"""Victor's native extension, for what lanewise has: names, defaults and shapes of results are upstream's.

    import lanewise.compat.victor_native, sys; sys.modules["victor_native"] = lanewise.compat.victor_native

Vectors may be lists, as upstream takes them, or arrays, which are read where they lie.

Otherwise than upstream:
  - offsets in a str are code points; upstream's are bytes of UTF-8;
  - rolling_hash_blocks and the others of blocks end on any text (upstream hangs on a fence that is not closed), and take CR LF;
  - cosine similarity knows no least norm: only a vector of zeros has 0 with everything, tiny ones are right; ties of scores
    are in order of position;
  - EmbeddingIndex.query refuses a query of another dimension instead of finding nothing;
  - repair_json repairs what lanewise.json.repair does: much more, and correctly behind escapes in single quotes;
    extract_json_objects takes linear time and finds what is JSON as it stands;
  - compute_signature tells True from 1 and does not depend on the order of nested dicts; `upstream=True` does as upstream;
  - pagerank shares out the rank of nodes without neighbours, as NetworkX does; `dangling="drop"` loses it, as upstream. It counts
    nodes that are only neighbours too, with `dangling="drop"` not; it stops by the sum of changes, not the greatest;
  - detect_cycles gives one cycle for each strongly connected component that has one, in linear time and without recursion;
  - random_projection has entries on both sides of zero (upstream's are all negative or zero), from NumPy's generator;
  - secrets are found by lanewise's rules, which want a plausible value and boundaries around it, so `password = password` is none;
    kinds that upstream does not know are found too, under lanewise's name with _ for -. `upstream_only=True` leaves these out;
  - mask_secrets masks the secret alone, not the `key =` before it, and not equal text elsewhere;
  - chunks are those of lanewise.TextChunker: whole units with an overlap of whole units, cut between characters, in linear time;
    upstream ends at text that is not ASCII. chunk_with_overlap ends its chunks at line ends as upstream, and says how much each
    shares with the one before;
  - ThinkingDetector's advice is in other words;
  - classification (its lists of words are upstream's own; lanewise.Classifier takes yours), YAML and exact tokens are not here.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import _dedup
from .. import json as _json
from .. import vector as _vector
from ..chunk import TextChunker, chunk_text, text_tokens
from ..dedup import _FORM_OF_BLOCKS, Deduplicator, Unit, _normalized, xxh3_128
from ..graph import Graph
from ..pairs import neighbours, pairs, similarity
from ..repeat import ThoughtDetector, circular_phrases
from ..scan import Match, PatternSet
from ..scan import StreamFilter as _StreamFilter
from ..secrets import SecretScanner
from ..small import dot_int8, quantize_int8
from ..vector import Hits, Index, rows_of

__version__ = "0.5.0"

# ------------------------------------------------------------------- blocks


def normalize_block(block: str) -> str:
    """The form in which blocks are compared: whitespace collapsed, ASCII letters lower, no . , ; : at the end."""
    return _normalized(block.encode(), _FORM_OF_BLOCKS).decode()


def rolling_hash_blocks(content: str, min_block_length: int = 50) -> list[tuple[str, str, bool]]:
    """(hash, block, whether it came before) for each paragraph and fence; hash "" for those too short (in bytes) to count."""
    return _dedup.named_blocks(content, _FORM_OF_BLOCKS, min_block_length)


def find_duplicate_blocks(content: str, min_block_length: int = 50) -> list[tuple[int, str]]:
    """(number, hash) of the blocks that came before."""
    return [(number, name) for number, (name, _, repeated) in enumerate(rolling_hash_blocks(content, min_block_length)) if repeated]


class StreamingDeduplicator:
    """Blocks of a text that arrives in pieces, without those that came among the last `window_size`."""

    def __init__(self, window_size: int = 5, min_block_length: int = 50) -> None:
        self._options: dict[str, Any] = {"collapse": True, "lower": True, "trim": True, "trim_punctuation": True,
                                         "whitespace": "unicode", "min_length": min_block_length, "window": window_size}
        self.reset()

    def reset(self) -> None:
        self._dedup = Deduplicator("blocks", **self._options)
        self._held, self._held_from = bytearray(), 0
        self.duplicates_removed = 0

    def _emit(self, units: Sequence[Unit]) -> str:
        text, base = self._held, self._held_from
        kept = [text[unit.begin - base : unit.end - base] + b"\n\n" for unit in units if not unit.is_duplicate]
        self.duplicates_removed += len(units) - len(kept)
        if units:
            self._held_from = units[-1].end
            del text[: self._held_from - base]
        return b"".join(kept).decode()

    def process_chunk(self, chunk: str) -> str:
        """The blocks that are complete now and did not come before, each with an empty line behind it."""
        data = chunk.encode()
        self._held += data
        return self._emit(self._dedup.feed(data))

    def flush(self) -> str:
        """The last block, if it did not come before; then another text may begin."""
        last = self._emit(self._dedup.finish())
        self._held, self._held_from = bytearray(), 0
        return last.removesuffix("\n\n")


# --------------------------------------------------------------- signatures


def _render(value: Any, upstream: bool) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return str(int(value)) if upstream else "true" if value else "false"
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, float):
        return f"{value:.6f}".replace("nan", "NaN")
    if value is None:
        return "null"
    if not upstream and isinstance(value, Mapping):
        return "{" + ",".join(f"{key}={_render(value[key], False)}" for key in sorted(value, key=str)) + "}"
    if not upstream and isinstance(value, (list, tuple)):
        return "[" + ",".join(_render(element, False) for element in value) + "]"
    if not upstream and isinstance(value, (set, frozenset)):
        return "{" + ",".join(sorted(_render(element, False) for element in value)) + "}"
    return repr(value)


def compute_signature(tool_name: str, arguments: Mapping[str, Any], upstream: bool = False) -> str:
    """16 hexadecimal digits of a tool call: the low half of XXH3-128 of its name and its arguments in order of their names."""
    rendered = ",".join(f"{name}={_render(arguments[name], upstream)}" for name in sorted(arguments, key=str.encode))
    return f"{xxh3_128(f'{tool_name}:{rendered}') & 0xFFFFFFFFFFFFFFFF:016x}"


def compute_batch_signatures(tool_calls: Sequence[tuple[str, Mapping[str, Any]]], upstream: bool = False) -> list[str]:
    return [compute_signature(name, arguments, upstream) for name, arguments in tool_calls]


def signature_similarity(a: str, b: str) -> float:
    """1 if equal, 0 if of different length, else the share of equal characters."""
    if a == b:
        return 1.0
    return sum(map(str.__eq__, a, b)) / len(a) if len(a) == len(b) else 0.0


# --------------------------------------------------------------- similarity


def cosine_similarity(a: Any, b: Any) -> float:
    """0.0 for vectors of nothing; ValueError for different dimensions."""
    return float(_vector.cosine(a, b)) if len(a) or len(b) else 0.0


def batch_cosine_similarity(query: Any, corpus: Any) -> list[float]:
    return _vector.cosine(query, corpus).tolist() if len(corpus) else []


def similarity_matrix(queries: Any, corpus: Any, normalize: bool = True) -> list[list[float]]:
    """The cosines of all queries with all vectors; `normalize` changes nothing."""
    if not len(queries) or not len(corpus):
        return [[] for _ in range(len(queries))]
    matrix = similarity(queries, corpus)
    values, n = matrix.tolist(), len(corpus)
    return values if isinstance(values[0], list) else [values[i : i + n] for i in range(0, len(values), n)]


def _pairs_of(hits: Hits) -> list[tuple[int, float]]:
    return list(zip(hits.index.tolist(), hits.score.tolist()))


def top_k_similar(query: Any, corpus: Any, k: int = 10) -> list[tuple[int, float]]:
    """(position, cosine) of the best k, best first."""
    return _pairs_of(_vector.search(query, corpus, k)) if k > 0 and len(corpus) else []


def batch_normalize_vectors(vectors: Any) -> list[list[float]]:
    if not len(vectors):
        return []
    made, n = _vector.normalize(vectors).tolist(), len(vectors[0])
    return made if n == 0 or isinstance(made[0], list) else [made[i : i + n] for i in range(0, len(made), n)]


def batch_cosine_similarity_normalized(query: Any, normalized_corpus: Any) -> list[float]:
    """The same for vectors of length 1, which is a little faster."""
    return _vector.dot(_vector.normalize(query), normalized_corpus).tolist() if len(normalized_corpus) else []


def top_k_similar_normalized(query: Any, normalized_corpus: Any, k: int = 10) -> list[tuple[int, float]]:
    if k <= 0 or not len(normalized_corpus):
        return []
    return _pairs_of(_vector.search(_vector.normalize(query), normalized_corpus, k, "dot"))


class EmbeddingIndex:
    """Vectors with labels, searched by cosine."""

    def __init__(self, vectors: Any, labels: Sequence[str]) -> None:
        if len(vectors) != len(labels):
            raise ValueError(f"labels: {len(labels)} for {len(vectors)} vectors")
        self._labels: list[str] = []
        self._index: Index | None = None
        self._add(vectors, labels)

    def _add(self, vectors: Any, labels: Sequence[str]) -> None:
        if not len(vectors):
            return
        rows = rows_of(vectors, "vectors")
        if self._index is None:
            self._index = Index(rows.dim, "cosine")
        self._index.add(vectors)
        self._labels += labels

    def add(self, vector: Any, label: str) -> None:
        self._add([vector], [label])

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def dim(self) -> int:
        return 0 if self._index is None else self._index.dim

    def query(self, query: Any, k: int = 10, threshold: float = 0.0) -> list[tuple[str, float]]:
        """(label, cosine) of the best k that reach the threshold, best first."""
        if self._index is None or k <= 0:
            return []
        return [(self._labels[number], score) for number, score in _pairs_of(self._index.search(query, k, threshold))]

    def similarities(self, query: Any) -> list[float]:
        """The cosine of every vector, in order."""
        if self._index is None:
            return []
        scores = [0.0] * len(self)
        for number, score in _pairs_of(self._index.search(query, len(self))):
            scores[number] = score
        return scores


class QuantizedEmbedding(NamedTuple):
    """A vector as int8 and a scale."""

    data: Any
    scale: float
    zero_point: int = 0


def quantize_embedding(embedding: Any) -> QuantizedEmbedding:
    return QuantizedEmbedding(*quantize_int8(embedding))


def batch_quantize_embeddings(embeddings: Any) -> list[QuantizedEmbedding]:
    return [quantize_embedding(embedding) for embedding in embeddings]


def dequantize_embedding(quantized: QuantizedEmbedding) -> list[float]:
    return [value * quantized.scale for value in quantized.data.tolist()]


def quantized_cosine_similarity(a: QuantizedEmbedding, b: QuantizedEmbedding) -> float:
    """The cosine of the integers; 0.0 if one has only zeros."""
    norms = float(dot_int8(a.data, a.data)) * float(dot_int8(b.data, b.data))
    return float(dot_int8(a.data, b.data)) / norms**0.5 if norms else 0.0


def batch_quantized_cosine_similarity(query: QuantizedEmbedding, corpus: Sequence[QuantizedEmbedding]) -> list[float]:
    return [quantized_cosine_similarity(query, other) for other in corpus]


def matmul_vector(matrix: Any, vector: Any) -> list[float]:
    """The dot product of every row with the vector."""
    return _vector.dot(vector, matrix).tolist() if len(matrix) else []


def batch_matmul_vector(matrix: Any, vectors: Any) -> list[list[float]]:
    return [matmul_vector(matrix, vector) for vector in vectors]


def random_projection(embeddings: Any, target_dim: int, seed: int = 42) -> list[list[float]]:
    """Vectors of fewer dimensions with about the same distances: products with a matrix of numbers in +- sqrt(3 / target_dim)."""
    given = np.asarray(embeddings, np.float32)
    if given.ndim != 2 or target_dim < 1:
        raise ValueError(f"embeddings of shape {given.shape}, target_dim {target_dim}: rows and a positive number are needed")
    bound = (3 / target_dim) ** 0.5
    matrix = np.random.default_rng(seed).uniform(-bound, bound, (target_dim, given.shape[1])).astype(np.float32)
    return batch_matmul_vector(matrix, given)


def pairwise_distances(embeddings: Any) -> list[float]:
    """1 - cosine of all pairs i < j, row after row."""
    return [1.0 - score for score in pairs(embeddings, -float("inf")).score.tolist()] if len(embeddings) else []


def knn_graph(embeddings: Any, k: int = 5) -> list[tuple[list[int], list[float]]]:
    """(positions, distances) of the k nearest others of every vector, nearest first; the distance is 1 - cosine."""
    if not len(embeddings) or k <= 0:
        return [([], []) for _ in range(len(embeddings))]
    return [(hits.index.tolist(), [1.0 - score for score in hits.score.tolist()]) for hits in neighbours(embeddings, k)]


# --------------------------------------------------------------------- JSON


def repair_json(text: str) -> str:
    return _json.repair(text)


def extract_json_objects(text: str) -> list[tuple[int, int, str]]:
    """(begin, end, JSON) of the arrays and objects in a text."""
    return [tuple(span) for span in _json.extract(text)]  # type: ignore[misc]


def normalize_json_string(text: str) -> tuple[str, bool]:
    """(JSON, True): the text, or what it is repaired to."""
    return _json.repair(text), True


def batch_normalize_json_strings(texts: Sequence[str]) -> list[tuple[str, bool]]:
    return [normalize_json_string(text) for text in texts]


def is_valid_json(text: str) -> bool:
    try:
        _json.validate(text)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------- thinking filter

_TOKENS = ["<｜begin▁of▁thinking｜>", "<｜end▁of▁thinking｜>", "<|begin_of_thinking|>", "<|end_of_thinking|>", "<think>", "</think>"]
_TOKEN_SET = PatternSet(_TOKENS)


class StreamingChunkResult(NamedTuple):
    """What a chunk gave, and how the state changed."""

    content: str
    is_thinking: bool
    state_changed: bool
    entering_thinking: bool
    exiting_thinking: bool


class StreamingFilter:
    """Takes the marks of thinking out of a stream, and with `suppress_thinking` the thinking too."""

    def __init__(self, suppress_thinking: bool = False, max_thinking_content: int = 50000) -> None:
        self._suppress, self._most = suppress_thinking, max_thinking_content
        self._filter = _StreamFilter()
        self._length = 0

    def _result(self, parts: list[Any]) -> StreamingChunkResult:
        kinds = {part.kind for part in parts}
        wanted = ("outside",) if self._suppress else ("outside", "inside")
        self._length += sum(len(part.text) for part in parts if part.kind == "inside")
        entering, exiting = "start" in kinds, "end" in kinds
        return StreamingChunkResult("".join(part.text for part in parts if part.kind in wanted), self._filter.depth > 0,
                                    entering or exiting, entering, exiting)

    def process_chunk(self, chunk: str) -> StreamingChunkResult:
        return self._result(self._filter.parts(chunk))

    def flush(self) -> StreamingChunkResult:
        """The stream has ended: what was held back because it might have been the beginning of a mark."""
        return self._result(self._filter.finish_parts())

    def reset(self) -> None:
        self._filter.reset()
        self._length = 0

    def should_abort(self) -> bool:
        """Whether there was more thinking than `max_thinking_content` characters; after any chunk, not only at an end."""
        return self._length > self._most

    def get_abort_reason(self) -> str | None:
        return f"Thinking content exceeded {self._most} chars" if self.should_abort() else None

    def get_state(self) -> str:
        return "in_thinking" if self._filter.depth else "normal"

    def get_thinking_length(self) -> int:
        return self._length


def strip_thinking_tokens(content: str) -> str:
    """The text without the marks; what is between them stays."""
    return _replaced(content, _TOKEN_SET.find_all(content, "standard"), [""] * len(_TOKENS))


def contains_thinking_tokens(content: str) -> bool:
    return _TOKEN_SET.first(content, "standard") is not None


def find_thinking_tokens(content: str) -> list[tuple[int, int, int]]:
    """(begin, end, number of the mark); begins and ends alternate in the numbers."""
    return [(match.begin, match.end, match.pattern) for match in _TOKEN_SET.find_all(content, "standard")]


def extract_thinking_content(content: str) -> tuple[str, str]:
    """(the text outside of thinking, the thinking)."""
    stream = _StreamFilter()
    parts = stream.parts(content) + stream.finish_parts()
    return ("".join(part.text for part in parts if part.kind == "outside"),
            "".join(part.text for part in parts if part.kind == "inside"))


# ----------------------------------------------------------------- patterns


class PatternMatch(NamedTuple):
    pattern_idx: int
    matched_text: str
    start: int
    end: int


def _replaced(text: str, matches: Sequence[Match], replacements: Sequence[str]) -> str:
    pieces, at = [], 0
    for match in matches:
        pieces += [text[at : match.begin], replacements[match.pattern]]
        at = match.end
    return "".join([*pieces, text[at:]])


class PatternMatcher:
    """Many strings searched for at once; of those that begin at one place the longest counts."""

    def __init__(self, patterns: Sequence[str], case_insensitive: bool = True) -> None:
        self._patterns, self.case_insensitive = list(patterns), case_insensitive
        self._set = PatternSet(self._patterns, case_insensitive) if self._patterns else None

    def _matches(self, text: str) -> list[Match]:
        return [] if self._set is None else self._set.find_all(text, "leftmost-longest")

    def find_all(self, text: str) -> list[PatternMatch]:
        return [PatternMatch(m.pattern, text[m.begin : m.end], m.begin, m.end) for m in self._matches(text)]

    def contains_any(self, text: str) -> bool:
        return self._set is not None and self._set.first(text, "standard") is not None

    def count_matches(self, text: str) -> int:
        return 0 if self._set is None else self._set.count(text, "leftmost-longest")

    def matched_patterns(self, text: str) -> list[int]:
        """Numbers of patterns in order of their first match."""
        return list(dict.fromkeys(match.pattern for match in self._matches(text)))

    def matched_pattern_strings(self, text: str) -> list[str]:
        return [self._patterns[number] for number in self.matched_patterns(text)]

    def count_by_pattern(self, text: str) -> dict[int, int]:
        counts: dict[int, int] = {}
        for match in self._matches(text):
            counts[match.pattern] = counts.get(match.pattern, 0) + 1
        return counts

    def get_pattern(self, idx: int) -> str | None:
        return self._patterns[idx] if 0 <= idx < len(self._patterns) else None

    def pattern_count(self) -> int:
        return len(self._patterns)

    def replace_all(self, text: str, replacement: str) -> str:
        return _replaced(text, self._matches(text), [replacement] * len(self._patterns))

    def replace_all_with(self, text: str, replacements: Sequence[str]) -> str:
        if len(replacements) != len(self._patterns):
            raise ValueError(f"replacements: {len(replacements)} for {len(self._patterns)} patterns")
        return _replaced(text, self._matches(text), replacements)


_matcher = functools.lru_cache(512)(PatternMatcher)


def contains_any_pattern(text: str, patterns: Sequence[str], case_insensitive: bool = True) -> bool:
    return _matcher(tuple(patterns), case_insensitive).contains_any(text)


def find_all_patterns(text: str, patterns: Sequence[str], case_insensitive: bool = True) -> list[PatternMatch]:
    return _matcher(tuple(patterns), case_insensitive).find_all(text)


def count_pattern_matches(text: str, patterns: Sequence[str], case_insensitive: bool = True) -> int:
    """Of overlapping matches the one that ends first counts."""
    found = _matcher(tuple(patterns), case_insensitive)._set
    return 0 if found is None else found.count(text, "standard")


def get_matched_pattern_indices(text: str, patterns: Sequence[str], case_insensitive: bool = True) -> list[int]:
    """Numbers of patterns in order of their first match; of overlapping matches the one that ends first counts."""
    found = _matcher(tuple(patterns), case_insensitive)._set
    return [] if found is None else list(dict.fromkeys(match.pattern for match in found.find_all(text, "standard")))


def batch_contains_any(texts: Sequence[str], patterns: Sequence[str], case_insensitive: bool = True) -> list[bool]:
    matcher = _matcher(tuple(patterns), case_insensitive)
    return [matcher.contains_any(text) for text in texts]


def weighted_pattern_score(text: str, patterns: Sequence[str], weights: Sequence[float], case_insensitive: bool = True) -> float:
    """The sum of the weights of the patterns that match, each once."""
    if len(patterns) != len(weights):
        raise ValueError(f"weights: {len(weights)} for {len(patterns)} patterns")
    return float(sum(weights[number] for number in _matcher(tuple(patterns), case_insensitive).matched_patterns(text)))


# ------------------------------------------------------------------- graphs


def _numbered(adjacency: Mapping[str, Iterable[str]], others: bool) -> tuple[list[str], dict[str, int]]:
    """Nodes in order of mention; with `others`, those that are only neighbours too."""
    names = list(adjacency)
    if others:
        names = list(dict.fromkeys([*names, *(target for targets in adjacency.values() for target in targets)]))
    return names, {name: number for number, name in enumerate(names)}


def _edges(adjacency: Mapping[str, Iterable[str]], numbers: dict[str, int]) -> tuple[list[int], list[int]]:
    sources: list[int] = []
    targets: list[int] = []
    for name, others in adjacency.items():
        known = [numbers[other] for other in others if other in numbers]
        sources += [numbers[name]] * len(known)
        targets += known
    return sources, targets


def _drop_dangling(adjacency: Mapping[str, Mapping[str, float]], names: list[str], damping: float, iterations: int,
                   tolerance: float) -> dict[str, float]:
    """PageRank as upstream has it: neighbours that are no keys get nothing, but take their share. One node more stands for
    them, which begins with a share of its own; a hundred iterations leave some 1e-7 of that."""
    outside = len(names)
    numbers = {name: number for number, name in enumerate(names)}
    sources, targets, weights = [], [], []
    for name, others in adjacency.items():
        for other, weight in others.items():
            if weight > 0:
                sources.append(numbers[name])
                targets.append(numbers.get(other, outside))
                weights.append(float(weight))
    is_needed = outside in targets
    graph = Graph(sources, targets, weights, n_nodes=outside + is_needed)
    everyone = [1.0] * outside + [0.0] * is_needed
    ranks = graph.pagerank(damping, tolerance / len(everyone), iterations, everyone, redistribute=False)
    return dict(zip(names, ranks.tolist()))


def pagerank(adjacency: Mapping[str, Sequence[str]], damping: float = 0.85, iterations: int = 100, tolerance: float = 1e-6,
             dangling: str = "redistribute") -> dict[str, float]:
    """The rank of every node; a neighbour that is there twice counts twice."""
    counted: dict[str, dict[str, float]] = {}
    for name, others in adjacency.items():
        counts: dict[str, float] = {}
        for other in others:
            counts[other] = counts.get(other, 0.0) + 1.0
        counted[name] = counts
    return weighted_pagerank(counted, damping, iterations, tolerance, dangling)


def weighted_pagerank(adjacency: Mapping[str, Mapping[str, float]], damping: float = 0.85, iterations: int = 100,
                      tolerance: float = 0.0, dangling: str = "redistribute") -> dict[str, float]:
    """The same with weights; those of 0 or less do not count."""
    if dangling not in ("redistribute", "drop"):
        raise ValueError(f"dangling: {dangling!r} is neither redistribute nor drop")
    names, numbers = _numbered(adjacency, dangling == "redistribute")
    if not names:
        return {}
    if dangling == "drop":
        return _drop_dangling(adjacency, names, damping, iterations, tolerance)
    edges = [(numbers[name], numbers[other], float(weight)) for name, others in adjacency.items() for other, weight in others.items()
             if weight > 0]
    graph = Graph([e[0] for e in edges], [e[1] for e in edges], [e[2] for e in edges], n_nodes=len(names))
    return dict(zip(names, graph.pagerank(damping, tolerance, iterations).tolist()))


def betweenness_centrality(adjacency: Mapping[str, Sequence[str]], normalized: bool = True) -> dict[str, float]:
    """The share of shortest paths through every node; a neighbour that is there twice is one."""
    names, numbers = _numbered(adjacency, False)
    graph = Graph(*_edges(adjacency, numbers), n_nodes=len(names), duplicates="drop")
    return dict(zip(names, graph.betweenness(normalized).tolist()))


def connected_components(adjacency: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The nodes that hang together, direction aside, in order of their first node."""
    names, numbers = _numbered(adjacency, True)
    components: dict[int, list[str]] = {}
    found = Graph(*_edges(adjacency, numbers), n_nodes=len(names)).components().tolist()
    for name, component in zip(names, found):
        components.setdefault(component, []).append(name)
    return list(components.values())


def detect_cycles(adjacency: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """A cycle of each strongly connected component of more than one node."""
    names, numbers = _numbered(adjacency, True)
    sources, targets = _edges(adjacency, numbers)
    component = Graph(sources, targets, n_nodes=len(names)).components(strong=True).tolist()
    inside: dict[int, list[tuple[int, int]]] = {}
    for source, target in zip(sources, targets):
        if source != target and component[source] == component[target]:
            inside.setdefault(component[source], []).append((source, target))
    cycles = []
    for edges in inside.values():
        local = {node: number for number, node in enumerate(dict.fromkeys(node for edge in edges for node in edge))}
        nodes = list(local)
        cycle = Graph([local[a] for a, _ in edges], [local[b] for _, b in edges], n_nodes=len(nodes)).find_cycle()
        cycles.append([names[nodes[number]] for number in cycle])
    return cycles


# ------------------------------------------------------------------ secrets

# lanewise's rules under upstream's names and severities. Several rules may be one of upstream's kinds.
_SECRETS = {
    "aws-access-key": ("aws_access_key", "high"), "aws-secret-key": ("aws_secret_key", "critical"),
    "openai-legacy-key": ("openai_api_key", "high"), "openai-key": ("openai_api_key_v2", "high"),
    "anthropic-key": ("anthropic_api_key", "high"), "google-api-key": ("google_api_key", "high"),
    "github-token": ("github_token", "high"), "github-app-token": ("github_token", "high"),
    "github-oauth-token": ("github_oauth", "high"), "slack-token": ("slack_token", "high"),
    "slack-webhook": ("slack_webhook", "medium"), "discord-token": ("discord_token", "high"),
    "private-key": ("private_key", "critical"), "database-url": ("database_url", "critical"),
    "api-key": ("generic_api_key", "medium"), "password": ("generic_password", "medium"),
    "password-bare": ("generic_password", "medium"), "secret-value": ("generic_password", "medium"), "jwt": ("jwt_token", "medium"),
    "stripe-key": ("stripe_key", "high"), "twilio-key": ("twilio_sid", "medium"), "sendgrid-key": ("sendgrid_key", "high"),
    "heroku-api-key": ("heroku_api_key", "high"),
}


class SecretMatch(NamedTuple):
    """What was found: [start, end) of the text with the name before a value, and its line, from 1."""

    secret_type: str
    matched_text: str
    severity: str
    start: int
    end: int
    line_number: int


@functools.lru_cache(1)
def _scanner() -> SecretScanner:
    return SecretScanner()


def _kind_of(rule: str) -> tuple[str, str]:
    return _SECRETS.get(rule, (rule.replace("-", "_"), "high"))


def list_secret_patterns(upstream_only: bool = False) -> list[str]:
    """The names of all kinds of secrets."""
    return list(dict.fromkeys(_kind_of(rule.name)[0] for rule in _scanner().rules if rule.name in _SECRETS or not upstream_only))


def scan_secrets(text: str, upstream_only: bool = False) -> list[SecretMatch]:
    """The secrets of a text: kind by kind in the order of list_secret_patterns(), then as they come."""
    order = {name: number for number, name in enumerate(list_secret_patterns())}
    found = [SecretMatch(*_names(secret.rule, text[secret.match_begin : secret.match_end]), secret.match_begin, secret.match_end,
                         secret.line)
             for secret in _scanner().scan(text) if secret.rule in _SECRETS or not upstream_only]
    return sorted(found, key=lambda match: order[match.secret_type])


def _names(rule: str, matched: str) -> tuple[str, str, str]:
    kind, severity = _kind_of(rule)
    return kind, matched, severity


def has_secrets(text: str) -> bool:
    """Whether there is one."""
    return _scanner().any(text)


def get_secret_types(text: str) -> list[str]:
    """The kinds that a text has, in the order of list_secret_patterns()."""
    return list(dict.fromkeys(_kind_of(rule)[0] for rule in _scanner().types(text)))


def mask_secrets(text: str, mask_char: str = "*", visible_chars: int = 4) -> str:
    """The text with its secrets masked, but for so many characters at both ends of those that are longer than both."""
    return _scanner().mask(text, mask_char, visible_chars, visible_chars)


def scan_secrets_summary(text: str) -> dict[str, Any]:
    """How many secrets a text has, in all, by kind and by severity."""
    matches = scan_secrets(text)
    return {"total_matches": len(matches), "has_secrets": bool(matches), "by_type": dict(Counter(m.secret_type for m in matches)),
            "by_severity": dict(Counter(m.severity for m in matches))}


# ------------------------------------------------------- thoughts in circles

# Words that tell what a thought is about, and what to do when it goes in circles.
_CATEGORIES = (
    ("file_read", ("read", "file", "content"), "Read it now, or use what was read before."),
    ("search", ("search", "find", "look for"), "Search now, with another query, or use what was found."),
    ("analysis", ("understand", "analyze", "examine"), "Go on with what is understood so far."),
    ("implementation", ("implement", "create", "write"), "Write it now."),
)
_LOOPS = {"stall": "STALLING DETECTED: {} announcements in a row and no action. ",
          "repeat": "LOOP DETECTED: this thought has come {} times. ",
          "similar": "LOOP DETECTED: this thought has come {} times, {:.0%} alike. "}


def _category(text: str) -> tuple[str, str]:
    lower = text.lower()
    for name, signs, advice in _CATEGORIES:
        if any(sign in lower for sign in signs):
            return name, advice
    return "general", "Try something else, or act."


class ThinkingDetector:
    """Tells of thoughts, one after the other, when they go in circles: lanewise.ThoughtDetector with upstream's names."""

    def __init__(self, repetition_threshold: int = 3, similarity_threshold: float = 0.65, window_size: int = 10,
                 stalling_threshold: int = 2) -> None:
        self._detector = ThoughtDetector(repetition_threshold, similarity_threshold, window_size, stalling_threshold)
        self._window = window_size
        self.clear_stats()
        self._history = 0

    def record_thinking(self, content: str) -> tuple[bool, str]:
        """Whether the next thought makes a loop, and advice to break it, or ""."""
        thought = self._detector.record(content)
        self._counts["total_analyzed"] += 1
        self._history = min(self._history + 1, self._window)
        if not thought.is_loop:
            return False, ""
        self._counts["loops_detected"] += 1
        self._counts[thought.kind] += 1
        return True, _LOOPS[thought.kind].format(thought.times, thought.similarity) + _category(content)[1]

    def reset(self) -> None:
        """A new task: all thoughts are forgotten."""
        self._detector.reset()
        self._history = 0

    def clear_stats(self) -> None:
        """Only the counts of get_stats() begin again."""
        self._counts: Counter[str] = Counter()

    def get_stats(self) -> dict[str, Any]:
        """How many thoughts came, and how many of them made which loops."""
        total, loops = self._counts["total_analyzed"], self._counts["loops_detected"]
        return {"total_analyzed": total, "loops_detected": loops, "exact_matches": self._counts["repeat"],
                "similar_matches": self._counts["similar"], "stalling_detected": self._counts["stall"],
                "detection_rate": loops / total if total else 0.0, "history_size": self._history}


def detect_circular_phrases(text: str) -> bool:
    """Whether a text has a phrase like "let me check"."""
    return circular_phrases(text).times > 0


def count_circular_patterns(text: str) -> int:
    """How many of them it has."""
    return circular_phrases(text).times


# ----------------------------------------------------------------- chunking


def chunk_by_chars(text: str, chunk_size: int = 1344, overlap: int = 128) -> list[str]:
    """Chunks of so many characters, trimmed, each with the last ones of the one before."""
    return chunk_text(text, chunk_size, overlap, "characters", trim=True)


def chunk_by_sentences(text: str, chunk_size: int = 1344, overlap: int = 128) -> list[str]:
    """Chunks of whole sentences."""
    return chunk_text(text, chunk_size, overlap, "sentences", trim=True)


def chunk_by_paragraphs(text: str, chunk_size: int = 1344, overlap: int = 128) -> list[str]:
    """Chunks of whole paragraphs."""
    return chunk_text(text, chunk_size, overlap, "paragraphs", trim=True)


class ChunkInfo(NamedTuple):
    """A chunk, its lines (from 1), [start_offset, end_offset) of the text, and how much of it the chunk before has too."""

    text: str
    start_line: int
    end_line: int
    start_offset: int
    end_offset: int
    overlap_prev: int
    chunk_index: int


def chunk_with_overlap(text: str, chunk_size: int = 1344, overlap: int = 128) -> list[ChunkInfo]:
    """Chunks of whole lines; of characters where a line is longer than a chunk."""
    chunks = []
    line, at = 1, 0
    for number, chunk in enumerate(TextChunker(chunk_size, overlap, "lines").chunks(text)):
        line += text.count("\n", at, chunk.begin) if chunk.begin >= at else -text.count("\n", chunk.begin, at)
        at = chunk.begin
        last = line + text.count("\n", at, chunk.end - 1)
        chunks.append(ChunkInfo(chunk.text, line, last, at, chunk.end, chunk.fresh - at, number))
    return chunks


def count_tokens_fast(text: str) -> int:
    """About how many tokens a language model makes of a text: lanewise.text_tokens()."""
    return text_tokens(text)


# -------------------------------------------------------------------- lines


def count_lines(text: str) -> int:
    """0 for an empty text, else one more than there are newlines."""
    return text.count("\n") + 1 if text else 0


def find_line_boundaries(text: str) -> list[int]:
    """Where lines begin."""
    return [0, *(match.end() for match in re.finditer("\n", text) if match.end() < len(text))] if text else []


def line_at_offset(text: str, offset: int) -> int:
    """The number of the line that an offset is in, from 1; the last one for offsets behind the text."""
    return 1 + text.count("\n", 0, max(0, min(offset, len(text) - 1)))
