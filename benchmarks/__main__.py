"""Run every benchmark in turn; each prints its figures beside its goal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Exit 1 when one of them failed to run; a goal that was missed is for a reader to judge."""
    failed = []
    for file in sorted(HERE.glob("[a-z]*.py")):
        print(f"\n== {file.stem}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{file.stem}"], check=False, cwd=HERE.parent).returncode:
            failed.append(file.stem)
    if failed:
        print(f"\nfailed to run: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
