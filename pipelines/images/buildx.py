"""Images from a Dockerfile, by `docker buildx`: the files of one commit go in, an OCI layout comes out.

All that follows (verification, push, digest, deploy) is what the assembler's images get. The same commit gives the same digest only
as far as the Dockerfile does: what RUN fetches can change. It is built once, and its digest is what is proved and promoted.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.errors import InputError, LocalError, ProviderError
from pipelines.images import layout
from pipelines.images.model import BuiltImage
from pipelines.images.sources import Commit
from pipelines.images.store import Store, disk
from pipelines.manifest.components import Image

NAME = "buildx"
BUILDER = "shipmate"
"""BuildKit in a container of its own: docker's built-in builder cannot write OCI layouts unless docker keeps images in containerd."""


def command(image: Image, labels: Mapping[str, str], output: Path) -> list[str]:
    """The docker command line, to be run where the commit's files are."""
    options = [part for name, value in sorted(labels.items()) for part in ("--label", f"{name}={value}")]
    target = f"type=oci,tar=false,rewrite-timestamp=true,dest={output}"
    build = ["docker", "buildx", "build", "--builder", BUILDER, "--platform", "linux/amd64", "--provenance=false"]
    # `./` keeps a context called `-` or `https:…` a folder.
    return [*build, "--output", target, *options, "--file", f"./{image.dockerfile}", f"./{image.context}"]


def build(
    image: Image, root: Path, commit: str, labels: Mapping[str, str] | None = None, output: Path | None = None
) -> BuiltImage:
    """Build the image of a commit with docker buildx; the layout lies in `output`, or in a folder that goes with this process.

    Raises LocalError when docker is missing, InputError without the Dockerfile, ProviderError when the build fails.
    """
    if shutil.which("docker") is None:
        raise LocalError(
            "docker is not installed",
            where="image/builder: buildx",
            why="this component is built from its Dockerfile",
            next_step="run this on a machine with docker and buildx (GitHub's runners have both), or choose `builder: assembler`",
        )
    made_of = Commit.find(root, commit)
    folder = output.absolute() if output is not None else _until_the_end()
    layout.clear(folder)
    try:
        with Store().scratch() as scratch, disk("the commit's files", scratch):
            _export(image, made_of, scratch)
            _require_builder(image)
            _run(command(image, labels or {}, folder), scratch, image)
    except BaseException:
        if output is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return layout.read(folder)


def _export(image: Image, made_of: Commit, folder: Path) -> None:
    if not made_of.names(image.dockerfile):
        raise InputError(
            f"{image.dockerfile} is not in commit {made_of.sha[:12]}",
            where=str(made_of.root),
            why="the manifest names it, but it is not committed (or ignored by .gitignore)",
            next_step=f"`git add {image.dockerfile}` and commit it, or correct `dockerfile` in shipmate.yml",
        )
    made_of.export([image.context, image.dockerfile, f"{image.dockerfile}.dockerignore"], folder)


def _require_builder(image: Image) -> None:
    asked = subprocess.run(["docker", "buildx", "inspect", BUILDER], capture_output=True, check=False)
    if asked.returncode:
        _run(["docker", "buildx", "create", "--name", BUILDER, "--driver", "docker-container"], Path.cwd(), image)


def _run(argv: Sequence[str], cwd: Path, image: Image) -> None:
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
    done = subprocess.run(
        argv, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProviderError(
            f"`{' '.join(argv[:3])}` ended with {done.returncode}: {done.stderr.strip()[-800:]}",
            where=image.dockerfile,
            why="an instruction of the Dockerfile failed, or docker does not run here",
            next_step=f"see it alone: docker buildx build --file {image.dockerfile} {image.context}",
        )


def _until_the_end() -> Path:
    """A folder for a layout whose layers are read when they are pushed; removed with the process."""
    folder = tempfile.mkdtemp(prefix="shipmate-buildx-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
