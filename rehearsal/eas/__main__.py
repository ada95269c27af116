"""The program: what it was called with, and how it ends.

As the real one, run here against nothing: a wrong token is found before the command line is looked at, and both are printed on stdout,
also with --json; `Error: …` follows on stderr, and 1 is returned. An unknown command is 2.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from rehearsal.eas import VERSION, building, fingerprinting, updating, viewing
from rehearsal.eas.api import Api
from rehearsal.eas.command_line import Call, Misused, Unknown, read
from rehearsal.eas.fingerprint import UnknownSkip
from rehearsal.eas.refusal import Failed, Refused, Unreachable
from rehearsal.eas.session import Output, Session

_LOGIN = (
    "An Expo user account is required to proceed.\nEither log in with eas login or set the EXPO_TOKEN environment variable if you're "
    "using EAS CLI on CI (Learn more: https://docs.expo.dev/accounts/programmatic-access/)"
)
COMMANDS: dict[str, Callable[[Session], int]] = {
    "account:view": building.account_view,
    "project:info": building.project_info,
    "build": building.build,
    "build:list": building.build_list,
    "build:view": building.build_view,
    "build:cancel": building.build_cancel,
    "channel:list": building.channel_list,
    "channel:view": building.channel_view,
    "update": updating.update,
    "update:list": viewing.update_list,
    "update:view": viewing.update_view,
    "update:republish": updating.republish,
    "update:rollback": updating.rollback,
    "update:roll-back-to-embedded": updating.roll_back_to_embedded,
    "update:revert-update-rollout": updating.revert_rollout,
    "update:edit": updating.update_edit,
    "update:insights": viewing.update_insights,
    "fingerprint:generate": fingerprinting.generate,
    "fingerprint:compare": fingerprinting.compare,
}


def main(words: list[str]) -> int:
    """The exit code."""
    if words in (["--version"], ["-v"]):
        print(f"eas-cli/{VERSION} linux-x64 python-{platform.python_version()}")
        return 0
    try:
        name, line = read(words)
    except Unknown as error:
        print(f" ›   Error: {error}\nThe rehearsal's eas supports: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    output = Output()
    try:
        return _run(name, line, output)
    except (Refused, Unreachable) as error:
        output.say(f"\n{error}" if isinstance(error, Unreachable) else str(error))
        print("    Error: GraphQL request failed.", file=sys.stderr)
    except (Failed, Misused, UnknownSkip) as error:
        output.say(str(error))
        print(f"    Error: {name} command failed.", file=sys.stderr)
    return 1


def _run(name: str, line: Callable[[], Call], output: Output) -> int:
    token = os.environ.get("EXPO_TOKEN", "")
    api = Api(token)
    if token:
        api.ask("actor")
    session = Session(call=line(), api=api, folder=Path.cwd(), output=output)
    if not token:
        if name == "account:view":
            output.say("Not logged in")
            return 1
        output.json = name == "build" and session.call.json
        raise Failed(_LOGIN)
    return COMMANDS[name](session)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
