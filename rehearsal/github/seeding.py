"""Setting up: accounts, tokens, repositories, environments, protections. Plain calls, no HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from rehearsal.github.accounts.state import ROLES, App, User
from rehearsal.github.accounts.tokens import Token, normalised
from rehearsal.github.environments.service import add_policy, ensure
from rehearsal.github.environments.state import Environment
from rehearsal.github.events.delivery import build_event
from rehearsal.github.git.bare import ZERO
from rehearsal.github.git.objects import Signature
from rehearsal.github.git.receiving import RefChange
from rehearsal.github.identity import Identity
from rehearsal.github.instance import GitHubInstance
from rehearsal.github.protection.state import BranchProtection, BypassActor, Rule, Ruleset
from rehearsal.github.repositories.service.pushes import push_body
from rehearsal.github.repositories.service.repositories import bring_history, commit_files, fork, record
from rehearsal.github.repositories.state import Repository, Settings
from rehearsal.github.secrets.service import set_secret, set_variable
from rehearsal.runner.model import Event


class Seed:
    """What an administrator would have set up before a scenario starts."""

    def __init__(self, instance: GitHubInstance) -> None:
        self._instance = instance

    def user(self, login: str, *, name: str | None = None, email: str | None = None) -> User:
        """An account; calling again returns the same one."""
        return self._instance.database.add_user(login, now=self._instance.now(), name=name, email=email)

    def organization(self, login: str) -> User:
        return self._instance.database.add_user(login, now=self._instance.now(), kind="Organization")

    def token(
        self,
        login: str,
        *,
        permissions: Mapping[str, str] | None = None,
        repository: str | None = None,
        value: str | None = None,
        lifetime: timedelta | None = None,
    ) -> str:
        """A personal access token: classic without `permissions`, fine-grained with them. Returns its value."""
        self.user(login)
        prefix = "ghp_" if permissions is None else "github_pat_"
        token = Token(
            value=value or prefix + secrets.token_hex(20),
            login=login,
            kind="classic" if permissions is None else "fine-grained",
            permissions=None if permissions is None else normalised(dict(permissions)),
            repository=repository,
            expires_at=None if lifetime is None else self._instance.now() + lifetime,
        )
        self._instance.database.tokens[token.value] = token
        return token.value

    async def repository(
        self,
        full_name: str,
        *,
        files: Mapping[str, str | bytes] | Path | None = None,
        private: bool = False,
        default_branch: str = "main",
        roles: Mapping[str, str] | None = None,
        settings: Settings | None = None,
        message: str = "Initial commit",
        author: str | None = None,
    ) -> Repository:
        """A repository, with one commit of `files` (path -> content, or the content of a directory) if given.

        Of a directory everything is taken that its .gitignore files do not leave out. To bring a whole history,
        leave `files` out and push, or call `history`.
        """
        owner, _, name = full_name.partition("/")
        if owner not in self._instance.database.users:
            self.organization(owner)
        repository = record(
            self._instance,
            owner,
            name,
            private=private,
            default_branch=default_branch,
            settings=settings or Settings(),
            fork_of=None,
        )
        for login, role in (roles or {}).items():
            self.role(full_name, login, role)
        await self._instance.git(repository).create(default_branch)
        if files is not None:
            await self.commit(full_name, files, branch=default_branch, message=message, author=author)
        return repository

    async def commit(
        self,
        full_name: str,
        files: Mapping[str, str | bytes] | Path,
        *,
        branch: str = "main",
        message: str,
        author: str | None = None,
    ) -> str:
        """A commit on a branch that puts these files into its tree (a directory: replaces the tree). No event."""
        user = self.user(author or "release-manager")
        signature = Signature(name=user.name, email=user.email, at=self._instance.now())
        repository = self._instance.repository(full_name)
        return await commit_files(self._instance, repository, files, branch=branch, message=message, by=signature)

    async def first_push(self, full_name: str, *, by: str) -> Event:
        """The push that once brought the head of the default branch. It is not delivered: no event."""
        repository = self._instance.repository(full_name)
        ref = f"refs/heads/{repository.default_branch}"
        sha = str(self._instance.git(repository).branch(repository.default_branch))
        change = RefChange(ref=ref, old=ZERO, new=sha)
        identity = Identity(user=self.user(by))
        body = await push_body(self._instance, repository, change, identity)
        return build_event(self._instance, repository, "push", body, ref=ref, sha=sha, by=identity)

    async def history(self, full_name: str, source: Path) -> None:
        """All branches and tags of a git repository on this machine. No event."""
        await bring_history(self._instance, self._instance.repository(full_name), source)

    def role(self, full_name: str, login: str, role: str) -> None:
        """Give a user a role: none, read, triage, write, maintain or admin. Raises ValueError for another."""
        if role not in ROLES:
            raise ValueError(f"{role!r} is no role of GitHub; roles are {', '.join(ROLES)}")
        self.user(login)
        self._instance.repository(full_name).roles[login] = role

    def environment(
        self,
        full_name: str,
        name: str,
        *,
        reviewers: Sequence[str] = (),
        prevent_self_review: bool = False,
        wait_minutes: int = 0,
        admins_bypass: bool = True,
        branches: Sequence[str] = (),
        tags: Sequence[str] = (),
        protected_branches: bool = False,
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Environment:
        """An environment with its rules, secrets and variables; `branches` and `tags` are name patterns."""
        environment = ensure(self._instance, self._instance.repository(full_name), name)
        environment.reviewers = list(reviewers)
        environment.prevent_self_review = prevent_self_review
        environment.wait_minutes = wait_minutes
        environment.admins_bypass = admins_bypass
        environment.protected_branches = protected_branches
        environment.custom_policies = bool(branches or tags)
        environment.policies = []
        for kind, patterns in (("branch", branches), ("tag", tags)):
            for pattern in patterns:
                add_policy(self._instance, environment, pattern, kind)
        self.secrets(full_name, secrets or {}, environment=name)
        self.variables(full_name, variables or {}, environment=name)
        return environment

    def secrets(self, full_name: str, values: Mapping[str, str], *, environment: str | None = None) -> None:
        """Secrets of the repository, or of one environment."""
        repository = self._instance.repository(full_name)
        holder = repository if environment is None else ensure(self._instance, repository, environment)
        for name, value in values.items():
            set_secret(self._instance, holder.secrets, name, value)

    def variables(self, full_name: str, values: Mapping[str, str], *, environment: str | None = None) -> None:
        """Variables of the repository, or of one environment."""
        repository = self._instance.repository(full_name)
        holder = repository if environment is None else ensure(self._instance, repository, environment)
        for name, value in values.items():
            set_variable(self._instance, holder.variables, name, value)

    def protect_branch(
        self,
        full_name: str,
        branch: str = "main",
        *,
        checks: Sequence[str] = (),
        reviews: int | None = 1,
        dismiss_stale: bool = True,
        strict: bool = False,
        enforce_admins: bool = True,
    ) -> BranchProtection:
        """Only pull requests with these checks green and this many approvals reach the branch."""
        protection = BranchProtection(
            branch=branch,
            contexts=list(checks) if checks else None,
            strict=strict,
            enforce_admins=enforce_admins,
            reviews=reviews,
            dismiss_stale=dismiss_stale,
        )
        self._instance.repository(full_name).protections[branch] = protection
        return protection

    def protect_tags(
        self,
        full_name: str,
        patterns: Sequence[str],
        *,
        name: str = "release tags",
        restrict_creations: bool = False,
        bypass: Sequence[BypassActor] = (),
    ) -> Ruleset:
        """Tags of these patterns ("v*") can be made, but neither moved nor deleted."""
        rules = [Rule(type="deletion"), Rule(type="update")]
        rules += [Rule(type="creation")] if restrict_creations else []
        return self._ruleset(full_name, name, "tag", "refs/tags/", patterns, rules, bypass)

    def restrict_tags(self, full_name: str, patterns: Sequence[str], *, name: str, roles: Sequence[int]) -> Ruleset:
        """Tags of these patterns can be made by these roles of the repository alone (2 maintain, 4 write, 5 admin)."""
        bypass = [BypassActor(actor_id=role, actor_type="RepositoryRole") for role in roles]
        return self._ruleset(full_name, name, "tag", "refs/tags/", patterns, [Rule(type="creation")], bypass)

    def branch_ruleset(
        self,
        full_name: str,
        patterns: Sequence[str],
        *,
        checks: Sequence[str] = (),
        reviews: int | None = 1,
        name: str = "",
        app_id: int | None = None,
        strict: bool = False,
        checks_on_creation: bool = False,
        dismiss_stale: bool = True,
        last_push_approval: bool = False,
        restrict_creations: bool = False,
        restrict_updates: bool = False,
        bypass: Sequence[BypassActor] = (),
    ) -> Ruleset:
        """Branches of these patterns ("main", "release/**/*", "~DEFAULT_BRANCH") are neither deleted nor forced, and take
        pull requests with these checks green and this many approvals only. `reviews=None` asks for no pull request.

        `app_id`: the app that has to report the checks (15368 is GitHub Actions).
        """
        rules = [Rule(type="deletion"), Rule(type="non_fast_forward")]
        if reviews is not None:
            rules.append(_pull_request_rule(reviews, dismiss_stale, last_push_approval))
        if checks:
            rules.append(_status_checks_rule(checks, app_id, strict, checks_on_creation))
        rules += [Rule(type="creation")] if restrict_creations else []
        rules += [Rule(type="update")] if restrict_updates else []
        return self._ruleset(full_name, name or ", ".join(patterns), "branch", "refs/heads/", patterns, rules, bypass)

    def _ruleset(
        self,
        full_name: str,
        name: str,
        target: str,
        prefix: str,
        patterns: Sequence[str],
        rules: list[Rule],
        bypass: Sequence[BypassActor],
    ) -> Ruleset:
        now = self._instance.now()
        ruleset = Ruleset(
            id=self._instance.database.next_id("ruleset"),
            name=name,
            target=target,
            include=[pattern if pattern.startswith("~") else prefix + pattern for pattern in patterns],
            rules=rules,
            bypass=list(bypass),
            created_at=now,
            updated_at=now,
        )
        self._instance.repository(full_name).rulesets[ruleset.id] = ruleset
        return ruleset

    def app(self, slug: str, full_name: str, *, permissions: Mapping[str, str]) -> str:
        """Install an app on a repository. Returns a token of the installation, which acts as `slug[bot]`."""
        database, now = self._instance.database, self._instance.now()
        known = next((one for one in database.apps.values() if one.slug == slug), None)
        one = known or App(id=database.next_id("app"), slug=slug, name=slug, created_at=now)
        database.apps[one.id] = one
        bot = database.add_user(f"{slug}[bot]", now=now, kind="Bot")
        token = Token(
            value=f"ghs_{secrets.token_hex(18)}",
            login=bot.login,
            kind="app",
            permissions=normalised(dict(permissions)),
            repository=self._instance.repository(full_name).full_name,
            app_id=one.id,
        )
        database.tokens[token.value] = token
        return token.value

    async def fork(self, full_name: str, owner: str) -> Repository:
        """A fork that belongs to `owner`."""
        self.user(owner)
        return await fork(self._instance, self._instance.repository(full_name), owner)

    def oidc_key(self, pem: bytes) -> None:
        """Sign OIDC tokens with this RSA key (PEM) instead of a new one."""
        self._instance.oidc.use_key(pem)


def _pull_request_rule(reviews: int, dismiss_stale: bool, last_push_approval: bool) -> Rule:
    parameters = {
        "required_approving_review_count": reviews,
        "dismiss_stale_reviews_on_push": dismiss_stale,
        "require_code_owner_review": False,
        "require_last_push_approval": last_push_approval,
        "required_review_thread_resolution": False,
        "allowed_merge_methods": ["merge", "squash", "rebase"],
    }
    return Rule(type="pull_request", parameters=parameters)


def _status_checks_rule(checks: Sequence[str], app_id: int | None, strict: bool, on_creation: bool) -> Rule:
    origin = {} if app_id is None else {"integration_id": app_id}
    parameters = {
        "strict_required_status_checks_policy": strict,
        "do_not_enforce_on_create": not on_creation,
        "required_status_checks": [{"context": check, **origin} for check in checks],
    }
    return Rule(type="required_status_checks", parameters=parameters)
