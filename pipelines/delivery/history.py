"""What the ledger tells a rollback, and is told by it. GitHub's trouble is said once and then left alone: a rollback waits for nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pipelines.delivery.ledger import ROLLBACK, Ledger
from pipelines.errors import ShipmateError

if TYPE_CHECKING:
    from pipelines.delivery.context import Delivery
    from pipelines.delivery.ledger import Record, State
    from pipelines.roles import Identity, Live

RECENT = 15


class Logbook:
    """The ledger of one environment during one rollback."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._ledger = Ledger(delivery.github.brief()) if delivery.github else None
        self._records: list[Record] | None = None
        self._own: Record | None = None

    def records(self) -> list[Record]:
        """The newest first, read once; none while GitHub does not answer."""
        if self._records is None:
            self._records = []
            if self._ledger is not None:
                try:
                    self._records = self._ledger.records(self._delivery.environment, limit=RECENT)
                except ShipmateError as error:
                    self._give_up("GitHub does not answer; going by the providers' own state", error)
        return self._records

    def failed(self) -> set[str]:
        """Releases that failed or were taken back, unless a rollback went to them since."""
        ended: dict[str, str] = {}
        for record in self.records():
            if record.task != ROLLBACK or record.state == "success":
                ended.setdefault(record.release, record.state)
        return {release for release, state in ended.items() if state in ("failure", "error", "inactive")}

    def unfinished(self) -> str | None:
        """Where a rollback was going that did not end, if nothing came after it."""
        newest = next(iter(self.records()), None)
        if newest is None or newest.task != ROLLBACK:
            return None
        own = self._run_id != "" and newest.run_id == self._run_id
        return newest.release if own or newest.state != "success" else None

    def withdrawn(self, release: str) -> bool:
        """Whether a release was withdrawn on GitHub; while that cannot be asked it is said, and not so."""
        if self._ledger is None:
            self._delivery.runtime.say(f"whether {release} was withdrawn was not checked: GitHub was not asked")
            return False
        from release.github_forge import GitHubForge
        from release.state import WITHDRAWN

        try:
            found = GitHubForge(self._ledger.github).published(release)
        except ShipmateError as error:
            what = f"whether {release} was withdrawn was not checked ({error.what})"
            self._delivery.runtime.annotate("warning", what, title="Rollback")
            return False
        return found is not None and WITHDRAWN in found.body

    def open(self, release: str, lives: Mapping[str, Live]) -> None:
        """Write down that we are going back to a release."""
        found = _identities(release, lives)
        self.records()
        if self._ledger is None or not found:
            return
        try:
            self._own = self._ledger.open(
                environment=self._delivery.environment,
                release=release,
                commit=next(iter(found.values())).commit,
                artifacts={component: identity.digest for component, identity in found.items()},
                run=self._delivery.runtime.run_url,
                run_id=self._run_id,
                attempt=self._delivery.runtime.environ.get("GITHUB_RUN_ATTEMPT", ""),
                by=self._delivery.runtime.actor,
                task=ROLLBACK,
            )
        except ShipmateError as error:
            self._give_up("the ledger could not be told", error)
        self._note(self._own, "in_progress", f"going back to {release}")

    def failure(self, error: ShipmateError) -> None:
        """Write down that it did not end well; the next rollback goes on from here."""
        self._note(self._own, "failure", error.what)

    def success(self, release: str, was: str, components: Iterable[str]) -> None:
        """Write down that we are back, and that what was deployed after that release, in these components, is not live any more."""
        self._note(self._own, "success", f"back to {release} from {was}" if was else f"back to {release}")
        if self._own is None:
            return
        back = set(components)
        for record in self.records():
            if record.task == ROLLBACK:
                continue
            if record.release == release:
                return
            if record.state in ("success", "in_progress") and set(record.artifacts) <= back:
                self._note(record, "inactive", f"taken back to {release}")

    @property
    def _run_id(self) -> str:
        return self._delivery.runtime.environ.get("GITHUB_RUN_ID", "")

    def _note(self, record: Record | None, state: State, text: str) -> None:
        if record is None or self._ledger is None:
            return
        try:
            self._ledger.note(record, state, text, url=self._delivery.runtime.run_url)
        except ShipmateError as error:
            self._give_up("the ledger could not be told", error)

    def _give_up(self, what: str, error: ShipmateError) -> None:
        self._ledger = None
        self._delivery.runtime.annotate("warning", f"{what} ({error.what})", title="Ledger")


def _identities(release: str, lives: Mapping[str, Live]) -> dict[str, Identity]:
    """Component -> what the provider knows of its deployment of a release."""
    return {
        component: deployed.identity
        for component, live in lives.items()
        for deployed in reversed(live.deployments)
        if deployed.ready and deployed.identity and deployed.identity.release == release
    }
