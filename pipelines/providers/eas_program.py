"""The program `eas`, run beside us: its environment is given word for word, its output is bounded, and it never outlives this process.

It runs the app's own configuration, and updates are bundled by the app's code: what it can read, they can read.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from pipelines.errors import LocalError

NAME = "eas"
KEPT = (
    "PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
    "SHIPMATE_OVERLAY", "REHEARSAL_PYTHON",
)  # fmt: skip
"""Of our environment. EAS_NO_VCS is not among them: under it a build would not know its commit."""
MOST_OUT = 16_000_000
"""Characters of JSON. A page of fifty builds has some 200,000."""
MOST_SHOWN = 20_000
"""Characters of its other words that are kept for an error; of more, the last."""
LINE = 1_000
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PR_SET_PDEATHSIG = 1
_C = ctypes.CDLL(None)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How it ended: -1 when it took too long."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Runs `eas` with these words in a folder, with exactly this environment; `say` is called with lines of its standard error."""

    def __call__(
        self,
        words: Sequence[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        seconds: float,
        say: Callable[[str], None],
    ) -> Ended: ...


def environment(token: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What the program gets to see: no secret but its own."""
    kept = {name: environ[name] for name in KEPT if environ.get(name)}
    return {**kept, "EXPO_TOKEN": token, "CI": "1", "NO_COLOR": "1", "EXPO_NO_TELEMETRY": "1", "DO_NOT_TRACK": "1"}


def run(
    words: Sequence[str], *, folder: Path, environ: Mapping[str, str], seconds: float, say: Callable[[str], None]
) -> Ended:
    """A `Run`. Raises LocalError when there is no such program, or when it prints without end."""
    prepare = _end_with_parent if sys.platform == "linux" else None
    try:
        process = subprocess.Popen(
            [NAME, *words],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,
            preexec_fn=prepare,  # noqa: PLW1509 - one call of the C library, loaded before the fork
        )
    except OSError as error:
        raise LocalError(
            f"{NAME} cannot be started: {error.strerror}",
            where=f"{NAME} {words[0]}",
            why="it is not installed, or not on PATH",
            next_step="install the version that eas.json asks for (cli.version): `npm install --global eas-cli@24.8.0`",
        ) from error
    out, err = _Kept(MOST_OUT), _Kept(MOST_SHOWN)
    readers = [
        threading.Thread(target=_read, args=(process.stdout, out, None), daemon=True),
        threading.Thread(target=_read, args=(process.stderr, err, say), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        code = -1
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for reader in readers:
        reader.join(2.0)
    if out.cut:
        raise LocalError(
            f"{NAME} printed more than {MOST_OUT:,} characters",
            where=f"{NAME} {words[0]}",
            next_step="run the command by hand and see what it prints; the version that was tried is in requirements/eas",
        )
    return Ended(code=code, out=out.text, err=err.text)


class _Kept:
    """The last characters of what was printed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.text = ""
        self.cut = False

    def add(self, piece: str) -> None:
        self.text += piece
        if len(self.text) > self._most:
            self.cut = True
            self.text = self.text[-self._most :]


def _read(pipe: IO[str] | None, kept: _Kept, say: Callable[[str], None] | None) -> None:
    if pipe is None:
        return
    with pipe:
        while text := pipe.readline(65_536):
            plain = _ANSI.sub("", text)
            kept.add(plain)
            if say is not None and plain.strip():
                say(plain.strip()[:LINE])


def _end_with_parent() -> None:
    """A killed job must not leave a program behind that goes on to begin builds. Runners are Linux; another system has no such call."""
    if sys.platform == "linux":
        _C.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
