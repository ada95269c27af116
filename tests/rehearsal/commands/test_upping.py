"""Looking at processes that end meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.rehearsal.commands.upping import children, descendants, listening


def test_a_process_that_has_ended_has_no_children_and_listens_nowhere() -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    assert (children(ended.pid), descendants(ended.pid), listening([ended.pid])) == ([], [], set())


def test_one_that_runs_is_a_child_of_ours() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        assert running.pid in children(os.getpid())
        running.communicate(b"\n")
