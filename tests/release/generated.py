"""Random histories for property tests: merges, reverts, squashes, odd text, tags out of order, wrong clocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.release.histories import Planned


@dataclass
class Piece:
    """What a commit listed in a squash is meant to do."""

    subject: str
    bump: str = "none"
    skip: bool = False
    breaks: bool = False
    """It has a BREAKING CHANGE footer."""
    reverts: int | None = None
    """A commit of the history that it takes back."""
    undoes: int | None = None
    """An earlier piece of the same squash that it takes back."""


@dataclass
class Meant:
    """What a generated commit is meant to do."""

    bump: str = "none"
    header: str = ""
    """What its first line alone raises, when it is put back by a second revert; empty: the same."""
    reverts: int | None = None
    title: str = "none"
    """For merges: what its title, or a footer below it, raises."""
    skip: bool = False
    pieces: tuple[Piece, ...] = ()


History = tuple[list[Planned], list[Meant], dict[str, int], int]
"""Commits, what each means, tags, the position of HEAD."""

KINDS: list[tuple[str, Meant]] = [
    ("feat: add {n}", Meant("minor")),
    ("feat(api)!: drop {n} (#{n})", Meant("major")),
    ("fix: fix {n}\n\nBREAKING CHANGE: it is gone\n", Meant("major", "patch")),
    ("fix: fix {n} (#{n})", Meant("patch")),
    ("Perf(db): speed {n}\n\nSigned-off-by: dev-1 <dev-1@example.com>", Meant("patch")),
    ("chore: tidy {n}", Meant()),
    ("chore: watch {n}\n\nCVE: CVE-2026-{n}", Meant("patch", "none")),
    ("docs: tell of {n}\n\n```\nBREAKING CHANGE: only an example\n```\n", Meant()),
    ("fix a thing {n}", Meant("none", "patch")),
    ("Rework {n} (#{n})\n\nBREAKING CHANGE: it is gone", Meant("major", "patch")),
    ("feat!(api): nearly {n}", Meant("none", "patch")),
    ("\N{BUG} fix: nearly {n}", Meant("none", "patch")),
    ("fix: fix {n}\n\n**BREAKING CHANGE**: nearly", Meant("patch")),
    ("", Meant("none", "patch")),
    ("\n\n", Meant("none", "patch")),
    ("фикс: ünïcödé 🚀 {n}", Meant()),
    ("feat: 🚀 ünïcödé \u202e {n}\n\n\u2028BREAKING", Meant("minor")),
    ("feat: not now {n} [skip release]", Meant("minor", skip=True)),
    ("odd \udcff bytes {n}", Meant("none", "patch")),
]
TITLES = {"feat": "minor", "fix": "patch", "chore": "none", "docs": "none", "perf!": "major"}
TAGS = [
    "v0.1.0",
    "v0.9.9",
    "v1.0.0",
    "v1.1.0",
    "v1.10.0",
    "v1.2.0",
    "v1.2.1",
    "v2.0.0",
    "v2.0.0-rc.1",
    "v1.3.0-beta.2",
    "v1.3.0",
]
OTHERS = ["v1", "nightly", "mobile-v9.0.0", "v1.2.3.4", "v01.2.3"]


@st.composite
def histories(draw: st.DrawFn, *, many_tags: bool = False) -> History:
    size = draw(st.integers(1, 22))
    commits: list[Planned] = []
    meant: list[Meant] = []
    for number in range(size):
        parents: tuple[int, ...] = ()
        if number and draw(st.integers(0, 30)):
            parents = (draw(st.integers(max(0, number - 3), number - 1)),)
            other = draw(st.integers(0, number - 1))
            if draw(st.booleans()) and other not in parents:
                parents = (*parents, other)
        text, intent = _message(draw, number, parents, commits, meant)
        time = 1_700_000_000 + draw(st.sampled_from([number * 60, 0, -number * 60, 7]))
        commits.append(Planned(text, parents, time, author=f"dev-{number}"))
        meant.append(intent)
    names = draw(st.lists(st.sampled_from(TAGS + OTHERS), unique=True, max_size=7))
    # Mostly early: what comes after the last release is what is decided from.
    latest = draw(st.sampled_from([size // 4, size // 4, size - 1]))
    tags = {name: draw(st.integers(0, latest)) for name in names}
    if many_tags and draw(st.integers(0, 19)) == 13:
        count, step = draw(st.integers(100, 400)), draw(st.integers(0, 9))
        tags.update({f"v0.{2 + at // 20}.{at % 20}": at * step % (latest + 1) for at in range(count)})
    return commits, meant, tags, draw(st.sampled_from([size - 1, size - 1, draw(st.integers(0, size - 1))]))


def _message(
    draw: st.DrawFn, number: int, parents: tuple[int, ...], before: list[Planned], meant: list[Meant]
) -> tuple[str, Meant]:
    if len(parents) == 2:
        return _merge(draw, number)
    reverted = {intent.reverts for intent in meant} | {piece.reverts for intent in meant for piece in intent.pieces}
    plain = [at for at, commit in enumerate(before) if len(commit.parents) < 2 and at not in reverted]
    kind = draw(st.integers(0, 9))
    if plain and kind < 2:
        target = draw(st.sampled_from(plain))
        return f'Revert "{_subject(before[target])}"\n\nThis reverts commit {{{target}}}.\n', Meant(reverts=target)
    if plain and kind == 2:
        target = draw(st.sampled_from(plain))
        says = draw(st.sampled_from(["See also. This reverts commit {t} partially", "This reverts commit {t}."]))
        return f"feat: no revert {number}\n\n{says.replace('{t}', f'{{{target}}}')}", Meant("minor")
    if kind in (3, 4, 5):
        return _squash(draw, number, plain, before)
    text, intent = draw(st.sampled_from(KINDS))
    return text.replace("{n}", str(number)), replace(intent)


def _subject(commit: Planned) -> str:
    return commit.message.strip().split("\n")[0]


def _merge(draw: st.DrawFn, number: int) -> tuple[str, Meant]:
    kind = draw(st.sampled_from(["feat: ", "fix: ", "chore: ", "words "]))
    raised = TITLES.get(kind[:-2], "none")
    skip = draw(st.integers(0, 9)) == 0
    breaks = draw(st.integers(0, 9)) == 0
    mark, footer = " [skip release]" if skip else "", "\n\nBREAKING CHANGE: gone" if breaks else ""
    if draw(st.booleans()):
        text = f"Merge pull request #{number} from techmate/topic\n\n{kind}whole {number}{mark}{footer}"
        return text, Meant(title="major" if breaks else raised, skip=skip)
    return f"Merge branch 'topic' into main{mark}{footer}", Meant(title="major" if breaks else "none", skip=skip)


def _squash(draw: st.DrawFn, number: int, plain: list[int], before: list[Planned]) -> tuple[str, Meant]:
    """Commits listed by GitHub (a gap between all of them, bodies below) or by hand (neither), and footers below the list."""
    title = draw(st.sampled_from([*TITLES, ""]))
    bump = TITLES.get(title, "none")
    by_hand = draw(st.integers(0, 3)) == 0
    pieces: list[Piece] = []
    texts: list[str] = []
    for place in range(draw(st.integers(1, 5))):
        pieces.append(_piece(draw, f"{number}.{place}", pieces, {} if by_hand else {at: before[at] for at in plain}))
        texts.append(f"* {pieces[-1].subject}")
        if pieces[-1].reverts is not None:
            texts[-1] += f"\n\nThis reverts commit {{{pieces[-1].reverts}}}."
        if not by_hand and draw(st.integers(0, 5)) == 0:
            texts[-1] += "\n\nwhy\n\nBREAKING CHANGE: gone"
            pieces[-1].breaks = True
    below = draw(
        st.sampled_from(
            ["", "", "\n\nBREAKING CHANGE: gone", "\n\nUpgrade: run it", "\n\n---------\n\nBREAKING CHANGE: gone"]
        )
    )
    if "BREAKING" in below:
        if "---" in below or (by_hand and len(pieces) > 1):
            bump = "major"
        else:
            pieces[-1].breaks = True
    if any(piece.breaks for piece in pieces if piece.subject.startswith("wip")):
        bump = "major"  # what has no type cannot keep a footer of its own
    text = f"{title}: whole {number} (#{number})" if title else f"Whole {number} (#{number})"
    rest = ("\n" if by_hand else "\n\n").join(texts)
    return f"{text}\n\n{rest}{below}", Meant(bump, TITLES.get(title, "patch"), pieces=tuple(pieces))


def _piece(draw: st.DrawFn, name: str, pieces: list[Piece], outside: dict[int, Planned]) -> Piece:
    undone = {piece.undoes for piece in pieces}
    taken = {piece.reverts for piece in pieces}
    inside = [at for at in range(len(pieces)) if at not in undone]
    free = [at for at in outside if at not in taken]
    kind = draw(st.integers(0, 9))
    if kind < 2 and inside:
        at = draw(st.sampled_from(inside))
        subject = pieces[at].subject
        again = subject.startswith("Revert") and draw(st.booleans())
        return Piece(f"Reapply{subject[6:]}" if again else f'Revert "{subject}"', undoes=at)
    if kind == 2 and free:
        at = draw(st.sampled_from(free))
        return Piece(f'Revert "{_subject(outside[at])}"', reverts=at)
    header, bump = draw(
        st.sampled_from([("feat: ", "minor"), ("fix(api): ", "patch"), ("chore: ", "none"), ("wip ", "none")])
    )
    skip = draw(st.integers(0, 9)) == 0
    return Piece(f"{header}{name}{' [skip release]' if skip else ''}", bump, skip)
