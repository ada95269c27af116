"""The version of a project in a file that no key is named for: where it stands in source code, build files and plain text.

Such files hold other versions, too: of Python, of dependencies, of a parent. Only a place that says what it is counts; where none does,
or several do, the caller refuses.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

_NUMBER = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_WHOLE = re.compile(_NUMBER)
_PLAIN = re.compile(rf"(?<![\w.])v?({_NUMBER})(?!\w|\.\w)")
_NAMES = frozenset(["__version__", "version", "versionname", "version_name", "app_version", "project_version"])
# `version = "1.2.3"`, `spec.version = '1.2.3'`, `const Version = "1.2.3"`, `versionName "1.2.3"`, `#define VERSION "1.2.3"`
_ASSIGNED = re.compile(
    r"(?m)^[ \t]*(?:(?:export|const|let|var|val|def|final|public|private|static|string|String|set|#define|LABEL)[ \t(]+){0,5}"
    rf"[\"']?(?:\w+\.)?(?P<name>\w+)[\"']?(?:[ \t]*(?::=|=|:)[ \t]*|[ \t]+)(?P<quote>[\"']?)v?(?P<number>{_NUMBER})(?P=quote)(?![\w.])"
)
_CMAKE = re.compile(rf"\bproject[ \t]*\([^()]*?\bVERSION[ \t\n]+({_NUMBER})(?![\w.])", re.IGNORECASE)
_TAG = re.compile(r"<!--|<!\[CDATA\[|<\?|<!|<(?P<close>/?)(?P<name>[\w:.-]++)[^<>]*?(?P<empty>/?)>")
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>", "<!": ">"}
_XML = {"pom.xml": ("project", "version"), ".csproj": ("Project", "PropertyGroup", "Version")}
_SOURCES = frozenset([
    ".c", ".cc", ".cfg", ".cpp", ".cs", ".dart", ".ex", ".exs", ".gemspec", ".go", ".gradle", ".h", ".hpp", ".ini", ".java", ".js",
    ".kt", ".kts", ".m", ".mjs", ".php", ".pl", ".properties", ".rb", ".rs", ".sbt", ".scala", ".sh", ".swift", ".ts", ".tsx",
])  # fmt: skip
"""Where a number that nothing names is of something else."""

Span = tuple[int, int]
"""Where a version stands in a text: from, to."""


def version_spans(path: str, text: str) -> list[Span]:
    """Where the project's own version stands; several where the file does not say which it is."""
    name, suffix = PurePosixPath(path).name, PurePosixPath(path).suffix
    if suffix in (".py", ".pyi"):
        return _narrowed(text, list(_in_python(text)))
    if keys := _XML.get(name) or _XML.get(suffix):
        return list(_in_xml(text, keys))
    if name == "CMakeLists.txt" or suffix == ".cmake":
        return [found.span(1) for found in _CMAKE.finditer(text)]
    assigned = [found.span("number") for found in _ASSIGNED.finditer(text) if found["name"].lower() in _NAMES]
    if assigned or suffix in _SOURCES:
        return assigned
    return [found.span(1) for found in _PLAIN.finditer(text)]


def _in_python(text: str) -> Iterator[Span]:
    """`__version__ = "…"` and its like in a module or class, and `version="…"` of a call."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for node in ast.walk(tree):
        for value in _values(node):
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and _WHOLE.fullmatch(value.value):
                row = text[starts[value.lineno - 1] : starts[value.lineno]]
                column = len(row.encode()[: value.col_offset].decode())
                at = text.find(value.value, starts[value.lineno - 1] + column)
                yield at, at + len(value.value)


def _values(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        return [node.value] if any(name.lower() in _NAMES for name in names) else []
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return [node.value] if node.target.id.lower() in _NAMES else []
    if isinstance(node, ast.Call):
        return [keyword.value for keyword in node.keywords if keyword.arg == "version"]
    return []


def _narrowed(text: str, spans: list[Span]) -> list[Span]:
    """Where several are named, `__version__` is the one that packaging tools read."""
    own = [
        (start, end)
        for start, end in spans
        if re.search(r"__version__[^\n=]*=[ \t]*[\"']$", text[max(0, start - 80) : start])
    ]
    return own if len(own) == 1 else spans


def _in_xml(text: str, keys: tuple[str, ...]) -> Iterator[Span]:
    """The text of the elements on a path, read without a parser: their places in the text are what is asked for."""
    open_tags: list[str] = []
    at = 0
    while (tag := _TAG.search(text, at)) is not None:
        at = tag.end()
        if tag["name"] is None:
            end = text.find(_ENDS[tag[0]], at)
            at = end + len(_ENDS[tag[0]]) if end >= 0 else len(text)
        elif tag["close"]:
            while open_tags and open_tags.pop() != tag["name"]:
                pass
        elif not tag["empty"]:
            open_tags.append(tag["name"])
            if tuple(open_tags) == keys and (found := re.compile(rf"\s*({_NUMBER})\s*<").match(text, at)):
                yield found.span(1)
