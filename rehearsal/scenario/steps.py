"""What people do every day, as short phrases for the stories: change, pull request, merge, tag, dispatch, approve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import workflows
from rehearsal.scenario.event_log import Diary
from rehearsal.scenario.user import Person
from rehearsal.scenario.world_client import Place

UNDER_WAY = ("in_progress", "waiting", "pending", "queued")
"""What the world shows of a run that has not ended."""
COLD_START_SECONDS = 60
"""How long a person waits for the first answer of an app that is only now started."""
RUN_SECONDS = 400
"""Bound of a run on a busy machine; alone it takes a tenth."""


@dataclass(kw_only=True)
class Routine:
    """A place, its people, and a diary of what they did."""

    place: Place
    diary: Diary
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, login: str) -> Person:
        if login not in self.people:
            self.people[login] = Person(login=login, place=self.place, diary=self.diary)
            self.people[login].clones()
        return self.people[login]

    # a change ------------------------------------------------------------------------------------------------------

    def branch(self, who: Person, name: str, message: str) -> None:
        """Commit what was edited on a new branch, and push it."""
        who.git("switch", "-q", "-c", name)
        who.git("add", "-A")
        who.git("commit", "-q", "-m", message)
        who.types(f"git push -q origin {name}")

    def open_pull_request(self, who: Person, branch: str, title: str, body: str = "", *, base: str = "main") -> int:
        with self.diary.during("act", f"opens the pull request “{title}”", who=who.login):
            made = who.api("POST", "pulls", {"title": title, "head": branch, "base": base, "body": body})
        return int(made["number"])

    def approve_pull_request(self, who: Person, number: int) -> None:
        with self.diary.during("act", f"approves pull request #{number}", who=who.login):
            who.api("POST", f"pulls/{number}/reviews", {"event": "APPROVE", "body": "Good."})

    def merge(self, who: Person, branch: str) -> str:
        """The quick start's own commands; the new head of main."""
        for line in (
            "git checkout -q main",
            "git pull -q origin main",
            f"git merge -q --no-edit {branch}",
            "git push -q origin main",
        ):
            who.types(line)
        return who.git("rev-parse", "HEAD").out.strip()

    def tag(self, who: Person, version: str) -> None:
        who.types(f"git tag {version}")
        who.types(f"git push -q origin {version}")

    # workflows -----------------------------------------------------------------------------------------------------

    def dispatch(self, who: Person, workflow: str, **inputs: str) -> int:
        """*Run workflow*; the id of the run."""
        shown = ", ".join(f"{key}: {value}" for key, value in inputs.items())
        with self.diary.during("act", f"runs the workflow {workflow} ({shown})", who=who.login):
            body = {"ref": "main", "inputs": inputs, "return_run_details": True}
            answer = who.api("POST", f"actions/workflows/{workflow}/dispatches", body)
        return int(answer["workflow_run_id"])

    def run_of(self, sha: str, workflow: str, event: str, *, branch: str = "") -> int:
        """The id of the run that an event started; of one branch, where the commit is on several."""

        def find() -> int | None:
            listed = self.observer.api("GET", f"actions/runs?head_sha={sha}&event={event}&per_page=50")["workflow_runs"]
            fits = (run for run in listed if run["path"].endswith(workflow) and branch in ("", run["head_branch"]))
            return next((int(run["id"]) for run in fits), None)

        return proof.eventually(find, f"a run of {workflow} for {sha[:7]}", seconds=60)

    def followed(self, ci_run: int) -> int:
        """The id of the staging run that the end of a CI run started. It is of the default branch, whatever that run was of."""

        def find() -> int | None:
            runs = self.place.inspect("runs")
            later = [one for one in runs if one["id"] > ci_run and one["workflow"] == workflows.STAGING_NAME]
            return next((int(one["id"]) for one in later if one["event"] == "workflow_run"), None)

        return proof.eventually(find, f"staging to follow run {ci_run}", seconds=60)

    @property
    def observer(self) -> Person:
        """Whose eyes the story looks through."""
        return self.person("release-manager")

    def shown(self, run: int) -> dict[str, Any]:
        """A run as the world shows it. For waiting: looking at GitHub over and over would use up somebody's requests of the hour."""
        found: dict[str, Any] = next(one for one in self.place.inspect("runs") if one["id"] == run)
        return found

    def _has_ended(self, run: int) -> bool:
        return self.shown(run)["conclusion"] not in UNDER_WAY

    def finished(self, run: int, *, seconds: float = RUN_SECONDS) -> dict[str, Any]:
        """The run, once it has ended."""

        with self.diary.during("wait", f"run {run}", run=run) as entry:
            proof.eventually(lambda: self._has_ended(run), f"run {run} to end", seconds=seconds, every=0.2)
            found: dict[str, Any] = self.observer.api("GET", f"actions/runs/{run}")
            entry.text = f"{found['name']} #{found['run_number']}: {found['conclusion']}"
            entry.facts["conclusion"] = found["conclusion"]
            return found

    def must_end(self, run: int, conclusion: str) -> dict[str, Any]:
        """`finished`, with the conclusion the story expects; what went wrong instead is in the failure."""
        found = self.finished(run)
        if found["conclusion"] != conclusion:
            raise proof.Disproved(
                f"{found['name']} ended with {found['conclusion']}, not {conclusion}\n{self.trouble(run)}"
            )
        return found

    def jobs(self, run: int) -> dict[str, dict[str, Any]]:
        """Jobs by name."""
        listed = self.observer.api("GET", f"actions/runs/{run}/jobs?per_page=100")["jobs"]
        return {job["name"]: job for job in listed}

    def trouble(self, run: int) -> str:
        """The last log lines of each failed job."""
        lines = []
        for name, job in self.jobs(run).items():
            if job["conclusion"] in ("failure", "timed_out"):
                log = self.observer.api("GET", f"actions/jobs/{job['id']}/logs", ok=(200, 302, 404, 410))
                lines += [f"--- {name}", *str(log).splitlines()[-25:]]
        return "\n".join(lines)

    def waiting_for_review(self, run: int) -> list[str]:
        """Names of the environments the run waits for, once it does. Fails when the run ends instead."""

        def alive() -> None:
            if self._has_ended(run):
                found = self.observer.api("GET", f"actions/runs/{run}")
                raise proof.Disproved(
                    f"run {run} ended with {found['conclusion']} before it asked for approval\n{self.trouble(run)}"
                )

        proof.eventually(
            lambda: bool(self.shown(run)["waits_for"]), f"run {run} to ask for approval", seconds=180, alive=alive
        )
        pending = self.observer.api("GET", f"actions/runs/{run}/pending_deployments")
        return [item["environment"]["name"] for item in pending]

    def review(self, who: Person, run: int, state: str, comment: str, *, ok: tuple[int, ...] = (200,)) -> None:
        """*Review deployments*."""
        pending = self.observer.api("GET", f"actions/runs/{run}/pending_deployments")
        ids = [item["environment"]["id"] for item in pending]
        with self.diary.during("act", f"reviews the deployment: {state} (“{comment}”)", who=who.login):
            body = {"environment_ids": ids, "state": state, "comment": comment}
            who.api("POST", f"actions/runs/{run}/pending_deployments", body, ok=ok)

    # whole ways ----------------------------------------------------------------------------------------------------

    def change_reaches_staging(self, who: Person, reviewer: Person, branch: str, title: str) -> str:
        """Pull request, CI, review, merge, staging; the new head of main."""
        number = self.open_pull_request(who, branch, title)
        head = who.git("rev-parse", branch).out.strip()
        self.must_end(self.run_of(head, workflows.CI, "pull_request"), "success")
        self.approve_pull_request(reviewer, number)
        sha = self.merge(who, branch)
        merged = who.api("GET", f"pulls/{number}")
        proof.that(merged["merged"], f"pull request #{number} is shown as merged", merged["state"])
        self.must_end(self.run_of(sha, workflows.STAGING, "push"), "success")
        self.diary.note("live", f"{sha[:7]} is live on staging", environment="staging", release=f"sha-{sha[:7]}")
        return sha

    def release_reaches_production(
        self, version: str, *, dispatcher: str = "dev-1", approver: str = "release-manager"
    ) -> int:
        """Dispatch, approval, production; the run."""
        run = self.dispatch(self.person(dispatcher), workflows.PRODUCTION, version=version)
        proof.that(self.waiting_for_review(run) == [workflows.APPROVAL_ENVIRONMENT], "one approval is asked for")
        self.review(self.person(approver), run, "approved", f"{version} may go")
        self.must_end(run, "success")
        self.diary.note("live", f"{version} is live in production", environment="production", release=version)
        return run

    def live(self, environment: str) -> dict[str, str]:
        """Component -> release, as `shipmate status` says."""
        import json

        said = self.observer.run(*self.observer._found(["shipmate", "status", "-e", environment, "--json"]))
        return {row["component"]: row["release"] for row in json.loads(said.out)}

    def public_release(self, environment: str) -> dict[str, str]:
        """Component -> release, as the public addresses say; of those that say it."""
        with self.place.browser_like() as client:
            client.timeout = COLD_START_SECONDS
            return {
                component: self.place.release_in(
                    self.place.ask_release(client, environment, component), environment, component
                )
                for component in self.place.releases[environment]
            }
