"""A port in use: named with who to ask, exit code 11, and nothing left of the world that wanted it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.small_platform import write

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[2]


def up(folder: Path, port: int) -> subprocess.Popen[str]:
    argv = [sys.executable, "-P", "-m", "pipelines.cli", "up", "--port", str(port)]
    argv += ["--repository", str(write(folder / "repository"))]
    temporary = folder / "tmp"
    temporary.mkdir()
    temporary.chmod(0o755)
    env = {**os.environ, "TMPDIR": str(temporary), "XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def test_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(tmp_path, port) as process:
            output, _ = process.communicate(timeout=120)
    assert process.returncode == 11, output
    assert f"github: 127.0.0.1:{port} cannot be used (Address already in use)" in output
    assert f"`ss -ltnp 'sport = :{port}'`" in output
    assert "Traceback" not in output
    assert not list((tmp_path / "tmp").glob("shipmate-world-*"))


def test_a_wanted_port_is_the_one(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with up(tmp_path, port) as process:
        assert process.stdout is not None
        deadline = time.monotonic() + 120
        message = ""
        while not re.search(rf"GitHub +http://github\.localhost:{port}/techmate/platform", message):
            line = process.stdout.readline()
            assert line, message
            assert time.monotonic() < deadline, message
            message += line
        assert httpx.get(f"http://127.0.0.1:{port}/techmate/platform", trust_env=False).status_code == 200
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 0
