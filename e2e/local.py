"""`python -m e2e.local`: the tests against what is in this checkout, built and running on this machine.

Builds apps/web (unless `--built` says that dist/ is there), starts PostgreSQL, Redis and the backend, serves dist/
with a configuration as a deployment would, and runs the suite with whatever further arguments pytest is to get.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from e2e.browser import fetched

ROOT = Path(__file__).parents[1]
BACKEND, DIST = ROOT / "apps/backend", ROOT / "apps/web/dist"
_RELEASE = {"release": "v0.0.0-local", "environment": "development"}


_PACKED = (".js", ".css")


@functools.cache
def _packed(file: Path, _written: int) -> bytes:
    return gzip.compress(file.read_bytes(), mtime=0)


class Pages(SimpleHTTPRequestHandler):
    """dist/ with /config.json beside it, packed, and 404.html for what is not there: as the host of a deployment does it."""

    config: dict[str, str]

    def do_GET(self) -> None:
        """Answer one request."""
        if self.path == "/config.json":
            self._answer(200, json.dumps(self.config).encode(), "application/json")
        elif (file := Path(self.translate_path(self.path))).suffix in _PACKED and file.is_file():
            self._answer(200, _packed(file, file.stat().st_mtime_ns), self.guess_type(file), "gzip")
        elif file.exists():
            super().do_GET()
        else:
            self._answer(404, (Path(self.directory) / "404.html").read_bytes(), "text/html")

    def _answer(self, status: int, body: bytes, kind: str, encoding: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if encoding:  # its name has a hash, so it never changes
            self.send_header("Content-Encoding", encoding)
            self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class PageServer(ThreadingHTTPServer):
    """Says nothing of browsers that hang up early."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Let everything else be seen."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def web_server(folder: Path = DIST) -> Iterator[tuple[PageServer, dict[str, str]]]:
    """Serves dist/, or a copy of it; the configuration may be filled in later."""
    config: dict[str, str] = dict(_RELEASE)
    handler = functools.partial(type("Configured", (Pages,), {"config": config}), directory=str(folder))
    with PageServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server, config
        finally:
            server.shutdown()


@contextmanager
def backend(origin: str, folder: Path = BACKEND) -> Iterator[str]:
    """The backend that is in `folder`, with services of its own, called from `origin`; its address."""
    variables = {"PORT": "0", "CORS_ORIGINS": origin, "LOG_LEVEL": "info"}
    named = {name.upper(): value for name, value in _RELEASE.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "development"],
        cwd=folder,
        env={**os.environ, **variables, **named},
        stdout=subprocess.PIPE,
        text=True,
    )
    # It logs every request: unread, it would stand still as soon as the pipe is full.
    reading = threading.Thread(target=deque, args=(process.stdout or (), 0), daemon=True)
    try:
        address = _address(process)
        reading.start()
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)
        if process.stdout is not None:
            if reading.is_alive():
                reading.join(5)
            process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    for line in process.stdout or ():
        if line.startswith("{"):
            document = json.loads(line)
            if document["message"] != "listening":
                raise RuntimeError(f"the backend did not start: {line}")
            return f"http://127.0.0.1:{document['context']['port']}"
    raise RuntimeError(f"the backend did not start: exit code {process.wait()}")


@contextmanager
def running(*, build: bool, folder: Path = DIST) -> Iterator[dict[str, str]]:
    """Everything, with the page that is in `folder`, until the block ends; the variables that the tests read."""
    if build:
        subprocess.run(["npm", "--prefix", str(ROOT / "apps/web"), "run", "build"], check=True)
    with web_server(folder) as (server, config):
        web_url = f"http://127.0.0.1:{server.server_port}"
        with backend(web_url) as api_url:
            config["apiUrl"] = api_url
            yield {"E2E_WEB_URL": web_url, "E2E_API_URL": api_url, "E2E_EXPECT_RELEASE": _RELEASE["release"]}


def main(arguments: list[str]) -> int:
    """Build, start, test; returns pytest's exit code."""
    build = "--built" not in arguments
    arguments = [argument for argument in arguments if argument != "--built"]
    with running(build=build) as environ:
        argv = [sys.executable, "-m", "pytest", "e2e", *arguments]
        return subprocess.run(argv, cwd=ROOT, env={**os.environ, **fetched(), **environ}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
