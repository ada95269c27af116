"""The marks of `roles.Marks` as one line of JSON, which every provider can keep somewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from pipelines.errors import ConflictError
from pipelines.roles import Lock, Marks

KEPT = 20
"""Of each kind; older ones are forgotten first."""


def written(marks: Marks) -> str:
    """Canonical: equal marks give equal text."""
    held = {
        "stable": list(marks.stable[:KEPT]),
        "failed": _newest(marks.failed),
        "withdrawn": _newest(marks.withdrawn),
        "restoring": marks.restoring,
        "lock": {key: value for key, value in asdict(marks.lock).items() if value} if marks.lock else {},
        "epoch": marks.epoch,
        "frozen": marks.frozen[:200],
        "held": marks.held[:200],
        "contracts": marks.contracts if marks.contracts != "0000" else "",
        "untold": marks.unannounced,
    }
    return json.dumps({key: value for key, value in held.items() if value}, separators=(",", ":"))


def read(text: str, legacy: str = "") -> Marks:
    """The marks in a text. `legacy`: what suites before this form kept, the stable keys separated by commas."""
    if not text:
        return Marks(stable=tuple(key for key in legacy.split(",") if key))
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = {}
    found = found if isinstance(found, Mapping) else {}
    stable = found.get("stable")
    return Marks(
        stable=tuple(map(str, stable)) if isinstance(stable, list) else (),
        failed=_reasons(found.get("failed")),
        withdrawn=_reasons(found.get("withdrawn")),
        restoring=str(found.get("restoring") or ""),
        lock=_lock(found.get("lock")),
        epoch=found["epoch"] if isinstance(found.get("epoch"), int) else 0,
        frozen=str(found.get("frozen") or ""),
        held=str(found.get("held") or ""),
        contracts=str(found.get("contracts") or "0000"),
        unannounced=str(found.get("untold") or ""),
    )


def with_stable(marks: Marks, key: str, release: str) -> Marks:
    """A deployment that proved good: it leads, no earlier failure of its release counts any more, and nothing is under way."""
    failed = {name: why for name, why in marks.failed.items() if name != release}
    stable = (key, *(each for each in marks.stable if each != key))
    return replace(marks, stable=stable, failed=failed, restoring="", lock=None, held="")


def require_lock(marks: Marks, lock: str, where: str) -> None:
    """Raises ConflictError unless the lock is held by this id; an empty one stands for nobody."""
    if (marks.lock.id if marks.lock is not None else "") == lock:
        return
    holder = marks.lock.says if marks.lock else "another process, which has finished since"
    raise ConflictError(
        f"stopped by {holder}",
        where=where,
        why="the lock at the provider, which the process that moves traffic holds, was taken by another",
        next_step="see `shipmate status`; this step changed nothing. To deliver it all the same, start the workflow again",
    )


def _lock(given: Any) -> Lock | None:
    if not isinstance(given, Mapping) or not given.get("id"):
        return None
    fields = ("id", "kind", "release", "base", "by", "run")
    return Lock(**{name: str(given.get(name) or "") for name in fields})


def _reasons(given: Any) -> dict[str, str]:
    """Nothing for what someone else wrote there in another form: a rollback must not end with a trace of it."""
    return {str(name): str(why) for name, why in given.items()} if isinstance(given, Mapping) else {}


def _newest(reasons: Mapping[str, str]) -> dict[str, str]:
    return {name: why[:200] for name, why in list(reasons.items())[-KEPT:]}
