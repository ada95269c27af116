"""Whether everybody can use what a page shows, by axe-core: the rules of WCAG 2.2 A and AA, and its own best practices."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_OPTIONS = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": list(_RULES)}}


def barriers(page: Page) -> list[str]:
    """One line for each element that breaks a rule: the rule, what it asks for, the element, what to fix."""
    if not page.evaluate("() => 'axe' in window"):  # half a megabyte: once for each page
        page.evaluate(Axe().axe_script)
    violations: list[dict[str, Any]] = page.evaluate("async (options) => (await axe.run(options)).violations", _OPTIONS)
    return [_line(violation, node) for violation in violations for node in violation["nodes"]]


def require_accessible(page: Page, state: str) -> None:
    """Fails when what is shown has barriers; `state` says for the message what that is."""
    found = barriers(page)
    assert not found, f"{state}: not everybody can use this page\n" + "\n".join(found)


def _line(violation: dict[str, Any], node: dict[str, Any]) -> str:
    where = " ".join(str(part) for part in node["target"])
    advice = "; ".join(line.strip() for line in str(node.get("failureSummary", "")).splitlines()[1:])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {where}: {node['html'][:160]}: {advice}"
