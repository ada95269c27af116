from __future__ import annotations

import threading
from typing import Any

import pytest

from pipelines.ci.comment import PAGE, Comment, Stamp
from pipelines.errors import ConflictError, CredentialsError


def place(conversation: Any) -> Comment:
    return Comment(conversation.client(), 7, "ci.yml")


def ours(conversation: Any) -> list[str]:
    return [c["body"] for c in conversation.comments if "<!-- shipmate-ci" in c["body"]]


def marked(run: int, attempt: int = 1, text: str = "old", workflow: str = "ci.yml") -> str:
    return f"<!-- shipmate-ci {workflow} run={run} attempt={attempt} -->\n{text}"


def test_the_first_report_is_a_comment_and_the_second_replaces_it(conversation: Any) -> None:
    assert place(conversation).publish("one", Stamp(1, 1)) == "commented on the pull request"
    assert place(conversation).publish("two", Stamp(2, 1)) == "updated the comment on the pull request"
    assert ours(conversation) == [marked(2, text="two")]


def test_it_is_found_behind_many_others(conversation: Any) -> None:
    for number in range(PAGE + 5):
        conversation.add(f"talk {number}", login="dev-1")
    conversation.add(marked(1))
    place(conversation).publish("new", Stamp(2, 1))
    assert ours(conversation) == [marked(2, text="new")]


def test_a_marker_that_someone_else_wrote_is_only_text(conversation: Any) -> None:
    conversation.add(marked(999), login="dev-2")
    conversation.add("> " + marked(1))
    place(conversation).publish("new", Stamp(2, 1))
    assert conversation.comments[0]["body"] == marked(999)
    assert ours(conversation)[-1] == marked(2, text="new")


def test_another_workflows_report_stays(conversation: Any) -> None:
    conversation.add(marked(1, workflow="nightly.yml"))
    place(conversation).publish("new", Stamp(2, 1))
    assert ours(conversation) == [marked(1, workflow="nightly.yml"), marked(2, text="new")]


@pytest.mark.parametrize("standing", [Stamp(3, 1), Stamp(2, 2)])
def test_what_a_newer_run_wrote_stays(conversation: Any, standing: Stamp) -> None:
    conversation.add(marked(standing.run, standing.attempt))
    assert "is newer" in place(conversation).publish("late", Stamp(2, 1))
    assert ours(conversation) == [marked(standing.run, standing.attempt)]


def test_a_second_comment_is_cleared_away(conversation: Any) -> None:
    conversation.add(marked(1))
    conversation.add(marked(1))
    place(conversation).publish("new", Stamp(2, 1))
    assert ours(conversation) == [marked(2, text="new")]


def test_two_runs_at_once_leave_one_comment(conversation: Any) -> None:
    both = threading.Barrier(2)

    def hold(method: str) -> None:
        if method == "POST":
            both.wait(10)

    conversation.before = hold
    runs = [threading.Thread(target=place(conversation).publish, args=(f"run {n}", Stamp(n, 1))) for n in (1, 2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(20)
    assert len(ours(conversation)) == 1


def test_a_comment_deleted_meanwhile_is_made_again(conversation: Any) -> None:
    conversation.add(marked(1))

    def vanish(method: str) -> None:
        if method == "PATCH":
            conversation.comments.clear()

    conversation.before = vanish
    assert place(conversation).publish("new", Stamp(2, 1)) == "commented on the pull request"
    assert ours(conversation) == [marked(2, text="new")]


def test_one_that_is_always_deleted_is_given_up(conversation: Any) -> None:
    def vanish(method: str) -> None:
        if method == "PATCH":
            conversation.comments[:] = [conversation.add(marked(1))]
            conversation.comments[0]["id"] += 1000

    conversation.add(marked(1))
    conversation.before = vanish
    with pytest.raises(ConflictError, match="disappears"):
        place(conversation).publish("new", Stamp(2, 1))


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_lost_answer_makes_no_second_comment(conversation: Any, method: str) -> None:
    if method == "PATCH":
        conversation.add(marked(1))
    conversation.lose = {method}
    place(conversation).publish("new", Stamp(2, 1))
    assert ours(conversation) == [marked(2, text="new")]
    assert sum(request.startswith(method) for request in conversation.requests) == 1


def test_a_token_that_only_reads_is_refused(conversation: Any) -> None:
    conversation.read_only = True
    with pytest.raises(CredentialsError, match="Resource not accessible"):
        place(conversation).publish("new", Stamp(1, 1))
