# SPDX-License-Identifier: Apache-2.0
"""Sutra's GraphStore: concepts with vectors, associations and words, kept in memory and saved as one file.

    import lanewise.compat.sutra_storage, sys; sys.modules["sutra_storage"] = lanewise.compat.sutra_storage

Otherwise than upstream:
  - an identifier comes back as it was given first, be it 8 bytes or 16 as hexadecimal digits; upstream pads the short ones with zeros
    and returns those. One that is not hexadecimal is a ValueError; upstream's process ends;
  - save() writes associations, texts and the quantiser too, and a store that is opened again has them (upstream loses them). The
    file, store.npz, is replaced only when it is complete; upstream's several files are not read;
  - two concepts have one association at most: adding it again changes its strength and type;
  - search_text() finds the texts of add_concept(), word by word as lanewise.words() has them; upstream never stores any words;
  - search() finds the nearest vectors, which upstream leaves to its callers;
  - approximate_distance() is upstream's: the Euclidean distance of the quantised vectors, not comparable with distance().
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..pq import PQ
from ..text import words
from ..vector import Index, cosine

__all__ = ["Association", "Concept", "GraphStore"]

_FILE = "store.npz"
_FORMAT = 1
_PART_DIMENSIONS = 8
_N_CENTROIDS = 256


class Concept(NamedTuple):
    """What add_concept() was given, and when: seconds since 1970."""

    id: str
    content: str
    strength: float
    confidence: float
    created: int


class Association(NamedTuple):
    """That of two concepts. Types are upstream's: 0 semantic, 1 causal, 2 temporal, 3 hierarchical, 4 compositional."""

    source: str
    target: str
    strength: float
    assoc_type: int


class GraphStore:
    """A store in the directory `path`, which is made if it is not there; what was saved there is loaded, whatever its dimension.

    `use_compression` says whether train_quantizer() may be called. A `with` statement saves at its end. Threads may share a store."""

    def __init__(self, path: str | os.PathLike[str], vector_dimension: int = 384, use_compression: bool = True) -> None:
        self._file = Path(path) / _FILE
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._use_compression = use_compression
        self._names: dict[str, str] = {}                                # of every identifier as 32 digits: as it was given
        self._rows: dict[str, int] = {}                                 # rows of the index
        self._row_keys: list[str] = []                                  # whose rows they are, or were
        self._free: list[int] = []                                      # rows without a vector
        self._concepts: dict[str, Concept] = {}
        self._words: dict[str, dict[str, None]] = {}                    # word -> concepts
        self._neighbors: dict[str, dict[str, None]] = {}
        self._associations: dict[tuple[str, ...], Association] = {}     # of sorted pairs
        self._quantizer: PQ | None = None
        self._training: Any = None                                      # rows that give the same quantiser again
        if self._file.exists():
            self._load()
        else:
            self._index = Index(vector_dimension)

    # ------------------------------------------------------------ identifiers

    def _key(self, concept_id: str) -> str:
        """32 digits for an identifier."""
        try:
            data = bytes.fromhex(concept_id)
        except (ValueError, TypeError):
            data = b""
        if len(data) not in (8, 16) or len(concept_id) != 2 * len(data):
            raise ValueError(f"concept id: {concept_id!r} is not 16 or 32 hexadecimal digits")
        return data.ljust(16, b"\0").hex()

    def _known(self, concept_id: str) -> str:
        key = self._key(concept_id)
        self._names.setdefault(key, concept_id)
        return key

    # ---------------------------------------------------------------- vectors

    def add_vector(self, concept_id: str, vector: Any) -> None:
        """Gives a concept a vector, or another one."""
        with self._lock:
            key = self._key(concept_id)
            if key in self._rows:
                self._index.update(self._rows[key], vector)
                return
            if self._free:
                self._index.update(self._free[-1], vector)
                row = self._free.pop()
                self._row_keys[row] = key
            else:
                row = self._index.add([vector])[0]
                self._row_keys.append(key)
            self._rows[self._known(concept_id)] = row

    def get_vector(self, concept_id: str) -> Any:
        """A copy of a concept's vector (float32), or None."""
        with self._lock:
            row = self._rows.get(self._key(concept_id))
            return None if row is None else self._index[row]

    def remove_vector(self, concept_id: str) -> None:
        """Takes a concept's vector away, if it has one."""
        with self._lock:
            row = self._rows.pop(self._key(concept_id), None)
            if row is not None:
                self._index.remove(row)
                self._free.append(row)

    def _vector(self, concept_id: str) -> Any:
        vector = self.get_vector(concept_id)
        if vector is None:
            raise KeyError(f"concept {concept_id} has no vector")
        return vector

    def distance(self, concept_id1: str, concept_id2: str) -> float:
        """One less the cosine of two concepts' vectors: 0 ... 2, and 1 if one of them is zero."""
        return 1.0 - float(cosine(self._vector(concept_id1), self._vector(concept_id2)))

    def search(self, vector: Any, k: int = 10) -> list[tuple[str, float]]:
        """The concepts whose vectors are nearest, with their cosines, best first."""
        with self._lock:
            hits = self._index.search(vector, k)
            return [(self._names[self._row_keys[row]], score) for row, score in zip(hits.index.tolist(), hits.score.tolist())]

    def train_quantizer(self, training_vectors: Any) -> None:
        """Makes the quantiser of approximate_distance() from at least 256 vectors: a byte for every 8 dimensions."""
        with self._lock:
            if not self._use_compression:
                raise ValueError("the store was opened without use_compression")
            rows = np.asarray(training_vectors, np.float32)
            if rows.ndim != 2 or rows.shape[1] != self._index.dim or len(rows) < _N_CENTROIDS:
                raise ValueError(f"training_vectors: shape {rows.shape}; at least {_N_CENTROIDS} of {self._index.dim} are needed")
            self._train(rows, 100)

    def _train(self, rows: Any, max_rounds: int) -> None:
        if self._index.dim % _PART_DIMENSIONS:
            raise ValueError(f"a dimension of {self._index.dim} is not a multiple of {_PART_DIMENSIONS}")
        self._quantizer = PQ(rows, self._index.dim // _PART_DIMENSIONS, _N_CENTROIDS, start="farthest-first", max_rounds=max_rounds)
        codes = np.repeat(np.arange(_N_CENTROIDS, dtype=np.uint8)[:, None], self._quantizer.n_parts, axis=1)
        self._training = np.asarray(self._quantizer.decode(codes))  # the centroids: trained with them, they stay where they are

    def approximate_distance(self, concept_id1: str, concept_id2: str) -> float:
        """The Euclidean distance of two concepts' vectors as the quantiser has them."""
        with self._lock:
            if self._quantizer is None:
                raise ValueError("the quantiser is not trained")
            rows = np.stack([self._vector(concept_id1), self._vector(concept_id2)])
            a, b = np.asarray(self._quantizer.decode(self._quantizer.encode(rows)), np.float64)
            return float(np.sqrt(((a - b) ** 2).sum()))

    # ------------------------------------------------------ concepts and words

    def add_concept(self, concept_id: str, content: str, vector: Any = None, strength: float = 1.0, confidence: float = 1.0) -> None:
        """Gives a concept a text, which search_text() finds, in place of its last one; and a vector."""
        with self._lock:
            found = words(content)  # before anything is changed
            if vector is not None:
                self.add_vector(concept_id, vector)
            key = self._known(concept_id)
            self._forget_words(key)
            self._concepts[key] = Concept(self._names[key], content, float(strength), float(confidence), int(time.time()))
            for word in found:
                self._words.setdefault(word.text, {})[key] = None

    def _forget_words(self, key: str) -> None:
        concept = self._concepts.pop(key, None)
        for word in words(concept.content) if concept else ():
            concepts = self._words.get(word.text, {})
            concepts.pop(key, None)
            if not concepts:
                self._words.pop(word.text, None)

    def get_concept(self, concept_id: str) -> Concept | None:
        """What add_concept() was given, or None."""
        return self._concepts.get(self._key(concept_id))

    def has_concept(self, concept_id: str) -> bool:
        """Whether anything is known of it: a text, a vector or an association."""
        return self._key(concept_id) in self._names

    def list_concepts(self) -> list[str]:
        """The identifiers of all, in the order in which they came."""
        return list(self._names.values())

    def remove_concept(self, concept_id: str) -> None:
        """Forgets a concept with its text, vector and associations."""
        with self._lock:
            key = self._key(concept_id)
            self.remove_vector(concept_id)
            self._forget_words(key)
            for other in self._neighbors.pop(key, {}):
                del self._associations[tuple(sorted((key, other)))]
                self._neighbors.get(other, {}).pop(key, None)
            self._names.pop(key, None)

    def search_text(self, query: str) -> list[str]:
        """The concepts whose texts have all those words of the query that any text has, in the order of list_concepts()."""
        with self._lock:
            lists = [self._words[word.text] for word in words(query) if word.text in self._words]
            if not lists:
                return []
            least, *others = sorted(lists, key=len)
            found = {key for key in least if all(key in other for other in others)}
            return [name for key, name in self._names.items() if key in found] if found else []

    def get_concepts_in_range(self, start: int, end: int) -> list[str]:
        """The concepts whose texts came at start ... end, seconds since 1970."""
        return [concept.id for concept in list(self._concepts.values()) if start <= concept.created <= end]

    # ----------------------------------------------------------- associations

    def add_association(self, source_id: str, target_id: str, strength: float = 1.0, assoc_type: int = 0) -> None:
        """Makes two concepts neighbours of each other."""
        with self._lock:
            self._key(source_id), self._key(target_id)  # both are right before one is known
            source, target = self._known(source_id), self._known(target_id)
            self._connect(source, target, float(strength), int(assoc_type))

    def _connect(self, source: str, target: str, strength: float, assoc_type: int) -> None:
        self._associations[tuple(sorted((source, target)))] = Association(self._names[source], self._names[target], strength, assoc_type)
        self._neighbors.setdefault(source, {})[target] = None
        self._neighbors.setdefault(target, {})[source] = None

    def get_neighbors(self, concept_id: str) -> list[str]:
        """The identifiers of a concept's neighbours, in the order in which they became that."""
        with self._lock:
            return [self._names[key] for key in self._neighbors.get(self._key(concept_id), {})]

    def get_association(self, concept_id1: str, concept_id2: str) -> Association | None:
        """That of two concepts, or None."""
        return self._associations.get(tuple(sorted((self._key(concept_id1), self._key(concept_id2)))))

    # ------------------------------------------------------------------- file

    def save(self) -> None:
        """Writes everything to store.npz, which replaces the last one only when it is complete."""
        with self._lock:
            keys = list(self._names)
            number = {key: i for i, key in enumerate(keys)}
            vectors = np.stack([self._index[row] for row in self._rows.values()]) if self._rows else np.empty((0, self._index.dim))
            edges = list(self._associations.values())
            about = {"format": _FORMAT, "names": list(self._names.values()),
                     "concepts": [[number[key], *concept[1:]] for key, concept in self._concepts.items()]}
            arrays: dict[str, Any] = {
                "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
                "vectors": vectors.astype(np.float32), "vector_of": np.array([number[key] for key in self._rows], np.uint32),
                "edges": np.array([(number[self._key(edge.source)], number[self._key(edge.target)]) for edge in edges], np.uint32),
                "strengths": np.array([edge.strength for edge in edges]),
                "types": np.array([edge.assoc_type for edge in edges], np.int64),
                "centroids": np.empty((0, self._index.dim), np.float32) if self._training is None else self._training,
            }
            part = self._file.with_name(f"{_FILE}.{os.getpid()}.part")
            try:
                with open(part, "wb") as file:
                    np.savez(file, **arrays)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(part, self._file)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    part.unlink()

    def _load(self) -> None:
        try:
            with np.load(self._file, allow_pickle=False) as arrays:
                self._take({name: arrays[name] for name in arrays.files})
        except Exception as error:  # whatever a damaged archive makes NumPy, zipfile or json raise
            raise ValueError(f"{self._file}: no store, or a damaged one: {error}") from error

    def _take(self, arrays: dict[str, Any]) -> None:
        about = json.loads(bytes(arrays["about"]))
        if about["format"] != _FORMAT:
            raise ValueError(f"format {about['format']}")
        vectors = arrays["vectors"]
        self._index = Index(vectors.shape[1])
        self._index.add(vectors)
        keys = [self._known(name) for name in about["names"]]
        self._row_keys = [keys[number] for number in arrays["vector_of"].tolist()]
        self._rows = {key: row for row, key in enumerate(self._row_keys)}
        if not len(self._rows) == len(self._row_keys) == len(vectors) or len(self._names) != len(keys):
            raise ValueError("numbers of vectors or names that do not agree")
        for number, content, strength, confidence, created in about["concepts"]:
            self._concepts[keys[number]] = Concept(about["names"][number], content, strength, confidence, created)
            for word in words(content):
                self._words.setdefault(word.text, {})[keys[number]] = None
        for (a, b), strength, kind in zip(arrays["edges"].reshape(-1, 2).tolist(), arrays["strengths"].tolist(), arrays["types"].tolist(), strict=True):
            self._connect(keys[a], keys[b], strength, kind)
        if len(arrays["centroids"]):
            self._train(arrays["centroids"], 1)

    def stats(self) -> dict[str, Any]:
        """Upstream's numbers: of vectors, bytes, concepts, associations and words."""
        with self._lock:
            n, dim = len(self._rows), self._index.dim
            trained = self._quantizer is not None
            compressed = n * (dim // _PART_DIMENSIONS) if trained else 0
            return {
                "total_vectors": n, "compressed_vectors": n if trained else 0, "dimension": dim, "raw_size_bytes": 4 * n * dim,
                "compressed_size_bytes": compressed, "compression_ratio": 4 * n * dim / compressed if compressed else 1.0,
                "quantizer_trained": trained, "total_concepts": len(self._names),
                "total_edges": len(self._associations), "total_words": len(self._words),
            }

    def __enter__(self) -> GraphStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.save()

    def __repr__(self) -> str:
        return f"<GraphStore {str(self._file.parent)!r}, {len(self._names)} concepts, {len(self._rows)} vectors, dim {self._index.dim}>"
