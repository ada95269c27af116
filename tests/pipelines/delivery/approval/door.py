"""A run of the production workflow that has come to its approval, and what its gate says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.delivery.approval.gate import SEEN, Gate, Granted
from pipelines.delivery.approval.rules import Asked
from pipelines.errors import RefusedError
from pipelines.faults import Policy
from pipelines.manifest import parse
from pipelines.manifest.model import Approval
from tests.shop import REPOSITORY, Shop
from tests.shop_files import MANIFEST

VERSION = "v1.0.0"
PLAN = "0123456789abcdef" * 4
BREAK_GLASS = "production-break-glass"


class Door:
    """A run of the production workflow that has come to its approval."""

    def __init__(self, shop: Shop, actor: str = "dev-1") -> None:
        self.shop = shop
        self.run = shop.start(actor)
        self.rule = self._rule()
        self.last: Gate | None = None

    def _rule(self) -> Approval:
        found = parse(MANIFEST).environments["production"].approval
        assert found is not None
        return found

    def again(self, actor: str = "dev-1", *, keep: bool = True) -> None:
        """*Re-run all jobs*, up to the approval; what the gate saw was uploaded unless the attempt was killed."""
        if keep:
            self.upload()
        self.run = self.shop.again(self.run, actor)

    def upload(self) -> None:
        assert self.last is not None
        folder = self.shop.folder / f"seen-{self.run.id}-{self.run.attempt}"
        self.last.write_seen(folder)
        self.shop.upload(self.run, f"approval-{self.run.attempt}", {SEEN: (folder / SEEN).read_bytes()})

    def gate(self, act: Callable[[], Any] | None = None) -> Gate:
        """The gate of the current attempt. `act` is done once when it first waits; waiting on in vain ends it."""
        acted: list[Any] = []

        def sleep(seconds: float) -> None:
            assert seconds == 0
            if act is None or acted:
                raise TimeoutError("nobody answered in a way that counts")
            acted.append(act())

        context = self.shop.context("production", self.run)
        assert context.github is not None
        self.last = Gate(
            github=context.github,
            rule=self.rule,
            runtime=context.runtime,
            environment="production",
            now=self.shop.clock,
            sleep=sleep,
        )
        return self.last

    def ask(
        self,
        act: Callable[[], Any] | None = None,
        *,
        break_glass: str = "",
        authors: tuple[str, ...] = ("dev-2",),
        plan: str = PLAN,
        wait: float = 60,
    ) -> Granted:
        """As the action asks."""
        gate = self.gate(act)
        asked = Asked(
            release=VERSION, plan=plan, since=gate.since(), starters=gate.starters(), authors=frozenset(authors)
        )
        # GitHub's clock and its seconds: what is waited for has to be after the beginning.
        scale = gate.github.policy.scale
        gate.github.policy = Policy(scale=1.0) if act is not None else Policy(scale=scale)
        gate.sleep = (lambda pause, inner=gate.sleep: inner(0)) if act is not None else gate.sleep
        return gate.obtain(asked, reason=break_glass, wait_seconds=wait)

    def issues(self, state: str = "open") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.shop.person("dev-1").get(f"/repos/{REPOSITORY}/issues?state={state}")
        return found

    def comment(self, text: str, login: str = "release-manager") -> str:
        """A comment on the newest open issue; its path."""
        issue = self.issues()[0]["number"]
        made = self.shop.person(login).post(f"/repos/{REPOSITORY}/issues/{issue}/comments", {"body": text})
        return f"/repos/{REPOSITORY}/issues/comments/{made['id']}"


def refused(door: Door, **how: Any) -> str:
    with pytest.raises(RefusedError) as error:
        door.ask(**how)
    assert error.value.next_step
    return str(error.value)
