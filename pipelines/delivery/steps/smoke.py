"""Check the whole environment from outside, where users are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.first_deployment import require_address
from pipelines.delivery.steps.base import Facts, PlannedStep, Step, counted
from pipelines.errors import CheckFailed
from pipelines.threads import together

if TYPE_CHECKING:
    from pipelines.checks.report import Report
    from pipelines.delivery.context import Context


@dataclass(frozen=True, kw_only=True)
class Smoke(PlannedStep):
    """All smoke checks and journeys at the public addresses, at the same time. `component` is the environment: they are about the whole."""

    name: ClassVar[str] = "smoke"
    release: str
    checks: int

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        first = facts[0]
        return [cls(component=first.environment, release=first.release, checks=sum(each.checks for each in facts))]

    @property
    def says(self) -> str:
        return f"{counted(self.checks)} from outside; rolled back if one fails"

    def run(self, context: Context) -> str:
        context.report = _everything(context, self.release, context.delivered.commit)
        require_address(context, context.report)
        return require_passed(context.report, context.environment, context.environment)


def observe_environment(context: Context, release: str | None) -> Report:
    """What all smoke checks and journeys find, against the release that is expected or, without one, whatever its providers say is live."""
    mains = (live.main() for live in context.lives().values())
    identity = next((main.identity for main in mains if main and main.identity), None)
    return _everything(context, release or (identity.release if identity else ""), identity.commit if identity else "")


def _everything(context: Context, release: str, commit: str) -> Report:
    return _asked(context, context.urls(), {"release": release, "commit": commit}, {})


def observe(
    context: Context,
    component: str,
    url: str,
    release: str,
    commit: str,
    *,
    headers: Mapping[str, str] | None = None,
    journeys: bool = True,
) -> Report:
    """What the smoke checks and journeys of one component find at an address. Users send no `headers`; a protected candidate needs some.

    `journeys=False` for a release that may be older than the journeys of the default branch: it need not have what they ask for.
    """
    facts = {"release": release, "commit": commit}
    return _asked(context, {component: url}, facts, headers or {}, with_journeys=journeys)


def _asked(
    context: Context,
    urls: Mapping[str, str],
    facts: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    with_journeys: bool = True,
) -> Report:
    """All checks of the components with an address, at the same time, with the identity of our probes."""
    from pipelines.checks import journeys, smoke
    from pipelines.checks.patience import patiently
    from pipelines.checks.report import Report
    from pipelines.delivery.probes import probe_headers

    checks = [check for check in context.settings.smoke if check.component in urls]
    declared = context.manifest.journeys if with_journeys else {}
    visits = {name: journey for name, journey in declared.items() if journey.component in urls}
    carried = {component: {**headers, **probe_headers(context, component)} for component in urls}
    asks = (
        partial(smoke.run, checks, urls, facts, context.http, headers=carried),
        partial(journeys.report, visits, urls, context.http, headers=carried),
    )
    return patiently(lambda: Report.joined(together(asks)), context.clock, context.settings.patience_seconds)


def require_passed(report: Report, environment: str, where: str) -> str:
    """How many passed. Raises CheckFailed with every check that failed, or when none passed."""
    if report.failed:
        raise CheckFailed(report.failures(), where=where, next_step=f"shipmate smoke --environment {environment}")
    limited = f", {report.limited} not answered (rate limit)" if report.limited else ""
    late = f", the last after {report.latest:.0f} s" if report.latest else ""
    return f"{report.passed} checks passed{late}, slowest {report.slowest_ms:.0f} ms{limited}"
