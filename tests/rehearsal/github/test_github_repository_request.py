"""What REST and pages read of a request about a repository."""

from __future__ import annotations

import pytest

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene


@pytest.mark.parametrize("number", ["x", "-1", "1.0", "²", "٣", "1" * 20])
def test_what_is_no_number_in_a_path_is_not_found(scene: Scene, dev: Person, number: str) -> None:
    dev.post(f"/repos/{REPOSITORY}/issues", {"title": "T"})
    assert dev.api("GET", f"/repos/{REPOSITORY}/issues/{number}").status_code == 404
    assert dev.api("GET", f"/repos/{REPOSITORY}/issues/1").status_code == 200
