"""Dates of commits: whatever a clock or a stranger wrote, as a moment of a calendar."""

from __future__ import annotations

from datetime import UTC, datetime

_LAST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


def seconds(text: str) -> int:
    """Seconds since 1970 as git prints them. It prints nothing for a date that it cannot read: that is 0."""
    try:
        return int(text)
    except ValueError:
        return 0


def moment(time: int) -> datetime:
    """The moment so many seconds after 1970, in UTC; the calendar's last or first day where it is none."""
    return datetime.fromtimestamp(min(max(time, 0), _LAST), UTC)
