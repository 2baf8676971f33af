#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much of versioned source trees content-defined chunking saves: LANEWISE1 and FastCDC 2020, at equal average sizes.

    python3 bench/compare_chunks.py build/release/tools/lanewise [--repository .] [--versions 20] [--sizes 2048 4096 8192]

The versions are commits of a git repository, evenly spread over its history, each as one file with all its files and their names.
What is printed is the part of all bytes that lies in chunks seen before. FastCDC's chunks are not on average what was asked for,
so LANEWISE1 is asked for an average with which its chunks are, within 3 %.
"""
import argparse
import io
import pathlib
import subprocess
import tarfile
import tempfile


def versions(repository, n, directory):
    commits = subprocess.run(["git", "-C", repository, "rev-list", "--reverse", "--first-parent", "HEAD"], check=True,
                             capture_output=True, text=True).stdout.split()
    chosen = [commits[i * (len(commits) - 1) // max(n - 1, 1)] for i in range(min(n, len(commits)))]
    paths = []
    for number, commit in enumerate(chosen):
        path = pathlib.Path(directory, str(number))
        archive = subprocess.run(["git", "-C", repository, "archive", "--format=tar", commit], check=True, capture_output=True).stdout
        with open(path, "wb") as file, tarfile.open(fileobj=io.BytesIO(archive)) as tree:
            for member in tree:
                if member.isfile():
                    file.write(member.name.encode() + b"\n" + tree.extractfile(member).read())
        paths.append(path)
    return paths


def chunk(command, method, size, least, most, paths):
    """The part saved, and the average size."""
    seen, n, total, saved = set(), 0, 0, 0
    out = subprocess.run([command, "chunk", method, "--size", str(size), "--min", str(least), "--max", str(most), *map(str, paths)],
                         check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        _, length, digest = line.split("\t")[:3]
        n, total = n + 1, total + int(length)
        if digest in seen:
            saved += int(length)
        seen.add(digest)
    return saved / total, total / n


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lanewise")
    parser.add_argument("--repository", default=".")
    parser.add_argument("--versions", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2048, 4096, 8192])
    arguments = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as directory:
        paths = versions(arguments.repository, arguments.versions, directory)
        n_bytes = sum(path.stat().st_size for path in paths)
        print(f"{len(paths)} versions, {n_bytes / 1e6:.1f} MB")
        for size in arguments.sizes:
            theirs, average = chunk(arguments.lanewise, "--fastcdc", size, size // 4, size * 4, paths)
            asked = size
            for _ in range(6):
                ours, own_average = chunk(arguments.lanewise, "--cdc", asked, size // 4, size * 4, paths)
                if abs(own_average / average - 1) < 0.03:
                    break
                asked = round(asked * average / own_average)
            print(f"{average:6.0f} bytes on average: FastCDC saves {100 * theirs:.2f} %, LANEWISE1 {100 * ours:.2f} % "
                  f"(with {own_average:.0f})")
            worst = max(worst, theirs - ours)
    print(f"LANEWISE1 saves at most {100 * worst:.2f} points less")


if __name__ == "__main__":
    main()
