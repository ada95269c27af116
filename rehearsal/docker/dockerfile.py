"""A Dockerfile, taken apart: https://docs.docker.com/reference/dockerfile/. What is not supported is refused with its line."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass

from rehearsal.docker.refusal import Refused

SUPPORTED = ("FROM", "WORKDIR", "COPY", "ENV", "EXPOSE", "USER", "LABEL", "CMD", "ENTRYPOINT")
_WHY = {
    "RUN": "it needs the base image's own system, which is not here. Make before the build what it would make, and COPY that",
    "ADD": "use COPY; what ADD fetches or unpacks is not here",
    "ARG": "write the value where it is used",
}
_DIRECTIVE = re.compile(r"#\s*([A-Za-z]+)\s*=\s*(.+?)\s*")
_SYNTAX = re.compile(r"docker/dockerfile:1(\.\d+)*(@sha256:[0-9a-f]{64})?")
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S*))?(?:\s+|$)")


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction: `word` in capitals, `flags` by name, `text` the rest of it on one line."""

    line: int
    word: str
    flags: dict[str, str]
    text: str

    def refused(self, why: str) -> Refused:
        return Refused(f"Dockerfile:{self.line}: {self.word} {self.text}".rstrip() + f": {why}")

    def words(self) -> list[str]:
        """The text by words, quotes taken away; or the strings of its JSON form. Raises Refused."""
        if self.text.startswith("["):
            return self.strings()
        self.require_no_variables()
        try:
            return shlex.split(self.text)
        except ValueError as error:
            raise self.refused(f"its quotes do not close ({error})") from error

    def strings(self) -> list[str]:
        """The exec form, a JSON list of strings. Raises Refused for the shell form."""
        try:
            found = json.loads(self.text)
        except ValueError:
            found = None
        if not isinstance(found, list) or not found or not all(isinstance(item, str) for item in found):
            raise self.refused(
                'only the exec form is supported, as ["node", "server.js"]: there is no shell of the image'
            )
        return found

    def pairs(self) -> dict[str, str]:
        """key=value … Raises Refused for the form without `=`."""
        words = self.words()
        if not words or not all("=" in word.lstrip("=") for word in words):
            raise self.refused("only the form key=value is supported")
        return dict(word.split("=", 1) for word in words)

    def require_no_variables(self) -> None:
        if "$" in self.text:
            raise self.refused("variables are not supported: write the value")


def read(text: str) -> list[Instruction]:
    """The instructions of one stage, FROM first. Raises Refused."""
    _check_directives(text)
    instructions = [_instruction(line, joined) for line, joined in _joined(text)]
    if not instructions or instructions[0].word != "FROM":
        raise Refused("Dockerfile:1: it does not begin with FROM")
    for later in instructions[1:]:
        if later.word == "FROM":
            raise later.refused("one stage is supported: what an earlier one would build is not built here")
    return instructions


def _check_directives(text: str) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None:
            return
        name, value = match[1].lower(), match[2]
        if name in ("escape", "check") or (name == "syntax" and not _SYNTAX.fullmatch(value)):
            raise Refused(f"Dockerfile:{number}: # {name}={value}: this parser directive is not supported")


def _joined(text: str) -> list[tuple[int, str]]:
    """(number of the first line, instruction) with continued lines put together and comments left out."""
    found: list[tuple[int, str]] = []
    open_line = 0
    parts: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("#") or not bare:
            continue
        open_line = open_line or number
        parts.append(bare.removesuffix("\\").strip())
        if not bare.endswith("\\"):
            found.append((open_line, " ".join(parts)))
            open_line, parts = 0, []
    if parts:
        raise Refused(f"Dockerfile:{open_line}: the last line is continued, and nothing follows")
    return found


def _instruction(line: int, joined: str) -> Instruction:
    word, _, rest = joined.partition(" ")
    word, rest = word.upper(), rest.strip()
    flags: dict[str, str] = {}
    while word not in ("CMD", "ENTRYPOINT") and (match := _FLAG.match(rest)):
        flags[match[1]] = match[2] or ""
        rest = rest[match.end() :]
    found = Instruction(line=line, word=word, flags=flags, text=rest)
    if word not in SUPPORTED:
        raise found.refused(f"not supported in a rehearsal: {_WHY.get(word, 'it is none of ' + ', '.join(SUPPORTED))}")
    if not rest:
        raise found.refused("it says nothing")
    if "<<" in rest and word == "COPY":
        raise found.refused("here-documents are not supported")
    return found
