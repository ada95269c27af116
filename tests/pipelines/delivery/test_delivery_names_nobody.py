"""A delivery knows neither providers nor components by name: both are the manifest's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.manifest import load

ROOT = Path(__file__).resolve().parents[3]
PIPELINES = ROOT / "pipelines"
MANIFEST = load(ROOT / "shipmate.yml")
LIVING = sorted({name for environment in MANIFEST.environments.values() for name in environment.targets})
OURS = re.compile(
    rf"techmate|{'|'.join(re.escape(t.url) for e in MANIFEST.environments.values() for t in e.targets.values())}"
)
GENERAL = [
    *(
        file
        for folder in ("delivery", "ci", "checks", "commands", "images", "providers")
        for file in (PIPELINES / folder).rglob("*.py")
    ),
    *(ROOT / "actions").rglob("*.py"),
    *(ROOT / "actions").rglob("*.yml"),
    *(ROOT / ".github/workflows").glob("*.yml"),
]


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_nothing_above_the_providers_asks_a_target_what_it_is() -> None:
    """A new provider is a module and a type (docs/DEPLOYMENT.md)."""
    files = [file for folder in ("delivery", "checks", "commands") for file in (PIPELINES / folder).rglob("*.py")]
    assert files
    for file in files:
        text = file.read_text()
        assert not {name for name in ("CloudRun", "isinstance(target") if name in text}, file
        assert "import Vercel" not in text, file


def strings(file: Path) -> Iterator[str]:
    """What a program can act by: every string of a module that is no docstring, every line of another file that is no comment."""
    if file.suffix != ".py":
        yield from (line.partition("#")[0] for line in file.read_text().splitlines())
        return
    tree = ast.parse(file.read_text())
    values = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in values:
            yield node.value


@pytest.mark.parametrize("file", sorted(GENERAL), ids=name_of)
def test_no_component_and_no_address_of_ours_is_in_the_code(file: Path) -> None:
    """Someone with one service, or with three, edits a manifest alone."""
    found = list(strings(file))
    words = {word for text in found for word in re.findall(r"[\w-]+", text)}
    assert [text for text in found if OURS.search(text)] + [name for name in LIVING if name in words] == []


def test_there_is_something_to_be_found() -> None:
    assert LIVING == ["backend", "web"]
    assert len(GENERAL) > 60
    assert OURS.search("ai.techmate.components")
    assert OURS.search("url: https://techmate.ai")
