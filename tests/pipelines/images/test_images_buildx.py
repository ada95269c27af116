"""The command line for docker buildx; the build itself is not rehearsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import LocalError, ProviderError
from pipelines.http import Http
from pipelines.images import build, buildx
from pipelines.images.layout import write
from pipelines.images.model import CONFIG, LAYER, Blob, BuiltImage, canonical
from pipelines.manifest.model import Image
from tests.pipelines.images.repository import component

IMAGE = component("docker.io/library/python:3.11", builder="buildx").image
assert isinstance(IMAGE, Image)


def test_it_asks_for_a_layout_of_one_platform() -> None:
    command = buildx.command(IMAGE, {"org.opencontainers.image.revision": "abc"}, Path("/out"))
    assert command[:5] == ["docker", "buildx", "build", "--platform", "linux/amd64"]
    assert "type=oci,tar=false,rewrite-timestamp=true,dest=/out" in command
    assert command[-3:] == ["--file", "apps/backend/Dockerfile", "."]
    assert "org.opencontainers.image.revision=abc" in command


def test_without_docker_it_says_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="docker is not installed") as caught:
        buildx.build(IMAGE, tmp_path, {})
    assert "builder: assembler" in caught.value.next_step


def docker(folder: Path, script: str) -> None:
    """A program called docker."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_a_failed_build_shows_what_docker_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(tmp_path, "echo 'ERROR: failed to solve' >&2; exit 17")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ProviderError, match="ended with 17: ERROR: failed to solve"):
        buildx.build(IMAGE, tmp_path, {})


def test_its_labels_say_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(tmp_path, f'printf "%s\\n" "$@" > {tmp_path}/asked; exit 1')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    wanted = component("docker.io/library/python:3.11", builder="buildx")
    with pytest.raises(ProviderError):
        build(wanted, tmp_path, "abc", http=Http(), source="https://github.com/techmate/platform")
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [word for word in asked if "=" in word and word.startswith("org.")] == [
        "org.opencontainers.image.revision=abc",
        "org.opencontainers.image.source=https://github.com/techmate/platform",
    ]


def test_what_it_built_is_read_as_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, layer = Blob.of(b"{}", CONFIG), Blob.of(b"layer", LAYER)
    manifest = canonical({"config": config.descriptor(), "layers": [layer.descriptor()]})
    made = BuiltImage(manifest=manifest, config=config, layers=(layer,))
    write(made, tmp_path / "made")
    docker(tmp_path, f'for word; do case "$word" in *dest=*) cp -r {tmp_path}/made/. "${{word##*dest=}}";; esac; done')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "out").mkdir()
    assert buildx.build(IMAGE, tmp_path, {}, tmp_path / "out").digest == made.digest
