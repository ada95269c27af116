"""Policy and definition, put together: who, when and where are the default branch's; what is released is the release's own.

The release's manifest may be older than this suite, or written to mislead it. So only the keys that model.py marks as the
release's are taken from it; every other key is ignored, whatever it says, and an unknown one is no error.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml

from pipelines.errors import ManifestError
from pipelines.manifest import journeys
from pipelines.manifest.components import Build, Component, Image
from pipelines.manifest.fill import WRONG, Filler, Problem, hints
from pipelines.manifest.model import BrowserTests, Environment, Journey, Manifest, Smoke
from pipelines.manifest.release import Release

_MOST = 100_000
"""Values that a manifest may have."""
_DEEPEST = 100
_YAML = "tag:yaml.org,2002:"
_STR = f"{_YAML}str"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Definition:
    """What a commit says of itself, as far as it has a say."""

    components: Mapping[str, Component]
    """Their policy is empty here; `apply` puts it in."""
    targets: Mapping[tuple[str, str], yaml.MappingNode]
    """(environment, component) -> the node of its target."""
    smoke: Mapping[str, tuple[Smoke, ...]]
    journeys: Mapping[str, Journey]
    browser_tests: BrowserTests | None
    release: Release
    """Of which only what describes the release itself counts (`_rules`)."""
    file: Path

    digest: str
    """`sha256:…` of the whole manifest, whatever its layout: what a proof of this commit names. No version of the suite reads it
    differently."""


def read(file: Path) -> Definition:
    """The definition in a manifest of any age. Raises ManifestError with every problem in the release's own keys."""
    from pipelines.manifest.reading import document

    return parse(document(file), file)


def parse(root: yaml.Node, file: Path) -> Definition:
    """`read` from a node."""
    filler = Filler()
    components = filler.fill(
        Mapping[str, Component], _kept(Mapping[str, Component], _at(root, "components")), "components"
    )
    environments = dict(_children(_at(root, "environments")))
    smoke = {
        name: filler.fill(tuple[Smoke, ...], _kept(tuple[Smoke, ...], checks), f"environments/{name}/smoke")
        for name, node in environments.items()
        if (checks := _at(node, "smoke")) is not None
    }
    visited = filler.fill(Mapping[str, Journey], _kept(Mapping[str, Journey], _at(root, "journeys")), "journeys")
    tests = _at(root, "browser_tests")
    wanted = None if tests is None else filler.fill(BrowserTests, _kept(BrowserTests, tests), "browser_tests")
    section = _at(root, "release")
    rules = Release() if section is None else filler.fill(Release, _kept(Release, section), "release")
    if filler.problems or WRONG in (components, wanted, rules):
        raise _wrong(filler.problems, file)
    visited = {name: journey for name, journey in visited.items() if journey.component in components}
    if unfit := _located(root, journeys.problems(visited, components)):
        raise _wrong(unfit, file)
    known = {field.name for field in dataclasses.fields(Environment)}
    targets = {
        (name, component): node
        for name, environment in environments.items()
        for component, node in _children(environment)
        if component not in known and isinstance(node, yaml.MappingNode)
    }
    return Definition(
        components=components,
        targets=targets,
        smoke=smoke,
        journeys=visited,
        browser_tests=wanted,
        release=rules,
        file=file,
        digest=_digest(root, file),
    )


def apply(policy: Manifest, definition: Definition) -> Manifest:
    """The manifest a release is delivered by. Paths in it are below the release's own tree.

    Raises ManifestError for a value of the release that has the wrong form, or a component without a place in the policy's registry.
    """
    components = {
        name: _component(name, component, policy, definition.file) for name, component in definition.components.items()
    }
    environments = {
        name: dataclasses.replace(
            environment,
            smoke=(*environment.smoke, *_added(environment, definition.smoke.get(name, ()))),
            targets={
                component: _target(target, definition.targets.get((name, component)), name, component, definition.file)
                for component, target in environment.targets.items()
                if component in components
            },
        )
        for name, environment in policy.environments.items()
    }
    return dataclasses.replace(
        policy,
        components=components,
        environments=environments,
        journeys={
            **policy.journeys,
            **{name: own for name, own in definition.journeys.items() if name not in policy.journeys},
        },
        browser_tests=_browser_tests(policy.browser_tests, definition.browser_tests),
        release=_rules(policy.release, definition.release),
        file=definition.file,
    )


def _browser_tests(policy: BrowserTests | None, own: BrowserTests | None) -> BrowserTests | None:
    """The release's, of which the policy says what may fail."""
    return dataclasses.replace(own, quarantine=policy.quarantine if policy else ()) if own else policy


def _rules(policy: Release, own: Release) -> Release:
    """The policy's rules of versions, lines and checks, with the release's own files, templates and kinds of commits."""
    components = {
        name: dataclasses.replace(
            rule,
            **{
                field: getattr(own.components[name], field)
                for field in ("version_files", "changelog", "sboms", "migrations")
                if name in own.components
            },
        )
        for name, rule in policy.components.items()
    }
    return dataclasses.replace(policy, components=components, templates=own.templates, types=own.types)


def _component(name: str, component: Component, policy: Manifest, file: Path) -> Component:
    """With the policy's part of it."""
    image, build, known = component.image, component.build, policy.components.get(name)
    if image is not None:
        image = dataclasses.replace(image, repository=_repository(name, policy, file))
    if build is not None:
        build = dataclasses.replace(build, repository=_repository(name, policy, file))
    return dataclasses.replace(
        component,
        image=image,
        build=build,
        paths=known.paths if known else (),
        depends_on=known.depends_on if known else (),
        error_tracker=known.error_tracker if known else None,
    )


def _repository(name: str, policy: Manifest, file: Path) -> str:
    known = policy.components.get(name)
    found: Image | Build | None = (known.image or known.build) if known is not None else None
    if found is None:
        raise ManifestError(
            f"components/{name}: the default branch names no registry for it",
            where=str(file),
            why="where artifacts are kept is policy, and a release cannot bring its own",
            next_step=f"merge `{name}` with its `repository` to the default branch first",
        )
    return found.repository


def _target(target: Any, node: yaml.Node | None, environment: str, component: str, file: Path) -> Any:
    """The policy's target, with the keys that are the release's."""
    if node is None:
        return target
    where, filler = f"environments/{environment}/{component}", Filler()
    kind: Any = type(target)
    types_of = hints(kind)
    own = {field.name for field in dataclasses.fields(target) if field.metadata.get("release")}
    values = {
        key: filler.fill(types_of[key], _kept(types_of[key], value), f"{where}/{key}")
        for key, value in _children(node)
        if key in own
    }
    # A key that the release leaves out has its default, not what the default branch says today.
    for field in dataclasses.fields(target):
        if field.name in own and field.name not in values:
            values[field.name] = (
                field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
            )
    if filler.problems:
        raise _wrong(filler.problems, file)
    return dataclasses.replace(target, **values)


def _added(environment: Environment, checks: tuple[Smoke, ...]) -> tuple[Smoke, ...]:
    """What the release checks beyond the policy's. One of the same name stays the policy's."""
    least = {check.name for check in environment.smoke}
    return tuple(check for check in checks if check.name not in least and check.component in environment.targets)


def _located(root: yaml.Node, problems: Iterable[tuple[str, str]]) -> list[Problem]:
    from pipelines.manifest.reading import located

    return located(root, problems)


def _wrong(problems: list[Problem], file: Path) -> ManifestError:
    from pipelines.manifest.reading import listed

    return listed(problems, file)


def _kept(kind: Any, node: yaml.Node | None) -> yaml.Node:
    """A node with the release's keys alone: others are policy, or of an older or newer manifest, and may say what they like."""
    if node is None:
        return _empty(Mapping)
    members = [member for member in get_args(kind) if member is not type(None)] if _is_union(kind) else [kind]
    if len(members) != 1:
        return node
    kind = members[0]
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind) and isinstance(node, yaml.MappingNode):
        pairs = _own_keys(kind, node)
    elif isinstance(node, yaml.MappingNode) and origin is not None and issubclass(origin, Mapping):
        pairs = [(key, _kept(get_args(kind)[1], value)) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode) and origin is tuple:
        items = [_kept(get_args(kind)[0], item) for item in node.value]
        return yaml.SequenceNode(node.tag, items, node.start_mark, node.end_mark)
    else:
        return node
    return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark)


def _own_keys(kind: Any, node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    """Of a record in which some keys are the release's these, and nothing for policy that must be stated; of another all that it knows."""
    types_of, fields = hints(kind), dataclasses.fields(kind)
    own = {field.name for field in fields if field.metadata.get("release")} or set(types_of)
    needed = [
        field.name
        for field in fields
        if field.name not in own and field.default is field.default_factory is dataclasses.MISSING
    ]
    return [
        *((key, _kept(types_of[key.value], value)) for key, value in node.value if str(key.value) in own),
        *((yaml.ScalarNode(_STR, name, _mark(), _mark()), _empty(types_of[name])) for name in needed),
    ]


def _empty(kind: Any) -> yaml.Node:
    """What says nothing: a mapping, a list or a text of no length."""
    origin = typing.get_origin(kind) or kind
    if origin is tuple:
        return yaml.SequenceNode(f"{_YAML}seq", [], _mark(), _mark())
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return yaml.MappingNode(f"{_YAML}map", [], _mark(), _mark())
    return yaml.ScalarNode(_STR, "", _mark(), _mark())


def _is_union(kind: Any) -> bool:
    import types

    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _children(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), value) for key, value in node.value)


def _at(node: yaml.Node | None, key: str) -> yaml.Node | None:
    return next((value for name, value in _children(node) if name == key), None)


def _digest(root: yaml.Node, file: Path) -> str:
    """Raises ManifestError for a manifest without end: one that refers to itself, or to the same large value again and again."""
    text = json.dumps(_data(root, iter(range(_MOST)), file, _DEEPEST), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _data(node: yaml.Node, left: Iterator[int], file: Path, depth: int) -> Any:
    """Lists and texts alone, so that no form of a value is lost or stops it. `left`: one for each node there may be; `depth`: of them."""
    if next(left, None) is None or not depth:
        raise ManifestError(
            f"says more than {_MOST} things, or something in {_DEEPEST} others",
            where=file.name,
            why="an alias in it refers to itself, or repeats the same again and again",
            next_step="write out what the aliases (*name) stand for",
        )
    if isinstance(node, yaml.MappingNode):
        pairs = [[_data(one, left, file, depth - 1) for one in pair] for pair in node.value]
        return ["map", sorted(pairs, key=json.dumps)]
    if isinstance(node, yaml.SequenceNode):
        return ["list", [_data(item, left, file, depth - 1) for item in node.value]]
    return [node.tag.removeprefix(_YAML), str(node.value)]


def _mark() -> yaml.Mark:
    return yaml.Mark("", 0, 0, 0, None, 0)
