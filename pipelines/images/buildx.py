"""Images from a Dockerfile, by `docker buildx`. Not rehearsed: the rehearsal has no container engine.

The result is read back as an OCI layout, so that all that follows (push, digest, deploy) is what the assembler's images get.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pipelines.errors import LocalError, ProviderError
from pipelines.images.layout import read
from pipelines.images.model import BuiltImage
from pipelines.manifest.model import Image


def dockerfile(image: Image) -> str:
    """Where the Dockerfile is: beside the requirements."""
    return str(PurePosixPath(image.requirements).parent / "Dockerfile")


def command(image: Image, labels: Mapping[str, str], output: Path) -> list[str]:
    """The docker command line; its context is the repository's root."""
    said = [part for name, value in sorted(labels.items()) for part in ("--label", f"{name}={value}")]
    target = f"type=oci,tar=false,rewrite-timestamp=true,dest={output}"
    build = ["docker", "buildx", "build", "--platform", "linux/amd64", "--provenance=false", "--output", target]
    return [*build, *said, "--file", dockerfile(image), "."]


def _until_the_end() -> Path:
    """A folder for a layout whose layers are read when they are pushed; removed with the process."""
    folder = tempfile.mkdtemp(prefix="shipmate-buildx-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def build(image: Image, root: Path, labels: Mapping[str, str], output: Path | None = None) -> BuiltImage:
    """Build with docker buildx. Raises LocalError when docker is missing, ProviderError when the build fails."""
    if shutil.which("docker") is None:
        raise LocalError(
            "docker is not installed",
            where="image/builder: buildx",
            why="this component is built from its Dockerfile",
            next_step="run this on a machine with docker and buildx (GitHub's runners have both), or choose `builder: assembler`",
        )
    folder = output or _until_the_end()
    environ = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
    done = subprocess.run(
        command(image, labels, folder), cwd=root, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        if output is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise ProviderError(
            f"docker buildx ended with {done.returncode}: {done.stderr.strip()[-800:]}",
            where=dockerfile(image),
            why="a step of the Dockerfile failed, or the builder cannot write OCI layouts (driver `docker`)",
            next_step="`docker buildx create --use` makes a builder that can; run the command by hand to see all of its output",
        )
    return read(folder)
