"""What the platforms answer by themselves."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response


def unavailable(reason: str) -> Response:
    """Cloud Run's 503 when no instance can answer; the reason goes into a header for debugging."""
    return PlainTextResponse(
        "Service Unavailable", status_code=503, headers={"X-Rehearsal-Reason": reason.splitlines()[0][:200]}
    )


def no_such_page(host: str) -> Response:
    """Google's 404 for a host that leads to no service."""
    title = "404 Page not found"
    text = f"<h1>Error: Page not found</h1><p>No service of this world answers for {escape(host)}.</p>"
    return HTMLResponse(f"<!doctype html><title>{title}</title>{text}", status_code=404)


def no_such_deployment() -> Response:
    """Vercel's 404 for a host that no deployment has."""
    text = "The deployment could not be found on Vercel.\n\nDEPLOYMENT_NOT_FOUND\n"
    return PlainTextResponse(text, status_code=404, headers={"X-Vercel-Error": "DEPLOYMENT_NOT_FOUND"})


def to_https(host: str, path: str, query: str) -> Response:
    """The permanent redirect of a request that came over plain HTTP; method and body are to be kept."""
    return RedirectResponse(f"https://{host}{path}{f'?{query}' if query else ''}", status_code=308)
