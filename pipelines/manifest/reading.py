"""Read, fill and cross-check shipmate.yml."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import ManifestError
from pipelines.manifest import error_tracker, jobs, journeys, mobile, performance
from pipelines.manifest.components import KEYS_OF_BUILDERS, Component, Image
from pipelines.manifest.fill import WRONG, Filler, Problem
from pipelines.manifest.model import Environment, Manifest, Quarantine, Watch
from pipelines.manifest.targets import CloudRun

NAME = "shipmate.yml"
_MIRROR = re.compile(r"[\w.-]+(:\d+)?(/[\w.-]+)+")


def find(start: Path) -> Path:
    """The manifest in `start` or the nearest folder above. Raises ManifestError."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / NAME).is_file():
            return folder / NAME
    raise ManifestError(
        f"there is no {NAME} here or above", where=str(start), next_step="run this inside the platform's repository"
    )


def load(file: Path | None = None) -> Manifest:
    """The manifest, checked. Raises ManifestError with every problem, each on a line: file:line: key: what."""
    file = file or find(Path.cwd())
    return parse(_read(file), file)


def parse(text: str, file: Path = Path(NAME)) -> Manifest:
    """`load` from a text."""
    node = _compose(text, file)
    filler = Filler()
    manifest: Any = filler.fill(Manifest, node, "")
    problems = filler.problems
    if manifest is not WRONG and not problems:
        problems = located(node, _cross_check(manifest))
    if problems:
        raise listed(problems, file)
    filled: Manifest = dataclasses.replace(manifest, file=file)
    return filled


def located(node: yaml.Node, problems: Iterable[tuple[str, str]]) -> list[Problem]:
    """Problems of (path, what) with the lines of their paths."""
    return [Problem(_line_of(node, path), path, text) for path, text in problems]


def document(file: Path) -> yaml.Node:
    """The YAML of a manifest as nodes, unchecked. Raises ManifestError."""
    return _compose(_read(file), file)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(
            f"cannot be read: {error}", where=str(file), next_step="make it a readable file of UTF-8 text"
        ) from error


def _compose(text: str, file: Path) -> yaml.Node:
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ManifestError(
            f"is not YAML: {error.problem}", where=f"{file.name}:{line}", next_step="fix the line and try again"
        ) from error
    if node is None:
        raise ManifestError("is empty", where=file.name, next_step="see docs/MANIFEST.md for what goes in")
    return node


def listed(problems: list[Problem], file: Path) -> ManifestError:
    """One error that names every problem, each on a line."""
    lines = [f"{file.name}:{p.line}: {p.path}: {p.text}" for p in sorted(problems, key=lambda p: (p.line, p.path))]
    return ManifestError(
        "\n".join(lines), next_step="docs/MANIFEST.md has every key; `shipmate manifest check` tries again"
    )


def _cross_check(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """References between parts: (path, problem)."""
    known = set(manifest.components)
    for name, component in manifest.components.items():
        yield from _check_component(component, known, f"components/{name}")
    for name, check in manifest.ci.checks.items():
        for other in check.components:
            if other not in known:
                yield f"ci/checks/{name}/components", f"there is no component {other!r}"
    yield from jobs.problems(manifest.ci)
    yield from journeys.problems(manifest.journeys, known)
    loads = {name: each.load for name, each in manifest.environments.items() if each.load is not None}
    yield from performance.problems(manifest.performance, loads, known)
    if manifest.mobile is not None:
        yield from mobile.problems(manifest.mobile, manifest.release.components)
    if manifest.browser_tests is not None:
        yield from _check_quarantine(manifest.browser_tests.quarantine, "browser_tests/quarantine")
    for name, environment in manifest.environments.items():
        for other, target in environment.targets.items():
            where = f"environments/{name}/{other}"
            if other not in known:
                yield where, f"there is no component {other!r}"
            if isinstance(target, CloudRun):
                yield from _check_cloud_run(target, where)
                yield from _check_migrations(manifest.components.get(other), target, where)
        yield from _check_trust(manifest, environment, f"environments/{name}")
        yield from _check_watch(environment.watch, f"environments/{name}/watch")
        yield from _check_smoke(environment, name)


def _check_smoke(environment: Environment, name: str) -> Iterator[tuple[str, str]]:
    if not 0 <= environment.patience_seconds <= 300:
        problem = f"{environment.patience_seconds:g} must be a number from 0 to 300"
        yield f"environments/{name}/patience_seconds", problem
    for index, smoke in enumerate(environment.smoke):
        if smoke.component not in environment.targets:
            yield f"environments/{name}/smoke/{index}/component", f"{smoke.component!r} does not live in {name}"


def _check_quarantine(quarantine: Iterable[Quarantine], where: str) -> Iterator[tuple[str, str]]:
    """A date that nobody can read would be a quarantine without an end. That one has ended is reported where the tests run."""
    for index, one in enumerate(quarantine):
        try:
            date.fromisoformat(one.until)
        except ValueError:
            yield f"{where}/{index}/until", f"{one.until!r} is no day: YYYY-MM-DD"
        for key in ("test", "owner", "reason"):
            if not getattr(one, key).strip():
                yield f"{where}/{index}/{key}", "must not be empty"


def _check_trust(manifest: Manifest, environment: Environment, where: str) -> Iterator[tuple[str, str]]:
    """A missing approval must be stated, so that a line that is lost in a merge closes the gate and does not open it."""
    if environment.proved_by is None:
        if environment.targets_required:
            yield f"{where}/targets_required", "needs `proved_by`: there they are measured"
        return
    profiles = manifest.performance.profiles
    if environment.targets_required and environment.targets_required not in profiles:
        declared = f"one of: {', '.join(profiles)}" if profiles else "none is declared"
        yield f"{where}/targets_required", f"there is no profile {environment.targets_required!r} ({declared})"
    if environment.proved_by not in manifest.environments:
        yield f"{where}/proved_by", f"there is no environment {environment.proved_by!r}"
    if environment.approval is None and not environment.unapproved:
        yield where, "needs `approval`, or `unapproved` with the reason why nobody approves"


def _check_watch(watch: Watch, where: str) -> Iterator[tuple[str, str]]:
    for key, says, good in (
        ("worse_by", "above 0 and below 100: it is a difference in per cent", 0 < watch.worse_by < 100),
        ("slower_by_ms", "a number, 0 or more", 0 <= watch.slower_by_ms < math.inf),
        ("slower_by", "a number, 0 or more", 0 <= watch.slower_by < math.inf),
        ("pairs_per_second", "a number above 0", 0 < watch.pairs_per_second < math.inf),
        ("patience_seconds", "a number above 0", 0 < watch.patience_seconds < math.inf),
    ):
        if not good:
            yield f"{where}/{key}", f"{getattr(watch, key):g} must be {says}"


def _check_component(component: Component, known: set[str], where: str) -> Iterator[tuple[str, str]]:
    for other in component.depends_on:
        if other not in known:
            yield f"{where}/depends_on", f"there is no component {other!r}"
    if component.image is not None:
        yield from _check_image(component.image, f"{where}/image")
        if component.image.migrator and component.migrations is None:
            yield f"{where}/image/migrator", "is for a component that has `migrations`"
    if component.error_tracker is not None:
        yield from error_tracker.problems(component.error_tracker, f"{where}/error_tracker")
        if component.build is None:
            yield f"{where}/error_tracker", "is for a site, whose source maps go there: this component has no `build`"


def _check_image(image: Image, where: str) -> Iterator[tuple[str, str]]:
    """Each builder has its own keys: one of the other's would be read by nobody."""
    if image.migrator and image.builder != "assembler":
        yield f"{where}/migrator", f"is for `builder: assembler`, and this image has `builder: {image.builder}`"
    if image.mirror and image.builder != "assembler":
        yield f"{where}/mirror", f"is for `builder: assembler`, and this image has `builder: {image.builder}`"
    elif image.mirror and not _MIRROR.fullmatch(image.mirror):
        yield f"{where}/mirror", f"{image.mirror!r} must be host/path, without a tag or digest"
    for builder, keys in KEYS_OF_BUILDERS.items():
        for key in keys:
            given = bool(getattr(image, key))
            if builder == image.builder and not given:
                yield where, f"the key {key!r} is missing (`builder: {builder}` needs it)"
            if builder != image.builder and given:
                yield f"{where}/{key}", f"is for `builder: {builder}`, and this image has `builder: {image.builder}`"


def _check_cloud_run(target: CloudRun, where: str) -> Iterator[tuple[str, str]]:
    if not 0 <= target.scaling.min <= target.scaling.max:
        yield f"{where}/scaling", f"min {target.scaling.min} and max {target.scaling.max} contradict each other"
    if (
        list(target.shift) != sorted(set(target.shift))
        or not target.shift
        or target.shift[-1] != 100
        or target.shift[0] < 1
    ):
        yield f"{where}/shift", "must rise and end at 100"
    named = {f"secrets/{variable}": reference for variable, reference in target.secrets.items()}
    own = {"database_secret": target.database_secret, "probe_secret": target.probe_secret}
    for key, reference in {**named, **{key: value for key, value in own.items() if value is not None}}.items():
        name, _, version = reference.partition("@")
        if not name or not version.isdigit():
            yield (
                f"{where}/{key}",
                f"{reference!r} must be secret@version with a number: 'latest' changes under a running service",
            )


def _check_migrations(component: Component | None, target: CloudRun, where: str) -> Iterator[tuple[str, str]]:
    """A job runs what the image brings, and reads the address itself."""
    if target.migrate_by != "job" or component is None:
        return
    if component.image is None or not component.image.migrator:
        yield f"{where}/migrate_by", "needs `migrator: true` of the component's image: a job runs what the image brings"
    if target.database_secret is None:
        yield f"{where}/migrate_by", "needs `database_secret`: the job reads the address there"


def _line_of(node: yaml.Node, path: str) -> int:
    """Line of the deepest key of `path` that stands in the file."""
    line = node.start_mark.line
    for part in path.split("/"):
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line
        else:
            break
    return line + 1
