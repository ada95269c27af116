"""What a release changes of the settings that are live."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.commands.terminal import marked
from pipelines.delivery import plan_text, planning, settings
from pipelines.delivery.steps.base import Base
from pipelines.manifest import Manifest, definition, parse
from tests.shop import Shop
from tests.shop_files import MANIFEST

URL = "      url: https://api.techmate.ai\n"
LIVE = MANIFEST.replace(URL, URL + "      env: {LOG: info, OLD: x}\n      scaling: {max: 10}\n      cpu: '1'\n")
NEXT = MANIFEST.replace(
    URL, URL + "      env: {LOG: debug, NEW: y}\n      scaling: {max: 50}\n      secrets: {TOKEN: token@2}\n"
)


def read(folder: Path, text: str) -> Manifest:
    folder.mkdir()
    (folder / "shipmate.yml").write_text(text)
    return definition.apply(parse(MANIFEST), definition.read(folder / "shipmate.yml"))


def lines(live: Manifest, releasing: Manifest) -> list[str]:
    return [each.as_text() for each in settings.compare(live, releasing, "production", "backend")]


def test_each_setting_that_comes_changes_or_goes_has_a_line_with_its_mark(tmp_path: Path) -> None:
    assert lines(read(tmp_path / "live", LIVE), read(tmp_path / "next", NEXT)) == [
        "- backend/cpu: 1",
        "~ backend/env/LOG: info → debug",
        "+ backend/env/NEW: y",
        "- backend/env/OLD: x",
        "~ backend/scaling/max: 10 → 50",
        "+ backend/secrets/TOKEN: token@2",
    ]


def test_the_same_settings_have_none(tmp_path: Path) -> None:
    assert lines(read(tmp_path / "live", LIVE), read(tmp_path / "next", LIVE)) == []


def test_checks_are_compared_by_their_names(tmp_path: Path) -> None:
    def with_checks(*checks: str) -> Manifest:
        before, line, after = MANIFEST.rpartition("    smoke:\n")
        own = "".join(f"      - {each}\n" for each in checks)
        return read(tmp_path / str(len(checks)), before + line + own + after)

    one, two = "{name: one, component: backend, path: /a}", "{name: two, component: backend, path: /b}"
    found = lines(with_checks(one), with_checks(one.replace("/a", "/c"), two))
    assert found == ["~ backend/smoke check/one", "+ backend/smoke check/two"]


@pytest.mark.world
def test_an_approver_reads_what_changes_since_what_is_live(shop: Shop) -> None:
    shop.live("v1.0.0", shop.proved("v1.0.0", files={"shipmate.yml": LIVE}))
    shop.proved("v1.1.0", files={"shipmate.yml": NEXT})
    found = planning.plan_release(shop.context("production"), "v1.1.0")
    for text in (plan_text.as_text(found), plan_text.as_markdown(found)):
        assert "Settings that change" in text
        assert "~ backend/scaling/max: 10 → 50" in text
        assert "2 components to release: " in text
        assert "6 changed settings." in text
    assert {"mark": "+", "subject": "backend", "key": "env/NEW", "before": None, "after": "y"} in plan_text.as_data(
        found
    )["settings"]


def test_what_was_deployed_by_other_means_is_reported_to_be_unknown(tmp_path: Path) -> None:
    made = read(tmp_path / "next", NEXT)
    (found,) = settings.since_live(made, made, "production", {"backend": Base(key="by-hand"), "web": None})
    assert found.as_text() == "? backend: what is live cannot be compared (it was deployed by other means)"


def test_marks_are_coloured_and_other_lines_are_not() -> None:
    shown = marked("  + a: 1\n  ~ b\n  - c\nname - with a dash\n  1. backend: x").split("\n")
    assert [("\x1b[3" in line) for line in shown] == [True, True, True, False, False]


@pytest.mark.world
def test_a_commit_that_the_clone_lacks_is_reported_to_be_unknown(shop: Shop) -> None:
    made = shop.context("production").manifest
    (found,) = settings.since_live(made, made, "production", {"backend": Base(key="k", commit="f" * 40)})
    assert found.mark == "?"
    assert "shipmate.yml of fffffff cannot be read" in found.as_text()
