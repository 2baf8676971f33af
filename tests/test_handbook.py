#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C examples of the handbook compile without warnings and print what the page says they do.

Usage: test_handbook.py SOURCES LIBRARY COMPILER [FLAG...]

An example is a block of C with a main(); the block behind it, of text, is what it prints. (The examples in Python are run by
python/tests/test_examples.py.) Every public header has a page in mkdocs.yml, and tools/handbook_reference.py knows all that
it declares.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
LEAST = 12  # fewer examples than this are a sign that they are not found


def examples(page):
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    for (language, code), (follower, output) in zip(blocks, blocks[1:] + [("", "")]):
        if language == "c" and "int main(" in code:
            yield code, output if follower == "text" else None


def run(code, directory, include, library, compiler):
    source, program = directory / "example.c", directory / "example"
    source.write_text(code, encoding="utf-8")
    subprocess.run([*compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{include}", source, library, "-o", program, "-lm",
                    "-pthread"], check=True)
    return subprocess.run([program], capture_output=True, text=True, timeout=60, check=True).stdout


def gaps_of_reference(sources):
    """What the reference leaves out: pages, functions."""
    sys.path.insert(0, str(sources / "tools"))
    sys.dont_write_bytecode = True
    import handbook_reference as reference

    navigation = (sources / "mkdocs.yml").read_text(encoding="utf-8")
    for header in reference.headers():
        if f" {reference.page_of(header)}\n" not in navigation:
            yield f"mkdocs.yml: no page of {header.name}"
        declared = re.findall(r"^LANEWISE_API [^;(]*?(\w+)\(", header.read_text(encoding="utf-8"), re.M)
        code = "".join(re.findall(r"```c\n(.*?)```", reference.c_page(header), re.S))
        for name in declared:
            if f"{name}(" not in code:
                yield f"{header.name}: {name} is not in its page"
        if not declared:
            yield f"{header.name}: no functions"


def main():
    sources, library, *compiler = sys.argv[1:]
    sources = pathlib.Path(sources)
    include = sources / "include"
    n_run = n_failed = 0
    for gap in gaps_of_reference(sources):
        n_failed += 1
        print(gap, file=sys.stderr)
    with tempfile.TemporaryDirectory() as directory:
        for page in sorted((sources / "docs").rglob("*.md")):
            for code, expected in examples(page):
                n_run += 1
                try:
                    printed = run(code, pathlib.Path(directory), include, library, compiler)
                except subprocess.CalledProcessError as error:
                    printed = f"{error}\n{error.stderr or ''}"
                if printed != expected:
                    n_failed += 1
                    print(f"{page}: an example prints\n{printed}instead of\n{expected}", file=sys.stderr)
    print(f"{n_run} examples, {n_failed} failed")
    return n_failed > 0 or n_run < LEAST


if __name__ == "__main__":
    sys.exit(main())
