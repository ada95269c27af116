"""The page: what a reader needs comes first, and nothing from outside can break out or be fetched."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from rehearsal.report import findings, page
from rehearsal.report.model import ContractChecks, Report, UserRequest
from tests.rehearsal.report.example import BEGAN, SCREENSHOTS, failed, job, png, report, story, traffic

HOSTILE = "</script></style></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'><a href=javascript:x>"


class Seen(HTMLParser):
    """Elements with their attributes, and the text, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [str(attributes[name]) for _, attributes in self.elements if name in attributes]


def poisoned(value: Any) -> Any:
    """Every text of a report made hostile, everywhere; what the program itself chooses from a list stays."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"via", "file"} | ({"name"} if hasattr(value, "traffic") else set())
        changes = {f.name: poisoned(getattr(value, f.name)) for f in fields(value) if f.name not in kept}
        return replace(value, **changes)
    if isinstance(value, list):
        return [poisoned(one) for one in value]
    if isinstance(value, dict):
        return {f"{HOSTILE}{key}": poisoned(one) for key, one in value.items()}
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


def test_a_good_rehearsal_says_so_at_the_top() -> None:
    text = Seen(page.render(report(), SCREENSHOTS)).text
    assert text.index("1 story, passed") < text.index("stories passed") < text.index("What went live")
    assert "Content-Security-Policy" in page.render(report(), SCREENSHOTS)


def test_a_failure_comes_first_with_its_job_and_the_end_of_its_log() -> None:
    problem = "Deploy to Production ended with failure, not success\n--- Tests\nan old copy of the log"
    log = ["collected 3 items", "##[error]assert 1 + 1 == 3"]
    bad = failed(problem, job("Tests", conclusion="failure", id=5, log=log), name="bad", title="It breaks")
    text = Seen(page.render(report(story(), bad), SCREENSHOTS)).text
    order = [
        "1 of 2 stories failed",
        "It breaks",
        "Deploy to Production ended with failure, not success",
        "Deploy to Production › Tests",
        "✗ assert 1 + 1 == 3",
        "stories passed",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "an old copy of the log" not in text


def test_a_trace_is_shown_whole_under_its_last_line() -> None:
    trace = "Traceback (most recent call last):\n  File \"x.py\", line 1, in run\nKeyError: 'v1'"
    bad = failed(trace)
    assert findings.headline(bad) == "KeyError: 'v1'"
    assert trace in Seen(page.render(report(bad), {})).text


def test_what_caught_a_bad_release_stands_in_a_table() -> None:
    text = " ".join(Seen(page.render(report(), SCREENSHOTS)).text.split())
    order = [
        "1 of 2 before they had traffic",
        "bad-slow",
        "every answer takes 3 s",
        "comparison",
        "none",
        "0 of 120",
        "bad-late",
        "watch at 10 %",
        "10 % for 1.5 s",
        "2 of 1,234",
        "8.2",
    ]
    places = [text.index(part, text.index("what caught them")) for part in order]
    assert places == sorted(places)
    assert "what caught them" not in Seen(page.render(report(story(caught=[])), SCREENSHOTS)).text


def test_breaches_of_contracts_fail_it_in_words() -> None:
    breached = report(
        passed=False, contracts=ContractChecks(requests={"vercel": 3}, violations=["POST /v13/x: `foo` is unknown"])
    )
    text = Seen(page.render(breached, SCREENSHOTS)).text
    assert text.index("contracts were breached 1 times") < text.index("`foo` is unknown") < text.index("stories passed")


def test_stories_that_were_not_run_are_named() -> None:
    text = Seen(page.render(report(failed("broken"), not_run=["rollback"]), {})).text
    assert "1 of 1 story failed, 1 not run" in text
    assert "rollback" in text


def test_every_link_leads_to_a_place_on_the_page() -> None:
    bad = failed("CI failed", job(conclusion="failure", id=5, log=["x"]), name="other")
    seen = Seen(page.render(report(story(), bad), SCREENSHOTS))
    links, places = seen.values("href"), seen.values("id")
    assert len(links) > 3
    assert {link.removeprefix("#") for link in links} <= set(places)
    assert len(places) == len(set(places))


@pytest.mark.parametrize("bad", [False, True])
def test_nothing_from_outside_breaks_out(bad: bool) -> None:
    shown = failed(HOSTILE, job(conclusion="failure", log=["x"])) if bad else story()
    whole: Report = poisoned(report(shown))
    if not bad:
        whole = replace(whole, stories=[replace(whole.stories[0], screenshots=shown.screenshots)])
    seen = Seen(page.render(whole, SCREENSHOTS))
    tags = [tag for tag, _ in seen.elements]
    assert not {"script", "iframe", "object", "link", "base", "form"} & set(tags)
    assert tags.count("img") == (0 if bad else 1)
    assert (
        tags.count("style") == tags.count("title") - len(re.findall("<g><title>", page.render(whole, SCREENSHOTS))) == 1
    )
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]
    assert all(link.startswith("#") for link in seen.values("href"))
    assert "alert(1)" in seen.text


def test_texts_that_no_file_can_hold_are_written_all_the_same(tmp_path: Path) -> None:
    odd = "\ud800 \x00 \x1b[31m � ☃ \u202e"
    page.write(report(story(title=odd, live=[], problem="")), tmp_path, SCREENSHOTS)
    assert "☃" in (tmp_path / "index.html").read_text("utf-8")
    assert json.loads((tmp_path / "report.json").read_text())["stories"][0]["title"] == odd


def test_one_file_holds_everything(tmp_path: Path) -> None:
    written = page.write(report(), tmp_path, SCREENSHOTS)
    seen = Seen(html := written.read_text())
    assert all(source.startswith("data:image/png;base64,") for source in seen.values("src"))
    assert not re.findall(r"(?:src|href|url|@import)\s*[=(]?\s*[\"']?https?:", html)
    assert "url(" not in html
    assert (tmp_path / "screenshots/quick-start-1.png").read_bytes() == png()


def test_a_long_rehearsal_stays_small(tmp_path: Path) -> None:
    """Five stories with six screenshots of 60 kB each in all and ten minutes of twenty requests of users a second."""
    asked = [UserRequest(at=BEGAN + n / 20, ms=5 + n % 90, ok=True, release=f"v{n // 4000}") for n in range(12_000)]
    stories = [
        story(name=f"s{n}", traffic=[traffic(requests={"backend": asked[:2400], "web": asked[:2400]})], live=[])
        for n in range(5)
    ]
    written = page.write(report(*stories), tmp_path, {"screenshots/quick-start-1.png": bytes(72_000)})
    assert written.stat().st_size < 3_000_000
    assert (tmp_path / "report.json").stat().st_size < 3_000_000


def test_screenshots_can_be_enlarged_without_a_script() -> None:
    html = page.render(report(), SCREENSHOTS)
    assert '<input type="checkbox" aria-label="enlarge: The app">' in html
    assert ":checked + img" in html


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0.0 s"), (12.34, "12.3 s"), (59.97, "1 min 0 s"), (119.6, "2 min 0 s"), (125, "2 min 5 s")],
)
def test_durations(seconds: float, shown: str) -> None:
    assert page.duration(seconds) == shown


def test_steps_are_added_up_by_name() -> None:
    found = findings.slowest(report())
    assert [(slow.name, slow.times, slow.seconds) for slow in found] == [("Check", 1, 1.5), ("Set up job", 1, 0.5)]
