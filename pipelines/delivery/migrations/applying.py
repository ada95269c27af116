"""Apply what is due at one database: all of it judged and tried on the rows there are, before the first migration runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pipelines.delivery.migrations import files as schema
from pipelines.delivery.migrations import runner, trial


def apply(
    address: str,
    folder: Path,
    *,
    component: str,
    phases: Sequence[str],
    release: str,
    serving: Sequence[str],
    reading: str = "",
    say: Callable[[str], object] = lambda line: None,
    before: Callable[[], object] = lambda: None,
) -> list[str]:
    """The file names of what was applied, phase after phase; asked again, it applies nothing.

    `serving`: as `files.plan` takes it. `reading`: the address that rows are counted at, where it is another one. `before` is called once
    nothing speaks against them. Raises RefusedError when what is due breaks a rule or rows do not fit it, and what `runner.run` raises.
    """
    require_fit(address, folder, component=component, phases=phases, serving=serving, reading=reading, say=say)
    before()
    return [
        name for phase in phases for name in runner.run(address, folder, phase=phase, release=release, serving=serving)
    ]


def require_fit(
    address: str,
    folder: Path,
    *,
    component: str,
    phases: Sequence[str],
    serving: Sequence[str],
    reading: str = "",
    say: Callable[[str], object] = lambda line: None,
) -> None:
    """Raises RefusedError when what is due breaks a rule, or the rows do not fit it; nothing is changed."""
    pending = runner.pending(address, folder, serving=serving if "contract" in phases else [])
    if not pending:
        return
    contract = [migration.file for migration in pending if migration.kind == "contract"]
    found = trial.before_migrating(reading or address, component, schema.read(folder), contract)
    for line in found.lines():
        say(line)
    trial.require(found)
