"""The log of a step as lines and foldable groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice

from markupsafe import Markup, escape

from rehearsal.github.pages import ansi
from rehearsal.runner.model import Step

MOST_LINES = 1_000
"""Of one step, the last ones; the whole log has an address of its own."""
MOST_CHARACTERS = 2_000
"""Of one line."""

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?")
_COMMAND = re.compile(r"##\[(group|endgroup|error|warning|notice|debug|command|section)\](.*)", re.DOTALL)
_TONES = {"error": "bad", "warning": "wait", "notice": "note", "debug": "faint", "command": "command"}
_WORDS = {"error": "Error: ", "warning": "Warning: ", "notice": "Notice: "}


@dataclass(frozen=True, kw_only=True)
class LogLine:
    number: int
    """From 1, in the whole log of the step."""
    at: str
    """18:00:03, UTC"""
    html: Markup
    tone: str = ""
    word: str = ""
    """`Error: ` and the like: the colour alone must not say it."""


@dataclass(kw_only=True)
class LogGroup:
    """A title that folds the lines under it."""

    title: LogLine
    lines: list[LogLine] = field(default_factory=list)

    @property
    def troubled(self) -> bool:
        """Something in it wants to be seen."""
        return any(line.tone == "bad" for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class StepLog:
    parts: Sequence[LogLine | LogGroup]
    hidden: int
    """Lines before the first one shown."""


def search(step: Step, text: str) -> list[LogLine]:
    """The lines of a step's whole log that hold a text, in any case, with it marked; the first MOST_LINES of them."""
    pattern = re.compile(re.escape(text), re.IGNORECASE)
    found = (_line(number, raw)[1] for number, raw in enumerate(step.log, start=1) if pattern.search(_plain(raw)))
    return [
        replace(line, html=_marked(pattern, _plain(step.log[line.number - 1]))) for line in islice(found, MOST_LINES)
    ]


def _plain(raw: str) -> str:
    """What is read of a line: without its time, its command and its colours."""
    text = _STAMP.sub("", raw, count=1)
    found = _COMMAND.match(text)
    return ansi.plain(_short(found[2] if found is not None else text))


def _marked(pattern: re.Pattern[str], text: str) -> Markup:
    parts, end = [], 0
    for match in pattern.finditer(text):
        parts += [escape(text[end : match.start()]), Markup("<mark>{}</mark>").format(match[0])]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def read(step: Step) -> StepLog:
    """What is shown of a step's log. Groups do not nest, as on GitHub."""
    hidden = max(0, len(step.log) - MOST_LINES)
    parts: list[LogLine | LogGroup] = []
    group: LogGroup | None = None
    for number, raw in enumerate(step.log[hidden:], start=hidden + 1):
        command, line = _line(number, raw)
        if command == "group":
            group = LogGroup(title=line)
            parts.append(group)
        elif command == "endgroup":
            group = None
        else:
            (parts if group is None else group.lines).append(line)
    return StepLog(parts=parts, hidden=hidden)


@lru_cache(maxsize=4_000)  # a page that polls has read nearly all of them a second ago
def _line(number: int, raw: str) -> tuple[str, LogLine]:
    stamp = _STAMP.match(raw)
    text = raw[stamp.end() :] if stamp is not None else raw
    at = stamp[1][11:19] if stamp is not None else ""
    found = _COMMAND.match(text)
    command, text = (found[1], found[2]) if found is not None else ("", text)
    line = LogLine(
        number=number, at=at, html=ansi.render(_short(text)), tone=_TONES.get(command, ""), word=_WORDS.get(command, "")
    )
    return command, line


@lru_cache(maxsize=4_000)
def row(step: int, line: LogLine) -> Markup:
    """A line as it stands in the page, with an address of its own. In Python, for there are thousands of them."""
    place = f"step-{step}-{line.number}"
    word = Markup('<span class="word">{}</span>').format(line.word) if line.word else ""
    return Markup(
        '<div class="line {}" id="{}"><a class="n" href="#{}" title="{}" aria-label="Line {}">{}</a>'
        '<span class="at">{}</span><span class="t">{}{}</span></div>\n'
    ).format(line.tone, place, place, line.at, line.number, line.number, line.at, word, line.html)


def found_row(step: int, line: LogLine) -> Markup:
    """A line that a search found; its number leads to it in the log of its step."""
    word = Markup('<span class="word">{}</span>').format(line.word) if line.word else ""
    return Markup(
        '<div class="line {}"><a class="n" href="?show={}#step-{}-{}" aria-label="Line {}">{}</a>'
        '<span class="at">{}</span><span class="t">{}{}</span></div>\n'
    ).format(line.tone, step, step, line.number, line.number, line.number, line.at, word, line.html)


def _short(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]} … {len(text) - MOST_CHARACTERS} more characters"


def whole(steps: Sequence[Step]) -> Iterator[str]:
    """Everything that was written, as plain text, step by step."""
    for step in steps:
        if step.log:
            yield "".join(f"{line}\n" for line in step.log)
