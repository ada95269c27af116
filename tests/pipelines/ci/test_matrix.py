from __future__ import annotations

import pytest

from pipelines.ci.affected import Changes, affected
from pipelines.ci.matrix import Below, Since, plan
from pipelines.manifest import parse

MANIFEST = parse("""
platform: {name: shop, repository: shop/shop}
components:
  api: {paths: ["api/**"]}
  site: {paths: ["site/**"]}
ci:
  checks:
    lint: {run: [ruff check], components: [api, site]}
    api-tests: {run: [pytest], components: [api]}
    site-tests: {run: [npm test], components: [site]}
environments: {}
""")


def planned(*paths: str) -> tuple[dict[str, str], dict[str, str]]:
    found = plan(MANIFEST, affected(MANIFEST, Changes(paths=paths)))
    return {one.check: "run" if one.runs else "skip" for one in found}, {one.check: one.why for one in found}


def test_only_what_is_affected_runs_and_each_says_why() -> None:
    checks, reasons = planned("api/x.py")
    assert checks == {"lint": "run", "api-tests": "run", "site-tests": "skip"}
    assert reasons["api-tests"] == "api: api/x.py changed"
    assert reasons["site-tests"] == "nothing that site depends on changed"


def test_reasons_name_all_the_components_of_a_check() -> None:
    assert planned()[1]["lint"] == "nothing that api or site depends on changed"


def test_what_cannot_be_determined_runs_everything_for_that_reason() -> None:
    checks, reasons = planned("strange.file")
    assert set(checks.values()) == {"run"}
    assert set(reasons.values()) == {"strange.file belongs to no component"}


# what is known of the commits below ----------------------------------------------------------------------------------------

ALL = ("lint", "api-tests", "site-tests")
COMMIT = "0123456" + "7" * 33


def since(*paths: str, same: bool = False) -> Since:
    """It last passed at a commit, and these files changed since."""
    return Since(commit=COMMIT, url="https://x.test/1", affected=affected(MANIFEST, Changes(paths=paths)), same=same)


def decided(own: tuple[str, ...] | None, below: Below) -> dict[str, str]:
    """Check -> why it runs; those that are skipped are left out."""
    brought = None if own is None else affected(MANIFEST, Changes(paths=own))
    return {one.check: one.why for one in plan(MANIFEST, brought, below) if one.runs}


def test_a_push_runs_what_changed_since_each_check_last_passed() -> None:
    below = Below(since={"lint": since("strange.file"), "api-tests": since("api/x.py"), "site-tests": since()})
    assert decided(None, below) == {
        "lint": "strange.file belongs to no component since 0123456",
        "api-tests": "api: api/x.py changed since 0123456",
    }


def test_a_push_runs_what_passed_nowhere() -> None:
    assert decided(None, Below(since={"lint": since(), "api-tests": since()})) == {
        "site-tests": "it passed on no commit below that CI knows"
    }


def test_these_very_files_passed() -> None:
    planned = plan(MANIFEST, None, Below(since=dict.fromkeys(ALL, since(same=True))))
    assert {one.why for one in planned} == {"these very files passed in https://x.test/1"}
    assert not any(one.runs for one in planned)


def test_a_pull_request_that_touches_nothing_runs_what_is_red_at_its_base() -> None:
    below = Below(since={"lint": since(), "api-tests": since("api/x.py")}, base="main")
    assert decided((), below) == {
        "api-tests": "api-tests is not green on main: api: api/x.py changed since 0123456",
        "site-tests": "site-tests is not green on main: it passed on no commit below that CI knows",
    }


def test_what_a_pull_request_changes_is_its_own_reason() -> None:
    below = Below(since={"lint": since(), "site-tests": since()}, base="main")
    assert decided(("api/x.py",), below) == {"lint": "api: api/x.py changed", "api-tests": "api: api/x.py changed"}


def test_what_is_not_known_runs_everything_and_says_why() -> None:
    assert set(decided((), Below(since={}, unknown="GitHub is silent", base="main"))) == set(ALL)
    assert set(decided(None, Below(since={}, unknown="GitHub is silent")).values()) == {"GitHub is silent"}


# what a rehearsal leaves out -----------------------------------------------------------------------------------------------

LARGE = parse("""
platform: {name: shop, repository: shop/shop}
components: {app: {paths: ["app/**"]}}
ci:
  checks:
    tests: {run: [npm test], components: [app]}
    types: {run: [npm run typecheck], components: [app], not_rehearsed: its packages are 400 MB}
environments: {}
""")


@pytest.mark.parametrize("path", ["app/x.ts", "app.md"])
@pytest.mark.parametrize("below", [None, Below(since={"tests": since(), "types": since(same=True)})])
def test_a_check_that_is_not_rehearsed_says_so_whatever_changed(path: str, below: Below | None) -> None:
    """Not that it passed somewhere: where it never runs, it never did."""
    found = plan(LARGE, affected(LARGE, Changes(paths=(path,))), below, rehearsal=True)[1]
    assert (found.runs, found.left_out, found.why) == (
        False,
        True,
        "a rehearsal does not run it: its packages are 400 MB",
    )


def test_anywhere_else_it_is_a_check_like_any_other() -> None:
    found = plan(LARGE, affected(LARGE, Changes(paths=("app/x.ts",))))
    assert [(one.runs, one.left_out, one.why) for one in found] == [(True, False, "app: app/x.ts changed")] * 2
