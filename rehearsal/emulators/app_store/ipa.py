"""What an IPA says of itself: `Payload/X.app/Info.plist`, XML or binary."""

from __future__ import annotations

import plistlib
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

_PLIST = re.compile(r"Payload/[^/]+\.app/Info\.plist")
_LARGEST = 4_000_000
_VERSION = re.compile(r"\d+(\.\d+){0,2}")


class BadArchive(Exception):
    """It is no IPA; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Info:
    """Of Info.plist; "" where a key is missing."""

    bundle: str
    version: str
    number: str
    encryption: bool | None
    """ITSAppUsesNonExemptEncryption."""
    minimum_os: str | None


def read(path: Path) -> Info:
    """Raises BadArchive."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [entry for entry in archive.infolist() if _PLIST.fullmatch(entry.filename)]
            if len(found) != 1 or found[0].file_size > _LARGEST:
                raise BadArchive("it must hold one Payload/*.app/Info.plist")
            plist: Any = plistlib.loads(archive.read(found[0]))
    except (zipfile.BadZipFile, plistlib.InvalidFileException, ExpatError, ValueError) as error:
        raise BadArchive(str(error)) from error
    if not isinstance(plist, dict):
        raise BadArchive("Info.plist is not a dictionary")
    encryption = plist.get("ITSAppUsesNonExemptEncryption")
    return Info(
        bundle=str(plist.get("CFBundleIdentifier", "")),
        version=str(plist.get("CFBundleShortVersionString", "")),
        number=str(plist.get("CFBundleVersion", "")),
        encryption=encryption if isinstance(encryption, bool) else None,
        minimum_os=plist.get("MinimumOSVersion"),
    )


def is_version(text: str) -> bool:
    """Apple's versions: at most three numbers with periods between, and nothing behind them."""
    return _VERSION.fullmatch(text) is not None


def order(version: str) -> tuple[int, ...]:
    """What versions are compared by: 1.2 and 1.2.0 are one. Anything else than numbers is lowest."""
    numbers = [int(part) for part in version.split(".")] if is_version(version) else []
    return tuple(numbers + [0] * (3 - len(numbers)))
