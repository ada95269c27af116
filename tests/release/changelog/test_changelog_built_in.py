"""The built-in texts are what the templates in docs/templates print, whatever the values hold: escaped as in anybody's template."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from release.changelog import built_in
from release.changelog.contributors import Contributor
from release.changelog.markdown import Safe, escape
from release.changelog.migrations import Migration
from release.changelog.notes import tidy
from release.changelog.templating import load

TEMPLATES = Path(__file__).parents[3] / "docs" / "templates"
OUTSIDE = st.one_of(
    st.text(max_size=8), st.sampled_from(["@octocat", "a | b", "<!-- x", "# y", "`", "{{ z }}", "|\n|"])
)
OURS = st.builds(escape, OUTSIDE)
ITEMS = st.builds(Safe, st.sampled_from(["- a (#1, dev-1)", "- b (#2, dev-2)\n\n  **How to upgrade:** so", "x\n\n\ny"]))


class Heading(NamedTuple):
    """What a template uses of a group."""

    title: str
    text: Safe


GROUPS = st.lists(st.builds(Heading, OUTSIDE, ITEMS), max_size=3)
PEOPLE = st.lists(st.builds(Contributor, OURS, st.just(1), st.booleans(), st.integers(0, 3)), max_size=3)
PAIRS = st.lists(st.tuples(OUTSIDE, OUTSIDE), max_size=2)
NOTES = st.fixed_dictionaries({
    "summary": OUTSIDE,
    "highlights": st.lists(OURS, max_size=2),
    "groups": GROUPS,
    "migrations": st.lists(st.builds(Migration, OUTSIDE, OUTSIDE, OUTSIDE, OURS), max_size=2),
    "deploys": PAIRS,
    "contributors": PEOPLE,
    "checksums": PAIRS,
    "compare": st.sampled_from([Safe(""), Safe("https://github.com/techmate/platform/compare/a...b")]),
    "lacks": st.lists(OUTSIDE, max_size=2),
})  # fmt: skip
NOTHING: dict[str, Any] = {
    "summary": "", "highlights": [], "groups": [], "migrations": [], "deploys": [], "contributors": [], "checksums": [],
    "compare": Safe(""), "lacks": [],
}  # fmt: skip
SECTION = st.fixed_dictionaries({"title": OURS, "date": st.just("2026-11-28"), "groups": GROUPS})


CHANGELOG = load(TEMPLATES / "changelog.md.j2")
NOTES_TEMPLATE = load(TEMPLATES / "notes.md.j2")


@given(SECTION)
def test_changelog__is_what_its_template_prints(values: dict[str, Any]) -> None:
    assert built_in.changelog(values) == CHANGELOG(values)


@given(NOTES)
@example({**NOTHING, "contributors": [Contributor(Safe(""), 1, True, 0)]})
@example({**NOTHING, "groups": [Heading("", Safe(""))], "lacks": [""]})
def test_notes__are_what_their_template_prints(values: dict[str, Any]) -> None:
    values["first_time"] = [each for each in values["contributors"] if each.first]
    assert tidy(built_in.notes(values)) == tidy(NOTES_TEMPLATE(values))
