# SPDX-License-Identifier: Apache-2.0
"""Chunks by content, against the published algorithm, and passages of text."""

import io
import pickle
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise import _library

RNG = random.Random(11)
DATA = RNG.randbytes(300_000) + bytes(50_000) + b"the same words again and again, " * 3000
SMALL = {"min_size": 64, "average_size": 256, "max_size": 1024}


@pytest.fixture(params=[True, False], ids=["numpy", "no numpy"])
def numpy_or_not(request, monkeypatch):
    if not request.param:
        monkeypatch.setattr(_library, "_numpy", False)


# ------------------------------------------------------------- by content


M64 = 2**64 - 1


def mixed(state):
    """SplitMix64's next output."""
    z = (state + 0x9E3779B97F4A7C15) & M64
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & M64
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & M64
    return z ^ z >> 31


def lanewise1(data, least, average, most, level, key):
    """The definition at the top of lanewise/chunk.h, byte for byte."""
    outputs = [mixed((key ^ 0x6C616E6577697365) + i * 0x9E3779B97F4A7C15 & M64) for i in range(5)]
    m1, m2, m3 = (output & 0xFFFF | 1 for output in outputs[:3])
    start, factor = outputs[3], outputs[4] | 1
    d = (average - least) * (65536, 60114, 60710, 62396)[level] // 65536
    strict = -(-65536 // (d << level))
    threshold = min(2**48 // ((d << level) * strict), 2**32)
    ends, begin = [], 0
    while begin < len(data):
        chunk = data[begin : begin + most]
        numbers = np.frombuffer(chunk, np.uint8).astype(np.uint32)
        w = numbers.copy()
        w[1:] = numbers[:-1] + 256 * numbers[1:]

        def shifted(values, by):
            return np.concatenate([np.zeros(min(by, len(values)), np.uint32), values[:-by] if by < len(values) else values[:0]])

        a = (m1 * w + shifted(w, 2)) & 0xFFFF
        b = (m2 * a + shifted(a, 4)) & 0xFFFF
        c = (m3 * b + shifted(b, 8) + 32768) & 0xFFFF
        end = len(chunk)
        for i in range(least - 1, len(chunk)):
            limit = strict if i + 1 <= least + d else strict << 2 * level
            if c[i] >= limit or len(set(chunk[i - 31 : i + 1])) == 1:
                continue
            h = start
            for word in range(4):
                at = i - 31 + 8 * word
                h = (h ^ int.from_bytes(chunk[at : at + 8], "little")) * factor & M64
                h ^= h >> 32
            if h >> 32 < threshold:
                end = i + 1
                break
        begin += end
        ends.append(begin)
    return ends


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("key", [0, 12345678901234567890])
def test_our_own_cuts_are_the_definition(level, key):
    data = DATA[280_000:360_000]
    assert lw.Chunker("lanewise1", 64, 256, 1024, level, key).ends(data).tolist() == lanewise1(data, 64, 256, 1024, level, key)


@given(st.binary(max_size=3000), st.sampled_from(["lanewise1", "fastcdc2020"]), st.integers(0, 3), st.integers(0, 2**64 - 1), st.data())
@settings(deadline=None, max_examples=150)
def test_pieces_and_files_are_the_whole(data, method, level, key, draw):
    data *= draw.draw(st.sampled_from([1, 1, 3]))
    chunker = lw.Chunker(method, **SMALL, level=level, key=key)
    ends = chunker.ends(data).tolist()
    sizes = [end - begin for begin, end in zip([0, *ends], ends)]
    assert sum(sizes) == len(data) and all(64 <= size <= 1024 for size in sizes[:-1]) and all(1 <= size <= 1024 for size in sizes)
    assert b"".join(chunker.chunks(data)) == data and [len(chunk) for chunk in chunker.chunks(data)] == sizes
    stream = chunker.stream()
    for _ in range(2):
        cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=4)))
        found = []
        for begin, end in zip([0, *cuts], [*cuts, len(data)]):
            found += stream.feed(data[begin:end])
        assert found + stream.finish() == ends
    stream.feed(data)
    stream.reset()
    assert stream.feed(data) + stream.finish() == ends
    assert list(chunker.read(io.BytesIO(data))) == chunker.chunks(data)
    assert pickle.loads(pickle.dumps(chunker)).ends(data).tolist() == ends


def test_files_of_many_reads(tmp_path, numpy_or_not):
    class Slow:
        """Gives a few bytes at a time."""

        def __init__(self):
            self.at = 0

        def read(self, n):
            self.at += 7001
            return DATA[self.at - 7001 : self.at]

    (tmp_path / "data").write_bytes(DATA * 9)
    for method in ("lanewise1", "fastcdc2020"):
        chunker = lw.Chunker(method)
        assert list(chunker.read(Slow())) == chunker.chunks(DATA)
        with open(tmp_path / "data", "rb") as file:
            assert list(chunker.read(file)) == chunker.chunks(DATA * 9)
        tiny = lw.Chunker(method, **SMALL, level=0)  # more chunks than fit in one batch
        assert len(tiny.chunks(DATA)) > 1024 and list(tiny.read(io.BytesIO(DATA))) == tiny.chunks(DATA)
        assert list(chunker.ends(bytes(10**6))) == [*range(65536, 10**6, 65536), 10**6]
    with pytest.raises(TypeError, match="text"):
        list(lw.Chunker().read(io.StringIO("text")))
    assert list(lw.Chunker().read(io.BytesIO())) == [] and list(lw.Chunker().ends(b"")) == []


def test_an_edit_moves_few_cuts():
    for method in ("lanewise1", "fastcdc2020"):
        chunker = lw.Chunker(method)
        before = {bytes(chunk) for chunk in chunker.chunks(DATA)}
        after = {bytes(chunk) for chunk in chunker.chunks(DATA[:100_000] + b"edit" + DATA[100_000:])}
        assert len(after - before) <= 3 and len(before) > 10


def test_fastcdc_is_that_method():
    assert list(lw.fastcdc(DATA)) == list(lw.Chunker("fastcdc2020").ends(DATA))
    assert list(lw.fastcdc(DATA, seed=1)) != list(lw.fastcdc(DATA))
    assert list(lw.fastcdc(DATA, 64, 256, 1024)) == list(lw.Chunker("fastcdc2020", **SMALL).ends(DATA))


@pytest.mark.parametrize("options", [
    {"method": "x"}, {"min_size": 63}, {"min_size": -1}, {"average_size": 2**32}, {"average_size": 100}, {"max_size": 10**9}, {"level": 4},
    {"level": -1}, {"key": -1}, {"key": 2**64}, {"min_size": 20000}, {"max_size": 16384},
])
def test_what_chunkers_refuse(options):
    with pytest.raises(ValueError):
        lw.Chunker(**options)


# -------------------------------------------------------------- passages

PIECES = st.lists(st.sampled_from(["a", "word", "Ünd", "日本", "。", ". ", "! ", "? ", "\n", "\n\n", " ", "e.g. ", "Dr. ", "3", "—", "\U0001f600"]),
                  max_size=60).map("".join)


@given(PIECES, st.integers(1, 40), st.data(), st.sampled_from(["characters", "lines", "sentences", "paragraphs"]), st.booleans(),
       st.booleans())
@settings(deadline=None, max_examples=400)
def test_passages_are_the_text(text, size, draw, unit, trim, single):
    overlap = draw.draw(st.integers(0, size - 1))
    chunker = lw.TextChunker(size, overlap, unit, trim=trim, single=single)
    chunks = chunker.chunks(text)
    assert chunker.split(text) == [chunk.text for chunk in chunks] == lw.chunk_text(text, size, overlap, unit, trim=trim, single=single)
    before = 0
    for i, chunk in enumerate(chunks):
        assert chunk.text == text[chunk.begin : chunk.end] and 1 <= len(chunk.text) <= size
        assert chunk.begin <= chunk.fresh <= chunk.end and chunk.fresh - chunk.begin <= overlap
        assert chunk.fresh >= before and (trim or chunk.fresh == before) and not text[before : chunk.fresh].strip()
        assert not trim or chunk.text == chunk.text.strip()
        assert i == 0 or chunk.begin > chunks[i - 1].begin
        before = chunk.end
    assert not text[before:].strip() if trim else before == len(text)
    if unit == "lines" and single and size == 40:
        whole = [line.strip() if trim else line for line in text.split("\n") if len(line) < 40]
        assert all(any(line in chunk.text for chunk in chunks) for line in whole if line.strip())
    data = text.encode()
    for chunk, again in zip(chunks, chunker.chunks(data), strict=True):
        assert again.text == data[again.begin : again.end] == chunk.text.encode()
        assert again.fresh == len(text[: chunk.fresh].encode())
    assert pickle.loads(pickle.dumps(chunker)).chunks(text) == chunks


@given(st.text("ab \n", max_size=80), st.integers(1, 12))
@settings(deadline=None, max_examples=150)
def test_characters_are_slices(text, size):
    assert lw.chunk_text(text, size, 0, "characters") == [text[i : i + size] for i in range(0, len(text), size)]


def test_units():
    text = "Dr. Who came. He left! Why?\nNobody   knows.\n\nThe end."
    assert lw.chunk_text(text, 100, 0, "lines", single=True) == ["Dr. Who came. He left! Why?\n", "Nobody   knows.\n", "\n", "The end."]
    assert lw.chunk_text(text, 100, 0, "sentences", single=True, trim=True) == [
        "Dr. Who came.", "He left!", "Why?", "Nobody   knows.", "The end."]
    assert lw.chunk_text(text, 100, 0, "paragraphs", single=True, trim=True) == [text[:43], "The end."]
    none = lw.TextChunker(100, 0, "sentences", single=True, trim=True, abbreviations=())
    assert none.split(text)[:2] == ["Dr.", "Who came."] == pickle.loads(pickle.dumps(none)).split(text)[:2]
    own = lw.TextChunker(100, 0, "sentences", single=True, trim=True, abbreviations=["came"])
    assert own.split(text)[:2] == ["Dr.", "Who came. He left!"]
    by_tokens = lw.TextChunker(6, 0, "sentences", "tokens").split("One two three. " * 10)
    assert len(by_tokens) > 3 and all(lw.text_tokens(chunk) <= 6 for chunk in by_tokens)
    assert lw.text_tokens("") == 0 and 5 <= lw.text_tokens("How many tokens is this?") <= 8
    assert lw.TextChunker().chunks("") == [] and "paragraphs" in repr(lw.TextChunker())
    assert lw.TextChunker().chunks(b"\xff\xfe")[0].text == b"\xff\xfe"


def test_more_passages_than_fit_at_once():
    text = "é" * 5000
    assert [(chunk.begin, chunk.fresh, chunk.end) for chunk in lw.TextChunker(2, 1, "characters").chunks(text)] == [
        (i, i + (i > 0), i + 2) for i in range(4999)]


@pytest.mark.parametrize("options", [
    {"unit": "x"}, {"measure": "x"}, {"size": 0}, {"size": -1}, {"size": 2**32}, {"overlap": 1344}, {"overlap": -1},
    {"abbreviations": ["a\0b"]}, {"abbreviations": ["x" * 5000]},
])
def test_what_text_chunkers_refuse(options):
    with pytest.raises(ValueError):
        lw.TextChunker(**options)
    with pytest.raises(TypeError):
        lw.chunk_text(1)
