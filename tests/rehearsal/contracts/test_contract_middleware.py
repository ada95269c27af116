from __future__ import annotations

from typing import Any

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from rehearsal.contracts.contract import load
from rehearsal.contracts.middleware import Checked, Violation
from rehearsal.serving import running

REF = {
    "ref": "refs/heads/x",
    "node_id": "",
    "url": "http://h/x",
    "object": {"type": "commit", "sha": "0" * 40, "url": "http://h/x"},
}


class Emulator:
    """Answers every path with what the test put in; keeps the bodies that reached it."""

    def __init__(self, answer: Response) -> None:
        self.bodies: list[bytes] = []
        self.answer = answer
        self.app = Starlette(routes=[Route("/{rest:path}", self._any, methods=["GET", "POST", "PATCH", "DELETE"])])

    async def _any(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        return self.answer


def ask(emulator: Emulator, method: str, path: str, *, contract: str = "github", strict: bool = True, **options: Any):
    record: list[Violation] = []
    with running(Checked(emulator.app, load(contract), record, strict=strict)) as server:
        answer = requests.request(method, server.url + path, timeout=10, **options)
    return answer, record


def test_what_is_right_passes_unchanged() -> None:
    emulator = Emulator(JSONResponse(REF, 201, headers={"X-Own": "1"}))
    answer, record = ask(emulator, "POST", "/repos/o/r/git/refs", json={"ref": "refs/heads/x", "sha": "0" * 40})
    assert (answer.status_code, answer.json(), answer.headers["X-Own"]) == (201, REF, "1")
    assert record == []
    assert emulator.bodies == [b'{"ref": "refs/heads/x", "sha": "' + b"0" * 40 + b'"}']


def test_a_wrong_request_is_refused_by_name_and_never_arrives() -> None:
    emulator = Emulator(JSONResponse(REF, 201))
    answer, [violation] = ask(emulator, "POST", "/repos/o/r/git/refs", json={"ref": "refs/heads/x", "shaa": "0" * 40})
    assert answer.status_code == 400
    assert "'shaa' was unexpected" in answer.json()["message"]
    assert answer.json()["error"]["message"] == answer.json()["message"] == violation.text
    assert (violation.kind, violation.status, violation.path) == ("request", None, "/repos/o/r/git/refs")
    assert emulator.bodies == []


def test_a_wrong_answer_becomes_a_500_that_says_so() -> None:
    answer, [violation] = ask(Emulator(JSONResponse({"ref": "x"})), "GET", "/repos/o/r/git/ref/heads/x")
    assert answer.status_code == 500
    assert "answered 200: body: 'node_id' is a required property" in answer.json()["message"]
    assert (violation.kind, violation.status) == ("answer", 200)


def test_an_undescribed_success_is_a_wrong_answer() -> None:
    answer, _ = ask(Emulator(Response(status_code=204)), "GET", "/repos/o/r/git/ref/heads/x")
    assert "status 204: described are 200" in answer.json()["message"]


def test_an_unknown_operation_is_a_violation_and_graphql_is_not() -> None:
    emulator = Emulator(JSONResponse({"data": {}}))
    answer, [violation] = ask(emulator, "POST", "/repos/o/r/git/reffs", json={})
    assert answer.status_code == 400
    assert "has no such operation" in violation.text
    answer, record = ask(emulator, "POST", "/graphql", json={"query": "{}"})
    assert (answer.status_code, record) == (200, [])


def test_pages_beside_the_interface_are_left_alone() -> None:
    answer, record = ask(Emulator(PlainTextResponse("a page")), "GET", "/techmate/platform/actions")
    assert (answer.text, record) == ("a page", [])


def test_lenient_only_records() -> None:
    emulator = Emulator(JSONResponse({"ref": "x"}, 201))
    answer, record = ask(emulator, "POST", "/repos/o/r/git/refs", strict=False, json={"nonsense": 1})
    assert (answer.status_code, answer.json()) == (201, {"ref": "x"})
    assert [violation.kind for violation in record] == ["request", "answer"]


def test_an_answer_that_is_not_json_is_a_wrong_answer() -> None:
    emulator = Emulator(Response(b"{oops", media_type="application/json"))
    answer, _ = ask(emulator, "GET", "/repos/o/r/git/ref/heads/x")
    assert answer.status_code == 500
    assert "body: is not JSON" in answer.json()["message"]


@pytest.mark.parametrize(
    ("data", "kind", "problem"),
    [
        (b"{not json", "application/json", "body: is not JSON (Expecting property name"),
        (b"a=b", "application/x-www-form-urlencoded", "body: is not JSON but application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_should_be_json(data: bytes, kind: str, problem: str) -> None:
    headers = {"Content-Type": kind}
    answer, _ = ask(Emulator(JSONResponse(REF, 201)), "POST", "/repos/o/r/git/refs", data=data, headers=headers)
    assert answer.status_code == 400
    assert problem in answer.json()["message"]


def test_the_form_of_the_token_exchange_is_an_exemption() -> None:
    emulator = Emulator(JSONResponse({"access_token": "x", "expires_in": 3600, "token_type": "Bearer"}))
    answer, record = ask(emulator, "POST", "/v1/token", contract="sts", data={"subject_token": "x"})
    assert (answer.status_code, record) == (200, [])
    assert emulator.bodies == [b"subject_token=x"]


def test_uploads_are_not_read_by_the_check() -> None:
    emulator = Emulator(JSONResponse({"urls": []}))
    content = bytes(range(256)) * 20_000
    headers = {"Content-Type": "application/octet-stream", "x-vercel-digest": "0" * 40}
    answer, record = ask(emulator, "POST", "/v2/files", contract="vercel", data=content, headers=headers)
    assert (answer.status_code, record) == (200, [])
    assert emulator.bodies == [content]


def test_big_json_bodies_arrive_whole() -> None:
    emulator = Emulator(JSONResponse({"message": "no", "documentation_url": "http://docs"}, 422))
    body = {"ref": "main", "payload": {"notes": "x" * 2_000_000}}
    answer, record = ask(emulator, "POST", "/repos/o/r/deployments", json=body)
    assert (answer.status_code, record) == (422, [])
    assert len(emulator.bodies[0]) > 2_000_000


def test_a_stream_passes_piece_by_piece() -> None:
    async def pieces():
        for number in range(3):
            yield f"{number}\n"

    emulator = Emulator(StreamingResponse(pieces(), media_type="text/plain"))
    answer, record = ask(emulator, "GET", "/repos/o/r/actions/jobs/1/logs")
    assert (answer.text, record) == ("0\n1\n2\n", [])


def test_head_is_answered_like_get_without_a_body() -> None:
    answer, record = ask(Emulator(JSONResponse(REF)), "HEAD", "/repos/o/r/git/ref/heads/x")
    assert (answer.status_code, answer.content, record) == (200, b"", [])
