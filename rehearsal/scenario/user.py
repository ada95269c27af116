"""A user: git and `shipmate` in a terminal, and the API of GitHub."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rehearsal.scenario.assertions import eventually, expect
from rehearsal.scenario.event_log import EventLog
from rehearsal.scenario.world_client import WorldClient

LIMIT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(kw_only=True)
class RunningCommand:
    """A command that runs in a terminal."""

    line: str
    process: subprocess.Popen[bytes]
    folder: Path
    """Holds its output so far: `out` and `err`."""

    def output(self) -> str:
        """Everything printed so far."""
        return "".join((self.folder / name).read_text(errors="replace") for name in ("out", "err"))

    def wait_for_output(self, text: str) -> None:
        """Wait until it has printed a text. Raises ExpectationFailed when it ends without."""

        def alive() -> None:
            if text not in self.output():
                self.expect_running()

        eventually(
            lambda: text in self.output(), f"`{self.line}` to print {text!r}", seconds=LIMIT_SECONDS, alive=alive
        )

    def expect_running(self) -> None:
        """Raises ExpectationFailed when it has ended."""
        code = self.process.poll()
        expect(code is None, f"`{self.line}` ended early with {code}", self.output()[-2000:])

    def wait(self) -> CommandResult:
        """Wait until it has ended."""
        code = self.process.wait(LIMIT_SECONDS)
        out, err = ((self.folder / name).read_text(errors="replace") for name in ("out", "err"))
        return CommandResult(code=code, out=out, err=err)


@dataclass(kw_only=True)
class User:
    """A user of GitHub, with a terminal and a clone of the repository."""

    login: str
    world: WorldClient
    log: EventLog

    @property
    def clone(self) -> Path:
        return self.world.root / "homes" / self.login / "platform"

    def url(self) -> str:
        """The clone address with this user's token in it, as a credential helper would give it."""
        parts = urlsplit(self.world.server)
        return (
            f"{parts.scheme}://{self.login}:{self.world.tokens[self.login]}@{parts.netloc}/{self.world.repository}.git"
        )

    def run(self, *argv: str, ok: bool | None = True, cwd: Path | None = None, **environ: str) -> CommandResult:
        """Run a command as this user, without an event. `ok` says what is expected: True exit 0, False anything else, None either."""
        folder = cwd or self.clone
        ran = subprocess.run(
            argv,
            cwd=folder if folder.is_dir() else self.world.root,
            env=self.world.terminal(self.login, **environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        result = CommandResult(code=ran.returncode, out=ran.stdout, err=ran.stderr)
        if ok is not None:
            expect(
                (result.code == 0) == ok,
                f"`{' '.join(argv[-4:])}` by {self.login} ended with {result.code}",
                result.text[-2000:],
            )
        return result

    def command(self, line: str, *, ok: bool | None = True) -> CommandResult:
        """Run a command line exactly as the documentation has it (no shell, quotes as usual); an event of the log."""
        import shlex

        with self.log.record("action", f"$ {line}", user=self.login) as event:
            result = self.run(*self.resolve(shlex.split(line)), ok=ok)
            event.facts["exit"] = result.code
            return result

    @contextmanager
    def start(self, line: str) -> Iterator[RunningCommand]:
        """`command` in the background, for the length of the block; killed if it still runs at the end of it."""
        import shlex

        folder = tempfile.TemporaryDirectory(dir=self.world.root)
        with folder as name, self.log.record("action", f"$ {line}", user=self.login) as event:
            with (Path(name) / "out").open("wb") as out, (Path(name) / "err").open("wb") as err:
                process = subprocess.Popen(
                    self.resolve(shlex.split(line)),
                    cwd=self.clone,
                    env=self.world.terminal(self.login),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            try:
                yield RunningCommand(line=line, process=process, folder=Path(name))
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                event.facts["exit"] = process.wait()

    def resolve(self, argv: list[str]) -> list[str]:
        """`shipmate` is the command of this checkout's environment."""
        if argv[0] == "shipmate":
            return [sys.executable, "-P", "-m", "pipelines.cli", *argv[1:]]
        return argv

    def clone_repository(self) -> None:
        """Clone the repository, unless that is done."""
        if not self.clone.is_dir():
            self.clone.parent.mkdir(parents=True, exist_ok=True)
            self.run("git", "clone", "-q", self.url(), str(self.clone), cwd=self.clone.parent)

    def git(self, *argv: str, ok: bool | None = True) -> CommandResult:
        return self.run("git", *argv, ok=ok)

    def head(self, ref: str = "HEAD") -> str:
        """The SHA of a commit in the clone."""
        return self.git("rev-parse", ref).out.strip()

    def update_main(self) -> None:
        """Check out main as it is on GitHub."""
        self.git("checkout", "-q", "main")
        self.git("pull", "-q", "origin", "main")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text in a file of the clone; the old one must be there."""
        file = self.clone / path
        text = file.read_text()
        expect(old in text, f"{path} holds {old!r}")
        file.write_text(text.replace(old, new, 1))

    def write(self, path: str, text: str) -> None:
        file = self.clone / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def api(self, method: str, path: str, body: Any = None, *, ok: tuple[int, ...] = (200, 201, 202, 204)) -> Any:
        """A call of the REST API below the repository (or from the root with a leading slash)."""
        below = path if path.startswith("/") else f"/repos/{self.world.repository}/{path}"
        with self.world.github(self.login) as client:
            answer = client.request(method, below, json=body)
        expect(
            answer.status_code in ok, f"{method} {below} by {self.login} gave {answer.status_code}", answer.text[:500]
        )
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else answer.text

    def artifact(self, number: int) -> dict[str, bytes]:
        """The files of an artifact of a run, by their names."""
        with self.world.github(self.login) as client:
            answer = client.get(f"/repos/{self.world.repository}/actions/artifacts/{number}/zip")
        expect(answer.status_code == 200, f"the artifact {number} can be downloaded", answer.status_code)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
