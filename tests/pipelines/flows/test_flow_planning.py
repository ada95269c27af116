"""What a release would do, from a tag: its changes, migrations, steps and their digest; the record that jobs refer to."""

from __future__ import annotations

import pytest

from pipelines.errors import CredentialsError, RefusedError
from pipelines.flows import deployment, planning
from pipelines.flows.rollback import Request, roll_back
from pipelines.ledger import Ledger
from tests.shop import Shop

pytestmark = pytest.mark.world


def planned(shop: Shop, version: str) -> planning.Planned:
    return planning.plan(shop.delivery("production"), version)


def test_a_first_release(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    found = planned(shop, "v1.0.0")
    assert (found.resolved.candidate.commit, found.resolved.live, found.resolved.released_already) == (
        commit,
        None,
        False,
    )
    assert found.resolved.candidate.artifacts == shop.artifacts(commit[:12])
    assert [change.title for change in found.resolved.changes] == ["feat: v1.0.0", "Initial commit"]
    assert "live now: nothing" in planning.as_text(found, "production")


@pytest.mark.parametrize("annotated", [False, True])
def test_changes_and_migrations_since_what_is_live(shop: Shop, annotated: bool) -> None:
    shop.commit(files={"shipmate.yml": with_migrations(), "migrations/0001_notes.expand.sql": "select 1;"})
    shop.released("v1.0.0")
    shop.commit("feat: look up notes (#12)", files={"migrations/0002_index.expand.sql": "select 2;"})
    commit = shop.commit("fix: drop it", files={"migrations/0003_drop.contract.sql": "select 3;", "README.md": "x"})
    shop.check(commit)
    shop.note("staging", f"sha-{commit[:7]}", commit)
    shop.tag("v1.1.0", commit, annotated=annotated)
    found = planned(shop, "v1.1.0")
    assert found.resolved.author == "dev-2"
    assert [(c.title, c.author, c.pull_request) for c in found.resolved.changes] == [
        ("fix: drop it", "dev-2", None),
        ("feat: look up notes (#12)", "dev-2", 12),
    ]
    assert found.migrations == ("0002_index.expand.sql", "0003_drop.contract.sql")
    assert found.steps[0].says == "apply 1 expand migration(s): 0002_index.expand.sql"
    text = planning.as_text(found, "production")
    assert "live now: v1.0.0" in text
    assert "0003_drop.contract.sql" in text


def test_the_first_release_carries_every_migration(shop: Shop) -> None:
    shop.commit(files={"shipmate.yml": with_migrations(), "migrations/0001_notes.expand.sql": "select 1;"})
    shop.proved("v1.0.0")
    assert planned(shop, "v1.0.0").migrations == ("0001_notes.expand.sql",)


def with_migrations() -> str:
    from tests.shop_files import MANIFEST

    return MANIFEST.replace(
        "    paths: [apps/backend/**]\n", "    paths: [apps/backend/**]\n    migrations: migrations\n"
    )


def test_the_steps_are_those_of_an_approver(shop: Shop) -> None:
    shop.proved("v1.0.0")
    assert [(step.action, step.component) for step in planned(shop, "v1.0.0").steps] == [
        ("stage", "backend"),
        ("verify", "backend"),
        ("stage", "web"),
        ("verify", "web"),
        ("shift", "backend"),
        ("shift", "backend"),
        ("shift", "web"),
        ("prove", "production"),
        ("settle", "backend"),
        ("settle", "web"),
        ("publish", "release"),
    ]


def test_the_digest_names_what_was_approved_and_not_when(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    first = planned(shop, "v1.0.0").digest
    shop.host("production", "backend").put("v1.0.0", commit, "sha256:x")
    assert planned(shop, "v1.0.0").digest == first
    shop.tag("v1.0.1", commit)
    assert planned(shop, "v1.0.1").digest != first


def test_a_tag_of_a_maintenance_line_is_released_too(shop: Shop) -> None:
    shop.commit(branch="release/1.0.x")
    commit = shop.proved("v1.0.1", branch="release/1.0.x")
    shop.commit()
    assert planned(shop, "v1.0.1").resolved.candidate.commit == commit


def test_a_check_that_was_run_again_counts_by_its_last_end(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    shop.check(commit, "failure")
    with pytest.raises(RefusedError, match=r"the check ci of v1\.0\.0 .* failure"):
        planned(shop, "v1.0.0")
    shop.check(commit)
    assert planned(shop, "v1.0.0").resolved.candidate.commit == commit


def test_what_was_taken_back_may_go_out_again(shop: Shop) -> None:
    shop.released("v1.0.0")
    shop.released("v1.1.0")
    roll_back(shop.delivery("production"), Request())
    assert planned(shop, "v1.0.0").resolved.released_already
    again = planned(shop, "v1.1.0")
    assert (again.resolved.live and again.resolved.live.release, again.resolved.released_already) == ("v1.0.0", False)


def test_the_record_is_opened_once_and_holds_the_plan(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    run = shop.start()
    for _ in range(2):
        delivery = shop.delivery("production", run)
        found = planning.plan(delivery, "v1.0.0")
        planning.open_record(delivery, found)
    (record,) = shop.ledger().records("production")
    assert (record.release, record.commit, record.plan, record.run_id) == ("v1.0.0", commit, found.digest, str(run.id))
    assert record.state == "queued"


def test_titles_from_outside_cannot_leave_their_block(shop: Shop) -> None:
    title = "feat: ```\n::error::gotcha"
    commit = shop.commit("feat: ``` <img src=x> @everybody\n\n::error::body")
    shop.check(commit)
    shop.note("staging", "x", commit)
    shop.tag("v1.0.0", commit)
    markdown = planning.as_markdown(planned(shop, "v1.0.0"), "production")
    assert title.splitlines()[1] not in markdown
    assert markdown.endswith("````")
    assert "````text" in markdown


def test_without_a_token_it_says_what_to_set(shop: Shop) -> None:
    delivery = shop.delivery("production")
    delivery.github = None
    with pytest.raises(CredentialsError, match="not set: GITHUB_TOKEN"):
        planning.plan(delivery, "v1.0.0")


def test_other_artifacts_than_planned_are_refused(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    run = shop.start()
    delivery = shop.delivery("production", run)
    found = planning.plan(delivery, "v1.0.0")
    planning.open_record(delivery, found)
    other = shop.candidate("v1.0.0", commit, plan=found.digest)
    with pytest.raises(RefusedError, match=r"backend, web of v1\.0\.0 is not what staging proved"):
        deployment.begin(shop.delivery("production", run), other)
    assert [r.state for r in Ledger(shop.client(shop.job().token)).records("production")] == ["queued"]
