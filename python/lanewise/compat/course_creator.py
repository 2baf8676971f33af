# SPDX-License-Identifier: Apache-2.0
"""Course Creator: similarity of embeddings, measures of retrieval-augmented generation, fusion of rankings.

Otherwise than upstream:
  - texts are made words by lanewise (letters and digits, case-folded), where upstream splits at whitespace, so "cat." and "cat" are
    the same here;
  - upstream has two versions of faithfulness that disagree. The default is the older one: different words, more than half.
    `numba=True` counts every word and takes half: the later one;
  - fusion by ranks and by scores breaks ties by document number; upstream's order of ties is that of a dict or a set;
  - a query or row with a NaN makes a NaN, where upstream's clip would too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import evaluate
from ..pairs import dedup_rows, pairs, similarity
from ..text import fuse, fuse_scores
from ..vector import cosine

__all__ = ["answer_relevancy", "batch_cosine_similarity", "compute_similarity_matrix", "context_precision", "context_recall",
           "cosine_similarity", "deduplicate_embeddings", "faithfulness", "find_duplicates_fast", "overall_score",
           "reciprocal_rank_fusion", "statistics", "text_similarity", "weighted_fusion", "weighted_similarity"]


def cosine_similarity(a: Any, b: Any) -> float:
    """0.0 if one of them is 0."""
    return float(cosine(a, b))


def batch_cosine_similarity(query: Any, embeddings: Any) -> Any:
    """The cosine of a query with every row, in -1 ... 1 (float32)."""
    return cosine(query, embeddings)


def compute_similarity_matrix(embeddings: Any) -> Any:
    """The cosines of all rows with all (float32)."""
    return similarity(embeddings)


def weighted_similarity(similarities: Any, weights: Any) -> float:
    """The mean of some similarities by weights; 0 if these add up to 0."""
    values, shares = np.asarray(similarities, np.float64), np.asarray(weights, np.float64)
    total = float(shares.sum())
    return float(values @ shares) / total if total else 0.0


def find_duplicates_fast(embeddings: Any, threshold: float = 0.95) -> list[tuple[int, int, float]]:
    """(i, j, similarity), i < j, of the pairs whose similarity is at least the threshold."""
    found = pairs(embeddings, threshold)
    return list(zip(found.first.tolist(), found.second.tolist(), found.score.tolist()))


def deduplicate_embeddings(embeddings: Any, threshold: float = 0.95) -> list[int]:
    """The rows that are not similar to an earlier one; earlier ones that were dropped count too, as upstream has it."""
    original = dedup_rows(embeddings, threshold, rule="transitive")
    return np.flatnonzero(original == np.arange(len(original))).tolist()


def text_similarity(a: str, b: str) -> float:
    """The Jaccard similarity of the sets of words; 0 if one has none."""
    return evaluate.jaccard(a, b)


def faithfulness(answer: str, contexts: Sequence[str], numba: bool = False) -> float:
    """The share of the answer's sentences of which over half the words occur in the contexts; `numba`: see above."""
    return evaluate.faithfulness(answer, contexts, at_least=numba, repeats=numba)


def answer_relevancy(question: str, answer: str) -> float:
    return evaluate.answer_relevancy(question, answer)


def context_precision(question: str, contexts: Sequence[str], ground_truth: Sequence[str] | None = None) -> float:
    return evaluate.context_precision(question, contexts, ground_truth or ())


def context_recall(contexts: Sequence[str], ground_truth: Sequence[str] | None = None) -> float:
    """1.0 without ground truth."""
    return evaluate.context_recall(contexts, ground_truth or ())


def overall_score(faithfulness: float, relevancy: float, precision: float, recall: float) -> float:
    return 0.3 * faithfulness + 0.3 * relevancy + 0.2 * precision + 0.2 * recall


def statistics(scores: Sequence[float]) -> dict[str, float]:
    """Mean, median, standard deviation of the population, extremes, percentiles, and the share that is at least 0.7."""
    values = np.asarray(scores, np.float64)
    if values.size == 0:
        return dict.fromkeys(("mean", "median", "std", "min", "max", "p50", "p90", "p99", "pass_rate"), 0.0)
    p50, p90, p99 = np.percentile(values, [50, 90, 99])
    return {"mean": float(values.mean()), "median": float(p50), "std": float(values.std()), "min": float(values.min()),
            "max": float(values.max()), "p50": float(p50), "p90": float(p90), "p99": float(p99),
            "pass_rate": float((values >= 0.7).mean())}


def reciprocal_rank_fusion(rankings: Sequence[Sequence[int]], k: int = 60, top_k: int = 10) -> list[tuple[int, float]]:
    """(document, score) of the best documents, with 1 / (k + rank) and ranks from 0."""
    found = fuse(rankings, top_k, rank_constant=k - 1)
    return list(zip(found.index.tolist(), found.score.tolist()))


def weighted_fusion(rankings: Sequence[Sequence[tuple[int, float]]], weights: Sequence[float] = (0.5, 0.5),
                    top_k: int = 10) -> list[tuple[int, float]]:
    """(document, score) of the best documents; each list's scores are brought to 0 ... 1, weighted and added."""
    lists = [([number for number, _ in ranking], [score for _, score in ranking]) for ranking in rankings]
    found = fuse_scores(lists, top_k, weights)
    return list(zip(found.index.tolist(), found.score.tolist()))
