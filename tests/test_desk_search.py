"""The counter's search box and the list below it, from one patient to the next."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from blueprints.registration import desk
from clinic import days, queues
from db import db, transaction, utcnow
from formatting import short_date
from models import NoNikReason, QueueEntry, Visit, VisitStatus
from tests import factories, past_visits
from tests.databases import count_queries
from tests.pages import post

pytestmark = pytest.mark.engines("sqlite")
DESK = "/pendaftaran"
NIK = "3171015708450001"


@pytest.fixture
def clerk(sign_in):
    return sign_in("loket")


def search(clerk, q: str, birth_date: str = "", **more: str) -> str:
    """The page that the search leads to."""
    answer = post(clerk, DESK, {"q": q, "birth_date": birth_date} | more)
    return clerk.get(answer.location).get_data(as_text=True)


def boxes(page: str) -> tuple[str, str]:
    """What stands in the search box and in the birth date's."""
    found = re.search(r'name="q" value="([^"]*)"', page)
    return found[1], re.search(r'name="birth_date" value="([^"]*)"', page)[1]


def focused(page: str) -> list[str]:
    return re.findall(r'<\w+ [^>]*id="([\w-]+)"[^>]*?autofocus', page)


def test_a_search_leads_to_its_first_hit_and_the_desk_to_an_empty_box(clerk):
    factories.patient("Siti Zulaikha")
    page = search(clerk, "zulaikha")
    assert boxes(page) == ("zulaikha", "")
    assert focused(page) == ["hasil-pertama"]
    assert 'value="baru"' in page
    afresh = clerk.get(DESK).get_data(as_text=True)
    assert boxes(afresh) == ("", "")
    assert focused(afresh) == ["f-q"]
    assert "Siti Zulaikha" in afresh, "after a wrong person the others are still there"
    assert 'value="baru"' not in afresh, "it would carry an empty box"
    again = re.search(r'<a href="([^"]+)">Hasil pencarian terakhir', afresh)[1]
    assert clerk.get(again).get_data(as_text=True) == page


@pytest.mark.parametrize("typed", ["Jumriah", "Siti Aminah", NIK])
def test_a_birth_date_does_not_go_over_to_the_next_person(clerk, typed):
    page = search(clerk, "Siti Zulaikha", "12-05-1990")
    assert "Tidak ada yang cocok" in page
    assert boxes(clerk.get(DESK).get_data(as_text=True)) == ("", "")
    # And typed over on the page that found nobody, where the date still stands.
    assert 'name="hasil" value="1"' in page
    left = {"q": typed, "birth_date": "12-05-1990", "hasil": "1"}
    said = "Tanggal lahir dari pencarian sebelumnya tidak dipakai"
    assert said in post(clerk, f"{DESK}/cari", left).get_data(as_text=True)
    form = search(clerk, **left, aksi="baru")
    assert said in form
    assert "12-05-1990" not in form
    assert typed in form


@pytest.mark.parametrize("typed", ["Siti Zulaeha", "Zulaikha", "Siti Zulaikha", ""])
def test_a_birth_date_stays_where_the_name_is_put_right(clerk, typed):
    search(clerk, "Siti Zulaikha", "12-05-1990")
    assert boxes(search(clerk, typed, "12-05-1990", hasil="1")) == (typed, "12-05-1990")


def test_a_date_that_was_typed_anew_is_the_new_persons(clerk):
    search(clerk, "Siti Zulaikha", "12-05-1990")
    assert boxes(search(clerk, "Jumriah", "12-05-1990")) == ("Jumriah", "12-05-1990")
    assert boxes(search(clerk, "Rohani", "13-05-1990", hasil="1")) == ("Rohani", "13-05-1990")


def test_an_empty_search_leaves_the_box_focused(clerk):
    factories.patient("Siti Zulaikha")
    search(clerk, "zulaikha")
    page = search(clerk, " ")
    assert "Ketik nama, NIK, atau nomor lain dahulu." in page
    assert focused(page) == ["f-q"]


def test_nobodys_search_is_the_next_clerks(clerk, sign_in):
    search(clerk, "Siti Zulaikha", "12-05-1990")
    post(clerk, "/keluar")
    assert "Hasil pencarian terakhir" not in sign_in("kepala").get(DESK).get_data(as_text=True)


def hits(page: str) -> list[str]:
    """Names, each with the tickets of today that stand below it."""
    rows = re.findall(r"<li><a class=.pick.*?</li>", page, re.S)
    said = re.compile(r"<b>(.*?)</b>|>Tiket hari ini (\w+)<")
    return [" ".join(one[1] or one[2] for one in said.finditer(row)) for row in rows]


@pytest.mark.parametrize("typed", ["U002", "u002", "u2", "U 002", " u-002 "])
def test_todays_number_finds_who_has_it(clerk, typed):
    factories.patient("Umar")
    for name in ("Siti Aminah", "Gede Arya"):
        factories.visit(factories.patient(name))
    page = search(clerk, typed)
    assert hits(page) == ["Gede Arya U002"]
    ticket = re.search(r'href="([^"]+)">Tiket hari ini', page)[1]
    assert "U002" in clerk.get(ticket).get_data(as_text=True)
    assert hits(search(clerk, "u003")) == ["Umar"], "no number of today: the beginning of a name"


def test_a_slips_number_finds_who_has_it_and_no_number_of_another_day_does(clerk):
    slip = {"source": "paper", "occurred_at": utcnow(), "label": "KT012"}
    factories.visit(factories.patient("Nyoman"), **slip)
    factories.visit(factories.patient("Siti"))
    assert [hits(search(clerk, typed)) for typed in ("kt12", "u1")] == [
        ["Nyoman KT012"],
        ["Siti U001"],
    ]
    with transaction():
        days.current_day().on -= timedelta(days=2)
        days.open_day()
    assert [hits(search(clerk, typed)) for typed in ("kt12", "u1")] == [[], []]


def test_a_hit_leads_to_the_tickets_of_today(clerk):
    person = factories.patient("Siti Aminah")
    cancelled = factories.visit(person)
    for room in ("UMUM", "GIGI"):
        factories.visit(person, room)
    with transaction():
        db.session.merge(cancelled).status = VisitStatus.CANCELLED
    assert hits(search(clerk, "siti")) == ["Siti Aminah U002 G001"]
    live = post(clerk, f"{DESK}/cari", {"q": "siti"}).get_data(as_text=True)
    assert hits(live) == ["Siti Aminah U002 G001"]


def test_the_tickets_of_all_hits_are_one_query(clerk):
    def queries() -> int:
        with count_queries() as statements:
            post(clerk, f"{DESK}/cari", {"q": "siti"})
        return len(statements)

    factories.visit(factories.patient("Siti Aminah"))
    queries()
    one = queries()
    for number in range(15):
        factories.visit(factories.patient(f"Siti {'A' * (number + 1)}"))
    assert queries() == one


def test_every_registration_of_today_can_be_reached(clerk, monkeypatch):
    monkeypatch.setattr(desk, "PAGE", 20)
    visits = [factories.visit(factories.patient(f"Orang {number:02}")) for number in range(15)]
    assert "Semua terdaftar" not in clerk.get(DESK).get_data(as_text=True)
    visits += [factories.visit(factories.patient(f"Orang {number:02}")) for number in range(15, 41)]
    page = clerk.get(DESK).get_data(as_text=True)
    assert page.count(">Ubah<") == 15
    url, seen = re.search(r'href="([^"]+)">Semua terdaftar hari ini \(41\)', page)[1], []
    sizes = []
    while url:
        page = clerk.get(url).get_data(as_text=True)
        found = re.findall(r'href="/pendaftaran/tiket/([^"]+)"', page)
        sizes.append(len(found))
        seen += found
        further = re.search(r'href="([^"]+)">Yang lebih awal', page)
        url = further and further[1]
    assert sizes == [20, 20, 1]
    assert seen == [db.session.merge(visit, load=True).public_id for visit in reversed(visits)]


def test_a_step_that_was_taken_back_is_told_on_no_page_of_the_counter(clerk):
    entry = factories.entry("UMUM", factories.patient("Siti Aminah"))

    def act(step: str, *more) -> str:
        """Their row on the desk, after the step."""
        with transaction():
            stay = db.session.get_one(QueueEntry, entry.id)
            queues.act(factories.actor("umum"), stay, step, *more)
        row = re.search(r"<tr><td data-label=.Nomor.*?</tr>", clerk.get(DESK).text, re.S)[0]
        return " ".join(re.sub(r"<[^>]+>", " ", row).split())

    assert "Poli Umum, Poli Gigi dan Mulut Menunggu" in act(
        "pindah", "salah", factories.poli("GIGI")
    )
    assert act("urungkan").startswith("U001 Siti Aminah Poli Umum Menunggu ")
    act("mulai")
    assert act("selesai").startswith("U001 Siti Aminah Poli Umum Selesai ")
    ticket = clerk.get(f"{DESK}/tiket/{entry.visit.public_id}").text
    assert re.findall(r'class="ticket-room">([^<]+)<', ticket) == ["Poli Umum"]


def test_who_waits_in_one_of_two_rooms_waits(clerk):
    visit = factories.visit(factories.patient("Siti Aminah"))
    head = factories.actor("kepala")
    with transaction():
        visit = db.session.merge(visit)
        other = queues.enqueue(head, visit, factories.poli("GIGI"))
        queues.act(head, other, "batal", "tidak jadi")
    page = clerk.get(DESK).text
    assert 'state-waiting">Menunggu' in page and "Batal<" not in page


def test_a_day_without_registrations_has_a_list_too(clerk):
    assert db.session.query(Visit).count() == 0
    page = clerk.get(f"{DESK}/hari-ini").get_data(as_text=True)
    assert "Belum ada pasien terdaftar hari ini." in page


def test_twins_of_one_name_are_told_apart_wherever_the_counter_reads_it(clerk):
    baby = {"birth_date": date(2026, 11, 1), "no_nik_reason": NoNikReason.NEWBORN}
    twins = [factories.patient("By Ny Sulistiani", **baby, birth_order=n) for n in (1, 2)]
    said = "By Ny Sulistiani (bayi ke-2)"
    page = search(clerk, "sulistiani")
    assert said in page
    assert "By Ny Sulistiani (bayi ke-1)" in page
    assert said in clerk.get(f"{DESK}/pasien/{twins[1].public_id}").get_data(as_text=True)
    form = {"name": "By Ny Sulistiani", "sex": "P", "birth_date": "01-11-2026"}
    assert said in post(clerk, f"{DESK}/mirip", form).get_data(as_text=True)
    visit = factories.visit(twins[1])
    assert said in clerk.get(f"{DESK}/tiket/{visit.public_id}").get_data(as_text=True)
    assert said in clerk.get(f"{DESK}/hari-ini").get_data(as_text=True)
    named = factories.patient("Siti Aminah", **baby, birth_order=1)
    assert hits(search(clerk, named.mrn)) == ["Siti Aminah"]


def test_who_is_only_called_alike_is_not_opened_by_enter(clerk):
    factories.patient("Wayan Sutama", birth_date=date(1981, 3, 29))
    page = search(clerk, "wayan sutame", "29-03-1981")
    assert "Tidak ada yang persis; nama mirip:" in page
    assert hits(page) == ["Wayan Sutama"]
    assert focused(page) == ["f-q"]
    assert 'value="baru"' in page


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("317101570845000", 15),
        ("3171 0157 0845 0001 1", 17),
        ("NIK 31710157084500", 14),
        ("3171.0157.0845.0001", 16),
        ("000123456789", 12),
        ("081234567890", 0),
        ("3171015708", 0),
        ("3171015708450001234", 0),
        ("Siti 317101570845000", 0),
        ("A31710157084", 0),
    ],
)
def test_a_long_number_that_nobody_has_is_counted(clerk, typed, digits):
    page = search(clerk, typed)
    assert "Tidak ada yang cocok" in page
    said = re.findall(r"Diketik (\d+) angka; NIK 16 angka, nomor BPJS 13 angka\.", page)
    assert said == ([str(digits)] if digits else [])
    live = post(clerk, f"{DESK}/cari", {"q": typed}).get_data(as_text=True)
    assert ("Diketik" in live) == bool(digits)


def test_it_is_counted_wherever_a_patient_is_looked_for(sign_in):
    said = "Diketik 15 angka; NIK 16 angka, nomor BPJS 13 angka."
    typed = {"q": "317101570845000"}
    head = sign_in("kepala")
    post(head, "/pasien", typed)
    assert said in head.get("/pasien").text
    visit = factories.visit(factories.patient("Siti Aminah"))
    page = f"{DESK}/kunjungan/{visit.public_id}/ubah"
    assert said in post(head, page, typed | {"aksi": "cari"}).text


def test_what_a_short_date_was_read_as_is_said_wherever_a_patient_is_looked_for(sign_in):
    said = "&#34;25-5-90&#34; dibaca sebagai tanggal lahir 25-05-1990."
    born = factories.patient("Nurhayati Besar", birth_date=date(1990, 5, 25))
    factories.patient("Nurhayati Kecil", birth_date=date(2026, 5, 25))
    typed = {"q": "nurhayati 25-5-90"}
    head = sign_in("kepala")
    page = search(head, **typed)
    assert said in page and "Nurhayati Besar" in page and "Nurhayati Kecil" not in page
    assert said in post(head, f"{DESK}/cari", typed).text
    assert said not in head.get(DESK).text, "the last search stands there below an empty box"
    assert "&#34;25-5-90&#34; tidak dipakai" in search(head, **typed, birth_date="25-05-2026")
    post(head, "/pasien", typed)
    assert said in head.get("/pasien").text
    page = f"{DESK}/kunjungan/{factories.visit(born).public_id}/ubah"
    assert said in post(head, page, typed | {"aksi": "cari"}).text


def test_a_part_of_the_number_that_leads_to_its_bearer_is_not_called_unused(clerk):
    with transaction():
        factories.patient("Siti Zulaikha").mrn = "KP12"
    page = search(clerk, "KP 12")
    assert "Siti Zulaikha" in page and "tidak dipakai" not in page
    assert "&#34;12&#34; tidak dipakai dalam pencarian." in search(clerk, "zulaikha 12")


def test_a_number_that_somebody_has_is_not_counted(clerk):
    factories.patient("Siti Aminah", bpjs_number="0001234567890")
    assert "Diketik" not in search(clerk, "0001234567890")


def test_more_than_twenty_are_told_to_be_narrowed_down(clerk):
    for _ in range(19):
        factories.patient("Siti Zulaikha")
    assert "Hanya 20" not in search(clerk, "zulaikha")
    for _ in range(2):
        factories.patient("Siti Zulaikha")
    page = search(clerk, "zulaikha")
    assert page.count('class="pick"') == 20 and "Hanya 20 yang pertama" in page


# --- Who was told to come back -------------------------------------------------------------------


def was_here(person, code: str, ending: str, days_ago: int = 2):
    """A visit of some days ago, examined in this room and ended like that."""
    past_visits.add(person, 1, since=days_ago)
    with transaction():
        visit = db.session.scalars(select(Visit).order_by(Visit.id.desc())).first()
        visit.entries[0].poli = factories.poli(code)
        visit.entries[0].examination.disposition = ending
        return short_date(visit.service_day.on)


def proposed(clerk, person, complaint: str) -> list[tuple[str, str]]:
    fields = {"patient": person.public_id, "complaint": complaint, "sex": person.sex}
    page = post(clerk, f"{DESK}/saran", fields | {"birth_date": short_date(person.birth_date)}).text
    return re.findall(r'<li data-poli="(\w+)">.*?<span>(.*?)</span>', page)


def test_whoever_was_told_to_come_back_is_offered_the_room_that_said_so(clerk):
    person = factories.patient("Nurlaela Hayati")
    was_here(person, "UMUM", "kontrol", 9)
    on = was_here(person, "GIGI", "kontrol")
    assert "Poli Gigi" not in search(clerk, "nurlaela"), "of those who are only alike"
    form = clerk.get(f"{DESK}/pasien/{person.public_id}").text
    assert f"terakhir {on}, Poli Gigi dan Mulut" in form
    for typed in ("kontrol", "Mau kontrol ulang", "berobat ulang"):
        first = proposed(clerk, person, typed)[0]
        assert first == ("GIGI", f"Kontrol dari Poli Gigi dan Mulut, {on}"), typed
    assert proposed(clerk, person, "kontrol, batuk demam")[0][0] == "UMUM"
    assert proposed(clerk, person, "kontrol rutin")[0][0] == "UMUM"
    with transaction():
        factories.poli("GIGI").is_active = False
    assert proposed(clerk, person, "kontrol")[0][0] == "UMUM"


def test_a_later_visit_without_control_ends_the_offer(clerk):
    person = factories.patient("Nurlaela Hayati")
    was_here(person, "GIGI", "kontrol", 9)
    was_here(person, "GIGI", "pulang", 3)
    assert proposed(clerk, person, "kontrol")[0][0] == "UMUM"
