"""How a process begins and ends: what Cloud Run sees of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

BACKEND = Path(__file__).parents[2]


def run_backend(**variables: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], **variables}
    argv = [sys.executable, "-m", "backend"]
    return subprocess.run(argv, cwd=BACKEND, env=environ, capture_output=True, text=True, timeout=10, check=False)


def test_sigterm_answers_what_is_in_flight_then_exits_0(start_backend: Callable[..., Any]) -> None:
    with start_backend(WORKERS="on") as running:
        body = json.dumps({"text": "written while stopping"}).encode()
        head = f"POST /notes HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", running.port), timeout=5) as connection:
            connection.sendall(head.encode() + body[:5])
            # The server has the head of our request when it has answered one sent after it.
            httpx.get(f"{running.url}/health/ready")
            running.process.terminate()
            wait_until_refused(running.port)
            connection.sendall(body[5:])
            answer = connection.recv(4096).decode()
        assert answer.startswith("HTTP/1.1 201 ")
        assert running.process.wait(5) == 0


def wait_until_refused(port: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError("the port stayed open after SIGTERM")


def test_a_wrong_environment_is_reported_on_one_json_line() -> None:
    ended = run_backend(PORT="none")
    assert ended.returncode == 2
    (line,) = [json.loads(line) for line in ended.stdout.splitlines()]
    assert line["level"] == "error"
    assert all(name in line["message"] for name in ("DATABASE_URL", "REDIS_URL", "PORT"))


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_backend(PORT=str(port), DATABASE_URL="postgresql:///x", REDIS_URL="unix:///none")
    assert ended.returncode == 1
    line = json.loads(ended.stdout)
    assert f"127.0.0.1:{port}" in line["context"]["error"]["message"]


def test_ready_only_once_the_schema_is_there(
    start_backend: Callable[..., Any], empty_database: Callable[[], Any]
) -> None:
    from development.migrations import apply_all

    with empty_database() as url, start_backend(DATABASE_URL=url) as running:
        assert httpx.get(f"{running.url}/health/live").status_code == 200
        before = httpx.get(f"{running.url}/health/ready")
        assert before.status_code == 503
        assert before.json()["checks"]["database"]["error"] == "SchemaTooOldError"
        apply_all(url)
        assert httpx.get(f"{running.url}/health/ready").status_code == 200
        assert running.stop() == 0


def test_the_throw_away_postgres_keeps_its_shared_memory_in_its_own_folder(database_url: str) -> None:
    """A server that is killed leaves in /dev/shm what it had there; its folder is removed with everything in it."""
    if os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("the server of TEST_DATABASE_URL is its owner's")
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SHOW dynamic_shared_memory_type").fetchone() == ("mmap",)
