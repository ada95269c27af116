"""How an image becomes files and a command line, and what is refused on the way."""

from __future__ import annotations

import asyncio
import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from rehearsal.emulators.cloud_run.command import NotExecutable, Relocation, command
from rehearsal.emulators.cloud_run.images import ImageRefused, ImageSource, Reference, WorldRegistry, pull
from rehearsal.emulators.cloud_run.interpreter import Interpreters, empty_interpreter, linked_node
from rehearsal.emulators.cloud_run.layers import LayerStore, merge, unpack
from rehearsal.emulators.registry.app import Registry
from tests.rehearsal.emulators.images_of_apps import HOST, NAME, put_image, tar_layer

PYTHON = Path("/world/bin/python")
NODE = Path("/world/node/bin/node")
BOTH = Interpreters(python=PYTHON, node=NODE)


def tar_with(*members: tuple[tarfile.TarInfo, bytes]) -> tarfile.TarFile:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    buffer.seek(0)
    return tarfile.open(fileobj=buffer)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, b"x" if kind == tarfile.REGTYPE else b""


@pytest.mark.parametrize(
    "bad",
    [
        [member("../outside")],
        [member("a/../../outside")],
        [member("link", tarfile.SYMTYPE, "/etc/passwd")],
        [member("link", tarfile.SYMTYPE, "../../etc/passwd")],
        [member("hard", tarfile.LNKTYPE, "../outside")],
        [member("device", tarfile.CHRTYPE)],
        [member("sub", tarfile.SYMTYPE, ".."), member("sub/outside")],
    ],
)
def test_nothing_leaves_the_folder_of_a_layer(tmp_path: Path, bad: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    target = tmp_path / "layer"
    target.mkdir()
    with tar_with(*bad) as tar, pytest.raises((tarfile.TarError, OSError)):
        unpack(tar, target)
    assert [path.name for path in tmp_path.iterdir()] == ["layer"]


def test_an_absolute_name_is_taken_as_below_the_layer(tmp_path: Path) -> None:
    with tar_with(member("/app/main.py")) as tar:
        unpack(tar, tmp_path)
    assert (tmp_path / "app/main.py").read_bytes() == b"x"


def files(folder: Path, **content: str) -> Path:
    for name, text in content.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return folder


def test_a_layer_covers_what_is_below_it(tmp_path: Path) -> None:
    low = files(tmp_path / "low", app__a="1", app__b="1", app__old__x="1", app__hidden__y="1")
    high = files(tmp_path / "high", app__b="2", app__hidden__z="2")
    (high / "app/.wh.old").touch()
    (high / "app/hidden/.wh..wh..opq").touch()
    (high / "app/link").symlink_to("b")
    root = tmp_path / "root"
    for layer in (low, high):
        merge(layer, root)
    found = {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}
    assert found == {"app/a": "1", "app/b": "2", "app/hidden/z": "2", "app/link": "2"}
    assert (root / "app/link").readlink() == Path("b")
    assert (low / "app/b").read_text() == "1"


def test_a_folder_does_not_go_through_a_link_of_a_lower_layer(tmp_path: Path) -> None:
    low = files(tmp_path / "low", real__x="1")
    (low / "app").symlink_to("real")
    high = files(tmp_path / "high", app__x="2")
    root = tmp_path / "root"
    for layer in (low, high):
        merge(layer, root)
    assert ((root / "real/x").read_text(), (root / "app/x").read_text()) == ("1", "2")


def test_paths_of_the_image_are_moved_and_nothing_else(tmp_path: Path) -> None:
    for folder in ("app", "etc", "tmp", "usr"):
        (tmp_path / folder).mkdir()
    moved = Relocation(tmp_path)
    here = str(tmp_path)
    assert moved("/app/main.py") == f"{here}/app/main.py"
    assert moved("/app:/usr/lib:/opt") == f"{here}/app:{here}/usr/lib:/opt"
    assert moved("--data=/app/data") == f"--data={here}/app/data"
    assert moved("cd '/app' && run") == f"cd '{here}/app' && run"
    for kept in ("/application", "https://x.test/app", "postgresql://h:5432/app", "a/app", "/etc/hosts", "/"):
        assert moved(kept) == kept


def container(**more: Any) -> dict[str, Any]:
    return {"image": "x", **more}


def test_entry_points_as_kubernetes_combines_them(tmp_path: Path) -> None:
    root = files(tmp_path, app__run="", app__bin__tool="#!/usr/local/bin/python3.11\n", app__bin__elf="\x7fELF")
    config = {
        "Entrypoint": ["python3.11", "-m", "backend"],
        "Cmd": ["--x"],
        "WorkingDir": "/app",
        "Env": ["PATH=/app/bin"],
    }
    ran = command(config, container(), root, BOTH)
    assert ran.argv == (str(PYTHON), "-m", "backend", "--x")
    assert (ran.cwd, ran.env["PATH"]) == (root / "app", f"/world/bin:/world/node/bin:{root}/app/bin:/usr/bin:/bin")
    assert command(config, container(args=["--y"]), root, BOTH).argv[1:] == ("-m", "backend", "--y")
    assert command(config, container(command=["tool"]), root, BOTH).argv == (str(PYTHON), f"{root}/app/bin/tool")
    assert command(config, container(command=["/app/bin/elf", "a"]), root, BOTH).argv == (f"{root}/app/bin/elf", "a")
    assert command(config, container(command=["sh", "-c", "x"]), root, BOTH).argv == ("/bin/sh", "-c", "x")
    assert command(config, container(workingDir="/app/bin"), root, BOTH).cwd == root / "app/bin"


@pytest.mark.parametrize(
    ("config", "message"), [({}, "neither"), ({"Cmd": ["bash"]}, "bash"), ({"Cmd": ["/usr/bin/env", "x"]}, "env")]
)
def test_only_the_images_own_programs_are_run(tmp_path: Path, config: dict[str, Any], message: str) -> None:
    with pytest.raises(NotExecutable, match=message):
        command(config, container(), files(tmp_path, app__x=""), BOTH)


def test_node_is_the_machines_whatever_folder_it_is_configured_in(tmp_path: Path) -> None:
    root = files(tmp_path, app__server="", app__bin__tool="#!/usr/bin/env node\n")
    for word in ("node", "nodejs", "/usr/local/bin/node"):
        config = {"Cmd": [word, "server.js"], "WorkingDir": "/app"}
        assert command(config, container(), root, BOTH).argv == (str(NODE), "server.js")
    config = {"Cmd": ["tool"], "Env": ["PATH=/app/bin"]}
    assert command(config, container(), root, BOTH).argv == (str(NODE), f"{root}/app/bin/tool")
    without = Interpreters(python=PYTHON)
    with pytest.raises(NotExecutable, match="this machine has no node"):
        command({"Cmd": ["node", "server.js"]}, container(), root, without)
    with pytest.raises(NotExecutable, match="this machine has no node"):
        command(config, container(), root, without)
    assert command({"Cmd": ["python"]}, container(), root, without).env["PATH"] == "/world/bin:/usr/bin:/bin"


def test_only_node_of_nodes_folder_is_on_an_images_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = files(tmp_path / "machine", node="#!/bin/sh\n", npm="#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(machine))
    for _ in range(2):
        node = linked_node(tmp_path / "node")
        assert node is not None
        assert node.resolve() == machine / "node"
    assert [path.name for path in (tmp_path / "node/bin").iterdir()] == ["node"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert linked_node(tmp_path / "none") is None


def test_the_interpreter_is_made_once(tmp_path: Path) -> None:
    python = empty_interpreter(tmp_path / "python")
    made = python.parent.parent.stat().st_mtime_ns
    assert empty_interpreter(tmp_path / "python") == python
    assert python.parent.parent.stat().st_mtime_ns == made
    assert not any((tmp_path / "python").rglob("site-packages/*"))


def pulled(source: ImageSource, folder: Path, reference: str) -> Path:
    async def run() -> Path:
        store = LayerStore(folder)
        return await store.root_of(source, await pull(source, reference, store.scratch))

    return asyncio.run(run())


def refused(source: ImageSource, folder: Path, reference: str) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        pulled(source, folder, reference)
    return caught.value


def test_layers_are_unpacked_once_for_all_images(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    shared = tar_layer({"app/deps/shared.py": "x"})
    source = WorldRegistry(registry.repositories, (HOST,))
    roots = []
    for version in ("v1", "v2"):
        digest = put_image(registry.repositories, version, [shared, tar_layer({"app/main.py": version})], {})
        roots.append(pulled(source, tmp_path / "run", f"{HOST}/{NAME}@{digest}"))
    assert [(root / "app/main.py").read_text() for root in roots] == ["v1", "v2"]
    assert len({(root / "app/deps/shared.py").stat().st_ino for root in roots}) == 1
    assert pulled(source, tmp_path / "run", f"{HOST}/{NAME}:v2") == roots[1]


def test_what_cannot_be_pulled_says_why(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    source = WorldRegistry(registry.repositories, (HOST,))
    bad = put_image(registry.repositories, "bad", [gzip.compress(b"no tar")], {})
    assert "cannot be unpacked" in refused(source, tmp_path / "run", f"{HOST}/{NAME}@{bad}").message
    assert "not found" in refused(source, tmp_path / "run", f"{HOST}/{NAME}:none").message
    assert "not an image reference" in refused(source, tmp_path / "run", "NO REFERENCE").message
    layer = tar_layer({"app/x": "1"})
    good = put_image(registry.repositories, "good", [layer], {})
    for path in (tmp_path / "registry/blobs").iterdir():
        if path.read_bytes() == layer:
            path.write_bytes(b"tampered")
    assert "gave sha256" in refused(source, tmp_path / "run", f"{HOST}/{NAME}@{good}").message


def test_references() -> None:
    digest = "sha256:" + "0" * 64
    assert Reference.parse(f"{HOST}/a/b:v1@{digest}") == Reference(HOST, "a/b", digest)
    assert Reference.parse("127.0.0.1:5000/a/b:v1") == Reference("127.0.0.1:5000", "a/b", "v1")
    assert Reference.parse(f"{HOST}/a/b").reference == "latest"
