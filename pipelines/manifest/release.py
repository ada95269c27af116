"""The `release:` section of shipmate.yml: how versions are chosen, what is written, what is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Bump = Literal["major", "minor", "patch", "none"]


def _said(doc: str, example: Any = None) -> dict[str, Any]:
    return {"doc": doc, "example": example}


def _defined(doc: str, example: Any = None) -> dict[str, Any]:
    """`_said` for a key that belongs to the release (model.defined)."""
    return {**_said(doc, example), "release": True}


@dataclass(frozen=True, kw_only=True)
class TypeRule:
    """What commits of one type do."""

    bump: Bump = field(default="none", metadata=_said("What such a commit raises. A breaking one always raises major."))
    group: str = field(
        default="", metadata=_said("Heading it stands under in changelog and notes; empty hides it.", "Features")
    )


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Jinja2 files of the repository used instead of the built-in ones (see docs/RELEASES.md for what they are given)."""

    changelog: str = field(default="", metadata=_said("One section of CHANGELOG.md.", "docs/changelog.md.j2"))
    notes: str = field(default="", metadata=_said("The release notes.", "docs/notes.md.j2"))


@dataclass(frozen=True, kw_only=True)
class ReleaseComponent:
    """Something with versions of its own."""

    tag_format: str = field(default="v{version}", metadata=_said("Its tags; {version} stands for the version."))
    paths: tuple[str, ...] = field(
        default=(), metadata=_said("Only commits that touch one of these count; empty: all.", ["apps/mobile"])
    )
    exclude: tuple[str, ...] = field(
        default=(), metadata=_said("Commits that touch nothing but these do not count.", ["apps/mobile"])
    )
    initial: str = field(default="0.1.0", metadata=_said("The first version."))
    version_files: tuple[str, ...] = field(
        default=(),
        metadata=_defined(
            "Files that hold the version, as path or path#key (dotted, or a JSON pointer). The release is refused "
            "when one differs from its tag; `shipmate release bump` writes them.",
            ["pyproject.toml", "apps/web/package.json", "charts/app/Chart.yaml#appVersion"],
        ),
    )
    changelog: str = field(default="CHANGELOG.md", metadata=_defined("Its changelog."))
    sboms: Mapping[str, str] = field(
        default_factory=dict,
        metadata=_defined(
            "Lock files to publish as CycloneDX SBOMs: name -> requirements.txt or package-lock.json.",
            {"backend": "apps/backend/requirements.txt", "web": "apps/web/package-lock.json"},
        ),
    )
    migrations: str = field(
        default="", metadata=_defined("Folder of SQL migrations; those new in a release stand in its notes.")
    )


@dataclass(frozen=True, kw_only=True)
class Release:
    """Versions, changelog and GitHub releases."""

    main: str = field(default="main", metadata=_said("The branch releases are made from."))
    maintenance: str = field(
        default="release/{line}",
        metadata=_said("Maintenance branches; {line} stands for 1.x or 1.2.x and bounds the versions made there."),
    )
    channels: Mapping[str, str] = field(
        default_factory=lambda: {"alpha": "", "beta": "", "rc": ""},
        metadata=_said(
            "Pre-release channels: name -> the branch that releases on it by itself (or empty).", {"rc": ""}
        ),
    )
    squash_body: Literal["commit-messages", "pull-request-body", "blank"] = field(
        default="commit-messages",
        metadata=_said(
            "The repository's setting for the body of squash merges. commit-messages: each `* type: …` in it counts; "
            "pull-request-body and blank: only its footers."
        ),
    )
    merge: Literal["commits", "title"] = field(
        default="commits",
        metadata=_said(
            "What counts of a merge. commits: those it brings, and its title where it says more; title: its title for all of them."
        ),
    )
    zero_breaking: Literal["major", "minor"] = field(
        default="minor", metadata=_said("What a breaking change raises before 1.0.0.")
    )
    zero_feature: Literal["minor", "patch"] = field(
        default="minor", metadata=_said("What a minor change raises before 1.0.0.")
    )
    unconventional: Bump = field(
        default="none", metadata=_said("What a commit raises whose header is not a Conventional Commit.")
    )
    types: Mapping[str, TypeRule] = field(
        default_factory=dict,
        metadata=_defined(
            "Added to, or instead of, the built-in ones: feat (minor); fix, perf, security, revert (patch); others hidden.",
            {"docs": {"bump": "patch", "group": "Documentation"}},
        ),
    )
    ci_checks: tuple[str, ...] = field(
        default=("ci",), metadata=_said("Check runs that must be green on exactly the released commit.")
    )
    provenance: bool = field(
        default=False, metadata=_said("`release verify` fails when an asset has no build provenance attestation.")
    )
    then_dispatch: tuple[str, ...] = field(
        default=(), metadata=_said("Workflows dispatched on the tag once the release is out.", ["announce.yml"])
    )
    lease_minutes: int = field(
        default=15, metadata=_said("A release held by a run that cannot be asked is taken over after this long.")
    )
    templates: Templates = field(default=Templates(), metadata=_defined("Own templates."))
    components: Mapping[str, ReleaseComponent] = field(
        default_factory=lambda: {"platform": ReleaseComponent()},
        metadata=_defined("What has versions of its own; the first is meant where none is named."),
    )
