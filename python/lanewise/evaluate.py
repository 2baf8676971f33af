# SPDX-License-Identifier: Apache-2.0
"""How good a retrieval is: rankings against judgements, answers and contexts against words (lanewise/evaluate.h)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ._library import check, empty, ffi, integers, lib, pointer, room, scratch, text_bytes
from .text import Text
from .vector import Hits

# ----------------------------------------------------------------- rankings


class Metrics(NamedTuple):
    """Of one ranking, or the means of many (then n_relevant is the sum)."""

    ndcg: float
    average_precision: float
    reciprocal_rank: float
    precision: float
    recall: float
    n_relevant: int


def ranking(index: Any, gains: Mapping[int, float], k: int = 10) -> Metrics:
    """The metrics of a ranked list (numbers, best first, or Hits), cut after k. `gains` are the judgements: of the documents
    judged, how relevant each is; above 0 is relevant. Formulas: lanewise/evaluate.h."""
    numbers = integers("I", index.index if isinstance(index, Hits) else index, "index")
    n, metrics = len(gains), ffi.new("lanewise_ranking_metrics *")
    judgements = room("lanewise_judgement", n)
    for i, (document, gain) in enumerate(gains.items()):
        judgements[i].document, judgements[i].gain = document, gain
    status = lib.lanewise_evaluate_ranking(pointer("uint32_t *", numbers), len(numbers), judgements, n, k,
                                           scratch(lib.lanewise_evaluate_ranking_scratch_size(n)), metrics)
    if status == lib.LANEWISE_ERROR_ARGUMENT:
        raise ValueError(f"k {k} is not positive, or a gain is not finite")
    check(status)
    m = metrics[0]
    return Metrics(m.ndcg, m.average_precision, m.reciprocal_rank, m.precision, m.recall, m.n_relevant)


def rankings(indexes: Sequence[Any], gains: Sequence[Mapping[int, float]], k: int = 10) -> Metrics:
    """The means over many queries: nDCG, MAP, MRR, precision, recall. Queries without relevant documents are left out."""
    if len(indexes) != len(gains):
        raise ValueError(f"gains: {len(gains)} for {len(indexes)} rankings")
    found = [m for m in map(ranking, indexes, gains, [k] * len(gains)) if m.n_relevant]
    n = len(found) or 1
    means = [sum(m[column] for m in found) / n for column in range(5)]
    return Metrics(means[0], means[1], means[2], means[3], means[4], sum(m.n_relevant for m in found))


# -------------------------------------------------------------------- words


def word_hashes(text: Text, repeats: bool = False) -> Any:
    """The words of a text as hashes, ascending (uint64): each once, or with `repeats` as often as it occurs."""
    data, n = text_bytes(text), ffi.new("size_t *")
    capacity = lib.lanewise_text_words_bound(len(data))
    hashes = room("uint64_t", capacity)
    check(lib.lanewise_text_word_hashes(ffi.from_buffer(data), len(data), repeats, hashes, capacity, n))
    out = empty("Q", n[0])
    ffi.memmove(ffi.from_buffer(out, require_writable=True) if n[0] else ffi.NULL, hashes, 8 * n[0])
    return out


def _hashes(value: Any, repeats: bool, what: str) -> Any:
    return word_hashes(value, repeats) if isinstance(value, (str, bytes)) else integers("Q", value, what)


def overlap(a: Any, b: Any) -> int:
    """How many different words two texts (or ascending arrays of uint64) have in common; repetitions in an array a count."""
    x, y = _hashes(a, False, "a"), _hashes(b, False, "b")
    return int(lib.lanewise_overlap_u64(pointer("uint64_t *", x), len(x), pointer("uint64_t *", y), len(y)))


def jaccard(a: Any, b: Any, repeats: bool = False) -> float:
    """The Jaccard similarity of the words of two texts (or of ascending arrays of uint64), of sets or, with `repeats`, of
    multisets; 0 if both are empty."""
    x, y = _hashes(a, repeats, "a"), _hashes(b, repeats, "b")
    return float(lib.lanewise_jaccard_u64(pointer("uint64_t *", x), len(x), pointer("uint64_t *", y), len(y)))


def _parts(texts: Sequence[Any], repeats: bool, what: str) -> tuple[Any, Any]:
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"{what}: a sequence of texts is needed, not one")
    parts = [bytes(memoryview(_hashes(text, repeats, f"{what}[{i}]"))) for i, text in enumerate(texts)]
    ends, at = room("size_t", len(parts)), 0
    for i, part in enumerate(parts):
        at += len(part) // 8
        ends[i] = at
    return b"".join(parts), ends


def jaccard_matrix(a: Sequence[Any], b: Sequence[Any], repeats: bool = False) -> Any:
    """jaccard() of every text of a with every text of b: a matrix of float64 (without NumPy an array.array, row after row)."""
    (x, x_end), (y, y_end) = _parts(a, repeats, "a"), _parts(b, repeats, "b")
    out = empty("d", len(a), len(b))
    if len(a) and len(b):
        lib.lanewise_jaccard_u64_matrix(pointer("uint64_t *", x), x_end, len(a), pointer("uint64_t *", y), y_end, len(b),
                                        pointer("double *", out))
    return out


# ---------------------------------------------------- answers and contexts


class _Pieces:
    """Texts as lanewise_piece, which live as long as this."""

    def __init__(self, *groups: Sequence[Text]) -> None:
        self.data = [[text_bytes(text) for text in group] for group in groups]
        self.buffers = [[ffi.from_buffer(text) for text in group] for group in self.data]
        self.groups = []
        for texts, buffers in zip(self.data, self.buffers):
            pieces = ffi.new("lanewise_piece[]", len(texts) or 1)
            for i, buffer in enumerate(buffers):
                pieces[i].text, pieces[i].n_bytes = buffer, len(texts[i])
            self.groups.append(pieces)
        n_bytes = sum(len(text) for group in self.data for text in group)
        self.scratch = scratch(lib.lanewise_rag_scratch_size(n_bytes, sum(map(len, self.data))))


def _rag_options(at_least: bool, repeats: bool = False, supported: float = 0.5, same: float = 0.7, relevant: float = 0.3) -> Any:
    for name, value in (("supported", supported), ("same", same), ("relevant", relevant)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: {value} is not 0 to 1")
    return ffi.new("lanewise_rag_options *", {"struct_size": ffi.sizeof("lanewise_rag_options"), "at_least": at_least,
                                              "repeats": repeats, "supported": supported, "same": same, "relevant": relevant})


def _texts(texts: Sequence[Text], what: str) -> Sequence[Text]:
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"{what}: a sequence of texts is needed, not one")
    return texts


def faithfulness(answer: Text, contexts: Sequence[Text], supported: float = 0.5, at_least: bool = False,
                 repeats: bool = False) -> float:
    """The share of the answer's sentences whose words occur in the contexts: more than `supported` of the different words, or
    with `repeats` of all; `at_least` takes exactly that share too."""
    pieces, result = _Pieces([answer], _texts(contexts, "contexts")), ffi.new("double *")
    check(lib.lanewise_faithfulness(pieces.groups[0][0], pieces.groups[1], len(contexts), _rag_options(at_least, repeats, supported),
                                    pieces.scratch, result))
    return float(result[0])


def answer_relevancy(question: Text, answer: Text) -> float:
    """0.7 * the share of the question's words that the answer has + 0.3 * min(1, the answer's words / twice the question's)."""
    pieces, result = _Pieces([question, answer]), ffi.new("double *")
    check(lib.lanewise_answer_relevancy(pieces.groups[0][0], pieces.groups[0][1], pieces.scratch, result))
    return float(result[0])


def context_precision(question: Text, contexts: Sequence[Text], truths: Sequence[Text] = (), same: float = 0.7,
                      relevant: float = 0.3, at_least: bool = False) -> float:
    """The share of the contexts that are right: whose Jaccard similarity with one of the truths is over `same`, or, without
    truths, which have more than `relevant` of the question's words."""
    pieces, result = _Pieces([question], _texts(contexts, "contexts"), _texts(truths, "truths")), ffi.new("double *")
    check(lib.lanewise_context_precision(pieces.groups[0][0], pieces.groups[1], len(contexts), pieces.groups[2], len(truths),
                                         _rag_options(at_least, same=same, relevant=relevant), pieces.scratch, result))
    return float(result[0])


def context_recall(contexts: Sequence[Text], truths: Sequence[Text], same: float = 0.7, at_least: bool = False) -> float:
    """The share of the truths that one of the contexts is the same as; 1 if there are no truths."""
    pieces, result = _Pieces(_texts(contexts, "contexts"), _texts(truths, "truths")), ffi.new("double *")
    check(lib.lanewise_context_recall(pieces.groups[0], len(contexts), pieces.groups[1], len(truths),
                                      _rag_options(at_least, same=same), pieces.scratch, result))
    return float(result[0])


