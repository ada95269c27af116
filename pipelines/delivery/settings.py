"""What a release changes of the settings that are live: variables, secrets, scaling, smoke checks, journeys.

Both sides are read from the commits' own definitions under the policy of now: what a release does not own cannot differ.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from pipelines.delivery import source
from pipelines.delivery.steps.base import Base
from pipelines.errors import InputError, ManifestError
from pipelines.manifest import Manifest
from pipelines.manifest import definition as definitions

Mark = Literal["+", "~", "-", "?"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One setting: new (+), changed (~), gone (-), or not known (?). `key` is its path below the component, like `env/LOG`."""

    mark: Mark
    subject: str
    key: str = ""
    before: Any = None
    after: Any = None

    def as_text(self) -> str:
        name = f"{self.subject}/{self.key}" if self.key else self.subject
        if self.mark == "~" and self.after is not None:
            return f"~ {name}: {_word(self.before)} → {_word(self.after)}"
        value = self.after if self.mark in "+?" else self.before
        return f"{self.mark} {name}" + ("" if value is None else f": {_word(value)}")

    def as_data(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def since_live(
    policy: Manifest, releasing: Manifest, environment: str, bases: Mapping[str, Base | None]
) -> list[Difference]:
    """What changes for each component that has a base. `policy` is the default branch's manifest, in a clone with history."""
    found: list[Difference] = []
    read = functools.cache(lambda commit: _manifest_of(policy, commit))
    for component, base in bases.items():
        if base is None:
            continue
        try:
            live = read(base.commit)
        except (InputError, ManifestError) as error:
            found.append(
                Difference(mark="?", subject=component, after=f"what is live cannot be compared ({error.what})")
            )
            continue
        found += compare(live, releasing, environment, component)
    return found


def compare(live: Manifest, releasing: Manifest, environment: str, component: str) -> list[Difference]:
    """What differs between two manifests for one component of an environment."""
    before, after = (_settings(each, environment, component) for each in (live, releasing))
    found = list(_differences(component, before, after))
    for title, read in (("smoke check", _checks), ("journey", _journeys)):
        found += _named(
            f"{component}/{title}", read(live, environment, component), read(releasing, environment, component)
        )
    return found


def _manifest_of(policy: Manifest, commit: str) -> Manifest:
    """The manifest that a commit would be delivered with now. Raises InputError, ManifestError."""
    if not commit:
        raise InputError("it was deployed by other means", next_step="deploy it again by this suite")
    with TemporaryDirectory(prefix="shipmate-") as folder:
        file = Path(folder) / policy.file.name
        file.write_text(source.read(policy.root, commit, policy.file.name))
        return definitions.apply(policy, definitions.read(file))


def _settings(manifest: Manifest, environment: str, component: str) -> dict[str, Any]:
    """A component's settings, flat: path -> value. What is left out is not there."""
    target = manifest.environments[environment].targets.get(component)
    return dict(_flat(dataclasses.asdict(target))) if target is not None else {}


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}/")
        elif value is not None:
            yield path + key, value


def _differences(subject: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in sorted({*before, *after}):
        if key not in before:
            yield Difference(mark="+", subject=subject, key=key, after=after[key])
        elif key not in after:
            yield Difference(mark="-", subject=subject, key=key, before=before[key])
        elif before[key] != after[key]:
            yield Difference(mark="~", subject=subject, key=key, before=before[key], after=after[key])


def _named(subject: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Of named entries: which came, went, or are not what they were."""
    for name in sorted({*before, *after}):
        if name not in before:
            yield Difference(mark="+", subject=subject, key=name)
        elif name not in after:
            yield Difference(mark="-", subject=subject, key=name)
        elif before[name] != after[name]:
            yield Difference(mark="~", subject=subject, key=name)


def _checks(manifest: Manifest, environment: str, component: str) -> dict[str, Any]:
    return {each.name: each for each in manifest.environments[environment].smoke if each.component == component}


def _journeys(manifest: Manifest, _: str, component: str) -> dict[str, Any]:
    return {name: each for name, each in manifest.journeys.items() if each.component == component}


def _word(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
