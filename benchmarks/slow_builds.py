"""Slow builds of the sample platform: each must miss the target that is meant for it, and the healthy build must pass every time.

`python -m benchmarks.slow_builds [--healthy 20] [--profile smoke] [--samples 75] [--only NAME]`. Each run starts the platform afresh: the
backend with PostgreSQL and Redis, from a copy of its sources in which the slowness was planted, and the built page. A load test of the
manifest's journeys is made of it, the page is opened in a browser where that is what is slow (or --samples for the healthy one), and both
are read and judged as the workflow *Performance* does. Load, platform and browser share this machine. A run whose generator was late is
invalid: it is shown, counted apart, and made again. Exit 1 where a slow build is not caught, or a healthy one does not pass.

The slow start of the mobile app is not planted here: it is reported by the apps, not by the platform.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks._planting import plant
from e2e import local
from loadtests.arrivals import Profile
from loadtests.run import Caps, run
from loadtests.verdicts import Answer, Judgement, judge, milliseconds
from pipelines import performance
from pipelines.delivery import load_target
from pipelines.manifest import Manifest, load

RESPONSES, QUERIES, PAGES = "API responses", "database queries", "page load"
ENVIRONMENT = "staging"
"""Whose load and targets hold."""
PROFILE = "smoke"
SAMPLES = 75
"""Contexts of each device, as the workflow opens them; a miss shows with fewer."""
_FEW = 10
_ATTEMPTS = 5
_NOTES, _OF_ONE_USER = 100, 50
_TOKEN = secrets.token_hex(16)
_PICTURE = "photo.bmp"
_WIDTH = 600


@dataclass(frozen=True, kw_only=True)
class Build:
    """`pattern` in the file of `part` (backend, or web as built) becomes `becomes`; then `misses` is missed, and nothing else."""

    name: str
    part: str = ""
    file: str = ""
    pattern: str = ""
    becomes: str = ""
    misses: str = ""
    undecided: bool = False
    """The truth is the limit itself: a run cannot tell, and must not pass."""

    def plant(self, folder: Path) -> None:
        """In a copy of the platform. Raises SystemExit where the sources have changed."""
        if self.part:
            plant(self.name, folder / self.part, self.file, self.pattern, self.becomes)
        if self.part == "web" and _PICTURE in self.becomes:
            (folder / "web" / _PICTURE).write_bytes(picture(_WIDTH))


def stalls(every: float) -> str:
    """For one second in so many, the process does nothing else."""
    return rf"""\1
        def stall() -> None:
            __import__("time").sleep(1)
            asyncio.get_running_loop().call_later({every - 1:g}, stall)
        stall()"""


_OPENED = r"(        await services\.database\.open\(\))"
HEALTHY = Build(name="healthy")
SLOW = (
    Build(
        name="slow query",  # each list of notes waits 200 ms in PostgreSQL
        part="backend",
        file="backend/notes.py",
        pattern=r'(?<=_NEWEST = """\n)    SELECT id, body, summary, created_at FROM notes\n',
        becomes="    SELECT id, body, summary, created_at FROM notes, pg_sleep(0.2)\n",
        misses=QUERIES,
    ),
    Build(
        name="slow endpoint",  # each search waits 800 ms for something that is not the database
        part="backend",
        file="backend/routes/notes.py",
        pattern=r"(    key = await services\.cache\.key\(query, limit\))",
        becomes=r'\1\n    await __import__("asyncio").sleep(0.8)',
        misses=RESPONSES,
    ),
    Build(
        name="stalls 1 s in 3",
        part="backend",
        file="backend/app.py",
        pattern=_OPENED,
        becomes=stalls(3),
        misses=RESPONSES,
    ),
    Build(
        name="stalls 1 s in 10",  # one in twenty waits for 500 ms or longer: the limit
        part="backend",
        file="backend/app.py",
        pattern=_OPENED,
        becomes=stalls(10),
        misses=RESPONSES,
        undecided=True,
    ),
    Build(
        name="picture of 1 MB",
        part="web",
        file="index.html",
        pattern="</body>",
        becomes=f'<img src="/{_PICTURE}" alt="" width="{_WIDTH}" height="{_WIDTH}"></body>',
        misses=PAGES,
    ),
    Build(
        name="script that blocks",
        part="web",
        file="index.html",
        pattern="</body>",
        becomes="<script>for (const until = performance.now() + 2500; performance.now() < until;);</script></body>",
        misses=PAGES,
    ),
)


def picture(width: int) -> bytes:
    """A square of noise, as a bitmap of three bytes a pixel."""
    size = 3 * width * width
    numbers = (54 + size, 0, 54, 40, width, width, 1 | 24 << 16, 0, size, 0, 0, 0, 0)
    return b"BM" + b"".join(each.to_bytes(4, "little") for each in numbers) + os.urandom(size)


@dataclass(frozen=True)
class Platform:
    """Where one is."""

    web: str
    api: str


@contextmanager
def platform(build: Build) -> Iterator[Platform]:
    """A build, running, with some notes in it. apps/web must have been built."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copytree(local.DIST, folder / "web")
        shutil.copytree(local.BACKEND, folder / "backend", ignore=shutil.ignore_patterns("__pycache__", "tests"))
        build.plant(folder)
        os.environ["PROBE_TOKEN"] = _TOKEN
        with local.web_server(folder / "web") as (server, config):
            web = f"http://127.0.0.1:{server.server_port}"
            with local.backend(web, folder / "backend") as api:
                config["apiUrl"] = api
                write_notes(api)
                yield Platform(web=web, api=api)


def write_notes(api: str) -> None:
    """So that lists and searches find some."""
    for number in range(_NOTES):
        note = json.dumps({"text": f"Release {number} was rolled back after {number} minutes"}).encode()
        headers = {
            "Content-Type": "application/json",
            "X-User": f"writer-{number // _OF_ONE_USER}",
            load_target.LOAD_HEADER: _TOKEN,
        }
        urlopen(Request(f"{api}/notes", note, headers)).close()


def measured(build: Build, manifest: Manifest, profile: str, samples: int, seed: int) -> Judgement:
    """What the workflow would say of it. `samples`: contexts of each device in which the page is opened; 0 for none."""
    with platform(build) as place, tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _make_visits(place, manifest, profile, seed, folder)
        recording, _ = performance.read_shards(folder)
        pages = None
        if samples:
            _open_page(place, samples, folder)
            pages = performance.read_pages(folder)
    return judge(recording, manifest.performance.targets, samples={PAGES: pages.milliseconds} if pages else None)


def _make_visits(place: Platform, manifest: Manifest, profile: str, seed: int, folder: Path) -> None:
    limits = load_target.limits_of(manifest, ENVIRONMENT)
    declared = load_target.profile_named(manifest, profile)
    recording = run(
        Profile.declared(profile, declared, limits),
        {name: each for name, each in manifest.journeys.items() if each.weight > 0},
        {"backend": place.api, "web": place.web},
        hosts=["127.0.0.1"],
        environment=ENVIRONMENT,
        seed=seed,
        headers={"backend": {load_target.LOAD_HEADER: _TOKEN}},
        caps=Caps(rate=limits.visits_per_second, seconds=limits.seconds),
    )
    if "interrupted" in recording.stopped:
        raise KeyboardInterrupt
    (folder / "shard-0.json").write_text(json.dumps({"commit": "", "recording": json.loads(recording.to_json())}))


def _open_page(place: Platform, samples: int, folder: Path) -> None:
    argv = [sys.executable, "-m", "e2e.page_load", "--json", str(folder / "pages.json"), "--samples", str(samples)]
    where = {"E2E_WEB_URL": place.web, "E2E_API_URL": place.api}
    ran = subprocess.run(argv, cwd=local.ROOT, env={**os.environ, **where}, capture_output=True, text=True, check=False)
    if not (folder / "pages.json").is_file():
        raise SystemExit(f"the page loads ended with {ran.returncode} and left no result: {ran.stdout}{ran.stderr}")


def caught(build: Build, judgement: Judgement) -> bool:
    """Whether a run says of a build what is true of it."""
    missed = {answer.target for answer in judgement.answers if answer.verdict == "missed"}
    if build is HEALTHY:
        return judgement.verdict == "passed"
    if build.undecided:
        return judgement.verdict in ("missed", "too short to tell") and missed <= {build.misses}
    return missed == {build.misses}


COLUMNS = f"{'build':<20}{RESPONSES:<46}{QUERIES:<46}{PAGES:<46}requests  load average"


def row(build: Build, judgement: Judgement, load_average: float, asked: int) -> str:
    """One line of the table: verdict, 95th percentile and interval of each target; the machine's load average of a minute."""
    by_name = {answer.target: answer for answer in judgement.answers}
    cells = "".join(f"{_cell(by_name.get(target)):<46}" for target in (RESPONSES, QUERIES, PAGES))
    return f"{build.name:<20}{cells}{asked:>8}{load_average:>14.1f}"


def _cell(answer: Answer | None) -> str:
    if answer is None or answer.estimate.value is None:
        return "-"
    low, high = (milliseconds(end).removesuffix(" ms") for end in (answer.estimate.low, answer.estimate.high))
    between = f"{low} and more" if math.isinf(answer.estimate.high) else f"{low} to {high}"
    return f"{answer.verdict}, {milliseconds(answer.estimate.value)} ({between})"


@dataclass
class Bench:
    """Runs builds, prints a line for each, and counts those that were invalid."""

    manifest: Manifest
    profile: str
    seed: int = 0
    invalid: int = 0

    def tells(self, build: Build, samples: int) -> bool:
        """Whether a valid run says of it what is true; False also when none of five was valid."""
        for _ in range(_ATTEMPTS):
            self.seed += 1
            judgement = measured(build, self.manifest, self.profile, samples, self.seed)
            count = sum(each.samples for each in judgement.endpoints)
            print(row(build, judgement, os.getloadavg()[0], count), flush=True)
            for message in judgement.invalid:
                print(f"    {message}", flush=True)
            if judgement.verdict != "invalid":
                right = caught(build, judgement)
                if not right:
                    print(f"    NOT what is true of it: {'; '.join(answer.says for answer in judgement.answers)}")
                return right
            self.invalid += 1
        return False


def main() -> int:
    """0 when every slow build was caught and every healthy one passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--healthy", type=int, default=1, metavar="RUNS", help="of the platform as it is")
    parser.add_argument("--profile", default=PROFILE, help="of the manifest")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="page loads of a healthy build, on each device")
    parser.add_argument("--only", action="append", choices=[build.name for build in SLOW], help="of the slow ones")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--built", action="store_true", help="apps/web/dist is there")
    options = parser.parse_args()
    if not options.built:
        argv = ["npm", "--prefix", str(local.ROOT / "apps/web"), "run", "build"]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    bench = Bench(manifest=load(), profile=options.profile, seed=options.seed)
    print(COLUMNS)
    slow = [build for build in SLOW if options.only is None or build.name in options.only]
    found = sum(bench.tells(build, _FEW if build.misses == PAGES else 0) for build in slow)
    passed = sum(bench.tells(HEALTHY, options.samples) for _ in range(options.healthy))
    print(
        f"\n{found} of {len(slow)} slow builds are distinguished from a good one by the target that is meant for them"
    )
    print(
        f"{passed} of {options.healthy} runs of the healthy build passed; {bench.invalid} invalid runs were made again"
    )
    return 0 if found == len(slow) and passed == options.healthy else 1


if __name__ == "__main__":
    sys.exit(main())
