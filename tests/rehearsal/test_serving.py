from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import socket
import threading
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from rehearsal.serving import Server, cut, running


def answering(text: str) -> Starlette:
    async def hello(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{text} {len(await request.body())}")

    return Starlette(routes=[Route("/", hello, methods=["GET", "POST"])])


async def cutting(scope: Scope, receive: Receive, send: Send) -> None:
    await cut(scope, receive)


async def cutting_late(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    await cut(scope, receive)


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


def test_several_servers_answer_from_one_loop_and_are_gone_after_stop() -> None:
    async def scenario() -> None:
        servers = [Server(answering(name), name) for name in ("one", "two", "three")]
        ports = [await server.start() for server in servers]
        assert len(set(ports)) == 3
        texts = [(await asyncio.to_thread(requests.get, server.url, timeout=5)).text for server in servers]
        assert texts == ["one 0", "two 0", "three 0"]
        await asyncio.gather(*(server.stop() for server in servers))
        for port in ports:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=1)

    asyncio.run(scenario())


def test_an_answer_carries_no_server_name() -> None:
    with running(answering("x")) as server:
        assert "server" not in requests.get(server.url, timeout=5).headers


def test_a_taken_port_is_named_in_the_error() -> None:
    with running(answering("first")) as first:
        second = Server(answering("second"), "vercel", port=first.port)
        with pytest.raises(OSError, match=rf"vercel: 127\.0\.0\.1:{first.port} cannot be used"):
            asyncio.run(second.start())


def test_tls_is_verified_against_the_given_certificate(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with running(answering("secure"), certificate=certificate, key=key) as server:
        assert server.url.startswith("https://")
        assert requests.get(server.url, verify=str(certificate), timeout=5).text == "secure 0"
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(server.url, timeout=5)


@pytest.mark.parametrize("body", [b"", b"x" * 3_000_000], ids=["no body", "3 MB body"])
def test_cut_breaks_the_connection_before_any_byte(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with running(cutting) as server:
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.post(server.url, data=body, timeout=5)
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                raw.recv(1)
    assert caplog.records == []


def test_cut_works_in_the_middle_of_an_answer() -> None:
    broken = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)
    with running(cutting_late) as server, pytest.raises(broken):
        requests.get(server.url, timeout=5)


def test_cut_works_under_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    broken = requests.exceptions.ConnectionError
    with running(cutting, certificate=certificate, key=key) as server, pytest.raises(broken):
        requests.get(server.url, verify=str(certificate), timeout=5)


def test_stop_breaks_a_request_that_never_ends(caplog: pytest.LogCaptureFixture) -> None:
    entered = threading.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        await asyncio.Event().wait()

    outcome: list[Exception] = []

    def ask(url: str) -> None:
        try:
            requests.get(url, timeout=10)
        except requests.RequestException as error:
            outcome.append(error)

    with running(endless) as server:
        client = threading.Thread(target=ask, args=(server.url,))
        client.start()
        assert entered.wait(5)
    client.join(5)
    assert isinstance(outcome[0], requests.exceptions.ConnectionError)
    assert caplog.records == []


def test_stop_lets_a_request_under_way_finish() -> None:
    entered, release = threading.Event(), threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        await asyncio.to_thread(release.wait, 5)
        await PlainTextResponse("finished")(scope, receive, send)

    answers: list[str] = []
    with running(slow) as server:
        client = threading.Thread(target=lambda: answers.append(requests.get(server.url, timeout=5).text))
        client.start()
        assert entered.wait(5)
        threading.Timer(0.1, release.set).start()
    client.join(5)
    assert answers == ["finished"]


def test_stop_breaks_connections_that_were_accepted_a_moment_ago() -> None:
    async def begun_and_stopped() -> list[socket.socket]:
        server = Server(answering("hello"), "busy")
        port = await server.start()
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
        await server.stop()
        return clients

    for client in asyncio.run(begun_and_stopped()):
        with client:
            client.settimeout(10)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
