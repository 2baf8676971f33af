#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lanewise dedup --near from outside.

Usage: test_near_tool.py PATH-OF-LANEWISE [unittest arguments]
"""
import functools
import os
import random
import subprocess
import sys
import tempfile
import unittest

LANEWISE = None
WORDS = [a + b for a in ("ka", "lo", "mi", "re", "su", "to", "ve") for b in ("ban", "dor", "fel", "gus", "nit", "pax", "zim")]


def run(*arguments, stdin=b"", status=0):
    result = subprocess.run([LANEWISE, "dedup", *arguments], input=stdin, capture_output=True, timeout=300)
    assert result.returncode == status, (arguments, result)
    return result.stdout if status == 0 else result.stderr.decode()


def sentence(source, n):
    return [source.choice(WORDS) for _ in range(n)]


@functools.lru_cache(None)
def shingles(text, width=5):
    text = " ".join(text.lower().split()).rstrip(".,;:")
    return frozenset(text[i:i + width] for i in range(max(1, len(text) - width + 1)))


def jaccard(a, b):
    both = len(shingles(a) & shingles(b))
    return both / (len(shingles(a)) + len(shingles(b)) - both)


class Near(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="lanewise-test-near-")
        self.addCleanup(self.directory.cleanup)
        self.old_directory = os.getcwd()
        os.chdir(self.directory.name)
        self.addCleanup(os.chdir, self.old_directory)

    def write(self, path, text):
        with open(path, "wb") as stream:
            stream.write(text if isinstance(text, bytes) else text.encode())
        return path

    def test_lines(self):
        text = b"The quick brown fox jumps over the lazy dog near the river bank today.\n"
        other = b"Something else entirely is written in this line of the same length now.\n"
        self.assertEqual(run("--near", stdin=b""), b"")
        self.assertEqual(run("--near", stdin=text + other + text.replace(b"today", b"again") + other.upper()), text + other)
        # Exact duplicates go, as without --near; what has nothing to compare stays once.
        self.assertEqual(run("--near", stdin=b"\n\nab\nAB\nab\nabc\n"), b"\nab\nabc\n")
        self.assertEqual(run("--near", stdin=b"\xff\0\n\xff\0\n\x80\n"), b"\xff\0\n\x80\n")
        self.assertEqual(run("--near", stdin=text[:-1]), text[:-1])

    def test_against_all_pairs(self):
        """What stays and goes is what exact similarities say, but for those near the threshold."""
        source = random.Random(5)
        lines = []
        for _ in range(150):
            base = sentence(source, 40)
            for _ in range(source.randrange(1, 5)):
                variant = list(base)
                for _ in range(source.choice([0, 0, 1, 2, 20])):
                    variant[source.randrange(len(variant))] = source.choice(WORDS)
                lines.append(" ".join(variant))
        source.shuffle(lines)
        for threshold in 0.5, 0.8:
            out = run("--near", "--threshold", str(threshold), stdin="".join(line + "\n" for line in lines).encode())
            out = out.decode().splitlines()
            kept, wrong = [], 0
            remaining = iter(out)
            expected_next = next(remaining, None)
            for line in lines:
                most = max((jaccard(line, other) for other in kept), default=0)
                if line == expected_next:
                    kept.append(line)
                    expected_next = next(remaining, None)
                    self.assertLess(most, threshold + 0.12, line)
                    wrong += most >= threshold
                else:
                    self.assertGreater(most, threshold - 0.12, line)
                    wrong += most < threshold
            self.assertEqual(kept, out)
            self.assertLess(wrong, len(lines) * 0.05)
            self.assertLess(len(kept), len(lines))

    def test_no_chains(self):
        """a is like b and b like c, but not a like c: c stays, as b is not there any more."""
        source = random.Random(3)
        words = [f"{source.getrandbits(32):x}" for _ in range(200)]
        variants = [" ".join(words[15 * i:15 * i + 120]) for i in range(5)]
        out = run("--near", "--threshold", "0.7", stdin="\n".join(variants).encode() + b"\n").decode().splitlines()
        self.assertEqual(out, variants[::2])
        for a in out:
            for b in out:
                self.assertTrue(a == b or jaccard(a, b) < 0.75)

    def test_blocks(self):
        words = sentence(random.Random(4), 80)
        block = " ".join(words)
        near = " ".join(words[:40]) + "\n" + " ".join(["new"] + words[41:])
        text = f"{block}\n\n```\ncode here\n```\n\n{near}\n\nThe end.\n"
        self.assertEqual(run("--near", "--blocks", stdin=text.encode()).decode(), f"{block}\n\n```\ncode here\n```\n\nThe end.\n")
        self.assertEqual(run("--near", "--blocks", "--threshold", "1", stdin=text.encode()).decode(), text)
        # Short blocks are not compared.
        self.assertEqual(run("--near", "--blocks", "--min-length", "9999", stdin=text.encode()).decode(), text)

    def test_files(self):
        source = random.Random(6)
        words = sentence(source, 600)
        edited = list(words)
        edited[300] = "different"
        self.write("a", " ".join(words))
        self.write("b", "\n".join(edited).upper())
        self.write("c", " ".join(sentence(source, 600)))
        self.write("empty", "")
        self.write("blank", " \n.\n")
        files = ["a", "b", "c", "empty", "blank", "empty"]
        self.assertEqual(run("--near", "--files", *files), b"a\nc\nempty\nblank\nempty\n")
        self.assertEqual(run("--near", "--files", "--count", *files), b"5 files stayed, 1 went\n")
        self.assertEqual(run("--near", "--files", "--dropped", "gone", *files), b"a\nc\nempty\nblank\nempty\n")
        with open("gone") as stream:
            self.assertEqual(stream.read(), "b\n")
        self.assertEqual(run("--near", "--files", "a", "-", stdin=b" ".join(w.encode() for w in words)), b"a\n")
        self.assertEqual(run("--near", "--files", "--shingle", "chars:9", "a", "b"), b"a\n")

    def test_together(self):
        a = " ".join(sentence(random.Random(8), 50))
        self.write("one", f"x\n{a}\n")
        self.write("two", f"{a} more\nx\ny")
        self.assertEqual(run("--near", "one", "two").decode(), f"x\n{a}\ny")
        self.assertEqual(run("--near", "one", "two", "--count"), b"3 lines stayed, 2 went\n")
        run("--near", "one", "two", "--dropped", "gone")
        with open("gone") as stream:
            self.assertEqual(stream.read(), f"{a} more\nx\n")

    def test_shingles(self):
        base = sentence(random.Random(9), 30)
        swapped = [base[i ^ 1] for i in range(30)]
        text = (" ".join(base) + "\n" + " ".join(swapped) + "\n").encode()
        self.assertEqual(run("--near", "--shingle", "words:1", stdin=text), text[:text.index(b"\n") + 1])
        self.assertEqual(run("--near", "--shingle", "words:3", stdin=text), text)

    def test_memory(self):
        source = random.Random(10)
        lines = [" ".join(sentence(source, 20)) for _ in range(3000)]
        text = "".join(line + "\n" for line in lines).encode()
        self.assertEqual(run("--near", "--memory", "1", stdin=text), text)
        # The first ones are remembered.
        again = run("--near", "--memory", "1", stdin=text + lines[0].upper().encode() + b"\n")
        self.assertEqual(again, text)

    def test_many(self):
        """Boilerplate that all share, one line a thousand times, and one long line: no quadratic time."""
        source = random.Random(11)
        common = " ".join(sentence(source, 200))
        lines = [f"{common} {' '.join(sentence(source, 150))}" for _ in range(1500)]
        text = "\n".join(lines).encode() + b"\n" + b"x" * 3000000 + b"\n" + b"a b" * 1000000 + b"\n"
        out = run("--near", "--threshold", "0.9", stdin=text)
        self.assertGreater(out.count(b"\n"), 1400)
        self.assertEqual(run("--near", stdin=b"".join(b"the same line number %d\n" % (i % 2) for i in range(100000))).count(b"\n"), 1)

    def test_usage(self):
        for arguments, message in [
            (["--threshold", "0.5"], "need --near"), (["--files"], "need --near"), (["--shingle", "chars:3"], "need --near"),
            (["--near", "--threshold", "0"], "--threshold is"), (["--near", "--threshold", "1.5"], "--threshold is"),
            (["--near", "--threshold", "nan"], "--threshold is"), (["--near", "--threshold", ""], "--threshold is"),
            (["--near", "--shingle", "lines:3"], "chars:N or words:N"), (["--near", "--shingle", "chars:0"], "1 to 32"),
            (["--near", "--shingle", "words:33"], "1 to 32"), (["--near", "--window", "5"], "--window does not go"),
            (["--near", "--files", "--min-length", "5"], "--min-length does not go"),
        ]:
            self.assertIn(message, run(*arguments, status=2))
        self.assertIn("No such file", run("--near", "--files", "there-is-none", status=1))
        self.assertIn("Is a directory", run("--near", "--files", ".", status=1))


if __name__ == "__main__":
    LANEWISE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
