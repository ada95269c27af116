"""`shipmate rollback` in a terminal: it shows what it will do, and asks."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from pipelines.commands import rollback, terminal
from tests.shop import Shop

pytestmark = pytest.mark.world


@pytest.fixture
def at_terminal(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop.released("v1.0.0")
    shop.released("v1.1.0")
    monkeypatch.chdir(shop.checkout)
    monkeypatch.setattr(terminal, "context", lambda manifest, environment: shop.context(environment))
    monkeypatch.setattr(terminal, "require_access", lambda *given: None)
    monkeypatch.setattr(terminal, "asks", lambda: True)
    return shop


def types(*argv: str, answer: str = "") -> Result:
    return CliRunner().invoke(rollback.command, ["-e", "production", *argv], input=answer)


def live(shop: Shop) -> str:
    host = shop.host("production", "backend")
    return next(each.identity.release for each in host.deployments if each.traffic == 100 and each.identity)


def test_it_is_asked_for_and_no_changes_nothing(at_terminal: Shop) -> None:
    ended = types(answer="n\n")
    assert "mark v1.1.0 as rolled back, on the way to v1.0.0" in ended.output
    assert "Roll production back? [y/N]" in ended.output
    assert (ended.exit_code, live(at_terminal)) == (1, "v1.1.0")


@pytest.mark.parametrize(("argv", "answer"), [((), "y\n"), (("--yes",), ""), (("--json",), "")])
def test_with_yes_it_goes(at_terminal: Shop, argv: tuple[str, ...], answer: str) -> None:
    ended = types(*argv, answer=answer)
    assert (ended.exception, live(at_terminal)) == (None, "v1.0.0")
    assert ("?" in ended.output) == bool(answer)


def test_a_rehearsal_of_it_does_not_ask(at_terminal: Shop) -> None:
    assert "?" not in types("--dry-run").output
    assert live(at_terminal) == "v1.1.0"
