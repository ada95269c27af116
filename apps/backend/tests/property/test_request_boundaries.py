"""What comes in from outside: request ids, users, jobs, origins. And what goes out: log lines."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import pytest
from backend.jobs import Job
from backend.logs import JsonFormatter
from backend.middleware.rate_limit import user_of
from backend.middleware.request_log import request_id
from backend.settings import Settings, SettingsError
from hypothesis import given
from hypothesis import strategies as st

anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=5) | st.uuids(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.text(), anything, st.sampled_from([5, 10, 20, 30, 40, 50, 7, 25]))
def test_a_log_line_is_one_line_with_four_fields(message: str, context: Any, level: int) -> None:
    record = logging.LogRecord("unit", level, __file__, 1, "%s", (message,), None)
    record.context = {"value": context}
    line = JsonFormatter().format(record)
    assert len(line.splitlines()) == 1
    parsed = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert list(parsed) == ["timestamp", "level", "message", "context"]
    assert parsed["message"] == message
    assert parsed["level"] in ("error", "warn", "info", "debug", "verbose")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", parsed["timestamp"])
    assert datetime.fromisoformat(parsed["timestamp"]).timestamp() == pytest.approx(record.created, abs=0.002)


@given(st.uuids(), st.booleans())
def test_a_uuid_is_taken_over(identifier: UUID, upper: bool) -> None:
    assert request_id(str(identifier).upper() if upper else str(identifier)) == str(identifier)


@given(st.none() | st.text() | st.uuids().map(lambda identifier: identifier.hex) | st.uuids().map("{{{}}}".format))
def test_anything_else_is_replaced_by_a_new_uuid(given: str | None) -> None:
    assert UUID(request_id(given)).version == 4
    assert request_id(given) != request_id(given)


header_text = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)


@given(header_text, st.integers(min_value=1, max_value=3))
def test_a_caller_cannot_choose_its_address(forged: str, hops: int) -> None:
    """Each proxy of ours appends one entry; whatever the caller wrote stands before them."""
    appended = ["203.0.113.7", "10.0.0.1", "10.0.0.2"][:hops]
    value = ",".join([forged, *appended])
    scope = {"type": "http", "headers": [(b"x-forwarded-for", value.encode())], "client": ("127.0.0.1", 1)}
    assert user_of(scope, trusted_hops=hops) == "address:203.0.113.7"
    assert user_of(scope, trusted_hops=0) == "address:127.0.0.1"


@given(st.ip_addresses(v=6, network="2001:db8:1:2::/64"))
def test_the_addresses_of_one_ipv6_network_are_one_caller(address: IPv6Address) -> None:
    scope = {"type": "http", "headers": [], "client": (str(address), 1)}
    assert user_of(scope, trusted_hops=0) == "address:2001:db8:1:2::/64"


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_one_caller_also_where_it_is_written_as_ipv6(address: IPv4Address) -> None:
    scope = {"type": "http", "headers": [], "client": (f"::ffff:{address}", 1)}
    assert user_of(scope, trusted_hops=0) == f"address:{address}"


jobs = st.builds(Job, kind=st.text(max_size=20), note=st.uuids(), attempts=st.integers(min_value=0, max_value=9))


@given(jobs)
def test_a_job_survives_the_queue(job: Job) -> None:
    assert Job.decode(job.encode()) == job


@given(st.text() | anything.map(lambda value: json.dumps(value, default=str)))
def test_what_is_no_job_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        Job.decode(text)


@given(st.text(max_size=30))
def test_no_accepted_origin_matches_more_than_itself(text: str) -> None:
    environ = {"DATABASE_URL": "postgresql://db", "REDIS_URL": "redis://cache", "CORS_ORIGINS": f"https://{text}"}
    try:
        origins = Settings.from_environ(environ).cors_origins
    except SettingsError as error:
        assert "CORS_ORIGINS" in str(error)
    else:
        assert all(re.fullmatch(r"https?://[^/*@?#\s]+", origin) for origin in origins)
