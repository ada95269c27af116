"""The pages in a real browser: what people click, what comes by itself, and what foreign text cannot do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from rehearsal.github.identity import Identity
from rehearsal.github.issues import service as issues
from rehearsal.services import browser as browsers
from tests.rehearsal.github.pages.live_github import REPOSITORY, LiveGitHub

pytestmark = pytest.mark.world

BASE = f"/{REPOSITORY}"
WORKFLOW = f"{BASE}/actions/workflows/deploy-production.yml"
PATIENCE = 30_000

SignIn = Callable[[str], Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = str(browsers.get().path)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def github(tmp_path: Path) -> Iterator[LiveGitHub]:
    with LiveGitHub(tmp_path) as github:
        yield github


@pytest.fixture
def sign_in(chromium: Browser, github: LiveGitHub) -> Iterator[SignIn]:
    """A page of someone who is signed in. Whatever the console complains of fails the test."""
    complaints: list[str] = []
    contexts = []

    def enter(login: str) -> Page:
        context = chromium.new_context(base_url=github.address)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto("/login")
        page.get_by_role("button", name=f"Sign in as {login}").click()
        return page

    yield enter
    for context in contexts:
        context.close()
    assert complaints == []


def start(page: Page, version: str = "v1.2.0") -> str:
    """*Run workflow*; the address of the run."""
    page.goto(WORKFLOW)
    page.get_by_role("button", name="Run workflow").click()
    page.get_by_label("The tag to release, like v1.0.0").fill(version)
    page.get_by_role("button", name="Run workflow").click()
    page.wait_for_url("**/actions/runs/*")
    return page.url


def test_a_release_is_started_approved_and_watched_to_its_end(sign_in: SignIn, github: LiveGitHub) -> None:
    dev = sign_in("dev-1")
    address = start(dev)
    expect(dev.get_by_role("heading", name="Deploy v1.2.0 to production")).to_be_visible()
    expect(dev.get_by_text("dev-1 is not a reviewer of production-approval.")).to_be_visible(timeout=PATIENCE)
    expect(dev.get_by_role("button", name="Review deployments")).to_have_count(0)

    manager = sign_in("release-manager")
    manager.goto(address)
    manager.get_by_role("button", name="Review deployments").click()
    expect(manager.get_by_role("checkbox", name="production-approval")).to_be_checked()
    manager.get_by_label("Comment").fill("v1.2.0 may go")
    manager.get_by_role("button", name="Approve and deploy").click()
    expect(manager.get_by_text("Approved: production-approval.")).to_be_visible()

    # Nobody reloads from here on.
    expect(dev.get_by_text("release-manager approved production-approval")).to_be_visible(timeout=PATIENCE)
    expect(dev.get_by_role("link", name="In progress Deploy")).to_be_visible(timeout=PATIENCE)
    github.let_go()
    expect(dev.locator("#run-state")).to_contain_text("Success", timeout=PATIENCE)
    expect(dev.get_by_role("heading", name="Plan for v1.2.0")).to_be_visible()
    expect(dev.get_by_role("button", name="Re-run all jobs")).to_be_visible()
    expect(dev.get_by_role("button", name="Cancel workflow")).to_have_count(0)
    run = github.the_run()
    assert (run.conclusion, run.event.payload["inputs"]) == ("success", {"version": "v1.2.0", "loud": "false"})
    assert [(review.user, review.comment) for review in run.reviews] == [("release-manager", "v1.2.0 may go")]


def test_a_rejection_ends_the_run(sign_in: SignIn, github: LiveGitHub) -> None:
    start(sign_in("dev-1"))
    manager = sign_in("release-manager")
    manager.goto(f"{BASE}/actions")
    manager.get_by_role("link", name="Deploy v1.2.0 to production").click()
    manager.get_by_role("button", name="Review deployments").click()
    manager.get_by_role("button", name="Reject").click()
    expect(manager.locator("#run-state")).to_contain_text("Failure", timeout=PATIENCE)
    assert {job.name: job.conclusion for job in github.the_run().jobs} == {
        "Plan": "success",
        "Approval": "failure",
        "Deploy": "skipped",
    }


def test_new_runs_and_log_lines_come_by_themselves(sign_in: SignIn, github: LiveGitHub) -> None:
    watcher, dev = sign_in("release-manager"), sign_in("dev-1")
    watcher.goto(f"{BASE}/actions")
    expect(watcher.get_by_text("No run yet")).to_be_visible()
    address = start(dev, "v3.0.0")
    watcher.get_by_role("link", name="Deploy v3.0.0 to production").click()
    watcher.get_by_role("button", name="Review deployments").click()
    watcher.get_by_role("button", name="Approve and deploy").click()
    dev.goto(address)
    dev.get_by_role("link", name="In progress Deploy").click()
    expect(dev.get_by_text("looked 2 times", exact=True)).to_be_visible(timeout=PATIENCE)
    dev.get_by_text("Set up job").click()
    expect(dev.locator("#fold-1")).to_have_attribute("open", "")
    expect(dev.get_by_text("looked 20 times", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(dev.locator("#fold-1")).to_have_attribute("open", "")
    github.let_go()
    expect(dev.locator("#job-state")).to_contain_text("Success", timeout=PATIENCE)


def test_what_is_being_written_outlives_news_of_the_page(sign_in: SignIn, github: LiveGitHub) -> None:
    dev, other = sign_in("dev-1"), sign_in("release-manager")
    dev.goto(f"{BASE}/issues/new")
    dev.get_by_label("Title").fill("Approve v1.0.0")
    dev.get_by_role("button", name="Open issue").click()
    dev.get_by_label("Add a comment").fill("half a thou")
    other.goto(f"{BASE}/issues/1")
    other.get_by_label("Add a comment").fill("/approve sha256:ab")
    other.get_by_role("button", name="Comment").click()
    expect(other.get_by_text("/approve sha256:ab", exact=True)).to_be_visible()
    expect(dev.get_by_text("/approve sha256:ab", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(dev.get_by_label("Add a comment")).to_have_value("half a thou")


def test_the_form_can_be_used_with_the_keyboard_alone(sign_in: SignIn, github: LiveGitHub) -> None:
    page = sign_in("dev-1")
    page.goto(WORKFLOW)
    opener = page.get_by_role("button", name="Run workflow")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Deploy to Production")).to_be_visible()
    expect(page.get_by_role("button", name="Run workflow")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("version", exact=True).fill("v7.0.0")
    page.get_by_label("Tell everybody").focus()
    page.keyboard.press("Space")
    page.get_by_label("version", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/actions/runs/*")
    assert github.the_run().event.payload["inputs"] == {"version": "v7.0.0", "loud": "true"}


def test_a_required_input_is_asked_for_before_anything_is_sent(sign_in: SignIn, github: LiveGitHub) -> None:
    page = sign_in("dev-1")
    page.goto(f"{WORKFLOW}?dialog=open")
    page.get_by_role("button", name="Run workflow").click()
    expect(page.get_by_label("version", exact=True)).to_be_focused()
    assert github.runner.runs == {}


def test_foreign_text_runs_nothing(sign_in: SignIn, github: LiveGitHub) -> None:
    """The fixture fails on any dialog or error; the policy would refuse a script as an error too."""
    service = github.github.instance
    author = Identity(user=service.database.users["dev-1"])
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>[x](javascript:alert(4))"
    repository = service.repository(REPOSITORY)
    opened = issues.open_issue(
        service, repository, title=attack, body=attack, labels=["<b>x</b>"], assignees=[], by=author
    )
    github.run(opened)
    page = sign_in("dev-1")
    address = start(page, "<img src=x onerror=alert(5)>")
    page.goto(f"{BASE}/issues/1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert(1)</script>")
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x onerror=alert(5)>")
    page.get_by_role("link", name="Success Plan").click()
    expect(page.get_by_text("Show 8")).to_be_hidden()
    page.get_by_text("Plan it").click()  # a long log: it comes when it is unfolded
    expect(page.get_by_text("<script>document.title = 'owned'</script>", exact=True)).to_be_visible()
    assert "owned" not in page.title()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_telephone(chromium: Browser, github: LiveGitHub, sign_in: SignIn, scheme: str) -> None:
    address = start(sign_in("dev-1"), "v" + "1" * 120)
    context = chromium.new_context(
        base_url=github.address,
        viewport={"width": 375, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    job = f"{address}/job/{github.the_run().jobs[0].id}"
    below = ("", "/branches", "/compare", "/pulls", "/actions", "/releases", "/deployments")
    for path in ("/", "/login", WORKFLOW, *(f"{BASE}{part}" for part in below), address, job):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
    search = page.get_by_label("Search the log").bounding_box()
    assert search is not None
    assert search["width"] > 200
    shown = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (shown == "rgb(20, 23, 26)") == (scheme == "dark")
    context.close()
