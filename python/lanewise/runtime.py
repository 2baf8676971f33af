# SPDX-License-Identifier: Apache-2.0
"""Which code runs on this CPU, and whether all of it gives the same results (lanewise/base.h)."""

from __future__ import annotations

import random

from ._library import check, ffi, lib
from .dedup import xxh3_64, xxh3_64_batch
from .vector import cosine, dot, l2sq, normalize, topk


def version() -> str:
    """The version of the C library."""
    return str(ffi.string(lib.lanewise_version()).decode())


def tiers() -> list[str]:
    """The tiers that this CPU can run, from the plainest to the best."""
    return [_tier_name(tier) for tier in range(lib.lanewise_tier_count()) if lib.lanewise_tier_supported(tier)]


def _tier_name(tier: int) -> str:
    return str(ffi.string(lib.lanewise_tier_name(tier)).decode())


def active_tier() -> str:
    """The tier in use."""
    return _tier_name(lib.lanewise_active_tier())


def set_tier(name: str) -> None:
    """Uses this tier from now on, in all threads. Results do not depend on it."""
    for tier in range(lib.lanewise_tier_count()):
        if _tier_name(tier) == name:
            check(lib.lanewise_set_tier(tier))
            return
    raise ValueError(f"tier: {name!r} is none of {', '.join(map(_tier_name, range(lib.lanewise_tier_count())))}")


def show_runtime() -> str:
    """Version, CPU, tiers, and the implementation of every kernel in use, as text."""
    model, features = ffi.new("char[]", 256), ffi.new("char[]", 4096)
    lib.lanewise_cpu_model(model, 256)
    lib.lanewise_cpu_features_text(features, 4096)
    lines = [f"lanewise {version()}", f"CPU: {ffi.string(model).decode()}", f"features: {ffi.string(features).decode()}"]
    for tier in range(lib.lanewise_tier_count()):
        reason = ffi.new("char[]", 512)
        lib.lanewise_tier_reason(tier, reason, 512)
        lines.append(f"tier {_tier_name(tier)}: {ffi.string(reason).decode()}")
    active = lib.lanewise_active_tier()
    for kernel in range(lib.lanewise_kernel_count()):
        name, implementation = lib.lanewise_kernel_name(kernel), lib.lanewise_kernel_implementation(kernel, active)
        lines.append(f"kernel {ffi.string(name).decode()}: {ffi.string(implementation).decode()}")
    return "\n".join(lines)


def selftest() -> list[str]:
    """Compares every tier that this CPU can run with scalar, bit for bit; what differs."""
    rng = random.Random(1)
    vectors = [[rng.gauss(0, 1) for _ in range(n)] for n in (1, 7, 31, 32, 100, 384, 1001)]
    strings = [rng.randbytes(rng.randrange(300)) for _ in range(200)]
    scores = [rng.random() for _ in range(5000)]

    def results() -> list[tuple[str, bytes]]:
        found = []
        for values in vectors:
            rows = [values[::-1], values]
            for function in (dot, cosine, l2sq):
                found.append((f"{function.__name__} of {len(values)}", bytes(memoryview(function(values, rows)))))
            found.append((f"normalize of {len(values)}", bytes(memoryview(normalize(values)))))
        found.append(("topk", b"".join(bytes(memoryview(part)) for part in topk(scores, 100))))
        found.append(("xxh3_64_batch", bytes(memoryview(xxh3_64_batch(strings)))))
        found += [(f"xxh3_64 of {len(s)} bytes", xxh3_64(s).to_bytes(8, "little")) for s in strings]
        return found

    before = active_tier()
    differences = []
    try:
        set_tier("scalar")
        expected = results()
        for tier in tiers():
            set_tier(tier)
            differences += [f"{tier}: {name}" for (name, value), (_, wanted) in zip(results(), expected) if value != wanted]
    finally:
        set_tier(before)
    return differences
