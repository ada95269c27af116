"""Expo Application Services by its own program: builds, their files and logs, and updates over the air.

Its JSON leaves out what is null. Errors go to standard output, also with --json, so that is read as JSON only where the program ended
well. A build that was cancelled ends well too: its status decides.
Sources: docs.expo.dev/eas/cli, docs.expo.dev/eas/json; eas-cli 24.8.0, as the npm package carries it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pipelines import faults
from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable, RefusedError
from pipelines.faults import Fault, Faulted, MayHaveHappened, Meaning, Policy
from pipelines.providers import eas_program
from pipelines.providers.eas_program import Ended, Run

if TYPE_CHECKING:
    from pipelines.http import Http

Platform = Literal["android", "ios"]

QUESTION = 180.0
"""Seconds that a question may take; the program itself tries again for a while when Expo is out of reach."""
ORDER = 1_800.0
"""Seconds for what uploads something, or bundles an app first."""
PAGE = 50
"""Builds in one answer, no more."""
LOG_TAIL = 400_000
"""Characters of a log that are kept: its end, where the failure is."""
EXCERPT = 30
PIECE = 1024 * 1024
BREAKS = 5
_WRONG_TOKEN = ("bearer token is invalid", "An Expo user account is required", "Not logged in")
_NOT_ALLOWED = ("don't have the required permissions", "Entity not authorized")
_UNREACHABLE = re.compile(
    r"request to https?://\S+ failed|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|socket hang up"
    r"|encountered a transient error|\[Network\]"
)
_ROLLING_OUT = re.compile(r"rollout of update group \S+ .*is in progress", re.DOTALL)


class EasRefused(ProviderError):
    """EAS, or the program before it asked EAS, refused, and not because of who we are."""

    def __init__(self, words: str, *, where: str) -> None:
        super().__init__(words, where=where, next_step="read the words of eas above; they say what to change")
        self.words = words

    @property
    def rolling_out(self) -> bool:
        """Another update is being rolled out: nothing is published meanwhile (expo/eas-cli#4233)."""
        return _ROLLING_OUT.search(self.words) is not None

    @property
    def missing(self) -> bool:
        """There is no such group, channel or branch."""
        return "Could not find" in self.words


@dataclass(frozen=True, kw_only=True)
class Who:
    """Whose token it is. `roles`: account -> Developer, Admin, …"""

    name: str
    robot: bool
    roles: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Build:
    """A build as EAS shows it. Texts are empty where it says nothing."""

    id: str
    platform: Platform
    status: str
    """NEW, IN_QUEUE, IN_PROGRESS, PENDING_CANCEL, CANCELED, ERRORED or FINISHED"""
    commit: str
    version: str
    number: str
    profile: str
    channel: str
    runtime: str
    """Its runtime version: the updates of this one alone reach it."""
    fingerprint: str
    created: str
    """ISO 8601."""
    url: str
    """Its page at expo.dev."""
    artifact: str = ""
    """Where its file is, for about 30 days."""
    logs: tuple[str, ...] = ()
    """Where its logs are."""
    queue: int | None = None
    """Its place in the queue, from 1."""
    wait: float | None = None
    """Seconds until it is started, as EAS guesses."""
    problem: str = ""
    """Why it failed, in EAS's words."""

    @property
    def over(self) -> bool:
        return self.status in ("FINISHED", "ERRORED", "CANCELED")

    @property
    def failed(self) -> bool:
        """It ended, or is about to end, without a file."""
        return self.status in ("ERRORED", "CANCELED", "PENDING_CANCEL")


def _say_nothing(text: str) -> None:
    """Nobody listens."""


@dataclass(kw_only=True)
class Eas:
    """One app, in the folder it is checked out to. `say` is called with what the program says while it does something."""

    folder: Path
    token: str = field(repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    say: Callable[[str], None] = _say_nothing
    policy: Policy = field(default_factory=Policy)
    run: Run = field(default_factory=lambda: eas_program.run)

    # builds ------------------------------------------------------------------------------------------------------------

    def builds(
        self,
        *,
        platform: Platform,
        commit: str = "",
        profile: str = "",
        version: str = "",
        number: int | None = None,
        channel: str = "",
        finished: bool = False,
    ) -> list[Build]:
        """Those that are like this, all of them, the newest first. `finished`: no others."""
        wanted = {
            "--git-commit-hash": commit,
            "--build-profile": profile,
            "--app-version": version,
            "--app-build-version": "" if number is None else str(number),
            "--channel": channel,
            "--status": "finished" if finished else "",
        }
        words = ["build:list", "--platform", platform]
        for name, value in wanted.items():
            words += [name, value] if value else []
        return [_build(raw) for raw in self._pages(words)]

    def numbers(self, platform: Platform) -> set[int]:
        """Every build number that EAS shows. Of Apple's with dots (1.4) the first part: what is above that is above all of it."""
        listed = (each.number.partition(".")[0] for each in self.builds(platform=platform))
        return {int(number) for number in listed if number.isdecimal()}

    def start(self, platforms: Sequence[Platform], profile: str) -> list[Build]:
        """Begin builds of what the folder holds. Where the second of two is refused the first has started: look with `builds`.

        Raises EasRefused, CredentialsError, MayHaveHappened.
        """
        both = "all" if len(platforms) > 1 else platforms[0]
        words = ["build", "--platform", both, "--profile", profile, "--no-wait", "--json", "--non-interactive"]
        return [_build(raw) for raw in self.order(words)]

    def view(self, build: str) -> Build:
        """One build as it is now."""
        return _build(self.ask(["build:view", build, "--json"]))

    def cancel(self, build: str) -> None:
        """Ask for a build's end; one that has ended stays as it is."""
        self.do(["build:cancel", build, "--non-interactive"])

    def download(self, build: Build, to: Path, http: Http) -> str:
        """Bring the file of a finished build; its SHA-256, hexadecimal. The file is whole or not there.

        Raises RefusedError when EAS does not keep it any more, ProviderUnavailable when it broke off too often.
        """
        import requests

        if urlsplit(build.artifact).scheme != "https":
            raise RefusedError(
                f"the {build.platform} build has no file to download",
                where=build.url,
                why=f"it is {build.status}",
                next_step="wait for it to be built; of one that failed or was cancelled, re-run the job that starts the builds",
            )
        part = to.with_name(f"{to.name}.part")
        for attempt in range(BREAKS):
            try:
                found = _stored(_answer(build, http), part)
            except requests.RequestException as error:
                part.unlink(missing_ok=True)
                if attempt + 1 == BREAKS:
                    raise ProviderUnavailable(
                        f"the file of the {build.platform} build broke off {BREAKS} times ({type(error).__name__})",
                        where=build.url,
                        next_step="run this again: the build is kept, and used",
                    ) from error
                http.policy.sleep(http.policy.pause(attempt, None))
            else:
                part.replace(to)
                return found
        raise AssertionError("unreachable: the loop returns or raises")

    def log_excerpt(self, build: Build, http: Http) -> str:
        """The end of the phase in which a build failed, or the last lines of all; empty where there is no log to read."""
        for address in reversed(build.logs):
            if (text := _tail(address, http)) and (found := excerpt(text)):
                return found
        return ""

    # the app and the account --------------------------------------------------------------------------------------------

    def fingerprint(self, platform: Platform, profile: str) -> str:
        """Of what the folder holds, with the variables that the profile has at EAS and that may be read: its runtime version.

        Needs the app's packages in node_modules.
        """
        words = ["fingerprint:generate", "--platform", platform, "--build-profile", profile, "--json"]
        found = self.ask([*words, "--non-interactive"], seconds=ORDER)
        return str(found["hash"])

    def whoami(self) -> Who:
        """Whose token it is. Raises CredentialsError for one that EAS does not take."""
        return _who(self._question(["account:view"], QUESTION).out)

    # the program --------------------------------------------------------------------------------------------------------

    def ask(self, words: Sequence[str], *, seconds: float = QUESTION) -> Any:
        """The JSON of a command that changes nothing; asked again while Expo is out of reach."""
        return _json(words, self._question(words, seconds).out)

    def order(self, words: Sequence[str]) -> Any:
        """The JSON of a command that changes something. Raises MayHaveHappened where it is not clear whether it did."""
        return _json(words, self._act(words).out)

    def do(self, words: Sequence[str]) -> None:
        """`order` for a command whose answer says nothing of use."""
        self._act(words)

    def _pages(self, words: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        offset = 0
        while True:
            page = self.ask([*words, "--limit", str(PAGE), "--offset", str(offset), "--json", "--non-interactive"])
            yield from page
            if len(page) < PAGE:
                return
            offset += PAGE

    def _question(self, words: Sequence[str], seconds: float) -> Ended:
        def call() -> Ended:
            ended = self._ended(words, seconds, _say_nothing)
            if ended.code != 0 and _out_of_reach(ended):
                raise Faulted(Fault(meaning=Meaning.TRY_AGAIN, text=_words(ended)))
            return ended

        return self._well(words, faults.retry(call, where=f"eas {words[0]}", policy=self.policy))

    def _act(self, words: Sequence[str]) -> Ended:
        ended = self._ended(words, ORDER, self.say)
        if ended.code != 0 and _out_of_reach(ended):
            raise MayHaveHappened(
                f"no clear answer ({_words(ended)})",
                where=f"eas {words[0]}",
                next_step="run this again: it looks first at what EAS has",
            )
        return self._well(words, ended)

    def _ended(self, words: Sequence[str], seconds: float, say: Callable[[str], None]) -> Ended:
        if not self.token:
            raise CredentialsError(
                "there is no token for EAS",
                where="EXPO_TOKEN",
                why="the secret does not exist in this environment, or is not passed to the step",
                next_step="expo.dev → account settings → access tokens → add a robot and a token; then `gh secret set EXPO_TOKEN`",
            )
        given = eas_program.environment(self.token, self.environ)
        ended = self.run(
            words, folder=self.folder, environ=given, seconds=seconds, say=lambda text: say(self._masked(text))
        )
        return Ended(code=ended.code, out=ended.out, err=self._masked(ended.err))

    def _masked(self, text: str) -> str:
        return text.replace(self.token, "***")

    def _well(self, words: Sequence[str], ended: Ended) -> Ended:
        if ended.code == 0:
            return ended
        message = self._masked(_words(ended))
        where = f"eas {words[0]}"
        if any(sign in message for sign in _WRONG_TOKEN):
            raise CredentialsError(
                f"EAS does not accept the token: {message}",
                where=where,
                why="it is wrong, expired or revoked",
                next_step="expo.dev → account settings → access tokens → a new token for the robot; replace the secret EXPO_TOKEN",
            )
        if any(sign in message for sign in _NOT_ALLOWED):
            raise CredentialsError(
                f"EAS refuses: {message}",
                where=where,
                why="the robot's role does not allow it, or what is named belongs to another account",
                next_step="expo.dev → account settings → access tokens: the robot needs the role Developer in the account of `mobile/eas`",
            )
        raise EasRefused(message, where=where)


def excerpt(text: str) -> str:
    """The part of a build's log that matters: of JSON lines, the end of the phase that has the last error; of others, the end of all."""
    lines: list[tuple[str, int, str]] = []
    for line in text.splitlines():
        try:
            raw = json.loads(line)
            lines.append((str(raw.get("phase", "")), int(raw.get("level", 0)), str(raw["msg"])))
        except (ValueError, LookupError, TypeError, AttributeError):
            lines.append(("", 0, line))
    failing = next((phase for phase, level, _ in reversed(lines) if level >= 50), None)
    kept = [message for phase, _, message in lines if failing in (None, phase) and message.strip()]
    return "\n".join(each.strip()[:500] for each in kept[-EXCERPT:])


def _build(raw: Mapping[str, Any]) -> Build:
    try:
        app, artifacts = raw["app"], raw.get("artifacts") or {}
        return Build(
            id=str(raw["id"]),
            platform="android" if raw["platform"] == "ANDROID" else "ios",
            status=str(raw["status"]),
            commit=str(raw.get("gitCommitHash", "")),
            version=str(raw.get("appVersion", "")),
            number=str(raw.get("appBuildVersion", "")),
            profile=str(raw.get("buildProfile", "")),
            channel=str((raw.get("updateChannel") or {}).get("name", "")),
            runtime=str((raw.get("runtime") or {}).get("version", "")),
            fingerprint=str((raw.get("fingerprint") or {}).get("hash", "")),
            created=str(raw["createdAt"]),
            url=f"https://expo.dev/accounts/{app['ownerAccount']['name']}/projects/{app['slug']}/builds/{raw['id']}",
            artifact=str(artifacts.get("applicationArchiveUrl") or artifacts.get("buildUrl") or ""),
            logs=tuple(map(str, raw.get("logFiles", ()))),
            queue=raw.get("queuePosition"),
            wait=raw.get("estimatedWaitTimeLeftSeconds"),
            problem=str((raw.get("error") or {}).get("message", "")),
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise _unreadable("build", repr(raw)) from error


def _who(text: str) -> Who:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    roles = dict(re.findall(r"^\W*(\S+) \(Role: ([^)]+)\)$", text, re.MULTILINE))
    head = lines[0].removesuffix("(authenticated using EXPO_TOKEN)").strip() if lines else ""
    return Who(name=head.removesuffix("(robot)").strip(), robot=head.endswith("(robot)"), roles=roles)


def _json(words: Sequence[str], text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _unreadable(words[0], text) from error


def _unreadable(what: str, text: str) -> ProviderError:
    return ProviderError(
        f"the answer cannot be read: {text.strip()[:200]!r}",
        where=f"eas {what}",
        why="its JSON is another than that of eas-cli 24.8.0",
        next_step="see that eas.json asks for a version that was tried (cli.version)",
    )


def _out_of_reach(ended: Ended) -> bool:
    return ended.code == -1 or _UNREACHABLE.search(f"{ended.out}\n{ended.err}") is not None


def _words(ended: Ended) -> str:
    """Its last output: its own sentence is where its JSON would be, unless JSON was on already."""
    if ended.code == -1:
        return "it took too long"
    lines = [line for line in f"{ended.err}\n{ended.out}".splitlines() if line.strip()]
    kept = [line.strip() for line in lines if not re.search(r"command failed\.$|^\s*[✔⚠]|See logs:", line)]
    return "\n".join((kept or lines)[-15:])[-2_000:] or f"exit code {ended.code}"


def _answer(build: Build, http: Http) -> Any:
    """The file begins to come. It is asked for without our token, which would follow a redirect to where files lie."""
    answer = http.request("GET", build.artifact, stream=True)
    if answer.status_code != 200:
        answer.close()
        raise RefusedError(
            f"EAS does not have the file of the {build.platform} build (HTTP {answer.status_code})",
            where=build.url,
            why="files are kept for about 30 days",
            next_step="release a higher version: it is built anew",
        )
    return answer


def _stored(answer: Any, to: Path) -> str:
    import requests

    digest, size = hashlib.sha256(), 0
    with answer, to.open("wb") as file:
        for piece in answer.iter_content(PIECE):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    text = answer.headers.get("Content-Length")
    if text is not None and answer.headers.get("Content-Encoding") is None and int(text) != size:
        raise requests.ConnectionError(f"{size} of {text} bytes came")
    return digest.hexdigest()


def _tail(address: str, http: Http) -> str:
    """The end of a log; nothing where it cannot be had: it shall not hide the failure that it is read for."""
    import requests

    if urlsplit(address).scheme != "https":
        return ""
    kept = b""
    try:
        with http.request("GET", address, stream=True) as answer:
            if answer.status_code != 200:
                return ""
            for piece in answer.iter_content(65_536):
                kept = (kept + piece)[-LOG_TAIL:]
    except (ProviderUnavailable, requests.RequestException):
        return ""
    return kept.decode(errors="replace")
