"""Text in and out: masking, the derived workflow, act's log, titles, claims, snapshots."""

from __future__ import annotations

import base64
import json
import urllib.parse
from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.runner import derive, differences, oidc, steps, titles
from rehearsal.runner.log import LogReader, News
from rehearsal.runner.masking import Masker
from rehearsal.runner.model import Annotation, Artifact, Event, Job, Review, Run, Step
from rehearsal.runner.workflow import parse

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@given(before=st.binary(max_size=5), secret=st.text(min_size=8, max_size=40), after=st.binary(max_size=5))
def test_masking__secret_in_any_usual_form__is_not_shown(before: bytes, secret: str, after: bytes) -> None:
    masker = Masker([secret])
    lines = [line for line in secret.splitlines() if line.strip()]
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    core = base64.b64encode(b"\0" * (len(before) % 3) + secret.encode()).decode().rstrip("=")[4:-4]
    if secret.strip():
        assert core not in masker.mask(encoded) or not core
        assert secret not in masker.mask(f"a {secret} b")
        assert masker.reveals(urllib.parse.quote(secret, safe="")) or len(urllib.parse.quote(secret, safe="")) < 4
    for line in lines:
        assert masker.mask(line) == "***"


def test_masking__longest_first__blank_lines_are_no_secret() -> None:
    masker = Masker(["abc", "abcdef", "\n\n", "two\n\nlines"])
    assert masker.mask("abcdef abc two x lines") == "*** *** *** x ***"
    assert not masker.reveals("nothing\n\nhere")


def test_literal__text_that_looks_like_an_expression__stays_text() -> None:
    assert derive.literal("plain") == "plain"
    assert derive.literal({"a": ["it's ${{ x }}"]}) == {"a": ["${{ 'it''s ${{ x }}' }}"]}


def test_derive__keeps_steps__drops_what_the_runner_enforces() -> None:
    text = """
name: W
on: {workflow_dispatch: {inputs: {v: {type: string}}}}
env: {A: "1"}
permissions: {contents: write}
concurrency: {group: g, queue: max}
jobs:
  a: {runs-on: u, steps: [{run: x}]}
  b:
    needs: a
    if: always()
    runs-on: ${{ matrix.os }}
    environment: {name: production, url: "https://x", deployment: false}
    concurrency: lock
    timeout-minutes: 5
    permissions: {id-token: write}
    continue-on-error: true
    strategy: {matrix: {os: [u]}}
    env: {B: "2"}
    defaults: {run: {working-directory: d}}
    outputs: {o: "${{ steps.s.outputs.o }}"}
    steps: [{id: s, name: n, run: "echo ${{ needs.a.result }}"}, {uses: ./x, with: {k: v}}]
"""
    workflow = parse("w.yml", text)
    spec = workflow.jobs["b"]
    collect = derive.Collection(path="/out", names=("o",), with_url=True, separator="--S--")
    (body,) = derive.files(
        workflow, spec, event="workflow_dispatch", run_name="W", matrix={"os": "u"},
        needs={"a": {"result": "failure", "outputs": {"k": "v"}}}, inputs=None, collect=collect,
    ).values()  # fmt: skip
    derived = json.loads(body)
    assert derived["on"] == {"workflow_dispatch": {"inputs": {"v": {"type": "string"}}}}
    assert (derived["env"], set(derived)) == ({"A": "1"}, {"name", "env", "jobs", "on"})
    job = derived["jobs"]["b"]
    assert set(job) == {"runs-on", "if", "steps", "needs", "env", "defaults", "strategy"}
    assert job["steps"][:2] == [spec.steps[0], {"name": "-", **spec.steps[1]}]
    assert job["strategy"] == {"matrix": {"include": [{"os": "u"}]}}
    assert derived["jobs"]["a"] == {
        "runs-on": "rehearsal", "steps": [{"name": "-", "shell": "sh", "run": "exit 1"}], "outputs": {"k": "v"},
    }  # fmt: skip
    assert "${{ steps.s.outputs.o }}\n--S--\nhttps://x\n--S--\n" in job["steps"][2]["run"]


def test_collection__texts_of_several_lines__come_back_exactly() -> None:
    collect = derive.Collection(path="/out", names=("a", "b", "c"), with_url=True, separator="--S--")
    assert collect.read("one\ntwo\n\n--S--\n\n--S--\nx\n--S--\nhttps://u\n--S--\n") == (
        {"a": "one\ntwo\n", "b": "", "c": "x"},
        "https://u",
    )
    assert collect.read("") == ({}, "")


def reader(plan: list[dict[str, Any]]) -> LogReader:
    workflow = parse("w", json.dumps({"on": "push", "jobs": {"j": {"runs-on": "u", "steps": plan}}}))
    job = Job(id=1, run_id=1, attempt=1, key="j", name="j", created_at=NOW)
    return LogReader(job, "j", steps.plan(workflow.jobs["j"], {}), Masker(["hidden-value"]), lambda: NOW)


def test_log__lines_of_other_jobs_and_noise__are_left_out() -> None:
    log = reader([{"run": "x"}])
    for line in (b"not json", b"[]", b'{"jobID": "stub", "jobResult": "failure"}', b'{"msg": "hello"}'):
        assert log.feed(line) is News.NOTHING
    assert log.result is None


def test_log__the_head_of_a_step__has_its_expressions_evaluated() -> None:
    plan = [
        {"id": "make", "run": "x", "continue-on-error": True},
        {
            "run": "echo ${{ steps.make.outputs.tag }} on ${{ github.ref_name }}",
            "env": {"KEY": "${{ secrets.KEY }}", "LATE": "${{ env.HOME }}", "OTHER": "${{ steps.late.outputs.x }}"},
        },
        {"id": "never", "if": "false", "run": "x"},
        {
            "id": "late",
            "uses": "./x",
            "with": {
                "name": "${{ format('{0}!', steps.make.outputs.tag) }}",
                "n": 3,
                "ended": "${{ steps.make.outcome }}, ${{ steps.make.conclusion }}, ${{ steps.never.outcome }}",
                "path": "${{ github.workspace }}/x",
            },
        },
    ]
    workflow = parse("w", json.dumps({"on": "push", "jobs": {"j": {"runs-on": "u", "steps": plan}}}))
    contexts = {"github": {"ref_name": "main"}, "secrets": {"KEY": "hidden-value"}}
    job = Job(id=1, run_id=1, attempt=1, key="j", name="j", created_at=NOW)
    log = LogReader(job, "j", steps.plan(workflow.jobs["j"], contexts), Masker(["hidden-value"]), lambda: NOW)
    entries: list[dict[str, Any]] = [
        {"stepID": ["make"], "msg": "⭐ Run Main x", "stage": "Main"},
        {"stepID": ["make"], "stage": "Main", "stepResult": "failure"},
        {"stepID": ["make"], "command": "set-output", "name": "tag", "arg": "v1.0.0"},
        {"stepID": ["1"], "msg": "⭐ Run Main y", "stage": "Main"},
        {"stepID": ["late"], "msg": "⭐ Run Main z", "stage": "Main"},
    ]
    for entry in entries:
        log.feed(json.dumps({"jobID": "j", **entry}).encode())
    head = [line.partition(" ")[2] for line in job.steps[2].log]
    assert head == [
        "##[group]Run echo v1.0.0 on main",
        "echo v1.0.0 on main",
        "shell: bash -e {0}",
        "env:",
        "  KEY: ***",
        "  LATE: ${{ env.HOME }}",
        "  OTHER: ",
        "##[endgroup]",
    ]
    assert [line.partition(" ")[2] for line in job.steps[4].log][1:-1] == [
        "with:",
        "  name: v1.0.0!",
        "  n: 3",
        "  ended: failure, success, skipped",
        "  path: ${{ github.workspace }}/x",
    ]


def test_log__late_output_and_stamps() -> None:
    log = reader([{"run": "x"}, {"id": "second", "run": "y"}])
    log.feed(b'{"jobID":"j","stage":"Main","stepID":["0"],"msg":"\xe2\xad\x90 Run Main -","step":"-"}')
    assert log.feed(b'{"jobID":"j","stage":"Main","stepID":["0"],"stepResult":"success","msg":"done"}') is News.STATE
    assert News.LOG is log.feed(
        b'{"jobID":"j","stage":"Main","stepID":["0"],"raw_output":true,"msg":"late hidden-value\\r\\n"}'
    )
    log.close("success")
    first = log.job.steps[1]
    assert first.log[-1] == "2026-01-02T03:04:05.6789010Z late ***"
    assert [step.conclusion for step in log.job.steps] == ["success", "success", "skipped", "success"]


def test_log__summary_of_a_composite__is_taken_once_and_has_a_limit() -> None:
    log = reader([{"id": "c", "uses": "./x"}])
    for path in (["c", "a", "0"], ["c", "a"], ["c", "b"], ["c"]):
        log.feed(
            json.dumps(
                {"jobID": "j", "stepID": path, "command": "summary", "content": f"{len(path)} hidden-value\n"}
            ).encode()
        )
    assert log.job.steps[1].summary == "3 ***\n2 ***\n"
    log.feed(
        json.dumps({"jobID": "j", "stepID": ["c", "z"], "command": "summary", "content": "x" * (1 << 20)}).encode()
    )
    assert (
        log.job.annotations[0].message == "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k"
    )


def test_log__annotations__fifty_for_a_job() -> None:
    log = reader([{"run": "x"} for _ in range(9)])
    for index in range(9):
        for _ in range(12):
            entry = {"jobID": "j", "stepID": [str(index)], "command": "error", "arg": "e", "kvPairs": {"line": "x"}}
            log.feed(json.dumps(entry).encode())
    assert len(log.job.annotations) == 50
    assert log.job.annotations[0] == Annotation(level="failure", message="e")


def event(**more: Any) -> Event:
    fields = {"name": "push", "payload": {}, "ref": "refs/heads/main", "sha": "a" * 40, **more}
    return Event(repository="o/r", actor="dev-1", **fields)


def run_of(happened: Event) -> Run:
    return Run(
        id=7, number=2, repository="o/r", workflow_path=".github/workflows/w.yml", workflow_name="W", title="t", event=happened,
        head_branch="main", head_sha="a", created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def test_title__run_name_commit_pull_request() -> None:
    plain = parse("w", "on: push\nname: W\njobs: {a: {runs-on: u, steps: [{run: x}]}}")
    named = parse(
        "w",
        "on: push\nrun-name: 'Ship ${{ inputs.v }} by ${{ github.actor }}'\njobs: {a: {runs-on: u, steps: [{run: x}]}}",
    )
    pushed = event(payload={"head_commit": {"message": "Subject\n\nbody"}})
    pull = event(
        payload={"pull_request": {"title": "Add x", "head": {"ref": "topic", "sha": "b"}}}, name="pull_request"
    )
    assert titles.title(plain, pushed, "", run_of(pushed), {}) == "Subject"
    assert titles.title(plain, pull, "", run_of(pull), {}) == "Add x"
    assert titles.title(plain, event(), "", run_of(event()), {}) == "W"
    assert titles.title(named, pushed, "", run_of(pushed), {"v": "v1"}) == "Ship v1 by dev-1"
    assert (titles.head_branch(pull), titles.head_sha(pull)) == ("topic", "b")
    assert titles.head_branch(event(ref="refs/tags/v1")) == "v1"


def test_oidc__subjects() -> None:
    forms = [
        ("main", "push", None),
        ("main", "push", "production"),
        ("x", "pull_request", None),
        ("x", "pull_request", "e"),
    ]
    assert [
        oidc.subject("o/r", ref=f"refs/heads/{ref}", event_name=name, environment=environment)
        for ref, name, environment in forms
    ] == [
        "repo:o/r:ref:refs/heads/main",
        "repo:o/r:environment:production",
        "repo:o/r:pull_request",
        "repo:o/r:environment:e",
    ]


def test_oidc__claims_of_a_called_workflow() -> None:
    job = Job(id=3, run_id=7, attempt=1, key="c/j", name="c / j", created_at=NOW, check_run_id=3)
    claims = oidc.claims(run_of(event()), job, called_workflow=".github/workflows/inner.yml", server_url="http://h")
    assert claims["job_workflow_ref"] == "o/r/.github/workflows/inner.yml@refs/heads/main"
    assert claims["workflow_ref"] == "o/r/.github/workflows/w.yml@refs/heads/main"
    assert claims["aud"] == "http://h/o"
    assert "environment" not in claims


def test_oidc__numbers_of_repository_owner_and_actor_are_text() -> None:
    message = event(payload={"repository": {"id": 101, "owner": {"id": 7}}, "sender": {"id": 9}})
    job = Job(id=3, run_id=7, attempt=1, key="j", name="j", created_at=NOW, check_run_id=3)
    claims = oidc.claims(run_of(message), job, called_workflow=None, server_url="http://h")
    ids = [claims[name] for name in ("repository_id", "repository_owner_id", "actor_id")]
    assert ids == ["101", "7", "9"]


def test_snapshot__everything_a_run_can_hold__comes_back_equal() -> None:
    run = run_of(event(payload={"deep": [{"a": None}]}))
    run.reviews = [Review(environments=["p"], state="approved", user="on-call", comment="", at=NOW)]
    run.artifacts = [Artifact(id=1, name="a", size=1, digest="d", created_at=NOW, path="/p", job_id=1)]
    step = Step(number=1, name="s", log=["l"], started_at=NOW)
    note = Annotation(level="notice", message="m")
    run.jobs = [
        Job(
            id=1,
            run_id=7,
            attempt=1,
            key="a",
            name="a",
            created_at=NOW,
            steps=[step],
            annotations=[note],
            matrix={"x": [1]},
        )
    ]
    saved = json.loads(json.dumps(msgspec.to_builtins(run)))
    assert msgspec.convert(saved, Run) == run


def test_differences__expressions_that_act_leaves_empty__are_reported_with_what_to_use() -> None:
    step = {"run": "echo ${{ github.triggering_actor }} ${{ github.repository }}", "if": "strategy.job-index == 0"}
    workflow = parse("w", json.dumps({"on": "push", "jobs": {"j": {"runs-on": "u", "steps": [step]}}}))
    message = differences.notes(workflow.jobs["j"])
    assert [note.split(" is empty")[0] for note in message] == [
        "##[warning]github.triggering_actor",
        "##[warning]strategy.job-index",
    ]
    assert "use $GITHUB_TRIGGERING_ACTOR instead" in message[0]
