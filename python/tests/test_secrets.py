# SPDX-License-Identifier: Apache-2.0
"""Secrets against regular expressions, and what their rules refuse."""

import math
import pickle
import re
import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lanewise as lw
from lanewise.secrets import _BATCH

SCANNER = lw.SecretScanner()
KEY, TOKEN = "AKIAZ7Q2LMN4P5RSTUVW", "ghp_" + "aB3dE6gH9k" * 3 + "LmN0pQ"
RULES = """
rule long
  about   eight digits behind id:
  anchor  id:
  shape   @ < [0-9]{8} >
rule short
  anchor  id: no=
  shape   @ \\x20? < [0-9a-f]{2,3} > !z
rule grey
  optional
  anchor  grey
  shape   < @ >
"""
# Of the first two rules; each takes what it can and gives nothing back.
LONG = re.compile("id:([0-9]{8})")
SHORT = re.compile("(?:id:|no=) ?([0-9a-f]{3}(?!z)|[0-9a-f]{2}(?![0-9a-fz]))")
TEXTS = st.lists(st.sampled_from(["id:", "no=", " ", "12", "3", "45678", "ab", "z", "é", "日", "\n", "12345678"])).map("".join)


def found_by_re(text):
    """The earlier rule's finding stays; of the same rule's, that which comes first."""
    long = [match.span(1) for match in LONG.finditer(text)]
    short = [match.span(1) for match in SHORT.finditer(text)]
    kept = [("long", *span) for span in long]
    kept += [("short", *span) for span in short if all(span[1] <= begin or span[0] >= end for begin, end in long)]
    return sorted(kept, key=lambda secret: secret[1]), long + short


@given(TEXTS)
@settings(deadline=None, max_examples=400)
def test_secrets_are_those_of_expressions(text):
    scanner = lw.SecretScanner(RULES)
    wanted, all_spans = found_by_re(text)
    found = scanner.scan(text)
    assert [(secret.rule, secret.begin, secret.end) for secret in found] == wanted
    for secret in found:
        lines = text[: secret.begin].split("\n")
        assert (secret.line, secret.column) == (len(lines), len(lines[-1]) + 1)
        assert text[secret.match_begin : secret.match_end].endswith(text[secret.begin : secret.end])
        assert text[secret.match_begin : secret.match_begin + 3] in ("id:", "no=")
    data = text.encode()
    for secret, again in zip(found, scanner.scan(data), strict=True):
        assert data[again.begin : again.end].decode() == text[secret.begin : secret.end]
        assert data[again.match_begin : again.match_end].decode() == text[secret.match_begin : secret.match_end]
        assert again.column == len(data[: again.begin].rpartition(b"\n")[2]) + 1
    assert scanner.any(text) == bool(wanted)
    assert scanner.types(text) == [name for name in ("long", "short") if any(rule == name for rule, *_ in wanted)]
    masked = list(text)
    for begin, end in all_spans:
        masked[begin:end] = "#" * (end - begin)
    assert scanner.mask(text, "#") == "".join(masked)
    assert scanner.mask(data, "#").decode() == "".join(masked)
    assert not scanner.any(scanner.mask(text, "#"))


def test_the_built_in_rules():
    assert len(SCANNER) > 60 and len({rule.name for rule in SCANNER.rules}) == len(SCANNER)
    assert all(rule.about for rule in SCANNER.rules)
    assert lw.SecretScanner.check_examples() > 200
    assert lw.SecretScanner(lw.SecretScanner.builtin_rules()).rules == SCANNER.rules
    assert len(lw.SecretScanner(optional=True)) > len(SCANNER)
    text = f"日本\nkey = {KEY}\ntoken: {TOKEN}"
    assert [(secret.rule, secret.line, secret.column) for secret in SCANNER.scan(text)] == [("aws-access-key", 2, 7), ("github-token", 3, 8)]
    assert SCANNER.redact(text) == "日本\nkey = [REDACTED:aws-access-key]\ntoken: [REDACTED:github-token]"
    assert SCANNER.redact(text.encode()) == SCANNER.redact(text).encode()
    assert SCANNER.mask(KEY, "x", 4, 2) == "AKIA" + "x" * 14 + "VW"
    assert SCANNER.mask(KEY, keep_first=10, keep_last=1) == "*" * 20
    assert SCANNER.scan("") == [] and not SCANNER.any(b"") and SCANNER.mask("") == "" and SCANNER.redact(b"") == b""
    assert SCANNER.scan(memoryview(bytearray(text.encode()))) == SCANNER.scan(text.encode())
    for unchanged in ("nothing é here", b"nothing \xff here"):
        assert SCANNER.mask(unchanged) == unchanged == SCANNER.redact(unchanged)


def test_own_rules():
    assert [rule.name for rule in lw.SecretScanner(RULES, optional=True).rules] == ["long", "short", "grey"]
    assert lw.SecretScanner(RULES).rules == [("long", "eight digits behind id:"), ("short", "")]
    both = lw.SecretScanner(RULES, with_builtin=True)
    assert len(both) == len(SCANNER) + 2 and both.types(f"{KEY} id:12345678") == ["long", "aws-access-key"]
    assert lw.SecretScanner.check_examples("rule r\n anchor x\n shape < @ [0-9]{3} >\n true x123\n false x12\n") == 2
    with pytest.raises(lw.DataError, match="line 4"):
        lw.SecretScanner.check_examples("rule r\n anchor x\n shape < @ [0-9]{3} >\n true x12\n")


EXPRESSIONS = r"""
rule keyed
  anchor key tok
  regex (?:key|tok)=(\w{2,4})|(?<=日)key
  window 3 9
"""
KEYED = re.compile(r"(?:key|tok)=(\w{2,4})|(?<=日)key".encode(), re.A)
HAS_EXPRESSIONS = bool(lw.secrets.lib.lanewise_regex_pcre2())
needs_expressions = pytest.mark.skipif(not HAS_EXPRESSIONS, reason="no PCRE2 in this build")


@needs_expressions
@given(st.lists(st.sampled_from(["key", "tok", "=", "a", "bcd", " ", "日", "é"])).map("".join))
@settings(deadline=None, max_examples=300)
def test_expressions_are_those_of_re(text):
    data, spans = text.encode(), []
    for anchor in re.finditer(b"key|tok", data):
        begin = max(0, anchor.start() - 3)
        for match in KEYED.finditer(data[begin : anchor.end() + 9]):
            if match.start() + begin <= anchor.start() and match.end() + begin >= anchor.end():
                group = 1 if match.group(1) is not None else 0
                span = match.start(group) + begin, match.end(group) + begin
                if not spans or span[0] >= spans[-1][1]:
                    spans.append(span)
                break
    assert [(secret.begin, secret.end) for secret in lw.SecretScanner(EXPRESSIONS).scan(data)] == spans
    assert [(len(text[: secret.begin].encode()), len(text[: secret.end].encode()))
            for secret in lw.SecretScanner(EXPRESSIONS).scan(text)] == spans


@needs_expressions
def test_expressions():
    scanner = lw.SecretScanner(EXPRESSIONS, with_builtin=True)
    assert pickle.loads(pickle.dumps(scanner)).redact(f"key=abc {KEY}") == "key=[REDACTED:keyed] [REDACTED:aws-access-key]"
    assert lw.SecretScanner.check_examples("rule r\n anchor x\n regex x\\d{3}\n true x123\n false x12\n") == 2
    with pytest.raises(lw.DataError, match="line 3.*at its byte 4"):
        lw.SecretScanner("rule r\n anchor x\n regex (abc\n")
    slow = lw.SecretScanner("rule s\n anchor aa\n regex (a+)+[b-c]\nrule r\n anchor x\n regex x\\d")
    text = "x1 " + "a" * 1000
    for call, result in ((slow.scan, [("r", 0, 2, 0, 2, 1, 1)]), (slow.types, ["r"]), (slow.mask, "** " + "a" * 1000)):
        with pytest.raises(lw.UndecidedError) as caught:
            call(text)
        assert caught.value.result == result
    assert slow.any(text) and slow.scan("x1") == [("r", 0, 2, 0, 2, 1, 1)]
    with pytest.raises(lw.UndecidedError):
        slow.any("a" * 1000)


@pytest.mark.skipif(HAS_EXPRESSIONS, reason="PCRE2 is in this build")
def test_expressions_are_refused():
    with pytest.raises(NotImplementedError, match="line 4: rule keyed"):
        lw.SecretScanner(EXPRESSIONS)


def test_no_rules():
    scanner = lw.SecretScanner("# none\n")
    assert (len(scanner), scanner.rules, scanner.scan(KEY), scanner.any(KEY), scanner.types(KEY), scanner.mask(KEY)) == (
        0, [], [], False, [], KEY)


def test_more_secrets_than_fit_at_once():
    n = 3 * _BATCH + 5
    text = f"é {KEY}\n" * n
    found = SCANNER.scan(text)
    assert [(secret.line, secret.begin) for secret in found] == [(i + 1, 23 * i + 2) for i in range(n)]
    redacted = SCANNER.redact(text)
    assert redacted == "é [REDACTED:aws-access-key]\n" * n and len(redacted) > len(text)


def test_copies_are_scanners():
    for scanner in (SCANNER, lw.SecretScanner(RULES, with_builtin=True, optional=True)):
        again = pickle.loads(pickle.dumps(scanner))
        assert again.rules == scanner.rules and repr(again) == repr(scanner)


def test_threads_share_a_scanner():
    texts = [f"{i} " * i + KEY for i in range(60)]
    wanted, results = [SCANNER.scan(text) for text in texts], {}

    def work(number):
        results[number] = [SCANNER.scan(text) for text in texts]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[i] for i in range(8)] == [wanted] * 8


@pytest.mark.parametrize("call, message", [
    (lambda: lw.SecretScanner("rule x\n anchor"), "line 1"),
    (lambda: lw.SecretScanner("nonsense"), "line 1"),
    (lambda: lw.SecretScanner("\udc80"), "lone surrogate"),
    (lambda: SCANNER.mask("x", fill=""), "fill"),
    (lambda: SCANNER.mask("x", fill="é"), "fill"),
    (lambda: SCANNER.mask("x", keep_first=-1), "negative"),
    (lambda: SCANNER.scan("\udc80"), "lone surrogate at 0"),
])
def test_what_secrets_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_types_that_are_no_texts():
    for call in (SCANNER.scan, SCANNER.any, SCANNER.types, SCANNER.mask, SCANNER.redact):
        with pytest.raises(TypeError, match="int"):
            call(3)


def test_entropy_rules_mean_entropy():
    def entropy(text):
        counts = Counter(text.encode())
        return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())

    scanner = lw.SecretScanner("rule r\n anchor k=\n shape @ < [a-z]{16} >\n entropy 3\n")
    for secret in ("aaaaaaaaaaaaaaaa", "abcdabcdabcdabcd", "abcdefghabcdefgi", "abcdefghijklmnop"):
        assert scanner.any(f"k={secret}") == (entropy(secret) >= 3)
