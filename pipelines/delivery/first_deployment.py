"""The first deployment of a component: its public address may lead nowhere yet, as a domain is mapped to a service that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import CheckFailed

if TYPE_CHECKING:
    from pipelines.checks.report import Report, Result
    from pipelines.delivery.context import Context

_NOBODY = (None, 404)
"""What checks see where no service answers: nothing, or the not-found page of the provider's front."""


class DomainNotMapped(CheckFailed):
    """What was deployed for the first time is well at its own address, and its public address does not lead there."""


def require_address(context: Context, report: Report) -> None:
    """Raises AddressLeadsNowhere when all that failed are components which were never stable here and whose address leads nowhere."""
    failed = {result.component for result in report.results if result.failed}
    if not failed or not all(_nobody_answers(component, report.results) for component in failed):
        return
    lives = {component: context.host(component).live() for component in sorted(failed)}
    if any(live.marks.stable or live.main() is None for live in lives.values()):
        return
    component, live = next(iter(lives.items()))
    main = live.main()
    own = context.host(component).address(main.key) if main else ""
    raise DomainNotMapped(
        f"{', '.join(lives)} was deployed for the first time, and its public address does not lead there yet",
        where=", ".join(each.url for each in lives.values()),
        why=f"a domain is mapped to a service that exists; {component} has passed its checks at {own}",
        next_step="map the domain (docs/DEPLOYMENT.md, First deployment), wait until it answers, and run this again: it goes on from there",
    )


def _nobody_answers(component: str, results: tuple[Result, ...]) -> bool:
    return all(result.status in _NOBODY for result in results if result.component == component)
