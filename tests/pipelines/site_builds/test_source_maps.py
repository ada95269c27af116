"""What a source map says of one line is moved, and of no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.site_builds import source_maps

MAP: dict[str, Any] = {"version": 3, "sources": ["a.ts"], "names": []}


def mappings(text: str, *, line: int = 0, column: int = 0, by: int = 20) -> str:
    return str(source_maps.moved({**MAP, "mappings": text}, line=line, column=column, by=by)["mappings"])


@pytest.mark.parametrize(
    ("before", "column", "after"),
    [
        ("AAAA", 0, "oBAAA"),
        ("AAAA,aAAA,CAAC", 0, "oBAAA,aAAA,CAAC"),
        ("AAAA,aAAA,CAAC", 13, "AAAA,iCAAA,CAAC"),
        ("AAAA,aAAA,CAAC", 14, "AAAA,aAAA,qBAAC"),
        ("AAAA,aAAA,CAAC", 15, "AAAA,aAAA,CAAC"),
        ("A", 0, "oB"),
        (",,A", 0, ",,oB"),
        ("", 0, ""),
    ],
)
def test_the_first_segment_behind_the_place_takes_the_others_with_it(before: str, column: int, after: str) -> None:
    assert mappings(before, column=column) == after
    assert mappings(f"AAAA;{before};AAAA", line=1, column=column) == f"AAAA;{after};AAAA"


def test_columns_may_go_back_and_numbers_be_long() -> None:
    """The differences of a line that is not sorted are below 0."""
    assert mappings("gB,D", column=15) == "oC,D"
    moved = mappings("A", by=1_000_000)
    assert mappings(moved, by=-1_000_000) == "A"


def test_of_a_map_of_parts_the_one_that_holds_the_place_and_those_behind_are_moved() -> None:
    def part(line: int, column: int, text: str = "AAAA,IAAA") -> dict[str, Any]:
        return {"offset": {"line": line, "column": column}, "map": {**MAP, "mappings": text}}

    document: dict[str, Any] = {"version": 3, "sections": [part(0, 0), part(0, 10), part(0, 20), part(1, 0)]}
    found = source_maps.moved(document, line=0, column=12, by=20)
    assert found["sections"] == [part(0, 0), part(0, 10, "AAAA,wBAAA"), part(0, 40), part(1, 0)]
    assert document["sections"][2] == part(0, 20), "what was given stays as it was"
    later = source_maps.moved({"version": 3, "sections": [part(0, 0, "A;A;A")]}, line=1, column=0, by=20)
    assert later["sections"] == [part(0, 0, "A;oB;A")]


@pytest.mark.parametrize(
    "document",
    [
        {**MAP, "mappings": "é"},
        {**MAP, "mappings": "g"},
        {"version": 3, "sections": [{"offset": {"line": 0}}]},
        {"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "url": "elsewhere.map"}]},
        {"version": 3, "sections": ["x"]},
        {"version": 3, "sections": [{"offset": {"line": 0, "column": 0}, "map": {"mappings": 5}}]},
    ],
)
def test_what_is_no_map_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no source map"):
        source_maps.moved(document, line=0, column=1, by=1)


@pytest.mark.parametrize(
    "text", ["", "[]", ")]}'\n{}", '{"version": 2, "mappings": ""}', '{"version": 3}', "[" * 100_000]
)
def test_a_file_that_is_no_map_reads_as_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.map").write_text(text)
    assert source_maps.read(tmp_path / "a.map") == {}
    (tmp_path / "a.map").write_text(json.dumps({**MAP, "mappings": ""}))
    assert source_maps.read(tmp_path / "a.map") == {**MAP, "mappings": ""}
