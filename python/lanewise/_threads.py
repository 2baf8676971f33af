# SPDX-License-Identifier: Apache-2.0
"""Many items over several threads of Python's, which run side by side while C code runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_lock = threading.Lock()
_n_threads = 1
_pool: ThreadPoolExecutor | None = None


def set_num_threads(n: int) -> None:
    """How many threads the functions for many items use from now on: 1 at first, 0 for one each CPU of this process.

    These are search_many of Index and BM25, search_many(), similarity() and neighbours(), and search of an Index with many rows.
    Results do not depend on it.
    """
    global _n_threads, _pool
    if n < 0:
        raise ValueError(f"n: {n} is negative")
    with _lock:
        _n_threads = n or len(os.sched_getaffinity(0))
        if _pool is not None:
            _pool.shutdown(wait=False)
            _pool = None


def get_num_threads() -> int:
    """How many threads the functions for many items use."""
    return _n_threads


def _forget() -> None:
    """The child of a fork has none of the threads, and the lock may have been held."""
    global _lock, _pool
    _lock, _pool = threading.Lock(), None


os.register_at_fork(after_in_child=_forget)


def for_parts(n: int, work: Callable[[int, int], None], least: int = 1) -> None:
    """Calls work(begin, end) for parts of 0 ... n of at least `least` items, on several threads if that is set."""
    global _pool
    n_parts = min(_n_threads, n // least)
    if n_parts <= 1:
        work(0, n)
        return
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(_n_threads, thread_name_prefix="lanewise")
        futures = [_pool.submit(work, n * i // n_parts, n * (i + 1) // n_parts) for i in range(1, n_parts)]
    work(0, n // n_parts)
    for future in futures:
        future.result()
