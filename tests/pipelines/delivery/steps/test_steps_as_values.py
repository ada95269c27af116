"""What each step says, when it is done, and what it writes into a plan: from facts and states alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipelines.delivery.pipeline import PRODUCTION, ROLLBACK
from pipelines.delivery.steps.base import Base, Facts
from pipelines.delivery.steps.mark_failed import MarkFailed
from pipelines.delivery.steps.mark_stable import MarkStable
from pipelines.delivery.steps.migrate import Migrate
from pipelines.delivery.steps.restore import MarkRestored, Restore
from pipelines.delivery.steps.shift import Shift
from pipelines.delivery.steps.smoke import Smoke
from pipelines.delivery.steps.stage import Stage
from pipelines.delivery.steps.verify import Verify
from pipelines.errors import RefusedError
from pipelines.roles import Deployed, Identity, Live, Lock, Marks

NEW, OLD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
FACTS = Facts(
    environment="production",
    component="api",
    release="v2",
    digest=NEW,
    base=Base(key="r1", release="v1", digest=OLD),
    shift=(10, 100),
    watch_seconds=30.0,
    checks=1,
)
FIRST = replace(FACTS, base=None, shift=(100,))


def deployed(key: str, release: str, share: int = 0, *, ready: bool = True) -> Deployed:
    identity = Identity(release=release, commit="c" * 40, digest=NEW if release == "v2" else OLD)
    return Deployed(key=key, url=f"https://{key}.test", ready=ready, identity=identity, traffic=share)


def live(*found: Deployed, marks: Marks | None = None) -> Live:
    return Live(url="https://x.test", deployments=found, marks=marks or Marks())


def test_a_component_is_migrated_only_when_something_is_due() -> None:
    assert Migrate.plan([FACTS]) == []
    due = replace(FACTS, expand=("0002_a.expand.sql",), contract=("0001_b.contract.sql",), contracts="0001")
    (step,) = Migrate.plan([due, FACTS])
    assert (step.component, step.as_data()["most"]) == ("api", "0001")
    assert step.says == (
        "apply 1 expand migration(s) as far as the database lacks them: 0002_a.expand.sql; "
        "apply 1 contract migration(s) as far as the database lacks them: 0001_b.contract.sql"
    )
    assert step.done(live()) == "", "the database is asked, not the host"


def test_what_is_staged_and_ready_is_not_staged_again() -> None:
    (step,) = Stage.plan([FACTS])
    assert step.done(live(deployed("r1", "v1", 100))) == ""
    assert step.done(live(deployed("r2", "v2", ready=False), deployed("r1", "v1", 100))) == ""
    assert step.done(live(deployed("r2", "v2"), deployed("r1", "v1", 100))) == "r2 is there already"


def test_what_was_well_an_hour_ago_is_asked_again() -> None:
    for step in (*Verify.plan([FACTS]), *Smoke.plan([FACTS])):
        assert not step.observes
        assert step.done(live(deployed("r2", "v2", 100))) == ""
    (smoke,) = Smoke.plan([FACTS, replace(FACTS, component="site", checks=2)])
    assert (smoke.component, smoke.says) == ("production", "3 checks from outside; rolled back if one fails")
    (verify,) = Verify.plan([FACTS])
    assert verify.says == "1 check of the candidate at its own address"


@pytest.mark.parametrize(("share", "done"), [(0, [False, False]), (10, [True, False]), (100, [True, True])])
def test_a_shift_is_done_by_the_share_that_the_candidate_has(share: int, done: list[bool]) -> None:
    found = live(deployed("r2", "v2", share), deployed("r1", "v1", 100 - share))
    assert [bool(step.done(found)) for step in Shift.plan([FACTS])] == done


def test_the_first_of_all_has_the_traffic_and_is_given_it_all_the_same() -> None:
    """As a candidate it runs no workers; a host that can do nothing more writes nothing."""
    (step,) = Shift.plan([FIRST])
    assert (step.percent, step.base) == (100, "")
    assert step.done(live(deployed("r2", "v2", 100))) == ""


def test_a_state_of_someone_elses_stops_even_a_preview() -> None:
    (step, _) = Shift.plan([FACTS])
    with pytest.raises(RefusedError, match="not where this delivery left it"):
        step.done(live(deployed("r2", "v2"), deployed("r3", "v3", 100)))


def test_stable_is_what_leads_the_marks_and_has_all_the_traffic() -> None:
    (step,) = MarkStable.plan([FACTS])
    good = live(deployed("r2", "v2", 100), marks=Marks(stable=("r2", "r1")))
    assert step.done(good)
    assert not step.done(replace(good, marks=Marks(stable=("r1", "r2"))))
    assert not step.done(live(deployed("r2", "v2", 10), deployed("r1", "v1", 90), marks=Marks(stable=("r2",))))
    other = live(deployed("r1", "v1", 100), marks=Marks(stable=("r1",)))
    assert not step.done(other), "another release is stable"


def test_a_failed_release_is_marked_before_the_traffic_moves() -> None:
    step = MarkFailed(component="api", release="v2", to="v1", why="its delivery failed")
    lock = Lock(id="7", kind="rollback", release="v1")
    delivery = Lock(id="3", kind="delivery", release="v2", base="v1")
    before = Marks(stable=("r2", "r1"), failed={"v1": "long ago"}, lock=delivery, held="we look at it")
    marks = step.change(before, lock)
    assert marks == Marks(
        stable=("r2", "r1"), failed={"v2": "its delivery failed"}, restoring="v1", lock=lock, epoch=1, unannounced="v2"
    )
    assert step.change(marks, lock) == marks, "done again it is counted once"
    assert replace(step, why="another reason").change(marks, lock) == marks, "it keeps its first reason"
    assert replace(step, to="v0").change(marks, lock).epoch == 2, "to go elsewhere is another rollback"
    assert replace(step, kind="return").change(before, replace(lock, kind="return")).epoch == 0, "its re-run goes on"
    way = replace(step, release="")
    assert way.change(Marks(), lock) == Marks(restoring="v1", lock=lock, epoch=1)
    assert (step.says, way.says, replace(step, to="").says) == (
        "mark v2 as rolled back, on the way to v1",
        "mark the way to v1",
        "mark v2 as rolled back",
    )


def test_restoring_is_done_by_all_the_traffic_and_ends_with_the_mark() -> None:
    back, mark = (kind(component="api", release="v1", key="r1") for kind in (Restore, MarkRestored))
    found = live(deployed("r2", "v2", 10), deployed("r1", "v1", 90))
    assert not back.done(found)
    found = live(deployed("r1", "v1", 100), marks=Marks(stable=("r1",), restoring="v1"))
    assert back.done(found)
    assert not mark.done(found)
    assert mark.done(replace(found, marks=Marks(stable=("r1",))))


def test_what_stands_in_a_plan_is_plain_data_with_the_name_of_its_step() -> None:
    due = replace(FACTS, expand=("0002_a.expand.sql",))
    for job in PRODUCTION:
        for kind in job.steps:
            for step in kind.plan([due]):
                written = step.as_data()
                assert written["step"] == kind.name
                assert json.loads(json.dumps(written)) == written
    assert {kind.name for job in ROLLBACK for kind in job.steps} == {
        "mark-failed",
        "restore",
        "verify-live",
        "stay-restored",
        "mark-restored",
    }
