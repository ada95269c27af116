"""Our GitHub client: one policy for its plain calls and for PyGithub's, their failures in our words."""

from __future__ import annotations

import http.server
import io
import threading
import zipfile
from typing import Any

import pytest

from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable
from pipelines.faults import SURVIVED, MayHaveHappened, Policy
from pipelines.github import GitHub, GitHubRefused
from tests.shop import REPOSITORY, Shop

pytestmark = pytest.mark.world

REPO = f"/repos/{REPOSITORY}"


@pytest.fixture
def github(shop: Shop) -> GitHub:
    return GitHub(REPOSITORY, shop.person("dev-1").token, api_url=shop.url, policy=Policy(scale=0.0))


def test_what_may_not_exist_is_none(github: GitHub) -> None:
    assert github.find_json(f"{REPO}/git/ref/heads/nowhere") is None
    found = github.find_json(f"{REPO}/git/ref/heads/main")
    assert found is not None
    with pytest.raises(GitHubRefused, match="HTTP 404: Not Found") as error:
        github.json("GET", f"{REPO}/git/ref/heads/nowhere")
    assert error.value.status == 404


def test_a_refusal_has_githubs_own_words_and_details(github: GitHub) -> None:
    with pytest.raises(GitHubRefused, match=r"HTTP 422: .*No ref found for: nowhere") as error:
        github.json("POST", f"{REPO}/deployments", {"ref": "nowhere"})
    assert (error.value.status, error.value.exit_code) == (422, 8)
    long = {"ref": "main", "description": "x" * 200}
    with pytest.raises(GitHubRefused, match=r"HTTP 422: Validation Failed \(description is too long"):
        github.json("POST", f"{REPO}/deployments", long)


def test_the_version_of_the_api_is_reported_and_one_that_is_unknown_is_refused(
    shop: Shop, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert github.library.requester.api_version == "2022-11-28"
    monkeypatch.setattr("pipelines.github.client.API_VERSION", "2008-04-10")
    later = GitHub(REPOSITORY, github.token, api_url=shop.url, policy=Policy(scale=0.0))
    with pytest.raises(GitHubRefused, match="HTTP 400: 2008-04-10 is not a version"):
        later.json("GET", REPO)


def test_a_document_that_did_not_change_is_read_again_at_no_cost(shop: Shop, github: GitHub) -> None:
    first = github.json("GET", REPO)
    first["name"] = "changed by who read it"
    left = github.budget.remaining
    again = github.json("GET", REPO)
    assert again == {**first, "name": again["name"]} and again["name"] != first["name"]
    assert github.brief().json("GET", REPO) == again, "what must not wait knows the same documents"
    assert (github.budget.made, github.budget.unchanged, github.budget.remaining) == (3, 2, left)
    github.json("POST", f"{REPO}/issues", {"title": "one"})
    assert [len(github.json("GET", f"{REPO}/issues")) for _ in range(2)] == [1, 1]
    github.json("POST", f"{REPO}/issues", {"title": "two"})
    assert len(github.json("GET", f"{REPO}/issues")) == 2, "a document that changed is a new one"


def test_a_document_that_was_read_becomes_an_object_of_pygithub_without_a_request(github: GitHub) -> None:
    from github.Repository import Repository

    known = github.known(Repository, github.json("GET", REPO))
    made = github.budget.made
    assert known.full_name == REPOSITORY
    assert github.budget.made == made == 1
    assert github.call("read a branch", lambda: known.get_branch("main").name) == "main"
    assert github.budget.made == 2


def test_tokens(shop: Shop) -> None:
    wrong = GitHub(REPOSITORY, "wrong-and-secret", api_url=shop.url, policy=Policy(scale=0.0))
    with pytest.raises(CredentialsError, match=r"HTTP 401(.|\n)*wrong, expired or revoked") as unknown:
        wrong.json("GET", REPO)
    assert "wrong-and-secret" not in str(unknown.value)
    weak = GitHub(REPOSITORY, shop.person("stranger").token, api_url=shop.url, policy=Policy(scale=0.0))
    with pytest.raises(CredentialsError, match=r"HTTP 403(.|\n)*lacks a permission"):
        weak.json("POST", f"{REPO}/deployments", {"ref": "main"})


@pytest.mark.parametrize("kind", ["status", "cut", "throttle"])
def test_reads_are_asked_again_and_it_is_reported(shop: Shop, github: GitHub, kind: str) -> None:
    shop.fault(kind=kind, times=3)
    assert github.json("GET", REPO)["full_name"] == REPOSITORY
    assert len(SURVIVED.events) == 3
    assert all("tried again" in event for event in SURVIVED.events)


def test_after_all_tries_it_says_so(shop: Shop, github: GitHub) -> None:
    shop.fault(kind="status", times=None)
    with pytest.raises(ProviderUnavailable, match="still failing after 5 tries"):
        github.json("GET", REPO)
    assert len(shop.faults.fired) == 5
    with pytest.raises(ProviderUnavailable, match="still failing after 2 tries"):
        github.brief().json("GET", REPO)


@pytest.mark.parametrize("kind", ["status", "cut", "lose_answer"])
def test_a_write_without_a_clear_answer_is_not_sent_again(shop: Shop, github: GitHub, kind: str) -> None:
    shop.fault(kind=kind, method="POST")
    with pytest.raises(MayHaveHappened, match=r"no clear answer to a write(.|\n)*reads the real state first"):
        github.json("POST", f"{REPO}/issues", {"title": "once"})
    assert len(shop.faults.fired) == 1
    assert len(github.json("GET", f"{REPO}/issues")) == (kind == "lose_answer")


def test_a_write_that_was_limited_did_not_happen_and_is_sent_again(shop: Shop, github: GitHub) -> None:
    shop.fault(kind="throttle", method="POST", times=2)
    github.json("POST", f"{REPO}/issues", {"title": "once"})
    assert len(github.json("GET", f"{REPO}/issues")) == 1


def test_a_primary_rate_limit_is_waited_for(shop: Shop) -> None:
    """403 with Retry-After is a limit, not a lack of permission."""
    waits: list[float] = []
    policy = Policy(sleep=waits.append, jitter=lambda: 0.0)
    github = GitHub(REPOSITORY, shop.person("dev-1").token, api_url=shop.url, policy=policy)
    shop.fault(kind="throttle", retry_after=7)
    github.json("GET", REPO)
    assert waits == [7.0]


SECONDARY = {
    "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
}


@pytest.mark.parametrize("way", ["plain", "PyGithub", "download"])
def test_a_secondary_limit_without_headers_is_waited_for_and_is_no_missing_permission(shop: Shop, way: str) -> None:
    waits: list[float] = []
    policy = Policy(sleep=waits.append, jitter=lambda: 0.0)
    run = shop.start()
    shop.upload(run, "things", {"a.txt": b"x"})
    github = GitHub(REPOSITORY, shop.job(run).token, api_url=shop.url, policy=policy)
    (artifact,) = shop.job(run).get(f"{REPO}/actions/runs/{run.id}/artifacts")["artifacts"]
    shop.fault(kind="status", status=403, body=SECONDARY)
    if way == "plain":
        github.json("POST", f"{REPO}/issues", {"title": "once"})
    elif way == "download":
        assert github.download(f"{REPO}/actions/artifacts/{artifact['id']}/zip", most=10_000)
    else:
        assert github.call("read", lambda: github.library.get_repo(REPOSITORY).get_branch("main").name) == "main"
    assert waits == [60.0]
    assert len(shop.faults.fired) == 1


def test_a_secondary_limit_that_stays_is_reported_with_the_time_to_come_back(shop: Shop) -> None:
    waits: list[float] = []
    policy = Policy(sleep=waits.append, jitter=lambda: 0.0)
    github = GitHub(REPOSITORY, shop.person("dev-1").token, api_url=shop.url, policy=policy)
    shop.fault(kind="status", status=403, body=SECONDARY, times=None)
    with pytest.raises(ProviderUnavailable, match=r"secondary rate limit\); asked us to wait 120 s") as error:
        github.json("GET", REPO)
    assert "run the same command again after" in error.value.next_step
    assert waits == [60.0]
    waits.clear()
    with pytest.raises(ProviderUnavailable, match="asked us to wait 60 s"):
        github.brief().json("GET", REPO)
    assert waits == [], "what must not wait for GitHub waits for no limit"


def test_roles_of_people(shop: Shop, github: GitHub) -> None:
    """`permission` calls maintain write; who is unknown, or no collaborator, has none."""
    people = ("release-manager", "dev-1", "stranger", "nobody-at-all")
    assert [github.role(login) for login in people] == ["maintain", "write", "read", "none"]
    shop.fault(kind="status", path="/collaborators/", times=1)
    assert github.role("dev-1") == "write"


def test_a_file_is_downloaded_whole_and_never_more_than_allowed(shop: Shop) -> None:
    run = shop.start()
    shop.upload(run, "things", {"a.txt": b"x" * 10_000})
    (artifact,) = shop.job(run).get(f"{REPO}/actions/runs/{run.id}/artifacts")["artifacts"]
    github = GitHub(REPOSITORY, shop.job(run).token, api_url=shop.url, policy=Policy(scale=0.0))
    path = f"{REPO}/actions/artifacts/{artifact['id']}/zip"
    with zipfile.ZipFile(io.BytesIO(github.download(path, most=100_000))) as archive:
        assert archive.read("a.txt") == b"x" * 10_000
    with pytest.raises(ProviderError, match="is larger than 50 bytes"):
        github.download(path, most=50)
    with pytest.raises(GitHubRefused, match="HTTP 404"):
        github.download(f"{REPO}/actions/artifacts/1/zip", most=100)
    shop.fault(kind="cut", path="/zip", times=1)
    assert github.download(path, most=100_000)


def test_a_download_that_breaks_off_is_asked_for_again() -> None:
    """The answer has started: the first of two ends in the middle of the file."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"0123" if len(asked) == 1 else b"0123456789")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            github = GitHub("o/r", "t", api_url=url, policy=Policy(scale=0.0))
            assert github.download("/file", most=100) == b"0123456789"
            asked.clear()
            brief = GitHub("o/r", "t", api_url=url, policy=Policy(scale=0.0, tries=1))
            with pytest.raises(ProviderUnavailable, match="after 1 tries"):
                brief.download("/file", most=100)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "GITHUB_TOKEN, GITHUB_REPOSITORY"),
        ({"GITHUB_TOKEN": "t"}, "GITHUB_REPOSITORY"),
        ({"GITHUB_REPOSITORY": "o/r"}, "GITHUB_TOKEN"),
        ({"GITHUB_TOKEN": "", "GH_TOKEN": "", "GITHUB_REPOSITORY": ""}, "GITHUB_TOKEN, GITHUB_REPOSITORY"),
    ],
)
def test_all_that_is_missing_is_named_at_once(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(CredentialsError, match=f"not set: {missing}\n") as error:
        GitHub.from_environ(environ)
    assert "github.token" in error.value.next_step


def test_from_the_environment(shop: Shop) -> None:
    made: dict[str, Any] = {"GH_TOKEN": "t", "GITHUB_REPOSITORY": "o/r"}
    assert (GitHub.from_environ(made).api_url, GitHub.from_environ(made).token) == ("https://api.github.com", "t")
    assert GitHub.from_environ({**made, "GITHUB_API_URL": shop.url}).api_url == shop.url
