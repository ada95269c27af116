"""The defects that the benchmark plants in the built page, each with the test that must fail and what it must say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Defect:
    """`pattern` in the files of `glob` becomes `becomes`; then `test` must fail and say something that `says` matches."""

    name: str
    glob: str
    pattern: str
    becomes: str
    test: str
    says: str


PAGE, CODE, STYLE = "index.html", "assets/NotesPage-*.js", "assets/*.css"
LATE = """<script>new MutationObserver((_, observer) => {
  if (!document.querySelector("h2")) return;
  observer.disconnect();
  const banner = Object.assign(new Image(), { src: "/icon.svg?late", alt: "", style: "display: block; width: 40%%" });
  requestAnimationFrame(() => requestAnimationFrame(() => document.body.prepend(banner)));
}).observe(document, { childList: true, subtree: true })</script></body>""".replace("%%", "%")
BEHAVIOUR = (
    Defect(
        name="a button that does nothing",
        glob=CODE,
        pattern=r"onClick:\(\)=>void \w+\(\w+\.id\)",
        becomes="onClick:()=>{}",
        test="test_a_note_is_added_found_by_meaning_and_deleted[chromium-desktop]",
        says="waiting for .*The deployment crashed .* to be detached",
    ),
    Defect(
        name="a wrong text",
        glob=PAGE,
        pattern="<title>TechMate notes",
        becomes="<title>TechMate nodes",
        test="test_the_page_opens_and_says_what_it_is",
        says="Actual value: TechMate nodes",
    ),
    Defect(
        name="a console error",
        glob=PAGE,
        pattern="</body>",
        becomes='<script>console.error("no configuration of the map")</script></body>',
        test="test_the_page_opens_and_says_what_it_is",
        says=r"console error: no configuration of the map \(http",
    ),
    Defect(
        name="text that is lost when it cannot be stored",
        glob=CODE,
        pattern=r"(\w+)&&(\w+)\(``\)",
        becomes=r"\2(``)",
        test="test_an_error_of_the_api_is_explained_and_nothing_written_is_lost",
        says="Locator expected to have Value 'The deployment crashed",
    ),
)
ACCESSIBILITY = (
    Defect(
        name="a field without a label",
        glob=CODE,
        pattern="htmlFor:`new-note`,",
        becomes="",
        test="test_everybody_can_read_search_and_learn_what_went_wrong",
        says=r"label \(critical\): Form elements must have labels: #new-note",
    ),
    Defect(
        name="text that is hard to read",
        glob=STYLE,
        pattern=r"(?<=\})\.detail\{",
        becomes=".detail{color:#bbb!important;",
        test="test_everybody_can_read_search_and_learn_what_went_wrong",
        says=r"color-contrast \(serious\): Elements must meet minimum color contrast ratio thresholds: .*time",
    ),
    Defect(
        name="a focus that nobody sees",
        glob=STYLE,
        pattern=r":focus-visible\{",
        becomes=":focus-visible{outline:none!important;",
        test="test_a_note_is_added_found_and_deleted",
        says="the element that has the focus does not show it",
    ),
)
LAYOUT = (
    Defect(
        name="content that moves",
        glob=PAGE,
        pattern="</body>",
        becomes=LATE,
        test="test_nothing_moves_while_the_page_loads",
        says=r"content moved by 0\.\d+ \(layout shift\) while the page loaded: \w+ “",
    ),
    Defect(
        name="a page wider than a phone",
        glob=STYLE,
        pattern=r"\.page\{",
        becomes=".page{min-width:600px;",
        test="test_the_page_looks_as_it_should[chromium-phone]",
        says=r"on a phone the page is \d+ pixels wider than the screen",
    ),
    Defect(
        name="a button of another colour",
        glob=STYLE,
        pattern=r"form\.card button\{",
        becomes="form.card button{background:#c33;",
        test="test_the_page_looks_as_it_should[chromium-desktop]",
        says="notes-desktop: looks different in .*: button “Add note”",
    ),
)


def defects(silent: str) -> tuple[Defect, ...]:
    """All of them. `silent`: an address that takes requests and never answers."""
    return (*BEHAVIOUR, *ACCESSIBILITY, *LAYOUT, *_requests(silent))


def _requests(silent: str) -> tuple[Defect, ...]:
    return (
        Defect(
            name="a slow image",
            glob=PAGE,
            pattern="</body>",
            becomes=f'<img src="{silent}/map.png" alt=""></body>',
            test="test_the_page_opens_and_says_what_it_is",
            says=r"not answered within 15 s: GET http://127\.0\.0\.1:\d+/map\.png",
        ),
        Defect(
            name="a script that is not there",
            glob=PAGE,
            pattern="</body>",
            becomes='<script src="/assets/map.js"></script></body>',
            test="test_the_page_opens_and_says_what_it_is",
            says=r"HTTP 404: GET .*/assets/map\.js",
        ),
    )
