from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.ci import process
from pipelines.errors import LocalError

ROOT = Path(__file__).resolve().parents[3]


def stream(argv: list[str], cwd: Path) -> tuple[int, list[str]]:
    lines: list[str] = []
    return process.stream(argv, cwd=cwd, env=os.environ, line=lines.append), lines


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


def test_both_outputs_come_line_by_line_with_the_exit_code(tmp_path: Path) -> None:
    script = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    assert stream([sys.executable, "-c", script], tmp_path) == (3, ["out", "err"])


def test_bytes_that_are_no_text_do_not_stop_it(tmp_path: Path) -> None:
    script = r"import sys; sys.stdout.buffer.write(b'a\xff\rb\n')"
    assert stream([sys.executable, "-c", script], tmp_path)[0] == 0


def test_a_killed_command_has_the_shells_exit_code(tmp_path: Path) -> None:
    assert stream([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], tmp_path)[0] == 137


def test_it_reads_no_input(tmp_path: Path) -> None:
    assert stream([sys.executable, "-c", "print(repr(input()))"], tmp_path)[0] == 1


def test_no_shell_reads_the_words(tmp_path: Path) -> None:
    script = "import sys; print(sys.argv[1])"
    assert stream([sys.executable, "-c", script, "$(touch x); `touch y` && echo"], tmp_path)[1] == [
        "$(touch x); `touch y` && echo"
    ]
    assert not list(tmp_path.iterdir())


def test_a_missing_command_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="no-such-tool cannot be started") as caught:
        stream(["no-such-tool", "x"], tmp_path)
    assert "make setup" in str(caught.value)


def test_what_it_leaves_behind_is_ended_and_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "DRAIN", 0.2)
    script = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); print(p.pid)"
    code, lines = stream([sys.executable, "-c", script], tmp_path)
    assert code == 0
    assert within(5, lambda: gone(int(lines[0])))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_asked_to_stop_ends_the_command_too(tmp_path: Path, number: signal.Signals) -> None:
    inner = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    outer = (
        "import os, sys; from pathlib import Path; from pipelines.ci import process; "
        f"process.stream([sys.executable, '-c', {inner!r}], cwd=Path('.'), env=os.environ, line=print)"
    )
    ours = subprocess.Popen([sys.executable, "-c", outer], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        assert within(10, lambda: (tmp_path / "pid").is_file() and bool((tmp_path / "pid").read_text()))
        ours.send_signal(number)
        assert ours.wait(10) != 0
        assert within(5, lambda: gone(int((tmp_path / "pid").read_text())))
    finally:
        ours.kill()
        ours.wait()
