"""From a tag to what may be released: its commit, and the artifacts that staging proved. Resolved once; the commit is carried from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.delivery.changes import Changes, since
from pipelines.delivery.context import Candidate
from pipelines.errors import InputError, RefusedError

if TYPE_CHECKING:
    from pipelines.delivery.ledger import Ledger, Record
    from pipelines.github import GitHub
    from pipelines.manifest.model import Manifest
    from pipelines.manifest.release import Release

PROOF = "staging"
"""The environment that every release must have passed."""


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A version that may be released."""

    candidate: Candidate
    author: str
    """Login of the author of its commit; empty if unknown to GitHub."""
    staged: Record
    live: Record | None
    """What the ledger has as live in the target environment."""
    changes: Changes
    """Since what is live."""
    released_already: bool = False


def resolve(
    github: GitHub, ledger: Ledger, manifest: Manifest, environment: str, version: str, schema: str
) -> Resolved:
    """Everything checked that can be before anybody is asked. Raises InputError, RefusedError."""
    rules = manifest.release
    _version(rules, version)
    commit = tag_commit(github, version)
    _require_on_main(github, rules, version, commit)
    _require_green(github, rules, version, commit)
    staged = _staged(ledger, version, commit)
    live = ledger.live(environment)
    digests = dict(staged.artifacts)
    already = _released_already(ledger, environment, rules, live, version, digests)
    candidate = Candidate(release=version, commit=commit, artifacts=references_of(manifest, digests), schema=schema)
    return Resolved(
        candidate=candidate,
        author=author_of(github, commit),
        staged=staged,
        live=live,
        changes=since(github, live.commit if live else None, commit),
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


def _require_on_main(github: GitHub, rules: Release, version: str, commit: str) -> None:
    lines = [rules.main, *_maintenance_branches(github, rules, version)]
    for branch in lines:
        compared = github.find_json(f"/repos/{github.name}/compare/{_quoted(branch)}...{commit}")
        if compared is not None and compared["status"] in ("behind", "identical"):
            return
    raise RefusedError(
        f"{version} ({commit[:7]}) is neither on {rules.main} nor on its maintenance line",
        where=github.name,
        why="a tag on another branch was never reviewed nor verified on staging",
        next_step=f"merge it to {rules.main}, let staging verify it, and tag the merged commit",
    )


def _maintenance_branches(github: GitHub, rules: Release, version: str) -> list[str]:
    """release/1.x and release/1.2.x for v1.2.3, as far as they exist."""
    number = _version(rules, version)
    wanted = [
        rules.maintenance.replace("{line}", line) for line in (f"{number.major}.x", f"{number.major}.{number.minor}.x")
    ]
    prefix = _quoted(rules.maintenance.partition("{line}")[0])
    found = github.json("GET", f"/repos/{github.name}/git/matching-refs/heads/{prefix}")
    names = {ref["ref"].removeprefix("refs/heads/") for ref in found}
    return [name for name in wanted if name in names]


def _require_green(github: GitHub, rules: Release, version: str, commit: str) -> None:
    for name in rules.ci_checks:
        path = f"/repos/{github.name}/commits/{commit}/check-runs?check_name={_quoted(name)}&per_page=100"
        newest = max(github.json("GET", path)["check_runs"], key=lambda run: run["id"], default=None)
        # A skipped check counts as passed for branch protection; it tested nothing. Our gate job always runs, and ends well or not.
        if newest is not None and newest["conclusion"] == "success":
            continue
        said = "did not run" if newest is None else newest["conclusion"] or f"is still {newest['status']}"
        raise RefusedError(
            f"the check {name} of {version} ({commit[:7]}) {said}",
            where=newest["html_url"] if newest else github.name,
            why="only what CI found well may be released",
            next_step=f"wait for it, or mend it on {rules.main} and tag the mended commit",
        )


def _staged(ledger: Ledger, version: str, commit: str) -> Record:
    records = ledger.of_commit(PROOF, commit)
    for record in records:
        if record.went_out:
            return record
    raise RefusedError(
        f"{version} ({commit[:7]}) was not verified on {PROOF}",
        where=f"the ledger of {PROOF}",
        why=f"its {PROOF} deployment failed or is not finished" if records else f"this commit never went to {PROOF}",
        next_step="see the runs of *Deploy to Staging* for that commit; re-run the failed one, then dispatch again",
    )


def _released_already(
    ledger: Ledger, environment: str, rules: Release, live: Record | None, version: str, digests: Mapping[str, str]
) -> bool:
    """Whether this version is what is live. Raises RefusedError when it went out with another digest, or a higher one is live."""
    for record in ledger.of_release(environment, version):
        if record.went_out and dict(record.artifacts) != dict(digests):
            raise RefusedError(
                f"{version} was released already with other digests",
                where=record.run,
                why=f"then: {_shown(record.artifacts)}; now: {_shown(digests)}",
                next_step="make a new version: one name never means two things",
            )
    if live is None or live.release == version:
        return live is not None
    if _is_version(rules, live.release) and _version(rules, live.release) > _version(rules, version):
        raise RefusedError(
            f"{version} is lower than {live.release}, which is live",
            where=environment,
            why="a lower version would take back what users have",
            next_step=f"to go back use `shipmate rollback --to {version}`; to go on make a higher version",
        )
    return False


def _version(rules: Release, tag: str) -> Any:
    """The version in a tag. Raises InputError for a tag of another form."""
    import semver

    form = next(iter(rules.components.values())).tag_format
    before, _, after = form.partition("{version}")
    try:
        if not tag.startswith(before) or not tag.endswith(after):
            raise ValueError
        return semver.Version.parse(tag.removeprefix(before).removesuffix(after))
    except ValueError as error:
        raise InputError(
            f"{tag!r} is not a version",
            where="version",
            next_step=f"use a tag like {form.replace('{version}', '1.2.3')} (shipmate.yml, release; semver.org)",
        ) from error


def _is_version(rules: Release, tag: str) -> bool:
    try:
        return _version(rules, tag) is not None
    except InputError:
        return False


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


def migrations_at(github: GitHub, folder: str, commit: str) -> set[str]:
    """Names of the migrations in a folder at a commit; none when the folder is not there yet."""
    found = github.find_json(f"/repos/{github.name}/contents/{_quoted(folder)}?ref={commit}")
    return {item["name"] for item in found or () if item["type"] == "file" and item["name"].endswith(".sql")}


def _shown(digests: Any) -> str:
    return ", ".join(f"{name} {digest[:19]}" for name, digest in dict(digests).items())


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="/")
