"""Run the tools beside each other; a line for each as it ends, and everything they found at the end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from pipelines.lint.tools import Tool

TIMEOUT = 300.0
"""Seconds for one tool."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The output of one tool. An exit code that is not 0 is a failure, whatever the tool means by it."""

    tool: Tool
    passed: bool
    seconds: float
    text: str


def run_all(
    tools: Sequence[Tool],
    root: Path,
    *,
    report: Callable[[Outcome], None],
    fix: bool = False,
    workers: int | None = None,
) -> list[Outcome]:
    """Run them, the long ones first; `report` is called as each ends. What fixes files runs alone, before the others."""
    outcomes: list[Outcome] = []
    fixing = [tool for tool in tools if fix and tool.fix]
    for tool in fixing:
        outcomes.append(run_one(tool, root, fix=True))
        report(outcomes[-1])
    rest = sorted((tool for tool in tools if tool not in fixing), key=lambda tool: -tool.weight)
    with ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 2) as pool:
        for done in as_completed([pool.submit(run_one, tool, root) for tool in rest]):
            outcomes.append(done.result())
            report(outcomes[-1])
    return outcomes


def run_one(tool: Tool, root: Path, *, fix: bool = False) -> Outcome:
    """One tool, to its end. A tool that cannot run has failed: nothing was checked."""
    lacking = [path for path in tool.needs if not (root / path).exists()]
    if lacking:
        return Outcome(
            tool=tool, passed=False, seconds=0.0, text=f"{', '.join(lacking)} is not there\n  next: make setup"
        )
    argv = tool.fix if fix and tool.fix else tool.argv
    began = time.monotonic()
    try:
        done = subprocess.run(
            argv,
            cwd=root / tool.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=TIMEOUT,
        )
    except FileNotFoundError as error:
        return Outcome(tool=tool, passed=False, seconds=0.0, text=f"{error.filename} is not there\n  next: make setup")
    except subprocess.TimeoutExpired:
        return Outcome(tool=tool, passed=False, seconds=TIMEOUT, text=f"not done after {TIMEOUT:.0f} s")
    return Outcome(
        tool=tool,
        passed=done.returncode == 0,
        seconds=time.monotonic() - began,
        text=done.stdout.strip() or "(no output)",
    )
