"""Actions from outside: pinned by commit, each known, and none that restores a cache into a delivery."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflows.workflow_files import (
    FILES,
    ROOT,
    jobs,
    steps,
)

PINS = {
    "actions/checkout": ("v7.0.1", "3d3c42e5aac5ba805825da76410c181273ba90b1"),
    "actions/setup-python": ("v7.0.0", "5fda3b95a4ea91299a34e894583c3862153e4b97"),
    "actions/setup-node": ("v7.0.0", "820762786026740c76f36085b0efc47a31fe5020"),
    "actions/upload-artifact": ("v7.0.0", "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"),
    "actions/download-artifact": ("v8.0.1", "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"),
    "actions/attest-build-provenance": ("v4.1.0", "a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32"),
    "github/codeql-action": ("v4.37.4", "f205ea1c3313d32999d8d6a48b4f6530d4437b38"),
    "ossf/scorecard-action": ("v2.4.4", "2d1146689b8cda280b9bc96326124645441f03bc"),
}
"""Tag and commit as recorded in each repository's own tags. Nothing else from outside is used."""


def uses(file: Path) -> Iterator[str]:
    yield from re.findall(r"^\s*(?:- )?uses: (.+)$", file.read_text(), re.MULTILINE)


USING = [*FILES, *sorted((ROOT / "actions").glob("*/action.yml"))]


@pytest.mark.parametrize("file", USING, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_actions_from_outside_are_pinned_by_commit_and_known(file: Path) -> None:
    for used in uses(file):
        if used.startswith("./"):
            assert (ROOT / used / "action.yml").is_file() or (ROOT / used).is_file(), used
            continue
        name, _, pin = used.partition("@")
        tag, commit = PINS[repository(name)]
        assert pin == f"{commit} # {tag}", used


def repository(used: str) -> str:
    """Of an action, which may be one of several in it: `github/codeql-action/init@…`."""
    return "/".join(used.partition("@")[0].split("/")[:2])


def test_no_pin_is_kept_that_nothing_uses() -> None:
    assert {repository(used) for file in USING for used in uses(file) if not used.startswith("./")} == set(PINS)


def delivers(file: Path) -> bool:
    """Whether a job of it deploys or releases."""
    return any("environment" in job or job["permissions"].get("contents") == "write" for job in jobs(file).values())


def test_there_are_workflows_that_deliver() -> None:
    assert len([file for file in FILES if delivers(file)]) >= 3


def delivering_steps(file: Path) -> list[dict[str, Any]]:
    """Of a workflow that delivers, and of any action: ours run in delivering jobs too."""
    if file.name == "action.yml":
        return list(yaml.safe_load(file.read_text())["runs"]["steps"])
    return [step for _, step in steps(file)] if delivers(file) else []


def restores_a_cache(step: dict[str, Any]) -> bool:
    """actions/cache, or a setup-* action that keeps what it fetched; setup-node does so unless it is set not to."""
    used, given = str(step.get("uses", "")), step.get("with", {})
    asked = [value for key, value in given.items() if "cache" in key and value not in (False, "false", "")]
    by_itself = used.startswith("actions/setup-node@") and given.get("package-manager-cache") is not False
    return used.startswith("actions/cache") or bool(asked) or by_itself


@pytest.mark.parametrize("file", USING, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_delivers_restores_no_cache_that_a_pull_request_can_write(file: Path) -> None:
    assert not [step for step in delivering_steps(file) if restores_a_cache(step)]


@pytest.mark.parametrize(
    "step",
    [
        {"uses": "actions/cache/restore@1"},
        {"uses": "actions/setup-python@1", "with": {"cache": "pip"}},
        {"uses": "actions/setup-node@1", "with": {"node-version": "24"}},
        {"uses": "astral-sh/setup-uv@1", "with": {"enable-cache": True}},
    ],
)
def test_a_cache_is_seen(step: dict[str, Any]) -> None:
    assert restores_a_cache(step)
