"""Repositories with one site, and with three services of other names: they are delivered without a line of Python of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.delivery import direct
from pipelines.delivery.rollback import Request, roll_back
from pipelines.images import pack_files, pack_layout, push
from tests.actions.workplace import Workplace, workplace
from tests.memory_hosts import MemoryHost
from tests.shop import Shop, open_shop
from tests.shop_files import REGISTRY

pytestmark = pytest.mark.world

BASE = "docker.io/library/python:3.11@sha256:" + "1" * 64
KEPT = f"{REGISTRY}/techmate-delivery/platform"
IMAGES = {
    "orders": f'base: "{BASE}", requirements: r.txt, sources: [orders], command: [python]',
    "mailer": f'base: "{BASE}", requirements: r.txt, sources: [mailer], command: [python]',
    "gateway": "builder: buildx, dockerfile: gateway/Dockerfile, context: gateway",
}
"""The last one is Node, with a Dockerfile."""
SITE = """  landing:
    paths: [site/**]
    build: {{run: ["true"], output: site, repository: {kept}/landing}}
"""
SERVICE = """  {name}:
    paths: [{name}/**]
    image: {{repository: {kept}/{name}, {image}}}
"""
ON_VERCEL = """    {name}:
      provider: vercel
      team: acme
      project: {name}-{environment}
      url: https://{name}-{environment}.techmate.ai
"""
ON_CLOUD_RUN = """    {name}:
      provider: cloud-run
      project: acme-{environment}
      region: europe-west1
      service: {name}
      url: https://{name}-{environment}.techmate.ai
      service_account: {name}@acme.iam.gserviceaccount.com
      shift: {shift}
      watch_seconds: 0
"""
CHECK = '      - {{name: {name} is it, component: {name}, path: /version, json: {{release: "{{release}}"}}}}\n'
PRODUCTION = """  production:
    github_environment: production-deploy
    proved_by: staging
    approval:
      environment: production-approval
      break_glass_environment: production-break-glass
      by: [release-manager]
"""


def manifest(*names: str) -> str:
    """Of a repository with these components, which live in staging and production in this order."""

    def targets(environment: str, shift: str) -> str:
        made = (
            (ON_CLOUD_RUN if name in IMAGES else ON_VERCEL).format(name=name, environment=environment, shift=shift)
            for name in names
        )
        return "".join(made) + "    smoke:\n" + "".join(CHECK.format(name=name) for name in names)

    components = (
        SERVICE.format(name=name, kept=KEPT, image=IMAGES[name]) if name in IMAGES else SITE.format(kept=KEPT)
        for name in names
    )
    return (
        "platform: {name: acme, repository: techmate/platform}\ncomponents:\n"
        + "".join(components)
        + "ci: {checks: {}}\nenvironments:\n  staging:\n    branch: main\n"
        + targets("staging", "[100]")
        + PRODUCTION
        + targets("production", "[50, 100]")
    )


SITES, SERVICES = ("landing",), ("mailer", "gateway", "orders")
both = pytest.mark.parametrize("names", [SITES, SERVICES], ids=["one site", "three services"])


def move_in(shop: Shop, names: tuple[str, ...]) -> None:
    """Make the shop's repository one of these components, with hosts for them and for nothing else."""
    shop.sites.hosts.clear()
    for environment in ("staging", "production"):
        for name in names:
            made = MemoryHost(
                url=f"https://{name}-{environment}.techmate.ai", gradual=name in IMAGES, writes=shop.writes
            )
            shop.sites.hosts[environment, name] = made
    files = {"shipmate.yml": manifest(*names), "site/index.html": "hello", "gateway/Dockerfile": "FROM node"}
    shop.commit("feat: begin", files=files)


def layout_of_the_source(_component: Any, root: Path, commit: str, *, output: Path, **_: Any) -> str:
    folder = output.parent / "image"
    folder.mkdir(exist_ok=True)
    (folder / "commit").write_text(commit)
    return pack_layout(folder, output)


@pytest.fixture
def at(tmp_path: Path, step: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    with open_shop(tmp_path / "shop") as shop, workplace(shop, step, monkeypatch) as made:
        shop.reviewers("release-manager")
        monkeypatch.setattr("pipelines.images.build_layout", layout_of_the_source)
        yield made


def serving(shop: Shop, environment: str, names: tuple[str, ...]) -> list[dict[str, int]]:
    return [shop.host(environment, name).serving() for name in names]


@both
def test_from_a_commit_to_production_and_back_by_the_actions(at: Workplace, names: tuple[str, ...]) -> None:
    move_in(at.shop, names)
    for version in ("v1.0.0", "v1.1.0"):
        commit = at.shop.commit(f"feat: {version}", files={"site/index.html": version})
        at.shop.check(commit)
        at.stage(commit)
        assert serving(at.shop, "staging", names) == [{f"sha-{commit[:7]}": 100}] * len(names)
        at.shop.tag(version, commit)
        run, planned = at.plan(version)
        approved = at.approve(run, planned)
        at.deploy(run, planned, approved)
        at.shop.writes.seen.clear()
        at.go_live(run, planned, approved)
        assert serving(at.shop, "production", names) == [{version: 100}] * len(names)
        assert at.publish(run, planned, approved).endswith(f"/releases/tag/{version}")
        at.shop.end(run, "success")
    moved = [write.split()[1:4:2] for write in at.shop.writes.seen if write.startswith("shift")]
    keys = [at.shop.host("production", name).deployments[0].key for name in names]
    shares = ["50", "100"] if names == SERVICES else ["100"]
    assert moved == [[key, share] for key in keys for share in shares], "in the order of the manifest"
    at.job(at.shop.start())
    assert at.act("rollback", environment="production") == {"release": "v1.0.0", "was": "v1.1.0", "changed": "true"}
    assert serving(at.shop, "production", names) == [{"v1.0.0": 100}] * len(names)


@both
def test_from_a_terminal_and_back(at: Workplace, names: tuple[str, ...]) -> None:
    shop = at.shop
    move_in(shop, names)
    for release in ("one", "two"):
        build = shop.folder / f"site-{release}"
        build.mkdir()
        (build / "index.html").write_text(release)
        artifacts = {
            name: f"{KEPT}/{name}@sha256:{hashlib.sha256(f'{name} {release}'.encode()).hexdigest()}"
            if name in IMAGES
            else push(pack_files(build), f"{KEPT}/{name}", http=shop.http)
            for name in names
        }
        context = shop.context("staging")
        assert direct.references(context, artifacts, None) == artifacts
        direct.deploy(context, release, artifacts)
        assert serving(shop, "staging", names) == [{release: 100}] * len(names)
    assert roll_back(shop.context("staging"), Request()).release == "one"
    assert serving(shop, "staging", names) == [{"one": 100}] * len(names)
    if len(names) > 1:
        roll_back(shop.context("staging"), Request(to="two", components=names[1:]))
        assert serving(shop, "staging", names) == [{"one": 100}, *[{"two": 100}] * (len(names) - 1)]
