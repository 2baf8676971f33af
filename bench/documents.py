# SPDX-License-Identifier: Apache-2.0
"""What the comparisons of word search share: passages of the system's documentation, synthetic documents with queries, and time."""
import gzip
import html
import pathlib
import re
import time

import numpy as np

VOCABULARY = 1 << 20
DOCUMENTATION = ("/usr/share/doc", "/usr/share/man")


def texts(directories):
    """The text of the files below these directories, in order of their names."""
    for directory in directories:
        for path in sorted(pathlib.Path(directory).rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            data = path.read_bytes()
            try:
                data = gzip.decompress(data) if path.suffix == ".gz" else data
            except (OSError, EOFError):
                continue
            if b"\0" in data[:2000]:
                continue
            text = data.decode(errors="replace")
            if "<html" in text[:2000].lower():
                text = html.unescape(re.sub("<[^>]*>", " ", text))
            elif "/man/" in str(path):
                text = re.sub(r"(?m)^[.'](?=\S).{0,2}|\\f.|\\-", " ", text)
            yield text


def make_passages(directories, n=None, n_bytes=None):
    """About n passages, or passages of n_bytes in all, of up to 60 words, no two alike; and lines that may be headings."""
    found, headings, total = {}, {}, 0
    for text in texts(directories):
        for paragraph in re.split(r"\n\s*\n", text):
            words = paragraph.split()
            if "\n" not in paragraph.strip() and 2 <= len(words) <= 16:
                headings[" ".join(words)] = None
            for i in range(0, len(words), 60):
                passage = " ".join(words[i:i + 60])
                if len(passage) >= 80 and max(map(len, words[i:i + 60])) < 100 and passage not in found:  # no encoded data
                    found[passage] = None
                    total += len(passage.encode())
        if (n and len(found) >= n) or (n_bytes and total >= n_bytes):
            break
    return list(found)[:n], list(headings)


class Synthetic:
    """n documents as numbers of words: by a Zipf-Mandelbrot law (exponent 1.07), a quarter of them repetitions of one before,
    lengths log-normal, about 80 words in the mean."""

    def __init__(self, n, random):
        self._random = random
        lengths = np.clip(np.exp(4.2 + 0.6 * random.standard_normal(n)), 1, 2000).astype(np.int64)
        self._starts = starts = np.concatenate(([0], np.cumsum(lengths)))
        s, q = 0.07, 2.7
        first, last = (1 + q) ** -s, (VOCABULARY + 1 + q) ** -s
        ranks = (first - random.random(starts[-1]) * (first - last)) ** (-1 / s) - q - 1
        # Frequent words are spread over the dictionary.
        self.words = words = (np.clip(ranks, 0, VOCABULARY - 1).astype(np.int64) * 2654435761 + 12345) % VOCABULARY
        at = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        repeated = (random.random(starts[-1]) < 0.25) & (at > 0)
        back = (random.random(starts[-1]) * at).astype(np.int64) + 1
        for i in np.flatnonzero(repeated):
            words[i] = words[i - back[i]]
        pairs = np.unique(np.repeat(np.arange(n), lengths) * VOCABULARY + words)
        self.n_postings = len(pairs)
        self._frequency = np.bincount(pairs % VOCABULARY, minlength=VOCABULARY)

    def __len__(self):
        return len(self._starts) - 1

    def documents(self):
        """Lists of numbers of words."""
        return [self.words[self._starts[i]:self._starts[i + 1]].tolist() for i in range(len(self))]

    def queries(self, n_queries, n_words, common):
        """Different words of one document each, with or without those that more than a tenth of the documents have."""
        limit, queries = len(self) + 1 if common else (len(self) + 1) // 10, []
        while len(queries) < n_queries:
            d = self._random.integers(len(self))
            document = np.unique(self.words[self._starts[d]:self._starts[d + 1]])
            document = document[self._frequency[document] <= limit]
            if len(document) >= n_words:
                queries.append(self._random.choice(document, n_words, replace=False).tolist())
        return queries


def bm25s_of(documents):
    """bm25s with its numba backend, of documents that are numbers of words, with Lucene's formula, k1 1.5 and b 0.75."""
    import bm25s

    peer = bm25s.BM25(method="lucene", k1=1.5, b=0.75, backend="numba")
    peer.index((documents, {f"w{i}": i for i in range(VOCABULARY)}), create_empty_token=False, show_progress=False)
    return peer


def measure(contenders, rounds):
    """Seconds of CPU that each contender took in each round; they take turns."""
    seconds = {name: [] for name in contenders}
    for round_number in range(rounds + 1):
        for name, run in contenders.items():
            begin = time.process_time()
            run()
            if round_number:  # the first is for warming up and compiling
                seconds[name].append(time.process_time() - begin)
    return seconds
