"""How a visit goes on after each answer: what is asked next, with which values, and whether what came is as declared. Nothing is sent here.

Visits are made by `pipelines.checks.journeys` and, under load, by `loadtests`: each sends in its own way, and both go by this.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from pipelines.checks import rate_limit, smoke
from pipelines.manifest.journeys import NAMES, VISIT
from pipelines.manifest.model import JourneyRequest


def shown(request: JourneyRequest) -> str:
    """Method and path, as declared: `GET /notes/{note}`."""
    return f"{request.method} {request.path}"


@dataclass(kw_only=True)
class Course:
    """One visit under way."""

    visit: str
    """What {visit} stands for: another value at each visit."""
    values: dict[str, str] = field(default_factory=dict)
    """What is filled in: {visit} and what answers held."""
    problems: list[str] = field(default_factory=list)
    """What failed, in words."""
    limited: str = ""
    """Which request a rate limit refused, in words."""
    retry_after: float = 0.0
    """Seconds the rate limit asked to wait."""

    def __post_init__(self) -> None:
        self.values[VISIT] = self.visit

    def wants(self, request: JourneyRequest) -> bool:
        """After a failure only what removes something, and only what is known to have been made."""
        if not self.problems and not self.limited:
            return True
        return self.cleans_up(request)

    def cleans_up(self, request: JourneyRequest) -> bool:
        """Whether it removes what this visit made."""
        return request.always and _names(request) <= set(self.values)

    def filled(self, request: JourneyRequest) -> JourneyRequest:
        """With the values of this visit. The content of an answer becomes part of a path, and nothing else: no query, no other host."""
        values = self.values

        def fill(text: str) -> str:
            return NAMES.sub(lambda match: values[match.group(1)], text)

        changes: dict[str, Any] = {
            "body": fill(request.body),
            "headers": {name: fill(value) for name, value in request.headers.items()},
            "contains": tuple(fill(text) for text in request.contains),
            "json": {key: fill(value) for key, value in request.json.items()},
        }
        path = NAMES.sub(lambda match: quote(values[match.group(1)], safe="/"), request.path)
        return replace(request, path=path, **changes)

    def unanswered(self, request: JourneyRequest, why: str) -> None:
        self.problems.append(f"{shown(request)}: no answer: {why}")

    def answered(
        self,
        request: JourneyRequest,
        filled: JourneyRequest,
        status: int,
        headers: Mapping[str, str],
        body: str,
        ms: float,
    ) -> list[str]:
        """Hold an answer against what must come and keep what later requests need; what is wrong, in words, or nothing when it is well
        or a rate limit refused it. `headers` must look names up case-insensitively.
        """
        if status == rate_limit.STATUS != request.status:
            self.limited, self.retry_after = f"{shown(request)}: answered 429", rate_limit.wait_asked(headers)
            return []
        missing = self._take(request, body)
        found = smoke.judge(filled, status, headers, body, ms)
        if status == request.status:
            found += [problem for problem in missing if problem not in found]
        if found:
            self.problems.append(f"{shown(request)}: {'; '.join(found)}")
        return found

    def _take(self, request: JourneyRequest, body: str) -> list[str]:
        """Keep what later requests need; what is not there is a problem."""
        problems = []
        for name, key in request.save.items():
            value, problem = smoke.json_value(body, key)
            self.values.update({} if value is None else {name: value})
            problems += [problem] if problem else []
        for name, pattern in request.find.items():
            match = re.search(pattern, body)
            if match and match.group(1):
                self.values[name] = match.group(1)
            else:
                problems.append(f"has nothing that matches {pattern}")
        return list(dict.fromkeys(problems))


@lru_cache(64)
def charset(content_type: str) -> str:
    """As this header of an answer says, else UTF-8: guessing from the bytes would take longer than the request."""
    message = Message()
    message["Content-Type"] = content_type or "text/plain"
    text = message.get_content_charset("utf-8")
    try:
        return codecs.lookup(text).name
    except LookupError:
        return "utf-8"


def _names(request: JourneyRequest) -> set[str]:
    """What a request needs to be known before it."""
    texts = (request.path, request.body, *request.headers.values(), *request.contains, *request.json.values())
    return {name for text in texts for name in NAMES.findall(text)}
