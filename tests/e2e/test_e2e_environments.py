"""The suite against an environment by its name, and not more of it than that environment takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.environments import looked_at_only, variables
from e2e.target import TargetError
from pipelines.manifest import Manifest, load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load(ROOT / "shipmate.yml")


def test_a_name_stands_for_the_addresses_in_the_manifest(manifest: Manifest) -> None:
    for name in ("staging", "production"):
        targets = manifest.environments[name].targets
        assert variables(name, manifest) == {"E2E_WEB_URL": targets["web"].url, "E2E_API_URL": targets["backend"].url}
    assert all(url.startswith("http://localhost:") for url in variables("development", manifest).values())


def test_a_name_that_is_none_names_those_that_are(manifest: Manifest) -> None:
    with pytest.raises(TargetError, match="live: there is none of that name; one of: development, staging, production"):
        variables("live", manifest)


def test_production_is_only_looked_at_whichever_address_leads_there(manifest: Manifest) -> None:
    production = variables("production", manifest)
    assert looked_at_only(production, manifest) == "production"
    for name, url in production.items():
        assert looked_at_only({**variables("staging", manifest), name: f"{url}/"}, manifest) == "production"
    for name in ("staging", "development"):
        assert looked_at_only(variables(name, manifest), manifest) is None


@pytest.mark.parametrize(
    ("arguments", "given", "code", "message"),
    [
        (["--environment", "production"], {}, 4, "production is only looked at"),
        (
            [],
            {"E2E_WEB_URL": "https://techmate.ai", "E2E_API_URL": "https://x.test"},
            4,
            "production is only looked at",
        ),
        (["--environment", "production", "-m", "read_only", "--setup-plan"], {}, 0, "test_the_page_opens"),
        (["--environment", "staging"], {"E2E_API_URL": "https://x.test"}, 4, "E2E_API_URL is https://x.test, but"),
    ],
    ids=["by name", "by address", "the tests that change nothing", "two answers"],
)
def test_what_may_change_something_is_refused_where_users_are(
    arguments: list[str], given: dict[str, str], code: int, message: str
) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("E2E_", "SHIPMATE_"))}
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "e2e"]
    ran = subprocess.run(
        [*argv, *arguments], cwd=ROOT, env={**environ, **given}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert message in ran.stdout + ran.stderr
