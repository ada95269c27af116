"""What GitHub knows of the past of a repository, for tests: runs of CI, their jobs, pull requests, commits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipelines.ci.runs import GATE, WORKFLOW
from pipelines.errors import ProviderUnavailable


@dataclass
class Past:
    """Answers as `GitHub` does. `silent`: parts of paths that cannot be reached."""

    name: str = "shop/shop"
    runs: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[int, list[dict[str, str]]] = field(default_factory=dict)
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    trees: dict[str, str] = field(default_factory=dict)
    """Commit -> tree, of those the clone lacks."""
    newer: set[tuple[str, str]] = field(default_factory=set)
    """(before, head): the head has it."""
    silent: str = ""
    asked: list[str] = field(default_factory=list)

    def ran(self, commit: str, *, event: str = "push", branch: str = "main", path: str = WORKFLOW, **jobs: str) -> str:
        """A run that ended, with the conclusions of its jobs (`ci` is the required one, by itself green when all are); its address."""
        number = len(self.runs) + 1
        gate = jobs.pop(GATE, "success" if set(jobs.values()) <= {"success"} else "failure")
        url = f"https://github.example/runs/{number}"
        self.runs.append(
            {
                "id": number,
                "event": event,
                "head_sha": commit,
                "head_branch": branch,
                "path": path,
                "status": "completed",
                "run_attempt": 1,
                "html_url": url,
            }
        )
        named = [(name.replace("_", "-"), conclusion) for name, conclusion in jobs.items()]
        listed = [("Plan", "success"), *named, *([(GATE, gate)] if gate else [])]
        self.jobs[number] = [{"name": name, "conclusion": conclusion, "html_url": url} for name, conclusion in listed]
        return url

    def pull(self, commit: str, head: str, *, base: str = "main", merged: bool = True) -> None:
        """`commit` came by a pull request with this head."""
        made = {
            "head": {"sha": head},
            "base": {"ref": base},
            "state": "closed",
            "merged_at": "2026-01-01T00:00:00Z" if merged else None,
        }
        self.pulls.setdefault(commit, []).append(made)

    def json(self, method: str, path: str, body: Any = None) -> Any:
        self.asked.append(path)
        if self.silent and self.silent in path:
            raise ProviderUnavailable("GitHub cannot be reached")
        parts, query = urlsplit(path), parse_qs(urlsplit(path).query)
        below = parts.path.removeprefix(f"/repos/{self.name}/")
        match below.split("/"):
            case ["actions", "workflows", "ci.yml", "runs"]:
                wanted = {"event": "event", "head_sha": "head_sha", "branch": "head_branch", "status": "status"}
                given = {wanted[name]: value[0] for name, value in query.items() if name in wanted}
                return {"workflow_runs": [r for r in self.runs if all(r[key] == given[key] for key in given)]}
            case ["actions", "runs", number, "jobs"]:
                return {"jobs": self.jobs[int(number)]}
            case ["commits", commit, "pulls"]:
                return self.pulls.get(commit, [])
            case ["compare", span]:
                before, _, head = span.partition("...")
                return {"status": "ahead" if (before, head) in self.newer else "diverged"}
            case ["git", "commits", commit]:
                return {"tree": {"sha": self.trees[commit]}} if commit in self.trees else None
        raise AssertionError(f"nobody should ask for {path}")

    def find_json(self, path: str) -> Any:
        return self.json("GET", path)
