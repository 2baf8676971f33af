# SPDX-License-Identifier: Apache-2.0
"""Every example of examples/python runs and says what it should."""

import doctest
import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "python"
SAID = {
    "hybrid_search": ["by both:", "datetime"],
    "stream_of_a_model": ["{'tool': 'weather', 'arguments': {'city': 'Kra", "whole: {'tool': 'weather', 'arguments': {'city': 'Kraków', 'days': 3}}",
                          "a loop of 22 characters"],
    "dedup_of_a_corpus": ["lines of 20 bytes and more: ", "the same files:"],
    "module_ranking": ["<lanewise.Graph of", "a cycle: "],
    "secrets_of_a_tree": ["settings.py:2:15: aws-access-key: ACCESS_KEY = \"AKIA****************\"", "people.csv:2:14: staff-badge: Jürgen",
                          "3 files, "],
    "rag_nodes": ["The Eiffel Tower was finished", "nDCG 1.00, faithfulness 1.00"],
}


@pytest.mark.parametrize("name", sorted(file.stem for file in EXAMPLES.glob("*.py")))
def test_example(name, tmp_path):
    result = subprocess.run([sys.executable, EXAMPLES / f"{name}.py"], capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for words in SAID[name]:
        assert words in result.stdout


def test_there_are_examples():
    assert {file.stem for file in EXAMPLES.glob("*.py")} == set(SAID)


DOCS = pathlib.Path(__file__).parents[2] / "docs"
PAGES = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if ">>>" in page.read_text(encoding="utf-8"))


@pytest.mark.skipif(not DOCS.exists(), reason="no docs")
@pytest.mark.parametrize("page", PAGES)
def test_the_handbook_is_true(page):
    failed, n_examples = doctest.testfile(str(DOCS / page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert failed == 0 and n_examples > 0


@pytest.mark.skipif(not DOCS.exists(), reason="no docs")
def test_the_handbook_has_its_pages():
    assert len(PAGES) >= 10 and "python.md" in PAGES and "families/graph.md" in PAGES
