"""The history of a repository: one streamed `git log`, one read of the tags, whatever the number of either."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pipelines.errors import InputError
from release.commits.dates import seconds
from release.commits.git import Git, Head
from release.commits.messages import Message, condense, from_bytes, parse

_FIELDS = "%H%x00%P%x00%ct%x00%aN%x00%aE%x00%B"
_PER_COMMIT = 6


class Text:
    """A message as it was written, a character for each byte; read when it is first asked for, which most of a long history never is."""

    __slots__ = ("_condensed", "_message", "_one_parent", "_squash_body", "_text")

    def __init__(self, raw: str, squash_body: str = "commit-messages", *, one_parent: bool = False) -> None:
        self._text, may_add = condense(raw)
        self._condensed = not may_add
        self._squash_body = squash_body
        self._one_parent = one_parent
        self._message: Message | None = None

    @property
    def message(self) -> Message:
        if self._message is None:
            self._message = parse(
                self._text, squash_body=self._squash_body, one_parent=self._one_parent, condensed=self._condensed
            )
            self._text = ""
        return self._message


class Commit(NamedTuple):
    """One commit."""

    hash: str
    parents: tuple[str, ...]
    time: int
    """When it was committed, seconds since 1970 (the author's time survives rebases and sorts nothing)."""
    author: str
    email: str
    text: Text

    @property
    def message(self) -> Message:
        return self.text.message

    @property
    def short(self) -> str:
        return self.hash[:9]


class Tag(NamedTuple):
    """A tag and the commit it leads to."""

    name: str
    commit: str


class Log(NamedTuple):
    """What one `git log` gave: commits, children before their parents."""

    commits: list[Commit]

    @property
    def ends(self) -> list[str]:
        """Parents of these commits that are not among them: where reading ended."""
        names = {commit.hash for commit in self.commits}
        return list(dict.fromkeys(name for commit in self.commits for name in commit.parents if name not in names))


def require_full(head: Head) -> None:
    """Refuse a shallow clone: a version made from part of a history is a guess. Raises InputError."""
    if head.shallow:
        raise InputError(
            "this clone is shallow: the history and tags that decide the version are not all here",
            where=str(head.git_dir),
            why="actions/checkout fetches one commit unless configured otherwise; so does `git clone --depth`",
            next_step="git fetch --unshallow --tags   (in a workflow: `fetch-depth: 0` at actions/checkout)",
        )


def read_tags(git: Git) -> list[Tag]:
    """Every tag with its commit, from one `git show-ref -d` (which reads no object for packed tags)."""
    lines = git.run("show-ref", "--tags", "-d", ok=(0, 1)).decode("utf-8", "surrogateescape").split("\n")
    end = lines[0].find(" ")
    start = end + len(" refs/tags/")
    # An annotated tag has a second line, name^{}, with the commit; it comes after and wins.
    found = {line[start:].removesuffix("^{}"): line[:end] for line in lines if line}
    return list(map(Tag._make, found.items()))


def require_tags(
    git: Git, head: Head, tags: Sequence[Tag], matches: Callable[[str], bool], commit: str
) -> tuple[list[Tag], list[str]]:
    """Refuse when the remote has release tags that this clone lacks. Asks the remote only when there is reason to doubt: no release
    tag is here, or the clone was configured to fetch none.

    Returns the tags that the remote has on `commit` itself (made there by a release, and harmless to learn), and warnings.
    Raises InputError.
    """
    told_none = git.run("config", "--get-regexp", r"^remote\..*\.tagopt$", ok=(0, 1)).decode()
    if any(matches(tag.name) for tag in tags) and "--no-tags" not in told_none:
        return [], []
    if not git.run("config", "--get", "remote.origin.url", ok=(0, 1)).strip():
        return [], []
    there = _remote_tags(git)
    if there is None:
        return [], ["the remote could not be asked for its tags: if it has releases, they are not counted here"]
    known = {tag.name for tag in tags}
    missing = [tag for tag in there if matches(tag.name) and tag.name not in known]
    elsewhere = sorted(tag.name for tag in missing if tag.commit != commit)
    if elsewhere:
        raise lacking(elsewhere, head, "the clone was made without tags")
    return missing, []


def lacking(names: Sequence[str], head: Head, why: str) -> InputError:
    """The error for release tags that the remote has and this clone has not."""
    return InputError(
        f"{len(names)} release tag(s) of the remote are missing here, such as {names[-1]}",
        where=str(head.git_dir),
        why=why,
        next_step="git fetch --tags origin",
    )


def absent(git: Git, commits: Iterable[str]) -> set[str]:
    """Those of `commits` that this clone does not have, from one `git cat-file`."""
    given = "".join(f"{name}\n" for name in commits)
    result = git.run("cat-file", "--batch-check", given=given.encode()).decode().splitlines() if given else []
    return {row.split(" ", 1)[0] for row in result if row.endswith(" missing")}


def _remote_tags(git: Git) -> list[Tag] | None:
    """The tags of the remote with their commits; None when it does not answer in ten seconds."""
    import subprocess

    process = git.start("ls-remote", "--tags", "origin")
    try:
        out, _ = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    if process.returncode != 0:
        return None
    found: dict[str, str] = {}
    for row in out.decode("utf-8", "replace").splitlines():
        target, _, name = row.partition("\trefs/tags/")
        found[name.removesuffix("^{}")] = target
    return [Tag(name, commit) for name, commit in found.items()]


def read_log(
    git: Git,
    include: str,
    exclude: Iterable[str] = (),
    *,
    squash_body: str = "commit-messages",
    seen: Callable[[int], None] | None = None,
) -> Log:
    """Commits reachable from `include` and from none of `exclude`, children before their parents.

    With `exclude` it may have some that are excluded, too: git stops looking for those by the dates of commits. `seen` is
    called now and then with how many were read.
    """
    commits: list[Commit] = []
    for name, parents, time, author, email, raw in _records(git, include, exclude):
        text = Text(raw, squash_body, one_parent=" " not in parents)
        commits.append(Commit(name, tuple(parents.split()), seconds(time), from_bytes(author), from_bytes(email), text))
        if seen is not None and not len(commits) & 1023:
            seen(len(commits))
    return Log(children_first(commits))


def common_ancestor(git: Git, commits: Sequence[str]) -> str:
    """A commit that all of `commits` descend from or are; empty when there is none, or git does not find it."""
    return git.run("merge-base", "--octopus", *commits, ok=(0, 1)).decode().partition("\n")[0]


def lineage(git: Git, tops: Iterable[str], base: str) -> list[tuple[str, ...]]:
    """Each commit that `tops` are or descend from, with its parents, children first: all that `base` does not descend from, and
    where clocks were wrong perhaps some that it does."""
    given = "".join(f"{name}\n" for name in (f"^{base}", *tops))
    result = git.run("rev-list", "--topo-order", "--parents", "--stdin", given=given.encode()).decode()
    return [tuple(row.split()) for row in result.splitlines()]


def touching(git: Git, include: str, exclude: Iterable[str], paths: Sequence[str], without: Sequence[str]) -> set[str]:
    """Ids of the commits in the range that change one of `paths` (all when empty) outside `without`, from one git process."""
    given = "".join(f"^{name}\n" for name in exclude) + include + "\n"
    specs = [f":(top){'' if path in ('.', './') else path}" for path in paths or (".",)] + [
        f":(top,exclude){path}" for path in without
    ]
    out = git.run("rev-list", "--full-history", "--stdin", "--", *specs, given=given.encode())
    return set(out.decode().split())


def _records(git: Git, include: str, exclude: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Six fields a commit, cut out of the stream, with a character for each byte."""
    given = "".join(f"^{name}\n" for name in exclude) + include + "\n"
    arguments = ("log", "-z", f"--format={_FIELDS}", "--encoding=UTF-8", "--no-show-signature", "--stdin")
    fields: list[str] = []
    carry = b""
    for piece in git.stream(*arguments, "--", given=given.encode()):
        cut = piece.rfind(b"\0")
        if cut < 0:
            carry += piece
            continue
        fields += (carry + piece[:cut]).decode("latin-1").split("\0")
        carry = piece[cut + 1 :]
        whole = len(fields) - len(fields) % _PER_COMMIT
        yield from zip(*[iter(fields[:whole])] * _PER_COMMIT, strict=True)
        del fields[:whole]


def children_first(commits: list[Commit]) -> list[Commit]:
    """The same commits with every child before its parents. git's own order by date breaks that when clocks were wrong."""
    done: set[str] = set()
    for commit in commits:
        done.add(commit.hash)
        if not done.isdisjoint(commit.parents):
            return _sorted(commits)
    return commits


def _sorted(commits: list[Commit]) -> list[Commit]:
    by_hash = {commit.hash: commit for commit in commits}
    children = dict.fromkeys(by_hash, 0)
    for commit in commits:
        for parent in commit.parents:
            if parent in children:
                children[parent] += 1
    ready = [commit for commit in reversed(commits) if children[commit.hash] == 0]
    ordered: list[Commit] = []
    while ready:
        commit = ready.pop()
        ordered.append(commit)
        for parent in reversed(commit.parents):
            if parent in children:
                children[parent] -= 1
                if children[parent] == 0:
                    ready.append(by_hash[parent])
    return ordered
