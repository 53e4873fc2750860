"""The pages of /sistem: who may open them, what they change, what they refuse and keep."""

import ast
import gzip
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from string import ascii_uppercase

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from blueprints.system import audit_trail
from clinic import (
    accounts,
    administration,
    audit,
    catalogue,
    closing,
    complaint_text,
    days,
    emergency,
    queues,
    routing,
    settings,
    system_status,
)
from clinic.administration import AdministrationError
from db import db, transaction, utcnow
from models import (
    AuditEntry,
    ComplaintTerm,
    Level,
    LoginSession,
    OutboxEntry,
    OutboxState,
    Poli,
    PoliKind,
    Role,
    RoutingRule,
    User,
    Village,
    WorkerBeat,
)
from tests import factories
from tests.databases import count_queries
from tests.pages import login, post, words_of

# Who may open what, and the head's pages, are the same on both databases; the sweep of
# test_hostile_text.py opens them on PostgreSQL too.
pytestmark = pytest.mark.engines("sqlite")

ROOT = Path(__file__).parent.parent
GOOD_PASSPHRASE = "empat kuda lompat pagar"
NEW_PASSPHRASE = {"password": GOOD_PASSPHRASE, "password_again": GOOD_PASSPHRASE}
KEYS = "templates/system/keys_page.html"
HELP = ("/bantuan", "/bantuan/pengelola", "/bantuan/tombol")
TEXT_AREA = r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>'
INVISIBLE = "\u200b \u2060"
HARMFUL = '<b>"Ruang" & O\'Neil</b>'
HEAD_ONLY = (
    "/sistem/pengguna",
    "/sistem/pengguna/baru",
    "/sistem/ruang",
    "/sistem/ruang/baru",
    "/sistem/ruang/KIA",
    "/sistem/aturan",
    "/sistem/aturan/1",
    "/sistem/kamus",
    "/sistem/kamus/baru",
    "/sistem/kamus/1",
    "/sistem/kamus/coba",
    "/sistem/wilayah",
    "/sistem/wilayah/baru",
)
TECHNICAL = ("/sistem", "/sistem/cadangan", "/sistem/sesi", "/sistem/pengaturan", "/sistem/audit")


@pytest.fixture
def kepala(sign_in):
    return sign_in("kepala")


def html_of(response) -> str:
    return response.get_data(as_text=True)


def row_of(model, **where):
    db.session.rollback()
    return db.session.scalars(select(model).filter_by(**where)).first()


def newest_entry() -> AuditEntry:
    db.session.rollback()
    return db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()


def audited(action: str) -> list[AuditEntry]:
    db.session.rollback()
    found = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq)
    return list(db.session.scalars(found))


def fields_of(response) -> dict[str, list[str]]:
    """What the page's main form would send, as a browser reads it."""
    form = re.search(r'<form method="post"[^>]*data-once.*?</form>', html_of(response), re.S)[0]
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        pairs = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if pairs.get("type") in ("checkbox", "radio") and not re.search(r"\schecked", tag):
            continue
        if pairs["name"] != "csrf_token":
            sent.setdefault(pairs["name"], []).append(unescape(pairs.get("value", "on")))
    for name, inner in re.findall(TEXT_AREA, form, re.S):
        sent[name] = [unescape(inner)]
    for name, inner in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        sent[name] = [chosen[1]] if chosen else []
    return sent


def resend(client, url, **changes):
    """Open the form, change some fields (None: leave it out) and send it."""
    data = fields_of(client.get(url)) | {
        name: value if isinstance(value, list) else [value] for name, value in changes.items()
    }
    return post(client, url, {name: values for name, values in data.items() if values != [None]})


# --- Who may open what ------------------------------------------------------------------------


@pytest.mark.parametrize("url", HEAD_ONLY)
@pytest.mark.parametrize("username", ["kepala", "ti", "loket", "umum", "rekammedis"])
def test_pages_of_the_head(sign_in, username, url):
    assert sign_in(username).get(url).status_code == (200 if username == "kepala" else 403)


@pytest.mark.parametrize("url", TECHNICAL)
@pytest.mark.parametrize("username", ["kepala", "ti", "loket", "umum", "rekammedis"])
def test_technical_pages_are_the_operators_too(sign_in, username, url):
    expected = 200 if username in ("kepala", "ti") else 403
    assert sign_in(username).get(url).status_code == expected


@pytest.mark.parametrize("url", [*HEAD_ONLY, *TECHNICAL])
def test_strangers_log_in_first(client, url):
    response = client.get(url)
    assert (response.status_code, response.location) == (303, f"/masuk?lanjut={url}")


@pytest.mark.parametrize(
    "url", ["/sistem/pengguna/baru", "/sistem/ruang/UMUM", "/sistem/aturan/1", "/sistem/kamus/coba"]
)
def test_the_operator_writes_none_of_the_heads_pages(sign_in, url):
    assert post(sign_in("ti"), url, {"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    "url",
    ["/sistem/pengguna/tidak-ada", "/sistem/ruang/TAKADA", "/sistem/aturan/999999"]
    + ["/sistem/kamus/99999999999999999999", "/sistem/wilayah/2147483648"],
)
def test_what_does_not_exist_is_not_found(kepala, url):
    assert kepala.get(url).status_code == 404


@pytest.mark.parametrize("username", ["loket", "umum", "rekammedis", "kepala", "ti"])
def test_help_is_for_every_desk(sign_in, username):
    assert "dalam 6 langkah" in words_of(sign_in(username).get("/bantuan"))


def test_help_names_the_access_keys_that_the_pages_have():
    pages = [*ROOT.glob("templates/**/*.html")]
    told = set(re.findall(r"<kbd>Alt\+(\w)</kbd>", (ROOT / KEYS).read_text("utf-8")))
    there = {
        key.upper()
        for page in pages
        for key in re.findall(r"accesskey(?:=\"|': ')(\w)", page.read_text())
    }
    assert told == there


@pytest.mark.parametrize(
    ("key", "page", "button"),
    [
        ("T", "Cetak riwayat", "Cetak"),
        ("T", "Kartu pemulihan", "Cetak"),
        ("M", "Imunisasi", "Mulai"),
        ("S", "Tanda vital", "Betulkan catatan triase"),
    ],
)
def test_the_keys_page_names_the_rare_ones_too(client, key, page, button):
    rows = re.findall(
        rf"<tr><td><kbd>Alt\+{key}</kbd></td><td>([^<]*)</td><td>{button}</td>",
        client.get("/bantuan/tombol").text,
    )
    assert any(page in row.split(", ") for row in rows)


@pytest.mark.parametrize(
    "desk", ["pendaftaran", "pemeriksaan", "laboratorium", "farmasi", "rekam-medis"]
)
def test_help_has_a_section_for_each_desk(sign_in, desk):
    page = html_of(sign_in("umum").get("/bantuan"))
    assert f'href="#{desk}"' in page and f'<h2 id="{desk}">' in page


@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("pendaftaran", "Tambah ruang|Daftarkan keluarganya|Label pasien|Persetujuan umum"),
        ("antrean", "Sudah dibaca|menanyakan tahun atau tanggal lahirnya"),
        ("pemeriksaan", "Tulis tambahan|Meninggal|Cetak riwayat lengkap"),
        ("farmasi", "Stok obat|Terima barang|Koreksi|Resep hari ini|Masukkan antrean|Tutup"),
        ("farmasi", "Catat kembali ke stok"),
        ("rekam-medis", "Pasangan mirip|Satu orang: gabungkan|Dua orang berbeda|Penggabungan"),
        ("rekam-medis", "Identitas belum lengkap|Pembetulan|Impor|Mutu data|Statistik"),
    ],
)
def test_help_tells_of_what_each_desk_presses(client, section, names):
    text = client.get("/bantuan").text.split(f'<h2 id="{section}">')[1].split("<h2")[0]
    assert not [name for name in names.split("|") if name not in text]


def test_help_for_the_head_and_the_operator_is_a_page_of_its_own(client):
    assert 'href="/bantuan/pengelola"' in client.get("/bantuan").text
    page = client.get("/bantuan/pengelola").text
    names = ("Obat", "Tindakan", "Laboratorium", "Statistik", "Kunci publik dinas kesehatan")
    assert not [name for name in (*names, "/layar", "make upgrade") if name not in page]


def test_without_scripts_each_page_to_print_says_how(kepala):
    """Its button needs them."""
    button = re.compile(r"<button[^>]*\sdata-print\b.*?</button>(.{12})", re.S)
    beside = [
        (path.name, found)
        for path in ROOT.glob("templates/**/*.html")
        for found in button.findall(path.read_text("utf-8"))
    ]
    assert len(beside) > 8
    assert not [name for name, found in beside if found != "{{ by_hand()"]
    ticket = html_of(kepala.get(f"/pendaftaran/tiket/{factories.visit().public_id}"))
    assert re.search(r'<noscript><span class="no-print">Cetak: Ctrl\+P', ticket)


def test_help_needs_no_login_and_leads_to_the_keys(client):
    page = client.get("/bantuan")
    assert page.status_code == 200 and 'href="/bantuan/tombol"' in page.text
    assert "<kbd>Alt+G</kbd>" in client.get("/bantuan/tombol").text


def test_tabs_show_what_the_account_may_open(sign_in):
    tabs = re.search(r'<ul class="tabs">.*?</ul>', html_of(sign_in("ti").get("/sistem")), re.S)[0]
    # The clock is at the counter too.
    assert {*re.findall(r'href="([^"]+)"', tabs)} == {*TECHNICAL, "/sistem/jam", "/statistik"}


@pytest.mark.parametrize("url", [*HEAD_ONLY, *TECHNICAL, *HELP])
def test_pages_stay_small(kepala, url):
    assert len(gzip.compress(kepala.get(url).get_data())) <= 6 * 1024


# --- Health and status ------------------------------------------------------------------------


def test_healthz_answers_without_a_session(kepala):
    with count_queries() as statements:
        response = kepala.get("/healthz")
    assert (response.status_code, html_of(response)) == (200, "ok")
    assert statements == ["SELECT version_num FROM alembic_version"], "it is ours, and whole"


def test_healthz_says_when_the_database_is_gone(app, client, caplog):
    def refuse(*_):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        for _ in range(3):
            assert client.get("/healthz").status_code == 503
        assert caplog.text.count("does not answer") <= 1, "what to do stays on the screen"
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)


def test_status_tells_the_day_in_counts_only(sign_in):
    factories.visit(factories.patient("Ni Luh Sekar"))
    page = words_of(sign_in("ti").get("/sistem"))
    assert "1 terdaftar" in page
    assert "1 menunggu, 0 sedang dilayani" in page
    assert "Sekar" not in page


def test_who_stands_in_two_rooms_is_counted_once(sign_in):
    entry = factories.entry()
    with transaction():
        queues.enqueue(factories.actor(), entry.visit, factories.poli("GIGI"))
    assert closing.still_here(days.latest_day()) == 1
    assert "1 menunggu, 0 sedang dilayani" in words_of(sign_in("ti").get("/sistem"))
    with transaction():
        queues.act(factories.actor("umum"), db.session.merge(entry), "mulai")
    assert "0 menunggu, 1 sedang dilayani" in words_of(sign_in("ti").get("/sistem"))


@pytest.mark.parametrize(
    ("age", "state"), [(10, "Baik"), (90, "Perhatian"), (600, "Masalah"), (None, "Masalah")]
)
def test_status_of_the_worker_by_its_last_sign(app, age, state):
    now = utcnow()
    if age is not None:
        beat = now - timedelta(seconds=age)
        with transaction():
            db.session.add(WorkerBeat(name="worker", pid=1, started_at=beat, beat_at=beat))
    assert system_status.worker(now).state == state


def outbox_row(**fields) -> OutboxEntry:
    known = {"target": "dinkes", "subject_type": "visit", "subject_ref": "x"}
    return OutboxEntry(business_key="visit-1", **known, **fields)


@pytest.mark.parametrize(
    ("fields", "state", "figures"),
    [
        ({"created_at": utcnow()}, "Baik", "1 menunggu, 0 ditolak"),
        ({"created_at": utcnow() - timedelta(days=2)}, "Baik", "1 menunggu, 0 ditolak"),
        ({"state": OutboxState.REFUSED}, "Perhatian", "0 menunggu, 1 ditolak"),
        ({"state": OutboxState.SENT}, "Baik", "0 menunggu, 0 ditolak"),
    ],
)
def test_status_of_the_outbox(app, fields, state, figures):
    with transaction():
        db.session.add(outbox_row(**fields))
    check = system_status.outbox()
    assert (check.state, check.figures) == (state, figures)


def test_status_says_that_the_clock_ran_back(app):
    with transaction():
        days.open_day(utcnow() + timedelta(days=3))
    assert system_status.service_day(utcnow()).state == "Masalah"


def test_status_of_a_day_without_patients(app):
    check = system_status.service_day(utcnow())
    assert check.state == "Baik"
    assert "belum ada pasien" in check.figures


def test_status_names_the_database_and_its_size(kepala):
    expected = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[db.engine.dialect.name]
    assert re.search(rf"{expected} [\d.]+, [\d,.]+ [KMG]B", words_of(kepala.get("/sistem")))


def test_status_sees_an_entry_cut_off_at_the_trails_end(app):
    assert system_status.audit_trail().state == "Baik"
    with transaction():
        db.session.execute(text("UPDATE counter SET value = value + 1 WHERE name = 'audit'"))
    check = system_status.audit_trail()
    assert check.state == "Masalah"
    assert str(newest_entry().seq + 1) in check.figures


def test_status_sees_a_forged_entry(app, kepala):
    forged = AuditEntry(seq=newest_entry().seq + 1, at=utcnow(), action="log_in", hash="0" * 64)
    with transaction():
        db.session.add(forged)
        db.session.execute(text("UPDATE counter SET value = value + 1 WHERE name = 'audit'"))
    assert f"putus di catatan {newest_entry().seq}" in words_of(kepala.get("/sistem/audit"))


@pytest.mark.parametrize(
    ("size", "words"), [(900, "1 KB"), (12_999_999, "12,4 MB"), (5 * 1024**3, "5 GB")]
)
def test_sizes_in_words(size, words):
    assert system_status.size_text(size) == words


# --- Accounts ---------------------------------------------------------------------------------


def new_account(**changes):
    known = {
        "username": "dokter.baru",
        "display_name": "dr. Ketut Arya",
        "role": "poli",
        "rooms": ["UMUM", "TB"],
        "password": GOOD_PASSPHRASE,
    }
    known |= changes
    known.setdefault("password_again", known["password"])
    return {name: value for name, value in known.items() if value is not None}


def user_url(username: str) -> str:
    return f"/sistem/pengguna/{factories.user(username).public_id}"


def test_an_account_is_made_and_can_log_in(kepala, client):
    treats = {"profession": "Dokter", "licence_no": "SIP 12/2026", "nik": "5171011404850001"}
    response = post(kepala, "/sistem/pengguna/baru", new_account(**treats))
    assert (response.status_code, response.location) == (303, "/sistem/pengguna")
    assert "Akun dokter.baru dibuat" in words_of(kepala.get("/sistem/pengguna"))
    made = row_of(User, username="dokter.baru")
    assert [room.code for room in made.rooms] == ["UMUM", "TB"]
    assert made.practitioner.name == "dr. Ketut Arya"
    assert made.practitioner.nik == "5171011404850001"
    entry = audited("create_user")[-1]
    assert entry.object_ref == made.public_id
    assert entry.user_id == factories.user("kepala").id
    assert GOOD_PASSPHRASE not in made.password_hash
    assert login(client, "dokter.baru", GOOD_PASSPHRASE).get("/").status_code == 303


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"username": "loket"}, "Nama pengguna ini sudah dipakai"),
        ({"username": "dua kata"}, "2-40 huruf kecil"),
        ({"display_name": " "}, "Isi nama lengkap"),
        ({"display_name": INVISIBLE}, "Isi nama lengkap"),
        ({"profession": INVISIBLE, "licence_no": "SIP 1"}, "Isi profesi juga"),
        ({"rooms": []}, "paling sedikit satu ruang"),
        ({"rooms": ["TAKADA"]}, "tidak ada di daftar"),
        ({"role": "raja"}, "Pilih salah satu"),
        ({"password": ""}, "Isi kata sandi pertama"),
        ({"password": "pendek"}, "minimal 15 huruf"),
        ({"password": "dokter.baru dokter.baru"}, "terlalu umum"),
        ({"password": "Puskesmas Tirta Alur"}, "tanpa nama puskesmas"),
        ({"password": "Ketut Arya 123456"}, "nama sendiri"),
        ({"password_again": "empat kuda lompat pager"}, "Kedua kata sandi tidak sama"),
        ({"password_again": ""}, "Kedua kata sandi tidak sama"),
        ({"profession": "Dokter", "nik": "123"}, "3. Periksa kartu, atau kosongkan."),
        ({"profession": "Dokter", "nik": "1" * 16}, "pengisi. Periksa kartu, atau kosongkan."),
        ({"profession": "Dokter", "nik": "5171019904850001"}, "mungkin. Periksa kartu, atau kos"),
        ({"licence_no": "SIP 1"}, "Profesi: Isi profesi juga"),
        ({"ihs_number": "N10000001"}, "Profesi: Isi profesi juga"),
    ],
)
def test_an_account_that_cannot_be_is_refused_and_keeps_what_was_typed(kepala, changes, sentence):
    before = len(audited("create_user"))
    response = post(kepala, "/sistem/pengguna/baru", new_account(**changes))
    page = html_of(response)
    assert response.status_code == 422
    assert sentence in words_of(response)
    assert "Periksa isian berikut" in page
    # Of what nobody sees nothing is shown again.
    name = "".join(changes.get("display_name", "dr. Ketut Arya").split(INVISIBLE)).strip()
    assert f'name="display_name" value="{name}"' in page
    assert GOOD_PASSPHRASE not in page
    assert len(audited("create_user")) == before
    assert changes.get("username") == "loket" or not row_of(User, username="dokter.baru")


def test_an_account_is_changed(kepala):
    response = resend(
        kepala, user_url("gigi"), display_name="drg. Maya Kusuma, Sp.KG", rooms=["GIGI", "UMUM"]
    )
    assert response.status_code == 303
    changed = row_of(User, username="gigi")
    assert changed.display_name == "drg. Maya Kusuma, Sp.KG"
    assert {room.code for room in changed.rooms} == {"GIGI", "UMUM"}
    assert changed.practitioner.profession == "Dokter gigi"
    entry = newest_entry()
    assert (entry.action, entry.object_ref) == ("change_user", changed.public_id)
    assert "ruang: GIGI > GIGI UMUM" in entry.details


def test_an_account_that_stays_as_it_is_leaves_no_trace(kepala):
    before = newest_entry().seq
    assert resend(kepala, user_url("gigi")).status_code == 303
    assert newest_entry().seq == before


def test_a_stored_nik_is_masked_kept_and_not_audited(kepala):
    resend(kepala, user_url("umum"), nik="5171011404850001")
    assert "NIK" in newest_entry().details
    assert "5171011404850001" not in newest_entry().details
    resend(kepala, user_url("umum"), ihs_number="N10000001")
    assert "IHS" in newest_entry().details and "N10000001" not in newest_entry().details
    page = html_of(kepala.get(user_url("umum")))
    assert "517101••••••0001" in page
    assert "5171011404850001" not in page
    resend(kepala, user_url("umum"), display_name="dr. Bagus P.")
    assert row_of(User, username="umum").practitioner.nik == "5171011404850001"


def test_accounts_stand_by_name_upper_and_lower_case_alike(kepala):
    for username, name in (("loket", "Zainal"), ("gigi", "drg. Ayu"), ("kia", "Eka")):
        resend(kepala, user_url(username), display_name=name)
    page = words_of(kepala.get("/sistem/pengguna"))
    assert page.index("drg. Ayu") < page.index("Eka") < page.index("Zainal")


def test_who_treats_no_longer_is_ended_not_removed(kepala):
    resend(kepala, user_url("kia"), profession="", licence_no="", practitioner_name="")
    practitioner = row_of(User, username="kia").practitioner
    assert (practitioner.name, practitioner.is_active) == ("Bdn. Nurhayati", False)


def test_poli_staff_without_a_profession_stand_out(kepala):
    """They can issue no paper; of the others nobody asks."""
    assert "tidak dapat menerbitkan surat" in words_of(kepala.get("/sistem/pengguna/baru"))
    told = "profesi belum diisi"
    assert told not in words_of(kepala.get("/sistem/pengguna"))
    resend(kepala, user_url("kia"), profession="", licence_no="", practitioner_name="")
    assert words_of(kepala.get("/sistem/pengguna")).count(told) == 1


def test_another_role_gives_up_the_rooms(kepala):
    resend(kepala, user_url("gigi"), role="records")
    changed = row_of(User, username="gigi")
    assert (changed.role, changed.rooms) == (Role.RECORDS, [])
    post(kepala, "/sistem/pengguna/baru", new_account(role="records"))
    assert row_of(User, username="dokter.baru").rooms == []


def test_a_new_passphrase_ends_the_other_sessions(kepala, sign_in):
    gigi = sign_in("gigi")
    assert resend(kepala, user_url("gigi"), **NEW_PASSPHRASE).status_code == 303
    assert gigi.get("/sistem").status_code == 303
    assert accounts.matches(row_of(User, username="gigi"), GOOD_PASSPHRASE)
    assert "kata sandi" in newest_entry().details
    assert GOOD_PASSPHRASE not in newest_entry().details


def test_blanks_around_a_passphrase_are_none_of_it(kepala, app):
    spaced = {"password": f" {GOOD_PASSPHRASE} ", "password_again": GOOD_PASSPHRASE}
    assert resend(kepala, user_url("gigi"), **spaced).status_code == 303
    for typed in (GOOD_PASSPHRASE, f"{GOOD_PASSPHRASE} "):
        login(app.test_client(), "gigi", typed)


def test_a_passphrase_that_was_kept_with_its_blanks_still_opens(app):
    with transaction():
        gigi = db.session.merge(factories.user("gigi"))
        gigi.password_hash = accounts.hasher.hash(f" {GOOD_PASSPHRASE}")
    login(app.test_client(), "gigi", f" {GOOD_PASSPHRASE}")
    assert not accounts.matches(factories.user("gigi"), GOOD_PASSPHRASE)


def test_the_heads_own_new_passphrase_keeps_this_screen_open(kepala, sign_in):
    other = sign_in("kepala")
    assert resend(kepala, user_url("kepala"), **NEW_PASSPHRASE).status_code == 303
    assert kepala.get("/sistem").status_code == 200
    assert other.get("/sistem").status_code == 303


def test_a_closed_account_is_out_at_once_and_for_good(kepala, sign_in):
    loket = sign_in("loket")
    assert resend(kepala, user_url("loket"), is_active=None).status_code == 303
    assert loket.get("/bantuan").status_code == 200
    assert loket.get("/").status_code == 303
    assert resend(kepala, user_url("loket"), is_active="y").status_code == 303
    assert loket.get("/").location.startswith("/masuk")  # the old session stays ended


@pytest.mark.parametrize("changes", [{"is_active": None}, {"role": "records"}])
def test_the_last_head_stays(kepala, changes):
    response = resend(kepala, user_url("kepala"), **changes)
    assert response.status_code == 422
    assert "satu-satunya akun kepala" in words_of(response)
    head = row_of(User, username="kepala")
    assert (head.role, head.is_active) == (Role.HEAD, True)


def test_a_closed_account_of_a_head_is_none_that_stays(kepala):
    second = new_account(username="wakil", role="head", rooms=None)
    assert post(kepala, "/sistem/pengguna/baru", second).status_code == 303
    assert resend(kepala, user_url("wakil"), is_active=None).status_code == 303
    assert resend(kepala, user_url("kepala"), is_active=None).status_code == 422


def test_a_head_may_go_by_another_one_who_stays(kepala, sign_in):
    second = new_account(username="wakil", role="head", rooms=None)
    assert post(kepala, "/sistem/pengguna/baru", second).status_code == 303
    assert resend(kepala, user_url("wakil"), role="records").status_code == 303
    assert resend(kepala, user_url("wakil"), role="head").status_code == 303
    for change in ({"is_active": None}, {"role": "records"}):
        refused = resend(kepala, user_url("kepala"), **change)
        assert refused.status_code == 422 and "oleh kepala lain" in words_of(refused)
    wakil = sign_in("wakil")
    assert resend(wakil, user_url("kepala"), is_active=None).status_code == 303
    assert not row_of(User, username="kepala").is_active


def test_names_on_the_pages_are_text(kepala):
    post(kepala, "/sistem/pengguna/baru", new_account(display_name=HARMFUL))
    page = html_of(kepala.get("/sistem/pengguna"))
    assert HARMFUL not in page
    assert HARMFUL in unescape(page)
    assert HARMFUL in unescape(html_of(kepala.get(user_url("dokter.baru"))))


# --- Sessions ---------------------------------------------------------------------------------


def test_the_operator_ends_one_session(sign_in):
    ti, gigi = sign_in("ti"), sign_in("gigi")
    row = row_of(LoginSession, user_id=factories.user("gigi").id)
    assert post(ti, f"/sistem/sesi/{row.id}/akhiri").status_code == 303
    assert gigi.get("/sistem").status_code == 303
    assert newest_entry().action == "end_session"
    assert newest_entry().object_ref == factories.user("gigi").public_id


def test_a_session_that_is_over_says_so(sign_in):
    ti = sign_in("ti")
    sign_in("gigi")
    row = row_of(LoginSession, user_id=factories.user("gigi").id)
    post(ti, f"/sistem/sesi/{row.id}/akhiri")
    post(ti, f"/sistem/sesi/{row.id}/akhiri")
    assert "Sesi ini sudah berakhir" in words_of(ti.get("/sistem/sesi"))
    assert len(audited("end_session")) == 1


def test_all_sessions_of_an_account_end(kepala, sign_in):
    first, second = sign_in("gigi"), sign_in("gigi")
    assert "terbuka di 2 layar" in words_of(kepala.get(user_url("gigi")))
    assert post(kepala, user_url("gigi") + "/akhiri").status_code == 303
    assert {first.get("/").status_code, second.get("/").status_code} == {303}
    assert first.get("/").location.startswith("/masuk")
    assert newest_entry().details == "2 sesi"


def test_the_own_session_has_no_end_button(sign_in):
    ti = sign_in("ti")
    page = html_of(ti.get("/sistem/sesi"))
    assert "Sesi Anda" in page
    assert "/akhiri" not in page


# --- Rooms ------------------------------------------------------------------------------------

NEW_ROOM = {
    "name": "Kesehatan Jiwa",
    "code": "jiwa",
    "prefix": "j",
    "kind": "outpatient",
    "cluster_rule": "AGE",
    "min_years": "5",
    "min_months": "",
    "max_years": "",
    "max_months": "",
    "sex": "",
    "redirect_code": "UMUM",
    "position": "20",
    "hue": "3",
}


def test_a_room_is_opened(kepala):
    response = post(kepala, "/sistem/ruang/baru", NEW_ROOM)
    assert (response.status_code, response.location) == (303, "/sistem/ruang")
    room = row_of(Poli, code="JIWA")
    assert (room.prefix, room.min_age_months, room.max_age_months) == ("J", 60, None)
    assert (room.redirect_code, room.is_active, room.hue) == ("UMUM", True, 3)
    assert (newest_entry().action, newest_entry().object_ref) == ("create_poli", "JIWA")
    assert "Mulai 5 tahun" in words_of(kepala.get("/sistem/ruang"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"code": "UMUM"}, "Kode UMUM sudah dipakai"),
        ({"code": "X Y"}, "2-12 huruf"),
        ({"prefix": "U"}, "Huruf U sudah dipakai Poli Umum"),
        ({"name": "poli  UMUM"}, "Nama ini sudah dipakai ruang lain"),
        ({"prefix": "1"}, "satu huruf A sampai Z"),
        ({"min_years": "abc"}, "angka bulat 0 sampai 130"),
        ({"min_months": "12"}, "angka bulat 0 sampai 11"),
        ({"min_years": "10", "max_years": "9"}, "lebih muda"),
        ({"name": "x" * 61}, "terlalu panjang"),
        ({"name": INVISIBLE}, "Isi nama ruang"),
        ({"hue": "99"}, "Pilih salah satu"),
    ],
)
def test_a_room_that_cannot_be_is_refused_and_keeps_what_was_typed(kepala, changes, sentence):
    response = post(kepala, "/sistem/ruang/baru", NEW_ROOM | changes)
    assert response.status_code == 422
    assert sentence in words_of(response)
    if changes == {"min_months": "12"}:  # of two months boxes it is the one of the youngest
        assert "Umur paling muda, bulan: Isi angka bulat" in words_of(response)
    assert f'value="{(NEW_ROOM | changes)["min_years"]}"' in html_of(response)
    assert row_of(Poli, code="JIWA") is None


def test_where_all_letters_are_used_up_a_closed_room_gives_its_own(kepala):
    free = sorted(set(ascii_uppercase) - set(db.session.scalars(select(Poli.prefix))))
    for letter in free:
        room = {"code": f"R{letter}", "name": f"Ruang {letter}", "prefix": letter}
        assert post(kepala, "/sistem/ruang/baru", NEW_ROOM | room).status_code == 303
    assert "Tutup dulu ruang" in words_of(kepala.get("/sistem/ruang/baru"))
    new = NEW_ROOM | {"prefix": free[0]}
    assert "Semua huruf dipakai" in words_of(post(kepala, "/sistem/ruang/baru", new))
    closed = f"/sistem/ruang/R{free[0]}"
    assert resend(kepala, closed, is_active=None).status_code == 303
    how = f"Ganti huruf {free[0]} (Ruang {free[0]}), ruang yang ditutup, dengan sebuah angka."
    assert how in words_of(kepala.get("/sistem/ruang/baru"))
    assert how in words_of(post(kepala, "/sistem/ruang/baru", new))
    assert resend(kepala, closed, prefix="1").status_code == 303
    assert free[0] in fields_of(kepala.get("/sistem/ruang/baru"))["prefix"]
    assert post(kepala, "/sistem/ruang/baru", new).status_code == 303
    again = resend(kepala, closed, is_active="y")
    assert again.status_code == 422
    assert "Huruf nomor antrean: Isi satu huruf A sampai Z" in words_of(again)


def test_a_room_may_be_for_one_age_alone(kepala):
    one = {"min_years": "5", "min_months": "6", "max_years": "5", "max_months": "6"}
    assert post(kepala, "/sistem/ruang/baru", NEW_ROOM | one).status_code == 303
    room = row_of(Poli, code="JIWA")
    assert (room.min_age_months, room.max_age_months) == (66, 66)


def test_a_room_is_changed_and_nothing_else_of_it(kepala):
    before = {c.name: getattr(row_of(Poli, code="KIA"), c.name) for c in Poli.__table__.columns}
    assert resend(kepala, "/sistem/ruang/KIA", name="KIA dan PONED").status_code == 303
    after = {c.name: getattr(row_of(Poli, code="KIA"), c.name) for c in Poli.__table__.columns}
    assert after == before | {"name": "KIA dan PONED", "revision": before["revision"] + 1}
    assert newest_entry().details == "nama: KIA (hamil dan nifas) > KIA dan PONED"


@pytest.mark.parametrize("code", ["UMUM", "GIGI", "KIA", "KB", "MTBS", "UGD", "LAB"])
def test_every_room_can_be_saved_as_it_stands(kepala, code):
    before = newest_entry().seq
    assert resend(kepala, f"/sistem/ruang/{code}").status_code == 303
    assert newest_entry().seq == before


def test_a_room_where_somebody_waits_is_not_closed(kepala):
    factories.visit(code="GIGI")
    response = resend(kepala, "/sistem/ruang/GIGI", is_active=None)
    assert response.status_code == 422
    assert "Masih ada 1 pasien di ruang ini" in words_of(response)
    assert row_of(Poli, code="GIGI").is_active
    assert resend(kepala, "/sistem/ruang/KB", is_active=None).status_code == 303
    assert not row_of(Poli, code="KB").is_active


def test_a_room_where_somebody_waits_stays_of_its_kind(kepala):
    factories.visit(code="LAB")
    response = resend(kepala, "/sistem/ruang/LAB", kind="outpatient")
    assert response.status_code == 422
    assert "Masih ada 1 pasien di ruang ini" in words_of(response)
    assert row_of(Poli, code="LAB").kind is PoliKind.LABORATORY
    assert resend(kepala, "/sistem/ruang/LAB", name="Lab darah").status_code == 303
    assert resend(kepala, "/sistem/ruang/GIZI", kind="laboratory").status_code == 303
    assert row_of(Poli, code="GIZI").kind is PoliKind.LABORATORY


@pytest.mark.parametrize("changes", [{"is_active": None}, {"kind": "outpatient"}])
def test_the_last_emergency_room_stays(kepala, changes):
    response = resend(kepala, "/sistem/ruang/UGD", **changes)
    assert response.status_code == 422
    assert "satu-satunya ruang gawat darurat" in words_of(response)
    assert f'href="#f-{next(iter(changes))}"' in html_of(response)
    assert emergency.emergency_room().code == "UGD"
    second = NEW_ROOM | {"code": "UGD2", "kind": "emergency"}
    assert post(kepala, "/sistem/ruang/baru", second).status_code == 303
    assert resend(kepala, "/sistem/ruang/UGD", **changes).status_code == 303
    db.session.rollback()
    assert emergency.emergency_room().code == "UGD2"


def test_a_closed_room_can_still_be_named_as_it_was(kepala):
    assert resend(kepala, "/sistem/ruang/MTBS", is_active=None).status_code == 303
    assert resend(kepala, "/sistem/ruang/UMUM", name="Poli Umum A").status_code == 303
    assert row_of(Poli, code="UMUM").redirect_code == "MTBS"


def test_a_room_that_no_account_serves_is_told(kepala):
    """Patients are sent there all the same."""
    told = "belum punya petugas"
    assert "belum ada petugas" not in words_of(kepala.get("/sistem/ruang"))
    assert told not in words_of(kepala.get("/sistem"))
    resend(kepala, user_url("kia"), rooms=["KIA", "KB", "MTBS"])
    resend(kepala, user_url("gigi"), is_active=None)
    page = html_of(kepala.get("/sistem/ruang"))
    rows = [row for row in page.split("<tr>") if "belum ada petugas" in row]
    assert [re.search(r"<small>(\w+)", row)[1] for row in rows] == ["GIGI", "IMUN"]
    status = words_of(kepala.get("/sistem"))
    assert f"2 ruang dipakai {told}" in status
    assert "GIGI, IMUN: kepala menambah petugasnya" in status
    assert resend(kepala, "/sistem/ruang/IMUN", is_active=None).status_code == 303
    assert f"1 ruang dipakai {told}" in words_of(kepala.get("/sistem"))


# --- Rules ------------------------------------------------------------------------------------


def rule_url(rule: str) -> str:
    return f"/sistem/aturan/{row_of(RoutingRule, rule=rule).id}"


def findings_for_child_in_general_room():
    case = routing.Case("demam", "L", None, 24, "", "UMUM", days.clinic_date())
    return {found.rule: found.level for found in routing.load().findings(case)}


def test_a_rules_level_holds_from_the_next_registration(kepala):
    assert findings_for_child_in_general_room()["W1"] == "warning"
    assert resend(kepala, rule_url("W1"), level="info").status_code == 303
    assert findings_for_child_in_general_room()["W1"] == "info"
    assert newest_entry().details == "nomor 8: tingkat: warning > info"
    assert resend(kepala, rule_url("W1"), level="off").status_code == 303
    assert "W1" not in findings_for_child_in_general_room()


def test_of_two_rules_of_one_name_the_trail_and_the_pages_say_which(kepala):
    both = select(RoutingRule).where(RoutingRule.rule == "W4").order_by(RoutingRule.position)
    first, second = db.session.scalars(both)
    assert first.message == second.message
    listed = words_of(kepala.get("/sistem/aturan"))
    for rule in (first, second):
        name, url = f"W4 nomor {rule.position}", f"/sistem/aturan/{rule.id}"
        assert name in listed
        assert f"Aturan {name}" in words_of(kepala.get(url))
        assert resend(kepala, url, level="info").status_code == 303
        assert f"Aturan {name} disimpan" in words_of(kepala.get("/sistem/aturan"))
        trail = words_of(kepala.get("/sistem/audit"))
        assert f"aturan W4 nomor {rule.position}: tingkat: perhatian > " in trail


def test_every_rule_can_be_saved_as_it_stands(kepala):
    before = newest_entry().seq
    for rule_id in list(db.session.scalars(select(RoutingRule.id))):
        assert resend(kepala, f"/sistem/aturan/{rule_id}").status_code == 303
    assert newest_entry().seq == before


def test_a_rules_conditions_are_changed(kepala):
    changes = {"poli_in": ["UMUM", "GIGI"], "below_years": "6", "threshold": None}
    assert resend(kepala, rule_url("W1"), **changes).status_code == 303
    rule = row_of(RoutingRule, rule="W1")
    assert (rule.poli_in, rule.age_below_months, rule.target_code) == ("UMUM GIGI", 72, "MTBS")


def test_the_danger_rules_page_says_what_stays_without_it(kepala, sign_in):
    stays = "Peringatan merah UGD tetap tampil"
    both = db.session.scalars(select(RoutingRule.id).where(RoutingRule.rule == "R1")).all()
    for rule_id in both:
        page = kepala.get(f"/sistem/aturan/{rule_id}")
        assert f"{stays}; kata-katanya diatur di Kamus keluhan" in words_of(page)
        assert "Tidak dipakai: hanya peringatan merah UGD" in words_of(page)
        assert resend(kepala, f"/sistem/aturan/{rule_id}", level="off").status_code == 303
        assert f"langsung berlaku. {stays}." in words_of(kepala.get("/sistem/aturan"))
    typed = {"complaint": "anak kejang", "poli": "UMUM"}
    assert 'class="redflag"' in html_of(post(sign_in("loket"), "/pendaftaran/saran", typed))
    other = words_of(kepala.get(rule_url("W1")))
    assert "Tidak dipakai: tidak pernah muncul" in other and stays not in other


def test_a_threshold_is_changed_where_there_is_one(kepala):
    assert resend(kepala, rule_url("P1"), threshold="21").status_code == 303
    assert row_of(RoutingRule, rule="P1").threshold == 21
    assert 'name="threshold"' not in html_of(kepala.get(rule_url("E1")))


@pytest.mark.parametrize("typed", ["", "0", "-1", "1,5", "1000"])
@pytest.mark.parametrize(("rule", "shipped"), [("W7", 2), ("P1", 14)])
def test_a_threshold_is_a_whole_number_from_one(kepala, rule, shipped, typed):
    response = resend(kepala, rule_url(rule), threshold=typed)
    assert response.status_code == 422
    assert "Ambang: Isi angka bulat 1 sampai 999." in words_of(response)
    assert row_of(RoutingRule, rule=rule).threshold == shipped


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"message": "Pilih {ruang}."}, "{ruang} tidak dikenal"),
        ({"message": "Pilih {poli"}, "tanpa pasangan"),
        ({"message": "x } {poli}"}, "tanpa pasangan"),
        ({"message": ""}, "Isi pesan"),
        ({"message": INVISIBLE}, "Isi pesan"),
        ({"level": "bencana"}, "Pilih salah satu"),
        ({"from_years": "x"}, "Umur mulai, tahun: Isi angka bulat"),
        ({"from_years": "9", "below_years": "5"}, "harus lebih tinggi"),
        ({"from_years": "9", "below_years": "9"}, "harus lebih tinggi"),
        ({"target_code": "TAKADA"}, "Pilih salah satu"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(kepala, changes, sentence):
    typed = {"unless_words": "luka, jatuh dari pohon"}
    response = resend(kepala, rule_url("W1"), **typed | changes)
    assert response.status_code == 422
    assert sentence in words_of(response)
    assert "jatuh dari pohon" in html_of(response)
    assert row_of(RoutingRule, rule="W1").level == Level.WARNING


# --- Lexicon ----------------------------------------------------------------------------------

NEW_TERM = {"phrase": "Kutil di kaki", "poli_code": "UMUM", "weight": "3"}


def proposed(complaint: str) -> list[str]:
    case = routing.Case(complaint, "L", None, 360, "", "", days.clinic_date())
    return [one.poli_code for one in routing.load().propose(case)]


def test_a_word_is_added_and_proposes_its_room(kepala):
    response = post(kepala, "/sistem/kamus/baru", NEW_TERM | {"poli_code": "GIGI"})
    assert response.status_code == 303
    term = row_of(ComplaintTerm, phrase="Kutil di kaki")
    assert term.folded == complaint_text.fold("kutil di kaki")
    assert proposed("ada KUTIL di kaki kanan")[0] == "GIGI"
    assert (newest_entry().action, newest_entry().object_ref) == ("create_term", str(term.id))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"phrase": "Sakit  GIGI", "poli_code": "GIGI"}, "sudah punya kata yang sama"),
        ({"phrase": "!?"}, "harus memuat huruf"),
        ({"below_years": "5"}, "harus lebih tinggi"),
        ({"phrase": ""}, "Isi kata keluhan"),
        ({"poli_code": ""}, "Pilih ruang yang dituju"),
        ({"weight": "9"}, "Pilih salah satu"),
    ],
)
def test_a_word_that_cannot_be_is_refused(kepala, changes, sentence):
    response = post(kepala, "/sistem/kamus/baru", NEW_TERM | {"from_years": "7"} | changes)
    assert response.status_code == 422
    assert sentence in words_of(response)
    assert 'value="7"' in html_of(response)


def term_url(phrase: str) -> str:
    return f"/sistem/kamus/{row_of(ComplaintTerm, phrase=phrase).id}"


def test_a_word_is_ended_and_proposes_no_longer(kepala):
    post(kepala, "/sistem/kamus/baru", NEW_TERM | {"poli_code": "GIGI"})
    assert resend(kepala, term_url("Kutil di kaki"), is_active=None).status_code == 303
    assert not row_of(ComplaintTerm, phrase="Kutil di kaki").is_active
    assert "GIGI" not in proposed("kutil di kaki")
    assert newest_entry().details == "Kutil di kaki GIGI: dipakai: ya > tidak"


def test_a_word_for_pregnancy_counts_while_pregnant_and_its_label_says_so(kepala):
    assert "Hanya bila pasien hamil Tambah kata" in words_of(kepala.get("/sistem/kamus/baru"))
    words = {"poli_code": "GIGI", "needs_pregnant": "y"}
    post(kepala, "/sistem/kamus/baru", NEW_TERM | words)
    for pregnant in ("ya", "nifas", "tidak"):
        case = routing.Case("kutil di kaki", "P", None, 360, pregnant, "", days.clinic_date())
        rooms = [one.poli_code for one in routing.load().propose(case)]
        assert ("GIGI" in rooms) == (pregnant == "ya")


def test_a_word_moved_to_another_room_does_not_come_back_with_the_next_start(kepala):
    old = row_of(ComplaintTerm, folded=complaint_text.fold("behel"), poli_code="GIGI")
    response = resend(kepala, f"/sistem/kamus/{old.id}", poli_code="UMUM")
    assert response.status_code == 303
    assert not row_of(ComplaintTerm, id=old.id).is_active
    assert row_of(ComplaintTerm, folded=old.folded, poli_code="UMUM").is_active
    assert proposed("pasang behel")[0] == "UMUM"


def test_words_are_filtered_by_room_and_by_letters(kepala):
    page = html_of(kepala.get("/sistem/kamus?ruang=GIGI&q=tambal"))
    cells = re.findall(r'data-label="Ruang">([^<]+)<', page)
    assert cells
    assert set(cells) == {"Poli Gigi dan Mulut"}
    assert 'value="tambal"' in page
    nothing = words_of(kepala.get("/sistem/kamus?q=%25%5F%5Czz"))
    assert "Tidak ada kata yang cocok" in nothing


def test_the_lexicon_comes_in_pages_without_gap(kepala):
    seen, url = [], "/sistem/kamus"
    while url:
        page = html_of(kepala.get(url))
        seen += re.findall(r'href="/sistem/kamus/(\d+)"', page)
        further = re.search(r'href="([^"]+)">Berikutnya', page)
        url = unescape(further[1]) if further else None
    assert len(seen) == len(set(seen)) == len(list(db.session.scalars(select(ComplaintTerm.id))))


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999", "²"])
def test_a_nonsense_page_number_is_no_error(kepala, page):
    assert kepala.get("/sistem/kamus", query_string={"halaman": page}).status_code == 200


def test_a_complaint_is_tried_without_being_stored(kepala):
    before = newest_entry().seq
    response = post(
        kepala, "/sistem/kamus/coba", {"complaint": "sakit gigi geraham", "sex": "", "years": "30"}
    )
    assert response.status_code == 200
    assert re.findall(r'data-poli="(\w+)"', html_of(response))[0] == "GIGI"
    assert newest_entry().seq == before


def test_a_tried_danger_sign_shows_its_banner(kepala):
    response = post(kepala, "/sistem/kamus/coba", {"complaint": "anak kejang", "sex": "L"})
    assert 'class="redflag"' in html_of(response)


def test_a_trial_needs_a_complaint(kepala):
    response = post(kepala, "/sistem/kamus/coba", {"complaint": " ", "sex": "", "years": "7"})
    assert response.status_code == 422
    assert 'value="7"' in html_of(response)


# --- Villages ---------------------------------------------------------------------------------


def test_villages_are_added_changed_and_ended(kepala):
    new = {"name": "Sukamaju Kidul", "is_in_area": "1", "code": "52.71.01.1001"}
    assert post(kepala, "/sistem/wilayah/baru", new).status_code == 303
    assert newest_entry().action == "create_village"
    village = row_of(Village, name="Sukamaju Kidul")
    assert (village.is_in_area, village.is_active) == (True, True)
    response = resend(kepala, f"/sistem/wilayah/{village.id}", is_in_area="0", is_active=None)
    assert response.status_code == 303
    village = row_of(Village, name="Sukamaju Kidul")
    assert (village.is_in_area, village.is_active) == (False, False)
    assert newest_entry().details.startswith("Sukamaju Kidul: dalam wilayah: ya > tidak; dip")


def test_a_village_stands_once(kepala):
    post(kepala, "/sistem/wilayah/baru", {"name": "Sukamaju Kidul", "is_in_area": "1"})
    again = {"name": "SUKAMAJU  kidul", "is_in_area": "0", "code": "5271011001"}
    response = post(kepala, "/sistem/wilayah/baru", again)
    assert response.status_code == 422
    assert "sudah ada di daftar" in words_of(response)
    assert 'value="5271011001"' in html_of(response)


# --- Settings ---------------------------------------------------------------------------------


def test_settings_are_stored_and_told(kepala):
    response = resend(kepala, "/sistem/pengaturan", idle_minutes="25", clinic_name="Puskesmas Baru")
    assert response.status_code == 303
    page = words_of(kepala.get("/sistem/pengaturan"))
    assert "Disimpan: Nama puskesmas, Layar terkunci" in page
    db.session.rollback()
    assert settings.value("idle_minutes") == 25
    changes = [(entry.object_ref, entry.details) for entry in audited("change_setting")]
    assert changes == [
        ("clinic_name", "Puskesmas Tirta Alur > Puskesmas Baru"),
        ("idle_minutes", "15 > 25"),
    ]


@pytest.mark.parametrize(
    ("key", "typed", "sentence"),
    [
        ("idle_minutes", "0", "angka bulat 1 sampai 240"),
        ("elderly_from_years", "enam puluh", "angka bulat 45 sampai 70"),
        ("board_networks", "10.0.0.0/8 kantor", "kantor bukan alamat jaringan"),
        ("clinic_name", " ", "tidak boleh kosong"),
        ("clinic_name", "x" * 101, "paling banyak 100 huruf"),
        ("clinic_office", "x" * 101, "paling banyak 100 huruf"),
        ("time_zone", "Asia/Tokyo", "Pilih salah satu"),
        ("wait_late_minutes", "30", "lebih lama daripada tanda kuning"),
        ("closes_at", "7.5", "menit dua angka"),
    ],
)
def test_a_setting_that_cannot_be_stands_beside_its_field(kepala, key, typed, sentence):
    known = {"clinic_address": "Jalan Kenanga 99"}
    response = resend(kepala, "/sistem/pengaturan", **known | {key: typed})
    assert response.status_code == 422
    page = html_of(response)
    assert sentence in words_of(response)
    assert f'href="#f-{key}"' in page
    assert f'id="f-{key}-error"' in page
    assert "Jalan Kenanga 99" in page
    assert audited("change_setting") == []


@pytest.mark.parametrize(
    ("key", "typed", "stored"),
    [
        ("closes_at", "1430", "14.30"),
        ("closes_at", "7:05", "07.05"),
        ("board_networks", "127.0.0.0/8, 10.0.0.0/8;", "127.0.0.0/8 10.0.0.0/8"),
        ("board_networks", " ", ""),
        ("clinic_address", "Jalan Melati 1,\r\n\r\nKota Alur", "Jalan Melati 1, Kota Alur"),
    ],
)
def test_a_setting_is_read_as_it_was_meant(kepala, key, typed, stored):
    assert resend(kepala, "/sistem/pengaturan", **{key: typed}).status_code == 303
    db.session.rollback()
    assert settings.value(key) == stored
    is_lost = "tidak termasuk jaringan layar" in html_of(kepala.get("/sistem/pengaturan"))
    assert is_lost == (stored == "")


def test_a_setting_that_is_not_sent_stays(kepala):
    known = settings.values()
    assert post(kepala, "/sistem/pengaturan", {"idle_minutes": "25"}).status_code == 303
    db.session.rollback()
    assert settings.values() == {**known, "idle_minutes": 25}


def test_hidden_settings_have_no_field_and_cannot_be_sent(kepala):
    fields = fields_of(kepala.get("/sistem/pengaturan"))
    assert fields.keys() - {"shown"} == settings.DEFINITIONS.keys() - settings.HIDDEN
    resend(kepala, "/sistem/pengaturan", is_demo="0", epoch="000000", idle_minutes="16")
    db.session.rollback()
    assert settings.value("is_demo") is True
    assert settings.value("epoch") != "000000"


def test_the_operator_changes_technical_settings_only(sign_in):
    ti = sign_in("ti")
    technical = {"idle_minutes", "board_networks", "internet_target"}
    assert fields_of(ti.get("/sistem/pengaturan")).keys() - {"shown"} == technical
    response = resend(ti, "/sistem/pengaturan", idle_minutes="30", clinic_name="Milik TI")
    assert response.status_code == 303
    db.session.rollback()
    assert settings.value("idle_minutes") == 30
    assert settings.value("clinic_name") == "Puskesmas Tirta Alur"


# --- Audit trail ------------------------------------------------------------------------------


def test_the_head_sees_whose_record_it_was(kepala):
    patient = factories.patient()
    with transaction():
        audit.record(
            factories.actor("umum"),
            "open_with_reason",
            patient_ref=patient.public_id,
            reason="pasien menelepon",
        )
    response = kepala.get("/sistem/audit")
    assert f'href="/pasien/{patient.public_id}"' in html_of(response)
    assert "dr. Bagus Prasetyo" in words_of(response)
    assert "Membuka rekam medis dengan alasan" in words_of(response)
    assert "pasien menelepon" in words_of(response)


def test_the_operator_sees_neither_patient_nor_reason(sign_in):
    patient = factories.patient()
    with transaction():
        audit.record(
            factories.actor("umum"),
            "open_with_reason",
            patient_ref=patient.public_id,
            reason="pasien menelepon",
            details="U001 UMUM",
        )
    page = html_of(sign_in("ti").get("/sistem/audit"))
    assert "Membuka rekam medis dengan alasan" in page
    for hidden in (patient.public_id, "pasien menelepon", "U001"):
        assert hidden not in page


def seqs_of(response) -> list[int]:
    return [int(seq) for seq in re.findall(r'data-seq="(\d+)"', html_of(response))]


def test_the_trail_comes_newest_first_in_pages_of_fifty(kepala):
    for _ in range(60):
        with transaction():
            audit.record(audit.SYSTEM, "log_out")
    response = kepala.get("/sistem/audit")
    first = seqs_of(response)
    assert len(first) == 50
    assert first == sorted(first, reverse=True)
    older = unescape(re.search(r'href="([^"]+)">Lebih lama', html_of(response))[1])
    second = seqs_of(kepala.get(older))
    assert older == f"/sistem/audit?sebelum={first[-1]}"
    assert first + second == list(range(newest_entry().seq, 0, -1))


def test_the_trail_is_filtered_by_who_and_what(kepala):
    with transaction():
        audit.record(factories.actor("umum"), "call")
        audit.record(factories.actor("gigi"), "call")
        audit.record(factories.actor("gigi"), "skip")
    gigi = factories.user("gigi").public_id
    page = words_of(kepala.get(f"/sistem/audit?pengguna={gigi}&aksi=call"))
    assert len(seqs_of(kepala.get(f"/sistem/audit?pengguna={gigi}&aksi=call"))) == 1
    assert len(seqs_of(kepala.get(f"/sistem/audit?pengguna={gigi}"))) == 2
    assert "drg. Maya Kusuma" in page


@pytest.mark.parametrize("query", ["sebelum=x", "sebelum=99999999999999999999", "sebelum=0"])
def test_a_nonsense_place_in_the_trail_is_no_error(kepala, query):
    assert kepala.get(f"/sistem/audit?{query}&aksi=%00&pengguna=%27").status_code == 200


def test_the_trails_page_asks_the_same_at_any_length(kepala):
    def queries() -> int:
        with count_queries() as statements:
            kepala.get("/sistem/audit")
        return len(statements)

    few = queries()
    for _ in range(60):
        with transaction():
            audit.record(factories.actor("gigi"), "call")
    assert queries() == few


# Which argument names the action, by function.
ACTION_PLACES = {"record": 1, "create_row": 1, "change_row": 1, "_log": 1, "record_view": 0}


def actions_of_the_program() -> set[str]:
    """Every action word that stands in a call that writes the trail."""
    found = set()
    for path in [*ROOT.glob("clinic/*.py"), *ROOT.glob("blueprints/**/*.py"), ROOT / "access.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            place = ACTION_PLACES.get(name)
            if place is not None and len(node.args) > place:
                word = node.args[place]
                if isinstance(word, ast.Constant) and isinstance(word.value, str):
                    found.add(word.value)
    return found


def test_every_action_has_words_in_the_trail():
    assert actions_of_the_program() - audit_trail.ACTION_LABELS.keys() == set()


# --- The clinic functions themselves ----------------------------------------------------------


def test_changes_are_told_in_words_and_numbers(app):
    room = row_of(Poli, code="GIGI")
    with transaction():
        told = administration.apply_changes(room, {"position": 1, "has_priority": True, "sex": "P"})
    assert told == "urutan: 2 > 1; didahulukan: tidak > ya; jenis kelamin: kosong > P"


def test_two_heads_cannot_both_step_down(app):
    actor = factories.actor("kepala")
    with transaction():
        second = accounts.create_user(
            actor,
            username="wakil",
            display_name="Wakil",
            password_hash="x",
            role=Role.HEAD,
        )
    leaving = administration.AccountFields("kepala", "dr. Indah Lestari", Role.RECORDS)
    by_the_other = audit.Actor(second.id, second.role.value)
    with transaction():
        administration.change_account(by_the_other, factories.user("kepala"), leaving)
    closed = administration.AccountFields("wakil", "Wakil", Role.HEAD, is_active=False)
    with pytest.raises(AdministrationError) as refused, transaction():
        administration.change_account(actor, second, closed)
    assert refused.value.field == "is_active"


def test_a_room_never_redirects_to_itself(app):
    room = row_of(Poli, code="GIGI")
    values = {"prefix": "G", "redirect_code": "GIGI", "min_age_months": None}
    with pytest.raises(AdministrationError) as refused, transaction():
        catalogue.change_poli(factories.actor("kepala"), room, values | {"max_age_months": None})
    assert refused.value.field == "redirect_code"
