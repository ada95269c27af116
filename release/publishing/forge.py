"""What publishing needs of the place where releases live, as a Protocol; GitHub's is in github_forge.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file at a release, as the forge tells it."""

    id: int
    name: str
    size: int
    digest: str
    """`sha256:…`; empty where the forge does not say."""
    whole: bool
    """Its last byte has arrived."""


@dataclass(frozen=True, kw_only=True)
class ForgeRelease:
    """A release as the forge tells it."""

    id: int
    tag: str
    name: str
    body: str
    draft: bool
    prerelease: bool
    immutable: bool = False
    url: str = ""
    upload_url: str = ""
    published_at: str = ""
    assets: tuple[Asset, ...] = ()

    def asset(self, name: str) -> Asset | None:
        return next((asset for asset in self.assets if asset.name == name), None)


@dataclass(frozen=True, kw_only=True)
class File:
    """A file to publish."""

    name: str
    path: Path
    size: int
    sha256: str
    """Hexadecimal."""
    content_type: str = "application/octet-stream"
    record: bool = False
    """It tells of the release rather than being it (notes, checksums, evidence): once published, the first one stands."""

    @property
    def digest(self) -> str:
        return f"sha256:{self.sha256}"

    @property
    def spare(self) -> str:
        """The name a replacement has until the broken one is gone."""
        return f"{self.name}.{self.sha256[:8]}.part"


@dataclass(frozen=True, kw_only=True)
class Check:
    """The conclusion of CI on a commit."""

    name: str
    conclusion: str
    """success, failure, …; empty while it runs."""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """One generation of a release's lock."""

    generation: int
    owner: Mapping[str, str] = field(default_factory=dict)


class Forge(Protocol):
    """Every call may raise CredentialsError, ProviderError, ProviderUnavailable; a write whose answer is lost is looked up first."""

    def tag(self, name: str) -> str | None:
        """The commit a tag leads to."""

    def tag_object(self, name: str) -> str | None:
        """What a tag is at itself: the commit, or the object of an annotated one. It differs when such a tag was made again."""

    def tags(self, prefix: str) -> dict[str, str | None]:
        """Every tag whose name begins so -> its commit; None for an annotated tag, whose commit only `tag` knows. One call."""

    def create_tag(self, name: str, commit: str) -> bool:
        """False when the tag exists already, wherever it leads."""

    def published(self, tag: str) -> ForgeRelease | None: ...

    def drafts(self, tag: str, since: str) -> list[ForgeRelease]:
        """Drafts of a tag. `since`: ISO time before which none can have been made."""

    def entry(self, number: int) -> ForgeRelease | None:
        """A release by its id: what was written is seen at once, unlike in lists."""

    def create_draft(self, *, tag: str, commit: str, name: str, body: str, prerelease: bool) -> ForgeRelease: ...

    def edit(self, number: int, changes: Mapping[str, object]) -> ForgeRelease:
        """Change fields of a release; `draft: False` publishes it."""

    def delete_draft(self, number: int) -> None: ...

    def upload(self, entry: ForgeRelease, file: File, name: str) -> None:
        """Upload a file under a name. Returning means that all of it is there."""

    def rename_asset(self, asset: Asset, name: str) -> None: ...

    def delete_asset(self, asset: Asset) -> None: ...

    def download(self, asset: Asset) -> bytes: ...

    def releases(self) -> list[ForgeRelease]:
        """Every published release."""

    def latest(self) -> ForgeRelease | None: ...

    def was_live(self, environment: str, tag: str, commit: str) -> bool:
        """Whether the records of deliveries say that a release of a commit was live in an environment, whatever became of it."""

    def file(self, commit: str, path: str) -> bytes | None:
        """A file as it is in a commit; None when it is not there."""

    def contains(self, branch: str, commit: str) -> bool | None:
        """Whether a branch contains a commit; None when there is no such branch."""

    def checks(self, commit: str, wanted: Sequence[str], branches: Sequence[str]) -> Sequence[Check]:
        """The newest result of every check on exactly this commit as it was pushed to one of `branches` (globs), the wanted ones above
        all. What anybody who may push can write is none."""

    def locks(self, tag: str) -> list[Lock]: ...

    def take_lock(self, tag: str, generation: int, commit: str, owner: Mapping[str, str]) -> bool:
        """False when someone else has this generation: of all who try at once, one succeeds."""

    def drop_lock(self, tag: str, generation: int) -> None: ...

    def run_is_over(self, run: str) -> bool | None:
        """Whether a workflow run has ended; None when it cannot be determined."""

    def dispatched(self, workflow: str, tag: str) -> bool:
        """Whether a workflow was dispatched on a tag."""

    def dispatch(self, workflow: str, tag: str, inputs: Mapping[str, str]) -> None: ...

    def attested(self, digest: str) -> bool | None:
        """Whether a build provenance attestation names this digest; None when the forge has none to tell."""
