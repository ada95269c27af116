"""Build a component once and keep it by digest; later, find it again unchanged."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from pipelines.errors import CheckFailed, InputError, RefusedError
from pipelines.flows.assembly import head_commit
from pipelines.flows.delivery import Candidate

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.flows.delivery import Delivery
    from pipelines.manifest.model import Build, Component


def build_and_push(delivery: Delivery, name: str) -> str:
    """Build a component of the checked-out commit and push it: host/path@sha256:…"""
    component = _component(delivery, name)
    commit = head_commit(delivery)
    if component.image is not None:
        from pipelines import images

        built = images.build(component, delivery.manifest.root, commit, http=delivery.http)
        return images.push(
            built,
            component.image.repository,
            [f"sha-{commit[:12]}"],
            http=delivery.http,
            credentials=delivery.credentials,
        )
    if component.build is not None:
        from pipelines import images

        folder = run_build(delivery, component.build)
        packed = images.pack_files(folder)
        return images.push(
            packed,
            component.build.repository,
            [f"sha-{commit[:12]}"],
            http=delivery.http,
            credentials=delivery.credentials,
        )
    raise InputError(f"{name} has neither image nor build", where=f"shipmate.yml, components/{name}")


def run_build(delivery: Delivery, build: Build) -> Path:
    """Run a site's build commands; the folder they made. Raises CheckFailed."""
    import shlex

    for line in build.run:
        with delivery.runtime.group(line):
            ran = subprocess.run(
                shlex.split(line),
                cwd=delivery.manifest.root,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            delivery.runtime.say(ran.stdout + ran.stderr)
        if ran.returncode != 0:
            raise CheckFailed(
                f"`{line}` exited with {ran.returncode}",
                where="build",
                next_step="see its output above; the same command fails on a laptop",
            )
    return delivery.manifest.root / build.output


def require(delivery: Delivery, name: str, reference: str) -> str:
    """Prove that a reference exists and belongs to the component. Raises RefusedError, InputError."""
    from pipelines import images

    component = _component(delivery, name)
    repository = (
        component.image.repository if component.image else component.build.repository if component.build else ""
    )
    if reference.rpartition("@")[0] != repository:
        raise RefusedError(
            f"{reference} is not in {repository}", where=name, why="what staging proved is kept there and nowhere else"
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


def _component(delivery: Delivery, name: str) -> Component:
    found = delivery.manifest.components.get(name)
    if found is None:
        raise InputError(
            f"there is no component {name!r}",
            where="shipmate.yml",
            next_step=f"one of: {', '.join(delivery.manifest.components)}",
        )
    return found
