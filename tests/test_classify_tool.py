#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lanewise classify from outside.

Usage: test_classify_tool.py PATH-OF-LANEWISE [unittest arguments]
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

LANEWISE = None

RULES = """\
# What is to be done?
class action
1    run
0.8  set up
class "data analysis"
1    analyze
class question
1    why
negation don't
"""


def run(*arguments, stdin=""):
    result = subprocess.run([LANEWISE, "classify", *arguments], input=stdin.encode("utf-8", "surrogateescape"),
                            capture_output=True, timeout=60)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def write(path, text):
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


class Classify(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="lanewise-test-classify-")
        self.addCleanup(directory.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(directory.name)
        write("rules", RULES)

    def classify(self, *arguments, stdin=""):
        status, output, errors = run("--rules", "rules", *arguments, stdin=stdin)
        self.assertEqual((status, errors), (0, ""), arguments)
        return output

    def refuse(self, message, *arguments, status=1, stdin=""):
        actual, output, errors = run(*arguments, stdin=stdin)
        self.assertEqual((actual, output), (status, ""))
        self.assertTrue(errors.startswith("lanewise: "), errors)
        self.assertIn(message, errors)

    def test_standard_input(self):
        self.assertEqual(self.classify(stdin="Set up\na trunk"), "action\t1.000\tstdin\n")
        self.assertEqual(self.classify("-", stdin="nothing of it"), "-\t0.000\tstdin\n")
        self.assertEqual(self.classify("--lines", stdin="Why run?\n\n  \nrun, analyze\r\nthe end"),
                         f"question\t{1.1 / (1.1 + 1 + 0.1 * (1 - 4 / 8)):.3f}\tstdin:1\n"
                         f"action\t{1.1 / (1.1 + 1 + 0.1 * (1 - 5 / 12)):.3f}\tstdin:4\n-\t0.000\tstdin:5\n")
        self.assertEqual(self.classify(stdin=""), "")

    def test_files(self):
        write("in/b", "why")
        write("in/a/a.txt", "analyze")
        write("in/.hidden", "run")
        write("in/list.jsonl", '{"id": "one", "text": "run"}\n{"id": "\\u00e4", "text": "but why"}\n')
        self.assertEqual(self.classify("in", "in/b"),
                         "data analysis\t1.000\tin/a/a.txt\nquestion\t1.000\tin/b\naction\t1.000\tone\n"
                         "question\t1.000\tä\nquestion\t1.000\tin/b\n")

    def test_json(self):
        lines = self.classify("--json", "--lines", stdin="run, don't run, analyze\nno").splitlines()
        first, second = (json.loads(line) for line in lines)
        action = 1.1 - 0.5
        analysis = 1 + 0.1 * (1 - 16 / 23)
        # The negation begins 11 bytes before "analyze" too.
        self.assertEqual(first["id"], "stdin:1")
        self.assertEqual(first["class"], "action")
        self.assertEqual([score["class"] for score in first["scores"]], ["action", "data analysis", "question"])
        self.assertEqual([(score["matches"], score["negated"]) for score in first["scores"]], [(2, 1), (1, 1), (0, 0)])
        self.assertAlmostEqual(first["scores"][0]["score"], action)
        self.assertEqual((first["confidence"], first["scores"][1]["score"]), (1, 0))
        self.assertEqual((second["class"], second["confidence"]), (None, 0))
        write("rules", RULES + "option window 7\n")
        first = json.loads(self.classify("--json", stdin="run, don't run, analyze"))
        self.assertEqual(first["class"], "data analysis")
        self.assertAlmostEqual(first["scores"][1]["score"], analysis)
        self.assertAlmostEqual(first["confidence"], analysis / (action + analysis))

    def test_help(self):
        status, text, errors = run("--help")
        self.assertEqual((status, errors), (0, ""))
        # Its example works, without what is said about the statements.
        example = text.split("to a line:\n\n")[1].split("\n\n")[0]
        write("rules", "\n".join(line[:28] for line in example.splitlines()))
        self.assertEqual(self.classify(stdin="rerun"), "action\t1.000\tstdin\n")
        self.assertEqual(self.classify(stdin="don't set up, but tell me why"), "question\t1.000\tstdin\n")

    def test_errors(self):
        self.refuse("there are no --rules", status=2)
        self.assertEqual(run("--speed")[0], 2)
        self.refuse("there-is-none: No such file", "--rules", "there-is-none")
        self.refuse("there-is-none: No such file", "--rules", "rules", "there-is-none")
        self.refuse("Is a directory", "--rules", ".")
        write("wrong", "class a\n1 b\nclas c\n")
        self.refuse("wrong: line 3: neither class", "--rules", "wrong")
        self.refuse("stdin: invalid UTF-8 at byte 1", "--rules", "rules", stdin="a\udcff")
        self.refuse("byte 1 is NUL", "--rules", "rules", stdin="a\0")


if __name__ == "__main__":
    LANEWISE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
