"""Descriptions of command lines: what is not here is an error, and fragments are read whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearsal.contracts import command_lines
from rehearsal.contracts.command_lines import COMMAND_LINES, EAS, EAS_BUILD, fragment, manifest
from rehearsal.contracts.fetch import ContractUnavailable
from rehearsal.contracts.sources import Source

BUILD = """
exports.BuildFragmentNode = gql `
  fragment BuildFragment on Build {
    id
    actor {
      ... on Robot {
        firstName
      }
      displayName
    }
    app {
      ownerAccount { name }
    }
  }
`;
"""


@pytest.mark.parametrize("read", [manifest, lambda source: fragment(source, "BuildFragment")])
def test_one_that_was_not_fetched_is_an_error_that_says_how_to_get_it(read: Callable[[Source], Any]) -> None:
    with pytest.raises(ContractUnavailable, match=r"eas-cli 24\.8\.0.*`make setup`"):
        read(replace(EAS, sha256="0" * 64))


def test_all_are_of_one_version() -> None:
    assert {(source.package, source.version) for source in COMMAND_LINES} == {("eas-cli", "24.8.0")}


def test_a_fragment_is_read_with_the_fields_of_every_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "Build.js"
    file.write_text(BUILD)
    monkeypatch.setattr(command_lines, "cached", lambda source: file)
    assert fragment(EAS_BUILD, "BuildFragment") == {
        "id": {},
        "actor": {"firstName": {}, "displayName": {}},
        "app": {"ownerAccount": {"name": {}}},
    }
    with pytest.raises(KeyError):
        fragment(EAS_BUILD, "Other")
