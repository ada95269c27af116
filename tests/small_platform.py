"""A platform as small as it can be that a whole world delivers in seconds: one file of Python, one page, no workflows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.scenario.world_client import WorldClient
from rehearsal.world.handle import World
from tests.shop_files import MANIFEST

_POOL = "//iam.googleapis.com/projects/100000000001/locations/global/workloadIdentityPools/github/providers/techmate"
_BACKEND = """
import http.server, json, os, signal, threading

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    def do_GET(self):
        body = json.dumps({"release": os.environ.get("RELEASE", ""), "commit": os.environ.get("COMMIT", "")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
"""


def write(folder: Path) -> Path:
    """The repository's files in a folder; the folder."""
    files = {
        "shipmate.yml": _manifest(),
        "apps/backend/requirements.txt": "",
        "apps/backend/backend/__init__.py": "",
        "apps/backend/backend/__main__.py": _BACKEND,
        "apps/web/dist/index.html": "<title>small</title>",
        ".gitignore": "reports/\n",
    }
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def clone(place: WorldClient, login: str, to: Path) -> Path:
    """A clone of it in a world."""
    url = place.server.replace("//", f"//{login}:{place.tokens[login]}@")
    subprocess.run(
        ["git", "clone", "-q", f"{url}/{place.repository}.git", str(to)], check=True, env=place.terminal(login)
    )
    return to


def _manifest() -> str:
    text = MANIFEST.replace("sources: [apps/backend]", "sources: [apps/backend/backend -> backend]")
    text = text.replace("command: [python]", "command: [python, -m, backend]")
    text = text.replace("component: web, path: /version,", "component: web, path: /config.json,")
    text = text.replace("service: api\n", "service: api\n      scaling: {min: 1, max: 2}\n      workers: false\n")
    for environment in ("staging", "production"):
        deployer = (
            f"    deployer:\n      workload_identity: {_POOL}\n"
            f"      service_account: deploy@techmate-{environment}.iam.gserviceaccount.com\n"
        )
        text = text.replace(f"      project: techmate-{environment}\n", f"      project: techmate-{environment}\n", 1)
        text = text.replace(f"\n  {environment}:\n", f"\n  {environment}:\n{deployer}", 1)
    # Each environment has a site of its own.
    return text.replace("project: techmate-web\n", "project: techmate-web-staging\n", 1)


@dataclass
class Terminal:
    """Someone's terminal in a world with the small platform."""

    place: WorldClient
    checkout: Path
    login: str = "release-manager"

    def argv(self, *argv: str) -> list[str]:
        return [sys.executable, "-P", "-m", "pipelines.cli", *argv]

    def environ(self, **more: str) -> dict[str, str]:
        return self.place.terminal(self.login, **more)

    def run(
        self, *argv: str, code: int = 0, limit: Callable[[], None] | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """`shipmate …`; it must end with this code. `limit` is called in the new process."""
        ended = subprocess.run(
            self.argv(*argv),
            cwd=self.checkout,
            # A file that may not grow would be a broken cache of bytecode, for every process after this one.
            env=self.environ(**environ, **({"PYTHONDONTWRITEBYTECODE": "1"} if limit else {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            preexec_fn=limit,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended

    def json(self, *argv: str) -> Any:
        return json.loads(self.run(*argv, "--json").stdout)

    def push(self, component: str, page: str = "") -> str:
        """Build and push a component; its reference. `page` makes another site of it."""
        if page:
            (self.checkout / "apps/web/dist/index.html").write_text(page)
        return self.run("image", "push", component, "-e", "staging").stdout.strip()

    def deploying(self, release: str, page: str = "") -> list[str]:
        """The arguments of `shipmate deploy` to staging."""
        artifacts = [f"--artifact={name}={self.push(name, page)}" for name in ("backend", "web")]
        return ["deploy", "-e", "staging", "--release", release, *artifacts]

    def live(self) -> dict[str, str]:
        """Component -> release, as the public addresses of staging say."""
        hosts = self.place.hosts["staging"]
        with self.place.https_client() as client:
            return {
                name: self.place.request(client, hosts[name], path).json()["release"]
                for name, path in (("backend", "/version"), ("web", "/config.json"))
            }


@contextmanager
def terminal_of_a_world(folder: Path) -> Iterator[Terminal]:
    """A world with the small platform, and a terminal in it."""
    with World(write(folder / "repository")) as place:
        yield Terminal(place, clone(place, "release-manager", folder / "clone"))
        assert place.inspect("violations") == []
