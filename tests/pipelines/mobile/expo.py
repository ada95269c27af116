"""EAS in memory for the clients of `eas`: the emulator, an app in a checkout, and the rehearsal's program run within this process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from pipelines.clock import Clock
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.overlay import Overlay
from pipelines.providers.eas import Eas
from pipelines.providers.eas_program import Ended
from rehearsal.eas.__main__ import main
from rehearsal.eas.api import Api
from rehearsal.emulators.eas.app import Eas as Emulator
from rehearsal.faults import Faults, Faulty
from tests.rehearsal.emulators.eas_client import APP, Program, emulator
from tests.rehearsal.emulators.eas_client import Clock as Time
from tests.rehearsal.emulators.in_process import served

TOKEN = "robot-token"
_SEND = Api._send


class Killed(BaseException):
    """The process is gone."""


@dataclass(kw_only=True)
class Expo:
    """EAS with one app beside it. Time goes on only while someone waits."""

    emulator: Emulator
    time: Time
    program: Program
    faults: Faults
    http: Http
    calls: list[tuple[str, ...]] = field(default_factory=list)
    """Of the program, with their words."""
    before: Callable[[Sequence[str]], None] = lambda words: None
    """Called before each command."""
    left: int | None = None
    """How many requests to EAS are made before this process is killed."""
    answered: bool = False
    """Whether the one at which it is killed has its effect."""

    @property
    def clock(self) -> Clock:
        return Clock(real=self.time, wait=self.time.forward)

    @property
    def account(self) -> Any:
        return self.emulator.account

    @property
    def commit(self) -> str:
        return git(self.program.app, "rev-parse", "HEAD")

    def eas(self, token: str = TOKEN) -> Eas:
        environ = {"SHIPMATE_OVERLAY": str(self.program.folder / "overlay.json"), "PATH": os.environ["PATH"]}
        policy = Policy(tries=3, scale=0.0)
        return Eas(folder=self.program.app, token=token, environ=environ, policy=policy, run=self.run)

    def run(
        self,
        words: Sequence[str],
        *,
        folder: Path,
        environ: Mapping[str, str],
        seconds: float,
        say: Callable[[str], None],
    ) -> Ended:
        """As the program would, in this process."""
        self.calls.append(tuple(words))
        self.before(words)
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.object(Api, "_send", self._send),
            mock.patch.dict(os.environ, environ, clear=True),
            contextlib.chdir(folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main(list(words))
        return Ended(code=code, out=out.getvalue(), err=err.getvalue())

    @property
    def _send(self) -> Callable[..., Any]:
        def send(api: Api, *arguments: Any) -> Any:
            if self.left is not None:
                self.left -= 1
            if self.left == -1 and not self.answered:
                raise Killed
            answer = _SEND(api, *arguments)
            if self.left == -1:
                raise Killed
            return answer

        return send

    def killed(self, left: int, answered: bool, act: Callable[[], object]) -> bool:
        """Whether `act` was killed at that request."""
        self.left, self.answered = left, answered
        try:
            act()
        except Killed:
            return True
        finally:
            self.left = None
        return False

    def called(self, command: str) -> int:
        return sum(words[0] == command for words in self.calls)

    def change(self, text: str) -> str:
        """Change the app's code, and commit it; the commit."""
        (self.program.app / "index.ts").write_text(f"export const answer = {text!r};\n")
        git(self.program.app, "commit", "-q", "-a", "-m", text)
        return self.commit

    def numbered(self, android: int = 7, ios: int = 9, version: str = "1.2.0", **more: Any) -> None:
        """Write version and build numbers into app.json."""
        expo = APP["expo"]
        self.program.edit(
            version=version,
            android={**expo["android"], "versionCode": android},
            ios={**expo["ios"], "buildNumber": str(ios)},
            **more,
        )


@contextmanager
def expo(folder: Path) -> Iterator[Expo]:
    """The app is committed."""
    time, faults = Time(), Faults()
    made = emulator(folder / "eas", TOKEN, time)
    with served(Faulty(made.app, "eas", faults)) as base:
        program = Program(folder=folder, base=base, token=TOKEN)
        overlay = Overlay(hosts=dict.fromkeys(made.hosts, base))
        (folder / "overlay.json").write_text(json.dumps({"hosts": dict(overlay.hosts)}))
        for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "an app")):
            git(program.app, *words)
        http = Http(overlay=overlay, policy=Policy(tries=3, scale=0.0))
        yield Expo(emulator=made, time=time, program=program, faults=faults, http=http)


def git(folder: Path, *words: str) -> str:
    """Raises CalledProcessError."""
    names = {f"GIT_{who}_{what}": "dev-1" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **names}
    done = subprocess.run(["git", *words], cwd=folder, env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()
