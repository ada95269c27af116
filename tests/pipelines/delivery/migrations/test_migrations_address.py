"""What an address says of itself, and that nothing of its password is ever printed."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.delivery.migrations import address, runner
from pipelines.errors import CredentialsError, ProviderUnavailable, RefusedError
from pipelines.faults import Policy

SESSIONS = (
    "postgresql://postgres.ref:hush@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
    "postgresql://postgres:hush@db.abcdefgh.supabase.co:5432/postgres",
    "postgresql://u:hush@ep-cool-1.eu-central-1.aws.neon.tech/main?sslmode=require",
    "postgresql://u@localhost/techmate",
    "host=10.0.0.3 port=6543 user=u dbname=techmate",
)
POOLED = (
    ("postgresql://postgres.ref:hush@aws-0-eu-central-1.pooler.supabase.com:6543/postgres", "port 5432"),
    ("postgresql://postgres:hush@db.abcdefgh.supabase.co:6543/postgres", "port 5432"),
    ("postgresql://u:hush@ep-cool-1-pooler.eu-central-1.aws.neon.tech/main", "without `-pooler`"),
)


@pytest.mark.parametrize("where", SESSIONS)
def test_where_a_session_can_be_had_nothing_is_reported(where: str) -> None:
    address.require_session(where)


@pytest.mark.parametrize(("where", "instead"), POOLED)
def test_a_pooler_in_transaction_mode_is_refused_with_what_to_use(where: str, instead: str) -> None:
    with pytest.raises(RefusedError, match="is a pooler in transaction mode") as caught:
        address.require_session(where)
    assert instead in caught.value.next_step
    assert "hush" not in str(caught.value)


@given(st.text(alphabet="ab@:/%?#&= \\'\"", min_size=1, max_size=20))
def test_a_password_is_never_printed(password: str) -> None:
    """Whatever libpq takes for the host where a sign of the password is not percent-encoded."""
    url = f"postgresql://u:S3cr3t{password}S3cr3t@db.example.com:5432/name"
    try:
        found = address.read(url)
    except CredentialsError as error:
        assert "S3cr3t" not in str(error)
        assert error.__cause__ is None
    else:
        assert "S3cr3t" not in found.host


@pytest.mark.parametrize(
    "url", ["postgresql://u:S3cr3t%zz@db.example.com/name", "postgresql://u:a@S3cr3t@db.example.com/name"]
)
def test_a_malformed_address_says_nothing_of_its_password_where_it_is_used(url: str) -> None:
    with pytest.raises(CredentialsError, match="cannot be read") as caught:
        runner.applied(url)
    assert "S3cr3t" not in str(caught.value)
    assert "%25" in str(caught.value)


def entry(family: int) -> tuple[Any, ...]:
    return (family, socket.SOCK_STREAM, 6, "", ())


@pytest.mark.parametrize(
    ("families", "only"),
    [
        ([socket.AF_INET6], True),
        ([socket.AF_INET, socket.AF_INET6], False),
        ([socket.AF_INET], False),
    ],
)
def test_ipv6_only(families: list[int], only: bool) -> None:
    assert address.is_ipv6_only(SESSIONS[1], lambda *_, **__: [entry(family) for family in families]) is only


def test_a_host_without_an_address_is_not_called_ipv6_only() -> None:
    def nothing(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    assert not address.is_ipv6_only(SESSIONS[1], nothing)


def test_one_that_cannot_be_reached_by_ipv4_says_which_address_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "is_ipv6_only", lambda _: True)
    with pytest.raises(ProviderUnavailable, match="no connection") as caught:
        runner.applied("postgresql://u@127.0.0.1:1/none", policy=Policy(tries=1))
    assert "IPv6" in caught.value.why
    assert "session pooler" in caught.value.next_step
