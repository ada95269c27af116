"""Deployments as Vercel lists and describes them, read into the words of roles.py; and how each gets the traffic back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipelines.roles import Deployed, Identity

MARK = "shipmate-"
"""Begins the names of what a deployment carries in its `meta`."""
FIELDS = ("release", "commit", "digest", "schema", "contracts", "run", "attempt", "by", "approved")
FAILED = ("ERROR", "CANCELED")
PROMOTED, ROLLING = "PROMOTED", "ROLLING"
"""`readySubstate`: had all the traffic, now or before; is being given it in steps. STAGED never had any."""
ROLLED_BACK = "by instant rollback"
PROMOTED_AGAIN = "by promoting it again: on Hobby, instant rollback reaches the one before what is live only"


def ways_back(listed: Sequence[Mapping[str, Any]], current: str, *, hobby: bool) -> dict[str, str]:
    """Deployment -> how it gets the traffic back, for each that was live before what is, where there is more than one way.

    That is on Hobby alone: instant rollback reaches the one right before (vercel.com/docs/instant-rollback), older ones are promoted
    once more.
    """
    now = next((raw for raw in listed if raw["uid"] == current), None)
    if now is None or not hobby:
        return {}
    earlier = [raw for raw in listed if raw.get("readySubstate") == PROMOTED and created(raw) < created(now)]
    earlier.sort(key=created, reverse=True)
    nearest = [raw for raw in earlier[:1] if raw.get("isRollbackCandidate") is not False]
    return {str(raw["uid"]): ROLLED_BACK if raw in nearest else PROMOTED_AGAIN for raw in earlier}


def deployed(raw: Mapping[str, Any], current: str) -> Deployed:
    """`raw` from a list or by itself; `current` is the key of what the public address shows."""
    key = str(raw.get("uid") or raw["id"])
    now = state_of(raw)
    return Deployed(
        key=key,
        url=f"https://{raw['url']}" if raw.get("url") else "",
        ready=now == "READY",
        identity=identity_of(raw),
        traffic=100 if key == current else 0,
        created=_iso(raw),
        state=now,
        problem=problem_of(raw) if now in FAILED else "",
    )


def identity_of(raw: Mapping[str, Any]) -> Identity | None:
    """None when it was not deployed by us."""
    meta = raw.get("meta") or {}
    marks = {field: str(meta.get(f"{MARK}{field}", "")) for field in FIELDS}
    if not (marks["release"] and marks["digest"]):
        return None
    return Identity(**{**marks, "schema": marks["schema"] or "0000", "contracts": marks["contracts"] or "0000"})


def state_of(raw: Mapping[str, Any]) -> str:
    """QUEUED, BUILDING, READY, …: lists and single deployments name it differently."""
    return str(raw.get("readyState") or raw.get("state") or "")


def problem_of(raw: Mapping[str, Any]) -> str:
    """Why it failed, in Vercel's words."""
    text = ": ".join(str(raw[key]) for key in ("errorCode", "errorMessage") if raw.get(key))
    return text or f"it is {state_of(raw)}"


def created(raw: Mapping[str, Any]) -> int:
    """Milliseconds since 1970; lists and single deployments name it differently."""
    return int(raw.get("createdAt") or raw.get("created") or 0)


def _iso(raw: Mapping[str, Any]) -> str:
    moment = created(raw)
    if not moment:
        return ""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
