from __future__ import annotations

from pipelines.ci.affected import Changes, affected
from pipelines.ci.matrix import plan
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


def test_what_cannot_be_told_runs_everything_for_that_reason() -> None:
    checks, reasons = planned("strange.file")
    assert set(checks.values()) == {"run"}
    assert set(reasons.values()) == {"strange.file belongs to no component"}
