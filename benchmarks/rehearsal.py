"""How long the rehearsal takes, and where the time goes: the quick start alone, then all the usual stories.

`python -m benchmarks.rehearsal`. The goals on two cores: 90 s and 180 s, our own actions under a fifth.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

GOALS = {("--story", "quick-start"): 90, (): 180}


def measure(arguments: tuple[str, ...]) -> dict[str, object]:
    """The report of one rehearsal."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-P", "-m", "pipelines.cli", "rehearse", "--output", folder, "--json", *arguments]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        report: dict[str, object] = json.loads((Path(folder) / "report.json").read_text())
        return report


def main() -> None:
    for arguments, goal in GOALS.items():
        report = measure(arguments)
        seconds = float(str(report["ended"])) - float(str(report["started"]))
        print(f"shipmate rehearse {' '.join(arguments)}: {seconds:.0f} s (goal {goal} s)")
        shares = report["shares"]
        assert isinstance(shares, list)
        for share in shares:
            print(f"  {share['part'] * 100:5.1f} %  {share['seconds']:6.1f} s  {share['what']}")


if __name__ == "__main__":
    main()
