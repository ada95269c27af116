"""What a release command works on: a repository, its manifest if it has one, its pages, its account on GitHub."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING

from pipelines.errors import InputError, ShipmateError
from pipelines.manifest.release import Release, ReleaseComponent
from release.commits.git import Git
from release.commits.web import Web, find
from release.versions.repository import Repository
from release.versions.tags import TagFormat, format_of
from release.versions.withdrawals import published_on, withdrawn_at

if TYPE_CHECKING:
    from pipelines.github import GitHub
    from pipelines.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class ReleaseContext:
    """One repository and the options given for it. What follows from that is read when it is first asked for, and kept."""

    folder: Path
    version: str | None = None
    """The version that is meant, as a number or as a tag; None for what comes next."""
    component: str = ""
    """As the caller named it; `component_name` is the one that is meant."""
    tag_format: str = ""
    commit: str = ""
    branch: str | None = None
    repository_name: str = ""
    use_manifest: bool = True
    offline: bool = False
    """Nothing is asked of GitHub that can be done without."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    seen: Callable[[int], None] | None = None
    given: Manifest | None = None
    """The manifest whose rules count, where it is not the one of the checkout: a delivery is judged by the default branch."""

    @cached_property
    def git(self) -> Git:
        return Git(self.folder)

    @cached_property
    def manifest(self) -> Manifest | None:
        """The given one; else shipmate.yml of the repository; None when it has none. Raises ManifestError when it is wrong."""
        if self.given is not None:
            return self.given
        if not self.use_manifest:
            return None
        folder = self.folder.resolve()
        for place in (folder, *folder.parents):
            if (place / "shipmate.yml").is_file():
                from pipelines.manifest import load

                return load(place / "shipmate.yml")
            if (place / ".git").exists():
                break
        return None

    @cached_property
    def rules(self) -> Release:
        return self.manifest.release if self.manifest is not None else Release()

    @property
    def live_in(self) -> str:
        """The environment in which a version must have been live before a person publishes it; empty where nothing is delivered."""
        name = self.component_in_use.live_in
        return name if self.manifest is not None and name in self.manifest.environments else ""

    def look_up_published(self) -> None:
        """Let the repository know which releases are out, where GitHub can be asked; what cannot be learned is a warning."""
        github = self.github_if_any()
        if github is None:
            return
        try:
            published = published_on(github)
        except ShipmateError as error:
            self.repository.warnings.append(f"which releases are out is not known, so every tag counts: {error.what}")
            return
        self.repository.take_published(published)

    @cached_property
    def repository(self) -> Repository:
        found = self._opened()
        if (github := self.github_if_any()) is not None:
            found.ask_withdrawn = withdrawn_at(github, found.warnings.append)
        return found

    def _opened(self) -> Repository:
        return Repository.open(
            self.git,
            self.rules,
            component=self.component_name,
            tag_format=self.tag_format,
            commit=self.commit,
            branch=self.branch if self.branch is not None else self._branch_of_workflow(),
            seen=self.seen,
        )

    @cached_property
    def component_name(self) -> str:
        """The component that is named, else the one whose tags the version is written as (mobile-v1.0.0), else the first."""
        components = self.rules.components
        first = next(iter(components))
        if self.component or self.tag_format or not self.version:
            return self.component or first
        formats = {name: format_of(self.rules, name) for name in components}
        return next((name for name, each in formats.items() if each.version(self.version) is not None), first)

    @property
    def component_in_use(self) -> ReleaseComponent:
        """The component that is meant, for what needs no clone. Raises InputError for an unknown one."""
        name = self.component_name
        if name not in self.rules.components:
            raise InputError(
                f"there is no release component {name!r}", next_step="see release/components in shipmate.yml"
            )
        return self.rules.components[name]

    def require_own_file(self, key: str, files: Callable[[ReleaseComponent], Iterable[str]]) -> None:
        """Refuse a file that another release component writes, too. `key`: where the manifest names them. Raises InputError."""
        own = set(map(normpath, files(self.component_in_use)))
        for name, other in self.rules.components.items():
            if name != self.component_name and (shared := own.intersection(map(normpath, files(other)))):
                raise InputError(
                    f"two release components write {min(shared)}: {self.component_name} and {name}",
                    where=f"release/components/{name}/{key}",
                    why="each would undo what the other wrote",
                    next_step=f"give each its own {key} in shipmate.yml",
                )

    @property
    def tag_format_in_use(self) -> TagFormat:
        """How its tags are written. Raises InputError for an unknown component."""
        _ = self.component_in_use
        return format_of(self.rules, self.component_name, self.tag_format)

    @property
    def tag(self) -> str:
        """The tag of the version that is meant. Raises InputError where none is named, or it is no version."""
        tags = self.tag_format_in_use
        return tags.tag(tags.read(self.version or ""))

    @property
    def leads(self) -> bool:
        """Whether this is the component whose releases are GitHub's `latest`: the manifest's first. Others never are."""
        return self.component_name == next(iter(self.rules.components))

    @cached_property
    def web(self) -> Web:
        """Pages: the option, else the workflow's variables, else the manifest's name, else the remote."""
        remote = self.git.run("config", "--get", "remote.origin.url", ok=(0, 1)).decode("utf-8", "replace")
        name = self.repository_name or self.environ.get("GITHUB_REPOSITORY", "")
        if not name and not remote and self.manifest is not None:
            name = self.manifest.platform.repository
        return find(remote, self.environ, name)

    def github(self, *, tries: int = 5) -> GitHub:
        """The repository on GitHub. Raises CredentialsError without a token, InputError when nothing says which repository."""
        from pipelines.github import GitHub

        if not self.web.repository:
            raise InputError(
                "it is not known which repository on GitHub this is",
                next_step="pass --repository owner/name, or set GITHUB_REPOSITORY",
            )
        client = GitHub.from_environ({**self.environ, "GITHUB_REPOSITORY": self.web.repository})
        client.policy = replace(client.policy, tries=tries)
        return client

    def github_if_any(self) -> GitHub | None:
        """The same for what can do without: None when there is no token; two tries are enough."""
        token = self.environ.get("GITHUB_TOKEN") or self.environ.get("GH_TOKEN")
        if self.offline or not token or not self.web.repository:
            return None
        return self.github(tries=2)

    def own_template(self, name: str) -> Path | None:
        """A template the manifest names, as a file. `name`: changelog or notes."""
        path: str = getattr(self.rules.templates, name)
        return self.file(path) if path else None

    def file(self, path: str) -> Path:
        """A file of the checkout by its path there. Raises InputError for one that lies outside, also by a link, or in .git."""
        found = (self.top / path).resolve()
        top = self.top.resolve()
        if Path(path).is_absolute() or not found.is_relative_to(top) or ".git" in found.relative_to(top).parts:
            raise InputError(
                f"{path!r} is not a file of this repository",
                where="shipmate.yml, release",
                why="what a release reads and writes is the repository's own: an absolute path, '..', a link and .git lead elsewhere",
                next_step="name a file that is committed, by its path from the top of the repository",
            )
        return self.top / path

    @cached_property
    def top(self) -> Path:
        return self.git.top()

    def _branch_of_workflow(self) -> str | None:
        """A workflow checks out a commit, not a branch: its variables say which branch was meant."""
        if self.environ.get("GITHUB_REF_TYPE") != "branch" or self.commit:
            return None
        return self.environ.get("GITHUB_REF_NAME") if self.environ.get("GITHUB_SHA") == self.git.head().commit else None
