"""Which browser is started, and how."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from e2e.overlay import Overlay

# Nothing but the page under test is to talk to anybody.
_QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-domain-reliability", "--no-pings")
PATIENCE_MS = int(os.environ.get("E2E_PATIENCE_MS", "15000"))
"""What a test waits for at the most. A click on a machine with much other work took 5 s; a page that is healthy is not waited for."""
_BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")


def launch_arguments(hosts: Iterable[str]) -> dict[str, Any]:
    """For `BrowserType.launch`: `hosts` are those that the browser will connect to. Raises OverlayError."""
    arguments = list(_QUIET)
    if os.geteuid() == 0:
        # Chromium's sandbox refuses to be set up by root.
        arguments.append("--no-sandbox")
    if overlay := os.environ.get("SHIPMATE_OVERLAY"):
        arguments += Overlay.read(Path(overlay)).browser_arguments(hosts)
    found = os.environ.get("SHIPMATE_BROWSER") or next(filter(None, map(shutil.which, _BROWSERS)), None)
    # Without any of these Playwright looks for its own download, and says how to get it.
    return {"args": arguments, **({"executable_path": found} if found else {})}


def fetched() -> dict[str, str]:
    """SHIPMATE_BROWSER for a process of this checkout, where the set-up fetched the browser; empty where one is found anyway."""
    from rehearsal.services import browser
    from rehearsal.services.availability import ServiceUnavailable

    try:
        return {"SHIPMATE_BROWSER": str(browser.find().path)}
    except ServiceUnavailable:
        return {}
