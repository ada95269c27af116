"""The GitHub Actions runtime: inputs, event, outputs, summary, annotations, masks and groups.

Outside a workflow the same calls print plainly, so an action can be run by hand.
Source: docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal

from pipelines.errors import CredentialsError, InputError, ShipmateError, of_machine
from pipelines.faults import SURVIVED
from pipelines.github import budget
from pipelines.secret_forms import forms, values

Level = Literal["notice", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of an action; action.yml says the same (a test holds them equal)."""

    name: str
    doc: str
    required: bool = False
    default: str = ""
    secret: bool = False


@dataclass(frozen=True, kw_only=True)
class Output:
    """One output of an action."""

    name: str
    doc: str


@dataclass(kw_only=True)
class Runtime:
    """One step of a workflow, or a terminal that stands in for it."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stream: IO[str] = field(default_factory=lambda: sys.stdout)
    _hidden: list[str] = field(default_factory=list, repr=False)
    """What `mask` was given, in every form; the longest first."""

    @property
    def in_workflow(self) -> bool:
        return self.environ.get("GITHUB_ACTIONS") == "true"

    @cached_property
    def event(self) -> dict[str, Any]:
        """The webhook body that started the run; empty outside a workflow."""
        path = self.environ.get("GITHUB_EVENT_PATH")
        if not path or not Path(path).is_file():
            return {}
        loaded: dict[str, Any] = json.loads(Path(path).read_text())
        return loaded

    def inputs(self, declared: Sequence[Input]) -> dict[str, str]:
        """Values from IN_<NAME>, which action.yml maps; masks secrets. Names everything that is missing: raises CredentialsError
        when a secret is among it, else InputError.

        Not INPUT_<NAME>: GitHub does not set those in composite actions (act does, which would hide a missing map).
        """
        values = {i.name: self.environ.get(variable(i.name), "").strip() or i.default for i in declared}
        for secret in (i for i in declared if i.secret):
            self.mask(values[secret.name])
        missing = [i for i in declared if i.required and not values[i.name]]
        if missing:
            raise _not_given(missing)
        return values

    def output(self, name: str, value: str) -> None:
        """Set a step output, without secrets: GitHub drops one that holds any. The delimiter is random: no value can break out."""
        self._append("GITHUB_OUTPUT", name, self._without_secrets(value))

    def export(self, name: str, value: str) -> None:
        """Set an environment variable for the later steps of the job."""
        self._append("GITHUB_ENV", name, value)

    def path(self, folder: Path) -> None:
        """Put a folder in front of PATH for the later steps of the job."""
        file = self.environ.get("GITHUB_PATH")
        if file:
            with Path(file).open("a") as stream:
                stream.write(f"{folder}\n")

    def _append(self, variable_name: str, name: str, value: str) -> None:
        file = self.environ.get(variable_name)
        if not file:
            self.print(f"{name} = {value}")
            return
        mark = f"end-{secrets.token_hex(16)}"
        with Path(file).open("a") as stream:
            stream.write(f"{name}<<{mark}\n{value}\n{mark}\n")

    def summary(self, markdown: str) -> None:
        """Add to the job's summary page."""
        file = self.environ.get("GITHUB_STEP_SUMMARY")
        if file:
            with Path(file).open("a") as stream:
                stream.write(self._without_secrets(markdown.rstrip()) + "\n\n")
        else:
            self.print(markdown)

    def annotate(self, level: Level, message: str, *, title: str = "", file: str = "", line: int = 0) -> None:
        """An annotation, on a line of a file when given."""
        # Before it is escaped: in `%25` a secret's own % would not be found.
        message, title = self._without_secrets(message), self._without_secrets(title)
        if not self.in_workflow:
            self.print(f"{level}: {f'{file}:{line}: ' if file else ''}{f'{title}: ' if title else ''}{message}")
            return
        given = {"file": file, "line": str(line) if line else "", "title": title}
        properties = ",".join(f"{key}={_property(value)}" for key, value in given.items() if value)
        self.print(f"::{level} {properties}::{_data(message)}" if properties else f"::{level}::{_data(message)}")

    def mask(self, value: str) -> None:
        """Hide a value in all that is written from here on: each line of it, and what it decodes to, holds or is encoded as."""
        if self.in_workflow:
            for line in values(value):
                print(f"::add-mask::{_data(line)}", file=self.stream, flush=True)
        self._hidden = sorted({*self._hidden, *forms(value)}, key=len, reverse=True)

    def _without_secrets(self, text: str) -> str:
        for form in self._hidden:
            text = text.replace(form, "***")
        return text

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """A group of log lines that folds."""
        title = self._without_secrets(title)
        self.print(f"::group::{_data(title)}" if self.in_workflow else f"── {title}")
        try:
            yield
        finally:
            if self.in_workflow:
                self.print("::endgroup::")

    def print(self, text: str) -> None:
        print(self._without_secrets(text), file=self.stream, flush=True)

    def say(self, text: str) -> None:
        """A log line with text from outside in it: it cannot be read as a workflow command."""
        for line in text.splitlines() or [""]:
            self.print(f"\u200b{line}" if self.in_workflow and line.lstrip().startswith(("::", "##[")) else line)

    @property
    def actor(self) -> str:
        """Login of who started this attempt of the run; empty at a terminal, where GitHub knows the account."""
        return self.environ.get("GITHUB_TRIGGERING_ACTOR") or self.environ.get("GITHUB_ACTOR", "")

    @property
    def run_id(self) -> str:
        """Of the run of a workflow; empty outside."""
        return self.environ.get("GITHUB_RUN_ID", "")

    @property
    def attempt(self) -> str:
        """Of the run: 1 for the first, more when it is run again; empty outside of a workflow."""
        return self.environ.get("GITHUB_RUN_ATTEMPT", "")

    @property
    def run_url(self) -> str:
        """The page of the run; empty outside of a workflow."""
        if not self.run_id:
            return ""
        env = self.environ
        return f"{env.get('GITHUB_SERVER_URL', '')}/{env.get('GITHUB_REPOSITORY', '')}/actions/runs/{self.run_id}"


def _not_given(missing: Sequence[Input]) -> ShipmateError:
    what = f"not given: {', '.join(i.name for i in missing)}"
    if not any(i.secret for i in missing):
        why = "an input is empty when the output behind it does not exist"
        return InputError(what, where="inputs", why=why, next_step="pass it with `with:`")
    return CredentialsError(
        what,
        where="inputs",
        why="an input is empty when the secret or output behind it does not exist",
        next_step="pass it with `with:`; for a secret look at Settings → Secrets, in the environment of this job",
    )


def as_number(name: str, text: str) -> float:
    """An input that must be a number, not below zero. Raises InputError."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise InputError(f"{text!r} is no number", where=f"input {name}", next_step="write it like 50")
    return found


def as_flag(name: str, text: str) -> bool:
    """An input that must be true or false: a misspelt one must not pass as false. Raises InputError."""
    if text not in ("true", "false"):
        raise InputError(
            f"{text!r} is neither true nor false", where=f"input {name}", next_step="write 'true' or 'false'"
        )
    return text == "true"


def variable(name: str) -> str:
    """The environment variable an input travels in: `to-version` -> IN_TO_VERSION."""
    return "IN_" + name.replace("-", "_").upper()


def run(main: Callable[[Runtime], int | None], runtime: Runtime | None = None) -> int:
    """Run an action: its exit code, with every refusal shown once as an annotation and in the summary; a bug shows its trace."""
    runtime = runtime or Runtime()
    started = time.monotonic()
    try:
        code = main(runtime) or 0
    except ShipmateError as error:
        show_error(runtime, error)
        code = error.exit_code
    except OSError as error:
        local = of_machine(error)
        if local is None:
            raise
        show_error(runtime, local)
        code = local.exit_code
    except KeyboardInterrupt:
        runtime.annotate("error", "interrupted; run it again: it finishes what was started", title="Interrupted")
        code = 130
    _report_survived(runtime)
    _report_requests(runtime)
    runtime.say(f"{'done' if code == 0 else 'failed'} in {time.monotonic() - started:.1f} s")
    return code


def show_error(runtime: Runtime, error: ShipmateError) -> None:
    """The error as annotation and in the summary."""
    runtime.annotate("error", str(error), title=error.title)
    if runtime.in_workflow:
        # The summary is a file too: on a full disk the annotation must do.
        with suppress(OSError):
            runtime.summary(f"### ❌ {error.title}\n\n{fenced(str(error))}")


def _report_survived(runtime: Runtime) -> None:
    if SURVIVED.events:
        title = f"Survived {len(SURVIVED.events)} failure(s) outside"
        runtime.annotate("notice", "\n".join([f"{title}:", *SURVIVED.events[:20]]), title=title)
        runtime.summary("Survived on the way:\n\n" + fenced("\n".join(SURVIVED.events)))


def _report_requests(runtime: Runtime) -> None:
    """How many requests went to GitHub, in this step and in the job so far, and how many are left; a warning when those are few."""
    earlier = runtime.environ.get(budget.JOB_REQUESTS, "")
    before = int(earlier) if earlier.isdigit() else 0
    made = 0
    for used in budget.used():
        made += used.made
        runtime.say(f"GitHub: {used.text}")
        if used.scarce:
            runtime.annotate("warning", f"few requests are left this hour: {used.text}", title="GitHub")
    if made and runtime.in_workflow:
        runtime.say(f"GitHub: {before + made} requests in this job so far")
        runtime.export(budget.JOB_REQUESTS, str(before + made))


def fenced(text: str) -> str:
    """Text from outside as a code block it cannot close."""
    longest = max((len(run) for run in _backtick_runs(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _backtick_runs(text: str) -> list[str]:
    import re

    return re.findall(r"`+", text)


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
