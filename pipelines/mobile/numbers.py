"""Build numbers: one counter for each platform, which never gives a number twice and never goes back.

A number is taken, before anything is built with it, by creating the ref refs/shipmate/builds/android/42: that succeeds for exactly one of
many. The ref points to a note that says for which version and commit. The stores and EAS are asked as well, for numbers from before there
were notes; none of them tells every number it ever saw, so what was taken here stays, used or not.
Sources: docs.github.com/rest/git/refs, /rest/git/tags; for the highest number developer.android.com/studio/publish/versioning
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from pipelines.errors import ConflictError, RefusedError
from pipelines.faults import once
from pipelines.github import GitHubRefused

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest.mobile import Platform

FOLDER = "shipmate/builds"
"""Below refs/."""
MOST = 2_100_000_000
TRIES = 20
"""How often someone else may be faster."""
NOTES = 30
"""Of so many numbers, the highest, it is asked for what they were taken: a call each. A release that old is not built again."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A number, and what it was taken for."""

    number: int
    version: str = ""
    commit: str = ""
    run: str = ""
    """URL of the run that took it."""

    def is_for(self, version: str, commit: str) -> bool:
        return (self.version, self.commit) == (version, commit)


def choose(taken: Sequence[Taken], seen: Iterable[int], version: str, commit: str, *, above: int = 0) -> Taken | int:
    """The number to build with: one that was taken for this very version and commit already, else the next one, not taken yet.

    `seen`: what EAS and the store show. `above`: a number that turned out to be used by something else. Pure. Raises RefusedError when
    there is no number left.
    """
    own = [each for each in taken if each.is_for(version, commit) and each.number > above]
    if own:
        return max(own, key=lambda each: each.number)
    highest = max((above, *seen, *(each.number for each in taken)))
    if highest >= MOST:
        raise RefusedError(
            f"{highest} leaves no number for a build",
            where=f"refs/{FOLDER}",
            why=f"Google Play takes none above {MOST}",
            next_step="if no build has it, delete the ref that holds it: `gh api -X DELETE repos/OWNER/NAME/git/refs/…`",
        )
    return highest + 1


class Counter:
    """The numbers of one platform, kept in one repository."""

    def __init__(self, github: GitHub, platform: Platform) -> None:
        self._github = github
        self._at = f"/repos/{github.name}/git"
        self._below = f"{FOLDER}/{platform}"

    def taken(self) -> list[Taken]:
        """All that were, lowest first. One whose note is not read, or cannot be, is for nothing we know, and still taken."""
        # This list has no pages: GitHub gives all of it at once.
        listed = self._github.json("GET", f"{self._at}/matching-refs/{self._below}/")
        named = {raw["ref"].rpartition("/")[2]: raw["object"] for raw in listed}
        numbers = sorted(
            ((int(name), target) for name, target in named.items() if name.isdecimal()), key=lambda pair: pair[0]
        )
        older = [Taken(number=number) for number, _ in numbers[:-NOTES]]
        return [*older, *(self._noted(number, target) for number, target in numbers[-NOTES:])]

    def take(self, version: str, commit: str, seen: Iterable[int], *, run: str = "", above: int = 0) -> Taken:
        """The number for a build of this version and commit; the same one whenever it is asked for again.

        Raises RefusedError, ConflictError when others were faster every time, and what GitHub's calls raise.
        """
        shown = tuple(seen)
        for _ in range(TRIES):
            chosen = choose(self.taken(), shown, version, commit, above=above)
            if isinstance(chosen, Taken):
                return chosen
            wanted = Taken(number=chosen, version=version, commit=commit, run=run)
            if self._create(wanted):
                return wanted
        raise ConflictError(
            f"no number could be taken: someone else was faster {TRIES} times",
            where=f"refs/{self._below}",
            next_step="run it again when the other releases of the app have started to build",
        )

    def _create(self, wanted: Taken) -> bool:
        """Whether this call took it."""
        body = {
            "tag": f"{self._below.rpartition('/')[2]}-{wanted.number}",
            "message": json.dumps(asdict(wanted), sort_keys=True),
            "object": wanted.commit,
            "type": "commit",
        }
        note = once(
            lambda: self._github.json("POST", f"{self._at}/tags", body),
            lambda: None,  # a note that nothing points to harms nobody
            policy=self._github.policy,
        )
        ref = f"{self._below}/{wanted.number}"

        def write() -> bool:
            try:
                self._github.json("POST", f"{self._at}/refs", {"ref": f"refs/{ref}", "sha": note["sha"]})
            except GitHubRefused as error:
                if error.status != 422 or "already exists" not in error.what:
                    raise
                return bool(mine())
            return True

        def mine() -> bool | None:
            found = self._github.find_json(f"{self._at}/ref/{ref}")
            return None if found is None else bool(found["object"]["sha"] == note["sha"])

        return once(write, mine, policy=self._github.policy)

    def _noted(self, number: int, target: dict[str, Any]) -> Taken:
        if target["type"] != "tag":
            return Taken(number=number)
        try:
            found = json.loads(self._github.json("GET", f"{self._at}/tags/{target['sha']}")["message"])
            known = {field.name: str(found[field.name]) for field in fields(Taken) if field.name != "number"}
        except (KeyError, TypeError, ValueError):
            return Taken(number=number)
        return Taken(number=number, **known)
