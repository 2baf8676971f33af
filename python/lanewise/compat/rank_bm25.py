# SPDX-License-Identifier: Apache-2.0
"""The package rank_bm25 (0.2.2): BM25Okapi, BM25L and BM25Plus, with the same scores.

    import lanewise.compat.rank_bm25, sys; sys.modules["rank_bm25"] = lanewise.compat.rank_bm25

Scores are doubles by the same operations in the same order, so they are upstream's to the last bit. lanewise.BM25 computes in
float, which is why it is not used here; who has texts rather than lists of words and can do with seven digits is better off with
lanewise.BM25(texts, variant="okapi"). Needs NumPy, as upstream does.

Otherwise than upstream:
  - a search reads the postings of its words instead of all documents;
  - of documents with equal scores (as float32) get_top_n takes the first, not the last or any;
  - an empty corpus, or one of empty documents, gives scores of nothing or 0 instead of a ZeroDivisionError;
  - `tokenizer` is applied in this process.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..vector import topk


_DENSE = 65536
"""With so many documents at most, a word that many of them have is kept as a score for each, which is quicker to add."""


class BM25:
    """What the three have in common."""

    def __init__(self, corpus: Sequence[Any], tokenizer: Callable[[Any], Sequence[Any]] | None = None) -> None:
        self.tokenizer = tokenizer
        documents = corpus if tokenizer is None else [tokenizer(text) for text in corpus]
        self.corpus_size = len(documents)
        self.doc_freqs = [Counter(document) for document in documents]
        self.doc_len = [len(document) for document in documents]
        self.avgdl = sum(self.doc_len) / self.corpus_size if self.corpus_size else 0.0
        self.idf: dict[Any, float] = {}
        postings: dict[Any, tuple[list[int], list[int]]] = {}
        for number, counts in enumerate(self.doc_freqs):
            for word, count in counts.items():
                numbers, found = postings.setdefault(word, ([], []))
                numbers.append(number)
                found.append(count)
        self._lengths = np.array(self.doc_len)
        self._postings = {word: (np.array(numbers), np.array(counts)) for word, (numbers, counts) in postings.items()}
        self._cache: dict[Any, tuple[Any, Any, float]] = {}
        self._calc_idf({word: len(numbers) for word, (numbers, _) in postings.items()})

    def _calc_idf(self, frequencies: dict[Any, int]) -> None:
        raise NotImplementedError

    def _added(self, idf: float, frequency: Any, length: Any) -> Any:
        """What a word adds to documents of these lengths that have it so often."""
        raise NotImplementedError

    def _word(self, word: Any) -> tuple[Any, Any, float]:
        """The documents with a word, what it adds to them, and what it adds to all others; or None and what it adds to all."""
        made = self._cache.get(word)
        if made is None:
            numbers, counts = self._postings[word]
            idf = self.idf[word]
            made = numbers, self._added(idf, counts, self._lengths[numbers]), float(self._added(idf, 0, self.avgdl))
            if made[2] == 0 and 4 * len(numbers) > self.corpus_size <= _DENSE:
                every = np.zeros(self.corpus_size)
                every[numbers] = made[1]
                made = None, every, 0.0
            self._cache[word] = made
        return made

    def get_scores(self, query: Sequence[Any]) -> Any:
        """The score of every document for the words of a query, repeated ones as often as they are there (float64)."""
        score = np.zeros(self.corpus_size)
        for word in query:
            if word in self._postings:
                numbers, added, otherwise = self._word(word)
                if numbers is None:
                    score += added
                elif otherwise:
                    every = np.full(self.corpus_size, otherwise)
                    every[numbers] = added
                    score += every
                else:
                    score[numbers] += added
        return score

    def get_batch_scores(self, query: Sequence[Any], doc_ids: Sequence[int]) -> list[float]:
        """The scores of some documents."""
        if not all(0 <= number < self.corpus_size for number in doc_ids):
            raise ValueError("doc_ids: a number is beyond the corpus")
        return [float(score) for score in self.get_scores(query)[np.asarray(doc_ids, dtype=np.intp)]]

    def get_top_n(self, query: Sequence[Any], documents: Sequence[Any], n: int = 5) -> list[Any]:
        """The n documents with the greatest scores."""
        if self.corpus_size != len(documents):
            raise ValueError(f"documents: {len(documents)}, the index has {self.corpus_size}")
        return [documents[number] for number in topk(self.get_scores(query), n).index] if n > 0 else []


class BM25Okapi(BM25):
    """Robertson's formula; words with a negative idf get epsilon times the mean idf."""

    def __init__(self, corpus: Sequence[Any], tokenizer: Callable[[Any], Sequence[Any]] | None = None, k1: float = 1.5,
                 b: float = 0.75, epsilon: float = 0.25) -> None:
        self.k1, self.b, self.epsilon, self.average_idf = k1, b, epsilon, 0.0
        super().__init__(corpus, tokenizer)

    def _calc_idf(self, frequencies: dict[Any, int]) -> None:
        total, negative = 0.0, []
        for word, n in frequencies.items():
            idf = math.log(self.corpus_size - n + 0.5) - math.log(n + 0.5)
            self.idf[word] = idf
            total += idf
            if idf < 0:
                negative.append(word)
        self.average_idf = total / len(self.idf) if self.idf else 0.0
        for word in negative:
            self.idf[word] = self.epsilon * self.average_idf

    def _added(self, idf: float, frequency: Any, length: Any) -> Any:
        return idf * (frequency * (self.k1 + 1) / (frequency + self.k1 * (1 - self.b + self.b * length / self.avgdl)))


class BM25L(BM25):
    """Of Lv and Zhai, for very long documents; times the frequency, as upstream has it and the paper has not."""

    def __init__(self, corpus: Sequence[Any], tokenizer: Callable[[Any], Sequence[Any]] | None = None, k1: float = 1.5,
                 b: float = 0.75, delta: float = 0.5) -> None:
        self.k1, self.b, self.delta = k1, b, delta
        super().__init__(corpus, tokenizer)

    def _calc_idf(self, frequencies: dict[Any, int]) -> None:
        for word, n in frequencies.items():
            self.idf[word] = math.log(self.corpus_size + 1) - math.log(n + 0.5)

    def _added(self, idf: float, frequency: Any, length: Any) -> Any:
        ctd = frequency / (1 - self.b + self.b * length / self.avgdl)
        return idf * frequency * (self.k1 + 1) * (ctd + self.delta) / (self.k1 + ctd + self.delta)


class BM25Plus(BM25):
    """Of Lv and Zhai, with a least score for a word that is there."""

    def __init__(self, corpus: Sequence[Any], tokenizer: Callable[[Any], Sequence[Any]] | None = None, k1: float = 1.5,
                 b: float = 0.75, delta: float = 1) -> None:
        self.k1, self.b, self.delta = k1, b, delta
        super().__init__(corpus, tokenizer)

    def _calc_idf(self, frequencies: dict[Any, int]) -> None:
        for word, n in frequencies.items():
            self.idf[word] = math.log((self.corpus_size + 1) / n)

    def _added(self, idf: float, frequency: Any, length: Any) -> Any:
        denominator = self.k1 * (1 - self.b + self.b * length / self.avgdl) + frequency
        return idf * (self.delta + (frequency * (self.k1 + 1)) / denominator)
