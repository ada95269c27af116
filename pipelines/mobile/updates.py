"""Change the app over the air: to a share of the devices that only rises, and back within a minute.

An update reaches builds of its own runtime version and no others, so it is published only where that is the runtime version of builds that
people have. What is rolled back says so in the message of what comes instead, which is how a later run knows it, and what is in the middle
of being rolled back is noted before it is started: a run that was killed anywhere is finished by running it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipelines.errors import CheckFailed, ConflictError, RefusedError, ShipmateError
from pipelines.faults import MayHaveHappened
from pipelines.mobile.update_notes import Rollback
from pipelines.polling import Polling
from pipelines.providers.eas import EasRefused

if TYPE_CHECKING:
    from pipelines.clock import Clock
    from pipelines.manifest.mobile import Platform
    from pipelines.mobile.update_notes import Notes
    from pipelines.mobile.watch import Health
    from pipelines.providers.eas import Build, Eas
    from pipelines.providers.eas_updates import EasUpdates, Group, Update

EVERY = 60.0
"""Seconds between two looks at how an update does."""
TRIES = 3
_BACK = re.compile(r"Back from (?P<group>[0-9a-f-]{36}) of (?P<commit>\w+) to (?P<to>[0-9a-f-]{36}|the build)")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What shall go over the air."""

    commit: str
    version: str
    message: str
    percent: int
    """Of the devices, 1 to 100."""
    platforms: tuple[Platform, ...]
    environment: str
    """Of variables at EAS, as the build profile has it."""
    runtimes: Mapping[Platform, str]
    """Of the commit: its fingerprints."""
    builds: Mapping[Platform, Sequence[Build]]
    """That people may have: the finished ones of the channel, the newest first."""
    again: bool = False
    """Although it was rolled back before."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Where a channel stands now."""

    channel: str
    text: str
    changed: bool = False
    percent: int = 100
    updates: tuple[Update, ...] = ()
    """That were published, or are rolled out."""
    held: str = ""
    """Why no more devices get it, although it was asked for."""
    halted: str = ""
    """Why it was rolled back by itself."""
    warning: str = ""
    seconds: float = 0.0
    """That it took to be back."""


@dataclass(kw_only=True)
class Updates:
    """The updates of one channel. `health` tells how updates do; `announce` tells Sentry of each; `say` is called with progress."""

    eas: EasUpdates
    channel: str
    notes: Notes
    clock: Clock
    health: Callable[[Sequence[Update]], Health]
    announce: Callable[[Update], None] = lambda update: None
    say: Callable[[str], None] = lambda text: None
    _branch: str = field(default="")

    def publish(self, change: Change) -> Result:
        """Publish it, or give what is rolled out already to more; what is done is left alone.

        Raises RefusedError for a change that no build can take, for a smaller share, while another one is rolled out (expo/eas-cli#4233)
        and for what was rolled back before; CheckFailed where EAS gave it another runtime version; and what the calls raise.
        """
        groups = self._groups()
        self._require_nothing_open(groups)
        active = [group for group in groups if group.rolling_out]
        if active:
            return self._widened(change, active)
        there = self._with_everybody(change, groups)
        if there:
            self._announce(there)
            message = f"{self.channel} has {change.commit[:12]} already, with everybody"
            return Result(channel=self.channel, text=message, updates=tuple(there))
        require_fits(change)
        self._require_not_rolled_back(change, groups)
        updates = self._published(change)
        self._require_runtimes(change, updates)
        self._announce(updates)
        message = f"{change.version} of {change.commit[:12]} is with {change.percent} % of {self.channel}"
        return Result(channel=self.channel, text=message, changed=True, percent=change.percent, updates=tuple(updates))

    def watch(self, result: Result, minutes: float) -> Result:
        """Look at how it does for so long, and roll it back when it does badly. Without a verdict at the end it is held."""
        message = ""
        for look in Polling(interval=EVERY).looks(self.clock, self.clock.deadline(60.0 * minutes)):
            health = self.health(result.updates)
            if health.says != message:
                self.say(f"{health.state}: {health.says}")
                message = health.says
            if health.state == "bad":
                return replace(self.roll_back(health.says), halted=health.says)
            if look.last:
                held = health.says if health.state == "unknown" else ""
                return replace(result, held=held, text=f"{result.text}, watched for {minutes:g} min")
        raise AssertionError("unreachable: the last look rollbacks")

    def roll_back(self, reason: str = "asked for") -> Result:
        """Roll back what is rolled out, or what everybody was given last; finish it where a run before was ended in the middle.

        Asked again for what is done it says so. Raises RefusedError where there is nothing to roll back.
        """
        started = self.clock.monotonic()
        groups = self._groups()
        rollbacks = self._open(groups) or self._rollbacks(groups)
        if not rollbacks:
            return self._nothing(groups)
        commit = next((each.commit for each in rollbacks if each.commit), "")
        self._note(rollbacks, commit)
        for each in rollbacks:
            self._roll_back_group(each, reason)
        self._note((), commit)
        seconds = self.clock.monotonic() - started
        embedded = any(each.embedded for each in rollbacks)
        to = ", ".join(dict.fromkeys("what is inside the build" if each.embedded else each.to for each in rollbacks))
        warning = "devices go to what is inside their build; where an update ran before on some of them, this is not exactly what they had"
        return Result(
            channel=self.channel,
            text=f"{self.channel} is back from {commit[:12] or 'its last update'} to {to} after {seconds:.0f} s",
            changed=True,
            warning=warning if embedded else "",
            seconds=seconds,
        )

    # publishing ---------------------------------------------------------------------------------------------------------

    def _published(self, change: Change) -> list[Update]:
        try:
            return self.eas.publish(
                self.channel,
                change.message,
                percent=change.percent,
                platforms=change.platforms,
                environment=change.environment,
            )
        except MayHaveHappened:
            groups = self._groups()
            active = [group for group in groups if group.rolling_out]
            found = self._of_commit(change.commit, active) or self._with_everybody(change, groups)
            if not found:
                raise
            return found
        except EasRefused as error:
            if not error.rolling_out:
                raise
            raise self._busy([group for group in self._groups() if group.rolling_out]) from error

    def _widened(self, change: Change, active: list[Group]) -> Result:
        updates = self._of_commit(change.commit, active)
        if {update.group for update in updates} != {group.id for group in active}:
            raise self._busy(active)
        self._announce(updates)
        has = max(group.percent for group in active)
        now = Result(channel=self.channel, text="", percent=has, updates=tuple(updates))
        if change.percent < has:
            raise RefusedError(
                f"the update is with {has} % of {self.channel}, and cannot be with {change.percent} %",
                where="EAS",
                why="who has it keeps it: a share only rises",
                next_step=f"`shipmate mobile rollback --channel {self.channel}` rolls it back from everybody",
            )
        behind = [group for group in active if group.percent < change.percent]
        if not behind:
            return replace(now, text=f"{change.commit[:12]} is with {has} % of {self.channel} already")
        health = self.health(updates)
        if health.state == "bad":
            return replace(self.roll_back(health.says), halted=health.says)
        if health.state == "unknown":
            message = f"{change.commit[:12]} stays with {has} % of {self.channel}"
            return replace(now, text=message, held=health.says)
        for group in behind:
            self.eas.widen(group.id, change.percent)
        message = f"{change.commit[:12]} goes from {has} % to {change.percent} % of {self.channel}: {health.says}"
        return replace(now, text=message, percent=change.percent, changed=True)

    def _announce(self, updates: Sequence[Update]) -> None:
        """Again in each run: one before may have been killed. An update is out without it as well."""
        for update in updates:
            try:
                self.announce(update)
            except ShipmateError as error:
                self.say(f"Sentry is not notified of the {update.platform} update: {error.what}")

    def _of_commit(self, commit: str, groups: Collection[Group]) -> list[Update]:
        """The updates of those groups that are of this commit."""
        found = (update for group in groups for update in self.eas.view(group.id) or ())
        return [update for update in found if update.commit == commit]

    def _with_everybody(self, change: Change, groups: Sequence[Group]) -> list[Update]:
        """The updates of the commit that all devices get; empty unless it is so on each platform."""
        found: list[Update] = []
        for platform in change.platforms:
            latest = _latest(groups, change.runtimes[platform], (platform,))
            if latest is None or latest.embedded or latest.rolling_out:
                return []
            ours = [each for each in self._of_commit(change.commit, [latest]) if each.platform == platform]
            if not ours:
                return []
            found += ours
        return found

    def _require_not_rolled_back(self, change: Change, groups: Sequence[Group]) -> None:
        for group in groups:
            back = _BACK.search(group.text)
            if back is not None and change.commit.startswith(back["commit"]) and not change.again:
                raise RefusedError(
                    f"{change.commit[:12]} was rolled back from {self.channel} before",
                    where=f"EAS, update {group.id}",
                    why=group.text,
                    next_step="commit what fixes it and publish that; `--again` publishes this very commit once more",
                )

    def _require_runtimes(self, change: Change, updates: Sequence[Update]) -> None:
        """expo/expo#46817: what EAS's own variables change is known only afterwards. Such an update reaches nobody."""
        wrong = [each for each in updates if each.runtime != change.runtimes[each.platform]]
        if wrong:
            raise CheckFailed(
                f"the update has the runtime version {wrong[0].runtime} on {wrong[0].platform}, not {change.runtimes[wrong[0].platform]}",
                where=f"EAS, update {wrong[0].group}",
                why="variables of the environment at EAS change the app's configuration; no build has it, so nobody gets it",
                next_step=f"`eas env:list --environment {change.environment}`: give what app.json or a plugin reads the same value in "
                f"builds and here; `shipmate mobile rollback --channel {self.channel}` removes the update",
            )

    def _busy(self, active: Sequence[Group]) -> RefusedError:
        named = ", ".join(f"{each.id} ({'/'.join(each.platforms)}, {each.percent} %, {each.text})" for each in active)
        return RefusedError(
            f"another update is being rolled out on {self.channel}: {named or 'EAS does not show which'}",
            where="EAS",
            why="while one is, EAS refuses to publish, to republish and to roll back",
            next_step=f"finish it: `shipmate mobile update --channel {self.channel} --percent 100` in its commit; or roll it back: "
            f"`shipmate mobile rollback --channel {self.channel}`",
        )

    # going back ---------------------------------------------------------------------------------------------------------

    def _rollbacks(self, groups: Sequence[Group]) -> list[Rollback]:
        """What has to be rolled back: all that is rolled out, else what was given to everybody last, on each platform."""
        active = [group for group in groups if group.rolling_out]
        if active:
            return [self._rollback_of(group, groups) for group in active]
        if not groups:
            return []
        back = _BACK.search(groups[0].text)
        bad = back["commit"] if back is not None else _commit(self.eas.view(groups[0].id))
        latest = {_latest(groups, group.runtime, group.platforms) for group in groups} - {None}
        wanted = [group for group in groups if group in latest and not group.embedded and not _BACK.search(group.text)]
        rollbacks = [self._rollback_of(group, groups) for group in wanted]
        return [each for each in rollbacks if bad and each.commit.startswith(bad)]

    def _rollback_of(self, group: Group, groups: Sequence[Group]) -> Rollback:
        # What a roll-out is measured against is what was there before it, whatever that was.
        older = (each for each in groups[groups.index(group) + 1 :] if _for(each, group.runtime, group.platforms))
        to = next(older, None) if group.rolling_out else _before(group, groups)
        return Rollback(
            group=group.id,
            commit=_commit(self.eas.view(group.id)),
            runtime=group.runtime,
            platforms=group.platforms,
            to=to.id if to is not None else "",
            embedded=to is None or to.embedded,
        )

    def _roll_back_group(self, each: Rollback, reason: str) -> None:
        """Raises ConflictError when EAS shows something else in the end."""
        for attempt in range(TRIES):
            try:
                self._act(each, reason)
            except MayHaveHappened as error:
                if attempt + 1 == TRIES:
                    raise
                self.say(f"{error.what}; looks again")
        if not _over(each, self._groups()):
            raise ConflictError(
                f"{each.group} was to be rolled back on {'/'.join(each.platforms)}, and EAS shows nothing that does it",
                where=f"EAS, channel {self.channel}",
                next_step="run this again: it looks at what is there and goes on",
            )

    def _act(self, each: Rollback, reason: str) -> None:
        """One step further, by what EAS shows now."""
        groups = self._groups()
        if _over(each, groups):
            return
        message = f"Back from {each.group} of {each.commit[:12] or 'unknown'} to {each.to or 'the build'}: {reason}"[
            :500
        ]
        there = next((group for group in groups if group.id == each.group), None)
        if there is not None and there.rolling_out:
            self.eas.revert(each.group, message)
        elif not each.embedded:
            self.eas.republish(each.to, each.platforms, message)
        else:
            for platform in each.platforms:
                self.eas.embed(self.channel, each.runtime, platform, message)

    def _nothing(self, groups: Sequence[Group]) -> Result:
        back = _BACK.search(groups[0].text) if groups else None
        if back is not None:
            message = f"{self.channel} is back from {back['commit']} already"
            return Result(channel=self.channel, text=message)
        raise RefusedError(
            f"nothing over the air can be rolled back on {self.channel}",
            where="EAS",
            why="its devices use what is inside their build" if not groups or groups[0].embedded else "",
            next_step="what is wrong with a build is fixed by a higher version in the stores; `shipmate mobile halt` stops its roll-out",
        )

    # notes --------------------------------------------------------------------------------------------------------------

    def _open(self, groups: Sequence[Group]) -> list[Rollback]:
        """What a run before did not finish taking back."""
        try:
            noted = self.notes.read()
        except ShipmateError as error:
            self.say(f"whether something is half rolled back cannot be read: {error.what}")
            return []
        return [each for each in noted if not _over(each, groups)]

    def _note(self, rollbacks: Sequence[Rollback], commit: str) -> None:
        try:
            self.notes.write(rollbacks, commit)
        except ShipmateError as error:
            # To roll it back matters more than to know it later.
            self.say(f"it cannot be noted: {error.what}")

    def _require_nothing_open(self, groups: Sequence[Group]) -> None:
        if self._open(groups):
            raise RefusedError(
                f"an update of {self.channel} is half rolled back: a run was ended in the middle of it",
                where="EAS",
                next_step=f"`shipmate mobile rollback --channel {self.channel}` finishes it",
            )

    def _groups(self) -> list[Group]:
        self._branch = self._branch or self.eas.branch(self.channel)
        return self.eas.groups(self._branch)


def builds_on_channel(eas: Eas, platforms: Sequence[Platform], channel: str) -> dict[Platform, list[Build]]:
    """Builds that follow a channel, the newest first."""
    return {each: eas.builds(platform=each, channel=channel, finished=True) for each in platforms}


def require_fits(change: Change) -> None:
    """Raises RefusedError for what the builds of a platform cannot run: something native changed since."""
    wrong = [
        platform
        for platform in change.platforms
        if change.runtimes[platform] not in {build.runtime for build in change.builds[platform]}
    ]
    if not wrong:
        return
    values = []
    for platform in wrong:
        newest = next(iter(change.builds[platform]), None)
        has = f"{newest.version} ({newest.number}) has {newest.runtime}" if newest else "there is no build"
        values.append(f"{platform}: the commit has the fingerprint {change.runtimes[platform]}, {has}")
    fits = [platform for platform in change.platforms if platform not in wrong]
    only = f"; or `--platform {fits[0]}`, which it fits" if fits else ""
    raise RefusedError(
        f"the change cannot go over the air on {' and '.join(wrong)}",
        where="; ".join(values),
        why="packages with native code, plugins or native settings changed since the build: its devices would never be given this",
        next_step="`eas fingerprint:compare --build-id …` shows what changed; release it through the stores (a tag with a higher version)"
        + only,
    )


def _over(each: Rollback, groups: Sequence[Group]) -> bool:
    """Whether it is back, or something newer has been published for its devices since."""
    for platform in each.platforms:
        latest = _latest(groups, each.runtime, (platform,))
        if latest is None or latest.id in (each.group, each.to):
            return False
    return True


def _latest(groups: Sequence[Group], runtime: str, platforms: Sequence[Platform]) -> Group | None:
    return next((each for each in groups if _for(each, runtime, platforms)), None)


def _for(group: Group, runtime: str, platforms: Sequence[Platform]) -> bool:
    return group.runtime == runtime and bool(set(group.platforms) & set(platforms))


def _before(group: Group, groups: Sequence[Group]) -> Group | None:
    """What devices had before a group that was not rolled back itself; None for what is inside the build."""
    backs = {each.id: found for each in groups if (found := _BACK.search(each.text))}
    bad = {found["group"] for found in backs.values()} | {group.id}
    older = groups[groups.index(group) + 1 :]
    for each in older:
        if not _for(each, group.runtime, group.platforms):
            continue
        origin = each.id
        while origin in backs and backs[origin]["to"] != origin:
            origin = backs[origin]["to"]
        if each.id not in bad and origin not in bad:
            return each
    return None


def _commit(updates: Sequence[Update] | None) -> str:
    return updates[0].commit if updates else ""
