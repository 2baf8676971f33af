#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what docs/adding-a-kernel.md says, on a copy of the tree: applies its patches, builds, checks the new kernel on
every tier, and judges the objects and headers as for any other kernel.

usage: test_adding_a_kernel.py SOURCE_DIRECTORY CMAKE COMPILER
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

KERNEL = "l1_f32"
MOST_FILES = 6
COPIED = ["CMakeLists.txt", "cmake", "dispatch", "include", "kernels", "parallel", "regex", "share", "tests", "tools"]


def run(*command, **options):
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if answer.returncode:
        sys.exit(f"{' '.join(command)}:\n{answer.stdout}")
    return answer.stdout


def patches_of(document):
    with open(document, encoding="utf-8") as file:
        return re.findall(r"^```diff\n(.*?)^```$", file.read(), re.M | re.S)


def main():
    source, cmake, compiler = sys.argv[1:]
    patches = patches_of(os.path.join(source, "docs", "adding-a-kernel.md"))
    files = {path for patch in patches for path in re.findall(r"^\+\+\+ b/(\S+)", patch, re.M)}
    library_files = {path for path in files if not path.startswith("tests/")}
    if not 0 < len(library_files) <= MOST_FILES:
        sys.exit(f"the patches touch {len(library_files)} files besides tests: {sorted(library_files)}")

    with tempfile.TemporaryDirectory() as copy:
        for name in COPIED:
            path = os.path.join(source, name)
            if os.path.isdir(path):
                shutil.copytree(path, os.path.join(copy, name))
            elif os.path.exists(path):
                shutil.copy(path, copy)
        for patch in patches:
            print(run("patch", "-p1", "--no-backup-if-mismatch", "-d", copy, input=patch).strip())
        build = os.path.join(copy, "build")
        run(cmake, "-S", copy, "-B", build, f"-DCMAKE_C_COMPILER={compiler}", "-DCMAKE_BUILD_TYPE=Release",
            "-DLANEWISE_WERROR=ON", "-DLANEWISE_TOOLS=OFF", "-DLANEWISE_BENCH=OFF", "-DLANEWISE_EXAMPLES=OFF")
        run(cmake, "--build", build, "--target", "check", "lanewise", "lanewise_parallel", "lanewise_regex", "-j",
            str(len(os.sched_getaffinity(0))))

        check = os.path.join(build, "tests", "check")
        answer = run(check, "--kernel", KERNEL, "--quick")
        print(answer)
        implementations = re.findall(rf"^ok\s+{KERNEL}\s+(\w+)", answer, re.M)
        if "scalar" not in implementations:
            sys.exit("check did not run the new kernel")

        # The digest that scalar gives joins the committed ones, none of which may change, and holds for every tier.
        committed = os.path.join(source, "tests", "digests.txt")
        digests = os.path.join(copy, "tests", "digests.txt")
        text = run(check, "--digest")
        with open(digests, "w", encoding="utf-8") as file:
            file.write(text)
        with open(committed, encoding="utf-8") as file:
            gone = set(file.read().splitlines()) - set(text.splitlines())
        if any(line and not line.startswith("#") for line in gone):
            sys.exit(f"other kernels' digests changed: {sorted(gone)}")
        for tier in implementations:
            print(run(check, "--kernel", KERNEL, "--tier", tier, "--digest-file", digests).strip())
        print(run(os.path.join(os.path.dirname(cmake), "ctest"), "--test-dir", build, "--output-on-failure",
                  "-R", "object_hygiene$|headers_alone"))
    print(f"{len(patches)} patches, {len(library_files)} files besides tests, {len(implementations)} implementations")


if __name__ == "__main__":
    main()
