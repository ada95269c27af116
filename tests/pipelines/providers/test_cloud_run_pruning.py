"""Which revisions are deleted: whatever the state, never one that something needs."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.providers import cloud_run_template as templates
from pipelines.providers.cloud_run_pruning import KEPT_REVISIONS, prunable
from pipelines.roles import Lock, Marks

COUNT = KEPT_REVISIONS + 8
NAMES = [f"api-{number}" for number in range(COUNT)]
OLD = NAMES[KEPT_REVISIONS:]
SOME = st.sets(st.sampled_from(OLD))


def revision(name: str) -> dict[str, Any]:
    marks = {f"{templates.MARK}release": f"release-of-{name}", f"{templates.MARK}digest": "sha256:x"}
    return {"name": f"projects/p/locations/l/services/api/revisions/{name}", "annotations": marks}


def release(name: str) -> str:
    return f"release-of-{name}"


def targets(serving: set[str], tagged: set[str]) -> list[dict[str, Any]]:
    shares = [{"revision": name, "percent": 1} for name in sorted(serving)]
    return [*shares, *({"revision": name, "tag": f"c-{name}"} for name in sorted(tagged))]


@given(
    asked=st.tuples(SOME, SOME), actual=st.tuples(SOME, SOME), stable=SOME, latest=SOME, under_way=SOME, foreign=SOME
)
def test_what_something_needs_stays_whatever_the_state(
    asked: tuple[set[str], set[str]],
    actual: tuple[set[str], set[str]],
    stable: set[str],
    latest: set[str],
    under_way: set[str],
    foreign: set[str],
) -> None:
    created, *_ = [*sorted(latest), "api-0"]
    going, back, restoring, *_ = [*map(release, sorted(under_way)), "", "", ""]
    service = {
        "traffic": targets(*asked),
        "trafficStatuses": targets(*actual),
        "latestCreatedRevision": f"services/api/revisions/{created}",
    }
    lock = Lock(id="1", kind="delivery", release=going, base=back) if going else None
    marks = Marks(stable=tuple(stable), restoring=restoring, lock=lock)
    revisions = [revision(name) for name in NAMES]
    for each in revisions:
        if each["name"].rpartition("/")[2] in foreign:
            each["annotations"] = {}
    gone = set(prunable(service, revisions, marks))
    needed = {*asked[0], *asked[1], *actual[0], *actual[1], *stable, created, *foreign}
    needed |= {name for name in under_way if release(name) in (going, back, restoring)}
    assert gone == set(OLD) - needed


def test_the_newest_are_kept_though_nothing_needs_them() -> None:
    assert prunable({}, [revision(name) for name in NAMES[:KEPT_REVISIONS]], Marks()) == []
