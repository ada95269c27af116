"""Which version a hotfix takes."""

from __future__ import annotations

import pytest

from rehearsal.stories.hotfix import maintenance_branch


@pytest.mark.parametrize(
    ("live", "tags", "expected"),
    [
        ("v1.0.1", ["v1.0.0", "v1.0.1", "v1.1.0"], ("release/1.0.x", "v1.0.2")),
        ("v1.2.0", ["v1.2.0", "v1.2.1", "v1.20.7"], ("release/1.2.x", "v1.2.2")),
        ("v1.2.9", ["v1.2.9", "v1.2.10", "v1.2.11-rc.1", "other"], ("release/1.2.x", "v1.2.11")),
    ],
)
def test_it_is_the_next_on_the_line_of_what_is_live_that_no_tag_has(
    live: str, tags: list[str], expected: tuple[str, str]
) -> None:
    assert maintenance_branch(live, tags) == expected
