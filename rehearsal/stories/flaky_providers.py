"""Providers limit, fail, cut connections and lose answers: the release is still deployed, once, and says what it survived."""

from __future__ import annotations

from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario

JOBS = {"emulator": "github", "by": "job"}
"""Users send requests to GitHub too: what is meant for the pipeline must not hit its reviewers."""
FAULTS: tuple[dict[str, object], ...] = (
    {**JOBS, "method": "POST", "path": "/deployments$", "kind": "lose_answer", "times": 1},
    {**JOBS, "method": "GET", "path": "/commits/", "kind": "status", "status": 502, "times": 2},
    {"emulator": "google-auth", "method": "POST", "path": "/v1/token", "kind": "status", "status": 503, "times": 1},
    {"emulator": "cloud-run", "method": "GET", "path": "/services/", "kind": "throttle", "retry_after": 1, "times": 2},
    {"emulator": "cloud-run", "method": "PATCH", "path": "/services/", "kind": "lose_answer", "times": 2},
    {"emulator": "cloud-run", "method": "GET", "path": "/operations/", "kind": "cut", "times": 2},
    {"emulator": "secret-manager", "method": "GET", "path": ":access", "kind": "cut", "times": 1},
    {"emulator": "vercel", "method": "POST", "path": "/v13/deployments", "kind": "lose_answer", "times": 1},
    {"emulator": "vercel", "method": "POST", "path": "/promote/", "kind": "lose_answer", "times": 1},
    {"emulator": "vercel", "method": "GET", "path": "/deployments/", "kind": "throttle", "retry_after": 1, "times": 1},
    {"emulator": "registry", "method": "HEAD", "path": "/manifests/", "kind": "status", "status": 500, "times": 1},
)


def run(scenario: Scenario) -> None:
    dev = scenario.user("dev-1")
    dev.update_main()
    version = scenario.next_version()
    scenario.tag(dev, version)
    before = len(scenario.world.faults_fired())
    with scenario.when(f"the providers become unreliable: {len(FAULTS)} kinds of fault"):
        scenario.world.set_faults(FAULTS)
    try:
        run = scenario.deliver_to_production(version)
    finally:
        fired = scenario.world.faults_fired()[before:]
        scenario.world.clear_faults()
    scenario.log.add("faults", f"{len(fired)} faults happened", fired=fired)
    with scenario.then("it was released once, and says what it survived"):
        kinds = {fault["kind"] for fault in fired}
        expect(kinds >= {"lose_answer", "status", "throttle", "cut"}, "every kind of fault happened", kinds)
        scenario.expect_live(version)
        logs = "".join(
            scenario.job_log(job["id"]) for job in scenario.jobs(run).values() if job["conclusion"] == "success"
        )
        expect("Survived" in logs, "the logs say what was survived")
        scenario.expect_released_once(version)
