#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lanewise/timestamp.h with the ciso8601 package (pip install ciso8601) and datetime.fromisoformat.

    python3 bench/compare_timestamps.py build/liblanewise.so [--rows 100000]

lanewise reads a column (adjacent texts, begins and ends) into int64 nanoseconds in one call; the others make one datetime
per call, in a list comprehension, which is what their users do first. Contenders run in turn in this process; figures
are medians of CPU time per text and of the rounds' ratios (above 1: lanewise is faster).
"""
import argparse
import array
import ctypes
import datetime
import random
import statistics
import time

import ciso8601

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def make_texts(n, digits):
    rng = random.Random(1)
    texts = []
    for _ in range(n):
        moment = EPOCH + datetime.timedelta(seconds=rng.randrange(2**31), microseconds=rng.randrange(10**6))
        fraction = f".{moment.microsecond:06d}"[:digits + 1] if digits else ""
        texts.append(moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + rng.choice(["Z", "+00:00", "-08:00"]))
    return texts


def exact(text):
    return (datetime.datetime.fromisoformat(text) - EPOCH) // datetime.timedelta(microseconds=1) * 1000


def timed(function):
    began = time.thread_time()
    function()
    return time.thread_time() - began


def compare(lib, texts, name):
    joined = "".join(texts).encode()
    ends = array.array("Q")
    for text in texts:
        ends.append((ends[-1] if ends else 0) + len(text))
    begins = array.array("Q", [0, *ends[:-1]])
    values = array.array("q", bytes(8 * len(texts)))

    def address(values):
        return ctypes.c_void_p(values.buffer_info()[0])

    def ours():
        status = lib.lanewise_timestamp_parse_batch(joined, address(begins), address(ends), ctypes.c_size_t(len(texts)), None,
                                                    address(values), None, None)
        assert status == 0, status

    contenders = {
        "ciso8601": lambda: [ciso8601.parse_datetime(text) for text in texts],
        "fromisoformat": lambda: [datetime.datetime.fromisoformat(text) for text in texts],
    }
    ours()
    assert list(values) == [exact(text) for text in texts]
    rounds = [(timed(ours), *(timed(run) for run in contenders.values())) for _ in range(15)]
    print(f"{name}: lanewise {statistics.median(r[0] for r in rounds) / len(texts) * 1e9:.1f} ns a text")
    for i, peer in enumerate(contenders, 1):
        print(f"  {peer}: {statistics.median(r[i] for r in rounds) / len(texts) * 1e9:.1f} ns, ratio "
              f"{statistics.median(r[i] / r[0] for r in rounds):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("--rows", type=int, default=100000)
    options = parser.parse_args()
    lib = ctypes.CDLL(options.library)
    for digits in (0, 3, 6):
        compare(lib, make_texts(options.rows, digits), f"{digits} digits of the second")


if __name__ == "__main__":
    main()
