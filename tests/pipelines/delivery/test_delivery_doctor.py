"""What an administrator is shown that the trust stands on, at GitHub and at Google, and that the commands name what lacks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pipelines.delivery import doctor
from pipelines.delivery.context import Context
from pipelines.delivery.doctor import trust
from pipelines.findings import Finding
from pipelines.http import Http
from pipelines.manifest import Manifest, parse
from pipelines.manifest.error_tracker import ErrorTracker
from pipelines.manifest.model import Deployer
from pipelines.manifest.performance import AppStarts, Load, Performance
from pipelines.overlay import Overlay
from rehearsal.emulators.google_auth.app import Iam
from rehearsal.emulators.google_auth.policy import Policy, ServiceAccount
from rehearsal.emulators.google_auth.seeding import DEPLOYING, MAPPING, TrustedWorkflows
from rehearsal.emulators.google_auth.state import Tokens
from rehearsal.github.protection.state import BypassActor
from rehearsal.serving import Server
from tests.pipelines.delivery.test_delivery_protection import fix
from tests.pipelines.mobile.releasing import MANIFEST as WITH_APPS
from tests.shop import REPOSITORY, Shop
from tests.shop_files import MANIFEST

pytestmark = pytest.mark.world

PROVIDER = "projects/1234/locations/global/workloadIdentityPools/github/providers/techmate"
DEPLOYER = "deploy@techmate-production.iam.gserviceaccount.com"
READER = "on-call@techmate-production.iam.gserviceaccount.com"
ELSEWHERE = (
    "api.vercel.com",
    *(
        f"{name}.googleapis.com"
        for name in ("artifactregistry", "cloudresourcemanager", "secretmanager", "serviceusage")
    ),
)
"""Nobody answers there: what stands there has tests of its own."""
PLAY = "play@techmate-delivery.iam.gserviceaccount.com"


@dataclass
class Google:
    """The IAM of a shop. `condition` and `environment` are what the provider and the deployer are bound by."""

    shop: Shop
    tokens: Tokens
    url: str

    def bind(self, condition: str, environment: str = "production-deploy") -> None:
        self.tokens.policy = policy(condition, environment)

    def context(self, environment: str = "production", login: str = "admin-1") -> Context:
        context = self.shop.context(environment, login=login)
        closed = dict.fromkeys(ELSEWHERE, "http://127.0.0.1:1")
        hosts = {**closed, **(self.shop.http.overlay.hosts or {}), "iam.googleapis.com": self.url}
        context.http = context.credentials.http = Http(
            overlay=Overlay(hosts=hosts, time_scale=0.0), policy=self.shop.http.policy
        )
        token = self.tokens.access_token(READER)
        context.runtime.environ = {**context.runtime.environ, "GOOGLE_OAUTH_ACCESS_TOKEN": token}
        settings = context.manifest.environments["production"]
        deployer = Deployer(workload_identity=f"//iam.googleapis.com/{PROVIDER}", service_account=DEPLOYER)
        environments = {**context.manifest.environments, "production": replace(settings, deployer=deployer)}
        context.manifest = replace(context.manifest, environments=environments)
        return context


def policy(condition: str, environment: str, play: tuple[str, ...] = ("mobile-stores", "mobile-promote")) -> Policy:
    reads = {
        "techmate-production": frozenset({"iam.serviceAccounts.getIamPolicy"}),
        "techmate-delivery": frozenset({"iam.serviceAccounts.getIamPolicy"}),
        "1234": frozenset({"iam.workloadIdentityPoolProviders.get"}),
    }
    return Policy(
        provider=PROVIDER,
        issuer="https://token.actions.example.test",
        condition=condition,
        mapping=trust.MAPPING,
        accounts=(
            ServiceAccount(email=READER, grants=reads),
            ServiceAccount(email=DEPLOYER, attributes=frozenset({("environment", environment)})),
            ServiceAccount(email=PLAY, attributes=frozenset(("environment", each) for each in play)),
        ),
    )


@pytest.fixture
def google(shop: Shop) -> Iterator[Google]:
    async def keys() -> Mapping[str, Any]:
        return {"keys": []}

    shop.do(shop.github.seed.role, REPOSITORY, "admin-1", "admin")
    tokens = Tokens(policy("", "production-deploy"), keys)
    server = Server(Iam(tokens).app, "iam")
    shop.run(server.start())
    made = Google(shop=shop, tokens=tokens, url=server.url)
    made.bind(bound(shop))
    yield made
    shop.run(server.stop())


def bound(shop: Shop, manifest: Manifest | None = None) -> str:
    """A condition as docs/SECURITY.md has it."""
    deployer = Deployer(workload_identity=f"//iam.googleapis.com/{PROVIDER}", service_account=DEPLOYER)
    return trust.Condition.of(
        manifest or parse(MANIFEST), deployer, shop.person("admin-1").get(f"/repos/{REPOSITORY}")
    ).text


def examined(google: Google, login: str = "admin-1") -> list[Finding]:
    return doctor.examine({"production": google.context(login=login)})


def missing(found: list[Finding]) -> dict[str, str]:
    """Subject -> the command that fixes it."""
    return {finding.subject: finding.fix for finding in found if finding.state == "missing"}


def well(shop: Shop) -> None:
    """What the scene lacks so far: reviewers, no bypass, the secret, rules for tags of mobile releases."""
    seed = shop.github.seed
    for name, reviewer in (("production-approval", "release-manager"), ("production-break-glass", "on-call")):
        shop.do(seed.environment, REPOSITORY, name, branches=("main",), reviewers=(reviewer,), admins_bypass=False)
    for name in ("production-deploy", "staging"):
        shop.do(seed.secrets, REPOSITORY, {"VERCEL_TOKEN": "x"}, environment=name)


def test_nothing_is_missing_where_all_is_set(google: Google) -> None:
    well(google.shop)
    found = examined(google)
    assert missing(found) == {}
    values = {finding.subject: finding.says for finding in found}
    assert values["environment production-deploy"] in ("admits main alone", "holds VERCEL_TOKEN")
    assert values["Google, production: attribute condition"] == "binds repository, owner, ref and workflow"
    assert values[f"Google, production: {DEPLOYER}"] == "is had through attribute.environment/production-deploy alone"


def test_what_a_writer_cannot_read_is_unknown_and_not_well(google: Google) -> None:
    well(google.shop)
    found = examined(google, login="dev-1")
    rulesets = [finding for finding in found if finding.subject.startswith("ruleset")]
    assert len(rulesets) == 3
    assert {finding.state for finding in rulesets} == {"unknown"}


def test_the_one_who_may_bypass_a_ruleset_is_named(google: Google) -> None:
    well(google.shop)
    actor = BypassActor(actor_id=5, actor_type="RepositoryRole", mode="always")
    google.shop.do(google.shop.github.seed.branch_ruleset, REPOSITORY, ("develop",), bypass=(actor,))
    commands = missing(examined(google))
    assert list(commands) == ["ruleset develop"]
    assert "rulesets/" in commands["ruleset develop"] and "bypass_actors" in commands["ruleset develop"]


def test_secrets_of_the_repository_and_of_an_environment_that_is_left_are_found(google: Google) -> None:
    well(google.shop)
    seed = google.shop.github.seed
    google.shop.do(seed.secrets, REPOSITORY, {"VERCEL_TOKEN": "x", "OTHER": "y"})
    google.shop.do(seed.secrets, REPOSITORY, {"VERCEL_TOKEN": "x"}, environment="production")
    commands = missing(examined(google))
    assert commands["secrets of the repository"] == "gh secret delete VERCEL_TOKEN"
    assert commands["environment production"] == f"gh api -X DELETE repos/{REPOSITORY}/environments/production"


def test_an_environment_without_the_secret_it_needs(google: Google) -> None:
    well(google.shop)
    environment = google.shop.github.instance.repository(REPOSITORY).environments["production-deploy"]
    environment.secrets.clear()
    assert missing(examined(google)) == {
        "environment production-deploy": "gh secret set VERCEL_TOKEN --env production-deploy"
    }


def test_the_starts_of_apps_are_read_where_load_tests_are_made(google: Google) -> None:
    """That secret belongs to the environment whose jobs read them, and never to the repository."""
    well(google.shop)
    context = google.context()
    bare = context.manifest
    performance = Performance(app_starts=AppStarts(organization="techmate", project="mobile"))
    settings = bare.environments["production"]
    environments = {**bare.environments, "production": replace(settings, load=Load(visits_per_second=1))}

    def lacks(manifest: Manifest) -> dict[str, str]:
        context.manifest = manifest
        return missing(doctor.examine({"production": context}))

    measured = replace(bare, performance=performance, environments=environments)
    fix = "gh secret set SENTRY_READ_TOKEN --env production-deploy"
    assert lacks(replace(measured, performance=Performance())) == {}, "not declared"
    assert lacks(replace(measured, environments=bare.environments)) == {}, "no load test is made of any"
    assert lacks(measured) == {"environment production-deploy": fix}
    google.shop.do(google.shop.github.seed.secrets, REPOSITORY, {"SENTRY_READ_TOKEN": "x"})
    assert lacks(measured)["secrets of the repository"] == "gh secret delete SENTRY_READ_TOKEN"


def test_who_deploys_a_site_with_an_error_tracker_needs_its_token(google: Google) -> None:
    well(google.shop)
    context = google.context()
    web = context.manifest.components["web"]
    tracker = ErrorTracker(organization="techmate", project="web")
    components = {**context.manifest.components, "web": replace(web, error_tracker=tracker)}
    context.manifest = replace(context.manifest, components=components)
    found = doctor.examine({"production": context})
    assert missing(found) == {
        f"environment {name}": f"gh secret set SENTRY_AUTH_TOKEN --env {name}"
        for name in ("staging", "production-deploy")
    }
    assert {each.subject: each.state for each in found}["Sentry, web: techmate/web"] == "unknown", (
        "none is in the terminal"
    )


def test_on_free_the_repository_holds_the_secrets_of_a_private_repository(google: Google) -> None:
    """Environments are not to be had, so none is asked for; Google's part is the same."""
    repository = google.shop.github.instance.repository(REPOSITORY)
    repository.private, repository.settings.plan = True, "free"
    plan = f"GitHub's plan of {REPOSITORY}"
    assert missing(examined(google)).keys() == {plan, "secrets of the repository"}
    google.shop.do(google.shop.github.seed.secrets, REPOSITORY, {"VERCEL_TOKEN": "x"})
    found = {finding.subject: finding for finding in examined(google)}
    assert missing(list(found.values())).keys() == {plan}
    assert found["secrets of the repository"].says == "holds VERCEL_TOKEN, which a workflow of any branch can read"
    assert found["Google, production: attribute condition"].state == "ok"
    assert not any(subject.startswith(("environment ", "branch ", "tags ")) for subject in found)


@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_a_condition_that_does_not_bind_enough(google: Google, part: int) -> None:
    """Repository, owner, ref and workflow: each alone is missed, and the command sets all."""
    well(google.shop)
    whole = bound(google.shop)
    parts = whole.split(" && ")
    google.bind(" && ".join(each for number, each in enumerate(parts) if number != part))
    commands = missing(examined(google))
    assert list(commands) == ["Google, production: attribute condition"]
    command = commands["Google, production: attribute condition"]
    assert command.startswith("gcloud iam workload-identity-pools providers update-oidc techmate ")
    assert "assertion.repository_id ==" in command and "deploy-production.yml@refs/heads/main" in command
    assert "assertion.repository_owner_id ==" in command


def test_a_mapping_that_makes_an_attribute_of_another_claim(google: Google) -> None:
    """Who may become the deployer is asked by `attribute.environment`, so the one who chooses that claim chooses the deployer."""
    well(google.shop)
    google.tokens.policy = replace(
        google.tokens.policy, mapping={**trust.MAPPING, "attribute.environment": "assertion.head_ref"}
    )
    commands = missing(examined(google))
    assert list(commands) == ["Google, production: attribute mapping"]
    command = commands["Google, production: attribute mapping"]
    assert "attribute.environment=assertion.environment" in command
    assert "attribute.repository_owner_id=assertion.repository_owner_id" in command


def test_a_deployer_that_another_environment_may_become(google: Google) -> None:
    """Runs from before an upgrade name the environment of that time: their identity must become nobody."""
    well(google.shop)
    google.bind(bound(google.shop), environment="production")
    commands = missing(examined(google))
    assert list(commands) == [f"Google, production: {DEPLOYER}"]
    command = commands[f"Google, production: {DEPLOYER}"]
    assert "add-iam-policy-binding" in command and "attribute.environment/production-deploy" in command
    assert "remove-iam-policy-binding" in command


def test_without_access_to_google_its_part_is_unknown_with_the_command(google: Google) -> None:
    well(google.shop)
    context = google.context()
    context.runtime.environ = {**context.runtime.environ, "GOOGLE_OAUTH_ACCESS_TOKEN": "nobody's"}
    found = doctor.examine({"production": context})
    (unknown,) = [finding for finding in found if finding.subject == "Google, production"]
    assert unknown.state == "unknown"
    assert "--attribute-condition=" in unknown.fix


# the apps ---------------------------------------------------------------------------------------------------------------


MAINTAINERS = BypassActor(actor_id=2, actor_type="RepositoryRole", mode="always")
ADMIT: dict[str, dict[str, Any]] = {
    "mobile-build": {"tags": ("mobile-v*",)},
    "mobile-stores": {"tags": ("mobile-v*",)},
    "mobile-promote": {"branches": ("main",)},
}


@dataclass
class Apps:
    """A shop with apps of which all is set as it must be; `lacks` is what an administrator is shown."""

    google: Google
    manifest: Manifest

    @property
    def shop(self) -> Shop:
        return self.google.shop

    def found(self) -> list[Finding]:
        context = self.google.context()
        return doctor.examine({"production": replace(context, manifest=self.of(context.manifest))})

    def of(self, manifest: Manifest) -> Manifest:
        """With the apps, beside a deployer by the same provider."""
        return replace(self.manifest, environments=manifest.environments)

    def lacks(self) -> dict[str, str]:
        return missing(self.found())

    def environment(self, name: str, **rules: Any) -> None:
        self.shop.do(self.shop.github.seed.environment, REPOSITORY, name, **rules)


@pytest.fixture
def apps(google: Google) -> Apps:
    well(google.shop)
    manifest = parse(WITH_APPS.replace("//iam.googleapis.com/projects/1/", "//iam.googleapis.com/projects/1234/"))
    made = Apps(google, manifest)
    google.shop.do(
        google.shop.github.seed.protect_tags,
        REPOSITORY,
        ("mobile-v*",),
        name="who tags the apps",
        restrict_creations=True,
        bypass=[MAINTAINERS],
    )
    makers = google.shop.github.instance.repository(REPOSITORY).rulesets
    for each in makers.values():
        if each.name == "who tags the apps":
            each.rules = [rule for rule in each.rules if rule.type == "creation"]
    google.shop.do(google.shop.github.seed.protect_tags, REPOSITORY, ("mobile-v*",), name="tags mobile-v*")
    held = {"EXPO_TOKEN": "x"}
    stores = {**held, "APP_STORE_KEY": "x", "SLACK_WEBHOOK": "x"}
    for name, secrets in (
        ("mobile-build", held),
        ("mobile-stores", stores),
        ("mobile-promote", {"APP_STORE_KEY": "x"}),
    ):
        made.environment(name, secrets=secrets, **ADMIT[name])
    google.bind(bound(google.shop, manifest))
    return made


def test_nothing_is_missing_where_the_apps_have_all_they_stand_on(apps: Apps) -> None:
    """Their environments are the policy's: they hold secrets of ours, and are strangers no more."""
    found = apps.found()
    assert missing(found) == {}
    values = {(each.subject, each.says) for each in found}
    for expected in (
        ("environment mobile-build", "admits tag mobile-v* alone"),
        ("environment mobile-build", "holds EXPO_TOKEN"),
        ("environment mobile-stores", "admits tag mobile-v* alone"),
        ("environment mobile-stores", "holds EXPO_TOKEN, APP_STORE_KEY"),
        ("environment mobile-promote", "admits main alone"),
        ("environment mobile-promote", "holds APP_STORE_KEY"),
        ("tags mobile-v*", "can be neither moved nor deleted"),
        ("who makes tags mobile-v*", "RepositoryRole 2 alone"),
        (
            f"Google, the apps: {PLAY}",
            "is had through attribute.environment/mobile-stores and attribute.environment/mobile-promote alone",
        ),
        ("Google, the apps: attribute condition", "binds repository, owner, ref and workflow"),
        ("Google, production: attribute condition", "binds repository, owner, ref and workflow"),
    ):
        assert expected in values, expected


def test_without_apps_the_same_environments_are_strangers(apps: Apps) -> None:
    apps.manifest = parse(MANIFEST)
    commands = apps.lacks()
    assert {"environment mobile-build", "environment mobile-stores", "environment mobile-promote"} <= set(commands)


def test_an_environment_of_the_apps_that_admits_something_else(apps: Apps) -> None:
    """A branch may be called as a tag is, and anybody who may push can make it."""
    tag = '"name": "mobile-v*", "type": "tag"'
    for name, rules, says, fixes in (
        ("mobile-stores", {"branches": ("main",)}, "admits main, and must", tag),
        ("mobile-stores", {"tags": ("mobile-v*", "v*")}, "admits tag mobile-v*, tag v*, and must", "-X DELETE"),
        ("mobile-build", {"tags": ("mobile-v*",), "branches": ("main",)}, "admits main, tag mobile-v*, and must", "-X DELETE"),
        ("mobile-build", {"tags": ("*",)}, "admits tag *, and must", tag),
        ("mobile-build", {"branches": ("mobile-v*",)}, "admits mobile-v*, and must admit exactly tag mobile-v*", tag),
        ("mobile-build", {}, "admits every branch", tag),
        ("mobile-promote", {"tags": ("mobile-v*",)}, "admits tag mobile-v*, and must admit exactly main", "-X DELETE"),
    ):  # fmt: skip
        apps.environment(name, **rules)
        [found] = [each for each in apps.found() if each.state == "missing"]
        assert (found.subject, found.says[: len(says)]) == (f"environment {name}", says)
        assert fixes in found.fix
        apps.environment(name, **ADMIT[name])


def test_the_command_that_is_printed_makes_it_admit_the_tags_alone(apps: Apps) -> None:
    apps.environment("mobile-stores", branches=("main", "release/*"))
    fix(apps.shop, apps.lacks()["environment mobile-stores"])
    assert apps.lacks() == {}
    [policy_] = apps.shop.github.instance.repository(REPOSITORY).environments["mobile-stores"].policies
    assert (policy_.name, policy_.type) == ("mobile-v*", "tag")


def test_an_environment_of_the_apps_that_is_not_there(apps: Apps) -> None:
    del apps.shop.github.instance.repository(REPOSITORY).environments["mobile-build"]
    commands = apps.lacks()
    assert list(commands) == ["environment mobile-build"]
    assert '"name": "mobile-v*", "type": "tag"' in commands["environment mobile-build"]


def test_each_environment_of_the_apps_holds_what_its_jobs_need(apps: Apps) -> None:
    environments = apps.shop.github.instance.repository(REPOSITORY).environments
    for name, secret in (
        ("mobile-build", "EXPO_TOKEN"),
        ("mobile-stores", "EXPO_TOKEN"),
        ("mobile-stores", "APP_STORE_KEY"),
        ("mobile-promote", "APP_STORE_KEY"),
    ):
        kept = environments[name].secrets.pop(secret)
        [found] = [each for each in apps.found() if each.state == "missing"]
        environments[name].secrets[secret] = kept
        assert (found.subject, found.says) == (f"environment {name}", f"has no secret {secret}")
        assert found.fix == f"gh secret set {secret} --env {name}"
    added = {"APP_STORE_KEY": "x", "NPM_TOKEN": "x"}
    apps.shop.do(apps.shop.github.seed.secrets, REPOSITORY, added, environment="mobile-build")
    [found] = [each for each in apps.found() if each.state == "missing"]
    assert found.says == "holds APP_STORE_KEY, NPM_TOKEN: code of the app, which eas evaluates there, can read it"
    assert found.fix.startswith("gh secret delete APP_STORE_KEY --env mobile-build && gh secret delete NPM_TOKEN")


def test_secrets_of_the_apps_belong_to_environments(apps: Apps) -> None:
    apps.shop.do(apps.shop.github.seed.secrets, REPOSITORY, {"EXPO_TOKEN": "x", "APP_STORE_KEY": "x"})
    apps.environment("old", branches=("main",), secrets={"APP_STORE_KEY": "x"})
    commands = apps.lacks()
    assert commands["secrets of the repository"] == "gh secret delete EXPO_TOKEN && gh secret delete APP_STORE_KEY"
    assert commands["environment old"].startswith("gh api -X DELETE")


def test_tags_of_the_apps_that_can_be_moved(apps: Apps) -> None:
    rulesets = apps.shop.github.instance.repository(REPOSITORY).rulesets
    for number in [each.id for each in rulesets.values() if each.name == "tags mobile-v*"]:
        del rulesets[number]
    assert list(apps.lacks()) == ["tags mobile-v*"]


def test_tags_of_the_apps_that_everybody_may_make(apps: Apps) -> None:
    """On a commit of their own, whose workflow would get the secrets of the stores. The command leaves it to maintainers."""
    shop, subject = apps.shop, "who makes tags mobile-v*"
    rulesets = shop.github.instance.repository(REPOSITORY).rulesets
    [rule] = [each for each in rulesets.values() if each.name == "who tags the apps"]
    rule.bypass = [MAINTAINERS, BypassActor(actor_id=4, actor_type="RepositoryRole", mode="always")]
    assert list(apps.lacks()) == [subject]
    del rulesets[rule.id]
    commands = apps.lacks()
    assert list(commands) == [subject]
    fix(shop, commands[subject])
    assert apps.lacks() == {}
    body = {"ref": "refs/tags/mobile-v9.0.0", "sha": shop.head("main")}
    shop.person("dev-1").post(f"/repos/{REPOSITORY}/git/refs", body, status=422)
    shop.person("release-manager").post(f"/repos/{REPOSITORY}/git/refs", body)
    context = apps.google.context(login="dev-1")
    found = doctor.examine({"production": replace(context, manifest=apps.of(context.manifest))})
    assert [each.state for each in found if each.subject == subject] == ["unknown"]


def test_the_condition_that_is_printed_is_the_one_that_worlds_have(apps: Apps) -> None:
    github = apps.shop.github.instance
    repository = github.repository(REPOSITORY)
    owner = github.database.users[repository.owner].id
    trusted = TrustedWorkflows(repository_id=repository.id, owner_id=owner, files=DEPLOYING, tags="mobile-v*")
    assert bound(apps.shop, apps.manifest) == trusted.condition(REPOSITORY)
    assert trust.MAPPING == MAPPING
    without = TrustedWorkflows(repository_id=repository.id, owner_id=owner, files=trust.WORKFLOWS)
    assert bound(apps.shop) == without.condition(REPOSITORY)


def test_a_condition_that_does_not_let_releases_of_the_apps_in(apps: Apps) -> None:
    whole = bound(apps.shop, apps.manifest)
    for lost in ("startsWith('refs/tags/mobile-v')", "mobile-release.yml@refs/tags/mobile-v", "mobile-promote.yml"):
        apps.google.bind(whole.replace(lost, "startsWith('x')" if "(" in lost else "nothing"))
        commands = apps.lacks()
        assert set(commands) == {"Google, production: attribute condition", "Google, the apps: attribute condition"}
        assert all(shlex.quote(whole) in command for command in commands.values())


def test_a_condition_with_another_or_is_not_taken_to_bind(apps: Apps) -> None:
    """All parts can be in it, and bind nothing: without its brackets the last alternative holds for every repository."""
    whole = bound(apps.shop, apps.manifest)
    apps.google.bind(whole.replace("&& ((", "&& (", 1)[:-1])
    found = {each.subject: each for each in apps.found()}
    for subject in ("Google, production: attribute condition", "Google, the apps: attribute condition"):
        assert found[subject].state == "unknown" and "--attribute-condition=" in found[subject].fix
    apps.google.bind(whole.replace(" && ", "  &&\n"))
    assert "unknown" not in {each.state for each in apps.found() if "condition" in each.subject}


def test_who_may_release_on_google_play(apps: Apps) -> None:
    for play, says in (
        (("mobile-stores",), "may not be used by attribute.environment/mobile-promote"),
        (("mobile-stores", "mobile-promote", "mobile-build"), "may be used by principalSet://"),
        ((), "may be used by nobody"),
    ):
        apps.google.tokens.policy = policy(bound(apps.shop, apps.manifest), "production-deploy", play)
        [found] = [each for each in apps.found() if each.state == "missing"]
        assert found.subject == f"Google, the apps: {PLAY}" and found.says.startswith(says)
        assert ("remove-iam-policy-binding" in found.fix) == ("mobile-build" in play)
        assert ("add-iam-policy-binding" in found.fix) == (len(play) < 2)
