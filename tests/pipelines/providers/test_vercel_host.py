"""VercelHost against the emulator: staged without domains, promoted, rolled back; faults between."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import CheckFailed, ConflictError, CredentialsError, InputError, ProviderError, RefusedError
from pipelines.manifest.targets import Vercel
from pipelines.providers.marks import written
from pipelines.providers.vercel import VercelHost
from pipelines.providers.vercel_deployments import PROMOTED_AGAIN, ROLLED_BACK
from pipelines.roles import Artifact, Deployed, Identity, Lock, Marks
from tests.pipelines.providers.clouds import BYPASS, VERCEL_TOKEN, Clouds, Died, Dying, clouds

pytestmark = pytest.mark.world

PUBLIC = "techmate.ai"
TARGET = Vercel(
    provider="vercel",
    team="techmate",
    project="techmate-web",
    url=f"https://{PUBLIC}",
    config={"apiUrl": "https://api.techmate.ai", "environment": "production"},
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Clouds]:
    with clouds(tmp_path / "world") as world:
        yield world


def host(cloud: Clouds, token: str = VERCEL_TOKEN) -> VercelHost:
    return VercelHost(TARGET, cloud.http, token, bypass=BYPASS)


def stage(at: VercelHost, folder: Path, release: str, **files: str) -> Deployed:
    folder.mkdir(exist_ok=True)
    for name, text in {"index.html": f"<html>{release}", "config.json": "{}", **files}.items():
        (folder / name).write_text(text)
    digest = f"sha256:{release.encode().hex():0<64}"[:71]
    identity = Identity(release=release, commit="c" * 40, digest=digest, schema="0002", run="https://github.test/1")
    return at.stage(Artifact(component="web", digest=digest, reference=str(folder)), identity)


def released(at: VercelHost, folder: Path, release: str) -> str:
    key = stage(at, folder, release).key
    at.shift(key, 100)
    at.mark_stable(key)
    return key


def shown(cloud: Clouds) -> str:
    return str(json.loads(cloud.answer(PUBLIC, "/config.json").text)["release"])


def test_a_candidate_is_seen_at_its_own_address_only(cloud: Clouds, tmp_path: Path) -> None:
    at = host(cloud)
    first = released(at, tmp_path / "one", "v1.0.0")
    staged = stage(at, tmp_path / "two", "v1.1.0")
    assert (staged.ready, staged.traffic) == (True, 0)
    name = staged.url.removeprefix("https://")
    assert cloud.answer(name).status_code == 401
    config = cloud.answer(name, "/config.json", **at.headers()).json()
    assert config == {**TARGET.config, "release": "v1.1.0", "commit": "c" * 40}
    assert shown(cloud) == "v1.0.0"
    live = at.live()
    assert [(d.key, d.traffic) for d in live.serving()] == [(first, 100)]
    found = live.find(staged.key)
    assert found is not None
    assert found.identity is not None
    assert (found.identity.release, found.identity.schema) == ("v1.1.0", "0002")


def test_a_promotion_is_waited_for(cloud: Clouds, tmp_path: Path) -> None:
    at = host(cloud)
    released(at, tmp_path / "one", "v1.0.0")
    staged = stage(at, tmp_path / "two", "v1.1.0")
    live = at.shift(staged.key, 100)
    assert [d.key for d in live.serving()] == [staged.key]
    assert shown(cloud) == "v1.1.0"
    # A promotion lets the next deployment go live by itself; ours must not.
    third = stage(at, tmp_path / "three", "v1.2.0")
    assert third.traffic == 0
    assert shown(cloud) == "v1.1.0"


def test_going_back_is_instant_rollback_and_forward_again_a_promotion(cloud: Clouds, tmp_path: Path) -> None:
    at = host(cloud)
    first = released(at, tmp_path / "one", "v1.0.0")
    second = released(at, tmp_path / "two", "v1.1.0")
    host(cloud).shift(first, 100)
    assert shown(cloud) == "v1.0.0"
    assert any(f"/rollback/{first}" in line for line in cloud.writes("vercel"))
    host(cloud).shift(second, 100)
    assert shown(cloud) == "v1.1.0"
    assert not any(f"/rollback/{second}" in line for line in cloud.writes("vercel"))


@pytest.mark.parametrize("counts_staged", [False, True], ids=["the one live before", "the one made before"])
def test_hobby_rolls_back_one_deployment_and_older_ones_are_promoted_again(
    cloud: Clouds, tmp_path: Path, counts_staged: bool
) -> None:
    """Vercel does not say whether a deployment that never was live is in the way: what is refused is promoted in either case."""
    cloud.vercel.account.plan, cloud.vercel.account.counts_staged = "hobby", counts_staged
    first = released(host(cloud), tmp_path / "one", "v1.0.0")
    second = released(host(cloud), tmp_path / "two", "v1.1.0")
    stage(host(cloud), tmp_path / "three", "v1.1.1")
    third = released(host(cloud), tmp_path / "four", "v1.2.0")
    at = host(cloud)
    ways = {d.key: d.back_by for d in at.live().deployments if d.back_by}
    assert ways == {second: PROMOTED_AGAIN if counts_staged else ROLLED_BACK, first: PROMOTED_AGAIN}
    at.shift(first, 100)
    assert shown(cloud) == "v1.0.0"
    host(cloud).shift(third, 100)
    host(cloud).shift(second, 100)
    assert shown(cloud) == "v1.1.0"
    moves = [line for line in cloud.writes("vercel") if f"/rollback/{first}" in line or f"/rollback/{second}" in line]
    assert [f"/rollback/{second}" in line for line in moves] == ([] if counts_staged else [True])


def test_a_plan_that_turns_out_not_to_reach_so_far_is_met_by_promotion(cloud: Clouds, tmp_path: Path) -> None:
    """Before anything is live the project does not say its plan: the same process still goes back."""
    cloud.vercel.account.plan = "hobby"
    at = host(cloud)
    first = released(at, tmp_path / "one", "v1.0.0")
    for release in ("v1.1.0", "v1.2.0"):
        released(at, tmp_path / release, release)
    at.shift(first, 100)
    assert shown(cloud) == "v1.0.0"
    asked = [line for line in cloud.writes("vercel") if first in line]
    assert [line.split("/")[-2] for line in asked] == ["promote", "rollback", "promote"]


def test_on_other_plans_there_is_one_way_back(cloud: Clouds, tmp_path: Path) -> None:
    for release in ("v1.0.0", "v1.1.0", "v1.2.0"):
        released(host(cloud), tmp_path / release, release)
    assert {d.back_by for d in host(cloud).live().deployments} == {""}


def test_stable_ones_are_remembered_at_vercel(cloud: Clouds, tmp_path: Path) -> None:
    at = host(cloud)
    first = released(at, tmp_path / "one", "v1.0.0")
    second = released(at, tmp_path / "two", "v1.1.0")
    assert host(cloud).live().marks.stable == (second, first)
    before = len(cloud.writes("vercel"))
    host(cloud).mark_stable(second)
    assert len(cloud.writes("vercel")) == before


def test_asked_again_nothing_is_made_twice(cloud: Clouds, tmp_path: Path) -> None:
    staged = stage(host(cloud), tmp_path / "one", "v1.0.0")
    before = len(cloud.writes("vercel"))
    assert stage(host(cloud), tmp_path / "one", "v1.0.0").key == staged.key
    assert len(cloud.writes("vercel")) == before
    host(cloud).shift(staged.key, 100)
    before = len(cloud.writes("vercel"))
    host(cloud).shift(staged.key, 100)
    assert len(cloud.writes("vercel")) == before


def test_only_missing_files_are_sent(cloud: Clouds, tmp_path: Path) -> None:
    at = host(cloud)
    stage(at, tmp_path / "one", "v1.0.0", **{"app.js": "the same"})
    before = sum("/v2/files" in line for line in cloud.asked)
    stage(at, tmp_path / "two", "v1.1.0", **{"app.js": "the same"})
    assert sum("/v2/files" in line for line in cloud.asked) - before == 2


def test_source_maps_stay_in_the_artifact(cloud: Clouds, tmp_path: Path) -> None:
    files = {
        "app.js": "run()\n//# sourceMappingURL=app.js.map",
        "app.js.map": '{"sourcesContent": ["secret"]}',
        "app.css.map": "{}",
    }
    at = host(cloud)
    key = released(at, tmp_path / "one", "v1.0.0")
    staged = stage(at, tmp_path / "two", "v1.1.0", **files)
    at.shift(staged.key, 100)
    assert cloud.answer(PUBLIC, "/app.js").text == files["app.js"]
    assert [cloud.answer(PUBLIC, f"/{name}").status_code for name in ("app.js.map", "app.css.map")] == [404, 404]
    assert (tmp_path / "two/app.js.map").exists()
    held = cloud.vercel.account.deployments
    assert [file.path for file in held[staged.key].files] == ["app.js", "index.html", "config.json"]
    assert [file.path for file in held[key].files] == ["index.html", "config.json"]


@pytest.mark.parametrize("kind", ["lose_answer", "cut"])
@pytest.mark.parametrize("number", range(9))
def test_a_lost_answer_never_makes_two(cloud: Clouds, tmp_path: Path, kind: str, number: int) -> None:
    """Every write of a whole way is hit in turn: setting, create, two uploads, create again, promote, mark as stable."""
    released(host(cloud), tmp_path / "one", "v1.0.0")
    before = {d.key for d in host(cloud).live().deployments}
    cloud.fault(kind=kind, emulator="vercel", method="POST|PATCH", after=number)
    key = released(host(cloud), tmp_path / "two", "v1.1.0")
    live = host(cloud).live()
    assert {d.key for d in live.deployments} - before == {key}
    assert live.marks.stable[0] == key
    assert shown(cloud) == "v1.1.0"
    assert len(cloud.faults.fired) == (1 if number < 7 else 0)


@pytest.mark.parametrize("number", range(7))
def test_a_run_killed_after_any_write_is_finished_by_the_next(cloud: Clouds, tmp_path: Path, number: int) -> None:
    first = released(host(cloud), tmp_path / "one", "v1.0.0")
    with pytest.raises(Died):
        released(VercelHost(TARGET, Dying(cloud.http, number), VERCEL_TOKEN), tmp_path / "two", "v1.1.0")
    assert shown(cloud) in ("v1.0.0", "v1.1.0")
    key = released(host(cloud), tmp_path / "two", "v1.1.0")
    live = host(cloud).live()
    assert {d.key for d in live.deployments} == {first, key}
    assert ([d.key for d in live.serving()], live.marks.stable) == ([key], (key, first))


def test_someone_elses_promotion_is_a_conflict(cloud: Clouds, tmp_path: Path) -> None:
    at, other = host(cloud), host(cloud)
    first = released(at, tmp_path / "one", "v1.0.0")
    second = released(at, tmp_path / "two", "v1.1.0")
    at.live()
    other.shift(first, 100)
    with pytest.raises(ConflictError, match="someone promoted or rolled back"):
        at.shift(second, 100)


def test_nothing_is_moved_without_the_lock(cloud: Clouds, tmp_path: Path) -> None:
    at = host(cloud)
    first = released(at, tmp_path / "one", "v1.0.0")
    second = stage(at, tmp_path / "two", "v1.1.0").key
    at.mark(lambda marks: replace(marks, lock=Lock(id="7", kind="rollback", release="v0.9.0", by="on-call")))
    with pytest.raises(ConflictError, match=r"stopped by the rollback to v0\.9\.0 by on-call"):
        at.shift(second, 100, lock="3")
    with pytest.raises(ConflictError, match="stopped by"):
        at.mark_stable(second, lock="3")
    assert [d.key for d in at.live().serving()] == [first]
    at.shift(second, 100, lock="7")
    at.mark_stable(second, lock="7")
    assert at.live().marks == Marks(stable=(second, first))


def test_a_write_that_comes_after_the_lock_was_taken_and_given_back_is_undone(
    cloud: Clouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vercel has no conditional write: someone rolls back, and is done, while a promotion is on its way."""
    at = host(cloud)
    first = released(at, tmp_path / "one", "v1.0.0")
    second = stage(at, tmp_path / "two", "v1.1.0").key
    at.mark(lambda marks: replace(marks, lock=Lock(id="3", kind="delivery")))
    move = at._move

    def slow(key: str, *, back: bool) -> None:
        host(cloud).mark(lambda marks: replace(marks, lock=None))
        monkeypatch.setattr(at, "_move", move)
        move(key, back=back)

    monkeypatch.setattr(at, "_move", slow)
    with pytest.raises(ConflictError, match="stopped by another process, which has finished since"):
        at.shift(second, 100, lock="3")
    assert [d.key for d in host(cloud).live().serving()] == [first]


def test_a_mark_that_cannot_be_read_again_stops_the_one_who_wrote_it(cloud: Clouds, tmp_path: Path) -> None:
    """A team's policy makes every variable a sensitive one: nothing moves after the first mark, and what was live is live."""
    first = released(host(cloud), tmp_path / "one", "v1.0.0")
    second = stage(host(cloud), tmp_path / "two", "v1.1.0").key
    cloud.vercel.account.keeps_secrets = True
    with pytest.raises(ProviderError, match="cannot be read") as refused:
        host(cloud).mark(lambda marks: replace(marks, lock=Lock(id="3", kind="delivery")))
    assert "the variable is sensitive" in str(refused.value.why)
    assert "Instant Rollback" in str(refused.value.next_step)
    with pytest.raises(ProviderError, match="cannot be read"):
        host(cloud).shift(second, 100)
    with pytest.raises(ProviderError, match="cannot be read"):
        host(cloud).live()
    held = cloud.vercel.account.deployments
    assert [held[key].substate for key in (first, second)] == ["PROMOTED", "STAGED"]
    assert shown(cloud) == "v1.0.0"


def test_a_mark_that_lists_show_late_is_waited_for(cloud: Clouds) -> None:
    cloud.vercel.account.list_delay = 30
    host(cloud).mark(lambda marks: replace(marks, frozen="a fair"))
    host(cloud).mark(lambda marks: replace(marks, held="a look"))
    assert host(cloud).live().marks == Marks(frozen="a fair", held="a look")


def test_a_mark_that_never_comes_is_none(cloud: Clouds) -> None:
    cloud.vercel.account.list_delay = 3_600_000
    with pytest.raises(ProviderError, match="was accepted and is not there"):
        host(cloud).mark(lambda marks: replace(marks, frozen="a fair"))


def overwritten(
    cloud: Clouds, at: VercelHost, monkeypatch: pytest.MonkeyPatch, other: Callable[[Marks], Marks], times: int = 1
) -> None:
    """Right after each of the next writes of `at`, someone writes what they had read before it."""
    marks = at._marks
    before, write = marks.read(), marks._write
    left = iter(range(times))

    def racing(text: str) -> None:
        write(text)
        if next(left, None) is not None:
            VercelHost(TARGET, cloud.http, VERCEL_TOKEN)._marks._write(written(other(before)))

    monkeypatch.setattr(marks, "_write", racing)


def test_a_mark_that_is_overwritten_at_the_same_moment_is_written_again(
    cloud: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = host(cloud)
    overwritten(cloud, at, monkeypatch, lambda marks: replace(marks, frozen="a fair"))
    at.mark(lambda marks: replace(marks, lock=Lock(id="3", kind="delivery")))
    assert host(cloud).live().marks == Marks(frozen="a fair", lock=Lock(id="3", kind="delivery"))


def test_the_one_who_lost_the_lock_by_it_stops(cloud: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    at = host(cloud)
    taken = Lock(id="7", kind="rollback", release="v0.9.0")
    overwritten(cloud, at, monkeypatch, lambda marks: replace(marks, lock=taken))
    with pytest.raises(ConflictError, match=r"stopped by the rollback to v0\.9\.0"):
        at.mark(lambda marks: replace(marks, lock=Lock(id="3", kind="delivery")))
    assert host(cloud).live().marks.lock == taken


def test_what_is_overwritten_again_and_again_is_a_conflict(cloud: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    at = host(cloud)
    days = itertools.count(1)
    overwritten(cloud, at, monkeypatch, lambda marks: replace(marks, frozen=f"a fair, day {next(days)}"), times=9)
    with pytest.raises(ConflictError, match="overwritten again and again"):
        at.mark(lambda marks: replace(marks, held="a look"))


def test_a_rolling_release_is_live_at_its_end_only(cloud: Clouds, tmp_path: Path) -> None:
    """The alias shows the deployment while a share of the visitors gets it; `readySubstate` knows better."""
    released(host(cloud), tmp_path / "one", "v1.0.0")
    second = stage(host(cloud), tmp_path / "two", "v1.1.0").key
    cloud.vercel.account.project("techmate-web").rolling = 400
    host(cloud).shift(second, 100)
    assert cloud.vercel.account.deployments[second].substate == "PROMOTED"
    assert [shown(cloud) for _ in range(4)] == ["v1.1.0"] * 4


def test_what_never_was_live_is_not_marked_as_stable(cloud: Clouds, tmp_path: Path) -> None:
    first = released(host(cloud), tmp_path / "one", "v1.0.0")
    with pytest.raises(ConflictError, match="Vercel says it is STAGED"):
        host(cloud).mark_stable(stage(host(cloud), tmp_path / "two", "v1.1.0").key)
    assert host(cloud).live().marks.stable == (first,)


@pytest.mark.parametrize("scope", ["prod_deployment_urls_and_all_previews", "all_except_custom_domains"])
def test_a_protected_project_without_its_bypass_is_refused_before_anything_is_made(cloud: Clouds, scope: str) -> None:
    cloud.vercel.account.project("techmate-web").protection = scope
    host(cloud).require_checkable()
    with pytest.raises(CredentialsError, match="no secret that lets checks see a candidate") as lacking:
        VercelHost(TARGET, cloud.http, VERCEL_TOKEN).require_checkable()
    assert scope in str(lacking.value.why)
    assert "x-vercel-protection-bypass" in str(lacking.value.why)
    assert "export VERCEL_BYPASS" in str(lacking.value.next_step)
    with pytest.raises(CredentialsError, match="is none of this project"):
        VercelHost(TARGET, cloud.http, VERCEL_TOKEN, bypass="revoked").require_checkable()
    assert cloud.writes("vercel") == []


def test_a_project_whose_public_address_asks_users_to_sign_in_is_refused(cloud: Clouds) -> None:
    cloud.vercel.account.project("techmate-web").protection = "all"
    with pytest.raises(RefusedError, match="the public address is not open to users") as refused:
        host(cloud).require_checkable()
    assert "the production domain too" in str(refused.value.why)
    assert "Standard Protection" in str(refused.value.next_step)
    assert cloud.writes("vercel") == []


@pytest.mark.parametrize("scope", [None, "preview"])
def test_where_candidates_are_open_no_bypass_is_asked_for(cloud: Clouds, scope: str | None) -> None:
    cloud.vercel.account.project("techmate-web").protection = scope
    VercelHost(TARGET, cloud.http, VERCEL_TOKEN).require_checkable()


@pytest.mark.parametrize("to_login", [False, True], ids=["401", "redirect to the login"])
def test_a_bypass_that_this_role_is_not_shown_is_tried(cloud: Clouds, tmp_path: Path, to_login: bool) -> None:
    project = cloud.vercel.account.project("techmate-web")
    project.shows_bypass, project.to_login = False, to_login
    wrong = VercelHost(TARGET, cloud.http, VERCEL_TOKEN, bypass="revoked")
    wrong.require_checkable()  # nothing is there yet that could refuse it
    stage(host(cloud), tmp_path / "one", "v1.0.0")
    host(cloud).require_checkable()
    with pytest.raises(CredentialsError, match="is none of this project"):
        wrong.require_checkable()


def test_a_build_that_fails_says_why(cloud: Clouds, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="did not become ready: BUILD_FAILED"):
        stage(host(cloud), tmp_path / "one", "v1.0.0", **{"package.json": "{}"})


def test_wrong_use_is_named(cloud: Clouds, tmp_path: Path) -> None:
    at = host(cloud)
    with pytest.raises(InputError, match="moves traffic as a whole"):
        at.shift("dpl_1", 10)
    with pytest.raises(InputError, match="is gone"):
        at.shift("dpl_none", 100)
    with pytest.raises(InputError, match="no folder with a build"):
        at.stage(
            Artifact(component="web", digest="sha256:1", reference="nowhere"),
            Identity(release="v1", commit="c", digest="d"),
        )
    with pytest.raises(CredentialsError, match="no Vercel token"):
        host(cloud, "").live()
    with pytest.raises(CredentialsError, match="does not accept the token"):
        host(cloud, "wrong").live()
    unknown = Vercel(provider="vercel", team="techmate", project="nothing", url=f"https://{PUBLIC}")
    with pytest.raises(InputError, match="there is no project nothing"):
        VercelHost(unknown, cloud.http, VERCEL_TOKEN).live()
    stranger = Vercel(provider="vercel", team="others", project="techmate-web", url=f"https://{PUBLIC}")
    with pytest.raises(CredentialsError, match="Vercel refuses"):
        VercelHost(stranger, cloud.http, VERCEL_TOKEN).live()
