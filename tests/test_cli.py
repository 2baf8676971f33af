#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The lanewise command from outside: what it reads, prints and refuses, and that an index is never lost.

Usage: test_cli.py PATH-OF-LANEWISE [unittest arguments]
"""
import fcntl
import json
import math
import os
import pty
import random
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

LANEWISE = None


def run(*arguments, stdin=b"", env=None, **options):
    """Runs lanewise; the result has returncode, and stdout and stderr as text."""
    result = subprocess.run(
        [LANEWISE, *(a if isinstance(a, bytes) else str(a) for a in arguments)], input=stdin, capture_output=True, timeout=600,
        env={**os.environ, **(env or {})}, **options)
    result.stdout = result.stdout.decode("utf-8", "surrogateescape")
    result.stderr = result.stderr.decode("utf-8", "surrogateescape")
    return result


def npy(rows, descr="<f4", fortran=False, version=1, shape=None):
    """The bytes of a .npy file."""
    code = {"2": "e", "4": "f", "8": "d"}[descr[-1]]
    shape = shape if shape is not None else (len(rows), len(rows[0]))
    header = repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header) + 1)
    data = b"".join(struct.pack("<" + code * len(row), *row) for row in rows)
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + b"\n" + data


class TestCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="lanewise-test-cli-")
        self.addCleanup(self.directory.cleanup)
        self.old_directory = os.getcwd()
        os.chdir(self.directory.name)
        self.addCleanup(os.chdir, self.old_directory)

    def write(self, path, content):
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
        return path

    def read(self, path):
        with open(path, "rb") as stream:
            return stream.read()

    def succeed(self, *arguments, **options):
        result = run(*arguments, **options)
        self.assertEqual((result.returncode, result.stderr), (0, ""), arguments)
        return result.stdout

    def fail_with(self, pattern, *arguments, status=1, **options):
        """That lanewise exits with the status and one line on stderr that matches, and says nothing on stdout."""
        result = run(*arguments, **options)
        self.assertEqual(result.returncode, status, (arguments, result.stderr))
        self.assertRegex(result.stderr, pattern)
        self.assertEqual(result.stdout, "")
        self.assertTrue(result.stderr.startswith("lanewise: "), result.stderr)
        if status == 1:
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def search(self, *arguments):
        return json.loads(self.succeed("search", *arguments, "--json"))

    def ids(self, *arguments):
        return [result["id"] for result in self.search(*arguments)["results"]]

    def all_documents(self, path, n):
        """Texts by id of an index whose texts all have the word 'common'."""
        results = self.search(path, "common", "-k", 1000, "--mode", "bm25")["results"]
        self.assertEqual(len(results), n)
        return {result["id"]: result["text"] for result in results}


class Inputs(TestCase):
    def test_directory(self):
        self.write("in/b.txt", "common two")
        self.write("in/a.txt", "common one\nand more")
        self.write("in/sub/deep/c", "common three")
        self.write("in/sub/list.jsonl", '{"id": "j1", "text": "common json"}\n{"id": 2, "text": "common number"}\n')
        self.write("in/binary", b"common\x00bytes")
        self.write("in/empty.txt", "")
        self.write("in/blank.txt", " \n\t\r\n")
        self.write("in/.hidden", "common hidden")
        os.symlink("a.txt", "in/link")
        os.symlink(".", "in/loop")
        os.mkfifo("in/pipe")
        output = self.succeed("index", "in/", "-o", "out")
        self.assertIn("5 documents, vectors of 384 dimensions (hashed words and word pairs)", output)
        self.assertIn("Files passed over: 1 binary, 2 empty, 1 hidden, 2 symbolic links, 1 special", output)
        self.assertEqual(self.all_documents("out", 5), {
            "in/a.txt": "common one\nand more", "in/b.txt": "common two", "in/sub/deep/c": "common three",
            "j1": "common json", "2": "common number"})

    def test_order_is_that_of_names(self):
        names = ["B", "a", "a.b", "a0", "\u00e9", "z"]
        for name in reversed(names):
            self.write("in/" + name, "common")
        self.succeed("index", "in", "-o", "out")
        # Equal scores: the order of the documents.
        self.assertEqual(self.ids("out", "common", "--mode", "bm25"), sorted("in/" + n for n in names))

    def test_index_inside_its_own_directory(self):
        self.write("in/a", "common")
        for _ in range(2):
            self.succeed("index", "in", "-o", "in/index", "-q")
            self.assertEqual(self.all_documents("in/index", 1), {"in/a": "common"})
        self.assertEqual(sorted(os.listdir("in")), ["a", "index"])

    def test_lines(self):
        self.write("lines.txt", b"\xef\xbb\xbfcommon first\r\n\n  \ncommon \xc3\xa9t\xc3\xa9\ncommon last")
        self.succeed("index", "lines.txt", "--per", "line", "-o", "out")
        self.assertEqual(self.all_documents("out", 3), {
            "lines.txt:1": "common first", "lines.txt:4": "common \u00e9t\u00e9", "lines.txt:5": "common last"})

    def test_long_line_and_path(self):
        path = "d" * 200 + "/" + "e" * 200 + "/" + "f" * 200
        long_line = "common " + "x" * 300000
        self.write(path, "common a\n" + long_line + "\n")
        self.succeed("index", path, "--per", "line", "-o", "out")
        self.assertEqual(self.all_documents("out", 2), {path + ":1": "common a", path + ":2": long_line})

    def test_jsonl(self):
        self.write("a.jsonl", "\ufeff" + "\n".join([
            r'{"id":"\u0041\ud83d\ude00\n","text":"common \"quoted\" \\ \/ \b\f\n\r\t","other":[1,{"x":null},true,"\u00e9"]}',
            "",
            ' { "text" : "common" , "id" : -1.5e3 } \r',
            '{"id":"\u00e9","text":"common ' + '\u4e2d\u6587"}',
            '{"id":"d","text":"common","deep":' + "[" * 64 + "]" * 64 + "}"]))
        self.succeed("index", "a.jsonl", "-o", "out")
        self.assertEqual(self.all_documents("out", 4), {
            "A\U0001f600\n": 'common "quoted" \\ / \b\f\n\r\t', "-1.5e3": "common", "\u00e9": "common \u4e2d\u6587",
            "d": "common"})

    def test_empty_text_is_a_document(self):
        self.write("a.jsonl", '{"id":"e","text":""}\n{"id":"f","text":"word"}')
        self.assertIn(" 2 documents", self.succeed("index", "a.jsonl", "-o", "out"))
        self.assertEqual(self.ids("out", "word", "--mode", "bm25"), ["f"])

    def test_format(self):
        self.write("lines", '{"id": "x", "text": "common"}\n')
        self.write("a.NDJSON", '{"id": "y", "text": "common"}\n')
        self.succeed("index", "lines", "a.NDJSON", "--format", "jsonl", "-o", "out")
        self.assertEqual(set(self.all_documents("out", 2)), {"x", "y"})
        self.succeed("index", "lines", "a.NDJSON", "-o", "out")
        self.assertEqual(set(self.all_documents("out", 2)), {"lines", "y"})
        self.succeed("index", "a.NDJSON", "--format=text", "-o", "out")
        self.assertEqual(set(self.all_documents("out", 1)), {"a.NDJSON"})

    def test_standard_input(self):
        self.succeed("index", "-", "-o", "out", stdin=b"common text")
        self.assertEqual(self.all_documents("out", 1), {"stdin": "common text"})
        self.succeed("index", "-", "--per=line", "-o", "out", stdin=b"common a\ncommon b\n")
        self.assertEqual(set(self.all_documents("out", 2)), {"stdin:1", "stdin:2"})
        self.succeed("index", "-", "--format", "jsonl", "-o", "out", stdin=b'{"id":1,"text":"common"}')
        self.assertEqual(set(self.all_documents("out", 1)), {"1"})

    def test_same_input_same_bytes_on_every_tier(self):
        for i in range(50):
            self.write(f"in/{i}", f"common document number {i} of fifty " * (i + 1))
        self.succeed("index", "in", "-o", "out")
        first = self.read("out")
        tiers = [tier["name"] for tier in json.loads(self.succeed("info", "--json"))["tiers"] if tier["supported"]]
        self.assertIn("scalar", tiers)
        for tier in tiers:
            self.succeed("index", "in", "-o", "again", env={"LANEWISE_TIER": tier})
            self.assertEqual(self.read("again"), first, tier)


class Analysis(TestCase):
    """What counts as a word: chosen for an index, kept in it."""

    def setUp(self):
        super().setUp()
        self.write("a.txt", "The cats are running\na cat 42 x\n\u6f22\u5b57 word\nof zap the\n")

    def index(self, *options):
        self.succeed("index", "a.txt", "--per", "line", "-o", "out", "-q", *options)

    def found(self, query):
        return [int(i.split(":")[1]) for i in self.ids("out", query, "--mode", "bm25")]

    def test_stop_words_and_choices(self):
        self.index()
        self.assertEqual(sorted(self.found("the of")), [1, 4])
        self.index("--stop", "english", "--min-length=2", "--drop-numbers")
        self.assertEqual(self.found("the of x 42 are"), [])
        self.assertEqual(self.found("CATS"), [1])
        self.index("--stop", self.write("stop", "zap\n  Running\n"), "--max-length", 4)
        self.assertEqual(self.found("zap running"), [])
        self.assertEqual(self.found("the"), [4, 1])

    def test_rules(self):
        self.index("--words", "segments", "--min-length", "1")
        self.assertEqual(self.found("\u6f22"), [3])
        self.index("--words", "runs")
        self.assertEqual(self.found("\u6f22"), [])
        self.assertEqual(self.found("\u6f22\u5b57"), [3])

    def test_stems(self):
        result = run("index", "a.txt", "--per", "line", "-o", "out", "-q", "--stem", "english")
        if "no stemmer" in result.stderr:
            self.skipTest(result.stderr)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(sorted(self.found("cat")), [1, 2])
        self.assertEqual(self.found("runs"), [1])
        self.fail_with("no stemmer klingon", "index", "a.txt", "-o", "new", "--stem", "klingon")

    def test_wrong_options(self):
        for option, pattern in (("--words=x", "segments or runs"), ("--min-length=0", "from 1 to 255"),
                                ("--max-length=256", "from 1 to 255"), ("--k1=-1", "from 0 to 1000"), ("--b=2", "from 0 to 1")):
            self.fail_with(pattern, "index", "a.txt", "-o", "new", option, status=2)
        self.fail_with("missing: No such file", "index", "a.txt", "-o", "new", "--stop", "missing")
        self.assertFalse(os.path.exists("new"))

    def test_parameters(self):
        self.index("--k1", "0")
        scores = [r["score"] for r in self.search("out", "cat", "--mode", "bm25")["results"]]
        self.index("--k1", "1000", "--b", "0")
        self.assertLess(self.search("out", "cat", "--mode", "bm25")["results"][0]["score"], scores[0] / 100)

    def test_no_counts(self):
        self.index()
        exact = self.search("out", "cat", "--mode", "bm25")["results"]
        self.index("--no-counts")
        found = self.search("out", "cat", "--mode", "bm25")["results"]
        self.assertEqual({r["id"] for r in found}, {r["id"] for r in exact})
        for result in found:
            score = next(r["score"] for r in exact if r["id"] == result["id"])
            self.assertAlmostEqual(result["score"], score, places=3)


class Vectors(TestCase):
    rows = [[3, 4, 0], [0, 0, 0], [-1, 2, 2], [1e-20, 0, 0], [0.5, 0.25, -8]]

    def setUp(self):
        super().setUp()
        self.write("docs.txt", "".join(f"common word{i}\n" for i in range(5)))

    def cosine(self, a, b):
        dot = sum(x * y for x, y in zip(a, b))
        norms = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
        return dot / norms if norms else 0

    def check_scores(self, rows=None):
        query = [1, 2, 3]
        self.write("query.npy", npy([query]))
        found = self.search("out", "--vector", "query.npy", "--mode", "vector")["results"]
        expected = {f"docs.txt:{i + 1}": self.cosine(query, row) for i, row in enumerate(rows or self.rows)}
        self.assertEqual({r["id"] for r in found}, set(expected))
        for result in found:
            self.assertAlmostEqual(result["score"], expected[result["id"]], places=5)
        scores = [r["score"] for r in found]
        self.assertEqual(scores, sorted(scores, reverse=True))

    def test_types_and_versions(self):
        for descr in "<f2", "<f4", "<f8":
            rows = [[min(x, 100) if descr != "<f2" else (x if abs(x) > 1e-6 or x == 0 else 2 ** -24) for x in row]
                    for row in self.rows]
            for version in 1, 2, 3:
                self.write("x.npy", npy(rows, descr, version=version))
                output = self.succeed("index", "docs.txt", "--per", "line", "--vectors", "x.npy", "-o", "out")
                self.assertIn("vectors of 3 dimensions (given)", output)
                self.check_scores(rows)

    def test_jsonl_vectors(self):
        self.write("docs.jsonl", "".join(
            json.dumps({"vector": row, "id": f"docs.txt:{i + 1}", "text": "common"}) + "\n"
            for i, row in enumerate(self.rows)))
        self.succeed("index", "docs.jsonl", "-o", "out")
        self.check_scores()

    def test_one_dimensional_query(self):
        self.write("x.npy", npy(self.rows))
        self.succeed("index", "docs.txt", "--per", "line", "--vectors", "x.npy", "-o", "out")
        self.write("query.npy", npy([[3, 4, 0]], "<f8", shape=(3,)))
        self.assertEqual(self.ids("out", "--vector", "query.npy", "--mode", "vector", "-k", 1), ["docs.txt:1"])

    def test_foreign_vectors_without_a_query_vector(self):
        self.write("x.npy", npy(self.rows))
        self.succeed("index", "docs.txt", "--per", "line", "--vectors", "x.npy", "-o", "out")
        result = run("search", "out", "word3", "--json")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, "searching by words alone")
        self.assertEqual(json.loads(result.stdout)["mode"], "bm25")
        self.assertEqual([r["id"] for r in json.loads(result.stdout)["results"]], ["docs.txt:4"])
        self.fail_with("give the query's by --vector", "search", "out", "word3", "--mode", "vector")
        self.write("query.npy", npy([[3, 4, 0]]))
        self.assertEqual(self.search("out", "word3", "--vector", "query.npy")["mode"], "hybrid")

    def test_zero_query_vector_finds_nothing(self):
        self.write("x.npy", npy(self.rows))
        self.succeed("index", "docs.txt", "--per", "line", "--vectors", "x.npy", "-o", "out")
        self.write("query.npy", npy([[0, 0, 0]]))
        self.assertEqual(self.ids("out", "--vector", "query.npy", "--mode", "vector"), [])

    def test_errors(self):
        good = npy(self.rows)
        header_at = 10
        descr_at = header_at + good[header_at:].index(b"'<f4'")
        cases = [
            (b"", "the file ends in its header"),
            (b"\x93NUMPX" + good[6:], "magic at byte 0"),
            (good[:6] + b"\x04" + good[7:], "version 4.0 at byte 6"),
            (good[:9], "the file ends in its header"),
            (good[:30], "the file ends in its header"),
            (good[:-1], "5 rows of 3 elements of 4 bytes do not make the 59 bytes"),
            (good + b"\0", "do not make the 61 bytes"),
            (good.replace(b"'<f4'", b"'>f4'"), f"'descr' is not .* at byte {descr_at}"),
            (good.replace(b"'<f4'", b"'<i4'"), f"'descr' is not .* at byte {descr_at}"),
            (good.replace(b"'<f4'", b"[('a', '<f4')]"), "expected a string at byte|the file ends"),
            (npy(self.rows, fortran=True), "'fortran_order' is True"),
            (good.replace(b"False", b"Falsy"), "neither True nor False"),
            (npy(self.rows, shape=(5, 3, 1)), "more than two dimensions"),
            (npy(self.rows, shape=()), "'shape' has no dimension"),
            (npy(self.rows, shape=(5, 0)), "gives the rows no element"),
            (npy(self.rows, shape=(2 ** 63, 4)), "do not make"),
            (npy(self.rows, shape=(2 ** 64, 3)), "beyond 64 bits"),
            (npy(self.rows, shape=(5, 2 ** 40)), "more than 1,048,576"),
            (npy(self.rows, shape=(5, 3)).replace(b"(5, 3)", b"(5, x)"), "'shape' is not a tuple"),
            (good.replace(b"'descr'", b"'shape'"), "'shape' is not a tuple|twice"),
            (good.replace(b"'descr'", b"'dxscr'"), "unknown key"),
            (npy([[1, 2, math.nan]] * 5), r"row 0, column 2 \(from 0\) is not a finite float"),
            (npy([[1, 2, 3]] * 4 + [[1, math.inf, 3]]), r"row 4, column 1 \(from 0\) is not a finite float"),
            (npy([[1e300, 2, 3]] * 5, "<f8"), r"row 0, column 0 \(from 0\) is not a finite float"),
            (npy(self.rows[:4]), r" has 4 rows, but there are more documents; .* is docs.txt:5"),
            (npy(self.rows + self.rows), " has 10 rows, but there are only 5 documents"),
        ]
        for content, pattern in cases:
            self.write("x.npy", content)
            self.fail_with("^lanewise: x.npy.*(" + pattern + ")", "index", "docs.txt", "--per", "line", "--vectors", "x.npy",
                           "-o", "out")
            self.assertEqual(sorted(os.listdir()), ["docs.txt", "x.npy"])
        self.fail_with("missing.npy: No such file", "index", "docs.txt", "--vectors", "missing.npy", "-o", "out")

    def test_query_vector_errors(self):
        self.write("x.npy", npy(self.rows))
        self.succeed("index", "docs.txt", "--per", "line", "--vectors", "x.npy", "-o", "out")
        for content, pattern in [
                (npy([[1, 2]]), "the vector has 2 dimensions, those of out have 3"),
                (npy([[1, 2, 3]] * 2), "2 rows, expected one vector"),
                (npy([[1, 2, math.nan]]), "not a finite float"),
                (b"nonsense", "ends in its header|magic")]:
            self.write("q.npy", content)
            self.fail_with("q.npy: .*(" + pattern + ")", "search", "out", "x", "--vector", "q.npy")

    def test_vectors_in_both_places(self):
        self.write("docs.jsonl", '{"id":1,"text":"x","vector":[1,2,3]}')
        self.write("x.npy", npy([[1, 2, 3]]))
        self.fail_with("docs.jsonl:1: the document has a \"vector\", and so has --vectors", "index", "docs.jsonl",
                       "--vectors", "x.npy", "-o", "out")


class InputErrors(TestCase):
    def jsonl_error(self, lines, pattern):
        self.write("a.jsonl", lines)
        self.fail_with("^lanewise: a.jsonl:" + pattern, "index", "a.jsonl", "-o", "out")
        self.assertNotIn("out", " ".join(os.listdir()))

    def test_jsonl(self):
        good = '{"id":"a","text":"x"}\n'
        for line, column, pattern in [
                ("[]", 1, "expected an object"),
                ('{"id":"b","text":"x"', 21, "expected ',' or '}'"),
                ('{"id":"b","text":"x"} x', 23, "something follows"),
                ('{"id":"b" "text":"x"}', 11, "expected ',' or '}'"),
                ('{"id":"b","text":"x",}', 22, "expected a member's name"),
                ('{id:"b"}', 2, "expected a member's name"),
                ('{"id" "b"}', 7, "expected ':'"),
                ("{'id':1}", 2, "expected a member's name"),
                ('{"text":"x"}', 1, 'there is no "id"'),
                ('{"id":"b"}', 1, 'there is no "text"'),
                ('{}', 1, 'there is no "id"'),
                ('{"id":"","text":"x"}', 1, '"id" is empty'),
                ('{"id":null,"text":"x"}', 7, '"id" is neither a string nor a number'),
                ('{"id":[1],"text":"x"}', 7, '"id" is neither a string nor a number'),
                ('{"id":"b","text":7}', 18, '"text" is not a string'),
                ('{"id":"b","text":"x","text":"y"}', 22, "occurs twice"),
                ('{"id":"b","id":"b","text":"y"}', 11, "occurs twice"),
                ('{"id":"b","text":"x\ty"}', 20, "control character"),
                ('{"id":"b","text":"x', 20, "a string does not end"),
                ('{"id":"b","text":"\\x"}', 20, "unknown escape"),
                ('{"id":"b","text":"\\u12g4"}', 23, "four hexadecimal digits"),
                ('{"id":"b","text":"\\ud800"}', 19, "half of a surrogate pair"),
                ('{"id":"b","text":"\\ud800\\u0041"}', 19, "half of a surrogate pair"),
                ('{"id":"b","text":"\\udc00"}', 19, "half of a surrogate pair"),
                ('{"id":01,"text":"x"}', 8, "expected ',' or '}'"),
                ('{"id":1.,"text":"x"}', 9, "a digit after the decimal point"),
                ('{"id":1e,"text":"x"}', 9, "a digit in the exponent"),
                ('{"id":-,"text":"x"}', 8, "expected a number"),
                ('{"id":1,"text":"x","y":tru}', 24, "expected a value"),
                ('{"id":1,"text":"x","y":NaN}', 24, "expected a value"),
                ('{"id":1,"text":"x","y":[1 2]}', 27, "expected ',' or ']'"),
                ('{"id":1,"text":"x","y":{"a":1,}}', 31, "expected a member's name"),
                ('{"id":1,"text":"x","y":[}', 25, "expected a value"),
                ('{"id":1,"text":"x","y":' + "[" * 65 + "]" * 65 + "}", 88, "nested more than 64"),
                ('{"id":1,"text":"x","y":' + "[" * 100000, 88, "nested more than 64"),
                ('{"id":1,"text":"x","vector":[]}', 30, '"vector" is empty'),
                ('{"id":1,"text":"x","vector":7}', 29, '"vector" is not an array'),
                ('{"id":1,"text":"x","vector":[1,"2"]}', 32, "expected a number"),
                ('{"id":1,"text":"x","vector":[1,NaN]}', 32, "expected a number"),
                ('{"id":1,"text":"x","vector":[1,1e39]}', 32, "too large for a float"),
                ('{"id":1,"text":"x","vector":[1,]}', 32, "expected a number"),
                ('{"id":1,"text":"x","vector":[1 2]}', 32, "expected ',' or '\\]'")]:
            self.jsonl_error(good + "\n" + line + "\n" + good, f"3:{column}: .*{pattern}")
        self.jsonl_error(b'{"id":"b","text":"x\xff"}', "1:20: invalid UTF-8 in a string")
        self.jsonl_error(b'{"id":"b","text":"x\xed\xa0\x80"}', "1:20: invalid UTF-8 in a string")
        self.jsonl_error(b'{"id":"b","text":"x\x00"}', "1:20: control character")
        self.jsonl_error(b'\xef\xbb\xbf{"id":"b","text":3}', '1:21: "text" is not a string')
        self.jsonl_error(b'{"id":"b","text":"x"}\x00', "1:22: something follows")

    def test_every_cut_of_a_line(self):
        line = '{"id":"b\\u00e9","text":"x\\n\u00e9","vector":[1,-2.5e+3],"o":{"p":[true,null]}}'.encode()
        for n in range(1, len(line)):
            self.jsonl_error(line[:n], r"1:\d+: ")

    def test_vectors_that_do_not_fit(self):
        first = '{"id":1,"text":"x","vector":[1,2]}\n'
        self.jsonl_error(first + '{"id":2,"text":"x","vector":[1,2,3]}', '2: "vector" has 3 numbers, those before have 2')
        self.jsonl_error(first + '{"id":2,"text":"x"}', '2: there is no "vector"')
        self.jsonl_error('{"id":1,"text":"x"}\n' + first.replace("1", "2", 1), '2: there is a "vector"')

    def test_duplicate_ids(self):
        self.jsonl_error('{"id":"a","text":"x"}\n{"id":"b","text":"y"}\n{"id":"a","text":"z"}\n{"id":"b","text":"y"}\n',
                         "3: id a occurs a second time; the first is at a.jsonl:1")
        self.write("b.txt", "x")
        self.fail_with("b.txt: id b.txt occurs a second time; the first is at b.txt", "index", "b.txt", "b.txt", "-o", "out")
        # Hundreds of thousands of equal ids take no quadratic time.
        self.jsonl_error('{"id":"a","text":""}\n' * 300000, "2: id a occurs a second time; the first is at a.jsonl:1")

    def test_text(self):
        self.write("bad.txt", b"good\nb\xc3\xa9\xff")
        self.fail_with("bad.txt: invalid UTF-8 at byte 8", "index", "bad.txt", "-o", "out")
        self.fail_with("bad.txt:2:4: invalid UTF-8", "index", "bad.txt", "--per", "line", "-o", "out")
        self.write("nul.txt", b"good\nb\x00")
        for per in "file", "line":
            self.fail_with("nul.txt: byte 6 is NUL: this is no text", "index", "nul.txt", "--per", per, "-o", "out")
        self.write("late.txt", b"x" * 8191 + b"\n\x00")
        self.fail_with("late.txt:2:1: a NUL byte in text", "index", "late.txt", "--per", "line", "-o", "out")

    def test_nothing_to_index(self):
        os.mkdir("empty")
        self.fail_with("there is no document in empty", "index", "empty", "-o", "out")
        self.write("a.jsonl", "\n\n")
        self.fail_with("there is no document in a.jsonl and the other paths", "index", "a.jsonl", "empty", "-o", "out")
        self.assertEqual(sorted(os.listdir()), ["a.jsonl", "empty"])

    def test_unreadable(self):
        self.write("a.txt", "x")
        self.fail_with("missing: No such file", "index", "a.txt", "missing", "-o", "out")
        if os.getuid() != 0:
            self.write("in/secret", "x")
            os.chmod("in/secret", 0)
            self.fail_with("in/secret: Permission denied", "index", "in", "-o", "out")

    def test_output(self):
        self.write("a.txt", "x")
        os.mkdir("directory")
        self.fail_with("directory: the path exists and is no regular file", "index", "a.txt", "-o", "directory")
        self.fail_with("/dev/null: the path exists and is no regular file", "index", "a.txt", "-o", "/dev/null")
        self.fail_with("missing/out: open of the directory: No such file", "index", "a.txt", "-o", "missing/out")
        self.fail_with("path names no file", "index", "a.txt", "-o", "")
        self.fail_with("new/: path names no file|open of the directory", "index", "a.txt", "-o", "new/")

    def test_control_characters_in_messages(self):
        self.write("a\x1b[31m.jsonl", "x")
        result = run("index", "a\x1b[31m.jsonl", "-o", "out")
        self.assertEqual(result.returncode, 1)
        self.assertNotIn("\x1b", result.stderr)


class Search(TestCase):
    def setUp(self):
        super().setUp()
        animals = ["dog", "cat", "horse", "cow", "sheep", "goat", "hen", "duck"]
        self.write("docs.jsonl", "".join(
            json.dumps({"id": f"{a}{b}", "text": f"the {a} and the {b} met a {c} near the river"}) + "\n"
            for a in animals for b in animals for c in [animals[(len(a) + len(b)) % 8]] if a != b))
        self.succeed("index", "docs.jsonl", "-o", "index")

    def test_threads_find_the_same(self):
        self.write("many.txt", "".join(f"w{i % 97} w{i % 31} w{i}\n" for i in range(7000)))
        self.succeed("index", "many.txt", "--per", "line", "-o", "many")
        for options in ["--mode", "vector", "-k", "300"], ["--mode", "hybrid"]:
            expected = self.search("many", "w5 w6", *options)["results"]
            self.assertGreater(len(expected), 9)
            for n_threads in "1", "3", "256":
                self.assertEqual(self.search("many", "w5 w6", *options, "--threads", n_threads)["results"], expected)

    def test_hybrid_is_the_fusion_of_both_lists(self):
        query = "a horse met a goat"
        lists = [self.ids("index", query, "--mode", mode, "-k", 100) for mode in ("bm25", "vector")]
        expected = {}
        for ranking in lists:
            for rank, identity in enumerate(ranking, 1):
                expected[identity] = expected.get(identity, 0) + 1 / (60 + rank)
        for k in 1, 10, 56, 1000:
            results = self.search("index", query, "-k", k)["results"]
            self.assertEqual(len(results), min(k, 56))
            self.assertEqual([r["rank"] for r in results], list(range(1, len(results) + 1)))
            for result in results:
                self.assertAlmostEqual(result["score"], expected[result["id"]], places=6)
            best = sorted(expected.values(), reverse=True)[:k]
            for result, score in zip(results, best):
                self.assertAlmostEqual(result["score"], score, places=6)
        self.assertIn(self.ids("index", query)[0], ("horsegoat", "goathorse"))

    def test_k(self):
        self.assertEqual(len(self.ids("index", "dog")), 10)
        self.assertEqual(len(self.ids("index", "dog", "-k", 3)), 3)
        self.assertEqual(len(self.ids("index", "river", "-k", 1000000, "--mode", "bm25")), 56)

    def test_no_results(self):
        self.assertEqual(self.ids("index", "xylophone", "--mode", "bm25"), [])
        for query in "", "...", "\x01":
            for mode in "bm25", "vector", "hybrid":
                self.assertEqual(self.ids("index", query, "--mode", mode), [])
        self.assertIn("0 of 56 documents", self.succeed("search", "index", "xylophone", "--mode", "bm25"))

    def test_json(self):
        result = self.search("index", 'dog "\u00e9\n')
        self.assertEqual(set(result), {"query", "mode", "documents", "seconds", "results"})
        self.assertEqual((result["query"], result["mode"], result["documents"]), ('dog "\u00e9\n', "hybrid", 56))
        self.assertGreater(result["seconds"], 0)
        self.assertEqual(set(result["results"][0]), {"rank", "score", "id", "text"})
        self.assertIsNone(json.loads(run("search", "index", "--mode", "vector", "--vector", self.write(
            "q.npy", npy([[1.0] * 384])), "--json").stdout)["query"])
        self.assertEqual(json.loads(run("search", "index", b"\xff", "--json").stdout)["query"], "\ufffd")

    def test_text(self):
        lines = self.succeed("search", "index", "dog cat", "-k", "3").splitlines()
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[0], r"^1 +0\.03\d* +(dogcat|catdog) +the (dog|cat) and the ")
        self.assertRegex(lines[3], r"^3 of 56 documents in [\d.]+ ms \(bm25 .*\); opening and checking the file \d+ ms$")

    def test_same_on_every_tier(self):
        tiers = [tier["name"] for tier in json.loads(self.succeed("info", "--json"))["tiers"] if tier["supported"]]
        expected = self.search("index", "the sheep met a duck")["results"]
        for tier in tiers:
            output = self.succeed("search", "index", "the sheep met a duck", "--json", env={"LANEWISE_TIER": tier})
            self.assertEqual(json.loads(output)["results"], expected, tier)

    def test_harmless_output(self):
        self.write("evil.jsonl", json.dumps(
            {"id": "i\x1b[2J\r", "text": "evil \x1b]0;title\x07 \u009b31m \u202e \u0000 a\nb\tc\u2028d   e\u00a0f"}))
        self.succeed("index", "evil.jsonl", "-o", "evil")
        output = self.succeed("search", "evil", "evil")
        self.assertEqual(len(output.splitlines()), 2)
        self.assertNotRegex(output.replace("\n", ""), "[\x00-\x1f\x7f-\x9f\u2028\u202e]")
        self.assertIn("a b c d e f", output)
        self.assertIn("\x1b]0;", self.search("evil", "evil")["results"][0]["text"])

    def test_errors(self):
        self.fail_with("missing: open: No such file", "search", "missing", "x")
        self.fail_with(r"docs.jsonl: header: magic: this is no lanewise file \(at byte 0\)", "search", "docs.jsonl", "x")
        self.fail_with(r"\.: not a regular file", "search", ".", "x")
        self.write("empty", "")
        self.fail_with(r"empty: header: the file ends after 0 of 64 bytes \(at byte 0\)", "search", "empty", "x")


class Terminal(TestCase):
    def run_on_terminal(self, columns, *arguments, **options):
        """What lanewise prints to a terminal of so many columns."""
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([LANEWISE, *arguments], stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
                                   **options)
        os.close(follower)
        output = b""
        while True:
            select.select([leader], [], [], 60)
            try:
                piece = os.read(leader, 65536)
            except OSError:
                break
            if not piece:
                break
            output += piece
        os.close(leader)
        self.assertEqual(process.wait(60), 0)
        return output.decode()

    def test_width(self):
        self.write("a.jsonl", json.dumps({"id": "a", "text": "common " + "word " * 100}) + "\n" +
                   json.dumps({"id": "b", "text": "common " + "\u4e2d\u6587" * 100}))
        self.succeed("index", "a.jsonl", "-o", "index")
        for columns in 60, 80, 133:
            lines = self.run_on_terminal(columns, "search", "index", "common", "--mode", "bm25").split("\r\n")
            for line in lines[:2]:
                self.assertTrue(line.endswith("\u2026"), line)
                width = sum(2 if c >= "\u2e80" else 1 for c in line)
                self.assertTrue(columns - 1 <= width <= columns, (width, line))

    def test_progress(self):
        # A slow writer on the other end, so that there is time to show progress.
        os.mkfifo("slow.txt")
        writer = subprocess.Popen([sys.executable, "-c", """
import time
with open("slow.txt", "w") as stream:
    for i in range(14):
        stream.write("line %d\\n" % i)
        stream.flush()
        time.sleep(0.1)
"""])
        output = self.run_on_terminal(80, "index", "slow.txt", "--per", "line", "-o", "out")
        writer.wait()
        self.assertRegex(output, r"\r\x1b\[KReading documents: \d+")
        self.assertRegex(output, r"\r\x1b\[Kout: 14 documents")
        self.assertFalse(output.endswith("\x1b[K"))


class Damage(TestCase):
    def setUp(self):
        super().setUp()
        self.write("a.jsonl", '{"id":"a","text":"some words","vector":[1,2]}\n{"id":"b","text":"words","vector":[2,1]}\n')
        self.succeed("index", "a.jsonl", "-o", "index")
        self.bytes = self.read("index")
        self.assertLess(len(self.bytes), 4096)

    def expect_error(self, content):
        self.write("damaged", content)
        result = run("search", "damaged", "words")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"^lanewise: damaged: (header|section [a-z0-9._]+|section table): .* \(at byte \d+\)\n$")

    def within(self, seconds, cases):
        """Runs expect_error for all cases, or, where a process takes long, for evenly spread ones."""
        start = time.monotonic()
        for case in cases[::len(cases) // 20]:
            self.expect_error(case())
        each = (time.monotonic() - start) / 20
        stride = max(1, math.ceil(len(cases) * each / seconds))
        if stride > 1:
            print(f"one process takes {1e3 * each:.0f} ms: every {stride}th of {len(cases)} cases", file=sys.stderr)
        for case in cases[::stride]:
            self.expect_error(case())

    def test_every_truncation(self):
        self.within(60, [lambda n=n: self.bytes[:n] for n in range(len(self.bytes))])

    def test_a_flipped_bit_in_every_byte(self):
        # All bits of all bytes: test_index_file, with the same code and without a process for each.
        def flipped(i):
            damaged = bytearray(self.bytes)
            damaged[i] ^= 1 << (i % 8)
            return bytes(damaged)
        self.within(60, [lambda i=i: flipped(i) for i in range(len(self.bytes))])


class Replacement(TestCase):
    def setUp(self):
        super().setUp()
        self.write("old.txt", "common old")
        self.succeed("index", "old.txt", "-o", "index")
        self.old = self.read("index")

    def temporary_files(self):
        return [name for name in os.listdir() if ".tmp-" in name]

    def test_error_keeps_the_old_file(self):
        self.write("bad.jsonl", '{"id":1,"text":"x"}\n' * 2000)
        self.fail_with("occurs a second time", "index", "bad.jsonl", "-o", "index")
        self.assertEqual(self.read("index"), self.old)
        self.assertEqual(self.temporary_files(), [])

    def test_full_disk_keeps_the_old_file(self):
        self.write("big.txt", "".join(f"common line {i}\n" for i in range(3000)))
        for limit in 0, 4096, 1 << 20, 3 << 20:
            self.fail_with("index: (write|writing a temporary file): File too large", "index", "big.txt", "--per", "line", "-o",
                           "index", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
            self.assertEqual(self.read("index"), self.old)
            self.assertEqual(self.temporary_files(), [])

    def start(self):
        process = subprocess.Popen([LANEWISE, "index", "big.txt", "--per", "line", "-o", "index"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        return process

    def test_kill(self):
        """Killed at any moment, the file is the old or the new one, whole."""
        self.write("big.txt", "".join(f"common line number {i}\n" for i in range(20000)))
        start = time.monotonic()
        self.assertEqual(self.start().wait(120), 0)
        duration = time.monotonic() - start
        new = self.read("index")
        generator = random.Random(1)
        seen = set()
        for i in range(24):
            self.write("index.before", self.old)
            os.rename("index.before", "index")
            process = self.start()
            # Half of the times near the end, where the file is put into its place.
            time.sleep(duration * (generator.random() if i % 2 else 0.8 + 0.3 * generator.random()))
            process.kill()
            process.wait()
            content = self.read("index")
            self.assertIn(content, (self.old, new))
            seen.add(content == new)
            self.assertTrue(self.ids("index", "common", "--mode", "bm25"))
        self.assertIn(False, seen)
        self.assertEqual(self.start().wait(120), 0)
        self.assertEqual(self.read("index"), new)

    def test_signals_leave_nothing_behind(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            reader, writer = os.pipe()
            process = subprocess.Popen([LANEWISE, "index", "-", "--per", "line", "-o", "index"], stdin=reader,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            os.close(reader)
            os.write(writer, b"common\n" * 5000)
            deadline = time.monotonic() + 30
            while not self.temporary_files() and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertEqual(len(self.temporary_files()), 1)
            process.send_signal(number)
            self.assertEqual(process.wait(30), 128 + number)
            os.close(writer)
            process.stderr.close()
            self.assertEqual(self.temporary_files(), [])
            self.assertEqual(self.read("index"), self.old)


class Command(TestCase):
    def test_help_and_version(self):
        self.assertRegex(self.succeed("--version"), r"^lanewise \d+\.\d+\.\d+\n$")
        overview = self.succeed("help")
        self.assertEqual(overview, self.succeed("--help"))
        commands = re.findall(r"^  ([a-z]+) ", overview, re.M)
        self.assertTrue({"index", "search", "info", "help"} <= set(commands))
        for command in commands:
            if command != "help":
                text = self.succeed(command, "--help")
                self.assertIn("lanewise", text.splitlines()[0])
                self.assertIn("--help", text)
                self.assertEqual(text, self.succeed("help", command))

    def usage_error(self, pattern, *arguments):
        result = run(*arguments)
        self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
        self.assertRegex(result.stderr, pattern)

    def test_options_that_contradict_each_other(self):
        for one, other, arguments in [
            ("--cdc", "--sentences", ["chunk"]), ("--paragraphs", "--lines", ["chunk", "--json"]),
            ("--lines", "--blocks", ["dedup"]), ("--blocks", "--files", ["dedup", "--near"]),
            ("--mask", "--redact", ["scan", "--secrets"]), ("--check", "--mask", ["scan", "--secrets"]),
            ("--gitignore", "--no-ignore", ["scan", "--secrets"]), ("--json", "--dot", ["graph", "levels"]),
        ]:
            self.fail_with(f"{one} and {other} contradict each other", *arguments, one, other, status=2)
            self.fail_with(" contradict each other", *arguments, other, one, status=2)
        self.succeed("chunk", "--lines", "--lines")

    def test_usage_errors(self):
        self.write("a", "x")
        self.usage_error("^Usage: lanewise COMMAND")
        for arguments in [("frobnicate",), ("help", "frobnicate"), ("--frobnicate",)]:
            self.usage_error("there is no command (--)?frobnicate", *arguments)
        for pattern, arguments in [
                ("no PATH to index", ["index", "-o", "x"]), ("no -o FILE to write", ["index", "a"]),
                ("--format is text or jsonl, not csv", ["index", "a", "-o", "x", "--format", "csv"]),
                ("--per is file or line, not word", ["index", "a", "-o", "x", "--per", "word"]),
                ("unrecognized option '--nope'", ["index", "a", "--nope"]), ("requires an argument", ["index", "a", "-o"]),
                ("no FILE to search", ["search"]), ("no query", ["search", "a"]),
                ("no query", ["search", "a", "--mode", "vector"]),
                ("more than one query", ["search", "a", "two", "words"]),
                ("--mode is hybrid, bm25 or vector, not fuzzy", ["search", "a", "x", "--mode", "fuzzy"]),
                ("unrecognized option", ["search", "--nope"]), ("unexpected argument", ["info", "a"]),
                ("unrecognized option", ["info", "--nope"])]:
            self.usage_error(f"^lanewise.*{pattern}", *arguments)
            self.usage_error(f"Try 'lanewise {arguments[0]} --help'", *arguments)
        for k in "0", "-1", "x", "1x", "", "1000001", "99999999999999999999", "+1", " 1":
            self.usage_error("-k is a number from 1 to 1000000", "search", "a", "x", "-k", k)
            self.usage_error("--threads is a number from 1 to 256", "search", "a", "x", "--threads", k)
        self.assertEqual(os.listdir(), ["a"])

    def test_info(self):
        text = self.succeed("info")
        info = json.loads(self.succeed("info", "--json"))
        for name in "version", "compiler", "build_type", "cpu", "features", "tier", "tiers", "kernels", "machine":
            self.assertIn(name, info)
        self.assertIn(info["compiler"], text)
        active = [tier for tier in info["tiers"] if tier["active"]]
        self.assertEqual([tier["name"] for tier in active], [info["tier"]])
        self.assertTrue(all(tier["reason"] for tier in info["tiers"]))
        self.assertGreater(len(info["kernels"]), 10)
        for kernel in info["kernels"]:
            self.assertRegex(text, rf"(?m)^  {kernel['name']} +{kernel['implementation']}$")
        self.assertGreaterEqual(info["machine"]["cores"], 1)
        self.assertGreaterEqual(info["machine"]["hardware_threads"], info["machine"]["cores"])
        self.assertTrue(info["machine"]["l2_bytes"] or
                        not os.path.exists("/sys/devices/system/cpu/cpu0/cache/index2"))
        kernels = self.succeed("info", "--kernels")
        self.assertIn(kernels, text)

    def test_tier_cap(self):
        info = json.loads(self.succeed("info", "--json", env={"LANEWISE_TIER": "scalar"}))
        self.assertEqual(info["tier"], "scalar")
        self.assertEqual({kernel["implementation"] for kernel in info["kernels"]}, {"scalar"})

    def test_selftest(self):
        self.succeed("selftest", "--quiet")
        self.usage_error("^lanewise.*there is nothing to name", "selftest", "all")

    def test_output_errors(self):
        self.write("a", "word")
        self.succeed("index", "a", "-o", "index")
        for arguments in ["--version"], ["help"], ["info"], ["info", "--json"], ["search", "index", "word"], \
                ["search", "index", "word", "--json"], ["index", "a", "-o", "index"]:
            with open("/dev/full", "wb") as full:
                result = subprocess.run([LANEWISE, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(result.returncode, 1, arguments)
            self.assertIn(b"lanewise: writing to standard output: No space left on device", result.stderr)
            reader, writer = os.pipe()
            os.close(reader)
            result = subprocess.run([LANEWISE, *arguments], stdout=writer, stderr=subprocess.PIPE, timeout=60)
            os.close(writer)
            self.assertEqual((result.returncode, result.stderr), (1, b""), arguments)

    def test_output_errors_amid_output(self):
        self.write("a", "".join(f"{i} a\n" for i in range(50000)))
        self.write("a.json", '{"a": 1}\n' * 50000)
        self.write("rules", "class b\n1 a\n")
        self.write("patterns", "a\n")
        for status, *arguments in (1, "dedup", "a"), (1, "dedup", "--blocks", "a"), (1, "dedup", "--ignore-case", "a"), \
                (1, "chunk", "--lines", "--size", "9", "a"), (1, "classify", "--rules", "rules", "--lines", "a"), \
                (1, "json", "get", "a", "--lines", "a.json"), (2, "scan", "--patterns", "patterns", "a"):
            with open("/dev/full", "wb") as full:
                result = subprocess.run([LANEWISE, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((result.returncode, result.stderr),
                             (status, b"lanewise: writing to standard output: No space left on device\n"), arguments)

    def test_readers_who_go_away(self):
        """An endless input is not read on."""
        self.write("patterns", "a\n")
        for status, *arguments in (1, "filter"), (1, "json", "get", "a", "--lines"), (2, "scan", "--patterns", "patterns"), \
                (2, "scan", "--secrets", "--redact"):
            with subprocess.Popen(["yes", '{"a": "bcdefgh"}'], stdout=subprocess.PIPE) as endless:
                reader, writer = os.pipe()
                os.close(reader)
                result = subprocess.run([LANEWISE, *arguments], stdin=endless.stdout, stdout=writer, stderr=subprocess.PIPE, timeout=60)
                os.close(writer)
                endless.stdout.close()
            self.assertEqual((result.returncode, result.stderr), (status, b""), arguments)

    def test_what_is_read_is_not_overwritten(self):
        self.write("a", "word\n")
        os.link("a", "b")
        os.symlink("a", "c")
        self.write("v.npy", npy([[1.0, 2.0]]))
        for other in "a", "./a", "b", "c":
            self.fail_with("would replace what is read", "index", "a", "-o", other)
            self.fail_with("would overwrite what is read", "dedup", "--dropped", other, "a")
        self.fail_with("v.npy: -o would replace what is read", "index", "a", "--vectors", "v.npy", "-o", "v.npy")
        self.assertEqual(self.read("a"), b"word\n")
        self.succeed("dedup", "--dropped", "/dev/null", "/dev/null")


class Dedup(TestCase):
    def dedup(self, text, *arguments):
        return self.succeed("dedup", *arguments, stdin=text if isinstance(text, bytes) else text.encode())

    def unique(self, lines):
        """The lines of bytes without repetition, in order."""
        return b"".join(line + b"\n" for line in dict.fromkeys(lines))

    def test_lines(self):
        self.assertEqual(self.dedup(""), "")
        self.assertEqual(self.dedup("a\nb\na\n\n\nb\nc\n"), "a\nb\n\nc\n")
        self.assertEqual(self.dedup("a\nb"), "a\nb")
        self.assertEqual(self.dedup("a\nb\na"), "a\nb\n")
        self.assertEqual(self.dedup("a\r\na\nA\n a\n"), "a\r\na\nA\n a\n")
        self.assertEqual(self.dedup(b"\0\n\xff\n\0\n"), "\0\n\udcff\n")

    def test_many_lines(self):
        """More than the buffers hold, with lines across every boundary and one that is longer than all of them."""
        source = random.Random(7)
        lines = [b"%d" % source.randrange(100000) * source.randrange(9) for _ in range(300000)]
        lines[1000] = lines[290000] = b"x" * 3000000
        text = b"".join(line + b"\n" for line in lines)
        expected = self.unique(lines)
        for options in [], ["--hash"], ["--memory", "64"], ["--threads", "1"], ["--threads", "2"], ["--hash", "--threads", "2"]:
            self.assertEqual(self.dedup(text, *options).encode(), expected)
        self.write("a", text)
        n = expected.count(10)
        for threads in "1", "2":
            self.assertEqual(
                self.succeed("dedup", "a", "a", "--count", "--threads", threads), f"{n:,} lines stayed, {600000 - n:,} went\n"
            )

    def test_long_lines(self):
        """Lines beyond 16 MiB are not compared but stay; what is around them is."""
        long = b"y" * (17 << 20)
        text = b"a\n" + long + b"\nb\na\n" + long + b"\nb\n" + long
        for options in [], ["--hash"], ["--memory", "64"], ["--threads", "1"]:
            self.assertEqual(self.dedup(text, *options).encode(), b"a\n" + long + b"\nb\n" + long + b"\n" + long)
        start = b"".join(b"%d\n" % number for number in range(300000))
        for most in (16 << 20) - 1, 16 << 20, (16 << 20) + 1:
            line = b"y" * most + b"\n"
            for threads in "1", "2":
                result = self.dedup(start + line + b"7\n" + line + b"end", "--threads", threads).encode()
                self.assertEqual(result, start + line + (line if most > 16 << 20 else b"") + b"end")
        self.write("a", text)
        self.write("b", b"a\nz")
        self.assertEqual(self.succeed("dedup", "a", "b")[-4:], "yy\nz")
        self.assertEqual(self.succeed("dedup", "--count", "a", "b"), "6 lines stayed, 3 went\n")

    def test_blocks(self):
        text = "One  two.\n\n```\nx\n\ny\n```\n\none two\n\n\nThree\n\n```\nx\n\ny\n```\n"
        self.assertEqual(self.dedup(text, "--blocks"), "One  two.\n\n```\nx\n\ny\n```\n\n\nThree\n")
        self.assertEqual(self.dedup("a\n\n\nb\n\n", "--blocks"), "a\n\n\nb\n\n")
        self.assertEqual(self.dedup("a\n\n```open\n\na", "--blocks"), "a\n\n```open\n\na")
        self.assertEqual(self.dedup("ab\n\nab\n\nabc\n\nabc", "--blocks", "--min-length", "3"), "ab\n\nab\n\nabc")

    def test_ignoring_case(self):
        self.assertEqual(self.dedup("ÉTÉ Straße\nété STRASSE\nété  strasse\nx\nX\n", "--ignore-case"), "ÉTÉ Straße\nété  strasse\nx\n")
        self.assertEqual(self.dedup("ÉTÉ  One\n\nété one.", "--blocks", "--ignore-case"), "ÉTÉ  One")
        self.assertEqual(self.dedup("ÉTÉ  One\n\nété one.\n", "--blocks"), "ÉTÉ  One\n\nété one.\n")
        for line in "жил-был у бабушки", "ΐ" * 50:
            text = f"{line} 1\n{line.upper()} 1.\n"
            self.assertEqual(self.dedup(text, "--near", "--ignore-case"), f"{line} 1\n")
            self.assertEqual(self.dedup(text, "--near"), text)

    def test_files_and_options(self):
        self.write("a", "x\ny")
        self.write("b", "y\nz\nx\n")
        self.assertEqual(self.succeed("dedup", "a", "b"), "x\ny\nz\n")
        self.assertEqual(self.succeed("dedup", "b", "-", stdin=b"q\nz\n"), "y\nz\nx\nq\n")
        self.assertEqual(self.succeed("dedup", "a", "b", "--dropped", "gone"), "x\ny\nz\n")
        self.assertEqual(self.read("gone"), b"y\nx\n")
        self.assertEqual(self.succeed("dedup", "--count", "a", "b"), "3 lines stayed, 2 went\n")
        self.assertEqual(self.dedup("1\n2\n1\n3\n4\n1\n", "--window", "2"), "1\n2\n3\n4\n1\n")

    def test_errors(self):
        self.fail_with("there-is-none: No such file", "dedup", "there-is-none")
        self.fail_with("Is a directory", "dedup", ".")
        self.fail_with("no/such/directory", "dedup", "--dropped", "no/such/directory", "-")
        for option in "--window", "--min-length", "--max-length", "--memory", "--threads":
            for number in "0", "-1", "x", "1x", "", "99999999999999999999":
                result = run("dedup", option, number)
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                self.assertIn(f"{option} is a number from 1 to", result.stderr)
        with open("/dev/full", "wb") as full:
            result = subprocess.run([LANEWISE, "dedup"], input=b"a\n" * 9, stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"No space left on device", result.stderr)


class Filter(TestCase):
    def filter(self, text, *arguments):
        return self.succeed("filter", *arguments, stdin=text.encode())

    def test_spans_are_cut_out(self):
        text = "a<think>b\nc</think>d <think e"
        self.assertEqual(self.filter(text), "ad <think e")
        self.assertEqual(self.filter(text + "{x}y", "--think", "--pair", "{", "}"), "ad <think ey")
        self.assertEqual(self.filter("1[2[3]4]5", "--pair", "[", "]"), "14]5")
        self.assertEqual(self.filter("1[2[3]4]5", "--nested", "--pair", "[", "]"), "15")
        self.assertEqual(self.filter(text + "f<think>g", "--inside"), "b\nc\ng\n")
        self.assertEqual(self.filter(""), "")
        self.assertEqual(self.filter("x" * 300000 + "<think>" + "y" * 300000), "x" * 300000)

    def test_text_comes_as_soon_as_it_is_certain(self):
        process = subprocess.Popen([LANEWISE, "filter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"so <thi")
        process.stdin.flush()
        self.assertEqual(os.read(process.stdout.fileno(), 100), b"so ")
        process.stdin.write(b"nk>no</think>yes")
        process.stdin.flush()
        self.assertEqual(os.read(process.stdout.fileno(), 100), b"yes")
        process.stdin.close()
        self.assertEqual(process.stdout.read(), b"")
        process.stdout.close()
        self.assertEqual(process.wait(), 0)

    def test_wrong_usage(self):
        self.fail_with("START and an END", "filter", "--pair", "a", status=2)
        self.fail_with("standard input only", "filter", "file", status=2)
        self.fail_with("--pair: the START is empty", "filter", "--pair", "", "x", status=2)
        self.fail_with("--pair: the END is empty", "filter", "--pair", "x", "", status=2)
        self.assertIn("--inside", self.succeed("filter", "--help"))


class Json(TestCase):
    TEXT = '{"a": [1, {"b": "x\\u00e9"}],\n "": null}'

    def json(self, text, *arguments):
        return self.succeed("json", *arguments, stdin=text if isinstance(text, bytes) else text.encode())

    def test_check(self):
        self.assertEqual(self.json(self.TEXT, "check"), "")
        self.assertEqual(self.json(self.TEXT, "check", "--json", "-"), '{"valid": true}\n')
        self.write("a", '{"a":\n 1,}')
        self.fail_with("a:2:4: json: no name of a member", "json", "check", "a")
        result = run("json", "check", "a", "--json")
        self.assertEqual((result.returncode, result.stderr), (1, ""))
        self.assertEqual(json.loads(result.stdout), {
            "valid": False, "offset": 9, "line": 2, "column": 4, "what": "json: no name of a member"})
        self.fail_with("there-is-none: No such file", "json", "check", "there-is-none")
        self.fail_with("no value", "json", "check", stdin=b"")

    def test_lines(self):
        text = b'{"a": 1}\n\n \r\n{"a": "x\\n"}\r\n[2]\nnull'
        self.assertEqual(self.json(text, "check", "--lines"), "")
        self.assertEqual(self.json(text, "get", "a", "--lines"), '1\n"x\\n"\n\n\n')
        self.assertEqual(self.json(text, "get", "a", "--lines", "--text"), "1\nx\n\n\n\n")
        text = b'[1]\n[1,]\n\n{"a" 1}\n'
        result = run("json", "check", "--lines", stdin=text)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, "^lanewise: -:2:4: .*\nlanewise: -:4:6: .*\n$")
        result = run("json", "check", "--lines", "--json", stdin=text)
        self.assertEqual([(bad["offset"], bad["line"], bad["column"]) for bad in map(json.loads, result.stdout.splitlines())],
                         [(7, 2, 4), (15, 4, 6)])
        result = run("json", "get", "a", "--lines", stdin=text)
        self.assertEqual((result.returncode, result.stdout), (1, "\n"))
        self.assertIn("-:2:4: json: ", result.stderr)

    def test_lines_come_at_once(self):
        process = subprocess.Popen([LANEWISE, "json", "get", "a", "--lines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for i in range(3):
            process.stdin.write(b'{"a": %d}\n{"a"' % i)
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"%d\n" % i)
            process.stdin.write(b": 7}\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"7\n")
        process.stdin.write(b'{"a": "%s"}' % (b"x" * 300000))
        out, _ = process.communicate()
        self.assertEqual((out, process.returncode), (b'"%s"\n' % (b"x" * 300000), 0))

    def test_errors_as_json(self):
        for command in (["tokens"], ["get", "a"], ["minify"], ["check"]):
            result = run("json", *command, "--json", stdin=b'{"a":\n tru}')
            self.assertEqual((result.returncode, result.stderr), (1, ""))
            verdict = json.loads(result.stdout)
            self.assertEqual((verdict["valid"], verdict["offset"], verdict["line"], verdict["column"]), (False, 7, 2, 2))
        tokens = [json.loads(line) for line in self.json('{"a": [1.5]}', "tokens", "--json").splitlines()]
        self.assertEqual([(token["offset"], token["depth"], token["type"], token.get("value")) for token in tokens],
                         [(0, 0, "object", None), (1, 1, "name", "a"), (6, 1, "array", None), (7, 2, "number", 1.5)])

    def test_tokens(self):
        self.assertEqual(self.json('{"a": [1, true]}', "tokens"),
                         '0\t16\t0\tobject\t\n1\t3\t1\tname\t"a"\n6\t9\t1\tarray\t\n7\t1\t2\tnumber\t1\n'
                         '10\t4\t2\ttrue\ttrue\n')
        self.fail_with("-:1:2: json: ", "json", "tokens", stdin=b"[")

    def test_get(self):
        self.write("a", self.TEXT)
        self.assertEqual(self.succeed("json", "get", "a[1].b", "a"), '"x\\u00e9"\n')
        self.assertEqual(self.succeed("json", "get", "/a/1/b", "a", "--text"), "x\u00e9\n")
        self.assertEqual(self.succeed("json", "get", "/a/1", "--text", "a"), '{"b": "x\\u00e9"}\n')
        self.assertEqual(self.json(self.TEXT, "get", "/"), "null\n")
        self.fail_with("a: there is no a.b", "json", "get", "a.b", "a")

    def test_minify(self):
        self.assertEqual(self.json(self.TEXT, "minify"), '{"a":[1,{"b":"x\\u00e9"}],"":null}\n')
        self.assertEqual(self.json("[1, {}]", "minify", "--indent", "1"), "[\n 1,\n {}\n]\n")
        self.fail_with("-:1:4: json: ", "json", "minify", stdin=b"[1,]")

    def test_repair(self):
        self.assertEqual(self.json(self.TEXT, "repair"), self.TEXT + "\n")
        self.assertEqual(self.json("Sure: {'a': True, b: [1,", "repair"), '{"a": true, "b": [1]}\n')
        self.assertEqual(self.json("{'a': 1", "repair", "--indent", "2"), '{\n  "a": 1\n}\n')
        text = "x {a: 1,}"
        result = json.loads(self.json(text, "repair", "--json"))
        self.assertEqual((result["changed"], result["text"]), (True, '{"a": 1}'))
        self.assertEqual([edit["kind"] for edit in result["edits"]], ["prose", "quote", "quote", "comma"])
        again = "".join(
            text[before["offset"] + before["bytes"]:edit["offset"]] +
            result["text"][edit["out_offset"]:edit["out_offset"] + edit["out_bytes"]]
            for before, edit in zip([{"offset": 0, "bytes": 0}] + result["edits"], result["edits"]))
        self.assertEqual(again + text[-1], result["text"])
        self.assertEqual(json.loads(self.json("[1]", "repair", "--json")), {"changed": False, "text": "[1]", "edits": []})

    def test_find(self):
        text = "see [1, 2] and {x} and {\"a\": {}}"
        self.assertEqual(self.json(text, "find"), '[1,2]\n{"a":{}}\n')
        self.assertEqual(self.json(text, "find", "--json"), '{"offset": 4, "bytes": 6}\n{"offset": 23, "bytes": 9}\n')
        self.assertEqual(run("json", "find", stdin=b"none").returncode, 1)

    def test_usage(self):
        for pattern, arguments in [("no check, tokens", []), ("there is no lanewise json x", ["x"]),
                                   ("no PATH to get", ["get"]), ("more than one FILE: b", ["check", "a", "b"]),
                                   ("--indent is a number from 1 to 16", ["minify", "--indent", "17"]),
                                   ("index and ]", ["get", "a[x]"]), ("unrecognized option", ["check", "--nope"])]:
            result = run("json", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertIn(pattern, result.stderr)


class Eval(TestCase):
    DOCS = "a\tthe cat sat\nb\ta dog barked\nc\tcats and dogs\nd\tnothing here\n"
    QUERIES = "1\tcat sat\n2\tdog\n3\tzebra\n"

    def evaluate(self, qrels, *options):
        self.write("docs", self.DOCS)
        self.write("queries", self.QUERIES)
        self.write("qrels", qrels)
        return run("eval", "docs", "queries", "qrels", *options)

    def test_metrics(self):
        result = self.evaluate("1\ta\t2\n1\tc\t1\n2\tb\n3\td\t0\n", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        values = json.loads(result.stdout)
        self.assertEqual((values["documents"], values["queries"]), (4, 2))
        # Query 1 finds a alone, of two; query 2 all it should.
        best = (2 / math.log2(2)) / (2 / math.log2(2) + 1 / math.log2(3))
        self.assertAlmostEqual(values["bm25"]["ndcg_at_10"], (best + 1) / 2, places=5)
        self.assertAlmostEqual(values["bm25"]["map"], 0.75, places=5)
        self.assertAlmostEqual(values["bm25"]["mrr"], 1, places=5)
        self.assertAlmostEqual(values["bm25"]["recall_at_100"], 0.75, places=5)
        self.assertEqual(set(values), {"documents", "queries", "bm25", "vector", "hybrid"})

    def test_binary(self):
        values = json.loads(self.evaluate("1\ta\t2\n1\tc\t1\n", "--json", "--binary").stdout)
        self.assertAlmostEqual(values["bm25"]["ndcg_at_10"], 1 / (1 + 1 / math.log2(3)), places=5)

    def test_trec_and_text(self):
        result = self.evaluate("1 0 a 1\n9 0 a 1\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("passed over 1 judgements", result.stderr)
        self.assertRegex(result.stdout, r"(?m)^bm25 +1\.0000  1\.0000  1\.0000 +1\.0000$")
        self.assertIn("4 documents, 1 queries", result.stdout)

    def test_errors(self):
        for qrels, what in (("1\tz\n", "qrels:1: no document has the id z"), ("1\n", "qrels:1: not 2 to 4"),
                            ("1\ta\tx\n", "qrels:1: the grade is x"), ("1\ta\tnan\n", "the grade is nan"),
                            ("1\ta\n1\ta\t0\n", "document a is judged twice for query 1"), ("", "no judgements"),
                            ("1\ta\t0\n", "no query has a relevant document"), ("1 2 3 4 5\n", "not 2 to 4")):
            result = self.evaluate(qrels)
            self.assertEqual(result.returncode, 1, qrels)
            self.assertIn(what, result.stderr)
        self.evaluate("1\ta\n")
        for docs, what in (("x y\n", "docs:1: no id and tab"), ("\tx\n", "docs:1: no id"), ("", "docs: no lines"),
                           ("a\tx\na\ty\n", "two lines have the id a"), ("a\0b\tx\n", "docs:1: the id has a NUL")):
            self.write("docs", docs)
            result = run("eval", "docs", "queries", "qrels")
            self.assertEqual(result.returncode, 1, docs)
            self.assertIn(what, result.stderr)
        self.assertEqual(run("eval", "missing", "queries", "qrels").returncode, 1)
        self.assertEqual(run("eval", "docs", "queries").returncode, 2)
        self.assertEqual(run("eval", "--wrong").returncode, 2)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LANEWISE = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
