"""From a tag to what may be released: its commit, and the artifacts that staging proved. Resolved once; the commit is carried from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.errors import InputError, RefusedError
from pipelines.flows.delivery import Candidate

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.ledger import Ledger, Record
    from pipelines.manifest.model import Manifest


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A version that may be released."""

    candidate: Candidate
    author: str
    """Login of the author of its commit; empty if unknown to GitHub."""
    staged: Record
    live: Record | None
    """What the ledger has as live in the target environment."""
    changes: tuple[Change, ...] = ()
    released_already: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """One commit between what is live and what is to be released."""

    commit: str
    title: str
    author: str
    pull_request: int | None = None
    migrations: tuple[str, ...] = field(default=())


def resolve(
    github: GitHub, ledger: Ledger, manifest: Manifest, environment: str, version: str, schema: str
) -> Resolved:
    """Everything checked that can be before anybody is asked. Raises InputError, RefusedError."""
    commit = tag_commit(github, version)
    _require_on_main(github, version, commit)
    _require_green(github, version, commit)
    staged = _staged(ledger, version, commit)
    live = ledger.live(environment)
    digests = dict(staged.artifacts)
    already = _compare_with_live(github, ledger, environment, version, commit, digests)
    candidate = Candidate(release=version, commit=commit, artifacts=references_of(manifest, digests), schema=schema)
    return Resolved(
        candidate=candidate,
        author=author_of(github, commit),
        staged=staged,
        live=live,
        changes=changes(github, live.commit if live else None, commit),
        released_already=already,
    )


def tag_commit(github: GitHub, version: str) -> str:
    """The commit a tag names, annotated tags peeled. Raises InputError naming the nearest tags there are."""
    reference = github.find_json(f"/repos/{github.name}/git/ref/tags/{_quoted(version)}")
    if reference is None:
        raise InputError(
            f"there is no tag {version!r}",
            where=github.name,
            why=_known_tags(github),
            next_step=f"git tag {version} && git push origin {version}, or dispatch with a tag that exists",
        )
    target: dict[str, Any] = reference["object"]
    while target["type"] == "tag":
        target = github.json("GET", f"/repos/{github.name}/git/tags/{target['sha']}")["object"]
    return str(target["sha"])


def require_unmoved(github: GitHub, version: str, commit: str) -> None:
    """Compare the tag again before something final. Raises RefusedError."""
    now = tag_commit(github, version)
    if now != commit:
        raise RefusedError(
            f"the tag {version} was moved from {commit[:7]} to {now[:7]}",
            where=github.name,
            why="what was planned and approved is not what the tag names now",
            next_step="never move a published tag: make a new version; a tag ruleset prevents this",
        )


def _known_tags(github: GitHub) -> str:
    tags = github.json("GET", f"/repos/{github.name}/tags?per_page=5")
    return "newest tags: " + (", ".join(tag["name"] for tag in tags) or "none")


def _require_on_main(github: GitHub, version: str, commit: str) -> None:
    lines = ["main", *_maintenance_branches(github, version)]
    for branch in lines:
        compared = github.find_json(f"/repos/{github.name}/compare/{_quoted(branch)}...{commit}")
        if compared is not None and compared["status"] in ("behind", "identical"):
            return
    raise RefusedError(
        f"{version} ({commit[:7]}) is neither on main nor on its maintenance line",
        where=github.name,
        why="a tag on another branch was never reviewed nor verified on staging",
        next_step="merge it to main, let staging verify it, and tag the merged commit",
    )


def _maintenance_branches(github: GitHub, version: str) -> list[str]:
    """release/1.x and release/1.2.x for v1.2.3, as far as they exist."""
    parts = version.lstrip("v").split(".")
    wanted = [f"release/{parts[0]}.x", f"release/{'.'.join(parts[:2])}.x"]
    found = github.json("GET", f"/repos/{github.name}/git/matching-refs/heads/release/")
    names = {ref["ref"].removeprefix("refs/heads/") for ref in found}
    return [name for name in wanted if name in names]


def _require_green(github: GitHub, version: str, commit: str) -> None:
    runs = github.json("GET", f"/repos/{github.name}/commits/{commit}/check-runs?check_name=ci&per_page=100")[
        "check_runs"
    ]
    newest = max(runs, key=lambda run: run["id"], default=None)
    if newest is not None and newest["conclusion"] in ("success", "skipped"):
        return
    said = "did not run" if newest is None else newest["conclusion"] or f"is still {newest['status']}"
    raise RefusedError(
        f"CI of {version} ({commit[:7]}) {said}",
        where=newest["html_url"] if newest else github.name,
        why="only what CI found well may be released",
        next_step="wait for it, or mend it on main and tag the mended commit",
    )


def _staged(ledger: Ledger, version: str, commit: str) -> Record:
    records = [record for record in ledger.records("staging", events=False) if record.commit == commit]
    for record in ledger.records("staging") if records else []:
        if (
            record.commit == commit
            and record.task == "shipmate"
            and any(event.state == "success" for event in record.events)
        ):
            return record
    raise RefusedError(
        f"{version} ({commit[:7]}) was not verified on staging",
        where="the ledger of staging",
        why="its staging deployment failed or is not finished" if records else "this commit never went to staging",
        next_step="see the runs of *Deploy to Staging* for that commit; re-run the failed one, then dispatch again",
    )


def _compare_with_live(
    github: GitHub, ledger: Ledger, environment: str, version: str, commit: str, digests: dict[str, str]
) -> bool:
    """Whether this version is released already. Raises RefusedError when it went out with another digest, or a higher one did."""
    import semver

    for record in ledger.records(environment):
        if record.task != "shipmate" or not any(event.state == "success" for event in record.events):
            continue
        if record.release == version and dict(record.artifacts) != digests:
            raise RefusedError(
                f"{version} was released already with other digests",
                where=record.run,
                why=f"then: {_shown(record.artifacts)}; now: {_shown(digests)}",
                next_step="make a new version: one name never means two things",
            )
        if record.release == version and record.state == "success":
            live = ledger.live(environment)
            return live is not None and live.release == version
        if record.state == "success" and _version(semver, record.release) > _version(semver, version):
            raise RefusedError(
                f"{version} is lower than {record.release}, which is live",
                where=environment,
                why="a lower version would take back what users have",
                next_step=f"to go back use `shipmate rollback --to {version}`; to go on make a higher version",
            )
    return False


def _version(semver: Any, text: str) -> Any:
    try:
        return semver.Version.parse(text.removeprefix("v"))
    except ValueError as error:
        raise InputError(f"{text!r} is not a version", next_step="use a tag like v1.2.3 (semver.org)") from error


def references_of(manifest: Manifest, digests: Mapping[str, str]) -> dict[str, str]:
    """Component -> host/path@sha256:…, from component -> digest."""
    references = {}
    for name, digest in digests.items():
        component = manifest.components[name]
        repository = (
            component.image.repository if component.image else component.build.repository if component.build else ""
        )
        references[name] = f"{repository}@{digest}"
    return references


def author_of(github: GitHub, commit: str) -> str:
    raw = github.json("GET", f"/repos/{github.name}/commits/{commit}")
    return str((raw.get("author") or {}).get("login", ""))


def changes(github: GitHub, base: str | None, head: str, *, limit: int = 50) -> tuple[Change, ...]:
    """Commits since `base` (the newest `limit` of head's when there is no base), newest first, with the migrations they carry."""
    if base == head:
        return ()
    if base is None:
        raw = github.json("GET", f"/repos/{github.name}/commits?sha={head}&per_page={limit}")
        return tuple(_change(item) for item in raw)
    compared = github.json("GET", f"/repos/{github.name}/compare/{base}...{head}")
    return tuple(_change(item) for item in reversed(compared["commits"][-limit:]))


def changed_files(github: GitHub, base: str | None, head: str) -> list[str]:
    """Paths that differ; empty when there is no base."""
    if base is None or base == head:
        return []
    return [
        item["filename"]
        for item in github.json("GET", f"/repos/{github.name}/compare/{base}...{head}").get("files", [])
    ]


def _change(raw: dict[str, Any]) -> Change:
    import re

    title = raw["commit"]["message"].splitlines()[0] if raw["commit"]["message"] else ""
    author = (raw.get("author") or {}).get("login") or raw["commit"]["author"]["name"]
    number = re.search(r"\(#(\d+)\)|Merge pull request #(\d+)", title)
    return Change(
        commit=raw["sha"],
        title=title,
        author=author,
        pull_request=int(number.group(1) or number.group(2)) if number else None,
    )


def _shown(digests: Any) -> str:
    return ", ".join(f"{name} {digest[:19]}" for name, digest in dict(digests).items())


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="/")
