"""The marks of releases as one line of JSON, and where Cloud Run and Vercel keep it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.delivery.steps.mark_failed import MarkFailed
from pipelines.providers.cloud_run import CloudRunHost
from pipelines.providers.cloud_run_template import MARKS as ANNOTATION
from pipelines.providers.cloud_run_template import STABLE_BEFORE_MARKS as OLD_ANNOTATION
from pipelines.providers.marks import KEPT, read, with_stable, written
from pipelines.providers.vercel import VercelHost
from pipelines.providers.vercel_marks import MARKS as VARIABLE
from pipelines.providers.vercel_marks import STABLE_BEFORE_MARKS as OLD_VARIABLE
from pipelines.roles import Artifact, Host, Identity, Lock, Marks
from tests.pipelines.providers.clouds import API, VERCEL_TOKEN, Clouds, clouds
from tests.pipelines.providers.test_cloud_run_host import target as cloud_run_target
from tests.pipelines.providers.test_vercel_host import TARGET as VERCEL_TARGET

NAMES = st.text(min_size=1, max_size=12)
REASONS = st.dictionaries(NAMES, st.text(max_size=200), max_size=KEPT)
MARKS = st.builds(
    Marks,
    stable=st.lists(NAMES, max_size=KEPT, unique=True).map(tuple),
    failed=REASONS,
    withdrawn=REASONS,
    restoring=st.text(max_size=12),
)


@given(MARKS)
def test_what_is_written_is_read(marks: Marks) -> None:
    assert read(written(marks)) == marks
    assert "\n" not in written(marks)


def test_nothing_is_short() -> None:
    assert written(Marks()) == "{}"
    assert read("") == read("{}") == Marks()


def test_what_suites_before_kept_is_read_until_something_new_is_written() -> None:
    assert read("", "r2,r1") == Marks(stable=("r2", "r1"))
    assert read('{"stable":["r3","r2"]}', "r2,r1") == Marks(stable=("r3", "r2"))


@pytest.mark.parametrize(
    "text", ["no JSON", "7", "[]", '{"stable": "r1"}', '{"failed": ["v1"], "withdrawn": 3, "restoring": null}']
)
def test_what_someone_else_wrote_there_is_no_mark_and_no_crash(text: str) -> None:
    assert read(text) == Marks()


def test_the_oldest_are_forgotten_first_and_a_reason_has_an_end() -> None:
    marks = Marks()
    for number in range(KEPT + 5):
        marks = MarkFailed(component="api", release=f"v{number}", to="v-1", why="x" * 500).change(
            marks, Lock(id="1", kind="rollback")
        )
        marks = read(written(with_stable(marks, f"r{number}", "")))
    assert list(marks.failed) == [f"v{number}" for number in range(5, KEPT + 5)]
    assert {len(why) for why in marks.failed.values()} == {200}
    assert marks.stable == tuple(f"r{number}" for number in reversed(range(5, KEPT + 5)))


def test_a_release_that_proved_good_has_not_failed_any_more_and_ends_what_was_under_way() -> None:
    marks = Marks(stable=("r1", "r2"), failed={"v1": "x", "v2": "y"}, withdrawn={"v2": "z"}, restoring="v2")
    assert with_stable(marks, "r2", "v2") == replace(marks, stable=("r2", "r1"), failed={"v1": "x"}, restoring="")


# at the providers -------------------------------------------------------------------------------------------------------


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Clouds]:
    with clouds(tmp_path / "world") as world:
        yield world


def on_cloud_run(cloud: Clouds, folder: Path) -> tuple[Callable[[], Host], str]:
    """How to reach a host with one release on it, and the key of that."""
    reference = cloud.image("v1.0.0")
    digest = reference.partition("@")[2]

    def host() -> Host:
        return CloudRunHost(cloud_run_target(workers=False), cloud.http, lambda: "token")

    artifact = Artifact(component="backend", digest=digest, reference=reference)
    return host, host().stage(artifact, Identity(release="v1.0.0", commit="c" * 40, digest=digest)).key


def on_vercel(cloud: Clouds, folder: Path) -> tuple[Callable[[], Host], str]:
    folder.mkdir()
    (folder / "index.html").write_text("hello")
    digest = "sha256:" + "a" * 64

    def host() -> Host:
        return VercelHost(VERCEL_TARGET, cloud.http, VERCEL_TOKEN)

    artifact = Artifact(component="web", digest=digest, reference=str(folder))
    key = host().stage(artifact, Identity(release="v1.0.0", commit="c" * 40, digest=digest)).key
    host().shift(key, 100)
    return host, key


@pytest.mark.world
@pytest.mark.parametrize("where", [on_cloud_run, on_vercel])
def test_every_kind_of_mark_is_kept_at_the_provider(
    cloud: Clouds, tmp_path: Path, where: Callable[[Clouds, Path], tuple[Callable[[], Host], str]]
) -> None:
    host, key = where(cloud, tmp_path / "site")
    assert host().live().marks == Marks()
    host().mark(lambda marks: replace(marks, failed={"v0.9.0": "its delivery failed"}, restoring="v0.8.0"))
    host().mark(lambda marks: replace(marks, withdrawn={"v0.7.0": 'it says "no", \\ and ☃'}))
    expected = Marks(
        failed={"v0.9.0": "its delivery failed"},
        withdrawn={"v0.7.0": 'it says "no", \\ and ☃'},
        restoring="v0.8.0",
    )
    assert host().live().marks == expected
    host().mark_stable(key)
    assert host().live().marks == replace(expected, stable=(key,), restoring="")
    before = len(cloud.writes("cloud-run") + cloud.writes("vercel"))
    host().mark(lambda marks: marks)
    host().mark_stable(key)
    assert len(cloud.writes("cloud-run") + cloud.writes("vercel")) == before, "what stays the same is not written"


@pytest.mark.world
@pytest.mark.parametrize("kind", ["lose_answer", "cut"])
@pytest.mark.parametrize("where", [on_cloud_run, on_vercel])
def test_a_mark_whose_answer_is_lost_stands(
    cloud: Clouds, tmp_path: Path, where: Callable[[Clouds, Path], tuple[Callable[[], Host], str]], kind: str
) -> None:
    host, _ = where(cloud, tmp_path / "site")
    cloud.fault(kind=kind, method="PATCH|POST")
    host().mark(lambda marks: replace(marks, restoring="v0.8.0"))
    assert len(cloud.faults.fired) == 1
    assert host().live().marks == Marks(restoring="v0.8.0")


@pytest.mark.world
def test_cloud_runs_annotation_of_before_is_read_and_stays(cloud: Clouds, tmp_path: Path) -> None:
    host, key = on_cloud_run(cloud, tmp_path)
    at = CloudRunHost(cloud_run_target(), cloud.http, lambda: "token")
    old = {OLD_ANNOTATION: "api-v0-9,api-v0-8"}
    at._service.change(at._existing(), {"annotations": old}, lambda now: OLD_ANNOTATION in now["annotations"])
    assert host().live().marks == Marks(stable=("api-v0-9", "api-v0-8"))
    host().mark_stable(key)
    assert host().live().marks == Marks(stable=(key, "api-v0-9", "api-v0-8"))
    kept = cloud.run.services.get(API).spec["annotations"]
    assert kept[OLD_ANNOTATION] == "api-v0-9,api-v0-8", "an older suite that is gone back to still finds its own"
    assert json.loads(kept[ANNOTATION]) == {"stable": [key, "api-v0-9", "api-v0-8"]}


@pytest.mark.world
def test_vercels_variable_of_before_is_read_and_stays(cloud: Clouds, tmp_path: Path) -> None:
    host, key = on_vercel(cloud, tmp_path / "site")
    at = VercelHost(VERCEL_TARGET, cloud.http, VERCEL_TOKEN)
    path = f"/v10/projects/{at._project}/env"
    body = {"key": OLD_VARIABLE, "value": "dpl_9,dpl_8", "type": "plain", "target": ["production"]}
    at._api.call("POST", path, params={"upsert": "true"}, body=body)
    assert host().live().marks == Marks(stable=("dpl_9", "dpl_8"))
    host().mark_stable(key)
    assert host().live().marks == Marks(stable=(key, "dpl_9", "dpl_8"))
    kept = {variable["key"]: variable["value"] for variable in at._api.call("GET", path)["envs"]}
    assert kept[OLD_VARIABLE] == "dpl_9,dpl_8"
    assert json.loads(kept[VARIABLE]) == {"stable": [key, "dpl_9", "dpl_8"]}
