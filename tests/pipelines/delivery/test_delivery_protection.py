"""What the trust stands on outside the repository: found missing, reported as unknown, and fixed by the command that is printed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipelines.delivery.protection import environments_of, look, require
from pipelines.errors import RefusedError
from pipelines.findings import Finding
from pipelines.manifest import Manifest, parse
from rehearsal.github.repositories.state import Repository
from tests.shop import REPOSITORY, Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

READ = {"contents": "read", "actions": "read", "deployments": "write", "pull_requests": "read", "checks": "read"}
"""What the plan job may do."""
ENVIRONMENTS = ("production-deploy", "production-approval", "production-break-glass")
SUBJECTS = [*(f"environment {name}" for name in ENVIRONMENTS), "branch main", "branch release/*", "tags v*"]


def policy() -> Manifest:
    return parse(MANIFEST)


def repository(shop: Shop) -> Repository:
    return shop.github.instance.repository(REPOSITORY)


def found(shop: Shop) -> dict[str, Finding]:
    """By what they are about, as the plan job's own token sees it."""
    run = shop.start()
    token = shop.do(shop.github.hub.job_token, REPOSITORY, READ, run, run.jobs[0])
    return {each.subject: each for each in look(shop.client(token), policy(), "production")}


def fix(shop: Shop, command: str) -> None:
    """Carry out what a finding prints, in a shell, with GitHub's own client, as an administrator."""
    program = shutil.which("gh")
    assert program is not None, "gh is not installed. Get it with: apt-get install gh"
    shop.do(shop.github.seed.role, REPOSITORY, "administrator", "admin")
    admin = shop.person("administrator")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(admin.home),
        "GH_HOST": "github.localhost",
        "HTTP_PROXY": shop.url,
        "GH_TOKEN": admin.token,
        "GH_NO_UPDATE_NOTIFIER": "1",
    }
    done = subprocess.run(
        ["bash", "-ec", command], cwd=admin.home, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def rulesets_gone(shop: Shop, target: str, pattern: str) -> None:
    rulesets = repository(shop).rulesets
    for number, each in list(rulesets.items()):
        if each.target == target and each.include == [pattern]:
            del rulesets[number]


# what is well -----------------------------------------------------------------------------------------------------------


def test_all_is_well_and_every_part_is_reported(shop: Shop) -> None:
    well = found(shop)
    assert list(well) == SUBJECTS
    assert {each.state for each in well.values()} == {"ok"}
    assert {each.fix for each in well.values()} == {""}


def test_environments_are_those_that_guard_ours() -> None:
    settings = policy().environments["production"]
    assert tuple(environments_of("production", settings)) == ENVIRONMENTS
    assert environments_of("staging", policy().environments["staging"]) == ["staging"]
    assert settings.approval is not None
    alone = replace(settings, github_environment="", approval=replace(settings.approval, break_glass_environment=""))
    assert environments_of("production", alone) == ["production", "production-approval"]


# what is missing, and fixed --------------------------------------------------------------------------------------------


def gone(shop: Shop) -> None:
    del repository(shop).environments["production-deploy"]


def open_to_all(shop: Shop) -> None:
    repository(shop).environments["production-deploy"].custom_policies = False


def protected_branches(shop: Shop) -> None:
    """GitHub's other choice: whatever branch someone protects."""
    environment = repository(shop).environments["production-deploy"]
    environment.custom_policies, environment.protected_branches = False, True


def others_too(shop: Shop) -> None:
    shop.do(shop.github.seed.environment, REPOSITORY, "production-deploy", branches=("main", "release/*"))


def others_alone(shop: Shop) -> None:
    shop.do(shop.github.seed.environment, REPOSITORY, "production-deploy", branches=("release/*",))


def nothing(shop: Shop) -> None:
    repository(shop).environments["production-deploy"].policies.clear()


def a_tag_of_that_name(shop: Shop) -> None:
    """Anybody who may push can make a tag called main."""
    for policy_ in repository(shop).environments["production-deploy"].policies:
        policy_.type = "tag"


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (gone, "does not exist: GitHub would make it by itself, unprotected"),
        (open_to_all, "admits every branch"),
        (protected_branches, "admits every branch"),
        (others_too, "admits main, release/*, and must admit exactly main"),
        (others_alone, "admits release/*, and must admit exactly main"),
        (nothing, "admits nothing, and must admit exactly main"),
        (a_tag_of_that_name, "admits tag main, and must admit exactly main"),
    ],
)
def test_an_environment_is_found_open_and_repaired(shop: Shop, break_it: Callable[[Shop], None], says: str) -> None:
    break_it(shop)
    finding = found(shop)["environment production-deploy"]
    assert (finding.state, finding.says) == ("missing", says)
    fix(shop, finding.fix)
    assert found(shop)["environment production-deploy"].state == "ok"


@pytest.mark.parametrize("name", ["production-approval", "production-break-glass"])
def test_those_of_the_approval_count_too(shop: Shop, name: str) -> None:
    """Anyone who could run a job there from a branch would be asked for nothing, or make it look so."""
    del repository(shop).environments[name]
    assert found(shop)[f"environment {name}"].state == "missing"


def test_mending_takes_no_reviewer_away(shop: Shop) -> None:
    """GitHub switches off every rule that a change does not name."""
    shop.reviewers("release-manager", "on-call")
    environment = repository(shop).environments["production-approval"]
    environment.custom_policies, environment.wait_minutes, environment.prevent_self_review = False, 5, True
    fix(shop, found(shop)["environment production-approval"].fix)
    assert found(shop)["environment production-approval"].state == "ok"
    environment = repository(shop).environments["production-approval"]
    assert environment.reviewers == ["release-manager", "on-call"]
    assert (environment.wait_minutes, environment.prevent_self_review) == (5, True)


@pytest.mark.parametrize(("subject", "pattern"), [("branch main", "main"), ("branch release/*", "release/*")])
def test_a_branch_without_rules_is_found_and_repaired(shop: Shop, subject: str, pattern: str) -> None:
    rulesets_gone(shop, "branch", f"refs/heads/{pattern}")
    finding = found(shop)[subject]
    assert finding.state == "missing"
    assert finding.says == "no rule pull_request, required_status_checks, non_fast_forward, deletion"
    fix(shop, finding.fix)
    assert found(shop)[subject].state == "ok"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"checks": ("ci",), "reviews": 0}, "no approving review is required"),
        ({"checks": ("ci",), "reviews": None}, "no rule pull_request"),
        ({"checks": ("lint",), "reviews": 1}, "the check ci is not required"),
        ({"checks": (), "reviews": 1}, "no rule required_status_checks"),
        ({"checks": ("ci",), "reviews": 1, "dismiss_stale": False}, "an approval survives what is pushed after it"),
    ],
)
def test_half_a_ruleset_is_reported_and_repaired(shop: Shop, options: dict[str, object], says: str) -> None:
    rulesets_gone(shop, "branch", "refs/heads/main")
    shop.do(shop.github.seed.branch_ruleset, REPOSITORY, ("main",), **options)
    finding = found(shop)["branch main"]
    assert (finding.state, finding.says) == ("missing", says)
    fix(shop, finding.fix)
    assert found(shop)["branch main"].state == "ok"


def test_tags_that_can_be_moved_are_found_and_repaired(shop: Shop) -> None:
    rulesets_gone(shop, "tag", "refs/tags/v*")
    finding = found(shop)["tags v*"]
    assert (finding.state, finding.says) == ("missing", "no rule update, deletion")
    fix(shop, finding.fix)
    assert found(shop)["tags v*"].state == "ok"


@pytest.mark.parametrize("enforcement", ["disabled", "evaluate"])
def test_rules_that_are_not_in_force_are_none(shop: Shop, enforcement: str) -> None:
    for ruleset in repository(shop).rulesets.values():
        ruleset.enforcement = enforcement
    assert [found(shop)[subject].state for subject in SUBJECTS[3:]] == ["missing"] * 3


def test_tags_that_are_excepted_are_not_held(shop: Shop) -> None:
    for ruleset in repository(shop).rulesets.values():
        if ruleset.target == "tag":
            ruleset.exclude = ["refs/tags/v9*"]
    assert found(shop)["tags v*"].state == "missing"


def test_rules_of_other_tags_are_none_of_ours(shop: Shop) -> None:
    rulesets_gone(shop, "tag", "refs/tags/v*")
    shop.do(shop.github.seed.protect_tags, REPOSITORY, ("mobile-v*",))
    assert found(shop)["tags v*"].state == "missing"


# what cannot be read ----------------------------------------------------------------------------------------------------


def test_what_a_token_may_not_read_is_unknown_and_not_refused(shop: Shop) -> None:
    shop.fault(kind="status", status=403, times=None, path="/(environments|rules|rulesets)")
    token = shop.job().token
    findings = require(shop.client(token), policy(), "production")
    assert {each.state for each in findings} == {"unknown"}
    assert all("cannot be read with this token" in each.says for each in findings)


def test_one_that_is_unknown_hides_none_that_is_missing(shop: Shop) -> None:
    rulesets_gone(shop, "tag", "refs/tags/v*")
    shop.fault(kind="status", status=403, times=None, path="/environments/")
    with pytest.raises(RefusedError, match=r"tags v\*: no rule"):
        require(shop.client(shop.job().token), policy(), "production")


# what follows -----------------------------------------------------------------------------------------------------------


def test_what_is_missing_refuses_with_every_part_of_it(shop: Shop) -> None:
    gone(shop)
    rulesets_gone(shop, "branch", "refs/heads/main")
    with pytest.raises(RefusedError) as error:
        require(shop.client(shop.job().token), policy(), "production")
    assert "environment production-deploy: does not exist" in error.value.what
    assert "branch main: no rule" in error.value.what
    assert "shipmate doctor" in error.value.next_step
    assert "accept_unprotected" in error.value.next_step


def test_a_policy_may_accept_it_in_words(shop: Shop) -> None:
    gone(shop)
    accepting = parse(
        MANIFEST.replace(
            "    proved_by: staging\n", "    proved_by: staging\n    accept_unprotected: a private hobby\n"
        )
    )
    findings = require(shop.client(shop.job().token), accepting, "production")
    assert [each.subject for each in findings if each.state == "missing"] == ["environment production-deploy"]


def on_free(shop: Shop) -> None:
    here = repository(shop)
    here.private, here.settings.plan = True, "free"


def test_a_private_repository_on_free_is_refused_with_the_way_without(shop: Shop) -> None:
    """One finding, and no command that could not work there."""
    on_free(shop)
    with pytest.raises(RefusedError) as error:
        require(shop.client(shop.job().token), policy(), "production")
    assert error.value.what.startswith(
        f"GitHub's plan of {REPOSITORY}: a private repository on Free has no environments"
    )
    [only] = found(shop).values()
    assert "gh api" not in only.fix
    for way in ("GitHub Pro or Team", "accept_unprotected", "gh secret set", "approve by comment"):
        assert way in only.fix, way
    accepting = parse(
        MANIFEST.replace("    proved_by: staging\n", "    proved_by: staging\n    accept_unprotected: a hobby\n")
    )
    assert require(shop.client(shop.job().token), accepting, "production") == [only]


@pytest.mark.parametrize(("private", "plan"), [(False, "free"), (True, "pro"), (True, "team"), (True, "enterprise")])
def test_every_other_plan_has_environments_and_rules(shop: Shop, plan: str, *, private: bool) -> None:
    here = repository(shop)
    here.private, here.settings.plan = private, plan
    assert list(found(shop)) == SUBJECTS


def test_as_data_it_has_all_a_machine_needs(shop: Shop) -> None:
    gone(shop)
    data = found(shop)["environment production-deploy"].as_data()
    assert set(data) == {"subject", "state", "says", "fix"}
    assert "gh api -X PUT repos/techmate/platform/environments/production-deploy" in data["fix"]
