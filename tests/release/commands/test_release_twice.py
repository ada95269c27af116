"""Names and paths given twice, and what is left out: said, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import InputError
from pipelines.manifest.release import Release, ReleaseComponent
from release.changelog.file import with_line_ends
from release.commands.options import pairs
from release.context import ReleaseContext
from tests.release.commands.test_release_cli import run
from tests.release.histories import git, line, make


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    make(tmp_path, line("feat: begin", "fix: more"), tags={"v1.0.0": 0, "v1.1.0rc1": 0, "1.5.0": 0})
    git(tmp_path, "checkout", "-q", "main")
    return tmp_path


@pytest.mark.parametrize("other", ["./x.json", "y.json"])
def test_bump__one_file_by_two_names__has_both_places(repository: Path, other: str) -> None:
    (repository / "x.json").write_text('{"a": "1.0.0", "b": "1.0.0"}\n')
    (repository / "y.json").symlink_to("x.json")
    done = run(repository, "bump", "--file", "x.json#a", "--file", f"{other}#b")
    assert (done.returncode, done.stderr.count("1.0.0 -> 1.0.1")) == (0, 2)
    assert (repository / "x.json").read_text() == '{"a": "1.0.1", "b": "1.0.1"}\n'


def test_pairs__one_name_with_two_meanings__is_refused() -> None:
    assert pairs(["a=1", "a=1"]) == {"a": "1"}
    with pytest.raises(InputError, match="a is named twice, as 1 and as 2"):
        pairs(["a=1", "a=2"])


def test_assets__two_of_one_name__are_refused(repository: Path) -> None:
    (repository / "a.bin").write_text("one")
    (repository / "s").mkdir()
    (repository / "s/a.bin").write_text("two")
    refused = run(repository, "assets", "--offline", "--asset", "a.bin", "--asset", "s/a.bin")
    assert (refused.returncode, "two files of the release are called 'a.bin'" in refused.stderr) == (4, True)
    assert run(repository, "assets", "--offline", "--asset", "a.bin", "--asset", "./a.bin").returncode == 0
    assert (repository / "dist/release/a.bin").read_text() == "one"


@pytest.mark.parametrize("key", ["changelog", "version_files"])
def test_components__that_write_the_same_file__are_refused(tmp_path: Path, key: str) -> None:
    def component(tag_format: str, path: str) -> ReleaseComponent:
        given = {"version_files": (path,)} if key == "version_files" else {}
        return ReleaseComponent(tag_format=tag_format, changelog=path, **given)

    context = ReleaseContext(folder=tmp_path, use_manifest=False)
    rules = Release(components={"a": component("v{version}", "x.md"), "b": component("b-{version}", "./x.md")})
    context.__dict__["rules"] = rules
    with pytest.raises(InputError, match=r"two release components write x\.md: a and b") as raised:
        context.require_own_file(key, lambda each: each.version_files or (each.changelog,))
    assert raised.value.next_step == f"give each its own {key} in shipmate.yml"


@pytest.mark.parametrize(
    "arguments", [("changelog",), ("notes", "--offline"), ("bump", "--check", "--file", "VERSION")]
)
def test_tags_that_are_left_out__are_named_beside_the_output(repository: Path, arguments: tuple[str, ...]) -> None:
    (repository / "VERSION").write_text("1.0.1\n")
    done = run(repository, *arguments)
    assert done.returncode == 0
    assert "2 tag(s) are no versions written as 'v{version}' and do not count" in done.stderr
    assert "v1.1.0rc1" in done.stderr
    assert "1.5.0" not in done.stdout


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("a\nb\n", "a\nnew\nb\n", "a\nnew\nb\n"),
        ("a\r\nb\r\n", "a\nnew\nb\n", "a\r\nnew\r\nb\r\n"),
        ("a\r\nb\nc\r\nb\n", "a\nnew\nb\nc\nb\n", "a\r\nnew\nb\nc\r\nb\n"),
        ("", "a\n", "a\n"),
    ],
)
def test_line_ends__of_both_kinds__stay_as_they_are(before: str, text: str, expected: str) -> None:
    assert with_line_ends(text, before) == expected


def test_changelog__edited_on_two_systems__changes_only_what_is_new(repository: Path) -> None:
    own = "# Changelog\n\n## 1.0.0\r\n\r\n* all\r\n* of it\n"
    (repository / "CHANGELOG.md").write_bytes(own.encode())
    assert run(repository, "changelog", "--write").returncode == 0
    written = (repository / "CHANGELOG.md").read_bytes().decode()
    assert written.startswith("# Changelog\n\n## 1.0.1 (")
    assert written.endswith("## 1.0.0\r\n\r\n* all\r\n* of it\n")
    assert run(repository, "changelog", "--write").stderr.endswith("has everything already\n")
    assert (repository / "CHANGELOG.md").read_bytes().decode() == written
