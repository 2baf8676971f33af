#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Secrets in the files of a directory: by the built-in rules and one of your own, on several threads.

    python3 secrets_of_a_tree.py [DIRECTORY [GLOB]]

Without a directory it makes one with a few files, two of which have secrets.
"""

import os
import pathlib
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import lanewise as lw

OWN = r"""
rule staff-badge
  about   number of a badge of ours
  anchor  badge-
  shape   \b @ < [0-9]{6} > \b
  true    badge-123456
  false   badge-1234567
"""
SAMPLES = {
    "settings.py": 'REGION = "eu-central-1"\nACCESS_KEY = "AKIAZ7Q2LMN4P5RSTUVW"\n',
    "people.csv": "name,badge\nJürgen,badge-123456\nÅsa,badge-999999\n",
    "readme.md": "Keys look like AKIAIOSFODNN7EXAMPLE, which is only an example.\n",
}


def findings(scanner, file):
    """A line about each secret of a file, with the secret masked."""
    text = file.read_text(encoding="utf-8", errors="replace")
    if not scanner.any(text):
        return len(text), []
    lines = text.split("\n")
    return len(text), [f"{file.name}:{secret.line}:{secret.column}: {secret.rule}: {scanner.mask(lines[secret.line - 1], keep_first=4)}"
                       for secret in scanner.scan(text)]


def scan(directory, pattern):
    print("examples in the rules that are right:", lw.SecretScanner.check_examples(OWN))
    scanner = lw.SecretScanner(OWN, with_builtin=True)  # immutable: threads share it, and C code runs beside Python
    files, began = sorted(path for path in directory.rglob(pattern) if path.is_file()), time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        results = list(threads.map(lambda file: findings(scanner, file), files))
    took = time.perf_counter() - began
    print(f"{len(files)} files, {sum(n for n, _ in results)} characters, {len(scanner)} rules, {took:.2f} s")
    for _, lines in results:
        for line in lines:
            print(line)


def main():
    if len(sys.argv) > 1:
        scan(pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "*")
        return
    with tempfile.TemporaryDirectory() as directory:
        for name, text in SAMPLES.items():
            (pathlib.Path(directory) / name).write_text(text, encoding="utf-8")
        scan(pathlib.Path(directory), "*")


if __name__ == "__main__":
    main()
