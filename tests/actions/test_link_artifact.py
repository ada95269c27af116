"""What a job kept for people is linked in its summary; nothing is promised that was not kept."""

from __future__ import annotations

from typing import Any

from actions.link_artifact import main

URL = "https://github.com/techmate/platform/actions/runs/7/artifacts/9"


def test_what_was_kept_is_linked(step: Any) -> None:
    assert step.run(main, title="Screenshots and traces", url=URL) == 0
    assert step.summary() == f"📎 [Screenshots and traces]({URL})\n\n"


def test_where_nothing_was_kept_nothing_is_written(step: Any) -> None:
    assert step.run(main, title="Screenshots and traces", url="") == 0
    assert step.summary() == ""
