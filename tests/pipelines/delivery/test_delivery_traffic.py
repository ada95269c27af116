"""Where a delivery stands by the traffic alone: its base, one of its own steps, or a state that someone else made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.delivery import traffic
from pipelines.delivery.steps.base import Base
from pipelines.errors import ConflictError, RefusedError
from pipelines.roles import Deployed, Identity, Live, Marks

NEW, OLD, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64, "sha256:" + "c" * 64


def deployed(key: str, release: str, share: int, *, digest: str = OLD, ready: bool = True) -> Deployed:
    identity = Identity(release=release, commit="c" * 40, digest=digest, schema="0002") if release else None
    return Deployed(key=key, url=f"https://{key}.test", ready=ready, identity=identity, traffic=share)


def candidate(share: int, key: str = "r2") -> Deployed:
    return deployed(key, "v2", share, digest=NEW)


def live(*found: Deployed, stable: tuple[str, ...] = ()) -> Live:
    return Live(url="https://x.test", deployments=found, marks=Marks(stable=stable))


def share(found: Live, *shares: int, base: str = "r1") -> int:
    return traffic.share_on_the_way(found, "api", "v2", NEW, shares or (10, 50, 100), base)


# on the way -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("percent", [0, 10, 50, 100])
def test_the_base_and_every_step_after_it_are_states_of_the_delivery(percent: int) -> None:
    assert share(live(candidate(percent), deployed("r1", "v1", 100 - percent))) == percent


@pytest.mark.parametrize("percent", [0, 10, 100])
def test_a_candidate_and_its_twin_are_one(percent: int) -> None:
    found = live(candidate(percent, "r2-live"), candidate(0), deployed("r1", "v1", 100 - percent))
    assert share(found) == percent


def test_the_first_release_of_all_begins_with_nothing_or_with_all() -> None:
    assert share(live(), 100, base="") == 0
    assert share(live(candidate(0)), 100, base="") == 0
    assert share(live(candidate(100)), 100, base="") == 100


def test_a_release_that_is_its_own_base_has_arrived() -> None:
    assert share(live(candidate(100)), base="r2") == 100


FOREIGN = {
    "a share that no step gives": live(candidate(30), deployed("r1", "v1", 70)),
    "another release": live(candidate(0), deployed("r3", "v3", 100)),
    "another deployment of the base's release": live(candidate(0), deployed("r1-2", "v1", 100)),
    "a third one has a share": live(candidate(10), deployed("r1", "v1", 80), deployed("r0", "v0", 10)),
    "something that is not ours": live(candidate(10), deployed("by-hand", "", 90)),
    "the rest went elsewhere": live(candidate(10), deployed("r0", "v0", 90)),
    "nothing has traffic": live(candidate(0), deployed("r1", "v1", 0)),
    "the same release of another digest": live(deployed("r2", "v2", 100, digest=OTHER)),
}


@pytest.mark.parametrize("found", FOREIGN.values(), ids=FOREIGN)
def test_any_other_state_is_someone_elses_and_refused(found: Live) -> None:
    with pytest.raises(RefusedError, match="not where this delivery left it") as refused:
        share(found)
    assert "planned on r1" in refused.value.why
    assert "nothing was changed" in refused.value.next_step


def test_something_that_came_before_a_first_release_is_refused_too() -> None:
    with pytest.raises(RefusedError, match="v1 100 %"):
        share(live(candidate(0), deployed("r1", "v1", 100)), 100, base="")


DEPLOYMENTS = st.lists(
    st.tuples(st.sampled_from(["r0", "r1", "r2", "r2-live"]), st.integers(0, 100)),
    max_size=4,
    unique_by=lambda pair: pair[0],
)


@given(DEPLOYMENTS, st.lists(st.integers(1, 99), unique=True, max_size=3), st.sampled_from(["r1", ""]))
def test_exactly_the_states_that_a_delivery_passes_through_are_its_own(
    shares: list[tuple[str, int]], steps: list[int], base: str
) -> None:
    """The reference walks the steps and lists the traffic after each of them, whichever of its two deployments serves."""
    planned = (*sorted(steps), 100)
    passed: list[dict[str, int]] = [{base: 100} if base else {}]
    for percent in planned:
        rest = {base: 100 - percent} if base and percent < 100 else {}
        passed += [{key: percent, **rest} for key in ("r2", "r2-live")] if base or percent == 100 else []
    found = live(*(candidate(n, key) if key.startswith("r2") else deployed(key, "v" + key[1], n) for key, n in shares))
    # A twin takes the place of its candidate at once: both are counted together.
    joined: dict[str, int] = {}
    for key, percent in shares:
        name = "r2" if key.startswith("r2") else key
        if percent:
            joined[name] = joined.get(name, 0) + percent
    if joined in passed:
        assert share(found, *planned, base=base) == joined.get("r2", 0)
    else:
        with pytest.raises(RefusedError):
            share(found, *planned, base=base)


# the base ---------------------------------------------------------------------------------------------------------------


def base(found: Live) -> Base | None:
    return traffic.base_for(found, "api", "v2", NEW)


def key(found: Live) -> str:
    made = base(found)
    return made.key if made else ""


def test_the_base_is_what_has_the_traffic_and_all_that_is_known_of_it() -> None:
    assert base(live(candidate(0), deployed("r1", "v1", 100))) == Base(
        key="r1", release="v1", commit="c" * 40, digest=OLD, schema="0002"
    )
    assert base(live(deployed("by-hand", "", 100))) == Base(key="by-hand"), "also what was deployed by other means"
    assert base(live()) is None
    assert base(live(candidate(0))) is None


@pytest.mark.parametrize("percent", [10, 50])
def test_a_delivery_that_was_killed_half_way_has_the_base_it_had(percent: int) -> None:
    assert key(live(candidate(percent), deployed("r1", "v1", 100 - percent), stable=("r1",))) == "r1"


def test_one_that_was_killed_after_its_last_step_has_the_base_it_had() -> None:
    found = live(candidate(100), deployed("r1", "v1", 0), deployed("r0", "v0", 0), stable=("r1", "r0"))
    assert key(found) == "r1"
    gone = live(candidate(100), deployed("r1", "v1", 0, ready=False), deployed("r0", "v0", 0), stable=("r1", "r0"))
    assert key(gone) == "r0", "what cannot serve any more is none"


def test_a_first_release_that_was_killed_after_its_last_step_has_none_still() -> None:
    assert base(live(candidate(100))) is None
    assert base(live(candidate(100), stable=("r1",))) is None, "its base was removed meanwhile"


def test_a_release_that_is_stable_is_its_own() -> None:
    assert key(live(candidate(100), deployed("r1", "v1", 0), stable=("r2", "r1"))) == "r2"


def test_one_that_was_stable_before_another_is_not() -> None:
    """It went live again by other means, and nobody looked at it since."""
    assert key(live(candidate(100), deployed("r1", "v1", 0), stable=("r1", "r2"))) == "r1"


@pytest.mark.parametrize("percent", [0, 10])
def test_while_others_share_the_traffic_nothing_is_planned(percent: int) -> None:
    found = live(candidate(percent), deployed("r1", "v1", 60 - percent), deployed("r0", "v0", 40))
    with pytest.raises(RefusedError, match=r"the traffic is split: .*v0 40 %") as refused:
        base(found)
    assert "shipmate rollback" in refused.value.next_step


@given(DEPLOYMENTS, st.lists(st.sampled_from(["r0", "r1", "r2", "r2-live"]), unique=True, max_size=4))
def test_nothing_can_be_its_own_base_without_being_stable(shares: list[tuple[str, int]], stable: list[str]) -> None:
    found = live(
        *(candidate(n, name) if name.startswith("r2") else deployed(name, "v" + name[1], n) for name, n in shares),
        stable=tuple(stable),
    )
    try:
        made = base(found)
    except RefusedError:
        assert len([d for d in found.serving() if not d.key.startswith("r2")]) > 1
        return
    if made is not None and made.release == "v2":
        main = found.main()
        assert main is not None
        assert stable[0] == main.key == made.key
        assert found.share("v2", NEW) == sum(d.traffic for d in found.serving())


# the candidate ----------------------------------------------------------------------------------------------------------


def test_a_candidate_is_ready_or_gone() -> None:
    assert traffic.candidate(live(candidate(0)), "api", "v2", NEW).key == "r2"
    for found in (live(), live(deployed("r2", "v2", 0, digest=NEW, ready=False)), live(deployed("r2", "v2", 0))):
        with pytest.raises(ConflictError, match="the candidate of v2 is gone"):
            traffic.candidate(found, "api", "v2", NEW)
