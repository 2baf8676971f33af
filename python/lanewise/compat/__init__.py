# SPDX-License-Identifier: Apache-2.0
"""Drop-in adapters: the names, arguments and results of packages that others use today, over lanewise.

    import lanewise.compat.rank_bm25, sys; sys.modules["rank_bm25"] = lanewise.compat.rank_bm25

installs one under upstream's name. Each module says what it does otherwise than upstream, and why:

    rank_bm25        BM25Okapi, BM25L, BM25Plus of the package rank_bm25
    victor_native    what Victor's native extension has: blocks, similarity, JSON, thinking filter and detector,
                     patterns, secrets, chunks, graphs
    course_creator   similarity of embeddings and the measures of retrieval-augmented generation of Course Creator
    sutra_storage    GraphStore of Sutra: vectors, associations and words, saved and loaded
    hush             order of traces, times in nanoseconds, base64, the check for Chinese, clean-up of a model's JSON
"""
