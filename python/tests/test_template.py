# SPDX-License-Identifier: Apache-2.0
"""lanewise.Template: what str.format_map makes of the same text and values."""

import copy
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lanewise as lw

NAMES = ["a", "b", "_long_name1", "é"]
PIECES = st.sampled_from([*("{%s}" % name for name in NAMES), "{{", "}}", "text ", "é", "🔥", "\n", '"'])
VALUES = st.fixed_dictionaries({name: st.one_of(st.text(max_size=8), st.integers(), st.floats(), st.none(), st.just("{a}"))
                                for name in NAMES})


@given(st.lists(PIECES, max_size=12), VALUES)
def test_as_format_map(pieces, values):
    text = "".join(pieces)
    assert lw.Template(text).render(values) == text.format_map(values)


@given(st.text(st.sampled_from("{}ab1é!:. "), max_size=12))
def test_any_text(text):
    values = {name: "x" for name in ("a", "b", "ab", "ba", "é")}
    try:
        rendered = lw.Template(text, missing="keep").render(values)
    except lw.DataError as error:
        assert text[len(text.encode()[: error.offset].decode())] in "{}"
    else:
        kept = {name: values.get(name, "{" + name + "}") for name in lw.Template(text).names}
        assert rendered == text.format_map(kept)
    literal = lw.Template(text, literal=True, missing="keep")
    assert literal.render({}) == text and set(literal.names) <= {n for n in literal.names if "{" + n + "}" in text}


def test_literal():
    text = '{"question": "{question}", "n": {n}, "empty": {}, "{{x}}"'
    template = lw.Template(text, literal=True)
    assert template.names == ("question", "n", "x")
    assert template.render(question="{n}?", n=3, x="y") == '{"question": "{n}?", "n": 3, "empty": {}, "{y}"'


def test_missing():
    with pytest.raises(KeyError, match="b"):
        lw.Template("{a} {b}").render(a=1)
    with pytest.raises(KeyError):
        lw.Template("{a}").render()
    assert lw.Template("{{{a} {b}", missing="keep").render({"a": "x"}) == "{x {b}"
    assert lw.Template("{{{a} {b}", missing="whole").render({"a": "x"}) == "{{{a} {b}"
    with pytest.raises(ValueError):
        lw.Template("", missing="ignore")


def test_errors_and_edges():
    for text, offset in (("a{", 1), ("}", 0), ("{}", 0), ("{0}", 0), ("{a.b}", 0), ("{a!r}", 0), ("x{a:>3}", 1)):
        with pytest.raises(lw.DataError) as error:
            lw.Template(text)
        assert error.value.offset == offset
    with pytest.raises(TypeError):
        lw.Template(b"{a}")
    assert lw.Template("").render() == "" and lw.Template("{{}}").render({"a": 1}) == "{}"
    assert lw.Template("{a}{b}").render({"a": "1"}, b="2") == "12"
    assert lw.Template("{a}{a}").render(a="é") == "éé"

    class Default(dict):
        def __missing__(self, key):
            return f"<{key}>"

    assert lw.Template("{a}-{b}").render(Default(a="x")) == "x-<b>"


def test_copies_and_threads():
    template = lw.Template("{a}{{b}}", literal=True, missing="keep")
    again = pickle.loads(pickle.dumps(template))
    assert again.render(b="x") == template.render(b="x") == "{a}{x}" and copy.deepcopy(template) is template
    assert "literal=True" in repr(again) and again.names == ("a", "b")
    shared, failed = lw.Template("<{a}>" * 100), []

    def work(i):
        for _ in range(200):
            if shared.render(a=str(i)) != f"<{i}>" * 100:
                failed.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
