"""Which backups stay: today's, then one a day, a week, a month, a year. Dates in, dates out."""

from collections.abc import Callable, Collection
from datetime import date, datetime

# Of each kind of period the newest backup, for so many periods that have one.
PERIODS: tuple[tuple[int, Callable[[date], object]], ...] = (
    (14, lambda on: on),
    (8, lambda on: on.isocalendar()[:2]),
    (24, lambda on: (on.year, on.month)),
    (25, lambda on: on.year),
)
ALWAYS = 3  # the newest, whatever a clock that jumped says


def kept(moments: Collection[datetime]) -> set[datetime]:
    """Those that stay; given and told in clinic time.

    Periods without a backup are not counted, so that a clinic that was closed, or a wrong clock,
    never empties a place.
    """
    newest_first = sorted(moments, reverse=True)
    stay = set(newest_first[:ALWAYS])
    stay |= {one for one in newest_first if one.date() == newest_first[0].date()}
    for count, period in PERIODS:
        first_of: dict[object, datetime] = {}
        for one in newest_first:
            first_of.setdefault(period(one.date()), one)
        stay |= set(list(first_of.values())[:count])
    return stay
