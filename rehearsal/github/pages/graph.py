"""The jobs of a run as a drawing: columns by what needs what, and the lines between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rehearsal.runner.model import Job
from rehearsal.runner.workflow import Workflow

WIDTH, HEIGHT, GAP, BETWEEN = 218, 56, 14, 56
"""Pixels: of a box, between boxes of a column, between columns."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One box: a job, or (job None) one of the file that has not begun."""

    key: str
    name: str
    needs: tuple[str, ...]
    job: Job | None


@dataclass(frozen=True, kw_only=True)
class Box:
    node: Node
    column: int
    x: int
    y: int


@dataclass(frozen=True, kw_only=True)
class Drawing:
    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    """SVG path data."""
    width: int
    height: int

    @property
    def columns(self) -> list[list[Box]]:
        found: dict[int, list[Box]] = {}
        for box in self.boxes:
            found.setdefault(box.column, []).append(box)
        return [found[column] for column in sorted(found)]


def nodes(jobs: Sequence[Job], workflow: Workflow | None) -> list[Node]:
    """The jobs there are, and those of the file that are still to come."""
    found = [Node(key=job.key, name=job.name, needs=_needs(job, workflow), job=job) for job in jobs]
    begun = {job.key for job in jobs} | {job.key.partition("/")[0] for job in jobs}
    if workflow is not None:
        for key, spec in workflow.jobs.items():
            if key not in begun:
                name = str(spec.raw.get("name") or key)
                found.append(Node(key=key, name=key if "${{" in name else name, needs=spec.needs, job=None))
        order = {key: position for position, key in enumerate(workflow.jobs)}
        found.sort(key=lambda node: order.get(node.key.partition("/")[0], len(order)))
    return found


def _needs(job: Job, workflow: Workflow | None) -> tuple[str, ...]:
    """A job of a called workflow waits for what its caller needs as well."""
    caller, inner, _ = job.key.partition("/")
    spec = workflow.jobs.get(caller) if workflow is not None and inner else None
    return (*job.needs, *(spec.needs if spec is not None else ()))


def draw(found: Sequence[Node]) -> Drawing:
    """Every job in the column after the last of those it needs."""
    parents = {node.key: _known(node, found) for node in found}
    columns = _columns(parents)
    placed: dict[int, int] = {}
    boxes: list[Box] = []
    for node in sorted(found, key=lambda node: columns[node.key]):
        column = columns[node.key]
        row = placed.get(column, 0)
        placed[column] = row + 1
        boxes.append(Box(node=node, column=column, x=column * (WIDTH + BETWEEN), y=row * (HEIGHT + GAP)))
    tallest = max(placed.values(), default=0)
    return Drawing(
        boxes=tuple(boxes),
        lines=tuple(_lines(boxes, parents)),
        width=max(len(placed) * (WIDTH + BETWEEN) - BETWEEN, 0),
        height=max(tallest * (HEIGHT + GAP) - GAP, 0),
    )


def _known(node: Node, found: Sequence[Node]) -> set[str]:
    """Keys of what a box needs. Needing a called workflow is needing all its jobs."""
    return {
        other.key
        for other in found
        for need in node.needs
        if other.key != node.key and (other.key == need or other.key.startswith(f"{need}/"))
    }


def _columns(parents: Mapping[str, set[str]]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for _ in parents:
        for key, needs in parents.items():
            columns[key] = max((columns.get(need, 0) + 1 for need in needs), default=0)
    return columns


def _lines(boxes: Sequence[Box], parents: Mapping[str, set[str]]) -> list[str]:
    """A line from each job to each that needs it directly; what a longer way says already is left out."""
    lines = []
    for box in boxes:
        direct = parents[box.node.key]
        implied = {far for near in direct for far in _ancestors(near, parents)}
        for other in boxes:
            if other.node.key in direct - implied:
                lines.append(_line(other, box))
    return lines


def _ancestors(key: str, parents: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [key]
    while waiting:
        for need in parents.get(waiting.pop(), set()) - found:
            found.add(need)
            waiting.append(need)
    return found


def _line(start: Box, end: Box) -> str:
    x1, y1 = start.x + WIDTH, start.y + HEIGHT // 2
    x2, y2 = end.x, end.y + HEIGHT // 2
    bend = x2 - BETWEEN // 2
    return f"M{x1} {y1}H{bend - 14}C{bend} {y1} {bend} {y2} {bend + 14} {y2}H{x2}"
