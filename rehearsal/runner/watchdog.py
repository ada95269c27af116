"""What ends the processes of jobs when the world itself is killed and can end nothing any more."""

from __future__ import annotations

import asyncio
from pathlib import Path

MARK = "REHEARSAL_RUNNER"
"""Environment variable that every process of a runner's jobs carries."""

# Waits until its standard input closes, which the kernel does when the runner's process is gone in whatever way.
_SCRIPT = """
trap '' INT TERM HUP
cat > /dev/null
grep -lzx "$1=$2" /proc/[0-9]*/environ 2> /dev/null | while IFS=/ read -r _ _ pid _; do kill -9 "$pid" 2> /dev/null; done
rm -rf "$3"
"""


class Watchdog:
    """A shell in a session of its own; about 1 MB."""

    def __init__(self, mark: str, jobs: Path) -> None:
        self._mark = mark
        self._jobs = jobs
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            _SCRIPT,
            "watchdog",
            MARK,
            self._mark,
            str(self._jobs),
            env={"PATH": "/usr/bin:/bin"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )

    async def stop(self) -> None:
        """Let it do its work and end: nothing of any job is left when this returns."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()
            self._process = None
