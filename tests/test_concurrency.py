"""The real server and many real clients at once: nothing is lost, doubled or skipped.

One server for each engine, started as `make run` starts it, on the suite's own database. Each test
brings people of its own and looks only at them; `check_books` holds for all of them together.
"""

import contextlib
import itertools
import os
import random
import re
import signal
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select, text

from clinic import audit, pairs, queues, slips
from db import db, new_public_id, transaction
from models import (
    AuditEntry,
    DraftKind,
    EntryState,
    Examination,
    Medicine,
    OutboxEntry,
    PairSource,
    PairState,
    Patient,
    PatientMerge,
    PatientVersion,
    Poli,
    QueueEntry,
    QueueEvent,
    RegistrationDraft,
    Slip,
    StockBatch,
    StockMove,
    UnsavedText,
    Visit,
    VisitCorrection,
)
from tests import clients, factories
from tests.browser import LiveServer, children_of, until
from tests.clients import NEW, REASON, Answer, Crew, Draft, Line, Ticket, person
from tests.stored import count

CLERKS = 4
# Two on SQLite: what keeps writers of one file apart must do so between processes too, and each has
# four threads besides. One with eight threads on PostgreSQL, as the clinic starts by itself: that
# server knows connections, whichever process has them.
WEB_PROCESSES = {"sqlite": 2, "postgresql": 1}
serials = itertools.count(1)


@dataclass
class Clinic:
    app: Flask
    server: LiveServer
    crew: Crew
    web_processes: int


@pytest.fixture(scope="module")
def running(databases, engine):
    """Server and clients; the database is the one that this process sees too."""
    app = databases[engine].fresh()
    server = LiveServer(
        ALUR_DATA=str(databases.data),
        DATABASE_URL=app.config["ALUR"].database_url,
        ALUR_WEB_PROCESSES=str(WEB_PROCESSES[engine]),
    )
    try:
        with Crew(server.address, CLERKS) as crew:
            yield Clinic(app, server, crew, WEB_PROCESSES[engine])
    finally:
        server.remove()
        databases[engine].is_dirty = True


@pytest.fixture
def clinic(running):
    with running.app.app_context():
        yield running
        check_books()


def people(count: int, *codes: str) -> list[dict[str, str]]:
    """Forms of people who are new to the clinic, spread over these rooms."""
    return [
        person(serial, codes[serial % len(codes)]) for serial in itertools.islice(serials, count)
    ]


def shares(items: list) -> list[tuple[list]]:
    """The items dealt out to the clerks, as arguments of a job."""
    return [(items[number::CLERKS],) for number in range(CLERKS)]


# --- What must hold whatever has happened -----------------------------------------------------


def check_books() -> None:
    db.session.rollback()
    check_numbers()
    check_saves()
    niks = select(Patient.nik).where(
        ~Patient.is_nik_disputed, Patient.nik.is_not(None), Patient.merged_into_id.is_(None)
    )
    twice = [nik for nik, times in Counter(db.session.scalars(niks)).items() if times > 1]
    assert not twice, "one NIK, two patients"
    assert audit.broken_link() is None
    if db.engine.dialect.name == "sqlite":
        assert db.session.scalars(text("PRAGMA integrity_check")).all() == ["ok"]
        assert db.session.scalars(text("PRAGMA foreign_key_check")).all() == []


def check_numbers() -> None:
    """Every series of numbers runs from 1 without gap or double."""
    series = defaultdict(list)
    for day, letter, number in db.session.execute(
        select(Visit.service_day_id, Visit.series, Visit.number)
    ):
        series[day, letter].append(number)
    for day, place in db.session.execute(select(QueueEntry.service_day_id, QueueEntry.seq)):
        series[day, "arrival"].append(place)
    series["mrn"] = [int(mrn) for mrn in db.session.scalars(select(Patient.mrn))]
    for name, numbers in series.items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), name


def check_saves() -> None:
    """Each saved draft has its one visit, queue entry and outbox row, and nothing has more."""
    saved = select(RegistrationDraft.id, RegistrationDraft.visit_ref).where(
        RegistrationDraft.saved_at.is_not(None),
        RegistrationDraft.kind != DraftKind.IDENTITY,  # a correction makes no visit
    )
    by_draft = select(Visit.draft_id, Visit.public_id).where(Visit.draft_id.is_not(None))
    drafts, visits = (dict(db.session.execute(rows).all()) for rows in (saved, by_draft))
    assert visits == drafts, "a draft without its visit, or the other way round"
    sent = db.session.scalars(select(OutboxEntry.subject_ref)).all()
    assert sorted(sent) == sorted(visits.values())
    entries = select(Visit.public_id, Poli.prefix, Visit.series).join(Visit.entries)
    rows = db.session.execute(entries.join(QueueEntry.poli)).all()
    assert all(row.series in (row.prefix, slips.SERIES) for row in rows)
    assert len({row.public_id for row in rows}) == len(rows) == count(Visit)


def visits_of(drafts: list[str]) -> dict[str, list[Visit]]:
    """The visits of each draft, as the database has them."""
    db.session.rollback()
    found = defaultdict(list)
    rows = select(RegistrationDraft.public_id, Visit).join(
        Visit, Visit.draft_id == RegistrationDraft.id
    )
    for ref, visit in db.session.execute(rows.where(RegistrationDraft.public_id.in_(drafts))):
        found[ref].append(visit)
    return found


def check_tickets(tickets: list[Ticket]) -> None:
    """Each ticket's visit stands in the database, once, as the ticket says."""
    visits = visits_of([ticket.draft for ticket in tickets])
    for ticket in tickets:
        (visit,) = visits[ticket.draft]
        (entry,) = visit.entries
        stored = Ticket(
            ticket.draft, visit.public_id, visit.label, entry.poli.code, entry.public_id
        )
        assert ticket == stored
    assert len({ticket.entry for ticket in tickets}) == len(tickets)


# --- Registration -----------------------------------------------------------------------------


def test_four_counters_register_a_hundred_patients_each(clinic):
    folk = people(400, "UMUM", "GIGI", "LANSIA", "TB", "GIZI")
    before = count(Visit), count(OutboxEntry)
    tickets = sum(clinic.crew.each(clients.register_all, shares(folk)), [])
    check_tickets(tickets)
    assert (count(Visit), count(OutboxEntry)) == (before[0] + len(folk), before[1] + len(folk))
    rooms = Counter(ticket.poli for ticket in tickets)
    assert rooms == Counter(fields["poli"] for fields in folk)


def the_one(answers: list[Answer]) -> str:
    """The ticket to which all of them lead."""
    assert {answer.status for answer in answers} == {303}
    (location,) = {answer.location for answer in answers}
    return location


def test_the_same_save_from_several_processes_and_tabs_is_one_visit(clinic):
    forms = [(NEW, fields) for fields in people(24, "UMUM", "GIGI")]
    drafts = sum(clinic.crew.each(clients.write_drafts, shares(forms)), [])
    # Two, three or four processes in turn, each with a double click.
    rounds = [
        [[draft] if number < 2 + serial % 3 else [] for serial, draft in enumerate(drafts)]
        for number in range(CLERKS)
    ]
    plans = [(plan, 2, REASON) for plan in rounds]
    answers = clinic.crew.each(clients.confirm_together, plans)
    visits = visits_of([draft.ref for draft in drafts])
    for draft, *got in zip(drafts, *answers, strict=True):
        (visit,) = visits[draft.ref]
        assert the_one(sum(got, [])) == f"/pendaftaran/tiket/{visit.public_id}"


def test_an_emergency_that_is_pressed_everywhere_is_one_visit(clinic):
    keys = [new_public_id() for _ in range(10)]
    answers = clinic.crew.alike(clients.press_emergency, keys)
    visits = visits_of(keys)
    for key, *got in zip(keys, *answers, strict=True):
        (visit,) = visits[key]
        assert the_one(got) == f"/pendaftaran/tiket/{visit.public_id}"


def test_a_slip_that_two_clerks_enter_at_once_is_one_visit(clinic):
    with transaction():
        block = slips.print_block(factories.actor(), new_public_id(), 8)
    numbers = range(block.first_number, block.last_number + 1)
    rounds = [
        {"slip": str(number), "at": "00.00", "sex": "L", "why": "BELUM_BAWA", "payer": "UMUM"}
        | {"address": "Jalan Mawar", "complaint": "pusing", "poli": "UMUM", "served": "sudah"}
        for number in numbers
    ]
    one, two, *_ = clinic.crew.alike(clients.enter_slips, rounds)
    db.session.rollback()
    for number, *pages in zip(numbers, one, two, strict=True):
        refused = f"Slip {slips.label(number)} sudah dimasukkan oleh"
        assert sorted(refused in page for page in pages) == [False, True]
        slip = db.session.scalars(select(Slip).where(Slip.number == number)).one()
        labels = select(Visit).where(Visit.label == slips.label(number))
        assert [visit.id for visit in db.session.scalars(labels)] == [slip.visit_id]


@pytest.mark.parametrize("reason", [{}, REASON], ids=["silent", "one reason for all"])
def test_the_same_nik_at_four_counters_is_one_patient(clinic, reason):
    folk = people(10, "UMUM")
    forms = [(NEW, fields) for fields in folk]
    plans = [
        ([[draft] for draft in drafts], 1, reason)
        for drafts in clinic.crew.alike(clients.write_drafts, forms)
    ]
    answers = clinic.crew.each(clients.confirm_together, plans)
    for fields, *got in zip(folk, *answers, strict=True):
        patient = db.session.scalars(select(Patient).where(Patient.nik == fields["nik"])).one()
        saved, *refused = sorted(sum(got, []), key=lambda answer: answer.status)
        assert [saved.status, *(answer.status for answer in refused)] == [303, 422, 422, 422]
        for page in refused:
            assert 'data-rule="NIK-TAKEN"' in page.text
            assert patient.mrn in page.text
            assert f"ini:{patient.public_id}" in page.text


# --- Calling ----------------------------------------------------------------------------------


def waiting(count: int, code: str) -> dict[str, str]:
    """So many more who wait in this room: entry and what is said when it is called."""
    with transaction():
        entries = [
            factories.entry(code, factories.patient(f"Nomor {serial}", birth_date=date(1990, 1, 2)))
            for serial in itertools.islice(serials, count)
        ]
        who = {
            entry.public_id: f"{entry.visit.label} {entry.visit.patient.name}" for entry in entries
        }
    db.session.expire_all()  # others change them now; what this process has read grows old
    return who


def test_four_callers_call_sixty_patients_once_each(clinic):
    who = waiting(60, "IMUN")
    calls = sum(clinic.crew.alike(clients.call_until_empty, "kia", "IMUN"), [])
    assert Counter(call.entry for call in calls) == Counter(who.keys())
    for call in calls:
        assert call.message.startswith(f"Memanggil {who[call.entry]} ke "), "each is told whom"
    entries = db.session.scalars(select(QueueEntry).where(QueueEntry.public_id.in_(who))).all()
    assert {(entry.state, entry.calls) for entry in entries} == {(EntryState.CALLED, 1)}
    events = select(QueueEvent.entry_id).where(
        QueueEvent.action == "panggil", QueueEvent.entry_id.in_([entry.id for entry in entries])
    )
    assert sorted(db.session.scalars(events)) == sorted(entry.id for entry in entries)


def test_one_press_that_arrives_four_times_calls_one_patient(clinic):
    who = waiting(12, "MTBS")
    keys = [new_public_id() for _ in range(10)]
    answers = clinic.crew.alike(clients.press_call, "kia", "MTBS", keys)
    called = []
    for got in zip(*answers, strict=True):
        (call,) = set(got)
        called.append(call.entry)
    assert len(set(called)) == len(keys)
    again = clinic.crew.alike(clients.press_call, "kia", "MTBS", keys[:1])
    assert {call.entry for (call,) in again} == {called[0]}
    db.session.rollback()
    states = select(QueueEntry.state).where(QueueEntry.public_id.in_(who))
    assert Counter(db.session.scalars(states)) == {EntryState.CALLED: 10, EntryState.WAITING: 2}


# --- Dying processes --------------------------------------------------------------------------


def web_server(server: LiveServer) -> int:
    """gunicorn's master."""
    found = children_of(server.process.pid).items()
    return next(pid for pid, name in found if name == "alur-web")


def web_workers(server: LiveServer) -> list[int]:
    """Those that answer, without the background worker beside them."""
    found = children_of(web_server(server)).items()
    return sorted(pid for pid, name in found if name == "alur-web")


def visits_now() -> int:
    db.session.rollback()
    return count(Visit)


def another_visit(before: int) -> int:
    """How many there are when one more than these has been saved."""
    until(lambda: visits_now() > before, "a save between two kills")
    return visits_now()


def kill_workers(server: LiveServer, times: int) -> int:
    """`kill -9` of a web worker, again and again; how many it hit."""
    chance, seen, killed = random.Random(7), visits_now(), 0
    for _ in range(times):
        seen = another_visit(seen)  # on a slow machine too they die at work, not at the start
        time.sleep(chance.uniform(0.3, 0.9))
        if workers := web_workers(server):
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
                killed += 1
    return killed


def test_killed_workers_lose_and_double_nothing(clinic):
    folk = people(2400, "UMUM", "GIGI", "LANSIA")
    clinic.crew.alike(clients.take_seat)
    clinic.crew.start(clients.register_in_storm, shares(folk))
    try:
        killed = kill_workers(clinic.server, 14)
    finally:
        clinic.crew.stop.set()
        ledgers = clinic.crew.results()
    lines = sum(ledgers, [])
    states = Counter(line.state for line in lines)
    assert killed > 10
    assert states[clients.REFUSED] == 0, {line.status for line in lines}
    assert states[clients.OK] > CLERKS
    assert any(line.drops or line.state == clients.UNKNOWN for line in lines), "it was no storm"
    check_books()
    settle_unknown(clinic, ledgers)
    # What was killed last may still be on its way back.
    everybody = clinic.web_processes
    until(lambda: len(web_workers(clinic.server)) == everybody, "all workers again")


def settle_unknown(clinic: Clinic, ledgers: list[list[Line]]) -> None:
    """What was acknowledged is there; what was not is there once or not at all, then once."""
    check_tickets([line.ticket for ledger in ledgers for line in ledger if line.ticket])
    open_drafts: list[list[Draft]] = [
        [line.draft for line in ledger if line.state == clients.UNKNOWN] for ledger in ledgers
    ]
    before = visits_of([draft.ref for drafts in open_drafts for draft in drafts])
    assert all(len(visits) == 1 for visits in before.values())
    stored = {ref: visits[0].label for ref, visits in before.items()}
    settled = sum(clinic.crew.each(clients.settle_all, [(drafts,) for drafts in open_drafts]), [])
    assert all(line.state == clients.OK for line in settled)
    check_tickets([line.ticket for line in settled])
    for line in settled:
        assert line.ticket.label == stored.get(line.draft.ref, line.ticket.label)


# --- One record at several counters -----------------------------------------------------------

CHANGES = [
    {"address": "Jalan Baru 1", "poli": "UMUM"},
    {"phone": "081234567890", "poli": "GIGI"},
    {"mother_name": "Ibu Sulastri", "poli": "TB"},
    {"address": "Jalan Lain 2", "poli": "LANSIA"},
]


def known_to_the_clinic(fields: dict[str, str]) -> str:
    """The public id of a patient who is what this form says."""
    day, month, year = map(int, fields["birth_date"].split("-"))
    given = {name: fields[name] for name in ("nik", "sex", "address")}
    born = date(year, month, day)
    return factories.patient(fields["name"], birth_date=born, village=None, **given).public_id


def overtaken(drafts: list[Draft | None], got: list[list[Answer]]) -> list[Draft | None]:
    """What is still to be saved: a colleague's visit was shown first, the page has a new version.

    None in the place of what is saved.
    """
    left = []
    for draft, answers in zip(drafts, got, strict=True):
        assert {answer.status for answer in answers} <= {303, 409}
        pages = [answer.text for answer in answers if answer.status == 409]
        versions = [re.search(r'name="version" value="(\d+)"', page)[1] for page in pages]
        left.append(replace(draft, version=versions[0]) if versions else None)
    return left


def test_clerks_who_change_one_patient_at_once_keep_each_others_changes(clinic):
    folk = [(known_to_the_clinic(fields), fields) for fields in people(8, "UMUM")]
    forms = [
        ([(f"/pendaftaran/pasien/{ref}", fields | change) for ref, fields in folk],)
        for change in CHANGES
    ]
    left = clinic.crew.each(clients.write_drafts, forms)
    for _ in CHANGES:
        plans = [([[draft] if draft else [] for draft in drafts], 1, REASON) for drafts in left]
        answers = clinic.crew.each(clients.confirm_together, plans)
        left = [overtaken(*mine) for mine in zip(left, answers, strict=True)]
    assert not any(sum(left, [])), "each round at least one clerk of each patient saves"
    db.session.rollback()
    for ref, fields in folk:
        patient = db.session.scalars(select(Patient).where(Patient.public_id == ref)).one()
        assert (patient.phone, patient.mother_name) == ("+6281234567890", "Ibu Sulastri")
        steps = select(PatientVersion).where(PatientVersion.patient_id == patient.id)
        versions = db.session.scalars(steps.order_by(PatientVersion.version)).all()
        assert [step.version for step in versions] == list(range(1, patient.version))
        # Two wrote an address: the later one counts, the other stands in the history.
        addresses = [step.before["address"] for step in versions if "address" in step.before]
        assert addresses[0] == fields["address"]
        assert {*addresses[1:], patient.address} == {"Jalan Baru 1", "Jalan Lain 2"}


# --- The records staff at once ------------------------------------------------------------------

WHY = {"alasan": "sesuai KTP yang dibawa"}
STAFF = ["rekammedis", "kepala", "rekammedis", "kepala"]


def one_person_twice(fields: dict[str, str]) -> tuple[str, str, str]:
    """Public ids of two records of one person and of the pair that somebody made of them."""
    known = known_to_the_clinic(fields)
    again = factories.patient(f"{fields['name']} X", sex=fields["sex"], no_nik_reason="LUPA_KARTU")
    with transaction():
        patient = db.session.scalars(select(Patient).where(Patient.public_id == known)).one()
        double = db.session.get_one(Patient, again.id)
        counter, is_open = PairSource.COUNTER, PairState.OPEN
        pair = pairs.note(audit.SYSTEM, patient, double, is_open, source=counter)
        return known, double.public_id, pair.public_id


def test_staff_who_merge_one_pair_at_once_merge_it_once(clinic):
    """Some keep the older record, some the newer: without a look inside the save, both would go."""
    doubles = [one_person_twice(fields) for fields in people(8, "UMUM")]
    plans = []
    for number, username in enumerate(STAFF):
        path = "/rekam-medis/pasangan/{}"
        fields = {"utama": ("satu", "dua")[number // 2], "alasan": "orang yang sama"}
        forms = [
            (path.format(pair), fields | {"to": f"{path.format(pair)}/gabung"})
            for *_, pair in doubles
        ]
        plans.append((username, forms))
    answers = clinic.crew.each(clients.press_together, plans)
    db.session.rollback()
    for (one, other, _), *got in zip(doubles, *answers, strict=True):
        done, *refused = sorted(got, key=lambda answer: answer.status)
        assert done.status == 303
        assert {answer.status for answer in refused} <= {409, 422}
        assert all('role="alert"' in answer.text for answer in refused), "a sentence for the others"
        both = select(Patient).where(Patient.public_id.in_([one, other]))
        records = db.session.scalars(both).all()
        assert len([record for record in records if record.merged_into_id is None]) == 1
        merges = select(PatientMerge).where(PatientMerge.loser_id.in_([r.id for r in records]))
        assert len(db.session.scalars(merges).all()) == 1


def test_staff_who_correct_one_identity_at_once_change_it_once(clinic):
    folk = [(known_to_the_clinic(fields), fields) for fields in people(8, "UMUM")]
    forms = [
        (
            username,
            [
                (f"/pasien/{ref}/identitas", fields | {"mother_name": f"Ibu {word}", **WHY})
                for ref, fields in folk
            ],
        )
        for username, word in zip(STAFF, ("Ani", "Budi", "Citra", "Dewi"), strict=True)
    ]
    pages = clinic.crew.each(clients.correct_identity, forms)
    plans = [
        (username, [(page, REASON) for page in found])
        for username, found in zip(STAFF, pages, strict=True)
    ]
    answers = clinic.crew.each(clients.press_together, plans)
    db.session.rollback()
    for (ref, _), *got in zip(folk, *answers, strict=True):
        assert sorted(answer.status for answer in got) == [303, 409, 409, 409]
        assert all("baru saja diubah" in answer.text for answer in got if answer.status == 409)
        patient = db.session.scalars(select(Patient).where(Patient.public_id == ref)).one()
        steps = select(PatientVersion).where(PatientVersion.patient_id == patient.id)
        (step,) = db.session.scalars(steps).all()
        assert step.before == {"mother_name": None}


# --- In the room at once ------------------------------------------------------------------------


def served(count: int, code: str) -> list[tuple[int, str, str]]:
    """Id, public id and visit of so many more who are being examined in this room."""
    entries = select(QueueEntry).where(QueueEntry.public_id.in_(waiting(count, code)))
    with transaction():
        found = db.session.scalars(entries).all()
        for entry in found:
            queues.act(factories.actor("umum"), entry, "mulai")
        return [(entry.id, entry.public_id, entry.visit.public_id) for entry in found]


def test_what_is_typed_and_a_save_at_the_same_moment_lose_nothing(clinic):
    """One tab saves while its own last text is still on the way; two further tabs send theirs."""
    entries = served(8, "TB")
    plans = []
    for number in range(CLERKS):
        forms = []
        for _, ref, visit in entries:
            path = f"/kunjungan/{visit}"
            fields = {"aksi": "simpan", "entry": ref, "subjective": f"tab {number}"}
            fields |= {"ketikan": "satu"} if number < 2 else {}
            forms.append((path, fields | ({"to": f"{path}/ketikan?ke=1"} if number else {})))
        plans.append(("umum", forms))
    answers = clinic.crew.each(clients.press_together, plans)
    db.session.rollback()
    for (entry, *_), *got in zip(entries, *answers, strict=True):
        assert [answer.status for answer in got] == [303, 201, 201, 201]
        saved = select(Examination.subjective).where(Examination.entry_id == entry)
        assert db.session.scalars(saved).all() == ["tab 0"]
        texts = select(UnsavedText).where(UnsavedText.entry_id == entry)
        kept = [dict(row.fields)["subjective"] for row in db.session.scalars(texts) if row.fields]
        assert sorted(kept) == ["tab 2", "tab 3"], "the saved form's own text is gone with it"


# --- The wrong patient ------------------------------------------------------------------------

MOVERS = ("loket", "kepala", "umum", "umum")


def test_a_visit_that_two_move_while_two_write_in_it_moves_once_and_mixes_nobody_up(clinic):
    """Each sends a page of the wrong patient; who comes after the move is told and writes nothing.

    Texts that came before the move go with the visit, which then only the head may move.
    """
    entries = served(8, "UMUM")
    before = {visit: patient_of(visit) for *_, visit in entries}
    rights = [[known_to_the_clinic(one) for one in people(len(entries), "UMUM")] for _ in range(2)]
    plans = []
    for number, username in enumerate(MOVERS):
        forms = []
        for place, (_, ref, visit) in enumerate(entries):
            if number < 2:
                path = f"/pendaftaran/kunjungan/{visit}/ubah"
                fields = {"aksi": "ganti_pasien", "patient": rights[number][place]}
                fields |= {"alasan_pasien": "salah orang, sudah ditanya"}
            else:
                path = f"/kunjungan/{visit}"
                fields = {"aksi": "simpan", "entry": ref, "subjective": f"tab {number}"}
            forms.append((path, fields))
        plans.append((username, forms))
    answers = clinic.crew.each(clients.press_together, plans)
    db.session.rollback()
    for place, ((entry, _, visit), *got) in enumerate(zip(entries, *answers, strict=True)):
        moves, saves = got[:2], got[2:]
        (mover,) = [number for number, answer in enumerate(moves) if answer.status == 303]
        assert moves[1 - mover].status == 409
        assert patient_of(visit) == rights[mover][place]
        fields = select(VisitCorrection.before, VisitCorrection.after).join(Visit)
        (kept,) = db.session.execute(fields.where(Visit.public_id == visit)).all()
        assert kept == (before[visit], rights[mover][place])
        texts, trail = written_in(entry)
        saved = [number for number, answer in enumerate(saves, 2) if answer.status == 303]
        refused = [answer.status for answer in saves if answer.status != 303]
        assert texts == [f"tab {number}" for number in saved]
        assert refused == [409] * (2 - len(texts))
        # Nothing came onto the right patient's record by a page of the wrong one.
        assert trail == [before[visit]] * len(texts)


def written_in(entry: int) -> tuple[list[str], list[str]]:
    """The examination's text, and on whose record it was written."""
    rows = select(Examination.subjective, Examination.public_id)
    found = db.session.execute(rows.where(Examination.entry_id == entry)).all()
    trail = select(AuditEntry.patient_ref).where(
        AuditEntry.object_ref.in_([ref for _, ref in found]),
        AuditEntry.action == "save_examination",
    )
    return [text for text, _ in found], list(db.session.scalars(trail))


def patient_of(visit: str) -> str:
    """The public id of whose visit it is now."""
    found = select(Patient.public_id).join(Visit, Visit.patient_id == Patient.id)
    return db.session.scalars(found.where(Visit.public_id == visit)).one()


# --- The pharmacy's stock ---------------------------------------------------------------------

PHARMACISTS = ("farmasi", "kepala", "farmasi", "kepala")


def stock_of(code: str) -> tuple[list[StockBatch], list[StockMove]]:
    db.session.rollback()
    mine = select(StockBatch).join(StockBatch.medicine).where(Medicine.code == code)
    batches = list(db.session.scalars(mine))
    moves = select(StockMove).where(StockMove.batch_id.in_([batch.id for batch in batches]))
    return batches, list(db.session.scalars(moves.order_by(StockMove.id)))


def test_four_people_at_one_box_lose_no_move(clinic):
    form = {"number": "BERSAMA", "expires_on": "12-2099", "quantity": "3"}
    once = form | {"key": new_public_id()}  # one page that everybody sends
    path, to = "/farmasi/stok/IBU400/terima", {"to": "/farmasi/stok/IBU400/terima"}
    forms = [(path, form | to)] * 6 + [(path, once | to)]
    answers = clinic.crew.each(clients.press_together, [(name, forms) for name in PHARMACISTS])
    assert {answer.status for answer in sum(answers, [])} == {303}
    (batch,), moves = stock_of("IBU400")
    assert len(moves) == 4 * 6 + 1
    assert [move.balance_after for move in moves] == [3 * n for n in range(1, len(moves) + 1)]
    assert batch.balance == 3 * len(moves)

    path = f"/farmasi/batch/{batch.public_id}"
    counted = {"counted": "70", "reason": "stok opname", "to": f"{path}/koreksi"}
    plans = [(name, [(path, counted)]) for name in PHARMACISTS]
    statuses = [
        answer.status for answer in sum(clinic.crew.each(clients.press_together, plans), [])
    ]
    assert sorted(statuses) == [303, 409, 409, 409]
    (batch,), moves = stock_of("IBU400")
    assert (batch.balance, moves[-1].quantity) == (70, -5)
