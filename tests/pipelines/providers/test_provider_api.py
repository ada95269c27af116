"""What the clients of all providers share: addresses, tokens, pages, and answers that are none."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
import requests

from pipelines.errors import CredentialsError, ProviderError, ShipmateError
from pipelines.faults import Policy
from pipelines.http import Http
from pipelines.providers.api import Api, Query, Refused, given

Answer = tuple[int, bytes, Mapping[str, str]]


class Shelf(Api):
    provider = "Shelf"
    redirects = False
    query: ClassVar[Mapping[str, str]] = {"team": "ours"}

    def following(self, answer: requests.Response, page: Any, path: str, params: Query) -> tuple[str, Query] | None:
        return (page["next"], ()) if page.get("next") else None

    def refusal(self, answer: requests.Response, where: str) -> ShipmateError:
        return Refused(answer.status_code, "", answer.text, where=where, next_step="look at the shelf")


def refused(code: int, body: str = "", **headers: str) -> Answer:
    return code, body.encode(), headers


def fine(body: Any) -> Answer:
    return 200, json.dumps(body).encode(), {}


@contextmanager
def serving(answers: Callable[[str], Answer]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server on loopback, and what it was asked: address and the header Authorization."""
    asked: list[tuple[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            status, body, headers = answers(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def shelf(root: str) -> Shelf:
    return Shelf(Http(policy=Policy(scale=0.0)), lambda: "t0ken", f"{root}/v1/")


def test_a_call_has_the_token_and_what_goes_with_every_request() -> None:
    with serving(lambda path: fine({"a": 1})) as (root, asked):
        assert shelf(root).call("GET", "/books", params=[("of", "1"), ("of", "2")]) == {"a": 1}
    assert asked == [("/v1/books?of=1&of=2&team=ours", "Bearer t0ken")]


def test_pages_go_on_at_the_address_that_the_page_before_names_and_end_at_a_bound() -> None:
    with serving(lambda path: fine({"at": path, "next": f"{root}/v1/books?page={len(asked) + 1}"})) as (root, asked):
        found = [page["at"] for page in shelf(root).pages("books", {"size": "9"}, most=3)]
    assert found == ["/v1/books?size=9&team=ours", "/v1/books?page=2&team=ours", "/v1/books?page=3&team=ours"]


def test_the_token_stays_below_the_root() -> None:
    """A page that names another host is looked for at ours; a redirect is not followed."""
    with serving(lambda path: refused(404)) as (other, asked_there):
        with serving(lambda path: refused(302, location=other)) as (root, asked):
            for path in (f"{other}/v1/books", "books"):
                with pytest.raises(Refused, match="HTTP 302"):
                    shelf(root).call("GET", path)
        assert asked_there == []
    assert len(asked) == 2


def test_what_may_not_be_there_is_none_and_other_refusals_are_errors() -> None:
    with serving(lambda path: refused(404)) as (root, _):
        assert shelf(root).find("books/1") is None
    with (
        serving(lambda path: refused(409, "taken")) as (root, _),
        pytest.raises(Refused, match=r"Shelf, GET books/1: HTTP 409: taken") as error,
    ):
        shelf(root).find("books/1?key=hidden")
    assert (error.value.status, error.value.next_step) == (409, "look at the shelf")


def test_an_empty_answer_is_none_and_one_that_is_no_json_is_an_error() -> None:
    with serving(lambda path: refused(204)) as (root, _):
        assert shelf(root).call("GET", "books") is None
    with (
        serving(lambda path: refused(200, "<html>sign in</html>")) as (root, _),
        pytest.raises(ProviderError, match=r"no JSON: <html>sign in</html>(.|\n)*proxy"),
    ):
        shelf(root).call("GET", "books")


def test_a_secret_that_is_missing_is_reported_by_the_first_call() -> None:
    missing = CredentialsError("there is no token", where="Shelf")
    assert given("t0ken", missing)() == "t0ken"
    with pytest.raises(CredentialsError, match="there is no token"):
        given("", missing)()
