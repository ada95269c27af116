"""Slack and mail against their emulators: what arrives, what is refused, and that one failing way does not stop the other."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import notify
from pipelines.errors import CredentialsError, ProviderError, ProviderUnavailable, ShipmateError
from pipelines.faults import MayHaveHappened, Policy
from pipelines.http import Http
from pipelines.manifest.model import Alerts, Email
from pipelines.notify import PartlyNotified, email, slack
from pipelines.notify.email import Mail
from pipelines.overlay import Overlay
from pipelines.roles import Message
from pipelines.runtime import Runtime
from rehearsal.emulators.edge.authority import issue
from rehearsal.emulators.slack.app import Slack
from rehearsal.emulators.slack.blocks import problems
from rehearsal.emulators.smtp.app import Smtp
from rehearsal.faults import Fault, Faults, Faulty
from rehearsal.serving import running

MESSAGE = Message(
    kind="deployment-failed",
    title="v1.2.0 to production failed",
    what="failed: deploy-backend <b>&",
    where="production",
    who="dev-1",
    run="https://github.com/techmate/platform/actions/runs/7",
    next_step="open the run",
    facts={"release": "v1.2.0"},
)
SETTINGS = Email(
    sender="shipmate@techmate.ai", to=("on-call@techmate.ai", "dev-1@techmate.ai"), server="smtp.techmate.ai:587"
)
QUICK = Policy(tries=3, scale=0.001)


@pytest.fixture
def world() -> Iterator[tuple[Slack, Faults, Http]]:
    emulator, faults = Slack(webhooks={"T/B/x": "deployments"}), Faults()
    with running(Faulty(emulator.app, "slack", faults)) as server:
        overlay = Overlay(hosts=dict.fromkeys(emulator.hosts, server.url), time_scale=0.001)
        yield emulator, faults, Http(overlay=overlay, policy=QUICK)


HOOK = "https://hooks.slack.com/services/T/B/x"


def test_a_webhook_brings_what_where_who_and_what_to_do(world: tuple[Slack, Faults, Http]) -> None:
    emulator, _, http = world
    slack.Webhook(HOOK, http).send(MESSAGE)
    posted = emulator.messages[0]
    shown = str(posted.blocks)
    for part in (
        "v1.2.0 to production failed",
        "deploy-backend &lt;b&gt;&amp;",
        "production",
        "dev-1",
        "open the run",
        "runs/7|Open the run",
    ):
        assert part in shown
    assert posted.channel


def test_a_removed_webhook_says_what_to_do_and_hides_its_address(world: tuple[Slack, Faults, Http]) -> None:
    _, _, http = world
    way = slack.Webhook("https://hooks.slack.com/services/T/B/secret-part", http)
    with pytest.raises(ProviderError, match="no_service") as caught:
        way.send(MESSAGE)
    assert "make a new one" in caught.value.next_step
    assert "secret-part" not in f"{caught.value}{way!r}"


@pytest.mark.parametrize("kind", ["throttle", "cut", "lose_answer", "status"])
def test_slack_is_reported_in_spite_of_a_fault(world: tuple[Slack, Faults, Http], kind: Any) -> None:
    emulator, faults, http = world
    faults.add(Fault(kind=kind, retry_after=0))
    slack.Webhook(HOOK, http).send(MESSAGE)
    # Twice at worst, when the first answer was lost; never not at all.
    assert len(emulator.messages) == (2 if kind == "lose_answer" else 1)


@pytest.mark.parametrize("kind", ["throttle", "cut", "lose_answer", "status"])
def test_no_failure_of_slack_shows_the_address(world: tuple[Slack, Faults, Http], kind: Any) -> None:
    _, faults, http = world
    faults.add(Fault(kind=kind, retry_after=0, times=None))
    with pytest.raises(ShipmateError) as caught:
        slack.Webhook(HOOK, http).send(MESSAGE)
    assert "T/B/x" not in str(caught.value)


def test_slack_that_stays_silent_is_a_failure_without_the_address(world: tuple[Slack, Faults, Http]) -> None:
    _, faults, http = world
    faults.add(Fault(kind="cut", times=None))
    with pytest.raises(MayHaveHappened) as caught:
        slack.Webhook(HOOK, http).send(MESSAGE)
    assert "T/B/x" not in str(caught.value)


WORDS = st.text(alphabet=st.sampled_from("a&<>é\n|*"), max_size=4000)


@given(WORDS, WORDS, WORDS, st.dictionaries(WORDS, WORDS, max_size=12))
def test_any_message_is_within_slacks_limits(title: str, what: str, step: str, facts: dict[str, str]) -> None:
    made = slack.body(replace(MESSAGE, title=title, what=what, next_step=step, facts=facts))
    assert problems(made["blocks"]) == []
    assert "<b>" not in made["text"]


@contextlib.contextmanager
def mail_server(**options: Any) -> Iterator[tuple[Smtp, Overlay]]:
    server = Smtp(**options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    try:
        yield server, Overlay(smtp=server.address)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_a_mail_arrives() -> None:
    with mail_server() as (server, overlay):
        Mail(SETTINGS, overlay=overlay, policy=QUICK).send(MESSAGE)
    mail = server.mails[0]
    assert (mail.sender, mail.recipients) == (SETTINGS.sender, SETTINGS.to)
    assert mail.subject == "[production] v1.2.0 to production failed"
    for part in (
        "deploy-backend <b>&",
        "Who: dev-1",
        "Run: https://github.com/",
        "Release: v1.2.0",
        "Next: open the run",
    ):
        assert part in mail.text


def tls(folder: Path, host: str) -> tuple[str, ssl.SSLContext]:
    """A certificate authority, and a server's context with a certificate of it."""
    certificates = issue(folder, (host,))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.leaf, certificates.key)
    return str(certificates.ca), context


def test_starttls_is_used_and_the_published_name_is_checked(tmp_path: Path) -> None:
    for host, trusted in (("smtp.techmate.ai", True), ("other.techmate.ai", False)):
        ca, context = tls(tmp_path / host, host)
        with mail_server(tls=context, users={"shipmate": "password"}) as (server, overlay):
            encrypted = replace(overlay, ca=ca)
            way = Mail(SETTINGS, user="shipmate", password="password", overlay=encrypted, policy=QUICK)
            if trusted:
                way.send(MESSAGE)
                assert (server.mails[0].secure, server.mails[0].user) == (True, "shipmate")
            else:
                with pytest.raises(ProviderError, match="TLS: "):
                    way.send(MESSAGE)
                assert server.mails == []


def test_a_password_is_never_sent_in_the_clear() -> None:
    """The server would take it: it requires a login and offers no STARTTLS, as one behind someone who took that out of its answer."""
    with mail_server(users={"shipmate": "password"}) as (server, overlay):
        way = Mail(SETTINGS, user="shipmate", password="password", overlay=overlay, policy=QUICK)
        with pytest.raises(ProviderError, match="offers no encryption: user and password were not sent") as caught:
            way.send(MESSAGE)
        assert "login: false" in caught.value.next_step
        assert server.mails == []


def test_on_port_465_tls_comes_first_and_the_name_is_checked(tmp_path: Path) -> None:
    settings = replace(SETTINGS, server="smtp.techmate.ai:465")
    for host, trusted in (("smtp.techmate.ai", True), ("other.techmate.ai", False)):
        ca, context = tls(tmp_path / host, host)
        with mail_server(tls=context, implicit=True, users={"shipmate": "password"}) as (server, overlay):
            way = Mail(settings, user="shipmate", password="password", overlay=replace(overlay, ca=ca), policy=QUICK)
            if trusted:
                way.send(MESSAGE)
                assert (server.mails[0].secure, server.mails[0].user) == (True, "shipmate")
            else:
                with pytest.raises(ProviderError, match="TLS: "):
                    way.send(MESSAGE)


def test_mail_without_its_secrets_is_reported_and_not_tried(capsys: pytest.CaptureFixture[str]) -> None:
    alerts, runtime, http = Alerts(email=SETTINGS), Runtime(environ={}), Http(overlay=Overlay())
    assert notify.ways(alerts, http, runtime, "", "", "") == []
    assert "No mail is sent: the secrets SMTP_USER and SMTP_PASSWORD are missing" in capsys.readouterr().out
    [way] = notify.ways(alerts, http, runtime, "", "shipmate", "password")
    assert way.name == "email"
    [open_relay] = notify.ways(Alerts(email=replace(SETTINGS, login=False)), http, runtime, "", "", "")
    assert open_relay.name == "email"


def test_a_wrong_password_is_reported(tmp_path: Path) -> None:
    ca, context = tls(tmp_path, "smtp.techmate.ai")
    with mail_server(tls=context, users={"shipmate": "password"}) as (_, overlay):
        way = Mail(SETTINGS, user="shipmate", password="wrong", overlay=replace(overlay, ca=ca), policy=QUICK)
        with pytest.raises(CredentialsError, match="refuses user and password"):
            way.send(MESSAGE)
        assert "wrong" not in repr(way)


def test_partly_refused_recipients_are_reported() -> None:
    with mail_server() as (server, overlay):
        server.mailbox.refusals["dev-1@techmate.ai"] = "550 5.1.1 no such user"
        with pytest.raises(PartlyNotified, match=r"1 of 2 recipients were refused: dev-1@techmate\.ai \(550"):
            Mail(SETTINGS, overlay=overlay, policy=QUICK).send(MESSAGE)
        assert server.mails[0].recipients == ("on-call@techmate.ai",)
        failures = notify.send(MESSAGE, [Mail(SETTINGS, overlay=overlay, policy=QUICK)])
        assert len(failures) == 1
        assert failures[0].startswith("email: ")


def test_all_recipients_refused_is_a_failure() -> None:
    with mail_server() as (server, overlay):
        for address in SETTINGS.to:
            server.mailbox.refusals[address] = "550 5.1.1 no such user"
        with pytest.raises(ProviderError, match="every recipient") as caught:
            Mail(SETTINGS, overlay=overlay, policy=QUICK).send(MESSAGE)
    assert not isinstance(caught.value, PartlyNotified)


def test_a_server_that_asks_to_come_later_is_asked_again() -> None:
    with mail_server() as (server, overlay):
        for address in SETTINGS.to:
            server.mailbox.refusals[address] = "451 4.3.0 try again later"
        tries: list[float] = []

        def fixed(seconds: float) -> None:
            tries.append(seconds)
            server.mailbox.refusals.clear()

        Mail(SETTINGS, overlay=overlay, policy=Policy(tries=3, sleep=fixed)).send(MESSAGE)
    assert (len(tries), len(server.mails)) == (1, 1)


def test_no_server_at_all_is_reported() -> None:
    with mail_server() as (_, overlay):
        pass
    with pytest.raises(ProviderUnavailable, match="still failing after 3 tries"):
        Mail(SETTINGS, overlay=overlay, policy=QUICK).send(MESSAGE)


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_text_can_add_a_header(title: str, where: str) -> None:
    mail = email.compose(replace(MESSAGE, title=title + "\r\nBcc: thief@example.com", where=where), SETTINGS)
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]


class Broken:
    name = "broken"

    def send(self, message: Message) -> None:
        raise ProviderError("it is broken")


class Works:
    name = "works"

    def __init__(self) -> None:
        self.notified: list[Message] = []

    def send(self, message: Message) -> None:
        self.notified.append(message)


def test_every_way_is_tried_and_only_total_silence_raises() -> None:
    works = Works()
    assert notify.send(MESSAGE, [Broken(), works]) == ["broken: it is broken"]
    assert works.notified == [MESSAGE]
    assert notify.send(MESSAGE, []) == []
    with pytest.raises(ProviderError, match="nobody was notified"):
        notify.send(MESSAGE, [Broken(), Broken()])
