#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lanewise scan from outside: secrets and patterns in trees, pipes and odd files, and its exit status.

Usage: test_scan_tool.py PATH-OF-LANEWISE
"""
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading

LANEWISE = None
failures = 0

# Not a token: made here, so that nobody's scanner of repositories takes this file for a leak.
GITHUB = "ghp_" + "aB3dE5gH7jK9mN1pQ2sT4vW6xY8zA0cD2eF4"
AWS = "AKIA" + "Q2W3E4R5T6Y7U2I3"


def expect(condition, *what):
    global failures
    if not condition:
        failures += 1
        print("FAILED:", *what, file=sys.stderr)


def run(*arguments, text="", status=0):
    if isinstance(text, str):
        text = text.encode()
    result = subprocess.run([LANEWISE, "scan", *arguments], input=text, capture_output=True, timeout=120)
    expect(result.returncode == status, arguments, "status", result.returncode, result.stderr)
    return result.stdout.decode(errors="replace"), result.stderr.decode()


def make_tree(root):
    files = {
        "a.txt": "nothing here\n",
        "b/c.py": f"x = 1\ntoken = '{GITHUB}'\n",
        "b/d.env": f"\n\nKEY={AWS}\n",
        ".hidden/e.txt": GITHUB,
        "bin.dat": f"\0\n{GITHUB}\n",
        "late.dat": "x" * 9000 + f"\0\n{GITHUB}\n",
        "empty": "",
        "deep/" * 40 + "f.txt": GITHUB,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    (root / "link").symlink_to(root / "b", target_is_directory=True)
    (root / "loop").symlink_to(root, target_is_directory=True)


def test_secrets(root):
    out, error = run("--secrets", str(root))
    expected = [f"{root}/b/c.py:2:10:github-token", f"{root}/b/d.env:3:5:aws-access-key",
                f"{root}/{'deep/' * 40}f.txt:1:1:github-token", f"{root}/late.dat:2:1:github-token"]
    expect(out.splitlines() == expected and not error, out, error)
    expect(GITHUB not in out and AWS not in out, "the secret itself is printed")
    out, _ = run("--secrets", "--hidden", "--binary", str(root) + "/")
    expect(len(out.splitlines()) == 6, out)
    out, error = run("--secrets", str(root / "bin.dat"), status=1)
    expect(out == "" and "binary" in error, out, error)
    out, _ = run("--secrets", "--count", str(root))
    expect(out == "3 github-token\n1 aws-access-key\n" or out == "1 aws-access-key\n3 github-token\n", out)
    out, _ = run("--secrets", "--count", "--json", str(root))
    expect(json.loads(out) == {"github-token": 3, "aws-access-key": 1}, out)
    out, _ = run("--secrets", "--json", str(root / "b"))
    found = [json.loads(line) for line in out.splitlines()]
    expect(found[0] == {"path": f"{root}/b/c.py", "line": 2, "column": 10, "offset": 15, "bytes": 40,
                        "type": "github-token"}, found)
    out, _ = run("--secrets", "--count", str(root / "link"))
    expect(len(out.splitlines()) == 2, "a link that is named is followed", out)


def test_status(root):
    run("--secrets", str(root / "a.txt"), status=1)
    run("--secrets", str(root / "empty"), status=1)
    out, error = run("--secrets", str(root / "missing"), str(root / "b"), status=2)
    expect("missing" in error and len(out.splitlines()) == 2, out, error)
    run(status=2)
    run("--secrets", "--patterns", "x", status=2)
    run("--secrets", "--word", status=2)
    run("--patterns", str(root / "a.txt"), "--mask", status=2)
    run("--secrets", "--mask", "--count", status=2)
    run("--nonsense", status=2)
    run("--patterns", str(root / "missing"), status=2)
    run("--patterns", str(root / "empty"), status=2)
    expect("Usage" in run("--help")[0], "help")


def test_pipes():
    out, _ = run("--secrets", text=f"a\n\n  {GITHUB}\r\n")
    expect(out == "stdin:3:3:github-token\n", out)
    out, _ = run("--secrets", "-", text=AWS)
    expect(out == "stdin:1:1:aws-access-key\n", out)
    run("--secrets", text="", status=1)
    text = f"a {GITHUB} b\xff\n{AWS}"
    out, _ = run("--secrets", "--mask", text=text)
    expect(out == "a " + "*" * 40 + " b\xff\n" + "*" * 20, out)
    out, _ = run("--secrets", "--redact", text=text)
    expect(out == "a [REDACTED:github-token] b\xff\n[REDACTED:aws-access-key]", out)
    out, _ = run("--secrets", "--redact", text=f"{AWS} " * 5000)
    expect(out == "[REDACTED:aws-access-key] " * 5000, "many", out[:200])
    out, _ = run("--secrets", "--mask", text="nothing")
    expect(out == "nothing", out)


def test_expressions(root):
    rules = root / "expressions.rules"
    rules.write_text("rule acme\n  anchor acme\n  regex (?<!x)acme[ :=]+(?!none)([a-z]+\\d)\\b\n  window 1 40\n"
                     "  true acme: ab1\n  false acme: none1\n")
    if "none in this build" in subprocess.run([LANEWISE, "info"], capture_output=True, text=True).stdout:
        _, error = run("--secrets", "--rules", str(rules), status=2)
        expect("line 3: rule acme" in error and "engine" in error, error)
        return
    out, _ = run("--secrets", "--rules", str(rules), text=f"acme = ab1 {GITHUB} xacme=ab1")
    expect(out == "stdin:1:8:acme\nstdin:1:12:github-token\n", out)
    out, _ = run("--secrets", "--rules", str(rules), "--redact", text="acme = ab1, acme")
    expect(out == "acme = [REDACTED:acme], acme", out)
    expect(run("--secrets", "--rules", str(rules), "--check")[0] == "2 examples hold\n", "examples")
    rules.write_text("rule own\n  anchor own-\n  regex own-(\n")
    _, error = run("--secrets", "--rules", str(rules), status=2)
    expect("line 3" in error and "expression" in error, error)
    # What cannot be decided is said, and everything else is found.
    rules.write_text("rule slow\n  anchor aa\n  regex (a+)+[b-c]\n")
    out, error = run("--secrets", "--rules", str(rules), text=f"{GITHUB} {'a' * 1000}", status=2)
    expect(out == "stdin:1:1:github-token\n" and "undecided" in error, out, error)


def test_rules(root):
    rules = root / "own.rules"
    rules.write_text("rule own\n  anchor own-\n  shape \\b < @ [0-9]{4} > \\b\n  true x own-%{4 0-9}\n  false own-%{5 0-9}\n")
    out, _ = run("--secrets", "--rules", str(rules), text=f"own-1234 {GITHUB}")
    expect(out == "stdin:1:1:own\nstdin:1:10:github-token\n", out)
    out, _ = run("--secrets", "--rules", str(rules), "--check")
    expect(out == "2 examples hold\n", out)
    expect("examples hold" in run("--secrets", "--check")[0], "the built-in rules")
    rules.write_text("rule own\n  anchor own-\n  shape @ [0-9\n")
    _, error = run("--secrets", "--rules", str(rules), status=2)
    expect("line 3" in error, error)
    rules.write_text("rule own\n  anchor own-\n  shape @ [0-9]\n  true own-x\n")
    _, error = run("--secrets", "--rules", str(rules), "--check", status=2)
    expect("line 4" in error, error)
    noise = "k9Xw2LqP7vRt4ZsB8nYc3HdF6gJmQeU1"
    run("--secrets", text=noise, status=1)
    expect(run("--secrets", "--entropy", text=noise)[0] == "stdin:1:1:high-entropy\n", "entropy")


def test_patterns(root):
    patterns = root / "words"
    patterns.write_text("cat\n\r\ncatalogue\r\ndog\n")
    text = "cat Cat\ncatalogue dogs\n"
    out, _ = run("--patterns", str(patterns), text=text)
    expect(out == "stdin:1:1:cat\nstdin:2:1:catalogue\nstdin:2:11:dog\n", out)
    out, _ = run("--patterns", str(patterns), "--ignore-case", "--word", text=text)
    expect(out == "stdin:1:1:cat\nstdin:1:5:cat\nstdin:2:1:catalogue\n", out)
    out, _ = run("--patterns", str(patterns), "--count", text=text * 1000)
    expect(out == "1000 cat\n1000 catalogue\n1000 dog\n", out)
    out, _ = run("--patterns", str(patterns), "--json", text="a\ndog")
    expect(json.loads(out) == {"path": "stdin", "line": 2, "column": 1, "offset": 2, "bytes": 3, "pattern": "dog"}, out)
    run("--patterns", str(patterns), text="bird", status=1)
    patterns.write_bytes(b"\x1b[1m\n")
    out, _ = run("--patterns", str(patterns), text=b"\x1b[1m")
    expect("\x1b" not in out, "control characters reach the terminal")


def test_ignore(root):
    files = ["a.txt", "a.log", "sub/b.log", "sub/keep.log", "sub/deep/c.txt", "build/d.txt", "sub/build/e.txt", "x/y/z/f.txt",
             "x/f.txt", "data1.csv", "dataA.csv", "#odd", "node/modules/g.txt", "git/h.txt"]
    tree = root / "ignored"
    for name in files:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(AWS)
    (tree / "git" / ".gitignore").write_text("h.txt\n")

    def left(lines, *options, sub=""):
        (tree / ".lanewiseignore").write_text(lines)
        (tree / "sub" / ".lanewiseignore").write_text(sub)
        out, _ = run("--secrets", *options, str(tree), status=0)
        return {line.split(":")[0][len(str(tree)) + 1:] for line in out.splitlines()}

    everything = set(files)
    expect(left("") == everything, left(""))
    for lines, gone in [
        ("*.log", {"a.log", "sub/b.log", "sub/keep.log"}),
        ("*.log\n!keep.log", {"a.log", "sub/b.log"}),
        ("/*.log", {"a.log"}),
        ("build/", {"build/d.txt", "sub/build/e.txt"}),
        ("/build", {"build/d.txt"}),
        ("sub/build\r\n", {"sub/build/e.txt"}),
        ("x/**/f.txt", {"x/y/z/f.txt", "x/f.txt"}),
        ("x/**", {"x/y/z/f.txt", "x/f.txt"}),
        ("**/deep", {"sub/deep/c.txt"}),
        ("x/*/f.txt", set()),
        ("x/*/*/f.txt", {"x/y/z/f.txt"}),
        ("data[0-9].csv", {"data1.csv"}),
        ("data[!0-9].csv  ", {"dataA.csv"}),
        ("dat?1.csv", {"data1.csv"}),
        ("\\#odd\n# a comment", {"#odd"}),
        ("#odd", set()),
        ("f.txt/", set()),
        ("[", set()),
        ("sub/\n!sub/keep.log", {"sub/b.log", "sub/keep.log", "sub/deep/c.txt", "sub/build/e.txt"}),
        ("*" * 200 + "q", set()),
        ("*a" * 60, set()),
    ]:
        expect(left(lines) == everything - gone, lines, everything - left(lines))
    expect(left("*.log", sub="!b.log") == everything - {"a.log", "sub/keep.log"}, "an inner list decides first")
    expect(left("*.log", "--no-ignore") == everything, "--no-ignore")
    expect(left("", "--exclude", "*.log", "--exclude", "/x/", sub="!b.log") ==
           everything - {"a.log", "sub/b.log", "sub/keep.log", "x/f.txt", "x/y/z/f.txt"}, "--exclude")
    expect(left("", "--gitignore") == everything - {"git/h.txt"}, "--gitignore")
    (tree / ".lanewiseignore").write_text("*")
    run("--secrets", str(tree), status=1)
    run("--secrets", str(tree / "a.txt"))
    run("--secrets", "--exclude", "a.txt", str(tree / "a.txt"))


def test_threads(root):
    tree = root / "many"
    for i in range(300):
        path = tree / f"{i % 7}" / f"{i}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n" * (i % 50) + f"x {AWS}\n" * (1 + i % 3 * 100))
    (tree / "0" / "large.txt").write_text(f"{GITHUB} and text\n" * 60000)
    one = run("--secrets", "--threads", "1", str(tree))[0]
    expect(len(one.splitlines()) == 300 + 100 * 300 + 60000, "lines", len(one.splitlines()))
    for threads in ("2", "7"):
        expect(run("--secrets", "--threads", threads, str(tree))[0] == one, threads, "threads")
    expect(run("--secrets", "--threads", "7", "--count", str(tree))[0] ==
           run("--secrets", "--threads", "1", "--count", str(tree))[0], "counts")
    masked = run("--secrets", "--threads", "1", "--redact", str(tree))[0]
    expect(run("--secrets", "--threads", "7", "--redact", str(tree))[0] == masked and AWS not in masked, "masks")
    for bad in ("0", "-1", "x", "1x", "1000", ""):
        run("--secrets", "--threads", bad, status=2)


def test_baseline(root):
    known = root / "known"
    text = f"a {GITHUB}\nb {AWS}\n"
    out, _ = run("--secrets", "--fingerprints", text=text)
    lines = out.splitlines()
    expect(len(lines) == 2 and all(len(line.split(" ")[0]) == 12 for line in lines), out)
    expect(json.loads(run("--secrets", "--fingerprints", "--json", text=text)[0].splitlines()[1])["fingerprint"] ==
           lines[1].split(" ")[0], "JSON")
    known.write_text("# known\n\n" + lines[1] + "\n")
    moved = "\n\n" + text.replace("b ", "elsewhere ")
    expect(run("--secrets", "--baseline", str(known), text=moved)[0] == "stdin:3:3:github-token\n", "baseline")
    known.write_text(out)
    run("--secrets", "--baseline", str(known), text=moved, status=1)
    known.write_text("nonsense\n")
    run("--secrets", "--baseline", str(known), text=moved, status=2)
    run("--secrets", "--baseline", str(root / "none"), text=moved, status=2)
    run("--secrets", "--baseline", str(known), "--mask", status=2)
    run("--patterns", str(known), "--fingerprints", status=2)


def test_large():
    """A pipe of some 240 MB through processes none of which ever has 150."""
    block = ("some prose about nothing in particular, with words and numbers such as 1234\n" * 14000).encode()
    for options, expected in ((["--secrets"], b"stdin:3080001:1:aws-access-key\n"), (["--secrets", "--mask"], None)):
        process = subprocess.Popen([LANEWISE, "scan", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        received = []
        reader = threading.Thread(target=lambda: received.append(drain(process.stdout)))
        reader.start()
        for _ in range(220):
            process.stdin.write(block)
        process.stdin.write(AWS.encode())
        process.stdin.close()
        reader.join()
        process.wait()
        n, tail = received[0]
        expect(process.returncode == 0, options, process.returncode)
        if expected:
            expect(tail == expected, tail)
        else:
            expect(n == 220 * len(block) + 20 and tail.endswith(b"1234\n" + b"*" * 20), n, tail[-40:])
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    expect(most < 150 << 10, "kilobytes of memory", most)


def drain(stream):
    n, tail = 0, b""
    while chunk := stream.read(1 << 16):
        n += len(chunk)
        tail = (tail + chunk)[-100:]
    return n, tail


def test_live():
    """What is safe of a pipe comes out before more goes in."""
    process = subprocess.Popen([LANEWISE, "scan", "--secrets", "--mask"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"first words, " + AWS[:12].encode())
    process.stdin.flush()
    expect(process.stdout.read(13) == b"first words, ", "live")
    process.stdin.write(AWS[12:].encode() + b" end")
    process.stdin.close()
    expect(process.stdout.read() == b"*" * 20 + b" end", "the rest")
    process.wait()


def test_unreadable(root):
    if os.geteuid() == 0:
        return
    locked = root / "locked"
    locked.mkdir()
    (locked / "x").write_text(GITHUB)
    locked.chmod(0)
    _, error = run("--secrets", str(root), status=2)
    locked.chmod(0o700)
    expect("locked" in error, error)


def main():
    global LANEWISE
    LANEWISE = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory) / "tree"
        root.mkdir()
        make_tree(root)
        test_secrets(root)
        test_status(root)
        test_unreadable(root)
        test_rules(pathlib.Path(directory))
        test_expressions(pathlib.Path(directory))
        test_patterns(pathlib.Path(directory))
        test_ignore(pathlib.Path(directory))
        test_threads(pathlib.Path(directory))
        test_baseline(pathlib.Path(directory))
    test_large()
    test_live()
    test_pipes()
    print("failed:" if failures else "passed", failures or "")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
