"""Generated git repositories with real trees, for measuring the release engine: made in one `git fast-import`.

Messages are as long as those of projects that squash pull requests: a header, and mostly some paragraphs and trailers. Every third is a
dependency bot's, which puts the whole text of its pull request below. One bot writes Markdown: a table, upstream's release notes full of
links, check boxes, emoji. The other writes HTML: release notes, changelog and commits of upstream, folded and quoted.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

SUBJECTS = (
    ("feat", 22), ("fix", 34), ("perf", 4), ("chore", 14), ("docs", 8), ("refactor", 7), ("test", 6), ("ci", 3), ("build", 2),
)  # fmt: skip
SCOPES = ("", "", "", "api", "web", "mobile", "deps", "auth", "search", "queue")
WORDS = [
    "note",
    "queue",
    "cache",
    "search",
    "session",
    "upload",
    "index",
    "token",
    "page",
    "limit",
    "retry",
    "login",
    "export",
    "filter",
    "order",
    "digest",
    "window",
]
PARAGRAPHS = (
    "The {a} was read twice when the {b} had moved in between, so the second {c} won and the first was lost.\n"
    "It is read once now, and kept until the {d} ends; nothing else asks for it in the meantime.\n",
    "Measured on the {a} of last week: 40 ms instead of 310 ms at the median, 90 ms instead of 2.1 s for the slowest\n"
    "of a hundred. The {b} takes 12 MB more, which is less than one {c} did before.\n",
    "Before, whoever opened a {a} without a {b} saw an empty page. The {c} now says what is missing and how to get it,\n"
    "in the words of docs/{d}.md. Tests cover the three ways to come here.\n",
    "* the {a} is checked before the {b}\n* the {c} is closed in every case\n* the {d} can be told apart in the log\n",
)
TRAILERS = "Co-authored-by: dev-7 <dev-7@example.com>\nReviewed-by: dev-3 <dev-3@example.com>\nSigned-off-by: dev-1 <dev-1@example.com>\n"
PACKAGES = (
    "acorn-table", "brace-router", "colour-scale", "date-span", "edge-cache", "form-state", "http-pool", "json-lines",
    "query-plan", "zip-walk",
)  # fmt: skip
UPSTREAM = (
    "fix: close the {a} when its {b} is dropped", "feat: read a {a} from a {b}", "docs: say what a {a} is", "chore(deps): raise {b}",
    "perf: walk the {a} once", "fix(security): check the {b} of a {a} (CVE-2026-{n})", "Revert \"feat: keep the {a} open\"",
)  # fmt: skip
CHOICES = (
    "\U0001f4c5 **Schedule**: in every time zone, at any time. **Merging**: by a person, once the checks are green.\n",
    "\u267b **Rebasing**: whenever the branch has conflicts, or when the box below is ticked.\n",
    "\U0001f515 **Ignore**: close this pull request, and there will be no more about this version.\n",
)


@dataclass(frozen=True)
class Shape:
    """How large a repository is made."""

    commits: int
    tags: int
    files: int = 1200
    merge_every: int = 9
    seed: int = 7


SMALL = Shape(commits=40, tags=3, files=40)
MEDIUM = Shape(commits=5_000, tags=300)
LARGE = Shape(commits=30_000, tags=12_000)


def make(folder: Path, shape: Shape) -> Path:
    """Make the repository in `folder` (created); its branch is main, its history packed."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    process = subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet", "--done"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    for block in _stream(shape):
        process.stdin.write(block)
    process.stdin.close()
    if process.wait() != 0:
        raise RuntimeError("git fast-import failed")
    for command in (["pack-refs", "--all"], ["checkout", "-q", "main"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def _stream(shape: Shape):  # type: ignore[no-untyped-def]
    rng = random.Random(shape.seed)  # noqa: S311 - made-up data, the same every time
    paths = [f"src/part{n % 30:02}/group{n % 7}/file{n:04}.py" for n in range(shape.files)]
    tag_at = _tagged(shape)
    yield _commit("main", 1, "chore: begin", 1_500_000_000, None, None, [(path, f"# {path}\n") for path in paths])
    mark, version = 1, [0, 1, 0]
    while mark < shape.commits:
        if mark % shape.merge_every == 0 and mark + 2 < shape.commits:
            yield _side_branch(rng, mark, paths)
            mark += 2
        else:
            yield _commit("main", mark + 1, _message(rng, mark), _when(mark), mark, None, [_edit(rng, paths, mark)])
            mark += 1
        while tag_at and tag_at[0] <= mark:
            tag_at.pop(0)
            _raise(rng, version)
            name = "v" + ".".join(map(str, version))
            yield f"reset refs/tags/{name}\nfrom :{mark}\n\n".encode()
    yield b"done\n"


def _tagged(shape: Shape) -> list[int]:
    """Marks after which a tag is made: spread evenly, none on the last fifty commits."""
    last = max(2, shape.commits - 50)
    return sorted({2 + (last - 2) * n // shape.tags for n in range(shape.tags)})


def _raise(rng: random.Random, version: list[int]) -> None:
    part = rng.choices((0, 1, 2), weights=(1, 30, 69))[0]
    version[part] += 1
    version[part + 1 :] = [0] * (2 - part)


def _side_branch(rng: random.Random, mark: int, paths: list[str]) -> bytes:
    """A commit on a branch, merged back by a merge commit."""
    side, merge = mark + 1, mark + 2
    first = _commit("side", side, _message(rng, mark), _when(mark), mark, None, [_edit(rng, paths, mark)])
    title = f"Merge pull request #{mark} from techmate/topic-{mark}\n\n{_message(rng, mark).splitlines()[0]}"
    return first + _commit("main", merge, title, _when(mark + 1), mark, side, [_edit(rng, paths, mark + 1)])


def _edit(rng: random.Random, paths: list[str], mark: int) -> tuple[str, str]:
    path = rng.choice(paths)
    return path, f"# {path}\nrevision = {mark}\n"


def _message(rng: random.Random, mark: int) -> str:
    if rng.random() < 0.33:
        return _dependency_update(rng, mark) if rng.random() < 0.6 else _html_update(rng, mark)
    kind = rng.choices([t for t, _ in SUBJECTS], weights=[w for _, w in SUBJECTS])[0]
    scope = rng.choice(SCOPES)
    words = rng.sample(WORDS, 4)
    head = f"{kind}{f'({scope})' if scope else ''}: keep the {words[0]} of a {words[1]} in its {words[2]}"
    if rng.random() < 0.8:
        head += f" (#{mark})"
    if rng.random() < 0.25:
        return head
    chosen = rng.sample(PARAGRAPHS, rng.randint(1, len(PARAGRAPHS)))
    text = "\n".join([head, "", *(part.format(**dict(zip("abcd", words, strict=True))) for part in chosen)])
    if rng.random() < 0.01:
        text += f"\nBREAKING CHANGE: the {words[3]} must be given by name\n"
    return text + (f"\n{TRAILERS}" if rng.random() < 0.5 else "")


def _dependency_update(rng: random.Random, mark: int) -> str:
    """2 to 9 KB: one package or several, what each of their versions brought, and how to tell the bot what to do."""
    names = rng.sample(PACKAGES, rng.choice((1, 1, 2, 3)))
    old = [f"{rng.randint(1, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}" for _ in names]
    new = [f"{version.rpartition('.')[0]}.{rng.randint(10, 40)}" for version in old]
    text = [f"{rng.choice(('chore', 'fix', 'build'))}(deps): update {' and '.join(names)} to {new[0]} (#{mark})", ""]
    text += ["This pull request has these updates:", "", "| Package | Change | Age | Confidence |", "|---|---|---|---|"]
    for name, before, after in zip(names, old, new, strict=True):
        site, badge = f"https://github.com/example/{name}", f"https://badges.example/{name}/{after}"
        text.append(
            f"| [{name}]({site}) ([source]({site}/tree/HEAD/packages/{name})) "
            f"| [`{before}` -> `{after}`]({site}/compare/v{before}...v{after}) "
            f"| [![age]({badge}/age?slim=true)](https://docs.example/age) "
            f"| [![confidence]({badge}/confidence?slim=true)](https://docs.example/confidence) |"
        )
    text += ["", "---", "", "### Release notes", ""]
    for name, before, after in zip(names, old, new, strict=True):
        text += _upstream(rng, name, before, after)
    text += ["---", "", "### Configuration", "", *CHOICES, "---", ""]
    text += [f"<!--bot-state:{rng.randbytes(120).hex()}-->", ""]
    text += [f" - [ ] <!-- rebase {mark} -->Tick this box to have the branch rebased", ""]
    text += [
        f"This text was written by a bot; its log is [here](https://bots.example/logs/techmate/platform/{mark}).",
        "",
    ]
    return "\n".join([*text, "Signed-off-by: update-bot[bot] <7+update-bot[bot]@users.noreply.github.com>", ""])


def _html_update(rng: random.Random, mark: int) -> str:
    """The same from a bot that quotes upstream as HTML, with a machine's summary and trailers below."""
    name = rng.choice(PACKAGES)
    minor = rng.randint(0, 30)
    before, after = f"1.{minor}.{rng.randint(0, 9)}", f"1.{minor + 1}.0"
    site = f"https://github.com/example/{name}"
    text = [f"build(deps): bump {name} from {before} to {after} (#{mark})", ""]
    text.append(f"Bumps [{name}]({site}) from {before} to {after}.")
    for what in ("Release notes", "Changelog", "Commits"):
        text += ["<details>", f"<summary>{what}</summary>"]
        text += [
            f'<p><em>Sourced from <a href="{site}/releases">{name}\'s {what.lower()}</a>.</em></p>',
            "<blockquote>",
        ]
        text += [f"<h2>{after}</h2>", "<ul>", *(_html_item(rng, site) for _ in range(rng.randint(3, 14))), "</ul>"]
        text += [
            "</blockquote>",
            f'<p>See the <a href="{site}/compare/v{before}...v{after}">full diff</a></p>',
            "</details>",
        ]
    text += [
        "<br />",
        "",
        "---",
        "updated-dependencies:",
        f"- dependency-name: {name}",
        f"  dependency-version: {after}",
    ]
    text += ["  dependency-type: direct:production", "  update-type: version-update:semver-minor", "...", ""]
    bot = "update-bot[bot] <7+update-bot[bot]@users.noreply.github.com>"
    return "\n".join([*text, f"Signed-off-by: {bot}", f"Co-authored-by: {bot}", ""])


def _html_item(rng: random.Random, site: str) -> str:
    a, b = rng.sample(WORDS, 2)
    said = rng.choice(UPSTREAM).format(a=a, b=b, n=rng.randint(1000, 9999))
    commit, pull = f"{rng.getrandbits(160):040x}", rng.randint(1, 4000)
    return (
        f'<li><a href="{site}/commit/{commit}"><code>{commit[:7]}</code></a> {said} '
        f'(<a href="https://redirect.example/{site[8:]}/issues/{pull}">#{pull}</a>)</li>'
    )


def _upstream(rng: random.Random, name: str, before: str, after: str) -> list[str]:
    """The release notes of a package, folded: commits in one version's, pull requests in another's."""
    site = f"https://github.com/example/{name}"
    text = ["<details>", f"<summary>example/{name} ({name})</summary>", ""]
    for step in range(rng.randint(1, 4)):
        version = f"{after}-{step}" if step else after
        text += [f"### [`v{version}`]({site}/blob/HEAD/CHANGELOG.md#{version})", ""]
        text += [f"[Compare]({site}/compare/v{before}...v{version})", "", "##### Features and bug fixes", ""]
        line = rng.choice((_upstream_commit, _upstream_pull))
        text += [line(rng, site) for _ in range(rng.randint(2, 8))]
        if rng.random() < 0.1:
            text += [
                "",
                "##### \u26a0 BREAKING CHANGES",
                "",
                "* **{}:** a {} has no default".format(*rng.sample(WORDS, 2)),
            ]
        text.append("")
    return [*text, "</details>", ""]


def _upstream_commit(rng: random.Random, site: str) -> str:
    a, b = rng.sample(WORDS, 2)
    message = rng.choice(UPSTREAM).format(a=a, b=b, n=rng.randint(1000, 9999))
    commit, pull = f"{rng.getrandbits(160):040x}", rng.randint(1, 4000)
    return f"- {message} ([#{pull}]({site}/issues/{pull})) ([{commit[:7]}]({site}/commit/{commit}))"


def _upstream_pull(rng: random.Random, site: str) -> str:
    pull, author = rng.randint(1, 4000), f"dev-{rng.randint(1, 40)}"
    message = "Close the {} of a {}".format(*rng.sample(WORDS, 2))
    return f"* {message} by [@{author}](https://github.com/{author}) in [#{pull}]({site}/pull/{pull})"


def _when(mark: int) -> int:
    return 1_500_000_000 + mark * 3600


def _commit(
    branch: str,
    mark: int,
    message: str,
    when: int,
    parent: int | None,
    merged: int | None,
    edits: list[tuple[str, str]],
) -> bytes:
    author = f"dev-{mark % 40} <dev-{mark % 40}@example.com> {when} +0000"
    text = message.encode()
    parts = [
        f"commit refs/heads/{branch}\nmark :{mark}\nauthor {author}\ncommitter {author}\ndata {len(text)}\n".encode(),
        text,
    ]
    parts.append(b"\n")
    parts += [f"from :{parent}\n".encode()] if parent else []
    parts += [f"merge :{merged}\n".encode()] if merged else []
    for path, content in edits:
        body = content.encode()
        parts.append(f"M 100644 inline {path}\ndata {len(body)}\n".encode() + body + b"\n")
    return b"".join(parts) + b"\n"
