"""A manifest with what a world provisions, as small as it can be; tests change it."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import yaml

from rehearsal import mobile_apps
from rehearsal.definition import Definition

POOL = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/github"


def environment(name: str, host: str) -> dict[str, Any]:
    return {
        "deployer": {"workload_identity": POOL, "service_account": f"deployer@acme-{name}.iam.gserviceaccount.com"},
        "backend": {
            "provider": "cloud-run",
            "url": f"https://api{host}",
            "project": f"acme-{name}",
            "region": "europe-west1",
            "service": "api",
            "service_account": f"run@acme-{name}.iam.gserviceaccount.com",
            "secrets": {"DATABASE_URL": "database-url@1", "AGAIN": "database-url@2", "REDIS_URL": "redis-url"},
            "database_secret": "migration-database-url@1",
        },
        "web": {"provider": "vercel", "url": f"https://www{host}", "team": "acme", "project": f"web-{name}"},
    }


MANIFEST: dict[str, Any] = {
    "platform": {"repository": "acme/shop"},
    "components": {
        "backend": {
            "image": {"base": "docker.io/library/python@sha256:1", "repository": "eu.pkg.dev/acme-delivery/shop/api"}
        },
        "web": {"build": {"repository": "eu.pkg.dev/acme-delivery/shop/web"}},
        "database": {},
    },
    "environments": {
        "staging": environment("staging", "-staging.acme.test"),
        "production": environment("production", ".acme.test")
        | {"approval": {"environment": "production-approval", "by": ["release-manager"]}},
    },
    "alerts": {"email": {"server": "smtp.acme.test:587"}},
}


def written(folder: Path, change: dict[str, Any] | None = None) -> Path:
    """The manifest as a file, with top-level keys replaced."""
    file = folder / "shipmate.yml"
    file.write_text(yaml.safe_dump(copy.deepcopy(MANIFEST) | (change or {}), sort_keys=False))
    return file


APPS = """
mobile:
  component: apps
  app: apps/phone
  eas: {account: acme, slug: shop, project: 00000000-0000-0000-0000-000000000000}
  android: {package: test.acme.shop, workload_identity: %s, service_account: play@acme-delivery.iam.gserviceaccount.com}
  ios: {bundle: test.acme.shop, app: "1", issuer: issuer, key: KEY}
alerts: {slack_channel: "#deployments"}
release: {components: {platform: {}, apps: {tag_format: "app-v{version}"}}}
"""
"""What a platform with apps has besides."""


def with_apps(wanted: Definition) -> Definition:
    raw = yaml.safe_load(APPS % POOL)
    return dataclasses.replace(wanted, manifest=raw, apps=mobile_apps.read(raw))
