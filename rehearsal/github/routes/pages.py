"""All pages, in the order in which paths are tried."""

from __future__ import annotations

from starlette.responses import Response

from rehearsal.github.accounts import pages as people
from rehearsal.github.checks import pages as checks
from rehearsal.github.deployments import pages as deployments
from rehearsal.github.issues.pages import issues
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.serving import Page, Pages
from rehearsal.github.problems import not_found
from rehearsal.github.pulls import pages as pulls
from rehearsal.github.releases import pages as releases
from rehearsal.github.repositories.pages import code
from rehearsal.github.runs.pages import job as jobs
from rehearsal.github.runs.pages import run as runs
from rehearsal.github.runs.pages import run_list as actions

_DOMAINS = (people, actions, runs, jobs, checks, code, issues, pulls, releases, deployments)
_last = Pages()


def every_page() -> list[Page]:
    return [*(page for domain in _DOMAINS for page in domain.pages.all), *_last.all]


@_last.show("{rest:path}")
async def nowhere(context: PageContext) -> Response:
    """Says so in the layout of the site; with a slash too many, leads to the repository."""
    if context.path("rest") == "":
        return context.go(context.home)
    raise not_found()
