"""Uploads in pieces, by our own plain calls and by Google's client, over real connections that break."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import googleapiclient
import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaFileUpload, MediaIoBaseUpload

from rehearsal.contracts.middleware import Violation
from rehearsal.emulators.google_play.app import GooglePlay
from rehearsal.emulators.google_play.uploads import UNIT, BadRange, ContentRange
from rehearsal.serving import running
from tests.rehearsal.emulators.in_process import InProcess
from tests.rehearsal.emulators.play_client import (
    APPLICATION,
    PACKAGE,
    UPLOAD,
    Clock,
    Store,
    checked,
    completed,
    refusal,
)
from tests.rehearsal.services.waiting import until

DOCUMENTS = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
SIZE = 5 * UNIT
"""More than four pieces of the least size; a bundle has some hundred bytes beyond it."""


class Served(Store):
    """A store on a loopback port."""

    url: str


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Served]:
    violations: list[Violation] = []
    clock = Clock()
    emulator = GooglePlay(tmp_path / "play", packages=[PACKAGE], clock=clock)
    app = checked(emulator, violations)
    with running(app, emulator.name) as server:
        served = Served(emulator, InProcess(app), clock, tmp_path)
        served.url = server.url
        yield served
    assert [violation.text for violation in violations] == []


@contextlib.contextmanager
def google(play: Served, name: str) -> Iterator[Any]:
    """Google's own client, whose media uploads look only at the document's root."""
    document = json.loads((DOCUMENTS / f"{name}.json").read_bytes())
    document["rootUrl"] = document["baseUrl"] = play.url + "/"
    document.pop("mtlsRootUrl", None)
    with build_from_document(document, credentials=AnonymousCredentials()) as client:
        yield client


def started(play: Served, edit: str) -> str:
    """Path and query of a new session."""
    answer = play.call(
        "POST",
        f"{UPLOAD}/edits/{edit}/bundles",
        params={"uploadType": "resumable"},
        headers={"x-upload-content-type": "application/octet-stream"},
    )
    assert (answer.status_code, answer.content) == (200, b"")
    address = urlsplit(answer.headers["location"])
    assert parse_qs(address.query)["upload_id"] == [answer.headers["x-guploader-uploadid"]]
    return f"{address.path}?{address.query}"


def piece(play: Served, session: str, content: bytes, first: int, last: int) -> httpx.Response:
    headers = {"content-range": f"bytes {first}-{last - 1}/{len(content)}"}
    return play.call("PUT", session, content=content[first:last], headers=headers)


def taken(play: Served, session: str, total: int) -> str | None:
    """What the server says it has."""
    answer = play.call("PUT", session, headers={"content-range": f"bytes */{total}"})
    assert answer.status_code == 308
    return answer.headers.get("range")


def test_pieces_are_taken_one_after_the_other(play: Served) -> None:
    content, edit = play.bundle(2, padding=bytes(SIZE)), play.edit()
    session = started(play, edit)
    assert taken(play, session, len(content)) is None
    answer = piece(play, session, content, 0, 2 * UNIT)
    assert (answer.status_code, answer.headers["range"]) == (308, f"bytes=0-{2 * UNIT - 1}")
    assert taken(play, session, len(content)) == f"bytes=0-{2 * UNIT - 1}"
    done = piece(play, session, content, 2 * UNIT, len(content))
    assert done.json()["sha256"] == hashlib.sha256(content).hexdigest()
    again = play.call("PUT", session, headers={"content-range": f"bytes */{len(content)}"})
    assert (again.status_code, again.json()) == (200, done.json()), "a lost last answer can be had again"
    assert list((play.folder / "play" / "uploads").iterdir()) == []


def test_of_a_piece_that_is_not_the_last_whole_units_are_kept(play: Served) -> None:
    content, edit = play.bundle(2, padding=bytes(SIZE)), play.edit()
    session = started(play, edit)
    assert piece(play, session, content, 0, UNIT + 1000).headers["range"] == f"bytes=0-{UNIT - 1}"
    assert piece(play, session, content, UNIT + 1000, len(content)).status_code == 503
    assert piece(play, session, content, UNIT, len(content)).json()["versionCode"] == 2


def test_a_client_that_breaks_off_half_way_asks_where_to_go_on(play: Served) -> None:
    content, edit = play.bundle(2, padding=bytes(SIZE)), play.edit()
    session = started(play, edit)
    address = urlsplit(play.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = (
            f"PUT {session} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Range: bytes 0-{len(content) - 1}/{len(content)}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        connection.sendall(head.encode() + content[: 2 * UNIT + 5000])
        until(lambda: taken(play, session, len(content)) == f"bytes=0-{2 * UNIT - 1}")
    # What is still noticed of the broken connection does no harm to what comes meanwhile.
    assert piece(play, session, content, 2 * UNIT, len(content)).json()["versionCode"] == 2


def test_the_server_can_break_a_connection_at_a_byte(play: Served) -> None:
    content, edit = play.bundle(2, padding=bytes(SIZE)), play.edit()
    session = started(play, edit)
    play.play.console.break_upload(PACKAGE, 3 * UNIT + 7)
    with pytest.raises(httpx.TransportError), httpx.Client(base_url=play.url) as client:
        client.put(session, content=content, headers={"content-range": f"bytes 0-{len(content) - 1}/{len(content)}"})
    assert taken(play, session, len(content)) == f"bytes=0-{3 * UNIT - 1}"
    assert piece(play, session, content, 3 * UNIT, len(content)).status_code == 200


def test_a_session_ends_with_its_time(play: Served) -> None:
    content, edit = play.bundle(2, padding=bytes(SIZE)), play.edit()
    session = started(play, edit)
    piece(play, session, content, 0, UNIT)
    play.clock.now += 7 * 86_400
    assert piece(play, session, content, UNIT, len(content)).status_code == 404
    session = started(play, play.edit())
    play.play.console.expire_uploads(PACKAGE)
    assert piece(play, session, content, 0, len(content)).status_code == 404
    assert list((play.folder / "play" / "uploads").iterdir()) == []


def test_the_edit_of_a_session_may_end_before_the_last_piece(play: Served) -> None:
    """Triple-T/gradle-play-publisher#998."""
    content, edit = play.bundle(2, padding=bytes(SIZE)), play.edit()
    session = started(play, edit)
    piece(play, session, content, 0, UNIT)
    play.edit()
    assert refusal(piece(play, session, content, UNIT, len(content))) == (
        400,
        "badRequest",
        "This Edit has been deleted.",
    )


def test_a_body_that_is_not_what_its_range_says(play: Served) -> None:
    session = started(play, play.edit())
    answer = play.call("PUT", session, content=b"abc", headers={"content-range": "bytes 0-9/10"})
    assert refusal(answer)[:2] == (400, "badRequest")
    assert "There were 3 byte(s) in the request body.  There should have been 10 byte(s)" in refusal(answer)[2]
    answer = play.call("PUT", session, content=b"abc", headers={"content-range": "bytes 9-0/10"})
    assert refusal(answer)[2] == "Invalid Content-Range header: 'bytes 9-0/10'."


@pytest.mark.parametrize("header", ["", "bytes", "bytes 0-/3", "bytes 5-4/9", "bytes=0-1/3", "bytes -1/3"])
def test_ranges_that_mean_nothing(header: str) -> None:
    with pytest.raises(BadRange):
        ContentRange.parse(header)


@pytest.fixture
def publisher(play: Served) -> Iterator[Any]:
    with google(play, "androidpublisher.v3") as client:
        yield client


def test_googles_client_delivers_a_bundle(play: Served, publisher: Any) -> None:
    content = play.bundle(2, padding=bytes(1000))
    edits, named = publisher.edits(), {"packageName": PACKAGE}
    edit = edits.insert(body={}, **named).execute()["id"]
    media = MediaIoBaseUpload(io.BytesIO(content), "application/octet-stream")
    uploaded = edits.bundles().upload(editId=edit, media_body=media, **named).execute()
    assert uploaded["sha1"] == hashlib.sha1(content).hexdigest()  # noqa: S324
    track = {"track": "internal", "releases": [completed(2)]}
    edits.tracks().update(editId=edit, track="internal", body=track, **named).execute()
    edits.validate(editId=edit, **named).execute()
    edits.commit(editId=edit, changesInReviewBehavior="ERROR_IF_IN_REVIEW", **named).execute()
    listed = publisher.applications().tracks().releases()
    parent = f"applications/{PACKAGE}/tracks/internal"
    assert listed.list(parent=parent).execute()["releases"][0]["activeArtifacts"] == [{"versionCode": 2}]
    second = edits.insert(body={}, **named).execute()["id"]
    assert [b["versionCode"] for b in edits.bundles().list(editId=second, **named).execute()["bundles"]] == [1, 2]
    assert edits.delete(editId=second, **named).execute() == ""


def test_googles_client_goes_on_after_a_broken_piece(play: Served, publisher: Any) -> None:
    content = play.bundle(3, padding=bytes(SIZE))
    edit = publisher.edits().insert(packageName=PACKAGE, body={}).execute()["id"]
    media = MediaFileUpload(
        str(play.folder / "3.aab"), mimetype="application/octet-stream", chunksize=2 * UNIT, resumable=True
    )
    upload = publisher.edits().bundles().upload(packageName=PACKAGE, editId=edit, media_body=media)
    status, answer = upload.next_chunk()
    assert (status.resumable_progress, answer) == (2 * UNIT, None)
    play.play.console.break_upload(PACKAGE, 3 * UNIT + 1)
    with pytest.raises(OSError):
        upload.next_chunk()
    status, answer = upload.next_chunk()
    assert (status.resumable_progress, answer) == (5 * UNIT, None), "two units more than what the server had kept"
    while answer is None:
        _, answer = upload.next_chunk()
    assert answer["sha256"] == hashlib.sha256(content).hexdigest()


def test_googles_client_shows_what_play_says(play: Served, publisher: Any) -> None:
    play.bundle(1)
    edit = publisher.edits().insert(packageName=PACKAGE, body={}).execute()["id"]
    media = MediaFileUpload(str(play.folder / "1.aab"), mimetype="application/octet-stream", resumable=True)
    with pytest.raises(HttpError) as raised:
        publisher.edits().bundles().upload(packageName=PACKAGE, editId=edit, media_body=media).execute()
    assert raised.value.status_code == 403
    assert raised.value.reason == "Version code 1 has already been used."
    assert raised.value.error_details[0]["reason"] == "forbidden"


def test_an_upload_may_come_as_multipart(play: Served) -> None:
    content = play.bundle(2)
    body = (
        b"--cut\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{}\r\n"
        b"--cut\r\nContent-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--cut--\r\n"
    )
    address = f"{UPLOAD}/edits/{play.edit()}/bundles"
    headers = {"content-type": "multipart/related; boundary=cut"}
    answer = play.call("POST", address, params={"uploadType": "multipart"}, content=body, headers=headers)
    assert answer.json()["sha256"] == hashlib.sha256(content).hexdigest()
    for broken in (b"", body[:60], body.replace(b"--cut--", b"")):
        refused = play.call("POST", address, params={"uploadType": "multipart"}, content=broken, headers=headers)
        assert refusal(refused) == (400, "badRequest", "Malformed multipart body.")


def test_googles_client_reads_vitals(play: Served) -> None:
    play.play.console.observe(PACKAGE, 1, users=1000, crashed=10)
    with google(play, "playdeveloperreporting.v1beta1") as client:
        reporting = client.vitals().crashrate()
        name = f"apps/{PACKAGE}/crashRateMetricSet"
        [fresh] = reporting.get(name=name).execute()["freshnessInfo"]["freshnesses"]
        assert fresh["latestEndTime"]["timeZone"] == {"id": "America/Los_Angeles"}
        spec = {"aggregationPeriod": "DAILY", "endTime": fresh["latestEndTime"]}
        body = {"timelineSpec": spec, "metrics": ["crashRate"], "dimensions": ["versionCode"]}
        [row] = reporting.query(name=name, body=body).execute()["rows"]
        assert row["dimensions"] == [{"dimension": "versionCode", "int64Value": "1"}]
        assert row["metrics"][0]["decimalValue"] == {"value": "0.01"}
        too_new = {**fresh["latestEndTime"], "year": fresh["latestEndTime"]["year"] + 1}
        with pytest.raises(HttpError, match=re.escape("field should be before the current freshness")):
            reporting.query(name=name, body={**body, "timelineSpec": {**spec, "endTime": too_new}}).execute()


def test_the_path_behind_resumable_is_the_same(play: Served) -> None:
    edit = play.edit()
    answer = play.call(
        "POST", f"/resumable/upload{APPLICATION}/edits/{edit}/bundles", params={"uploadType": "resumable"}
    )
    assert urlsplit(answer.headers["location"]).path.startswith("/resumable/upload/")
