"""A tag that cannot be released is stopped before anything is built or used up, with every problem and what to do about each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest

from pipelines.mobile import verification
from pipelines.providers.app_store_versions import Version
from rehearsal.eas import __main__ as program
from rehearsal.emulators.google_play.app import ANYONE
from rehearsal.faults import Fault
from tests.pipelines.mobile.release_run import Flow
from tests.pipelines.mobile.release_world import open_release
from tests.pipelines.mobile.releasing import Release, app_files
from tests.rehearsal.emulators.app_store_client import BUNDLE
from tests.shop import REPOSITORY

pytestmark = pytest.mark.world

COUNT = itertools.count(1)
Files = Mapping[str, str]
MAKE_NO_OTHER = "Then re-run this job: the tag is right"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    with open_release(tmp_path_factory.mktemp("apps")) as made:
        yield made


@pytest.fixture
def world(shared: Release) -> Iterator[Release]:
    """The next version of an app of which nothing was released. Whatever a test does to the accounts is undone."""
    shared.deaths.seen.clear()
    secrets = {name: dict(values) for name, values in shared.secrets.items()}
    yield shared
    shared.secrets = secrets
    shared.expo.emulator.control.tokens("valid")
    shared.play.console.permissions(BUNDLE, ANYONE, None)
    shared.apple.app_store.reset()
    shared.faults.clear()


@dataclass(frozen=True)
class Tagged:
    """A version on a maintenance line of its own, whose tree begins with that of main: none sees what another test broke."""

    number: int

    def __str__(self) -> str:
        return f"1.{self.number}.0"

    @property
    def branch(self) -> str:
        return f"release/1.{self.number}.x"

    @property
    def tag(self) -> str:
        return f"mobile-v{self}"


def version() -> Tagged:
    return Tagged(next(COUNT))


def released(world: Release, files: Files | None = None) -> Flow:
    """A green commit of the next version, tagged."""
    tagged = version()
    return world.push(tagged.tag, world.commit(str(tagged), branch=tagged.branch, files=files))


def verified(world: Release, flow: Flow, result: str = "failure") -> str:
    """The error of the job, which has this result."""
    assert world.job(flow, "verify") == result, world.log
    return world.errors


def nothing_is_written(world: Release) -> None:
    """But edits at Play, which are given up again."""
    assert [each for each in world.deaths.seen if f"/{BUNDLE}/edits" not in each] == []
    assert world.refs == [] and world.builds == [] and world.records() == []
    assert [each.end for each in world.play.account.apps[BUNDLE].edits.values() if each.end != "deleted"] == []


# one problem ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["mobile-v1.0", "mobile-v1.0.1.2", "mobile-vnext"])
def test_a_tag_that_is_no_version(world: Release, tag: str) -> None:
    error = verified(world, world.push(tag, world.commit("1.0.0", branch="topic")))
    assert f"tag: '{tag}' is no version of the apps" in error
    assert "git tag mobile-v1.2.3 && git push origin mobile-v1.2.3" in error
    nothing_is_written(world)


IN_APP: dict[str, tuple[Callable[[str], Files], str]] = {
    "app.json of another version": (
        lambda version: {"apps/mobile/app.json": app_files("0.9.9")["apps/mobile/app.json"]},
        "apps/mobile/app.json: says version '0.9.9', the tag '{version}'",
    ),
    "package.json of another version": (
        lambda version: {"apps/mobile/package.json": json.dumps({"version": "0.9.9"})},
        "apps/mobile/package.json: says version '0.9.9', the tag '{version}'",
    ),
    "configuration that is code": (
        lambda version: {"apps/mobile/app.config.js": "module.exports = {};"},
        "app.config.js: is code, which eas-cli would run with Expo's token beside it",
    ),
    "skips nothing": (
        lambda version: {"apps/mobile/fingerprint.config.js": "module.exports = {};\n"},
        "fingerprint.config.js: does not name ExpoConfigVersions and EasJson under sourceSkips",
    ),
    "no policy": (
        lambda version: {"apps/mobile/app.json": app_files(version, runtimeVersion="1")["apps/mobile/app.json"]},
        "app.json: runtimeVersion is '1': nothing would keep an update from a build it does not fit",
    ),
    "numbers that EAS chooses": (
        lambda version: {
            "apps/mobile/eas.json": json.dumps({"build": {"production": {"autoIncrement": True, "channel": "p"}}})
        },
        "eas.json: appVersionSource is not 'local'",
    ),
}


@pytest.mark.parametrize("name", IN_APP)
def test_what_is_wrong_in_the_app_needs_another_commit_and_version(world: Release, name: str) -> None:
    files, message = IN_APP[name]
    tagged = version()
    commit = world.commit(str(tagged), branch=tagged.branch, files=files(str(tagged)))
    error = verified(world, world.push(tagged.tag, commit))
    assert message.format(version=tagged) in error
    after = f"1.{tagged.number}.1"
    assert "nothing was built, and no build number is used. A tag is never moved" in error
    assert (
        f"write the version {after} into apps/mobile/app.json and apps/mobile/package.json, merge that to main" in error
    )
    assert f"`git checkout main && git pull && git tag mobile-v{after} && git push origin mobile-v{after}`" in error
    nothing_is_written(world)


def test_where_package_json_says_no_version_one_file_is_edited(world: Release) -> None:
    files = {"apps/mobile/package.json": "{}", "apps/mobile/app.config.ts": "export default {};"}
    error = verified(world, released(world, files))
    assert "into apps/mobile/app.json, merge that" in error


def test_a_branch_that_was_never_merged(world: Release) -> None:
    tagged = version()
    commit = world.commit(str(tagged), branch=f"topic-{tagged}", green=False)
    error = verified(world, world.push(tagged.tag, commit))
    assert f"line: {commit[:9]} is on none of main, {tagged.branch}" in error and "merge it" in error
    nothing_is_written(world)


@pytest.mark.parametrize(
    ("conclusion", "message", "todo"),
    [
        (None, "'ci' is still running on", "wait for it"),
        ("", "there is no check 'ci' on", "push it to a branch"),
        ("failure", "'ci' is failure on", "fix it"),
        ("cancelled", "'ci' is cancelled on", "fix it"),
    ],
)
def test_a_commit_that_is_not_green(world: Release, conclusion: str | None, message: str, todo: str) -> None:
    """While CI is awaited the tag is right: nothing has to be edited."""
    tagged = version()
    commit = world.commit(str(tagged), branch=tagged.branch, green=False)
    if conclusion != "":
        world.shop.check(commit, conclusion, branch=tagged.branch)
    flow = world.push(tagged.tag, commit)
    error = verified(world, flow)
    assert f"green: {message} {commit[:9]}" in error and f"green: {todo}" in error
    assert (MAKE_NO_OTHER in error) == (conclusion in (None, ""))
    nothing_is_written(world)


def test_as_soon_as_it_is_green_the_same_tag_is_released(world: Release) -> None:
    tagged = version()
    commit = world.commit(str(tagged), branch=tagged.branch, green=False)
    flow = world.push(tagged.tag, commit)
    verified(world, flow)
    world.shop.check(commit, branch=tagged.branch)
    # The numbers of this one stay reserved: what else is tested here is not released.
    reached = mock.patch("pipelines.mobile.numbers.Counter.take", side_effect=AssertionError("reached"))
    with reached, pytest.raises(AssertionError, match="reached"):
        world.job(flow, "verify")
    nothing_is_written(world)


# accounts -------------------------------------------------------------------------------------------------------------


def expired(world: Release) -> None:
    world.expo.emulator.control.tokens("expired")


def wrong_token(world: Release) -> None:
    world.secrets["mobile-stores"]["EXPO_TOKEN"] = "something-else"


def no_token(world: Release) -> None:
    del world.secrets["mobile-stores"]["EXPO_TOKEN"]


def no_grants(world: Release) -> None:
    world.play.console.permissions(BUNDLE, ANYONE, [])


def wrong_key(world: Release) -> None:
    world.secrets["mobile-stores"]["APP_STORE_KEY"] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"


def no_key(world: Release) -> None:
    del world.secrets["mobile-stores"]["APP_STORE_KEY"]


def agreements(world: Release) -> None:
    world.apple.account.agreements_missing = True


ACCOUNTS = {
    expired: ("EAS does not accept the token", "replace the secret EXPO_TOKEN"),
    wrong_token: ("EAS does not accept the token", "replace the secret EXPO_TOKEN"),
    no_token: ("EXPO_TOKEN: there is no token for EAS", "gh secret set EXPO_TOKEN"),
    no_grants: ("Google Play refuses: The caller does not have permission", "Users and permissions"),
    wrong_key: ("APP_STORE_KEY", "APP_STORE_KEY"),
    no_key: ("APP_STORE_KEY", "APP_STORE_KEY"),
    agreements: ("an agreement with Apple is missing or has expired", "the account holder signs it"),
}


@pytest.mark.parametrize("break_it", ACCOUNTS, ids=lambda break_it: str(break_it.__name__))
def test_what_is_wrong_with_an_account_needs_no_other_tag(world: Release, break_it: Callable[[Release], None]) -> None:
    break_it(world)
    error = verified(world, released(world))
    message, todo = ACCOUNTS[break_it]
    assert message in error and todo in error
    assert error.endswith(MAKE_NO_OTHER)
    assert "A tag is never moved" not in error
    nothing_is_written(world)


def test_a_token_of_a_person_is_none_of_a_robot(world: Release) -> None:
    def account_view(session: Any) -> int:
        session.output.say("dev-1 (authenticated using EXPO_TOKEN)\n\nAccounts:\n• techmate (Role: Owner)")
        return 0

    with mock.patch.dict(program.COMMANDS, {"account:view": account_view}):
        error = verified(world, released(world))
    assert "EXPO_TOKEN: is a token of the person 'dev-1'" in error and "add a robot" in error
    nothing_is_written(world)


def test_a_store_out_of_reach_hides_no_other(world: Release) -> None:
    expired(world)
    world.faults.add(Fault(kind="status", status=503, emulator="app-store", path="/v1/", times=None))
    error = verified(world, released(world))
    assert "EAS does not accept the token" in error and "503" in error
    world.expo.emulator.control.tokens("valid")
    error = verified(world, released(world))
    assert "Provider unavailable" in world.summary and error.endswith(MAKE_NO_OTHER)
    nothing_is_written(world)


# all at once ----------------------------------------------------------------------------------------------------------


def test_everything_that_is_wrong_is_reported_at_once(world: Release) -> None:
    """By one error, whose next step names a version that is free."""
    tagged = version()
    world.shop.tag(f"mobile-v1.{tagged.number}.1", world.shop.head("main"))
    files = {
        "apps/mobile/app.json": app_files("0.9.9", runtimeVersion="1")["apps/mobile/app.json"],
        "apps/mobile/package.json": json.dumps({"version": "0.9.8"}),
        "apps/mobile/app.config.js": "module.exports = {};",
        "apps/mobile/fingerprint.config.js": "",
    }
    commit = world.commit(str(tagged), branch=f"topic-{tagged}", files=files, green=False)
    for break_it in (expired, no_grants, agreements):
        break_it(world)
    error = verified(world, world.push(tagged.tag, commit))
    assert error.count("cannot be released") == 1
    for message in (
        "apps/mobile/app.json: says version '0.9.9'", "apps/mobile/package.json: says version '0.9.8'", "app.config.js: is code",
        "runtimeVersion is '1'", "fingerprint.config.js: does not name", f"line: {commit[:9]} is on none of",
        f"green: there is no check 'ci' on {commit[:9]}", "EAS does not accept the token", "Google Play refuses", "an agreement with Apple",
    ):  # fmt: skip
        assert message in error, message
    assert f"git tag mobile-v1.{tagged.number}.2 && git push origin mobile-v1.{tagged.number}.2" in error
    nothing_is_written(world)


def test_a_commit_without_app_or_without_its_lock_is_one_problem_of_all(world: Release) -> None:
    tagged = version()
    expired(world)
    commit = world.shop.commit("chore: nothing", branch=tagged.branch)
    error = verified(world, world.push(tagged.tag, commit))
    assert "apps/mobile: there is no app" in error and "EAS does not accept the token" in error
    tagged = version()
    files = {name: text for name, text in app_files(str(tagged)).items() if not name.endswith(("-lock.json", ".js"))}
    commit = world.shop.commit("feat: no lock", branch=tagged.branch, files=files)
    error = verified(world, world.push(tagged.tag, commit))
    assert "package-lock.json: is missing" in error and "EAS does not accept the token" in error
    assert "fingerprint.config.js: does not name" in error
    nothing_is_written(world)


# what was released ------------------------------------------------------------------------------------------------------


def test_a_version_below_the_last_one_or_in_a_closed_train_is_reported_which_comes_next(world: Release) -> None:
    """openfoodfacts/smooth-app#2745: Apple finds out only after it was built and uploaded. An approval closes it, not only the sale."""
    tagged, high = version(), version()
    at = world.shop.head("main")
    world.shop.tag(f"mobile-v1.{tagged.number}.4", at)
    body = {"tag_name": f"mobile-v1.{tagged.number}.4", "draft": False}
    made = world.shop.person("release-manager").post(f"/repos/{REPOSITORY}/releases", body)
    error = verified(world, world.push(tagged.tag, world.commit(str(tagged), branch=tagged.branch)))
    assert f"higher: {tagged} is not higher than mobile-v1.{tagged.number}.4" in error
    assert f"git tag mobile-v1.{tagged.number}.5 &&" in error
    world.apple.account.publish(str(high))
    error = verified(world, world.started(tagged.tag, world.shop.head(tagged.branch)))
    assert f"App Store: {high} was approved, which closed the train of {tagged}" in error
    assert f"git tag mobile-v1.{high.number}.1 &&" in error
    world.shop.person("release-manager").api("DELETE", f"/repos/{REPOSITORY}/releases/{made['id']}")
    nothing_is_written(world)


@pytest.mark.parametrize("state", ["PENDING_DEVELOPER_RELEASE", "PENDING_APPLE_RELEASE", "PROCESSING_FOR_DISTRIBUTION"])
def test_an_approval_closes_the_train_before_anything_is_on_sale(state: str) -> None:
    assert Version(id="1", version="1.0.0", state=state, release="MANUAL", build="b", number="1").approved
    assert not Version(id="1", version="1.0.0", state="IN_REVIEW", release="MANUAL", build="b", number="1").approved


@pytest.mark.parametrize(
    ("one", "other", "lower"), [("1.2", "1.2.0", True), ("1.10.0", "1.9.0", False), ("2.0.0", "1.99", False)]
)
def test_versions_are_compared_as_apple_does(one: str, other: str, lower: bool) -> None:
    assert (verification.numbers_of(one) <= verification.numbers_of(other)) == lower
