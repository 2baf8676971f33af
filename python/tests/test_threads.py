# SPDX-License-Identifier: Apache-2.0
"""One object, used by several threads at once, or by a call of its own: an exception, never a crash."""

import inspect
import threading
import types

import lanewise as lw
import pytest
from lanewise import _files, _guard, chunk, graph, seen, vector

SIGNATURES = [[(7 * i + j) % 50 for j in range(16)] for i in range(20)]
ROWS = [[float((i * j) % 11) for j in range(8)] for i in range(40)]
NODES = 2000


def an_index():
    index = lw.Index(8)
    index.add(ROWS, ids=range(len(ROWS)))
    index.make_coarse()
    return index


def add_rows(index):
    first = len(index) * 1000 + threading.get_ident() % 1000
    index.add(ROWS, ids=range(first, first + len(ROWS)))


def save(made, path):
    made.save(path / f"{type(made).__name__}-{threading.get_ident()}")


# For each class: how to make one, the calls that change it, and those that read it, which may run beside each other.
CLASSES = {
    lw.SeenSet: (lw.SeenSet, [lambda o, _: o.insert(range(5000)), lambda o, _: o.fresh(["a", "b"]), lambda o, _: o.add(7), lambda o, _: o.clear()],
                 [lambda o, _: o.contains(range(2000)), save, lambda o, _: o.__copy__()]),
    lw.SeenMap: (lw.SeenMap, [lambda o, _: o.insert(range(5000)), lambda o, _: o.insert([1], None, lambda a, b: True)], []),
    lw.Index: (an_index, [lambda o, _: add_rows(o), lambda o, _: o.update(0, ROWS[1]), lambda o, _: o.remove(0), lambda o, _: o.make_coarse()],
               [lambda o, _: o.search(ROWS[3], 5), lambda o, _: o.search(ROWS[3], 5, n_candidates=10), lambda o, _: o.search_many(ROWS, 3),
                lambda o, _: o[len(o) - 1], lambda o, _: o.find(5), lambda o, _: o.ids, save, lambda o, _: o.__reduce__()]),
    lw.LSH: (lambda: lw.LSH(16, 0.5),
             [lambda o, _: o.add_many(SIGNATURES), lambda o, _: o.add(SIGNATURES[0]), lambda o, _: o.find(SIGNATURES[1]),
              lambda o, _: o.candidates(SIGNATURES[1]), lambda o, _: o.keep_first(SIGNATURES[2])], []),
    lw.BM25Builder: (lw.BM25Builder, [lambda o, _: o.add("a b c d e " * 50), lambda o, _: o.remove(0), lambda o, _: o.compact(),
                                      lambda o, _: o.build()], []),
    lw.Deduplicator: (lw.Deduplicator, [lambda o, _: o.feed("\n".join(map(str, range(500)))), lambda o, _: o.finish()], []),
    lw.PatternStream: (lambda: lw.PatternSet(["ab", "b"]).stream(),
                       [lambda o, _: o.feed("abab" * 500), lambda o, _: o.reset(), lambda o, _: o.finish(), lambda o, _: o.safe], []),
    lw.StreamFilter: (lw.StreamFilter, [lambda o, _: o.feed("a<think>b</think>" * 50), lambda o, _: o.parts("c"), lambda o, _: o.reset(),
                                        lambda o, _: o.finish()], []),
    lw.ChunkStream: (lambda: lw.Chunker(min_size=64, average_size=256, max_size=1024).stream(),
                     [lambda o, _: o.feed(bytes(range(256)) * 40), lambda o, _: o.reset(), lambda o, _: o.finish()], []),
    lw.EventStream: (lw.EventStream, [lambda o, _: o.feed("data: x\n\n" * 50)], []),
    lw.XXH3: (lw.XXH3, [lambda o, _: o.update(b"x" * 1000), lambda o, _: o.value_64(), lambda o, _: o.value_128()], []),
    lw.LoopDetector: (lambda: lw.LoopDetector(2, 8, 3), [lambda o, _: o.push(range(500)), lambda o, _: o.reset()], []),
    lw.NGrams: (lambda: lw.NGrams(2, 3), [lambda o, _: o.push(range(500)), lambda o, _: o.reset()], []),
    lw.RepeatGuard: (lw.RepeatGuard, [lambda o, _: o.feed("abc " * 100), lambda o, _: o.reset()], []),
    lw.ThoughtDetector: (lw.ThoughtDetector, [lambda o, _: o.record("Let me check. " * 20), lambda o, _: o.reset()], []),
    lw.Schedule: (lambda: lw.Graph([0] * NODES, range(1, NODES + 1)).schedule(),
                  [lambda o, _: [o.done(node) for node in o.get_ready()], lambda o, _: o.done(0)], []),
    lw.json.Partial: (lw.json.Partial, [lambda o, _: o.feed('[1, "a", '), lambda o, _: o.value, lambda o, _: o.find("[0]"), lambda o, _: o.text,
                                        lambda o, _: o.complete, lambda o, _: o.reset()], []),
    lw.json.Events: (lw.json.Events, [lambda o, _: o.feed('data: {"a": [1, 2]}\n\n' * 50)], []),
}


def test_the_table_has_all_classes():
    """Whatever is neither immutable nor a tuple has something that calls change."""
    found = {value for module in vars(lw).values() if isinstance(module, types.ModuleType) and module.__name__.startswith("lanewise.")
             for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__
             and not value.__name__.startswith("_") and hasattr(value, "__reduce__")
             and not issubclass(value, (tuple, Exception, _files.Immutable))}
    found -= {_files.Uncopyable, _guard.Guard, lw.json.Paths, chunk.BinaryFile, lw._library.CodePoints, lw._library.Scratch}
    assert found == set(CLASSES)


def names(cases):
    return [cls.__name__ for cls in cases]


@pytest.mark.parametrize("cls", CLASSES, ids=names(CLASSES))
def test_calls_beside_each_other(cls, tmp_path):
    make, changes, reads = CLASSES[cls]
    made = make()
    refused = pytest.raises(RuntimeError, match=f"^{cls.__name__}: in use")
    with made._guard:
        for call in changes + reads:
            with refused:
                call(made, tmp_path)
    if reads:
        with made._reading:
            for call in reads:
                call(made, tmp_path)
            for call in changes:
                with refused:
                    call(made, tmp_path)
    for call in changes:
        try:
            call(made, tmp_path)
        except (ValueError, IndexError):
            pass  # done, removed, finished


@pytest.mark.parametrize("cls", CLASSES, ids=names(CLASSES))
def test_several_threads(cls, tmp_path):
    make, changes, reads = CLASSES[cls]
    made, surprises, calls = make(), [], changes + reads

    def work(number):
        for i in range(100):
            try:
                calls[(i + number) % len(calls)](made, tmp_path)
            except (RuntimeError, ValueError, IndexError) as error:
                if isinstance(error, RuntimeError) and "in use" not in str(error):
                    surprises.append(error)
            except BaseException as error:
                surprises.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert surprises == []
    if reads:
        with made._guard:
            pass  # nobody is left inside


def test_many_threads_search_one_index():
    index = an_index()
    expected, wrong = index.search(ROWS[3], 5).index.tolist(), []

    def work():
        for _ in range(100):
            if index.search(ROWS[3], 5).index.tolist() != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_search_that_was_interrupted(monkeypatch):
    """Its threads find nothing to do when the index has changed in the meantime."""
    index, late = an_index(), []

    def interrupted(n, work, least=1):
        if n == least:
            return work(0, n)
        late.append(lambda: work(0, n))
        raise KeyboardInterrupt

    monkeypatch.setattr(vector, "for_parts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        index.search_many(ROWS, 3)
    monkeypatch.setattr(vector.Index, "_n_parts", lambda self, n: 2)
    with pytest.raises(KeyboardInterrupt):
        index.search(ROWS[0], 3)
    reached = []
    monkeypatch.setattr(vector, "scratch", lambda n: reached.append(n))
    monkeypatch.setattr(vector, "lib", types.SimpleNamespace(lanewise_index_search_part=lambda *arguments: reached.append(1)))
    with index._guard:
        for work in late:
            with pytest.raises(RuntimeError, match="Index: in use"):
                work()
    for work in late:
        work()
    assert len(late) == 2 and reached == []


def test_events_of_values_that_call_back():
    """With a path, calls are in C; a finalizer or another thread may come between the objects that they make."""
    events, seen_errors = lw.json.Events("a", default=""), []

    def work():
        for _ in range(300):
            try:
                events.feed('data: {"a": "' + "b" * 100 + '"}\n\n' * 20)
                events.feed_text('data: {"a": "b"}\n\n' * 20)
            except RuntimeError as error:
                seen_errors.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("Events: in use" in error for error in seen_errors)
    assert events.feed_text('\n\ndata: {"a": "c"}\n\n').endswith("c")


def test_a_call_that_comes_from_the_one_under_way():
    made = seen.SeenMap()
    made.insert([1, 2])
    with pytest.raises(RuntimeError, match="SeenMap: in use"):
        made.insert([1], equal=lambda a, b: made.insert([3]) is None)
    assert made.insert([2]).tolist() == [1]


def test_an_exception_leaves_the_object_usable():
    index = lw.Index(8)
    for _ in range(3):
        with pytest.raises(ValueError):
            index.add(ROWS, ids=[1] * len(ROWS))
        with pytest.raises(KeyError):
            index.find(7)
    assert index.add(ROWS) == range(len(ROWS))
    schedule = graph.Graph([0], [1]).schedule()
    with pytest.raises(ValueError):
        schedule.done(5)
    assert schedule.get_ready() == (0,)


def test_the_guard_itself():
    guard = _guard.Guard("Thing")
    reading = guard.reading()
    with reading, reading:
        with pytest.raises(RuntimeError, match="Thing: in use"):
            guard.__enter__()
    assert guard.n_changes == 0
    with guard:
        for other in (guard, reading):
            with pytest.raises(RuntimeError, match="Thing: in use"):
                other.__enter__()
    assert guard.n_changes == 1
    with pytest.raises(TypeError):
        type(reading)()


# What Ctrl-C ends in the middle of a piece: the function that reads what has come out of it, and streams to try it with.
INTERRUPTED = {
    "PatternStream": (lambda: lw.PatternSet(["ab"]).stream(), lw.scan, "_rows", lambda o: o.feed(b"cd ab"), [lw.Match(0, 5003, 5005)]),
    "StreamFilter": (lw.StreamFilter, lw.scan.StreamFilter, "_parts", lambda o: o.feed("x</think>y"), "y"),
    "Deduplicator": (lw.Deduplicator, lw.Deduplicator, "_units", lambda o: [unit.end - unit.begin for unit in o.feed("z\nab\n")], [5001, 2]),
    "EventStream": (lw.EventStream, lw.codec, "_text", lambda o: [event.data for event in o.feed("data: y\n\n")], ["y"]),
}
LONG = {"PatternStream": b"ab" * 2500, "StreamFilter": "a<think>" * 625, "Deduplicator": "a\n" * 3000 + "b" * 5000,
        "EventStream": "data: x\n\n" * 500}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_streams_go_on_after_ctrl_c(name, monkeypatch):
    make, owner, function, feed, expected = INTERRUPTED[name]
    stream = make()

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, function, interrupted)
        with pytest.raises(KeyboardInterrupt):
            stream.feed(LONG[name])
    assert stream._piece is not None
    assert feed(stream) == expected
    assert stream._piece is None
