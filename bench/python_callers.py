#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python package against what its callers run today, and against the C library itself.

    python3 bench/python_callers.py [--rounds 15] [--data DIRECTORY] [--only WORD]

Needs NumPy; rank_bm25, json_repair, datasketch and networkx (with scipy) for their rows, which are left out without them, as
are those of JSON from services without --data (or LANEWISE_SHARED_DATA, or ../shared/data). Callers' own code is written anew
here by its rules: NumPy over lists of floats, blocks by regular expressions and md5, events by str.split and json.loads, secrets
by the built-in rules turned into expressions for re.

Contenders run in turn, round after round, in this process and on this thread; figures are medians of CPU time for a call and
of the rounds' ratios. Results are compared before they are timed.
"""

import argparse
import base64
import codecs
import hashlib
import json
import os
import pathlib
import random
import re
import statistics
import time

import compare_secrets
import numpy as np

import lanewise as lw
from lanewise._library import ffi, lib
from lanewise.compat import rank_bm25 as compat_bm25
from lanewise.compat import victor_native


def seconds(call, n):
    began = time.thread_time()
    for _ in range(n):
        call()
    return (time.thread_time() - began) / n


class Report:
    def __init__(self, rounds, only):
        self.rounds, self.only = rounds, only
        print(f"{'':46}{'they':>12}{'lanewise':>12}{'ratio':>9}{'goal':>8}")

    def row(self, name, theirs, ours, goal):
        """Ratio of their time to ours; with a goal of at most 2, of our time to theirs."""
        if self.only and self.only not in name:
            return
        calls = {}
        for call in (theirs, ours):
            call()
            calls[call] = max(1, int(0.004 / max(seconds(call, 3), 1e-8)))
        times = [(seconds(theirs, calls[theirs]), seconds(ours, calls[ours])) for _ in range(self.rounds)]
        overhead = goal is not None and goal <= 2
        ratio = statistics.median(b / a if overhead else a / b for a, b in times)
        they, we = (statistics.median(column) * 1e6 for column in zip(*times))
        wanted = "" if goal is None else f"{'<=' if overhead else '>='}{goal:g}"
        print(f"{name:46}{they:10.2f}us{we:10.2f}us{ratio:9.2f}{wanted:>8}", flush=True)


# ------------------------------------------------------------------ vectors


def cosines_of_lists(query, corpus):
    query, corpus = np.array(query, dtype=np.float32), np.array(corpus, dtype=np.float32)
    query = query / (np.linalg.norm(query) + 1e-9)
    corpus = corpus / (np.linalg.norm(corpus, axis=1, keepdims=True) + 1e-9)
    return np.dot(corpus, query).tolist()


def cosines_of_arrays(query, corpus):
    norm = np.linalg.norm(query)
    if norm == 0:
        return np.zeros(len(corpus), np.float32)
    norms = np.linalg.norm(corpus, axis=1)
    norms[norms == 0] = 1
    return np.clip(corpus @ query / (norms * norm), -1, 1)


def top_of_lists(query, corpus, k=10):
    scores = np.array(cosines_of_lists(query, corpus))
    best = np.argsort(scores)[::-1][:k]
    return [(int(i), float(scores[i])) for i in best]


def vectors(report):
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((1000, 384)).astype(np.float32)
    query = rng.standard_normal(384).astype(np.float32)
    row_lists, query_list = rows.tolist(), query.tolist()
    np.testing.assert_allclose(victor_native.batch_cosine_similarity(query_list, row_lists), cosines_of_lists(query_list, row_lists),
                               atol=1e-5)
    report.row("cosine, 1000 x 384, lists", lambda: cosines_of_lists(query_list, row_lists),
               lambda: victor_native.batch_cosine_similarity(query_list, row_lists), 20)
    report.row("np.array(lists) alone", lambda: np.array(row_lists, dtype=np.float32), lambda: lw.cosine(query_list, row_lists), None)
    report.row("cosine, 1000 x 384, arrays", lambda: cosines_of_arrays(query, rows), lambda: lw.cosine(query, rows), 3)
    report.row("top 10, 1000 x 384, lists", lambda: top_of_lists(query_list, row_lists),
               lambda: victor_native.top_k_similar(query_list, row_lists), None)
    report.row("cosine, 50 x 384, lists", lambda: cosines_of_lists(query_list, row_lists[:50]),
               lambda: victor_native.batch_cosine_similarity(query_list, row_lists[:50]), None)
    index = lw.Index(384)
    index.add(rows)
    report.row("Index.search, 1000 x 384, against 25 us", lambda: wait(25e-6), lambda: index.search(query, 10), 1)
    # What it costs that Python calls.
    out = np.empty(1000, np.float32)
    q, r, o = (ffi.cast("float *", array.ctypes.data) for array in (query, rows, out))
    report.row("dot, 384, against a bare cffi call", lambda: lib.lanewise_dot_f32(ffi.from_buffer("float[]", query),
                                                                                  ffi.from_buffer("float[]", rows[0]), 384),
               lambda: lw.dot(query, rows[0]), 1.5)
    report.row("hash, 100 bytes, against a bare cffi call", lambda: lib.lanewise_xxh3_64(ffi.from_buffer(SHORT), 100, 0),
               lambda: lw.xxh3_64(SHORT), 1.5)
    report.row("cosine, 1000 x 384, out, against C", lambda: lib.lanewise_cosine_f32_rows(q, r, 1000, 384, 384, o),
               lambda: lw.cosine(query, rows, out=out), 1.03)


SHORT = bytes(range(100))


def wait(duration):
    """CPU time of so many seconds."""
    end = time.thread_time() + duration
    while time.thread_time() < end:
        pass


# -------------------------------------------------------------------- words


def words_and_texts(n, length):
    rng = random.Random(2)
    vocabulary = [f"word{i}" for i in range(20000)]
    weights = [1 / (i + 1) for i in range(20000)]
    documents = [rng.choices(vocabulary, weights, k=length) for _ in range(n)]
    return documents, [" ".join(document) for document in documents]


def bm25(report):
    try:
        import rank_bm25
    except ImportError:
        print("rank_bm25 is not installed")
        return
    documents, texts = words_and_texts(10_000, 120)
    query = ["word3", "word70", "word700", "word2500", "word12000"]
    theirs, same, ours = rank_bm25.BM25Okapi(documents), compat_bm25.BM25Okapi(documents), lw.BM25(texts, variant="okapi", k1=1.5)
    np.testing.assert_array_equal(theirs.get_scores(query), same.get_scores(query))
    best = ours.search(" ".join(query), 10)
    np.testing.assert_allclose(best.score, np.sort(theirs.get_scores(query))[::-1][:10], rtol=1e-5)
    text = " ".join(query)
    report.row("BM25, 10k documents, all scores (compat)", lambda: theirs.get_scores(query), lambda: same.get_scores(query), 500)
    report.row("BM25, 10k documents, top 10", lambda: theirs.get_top_n(query, texts, 10), lambda: ours.search(text, 10), 500)
    report.row("BM25, 10k documents, top 10 (compat)", lambda: theirs.get_top_n(query, texts, 10), lambda: same.get_top_n(query, texts, 10),
               None)
    report.row("BM25, building, 1000 documents", lambda: rank_bm25.BM25Okapi([text.split() for text in texts[:1000]]),
               lambda: lw.BM25(texts[:1000]), None)


FENCE = re.compile(r"```[\s\S]*?```")


def blocks_by_regex(content, least=50):
    fences = FENCE.findall(content)
    for number, fence in enumerate(fences):
        content = content.replace(fence, f"\n\n\0{number}\0\n\n", 1)
    blocks = []
    for block in re.split(r"\n{2,}", content):
        if block.startswith("\0") and block.endswith("\0") and len(block) > 1:
            blocks.append(fences[int(block[1:-1])])
        elif block.strip():
            blocks.append(block)
    seen, found = set(), []
    for block in blocks:
        if len(block.strip()) < least:
            found.append(("", block, False))
            continue
        form = re.sub(r"\s+", " ", block.strip()).rstrip(".,;:").lower()
        name = hashlib.md5(form.encode()).hexdigest()[:12]
        found.append((name, block, name in seen))
        seen.add(name)
    return found


def blocks(report):
    rng = random.Random(3)
    paragraphs = [" ".join(rng.choices("the quick brown fox jumps over a lazy dog While Reading, some text.".split(), k=60))
                  for _ in range(150)]
    content = "\n\n".join(rng.choices(paragraphs, k=190) + ["```py\n" + "x = 1\n" * 50 + "```"] * 10)
    theirs, ours = blocks_by_regex(content), victor_native.rolling_hash_blocks(content)
    assert [(block, repeated) for _, block, repeated in theirs] == [(block, repeated) for _, block, repeated in ours]
    wanted = "\n\n".join(block for _, block, repeated in theirs if not repeated)
    options = {"collapse": True, "lower": True, "trim": True, "trim_punctuation": True, "whitespace": "unicode"}
    assert lw.unique_blocks(content, **options) == wanted
    report.row(f"block dedup, 200 blocks, {len(content) // 1000} kB, with hashes", lambda: blocks_by_regex(content),
               lambda: victor_native.rolling_hash_blocks(content), 100)
    report.row("the same, the text without duplicates",
               lambda: "\n\n".join(block for _, block, repeated in blocks_by_regex(content) if not repeated),
               lambda: lw.unique_blocks(content, **options), 100)


# --------------------------------------------------------------------- JSON


def content_by_split(pieces):
    decoder, rest, found = codecs.getincrementaldecoder("utf-8")(), "", []
    for piece in pieces:
        rest += decoder.decode(piece)
        *lines, rest = rest.split("\n")
        for line in lines:
            line = line.rstrip("\r")
            if line.startswith("data: ") and line[6:] != "[DONE]":
                choices = json.loads(line[6:]).get("choices")
                content = choices[0].get("delta", {}).get("content") if choices else None
                if content:
                    found.append(content)
    return "".join(found)


PATH = lw.json.Paths("choices[0].delta.content")


def content_by_lanewise(pieces):
    events = lw.json.Events(PATH, "", done="", skip=True)
    return "".join([content for piece in pieces for content in events.feed(piece) if content])


def text_by_lanewise(pieces):
    events = lw.json.Events(PATH, done="", skip=True)
    return "".join([events.feed_text(piece) for piece in pieces])


def documents_of_services(report, data):
    if not (data / "json").is_dir():
        print(f"no {data}/json")
        return
    stream = (data / "json" / "llm_stream.sse").read_bytes()[:300_000]
    for size in (1000, 16384):
        pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
        assert content_by_split(pieces) == content_by_lanewise(pieces)
        assert content_by_split(pieces) == text_by_lanewise(pieces)
        report.row(f"SSE, {stream.count(b'data:')} events in pieces of {size}", lambda: content_by_split(pieces),
                   lambda: content_by_lanewise(pieces), None)
        report.row("the same, the text at once", lambda: content_by_split(pieces), lambda: text_by_lanewise(pieces), 50)
    lines = (data / "json" / "llm_small200.ndjson").read_text(encoding="utf-8").splitlines()[:500]
    report.row("json.loads, 500 messages of 200 B", lambda: [json.loads(line) for line in lines],
               lambda: [lw.json.loads(line) for line in lines], None)
    twitter = (data / "json" / "twitter.json").read_bytes()
    report.row("json.loads, twitter.json", lambda: json.loads(twitter), lambda: lw.json.loads(twitter), None)
    report.row("one value of it by its path", lambda: json.loads(twitter)["statuses"][5]["user"]["name"],
               lambda: lw.json.find(twitter, "statuses[5].user.name"), None)
    try:
        import json_repair
    except ImportError:
        print("json_repair is not installed")
        return
    broken = json.loads((data / "json" / "malformed.json").read_text(encoding="utf-8"))[:60]
    report.row(f"JSON repair, 60 texts of {sum(map(len, broken)) // 60} characters", lambda: list(map(json_repair.repair_json, broken)),
               lambda: list(map(lw.json.repair, broken)), 200)


# ---------------------------------------------------------------- templates


def replaced(text, values):
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def templates(report):
    text = "You are an assistant.\n" + "".join("\n## {%s}\n{%s}\n%s" % (f"title{i}", f"body{i}", "Answer in one sentence. " * 20)
                                            for i in range(8))
    values = {f"{name}{i}": f"{name} {i}: some text" for i in range(8) for name in ("title", "body")}
    template = lw.Template(text)
    assert template.render(values) == text.format_map(values) == replaced(text, values)
    name = f"prompt of {len(text)} characters with 16 names"
    report.row(f"{name}, format_map", lambda: text.format_map(values), lambda: template.render(values), None)
    report.row(f"{name}, replace", lambda: replaced(text, values), lambda: template.render(values), None)
    report.row("prompt with 2 names, format_map", lambda: "Translate {text} to {to}.".format_map({"text": "bread", "to": "French"}),
               lambda short=lw.Template("Translate {text} to {to}."): short.render({"text": "bread", "to": "French"}), None)


# -------------------------------------------------------------------- bytes


def base64_of_bytes(report):
    data = random.Random(4).randbytes(1 << 20)
    text = base64.b64encode(data).decode()
    assert lw.b64encode(data) == text and lw.b64decode(text) == data
    report.row("base64, 1 MiB, encode", lambda: base64.b64encode(data).decode(), lambda: lw.b64encode(data), 8)
    report.row("base64, 1 MiB, decode", lambda: base64.b64decode(text), lambda: lw.b64decode(text), 8)
    short, short_text = data[:3000], base64.b64encode(data[:3000]).decode()
    report.row("base64, 3 kB, encode", lambda: base64.b64encode(short).decode(), lambda: lw.b64encode(short), None)
    report.row("base64, 3 kB, decode", lambda: base64.b64decode(short_text), lambda: lw.b64decode(short_text), None)


# ------------------------------------------------------------------ secrets


def secrets(report):
    scanner = lw.SecretScanner()
    names = {rule.name for rule in scanner.rules}
    rules = [rule for rule in compare_secrets.read_rules(scanner.builtin_rules()) if rule["name"] in names]
    expressions = [(rule["name"], re.compile(compare_secrets.expression_of(rule["shape"], rule["anchors"], True),
                                             re.I if rule["ignore_case"] else 0)) for rule in rules]
    # Program text: modules of Python's own, and a few secrets in them.
    modules = sorted(pathlib.Path(os.__file__).parent.glob("*.py"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in modules)[:100_000]
    text = text[:30_000] + "\nkey = AKIAZ7Q2LMN4P5RSTUVW\n" + text[30_000:] + "\ntoken ghp_" + "aB3dE6gH9k" * 3 + "LmN0pQ\n"

    def by_expressions(text):
        return [(name, match.start()) for name, expression in expressions for match in expression.finditer(text)]

    theirs, ours = by_expressions(text), [(secret.rule, secret.match_begin) for secret in scanner.scan(text) if secret.rule in
                                          {name for name, _ in expressions}]
    assert {"aws-access-key", "github-token"} <= {name for name, _ in ours} and set(ours) <= set(theirs), set(ours) - set(theirs)
    report.row(f"secrets, {len(expressions)} rules, {len(text) // 1000} kB of programs", lambda: by_expressions(text),
               lambda: scanner.scan(text), 20)
    together = re.compile("|".join(f"(?i:{e.pattern})" if e.flags & re.I else f"(?:{e.pattern})" for _, e in expressions))
    report.row("the same, all in one expression", lambda: list(together.finditer(text)), lambda: scanner.scan(text), 20)
    message = text[50_000:50_400]
    report.row("whether 400 characters have any", lambda: any(e.search(message) for _, e in expressions),
               lambda: scanner.any(message), 20)


# ---------------------------------------------------------- near duplicates


def near_duplicates(report):
    try:
        import datasketch
    except ImportError:
        print("datasketch is not installed")
        return
    _, texts = words_and_texts(100, 300)
    minhash = lw.MinHash(128)
    hashes = [lw.shingles(text) for text in texts]
    template = datasketch.MinHash(128, hashfunc=lambda value: value)
    values = [(row & np.uint64(0xFFFFFFFF)).tolist() for row in hashes]

    def of_hashes():
        signatures = []
        for row in values:
            sketch = template.copy()
            sketch.update_batch(row)
            signatures.append(sketch.digest())
        return signatures

    def of_texts():
        signatures = []
        for text in texts:
            words = text.lower().split()
            sketch = datasketch.MinHash(128)
            sketch.update_batch([" ".join(words[i : i + 3]).encode() for i in range(len(words) - 2)])
            signatures.append(sketch)
        return signatures

    # Both estimate the same similarity.
    one, two = of_hashes()[:2], [minhash.sign_hashes(row) for row in hashes[:2]]
    assert abs(np.mean(one[0] == one[1]) - minhash.similarity(*two)) < 0.15
    report.row("MinHash, 100 sets of 298 hashes, datasketch", of_hashes, lambda: [minhash.sign_hashes(row) for row in hashes],
               None)
    report.row("MinHash, 100 texts of 300 words, datasketch", of_texts, lambda: minhash.sign_many(texts), None)

    def first_of_each():
        index, first = datasketch.MinHashLSH(0.8, 128), []
        for number, sketch in enumerate(of_texts()):
            found = index.query(sketch)
            first.append(min(found, default=number))
            if not found:
                index.insert(number, sketch)
        return first

    assert first_of_each() == lw.near_duplicates(texts, 0.8).tolist() == list(range(100))
    report.row("near duplicates of these, with LSH", first_of_each, lambda: lw.near_duplicates(texts, 0.8), None)


# -------------------------------------------------------------------- graph


def graph(report):
    try:
        import networkx
        import scipy  # noqa: F401
    except ImportError:
        print("networkx or scipy is not installed")
        return
    rng = random.Random(5)
    edges = sorted({(rng.randrange(4000), int(4000 * rng.random() ** 3)) for _ in range(24_000)})
    theirs = networkx.DiGraph()
    theirs.add_nodes_from(range(4000))
    theirs.add_edges_from(edges)
    src, dst = (np.array(column, np.uint32) for column in zip(*edges))
    ours = lw.Graph(src, dst, n_nodes=4000)
    ranks = networkx.pagerank(theirs)
    np.testing.assert_allclose(ours.pagerank(), [ranks[i] for i in range(4000)], rtol=1e-6)
    report.row("PageRank, 4000 nodes, graph there", lambda: networkx.pagerank(theirs), lambda: ours.pagerank(), 50)
    report.row("PageRank, 4000 nodes, from edges", lambda: networkx.pagerank(networkx.DiGraph(edges)),
               lambda: lw.Graph(src, dst, n_nodes=4000).pagerank(), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    shared = os.environ.get("LANEWISE_SHARED_DATA") or pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path(shared))
    parser.add_argument("--only", help="rows whose name has this")
    arguments = parser.parse_args()
    report = Report(arguments.rounds, arguments.only)
    vectors(report)
    bm25(report)
    blocks(report)
    documents_of_services(report, arguments.data)
    templates(report)
    base64_of_bytes(report)
    secrets(report)
    near_duplicates(report)
    graph(report)


if __name__ == "__main__":
    main()
