"""What is printed of builds and updates has the fields that eas-cli asks for, neither more nor fewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal.contracts.command_lines import EAS_BUILD, EAS_UPDATE, Fields, fragment
from rehearsal.eas.project import find
from rehearsal.emulators.eas import builds, updates, views
from rehearsal.emulators.eas.app import Eas
from rehearsal.emulators.eas.updates import About, Piece
from tests.rehearsal.emulators.eas_client import PROJECT, Clock, Program, emulator


@pytest.fixture
def eas(tmp_path: Path) -> Eas:
    return emulator(tmp_path / "eas", "token", Clock())


def differences(shown: dict[str, Any], wanted: Fields, where: str = "") -> list[str]:
    """Fields that are on one side alone. Null has no fields."""
    extra = shown.keys() - wanted.keys() - {"__typename"}
    found = [f"{where}{name} is not asked for" for name in sorted(extra)]
    found += [f"{where}{name} is missing" for name in sorted(wanted.keys() - shown.keys() - {"__typename"})]
    for name, inner in wanted.items():
        held = shown.get(name)
        if isinstance(held, dict):
            found += differences(held, inner, f"{where}{name}.")
        elif inner and held is not None:
            found.append(f"{where}{name} is no object")
    return found


@pytest.mark.parametrize("platform", ["android", "ios"])
@pytest.mark.parametrize("code", ["", "UNKNOWN_ERROR"])
def test_a_build(eas: Eas, tmp_path: Path, platform: str, code: str) -> None:
    program = Program(folder=tmp_path / "checkout", base="", token="")
    eas.control.next_build(code=code)
    upload = builds.save_upload(eas.account, find(program.app).archive())
    order = builds.Order(
        project=PROJECT,
        platform=platform,
        profile="production",
        settings={"channel": "production"},
        upload=upload,
        runtime="1",
        fingerprint="2",
    )
    build = builds.start(eas.account, order)
    wanted = fragment(EAS_BUILD, "BuildFragment")
    assert differences(views.build(eas.account, build), wanted) == []
    eas.control.skip(10_000)
    shown = views.build(eas.account, build)
    assert shown["error" if code else "artifacts"] is not None
    assert differences(shown, wanted) == []


def test_an_update(eas: Eas) -> None:
    line = updates.channel(eas.account, PROJECT, "production").branch
    [first] = updates.publish(eas.account, line, [Piece(platform="ios", runtime="1", fingerprint="f")], About())
    [rolling] = updates.publish(
        eas.account, line, [Piece(platform="ios", runtime="1", percentage=10, control=first.id)], About()
    )
    wanted = fragment(EAS_UPDATE, "UpdateFragment")
    # Names of people's accounts, of which a robot has none.
    del wanted["actor"]["username"]
    assert differences(views.update(eas.account, first), wanted) == []
    assert views.update(eas.account, rolling)["rolloutControlUpdate"] is not None
    assert differences(views.update(eas.account, rolling), wanted) == []


def test_a_field_on_one_side_alone_is_found() -> None:
    assert differences({"id": 1, "more": 2, "app": None}, {"id": {}, "app": {"id": {}}, "status": {}}) == [
        "more is not asked for",
        "status is missing",
    ]
    assert differences({"app": {"slug": 1}}, {"app": {"id": {}}}) == ["app.slug is not asked for", "app.id is missing"]
