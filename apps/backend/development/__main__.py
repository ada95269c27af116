"""`python -m development`: the backend with everything it needs, until Ctrl-C; what was stored is then gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from development.migrations import apply_all
from development.services import die_with_parent, running_services

_DEFAULTS = {"PORT": "3000", "WORKERS": "on", "CORS_ORIGINS": "http://localhost:5173", "LOG_LEVEL": "debug"}


def main() -> int:
    """Start the services, fill the database, run the backend; returns its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what has started by then is taken down
    with running_services() as urls:
        apply_all(urls.database)
        print(f"psql '{urls.database}'", f"redis-cli -s {urls.redis.removeprefix('unix://')}", sep="\n", flush=True)
        addresses = {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis}
        backend = subprocess.Popen(
            [sys.executable, "-m", "backend"],
            cwd=Path(__file__).parents[1],
            env={**_DEFAULTS, **os.environ, **addresses},
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, before there are threads
        )
        # Ctrl-C reaches the backend as well, being in the same foreground group: wait for it to drain.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: backend.terminate())
        return backend.wait()


if __name__ == "__main__":
    sys.exit(main())
