"""What `update:insights` prints (update/insights/formatInsights.js of npm eas-cli 24.8.0)."""

from __future__ import annotations

import datetime
from typing import Any

from rehearsal.eas.refusal import Failed
from rehearsal.eas.session import Session

DAYS = 7


def summary(session: Session, group: str) -> dict[str, Any]:
    """By platform: totals, crash rate in percent, and days. Raises Failed."""
    call = session.call
    if call["end"] and not call["start"]:
        raise Failed("--end requires --start. Pass both, or use --days instead.")
    days = call["days"] or (None if call["start"] else DAYS)
    now = datetime.datetime.now(datetime.UTC)
    start = _written(now - datetime.timedelta(days=days)) if days else _checked(call["start"], "--start")
    end = _checked(call["end"], "--end") if call["end"] else _written(now)
    found = session.api.ask("insights", group=group, start=start, end=end)
    span = {"start": start, "end": end, "daysBack": days}
    platforms = sorted((_platform(one) for one in found), key=lambda one: str(one["platform"]))
    return {"groupId": group, "timespan": span, "platforms": platforms}


def _platform(one: dict[str, Any]) -> dict[str, Any]:
    held = one["insights"]
    installs, failed = held["totalInstalls"], held["totalFailedInstalls"]
    return {
        "platform": one["platform"],
        "updateId": one["id"],
        "totals": {
            "uniqueUsers": held["totalUniqueUsers"],
            "installs": installs,
            "failedInstalls": failed,
            "crashRatePercent": failed / (installs + failed) * 100 if installs + failed else 0,
        },
        "payload": {
            "launchAssetCount": held["launchAssetCount"],
            "averageUpdatePayloadBytes": held["averageUpdatePayloadBytes"],
        },
        "daily": held["daily"],
    }


def _checked(moment: str, flag: str) -> str:
    try:
        datetime.datetime.fromisoformat(moment)
    except ValueError:
        raise Failed(f'Invalid {flag} date: "{moment}"') from None
    return moment


def _written(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
