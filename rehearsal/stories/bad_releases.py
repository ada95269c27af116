"""Thirteen releases that start well and serve their users badly, each in its own way, and the gate that catches each.

They are one image; the name of a release says what it does (bad_backend.py). Each is deployed to staging, which for this story shifts
and watches traffic as production does, by `shipmate deploy`: the steps of a production delivery without an approval. Users send requests
all the time. That the last two come as far as they do shows that the image has no other fault.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.synthetic_users import SyntheticUsers
from rehearsal.scenario.user import CommandResult, User
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
MIDDLEWARE = "apps/backend/backend/middleware/misbehaviour.py"
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
class BadRelease:
    """A release: `defect` is what it does, in words; `gates` are those that may catch it: the first that meets the fault does."""

    release: str
    defect: str
    gates: tuple[str, ...] = (CHECKS, COMPARISON)


BAD = (
    BadRelease(release="bad-dead", defect="answers nothing but its health checks"),
    BadRelease(release="bad-empty", defect="shows no notes"),
    BadRelease(release="bad-blind", defect="search fails"),
    BadRelease(release="bad-finds-nothing", defect="search finds nothing"),
    BadRelease(release="bad-cannot-delete", defect="no note can be deleted"),
    BadRelease(release="bad-forgetful", defect="one note in five is not kept"),
    BadRelease(release="bad-fails-a-fifth", defect="one request in five fails"),
    BadRelease(release="bad-fails-a-tenth", defect="one request in ten fails"),
    BadRelease(release="bad-slow", defect="every answer takes 0.3 s more"),
    BadRelease(release="bad-sometimes-slow", defect="one answer in ten takes 2.5 s more"),
    BadRelease(release="bad-wears-out", defect="fails after 60 requests"),
    BadRelease(release="bad-fails-with-traffic", defect="fails once it has traffic", gates=(WATCH,)),
    BadRelease(release="bad-slow-with-traffic", defect="is slow once it has traffic", gates=(WATCH,)),
)


def run(scenario: Scenario) -> None:
    manager = scenario.user("release-manager")
    image = _push_bad_image(scenario, manager)
    before = scenario.public_releases(STAGING)
    published = _published(scenario)
    with scenario.user_traffic(STAGING, "thirteen bad releases, one after the other", every=EVERY, notes=True) as users:
        for bad in BAD:
            _is_caught(scenario, manager, bad, image, users)
            live = scenario.public_releases(STAGING)
            expect(live == before, "users have the release they had", live)
        _expect_nothing_left(scenario, manager, before, published)


def _push_bad_image(scenario: Scenario, manager: User) -> str:
    """The image that misbehaves by its name, pushed; and a manifest whose staging is watched as production is."""
    manager.update_main()
    manager.write(MIDDLEWARE, Path(bad_backend.__file__).read_text())
    manager.edit(APP, IMPORTS, f"{IMPORTS}from backend.middleware.misbehaviour import Misbehaviour\n")
    manager.edit(APP, INNERMOST, INNERMOST + ADDED)
    manifest = (manager.clone / "shipmate.yml").read_text()
    watch = re.findall(r"^    watch: .*\n", manifest, re.MULTILINE)
    expect(len(watch) == 2, "staging and production say how they are watched", watch)
    manager.edit("shipmate.yml", watch[0], watch[1])
    shift = f"      shift: {list(SHIFT)}\n      watch_seconds: {WATCH_SECONDS}\n"
    manager.edit("shipmate.yml", STAGING_SHIFT, shift)
    scenario.push_branch(manager, "bad-by-name", "feat: be bad by name")
    return manager.command("shipmate image push backend --environment staging").out.strip().splitlines()[-1]


def _is_caught(scenario: Scenario, manager: User, bad: BadRelease, image: str, users: SyntheticUsers) -> None:
    """It is deployed, and refused or rolled back; with its row of the report's table."""
    started = time.time()
    result = _deploy(manager, bad.release, image)
    ended = time.time()
    with scenario.then(f"{bad.release} was caught: {bad.defect}") as event:
        gate = gate_of(result)
        sent = users.between(started, ended)
        share, since, until = traffic_of(scenario, bad.release, started, ended)
        during = users.between(since, until)
        failed = sum(not each.ok for each in sent)
        event.facts["caught"] = {
            "release": bad.release,
            "defect": bad.defect,
            "gate": gate,
            "traffic_percent": share,
            "exposed_seconds": until - since,
            "failed_requests": failed,
            "requests": len(sent),
            "seconds": (until if share else ended) - started,
        }
        expect(result.code == CHECK_FAILED, f"the command exits with {CHECK_FAILED}", result.text[-1500:])
        expect(gate in bad.gates, f"it was caught by: {', '.join(bad.gates)}", f"{gate}: {result.err[-1500:]}")
        expect(share == (FIRST if gate == WATCH else 0), "it had no more traffic than its first share", share)
        bound = int(WORST_SHARE * len(during)) + SLACK if share else 0
        expect(failed <= bound, f"at most {bound} requests of users failed", [each for each in sent if not each.ok][:5])


def _deploy(manager: User, release: str, image: str) -> CommandResult:
    return manager.command(
        f"shipmate deploy --environment staging --release {release} --artifact backend={image} --from staging", ok=False
    )


def gate_of(result: CommandResult) -> str:
    """The gate that the command names; its output when it names none."""
    step = STEP.search(result.err)
    return next((gate for words, gate in GATES.items() if step and words in step[1]), result.err[-500:])


def traffic_of(scenario: Scenario, release: str, started: float, ended: float) -> tuple[int, float, float]:
    """The largest share of users that the provider was set to send to a release, from when until when."""
    shifts = [
        s
        for s in scenario.world.inspect("traffic-changes")
        if s["environment"] == STAGING and started <= s["at"] <= ended
    ]
    mine = [s for s in shifts if f"{release} " in s["text"]]
    if not mine:
        return 0, ended, ended
    shares = [int(found) for s in mine for found in re.findall(rf"{re.escape(release)} (\d+) %", s["text"])]
    after = [s["at"] for s in shifts if s["at"] > mine[-1]["at"] and s["component"] == mine[-1]["component"]]
    return max(shares), float(mine[0]["at"]), float(after[0] if after else ended)


def _expect_nothing_left(scenario: Scenario, manager: User, before: dict[str, str], published: list[str]) -> None:
    """Of none of them: neither a mark as stable, nor a success in the ledger, nor a release."""
    names = {bad.release for bad in BAD}
    with scenario.then("none of them is stable, succeeded or was published"):
        rows = json.loads(manager.command("shipmate status --environment staging --json").out)
        expect({r["component"]: r["release"] for r in rows} == before, "what was live is live", rows)
        expect(all((r["stable"], r["stops"]) == ("yes", "") for r in rows), "it is stable, and nothing stops", rows)
        back = manager.command("shipmate rollback --environment staging --dry-run", ok=None)
        expect(not any(name in back.out for name in names), "a rollback goes to none of them", back.text[-800:])
        records = scenario.observer.api("GET", f"deployments?environment={STAGING}&per_page=100")
        mine = [r for r in records if r["task"] == "shipmate" and r["payload"].get("release") in names]
        expect({r["payload"]["release"] for r in mine} == names, "each has a record", len(mine))
        for record in mine:
            states = [s["state"] for s in scenario.observer.api("GET", f"deployments/{record['id']}/statuses")]
            expect(states[0] == "failure" and "success" not in states, "its record says that it failed", states)
        expect(_published(scenario) == published, "nothing was published", _published(scenario))


def _published(scenario: Scenario) -> list[Any]:
    """Tags of the releases on GitHub."""
    return sorted(found["tag_name"] for found in scenario.observer.api("GET", "releases?per_page=100"))
