"""Random histories for property tests: merges, reverts, squashes, odd text, tags out of order, wrong clocks."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.release.histories import Planned


@dataclass
class Meant:
    """What a generated commit is meant to do."""

    bump: str = "none"
    reverts: int | None = None
    title: str = "none"
    """For merges of a pull request: what its title raises."""
    skip: bool = False


History = tuple[list[Planned], list[Meant], dict[str, int], int]
"""Commits, what each means, tags, the position of HEAD."""

KINDS: list[tuple[str, Meant]] = [
    ("feat: add {n}", Meant("minor")),
    ("feat(api)!: drop {n} (#{n})", Meant("major")),
    ("fix: mend {n}\n\nBREAKING CHANGE: it is gone\n", Meant("major")),
    ("fix: mend {n} (#{n})", Meant("patch")),
    ("Perf(db): speed {n}\n\nSigned-off-by: dev-1 <dev-1@example.com>", Meant("patch")),
    ("chore: tidy {n}", Meant()),
    ("docs: tell of {n}\n\n```\nBREAKING CHANGE: only an example\n```\n", Meant()),
    ("fix a thing {n}", Meant()),
    ("", Meant()),
    ("\n\n", Meant()),
    ("фикс: ünïcödé 🚀 {n}", Meant()),
    ("feat: 🚀 ünïcödé \u202e {n}\n\n\u2028BREAKING", Meant("minor")),
    ("feat: not now {n} [skip release]", Meant("minor", skip=True)),
    ("chore: several {n} (#{n})\n\n* feat: one {n}\n\nwhy\n\n* fix: two {n}\n", Meant("minor")),
    ("odd \udcff bytes {n}", Meant()),
]
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
def histories(draw: st.DrawFn) -> History:
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
        text, intent = _message(draw, number, parents, commits, {each.reverts for each in meant})
        time = 1_700_000_000 + draw(st.sampled_from([number * 60, 0, -number * 60, 7]))
        commits.append(Planned(text, parents, time, author=f"dev-{number}"))
        meant.append(intent)
    names = draw(st.lists(st.sampled_from(TAGS + OTHERS), unique=True, max_size=7))
    tags = {name: draw(st.integers(0, size - 1)) for name in names}
    return commits, meant, tags, draw(st.sampled_from([size - 1, size - 1, draw(st.integers(0, size - 1))]))


def _message(
    draw: st.DrawFn, number: int, parents: tuple[int, ...], before: list[Planned], reverted: set[int | None]
) -> tuple[str, Meant]:
    if len(parents) == 2:
        title = draw(st.sampled_from(["feat: whole {n}", "fix: whole {n}", "chore: whole {n}", "words {n}"])).replace(
            "{n}", str(number)
        )
        raised = {"feat": "minor", "fix": "patch"}.get(title.split(":")[0], "none")
        if draw(st.booleans()):
            return f"Merge pull request #{number} from techmate/topic\n\n{title}", Meant(title=raised)
        return "Merge branch 'topic' into main", Meant()
    plain = [at for at, commit in enumerate(before) if len(commit.parents) < 2 and at not in reverted]
    if plain and draw(st.integers(0, 4)) == 0:
        target = draw(st.sampled_from(plain))
        subject = before[target].message.strip().split("\n")[0]
        return f'Revert "{subject}"\n\nThis reverts commit {{{target}}}.\n', Meant(reverts=target)
    text, intent = draw(st.sampled_from(KINDS))
    return text.replace("{n}", str(number)), Meant(**vars(intent))
