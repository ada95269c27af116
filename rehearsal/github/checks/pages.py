"""Check runs that were made through the API: where links of the API lead."""

from __future__ import annotations

from starlette.responses import Response

from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import not_found

pages = Pages()


@pages.show("runs/{check}")
async def check_page(context: PageContext) -> Response:
    """A check run; of a job it is the job's page."""
    found = context.repository.check_runs.get(context.number("check"))
    if found is None:
        raise not_found()
    suite = context.repository.check_suites.get(found.suite_id)
    if found.job_id is not None and suite is not None and suite.run_id is not None:
        return context.go(f"{context.home}/actions/runs/{suite.run_id}/job/{found.job_id}")
    live = 2 if found.status != "completed" else 0
    return context.page("check.html", live=live, check=found)
