"""When the internet was there, when not, and when nobody measured: the worker asks each minute.

What is measured is a chain of spans. Between two spans nothing is known: the server was off, the
clock jumped, or no address was set.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from clinic import days, settings
from clinic.status_check import Check, State
from db import db
from formatting import clock_time, day_in_zone, long_date
from models import InternetSpan

GAP = timedelta(minutes=3)  # longer between two tries, and the time between them is not known
HOUR = timedelta(hours=1)


# --- Kept by the worker -------------------------------------------------------------------------


def keep(at: datetime, target: str, is_there: bool) -> None:
    """Store what one try has found. One that failed is none yet; the second begins an outage."""
    last = newest()
    if last is None or last.target != target or not _goes_on(last, at):
        _begin(at, target, failed_at=None if is_there else at)
        return
    if last.is_there and last.failed_at and not is_there:
        _begin(last.failed_at, target, is_there=False, ended_at=at)
        return
    last.ended_at = at
    if last.is_there:
        last.failed_at = None if is_there else at
    elif is_there:
        _begin(at, target)
    db.session.flush()


def _goes_on(last: InternetSpan, at: datetime) -> bool:
    return timedelta() <= at - last.ended_at <= GAP


def _begin(at: datetime, target: str, **fields) -> None:
    db.session.add(InternetSpan(target=target, began_at=at, **{"ended_at": at} | fields))
    db.session.flush()


def newest() -> InternetSpan | None:
    """The span that the last try belongs to."""
    return db.session.scalar(select(InternetSpan).order_by(InternetSpan.id.desc()).limit(1))


# --- Told of it ---------------------------------------------------------------------------------


def check(at: datetime) -> Check:
    """One line for /sistem."""
    name, target, last = "Internet", settings.value("internet_target"), newest()
    if not target:
        sentence = "Alamat yang dicoba kosong di Pengaturan. Pelayanan tidak memerlukan internet."
        return Check(name, State.GOOD, "tidak diukur", sentence)
    if last is None or last.target != target or not _goes_on(last, at):
        sentence = "Diukur tiap menit oleh pekerja latar; muat ulang halaman ini sebentar lagi."
        return Check(name, State.GOOD, "belum diukur", sentence)
    since = _since(last.began_at, at)
    if last.is_there:
        return Check(name, State.GOOD, f"ada sejak {since}", f"{target} menjawab.")
    sentence = (
        "Pekerjaan klinik tidak menunggu internet. Periksa modem dan kabelnya, lalu tanyakan "
        "penyedia internet."
    )
    return Check(name, State.WATCH, f"putus sejak {since}", sentence)


def _since(began_at: datetime, at: datetime) -> str:
    zone = settings.value("time_zone")
    on = day_in_zone(began_at, zone)
    day = "" if on == day_in_zone(at, zone) else f"{long_date(on)}, "
    return f"{day}{clock_time(began_at, zone)}"


@dataclass
class Measured:
    """Seconds, by day and hour of the clinic; how many outages began on each day."""

    known: Counter[tuple[date, int]] = field(default_factory=Counter)
    out: Counter[tuple[date, int]] = field(default_factory=Counter)
    outages: Counter[date] = field(default_factory=Counter)

    def between(self, first: date, last: date) -> tuple[int, int, int]:
        """Seconds known, seconds out and outages of these days."""
        known, out = (
            sum(seconds for (day, _), seconds in counted.items() if first <= day <= last)
            for counted in (self.known, self.out)
        )
        return known, out, sum(n for day, n in self.outages.items() if first <= day <= last)

    def by_hour(self, first: date, last: date) -> list[tuple[int, int, int]]:
        """Hour of the day, seconds known, seconds out; the hours that were measured."""
        known, out = Counter(), Counter()
        for counted, total in ((self.known, known), (self.out, out)):
            for (day, hour), seconds in counted.items():
                if first <= day <= last:
                    total[hour] += seconds
        return [(hour, known[hour], out[hour]) for hour in sorted(known)]


def measured(first: date, last: date) -> Measured:
    """What is known of these days. Where a clock went back, a time counts once."""
    since, until = days.midnight_utc(first), days.midnight_utc(last + timedelta(days=1))
    overlaps = (InternetSpan.began_at < until, InternetSpan.ended_at > since)
    rows = select(InternetSpan).where(*overlaps).order_by(InternetSpan.began_at, InternetSpan.id)
    zone, found, reached = ZoneInfo(settings.value("time_zone")), Measured(), since
    for row in db.session.scalars(rows):
        if not row.is_there and row.began_at >= since:
            found.outages[row.began_at.astimezone(zone).date()] += 1
        for hour, seconds in _hours(max(row.began_at, reached), min(row.ended_at, until), zone):
            found.known[hour] += seconds
            if not row.is_there:
                found.out[hour] += seconds
        reached = max(reached, row.ended_at)
    return found


def _hours(
    start: datetime, end: datetime, zone: ZoneInfo
) -> Iterator[tuple[tuple[date, int], int]]:
    """The seconds from one instant to another by day and hour."""
    while start < end:
        local = start.astimezone(zone)
        next_hour = local.replace(minute=0, second=0, microsecond=0) + HOUR
        stop = min(next_hour, end)
        yield (local.date(), local.hour), round((stop - start).total_seconds())
        start = stop
