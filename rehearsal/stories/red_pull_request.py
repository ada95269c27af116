"""A failing test cannot be merged, and the annotation stands on its line."""

from __future__ import annotations

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.steps import Routine

TEST = '''"""A test that tells the truth about a mistake."""


def test_sum() -> None:
    assert 1 + 1 == 3
'''
PATH = "apps/backend/tests/unit/test_sums.py"


def tell(at: Routine) -> None:
    dev, reviewer = at.person("dev-1"), at.person("dev-2")
    dev.git("checkout", "-q", "main")
    dev.git("pull", "-q", "origin", "main")
    dev.writes(PATH, TEST)
    at.branch(dev, "sums", "test: add sums")
    number = at.open_pull_request(dev, "sums", "test: add sums ::error::not a command")
    head = dev.git("rev-parse", "sums").out.strip()
    run = at.run_of(head, workflows.CI, "pull_request")
    at.must_end(run, "failure")
    at.approve_pull_request(reviewer, number)
    with at.diary.during("proof", "it cannot be merged, neither by the button nor by a push"):
        dev.api("PUT", f"pulls/{number}/merge", {"merge_method": "merge"}, ok=(405,))
        dev.git("checkout", "-q", "main")
        dev.git("merge", "-q", "--no-edit", "sums")
        refused = dev.types("git push -q origin main", ok=False)
        proof.that("ci" in refused.text, "the push is refused for its red check", refused.text[-300:])
        dev.git("reset", "-q", "--hard", "origin/main")
    with at.diary.during("proof", "the annotation stands on the line"):
        failed = next(job for name, job in at.jobs(run).items() if name.startswith(workflows.BACKEND_CHECK[0]))
        annotations = dev.api("GET", f"check-runs/{failed['id']}/annotations")
        on_line = [a for a in annotations if a["path"] == PATH and a["start_line"] == 5]
        proof.that(on_line, "there is one on line 5", annotations)
    with at.diary.during("proof", "one comment on the pull request says what failed"):
        comments = dev.api("GET", f"issues/{number}/comments")
        proof.that(len(comments) == 1, "there is one comment", len(comments))
        proof.that(
            any(name in comments[0]["body"] for name in workflows.BACKEND_CHECK),
            "it names the job",
            comments[0]["body"][:400],
        )
    dev.api("PATCH", f"pulls/{number}", {"state": "closed"})
