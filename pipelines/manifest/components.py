"""The parts of the platform, and what a pull request must pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipelines.manifest.error_tracker import ErrorTracker
from pipelines.manifest.metadata import policy_key, release_key


@dataclass(frozen=True, kw_only=True)
class Image:
    """How a component becomes a container image."""

    repository: str = field(metadata=policy_key("Where it is pushed: host/path, without tag."))
    builder: Literal["assembler", "buildx"] = field(
        default="assembler",
        metadata=release_key(
            "assembler: our deterministic one, for Python; needs base, requirements, sources and command. "
            "buildx: a Dockerfile, by docker buildx; needs dockerfile."
        ),
    )
    base: str = field(default="", metadata=release_key("Assembler: the image it stands on, pinned: name:tag@sha256:…"))
    mirror: str = field(
        default="",
        metadata=policy_key(
            "Assembler: where `base` is read instead, as host/path without a tag, for a registry that limits how often it is asked. "
            "The digest of `base` still decides what is taken.",
            "mirror.gcr.io/library/python",
        ),
    )
    requirements: str = field(
        default="", metadata=release_key("Assembler: locked requirements with hashes, the dependency layer.")
    )
    sources: tuple[str, ...] = field(
        default=(),
        metadata=release_key(
            "Assembler: folders of the repository that become the application layer, as `folder` or `folder -> name`."
        ),
    )
    command: tuple[str, ...] = field(default=(), metadata=release_key("Assembler: what the container runs."))
    python: str = field(
        default="3.11",
        metadata=release_key(
            "Assembler: Python to choose wheels for, where the base does not say its own (PYTHON_VERSION)."
        ),
    )
    migrator: bool = field(
        default=False,
        metadata=release_key(
            "Assembler: put the component's migrations and what applies them into the image, so that a Cloud Run job can "
            "(`migrate_by: job`)."
        ),
    )
    dockerfile: str = field(
        default="", metadata=release_key("Buildx: path of the Dockerfile.", "apps/hello/Dockerfile")
    )
    context: str = field(
        default=".",
        metadata=release_key("Buildx: the folder of the repository that COPY takes files from.", "apps/hello"),
    )


KEYS_OF_BUILDERS: Mapping[str, tuple[str, ...]] = {
    "assembler": ("base", "requirements", "sources", "command"),
    "buildx": ("dockerfile",),
}
"""What an image must say for its builder."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """How a component becomes a folder of files."""

    run: tuple[str, ...] = field(metadata=release_key("Commands, run in the repository's root."))
    output: str = field(metadata=release_key("The folder they make."))
    repository: str = field(metadata=policy_key("Where the build is kept, as an OCI artifact: host/path, without tag."))
    node: tuple[str, ...] = field(
        default=(),
        metadata=release_key("Folders with a package-lock.json whose modules the commands need.", ["apps/web"]),
    )


@dataclass(frozen=True, kw_only=True)
class Component:
    """A part of the platform that is delivered, or that others depend on."""

    paths: tuple[str, ...] = field(metadata=policy_key("Globs of the files that belong to it."))
    depends_on: tuple[str, ...] = field(default=(), metadata=policy_key("Components whose change affects this one."))
    image: Image | None = field(default=None, metadata=release_key("For a service: its container image."))
    build: Build | None = field(default=None, metadata=release_key("For a site: its build."))
    error_tracker: ErrorTracker | None = field(
        default=None,
        metadata=policy_key(
            "For a site: where it reports errors. Its build gets debug ids, and a deployment brings the source maps there."
        ),
    )
    migrations: str | None = field(
        default=None, metadata=release_key("Folder of SQL migrations NNNN_name.(expand|contract).sql.")
    )


@dataclass(frozen=True, kw_only=True)
class Check:
    """One job of CI, or one for each Python it lists."""

    run: tuple[str, ...] = field(
        metadata=policy_key("Commands, each without a shell's help unless written so; stops at the first failure.")
    )
    components: tuple[str, ...] = field(metadata=policy_key("Run when one of these is affected."))
    title: str | None = field(
        default=None, metadata=policy_key("What its job is called on GitHub; left out: the check's name.")
    )
    timeout_minutes: int = field(default=15, metadata=policy_key("Its job is ended after this many minutes."))
    node: tuple[str, ...] = field(
        default=(),
        metadata=policy_key("Folders that need Node; the modules of those with a package-lock.json are installed."),
    )
    python: bool = field(
        default=True,
        metadata=policy_key("Needs the development requirements; false: only those the suite itself runs on."),
    )
    pythons: tuple[str, ...] = field(
        default=(),
        metadata=policy_key("A job for each of these Pythons, like 3.14; left out: one job on the suite's own."),
    )
    not_rehearsed: str = field(
        default="",
        metadata=policy_key(
            "Why a rehearsal does not run it, for a check that needs more than one machine should download; the report of a rehearsal "
            "says so, and never that it passed. GitHub's runners run it whatever this says.",
            "its packages are 400 MB",
        ),
    )
    services: tuple[Literal["postgres", "redis"], ...] = field(
        default=(), metadata=policy_key("Services the commands need.")
    )
    reports: tuple[str, ...] = field(default=(), metadata=policy_key("Globs of JUnit files to turn into annotations."))

    def titles(self, name: str) -> dict[str, str]:
        """Of each of its jobs: name -> title on GitHub. `name` is the check's own."""
        title = self.title or name
        if not self.pythons:
            return {name: title}
        return {f"{name}-{python}": f"{title} (Python {python})" for python in self.pythons}


@dataclass(frozen=True, kw_only=True)
class Ci:
    """What a pull request must pass."""

    checks: Mapping[str, Check] = field(metadata=policy_key("By name; ci.yml has a job for each."))
    always: tuple[str, ...] = field(
        default=(".github/**", "shipmate.yml"), metadata=policy_key("Files whose change affects every component.")
    )
    ignore: tuple[str, ...] = field(default=("docs/**", "**/*.md"), metadata=policy_key("Files that affect nothing."))
