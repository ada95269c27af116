"""What people do: git in a terminal, the API or the pages of GitHub, the `shipmate` command."""

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

from rehearsal.scenario import assertions as proof
from rehearsal.scenario.event_log import Diary
from rehearsal.scenario.world_client import Place

LIMIT_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(kw_only=True)
class Command:
    """A command at work in a terminal."""

    line: str
    process: subprocess.Popen[bytes]
    folder: Path
    """Of what it prints: `out` and `err`."""

    def said(self) -> str:
        """All that it has printed."""
        return "".join((self.folder / name).read_text(errors="replace") for name in ("out", "err"))

    def says(self, text: str) -> None:
        """Wait until it has printed a text. Fails when it ends without."""

        def alive() -> None:
            if text not in self.said():
                self.goes_on()

        proof.eventually(
            lambda: text in self.said(), f"`{self.line}` to say {text!r}", seconds=LIMIT_SECONDS, alive=alive
        )

    def goes_on(self) -> None:
        """Fails once it has ended."""
        code = self.process.poll()
        proof.that(code is None, f"`{self.line}` ended early with {code}", self.said()[-2000:])

    def ended(self) -> Said:
        """Wait until it has ended."""
        code = self.process.wait(LIMIT_SECONDS)
        out, err = ((self.folder / name).read_text(errors="replace") for name in ("out", "err"))
        return Said(code=code, out=out, err=err)


@dataclass(kw_only=True)
class Person:
    """Somebody with an account, a terminal and a clone."""

    login: str
    place: Place
    diary: Diary

    @property
    def clone(self) -> Path:
        return self.place.root / "homes" / self.login / "platform"

    def url(self) -> str:
        """The clone address with this person's token in it, as a credential helper would give it."""
        parts = urlsplit(self.place.server)
        return (
            f"{parts.scheme}://{self.login}:{self.place.tokens[self.login]}@{parts.netloc}/{self.place.repository}.git"
        )

    def run(self, *argv: str, ok: bool | None = True, cwd: Path | None = None, **environ: str) -> Said:
        """Run a command as this person. `ok` says what is expected: True exit 0, False anything else, None either."""
        folder = cwd or self.clone
        ran = subprocess.run(
            argv,
            cwd=folder if folder.is_dir() else self.place.root,
            env=self.place.terminal(self.login, **environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        said = Said(code=ran.returncode, out=ran.stdout, err=ran.stderr)
        if ok is not None:
            proof.that(
                (said.code == 0) == ok,
                f"`{' '.join(argv[-4:])}` by {self.login} ended with {said.code}",
                said.text[-2000:],
            )
        return said

    def types(self, line: str, *, ok: bool | None = True) -> Said:
        """Type a line into the terminal, exactly as the documentation has it (no shell, quotes as usual)."""
        import shlex

        with self.diary.during("act", f"$ {line}", who=self.login) as entry:
            said = self.run(*self._found(shlex.split(line)), ok=ok)
            entry.facts["exit"] = said.code
            return said

    @contextmanager
    def begins(self, line: str) -> Iterator[Command]:
        """`types` for a command during which other things happen. It is killed where the block is left before it has ended."""
        import shlex

        folder = tempfile.TemporaryDirectory(dir=self.place.root)
        with folder as name, self.diary.during("act", f"$ {line}", who=self.login) as entry:
            with (Path(name) / "out").open("wb") as out, (Path(name) / "err").open("wb") as err:
                process = subprocess.Popen(
                    self._found(shlex.split(line)),
                    cwd=self.clone,
                    env=self.place.terminal(self.login),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            try:
                yield Command(line=line, process=process, folder=Path(name))
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                entry.facts["exit"] = process.wait()

    def _found(self, argv: list[str]) -> list[str]:
        """`shipmate` is the command of this checkout's environment."""
        if argv[0] == "shipmate":
            return [sys.executable, "-P", "-m", "pipelines.cli", *argv[1:]]
        return argv

    def clones(self) -> None:
        """A fresh clone of the platform."""
        if not self.clone.is_dir():
            self.clone.parent.mkdir(parents=True, exist_ok=True)
            self.run("git", "clone", "-q", self.url(), str(self.clone), cwd=self.clone.parent)

    def git(self, *argv: str, ok: bool | None = True) -> Said:
        return self.run("git", *argv, ok=ok)

    def edits(self, path: str, old: str, new: str) -> None:
        """Replace a text in a file of the clone; the old one must be there."""
        file = self.clone / path
        text = file.read_text()
        proof.that(old in text, f"{path} holds {old!r}")
        file.write_text(text.replace(old, new, 1))

    def writes(self, path: str, text: str) -> None:
        file = self.clone / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def api(self, method: str, path: str, body: Any = None, *, ok: tuple[int, ...] = (200, 201, 202, 204)) -> Any:
        """A call of the REST API below the repository (or from the root with a leading slash)."""
        below = path if path.startswith("/") else f"/repos/{self.place.repository}/{path}"
        with self.place.github(self.login) as client:
            answer = client.request(method, below, json=body)
        proof.that(
            answer.status_code in ok, f"{method} {below} by {self.login} gave {answer.status_code}", answer.text[:500]
        )
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else answer.text

    def artifact(self, number: int) -> dict[str, bytes]:
        """The files of an artifact of a run, by their names."""
        with self.place.github(self.login) as client:
            answer = client.get(f"/repos/{self.place.repository}/actions/artifacts/{number}/zip")
        proof.that(answer.status_code == 200, f"the artifact {number} can be downloaded", answer.status_code)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
