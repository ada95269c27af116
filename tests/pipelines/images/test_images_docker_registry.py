"""Docker's own registry, as a peer of the world's: our client, and what it made, against both."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.errors import InputError
from pipelines.http import Http
from pipelines.images.assemble import assemble
from pipelines.images.model import Reference
from pipelines.images.registry import Registry
from pipelines.images.store import Store
from pipelines.overlay import Overlay
from rehearsal import processes
from rehearsal.emulators.registry.app import Registry as Emulator
from rehearsal.emulators.registry.base import seed_base
from rehearsal.services import peers
from rehearsal.services.availability import free_port
from rehearsal.serving import running
from tests.pipelines.images.repository import component, make
from tests.rehearsal.services.waiting import until

pytestmark = pytest.mark.world


@contextlib.contextmanager
def docker_registry(folder: Path) -> Iterator[str]:
    """Its host and port."""
    program, port = peers.find("docker-registry"), free_port()
    settings = folder / "settings.yml"
    settings.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder / 'blobs'}}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n"
    )
    process = processes.spawn([str(program), "serve", str(settings)], env={"PATH": os.environ["PATH"]})
    try:
        until(lambda: process.poll() is not None or answers(port))
        assert process.poll() is None, f"docker-registry ended with {process.returncode}"
        yield f"127.0.0.1:{port}"
    finally:
        processes.end(process)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_it_takes_and_gives_back_what_the_worlds_registry_does(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path / "emulator")
    base = seed_base(emulator.repositories, "library/python", "3.11-slim")
    make(tmp_path / "repo")
    registry = Registry(Http(overlay=Overlay(hosts={})), credentials=lambda host: None, store=Store(tmp_path / "store"))
    with running(emulator.app) as server, docker_registry(tmp_path) as host:
        here = server.url.removeprefix("http://")
        image = assemble(
            component(f"{here}/library/python:3.11-slim@{base}"), tmp_path / "repo", "HEAD",
            fetch=registry.fetch, store=registry.store, source="https://github.com/t/p", bases={},
        )  # fmt: skip
        for target in (f"{here}/platform/backend", f"{host}/platform/backend"):
            reference = registry.push(image, target, ["abc"])
            assert reference == f"{target}@{image.digest}"
            assert registry.push(image, target, ["abc"]) == reference
            assert registry.resolve(registry.tag(reference, ["v1.0.0"])) == image.digest
            assert registry.resolve(f"{target}:v1.0.0") == registry.resolve(f"{target}:abc") == image.digest
            blob = image.layers[-1].digest
            assert registry.fetch(Reference.parse(target), "blobs", blob) == b"".join(image.layers[-1])
            with pytest.raises(InputError, match="there is no"):
                registry.resolve(f"{target}:never")
