"""All pages, in the order in which paths are tried."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from rehearsal.github.accounts import pages as accounts
from rehearsal.github.checks import pages as checks
from rehearsal.github.deployments import pages as deployments
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.issues.pages import issues
from rehearsal.github.pages import serving
from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.serving import PageEndpoint, Pages
from rehearsal.github.pages.sessions import Sessions
from rehearsal.github.problems import not_found
from rehearsal.github.protection import pages as protection
from rehearsal.github.pulls import pages as pulls
from rehearsal.github.releases import pages as releases
from rehearsal.github.repositories.pages import branches, code
from rehearsal.github.runs.pages import job, run, run_list

_DOMAINS = (
    accounts,
    run_list,
    run,
    job,
    checks,
    protection,
    branches,
    code,
    issues,
    pulls,
    releases,
    deployments,
)
_last = Pages()


def every_page() -> list[PageEndpoint]:
    return [*(page for domain in _DOMAINS for page in domain.pages.all), *_last.all]


@_last.show("{rest:path}")
async def nowhere(context: PageContext) -> Response:
    """Says so in the layout of the site; with a slash too many, leads to the repository."""
    if context.path("rest") == "":
        return context.go(context.home)
    raise not_found()


def page_routes(instance: GitHubInstance) -> list[BaseRoute]:
    """Everything a browser opens; they come after the API."""
    return [*serving.routes(instance, Sessions(instance), every_page())]
