"""How long an action or a command takes to its own first line of work, beside what nobody can beat and what everybody pays.

`python -m benchmarks.startup [--runs 9] [--json]`. Each program is a whole process: the interpreter, every import before `main` is entered,
and the exit. The bare interpreter and `import github` are measured in the same rounds; the ratio is what holds on another machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BARE, GITHUB = "python, nothing else", "python, import github"
LIMIT = 0.2
"""Seconds: the goal for an action or a command."""


def programs() -> dict[str, list[str]]:
    """Name -> arguments for Python. Actions by their folders, commands by the table of contents."""
    from pipelines.cli import COMMANDS

    found = {BARE: ["-c", "pass"], GITHUB: ["-c", "import github"]}
    for file in sorted((ROOT / "actions").glob("*/__main__.py")):
        name = file.parent.name
        found[f"action {name}"] = ["-c", f"from actions.{name} import main; from pipelines.runtime import run"]
    found["make setup, nothing to do"] = ["setup_environment.py", "--only", "python", "--only", "node"]
    found["shipmate --help"] = ["-m", "pipelines.cli", "--help"]
    for name, (module, _, _) in COMMANDS.items():
        if (ROOT / module.replace(".", "/")).with_suffix(".py").is_file():
            found[f"shipmate {name}"] = ["-m", "pipelines.cli", name, "--help"]
    return found


def measure(programs: Mapping[str, Sequence[str]], runs: int) -> dict[str, float]:
    """Median seconds of each; rounds go through all of them, so that a busy moment hits all alike. A program that fails raises."""
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(runs + 1):
        for name, arguments in programs.items():
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-P", *arguments], cwd=ROOT, env=_environment(), check=True, capture_output=True
            )
            taken[name].append(time.perf_counter() - began)
    # The first round fills the caches of the disk and of compiled modules.
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def _environment() -> dict[str, str]:
    import os

    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def table(medians: Mapping[str, float]) -> str:
    """A line for each, with its time, how many bare interpreters that is, and whether it is over the limit."""
    lines = [f"{'program':<28} {'ms':>5}  x bare  x github"]
    for name, seconds in medians.items():
        over = "  over 200 ms" if seconds > LIMIT and name not in (BARE, GITHUB) else ""
        lines.append(
            f"{name:<28} {seconds * 1000:5.0f}  {seconds / medians[BARE]:6.1f}  {seconds / medians[GITHUB]:8.2f}{over}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when every action and command is within the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    medians = measure(programs(), options.runs)
    print(json.dumps(medians, indent=2) if options.json else table(medians))
    return 0 if all(seconds <= LIMIT for name, seconds in medians.items() if name not in (BARE, GITHUB)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
