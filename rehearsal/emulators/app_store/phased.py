"""Phased releases: seven days from 1 to 100 per cent of those who have updates installed by themselves.

Apple's prose gives the days, the thirty days of pauses, and that a first version has none; who is in which share is its own
business, and anybody may always install the newest by hand. Statuses of refusals are general.
"""

from __future__ import annotations

from rehearsal.emulators.app_store import store
from rehearsal.emulators.app_store.errors import unrelated, wrong_state
from rehearsal.emulators.app_store.model import Phased, StoreVersion
from rehearsal.emulators.app_store.state import Account, new_id

PERCENT = (1, 2, 5, 10, 20, 50, 100)
"""By day."""
MOST_PAUSED = 30
"""Days, all pauses of one release together. Afterwards it goes on by itself."""


def create(account: Account, version_id: str, wanted: str) -> Phased:
    """Ask for it before a version is on sale. Raises Refused 409."""
    version = account.versions.get(version_id)
    if version is None:
        raise unrelated("appStoreVersion", f"There is no resource of type 'appStoreVersions' with id '{version_id}'")
    if of_version(account, version) is not None:
        raise wrong_state("The version has a phased release already.")
    if store.is_live(account, version):
        raise wrong_state("The version is on sale already.")
    earlier = [v for v in store.of_app(account, version.app) if v is not version and v.platform == version.platform]
    if not any(store.is_live(account, v) for v in earlier):
        raise wrong_state("A phased release is for updates; this is the first version of the app.")
    if wanted not in ("INACTIVE", "ACTIVE"):
        raise wrong_state(f"A phased release cannot begin {wanted}.")
    made = Phased(id=new_id(), version=version_id)
    account.phased[made.id] = made
    return made


def of_version(account: Account, version: StoreVersion) -> Phased | None:
    """The phased release of a version."""
    return next((p for p in account.phased.values() if p.version == version.id), None)


def started(account: Account, phased: Phased) -> float | None:
    """When its version went on sale, which begins it; None before."""
    version = account.versions[phased.version]
    return store.live_since(account, version) if store.is_live(account, version) else None


def state(account: Account, phased: Phased) -> str:
    """INACTIVE, ACTIVE, PAUSED or COMPLETE."""
    if started(account, phased) is None:
        return "INACTIVE"
    replaced = store.state(account, account.versions[phased.version]) == "REPLACED_WITH_NEW_VERSION"
    if phased.completed or replaced or _days_run(account, phased) >= len(PERCENT):
        return "COMPLETE"
    paused = bool(phased.pauses) and phased.pauses[-1][1] is None
    return "PAUSED" if paused and _days_paused(account, phased) < MOST_PAUSED else "ACTIVE"


def day(account: Account, phased: Phased) -> int:
    """1 to 7; 0 before it begins."""
    if started(account, phased) is None:
        return 0
    return min(int(_days_run(account, phased)) + 1, len(PERCENT))


def percent(account: Account, phased: Phased) -> int:
    """Its share today. Apple does not give it: it follows from the day."""
    if state(account, phased) == "COMPLETE":
        return 100
    return PERCENT[day(account, phased) - 1] if started(account, phased) is not None else 0


def total_paused(account: Account, phased: Phased) -> int:
    """Whole days."""
    return int(_days_paused(account, phased))


def _days_paused(account: Account, phased: Phased) -> float:
    now = account.now()
    seconds = sum((now if until is None else until) - since for since, until in phased.pauses)
    return min(seconds / account.pace.day, MOST_PAUSED)


def _days_run(account: Account, phased: Phased) -> float:
    since = started(account, phased)
    passed = 0.0 if since is None else (account.now() - since) / account.pace.day
    return passed - _days_paused(account, phased)


def change(account: Account, phased: Phased, wanted: str) -> None:
    """Pause, resume, or release to everybody. Raises Refused 409 for any other change."""
    current = state(account, phased)
    if wanted == current:
        return
    now = account.now()
    if (current, wanted) == ("ACTIVE", "PAUSED") and _days_paused(account, phased) < MOST_PAUSED:
        phased.pauses.append((now, None))
    elif (current, wanted) == ("PAUSED", "ACTIVE"):
        phased.pauses[-1] = (phased.pauses[-1][0], now)
    elif current in ("ACTIVE", "PAUSED") and wanted == "COMPLETE":
        phased.completed = True
    else:
        raise wrong_state(f"The phased release is {current} and cannot become {wanted}.")


def delete(account: Account, phased: Phased) -> None:
    """Not once it runs: that would be COMPLETE. Raises Refused 409."""
    if state(account, phased) != "INACTIVE":
        raise wrong_state("A phased release that has begun cannot be deleted.")
    del account.phased[phased.id]
