"""A Slack message as HTML: its markup, its blocks, and nothing that runs."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.notify.slack import body
from pipelines.roles import Message
from rehearsal.emulators.slack.rendering import mrkdwn, rendered

SCRIPT = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _it_ ~no~ `x * y`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>x * y</code>"),
        ("2*3*4 a_b_c", "2*3*4 a_b_c"),
        ("*a _b_*", "<strong>a <em>b</em></strong>"),
        ("```a\n*b*```", "<pre>a\n*b*</pre>"),
        ("<https://x.test/?a=1&amp;b=2|Open &amp; look>", '<a href="https://x.test/?a=1&amp;b=2">Open &amp; look</a>'),
        ("<https://x.test>", '<a href="https://x.test">https://x.test</a>'),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
        ('<https://x.test/"onclick=1|x>', '<a href="https://x.test/&#34;onclick=1">x</a>'),
        ("<!here> <@U1|dev-1>", "<b>!here</b> <b>dev-1</b>"),
        ("&lt;b&gt; &amp;lt;", "&lt;b&gt; &amp;lt;"),
        (SCRIPT, "&lt;script&gt;alert(1)&lt;/script&gt;"),
        (f"*{SCRIPT}*", "<strong>&lt;script&gt;alert(1)&lt;/script&gt;</strong>"),
    ],
)
def test_markup(text: str, html: str) -> None:
    assert mrkdwn(text) == html


def text(value: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": value}


@pytest.mark.parametrize(
    ("block", "html"),
    [
        ({"type": "header", "text": text("*Up*")}, "<h3>*Up*</h3>"),
        ({"type": "section", "text": text("*Up*", "mrkdwn")}, "<p><strong>Up</strong></p>"),
        ({"type": "section", "fields": [text("a"), text("b")]}, '<ul class="fields"><li>a</li><li>b</li></ul>'),
        ({"type": "context", "elements": [text("a"), text("b")]}, '<p class="context">a b</p>'),
        ({"type": "divider"}, "<hr>"),
        ({"type": "image", "image_url": "https://x.test/a.png", "alt_text": "a graph"}, "<p><i>[a graph]</i></p>"),
        (
            {"type": "actions", "elements": [{"type": "button", "text": text("Go"), "url": "https://x.test/"}]},
            '<p class="context"><a href="https://x.test/">Go</a></p>',
        ),
        (
            {"type": "actions", "elements": [{"type": "button", "text": text("Go"), "url": "javascript:alert(1)"}]},
            '<p class="context"><b>[Go]</b></p>',
        ),
        (
            {
                "type": "rich_text",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": SCRIPT}]}],
            },
            "<div>&lt;script&gt;alert(1)&lt;/script&gt;\n</div>",
        ),
        ({"type": "unheard-of"}, ""),
    ],
)
def test_blocks(block: dict[str, Any], html: str) -> None:
    assert rendered("for lists", [block]) == html


def test_without_blocks_the_text_is_the_message() -> None:
    assert rendered("*up*", []) == "<p><strong>up</strong></p>"


def test_an_alert_of_the_suite_reads_as_it_was_written() -> None:
    message = Message(
        kind="released",
        where="production",
        title=f"v1 {SCRIPT}",
        what="1 < 2 & 3",
        who="dev-1",
        run="https://x.test/1",
        next_step="",
    )
    html = rendered("", body(message)["blocks"])
    assert "1 &lt; 2 &amp; 3" in html
    assert '<a href="https://x.test/1">Open the run</a>' in html
    assert "<script" not in html
