"""What a release would do, from a tag: its changes, migrations and steps, and all that refuses it before anybody is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.delivery import plan, plan_text, planning
from pipelines.delivery.migrations import counts
from pipelines.delivery.migrations import planned as planned_migrations
from pipelines.delivery.migrations.counts import Finding
from pipelines.delivery.migrations.trial import Trial
from pipelines.delivery.planning import Planned
from pipelines.delivery.rollback import Request, roll_back
from pipelines.errors import CredentialsError, RefusedError
from pipelines.providers import secret_manager
from tests.shop import REPOSITORY, Shop
from tests.shop_files import MANIFEST, REGISTRY

pytestmark = pytest.mark.world

EXPAND_1, EXPAND_2 = "0001_notes.expand.sql", "0002_index.expand.sql"
DROP_3, DROP_4 = "0003_drop.contract.sql", "0004_old.contract.sql"


def planned(shop: Shop, version: str) -> Planned:
    return planning.plan_release(shop.context("production"), version)


def steps(found: Planned) -> list[tuple[str, str, str]]:
    return [(job.key, step.name, step.component) for job, step in found.plan.steps]


def texts(found: Planned) -> tuple[str, str]:
    return plan_text.as_text(found), plan_text.as_markdown(found)


def with_migrations() -> str:
    return MANIFEST.replace(
        "    paths: [apps/backend/**]\n", "    paths: [apps/backend/**]\n    migrations: migrations\n"
    )


def migrating(shop: Shop, tag: str, *files: str) -> str:
    """A proved release that brings migrations; its commit."""
    content = {f"migrations/{file}": "select 1;" for file in files} | {"NEWS.md": tag}
    return shop.proved(tag, files={"shipmate.yml": with_migrations(), **content})


def goes_out(shop: Shop, tag: str, commit: str) -> None:
    """Live and stable, with the schema and the contract migrations of its plan, as its jobs would leave it."""
    facts = {each.component: each for each in planned(shop, tag).plan.facts}
    for component, reference in shop.artifacts(commit[:12]).items():
        schema = max(["0000", *(name[:4] for name in known(shop, commit))]) if component == "backend" else "0000"
        host = shop.host("production", component)
        host.put(tag, commit, reference.rpartition("@")[2], schema)
        newest = host.deployments[0]
        assert newest.identity is not None
        host.deployments[0] = replace(newest, identity=replace(newest.identity, contracts=facts[component].contracts))


def known(shop: Shop, commit: str) -> list[str]:
    shop.update()
    listed = shop.person("dev-1").git("ls-tree", "--name-only", commit, "migrations/", cwd=shop.checkout)
    return [line.rpartition("/")[2] for line in listed.split()]


# the plan ---------------------------------------------------------------------------------------------------------------


def test_what_a_host_is_concerned_about_is_a_warning_of_the_plan(shop: Shop) -> None:
    shop.proved("v1.0.0")
    shop.host("production", "backend").worries = ("api: the quota is too small",)
    assert "api: the quota is too small" in planned(shop, "v1.0.0").plan.recorded.warnings


def test_a_first_release(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    found = planned(shop, "v1.0.0")
    assert (found.plan.recorded.commit, found.plan.recorded.artifacts) == (commit, shop.artifacts(commit[:12]))
    assert found.plan.recorded.base == {"backend": None, "web": None}
    assert [change.title for change in found.changes.listed] == ["feat: v1.0.0", "Initial commit"]
    assert not found.done_already
    assert "live now: nothing" in texts(found)[0]
    assert {each.state for each in found.protections} == {"ok"}


def test_the_steps_are_those_of_an_approver(shop: Shop) -> None:
    shop.released("v1.0.0")
    shop.proved("v1.1.0")
    found = planned(shop, "v1.1.0")
    assert steps(found) == [
        ("deploy", "stage", "backend"),
        ("deploy", "verify", "backend"),
        ("deploy", "stage", "web"),
        ("deploy", "verify", "web"),
        ("go-live", "lock", "backend"),
        ("go-live", "lock", "web"),
        ("go-live", "shift", "backend"),
        ("go-live", "shift", "backend"),
        ("go-live", "shift", "web"),
        *steps(found)[9:],
    ]
    assert [name for _, name, _ in steps(found)[9:]] == ["smoke", "mark-stable", "mark-stable", "publish"]
    for text in texts(found):
        assert all(step.says in text for _, step in found.plan.steps)


def test_the_digest_names_what_was_approved_and_not_when(shop: Shop) -> None:
    commit = shop.proved("v1.0.0")
    first = planned(shop, "v1.0.0").plan
    assert planned(shop, "v1.0.0").plan.digest == first.digest
    shop.tag("v1.0.1", commit)
    assert planned(shop, "v1.0.1").plan.digest != first.digest


def test_the_digest_names_what_is_live(shop: Shop) -> None:
    shop.released("v1.0.0")
    shop.proved("v1.1.0")
    first = planned(shop, "v1.1.0").plan.digest
    shop.released("v1.0.1")
    assert planned(shop, "v1.1.0").plan.digest != first


def test_a_candidate_without_traffic_changes_nothing_of_it(shop: Shop) -> None:
    """A run that is killed and started again plans the same."""
    commit = shop.proved("v1.0.0")
    first = planned(shop, "v1.0.0").plan
    context = shop.context("production")
    context.release = planning.Release(name="v1.0.0", commit=commit, artifacts=dict(first.recorded.artifacts))
    context.host("backend").stage(context.release.artifact("backend"), context.identity("backend"))
    assert planned(shop, "v1.0.0").plan.document == first.document


def test_the_document_is_written_for_the_jobs_after_it(shop: Shop) -> None:
    shop.proved("v1.0.0")
    found = planned(shop, "v1.0.0")
    file = planning.write(found, shop.folder / "made" / "here")
    assert file.read_bytes() == found.plan.document == plan.fetch(file.parent)
    assert plan.read(file.read_bytes(), found.plan.digest) == found.plan.recorded


def test_a_tag_of_a_maintenance_line_is_released_too(shop: Shop) -> None:
    shop.commit(branch="release/1.0.x")
    commit = shop.proved("v1.0.1", branch="release/1.0.x")
    shop.commit()
    found = planned(shop, "v1.0.1")
    assert found.plan.recorded.commit == commit
    assert found.plan.recorded.warnings == ()


def test_the_same_again_is_done_already_once_it_is_published(shop: Shop) -> None:
    shop.released("v1.0.0")
    assert planned(shop, "v1.0.0").plan.done_already
    assert not planned(shop, "v1.0.0").done_already
    shop.person("release-manager").post(f"/repos/{REPOSITORY}/releases", {"tag_name": "v1.0.0", "name": "v1.0.0"})
    found = planned(shop, "v1.0.0")
    assert found.done_already
    assert "Released already: nothing to do" in texts(found)[1]


def test_what_was_taken_back_may_go_out_again(shop: Shop) -> None:
    shop.released("v1.0.0")
    shop.released("v1.1.0")
    roll_back(shop.context("production"), Request())
    assert planned(shop, "v1.0.0").plan.done_already
    again = planned(shop, "v1.1.0").plan
    assert not again.done_already
    assert [each.base.release for each in again.facts if each.base] == ["v1.0.0", "v1.0.0"]


def test_candidates_that_no_check_could_see_are_not_planned(shop: Shop) -> None:
    shop.proved("v1.0.0")
    shop.host("production", "web").closed = True
    with pytest.raises(CredentialsError, match="nothing lets checks see a candidate"):
        planned(shop, "v1.0.0")


def test_while_traffic_is_split_nothing_is_planned(shop: Shop) -> None:
    shop.released("v1.0.0")
    shop.released("v1.1.0")
    shop.proved("v1.2.0")
    host = shop.host("production", "backend")
    host.shift(host.deployments[1].key, 10)
    with pytest.raises(RefusedError, match=r"the traffic is split: (.|\n)*another delivery is under way"):
        planned(shop, "v1.2.0")


def test_what_was_proved_elsewhere_is_kept_in_the_policys_registry(shop: Shop) -> None:
    """The proof names digests; where they are kept is policy."""
    commit = shop.commit()
    shop.check(commit)
    elsewhere = {
        name: f"mine.test/{name}@{reference.rpartition('@')[2]}"
        for name, reference in shop.artifacts(commit[:12]).items()
    }
    shop.end(shop.prove(commit, artifacts=elsewhere), "success")
    shop.tag("v1.0.0", commit)
    for name, reference in planned(shop, "v1.0.0").plan.recorded.artifacts.items():
        assert reference.startswith(f"{REGISTRY}/techmate-delivery/platform/{name}@sha256:")


def test_a_component_that_was_not_proved(shop: Shop) -> None:
    commit = shop.commit()
    shop.check(commit)
    shop.end(shop.prove(commit, artifacts={"backend": shop.artifacts("x")["backend"]}), "success")
    shop.tag("v1.0.0", commit)
    with pytest.raises(RefusedError, match=r"web was not proved(.|\n)*proved were: backend"):
        planned(shop, "v1.0.0")


def test_an_environment_that_nothing_proves_is_not_planned(shop: Shop) -> None:
    shop.proved("v1.0.0")
    with pytest.raises(RefusedError, match="nothing proves what goes to staging"):
        planning.plan_release(shop.context("staging"), "v1.0.0")


# migrations -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("annotated", [False, True])
def test_changes_and_migrations_since_what_is_live(shop: Shop, annotated: bool) -> None:
    goes_out(shop, "v1.0.0", migrating(shop, "v1.0.0", EXPAND_1))
    shop.commit("feat: look up notes", files={f"migrations/{EXPAND_2}": "select 2;"})
    commit = shop.commit("fix: drop it", files={f"migrations/{DROP_3}": "select 3;", "README.md": "x"})
    shop.check(commit)
    shop.end(shop.prove(commit), "success")
    shop.tag("v1.1.0", commit, annotated=annotated)
    found = planned(shop, "v1.1.0")
    assert [(c.title, c.author, c.pull_request) for c in found.changes.listed] == [
        ("fix: drop it", "dev-2", None),
        ("feat: look up notes", "dev-2", None),
    ]
    (backend,) = (each for each in found.plan.facts if each.component == "backend")
    assert (backend.expand, backend.contract) == ((EXPAND_2,), ())
    assert steps(found)[0] == ("deploy", "migrate", "backend")
    for text in texts(found):
        assert "v1.0.0" in text
        assert f"{EXPAND_2} (expand): before the candidate" in text
        assert DROP_3 not in text


def test_the_first_release_carries_every_expand_migration(shop: Shop) -> None:
    migrating(shop, "v1.0.0", EXPAND_1, EXPAND_2, DROP_3)
    (backend, web) = planned(shop, "v1.0.0").plan.facts
    assert (backend.expand, backend.contract, backend.contracts) == ((EXPAND_1, EXPAND_2), (), "0000")
    assert (web.expand, web.contract) == ((), ())


def test_a_contract_migration_of_an_earlier_release_is_planned_approved_and_shown(shop: Shop) -> None:
    goes_out(shop, "v1.0.0", migrating(shop, "v1.0.0", EXPAND_1))
    goes_out(shop, "v1.1.0", migrating(shop, "v1.1.0", EXPAND_2, DROP_3))
    migrating(shop, "v1.2.0", DROP_4)
    found = planned(shop, "v1.2.0")
    (backend, _) = found.plan.facts
    assert (backend.contract, backend.contracts) == ((DROP_3,), "0003")
    assert DROP_3.encode() in found.plan.document
    for text in texts(found):
        assert f"{DROP_3} (contract): due now; the earliest release to go back to is then v1.1.0" in text
        assert DROP_4 not in text


def test_what_an_earlier_release_ran_is_not_planned_again(shop: Shop) -> None:
    goes_out(shop, "v1.0.0", migrating(shop, "v1.0.0", EXPAND_1))
    goes_out(shop, "v1.1.0", migrating(shop, "v1.1.0", EXPAND_2, DROP_3))
    goes_out(shop, "v1.2.0", migrating(shop, "v1.2.0"))
    migrating(shop, "v1.3.0")
    found = planned(shop, "v1.3.0")
    assert [(each.expand, each.contract) for each in found.plan.facts] == [((), ()), ((), ())]
    assert "Migrations:\n  none" in texts(found)[0]
    assert "### Migrations\n\n```text\nnone\n```" in texts(found)[1]


def test_what_nobody_knows_of_the_migrations_is_reported_to_the_one_who_approves(shop: Shop) -> None:
    migrating(shop, "v1.0.0", EXPAND_1)
    found = planned(shop, "v1.0.0")
    (line,) = found.plan.recorded.warnings
    assert line == (
        "backend: whether its migrations fit the rows is not known before they run: backend has migrations but no database_secret"
    )
    assert line.encode() in found.plan.document
    for text in texts(found):
        assert text.count(line) == 2, "under Attention and under Migrations"
    assert plan_text.as_data(found)["trials"][0]["by"] == "nothing"


def test_migrations_that_the_rows_refuse_are_not_planned(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []
    state: counts.State = "violated"

    def tried(context: object, component: str, expand: tuple[str, ...], contract: tuple[str, ...]) -> Trial:
        asked.append((component, expand))
        rows = Finding(file=EXPAND_1, line=3, what="CHECK short of notes", state=state, rows=412)
        return Trial(component=component, by="counts", due=(EXPAND_1,), findings=(rows,))

    monkeypatch.setattr(planned_migrations, "tried", tried)
    migrating(shop, "v1.0.0", EXPAND_1)
    with pytest.raises(RefusedError, match=r"0001_notes.expand.sql:3: CHECK short of notes: 412 row\(s\) violate it"):
        planned(shop, "v1.0.0")
    state = "fits"
    found = planned(shop, "v1.0.0")
    assert asked == [("backend", (EXPAND_1,))] * 2
    assert found.plan.recorded.warnings == ()
    assert all("CHECK short of notes: every row fits" in text for text in texts(found))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:S3cr3t-planted@127.0.0.1:1/x",
        "postgresql://u:S3cr3t%zz@planted@127.0.0.1:x/x",
        "host=127.0.0.1 port=1 password=S3cr3t-planted",
    ],
)
def test_no_password_of_a_database_is_in_what_an_approver_reads(
    shop: Shop, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = planned_migrations.due
    monkeypatch.setattr(secret_manager, "access", lambda *_: address)
    monkeypatch.setattr(due, "reading_address", lambda context, component: due.address_of(context, component, "any@1"))
    migrating(shop, "v1.0.0", EXPAND_1)
    found = planned(shop, "v1.0.0")
    assert any("is not known before they run" in line for line in found.plan.recorded.warnings)
    written = [*texts(found), str(plan_text.as_data(found)), found.plan.document.decode()]
    assert [text for text in written if "S3cr3t" in text or "planted" in text] == []


def test_an_expand_migration_that_drops_is_not_planned(shop: Shop) -> None:
    """Its text alone refuses it: the database, which cannot be reached, is not asked for that."""
    shop.proved("v1.0.0", files={"shipmate.yml": with_migrations(), f"migrations/{EXPAND_1}": "DROP TABLE notes;"})
    with pytest.raises(RefusedError, match=r"0001_notes.expand.sql:1: DROP TABLE notes \[drop\]"):
        planned(shop, "v1.0.0")


def test_what_was_superseded_is_not_in_the_plan(shop: Shop) -> None:
    fixed = {
        f"migrations/{EXPAND_1}": "SELECT 1;",
        f"migrations/{EXPAND_2}": "-- shipmate: supersedes 0001: rows\nSELECT 1;",
    }
    shop.proved("v1.0.0", files={"shipmate.yml": with_migrations(), **fixed})
    (backend, _) = planned(shop, "v1.0.0").plan.facts
    assert backend.expand == (EXPAND_2,)


# what an approver reads -------------------------------------------------------------------------------------------------


def test_commits_that_nobody_else_has_seen_are_named_with_their_authors(shop: Shop) -> None:
    shop.released("v1.0.0")
    shop.commit("feat: alone\n\nCo-authored-by: x <someone@example.test>", author="dev-1")
    commit = shop.proved("v1.1.0")
    found = planned(shop, "v1.1.0")
    assert [each.authors for each in found.plan.recorded.unreviewed] == [("dev-2",), ("", "dev-1")]
    for text in texts(found):
        assert "Unreviewed commits" in text
        assert f"{commit[:7]} feat: v1.1.0 (dev-2)" in text
        assert "feat: alone (no account, dev-1)" in text
    assert b'"authors":["","dev-1"]' in found.plan.document


def test_what_differs_from_main_is_shown(shop: Shop) -> None:
    own = MANIFEST.replace(
        "      url: https://api.techmate.ai\n", "      url: https://api.techmate.ai\n      env: {LOG: debug}\n"
    )
    shop.commit(branch="release/1.x")
    shop.proved("v1.0.0", branch="release/1.x", files={"shipmate.yml": own})
    found = planned(shop, "v1.0.0")
    assert found.compared == ("backend/env: {'LOG': 'debug'}, the default branch has {}",)
    assert all("Different from what the default branch says" in text for text in texts(found))


def test_titles_from_outside_cannot_leave_their_block(shop: Shop) -> None:
    commit = shop.commit("feat: ``` <img src=x> @everybody\n\n::error::body")
    shop.check(commit)
    shop.end(shop.prove(commit), "success")
    shop.tag("v1.0.0", commit)
    markdown = texts(planned(shop, "v1.0.0"))[1]
    assert "::error::body" not in markdown
    assert "````text" in markdown
    blocks = markdown.split("````")
    assert "<img" not in "".join(blocks[0::2])
    assert "<img" in "".join(blocks[1::2])


def test_as_data_it_says_the_same(shop: Shop) -> None:
    shop.proved("v1.0.0")
    found = planned(shop, "v1.0.0")
    data = plan_text.as_data(found)
    assert (data["release"], data["plan"], data["live"]) == ("v1.0.0", found.plan.digest, "nothing")
    assert len(data["steps"]) == len(found.plan.steps)
    assert [each["subject"] for each in data["protection"]] == [each.subject for each in found.protections]


def test_without_a_token_it_says_what_to_set(shop: Shop) -> None:
    context = shop.context("production")
    context.github = None
    with pytest.raises(CredentialsError, match="GITHUB_TOKEN"):
        planning.plan_release(context, "v1.0.0")


def test_changes_are_counted_from_the_component_that_is_furthest_behind(shop: Shop) -> None:
    """The web app went back alone: the next release brings it what the backend has already."""
    shop.released("v1.0.0")
    second = shop.proved("v1.1.0")
    digest = shop.artifacts(second[:12])["backend"].rpartition("@")[2]
    shop.host("production", "backend").put("v1.1.0", second, digest)
    third = shop.proved("v1.2.0")
    found = planning.plan_release(shop.context("production", shop.start()), "v1.2.0")
    assert [change.commit for change in found.changes.listed] == [third, second]
