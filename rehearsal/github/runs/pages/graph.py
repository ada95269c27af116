"""The jobs of a run as a drawing: columns by what needs what, and the lines between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rehearsal.runner.model import Job
from rehearsal.runner.workflow import Workflow

WIDTH, HEIGHT, GAP, BETWEEN, BANDS = 188, 64, 12, 38, 40
"""Pixels: of a box, between boxes of a column, between columns, between bands."""
MOST_COLUMNS = 5
"""Side by side; a longer run goes on in the next band, as text goes on in the next line."""


@dataclass(frozen=True, kw_only=True)
class JobNode:
    """One box: a job, or (job None) one of the file that has not begun."""

    key: str
    name: str
    needs: tuple[str, ...]
    job: Job | None


@dataclass(frozen=True, kw_only=True)
class JobBox:
    node: JobNode
    column: int
    x: int
    y: int


@dataclass(frozen=True, kw_only=True)
class JobGraph:
    boxes: tuple[JobBox, ...]
    lines: tuple[str, ...]
    """SVG path data."""
    width: int
    height: int

    @property
    def columns(self) -> list[list[JobBox]]:
        found: dict[int, list[JobBox]] = {}
        for box in self.boxes:
            found.setdefault(box.column, []).append(box)
        return [found[column] for column in sorted(found)]


def nodes(jobs: Sequence[Job], workflow: Workflow | None) -> list[JobNode]:
    """The jobs there are, and those of the file that are still to come."""
    found = [JobNode(key=job.key, name=job.name, needs=_needs(job, workflow), job=job) for job in jobs]
    begun = {job.key for job in jobs} | {job.key.partition("/")[0] for job in jobs}
    if workflow is not None:
        for key, spec in workflow.jobs.items():
            if key not in begun:
                name = str(spec.raw.get("name") or key)
                found.append(JobNode(key=key, name=key if "${{" in name else name, needs=spec.needs, job=None))
        order = {key: position for position, key in enumerate(workflow.jobs)}
        found.sort(key=lambda node: order.get(node.key.partition("/")[0], len(order)))
    return found


def _needs(job: Job, workflow: Workflow | None) -> tuple[str, ...]:
    """A job of a called workflow waits for what its caller needs as well."""
    caller, inner, _ = job.key.partition("/")
    spec = workflow.jobs.get(caller) if workflow is not None and inner else None
    return (*job.needs, *(spec.needs if spec is not None else ()))


def draw(found: Sequence[JobNode]) -> JobGraph:
    """Every job in the column after the last of those it needs."""
    parents = {node.key: _known(node, found) for node in found}
    columns = _columns(parents)
    boxes = _placed(found, columns)
    return JobGraph(
        boxes=tuple(boxes),
        lines=tuple(_lines(boxes, parents)),
        width=max((box.x + WIDTH for box in boxes), default=0),
        height=max((box.y + HEIGHT for box in boxes), default=0),
    )


def _placed(found: Sequence[JobNode], columns: Mapping[str, int]) -> list[JobBox]:
    boxes: list[JobBox] = []
    rows: dict[int, int] = {}
    top = bottom = 0
    band = 0
    for node in sorted(found, key=lambda node: columns[node.key]):
        column = columns[node.key]
        if column // MOST_COLUMNS != band:
            band, top = column // MOST_COLUMNS, bottom + BANDS
        y = top + rows.get(column, 0) * (HEIGHT + GAP)
        rows[column] = rows.get(column, 0) + 1
        bottom = max(bottom, y + HEIGHT)
        boxes.append(JobBox(node=node, column=column, x=column % MOST_COLUMNS * (WIDTH + BETWEEN), y=y))
    return boxes


def _known(node: JobNode, found: Sequence[JobNode]) -> set[str]:
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


def _lines(boxes: Sequence[JobBox], parents: Mapping[str, set[str]]) -> list[str]:
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


def _line(start: JobBox, end: JobBox) -> str:
    """From the right of one box to the left of another; to a later band around through the space above it."""
    x1, y1 = start.x + WIDTH, start.y + HEIGHT // 2
    x2, y2 = end.x, end.y + HEIGHT // 2
    half = BETWEEN // 2
    if start.column // MOST_COLUMNS == end.column // MOST_COLUMNS:
        bend = x2 - half
        return f"M{x1} {y1}H{bend - half}C{bend} {y1} {bend} {y2} {x2} {y2}"
    right, left, aisle = x1 + half // 2, x2 - half // 2, end.y - BANDS // 2
    r = min(8, half // 2)  # of the corners
    down = f"M{x1} {y1}H{right - r}Q{right} {y1} {right} {y1 + r}V{aisle - r}Q{right} {aisle} {right - r} {aisle}"
    return f"{down}H{left + r}Q{left} {aisle} {left} {aisle + r}V{y2 - r}Q{left} {y2} {left + r} {y2}H{x2}"
