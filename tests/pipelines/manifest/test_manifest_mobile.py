"""What the section of the apps may say, before the manifest takes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.manifest.mobile import AppPromotion, AppReports, AppStore, AppWatch, Eas, Mobile, PlayStore, problems

GOOD = Mobile(
    component="mobile",
    app="apps/mobile",
    eas=Eas(account="acme", slug="shop", project="00000000-0000-0000-0000-000000000000"),
    android=PlayStore(package="test.acme.shop", workload_identity="//iam/x", service_account="play@acme"),
    ios=AppStore(bundle="test.acme.shop", app="6471234567", issuer="issuer", key="KEY"),
)


def found(mobile: Mobile) -> list[str]:
    return [f"{path}: {text}" for path, text in problems(mobile, ["platform", "mobile"])]


def test_a_good_one() -> None:
    assert found(GOOD) == []
    assert GOOD.platforms == ("android", "ios")
    assert replace(GOOD, ios=None).platforms == ("android",)


@pytest.mark.parametrize(
    ("mobile", "message"),
    [
        (replace(GOOD, component="app"), "mobile/component: there is no 'app' under release/components"),
        (replace(GOOD, android=None, ios=None), "mobile: needs `android` or `ios`"),
        (
            replace(GOOD, eas=replace(GOOD.eas, environment="mobile-stores"), ios=None),
            "mobile/android/environment: must not be that of",
        ),
        (
            replace(GOOD, android=replace(GOOD.android, package="shop")),
            "mobile/android/package: 'shop' is no name of a package",
        ),  # type: ignore[type-var]
        *(
            (replace(GOOD, android=replace(GOOD.android, rollout=steps)), "mobile/android/rollout: must rise")  # type: ignore[type-var]
            for steps in ((20, 5), (5, 5), (0, 100), (50, 101))
        ),
        (
            replace(GOOD, promotion=AppPromotion(environment="mobile-build")),
            "mobile/promotion/environment: must not be that of `eas`",
        ),
        (
            replace(GOOD, ios=None, promotion=AppPromotion(environment="mobile-stores")),
            "mobile/android/environment: must not be that of `promotion`",
        ),
        (
            replace(GOOD, reports=AppReports(url="de.sentry.io/x", organization="acme", project="app")),
            "mobile/reports/url: 'de.sentry.io/x' must be https://",
        ),
        (replace(GOOD, watch=AppWatch(crash_free_percent=0)), "mobile/watch/crash_free_percent: must be above 0"),
        (
            replace(GOOD, watch=AppWatch(crashed_users_percent=101)),
            "mobile/watch/crashed_users_percent: must be above 0",
        ),
        (replace(GOOD, watch=AppWatch(sessions=0)), "mobile/watch/sessions: must be 1"),
        (replace(GOOD, watch=AppWatch(days=31)), "mobile/watch/days: must be from 1 to 30"),
        (
            replace(GOOD, ios=replace(GOOD.ios, app="test.acme.shop")),
            "mobile/ios/app: 'test.acme.shop' is not a number",
        ),  # type: ignore[type-var]
    ],
)
def test_a_wrong_one(mobile: Mobile, message: str) -> None:
    (only,) = found(mobile)
    assert only.startswith(message)
