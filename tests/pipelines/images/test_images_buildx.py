"""Images from a Dockerfile: what docker is asked, what it is given, and what is taken of its answer."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipelines import images
from pipelines.errors import InputError, LocalError, ManifestError, ProviderError
from pipelines.http import Http
from pipelines.images import buildx
from pipelines.images.layout import write
from pipelines.images.model import CONFIG, LAYER, Blob, BuiltImage, canonical
from pipelines.manifest.components import Component, Image
from pipelines.overlay import Overlay
from tests.pipelines.images.repository import git, make
from tests.pipelines.images.services import HELLO, HELLO_FILES, docker_on_path

IMAGE = HELLO.image
assert isinstance(IMAGE, Image)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    make(tmp_path / "repo", {**HELLO_FILES, "apps/backend/backend/__main__.py": ""})
    return tmp_path / "repo"


def docker(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program called docker, first on PATH."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_it_asks_for_a_layout_of_one_platform() -> None:
    command = buildx.command(IMAGE, {"org.opencontainers.image.revision": "abc"}, Path("/out"))
    assert command[:7] == ["docker", "buildx", "build", "--builder", "shipmate", "--platform", "linux/amd64"]
    assert "type=oci,tar=false,rewrite-timestamp=true,dest=/out" in command
    assert command[-3:] == ["--file", "./apps/hello/Dockerfile", "./apps/hello"]
    assert "org.opencontainers.image.revision=abc" in command


def test_without_docker_it_says_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="docker is not installed") as caught:
        buildx.build(IMAGE, tmp_path, "HEAD")
    assert "builder: assembler" in caught.value.next_step


def test_a_failed_build_shows_what_docker_printed(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, "[ $2 = inspect ] || { echo 'ERROR: failed to solve' >&2; exit 17; }", monkeypatch)
    with pytest.raises(ProviderError, match="`docker buildx build` ended with 17: ERROR: failed to solve"):
        buildx.build(IMAGE, repository, "HEAD", output=tmp_path / "out")


def test_a_builder_that_can_write_layouts_is_made_once(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(
        tmp_path,
        f'cd {tmp_path}; echo "$2 $3 $4" >> asked; case $2 in inspect) [ -f made ];; create) touch made;; *) exit 1; esac',
        monkeypatch,
    )
    for _ in range(2):
        with pytest.raises(ProviderError):
            buildx.build(IMAGE, repository, "HEAD", output=tmp_path / "out")
    asked = [line.strip() for line in (tmp_path / "asked").read_text().splitlines()]
    once = ["inspect shipmate", "build --builder shipmate"]
    assert asked == [once[0], "create --name shipmate", once[1], *once]


def test_docker_that_does_not_run_is_reported(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, "echo 'Cannot connect to the Docker daemon' >&2; exit 1", monkeypatch)
    with pytest.raises(ProviderError, match="`docker buildx create` ended with 1: Cannot connect"):
        buildx.build(IMAGE, repository, "HEAD", output=tmp_path / "out")


def test_a_dockerfile_that_is_not_committed_is_named(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, "exit 1", monkeypatch)
    (repository / "Dockerfile").write_text("FROM scratch\n")
    with pytest.raises(InputError, match="Dockerfile is not in commit"):
        buildx.build(Image(repository="x/y", builder="buildx", dockerfile="Dockerfile"), repository, "HEAD")


def test_what_it_builds_of_is_the_commit_and_not_the_checkout(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "apps/hello/server.js").write_text("// changed, not committed\n")
    (repository / "apps/hello/secret.env").write_text("no")
    before = os.umask(0o077)
    try:
        docker(
            tmp_path,
            f"[ $2 = inspect ] || {{ cp -r . {tmp_path}/seen; ls -lR . > {tmp_path}/modes; exit 1; }}",
            monkeypatch,
        )
        with pytest.raises(ProviderError):
            buildx.build(IMAGE, repository, "HEAD", output=tmp_path / "out")
    finally:
        os.umask(before)
    seen = {path.relative_to(tmp_path / "seen").as_posix() for path in (tmp_path / "seen").rglob("*") if path.is_file()}
    assert seen == {name for name in HELLO_FILES if name.startswith("apps/hello/")}
    assert (tmp_path / "seen/apps/hello/server.js").read_text() == HELLO_FILES["apps/hello/server.js"]
    listed = [
        line.split()[0][:10] for line in (tmp_path / "modes").read_text().splitlines() if line.startswith(("d", "-"))
    ]
    assert set(listed) == {"drwxr-xr-x", "-rw-r--r--"}


def test_labels_say_where_it_comes_from(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(tmp_path, f'[ $2 = inspect ] || {{ printf "%s\\n" "$@" > {tmp_path}/asked; exit 1; }}', monkeypatch)
    source = "https://github.com/techmate/platform"
    with pytest.raises(ProviderError):
        images.build(HELLO, repository, "HEAD", http=Http(overlay=Overlay()), source=source)
    asked = (tmp_path / "asked").read_text().splitlines()
    commit = git(repository, "rev-parse", "HEAD")
    assert [asked[index + 1] for index, word in enumerate(asked) if word == "--label"] == [
        f"org.opencontainers.image.revision={commit}",
        f"org.opencontainers.image.source={source}",
        f"org.opencontainers.image.version={commit[:12]}",
        "shipmate.builder=buildx",
        "shipmate.schema=0000",
    ]


def test_what_it_built_is_read_as_an_image(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Blob.of(b"layer", LAYER)
    settings = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [layer.digest]}}
    config = Blob.of(canonical(settings), CONFIG)
    manifest = canonical({"schemaVersion": 2, "config": config.descriptor(), "layers": [layer.descriptor()]})
    made = BuiltImage(manifest=manifest, config=config, layers=(layer,))
    write(made, tmp_path / "made")
    docker(
        tmp_path,
        f'for word; do case "$word" in *dest=*) cp -r {tmp_path}/made/. "${{word##*dest=}}";; esac; done',
        monkeypatch,
    )
    write(made, tmp_path / "out")  # what an earlier build left is no part of this one
    (tmp_path / "out/blobs/sha256/stale").write_text("old")
    assert buildx.build(IMAGE, repository, "HEAD", output=tmp_path / "out").digest == made.digest
    assert not (tmp_path / "out/blobs/sha256/stale").exists()


def test_the_stand_in_builds_the_same_image_of_the_same_commit(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker_on_path(tmp_path / "dockers", monkeypatch)
    http = Http(overlay=Overlay())
    first = images.build_layout(HELLO, repository, "HEAD", output=tmp_path / "one", http=http)
    make(tmp_path / "elsewhere", {**HELLO_FILES, "apps/backend/backend/__main__.py": ""}, umask=0o077)
    assert images.build_layout(HELLO, tmp_path / "elsewhere", "HEAD", output=tmp_path / "two", http=http) == first
    index = json.loads((tmp_path / "one/index.json").read_text())
    assert [entry["digest"] for entry in index["manifests"]] == [first]


def test_a_dockerfile_that_is_not_supported_fails_the_build_with_its_line(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker_on_path(tmp_path / "dockers", monkeypatch)
    (repository / "apps/hello/Dockerfile").write_text(HELLO_FILES["apps/hello/Dockerfile"] + "RUN npm ci\n")
    git(repository, "commit", "-qam", "run")
    with pytest.raises(ProviderError, match=r"Dockerfile:\d+: RUN npm ci: not supported in a rehearsal"):
        images.build_layout(HELLO, repository, "HEAD", output=tmp_path / "out", http=Http(overlay=Overlay()))


def test_a_context_is_a_folder_whatever_its_name() -> None:
    image = Image(repository="x/y", builder="buildx", dockerfile="Dockerfile", context="-")
    assert buildx.command(image, {}, Path("/out"))[-1] == "./-"


def test_a_release_whose_manifest_lacks_what_its_builder_needs_is_reported_so(tmp_path: Path) -> None:
    for image, message in (
        (Image(repository="x/y", builder="buildx"), "the image does not say dockerfile"),
        (Image(repository="x/y", base="b", command=("c",)), "the image does not say requirements, sources"),
        (None, "this component has no `image`"),
    ):
        with pytest.raises(ManifestError, match=message):
            images.build(Component(paths=(), image=image), tmp_path, "HEAD", http=Http(overlay=Overlay()))
