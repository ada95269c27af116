"""Build the artifact of a component, without any credentials; and push, in another job, what was built, running nothing of it."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import CheckFailed, InputError, LocalError

if TYPE_CHECKING:
    from pipelines.http import Http
    from pipelines.images import Access
    from pipelines.manifest import Manifest
    from pipelines.manifest.components import Build, Component
    from pipelines.runtime import Runtime


def build(manifest: Manifest, name: str, commit: str, output: Path, *, http: Http, runtime: Runtime) -> str:
    """Build a component of the tree that the manifest lies in, as an OCI layout in `output`; the digest of its manifest.

    Commands of the release run here, so the caller must hold no secret. Raises CheckFailed, InputError, LocalError.
    """
    from pipelines import images
    from pipelines.site_builds import debug_ids

    component = component_of(manifest, name)
    output.parent.mkdir(parents=True, exist_ok=True)
    if component.image is not None:
        source = f"https://github.com/{manifest.platform.repository}"
        return images.build_layout(
            component, manifest.root, commit, output=output, http=http, source=source, say=runtime.say
        )
    if component.build is not None:
        folder = run_commands(manifest.root, component.build, runtime)
        if component.error_tracker is not None:
            count = len(debug_ids.inject(folder))
            runtime.say(f"debug ids: {count} script{'' if count == 1 else 's'} with a source map")
        return images.pack_layout(folder, output)
    raise _without(name)


def push(
    manifest: Manifest, name: str, commit: str, layout: Path, *, http: Http, credentials: Access, digest: str = ""
) -> str:
    """Push a layout that another job built, to the component's place in the registry: host/path@sha256:…

    Nothing of it is run. `digest`: what it must be, when that is known. Raises InputError for a layout that lies.
    """
    from pipelines import images

    component = component_of(manifest, name)
    kept = component.image or component.build
    if kept is None:
        raise _without(name)
    base, mirror = (component.image.base, component.image.mirror) if component.image else ("", "")
    return images.push_layout(
        layout,
        kept.repository,
        [f"sha-{commit[:12]}"],
        http=http,
        credentials=credentials,
        digest=digest,
        base=base,
        mirror=mirror,
    )


def run_commands(root: Path, build: Build, runtime: Runtime) -> Path:
    """Run a site's build commands; the folder they made. Raises CheckFailed."""
    for line in build.run:
        with runtime.group(line):
            ran = _ran(shlex.split(line), root)
            runtime.say(ran.stdout + ran.stderr)
        if ran.returncode != 0:
            raise CheckFailed(
                f"`{line}` exited with {ran.returncode}",
                where="build",
                next_step="see its output above; the same command fails on a laptop",
            )
    return root / build.output


def component_of(manifest: Manifest, name: str) -> Component:
    """Raises InputError naming the components there are."""
    found = manifest.components.get(name)
    if found is None:
        raise InputError(
            f"there is no component {name!r}",
            where=manifest.file.name,
            next_step=f"one of: {', '.join(manifest.components)}",
        )
    return found


def _ran(argv: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(argv, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise LocalError(
            f"there is no {argv[0]!r} here", where="build", next_step="install it (`make setup`), then run this again"
        ) from error


def _without(name: str) -> InputError:
    return InputError(
        f"{name} has neither image nor build",
        where=f"shipmate.yml, components/{name}",
        next_step="say there how it is built: `image:` for a service, `build:` for a site",
    )
