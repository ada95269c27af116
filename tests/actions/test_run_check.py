from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import pytest

from actions.run_check import MOST, main

HERE = ".".join(platform.python_version_tuple()[:2])
MANIFEST = """
platform: {name: shop, repository: shop/shop}
components: {api: {paths: ["**"]}}
ci:
  checks:
    two: {components: [api], pythons: ["HERE", "3.2"], run: ["python -c 'print(1)'"]}
    good: {components: [api], run: ["python -c 'print(1)'"]}
    lint: {components: [api], run: [ruff check --isolated --no-cache --select F .]}
environments: {}
""".replace("HERE", HERE)


def result(step: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(step.outputs()["result"]).read_text())
    return found


def test_a_check_that_passes(step: Any) -> None:
    Path("shipmate.yml").write_text(MANIFEST)
    assert step.run(main, check="good") == 0
    assert result(step)["passed"] is True
    assert "### ✅ good" in step.summary()
    assert not step.commands("error")


def test_a_check_that_fails_is_annotated_on_its_lines(step: Any) -> None:
    Path("shipmate.yml").write_text(MANIFEST)
    Path("bad.py").write_text("x = 1\nimport os, sys\n")
    assert step.run(main, check="lint") == 7
    assert "::error file=bad.py,line=2,title=F401::" in step.commands("error")[0]
    assert len(step.commands("error")) == 1
    assert all("Check failed" not in each for each in step.commands("error")), "said once, where it is"
    assert "shipmate ci run lint" in step.log
    assert "shipmate ci run lint" in step.summary()
    assert result(step)["findings"][0]["file"] == "bad.py"


def test_github_shows_ten_errors_so_there_are_never_more(step: Any) -> None:
    Path("shipmate.yml").write_text(MANIFEST)
    Path("bad.py").write_text("".join(f"import m{n}\n" for n in range(30)))
    assert step.run(main, check="lint") == 7
    assert len(step.commands("error")) == MOST + 1 == 9, "and GitHub's own, that the step ended with an exit code"
    assert "22 more are in the log" in step.log


def test_a_trailing_space_is_annotated_once_with_the_command_that_fixes_it(step: Any) -> None:
    """Linter and formatter both complain about it; the files of other languages are fine to them."""
    Path("both.py").write_text(
        "import subprocess\nimport sys\n\n"
        'check = ["ruff", "check", "--isolated", "--no-cache", "--select", "W", "."]\n'
        'layout = ["ruff", "format", "--isolated", "--no-cache", "--check", "."]\n'
        "sys.exit(max([subprocess.run(each).returncode for each in (check, layout)]))\n"
    )
    Path("shipmate.yml").write_text(
        MANIFEST.replace("[ruff check --isolated --no-cache --select F .]", "[python both.py]")
    )
    for name, text in {"app.py": "x = 1 \n", "app.ts": "let x = 1; \n", "app.yml": "x: 1 \n", "APP.md": "x \n"}.items():
        Path(name).write_text(text)
    assert step.run(main, check="lint") == 7
    about = [each for each in step.commands("error") if "file=app." in each]
    assert len(about) == 1
    assert "file=app.py,line=1,title=W291" in about[0]
    assert "unformatted: File would be reformatted" in about[0]
    assert about[0].endswith("fix: ruff check --fix app.py && ruff format app.py")


def test_what_fails_without_a_place_is_annotated_once(step: Any) -> None:
    Path("shipmate.yml").write_text(MANIFEST.replace("[ruff check --isolated --no-cache --select F .]", "['false']"))
    assert step.run(main, check="lint") == 7
    (said,) = step.commands("error")
    assert "title=Check failed" in said


def test_what_a_complaint_says_cannot_become_a_command(step: Any) -> None:
    Path("shipmate.yml").write_text(MANIFEST)
    Path("a,title=x%0A.py").write_text("import os\n")
    assert step.run(main, check="lint") == 7
    assert len(step.commands("error")) == 1
    assert "file=a%2Ctitle=x%250A.py,line=1" in step.commands("error")[0]


def test_an_unknown_check_is_an_input_error(step: Any) -> None:
    Path("shipmate.yml").write_text(MANIFEST)
    assert step.run(main, check="lnt") == 4
    assert "did you mean 'lint'?" in step.log


def test_no_name_is_an_input_error(step: Any) -> None:
    assert step.run(main) == 4
    assert "not given: check" in step.log


def test_the_result_is_kept_under_the_name_of_the_job(step: Any, tmp_path: Path) -> None:
    step.environ["RUNNER_TEMP"] = str(tmp_path / "temporary")
    Path("shipmate.yml").write_text(MANIFEST)
    assert step.run(main, check="two", job=f"two-{HERE}") == 0
    assert step.outputs()["result"] == str(tmp_path / f"temporary/results/two-{HERE}.json")
    assert result(step)["check"] == "two"


@pytest.mark.parametrize("job", ["two-2.7", "two", "../two-3.2", "good"])
def test_a_job_the_check_has_not_is_an_input_error(step: Any, job: str) -> None:
    Path("shipmate.yml").write_text(MANIFEST)
    assert step.run(main, check="two", job=job) == 4
    assert f"use one of two-{HERE}, two-3.2" in step.log


def test_a_job_for_a_python_that_is_not_here_does_not_pass_on_another(step: Any) -> None:
    Path("shipmate.yml").write_text(MANIFEST)
    assert step.run(main, check="two", job="two-3.2") == 11
    assert f"this job is for Python 3.2, and the Python here is {platform.python_version()}" in step.log
    assert "result" not in step.outputs()
