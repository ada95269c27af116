"""Check runs that were made through the API, and rulesets: where links of the API lead."""

from __future__ import annotations

from starlette.responses import Response

from rehearsal.github.pages.context import Visit
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import not_found

pages = Pages()


@pages.show("runs/{check}")
async def check_page(visit: Visit) -> Response:
    """A check run; of a job it is the job's page."""
    found = visit.repository.check_runs.get(visit.number("check"))
    if found is None:
        raise not_found()
    suite = visit.repository.check_suites.get(found.suite_id)
    if found.job_id is not None and suite is not None and suite.run_id is not None:
        return visit.go(f"{visit.home}/actions/runs/{suite.run_id}/job/{found.job_id}")
    live = 2 if found.status != "completed" else 0
    return visit.page("check.html", live=live, check=found)


@pages.show("rules/{ruleset}")
async def ruleset_page(visit: Visit) -> Response:
    found = visit.repository.rulesets.get(visit.number("ruleset"))
    if found is None:
        raise not_found()
    return visit.page("ruleset.html", ruleset=found)
