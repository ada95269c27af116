"""Plan a promotion of the apps: find the builds in the stores, and write the document that people approve."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from actions.apps import APP_STORE_KEY, SENTRY_TOKEN
from pipelines.runtime import Input, Output, Runtime, as_flag, as_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.manifest.mobile import Platform
    from pipelines.mobile.promoted import To
    from pipelines.mobile.promotion_plan import Request

INPUTS: tuple[Input, ...] = (
    Input(name="to", doc="'beta' or 'production'.", required=True),
    Input(name="version", doc="Version or tag; empty for the newest that testers have."),
    Input(name="percent", doc="Share of Google Play's users; empty to begin as the manifest says."),
    Input(name="phased", doc="Whether the App Store releases it in phases.", default="false"),
    Input(name="platform", doc="'android' or 'ios'; empty for both."),
    APP_STORE_KEY,
    SENTRY_TOKEN,
)
OUTPUTS: tuple[Output, ...] = (
    Output(name="plan", doc="SHA-256 of the plan document: what an approval binds."),
    Output(name="version", doc="The version that is promoted."),
)


def main(runtime: Runtime) -> int:
    """Raises InputError for what cannot be, and what the stores refuse."""
    values = runtime.inputs(INPUTS)
    from actions.apps import access
    from pipelines.delivery.context import WORK
    from pipelines.manifest import load
    from pipelines.mobile import clients, promotion_plan
    from pipelines.mobile.clients import apps

    manifest = load()
    made = clients.promotions(manifest, access(runtime, values)).plan(_request(values))
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / promotion_plan.FILE).write_bytes(made.document)
    watch = apps(manifest).watch
    lines = [f"### Promotion of the apps to {values['to']}\n", *(f"- {each.says}" for each in made.wanted)]
    lines.append(
        f"\nMore people get it while {watch.crash_free_percent:g} % of at least {watch.sessions:,} sessions end without a crash; "
        f"below that it is halted.\n\nPlan `{made.digest}`"
    )
    runtime.summary("\n".join(lines))
    runtime.output("plan", made.digest)
    runtime.output("version", made.release)
    return 0


def _request(values: Mapping[str, str]) -> Request:
    from pipelines.errors import InputError
    from pipelines.mobile.promotion_plan import Request

    for name, allowed in (("to", ("beta", "production")), ("platform", ("", "android", "ios"))):
        if values[name] not in allowed:
            raise InputError(
                f"{values[name]!r} is none of {', '.join(filter(None, allowed))}",
                where=f"input {name}",
                next_step="write one of them",
            )
    return Request(
        to=cast("To", values["to"]),
        version=values["version"],
        percent=int(as_number("percent", values["percent"])) if values["percent"] else None,
        phased=as_flag("phased", values["phased"]),
        platform=cast("Platform", values["platform"]) if values["platform"] else None,
    )
