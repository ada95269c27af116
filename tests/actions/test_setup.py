from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from actions.setup import ROOT, main
from pipelines.toolchain import python

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


def test_a_project_that_locks_no_modules_gets_none_and_is_told(step: Any, venv: Path) -> None:
    Path("app").mkdir()
    Path("app/package.json").write_text('{"dependencies": {"react-native": "*"}}')
    step.environ["SHIPMATE_VENV"] = str(venv)
    assert step.run(main, node="app", python_version=THIS) == 0
    assert not Path("app/node_modules").exists()
    assert "app locks no modules" in step.log


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
