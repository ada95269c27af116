"""What a delivery works with: the settings of an environment, what a deployment carries, and access from the surroundings."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipelines.delivery.context import (
    Context,
    Release,
    digest_of,
    head_commit,
    highest_schema,
    manifest_in,
    open_context,
    require_github,
    short_name,
)
from pipelines.errors import CredentialsError, InputError
from pipelines.manifest import parse
from pipelines.manifest.targets import CloudRun
from pipelines.runtime import Runtime
from tests.pipelines.delivery.three_services import TEXT, digest, write

ACCESS = {"GITHUB_TOKEN": "g", "VERCEL_TOKEN": "v", "VERCEL_BYPASS": "b", "GITHUB_REPOSITORY": "acme/other"}
RUN = {
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SERVER_URL": "https://github.test",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_ACTOR": "dev-1",
    "GITHUB_TRIGGERING_ACTOR": "dev-2",
}


def opened(environ: dict[str, str], **more: object) -> Context:
    return open_context(parse(TEXT), "production", Runtime(environ=environ), **more)  # type: ignore[arg-type]


def test_access_is_what_is_given_else_what_the_surroundings_have() -> None:
    context = opened(ACCESS)
    github = require_github(context)
    assert (github.token, github.name) == ("g", "acme/other")
    assert (context.credentials.vercel_token, context.credentials.vercel_bypass) == ("v", "b")
    assert context.credentials.deployer == context.settings.deployer
    given = opened(ACCESS, token="t", vercel_token="w")
    assert (require_github(given).token, given.credentials.vercel_token) == ("t", "w")
    assert require_github(opened({"GH_TOKEN": "h"})).name == "acme/shop", "by the manifest"


def test_without_a_token_there_is_no_github_and_it_is_reported_where_one_is_needed() -> None:
    context = opened({})
    assert context.github is None
    with pytest.raises(CredentialsError, match="GitHub is needed here"):
        require_github(context)


def test_what_a_deployment_carries_with_it() -> None:
    context = opened({**ACCESS, **RUN})
    context.release = Release(
        name="v1.1.0",
        commit="c" * 40,
        artifacts={"orders": f"eu.pkg.dev/acme/orders@{digest('orders')}"},
        schema="0004",
        contracts={"orders": "0003"},
        approved="release-manager",
    )
    found = context.identity("orders")
    assert (found.release, found.digest, found.schema, found.contracts) == ("v1.1.0", digest("orders"), "0004", "0003")
    assert (found.run, found.attempt, found.by, found.approved) == (
        "https://github.test/acme/shop/actions/runs/7",
        "2",
        "dev-2",
        "release-manager",
    )
    with pytest.raises(InputError, match="nothing is not a reference by digest"):
        context.identity("mailer")


def test_a_rollback_has_no_release() -> None:
    with pytest.raises(InputError, match="no release is named"):
        _ = opened(ACCESS).delivered


def test_what_does_not_live_here_names_what_does() -> None:
    context = opened(ACCESS)
    with pytest.raises(InputError, match=r"'web' does not live in production(.|\n)*one of: shop, orders, mailer"):
        context.target("web")
    with pytest.raises(InputError, match=r"no environment 'qa'(.|\n)*one of: staging, production"):
        open_context(parse(TEXT), "qa", Runtime(environ={}))
    assert context.urls() == {
        "shop": "https://acme.test",
        "orders": "https://orders.acme.test",
        "mailer": "https://mailer.acme.test",
    }


def test_the_definition_is_the_sources_and_so_is_its_schema(tmp_path: Path) -> None:
    source = write(tmp_path / "source", TEXT.replace("GREETING: hello", "GREETING: good evening"))
    release = Release(name="v1", commit="c" * 40)
    context = opened(ACCESS, release=release, source=source)
    target = context.target("orders")
    assert isinstance(target, CloudRun)
    assert target.env == {"GREETING": "good evening"}
    assert context.manifest.root == source.resolve()
    assert release.schema == "0004"
    assert highest_schema(context.manifest, ["mailer"]) == "0000"
    with pytest.raises(InputError, match=r"there is no shipmate\.yml(.|\n)*check it out first"):
        manifest_in(tmp_path)


def test_the_commit_is_what_is_checked_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this is no git checkout"):
        head_commit(tmp_path)
    identity = ["-c", "user.name=dev-1", "-c", "user.email=dev-1@users.noreply.github.com"]
    for arguments in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "feat: a"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    commit = head_commit(tmp_path)
    assert len(commit) == 40
    assert short_name(commit) == f"sha-{commit[:7]}"


def test_a_digest_is_what_follows_the_at_sign() -> None:
    assert digest_of("host/path@sha256:1") == "sha256:1"
    assert digest_of("host/path:latest") == digest_of("") == ""
