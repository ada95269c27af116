"""Every emulator is one folder with the same files in the same roles, is declared, stands in the table, and keeps what it declares."""

from __future__ import annotations

import ast
import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from rehearsal import emulators
from rehearsal.emulator import ProviderEmulator
from rehearsal.emulators.declaration import Declaration
from rehearsal.emulators.refusal import Refusal
from rehearsal.emulators.table import EMULATORS
from rehearsal.world import composition, credentials, emulator_set, inspection, provision, servers, snapshot
from tests.rehearsal.emulators.contexts import SERVICES, composed

FOLDER = Path(emulators.__file__).parent
ROLES = ("app", "declaration", "routes", "state")
WITHOUT_STATE = ("edge",)
"""What answers there is Cloud Run's and Vercel's state."""
SHARED = ("google",)
"""No emulator: what the APIs of Google have in common."""
FOLDERS = sorted(file.parent.name for file in FOLDER.glob("*/__init__.py") if file.parent.name not in SHARED)
OF_EACH = pytest.mark.parametrize("declared", EMULATORS, ids=lambda each: each.name)


def declared_in(folder: str) -> list[Declaration[Any]]:
    module = importlib.import_module(f"rehearsal.emulators.{folder}.declaration")
    return [value for value in vars(module).values() if isinstance(value, Declaration)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_has_the_same_files_as_the_others(folder: str) -> None:
    found = {file.stem for file in (FOLDER / folder).glob("*.py")}
    wanted = {role for role in ROLES if role != "state" or folder not in WITHOUT_STATE}
    assert wanted <= found, f"{folder} has no {', '.join(sorted(wanted - found))}"


@pytest.mark.parametrize("folder", [name for name in FOLDERS if (FOLDER / name / "errors.py").is_file()])
def test_its_errors_are_refusals_in_the_providers_form(folder: str) -> None:
    module = importlib.import_module(f"rehearsal.emulators.{folder}.errors")
    own = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    assert [kind for kind in own if issubclass(kind, Refusal) and "response" in vars(kind)] == own != []


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_a_folder_declares_stands_in_the_table(folder: str) -> None:
    declared = declared_in(folder)
    assert declared, f"rehearsal/emulators/{folder}/declaration.py declares nothing"
    assert [each.name for each in declared if each not in EMULATORS] == []


def test_everything_in_the_table_is_declared_by_a_folder_once() -> None:
    declared = [each.name for folder in FOLDERS for each in declared_in(folder)]
    assert sorted(declared) == sorted(each.name for each in EMULATORS)
    assert len(set(declared)) == len(declared)


def test_a_world_knows_no_emulator_by_name(tmp_path: Path) -> None:
    """Neither a module of one, nor its name or its host in a string."""
    hosts = {host for emulator in composed(tmp_path) for host in emulator.hosts}
    known = {each.name for each in EMULATORS} | {f"rehearsal.emulators.{folder}" for folder in FOLDERS} | hosts
    for module in (composition, credentials, emulator_set, inspection, provision, servers, snapshot):
        tree = ast.parse(Path(module.__file__ or "").read_text())
        words = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        words += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        words += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
        named = [word for word in words if word in known or word.startswith(tuple(f"{one}." for one in known))]
        assert named == [], module.__name__


@OF_EACH
def test_it_is_known_by_one_name_wherever_it_stands(declared: Declaration[Any], tmp_path: Path) -> None:
    emulator = composed(tmp_path)[declared.name]
    assert isinstance(emulator, ProviderEmulator)
    assert emulator.name == declared.name
    assert emulator.hosts or declared.overlay(emulator, None), (
        "clients reach it by a host or by an entry of the overlay"
    )


@OF_EACH
def test_its_credentials_are_new_in_each_world(declared: Declaration[Any]) -> None:
    one, other = (declared.secrets() for _ in range(2))
    assert set(one) == set(other)
    assert [name for name in one if one[name] == other[name]] == []


@OF_EACH
def test_what_it_saves_is_json_and_loads_again(declared: Declaration[Any], tmp_path: Path) -> None:
    saved = json.loads(json.dumps(composed(tmp_path / "one")[declared.name].save()))
    other = composed(tmp_path / "other")[declared.name]
    other.load(saved)
    again = json.loads(json.dumps(other.save()))
    assert without_keys(again) == without_keys(saved)


def without_keys(saved: Any) -> Any:
    """A world lets its own keys in, whatever is loaded."""
    if isinstance(saved, dict):
        return {name: without_keys(value) for name, value in saved.items() if name not in {"bypass", "tokens"}}
    return [without_keys(one) for one in saved] if isinstance(saved, list) else saved


def test_what_one_needs_another_offers_before_it() -> None:
    offered = set(SERVICES)
    for declaration in emulator_set.in_order(reversed(EMULATORS), SERVICES):
        assert set(declaration.needs) <= offered, declaration.name
        offered.update(declaration.offers)
