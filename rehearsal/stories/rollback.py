"""The way back: by command, and by workflow; backend and web together, and forward again."""

from __future__ import annotations

import time

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user_traffic import Observer


def tell(at: Routine) -> None:
    now = at.live("production")["backend"]
    with Observer(place=at.place, environment="production") as users:
        earlier = by_command(at, now)
        by_workflow(at, now)
        refused(at)
    sights = {k: [[s.at, s.ms, s.ok, s.seen] for s in v] for k, v in users.sights.items()}
    at.diary.note("users", "what users saw meanwhile", sights=sights)
    proof.that(not users.failures(), "no user saw a failed request", users.failures()[:3])
    proof.that(users.releases("backend")[:2] == [now, earlier], "users went back", users.releases("backend"))


def by_command(at: Routine, now: str) -> str:
    """`shipmate rollback`, by whoever is on call."""
    on_call = at.person("on-call")
    messages = len(at.place.messages())
    started = time.monotonic()
    said = on_call.types("shipmate rollback --environment production")
    seconds = time.monotonic() - started
    live = at.public_release("production")
    with at.diary.during("proof", f"production is back to {live['backend']} in {seconds:.1f} s", seconds=seconds):
        proof.that(live["backend"] == live["web"] != now, "backend and web went back together", live)
        proof.that(live["backend"] in said.out, "the command says to where", said.out[-300:])
        told = {message["via"] for message in at.place.messages()[messages:] if live["backend"] in message["text"]}
        proof.that(told >= {"slack", "smtp"}, "people were told", told)
        again = on_call.types(f"shipmate rollback --environment production --to {live['backend']}")
        proof.that("already" in again.out, "asked again, it says it is done", again.out[-300:])
    at.diary.note("live", f"{live['backend']} is live again", environment="production", release=live["backend"])
    return live["backend"]


def by_workflow(at: Routine, to: str) -> None:
    """The *Roll back* workflow, here used to return to the newer release."""
    run = at.dispatch(at.person("on-call"), workflows.ROLL_BACK, environment="production", to=to)
    at.must_end(run, "success")
    with at.diary.during("proof", f"production serves {to} again"):
        proof.that(
            at.public_release("production") == {"backend": to, "web": to},
            "both answer with it",
            at.public_release("production"),
        )
    at.diary.note("live", f"{to} is live", environment="production", release=to)


def refused(at: Routine) -> None:
    """It refuses, saying why, when there is nothing of that name to go back to."""
    said = at.person("on-call").types("shipmate rollback --environment production --to v0.0.1", ok=False)
    with at.diary.during("proof", "a release that is not there is refused, with what is there"):
        proof.that(said.code == 6, "the exit code is 6", said.code)
        proof.that("v0.0.1" in said.err and "next:" in said.err, "it says why and what next", said.err[-400:])
