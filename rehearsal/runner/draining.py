"""Hold a failing step until its last lines were read.

act attaches each step to a pseudo-terminal. When the step's process ends with an error, act closes the terminal at once
(0.2.89, host_environment.go: `exec` returns before `copyPtyOutput` is done), and what is still in its buffer is lost.
A step that succeeds is read to its end. So bash, which reads BASH_ENV first, becomes the parent of the step here: when
the step fails, the parent writes a trailer behind its output, waits until the runner has seen that in act's log, and only
then ends, with the step's code. Other shells are started by a bash for that.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TRAILER = "\x1e\x1d\x1e"
"""Control characters: act replaces every secret in a line, and a secret may be a single letter."""
_PATIENCE = 30
"""Seconds after which a step ends although the runner has not answered."""
_WAIT = """\
exec 3<>'{answers}'
printf '\\036\\035\\036\\n'
read -r -t {patience} -u 3 || :
"""
_BASH_ENV = """\
if [ -t 0 ]; then
  mapfile -d '' -t rehearsal_argv < "/proc/$$/cmdline"
  rehearsal_code=0
  {{ "$BASH" "${{rehearsal_argv[@]:1}}" </dev/null 2>&3 3>&- || rehearsal_code=$?; }} 3>&2 2>/dev/null
  if [ "$rehearsal_code" -ne 0 ]; then
    {wait}
  fi
  exit "$rehearsal_code"
fi
"""
"""The step's standard input is at its end, as on GitHub: reading the terminal would hang."""
_BY_BASH = """bash -c '"$@"' -"""
_COMMANDS = {"sh": "sh -e {0}", "python": "python {0}"}
_LEFT_ALONE = re.compile(r"bash\b|pwsh\b|powershell\b|cmd\b|.*\$\{\{", re.DOTALL)
"""Bash is held anyway; PowerShell needs the file name that act gives it; what an expression yields is not known yet."""


def prepare(folder: Path) -> Path:
    """Write what bash reads first and the pipe for the runner's answers into a job's folder; the file for BASH_ENV."""
    os.mkfifo(_answers(folder), mode=0o600)
    file = folder / "bash.env"
    file.write_text(_BASH_ENV.format(wait=wait(folder)))
    return file


def wait(folder: Path) -> str:
    """The lines of bash that wait until the runner has read everything so far."""
    return _WAIT.format(answers=_answers(folder), patience=_PATIENCE)


def answer(folder: Path) -> None:
    """Let the step that wrote the trailer end. Does nothing when none waits (it was killed, or printed the trailer itself)."""
    with contextlib.suppress(OSError):
        pipe = os.open(_answers(folder), os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, b"\n")
        finally:
            os.close(pipe)


def split(output: str) -> tuple[str, bool]:
    """A line of a step's output without the trailer; whether it had one."""
    line = output.rstrip("\r\n")
    return (line.removesuffix(TRAILER), True) if line.endswith(TRAILER) else (output, False)


def held(section: Mapping[str, Any]) -> dict[str, Any]:
    """A step, or `defaults.run`, whose shell is started by bash if it is another."""
    shell = section.get("shell")
    if not isinstance(shell, str) or _LEFT_ALONE.match(shell):
        return dict(section)
    return {**section, "shell": f"{_BY_BASH} {_COMMANDS.get(shell, shell)}"}


def held_defaults(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """`defaults` of a workflow or a job, the same way."""
    run = defaults.get("run")
    return {**defaults, "run": held(run)} if isinstance(run, Mapping) else dict(defaults)


def _answers(folder: Path) -> Path:
    return folder / "answers"
