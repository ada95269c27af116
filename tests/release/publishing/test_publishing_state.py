"""The state machine: from any state a forge can hold, the steps lead to one complete release, and none of them loses anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import RefusedError, ReleaseError
from release.publishing.forge import Asset, File, ForgeRelease
from release.publishing.state import WITHDRAWN, DesiredRelease, State, after, all_steps, edited, is_ours, next_step
from release.refusals import OpenElsewhere, ReleasedDifferently, TagMoved, Withdrawn

COMMIT, OTHER = "a" * 40, "b" * 40
ABOUT = File(name="release.json", path=Path("release.json"), size=3, sha256="1" * 64)
NOTES = File(name="RELEASE_NOTES.md", path=Path("RELEASE_NOTES.md"), size=5, sha256="2" * 64, record=True)
WANTED = DesiredRelease(
    tag="v1.2.0", commit=COMMIT, name="v1.2.0", body="Notes.\n", prerelease=False, latest=True, files=(ABOUT, NOTES)
)
NOTHING = State(tag=None, published=None, drafts=())


def entry(number: int = 7, *, draft: bool = True, assets: tuple[Asset, ...] = (), **more: object) -> ForgeRelease:
    made = ForgeRelease(
        id=number, tag="v1.2.0", name="v1.2.0", body=WANTED.marked_body, draft=draft, prerelease=False, assets=assets
    )
    return replace(made, **more)  # type: ignore[arg-type]


def asset(file: File, number: int = 1, *, name: str = "", whole: bool = True, digest: str = "") -> Asset:
    return Asset(id=number, name=name or file.name, size=file.size, digest=digest or file.digest, whole=whole)


def planned(state: State, wanted: DesiredRelease = WANTED) -> list[str]:
    return [step.what for step in all_steps(state, wanted)]


def test_from_nothing() -> None:
    assert planned(NOTHING) == [
        "tag aaaaaaaaa as v1.2.0",
        "draft v1.2.0",
        "upload release.json (3 bytes)",
        "upload RELEASE_NOTES.md (5 bytes)",
        "publish v1.2.0 as the latest release",
    ]
    assert planned(NOTHING, replace(WANTED, latest=False))[-1] == "publish v1.2.0 not as the latest"
    assert planned(NOTHING, replace(WANTED, prerelease=True))[-1] == "publish v1.2.0 as a pre-release"


def test_finished__needs_nothing() -> None:
    state = State(tag=COMMIT, published=entry(draft=False, assets=(asset(ABOUT), asset(NOTES, 2))), drafts=())
    assert planned(state) == []


def test_finished__with_other_notes__the_first_stand() -> None:
    notes = asset(NOTES, 2, digest="sha256:" + "9" * 64)
    assert planned(State(tag=COMMIT, published=entry(draft=False, assets=(asset(ABOUT), notes)), drafts=())) == []


def test_published_without_a_file__is_finished() -> None:
    state = State(tag=COMMIT, published=entry(draft=False, assets=(asset(ABOUT),)), drafts=())
    assert planned(state) == ["upload RELEASE_NOTES.md (5 bytes)"]
    immutable = replace(state, published=entry(draft=False, immutable=True, assets=(asset(ABOUT),)))
    with pytest.raises(ReleaseError, match=r"out without RELEASE_NOTES\.md, and is immutable") as raised:
        planned(immutable)
    assert "yank v1.2.0" in raised.value.next_step


def test_published__immutable_and_complete__is_left_alone() -> None:
    files = (asset(ABOUT), asset(NOTES, 2), asset(ABOUT, 3, name=ABOUT.spare))
    assert planned(State(tag=COMMIT, published=entry(draft=False, immutable=True, assets=files), drafts=())) == []


@pytest.mark.parametrize(
    ("state", "error", "code"),
    [
        (replace(NOTHING, tag=OTHER), TagMoved, 26),
        (replace(NOTHING, tag=COMMIT, drafts=(entry(body="by hand"),)), OpenElsewhere, 24),
        (State(tag=COMMIT, published=entry(draft=False, assets=(asset(ABOUT, digest="sha256:x"),)), drafts=()), ReleasedDifferently, 27),
        (State(tag=COMMIT, published=entry(draft=False, body=WITHDRAWN), drafts=()), Withdrawn, 28),
    ],
)  # fmt: skip
def test_refused(state: State, error: type[RefusedError], code: int) -> None:
    with pytest.raises(error) as raised:
        next_step(state, WANTED)
    assert raised.value.exit_code == code
    assert raised.value.next_step


def test_broken_asset__is_replaced_before_it_is_removed() -> None:
    draft = entry(assets=(asset(ABOUT, digest="sha256:" + "9" * 64), asset(NOTES, 2)))
    assert planned(State(tag=COMMIT, published=None, drafts=(draft,))) == [
        "upload release.json beside the one there",
        "remove the release.json that is replaced",
        "name release.json.11111111.part release.json",
        "publish v1.2.0 as the latest release",
    ]


def test_killed_between_removing_and_naming__the_spare_becomes_the_file() -> None:
    draft = entry(assets=(asset(ABOUT, 5, name=ABOUT.spare), asset(NOTES, 2)))
    assert (
        planned(State(tag=COMMIT, published=None, drafts=(draft,)))[0] == "name release.json.11111111.part release.json"
    )


def test_two_drafts__the_lower_stays() -> None:
    steps = planned(State(tag=COMMIT, published=None, drafts=(entry(3), entry(4, body=WANTED.marked_body))))
    assert steps[0] == "discard the second draft 4"
    published = State(
        tag=COMMIT, published=entry(draft=False, assets=(asset(ABOUT), asset(NOTES, 2))), drafts=(entry(4),)
    )
    assert planned(published) == ["discard the second draft 4"]


def test_notes_of_a_draft__a_persons_words_stay() -> None:
    old = replace(WANTED, body="Older notes.").marked_body
    assert planned(State(tag=COMMIT, published=None, drafts=(entry(body=old),)))[0] == "write the notes of the draft"
    by_hand = old.replace("Older", "My own")
    assert is_ours(entry(body=by_hand))
    assert edited(entry(body=by_hand))
    assert "write the notes" not in " ".join(planned(State(tag=COMMIT, published=None, drafts=(entry(body=by_hand),))))
    assert not edited(entry(body=WANTED.marked_body.replace("\n", "\r\n"))), "GitHub's own line ends are no edit"


FILES = (ABOUT, NOTES)
ASSETS = st.lists(
    st.builds(
        lambda file, spare, whole, right: (file, spare, whole, right),
        st.sampled_from(FILES), st.booleans(), st.booleans(), st.booleans(),
    ),
    max_size=6,
    unique_by=lambda made: (made[0].name, made[1]),
)  # fmt: skip


@st.composite
def states(draw: st.DrawFn) -> State:
    drafts = []
    for number in range(draw(st.integers(0, 3))):
        assets = tuple(
            asset(
                file,
                10 * number + at,
                name=file.spare if spare else "",
                whole=whole,
                digest="" if right else "sha256:bad",
            )
            for at, (file, spare, whole, right) in enumerate(draw(ASSETS))
        )
        body = draw(st.sampled_from([WANTED.marked_body, replace(WANTED, body="old").marked_body]))
        drafts.append(entry(number + 1, assets=assets, body=body, name=draw(st.sampled_from(["v1.2.0", "other"]))))
    tag = COMMIT if drafts else draw(st.sampled_from([None, COMMIT]))
    return State(tag=tag, published=None, drafts=tuple(drafts))


def good(found: Asset | None, file: File) -> bool:
    return found is not None and found.whole and found.digest == file.digest


@given(states())
def test_any_state__ends_in_one_complete_release(state: State) -> None:
    count = 0
    while (step := next_step(state, WANTED)) is not None:
        count += 1
        assert count < 40
        if step.kind == "publish":
            assert step.entry is not None
            assert all(good(step.entry.asset(file.name), file) for file in FILES), (
                "published last, when all files are there"
            )
        if step.kind == "remove":
            assert step.entry is not None
            assert step.asset is not None
            for file in FILES:
                if step.asset.name == file.name:
                    assert good(step.entry.asset(file.spare), file), "never removed before its replacement is there"
        if step.kind == "draft":
            assert state.tag == COMMIT
        state = after(state, step, WANTED)
    assert state.published is not None
    assert state.drafts == ()
    assert {found.name for found in state.published.assets} == {file.name for file in FILES}
    assert all(good(state.published.asset(file.name), file) for file in FILES)
