#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `lanewise dedup --lines` with sort -u, awk '!s[$0]++' (gawk), and huniq (cargo install huniq) where it is in the PATH.

    python3 bench/compare_lines.py build/release/tools/lanewise [--mebibytes 256] [--rounds 5]

The file has lines of 20 to 90 bytes, half of which came before, in no order. Commands run in turn with the output thrown away,
each with as many threads as it likes (of these, lanewise and sort have more than one); what is printed are medians of our own
times and of the rounds' ratios (above 1: lanewise is faster), of elapsed time and of CPU time, user and system. lanewise
compares the texts of lines (VERIFY) unless --hash is given.
"""
import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time


def write_lines(path, n_bytes):
    """Lines of random letters; about every second is one of those before."""
    rng = random.Random(1)
    letters = bytes(rng.choice(b"etaoin shrdlucmfwypvbgkqjxz") for _ in range(1 << 20))
    starts = []
    with open(path, "wb") as file:
        written = 0
        while written < n_bytes:
            if starts and rng.random() < 0.5:
                begin, size, number = rng.choice(starts)
            else:
                begin, size, number = rng.randrange(1 << 19), rng.randrange(10, 80), len(starts)
                starts.append((begin, size, number))
            written += file.write(b"%08x %s\n" % (number, letters[begin : begin + size]))


def seconds(command, environment):
    """Elapsed and CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
    elapsed = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lanewise")
    parser.add_argument("--mebibytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    environment = dict(os.environ, LC_ALL="C")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "lines")
        write_lines(path, options.mebibytes << 20)
        command = [options.lanewise, "dedup", "--lines", path]
        ours = {"lanewise": command, "lanewise --hash": [*command, "--hash"], "lanewise --threads 1": [*command, "--threads", "1"]}
        peers = {"sort -u": ["sort", "-u", path], "gawk": ["gawk", "!s[$0]++", path],
                 "huniq": ["sh", "-c", f'exec huniq <"{path}"']}
        peers = {name: command for name, command in peers.items() if shutil.which(name.split()[0])}
        rounds = []
        for _ in range(options.rounds):
            rounds.append({name: seconds(command, environment) for name, command in {**peers, **ours}.items()})
        for mine in ours:
            elapsed, cpu = (statistics.median(r[mine][i] for r in rounds) for i in (0, 1))
            print(f"{mine}: {elapsed:.3f} s, {cpu:.3f} s of CPU time")
            for name in peers:
                elapsed, cpu = (statistics.median(r[name][i] / r[mine][i] for r in rounds) for i in (0, 1))
                print(f"  against {name:8} {elapsed:6.2f} {cpu:6.2f}")


if __name__ == "__main__":
    main()
