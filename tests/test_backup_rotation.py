"""Which backups stay."""

from datetime import datetime, timedelta

from clinic.backup_rotation import kept

NOON = datetime(2026, 11, 26, 12)


def every(step: timedelta, count: int, last: datetime = NOON) -> list[datetime]:
    return [last - step * number for number in range(count)]


def test_of_nothing_stays_nothing():
    assert kept([]) == set()


def test_all_of_today_stay_and_of_yesterday_the_newest():
    today = every(timedelta(minutes=15), 20)
    yesterday = every(timedelta(minutes=15), 20, NOON - timedelta(days=1))
    assert kept(today + yesterday) == {*today, yesterday[0]}


def test_days_weeks_months_and_years_of_a_long_life():
    stay = sorted(kept(every(timedelta(days=1), 365 * 30)), reverse=True)
    assert stay[:14] == every(timedelta(days=1), 14)
    weeks = {one.isocalendar()[:2] for one in stay}
    months = {(one.year, one.month) for one in stay}
    assert {(NOON - timedelta(weeks=number)).isocalendar()[:2] for number in range(8)} <= weeks
    assert len({one for one in months if one > (2024, 11)}) == 24
    assert {one.year for one in stay} == set(range(2002, 2027))
    assert len(stay) < 14 + 8 + 24 + 25
    # The newest of its period: the last day of each month, of each year.
    assert datetime(2026, 10, 31, 12) in stay
    assert datetime(2005, 12, 31, 12) in stay


def test_it_settles_day_by_day_as_it_does_at_once():
    """What rotation removed yesterday is never missed tomorrow."""
    at_once = every(timedelta(days=1), 800)
    there: set[datetime] = set()
    for one in reversed(at_once):
        there = kept(there | {one})
    assert there == kept(at_once)


def test_a_clinic_that_was_closed_for_a_year_keeps_its_last_days():
    old = every(timedelta(days=1), 14, NOON - timedelta(days=365))
    assert kept([NOON, *old]) >= {NOON, *old[:13]}


def test_a_clock_in_the_future_never_costs_the_newest():
    ahead = NOON + timedelta(days=3650)
    assert kept([ahead, *every(timedelta(hours=1), 2)]) == {ahead, *every(timedelta(hours=1), 2)}
