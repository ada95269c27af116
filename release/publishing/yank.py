"""Withdrawing a release: everybody who looks at it is notified why and what to use instead. Nothing is deleted.

Source: docs.github.com/rest/releases/releases#update-a-release; notes of an immutable release stay editable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.errors import InputError
from release.changelog.markdown import code, escape
from release.publishing.forge import Forge, ForgeRelease
from release.publishing.verify import highest_not_withdrawn
from release.versions.tags import TagFormat
from release.versions.withdrawals import WITHDRAWN


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """What a withdrawal did, or found done."""

    entry: ForgeRelease
    instead: str
    """Tag to use instead; empty when there is none."""
    latest: str
    """Tag that is `latest` now; empty when none is."""
    done: tuple[str, ...]


def withdraw(
    forge: Forge,
    tag: str,
    tag_format: TagFormat,
    *,
    reason: str,
    instead: str = "",
    leads: bool = True,
    today: str,
    say: Callable[[str], None],
) -> Withdrawal:
    """Mark a release as withdrawn. Asked again it changes nothing but what is missing. Raises InputError."""
    if not reason.strip():
        raise InputError(
            "a release is not withdrawn without a reason",
            where="--reason",
            why="it is all that its users are shown",
            next_step="say what is wrong with it: --reason 'search returns notes of other users'",
        )
    entry = forge.published(tag)
    if entry is None:
        raise InputError(f"no release {tag} is published", where=tag, next_step="gh release list shows what is")
    others = [each for each in forge.releases() if each.tag != tag]
    use = _instead(others, tag, instead, tag_format)
    done: list[str] = []
    if WITHDRAWN not in entry.body:
        say(f"mark {tag} as withdrawn")
        changes = {
            "body": f"{_banner(reason, use, today)}\n\n{entry.body}",
            "name": f"{entry.name or tag} (withdrawn)",
            # Anyone who asks for the latest release, or shows full releases only, must not meet it.
            "prerelease": True,
            "make_latest": "false",
        }
        entry = forge.edit(entry.id, changes)
        done.append(f"marked {tag} as withdrawn")
    right = highest_not_withdrawn(others, tag_format) if leads else None
    now = forge.latest()
    if right is not None and (now is None or now.tag != right.tag):
        say(f"make {right.tag} the latest release")
        forge.edit(right.id, {"make_latest": "true"})
        done.append(f"made {right.tag} the latest release")
    return Withdrawal(entry=entry, instead=use, latest=right.tag if right else "", done=tuple(done))


def _instead(others: list[ForgeRelease], tag: str, given: str, tag_format: TagFormat) -> str:
    """What to use instead: the option, else the highest release not withdrawn of the same major version, else of all."""
    not_withdrawn = [each for each in others if WITHDRAWN not in each.body]
    if given:
        if all(each.tag != given for each in not_withdrawn):
            raise InputError(
                f"{given} is no release that stands",
                where="--instead",
                next_step="name one that is published and not withdrawn",
            )
        return given
    mine = tag_format.version(tag)
    same = [each for each in not_withdrawn if (v := tag_format.version(each.tag)) and mine and v.major == mine.major]
    best = highest_not_withdrawn(same, tag_format) or highest_not_withdrawn(not_withdrawn, tag_format)
    return best.tag if best else ""


def _banner(reason: str, instead: str, today: str) -> str:
    use = f"Use {code(instead)} instead." if instead else "There is no release to use instead yet."
    return f"{WITHDRAWN}\n> [!CAUTION]\n> **Withdrawn on {today}:** {escape(reason)}\n> {use}"
