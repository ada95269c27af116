"""Markdown: what people expect of it, and nothing that could do harm."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from rehearsal.github.pages.markdown import LONGEST, render

SAFE_TAGS = {
    *("p", "em", "strong", "code", "pre", "a", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"),
    *("hr", "br", "table", "thead", "tbody", "tr", "th", "td", "s", "details", "summary", "b", "i", "sub", "sup"),
    *("kbd", "ins", "del", "span", "svg", "use"),
}
SAFE_ATTRIBUTES = {"href", "rel", "style", "class", "start", "role", "aria-label", "title", "viewbox", "aria-hidden"}


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.depth: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.depth[tag] = self.depth.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        self.depth[tag] = self.depth.get(tag, 0) - 1


def elements(text: str) -> Elements:
    reader = Elements()
    reader.feed(str(render(text)))
    return reader


def harmless(text: str) -> None:
    for tag, attributes in elements(text).found:
        assert tag in SAFE_TAGS
        assert set(attributes) <= SAFE_ATTRIBUTES
        assert (attributes.get("href") or "").split(":")[0].lower() not in ("javascript", "data", "vbscript", "file")
        assert re.fullmatch(r"(text-align:(left|right|center))?", attributes.get("style") or "")


def test_what_people_write_is_shown_as_they_meant_it() -> None:
    html = render("# Title\n\n**bold** ~~gone~~\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\n1 < 2\n```\n")
    assert "<h1>Title</h1>" in html
    assert "<strong>bold</strong> <s>gone</s>" in html
    assert "<td>1</td>" in html
    assert "1 &lt; 2" in html


def test_tasks_show_whether_they_are_done() -> None:
    html = render("- [x] one\n- [ ] two\n")
    assert '<li><span role="img" aria-label="done">☑</span> one</li>' in html
    assert '<li><span role="img" aria-label="to do">☐</span> two</li>' in html


def test_bare_addresses_are_links_without_the_full_stop() -> None:
    html = render("see https://example.com/a?b=c&d=e.")
    assert '<a href="https://example.com/a?b=c&amp;d=e" rel="nofollow noopener noreferrer">' in html
    assert html.endswith("</a>.</p>\n")


def test_an_address_inside_a_link_stays_its_text() -> None:
    assert render("[https://a.example](https://b.example)").count("<a ") == 1
    assert "b.example" in render("[x](https://b.example) https://c.example")
    assert render("[x](https://b.example) https://c.example").count("<a ") == 2


def test_numbers_lead_to_issues_of_the_repository_only() -> None:
    assert '<a href="/o/r/issues/12"' in render("closes #12", "/o/r")
    assert "<a" not in render("closes #12")
    assert "<a" not in render("colour a#12 and &#12 are none", "/o/r").replace("&amp;#12", "")


def test_signs_of_reports_are_drawn_and_kept_for_the_one_who_copies_them() -> None:
    html = render("✅ passed, ⚠️ careful, `❌`")
    assert '<use href="#s-check"></use></svg><span class="visually-hidden">✅</span> passed' in html
    assert '<use href="#s-warn"></use></svg><span class="visually-hidden">⚠️</span> careful' in html
    assert "<code>❌</code>" in html


def test_foreign_html_is_shown_as_text() -> None:
    html = render("<script>alert(1)</script>\n\nx <img src=x onerror=alert(2)> <a href='javascript:alert(3)'>y</a>")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&lt;img src=x onerror=alert(2)&gt;" in html
    harmless(html)


def test_comments_are_left_out_wherever_they_stand() -> None:
    html = render("<!-- shipmate-ci ci.yml run=1 attempt=1 -->\nHello <!-- there --> you")
    assert "shipmate" not in html
    assert "there" not in html
    assert "Hello" in html


def test_details_fold_and_are_closed_where_they_were_opened() -> None:
    html = render("<details><summary>More</summary>\n\ninside\n\n</details>\n\nafter")
    assert "<details><summary>More</summary>" in html
    assert "</details>" in html


def test_stray_tags_cannot_close_what_stands_around_the_text() -> None:
    html = render("</details></div></section>\n\n<details>\n\nnever closed")
    assert "&lt;/details&gt;&lt;/div&gt;&lt;/section&gt;" in html
    assert html.count("<details>") == html.count("</details>") == 1


def test_plain_tags_with_attributes_are_text() -> None:
    assert "&lt;details ontoggle=alert(1) open&gt;" in render("<details ontoggle=alert(1) open>x</details>")


def test_images_become_links_so_that_nothing_is_loaded() -> None:
    html = render("![a *plot*](https://elsewhere.example/p.png)")
    assert "<img" not in html
    assert 'href="https://elsewhere.example/p.png"' in html


def test_dangerous_addresses_are_no_links() -> None:
    for address in (
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "vbscript:x",
        "data:text/html,x",
        "file:///etc/passwd",
    ):
        assert "<a" not in render(f"[x]({address})"), address
        assert "<a" not in render(f"<{address}>"), address


def test_what_is_too_long_is_cut_and_says_so() -> None:
    html = render("word " * (LONGEST // 4))
    assert "more characters" in html
    assert len(html) < LONGEST * 2


def test_nothing_and_none_are_empty() -> None:
    assert render(None) == render("") == ""


def test_long_lines_of_emphasis_and_links_take_no_quadratic_time() -> None:
    started = time.process_time()
    render("*a* [b](https://c.example) " * 6_000)
    assert time.process_time() - started < 8, "seconds of this process, however busy the machine is"


@given(st.text(alphabet=st.sampled_from("<>/!-abdetilsumryscpjv:()[]#*`|&'\"\n =x")))
def test_no_text_makes_an_element_that_is_not_safe(text: str) -> None:
    harmless(text)


_FOLDS = ("<details>", "</details>", "<summary>", "</summary>", "<details open>", "</div>", "<!-- x -->", "<br>")
_WORDS = (
    "<b>",
    "</b>",
    "<code>",
    "</code>",
    "<script>",
    "</script>",
    " word ",
    "\n\n",
    "`",
    "*",
    "> ",
    "- ",
    "[x](javascript:y)",
)
_PIECES = st.sampled_from((*_FOLDS, *_WORDS))


@given(st.lists(_PIECES, max_size=25))
def test_tags_that_are_let_through_are_balanced_whatever_their_order(pieces: list[str]) -> None:
    reader = elements("".join(pieces))
    assert all(reader.depth.get(tag, 0) == 0 for tag in ("details", "summary", "b", "code"))
    harmless("".join(pieces))
