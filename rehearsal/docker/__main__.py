"""The command line: `docker buildx inspect`, `create` and `build` as the pipeline calls them, and nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rehearsal.base_image import document
from rehearsal.docker import dockerfile
from rehearsal.docker.context import Context, ignore_file
from rehearsal.docker.image import Image, described
from rehearsal.docker.refusal import Refused

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_BUILD = {"builder", "platform", "provenance", "output", "label", "file"}
_UNKNOWN = (
    "this is the rehearsal's stand-in for docker, which supports `buildx inspect`, `buildx create` and `buildx build`"
)
_NO_OCI = (
    "OCI exporter is not supported for the docker driver. Switch to a different driver, or turn on the containerd image "
    "store, and try again."
)


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["buildx", "inspect", name]:
                _require_builder(name)
            case ["buildx", "create", "--name", name, "--driver", "docker-container"]:
                _create(name)
            case ["buildx", "build", *rest]:
                _build(rest)
            case _:
                raise Refused(f"docker {' '.join(arguments[:2])}: {_UNKNOWN}")
    except (Refused, OSError, UnicodeDecodeError) as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return 0


def _instance(name: str) -> Path:
    folder = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    if not name or "/" in name or name.startswith((".", "-")):
        raise Refused(f"invalid builder name {name!r}")
    return Path(folder) / "buildx" / "instances" / name


def _require_builder(name: str) -> None:
    if not _instance(name).is_file():
        raise Refused(f'no builder "{name}" found')


def _create(name: str) -> None:
    file = _instance(name)
    if file.is_file():
        raise Refused(f'existing instance for "{name}" but no append mode, specify the node name to make changes')
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(document({"Name": name, "Driver": "docker-container"}))
    print(name)


def _build(arguments: list[str]) -> None:
    options, labels, context = _options(arguments)
    if "builder" not in options:
        raise Refused(_NO_OCI)
    _require_builder(options["builder"])
    if options.get("platform") != "linux/amd64" or options.get("provenance") != "false":
        raise Refused(f"only --platform linux/amd64 --provenance=false is supported: {_UNKNOWN}")
    output = _output(options.get("output", ""))
    time = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not time.isdigit():
        raise Refused("SOURCE_DATE_EPOCH is not set: two builds of the same files would differ")
    folder, file = Path(context), Path(options.get("file") or Path(context) / "Dockerfile")
    if not folder.is_dir():
        raise Refused(f"unable to prepare context: path {context!r} not found")
    if not file.is_file():
        raise Refused(f"failed to read dockerfile: open {file}: no such file or directory")
    image = Image(context=Context(folder, ignore_file(folder, file)), time=int(time))
    for instruction in dockerfile.read(file.read_text()):
        print(f"{instruction.word} {instruction.text}", file=sys.stderr)
        image.carry_out(instruction)
    _write(image, labels, output)


def _options(arguments: list[str]) -> tuple[dict[str, str], dict[str, str], str]:
    """Options by name, labels, and the context."""
    options: dict[str, str] = {}
    labels: dict[str, str] = {}
    places, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            places.append(word)
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        if name not in _BUILD:
            raise Refused(f"unknown flag: --{name}: {_UNKNOWN}")
        if not equals:
            if not rest:
                raise Refused(f"flag needs an argument: --{name}")
            value = rest.pop(0)
        if name == "label":
            key, _, text = value.partition("=")
            labels[key] = text
        elif name in options:
            raise Refused(f"--{name} is given twice")
        else:
            options[name] = value
    if len(places) != 1:
        raise Refused('"docker buildx build" requires exactly 1 argument')
    return options, labels, places[0]


def _output(text: str) -> Path:
    settings = dict(part.partition("=")[::2] for part in text.split(","))
    wanted = {"type": "oci", "tar": "false", "rewrite-timestamp": "true"}
    if not settings.get("dest") or settings != {**wanted, "dest": settings["dest"]}:
        raise Refused(f"--output {text}: only type=oci,tar=false,rewrite-timestamp=true,dest=FOLDER is supported")
    return Path(settings["dest"])


def _write(image: Image, labels: dict[str, str], folder: Path) -> None:
    manifest, config = image.documents(labels)
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for blob in (manifest, config, *image.blobs):
        digest = described(blob, "")["digest"].removeprefix("sha256:")
        (blobs / digest).write_bytes(blob)
    entry = {
        **described(manifest, _MANIFEST),
        "annotations": {"org.opencontainers.image.created": image.created},
        "platform": {"architecture": "amd64", "os": "linux"},
    }
    (folder / "index.json").write_bytes(document({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]}))
    (folder / "oci-layout").write_bytes(document({"imageLayoutVersion": "1.0.0"}))
    print(f"exporting to oci image format: {entry['digest']}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
