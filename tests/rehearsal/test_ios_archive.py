"""Archives as they are written are read as a store reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.emulators.app_store import ipa
from rehearsal.ios_archive import write


@pytest.mark.parametrize("encryption", [None, False, True])
def test_what_is_written_is_read(tmp_path: Path, encryption: bool | None) -> None:
    file = tmp_path / "app.ipa"
    write(file, bundle="ai.techmate.app", version="1.2.0", number="9", encryption=encryption, padding=b"code")
    assert ipa.read(file) == ipa.Info(
        bundle="ai.techmate.app", version="1.2.0", number="9", encryption=encryption, minimum_os="15.1"
    )


def test_what_is_inside_makes_it_another_file(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    for file, padding in ((one, b"1"), (same, b"1"), (other, b"2")):
        write(file, bundle="ai.techmate.app", version="1.2.0", number="9", padding=padding)
    assert one.read_bytes() == same.read_bytes() != other.read_bytes()
