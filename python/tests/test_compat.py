# SPDX-License-Identifier: Apache-2.0
"""The adapters against small versions of upstream's rules in plain Python, and upstream's known defects."""

import base64
import json
import math
import re
import sys
import time
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise.compat import course_creator, hush, rank_bm25, sutra_storage, victor_native

# ---------------------------------------------------------------- rank_bm25

DOCUMENTS = st.lists(st.lists(st.sampled_from("a b c d e f".split()), max_size=8), min_size=1, max_size=12).filter(any)


def okapi(corpus, query, k1=1.5, b=0.75, epsilon=0.25):
    n, lengths = len(corpus), list(map(len, corpus))
    average = sum(lengths) / n
    words = dict.fromkeys(word for document in corpus for word in document)
    idf = {}
    for word in words:
        df = sum(word in document for document in corpus)
        idf[word] = math.log(n - df + 0.5) - math.log(df + 0.5)
    mean = sum(idf.values()) / len(idf)
    idf = {word: epsilon * mean if value < 0 else value for word, value in idf.items()}
    return [sum(idf.get(w, 0) * d.count(w) * (k1 + 1) / (d.count(w) + k1 * (1 - b + b * len(d) / average)) for w in query)
            for d in corpus]


@given(DOCUMENTS, st.lists(st.sampled_from("a b c d x".split()), max_size=5))
@settings(deadline=None)
def test_okapi_is_the_formula(corpus, query):
    bm25 = rank_bm25.BM25Okapi(corpus)
    scores = bm25.get_scores(query)
    assert scores.dtype == np.float64
    np.testing.assert_allclose(scores, okapi(corpus, query), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(bm25.get_scores(query), scores)
    assert bm25.get_batch_scores(query, [0]) == [scores[0]]
    top = bm25.get_top_n(query, list(range(len(corpus))), 3)
    single = scores.astype(np.float32)
    assert top == sorted(range(len(corpus)), key=lambda i: (-single[i], i))[:3]


@given(DOCUMENTS, st.lists(st.sampled_from("a b c d x".split()), max_size=5))
@settings(deadline=None, max_examples=50)
def test_all_are_rank_bm25s(corpus, query):
    upstream = pytest.importorskip("rank_bm25")
    for name in ("BM25Okapi", "BM25L", "BM25Plus"):
        ours, theirs = getattr(rank_bm25, name)(corpus), getattr(upstream, name)(corpus)
        np.testing.assert_allclose(ours.get_scores(query), theirs.get_scores(query), rtol=1e-14, atol=1e-300)
        assert ours.idf == theirs.idf and ours.avgdl == theirs.avgdl


def test_rank_bm25_at_the_edges():
    assert rank_bm25.BM25Okapi([]).get_scores(["a"]).tolist() == []
    assert rank_bm25.BM25Plus([[], []]).get_scores(["a"]).tolist() == [0, 0]
    assert rank_bm25.BM25L(["a b", "c"], tokenizer=str.split).get_top_n(["c"], ["x", "y"], 1) == ["y"]
    with pytest.raises(ValueError):
        rank_bm25.BM25Okapi([["a"]]).get_top_n(["a"], [])
    with pytest.raises(ValueError):
        rank_bm25.BM25Okapi([["a"]]).get_batch_scores(["a"], [1])


# ------------------------------------------------------------------- blocks


def normalized(block):
    spaces = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    text = re.sub(f"[{spaces}]+", " ", block).strip(" ")
    return "".join(c.lower() if c.isascii() else c for c in text).rstrip(".,;:")


def split(text):
    """Paragraphs, and fences; a fence that is not closed runs to the end."""
    blocks = []
    for part in re.split(r"(```[\s\S]*?(?:```|\Z))", text):
        blocks += [part] if part.startswith("```") else re.split(r"\n\n+", part)
    return [block for block in blocks if block.strip()]


TEXT = st.lists(st.sampled_from(["A b", " a  B.", "\n\n", "\n", "```", "x", "ä;", "\n\n\n"]), max_size=14).map("".join)


@given(TEXT, st.integers(0, 4))
@settings(deadline=None, max_examples=200)
def test_blocks(text, least):
    found = victor_native.rolling_hash_blocks(text, least)
    assert [block for _, block, _ in found] == split(text)
    seen = set()
    for name, block, repeated in found:
        if len(block.strip().encode()) < least:
            assert (name, repeated) == ("", False)
            continue
        form = normalized(block)
        assert victor_native.normalize_block(block) == form
        assert name == f"{lw.xxh3_64(form) & 0xFFFFFFFFFFFF:012x}"
        assert repeated == (form in seen)
        seen.add(form)
    assert victor_native.find_duplicate_blocks(text, least) == [(i, name) for i, (name, _, repeated) in enumerate(found) if repeated]


def test_blocks_that_upstream_hangs_on_or_loses():
    assert victor_native.rolling_hash_blocks("a\n\n```py\nx", 1)[-1][1] == "```py\nx"
    assert [b for _, b, _ in victor_native.rolling_hash_blocks("text before ```code``` after", 1)] == [
        "text before ", "```code```", " after"]
    assert victor_native.normalize_block("  Äb \n\x1cC .,;:") == "Äb \x1cc "
    assert victor_native.normalize_block(" \n") == ""


@given(st.lists(st.sampled_from(["one block here", "another block", "ä third one!", "short"]), max_size=12), st.integers(1, 30))
@settings(deadline=None)
def test_streaming_deduplicator(blocks, size):
    text = "\n\n".join(blocks)
    dedup = victor_native.StreamingDeduplicator(window_size=2, min_block_length=8)
    out = "".join(dedup.process_chunk(text[i : i + size]) for i in range(0, len(text), size)) + dedup.flush()
    window, kept = [], []
    for block in blocks:
        if len(block) < 8:
            kept.append(block)
        elif block not in window:
            kept.append(block)
            window = [*window, block][-2:]
    assert out.removesuffix("\n\n") == "\n\n".join(kept)
    assert dedup.duplicates_removed == len(blocks) - len(kept)


def test_signatures():
    sign = victor_native.compute_signature
    text = 'read:a="x\\"y",b=1,c=2.500000,d=null'
    assert sign("read", {"d": None, "c": 2.5, "b": 1, "a": 'x"y'}) == f"{lw.xxh3_128(text) & (2**64 - 1):016x}"
    assert sign("t", {"a": True}) != sign("t", {"a": 1}) and sign("t", {"a": True}, upstream=True) == sign("t", {"a": 1})
    assert sign("t", {"a": {"x": 1, "y": 2}}) == sign("t", {"a": {"y": 2, "x": 1}})
    assert sign("t", {"a": [1, {2}]}, upstream=True) == f"{lw.xxh3_128('t:a=[1, {2}]') & (2**64 - 1):016x}"
    assert victor_native.compute_batch_signatures([("t", {}), ("u", {"a": 1})]) == [sign("t", {}), sign("u", {"a": 1})]
    assert victor_native.signature_similarity("abcd", "abxx") == 0.5
    assert victor_native.signature_similarity("a", "ab") == 0 and victor_native.signature_similarity("a", "a") == 1


# --------------------------------------------------------------- similarity

RNG = np.random.default_rng(4)
ROWS = RNG.standard_normal((30, 16)).astype(np.float32)
UNIT = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
COSINES = UNIT.astype(float) @ UNIT.T.astype(float)


@pytest.mark.parametrize("rows", [ROWS.tolist(), ROWS], ids=["lists", "arrays"])
def test_similarity(rows):
    v = victor_native
    assert v.cosine_similarity(rows[0], rows[1]) == pytest.approx(COSINES[0, 1], abs=1e-6)
    np.testing.assert_allclose(v.batch_cosine_similarity(rows[0], rows), COSINES[0], atol=1e-6)
    np.testing.assert_allclose(v.similarity_matrix(rows[:3], rows), COSINES[:3], atol=1e-6)
    unit = v.batch_normalize_vectors(rows)
    np.testing.assert_allclose(unit, UNIT, atol=1e-6)
    np.testing.assert_allclose(v.batch_cosine_similarity_normalized(rows[0], unit), COSINES[0], atol=1e-6)
    order = np.argsort(-COSINES[0], kind="stable")[:5].tolist()
    assert [i for i, _ in v.top_k_similar(rows[0], rows, 5)] == [i for i, _ in v.top_k_similar_normalized(rows[0], unit, 5)] == order
    assert len(v.top_k_similar(rows[0], rows)) == 10 and len(v.top_k_similar(rows[0], rows, 99)) == 30
    assert v.top_k_similar(rows[0], rows, 0) == v.top_k_similar(rows[0], []) == v.batch_cosine_similarity(rows[0], []) == []
    assert v.cosine_similarity([], []) == 0.0 and v.cosine_similarity([0, 0], [1, 2]) == 0.0
    for call in (lambda: v.cosine_similarity([1.0], [1.0, 2.0]), lambda: v.batch_cosine_similarity([1.0], rows)):
        with pytest.raises(ValueError):
            call()
    distances = v.pairwise_distances(rows)
    np.testing.assert_allclose(distances, 1 - COSINES[np.triu_indices(30, 1)], atol=1e-6)
    graph = v.knn_graph(rows, 3)
    for i, (numbers, values) in enumerate(graph):
        wanted = [j for j in np.argsort(-COSINES[i], kind="stable").tolist() if j != i][:3]
        assert numbers == wanted
        np.testing.assert_allclose(values, 1 - COSINES[i, wanted], atol=1e-6)
    np.testing.assert_allclose(v.batch_matmul_vector(rows, rows[:2]), ROWS[:2] @ ROWS.T, rtol=1e-4, atol=1e-5)


def test_embedding_index():
    labels = [f"tool {i}" for i in range(30)]
    index = victor_native.EmbeddingIndex(ROWS[:29].tolist(), labels[:29])
    index.add(ROWS[29].tolist(), labels[29])
    assert (len(index), index.dim) == (30, 16)
    order = np.argsort(-COSINES[7], kind="stable").tolist()
    assert [label for label, _ in index.query(ROWS[7].tolist(), 4, -1)] == [labels[i] for i in order[:4]]
    assert all(score >= 0.2 for _, score in index.query(ROWS[7], 30, 0.2))
    np.testing.assert_allclose(index.similarities(ROWS[7]), COSINES[7], atol=1e-6)
    with pytest.raises(ValueError):
        index.query([1.0])
    with pytest.raises(ValueError):
        victor_native.EmbeddingIndex([[1.0]], [])
    assert len(victor_native.EmbeddingIndex([], [])) == 0 and victor_native.EmbeddingIndex([], []).query([1.0]) == []


def test_quantized_embeddings():
    v = victor_native
    quantized = v.batch_quantize_embeddings(ROWS.tolist())
    np.testing.assert_allclose(v.dequantize_embedding(quantized[0]), ROWS[0], atol=0.02)
    np.testing.assert_allclose(v.batch_quantized_cosine_similarity(quantized[0], quantized), COSINES[0], atol=0.02)
    assert v.quantized_cosine_similarity(v.quantize_embedding([0.0, 0.0]), v.quantize_embedding([1.0, 2.0])) == 0
    assert quantized[0].zero_point == 0


# --------------------------------------------------------------------- JSON


def test_json():
    v = victor_native
    assert json.loads(v.repair_json("{'a': 'x\\ny', 'b': True}")) == {"a": "x\ny", "b": True}
    assert v.repair_json('{"a": 1}') == '{"a": 1}'
    text = 'ä {"a": [1]} and [2]'
    assert v.extract_json_objects(text) == [(2, 12, '{"a": [1]}'), (17, 20, "[2]")]
    began = time.monotonic()
    assert v.extract_json_objects("[" * 200_000) == []
    assert time.monotonic() - began < 5
    assert v.batch_normalize_json_strings(["{'a': 1,}"]) == [('{"a": 1}', True)]
    assert v.is_valid_json("[]") and not v.is_valid_json("[")


# ---------------------------------------------------------- thinking filter

MARKED = st.lists(st.sampled_from([*victor_native._TOKENS, "a", "<", "</", "ß", "<|", "think>", "<｜begin"]), max_size=10).map("".join)


@given(MARKED, st.integers(1, 9), st.booleans())
@settings(deadline=None)
def test_streaming_filter(text, size, suppress):
    stream = victor_native.StreamingFilter(suppress)
    results = [stream.process_chunk(text[i : i + size]) for i in range(0, len(text), size)]
    state = stream.get_state()
    results.append(stream.flush())
    main, thinking = [], []
    inside = False
    for part in re.split("(" + "|".join(map(re.escape, victor_native._TOKENS)) + ")", text):
        is_start, is_end = part in victor_native._TOKENS[::2], part in victor_native._TOKENS[1::2]
        if is_start and not inside or is_end and inside:
            inside = is_start
        elif inside:
            thinking.append(part)
            if not suppress:
                main.append(part)
        else:
            main.append(part)
    assert "".join(result.content for result in results) == "".join(main)
    assert stream.get_thinking_length() == len("".join(thinking))
    assert state == ("in_thinking" if inside else "normal") == ("in_thinking" if results[-1].is_thinking else "normal")
    assert all(result.state_changed == (result.entering_thinking or result.exiting_thinking) for result in results)
    assert victor_native.extract_thinking_content(text)[1] == "".join(thinking)
    stripped = victor_native.strip_thinking_tokens(text)
    assert stripped == re.sub("|".join(map(re.escape, victor_native._TOKENS)), "", text)
    found = victor_native.find_thinking_tokens(text)
    assert [text[a:b] for a, b, _ in found] == [victor_native._TOKENS[i] for _, _, i in found]
    assert victor_native.contains_thinking_tokens(text) == bool(found)


def test_streaming_filter_aborts():
    stream = victor_native.StreamingFilter(max_thinking_content=5)
    stream.process_chunk("<think>12345")
    assert not stream.should_abort() and stream.get_abort_reason() is None
    stream.process_chunk("6")
    assert stream.should_abort() and "5 chars" in stream.get_abort_reason()
    stream.reset()
    assert not stream.should_abort() and stream.get_state() == "normal"


# ----------------------------------------------------------------- patterns


@given(st.lists(st.text("abAB", min_size=1, max_size=3), min_size=1, max_size=5, unique=True), st.text("abABcä", max_size=25),
       st.booleans())
@settings(deadline=None)
def test_pattern_matcher(patterns, text, fold):
    matcher = victor_native.PatternMatcher(patterns, fold)
    ordered = sorted(range(len(patterns)), key=lambda i: (-len(patterns[i]), i))
    flags = re.IGNORECASE if fold else 0
    wanted = [(m.group(), m.start(), m.end()) for m in re.finditer("|".join(patterns[i] for i in ordered), text, flags)]
    found = matcher.find_all(text)
    assert [(m.matched_text, m.start, m.end) for m in found] == wanted
    assert all((m.matched_text.lower() if fold else m.matched_text) == (patterns[m.pattern_idx].lower() if fold else patterns[m.pattern_idx])
               for m in found)
    numbers = list(dict.fromkeys(m.pattern_idx for m in found))
    assert matcher.matched_patterns(text) == numbers and matcher.matched_pattern_strings(text) == [patterns[i] for i in numbers]
    assert matcher.count_matches(text) == len(found) == sum(matcher.count_by_pattern(text).values())
    assert matcher.contains_any(text) == bool(found) == victor_native.contains_any_pattern(text, patterns, fold)
    assert victor_native.find_all_patterns(text, patterns, fold) == found
    assert matcher.replace_all(text, "-") == re.sub("|".join(patterns[i] for i in ordered), "-", text, flags=flags)
    weights = [2.0**i for i in range(len(patterns))]
    assert victor_native.weighted_pattern_score(text, patterns, weights, fold) == sum(weights[i] for i in numbers)
    assert victor_native.batch_contains_any([text, ""], patterns, fold) == [bool(found), False]


def test_patterns_at_the_edges():
    empty = victor_native.PatternMatcher([])
    assert empty.find_all("x") == [] and not empty.contains_any("x") and empty.count_matches("x") == 0 and empty.pattern_count() == 0
    assert victor_native.count_pattern_matches("abcd", ["ab", "abcd"]) == 1
    assert victor_native.get_matched_pattern_indices("abcd", ["abcd", "ab"]) == [1]
    matcher = victor_native.PatternMatcher(["a", "b"])
    assert matcher.get_pattern(1) == "b" and matcher.get_pattern(2) is None
    assert matcher.replace_all_with("abc", ["1", "2"]) == "12c"
    for call in (lambda: matcher.replace_all_with("a", []), lambda: victor_native.weighted_pattern_score("a", ["a"], [])):
        with pytest.raises(ValueError):
            call()


# ------------------------------------------------------------------- graphs

ADJACENCY = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefxy"), max_size=5), max_size=6)


def upstream_pagerank(adjacency, damping=0.85, iterations=100):
    n = len(adjacency)
    ranks = dict.fromkeys(adjacency, 1 / n) if n else {}
    for _ in range(iterations):
        ranks = {v: (1 - damping) / n + sum(damping * ranks[u] / len(others) for u, others in adjacency.items() for w in others if w == v)
                 for v in ranks}
    return ranks


@given(ADJACENCY)
@settings(deadline=None)
def test_pagerank_that_drops(adjacency):
    outside = any(w not in adjacency for others in adjacency.values() for w in others)
    wanted = pytest.approx(upstream_pagerank(adjacency), abs=1e-6 if outside else 1e-12)
    assert victor_native.pagerank(adjacency, tolerance=0, dangling="drop") == wanted


def test_pagerank_that_does_not():
    ranks = victor_native.pagerank({"a": ["b"], "b": [], "c": []}, tolerance=1e-12)
    assert ranks == pytest.approx({"a": 0.2597403, "b": 0.4805195, "c": 0.2597403}, abs=1e-6)
    assert sum(victor_native.pagerank({"a": ["b", "z"]}).values()) == pytest.approx(1)
    assert victor_native.pagerank({}) == {}
    weighted = victor_native.weighted_pagerank({"a": {"b": 3, "c": 1, "d": -1}, "b": {"a": 1}, "c": {"a": 1}, "d": {"a": 1}})
    assert weighted["b"] > weighted["c"] > weighted["d"]
    with pytest.raises(ValueError):
        victor_native.pagerank({}, dangling="x")


@given(ADJACENCY)
@settings(deadline=None)
def test_components_and_cycles(adjacency):
    nodes = {*adjacency, *(w for others in adjacency.values() for w in others)}
    components = victor_native.connected_components(adjacency)
    assert sorted(node for component in components for node in component) == sorted(nodes)
    where = {node: i for i, component in enumerate(components) for node in component}
    assert all(where[u] == where[v] for u, others in adjacency.items() for v in others)
    reach = {u: set(adjacency.get(u, ())) for u in nodes}
    for _ in nodes:
        reach = {u: others.union(*(reach[v] for v in others)) for u, others in reach.items()}
    cyclic = {u for u in nodes if any(u in reach[v] and v in reach[u] for v in nodes if v != u)}
    cycles = victor_native.detect_cycles(adjacency)
    for cycle in cycles:
        assert len(cycle) > 1 and all(b in adjacency[a] for a, b in zip(cycle, cycle[1:] + cycle[:1]))
    strong = {frozenset(v for v in cyclic if v in reach[u] and u in reach[v]) for u in cyclic}
    assert len(cycles) == len(strong) and all(any(set(cycle) <= s for cycle in cycles) for s in strong)


def test_graphs():
    path = {"a": ["b", "b"], "b": ["c"], "c": []}
    assert victor_native.betweenness_centrality(path) == {"a": 0, "b": 0.5, "c": 0}
    deep = {str(i): [str(i + 1)] for i in range(50_000)}
    assert victor_native.detect_cycles(deep) == []
    deep["50000"] = ["0"]
    assert len(victor_native.detect_cycles(deep)[0]) == 50_001
    assert [victor_native.count_lines(text) for text in ("", "a", "a\n", "a\nb")] == [0, 1, 2, 2]


# ----------------------------------------------------------- course creator


def test_course_creators_similarities():
    rows = np.concatenate([ROWS[:5], ROWS[:2] * 1.001, ROWS[5:9]])
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = unit @ unit.T
    found = course_creator.find_duplicates_fast(rows)
    assert [(i, j) for i, j, _ in found] == [(i, j) for i in range(11) for j in range(i + 1, 11) if cosines[i, j] >= 0.95]
    assert course_creator.deduplicate_embeddings(rows) == [i for i in range(11) if i not in {j for _, j, _ in found}]
    np.testing.assert_allclose(course_creator.compute_similarity_matrix(rows), cosines, atol=1e-6)
    np.testing.assert_allclose(course_creator.batch_cosine_similarity(rows[0], rows), cosines[0], atol=1e-6)
    assert course_creator.cosine_similarity([0, 0], [1, 2]) == 0
    assert course_creator.weighted_similarity([1, 0.5], [1, 3]) == 0.625 and course_creator.weighted_similarity([1], [0]) == 0


def test_course_creators_measures():
    c = course_creator
    assert (c.faithfulness("cats sleep", ["cats bark"]), c.faithfulness("cats sleep", ["cats bark"], numba=True)) == (0, 1)
    assert c.text_similarity("a b", "b c") == pytest.approx(1 / 3) and c.text_similarity("", "a") == 0
    assert c.answer_relevancy("what is it", "it is") == pytest.approx(0.7 * 2 / 3 + 0.3 * 2 / 6)
    assert c.context_precision("the cat", ["a cat", "dogs"]) == 0.5 and c.context_recall(["a"], None) == 1
    assert c.context_precision("", ["a b c", "x"], ["a b c"]) == 0.5 and c.context_recall(["a b c"], ["a b c", "x"]) == 0.5
    assert c.overall_score(1, 1, 1, 0) == pytest.approx(0.8)
    statistics = c.statistics([0.1, 0.9, 0.8, 0.7])
    assert statistics["mean"] == pytest.approx(0.625) and statistics["median"] == 0.75 and statistics["pass_rate"] == 0.75
    assert c.statistics([])["mean"] == 0


def test_course_creators_fusion():
    fused = course_creator.reciprocal_rank_fusion([[1, 2, 3], [3, 1]])
    assert [number for number, _ in fused] == [1, 3, 2]
    assert fused[0][1] == pytest.approx(1 / 60 + 1 / 61)
    weighted = dict(course_creator.weighted_fusion([[(1, 4.0), (2, 2.0)], [(2, 7.0)]]))
    assert weighted == {1: 0.5, 2: 0.5}


# --------------------------------------------------------------------- hush


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)))
@settings(deadline=None)
def test_times(moment):
    text = moment.isoformat()
    try:
        wanted = int(moment.timestamp() * 1_000_000_000)
    except OverflowError:
        return
    assert hush.datetime_to_ns(text, float_rounding=True) == wanted
    assert abs(hush.datetime_to_ns(text) - wanted) <= 1024
    exact = (moment - datetime(1970, 1, 1)) // datetime.resolution * 1000
    assert hush.datetime_to_ns(text + "Z") == hush.datetime_to_ns(text, naive=0) == exact
    assert hush.datetime_to_ns(text + "+02:00") == exact - 7200 * 10**9


def test_times_of_a_zone(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        for text in ("2024-07-01T12:00:00", "2024-01-01T12:00:00.123456"):
            assert hush.datetime_to_ns(text) // 1000 == round(datetime.fromisoformat(text).timestamp() * 1e6)
            assert hush.datetime_to_ns(text, float_rounding=True) == int(datetime.fromisoformat(text).timestamp() * 1e9)
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.binary(max_size=40), st.text("AQ= \n!", max_size=5))
@settings(deadline=None)
def test_hushs_base64(data, junk):
    text = base64.b64encode(data).decode()
    assert hush.encode_base64(data) == text and hush.data_url(data, "a/b") == f"data:a/b;base64,{text}"
    broken = text[:5] + junk + text[5:]
    try:
        wanted = base64.b64decode(broken)
    except ValueError:
        with pytest.raises(ValueError):
            hush.decode_base64(broken)
    else:
        assert hush.decode_base64(broken) == wanted


def test_chinese():
    assert [hush.contains_chinese(text) for text in ("", "abc", "ä日", "\u4dff", "\u9fff", "\ua000")] == [
        False, False, True, False, True, False]
    assert hush.contains_chinese([{"type": "image"}, {"type": "text", "text": "日"}])


def visit_order(rows):
    """Upstream's recursive order."""
    by_key = {}
    for row in rows:
        by_key.setdefault(f"{row['node']}:{row['ctx']}" if row["ctx"] else row["node"], row)
    out, visited = [], set()

    def visit(key):
        if key in visited:
            return
        visited.add(key)
        row = by_key[key]
        for parent in (f"{row['parent']}:{row['ctx']}" if row["ctx"] else row["parent"], row["parent"]):
            if row["parent"] is not None and parent in by_key:
                visit(parent)
                break
        out.append(row)

    for key in by_key:
        visit(key)
    return out


@given(st.lists(st.fixed_dictionaries({"node": st.sampled_from("abcde"), "ctx": st.sampled_from(["", "[0]", None]),
                                       "parent": st.sampled_from(["a", "b", "c", "z", None])}), max_size=10))
@settings(deadline=None, max_examples=200)
def test_order_of_spans(rows):
    assert list(map(id, hush.order_spans(rows))) == list(map(id, visit_order(rows)))


def test_deep_traces_and_fences():
    rows = [{"node": str(i), "parent": str(i + 1)} for i in range(20_000)]
    assert [row["node"] for row in hush.order_spans(rows)] == [str(i) for i in range(20_000)][::-1]
    assert hush.strip_fence("```json\n{}\n```\n") == "{}" and hush.strip_fence("```\n1\n2") == "1\n2" and hush.strip_fence(" x ") == "x"
    assert hush.parse_json("```json\n{'a': 1,}\n```") == {"a": 1}
    with pytest.raises(ValueError):
        hush.parse_json("{'a'}", repair=False)


def test_under_upstreams_names(monkeypatch):
    for module in (rank_bm25, victor_native, sutra_storage):
        monkeypatch.setitem(sys.modules, module.__name__.rpartition(".")[2], module)
    import victor_native as installed

    assert installed.normalize_block("A.") == "a"


# ---------------------------------------------- secrets, thoughts, chunks


def test_secrets_have_upstreams_names():
    text = 'id AKIAIOSFODNN7EXAMPLQ\nä password = "hunter2xyzzy99"\nghp_' + "a1B2c3D4e5F6" * 3 + "\n"
    found = victor_native.scan_secrets(text)
    kinds = [match.secret_type for match in found]
    assert {"aws_access_key", "generic_password"} <= set(kinds)
    for match in found:
        assert text[match.start : match.end] == match.matched_text
        assert match.line_number == 1 + text.count("\n", 0, match.start)
    order = victor_native.list_secret_patterns()
    assert kinds == sorted(kinds, key=order.index) and victor_native.get_secret_types(text) == list(dict.fromkeys(kinds))
    masked = victor_native.mask_secrets(text)
    assert "AKIA************MPLQ" in masked and "ä password" in masked and "hunter2xyzzy99" not in masked
    summary = victor_native.scan_secrets_summary(text)
    assert summary["has_secrets"] and summary["total_matches"] == len(found) == sum(summary["by_severity"].values())
    assert victor_native.has_secrets(text) and not victor_native.has_secrets("nothing here")
    assert victor_native.scan_secrets_summary("") == {"total_matches": 0, "has_secrets": False, "by_type": {}, "by_severity": {}}


def test_all_kinds_of_secrets_that_upstream_has():
    names = "aws_access_key aws_secret_key openai_api_key openai_api_key_v2 anthropic_api_key google_api_key github_token github_oauth " \
            "slack_token slack_webhook discord_token private_key database_url generic_api_key generic_password jwt_token stripe_key " \
            "twilio_sid sendgrid_key heroku_api_key"
    assert set(victor_native.list_secret_patterns(upstream_only=True)) == set(names.split())
    npm = "npm_" + "a1B2c3D4e5F6" * 3
    assert victor_native.get_secret_types(npm) == ["npm_token"] and victor_native.scan_secrets(npm, upstream_only=True) == []


def test_thoughts_in_circles():
    detector = victor_native.ThinkingDetector()
    for time in (1, 2, 3):
        is_loop, advice = detector.record_thinking("Analyzing the auth  module")
        assert is_loop == (time == 3) and is_loop == ("LOOP DETECTED" in advice)
    assert detector.record_thinking("Let me read the file") == (False, "")
    assert detector.record_thinking("Let me check the code") == (True, victor_native._LOOPS["stall"].format(2, 0) +
                                                                 victor_native._category("")[1])
    stats = detector.get_stats()
    assert (stats["total_analyzed"], stats["loops_detected"], stats["exact_matches"], stats["stalling_detected"]) == (5, 2, 1, 1)
    detector.reset()
    detector.clear_stats()
    assert detector.get_stats()["history_size"] == 0 and detector.get_stats()["detection_rate"] == 0.0
    assert victor_native.detect_circular_phrases("So LET ME CHECK it") and not victor_native.detect_circular_phrases("the letter")
    assert victor_native.count_circular_patterns("let me check, i need to read") == 2


LINES = st.lists(st.sampled_from(["a", "bb ", "ä", "\n", "\n", "long words here", "\U0001f600"]), max_size=30).map("".join)


@given(LINES, st.integers(1, 12), st.integers(0, 11))
@settings(deadline=None)
def test_chunks_of_lines(text, size, overlap):
    if overlap >= size:
        with pytest.raises(ValueError):
            victor_native.chunk_with_overlap(text, size, overlap)
        return
    chunks, end = victor_native.chunk_with_overlap(text, size, overlap), 0
    for number, chunk in enumerate(chunks):
        assert chunk.chunk_index == number and chunk.text == text[chunk.start_offset : chunk.end_offset] and chunk.text
        assert len(chunk.text) <= size and chunk.overlap_prev <= overlap
        assert chunk.start_offset + chunk.overlap_prev == end
        assert chunk.start_line == victor_native.line_at_offset(text, chunk.start_offset)
        assert chunk.end_line == victor_native.line_at_offset(text, chunk.end_offset - 1)
        end = chunk.end_offset
    assert end == len(text)
    assert [chunk.strip() for chunk in victor_native.chunk_by_chars(text, size, overlap)] == victor_native.chunk_by_chars(text, size, overlap)
    starts = victor_native.find_line_boundaries(text)
    assert starts == [i for i in range(len(text)) if i == 0 or text[i - 1] == "\n"]


def test_chunks_that_upstream_dies_of():
    text = "Ä. Ö é. " * 50
    assert "".join(victor_native.chunk_by_sentences(text, 40, 0)).replace(" ", "") == text.replace(" ", "")
    assert victor_native.chunk_by_paragraphs("é" * 30 + "\n\n" + "ü" * 30, 31, 7) == ["é" * 30, "ü" * 30]
    assert victor_native.count_tokens_fast("some words, here") == lw.text_tokens("some words, here")


def test_random_projection_keeps_lengths():
    rows = np.random.default_rng(1).standard_normal((40, 300)).astype(np.float32)
    projected = np.array(victor_native.random_projection(rows, 100))
    assert projected.shape == (40, 100)
    assert 0.9 < np.linalg.norm(projected) / np.linalg.norm(rows) < 1.1
    assert victor_native.random_projection(rows, 100) == projected.tolist()
    with pytest.raises(ValueError):
        victor_native.random_projection(rows, 0)


# -------------------------------------------------------------------- sutra

A, B, C = "a" * 32, "b" * 32, "c" * 16


def test_graph_store_keeps_everything(tmp_path):
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((300, 64)).astype(np.float32)
    with sutra_storage.GraphStore(tmp_path / "store", vector_dimension=64) as store:
        for number, row in enumerate(rows):
            store.add_vector(f"{number:032x}", row)
        store.add_concept(A, "Cats are Mammals", rows[0], confidence=0.5)
        store.add_concept(C, "cats and dogs")
        store.add_association(A, C, 0.25, 3)
        store.add_association(C, A, 0.75, 1)
        store.add_association(A, A)
        store.train_quantizer(list(rows))
        near, stats = store.approximate_distance(A, f"{1:032x}"), store.stats()
        assert (stats["total_vectors"], stats["total_concepts"], stats["total_edges"], stats["total_words"]) == (301, 302, 2, 5)
        assert stats["compression_ratio"] == 32 and stats["quantizer_trained"]
    again = sutra_storage.GraphStore(tmp_path / "store")
    assert again.stats() == stats and again.list_concepts() == store.list_concepts()
    np.testing.assert_array_equal(again.get_vector(f"{7:032x}"), rows[7])
    assert again.get_neighbors(A) == [C, A] and again.get_neighbors(C) == [A]
    assert again.get_association(A, C) == sutra_storage.Association(C, A, 0.75, 1)
    assert again.search_text("the CATS") == [A, C] and again.search_text("cats mammals") == [A] and again.search_text("unknown") == []
    assert again.get_concept(A) == store.get_concept(A) and again.get_concept(A).confidence == 0.5
    created = again.get_concept(A).created
    assert again.get_concepts_in_range(created - 60, created + 60) == [A, C] and again.get_concepts_in_range(0, 1) == []
    assert again.search(rows[7], 1)[0][0] == f"{7:032x}"
    assert again.approximate_distance(A, f"{1:032x}") == pytest.approx(near, rel=1e-6)
    assert again.distance(A, A) == pytest.approx(0, abs=1e-6)
    again.remove_concept(A)
    assert again.get_neighbors(C) == [] and again.get_vector(A) is None and again.search_text("mammals") == []
    assert not again.has_concept(A) and again.stats()["total_edges"] == 0
    again.add_vector(B, rows[3])  # takes the place that became free
    assert len(again._index) == 301 and [name for name, _ in again.search(rows[3], 2)] == [f"{3:032x}", B]


def test_graph_store_distances_and_mistakes(tmp_path):
    store = sutra_storage.GraphStore(tmp_path, vector_dimension=4, use_compression=False)
    store.add_vector(A, [1, 0, 0, 0])
    store.add_vector(B, [0, 1, 0, 0])
    store.add_vector("0" * 32, [0, 0, 0, 0])
    assert store.distance(A, B) == 1 and store.distance(A, "0" * 32) == 1
    for bad in ("xyz", "a" * 31, "a" * 20, "", 5, "aa " * 8):
        with pytest.raises(ValueError, match="concept id"):
            store.add_association(A, bad)
    assert store.list_concepts() == [A, B, "0" * 32]
    with pytest.raises(KeyError):
        store.distance(A, C)
    with pytest.raises(ValueError):
        store.add_vector(C, [1, 2])
    with pytest.raises(ValueError):
        store.train_quantizer([[0, 0, 0, 0]] * 300)
    with pytest.raises(ValueError):
        store.approximate_distance(A, B)
    assert not store.has_concept(C)
    store.save()
    whole = (tmp_path / "store.npz").read_bytes()
    for damaged in (b"", b"nonsense", whole[: len(whole) // 2], whole.replace(b'"format": 1', b'"format": 7')):
        (tmp_path / "store.npz").write_bytes(damaged)
        with pytest.raises(ValueError, match="store.npz"):
            sutra_storage.GraphStore(tmp_path)


STEPS = st.lists(st.tuples(st.sampled_from(["vector", "text", "edge", "drop", "unvector", "reopen"]), st.integers(0, 4), st.integers(0, 4)),
                 max_size=25)


@given(STEPS)
@settings(deadline=None, max_examples=40)
def test_graph_store_is_dictionaries(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("store")
    store = sutra_storage.GraphStore(path, 3)
    names, vectors, texts, edges = [f"{i:016x}" for i in range(5)], {}, {}, {}
    for step, a, b in steps:
        if step == "vector":
            store.add_vector(names[a], [a, b, 1])
            vectors[a] = [a, b, 1]
        elif step == "text":
            store.add_concept(names[a], f"w{b} w{a}")
            texts[a] = {f"w{b}", f"w{a}"}
        elif step == "edge":
            store.add_association(names[a], names[b])
            edges[min(a, b), max(a, b)] = None
        elif step == "unvector":
            store.remove_vector(names[a])
            vectors.pop(a, None)
        elif step == "drop":
            store.remove_concept(names[a])
            vectors.pop(a, None)
            texts.pop(a, None)
            edges = {pair: None for pair in edges if a not in pair}
        else:
            store.save()
            store = sutra_storage.GraphStore(path)
    for a in range(5):
        vector = store.get_vector(names[a])
        assert (None if vector is None else vector.tolist()) == vectors.get(a)
        assert set(store.get_neighbors(names[a])) == {names[x + y - a] for x, y in edges if a in (x, y)}
        assert set(store.search_text(f"w{a}")) == {names[i] for i, words in texts.items() if f"w{a}" in words}
    assert {name for name, _ in store.search([1, 1, 1], 5)} == {names[a] for a in vectors}
