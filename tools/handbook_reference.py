# SPDX-License-Identifier: Apache-2.0
"""The reference pages of the handbook, as a hook of MkDocs: C from the comments of the public headers, Python from what
python/lanewise/__init__.py exports (the text is mkdocstrings' work)."""

import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[1]
HEADERS = ROOT / "include" / "lanewise"
SOURCE_OF_ALL = "lanewise.h"  # includes the others and has nothing of its own


def page_of(header):
    # index.md would be the page of its directory.
    return f"reference/c/{'index_h' if header.stem == 'index' else header.stem}.md"


def escaped(text):
    """Text as Markdown, but for what stands between backticks."""
    parts = re.split(r"(`[^`\n]+`)", text)
    parts[::2] = [re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def comment_lines(comment):
    """The lines of a block comment without its frame."""
    inside = comment.strip().removeprefix("/*").removesuffix("*/")
    return [re.sub(r"^ ?\* ?", "", line).rstrip() if line.lstrip().startswith("*") else line.strip()
            for line in inside.strip("\n").split("\n")]


def paragraphs(lines):
    paragraph = []
    for line in [*lines, ""]:
        if line:
            paragraph.append(line)
        elif paragraph:
            yield paragraph
            paragraph = []


def markdown(lines):
    """Prose as it is; tables, lists and code, which are indented or have columns, as they stand."""
    out = []
    for paragraph in paragraphs(lines):
        columns = [line.startswith("  ") or "  " in line.strip() for line in paragraph]
        n_prose = columns.index(True) if any(columns) else len(paragraph)
        if n_prose:
            out += [escaped("\n".join(paragraph[:n_prose])), ""]
        if n_prose < len(paragraph):
            out += ["```text", *paragraph[n_prose:], "```", ""]
    return "\n".join(out)


def names_in(code):
    """What a piece of a header declares: functions, types, constants."""
    names = re.findall(r"\b(lanewise_\w+)\(", code) if "LANEWISE_API" in code else []
    names += re.findall(r"\}\s*(lanewise_\w+);", code)
    names += re.findall(r"^typedef (?:struct )?[\w ]+?\b(lanewise_\w+);", code, re.M)
    names += re.findall(r"^typedef .*\b(lanewise_\w+_fn|lanewise_\w+_callback)\(", code, re.M)
    names += re.findall(r"^#define (LANEWISE_\w+)", code, re.M)
    if code.startswith("enum"):
        names += re.findall(r"\b(LANEWISE_\w+)\b(?=\s*(?:=|,|\}))", code)
    return list(dict.fromkeys(names))


def heading_of(code):
    names = names_in(code)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def pieces_of(text):
    """Comments and code in turn: ("comment", lines), ("section", name) or ("code", text)."""
    for piece in split(text[re.search(r"#define LANEWISE_\w+_H\n", text).end():]):
        section = re.fullmatch(r"/\* -{3,} (.*?) \*/", piece)
        if section:
            yield "section", section[1]
        elif piece.startswith("/*"):
            yield "comment", comment_lines(piece)
        elif names_in(piece):
            yield "code", piece


def split(body):
    """A header's top-level comments, and the code between empty lines (those within braces belong to it)."""
    piece, depth, in_comment = [], 0, False
    for line in body.split("\n"):
        starts = not piece and line.startswith("/*")
        if starts:
            in_comment = True
        elif depth == 0 and not in_comment and (not line or line.startswith("/*")):
            if piece:
                yield "\n".join(piece)
            piece = []
            in_comment = line.startswith("/*")
        if line or piece:
            piece.append(line)
        if in_comment and "*/" in line:
            yield "\n".join(piece)
            piece, in_comment = [], False
        elif not in_comment:
            depth = max(0, depth + line.count("{") - line.count("}")) if 'extern "C"' not in line else depth
    if piece:
        yield "\n".join(piece)


def c_page(header):
    text = header.read_text(encoding="utf-8")
    title = re.search(r"/\*[\s*]*lanewise/.*?\*/", text, re.S)
    out = [f"# {header.name}", "", f"`#include <lanewise/{header.name}>`", ""]
    lines = comment_lines(title[0])
    lines[0] = re.sub(r"^lanewise/\w+\.h\s*[-:]\s*", "", lines[0])
    lines[0] = lines[0][:1].upper() + lines[0][1:]
    out.append(markdown(lines))
    comment = None
    for kind, piece in pieces_of(text):
        if kind == "section":
            out += [f"## {escaped(piece.capitalize())}", ""]
        elif kind == "comment":
            if comment:
                out.append(markdown(comment))
            comment = piece
            continue
        else:
            out += [f"### {escaped(heading_of(piece))}", "", "```c", piece.rstrip(), "```", ""]
        if comment:
            out.append(markdown(comment))
        comment = None
    if comment:
        out.append(markdown(comment))
    return "\n".join(out)


def exported():
    """{module: names} as __init__.py imports them, and modules that it imports whole."""
    tree = ast.parse((ROOT / "python" / "lanewise" / "__init__.py").read_text(encoding="utf-8"))
    names, whole = {}, []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            if node.module is None:
                whole += [alias.name for alias in node.names]
            else:
                names[node.module] = [alias.name for alias in node.names]
    return names, whole


def python_page():
    names, whole = exported()
    out = ["# Python", "", "Everything here is a name of `lanewise` itself, unless its heading says otherwise.", ""]
    for module in sorted(names):
        out += [f"## {module.strip('_')}", "", f"::: lanewise.{module}", "    options:",
                f"      members: [{', '.join(names[module])}]", ""]
    for module in sorted(whole):
        out += [f"## lanewise.{module}", "", f"::: lanewise.{module}", ""]
    return "\n".join(out)


def headers():
    return sorted(header for header in HEADERS.glob("*.h") if header.name != SOURCE_OF_ALL)


def on_files(files, config):
    from mkdocs.structure.files import File

    for header in headers():
        files.append(File.generated(config, page_of(header), content=c_page(header)))
    files.append(File.generated(config, "reference/python.md", content=python_page()))
    return files


if __name__ == "__main__":
    import sys

    print(c_page(HEADERS / sys.argv[1]) if len(sys.argv) > 1 else python_page())
