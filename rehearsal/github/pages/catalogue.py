"""All pages, in the order in which paths are tried."""

from __future__ import annotations

from starlette.responses import Response

from rehearsal.github.pages import actions, checks, code, deployments, issues, jobs, people, pulls, releases, runs
from rehearsal.github.pages.serving import Page, Pages
from rehearsal.github.pages.visit import Visit
from rehearsal.github.problems import not_found

_DOMAINS = (people, actions, runs, jobs, checks, code, issues, pulls, releases, deployments)
_last = Pages()


def every_page() -> list[Page]:
    return [*(page for domain in _DOMAINS for page in domain.pages.all), *_last.all]


@_last.show("{rest:path}")
async def nowhere(visit: Visit) -> Response:
    """Says so in the layout of the site; with a slash too many, leads to the repository."""
    if visit.path("rest") == "":
        return visit.go(visit.home)
    raise not_found()
