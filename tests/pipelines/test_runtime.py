"""Outputs, annotations and inputs as GitHub's runner reads them, with text from outside in them."""

import base64
import io
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from pipelines.errors import InputError, RefusedError
from pipelines.github import budget
from pipelines.runtime import Input, Runtime, fenced, run
from rehearsal.runner.masking import Masker

EVIL = "x\n::error::owned\nEOF\n%0A"


def workflow(tmp_path: Path, **more: str) -> Runtime:
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
    return Runtime(environ={"GITHUB_ACTIONS": "true", **files, **more}, stream=io.StringIO())


def printed(runtime: Runtime) -> str:
    assert isinstance(runtime.stream, io.StringIO)
    return runtime.stream.getvalue()


def test_an_output_cannot_break_out(tmp_path: Path) -> None:
    runtime = workflow(tmp_path)
    runtime.output("title", EVIL)
    lines = (tmp_path / "GITHUB_OUTPUT").read_text().splitlines()
    mark = lines[0].partition("<<")[2]
    assert lines[1:-1] == EVIL.split("\n")
    assert lines[-1] == mark
    assert mark not in EVIL


def test_an_annotation_stays_one_line(tmp_path: Path) -> None:
    runtime = workflow(tmp_path)
    runtime.annotate("error", EVIL, title="a,b:c", file="x.py", line=3)
    assert printed(runtime) == "::error file=x.py,line=3,title=a%2Cb%3Ac::x%0A::error::owned%0AEOF%0A%250A\n"


def test_reported_text_is_no_command(tmp_path: Path) -> None:
    runtime = workflow(tmp_path)
    runtime.say("::add-mask::a\n  ::error::b\nplain")
    assert [line for line in printed(runtime).splitlines() if line.startswith("::")] == []
    assert "plain" in printed(runtime)


def test_every_missing_input_is_named_at_once(tmp_path: Path) -> None:
    declared = [
        Input(name="a-b", doc="", required=True),
        Input(name="c", doc="", required=True),
        Input(name="d", doc="", default="5"),
    ]
    with pytest.raises(InputError, match="a-b, c"):
        workflow(tmp_path).inputs(declared)
    assert workflow(tmp_path, IN_A_B="1", IN_C="2").inputs(declared) == {"a-b": "1", "c": "2", "d": "5"}


def test_secrets_are_masked_line_by_line(tmp_path: Path) -> None:
    runtime = workflow(tmp_path, IN_KEY="first-line\nsecond-line")
    runtime.inputs([Input(name="key", doc="", secret=True)])
    assert printed(runtime) == "::add-mask::first-line\n::add-mask::second-line\n"


ADDRESS = "postgresql://deployer:p%40ss%2Fw0rd%20of%20ours@10.0.0.7/platform"
KEY = json.dumps(
    {"project_id": "techmate", "private_key": "-----BEGIN PRIVATE KEY-----\nline-of-the-key\n-----END", "n": 1}
)
PLANTED = {
    # what is given, and every way in which it, or what is in it, could be written
    'plain"secret é': [
        'plain"secret é',
        json.dumps('plain"secret é')[1:-1],
        "plain%22secret%20%C3%A9",
        "plain%22secret+%C3%A9",
    ],
    ADDRESS: [ADDRESS, "p%40ss%2Fw0rd%20of%20ours", "p@ss/w0rd of ours", "deployer:p@ss/w0rd of ours"],
    "postgresql://deployer:S3cr3t%zz@word@10.0.0.7:x/platform": ["S3cr3t%zz@word"],
    base64.b64encode(KEY.encode()).decode(): [
        KEY,
        "line-of-the-key",
        json.dumps("-----BEGIN PRIVATE KEY-----\nline-of-the-key")[1:-1],
    ],
    KEY: ["line-of-the-key", "-----BEGIN PRIVATE KEY-----"],
    "percent%2Dencoded%2Dsecret": ["percent-encoded-secret", "percent%2Dencoded%2Dsecret"],
    "two-lines\nof-a-secret": ["two-lines", "of-a-secret", "two-lines\\nof-a-secret", "two-lines%0Aof-a-secret"],
}


@pytest.mark.parametrize("in_workflow", [True, False])
@pytest.mark.parametrize("given", PLANTED)
def test_a_secret_is_in_nothing_that_is_written_however_it_is_written(
    tmp_path: Path, given: str, in_workflow: bool
) -> None:
    shown = list(PLANTED[given])
    plain = [text for text in PLANTED[given] if "\\" not in text and "%22" not in text]
    for text in plain:
        raw = text.encode()
        shown += [base64.b64encode(b"user:" + raw).decode(), base64.b64encode(raw).decode(), quote(text, safe="")]
    runtime = workflow(tmp_path, IN_KEY=given, GITHUB_ACTIONS="true" if in_workflow else "")

    def main(step: Runtime) -> None:
        step.inputs([Input(name="key", doc="", secret=True)])
        step.stream.truncate(0)
        step.stream.seek(0)
        for text in shown:
            step.say(f"see {text} here")
            step.summary(f"| {text} |")
            step.output("found", text)
            step.annotate("warning", f"it is {text}", title=text)
            with step.group(text):
                step.print(text)
        raise InputError(" ".join(shown), where=shown[0], why=shown[-1], next_step="rotate it")

    assert run(main, runtime) == InputError.exit_code
    written = "".join([printed(runtime), *(file.read_text() for file in tmp_path.iterdir())])
    for text in PLANTED[given]:
        assert text not in written
        assert text.replace("%", "%25") not in written
    for text in plain:
        assert base64.b64encode(text.encode()).decode().rstrip("=")[:-1] not in written
        assert quote(text, safe="") not in written
        # In Basic credentials, without what holds bits of the neighbours.
        assert base64.b64encode(b"user:" + text.encode()).decode()[8 : (5 + len(text.encode())) * 8 // 6] not in written
    assert "rotate it" in written


@pytest.mark.parametrize("given", PLANTED)
def test_the_runner_is_reported_what_it_cannot_know(tmp_path: Path, given: str) -> None:
    """Its own encodings are those of actions/runner; decoded values and parts it learns from ::add-mask::."""
    runtime = workflow(tmp_path, IN_KEY=given)
    runtime.inputs([Input(name="key", doc="", secret=True)])
    values = [line.removeprefix("::add-mask::").replace("%25", "%") for line in printed(runtime).splitlines()]
    runner = Masker([given, *values])
    for text in PLANTED[given]:
        assert runner.reveals(f"x{text}y"), text
        assert text not in runner.mask(f"x {text} y")


def test_ordinary_words_stay_readable(tmp_path: Path) -> None:
    runtime = workflow(tmp_path, IN_KEY="postgresql://app:app@localhost/app")
    runtime.inputs([Input(name="key", doc="", secret=True)])
    runtime.say("the app is up")
    assert printed(runtime).endswith("the app is up\n")


def test_input_star_of_other_runners_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        workflow(tmp_path, INPUT_KEY="value").inputs([Input(name="key", doc="", required=True)])


def test_a_refusal_is_shown_once_with_its_code(tmp_path: Path) -> None:
    def refuse(runtime: Runtime) -> int:
        raise RefusedError("no", next_step="ask")

    runtime = workflow(tmp_path)
    assert run(refuse, runtime) == 6
    assert printed(runtime).count("::error") == 1
    assert "ask" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()


def test_a_bug_shows_its_trace(tmp_path: Path) -> None:
    def fail(runtime: Runtime) -> int:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        run(fail, workflow(tmp_path))


@pytest.mark.parametrize("text", ["```\nend", "`````", "plain"])
def test_a_fence_cannot_be_closed(text: str) -> None:
    fence = fenced(text).splitlines()[0].removesuffix("text")
    assert fence not in text


def test_the_requests_to_github_are_reported_for_the_step_and_for_the_job(tmp_path: Path) -> None:
    handed_on = tmp_path / "env"
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_ENV": str(handed_on), budget.JOB_REQUESTS: "12"}
    stream = io.StringIO()

    def main(runtime: Runtime) -> int:
        text = {"limit": "1000", "remaining": "60", "reset": "1900000000"}
        headers = {f"x-ratelimit-{name}": value for name, value in text.items()}
        for status in (200, 304):
            budget.of_account("https://api.github.com", "t").count(status, headers)
        return 0

    assert run(main, Runtime(environ=environ, stream=stream)) == 0
    text = stream.getvalue()
    assert "GitHub: 2 requests (1 unchanged, which cost nothing); 60 of 1,000 are left until 17:46:40 UTC\n" in text
    assert "::warning title=GitHub::few requests are left this hour" in text
    assert "GitHub: 14 requests in this job so far\n" in text
    assert handed_on.read_text().splitlines()[1] == "14"
