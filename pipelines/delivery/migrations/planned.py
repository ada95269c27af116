"""Which migrations a release runs, as far as it can be told without the database: from the files of two commits and the ledger.

The job that plans reaches no database. What one has follows from what went out: a deployment runs every expand migration of its commit,
and contract migrations up to the number its record allows, which is the highest that the release serving before it knew. A deployment
that failed may have run its own already; so a contract migration counts as due when it may be, and the allowed number holds the job that
migrates to what was planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from pipelines.delivery.ledger import DEPLOY
from pipelines.delivery.resolve import migrations_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.delivery.context import Delivery
    from pipelines.delivery.ledger import Record
    from pipelines.github import GitHub

NONE = "0000"
"""Below every migration."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A migration that the database may not have yet."""

    component: str
    file: str
    runs: bool
    """Whether this release runs it; a contract migration may wait for a later one."""
    going_back: str
    """What it means for going back, for people."""

    @property
    def kind(self) -> str:
        return "contract" if ".contract." in self.file else "expand"

    @property
    def says(self) -> str:
        return f"{self.file} ({self.kind}): {self.going_back}"


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """The migrations of a release."""

    pending: tuple[Pending, ...] = ()
    allowed: Mapping[str, str] = field(default_factory=dict)
    """Component -> the highest contract migration that may run with this release."""

    def running(self, component: str, kind: str) -> list[str]:
        """Files of a kind that this release runs."""
        return [one.file for one in self.pending if (one.component, one.kind, one.runs) == (component, kind, True)]


def plan(delivery: Delivery, github: GitHub, commit: str) -> Migrations:
    """What a release of this commit runs in the environment."""
    components = delivery.manifest.components
    folders = {name: found for name in delivery.settings.targets if (found := components[name].migrations)}

    @cache
    def files(folder: str, at: str) -> frozenset[str]:
        return frozenset(migrations_at(github, folder, at))

    allowed: dict[str, str] = {}
    pending: list[Pending] = []
    for name, folder in folders.items():
        live = delivery.ledger.live(delivery.environment, name)
        allowed[name] = _highest(folders, files, live)
        has = _allowed_before(delivery, name)
        had = files(folder, live.commit) if live else frozenset()
        for file in sorted(files(folder, commit)):
            if ".expand." in file and file not in had:
                pending.append(_expand(name, file))
            elif ".contract." in file and file[:4] > has:
                pending.append(_contract(name, file, live, runs=file[:4] <= allowed[name]))
    return Migrations(pending=tuple(pending), allowed=allowed)


def _highest(folders: Mapping[str, str], files: Callable[[str, str], frozenset[str]], live: Record | None) -> str:
    """The schema that what is live carries with it: the highest migration of its commit, over all components."""
    if live is None:
        return NONE
    return max([NONE, *(name[:4] for folder in folders.values() for name in files(folder, live.commit))])


def _allowed_before(delivery: Delivery, component: str) -> str:
    """What the last planned deployment that went out was allowed: the database has those. Who says nothing may have run none."""
    listed = delivery.ledger.records(delivery.environment, limit=200, events=False)
    planned = (record for record in listed if record.task == DEPLOY and component in record.contracts)
    return next((r.contracts[component] for r in planned if delivery.ledger.read(r).went_out), NONE)


def _expand(component: str, file: str) -> Pending:
    return Pending(
        component=component,
        file=file,
        runs=True,
        going_back="before the candidate; earlier releases work with it, so going back stays possible",
    )


def _contract(component: str, file: str, live: Record | None, *, runs: bool) -> Pending:
    oldest = f"the earliest release to go back to is then {live.release}" if live else ""
    waits = "not with this release: with a later one, when all that serves knows it"
    return Pending(component=component, file=file, runs=runs, going_back=f"due now; {oldest}" if runs else waits)
