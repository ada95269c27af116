"""What a release would do, from a tag: its changes, migrations, steps and their digest; the record that jobs refer to."""

from __future__ import annotations

import pytest

from pipelines.delivery import deployment, planning
from pipelines.delivery.ledger import ROLLBACK, Ledger
from pipelines.delivery.migrations import due as migrations
from pipelines.delivery.rollback import Request, roll_back
from pipelines.delivery.run import digest
from pipelines.errors import CredentialsError, RefusedError
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
    assert [change.title for change in found.resolved.changes.listed] == ["feat: v1.0.0", "Initial commit"]
    assert "live now: nothing" in planning.as_text(found, "production")


EXPAND_1, EXPAND_2 = "0001_notes.expand.sql", "0002_index.expand.sql"
DROP_3, DROP_4 = "0003_drop.contract.sql", "0004_old.contract.sql"


def migrating(shop: Shop, tag: str, *files: str) -> None:
    """A proved release that brings migrations."""
    content = {f"migrations/{file}": "select 1;" for file in files} | {"NEWS.md": tag}
    shop.proved(tag, files={"shipmate.yml": with_migrations(), **content})


def goes_out(shop: Shop, tag: str) -> planning.Planned:
    """Planned as the plan job does, and live."""
    run = shop.start()
    delivery = shop.delivery("production", run)
    found = planning.plan(delivery, tag)
    planning.open_record(delivery, found)
    record = delivery.ledger.of_run("production", str(run.id))
    assert record is not None
    delivery.ledger.note(record, "success", f"{tag} is live")
    shop.end(run, "success")
    return found


@pytest.mark.parametrize("annotated", [False, True])
def test_changes_and_migrations_since_what_is_live(shop: Shop, annotated: bool) -> None:
    shop.commit(files={"shipmate.yml": with_migrations(), f"migrations/{EXPAND_1}": "select 1;"})
    shop.released("v1.0.0")
    shop.commit("feat: look up notes", files={f"migrations/{EXPAND_2}": "select 2;"})
    commit = shop.commit("fix: drop it", files={f"migrations/{DROP_3}": "select 3;", "README.md": "x"})
    shop.check(commit)
    shop.note("staging", f"sha-{commit[:7]}", commit)
    shop.tag("v1.1.0", commit, annotated=annotated)
    found = planned(shop, "v1.1.0")
    assert found.resolved.author == "dev-2"
    assert [(c.title, c.author, c.pull_request) for c in found.resolved.changes.listed] == [
        ("fix: drop it", "dev-2", None),
        ("feat: look up notes", "dev-2", None),
    ]
    assert [(one.file, one.kind, one.runs) for one in found.migrations.pending] == [
        (EXPAND_2, "expand", True),
        (DROP_3, "contract", False),
    ]
    assert found.steps[0].says == f"apply 1 expand migration(s): {EXPAND_2}"
    assert [step.action for step in found.steps].count("contract") == 0
    for text in (planning.as_text(found, "production"), planning.as_markdown(found, "production")):
        assert "v1.0.0" in text
        assert f"{EXPAND_2} (expand): before the candidate" in text
        assert f"{DROP_3} (contract): not with this release" in text


def test_the_first_release_carries_every_expand_migration(shop: Shop) -> None:
    migrating(shop, "v1.0.0", EXPAND_1, EXPAND_2, DROP_3)
    found = planned(shop, "v1.0.0")
    assert found.migrations.running("backend", "expand") == [EXPAND_1, EXPAND_2]
    assert found.migrations.running("backend", "contract") == []
    assert found.migrations.allowed == {"backend": "0000"}


def test_a_contract_migration_of_an_earlier_release_is_planned_approved_and_shown(shop: Shop) -> None:
    """The deploying job runs it, though the commit that is live has its file already."""
    migrating(shop, "v1.0.0", EXPAND_1)
    goes_out(shop, "v1.0.0")
    migrating(shop, "v1.1.0", EXPAND_2, DROP_3)
    goes_out(shop, "v1.1.0")
    migrating(shop, "v1.2.0", DROP_4)
    found = planned(shop, "v1.2.0")
    assert [(step.action, step.says) for step in found.steps][:2] == [
        ("contract", f"apply 1 contract migration(s) that may be due: {DROP_3}"),
        ("stage", found.steps[1].says),
    ]
    assert found.digest != digest(found.steps[1:])
    for text in (planning.as_text(found, "production"), planning.as_markdown(found, "production")):
        assert f"{DROP_3} (contract): due now; the earliest release to go back to is then v1.1.0" in text
        assert f"{DROP_4} (contract): not with this release" in text
    assert found.migrations.allowed == {"backend": "0003"}


def test_what_an_earlier_release_ran_is_not_planned_again(shop: Shop) -> None:
    migrating(shop, "v1.0.0", EXPAND_1)
    goes_out(shop, "v1.0.0")
    migrating(shop, "v1.1.0", EXPAND_2, DROP_3)
    goes_out(shop, "v1.1.0")
    migrating(shop, "v1.2.0")
    assert goes_out(shop, "v1.2.0").migrations.running("backend", "contract") == [DROP_3]
    migrating(shop, "v1.3.0")
    found = planned(shop, "v1.3.0")
    assert found.migrations.pending == ()
    assert planning.as_text(found, "production").endswith("Migrations:\n  none")
    assert "### Migrations\n\n```text\nnone\n```" in planning.as_markdown(found, "production")


def test_a_deployment_that_failed_leaves_its_contract_migrations_due(shop: Shop) -> None:
    migrating(shop, "v1.0.0", DROP_3)
    goes_out(shop, "v1.0.0")
    migrating(shop, "v1.1.0")
    run = shop.start()
    delivery = shop.delivery("production", run)
    planning.open_record(delivery, planning.plan(delivery, "v1.1.0"))
    delivery.ledger.note(delivery.ledger.records("production")[0], "failure", "traffic")
    shop.end(run)
    migrating(shop, "v1.1.1")
    assert planned(shop, "v1.1.1").migrations.running("backend", "contract") == [DROP_3]


def test_a_component_that_went_back_alone_decides_what_its_database_may_lose(shop: Shop) -> None:
    """The web app back at a release that knows less does not make the backend's contract migrations wait."""
    migrating(shop, "v1.0.0", EXPAND_1)
    goes_out(shop, "v1.0.0")
    migrating(shop, "v1.1.0", DROP_3)
    goes_out(shop, "v1.1.0")
    ledger = Ledger(shop.client(shop.job().token))
    first = ledger.of_release("production", "v1.0.0")[0]
    back = ledger.open(
        environment="production",
        release="v1.0.0",
        commit=first.commit,
        artifacts={"web": first.artifacts["web"]},
        run="",
        run_id="99",
        attempt="1",
        task=ROLLBACK,
    )
    ledger.note(back, "success", "back to v1.0.0")
    migrating(shop, "v1.2.0")
    assert planned(shop, "v1.2.0").migrations.running("backend", "contract") == [DROP_3]


def test_the_job_that_migrates_is_held_to_the_plan(shop: Shop) -> None:
    migrating(shop, "v1.0.0", EXPAND_1)
    goes_out(shop, "v1.0.0")
    migrating(shop, "v1.1.0", DROP_3)
    goes_out(shop, "v1.1.0")
    newest, oldest = shop.ledger().records("production")
    assert (migrations.allowed(oldest, "backend"), migrations.allowed(newest, "backend")) == ("0000", "0001")
    assert migrations.allowed(newest, "web") == "0000"
    assert migrations.allowed(None, "backend") is None


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
    delivery.runtime.environ = {}
    with pytest.raises(CredentialsError, match=r"not set: GITHUB_TOKEN\n"):
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
