from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.ci.affected import Changes, affected
from pipelines.manifest import Manifest, parse

MANIFEST = parse("""
platform: {name: shop, repository: shop/shop}
components:
  api: {paths: ["api/**"], depends_on: [schema]}
  schema: {paths: ["api/migrations/**"]}
  site: {paths: ["site/**"]}
  journeys: {paths: ["e2e/**"], depends_on: [api, site]}
ci:
  always: [".github/**", shop.yml]
  ignore: ["docs/**", "**/*.md"]
  checks:
    api-tests: {run: [pytest], components: [api]}
environments: {}
""")


def components(*paths: str, manifest: Manifest = MANIFEST) -> set[str]:
    return set(affected(manifest, Changes(paths=paths)).reasons)


EVERYTHING = {"api", "schema", "site", "journeys"}


def test_a_file_affects_its_component_and_what_depends_on_it() -> None:
    found = affected(MANIFEST, Changes(paths=("site/index.html", "site/main.ts")))
    assert found.reasons == {"site": "site/index.html and 1 more changed", "journeys": "depends on site"}


def test_dependencies_are_followed_through_others() -> None:
    found = affected(MANIFEST, Changes(paths=("api/migrations/1.sql",)))
    assert found.reasons["api"] == "api/migrations/1.sql changed"
    assert found.reasons["journeys"] == "depends on api"
    assert "site" not in found


def test_dependencies_in_a_circle_end() -> None:
    circle = parse("""
platform: {name: shop, repository: shop/shop}
components:
  a: {paths: ["a/**"], depends_on: [b]}
  b: {paths: ["b/**"], depends_on: [a]}
  c: {paths: ["c/**"]}
ci: {checks: {}}
environments: {}
""")
    assert components("a/x", manifest=circle) == {"a", "b"}


def test_nothing_changed_affects_nothing() -> None:
    assert components() == set()


def test_ignored_files_affect_nothing_and_are_named() -> None:
    found = affected(MANIFEST, Changes(paths=("docs/x.md", "api/README.md")))
    assert not found.reasons
    assert found.ignored == ("docs/x.md", "api/README.md")


def test_what_counts_for_everything_is_not_ignored() -> None:
    found = affected(MANIFEST, Changes(paths=(".github/README.md",)))
    assert set(found.reasons) == EVERYTHING
    assert found.everything == ".github/README.md counts for everything"


def test_a_file_nobody_claims_affects_everything() -> None:
    found = affected(MANIFEST, Changes(paths=("site/a.ts", "new-folder/x")))
    assert set(found.reasons) == EVERYTHING
    assert found.everything == "new-folder/x belongs to no component"


def test_no_diff_affects_everything() -> None:
    found = affected(MANIFEST, Changes(paths=None, unknown="the clone is shallow"))
    assert (set(found.reasons), found.everything) == (EVERYTHING, "the clone is shallow")


def test_names_that_are_no_text_are_shown_on_one_line() -> None:
    found = affected(MANIFEST, Changes(paths=("x\n::error::y\udcff",)))
    assert found.everything == "'x\\n::error::y\\udcff' belongs to no component"


@given(st.lists(st.sampled_from(["api/a", "api/migrations/1", "site/b", "e2e/c", "docs/d", "x.md", "shop.yml", "z"])))
def test_more_changes_never_affect_less(paths: list[str]) -> None:
    for count in range(len(paths)):
        assert components(*paths[:count]) <= components(*paths)


@given(st.text(min_size=1))
def test_any_name_at_all_is_either_known_or_affects_everything(path: str) -> None:
    known = path.startswith(("api/", "site/", "e2e/", "docs/")) or path.endswith(".md")
    assert known or components(path) == EVERYTHING
