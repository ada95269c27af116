"""A new provider is a module and a type (docs/DEPLOYMENT.md): what decides and what carries out asks no target what it is."""

from __future__ import annotations

from pathlib import Path

PIPELINES = Path(__file__).resolve().parents[3] / "pipelines"


def test_nothing_above_the_providers_asks_a_target_what_it_is() -> None:
    files = [file for folder in ("delivery", "checks", "commands") for file in (PIPELINES / folder).rglob("*.py")]
    assert files
    for file in files:
        text = file.read_text()
        assert not {name for name in ("CloudRun", "isinstance(target") if name in text}, file
        assert "import Vercel" not in text, file
