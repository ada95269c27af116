"""One comment on the pull request, updated in place; the summary of the job where the token cannot write."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from pipelines.ci import comment, jobs, needs, report
from pipelines.errors import CredentialsError, ShipmateError
from pipelines.github import GitHub
from pipelines.runtime import Input, Output, Runtime

INPUTS = (
    Input(name="needs", doc="The jobs before, as toJSON(needs).", required=True),
    Input(
        name="token",
        doc="A token; it needs pull-requests write, and actions read for the links.",
        required=True,
        secret=True,
    ),
    Input(name="results", doc="The folder with the results of the checks.", default="results"),
    Input(name="workflow", doc="The workflow's file; each has a comment of its own.", default="ci.yml"),
    Input(name="author", doc="The account the token writes as; only its comments are touched.", default=comment.AUTHOR),
)
OUTPUTS: tuple[Output, ...] = ()


def main(runtime: Runtime) -> int:
    given = runtime.inputs(INPUTS)
    github = GitHub.from_environ({**runtime.environ, "GITHUB_TOKEN": given["token"]})
    done = _jobs(runtime, github)
    found = needs.parse(given["needs"], Path(given["results"]))
    found = dataclasses.replace(found, ended={job.title: job.conclusion for job in done if job.conclusion})
    run = _run(runtime, given["workflow"], done)
    text = report.markdown(found, run)
    runtime.summary(text)
    pull = runtime.event.get("pull_request") or {}
    if not pull:
        runtime.say("no pull request: the summary is the report")
        return 0
    try:
        place = comment.Comment(github, int(pull["number"]), run.workflow, author=given["author"])
        runtime.say(place.publish(text, comment.Stamp(run.number, run.attempt)))
    except CredentialsError as error:
        _could_not_write(runtime, error)
    return 0


def _jobs(runtime: Runtime, github: GitHub) -> list[jobs.Job]:
    """Those of this run. Without them the report has no links."""
    try:
        return jobs.of_run(github.brief(), runtime.run_id)
    except ShipmateError as error:
        runtime.say(f"no links to the jobs: {error.what}")
        return []


def _run(runtime: Runtime, workflow: str, done: list[jobs.Job]) -> report.Run:
    pull = runtime.event.get("pull_request") or {}
    return report.Run(
        number=int(runtime.environ.get("GITHUB_RUN_NUMBER") or 0),
        attempt=int(runtime.attempt or 1),
        commit=str((pull.get("head") or {}).get("sha") or runtime.environ.get("GITHUB_SHA", "")),
        url=runtime.run_url,
        workflow=workflow,
        links={job.title: job.url for job in done if job.url},
    )


def _could_not_write(runtime: Runtime, error: CredentialsError) -> None:
    """A fork's pull request comes with a token that only reads: that is as it should be, and the summary has the report."""
    pull = runtime.event.get("pull_request") or {}
    source = ((pull.get("head") or {}).get("repo") or {}).get("full_name")
    if source != runtime.environ.get("GITHUB_REPOSITORY"):
        runtime.annotate(
            "notice", "a fork's token cannot comment: the report is in the summary of this job", title="Report"
        )
    else:
        runtime.annotate(
            "warning", f"{error}\nThe report is in the summary of this job.", title="No comment was written"
        )
