from __future__ import annotations

import pytest

from pipelines.ci.rehearsing import is_rehearsal


@pytest.mark.parametrize("url", ["http://127.0.0.1:40123", "http://[::1]:3000"])
def test_a_github_on_this_machine_is_a_rehearsed_one(url: str) -> None:
    assert is_rehearsal({"GITHUB_SERVER_URL": url})


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com",
        "https://github.example.com",
        "",
        "127.0.0.1",
        "https://127.0.0.1.example.com",
        "https://localhost",
    ],
)
def test_any_other_is_not(url: str) -> None:
    assert not is_rehearsal({"GITHUB_SERVER_URL": url, "SHIPMATE_OVERLAY": "overlay.json"})


def test_a_terminal_is_not() -> None:
    assert not is_rehearsal({})
