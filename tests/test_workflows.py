"""Rules every workflow keeps, beyond what the linters know. A new file in .github/workflows is covered by being there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.ci import legs
from pipelines.ci.matrix import Planned
from pipelines.ci.needs import CHECKS, PLANNER
from pipelines.delivery import browser_durations
from pipelines.manifest import load
from pipelines.manifest.jobs import OTHER_JOBS
from rehearsal.runner.expressions import Scope, condition

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
IDS = [file.name for file in FILES]

PINS = {
    "actions/checkout": ("v7.0.1", "3d3c42e5aac5ba805825da76410c181273ba90b1"),
    "actions/setup-python": ("v7.0.0", "5fda3b95a4ea91299a34e894583c3862153e4b97"),
    "actions/setup-node": ("v7.0.0", "820762786026740c76f36085b0efc47a31fe5020"),
    "actions/upload-artifact": ("v7.0.0", "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"),
    "actions/download-artifact": ("v8.0.1", "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"),
    "actions/attest-build-provenance": ("v4.1.0", "a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32"),
    "github/codeql-action": ("v4.37.4", "f205ea1c3313d32999d8d6a48b4f6530d4437b38"),
    "ossf/scorecard-action": ("v2.4.4", "2d1146689b8cda280b9bc96326124645441f03bc"),
}
"""Tag and commit as recorded in each repository's own tags. Nothing else from outside is used."""

UNTRUSTED = re.compile(r"\$\{\{")
WHOLE_PERMISSIONS = ("read-all", "write-all")


def read(file: Path) -> dict[str, Any]:
    content = yaml.safe_load(file.read_text())
    assert isinstance(content, dict)
    # YAML 1.1 reads the key `on` as true.
    content["on"] = content.pop(True, content.get("on"))
    return content


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(file)["jobs"]
    return found


def steps(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs(file).items():
        for step in job.get("steps", []):
            yield name, step


def triggers(file: Path) -> dict[str, Any]:
    on = read(file)["on"]
    return on if isinstance(on, dict) else {key: {} for key in ([on] if isinstance(on, str) else on)}


every = pytest.mark.parametrize("file", FILES, ids=IDS)


def test_there_are_workflows() -> None:
    assert "ci.yml" in IDS


@every
def test_permissions_start_at_nothing_and_each_job_names_its_own(file: Path) -> None:
    assert read(file)["permissions"] == {}
    for name, job in jobs(file).items():
        assert isinstance(job.get("permissions"), dict), f"{name} names no permissions"
        assert job["permissions"], f"{name}: a checkout needs `contents: read`"


@every
def test_a_permission_that_is_more_than_reading_the_code_is_explained_where_it_stands_first(file: Path) -> None:
    seen = set()
    for line in file.read_text().splitlines():
        match = re.fullmatch(r"      ([a-z-]+): (read|write)( # \S.*)?", line)
        if match and (match[1], match[2]) != ("contents", "read") and match[1] not in seen:
            assert match[3], f"{file.name}: say why: {line.strip()}"
            seen.add(match[1])


WAITING = {("mobile-release.yml", "deliver"): 150}
"""Minutes of jobs that wait for a queue of others: 90 for a build at EAS, 45 for Apple."""


@every
def test_every_job_ends_by_itself(file: Path) -> None:
    for name, job in jobs(file).items():
        if "uses" not in job and "matrix." not in str(job["timeout-minutes"]):
            assert 1 <= job["timeout-minutes"] <= WAITING.get((file.name, name), 60), name
    assert all(1 <= check.timeout_minutes <= 60 for check in load(ROOT / "shipmate.yml").ci.checks.values())


LIVE_JOBS = {
    "deploy-production.yml": {"go-live"},
    "deploy-staging.yml": {"go-live"},
    "mobile-promote.yml": {"promote", "watch"},
}
"""Jobs that make something live: GitHub shows a deployment for each job with an environment that does not say otherwise."""


@every
def test_only_a_job_that_makes_something_live_is_shown_as_a_deployment(file: Path) -> None:
    shown = {
        name
        for name, job in jobs(file).items()
        if (at := job.get("environment")) and (isinstance(at, str) or at.get("deployment", True))
    }
    assert shown == LIVE_JOBS.get(file.name, set())


@every
def test_jobs_and_steps_have_names(file: Path) -> None:
    assert read(file)["name"]
    for name, job in jobs(file).items():
        assert job.get("name"), name
    for name, step in steps(file):
        assert step.get("name"), f"{name}: {step}"


@every
def test_no_expression_reaches_a_script(file: Path) -> None:
    for name, step in steps(file):
        assert not UNTRUSTED.search(str(step.get("run", ""))), f"{name}: pass it by env: {step['run']}"


@every
def test_scripts_are_rare_and_short(file: Path) -> None:
    """Logic in YAML cannot be tested: a step is a call of an action."""
    for name, step in steps(file):
        assert len(str(step.get("run", "")).splitlines()) <= 3, f"{name}: {step['name']}"


def uses(file: Path) -> Iterator[str]:
    yield from re.findall(r"^\s*(?:- )?uses: (.+)$", file.read_text(), re.MULTILINE)


USING = [*FILES, *sorted((ROOT / "actions").glob("*/action.yml"))]


@pytest.mark.parametrize("file", USING, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_actions_from_outside_are_pinned_by_commit_and_known(file: Path) -> None:
    for used in uses(file):
        if used.startswith("./"):
            assert (ROOT / used / "action.yml").is_file() or (ROOT / used).is_file(), used
            continue
        name, _, pin = used.partition("@")
        tag, commit = PINS[repository(name)]
        assert pin == f"{commit} # {tag}", used


def repository(used: str) -> str:
    """Of an action, which may be one of several in it: `github/codeql-action/init@…`."""
    return "/".join(used.partition("@")[0].split("/")[:2])


def test_no_pin_is_kept_that_nothing_uses() -> None:
    assert {repository(used) for file in USING for used in uses(file) if not used.startswith("./")} == set(PINS)


def delivers(file: Path) -> bool:
    """Whether a job of it deploys or releases."""
    return any("environment" in job or job["permissions"].get("contents") == "write" for job in jobs(file).values())


def test_there_are_workflows_that_deliver() -> None:
    assert len([file for file in FILES if delivers(file)]) >= 3


def delivering_steps(file: Path) -> list[dict[str, Any]]:
    """Of a workflow that delivers, and of any action: ours run in delivering jobs too."""
    if file.name == "action.yml":
        return list(yaml.safe_load(file.read_text())["runs"]["steps"])
    return [step for _, step in steps(file)] if delivers(file) else []


def restores_a_cache(step: dict[str, Any]) -> bool:
    """actions/cache, or a setup-* action that keeps what it fetched; setup-node does so unless it is set not to."""
    used, given = str(step.get("uses", "")), step.get("with", {})
    asked = [value for key, value in given.items() if "cache" in key and value not in (False, "false", "")]
    by_itself = used.startswith("actions/setup-node@") and given.get("package-manager-cache") is not False
    return used.startswith("actions/cache") or bool(asked) or by_itself


@pytest.mark.parametrize("file", USING, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_delivers_restores_no_cache_that_a_pull_request_can_write(file: Path) -> None:
    assert not [step for step in delivering_steps(file) if restores_a_cache(step)]


@pytest.mark.parametrize(
    "step",
    [
        {"uses": "actions/cache/restore@1"},
        {"uses": "actions/setup-python@1", "with": {"cache": "pip"}},
        {"uses": "actions/setup-node@1", "with": {"node-version": "24"}},
        {"uses": "astral-sh/setup-uv@1", "with": {"enable-cache": True}},
    ],
)
def test_a_cache_is_seen(step: dict[str, Any]) -> None:
    assert restores_a_cache(step)


@every
def test_checkouts_leave_no_credentials_behind(file: Path) -> None:
    for name, step in steps(file):
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, name


FOR_PEOPLE = ("Keep screenshots and traces", "Keep the report", "Keep what was measured")


@every
def test_what_is_kept_for_people_is_linked_in_the_summary(file: Path) -> None:
    """Whatever came of the job: what failed is looked at first."""
    for name, job in jobs(file).items():
        listed = job.get("steps", [])
        for kept, link in pairwise(listed):
            if kept["name"] in FOR_PEOPLE:
                assert (link.get("uses"), link.get("if")) == ("./actions/link_artifact", "${{ !cancelled() }}"), name
                assert link["with"]["url"] == f"${{{{ steps.{kept['id']}.outputs.artifact-url }}}}", name
        assert not listed or listed[-1]["name"] not in FOR_PEOPLE, name


@every
def test_our_actions_come_after_a_checkout(file: Path) -> None:
    for name, job in jobs(file).items():
        checked_out = False
        for step in job.get("steps", []):
            used = str(step.get("uses", ""))
            checked_out |= used.startswith("actions/checkout@")
            assert checked_out or not used.startswith("./"), f"{name}: {used}"


@every
def test_what_may_be_required_is_never_filtered_out_by_paths(file: Path) -> None:
    """A workflow that is filtered out never reports, and the required check would wait for ever."""
    for event in ("pull_request", "push"):
        assert not {"paths", "paths-ignore"} & set(triggers(file).get(event) or {})


@every
def test_no_trigger_gives_a_strangers_code_our_secrets(file: Path) -> None:
    assert not {"pull_request_target", "issue_comment"} & set(triggers(file))


@every
def test_what_follows_another_run_follows_pushes_of_our_own_that_went_well(file: Path) -> None:
    """`workflow_run` comes after runs of forks' pull requests, too, and has the secrets of the default branch."""
    if "workflow_run" not in triggers(file):
        return
    assert triggers(file)["workflow_run"]["branches"], file.name
    for name, job in jobs(file).items():
        if "needs" in job:
            continue
        for event, conclusion in (("push", "success"), ("push", "failure"), ("pull_request", "success")):
            run = {"event": event, "conclusion": conclusion}
            github = {"event_name": "workflow_run", "event": {"workflow_run": run}}
            begins = condition(job["if"], Scope(contexts={"github": github}, status={"success": True}))
            assert begins == ((event, conclusion) == ("push", "success")), f"{name} after {event} that was {conclusion}"


def asks(job: dict[str, Any]) -> bool:
    """Whether someone is asked before a job begins, or by it."""
    return any(step.get("uses") == "./actions/approval_gate" for step in job.get("steps", []))


@every
def test_the_lock_of_a_deployment_drops_nobody_and_ends_nothing(file: Path) -> None:
    """On a workflow it would be taken while someone is asked; without `queue: max` a third run would evict a second that waits."""
    if not any("environment" in job for job in jobs(file).values()):
        return
    held = [read(file).get("concurrency"), *(job.get("concurrency") for job in jobs(file).values())]
    assert not held[0] or not any(asks(job) for job in jobs(file).values()), file.name
    for group in filter(None, held):
        assert isinstance(group, dict), group
        assert (group.get("queue"), bool(group.get("cancel-in-progress"))) == ("max", False), group


@every
def test_a_pull_request_gets_no_secret_and_no_cloud_identity(file: Path) -> None:
    if "pull_request" not in triggers(file):
        return
    assert "secrets." not in file.read_text()
    for name, job in jobs(file).items():
        assert "id-token" not in job["permissions"], name
        assert "environment" not in job, name


@every
def test_inputs_of_our_actions_exist(file: Path) -> None:
    for name, step in steps(file):
        used = str(step.get("uses", ""))
        if used.startswith("./actions/"):
            declared = yaml.safe_load((ROOT / used / "action.yml").read_text()).get("inputs") or {}
            given = step.get("with") or {}
            assert set(given) <= set(declared), f"{name}: {used}"
            missing = {key for key, one in declared.items() if one.get("required")} - set(given)
            assert not missing, f"{name}: {used} needs {missing}"


CI = ROOT / ".github" / "workflows" / "ci.yml"


def test_ci_is_a_plan_one_matrix_over_the_checks_a_report_and_the_required_check() -> None:
    assert list(jobs(CI)) == [PLANNER, CHECKS, "report", "ci"]
    assert [job["name"] for job in jobs(CI).values()] == [OTHER_JOBS[0], "${{ matrix.title }}", *OTHER_JOBS[1:]]


def test_nothing_in_ci_names_a_check_or_a_component() -> None:
    manifest = load(ROOT / "shipmate.yml")
    names = {*manifest.ci.checks, *manifest.components, *(check.title for check in manifest.ci.checks.values())}
    text = "\n".join(line.partition(" #")[0] for line in CI.read_text().splitlines() if not line.startswith("#"))
    assert not {name for name in names if re.search(rf"(?<![\w-]){re.escape(str(name))}(?![\w-])", text)}


def test_the_job_of_a_check_is_the_entry_of_the_plan() -> None:
    """Each value of an entry is used, and no other is asked for."""
    manifest = load(ROOT / "shipmate.yml")
    planned = tuple(Planned(check=name, runs=True, why="x") for name in manifest.ci.checks)
    entries = legs.matrix(manifest, planned)
    used = set(re.findall(r"matrix\.(\w+)", CI.read_text()))
    assert [used] * len(entries) == [set(entry) for entry in entries]
    job = jobs(CI)[CHECKS]
    assert job["strategy"] == {
        "fail-fast": False,
        "matrix": {"include": "${{ fromJSON(needs.plan.outputs.legs) }}"},
    }
    assert (job["needs"], job["permissions"]) == (PLANNER, {"contents": "read"})


@pytest.mark.parametrize(("entries", "starts"), [("[]", False), ('[{"name": "lint"}]', True)])
def test_an_empty_matrix_is_never_expanded(entries: str, starts: bool) -> None:
    """GitHub takes it for an error, and the run would be red though there is nothing to check."""
    scope = Scope(contexts={"needs": {PLANNER: {"outputs": {"legs": entries}}}}, status={"success": True})
    assert condition(jobs(CI)[CHECKS]["if"], scope) is starts


def test_what_a_check_came_to_is_kept_whatever_it_was_and_read_by_the_last_jobs() -> None:
    kept = jobs(CI)[CHECKS]["steps"][-1]
    assert str(kept["if"]).startswith("always() && ")
    assert kept["with"]["name"] == "result-${{ matrix.name }}"
    assert kept["with"]["overwrite"] is True
    for name in ("report", "ci"):
        got = next(step for step in jobs(CI)[name]["steps"] if "download-artifact" in str(step.get("uses")))
        assert got["with"] == {"pattern": "result-*", "path": "results", "merge-multiple": True}
        default = next(
            one.default
            for one in import_module(f"actions.{'gate' if name == 'ci' else name}_ci").INPUTS
            if one.name == "results"
        )
        assert default == got["with"]["path"]


@pytest.mark.parametrize(("name", "condition"), [("ci", "always()"), ("report", "${{ !cancelled() }}")])
def test_the_last_jobs_wait_for_all_and_see_all(name: str, condition: str) -> None:
    job = jobs(CI)[name]
    assert job["needs"] == [PLANNER, CHECKS]
    assert job["if"] == condition
    assert job["steps"][-1]["with"]["needs"] == "${{ toJSON(needs) }}"


def test_ci_runs_for_pull_requests_and_for_what_may_be_released() -> None:
    """A merge queue would wait for ever for a required check that does not run for it."""
    pushed = {"branches": ["main", "develop", "release/**"]}
    assert triggers(CI) == {"pull_request": None, "merge_group": None, "push": pushed}


@pytest.mark.parametrize("name", sorted(load(ROOT / "shipmate.yml").environments))
def test_an_environment_is_deployed_on_every_push_to_its_branch_and_without_one_on_none(name: str) -> None:
    branch = load(ROOT / "shipmate.yml").environments[name].branch
    pushed = triggers(ROOT / ".github" / "workflows" / f"deploy-{name}.yml").get("push")
    if branch is None:
        assert pushed is None
    else:
        assert branch in pushed["branches"]
        assert not set(pushed) - {"branches"}


def test_only_a_pull_requests_older_run_is_ended() -> None:
    assert read(CI)["concurrency"] == {
        "group": "ci-${{ github.event_name == 'pull_request' && github.ref || github.sha }}",
        "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    }


def test_only_the_report_may_write() -> None:
    writers = [name for name, job in jobs(CI).items() if "write" in job["permissions"].values()]
    assert writers == ["report"]


PRODUCTION = ROOT / ".github" / "workflows" / "deploy-production.yml"
STAGING = ROOT / ".github" / "workflows" / "deploy-staging.yml"


def runs(
    file: Path, job: str, results: dict[str, str], *, cancelled: bool = False, outputs: dict[str, str] | None = None
) -> bool:
    """Whether a job runs after others ended so; those not named succeeded. `outputs`: of each of them."""
    raw = jobs(file)[job]
    ended = {need: results.get(need, "success") for need in raw["needs"]}
    given = {"state": "to do", **(outputs or {})}
    needs = {need: {"result": result, "outputs": given} for need, result in ended.items()}
    status = {
        "success": not cancelled and set(ended.values()) == {"success"},
        "failure": not cancelled and "failure" in ended.values(),
        "cancelled": cancelled,
    }
    return condition(raw.get("if", "success()"), Scope(contexts={"needs": needs}, status=status))


DEPLOYING = ("deploy", "check-candidate", "go-live")


@pytest.mark.parametrize("job", DEPLOYING)
@pytest.mark.parametrize("ended", ["failure", "cancelled"])
@pytest.mark.parametrize("by_someone", [False, True])
def test_whatever_ends_a_deployment_it_is_taken_back_and_notified(job: str, ended: str, by_someone: bool) -> None:
    """A job that is out of time ends as cancelled, which `failure()` does not see; so do those of a run that is cancelled."""
    later = DEPLOYING[DEPLOYING.index(job) + 1 :]
    results = {job: ended, **dict.fromkeys([*later, "check-live", "release"], "skipped")}
    assert runs(PRODUCTION, "roll-back", results, cancelled=by_someone)
    assert runs(PRODUCTION, "notify", results | {"roll-back": "success"}, cancelled=by_someone)


@pytest.mark.parametrize(
    "results",
    [
        {},
        {"release": "failure"},
        {"check-live": "cancelled", "release": "skipped"},
        {"check-live": "failure", "release": "skipped"},
        {"approval": "failure", "deploy": "skipped", "go-live": "skipped"},
        {"approval": "cancelled", "deploy": "skipped", "go-live": "skipped"},
    ],
    ids=str,
)
def test_what_went_well_or_never_began_is_not_taken_back(results: dict[str, str]) -> None:
    assert not runs(PRODUCTION, "roll-back", results)
    assert runs(PRODUCTION, "notify", results | {"roll-back": "skipped"})


@pytest.mark.parametrize("ended", ["failure", "cancelled", "skipped"])
def test_nothing_is_deployed_that_was_not_approved_and_nothing_goes_live_that_was_not_deployed(ended: str) -> None:
    """Their conditions are GitHub's own: every need has succeeded."""
    for job, need in (
        ("deploy", "approval"),
        ("check-candidate", "deploy"),
        ("go-live", "deploy"),
        ("release", "go-live"),
    ):
        assert need in jobs(PRODUCTION)[job]["needs"]
    assert "if" not in jobs(PRODUCTION)["deploy"], "a condition without a status function asks for success, too"
    for tests in ("true", "false"):
        given = {"browser_tests": tests, "state": "live"}
        skipped = {"check-candidate": "skipped"}
        assert not runs(PRODUCTION, "check-candidate", {"deploy": ended}, outputs=given)
        assert not runs(PRODUCTION, "go-live", skipped | {"deploy": ended}, outputs=given)
        assert not runs(PRODUCTION, "check-live", skipped | {"go-live": ended}, outputs=given)
        assert not runs(PRODUCTION, "release", skipped | {"go-live": ended, "check-live": "skipped"}, outputs=given)
    assert not runs(PRODUCTION, "roll-back", {"approval": ended, "deploy": "skipped", "go-live": "skipped"})


@pytest.mark.parametrize(
    ("result", "tests", "goes"),
    [
        ("success", "true", True),
        ("skipped", "false", True),
        ("skipped", "true", False),
        ("skipped", "", False),
        ("failure", "true", False),
        ("cancelled", "true", False),
    ],
)
def test_a_browser_stands_before_users_and_before_the_world(result: str, tests: str, goes: bool) -> None:
    """A job that was skipped for want of tests lets pass; one that was not carried out does not."""
    given = {"browser_tests": tests, "state": "live"}
    assert runs(PRODUCTION, "go-live", {"check-candidate": result}, outputs=given) is goes
    assert runs(PRODUCTION, "release", {"check-live": result}, outputs=given) is goes
    assert not runs(PRODUCTION, "go-live", {"check-candidate": result}, outputs=given, cancelled=True)


@pytest.mark.parametrize("job", ["check-live", "release"])
def test_a_job_after_one_that_was_skipped_asks_itself_what_succeeded(job: str) -> None:
    """GitHub skips it otherwise, whichever job before it was skipped; and who stepped aside has nothing to show."""
    for tests, state in (("true", "live"), ("false", "live"), ("true", "superseded")):
        given = {"browser_tests": tests, "state": state}
        wanted = state == "live" and (tests == "true" or job == "release")
        assert runs(PRODUCTION, job, {}, outputs=given) is wanted
        assert "cancelled()" in jobs(PRODUCTION)[job]["if"]


@pytest.mark.parametrize(("verdict", "back"), [("failed", True), ("not live", False), ("passed", False), ("", False)])
@pytest.mark.parametrize("ended", ["failure", "cancelled"])
def test_what_is_live_is_taken_back_by_what_a_browser_found_there_alone(verdict: str, back: bool, ended: str) -> None:
    results = {"check-live": ended, "release": "skipped"}
    assert runs(PRODUCTION, "roll-back", results, outputs={"verdict": verdict}) is back
    assert not runs(PRODUCTION, "release", results, outputs={"state": "live", "browser_tests": "true"})


def test_a_release_that_is_out_asks_nobody() -> None:
    assert jobs(PRODUCTION)["approval"]["if"] == "needs.plan.outputs.state == 'to do'"


@pytest.mark.parametrize(("ended", "notified"), [("success", False), ("failure", True), ("cancelled", True)])
def test_staging_is_reported_of_what_did_not_succeed(ended: str, notified: bool) -> None:
    for job in jobs(STAGING)["notify"]["needs"]:
        assert runs(STAGING, "notify", {job: ended}) is notified, job


@pytest.mark.parametrize(
    ("go_live", "e2e", "tests", "proved"),
    [
        ("success", "success", "true", True),
        ("success", "failure", "true", False),
        ("success", "cancelled", "true", False),
        ("success", "skipped", "true", False),
        ("success", "skipped", "false", True),
        ("failure", "skipped", "true", False),
        ("failure", "skipped", "false", False),
    ],
)
def test_only_what_is_live_and_passed_its_browser_tests_is_proved(
    go_live: str, e2e: str, tests: str, proved: bool
) -> None:
    outputs = {"browser_tests": tests}
    assert runs(STAGING, "prove", {"go-live": go_live, "e2e": e2e}, outputs=outputs) is proved


def test_a_commit_that_steps_aside_is_neither_built_nor_told_of() -> None:
    """What is skipped skips all after it, but for the jobs that ask themselves."""
    assert jobs(STAGING)["build"]["if"] == "needs.plan.outputs.state == 'to do'"
    skipped = dict.fromkeys(("build", "deploy", "go-live", "e2e", "prove"), "skipped")
    for job in ("deploy", "go-live", "e2e", "prove", "notify"):
        before = {name: result for name, result in skipped.items() if name in jobs(STAGING)[job]["needs"]}
        assert not runs(STAGING, job, {"plan": "success", **before}, outputs={"state": "superseded"}), job


def test_the_commit_of_staging_is_asked_for_the_pushed_one_or_that_of_the_run_it_follows() -> None:
    (reference,) = {step["with"]["ref"] for step in jobs(STAGING)["plan"]["steps"] if "ref" in step.get("with", {})}
    assert reference == "${{ inputs.commit || github.event.workflow_run.head_sha || github.sha }}"
    for name, job in jobs(STAGING).items():
        given = {step["with"]["ref"] for step in job["steps"] if "ref" in step.get("with", {})}
        assert name == "plan" or given <= {"${{ needs.plan.outputs.commit }}"}, name


def test_who_may_roll_back_chooses_among_the_environments_of_the_manifest() -> None:
    inputs = triggers(ROOT / ".github/workflows/rollback.yml")["workflow_dispatch"]["inputs"]
    assert set(inputs["environment"]["options"]) == set(load(ROOT / "shipmate.yml").environments)


NIGHTLY = ROOT / ".github" / "workflows" / "browser-tests.yml"


def test_the_nightly_browser_tests_run_on_staging_and_the_one_who_asks_chooses_among_the_environments() -> None:
    started = triggers(NIGHTLY)
    assert set(started) == {"schedule", "workflow_dispatch"}
    environment = started["workflow_dispatch"]["inputs"]["environment"]
    assert (set(environment["options"]), environment["default"]) == (
        set(load(ROOT / "shipmate.yml").environments),
        "staging",
    )
    (nightly,) = started["schedule"]
    (loaded,) = triggers(ROOT / ".github/workflows/performance.yml")["schedule"]
    minute, hour = (int(part) for part in nightly["cron"].split()[:2])
    before = [int(part) for part in loaded["cron"].split()[:2]]
    assert hour * 60 + minute >= before[1] * 60 + before[0] + 90, "a load test beside them would make them slow"


def test_the_code_of_the_release_in_nightly_browser_tests_has_no_credentials() -> None:
    assert "secrets." not in NIGHTLY.read_text()
    for name, job in jobs(NIGHTLY).items():
        assert "environment" not in job, name
        assert set(job["permissions"].values()) == {"read"}, name
    assert jobs(NIGHTLY)["e2e"]["permissions"] == {"contents": "read"}
    assert not [step for step in jobs(NIGHTLY)["e2e"]["steps"] if "token" in step.get("with", {})]


def test_durations_are_believed_of_the_job_that_makes_them() -> None:
    kind = browser_durations.KIND
    assert (ROOT / kind.workflow, set(kind.events)) == (NIGHTLY, set(triggers(NIGHTLY)))
    (maker,) = [name for name, job in jobs(NIGHTLY).items() if job["name"] == kind.job]
    last = jobs(NIGHTLY)[maker]["steps"][-1]
    assert last["with"]["name"] == "${{ steps.merge.outputs.durations_name }}"
    for results, kept in (({}, True), ({"e2e": "failure"}, False)):
        needs = {need: {"result": results.get(need, "success")} for need in ("plan", "e2e")}
        merged = {"merge": {"outputs": {"durations": "build/x"}}}
        scope = Scope(contexts={"needs": needs, "steps": merged}, status={"success": True})
        assert condition(last["if"], scope) is kept


@pytest.mark.parametrize("ended", ["success", "failure", "cancelled"])
def test_a_runner_that_failed_is_seen_by_the_report(ended: str) -> None:
    """A runner that is lost leaves nothing; without the report nobody would say so of all tests."""
    given = {"count": "2"}
    assert runs(NIGHTLY, "report", {"e2e": ended}, outputs=given)
    assert not runs(NIGHTLY, "report", {"e2e": "skipped"}, outputs={"count": "0"})
    assert not runs(NIGHTLY, "report", {"plan": "failure", "e2e": "skipped"}, outputs={"count": ""})
    assert not runs(NIGHTLY, "e2e", {}, outputs={"count": "0"})
    assert jobs(NIGHTLY)["e2e"]["strategy"]["fail-fast"] is False
