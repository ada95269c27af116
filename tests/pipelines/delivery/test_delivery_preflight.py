"""What must hold before a plan is made: forward, judged by checks that main knows, and how the release differs from main."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.delivery import plan, preflight
from pipelines.delivery.plan import Plan, Recorded
from pipelines.delivery.steps.base import Base
from pipelines.errors import RefusedError
from pipelines.manifest import Manifest, definition, parse
from pipelines.manifest.targets import CloudRun
from tests.shop import Shop
from tests.shop_files import FILES, MANIFEST, REGISTRY


def releasing(folder: Path, text: str) -> Manifest:
    """Main's policy with the definition of a release in it."""
    file = folder / "shipmate.yml"
    file.write_text(text)
    return definition.apply(parse(MANIFEST), definition.read(file))


def onto(folder: Path, release: str, base: Base | None) -> Plan:
    references = {
        name: f"{REGISTRY}/techmate-delivery/platform/{name}@sha256:{'1' * 64}" for name in ("backend", "web")
    }
    recorded = Recorded(release=release, commit="c" * 40, artifacts=references, base=dict.fromkeys(references, base))
    return plan.make(releasing(folder, MANIFEST), "production", recorded)


def live(release: str, digest: str = "sha256:" + "1" * 64) -> Base:
    return Base(key="k", release=release, commit="b" * 40, digest=digest)


# forward ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [None, Base(key="by hand"), live("v1.0.0"), live("v1.1.0"), live("sha-1234567")])
def test_forward(tmp_path: Path, base: Base | None) -> None:
    preflight.require_forward(onto(tmp_path, "v1.1.0", base), parse(MANIFEST).release)


@pytest.mark.parametrize(
    ("release", "base"), [("v1.0.9", "v1.1.0"), ("v1.1.0-rc.1", "v1.1.0"), ("v1.9.0", "v1.10.0"), ("v1.0.0", "v99.0.0")]
)
def test_a_lower_version_does_not_go_out(tmp_path: Path, release: str, base: str) -> None:
    with pytest.raises(RefusedError, match=rf"{release} is lower than {base}, which is live(.|\n)*rollback --to"):
        preflight.require_forward(onto(tmp_path, release, live(base)), parse(MANIFEST).release)


def test_one_name_never_means_two_things(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"v1\.1\.0 is live with another digest"):
        preflight.require_forward(onto(tmp_path, "v1.1.0", live("v1.1.0", "sha256:2")), parse(MANIFEST).release)


# checks -----------------------------------------------------------------------------------------------------------------


@pytest.mark.world
def test_a_workflow_that_main_never_had_is_refused(shop: Shop) -> None:
    trivial = FILES[".github/workflows/ci.yml"].replace("ubuntu-latest", "self-hosted")
    commit = shop.commit(branch="release/1.x", files={".github/workflows/ci.yml": trivial})
    with pytest.raises(RefusedError) as error:
        preflight.judge_checks(shop.context().manifest, commit)
    assert "is none that refs/remotes/origin/main ever had" in error.value.what
    assert "a commit must not bring the workflow that judges it" in error.value.why


@pytest.mark.world
def test_checks_that_main_never_had_are_shown(shop: Shop) -> None:
    lax = MANIFEST.replace('lint: {run: ["true"]', 'lint: {run: ["echo fine"]')
    assert lax != MANIFEST
    commit = shop.commit(branch="release/1.x", files={"shipmate.yml": lax})
    (message,) = preflight.judge_checks(shop.context().manifest, commit)
    assert f"the checks of {commit[:7]}" in message


@pytest.mark.world
def test_what_main_has_is_neither(shop: Shop) -> None:
    commits = [shop.commit(), shop.commit(branch="release/1.x")]
    manifest = shop.context().manifest
    assert [preflight.judge_checks(manifest, commit) for commit in commits] == [[], []]


# policy and definition --------------------------------------------------------------------------------------------------

OWN = """      service_account: api@techmate-production.iam.gserviceaccount.com
      scaling: {min: 1, max: 3}
      env: {LOG_LEVEL: debug}
      secrets: {DATABASE_URL: database-url@7}
"""


def test_nothing_differs_from_itself(tmp_path: Path) -> None:
    assert preflight.differences(parse(MANIFEST), releasing(tmp_path, MANIFEST), "production") == []


def test_what_the_release_may_say_is_shown(tmp_path: Path) -> None:
    text = MANIFEST.replace("      service_account: api@techmate-production.iam.gserviceaccount.com\n", OWN)
    text = text.replace(
        "      url: https://techmate.ai\n", "      url: https://techmate.ai\n      config: {theme: dark}\n"
    )
    mine = "      - {name: mine, component: web, path: /mine}\nalerts:"
    text = text.replace("alerts:", mine, 1)
    made = releasing(tmp_path, text)
    differences = preflight.differences(parse(MANIFEST), made, "production")
    assert [line.partition(":")[0] for line in differences] == [
        "backend/scaling",
        "backend/env",
        "backend/secrets",
        "web/config",
        "smoke",
    ]
    assert "{'LOG_LEVEL': 'debug'}, the default branch has {}" in differences[1]
    assert "database-url@7" in differences[2]
    assert differences[4] == "smoke: mine, added by the release"
    assert made.environments["production"].smoke[-1].name == "mine"


def test_a_journey_that_the_release_adds_is_shown(tmp_path: Path) -> None:
    theirs = "journeys:\n  theirs: {component: web, requests: [{path: /}]}\n"
    mine = "  mine: {component: web, requests: [{path: /mine}]}\n"
    made = releasing(tmp_path, MANIFEST + theirs + mine)
    differences = preflight.differences(parse(MANIFEST + theirs), made, "production")
    assert differences == ["journeys: mine, added by the release"]


CHANGED_POLICY = {
    "project: techmate-production": "project: mine",
    "region: europe-west1": "region: us-central1",
    "service: api": "service: other",
    "url: https://api.techmate.ai": "url: https://mine.test",
    "service_account: api@techmate-production": "service_account: owner@techmate-production",
    "shift: [10, 100]": "shift: [100]",
    "watch_seconds: 0": "watch_seconds: 1",
    "team: techmate": "team: mine",
    "url: https://techmate.ai\n": "url: https://mine.test\n",
    f"repository: {REGISTRY}/techmate-delivery/platform/backend": "repository: mine.test/backend",
    f"repository: {REGISTRY}/techmate-delivery/platform/web": "repository: mine.test/web",
    "proved_by: staging": "proved_by: production",
    "by: [release-manager, on-call]": "by: [dev-1]",
    "break_glass: [on-call]": "break_glass: [dev-1]",
    "environment: production-approval": "environment: mine",
    "expires_minutes: 60": "expires_minutes: 600000",
    "github_environment: production-deploy": "github_environment: staging",
    "path: /health, ": "path: /, ",
    "name: techmate, repository: techmate/platform": "name: mine, repository: dev-1/platform",
}


@pytest.mark.parametrize("key", CHANGED_POLICY)
def test_what_the_policy_says_a_release_cannot_change(tmp_path: Path, key: str) -> None:
    text = MANIFEST.replace(key, CHANGED_POLICY[key])
    assert text != MANIFEST
    made = releasing(tmp_path, text)
    policy = parse(MANIFEST)
    assert made.environments == policy.environments
    assert made.components == policy.components
    assert made.platform == policy.platform
    assert preflight.differences(policy, made, "production") == []


def test_nor_by_leaving_it_out(tmp_path: Path) -> None:
    """`approval:` deleted, the smoke checks deleted, the whole environment deleted."""
    policy = parse(MANIFEST)
    approval = MANIFEST[
        MANIFEST.index("    approval:\n") : MANIFEST.index("\n    backend:", MANIFEST.index("approval:"))
    ]
    smoke = [line for line in MANIFEST.splitlines(keepends=True) if line.startswith(("    smoke:", "      - {name:"))]
    production = MANIFEST[MANIFEST.index("  production:") : MANIFEST.index("alerts:")]
    without_smoke = MANIFEST
    for line in dict.fromkeys(smoke):
        without_smoke = without_smoke.replace(line, "")
    for text in (MANIFEST.replace(approval, ""), without_smoke, MANIFEST.replace(production, "")):
        assert text != MANIFEST
        assert releasing(tmp_path, text).environments == policy.environments


def test_nor_by_keys_of_its_own(tmp_path: Path) -> None:
    text = MANIFEST.replace(
        "    github_environment: production-deploy\n",
        "    github_environment: production-deploy\n    accept_unprotected: whatever\n    unapproved: nobody\n"
        "    deployer: {workload_identity: mine, service_account: mine}\n",
    )
    assert releasing(tmp_path, text).environments == parse(MANIFEST).environments


def test_a_component_that_the_release_lacks_is_shown(tmp_path: Path) -> None:
    made = releasing(tmp_path, MANIFEST)
    target = made.environments["production"].targets["backend"]
    assert isinstance(target, CloudRun)
    alone = replace(made.environments["production"], targets={"backend": target})
    made = replace(made, environments={**made.environments, "production": alone})
    assert preflight.differences(parse(MANIFEST), made, "production") == ["web: the release does not have it"]
