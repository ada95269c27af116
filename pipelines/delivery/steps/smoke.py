"""Check the whole environment from outside, where users are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pipelines.delivery.steps.base import Facts, PlannedStep, Step, counted
from pipelines.errors import CheckFailed

if TYPE_CHECKING:
    from pipelines.checks.report import Report
    from pipelines.delivery.context import Context


@dataclass(frozen=True, kw_only=True)
class Smoke(PlannedStep):
    """All smoke checks at the public addresses, at the same time. `component` is the environment: they are about the whole."""

    name: ClassVar[str] = "smoke"
    release: str
    checks: int

    @classmethod
    def plan(cls, facts: Sequence[Facts]) -> list[Step]:
        first = facts[0]
        return [cls(component=first.environment, release=first.release, checks=sum(each.checks for each in facts))]

    @property
    def says(self) -> str:
        return f"{counted(self.checks)} from outside; taken back if one fails"

    def run(self, context: Context) -> str:
        context.report = _everything(context, self.release, context.delivered.commit)
        return require_passed(context.report, context.environment, context.environment)


def observe_environment(context: Context, release: str | None) -> Report:
    """What all smoke checks find, against the release that is expected or, without one, whatever its providers say is live."""
    mains = (live.main() for live in context.lives().values())
    identity = next((main.identity for main in mains if main and main.identity), None)
    return _everything(context, release or (identity.release if identity else ""), identity.commit if identity else "")


def _everything(context: Context, release: str, commit: str) -> Report:
    from pipelines.checks import smoke

    checks = [check for check in context.settings.smoke if check.component in context.settings.targets]
    return smoke.run(checks, context.urls(), {"release": release, "commit": commit}, context.http)


def observe(
    context: Context, component: str, url: str, release: str, commit: str, headers: Mapping[str, str] | None = None
) -> Report:
    """What the smoke checks of one component find at an address. Users send no `headers`; a protected candidate needs some."""
    from pipelines.checks import smoke

    checks = [check for check in context.settings.smoke if check.component == component]
    facts = {"release": release, "commit": commit}
    return smoke.run(checks, {component: url}, facts, context.http, headers=headers)


def require_passed(report: Report, environment: str, where: str) -> str:
    """How many passed. Raises CheckFailed with every check that failed."""
    if report.failed:
        raise CheckFailed(report.failures(), where=where, next_step=f"shipmate smoke --environment {environment}")
    return f"{len(report.results)} checks passed, slowest {report.slowest_ms:.0f} ms"
