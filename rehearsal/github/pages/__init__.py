"""The pages of the emulated GitHub: what people see in a browser, and the forms they send.

Server-rendered; a page that may change looks for news of itself. Everything from outside (titles, logs, branch names,
Markdown, diffs) is text, and becomes markup only through `markdown` and `ansi`.
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from rehearsal.github.instance import Instance
from rehearsal.github.pages.serving import routes as serve
from rehearsal.github.pages.sessions import Sessions
from rehearsal.github.routes.pages import every_page


def routes(instance: Instance) -> list[BaseRoute]:
    """Everything a browser opens, to be mounted after the API: `github.mount(routes(github.instance))`."""
    return [*serve(instance, Sessions(instance), every_page())]
