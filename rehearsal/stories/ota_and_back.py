"""An update over the air crashes on the phones of the first tenth, and is taken back by itself; what is well is taken back by hand.

The commands are those of docs/MOBILE.md but `npm ci`: the eas of a rehearsal needs none of the app's packages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from rehearsal.scenario import assertions as proof
from rehearsal.scenario import mobile_apps as apps
from rehearsal.scenario.devices import Devices
from rehearsal.scenario.steps import Routine
from rehearsal.scenario.user import Person, Said

PLATFORMS = ("android", "ios")
CHANNEL = "production"
UPDATE = f"shipmate mobile update --channel {CHANNEL}"
ROLLBACK = f"shipmate mobile rollback --channel {CHANNEL}"
REFUSED, TAKEN_BACK = 6, 7
"""Exit codes."""
BRANCH = "over-the-air"
BAR = 'StatusBar style="'
FOLDER = "apps/mobile"
HEARD = 10
"""Devices of each platform that are asked what they have."""

Codes = Mapping[str, set[str]]
"""Platform -> what its devices are given."""


def tell(at: Routine) -> None:
    apps.quick(at)
    dev = at.person("dev-1")
    at.must_end(apps.tagged(at, f"mobile-v{apps.version(dev)}"), "success")
    manager = at.person("release-manager")
    manager.git("switch", "-q", "-c", BRANCH)
    devices = _with_the_builds(at, manager)
    first = what_is_well_reaches_everybody(at, manager, devices)
    what_crashes_comes_back_by_itself(at, manager, devices, first)
    what_crashed_is_not_published_again(at, manager)
    what_is_native_goes_through_the_stores(at, manager)
    back_by_hand_and_once_more(at, manager, devices, first)


def what_is_well_reaches_everybody(at: Routine, who: Person, devices: Devices) -> Codes:
    _change(who, "light")
    who.types(f"{UPDATE} --percent 100")
    with at.diary.during("proof", "every device is given the update"):
        codes = _codes(devices)
        proof.that(all(len(found) == 1 and "" not in found for found in codes.values()), "one update", codes)
    return codes


def what_crashes_comes_back_by_itself(at: Routine, who: Person, devices: Devices, first: Codes) -> None:
    _change(who, "auto")
    with who.begins(f"{UPDATE} --percent 10 --watch 30") as watching:
        taken = {platform: devices.other_than(platform, first[platform], watching.goes_on) for platform in PLATFORMS}
        for _, given in taken.values():
            devices.use(given, sessions=600)
        watching.says("good: ")
        at.diary.note("act", "the first tenth have the update, and all is well")
        devices.use(taken["ios"][1], sessions=400, crashed=80)
        at.diary.note("act", "with some iPhones it crashes")
        said = watching.ended()
    with at.diary.during("proof", "it is taken back by itself, and it is told how long that took"):
        _ended(said, TAKEN_BACK, "92.00 % of 1,000 sessions without a crash")
        for untold in ("Sentry is not told", "Sentry knows no commit", "cannot be noted"):
            proof.that(untold not in said.err, "Sentry and GitHub were told", said.err)
        proof.that(re.search(r"is back from \w+ to .* after \d+ s", said.out), "how long it took", said.out)
    with at.diary.during("proof", "who had it and who had not have what was there before"):
        back = {platform: {devices.given(platform, device).code} for platform, (device, _) in taken.items()}
        proof.that(back == first, "who had it", back)
        proof.that(_codes(devices) == first, "the others", _codes(devices))


def what_crashed_is_not_published_again(at: Routine, who: Person) -> None:
    said = who.types(f"{UPDATE} --percent 10", ok=False)
    with at.diary.during("proof", "the commit that was taken back is refused"):
        _ended(said, REFUSED, f"was taken back from {CHANNEL} before")


def what_is_native_goes_through_the_stores(at: Routine, who: Person) -> None:
    who.edits(apps.FILE, '"plugins": [', '"plugins": [\n      "expo-camera",')
    who.git("commit", "-q", "-am", "feat: take pictures")
    said = who.types(f"{UPDATE} --percent 10", ok=False)
    with at.diary.during("proof", "a change of native parts is refused, with the reason and the way"):
        for part in ("cannot go over the air on android and ios", "native settings changed", "through the stores"):
            _ended(said, REFUSED, part)
    who.git("reset", "-q", "--hard", "HEAD~1")


def back_by_hand_and_once_more(at: Routine, who: Person, devices: Devices, first: Codes) -> None:
    _change(who, "inverted")
    who.types(f"{UPDATE} --percent 100")
    device = devices.some(1)[0]
    proof.that(devices.given("ios", device).code not in first["ios"], "everybody has the next one")
    who.types(ROLLBACK)
    now = devices.given("ios", device)
    with at.diary.during("proof", "everybody has the one before again, not the one that crashed"):
        proof.that(_codes(devices) == first, "what they had", _codes(devices))
    said = who.types(ROLLBACK)
    with at.diary.during("proof", "asked again, it changes nothing"):
        proof.that("already" in said.out, "it says so", said.text)
        proof.that(devices.given("ios", device) == now, "the same update", devices.given("ios", device))


def _with_the_builds(at: Routine, who: Person) -> Devices:
    listed = who.run("eas", "build:list", "--channel", CHANNEL, "--json", "--non-interactive", cwd=who.clone / FOLDER)
    runtimes = {build["platform"].lower(): build["runtime"]["version"] for build in json.loads(listed.out)}
    proof.that(set(runtimes) == set(PLATFORMS), "both platforms have a build", runtimes)
    app = json.loads((who.clone / apps.FILE).read_text())["expo"]
    return Devices(place=at.place, channel=CHANNEL, app=app, runtimes=runtimes)


def _change(who: Person, style: str) -> None:
    """JavaScript alone, committed and pushed."""
    text = (who.clone / apps.SHOWN_BY).read_text()
    found = re.search(rf'{BAR}(\w+)"', text)
    proof.that(found, f"{apps.SHOWN_BY} has a status bar")
    who.edits(apps.SHOWN_BY, found[0] if found else "", f'{BAR}{style}"')
    who.git("commit", "-q", "-am", f"fix: a status bar that is {style}")
    who.git("push", "-q", "origin", BRANCH)


def _codes(devices: Devices) -> Codes:
    asked = devices.some(HEARD)
    return {platform: {devices.given(platform, device).code for device in asked} for platform in PLATFORMS}


def _ended(said: Said, code: int, text: str) -> None:
    proof.that(said.code == code and text in said.text, f"exit {code} and {text!r}", f"exit {said.code}: {said.text}")
