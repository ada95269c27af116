"""The server of known latencies as a process of its own, for who measures against it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]


@contextmanager
def latency_server(seed: int = 1) -> Iterator[str]:
    """Its address, until the end of the block."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks._latency_server", "--seed", str(seed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert server.stdout is not None
    assert server.stdin is not None
    try:
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.stdin.close()
        server.wait(10)
        server.stdout.close()


def seen(url: str) -> dict[str, Any]:
    """What the server was asked so far."""
    with urlopen(f"{url}/seen") as answer:
        document: dict[str, Any] = json.load(answer)
    return document
