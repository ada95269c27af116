"""Channels, branches and updates: what may be published, and what a device is served.

While a roll-out is under way for a branch, runtime version and platform, nothing is published there: expo/eas-cli#4233.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.emulators.eas import errors
from rehearsal.emulators.eas.state import Account, Branch, Channel, Update, new_id


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one platform is given."""

    platform: str
    runtime: str
    manifest: str = "{}"
    fingerprint: str | None = None
    embedded: bool = False
    percentage: int | None = None
    control: str | None = None


@dataclass(frozen=True, kw_only=True)
class About:
    """What the updates of one publication share."""

    message: str | None = None
    commit: str | None = None
    dirty: bool = False
    environment: str | None = None


def branch(account: Account, project: str, name: str, *, make: bool = False) -> Branch:
    """By name; made when `make` and it is not there. Raises EasError."""
    account.project(project)
    for one in account.branches.values():
        if (one.project, one.name) == (project, name):
            return one
    if not make:
        raise errors.not_found(f'Could not find a branch named "{name}".')
    made = Branch(id=new_id(), project=project, name=name)
    account.branches[made.id] = made
    return made


def channel(account: Account, project: str, name: str, *, make: bool = True) -> Channel:
    """By name; when `make`, one that is not there is made, with a branch of its name. Raises EasError."""
    account.project(project)
    for one in account.channels.values():
        if (one.project, one.name) == (project, name):
            return one
    if not make:
        raise errors.not_found(f"Could not find channel with the name {name}")
    line = branch(account, project, name, make=True)
    made = Channel(id=new_id(), project=project, name=name, branch=line.id, created=account.now())
    account.channels[made.id] = made
    return made


def on_branch(
    account: Account, branch: str, *, runtime: str | None = None, platform: str | None = None
) -> list[Update]:
    """The newest first."""
    return [
        update
        for update in reversed(account.updates.values())
        if update.branch == branch and runtime in (None, update.runtime) and platform in (None, update.platform)
    ]


def groups(found: Iterable[Update]) -> list[list[Update]]:
    """In the order of their first one."""
    grouped: dict[str, list[Update]] = {}
    for update in found:
        grouped.setdefault(update.group, []).append(update)
    return list(grouped.values())


def group(account: Account, identifier: str) -> list[Update]:
    """Raises EasError."""
    found = [update for update in account.updates.values() if update.group == identifier]
    if not found:
        raise errors.not_found(f'Could not find any updates with group ID: "{identifier}"')
    return found


def publish(account: Account, branch: str, pieces: Iterable[Piece], about: About) -> list[Update]:
    """All pieces or none; a group for each runtime version. Raises EasError."""
    wanted = list(pieces)
    if branch not in account.branches or not wanted:
        raise errors.invalid("There is nothing to publish, or no such branch.")
    for piece in wanted:
        _check(account, branch, piece)
    identifiers: dict[str, str] = {}
    made = [_made(account, branch, piece, about, identifiers.setdefault(piece.runtime, new_id())) for piece in wanted]
    account.updates.update({update.id: update for update in made})
    return made


def set_percentage(account: Account, identifier: str, percentage: int) -> Update:
    """Raise a roll-out. At 100 it is over, and there is no control any more (general knowledge). Raises EasError."""
    update = account.updates.get(identifier)
    if update is None:
        raise errors.not_found(f'Could not find update with ID: "{identifier}"')
    if update.percentage is None:
        raise errors.invalid("Cannot edit rollout percentage on update group that is not a rollout.")
    if percentage < update.percentage:
        raise errors.only_raised(update.percentage)
    if percentage > 100:
        raise errors.invalid("Rollout percentage must not be greater than 100")
    update.percentage = percentage
    if percentage == 100:
        update.control = None
    return update


def delete_group(account: Account, identifier: str) -> None:
    """Raises EasError."""
    for update in group(account, identifier):
        del account.updates[update.id]


def served(account: Account, line: Channel, platform: str, runtime: str, device: str) -> Update | None:
    """What a device is given: the latest, or in a roll-out that leaves it out what everybody else has; None for what is embedded."""
    found: Update | None = next(iter(on_branch(account, line.branch, runtime=runtime, platform=platform)), None)
    while found is not None and found.rolling_out and _share(device, found.id) >= (found.percentage or 0):
        found = account.updates.get(found.control or "")
    return found


def _check(account: Account, branch: str, piece: Piece) -> None:
    latest = next(iter(on_branch(account, branch, runtime=piece.runtime, platform=piece.platform)), None)
    if latest is not None and latest.rolling_out:
        raise errors.rolling_out(latest.group, piece.platform, piece.runtime)
    if piece.percentage is not None and not 0 <= piece.percentage <= 100:
        raise errors.invalid("Rollout percentage must be between 0 and 100")
    if piece.control is not None and piece.control not in account.updates:
        raise errors.invalid(f"The control update {piece.control} does not exist.")


def _made(account: Account, branch: str, piece: Piece, about: About, group: str) -> Update:
    rolling = piece.percentage is not None and piece.percentage < 100
    return Update(
        id=new_id(),
        group=group,
        branch=branch,
        runtime=piece.runtime,
        platform=piece.platform,
        message=about.message,
        created=account.now(),
        commit=about.commit,
        dirty=about.dirty,
        environment=about.environment,
        manifest=piece.manifest,
        fingerprint=piece.fingerprint,
        embedded=piece.embedded,
        percentage=piece.percentage,
        control=piece.control if rolling else None,
    )


def _share(device: str, update: str) -> int:
    """0 to 99: the same for one device and update, and even over devices."""
    return int(hashlib.sha256(f"{device} {update}".encode()).hexdigest()[:8], 16) % 100


def pieces(sent: Iterable[Mapping[str, Any]]) -> Iterator[Piece]:
    """As a client sends them. Raises TypeError for fields that are none."""
    for one in sent:
        yield Piece(**one)
