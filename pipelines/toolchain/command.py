"""Run an installer, and say in one line why it failed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.errors import LocalError

OFFLINE_SIGNS = ("Temporary failure in name resolution", "Name or service not known", "Network is unreachable", "ENOTFOUND",
                 "EAI_AGAIN", "ECONNREFUSED", "Could not connect", "dns error", "Connection refused", "ENOTCACHED",
                 "error sending request", "NewConnectionError")  # fmt: skip

NOISE = ("WARNING:", "npm warn", "warning:")
"""What installers say on the way, whatever comes of it."""


def run(
    argv: Sequence[str | Path],
    *,
    doing: str,
    next_step: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Its standard output. Raises LocalError with its last words, and whether the network is the likely cause."""
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise LocalError(f"{argv[0]} is not installed", where=doing, next_step=next_step) from error
    if done.returncode == 0:
        return done.stdout
    message = done.stderr.strip() or done.stdout.strip()
    offline = any(sign in message for sign in OFFLINE_SIGNS)
    raise LocalError(
        f"{Path(str(argv[0])).name} failed (exit code {done.returncode})\n{_last_words(message)}",
        where=doing,
        why="the package registry cannot be reached, and what is needed is not cached" if offline else "",
        next_step="connect, then run this again: what was fetched once is kept" if offline else next_step,
    )


def _last_words(message: str) -> str:
    """What it ended with, without its warnings on the way."""
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith(NOISE)]
    return "\n".join(lines[-12:])[-2000:]
