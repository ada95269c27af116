"""A bundle reaches its track on the emulated Google Play once, whatever breaks, and what a person must do is reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pipelines.errors import ConflictError, CredentialsError, ProviderUnavailable, RefusedError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.mobile.delivered import NumberUsed
from pipelines.mobile.play import EDITS, NOTES, Delivery, deliver, shortened
from pipelines.overlay import Overlay
from pipelines.providers import google_play
from pipelines.providers.google_play import Play, PlayRefused
from rehearsal.android_bundle import UploadKey, write
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.emulators.google_play.app import ANYONE, GooglePlay
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.journal import Journal, Journaled
from rehearsal.serving import running

pytestmark = pytest.mark.world

PACKAGE = "test.acme.shop"
KEY = UploadKey.new()
EDITS_PATH = f"/androidpublisher/v3/applications/{PACKAGE}/edits"


@dataclass
class Store:
    """The emulated store, reached by its public name, and what was asked of it."""

    play: GooglePlay
    client: Play
    folder: Path
    faults: Faults
    journal: Journal
    violations: list[Violation] = field(default_factory=list)

    def delivery(
        self, number: int = 2, *, key: UploadKey | None = KEY, package: str = PACKAGE, code: int = 0
    ) -> Delivery:
        """A bundle; its content is the same whenever it is asked for again."""
        file = self.folder / f"{number}.aab"
        if not file.exists():
            padding = bytes(range(256)) * 4096
            write(file, package=package, version_code=code or number, version_name="1.0.1", key=key, padding=padding)
        return Delivery(file=file, number=number, version="1.0.1", track="internal", notes={"en-US": "- Finds notes"})

    def asked(self, method: str, end: str) -> int:
        return sum(each.method == method and each.path.endswith(end) for each in self.journal.entries())

    def on_track(self) -> list[tuple[tuple[int, ...], str]]:
        return [(each.numbers, each.state) for each in self.client.released("internal")]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(google_play, "PIECE", 256 * 1024)
    play, faults, journal, violations = (
        GooglePlay(tmp_path / "play", packages=[PACKAGE]),
        Faults(),
        Journal(),
        list[Violation](),
    )
    app = play.app
    for name in play.contract:
        app = Checked(app, load(name), violations)
    with running(Journaled(Faulty(app, play.name, faults), play.name, journal), "play") as server:
        http = Http(overlay=Overlay(hosts={play.hosts[0]: server.url}), policy=Policy(scale=0.0))
        yield Store(play, Play(http, lambda: "token", PACKAGE), tmp_path, faults, journal, violations)
    assert [violation.text for violation in violations] == []


def test_it_is_delivered_once(store: Store) -> None:
    values: list[tuple[int, int]] = []
    first = deliver(store.client, store.delivery(), lambda sent, size: values.append((sent, size)))
    assert (first.text, first.changed, first.waits_for) == ("2 is on internal", True, "")
    assert ((2,), "PUBLISHED") in store.on_track()
    assert values == sorted(values)
    assert len(values) >= 4, "it went up in pieces"
    again = deliver(store.client, store.delivery())
    assert (again.text, again.changed) == ("2 is on internal already (published)", False)
    assert store.asked("POST", ":commit") == 1


def test_an_upload_that_breaks_goes_on_where_it_broke(store: Store) -> None:
    size = store.delivery().file.stat().st_size
    store.faults.add(Fault(kind="cut", method="PUT", path="/bundles", after=1, times=2))
    assert deliver(store.client, store.delivery()).changed
    sent = sum(
        each.request_bytes
        for each in store.journal.entries()
        if each.method == "PUT" and each.path.endswith("/bundles")
    )
    assert size <= sent < size + 4 * 256 * 1024, "what had arrived was not sent again"


def test_an_upload_that_always_breaks_is_given_up(store: Store) -> None:
    store.faults.add(Fault(kind="cut", method="PUT", path="/bundles", times=None))
    with pytest.raises(ProviderUnavailable):
        deliver(store.client, store.delivery())
    store.faults.clear()
    assert deliver(store.client, store.delivery()).changed


@pytest.mark.parametrize("kind", ["cut", "lose_answer"])
@pytest.mark.parametrize("call", range(1, 9))
def test_killed_at_any_call_it_is_finished_by_running_it_again(store: Store, call: int, kind: str) -> None:
    store.faults.add(Fault(kind=kind, method="POST|PUT", after=call - 1, times=1))  # type: ignore[arg-type]
    once = Play(Http(overlay=store.client._http.overlay, policy=Policy(tries=1, scale=0.0)), lambda: "token", PACKAGE)
    try:
        deliver(once, store.delivery())
    except (ProviderUnavailable, NumberUsed):
        store.faults.clear()
        deliver(store.client, store.delivery())
    store.faults.clear()
    assert [numbers for numbers, _ in store.on_track()].count((2,)) == 1


def test_an_app_that_was_never_released_takes_a_draft_and_the_step_that_is_left_is_reported(store: Store) -> None:
    """fastlane#15693."""
    store.play.console.draft(PACKAGE, True)
    found = deliver(store.client, store.delivery())
    assert found.text == "2 is a draft on internal"
    assert "Review and roll out; once, by hand" in found.waits_for
    again = deliver(store.client, store.delivery())
    assert not again.changed
    assert again.waits_for == found.waits_for


def test_a_number_that_something_else_has(store: Store) -> None:
    """fastlane#21642: in no track, yet used."""
    store.play.console.use_number(PACKAGE, 2)
    with pytest.raises(NumberUsed, match="the build number 2 is used up") as caught:
        deliver(store.client, store.delivery())
    assert caught.value.number == 2
    assert deliver(store.client, store.delivery(3)).changed


def to_production(store: Store, number: int) -> Delivery:
    return replace(store.delivery(number), track="production")


def test_the_review_flag_is_set_only_when_play_asks_for_it(store: Store) -> None:
    """pathorsAI/parley#388 and r0adkll/upload-google-play#251: wrong both ways."""
    assert not deliver(store.client, to_production(store, 2)).waits_for
    store.play.console.conclude_review(PACKAGE, "reject")
    found = deliver(store.client, to_production(store, 3))
    assert "Send changes for review" in found.waits_for
    assert deliver(store.client, to_production(store, 3)).waits_for == found.waits_for, "it still waits"
    flags = [each.query for each in store.journal.entries() if each.path.endswith(":commit")]
    assert ["changesNotSentForReview" in flag for flag in flags] == [False, False, True]


def test_a_review_under_way_is_not_cancelled_and_nothing_is_uploaded_again(store: Store) -> None:
    deliver(store.client, to_production(store, 2))
    with pytest.raises(RefusedError, match="earlier changes of the app are in review"):
        deliver(store.client, to_production(store, 3))
    store.play.console.conclude_review(PACKAGE, "approve")
    assert deliver(store.client, to_production(store, 3)).changed


def test_an_edit_that_someone_overtakes_is_made_again(store: Store) -> None:
    begun: list[str] = []
    open_edit = store.client.open

    def overtaken() -> str:
        edit = open_edit()
        begun.append(edit)
        if len(begun) < 3:
            store.play.console.change(PACKAGE)
        return edit

    store.client.open = overtaken  # type: ignore[method-assign]
    assert deliver(store.client, store.delivery()).changed
    assert len(begun) == 3


def test_it_gives_up_when_someone_is_always_faster(store: Store) -> None:
    open_edit = store.client.open

    def overtaken() -> str:
        edit = open_edit()
        store.play.console.change(PACKAGE)
        return edit

    store.client.open = overtaken  # type: ignore[method-assign]
    with pytest.raises(ConflictError, match=f"changed the app {EDITS} times"):
        deliver(store.client, store.delivery())


def test_a_bundle_of_another_number(store: Store) -> None:
    with pytest.raises(RefusedError, match="the bundle is number 7, not 2"):
        deliver(store.client, store.delivery(2, code=7))


def test_who_may_not_is_reported_what_to_grant(store: Store) -> None:
    store.play.console.permissions(PACKAGE, ANYONE, [])
    with pytest.raises(CredentialsError, match="Google Play refuses: The caller does not have permission") as caught:
        deliver(store.client, store.delivery())
    assert "Users and permissions" in caught.value.next_step


def test_every_number_that_play_shows(store: Store) -> None:
    deliver(store.client, store.delivery(5))
    edit = store.client.open()
    assert store.client.numbers(edit) == {1, 5}
    store.client.drop(edit)
    store.client.drop(edit)


def test_an_unsigned_bundle_is_refused_in_plays_words(store: Store) -> None:
    deliver(store.client, store.delivery(2))
    with pytest.raises(PlayRefused, match="was not signed"):
        deliver(store.client, store.delivery(3, key=None))


@pytest.mark.parametrize("text", ["a" * 501, "line\n" * 200, "é\n" + "b" * 600])
def test_notes_fit(text: str) -> None:
    short = shortened(text)
    assert len(short) <= NOTES
    assert short.endswith("…")
    assert text.startswith(short[:-1])
