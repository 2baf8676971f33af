#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lanewise graph from outside, and against NetworkX on random graphs where that is installed.

Usage: test_graph_tool.py PATH-OF-LANEWISE [--networkx]

With --networkx only the comparison, which exits 77 if NetworkX is not there; without, everything else.
"""
import json
import random
import subprocess
import sys

LANEWISE = None
failures = 0


def expect(condition, *what):
    global failures
    if not condition:
        failures += 1
        print("FAILED:", *what, file=sys.stderr)


def run(action, text, *options, status=0):
    if isinstance(text, str):
        text = text.encode()
    result = subprocess.run([LANEWISE, "graph", action, "-", *options], input=text, capture_output=True, timeout=120)
    expect(result.returncode == status, action, text[:200], options, "status", result.returncode, result.stderr)
    return result.stdout.decode(), result.stderr.decode()


def answer(action, text, *options, status=0):
    return json.loads(run(action, text, "--json", *options, status=status)[0])


# ------------------------------------------------------------------ the command

DIAMOND = "a b\na c\nb d 1\r\n  # comment\n\nc d\nlone\n"


def test_formats():
    same = [
        DIAMOND,
        '{"edges": [["a", "b"], ["a", "c"], ["b", "d", 1], {"target": "d", "x": [1], "source": "c"}], "nodes": '
        '["a", "b", {"id": "c", "color": "red"}, "d", {"id": "lone"}], "directed": true}',
    ]
    for text in same:
        expect(answer("topo", text)["levels"] == [["a", "lone"], ["b", "c"], ["d"]], text)
        expect(answer("components", text)["components"] == [["a", "b", "c", "d"], ["lone"]], text)
    expect(answer("topo", "")["levels"] == [], "empty")
    expect(answer("pagerank", "")["ranks"] == [], "empty")
    expect(answer("components", '{"edges":[]}')["components"] == [], "empty")
    expect(answer("topo", '{"edges":[[1,2],[2,"1.5"]]}')["levels"] == [["1"], ["2"], ["1.5"]], "numbers are names")
    expect(answer("components", "a b\nb a\nb c\n", "--strong")["components"] == [["a", "b"], ["c"]], "strong")
    expect(answer("topo", '{"edges":[["\\u00e4\\"","b"]]}')["levels"] == [['ä"'], ["b"]], "escapes")


def test_cycles_and_validation():
    ring = "x a\na b\nb c\nc a\n"
    expect(answer("topo", ring, status=1)["cycle"] == ["a", "b", "c"], "cycle")
    expect("cycle: a -> b -> c -> a" in run("validate", ring, status=1)[0], "validate")
    found = answer("validate", '{"nodes":["a","b","c"],"edges":[["a","b"],["c","c"],["b","d"]]}', status=1)
    expect(found == {"nodes": 4, "edges": 3, "valid": False, "cycle": ["c"], "unreachable": ["c"], "undeclared": ["d"],
                     "ends": ["d"]}, found)
    expect(answer("validate", DIAMOND)["valid"], "valid")
    expect(answer("validate", DIAMOND, "--root", "b", status=1)["unreachable"] == ["a", "c", "lone"], "--root")


def test_pagerank_options():
    text = "a b\nb a\nb c\n"
    best = answer("pagerank", text, "-k", "1")["ranks"]
    expect(len(best) == 1, best)
    seeded = {r["node"]: r["rank"] for r in answer("pagerank", "a b\nc d\n", "--seed", "c")["ranks"]}
    expect(seeded["a"] == 0 and seeded["b"] == 0 and seeded["c"] > seeded["d"] > 0, seeded)
    expect(sum(r["rank"] for r in answer("pagerank", text, "--drop")["ranks"]) < 0.9, "--drop")
    expect("not converged" in run("pagerank", text, "--iterations", "1")[1], "not converged")


def test_betweenness_and_path():
    text = "a b\nb c\nc d\na b\nb b\n"
    found = {r["node"]: r["centrality"] for r in answer("betweenness", text)["centralities"]}
    expect(found == {"a": 0, "b": 2 / 6, "c": 2 / 6, "d": 0}, found)
    expect(len(answer("betweenness", text, "-k", "2")["centralities"]) == 2, "-k")
    samples = [answer("betweenness", text, "--sample", "2", "--random-seed", str(seed)) for seed in (1, 1, 2, 3, 4, 5)]
    expect(samples[0] == samples[1] and any(s != samples[0] for s in samples), "--random-seed")
    expect(answer("path", text, "--from", "a", "--to", "d")["path"] == ["a", "b", "c", "d"], "path")
    expect(run("path", text, "--from", "b", "--to", "c")[0] == "b\nc\n", "path")
    expect("no path" in run("path", text, "--from", "d", "--to", "a", status=1)[1], "no path")
    expect("no node x" in run("path", text, "--from", "x", "--to", "a", status=1)[1], "no node")
    run("path", text, "--from", "d", status=2)


def test_dot():
    out = run("topo", 'a "b\\\n', "--dot")[0]
    expect(out == 'digraph {\n  n0 [label="a\\n0"];\n  n1 [label="\\"b\\\\\\n1"];\n  n0 -> n1;\n}\n', out)


def test_errors():
    for text, said in [
        ("a b\na b x\n", "-:2: the weight is no number"), ("a b 1 c\n", "-:1: more than"), ("a b\nb c -1", "-:2: edge 1"),
        ("a b nan\n", "NaN"), ("a b 1e999\n", "infinite"), ('{"edges":[["a"]]}', "at byte"), ('{"edges":[["a","b"]', "at byte"),
        ('{"edges":[{"source":"a"}]}', "without a source or a target"), ("{}", "one array"), ('{"edges":[],"edges":[]}', "one array"),
        ('{"edges":[["a","b",-2]]}', "negative"), ('{"nodes":[{}],"edges":[]}', "without an id"), ('{"edges":[]} x', "at byte"),
    ]:
        expect(said in run("topo", text, status=1)[1], text, said)
    run("topo", "a b\n", "--dot", "--json", status=2)
    run("validate", "a b\n", "--dot", status=2)
    run("nothing", "", status=2)
    run("pagerank", "", "--damping", "2", status=2)
    run("pagerank", "a b\n", "--seed", "z", status=1)
    for size in range(len(b := '{"nodes":["a",{"id":"b"}],"edges":[["a","b",1.5],{"source":"a","target":"b"}]}')):
        run("topo", b[:size] if size else "{", status=1)
    rng = random.Random(5)
    for _ in range(60):  # any bytes: some answer, no crash
        text = bytes(rng.choice(b'ab \n"[]{}:,1#\\\xff\x00') for _ in range(rng.randrange(40)))
        result = subprocess.run([LANEWISE, "graph", "components", "-"], input=text, capture_output=True, timeout=60)
        expect(result.returncode in (0, 1), text, result)


# --------------------------------------------------------------------- NetworkX

def random_graph(rng, networkx):
    n = rng.choice([1, 2, 5, 20, 60])
    m = rng.randrange(0, 4 * n)
    weighted = rng.random() < 0.5
    graph = networkx.MultiDiGraph()
    graph.add_nodes_from(range(n))
    for _ in range(m):
        a, b = rng.randrange(n), rng.randrange(n)
        if rng.random() < 0.3:
            a, b = min(a, b), max(a, b)
        graph.add_edge(a, b, weight=rng.choice([0.0, 0.5, 1.0, 7.25]) if weighted else 1.0)
    lines = [f"{a} {b} {w}" for a, b, w in graph.edges(data="weight")]
    return graph, "\n".join([str(u) for u in range(n)] + lines) + "\n"


def pagerank_of(networkx):
    """NetworkX has it twice, and the one in Python alone needs no SciPy."""
    try:
        import scipy  # noqa: F401
        return networkx.pagerank
    except ImportError:
        from networkx.algorithms.link_analysis import pagerank_alg
        return pagerank_alg._pagerank_python


def compare_ranks(networkx, graph, text, rng):
    seeds = rng.sample(sorted(graph), min(len(graph), rng.choice([0, 0, 1, 3])))
    personal = {u: float(u in seeds) for u in graph} if seeds else None
    found = answer("pagerank", text, *[x for u in seeds for x in ("--seed", str(u))])
    try:
        expected = pagerank_of(networkx)(graph, personalization=personal)
    except networkx.PowerIterationFailedConvergence:
        expect(not found["converged"], "convergence", text)
        return
    worst = max(abs(expected[int(r["node"])] - r["rank"]) for r in found["ranks"])
    expect(len(found["ranks"]) == len(graph) and worst < 1e-12, "ranks", worst, text)


def compare_order(networkx, graph, text):
    if networkx.is_directed_acyclic_graph(graph):
        levels = [sorted(level) for level in networkx.topological_generations(graph)]
        expect(answer("topo", text)["levels"] == [[str(u) for u in level] for level in levels], "levels", text)
        return
    cycle = [int(u) for u in answer("topo", text, status=1)["cycle"]]
    expect(cycle and all(graph.has_edge(a, b) for a, b in zip(cycle, cycle[1:] + cycle[:1])), "cycle", text)


def compare_components(networkx, graph, text):
    for option, function in [([], networkx.weakly_connected_components),
                             (["--strong"], networkx.strongly_connected_components)]:
        expected = sorted(sorted(c) for c in function(graph))
        found = [[int(u) for u in c] for c in answer("components", text, *option)["components"]]
        expect(found == expected, "components", option, text)


def compare_paths(networkx, graph, text, rng):
    simple = networkx.DiGraph(graph)
    expected = networkx.betweenness_centrality(simple)
    found = {int(r["node"]): r["centrality"] for r in answer("betweenness", text)["centralities"]}
    worst = max(abs(found[u] - expected[u]) for u in graph)
    expect(found.keys() == expected.keys() and worst < 1e-12, "betweenness", worst, text)
    a, b = rng.choice(list(graph)), rng.choice(list(graph))
    try:
        n = networkx.shortest_path_length(graph, a, b)
    except networkx.NetworkXNoPath:
        run("path", text, "--from", str(a), "--to", str(b), status=1)
        return
    path = [int(u) for u in answer("path", text, "--from", str(a), "--to", str(b))["path"]]
    expect(len(path) == n + 1 and (path[0], path[-1]) == (a, b), "path", text)
    expect(all(graph.has_edge(*edge) for edge in zip(path, path[1:])), "path", text)


def compare_with_networkx():
    try:
        import networkx
    except ImportError as error:
        print(f"skipped: {error}")
        sys.exit(77)
    rng = random.Random(1)
    for _ in range(1000):
        graph, text = random_graph(rng, networkx)
        compare_ranks(networkx, graph, text, rng)
        compare_order(networkx, graph, text)
        compare_components(networkx, graph, text)
        compare_paths(networkx, graph, text, rng)


def main():
    global LANEWISE
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LANEWISE = sys.argv[1]
    if "--networkx" in sys.argv:
        compare_with_networkx()
    else:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test()
    print(f"{failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
