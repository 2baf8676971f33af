#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which modules of a Python source tree matter: the graph of imports, ranked, with its cycles.

    python3 module_ranking.py [DIRECTORY]

Without one, the standard library's top modules. With matplotlib, --plot FILE draws the ranks.
"""

import argparse
import ast
import pathlib
import sysconfig

import lanewise as lw


def imports(directory):
    """The modules' names, and edges from each to those it imports."""
    files = {file.stem: file for file in sorted(directory.glob("*.py"))}
    files |= {file.parent.name: file for file in sorted(directory.glob("*/__init__.py"))}
    names = sorted(files)
    numbers = {name: number for number, name in enumerate(names)}
    edges = []
    for name, file in files.items():
        try:
            tree = ast.parse(file.read_bytes())
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                targets = [alias.name.partition(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                targets = [node.module.partition(".")[0]]
            else:
                continue
            edges += [(numbers[name], numbers[target]) for target in targets if target in numbers]
    return names, edges


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", nargs="?", type=pathlib.Path, default=pathlib.Path(sysconfig.get_paths()["stdlib"]))
    parser.add_argument("--plot", help="a file for a plot of the ranks (needs matplotlib)")
    arguments = parser.parse_args()
    names, edges = imports(arguments.directory)
    graph = lw.Graph([source for source, _ in edges], [target for _, target in edges], n_nodes=len(names), self_loops="drop",
                     duplicates="drop")
    print(graph)
    ranks, between = graph.pagerank(), graph.betweenness()
    best = lw.topk(ranks, 10)
    for number in best.index:
        print(f"  {ranks[number]:.4f}  betweenness {between[number]:.4f}  {names[number]}")
    strong = list(graph.components(strong=True))
    sizes = sorted((strong.count(component) for component in set(strong)), reverse=True)
    print(f"modules that all import each other: {sizes[0]} at most")
    print("a cycle:", " -> ".join(names[number] for number in graph.find_cycle()[:8]))
    if arguments.plot:
        import matplotlib.pyplot

        figure, axes = matplotlib.pyplot.subplots()
        axes.barh([names[number] for number in best.index][::-1], list(best.score)[::-1])
        axes.set_xlabel("PageRank")
        figure.tight_layout()
        figure.savefig(arguments.plot)


if __name__ == "__main__":
    main()
