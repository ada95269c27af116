"""The little of SVG that the plots need. Text from outside enters through `escape` alone."""

from __future__ import annotations

from html import escape as _escape

WIDTH = 1000
RIGHT = 44
ROUND_SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 300)


def escape(text: str) -> str:
    """For content and attributes. XML knows no control characters, not even escaped; they become a visible mark."""
    return _escape("".join(char if char.isprintable() or char == " " else "�" for char in text))


class Scale:
    """Moments to pixels, from `left` to the right margin."""

    def __init__(self, started: float, ended: float, left: float) -> None:
        self.started = started
        self.ended = max(ended, started + 1)
        self.left = left

    def x(self, at: float) -> float:
        """Moments outside are put on the border."""
        part = (min(max(at, self.started), self.ended) - self.started) / (self.ended - self.started)
        return self.left + part * (WIDTH - self.left - RIGHT)

    def axis(self, height: float) -> str:
        """Grid lines at round seconds since the beginning."""
        length = self.ended - self.started
        every = next((step for step in ROUND_SECONDS if length / step <= 12), 600)
        return "".join(self._line(second, height) for second in range(0, int(length) + 1, every))

    def _line(self, second: int, height: float) -> str:
        x = self.x(self.started + second)
        return (
            f'<path d="M{x:.1f} 15V{height:g}" class="grid"/>'
            f'<text x="{x:.1f}" y="10" class="tick" text-anchor="middle">{clock(second)}</text>'
        )


def clock(seconds: float) -> str:
    """0 s, 45 s, 1:30."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def text(x: float, y: float, content: str, kind: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{anchor}>{escape(content)}</text>'


def bar(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:g}" fill="{fill}"/>'


def titled(title: str, *inside: str, link: str = "") -> str:
    """A group with what a pointer on it shows, and where it leads."""
    group = f"<g><title>{escape(title)}</title>{''.join(inside)}</g>"
    return f'<a href="#{escape(link)}">{group}</a>' if link else group


def drawing(height: float, inside: str, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(label)}">{inside}</svg>'
    )


def shortened(content: str, most: int) -> str:
    return content if len(content) <= most else content[: most - 1] + "…"


def free_row(ends: list[float], left: float, right: float) -> int:
    """The first row that is free from `left` on, taken up to `right`; `ends` holds where each row is free again."""
    row = next((index for index, end in enumerate(ends) if end < left), len(ends))
    ends[row : row + 1] = [right]
    return row
