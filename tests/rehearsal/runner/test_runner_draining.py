"""The last lines of a step that fails are in its log, also when the machine has no time to spare."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.runner import draining
from tests.rehearsal.runner.small_hub import CHECKOUT

STEPS = 24


@contextlib.contextmanager
def no_idle_core() -> Iterator[None]:
    """Every core is busy, so that act reads a step's terminal later than it learns of the step's end."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 2)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def step(number: int) -> dict[str, Any]:
    shell = ("bash", "sh", "python", "python -u {0}")[number % 4]
    script = f"print('one\\ntwo\\nlast-{number}')\nraise SystemExit(3)"
    return {
        "name": f"step {number}",
        "shell": shell,
        "continue-on-error": True,
        "run": script if "python" in shell else f"echo one; echo two; echo last-{number}; exit 3",
    }


def test_failing_step__no_idle_core__its_last_lines_are_in_the_log(world: Any, run_async: Any) -> None:
    workflow = {"on": "push", "jobs": {"a": {"runs-on": "ubuntu-24.04", "steps": [step(n) for n in range(STEPS)]}}}

    async def story() -> None:
        async with world() as w:
            with no_idle_core():
                run = await w.push(yaml.safe_dump(workflow))
            (job,) = run.jobs
            assert job.conclusion == "success", job.log_text()
            ends = [[line.split(" ", 1)[1] for line in step.log[-3:]] for step in job.steps[1:-1]]
            assert ends == [["one", "two", f"last-{number}"] for number in range(STEPS)]

    run_async(story())


def test_failing_action__its_commands_and_unfinished_line_are_kept(world: Any, run_async: Any) -> None:
    action = """
name: Failing
runs:
  using: composite
  steps: [{shell: bash, run: 'for i in 1 2 3; do echo "::error title=t::said $i"; done; printf unfinished; exit 7'}]
"""
    workflow = f"""
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    steps: [{{uses: {CHECKOUT}}}, {{uses: ./failing}}]
"""

    async def story() -> None:
        async with world() as w:
            with no_idle_core():
                run = await w.push(workflow, {"failing/action.yml": action})
            (job,) = run.jobs
            assert job.conclusion == "failure"
            assert [note.message for note in job.annotations if note.title] == ["said 1", "said 2", "said 3"]
            assert any(line.endswith(" unfinished") for line in job.steps[2].log)
            assert draining.TRAILER not in repr(job)

    run_async(story())


def test_step__killed__says_by_what_as_on_github(world: Any, run_async: Any) -> None:
    workflow = """
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    steps: [{run: "echo before; kill -9 $$"}]
"""

    async def story() -> None:
        async with world() as w:
            run = await w.push(workflow)
            (job,) = run.jobs
            ends = [line.split(" ", 1)[1] for line in job.steps[1].log[-2:]]
            assert ends == ["before", "##[error]Process completed with exit code 137."]

    run_async(story())


def test_cancelled_step__its_script_is_over_when_the_next_step_runs(world: Any, run_async: Any, tmp_path: Path) -> None:
    workflow = """
on: push
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: |
          trap '' INT TERM
          echo $$ > "$FLAGS/script"
          while :; do sleep 0.05; done
      - if: always()
        run: |
          gone() { ! [ -e "/proc/$1" ] || [ -z "$(tr -d '\\0' 2>/dev/null < "/proc/$1/cmdline")" ]; }
          for ((i = 0; i < 100; i++)); do
            if gone "$(cat "$FLAGS/script")"; then echo > "$FLAGS/gone"; break; fi
            sleep 0.05
          done
"""

    async def story() -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
        try:
            await cancelled()
        finally:
            signal.signal(signal.SIGHUP, before)

    async def cancelled() -> None:
        async with world(extra_env={"FLAGS": str(tmp_path)}) as w:
            run = await w.begin(workflow)
            await w.until(lambda: (tmp_path / "script").exists() and (tmp_path / "script").read_text())
            await w.runner.cancel(run.id)
            await w.runner.wait(run.id)
            assert (tmp_path / "gone").exists(), run.jobs[0].log_text()

    run_async(story())


def test_answer__nobody_waits__is_not_kept_for_the_next_step(tmp_path: Path) -> None:
    draining.prepare(tmp_path)
    draining.answer(tmp_path)
    pipe = os.open(tmp_path / "answers", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert os.read(pipe, 1) == b""
    finally:
        os.close(pipe)


@pytest.mark.parametrize(
    ("shell", "held"),
    [
        ("sh", """bash -c '"$@"' - sh -e {0}"""),
        ("python", """bash -c '"$@"' - python {0}"""),
        ("perl {0}", """bash -c '"$@"' - perl {0}"""),
        ("bash", "bash"),
        ("bash -eo pipefail {0}", "bash -eo pipefail {0}"),
        ("pwsh", "pwsh"),
        ("${{ matrix.shell }}", "${{ matrix.shell }}"),
    ],
)
def test_shell__started_by_bash_unless_it_is_one(shell: str, held: str) -> None:
    assert draining.held({"run": "x", "shell": shell}) == {"run": "x", "shell": held}
    assert draining.held_defaults({"run": {"shell": shell}}) == {"run": {"shell": held}}
    assert draining.held({"uses": "./a"}) == {"uses": "./a"}
