"""Rollback by command, and by workflow; backend and web together, and forward again."""

from __future__ import annotations

import time

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario


def run(scenario: Scenario) -> None:
    now = scenario.status("production")["backend"]
    with scenario.user_traffic() as users:
        earlier = by_command(scenario, now)
        by_workflow(scenario, now)
        refused(scenario)
    expect(not users.failures(), "no user saw a failed request", users.failures()[:3])
    expect(users.releases("backend")[:2] == [now, earlier], "users went back", users.releases("backend"))


def by_command(scenario: Scenario, now: str) -> str:
    """`shipmate rollback`, by the person on call."""
    on_call = scenario.user("on-call")
    messages = len(scenario.world.notifications())
    started = time.monotonic()
    result = on_call.command("shipmate rollback --environment production")
    seconds = time.monotonic() - started
    live = scenario.public_releases("production")
    with scenario.then(f"production is back to {live['backend']} in {seconds:.1f} s", rollback_seconds=seconds):
        expect(live["backend"] == live["web"] != now, "backend and web went back together", live)
        expect(live["backend"] in result.out, "the command says to where", result.out[-300:])
        scenario.expect_notified(live["backend"], messages)
        again = on_call.command(f"shipmate rollback --environment production --to {live['backend']}")
        expect("already" in again.out, "asked again, it says it is done", again.out[-300:])
    scenario.log_live(live["backend"], "production")
    return live["backend"]


def by_workflow(scenario: Scenario, to: str) -> None:
    """The *Roll back* workflow, here used to return to the newer release."""
    run = scenario.dispatch(scenario.user("on-call"), workflows.ROLL_BACK, environment="production", to=to)
    scenario.expect_conclusion(run, "success")
    with scenario.then(f"production serves {to} again"):
        scenario.expect_live(to)
    scenario.log_live(to, "production")


def refused(scenario: Scenario) -> None:
    """A release that does not exist is refused, with the reason."""
    result = scenario.user("on-call").command("shipmate rollback --environment production --to v0.0.1", ok=False)
    with scenario.then("a release that does not exist is refused, with those that do"):
        expect(result.code == 6, "the exit code is 6", result.code)
        expect("v0.0.1" in result.err and "next:" in result.err, "it says why and what next", result.err[-400:])
