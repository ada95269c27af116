"""What staging proved: believed only when the run that proved it made it; whatever else people with a token can write is not."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from pipelines.delivery import evidence, proof
from pipelines.delivery.planning import LazyStates
from pipelines.delivery.proof import FILE, JOB, Proof, artifact_name
from pipelines.errors import RefusedError
from rehearsal.runner.model import Run
from tests.shop import REPOSITORY, Shop

pytestmark = pytest.mark.world

LINE = "release/1.x"


def find(shop: Shop, commit: str, *, sealed: bool = True) -> Proof:
    """As planning asks."""
    context = shop.context("production")
    assert context.github is not None
    # Hosts in memory are of one environment for each context.
    lives = LazyStates(shop.context("staging"), "staging") if sealed else None
    return proof.find(context.github, "staging", commit, shop.definition(commit), main="main", sealed=lives)


def why(shop: Shop, commit: str) -> str:
    with pytest.raises(RefusedError) as error:
        find(shop, commit)
    assert error.value.what == f"{commit[:7]} was not proved on staging"
    assert "Deploy to Staging" in error.value.next_step
    return error.value.why


def forged(shop: Shop, run_: Run, commit_: str, **fields: Any) -> None:
    """An artifact of the name, with what a proof says, uploaded by whatever job of a run is at work."""
    values = {
        "environment": "staging",
        "commit": commit_,
        "definition": shop.definition(commit_),
        "artifacts": shop.artifacts("forged"),
        "run": str(run_.id),
        "attempt": str(run_.attempt),
        **fields,
    }
    shop.upload(run_, artifact_name("staging", commit_), {FILE: Proof(**values).written()})


# what is believed -------------------------------------------------------------------------------------------------------


def test_what_a_push_to_main_proved(shop: Shop) -> None:
    commit = shop.commit()
    run = shop.prove(commit)
    shop.end(run, "success")
    found = find(shop, commit)
    assert (found.environment, found.commit, found.run, found.attempt) == ("staging", commit, str(run.id), "1")
    assert found.artifacts == shop.artifacts(commit[:12])
    assert found.definition == shop.definition(commit)


def test_what_mains_workflow_proved_for_a_maintenance_line(shop: Shop) -> None:
    commit = shop.commit(branch=LINE)
    shop.end(shop.prove(commit, event="workflow_run"), "success")
    assert find(shop, commit).artifacts == shop.artifacts(commit[:12])


def test_what_mains_workflow_proved_for_an_earlier_commit_that_someone_asked_for(shop: Shop) -> None:
    commit = shop.commit()
    shop.commit()
    shop.end(shop.prove(commit, event="workflow_dispatch"), "success")
    assert find(shop, commit).artifacts == shop.artifacts(commit[:12])


def test_of_two_the_newer(shop: Shop) -> None:
    commit = shop.commit()
    for _ in range(2):
        shop.end(shop.prove(commit), "success")
    newest = max(shop.runner.runs)
    assert find(shop, commit).run == str(newest)


def test_the_providers_are_not_asked_while_the_run_is_there(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    context = shop.context("production")
    assert context.github is not None

    def nobody(component: str) -> Any:
        raise AssertionError(component)

    context.host_of = nobody
    lives = LazyStates(context, "staging")
    assert proof.find(context.github, "staging", commit, shop.definition(commit), main="main", sealed=lives).run


# made elsewhere ---------------------------------------------------------------------------------------------------------


def test_nothing_at_all(shop: Shop) -> None:
    assert why(shop, shop.commit()) == "no run of the staging workflow on main proved this commit"


@pytest.mark.parametrize(
    ("file", "branch", "event", "message"),
    [
        ("deploy-staging.yml", LINE, "push", f"made on {LINE}"),
        ("deploy-staging.yml", "feature", "workflow_dispatch", "made on feature"),
        ("ci.yml", LINE, "push", f"made on {LINE}"),
        ("ci.yml", "main", "push", "is no run of .github/workflows/deploy-staging.yml on main"),
        ("deploy-staging.yml.yml", "main", "push", "is no run of"),
        ("deploy-staging.yml", "main", "pull_request", "is no run of"),
    ],
)
def test_an_artifact_that_another_branch_or_workflow_made_is_none(
    shop: Shop, file: str, branch: str, event: str, message: str
) -> None:
    commit = shop.commit(branch=LINE if branch == LINE else "main")
    run = shop.workflow(file, "Deploy to Staging", JOB, commit=commit, branch=branch, event=event)
    run.title = f"Deploy {commit} to staging"
    forged(shop, run, commit)
    shop.end(run, "success")
    assert message in why(shop, commit)


def test_a_copied_run_id_proves_nothing(shop: Shop) -> None:
    """The digests are someone's own, the run is one that did prove this commit."""
    commit = shop.commit(branch=LINE)
    real = shop.prove(commit, event="workflow_run")
    real.artifacts.clear()
    shop.end(real, "success")
    fake = shop.workflow("mine.yml", "Mine", JOB, commit=commit, branch=LINE)
    forged(shop, fake, commit, run=str(real.id), attempt=str(real.attempt))
    shop.end(fake, "success")
    assert f"made on {LINE}" in why(shop, commit)


def test_nor_does_it_beside_the_real_one(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    real = find(shop, commit)
    fake = shop.workflow("mine.yml", "Mine", JOB, commit=commit, branch="feature")
    forged(shop, fake, commit, run=real.run)
    shop.end(fake, "success")
    assert find(shop, commit) == real


def test_a_fork_whose_branch_is_called_main_proves_nothing(shop: Shop) -> None:
    """The run is of this repository; its head is another's."""
    commit = shop.commit()
    shop.run(shop.github.seed.fork(REPOSITORY, "stranger"))
    fork = {"pull_request": {"head": {"ref": "main", "sha": commit, "repo": {"full_name": "stranger/platform"}}}}
    run = shop.workflow("deploy-staging.yml", "Deploy to Staging", JOB, commit=commit, event="push", payload=fork)
    run.title = f"Deploy {commit} to staging"
    forged(shop, run, commit)
    shop.end(run, "success")
    listed = shop.person("dev-1").get(f"/repos/{REPOSITORY}/actions/artifacts")["artifacts"][0]["workflow_run"]
    assert listed["head_branch"] == "main"
    assert listed["head_repository_id"] != listed["repository_id"]
    assert "not by this repository's main" in why(shop, commit)


def test_a_tag_called_main_proves_nothing(shop: Shop) -> None:
    """Anyone who may push can make it, and GitHub lists its runs as those of `main`; what ran is the file of the tagged commit."""
    commit, own = shop.commit(), shop.commit(branch="feature")
    for at, message in ((own, f"ran the file of {own[:7]}, which is not on main"), (commit, "its job")):
        run = shop.workflow("deploy-staging.yml", "Deploy to Staging", "Mine", commit=at, ref="refs/tags/main")
        assert run.head_branch == "main"
        forged(shop, run, commit)
        shop.end(run, "success")
        assert message in why(shop, commit)


def test_forged_statuses_and_records_prove_nothing(shop: Shop) -> None:
    commit = shop.commit()
    shop.check(commit)
    job = shop.job()
    made = job.post(
        f"/repos/{REPOSITORY}/deployments",
        {
            "ref": commit,
            "task": "shipmate",
            "environment": "staging",
            "auto_merge": False,
            "required_contexts": [],
            "payload": {"release": "v1.0.0", "commit": commit, "artifacts": shop.artifacts("forged")},
        },
    )
    status = {"state": "success", "description": "v1.0.0 is proved"}
    job.post(f"/repos/{REPOSITORY}/deployments/{made['id']}/statuses", status)
    assert why(shop, commit) == "no run of the staging workflow on main proved this commit"


def test_two_hundred_junk_artifacts_do_not_hide_the_real_one(shop: Shop) -> None:
    """GitHub lists a hundred at once, the newest first."""
    commit = shop.proved("v1.0.0")
    junk = shop.workflow("junk.yml", "Junk", "junk", commit=commit, branch="feature")
    forged(shop, junk, commit)
    for _ in range(199):
        # What it says is not read: to make it 200 times over would take a minute.
        shop.upload(junk, artifact_name("staging", commit), {FILE: b"{}"})
    shop.end(junk, "success")
    listed = shop.person("dev-1").get(
        f"/repos/{REPOSITORY}/actions/artifacts?name={artifact_name('staging', commit)}&per_page=100"
    )
    assert listed["total_count"] == 201
    assert {each["workflow_run"]["head_branch"] for each in listed["artifacts"]} == {"feature"}
    assert find(shop, commit).artifacts == shop.artifacts(commit[:12])


# made by another job of the proving run ---------------------------------------------------------------------------------


def test_a_job_that_builds_code_of_the_release_proves_no_other_commit(shop: Shop) -> None:
    """A maintenance line's build runs in mains' workflow, and can upload any artifact; its commit is not that one."""
    good, other = shop.commit(branch=LINE), shop.commit(branch=LINE)
    run = shop.prove(other, event="workflow_run")
    forged(shop, run, good)
    shop.end(run, "success")
    assert f"was not started for {good[:7]}" in why(shop, good)
    assert find(shop, other).commit == other


def test_nor_does_it_prove_its_own_before_the_proving_job_began(shop: Shop) -> None:
    commit = shop.commit(branch=LINE)
    run = shop.prove(commit, event="workflow_run")
    run.artifacts.clear()
    forged(shop, run, commit)
    run.artifacts[0].created_at -= timedelta(minutes=5)
    shop.end(run, "success")
    assert f"was not made by its job {JOB!r}" in why(shop, commit)


def test_nor_by_the_success_of_an_earlier_attempt(shop: Shop) -> None:
    """The build of a re-run replaces the proof, names the attempt that succeeded, and the re-run is cancelled."""
    commit = shop.commit(branch=LINE)
    run = shop.prove(commit, event="workflow_run")
    shop.end(run, "success")
    shop.clock.ahead = timedelta(minutes=5)
    run = shop.again_of(run)
    run.artifacts.clear()
    forged(shop, run, commit, attempt="1")
    shop.end(run, "cancelled")
    assert f"was not made by its job {JOB!r}" in why(shop, commit)


def test_a_job_of_another_name_proves_nothing(shop: Shop) -> None:
    commit = shop.commit()
    run = shop.workflow("deploy-staging.yml", "Deploy to Staging", "Build backend", commit=commit)
    forged(shop, run, commit)
    shop.end(run, "success")
    assert f"was not made by its job {JOB!r}" in why(shop, commit)


# what it says -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"definition": "sha256:" + "0" * 64}, "its definition is another than the commit's"),
        ({"environment": "production"}, "on production"),
        ({"commit": "c" * 40}, "proved ccccccc on staging"),
        ({"run": "1"}, "names another run"),
        ({"attempt": "7"}, "has not ended"),
        ({"attempt": "../1"}, "is not as the suite writes it"),
        ({"attempt": 1}, "is not as the suite writes it"),
        ({"artifacts": ["backend"]}, "is not as the suite writes it"),
        ({"artifacts": {"backend": 1}}, "is not as the suite writes it"),
    ],
)
def test_a_proof_of_something_else(shop: Shop, fields: dict[str, Any], message: str) -> None:
    commit = shop.commit()
    run = shop.prove(commit)
    run.artifacts.clear()
    forged(shop, run, commit, **fields)
    shop.end(run, "success")
    assert message in why(shop, commit)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"format": 1}',
        json.dumps(
            {
                "format": 2,
                **dict.fromkeys(("environment", "commit", "definition", "artifacts", "run"), ""),
                "attempt": "",
            }
        ).encode(),
    ],
)
def test_a_proof_that_cannot_be_read(shop: Shop, content: bytes) -> None:
    commit = shop.commit()
    run = shop.prove(commit)
    run.artifacts.clear()
    shop.upload(run, artifact_name("staging", commit), {FILE: content})
    shop.end(run, "success")
    message = why(shop, commit)
    assert "cannot be read" in message or "has the form" in message


def test_a_proof_that_is_too_large(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = shop.proved("v1.0.0")
    monkeypatch.setattr(evidence, "LARGEST", 100)
    assert "is larger than 100 bytes" in why(shop, commit)


# how the run ended ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out", "skipped"])
def test_an_attempt_that_did_not_succeed_proves_nothing(shop: Shop, conclusion: str) -> None:
    commit = shop.commit()
    shop.end(shop.prove(commit), conclusion)
    assert f"(attempt 1) ended as {conclusion}" in why(shop, commit)


def test_one_that_has_not_ended(shop: Shop) -> None:
    commit = shop.commit()
    shop.prove(commit)
    assert "(attempt 1) has not ended" in why(shop, commit)


def test_run_again_and_cancelled_it_is_still_proved_by_the_first_attempt(shop: Shop) -> None:
    commit = shop.commit()
    run = shop.prove(commit)
    shop.end(run, "success")
    shop.end(shop.again_of(run), "cancelled")
    assert run.conclusion == "cancelled"
    assert find(shop, commit).attempt == "1"


def test_proved_by_an_attempt_that_failed_a_later_success_of_other_jobs_proves_nothing(shop: Shop) -> None:
    commit = shop.commit()
    run = shop.prove(commit)
    shop.end(run, "failure")
    shop.end(shop.again_of(run), "success")
    assert "(attempt 1) ended as failure" in why(shop, commit)


def test_an_artifact_that_has_expired(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    shop.clock.ahead = timedelta(days=91)
    assert "has expired" in why(shop, commit)


# when the run is gone ---------------------------------------------------------------------------------------------------


def test_a_deleted_run_leaves_the_providers_mark(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    shop.live(f"sha-{commit[:7]}", commit, "staging")
    shop.runner.runs.clear()
    found = find(shop, commit)
    assert {name: found.artifacts[name] for name in found.artifacts} == {
        name: reference.rpartition("@")[2] for name, reference in shop.artifacts(commit[:12]).items()
    }
    assert found.run == ""


def test_so_does_an_expired_artifact(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    shop.live(f"sha-{commit[:7]}", commit, "staging")
    shop.clock.ahead = timedelta(days=91)
    assert find(shop, commit).commit == commit


def test_without_the_mark_it_is_refused(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    shop.runner.runs.clear()
    assert why(shop, commit) == "no run of the staging workflow on main proved this commit"


def test_a_mark_of_one_component_is_not_enough(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    reference = shop.artifacts(commit[:12])["backend"]
    shop.host("staging", "backend").put(f"sha-{commit[:7]}", commit, reference.rpartition("@")[2])
    shop.runner.runs.clear()
    assert "no run of the staging workflow" in why(shop, commit)


def test_what_only_serves_and_was_never_marked_is_not_enough(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    shop.live(f"sha-{commit[:7]}", commit, "staging")
    for component in ("backend", "web"):
        host = shop.host("staging", component)
        host.marks = type(host.marks)()
    shop.runner.runs.clear()
    assert "no run of the staging workflow" in why(shop, commit)


def test_a_mark_of_another_commit_is_none_of_this(shop: Shop) -> None:
    commit, other = shop.commit(), shop.commit()
    shop.live(f"sha-{other[:7]}", other, "staging")
    assert "no run of the staging workflow" in why(shop, commit)
