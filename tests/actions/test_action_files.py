"""Every folder of actions/ keeps to the pattern of actions/README.md: what GitHub reads and what Python reads are the same."""

from __future__ import annotations

import re
import subprocess
import sys
import types
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions import files
from pipelines.runtime import Input, Output, variable

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NAMES = sorted(file.parent.name for file in (ROOT / "actions").glob("*/action.yml"))


def action(name: str) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / "actions" / name / "action.yml").read_text())
    assert isinstance(content, dict)
    return content


def own_step(name: str) -> dict[str, Any]:
    """The step that starts our Python: the last one."""
    step = action(name)["runs"]["steps"][-1]
    assert isinstance(step, dict)
    return step


def test_every_action_has_its_three_files() -> None:
    assert files.names() == NAMES
    assert len(NAMES) > 15
    for name in NAMES:
        assert (ROOT / "actions" / name / "__init__.py").is_file(), name
        assert (ROOT / "actions" / name / "__main__.py").is_file(), name


def test_every_action_is_called_by_a_workflow() -> None:
    called = {name for file in WORKFLOWS for name in re.findall(r"uses: \./actions/(\w+)", file.read_text())}
    assert called == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_github_reads_is_made_from_what_python_reads(name: str) -> None:
    """`python -m actions.files` writes it anew."""
    assert (ROOT / "actions" / name / "action.yml").read_text() == files.action_yml(name)


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_the_same_in_python_and_for_github(name: str) -> None:
    module = import_module(f"actions.{name}")
    for declared in module.INPUTS:
        assert not (declared.required and declared.default), f"{declared.name} is required and has a default"
    values = {
        key: (bool(given.get("required", False)), str(given.get("default", "")), given["description"])
        for key, given in (action(name).get("inputs") or {}).items()
    }
    assert values == {i.name: (i.required, i.default, i.doc) for i in module.INPUTS}


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_the_same_in_python_and_for_github(name: str) -> None:
    module = import_module(f"actions.{name}")
    values = {key: (given["description"], given["value"]) for key, given in (action(name).get("outputs") or {}).items()}
    assert values == {o.name: (o.doc, f"${{{{ steps.run.outputs.{o.name} }}}}") for o in module.OUTPUTS}


@pytest.mark.parametrize("name", NAMES)
def test_every_input_is_mapped_by_hand_and_nothing_else_is(name: str) -> None:
    module = import_module(f"actions.{name}")
    assert own_step(name)["env"] == {variable(i.name): f"${{{{ inputs.{i.name} }}}}" for i in module.INPUTS}


@pytest.mark.parametrize("name", NAMES)
def test_the_step_starts_the_package_and_nothing_more(name: str) -> None:
    step = own_step(name)
    assert step["run"].strip() == f'PYTHONPATH="$GITHUB_ACTION_PATH/../.." python3 -P -m actions.{name}'
    assert (step["id"], step["shell"], action(name)["runs"]["using"]) == ("run", "bash", "composite")


@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_named_and_holds_no_expression_in_its_script(name: str) -> None:
    for step in action(name)["runs"]["steps"]:
        assert step["name"]
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_entry_point_is_under_ten_lines(name: str) -> None:
    lines = (ROOT / "actions" / name / "__main__.py").read_text().splitlines()
    assert len(lines) < 10
    assert "raise SystemExit(run(main))" in lines


HEAVY = ("github", "requests", "google", "psycopg", "jinja2", "starlette", "httpx", "sentry_sdk", "playwright", "rich")


def test_no_action_imports_a_heavy_package_before_its_work() -> None:
    """Each is a process of its own in a job, on its first line in under 200 ms (`python -m benchmarks.startup`)."""
    names = [f"actions.{name}" for name in NAMES]
    script = f"import sys, importlib\nfor n in {names}: importlib.import_module(n)\nprint(*sorted({set(HEAVY)} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_no_action_reads_what_github_does_not_set() -> None:
    """GitHub sets no INPUT_* in a composite action; other runners do, which hides a missing map."""
    for file in (ROOT / "actions").rglob("*.*"):
        if file.suffix in (".py", ".yml"):
            assert not re.search(r"\bINPUT_[A-Z]", file.read_text()), file


def test_tokens_are_secrets() -> None:
    for name in NAMES:
        inputs: tuple[Input, ...] = import_module(f"actions.{name}").INPUTS
        for one in inputs:
            if re.search(r"token|password|webhook|secret|bypass|key$", one.name):
                assert one.secret, f"{name}: {one.name}"


def test_text_that_yaml_would_read_otherwise_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = types.ModuleType("actions.made")
    made.__doc__ = "What it: does # really,\nin two lines.\n\nAnd more that nobody is shown."
    made.INPUTS = (  # type: ignore[attr-defined]
        Input(name="to", doc='a "word": 1', required=True),
        Input(name="from", doc="- x", default="yes"),
    )
    made.OUTPUTS = (Output(name="url", doc="#1: ☃"),)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "actions.made", made)
    read = yaml.safe_load(files.action_yml("made"))
    assert (read["name"], read["description"]) == ("Made", "What it: does # really, in two lines.")
    assert read["inputs"] == {
        "to": {"description": 'a "word": 1', "required": True},
        "from": {"description": "- x", "default": "yes"},
    }
    assert read["outputs"] == {"url": {"description": "#1: ☃", "value": "${{ steps.run.outputs.url }}"}}
    assert read["runs"]["steps"][-1]["env"] == {"IN_TO": "${{ inputs.to }}", "IN_FROM": "${{ inputs.from }}"}
