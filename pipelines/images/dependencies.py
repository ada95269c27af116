"""The dependency layer: locked requirements installed by uv for the image's platform, without anything that differs by machine."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from pipelines.errors import LocalError, ManifestError, ProviderUnavailable
from pipelines.images.layer import File, folder, tar
from pipelines.images.model import LAYER, Blob, sha256
from pipelines.images.store import Store, disk

PLATFORM = "x86_64-manylinux_2_28"
"""Wheels for linux/amd64 with glibc 2.28 or later: Debian 10 and everything since."""

_FORMAT = 1  # raise it when the same requirements are to give another layer
_NOISE = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"})


def layer(requirements: bytes, python: str, prefix: str, store: Store, *, platform: str = PLATFORM) -> Blob:
    """The layer with everything that `requirements` (text of a locked file with hashes) names, below `prefix`.

    Made once for each content: the key is the hash of all that goes in. Raises LocalError, ManifestError, ProviderUnavailable.
    """
    key = sha256(b"\0".join([requirements, f"{python} {platform} {prefix} {_FORMAT}".encode()])).removeprefix("sha256:")
    known = store.read(f"dependencies/{key}.json")
    if known is not None:
        blob = Blob(media_type=LAYER, **json.loads(known))
        file = store.blob(blob.digest)
        if file.is_file() and file.stat().st_size == blob.size:
            return Blob(media_type=LAYER, digest=blob.digest, size=blob.size, content=file)
    with store.scratch() as scratch:
        target = scratch / "target"
        target.mkdir()
        if _names_something(requirements):
            _install(requirements, python, platform, target, scratch)
        with disk("the dependency layer", scratch):
            digest, size = store.add(tar(_kept(target, prefix)))
    store.write(f"dependencies/{key}.json", json.dumps({"digest": digest, "size": size}).encode())
    return Blob(media_type=LAYER, digest=digest, size=size, content=store.blob(digest))


def _names_something(requirements: bytes) -> bool:
    return any(line.strip() and not line.lstrip().startswith(b"#") for line in requirements.splitlines())


def _kept(target: Path, prefix: str) -> list[File]:
    """Without console scripts (their first line names this machine's Python) and the installer's own notes."""
    return [
        file
        for file in folder(target, prefix)
        if (parts := Path(file.path).relative_to(prefix).parts)[0] not in ("bin", ".lock")
        and "__pycache__" not in parts
        and not (parts[-1] in _NOISE and parts[-2:-1] and parts[-2].endswith(".dist-info"))
    ]


def _install(requirements: bytes, python: str, platform: str, target: Path, scratch: Path) -> None:
    if b"--hash=" not in requirements:
        raise ManifestError(
            "the requirements of the image carry no hashes",
            why="without them an image could be made of files nobody has looked at",
            next_step="lock them: `uv pip compile --generate-hashes --no-emit-index-url -o requirements.txt requirements.in`",
        )
    locked = scratch / "requirements.txt"
    with disk("the requirements", scratch):
        locked.write_bytes(requirements)
    command = [_uv(), "pip", "install", "--quiet", "--target", str(target), "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:", "--no-compile-bytecode", "--no-progress"]
    command += ["--python-platform", platform, "--python-version", python, "--requirements", str(locked)]
    # From uv's cache when it holds everything: then no network is touched.
    for more in (["--offline"], []):
        done = subprocess.run(
            [*command, *more], env=_environ(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return
    raise _failure(done.stderr.strip(), platform)


def _environ() -> dict[str, str]:
    """uv brings its own certificates; where the machine has some, they count: a company's proxy signs with its own."""
    brought = "SSL_CERT_FILE" in os.environ or Path("/etc/ssl/certs/ca-certificates.crt").is_file()
    return {**os.environ, **({"UV_SYSTEM_CERTS": "1"} if brought else {})}


def _failure(message: str, platform: str) -> Exception:
    if "No space left" in message:
        return LocalError(
            "the disk is full", where="uv pip install", next_step="make room (`df -h`), then run this again"
        )
    if any(sign in message for sign in ("Hash mismatch", "no wheels", "No solution", "no version")):
        return ManifestError(
            f"the requirements cannot be installed for {platform}: {message[-600:]}",
            why="a hash does not match, or a package has no wheel for this Python and platform",
            next_step="lock the requirements again, and look at what changed",
        )
    return ProviderUnavailable(
        f"the dependencies could not be fetched: {message[-600:]}",
        where="uv pip install",
        why="the package index is unreachable or refuses",
        next_step="look at its status page, then run this again",
    )


def _uv() -> str:
    """The pinned uv: another version might choose another wheel."""
    from pipelines.toolchain import home, uv

    return str(uv.ensure(home.folder(), lambda line: None))
