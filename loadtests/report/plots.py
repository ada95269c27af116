"""The plots, as SVG inside the page. Text from outside enters through `escape` alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape as _escape

from loadtests.histogram import Histogram, upper_ms
from loadtests.recording import Recording, Slice
from loadtests.report.words import duration
from loadtests.verdicts import Judgement, milliseconds

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1000.0, 66.0, 16.0, 12.0, 40.0
_POINTS = 120
_REQUESTS = 50
_ROUND_SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
SHARES = ((0.5, "var(--series-1)"), (0.95, "var(--series-2)"), (0.99, "var(--series-3)"))
COLOURS = tuple(f"var(--series-{number})" for number in range(1, 6))
_ROW = 46.0

Points = Sequence[tuple[float, float | None]]
"""(seconds, value); None breaks the line."""


def escape(text: str) -> str:
    """For content and attributes. XML knows no control characters, not even escaped; they become a visible mark."""
    return _escape("".join(char if char.isprintable() or char == " " else "�" for char in text))


@dataclass(frozen=True)
class Axis:
    """From values to pixels, between two of them; `ticks` are where lines are drawn."""

    first: float
    last: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Values outside are put on the border."""
        low, high, value = self.first, self.last, min(max(value, self.first), self.last)
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)


def logarithmic(values: Sequence[float], start: float, end: float) -> Axis:
    """For milliseconds: from 1, 2 or 5 times a power of ten to another."""
    steps = [round(part * 10.0**power, 3) for power in range(-3, 8) for part in (1, 2, 5)]
    known = [value for value in values if value > 0] or [1.0, 1000.0]
    below = max((step for step in steps if step <= min(known)), default=steps[0])
    above = min((step for step in steps if step >= max(known) and step > below), default=steps[-1])
    between = [step for step in steps if below <= step <= above]
    if len(between) > 10:
        between = [step for step in between if f"{step:e}"[0] == "1" or step in (below, above)]
    return Axis(below, above, start, end, tuple(between), logarithmic=True)


def linear(most: float, start: float, end: float) -> Axis:
    """From 0 to a round number that is not less than `most`."""
    most = max(most, 1e-3)
    power = 10.0 ** math.floor(math.log10(most / 4))
    step = next(part * power for part in (1, 2, 5, 10) if part * power * 4.999 >= most)
    count = math.ceil(most / step - 1e-9)
    return Axis(0.0, count * step, start, end, tuple(number * step for number in range(count + 1)))


def _seconds(recording: Recording) -> Axis:
    last = max(recording.seconds, 1.0)
    every = next((step for step in _ROUND_SECONDS if last / step <= 12), 7200)
    return Axis(0.0, last, LEFT, WIDTH - RIGHT, tuple(float(at) for at in range(0, int(last) + 1, every)))


def _frame(height: float, x: Axis, y: Axis, across: str, up: str, tick: Callable[[float], str]) -> Iterator[str]:
    bottom = height - BOTTOM
    for value in y.ticks:
        yield f'<path d="M{LEFT:g} {y.at(value):.1f}H{WIDTH - RIGHT:g}" class="grid"/>'
        yield _text(LEFT - 8, y.at(value) + 3.5, tick(value), "tick", "end")
    for value in x.ticks:
        yield f'<path d="M{x.at(value):.1f} {bottom:g}v5" class="axis"/>'
        yield _text(
            x.at(value),
            bottom + 17,
            duration(value) if x.first == 0 and not x.logarithmic else _number(value),
            "tick",
            "middle",
        )
    yield f'<path d="M{LEFT:g} {TOP:g}V{bottom:g}H{WIDTH - RIGHT:g}" class="axis"/>'
    yield _text((LEFT + WIDTH - RIGHT) / 2, height - 6, across, "label", "middle")
    middle = (TOP + bottom) / 2
    yield f'<g transform="rotate(-90 14 {middle:g})">{_text(14, middle, up, "label", "middle")}</g>'


def _text(x: float, y: float, content: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


def _line(points: Points, x: Axis, y: Axis, colour: str) -> str:
    drawn, pen = [], "M"
    for at, value in points:
        if value is None:
            pen = "M"
            continue
        drawn.append(f"{pen}{x.at(at):.1f} {y.at(value):.1f}" + ("h.01" if pen == "M" else ""))
        pen = "L"
    return f'<path d="{"".join(drawn)}" class="line" stroke="{colour}"/>'


def _drawing(height: float, inside: Iterator[str] | Sequence[str], label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="{escape(label)}">{"".join(inside)}</svg>'
    )


def _step(recording: Recording) -> int:
    """Seconds that are one point of a plot of counts."""
    return max(1, math.ceil(recording.seconds / _POINTS))


def every(recording: Recording) -> int:
    """Seconds that are one point of a plot of percentiles: fifty requests, if that leaves a dozen points."""
    enough = math.ceil(_REQUESTS * recording.seconds / max(1, recording.total().count))
    return max(_step(recording), min(enough, math.ceil(recording.seconds / 12)))


def _warm_up(x: Axis, first: int, height: float) -> str:
    """Shade what is left out of the percentiles."""
    if not first:
        return ""
    bottom = height - BOTTOM
    width = x.at(first) - LEFT
    return f'<rect x="{LEFT:g}" y="{TOP:g}" width="{width:.1f}" height="{bottom - TOP:g}" class="warm-up"/>' + _text(
        LEFT + 5, TOP + 13, "warm-up", "tick"
    )


def latency(recording: Recording, judgement: Judgement) -> str:
    """Percentiles of the response times over the run, and the limits."""
    height, step = 300.0, every(recording)
    bins = _bins(recording, step)
    lines = {share: [((number + 0.5) * step, _quantile(found, share)) for number, found in bins] for share, _ in SHARES}
    limits = {answer.limit_ms: answer.target for answer in judgement.answers if answer.of == "response"}
    values = [value for line in lines.values() for _, value in line if value is not None]
    x, y = _seconds(recording), logarithmic([*values, *(limit * 1.3 for limit in limits)], height - BOTTOM, TOP)
    inside = [
        _warm_up(x, judgement.first, height),
        *_frame(height, x, y, "time since the start of the run", "response time, ms", _number),
    ]
    inside += [_line(lines[share], x, y, colour) for share, colour in reversed(SHARES)]
    for limit, name in limits.items():
        inside.append(f'<path d="M{LEFT:g} {y.at(limit):.1f}H{WIDTH - RIGHT:g}" class="limit"/>')
        inside.append(
            _text(WIDTH - RIGHT - 4, y.at(limit) - 5, f"limit of p95, {name}: {limit:g} ms", "limit-text", "end")
        )
    inside += [_cross(x.at(at), TOP + 5) for at, value in lines[0.95] if value is None]
    return _drawing(height, inside, "Percentiles of the response times over the run")


def _bins(recording: Recording, step: int) -> list[tuple[int, Slice]]:
    """What was due in the time of each point; none for those without requests."""
    bins: dict[int, Slice] = {}
    for second, found in recording.slices().items():
        if second < recording.seconds:
            bins.setdefault(second // step, Slice()).add(found)
    return sorted(bins.items())


def _quantile(found: Slice, share: float) -> float | None:
    """None where more failed than the percentile leaves out."""
    if found.failed > (1 - share) * found.count:
        return None
    return found.times.quantile(min(1.0, share * found.count / found.times.total))


def _cross(x: float, y: float) -> str:
    return f'<path d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6" class="cross"/>'


def throughput(recording: Recording, judgement: Judgement) -> str:
    """Visits that were due and that began, per second."""
    height, step = 220.0, _step(recording)
    asked, begun = _rates(recording.asked, recording.seconds, step), _rates(recording.started, recording.seconds, step)
    x = _seconds(recording)
    y = linear(max((value or 0.0 for _, value in (*asked, *begun)), default=1.0), height - BOTTOM, TOP)
    inside = [
        _warm_up(x, judgement.first, height),
        *_frame(height, x, y, "time since the start of the run", "visits per second", _number),
        f'<g class="wide-line">{_line(asked, x, y, "var(--faint)")}</g>',
        _line(begun, x, y, "var(--series-1)"),
    ]
    return _drawing(height, inside, "Visits asked for and begun per second")


def _rates(counts: Mapping[int, int], seconds: float, step: int) -> list[tuple[float, float | None]]:
    summed = [0] * math.ceil(seconds / step)
    for second, count in counts.items():
        if 0 <= second // step < len(summed):
            summed[second // step] += count
    return [((number + 0.5) * step, count / min(step, seconds - number * step)) for number, count in enumerate(summed)]


def errors(recording: Recording) -> tuple[str, list[tuple[str, str]]]:
    """Failed requests per second, stacked by kind, and (kind, colour) of each; ("", []) where nothing failed."""
    whole = recording.total().errors
    if not whole:
        return "", []
    kinds = [kind for kind, _ in whole.most_common(len(COLOURS) - 1)]
    shown = [*kinds, *(["others"] if len(whole) > len(kinds) else [])]
    height, step = 200.0, _step(recording)
    bins = [(number, _by_kind(found, kinds)) for number, found in _bins(recording, step)]
    x = _seconds(recording)
    y = linear(max(sum(counts.values()) for _, counts in bins) / step, height - BOTTOM, TOP)
    inside = list(_frame(height, x, y, "time since the start of the run", "failed per second", _number))
    for number, counts in bins:
        left, below = x.at(number * step), 0.0
        width = max(1.0, x.at((number + 1) * step) - left - 0.6)
        for kind, colour in zip(shown, COLOURS, strict=False):
            part = counts.get(kind, 0) / step
            if part:
                top = y.at(below + part)
                inside.append(
                    f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{y.at(below) - top:.1f}" fill="{colour}"/>'
                )
                below += part
    return _drawing(height, inside, "Failed requests per second by kind"), list(zip(shown, COLOURS, strict=False))


def _by_kind(found: Slice, kinds: Sequence[str]) -> dict[str, int]:
    counts = {kind: found.errors[kind] for kind in kinds}
    counts["others"] = found.failed - sum(counts.values())
    return counts


def distribution(recording: Recording, judgement: Judgement) -> str:
    """For each endpoint, how its response times are spread, with its percentiles."""
    named = {name: _measured(recording, name, judgement) for name in sorted(recording.endpoints)}
    shown = {name: times for name, times in named.items() if times.counts}
    if not shown:
        return ""
    height = TOP + _ROW * len(shown) + BOTTOM
    edges = [
        value
        for times in shown.values()
        for value in (times.quantile(0.001), times.quantile(0.999), times.quantile(0.99))
    ]
    limits = [answer.limit_ms for answer in judgement.answers if answer.of == "response"]
    x = logarithmic(
        [*(value for value in edges if value is not None), *(limit * 1.3 for limit in limits)], LEFT, WIDTH - RIGHT
    )
    bottom = height - BOTTOM
    inside = []
    for value in x.ticks:
        inside.append(f'<path d="M{x.at(value):.1f} {TOP:g}V{bottom:g}" class="grid"/>')
        inside.append(_text(x.at(value), bottom + 17, _number(value), "tick", "middle"))
    inside.append(_text((LEFT + WIDTH - RIGHT) / 2, height - 6, "response time, ms", "label", "middle"))
    for limit in limits:
        inside.append(f'<path d="M{x.at(limit):.1f} {TOP:g}V{bottom:g}" class="limit"/>')
    for row, (name, times) in enumerate(shown.items()):
        inside += _ridge(name, times, x, TOP + _ROW * (row + 1))
    return _drawing(height, inside, "Distribution of the response times of each endpoint")


def _measured(recording: Recording, name: str, judgement: Judgement) -> Histogram:
    whole = Histogram()
    for second, found in recording.slices(name).items():
        if judgement.first <= second < judgement.end:
            whole.add(found.times)
    return whole


def _ridge(name: str, times: Histogram, x: Axis, base: float) -> Iterator[str]:
    """How many answers took about as long, as a hill on its own line; its height is relative to its own summit."""
    columns = 160
    counts = [0] * (columns + 1)
    for index, count in times.counts.items():
        counts[int((x.at(upper_ms(index)) - x.start) / (x.end - x.start) * columns)] += count
    smooth = [sum(counts[max(0, at - 1) : at + 2]) / len(counts[max(0, at - 1) : at + 2]) for at in range(len(counts))]
    most = max(smooth)
    hill = "".join(
        f"L{x.start + (x.end - x.start) * at / columns:.1f} {base - (_ROW - 20) * part / most:.1f}"
        for at, part in enumerate(smooth)
    )
    yield f'<path d="M{x.start:g} {base:g}{hill}L{x.end:g} {base:g}Z" class="hill"/>'
    yield f'<path d="M{x.start:g} {base:g}H{x.end:g}" class="axis"/>'
    for share, colour in SHARES:
        value = times.quantile(share)
        if value is not None:
            title = f"{name}: p{share * 100:g} {milliseconds(value)}"
            yield (
                f'<g><title>{escape(title)}</title><path d="M{x.at(value):.1f} {base:g}v-{_ROW - 22:g}" '
                f'class="mark-line" stroke="{colour}"/></g>'
            )
    yield _text(x.start + 4, base - _ROW + 17, name, "endpoint")


@dataclass(frozen=True, kw_only=True)
class RatePoint:
    """One step: milliseconds (infinity: no answer) and their interval, at visits per second."""

    rate: float
    value: float
    low: float
    high: float
    title: str


@dataclass(kw_only=True)
class ByRate:
    """One target over all steps; `limit` in milliseconds."""

    limit: float
    points: list[RatePoint] = field(default_factory=list)


def by_rate(lines: Mapping[str, ByRate]) -> str:
    """The 95th percentile of each target by the rate of visits, with intervals and limits; "" without any."""
    points = [point for line in lines.values() for point in line.points]
    if not points:
        return ""
    height = 320.0
    times = [each for point in points for each in (point.value, point.low, point.high) if math.isfinite(each)]
    x = logarithmic(
        [each * factor for each in (point.rate for point in points) for factor in (0.9, 1.1)], LEFT, WIDTH - RIGHT
    )
    y = logarithmic([*times, *(line.limit * 1.3 for line in lines.values())], height - BOTTOM, TOP)
    inside = list(_frame(height, x, y, "visits per second", "95th percentile, ms", _number))
    for (name, line), colour in zip(lines.items(), itertools.cycle(COLOURS)):
        at = y.at(line.limit)
        inside.append(f'<path d="M{LEFT:g} {at:.1f}H{WIDTH - RIGHT:g}" class="limit" style="stroke: {colour}"/>')
        inside.append(_text(LEFT + 6, at - 5, f"limit of {name}: {line.limit:g} ms", "limit-text"))
        inside += [_rate_point(point, x, y, colour) for point in line.points]
    return _drawing(height, inside, "95th percentile of each target by the rate of visits")


def _rate_point(point: RatePoint, x: Axis, y: Axis, colour: str) -> str:
    at, title = x.at(point.rate), f"<title>{escape(point.title)}</title>"
    if not math.isfinite(point.value):
        return f"<g>{title}{_cross(at, TOP + 5)}</g>"
    bar = f'<path d="M{at:.1f} {y.at(point.low):.1f}V{y.at(point.high):.1f}" class="mark-line" stroke="{colour}" opacity=".5"/>'
    return f'<g>{title}{bar}<circle cx="{at:.1f}" cy="{y.at(point.value):.1f}" r="4" fill="{colour}"/></g>'


def gauge(value: float | None, low: float, high: float, limit: float, *, known: bool) -> str:
    """A bar for a table: the interval and the estimate beside the limit."""
    width, height = 220.0, 26.0
    finite = [each for each in (value, low if known else None, high if known else None) if each and math.isfinite(each)]
    axis = Axis(0.0, max([limit * 1.25, *(each * 1.08 for each in finite)]), 0.0, width, ())
    at = axis.at(limit)
    parts = [
        f'<path d="M0 13H{width:g}" class="axis"/>',
        f'<path d="M{at:.1f} 2V24" class="limit"/>',
    ]
    if value is not None:
        colour = (
            "var(--good)" if known and high <= limit else "var(--bad)" if known and low > limit else "var(--unsure)"
        )
        if known:
            left, right = axis.at(low), axis.at(high)
            parts.append(
                f'<rect x="{left:.1f}" y="9" width="{max(right - left, 2):.1f}" height="8" rx="2" fill="{colour}" opacity=".4"/>'
            )
        parts.append(f'<path d="M{axis.at(value):.1f} 6v14" class="mark-line" stroke="{colour}"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" class="gauge" role="img" '
        f'aria-label="interval beside the limit">{"".join(parts)}</svg>'
    )
