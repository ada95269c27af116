"""Thirteen releases that start well and serve their users badly, each in its own way: what catches each, who saw it, and how long it took.

They are one image; the name of a release says what it does (bad_backend.py). Each is deployed to staging, which for this story shifts
and watches traffic as production does, by the command that a person types; `shipmate deploy` walks the steps of a production delivery,
but nobody has to approve it. Users ask all the while. That the last two come as far as they do shows that the image has no other fault.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.scenario import assertions as proof
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user import Person, Said
from rehearsal.scenario.user_traffic import Observer
from rehearsal.stories import bad_backend

STAGING = "staging"
SHIFT, WATCH_SECONDS = (10, 50, 100), 30
EVERY = 0.2
"""Seconds between two requests of a user: each costs the machine what the deliveries need."""
FIRST = SHIFT[0]
WORST_SHARE = FIRST / 100
"""Of users' requests while a release has its first share of the traffic, that may fail."""
SLACK = 5
"""Requests that may fail beyond it: which requests of a few meet the release is chance."""
CHECK_FAILED = 7
"""What the command exits with when a release is not as it must be."""

APP = "apps/backend/backend/app.py"
WRITTEN = "apps/backend/backend/middleware/misbehaviour.py"
IMPORTS = "from backend.middleware.failures import Failures\n"
INNERMOST = "            probe_token=services.settings.probe_token,\n        ),\n"
ADDED = "        Middleware(Misbehaviour, release=services.settings.release, workers=services.settings.workers),\n"

STAGING_SHIFT = "      shift: [100]\n      watch_seconds: 5\n"

CHECKS = "checks at its own address"
COMPARISON = "comparison without traffic"
WATCH = f"watch at {FIRST} %"
GATES = {
    "at its own address": CHECKS,
    "without traffic": COMPARISON,
    f"give {FIRST} % of the traffic": WATCH,
}
"""What the command calls the step -> the gate."""
STEP = re.compile(r"step \d+/\d+ \((.*?)\)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Bad:
    """A release: `wrong` is what it does, in words; `gates` are those that may catch it: the first that meets the fault does."""

    release: str
    wrong: str
    gates: tuple[str, ...] = (CHECKS, COMPARISON)


BAD = (
    Bad(release="bad-dead", wrong="answers nothing but its health checks"),
    Bad(release="bad-empty", wrong="shows nobody's notes"),
    Bad(release="bad-blind", wrong="search fails"),
    Bad(release="bad-finds-nothing", wrong="search finds nothing"),
    Bad(release="bad-cannot-delete", wrong="no note can be deleted"),
    Bad(release="bad-forgetful", wrong="one note in five is not kept"),
    Bad(release="bad-fails-a-fifth", wrong="one request in five fails"),
    Bad(release="bad-fails-a-tenth", wrong="one request in ten fails"),
    Bad(release="bad-slow", wrong="every answer takes 0.3 s more"),
    Bad(release="bad-sometimes-slow", wrong="one answer in ten takes 2.5 s more"),
    Bad(release="bad-wears-out", wrong="fails after 60 requests"),
    Bad(release="bad-fails-with-traffic", wrong="fails once it has traffic", gates=(WATCH,)),
    Bad(release="bad-slow-with-traffic", wrong="is slow once it has traffic", gates=(WATCH,)),
)


def tell(at: Routine) -> None:
    manager = at.person("release-manager")
    image = _bad_image(at, manager)
    before = at.public_release(STAGING)
    published = _published(at)
    with Observer(place=at.place, environment=STAGING, every=EVERY, notes=True) as users:
        for bad in BAD:
            _is_caught(at, manager, bad, image, users)
            proof.that(at.public_release(STAGING) == before, "users have what they had", at.public_release(STAGING))
        _nothing_remains(at, manager, before, published)
    sights = {k: [[s.at, s.ms, s.ok, s.seen] for s in v] for k, v in users.sights.items()}
    at.diary.note("users", "thirteen bad releases, one after the other", environment=STAGING, sights=sights)


def _bad_image(at: Routine, manager: Person) -> str:
    """The image that misbehaves by its name, pushed; and a manifest whose staging is watched as production is."""
    manager.git("checkout", "-q", "main")
    manager.git("pull", "-q", "origin", "main")
    manager.writes(WRITTEN, Path(bad_backend.__file__).read_text())
    manager.edits(APP, IMPORTS, f"{IMPORTS}from backend.middleware.misbehaviour import Misbehaviour\n")
    manager.edits(APP, INNERMOST, INNERMOST + ADDED)
    manifest = (manager.clone / "shipmate.yml").read_text()
    watch = re.findall(r"^    watch: .*\n", manifest, re.MULTILINE)
    proof.that(len(watch) == 2, "staging and production say how they are watched", watch)
    manager.edits("shipmate.yml", watch[0], watch[1])
    shift = f"      shift: {list(SHIFT)}\n      watch_seconds: {WATCH_SECONDS}\n"
    manager.edits("shipmate.yml", STAGING_SHIFT, shift)
    at.branch(manager, "bad-by-name", "feat: be bad by name")
    return manager.types("shipmate image push backend --environment staging").out.strip().splitlines()[-1]


def _is_caught(at: Routine, manager: Person, bad: Bad, image: str, users: Observer) -> None:
    """Deployed, refused or taken back; with its line of the report's table."""
    began = time.time()
    said = _deploy(manager, bad.release, image)
    ended = time.time()
    with at.diary.during("proof", f"{bad.release} was caught: {bad.wrong}") as entry:
        gate = gate_of(said)
        seen = users.between(began, ended)
        share, since, until = traffic_of(at, bad.release, began, ended)
        met = users.between(since, until)
        failed = sum(not sight.ok for sight in seen)
        entry.facts["caught"] = {
            "release": bad.release,
            "wrong": bad.wrong,
            "by": gate,
            "share": share,
            "exposed": until - since,
            "failed": failed,
            "asked": len(seen),
            "seconds": (until if share else ended) - began,
        }
        proof.that(said.code == CHECK_FAILED, f"the command exits with {CHECK_FAILED}", said.text[-1500:])
        proof.that(gate in bad.gates, f"it was caught by: {', '.join(bad.gates)}", f"{gate}: {said.err[-1500:]}")
        proof.that(share == (FIRST if gate == WATCH else 0), "it had no more traffic than its first share", share)
        bound = int(WORST_SHARE * len(met)) + SLACK if share else 0
        proof.that(failed <= bound, f"at most {bound} requests of users failed", [s for s in seen if not s.ok][:5])


def _deploy(manager: Person, release: str, image: str) -> Said:
    return manager.types(
        f"shipmate deploy --environment staging --release {release} --artifact backend={image} --from staging", ok=False
    )


def gate_of(said: Said) -> str:
    """Which gate the command names; what it said when it names none."""
    step = STEP.search(said.err)
    return next((gate for words, gate in GATES.items() if step and words in step[1]), said.err[-500:])


def traffic_of(at: Routine, release: str, began: float, ended: float) -> tuple[int, float, float]:
    """The largest share of users that the provider was told to send to a release, from when until when."""
    shifts = [s for s in at.place.inspect("shifts") if s["environment"] == STAGING and began <= s["at"] <= ended]
    mine = [s for s in shifts if f"{release} " in s["text"]]
    if not mine:
        return 0, ended, ended
    shares = [int(found) for s in mine for found in re.findall(rf"{re.escape(release)} (\d+) %", s["text"])]
    after = [s["at"] for s in shifts if s["at"] > mine[-1]["at"] and s["component"] == mine[-1]["component"]]
    return max(shares), float(mine[0]["at"]), float(after[0] if after else ended)


def _nothing_remains(at: Routine, manager: Person, before: dict[str, str], published: list[str]) -> None:
    """Of none of them: neither a mark as stable, nor a success in the ledger, nor a release."""
    names = {bad.release for bad in BAD}
    with at.diary.during("proof", "none of them is stable, succeeded or was published"):
        rows = json.loads(manager.types("shipmate status --environment staging --json").out)
        proof.that({r["component"]: r["release"] for r in rows} == before, "what was live is live", rows)
        proof.that(all((r["stable"], r["stops"]) == ("yes", "") for r in rows), "it is stable, and nothing stops", rows)
        back = manager.types("shipmate rollback --environment staging --dry-run", ok=None)
        proof.that(not any(name in back.out for name in names), "a rollback goes to none of them", back.text[-800:])
        records = at.observer.api("GET", f"deployments?environment={STAGING}&per_page=100")
        mine = [r for r in records if r["task"] == "shipmate" and r["payload"].get("release") in names]
        proof.that({r["payload"]["release"] for r in mine} == names, "each has a record", len(mine))
        for record in mine:
            states = [s["state"] for s in at.observer.api("GET", f"deployments/{record['id']}/statuses")]
            proof.that(states[0] == "failure" and "success" not in states, "its record says that it failed", states)
        proof.that(_published(at) == published, "nothing was published", _published(at))


def _published(at: Routine) -> list[Any]:
    """Tags of the releases on GitHub."""
    return sorted(found["tag_name"] for found in at.observer.api("GET", "releases?per_page=100"))
