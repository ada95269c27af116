"""Twelve defects, planted one after the other in the built page: each must fail the test that is meant for it, with a message naming it.

`python -m benchmarks.planted_defects [--healthy RUNS]`. Builds apps/web once. The page as it is must pass the same tests first; with
--healthy the whole suite then runs so often without being tried again, and not one test may fail. Exit 1 where anything is otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._defects import Defect, defects
from benchmarks._planting import plant
from e2e import local
from e2e.browser import fetched


@dataclass(frozen=True)
class Place:
    """The page that is served, and where it is as it should be."""

    served: Path
    built: Path
    environ: dict[str, str]

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of the tests."""
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments]
        ran = subprocess.run(
            argv,
            cwd=local.ROOT,
            env={**os.environ, **fetched(), **self.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr

    def plant(self, defect: Defect) -> None:
        """Raises SystemExit where the build holds nothing of the kind."""
        plant(defect.name, self.served, defect.glob, defect.pattern, defect.becomes)

    def restore(self) -> None:
        """The page as it was built."""
        shutil.copytree(self.built, self.served, dirs_exist_ok=True)


@contextmanager
def silent_server() -> Iterator[str]:
    """Its connections are opened by the system, and nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def named(place: Place, defect: Defect) -> tuple[bool, str]:
    """Whether its test failed for it, and the line that says so."""
    place.plant(defect)
    file = next(
        file
        for file in (local.ROOT / "e2e").glob("test_*.py")
        if f"def {defect.test.partition('[')[0]}(" in file.read_text()
    )
    test = defect.test if "[" in defect.test else f"{defect.test}[chromium]"
    code, result = place.run(f"{file.relative_to(local.ROOT)}::{test}")
    place.restore()
    line = next((line for line in result.splitlines() if not line.startswith(">") and re.search(defect.says, line)), "")
    return code == 1 and bool(line), line.removeprefix("E").strip() or result[-2000:]


def main() -> int:
    """Print a line for each defect; 1 where one is not named, or a healthy page fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--healthy", type=int, default=1, metavar="RUNS", help="so often the whole suite, which may not fail"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, silent_server() as silent:
        subprocess.run(
            ["npm", "--prefix", str(local.ROOT / "apps/web"), "run", "build"], check=True, stdout=subprocess.DEVNULL
        )
        served = Path(folder) / "dist"
        shutil.copytree(local.DIST, served)
        with local.running(build=False, folder=served) as environ:
            place = Place(served, local.DIST, environ)
            missed = [defect.name for defect in defects(silent) if not _told(place, defect)]
            flakes = _healthy(place, options.healthy)
    print(
        f"{len(defects(silent)) - len(missed)} of {len(defects(silent))} defects are named by the test that is meant for them"
    )
    return 1 if missed or flakes else 0


def _told(place: Place, defect: Defect) -> bool:
    started = time.monotonic()
    is_named, line = named(place, defect)
    print(
        f"{'named ' if is_named else 'MISSED'} {defect.name} ({time.monotonic() - started:.1f} s)\n       {line}",
        flush=True,
    )
    return is_named


def _healthy(place: Place, runs: int) -> int:
    failed = 0
    for number in range(1, runs + 1):
        code, result = place.run("e2e")
        failed += code != 0
        if code:
            print(result[-3000:])
        if number % 10 == 0:
            print(f"after {number} runs: {failed} failed", flush=True)
    print(f"{runs} runs of the whole suite on the page as it is: {failed} failed", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
