"""An update over the air crashes for the first tenth of the devices and is rolled back automatically; a good one is rolled back by command.

The commands are those of docs/MOBILE.md but `npm ci`: the eas of a rehearsal needs none of the app's packages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from rehearsal.scenario import mobile_apps
from rehearsal.scenario.assertions import expect
from rehearsal.scenario.devices import Devices
from rehearsal.scenario.steps import Scenario
from rehearsal.scenario.user import CommandResult, User

PLATFORMS = ("android", "ios")
CHANNEL = "production"
UPDATE = f"shipmate mobile update --channel {CHANNEL}"
ROLLBACK = f"shipmate mobile rollback --channel {CHANNEL}"
REFUSED, ROLLED_BACK = 6, 7
"""Exit codes."""
BRANCH = "over-the-air"
BAR = 'StatusBar style="'
FOLDER = "apps/mobile"
SAMPLE = 10
"""Devices of each platform that are asked what they have."""

Codes = Mapping[str, set[str]]
"""Platform -> SHA-256 of the code that its devices get."""


def run(scenario: Scenario) -> None:
    mobile_apps.speed_up_providers(scenario)
    dev = scenario.user("dev-1")
    scenario.expect_conclusion(mobile_apps.push_tag(scenario, f"mobile-v{mobile_apps.version(dev)}"), "success")
    manager = scenario.user("release-manager")
    manager.git("switch", "-q", "-c", BRANCH)
    devices = _devices_with_the_builds(scenario, manager)
    first = a_good_update_reaches_every_device(scenario, manager, devices)
    a_crashing_update_is_rolled_back(scenario, manager, devices, first)
    a_rolled_back_commit_is_refused(scenario, manager)
    a_native_change_is_refused(scenario, manager)
    rollback_by_command_and_again(scenario, manager, devices, first)


def a_good_update_reaches_every_device(scenario: Scenario, user: User, devices: Devices) -> Codes:
    _change(user, "light")
    user.command(f"{UPDATE} --percent 100")
    with scenario.then("every device gets the update"):
        codes = _codes(devices)
        expect(all(len(found) == 1 and "" not in found for found in codes.values()), "one update", codes)
    return codes


def a_crashing_update_is_rolled_back(scenario: Scenario, user: User, devices: Devices, first: Codes) -> None:
    _change(user, "auto")
    with user.start(f"{UPDATE} --percent 10 --watch 30") as watching:
        taken = {
            platform: devices.find_other_update(platform, first[platform], watching.expect_running)
            for platform in PLATFORMS
        }
        for _, served in taken.values():
            devices.report_sessions(served, sessions=600)
        watching.wait_for_output("good: ")
        scenario.log.add("action", "the first tenth have the update, without crashes")
        devices.report_sessions(taken["ios"][1], sessions=400, crashed=80)
        scenario.log.add("action", "it crashes on some iPhones")
        result = watching.wait()
    with scenario.then("it is rolled back automatically, and the command says how long that took"):
        _expect_exit(result, ROLLED_BACK, "92.00 % of 1,000 sessions without a crash")
        for warning in ("Sentry is not notified", "Sentry knows no commit", "cannot be noted"):
            expect(warning not in result.err, "Sentry and GitHub were updated", result.err)
        expect(re.search(r"is back from \w+ to .* after \d+ s", result.out), "how long it took", result.out)
    with scenario.then("every device has the earlier update"):
        back = {platform: {devices.served_update(platform, device).code} for platform, (device, _) in taken.items()}
        expect(back == first, "those that had it", back)
        expect(_codes(devices) == first, "the others", _codes(devices))


def a_rolled_back_commit_is_refused(scenario: Scenario, user: User) -> None:
    result = user.command(f"{UPDATE} --percent 10", ok=False)
    with scenario.then("the commit that was rolled back is refused"):
        _expect_exit(result, REFUSED, f"was rolled back from {CHANNEL} before")


def a_native_change_is_refused(scenario: Scenario, user: User) -> None:
    user.edit(mobile_apps.FILE, '"plugins": [', '"plugins": [\n      "expo-camera",')
    user.git("commit", "-q", "-am", "feat: take pictures")
    result = user.command(f"{UPDATE} --percent 10", ok=False)
    with scenario.then("a change of native parts is refused, with the reason and what to do"):
        for part in ("cannot go over the air on android and ios", "native settings changed", "through the stores"):
            _expect_exit(result, REFUSED, part)
    user.git("reset", "-q", "--hard", "HEAD~1")


def rollback_by_command_and_again(scenario: Scenario, user: User, devices: Devices, first: Codes) -> None:
    _change(user, "inverted")
    user.command(f"{UPDATE} --percent 100")
    device = devices.new_devices(1)[0]
    expect(devices.served_update("ios", device).code not in first["ios"], "every device has the next one")
    user.command(ROLLBACK)
    now = devices.served_update("ios", device)
    with scenario.then("every device has the earlier update, not the one that crashed"):
        expect(_codes(devices) == first, "what they had", _codes(devices))
    result = user.command(ROLLBACK)
    with scenario.then("run again, it changes nothing"):
        expect("already" in result.out, "it says so", result.text)
        expect(devices.served_update("ios", device) == now, "the same update", devices.served_update("ios", device))


def _devices_with_the_builds(scenario: Scenario, user: User) -> Devices:
    listed = user.run("eas", "build:list", "--channel", CHANNEL, "--json", "--non-interactive", cwd=user.clone / FOLDER)
    runtimes = {build["platform"].lower(): build["runtime"]["version"] for build in json.loads(listed.out)}
    expect(set(runtimes) == set(PLATFORMS), "both platforms have a build", runtimes)
    app = json.loads((user.clone / mobile_apps.FILE).read_text())["expo"]
    return Devices(world=scenario.world, channel=CHANNEL, app=app, runtimes=runtimes)


def _change(user: User, style: str) -> None:
    """JavaScript alone, committed and pushed."""
    text = (user.clone / mobile_apps.COMPONENT).read_text()
    found = re.search(rf'{BAR}(\w+)"', text)
    expect(found, f"{mobile_apps.COMPONENT} has a status bar")
    user.edit(mobile_apps.COMPONENT, found[0] if found else "", f'{BAR}{style}"')
    user.git("commit", "-q", "-am", f"fix: a status bar that is {style}")
    user.git("push", "-q", "origin", BRANCH)


def _codes(devices: Devices) -> Codes:
    asked = devices.new_devices(SAMPLE)
    return {platform: {devices.served_update(platform, device).code for device in asked} for platform in PLATFORMS}


def _expect_exit(result: CommandResult, code: int, text: str) -> None:
    expect(
        result.code == code and text in result.text, f"exit {code} and {text!r}", f"exit {result.code}: {result.text}"
    )
