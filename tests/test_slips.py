"""Paper slips: numbers printed once, and lines that become visits by the counter's rules."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

import timekeeping
from clinic import audit, days, queues, slips
from db import db, new_public_id, transaction, utcnow
from models import (
    AuditEntry,
    OutboxEntry,
    Patient,
    QueueEntry,
    RegistrationDraft,
    ServiceDay,
    Slip,
    Visit,
)
from tests import factories
from tests.pages import post
from tests.stored import count

SHEET = "/pendaftaran/kertas/isi"
LINE = {
    "at": "00.01",
    "name": "Wayan Sukarta",
    "born": "41 th",
    "sex": "L",
    "number": "",
    "why": "BELUM_BAWA",
    "address": "Jalan Mawar 3",
    "village": "",
    "payer": "UMUM",
    "complaint": "batuk dan pilek",
    "poli": "UMUM",
    "served": "sudah",
}


@pytest.fixture
def block(app):
    """A block that was printed a week ago; it is later than the slips' times, 00.05 at most."""
    just_after_midnight = days.clinic_date(utcnow() - timedelta(minutes=6)) != today()
    if just_after_midnight:
        timekeeping.adopt(timekeeping.system_now(), 360)
    with transaction():
        made = slips.print_block(factories.actor(), new_public_id(), 6)
        made.printed_at = utcnow() - timedelta(days=7)
    yield made
    if just_after_midnight:
        timekeeping.adopt(timekeeping.system_now(), 0)


@pytest.fixture
def clerk(sign_in):
    return sign_in("loket")


def today():
    return days.clinic_date()


def line(index: int, slip: int, **changes: str) -> dict[str, str]:
    fields = LINE | {"slip": str(slip), "name": f"Wayan {'ABCDEF'[slip % 6]} Sukarta"} | changes
    return {f"{name}-{index}": text for name, text in fields.items()}


def send(clerk, *lines: dict[str, str], action="periksa", on=None, **more: str):
    """Send a sheet; its page afterwards."""
    fields = {"tanggal": f"{on or today():%d-%m-%Y}", "aksi": action} | more
    for one in lines:
        fields |= one
    response = post(clerk, SHEET, fields)
    assert response.status_code == 303, response.get_data(as_text=True)
    return clerk.get(response.location).get_data(as_text=True)


def known(page: str) -> dict[str, str]:
    """The hidden fields by which a page's lines are known again."""
    return dict(re.findall(r'name="((?:draft|version|ditanya)-\d+)" value="([^"]+)"', page))


def enter(clerk, *lines: dict[str, str], on=None, **more: str) -> str:
    """Check and save."""
    page = send(clerk, *lines, on=on)
    return send(clerk, *lines, action="simpan", on=on, **known(page) | more)


def visits() -> list[Visit]:
    return list(db.session.scalars(select(Visit).order_by(Visit.id)))


# --- Blocks -----------------------------------------------------------------------------------


def test_numbers_are_printed_once_whoever_presses_how_often(app):
    key = new_public_id()
    with transaction():
        first = slips.print_block(factories.actor(), key, 5)
        again = slips.print_block(factories.actor(), key, 5)
        second = slips.print_block(factories.actor("kepala"), new_public_id(), 3)
    assert first is again
    assert (first.first_number, first.last_number) == (1, 5)
    assert (second.first_number, second.last_number) == (6, 8)
    assert list(db.session.scalars(select(Slip.number).order_by(Slip.number))) == [*range(1, 9)]


def test_a_block_is_printed_with_its_numbers_and_only_at_first(clerk):
    clerk.get("/pendaftaran/kertas")
    sent = {"kunci": new_public_id(), "jumlah": "30"}
    address = post(clerk, "/pendaftaran/kertas/cetak", sent).location
    assert post(clerk, "/pendaftaran/kertas/cetak", sent).location == address
    page = clerk.get(address).get_data(as_text=True)
    assert re.findall(r'data-slip="(\w+)"', page) == [f"KT{n:03d}" for n in range(1, 31)]
    with transaction():
        db.session.scalars(select(Slip)).first().block.printed_at -= timedelta(hours=1)
    page = clerk.get(address).get_data(as_text=True)
    assert "data-slip" not in page
    assert "tidak dapat dicetak lagi" in page


@pytest.mark.engines("sqlite")
def test_who_came_before_the_slips_were_printed_that_day_can_be_entered(block):
    with transaction():
        db.session.merge(block).printed_at = utcnow()
    paper = {"slip": "1", "on": f"{today()}", "at": "00.00", "served": "sudah"}
    assert slips.read(paper).number == 1
    with pytest.raises(slips.SlipError, match="baru dicetak"):
        slips.read(paper | {"on": f"{today() - timedelta(days=1)}"})


def test_a_void_slip_says_who_voided_it(clerk, block):
    asked = {"slip": "kt002", "alasan": ""}
    assert post(clerk, "/pendaftaran/kertas/batal", asked).status_code == 422
    voided = post(clerk, "/pendaftaran/kertas/batal", asked | {"alasan": "sobek"})
    assert voided.status_code == 303
    page = enter(clerk, line(1, 2))
    assert "Slip KT002 ditandai batal oleh Rina Wulandari" in page
    assert count(Visit) == 0
    ((_, entered, void),) = slips.blocks()
    assert (entered, void) == (0, 1)


# --- Entering ---------------------------------------------------------------------------------


def test_lines_become_visits_with_their_real_time(clerk, block):
    waiting = {"served": "menunggu", "poli": "GIGI", "complaint": "sakit gigi"}
    page = enter(clerk, line(1, 1), line(2, 2, **waiting))
    assert "2 slip tersimpan" in page
    one, two = visits()
    assert (one.label, one.series, one.number) == ("KT001", "KT", 1)
    assert (two.label, two.series, two.number) == ("KT002", "KT", 2)
    assert one.source == "paper"
    assert days.clinic_date(one.occurred_at) == today()
    assert one.occurred_at < one.recorded_at
    assert (one.status, one.entries[0].state) == ("finished", "done")
    assert one.entries[0].started_at is None  # nobody knows, so nobody says
    assert (two.status, two.entries[0].state) == ("open", "waiting")
    assert two.entries[0].queued_at == two.occurred_at
    by_number = db.session.scalars(select(Slip).order_by(Slip.number).limit(2))
    assert [slip.unwritten_since is None for slip in by_number] == [False, True]
    assert count(OutboxEntry) == 2
    actions = list(db.session.scalars(select(AuditEntry.action)))
    assert actions.count("register_visit") == actions.count("enter_slip") == 2
    assert audit.broken_link() is None
    ticket = clerk.get(f"/pendaftaran/tiket/{one.public_id}").get_data(as_text=True)
    assert "Dicatat belakangan" in ticket


def test_a_birth_year_on_a_slip_is_kept_and_a_coming_one_refused(clerk, block):
    next_year = str(today().year + 1)
    page = enter(clerk, line(1, 1, born="1986"), line(2, 2, born=next_year))
    assert "1 slip tersimpan" in page
    assert "belum terjadi" in page
    assert visits()[0].patient.birth_date.isoformat() == "1986-07-01"


def test_a_line_typed_before_midnight_stays_when_it_is_saved_after_it(clerk, block):
    sent = line(1, 1)
    page = send(clerk, sent)
    with transaction():
        db.session.scalars(select(RegistrationDraft)).one().drafted_on -= timedelta(days=1)
    again = send(clerk, sent, action="simpan", **known(page))
    assert "1 baris belum disimpan" in again
    assert 'value="Wayan B Sukarta"' in again
    assert "1 slip tersimpan" in send(clerk, sent, action="simpan", **known(again))
    assert count(Visit) == 1


def test_the_same_sheet_sent_again_changes_nothing(clerk, block):
    sent = [line(1, 1), line(2, 2)]
    page = send(clerk, *sent)
    assert known(send(clerk, *sent)) == known(page)  # "Periksa" twice: the same drafts
    for _ in range(2):
        send(clerk, *sent, action="simpan", **known(page))
    assert count(Visit) == count(Patient) == count(RegistrationDraft) == 2


def test_a_slip_is_entered_once_and_says_by_whom(clerk, sign_in, block):
    enter(clerk, line(1, 1))
    page = enter(sign_in("kepala"), line(1, 1, name="Orang Lain"))
    assert "Slip KT001 sudah dimasukkan oleh Rina Wulandari" in page
    assert count(Visit) == 1


def test_nothing_is_saved_that_was_not_shown_first(clerk, block):
    page = send(clerk, line(1, 1), action="simpan")
    assert count(Visit) == 0
    page = send(clerk, line(1, 1, sex="P"), action="simpan", **known(page))
    assert count(Visit) == 0
    send(clerk, line(1, 1, sex="P"), action="simpan", **known(page))
    assert [visit.patient.sex for visit in visits()] == ["P"]


def test_what_is_wrong_is_said_and_stays_typed(clerk, block):
    lines = [
        line(1, 1, born="31-02-1980", name="Tetap Ada"),
        line(2, 999),
        line(3, 3, at="25.00"),
        line(4, 4, poli=""),
    ]
    page = enter(clerk, *lines)
    assert 'value="Tetap Ada"' in page
    for sentence in (
        "Tanggal 31-02-1980 tidak ada",
        "KT999 tidak pernah dicetak",
        "Isi jam seperti 08.15",
        "Pilih ruang tujuan",
    ):
        assert sentence in page
    assert count(Visit) == 0
    page = send(clerk, *lines, action="buang:2", **known(page))
    assert "KT999" not in page


def test_a_slip_has_its_time_between_its_print_and_now(block):
    for day, sentence in ((1, "belum lewat"), (-30, "baru dicetak")):
        on = (today() + timedelta(days=day)).isoformat()
        with pytest.raises(slips.SlipError, match=sentence):
            slips.read({"slip": "1", "on": on, "at": "1200"})


def test_warnings_ask_for_their_reason_as_at_the_counter(clerk, block):
    child = line(1, 1, born="2 th", poli="LANSIA")
    page = enter(clerk, child)
    rules = re.findall(r'data-rule="([A-Z0-9-]+)" data-level="(?:warning|error)"', page)
    assert "MOTHER-1" in rules
    assert count(Visit) == 0
    reasons = {f"alasan-1-{rule}": "ditulis di slip" for rule in rules}
    send(clerk, child, action="simpan", **known(page) | reasons)
    assert count(Visit) == 1


@pytest.mark.parametrize(("served", "level"), [("sudah", "info"), ("menunggu", "warning")])
def test_nobody_is_brought_to_the_emergency_room_who_was_served_hours_ago(
    clerk, block, served, level
):
    grave = line(1, 1, complaint="sesak berat", served=served, at="00.00")
    page = send(clerk, grave)
    assert f'data-rule="R1" data-level="{level}"' in page
    assert ("Antar pasien ke" in page) == (level == "warning")
    check = re.search(r'name="draft-1" value="([^"]+)"', page)[1]
    whole = clerk.get(f"/pendaftaran/periksa/{check}").get_data(as_text=True)
    assert ("R1-banner" in whole) == (level == "warning")
    send(clerk, grave, action="simpan", **known(page))
    assert count(Visit) == (level == "info")


def test_a_likely_patient_is_asked_about_and_taken(clerk, block):
    siti = factories.patient()
    hers = line(1, 1, name="Siti Aminah", born="14-05-1985", sex="P", number=siti.nik)
    page = enter(clerk, hers)
    assert 'data-rule="NIK-TAKEN"' in page
    assert count(Visit) == 0
    ref = siti.public_id
    page = send(clerk, hers, **known(page) | {f"jawab-1-{ref}": "ini"})
    assert f'RM <b class="num">{siti.mrn}</b>' in page
    send(clerk, hers, action="simpan", **known(page) | {f"jawab-1-{ref}": "ini"})
    assert [visit.patient for visit in visits()] == [db.session.get(Patient, siti.id)]
    assert count(Patient) == 1


def test_somebody_alike_must_be_answered_about(clerk, block):
    siti = factories.patient(phone="081234567890")
    hers = line(1, 1, name="Siti Aminah", born="14-05-1985", sex="P", address=siti.address)
    page = enter(clerk, hers, village="Tirta Alur")
    assert f'data-patient="{siti.public_id}"' in page
    if 'data-level="strong"' in page:
        assert count(Visit) == 0
    send(clerk, hers, action="simpan", **known(page) | {f"jawab-1-{siti.public_id}": "beda"})
    assert count(Patient) == 2


def test_the_focus_is_where_the_next_answer_belongs(clerk, block):
    def focused(page: str) -> list[str]:
        return [
            re.search(r'name="([^"]+)"', tag)[1] for tag in re.findall("<[^>]* autofocus>", page)
        ]

    assert focused(clerk.get(SHEET).get_data(as_text=True)) == ["slip-1"]
    siti = factories.patient()
    ready, wrong = line(1, 1), line(2, 2, born="31-02-1980")
    hers = line(3, 3, name="Siti Aminah", born="14-05-1985", sex="P", number=siti.nik)
    page = send(clerk, ready, wrong, hers)
    assert focused(page) == ["born-2"], "a checked line is folded, one with a mistake open"
    assert re.findall(r"<details( open)?>", page) == ["", " open", ""]
    mended = line(2, 2)
    page = send(clerk, ready, mended, hers, **known(page))
    ref = siti.public_id
    assert focused(page) == [f"jawab-3-{ref}"]
    page = send(clerk, ready, mended, hers, **known(page) | {f"jawab-3-{ref}": "beda"})
    assert focused(page) == ["alasan-3-NIK-TAKEN"]
    said = {f"jawab-3-{ref}": "beda", "alasan-3-NIK-TAKEN": "tertulis di slip"}
    assert focused(send(clerk, ready, mended, hers, **known(page) | said)) == []


def test_a_nurse_knows_no_slips(sign_in):
    assert sign_in("umum").get(SHEET).status_code == 403


# --- Another day ------------------------------------------------------------------------------


def test_a_past_day_gets_its_visits_and_todays_queue_goes_on(clerk, sign_in, block):
    live = factories.entry()
    room = sign_in("umum")
    rows = room.get("/poli/UMUM").get_data(as_text=True)
    version = re.search(r'data-version="([^"]+)"', rows)[1]
    past = today() - timedelta(days=2)
    enter(clerk, line(1, 1), on=past)
    visit = visits()[-1]
    assert visit.service_day.on == past
    assert visit.service_day.closed_at is not None
    assert visit.age_years == 41
    assert days.latest_day().on == today()
    assert days.current_day().id == live.service_day_id
    assert room.get(f"/poli/UMUM/baris?v={version}").status_code == 204
    assert db.session.get(QueueEntry, live.id).state == "waiting"
    page = enter(clerk, line(1, 2, served="menunggu"), on=past)
    assert "hanya pasien hari ini" in page


@pytest.mark.parametrize("typed", ["26-11-26", "31-02-2026", "", "tomorrow"])
def test_a_date_that_is_not_one_saves_nothing_and_is_asked_about_where_it_was_typed(
    clerk, block, typed
):
    if typed == "tomorrow":
        typed = f"{today() + timedelta(days=1):%d-%m-%Y}"
    siti = factories.patient()
    hers = line(2, 2, name="Siti Aminah", born="14-05-1985", sex="P", number=siti.nik)
    both = line(1, 1) | hers
    before = known(send(clerk, both)) | {f"jawab-2-{siti.public_id}": "ini"}
    papers = [draft.paper for draft in db.session.scalars(select(RegistrationDraft))]
    wrong = {"tanggal": typed, "aksi": "simpan", **both, **line(3, 3), **before}
    page = post(clerk, SHEET, wrong)
    assert page.status_code == 422 and count(Visit) == 0
    assert [draft.paper for draft in db.session.scalars(select(RegistrationDraft))] == papers
    text = page.get_data(as_text=True)
    field = re.search(r'<input id="f-tanggal"[^>]*>', text)[0]
    assert f'value="{typed}"' in field and 'aria-invalid="true"' in field and "autofocus" in field
    assert "Belum ada yang disimpan." in text and "Siap disimpan" not in text
    assert text.count(" Sukarta") == 2 and "Siti Aminah" in text
    assert before.items() <= dict(re.findall(r'name="([^"]+)" value="([^"]+)"', text)).items()
    past = today() - timedelta(days=2)
    sent = wrong | {"tanggal": f"{past:%d-%m-%Y}"}
    checked = clerk.get(post(clerk, SHEET, sent).location).get_data(as_text=True)
    assert count(Visit) == 0, "by the right day they are looked at first"
    post(clerk, SHEET, sent | known(checked))
    assert [(visit.label, visit.service_day.on) for visit in visits()] == [
        (f"KT00{n}", past) for n in (1, 2, 3)
    ]


def test_a_past_day_entered_first_thing_hides_no_open_day(clerk, block):
    live = factories.entry()
    with transaction():
        old = db.session.scalars(select(ServiceDay)).one()
        old.on = today() - timedelta(days=3)
    enter(clerk, line(1, 1), on=today() - timedelta(days=1))
    assert db.session.get(QueueEntry, live.id).state == "unfinished"
    assert days.current_day().on == today()


def test_who_still_waits_stands_by_the_slips_time(clerk, block):
    later = factories.entry("UMUM")
    enter(clerk, line(1, 1, served="menunggu"), line(2, 2, served="menunggu", at="00.00"))
    queue = queues.room_queue(factories.poli(), days.current_day())
    assert [row.label for row in queue.waiting] == ["KT002", "KT001", later.visit.label]


def test_slips_stand_by_their_times_in_whatever_order_they_are_entered(clerk, block):
    """And who came in the same minute, in the order in which they are entered."""
    for slip, at in enumerate(("00.05", "00.02", "00.04", "00.03", "00.03"), start=1):
        enter(clerk, line(1, slip, served="menunggu", at=at))
    queue = queues.room_queue(factories.poli(), days.current_day())
    assert [row.label for row in queue.waiting] == [f"KT00{n}" for n in (2, 4, 5, 3, 1)]


def test_slips_of_one_minute_find_their_places_however_many_they_are(app):
    first, last = factories.entry(), factories.entry(person=factories.patient("Ani"))
    slips_of_it = [factories.entry(person=factories.patient(f"Budi {n}")) for n in "ABCDEFGHIJKL"]
    for entry in slips_of_it:
        with transaction():
            entry = db.session.get(QueueEntry, entry.id)
            entry.queued_at = first.queued_at
            queues.take_paper_place(factories.actor(), entry, False)
    line = queues.room_queue(factories.poli(), days.current_day()).waiting
    expected = [first, *slips_of_it, last]
    assert [row.label for row in line] == [entry.visit.label for entry in expected]


def test_a_full_sheet_is_within_a_pages_bytes(clerk, block):
    with transaction():
        slips.print_block(factories.actor(), new_public_id(), 10)
    wrong = {"poli": "LANSIA", "born": "2 th"}
    send(
        clerk,
        *(line(n, n, name=f"Wayan Nomor {'ABCDEFGHIJ'[n - 1]}", **wrong) for n in range(1, 11)),
    )
    clerk.is_checking = False
    page = clerk.get(SHEET, headers={"Accept-Encoding": "gzip"})
    assert len(page.data) <= 6 * 1024
