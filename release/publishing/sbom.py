"""CycloneDX SBOMs of what a release ships, from the lock files of its commit. The same commit gives the same bytes.

Sources: cyclonedx.org/docs/1.6/json, docs.npmjs.com/cli/v11/configuring-npm/package-lock-json, pip's requirements file format,
github.com/package-url/purl-spec (pypi, npm).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from pipelines.errors import InputError
from release.commits.dates import moment

if TYPE_CHECKING:
    from cyclonedx.model.component import Component


@dataclass(frozen=True, kw_only=True)
class Package:
    """One locked package."""

    key: str
    """What it is called in the lock file: unique there."""
    name: str
    version: str
    kind: str
    """pypi or npm"""
    sha512: str = ""
    licence: str = ""
    shipped: bool = True
    """False for what only builds or tests."""
    needs: tuple[str, ...] = ()
    """Keys."""


def sbom(
    name: str,
    version: str,
    lock: str,
    text: str,
    *,
    commit: str,
    time: int,
    other: Callable[[str], str | None] = lambda _: None,
) -> str:
    """The SBOM of one component as CycloneDX 1.6 JSON.

    `lock`: path of the lock file, which says its kind; `text`: its content; `time`: of the commit, seconds since 1970; `other`: the
    content of a file that the lock file names, None when it is not there.
    Raises InputError for a lock file that cannot be read, does not pin all it names, or pins nothing.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    packages = _packages(lock, text, other)
    root = Component(name=name, version=version, type=ComponentType.APPLICATION, bom_ref=f"{name}@{version}")
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"{name}@{version}:{commit}:{lock}"))
    bom.metadata.timestamp = moment(time)
    bom.metadata.component = root
    bom.metadata.properties.add(_property("shipmate:commit", commit))
    bom.metadata.properties.add(_property("shipmate:lock", lock))
    made = {package.key: _component(package) for package in packages}
    for component in made.values():
        bom.components.add(component)
    wanted = {need for package in packages for need in package.needs}
    bom.register_dependency(root, [made[package.key] for package in packages if package.key not in wanted])
    for package in packages:
        bom.register_dependency(made[package.key], [made[need] for need in package.needs if need in made])
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n"


def _packages(lock: str, text: str, other: Callable[[str], str | None]) -> list[Package]:
    try:
        found = _npm(json.loads(text)) if lock.endswith(".json") else _pypi(lock, text, other)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"the lock file cannot be read: {error}", where=lock, next_step="make it anew with npm"
        ) from error
    if not found:
        raise InputError(
            "the lock file pins nothing",
            where=lock,
            next_step="lock with exact versions: name==version, or package-lock.json",
        )
    return found


def _pypi(lock: str, text: str, other: Callable[[str], str | None]) -> list[Package]:
    """pip's requirements. One name may be pinned several times, each for its own platforms."""
    from release.publishing.requirements import pins

    return [
        Package(key=f"{name}=={version}", name=name, version=version, kind="pypi")
        for name, version in sorted(set(pins(lock, text, other)))
    ]


def _npm(lock: Mapping[str, Any]) -> list[Package]:
    """package-lock.json, version 2 or 3: `packages` by their place below node_modules."""
    places: dict[str, Mapping[str, Any]] = lock["packages"]
    return [
        Package(
            key=place,
            name=raw.get("name") or place.rpartition("node_modules/")[2],
            version=raw["version"],
            kind="npm",
            sha512=_sha512(raw.get("integrity", "")),
            licence=raw.get("license", "") if isinstance(raw.get("license", ""), str) else "",
            shipped=not raw.get("dev", False),
            needs=tuple(_resolved(place, raw, places)),
        )
        for place, raw in sorted(places.items())
        if "node_modules/" in place and not raw.get("link")
    ]


def _resolved(place: str, raw: Mapping[str, Any], places: Mapping[str, Any]) -> list[str]:
    """Where Node finds what a package needs: in its own node_modules, then in each above."""
    found = []
    for name in sorted({**raw.get("dependencies", {}), **raw.get("optionalDependencies", {})}):
        base = place
        while True:
            candidate = f"{base}/node_modules/{name}" if base else f"node_modules/{name}"
            if candidate in places:
                found.append(candidate)
                break
            if not base:
                break
            base = base.rpartition("node_modules/")[0].rstrip("/")
    return found


def _sha512(integrity: str) -> str:
    """`sha512-<base64>` as hexadecimal; empty for other algorithms."""
    kind, _, value = integrity.partition("-")
    try:
        return base64.b64decode(value, validate=True).hex() if kind == "sha512" else ""
    except binascii.Error:
        return ""


def _component(package: Package) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentScope, ComponentType
    from cyclonedx.model.license import DisjunctiveLicense
    from packageurl import PackageURL

    namespace, _, bare = package.name.rpartition("/")
    address = PackageURL(type=package.kind, namespace=namespace or None, name=bare, version=package.version)
    return Component(
        name=bare,
        group=namespace or None,
        version=package.version,
        type=ComponentType.LIBRARY,
        purl=address,
        bom_ref=f"{address}#{package.key}" if package.kind == "npm" else str(address),
        hashes=[HashType(alg=HashAlgorithm.SHA_512, content=package.sha512)] if package.sha512 else [],
        licenses=[DisjunctiveLicense(name=package.licence)] if package.licence else [],
        scope=ComponentScope.REQUIRED if package.shipped else ComponentScope.EXCLUDED,
    )


def _property(name: str, value: str) -> Any:
    from cyclonedx.model import Property

    return Property(name=name, value=value)
