"""A ruleset: where links of the API lead."""

from __future__ import annotations

from starlette.responses import Response

from rehearsal.github.pages.context import PageContext
from rehearsal.github.pages.serving import Pages
from rehearsal.github.problems import not_found

pages = Pages()


@pages.show("rules/{ruleset}")
async def ruleset_page(context: PageContext) -> Response:
    found = context.repository.rulesets.get(context.number("ruleset"))
    if found is None:
        raise not_found()
    return context.page("ruleset.html", ruleset=found)
