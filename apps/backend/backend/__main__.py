"""`python -m backend`: the server. Exit codes: 0 stopped as asked, 1 cannot listen, 2 unusable environment."""

from __future__ import annotations

import os
import sys

from backend.logs import Log, configure_logging
from backend.settings import Settings, SettingsError

_log = Log("backend")


def main() -> int:
    """Read the environment, wire, serve."""
    configure_logging("info")
    try:
        settings = Settings.from_environ(os.environ)
    except SettingsError as error:
        _log.error(str(error))
        return 2
    configure_logging(settings.log_level)
    try:
        _serve(settings)
    except OSError as error:
        _log.error("server did not start", error=error)
        return 1
    return 0


def _serve(settings: Settings) -> None:
    # Imported after the settings are known to be good: a wrong environment is reported at once.
    from backend.app import create_app
    from backend.server import serve
    from backend.services import Services
    from backend.telemetry import start_reporting

    report = start_reporting(settings)
    serve(create_app(Services.build(settings), report=report), settings)


if __name__ == "__main__":
    sys.exit(main())
