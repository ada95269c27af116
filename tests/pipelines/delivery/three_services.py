"""The manifest of a platform with two services and a site, none of them called as ours are; tests change it."""

from __future__ import annotations

from pathlib import Path

from pipelines.delivery.plan import Recorded
from pipelines.delivery.steps.base import Base
from pipelines.manifest import Manifest, definition, parse

COMMIT = "c" * 40
BASE_IMAGE = "docker.io/library/python:3.11@sha256:" + "1" * 64
SERVICE = """
      provider: cloud-run
      project: acme-{environment}
      region: europe-west1
      service: {name}
      url: https://{name}.acme.test
      service_account: {name}@acme.iam.gserviceaccount.com
      env: {{GREETING: hello}}
      secrets: {{KEY: key@1}}
      shift: [10, 100]
      watch_seconds: 5
"""
SITE = """
      provider: vercel
      team: acme
      project: shop
      url: https://acme.test
      config: {apiUrl: https://orders.acme.test}
"""
TEXT = f"""platform: {{name: acme, repository: acme/shop}}
components:
  orders:
    paths: [orders/**]
    migrations: orders/migrations
    image: {{repository: eu.pkg.dev/acme/orders, base: "{BASE_IMAGE}", requirements: r.txt, sources: [orders], command: [python]}}
  mailer:
    paths: [mailer/**]
    image: {{repository: eu.pkg.dev/acme/mailer, base: "{BASE_IMAGE}", requirements: r.txt, sources: [mailer], command: [python]}}
  shop:
    paths: [shop/**]
    build: {{run: ["true"], output: shop/dist, repository: eu.pkg.dev/acme/shop}}
ci: {{checks: {{}}}}
environments:
  staging:
    orders: {SERVICE.format(name="orders", environment="staging")}
  production:
    proved_by: staging
    unapproved: a platform of the tests
    shop: {SITE}
    orders: {SERVICE.format(name="orders", environment="production")}
    mailer: {SERVICE.format(name="mailer", environment="production")}
    deployer: {{workload_identity: //iam.googleapis.com/x, service_account: deploy@acme.iam.gserviceaccount.com}}
    smoke:
      - {{name: the version answers, component: orders, path: /version, json: {{release: "{{release}}"}}}}
      - {{name: the page opens, component: shop, path: /}}
"""
MIGRATIONS = ("0001_orders.expand.sql", "0002_notes.expand.sql", "0003_drop.contract.sql", "0004_more.expand.sql")


def write(folder: Path, text: str = TEXT, migrations: tuple[str, ...] = MIGRATIONS) -> Path:
    """A tree with this manifest; its folder."""
    (folder / "orders/migrations").mkdir(parents=True, exist_ok=True)
    (folder / "shipmate.yml").write_text(text)
    for name in migrations:
        (folder / "orders/migrations" / name).write_text("SELECT 1")
    return folder


def manifest(tree: Path, policy: str = TEXT) -> Manifest:
    """The policy with the definition of a tree in it."""
    return definition.apply(parse(policy), definition.read(tree / "shipmate.yml"))


def digest(component: str) -> str:
    return f"sha256:{component.encode().hex():0<64}"


def recorded(**more: object) -> Recorded:
    """v1.1.0 onto v1.0.0, whose database knows two migrations."""
    names = ("mailer", "orders", "shop")
    base = {
        name: Base(key=f"{name}-1", release="v1.0.0", commit="b" * 40, digest="sha256:" + "b" * 64, schema="0003")
        for name in names
    }
    values: dict[str, object] = {
        "release": "v1.1.0",
        "commit": COMMIT,
        "artifacts": {name: f"eu.pkg.dev/acme/{name}@{digest(name)}" for name in names},
        "base": base,
    }
    return Recorded(**{**values, **more})  # type: ignore[arg-type]
