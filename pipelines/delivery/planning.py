"""Plan a release to an environment: everything is looked at that can be before anybody is asked. Only reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.delivery import changes, load_results, plan, preflight, proof, protection, settings, source, tag, traffic
from pipelines.delivery.context import Context, Release, digest_of, require_github, settings_of
from pipelines.delivery.plan import Plan, Recorded
from pipelines.delivery.steps.base import Base
from pipelines.delivery.steps.lock import require_open
from pipelines.errors import RefusedError
from pipelines.manifest import Manifest
from pipelines.manifest import definition as definitions

if TYPE_CHECKING:
    from pipelines.delivery.changes import Changes
    from pipelines.delivery.migrations.trial import Trial
    from pipelines.delivery.settings import Difference
    from pipelines.findings import Finding
    from pipelines.github import GitHub
    from pipelines.roles import Live


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan, and what people read beside it."""

    plan: Plan
    changes: Changes
    """Since what is live."""
    protections: tuple[Finding, ...]
    publishing: tuple[str, ...]
    """The refusals of the gates of publishing; empty when the release is out already."""
    compared: tuple[str, ...]
    """How the release's settings differ from those the default branch would deploy with, in words."""
    settings: tuple[Difference, ...] = ()
    """How they differ from what is live."""
    trials: tuple[Trial, ...] = ()
    """What came of trying the migrations of each component that has some."""
    browser_tests: bool = False
    """Whether the release has browser tests that change nothing."""

    @property
    def done_already(self) -> bool:
        """Whether users have exactly this, marked as stable and published."""
        return self.plan.done_already and not self.publishing


@contextmanager
def release_of(context: Context, version: str) -> Iterator[tuple[Context, str]]:
    """A context whose manifest holds the definition of a tag's commit, for as long as the block runs; and that commit.

    Raises InputError, ManifestError.
    """
    commit = tag.commit_of(require_github(context), version)
    with source.tree(context.manifest.root, commit) as folder:
        manifest = definitions.apply(context.manifest, definitions.read(folder / context.manifest.file.name))
        made = Context(
            manifest=manifest,
            environment=context.environment,
            runtime=context.runtime,
            http=context.http,
            credentials=context.credentials,
            github=context.github,
            release=Release(name=version, commit=commit),
            host_of=context.host_of,
        )
        yield made, commit


def plan_release(context: Context, version: str) -> Planned:
    """The plan of a version. `context` is of the default branch. Raises InputError, ManifestError, RefusedError, ConflictError."""
    github = require_github(context)
    preflight.require_version(context.manifest.release, version)
    found = protection.require(github, context.manifest, context.environment)
    with release_of(context, version) as (releasing, commit):
        artifacts = _proved(context, releasing.manifest, commit)
        lives = read_open_states(releasing, artifacts)
        require_checkable(releasing, lives)
        bases = bases_of(lives, version, artifacts)
        recorded = Recorded(release=version, commit=commit, artifacts=artifacts, base=bases, epochs=epochs_of(lives))
        first = plan.make(releasing.manifest, context.environment, recorded)
        preflight.require_forward(first, context.manifest.release)
        warnings = [*preflight.judge_checks(context.manifest, commit), *_failed_before(lives, version)]
        warnings += [concern for component in lives for concern in releasing.host(component).concerns()]
        published = preflight.require_publishable(releasing, version, commit, live=first.done_already)
        trials = _trials(releasing, recorded)
        warnings += [line for each in trials for line in each.warnings()]
        since = _changes(github, bases, commit)
        complete = replace(
            recorded,
            unreviewed=since.unreviewed,
            warnings=tuple(warnings),
            performance=tuple(_performance(context, commit, artifacts)),
        )
        return Planned(
            plan=plan.make(releasing.manifest, context.environment, complete),
            changes=since,
            protections=tuple(found),
            publishing=tuple(published),
            compared=tuple(preflight.differences(context.manifest, releasing.manifest, context.environment)),
            settings=tuple(settings.since_live(context.manifest, releasing.manifest, context.environment, bases)),
            trials=tuple(trials),
            browser_tests=bool(releasing.manifest.browser_tests and releasing.manifest.browser_tests.read_only),
        )


def _trials(context: Context, recorded: Recorded) -> list[Trial]:
    """What the migrations that the release would run meet in the databases. Raises RefusedError when rows would violate one."""
    from pipelines.delivery.migrations import planned, trial

    facts = plan.make(context.manifest, context.environment, recorded).facts
    found = [
        planned.tried(context, each.component, each.expand, each.contract)
        for each in facts
        if each.expand or each.contract
    ]
    for each in found:
        trial.require(each)
    return found


def read_open_states(context: Context, artifacts: Mapping[str, str]) -> dict[str, Live]:
    """The real state of each component of a release. Raises RefusedError where the environment is frozen."""
    lives = context.lives([name for name in context.settings.targets if name in artifacts])
    for component, live in lives.items():
        require_open(live.marks, component)
    return lives


def require_checkable(context: Context, components: Collection[str]) -> None:
    """That the candidates of these components could be checked. Raises CredentialsError or RefusedError: nothing is deployed yet."""
    for component in components:
        context.host(component).require_checkable()


def bases_of(lives: Mapping[str, Live], release: str, artifacts: Mapping[str, str]) -> dict[str, Base | None]:
    """What each component of a release is delivered onto. Raises RefusedError while traffic is split."""
    return {name: traffic.base_for(live, name, release, digest_of(artifacts[name])) for name, live in lives.items()}


def epochs_of(lives: Mapping[str, Live]) -> dict[str, int]:
    """Component -> how often someone rolled back."""
    return {name: live.marks.epoch for name, live in lives.items()}


def record(context: Context, release: str, commit: str, artifacts: Mapping[str, str]) -> Recorded:
    """What a plan that nobody approves records, read now. Raises RefusedError while traffic is split, or the environment is frozen."""
    lives = read_open_states(context, artifacts)
    return Recorded(
        release=release,
        commit=commit,
        artifacts=dict(artifacts),
        base=bases_of(lives, release, artifacts),
        epochs=epochs_of(lives),
    )


def _failed_before(lives: Mapping[str, Live], release: str) -> list[str]:
    """That a release was rolled back before, once for each reason."""
    reasons = dict.fromkeys(live.marks.failed[release] for live in lives.values() if release in live.marks.failed)
    return [f"{release} was live here before, and rolled back: {reason}" for reason in reasons]


def _changes(github: GitHub, bases: Mapping[str, Base | None], commit: str) -> Changes:
    """What the release brings to whichever component is furthest behind: components can go back alone."""
    commits = dict.fromkeys(base.commit for base in bases.values() if base is not None and base.commit)
    found = [changes.since(github, base, commit) for base in commits] or [changes.since(github, None, commit)]
    return max(found, key=lambda each: (len(each.listed) + (each.more or 0), len(each.unreviewed)))


def _proved(context: Context, manifest: Manifest, commit: str) -> dict[str, str]:
    """The artifacts that the proving environment proved, for the components that live here. Raises RefusedError."""
    proving = context.settings.proved_by
    if proving is None:
        raise RefusedError(
            f"nothing proves what goes to {context.environment}",
            where=f"{context.manifest.file.name}, environments/{context.environment}",
            why="only what was proved elsewhere is planned and promoted",
            next_step="name the environment that proves it: `proved_by: staging`; or use `shipmate deploy` there",
        )
    github, main = require_github(context), context.manifest.release.main
    digest = definitions.read(manifest.file).digest
    found = proof.find(github, proving, commit, digest, main=main, sealed=LazyStates(context, proving))
    return references(
        manifest, {name: ref.rpartition("@")[2] for name, ref in found.artifacts.items()}, context.environment
    )


def _performance(context: Context, commit: str, components: Collection[str]) -> list[str]:
    """What load tests found where the release was proved. Raises RefusedError where targets must be met and were not."""
    settings, main = context.settings, context.manifest.release.main
    if settings.proved_by is None or not context.manifest.performance.targets:
        return []
    proving, profile = settings.proved_by, settings.targets_required
    targets = [name for name, each in context.manifest.performance.targets.items() if each.component in components]
    found = load_results.find(require_github(context), proving, commit, main=main, profile=profile, targets=targets)
    if profile:
        load_results.require(found, profile, proving, commit, targets)
    return load_results.lines(found, profile, targets) or [f"no load test of {commit[:7]} was made on {proving}"]


class LazyStates(Mapping[str, "Live"]):
    """What the hosts of an environment have, asked when someone looks: most of the time the proving run is there."""

    def __init__(self, context: Context, environment: str) -> None:
        self._context, self._environment = context, environment
        self._found: dict[str, Live] | None = None

    def _lives(self) -> dict[str, Live]:
        if self._found is None:
            proving = Context(
                manifest=self._context.manifest,
                environment=self._environment,
                runtime=self._context.runtime,
                http=self._context.http,
                # The deployer of this environment may read there; docs/DEPLOYMENT.md lists the role.
                credentials=self._context.credentials,
                host_of=self._context.host_of,
            )
            self._found = proving.lives()
        return self._found

    def __getitem__(self, component: str) -> Live:
        return self._lives()[component]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lives())

    def __len__(self) -> int:
        return len(settings_of(self._context.manifest, self._environment).targets)


def references(manifest: Manifest, digests: Mapping[str, str], environment: str) -> dict[str, str]:
    """Component -> host/path@sha256:… in the policy's registry, for the components that live in an environment.

    Raises RefusedError when one of them has no digest.
    """
    found = {}
    for name in manifest.environments[environment].targets:
        component = manifest.components[name]
        kept = component.image or component.build
        if name not in digests or kept is None:
            raise RefusedError(
                f"{name} was not proved",
                where=environment,
                why=f"proved were: {', '.join(digests) or 'none'}",
                next_step=f"let the environment that proves a release run {name}, too",
            )
        found[name] = f"{kept.repository}@{digests[name]}"
    return found


def write(planned: Planned, folder: Path) -> Path:
    """The document, for the later jobs of the run."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / plan.FILE
    file.write_bytes(planned.plan.document)
    return file
