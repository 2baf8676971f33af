#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Search by words and by vectors, fused into one ranking, over the docstrings of Python's standard library.

    python3 hybrid_search.py [QUERY]

The vectors are lanewise.embed's, hashes of words; a model's are better and go in the same way.
"""

import ast
import pathlib
import sys
import sysconfig

import lanewise as lw

QUERY = "read a date and time from a string"


def docstrings():
    """(name, docstring) of the functions and classes of the standard library's modules."""
    found = []
    for file in sorted(pathlib.Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        try:
            tree = ast.parse(file.read_bytes())
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                text = ast.get_docstring(node)
                if text and len(text) > 40:
                    found.append((f"{file.stem}.{node.name}", text))
    return found


def main():
    query = " ".join(sys.argv[1:]) or QUERY
    names, texts = zip(*docstrings())
    bm25, index = lw.BM25(texts), lw.Index(dim=512)
    index.add([lw.embed(f"{name} {text}", 512) for name, text in zip(names, texts)])
    print(f"{len(texts)} docstrings, {bm25.n_terms} words: {query!r}")

    by_words = bm25.search(query, k=50)
    by_vector = index.search(lw.embed(query, 512), k=50)
    for title, hits in (("words", by_words), ("vectors", by_vector), ("both", lw.fuse([by_words, by_vector], k=50))):
        print(f"\nby {title}:")
        for number, score in list(zip(hits.index, hits.score))[:5]:
            print(f"  {score:8.4f}  {names[number]}: {texts[number].splitlines()[0][:80]}")


if __name__ == "__main__":
    main()
