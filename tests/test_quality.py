#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The quality of BM25 on two test collections, with stems and without stop words: what other engines reach.

Usage: test_quality.py PATH-OF-LANEWISE SHARED-DATA

Exits with 77 where the collections or libstemmer are absent.
"""
import json
import pathlib
import subprocess
import sys

# Mean nDCG@10 of binary judgements, as bm25s has it with the same words and parameters, to three digits.
LEAST = {"cranfield": 0.523, "cisi": 0.394}
OPTIONS = ["--binary", "--stem", "english", "--stop", "english", "--min-length", "2", "--k1", "1.5", "--json"]


def main():
    tool, data = sys.argv[1], pathlib.Path(sys.argv[2]) / "ir"
    for name, least in LEAST.items():
        files = [str(data / name / file) for file in ("docs.tsv", "queries.tsv", "qrels.tsv")]
        if not all(pathlib.Path(file).exists() for file in files):
            print(f"skipped: {data / name} is not there")
            return 77
        result = subprocess.run([tool, "eval", *files, *OPTIONS], capture_output=True, text=True, timeout=300)
        if "no stemmer" in result.stderr:
            print("skipped:", result.stderr.strip())
            return 77
        if result.returncode:
            print(result.stderr)
            return 1
        reached = json.loads(result.stdout)["bm25"]["ndcg_at_10"]
        print(f"{name}: nDCG@10 {reached:.4f}, wanted {least}")
        if round(reached, 3) < least:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
