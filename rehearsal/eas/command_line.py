"""The commands that are supported: their arguments and flags, read as oclif reads them.

Whether the real program has each of them is looked up in its own manifest by the tests (rehearsal/contracts/command_lines.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

PLATFORMS = ("android", "ios", "all")
BOTH = ("android", "ios")
HELP = "See more help with --help"
_LARGEST = 2**53 - 1
"""Number.MAX_SAFE_INTEGER."""


class Misused(Exception):
    """A command line that oclif refuses; the text is what it says."""


class Unknown(Exception):
    """No such command."""


@dataclass(frozen=True, kw_only=True)
class Flag:
    """One flag. Without `value` it is a switch."""

    value: bool = True
    char: str = ""
    options: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()
    multiple: bool = False
    number: tuple[int, int] | None = None
    """Smallest and largest."""
    between: bool = False
    """Whether a number out of bounds is reported as `must be between`, as eas-cli's own flags of pages do."""
    negatable: bool = False
    default: Any = None


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command: its flags, and its positional arguments with whether each must be there."""

    flags: Mapping[str, Flag]
    arguments: Mapping[str, bool] = field(default_factory=dict)
    missing: str = ""
    """How the manifest describes the required argument."""
    unsupported: tuple[str, ...] = ()
    """What the real one has as well: flags with their aliases and letters."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A command line that was understood."""

    command: str
    flags: Mapping[str, Any]
    arguments: Mapping[str, str]

    def __getitem__(self, flag: str) -> Any:
        return self.flags.get(flag)

    @property
    def json(self) -> bool:
        return bool(self.flags.get("json"))


_SWITCH = Flag(value=False)
_TEXT = Flag()
_JSON = {"json": _SWITCH}
_QUIET = {"json": _SWITCH, "non-interactive": _SWITCH}
_PLATFORM = Flag(char="p", options=PLATFORMS)
_UPDATE_PLATFORM = Flag(char="p", options=PLATFORMS, default="all")
_PERCENTAGE = Flag(number=(0, 100))
_MESSAGE = Flag(char="m")
_SIGNED = ("private-key-path",)
_LEFT_OUT_OF_BUILD = (
    "auto-submit", "auto-submit-with-profile", "build-logger-level", "local", "output", "refresh-ad-hoc-provisioning-profile",
    "resource-class", "s", "skip-credentials-check", "skip-project-configuration", "submit", "what-to-test",
)  # fmt: skip


def _pages(most: int) -> dict[str, Flag]:
    return {"offset": Flag(number=(0, _LARGEST), between=True), "limit": Flag(number=(1, most), between=True)}


def _range() -> dict[str, Flag]:
    return {
        "days": Flag(number=(1, _LARGEST), exclusive=("start", "end")),
        "start": Flag(exclusive=("days",)),
        "end": Flag(exclusive=("days",)),
    }


def _one_of(*names: str) -> dict[str, Flag]:
    return {name: Flag(exclusive=tuple(other for other in names if other != name)) for name in names}


COMMANDS: dict[str, Command] = {
    "account:view": Command(flags={}),
    "project:info": Command(flags={}),
    "build": Command(
        flags={
            **_QUIET,
            "platform": _PLATFORM,
            "profile": Flag(char="e"),
            "wait": Flag(value=False, negatable=True, default=True),
            "clear-cache": _SWITCH,
            "message": _MESSAGE,
            "freeze-credentials": _SWITCH,
            "verbose-logs": _SWITCH,
        },
        unsupported=_LEFT_OUT_OF_BUILD,
    ),
    "build:list": Command(
        flags={
            **_QUIET,
            **_pages(50),
            "platform": _PLATFORM,
            "status": Flag(
                options=("new", "in-queue", "in-progress", "pending-cancel", "errored", "finished", "canceled")
            ),
            "distribution": Flag(options=("store", "internal", "simulator")),
            "channel": _TEXT,
            "app-version": Flag(aliases=("appVersion",)),
            "app-build-version": Flag(aliases=("appBuildVersion",)),
            "runtime-version": Flag(aliases=("runtimeVersion",)),
            "app-identifier": Flag(aliases=("appIdentifier",)),
            "build-profile": Flag(char="e", aliases=("profile", "buildProfile")),
            "git-commit-hash": Flag(aliases=("gitCommitHash",)),
            "fingerprint-hash": _TEXT,
        },
        unsupported=("sdk-version", "sdkVersion", "simulator"),
    ),
    "build:view": Command(flags=_JSON, arguments={"BUILD_ID": False}),
    "build:cancel": Command(
        flags={"non-interactive": _SWITCH, "platform": _PLATFORM, "profile": Flag(char="e")},
        arguments={"BUILD_ID": False},
    ),
    "channel:list": Command(flags={**_QUIET, **_pages(25)}),
    "channel:view": Command(flags={**_QUIET, **_pages(100)}, arguments={"name": False}),
    "update": Command(
        flags={
            **_QUIET,
            "branch": _TEXT,
            "channel": _TEXT,
            "message": _MESSAGE,
            "input-dir": Flag(default="dist"),
            "skip-bundler": _SWITCH,
            "clear-cache": _SWITCH,
            "emit-metadata": _SWITCH,
            "rollout-percentage": _PERCENTAGE,
            "platform": _UPDATE_PLATFORM,
            "auto": _SWITCH,
            "environment": _TEXT,
        },
        unsupported=("no-bytecode", "source-maps", *_SIGNED),
    ),
    "update:list": Command(
        flags={
            **_QUIET,
            **_pages(50),
            "branch": Flag(exclusive=("all",)),
            "all": Flag(value=False, exclusive=("branch",)),
            "platform": _PLATFORM,
            "runtime-version": _TEXT,
        }
    ),
    "update:view": Command(
        flags={**_JSON, "insights": _SWITCH, **_range()},
        arguments={"groupId": True},
        missing="The ID of an update group, or the ID of a platform-specific update.",
    ),
    "update:republish": Command(
        flags={
            **_QUIET,
            **_one_of("channel", "branch", "group"),
            **_one_of("destination-channel", "destination-branch"),
            "message": _MESSAGE,
            "platform": _UPDATE_PLATFORM,
            "rollout-percentage": _PERCENTAGE,
        },
        unsupported=_SIGNED,
    ),
    "update:rollback": Command(
        flags={**_QUIET, "message": _MESSAGE, "platform": _UPDATE_PLATFORM},
        arguments={"groupId": False},
        unsupported=_SIGNED,
    ),
    "update:roll-back-to-embedded": Command(
        flags={
            **_QUIET,
            "branch": _TEXT,
            "channel": _TEXT,
            "runtime-version": _TEXT,
            "message": _TEXT,
            "platform": _UPDATE_PLATFORM,
        },
        unsupported=_SIGNED,
    ),
    "update:revert-update-rollout": Command(
        flags={**_QUIET, **_one_of("channel", "branch", "group"), "message": _MESSAGE}, unsupported=_SIGNED
    ),
    "update:edit": Command(
        flags={**_QUIET, "rollout-percentage": _PERCENTAGE, "branch": _TEXT}, arguments={"groupId": False}
    ),
    "update:insights": Command(
        flags={**_QUIET, "platform": Flag(options=("ios", "android")), **_range()},
        arguments={"groupId": True},
        missing="The ID of an update group.",
    ),
    "fingerprint:generate": Command(
        flags={
            **_QUIET,
            "platform": Flag(char="p", options=BOTH),
            "environment": Flag(exclusive=("build-profile",)),
            "build-profile": Flag(char="e", exclusive=("environment",)),
        }
    ),
    "fingerprint:compare": Command(
        flags={
            **_QUIET,
            "build-id": Flag(multiple=True, aliases=("buildId",)),
            "update-id": Flag(multiple=True, aliases=("updateId",)),
        },
        arguments={"hash1": False, "hash2": False},
        unsupported=("environment", "open"),
    ),
}
ALIASES = {"whoami": "account:view"}


def read(words: list[str]) -> tuple[str, Callable[[], Call]]:
    """The command, and what reads the rest of its line. Raises Unknown."""
    name = ALIASES.get(words[0], words[0]) if words else ""
    if name not in COMMANDS:
        raise Unknown(f"command {words[0] if words else ''} not found")
    return name, lambda: _Reading(name).read(words[1:])


class _Reading:
    def __init__(self, name: str) -> None:
        self._name = name
        self._command = COMMANDS[name]
        self._found: dict[str, Any] = {}
        self._places: list[str] = []

    def read(self, words: list[str]) -> Call:
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word.startswith("-") and len(word) > 1:
                self._flag(word, rest)
            else:
                self._places.append(word)
        self._check_exclusive()
        arguments = self._arguments()
        defaults = {name: flag.default for name, flag in self._command.flags.items() if flag.default is not None}
        return Call(command=self._name, flags={**defaults, **self._found}, arguments=arguments)

    def _flag(self, word: str, rest: list[str]) -> None:
        name, joined = self._named(word)
        flag = self._command.flags.get(name)
        if flag is None:
            if word.lstrip("-").partition("=")[0] in self._command.unsupported:
                raise Misused(f"{word}: the real eas {self._name} has this flag, and the rehearsal does not play it.")
            raise Misused(f"Nonexistent flag: {word.partition('=')[0]}\n{HELP}")
        if not flag.value:
            self._found[name] = not word.startswith("--no-") or name.startswith("no-")
            return
        if joined is None:
            if not rest or (rest[0].startswith("-") and len(rest[0]) > 1):
                raise Misused(f"Flag --{name} expects a value")
            joined = rest.pop(0)
        self._take(name, flag, joined)

    def _named(self, word: str) -> tuple[str, str | None]:
        """Name of the flag of a word, and the value that is part of it."""
        flags = self._command.flags
        if not word.startswith("--"):
            [name] = [name for name, flag in flags.items() if flag.char and flag.char == word[1]] or [""]
            return name, word[2:].removeprefix("=") or None
        name, equals, value = word.removeprefix("--").partition("=")
        for known, flag in flags.items():
            if name in (known, *flag.aliases):
                return known, value if equals else None
            if flag.negatable and name == f"no-{known}":
                return known, None
        return "", None

    def _take(self, name: str, flag: Flag, value: str) -> None:
        if flag.multiple:
            self._found.setdefault(name, []).append(value)
            return
        if name in self._found:
            raise Misused(f"Flag --{name} can only be specified once")
        if flag.options and value not in flag.options:
            raise Misused(f"Expected --{name}={value} to be one of: {', '.join(flag.options)}\n{HELP}")
        self._found[name] = value if flag.number is None else _number(name, flag, value, flag.number)

    def _check_exclusive(self) -> None:
        flags = self._command.flags
        wrong = [
            f"  --{name}={_shown(self._found[name])} cannot also be provided when using --{other}"
            for name in sorted(flags)
            if name in self._found
            for other in flags[name].exclusive
            if other in self._found
        ]
        if wrong:
            raise Misused("\n".join(["The following errors occurred:", *wrong, HELP]))

    def _arguments(self) -> dict[str, str]:
        names = list(self._command.arguments)
        if len(self._places) > len(names):
            more = self._places[len(names) :]
            raise Misused(f"Unexpected argument{'s' if len(more) > 1 else ''}: {', '.join(more)}\n{HELP}")
        found = dict(zip(names, self._places, strict=False))
        missing = [name for name, required in self._command.arguments.items() if required and name not in found]
        if missing:
            raise Misused(f"Missing 1 required arg:\n{missing[0]}  {self._command.missing}\n{HELP}")
        return found


def _number(name: str, flag: Flag, value: str, bounds: tuple[int, int]) -> int:
    least, most = bounds
    try:
        number = int(value)
    except ValueError:
        if flag.between:
            raise Misused(f"Parsing --{name} \n\tUnable to parse {value} as an integer\n{HELP}") from None
        raise Misused(f"Parsing --{name} \n\tExpected an integer but received: {value}\n{HELP}") from None
    if flag.between and not least <= number <= most:
        raise Misused(f"Parsing --{name} \n\t--{name} must be between {least} and {most}\n{HELP}")
    if number < least:
        text = f"Expected an integer greater than or equal to {least} but received: {value}"
        raise Misused(f"Parsing --{name} \n\t{text}\n{HELP}")
    if number > most:
        text = f"Expected an integer less than or equal to {most} but received: {value}"
        raise Misused(f"Parsing --{name} \n\t{text}\n{HELP}")
    return number


def _shown(value: Any) -> str:
    return "true" if value is True else str(value)
