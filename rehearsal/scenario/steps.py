"""The steps that scenarios are written with: change, pull request, merge, tag, dispatch, approve, and what is expected of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from rehearsal.scenario import workflows
from rehearsal.scenario.assertions import ExpectationFailed, eventually, expect
from rehearsal.scenario.event_log import EventLog, LoggedEvent
from rehearsal.scenario.synthetic_users import SyntheticUsers
from rehearsal.scenario.user import User
from rehearsal.scenario.world_client import WorldClient

UNDER_WAY = ("in_progress", "waiting", "pending", "queued")
"""What the world shows of a run that has not ended."""
COLD_START_SECONDS = 60
"""How long the first answer of an application may take that is only now started."""
RUN_SECONDS = 400
"""Limit of a run on a busy machine; alone it takes a tenth."""
UNTITLED_TRAFFIC = "requests of users"
"""The text of an event with users' requests that has no better one: the report names what went on meanwhile."""


@dataclass(kw_only=True)
class Scenario:
    """A world, its users, and the log of what they did."""

    world: WorldClient
    log: EventLog
    users: dict[str, User] = field(default_factory=dict)

    def user(self, login: str) -> User:
        """A user with a clone of the repository."""
        if login not in self.users:
            self.users[login] = User(login=login, world=self.world, log=self.log)
            self.users[login].clone_repository()
        return self.users[login]

    @property
    def observer(self) -> User:
        """The user by whom assertions read GitHub."""
        return self.user("release-manager")

    # the event log -------------------------------------------------------------------------------------------------

    def when(self, text: str, *, user: str = "") -> AbstractContextManager[LoggedEvent]:
        """The block is an action."""
        return self.log.record("action", text, user=user)

    def then(self, text: str, **facts: Any) -> AbstractContextManager[LoggedEvent]:
        """The block is an assertion."""
        return self.log.record("assertion", text, **facts)

    def log_live(self, release: str, environment: str) -> None:
        self.log.add("live", f"{release} is live in {environment}", environment=environment, release=release)

    @contextmanager
    def user_traffic(
        self,
        environment: str = "production",
        text: str = UNTITLED_TRAFFIC,
        *,
        every: float = SyntheticUsers.every,
        notes: bool = False,
    ) -> Iterator[SyntheticUsers]:
        """Synthetic users send requests for the length of the block; the report shows what came of them."""
        users = SyntheticUsers(world=self.world, environment=environment, every=every, notes=notes)
        try:
            with users:
                yield users
        finally:
            requests = {name: [[r.at, r.ms, r.ok, r.answer] for r in sent] for name, sent in users.requests.items()}
            self.log.add("traffic", text, environment=environment, requests=requests)

    # a change ------------------------------------------------------------------------------------------------------

    def push_branch(self, user: User, name: str, message: str) -> None:
        """Commit what was edited on a new branch, and push it."""
        user.git("switch", "-q", "-c", name)
        user.git("add", "-A")
        user.git("commit", "-q", "-m", message)
        user.command(f"git push -q origin {name}")

    def open_pull_request(self, user: User, branch: str, title: str, body: str = "", *, base: str = "main") -> int:
        with self.when(f"opens the pull request “{title}”", user=user.login):
            made = user.api("POST", "pulls", {"title": title, "head": branch, "base": base, "body": body})
        return int(made["number"])

    def approve_pull_request(self, user: User, number: int) -> None:
        with self.when(f"approves pull request #{number}", user=user.login):
            user.api("POST", f"pulls/{number}/reviews", {"event": "APPROVE", "body": "Good."})

    def merge(self, user: User, branch: str) -> str:
        """The quick start's own commands; the new head of main."""
        for line in (
            "git checkout -q main",
            "git pull -q origin main",
            f"git merge -q --no-edit {branch}",
            "git push -q origin main",
        ):
            user.command(line)
        return user.head()

    def tag(self, user: User, version: str) -> None:
        user.command(f"git tag {version}")
        user.command(f"git push -q origin {version}")

    def next_version(self) -> str:
        """A version higher than every tag."""
        self.observer.git("fetch", "-q", "--tags", "origin")
        tags = self.observer.git("tag", "--list", "v*").out.split()
        numbers = [re.match(r"v(\d+)\.(\d+)\.", tag) for tag in tags]
        major, minor = max(((int(found[1]), int(found[2])) for found in numbers if found), default=(1, 0))
        return f"v{major}.{minor + 1}.0"

    # runs ----------------------------------------------------------------------------------------------------------

    def dispatch(self, user: User, workflow: str, **inputs: str) -> int:
        """*Run workflow*; the id of the run."""
        shown = ", ".join(f"{key}: {value}" for key, value in inputs.items())
        with self.when(f"runs the workflow {workflow} ({shown})", user=user.login):
            body = {"ref": "main", "inputs": inputs, "return_run_details": True}
            answer = user.api("POST", f"actions/workflows/{workflow}/dispatches", body)
        return int(answer["workflow_run_id"])

    def disable_workflow(self, workflow: str) -> None:
        """No event starts it until `enable_workflow`."""
        self.observer.api("PUT", f"actions/workflows/{workflow}/disable")

    def enable_workflow(self, workflow: str) -> None:
        self.observer.api("PUT", f"actions/workflows/{workflow}/enable")

    def rerun_failed_jobs(self, run: int) -> None:
        """*Re-run failed jobs*."""
        self.observer.api("POST", f"actions/runs/{run}/rerun-failed-jobs")

    def find_run(self, sha: str, workflow: str, event: str, *, branch: str = "") -> int:
        """The id of the run that an event started; of one branch, where the commit is on several."""

        def find() -> int | None:
            listed = self.observer.api("GET", f"actions/runs?head_sha={sha}&event={event}&per_page=50")["workflow_runs"]
            fits = (run for run in listed if run["path"].endswith(workflow) and branch in ("", run["head_branch"]))
            return next((int(run["id"]) for run in fits), None)

        return eventually(find, f"a run of {workflow} for {sha[:7]}", seconds=60)

    def staging_run_after(self, ci_run: int) -> int:
        """The id of the staging run that the end of a CI run started. It is of the default branch, whatever that run was of."""

        def find() -> int | None:
            runs = self.world.inspect("runs")
            later = [one for one in runs if one["id"] > ci_run and one["workflow"] == workflows.STAGING_NAME]
            return next((int(one["id"]) for one in later if one["event"] == "workflow_run"), None)

        return eventually(find, f"a staging run after run {ci_run}", seconds=60)

    def run_state(self, run: int) -> dict[str, Any]:
        """A run as the world shows it. For waiting: asking GitHub again and again would use up a user's requests of the hour."""
        found: list[dict[str, Any]] = self.world.inspect(f"runs?id={run}")
        return found[0]

    def wait_for_run(self, run: int, *, seconds: float = RUN_SECONDS) -> dict[str, Any]:
        """The run, once it has ended."""
        with self.log.record("wait", f"run {run}", run=run) as event:
            eventually(lambda: self._has_ended(run), f"run {run} to end", seconds=seconds, every=0.2)
            found: dict[str, Any] = self.observer.api("GET", f"actions/runs/{run}")
            event.text = f"{found['name']} #{found['run_number']}: {found['conclusion']}"
            event.facts["conclusion"] = found["conclusion"]
            return found

    def expect_conclusion(self, run: int, conclusion: str) -> dict[str, Any]:
        """The run, once it has ended with this conclusion. Raises ExpectationFailed, with the logs of what failed."""
        found = self.wait_for_run(run)
        if found["conclusion"] != conclusion:
            raise ExpectationFailed(
                f"{found['name']} ended with {found['conclusion']}, not {conclusion}\n{self.failure_logs(run)}"
            )
        return found

    def jobs(self, run: int) -> dict[str, dict[str, Any]]:
        """Jobs by name."""
        listed = self.observer.api("GET", f"actions/runs/{run}/jobs?per_page=100")["jobs"]
        return {job["name"]: job for job in listed}

    def job_conclusions(self, run: int) -> dict[str, str | None]:
        """Name of a job -> its conclusion."""
        return {name: job["conclusion"] for name, job in self.jobs(run).items()}

    def started_jobs(self, run: int) -> set[str]:
        """Names of the jobs that were not skipped."""
        return {name for name, conclusion in self.job_conclusions(run).items() if conclusion not in ("skipped", None)}

    def job_log(self, job: int) -> str:
        """The log of a job, by its id; empty when there is none."""
        return str(self.observer.api("GET", f"actions/jobs/{job}/logs", ok=(200, 302, 404, 410)))

    def failure_logs(self, run: int) -> str:
        """The last log lines of each failed job."""
        lines = []
        for name, job in self.jobs(run).items():
            if job["conclusion"] in ("failure", "timed_out"):
                lines += [f"--- {name}", *self.job_log(job["id"]).splitlines()[-25:]]
        return "\n".join(lines)

    def wait_for_review(self, run: int) -> list[str]:
        """Names of the environments the run waits for, once it does. Raises ExpectationFailed when the run ends instead."""

        def alive() -> None:
            if self._has_ended(run):
                found = self.observer.api("GET", f"actions/runs/{run}")
                raise ExpectationFailed(
                    f"run {run} ended with {found['conclusion']} before it asked for approval\n{self.failure_logs(run)}"
                )

        eventually(
            lambda: bool(self.run_state(run)["waits_for"]),
            f"run {run} to ask for approval",
            seconds=180,
            every=0.2,
            alive=alive,
        )
        pending = self.observer.api("GET", f"actions/runs/{run}/pending_deployments")
        return [item["environment"]["name"] for item in pending]

    def review(self, user: User, run: int, state: str, comment: str, *, ok: tuple[int, ...] = (200,)) -> None:
        """*Review deployments*."""
        pending = self.observer.api("GET", f"actions/runs/{run}/pending_deployments")
        ids = [item["environment"]["id"] for item in pending]
        with self.when(f"reviews the deployment: {state} (“{comment}”)", user=user.login):
            body = {"environment_ids": ids, "state": state, "comment": comment}
            user.api("POST", f"actions/runs/{run}/pending_deployments", body, ok=ok)

    def _has_ended(self, run: int) -> bool:
        return self.run_state(run)["conclusion"] not in UNDER_WAY

    # deliveries ----------------------------------------------------------------------------------------------------

    def deliver_to_staging(self, user: User, reviewer: User, branch: str, title: str) -> str:
        """Pull request, CI, review, merge, staging; the new head of main."""
        number = self.open_pull_request(user, branch, title)
        self.expect_conclusion(self.find_run(user.head(branch), workflows.CI, "pull_request"), "success")
        self.approve_pull_request(reviewer, number)
        sha = self.merge(user, branch)
        merged = user.api("GET", f"pulls/{number}")
        expect(merged["merged"], f"pull request #{number} is shown as merged", merged["state"])
        self.expect_conclusion(self.find_run(sha, workflows.STAGING, "push"), "success")
        self.log.add("live", f"{sha[:7]} is live on staging", environment="staging", release=f"sha-{sha[:7]}")
        return sha

    def start_release(self, version: str, *, dispatcher: str = "dev-1", approver: str = "release-manager") -> int:
        """Dispatch the production workflow, and approve it; the run."""
        run = self.dispatch(self.user(dispatcher), workflows.PRODUCTION, version=version)
        expect(self.wait_for_review(run) == [workflows.APPROVAL_ENVIRONMENT], "one approval is asked for")
        self.review(self.user(approver), run, "approved", f"{version} may go")
        return run

    def deliver_to_production(self, version: str, *, dispatcher: str = "dev-1") -> int:
        """`start_release`, and success; the run."""
        run = self.start_release(version, dispatcher=dispatcher)
        self.expect_conclusion(run, "success")
        self.log_live(version, "production")
        return run

    # what is live --------------------------------------------------------------------------------------------------

    def status(self, environment: str) -> dict[str, str]:
        """Component -> release, as `shipmate status` says."""
        result = self.observer.run(*self.observer.resolve(["shipmate", "status", "-e", environment, "--json"]))
        return {row["component"]: row["release"] for row in json.loads(result.out)}

    def public_releases(self, environment: str) -> dict[str, str]:
        """Component -> release, as the public addresses say; of those that say it."""
        with self.world.https_client() as client:
            client.timeout = COLD_START_SECONDS
            return {
                component: self.world.read_release(
                    self.world.request_release(client, environment, component), environment, component
                )
                for component in self.world.releases[environment]
            }

    def start_apps(self) -> None:
        """In a copied world the first requests start the apps of production. On a busy machine one may not be ready before its
        startup probe gives up; the next request starts it again."""

        def serves() -> bool:
            try:
                return bool(self.public_releases("production"))
            except ValueError:  # the answer of the platform, not of an app
                return False

        eventually(serves, "the apps of production to answer", seconds=2 * COLD_START_SECONDS, every=1.0)

    def expect_live(self, version: str) -> None:
        """Production serves this version, and every component says so at its public address."""
        live = self.public_releases("production")
        expect(set(live.values()) == {version}, f"every component answers with {version}", live)

    def expect_notified(self, release: str, since: int) -> None:
        """Slack and mail got a message about a release, after the first `since` messages."""
        sent = self.world.notifications()[since:]
        ways = {message["via"] for message in sent if release in message["text"]}
        expect(ways >= {"slack", "smtp"}, f"Slack and mail were notified of {release}", sent)

    def expect_unpublished(self, version: str) -> None:
        """There is no GitHub release of it."""
        self.observer.api("GET", f"releases/tags/{version}", ok=(404,))

    def expect_released_once(self, version: str) -> None:
        """One of everything: revision, deployment, record in the ledger, GitHub release."""
        listed = self.observer.api("GET", "deployments?environment=production&per_page=100")
        records = [d for d in listed if d["task"] == "shipmate" and d["payload"].get("release") == version]
        expect(len(records) == 1, "one record in the ledger", len(records))
        releases = [r for r in self.observer.api("GET", "releases?per_page=100") if r["tag_name"] == version]
        expect(len(releases) == 1, "one GitHub release", len(releases))
        deployments = self.world.deployments_of(version)
        expect(deployments["vercel"] == 1, "one Vercel deployment", deployments)
        expect(deployments["cloud-run"] <= 2, "one candidate and one live revision at Cloud Run", deployments)
