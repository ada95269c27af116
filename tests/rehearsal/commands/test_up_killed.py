"""A `shipmate up` that is killed leaves nothing either."""

from __future__ import annotations

import pytest

from tests.rehearsal.commands.upping import up


@pytest.mark.world
def test_sigkill_leaves_no_process_no_port_and_no_folder() -> None:
    with up() as world:
        world.process.kill()
        world.process.wait(timeout=10)
        world.nothing_is_left()
