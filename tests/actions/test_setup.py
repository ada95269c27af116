from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from actions.setup import ROOT, main
from pipelines.toolchain import eas, python

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment that says it holds everything the suite locks."""
    made = tmp_path / "venv"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").symlink_to(sys.executable)
    lines = {*python.wanted(ROOT, [python.DEV]), f"home {tmp_path / 'home'}"}
    (made / python.STAMP).write_text("\n".join(sorted(lines)))
    return made


@pytest.mark.parametrize("requirements", ["runtime", "dev"])
def test_an_environment_that_fits_is_used_at_once(step: Any, venv: Path, requirements: str) -> None:
    step.environ["SHIPMATE_VENV"] = str(venv)
    assert step.run(main, requirements=requirements, **{"python_version": THIS}) == 0
    assert step.outputs() == {"venv": str(venv)}
    assert step.added_path() == [str(venv / "bin")]
    assert not (step.root / "home").exists()


def test_the_python_at_hand_serves_where_the_asked_one_is_not_to_be_had(step: Any, venv: Path) -> None:
    step.environ["SHIPMATE_VENV"] = str(venv)
    assert step.run(main, requirements="dev", python_version="3.0") == 0
    assert step.outputs() == {"venv": str(venv)}


def test_an_environment_of_another_python_is_not_used(step: Any, venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []
    monkeypatch.setattr(python, "build", lambda where, *_, **__: built.append(where))
    monkeypatch.setattr("pipelines.toolchain.uv.ensure", lambda *_: Path("uv"))
    kept = [one for one in (venv / python.STAMP).read_text().splitlines() if not one.startswith("python ")]
    (venv / python.STAMP).write_text("\n".join([*kept, "python 3.0.1 x86_64"]))
    step.environ |= {"SHIPMATE_VENV": str(venv), "SHIPMATE_HOME": str(step.root / "home")}
    step.environ |= {"RUNNER_TEMP": str(step.root / "temp")}
    assert step.run(main, requirements="dev", python_version=THIS) == 0
    assert built == [step.root / "temp" / "shipmate-venv"]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"requirements": "everything"}, "requirements is 'everything'"),
        ({"browser": "yes"}, "browser is 'yes'"),
        ({"eas": "yes"}, "eas is 'yes'"),
        ({"app": "../outside.txt"}, "'../outside.txt' is not in the workspace"),
        ({"app": "source/apps/mobile"}, "'source/apps/mobile' is not in the workspace"),
        ({"extra": "../outside.txt"}, "'../outside.txt' is not in the workspace"),
        ({"extra": "missing.txt"}, "'missing.txt' is not in the workspace"),
        ({"node": "../outside.txt"}, "'../outside.txt' is not in the workspace"),
    ],
)
def test_wrong_inputs_are_refused(step: Any, venv: Path, inputs: dict[str, str], says: str) -> None:
    (step.root / "outside.txt").write_text("x")
    step.environ["SHIPMATE_VENV"] = str(venv)
    assert step.run(main, **{"python_version": THIS, **inputs}) == 4
    assert says in step.log


def test_a_project_that_locks_no_modules_gets_none_and_is_reported(step: Any, venv: Path) -> None:
    Path("app").mkdir()
    Path("app/package.json").write_text('{"dependencies": {"react-native": "*"}}')
    step.environ["SHIPMATE_VENV"] = str(venv)
    assert step.run(main, node="app", python_version=THIS) == 0
    assert not Path("app/node_modules").exists()
    assert "app locks no modules" in step.log


# eas, and the app that it works on --------------------------------------------------------------------------------------


@pytest.fixture
def installed(step: Any, venv: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders whose modules were asked for; nothing is fetched, and there is no eas on PATH."""
    found: list[Path] = []
    monkeypatch.setattr("pipelines.toolchain.node.ensure", lambda folder, *_: found.append(folder))
    monkeypatch.setenv("PATH", str(step.root / "programs"))
    step.environ["SHIPMATE_VENV"] = str(venv)
    return found


def offer(step: Any, does: str) -> None:
    """A program eas on PATH."""
    (step.root / "programs").mkdir()
    program = step.root / "programs" / "eas"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)


def test_an_eas_of_the_version_that_was_tried_is_used(step: Any, venv: Path, installed: list[Path]) -> None:
    offer(step, f'[ "$1" = --version ] && echo "eas-cli/{eas.version(ROOT)} linux-x64 node-v24.1.0"')
    assert step.run(main, eas="true", python_version=THIS) == 0
    assert step.added_path() == [str(venv / "bin")]
    assert installed == []


@pytest.mark.parametrize(
    "does", [None, "echo eas-cli/20.0.0 linux-x64 node-v24.1.0", "echo 'eas-cli/24.8.0'; exit 1", "true", "echo"]
)
def test_without_one_the_locked_one_is_installed(
    step: Any, venv: Path, installed: list[Path], does: str | None
) -> None:
    if does is not None:
        offer(step, does)
    assert step.run(main, eas="true", python_version=THIS) == 0
    assert installed == [ROOT / "requirements/eas"]
    assert step.added_path() == [str(venv / "bin"), str(ROOT / "requirements/eas/node_modules/.bin")]


def test_no_eas_is_had_where_none_is_asked_for(step: Any, venv: Path, installed: list[Path]) -> None:
    assert step.run(main, python_version=THIS) == 0
    assert installed == [] and step.added_path() == [str(venv / "bin")]


@pytest.mark.parametrize(("server", "fetched"), [("https://github.com", True), ("http://127.0.0.1:8080", False)])
def test_an_apps_packages_are_installed_but_in_a_rehearsal(
    step: Any, installed: list[Path], server: str, fetched: bool
) -> None:
    """The rehearsal's eas evaluates nothing of an app; the real one needs its packages."""
    app = Path("source/apps/mobile").absolute()
    app.mkdir(parents=True)
    (app / "package.json").write_text("{}")
    (app / "package-lock.json").write_text("{}")
    step.environ["GITHUB_SERVER_URL"] = server
    assert step.run(main, app="source/apps/mobile", python_version=THIS) == 0
    assert installed == ([app] if fetched else [])
    assert ("are not fetched in a rehearsal" in step.log) is not fetched


@pytest.mark.parametrize("line", ["python ", "requirements/dev.txt "])
def test_one_that_does_not_fit_is_not_used(step: Any, venv: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []
    monkeypatch.setattr(python, "build", lambda where, *_, **__: built.append(where))
    monkeypatch.setattr("pipelines.toolchain.uv.ensure", lambda *_: Path("uv"))
    kept = [one for one in (venv / python.STAMP).read_text().splitlines() if not one.startswith(line)]
    (venv / python.STAMP).write_text("\n".join(kept))
    step.environ |= {
        "SHIPMATE_VENV": str(venv),
        "SHIPMATE_HOME": str(step.root / "home"),
        "RUNNER_TEMP": str(step.root / "temp"),
    }
    assert step.run(main, requirements="dev", python_version=THIS) == 0
    assert built == [step.root / "temp" / "shipmate-venv"]
    assert step.outputs() == {"venv": str(built[0])}


def test_a_browser_that_is_named_is_used(step: Any, venv: Path) -> None:
    step.environ |= {"SHIPMATE_VENV": str(venv), "SHIPMATE_BROWSER": "/opt/browser"}
    assert step.run(main, browser="true", python_version=THIS) == 0
    assert "browser   /opt/browser" in step.log


def test_a_browser_that_is_fetched_is_named_for_the_later_steps(
    step: Any, venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").write_text("#!/bin/sh\necho /fetched/browser\n")
    (venv / "bin" / "python").chmod(0o755)
    monkeypatch.setattr("actions.setup.BROWSERS", ("no-such-browser",))
    step.environ["SHIPMATE_VENV"] = str(venv)
    assert step.run(main, browser="true", python_version=THIS) == 0
    assert "/fetched/browser" in Path(step.environ["GITHUB_ENV"]).read_text()


def test_no_browser_says_why(step: Any, venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").write_text(
        "#!/bin/sh\necho 'Trace: x' >&2; echo 'no browser: apt-get install chromium' >&2; exit 1\n"
    )
    (venv / "bin" / "python").chmod(0o755)
    monkeypatch.setattr("actions.setup.BROWSERS", ("no-such-browser",))
    step.environ["SHIPMATE_VENV"] = str(venv)
    assert step.run(main, browser="true", python_version=THIS) == 11
    assert "apt-get install chromium" in step.log
