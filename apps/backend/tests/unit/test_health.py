from __future__ import annotations

from pathlib import Path

import pytest
from backend.health import memory

MEGABYTE = 1024 * 1024


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "self").mkdir()
    (tmp_path / "self/statm").write_text("9000 2000 500 1 0 900 0\n")
    (tmp_path / "meminfo").write_text("MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    400 kB\n")
    return tmp_path


def container(path: Path, *, limit: str, current: int, inactive: int) -> Path:
    (path / "memory.max").write_text(f"{limit}\n")
    (path / "memory.current").write_text(f"{current}\n")
    (path / "memory.stat").write_text(f"anon 1\ninactive_file {inactive}\n")
    return path


def test_without_a_container_the_machine_counts(proc: Path, tmp_path: Path) -> None:
    seen = memory(cgroup=tmp_path / "nowhere", proc=proc)
    assert seen.ok
    assert seen.figures == {"used_bytes": 600 * 1024, "limit_bytes": 1000 * 1024, "process_bytes": 2000 * 4096}


def test_a_container_without_a_limit_is_the_machine(proc: Path, tmp_path: Path) -> None:
    seen = memory(cgroup=container(tmp_path, limit="max", current=1, inactive=0), proc=proc)
    assert seen.figures["limit_bytes"] == 1000 * 1024


@pytest.mark.parametrize(("used", "ok"), [(94, True), (96, False)])
def test_a_full_container_is_down(proc: Path, tmp_path: Path, used: int, ok: bool) -> None:
    cgroup = container(tmp_path, limit=str(100 * MEGABYTE), current=(used + 30) * MEGABYTE, inactive=30 * MEGABYTE)
    seen = memory(cgroup=cgroup, proc=proc)
    assert seen.ok is ok
    assert seen.figures["used_bytes"] == used * MEGABYTE
