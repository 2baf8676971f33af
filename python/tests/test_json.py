# SPDX-License-Identifier: Apache-2.0
"""lanewise.json against the standard library's json."""

import copy
import gc
import json
import os
import pathlib
import pickle
import sys
import threading

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise import json as lj

DATA = pathlib.Path(os.environ.get("LANEWISE_SHARED_DATA") or pathlib.Path(__file__).parents[3] / "shared" / "data") / "json"

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5), max_leaves=30)
NEARLY_JSON = st.lists(st.sampled_from(list('{}[]:," \\/\n') + ["true", "null", '"a"', '"ä\\n"', "-1", "0.5e3", "\\u00e4", "\\ud83d",
                                                              "\\ude00", "NaN", "1e999", "01", "😀", '{"a":', "],", "0"]),
                       max_size=14).map("".join)


def refuse(word):
    raise ValueError(word)


def expected(text):
    """What json.loads says, but for what lanewise.json refuses by RFC 8259; None if it is refused."""
    try:
        value = json.loads(text, parse_constant=refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:  # a lone surrogate is a UnicodeEncodeError, which is one
        return None
    return value, repr(value)


# -------------------------------------------------------------------- loads


@given(VALUES, st.booleans(), st.sampled_from([None, 0, 2]))
@settings(deadline=None, max_examples=200)
def test_loads_what_dumps_wrote(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    lj.validate(text)
    for given_as in (text, text.encode(), bytearray(text.encode()), memoryview(text.encode())):
        assert repr(lj.loads(given_as)) == repr(value)
    assert json.loads(lj.format(text)) == value == json.loads(lj.format(text, 3))
    assert lj.repair(text) == text


@given(NEARLY_JSON)
@example('{"a":1,"a":2}')
@example("[1e999,-1e999,-0,-0.0,1E+2]")
@example('"\\ud83d\\ude00\\ud83d"')
@example("123456789012345678901234567890")
@example("1234567890123456789")
@example("-123456789012345678")
@settings(deadline=None, max_examples=500)
def test_loads_is_the_standard_one(text):
    wanted = expected(text)
    if wanted is None:
        with pytest.raises(lj.JSONDecodeError) as caught:
            lj.loads(text)
        assert 0 <= caught.value.offset <= len(text)
        with pytest.raises(lj.JSONDecodeError) as caught_too:
            lj.validate(text)
        assert caught_too.value.offset == caught.value.offset
    else:
        assert repr(lj.loads(text)) == wanted[1]
        lj.validate(text)


@given(st.binary(max_size=30))
@settings(deadline=None)
def test_any_bytes(data):
    try:
        wanted = expected(data.decode())
    except UnicodeDecodeError:
        wanted = None
    try:
        value = lj.loads(data)
    except lj.JSONDecodeError:
        assert wanted is None
    else:
        assert wanted is not None and repr(value) == wanted[1]


def test_names_are_told_apart():
    """The cache of names: many, of all lengths, with long common beginnings and ends."""
    names = ["x" * i + str(i) + "y" * j for i in range(30) for j in range(0, 30, 3)] + [chr(i) for i in range(32, 3000, 7)] + [""]
    text = json.dumps([{name: name} for name in names], ensure_ascii=False)
    for _ in range(2):
        assert lj.loads(text) == [{name: name} for name in names]


def test_depth_and_size():
    deep = "[" * 1024 + "]" * 1024
    lj.loads(deep)
    with pytest.raises(ValueError):
        lj.loads("[" + deep + "]")
    value, depth = lj.loads("[" * 9000 + "]" * 9000, max_depth=9000), 0
    while value:
        value, depth = value[0], depth + 1
    assert depth == 8999
    lj.validate("[" * 8000 + "]" * 8000, max_depth=8000)
    big = json.dumps([{"name": i, "ä": [i / 7, None, "x" * (i % 50)]} for i in range(20000)], ensure_ascii=False)
    assert lj.loads(big) == json.loads(big)
    assert lj.loads("9" * 4300) == 10**4300 - 1
    with pytest.raises(ValueError, match="4300 digits"):
        lj.loads("9" * 5000)
    assert gc.isenabled()


@pytest.mark.parametrize("text, offset", [
    ('{"a": tru}', 6), ('"ää', 3), ("[1,]", 3), ("", 0), ("ä", 0), ('{"ä": "b\n"}', 8), ("[1 2]", 3), ("\ufeff1", 0)])
def test_errors_say_where(text, offset):
    with pytest.raises(json.JSONDecodeError) as caught:
        lj.loads(text)
    assert isinstance(caught.value, lw.DataError)
    assert (caught.value.offset, caught.value.pos) == (offset, offset)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.offset, again.lineno, again.colno) == (str(caught.value), offset, 1, offset + 1)


def test_errors_count_lines_and_bytes():
    with pytest.raises(lj.JSONDecodeError) as caught:
        lj.loads('{"ä": 1,\n "b": }'.encode())
    assert (caught.value.offset, caught.value.lineno, caught.value.colno) == (16, 2, 7)


def test_options():
    with pytest.raises(ValueError):
        lj.loads('"\\ud800"')
    assert lj.loads('"\\ud800x"', replace_surrogates=True) == "\ufffdx"
    with pytest.raises(ValueError):
        lj.loads("\ufeff[]")
    assert lj.loads("\ufeff[]", bom=True) == []
    with pytest.raises(ValueError, match="surrogate"):
        lj.loads('"\ud800"')
    for wrong in (1, None, ["[]"], object()):
        with pytest.raises(TypeError):
            lj.loads(wrong)
    with pytest.raises(TypeError):
        lj.loads()
    for depth in (-1, 2**32, 2**70):
        with pytest.raises(ValueError, match="max_depth"):
            lj.loads("[]", max_depth=depth)
        for call in (lambda: lj.find("[]", "a", max_depth=depth), lambda: lj.validate("[]", max_depth=depth),
                     lambda: lj.Partial(max_depth=depth), lambda: lj.repair("[]", max_depth=depth)):
            with pytest.raises(ValueError, match="max_depth"):
                call()
    with pytest.raises(ValueError):
        lj.format("[]", 99)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no {DATA}")
@pytest.mark.parametrize("name", ["canada", "citm_catalog", "embeddings_b64", "embeddings_f32", "github_events", "malformed", "mesh",
                                  "numbers", "random", "twitter", "twitterescaped"])
def test_real_files(name):
    data = (DATA / f"{name}.json").read_bytes()
    value = lj.loads(data)
    assert repr(value) == repr(json.loads(data))
    assert repr(lj.loads(data.decode())) == repr(value)
    assert repr(lj.loads(lj.format(data, 2))) == repr(value)


@pytest.mark.skipif(not (DATA.parent / "JSONTestSuite").is_dir(), reason=f"no {DATA.parent}/JSONTestSuite")
def test_the_test_suite():
    files = sorted((DATA.parent / "JSONTestSuite").rglob("*.json"))
    wanted = {"y": True, "n": False}
    n_checked = 0
    for file in files:
        if file.name[0] in wanted and file.name[1] == "_":
            n_checked += 1
            try:
                lj.loads(file.read_bytes())
                good = True
            except ValueError:
                good = False
            assert good == wanted[file.name[0]], file.name
    assert n_checked > 200


def test_threads():
    text = json.dumps([{"a": [i, "ä" * 9, {"b": i}]} for i in range(3000)])
    value, failures = json.loads(text), []

    def work():
        for i in range(5):
            if lj.loads(text) != value or lj.find(text, "[2999].a[2].b") != 2999:
                failures.append(i)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_references_are_given_back():
    """Objects of failed and of good calls alike."""
    big = '[{"abc": [1000.5, "text", {"d": "%s"}]}]' % ("\\n" * 600)
    calls = [lambda: lj.loads(big), lambda: lj.find(big, ["[0].abc[1]", "[0].abc[9]"], "no"), lambda: lj.loads('["a", "\\ud800"]'),
             lambda: lj.Paths("["), lambda: lj.Paths(["a", "b", 3]), lambda: lj.Events().feed("data: [1]\n\ndata: x\n\ndata: [2]\n\n"),
             lambda: lj.loads("[[1], {}, " + "9" * 5000 + "]")]

    def all_of_them(n):
        for _ in range(n):
            for call in calls:
                try:
                    call()
                except (ValueError, TypeError):
                    pass

    all_of_them(20)
    gc.collect()
    before, blocks = len(gc.get_objects()), sys.getallocatedblocks()
    all_of_them(200)
    gc.collect()
    assert abs(len(gc.get_objects()) - before) < 50
    assert abs(sys.getallocatedblocks() - blocks) < 200


# --------------------------------------------------------------------- find


def at(value, path):
    for step in path:
        value = value[step]
    return value


def paths_in(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, element in inner:
        yield from paths_in(element, (*path, step))


@given(VALUES)
@settings(deadline=None)
def test_find_by_pointer(value):
    text = json.dumps(value)
    paths = list(paths_in(value))
    pointers = ["".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path) for path in paths]
    found = lj.find(text, pointers)
    assert [repr(v) for v in found] == [repr(at(value, path)) for path in paths]
    assert repr(lj.find(text, pointers[-1])) == repr(at(value, paths[-1]))


def test_find():
    body = '{"choices": [{"delta": {"content": "hi"}}], "a": null}'
    assert lj.find(body, "choices[0].delta.content") == lj.find(body, "/choices/0/delta/content") == "hi"
    assert lj.find(body, "") == json.loads(body)
    assert lj.find(body, ["choices[1]", "a", "a.b", "x"], 7) == (7, None, 7, 7)
    paths = lj.Paths(["a", "choices[0].delta"])
    assert paths.find(body) == pickle.loads(pickle.dumps(paths)).find(body) == copy.copy(paths).find(body) == (None, {"content": "hi"})
    assert repr(paths) == "lanewise.json.Paths(('a', 'choices[0].delta'))"
    with pytest.raises(ValueError, match="path"):
        lj.Paths("a[")
    with pytest.raises(TypeError):
        lj.Paths([1])
    with pytest.raises(lj.JSONDecodeError):
        lj.find("{", "a")


# ------------------------------------------------------------------- repair


@given(st.text(max_size=60) | NEARLY_JSON)
@settings(deadline=None, max_examples=200)
def test_repair_makes_json_of_anything(text):
    repaired, edits = lj.repair_edits(text)
    value = lj.loads(repaired)
    assert lj.repair(text) == repaired and repr(lj.loads(text, repair=True)) == repr(value)
    assert bool(edits) == (repaired != text) or not edits
    rebuilt, at = [], 0
    for edit in edits:
        rebuilt += [text[at : edit.begin], edit.new]
        at = edit.end
    assert "".join([*rebuilt, text[at:]]) == repaired


def test_repair():
    assert lj.loads("Here: ```json\n{'a': [1, 2,], b: None\n```", repair=True) == {"a": [1, 2], "b": None}
    assert lj.loads("{'a': 'x\\ny', 'b': True}", repair=True) == {"a": "x\ny", "b": True}
    assert [e.kind for e in lj.repair_edits("[1 2]")[1]] == ["comma"]
    many = "[" + "1 " * 500 + "]"
    repaired, edits = lj.repair_edits(many)
    assert json.loads(repaired) == [1] * 500 and len(edits) == 499
    assert json.loads(lj.repair("[" * 500)) is not None
    assert lj.repair("") == "null"


def test_extract():
    text = 'x {"a": "ä"} yä [1, [2]] {'
    assert [s.text for s in lj.extract(text)] == ['{"a": "ä"}', "[1, [2]]"]
    assert [text[s.begin : s.end] for s in lj.extract(text)] == ['{"a": "ä"}', "[1, [2]]"]
    assert [text.encode()[s.begin : s.end].decode() for s in lj.extract(text.encode())] == ['{"a": "ä"}', "[1, [2]]"]
    assert len(lj.extract("[1] " * 300)) == 300
    assert lj.extract("[" * 100_000) == []


# ------------------------------------------------------------------ partial


def prefix_of(part, whole):
    """Whether a value may be the beginning of another."""
    if isinstance(whole, str):
        return isinstance(part, str) and whole.startswith(part)
    if isinstance(whole, list):
        return isinstance(part, list) and len(part) <= len(whole) and all(map(prefix_of, part, whole))
    if isinstance(whole, dict):
        return isinstance(part, dict) and all(k in whole and prefix_of(v, whole[k]) for k, v in part.items())
    return repr(part) == repr(whole)


@given(VALUES, st.integers(1, 20), st.booleans())
@settings(deadline=None)
def test_partial_values_are_beginnings(value, size, whole_strings):
    data = json.dumps(value, ensure_ascii=False).encode() + b" "
    partial = lj.Partial(whole_strings=whole_strings)
    for i in range(0, len(data), size):
        partial.feed(data[i : i + size])
        if partial.text:
            assert prefix_of(partial.value, value)
            assert repr(partial.find("")) == repr(partial.value) == repr(lj.loads(partial.text))
    assert partial.complete
    assert repr(partial.finish()) == repr(value)
    partial.reset()
    assert partial.value is None and partial.find(["a", "b"]) == (None, None) and not partial.complete


@example([b'"', b"\xc2"], False)
@given(st.lists(NEARLY_JSON.map(str.encode) | st.binary(max_size=12), max_size=6), st.booleans())
@settings(deadline=None, max_examples=200)
def test_partial_of_anything(pieces, numbers):
    partial, whole = lj.Partial(numbers=numbers), b""
    try:
        for piece in pieces:
            whole += piece
            partial.feed(piece)
            assert repr(partial.value) == repr(lj.loads(partial.text) if partial.text else None)
        value = partial.finish()
    except lw.DataError:
        with pytest.raises(lj.JSONDecodeError):
            lj.loads(b"".join(pieces))
        assert not partial.text or lj.loads(partial.text) == partial.value
    else:
        assert repr(value) == repr(lj.loads(whole))


@given(st.lists(st.binary(max_size=20) | st.sampled_from([b"data:", b"\n\n", b'{"a": 1}', b"\r", b"event: x\n", b": \xc3"]), max_size=10))
@settings(deadline=None, max_examples=200)
def test_events_of_anything(pieces):
    raw, events, paths = lw.EventStream(), lj.Events(skip=True, done="-"), lj.Events("a", "none", skip=True, done="-")
    n_raw = sum(len(raw.feed(piece)) for piece in pieces)
    values = [value for piece in pieces for value in events.feed(piece)]
    found = [value for piece in pieces for value in paths.feed(piece)]
    assert events.done or len(values) + events.n_skipped == n_raw
    assert found == [value.get("a", "none") if isinstance(value, dict) else "none" for value in values]


def test_partial():
    partial = lj.Partial()
    seen = []
    for piece in ['{"city": "Pa', 'ris", "days": 1', "2, ", '"ok": tr', "ue}"]:
        partial.feed(piece)
        seen.append(partial.value)
    assert seen == [{"city": "Pa"}, {"city": "Paris"}, {"city": "Paris", "days": 12}, {"city": "Paris", "days": 12},
                    {"city": "Paris", "days": 12, "ok": True}]
    assert partial.complete and partial.finish() == seen[-1] and repr(partial) == "<lanewise.json.Partial, complete>"
    numbers = lj.Partial(numbers=True)
    numbers.feed('{"days": 1')
    assert numbers.value == {"days": 1}
    with pytest.raises(lw.DataError):
        numbers.finish()
    assert numbers.value == {"days": 1}
    with pytest.raises(lw.DataError) as caught:
        numbers.feed("x")
    assert caught.value.offset == 10 and numbers.value == {"days": 1}
    small = lj.Partial(max_bytes=10)
    with pytest.raises(ValueError, match="max_bytes"):
        small.feed('"' + "x" * 20)
    with pytest.raises(ValueError):
        lj.Partial(max_bytes=2**63)


# ------------------------------------------------------------------- events

STREAM = "".join(f'data: {{"choices": [{{"delta": {{"content": {json.dumps(word)}}}}}]}}\n\n' for word in ["Gr", "ü", "ße", "", "!"])


@given(st.lists(st.integers(0, len(STREAM.encode()) + 20), max_size=8))
@settings(deadline=None)
def test_events_however_cut(cuts):
    data = (STREAM + ": comment\r\ndata: [DONE]\r\n\r\ndata: x\n\n").encode()
    cuts = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    events = lj.Events("choices[0].delta.content")
    assert [v for a, b in zip(cuts, cuts[1:]) for v in events.feed(data[a:b])] == ["Gr", "ü", "ße", "", "!"]
    assert events.done


def test_fences():
    text = "Grüße:\n```json\n{\"ü\": 1}\n```\n~~~\nx"
    json_fence, rest = lj.fences(text)
    assert json_fence == (15, 23, "json", '{"ü": 1}', True) and text[15:23] == json_fence.text
    assert (rest.language, rest.text, rest.closed) == ("", "x", False)
    assert len(lj.fences("```\n```\n" * 50)) == 50 and lj.fences(b"") == []


def test_events():
    assert lj.Events().feed(STREAM)[1] == {"choices": [{"delta": {"content": "ü"}}]}
    assert lj.Events(["choices[0].delta.content", "id"], "-").feed(STREAM)[0] == ("Gr", "-")
    assert lj.Events("choices[0].delta.content").feed_text(STREAM) == "".join(lj.Events("choices[0].delta.content", "").feed(STREAM))
    both = lj.Events(["id", "choices[0].delta.content"])
    assert both.feed_text('data: {"id": "a", "choices": [{"delta": {"content": "b\\n"}}]}\n\ndata: {"id": 1}\n') == "ab\n"
    assert both.feed_text("\ndata: [DONE]\n\n") == "" and both.done and both.feed_text("data: {}\n\n") == ""
    with pytest.raises(ValueError):
        lj.Events().feed_text("")
    long = lj.Events("x")
    assert long.feed("".join(f'data: {{"x": {json.dumps("é" * i)}}}\n\n' for i in range(900))) == ["é" * i for i in range(900)]
    assert lj.Events(["n", "o"]).feed('data: {"n": 12345678901234567890, "o": {"p": [1.5, true]}}\n\n') == [
        (12345678901234567890, {"p": [1.5, True]})]
    events = lj.Events(skip=True)
    assert events.feed("data: x\n\ndata: 1\n\ndata:\n\n") == [1] and events.n_skipped == 2
    with pytest.raises(lj.JSONDecodeError):
        lj.Events().feed("data: 1\n\ndata: x\n\ndata: 2\n\n")
    with pytest.raises(ValueError, match="max_bytes"):
        lj.Events(max_bytes=10).feed("data: " + "1" * 100)
    assert "Paths('a')" in repr(lj.Events("a"))


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no {DATA}")
@pytest.mark.parametrize("name", ["llm_stream.sse", "llm_stream_anthropic.sse"])
def test_real_events(name):
    data = (DATA / name).read_bytes()
    lines = [line[5:].strip() for line in data.replace(b"\r", b"").split(b"\n") if line.startswith(b"data:")]
    events = lj.Events(done="-")
    values = []
    wanted = [json.loads(line) for line in lines if line != b"[DONE]"]
    events = lj.Events(done="-", skip=True)
    for i in range(0, len(data), 5000):
        values += events.feed(data[i : i + 5000])
    assert values == wanted and events.n_skipped == lines.count(b"[DONE]")


# ---------------------------------------------------------------- dialects

DIALECTS = [
    ('{"a":}', {"a": None}, {"a": ""}, {"a": None}),
    ('{"a":1,"b":', {"a": 1}, {"a": 1, "b": ""}, {"a": 1, "b": None}),
    ('{"a":1,"b', {"a": 1}, {"a": 1}, {"a": 1, "b": None}),
    ("[tr", [True], ["tr"], ["tr"]),
    ("[NaN]", [None], [None], ["NaN"]),
    ("[undefined]", [None], ["undefined"], [None]),
    ("[007]", ["007"], [7], ["007"]),
    ('["a" + "b"]', ["ab"], ['a" + "b'], ["ab"]),
    ('Here: {"a":1} and {"b":2}', {"a": 1}, [{"a": 1}, {"b": 2}], {"a": 1}),
    ('{"a":1}\n{"b":2}', {"a": 1}, [{"a": 1}, {"b": 2}], [{"a": 1}, {"b": 2}]),
    ("no JSON", "no JSON", "", "no JSON"),
]


@pytest.mark.parametrize("text, ours, python, node", DIALECTS)
def test_dialects(text, ours, python, node):
    for dialect, wanted in (("lanewise", ours), ("json_repair", python), ("jsonrepair", node)):
        assert json.loads(lw.json.repair(text, dialect=dialect)) == wanted
        assert lw.json.repair_edits(text, dialect=dialect)[0] == lw.json.repair(text, dialect=dialect)


def test_dialect_as_json_repair():
    json_repair = pytest.importorskip("json_repair")
    for text, _, wanted, _ in DIALECTS:
        if text != "[NaN]":  # which json_repair leaves as it is
            assert json_repair.loads(text) == wanted


def victor(text):
    """What Victor does, escapes in single quotes mended."""
    out, i, quote = [], 0, ""
    while i < len(text):
        c = text[i]
        if quote:
            if c == "\\" and i + 1 < len(text):
                out.append("'" if quote == text[i + 1] == "'" else text[i : i + 2])
                i += 2
                continue
            out.append('"' if c == quote else '\\"' if c == '"' else c)
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
            out.append('"')
        else:
            word = next((word for word in ("True", "False", "None") if text.startswith(word, i)), None)
            if word:
                out.append({"True": "true", "False": "false", "None": "null"}[word])
                i += len(word)
                continue
            if not (c == "," and text[i + 1 :].lstrip(" \t\n\r")[:1] in ("}", "]")):
                out.append(c)
        i += 1
    return "".join(out)


@given(st.one_of(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(-9, 99), st.text("ab'\"\\é\n", max_size=4)),
                              lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("k'", max_size=2), inner, max_size=3),
                              max_leaves=6).map(repr), st.text("{}[]'\",: aTrue\\", max_size=10)))
def test_victor(text):
    try:
        json.loads(text)
        wanted = text
    except ValueError:
        wanted = victor(text)
    try:
        lw.json.validate(wanted)
    except ValueError:
        with pytest.raises(lw.json.JSONDecodeError):
            lw.json.repair(text, dialect="victor")
        with pytest.raises(lw.json.JSONDecodeError):
            lw.json.repair_edits(text, dialect="victor")
    else:
        assert lw.json.repair(text, dialect="victor") == wanted


def test_unknown_dialect():
    for function in (lw.json.repair, lw.json.repair_edits):
        with pytest.raises(ValueError, match="dialect"):
            function("{", dialect="other")
