"""A build number is never given twice and never lower, for any history of stores that forget and runs that end anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipelines.errors import ConflictError, RefusedError
from pipelines.faults import MayHaveHappened, Policy
from pipelines.github import GitHubRefused
from pipelines.mobile.numbers import FOLDER, MOST, NOTES, TRIES, Counter, Taken, choose

OLD, NEW = "a" * 40, "b" * 40


class Repository:
    """GitHub's refs and tag objects, which is all that numbers need. `lost`: how many of the next writes lose their answer."""

    name = "techmate/platform"
    policy = Policy(tries=3, sleep=lambda seconds: None)

    def __init__(self) -> None:
        self.refs: dict[str, str] = {}
        self.notes: dict[str, str] = {}
        self.lost = 0
        self.faster: list[str] = []
        """Refs that someone else creates just before the next one is."""

    def json(self, method: str, path: str, body: Any = None) -> Any:
        below = path.removeprefix(f"/repos/{self.name}/git/")
        if method == "GET" and below.startswith("matching-refs/"):
            start = "refs/" + below.removeprefix("matching-refs/")
            return [self._ref(ref) for ref in self.refs if ref.startswith(start)]
        if method == "GET" and below.startswith("tags/"):
            return {"message": self.notes[below.removeprefix("tags/")]}
        made = self._note(body) if below == "tags" else self._create(body)
        if self.lost:
            self.lost -= 1
            raise MayHaveHappened("the answer was lost", where=path)
        return made

    def find_json(self, path: str) -> Any:
        ref = "refs/" + path.removeprefix(f"/repos/{self.name}/git/ref/")
        return self._ref(ref) if ref in self.refs else None

    def _ref(self, ref: str) -> dict[str, Any]:
        return {
            "ref": ref,
            "object": {"sha": self.refs[ref], "type": "tag" if self.refs[ref] in self.notes else "commit"},
        }

    def _note(self, body: Any) -> dict[str, Any]:
        sha = f"{len(self.notes):040x}"
        self.notes[sha] = body["message"]
        return {"sha": sha}

    def _create(self, body: Any) -> dict[str, Any]:
        if self.faster:
            self.refs.setdefault(self.faster.pop(), OLD)
        if body["ref"] in self.refs:
            raise GitHubRefused(422, "Reference already exists", where=body["ref"])
        self.refs[body["ref"]] = body["sha"]
        return self._ref(body["ref"])


@pytest.fixture
def repository() -> Repository:
    return Repository()


def counter(repository: Repository) -> Counter:
    return Counter(repository, "android")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("taken", "seen", "above", "number"),
    [
        ([], [], 0, 1),
        ([], [41], 0, 42),
        ([Taken(number=50)], [41], 0, 51),
        ([Taken(number=7, version="1.0.0", commit=OLD)], [9], 0, 10),
        ([Taken(number=7, version="1.0.1", commit=NEW)], [9], 0, 7),
        ([Taken(number=7, version="1.0.1", commit=OLD)], [], 0, 8),
        ([Taken(number=7, version="1.0.1", commit=NEW)], [7], 7, 8),
        ([Taken(number=n, version="1.0.1", commit=NEW) for n in (7, 8)], [7], 7, 8),
        ([Taken(number=n, version="1.0.1", commit=NEW) for n in (7, 8)], [], 0, 8),
    ],
)
def test_the_number_of_a_version(taken: list[Taken], seen: list[int], above: int, number: int) -> None:
    chosen = choose(taken, seen, "1.0.1", NEW, above=above)
    assert (chosen.number if isinstance(chosen, Taken) else chosen) == number


def test_there_is_a_last_number() -> None:
    assert choose([], [MOST - 1], "1.0.1", NEW) == MOST
    with pytest.raises(RefusedError, match=f"{MOST} leaves no number"):
        choose([Taken(number=MOST)], [], "1.0.1", NEW)


def test_the_one_who_is_slower_takes_the_next(repository: Repository) -> None:
    repository.faster = [f"refs/{FOLDER}/android/1"]
    assert counter(repository).take("1.0.1", NEW, []).number == 2


def test_it_is_bounded(repository: Repository) -> None:
    repository.faster = [f"refs/{FOLDER}/android/{n}" for n in range(TRIES + 1, 0, -1)]
    with pytest.raises(ConflictError, match="someone else was faster"):
        counter(repository).take("1.0.1", NEW, [])


def test_platforms_count_for_themselves(repository: Repository) -> None:
    assert counter(repository).take("1.0.1", NEW, [41]).number == 42
    assert Counter(repository, "ios").take("1.0.1", NEW, [3]).number == 4  # type: ignore[arg-type]


def test_what_stands_there_without_a_note_of_ours_is_taken_all_the_same(repository: Repository) -> None:
    repository.refs = {f"refs/{FOLDER}/android/{name}": OLD for name in ("3", "12", "latest")}
    repository.notes["c" * 40] = "not JSON"
    repository.refs[f"refs/{FOLDER}/android/13"] = "c" * 40
    assert [each.number for each in counter(repository).taken()] == [3, 12, 13]
    assert counter(repository).take("1.0.1", NEW, []).number == 14


def test_only_the_highest_are_asked_what_for(repository: Repository) -> None:
    for n in range(NOTES + 5):
        counter(repository).take(f"1.0.{n}", NEW, [])
    known = [each.version != "" for each in counter(repository).taken()]
    assert known == [False] * 5 + [True] * NOTES


class Histories(RuleBasedStateMachine):
    """Releases of several versions and commits, killed and run again, with answers that are lost and a store that forgets."""

    @initialize()
    def begin(self) -> None:
        self.repository = Repository()
        self.store: set[int] = set()
        """What the store shows now."""
        self.given: dict[int, tuple[str, str]] = {}
        """Number -> what it was first given for: the reference."""
        self.order: list[int] = []
        self.burnt: dict[tuple[str, str], int] = {}

    @rule(
        version=st.sampled_from(["1.0.0", "1.0.1", "1.1.0"]), commit=st.sampled_from([OLD, NEW]), lost=st.integers(0, 2)
    )
    def takes(self, version: str, commit: str, lost: int) -> None:
        self.repository.lost = lost
        above = self.burnt.get((version, commit), 0)
        number = counter(self.repository).take(version, commit, self.store, above=above).number
        self.repository.lost = 0
        assert self.given.setdefault(number, (version, commit)) == (version, commit), "it was given to something else"
        assert number > above
        if number not in self.order:
            assert not self.order or number > max(self.order), "it went back"
            assert not self.store or number > max(self.store), "the store has seen a higher one"
            self.order.append(number)

    @rule(number=st.integers(1, 50))
    def someone_uploads_by_hand(self, number: int) -> None:
        self.store.add(max([number, *self.store, *self.order]) + 1)

    @rule()
    def the_store_forgets(self) -> None:
        self.store = set(sorted(self.store)[-1:])

    @rule(data=st.data())
    def a_number_is_used_by_something_else(self, data: st.DataObject) -> None:
        if self.given:
            number = data.draw(st.sampled_from(sorted(self.given)))
            what = self.given[number]
            self.burnt[what] = max(self.burnt.get(what, 0), number)
            self.store.add(number)

    @invariant()
    def every_number_is_noted(self) -> None:
        noted = {each.number: (each.version, each.commit) for each in counter(self.repository).taken()}
        assert all(noted[number] in (what, ("", "")) for number, what in self.given.items())


TestHistories = Histories.TestCase
