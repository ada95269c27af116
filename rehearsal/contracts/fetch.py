"""Get the descriptions once, check them against their pins, and keep them."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from importlib import metadata
from pathlib import Path

from rehearsal.contracts import hey_api, typescript
from rehearsal.contracts.sources import Source
from rehearsal.home import home

FETCH_COMMAND = "python -m rehearsal.contracts"

# What of an SDK is taken: the calls of these groups, and every module they import.
_SDK_GROUPS = ("aliases", "deployments", "domains", "projects", "teamsGetTeam.")
_SDK_IMPORT = re.compile(r'from "\.\./models/([\w.-]+\.js)"|from "\./([\w.-]+\.js)"')
# Of other SDKs these files.
_SDK_FILES = {"typescript": (typescript.CALLS, typescript.TYPES), "hey-api": hey_api.FILES}
_NPM_SECONDS = 600


class ContractUnavailable(Exception):
    """A provider's description is not here, or is not the pinned one. Nothing can be checked without it."""


def cached(source: Source) -> Path:
    """Where the source's description lies once it was fetched (named by its hash, so a new pin never meets an old file)."""
    return home() / "contracts" / source.sha256 / "description.json"


def fetch(source: Source) -> Path:
    """The cached description, got and checked first when it is not there yet. Raises ContractUnavailable."""
    target = cached(source)
    if target.exists():
        return target
    content = _installed(source) if source.registry == "venv" else _from_npm(source)
    found = hashlib.sha256(content).hexdigest()
    if found != source.sha256:
        raise ContractUnavailable(
            f"{source.member} of {source.package} {source.version} has sha256 {found}, pinned is {source.sha256}. "
            "Either the registry served something else, or the pin in rehearsal/contracts/sources.py was not moved "
            "with the version."
        )
    _write(target, content)
    return target


def _write(target: Path, content: bytes) -> None:
    """Appear whole or not at all, also when several processes fetch at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as part:
        part.write(content)
    Path(part.name).replace(target)


def _installed(source: Source) -> bytes:
    try:
        distribution = metadata.distribution(source.package)
    except metadata.PackageNotFoundError:
        raise ContractUnavailable(
            f"The description of {source.name} comes with {source.package} {source.version}, which is not installed. "
            "Run `make setup`."
        ) from None
    if distribution.version != source.version:
        raise ContractUnavailable(
            f"The description of {source.name} is pinned to {source.package} {source.version}, installed is "
            f"{distribution.version}. Run `make setup`, or move the pin in rehearsal/contracts/sources.py."
        )
    return Path(str(distribution.locate_file(source.member))).read_bytes()


def _from_npm(source: Source) -> bytes:
    with tempfile.TemporaryDirectory(prefix="shipmate-contract-") as folder:
        tarball = _pack(source, Path(folder))
        if source.form == "zod":
            return _sdk_modules(tarball, source.member)
        if source.form in _SDK_FILES:
            parts = {name: _member(tarball, source, name).decode() for name in _SDK_FILES[source.form]}
            return json.dumps(parts, separators=(",", ":")).encode()
        return _member(tarball, source)


def _pack(source: Source, folder: Path) -> Path:
    wanted = f"{source.package}@{source.version}"
    command = ["npm", "pack", wanted, "--silent", "--ignore-scripts", "--pack-destination", str(folder)]
    advice = f"Check that npm reaches its registry (`npm view {wanted} version`), then run `{FETCH_COMMAND}` again."
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False)
    except FileNotFoundError:
        raise ContractUnavailable(f"npm is needed to get {wanted} and is not on PATH. Install Node 20.") from None
    except subprocess.TimeoutExpired:
        raise ContractUnavailable(f"`npm pack {wanted}` took more than {_NPM_SECONDS} s. {advice}") from None
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode or len(tarballs) != 1:
        raise ContractUnavailable(f"`npm pack {wanted}` failed: {done.stderr.strip()[-500:]}. {advice}")
    return tarballs[0]


def _member(tarball: Path, source: Source, name: str = "") -> bytes:
    """One file (`name` below the source's member) out of a package that unpacks to hundreds of megabytes, without unpacking it."""
    wanted = source.member + name
    with tarfile.open(tarball, "r|gz") as archive:
        for entry in archive:
            if entry.name == wanted:
                content = archive.extractfile(entry)
                if content is not None:
                    return content.read()
    raise ContractUnavailable(f"{source.package} {source.version} has no {wanted}.")


def _sdk_modules(tarball: Path, folder: str) -> bytes:
    """The SDK's modules of the calls we care for, as one JSON object {module: text} that is the same on every machine."""
    texts: dict[str, str] = {}
    with tarfile.open(tarball, "r|gz") as archive:
        for entry in archive:
            path = entry.name.removeprefix(folder)
            content = archive.extractfile(entry) if re.fullmatch(r"(funcs|models)/[\w.-]+\.js", path) else None
            if content is not None:
                texts[path] = content.read().decode()
    wanted = [path for path in texts if path.startswith(tuple(f"funcs/{group}" for group in _SDK_GROUPS))]
    chosen: set[str] = set()
    while wanted:
        path = wanted.pop()
        if path in chosen or path not in texts:
            continue
        chosen.add(path)
        wanted += [f"models/{a or b}" for a, b in _SDK_IMPORT.findall(texts[path])]
    return json.dumps({path: texts[path] for path in sorted(chosen)}, separators=(",", ":")).encode()
