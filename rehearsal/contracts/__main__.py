"""`python -m rehearsal.contracts`: fetch every provider's description and make ready what is read from it."""

from __future__ import annotations

import sys
import time

from rehearsal.contracts.command_lines import COMMAND_LINES
from rehearsal.contracts.contract import prepare
from rehearsal.contracts.fetch import ContractUnavailable, fetch
from rehearsal.contracts.sources import SOURCES


def main() -> int:
    """Print one line per description; exit 1, after trying all, when one could not be had."""
    failed = 0
    for source in SOURCES.values():
        began = time.perf_counter()
        try:
            fetch(source)
            prepare(source)
        except ContractUnavailable as error:
            print(f"contract {source.name}: {error}", file=sys.stderr)
            failed = 1
            continue
        seconds = time.perf_counter() - began
        print(f"contract {source.name}: {source.package} {source.version} ({seconds:.1f} s)")
    for source in COMMAND_LINES:
        try:
            fetch(source)
            print(f"command line {source.name}: {source.package} {source.version}")
        except ContractUnavailable as error:
            print(f"command line {source.name}: {error}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
