"""Build a component once and keep it by digest; later, find it again unchanged."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from pipelines.delivery.assembly import head_commit
from pipelines.delivery.context import Candidate
from pipelines.errors import CheckFailed, InputError, LocalError, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.delivery.context import Delivery
    from pipelines.images import BuiltImage
    from pipelines.manifest import Manifest
    from pipelines.manifest.model import Build, Component


def assemble(manifest: Manifest, name: str, output: Path | None = None) -> BuiltImage:
    """The image of a component of the checked-out commit, written as an OCI layout when `output` is given."""
    from pipelines import images
    from pipelines.http import Http

    component = component_of(manifest, name)
    if component.image is None:
        raise InputError(
            f"{name} has no image",
            where=f"shipmate.yml, components/{name}",
            next_step="a site is built by its `build` commands",
        )
    commit, source = head_commit(manifest.root), source_of(manifest)
    return images.build(component, manifest.root, commit, http=Http(), source=source, output=output)


def source_of(manifest: Manifest) -> str:
    """Where the platform's code is, for a label: by the manifest, so that every machine makes the same image."""
    return f"https://github.com/{manifest.platform.repository}"


def build_and_push(delivery: Delivery, name: str) -> str:
    """Build a component of the checked-out commit and push it: host/path@sha256:…"""
    from pipelines import images

    component = component_of(delivery.manifest, name)
    commit = head_commit(delivery.manifest.root)
    if component.image is not None:
        built = images.build(
            component,
            delivery.manifest.root,
            commit,
            http=delivery.http,
            credentials=delivery.credentials,
            source=source_of(delivery.manifest),
        )
        repository = component.image.repository
    elif component.build is not None:
        built, repository = images.pack_files(run_build(delivery, component.build)), component.build.repository
    else:
        raise InputError(
            f"{name} has neither image nor build",
            where=f"shipmate.yml, components/{name}",
            next_step="say there how it is built: `image:` for a service, `build:` for a site",
        )
    return images.push(built, repository, [f"sha-{commit[:12]}"], http=delivery.http, credentials=delivery.credentials)


def run_build(delivery: Delivery, build: Build) -> Path:
    """Run a site's build commands; the folder they made. Raises CheckFailed."""
    import shlex

    for line in build.run:
        with delivery.runtime.group(line):
            ran = _ran(shlex.split(line), delivery.manifest.root)
            delivery.runtime.say(ran.stdout + ran.stderr)
        if ran.returncode != 0:
            raise CheckFailed(
                f"`{line}` exited with {ran.returncode}",
                where="build",
                next_step="see its output above; the same command fails on a laptop",
            )
    return delivery.manifest.root / build.output


def _ran(argv: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(argv, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise LocalError(
            f"there is no {argv[0]!r} here", where="build", next_step="install it (`make setup`), then run this again"
        ) from error


def require(delivery: Delivery, name: str, reference: str) -> str:
    """Prove that a reference exists and belongs to the component. Raises RefusedError, InputError."""
    from pipelines import images

    component = component_of(delivery.manifest, name)
    repository = (
        component.image.repository if component.image else component.build.repository if component.build else ""
    )
    if reference.rpartition("@")[0] != repository:
        raise RefusedError(
            f"{reference or 'nothing'} is not in {repository}",
            where=name,
            why="what staging proved is kept there and nowhere else",
            next_step="pass on what the plan job put out",
        )
    delivery_candidate = Candidate(release="", commit="", artifacts={name: reference})
    delivery.artifact(delivery_candidate, name)
    images.require(reference, http=delivery.http, credentials=delivery.credentials)
    return reference


def fetch_files(delivery: Delivery, reference: str, folder: Path) -> Path:
    """The files of a site's build, by digest."""
    from pipelines import images

    images.pull_files(reference, folder, http=delivery.http, credentials=delivery.credentials)
    return folder


def component_of(manifest: Manifest, name: str) -> Component:
    """Raises InputError naming the components there are."""
    found = manifest.components.get(name)
    if found is None:
        raise InputError(
            f"there is no component {name!r}",
            where="shipmate.yml",
            next_step=f"one of: {', '.join(manifest.components)}",
        )
    return found
