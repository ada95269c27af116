"""What a promotion shall do, as one document that people approve and the promoting job reads again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines import documents
from pipelines.errors import InputError
from pipelines.manifest.mobile import Platform
from pipelines.mobile.promoted import Candidate, To

FORMAT = 1
FILE = "promotion.json"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What someone asks for."""

    to: To
    version: str = ""
    """Or the tag; empty for the newest that testers have."""
    percent: int | None = None
    phased: bool = False
    platform: Platform | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What shall become of a build in its store."""

    platform: Platform
    to: To
    version: str
    number: int
    percent: int | None = None
    """Of the users of Play's track; for the App Store 100 ends the phases."""
    phased: bool = False
    then: tuple[int, ...] = ()
    """Shares of production that scheduled runs go on to, by the manifest; without `percent` it begins with the first of them."""

    @property
    def build(self) -> Candidate:
        return Candidate(version=self.version, number=self.number)

    @property
    def says(self) -> str:
        how = "in phases of Apple's" if self.phased else f"{self.percent} %" if self.percent else ""
        steps = ", ".join(f"{step} %" for step in self.then)
        begun = f"then by scheduled runs {steps}"
        beginning = f"by steps of {steps}, scheduled runs take those after the first"
        rest = "" if not steps else begun if self.percent else beginning
        values = [f"{self.platform}: {self.build} to {self.to}", how, rest]
        return ", ".join(each for each in values if each)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is wanted on each platform. `document` is its canonical form, `digest` what an approval binds."""

    wanted: tuple[Wanted, ...]

    @property
    def document(self) -> bytes:
        data = {"format": FORMAT, "wanted": [dataclasses.asdict(each) for each in self.wanted]}
        return json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False).encode() + b"\n"

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal."""
        return documents.digest_of(self.document)

    @property
    def release(self) -> str:
        """The version, for people; several where the stores differ."""
        return ", ".join(dict.fromkeys(each.version for each in self.wanted))


def read(document: bytes, digest: str) -> Plan:
    """The plan of a document. Raises RefusedError when it is not the one that is named."""
    raw = documents.read(document, digest, form=FORMAT, where=FILE, done="approved")
    return Plan(wanted=tuple(Wanted(**{**each, "then": tuple(each["then"])}) for each in raw["wanted"]))


def fetch(folder: Path) -> bytes:
    """The document as an earlier job of the run uploaded it. Raises InputError."""
    return documents.fetch(folder / FILE, "plan of a promotion")


def version_of(text: str) -> str:
    """The version of a tag or a version: mobile-v1.0.1 and v1.0.1 are 1.0.1."""
    head, sign, tail = text.strip().rpartition("v")
    return tail if sign and tail[:1].isdigit() and (not head or head.endswith("-")) else text.strip()


def require_sense(request: Request, platforms: Sequence[Platform]) -> None:
    """Raises InputError for what cannot be, or would give an iPhone app to everybody although a share was asked for."""
    percent, ios = request.percent, "ios" in platforms
    what = why = step = ""
    if percent is not None and not 1 <= percent <= 100:
        what, step = f"{percent} % is no share of users", "write 1 to 100"
    elif request.phased and (not ios or request.to == "beta"):
        what, step = "only the App Store releases in phases", "leave --phased out; Google Play takes --percent"
    elif request.phased and request.platform == "ios" and percent is not None:
        what, step = "phases have Apple's own shares", "leave --percent out; 100 ends phases that have started"
    elif platforms == ("ios",) and percent not in (None, 100):
        what, why, step = (
            "Apple fixes the shares of a release",
            "1, 2, 5, 10, 20, 50, 100 % over seven days",
            "use --phased",
        )
    elif platforms == ("ios",) and percent == 100 and request.to == "beta":
        what, step = "testers get all of it", "leave --percent out"
    elif ios and len(platforms) > 1 and request.to == "production" and percent is not None and not request.phased:
        what = "a share of users is Google Play's alone"
        why, step = "the App Store would give it to everybody", "add --phased, or name the platform with --platform"
    if what:
        raise InputError(what, where="promote", why=why, next_step=step)
