"""Browser tests of a release: what they are given, and that only what ran and passed has passed."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import pytest

from pipelines.ci import browser_tests
from pipelines.ci.browser_report import Report
from pipelines.errors import CheckFailed, InputError, LocalError
from pipelines.manifest.model import BrowserTests, Quarantine
from pipelines.runtime import Runtime

URLS = {"api": "https://api.acme.test", "site": "https://acme.test"}
ENV = {"WEB": "{url of site}", "API": "{url of api}/v1", "EXPECT": "{release}", "OUT": "{artifacts}", "PLAIN": "{} x"}


def wanted(*commands: str, env: dict[str, str] | None = None) -> BrowserTests:
    return BrowserTests(run=commands, report="reports/e2e.xml", env=env or {})


def junit(*cases: str) -> str:
    """Every case in a suite of its own, as runners do that write one for each file."""
    suites = "".join(f'<testsuite tests="1">{case}</testsuite>' for case in cases)
    return f"<testsuites>{suites}</testsuites>"


def case(name: str, inside: str = "") -> str:
    return f'<testcase name="{name}">{inside}</testcase>'


PASSED, FAILED, ERROR, SKIPPED = case("a"), case("b", "<failure/>"), case("c", "<error/>"), case("d", "<skipped/>")


class Place:
    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "reports").mkdir()
        self.log = io.StringIO()

    def writing(self, report: str, code: int = 0) -> str:
        """A command that writes this report and ends so."""
        (self.root / "made.xml").write_text(report)
        script = f"import shutil, sys; shutil.copy('made.xml', 'reports/e2e.xml'); sys.exit({code})"
        return f'python3 -c "{script}"'

    def run(self, given: BrowserTests) -> str:
        return self.report(given).line

    def report(self, given: BrowserTests, *, read_only: bool = False) -> Report:
        runtime = Runtime(environ={"GITHUB_ACTIONS": "true"}, stream=self.log)
        return browser_tests.run(
            given,
            self.root,
            URLS,
            release="sha-1",
            artifacts=self.root / "out",
            runtime=runtime,
            read_only=read_only,
            today=date(2026, 6, 15),
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_the_commands_find_in_their_environment(place: Place, tmp_path: Path) -> None:
    script = "import os; print('|'.join(os.environ[n] for n in ('WEB', 'API', 'EXPECT', 'OUT')))"
    given = wanted(f'python3 -c "{script}"', place.writing(junit(PASSED)), env=ENV)
    assert place.run(given) == "1 browser test passed"
    expected = f"https://acme.test|https://api.acme.test/v1|sha-1|{tmp_path / 'out'}"
    assert expected in place.log.getvalue()
    assert (tmp_path / "out").is_dir()


def test_a_name_that_means_nothing_names_those_that_do(place: Place) -> None:
    with pytest.raises(InputError, match=r"\{url of web\} means nothing here") as refused:
        place.run(wanted("true", env={"WEB": "{url of web}"}))
    assert "{url of site}" in refused.value.next_step


def test_every_test_that_failed_is_named_in_whatever_suite(place: Place) -> None:
    with pytest.raises(CheckFailed, match="2 of 4 browser tests failed: b, c"):
        place.run(wanted(place.writing(junit(PASSED, FAILED, SKIPPED, ERROR), code=1)))
    with pytest.raises(CheckFailed, match="1 of 2 browser tests failed: b"):
        place.run(wanted(place.writing(junit(PASSED, FAILED), code=0)))
    assert place.run(wanted(place.writing(junit(PASSED, SKIPPED, PASSED)))) == "2 browser tests passed"


@pytest.mark.parametrize(
    ("report", "code", "message"),
    [
        (junit(), 0, "no browser test ran"),
        (junit(SKIPPED, SKIPPED), 0, "no browser test ran"),
        (junit(PASSED), 1, "0 of 1 browser tests failed: exit code 1"),
        ("<other/>", 0, "did not run"),
    ],
    ids=["none", "all skipped", "a command that failed after its tests", "no report"],
)
def test_nothing_measured_is_no_success(place: Place, report: str, code: int, message: str) -> None:
    with pytest.raises(CheckFailed, match=message):
        place.run(wanted(place.writing(report, code)))


def test_a_report_of_an_earlier_run_counts_for_nothing(place: Place) -> None:
    (place.root / "reports/e2e.xml").write_text(junit(PASSED))
    with pytest.raises(CheckFailed, match="did not run") as failed:
        place.run(wanted('python3 -c "raise SystemExit(2)"'))
    assert "exited with 2 before its first test" in failed.value.why


def test_a_report_that_is_no_xml_is_none(place: Place) -> None:
    with pytest.raises(CheckFailed, match="did not run"):
        place.run(wanted(place.writing("<testsuite", code=1)))


def test_one_command_that_failed_is_enough(place: Place) -> None:
    with pytest.raises(CheckFailed, match="exit code 3"):
        place.run(wanted('python3 -c "raise SystemExit(3)"', place.writing(junit(PASSED))))


def test_no_browser_is_the_machines_matter(place: Place) -> None:
    message = "BrowserType.launch: Executable doesn't exist at /x&#10;more"
    none = case("a", f'<error message="playwright: {message}"/>')
    with pytest.raises(LocalError, match="there is no browser to test with: Executable doesn't exist at /x") as failed:
        place.run(wanted(place.writing(junit(none, none), code=1)))
    assert "make setup" in failed.value.next_step
    with pytest.raises(CheckFailed, match="3 of 3"):
        place.run(wanted(place.writing(junit(none, none, case("b", '<error message="blank"/>')), code=1)))


def test_one_that_does_not_end_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_tests, "LIMIT_SECONDS", 0.3)
    with pytest.raises(CheckFailed, match=r"did not end within 0\.3 s"):
        place.run(wanted("sleep 600"))


def test_a_command_that_is_not_there(place: Place) -> None:
    with pytest.raises(LocalError, match="there is no 'no-such-runner' here"):
        place.run(wanted("no-such-runner --all"))


def test_their_words_are_text(place: Place) -> None:
    script = "print('::error::forged')"
    place.run(wanted(f'python3 -c "{script}"', place.writing(junit(PASSED))))
    assert "\u200b::error::forged" in place.log.getvalue()


CANDIDATES = {"api": "https://v2---api.run.test/", "site": "https://site-2.preview.test"}


def test_the_page_stays_at_its_public_address_and_its_requests_go_to_the_candidates() -> None:
    headers = {"site": {"x-bypass": "made-up"}, "gone": {"x-bypass": "made-up"}}
    found = browser_tests.routes({**URLS, "api": "https://api.acme.test/v1"}, CANDIDATES, headers)
    assert json.loads(found["E2E_ROUTES"]) == {
        "https://api.acme.test": "https://v2---api.run.test",
        "https://acme.test": "https://site-2.preview.test",
    }
    assert json.loads(found["E2E_ROUTE_HEADERS"]) == {"https://site-2.preview.test": {"x-bypass": "made-up"}}


@pytest.mark.parametrize("candidates", [{}, {"api": "", "site": ""}, {"other": "https://other.test"}])
def test_candidates_without_an_address_are_not_mistaken_for_what_is_live(candidates: dict[str, str]) -> None:
    with pytest.raises(InputError, match="no candidate has an address of its own"):
        browser_tests.routes(URLS, candidates, {})


def test_read_only_runs_those_commands_alone_and_gives_them_the_routes(place: Place) -> None:
    tell = "python3 -c \"import os; print('ROUTES', os.environ['E2E_ROUTES'])\""
    given = BrowserTests(run=("false",), read_only=(tell, place.writing(junit(PASSED))), report="reports/e2e.xml")
    runtime = Runtime(environ={"GITHUB_ACTIONS": "true"}, stream=place.log)
    more = {"read_only": True, "routed": {"E2E_ROUTES": "{}"}}
    ran = browser_tests.run(
        given, place.root, URLS, release="v1", artifacts=place.root / "out", runtime=runtime, **more
    )
    assert ran.line == "1 browser test passed"
    assert "ROUTES {}" in place.log.getvalue()


# flaky, and in quarantine ----------------------------------------------------------------------------------------------


def properties(**given: str) -> str:
    text = "".join(f'<property name="{name}" value="{value}"/>' for name, value in given.items())
    return f"<properties>{text}</properties>"


def excused(*commands: str, until: str = "2026-06-15", test: str = "b") -> BrowserTests:
    one = Quarantine(test=test, owner="dev-1", until=until, reason="flaky since #12")
    return BrowserTests(run=commands, read_only=commands, report="reports/e2e.xml", quarantine=(one,))


def test_a_flaky_test_fails_nothing_and_is_named_with_how_it_failed_and_its_files(place: Place) -> None:
    flaky = case("c[chromium]", properties(flaky="attempt 1: too | late", artifact="c.trace.zip"))
    report = place.report(wanted(place.writing(junit(PASSED, flaky))))
    assert report.line == "2 browser tests passed, 1 of them flaky: c[chromium]"
    text = report.markdown("https://github.test/a/b/actions/runs/7")
    assert "| `c[chromium]` | flaky | `attempt 1: too \\| late` | `c.trace.zip` |" in text
    assert "[artifacts of this run](https://github.test/a/b/actions/runs/7#artifacts)" in text
    assert "| `a`" not in text


def test_what_failed_is_reported_with_its_files(place: Place) -> None:
    inside = '<failure message="console error: &lt;b&gt;x&lt;/b&gt; @everyone"/>' + properties(artifact="b.trace.zip")
    with pytest.raises(browser_tests.BrowserTestsFailed) as failed:
        place.run(wanted(place.writing(junit(PASSED, case("b", inside)), code=1)))
    assert failed.value.report is not None
    text = failed.value.report.markdown()
    assert "| `b` | failed | `console error: <b>x</b> @everyone` | `b.trace.zip` |" in text


@pytest.mark.parametrize("name", ["b", "b[chromium-phone]"])
def test_in_quarantine_a_test_runs_and_its_failure_stops_nothing(place: Place, name: str) -> None:
    report = place.report(excused(place.writing(junit(PASSED, case(name, "<failure/>")), code=1)))
    assert report.line == f"1 browser test passed; 1 failed in quarantine: {name}"
    text = report.markdown()
    assert f"| `{name}` | failed in quarantine |" in text
    assert "in quarantine until 2026-06-15: `b`, `dev-1`: `flaky since #12`" in text


def test_a_quarantine_excuses_that_test_alone(place: Place) -> None:
    with pytest.raises(CheckFailed, match="1 of 3 browser tests failed: c"):
        place.run(excused(place.writing(junit(PASSED, FAILED, ERROR), code=1)))
    with pytest.raises(CheckFailed, match="exit code 3"):
        place.run(excused(place.writing(junit(PASSED, FAILED), code=3)))
    with pytest.raises(CheckFailed, match="exit code 1"):
        place.run(excused(place.writing(junit(PASSED), code=1)))
    with pytest.raises(CheckFailed, match="no browser test ran") as none:
        place.run(excused(place.writing(junit(FAILED, SKIPPED), code=1)))
    assert none.value.why == "all that ran failed in quarantine"


def test_a_quarantine_of_no_test_is_reported(place: Place) -> None:
    report = place.report(excused(place.writing(junit(PASSED)), test="gone"))
    assert "`gone`, `dev-1`: `flaky since #12` (no test of that name ran)" in report.markdown()


def test_when_a_quarantine_is_over_the_test_counts_and_staging_says_whose_it_was(place: Place) -> None:
    with pytest.raises(CheckFailed, match="1 of 2 browser tests failed: b") as failed:
        place.run(excused(place.writing(junit(PASSED, FAILED), code=1), until="2026-06-14"))
    assert "the quarantine of b (dev-1) ended on 2026-06-14" in failed.value.why
    fixed = excused(place.writing(junit(PASSED, case("b"))), until="2026-06-14")
    with pytest.raises(CheckFailed, match="the quarantine of b ended on 2026-06-14") as over:
        place.run(fixed)
    assert not isinstance(over.value, browser_tests.BrowserTestsFailed), "what was tested is well"
    assert "dev-1" in over.value.why
    assert place.report(fixed, read_only=True).line == "2 browser tests passed"
