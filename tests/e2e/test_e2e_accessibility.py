from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext

from e2e.accessibility import barriers, require_accessible

pytestmark = pytest.mark.world

PAGE = """<!doctype html><html lang="en"><head><title>Notes</title></head>
<body><main><h1>Notes</h1>%s</main></body></html>"""


@pytest.mark.parametrize(
    ("inside", "rule", "element"),
    [
        ('<input id="query">', "label", "#query"),
        ('<button id="go"></button>', "button-name", "#go"),
        ('<img id="logo" src="data:,">', "image-alt", "#logo"),
        ('<p id="faint" style="color: #ccc; background: #fff">Text</p>', "color-contrast", "#faint"),
    ],
)
def test_a_barrier_names_the_rule_the_element_and_the_remedy(
    context: BrowserContext, inside: str, rule: str, element: str
) -> None:
    page = context.new_page()
    page.set_content(PAGE % inside)
    (found,) = barriers(page)
    assert found.startswith(f"{rule} (")
    assert re.search(rf": {element}: <.*>: \w.{{20}}", found), "the element, and what to fix"
    with pytest.raises(AssertionError, match=f"the start: not everybody can use this page\n{rule}"):
        require_accessible(page, "the start")


def test_a_page_without_barriers_passes(context: BrowserContext) -> None:
    page = context.new_page()
    page.set_content(PAGE % '<label>Query <input></label><button type="button">Go</button>')
    assert barriers(page) == []
