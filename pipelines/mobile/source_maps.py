"""The source maps of what was published over the air, for readable traces: Sentry's own uploader, which the app's packages carry.

It goes by debug ids, so what is published again later finds them as well, whatever its release is called.
Source: docs.sentry.io/platforms/react-native/sourcemaps/uploading/expo
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.providers.sentry_api import Source

PROGRAM = "node_modules/.bin/sentry-expo-upload-sourcemaps"
EXPORTED = "dist"
"""Where `eas update` leaves what it bundled."""
SECONDS = 600.0
KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
)
"""Of our environment: the uploader is a package of the app, and sees no secret but its own."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def upload(folder: Path, source: Source, token: str, environ: Mapping[str, str], *, run: Run = subprocess.run) -> str:
    """What came of it, in words. Without them traces are hard to read; no update is rolled back for that, so nothing is raised."""
    program, exported = folder / PROGRAM, folder / EXPORTED
    if not token:
        return "source maps are not uploaded: SENTRY_AUTH_TOKEN is not set (a token of the organization, scope org:ci)"
    if not program.exists():
        return f"source maps are not uploaded: {PROGRAM} is missing, `npm ci` in {folder} brings it"
    if not exported.is_dir():
        return f"source maps are not uploaded from here: there is no {folder / EXPORTED}, where what was published is"
    given = {
        **{name: environ[name] for name in KEPT if environ.get(name)},
        "SENTRY_URL": source.url,
        "SENTRY_ORG": source.organization,
        "SENTRY_PROJECT": source.project,
        "SENTRY_AUTH_TOKEN": token,
    }
    try:
        ended = run(
            [str(program.absolute()), EXPORTED], cwd=folder, env=given, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"source maps are not uploaded: {type(error).__name__}"
    if ended.returncode != 0:
        message = (ended.stderr.strip() or ended.stdout.strip()).replace(token, "***")[-300:]
        return f"source maps are not uploaded (exit code {ended.returncode}): {message}"
    return "its source maps are at Sentry"
