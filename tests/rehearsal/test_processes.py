"""Child processes: they end with their parent, with their group, and can be found wherever they went."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal import processes

ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], bool], what: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not {what} after {seconds} s"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Running, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def parent_of(child: str, *, preexec: str = "None") -> tuple[subprocess.Popen[str], int]:
    """A process that starts `child` (Python) by `spawn`, and the child's id once it says it is up."""
    code = f"""
        import subprocess, sys, time
        from rehearsal import processes
        child = processes.spawn([sys.executable, "-c", {child!r}], env={{}}, stdout=subprocess.PIPE, preexec={preexec})
        child.stdout.readline()
        print(child.pid, flush=True)
        sys.stdin.read()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


WAITING = "import time; print('up', flush=True); time.sleep(60)"


def test_a_child_dies_with_its_parent() -> None:
    parent, child = parent_of(WAITING)
    parent.kill()
    parent.communicate()
    until(lambda: not alive(child), "ended")


def test_a_child_that_has_to_clean_up_is_asked_to(tmp_path: Path) -> None:
    mark = tmp_path / "cleaned"
    cleaning = (
        "import signal, sys, time, pathlib\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(mark)!r}).touch(), sys.exit()))\n" + WAITING
    )
    parent, child = parent_of(cleaning, preexec="processes.end_with_parent")
    parent.kill()
    parent.communicate()
    until(lambda: not alive(child), "ended")
    assert mark.exists()


def test_the_environment_is_exactly_what_was_given() -> None:
    process = processes.spawn(["/usr/bin/env"], env={"ONE": "1"}, stdout=subprocess.PIPE)
    assert process.communicate()[0] == b"ONE=1\n"


def test_the_loops_children_are_the_same() -> None:
    async def printed() -> tuple[bytes, int | None]:
        process = await processes.spawn_async(["/usr/bin/env"], env={"ONE": "1"}, stdout=asyncio.subprocess.PIPE)
        return (await process.communicate())[0], process.returncode

    assert asyncio.run(printed()) == (b"ONE=1\n", 0)


def test_a_process_whose_answer_nobody_waits_for_any_more_leaves_nothing_to_the_garbage_collector() -> None:
    code = (
        "import subprocess, sys; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); child.wait()"
    )

    async def cancelled() -> tuple[int, int]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        child = int(await process.stdout.readline())
        asking = asyncio.create_task(processes.communicated(process, b"x" * 1_000_000))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return process.pid, child

    ids = asyncio.run(cancelled())
    gc.collect()  # what was left open would warn here, and fail this test
    until(lambda: not any(map(alive, ids)), "both ended")


def test_ending_takes_the_whole_group_kindly_first() -> None:
    code = (
        "import subprocess, sys; subprocess.Popen(['sleep', '60']); print('up', flush=True); sys.stdin.read(); "
        + WAITING
    )
    process = processes.spawn([sys.executable, "-c", code], env=dict(os.environ), stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    assert children
    processes.end(process)
    process.stdout.close()
    assert process.returncode == -signal.SIGTERM
    until(lambda: not any(alive(pid) for pid in children), "gone")
    processes.end(process)


def test_who_does_not_listen_is_killed_after_the_grace() -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITING
    process = processes.spawn([sys.executable, "-c", code], env={}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    began = time.monotonic()
    processes.end(process, grace=0.2)
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    assert 0.15 < time.monotonic() - began < 5


def test_the_marked_are_found_in_whatever_session_and_only_they() -> None:
    value = f"{os.getpid()}-{time.monotonic_ns()}"
    started = [
        subprocess.Popen(["sleep", "60"], env={"MARK": mark}, start_new_session=True)
        for mark in (value, value, f"{value}0", "other")
    ]
    try:
        ids = {process.pid for process in started[:2]}
        until(lambda: set(processes.marked("MARK", value)) == ids, "both found")
        assert set(processes.reap("MARK", value)) == ids
        assert [process.wait(timeout=5) for process in started[:2]] == [-9, -9]
        assert [process.poll() for process in started[2:]] == [None, None]
        assert processes.reap("MARK", value) == []
    finally:
        for process in started:
            process.kill()
            process.wait()
