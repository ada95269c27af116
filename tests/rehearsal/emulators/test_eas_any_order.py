"""Any order of publications, roll-outs and ways back, beside a reference that is simple enough to be seen right.

The reference keeps for each runtime version and platform a list of what was published: (id, percentage or None, what the others have).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rehearsal.emulators.eas import saving, updates
from rehearsal.emulators.eas.errors import EasError
from rehearsal.emulators.eas.state import Update
from rehearsal.emulators.eas.updates import About, Piece
from tests.rehearsal.emulators.eas_client import PROJECT, Clock, emulator

RUNTIMES, PLATFORMS = ("1", "2"), ("android", "ios")
PERCENTAGES = st.sampled_from((None, 0, 10, 50, 100))
Place = tuple[str, str]


@dataclass
class Known:
    """What the reference knows of one update."""

    id: str
    group: str
    percentage: int | None
    control: str | None
    embedded: bool = False

    @property
    def rolling(self) -> bool:
        return self.percentage is not None and self.percentage < 100


@dataclass
class Reference:
    published: dict[Place, list[Known]] = field(default_factory=dict)

    def line(self, place: Place) -> list[Known]:
        return self.published.setdefault(place, [])

    def latest(self, place: Place) -> Known | None:
        return self.line(place)[-1] if self.line(place) else None

    def rolling(self, place: Place) -> bool:
        latest = self.latest(place)
        return latest is not None and latest.rolling

    def candidates(self, place: Place) -> set[str | None]:
        """What devices may be given: with a roll-out the update and what the others have, which was never rolling itself."""
        latest = self.latest(place)
        if latest is None:
            return {None}
        return {latest.id, latest.control} if latest.rolling else {latest.id}


class UpdatesInAnyOrder(RuleBasedStateMachine):
    """One rule for each action that a client does."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.eas = emulator(Path(self.folder.name), "token", self.clock)
        self.account = self.eas.account
        self.line = updates.channel(self.account, PROJECT, "production")
        self.reference = Reference()

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(
        runtime=st.sampled_from(RUNTIMES),
        wanted=st.sets(st.sampled_from(PLATFORMS), min_size=1),
        percentage=PERCENTAGES,
    )
    def publish(self, runtime: str, wanted: set[str], percentage: int | None) -> None:
        places = [(runtime, platform) for platform in sorted(wanted)]
        before = {place: self.reference.latest(place) for place in places}
        controls = {place: held.id if held else None for place, held in before.items()}
        pieces = [
            Piece(
                platform=platform,
                runtime=runtime,
                percentage=percentage,
                control=controls[runtime, platform] if percentage is not None else None,
            )
            for _, platform in places
        ]
        self.attempt(places, pieces)

    @rule(runtime=st.sampled_from(RUNTIMES), platform=st.sampled_from(PLATFORMS))
    def go_to_embedded(self, runtime: str, platform: str) -> None:
        self.attempt([(runtime, platform)], [Piece(platform=platform, runtime=runtime, embedded=True)])

    @precondition(lambda self: self.account.updates)
    @rule(data=st.data(), percentage=st.sampled_from((0, 10, 50, 100)))
    def edit(self, data: st.DataObject, percentage: int) -> None:
        place, known = self.picked(data)
        if known.percentage is None or percentage < known.percentage:
            with pytest.raises(EasError):
                updates.set_percentage(self.account, known.id, percentage)
            return
        updates.set_percentage(self.account, known.id, percentage)
        known.percentage = percentage
        known.control = None if percentage == 100 else known.control
        assert known in self.reference.line(place)

    @precondition(lambda self: self.account.updates)
    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        """Both steps: the group goes, and what the others had is published again."""
        _, known = self.picked(data)
        if not known.rolling:
            return
        group = [
            (place, one)
            for place in self.reference.published
            for one in self.reference.line(place)
            if one.group == known.group
        ]
        updates.delete_group(self.account, known.group)
        for place, one in group:
            self.reference.line(place).remove(one)
            # Where this one had reached everybody, a later one may be rolling out: then nothing is published.
            rolling = self.reference.rolling(place)
            self.attempt([place], [Piece(platform=place[1], runtime=place[0], embedded=one.control is None)])
            assert self.reference.rolling(place) == rolling

    @rule()
    def save_and_load(self) -> None:
        saving.from_json(self.account, saving.to_json(self.account))
        self.line = updates.channel(self.account, PROJECT, "production")

    @invariant()
    def devices_are_given_what_the_reference_says(self) -> None:
        for runtime in RUNTIMES:
            for platform in PLATFORMS:
                given = {self.given(runtime, platform, f"device-{number}") for number in range(5)}
                assert given <= self.reference.candidates((runtime, platform))

    @invariant()
    def everything_published_is_there_in_its_order(self) -> None:
        for (runtime, platform), line in self.reference.published.items():
            found = updates.on_branch(self.account, self.line.branch, runtime=runtime, platform=platform)
            assert [(one.id, one.percentage, one.control, one.embedded) for one in reversed(found)] == [
                (one.id, one.percentage, one.control, one.embedded) for one in line
            ]
        assert len(self.account.updates) == sum(map(len, self.reference.published.values()))

    def attempt(self, places: list[Place], pieces: list[Piece]) -> None:
        """Published everywhere, or refused because of one roll-out and nowhere."""
        if any(map(self.reference.rolling, places)):
            with pytest.raises(EasError, match="in progress"):
                updates.publish(self.account, self.line.branch, pieces, About())
            return
        made = updates.publish(self.account, self.line.branch, pieces, About())
        for place, update in zip(places, made, strict=True):
            self.reference.line(place).append(self.known(update))

    def known(self, update: Update) -> Known:
        return Known(update.id, update.group, update.percentage, update.control, update.embedded)

    def picked(self, data: st.DataObject) -> tuple[Place, Known]:
        all_known = [(place, one) for place, line in self.reference.published.items() for one in line]
        return all_known[data.draw(st.integers(0, len(all_known) - 1))]

    def given(self, runtime: str, platform: str, device: str) -> str | None:
        found = updates.served(self.account, self.line, platform, runtime, device)
        return found.id if found else None


TestUpdatesInAnyOrder = UpdatesInAnyOrder.TestCase
TestUpdatesInAnyOrder.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
