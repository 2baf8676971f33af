#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Retrieval for generation in the style of a flow engine: nodes with prep, exec and post over a shared dict, exec mapped in parallel.

    python3 rag_nodes.py
"""

from concurrent.futures import ThreadPoolExecutor

import lanewise as lw

PASSAGES = [
    "The Eiffel Tower was finished in 1889 and is 330 metres tall.",
    "Mount Everest, at 8,849 metres, is the highest mountain above sea level.",
    "The Nile is about 6,650 kilometres long and flows north.",
    "Gustave Eiffel's company designed and built the tower in Paris.",
    "The Amazon carries more water than any other river.",
]
QUESTIONS = {"How tall is the Eiffel Tower?": [0], "Which river carries the most water?": [4], "Who built the tower in Paris?": [3]}


class Node:
    def prep(self, shared):
        """The items to work on."""
        return [None]

    def exec(self, item):
        return item

    def post(self, shared, results):
        """What comes next; None ends."""

    def run(self, shared, pool):
        return self.post(shared, list(pool.map(self.exec, self.prep(shared))))


class Retrieve(Node):
    """C code runs without the GIL, so threads run side by side; indexes may be shared."""

    def __init__(self, passages):
        self.bm25, self.index = lw.BM25(passages), lw.Index(256)
        self.index.add([lw.embed(passage, 256) for passage in passages])

    def prep(self, shared):
        return shared["questions"]

    def exec(self, question):
        return lw.fuse([self.bm25.search(question, 5), self.index.search(lw.embed(question, 256), 5)], 2)

    def post(self, shared, results):
        shared["hits"] = results
        return "answer"


class Answer(Node):
    """In place of a model: the best passage."""

    def prep(self, shared):
        return [[shared["passages"][number] for number in hits.index] for hits in shared["hits"]]

    def exec(self, contexts):
        return contexts[0], contexts

    def post(self, shared, results):
        shared["answers"] = results
        return "judge"


class Judge(Node):
    def prep(self, shared):
        return list(zip(shared["questions"], shared["answers"], shared["hits"], shared["truth"]))

    def exec(self, item):
        question, (answer, contexts), hits, truth = item
        return (lw.evaluate.ranking(hits, dict.fromkeys(truth, 1.0), 2).ndcg, lw.evaluate.faithfulness(answer, contexts),
                lw.evaluate.answer_relevancy(question, answer))

    def post(self, shared, results):
        shared["scores"] = results


def main():
    shared = {"passages": PASSAGES, "questions": list(QUESTIONS), "truth": list(QUESTIONS.values())}
    nodes, name = {"retrieve": Retrieve(PASSAGES), "answer": Answer(), "judge": Judge()}, "retrieve"
    with ThreadPoolExecutor(4) as pool:
        while name:
            name = nodes[name].run(shared, pool)
    for question, (answer, _), (ndcg, faithfulness, relevancy) in zip(shared["questions"], shared["answers"], shared["scores"]):
        print(f"{question}\n  {answer}\n  nDCG {ndcg:.2f}, faithfulness {faithfulness:.2f}, relevancy {relevancy:.2f}")


if __name__ == "__main__":
    main()
