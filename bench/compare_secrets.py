#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares lanewise/secrets.h with regular expressions of the same shapes: Python's re, and Hyperscan where libhs is.

    python3 bench/compare_secrets.py build/liblanewise.so TEXT... [--megabytes 8] [--tokens]

The built-in rules are turned into expressions: anchors become an alternation where the @ stands, and counts take as many
as they can but give back. Hyperscan has no lookahead, so there what must not follow is left out; entropy, stop words and
overlaps are lanewise's alone, the expressions only report matches. With --tokens only the rules whose anchors are
prefixes of tokens, without those that ignore case or begin at "://".

Contenders run in turn in this process; figures are medians of CPU time and of the rounds' ratios (above 1: lanewise is
faster).
"""
import argparse
import ctypes
import ctypes.util
import re
import statistics
import time


# ------------------------------------------------------------- expressions

def part_end(shape, at):
    """The end of the part that begins at `at`, counts not included."""
    if shape[at] == "\\":
        return at + (4 if shape[at + 1] == "x" else 2)
    if shape[at] == "[":
        while shape[at] != "]":
            at += 2 if shape[at] == "\\" else 1
        return at + 1
    if shape[at] == "(":
        at += 1
        while shape[at] != ")":
            at = part_end(shape, at)
        return at + 1
    if shape[at] == "!":
        return part_end(shape, at + 1)
    return at + 1


def expression_of(shape, anchors, lookahead):
    """A regular expression for a shape whose fragments are put in already."""
    out, at, behind = [], 0, False
    while at < len(shape):
        end = part_end(shape, at)
        part = shape[at:end]
        if part == "@":
            behind = True
            out.append("(?:" + "|".join(map(re.escape, anchors)) + ")")
        elif part[0] == "!" and lookahead:
            inside = expression_of(part[1:], [], True)
            out.append(f"(?!{inside})" if behind else f"(?<!{inside})")
        elif part[0] in "!<> \t":
            pass
        elif part[0] == "(":
            out.append("(?:" + "|".join(expression_of(p, [], lookahead) for p in alternatives(part[1:-1])) + ")")
        elif part[0] == "[":
            out.append(part)
        elif part[0] in "\\.?*+{},0123456789" or part[0].isalnum():
            out.append(part)
        else:
            out.append(re.escape(part))
        at = end
    return "".join(out)


def alternatives(inside):
    parts, begin, at = [], 0, 0
    while at < len(inside):
        if inside[at] == "|":
            parts.append(inside[begin:at])
            begin = at + 1
            at += 1
        else:
            at = part_end(inside, at)
    return parts + [inside[begin:]]


def read_rules(text):
    """(name, anchors, shape, whether case is ignored) of every rule that has a shape."""
    fragments, rules = {}, []

    def expand(shape):
        def put(match):
            body = fragments[match[1]]
            return body if re.fullmatch(r"\[[^\]]*\]", body) else f"({body})"
        return re.sub(r"(?<!\\)(?<![\[^{])\$(\w+)", put, shape)

    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if word == "let":
            name, _, shape = rest.partition(" ")
            fragments[name] = expand(shape.strip())
        elif word == "rule":
            rules.append({"name": rest, "anchors": [], "ignore_case": False})
        elif word == "anchor":
            rules[-1]["anchors"] += rest.split()
        elif word == "shape":
            rules[-1]["shape"] = expand(rest)
        elif word == "ignore-case":
            rules[-1]["ignore_case"] = True
    return [rule for rule in rules if "shape" in rule]


# --------------------------------------------------------------- contenders

class Lanewise:
    def __init__(self, path, rules):
        self.lib = lib = ctypes.CDLL(path)
        lib.lanewise_secrets_scratch_size.restype = ctypes.c_size_t
        self.secrets = ctypes.c_void_p()
        status = lib.lanewise_secrets_create(rules, ctypes.c_size_t(len(rules)), None, None, ctypes.byref(self.secrets), None)
        assert status == 0, status
        self.scratch = ctypes.create_string_buffer(lib.lanewise_secrets_scratch_size(self.secrets))
        self.present = (ctypes.c_uint64 * 16)()

    def count(self, text):
        found = ctypes.c_uint64()
        status = self.lib.lanewise_secrets_types(self.secrets, text, ctypes.c_size_t(len(text)), self.scratch, self.present,
                                                 ctypes.byref(found))
        assert status == 0, status
        return found.value


class Hyperscan:
    CASELESS, DOTALL, MULTILINE = 1, 2, 4

    def __init__(self, rules):
        self.hs = ctypes.CDLL(ctypes.util.find_library("hs") or "libhs.so.5")
        expressions = [expression_of(r["shape"], r["anchors"], False).encode() for r in rules]
        array = (ctypes.c_char_p * len(rules))(*expressions)
        flags = (ctypes.c_uint * len(rules))(*[self.CASELESS if r["ignore_case"] else 0 for r in rules])
        ids = (ctypes.c_uint * len(rules))(*range(len(rules)))
        self.database, self.scratch, error = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        if self.hs.hs_compile_multi(array, flags, ids, len(rules), 1, None, ctypes.byref(self.database), ctypes.byref(error)):
            message = ctypes.cast(error, ctypes.POINTER(ctypes.c_char_p))[0].decode()
            which = ctypes.cast(error.value + ctypes.sizeof(ctypes.c_char_p), ctypes.POINTER(ctypes.c_int))[0]
            raise RuntimeError(f"{rules[which]['name']}: {message}: {expressions[which]}")
        self.hs.hs_alloc_scratch(self.database, ctypes.byref(self.scratch))
        prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_ulonglong, ctypes.c_ulonglong, ctypes.c_uint,
                                     ctypes.c_void_p)
        self.last, self.n = (-1, -1), 0

        def on_match(number, _begin, end, _flags, _context):
            self.n += 1
            return 0

        self.on_match = prototype(on_match)

    def count(self, text):
        self.n = 0
        self.hs.hs_scan(self.database, text, ctypes.c_uint(len(text)), 0, self.scratch, self.on_match, None)
        return self.n


class Python:
    def __init__(self, rules):
        parts = [f"(?i:{e})" if r["ignore_case"] else f"(?:{e})"
                 for r in rules for e in [expression_of(r["shape"], r["anchors"], True)]]
        self.pattern = re.compile("|".join(parts).encode())

    def count(self, text):
        return sum(1 for _ in self.pattern.finditer(text))


def timed(function, text):
    began = time.thread_time()
    n = function(text)
    return time.thread_time() - began, n


def write_expressions(rules_path, out_path):
    """For bench_secrets.c: a line for each rule, + or - (whether case is ignored), and its expression."""
    with open(rules_path, encoding="utf-8") as file:
        rules = read_rules(file.read())
    with open(out_path, "w", encoding="utf-8") as file:
        for rule in rules:
            expression = expression_of(rule["shape"], rule["anchors"], False)
            file.write(("+" if rule["ignore_case"] else "-") + expression + "\n")


def select(text, names):
    """The rules of these names, and all lines before and between that are no rule's."""
    out, keep = [], True
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "rule":
            keep = rest.strip() in names
        elif word == "let":
            out.append(line)
            continue
        if keep:
            out.append(line)
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="or with --expressions the file of rules")
    parser.add_argument("texts", nargs="*")
    parser.add_argument("--expressions", metavar="FILE", help="write the expressions there and do nothing else")
    parser.add_argument("--megabytes", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", action="store_true")
    options = parser.parse_args()
    if options.expressions:
        write_expressions(options.library, options.expressions)
        return
    lib = ctypes.CDLL(options.library)
    lib.lanewise_secrets_builtin_rules.restype = ctypes.c_void_p
    size = ctypes.c_size_t()
    rules_text = ctypes.string_at(lib.lanewise_secrets_builtin_rules(ctypes.byref(size)), size.value).decode()
    rules = read_rules(rules_text)
    if options.tokens:
        rules = [r for r in rules if not r["ignore_case"] and "://" not in r["anchors"]]
        rules_text = select(rules_text, {r["name"] for r in rules})
    contenders = {"lanewise": Lanewise(options.library, rules_text.encode())}
    try:
        contenders["hyperscan"] = Hyperscan(rules)
    except OSError as error:
        print(f"without Hyperscan: {error}")
    python = Python(rules)
    for path in options.texts:
        with open(path, "rb") as file:
            text = file.read(int(options.megabytes * 1e6))
        rounds = [{name: timed(c.count, text) for name, c in contenders.items()} for _ in range(options.rounds)]
        small = text[:len(text) // 16]
        slow, ours = timed(python.count, small), timed(contenders["lanewise"].count, small)
        print(f"{path}, {len(text) / 1e6:.1f} MB, {len(rules)} rules")
        for name in contenders:
            seconds = statistics.median(r[name][0] for r in rounds)
            ratio = statistics.median(r[name][0] / r["lanewise"][0] for r in rounds)
            print(f"  {name:10} {len(text) / seconds * 1e-9:8.3f} GB/s  ratio {ratio:8.2f}  {rounds[0][name][1]} found")
        print(f"  {'python re':10} {len(small) / slow[0] * 1e-9:8.5f} GB/s  ratio {slow[0] / ours[0]:8.0f}  {slow[1]} found "
              f"(first {len(small) / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
