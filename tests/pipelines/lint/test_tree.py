from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipelines.lint import tree

ROOT = Path(__file__).resolve().parents[3]


def problems(root: Path, **files: str) -> list[str]:
    subprocess.run(["git", "-C", str(root), "init", "-q"], check=True)
    for name, text in files.items():
        (root / name).write_text(text)
    subprocess.run(["git", "-C", str(root), "add", "-A"], check=True)
    return list(tree.problems(root))


# Put together here, so that this file holds none of them.
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-----BEGIN RSA PRIVATE " + "KEY-----\n" + "A" * 64, "a private key"),
        ("token = gh" + "p_" + "a" * 36, "a GitHub token"),
        ("github_" + "pat_" + "a" * 60, "a GitHub token"),
        ("AKI" + "A" + "B" * 16, "an AWS key"),
        ("AIz" + "a" + "b" * 35, "a Google key"),
        ("xox" + "b-123456789012-" + "a" * 24, "a Slack token"),
        ('"resolved": "https://registry.' + 'npmjs.org/x"', "the address of a package index"),
        ("--index-url https://py" + "pi.org/simple", "the address of a package index"),
        ("see /ro" + "ot/.cache/x", "a place on one machine"),
        ("see /ho" + "me/dev/x", "a place on one machine"),
        ("<" * 7 + " HEAD\n", "a mark of an unfinished merge"),
    ],
)
def test_what_may_not_be_there_is_found_on_its_line(tmp_path: Path, text: str, why: str) -> None:
    assert [line.split(":")[:2] for line in problems(tmp_path, file=f"first\n{text}")] == [["file", "2"]]
    assert why in problems(tmp_path)[0]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PUBLIC KEY-----",
        "ghp_short",
        "https://github.com/x",
        "apps/home/dev/x",
        "=======",
        "~/.cache/x",
        "$HOME/x",
    ],
)
def test_what_only_looks_like_it_is_not(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, file=text) == []


def test_large_files_and_links_that_lead_out(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "inside").symlink_to("small")
    found = problems(tmp_path, big="x" * (tree.LARGEST + 1), small="x")
    assert [line.split(":")[0] for line in found] == ["big", "link"]


def test_only_tracked_files_count(tmp_path: Path) -> None:
    assert problems(tmp_path, file="x") == []
    (tmp_path / "untracked").write_text("<" * 7 + " HEAD\n")
    assert list(tree.problems(tmp_path)) == []


def test_this_tree_is_clean() -> None:
    assert list(tree.problems(ROOT)) == []
