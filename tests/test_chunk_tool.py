#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lanewise chunk from outside. Usage: test_chunk_tool.py PATH-OF-LANEWISE [unittest arguments]"""
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

LANEWISE = None
MASK = 2**64 - 1


def run(*arguments, stdin=b""):
    result = subprocess.run([LANEWISE, *(str(a) for a in arguments)], input=stdin, capture_output=True, timeout=600)
    return result.returncode, result.stdout, result.stderr.decode("utf-8", "replace")


def split_mix_bytes(n, state):
    words = []
    for _ in range((n + 7) // 8):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        words.append((z ^ z >> 31).to_bytes(8, "little"))
    return b"".join(words)[:n]


class Chunk(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="lanewise-test-chunk-")
        self.addCleanup(self.directory.cleanup)

    def write(self, name, content):
        path = os.path.join(self.directory.name, name)
        with open(path, "wb") as stream:
            stream.write(content)
        return path

    def chunk(self, *arguments, stdin=b""):
        status, out, err = run("chunk", *arguments, stdin=stdin)
        self.assertEqual((status, err), (0, ""), arguments)
        return out

    def rows(self, *arguments, stdin=b""):
        """(offset, length, hash[, file]) of each line."""
        rows = [line.split("\t") for line in self.chunk(*arguments, stdin=stdin).decode().splitlines()]
        return [(int(offset), int(length), *rest) for offset, length, *rest in rows]

    def check_tiles(self, rows, n):
        at = 0
        for offset, length, *_ in rows:
            self.assertEqual(offset, at)
            at += length
        self.assertEqual(at, n)

    def test_fastcdc(self):
        """The cuts of the Rust crate fastcdc 5.0.0 in the same bytes."""
        rows = self.rows("--fastcdc", stdin=split_mix_bytes(400001, 7))
        self.assertEqual([length for _, length, _ in rows],
                         [13149, 18022, 8311, 24189, 6307, 11556, 4908, 9114, 39493, 22686, 40475, 13096, 35946, 7017, 6501,
                          17226, 32511, 18921, 18867, 18132, 23420, 10154])
        rows = self.rows("--fastcdc", "--size", 1000, "--min", 512, "--max", 4000, "--level", 3, "--key", 666,
                         stdin=split_mix_bytes(3000, 7))
        self.assertEqual([length for _, length, _ in rows], [1029, 1011, 960])

    def test_hashes_and_repetition(self):
        data = split_mix_bytes(3000000, 1)
        a, b = self.write("a", data), self.write("b", b"something else" + data + b"!")
        rows = self.rows(a)
        self.check_tiles(rows, len(data))
        self.assertEqual(rows, self.rows(stdin=data))
        self.assertEqual(rows, self.rows("--cdc", "-", stdin=data))
        both = self.rows(a, b)
        self.assertEqual({row[3] for row in both}, {a, b})
        hashes = {row[2] for row in both if row[3] == a}
        self.assertEqual(len(hashes), len(rows))
        # All but the first and the last chunk are there again.
        repeated = sum(row[2] in hashes for row in both if row[3] == b)
        self.assertGreaterEqual(repeated, len(rows) - 3)
        for offset, length, value in rows[:3]:  # the hash of the bytes alone, which may be a single chunk
            self.assertEqual(self.rows(stdin=data[offset:offset + length]), [(0, length, value)])
        counted = self.chunk("--count", a, b).decode()
        self.assertRegex(counted, r"^\d+ chunks, 1[5-7],\d{3} bytes on average, 49\.\d\d % of all bytes in chunks that came")
        self.assertEqual(self.chunk("--count", "-"), b"0 chunks\n")
        counted = json.loads(self.chunk("--count", "--json", a, b))
        self.assertEqual((sorted(counted), counted["bytes"]), (["bytes", "chunks", "repeated_bytes"], os.path.getsize(a) + os.path.getsize(b)))
        self.assertAlmostEqual(counted["repeated_bytes"] / counted["bytes"], 0.495, delta=0.005)
        self.assertEqual(json.loads(self.chunk("--count", "--json", "-")), {"chunks": 0, "bytes": 0, "repeated_bytes": 0})
        # Pieces of any size come to the same.
        with subprocess.Popen([LANEWISE, "chunk"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            source = random.Random(3)
            at = 0
            while at < len(data):
                n = source.randrange(1, 200000)
                process.stdin.write(data[at:at + n])
                process.stdin.flush()
                at += n
            process.stdin.close()
            self.assertEqual(process.stdout.read(), self.chunk(a))

    def test_json(self):
        data = split_mix_bytes(100000, 2)
        path = self.write('odd "name"\n', data)
        objects = [json.loads(line) for line in self.chunk("--json", path).decode().splitlines()]
        self.assertEqual([(o["offset"], o["length"], o["hash"]) for o in objects], self.rows(path))
        self.assertEqual({o["file"] for o in objects}, {path})

    def test_text(self):
        text = ("First paragraph, short. Dr. Who is here.\n\n" + "A long paragraph goes on. " * 20 +
                "\n\nЗдравствуй мир. 你好。世界！ End.\n").encode()
        path = self.write("text", text)
        for unit in "--paragraphs", "--sentences", "--lines", "--chars":
            for options in [], ["--overlap", 0], ["--size", 100], ["--size", 50, "--overlap", 49], ["--size", 20, "--tokens"], \
                    ["--trim"], ["--single", "--size", 60]:
                objects = [json.loads(line) for line in self.chunk(unit, *options, "--json", path).decode().splitlines()]
                self.assertTrue(objects)
                end = 0
                for o in objects:
                    self.assertEqual(o["text"].encode(), text[o["offset"]:o["offset"] + o["length"]])
                    self.assertEqual(o["id"], f"{path}:{o['offset']}")
                    self.assertEqual(text[end:o["offset"]].strip(), b"")
                    end = o["offset"] + o["length"]
                    if "--tokens" not in options:
                        size = options[options.index("--size") + 1] if "--size" in options else 1344
                        self.assertLessEqual(len(o["text"]), size)
                rows = self.rows(unit, *options, path)
                self.assertEqual([row[:2] for row in rows], [(o["offset"], o["length"]) for o in objects])
        sentences = self.chunk("--sentences", "--single", "--trim", "--json", stdin=b"Dr. A went. He came!  So? Yes")
        self.assertEqual([json.loads(line)["text"] for line in sentences.splitlines()],
                         ["Dr. A went.", "He came!", "So?", "Yes"])
        self.assertEqual(self.chunk("--lines", stdin=b""), b"")
        broken = json.loads(self.chunk("--lines", "--json", stdin=b"a\xffb\xe2\x82"))
        self.assertEqual((broken["text"], broken["length"]), ("a\ufffdb\ufffd\ufffd", 5))

    def test_into_an_index(self):
        path = self.write("text", b"Cats sleep a lot. They purr.\n\nWhales sing in the sea.\n\nBirds fly south.\n")
        chunks = self.write("chunks.jsonl", self.chunk("--paragraphs", "--single", "--trim", "--json", path))
        index = os.path.join(self.directory.name, "index")
        self.assertEqual(run("index", chunks, "-o", index)[0], 0)
        status, out, _ = run("search", index, "whales", "--json")
        self.assertEqual(status, 0)
        self.assertIn(b"text:30", out)

    def test_names_of_files_stay_on_their_line(self):
        path = os.path.join(self.directory.name, "a\tb\nc\x1b[1m")
        with open(path, "wb") as file:
            file.write(b"text")
        for way in "--cdc", "--lines":
            status, out, _ = run("chunk", way, path, path)
            self.assertEqual(status, 0)
            rows = [line.split("\t") for line in out.decode().split("\n")[:-1]]
            self.assertEqual([len(row) for row in rows], [4, 4])
            self.assertTrue(rows[0][3].endswith("a b c\ufffd[1m"), rows[0][3])

    def test_errors(self):
        cases = [
            (["--size", "0"], "--size is a number from 1"), (["--size", "x"], "--size is a number"),
            (["--level", "4"], "--level is a number from 0 to 3"), (["--size", "100"], "--size is a number from 256 to 4194304"),
            (["--fastcdc", "--max", "65535"], "--fastcdc needs even numbers"), (["--min", "20000"], "--min 20000, --size 16384 and --max 65536 do not ascend"),
            (["--min", "10", "--max", "5"], "--min is a number from 64 to"), (["--max", "5"], "--max is a number from 1024 to"),
            (["--cdc", "--sentences"], "--cdc and --sentences contradict each other"),
            (["--lines", "--json", "--chars"], "--lines and --chars contradict each other"),
            (["--cdc", "--fastcdc"], "--cdc and --fastcdc contradict each other"),
            (["--trim"], "--overlap, --tokens, --trim and --single are for"), (["--lines", "--key", "1"], "--min, --max"),
            (["--lines", "--size", "9", "--overlap", "9"], "--overlap must be less than --size"),
        ]
        for arguments, message in cases:
            status, out, err = run("chunk", *arguments)
            self.assertEqual((status, out), (2, b""), arguments)
            self.assertIn(message, err)
        self.assertEqual(run("chunk", "--nonsense")[0], 2)
        status, _, err = run("chunk", "there-is-none")
        self.assertEqual(status, 1)
        self.assertIn("there-is-none: No such file", err)
        status, _, err = run("chunk", "--lines", self.directory.name)
        self.assertEqual(status, 1)
        self.assertIn("Is a directory", err)
        with open("/dev/full", "wb") as full:
            result = subprocess.run([LANEWISE, "chunk"], input=bytes(100), stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"No space left", result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LANEWISE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
