"""Sites at addresses that any browser opens: routed by name, every address kept on this machine, pages of other sites kept out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from markupsafe import Markup

from rehearsal.emulator import Notification
from rehearsal.world.pages import linked
from rehearsal.world.plain_addresses import PlainAddresses
from tests.rehearsal.world.plain_world import API, HOSTILE, SITE, PlainWorld, alert, mail, plain_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainWorld]:
    with plain_world(tmp_path_factory.mktemp("world")) as started:
        yield started


def test_a_page_and_its_configuration_lead_to_this_machine_alone(world: PlainWorld) -> None:
    page = world.ask("GET", SITE, "/")
    assert f'<a href="{world.at(API)}/notes">' in page.text
    assert "https://" not in page.text
    assert page.headers["content-security-policy"].split("; ")[1] == f"connect-src 'self' {world.at(API)}"
    assert "upgrade-insecure-requests" not in page.headers["content-security-policy"]
    config = world.ask("GET", SITE, "/config.json").json()
    assert config["apiUrl"] == world.at(API)
    assert config["dsn"] == world.at(API).replace("//", "//key@") + "/1"
    assert config["other"] == f"https://{API}.evil.example", "a name that only begins as one of the world"


def test_the_api_is_asked_as_at_its_public_address(world: PlainWorld) -> None:
    answer = world.ask("POST", API, "/notes", Origin=world.at(SITE), Sec_Fetch_Site="same-site")
    assert answer.json() == {"url": f"{world.at(API)}/notes", "origin": world.at(SITE)}, (
        "it named https, which was made plain"
    )
    assert answer.headers["access-control-allow-origin"] == world.at(SITE)
    assert answer.headers["set-cookie"] == "session=1; HttpOnly; Path=/"
    away = world.ask("GET", API, "/away")
    assert away.headers["location"] == f"{world.at(SITE)}/welcome"
    assert "strict-transport-security" not in away.headers


def test_a_name_of_the_provider_leads_to_what_it_runs(world: PlainWorld) -> None:
    assert (
        world.ask("GET", "candidate---api-1.run.app", "/notes").json()["url"]
        == f"{world.at('candidate---api-1.run.app')}/notes"
    )
    assert world.ask("GET", "a.b.run.app", "/notes").status_code == 404


@pytest.mark.parametrize("origin", ["https://evil.example", f"https://{SITE}", f"http://{SITE}.localhost:1", "null"])
def test_pages_of_other_sites_change_nothing(world: PlainWorld, origin: str) -> None:
    """The real site is one of those: it is not the one in this world."""
    assert world.ask("POST", API, "/notes", Origin=origin).status_code == 403
    read = world.ask("GET", API, "/notes", Origin=origin)
    assert read.headers.get("access-control-allow-origin") != origin


def test_a_site_changes_nothing_at_github(world: PlainWorld) -> None:
    assert world.ask("POST", "github", "/login", Origin=world.at(SITE)).status_code == 403
    assert world.ask("POST", "github", "/login", Origin=world.at("github")).status_code == 200


def test_links_of_github_stay_inside_and_source_code_is_as_it_was_written(world: PlainWorld) -> None:
    page = world.ask("GET", "github", "/shop").text
    assert f'<a href="{world.at(SITE)}/">View</a>' in page
    assert f'<a href="{world.at("github")}/shop">Run</a>' in page
    assert f"<pre>url: https://{SITE}</pre>" in page


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "github.localhost", "api.github.localhost"])
def test_programs_find_github_as_before(world: PlainWorld, host: str) -> None:
    page = world.ask("GET", "github", "/shop", Host=host).text
    assert f"<i>{host}</i>" in page
    assert f'href="https://{SITE}/"' in page


def test_a_name_that_nobody_has_is_reported(world: PlainWorld) -> None:
    answer = world.ask("GET", "nobody", "/")
    assert answer.status_code == 404
    assert f'<a href="{world.at("world")}/">' in answer.text
    assert world.ask("GET", "x", "/", Host="evil.example").status_code == 421


def test_the_start_page_lists_the_sites_and_leads_to_the_messages(world: PlainWorld) -> None:
    page = world.ask("GET", "world", "/").text
    assert f'href="{world.at("github")}/acme/shop/actions"' in page
    assert 'href="/messages"' in page
    assert f'href="{world.at("api.acme.test")}/"' in page


def test_messages_are_shown_newest_first_and_are_text(world: PlainWorld) -> None:
    world.messages.clear()
    empty = world.ask("GET", "world", "/messages")
    assert "Nobody was sent anything yet" in empty.text
    world.messages += [mail(), alert()]
    page = world.ask("GET", "world", "/messages")
    assert page.text.index("#deployments") < page.text.index("to@x")
    assert "Nobody was sent" not in page.text
    assert "from from@x to to@x" in page.text
    assert "<img" not in page.text
    assert page.text.count("<script>") == 1, "the page's own"
    assert page.text.count("&lt;script&gt;") == 3
    assert f'<a href="{world.at(SITE)}/">Open it</a>' in page.text
    assert f'<a href="{world.at(SITE)}/runs/1">' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    again = world.ask("GET", "world", "/messages", If_None_Match=page.headers["etag"])
    assert again.status_code == 304


def test_of_a_plain_text_only_addresses_become_links() -> None:
    assert linked("a <b> (http://x.test/a?b=1&c=2).") == (
        'a &lt;b&gt; (<a href="http://x.test/a?b=1&amp;c=2">http://x.test/a?b=1&amp;c=2</a>).'
    )
    assert linked("javascript:alert(1)") == "javascript:alert(1)"
    assert linked(Markup("<b>x</b>")) == "<b>x</b>"
    assert "<script" not in linked(Notification(0, "", body=HOSTILE).body)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (b"https://techmate.ai", b"http://techmate.ai.localhost:80"),
        (b"https://techmate.ai:443/x", b"http://techmate.ai.localhost:80/x"),
        (b"see https://techmate.ai.", b"see http://techmate.ai.localhost:80."),
        (b"https://TECHMATE.ai/", b"https://TECHMATE.ai/"),
        (b"https://a-1.run.app/", b"http://a-1.run.app.localhost:80/"),
        (b"https://techmate.ai:8443", b"https://techmate.ai:8443"),
        (b"https://techmate.aix", b"https://techmate.aix"),
        (b"https://other.techmate.ai", b"https://other.techmate.ai"),
        (b"https://techmate.ai@evil.example/", b"https://techmate.ai@evil.example/"),
        (b"http://127.0.0.1:9/run", b"http://github.localhost:80/run"),
        (b"http://127.0.0.1:90/run", b"http://127.0.0.1:90/run"),
    ],
)
def test_which_addresses_are_those_of_the_world(text: bytes, plain: bytes) -> None:
    assert PlainAddresses(("techmate.ai", "*.run.app"), "http://127.0.0.1:9").translate(text, ":80") == plain
