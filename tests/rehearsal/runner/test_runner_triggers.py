"""`on:` filters: patterns, branches, tags, paths, types, and what never starts anything."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rehearsal.runner import globs
from rehearsal.runner.model import Event
from rehearsal.runner.triggers import asks_to_skip, needs_paths, starts
from rehearsal.runner.workflow import Workflow, WorkflowError, parse


@pytest.mark.parametrize(
    ("pattern", "fits", "misses"),
    [
        ("feature/*", ["feature/my-branch"], ["feature/beta-a/my-branch", "feature"]),
        ("feature/**", ["feature/beta-a/my-branch", "feature/x"], ["features/x"]),
        ("*", ["main"], ["all/the/branches"]),
        ("**", ["all/the/branches", "main"], []),
        ("*feature", ["mona-feature", "feature"], ["feature-x"]),
        ("v2*", ["v2", "v2.0", "v2.9"], ["v1", "v2/x"]),
        ("v[12].[0-9]+.[0-9]+", ["v1.10.1", "v2.0.0"], ["v3.0.0", "v1.x.0"]),
        ("*.jsx?", ["page.js", "page.jsx"], ["page.jsxx", "page.j"]),
        ("**.js", ["index.js", "js/index.js", "src/js/app.js"], ["a.jsx"]),
        ("docs/*", ["docs/README.md"], ["docs/a/b.md"]),
        ("**/docs/**", ["docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"], ["docsx/a"]),
        ("**/*src/**", ["a/src/app.js", "my-src/code/js/app.js"], ["a/srcs/x"]),
        ("**/*-post.md", ["my-post.md", "path/their-post.md"], ["post.md"]),
        ("release/\\*", ["release/*"], ["release/1"]),
        ("mobile-v*", ["mobile-v1.2.0"], ["v1.2.0"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_globs__pattern__fits_as_githubs_cheat_sheet_says(pattern: str, fits: list[str], misses: list[str]) -> None:
    assert [name for name in fits if not globs.matches([pattern], name)] == []
    assert [name for name in misses if globs.matches([pattern], name)] == []


def test_globs__order_and_exclamation_mark__last_word_counts() -> None:
    patterns = ["releases/**", "!releases/**-alpha", "releases/10-alpha"]
    assert globs.matches(patterns, "releases/beta")
    assert not globs.matches(patterns, "releases/9-alpha")
    assert globs.matches(patterns, "releases/10-alpha")
    with pytest.raises(ValueError, match="cannot be read"):
        globs.compiled("+x")


def workflow(on: str) -> Workflow:
    return parse(".github/workflows/ci.yml", f"on: {on}\njobs: {{a: {{runs-on: u, steps: [{{run: x}}]}}}}")


def push(ref: str = "refs/heads/main", **payload: Any) -> Event:
    return Event(name="push", repository="o/r", payload=payload, ref=ref, sha="a" * 40, actor="dev-1")


def pull(action: str, base: str = "main") -> Event:
    payload = {"action": action, "pull_request": {"base": {"ref": base}, "head": {"ref": "topic"}}}
    return Event(name="pull_request", repository="o/r", payload=payload, ref="refs/pull/1/merge", sha="a", actor="d")


@pytest.mark.parametrize(
    ("on", "event", "changed", "verdict"),
    [
        ("push", push(), None, True),
        ("[push, pull_request]", push("refs/tags/v1"), None, True),
        ("pull_request", push(), None, False),
        ("{push: {branches: [main, 'release/**']}}", push("refs/heads/release/1.x"), None, True),
        ("{push: {branches: main}}", push("refs/heads/develop"), None, False),
        ("{push: {branches: [main]}}", push("refs/tags/v1"), None, False),
        ("{push: {tags: ['v*']}}", push("refs/tags/v1.0.0"), None, True),
        ("{push: {tags: ['v*', '!v*-rc*']}}", push("refs/tags/v1.0.0-rc1"), None, False),
        ("{push: {tags: ['v*']}}", push(), None, False),
        ("{push: {tags-ignore: ['x*']}}", push("refs/tags/v1"), None, True),
        ("{push: {branches-ignore: [main]}}", push(), None, False),
        ("{push: {branches: ['**'], tags: ['v*']}}", push("refs/tags/x"), None, False),
        ("{push: {paths: ['apps/**', '!**.md']}}", push(), ["apps/a.py"], True),
        ("{push: {paths: ['apps/**', '!**.md']}}", push(), ["apps/a.md", "docs/x"], False),
        ("{push: {paths-ignore: ['docs/**']}}", push(), ["docs/a", "docs/b/c"], False),
        ("{push: {paths-ignore: ['docs/**']}}", push(), ["docs/a", "x"], True),
        ("{push: {paths: ['apps/**']}}", push(), None, True),
        ("{push: {paths: ['apps/**']}}", push("refs/tags/v1"), ["x"], True),
        ("{push: {branches: [main], paths: ['apps/**']}}", push(), ["x"], False),
        ("push", push(deleted=True), None, False),
        ("push", push(head_commit={"message": "Fix\n\n[skip ci]"}), None, False),
        ("push", push(head_commit={"message": "Fix skip ci"}), None, True),
        ("pull_request", pull("opened"), None, True),
        ("pull_request", pull("closed"), None, False),
        ("{pull_request: {types: [closed]}}", pull("closed"), None, True),
        ("{pull_request: {branches: [main]}}", pull("opened", "develop"), None, False),
        ("{pull_request: {branches: ['dev*']}}", pull("opened", "develop"), None, True),
        ("{pull_request: {branches-ignore: ['dev*']}}", pull("opened", "develop"), None, False),
        ("{schedule: [{cron: '0 1 * * *'}]}", push(), None, False),
    ],
)
def test_starts__filters(on: str, event: Event, changed: list[str] | None, verdict: bool) -> None:
    assert starts(workflow(on), event, changed) is verdict


def test_starts__made_with_the_workflow_token__only_dispatches() -> None:
    assert not starts(workflow("push"), dataclasses.replace(push(), by_workflow_token=True), None)
    sent = Event(
        name="repository_dispatch",
        repository="o/r",
        payload={"action": "go"},
        ref="r",
        sha="s",
        actor="a",
        by_workflow_token=True,
    )
    assert starts(workflow("repository_dispatch"), sent, None)
    assert starts(workflow("{repository_dispatch: {types: [go]}}"), sent, None)
    assert not starts(workflow("{repository_dispatch: {types: [other]}}"), sent, None)


def test_starts__schedule__only_the_file_whose_schedule_it_is() -> None:
    scheduled = workflow("{schedule: [{cron: '0 1 * * *'}]}")

    def due(path: str) -> Event:
        payload = {"schedule": "0 1 * * *", "workflow": path}
        return Event(name="schedule", repository="o/r", payload=payload, ref="refs/heads/main", sha="a", actor="d")

    assert starts(scheduled, due(scheduled.path), None)
    assert not starts(scheduled, due(".github/workflows/another.yml"), None)
    assert not starts(workflow("push"), due(scheduled.path), None)


def test_starts__workflow_run__by_name_type_and_branch() -> None:
    payload = {"action": "completed", "workflow_run": {"name": "CI", "head_branch": "main"}}
    event = Event(name="workflow_run", repository="o/r", payload=payload, ref="refs/heads/main", sha="s", actor="a")
    assert starts(workflow("{workflow_run: {workflows: [CI], types: [completed], branches: [main]}}"), event, None)
    assert not starts(workflow("{workflow_run: {workflows: [Other]}}"), event, None)
    assert not starts(workflow("{workflow_run: {workflows: [CI], types: [requested]}}"), event, None)
    assert not starts(workflow("{workflow_run: {workflows: [CI], branches: [develop]}}"), event, None)


def test_starts__merge_group__by_type_and_base_branch() -> None:
    group = {"base_ref": "refs/heads/main", "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-abc"}
    event = Event(
        name="merge_group",
        repository="o/r",
        payload={"action": "checks_requested", "merge_group": group},
        ref=group["head_ref"],
        sha="s",
        actor="a",
    )
    assert starts(workflow("merge_group"), event, None)
    assert starts(workflow("{merge_group: {types: [checks_requested], branches: [main]}}"), event, None)
    assert not starts(workflow("{merge_group: {branches: [develop]}}"), event, None)
    gone = dataclasses.replace(event, payload={**event.payload, "action": "destroyed"})
    assert not starts(workflow("merge_group"), gone, None)


def test_needs_paths__only_where_a_filter_asks() -> None:
    assert needs_paths(workflow("{push: {paths: [a]}}"), push())
    assert not needs_paths(workflow("{push: {paths: [a]}}"), push("refs/tags/v1"))
    assert not needs_paths(workflow("push"), push())


def test_asks_to_skip__trailer_at_the_end() -> None:
    assert asks_to_skip("Subject\n\nskip-checks: true\n")
    assert not asks_to_skip("Subject\n\nskip-checks: true\nmore")


JOB = "on: push\njobs: {{a: {{runs-on: u, steps: [{{run: x}}], {}}}}}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("on: [push\n", "ci.yml: not YAML: line"),
        ("on: push\njobs: {}\non: push", "'on' is already defined"),
        ("[]", "a workflow is a mapping"),
        ("jobs: {a: {runs-on: u, steps: [{run: x}]}}", "`on` is missing"),
        ("on: push", "`jobs` is missing"),
        ("on: push\njobs: {a: {steps: [{run: x}]}}", "jobs.a has no `runs-on`"),
        ("on: push\njobs: {a: {runs-on: u}}", "jobs.a has no `steps`"),
        (JOB.format("concurrency: {group: g, queue: min}"), "a.concurrency.queue: 'min' is none of: single, max"),
        (JOB.format("concurrency: {group: g, queue: max, cancel-in-progress: true}"), "cannot be combined"),
        (JOB.format("concurrency: {queue: max}"), "jobs.a.concurrency has no `group`"),
        (JOB.format("concurrency: {group: g, que: max}"), "jobs.a.concurrency: unexpected key 'que'"),
        (JOB.format("environment: {name: e, deploy: false}"), "jobs.a.environment: unexpected key 'deploy'"),
        ("concurrency: {group: g, queue: all}\n" + JOB.format("env: {}"), "ci.yml: concurrency.queue: 'all'"),
        ("on: push\njobs: {a: {needs: b, uses: ./x}, b: {needs: [a], uses: ./x}}", "the `needs` of a, b form a circle"),
    ],
)
def test_parse__not_a_workflow__names_file_and_place(text: str, says: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        parse("ci.yml", text)
    assert says in str(caught.value)


def test_parse__scalars__as_github_reads_them() -> None:
    parsed = parse(
        "x.yml",
        "on: {push: }\nname: yes\njobs: {a: {runs-on: u, env: {D: 2026-01-02, B: true, N: 3}, steps: [{run: off}]}}",
    )
    assert parsed.name == "yes"
    assert parsed.jobs["a"].raw["env"] == {"D": "2026-01-02", "B": True, "N": 3}
    assert parsed.jobs["a"].steps == [{"run": "off"}]
