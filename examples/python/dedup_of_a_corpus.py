#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Repeated lines, repeated blocks and near-duplicates of a corpus: the sources of Python's standard library, or any text.

    python3 dedup_of_a_corpus.py [DIRECTORY [GLOB]]
"""

import pathlib
import sys
import sysconfig

import lanewise as lw


def exact(texts, unit, **options):
    """How many bytes are in units that came before, in this text or an earlier one."""
    dedup, repeated = lw.Deduplicator(unit, **options), 0
    for text in texts:
        units = dedup.feed(text) + dedup.finish()
        repeated += sum(u.end - u.begin for u in units if u.is_duplicate)
    return repeated


def near(names, texts, threshold=0.9):
    """Groups of texts whose words are nearly the same."""
    rows = [lw.embed(text, 256) for text in texts]
    groups = {}
    for number, original in enumerate(lw.dedup_rows(rows, threshold)):
        groups.setdefault(int(original), []).append(names[number])
    return [group for group in groups.values() if len(group) > 1]


def main():
    directory = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_paths()["stdlib"])
    files = sorted(directory.glob(sys.argv[2] if len(sys.argv) > 2 else "*.py"))
    texts = [file.read_bytes() for file in files]
    total = sum(map(len, texts))
    print(f"{len(files)} files, {total} bytes")
    for name, repeated in (("lines of 20 bytes and more", exact(texts, "lines", trim=True, min_length=20)),
                           ("blocks of 50 bytes and more", exact(texts, "blocks", trim=True, collapse=True, min_length=50))):
        print(f"{name}: {100 * repeated / max(total, 1):.1f} % came before")
    same = {}
    for file, value in zip(files, lw.xxh3_64_batch(texts)):
        same.setdefault(int(value), []).append(file.name)
    print("the same files:", [group for group in same.values() if len(group) > 1][:5])
    print("nearly the same:", near([file.name for file in files], texts)[:5])


if __name__ == "__main__":
    main()
