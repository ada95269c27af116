"""techmate/platform on an emulated GitHub, a clone of it, and the release command run in that clone."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from rehearsal.faults import Faults, Faulty
from rehearsal.serving import Server, cut
from tests.rehearsal.github.scene import REPOSITORY, OpenScene, Person, Scene

ROOT = Path(__file__).resolve().parents[2]
RELEASES = f"/repos/{REPOSITORY}/releases"


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Seen:
    """What clients asked, and (for tests that interfere) a hook before and after each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.requests: list[tuple[str, str]] = []
        self.before: Any = None
        self.after: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "release-manager" not in _token_owner(scope):
            await self.app(scope, receive, send)
            return
        request = (scope["method"], scope["path"])
        self.requests.append(request)
        if self.before is not None and await self.before(len(self.requests), request):
            await cut(scope, receive)  # it never arrived
            return
        held: list[Any] = []

        async def hold(message: Any) -> None:
            held.append(message)

        await self.app(scope, receive, hold)
        if self.after is not None:
            await self.after(len(self.requests), request)
        for message in held:
            await send(message)

    def writes(self) -> list[tuple[str, str]]:
        return [request for request in self.requests if request[0] not in ("GET", "HEAD")]


def _token_owner(scope: Scope) -> str:
    headers = dict(scope["headers"])
    return "release-manager" if b"by-release-manager" in headers.get(b"authorization", b"") else ""


@dataclass
class Platform:
    """The scene, and the release manager's clone."""

    scene: Scene
    manager: Person
    dev: Person
    clone: Path
    seen: Seen
    faults: Faults
    extra: dict[str, str] = field(default_factory=dict)

    def commit(self, message: str, files: Mapping[str, str] | None = None) -> str:
        """Commit, push to main, and let CI end well."""
        sha = self.commit_without_ci(message, files)
        self.green()
        return sha

    def delivered(self, release: str, commit: str, state: str = "success") -> None:
        """What a delivery to production records."""
        deployments = f"/repos/{REPOSITORY}/deployments"
        made = self.manager.post(
            deployments,
            {
                "ref": commit, "task": "shipmate", "environment": "production", "auto_merge": False, "required_contexts": [],
                "payload": json.dumps({"release": release, "commit": commit}),
            },
        )  # fmt: skip
        self.manager.post(f"{deployments}/{made['id']}/statuses", {"state": state})

    def commit_without_ci(self, message: str, files: Mapping[str, str] | None = None) -> str:
        for path, content in (files or {"notes.txt": message}).items():
            target = self.clone / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
            self.dev.git("add", "--", path, cwd=self.clone)
        self.dev.git("commit", "-q", "--allow-empty", "-m", message, cwd=self.clone)
        self.dev.git("push", "-q", "origin", "HEAD:main", cwd=self.clone)
        self.dev.git("fetch", "-q", "origin", cwd=self.clone)
        return self.dev.git("rev-parse", "HEAD", cwd=self.clone).strip()

    def green(self, conclusion: str = "success") -> None:
        """End every CI run that is still going."""
        for number, run in list(self.scene.runner.runs.items()):
            if run.status != "completed":
                self.scene.do(self.scene.runner.finish, number, conclusion)

    def environ(self) -> dict[str, str]:
        temporary = self.manager.home / "tmp"  # what a killed process leaves goes with the test
        temporary.mkdir(exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(temporary),
            "HOME": str(self.manager.home),
            "GITHUB_TOKEN": self.manager.token,
            "GITHUB_API_URL": self.scene.url,
            "GITHUB_SERVER_URL": self.scene.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "PYTHONPATH": str(ROOT),
            **self.extra,
        }

    def release(self, *arguments: str) -> Ended:
        """The command in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "release", *arguments],
            cwd=self.clone, env=self.environ(), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    def here(self, *arguments: str) -> Ended:
        """The command in this process: the same, without the start of an interpreter."""
        from release.commands.main import main

        old, folder = dict(os.environ), Path.cwd()
        out, err = io.StringIO(), io.StringIO()
        os.environ.update(self.environ())
        os.chdir(self.clone)
        code = 0
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main(list(arguments))
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(old)
        return Ended(code, out.getvalue(), err.getvalue())

    def releases(self, tag: str = "") -> list[Any]:
        """What GitHub lists, drafts too."""
        return [one for one in self.dev.get(f"{RELEASES}?per_page=100") if tag in ("", one["tag_name"])]

    def published(self, tag: str) -> Any:
        return self.dev.get(f"{RELEASES}/tags/{tag}")

    def locks(self) -> list[Any]:
        found: list[Any] = self.dev.get(f"/repos/{REPOSITORY}/git/matching-refs/shipmate/")
        return found

    def settings(self) -> Any:
        return self.scene.github.instance.repository(REPOSITORY).settings


@contextlib.contextmanager
def platform(folder: Path) -> Iterator[Platform]:
    """A platform whose answers and requests are held against GitHub's own description."""
    opened = OpenScene(folder)
    with opened as scene:
        faults = Faults()
        # The scene serves one app; requests go through a second port that can be made to misbehave.
        seen = Seen(Faulty(opened._server._app, "github", faults))
        server = Server(seen, "github to interfere with")
        scene.run(server.start())
        try:
            manager = scene.person("release-manager", value="ghp_by-release-manager-0000000000000000")
            dev = scene.person("dev-1")
            clone = dev.clone(folder / "clone")
            made = Platform(scene, manager, dev, clone, seen, faults)
            made.extra["GITHUB_API_URL"] = server.url
            # Uploads go to the address in `upload_url`, which is that of the scene: let that be the other port, too.
            scene.github.address = server.url
            overlay = folder / "overlay.json"
            overlay.write_text('{"time_scale": 0.01}')
            made.extra["SHIPMATE_OVERLAY"] = str(overlay)
            made.green()
            yield made
        finally:
            scene.run(server.stop())
        problems: Sequence[str] = [violation.text for violation in scene.violations]
        assert list(problems) == [], "\n".join(problems)
