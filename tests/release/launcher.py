"""Runs release commands as processes of their own without paying for an interpreter each time.

Reads JSON lines {"argv", "env", "cwd", "out"}; for each it forks a child that runs the command, and prints {"pid"}, later
{"pid", "code"} (negative: killed by that signal). Single-threaded, so that forking is safe.
"""

from __future__ import annotations

import json
import os
import selectors
import sys
from typing import Any


def child(order: dict[str, Any]) -> None:
    from release.commands.main import main

    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    try:
        main(order["argv"])
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(ended.code or 0))
    os._exit(99)


def emit(**what: int) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def serve() -> None:
    import github  # noqa: F401 - what every child would spend half a second on

    import release.commands.publish
    import release.publishing.publish  # noqa: F401

    waiting: set[int] = set()
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    while True:
        if selector.select(0.005):
            row = sys.stdin.readline()
            if not row:
                return
            pid = os.fork()
            if pid == 0:
                child(json.loads(row))
            waiting.add(pid)
            emit(pid=pid)
        for pid in list(waiting):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                waiting.discard(pid)
                emit(pid=pid, code=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    serve()
