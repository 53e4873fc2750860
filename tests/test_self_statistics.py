"""What Alur measures of itself: definitions, on both databases."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from clinic import days, pairs, queues, self_statistics
from clinic.self_statistics import Period
from db import db, transaction, utcnow
from models import (
    DraftKind,
    EntryState,
    Override,
    PairSource,
    PairState,
    QueueEntry,
    RegistrationDraft,
    Visit,
    VisitCorrection,
    VisitStatus,
)
from tests import factories
from tests.databases import count_queries
from tests.pages import post
from tests.test_registration import FIELDS, register


def today() -> Period:
    return Period(days.clinic_date(), days.clinic_date())


def first_row() -> self_statistics.Row:
    return self_statistics.overview(self_statistics.periods("hari", today().first))[0]


def registered(*seconds: int) -> None:
    """Visits that took so long from the opened form to the save."""
    with transaction():
        for took in seconds:
            now = utcnow()
            draft = RegistrationDraft(
                kind=DraftKind.NEW,
                user_id=factories.user().id,
                drafted_on=days.clinic_date(),
                fields={},
                opened_at=now - timedelta(seconds=took),
                saved_at=now,
            )
            db.session.add(draft)
            db.session.flush()
            factories.visit(draft_id=draft.id)


def test_periods_lie_side_by_side():
    day = date(2026, 3, 4)  # a Wednesday
    assert self_statistics.periods("hari", day, 2) == [
        Period(day, day),
        Period(date(2026, 3, 3), date(2026, 3, 3)),
    ]
    assert self_statistics.periods("minggu", day, 2) == [
        Period(date(2026, 3, 2), date(2026, 3, 8)),
        Period(date(2026, 2, 23), date(2026, 3, 1)),
    ]
    assert self_statistics.periods("bulan", day, 2) == [
        Period(date(2026, 3, 1), date(2026, 3, 31)),
        Period(date(2026, 2, 1), date(2026, 2, 28)),
    ]


def test_an_empty_clinic_shows_no_figures(app):
    row = first_row()
    assert (row.visits, row.seconds.count, row.seconds.median) == (0, 0, None)
    assert row.per_thousand(row.moved) is None
    assert self_statistics.waits(today()) == []


@pytest.mark.parametrize(
    ("seconds", "median", "p90"),
    [([30], 30, 30), ([40, 20], 20, 40), ([90, *range(10, 19)], 14, 18), ([7, 5, 900], 7, 900)],
)
def test_median_and_ninth_decile_of_a_registration(app, seconds, median, p90):
    registered(*seconds)
    spread = first_row().seconds
    assert (spread.count, spread.median, spread.p90) == (len(seconds), median, p90)


def test_corrections_and_wrong_rooms_per_thousand(app):
    entries = [factories.entry() for _ in range(4)]
    actor = factories.actor("umum")
    with transaction():
        for field in ("payer", "complaint"):  # one visit, corrected in two fields
            db.session.add(
                VisitCorrection(
                    visit_id=entries[0].visit_id,
                    field=field,
                    before="",
                    after="",
                    reason="salah",
                    corrected_by_id=actor.user_id,
                )
            )
        for entry in entries[1:3]:
            queues.act(actor, db.session.merge(entry), "pindah", "salah poli", factories.poli("TB"))
        queues.act(actor, db.session.merge(entries[2]), "urungkan")
    row = first_row()
    assert (row.visits, row.corrected, row.moved) == (4, 1, 1)
    assert row.per_thousand(row.moved) == 250


def test_paper_and_cancelled_visits_are_not_counted(app):
    factories.visit()
    with transaction():
        factories.visit().status = VisitStatus.CANCELLED
        factories.visit(source="paper")
    assert first_row().visits == 1


def test_duplicates_raised_and_answered(app):
    people = [factories.patient(f"Siti {name}") for name in ("Aminah", "Rahayu", "Zahra")]
    with transaction():
        one, two, three = (db.session.merge(person) for person in people)
        note = factories.actor(), one
        pairs.note(*note, two, PairState.OPEN, source=PairSource.COUNTER)
        pairs.note(*note, three, PairState.DIFFERENT, source=PairSource.COUNTER)
    row = first_row()
    assert (row.raised, row.different, row.merged) == (2, 1, 0)


def test_waiting_time_by_room(app):
    entries = [factories.entry(code) for code in ("UMUM", "UMUM", "GIGI", "GIGI")]
    with transaction():
        for entry, minutes in zip(entries, (10, 30, 5, None), strict=True):
            started = entry.queued_at + timedelta(minutes=minutes) if minutes else None
            db.session.execute(
                update(QueueEntry)
                .where(QueueEntry.id == entry.id)
                .values(started_at=started, state=EntryState.DONE)
            )
    found = dict(self_statistics.waits(today()))
    umum, gigi = (found[factories.poli(code).name] for code in ("UMUM", "GIGI"))
    assert (umum.count, umum.median, umum.p90) == (2, 600, 1800)
    assert (gigi.count, gigi.median) == (1, 300)


def test_nobody_waited_for_a_room_that_was_wrong_or_a_visit_that_was_cancelled(app):
    registered(30)
    for last in ((), ("pindah", "salah poli", "GIZI"), ("batal", "salah daftar")):
        entry = factories.entry()
        for action, *said in filter(None, (("panggil",), ("mulai",), last)):
            with transaction():
                more = [factories.poli(each) if each == "GIZI" else each for each in said]
                here = db.session.get(QueueEntry, entry.id)
                queues.act(factories.actor("kepala"), here, action, *more)
    with transaction():
        drafted = db.session.scalars(select(Visit).where(Visit.draft_id.is_not(None))).one()
        drafted.status = VisitStatus.CANCELLED
    assert dict(self_statistics.waits(today()))[factories.poli().name].count == 1
    assert first_row().seconds.count == 0


def test_warnings_by_rule_with_their_reasons(sign_in):
    visit = factories.visit()
    with transaction():
        for rule, level, reason in (("W1", "warning", "ya"), ("P1", "info", "")):
            db.session.add(
                Override(
                    visit_id=visit.id,
                    rule=rule,
                    level=level,
                    message="",
                    reason=reason,
                    recorded_by_id=factories.user().id,
                )
            )
    found = {one.rule: (one.shown, one.with_reason) for one in self_statistics.overridden(today())}
    assert found == {"W1": (1, 1), "P1": (1, 0)}
    page = sign_in("kepala").get("/statistik").get_data(as_text=True)
    assert (
        "</b> Anak berumur … dengan keluhan sakit dilayani di ruang lain, bukan ruang ini." in page
    )


def test_the_form_remembers_when_it_was_opened(sign_in):
    clerk = sign_in("loket")
    page = clerk.get("/pendaftaran/baru").get_data(as_text=True)
    assert 'name="dibuka"' in page
    opened = int(utcnow().timestamp()) - 75
    register(clerk, dibuka=str(opened))
    spread = first_row().seconds
    assert spread.count == 1
    assert spread.median >= 75
    post(clerk, "/pendaftaran/baru", FIELDS | {"dibuka": "99999999999", "name": "Dari Masa Depan"})
    drafts = select(RegistrationDraft.opened_at).order_by(RegistrationDraft.id.desc())
    assert db.session.scalars(drafts).first() is None


def test_the_page_for_those_who_run_the_clinic(sign_in):
    registered(40, 200)
    for username in ("kepala", "rekammedis", "ti"):
        page = sign_in(username).get("/statistik?per=bulan").get_data(as_text=True)
        assert "40 dtk" in page
        assert "Tidak diukur" in page
    assert sign_in("loket").get("/statistik").status_code == 403
    page = sign_in("kepala").get("/statistik?per=tahun&sampai=kemarin")
    assert page.status_code == 200


@pytest.mark.parametrize(
    ("username", "desk"),
    [("kepala", "/sistem"), ("ti", "/sistem"), ("rekammedis", "/rekam-medis")],
)
def test_the_page_stands_among_the_tabs_that_lead_to_it(sign_in, username, desk):
    page = sign_in(username).get("/statistik").get_data(as_text=True)
    menu, tabs = re.findall(r"<nav.*?</nav>", page, re.S)[:2]
    assert re.search(f'href="{desk}" aria-current="page"', menu)
    assert re.findall(r'href="([^"]+)" aria-current="page"', tabs) == ["/statistik"]
    assert tabs.count("<a ") > 3


def test_as_many_queries_for_many_visits_as_for_none(sign_in):
    client = sign_in("ti")
    client.get("/statistik")
    with count_queries() as few:
        client.get("/statistik")
    registered(*range(20))
    with count_queries() as many:
        client.get("/statistik")
    assert len(many) == len(few)
    assert db.session.scalars(select(Visit)).first() is not None


@pytest.mark.parametrize("typed", ["01-01-0001", "0001-01-01", "31-12-9999", "01-01-1900"])
@pytest.mark.parametrize("kind", list(self_statistics.KINDS))
def test_a_day_at_the_edge_of_the_calendar_is_answered(sign_in, typed, kind):
    ti = sign_in("ti")
    assert ti.get(f"/statistik?per={kind}&sampai={typed}").status_code == 200
    assert ti.get(f"/statistik/internet.csv?per={kind}&sampai={typed}").status_code == 200
