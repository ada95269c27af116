"""The plan of a release as a document: the same facts make the same bytes, and nobody changes anything behind an approval."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.delivery import plan
from pipelines.delivery.pipeline import PRODUCTION, STAGING
from pipelines.delivery.plan import Plan
from pipelines.delivery.review import Unreviewed
from pipelines.delivery.steps.base import Base
from pipelines.delivery.steps.shift import Shift
from pipelines.errors import InputError, ManifestError, RefusedError
from tests.pipelines.delivery.three_services import TEXT, digest, manifest, recorded, write

ROOT = Path(__file__).resolve().parents[3]


def made(tree: Path, policy: str = TEXT, **more: object) -> Plan:
    return plan.make(manifest(tree, policy), "production", recorded(**more))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write(tmp_path / "source")


# what will happen -------------------------------------------------------------------------------------------------------


def test_every_step_in_its_order(tree: Path) -> None:
    """Legs first, then the traffic, component by component as the manifest lists them where they live: the site leads here."""
    lines = [(job.key, step.component, step.name) for job, step in made(tree).steps]
    assert lines == [
        ("deploy", "shop", "stage"),
        ("deploy", "shop", "verify"),
        ("deploy", "orders", "migrate"),
        ("deploy", "orders", "stage"),
        ("deploy", "orders", "verify"),
        ("deploy", "mailer", "stage"),
        ("deploy", "mailer", "verify"),
        ("go-live", "shop", "lock"),
        ("go-live", "orders", "lock"),
        ("go-live", "mailer", "lock"),
        ("go-live", "shop", "compare"),
        ("go-live", "shop", "shift"),
        ("go-live", "orders", "shift"),
        ("go-live", "orders", "shift"),
        ("go-live", "mailer", "shift"),
        ("go-live", "mailer", "shift"),
        ("go-live", "production", "smoke"),
        ("go-live", "shop", "mark-stable"),
        ("go-live", "orders", "mark-stable"),
        ("go-live", "mailer", "mark-stable"),
        ("release", "release", "publish"),
    ]


def test_source_maps_go_out_before_the_candidate_of_a_site_with_a_tracker(tree: Path) -> None:
    tracker = "    error_tracker: {url: https://de.sentry.io/, organization: acme, project: shop}\n"
    policy = TEXT.replace("    build:", f"{tracker}    build:", 1)
    found = made(tree, policy)
    assert [step.name for step in found.of_job("deploy", "shop")] == ["source-maps", "stage", "verify"]
    assert found.of_job("deploy", "shop")[0].as_data()["tracker"] == "acme/shop at https://de.sentry.io"
    assert plan.rebuild(manifest(tree, policy), "production", found.document, found.digest).steps == found.steps
    assert [step for _, step in found.steps if step.component != "shop"] == [
        step for _, step in made(tree).steps if step.component != "shop"
    ], "nothing else is planned for it"
    with pytest.raises(RefusedError, match="steps"):
        plan.rebuild(
            manifest(tree, policy.replace("de.sentry.io", "us.sentry.io")), "production", found.document, found.digest
        )


def test_the_shares_of_the_policy_and_all_at_once_where_nothing_is_live(tree: Path) -> None:
    def shares(found: Plan) -> list[tuple[str, int]]:
        return [(step.component, step.percent) for _, step in found.steps if isinstance(step, Shift)]

    ten = [("shop", 100), ("orders", 10), ("orders", 100), ("mailer", 10), ("mailer", 100)]
    assert shares(made(tree)) == ten
    assert shares(made(tree, base={})) == [("shop", 100), ("orders", 100), ("mailer", 100)]


def test_only_what_lives_in_the_environment_and_was_proved(tree: Path) -> None:
    artifacts = {"orders": f"eu.pkg.dev/acme/orders@{digest('orders')}"}
    assert made(tree, artifacts=artifacts).components == ("orders",)
    assert plan.make(manifest(tree), "staging", recorded(), STAGING).components == ("orders",)
    with pytest.raises(InputError, match=r"v1\.1\.0 has no component that lives in production"):
        made(tree, artifacts={})


def test_the_steps_of_a_job_and_of_a_leg(tree: Path) -> None:
    found = made(tree)
    assert [step.name for step in found.of_job("deploy", "orders")] == ["migrate", "stage", "verify"]
    assert [step.component for step in found.of_job("release")] == ["release"]
    everything = [step for job in PRODUCTION for step in found.of_job(job.key)]
    assert everything == [step for _, step in found.steps], "no step is of no job, and none is of two"


def test_migrations_the_base_lacks_and_contracts_that_nothing_serving_needs(tree: Path) -> None:
    (orders,) = [each for each in made(tree).facts if each.component == "orders"]
    assert (orders.expand, orders.contract, orders.contracts) == (
        ("0004_more.expand.sql",),
        ("0003_drop.contract.sql",),
        "0003",
    )
    (first,) = [each for each in made(tree, base={}).facts if each.component == "orders"]
    assert (len(first.expand), first.contract) == (3, ()), "a contract waits until all that serves knows it"
    had = {"orders": Base(key="orders-1", release="v1.0.0", schema="0004", contracts="0003")}
    assert [step.name for step in made(tree, base=had).of_job("deploy", "orders")] == ["stage", "verify"]


def test_done_already_is_all_of_it_live_and_stable(tree: Path) -> None:
    own = {name: Base(key=name, release="v1.1.0", digest=digest(name)) for name in ("shop", "orders", "mailer")}
    assert made(tree, base=own).done_already
    assert not made(tree, base={**own, "shop": None}).done_already
    assert not made(tree, base={**own, "shop": replace(own["shop"], digest="sha256:x")}).done_already
    assert not made(tree).done_already


# the document -----------------------------------------------------------------------------------------------------------


def test_its_digest_is_of_its_bytes(tree: Path) -> None:
    found = made(tree)
    assert found.digest == hashlib.sha256(found.document).hexdigest()
    assert json.dumps(json.loads(found.document), sort_keys=True, separators=(",", ":")).encode() == found.document


def test_the_same_facts_make_the_same_bytes_in_any_order_and_any_folder(tree: Path, tmp_path: Path) -> None:
    given = recorded()
    backwards = recorded(
        artifacts=dict(reversed(given.artifacts.items())), base=dict(reversed(list(given.base.items())))
    )
    elsewhere = shutil.copytree(tree, tmp_path / "another/place")
    here = made(tree).document
    assert plan.make(manifest(elsewhere), "production", backwards).document == here


def test_the_same_bytes_in_another_process(tree: Path) -> None:
    """Whatever the seed of its hashes: nothing of a plan comes out of a set."""
    script = (
        "import sys; from pathlib import Path; from pipelines.delivery import plan;"
        "from tests.pipelines.delivery.three_services import manifest, recorded;"
        f"sys.stdout.write(plan.make(manifest(Path({str(tree)!r})), 'production', recorded()).digest)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {made(tree).digest}


def test_what_is_recorded_is_read_back(tree: Path) -> None:
    facts = recorded(
        epochs={"shop": 0, "orders": 3, "mailer": 0},
        unreviewed=(Unreviewed(commit="d" * 40, authors=("", "dev-1"), title="fix: ☃ <b>"),),
        warnings=("look twice",),
    )
    found = plan.make(manifest(tree), "production", facts)
    assert plan.read(found.document, found.digest) == facts
    assert plan.rebuild(manifest(tree), "production", found.document, found.digest).steps == found.steps


def test_without_a_base_too(tree: Path) -> None:
    found = made(tree, base={"orders": Base(key="by-hand"), "shop": None})
    assert plan.rebuild(manifest(tree), "production", found.document, found.digest).document == found.document


# changed behind the approval --------------------------------------------------------------------------------------------


def test_another_document_than_the_one_that_was_approved(tree: Path) -> None:
    found, other = made(tree), made(tree, release="v1.1.1")
    for document in (other.document, found.document + b"\n", found.document.replace(b"v1.1.0", b"v1.1.9")):
        with pytest.raises(RefusedError, match="not the one that was approved"):
            plan.rebuild(manifest(tree), "production", document, found.digest)
    with pytest.raises(RefusedError, match="not any"):
        plan.rebuild(manifest(tree), "production", found.document, "")


def changed(document: bytes, change: Callable[[dict[str, Any]], None]) -> tuple[bytes, str]:
    """A document that someone wrote, with the digest of it: as if that had been approved."""
    raw = json.loads(document)
    change(raw)
    found = json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()
    return found, hashlib.sha256(found).hexdigest()


def another_share(raw: dict[str, Any]) -> None:
    (step,) = [each for each in raw["steps"] if each["component"] == "orders" and each.get("percent") == 10]
    step["percent"] = 50


def no_smoke_checks(raw: dict[str, Any]) -> None:
    raw["steps"] = [each for each in raw["steps"] if each["step"] != "smoke"]


def another_order(raw: dict[str, Any]) -> None:
    raw["components"].reverse()


def another_account(raw: dict[str, Any]) -> None:
    raw["deployer"]["service_account"] = "someone@else.iam.gserviceaccount.com"


def another_artifact(raw: dict[str, Any]) -> None:
    raw["components"][0]["artifact"] = "eu.pkg.dev/acme/shop@sha256:" + "9" * 64


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (another_share, "steps/12/percent"),
        (no_smoke_checks, "steps"),
        (another_order, "components/0/"),
        (another_account, "deployer/service_account"),
        (another_artifact, "steps/0/digest"),
    ],
)
def test_a_document_that_the_release_does_not_come_to_is_refused_and_what_differs_is_named(
    tree: Path, change: Callable[[dict[str, Any]], None], named: str
) -> None:
    """Should anybody ever get such a one approved, no job carries it out."""
    document, its_digest = changed(made(tree).document, change)
    with pytest.raises(RefusedError, match="not what was planned any more") as refused:
        plan.rebuild(manifest(tree), "production", document, its_digest)
    assert named in refused.value.what
    assert "asks for a new approval" in refused.value.next_step


DEFINED = [
    ("env: {GREETING: hello}", "env: {GREETING: good evening}", "settings/env/GREETING"),
    ("secrets: {KEY: key@1}", "secrets: {KEY: key@2}", "settings/secrets/KEY"),
    ("secrets: {KEY: key@1}", "secrets: {KEY: key@1, MORE: more@1}", "settings/secrets/MORE"),
    ("config: {apiUrl: https://orders.acme.test}", "config: {apiUrl: https://evil.test}", "settings/config/apiUrl"),
    ("    smoke:\n", "    smoke:\n      - {name: more, component: shop, path: /more}\n", "smoke"),
]


@pytest.mark.parametrize(("was", "is_", "named"), DEFINED, ids=[case[1].strip() for case in DEFINED])
def test_a_definition_that_changed_is_refused(tree: Path, tmp_path: Path, was: str, is_: str, named: str) -> None:
    """As when a tag was moved: the commit is another, or its tree is not what was planned."""
    found = made(tree)
    assert was in TEXT
    other = write(tmp_path / "moved", TEXT.replace(was, is_))
    with pytest.raises(RefusedError) as refused:
        plan.rebuild(manifest(other), "production", found.document, found.digest)
    assert "definition" in refused.value.what
    assert named in refused.value.what


POLICY = [
    ("shift: [10, 100]", "shift: [100]", "settings/shift"),
    ("watch_seconds: 5", "watch_seconds: 0", "settings/watch_seconds"),
    ("project: acme-production", "project: acme-elsewhere", "settings/project"),
    ("orders@acme.iam", "owner@acme.iam", "settings/service_account"),
    ("deploy@acme.iam", "owner@acme.iam", "deployer/service_account"),
    ("path: /version, json", "path: /, json", "smoke/0/path"),
]


@pytest.mark.parametrize(("was", "is_", "named"), POLICY, ids=[case[1] for case in POLICY])
def test_a_policy_that_changed_since_is_refused(tree: Path, was: str, is_: str, named: str) -> None:
    """A re-run may come at a later commit of the default branch than the plan."""
    found = made(tree)
    assert was in TEXT
    with pytest.raises(RefusedError) as refused:
        plan.rebuild(manifest(tree, TEXT.replace(was, is_)), "production", found.document, found.digest)
    assert named in refused.value.what


def test_another_order_of_components_in_the_policy_is_refused(tree: Path) -> None:
    found = made(tree)
    raw = yaml.safe_load(TEXT)
    production = raw["environments"]["production"]
    production["shop"] = production.pop("shop")
    with pytest.raises(RefusedError, match="components/"):
        plan.rebuild(manifest(tree, yaml.safe_dump(raw, sort_keys=False)), "production", found.document, found.digest)


def test_a_migration_that_was_added_is_refused(tree: Path) -> None:
    found = made(tree)
    (tree / "orders/migrations/0005_late.expand.sql").write_text("DROP TABLE orders")
    with pytest.raises(RefusedError, match="steps/"):
        plan.rebuild(manifest(tree), "production", found.document, found.digest)


def test_what_changes_nothing_of_the_delivery_is_no_reason_to_refuse(tree: Path) -> None:
    """Who may approve was asked when someone did; other checks of CI are none of this release."""
    found = made(tree)
    policy = TEXT.replace("ci: {checks: {}}", 'ci: {checks: {lint: {run: ["true"], components: [shop]}}}')
    assert plan.rebuild(manifest(tree, policy), "production", found.document, found.digest).digest == found.digest


def test_a_document_of_another_suite_is_refused(tree: Path) -> None:
    document, its_digest = changed(made(tree).document, lambda raw: raw.update(format=1))
    with pytest.raises(RefusedError, match="has the form 1, this suite knows 3"):
        plan.rebuild(manifest(tree), "production", document, its_digest)


def test_a_registry_that_the_policy_does_not_name_is_none(tmp_path: Path) -> None:
    more = TEXT.replace(
        "  shop:\n    paths", "  other:\n    paths: [o/**]\n    build: {run: [], output: o}\n  shop:\n    paths"
    )
    with pytest.raises(ManifestError, match="the default branch names no registry"):
        manifest(write(tmp_path / "other", more.replace("output: o}", "output: o, repository: evil.test/o}")))


def test_a_document_that_is_not_there(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no plan"):
        plan.fetch(tmp_path)
    (tmp_path / plan.FILE).write_bytes(made(tree).document)
    assert plan.fetch(tmp_path) == made(tree).document
