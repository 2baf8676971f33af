#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the public headers: each compiles alone with every compiler given, needs nothing but stddef.h, stdint.h and
its own kind, holds declarations only, and is included by lanewise.h.

usage: check_headers.py INCLUDE_DIRECTORY 'COMPILER -x LANGUAGE -std=STANDARD'...
"""
import os
import re
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror", "-pedantic"]


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)


def faults_of_text(text, headers):
    """What is wrong with a header by its text alone."""
    code = without_comments(text)
    for name in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', code, re.M):
        if name not in ("stddef.h", "stdint.h") and name not in headers:
            yield f"includes {name}"
    if re.search(r"\b(inline|static|__inline\w*)\b", code):
        yield "holds an inline or static definition"
    if re.search(r"\)\s*\{", code):
        yield "holds a function body"
    for line in re.findall(r"^\s*#\s*define\s+(\w+)", code, re.M):
        if not line.startswith("LANEWISE_"):
            yield f"defines the macro {line}"
    if not text.startswith("/* SPDX-License-Identifier: Apache-2.0 */"):
        yield "does not begin with its licence"


def compile_alone(compiler, include, header):
    """Twice, so that the guard is tested as well."""
    source = f"#include <lanewise/{header}>\n" * 2 + "extern int lanewise_translation_unit;\n"
    return subprocess.run([*compiler.split(), *WARNINGS, "-fsyntax-only", "-I", include, "-"], input=source, text=True,
                          stderr=subprocess.PIPE)


def self_test():
    good = "/* SPDX-License-Identifier: Apache-2.0 */\n#include <stddef.h>\nint lanewise_f(int x);\n"
    bad = ["#include <stdio.h>\n", "static inline int f(void);\n", "int f(int x)\n{ return x; }\n", "#define MAX 1\n"]
    return not list(faults_of_text(good, [])) and all(list(faults_of_text(good + text, [])) for text in bad)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    include, compilers = sys.argv[1], sys.argv[2:]
    directory = os.path.join(include, "lanewise")
    headers = sorted(name for name in os.listdir(directory) if name.endswith(".h"))
    faults = [] if self_test() and "lanewise.h" in headers else ["the check itself is broken"]
    for header in headers:
        with open(os.path.join(directory, header), encoding="utf-8") as file:
            text = file.read()
        faults += [f"{header}: {what}" for what in faults_of_text(text, headers)]
        if header == "lanewise.h":
            faults += [f"lanewise.h does not include {other}" for other in headers
                       if other != header and f'"{other}"' not in text]
        for compiler in compilers:
            answer = compile_alone(compiler, include, header)
            if answer.returncode:
                faults.append(f"{header} with {compiler}:\n{answer.stderr}")
    print("\n".join(faults), file=sys.stderr)
    print(f"{len(headers)} headers, {len(compilers)} compilers, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
