"""Which release an environment serves, as its public addresses say: by the smoke checks that name it, without any credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.checks import smoke
from pipelines.checks.patience import POLLING
from pipelines.clock import Clock
from pipelines.errors import CheckFailed, InputError
from pipelines.manifest.model import Smoke

if TYPE_CHECKING:
    from pipelines.http import Http

RELEASE = "{release}"
LONGEST = 200
"""Characters of a release's name; an answer may be anything."""


def release(
    checks: Sequence[Smoke], urls: Mapping[str, str], http: Http, *, environment: str, patience: float = 0.0
) -> str:
    """The one release that all of them answer with. `urls`: component -> public address. Traffic takes seconds to move: who does not
    answer, or not as the others, is asked again for `patience` seconds.

    Raises InputError when no check says by `json` where the release stands in an answer, CheckFailed when one does not answer, or they
    do not agree.
    """
    naming = [(check, key) for check in checks for key, value in check.json.items() if value == RELEASE]
    asked = [(check, key) for check, key in naming if check.component in urls and RELEASE not in check.path]
    if not asked:
        raise InputError(
            f"nothing says which release {environment} serves",
            where=f"shipmate.yml, environments/{environment}/smoke",
            next_step='have a check whose `json` names it, such as {path: /version, json: {release: "{release}"}}',
        )
    clock = Clock.of(http.policy)
    for look in POLLING.looks(clock, clock.deadline(patience)):
        try:
            return _agreed(asked, urls, http, environment)
        except CheckFailed:
            if look.last:
                raise
    raise AssertionError("unreachable: the last look returns or raises")


def _agreed(asked: Sequence[tuple[Smoke, str]], urls: Mapping[str, str], http: Http, environment: str) -> str:
    found = {check.component: _answer(check, key, urls[check.component], http) for check, key in asked}
    if len(set(found.values())) != 1:
        text = "; ".join(f"{component}: {name}" for component, name in found.items())
        raise CheckFailed(
            f"{environment} does not serve one release: {text}",
            where=environment,
            why="a delivery is under way, or components went back alone",
            next_step="`shipmate status` says what is live; start the workflow again when the delivery has ended",
        )
    return next(iter(found.values()))


def _answer(check: Smoke, key: str, url: str, http: Http) -> str:
    import requests

    address = url.rstrip("/") + check.path
    try:
        answer = http.session.request(
            check.method, address, headers=dict(check.headers), timeout=smoke.TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        raise _unknown(check, address, f"no answer: {smoke.plain(error)}") from error
    value, problem = smoke.json_value(answer.text, key)
    if value is None or not 0 < len(value) <= LONGEST:
        raise _unknown(check, address, f"answered {answer.status_code}: {problem or f'{key} is no name of a release'}")
    return value


def _unknown(check: Smoke, address: str, why: str) -> CheckFailed:
    return CheckFailed(
        f"{check.component} does not say which release it is",
        where=address,
        why=why,
        next_step="see whether it answers in a browser; start the workflow again when it does",
    )
