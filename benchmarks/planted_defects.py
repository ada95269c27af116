"""Ten defects, planted one after the other in the built page: each must fail the test that is meant for it, with a message that names it.

`python -m benchmarks.planted_defects [--healthy RUNS]`. Builds apps/web once. The page as it is must pass the same tests first; with
--healthy the whole suite then runs so often without being tried again, and not one test may fail. Exit 1 where anything is otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._planting import plant
from e2e import local
from e2e.browser import fetched


@dataclass(frozen=True, kw_only=True)
class Defect:
    """`pattern` in the files of `glob` becomes `becomes`; then `test` must fail and say something that `says` matches."""

    name: str
    glob: str
    pattern: str
    becomes: str
    test: str
    says: str


PAGE, CODE, STYLE = "index.html", "assets/NotesPage-*.js", "assets/*.css"
LATE = """<script>new MutationObserver((_, observer) => {
  if (!document.querySelector("h2")) return;
  observer.disconnect();
  const banner = Object.assign(new Image(), { src: "/icon.svg?late", alt: "", style: "display: block; width: 40%%" });
  requestAnimationFrame(() => requestAnimationFrame(() => document.body.prepend(banner)));
}).observe(document, { childList: true, subtree: true })</script></body>""".replace("%%", "%")


def defects(silent: str) -> tuple[Defect, ...]:
    """`silent`: an address that takes requests and never answers."""
    return (
        Defect(
            name="a button that does nothing",
            glob=CODE,
            pattern=r"onClick:\(\)=>void \w+\(\w+\.id\)",
            becomes="onClick:()=>{}",
            test="test_a_note_is_added_found_by_meaning_and_deleted[chromium-desktop]",
            says="waiting for .*The deployment crashed .* to be detached",
        ),
        Defect(
            name="a wrong text",
            glob=PAGE,
            pattern="<title>TechMate notes",
            becomes="<title>TechMate nodes",
            test="test_the_page_opens_and_says_what_it_is",
            says="Actual value: TechMate nodes",
        ),
        Defect(
            name="a console error",
            glob=PAGE,
            pattern="</body>",
            becomes='<script>console.error("no configuration of the map")</script></body>',
            test="test_the_page_opens_and_says_what_it_is",
            says=r"console error: no configuration of the map \(http",
        ),
        Defect(
            name="a field without a label",
            glob=CODE,
            pattern="htmlFor:`new-note`,",
            becomes="",
            test="test_everybody_can_read_search_and_learn_what_went_wrong",
            says=r"label \(critical\): Form elements must have labels: #new-note",
        ),
        Defect(
            name="text that is hard to read",
            glob=STYLE,
            pattern=r"(?<=\})\.detail\{",
            becomes=".detail{color:#bbb!important;",
            test="test_everybody_can_read_search_and_learn_what_went_wrong",
            says=r"color-contrast \(serious\): Elements must meet minimum color contrast ratio thresholds: .*time",
        ),
        Defect(
            name="content that moves",
            glob=PAGE,
            pattern="</body>",
            becomes=LATE,
            test="test_nothing_moves_while_the_page_loads",
            says=r"content moved by 0\.\d+ \(layout shift\) while the page loaded: \w+ “",
        ),
        Defect(
            name="a slow image",
            glob=PAGE,
            pattern="</body>",
            becomes=f'<img src="{silent}/map.png" alt=""></body>',
            test="test_the_page_opens_and_says_what_it_is",
            says=r"not answered within 15 s: GET http://127\.0\.0\.1:\d+/map\.png",
        ),
        Defect(
            name="a script that is not there",
            glob=PAGE,
            pattern="</body>",
            becomes='<script src="/assets/map.js"></script></body>',
            test="test_the_page_opens_and_says_what_it_is",
            says=r"HTTP 404: GET .*/assets/map\.js",
        ),
        Defect(
            name="a page wider than a phone",
            glob=STYLE,
            pattern=r"\.page\{",
            becomes=".page{min-width:600px;",
            test="test_the_page_looks_as_it_should[chromium-phone]",
            says=r"on a phone the page is \d+ pixels wider than the screen",
        ),
        Defect(
            name="a button of another colour",
            glob=STYLE,
            pattern=r"form\.card button\{",
            becomes="form.card button{background:#c33;",
            test="test_the_page_looks_as_it_should[chromium-desktop]",
            says="notes-desktop: looks different in .*: button “Add note”",
        ),
        Defect(
            name="a focus that nobody sees",
            glob=STYLE,
            pattern=r":focus-visible\{",
            becomes=":focus-visible{outline:none!important;",
            test="test_a_note_is_added_found_and_deleted",
            says="the element that has the focus does not show it",
        ),
        Defect(
            name="text that is lost when it cannot be stored",
            glob=CODE,
            pattern=r"(\w+)&&(\w+)\(``\)",
            becomes=r"\2(``)",
            test="test_an_error_of_the_api_is_explained_and_nothing_written_is_lost",
            says="Locator expected to have Value 'The deployment crashed",
        ),
    )


@dataclass(frozen=True)
class Place:
    """The page that is served, and where it is as it should be."""

    served: Path
    built: Path
    environ: dict[str, str]

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of the tests."""
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments]
        ran = subprocess.run(
            argv,
            cwd=local.ROOT,
            env={**os.environ, **fetched(), **self.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr

    def plant(self, defect: Defect) -> None:
        """Raises SystemExit where the build holds nothing of the kind."""
        plant(defect.name, self.served, defect.glob, defect.pattern, defect.becomes)

    def restore(self) -> None:
        """The page as it was built."""
        shutil.copytree(self.built, self.served, dirs_exist_ok=True)


@contextmanager
def silent_server() -> Iterator[str]:
    """Its connections are opened by the system, and nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def named(place: Place, defect: Defect) -> tuple[bool, str]:
    """Whether its test failed for it, and the line that says so."""
    place.plant(defect)
    file = next(
        file
        for file in (local.ROOT / "e2e").glob("test_*.py")
        if f"def {defect.test.partition('[')[0]}(" in file.read_text()
    )
    test = defect.test if "[" in defect.test else f"{defect.test}[chromium]"
    code, result = place.run(f"{file.relative_to(local.ROOT)}::{test}")
    place.restore()
    line = next((line for line in result.splitlines() if not line.startswith(">") and re.search(defect.says, line)), "")
    return code == 1 and bool(line), line.removeprefix("E").strip() or result[-2000:]


def main() -> int:
    """Print a line for each defect; 1 where one is not named, or a healthy page fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--healthy", type=int, default=1, metavar="RUNS", help="so often the whole suite, which may not fail"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, silent_server() as silent:
        subprocess.run(
            ["npm", "--prefix", str(local.ROOT / "apps/web"), "run", "build"], check=True, stdout=subprocess.DEVNULL
        )
        served = Path(folder) / "dist"
        shutil.copytree(local.DIST, served)
        with local.running(build=False, folder=served) as environ:
            place = Place(served, local.DIST, environ)
            missed = [defect.name for defect in defects(silent) if not _told(place, defect)]
            flakes = _healthy(place, options.healthy)
    print(
        f"{len(defects(silent)) - len(missed)} of {len(defects(silent))} defects are named by the test that is meant for them"
    )
    return 1 if missed or flakes else 0


def _told(place: Place, defect: Defect) -> bool:
    started = time.monotonic()
    is_named, line = named(place, defect)
    print(
        f"{'named ' if is_named else 'MISSED'} {defect.name} ({time.monotonic() - started:.1f} s)\n       {line}",
        flush=True,
    )
    return is_named


def _healthy(place: Place, runs: int) -> int:
    failed = 0
    for number in range(1, runs + 1):
        code, result = place.run("e2e")
        failed += code != 0
        if code:
            print(result[-3000:])
        if number % 10 == 0:
            print(f"after {number} runs: {failed} failed", flush=True)
    print(f"{runs} runs of the whole suite on the page as it is: {failed} failed", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
