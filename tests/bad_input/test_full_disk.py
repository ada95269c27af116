"""A full disk, here and at the providers, while things are uploaded: reported with its folder, and finished by the next run."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bad_input.conftest import Desk
from tests.small_platform import Terminal

pytestmark = pytest.mark.world

ROOT = Path(__file__).parents[2]
PAGE = "x" * 200_000


def small_files() -> None:
    """No file of this process grows beyond 100 kB: the kernel's word for a disk that gives no more, without a disk to fill."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@pytest.mark.parametrize("file", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_the_runners_own_disk(desk: Desk, file: str) -> None:
    """An output that cannot be written is a failure, and the annotation still comes."""
    desk.shop.proved("v1.0.0")
    desk.environ = {file: "/dev/full"}
    ended = desk.plan("v1.0.0")
    (error,) = ended.commands("error")
    assert ended.code == 11
    assert "title=Local error" in error
    assert "the disk is full" in error
    assert "make room (`df -h`), then run this again" in error


def test_standard_output() -> None:
    with Path("/dev/full").open("w") as full:
        argv = [sys.executable, "-P", "-m", "pipelines.cli", "manifest", "schema"]
        ended = subprocess.run(argv, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 11, ended.stderr
    assert ended.stderr.startswith("Local error: the disk is full")
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


def test_while_an_image_is_written(terminal: Terminal) -> None:
    """A push keeps our own layer in memory; a layout is written."""
    (terminal.checkout / "apps/backend/backend/big.bin").write_bytes(os.urandom(300_000))
    for argv in (["git", "add", "-A"], ["git", "commit", "-q", "-m", "feat: big"]):
        subprocess.run(argv, cwd=terminal.checkout, env=terminal.environ(), check=True)
    argv = ["image", "build", "backend", "--output", "layout"]
    ended = terminal.run(*argv, code=11, limit=small_files)
    assert "the image layout cannot be written: File too large" in ended.stderr
    assert "next: make room" in ended.stderr
    assert not list((terminal.checkout / "layout").rglob("part-*"))
    assert "in layout" in terminal.run(*argv).stdout


def test_while_a_site_is_deployed(terminal: Terminal) -> None:
    """The build comes from the registry to this machine, and goes from here to Vercel."""
    argv = terminal.deploying("sha-1", PAGE)
    ended = terminal.run(*argv, code=11, limit=small_files)
    assert "the build cannot be written" in ended.stderr
    assert "next: make room" in ended.stderr
    assert terminal.place.deployments_of("sha-1")["vercel"] == 0
    assert "sha-1 is live in staging" in terminal.run(*argv).stdout
    assert terminal.live() == {"backend": "sha-1", "web": "sha-1"}
    assert terminal.place.deployments_of("sha-1")["vercel"] == 1


@pytest.mark.parametrize(
    ("emulator", "path", "where"),
    [("vercel", "/v2/files", "Vercel"), ("registry", "/blobs/uploads", "europe-west1")],
)
def test_the_providers_disk(terminal: Terminal, emulator: str, path: str, where: str) -> None:
    """HTTP 507, Insufficient Storage (RFC 4918 §11.5): refused, and in the provider's own words."""
    fault = {
        "emulator": emulator,
        "path": path,
        "kind": "status",
        "status": 507,
        "times": None,
        "method": "POST|PUT|PATCH",
    }
    argv = terminal.deploying("sha-1", PAGE) if emulator == "vercel" else ["image", "push", "web", "-e", "staging"]
    terminal.place.set_faults([fault])
    ended = terminal.run(*argv, code=8)
    assert "507" in ended.stderr
    assert where in ended.stderr
    assert "next: " in ended.stderr
    terminal.place.clear_faults()
    terminal.run(*argv)
