"""What is kept of a test that failed, so that it is understood without running it again: trace, pictures, requests.

Nothing of it holds a secret. A trace records every header that was sent; what is kept has those of `SECRET_HEADERS`, all cookies,
and every value that is known to be secret, replaced.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error

from e2e.troubles import Troubles

SECRET_HEADERS = frozenset(
    ("authorization", "cookie", "proxy-authorization", "set-cookie", "x-shipmate-probe", "x-vercel-protection-bypass")
)
GONE = "[removed]"
_SHORTEST = 4
"""A shorter value is no secret, and to replace it would leave nothing readable."""


class Artifacts:
    """`folder` takes the files. `secrets` are values that may stand in none of them; `headers` names of further secret headers."""

    def __init__(self, folder: Path, *, secrets: Iterable[str] = (), headers: Iterable[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.headers = SECRET_HEADERS | {name.lower() for name in headers}
        self.secrets = tuple(secret for secret in secrets if len(secret) >= _SHORTEST)

    def name(self, test: str, attempt: int) -> str:
        """The beginning of the names of its files."""
        plain = re.sub(r"[^\w-]+", "-", test).strip("-")
        return plain if attempt == 1 else f"{plain}-attempt-{attempt}"

    def picture(self, context: BrowserContext, name: str) -> None:
        """A picture of each open page, while it is as the test left it."""
        for number, page in enumerate(context.pages):
            try:
                page.screenshot(path=self.folder / f"{name}-{number}.png", full_page=True)
            except Error as error:  # a page that crashed has none; the rest is worth keeping all the same
                (self.folder / f"{name}-{number}.txt").write_text(self.clean(f"there is no picture: {error.message}"))

    def record(self, context: BrowserContext, name: str) -> None:
        """Write the trace, whatever came of the test: only when everything is torn down is it known (`keep`, `drop`)."""
        context.tracing.stop(path=self._pending(name))

    def keep(self, name: str, *, message: str, troubles: Troubles | None) -> list[str]:
        """Make what was recorded presentable; the names of all files of this attempt."""
        pending = self._pending(name)
        if pending.is_file():
            scrubbed = self.folder / f"{name}.trace.zip"
            self._scrub(pending, scrubbed)
            (self.folder / f"{name}.har").write_text(
                json.dumps(_archive(scrubbed), indent=1, ensure_ascii=False) + "\n"
            )
        exchanges = [dataclasses.asdict(one) for one in troubles.exchanges] if troubles else []
        seen = {"failure": message, "in_the_browser": troubles.found if troubles else [], "requests": exchanges}
        (self.folder / f"{name}.json").write_text(self.clean(json.dumps(seen, indent=1, ensure_ascii=False)) + "\n")
        self.drop(name)
        return sorted(file.name for file in self.folder.glob(f"{name}[.-]*") if _is_of(file.name, name))

    def drop(self, name: str) -> None:
        """Forget what was recorded."""
        self._pending(name).unlink(missing_ok=True)

    def clean(self, text: str) -> str:
        """Without the secrets that are known."""
        for secret in self.secrets:
            text = text.replace(secret, GONE).replace(json.dumps(secret)[1:-1], GONE)
        return text

    def _pending(self, name: str) -> Path:
        """Hidden: an upload of the folder leaves it out, should the run be ended before it is made presentable."""
        return self.folder / f".{name}.trace"

    def _scrub(self, recorded: Path, target: Path) -> None:
        with zipfile.ZipFile(recorded) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as scrubbed:
            for member in source.namelist():
                content = source.read(member)
                if member.startswith("trace."):
                    content = "\n".join(map(self._event, content.decode().splitlines())).encode() + b"\n"
                scrubbed.writestr(self.clean(member), self._bytes(content))

    def _bytes(self, content: bytes) -> bytes:
        for secret in self.secrets:
            content = content.replace(secret.encode(), GONE.encode())
        return content

    def _event(self, line: str) -> str:
        try:
            event = json.loads(line)
        except ValueError:
            return self.clean(line)
        return self.clean(json.dumps(self._without(event), ensure_ascii=False, separators=(",", ":")))

    def _without(self, value: Any) -> Any:
        """The same with every secret header, in either way that they are written, and every cookie replaced."""
        if isinstance(value, list):
            return [self._without(one) for one in value]
        if not isinstance(value, dict):
            return value
        if str(value.get("name", "")).lower() in self.headers and "value" in value:
            return {**value, "value": GONE}
        return {name: self._inside(name, one) for name, one in value.items()}

    def _inside(self, name: str, value: Any) -> Any:
        if name.lower() in self.headers and isinstance(value, str):
            return GONE
        if name == "cookies" and isinstance(value, list):
            return [{**one, "value": GONE} if isinstance(one, dict) else GONE for one in value]
        return self._without(value)


def _archive(trace: Path) -> dict[str, Any]:
    """The requests of a trace as an HTTP archive (HAR 1.2): Playwright records each as an entry of one; bodies stay in the trace.

    Source: w3c.github.io/web-performance/specs/HAR/Overview.html
    """
    entries = []
    with zipfile.ZipFile(trace) as recorded:
        for member in (name for name in recorded.namelist() if name.endswith(".network")):
            events = map(json.loads, recorded.read(member).decode().splitlines())
            entries += [event["snapshot"] for event in events if event.get("type") == "resource-snapshot"]
    entries.sort(key=lambda entry: str(entry["startedDateTime"]))
    version = importlib.metadata.version("playwright")
    return {"log": {"version": "1.2", "creator": {"name": "Playwright", "version": version}, "entries": entries}}


def _is_of(file: str, name: str) -> bool:
    """Whether a file is of this attempt, not of a test or an attempt whose name only begins alike."""
    return re.fullmatch(r"(\.trace\.zip|\.json|\.har|-\d+\.(png|txt))", file.removeprefix(name)) is not None
