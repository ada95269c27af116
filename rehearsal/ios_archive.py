"""iOS archives (IPA): the smallest that is real enough to be built in a world. emulators/app_store/ipa.py reads any."""

from __future__ import annotations

import plistlib
import zipfile
from pathlib import Path
from typing import Any


def write(
    file: Path, *, bundle: str, version: str, number: str, encryption: bool | None = None, padding: bytes = b""
) -> None:
    """Write an archive that holds an Info.plist, and `padding` in place of code. It is not signed: nothing here looks at that.

    `encryption` is ITSAppUsesNonExemptEncryption, left out when it is None.
    """
    information: dict[str, Any] = {
        "CFBundleIdentifier": bundle,
        "CFBundleShortVersionString": version,
        "CFBundleVersion": number,
        "CFBundleExecutable": "App",
        "MinimumOSVersion": "15.1",
    }
    if encryption is not None:
        information["ITSAppUsesNonExemptEncryption"] = encryption
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("Payload/App.app/Info.plist"), plistlib.dumps(information, fmt=plistlib.FMT_BINARY)
        )
        archive.writestr(zipfile.ZipInfo("Payload/App.app/App"), b"\xcf\xfa\xed\xfe" + padding)
