"""The traffic of a Cloud Run service as a value: who gets how much, and which tags point where. Pure.

In the API it is one list of targets (discovery document run.v2, TrafficTarget); here percents and tags are kept apart, and
written back as one target for each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.errors import InputError, RefusedError

BY_REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
CANDIDATE, LIVE = "c-", "l-"
"""Our tags begin with one of these; others are left alone."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """`percents`: revision -> 1 to 100, 100 in all (or empty); `tags`: tag -> revision."""

    percents: Mapping[str, int]
    tags: Mapping[str, str]

    @classmethod
    def asked(cls, service: Mapping[str, Any]) -> Traffic:
        """What was asked for; "latest" is read as the revision it means now."""
        return cls._of(service.get("traffic", ()), short(service.get("latestReadyRevision", "")))

    @classmethod
    def actual(cls, service: Mapping[str, Any]) -> Traffic:
        """What is in effect."""
        return cls._of(service.get("trafficStatuses", ()), short(service.get("latestReadyRevision", "")))

    @classmethod
    def _of(cls, targets: Any, latest: str) -> Traffic:
        percents: dict[str, int] = {}
        tags: dict[str, str] = {}
        for target in targets:
            revision = short(target.get("revision", "")) or latest
            percent = int(target.get("percent", 0))
            if revision and percent:
                percents[revision] = percents.get(revision, 0) + percent
            if revision and target.get("tag"):
                tags[target["tag"]] = revision
        return cls(percents=percents, tags=tags)

    def tagged(self, revision: str, tag: str, *, drop: str = "", keep: Collection[str] = ()) -> Traffic:
        """With one more tag; other tags that begin with `drop` are taken away, but for those of the revisions in `keep`."""
        kept = {name: at for name, at in self.tags.items() if not (drop and name.startswith(drop)) or at in keep}
        return Traffic(percents=self.percents, tags={**kept, tag: revision})

    def untagged(self) -> Traffic:
        """Without our tags."""
        kept = {name: at for name, at in self.tags.items() if not name.startswith((CANDIDATE, LIVE))}
        return Traffic(percents=self.percents, tags=kept)

    def tag_of(self, revision: str) -> str:
        """One of our tags that points at a revision, or nothing."""
        ours = [tag for tag, at in self.tags.items() if at == revision and tag.startswith((CANDIDATE, LIVE))]
        return ours[0] if ours else ""

    def shifted(self, revision: str, percent: int) -> Traffic:
        """`percent` for one revision; the others keep their proportions of the rest. Raises InputError, RefusedError."""
        if not 1 <= percent <= 100:
            raise InputError(
                f"{percent} is no share of traffic",
                why="it is a whole number from 1 to 100",
                next_step="correct `shift` in shipmate.yml",
            )
        others = {name: share for name, share in self.percents.items() if name != revision}
        if percent == 100:
            return Traffic(percents={revision: 100}, tags=self.tags)
        if not others:
            raise RefusedError(
                f"{revision} cannot have {percent} % only",
                why="no other revision has traffic that could take the rest",
                next_step="give it 100 %",
            )
        return Traffic(percents={revision: percent, **_spread(others, 100 - percent)}, tags=self.tags)

    def body(self) -> list[dict[str, Any]]:
        """As the API takes it: always by revision, adding up to 100."""
        shares = [
            {"type": BY_REVISION, "revision": revision, "percent": percent}
            for revision, percent in sorted(self.percents.items())
        ]
        tags = [{"type": BY_REVISION, "revision": revision, "tag": tag} for tag, revision in sorted(self.tags.items())]
        return [*shares, *tags]


def _spread(shares: Mapping[str, int], total: int) -> dict[str, int]:
    """`total` in the proportions of `shares`, in whole numbers (largest remainder); who comes to nothing is left out."""
    before = sum(shares.values())
    exact = {name: total * share / before for name, share in shares.items()}
    floor = {name: int(value) for name, value in exact.items()}
    by_rest = sorted(exact, key=lambda name: (floor[name] - exact[name], name))
    for name in by_rest[: total - sum(floor.values())]:
        floor[name] += 1
    return {name: value for name, value in floor.items() if value}


def short(name: str) -> str:
    """The last part of a resource name."""
    return name.rpartition("/")[2]
