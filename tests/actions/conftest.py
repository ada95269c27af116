"""A step of a workflow: its files, its event, what it printed."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipelines.runtime import Runtime, run
from tests.conversation import conversation

__all__ = ["conversation", "step"]


@dataclass
class Step:
    """Run an action's `main` as a runner does, in a workspace of the test."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    log: str = ""

    def __post_init__(self) -> None:
        names = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH")
        files = {name: str(self.root / name.lower()) for name in names}
        self.environ = {"GITHUB_ACTIONS": "true", "PATH": "/usr/bin:/bin", **files, **self.environ}
        self.event({})

    def event(self, content: dict[str, Any], name: str = "pull_request") -> None:
        Path(self.environ["GITHUB_EVENT_PATH"]).write_text(json.dumps(content))
        self.environ["GITHUB_EVENT_NAME"] = name

    def run(self, main: Callable[[Runtime], int], **inputs: str) -> int:
        given = {f"IN_{name.upper()}": value for name, value in inputs.items()}
        stream = io.StringIO()
        try:
            return run(main, Runtime(environ={**self.environ, **given}, stream=stream))
        finally:
            self.log = stream.getvalue()

    def outputs(self) -> dict[str, str]:
        found = re.findall(r"^([\w-]+)<<(\S+)\n(.*?)\n\2$", self._file("GITHUB_OUTPUT"), re.MULTILINE | re.DOTALL)
        return {name: value for name, _, value in found}

    def summary(self) -> str:
        return self._file("GITHUB_STEP_SUMMARY")

    def added_path(self) -> list[str]:
        return self._file("GITHUB_PATH").splitlines()

    def commands(self, name: str) -> list[str]:
        """Lines the runner would read as this workflow command."""
        return re.findall(rf"^::{name}(?: [^\n]*)?::[^\n]*$", self.log, re.MULTILINE)

    def _file(self, name: str) -> str:
        file = Path(self.environ[name])
        return file.read_text() if file.is_file() else ""


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Step:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    monkeypatch.chdir(workspace)
    return Step(tmp_path, {"GITHUB_WORKSPACE": str(workspace)})
