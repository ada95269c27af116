"""The release engine on generated repositories, beside bare git and other tools, in one run.

    .venv/bin/python -m benchmarks.release_history [--without-others] [--limit SECONDS]

Figures are the best of three runs (others: one run, with a time limit) and ratios to `git log` on the same repository. Every third message
is a dependency bot's, several KB long. Goals: a whole changelog of the large repository within 2.5x of `git log`; just after a release
the next version and its notes within 0.25 s, whatever the length of the history.
Correctness: how many of the tagged versions have a heading, how many stand twice, how many feat/fix/perf commits are missing.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks._release_repository import LARGE, MEDIUM, SMALL, Shape, make

ROOT = Path(__file__).resolve().parents[1]
OTHERS = ROOT / ".cache" / "release-others"
SHAPES = {"small": SMALL, "medium": MEDIUM, "large": LARGE}
_HEADING = re.compile(r"^#{1,3} +\[?v?(\d+\.\d+\.\d+)\b")


@dataclass
class Took:
    """One measurement; `seconds` None when the limit was hit."""

    seconds: float | None
    cpu: float
    megabytes: float
    text: str


def measure(argv: Sequence[str], folder: Path, *, limit: float, output: Path | None = None) -> Took:
    """Run a command to its end or to the limit; its wall time, its processor time and that of its children, its largest process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    with tempfile.TemporaryFile() as out:
        peak = ["/usr/bin/env", "python3", "-c", _PEAK, *argv]
        try:
            done = _run(peak, folder, out, limit)
        except subprocess.TimeoutExpired:
            return Took(None, limit, 0.0, "")
        seconds, megabytes = _told(done.stderr)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out.seek(0)
        text = (output.read_bytes() if output and output.exists() else out.read()).decode("utf-8", "replace")
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]} failed in {time.monotonic() - started:.1f} s: {done.stderr[-500:].decode()}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(seconds, cpu, megabytes, text)


def _run(argv: Sequence[str], folder: Path, out: IO[bytes], limit: float) -> subprocess.CompletedProcess[bytes]:
    """`subprocess.run` in a group of its own: what is out of time ends with everything it started. Raises TimeoutExpired."""
    with subprocess.Popen(
        argv, cwd=folder, stdout=out, stderr=subprocess.PIPE, env=_environ(), start_new_session=True
    ) as process:
        try:
            _, output = process.communicate(timeout=limit)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(argv, process.returncode, b"", output)


# A small parent tells time and peak memory of exactly one command: our own process has run others before.
_PEAK = """
import resource, subprocess, sys, time
started = time.perf_counter()
code = subprocess.call(sys.argv[1:])
seconds = time.perf_counter() - started
sys.stderr.write(f"\\n=took={seconds} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}")
sys.exit(code)
"""


def _told(stderr: bytes) -> tuple[float, float]:
    seconds, megabytes = stderr.rpartition(b"=took=")[2].split()
    return float(seconds), float(megabytes)


def _environ() -> dict[str, str]:
    kept = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "LC_ALL": "C.UTF-8"}
    return {**kept, "PYTHONPATH": str(ROOT), "GIT_PAGER": "cat", "NO_COLOR": "1"}


def best(argv: Sequence[str], folder: Path, *, limit: float) -> Took:
    return min((measure(argv, folder, limit=limit) for _ in range(3)), key=lambda took: took.seconds or limit)


def release(*arguments: str) -> list[str]:
    return [str(ROOT / ".venv/bin/python"), "-m", "release", *arguments]


def correctness(text: str, folder: Path) -> str:
    """Versions with a heading, of all; versions that stand twice; commits for users that are missing."""
    tags = {tag.removeprefix("v") for tag in _git(folder, "tag").split()}
    listed = Counter(found[1] for row in text.splitlines() if (found := _HEADING.match(row)))
    twice = sum(1 for version, count in listed.items() if count > 1 and version in tags)
    plain = re.sub(r"\s+", " ", text.replace("\\", "").lower())
    log = _git(folder, "log", "--no-merges", "--format=%s").splitlines()
    wanted = [
        found[1] for row in log if (found := re.match(r"(?:feat|fix|perf)(?:\([^)]*\))?!?: (.*?)(?: \(#\d+\))?$", row))
    ]
    there = Counter[str]()
    for subject in set(wanted):
        there[subject] = plain.count(subject.lower())
    missing = sum(max(0, count - there[subject]) for subject, count in Counter(wanted).items())
    return f"{len(tags & set(listed))}/{len(tags)} versions, {twice} twice, {missing}/{len(wanted)} commits missing"


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True).stdout


def _just_released(folder: Path) -> str:
    """The first commit after the newest release that makes another one."""
    newest = _git(folder, "describe", "--tags", "--abbrev=0").strip()
    later = _git(folder, "log", "--first-parent", "--reverse", "--format=%H %s", f"{newest}..HEAD").splitlines()
    return next(row.split()[0] for row in later if row.split()[1].startswith(("feat", "fix")))


def own(folder: Path, name: str, limit: float) -> None:
    log = best(["git", "log"], folder, limit=limit)
    row(name, "git log", log, log)
    changelog = best(release("changelog"), folder, limit=limit)
    row(name, "shipmate release changelog", changelog, log, correctness(changelog.text, folder))
    row(name, "shipmate release next", best(release("next"), folder, limit=limit), log)
    after = ("--commit", _just_released(folder))
    row(name, "… next, just after a release", best(release("next", *after), folder, limit=limit), log)
    row(name, "… notes, just after a release", best(release("notes", "--offline", *after), folder, limit=limit), log)


def row(name: str, what: str, took: Took, log: Took, more: str = "") -> None:
    if took.seconds is None or log.seconds is None:
        print(f"{name:7} {what:32} not finished in {took.cpu:.0f} s", flush=True)
        return
    ratio = took.seconds / log.seconds
    print(
        f"{name:7} {what:32} {took.seconds:7.2f} s {ratio:6.1f}x git log {took.megabytes:6.0f} MB  {more}", flush=True
    )


def install_others() -> bool:
    """git-cliff and python-semantic-release from PyPI, conventional-changelog from npm, in a folder of their own."""
    if (OTHERS / "ready").exists():
        return True
    OTHERS.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv", path=f"{ROOT / '.venv/bin'}:{os.environ['PATH']}")
    installer = [uv, "pip", "install", "--python", str(OTHERS / "v")] if uv else [str(OTHERS / "v/bin/pip"), "install"]
    npm = [
        "npm",
        "install",
        "--silent",
        "--prefix",
        str(OTHERS),
        "conventional-changelog",
        "conventional-changelog-conventionalcommits",
    ]
    for argv in (
        [sys.executable, "-m", "venv", str(OTHERS / "v")],
        [*installer, "-q", "git-cliff", "python-semantic-release"],
        npm,
    ):
        if subprocess.run(argv, check=False, capture_output=True).returncode != 0:
            print(f"not installed: {' '.join(argv[:4])} …")
            return False
    (OTHERS / "ready").touch()
    return True


def git_cliff(folder: Path, limit: float) -> Took:
    return measure([str(OTHERS / "v/bin/git-cliff")], folder, limit=limit)


def semantic_release(folder: Path, limit: float) -> Took:
    config = folder.parent / "psr.toml"
    config.write_text(
        '[semantic_release]\nallow_zero_version = true\n[semantic_release.changelog]\nmode = "init"\n'
        '[semantic_release.changelog.default_templates]\nchangelog_file = "PSR.md"\n'
    )
    argv = [str(OTHERS / "v/bin/semantic-release"), "-c", str(config), "changelog"]
    return measure(argv, folder, limit=limit, output=folder / "PSR.md")


def conventional_changelog(folder: Path, limit: float) -> Took:
    (folder / "package.json").write_text('{"name": "x", "version": "999.0.0"}')
    tool = str(OTHERS / "node_modules/.bin/conventional-changelog")
    return measure([tool, "-p", "conventionalcommits", "-r", "0", "--stdout"], folder, limit=limit)


OTHER_TOOLS: dict[str, Callable[[Path, float], Took]] = {
    "git-cliff": git_cliff,
    "python-semantic-release": semantic_release,
    "conventional-changelog": conventional_changelog,
}


def others(folder: Path, name: str, limit: float) -> None:
    log = best(["git", "log"], folder, limit=limit)
    _git(folder, "remote", "add", "origin", "https://github.com/techmate/platform.git")
    for tool, run in OTHER_TOOLS.items():
        try:
            took = run(folder, limit)
        except RuntimeError as error:
            print(f"{name:7} {tool:32} failed: {str(error).splitlines()[-1][:120]}", flush=True)
            continue
        row(name, tool, took, log, correctness(took.text, folder) if took.seconds else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--without-others", action="store_true", help="only this engine and git")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds each other tool may take")
    options = parser.parse_args()
    with_others = not options.without_others and install_others()
    for name, shape in SHAPES.items():
        with tempfile.TemporaryDirectory(prefix="release-history-") as base:
            _measure(Path(base), name, shape, options.limit, with_others=with_others and name != "small")


def _measure(base: Path, name: str, shape: Shape, limit: float, *, with_others: bool) -> None:
    print(f"-- {name}: {shape.commits:,} commits, {shape.tags:,} tags, {shape.files:,} files", flush=True)
    folder = make(base / "r", shape)
    own(folder, name, limit)
    if with_others:
        others(folder, name, limit)


if __name__ == "__main__":
    main()
