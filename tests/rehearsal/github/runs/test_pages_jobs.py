"""A job's page: steps, logs, annotations, summary; artifacts and archives of a run."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

from rehearsal.runner.model import Annotation, Artifact, Run
from tests.rehearsal.github.pages.visitor import Visitor
from tests.rehearsal.github.runs.test_pages_runs import BASE, dispatch
from tests.rehearsal.github.scene import Scene


def ended(scene: Scene, *log: str, conclusion: str = "failure") -> Run:
    run = dispatch(scene)
    scene.do(scene.runner.finish, run.id, conclusion, log)
    return run


def job_path(run: Run) -> str:
    return f"{BASE}/runs/{run.id}/job/{run.latest_jobs()[0].id}"


def test_steps_show_their_logs_and_the_failed_one_is_open(anyone: Visitor, scene: Scene) -> None:
    run = ended(scene, "##[group]Run true", "inside", "##[endgroup]", "hello", "##[error]It broke")
    page = anyone.open(job_path(run))
    assert "hello" in page.text
    assert "Error: It broke" in page.text
    folds = {given["id"]: "open" in given for tag, given in page.tags if tag == "details"}
    assert folds == {"fold-1": False, "fold-2": True, "fold-2-1": False}


def test_hostile_output_stays_text(anyone: Visitor, scene: Scene) -> None:
    run = ended(scene, "<script>alert(1)</script>", "\x1b[31mred\x1b[0m", "::error::not a command here")
    run.jobs[0].steps[1].name = "<img src=x onerror=alert(1)>"
    page = anyone.open(job_path(run))
    assert "<script>alert(1)</script>" in page.text
    assert "<img" not in page.html
    assert '<span class="c-red">red</span>' in page.html
    assert "::error::not a command here" in page.text


def test_a_huge_log_is_cut_and_the_whole_is_a_click_away(anyone: Visitor, scene: Scene) -> None:
    run = ended(scene, *(f"line {number}" for number in range(20_000)))
    page = anyone.open(job_path(run))
    assert len(page.html) < 600_000
    assert "19000 earlier lines are not shown here." in page.text
    whole = anyone.web.get(f"{scene.url}{page.links['The whole log of this step']}", timeout=30)
    assert whole.headers["content-type"].startswith("text/plain")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.text.count("\n") == 20_000


def test_a_long_log_that_nobody_unfolded_is_not_sent(anyone: Visitor, scene: Scene) -> None:
    run = ended(scene, *(f"line {number}." for number in range(60)), conclusion="success")
    page = anyone.open(job_path(run))
    assert "line 7." not in page.text
    asked = anyone.open(f"{job_path(run)}{page.links['Show 60 lines']}")
    assert "line 7." in asked.text
    assert {given["id"]: "open" in given for tag, given in asked.tags if tag == "details"}["fold-2"]


def test_annotations_lead_to_their_line(anyone: Visitor, scene: Scene) -> None:
    run = ended(scene)
    note = Annotation(
        level="failure", title="<b>no</b>", message="two\nlines", path="apps/backend/app.py", start_line=1
    )
    run.jobs[0].annotations = [note, Annotation(level="warning", message="careful", path=".github")]
    for path in (f"{BASE}/runs/{run.id}", job_path(run)):
        page = anyone.open(path)
        assert "<b>no</b>" in page.text
        line = anyone.open(page.links["apps/backend/app.py:1"])
        assert "print('hello')" in line.text


def test_summaries_are_markdown(anyone: Visitor, scene: Scene) -> None:
    run = ended(scene)
    run.jobs[0].steps[1].summary = "### Plan\n\n| a |\n|---|\n| 1 |\n\n<script>x</script>"
    for path in (f"{BASE}/runs/{run.id}", job_path(run)):
        html = anyone.open(path).html
        assert "<h3>Plan</h3>" in html
        assert "<td>1</td>" in html
        assert "&lt;script&gt;x&lt;/script&gt;" in html


def test_a_job_that_did_not_begin_says_so(anyone: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    assert "The job has not begun." in anyone.open(job_path(run)).text


def test_a_running_job_looks_for_news_and_an_ended_one_does_not(anyone: Visitor, scene: Scene) -> None:
    run = dispatch(scene)
    body = dict(anyone.open(job_path(run)).tags)["body"]
    assert int(body["data-live"]) > 0
    assert "data-follow" in body
    scene.do(scene.runner.finish, run.id)
    body = dict(anyone.open(job_path(run)).tags)["body"]
    assert (body["data-live"], "data-follow" in body) == ("", False)


def test_artifacts_and_logs_are_downloaded(anyone: Visitor, scene: Scene) -> None:
    run = ended(scene, "hello")
    folder = scene.folder / "artifact"
    folder.mkdir()
    (folder / "report.txt").write_text("fine")
    run.artifacts = [
        Artifact(
            id=7,
            name='re"port',
            size=4,
            digest="ab" * 32,
            created_at=run.created_at,
            path=str(folder),
            job_id=run.jobs[0].id,
        )
    ]
    page = anyone.open(f"{BASE}/runs/{run.id}")
    assert "sha256:" + "ab" * 32 in page.text
    answer = anyone.web.get(scene.url + page.links['re"port'], timeout=30)
    assert zipfile.ZipFile(io.BytesIO(answer.content)).read("report.txt") == b"fine"
    assert "\n" not in answer.headers["content-disposition"]
    logs = anyone.web.get(scene.url + page.links["All logs (zip)"], timeout=30)
    assert b"hello" in zipfile.ZipFile(io.BytesIO(logs.content)).read("1_deploy.txt")
    anyone.open(f"{BASE}/runs/{run.id}/artifacts/8", status=404)
    scene.clock.time += timedelta(days=91)
    assert "Artifact has expired" in anyone.open(f"{BASE}/runs/{run.id}/artifacts/7", status=410).text


def test_a_log_is_searched_in_all_its_steps(anyone: Visitor, scene: Scene) -> None:
    run = ended(scene, *(f"line {number}" for number in range(3_000)), "\x1b[31mNo <b>Space</b>\x1b[0m left")
    page = anyone.open(f"{job_path(run)}?q=no+%3Cb%3Espace")
    assert "1 line with" in page.text
    assert "<mark>No &lt;b&gt;Space</mark>&lt;/b&gt; left" in page.html
    assert "line 12" not in page.text
    assert page.links["All steps"] == job_path(run)
    assert "0 lines with" in anyone.open(f"{job_path(run)}?q=nowhere").text
    assert "?show=2#step-2-3001" in page.html, "a line leads to its place in the log"


def test_each_line_has_its_time_for_who_wants_to_see_it(anyone: Visitor, scene: Scene) -> None:
    run = ended(scene, "hello")
    page = anyone.open(job_path(run))
    assert ("input", {"type": "checkbox", "id": "stamps"}) in page.tags
    times = [given for tag, given in page.tags if tag == "span" and given.get("class") == "at"]
    lines = [given for tag, given in page.tags if tag == "div" and given.get("class", "").startswith("line")]
    assert len(times) == len(lines) > 0
