"""A small chart's geometry: whole numbers in a box of WIDTH x HEIGHT, y downwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

WIDTH, HEIGHT, MARGIN = 120, 36, 3

Number = Decimal | int


@dataclass(frozen=True)
class Drawing:
    """Paths of an SVG: one for each line, the dots at their ends, and the band of usual values."""

    lines: tuple[str, ...]
    ends: tuple[tuple[int, int], ...]
    band: str = ""


def draw(
    times: Sequence[datetime],
    lines: Sequence[Sequence[Number | None]],
    low: Number | None = None,
    high: Number | None = None,
) -> Drawing:
    """Values over time, oldest first; each line has one value, or None, for each time."""
    known = [value for line in lines for value in line if value is not None]
    if not known:
        return Drawing((), ())
    limits = [limit for limit in (low, high) if limit is not None]
    bottom, top = min(known + limits), max(known + limits)
    x = _xs(times)
    dots = [
        [(x[n], _y(value, bottom, top)) for n, value in enumerate(line) if value is not None]
        for line in lines
    ]
    dots = [line for line in dots if line]
    band = ""
    if limits:
        upper = MARGIN if high is None else _y(high, bottom, top)
        lower = HEIGHT - MARGIN if low is None else _y(low, bottom, top)
        band = f"M0 {upper}H{WIDTH}V{lower}H0z"
    return Drawing(tuple(_path(line) for line in dots), tuple(line[-1] for line in dots), band)


def _xs(times: Sequence[datetime]) -> list[int]:
    """By time; side by side where there is only one time."""
    room, first, span = WIDTH - 2 * MARGIN, times[0], times[-1] - times[0]
    if not span:
        return [WIDTH - MARGIN] * len(times)
    return [MARGIN + round(room * ((at - first) / span)) for at in times]


def _y(value: Number, bottom: Number, top: Number) -> int:
    if top == bottom:
        return HEIGHT // 2
    share = Decimal(top - value) / Decimal(top - bottom)
    return MARGIN + round((HEIGHT - 2 * MARGIN) * share)


def _path(dots: Sequence[tuple[int, int]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in dots)
