"""Gates: each refuses with its own error and exit code before anything is written, and says what to do."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from pipelines import errors
from rehearsal.faults import Fault
from release import refusals
from tests.rehearsal.github.scene import REPOSITORY
from tests.release.platform import RELEASES, Platform

pytestmark = pytest.mark.world
MANIFEST = """
platform: {name: techmate, repository: techmate/platform}
components: {backend: {paths: [apps/**]}}
ci: {checks: {}}
environments: {}
release:
  ci_checks: [%s]
  components: {platform: {version_files: [%s]}}
"""


def refused(github: Platform, code: int, *words: str, arguments: tuple[str, ...] = ()) -> str:
    """Publish must end with `code` having written nothing; the plan must say the same."""
    github.seen.requests.clear()
    ended = github.here("publish", *arguments)
    assert ended.code == code, ended.err
    assert github.seen.writes() == []
    assert "next: " in ended.err
    for word in words:
        assert word in ended.err
    planned = github.here("plan", *arguments)
    assert planned.code == code
    assert "✗" in planned.out
    return ended.err


def test_clean_tree(github: Platform, tmp_path: Path) -> None:
    github.commit("feat: a")
    (github.clone / "left-over.txt").write_text("x")
    refused(github, 25, "1 path(s) are not committed: left-over.txt")
    assert github.here("publish", "--asset", str(github.clone / "left-over.txt")).code == 0, (
        "what is handed over may lie there"
    )


def test_clean_tree__renamed_file__is_named_once_and_whole(github: Platform) -> None:
    github.commit("feat: a", {"a long name.txt": "x\n" * 20})
    github.dev.git("mv", "a long name.txt", "new.txt", cwd=github.clone)
    refused(github, 25, "1 path(s) are not committed: new.txt\n")


def test_version_files(github: Platform) -> None:
    files = {
        "shipmate.yml": MANIFEST % ("ci", "a/package.json, b/pyproject.toml"),
        "a/package.json": '{"version": "0.2.0"}',
    }
    github.commit("feat: a", {**files, "b/pyproject.toml": "[project]\nversion = '0.1.0'\n"})
    refused(github, 20, "v0.1.0, but a/package.json: version holds 0.2.0", "shipmate release bump 0.1.0")
    assert github.here("bump").code == 0
    assert (github.clone / "a/package.json").read_text() == '{"version": "0.1.0"}'
    refused(github, 25)
    github.commit("chore: bump", {"a/package.json": '{"version": "0.1.0"}'})
    assert github.here("publish").code == 0


def test_version_files__of_another_component__are_repaired_by_its_tag(github: Platform) -> None:
    manifest = MANIFEST.replace(
        "components: {platform:", 'components: {platform: {}, app: {tag_format: "app-v{version}",'
    )
    manifest = manifest.replace('app-v{version}", {', 'app-v{version}", ') % ("ci", "app.json")
    github.commit("feat: a", {"shipmate.yml": manifest, "app.json": '{"expo": {"version": "0.0.1"}}'})
    refused(github, 20, "next: shipmate release bump app-v0.1.0", arguments=("app-v0.1.0",))
    assert github.here("bump", "app-v0.1.0").code == 0
    assert "0.1.0" in (github.clone / "app.json").read_text()


def test_version_file__not_in_the_commit(github: Platform) -> None:
    github.commit("feat: a", {"shipmate.yml": MANIFEST % ("ci", "gone.json")})
    refused(github, 20, "gone.json is not in the commit")


def test_line(github: Platform) -> None:
    github.commit("feat: a")
    github.dev.git("commit", "-q", "--allow-empty", "-m", "fix: unmerged", cwd=github.clone)
    refused(github, 21, "is on none of main, release/0.1.x", "push it as release/0.1.x", arguments=("v0.1.0",))


def test_green__red_running_missing(github: Platform) -> None:
    github.commit_without_ci("feat: a")
    refused(github, 22, "'ci' is still running", "wait for it")
    github.green("failure")
    refused(github, 22, "'ci' is failure", "fix it and release the commit that is green")
    github.commit("feat: b", {"shipmate.yml": MANIFEST % ("ci, e2e", "")})
    refused(github, 22, "there is no check 'e2e'", "it has ci")
    github.commit_without_ci("feat: c", {"shipmate.yml": MANIFEST % ("e2e", "")})
    refused(github, 22, "'e2e' has not begun", "CI is still running: ci", "wait for it")


def test_green__of_another_commit_does_not_count(github: Platform) -> None:
    github.commit("feat: a")
    github.commit_without_ci("fix: b")
    refused(github, 22)


def test_unlocked(github: Platform) -> None:
    sha = github.commit("feat: a")
    owner = {"nonce": "x", "at": str(time.time()), "machine": "elsewhere", "run": "", "process": "1@1"}
    note = {"tag": "lock", "message": json.dumps(owner), "object": sha, "type": "commit"}
    made = github.dev.post(f"/repos/{REPOSITORY}/git/tags", note)
    github.dev.post(f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/shipmate/release/v0.1.0/3", "sha": made["sha"]})
    refused(github, 24, "v0.1.0 is being published by process 1 on elsewhere", "--take-over")
    assert github.here("publish", "--take-over").code == 0
    assert github.locks() == []


def test_higher(github: Platform) -> None:
    first = github.commit("feat: a")
    assert github.here("publish", "v1.2.0").code == 0
    github.commit("fix: b")
    refused(github, 23, "1.1.0 is not higher than v1.2.0", arguments=("v1.1.0",))
    refused(github, 23, "not higher than v1.2.0", arguments=("v1.1.9", "--commit", first))


def test_tag_moved__on_github_and_here(github: Platform) -> None:
    first = github.commit("feat: a")
    second = github.commit("fix: b")
    dev, clone = github.dev, github.clone
    dev.git("tag", "v1.0.0", first, cwd=clone)
    dev.git("push", "-q", "origin", "v1.0.0", cwd=clone)
    dev.git("tag", "-f", "v1.0.0", second, cwd=clone)
    refused(github, 26, f"v1.0.0 is on {first[:9]}, not on {second[:9]}", arguments=("v1.0.0",))
    dev.git("push", "-q", "-f", "origin", "v1.0.0", cwd=clone)
    assert github.here("publish", "v1.0.0").code == 0
    dev.git("push", "-q", "-f", "origin", f"{first}:refs/tags/v1.0.0", cwd=clone)
    moved = github.here("publish", "v1.0.0")
    assert (moved.code, "a tag is never moved" in moved.err) == (26, True)


def test_tag__and_commit_that_differ(github: Platform) -> None:
    first = github.commit("feat: a")
    second = github.commit("fix: b")
    github.dev.git("tag", "v1.0.0", first, cwd=github.clone)
    ended = github.here("publish", "v1.0.0", "--commit", second)
    assert ended.code == 26, ended.err


def test_input__no_version(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish", "one").code == 4
    assert github.here("publish", "v1.0").code == 4
    assert github.here("publish", "$(touch x)").code == 4


def test_plan__shows_gates_and_steps_and_writes_nothing(github: Platform) -> None:
    github.commit("feat: a")
    github.seen.requests.clear()
    plan = github.here("plan", "--notes")
    assert plan.code == 0, plan.err
    assert github.seen.writes() == []
    assert plan.out.count("✓") == 7
    assert "1. tag " in plan.out
    assert "## Features" in plan.out
    as_json = github.here("plan", "--json").json
    assert [gate["holds"] for gate in as_json["gates"]] == [True] * 7
    assert as_json["steps"][-1] == "publish v0.1.0 as the latest release"
    assert github.here("publish", "--json").json["steps"] == as_json["steps"], "what was planned is what was done"
    assert "none: it is out already" in github.here("plan").out


def test_refusals__each_its_own_code_and_documented() -> None:
    found = [
        each for each in vars(refusals).values() if isinstance(each, type) and each.__module__ == refusals.__name__
    ]
    codes = {each.exit_code: each for each in found}
    assert len(codes) == len(found) == 11
    others = {each.exit_code for each in errors.ShipmateError.__subclasses__()}
    assert not others & set(codes)
    guide = Path("docs/RELEASES.md").read_text()
    documented = dict(re.findall(r"^\| (2\d|30) \| ([^|]+?) \|", guide, re.MULTILINE))
    assert documented == {str(code): each.title for code, each in codes.items()}


def test_repository_name__unknown(github: Platform) -> None:
    github.commit("feat: a")
    github.dev.git("remote", "remove", "origin", cwd=github.clone)
    github.extra["GITHUB_REPOSITORY"] = ""
    ended = github.here("publish")
    assert (ended.code, "--repository owner/name" in ended.err) == (4, True)
    assert github.here("publish", "--repository", REPOSITORY).code == 0


def test_higher__tag_that_only_github_has__is_an_error_with_the_command(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish", "v1.0.0").code == 0
    second = github.commit("feat: b")
    third = github.commit("fix: c")
    github.dev.post(f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/tags/v3.0.0", "sha": second})
    assert "v3.0.0" not in github.dev.git("tag", cwd=github.clone)
    github.seen.requests.clear()
    for command in ("plan", "publish"):
        for arguments in ((), ("v1.1.0",), ("v4.0.0",)):
            ended = github.here(command, *arguments)
            assert (ended.code, "1 release tag(s) of the remote are missing here, such as v3.0.0" in ended.err) == (
                4,
                True,
            )
            assert "next: git fetch --tags origin" in ended.err
    assert github.seen.writes() == []
    github.dev.git("fetch", "-q", "--tags", "origin", cwd=github.clone)
    assert github.here("publish", "--json").json["tag"] == "v3.0.1"
    assert github.dev.get(f"/repos/{REPOSITORY}/git/ref/tags/v3.0.1")["object"]["sha"] == third


def test_higher__annotated_tag_that_only_github_has(github: Platform) -> None:
    first = github.commit("feat: a")
    github.commit("feat: b")
    note = {"tag": "v1.0.0", "message": "x", "object": first, "type": "commit"}
    made = github.dev.post(f"/repos/{REPOSITORY}/git/tags", note)
    github.dev.post(f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/tags/v1.0.0", "sha": made["sha"]})
    assert "such as v1.0.0" in github.here("plan").err


def test_higher__release_of_main_that_this_clone_never_fetched(github: Platform) -> None:
    """Another clone released a later commit: this one, behind, may not release something lower after it."""
    github.commit("feat: a")
    assert github.here("publish", "v1.0.0").code == 0
    behind = github.commit("fix: b")
    ahead = github.commit("feat: c")
    github.dev.post(RELEASES, {"tag_name": "v1.1.0", "target_commitish": ahead})
    for command in (("reset", "-q", "--hard", behind), ("update-ref", "refs/remotes/origin/main", behind)):
        github.dev.git(*command, cwd=github.clone)
    for command in (("reflog", "expire", "--expire=now", "--all"), ("gc", "-q", "--prune=now")):
        github.dev.git(*command, cwd=github.clone)
    refused(github, 23, "1.0.1 is not higher than v1.1.0")
    named = github.here("publish", "v1.1.0")
    assert (named.code, "which is not in this clone" in named.err) == (4, True)


def test_higher__tag_of_a_release_that_never_went_out__does_not_count(github: Platform) -> None:
    """v1.1.0 was tagged and refused: the next one is published as the latest, on main and on a maintenance line."""
    base = github.commit("feat: a")
    assert github.here("publish", "v1.0.0").code == 0
    refused_one = github.commit("feat: b")
    dev, clone = github.dev, github.clone
    dev.git("push", "-q", "origin", f"{refused_one}:refs/tags/v1.1.0", cwd=clone)
    dev.git("fetch", "-q", "--tags", "origin", cwd=clone)
    dev.git("switch", "-q", "-c", "release/1.0.x", base, cwd=clone)
    dev.git("commit", "-q", "--allow-empty", "-m", "fix: now", cwd=clone)
    dev.git("push", "-q", "origin", "release/1.0.x", cwd=clone)
    github.green()
    hotfix = github.here("publish", "v1.0.1")
    assert (hotfix.code, "publish v1.0.1 as the latest release" in hotfix.err) == (0, True), hotfix.err
    assert dev.get(f"{RELEASES}/latest")["tag_name"] == "v1.0.1"
    assert github.here("verify", "v1.0.1").code == 0
    dev.git("switch", "-q", "main", cwd=clone)
    github.commit("fix: c")
    lower_than_the_tag = github.here("publish", "v1.0.9")
    assert lower_than_the_tag.code == 0, lower_than_the_tag.err
    assert dev.get(f"{RELEASES}/latest")["tag_name"] == "v1.0.9"


def test_learned_tag__of_another_line__does_not_hinder(github: Platform) -> None:
    base = github.commit("feat: a")
    assert github.here("publish", "v1.0.0").code == 0
    github.commit("feat!: b")
    dev, clone = github.dev, github.clone
    tree = dev.git("rev-parse", f"{base}^{{tree}}", cwd=clone).strip()
    old = dev.git("commit-tree", tree, "-p", base, "-m", "fix: old", cwd=clone).strip()
    dev.git("push", "-q", "origin", f"{old}:refs/heads/release/1.x", cwd=clone)
    dev.post(f"/repos/{REPOSITORY}/git/refs", {"ref": "refs/tags/v1.0.1", "sha": old})
    assert github.here("publish", "--json").json["tag"] == "v2.0.0"


def test_higher__many_tags_are_all_read_in_one_call(github: Platform) -> None:
    first = github.commit("feat: a")
    github.commit("fix: b")
    names = [f"refs/tags/v1.{number}.0" for number in range(200)]
    orders = "".join(f"create {name} {first}\n" for name in names).encode()
    subprocess.run(["git", "update-ref", "--stdin"], cwd=github.clone, input=orders, check=True)
    github.dev.git("push", "-q", "origin", *names[:-1], cwd=github.clone)
    github.dev.git("push", "-q", "origin", names[-1], cwd=github.clone)
    github.dev.git("tag", "-d", "v1.199.0", cwd=github.clone)
    github.seen.requests.clear()
    assert "1 release tag(s) of the remote are missing here, such as v1.199.0" in github.here("plan").err
    assert sum("matching-refs/tags" in path for _, path in github.seen.requests) == 1


def test_higher__begun_before_a_newer_one_came_out__is_finished_and_not_latest(github: Platform) -> None:
    first = github.commit("feat: a")
    github.faults.add(Fault(kind="cut", method="PATCH", path="/releases/", times=None))
    assert github.here("publish").code == 9
    github.faults.clear()
    github.dev.git("fetch", "-q", "--tags", "origin", cwd=github.clone)
    github.commit("feat: b")
    assert github.here("publish").code == 0
    planned = github.here("plan", "v0.1.0")
    assert planned.code == 0, planned.err
    assert "✓ higher: v0.2.0 is out, but v0.1.0 was begun before" in planned.out
    ended = github.here("publish", "v0.1.0")
    assert ended.code == 0, ended.err
    assert "publish v0.1.0 not as the latest" in ended.err
    assert [(one["tag_name"], one["draft"]) for one in github.releases()] == [("v0.2.0", False), ("v0.1.0", False)]
    assert github.dev.get(f"{RELEASES}/latest")["tag_name"] == "v0.2.0"
    assert github.here("verify", "v0.1.0").code == 0
    assert github.here("publish", "--commit", first).code == 0


def test_higher__begun_in_a_clone_that_knows_of_nothing_newer(github: Platform) -> None:
    """The run is repeated on its own commit, in a checkout made before the newer release."""
    first = github.commit("feat: a")
    github.faults.add(Fault(kind="cut", method="PATCH", path="/releases/", times=None))
    github.here("publish")
    github.faults.clear()
    github.commit("feat: b")
    assert github.here("publish", "v0.2.0").code == 0
    github.dev.git("tag", "-d", "v0.2.0", cwd=github.clone)
    github.dev.git("reset", "-q", "--hard", first, cwd=github.clone)
    assert github.here("publish").code == 0
    assert github.dev.get(f"{RELEASES}/latest")["tag_name"] == "v0.2.0"


def test_higher__tag_alone__does_not_begin_a_release(github: Platform) -> None:
    first = github.commit("feat: a")
    github.commit("feat: b")
    assert github.here("publish", "v1.0.0").code == 0
    github.dev.git("push", "-q", "origin", f"{first}:refs/tags/v0.5.0", cwd=github.clone)
    github.dev.git("fetch", "-q", "--tags", "origin", cwd=github.clone)
    refused(github, 23, "0.5.0 is not higher than v1.0.0", arguments=("v0.5.0",))


def test_version_that_was_asked_for__less_than_the_commits__is_warned_of(github: Platform) -> None:
    github.commit("feat: a")
    assert github.here("publish", "v1.0.0").code == 0
    sha = github.commit("feat!: breaks everything")
    warning = (
        f"v1.0.1 raises less than its commits do: {sha[:9]} 'feat!: breaks everything' raises major, which makes v2.0.0"
    )
    planned = github.here("plan", "v1.0.1")
    assert (planned.code, f"\nwarning: {warning} after v1.0.0\n" in planned.out) == (0, True), planned.out
    assert github.here("plan", "v1.0.1", "--json").json["warnings"] == [f"{warning} after v1.0.0"]
    assert github.here("plan").out.count("warning") == 0
    published = github.here("publish", "v1.0.1")
    assert (published.code, f"warning: {warning}" in published.err) == (0, True)
    assert "warning" not in github.here("publish", "v1.0.1").err, "it is out: nothing is left to choose"
