"""The room's desk: pages, fragment, calls, steps, who may what, bytes and queries."""

import gzip
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic import administration, allergies, catalogue, patients, queues, records
from clinic.records import ExaminationInput
from db import db, transaction, utcnow
from models import LoginSession, NoNikReason, Patient, Poli, Priority, QueueEntry, QueueEvent
from tests import factories
from tests.databases import count_queries
from tests.morning import crowd
from tests.pages import Page, post, words_of
from tests.stored import count


def text_of(response) -> str:
    return response.get_data(as_text=True)


def fresh(entry: QueueEntry) -> QueueEntry:
    db.session.rollback()
    return db.session.get(QueueEntry, entry.id, populate_existing=True)


def rows_of(html: str, state: str = "") -> list[str]:
    rows = re.findall(r'data-number="(\w+)" data-state="(\w+)"', html)
    return [number for number, found in rows if found == state or not state]


def version_of(html: str) -> str:
    return re.search(r'data-version="([^"]+)"', html).group(1)


def said(html: str, role: str = "status") -> str:
    found = re.search(rf'role="{role}"[^>]*>([^<]+)', html)
    return found.group(1).strip() if found else ""


# --- The page ---------------------------------------------------------------------------------


def test_poli_leads_staff_to_their_first_room_and_the_head_to_all(sign_in):
    response = sign_in("umum").get("/poli")
    assert (response.status_code, response.location) == (303, "/poli/UMUM")
    page = text_of(sign_in("kepala").get("/poli"))
    assert "/poli/GIGI" in page
    assert "Laboratorium" in page


def test_whose_rooms_are_closed_reads_which(sign_in):
    with transaction():
        factories.poli("GIGI").is_active = False
    page = text_of(sign_in("gigi").get("/poli"))
    assert "Ruang Anda sedang ditutup" in page
    assert f"{factories.poli('GIGI').name}. Minta kepala" in page
    assert "Belum ada ruang" not in page


def test_lower_case_leads_to_the_room(sign_in):
    response = sign_in("umum").get("/poli/umum")
    assert (response.status_code, response.location) == (302, "/poli/UMUM")


@pytest.mark.parametrize(
    ("username", "path", "status"),
    [
        ("umum", "/poli/GIGI", 404),
        ("umum", "/poli/TIDAKADA", 404),
        ("kepala", "/poli/GIGI", 200),
        ("loket", "/poli/UMUM", 403),
        ("ti", "/poli/UMUM", 403),
        ("rekammedis", "/poli", 403),
    ],
)
def test_rooms_are_open_to_their_own(sign_in, username, path, status):
    assert sign_in(username).get(path).status_code == status


def test_an_empty_room_says_what_comes(sign_in):
    page = text_of(sign_in("gigi").get("/poli/GIGI"))
    assert "Tidak ada yang menunggu" in page
    assert 'data-poll="5"' in page
    assert 'accesskey="p"' in page


def test_a_row_carries_the_marks_and_the_person(sign_in):
    person = factories.patient("<b>O'Brien</b> & 😀", birth_date=date(1990, 2, 28))
    entry = factories.entry("UMUM", person, complaint="<script>alert(1)</script> demam")
    page = text_of(sign_in("umum").get("/poli/UMUM"))
    marks = f'data-entry="{entry.public_id}" data-number="{entry.visit.label}"'
    assert f'{marks} data-state="waiting" data-poli="UMUM"' in page
    assert "&lt;b&gt;O&#39;Brien&lt;/b&gt; &amp; 😀" in page
    assert "&lt;script&gt;" in page
    assert "28-02-1990" in page
    assert person.nik not in page


def test_minutes_are_counted_for_who_waits(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    shown = []
    for action in ("panggil", "lewati", "kembali", "mulai"):
        shown.append("data-seconds=" in text_of(client.get("/poli/UMUM")))
        post(client, f"/antrean/{entry.public_id}/{action}")
    page = text_of(client.get("/poli/UMUM"))
    assert shown == [True] * 4
    assert rows_of(page, "in_service") == [entry.visit.label]
    assert "data-seconds=" not in page and "mulai " in page


def test_namesakes_are_pointed_out(sign_in):
    factories.entry("UMUM", factories.patient("Siti Aminah"))
    factories.entry("GIGI", factories.patient("Siti Aminah"))
    assert "2 x nama ini hari ini" in text_of(sign_in("umum").get("/poli/UMUM"))


@pytest.mark.engines("sqlite")
def test_the_call_says_that_another_has_this_name_today(sign_in):
    for code, born in (("UMUM", 1990), ("GIGI", 1985)):
        person = factories.patient("Siti Aminah", birth_date=date(born, 5, 17))
        factories.entry(code, person)
    client = sign_in("umum")
    response = post(client, "/poli/UMUM/panggil")
    told = said(text_of(client.get(response.location)))
    assert told.endswith("ke Poli Umum. 2 x nama ini hari ini; tanyakan tanggal lahir.")


def test_twins_of_one_name_are_told_apart_on_the_queue_and_in_the_call(sign_in):
    born = {"birth_date": date(2026, 11, 1), "no_nik_reason": NoNikReason.NEWBORN}
    for nth in (1, 2):
        factories.entry("KIA", factories.patient("By Ny Sulistiani", **born, birth_order=nth))
    room = sign_in("kia")
    page = text_of(room.get("/poli/KIA"))
    assert [f"By Ny Sulistiani (bayi ke-{nth})" in page for nth in (1, 2)] == [True, True]
    called = words_of(room.get(post(room, "/poli/KIA/panggil").location))
    assert "By Ny Sulistiani (bayi ke-1) ke KIA" in called
    assert "2 x nama ini hari ini. " in called and "tanyakan tanggal lahir" not in called, (
        "it is the same one"
    )


def test_without_script_the_page_reloads_and_leaves_the_message_behind(sign_in):
    page = text_of(sign_in("umum").get("/poli/UMUM?dipanggil=x"))
    noscript = re.search("<noscript>(.*?)</noscript>", page).group(1)
    assert 'content="20; url=/poli/UMUM?otomatis=1"' in noscript


def test_the_done_are_folded_and_shown_in_full_when_asked(sign_in):
    client = sign_in("umum")
    for entry in crowd(12):
        post(client, f"/antrean/{entry.public_id}/batal", {"alasan": "salah daftar"})
    page = text_of(client.get("/poli/UMUM"))
    assert "Selesai 12" in page
    assert len(rows_of(page, "cancelled")) == 10
    page = text_of(client.get("/poli/UMUM?selesai=semua"))
    assert len(rows_of(page, "cancelled")) == 12
    assert "&amp;selesai=semua" in page


# --- Budgets ----------------------------------------------------------------------------------


def packed(response) -> int:
    return len(gzip.compress(response.get_data(), 6, mtime=0))


@pytest.mark.engines("sqlite")
def test_forty_rows_stay_small(sign_in):
    crowd(40)
    client = sign_in("umum")
    page = client.get("/poli/UMUM")
    assert len(rows_of(text_of(page), "waiting")) == 40
    assert packed(page) <= 6 * 1024
    fragment = client.get("/poli/UMUM/baris")
    assert len(rows_of(text_of(fragment), "waiting")) == 40
    assert packed(fragment) <= 4 * 1024


@pytest.mark.engines("sqlite")
def test_the_page_asks_as_often_at_200_rows_as_at_10(sign_in):
    client, counts = sign_in("umum"), []
    for size in (10, 200):
        crowd(size - sum(counts and [10] or []))
        with count_queries() as statements:
            page = client.get("/poli/UMUM")
        assert len(rows_of(text_of(page))) == size
        counts.append(len(statements))
    assert counts[0] == counts[1]


# --- The fragment -----------------------------------------------------------------------------


def test_an_unchanged_poll_is_one_query_and_a_bare_204(sign_in):
    factories.entry()
    client = sign_in("umum")
    version = version_of(text_of(client.get("/poli/UMUM")))
    with count_queries() as statements:
        response = client.get(f"/poli/UMUM/baris?v={version}")
    assert response.status_code == 204
    assert response.data == b""
    assert dict(response.headers) == {"Cache-Control": "no-store"}
    assert len(statements) == 1


@pytest.mark.parametrize("asked", ["", "?v=", "?v=1", "?v=abc.1.2"])
def test_the_fragment_comes_whole_for_an_old_or_unknown_version(sign_in, asked):
    factories.entry()
    client = sign_in("umum")
    page = text_of(client.get("/poli/UMUM"))
    response = client.get(f"/poli/UMUM/baris{asked}")
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    fragment = text_of(response).strip()
    assert fragment.startswith('<div id="antrean"')
    assert fragment in page


def test_a_patient_saved_at_the_counter_is_in_the_next_poll(sign_in):
    client = sign_in("umum")
    version = version_of(text_of(client.get("/poli/UMUM")))
    entry = factories.entry()
    fragment = text_of(client.get(f"/poli/UMUM/baris?v={version}"))
    assert rows_of(fragment) == [entry.visit.label]
    assert client.get(f"/poli/UMUM/baris?v={version_of(fragment)}").status_code == 204


def test_what_the_screening_desk_saves_is_in_the_next_poll(sign_in):
    client, nurse, entry = sign_in("umum"), sign_in("kepala"), factories.entry()
    with transaction():
        queues.enqueue(factories.actor(), entry.visit, factories.poli("GIGI"))
    screening = f"/kunjungan/{entry.visit.public_id}/tanda-vital"
    version = version_of(text_of(client.get("/poli/UMUM")))
    for fields, marks in (
        ({"systolic": "120", "diastolic": "80"}, ["Tanda vital ada"]),
        ({"triage_priority": "merah"}, ["Tanda vital ada", "Triase merah"]),
        ({"triage_priority": "kuning"}, ["Tanda vital ada", "Triase kuning"]),
        ({"triage_priority": "hijau"}, ["Tanda vital ada"]),
    ):
        assert post(nurse, screening, fields).status_code == 303
        fragment = client.get(f"/poli/UMUM/baris?v={version}")
        assert fragment.status_code == 200, fields
        page = text_of(fragment)
        assert sorted(re.findall("Tanda vital ada|Triase [a-z]+", page)) == marks
        assert ">Tanda vital</a>" not in page
        version = version_of(page)
        assert marks[-1] in text_of(nurse.get("/poli/GIGI")), "the patient stands there too"
    # The same again changes no row, so no screen draws itself anew.
    assert post(nurse, screening, {"triage_priority": "hijau"}).status_code == 303
    assert client.get(f"/poli/UMUM/baris?v={version}").status_code == 204


def test_a_namesake_registered_for_another_room_is_in_the_next_poll(sign_in):
    client = sign_in("umum")
    sri, other = factories.patient("Sri Rahayu"), factories.patient("Budi")
    factories.entry("UMUM", sri)
    version = version_of(text_of(client.get("/poli/UMUM")))
    factories.entry("GIGI", other)
    assert client.get(f"/poli/UMUM/baris?v={version}").status_code == 204
    second = factories.entry("KIA", factories.patient("Sri Rahayu"))
    fragment = text_of(client.get(f"/poli/UMUM/baris?v={version}"))
    assert "2 x nama ini hari ini" in fragment
    # Whoever went on is not alerted of, so nothing is drawn anew for them.
    with transaction():
        queues.act(factories.actor("kepala"), db.session.merge(second), "batal", "salah daftar")
    away = version_of(text_of(sign_in("kepala").get("/poli/KIA")))
    factories.entry("GIGI", factories.patient("Sri Rahayu"))
    assert sign_in("kepala").get(f"/poli/KIA/baris?v={away}").status_code == 204


def test_a_person_whose_name_becomes_known_is_a_namesake_in_the_next_poll(sign_in):
    client = sign_in("umum")
    factories.entry("UMUM", factories.patient("Sri Rahayu"))
    unknown = factories.patient("Ny. X")
    factories.entry("UGD", unknown)
    version = version_of(text_of(client.get("/poli/UMUM")))
    with transaction():
        patient = db.session.get_one(Patient, unknown.id)
        named = replace(patients.identity_of(patient), name="Sri Rahayu")
        patients.update(factories.actor(), patient, named, "identitas dilengkapi")
        queues.bump_rooms_of(patient)
    fragment = text_of(client.get(f"/poli/UMUM/baris?v={version}"))
    assert "2 x nama ini hari ini" in fragment


def drawn_anew(client, version: str) -> str:
    """The list that a screen with this version gets with its next poll."""
    answer = client.get(f"/poli/UMUM/baris?v={version}")
    assert answer.status_code == 200
    return text_of(answer)


def test_a_changed_setting_is_seen_in_the_line_with_the_next_poll(sign_in):
    """What the page shows is the order in which it calls."""
    for name in ("Ani", "Budi"):
        factories.entry("UMUM", factories.patient(name), priority=Priority.NONE)
    factories.entry("UMUM", factories.patient("Cici"), priority=Priority.ELDERLY)
    client = sign_in("umum")
    page = text_of(client.get("/poli/UMUM"))
    assert rows_of(page) == ["U003", "U001", "U002"]
    for setting in (
        {"priority_ratio": 0},
        {"wait_late_minutes": 90},
        {"time_zone": "Asia/Jayapura"},
    ):
        with transaction():
            administration.change_settings(factories.actor("kepala"), setting)
        page = drawn_anew(client, version_of(page))
    assert rows_of(page) == ["U001", "U002", "U003"]
    assert rows_of(text_of(client.get("/poli/UMUM"))) == ["U001", "U002", "U003"]
    assert 'data-late-min="90"' in page
    with transaction():
        administration.change_settings(factories.actor("kepala"), {"clinic_name": "Puskesmas Baru"})
    assert client.get(f"/poli/UMUM/baris?v={version_of(page)}").status_code == 204


def test_a_renamed_room_is_seen_in_the_line_with_the_next_poll(sign_in):
    entry = factories.entry("GIGI")
    with transaction():
        umum = factories.poli("UMUM")
        queues.act(factories.actor("kepala"), fresh(entry), "pindah", "salah ruang", umum)
    client = sign_in("umum")
    page = text_of(client.get("/poli/UMUM"))
    gigi = factories.poli("GIGI")
    values = {column.name: getattr(gigi, column.name) for column in Poli.__table__.columns}
    values = {name: values[name] for name in values.keys() - {"id", "revision", "code"}}
    with transaction():
        catalogue.change_poli(factories.actor("kepala"), gigi, values | {"name": "Klinik Gigi"})
    assert "Dari Klinik Gigi" in drawn_anew(client, version_of(page))


def test_a_poll_extends_no_session(sign_in):
    client = sign_in("umum")
    factories.entry()
    rows = select(LoginSession.seen_at, LoginSession.idle_until, LoginSession.data)
    before = db.session.execute(rows).all()
    client.get("/poli/UMUM/baris")
    db.session.rollback()
    assert db.session.execute(rows).all() == before


def idle_until():
    db.session.rollback()
    return db.session.scalars(select(LoginSession.idle_until)).one()


def test_a_page_that_reloads_itself_keeps_no_screen_open(sign_in):
    client = sign_in("umum")
    with transaction():
        db.session.scalars(select(LoginSession)).one().seen_at -= timedelta(minutes=5)
    before = idle_until()
    assert client.get("/poli/UMUM?otomatis=1").status_code == 200
    assert idle_until() == before
    client.get("/poli/UMUM")
    assert idle_until() > before


def test_the_tiles_of_all_rooms_are_asked_for_alone_and_come_when_one_changes(sign_in):
    factories.entry()
    head = sign_in("kepala")
    page = text_of(head.get("/poli"))
    address = re.search(r'hx-get="(/poli/baris\?v=\w+)"', page).group(1)
    with transaction():
        db.session.scalars(select(LoginSession)).one().seen_at -= timedelta(minutes=5)
    before = idle_until()
    unchanged = head.get(address)
    assert (unchanged.status_code, unchanged.data) == (204, b"")
    assert dict(unchanged.headers) == {"Cache-Control": "no-store"}
    factories.entry()
    for asked in (address, "/poli/baris", "/poli/baris?v=x"):
        changed = head.get(asked)
        assert changed.status_code == 200
        assert changed.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in changed.headers
        tiles = text_of(changed).strip()
        assert tiles.startswith('<div id="semua"')
        assert re.search(r'href="/poli/UMUM"><span class="dot">[^<]+</span><b>2</b>', tiles)
    assert tiles in text_of(head.get("/poli?otomatis=1"))
    assert idle_until() == before, "a poll keeps no screen open"


@pytest.mark.engines("sqlite")
def test_the_tiles_cost_the_same_queries_at_any_number_of_rooms_and_patients(sign_in):
    head, counts = sign_in("kepala"), []
    for _ in range(2):
        crowd(10)
        with count_queries() as statements:
            assert head.get("/poli/baris").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 15


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize(
    ("username", "status"), [("umum", 200), ("loket", 403), ("ti", 403), ("rekammedis", 403)]
)
def test_the_tiles_are_open_to_whom_their_page_is(client, sign_in, username, status):
    someone = sign_in(username)
    answer = someone.get("/poli/baris")
    assert answer.status_code == status
    assert "/poli/GIGI" not in text_of(answer), "a room of others"
    with transaction():
        db.session.scalars(select(LoginSession)).one().idle_until = utcnow()
    assert someone.get("/poli/baris").status_code == 401, "the screen is locked"
    stranger = client.get("/poli/baris")
    assert stranger.status_code == 401
    assert stranger.headers["HX-Redirect"] == "/masuk?lanjut=/poli"


def test_a_stranger_s_poll_is_led_to_the_login(client):
    response = client.get("/poli/UMUM/baris?v=1")
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/masuk?lanjut=/poli/UMUM"


@pytest.mark.parametrize(
    ("username", "code", "status"),
    [("umum", "GIGI", 404), ("kepala", "TIDAKADA", 404), ("loket", "UMUM", 403)],
)
def test_a_poll_of_another_room_is_refused(sign_in, username, code, status):
    assert sign_in(username).get(f"/poli/{code}/baris").status_code == status


# --- Calling ----------------------------------------------------------------------------------


def test_call_next_says_whom(sign_in):
    entry = factories.entry("UMUM", factories.patient("Siti Aminah"))
    client = sign_in("umum")
    response = post(client, "/poli/UMUM/panggil", {"key": "k1"})
    assert response.status_code == 303
    assert response.location == f"/poli/UMUM?dipanggil={entry.public_id}"
    page = text_of(client.get(response.location))
    assert said(page) == f"Memanggil {entry.visit.label} Siti Aminah ke Poli Umum."
    assert rows_of(page, "called") == [entry.visit.label]
    start = (
        rf'formaction="/antrean/{entry.public_id}/mulai" accesskey="m">Mulai {entry.visit.label}'
    )
    assert re.search(start, page) and page.count('accesskey="m"') == 1
    again = post(client, "/poli/UMUM/panggil", {"key": "k1"})
    assert again.location == response.location
    assert fresh(entry).calls == 1


def test_call_next_with_nobody_there_is_friendly(sign_in):
    response = post(sign_in("gigi"), "/poli/GIGI/panggil")
    assert response.status_code == 200
    assert "Tidak ada pasien yang menunggu di Poli Gigi" in said(text_of(response))


def test_call_next_of_another_room_calls_nobody(sign_in):
    entry = factories.entry("GIGI")
    assert post(sign_in("umum"), "/poli/GIGI/panggil").status_code == 404
    assert post(sign_in("loket"), "/poli/GIGI/panggil").status_code == 403
    assert fresh(entry).state == "waiting"


def test_a_called_entry_of_another_room_is_not_named(sign_in):
    entry = factories.entry("GIGI", factories.patient("Budi Rahasia"))
    post(sign_in("gigi"), "/poli/GIGI/panggil")
    page = text_of(sign_in("umum").get(f"/poli/UMUM?dipanggil={entry.public_id}"))
    assert "Budi Rahasia" not in page


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_calling_is_a_post(sign_in, method):
    factories.entry()
    response = getattr(sign_in("umum"), method)("/poli/UMUM/panggil")
    assert response.status_code == 405


def test_a_call_without_csrf_token_calls_nobody(sign_in):
    entry = factories.entry()
    response = sign_in("umum").post("/poli/UMUM/panggil")
    assert response.status_code == 400
    assert fresh(entry).state == "waiting"


# --- Steps ------------------------------------------------------------------------------------


def test_a_patient_s_way_through_the_room(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    for action, state in [
        ("panggil", "called"),
        ("panggil", "called"),
        ("lewati", "skipped"),
        ("kembali", "waiting"),
        ("panggil", "called"),
        ("urungkan", "waiting"),
    ]:
        response = post(client, f"{here}/{action}")
        assert response.status_code == 303, action
        assert response.location == f"/poli/UMUM?langkah={entry.public_id}"
        assert fresh(entry).state == state
        assert entry.visit.label in said(text_of(client.get(response.location)))
    response = post(client, f"{here}/mulai")
    assert response.location.startswith(f"/kunjungan/{entry.visit.public_id}")
    assert fresh(entry).state == "in_service"
    assert post(client, f"{here}/selesai").status_code == 303
    assert fresh(entry).state == "done"


def test_the_setting_says_behind_how_many_somebody_is_put_back(sign_in):
    with transaction():
        administration.change_settings(factories.actor("kepala"), {"put_back_behind": 3})
    client, first = sign_in("umum"), factories.entry()
    labels = [factories.entry().visit.label for _ in range(4)]
    for action in ("panggil", "lewati", "kembali"):
        response = post(client, f"/antrean/{first.public_id}/{action}")
    page = text_of(client.get(response.location))
    assert rows_of(page) == [*labels[:3], first.visit.label, labels[3]]


def test_an_illegal_step_is_refused_on_the_queue_page(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    response = post(client, f"/antrean/{entry.public_id}/lewati")
    assert response.status_code == 409
    page = text_of(response)
    assert said(page, "alert").startswith(f"Pasien {entry.visit.label} masih menunggu")
    assert rows_of(page) == [entry.visit.label]
    assert "dr. Bagus" in page


def test_the_second_of_two_people_is_told_who_was_first(sign_in):
    entry = factories.entry()
    post(sign_in("umum"), f"/antrean/{entry.public_id}/mulai")
    response = post(sign_in("kepala"), f"/antrean/{entry.public_id}/mulai")
    assert response.status_code == 409
    assert "dimulai oleh dr. Bagus Prasetyo pukul" in said(text_of(response), "alert")


def call_button(html: str, entry: QueueEntry) -> dict[str, str]:
    """What the call button of the patient's row sends."""
    found = re.search(
        rf'name="seen" value="(\w+)" formaction="/antrean/{entry.public_id}/panggil"', html
    )
    return {"seen": found[1]}


def test_who_is_with_another_room_is_not_called_or_sent_home_unawares(sign_in):
    doctor, dentist, entry = sign_in("umum"), sign_in("gigi"), factories.entry()
    with transaction():
        there = queues.enqueue(factories.actor(), entry.visit, factories.poli("GIGI"))
    here = f"/antrean/{entry.public_id}"
    page = text_of(doctor.get("/poli/UMUM"))
    assert ">di " not in page
    assert "Pasien ini" not in text_of(doctor.get(f"{here}/lainnya")), "who waits there is free"
    for action in ("panggil", "mulai"):
        post(dentist, f"/antrean/{there.public_id}/{action}")
        fragment = doctor.get(f"/poli/UMUM/baris?v={version_of(page)}")
        assert fragment.status_code == 200, "the next poll knows it"
        page = text_of(fragment)
        assert ">di Poli Gigi dan Mulut</span>" in page
    told = said(text_of(doctor.get(post(doctor, f"{here}/panggil").location)))
    assert "Memanggil" in told and "sedang dilayani di Poli Gigi dan Mulut oleh drg." in told
    for action in ("lainnya", "pulang", "batal"):
        assert "sedang dilayani di Poli Gigi" in text_of(doctor.get(f"{here}/{action}")), action
    page = text_of(doctor.get("/poli/UMUM"))
    post(dentist, f"/antrean/{there.public_id}/selesai")
    fragment = text_of(doctor.get(f"/poli/UMUM/baris?v={version_of(page)}"))
    assert ">di " not in fragment
    assert "Pasien ini" not in text_of(doctor.get(f"{here}/lainnya"))


@pytest.mark.parametrize("page", ["row", "further steps"])
def test_two_who_call_one_patient_are_not_both_told_that_they_did(sign_in, page):
    first, second, entry = sign_in("umum"), sign_in("kepala"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    address = "/poli/UMUM" if page == "row" else f"{here}/lainnya"
    button = call_button(text_of(first.get(address)), entry)
    assert post(first, f"{here}/panggil", button).status_code == 303
    refused = post(second, f"{here}/panggil", button)
    assert (refused.status_code, fresh(entry).calls) == (409, 1)
    told = said(text_of(refused), "alert")
    assert told.startswith(
        f"Pasien {entry.visit.label} sudah dipanggil oleh dr. Bagus Prasetyo pukul "
    )
    # One's own press that is sent twice calls once, and once more is a button of its own.
    again = post(first, f"{here}/panggil", button)
    assert (again.status_code, fresh(entry).calls) == (303, 1)
    assert said(text_of(first.get(again.location))).startswith("Memanggil")
    anew = call_button(text_of(second.get(address)), entry)
    assert post(second, f"{here}/panggil", anew).status_code == 303
    assert fresh(entry).calls == 2


@pytest.mark.parametrize(
    ("before", "action"),
    [
        (["panggil"], "lewati"),
        (["panggil", "lewati"], "kembali"),
        ([], "mulai"),
        (["mulai"], "selesai"),
        ([], "pindah"),
        ([], "pulang"),
        ([], "batal"),
    ],
)
def test_one_s_own_step_that_is_sent_twice_is_taken_once(sign_in, before, action):
    client, head, entry = sign_in("umum"), sign_in("kepala"), factories.entry()
    here, fields = f"/antrean/{entry.public_id}", {"alasan": "salah ruang", "poli": "GIGI"}
    for step in before:
        post(client, f"{here}/{step}")
    first = post(client, f"{here}/{action}", fields)
    taken, events = fresh(entry).state, count(QueueEvent)
    again = post(client, f"{here}/{action}", fields)
    assert (first.status_code, again.status_code) == (303, 303)
    assert again.location == first.location
    assert (fresh(entry).state, count(QueueEvent)) == (taken, events)
    assert post(head, f"{here}/{action}", fields).status_code == 409, "a colleague is told"
    if action == "pindah":
        elsewhere = post(client, f"{here}/pindah", fields | {"poli": "KIA"})
        assert elsewhere.status_code == 409, "that is another step"


def test_a_step_that_a_colleague_undid_or_went_on_from_is_no_press_sent_twice(sign_in):
    client, head, entry = sign_in("umum"), sign_in("kepala"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    for action in ("panggil", "lewati", "kembali"):
        post(client, f"{here}/{action}")
    post(head, f"{here}/panggil")
    assert post(client, f"{here}/kembali").status_code == 409
    post(client, f"{here}/lewati")
    post(head, f"{here}/urungkan")
    assert post(client, f"{here}/lewati").status_code == 303
    assert fresh(entry).state == "skipped"


def test_who_was_skipped_and_is_called_by_a_colleague_is_not_called_unawares(sign_in):
    first, second, entry = sign_in("umum"), sign_in("kepala"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    for action in ("panggil", "lewati"):
        post(first, f"{here}/{action}")
    button = call_button(text_of(first.get("/poli/UMUM")), entry)
    assert post(second, f"{here}/panggil").status_code == 303, "who sends nothing is as before"
    assert post(first, f"{here}/panggil", button).status_code == 409
    assert fresh(entry).calls == 2


@pytest.mark.parametrize("action", ["pindah", "batal"])
def test_who_takes_a_patient_out_of_an_examination_is_told_who_examines(sign_in, action):
    doctor, head, entry = sign_in("umum"), sign_in("kepala"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    fields = {"alasan": "salah <ruang>", "poli": "GIGI"}

    def seen(html):
        return {"seen": re.search('type="hidden" name="seen" value="([^"]+)"', html)[1]}

    before = text_of(head.get(f"{here}/{action}"))
    assert 'role="alert"' not in before
    post(doctor, f"{here}/mulai")
    asked = post(head, f"{here}/{action}", fields | seen(before))
    assert (asked.status_code, fresh(entry).state) == (409, "in_service")
    page = text_of(asked)
    assert "dimulai oleh dr. Bagus Prasetyo pukul" in said(page, "alert")
    assert "salah &lt;ruang&gt;" in page
    assert "dimulai oleh dr. Bagus" in said(text_of(head.get(f"{here}/{action}")), "alert")
    assert 'role="alert"' not in text_of(doctor.get(f"{here}/{action}")), "the doctor knows"
    assert post(head, f"{here}/{action}", fields | seen(page)).status_code == 303


@pytest.mark.parametrize("action", ["periksa", "rujuk", "hasil", "masuk", "hapus"])
def test_an_unknown_step_does_not_exist(sign_in, action):
    entry = factories.entry()
    assert post(sign_in("umum"), f"/antrean/{entry.public_id}/{action}").status_code == 404
    assert fresh(entry).state == "waiting"


def test_another_room_s_entry_does_not_exist(sign_in):
    entry = factories.entry("GIGI")
    client = sign_in("umum")
    for action in ("panggil", "batal", "urungkan"):
        assert post(client, f"/antrean/{entry.public_id}/{action}").status_code == 404
    for action in ("batal", "buka", "vital", "lainnya"):
        assert client.get(f"/antrean/{entry.public_id}/{action}").status_code == 404
    assert client.get("/antrean/0/batal").status_code == 404
    assert post(sign_in("loket"), f"/antrean/{entry.public_id}/batal").status_code == 403
    assert fresh(entry).state == "waiting"


@pytest.mark.parametrize("action", ["batal", "pulang", "pindah"])
def test_a_step_that_needs_a_reason_asks_for_it(sign_in, action):
    client, entry = sign_in("umum"), factories.entry()
    here = f"/antrean/{entry.public_id}/{action}"
    page = text_of(client.get(here))
    assert 'name="alasan"' in page
    assert entry.visit.label in page
    assert Page(page).focused["id"] == ("f-poli" if action == "pindah" else "f-alasan")
    response = post(client, here, {"alasan": "  ", "poli": "GIGI"})
    assert response.status_code == 422
    assert Page(text_of(response)).focused["role"] == "alert"
    assert "Tulis alasannya" in text_of(response)
    if action == "pindah":
        assert '<option value="GIGI" selected>' in text_of(response)
    assert fresh(entry).state == "waiting"
    response = post(client, here, {"alasan": "salah ruang", "poli": "GIGI"})
    assert response.status_code == 303
    assert fresh(entry).reason == "salah ruang"


def test_a_reason_that_is_too_long_is_kept_and_refused(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    response = post(client, f"/antrean/{entry.public_id}/batal", {"alasan": "x" * 301})
    assert response.status_code == 422
    assert "x" * 301 in text_of(response)
    assert fresh(entry).state == "waiting"


@pytest.mark.parametrize("room", ["", "UMUM", "TIDAKADA"])
def test_a_move_needs_another_room_and_keeps_what_was_typed(sign_in, room):
    client, entry = sign_in("umum"), factories.entry()
    here = f"/antrean/{entry.public_id}/pindah"
    response = post(client, here, {"alasan": "sakit <gigi>", "poli": room})
    assert response.status_code == 422
    assert "Pilih ruang tujuannya" in text_of(response)
    assert "sakit &lt;gigi&gt;" in text_of(response)
    assert fresh(entry).state == "waiting"


def test_a_move_and_its_undo(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    response = post(client, f"{here}/pindah", {"alasan": "sakit gigi", "poli": "GIGI"})
    page = text_of(client.get(response.location))
    assert "pindah ke Poli Gigi dan Mulut" in said(page)
    assert Page(page).focused["role"] == "status", "the keys go on from what was done"
    assert f'formaction="{here}/urungkan"' in page
    assert entry.visit.label in text_of(sign_in("gigi").get("/poli/GIGI"))
    assert post(client, f"{here}/urungkan").status_code == 303
    assert rows_of(text_of(client.get("/poli/UMUM")), "waiting") == [entry.visit.label]
    assert entry.visit.label not in text_of(sign_in("gigi").get("/poli/GIGI"))


def test_a_move_says_what_it_did_to_the_place(sign_in):
    client, entry = sign_in("kepala"), factories.entry()

    def moved(entry, target):
        fields = {"alasan": "perlu tindakan segera", "poli": target}
        return said(
            text_of(client.get(post(client, f"/antrean/{entry.public_id}/pindah", fields).location))
        )

    def there(entry):
        found = select(QueueEntry).where(QueueEntry.previous_entry_id == entry.id)
        return db.session.scalars(found).one()

    assert moved(entry, "GIGI").endswith("Tempatnya di antrean tetap.")
    second = there(entry)
    assert moved(second, "UGD").endswith("Di sana didahulukan sebagai gawat darurat.")
    page = text_of(client.get("/poli/UGD"))
    assert "Gawat darurat</span>" in page
    third = there(second)
    assert "tidak lagi sebagai gawat darurat" in moved(third, "UMUM")


def undo_button(html: str) -> dict[str, str]:
    """What the page's "Urungkan" sends."""
    return {"seen": re.search(r'name="seen" value="(\d+)" formaction="[^"]+/urungkan"', html)[1]}


def test_an_undo_that_is_sent_twice_takes_back_one_step(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    post(client, f"{here}/panggil")
    page = text_of(client.get(post(client, f"{here}/lewati").location))
    button = undo_button(page)
    assert post(client, f"{here}/urungkan", button).status_code == 303
    again = post(client, f"{here}/urungkan", button)
    assert (again.status_code, fresh(entry).state) == (200, "called")
    told = said(text_of(again))
    assert told.startswith("Langkah itu sudah diurungkan oleh dr. Bagus Prasetyo pukul ")
    assert "sudah dipanggil oleh dr. Bagus Prasetyo" in told


def test_an_undo_takes_back_the_step_that_it_names_and_never_a_colleagues(sign_in):
    client, head, entry = sign_in("umum"), sign_in("kepala"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    page = text_of(client.get(post(client, f"{here}/panggil").location))
    post(head, f"{here}/mulai")
    refused = post(client, f"{here}/urungkan", undo_button(page))
    assert (refused.status_code, fresh(entry).state) == (409, "in_service")
    told = said(text_of(refused), "alert")
    assert re.search(r"sedang dilayani di Poli Umum, dimulai oleh .+ pukul ", told)
    assert "dipanggil" in told and "tidak diurungkan" in told
    # Once the colleague has taken the start back, the call is the last step again.
    assert post(head, f"{here}/urungkan").status_code == 303, "a page of before the upgrade"
    assert post(client, f"{here}/urungkan", undo_button(page)).status_code == 303
    assert fresh(entry).state == "waiting"


def test_an_undo_knows_its_step_in_both_rooms_of_a_move_and_among_those_who_went_on(sign_in):
    client, entry = sign_in("kepala"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    reason = {"alasan": "sakit gigi", "poli": "GIGI"}
    for undone_at in ("flash", "row", "further steps"):
        page = text_of(client.get(post(client, f"{here}/pindah", reason).location))
        there = db.session.scalars(
            select(QueueEntry).where(
                QueueEntry.previous_entry_id == entry.id, QueueEntry.undone_at.is_(None)
            )
        ).one()
        address = here
        if undone_at == "row":
            page = text_of(client.get("/poli/UMUM/baris"))
        if undone_at == "further steps":
            address = f"/antrean/{there.public_id}"
            page = text_of(client.get(f"{address}/lainnya"))
        assert post(client, f"{address}/urungkan", undo_button(page)).status_code == 303
        assert fresh(entry).state == "waiting", undone_at


@pytest.mark.parametrize("named", ["0", "x", "9" * 40, "other"])
def test_an_undo_that_names_nothing_of_this_patient_undoes_nothing(sign_in, named):
    client, entry, other = sign_in("umum"), factories.entry(), factories.entry()
    for each in (entry, other):
        page = text_of(client.get(post(client, f"/antrean/{each.public_id}/panggil").location))
    button = undo_button(page) if named == "other" else {"seen": named}
    refused = post(client, f"/antrean/{entry.public_id}/urungkan", button)
    assert (refused.status_code, fresh(entry).state) == (409, "called")
    assert "Muat ulang halaman" in said(text_of(refused), "alert")


def test_an_illegal_move_is_refused_before_its_reason_is_asked(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    post(client, f"{here}/batal", {"alasan": "salah daftar"})
    for action in ("pindah", "pulang"):
        response = post(client, f"{here}/{action}")
        assert response.status_code == 409
        assert "sudah dibatalkan oleh dr. Bagus Prasetyo" in said(text_of(response), "alert")


def test_a_page_that_was_posted_to_leads_back_when_it_is_reloaded(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    response = client.get(f"/antrean/{entry.public_id}/lewati")
    assert (response.status_code, response.location) == (303, "/poli/UMUM")


def test_the_row_leads_to_the_record_and_the_vital_signs(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    response = client.get(f"/antrean/{entry.public_id}/buka")
    assert response.location.startswith(f"/kunjungan/{entry.visit.public_id}")
    response = client.get(f"/antrean/{entry.public_id}/vital")
    assert response.location == f"/kunjungan/{entry.visit.public_id}/tanda-vital"


def test_the_page_of_further_steps_offers_what_is_possible_and_tells_the_past(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    page = text_of(client.get(f"{here}/lainnya"))
    offered = set(re.findall(rf'{here}/(\w+)"', page))
    assert offered == {"panggil", "mulai", "pindah", "batal", "pulang", "buka", "vital"}
    post(client, f"{here}/panggil")
    post(client, f"{here}/urungkan")
    post(client, f"{here}/batal", {"alasan": "salah <daftar>"})
    page = text_of(client.get(f"{here}/lainnya"))
    assert "masuk antrean" in page
    assert "dipanggil · dr. Bagus Prasetyo" in page
    assert "dibatalkan · dr. Bagus Prasetyo · salah &lt;daftar&gt;" in page
    assert f'{here}/urungkan"' in page
    assert f'{here}/mulai"' not in page


def test_among_those_who_went_on_a_mistake_is_undone_a_finished_one_opened(sign_in):
    """A finished examination is never undone: its row must not offer that."""
    client, left, served = sign_in("umum"), factories.entry(), factories.entry()
    post(client, f"/antrean/{left.public_id}/pulang", {"alasan": "tidak sabar"})
    for action in ("mulai", "selesai"):
        post(client, f"/antrean/{served.public_id}/{action}")
    page = text_of(client.get("/poli/UMUM"))
    assert f'formaction="/antrean/{left.public_id}/urungkan"' in page
    assert f'formaction="/antrean/{served.public_id}/urungkan"' not in page
    assert "urungkan" in text_of(client.get(f"/antrean/{served.public_id}/lainnya"))


def test_a_step_names_its_author(sign_in):
    entry = factories.entry()
    post(sign_in("umum"), f"/antrean/{entry.public_id}/panggil")
    user_id = db.session.scalar(select(QueueEvent.user_id).where(QueueEvent.action == "panggil"))
    assert user_id == factories.user("umum").id


def test_an_inactive_room_is_no_target(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    with transaction():
        factories.poli("GIGI").is_active = False
    here = f"/antrean/{entry.public_id}/pindah"
    assert post(client, here, {"alasan": "gigi", "poli": "GIGI"}).status_code == 422


@pytest.mark.parametrize("page", ["lainnya", "pindah", "batal", "pulang"])
def test_each_page_of_an_entry_shows_the_allergies(sign_in, page):
    entry = factories.entry("UMUM")
    with transaction():
        patient = db.session.get_one(Patient, entry.visit.patient_id)
        allergies.add_allergy(factories.actor("umum"), patient, "Amoksisilin", "gatal")
    html = sign_in("umum").get(f"/antrean/{entry.public_id}/{page}").get_data(as_text=True)
    assert '<p class="allergy">Alergi: Amoksisilin (gatal)</p>' in html


def test_what_somebody_began_to_write_is_finished_on_its_own_page(sign_in):
    client, entry = sign_in("umum"), factories.entry()
    here = f"/antrean/{entry.public_id}"
    for action in ("panggil", "mulai"):
        post(client, f"{here}/{action}")
    assert f'formaction="{here}/selesai"' in text_of(client.get(f"{here}/lainnya"))
    with transaction():
        found = db.session.get(QueueEntry, entry.id)
        records.save(factories.actor("umum"), found, ExaminationInput(assessment="ISPA"), 0)
    assert f'formaction="{here}/selesai"' not in text_of(client.get(f"{here}/lainnya"))
