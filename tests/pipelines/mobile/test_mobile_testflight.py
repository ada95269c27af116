"""An IPA reaches its testers through the emulated App Store Connect once, whatever breaks, and waiting is gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipelines.clock import Clock
from pipelines.errors import CredentialsError, InputError, ProviderUnavailable, RefusedError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.manifest.mobile import Groups
from pipelines.mobile.delivered import Delivered, NumberUsed
from pipelines.mobile.testflight import PATIENCE, Delivery, TestFlight
from pipelines.overlay import Overlay
from pipelines.providers.app_store import AppStore
from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked
from rehearsal.emulators.app_store.model import Plan
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running
from tests.rehearsal.emulators.app_store_client import APP, BUNDLE, ISSUER, KEY, PEM, Client, ipa

pytestmark = pytest.mark.world


@dataclass
class Store:
    """App Store Connect, reached by its public names; its time goes on only while the delivery waits."""

    apple: Client
    http: Http
    folder: Path
    faults: Faults

    def client(self, *, secret: str = PEM, tries: int = 5) -> AppStore:
        http = Http(overlay=self.http.overlay, policy=Policy(tries=tries, scale=0.0))
        return AppStore(http, app=APP, issuer=ISSUER, key=KEY, secret=secret, now=self.apple.clock)

    def deliver(self, delivery: Delivery, *, tries: int = 5) -> Delivered:
        clock = Clock(real=self.apple.clock, wait=self.apple.clock.forward)
        return TestFlight(store=self.client(tries=tries), clock=clock).deliver(delivery)

    def delivery(self, number: int = 7, version: str = "1.0.1", **archive: object) -> Delivery:
        file = self.folder / f"{version}-{number}.ipa"
        if not file.exists():
            file.write_bytes(
                ipa(version, str(number), padding=900, encryption=False) if not archive else ipa(**archive)
            )  # type: ignore[arg-type]
        groups = Groups(internal=("Team",), external=())
        return Delivery(file=file, number=number, version=version, groups=groups, notes={"en-US": "Finds notes"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    apple, faults = Client(tmp_path / "apple"), Faults()
    app = Checked(apple.app_store.app, load("app-store"), apple.violations)
    with running(Faulty(app, "app-store", faults), "app-store") as server:
        http = Http(overlay=Overlay(hosts=dict.fromkeys(apple.app_store.hosts, server.url)))
        yield Store(apple, http, tmp_path, faults)
    assert [violation.text for violation in apple.violations] == []


def test_it_is_delivered_once(store: Store) -> None:
    first = store.deliver(store.delivery())
    assert (first.text, first.changed, first.waits_for) == ("1.0.1 (7) is with Team", True, "")
    build = store.client().build("1.0.1", 7)
    assert build is not None
    assert store.client().beta_state(build.id) == ("IN_BETA_TESTING", "READY_FOR_BETA_SUBMISSION")
    assert store.client().numbers() == {7}
    again = store.deliver(store.delivery())
    assert (again.text, again.changed) == (first.text, False)
    assert len(store.apple.account.uploads) == 1


@pytest.mark.parametrize("kind", ["cut", "lose_answer"])
@pytest.mark.parametrize("call", range(1, 12))
def test_killed_at_any_call_it_is_finished_by_running_it_again(store: Store, call: int, kind: str) -> None:
    store.faults.add(Fault(kind=kind, method="POST|PUT|PATCH|DELETE", after=call - 1, times=1))  # type: ignore[arg-type]
    try:
        store.deliver(store.delivery(), tries=1)
    except ProviderUnavailable:
        store.faults.clear()
    assert store.deliver(store.delivery()).text == "1.0.1 (7) is with Team"
    assert len(store.apple.account.builds) == 1


def test_an_upload_that_apple_keeps_silent_about_is_waited_for_again_and_never_sent_again(store: Store) -> None:
    """Mentra-Community/MentraOS#3856: accepted, and no build for an hour."""
    store.apple.account.next_uploads.append(Plan(hidden=True))
    for _ in range(2):
        with pytest.raises(ProviderUnavailable, match=f"waited {PATIENCE / 60:.0f} minutes for Apple to process"):
            store.deliver(store.delivery())
    for build in store.apple.account.builds.values():
        store.apple.account.show_build(build)
    assert store.deliver(store.delivery()).text == "1.0.1 (7) is with Team"
    assert len(store.apple.account.uploads) == 1


def test_the_beta_detail_that_is_missing_for_a_while_is_waited_for_within_bounds(store: Store) -> None:
    """fastlane#20645: it waited for ever."""
    store.apple.account.next_uploads.append(Plan(detail=2 * PATIENCE))
    with pytest.raises(ProviderUnavailable, match="for TestFlight to know the build"):
        store.deliver(store.delivery())
    store.apple.clock.forward(2 * PATIENCE)
    assert not store.deliver(store.delivery()).waits_for


def test_a_closed_train_is_named_and_nothing_is_sent_twice(store: Store) -> None:
    """openfoodfacts/smooth-app#2745."""
    store.apple.account.publish("1.0.1", number="3")
    for _ in range(2):
        with pytest.raises(RefusedError, match="Apple refuses the build: 90186") as caught:
            store.deliver(store.delivery())
        assert "its train is closed" in caught.value.why
        assert caught.value.next_step == "release a higher version"
    assert len(store.apple.account.uploads) == 1


def test_agreements_that_expired_are_named(store: Store) -> None:
    """aau-giraf/weekplanner-OLDUI#736."""
    store.apple.account.agreements_missing = True
    with pytest.raises(CredentialsError, match="an agreement with Apple is missing or has expired"):
        store.deliver(store.delivery())


def test_a_number_that_another_build_has(store: Store) -> None:
    store.apple.deliver(ipa("1.0.1", "7", padding=5), "1.0.1", "7")
    with pytest.raises(NumberUsed, match="the build number 7 is used up") as caught:
        store.deliver(store.delivery())
    assert caught.value.number == 7
    assert store.deliver(store.delivery(8)).changed


@pytest.mark.parametrize("state", ["INVALID", "FAILED"])
def test_a_build_that_apple_could_not_process_used_its_number_up(store: Store, state: str) -> None:
    store.apple.account.next_uploads.append(Plan(state=state))
    with pytest.raises(NumberUsed) as caught:
        store.deliver(store.delivery())
    assert caught.value.why == f"Apple's processing of the build ended as {state.lower()}"


def test_an_ipa_of_another_app_is_refused_in_apples_words(store: Store) -> None:
    file = store.folder / "other.ipa"
    file.write_bytes(ipa("1.0.1", "7", f"{BUNDLE}.other"))
    with pytest.raises(RefusedError, match="The bundle identifier cannot be changed"):
        store.deliver(replace(store.delivery(), file=file))


def test_external_testers_get_it_after_a_review_that_nothing_waits_for(store: Store) -> None:
    delivery = replace(store.delivery(), groups=Groups(internal=("Team",), external=("Friends",)))
    first = store.deliver(delivery)
    assert "Apple's beta review" in first.waits_for
    assert len(store.apple.account.beta_submissions) == 1
    assert "beta review" in store.deliver(delivery).waits_for
    for submission in store.apple.account.beta_submissions.values():
        store.apple.account.decide(submission.review, "APPROVED")
    assert store.deliver(delivery).waits_for == ""
    assert len(store.apple.account.beta_submissions) == 1


def test_a_second_build_of_a_version_waits_for_the_first_ones_review(store: Store) -> None:
    external = Groups(internal=(), external=("Friends",))
    store.deliver(replace(store.delivery(7), groups=external))
    assert "another build of this version" in store.deliver(replace(store.delivery(8), groups=external)).waits_for


def test_what_an_ipa_does_not_say_of_encryption_is_answered_once(store: Store) -> None:
    file = store.folder / "silent.ipa"
    file.write_bytes(ipa("1.0.1", "7"))
    assert store.deliver(replace(store.delivery(), file=file)).changed
    assert not store.deliver(replace(store.delivery(), file=file)).changed


def test_a_group_that_is_not_there(store: Store) -> None:
    with pytest.raises(InputError, match="there is no internal group 'Friends'") as caught:
        store.deliver(replace(store.delivery(), groups=Groups(internal=("Friends",))))
    assert "one of: Team, Friends" in caught.value.next_step


@pytest.mark.parametrize("secret", ["", "not a key"])
def test_a_key_that_is_none(store: Store, secret: str) -> None:
    with pytest.raises(CredentialsError, match="the API key is no private key in PEM"):
        store.client(secret=secret).numbers()
