"""Builds: what is made of what was uploaded, and where each is by now."""

from __future__ import annotations

import base64
import io
import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal import android_bundle, ios_archive
from rehearsal.eas.fingerprint import config_of, fingerprint
from rehearsal.emulators.eas import errors, updates
from rehearsal.emulators.eas.state import (
    ANDROID,
    CANCELED,
    CANCELING,
    ERRORED,
    FINISHED,
    IOS,
    NEW,
    QUEUED,
    RUNNING,
    Account,
    Build,
    Plan,
    new_id,
)

MISMATCH = "Runtime version calculated on local machine not equal to runtime version calculated during build."
"""expo/eas-build#449."""
_LARGEST = 50_000_000


@dataclass(frozen=True, kw_only=True)
class Course:
    """When a build enters the queue, begins and ends, as far as is known now."""

    entered: float
    started: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked for: `runtime` and `fingerprint` as worked out where they are."""

    project: str
    platform: str
    profile: str
    settings: Mapping[str, Any]
    upload: str
    runtime: str
    fingerprint: str
    commit: str | None = None
    commit_message: str | None = None
    message: str | None = None


def save_upload(account: Account, content: bytes) -> str:
    """Keep a project's files until they are built; their id. Raises EasError."""
    _unpacked(content)
    identifier = new_id()
    folder = account.root / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / identifier).write_bytes(content)
    return identifier


def start(account: Account, order: Order) -> Build:
    """Begin a build. Raises EasError."""
    account.project(order.project)
    path = account.root / "uploads" / Path(order.upload).name
    if not path.is_file():
        raise errors.bad_upload("it was not uploaded")
    files = _unpacked(path.read_bytes())
    try:
        config = config_of(files)
        hashed = fingerprint(files, order.platform, account.variables)
    except ValueError as error:
        raise errors.bad_upload(str(error)) from error
    if order.settings.get("channel"):
        updates.channel(account, order.project, order.settings["channel"])
    build = _build(account, order, config, hashed)
    account.builds[build.id] = build
    return build


def cancel(account: Account, build: Build) -> None:
    """Ask for a build's end; one that has ended stays as it is."""
    if build.canceled is None and status(account, build) in (NEW, QUEUED, RUNNING):
        build.canceled = account.now()


def status(account: Account, build: Build) -> str:
    """By now."""
    now, course = account.now(), courses(account)[build.id]
    if build.canceled is not None:
        return CANCELING if now < course.ended else CANCELED
    if now < course.entered:
        return NEW
    if now < course.started:
        return QUEUED
    if now < course.ended:
        return RUNNING
    return ERRORED if build.plan.code else FINISHED


def courses(account: Account) -> dict[str, Course]:
    """Of each build: the account's own wait for one another, then for Expo's machines."""
    taken: list[float] = []
    found = {}
    for build in sorted(account.builds.values(), key=lambda one: one.created):
        # The moment from which fewer than `places` of those before are left.
        free = sorted(taken)[-build.places] if len(taken) >= build.places else build.created
        course = _course(account, build, max(build.created, free))
        if course.ended > course.entered:
            taken.append(course.ended)
        found[build.id] = course
    return found


def _course(account: Account, build: Build, entered: float) -> Course:
    started, stop = entered + build.queue, build.canceled
    ended = started + build.seconds
    if stop is None or stop >= ended:
        return Course(entered=entered, started=started, ended=ended)
    if stop < started:  # nothing has to be taken down
        return Course(entered=min(entered, stop), started=stop, ended=stop)
    return Course(entered=entered, started=started, ended=stop + account.pace.cancel)


def log(account: Account, build: Build) -> str:
    """What a build printed by now: a line of JSON each, with its phase, as the files behind `logFiles`."""
    state = status(account, build)
    tool = "RUN_GRADLEW" if build.platform == ANDROID else "RUN_FASTLANE"
    lines = [("SPIN_UP_BUILDER", "Starting build"), ("READ_PACKAGE_JSON", f"Using package.json of {build.profile}")]
    lines += [
        ("INSTALL_DEPENDENCIES", 'Running "npm ci" in the project'),
        ("CONFIGURE_EXPO_UPDATES", f"Runtime version {build.runtime}"),
    ]
    if state == ERRORED:
        phase = "CONFIGURE_EXPO_UPDATES" if build.plan.message == MISMATCH else tool
        lines += [(phase, line) for line in build.plan.log]
        lines.append((phase, f"Error: {build.plan.message}"))
    elif state == FINISHED:
        lines += [(tool, "BUILD SUCCESSFUL"), ("UPLOAD_APPLICATION_ARCHIVE", "Uploaded the application archive")]
    return "".join(_log_line(phase, line) for phase, line in lines)


def _log_line(phase: str, line: str) -> str:
    return json.dumps({"level": 50 if line.startswith("Error: ") else 30, "phase": phase, "msg": line}) + "\n"


def artifact(account: Account, build: Build) -> bytes | None:
    """The file of a finished build; None before, and when it has expired."""
    if status(account, build) != FINISHED or account.now() > build.created + account.pace.expires:
        return None
    return base64.b64decode(build.artifact)


def _build(account: Account, order: Order, config: Mapping[str, Any], hashed: str) -> Build:
    section = config.get(order.platform) or {}
    name = "package" if order.platform == ANDROID else "bundleIdentifier"
    if not section.get(name):
        raise errors.invalid(f'Specify "{order.platform}.{name}" in app.json and run this command again.')
    runtime = hashed if order.runtime == order.fingerprint else order.runtime
    plan = _plan(account, order.platform)
    if runtime != order.runtime and account.stops_at_mismatch:
        plan = Plan(
            code="UNKNOWN_ERROR", message=MISMATCH, log=_differing(order.runtime, runtime), seconds=plan.seconds
        )
    identifier = new_id()
    build = Build(
        id=identifier,
        project=order.project,
        platform=order.platform,
        profile=order.profile,
        channel=order.settings.get("channel"),
        distribution=str(order.settings.get("distribution", "store")).upper(),
        identifier=str(section[name]),
        version=str(config.get("version", "1.0.0")),
        number=str(section.get("versionCode" if order.platform == ANDROID else "buildNumber", 1)),
        runtime=runtime,
        fingerprint=hashed,
        commit=order.commit,
        commit_message=order.commit_message,
        message=order.message,
        created=account.now(),
        queue=account.pace.queue,
        position=account.position,
        places=max(1, account.concurrency),
        seconds=account.pace.build if plan.seconds is None else plan.seconds,
        artifact="",
        plan=plan,
    )
    build.artifact = base64.b64encode(_file(account, build, section)).decode()
    return build


def _plan(account: Account, platform: str) -> Plan:
    for number, plan in enumerate(account.plans):
        if plan.platform in ("", platform):
            return account.plans.pop(number)
    return Plan()


def _differing(local: str, here: str) -> list[str]:
    """expo/expo#35575."""
    return [
        "Runtime version mismatch:",
        f"- Runtime version calculated on local machine: {local}",
        f"- Runtime version calculated on EAS: {here}",
        "This would cause any updates published on the local machine to not be compatible with this build.",
    ]


def _file(account: Account, build: Build, section: Mapping[str, Any]) -> bytes:
    """An app that says what the configuration says. The build's id is in it, so no two builds are the same file."""
    with tempfile.NamedTemporaryFile() as held:
        file = Path(held.name)
        if build.platform == ANDROID:
            if not build.number.isdecimal():
                raise errors.invalid('"android.versionCode" must be an integer')
            android_bundle.write(
                file,
                package=build.identifier,
                version_code=int(build.number),
                version_name=build.version,
                key=account.key,
                padding=build.id.encode(),
            )
        else:
            ios_archive.write(
                file,
                bundle=build.identifier,
                version=build.version,
                number=build.number,
                encryption=(section.get("infoPlist") or {}).get("ITSAppUsesNonExemptEncryption"),
                padding=build.id.encode(),
            )
        return file.read_bytes()


def _unpacked(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _LARGEST:
                raise errors.bad_upload(f"it holds more than {_LARGEST} bytes")
            return {entry.filename: packed.read(entry) for entry in packed.infolist() if not entry.is_dir()}
    except zipfile.BadZipFile as error:
        raise errors.bad_upload(str(error)) from error


EXTENSIONS = {ANDROID: "aab", IOS: "ipa"}
