from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from pipelines.errors import InputError
from pipelines.lint.suite import Outcome, run_all, run_one
from pipelines.lint.tools import SUITE, Tool, checkout, tools
from pipelines.manifest import load


def tool(name: str, script: str, **more: object) -> Tool:
    return Tool(name=name, what=name, argv=(sys.executable, "-c", script), **more)  # type: ignore[arg-type]


def test_all_run_and_each_is_reported_as_it_ends(tmp_path: Path) -> None:
    values: list[Outcome] = []
    given = [tool("good", "print('fine')"), tool("bad", "import sys; print('line 3: wrong'); sys.exit(2)")]
    outcomes = run_all(given, tmp_path, report=values.append)
    assert outcomes == values
    assert {(one.tool.name, one.passed, one.text) for one in outcomes} == {
        ("good", True, "fine"),
        ("bad", False, "line 3: wrong"),
    }


def test_they_run_beside_each_other(tmp_path: Path) -> None:
    """Each waits for the other's file: one after the other would not end."""
    meet = (
        "import pathlib, time\n"
        "pathlib.Path('{0}').touch()\n"
        "end = time.time() + 20\n"
        "while not pathlib.Path('{1}').exists() and time.time() < end: time.sleep(0.01)\n"
        "assert pathlib.Path('{1}').exists()"
    )
    given = [tool("a", meet.format("a", "b")), tool("b", meet.format("b", "a"))]
    assert all(one.passed for one in run_all(given, tmp_path, report=lambda _: None, workers=2))


def test_the_long_ones_start_first(tmp_path: Path) -> None:
    order: list[str] = []
    lock = threading.Lock()

    def report(outcome: Outcome) -> None:
        with lock:
            order.append(outcome.tool.name)

    run_all([tool("short", "1"), tool("long", "1", weight=40)], tmp_path, report=report, workers=1)
    assert order == ["long", "short"]


def test_a_tool_that_cannot_run_has_failed(tmp_path: Path) -> None:
    lacking = run_one(tool("x", "1", needs=("web/node_modules",)), tmp_path)
    assert not lacking.passed
    assert "web/node_modules is not there\n  next: make setup" in lacking.text
    gone = run_one(Tool(name="y", what="y", argv=("no-such-linter",)), tmp_path)
    assert not gone.passed
    assert "no-such-linter is not there" in gone.text


def test_what_fixes_runs_alone_and_before_the_others(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("bad")
    look = "import sys; sys.exit(open('file').read() != 'good')"
    fix = (sys.executable, "-c", "open('file', 'w').write('good')")
    given = [tool("reads", look, weight=50), tool("fixes", look, fix=fix)]
    assert not all(one.passed for one in run_all(given, tmp_path, report=lambda _: None))
    assert all(one.passed for one in run_all(given, tmp_path, report=lambda _: None, fix=True))


def test_every_tool_named_is_installed_and_has_its_files() -> None:
    known = tools(SUITE)
    assert len({one.name for one in known}) == len(known) >= 12
    for one in known:
        program = Path(one.argv[0])
        assert not program.is_absolute() or program.is_file(), one.name
        assert (SUITE / one.cwd).is_dir(), one.name
    listed = [argument for one in known for argument in one.argv]
    assert ".github/workflows/ci.yml" in listed
    assert "actions/setup/action.yml" in listed


def test_the_checkout_of_the_current_folder_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "pipelines/lint").mkdir(parents=True)
    (tmp_path / "pipelines/lint/tools.py").touch()
    (tmp_path / "docs/below").mkdir(parents=True)
    assert checkout(tmp_path / "docs/below") == tmp_path
    assert checkout(Path(__file__).parent) == SUITE


def test_outside_of_a_checkout_nothing_is_looked_at(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pipelines.lint", "ruff"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SUITE)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == InputError.exit_code
    assert "this is no checkout of Shipmate" in done.stderr
    assert "ok" not in done.stdout


def test_githubs_own_parser_finds_what_is_wrong(tmp_path: Path) -> None:
    """The tool itself is tried: a parser that reads nothing would pass for ever."""
    job = "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.x( }}\n"
    (tmp_path / "bad.yml").write_text(f"on: pussh\n{job}")
    (tmp_path / "action.yml").write_text("name: x\nruns:\n  using: composite\n  steps:\n    - run: echo\n")
    script = str(SUITE / "pipelines/lint/node/workflow_parser.mjs")
    bad = run_one(Tool(name="github", what="", argv=("node", script, "bad.yml", "action.yml")), tmp_path)
    assert not bad.passed
    for words in (
        "bad.yml:1:5: Unexpected value 'pussh'",
        "bad.yml:6:19: Unexpected symbol",
        "action.yml:5:7: Required property is missing: shell",
    ):
        assert words in bad.text
    assert not run_one(Tool(name="github", what="", argv=("node", script)), tmp_path).passed


def test_what_one_check_of_ci_runs_no_other_runs_again() -> None:
    """A trailing space is reported by one job, and its neighbours say something else."""
    checks = load(SUITE / "shipmate.yml").ci.checks
    known = {each.name for each in tools(SUITE)}
    (run,) = checks["suite-lint"].run
    left_out = set(run.partition("WITHOUT=")[2].strip('"').split())
    assert left_out <= known
    assert {"ruff", "format"} <= left_out
    others = [line for name, check in checks.items() if name not in ("lint", "suite-lint") for line in check.run]
    assert [line for line in others if "ruff" in line or "make lint" in line] == []
