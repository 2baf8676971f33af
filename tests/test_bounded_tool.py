#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Inputs of which a single line, block, sentence or value is larger than the memory that the lanewise command may use.

Usage: test_bounded_tool.py PATH-OF-LANEWISE [--unlimited] [--bytes N] [unittest arguments]

--unlimited is for programs that need much memory by themselves, such as those with sanitizers: inputs are smaller then.
"""
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import unittest
import zlib

LANEWISE = None
LIMITED = True
LARGE = 64 << 20
PIECE = 1 << 20
MEMORY = 32 << 20  # of data, all told
TEXT_MEMORY = 112 << 20  # of text to be cut, 32 MiB are read, into a buffer that doubles
LONGEST = ["--max-length", "1000000"]  # else 16 MiB


class Result:
    """What a command made of pieces of input: status, stderr, and size, checksum and first bytes of what it wrote."""

    def __init__(self, arguments, pieces, memory=MEMORY, **more):
        def limit():
            if LIMITED:
                resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

        process = subprocess.Popen([LANEWISE, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=limit, **more)
        thread = threading.Thread(target=self.feed, args=(process.stdin, pieces))
        thread.start()
        self.out, self.size, self.checksum = b"", 0, 0
        while piece := process.stdout.read1(PIECE):
            self.size += len(piece)
            self.checksum = zlib.crc32(piece, self.checksum)
            if len(self.out) < PIECE:
                self.out += piece
        self.error = process.stderr.read().decode("utf-8", "replace")
        thread.join()
        process.stdout.close()
        process.stderr.close()
        _, status, usage = os.wait4(process.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        process.returncode = self.status
        self.seconds = usage.ru_utime + usage.ru_stime

    @staticmethod
    def feed(stream, pieces):
        try:
            for piece in pieces:
                stream.write(piece)
                stream.flush()
        except BrokenPipeError:
            pass
        try:
            stream.close()
        except BrokenPipeError:
            pass


def repeated(unit, n):
    """n bytes of a unit, in pieces."""
    piece = unit * (PIECE // len(unit))
    while n >= len(piece):
        yield piece
        n -= len(piece)
    yield piece[:n]


def cut(source, text):
    """A text in pieces of a few bytes."""
    at = 0
    while at < len(text):
        n = source.choice([1, 2, 3, 7, 50, 1000])
        yield text[at:at + n]
        at += n


class Bounded(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="lanewise-test-bounded-")
        self.addCleanup(self.directory.cleanup)

    def run_it(self, *arguments, pieces=(), status=0, **more):
        result = Result([str(argument) for argument in arguments], pieces, **more)
        self.assertEqual(result.status, status, (arguments, result.error))
        return result


class Dedup(Bounded):
    def check_same(self, pieces, *options, **more):
        """All of the input stays."""
        pieces = list(pieces)
        checksum = 0
        for piece in pieces:
            checksum = zlib.crc32(piece, checksum)
        result = self.run_it("dedup", *options, pieces=pieces, **more)
        self.assertEqual((result.size, result.checksum, result.error), (sum(map(len, pieces)), checksum, ""), options)
        return result

    def test_one_unit(self):
        for unit in b"x", b"\0", b" ", b"\xff":
            for options in ["--lines", "--ignore-case"], ["--blocks"], ["--blocks", "--near"]:
                self.check_same(repeated(unit, LARGE), *options, *LONGEST)
        for options in ["--blocks", "--ignore-case"], ["--lines", "--near"], ["--lines", "--near", "--shingle", "words:2"]:
            self.check_same(repeated(b"x", LARGE), *options, *LONGEST)
        for options in ["--lines"], ["--blocks"], ["--blocks", "--near"]:
            self.check_same(repeated(b"x", 4 * LARGE), *options, memory=144 << 20)

    def test_fences(self):
        self.check_same([b"a\n```", *repeated(b"x\n\n", LARGE)], "--blocks", *LONGEST)
        self.check_same([b"```", *repeated(b"x", LARGE), b"```", b"\n\nb"], "--blocks", *LONGEST)
        fences = b"".join(b"```%d```\n" % i for i in range(1000000))
        self.check_same([fences], "--blocks", memory=256 << 20)
        result = self.run_it("dedup", "--blocks", "--count", pieces=[fences, fences], memory=256 << 20)
        self.assertEqual(result.out, b"1,000,000 blocks stayed, 1,000,000 went\n")
        self.assertEqual(self.run_it("dedup", "--blocks", pieces=repeated(b"``````\n", 7000000)).out[:7], b"``````\n")

    def test_blank(self):
        """Between blocks; one that comes again goes, but what is between stays."""
        for unit in b"\n", b"\r\n":
            self.check_same([b"a", *repeated(unit, LARGE)], "--blocks", *LONGEST)
            result = self.run_it("dedup", "--blocks", *LONGEST, pieces=[b"a", *repeated(unit, LARGE), b"A", unit * 2, b"a\n"])
            self.assertEqual(result.size, LARGE + 1)

    def test_linear(self):
        for unit, options in (b"x", ["--blocks"]), (b"\n", ["--blocks"]), (b"```", ["--blocks"]), (b"x", ["--near"]):
            seconds = [self.run_it("dedup", *options, *LONGEST, pieces=repeated(unit, n)).seconds
                       for n in (LARGE // 16, LARGE // 2)]
            self.assertLess(seconds[1], 16 * seconds[0] + 1)

    def test_limits(self):
        """Lines and blocks around --max-length, cut anywhere, are what they are in whole inputs."""
        source = random.Random(4)
        for _ in range(30):
            longest = source.choice([1, 5, 20])
            lines = ["xY "[i % 3] * source.randrange(2 * longest) for i in range(200)]
            text = "\n".join(lines).encode()
            seen, expected = set(), []
            for line in lines:
                if len(line) > longest or line not in seen:
                    expected.append(line + "\n")
                seen.add(line)
            expected = "".join(expected).encode()
            if text and seen and (len(lines[-1]) > longest or lines[-1] not in lines[:-1]):
                expected = expected[:-1]
            result = self.run_it("dedup", "--max-length", longest, pieces=cut(source, text))
            self.assertEqual(result.out, expected)

            text = expected = dropped = ""
            seen = set()
            for i in range(200):
                gap = "\n" * source.randrange(2, 2 * longest + 4) if i else ""
                block = source.choice(["xY", "Zz", "`` "]) * source.randrange(1, longest + 2)
                block = f"```{block}```" if source.randrange(4) == 0 else block + "!"
                normal = " ".join(block.lower().split())
                text += gap + block
                stays = len(block) > longest or normal not in seen
                if len(block) <= longest:
                    seen.add(normal)
                if len(gap) > longest or stays:
                    expected += gap
                else:
                    dropped += gap
                if stays:
                    expected += block
                else:
                    dropped += block
            gone = os.path.join(self.directory.name, "gone")
            result = self.run_it("dedup", "--blocks", "--max-length", longest, "--dropped", gone,
                                 pieces=cut(source, text.encode()))
            self.assertEqual(result.out.decode(), expected)
            with open(gone, encoding="utf-8") as stream:
                self.assertEqual(stream.read(), dropped)

    def test_near_files(self):
        """A file that is larger than memory, and what is nearly the same; the shingles of pieces are those of the whole."""
        paths = [os.path.join(self.directory.name, name) for name in "abc"]
        sentence = b"A sentence of some words, \xe4\xb8\xad\xe6\x96\x87\xe3\x80\x80 and more.  "
        for path, text in zip(paths, (sentence * 40000, sentence.upper() * 40000 + b". . ...", sentence[:20] * 40000)):
            with open(path, "wb") as stream:
                stream.write(text)
        for options in [], ["--shingle", "chars:5"]:
            result = self.run_it("dedup", "--near", "--files", *options, *paths)
            self.assertEqual(result.out, f"{paths[0]}\n{paths[2]}\n".encode())
        for unit in b"x", b".", b"\x80", b"ab, ":
            result = self.run_it("dedup", "--near", "--files", pieces=repeated(unit, LARGE // 2))
            self.assertEqual(result.out, b"-\n")
            self.run_it("dedup", "--near", "--files", "--shingle", "chars:5", pieces=repeated(unit, LARGE // 10))


class Json(Bounded):
    def test_one_value(self):
        for pieces in [b'"', *repeated(b"x", LARGE), b'"'], [b"[-0.", *repeated(b"1", LARGE), b"e5]\n"], \
                [*repeated(b" \n", LARGE), b"{}"], [b"[", *repeated(b"[1,\n2],", LARGE // 7 * 7), b"null]"], \
                [b'["', *repeated(b"\\ud83d\\ude00\xf0\x9f\x98\x80", LARGE // 16 * 16), b'"]']:
            result = self.run_it("json", "check", "--json", pieces=pieces)
            self.assertEqual((result.out, result.error), (b'{"valid": true}\n', ""))

    def test_errors(self):
        """Their places, also where they lie in a piece that is gone when they show."""
        lines = LARGE // 8
        for pieces, place, what in [
            (repeated(b"x", LARGE), "1:1", "no value"),
            (repeated(b"[", LARGE), "1:1025", "too deep"),
            (repeated(b"\n", LARGE), f"{LARGE + 1}:1", "no value"),
            ([b"[\n", *repeated(b"1", LARGE), b"x"], "2:1", "no value"),
            ([b"[\n ", *repeated(b"1", LARGE), b".\n]"], "2:2", "no value"),
            ([b"[", *repeated(b" [0] ,\r\n", 8 * lines), b"  }"], f"{lines + 1}:3", "no value"),
            ([b"\n\n[\"", *repeated(b"x", LARGE)], f"3:{LARGE + 3}", "ends within a string"),
            ([b"[0,\n  \"", *repeated(b"x", LARGE), b"\n"], f"2:{LARGE + 4}", "control character"),
        ]:
            result = self.run_it("json", "check", pieces=pieces, status=1)
            self.assertRegex(result.error, f"^lanewise: -:{place}: .*{what}")

    def test_pieces(self):
        """Any text, cut anywhere, is told to be what the reader of lines, which has all of it, says."""
        source = random.Random(6)
        valid = '{"a": [1, -2.5e+7, true, null, "\\ud83d\\ude00 é中"], "b": {"c": "x\\n"}}'.encode()
        for _ in range(150):
            text = bytearray(valid)
            for _ in range(source.randrange(3)):
                text[source.randrange(len(text))] = source.choice(b'"\\{}[],: 1a\xff\xe4')
            whole = self.run_it("json", "check", "--json", "--lines", pieces=[bytes(text)], status=None)
            pieces = self.run_it("json", "check", "--json", pieces=cut(source, bytes(text)), status=None)
            self.assertEqual(pieces.status, whole.status)
            self.assertEqual(pieces.out, whole.out or b'{"valid": true}\n')
            after = self.run_it("json", "check", "--json", pieces=cut(source, b" \n\r\n " + bytes(text)), status=None)
            if whole.out:
                first, second = json.loads(whole.out), json.loads(after.out)
                self.assertEqual((second["line"], second["column"], second["offset"], second["what"]),
                                 (3, first["column"] + 1, first["offset"] + 5, first["what"]))

    def run_it(self, *arguments, status=0, **more):
        if status is not None:
            return super().run_it(*arguments, status=status, **more)
        return Result(arguments, **more)


class Chunk(Bounded):
    def chunk(self, *options, pieces=()):
        result = self.run_it("chunk", *options, pieces=pieces, memory=TEXT_MEMORY,
                             env={**os.environ, "TMPDIR": self.directory.name})
        self.assertEqual(result.error, "")
        return result

    def test_one_unit(self):
        n, end = LARGE + (8 << 20), 0
        result = self.chunk("--sentences", "--size", "100000", "--overlap", "0", pieces=repeated(b"x", n))
        for line in result.out.splitlines():
            offset, length, _ = line.split(b"\t")
            self.assertEqual(int(offset), end)
            end += int(length)
        self.assertEqual(end, n)
        self.assertEqual(os.listdir(self.directory.name), [])

    def test_same_bytes(self):
        """What is read, mapped and kept in a temporary file gives the same chunks."""
        source = random.Random(8)
        path = os.path.join(self.directory.name, "text")
        words = [b"one", b"two. Three", b"\xe4\xb8\xad\xe3\x80\x82", b"four\n\n", b"five!\n"]
        text = b" ".join(source.choices(words, k=20000))
        text *= (34 << 20) // len(text)
        with open(path, "wb") as stream:
            stream.write(text)
        mapped = self.chunk("--paragraphs", path)
        kept = self.chunk("--paragraphs", pieces=[text])
        self.assertEqual((mapped.size, mapped.checksum), (kept.size, kept.checksum))
        few = self.chunk("--paragraphs", pieces=[text[:PIECE]]).out.splitlines()[:-2]
        self.assertEqual(few, kept.out.splitlines()[:len(few)])
        with open(path, "rb", buffering=0) as stream:
            stream.seek(10000)
            rest = subprocess.run([LANEWISE, "chunk", "--chars"], stdin=stream, capture_output=True, check=True).stdout
        self.assertEqual(zlib.crc32(rest), self.chunk("--chars", pieces=[text[10000:]]).checksum)

    def test_no_directory(self):
        result = self.run_it("chunk", "--lines", pieces=repeated(b"x", 40 << 20), status=1, memory=TEXT_MEMORY,
                             env={**os.environ, "TMPDIR": self.directory.name + "/none"})
        self.assertIn("/none/lanewise-", result.error)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LANEWISE = os.path.abspath(sys.argv.pop(1))
    if "--unlimited" in sys.argv:
        sys.argv.remove("--unlimited")
        LIMITED, LARGE = False, 16 << 20
    if "--bytes" in sys.argv:
        at = sys.argv.index("--bytes")
        LARGE = int(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    unittest.main()
