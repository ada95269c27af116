"""How long the rehearsal takes, where the time goes, and what its runs ask GitHub: the quick start alone, then all the usual stories.

`python -m benchmarks.rehearsal`. The goals on two cores: 90 s and 180 s, our own actions under a fifth; under 150 requests for a release to
production, of the 1,000 an hour that GitHub gives a repository.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

GOALS = {("--story", "quick-start"): 90, (): 180}


def measure(arguments: tuple[str, ...]) -> dict[str, Any]:
    """The report of one rehearsal."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-P", "-m", "pipelines.cli", "rehearse", "--output", folder, "--json", *arguments]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        report: dict[str, Any] = json.loads((Path(folder) / "report.json").read_text())
        return report


def main() -> None:
    for arguments, goal in GOALS.items():
        report = measure(arguments)
        seconds = float(str(report["ended"])) - float(str(report["started"]))
        print(f"shipmate rehearse {' '.join(arguments)}: {seconds:.0f} s (goal {goal} s)")
        shares = report["time_shares"]
        assert isinstance(shares, list)
        for share in shares:
            print(f"  {share['part'] * 100:5.1f} %  {share['seconds']:6.1f} s  {share['activity']}")
        for workflow, most in requests(report).items():
            print(f"  {most:5} requests to GitHub at the most for a run of {workflow}")


def requests(report: dict[str, Any]) -> dict[str, int]:
    """Workflow -> the most requests that a run of it made."""
    found: dict[str, int] = {}
    for story in report["stories"]:
        for run in story["runs"]:
            found[run["workflow"]] = max(found.get(run["workflow"], 0), int(run["github_requests"]))
    return found


if __name__ == "__main__":
    main()
