"""Debug ids in built files: in the script and in its map, the same, where no line moves and what runs stays what it was."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelines.site_builds import debug_ids, source_maps
from pipelines.site_builds.debug_ids import Mapped, inject, mapped, registration

ID = "0f1e2d3c-4b5a-5678-9abc-def012345678"
CODE = len(registration(ID))


class Built:
    """A folder that a build made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self, script: str, *, name: str = "assets/app.js", mappings: str = "AAAA", map_name: str = "", **more: Any
    ) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(script.encode())
        document = {"version": 3, "sources": ["a.ts"], "names": [], "mappings": mappings, **more}
        (file.parent / (map_name or f"{file.name}.map")).write_text(json.dumps(document))

    def script(self, name: str = "assets/app.js") -> str:
        return (self.folder / name).read_bytes().decode()

    def map(self, name: str = "assets/app.js.map") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / name).read_text())
        return found

    def contents(self) -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in self.folder.rglob("*") if file.is_file()}


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return Built(tmp_path / "dist")


@pytest.mark.parametrize(
    ("before", "rest"),
    [
        ("", "run()"),
        ('"use strict";', "run()"),
        ("'use strict'; \"use asm\";", "run()"),
        ("'use strict'", "\r\nrun()\r\n"),
        ("/* é 😀 */'use strict';", "run()"),
        ("// one\n/* two\n * three **/ 'use strict';", "run()"),
        ("#!/usr/bin/env node\n", "run()"),
        ("#!/usr/bin/env node\r\n'use strict';", "\r\nrun()\r\n"),
        ("\ufeff", "run()"),
        ("", "/* no directive */ 'use strict', run()"),
        ("", "import a from './a.js';\r\nrun();\r\n"),
    ],
)
def test_the_id_is_registered_before_anything_runs_and_behind_what_must_stand_first(
    built: Built, before: str, rest: str
) -> None:
    built.write(before + rest)
    [found] = inject(built.folder)
    assert found == Mapped(script="assets/app.js", map="assets/app.js.map", debug_id=found.debug_id)
    ended = rest if rest.endswith("\n") else f"{rest}\n"
    assert built.script() == f"{before}{registration(found.debug_id)}{ended}//# debugId={found.debug_id}\n"
    assert {built.map()[key] for key in debug_ids.KEYS} == {found.debug_id}


def test_mappings_of_what_moved_follow_it(built: Built) -> None:
    built.write('"use strict";run()', mappings="AAAA,aAAA")
    inject(built.folder)
    moved = source_maps.moved({"mappings": "AAAA,aAAA"}, line=0, column=13, by=CODE)
    assert built.map()["mappings"] == moved["mappings"] != "AAAA,aAAA"


def test_columns_are_counted_as_javascript_does(built: Built) -> None:
    """In units of UTF-16: of the emoji there are two."""
    head = "/*é😀*/'use strict';"
    built.write(f"{head}run()", mappings=f"AAAA,{_column(len(head) + 1)}AAA")
    inject(built.folder)
    assert built.map()["mappings"] == f"AAAA,{_column(len(head) + 1 + CODE)}AAA"


def _column(number: int) -> str:
    return str(source_maps.moved({"mappings": "A"}, line=0, column=0, by=number)["mappings"])


def test_injecting_again_changes_nothing_and_the_same_build_has_the_same_ids(built: Built, tmp_path: Path) -> None:
    built.write("one()")
    built.write("two()", name="assets/two.mjs")
    built.write("two()", name="nested/two.cjs", mappings="AACA")
    other = Built(tmp_path / "other")
    shutil.copytree(built.folder, other.folder)
    found = inject(built.folder)
    assert len({each.debug_id for each in found}) == 3, "each has its own, by both contents"
    before = built.contents()
    assert inject(built.folder) == found == mapped(built.folder)
    assert built.contents() == before
    assert inject(other.folder) == found


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_script_may_name_its_map(built: Built, ending: str) -> None:
    built.write(f"run()\n//# sourceMappingURL=maps%20of/app.map{ending}", map_name="app.js.map")
    (built.folder / "assets/maps of").mkdir()
    shutil.move(built.folder / "assets/app.js.map", built.folder / "assets/maps of/app.map")
    [found] = inject(built.folder)
    assert found.map == "assets/maps of/app.map"
    assert built.script().endswith(
        f"//# sourceMappingURL=maps%20of/app.map{ending or chr(10)}//# debugId={found.debug_id}\n"
    )


@pytest.mark.parametrize(
    "named",
    ["../../outside.map", "https://else.where/app.js.map", "data:application/json;base64,e30=", "a%00b", "a" * 300],
)
def test_a_map_that_is_no_file_of_the_build_is_not_followed(built: Built, tmp_path: Path, named: str) -> None:
    built.write(f"run()\n//# sourceMappingURL={named}\n")
    (tmp_path / "outside.map").write_text('{"version": 3, "mappings": ""}')
    [found] = inject(built.folder)
    assert found.map == "assets/app.js.map", "the one beside it is"
    (built.folder / found.map).unlink()
    assert inject(built.folder) == []
    assert (tmp_path / "outside.map").read_text() == '{"version": 3, "mappings": ""}'


def test_an_id_that_a_bundler_gave_stays(built: Built) -> None:
    """Bundlers write the comment and the map, and register nothing."""
    built.write(f"run()\n//# debugId={ID}\n", debugId=ID)
    assert mapped(built.folder) == [], "the tracker's SDK would not see it"
    [found] = inject(built.folder)
    assert (found.debug_id, built.script()) == (ID, f"{registration(ID)}run()\n//# debugId={ID}\n")
    assert built.map()["debug_id"] == built.map()["debugId"] == ID


def test_what_the_tracker_s_own_plugin_registered_stays(built: Built) -> None:
    kept = f'e._sentryDebugIds=e._sentryDebugIds||{{}},e._sentryDebugIds[t]="{ID}"'
    theirs = f";{{let e=window,t=(new e.Error).stack;t&&({kept})}};"
    built.write(f"{theirs}run()", debug_id=ID)
    [found] = inject(built.folder)
    assert (found.debug_id, built.script()) == (ID, f"{theirs}run()\n//# debugId={ID}\n")
    assert built.map()["mappings"] == "AAAA", "nothing moved"


def test_what_has_no_map_or_one_that_is_none_is_left_as_it_is(built: Built) -> None:
    built.write("run()", name="app.js")
    (built.folder / "app.js.map").unlink()
    built.write("run()", name="broken.js", mappings="?")
    built.write("run()", name="other.js")
    (built.folder / "other.js.map").write_text("<!doctype html>")
    (built.folder / "latin.js").write_bytes(b"'\xe9'")
    (built.folder / "latin.js.map").write_text('{"version": 3, "mappings": ""}')
    (built.folder / "app.css.map").write_text('{"version": 3, "mappings": ""}')
    (built.folder / "linked.js").symlink_to("app.js")
    before = built.contents()
    assert inject(built.folder) == []
    assert built.contents() == before


def test_a_map_that_cannot_be_written_again_leaves_its_script_as_it_is(built: Built) -> None:
    built.write("run()", sourcesContent=["half a pair: \ud800"])
    before = built.contents()
    assert inject(built.folder) == []
    assert built.contents() == before


@pytest.mark.parametrize("given", ['x"]=1;evil();//', 5, None, ID.upper()])
def test_what_is_no_id_in_a_map_becomes_no_code(built: Built, given: Any) -> None:
    built.write("run()", debugId=given)
    (found,) = inject(built.folder)
    assert re.fullmatch(r"[0-9a-f-]{36}", found.debug_id)
    assert (found.debug_id == ID) == (given == ID.upper())
    assert "evil" not in built.script()
    before = built.contents()
    assert inject(built.folder) == [found]
    assert built.contents() == before


def test_names_that_no_bundle_can_hold_and_links_in_a_circle_are_left_out(built: Built) -> None:
    built.write("run()")
    for name in (b"\xff.js", b"\xff.js.map"):
        source = built.folder / ("assets/app.js" if name.endswith(b"js") else "assets/app.js.map")
        Path(os.fsdecode(bytes(built.folder) + b"/" + name)).write_bytes(source.read_bytes())
    (built.folder / "circle.js").write_text("run()")
    (built.folder / "circle.js.map").symlink_to("circle.js.map")
    assert [each.script for each in inject(built.folder)] == ["assets/app.js"]


def test_scripts_whose_content_a_page_pins_are_left_as_they_are(built: Built) -> None:
    built.write("run()")
    (built.folder / "index.html").write_text('<script src="/assets/app.js" integrity="sha384-AAAA"></script>')
    before = built.contents()
    assert inject(built.folder) == []
    assert built.contents() == before


def test_a_map_of_another_build_is_none_of_the_script(built: Built) -> None:
    built.write("run()")
    [found] = inject(built.folder)
    document = (built.folder / found.map).read_text().replace(found.debug_id, ID)
    (built.folder / found.map).write_text(document)
    assert mapped(built.folder) == []


def test_many_comments_before_the_code_are_read_at_once(built: Built) -> None:
    built.write("/* licence */ // and\n" * 20_000 + "run()")
    [found] = inject(built.folder)
    assert built.script().endswith(f"run()\n//# debugId={found.debug_id}\n")


def test_a_running_script_registers_its_id(built: Built) -> None:
    """By Node, which has the same stacks as a browser."""
    built.write('"use strict";try { undeclared = 1 } catch (e) { console.log(e.name) }', name="app.js")
    [found] = inject(built.folder)
    show = "require(process.argv[1]); console.log(JSON.stringify(globalThis._sentryDebugIds))"
    ran = subprocess.run(["node", "-e", show, built.folder / "app.js"], capture_output=True, text=True, check=True)
    strict, registered = ran.stdout.splitlines()
    assert strict == "ReferenceError", "it is strict still"
    ((stack, debug_id),) = json.loads(registered).items()
    assert debug_id == found.debug_id
    assert re.search(r"/app\.js:1:\d+", stack)
