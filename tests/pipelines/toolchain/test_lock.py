"""One lock for every Python that is supported, on every platform that has wheels."""

from __future__ import annotations

import hashlib
import html
import os
import re
import zipfile
from pathlib import Path

import pytest

from pipelines.errors import LocalError
from pipelines.toolchain import home as homes
from pipelines.toolchain import lock, uv

TAGS = [
    f"cp3{minor}-cp3{minor}-{platform}"
    for minor in range(11, 15)
    for platform in ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "macosx_11_0_arm64")
]


def wheel(registry: Path, name: str, version: str, tag: str, *metadata: str) -> str:
    """Publish a wheel without a module; the option that locks it."""
    folder = registry / name
    folder.mkdir(exist_ok=True)
    file, info = folder / f"{name}-{version}-{tag}.whl", f"{name}-{version}.dist-info"
    text = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""])
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{info}/METADATA", text)
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    older = re.search(r">=[\d.]+", " ".join(line for line in metadata if line.startswith("Requires-Python")))
    needs = f' data-requires-python="{html.escape(older[0])}"' if older else ""
    with (folder / "index.html").open("a") as index:
        index.write(f'<a href="{file.name}#sha256={digest}"{needs}>{file.name}</a>\n')
    return f"--hash=sha256:{digest}"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of files (PEP 503), and the only one that uv asks."""
    folder = tmp_path / "registry"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_DEFAULT_INDEX", folder.as_uri())
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "requirements").mkdir()
    locks = {f"requirements/{name}.txt": (f"requirements/{name}.in",) for name in ("dev", "runtime")}
    monkeypatch.setattr(lock, "LOCKS", locks)
    return folder


def resolved(root: Path, dev: str, runtime: str, *, upgrade: bool = False) -> tuple[str, str]:
    files = [root / "requirements" / name for name in ("dev", "runtime")]
    for file, text in zip(files, (dev, runtime), strict=True):
        file.with_suffix(".in").write_text(text)
    binary = uv.ensure(homes.folder(), lambda _: None)
    lock.resolve(root, binary, lambda _: None, upgrade=upgrade)
    dev, runtime = (file.with_suffix(".txt").read_text() for file in files)
    return dev, runtime


def test_every_wheel_of_every_python_and_platform_is_locked(tmp_path: Path, registry: Path) -> None:
    hashes = [wheel(registry, "native", "1.0", tag) for tag in TAGS]
    text, _ = resolved(tmp_path, "native\n", "native\n")
    assert "native==1.0 \\" in text
    assert len(set(hashes)) == len(TAGS)
    assert [one for one in hashes if one not in text] == []


def test_what_only_some_need_is_locked_with_its_condition(tmp_path: Path, registry: Path) -> None:
    needs = [
        f"Requires-Dist: {n} ; {m}"
        for n, m in (("young", "python_version >= '3.14'"), ("mac", "sys_platform == 'darwin'"))
    ]
    wheel(registry, "asked", "1.0", "py3-none-any", *needs)
    for name in ("young", "mac"):
        wheel(registry, name, "1.0", "py3-none-any")
    text, _ = resolved(tmp_path, "asked\n", "")
    assert "young==1.0 ; python_full_version >= '3.14' \\" in text
    assert "mac==1.0 ; sys_platform == 'darwin' \\" in text


def test_no_address_of_a_registry_is_in_it(tmp_path: Path, registry: Path) -> None:
    wheel(registry, "pure", "1.0", "py3-none-any")
    text, _ = resolved(tmp_path, "pure\n", "")
    assert str(tmp_path) not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_an_older_python_gets_the_newest_version_that_is_for_it(tmp_path: Path, registry: Path) -> None:
    wheel(registry, "pure", "1.0", "py3-none-any")
    wheel(registry, "pure", "2.0", "py3-none-any", "Requires-Python: >=3.12")
    text, _ = resolved(tmp_path, "pure\n", "")
    assert "pure==1.0 ; python_full_version < '3.12' \\" in text
    assert "pure==2.0 ; python_full_version >= '3.12' \\" in text


def test_versions_stay_until_they_are_to_be_raised_and_production_has_those_that_were_tested(
    tmp_path: Path, registry: Path
) -> None:
    wheel(registry, "pure", "1.0", "py3-none-any")
    resolved(tmp_path, "pure\n", "pure\n")
    wheel(registry, "pure", "2.0", "py3-none-any")
    assert ["pure==1.0" in text for text in resolved(tmp_path, "pure\n", "pure\n")] == [True, True]
    assert ["pure==2.0" in text for text in resolved(tmp_path, "pure\n", "pure\n", upgrade=True)] == [True, True]


def test_what_cannot_be_resolved_says_why(tmp_path: Path, registry: Path) -> None:
    with pytest.raises(LocalError, match=r"absent") as caught:
        resolved(tmp_path, "absent\n", "")
    assert "requirements/dev.in" in caught.value.where
