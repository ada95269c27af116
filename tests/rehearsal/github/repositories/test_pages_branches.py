"""Branches, and the way from one to a pull request."""

from __future__ import annotations

from pathlib import Path

from tests.rehearsal.github.pages.visitor import Visitor
from tests.rehearsal.github.scene import REPOSITORY, Person

BASE = f"/{REPOSITORY}"


def pushed(dev: Person, folder: Path, branch: str) -> None:
    clone = dev.clone(folder)
    dev.git("checkout", "-q", "-b", branch, cwd=clone)
    dev.commit(clone, "new.txt", "new\n", "feat: something new")
    dev.git("push", "-q", "origin", branch, cwd=clone)


def test_branches_with_their_tips_and_how_far_they_are(anyone: Visitor, dev: Person, tmp_path: Path) -> None:
    pushed(dev, tmp_path / "clone", "topic")
    page = anyone.open(anyone.open(BASE).links["All 2"])
    assert page.text.index("main") < page.text.index("topic")
    assert "feat: something new" in page.links
    assert page.links["1 ahead, 0 behind"] == f"{BASE}/compare/main...topic"


def test_a_pull_request_is_opened_by_choosing_two_branches(dev_1: Visitor, dev: Person, tmp_path: Path) -> None:
    pushed(dev, tmp_path / "clone", "topic")
    choice = dev_1.open(dev_1.open(f"{BASE}/pulls").links["New pull request"])
    (form,) = [one for one in choice.forms if one.method == "get"]
    assert form.fields["base"] == "main"
    compared = dev_1.open(f"{BASE}/compare?base=main&head=topic")
    assert compared.url.endswith("/compare/main...topic")
    opened = dev_1.press(compared, "Create pull request", title="feat: something new")
    assert "/pull/" in opened.url
    row = dev_1.open(f"{BASE}/branches")
    assert f"#{opened.url.rpartition('/')[2]}" in row.links


def test_nothing_to_compare_is_said(anyone: Visitor, dev: Person, tmp_path: Path) -> None:
    assert "There is no branch beside main" in anyone.open(f"{BASE}/compare").text
    pushed(dev, tmp_path / "clone", "topic")
    assert "main holds nothing that topic lacks." in anyone.open(f"{BASE}/compare/topic...main").text


def test_a_folder_behind_a_link_to_a_file_is_shown(anyone: Visitor) -> None:
    assert anyone.open(f"{BASE}/blob/main/apps").url.endswith(f"{BASE}/tree/main/apps")
