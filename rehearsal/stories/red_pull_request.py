"""A failing test cannot be merged, and the annotation is on its line."""

from __future__ import annotations

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.steps import Scenario

TEST = '''"""A test of a wrong sum."""


def test_sum() -> None:
    assert 1 + 1 == 3
'''
PATH = "apps/backend/tests/unit/test_sums.py"


def run(scenario: Scenario) -> None:
    dev, reviewer = scenario.user("dev-1"), scenario.user("dev-2")
    dev.update_main()
    dev.write(PATH, TEST)
    scenario.push_branch(dev, "sums", "test: add sums")
    number = scenario.open_pull_request(dev, "sums", "test: add sums ::error::not a command")
    run = scenario.find_run(dev.head("sums"), workflows.CI, "pull_request")
    scenario.expect_conclusion(run, "failure")
    scenario.approve_pull_request(reviewer, number)
    with scenario.then("it cannot be merged, neither by the button nor by a push"):
        dev.api("PUT", f"pulls/{number}/merge", {"merge_method": "merge"}, ok=(405,))
        dev.git("checkout", "-q", "main")
        dev.git("merge", "-q", "--no-edit", "sums")
        refused = dev.command("git push -q origin main", ok=False)
        expect("ci" in refused.text, "the push is refused for its red check", refused.text[-300:])
        dev.git("reset", "-q", "--hard", "origin/main")
    with scenario.then("the annotation is on the line"):
        failed = next(job for name, job in scenario.jobs(run).items() if name.startswith(workflows.BACKEND_CHECK[0]))
        annotations = dev.api("GET", f"check-runs/{failed['id']}/annotations")
        on_line = [a for a in annotations if a["path"] == PATH and a["start_line"] == 5]
        expect(on_line, "there is one on line 5", annotations)
    with scenario.then("one comment on the pull request says what failed"):
        comments = dev.api("GET", f"issues/{number}/comments")
        expect(len(comments) == 1, "there is one comment", len(comments))
        expect(
            any(name in comments[0]["body"] for name in workflows.BACKEND_CHECK),
            "it names the job",
            comments[0]["body"][:400],
        )
    dev.api("PATCH", f"pulls/{number}", {"state": "closed"})
