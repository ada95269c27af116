"""Where the checks against a provider's description give way, each with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """One answer that is right although the description says otherwise, or nothing."""

    contract: str
    kind: str
    """"request" or "answer": where the problem is found."""
    method: str
    path: str
    """Regular expression for the whole path, the template as published; the path itself where nothing is."""
    what: str
    """Regular expression found in the problem's sentence."""
    why: str


_EVENTS = r"/api/0/organizations/\{organization_id_or_slug\}/events/"
_EVENTS_AND_SESSIONS = r"/api/0/organizations/\{organization_id_or_slug\}/(events|sessions)/"
_RELEASES = r"/api/0/organizations/\{organization_id_or_slug\}/releases/"

EXEMPTIONS = (
    Exemption(
        contract="sts",
        kind="request",
        method="POST",
        path=r"/v1/token",
        what=r"^body: is not JSON",
        why="google-auth sends the token exchange as a form, as RFC 8693 has it; the description knows only JSON.",
    ),
    Exemption(
        contract="iamcredentials",
        kind="request",
        method="POST",
        path=r"/v1/projects/.+:generateAccessToken",
        what=r"^body/delegates: None is not of type 'array'",
        why="google-auth sends null for no delegates, which Google's JSON mapping reads as not set.",
    ),
    Exemption(
        contract="sentry",
        kind="request",
        method="GET",
        path=_EVENTS,
        what=r"^query/cursor: is not known here",
        why="the published version is from before the description had it; docs.sentry.io/api/pagination says how pages are asked for.",
    ),
    Exemption(
        contract="sentry",
        kind="request",
        method="GET",
        path=_EVENTS_AND_SESSIONS,
        what=r"^query/project/\d+: '[a-z0-9_-]+' is not of type 'number'",
        why="projects are asked for by their slugs as well since; the published version knows their numbers alone.",
    ),
    Exemption(
        contract="sentry",
        kind="request",
        method="GET",
        path=_EVENTS,
        what=r"^query/dataset: 'errors' is not one of",
        why="the published version is from before errors were among the datasets that are described.",
    ),
    Exemption(
        contract="sentry",
        kind="answer",
        method="POST",
        path=_RELEASES,
        what=r"^status 208: described are 201, 400, 403$",
        why="its documentation has 208 for a release that is there already (docs.sentry.io/api/releases), the description does not.",
    ),
    *(
        Exemption(
            contract="sentry",
            kind="request",
            method=method,
            path=r"/api/0/(organizations/[a-z0-9_-]+/(chunk-upload|artifactbundle/assemble)"
            r"|projects/[a-z0-9_-]+/[a-z0-9_-]+/files/artifact-bundles)/",
            what=r"has no such operation$",
            why="source maps come by calls of Sentry's own uploader, and are listed for its pages: the description leaves both out.",
        )
        for method in ("GET", "POST")
    ),
    Exemption(
        contract="github",
        kind="answer",
        method="GET",
        path=r"/.*",
        what=r"^(status 304: described are |body: an answer 304 has one$)",
        why="docs.github.com/rest/using-the-rest-api/best-practices: most reads can be conditional; the description lists few of them.",
    ),
    Exemption(
        contract="github",
        kind="answer",
        method="GET",
        path=r"/repos/\{owner\}/\{repo\}/actions/runs/\{run_id\}/approvals",
        what=r"'skipped' is not one of",
        why="users report an administrator's bypass of an environment's rules in this state; GitHub describes none for it.",
    ),
    Exemption(
        contract="androidpublisher",
        kind="answer",
        method="POST",
        path=r"(/resumable)?/upload/.+/bundles",
        what=r"^body: an answer 200 has one",
        why="the answer that begins a resumable upload is empty: the session's address is in its Location.",
    ),
)


def is_exempt(contract: str, kind: str, method: str, path: str, problem: str) -> bool:
    """True if an exemption names this contract, kind, method, path and problem."""
    return any(
        e.contract == contract
        and e.kind == kind
        and e.method == method
        and re.fullmatch(e.path, path) is not None
        and re.search(e.what, problem) is not None
        for e in EXEMPTIONS
    )
