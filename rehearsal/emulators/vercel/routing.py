"""Which file answers a path, by the rules a deployment brings along.

They stand in `vercel.json` (https://vercel.com/docs/project-configuration). Without rules a path that is no file is a
404, also for single-page applications: that is a `rewrites` rule, there as here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PARAMETER = re.compile(r":(\w+)([*+]?)")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: for paths that match, headers to add or a place to go."""

    pattern: re.Pattern[str]
    headers: Mapping[str, str] = field(default_factory=dict)
    destination: str | None = None
    status: int | None = None


_ITSELF = Rule(pattern=re.compile("(.*)", re.DOTALL), destination="$1")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Which file to send (None: there is none), with which status and headers."""

    path: str | None
    status: int
    headers: Mapping[str, str]
    location: str | None = None


@dataclass(frozen=True, kw_only=True)
class Routing:
    """The rules of one deployment."""

    headers: tuple[Rule, ...] = ()
    redirects: tuple[Rule, ...] = ()
    rewrites: tuple[Rule, ...] = ()
    clean_urls: bool = False

    def answer(self, path: str, files: Mapping[str, str]) -> Answer:
        """What answers `path` ("/", "/assets/x.js") among `files`."""
        headers: dict[str, str] = {}
        for rule in self.headers:
            if rule.pattern.fullmatch(path):
                headers.update(rule.headers)
        for rule in self.redirects:
            match = rule.pattern.fullmatch(path)
            if match and rule.destination:
                return Answer(path=None, status=rule.status or 308, headers=headers, location=_filled(rule, match))
        for rule in (_ITSELF, *self.rewrites):
            match = rule.pattern.fullmatch(path)
            found = self._file(_filled(rule, match), files) if match else None
            if found is not None:
                return Answer(path=found, status=rule.status or 200, headers=headers)
        return Answer(path="404.html" if "404.html" in files else None, status=404, headers=headers)

    def _file(self, path: str, files: Mapping[str, str]) -> str | None:
        name = path.strip("/")
        candidates = [name, f"{name}/index.html".lstrip("/")] + ([f"{name}.html"] if self.clean_urls else [])
        return next((candidate for candidate in candidates if candidate in files), None)


def from_vercel_json(text: bytes) -> Routing:
    """The rules of a `vercel.json`. Raises ValueError when it is not JSON."""
    config: dict[str, Any] = json.loads(text)
    headers = tuple(
        Rule(pattern=_source(item["source"]), headers={pair["key"].lower(): pair["value"] for pair in item["headers"]})
        for item in config.get("headers", [])
    )
    return Routing(
        headers=headers,
        redirects=tuple(
            Rule(
                pattern=_source(item["source"]),
                destination=item["destination"],
                status=item.get("statusCode") or (307 if item.get("permanent") is False else 308),
            )
            for item in config.get("redirects", [])
        ),
        rewrites=tuple(
            Rule(pattern=_source(item["source"]), destination=item["destination"])
            for item in config.get("rewrites", [])
        ),
        clean_urls=bool(config.get("cleanUrls")),
    )


def _source(source: str) -> re.Pattern[str]:
    """A `source` of vercel.json (path-to-regexp: `/blog/:slug`, `/:path*`, `/((?!api/).*)`) as a regular expression."""
    pieces: list[str] = []
    at = 0
    while at < len(source):
        named = _PARAMETER.match(source, at)
        if named:
            pieces.append(f"(?P<{named[1]}>{'.*' if named[2] in ('*', '+') else '[^/]+'})")
            at = named.end()
        elif source[at] == "(":
            end = _group_end(source, at)
            pieces.append(source[at:end])
            at = end
        else:
            pieces.append(re.escape(source[at]))
            at += 1
    return re.compile("".join(pieces))


def _group_end(source: str, start: int) -> int:
    """Just behind the parenthesis that closes the one at `start`. Raises ValueError if none does."""
    depth = 0
    for at in range(start, len(source)):
        depth += {"(": 1, ")": -1}.get(source[at], 0)
        if depth == 0:
            return at + 1
    raise ValueError(f"`source` has an open parenthesis: {source}")


def _filled(rule: Rule, match: re.Match[str]) -> str:
    """The rule's destination with `$1` and `:name` put in."""
    destination = rule.destination or ""
    for name, value in match.groupdict().items():
        destination = re.sub(rf":{name}[*+?]?", (value or "").replace("\\", r"\\"), destination)
    for number, value in enumerate(match.groups(), start=1):
        destination = destination.replace(f"${number}", value or "")
    return destination
