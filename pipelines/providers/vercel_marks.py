"""The marks of `roles.Marks` in a plain variable of a project, each read back when it was written (docs/decisions/0007).

Vercel has no conditional write, and variables that cannot be read back: sensitive ones, which a team's policy may make of every other.
A mark that nobody can read again is none, so its writer does not go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pipelines import faults
from pipelines.clock import Clock
from pipelines.errors import ConflictError, ProviderError
from pipelines.faults import Policy
from pipelines.polling import Polling
from pipelines.providers.marks import read, require_lock, written
from pipelines.providers.vercel_api import VercelApi
from pipelines.roles import Marks

MARKS = "SHIPMATE_MARKS"
STABLE_BEFORE_MARKS = "SHIPMATE_SETTLED"
"""Where suites before `MARKS` kept the stable deployments: read, never written. Live deployments carry the name, so it stays."""
POLLING = Polling(interval=0.2, growth=2.0)
PATIENCE = 10.0
"""Seconds until a list must show what was written."""
ATTEMPTS = 3
"""How often a mark is written that others overwrite."""


class VercelMarks:
    """The marks of one project. `project` gives its id when it is first needed; `name` is for messages."""

    def __init__(self, api: VercelApi, project: Callable[[], str], policy: Policy, name: str) -> None:
        self._api, self._project, self._policy, self._name = api, project, policy, name

    @property
    def _path(self) -> str:
        return f"/v10/projects/{self._project()}/env"

    def read(self) -> Marks:
        """Raises ProviderError when they are there and cannot be read."""
        variables = self._api.call("GET", self._path)["envs"]
        found = {each["key"]: each for each in variables if each["key"] in (MARKS, STABLE_BEFORE_MARKS)}
        if MARKS in found and not _is_readable(found[MARKS]):
            raise self._unreadable(str(found[MARKS].get("type", "")))
        values = {key: str(each.get("value", "")) for key, each in found.items()}
        return read(values.get(MARKS, ""), values.get(STABLE_BEFORE_MARKS, ""))

    def change(self, change: Callable[[Marks], Marks]) -> None:
        """See roles.Host.mark. A variable of the project is seen by new deployments only, so writing it disturbs none.

        Raises ProviderError when the mark is not there afterwards, ConflictError when someone else took the lock meanwhile, or
        overwrites the mark again and again.
        """
        for _ in range(ATTEMPTS):
            before = self.read()
            wanted = change(before)
            if written(wanted) == written(before):
                return
            self._write(written(wanted))
            found = self._read_back(written(before), written(wanted))
            if written(found) == written(wanted):
                return
            # Someone wrote at the same moment what they had read before us. Unless it is the lock that they took, ours is added again.
            if found.lock not in (before.lock, wanted.lock):
                require_lock(found, wanted.lock.id if wanted.lock else "", self._name)
        raise ConflictError(
            "the mark is overwritten again and again",
            where=f"Vercel, {self._name}, {MARKS}",
            why="Vercel has no conditional write, and someone else marks at the same moments",
            next_step="see `shipmate status`, then run this again",
        )

    def _write(self, text: str) -> None:
        body = {"key": MARKS, "value": text, "type": "plain", "target": ["production"]}

        def write() -> bool:
            self._api.call("POST", self._path, params={"upsert": "true"}, body=body)
            return True

        faults.once(write, lambda: written(self.read()) == text or None, policy=self._policy)

    def _read_back(self, before: str, wanted: str) -> Marks:
        """The marks as soon as they are no more what they were. Raises ProviderError when they stay so."""
        clock = Clock.pausing(self._policy)
        for _ in POLLING.looks(clock, clock.deadline(PATIENCE)):
            found = self.read()
            if written(found) != before:
                return found
        raise ProviderError(
            "a mark was accepted and is not there",
            where=f"Vercel, {self._name}, {MARKS}",
            why=f"{PATIENCE:.0f} s later the project's variables still hold what they held before",
            next_step="look at vercel-status.com, then run this again: it goes on from what is there",
        )

    def _unreadable(self, kind: str) -> ProviderError:
        return ProviderError(
            "the marks of what is stable cannot be read",
            where=f"Vercel, {self._name}, {MARKS}",
            why=(
                f"the variable is {kind or 'of no known type'}, and such are never shown again: someone changed it, or a policy of the "
                "team makes every variable so"
            ),
            next_step=(
                "let the team have plain variables (Vercel → Team Settings → Security & Privacy), and delete the variable; then "
                "`shipmate rollback --to` names where to go, and `shipmate deploy` marks anew. To go back at once: Vercel → Deployments → "
                "Instant Rollback; those with `readySubstate` PROMOTED were live"
            ),
        )


def _is_readable(variable: Mapping[str, Any]) -> bool:
    """Whether its value is shown. A plain one is, whatever it holds; of other types, whose names Vercel changes, what is ours is JSON."""
    if variable.get("type") == "plain":
        return True
    try:
        return isinstance(json.loads(str(variable.get("value", ""))), dict)
    except ValueError:
        return False
