"""The tools, one line each: what they look at and how they are called."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import InputError

SUITE = Path(__file__).resolve().parents[2]
NODE = "node_modules"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One linter."""

    name: str
    what: str
    argv: tuple[str, ...]
    needs: tuple[str, ...] = ()
    """Paths below the root without which it cannot run: those the set-up makes."""
    weight: int = 1
    """Roughly its seconds: the long ones start first."""
    fix: tuple[str, ...] | None = None
    """The same, fixing what it can."""
    cwd: str = "."


def checkout(start: Path) -> Path:
    """The checkout of the suite that `start` is in: what is looked at is what lies there, not what is installed. Raises InputError."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "pipelines/lint/tools.py").is_file():
            return folder
    raise InputError(
        "this is no checkout of Shipmate, whose own checks these are",
        where=str(start),
        next_step="run this inside its repository; `shipmate ci run` runs the checks of another platform",
    )


def tools(root: Path) -> tuple[Tool, ...]:
    """Those for this checkout; files are listed where a tool does not find them itself."""
    return (*_of_python(root), *_of_workflows(root), *_of_the_platform(), *_of_the_tree())


def _of_python(root: Path) -> tuple[Tool, ...]:
    return (
        Tool(
            name="ruff",
            what="errors and habits in Python",
            argv=(_program("ruff"), "check", "--output-format", "concise", "--quiet", "."),
            fix=(_program("ruff"), "check", "--fix", "--output-format", "concise", "--quiet", "."),
        ),
        Tool(
            name="format",
            what="layout of Python",
            argv=(_program("ruff"), "format", "--check", "--quiet", "--diff", "."),
            fix=(_program("ruff"), "format", "--quiet", "."),
        ),
        Tool(
            name="mypy",
            what="types of the suite",
            argv=(_program("mypy"), "--explicit-package-bases", *_typed(root)),
            weight=40,
        ),
        Tool(
            name="mypy-backend",
            what="types of the backend",
            argv=(_program("mypy"), "--config-file", "../../pyproject.toml", "-p", "backend"),
            cwd="apps/backend",
            weight=15,
        ),
        Tool(name="deptry", what="dependencies: declared and used", argv=(_program("deptry"), "--no-ansi", ".")),
        Tool(name="layers", what="imports only go down", argv=(_program("lint-imports"), "--no-logo"), weight=3),
    )


def _of_workflows(root: Path) -> tuple[Tool, ...]:
    workflows = _found(root, ".github/workflows/*.yml")
    actions = _found(root, "actions/*/action.yml")
    audit = ("--persona", "pedantic", "--offline", "--quiet", "--no-progress", ".github", "actions")
    schema = (_program("check-jsonschema"), "--builtin-schema")
    return (
        Tool(name="zizmor", what="security of workflows and actions", argv=(_program("zizmor"), *audit)),
        Tool(
            name="actionlint",
            what="workflows and actions: syntax, expressions, habits",
            argv=(_program("jactionlint"), "--no-color", "--no-hints", "--strict-exit", "--shellcheck=", "--pyflakes="),
        ),
        Tool(
            name="github",
            what="workflows and actions, read by GitHub's own parser",
            argv=("node", "pipelines/lint/node/workflow_parser.mjs", *workflows, *actions),
            needs=(f"pipelines/lint/node/{NODE}",),
            weight=2,
        ),
        Tool(
            name="workflow-schema",
            what="workflows by their schema",
            argv=(*schema, "vendor.github-workflows", *workflows),
        ),
        Tool(name="action-schema", what="actions by their schema", argv=(*schema, "vendor.github-actions", *actions)),
    )


def _of_the_platform() -> tuple[Tool, ...]:
    return (
        Tool(name="manifest", what="shipmate.yml", argv=(sys.executable, "-m", "pipelines.cli", "manifest", "check")),
        Tool(
            name="migrations",
            what="migrations of the platform: our rules, and squawk",
            argv=(sys.executable, "-m", "pipelines.cli", "migrate", "lint"),
        ),
        Tool(
            name="tsc",
            what="types of the web app",
            argv=("npm", "--prefix", "apps/web", "run", "--silent", "typecheck"),
            needs=(f"apps/web/{NODE}",),
            weight=8,
        ),
    )


def _of_the_tree() -> tuple[Tool, ...]:
    return (
        Tool(name="tree", what="what no tracked file may hold", argv=(sys.executable, "-m", "pipelines.lint.tree")),
        Tool(name="waits", what="no fixed waits in browser tests", argv=(sys.executable, "-m", "pipelines.lint.waits")),
    )


def _program(name: str) -> str:
    """A program of the environment that this runs in."""
    return str(Path(sys.executable).parent / name)


def _typed(root: Path) -> tuple[str, ...]:
    """In one run: two at once would write one cache."""
    packages = ("actions", "pipelines", "release", "rehearsal", "e2e", "loadtests", "benchmarks")
    return (*(name for name in packages if any((root / name).rglob("*.py"))), "setup_environment.py")


def _found(root: Path, glob: str) -> tuple[str, ...]:
    return tuple(sorted(str(file.relative_to(root)) for file in root.glob(glob)))
