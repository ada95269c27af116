"""Browser tests that ran in shares on several machines: what each must account for, and all of them put together.

Tests collect and divide themselves (E2E_SHARD, E2E_SHARDS, E2E_DURATIONS). Each share leaves a JUnit file, which says how tests ended,
and an account, which says what was collected and what ran: only with both is a test that ran nowhere seen.
"""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import CheckFailed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

FORMAT = 1
OUTCOMES = ("passed", "failed", "skipped")
JUNIT, RESULT = "e2e.xml", "e2e.json"
"""Files of the merged report."""
_WHERE = "browser tests"
_NAMED = 5
"""Tests named in a message, at the most."""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One test that ran."""

    test: str
    outcome: str
    """One of OUTCOMES."""
    seconds: float
    """Of the last attempt, without what was set up for other tests as well."""
    attempts: int = 1
    flaky: tuple[str, ...] = ()
    """How earlier attempts failed of one that passed."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """What one share says of itself."""

    shard: int
    """From 1."""
    shards: int
    collected: tuple[str, ...]
    """Every test of every share, in any order."""
    own: tuple[str, ...]
    """Those of this share."""
    ran: tuple[Ran, ...]
    ended: bool
    """Whether it came to its end, whatever the tests came to."""

    @property
    def name(self) -> str:
        return f"shard {self.shard} of {self.shards}"


@dataclass(frozen=True, kw_only=True)
class Share:
    """One share to be run."""

    number: int
    """From 1."""
    count: int
    durations: Path | None
    """JSON of test to seconds."""
    folder: Path
    """Takes what it leaves."""

    def variables(self) -> dict[str, str]:
        """What its commands find in their environment."""
        durations = str(self.durations.resolve()) if self.durations else ""
        return {"E2E_SHARD": str(self.number), "E2E_SHARDS": str(self.count), "E2E_DURATIONS": durations}

    def keep(self, junit: Path) -> None:
        """Put its JUnit file and its account where they are merged from. Raises CheckFailed without an account of this share."""
        file = account_beside(junit)
        if not file.is_file():
            raise CheckFailed(
                f"the browser tests left no account of shard {self.number} of {self.count}",
                where=file.name,
                why="their commands were broken off, or do not read E2E_SHARD",
                next_step="see the log above; e2e/README.md says what an account is",
            )
        account = read_account(file)
        if (account.shard, account.shards) != (self.number, self.count):
            raise CheckFailed(
                f"the browser tests ran {account.name}, not shard {self.number} of {self.count}",
                where=file.name,
                why="their commands take the share from elsewhere than E2E_SHARD and E2E_SHARDS",
                next_step="let browser_tests in shipmate.yml follow these variables",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(junit, self.folder / f"shard-{self.number}.xml")
        shutil.copy(file, self.folder / f"shard-{self.number}.json")


@dataclass(frozen=True, kw_only=True)
class Merged:
    """All shares of one run, which together ran every test once."""

    accounts: tuple[Account, ...]
    junit: Element

    def durations(self) -> dict[str, float]:
        """Test -> seconds, to divide the next run by."""
        return {ran.test: ran.seconds for account in self.accounts for ran in account.ran}

    def write(self, folder: Path) -> Path:
        """One JUnit file and one JSON; the former."""
        from xml.etree import ElementTree

        folder.mkdir(parents=True, exist_ok=True)
        tests = [{"shard": account.shard, **asdict(ran)} for account in self.accounts for ran in account.ran]
        whole = {
            "format": FORMAT,
            "shards": len(self.accounts),
            "tests": sorted(tests, key=lambda each: str(each["test"])),
        }
        (folder / RESULT).write_text(json.dumps(whole, indent=1) + "\n")
        ElementTree.ElementTree(self.junit).write(folder / JUNIT, encoding="utf-8", xml_declaration=True)
        return folder / JUNIT

    @property
    def line(self) -> str:
        """`2 shards, 8 and 9 s of tests`"""
        seconds = " and ".join(f"{sum(ran.seconds for ran in account.ran):.0f}" for account in self.accounts)
        return f"{len(self.accounts)} shard{'s' if len(self.accounts) > 1 else ''}, {seconds} s of tests"


def account_beside(junit: Path) -> Path:
    """Where the tests leave the account of a share."""
    return junit.with_suffix(".json")


def read_account(file: Path) -> Account:
    """Raises CheckFailed for what is none."""
    try:
        raw = json.loads(file.read_text())
        if raw["format"] != FORMAT:
            raise ValueError(f"has the form {raw['format']}")
        return Account(
            shard=_whole(raw["shard"]),
            shards=_whole(raw["shards"]),
            collected=_texts(raw["collected"]),
            own=_texts(raw["own"]),
            ran=tuple(_ran(each) for each in raw["ran"]),
            ended=raw["ended"] is True,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckFailed(
            f"the account of a share of the browser tests cannot be read: {error!r}",
            where=str(file),
            next_step="see the job that left it; e2e/README.md says what an account is",
        ) from error


def merge(folder: Path, shards: int) -> Merged:
    """What all shares left in `folder` (`shard-1.xml`, `shard-1.json`, …), as one.

    Raises CheckFailed unless every share of `shards` is there once and came to its end, all collected the same, and each of these tests
    ran in one share, with a result in its JUnit file.
    """
    accounts = sorted(map(read_account, sorted(folder.glob("**/*.json"))), key=lambda each: each.shard)
    _require_all_there(accounts, shards)
    _require_same_tests(accounts)
    _require_each_once(accounts)
    suites = [(account, _suites(folder, account)) for account in accounts]
    for account, found in suites:
        _require_results(account, found)
    return Merged(accounts=tuple(accounts), junit=_joined([suite for _, found in suites for suite in found]))


def _require_all_there(accounts: Sequence[Account], shards: int) -> None:
    for account in accounts:
        if account.shards != shards:
            raise _refused(f"{account.name} is of another division: this run has {shards}", "start the workflow again")
    times = Counter(account.shard for account in accounts)
    if missing := [str(number) for number in range(1, shards + 1) if number not in times]:
        raise _refused(
            f"{'shard' if len(missing) == 1 else 'shards'} {', '.join(missing)} of {shards} left nothing",
            "see the job of each; *Re-run failed jobs* when it can run",
            why="the job was ended before its tests were, or never began",
        )
    if wrong := [str(number) for number in sorted(times) if times[number] > 1 or number > shards]:
        raise _refused(f"shard {', '.join(wrong)} is there more than once or too many", "start the workflow again")
    if broken := [account for account in accounts if not account.ended]:
        raise _refused(
            f"{broken[0].name} was broken off: {len(broken[0].ran)} of its {len(broken[0].own)} tests ran",
            "see the log of its job",
        )


def _require_same_tests(accounts: Sequence[Account]) -> None:
    first = accounts[0]
    for account in accounts[1:]:
        unlike = Counter(account.collected) - Counter(first.collected) or Counter(first.collected) - Counter(
            account.collected
        )
        if unlike:
            raise _refused(
                f"shards 1 and {account.shard} collected different tests: {_named(unlike)}",
                "give the tests names that are the same everywhere (no addresses, times or random values in parameters)",
                why="each divided other tests than the other, so nobody knows whether all ran",
            )
    if not first.collected:
        raise _refused("no browser test was collected", "see the log of shard 1")


def _require_each_once(accounts: Sequence[Account]) -> None:
    times = Counter(ran.test for account in accounts for ran in account.ran)
    collected = Counter(accounts[0].collected)
    if nowhere := collected - times:
        owners = {test: account.name for account in accounts for test in account.own}
        named = [f"{test} ({owners[test]})" if test in owners else f"{test} (of no shard)" for test in nowhere]
        raise _refused(
            f"{len(named)} of {len(collected)} browser tests ran nowhere: {_named(named)}",
            "see the logs of the shards: a test that ends its process takes others with it",
            why="the shard did not come to them, or the shards were divided by different durations",
        )
    if more := times - collected:
        raise _refused(
            f"ran twice, or was never collected: {_named(more)}",
            "start the workflow again",
            why="the shards were divided by different durations",
        )


def _suites(folder: Path, account: Account) -> list[Element]:
    from xml.etree import ElementTree

    name = f"shard-{account.shard}.xml"
    for file in folder.glob(f"**/{name}"):
        try:
            root = ElementTree.parse(file).getroot()  # noqa: S314 - no secret is near
        except ElementTree.ParseError as error:
            raise _refused(f"{name} cannot be read: {error}", "see the job that left it") from error
        return [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    raise _refused(f"{name} is missing", "see the job that left the account beside it")


def _require_results(account: Account, suites: Iterable[Element]) -> None:
    """A test's id ends with the name it has in JUnit files. Both must agree whether it failed: what counts is read from the latter."""
    cases = [
        (case.get("name", ""), case.find("failure") is not None or case.find("error") is not None)
        for suite in suites
        for case in suite.findall("testcase")
    ]
    if len(cases) < len(account.ran):
        raise _refused(
            f"{len(account.ran)} tests ran by the account of {account.name}, and {len(cases)} by its JUnit file",
            "let both be written by the same run",
        )
    ended = set(cases)
    for ran in account.ran:
        if not any(ran.test.endswith(name) and failed == (ran.outcome == "failed") for name, failed in ended if name):
            raise _refused(
                f"{ran.test} {ran.outcome} by the account of {account.name}, and not by its JUnit file",
                "let both be written by the same run; a test's id ends with its name in the JUnit file",
            )
    for name, failed in sorted(ended):
        if failed and not any(ran.test.endswith(name) and ran.outcome == "failed" for ran in account.ran):
            raise _refused(
                f"{name} failed by the JUnit file of {account.name}, and is not in its account",
                "let both be written by the same run; a test's id ends with its name in the JUnit file",
            )


def _joined(suites: Sequence[Element]) -> Element:
    """One document of all suites, as they are: with flaky attempts and files kept."""
    from xml.etree import ElementTree

    root = ElementTree.Element("testsuites", name=_WHERE)
    root.extend(suites)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count) or 0) for suite in suites)))
    root.set("time", f"{sum(float(suite.get('time') or 0) for suite in suites):.3f}")
    return root


def _ran(raw: Mapping[str, Any]) -> Ran:
    if raw["outcome"] not in OUTCOMES:
        raise ValueError(f"{raw['outcome']!r} is no outcome")
    seconds = float(raw["seconds"])
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{seconds} is no duration")
    return Ran(
        test=str(raw["test"]),
        outcome=raw["outcome"],
        seconds=seconds,
        attempts=_whole(raw.get("attempts", 1)),
        flaky=_texts(raw.get("flaky", [])),
    )


def _whole(raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 1:
        raise ValueError(f"{raw!r} is no number from 1")
    return raw


def _texts(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(each, str) for each in raw):
        raise ValueError(f"{str(raw)[:50]!r} is no list of texts")
    return tuple(raw)


def _named(tests: Iterable[str]) -> str:
    listed = sorted(tests)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more


def _refused(what: str, next_step: str, *, why: str = "") -> CheckFailed:
    return CheckFailed(what, where=_WHERE, why=why, next_step=next_step)
