"""`eas fingerprint:generate` and `fingerprint:compare`."""

from __future__ import annotations

from typing import Any

from rehearsal.eas.fingerprint import fingerprint, sources
from rehearsal.eas.refusal import Failed
from rehearsal.eas.session import Session


def generate(session: Session) -> int:
    """Of the app in the folder, for one platform."""
    _, platform = session.app_id, session.call["platform"]
    session.json_from_here()
    if not platform:
        raise Failed("Platform must be specified in non-interactive mode with the --p flag")
    made = _local(session, platform)
    if session.output.json:
        session.output.result(made)
    else:
        session.output.say(f"✅ Fingerprint generated: {made['hash']}")
    return 0


def compare(session: Session) -> int:
    """Of two builds, updates or hashes; of one, with the app in the folder. 0 also where they differ."""
    call, _ = session.call, session.app_id
    session.json_from_here()
    given = [_of_build(session, one) for one in call["build-id"] or []]
    given += [_of_update(session, one) for one in call["update-id"] or []]
    given += [{"hash": one} for one in call.arguments.values()]
    if not given:
        raise Failed("Insufficent arguments provided for fingerprint comparison in non-interactive mode")
    if len(given) == 1:
        if "platform" not in given[0]:
            raise Failed(
                f'Cannot compare the local directory against the provided fingerprint hash "{given[0]["hash"]}" because the associated '
                "platform could not be determined. Ensure the fingerprint is linked to a build or update to identify the platform."
            )
        given.append(_local(session, given[0]["platform"]))
    one, other = ({name: held for name, held in each.items() if name != "platform"} for each in given[:2])
    if session.output.json:
        session.output.result({"fingerprint1": one, "fingerprint2": other})
    else:
        same = one["hash"] == other["hash"]
        session.output.say(
            "✅ Fingerprint matches" if same else f"🔄 Fingerprint differs: {one['hash']}, {other['hash']}"
        )
    return 0


def _local(session: Session, platform: str) -> dict[str, Any]:
    files = session.project.files
    found = [{"type": "contents", "id": name, "hash": digest} for name, digest in sources(files).items()]
    return {"sources": found, "hash": fingerprint(files, platform)}


def _of_build(session: Session, identifier: str) -> dict[str, Any]:
    build = session.api.ask("build", build=identifier)
    return {"hash": build["fingerprint"]["hash"], "platform": build["platform"].lower()}


def _of_update(session: Session, identifier: str) -> dict[str, Any]:
    update = session.api.ask("update", update=identifier)
    if not update["fingerprint"]:
        raise Failed(f"Fingerprint for update {identifier} was not computed.")
    return {"hash": update["fingerprint"]["hash"], "platform": update["platform"]}
