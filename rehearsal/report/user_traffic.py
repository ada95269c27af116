"""Users' requests while a release was deployed, as a plot and as figures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rehearsal.report import svg
from rehearsal.report.model import TrafficShift, UserRequest, UserTraffic

LEFT = 52
TOP = 20
PLOT = 120
STRIP = 26
MOST_BINS, REQUESTS_IN_A_BIN = 120, 6
LABEL_ROW = 14
SERIES = tuple(f"var(--series-{number})" for number in range(1, 6))


def plot(traffic: UserTraffic, component: str) -> str:
    """Each request as a dot (when, how slow, which release answered), failures in red on top, traffic shifts as lines;
    below it a strip: which part of the requests each release answered at the time."""
    requests = traffic.requests[component]
    times = [request.at for of in traffic.requests.values() for request in of]
    scale = svg.Scale(min(times), max(times), LEFT)
    shifts = [shift for shift in traffic.shifts if shift.component == component]
    marks, used = _marks(shifts, scale, TOP)
    top = TOP + used
    bottom = top + PLOT
    inside = scale.axis(bottom) + marks + _latencies(requests, scale, top, bottom)
    inside += _lines(shifts, scale, bottom + STRIP + 8) + _strip(requests, scale, bottom + 8)
    return svg.drawing(bottom + STRIP + 12, inside, f"Requests of users of the {component}: {traffic.title}")


def colours(requests: Sequence[UserRequest]) -> dict[str, str]:
    """A colour for each release, in the order in which they were seen."""
    seen = dict.fromkeys(s.release for s in requests if s.ok)
    return {release: SERIES[index % len(SERIES)] for index, release in enumerate(seen)}


def figures(requests: Sequence[UserRequest]) -> dict[str, float]:
    """sent, failed, per_second; and over good answers in milliseconds: median, p95, p99 (nearest rank), slowest."""
    good = sorted(s.ms for s in requests if s.ok)
    times = [s.at for s in requests]
    seconds = max(times) - min(times) if times else 0.0
    return {
        "sent": len(requests),
        "failed": sum(not s.ok for s in requests),
        "per_second": len(requests) / seconds if seconds else 0.0,
        "median": percentile(good, 0.5),
        "p95": percentile(good, 0.95),
        "p99": percentile(good, 0.99),
        "slowest": good[-1] if good else 0.0,
    }


def percentile(ordered: Sequence[float], part: float) -> float:
    """Nearest rank; 0 of nothing."""
    return ordered[max(math.ceil(len(ordered) * part), 1) - 1] if ordered else 0.0


def reasons(requests: Sequence[UserRequest]) -> dict[str, int]:
    """What went wrong -> how often."""
    return dict(Counter(request.release for request in requests if not request.ok).most_common())


def _marks(shifts: Sequence[TrafficShift], scale: svg.Scale, y: float) -> tuple[str, float]:
    """The text of each shift, on as many rows as the texts need; and the height used."""
    ends: list[float] = []
    drawn = []
    for shift in shifts:
        name = svg.shortened(shift.text, 40)
        width = len(name) * 6.3 + 8
        x = min(scale.x(shift.at), svg.WIDTH - width)
        row = svg.free_row(ends, x, x + width)
        drawn.append(svg.titled(shift.text, svg.text(x + 3, y + row * LABEL_ROW + 9, name, "shift")))
    return "".join(drawn), len(ends) * LABEL_ROW


def _lines(shifts: Sequence[TrafficShift], scale: svg.Scale, bottom: float) -> str:
    return "".join(f'<path d="M{scale.x(shift.at):.1f} {TOP}V{bottom:g}" class="shifted"/>' for shift in shifts)


def _latencies(requests: Sequence[UserRequest], scale: svg.Scale, top: float, bottom: float) -> str:
    """Dots on a logarithmic scale from 1 ms; one path for each release keeps the page small."""
    most = max([100.0, *(s.ms for s in requests if s.ok)])

    def height(ms: float) -> float:
        return bottom - 4 - (bottom - top - 10) * math.log10(max(ms, 1.0)) / math.log10(most)

    ticks = [ms for ms in (1, 10, 100, 1000, 10_000) if ms <= most]
    drawn = [svg.text(LEFT - 8, height(ms) + 3, f"{ms} ms", "tick", end=True) for ms in ticks]
    drawn += [f'<path d="M{LEFT} {height(ms):.1f}H{svg.WIDTH - svg.RIGHT}" class="grid"/>' for ms in ticks]
    for release, colour in colours(requests).items():
        dots = "".join(f"M{scale.x(s.at):.1f} {height(s.ms):.1f}h0" for s in requests if s.ok and s.release == release)
        drawn.append(svg.titled(release, f'<path d="{dots}" class="dots" stroke="{colour}"/>'))
    drawn += [_failure(request, scale, top) for request in requests if not request.ok]
    return "".join(drawn)


def _failure(request: UserRequest, scale: svg.Scale, top: float) -> str:
    x = scale.x(request.at)
    cross = f'<path d="M{x - 4:.1f} {top + 2:g}l8 8m0 -8l-8 8" class="cross"/>'
    return svg.titled(f"failed: {request.release}", cross)


def _strip(requests: Sequence[UserRequest], scale: svg.Scale, y: float) -> str:
    """In each slice of time, the parts that the releases (and failures) had of the answers, on top of each other."""
    chosen = {**colours(requests)}
    # Few requests make few bins: a gap then means that the client waited, not that the bins were too narrow.
    bins: list[Counter[str]] = [Counter() for _ in range(max(min(MOST_BINS, len(requests) // REQUESTS_IN_A_BIN), 1))]
    width = (scale.ended - scale.started) / len(bins)
    for request in requests:
        index = min(int((request.at - scale.started) / width), len(bins) - 1)
        bins[index][request.release if request.ok else ""] += 1
    drawn = [svg.text(LEFT - 8, y + STRIP / 2 + 3, "share", "tick", end=True)]
    for index, counted in enumerate(bins):
        left, right = scale.x(scale.started + index * width), scale.x(scale.started + (index + 1) * width)
        at, whole = y + STRIP, sum(counted.values())
        for release in [*chosen, ""]:
            part = STRIP * counted[release] / whole if whole else 0.0
            at -= part
            if part:
                drawn.append(svg.bar(left, at, right - left + 0.2, round(part, 1), chosen.get(release, "var(--bad)")))
    return "".join(drawn)
