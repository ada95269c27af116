from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest

from pipelines.ci import check
from pipelines.errors import InputError, LocalError
from pipelines.manifest import Manifest, parse
from pipelines.runtime import Runtime

PYTHON = sys.executable


def manifest(*commands: str, more: str = "") -> Manifest:
    return parse(f"""
platform: {{name: shop, repository: shop/shop}}
components: {{api: {{paths: ["**"]}}}}
ci:
  checks:
    tests:
      components: [api]
      run: {json.dumps(commands)}
{more}
environments: {{}}
""")


def run(root: Path, *commands: str, more: str = "", workflow: bool = False, **environ: str) -> tuple[check.Result, str]:
    stream = io.StringIO()
    given = {"PATH": "/usr/bin:/bin", **({"GITHUB_ACTIONS": "true"} if workflow else {}), **environ}
    result = check.run(manifest(*commands, more=more), "tests", Runtime(environ=given, stream=stream), root=root)
    return result, stream.getvalue()


def script(root: Path, name: str, text: str) -> str:
    (root / name).write_text(text)
    return f"python {name}"


def test_commands_run_in_order_and_are_timed(tmp_path: Path) -> None:
    result, log = run(tmp_path, 'python -c "print(1)"', 'python -c "print(2)"')
    assert result.passed
    assert [(one.code, one.seconds > 0) for one in result.commands] == [(0, True), (0, True)]
    assert log.index("\n1\n") < log.index("\n2\n")


def test_the_first_failure_ends_it_and_its_last_lines_are_kept(tmp_path: Path) -> None:
    long = script(tmp_path, "long.py", "import sys\nfor n in range(40): print('line', n)\nsys.exit(4)")
    result, _ = run(tmp_path, 'python -c "print(1)"', long, 'python -c "open(chr(120), chr(119))"')
    assert not result.passed
    assert result.why == "python long.py: exit code 4"
    assert result.tail == tuple(f"line {n}" for n in range(25, 40))
    assert not (tmp_path / "x").exists()


def test_what_a_tool_complains_about_is_found(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import os\n")
    result, _ = run(tmp_path, "ruff check --isolated --no-cache bad.py")
    assert [(one.file, one.line, one.title) for one in result.findings] == [("bad.py", 1, "F401")]


def test_no_shell_is_there_to_read_a_command(tmp_path: Path) -> None:
    result, log = run(tmp_path, "python -c 'import sys; print(sys.argv[1:])' $(touch x) ; echo")
    assert result.passed
    assert "['$(touch', 'x)', ';', 'echo']" in log
    assert not list(tmp_path.iterdir())


def test_what_a_test_prints_is_no_command_to_the_runner(tmp_path: Path) -> None:
    evil = script(
        tmp_path, "evil.py", "print('::set-env name=A::b'); print('  ::error::x'); print('##[error]y'); print('a::b')"
    )
    _, log = run(tmp_path, evil, workflow=True)
    words = re.findall(r"^::stop-commands::([0-9a-f]{32})$", log, re.MULTILINE)
    assert len(words) == 1
    between = log[log.index(words[0]) : log.rindex(f"::{words[0]}::")]
    assert "set-env" in between
    outside = log.replace(between, "")
    assert "set-env" not in outside
    assert not re.search(r"^\s*(::error|##\[)", log, re.MULTILINE)


def test_two_runs_do_not_share_the_word(tmp_path: Path) -> None:
    logs = [run(tmp_path, 'python -c "1"', workflow=True)[1] for _ in range(2)]
    assert len({re.findall(r"stop-commands::(\w+)", log)[0] for log in logs}) == 2


def test_a_test_cannot_write_the_outputs_of_the_step(tmp_path: Path) -> None:
    show = script(
        tmp_path,
        "show.py",
        "import os; print(sorted(n for n in os.environ if n.startswith(('GITHUB_', 'IN_', 'PYTHONPATH'))))",
    )
    given = dict.fromkeys((*check.FILES_OF_THE_STEP, "IN_CHECK", "PYTHONPATH", "GITHUB_SHA"), "x")
    assert "['GITHUB_SHA']" in run(tmp_path, show, **given)[1]


def test_our_own_command_is_this_very_code(tmp_path: Path) -> None:
    (tmp_path / "shipmate.yml").write_text((check.SUITE / "shipmate.yml").read_text())
    result, log = run(tmp_path, "shipmate manifest check", workflow=True)
    assert result.passed, log
    assert f"{tmp_path}/shipmate.yml" in log


REPORTS = "      reports: [r.xml]"


def test_reports_are_counted(tmp_path: Path) -> None:
    write = script(tmp_path, "w.py", "open('r.xml', 'w').write('<testsuite><testcase name=\"a\"/></testsuite>')")
    result, _ = run(tmp_path, write, more=REPORTS)
    assert result.passed
    assert result.tests is not None
    assert result.tests.ran == 1


def test_the_folder_of_a_report_is_made(tmp_path: Path) -> None:
    write = script(tmp_path, "w.py", "open('out/r.xml', 'w').write('<testsuite><testcase name=\"a\"/></testsuite>')")
    assert run(tmp_path, write, more="      reports: [out/r.xml]")[0].passed


def test_success_without_a_test_is_failure(tmp_path: Path) -> None:
    result, _ = run(tmp_path, 'python -c "1"', more=REPORTS)
    assert result.why == "the commands succeeded, but no test ran: no report was written"
    write = script(tmp_path, "w.py", "open('r.xml', 'w').write('<testsuite/>')")
    assert "the reports hold none" in run(tmp_path, write, more=REPORTS)[0].why


def test_success_with_a_failed_test_is_failure(tmp_path: Path) -> None:
    text = "<testsuite><testcase name=\\'a\\'><failure message=\\'no\\'/></testcase></testsuite>"
    write = script(tmp_path, "w.py", f"open('r.xml', 'w').write('{text}')")
    result, _ = run(tmp_path, write, more=REPORTS)
    assert result.why == "the commands succeeded, but 1 tests failed by their reports"
    assert result.findings[0].message == "no"


def test_a_report_of_before_does_not_count(tmp_path: Path) -> None:
    import os

    (tmp_path / "r.xml").write_text('<testsuite><testcase name="a"/></testsuite>')
    os.utime(tmp_path / "r.xml", (1, 1))
    assert not run(tmp_path, 'python -c "1"', more=REPORTS)[0].passed


def test_an_unknown_check_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match="there is no check 'test'; did you mean 'tests'") as caught:
        check.find(manifest("x"), "test")
    assert "use one of tests" in str(caught.value)


def test_missing_modules_and_commands_say_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "package-lock.json").write_text("{}")
    with pytest.raises(LocalError, match="web/node_modules is not there: make setup"):
        run(tmp_path, "x", more="      node: [web]")
    with pytest.raises(LocalError, match="no-such-tool cannot be started"):
        run(tmp_path, "no-such-tool --now")


def test_services_are_named_or_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = "      services: [postgres, redis]"
    assert run(tmp_path, 'python -c "1"', more=services)[0].passed
    monkeypatch.setattr(
        check, "SERVICES", {"postgres": ("TEST_DATABASE_URL", "no_such_package"), "redis": ("R", "sys")}
    )
    with pytest.raises(LocalError, match="postgres: TEST_DATABASE_URL is not set"):
        run(tmp_path, "x", more=services)
    assert run(tmp_path, 'python -c "1"', more=services, TEST_DATABASE_URL="postgresql://x")[0].passed


def test_what_goes_to_the_report_is_small(tmp_path: Path) -> None:
    finding = check.Finding(file="a.py", line=1, title="t" * 5000, message="m" * 5000)
    result = check.Result(
        check="c", passed=False, seconds=1, commands=(), findings=(finding,) * 500, tail=("x" * 9000,) * 15
    )
    assert len(json.dumps(result.as_json())) < 10_000
    assert result.as_json()["more"] == 495


def test_a_shard_is_reported_which_it_is(tmp_path: Path) -> None:
    command = 'python -c "import sys; print(sys.argv[1:])" --shard={shard}/{shards}'
    stream = io.StringIO()
    result = check.run(
        manifest(command), "tests", Runtime(environ={}, stream=stream), root=tmp_path, shard=check.Shard.parse("2/3")
    )
    assert result.passed
    assert "['--shard=2/3']" in stream.getvalue()


def test_without_shards_a_command_does_everything(tmp_path: Path) -> None:
    assert "['1/1']" in run(tmp_path, 'python -c "import sys; print(sys.argv[1:])" {shard}/{shards}')[1]


def test_shards_of_a_command_that_knows_none_are_refused() -> None:
    with pytest.raises(InputError, match="each of the 3 jobs would do everything"):
        check.Shard(2, 3).fill(("pytest",))


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "$(x)/1"])
def test_anything_else_is_no_shard(text: str) -> None:
    with pytest.raises(InputError, match="is no shard"):
        check.Shard.parse(text)
