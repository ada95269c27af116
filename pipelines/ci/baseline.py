"""Where each check last passed below a change: what the change is compared with, check by check.

A check is green at a commit when a run of CI for that commit says so: its jobs succeeded, or they did not run and the required check is
green all the same. The second holds because a plan leaves out a check only when it is green further below and nothing it depends on
has changed since (docs/decisions/0401): so whatever is skipped rests on a run in which it passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.ci import changes, jobs, runs
from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest.model import Manifest

LOOKED_AT = 1000
"""Commits below the change, for those that CI knows; further back, everything is checked."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is to be checked, in git's and GitHub's terms."""

    tip: str
    """The newest commit that may have been checked: a push's own, the base of a pull request or of a merge group."""
    before: str
    """The tip of the branch before that; empty when it is not known."""
    branch: str
    """The branch it is on, or goes to."""
    default_branch: str


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A run in which a check passed."""

    commit: str
    """The commit it is compared from."""
    url: str


@dataclass(frozen=True, kw_only=True)
class Baselines:
    """What is known of each check. A check that is not in `passed` runs."""

    passed: Mapping[str, Passed]
    unknown: str = ""
    """Why nothing is known of any, when that is so."""


def find(github: GitHub, root: Path, manifest: Manifest, place: Place) -> Baselines:
    """For each check the newest commit at or below `place.tip` at which it is green; when GitHub cannot be asked, none."""
    try:
        return Baselines(passed=_Search(github, root, place).of(manifest))
    except ShipmateError as error:
        return Baselines(passed={}, unknown=f"GitHub cannot say what passed before: {error.what}")
    except changes.GitSaidNo as error:
        return Baselines(passed={}, unknown=f"git cannot say what came before: {error}")


class _Search:
    def __init__(self, github: GitHub, root: Path, place: Place) -> None:
        self.github, self.root, self.place = github, root, place

    def of(self, manifest: Manifest) -> dict[str, Passed]:
        titles = {name: set(check.titles(name).values()) for name, check in manifest.ci.checks.items()}
        found: dict[str, Passed] = {}
        for commit, known in self._commits():
            wanted = {name: jobs_of for name, jobs_of in titles.items() if name not in found}
            if not wanted:
                break
            found |= self._green_at(commit, known, wanted)
        return found

    def _commits(self) -> Iterator[tuple[str, Iterator[runs.Run]]]:
        """Each commit that CI knows, the newest first, and its runs. The tip may also have passed as a pull request's head."""
        tip = self.place.tip
        below = changes.ancestors(self.root, tip, LOOKED_AT)
        yield tip, self._at_tip()
        yield from (
            (commit, iter(self._pushed[commit])) for commit in below if commit != tip and commit in self._pushed
        )

    @cached_property
    def _pushed(self) -> dict[str, list[runs.Run]]:
        """Of this branch and of the default branch: both are protected. Another branch's pusher chooses what CI does there."""
        found: dict[str, list[runs.Run]] = {}
        for branch in dict.fromkeys((self.place.branch, self.place.default_branch)):
            for run in runs.ended_on(self.github, branch) if branch else ():
                found.setdefault(run.commit, []).append(run)
        return found

    def _at_tip(self) -> Iterator[runs.Run]:
        yield from self._pushed.get(self.place.tip, ())
        yield from runs.ended_in_queue(self.github, self.place.tip, self.place.branch)
        for head in self._same_tree():
            yield from runs.ended_for_pull(self.github, head)

    def _same_tree(self) -> Iterator[str]:
        """Heads of pull requests into this branch whose checked merge had the very files of the tip.

        That merge was of the head into the branch as it was then. When the head already has the branch as it was just before the
        tip, the merge is the head's own tree; and the tip's tree must be the same.
        """
        tip = self.place.tip
        pulls = self.github.find_json(f"/repos/{self.github.name}/commits/{tip}/pulls?per_page=100") or []
        for head in dict.fromkeys(str(pull["head"]["sha"]) for pull in pulls if self._goes_here(pull)):
            if head == tip or (self._has(head, self.place.before) and self._tree(head) == changes.tree(self.root, tip)):
                yield head

    def _goes_here(self, pull: Mapping[str, Any]) -> bool:
        return pull["base"]["ref"] == self.place.branch and (pull["state"] == "open" or bool(pull.get("merged_at")))

    def _has(self, head: str, before: str) -> bool:
        """Whether a head that this clone may lack descends from a commit."""
        if not before:
            return False
        compared = self.github.find_json(f"/repos/{self.github.name}/compare/{before}...{head}?per_page=1")
        return compared is not None and compared["status"] in ("ahead", "identical")

    def _tree(self, head: str) -> str:
        found = self.github.find_json(f"/repos/{self.github.name}/git/commits/{head}") or {}
        return str((found.get("tree") or {}).get("sha") or "")

    def _green_at(self, commit: str, known: Iterator[runs.Run], wanted: Mapping[str, set[str]]) -> Mapping[str, Passed]:
        """Of the wanted checks those that are green there. For each the newest run that tells counts; red there is not green."""
        verdicts: dict[str, bool] = {}
        green: dict[str, Passed] = {}
        for run in known:
            if len(verdicts) == len(wanted):
                break
            done = jobs.of_run(self.github, run.id)
            for name, titles in wanted.items():
                verdict = None if name in verdicts else _verdict(titles, done)
                if verdict is not None:
                    verdicts[name] = verdict
                if verdict:
                    green[name] = Passed(commit=commit, url=run.url)
        return green


def _verdict(titles: set[str], done: Sequence[jobs.Job]) -> bool | None:
    """Whether a check with jobs of these titles passed in a run; None when the run does not tell."""
    found = [job for job in done if job.title in titles]
    if any(job.conclusion != "success" for job in found):
        return False
    if found:
        return True if len(found) == len(titles) else None
    return True if runs.conclusion(done) == "success" else None
