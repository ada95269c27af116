"""Checks right after a change: how often they are asked again, what decides at once, and a front that lags behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from pipelines.checks import smoke
from pipelines.checks.patience import DECIDED, patiently
from pipelines.checks.report import Report, Result
from pipelines.clock import Clock
from pipelines.manifest.model import Smoke
from pipelines.manifest.targets import CloudRun, Scaling
from pipelines.providers.cloud_run import CloudRunHost
from pipelines.roles import Artifact, Identity
from tests.pipelines.providers.clouds import API, Clouds, clouds


@dataclass
class Rounds:
    """Gives one round of results after the other, the last one for ever; time passes only by waiting."""

    rounds: Sequence[Sequence[Result]]
    asked: int = 0
    now: float = 0.0

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def report(self, seconds: float = 30.0) -> Report:
        return patiently(self._ask, Clock(real=lambda: self.now, wait=self.wait), seconds)

    def _ask(self) -> Report:
        self.asked += 1
        return Report(results=tuple(self.rounds[min(self.asked, len(self.rounds)) - 1]), seconds=0.1)


def version(*, new: bool) -> Result:
    problems = () if new else ("release is 'v1' instead of 'v2'",)
    return Result(name="version", component="api", url="u", status=200, ms=1, problems=problems, names_release=True)


def health(status: int | None = 200) -> Result:
    problems = () if status == 200 else (f"answered {status}",)
    return Result(name="health", component="api", url="u", status=status, ms=1, problems=problems)


def test_what_passes_at_once_is_asked_once() -> None:
    rounds = Rounds([[version(new=True), health()]])
    assert not rounds.report().failed
    assert (rounds.asked, rounds.now) == (1, 0)


def test_a_check_that_passed_late_says_so() -> None:
    found = Rounds([[version(new=True), health(503)]] * 4 + [[version(new=True), health()]]).report()
    assert (found.failed, found.rounds) == (False, 5)
    assert [result.says for result in found.results] == ["", "passed after 3 s"]
    assert "passed after 3 s" in found.as_text()
    assert "passed after 3 s" in found.as_markdown()
    assert found.latest == pytest.approx(2.684)


def test_after_another_release_answered_a_round_passes_twice() -> None:
    """What passed beside the new release's name may have been answered by the old one."""
    both = [version(new=True), health()]
    rounds = Rounds([[version(new=False), health()], both, [version(new=True), health(500)]])
    assert rounds.report().failed
    assert not (found := Rounds([[version(new=False), health()], both]).report()).failed
    assert found.rounds == 3


def test_what_never_passes_fails_when_the_time_is_over() -> None:
    rounds = Rounds([[version(new=False), health()]])
    found = rounds.report()
    assert (found.failed, rounds.now) == (True, 30)
    assert found.failures().startswith("1 of 2 checks failed: version")
    assert found.failures().endswith(f" (asked {rounds.asked} times in 30 s)")


def test_a_release_that_answers_wrongly_itself_is_not_waited_for() -> None:
    rounds = Rounds([[version(new=True), health(500)]])
    assert rounds.report().failed
    assert rounds.asked == DECIDED
    assert rounds.now < 3


@pytest.mark.parametrize(
    "one",
    [
        [version(new=True), health(503)],
        [version(new=True), health(None)],
        [version(new=False), health(500)],
        [health(500)],
    ],
    ids=["starting", "no answer", "another release", "nobody says who answers"],
)
def test_what_may_go_away_is_waited_for(one: list[Result]) -> None:
    rounds = Rounds([one])
    assert rounds.report().failed
    assert rounds.now == 30


def test_a_round_that_differs_decides_nothing() -> None:
    wrong, well = [version(new=True), health(500)], [version(new=True), health(503)]
    rounds = Rounds([wrong, wrong, wrong, wrong, well, wrong, wrong, wrong, wrong, [version(new=True), health()]])
    assert not rounds.report().failed


def test_without_patience_everything_is_asked_once() -> None:
    rounds = Rounds([[health(503)], [health()]])
    assert rounds.report(seconds=0).failed
    assert rounds.asked == 1


def test_a_rate_limit_was_waited_out_already() -> None:
    refused = Result(name="health", component="api", url="u", status=429, ms=1, limited=True)
    rounds = Rounds([[refused]])
    assert rounds.report().failed
    assert rounds.asked == 1


# against Cloud Run, whose front lags behind ---------------------------------------------------------------------------------

CHECKS = [
    Smoke(name="version", component="backend", path="/version", json={"release": "{release}"}),
    Smoke(name="things", component="backend", path="/things"),
]
URL = "https://api-staging.techmate.ai"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Clouds]:
    with clouds(tmp_path) as made:
        yield made


def go_live(cloud: Clouds, release: str, app: str) -> None:
    target = CloudRun(
        provider="cloud-run",
        project=API.project,
        region=API.location,
        service=API.service,
        url=URL,
        service_account="api@techmate-staging.iam.gserviceaccount.com",
        scaling=Scaling(min=0, max=1),
    )
    host = CloudRunHost(target, cloud.http, lambda: "token")
    reference = cloud.image(app)
    digest = reference.partition("@")[2]
    artifact = Artifact(component="backend", digest=digest, reference=reference)
    staged = host.stage(artifact, Identity(release=release, commit="c" * 40, digest=digest))
    host.shift(staged.key, 100)


def checked(cloud: Clouds, release: str, seconds: float) -> Report:
    """With a front that has heard of the change after two rounds; time passes only by waiting."""
    waits: list[float] = []

    def wait(pause: float) -> None:
        waits.append(pause)
        if len(waits) == 2:
            cloud.run.control.lag(seconds=0)

    ask = partial(smoke.run, CHECKS, {"backend": URL}, {"release": release}, cloud.http)
    return patiently(ask, Clock(real=lambda: sum(waits), wait=wait), seconds)


@pytest.mark.world
def test_traffic_that_arrives_late_is_waited_for(cloud: Clouds) -> None:
    go_live(cloud, "v1.0.0", "one")
    cloud.run.control.lag(seconds=600, share=1.0)
    go_live(cloud, "v1.1.0", "two")
    at_once = smoke.run(CHECKS, {"backend": URL}, {"release": "v1.1.0"}, cloud.http)
    assert "release is 'v1.0.0' instead of 'v1.1.0'" in at_once.failures()
    found = checked(cloud, "v1.1.0", 30)
    assert (found.failures(), found.rounds) == ("", 4), "two that found the old release, and two in a row that passed"
    assert [result.says for result in found.results] == ["passed after 2 s", ""]


@pytest.mark.world
def test_a_broken_revision_behind_the_same_front_is_refused_long_before_the_end(cloud: Clouds) -> None:
    go_live(cloud, "v1.0.0", "one")
    cloud.run.control.lag(seconds=600, share=1.0)
    go_live(cloud, "v1.1.0", "wrong")
    found = checked(cloud, "v1.1.0", 300)
    assert found.failures().startswith("1 of 2 checks failed: things")
    assert (found.rounds, found.waited < 10) == (2 + DECIDED, True)


@pytest.mark.world
def test_half_of_the_requests_go_where_they_went_before(cloud: Clouds) -> None:
    go_live(cloud, "v1.0.0", "one")
    cloud.run.control.lag(seconds=600)
    go_live(cloud, "v1.1.0", "two")
    host = URL.removeprefix("https://")
    answered = [cloud.answer(host, "/version").json()["release"] for _ in range(40)]
    assert 5 <= answered.count("v1.0.0") <= 35
    cloud.run.control.lag(seconds=0)
    assert {cloud.answer(host, "/version").json()["release"] for _ in range(10)} == {"v1.1.0"}
