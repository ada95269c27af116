"""The emulated GitHub is laid out by domain: the same roles in each, all of them in the contract of imports."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from pathlib import Path

import rehearsal.github

ROOT = Path(rehearsal.github.__file__).parent
ROLES = {"rest", "graphql", "pages", "service", "render", "rules", "state"}
STATE = {"accounts": {"tokens", "rate_limit"}}
"""What a domain has as state beside its `state`."""
SHARED = {"routes", "rest", "graphql", "pages", "git", "events"}


def names(folder: Path) -> set[str]:
    """The modules and packages in a folder."""
    packages = {path.parent.name for path in folder.glob("*/__init__.py")}
    return packages | {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}


def domains() -> set[str]:
    return {path.parent.name for path in ROOT.glob("*/__init__.py")} - SHARED


def layered() -> set[str]:
    """Everything that the contract of imports names."""
    configuration = tomllib.loads((ROOT.parents[1] / "pyproject.toml").read_text())
    contracts = configuration["tool"]["importlinter"]["contracts"]
    [layers] = [one["layers"] for one in contracts if one.get("containers") == ["rehearsal.github"]]
    return {name.strip() for line in layers for name in line.replace("|", ":").split(":")}


def test_a_domain_has_nothing_but_roles() -> None:
    others = {domain: names(ROOT / domain) - ROLES - STATE.get(domain, set()) for domain in domains()}
    assert {domain: found for domain, found in others.items() if found} == {}
    assert "pulls" in others


def test_every_module_stands_in_the_contract_of_imports() -> None:
    roles = {f"{domain}.{name}" for domain in domains() for name in names(ROOT / domain)}
    assert layered() == roles | (names(ROOT) - domains())


def test_no_class_name_has_two_meanings() -> None:
    trees = (ast.parse(path.read_text()) for path in ROOT.rglob("*.py"))
    found = Counter(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    assert [name for name, times in found.items() if times > 1] == []
