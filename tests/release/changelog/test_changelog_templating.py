"""A team's own templates: escaped like ours, shut in, and told of by file when they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import InputError
from pipelines.manifest.release import Release
from release.changelog.entries import Printer
from release.changelog.rendering import write
from release.changelog.templating import load
from release.commits.git import Git
from release.versions.repository import Repository
from tests.release.histories import line, make, sections


def test_template__own(tmp_path: Path) -> None:
    own = tmp_path / "own.j2"
    lines = (
        "{% for group in groups %}{% for line in group.lines %}\n* {{ line.text }} by {{ line.author }}\n{% endfor %}"
    )
    own.write_text("## {{ tag }}\n" + lines + "{% endfor %}")
    make(tmp_path / "r", line("feat: <b> @octocat"), tags={"v1.0.0": 0})
    repository = Repository.open(Git(tmp_path / "r"), Release())
    [section] = write(sections(repository, lambda _: None), load(own), Printer(), repository.rules.groups)
    assert section.heading == "## v1.0.0"
    assert "* \\<b\\> @\u200boctocat by dev-1" in section.body, "escaped in anybody's template"


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("{{ nothing }}", "is undefined"),
        ("{% for %}", "the template is wrong"),
        ("{{ groups.__class__.__mro__ }}", "cannot be filled"),
    ],
)
def test_template__wrong__says_where(tmp_path: Path, template: str, what: str) -> None:
    own = tmp_path / "own.j2"
    own.write_text(template)
    with pytest.raises(InputError, match=what) as raised:
        load(own)({"groups": []})
    assert "own.j2" in raised.value.where


def test_template__not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "no.j2")
