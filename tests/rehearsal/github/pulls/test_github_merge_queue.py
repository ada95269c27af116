"""The merge queue: who gets in, what is checked, what is merged, and what throws a pull request out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rehearsal.github.database import Database
from rehearsal.github.pulls.service import merge_queue
from rehearsal.github.serialization import from_json, to_json
from rehearsal.runner.model import Event
from tests.rehearsal.github.scene import CI, REPOSITORY, Person, Scene

HERE = f"/repos/{REPOSITORY}"
PULLS = f"{HERE}/pulls"
ENTRY = "mergeQueueEntry { position state enqueuer { login } baseCommit { oid } headCommit { oid } }"
ENQUEUE = f"""mutation($id: ID!, $head: GitObjectID) {{
  enqueuePullRequest(input: {{pullRequestId: $id, expectedHeadOid: $head}}) {{ {ENTRY} }} }}"""
DEQUEUE = f"mutation($id: ID!) {{ dequeuePullRequest(input: {{id: $id}}) {{ {ENTRY} }} }}"
READ = f"""query($number: Int!) {{ repository(owner: "techmate", name: "platform") {{
  pullRequest(number: $number) {{ isInMergeQueue isMergeQueueEnabled {ENTRY} }}
  mergeQueue {{ entries(first: 10) {{ totalCount nodes {{ pullRequest {{ number }} }} }} }} }} }}"""


def graphql(person: Person, query: str, **variables: Any) -> Any:
    answer = person.post("/graphql", {"query": query, "variables": variables}, status=200)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def refusal(person: Person, query: str, **variables: Any) -> tuple[str, str]:
    [error] = person.post("/graphql", {"query": query, "variables": variables}, status=200)["errors"]
    return error["type"], error["message"]


@pytest.fixture
def queue(scene: Scene, manager: Person) -> None:
    """`main` takes what its merge queue lets through: one approval and the check ci, which runs on merge groups."""
    scene.run(
        scene.github.seed.commit(
            REPOSITORY,
            {".github/workflows/ci.yml": CI.replace("  pull_request:\n", "  pull_request:\n  merge_group:\n")},
            message="ci: run on merge groups",
        )
    )
    require_queue(manager)


def require_queue(manager: Person, *, checks: tuple[str, ...] = ("ci",), **parameters: Any) -> None:
    given = {
        "merge_method": "MERGE",
        "grouping_strategy": "ALLGREEN",
        "max_entries_to_build": 5,
        "max_entries_to_merge": 5,
        "min_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 5,
        "check_response_timeout_minutes": 60,
        **parameters,
    }
    review = {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": False,
    }
    status = {
        "required_status_checks": [{"context": name} for name in checks],
        "strict_required_status_checks_policy": True,
    }
    rules = [
        {"type": "merge_queue", "parameters": given},
        {"type": "pull_request", "parameters": review},
        {"type": "required_status_checks", "parameters": status},
    ]
    manager.post(
        f"{HERE}/rulesets",
        {
            "name": "main",
            "target": "branch",
            "enforcement": "active",
            "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
            "rules": rules,
        },
    )


def propose(scene: Scene, dev: Person, reviewer: Person, folder: Path, path: str) -> Any:
    """A pull request that may enter the queue: approved, and its own checks have passed."""
    branch = f"add-{path.partition('.')[0]}"
    checkout = dev.clone(folder / branch)
    dev.git("checkout", "-q", "-b", branch, cwd=checkout)
    dev.commit(checkout, path, "new\n", f"Add {path}")
    dev.git("push", "-q", "origin", branch, cwd=checkout)
    pull = dev.post(PULLS, {"title": f"Add {path}", "head": branch, "base": "main"})
    reviewer.post(f"{PULLS}/{pull['number']}/reviews", {"event": "APPROVE"}, status=200)
    end(scene, pull["head"]["sha"])
    return pull


def end(scene: Scene, sha: str, conclusion: str = "success") -> None:
    """End the runs of a commit, and let the queue do what follows."""
    for run in [one for one in scene.runner.runs.values() if one.head_sha == sha and one.status != "completed"]:
        scene.do(scene.runner.finish, run.id, conclusion)
    wait_for_queue(scene)


def wait_for_queue(scene: Scene) -> None:
    scene.run(scene.github.hub.merge_queues.wait())


def groups(scene: Scene, action: str = "checks_requested") -> list[Event]:
    return [event for event in scene.events("merge_group") if event.payload["action"] == action]


def left(scene: Scene) -> list[tuple[int, str]]:
    """Pull requests that left the queue, and why."""
    return [
        (event.payload["number"], event.payload["reason"])
        for event in scene.events("pull_request")
        if event.payload["action"] == "dequeued"
    ]


@pytest.mark.usefixtures("queue")
def test_a_queue_merges_the_commit_that_it_checked(scene: Scene, dev: Person, reviewer: Person, tmp_path: Path) -> None:
    pull, before = propose(scene, dev, reviewer, tmp_path, "new.txt"), scene.main()
    assert graphql(dev, READ, number=1)["repository"]["pullRequest"]["isMergeQueueEnabled"] is True
    made = graphql(dev, ENQUEUE, id=pull["node_id"], head=pull["head"]["sha"])["enqueuePullRequest"]["mergeQueueEntry"]
    (event,) = groups(scene)
    assert event.ref == f"refs/heads/gh-readonly-queue/main/pr-1-{before}"
    assert (event.actor, event.by_workflow_token) == ("github-merge-queue[bot]", False)
    group = event.payload["merge_group"]
    assert {name: group[name] for name in ("head_sha", "head_ref", "base_sha", "base_ref")} == {
        "head_sha": event.sha,
        "head_ref": event.ref,
        "base_sha": before,
        "base_ref": "refs/heads/main",
    }
    assert group["head_commit"]["message"].startswith("Merge pull request #1 from techmate/add-new")
    assert made == {
        "position": 1,
        "state": "AWAITING_CHECKS",
        "enqueuer": {"login": "dev-1"},
        "baseCommit": {"oid": before},
        "headCommit": {"oid": event.sha},
    }
    (run,) = dev.get(f"{HERE}/actions/runs?event=merge_group")["workflow_runs"]
    assert (run["head_sha"], run["head_branch"]) == (event.sha, event.ref.removeprefix("refs/heads/"))
    assert scene.main() == before

    end(scene, event.sha)
    assert scene.main() == event.sha
    after = dev.get(f"{PULLS}/1")
    assert (after["merged"], after["merged_by"]["login"]) == (True, "github-merge-queue[bot]")
    assert after["merge_commit_sha"] == event.sha
    commit = dev.get(f"{HERE}/commits/main")
    assert (commit["author"]["login"], commit["commit"]["verification"]["verified"]) == (
        "github-merge-queue[bot]",
        True,
    )
    assert dev.api("GET", f"{HERE}/git/ref/{event.ref.removeprefix('refs/')}").status_code == 404
    assert left(scene) == [(1, "MERGE")]
    assert [one.payload["reason"] for one in groups(scene, "destroyed")] == ["merged"]
    assert [one.sha for one in scene.events("push") if one.ref == "refs/heads/main"] == [event.sha]
    assert graphql(dev, READ, number=1)["repository"]["pullRequest"]["isInMergeQueue"] is False


def test_a_queue_waits_for_a_check_that_never_runs(
    scene: Scene, dev: Person, reviewer: Person, manager: Person, tmp_path: Path
) -> None:
    """ci.yml does not run on merge groups. What else reports does not help, and nothing says what is missing: the pull request
    waits until the time of the rule is over, and leaves. Anyone who puts it back waits again."""
    require_queue(manager, checks=("ci", "lint"))
    pull = propose(scene, dev, reviewer, tmp_path, "new.txt")
    before = scene.main()
    dev.post(f"{HERE}/statuses/{pull['head']['sha']}", {"state": "success", "context": "lint"})
    for attempt in (1, 2):
        graphql(dev, ENQUEUE, id=pull["node_id"])
        group = groups(scene)[-1]
        dev.post(f"{HERE}/statuses/{group.sha}", {"state": "success", "context": "lint"})
        wait_for_queue(scene)
        scene.clock.time += timedelta(minutes=58)
        shown = graphql(dev, READ, number=1)["repository"]
        assert shown["pullRequest"]["mergeQueueEntry"]["state"] == "AWAITING_CHECKS"
        assert shown["mergeQueue"]["entries"]["totalCount"] == 1
        scene.clock.time += timedelta(minutes=2)
        assert graphql(dev, READ, number=1)["repository"]["pullRequest"]["mergeQueueEntry"] is None
        assert left(scene) == [(1, "CI_TIMEOUT")] * attempt
    assert scene.main() == before
    assert dev.get(f"{HERE}/actions/runs?event=merge_group")["total_count"] == 0


@pytest.mark.usefixtures("queue")
def test_what_is_behind_a_failure_is_checked_without_it(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    pulls = [propose(scene, dev, reviewer, tmp_path, path) for path in ("one.txt", "two.txt")]
    before = scene.main()
    for pull in pulls:
        graphql(dev, ENQUEUE, id=pull["node_id"])
    first, second = groups(scene)
    assert (first.payload["merge_group"]["base_sha"], second.payload["merge_group"]["base_sha"]) == (before, first.sha)
    end(scene, second.sha)
    assert scene.main() == before, "the one ahead of it is not through yet"
    waiting = graphql(dev, READ, number=2)["repository"]
    assert (waiting["pullRequest"]["mergeQueueEntry"]["state"], waiting["mergeQueue"]["entries"]["nodes"]) == (
        "MERGEABLE",
        [{"pullRequest": {"number": 1}}, {"pullRequest": {"number": 2}}],
    )
    end(scene, first.sha, "failure")
    assert left(scene) == [(1, "CI_FAILURE")]
    assert [one.payload["reason"] for one in groups(scene, "destroyed")] == ["dequeued", "invalidated"]
    again = groups(scene)[-1]
    assert (again.payload["merge_group"]["base_sha"], again.ref) == (
        before,
        f"refs/heads/gh-readonly-queue/main/pr-2-{before}",
    )
    end(scene, again.sha)
    assert scene.main() == again.sha
    tree = {entry["path"] for entry in dev.get(f"{HERE}/git/trees/main")["tree"]}
    assert "two.txt" in tree
    assert "one.txt" not in tree
    assert dev.get(f"{PULLS}/1")["state"] == "open"


@pytest.mark.usefixtures("queue")
def test_two_that_pass_go_in_in_their_order_with_one_run_of_checks_each(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    pulls = [propose(scene, dev, reviewer, tmp_path, path) for path in ("one.txt", "two.txt")]
    for pull in pulls:
        graphql(dev, ENQUEUE, id=pull["node_id"])
    first, second = groups(scene)
    end(scene, second.sha)
    end(scene, first.sha)
    assert scene.main() == second.sha
    assert left(scene) == [(1, "MERGE"), (2, "MERGE")]
    assert len(groups(scene)) == 2


@pytest.mark.usefixtures("queue")
def test_nothing_goes_past_the_queue(scene: Scene, dev: Person, reviewer: Person, tmp_path: Path) -> None:
    pull = propose(scene, dev, reviewer, tmp_path, "new.txt")
    refused = dev.api("PUT", f"{PULLS}/1/merge", json={})
    assert (refused.status_code, refused.json()["message"]) == (405, "Changes must be made through the merge queue")
    checkout = tmp_path / "add-new"
    dev.git("checkout", "-q", "main", cwd=checkout)
    dev.git("merge", "-q", "--no-ff", "--no-edit", "add-new", cwd=checkout)
    result = dev.git("push", "origin", "main", cwd=checkout, fails=True)
    assert "Changes must be made through the merge queue" in result
    graphql(dev, ENQUEUE, id=pull["node_id"])
    (group,) = groups(scene)
    result = dev.git("push", "origin", f"+main:{group.ref}", cwd=checkout, fails=True)
    assert "GitHub keeps these itself" in result


@pytest.mark.usefixtures("queue")
def test_who_does_not_meet_the_rules_does_not_get_in(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    checkout = dev.clone(tmp_path / "clone")
    dev.git("checkout", "-q", "-b", "early", cwd=checkout)
    dev.commit(checkout, "early.txt", "early", "Early")
    dev.git("push", "-q", "origin", "early", cwd=checkout)
    early = dev.post(PULLS, {"title": "Early", "head": "early", "base": "main"})
    kind, message = refusal(dev, ENQUEUE, id=early["node_id"])
    assert kind == "UNPROCESSABLE"
    assert message == "Pull request At least 1 approving review is required by reviewers with write access."
    assert refusal(dev, DEQUEUE, id=early["node_id"])[1] == "Pull request is not in the queue"
    pull = propose(scene, dev, reviewer, tmp_path, "new.txt")
    assert "Head branch was modified" in refusal(dev, ENQUEUE, id=pull["node_id"], head=scene.main())[1]
    assert refusal(scene.person("on-call"), ENQUEUE, id=pull["node_id"])[0] == "FORBIDDEN"
    graphql(dev, ENQUEUE, id=pull["node_id"])
    assert refusal(dev, ENQUEUE, id=pull["node_id"])[1] == "Pull request is already in the queue"
    assert len(groups(scene)) == 1


def test_a_branch_without_a_queue_takes_nobody_in(scene: Scene, dev: Person, reviewer: Person, tmp_path: Path) -> None:
    pull = propose(scene, dev, reviewer, tmp_path, "new.txt")
    assert "has no merge queue" in refusal(dev, ENQUEUE, id=pull["node_id"])[1]
    shown = graphql(dev, READ, number=1)["repository"]
    assert (shown["pullRequest"]["isMergeQueueEnabled"], shown["mergeQueue"]) == (False, None)


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize("how", ["removed", "pushed to", "closed", "rule gone"])
def test_what_changes_leaves_the_queue(
    scene: Scene, dev: Person, reviewer: Person, manager: Person, tmp_path: Path, how: str
) -> None:
    pull, before = propose(scene, dev, reviewer, tmp_path, "new.txt"), scene.main()
    graphql(dev, ENQUEUE, id=pull["node_id"])
    (group,) = groups(scene)
    if how == "removed":
        gone = graphql(dev, DEQUEUE, id=pull["node_id"])["dequeuePullRequest"]["mergeQueueEntry"]
        assert (gone["state"], gone["headCommit"]) == ("QUEUED", None)
    elif how == "pushed to":
        dev.commit(tmp_path / "add-new", "more.txt", "more", "More")
        dev.git("push", "-q", "origin", "add-new", cwd=tmp_path / "add-new")
    elif how == "closed":
        dev.api("PATCH", f"{PULLS}/1", json={"state": "closed"})
    else:
        (ruleset,) = manager.get(f"{HERE}/rulesets")
        manager.api("DELETE", f"{HERE}/rulesets/{ruleset['id']}")
    wait_for_queue(scene)
    end(scene, group.sha)
    assert scene.main() == before
    assert graphql(dev, READ, number=1)["repository"]["pullRequest"]["mergeQueueEntry"] is None
    reasons = {"removed": "MANUAL", "rule gone": "QUEUE_CLEARED"}
    assert left(scene) == [(1, reasons.get(how, "UNKNOWN_REMOVAL_REASON"))]
    assert dev.api("GET", f"{HERE}/git/ref/{group.ref.removeprefix('refs/')}").status_code == 404


@pytest.mark.usefixtures("queue")
def test_what_conflicts_with_the_one_ahead_is_thrown_out(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    one = propose(scene, dev, reviewer, tmp_path, "new.txt")
    checkout = dev.clone(tmp_path / "other")
    dev.git("checkout", "-q", "-b", "other", cwd=checkout)
    dev.commit(checkout, "new.txt", "two\n", "Another new.txt")
    dev.git("push", "-q", "origin", "other", cwd=checkout)
    two = dev.post(PULLS, {"title": "Another", "head": "other", "base": "main"})
    reviewer.post(f"{PULLS}/2/reviews", {"event": "APPROVE"}, status=200)
    end(scene, two["head"]["sha"])
    graphql(dev, ENQUEUE, id=one["node_id"])
    graphql(dev, ENQUEUE, id=two["node_id"])
    assert left(scene) == [(2, "MERGE_CONFLICT")]
    assert len(groups(scene)) == 1


def test_the_rule_says_how_is_merged_and_how_many_are_checked_at_once(
    scene: Scene, dev: Person, reviewer: Person, manager: Person, tmp_path: Path
) -> None:
    """A required check that an app reports counts as well: not every one is a job of Actions."""
    require_queue(manager, merge_method="SQUASH", max_entries_to_build=1, checks=("lint",))
    pulls = [propose(scene, dev, reviewer, tmp_path, path) for path in ("one.txt", "two.txt")]
    for pull in pulls:
        dev.post(f"{HERE}/statuses/{pull['head']['sha']}", {"state": "success", "context": "lint"})
        graphql(dev, ENQUEUE, id=pull["node_id"])
    (group,) = groups(scene)
    assert graphql(dev, READ, number=2)["repository"]["pullRequest"]["mergeQueueEntry"]["state"] == "QUEUED"
    job = scene.job_token({"checks": "write"})
    check = {"name": "lint", "head_sha": group.sha, "status": "completed", "conclusion": "success"}
    job.post(f"{HERE}/check-runs", check)
    wait_for_queue(scene)
    assert scene.main() == group.sha
    assert dev.get(f"{HERE}/commits/main")["commit"]["message"] == "Add one.txt (#1)"
    assert [one.payload["merge_group"]["base_sha"] for one in groups(scene)] == [
        group.payload["merge_group"]["base_sha"],
        group.sha,
    ]


@pytest.mark.usefixtures("queue")
def test_a_push_of_who_may_bypass_the_queue_has_what_waits_checked_again(
    scene: Scene, dev: Person, reviewer: Person, tmp_path: Path
) -> None:
    pull = propose(scene, dev, reviewer, tmp_path, "new.txt")
    graphql(dev, ENQUEUE, id=pull["node_id"])
    (group,) = groups(scene)
    scene.run(scene.github.seed.commit(REPOSITORY, {"urgent.txt": "now"}, message="fix: urgent"))
    moved = scene.main()
    end(scene, group.sha)
    assert scene.main() == moved
    assert groups(scene)[-1].payload["merge_group"]["base_sha"] == moved
    end(scene, groups(scene)[-1].sha)
    assert dev.get(f"{PULLS}/1")["merged"] is True


@pytest.mark.usefixtures("queue")
def test_a_queue_is_part_of_what_is_saved(scene: Scene, dev: Person, reviewer: Person, tmp_path: Path) -> None:
    pull = propose(scene, dev, reviewer, tmp_path, "new.txt")
    graphql(dev, ENQUEUE, id=pull["node_id"])
    database = scene.github.instance.database
    saved = from_json(Database, to_json(database))
    entry = saved.repositories[REPOSITORY].pulls[1].queue_entry
    assert entry is not None
    assert entry == database.repositories[REPOSITORY].pulls[1].queue_entry
    assert entry.group is not None
    scene.run(merge_queue.advance(scene.github.instance, saved.repositories[REPOSITORY], "main"))
    assert saved.repositories[REPOSITORY].pulls[1].queue_entry == entry
