"""Make the environment: `.venv`, Node modules, the providers' descriptions, the services of the rehearsal. Nothing but Python is needed.

python3 setup_environment.py                 everything; done in no time when nothing changed
python3 setup_environment.py --only python   one part (python, node, contracts, services; bench, never without being asked for); repeatable
python3 setup_environment.py --force         look at everything again
python3 setup_environment.py --lock          resolve pyproject.toml and requirements/*.in again (--upgrade: to the newest versions)
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python is pointed at
    sys.exit(
        "Python 3.11 or newer is needed, this is "
        + sys.version.split()[0]
        + ". Name one that is there, 3.11 to 3.14: make setup PYTHON=python3.13"
    )

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines.errors import LocalError
from pipelines.toolchain import home as homes
from pipelines.toolchain import node, python, world

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BENCH_VENV = ROOT / ".venv-bench"
"""The programs of others that benchmarks compare with: apart, so that nothing else can come to need them."""
NODE_FOLDERS = ("apps/web", "pipelines/lint/node")
"""Not apps/mobile: its packages are 400 MB, and its tests need none of them."""
PARTS = ("python", "node", "contracts", "services")
ASKED_FOR = ("bench",)
"""Parts that nobody gets without naming them."""


def say(text: str) -> None:
    sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


def node_folders() -> list[Path]:
    return [ROOT / folder for folder in NODE_FOLDERS]


def is_ready(part: str, home: Path) -> bool:
    """Whether a part is as this checkout requires it, from files alone."""
    if part == "python":
        return python.holds(VENV, python.wanted(ROOT, [python.DEV]))
    if part == "bench":
        return python.holds(BENCH_VENV, python.wanted(ROOT, [python.BENCH]))
    if part == "node":
        return all(node.fits(folder, home) for folder in node_folders())
    return world.ready(part, ROOT, home)


def make(part: str, home: Path) -> None:
    """Make one part. Raises LocalError."""
    if part == "python":
        from pipelines.toolchain import uv

        python.build(VENV, [python.DEV], uv=uv.ensure(home, say), root=ROOT, home=home, say=say)
    elif part == "bench":
        from pipelines.toolchain import uv

        python.build(BENCH_VENV, [python.BENCH], uv=uv.ensure(home, say), root=ROOT, home=home, say=say)
    elif part == "node":
        for folder in node_folders():
            node.ensure(folder, home, say)
    else:
        world.ensure(part, python=VENV / "bin" / "python", root=ROOT, home=home, say=say)


def set_up(parts: Sequence[str], home: Path, *, force: bool) -> list[LocalError]:
    """Make what is not ready, and go on past what cannot be had; the problems."""
    if not force and all(is_ready(part, home) for part in parts):
        return []
    problems: list[LocalError] = []
    with homes.locked(home, say):
        for part in parts:
            # Asked again under the lock: another set-up may just have made it.
            if not force and is_ready(part, home):
                continue
            try:
                make(part, home)
            except LocalError as problem:
                problems.append(problem)
                if part == "python":
                    break
    return problems


def lock(home: Path, *, upgrade: bool) -> list[LocalError]:
    from pipelines.toolchain import lock as locks
    from pipelines.toolchain import uv

    with homes.locked(home, say):
        locks.resolve(ROOT, uv.ensure(home, say), say, upgrade=upgrade)
    return []


def guarded(work: Callable[[], list[LocalError]]) -> list[LocalError]:
    try:
        return work()
    except LocalError as problem:
        return [problem]


def main(argv: Sequence[str] | None = None) -> int:
    """0 when everything asked for is there, 11 when something could not be had: each is named with the command that gets it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = (*PARTS, *ASKED_FOR)
    parser.add_argument("--only", action="append", choices=known, metavar="PART", help=", ".join(known))
    parser.add_argument("--force", action="store_true", help="look at everything again")
    parser.add_argument("--lock", action="store_true", help="resolve requirements/*.in again")
    parser.add_argument("--upgrade", action="store_true", help="with --lock: to the newest versions")
    options = parser.parse_args(argv)
    home = homes.folder()
    parts = [part for part in known if part in (options.only or PARTS)]
    if options.lock:
        problems = guarded(lambda: lock(home, upgrade=options.upgrade))
    else:
        problems = guarded(lambda: set_up(parts, home, force=options.force))
    for problem in problems:
        sys.stderr.write(f"\nnot there: {problem}\n")
    return LocalError.exit_code if problems else 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; `make setup` again goes on where it stopped\n")
        raise SystemExit(130) from None
