from __future__ import annotations

import asyncio
import json
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests
from markupsafe import Markup

from rehearsal.emulators.smtp.app import Smtp
from rehearsal.serving import running
from tests.rehearsal.test_serving import self_signed


@contextmanager
def started(smtp: Smtp) -> Iterator[Smtp]:
    """The mail server, in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(smtp.start(), loop).result(5)
        yield smtp
    finally:
        asyncio.run_coroutine_threadsafe(smtp.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    with started(Smtp()) as made:
        yield made


def mail(*to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "shipmate@techmate.ai"
    message["To"] = ", ".join(to)
    message["Subject"] = "Rolled back: production – v1.2.0"
    message.set_content("What happened: the checks failed.\nWhat to do: look at the run.\n")
    message.add_alternative("<p>The checks failed.</p>", subtype="html")
    return message


def connect(smtp: Smtp) -> smtplib.SMTP:
    host, _, port = smtp.address.partition(":")
    return smtplib.SMTP(host, int(port), timeout=5)


def test_a_mail_is_kept_and_read(smtp: Smtp) -> None:
    with connect(smtp) as client:
        assert client.send_message(mail("on-call@techmate.ai", "team@techmate.ai")) == {}
    [kept] = smtp.mails
    assert (kept.sender, kept.recipients) == ("shipmate@techmate.ai", ("on-call@techmate.ai", "team@techmate.ai"))
    assert kept.subject == "Rolled back: production – v1.2.0"
    assert kept.text == "What happened: the checks failed.\nWhat to do: look at the run.\n"
    assert kept.html == "<p>The checks failed.</p>\n"
    assert (kept.headers["From"], kept.secure, kept.user) == ("shipmate@techmate.ai", False, None)


def test_what_people_read_of_a_mail(smtp: Smtp) -> None:
    only_html = mail("on-call@techmate.ai")
    only_html.clear_content()
    only_html.set_content("<p>The checks failed.</p>", subtype="html")
    with connect(smtp) as client:
        client.send_message(mail("on-call@techmate.ai", "team@techmate.ai"))
        client.send_message(only_html)
    first, second = smtp.notifications()
    assert (first.title, first.sender) == ("Rolled back: production – v1.2.0", "shipmate@techmate.ai")
    assert first.to == "on-call@techmate.ai, team@techmate.ai"
    assert first.body == "What happened: the checks failed.\nWhat to do: look at the run.\n"
    assert not isinstance(second.body, Markup), "it is shown as text"
    assert second.body == "<p>The checks failed.</p>\n"


def test_one_refused_recipient_does_not_stop_the_others(smtp: Smtp) -> None:
    smtp.mailbox.refusals["gone@techmate.ai"] = "550 5.1.1 no such user"
    with connect(smtp) as client:
        refused = client.send_message(mail("gone@techmate.ai", "on-call@techmate.ai"))
    assert refused == {"gone@techmate.ai": (550, b"5.1.1 no such user")}
    assert smtp.mails[0].recipients == ("on-call@techmate.ai",)


def test_all_refused_is_an_error_and_nothing_is_kept(smtp: Smtp) -> None:
    smtp.mailbox.refusals["on-call@techmate.ai"] = "451 4.3.0 try later"
    with connect(smtp) as client, pytest.raises(smtplib.SMTPRecipientsRefused, match="451"):
        client.send_message(mail("on-call@techmate.ai"))
    assert smtp.mails == []


def test_starttls_and_login(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with started(Smtp(users={"shipmate": "password-of-the-test"}, tls=context)) as smtp:
        with connect(smtp) as client, pytest.raises(smtplib.SMTPSenderRefused, match="530"):
            client.send_message(mail("on-call@techmate.ai"))
        with connect(smtp) as client:
            client.starttls(context=ssl.create_default_context(cafile=str(certificate)))
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("shipmate", "wrong")
            client.login("shipmate", "password-of-the-test")
            client.send_message(mail("on-call@techmate.ai"))
    assert [(kept.secure, kept.user) for kept in smtp.mails] == [(True, "shipmate")]


def test_the_port_is_free_after_stop() -> None:
    with started(Smtp()) as smtp:
        host, _, port = smtp.address.partition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=1)


def test_the_inspection_app_lists_and_empties(smtp: Smtp) -> None:
    with connect(smtp) as client:
        client.send_message(mail("on-call@techmate.ai"))
    with running(smtp.app) as server:
        assert [kept["subject"] for kept in requests.get(f"{server.url}/mails", timeout=5).json()] == [
            smtp.mails[0].subject
        ]
        assert requests.delete(f"{server.url}/mails", timeout=5).json() == []
    assert smtp.mails == []


def test_saved_mails_come_back(smtp: Smtp) -> None:
    with connect(smtp) as client:
        client.send_message(mail("on-call@techmate.ai"))
    before = list(smtp.mails)
    saved = json.loads(json.dumps(smtp.save()))
    smtp.reset()
    assert smtp.mails == []
    smtp.load(saved)
    assert smtp.mails == before
