"""Versions a person chose: which ones are warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.changelog.selection import section_for
from release.context import Workplace
from release.versions.warnings import doubts
from tests.release.histories import line, make


def found(folder: Path, tag: str, asked: str, *messages: str) -> list[str]:
    make(folder, line("chore: begin", *messages), tags={tag: 0} if tag else {})
    place = Workplace(folder=folder, environ={})
    version = place.repository.format.read(asked)
    return doubts(section_for(place, asked), version, place.repository.format, place.rules)


@pytest.mark.parametrize(
    ("tag", "asked", "message", "words"),
    [
        ("v1.0.0", "v1.0.1", "feat: a", "raises minor, which makes v1.1.0 after v1.0.0"),
        ("v1.0.0", "v1.1.0", "feat!: a", "raises major, which makes v2.0.0 after v1.0.0"),
        ("v1.0.0", "v1.1.0-rc.1", "feat!: a", "raises major, which makes v2.0.0 after v1.0.0"),
        ("v0.1.0", "v0.1.1", "feat!: a", "raises major, which makes v0.2.0 after v0.1.0"),
        ("v0.1.0", "v9.0.0", "feat: a", "v9.0.0 skips numbers: v0.2.0 would come after v0.1.0"),
        ("v1.0.0", "v1.0.2", "chore: a", "v1.0.2 skips numbers: v1.0.1 would come after v1.0.0"),
        ("v1.1.0-rc.1", "v1.1.0-rc.7", "fix: a", "v1.1.0-rc.7 skips numbers: v1.1.0-rc.2 would come after v1.1.0-rc.1"),
    ],
)
def test_doubts(tmp_path: Path, tag: str, asked: str, message: str, words: str) -> None:
    [told] = found(tmp_path, tag, asked, message)
    assert words in told


@pytest.mark.parametrize(
    ("tag", "asked", "message"),
    [
        ("v1.0.0", "v1.1.0", "feat: a"),
        ("v1.0.0", "v2.0.0", "fix: a"),
        ("v0.1.0", "v1.0.0", "feat: a"),
        ("v1.0.0", "v1.0.1", "chore: a"),
        ("v1.0.0", "v1.1.0-rc.1", "feat: a"),
        ("v1.1.0-rc.1", "v1.1.0-rc.2", "feat: a"),
        ("v1.1.0-rc.1", "v1.1.0", "fix: a"),
        ("", "v9.0.0", "feat: a"),
    ],
)
def test_no_doubt(tmp_path: Path, tag: str, asked: str, message: str) -> None:
    assert found(tmp_path, tag, asked, message) == []
