"""PyGithub, the client our own code uses, against this GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from github import Auth, Github, GithubException, InputGitAuthor
from github.Repository import Repository

from tests.rehearsal.github.scene import REPOSITORY, Person, Scene


@pytest.fixture
def repository(scene: Scene, dev: Person) -> Iterator[Repository]:
    # PyGithub waits a second between writes by itself unless asked not to.
    quick = {"seconds_between_requests": None, "seconds_between_writes": None}
    with Github(base_url=scene.url, auth=Auth.Token(dev.token), retry=None, **quick) as client:
        yield client.get_repo(REPOSITORY)


def test_the_ledger(scene: Scene, repository: Repository) -> None:
    made = repository.create_deployment(
        "main", task="shipmate:release", auto_merge=False, required_contexts=[], payload={"digest": "sha256:ab"}
    )
    made.create_status("in_progress", description="Deploying")
    made.create_status("success", environment_url="https://api.techmate.ai")
    (found,) = repository.get_deployments(task="shipmate:release")
    assert found.payload == {"digest": "sha256:ab"}
    assert [status.state for status in found.get_statuses()] == ["success", "in_progress"]
    assert repository.get_deployment(made.id).sha == scene.main()


def test_a_release_with_its_assets(repository: Repository, tmp_path: Path) -> None:
    draft = repository.create_git_release("v1.0.0", name="One", message="Notes", draft=True)
    path = tmp_path / "notes.md"
    path.write_text("notes")
    asset = draft.upload_asset(str(path), label="Notes", content_type="text/markdown")
    assert (asset.name, asset.state, asset.size) == ("notes.md", "uploaded", 5)
    published = draft.update_release("One", "Notes", draft=False)
    assert published.draft is False
    assert repository.get_latest_release().tag_name == "v1.0.0"
    assert [one.name for one in repository.get_release("v1.0.0").get_assets()] == ["notes.md"]
    with pytest.raises(GithubException) as refused:
        repository.create_git_release("v1.0.0", name="Again", message="")
    assert refused.value.status == 422


def test_tags_and_comparisons(scene: Scene, repository: Repository) -> None:
    first = scene.main()
    tag = repository.create_git_tag(
        "v1.0.0", "First", first, "commit", tagger=InputGitAuthor("dev-1", "dev-1@users.noreply.github.com")
    )
    repository.create_git_ref("refs/tags/v1.0.0", tag.sha)
    repository.create_file("CHANGELOG.md", "docs: changelog", "# Changelog\n")
    compared = repository.compare("v1.0.0", "main")
    assert (compared.status, compared.ahead_by, [file.filename for file in compared.files]) == (
        "ahead",
        1,
        ["CHANGELOG.md"],
    )
    assert [commit.commit.message for commit in compared.commits] == ["docs: changelog"]
    assert repository.get_contents("CHANGELOG.md").decoded_content == b"# Changelog\n"  # type: ignore[union-attr]
    assert repository.get_git_ref("tags/v1.0.0").object.sha == tag.sha
    assert [tag.name for tag in repository.get_tags()] == ["v1.0.0"]
    assert repository.get_branch("main").protected is False


def test_a_pull_request(scene: Scene, repository: Repository, reviewer: Person) -> None:
    repository.create_git_ref("refs/heads/feature", scene.main())
    repository.create_file("new.txt", "feat: new", "new", branch="feature")
    pull = repository.create_pull(base="main", head="feature", title="New", body="Because.")
    comment = pull.create_issue_comment("Report")
    comment.edit("Report, again")
    assert [one.body for one in pull.get_issue_comments()] == ["Report, again"]
    reviewer.post(f"/repos/{REPOSITORY}/pulls/1/reviews", {"event": "APPROVE"}, status=200)
    assert [review.state for review in pull.get_reviews()] == ["APPROVED"]
    assert [one.number for one in repository.get_commit(pull.head.sha).get_pulls()] == [1]
    assert pull.merge(merge_method="squash", commit_title="feat: new (#1)").merged
    assert repository.get_pull(1).merged
    assert pull.is_merged()


def test_workflows_and_runs(scene: Scene, repository: Repository) -> None:
    workflow = repository.get_workflow("deploy-production.yml")
    assert workflow.create_dispatch("main", {"version": "v1.0.0"}) is True
    (run,) = repository.get_workflow_runs(event="workflow_dispatch")
    assert (run.name, run.status, run.head_sha) == ("Deploy to Production", "in_progress", scene.main())
    (job,) = run.jobs()
    scene.do(scene.runner.finish, run.id)
    assert repository.get_workflow_run(run.id).conclusion == "success"
    assert job.logs_url().startswith(scene.url)
    assert [check.name for check in repository.get_commit("main").get_check_runs()] == ["deploy"]
    assert repository.get_collaborator_permission("dev-1") == "write"


def test_more_than_a_page_is_followed(repository: Repository) -> None:
    issue = repository.create_issue("T")
    for number in range(35):
        issue.create_comment(str(number))
    assert [comment.body for comment in issue.get_comments()] == [str(number) for number in range(35)]
