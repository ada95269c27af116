"""SIGTERM ends `shipmate up` as Ctrl-C does."""

from __future__ import annotations

import signal

import pytest

from tests.rehearsal.commands.upping import GONE_SECONDS, up


@pytest.mark.world
def test_sigterm_takes_everything_down() -> None:
    with up() as world:
        world.process.send_signal(signal.SIGTERM)
        assert world.process.wait(timeout=GONE_SECONDS) == 0
        assert not world.root.exists()
        world.nothing_is_left()
