# SPDX-License-Identifier: Apache-2.0
"""Directed graphs: PageRank, order, components, reachability (lanewise/graph.h)."""

from __future__ import annotations

import array
from collections.abc import Sequence
from typing import Any

from ._files import Immutable, Uncopyable, destroy_later
from ._guard import Guard
from ._library import DataError, check, empty, ffi, integers, lib, new_error, numpy, pointer, room, scratch

_KINDS = {"keep": lib.LANEWISE_GRAPH_KEEP, "drop": lib.LANEWISE_GRAPH_DROP, "refuse": lib.LANEWISE_GRAPH_REFUSE}
NONE = 2**32 - 1
"""What stands for no level."""


def _doubles(values: Any, n: int, what: str) -> Any:
    np = numpy()
    made = np.ascontiguousarray(values, dtype=np.float64) if np is not None else array.array("d", values)
    shape = getattr(made, "shape", (n,))
    if len(shape) != 1:
        raise ValueError(f"{what}: {len(shape)} dimensions; a vector is needed")
    if len(made) != n:
        raise ValueError(f"{what}: {len(made)} numbers for {n}")
    return made


class Graph(Immutable):
    """The graph of the edges src[i] -> dst[i], with weight[i] if given, of nodes 0 ... n_nodes - 1. Immutable.

    `self_loops` and `duplicates` are "keep", "drop" (of duplicates the first stays, with the sum of weights) or "refuse".
    """

    def __init__(self, src: Sequence[int], dst: Sequence[int], weight: Any = None, n_nodes: int | None = None,
                 self_loops: str = "keep", duplicates: str = "keep") -> None:
        sources, targets = integers("I", src, "src"), integers("I", dst, "dst")
        if len(sources) != len(targets):
            raise ValueError(f"dst: {len(targets)} nodes, src has {len(sources)}")
        weights = None if weight is None else _doubles(weight, len(sources), "weight")
        if n_nodes is None:
            n_nodes = 1 + max(int(max(sources)), int(max(targets))) if len(sources) else 0
        for name, value in (("self_loops", self_loops), ("duplicates", duplicates)):
            if value not in _KINDS:
                raise ValueError(f"{name}: {value!r} is none of {', '.join(_KINDS)}")
        options = ffi.new("lanewise_graph_options *", {"struct_size": ffi.sizeof("lanewise_graph_options"),
                                                       "self_loops": _KINDS[self_loops], "duplicates": _KINDS[duplicates]})
        out, error = ffi.new("lanewise_graph **"), new_error()
        check(lib.lanewise_graph_create(n_nodes, pointer("uint32_t *", sources), pointer("uint32_t *", targets),
                                        ffi.NULL if weights is None else pointer("double *", weights), len(sources), options,
                                        ffi.NULL, out, error), error)
        self._handle = destroy_later(self, out[0], lib.lanewise_graph_destroy)
        self._weighted = weights is not None
        self._transposed: Any = None
        self._ranking: Any = None

    @property
    def n_nodes(self) -> int:
        return int(lib.lanewise_graph_n_nodes(self._handle))

    @property
    def n_edges(self) -> int:
        return int(lib.lanewise_graph_n_edges(self._handle))

    def __reduce__(self) -> tuple[Any, ...]:
        n, n_edges = self.n_nodes, self.n_edges
        offsets = ffi.unpack(lib.lanewise_graph_offsets(self._handle), n + 1)
        targets = bytes(ffi.buffer(lib.lanewise_graph_targets(self._handle), 4 * n_edges)) if n_edges else b""
        weights = bytes(ffi.buffer(lib.lanewise_graph_weights(self._handle), 8 * n_edges)) if self._weighted and n_edges else b""
        return _graph_of_lists, (offsets, targets, weights, self._weighted)

    def __repr__(self) -> str:
        return f"<lanewise.Graph of {self.n_nodes} nodes, {self.n_edges} edges>"

    def _laid_out(self) -> Any:
        """The graph as PageRank needs it, made when first asked for."""
        if self._ranking is None:
            out, error = ffi.new("lanewise_pagerank **"), new_error()
            check(lib.lanewise_pagerank_create(self._handle, self._weighted, ffi.NULL, out, error), error)
            self._ranking = ffi.gc(out[0], lib.lanewise_pagerank_destroy)
        return self._ranking

    def pagerank(self, damping: float = 0.85, tolerance: float = 1e-6, max_iterations: int = 100, personalisation: Any = None,
                 redistribute: bool = True) -> Any:
        """The rank of every node (float64), as NetworkX computes it; weights count if the graph has them."""
        options = self._pagerank_options(damping, tolerance, max_iterations, redistribute)
        n, error, ranking, ranks = self.n_nodes, new_error(), self._laid_out(), empty("d", self.n_nodes)
        if n == 0:
            return ranks
        person = None if personalisation is None else _doubles(personalisation, n, "personalisation")
        check(lib.lanewise_pagerank_run(ranking, options, ffi.NULL if person is None else pointer("double *", person),
                                        scratch(lib.lanewise_pagerank_run_scratch_size(ranking)), pointer("double *", ranks),
                                        ffi.NULL, error), error)
        return ranks

    def pagerank_many(self, personalisations: Any, damping: float = 0.85, tolerance: float = 1e-6, max_iterations: int = 100,
                      redistribute: bool = True) -> Any:
        """pagerank() for each row of a matrix of personalisations, a matrix (without NumPy an array.array, row after row); sixteen
        take a fraction of the time that they take one by one."""
        n, rows = self.n_nodes, [_doubles(row, self.n_nodes, f"personalisations[{i}]") for i, row in enumerate(personalisations)]
        ranks = empty("d", len(rows), n)
        if n == 0 or not rows:
            return ranks
        options, error, ranking = self._pagerank_options(damping, tolerance, max_iterations, redistribute), new_error(), self._laid_out()
        flat = b"".join(bytes(memoryview(row).cast("B")) for row in rows)
        check(lib.lanewise_pagerank_run_many(ranking, options, pointer("double *", flat), len(rows), n,
                                             scratch(lib.lanewise_pagerank_run_many_scratch_size(ranking)), pointer("double *", ranks),
                                             ffi.NULL, error), error)
        return ranks

    @staticmethod
    def _pagerank_options(damping: float, tolerance: float, max_iterations: int, redistribute: bool) -> Any:
        if not 0 <= damping <= 1 or not tolerance >= 0 or not 0 <= max_iterations < 2**32:
            raise ValueError(f"damping {damping}, tolerance {tolerance} or max_iterations {max_iterations} is out of range")
        return ffi.new("lanewise_pagerank_options *", {
            "struct_size": ffi.sizeof("lanewise_pagerank_options"), "damping": damping, "tolerance": tolerance,
            "max_iterations": max_iterations,
            "dangling": lib.LANEWISE_PAGERANK_REDISTRIBUTE if redistribute else lib.LANEWISE_PAGERANK_DROP})

    def schedule(self) -> Schedule:
        """The nodes as work, each to be done when all that have an edge to it are."""
        return Schedule(self)

    def betweenness(self, normalized: bool = True, n_samples: int = 0, seed: int = 0) -> Any:
        """The betweenness of every node (float64), of all shortest paths or, from so many samples of sources, estimated. For
        an undirected graph give each edge in both directions."""
        if n_samples < 0:
            raise ValueError(f"n_samples: {n_samples} is negative")
        out, error = empty("d", self.n_nodes), new_error()
        options = ffi.new("lanewise_betweenness_options *", {"struct_size": ffi.sizeof("lanewise_betweenness_options"),
                                                             "n_samples": n_samples, "seed": seed, "normalized": normalized})
        if self.n_nodes:
            check(lib.lanewise_graph_betweenness(self._handle, options,
                                                 scratch(lib.lanewise_graph_betweenness_scratch_size(self._handle)),
                                                 pointer("double *", out), error), error)
        return out

    def path(self, source: int, target: int) -> list[int]:
        """The nodes of a shortest path by number of edges; an empty list if there is none."""
        for name, node in (("source", source), ("target", target)):
            if not 0 <= node < self.n_nodes:
                raise ValueError(f"{name}: {node} is no node")
        if self._transposed is None:
            out = ffi.new("lanewise_graph **")
            check(lib.lanewise_graph_transpose_create(self._handle, ffi.NULL, out))
            self._transposed = ffi.gc(out[0], lib.lanewise_graph_destroy)
        path, n_path = empty("I", self.n_nodes), ffi.new("size_t *")
        check(lib.lanewise_graph_path(self._handle, self._transposed, source, target,
                                      scratch(lib.lanewise_graph_path_scratch_size(self._handle)), pointer("uint32_t *", path), n_path))
        return [int(node) for node in path[: n_path[0]]]

    def topological_order(self) -> Any:
        """The nodes by level, each after all that have an edge to it. DataError if there is a cycle: see find_cycle."""
        return self._topological()[0]

    def levels(self) -> Any:
        """For every node the number of edges on the longest path that ends there."""
        return self._topological()[1]

    def _topological(self) -> tuple[Any, Any]:
        n = self.n_nodes
        order, level, n_ordered, error = empty("I", n), empty("I", n), ffi.new("size_t *"), new_error()
        if n:
            check(lib.lanewise_graph_topo(self._handle, scratch(lib.lanewise_graph_topo_scratch_size(self._handle)),
                                          pointer("uint32_t *", order), n_ordered, pointer("uint32_t *", level), ffi.NULL,
                                          error), error)
        return order, level

    def find_cycle(self) -> list[int]:
        """Nodes, each with an edge to the next and the last to the first; an empty list if there is no cycle."""
        if self.n_nodes == 0:
            return []
        cycle, n_cycle = empty("I", self.n_nodes), ffi.new("size_t *")
        check(lib.lanewise_graph_find_cycle(self._handle,
                                            scratch(lib.lanewise_graph_find_cycle_scratch_size(self._handle)),
                                            pointer("uint32_t *", cycle), n_cycle))
        return [int(node) for node in cycle[: n_cycle[0]]]

    def components(self, strong: bool = False) -> Any:
        """For every node the number of its weakly or strongly connected component."""
        n = self.n_nodes
        component, n_components = empty("I", n), ffi.new("size_t *")
        if n == 0:
            return component
        out = pointer("uint32_t *", component)
        if strong:
            memory = scratch(lib.lanewise_graph_strong_components_scratch_size(self._handle))
            check(lib.lanewise_graph_strong_components(self._handle, memory, out, n_components))
        else:
            check(lib.lanewise_graph_weak_components(self._handle, out, n_components))
        return component

    def distances(self, roots: Sequence[int] | int) -> Any:
        """For every node the edges on the shortest path from any of the roots, or graph.NONE."""
        n = self.n_nodes
        given = integers("I", [roots] if isinstance(roots, int) else roots, "roots")
        level, error = empty("I", n), new_error()
        if n == 0:
            if len(given):
                raise DataError("a root is no node", 0)
            return level
        check(lib.lanewise_graph_bfs(self._handle, ffi.NULL, pointer("uint32_t *", given), len(given),
                                     scratch(lib.lanewise_graph_bfs_scratch_size(self._handle)), pointer("uint32_t *", level),
                                     ffi.NULL, error), error)
        return level


class Schedule(Uncopyable):
    """Nodes of a graph as work, in the manner of graphlib.TopologicalSorter. One thread at a time.

        schedule = graph.schedule()
        while schedule.is_active():
            for node in schedule.get_ready(): ...
            schedule.done(node)

    Nodes of a cycle, and those behind it, never become ready.
    """

    def __init__(self, graph: Graph) -> None:
        n = graph.n_nodes
        self._guard = Guard(type(self).__name__)
        self._graph, self._count, self._n_ready = graph, room("uint32_t", n), ffi.new("size_t *")
        self._buffer = room("uint32_t", max(n, graph.n_edges))
        self._n_given = self._n_done = 0
        self._ready: list[int] = []
        if n:
            check(lib.lanewise_graph_ready_start(graph._handle, self._count, self._buffer, self._n_ready))
            self._ready = [int(node) for node in ffi.unpack(self._buffer, self._n_ready[0])] if self._n_ready[0] else []

    def get_ready(self) -> tuple[int, ...]:
        """The nodes that have become ready since."""
        with self._guard:
            ready, self._ready = tuple(self._ready), []
            self._n_given += len(ready)
        return ready

    def done(self, *nodes: int) -> None:
        """These nodes, which were ready, are done."""
        with self._guard:
            for node in nodes:
                if not 0 <= node < self._graph.n_nodes or node in self._ready or lib.lanewise_graph_ready_done(
                        self._graph._handle, node, self._count, self._buffer, self._n_ready) != lib.LANEWISE_OK:
                    raise ValueError(f"{node} is no node, was not ready, or is done already")
                self._n_done += 1
                if self._n_ready[0]:
                    self._ready += ffi.unpack(self._buffer, self._n_ready[0])

    def is_active(self) -> bool:
        """Whether nodes are ready, or given out and not done."""
        return bool(self._ready) or self._n_done < self._n_given


def _graph_of_lists(offsets: list[int], targets: bytes, weights: bytes, weighted: bool) -> Graph:
    """A graph of the lists that one holds: the targets of node i are those from offsets[i] to offsets[i + 1]."""
    sources = array.array("I", (node for node in range(len(offsets) - 1) for _ in range(offsets[node + 1] - offsets[node])))
    return Graph(sources, array.array("I", targets), array.array("d", weights) if weighted else None, len(offsets) - 1)


def parent_order(parents: Sequence[int | None] | Any, keys: Sequence[int] | Any = None) -> Any:
    """Rows ordered so that parents come before their children and all else stays as it was: numbers of rows (uint32).

    Row i has the key keys[i] (without `keys`: i) and its parent is the row with the key parents[i]; None, or NONE, or a key
    that no row has: it has none. Of several rows with one key the first counts and the others are left out. Cycles of
    parents are cut where they would close.
    """
    given = integers("I", [NONE if parent is None else parent for parent in parents], "parents")
    own = None if keys is None else integers("I", keys, "keys")
    n = len(given)
    if own is not None and len(own) != n:
        raise ValueError(f"keys: {len(own)} for {n} rows")
    if n == 0:
        return empty("I", 0)
    if own is None:
        n_keys = n
        given = integers("I", [parent if parent < n else NONE for parent in given], "parents")
    else:
        # Memory is for the greatest key: keys that are far between are numbered anew.
        if NONE in own:
            raise ValueError(f"keys: {NONE} stands for no parent")
        numbers: dict[int, int] = {}
        own = array.array("I", [numbers.setdefault(int(key), len(numbers)) for key in own])
        given = array.array("I", [numbers.get(int(parent), NONE) for parent in given])
        n_keys = len(numbers)
    order, n_order, error = empty("I", n), ffi.new("size_t *"), new_error()
    check(lib.lanewise_parent_order(ffi.NULL if own is None else pointer("uint32_t *", own), pointer("uint32_t *", given), n, n_keys,
                                    scratch(lib.lanewise_parent_order_scratch_size(n, n_keys)), pointer("uint32_t *", order), n_order,
                                    error), error)
    return order[: n_order[0]]
