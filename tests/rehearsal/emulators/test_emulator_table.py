"""Every declared emulator keeps what its declaration promises to the world."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from rehearsal import emulators
from rehearsal.emulators.declaration import Declaration, Played, Surroundings
from rehearsal.emulators.table import EMULATORS
from rehearsal.faults import Fault

FOLDER = Path(emulators.__file__).parent
ROLES = ("declaration", "app", "routes", "state")
"""Files that each has; views and errors where there is something to show and to refuse in the provider's own words."""


def built(declared: Declaration, root: Path) -> Played:
    return declared.build(Surroundings(root=root, manifest={}, secrets=declared.secrets() | declared.personal()))


def folder(declared: Declaration) -> Path:
    return Path(importlib.import_module(declared.build.__module__).__file__ or "").parent


@pytest.mark.parametrize("declared", EMULATORS, ids=lambda each: each.name)
def test_it_is_one_folder_with_the_same_files_as_the_others(declared: Declaration) -> None:
    assert folder(declared).parent == FOLDER
    assert [role for role in ROLES if not (folder(declared) / f"{role}.py").is_file()] == []


@pytest.mark.parametrize("declared", EMULATORS, ids=lambda each: each.name)
def test_it_is_known_by_its_name_wherever_it_stands(declared: Declaration, tmp_path: Path) -> None:
    emulator = built(declared, tmp_path)
    assert emulator.name == declared.name == folder(declared).name.replace("_", "-")
    assert emulator.hosts
    assert Fault(kind="cut", emulator=emulator.name).emulator == declared.name


@pytest.mark.parametrize("declared", EMULATORS, ids=lambda each: each.name)
def test_its_credentials_are_new_in_each_world(declared: Declaration) -> None:
    one, other = (declared.secrets() | declared.personal() for _ in range(2))
    assert not declared.secrets().keys() & declared.personal().keys()
    assert set(one) == set(other)
    assert [name for name in one if one[name] == other[name]] == []


@pytest.mark.parametrize("declared", EMULATORS, ids=lambda each: each.name)
def test_what_it_saves_is_json_and_loads_again(declared: Declaration, tmp_path: Path) -> None:
    saved = json.loads(json.dumps(built(declared, tmp_path / "one").save()))
    other = built(declared, tmp_path / "other")
    other.load(saved)
    assert json.loads(json.dumps(other.save())) == saved


def test_names_are_given_once() -> None:
    names = [declared.name for declared in EMULATORS]
    assert len(set(names)) == len(names)
