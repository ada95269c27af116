"""The assembler: the same commit gives the same image wherever and whenever it is built."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import InputError, ManifestError, ProviderError
from pipelines.images import assemble, dependencies, files, layout
from pipelines.images.model import BuiltImage, Reference, sha256
from pipelines.images.store import Store
from pipelines.manifest.components import Component
from tests.pipelines.images.repository import FILES, component, git, make

BASE_CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "config": {"Env": ["PATH=/usr/local/bin:/usr/bin", "LANG=C.UTF-8"], "Cmd": ["python3"]},
    "rootfs": {"type": "layers", "diff_ids": [sha256(b"diff")]},
    "history": [{"created_by": "base"}],
}
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def base_documents(*env: str) -> dict[str, bytes]:
    """An index over one image, as Docker Hub has them, with more variables; by digest. The index comes last."""
    inherited: Any = BASE_CONFIG["config"]
    config = json.dumps({**BASE_CONFIG, "config": {**inherited, "Env": [*inherited["Env"], *env]}}).encode()
    layer = {"mediaType": _DOCKER_LAYER, "digest": sha256(b"base layer"), "size": 10}
    described = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "digest": sha256(config),
        "size": len(config),
    }
    manifest = json.dumps({"schemaVersion": 2, "config": described, "layers": [layer]}).encode()
    platforms = [
        {"digest": sha256(b"arm"), "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": sha256(manifest), "platform": {"os": "linux", "architecture": "amd64"}},
    ]
    index = json.dumps({"manifests": platforms}).encode()
    return {sha256(content): content for content in (config, manifest, index)}


DOCUMENTS = base_documents()
BASE = f"docker.io/library/python:3.11-slim@{list(DOCUMENTS)[-1]}"


class Asked:
    """A registry that holds the base's documents and counts what is asked of it."""

    def __init__(self, documents: dict[str, bytes] = DOCUMENTS) -> None:
        self.documents = documents
        self.count = 0

    def __call__(self, at: Reference, kind: str, digest: str) -> bytes:
        self.count += 1
        return self.documents[digest]


def assembled(
    root: Path, store: Path, commit: str = "HEAD", of: Component | None = None, fetch: Any = None
) -> BuiltImage:
    return assemble.assemble(
        of or component(BASE),
        root,
        commit,
        fetch=fetch or Asked(),
        store=Store(store),
        source="https://github.com/t/p",
        bases={},
    )


def names(image: BuiltImage) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(image.layers[-1]))) as archive:
        return archive.getnames()


def test_two_checkouts_give_the_same_digest(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "an other place"
    make(one)
    make(two, umask=0o077)
    later = time.time() + 12345
    for path in two.rglob("*"):
        os.utime(path, (later, later))
    (two / "apps/backend/backend/__pycache__").mkdir()
    (two / "apps/backend/backend/__pycache__/junk.pyc").write_bytes(b"junk")
    assert assembled(one, tmp_path / "store-1") == assembled(one, tmp_path / "store-1")
    assert assembled(one, tmp_path / "store-1").digest == assembled(two, tmp_path / "store-2").digest


def test_locale_and_clock_do_not_matter(tmp_path: Path) -> None:
    make(tmp_path / "repo")
    program = (
        "import sys; from pathlib import Path; from tests.pipelines.images.test_images_assemble import assembled;"
        "print(assembled(Path(sys.argv[1]), Path(sys.argv[2])).digest)"
    )
    digests = set()
    for number, more in enumerate(
        ({"LC_ALL": "C", "TZ": "UTC"}, {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"})
    ):
        command = [os.sys.executable, "-c", program, str(tmp_path / "repo"), str(tmp_path / f"s{number}")]  # type: ignore[attr-defined]
        done = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, check=True)
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert digests.pop().startswith("sha256:")


def test_another_commit_gives_another_digest_and_says_which(tmp_path: Path) -> None:
    first = make(tmp_path)
    before = assembled(tmp_path, tmp_path / "s", first)
    (tmp_path / "apps/backend/backend/new.py").write_text("NEW = 1\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "second")
    after = assembled(tmp_path, tmp_path / "s")
    assert before.digest != after.digest
    assert assembled(tmp_path, tmp_path / "s", first).digest == before.digest
    config = json.loads(b"".join(after.config))
    labels = config["config"]["Labels"]
    assert labels["org.opencontainers.image.revision"] == git(tmp_path, "rev-parse", "HEAD")
    assert labels["org.opencontainers.image.base.digest"] == BASE.partition("@")[2]
    assert labels["shipmate.schema"] == "0002"


def test_configuration_keeps_the_base_and_adds_ours(tmp_path: Path) -> None:
    make(tmp_path)
    image = assembled(tmp_path, tmp_path / "s")
    config = json.loads(b"".join(image.config))
    assert config["created"] == "1970-01-01T00:00:00Z"
    assert "LANG=C.UTF-8" in config["config"]["Env"]
    assert "PYTHONPATH=/app/deps:/app" in config["config"]["Env"]
    assert (config["config"]["Entrypoint"], config["config"]["User"]) == (["python", "-m", "backend"], "65532:65532")
    assert "Cmd" not in config["config"]
    assert len(config["rootfs"]["diff_ids"]) == len(config["history"]) == len(image.layers) == 3
    manifest = json.loads(image.manifest)
    assert manifest["layers"][0]["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    assert manifest["layers"][0]["digest"] == sha256(b"base layer")
    assert [blob.content is None for blob in image.layers] == [True, False, False]


def test_only_committed_files_go_in(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "apps/backend/backend/secret.py").write_text("no")
    (tmp_path / "apps/backend/backend/__main__.py").write_text("changed")
    image = assembled(tmp_path, tmp_path / "s")
    assert "app/backend/secret.py" not in names(image)
    assert any("uncommitted changes are not in the image" in note for note in image.notes)
    with tarfile.open(fileobj=io.BytesIO(b"".join(image.layers[-1]))) as archive:
        entry = archive.getmember("app/backend/__main__.py")
        content = archive.extractfile(entry)
        assert content is not None
        assert content.read() == b"print('hello')\n"
        assert (entry.mode, entry.mtime, entry.uid, entry.uname) == (0o755, 0, 0, "")
        assert archive.getmember("app/backend/__init__.py").mode == 0o644
        assert archive.getmember("app/backend").mode == 0o755


def test_a_second_build_asks_nobody(tmp_path: Path) -> None:
    make(tmp_path)
    fetch = Asked()
    assembled(tmp_path, tmp_path / "s", fetch=fetch)
    assert fetch.count == 3
    assembled(tmp_path, tmp_path / "s", fetch=fetch)
    assert fetch.count == 3


def test_a_base_that_is_not_what_its_digest_says_is_refused(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(ProviderError, match="what came is not sha256"):
        assembled(tmp_path, tmp_path / "s", fetch=Asked(dict.fromkeys(DOCUMENTS, b"{}")))


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ({"base": "docker.io/library/python:3.11-slim"}, "is not pinned"),
        ({"sources": ("apps/backend/backend -> deps",)}, "cannot be put at 'deps'"),
        ({"sources": ("apps/nothing -> backend",)}, "holds no file"),
        ({"requirements": "apps/backend/missing.txt"}, "is not in commit"),
    ],
)
def test_a_wrong_image_section_is_named(tmp_path: Path, image: dict[str, Any], says: str) -> None:
    make(tmp_path)
    with pytest.raises((ManifestError, InputError), match=says):
        assembled(tmp_path, tmp_path / "s", of=component(**{"base": BASE, **image}))


def test_requirements_without_hashes_are_refused(tmp_path: Path) -> None:
    make(tmp_path, {**FILES, "apps/backend/requirements.txt": "redis==8.1.0\n"})
    with pytest.raises(ManifestError, match="carry no hashes"):
        assembled(tmp_path, tmp_path / "s")


def test_dependencies_are_installed_by_uv_the_same_way_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(wheel(tmp_path / "wheels").read_bytes()).hexdigest()
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    locked = f"demo==1.0 --hash=sha256:{digest}\n".encode()
    one = dependencies.layer(locked, "3.11", "app/deps", Store(tmp_path / "s1"))
    two = dependencies.layer(locked, "3.11", "app/deps", Store(tmp_path / "s2"))
    assert one.digest == two.digest
    assert dependencies.layer(locked, "3.11", "app/deps", Store(tmp_path / "s1")) == one
    with tarfile.open(fileobj=io.BytesIO(b"".join(one))) as archive:
        kept = [entry.name for entry in archive if entry.isfile()]
    assert kept == [
        "app/deps/demo-1.0.dist-info/METADATA",
        "app/deps/demo-1.0.dist-info/WHEEL",
        "app/deps/demo-1.0.dist-info/entry_points.txt",
        "app/deps/demo.py",
    ]
    elsewhere = dependencies.layer(
        locked, "3.11", "app/deps", Store(tmp_path / "s1"), platform="aarch64-manylinux_2_28"
    )
    assert elsewhere == one  # a wheel without machine code; it was looked for anew, not taken from what was kept
    assert len(list((tmp_path / "s1").rglob("dependencies/*.json"))) == 2
    with pytest.raises(ManifestError, match="cannot be installed for x86_64"):
        dependencies.layer(locked.replace(digest.encode(), b"0" * 64), "3.11", "app/deps", Store(tmp_path / "s3"))


@pytest.mark.parametrize(
    ("lines", "chosen", "noted"),
    [
        (["PYTHON_VERSION=3.12.4"], "3.12", True),
        (["PYTHON_VERSION=3.11.10"], "3.11", False),
        (["PYTHON_VERSION=main"], "3.11", False),
        ([], "3.11", False),
    ],
)
def test_the_wheels_are_for_the_python_of_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], chosen: str, noted: bool
) -> None:
    wheels = [wheel(tmp_path / "wheels", f"cp{v}-cp{v}-manylinux_2_28_x86_64", f"FOR = {v}\n") for v in (311, 312)]
    hashes = " ".join(f"--hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in wheels)
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    make(tmp_path / "repo", {**FILES, "apps/backend/requirements.txt": f"demo==1.0 {hashes}\n"})
    documents = base_documents(*lines)
    of = component(f"docker.io/library/python:3-slim@{list(documents)[-1]}")
    image = assembled(tmp_path / "repo", tmp_path / "s", of=of, fetch=Asked(documents))
    with tarfile.open(fileobj=io.BytesIO(b"".join(image.layers[1]))) as archive:
        content = archive.extractfile("app/deps/demo.py")
        assert content is not None
        assert content.read().decode() == f"FOR = {chosen.replace('.', '')}\n"
    assert json.loads(b"".join(image.config))["config"]["Labels"]["shipmate.python"] == chosen
    noted_for = [note for note in image.notes if note.startswith(f"the wheels are for Python {chosen}, which the base")]
    assert len(noted_for) == len(image.notes) == noted


def wheel(folder: Path, tag: str = "py3-none-any", source: str = "def main(): pass\n") -> Path:
    """A wheel with a console script, whose first line would name this machine's Python."""
    folder.mkdir(exist_ok=True)
    path, info = folder / f"demo-1.0-{tag}.whl", "demo-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo.py", source)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ndemo = demo:main\n")
        archive.writestr(
            f"{info}/RECORD",
            f"demo.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/entry_points.txt,,\n{info}/RECORD,,\n",
        )
    return path


def test_an_unknown_commit_says_what_to_do(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(InputError, match="there is no commit 'v9'") as caught:
        assembled(tmp_path, tmp_path / "s", "v9")
    assert "git fetch origin v9" in caught.value.next_step


def test_a_commit_name_cannot_be_an_option(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(InputError, match="there is no commit"):
        assembled(tmp_path, tmp_path / "s", "--exec-path")


def test_what_the_installer_leaves_that_differs_is_dropped(tmp_path: Path) -> None:
    target = tmp_path / "target"
    for name in (
        "redis/__init__.py",
        "redis-8.1.0.dist-info/METADATA",
        "redis-8.1.0.dist-info/RECORD",
        "bin/uvicorn",
        ".lock",
        "RECORD",
    ):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text("x")
    kept = {file.path for file in dependencies._kept(target, "app/deps")}
    assert kept == {"app/deps/redis/__init__.py", "app/deps/redis-8.1.0.dist-info/METADATA", "app/deps/RECORD"}


def test_a_layout_is_written_without_the_base_and_read_back(tmp_path: Path) -> None:
    make(tmp_path / "repo")
    image = assembled(tmp_path / "repo", tmp_path / "s")
    folder = layout.write(image, tmp_path / "out")
    again = layout.read(folder)
    assert (again.digest, again.base) == (image.digest, BASE)
    assert [b"".join(blob) for blob in again.blobs] == [b"".join(blob) for blob in image.blobs]
    assert not (folder / "blobs/sha256" / sha256(b"base layer").removeprefix("sha256:")).exists()


def test_a_damaged_layout_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "repo")
    image = assembled(tmp_path / "repo", tmp_path / "s")
    folder = layout.write(image, tmp_path / "out")
    (folder / "blobs/sha256" / image.layers[-1].digest.removeprefix("sha256:")).write_bytes(b"short")
    with pytest.raises(InputError, match="damaged"):
        layout.read(folder)
    with pytest.raises(InputError, match="no OCI image layout"):
        layout.read(tmp_path / "nowhere")


def test_packed_files_depend_on_names_and_contents_only(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "assets").mkdir(parents=True)
        (tmp_path / name / "index.html").write_text("<html>")
        (tmp_path / name / "assets/app.js").write_text("1")
        (tmp_path / name / "config.json").write_text(name)
    os.utime(tmp_path / "two/index.html", (1, 1))
    one, two = files.pack(tmp_path / "one"), files.pack(tmp_path / "two")
    assert one.digest == two.digest
    files.unpack(b"".join(one.layers[0]), tmp_path / "back")
    assert sorted(
        p.relative_to(tmp_path / "back").as_posix() for p in (tmp_path / "back").rglob("*") if p.is_file()
    ) == [
        "assets/app.js",
        "index.html",
    ]
    (tmp_path / "two/index.html").write_text("<html>2")
    assert files.pack(tmp_path / "two").digest != one.digest
    with pytest.raises(InputError, match="holds no files"):
        files.pack(tmp_path / "empty")


@pytest.mark.parametrize(
    ("text", "host", "path", "target"),
    [
        ("python:3.11", "docker.io", "library/python", "3.11"),
        ("127.0.0.1:5000/a/b", "127.0.0.1:5000", "a/b", "latest"),
        (BASE, "docker.io", "library/python", BASE.partition("@")[2]),
        ("europe-west1-docker.pkg.dev/p/r/x:v1", "europe-west1-docker.pkg.dev", "p/r/x", "v1"),
    ],
)
def test_references_are_taken_apart(text: str, host: str, path: str, target: str) -> None:
    reference = Reference.parse(text)
    assert (reference.host, reference.path, reference.target) == (host, path, target)


def test_a_wrong_reference_is_named() -> None:
    with pytest.raises(InputError, match="is no image reference"):
        Reference.parse("a b@sha256:12")


@pytest.mark.parametrize("python", ["filter", "no filter"])
@pytest.mark.parametrize(("name", "kind"), [("../outside", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)])
def test_unpacked_files_stay_in_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str, name: str, kind: bytes
) -> None:
    if python == "no filter":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
        # Newer ones ask for a filter, or take one by themselves: this is how those without one unpack.
        trusting = getattr(tarfile, "fully_trusted_filter", None)
        monkeypatch.setattr(
            tarfile.TarFile, "extraction_filter", staticmethod(trusting) if trusting else None, raising=False
        )
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, of_kind in (("good.txt", tarfile.REGTYPE), (name, kind)):
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = of_kind, "/etc/passwd"
            archive.addfile(entry)
    with pytest.raises(InputError, match="cannot be unpacked"):
        files.unpack(packed.getvalue(), tmp_path / "folder")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "good.txt"]
