"""Source maps of an update: brought to Sentry by the app's own uploader, which gets its token and no other secret."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from pipelines.manifest.mobile import AppReports
from pipelines.mobile import source_maps

REPORTS = AppReports(url="https://de.sentry.io", organization="acme", project="phone")
TOKEN = "sentry-token-of-a-test"
UPLOADER = """#!/bin/sh
[ "$FAILS" ] && exit 9
env | sort > seen.txt
echo "$@" > words.txt
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    program = tmp_path / source_maps.PROGRAM
    program.parent.mkdir(parents=True)
    program.write_text(UPLOADER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / source_maps.EXPORTED).mkdir()
    return tmp_path


def test_they_are_uploaded_with_the_token_of_sentry_alone(app: Path) -> None:
    environ = {**os.environ, "EXPO_TOKEN": "planted", "APP_STORE_KEY": "planted"}
    assert source_maps.upload(app, REPORTS, TOKEN, environ) == "its source maps are at Sentry"
    seen = (app / "seen.txt").read_text()
    assert (app / "words.txt").read_text() == "dist\n"
    for line in (
        "SENTRY_URL=https://de.sentry.io",
        "SENTRY_ORG=acme",
        "SENTRY_PROJECT=phone",
        f"SENTRY_AUTH_TOKEN={TOKEN}",
    ):
        assert line in seen.splitlines()
    assert "planted" not in seen, json.dumps(seen)


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (lambda app: None, "SENTRY_AUTH_TOKEN is not set"),
        (lambda app: (app / source_maps.PROGRAM).unlink(), "`npm ci` in"),
        (lambda app: (app / source_maps.EXPORTED).rmdir(), "there is no"),
        (lambda app: (app / source_maps.PROGRAM).write_text("#!/no/such/interpreter\n"), "FileNotFoundError"),
        (
            lambda app: (app / source_maps.PROGRAM).write_text(
                '#!/bin/sh\necho "bad $SENTRY_AUTH_TOKEN" >&2; exit 3\n'
            ),
            "(exit code 3): bad ***",
        ),
    ],
)
def test_what_kept_them_back_is_reported_and_raises_nothing(app: Path, breaks: object, says: str) -> None:
    assert callable(breaks)
    breaks(app)
    token = "" if "not set" in says else TOKEN
    message = source_maps.upload(app, REPORTS, token, os.environ)
    assert message.startswith("source maps are not uploaded")
    assert says in message
