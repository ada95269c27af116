"""A pull request reaches production, by the commands of the quick start; then a second release."""

from __future__ import annotations

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user_traffic import Observer


def tell(at: Routine) -> None:
    # A load test after each deployment to staging has stories of its own, and would slow down all the others.
    at.observer.api("PUT", f"actions/workflows/{workflows.PERFORMANCE}/disable")
    first_release(at)
    second_release(at)


def first_release(at: Routine) -> None:
    """The way of a change in the backend and the web app, to v1.0.0."""
    dev, reviewer = at.person("dev-1"), at.person("dev-2")
    dev.writes("apps/backend/backend/greeting.py", '"""A greeting."""\n\nGREETING = "Welcome aboard"\n')
    dev.writes("apps/web/public/robots.txt", "User-agent: *\nDisallow:\n")
    at.branch(dev, "welcome", "feat: welcome people aboard")
    at.change_reaches_staging(dev, reviewer, "welcome", "feat: welcome people aboard")
    at.tag(dev, "v1.0.0")
    at.release_reaches_production("v1.0.0")
    _is_live(at, "v1.0.0")


def second_release(at: Routine) -> None:
    """A fix of the web app alone: CI runs what it affects, and the users see no failed request."""
    dev, reviewer = at.person("dev-2"), at.person("dev-1")
    dev.git("checkout", "-q", "main")
    dev.git("pull", "-q", "origin", "main")
    dev.writes("apps/web/public/robots.txt", "User-agent: *\nDisallow: /private\n")
    at.branch(dev, "robots", "fix: keep robots out of private pages")
    at.change_reaches_staging(dev, reviewer, "robots", "fix: keep robots out of private pages")
    at.tag(dev, "v1.0.1")
    with Observer(place=at.place, environment="production") as users:
        at.release_reaches_production("v1.0.1", dispatcher="dev-2")
    at.diary.note(
        "users",
        "what users saw meanwhile",
        sights={k: [[s.at, s.ms, s.ok, s.seen] for s in v] for k, v in users.sights.items()},
    )
    proof.that(not users.failures(), "no user saw a failed request", users.failures()[:3])
    proof.that(len(users.sights["backend"]) > 20, "users were asking all the time", len(users.sights["backend"]))
    proof.that(
        users.releases("backend") == ["v1.0.0", "v1.0.1"], "users went from v1.0.0 to v1.0.1", users.releases("backend")
    )
    _is_live(at, "v1.0.1")


def _is_live(at: Routine, version: str) -> None:
    with at.diary.during("proof", f"{version} is live, and only once released"):
        both = {"backend": version, "web": version}
        proof.that(
            at.public_release("production") == both, "both answer with it from outside", at.public_release("production")
        )
        proof.that(at.live("production") == both, "shipmate status says so", at.live("production"))
        release = at.observer.api("GET", f"releases/tags/{version}")
        proof.that(not release["draft"], "the GitHub release is published")
        named = [r for r in at.observer.api("GET", "releases") if r["tag_name"] == version]
        proof.that(len(named) == 1, "there is one release of it", len(named))
