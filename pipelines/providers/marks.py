"""The marks of `roles.Marks` as one line of JSON, which every provider can keep somewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipelines.roles import Marks

KEPT = 20
"""Of each kind; older ones are forgotten first."""


def written(marks: Marks) -> str:
    """Canonical: equal marks give equal text."""
    held = {
        "stable": list(marks.stable[:KEPT]),
        "failed": _newest(marks.failed),
        "withdrawn": _newest(marks.withdrawn),
        "restoring": marks.restoring,
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
    )


def with_stable(marks: Marks, key: str, release: str) -> Marks:
    """A deployment that proved good: it leads, no earlier failure of its release counts any more, and no rollback is under way."""
    failed = {name: why for name, why in marks.failed.items() if name != release}
    return replace(marks, stable=(key, *(each for each in marks.stable if each != key)), failed=failed, restoring="")


def _reasons(given: Any) -> dict[str, str]:
    """Nothing for what somebody else wrote there in another form: a rollback must not end with a trace of it."""
    return {str(name): str(why) for name, why in given.items()} if isinstance(given, Mapping) else {}


def _newest(reasons: Mapping[str, str]) -> dict[str, str]:
    return {name: why[:200] for name, why in list(reasons.items())[-KEPT:]}
