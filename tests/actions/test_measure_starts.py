"""The job *App starts*: reports of apps in Sentry become the samples that are judged."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions import measure_starts
from pipelines.checks import app_starts
from rehearsal.emulators.sentry.app import Sentry
from rehearsal.emulators.sentry.state import Event
from rehearsal.runner.expressions import Scope, condition, interpolate
from rehearsal.serving import running
from tests.actions.test_load_testing import LOADED, STARTING

READER = "token-that-reads"


@dataclass
class Apps:
    """Phones that report to Sentry, and the step that reads it."""

    sentry: Sentry
    step: Any

    def report(self, release: str, *took: float, days: float = 0.1, environment: str = "production") -> None:
        began = time.time() - days * 86_400
        for milliseconds in took:
            number = len(self.sentry.events)
            payload = {
                "transaction": "Notes",
                "contexts": {"trace": {"span_id": f"{number:016x}", "op": "ui.load"}},
                "measurements": {"app_start_cold": {"value": milliseconds, "unit": "millisecond"}},
                "start_timestamp": began,
                "timestamp": began + milliseconds / 1000,
            }
            self.sentry.organization.events.append(
                Event(
                    id=f"{number:032x}",
                    project="mobile",
                    type="transaction",
                    received=began,
                    release=release,
                    environment=environment,
                    level="info",
                    title="Notes",
                    payload=payload,
                )
            )

    def measured(self, *, code: int = 0, manifest: str = STARTING, token: str = READER) -> dict[str, Any]:
        Path("shipmate.yml").write_text(manifest)
        assert self.step.run(measure_starts.main, sentry_token=token) == code, self.step.log
        folder = self.step.outputs().get("folder")
        return json.loads((Path(folder) / app_starts.FILE).read_text()) if folder else {}


@pytest.fixture
def apps(step: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apps]:
    sentry = Sentry(tokens={READER: ("org:read",)})
    with running(sentry.app) as server:
        overlay = tmp_path / "overlay.json"
        overlay.write_text(json.dumps({"hosts": {"sentry.io": server.url}, "time_scale": 0.0}))
        monkeypatch.setenv("SHIPMATE_OVERLAY", str(overlay))
        yield Apps(sentry, step)


def test_the_newest_release_with_enough_starts_is_kept_for_the_judge(apps: Apps) -> None:
    apps.report("com.techmate.app@1.2.0+45", *[1500.0] * 310, 75_000.0)
    apps.report("com.techmate.app@1.3.0+46", *[900.0] * 12)
    apps.report("com.techmate.app@1.1.0+44", *[700.0] * 400)
    apps.report("com.techmate.app@1.4.0+47", *[5.0] * 400, environment="preview")
    apps.report("com.techmate.app@1.5.0+48", *[6.0] * 400, days=8)
    kept = apps.measured()
    assert (kept["release"], kept["milliseconds"]) == ("1.2.0", [1500.0] * 310)
    assert kept["newer"] == {"1.3.0": 12}
    assert "mobile, production, the last 7 days" in apps.step.summary()
    assert "- 1 left out, a minute or longer" in apps.step.summary()
    [warning] = apps.step.commands("warning")
    assert "1.3.0 has 12 of 300 starts: 1.2.0 is judged" in warning


def test_an_app_that_reported_nothing_lately_is_reported_as_such(apps: Apps) -> None:
    apps.report("1.0.0", 900.0, days=8)
    kept = apps.measured()
    assert (kept["release"], kept["milliseconds"]) == ("", [])
    assert "- no start of a release was reported" in apps.step.summary()


def test_starts_that_cannot_be_believed_leave_no_result(apps: Apps) -> None:
    apps.report("1.0.0", *[900.0] * 90, *[61_000.0] * 10)
    assert apps.measured(code=13) == {}
    assert "10 of 100 starts of 1.0.0 took a minute or longer" in apps.step.log


@pytest.mark.parametrize(
    ("manifest", "token", "code", "message"),
    [
        (LOADED, READER, 4, "nothing says where the apps report their starts"),
        (STARTING, "", 5, "there is no Sentry token"),
        (STARTING, "another", 5, "Sentry does not accept the token"),
        (STARTING, READER, 8, "no environment 'production'"),
    ],
)
def test_what_keeps_starts_from_being_read_is_reported(
    apps: Apps, manifest: str, token: str, code: int, message: str
) -> None:
    assert apps.measured(code=code, manifest=manifest, token=token) == {}
    assert message in apps.step.log
    assert READER not in apps.step.log.replace(f"::add-mask::{READER}", "")


# in the workflow --------------------------------------------------------------------------------------------------------

JOBS = yaml.safe_load((Path(__file__).parents[2] / ".github/workflows/performance.yml").read_text())["jobs"]
NEEDS: dict[str, Any] = {
    "plan": {"result": "success", "outputs": {"count": "1", "starts": "true", "asks": "false"}},
    "load": {"result": "success"},
    "pages": {"result": "skipped"},
    "starts": {"result": "success"},
}


def scope(*, outputs: dict[str, str] | None = None, starts: str = "success") -> Scope:
    """What jobs see that need others. A job that was skipped or failed is no success."""
    plan = {**NEEDS["plan"], "outputs": {**NEEDS["plan"]["outputs"], **(outputs or {})}}
    needs = {**NEEDS, "plan": plan, "starts": {"result": starts}}
    return Scope(contexts={"needs": needs}, status={"success": starts == "success", "cancelled": False})


@pytest.mark.parametrize(
    ("outputs", "begins"), [({}, True), ({"starts": "false"}, False), ({"starts": ""}, False), ({"count": "0"}, False)]
)
def test_starts_are_read_where_they_are_declared_and_a_load_test_is_made(outputs: dict[str, str], begins: bool) -> None:
    assert condition(JOBS["starts"]["if"], scope(outputs=outputs)) is begins


@pytest.mark.parametrize(("starts", "folder"), [("success", "build/delivery/starts"), ("skipped", ""), ("failure", "")])
def test_the_rest_is_judged_whatever_became_of_the_starts(starts: str, folder: str) -> None:
    seen = scope(starts=starts)
    assert condition(JOBS["judge"]["if"], seen)
    [judge] = [step for step in JOBS["judge"]["steps"] if step.get("uses") == "./actions/judge_performance"]
    assert interpolate(judge["with"]["starts"], seen) == folder


def test_the_job_holds_one_secret_and_may_do_nothing() -> None:
    job = JOBS["starts"]
    assert job["permissions"] == {"contents": "read"}
    assert re.findall(r"(?:secrets|github)\.\w+", json.dumps(job["steps"])) == ["secrets.SENTRY_READ_TOKEN"]
