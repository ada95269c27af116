"""What a world reads from a manifest, good or broken."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal import definition
from rehearsal.definition import Approval
from tests.rehearsal.example_manifest import MANIFEST, POOL, written

ROOT = Path(__file__).parents[2]


def test_the_platforms_own_manifest() -> None:
    found = definition.read(ROOT / "shipmate.yml")
    assert found.repository == "techmate/platform"
    assert found.environments == ("staging", "production")
    assert found.hosts() == {
        "staging": {"backend": "api-staging.techmate.ai", "web": "staging.techmate.ai"},
        "production": {"backend": "api.techmate.ai", "web": "techmate.ai"},
    }
    assert [(one.environment, set(one.reviewers), one.alone) for one in found.approvals] == [
        ("production-approval", {"release-manager", "on-call"}, False),
        ("production-break-glass", {"on-call"}, True),
    ]
    assert found.releases["production"] == {"backend": ("/version", "release"), "web": ("/config.json", "release")}
    assert found.tags == ("v*", "mobile-v*")
    assert found.manifest["alerts"]["slack_channel"]


def test_a_component_with_a_dockerfile_names_its_base_there(tmp_path: Path) -> None:
    components = copy.deepcopy(MANIFEST["components"])
    components["hello"] = {
        "image": {
            "builder": "buildx",
            "dockerfile": "hello/Dockerfile",
            "repository": "eu.pkg.dev/acme-delivery/shop/hello",
        }
    }
    found = definition.read(written(tmp_path, {"components": components}))
    assert found.base_images == ("docker.io/library/python@sha256:1",)
    assert "eu.pkg.dev/acme-delivery/shop/hello" in found.image_repositories


def test_services_sites_and_who_deploys(tmp_path: Path) -> None:
    found = definition.read(written(tmp_path))
    assert [(s.environment, s.component, s.project, s.host) for s in found.services] == [
        ("staging", "backend", "acme-staging", "api-staging.acme.test"),
        ("production", "backend", "acme-production", "api.acme.test"),
    ]
    assert [(s.component, s.project, s.host) for s in found.sites] == [
        ("web", "web-staging", "www-staging.acme.test"),
        ("web", "web-production", "www.acme.test"),
    ]
    assert found.deployers["staging"] == (POOL, "deployer@acme-staging.iam.gserviceaccount.com")
    assert found.approvals == (Approval(environment="production-approval", reviewers=("release-manager",)),)
    assert found.registry_hosts == ("eu.pkg.dev",)
    assert found.team == "acme"
    assert found.tags == ("v*",)
    assert found.image_repositories == ("eu.pkg.dev/acme-delivery/shop/api", "eu.pkg.dev/acme-delivery/shop/web")
    assert found.mail_server == "smtp.acme.test:587"


def test_a_secret_is_named_once_without_its_version(tmp_path: Path) -> None:
    service = definition.read(written(tmp_path)).services[0]
    assert service.secrets == ("database-url", "redis-url", "migration-database-url")


def test_what_a_delivery_reads_itself_is_a_secret_too(tmp_path: Path) -> None:
    environments = copy.deepcopy(MANIFEST["environments"])
    environments["staging"]["backend"]["probe_secret"] = "probe-token@3"
    service = definition.read(written(tmp_path, {**MANIFEST, "environments": environments})).services[0]
    assert service.secrets[-1] == "probe-token"


def test_the_jobs_of_ci_by_what_people_call_them(tmp_path: Path) -> None:
    checks = {
        "lint": {},
        "web": {"title": "Web tests"},
        "suite": {"title": "Suite", "pythons": ["3.11", "3.14"]},
        "types": {"not_rehearsed": "its packages are 400 MB"},
    }
    found = definition.read(written(tmp_path, {**MANIFEST, "ci": {"checks": checks}}))
    assert found.checks == ("lint", "Web tests", "Suite (Python 3.11)", "Suite (Python 3.14)")


def test_what_may_be_missing(tmp_path: Path) -> None:
    bare: dict[str, Any] = copy.deepcopy(MANIFEST)
    del bare["alerts"], bare["environments"]["staging"]["deployer"], bare["environments"]["production"]["approval"]
    found = definition.read(written(tmp_path, bare | {"alerts": {}}))
    assert found.mail_server is None
    assert found.checks == ()
    assert list(found.deployers) == ["production"]
    assert found.approvals == ()


def test_sites_or_services_may_be_missing(tmp_path: Path) -> None:
    bare: dict[str, Any] = copy.deepcopy(MANIFEST)
    for settings in bare["environments"].values():
        del settings["web"]
    found = definition.read(written(tmp_path, bare))
    assert (found.sites, found.team) == ((), "acme"), "the owner's"
    for settings in bare["environments"].values():
        del settings["backend"]
    assert definition.read(written(tmp_path, bare)).hosts() == {}


def test_a_world_has_one_team_at_vercel(tmp_path: Path) -> None:
    environments = copy.deepcopy(MANIFEST["environments"])
    environments["production"]["web"]["team"] = "others"
    with pytest.raises(ValueError, match=r"several teams at Vercel \(acme, others\)"):
        definition.read(written(tmp_path, {"environments": environments}))


def test_where_a_component_says_its_release_is_what_a_smoke_check_looks_at(tmp_path: Path) -> None:
    environments = copy.deepcopy(MANIFEST["environments"])
    answers = {"build.release": "{release}", "status": "ok"}
    environments["production"]["smoke"] = [{"component": "backend", "path": "/about", "json": answers}]
    found = definition.read(written(tmp_path, {"environments": environments})).releases
    assert found["production"] == {"backend": ("/about", "build.release"), "web": ("/config.json", "release")}
    assert found["staging"] == {"web": ("/config.json", "release")}


@pytest.mark.parametrize("key", ["platform", "components", "environments"])
def test_a_missing_part_is_named(tmp_path: Path, key: str) -> None:
    file = tmp_path / "shipmate.yml"
    file.write_text(yaml.safe_dump({name: value for name, value in MANIFEST.items() if name != key}))
    with pytest.raises(KeyError, match=key):
        definition.read(file)


@pytest.mark.parametrize("key", ["project", "region", "service", "service_account", "url"])
def test_a_missing_key_of_a_target_is_named(tmp_path: Path, key: str) -> None:
    broken = copy.deepcopy(MANIFEST["environments"])
    del broken["production"]["backend"][key]
    with pytest.raises(KeyError, match=key):
        definition.read(written(tmp_path, {"environments": broken}))


def test_what_is_no_yaml_or_not_there_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "shipmate.yml"
    with pytest.raises(FileNotFoundError):
        definition.read(file)
    file.write_text("platform: [unclosed\n")
    with pytest.raises(yaml.YAMLError, match="line 2"):
        definition.read(file)
