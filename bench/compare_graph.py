#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lanewise/graph.h with NetworkX, igraph, SciPy and graphlib (pip install networkx igraph scipy), one thread each.

    python3 bench/compare_graph.py build/liblanewise.so [--scale 20] [--rounds 5]

lanewise is called on arrays; the others have their graphs made beforehand, which is not counted. Contenders run in
turn, A B A B, in this process; figures are medians of CPU time and the median of the rounds' ratios (above 1: lanewise
is faster). Every result is compared with lanewise's.
"""
import argparse
import ctypes
import graphlib
import statistics
import time

import igraph
import networkx
import numpy as np
import scipy.sparse

SIZE, U32, F64 = ctypes.c_size_t, np.uint32, np.float64


class PagerankOptions(ctypes.Structure):
    _fields_ = [("struct_size", SIZE), ("damping", ctypes.c_double), ("tolerance", ctypes.c_double),
                ("max_iterations", ctypes.c_uint32), ("dangling", ctypes.c_int32)]


class Lanewise:
    """Just enough of lanewise/graph.h."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        for name in ("graph_topo", "graph_bfs", "graph_betweenness", "pagerank_run", "pagerank_run_many"):
            getattr(self.lib, f"lanewise_{name}_scratch_size").restype = SIZE

    @staticmethod
    def pointer(array):
        return array.ctypes.data_as(ctypes.c_void_p)

    @staticmethod
    def check(status):
        if status != 0:
            raise RuntimeError(f"lanewise returned {status}")

    def graph(self, n, src, dst):
        handle = ctypes.c_void_p()
        self.check(self.lib.lanewise_graph_create(SIZE(n), self.pointer(src), self.pointer(dst), None, SIZE(len(src)),
                                                  None, None, ctypes.byref(handle), None))
        return handle

    def transposed(self, graph):
        handle = ctypes.c_void_p()
        self.check(self.lib.lanewise_graph_transpose_create(graph, None, ctypes.byref(handle)))
        return handle

    def scratch(self, name, handle):
        size = getattr(self.lib, f"lanewise_{name}_scratch_size")(handle)
        self.memory = np.empty(size + 64, np.uint8)
        return ctypes.c_void_p((self.memory.ctypes.data + 63) // 64 * 64)

    def pagerank_layout(self, graph):
        handle = ctypes.c_void_p()
        self.check(self.lib.lanewise_pagerank_create(graph, 0, None, ctypes.byref(handle), None))
        return handle

    def pagerank(self, layout, n, scratch, tolerance=1e-6, iterations=100, wanted=None):
        options = PagerankOptions(ctypes.sizeof(PagerankOptions), 0.85, tolerance, iterations, 0)
        rank = np.empty(n if wanted is None else wanted.shape, F64)
        if wanted is None or wanted.ndim == 1:
            self.check(self.lib.lanewise_pagerank_run(layout, ctypes.byref(options),
                                                      None if wanted is None else self.pointer(wanted), scratch,
                                                      self.pointer(rank), None, None))
        else:
            self.check(self.lib.lanewise_pagerank_run_many(layout, ctypes.byref(options), self.pointer(wanted),
                                                           SIZE(len(wanted)), SIZE(n), scratch, self.pointer(rank),
                                                           None, None))
        return rank

    def topo(self, graph, n, scratch):
        order, level, n_ordered = np.empty(n, U32), np.empty(n, U32), SIZE()
        self.check(self.lib.lanewise_graph_topo(graph, scratch, self.pointer(order), ctypes.byref(n_ordered),
                                                self.pointer(level), None, None))
        return order, level

    def bfs(self, graph, transposed, n, root, scratch):
        level, roots = np.empty(n, U32), np.array([root], U32)
        self.check(self.lib.lanewise_graph_bfs(graph, transposed, self.pointer(roots), SIZE(1), scratch,
                                               self.pointer(level), None, None))
        return level

    def betweenness(self, graph, n, scratch):
        centrality = np.empty(n, F64)
        self.check(self.lib.lanewise_graph_betweenness(graph, None, scratch, self.pointer(centrality), None))
        return centrality


def compare(title, contenders, same, rounds):
    """contenders: (name, function, how often the work is done in a call); the first is lanewise."""
    seconds, results = {name: [] for name, _, _ in contenders}, {}
    for _ in range(rounds):
        for name, function, times in contenders:
            began = time.thread_time()
            results[name] = function()
            seconds[name].append((time.thread_time() - began) / times)
    ours = contenders[0][0]
    print(title)
    for name, times in seconds.items():
        if name != ours and not same(results[ours], results[name]):
            raise SystemExit(f"{title}: the results of {name} differ")
        ratio = statistics.median(theirs / mine for theirs, mine in zip(times, seconds[ours]))
        print(f"  {name:38} {1e3 * statistics.median(times):10.3f} ms   {ratio:7.2f}x", flush=True)


def close(a, b):
    return np.allclose(a, b, rtol=1e-6, atol=1e-9)


def rmat(scale, n_edges, random):
    """Chakrabarti, Zhan and Faloutsos, 2004, with the usual 0.57 0.19 0.19 0.05; names that say nothing of degrees."""
    src, dst = np.zeros(n_edges, np.uint64), np.zeros(n_edges, np.uint64)
    for _ in range(scale):
        r = random.integers(0, 100, n_edges)
        src = 2 * src + (r >= 76)
        dst = 2 * dst + (((r >= 57) & (r < 76)) | (r >= 95))
    names = random.permutation(1 << scale).astype(U32)
    return names[src.astype(np.int64)], names[dst.astype(np.int64)]


def acyclic(n, n_edges, random):
    a, b = random.integers(0, n, n_edges), random.integers(0, n, n_edges)
    keep, names = a != b, random.permutation(n).astype(U32)
    return names[np.minimum(a, b)[keep]], names[np.maximum(a, b)[keep]]


def large(lanewise, scale, rounds, random):
    n = 1 << scale
    src, dst = rmat(scale, 16 * n, random)
    title = f"R-MAT scale {scale}, {n} nodes, {len(src)} edges"

    made = []

    def create():
        for handle in made:
            lanewise.lib.lanewise_graph_destroy(handle)
        made[:] = [lanewise.graph(n, src, dst)]
        return True

    def csr():
        return scipy.sparse.coo_matrix((np.ones(len(src), np.float32), (src, dst)), shape=(n, n)).tocsr() is not None

    compare(f"{title}: rows from arrays", [("lanewise", create, 1), ("scipy coo to csr", csr, 1)],
            lambda a, b: a == b, rounds)
    graph = made[0]
    transposed, layout = lanewise.transposed(graph), lanewise.pagerank_layout(graph)

    degree = np.bincount(src, minlength=n).astype(F64)
    inverse = np.divide(1, degree, out=np.zeros(n), where=degree > 0)
    pull = scipy.sparse.csr_matrix((np.ones(len(src)), (dst, src)), shape=(n, n))
    pull.sum_duplicates()

    def by_product(product, wanted, iterations):
        rank = np.full(n, 1 / n)
        for _ in range(iterations):
            lost = rank[degree == 0].sum()
            rank = 0.85 * (product @ (rank * inverse)) + (0.15 + 0.85 * lost) * wanted
        return rank

    scratch = lanewise.scratch("pagerank_run", layout)
    compare(f"{title}: PageRank, per iteration",
            [("lanewise", lambda: lanewise.pagerank(layout, n, scratch, 0, 20), 20),
             ("scipy CSR product, f64", lambda: by_product(pull, 1 / n, 20), 20)], close, rounds)
    wanted = np.zeros((16, n))
    wanted[np.arange(16), 1000 * np.arange(16)] = 1
    scratch = lanewise.scratch("pagerank_run_many", layout)
    compare(f"{title}: 16 personalised PageRanks, per iteration of all",
            [("lanewise, together", lambda: lanewise.pagerank(layout, n, scratch, 0, 20, wanted), 20),
             ("lanewise, 16 runs",
              lambda: np.stack([lanewise.pagerank(layout, n, scratch, 0, 20, w) for w in wanted]), 20),
             ("16 times scipy CSR product, f64",
              lambda: np.stack([by_product(pull, w, 5) for w in wanted]), 5)],
            lambda a, b: a.shape == b.shape, min(rounds, 3))

    other = igraph.Graph(n=n, edges=np.column_stack((src, dst)), directed=True)
    root = int(src[0])
    scratch = lanewise.scratch("graph_bfs", graph)

    def igraph_levels():
        order, begin, _ = other.bfs(root, mode="out")
        level = np.full(n, np.iinfo(U32).max, U32)
        for depth in range(len(begin) - 1):
            level[order[begin[depth]:begin[depth + 1]]] = depth
        return level

    compare(f"{title}: breadth-first levels",
            [("lanewise", lambda: lanewise.bfs(graph, transposed, n, root, scratch), 1),
             ("lanewise, without the transposed graph", lambda: lanewise.bfs(graph, None, n, root, scratch), 1),
             ("igraph bfs", igraph_levels, 1)], np.array_equal, rounds)


def orders(lanewise, rounds, random):
    for n, n_edges in ((1000000, 5000000), (10000, 50000)):
        src, dst = acyclic(n, n_edges, random)
        graph = lanewise.graph(n, src, dst)
        scratch = lanewise.scratch("graph_topo", graph)
        pairs = np.column_stack((src, dst))
        other = igraph.Graph(n=n, edges=pairs, directed=True)
        contenders = [("lanewise, order and levels", lambda: lanewise.topo(graph, n, scratch)[0], 1),
                      ("igraph topological_sorting", other.topological_sorting, 1)]
        if n <= 100000:
            nx = networkx.DiGraph(pairs.tolist())
            nx.add_nodes_from(range(n))
            before = {u: [] for u in range(n)}
            for a, b in pairs.tolist():
                before[b].append(a)
            contenders += [("networkx topological_sort", lambda: list(networkx.topological_sort(nx)), 1),
                           ("graphlib", lambda: list(graphlib.TopologicalSorter(before).static_order()), 1)]

        def is_order(_, order):
            place = np.empty(n, np.int64)
            place[np.asarray(order)] = np.arange(n)
            return bool((place[src] < place[dst]).all())

        compare(f"acyclic, {n} nodes, {len(src)} edges: topological order", contenders, is_order, rounds)


def small(lanewise, rounds, random):
    n = 8192
    src, dst = rmat(13, 110000, random)
    pairs = np.unique(np.column_stack((src, dst)), axis=0)
    src, dst = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    nx = networkx.DiGraph(pairs.tolist())
    nx.add_nodes_from(range(n))
    other = igraph.Graph(n=n, edges=pairs, directed=True)

    def from_arrays():
        graph = lanewise.graph(n, src, dst)
        layout = lanewise.pagerank_layout(graph)
        rank = lanewise.pagerank(layout, n, lanewise.scratch("pagerank_run", layout))
        lanewise.lib.lanewise_pagerank_destroy(layout)
        lanewise.lib.lanewise_graph_destroy(graph)
        return rank

    compare(f"R-MAT, {n} nodes, {len(src)} edges: PageRank to 1e-6, from arrays",
            [("lanewise", from_arrays, 1),
             ("networkx", lambda: np.array([rank for _, rank in sorted(networkx.pagerank(nx).items())]), 1),
             ("igraph", lambda: np.array(other.pagerank()), 1)],
            lambda a, b: np.abs(a - b).sum() < 1e-2, rounds)
    graph = lanewise.graph(n, src, dst)
    scratch = lanewise.scratch("graph_betweenness", graph)
    pairs_of_nodes = (n - 1) * (n - 2)
    compare(f"R-MAT, {n} nodes, {len(src)} edges: betweenness",
            [("lanewise", lambda: lanewise.betweenness(graph, n, scratch), 1),
             ("igraph", lambda: np.array(other.betweenness()) / pairs_of_nodes, 1)], close, min(rounds, 3))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("--scale", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    lanewise, random = Lanewise(options.library), np.random.default_rng(1)
    print(f"networkx {networkx.__version__}, igraph {igraph.__version__}, scipy {scipy.__version__}, one thread")
    small(lanewise, options.rounds, random)
    orders(lanewise, options.rounds, random)
    large(lanewise, options.scale, options.rounds, random)


if __name__ == "__main__":
    main()
