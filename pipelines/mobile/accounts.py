"""The accounts that releases of the apps need, as far as they can be read: the robot at Expo, Google Play, App Store Connect.

Nothing is changed. What cannot be read is unknown: Apple tells no key its role, and an agreement that is missing shows only as a refusal.
Sources: docs.expo.dev/accounts/programmatic-access, developers.google.com/android-publisher/edits,
developer.apple.com/documentation/appstoreconnectapi (certificates, profiles)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.errors import CredentialsError, ShipmateError
from pipelines.findings import Finding

if TYPE_CHECKING:
    from pipelines.mobile.context import Context

EXPO, PLAY, APPLE = "EAS", "Google Play", "App Store Connect"
SOON = timedelta(days=30)
"""A certificate that ends within this is reported: a build in a workflow makes no new one."""
WORKFLOWS = ("mobile-release.yml", "mobile-promote.yml")
"""Whose runs may have an edit open on Google Play."""


def examine(context: Context, now: datetime | None = None) -> list[Finding]:
    """Everything that can be read of the accounts with the secrets that are at hand."""
    found = _asked(EXPO, bool(context.access.expo_token), "EXPO_TOKEN", lambda: _expo(context))
    if context.mobile.android is not None:
        found += _asked(PLAY, True, "", lambda: _play(context))
    if context.mobile.ios is not None:
        at = now or datetime.now(UTC)
        found += _asked(APPLE, bool(context.access.app_store_key), "APP_STORE_KEY", lambda: _apple(context, at))
    return found


def _asked(subject: str, given: bool, secret: str, ask: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """What was found, up to where a provider refused."""
    if not given:
        return [Finding(subject=subject, state="unknown", says=f"cannot be asked here: {secret} is not set")]
    found: list[Finding] = []
    try:
        for each in ask():
            found.append(each)
    except CredentialsError as error:
        found.append(Finding(subject=subject, state="missing", says=error.what, fix=error.next_step))
    except ShipmateError as error:
        found.append(Finding(subject=subject, state="unknown", says=f"cannot be read ({error.what})"))
    return found


def _expo(context: Context) -> Iterator[Finding]:
    who, account = context.eas.whoami(), context.mobile.eas.account
    if not who.robot:
        yield Finding(
            subject=EXPO,
            state="missing",
            says=f"EXPO_TOKEN is of the person {who.name!r}, whatever they may do it may",
            fix="expo.dev → account settings → access tokens → add a robot, and a token of it",
        )
    elif account not in who.roles:
        yield Finding(
            subject=EXPO,
            state="missing",
            says=f"the robot {who.name!r} is no member of the account {account!r}",
            fix=f"expo.dev → {account} → members → add the robot with the role Developer",
        )
    else:
        yield Finding(subject=EXPO, state="ok", says=f"the robot {who.name!r} is {who.roles[account]} of {account}")


def _play(context: Context) -> Iterator[Finding]:
    """To open an edit ends another that is open, so it is not done while a run may have one."""
    busy = _under_way(context)
    if busy:
        yield Finding(
            subject=PLAY, state="unknown", says=f"is not asked while {busy} is under way: looking would end its edit"
        )
        return
    context.play.drop(context.play.open())
    yield Finding(subject=PLAY, state="ok", says=f"{context.play.package} can be changed with this account")


def _under_way(context: Context) -> str:
    """A workflow with a run that goes on; a word for it where GitHub cannot be asked."""
    if context.github is None:
        return "it is not known what (GITHUB_TOKEN is not set)"
    for workflow in WORKFLOWS:
        path = f"/repos/{context.github.name}/actions/workflows/{workflow}/runs?status=in_progress&per_page=1"
        if (context.github.find_json(path) or {}).get("workflow_runs"):
            return workflow
    return ""


def _apple(context: Context, now: datetime) -> Iterator[Finding]:
    store, settings = context.app_store, context.ios
    app = store.call("GET", f"/v1/apps/{store.app}")["data"]["attributes"]
    if app.get("bundleId") != settings.bundle:
        yield Finding(
            subject=APPLE,
            state="missing",
            says=f"the app {store.app} is {app.get('bundleId')!r}, shipmate.yml says {settings.bundle!r}",
            fix="write the right Apple ID into `mobile/ios/app`",
        )
    else:
        yield Finding(subject=APPLE, state="ok", says=f"the key reads {settings.bundle}")
    yield Finding(
        subject=f"{APPLE}, the key's role",
        state="unknown",
        says="Apple does not tell it; uploads need Developer, promotions App Manager",
    )
    for kind, name in (("certificates", "displayName"), ("profiles", "name")):
        for each in store.pages(f"/v1/{kind}", {"limit": "200"}):
            yield from _signing(kind.removesuffix("s"), each["attributes"], name, now)


def _signing(kind: str, attributes: dict[str, Any], name: str, now: datetime) -> Iterator[Finding]:
    """A certificate or profile that is over, or soon will be. Development ones sign nothing for the store."""
    if "DEVELOPMENT" in str(attributes.get("certificateType") or attributes.get("profileType") or ""):
        return
    subject = f"{APPLE}, {kind} {attributes.get(name)!r}"
    ends = attributes.get("expirationDate")
    at = datetime.fromisoformat(str(ends)) if ends else None
    fix = "`eas credentials --platform ios` renews it, once, by a person"
    if attributes.get("profileState") == "INVALID" or (at is not None and at <= now):
        yield Finding(subject=subject, state="missing", says="is not valid any more: no build can be signed", fix=fix)
    elif at is None:
        yield Finding(subject=subject, state="unknown", says="does not say when it ends")
    elif at <= now + SOON:
        yield Finding(subject=subject, state="missing", says=f"ends on {at:%Y-%m-%d}", fix=fix)
    else:
        yield Finding(subject=subject, state="ok", says=f"holds until {at:%Y-%m-%d}")
