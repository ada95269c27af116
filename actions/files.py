"""action.yml of every action, made from its INPUTS and OUTPUTS: `python -m actions.files` writes them, a test holds them equal."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pipelines.runtime import Input, Output, variable

FOLDER = Path(__file__).resolve().parent
ACRONYMS = {"ci": "CI", "e2e": "E2E"}


def names() -> list[str]:
    """Every action, by its folder."""
    return sorted(file.parent.name for file in FOLDER.glob("*/__main__.py"))


def action_yml(name: str) -> str:
    """What GitHub reads of an action."""
    module = import_module(f"actions.{name}")
    title = getattr(module, "TITLE", _title(name))
    inputs: tuple[Input, ...] = module.INPUTS
    outputs: tuple[Output, ...] = module.OUTPUTS
    lines = [
        f"# Made from __init__.py by `python -m actions.files`.\nname: {title}",
        f"description: {_text(_description(module))}",
        *(["inputs:", *(line for each in inputs for line in _input(each))] if inputs else []),
        *(["outputs:", *(line for each in outputs for line in _output(each))] if outputs else []),
        "runs:",
        "  using: composite",
        "  steps:",
    ]
    before: str = getattr(module, "BEFORE", "")
    step = [
        f"    - name: {getattr(module, 'STEP', title)}",
        "      id: run",
        "      shell: bash",
        *(["      env:"] if inputs else []),
        *(f"        {variable(each.name)}: ${{{{ inputs.{each.name} }}}}" for each in inputs),
        f'      run: PYTHONPATH="$GITHUB_ACTION_PATH/../.." python3 -P -m actions.{name}',
    ]
    return "\n".join(lines) + "\n" + before + "\n".join(step) + "\n"


def _title(name: str) -> str:
    words = [ACRONYMS.get(word, word) for word in name.split("_")]
    return " ".join([words[0].capitalize(), *words[1:]])


def _description(module: ModuleType) -> str:
    return " ".join((module.__doc__ or "").partition("\n\n")[0].split())


def _input(declared: Input) -> list[str]:
    value = "    required: true" if declared.required else f"    default: {json.dumps(declared.default)}"
    return [f"  {declared.name}:", f"    description: {_text(declared.doc)}", value]


def _output(declared: Output) -> list[str]:
    return [
        f"  {declared.name}:",
        f"    description: {_text(declared.doc)}",
        f"    value: ${{{{ steps.run.outputs.{declared.name} }}}}",
    ]


def _text(words: str) -> str:
    """Quoted as JSON is, which YAML reads the same."""
    return json.dumps(words, ensure_ascii=False)


def main() -> int:
    """Write every file that is not as it should be; their names."""
    for name in names():
        file, wanted = FOLDER / name / "action.yml", action_yml(name)
        if not file.is_file() or file.read_text() != wanted:
            file.write_text(wanted)
            sys.stdout.write(f"wrote actions/{name}/action.yml\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
