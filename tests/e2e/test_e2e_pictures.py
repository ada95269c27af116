from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from e2e.pictures import Pictures

pytestmark = pytest.mark.world

PAGE = """<!doctype html><style>body { margin: 8px; font: 16px/1.5 serif } button { font: inherit; padding: 8px; background: #15f }
div { border: 1px solid #888; padding: 4px; margin-bottom: 8px } %s</style>
<div>A few words, and “others”</div><button>Add note</button><footer>v1</footer>"""


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_viewport_size({"width": 320, "height": 240})
    return page


def look(page: Page, folder: Path, css: str = "", *, update: bool = False) -> None:
    page.set_content(PAGE % css)
    Pictures(artifacts=folder, update=update, folder=folder).require(page, "start")


@pytest.mark.parametrize(
    "css",
    [
        "",
        "body { font-family: monospace }",
        "div { margin-top: -1px; margin-bottom: 9px }",
        "button { background: #1a52ff }",
        "footer { font-size: 30px }",
    ],
    ids=["the same", "another font", "one pixel", "hardly another colour", "what the footer says"],
)
def test_what_nobody_sees_is_no_difference(page: Page, tmp_path: Path, css: str) -> None:
    look(page, tmp_path, update=True)
    look(page, tmp_path, css)


@pytest.mark.parametrize(
    ("css", "message"),
    [
        ("button { background: #f51 }", "looks different in [0-9]+ tiles of 16 pixels, .*: button “Add note”"),
        ("button { padding-left: 24px }", "button “Add note”"),
        ("div { visibility: hidden }", "looks different"),
        ("body { height: 600px }", "the page is 320 by 616 pixels large, in the picture 320 by 240"),
    ],
    ids=["colour", "place", "gone", "size"],
)
def test_a_difference_names_where_it_is_and_both_pictures_are_kept(
    page: Page, tmp_path: Path, css: str, message: str
) -> None:
    look(page, tmp_path, update=True)
    with pytest.raises(AssertionError, match=message):
        look(page, tmp_path, css)
    assert (tmp_path / "start-wanted.png").read_bytes() != (tmp_path / "start-shown.png").read_bytes()


def test_without_a_picture_nothing_passes_and_what_takes_it_is_reported(page: Page, tmp_path: Path) -> None:
    message = re.escape("start: there is no picture of it (start.png)") + "(.|\n)*--update-pictures"
    with pytest.raises(AssertionError, match=message):
        look(page, tmp_path)
    assert not (tmp_path / "start.png").exists()
    assert (tmp_path / "start-shown.png").is_file()
