# SPDX-License-Identifier: Apache-2.0
"""python -m lanewise [info|selftest]"""

from __future__ import annotations

import argparse
import sys

from .runtime import selftest, show_runtime, tiers


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lanewise", description="SIMD kernels for retrieval and LLM text work.")
    parser.add_argument("command", choices=["info", "selftest"], nargs="?", default="info",
                        help="info: what runs here; selftest: whether every tier gives the same results (exit 1 if not)")
    if parser.parse_args().command == "info":
        print(show_runtime())
        return 0
    differences = selftest()
    for difference in differences:
        print(f"DIFFERENT from scalar: {difference}", file=sys.stderr)
    if not differences:
        print(f"{', '.join(tiers())}: the same results")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
