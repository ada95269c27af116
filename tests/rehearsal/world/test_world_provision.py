"""What is put into GitHub: environments and their secrets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from rehearsal import definition
from rehearsal.github.app import GitHub
from rehearsal.world import provision
from rehearsal.world.credentials import Credentials
from tests.rehearsal.example_manifest import with_apps, written


def test_secrets_are_renewed_where_they_are_and_nowhere_else(tmp_path: Path) -> None:
    github = GitHub(tmp_path, lambda: datetime(2026, 11, 28, tzinfo=UTC))
    asyncio.run(github.seed.repository("techmate/platform"))
    seed, old, new = github.seed, Credentials.new(), Credentials.new()
    seed.environment("techmate/platform", "production-deploy", secrets=old.all_secrets())
    seed.environment("techmate/platform", "production-approval", secrets={"SLACK_WEBHOOK": "old", "OTHER": "kept"})
    repository = github.instance.repository("techmate/platform")
    provision.renew_secrets(seed, repository, new)
    held = {
        name: {secret.name: secret.value for secret in one.secrets.values()}
        for name, one in repository.environments.items()
    }
    assert held == {
        "production-deploy": new.all_secrets(),
        "production-approval": {"SLACK_WEBHOOK": new.secrets["slack"]["SLACK_WEBHOOK"], "OTHER": "kept"},
    }


def test_the_environments_of_the_apps_admit_their_tags_alone(tmp_path: Path) -> None:
    releasing = with_apps(definition.read(written(tmp_path)))
    github = GitHub(tmp_path, lambda: datetime(2026, 11, 28, tzinfo=UTC))
    asyncio.run(github.seed.repository("acme/shop"))
    provision.make_environments(github.seed, releasing, Credentials.new())
    environments = github.instance.repository("acme/shop").environments
    for name in ("mobile-build", "mobile-stores"):
        assert [(each.type, each.name) for each in environments[name].policies] == [("tag", "app-v*")], name
    assert [(each.type, each.name) for each in environments["mobile-promote"].policies] == [("branch", "main")]
    assert "EXPO_TOKEN" not in environments["mobile-promote"].secrets
    assert "APP_STORE_KEY" in environments["mobile-promote"].secrets
