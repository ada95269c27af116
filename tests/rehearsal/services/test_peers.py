from __future__ import annotations

import os
from pathlib import Path

import pytest

from rehearsal.services import __main__ as command
from rehearsal.services import peers
from rehearsal.services.availability import ServiceUnavailable


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, with `gh` in it and a package manager that writes down what it is asked, and installs it."""
    for name in ("gh", "apt-get"):
        (tmp_path / name).write_text(f"#!/bin/sh\n{APT if name == 'apt-get' else ''}")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


APT = """\
here=$(/usr/bin/dirname "$0")
echo "$@" >> "$here/asked"
case "$*" in *install*) for name in skopeo docker-registry; do /bin/cp "$here/gh" "$here/$name"; done;; esac
"""


def test_what_is_missing_is_installed_at_once(machine: Path) -> None:
    assert peers.get() == [machine / "gh", machine / "skopeo", machine / "docker-registry"]
    update, install = (machine / "asked").read_text().splitlines()
    assert update.endswith(" update")
    assert install.endswith(" install -y --no-install-recommends skopeo docker-registry")
    assert peers.get()
    assert len((machine / "asked").read_text().splitlines()) == 2


def test_without_root_the_command_is_reported_and_nothing_fails(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    message = command.SERVICES["peers"]()
    assert message.startswith("without skopeo, docker-registry, which only tests use. Not root")
    assert "`apt-get install --no-install-recommends skopeo docker-registry`" in message
    assert not (machine / "asked").exists()
    with pytest.raises(ServiceUnavailable, match=r"skopeo is not installed\. As root: apt-get install .* skopeo$"):
        peers.find("skopeo")


def test_the_package_managers_own_words_are_passed_on(machine: Path) -> None:
    (machine / "apt-get").write_text("#!/bin/sh\necho 'E: Could not resolve the mirror' >&2\nexit 100\n")
    with pytest.raises(ServiceUnavailable, match=r"update` failed: E: Could not resolve the mirror"):
        peers.get()
