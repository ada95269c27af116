"""Verdicts and decisions in words: nothing is decided by what is written here."""

from __future__ import annotations

from release.commits.messages import Message, read_header
from release.versions.decision import Decision
from release.versions.reasons import Outcome, Reason
from release.versions.rules import BREAKING, SECURITY, ChangelogEntry, Rules
from release.versions.verdicts import Verdict


def why_verdict(verdict: Verdict, rules: Rules) -> str:
    """Why a commit counts or does not."""
    name, message = verdict.because.name, verdict.commit.message
    match verdict.because.reason:
        case Reason.UNREADABLE:
            return _unreadable(message)
        case Reason.SKIPPED:
            return "says [skip release]"
        case Reason.SKIPPED_BY_MERGE:
            return f"says [skip release] in {name}, the merge that brought it"
        case Reason.OTHER_COMPONENT:
            return f"touches nothing of {name}"
        case Reason.REVERTED:
            return f"reverted by {name[:9]}"
        case Reason.COVERED_BY_MERGE:
            return f"part of {name}, whose title counts for it"
        case Reason.MERGE_TITLE:
            return f"title of {_merge(message)}: {_why_entry(verdict.entries[0], rules)}"
        case Reason.MERGE_WITHOUT_TITLE:
            return f"merge of {_merge(message)}; {_no_title(message)}"
        case Reason.MERGE_OF_COUNTED:
            return f"merge of {_merge(message)}; its commits count themselves"
        case Reason.OWN_MESSAGE:
            return _own_message(verdict, rules)


def why_decision(decision: Decision) -> str:
    """Why a version comes next, or none."""
    prerelease = decision.prerelease.tag if decision.prerelease else ""
    match decision.outcome:
        case Outcome.NO_COMMITS:
            return f"there is no commit {_since(decision)}"
        case Outcome.NOTHING_COUNTS:
            count, since = len(decision.verdicts), _since(decision)
            if count > 1:
                return f"none of the {count} commit(s) {since} counts"
            return f"the one commit {since} does not count"
        case Outcome.FIRST_VERSION:
            return "there is no release yet: this is the first version"
        case Outcome.CHANGES:
            return _changes(decision)
        case Outcome.PRERELEASE_IS_OUT:
            return f"its pre-release {prerelease} is out already"
        case Outcome.CHANNEL_HAS_ALL:
            return f"nothing that counts came after {prerelease}"


def _own_message(verdict: Verdict, rules: Rules) -> str:
    entries, reverts = verdict.entries, verdict.because.reverts
    reasons = list(dict.fromkeys(_why_entry(entry, rules) for entry in entries))
    if reverts:
        one = len(reverts) == 1
        reverted = f"reverts {', '.join(name[:9] for name in reverts)}"
        left_out = "is left out" if one else "are left out"
        all_of_them = "both are" if one else "all are"
        reasons.insert(0, f"{reverted}, which {left_out}" if entries else f"{reverted}; {all_of_them} left out")
    return "; ".join(reasons)


def _unreadable(message: Message) -> str:
    if not message.subject:
        return "has no message"
    nearly = read_header(message.subject)[1] if message.warnings else ()
    return nearly[0] if nearly else "its first line is no Conventional Commit"


def _merge(message: Message) -> str:
    return f"#{message.merge.pull}" if message.merge and message.merge.pull else "a branch"


def _no_title(message: Message) -> str:
    title = message.merge.title if message.merge else ""
    return f"its title {title!r} is no Conventional Commit" if title else "it has no title of its own"


def _why_entry(entry: ChangelogEntry, rules: Rules) -> str:
    kind = entry.header.type
    if not kind:
        return _why_footer(entry)
    if entry.bump == "major":
        return f"{kind} with a breaking change raises major"
    if entry.bump != "none":
        return f"{kind} raises {entry.bump}"
    return (
        f"{kind} raises nothing" if kind in rules.types else f"type {kind!r} is not in the rules{_meant(kind, rules)}"
    )


def _why_footer(entry: ChangelogEntry) -> str:
    for group, name in ((BREAKING, "BREAKING CHANGE"), (SECURITY, "Security")):
        if entry.group == group:
            return f"its {name} footer raises {entry.bump}, though its first line is no Conventional Commit"
    return f"any commit raises {entry.bump}"


def _meant(kind: str, rules: Rules) -> str:
    import difflib

    near = difflib.get_close_matches(kind, rules.types, n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _since(decision: Decision) -> str:
    return f"since {decision.current.tag}" if decision.current else "in this history"


def _changes(decision: Decision) -> str:
    bump = decision.bump
    deciding = [entry for verdict in decision.verdicts for entry in verdict.entries if entry.bump == bump]
    first, header = deciding[-1], deciding[-1].header
    more = f" and {len(deciding) - 1} more" if len(deciding) > 1 else ""
    title = f"{header.type}: {header.description}" if header.type else header.description
    current = decision.current
    early = " before 1.0.0," if current and current.version.major == 0 and bump in ("major", "minor") else ""
    return f"{bump} change{early} {_since(decision)}: {first.commit.short} {title!r}{more}"
