"""A published release looked at from outside: everything its publisher claimed is fetched and checked again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipelines.errors import CheckFailed, InputError
from pipelines.manifest.release import Release, ReleaseComponent
from release.publishing.assets import ABOUT, NOTES, SUMS, read_sums
from release.publishing.forge import Forge, ForgeRelease
from release.publishing.gates import judging
from release.publishing.state import edited, is_ours
from release.refusals import tag_gone
from release.versions.branches import branches_for
from release.versions.files import differing, version_locations
from release.versions.tags import TagFormat, key
from release.versions.withdrawals import WITHDRAWN


@dataclass(frozen=True)
class Finding:
    """One check."""

    name: str
    holds: bool
    says: str
    fix: str = ""
    """What puts it right when the release itself is good."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was fetched of a release."""

    entry: ForgeRelease
    contents: Mapping[str, bytes]
    about: Mapping[str, Any]
    sums: Mapping[str, str]
    tagged: str | None
    """The commit the tag is on."""


def verify(
    forge: Forge,
    tag: str,
    rules: Release,
    tag_format: TagFormat,
    component: ReleaseComponent,
    *,
    leads: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> list[Finding]:
    """Every finding. `leads`: its component is the one whose releases are GitHub's `latest`.

    Raises InputError when nothing of that tag is published, TagGone for a draft whose tag was deleted.
    """
    entry = forge.published(tag)
    if entry is None and forge.tag(tag) is None and forge.drafts(tag, ""):
        raise tag_gone(tag, "")
    if entry is None:
        raise InputError(
            f"no release {tag} is published",
            where=tag,
            why="it was never published, or only a draft of it is there",
            next_step=f"shipmate release publish {tag}   (it finishes a draft, too)",
        )
    evidence = _fetch(forge, entry, say)
    return [
        *_of_tag(evidence, forge, rules, tag_format),
        *_of_version_files(evidence, forge, component, tag_format),
        *_of_files(evidence),
        *_of_contents(evidence, tag_format),
        *_of_place(evidence, forge, tag_format, leads=leads),
        *_of_provenance(evidence, forge, rules),
    ]


def require(findings: Sequence[Finding], tag: str) -> None:
    """Raises CheckFailed naming what does not hold, and what to do about all of it."""
    wrong = [finding for finding in findings if not finding.holds]
    if not wrong:
        return
    why = "it was changed after it was published, or published by something else"
    advice = f"do not use it; shipmate release yank {tag} --reason '…' tells everybody"
    if any(finding.name == "withdrawn" for finding in wrong):
        why, advice = "it was withdrawn as bad", "use what its notes name instead"
    elif all(finding.fix for finding in wrong):
        why = "its files are good; something around them was left or changed"
        advice = "; ".join(finding.fix for finding in wrong)
    found = "; ".join(f"{finding.name}: {finding.says}" for finding in wrong)
    raise CheckFailed(found, where=tag, why=why, next_step=advice)


def _fetch(forge: Forge, entry: ForgeRelease, say: Callable[[str], None]) -> Evidence:
    contents: dict[str, bytes] = {}
    for asset in entry.assets:
        if asset.whole:
            say(f"downloading {asset.name} ({asset.size:,} bytes)")
            contents[asset.name] = forge.download(asset)
    return Evidence(
        entry=entry,
        contents=contents,
        about=_json(contents.get(ABOUT, b"")),
        sums=_sums(contents.get(SUMS, b"")),
        tagged=forge.tag(entry.tag),
    )


def _of_tag(found: Evidence, forge: Forge, rules: Release, tag_format: TagFormat) -> Iterator[Finding]:
    commit = found.tagged
    if commit is None:
        yield Finding("tag", False, f"there is no tag {found.entry.tag} any more")
        return
    message = str(found.about.get("commit", ""))
    yield Finding(
        "tag",
        message in ("", commit),
        f"on {commit[:9]}" + ("" if message in ("", commit) else f", but released from {message[:9]}"),
    )
    version = tag_format.version(found.entry.tag)
    if version is not None:
        channel = rules.channels.get((version.prerelease or "").partition(".")[0], "")
        branches = [rules.main, *branches_for(version, rules), *([channel] if channel else [])]
        on = next((branch for branch in branches if forge.contains(branch, commit)), None)
        yield Finding("line", on is not None, f"on {on}" if on else f"on none of {', '.join(branches)}")
    checks = {check.name: check.conclusion for check in forge.checks(commit, rules.ci_checks, judging(rules))}
    for name in rules.ci_checks:
        yield Finding(f"check {name}", checks.get(name) == "success", checks.get(name) or "did not run to its end")


def _of_version_files(
    found: Evidence, forge: Forge, component: ReleaseComponent, tag_format: TagFormat
) -> Iterator[Finding]:
    """The version files of the tagged commit hold the version."""
    declared, commit = version_locations(component.version_files), found.tagged
    if not declared or commit is None:
        return
    version = str(tag_format.version(found.entry.tag))
    wrong = differing(declared, version, cache(lambda path: forge.file(commit, path)))
    yield Finding("version files", not wrong, "; ".join(wrong) or f"{len(declared)} hold {version}")


def _of_files(found: Evidence) -> Iterator[Finding]:
    """Each file against what GitHub says, SHA256SUMS and release.json; and the lists against each other."""
    expected = set(found.sums) | {SUMS}
    there = {asset.name for asset in found.entry.assets}
    missing, surplus = sorted(expected - there), sorted(there - expected)
    yield Finding(
        SUMS,
        bool(found.sums) and not missing,
        f"missing: {', '.join(missing)}" if missing else f"lists {len(found.sums)} file(s)",
    )
    if surplus:
        yield Finding("files", False, f"not in {SUMS}: {', '.join(surplus)}")
    shipped: Mapping[str, str] = found.about.get("files") or {}
    for asset in found.entry.assets:
        digest = hashlib.sha256(found.contents.get(asset.name, b"")).hexdigest()
        claims = {
            "GitHub": asset.digest.removeprefix("sha256:") or digest,
            SUMS: found.sums.get(asset.name, digest),
            ABOUT: shipped.get(asset.name, digest),
        }
        wrong = [who for who, claim in claims.items() if claim != digest]
        compared = f"differs from {', '.join(wrong)}" if wrong else f"sha256 {digest[:16]}…"
        yield Finding(
            asset.name, asset.whole and not wrong, compared if asset.whole else "was never uploaded to its end"
        )


def _of_contents(found: Evidence, tag_format: TagFormat) -> Iterator[Finding]:
    """release.json, the notes and the SBOMs say what they should."""
    version = str(tag_format.version(found.entry.tag) or "")
    says = (found.about.get("tag"), found.about.get("version"))
    yield Finding(ABOUT, says == (found.entry.tag, version), f"says {says[0]}" if found.about else "is not there")
    notes = found.contents.get(NOTES, b"").decode("utf-8", "replace").strip()
    if not is_ours(found.entry) or edited(found.entry):
        yield Finding(
            "notes", bool(found.entry.body.strip()), "edited by a person since" if found.entry.body.strip() else "empty"
        )
    else:
        yield Finding("notes", bool(notes), "as they were written" if notes else "are not among the files")
    for name, content in found.contents.items():
        if name.endswith(".cdx.json"):
            bom = _json(content)
            component = (bom.get("metadata") or {}).get("component") or {}
            good = (
                bom.get("bomFormat") == "CycloneDX"
                and component.get("version") == version
                and bool(bom.get("components"))
            )
            yield Finding(
                f"SBOM {name}",
                good,
                f"{len(bom.get('components') or [])} components of {component.get('name')}"
                if good
                else "does not describe this version",
            )


def _of_place(found: Evidence, forge: Forge, tag_format: TagFormat, *, leads: bool) -> Iterator[Finding]:
    """Not withdrawn; marked as a pre-release if it is one; `latest` is the highest; nothing half-done lies beside it."""
    withdrawn = WITHDRAWN in found.entry.body
    if withdrawn:
        yield Finding("withdrawn", False, "it was withdrawn; its notes say what to use instead")
    version = tag_format.version(found.entry.tag)
    if version is not None and not withdrawn:
        yield _of_mark(found.entry, pre=bool(version.prerelease))
    wanted = highest_not_withdrawn(forge.releases(), tag_format) if leads else None
    now = forge.latest() if leads else None
    right = (now.tag if now else None) == (wanted.tag if wanted else None)
    if leads and tag_format.version(now.tag if now else found.entry.tag) is not None:
        yield Finding(
            "latest",
            right,
            f"{now.tag if now else 'none'}" + ("" if right else f", but should be {wanted.tag if wanted else 'none'}"),
            f"gh release edit {wanted.tag} --latest" if wanted else "",
        )
    drafts, locks = forge.drafts(found.entry.tag, ""), forge.locks(found.entry.tag)
    if drafts or locks:
        clears = f"shipmate release publish {found.entry.tag}{' --take-over' if locks else ''} clears them"
        unless = ", unless a run is publishing it just now" if locks else ""
        counted = f"{len(drafts) + len(locks)} draft(s) or lock(s)"
        yield Finding("leftovers", False, counted, f"{clears}{unless}")


def _of_mark(entry: ForgeRelease, *, pre: bool) -> Finding:
    """Whether GitHub shows it as what its version says."""
    found = f"it is {'one' if pre else 'none'}" + ("" if entry.prerelease == pre else ", but is not marked so")
    fix = f"gh release edit {entry.tag} --prerelease={'true' if pre else 'false'}"
    return Finding("pre-release", entry.prerelease == pre, found, fix)


def _of_provenance(found: Evidence, forge: Forge, rules: Release) -> Iterator[Finding]:
    """That an attestation names each shipped file. Its signature is for `gh attestation verify`, which holds the trust roots."""
    for name in found.about.get("files") or {}:
        digest = hashlib.sha256(found.contents.get(name, b"")).hexdigest()
        attested = forge.attested(f"sha256:{digest}")
        if attested or rules.provenance:
            yield Finding(
                f"provenance of {name}", bool(attested), "attested" if attested else "no attestation names it"
            )


def highest_not_withdrawn(entries: Sequence[ForgeRelease], tag_format: TagFormat) -> ForgeRelease | None:
    """The final release that should be `latest`: the highest that was not withdrawn."""
    not_withdrawn = [
        (key(version), entry)
        for entry in entries
        if (version := tag_format.version(entry.tag)) is not None
        and not version.prerelease
        and not entry.prerelease
        and WITHDRAWN not in entry.body
    ]
    return max(not_withdrawn, key=lambda pair: pair[0])[1] if not_withdrawn else None


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sums(content: bytes) -> dict[str, str]:
    try:
        return read_sums(content.decode())
    except (ValueError, UnicodeDecodeError):
        return {}
