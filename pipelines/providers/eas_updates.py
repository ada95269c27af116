"""Updates over the air at EAS: what a channel's devices are given, publishing, roll-outs and ways back.

With fingerprints as runtime versions each platform has a group of updates of its own. While a group is rolled out, nothing else is
published for its runtime version. To revert a roll-out is two steps at EAS, one after the other: the group is deleted, then what the others
kept is published again.
Sources: docs.expo.dev/eas-update/rollouts, /rollbacks; eas-cli 24.8.0, as the npm package carries it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import InputError, ProviderError, RefusedError
from pipelines.providers.eas import EasRefused

if TYPE_CHECKING:
    from pipelines.providers.eas import Eas, Platform

PAGE = 50
"""Groups in one answer, no more. Of a channel with more, older ones are not looked at: none of them is gone back to."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Updates that were published together for one runtime version."""

    id: str
    runtime: str
    platforms: tuple[Platform, ...]
    percent: int
    """Of the devices that get it; the others keep what was before it."""
    embedded: bool
    """Whether it sends devices back to what is inside their build."""
    text: str
    """Its message, with its age and author."""

    @property
    def rolling_out(self) -> bool:
        """A roll-out at 100 is over: to revert it would send everybody to what is embedded."""
        return self.percent < 100


@dataclass(frozen=True, kw_only=True)
class Update:
    """What one platform's devices are given."""

    id: str
    group: str
    platform: Platform
    runtime: str
    commit: str
    created: str


@dataclass(frozen=True, kw_only=True)
class Installs:
    """What devices reported of one update in some days."""

    platform: str
    installs: int
    failed: int
    """Devices that took it and could not start it: they went back by themselves."""


class EasUpdates:
    """The updates of one app. Raises of all: CredentialsError, EasRefused, ProviderUnavailable, MayHaveHappened where something changes."""

    def __init__(self, eas: Eas) -> None:
        self._eas = eas

    def branch(self, channel: str) -> str:
        """The line of updates that a channel's builds follow. Raises InputError, RefusedError when there are several."""
        try:
            found = self._eas.ask(["channel:view", channel, "--json", "--non-interactive"])["currentPage"]
            names = [str(each["name"]) for each in found["updateBranches"]]
        except EasRefused as error:
            if not error.missing:
                raise
            raise InputError(
                f"there is no channel {channel!r}",
                where="EAS",
                why="a channel exists from its first build or update on",
                next_step="`eas channel:list` shows them; builds take theirs from eas.json",
            ) from error
        except (LookupError, TypeError) as error:
            raise _unreadable("channel:view", error) from error
        if len(names) != 1:
            raise RefusedError(
                f"the channel {channel!r} leads to {len(names)} branches: {', '.join(names) or 'none'}",
                where="EAS",
                why="`eas channel:rollout` is under way, which this does not work with",
                next_step=f"end it: `eas channel:rollout {channel} --action end`",
            )
        return names[0]

    def groups(self, branch: str) -> list[Group]:
        """The newest first, of all runtime versions."""
        words = ["update:list", "--branch", branch, "--limit", str(PAGE), "--json", "--non-interactive"]
        try:
            return [_group(raw) for raw in self._eas.ask(words)["currentPage"]]
        except (LookupError, TypeError) as error:
            raise _unreadable("update:list", error) from error

    def view(self, group: str) -> list[Update] | None:
        """The updates of a group; None when there is none any more."""
        try:
            return [_update(raw) for raw in self._eas.ask(["update:view", group, "--json"])]
        except EasRefused as error:
            if error.missing:
                return None
            raise

    def publish(
        self, channel: str, message: str, *, percent: int, platforms: Sequence[Platform], environment: str
    ) -> list[Update]:
        """Bundle what the folder holds, and publish it; for everybody at 100."""
        words = ["update", "--channel", channel, "--message", message, "--environment", environment]
        words += ["--platform", platforms[0] if len(platforms) == 1 else "all"]
        words += ["--rollout-percentage", str(percent)] if percent < 100 else []
        return [_update(raw) for raw in self._eas.order([*words, "--json", "--non-interactive"])]

    def widen(self, group: str, percent: int) -> None:
        """Give a roll-out to more devices; at 100 it is over."""
        self._eas.order(["update:edit", group, "--rollout-percentage", str(percent), "--json", "--non-interactive"])

    def revert(self, group: str, message: str) -> None:
        """Take a roll-out from those who have it, in two steps. What it prints is not looked at: it is several answers in one."""
        self._eas.do(
            ["update:revert-update-rollout", "--group", group, "--message", message, "--json", "--non-interactive"]
        )

    def republish(self, group: str, platforms: Sequence[Platform], message: str) -> None:
        """Give everybody a group again that was there before, as a new one."""
        words = ["update:republish", "--group", group, "--message", message, "--json", "--non-interactive"]
        self._eas.do([*words, "--platform", platforms[0] if len(platforms) == 1 else "all"])

    def embed(self, channel: str, runtime: str, platform: Platform, message: str) -> None:
        """Send everybody of a runtime version to what is inside their build."""
        words = [
            "update:roll-back-to-embedded",
            "--channel",
            channel,
            "--runtime-version",
            runtime,
            "--message",
            message,
        ]
        self._eas.do([*words, "--platform", platform, "--json", "--non-interactive"])

    def installs(self, group: str, *, days: int) -> list[Installs]:
        """Of each platform that has the group."""
        found = self._eas.ask(["update:insights", group, "--days", str(days), "--json", "--non-interactive"])
        try:
            return [
                Installs(
                    platform=str(each["platform"]),
                    installs=int(each["totals"]["installs"]),
                    failed=int(each["totals"]["failedInstalls"]),
                )
                for each in found["platforms"]
            ]
        except (LookupError, TypeError, ValueError) as error:
            raise _unreadable("update:insights", error) from error


def _group(raw: Mapping[str, Any]) -> Group:
    percent = raw.get("rolloutPercentage")
    names = {each.strip() for each in str(raw["platforms"]).split(",")}
    platforms: tuple[Platform, ...] = ("android", "ios")
    return Group(
        id=str(raw["group"]),
        runtime=str(raw["runtimeVersion"]),
        platforms=tuple(each for each in platforms if each in names),
        percent=100 if percent is None else int(percent),
        embedded=bool(raw.get("isRollBackToEmbedded")),
        text=str(raw.get("message", "")),
    )


def _update(raw: Mapping[str, Any]) -> Update:
    try:
        return Update(
            id=str(raw["id"]),
            group=str(raw["group"]),
            platform="android" if raw["platform"] == "android" else "ios",
            runtime=str(raw["runtimeVersion"]),
            commit=str(raw.get("gitCommitHash", "")),
            created=str(raw["createdAt"]),
        )
    except (LookupError, TypeError) as error:
        raise _unreadable("update:view", error) from error


def _unreadable(command: str, error: Exception) -> ProviderError:
    return ProviderError(
        f"the answer cannot be read ({type(error).__name__}: {error})",
        where=f"eas {command}",
        why="its JSON is another than that of eas-cli 24.8.0",
        next_step="see that eas.json asks for a version that was tried (cli.version)",
    )
