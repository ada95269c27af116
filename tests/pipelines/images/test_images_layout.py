"""Layouts that code of a release wrote: what is pushed of them, and every lie that is refused before anything is sent."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines import images
from pipelines.errors import InputError
from pipelines.http import Http
from pipelines.images import documents, files, layout
from pipelines.images.layer import File, tar
from pipelines.images.model import CONFIG, EMPTY, FILES, INDEX, LAYER, MANIFEST, Blob, BuiltImage, canonical, sha256
from pipelines.overlay import Overlay
from tests.pipelines.images.repository import component, make
from tests.pipelines.images.test_images_registry import HOST, QUICK, REPOSITORY, World, world

SETTINGS = {"os": "linux", "architecture": "amd64"}
LAYER_BYTES = b"".join(tar([File(path="app/main.py", content=b"print(1)\n")]))


class Layout:
    """A layout of one layer whose parts can be changed before it is written, so that digests and sizes agree again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.layer = Blob.of(LAYER_BYTES, LAYER)
        self.config: dict[str, Any] = {**SETTINGS, "rootfs": {"type": "layers", "diff_ids": [self.layer.digest]}}
        self.manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG},
            "layers": [self.layer.descriptor()],
        }
        self.entry: dict[str, Any] = {}
        self.index: dict[str, Any] = {}
        self.mark: dict[str, Any] = {"imageLayoutVersion": "1.0.0"}

    def file(self, digest: str) -> Path:
        return self.folder / "blobs/sha256" / digest.removeprefix("sha256:")

    def put(self, content: bytes) -> str:
        digest = sha256(content)
        self.file(digest).parent.mkdir(parents=True, exist_ok=True)
        self.file(digest).write_bytes(content)
        return digest

    def write(self) -> Path:
        self.put(LAYER_BYTES)
        config = canonical(self.config)
        described = {"digest": self.put(config), "size": len(config)}
        self.manifest["config"] = {**described, **self.manifest["config"]}
        manifest = canonical(self.manifest)
        entry = {"mediaType": MANIFEST, "digest": self.put(manifest), "size": len(manifest), **self.entry}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry], **self.index}
        (self.folder / "index.json").write_bytes(canonical(index))
        (self.folder / "oci-layout").write_bytes(canonical(self.mark))
        return self.folder


def test_a_plain_layout_is_read(tmp_path: Path) -> None:
    made = Layout(tmp_path / "out")
    image = layout.read(made.write())
    assert image.layers[0].content == made.file(made.layer.digest)
    assert [b"".join(blob) for blob in image.blobs] == [canonical(made.config), LAYER_BYTES]


Lie = Callable[[Layout], None]


def _of_manifest(**changed: Any) -> Lie:
    return lambda made: made.manifest.update(changed)


def _of_layer(**changed: Any) -> Lie:
    return lambda made: made.manifest["layers"][0].update(changed)


def _of_config(**changed: Any) -> Lie:
    return lambda made: made.config.update(changed)


def _entries(*entries: Any) -> Lie:
    return lambda made: made.index.update(manifests=list(entries))


_ENTRY = {"mediaType": MANIFEST, "digest": f"sha256:{'a' * 64}", "size": 1}


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        (_entries(), "names 0 manifests"),
        (_entries(_ENTRY, _ENTRY), "names 2 manifests"),
        (_entries({**_ENTRY, "mediaType": INDEX}), "further index"),
        (_entries({**_ENTRY, "mediaType": "text/html"}), "of the media type 'text/html'"),
        (_entries({**_ENTRY, "digest": "sha256:../../../etc/passwd"}), "is no sha256 digest"),
        (_entries({**_ENTRY, "digest": f"sha512:{'a' * 128}"}), "is no sha256 digest"),
        (_entries({**_ENTRY, "size": documents.LARGEST_DOCUMENT + 1}), "are the most"),
        (_entries({**_ENTRY, "urls": ["https://elsewhere.test/x"]}), "the key 'urls'"),
        (_entries("text"), "described by no JSON object"),
        (lambda made: made.index.update(schemaVersion=1), "no image index of schema version 2"),
        (lambda made: made.index.update(manifests={}), "no image index of schema version 2"),
        (lambda made: made.entry.update(annotations=["x"]), "annotations in index.json"),
        (lambda made: made.mark.update(imageLayoutVersion="2.0.0"), "says version '2.0.0'"),
        (_of_manifest(subject=_ENTRY), "the key 'subject'"),
        (_of_manifest(manifests=[]), "the key 'manifests'"),
        (_of_manifest(schemaVersion=1), "of schema version 2"),
        (_of_manifest(mediaType="application/vnd.docker.distribution.manifest.v2+json"), "of schema version 2"),
        (_of_manifest(artifactType="application/x-helm"), "neither an image nor a packed site"),
        (_of_manifest(artifactType=FILES), "of the media type 'application/vnd.oci.image.config.v1+json'"),
        (_of_manifest(layers=[]), "does not list 1 to 127 layers"),
        (_of_manifest(layers=[_ENTRY] * 128), "does not list 1 to 127 layers"),
        (_of_manifest(layers="none"), "does not list 1 to 127 layers"),
        (_of_layer(mediaType="application/vnd.oci.image.layer.nondistributable.v1.tar"), "layer 0 is of the media type"),
        (_of_layer(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), "layer 0 is of the media type"),
        (_of_layer(urls=["https://elsewhere.test/layer"]), "the key 'urls'"),
        (_of_layer(data="eA=="), "the key 'data'"),
        (_of_layer(size=True), "has the size True"),
        (_of_layer(size=-1), "has the size -1"),
        (_of_layer(size="9"), "has the size '9'"),
        (_of_layer(size=9), "and its manifest says 9"),
        (_of_layer(size=documents.LARGEST_IMAGE + 1), "bytes together"),
        (_of_layer(digest=f"sha256:{'b' * 64}"), "is missing, and no base image is named"),
        (_of_layer(digest="sha256:../../index.json"), "is no sha256 digest"),
        (_of_config(architecture="arm64"), "is for linux/arm64"),
        (_of_config(os="windows"), "is for windows/amd64"),
        (_of_config(rootfs={"diff_ids": []}), "does not name the 1 layers"),
        (_of_config(rootfs=[]), "does not name the 1 layers"),
        (lambda made: made.manifest["config"].update(size=2), "the configuration is not what its digest says"),
        (lambda made: made.manifest["config"].update(mediaType=EMPTY), "config is of the media type"),
    ],
)  # fmt: skip
def test_a_layout_that_lies_is_refused(tmp_path: Path, lie: Lie, message: str) -> None:
    made = Layout(tmp_path / "out")
    lie(made)
    folder = made.write()
    with pytest.raises(InputError) as caught:
        layout.read(folder)
    assert message in caught.value.what
    assert caught.value.where == str(folder)


def _changed_layer(made: Layout) -> None:
    made.file(made.layer.digest).write_bytes(b"x" * made.layer.size)


def _link_to_layer(made: Layout) -> None:
    outside = made.folder.parent / "outside"
    outside.write_bytes(LAYER_BYTES)
    made.file(made.layer.digest).unlink()
    made.file(made.layer.digest).symlink_to(outside)


def _pipe(made: Layout) -> None:
    made.file(made.layer.digest).unlink()
    os.mkfifo(made.file(made.layer.digest))


def _folder(made: Layout) -> None:
    made.file(made.layer.digest).unlink()
    made.file(made.layer.digest).mkdir()


def _linked_folder(made: Layout) -> None:
    (made.folder / "blobs").rename(made.folder.parent / "blobs")
    (made.folder / "blobs").symlink_to(made.folder.parent / "blobs")


def _linked_index(made: Layout) -> None:
    (made.folder / "index.json").rename(made.folder.parent / "index.json")
    (made.folder / "index.json").symlink_to(made.folder.parent / "index.json")


def _huge_index(made: Layout) -> None:
    with (made.folder / "index.json").open("r+b") as file:
        file.truncate(1 << 40)  # takes no room: nobody wrote to it


def _huge_layer(made: Layout) -> None:
    with made.file(made.layer.digest).open("r+b") as file:
        file.truncate(1 << 40)


def _index(content: bytes) -> Lie:
    return lambda made: (made.folder / "index.json").write_bytes(content) and None


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (_changed_layer, "what lies there as sha256:"),
        (_link_to_layer, "is no plain file"),
        (_pipe, "is no plain file"),
        (_folder, "is no plain file"),
        (_linked_folder, "blobs is no folder"),
        (_linked_index, "index.json is no plain file"),
        (_huge_index, "index.json has 1099511627776 bytes"),
        (_huge_layer, "has 1099511627776 bytes, and its manifest says"),
        (_index(b"[" * 100_000), "index.json is not JSON"),
        (_index(b"\xff\xfe"), "index.json is not JSON"),
        (_index(b"[]"), "index.json is not a JSON object"),
        (_index(b'{"schemaVersion":2,"manifests":[],"manifests":[1]}'), "a key stands twice in index.json"),
        (lambda made: (made.folder / "oci-layout").unlink(), "oci-layout is missing"),
        (lambda made: (made.folder / "index.json").unlink(), "index.json is missing"),
    ],
)
def test_files_that_are_not_what_they_seem_are_refused(tmp_path: Path, break_it: Lie, message: str) -> None:
    made = Layout(tmp_path / "out")
    made.write()
    break_it(made)
    with pytest.raises(InputError) as caught:
        layout.read(made.folder)
    assert message in caught.value.what


def test_nothing_that_is_no_layout_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no image layout"):
        layout.write(BuiltImage(manifest=b"{}", config=Blob.of(b"{}", CONFIG), layers=()), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def pushed(w: World, folder: Path, **more: Any) -> str:
    return images.push_layout(folder, REPOSITORY, ["v1"], http=w.registry.http, **more)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-logins"))


def test_a_whole_layout_is_pushed_once(tmp_path: Path) -> None:
    folder = Layout(tmp_path / "out").write()
    digest = layout.read(folder).digest
    with world(tmp_path) as w:
        assert pushed(w, folder, digest=digest) == f"{REPOSITORY}@{digest}"
        assert w.registry.resolve(f"{REPOSITORY}:v1") == digest
        uploads = w.faulty.sent("POST")
        assert pushed(w, folder) == f"{REPOSITORY}@{digest}"
        assert w.faulty.sent("POST") == uploads


def test_nothing_is_sent_of_a_layout_that_lies(tmp_path: Path) -> None:
    made = Layout(tmp_path / "out")
    made.write()
    digest = layout.read(made.folder).digest
    with world(tmp_path) as w:
        with pytest.raises(InputError, match=f"the layout holds {digest}, and sha256:0"):
            pushed(w, made.folder, digest=f"sha256:{'0' * 64}")
        _changed_layer(made)
        with pytest.raises(InputError, match="damaged"):
            pushed(w, made.folder)
        assert w.faulty.asked == []


def assembled(tmp_path: Path, w: World) -> tuple[Path, str]:
    """The layout of a component on the world's base, and the base as its manifest names it."""
    if not (tmp_path / "repo").exists():
        make(tmp_path / "repo")
    of = component(w.base)
    images.build_layout(of, tmp_path / "repo", "HEAD", output=tmp_path / "out", http=w.registry.http)
    return tmp_path / "out", w.base


def test_the_layers_of_the_base_are_linked_and_not_fetched(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        folder, base = assembled(tmp_path, w)
        reference = pushed(w, folder, base=base)
        layers = [blob.digest for blob in layout.read(folder).layers]
        assert w.faulty.sent(f"GET /v2/library/python/blobs/{layers[0]}") == 0
        assert w.registry.exists(reference)


def test_the_layers_of_a_base_elsewhere_are_fetched_once(tmp_path: Path) -> None:
    pinned = f"docker.io/library/python:3.11@sha256:{'3' * 64}"
    with world(tmp_path) as w:
        origin = w.registry.http.overlay.hosts[HOST]
        hub = w.base.replace(HOST, "docker.io")
        overlay = Overlay(hosts={HOST: origin, "registry-1.docker.io": origin}, images={pinned: hub})
        http = Http(overlay=overlay, policy=QUICK)
        make(tmp_path / "repo")
        images.build_layout(component(pinned), tmp_path / "repo", "HEAD", output=tmp_path / "out", http=http)
        layer = layout.read(tmp_path / "out").layers[0].digest
        for _ in range(2):
            images.push_layout(tmp_path / "out", REPOSITORY, http=http, base=pinned)
            assert w.faulty.sent(f"GET /v2/library/python/blobs/{layer}") == 1
            for file in (tmp_path / "home/images/blobs").iterdir():
                file.unlink()  # what is in the registry is not fetched again, even where nothing is kept


def test_a_base_is_believed_from_the_manifest_alone(tmp_path: Path) -> None:
    """A layer of someone else's repository cannot be had by naming it: neither as a base nor without one."""
    with world(tmp_path) as w:
        folder, base = assembled(tmp_path, w)
        index = json.loads((folder / "index.json").read_text())
        index["manifests"][0]["annotations"][layout.BASE] = f"{HOST}/stranger/private@sha256:{'9' * 64}"
        (folder / "index.json").write_text(json.dumps(index))
        w.faulty.asked.clear()
        with pytest.raises(InputError, match="no layer of any base: none is declared"):
            pushed(w, folder)
        assert len(w.faulty.asked) == w.faulty.sent("HEAD /v2/techmate-delivery/platform/backend/blobs/") == 1
        pushed(w, folder, base=base)
        assert not any("stranger/private" in line for line in w.faulty.asked)


def test_a_layer_that_is_not_the_bases_cannot_be_left_out(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        folder, base = assembled(tmp_path, w)
        own = layout.read(folder).layers[-1]
        (folder / "blobs/sha256" / own.digest.removeprefix("sha256:")).unlink()
        w.faulty.asked.clear()
        with pytest.raises(InputError, match=f"the layout is without {own.digest}, which is no layer of"):
            pushed(w, folder, base=base)
        assert w.faulty.sent("POST") == w.faulty.sent("PUT") == 0


def test_a_packed_site_is_a_layout_too(tmp_path: Path) -> None:
    (tmp_path / "dist/assets").mkdir(parents=True)
    (tmp_path / "dist/index.html").write_text("<html>")
    (tmp_path / "dist/config.json").write_text("{}")
    (tmp_path / "dist/assets/app.js").write_text("1")
    digest = images.pack_layout(tmp_path / "dist", tmp_path / "out")
    with world(tmp_path) as w:
        reference = pushed(w, tmp_path / "out", digest=digest)
        images.pull_files(reference, tmp_path / "back", http=w.registry.http)
    found = {
        path.relative_to(tmp_path / "back").as_posix() for path in (tmp_path / "back").rglob("*") if path.is_file()
    }
    assert found == {"index.html", "assets/app.js"}


def test_a_site_with_a_link_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/index.html").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match=r"index\.html is a symbolic link"):
        files.pack(tmp_path / "dist")


def archive(*entries: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for entry in entries:
            made.addfile(entry)
    return buffer.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    "content",
    [
        archive(entry("../outside")),
        archive(entry("/outside")),
        archive(entry("a/../../outside")),
        archive(entry("link", tarfile.SYMTYPE, "..")),
        archive(entry("good"), entry("hard", tarfile.LNKTYPE, "good")),
        archive(entry("pipe", tarfile.FIFOTYPE)),
        archive(entry("device", tarfile.CHRTYPE)),
        b"no archive",
    ],
)
def test_a_hostile_site_is_not_unpacked(tmp_path: Path, content: bytes) -> None:
    """Pushed it may be, as bytes; where it is unpacked, with what deploys it, nothing lands elsewhere."""
    with pytest.raises(InputError, match="cannot be unpacked"):
        files.unpack(content, tmp_path / "folder")
    assert {path.name for path in tmp_path.rglob("*")} <= {"folder", "good"}


def test_a_site_that_grows_while_it_is_read_is_not_unpacked(tmp_path: Path) -> None:
    import gzip

    with pytest.raises(InputError, match="cannot be unpacked"):
        files.unpack(gzip.compress(archive(entry("index.html"))), tmp_path / "folder")


def test_a_site_of_too_many_files_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.images.archive.MOST_FILES", 2)
    with pytest.raises(InputError, match="more than 2 files"):
        files.unpack(archive(entry("1"), entry("2"), entry("3")), tmp_path / "folder")
