"""Providers limit, fail, cut connections and lose answers: the release still goes out, once, and says what it survived."""

from __future__ import annotations

from rehearsal.scenario import assertions as proof
from rehearsal.scenario.steps import Routine
from rehearsal.stories.unapproved import next_version

JOBS = {"emulator": "github", "by": "job"}
"""People ask GitHub too: what is meant for the pipeline must not hit whoever reviews it."""
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


def tell(at: Routine) -> None:
    dev = at.person("dev-1")
    dev.git("checkout", "-q", "main")
    dev.git("pull", "-q", "origin", "main")
    version = next_version(at)
    at.tag(dev, version)
    before = len(at.place.faults_fired())
    with at.diary.during("act", f"the providers become unreliable: {len(FAULTS)} kinds of fault"):
        at.place.set_faults(FAULTS)
    try:
        run = at.release_reaches_production(version)
    finally:
        fired = at.place.faults_fired()[before:]
        at.place.clear_faults()
    at.diary.note("faults", f"{len(fired)} faults happened", fired=fired)
    with at.diary.during("proof", "it went out once, and says what it survived"):
        kinds = {fault["kind"] for fault in fired}
        proof.that(kinds >= {"lose_answer", "status", "throttle", "cut"}, "every kind of fault happened", kinds)
        proof.that(at.public_release("production") == {"backend": version, "web": version}, "it is live")
        logs = "".join(
            str(at.observer.api("GET", f"actions/jobs/{job['id']}/logs"))
            for job in at.jobs(run).values()
            if job["conclusion"] == "success"
        )
        proof.that("Survived" in logs, "the logs say what was survived")
        once(at, version)


def once(at: Routine, version: str) -> None:
    """One of everything: revision, deployment, record, release."""
    records = [
        d for d in at.observer.api("GET", "deployments?environment=production&per_page=100") if d["task"] == "shipmate"
    ]
    mine = [d for d in records if d["payload"].get("release") == version]
    proof.that(len(mine) == 1, "one record in the ledger", len(mine))
    releases = [r for r in at.observer.api("GET", "releases?per_page=100") if r["tag_name"] == version]
    proof.that(len(releases) == 1, "one GitHub release", len(releases))
    inventory = at.place.inventory(version)
    proof.that(inventory["vercel"] == 1, "one Vercel deployment", inventory)
    proof.that(inventory["cloud-run"] <= 2, "one candidate and one live revision at Cloud Run", inventory)
