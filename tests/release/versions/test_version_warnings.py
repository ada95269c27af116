"""Versions a person chose: which ones are warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.changelog.selection import section_for
from release.context import ReleaseContext
from release.versions.warnings import version_warnings
from tests.release.histories import line, make


def found(folder: Path, tag: str, asked: str, *messages: str) -> list[str]:
    make(folder, line("chore: begin", *messages), tags={tag: 0} if tag else {})
    context = ReleaseContext(folder=folder, version=asked, environ={})
    tags, section = context.repository.format, section_for(context)
    return version_warnings(tags.read(asked), section.previous, section.verdicts, tags, context.rules)


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
def test_version_warnings__raises_too_little_or_skips(
    tmp_path: Path, tag: str, asked: str, message: str, words: str
) -> None:
    [text] = found(tmp_path, tag, asked, message)
    assert words in text


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
def test_version_warnings__as_it_should_be__none(tmp_path: Path, tag: str, asked: str, message: str) -> None:
    assert found(tmp_path, tag, asked, message) == []
