"""Signing in, sessions, forms that only their owner can send, and who sees what."""

from __future__ import annotations

from datetime import timedelta

import requests

from rehearsal.github.pages.sessions import COOKIE
from tests.rehearsal.github.pages.visitor import Visitor
from tests.rehearsal.github.scene import Scene

PRIVATE = "techmate/secret"


def test_someone_signs_in_as_a_person_and_out_again(anyone: Visitor) -> None:
    page = anyone.open("/techmate/platform/issues")
    assert "Sign in" in page.links
    login = anyone.open(page.links["Sign in"])
    back = anyone.press(login, "Sign in as dev-1")
    assert back.url.endswith("/techmate/platform/issues")
    assert "dev-1" in back.links
    away = anyone.press(back, "Sign out")
    assert "Sign in" in away.links


def test_a_session_begins_anew_with_every_sign_in(anyone: Visitor) -> None:
    login = anyone.open("/login")
    before = anyone.web.cookies[COOKIE]
    anyone.press(login, "Sign in as dev-1")
    assert anyone.web.cookies[COOKIE] != before
    stale = Visitor(anyone.url)
    stale.web.cookies.set(COOKIE, before)
    assert "Sign in" in stale.open("/").links


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(scene: Scene) -> None:
    cookie = requests.get(f"{scene.url}/login", timeout=30).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_token_signs_its_owner_in_and_its_limits_hold(scene: Scene, anyone: Visitor) -> None:
    token = scene.do(scene.github.seed.token, "dev-1", permissions={"issues": "write", "contents": "read"})
    anyone.press(anyone.open("/login"), "Sign in with the token", token=token)
    assert "dev-1" in anyone.open("/").links
    assert "New issue" in anyone.open("/techmate/platform/issues").links
    workflow = anyone.open("/techmate/platform/actions/workflows/deploy-production.yml")
    assert "Run workflow" not in workflow.buttons()


def test_a_token_that_ends_takes_its_session_along(scene: Scene, anyone: Visitor) -> None:
    token = scene.do(scene.github.seed.token, "dev-1", lifetime=timedelta(hours=1))
    anyone.press(anyone.open("/login"), "Sign in with the token", token=token)
    assert "dev-1" in anyone.open("/").links
    scene.clock.time += timedelta(hours=2)
    assert "Sign in" in anyone.open("/").links


def test_an_unknown_token_is_refused_in_words(anyone: Visitor) -> None:
    page = anyone.press(anyone.open("/login"), "Sign in with the token", token="ghp_wrong")
    assert "That token is unknown, expired, or a job's." in page.text


def test_signing_in_leads_nowhere_else(anyone: Visitor) -> None:
    for target in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)"):
        visitor = Visitor(anyone.url)
        page = visitor.press(visitor.open("/login?next=" + requests.utils.quote(target, safe="")), "Sign in as dev-1")
        assert page.url == f"{anyone.url}/"


def test_a_form_without_its_secret_is_refused(scene: Scene, dev_1: Visitor) -> None:
    address = f"{scene.url}/techmate/platform/issues/new"
    for sent in ({"title": "x"}, {"title": "x", "csrf": "guessed"}, {"title": "x", "csrf": "ünicode"}):
        answer = dev_1.web.post(address, data=sent, timeout=30)
        assert answer.status_code == 403
        assert "This form is out of date" in answer.text
    assert scene.github.instance.repository("techmate/platform").issues == {}


def test_another_sessions_secret_does_not_count(scene: Scene, dev_1: Visitor, dev_2: Visitor) -> None:
    form, _ = dev_2.open("/techmate/platform/issues/new").form("Open issue")
    address = f"{scene.url}/techmate/platform/issues/new"
    answer = dev_1.web.post(address, data={**form.fields, "title": "x"}, timeout=30)
    assert answer.status_code == 403


def test_a_form_of_someone_signed_out_leads_to_the_door(scene: Scene) -> None:
    answer = requests.post(f"{scene.url}/techmate/platform/issues/new", data={"title": "x"}, timeout=30)
    assert answer.url.endswith("/login?next=%2Ftechmate%2Fplatform%2Fissues%2Fnew")


def test_a_form_that_is_too_large_or_no_text_is_refused(scene: Scene, dev_1: Visitor) -> None:
    address = f"{scene.url}/techmate/platform/issues/new"
    assert dev_1.web.post(address, data=b"a=" + b"x" * (1 << 20), timeout=30).status_code == 413
    assert dev_1.web.post(address, data=b"\xff\xfe", timeout=30).status_code == 400
    assert dev_1.web.post(address, data="&".join("a=1" for _ in range(2_000)), timeout=30).status_code == 400


def test_a_private_repository_is_not_there_for_others(
    scene: Scene, anyone: Visitor, dev_1: Visitor, on_call: Visitor
) -> None:
    scene.run(scene.github.seed.repository(PRIVATE, files={"a": "b"}, private=True, roles={"dev-1": "read"}))
    assert PRIVATE in dev_1.open("/").text
    assert dev_1.open(f"/{PRIVATE}").status == 200
    for visitor in (anyone, on_call):
        assert PRIVATE not in visitor.open("/").text
        for path in ("", "/actions", "/pulls", "/blob/main/a", "/raw/main/a"):
            assert "This page is not here" in visitor.open(f"/{PRIVATE}{path}", status=404).text


def test_a_token_for_one_repository_opens_no_other(scene: Scene, anyone: Visitor) -> None:
    scene.run(scene.github.seed.repository(PRIVATE, files={"a": "b"}, private=True, roles={"dev-1": "write"}))
    token = scene.do(scene.github.seed.token, "dev-1", permissions={}, repository="techmate/platform")
    anyone.press(anyone.open("/login"), "Sign in with the token", token=token)
    anyone.open(f"/{PRIVATE}", status=404)


def test_people_have_a_page_and_a_face(scene: Scene, anyone: Visitor) -> None:
    assert "techmate/platform" in anyone.open("/dev-1").text
    number = scene.github.instance.database.users["dev-1"].id
    face = anyone.web.get(f"{scene.url}/_avatars/{number}", timeout=30)
    assert face.headers["content-type"] == "image/svg+xml"
    assert ">D</text>" in face.text
    anyone.open("/nobody", status=404)
    assert "GitHub Actions" in anyone.open("/apps/github-actions").text


def test_every_page_forbids_what_it_does_not_bring(anyone: Visitor) -> None:
    for path, status in (("/", 200), ("/techmate/platform/actions", 200), ("/nowhere/at/all", 404)):
        headers = anyone.open(path, status=status).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_page_that_is_not_there_says_so_in_the_layout(anyone: Visitor) -> None:
    page = anyone.open("/techmate/platform/what/is/this", status=404)
    assert "This page is not here" in page.text
    assert "GitHub" in page.text
    assert anyone.open("/techmate/platform/").url == f"{anyone.url}/techmate/platform"
    assert anyone.open("/techmate/platform.git").url == f"{anyone.url}/techmate/platform"


def test_numbers_that_are_none_are_not_found(anyone: Visitor) -> None:
    for path in (
        "pull/x",
        "issues/999999999999999999999999",
        "actions/runs/²",
        "actions/runs/1/job/1",
        "runs/7",
        "rules/1",
    ):
        anyone.open(f"/techmate/platform/{path}", status=404)
