"""The `release:` section of shipmate.yml: how versions are chosen, what is written, what is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipelines.manifest.metadata import policy_key, release_key

Bump = Literal["major", "minor", "patch", "none"]


@dataclass(frozen=True, kw_only=True)
class TypeRule:
    """What commits of one type do."""

    bump: Bump = field(
        default="none", metadata=policy_key("What such a commit raises. A breaking one always raises major.")
    )
    group: str = field(
        default="", metadata=policy_key("Heading it stands under in changelog and notes; empty hides it.", "Features")
    )


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Jinja2 files of the repository used instead of the built-in ones (see docs/RELEASES.md for what they are given)."""

    changelog: str = field(default="", metadata=policy_key("One section of CHANGELOG.md.", "docs/changelog.md.j2"))
    notes: str = field(default="", metadata=policy_key("The release notes.", "docs/notes.md.j2"))


@dataclass(frozen=True, kw_only=True)
class ReleaseComponent:
    """Something with versions of its own."""

    tag_format: str = field(default="v{version}", metadata=policy_key("Its tags; {version} stands for the version."))
    paths: tuple[str, ...] = field(
        default=(), metadata=policy_key("Only commits that touch one of these count; empty: all.", ["apps/mobile"])
    )
    exclude: tuple[str, ...] = field(
        default=(), metadata=policy_key("Commits that touch nothing but these do not count.", ["apps/mobile"])
    )
    initial: str = field(default="0.1.0", metadata=policy_key("The first version."))
    live_in: str = field(
        default="production",
        metadata=policy_key(
            "The environment, if the manifest has it, in which a version must have been live before a person may publish it; empty: none.",
            "",
        ),
    )
    version_files: tuple[str, ...] = field(
        default=(),
        metadata=release_key(
            "Files that hold the version, as path or path#key (dotted, or a JSON pointer). The release is refused "
            "when one differs from its tag; `shipmate release bump` writes them.",
            ["pyproject.toml", "apps/web/package.json", "charts/app/Chart.yaml#appVersion"],
        ),
    )
    changelog: str = field(default="CHANGELOG.md", metadata=release_key("Its changelog."))
    sboms: Mapping[str, str] = field(
        default_factory=dict,
        metadata=release_key(
            "Lock files to publish as CycloneDX SBOMs: name -> requirements.txt or package-lock.json.",
            {"backend": "apps/backend/requirements.txt", "web": "apps/web/package-lock.json"},
        ),
    )
    migrations: str = field(
        default="", metadata=release_key("Folder of SQL migrations; those new in a release stand in its notes.")
    )


@dataclass(frozen=True, kw_only=True)
class Release:
    """Versions, changelog and GitHub releases."""

    main: str = field(default="main", metadata=policy_key("The branch releases are made from."))
    maintenance: str = field(
        default="release/{line}",
        metadata=policy_key("Maintenance branches; {line} stands for 1.x or 1.2.x and bounds the versions made there."),
    )
    channels: Mapping[str, str] = field(
        default_factory=lambda: {"alpha": "", "beta": "", "rc": ""},
        metadata=policy_key(
            "Pre-release channels: name -> the branch that releases on it by itself (or empty).", {"rc": ""}
        ),
    )
    squash_body: Literal["commit-messages", "pull-request-body", "blank"] = field(
        default="commit-messages",
        metadata=policy_key(
            "The repository's setting for the body of squash merges. commit-messages: each `* type: …` in it counts; "
            "pull-request-body and blank: only its footers."
        ),
    )
    merge: Literal["commits", "title"] = field(
        default="commits",
        metadata=policy_key(
            "What counts of a merge. commits: those it brings, and its title where it says more; title: its title for all of them."
        ),
    )
    zero_breaking: Literal["major", "minor"] = field(
        default="minor", metadata=policy_key("What a breaking change raises before 1.0.0.")
    )
    zero_feature: Literal["minor", "patch"] = field(
        default="minor", metadata=policy_key("What a minor change raises before 1.0.0.")
    )
    unconventional: Bump = field(
        default="none", metadata=policy_key("What a commit raises whose header is not a Conventional Commit.")
    )
    types: Mapping[str, TypeRule] = field(
        default_factory=dict,
        metadata=release_key(
            "Added to, or instead of, the built-in ones: feat (minor); fix, perf, security, revert (patch); others hidden.",
            {"docs": {"bump": "patch", "group": "Documentation"}},
        ),
    )
    ci_checks: tuple[str, ...] = field(
        default=("ci",), metadata=policy_key("Check runs that must be green on exactly the released commit.")
    )
    provenance: bool = field(
        default=False, metadata=policy_key("`release verify` fails when an asset has no build provenance attestation.")
    )
    then_dispatch: tuple[str, ...] = field(
        default=(), metadata=policy_key("Workflows dispatched on the tag once the release is out.", ["announce.yml"])
    )
    lease_minutes: int = field(
        default=15, metadata=policy_key("A release held by a run that cannot be asked is taken over after this long.")
    )
    templates: Templates = field(default=Templates(), metadata=release_key("Own templates."))
    components: Mapping[str, ReleaseComponent] = field(
        default_factory=lambda: {"platform": ReleaseComponent()},
        metadata=release_key("What has versions of its own; the first is meant where none is named."),
    )
