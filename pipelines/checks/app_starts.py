"""Which starts of an app say how fast it is: those of the newest release with enough of them, without what was no start of a person's.

Releases are distinguished by their version, so that both stores' builds of one version are one release: `com.techmate.app@1.2.0+45` and
`mobile-v1.2.0` are 1.2.0.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipelines.errors import InvalidRun
from pipelines.roles import AppStart

ENOUGH = 300
"""Starts of a release from which on it is judged: 15 are to be expected above a 95th percentile."""
LONGEST_MS = 60_000
"""From here on the SDK itself reports nothing: no system lets an app take so long to start before a person's eyes."""
MOST_TOO_LONG = 0.05
"""A larger share of them could hide the 95th percentile itself."""
FILE = "starts.json"

TOO_LONG = "a minute or longer: the process was started in the background, long before anybody opened the app"
PREWARMED = "prewarmed: the system had begun the process before anybody opened the app"
NO_DURATION = "no duration"

_VERSION = re.compile(r"(\d+(?:\.\d+)+)(?:-([0-9A-Za-z.-]+))?")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The starts that are judged, and all that was left out."""

    release: str
    """Version of the release; empty when nothing was reported."""
    milliseconds: tuple[float, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Why -> how many, of this release."""
    newer: Mapping[str, int] = field(default_factory=dict)
    """Newer releases that have too few starts -> how many."""
    older: int = 0
    """How many starts older releases had."""
    unnamed: int = 0
    """How many starts came without a release."""

    def says(self) -> list[str]:
        """For people: what is judged, and what is not."""
        if not self.release:
            return ["no start of a release was reported"]
        lines = [f"{self.release}: {len(self.milliseconds):,} starts"]
        lines += [f"{count:,} left out, {why}" for why, count in self.left_out.items()]
        lines += [f"{release} is newer, and has {count:,} of {ENOUGH} starts" for release, count in self.newer.items()]
        lines += [f"{self.older:,} starts of older releases do not count"] if self.older else []
        lines += [f"{self.unnamed:,} starts came without a release and do not count"] if self.unnamed else []
        return lines


def choose(starts: Sequence[AppStart]) -> Judged:
    """Raises InvalidRun when more than one of twenty of the release's were too long to be believed."""
    groups: dict[str, list[AppStart]] = {}
    for start in starts:
        groups.setdefault(version_of(start.release), []).append(start)
    unnamed = len(groups.pop("", []))
    if not groups:
        return Judged(release="", milliseconds=(), unnamed=unnamed)
    releases = _newest_first(groups)
    plausible = {name: [start for start in groups[name] if not _why_not(start)] for name in releases}
    chosen = next((name for name in releases if len(plausible[name]) >= ENOUGH), releases[0])
    place = releases.index(chosen)
    left_out = Counter(why for start in groups[chosen] if (why := _why_not(start)))
    _require_believable(chosen, left_out[TOO_LONG], len(plausible[chosen]))
    return Judged(
        release=chosen,
        milliseconds=tuple(start.milliseconds for start in plausible[chosen]),
        left_out=dict(left_out),
        newer={name: len(plausible[name]) for name in releases[:place]},
        older=sum(len(groups[name]) for name in releases[place + 1 :]),
        unnamed=unnamed,
    )


def version_of(release: str) -> str:
    """The version in the name of a release, without its build; the whole name where there is none."""
    match = _VERSION.search(release.rpartition("@")[2].partition("+")[0])
    return match[0] if match else release


def write(judged: Judged, folder: Path) -> Path:
    """Keep it for the job that judges."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE
    file.write_text(json.dumps(asdict(judged), sort_keys=True))
    return file


def read(folder: Path) -> Judged:
    """What `write` kept. Raises InvalidRun."""
    file = folder / FILE
    try:
        kept = json.loads(file.read_text())
        return Judged(**{**kept, "milliseconds": tuple(float(each) for each in kept["milliseconds"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidRun(
            f"the app starts left no result: {error}",
            where=str(file),
            next_step="see the job *App starts*; run it again",
        ) from error


def _why_not(start: AppStart) -> str:
    """Why a start does not count; "" when it does."""
    if start.prewarmed:
        return PREWARMED
    if not math.isfinite(start.milliseconds) or start.milliseconds <= 0:
        return NO_DURATION
    return TOO_LONG if start.milliseconds >= LONGEST_MS else ""


def _require_believable(release: str, too_long: int, counted: int) -> None:
    if too_long <= MOST_TOO_LONG * (too_long + counted):
        return
    raise InvalidRun(
        f"{too_long:,} of {too_long + counted:,} starts of {release} took a minute or longer",
        where="app starts",
        why="so many may be no starts, or may be the slow ones: without them the 95th percentile would be another",
        next_step="use a newer SDK in the app, which reports no start of a process begun in the background (docs/PERFORMANCE.md)",
    )


def _newest_first(groups: Mapping[str, Sequence[AppStart]]) -> list[str]:
    """By version; where a name has none, by when their starts were on average: those of older releases become fewer."""
    keys = {name: _key(name) for name in groups}
    if all(keys.values()):
        return sorted(groups, key=lambda name: keys[name] or (), reverse=True)
    return sorted(
        groups, key=lambda name: sum(s.at.timestamp() for s in groups[name]) / len(groups[name]), reverse=True
    )


def _key(name: str) -> tuple[object, ...] | None:
    """Orders versions as semver does, a pre-release before its release; None without a version."""
    match = _VERSION.fullmatch(name)
    if match is None:
        return None
    numbers = tuple(int(part) for part in match[1].split("."))
    numbers += (0,) * (4 - len(numbers))
    parts = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else part) for part in (match[2] or "").split(".") if part
    )
    return (numbers, not parts, parts)
