"""Policy of the default branch and definition of the release: which key is whose, and that an old release is read by a newer suite."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.delivery import plan
from pipelines.delivery.plan import Recorded
from pipelines.delivery.steps.base import Base
from pipelines.errors import ManifestError
from pipelines.manifest import Manifest, definition, load, model, parse
from pipelines.manifest.components import Component
from pipelines.manifest.model import Environment
from pipelines.manifest.release import ReleaseComponent
from pipelines.manifest.targets import CloudRun, Vercel

ROOT = Path(__file__).parents[3]
FIRST = Path(__file__).parent / "v1.0.0.yml"
"""The manifest of v1.0.0, which the suite of that time read: it had neither `proved_by` nor `browser_tests`."""
POLICY = ROOT / "shipmate.yml"


def raw(file: Path = POLICY) -> Any:
    return yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader


def read(folder: Path, content: Any) -> definition.Definition:
    """The definition of a release whose manifest says this."""
    file = folder / "shipmate.yml"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else dumped(content))
    return definition.read(file)


def dumped(content: Any) -> str:
    return str(yaml.dump(content, sort_keys=False, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))


def releasing(folder: Path, content: Any) -> Manifest:
    return definition.apply(load(POLICY), read(folder, content))


def production(manifest: Manifest) -> Environment:
    return manifest.environments["production"]


def backend(manifest: Manifest) -> CloudRun:
    found = production(manifest).targets["backend"]
    assert isinstance(found, CloudRun)
    return found


# v1.0.0 -----------------------------------------------------------------------------------------------------------------


def test_the_manifest_of_the_first_release_is_no_manifest_of_a_policy_of_today() -> None:
    """Else what follows would show nothing."""
    assert "proved_by" not in FIRST.read_text()
    assert "node:" not in str(raw(FIRST)["components"]["web"])


def test_the_first_release_is_delivered_by_the_policy_of_today(tmp_path: Path) -> None:
    migrations = tmp_path / "source/apps/backend/migrations"
    migrations.mkdir(parents=True)
    (migrations / "0001_notes.expand.sql").write_text("SELECT 1")
    policy = load(POLICY)
    manifest = releasing(tmp_path / "source", FIRST.read_text())
    artifacts = {name: f"{kept}@sha256:{'a' * 64}" for name, kept in repositories(policy).items()}
    recorded = Recorded(release="v1.0.0", commit="c" * 40, artifacts=artifacts, base={})
    made = plan.make(manifest, "production", recorded)
    assert made.components == tuple(production(policy).targets)
    assert plan.rebuild(manifest, "production", made.document, made.digest).document == made.document
    assert [step.name for step in made.of_job("deploy", "backend")] == ["migrate", "stage", "verify"]
    assert production(manifest).proved_by == "staging", "by the policy, which asks for it by now"
    assert production(manifest).approval == production(policy).approval
    onto = {name: Base(key=f"{name}-9", release="v0.9.0", schema="0001") for name in artifacts}
    again = plan.make(manifest, "production", replace(recorded, base=onto))
    assert [step.name for step in again.of_job("deploy", "backend")] == ["stage", "verify"]


def repositories(policy: Manifest) -> dict[str, str]:
    found = {name: policy.components[name] for name in production(policy).targets}
    return {name: kept.repository for name, c in found.items() if (kept := c.image or c.build) is not None}


def test_every_manifest_that_was_ever_committed_is_read(tmp_path: Path) -> None:
    for number, change in enumerate(
        (
            lambda text: text,
            lambda text: text.replace("    alerts:", "    alarms:"),
            lambda text: text + "\nfuture: {what: {nobody: knows}}\n",
        )
    ):
        found = read(tmp_path / str(number), change(FIRST.read_text()))
        assert set(found.components) == set(raw(FIRST)["components"])


# whose a key is ---------------------------------------------------------------------------------------------------------


def own(kind: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(kind) if field.metadata.get("release")}


def test_what_a_release_says_of_itself() -> None:
    assert own(CloudRun) == {
        "scaling", "probes", "env", "secrets", "workers", "cpu", "memory", "concurrency", "timeout_seconds", "start_seconds",
    }  # fmt: skip
    assert own(Vercel) == {"config"}
    assert own(Component) == {"image", "build", "migrations"}
    assert own(Environment) == set()
    assert own(Manifest) == {"browser_tests"}


def test_every_host_says_whose_its_keys_are_and_no_address_is_the_releases() -> None:
    for kind in typing.get_args(model.Target):
        policy = {field.name for field in dataclasses.fields(kind)} - own(kind)
        assert {"provider", "project", "url"} <= policy


POLICY_KEYS = [
    ("components/backend/image/repository", "evil.test/backend"),
    ("components/web/build/repository", "evil.test/web"),
    ("components/web/error_tracker", {"url": "https://evil.test", "organization": "evil", "project": "evil"}),
    ("components/web/error_tracker/url", "https://evil.test"),
    ("components/backend/paths", ["nothing"]),
    ("components/backend/depends_on", ["web"]),
    ("environments/production/backend/provider", "vercel"),
    ("environments/production/backend/project", "evil"),
    ("environments/production/backend/region", "nowhere"),
    ("environments/production/backend/service", "evil"),
    ("environments/production/backend/url", "https://evil.test"),
    ("environments/production/backend/service_account", "owner@evil.test"),
    ("environments/production/backend/shift", [100]),
    ("environments/production/backend/watch_seconds", 0),
    ("environments/production/backend/database_secret", "evil@1"),
    ("environments/production/backend/probe_secret", "evil@1"),
    ("environments/production/web/team", "evil"),
    ("environments/production/web/project", "evil"),
    ("environments/production/web/url", "https://evil.test"),
    ("environments/production/deployer/service_account", "owner@evil.test"),
    ("environments/production/approval", None),
    ("environments/production/approval/by", ["stranger"]),
    ("environments/production/approval/break_glass", ["stranger"]),
    ("environments/production/approval/expires_minutes", 10**9),
    ("environments/production/github_environment", "unprotected"),
    ("environments/production/proved_by", None),
    ("environments/production/unapproved", "who cares"),
    ("environments/production/accept_unprotected", "who cares"),
    ("environments/production/branch", "main"),
    ("environments/qa", {"branch": "main"}),
    ("platform/repository", "evil/platform"),
    ("ci/checks", {}),
    ("alerts", {"when": []}),
    ("release/ci_checks", []),
    ("release/main", "evil"),
    ("release/maintenance", "evil/{line}"),
    ("release/components/platform/tag_format", "evil-{version}"),
]


@pytest.mark.parametrize(("path", "value"), POLICY_KEYS, ids=[path for path, _ in POLICY_KEYS])
def test_what_a_release_says_of_the_policy_is_ignored(tmp_path: Path, path: str, value: Any) -> None:
    """Deleting a key, or giving it another form, is no more than changing it."""
    honest = releasing(tmp_path / "honest", raw())
    contents = (put(raw(), path, value), put(raw(), path, ...), put(raw(), path, 7), put(raw(), path, [{"x": []}]))
    for number, content in enumerate(contents):
        found = releasing(tmp_path / str(number), content)
        assert replace(found, file=honest.file) == honest


def put(content: Any, path: str, value: Any) -> Any:
    *parents, name = path.split("/")
    node = content
    for parent in parents:
        node = node.setdefault(parent, {})
    if value is ...:
        node.pop(name, None)
    else:
        node[name] = value
    return content


RELEASE_KEYS: list[tuple[str, Any, Callable[[Manifest], Any], Any]] = [
    ("environments/production/backend/env", {"A": "b"}, lambda m: backend(m).env, {"A": "b"}),
    ("environments/production/backend/secrets", {"A": "b@2"}, lambda m: backend(m).secrets, {"A": "b@2"}),
    ("environments/production/backend/scaling", {"max": 7}, lambda m: backend(m).scaling.max, 7),
    ("environments/production/backend/workers", False, lambda m: backend(m).workers, False),
    ("environments/production/backend/env", ..., lambda m: backend(m).env, {}),
    ("environments/production/backend/workers", ..., lambda m: backend(m).workers, True),
    ("components/backend/migrations", "db", lambda m: m.components["backend"].migrations, "db"),
    ("components/backend/migrations", ..., lambda m: m.components["backend"].migrations, None),
    ("browser_tests/run", ["true"], lambda m: m.browser_tests and m.browser_tests.run, ("true",)),
    (
        "release/components/platform/version_files",
        ["VERSION"],
        lambda m: m.release.components["platform"].version_files,
        ("VERSION",),
    ),
]


@pytest.mark.parametrize(
    ("path", "value", "get", "expected"), RELEASE_KEYS, ids=[f"{k[0]} {k[1]}" for k in RELEASE_KEYS]
)
def test_what_is_the_releases_is_taken_from_it_and_its_defaults_too(
    tmp_path: Path, path: str, value: Any, get: Callable[[Manifest], Any], expected: Any
) -> None:
    """A key that it leaves out means the default, not what the default branch says by now."""
    assert get(releasing(tmp_path, put(raw(), path, value))) == expected
    assert get(load(POLICY)) != expected or value is ...


def test_checks_of_the_release_come_on_top_and_replace_none(tmp_path: Path) -> None:
    least = production(load(POLICY)).smoke
    more = {"name": "more", "component": "web", "path": "/more"}
    weaker = {"name": least[0].name, "component": "web", "path": "/"}
    elsewhere = {"name": "elsewhere", "component": "mobile"}
    found = releasing(tmp_path, put(raw(), "environments/production/smoke", [weaker, more, elsewhere]))
    assert [check.name for check in production(found).smoke] == [*(check.name for check in least), "more"]
    assert production(found).smoke[: len(least)] == least
    for number, none in enumerate(([], ...)):
        fewer = releasing(tmp_path / str(number), put(raw(), "environments/production/smoke", none))
        assert production(fewer).smoke == least


def test_journeys_of_the_release_come_on_top_and_replace_none(tmp_path: Path) -> None:
    least = load(POLICY).journeys
    request = {"path": "/more"}
    more = {"component": "web", "requests": [request]}
    content = raw()
    content["journeys"] = {next(iter(least)): more, "more": more}
    found = releasing(tmp_path, content).journeys
    assert list(found) == [*least, "more"]
    assert {name: found[name] for name in least} == least
    assert found["more"].requests[0].path == "/more"
    for number, none in enumerate(({}, ...)):
        assert releasing(tmp_path / str(number), put(raw(), "journeys", none)).journeys == least


def test_a_journey_of_the_release_that_cannot_be_made_is_refused_with_its_line(tmp_path: Path) -> None:
    made = {"component": "web", "requests": [{"path": "/{nobody}"}]}
    with pytest.raises(ManifestError, match=r"shipmate.yml:\d+: journeys/more/requests/0/path: {nobody} is not known"):
        releasing(tmp_path, put(raw(), "journeys/more", made))
    elsewhere = releasing(tmp_path / "other", put(raw(), "journeys/more", {**made, "component": "nobody"}))
    assert "more" not in elsewhere.journeys


def test_components_are_the_releases_and_where_they_live_the_policys(tmp_path: Path) -> None:
    fewer = put(raw(), "components/web", ...)
    assert list(production(releasing(tmp_path / "fewer", fewer)).targets) == ["backend"]
    turned = raw()
    turned["environments"]["production"]["backend"] = turned["environments"]["production"].pop("backend")
    assert list(production(releasing(tmp_path / "turned", turned)).targets) == ["backend", "web"]
    image = raw()["components"]["backend"]["image"]
    with pytest.raises(ManifestError, match="components/other: the default branch names no registry") as refused:
        releasing(tmp_path / "more", put(raw(), "components/other", {"paths": [], "image": image}))
    assert "default branch first" in refused.value.next_step


def test_which_browser_tests_may_fail_is_reported_by_the_default_branch_also_for_an_older_release(
    tmp_path: Path,
) -> None:
    """A release cannot excuse its own tests, and one that is tagged already can have a test excused."""
    one = {"test": "test_search", "owner": "dev-1", "until": "2026-12-31", "reason": "flaky since #12"}
    with_it, without = put(raw(), "browser_tests/quarantine", [one]), raw()
    for policy, release, expected in ((with_it, without, ["test_search"]), (without, with_it, [])):
        found = definition.apply(parse(dumped(policy)), read(tmp_path, release))
        assert found.browser_tests is not None
        assert [each.test for each in found.browser_tests.quarantine] == expected


# forms ------------------------------------------------------------------------------------------------------------------


UNKNOWN = [
    "new_section",
    "components/backend/sidecars",
    "components/backend/image/sbom",
    "environments/production/backend/gpu",
    "environments/production/backend/scaling/target_cpu",
    "environments/production/smoke_retries",
    "environments/production/canary",
    "journeys/read the notes/pace",
    "browser_tests/browsers",
    "release/signed",
    "release/components/platform/codename",
]


@pytest.mark.parametrize("path", UNKNOWN)
def test_a_key_that_this_suite_does_not_know_is_no_error(tmp_path: Path, path: str) -> None:
    """Older releases have keys that are gone, a newer release that is rolled back to an older suite has some to come."""
    honest = releasing(tmp_path / "honest", raw())
    for number, value in enumerate(("x", 7, None, ["a"], {"b": {"c": 1}})):
        found = releasing(tmp_path / str(number), put(raw(), path, value))
        assert replace(found, file=honest.file) == honest


MISSING = [
    "browser_tests",
    "journeys",
    "release",
    "alerts",
    "ci",
    "platform",
    "environments/production",
    "environments/production/backend/env",
    "components/web/build/node",
]


@pytest.mark.parametrize("path", MISSING)
def test_a_key_that_an_old_manifest_had_not_yet_is_no_error(tmp_path: Path, path: str) -> None:
    assert "production" in releasing(tmp_path, put(raw(), path, ...)).environments


WRONG = [
    ("components/backend/image/base", ["x"], "components/backend/image/base: must be text"),
    ("components/backend/migrations", 7, None),
    ("components/backend/image", "python", "components/backend/image: must be a mapping"),
    ("components", [], "components: must be a mapping"),
    ("environments/production/backend/env", ["A=b"], "environments/production/backend/env: must be a mapping"),
    ("environments/production/backend/workers", "perhaps", "environments/production/backend/workers: must be"),
    ("environments/production/smoke", {"a": 1}, "environments/production/smoke: must be a list"),
    ("journeys", ["a"], "journeys: must be a mapping"),
    ("browser_tests/run", "make test", "browser_tests/run: must be a list"),
]


@pytest.mark.parametrize(("path", "value", "message"), WRONG, ids=[case[0] for case in WRONG])
def test_a_wrong_form_in_the_releases_own_keys_is_refused_with_its_line(
    tmp_path: Path, path: str, value: Any, message: str | None
) -> None:
    content = put(raw(), path, value)
    if message is None:  # a number is as good a text as any
        assert releasing(tmp_path, content).components["backend"].migrations == "7"
        return
    with pytest.raises(ManifestError) as refused:
        releasing(tmp_path, content)
    assert message in str(refused.value)
    line = str(refused.value).partition("shipmate.yml:")[2].partition(":")[0]
    assert line.isdigit()


LAUGHS = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 9))


@pytest.mark.parametrize(
    "text",
    ["", "a: [", "a: &a [*a]\n", "a: &a {b: *a}\n", f"x0: &x0 [a]\n{LAUGHS}", "a: " + "[" * 150 + "]" * 150],
    ids=["empty", "broken", "in itself", "in its own value", "laughs", "deep"],
)
def test_what_has_no_end_or_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ManifestError):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    ["[]", "7", "components: !!python/object:os.system {}\n", "? [a]\n: b\n", "components: {? {a: b} : c}\n1: 2\n"],
)
def test_what_says_nothing_of_a_release_is_no_crash(tmp_path: Path, text: str) -> None:
    try:
        found = read(tmp_path, text)
    except ManifestError as refused:
        assert "components" in str(refused)
        return
    assert found.components == {}


# the digest -------------------------------------------------------------------------------------------------------------


def test_the_digest_is_of_all_that_the_manifest_says_in_whatever_layout(tmp_path: Path) -> None:
    first = read(tmp_path / "a", raw())
    assert first.digest.startswith("sha256:")
    assert len(first.digest) == 71
    turned = dict(reversed(raw().items()))
    assert (
        read(tmp_path / "b", "# a comment\n" + yaml.safe_dump(turned, default_flow_style=True)).digest == first.digest
    )
    for number, path in enumerate(("new_section", "environments/production/backend/url", "components/backend/x/y")):
        assert read(tmp_path / str(number), put(raw(), path, "z")).digest != first.digest


def test_the_digest_does_not_depend_on_what_this_suite_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Staging proves with one version of the suite, production may plan with the next."""
    before = read(tmp_path, FIRST.read_text())

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Later(Component):
        sidecars: tuple[str, ...] = ()

    monkeypatch.setattr(definition, "Component", Later)
    after = read(tmp_path, FIRST.read_text())
    assert isinstance(after.components["backend"], Later)
    assert after.digest == before.digest
    # Written down once: a change of this would part every proof there is from its commit.
    assert read(tmp_path / "small", "platform: {name: a}\ncomponents: {}\n").digest == (
        "sha256:b98abe6996b622c3ec985d36b3ce46cee8eb3849b8615d1808365ea340b71dd4"
    )


def test_dates_and_other_forms_of_yaml_do_not_stop_it(tmp_path: Path) -> None:
    found = read(tmp_path, "since: 2026-01-01\nbig: 0x1F\nnot: ~\n1: one\ncomponents: {}\n")
    assert found.digest.startswith("sha256:")


def test_a_rule_of_versions_of_a_component_that_the_policy_does_not_have_is_ignored(tmp_path: Path) -> None:
    found = releasing(tmp_path, put(raw(), "release/components/other", {"tag_format": "o{version}"}))
    assert list(found.release.components) == list(load(POLICY).release.components)
    assert all(isinstance(rule, ReleaseComponent) for rule in found.release.components.values())


def test_a_policy_is_parsed_strictly_all_the_same() -> None:
    with pytest.raises(ManifestError, match="proved_byy"):
        parse(POLICY.read_text().replace("proved_by:", "proved_byy:"))
