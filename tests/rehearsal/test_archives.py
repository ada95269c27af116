"""Unpacking, with tarfile's own filter and on a Python that has none."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from rehearsal import archives


@pytest.fixture(params=["filter", "no filter"], autouse=True)
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no filter":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
        # Newer ones ask for a filter, or take one by themselves: this is how those without one unpack.
        trusting = getattr(tarfile, "fully_trusted_filter", None)
        monkeypatch.setattr(
            tarfile.TarFile, "extraction_filter", staticmethod(trusting) if trusting else None, raising=False
        )


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    info.uid = info.gid = 4711
    return info


def packed(*members: tarfile.TarInfo) -> tarfile.TarFile:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info in members:
            content = b"x" if info.isreg() else b""
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return tarfile.open(fileobj=buffer)


def test_files_folders_and_links_are_unpacked_without_their_owner(tmp_path: Path) -> None:
    members = (
        member("a", tarfile.DIRTYPE, mode=0o700),
        member("a/run", mode=0o4777),
        member("/a/text", mode=0o666),
        member("a/soft", tarfile.SYMTYPE, "../a/text"),
        member("a/hard", tarfile.LNKTYPE, "a/text"),
    )
    with packed(*members) as archive:
        archives.extract_all(archive, tmp_path)
    modes = {name: (tmp_path / "a" / name).stat().st_mode & 0o7777 for name in ("run", "text")}
    assert modes == {"run": 0o755, "text": 0o644}
    assert (tmp_path / "a/soft").readlink() == Path("../a/text")
    assert (tmp_path / "a/hard").samefile(tmp_path / "a/text")
    assert (tmp_path / "a/run").stat().st_uid == tmp_path.stat().st_uid


@pytest.mark.parametrize(
    "bad",
    [
        [member("../outside")],
        [member("a/../../outside")],
        [member("link", tarfile.SYMTYPE, "/etc/passwd")],
        [member("link", tarfile.SYMTYPE, "../../etc/passwd")],
        [member("hard", tarfile.LNKTYPE, "../outside")],
        [member("pipe", tarfile.FIFOTYPE)],
        [member("sub", tarfile.SYMTYPE, ".."), member("sub/outside")],
    ],
    ids=["dots", "inner dots", "absolute link", "link out", "hard link out", "special", "through a link"],
)
def test_what_would_land_outside_is_refused(tmp_path: Path, bad: list[tarfile.TarInfo]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with packed(*bad) as archive, pytest.raises(tarfile.TarError):
        archives.extract_all(archive, folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]
