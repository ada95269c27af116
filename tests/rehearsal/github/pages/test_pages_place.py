"""Links of a Markdown file lead to what lies beside it in the repository, and headings have anchors."""

from __future__ import annotations

import pytest

from rehearsal.github.pages.links import Anchors, Place
from rehearsal.github.pages.markdown import render

FILE = Place(home="/o/r", ref="release/1.x", path="docs/guides/START.md")


@pytest.mark.parametrize(
    ("written", "leads"),
    [
        ("NEXT.md", "/o/r/blob/release/1.x/docs/guides/NEXT.md"),
        ("./NEXT.md#two-words", "/o/r/blob/release/1.x/docs/guides/NEXT.md#user-content-two-words"),
        ("../../apps/web", "/o/r/blob/release/1.x/apps/web"),
        ("../", "/o/r/blob/release/1.x/docs"),
        ("/README.md", "/o/r/blob/release/1.x/README.md"),
        ("app.py#L12", "/o/r/blob/release/1.x/docs/guides/app.py#L12"),
        ("a%20b.md", "/o/r/blob/release/1.x/docs/guides/a%20b.md"),
        ("../../../../../etc/passwd", "/o/r/blob/release/1.x/etc/passwd"),
        ("#top", "#user-content-top"),
        ("https://example.com/x", "https://example.com/x"),
        ("//example.com/x", "//example.com/x"),
        ("mailto:on-call@example.com", "mailto:on-call@example.com"),
        ("", ""),
        ("http://[broken", "http://[broken"),
    ],
)
def test_where_a_link_leads(written: str, leads: str) -> None:
    assert FILE.resolve(written) == leads


def test_anchors_are_words_with_hyphens_and_each_is_its_own() -> None:
    anchors = Anchors()
    assert [anchors.add(one) for one in ("Quick start", "What `it` does, then?", "Quick start")] == [
        "user-content-quick-start",
        "user-content-what-it-does-then",
        "user-content-quick-start-1",
    ]


def test_links_images_and_headings_of_a_file() -> None:
    html = render("# The **platform**\n\n[guide](docs/A.md) ![plan](plan.png)", "/o/r", "main", "README.md")
    assert '<h1 id="user-content-the-platform">' in html
    assert 'href="/o/r/blob/main/docs/A.md"' in html
    assert 'href="/o/r/blob/main/plan.png"' in html
    assert "<img" not in html


def test_what_lies_in_no_file_keeps_its_links() -> None:
    html = render("# A comment\n\n[guide](docs/A.md)", "/o/r")
    assert "<h1>" in html
    assert 'href="docs/A.md"' in html
